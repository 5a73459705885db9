package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/keydesk/keydesk/domain"
)

// How often an append is tried again that the server certainly did not take,
// or that it turned away in the middle, and the first wait, which doubles.
const (
	appendTries = 6
	appendWait  = 20 * time.Millisecond
)

// Append records messages at the end of a stream, as SQLite's does. What was
// recorded is on the disks of as many nodes as the cluster wants.
//
// domain.ErrUnavailable says that nothing was recorded, and
// domain.ErrUnknownOutcome that the acknowledgement was lost: the same messages
// with the same expectation again say what happened. ErrDenied and ErrMessage
// are for good.
func (l *ESDB) Append(ctx context.Context, stream string, expected domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	err := check(stream, expected, msgs)
	for i := range msgs {
		if _, _, reserved := stripTime(msgs[i].Metadata); reserved && err == nil {
			err = fmt.Errorf("%w: the metadata of message %d ends with a reserved member", ErrMessage, i)
		}
	}
	var a domain.Appended
	if err == nil {
		a, err = l.append(ctx, stream, expected, msgs)
	}
	if err != nil {
		return domain.Appended{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	return a, nil
}

// Import is Append for events that another log has recorded: they keep the
// time at which it did so.
func (l *ESDB) Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error) {
	msgs := messagesOf(events)
	err := check(stream, expected, msgs)
	for i := range msgs {
		if err == nil {
			msgs[i].Metadata, err = addTime(msgs[i].Metadata, events[i].Recorded)
		}
	}
	var a domain.Appended
	if err == nil {
		a, err = l.append(ctx, stream, expected, msgs)
	}
	if err != nil {
		return domain.Appended{}, fmt.Errorf("import to %s: %w", stream, err)
	}
	return a, nil
}

func (l *ESDB) append(ctx context.Context, stream string, expected domain.Revision, msgs []domain.Message) (domain.Appended, error) {
	name := l.options.Prefix + stream
	if strings.HasPrefix(name, "$") {
		return domain.Appended{}, fmt.Errorf("%w: names that begin with $ are the server's own", ErrMessage)
	}
	if age := l.ages.of(stream); age > 0 && expected == domain.NoStream {
		if err := l.limitAge(ctx, name, age); err != nil {
			return domain.Appended{}, err
		}
	}
	events := make([]esdb.EventData, len(msgs))
	for i := range msgs {
		m := &msgs[i]
		events[i] = esdb.EventData{
			EventID: uuid.UUID(m.ID), EventType: m.Type, ContentType: esdb.ContentTypeJson,
			Data: m.Data, Metadata: m.Metadata,
		}
	}
	opts := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}
	if expected >= 0 {
		opts.ExpectedRevision = esdb.Revision(uint64(expected))
	}
	floor := l.landmark.floor()
	w, err := l.write(ctx, name, opts, events)
	switch {
	case codeOf(err) == esdb.ErrorCodeWrongExpectedVersion:
		return domain.Appended{}, l.conflict(ctx, stream, expected, err)
	case err != nil:
		return domain.Appended{}, appendProblem(ctx, err)
	}
	// An older server says for a retry only that it is one, so what is asked
	// for is counted here, and the place of it read.
	a := domain.Appended{Revision: expected + domain.Revision(len(msgs)), Position: domain.Position(w.CommitPosition)}
	if a.Position == 0 {
		if a.Position, err = l.positionOf(ctx, name, a.Revision); err != nil {
			return domain.Appended{}, err
		}
	}
	if a.Position <= floor { // a retry, or the log of another server
		if err := l.same(ctx); err != nil {
			return domain.Appended{}, fmt.Errorf("%w: %w", domain.ErrUnknownOutcome, err)
		}
	}
	return a, nil
}

// write appends, and tries again what was certainly not recorded, and what was
// turned away before it was read to its end: the same events with the same
// expectation are recorded once.
func (l *ESDB) write(ctx context.Context, name string, opts esdb.AppendToStreamOptions, events []esdb.EventData) (*esdb.WriteResult, error) {
	var unknown error // an earlier try's
	wait := appendWait
	for try := 1; ; try++ {
		s, err := l.sessions.take(ctx)
		var w *esdb.WriteResult
		if err == nil {
			w, err = do(ctx, l.sessions, s, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
				return c.AppendToStream(ctx, name, opts, events...)
			})
		}
		switch {
		case err == nil, codeOf(err) == esdb.ErrorCodeWrongExpectedVersion, denied(err):
			return w, err
		case ctx.Err() != nil || try == appendTries || s == nil:
		case unsent(err):
			if l.wait(ctx, wait) == nil {
				wait *= 2
				continue
			}
		case rejected(err):
			unknown = err
			if l.wait(ctx, wait) == nil {
				wait *= 2
				continue
			}
		}
		if unknown != nil && !rejected(err) {
			// What is known of this try says nothing of the earlier one.
			err = fmt.Errorf("%w: %w", domain.ErrUnknownOutcome, unknown)
		}
		return nil, err
	}
}

// conflict says where the stream really is.
func (l *ESDB) conflict(ctx context.Context, stream string, expected domain.Revision, refusal error) error {
	c := &domain.Conflict{Stream: stream, Expected: expected, Actual: domain.NoStream}
	last, err := l.readStream(ctx, l.options.Prefix+stream, esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}}, 1)
	switch {
	case err != nil:
		return fmt.Errorf("%w, and nothing recorded; where the stream is, is not known: %w", domain.ErrUnavailable, err)
	case len(last) == 1:
		c.Actual = last[0].Revision
	default: // none, or all of them are too old to be given
		if _, words, ok := strings.Cut(refusal.Error(), "but got '"); ok {
			var at int64
			if _, err := fmt.Sscanf(words, "%d'", &at); err == nil {
				c.Actual = domain.Revision(at)
			}
		}
	}
	return c
}

// positionOf reads where an event stands that was appended already.
func (l *ESDB) positionOf(ctx context.Context, name string, at domain.Revision) (domain.Position, error) {
	opts := esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(uint64(at))} //nolint:gosec // not negative
	events, err := l.readStream(ctx, name, opts, 1)
	if err == nil && len(events) == 0 {
		err = domain.ErrNotFound
	}
	if err != nil {
		return 0, fmt.Errorf("%w: recorded, but where it stands cannot be read: %w", domain.ErrUnknownOutcome, err)
	}
	return events[0].Position, nil
}

// ageSpace makes the ids of what limitAge appends, so that it is appended once.
var ageSpace = uuid.MustParse("3a9c0f5e-2f0d-4c0b-9a57-6d1f6d6c3a11")

// limitAge makes the server forget the events of a stream after a time, which
// has to be said before the first of them. A stream of which something else was
// said is left so.
func (l *ESDB) limitAge(ctx context.Context, name string, age time.Duration) error {
	data := fmt.Appendf(nil, `{"$maxAge":%d}`, max(1, int64(age.Round(time.Second)/time.Second)))
	_, err := l.write(ctx, "$$"+name, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, []esdb.EventData{{
		EventID: uuid.NewSHA1(ageSpace, append([]byte(name+" "), data...)), EventType: "$metadata",
		ContentType: esdb.ContentTypeJson, Data: data,
	}})
	switch {
	case err == nil, codeOf(err) == esdb.ErrorCodeWrongExpectedVersion:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: limit the age of its events: %w", domain.ErrUnavailable, context.Cause(ctx))
	case denied(err):
		return fmt.Errorf("limit the age of its events: %w: %w", ErrDenied, plain(err))
	}
	return fmt.Errorf("%w: limit the age of its events: %w", domain.ErrUnavailable, plain(err))
}
