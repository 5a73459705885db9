package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/domain"
)

// ESDB is a log on an EventStoreDB or KurrentDB server, or a cluster of them.
// Its methods may be called from any number of goroutines. It connects when it
// is first used, and again whenever the connection was lost. With a server that then
// no longer holds what it has given, nothing goes on: all fail with
// domain.ErrUnavailable, until another log is opened.
type ESDB struct {
	options  Options
	ages     ages
	sessions *sessions
	places   places
	landmark landmark
	user     string
}

// OpenESDB opens the log at a URL such as
// "esdb://user:password@host:2113?tlsCAFile=/etc/keydesk/ca.crt", with several
// hosts after commas, or "esdb+discover://name", a name that stands for all
// nodes. What can be checked without a server is checked, with ErrURL; whether
// there is a server shows when the log is used.
func OpenESDB(_ context.Context, url string, o Options) (*ESDB, error) {
	c, err := configure(url, o)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l := &ESDB{options: o, ages: newAges(o.MaxAge), user: c.Username}
	l.sessions = newSessions(c, l.landmark.check, o.Report)
	return l, nil
}

// Close ends every Follow, and waits for the calls that run. What is called
// later fails with domain.ErrUnavailable. It must not be called from within a
// yield.
func (l *ESDB) Close() error {
	l.sessions.close()
	return nil
}

// readTries is how often a read is tried: a lost connection shows only when it
// is used.
const readTries = 3

// reading runs a call that only reads, and so may be repeated.
func reading[T any](ctx context.Context, l *ESDB, call func(context.Context, *esdb.Client) (T, error)) (T, error) {
	var value T
	var err error
	for range readTries {
		var s *session
		if s, err = l.sessions.take(ctx); err != nil {
			break
		}
		value, err = do(ctx, l.sessions, s, call)
		if !again(ctx, err) {
			break
		}
	}
	return value, readProblem(ctx, err)
}

// Head returns the position of the last record of the whole server, which may
// be one of its own: no event of ours stands behind it, and everybody who
// reads gets there.
func (l *ESDB) Head(ctx context.Context) (domain.Position, error) {
	head, err := reading(ctx, l, l.head)
	if err != nil {
		return 0, fmt.Errorf("read head of the log: %w", err)
	}
	return head, nil
}

// head returns the head, which is not before what was given when it was asked for.
func (l *ESDB) head(ctx context.Context, c *esdb.Client) (domain.Position, error) {
	floor := l.landmark.floor()
	end, err := head(ctx, c)
	if err == nil && end < floor {
		return 0, errBehind
	}
	return end, err
}

func head(ctx context.Context, c *esdb.Client) (domain.Position, error) {
	events, err := c.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Backwards, From: esdb.End{}}, 1)
	if err != nil {
		return 0, err
	}
	defer events.Close()
	e, err := events.Recv()
	if errors.Is(err, io.EOF) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return domain.Position(e.OriginalEvent().Position.Commit), nil
}

// Identity returns the id of the log: that of its first event, since a server has
// none. It is "" while there is no event.
func (l *ESDB) Identity(ctx context.Context) (string, error) {
	id, enough := "", errors.New("enough")
	err := l.ReadAll(ctx, domain.Query{Metadata: true, Expired: true}, func(b domain.Batch) error {
		if len(b.Events) == 0 {
			return nil
		}
		id = b.Events[0].ID.String()
		return enough
	})
	if err != nil && !errors.Is(err, enough) {
		return "", fmt.Errorf("read the first event: %w", err)
	}
	return id, nil
}

// ReadStream returns the events of one stream from a revision on, with
// metadata; none when there is no such stream or nothing so far along.
func (l *ESDB) ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error) {
	opts := esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(uint64(max(from, 0)))}
	events, err := l.readStream(ctx, l.options.Prefix+stream, opts, math.MaxInt32)
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", stream, err)
	}
	return l.ages.drop(stream, events), nil
}

// readStream reads a stream under the name that the server has for it.
func (l *ESDB) readStream(ctx context.Context, name string, opts esdb.ReadStreamOptions, count uint64) ([]domain.Recorded, error) {
	return reading(ctx, l, func(ctx context.Context, c *esdb.Client) ([]domain.Recorded, error) {
		events := []domain.Recorded{}
		stream, err := c.ReadStream(ctx, name, opts, count)
		if err != nil {
			return nil, err
		}
		defer stream.Close()
		for {
			e, err := stream.Recv()
			switch {
			case errors.Is(err, io.EOF), codeOf(err) == esdb.ErrorCodeResourceNotFound, codeOf(err) == esdb.ErrorCodeStreamDeleted:
				return events, nil
			case err != nil:
				return nil, err
			}
			events = append(events, l.recorded(e.OriginalEvent(), true))
		}
	})
}

// recorded makes our event of the server's. It shares the memory.
func (l *ESDB) recorded(e *esdb.RecordedEvent, metadata bool) domain.Recorded {
	r := domain.Recorded{
		Message:  domain.Message{Type: e.EventType, Data: e.Data},
		Stream:   strings.TrimPrefix(e.StreamID, l.options.Prefix),
		Revision: domain.Revision(e.EventNumber), //nolint:gosec // counted from 0
		Position: domain.Position(e.Position.Commit),
		Recorded: e.CreatedDate.UTC(),
	}
	given, at, imported := stripTime(e.UserMetadata)
	if imported {
		r.Recorded = at
	}
	if metadata {
		r.ID, r.Metadata = domain.EventID(e.EventID), given
	}
	return r
}

// wait waits, unless ctx ends or the log is closed.
func (l *ESDB) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-l.sessions.closing:
		return errClosed
	}
}
