package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/keydesk/keydesk/domain"
)

// MaxAppend is how many bytes the messages of one append may have together.
// It is what an EventStoreDB server admits by default.
const MaxAppend = 1 << 20

// maxName is the length of the longest name of a stream or a type, in bytes.
const maxName = 255

// ErrMessage says that what was to be appended is not fit for a log. Trying
// again does not help.
var ErrMessage = errors.New("not fit for the log")

// Append records messages at the end of a stream, all of them or none, if the
// stream is at the expected revision (domain.NoStream: if it does not exist).
// When it returns, they are on disk.
//
// When the stream is past the expectation, the events right after it are
// compared: if they have the ids of all the messages, this is a retry, nothing
// is recorded, and the place of the old ones is returned. In every other case
// the error is a *domain.Conflict with the actual revision.
//
// domain.ErrUnavailable says that nothing was recorded: the disk is full,
// another process kept the log locked for 5 s, the log is closed, or ctx ended
// while the append waited for its turn. domain.ErrUnknownOutcome says that it
// may have been recorded; the bytes of the messages must not be changed then,
// they may still be read. Messages that are empty, too large or not JSON are
// refused with ErrMessage.
func (s *SQLite) Append(ctx context.Context, stream string, expected domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	if err := check(stream, expected, msgs); err != nil {
		return domain.Appended{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	r := &request{stream: stream, expected: expected, msgs: msgs, done: make(chan struct{})}
	if err := s.writer.append(ctx, r); err != nil {
		return domain.Appended{}, fmt.Errorf("append to %s: %w", stream, err)
	}
	return r.appended, nil
}

// Import is Append for events that another log has recorded: they keep the
// time at which it did so, to the microsecond.
func (s *SQLite) Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error) {
	msgs := messagesOf(events)
	if err := check(stream, expected, msgs); err != nil {
		return domain.Appended{}, fmt.Errorf("import to %s: %w", stream, err)
	}
	r := &request{stream: stream, expected: expected, msgs: msgs, times: make([]int64, len(events)), done: make(chan struct{})}
	for i := range events {
		r.times[i] = events[i].Recorded.UnixMicro()
	}
	if err := s.writer.append(ctx, r); err != nil {
		return domain.Appended{}, fmt.Errorf("import to %s: %w", stream, err)
	}
	return r.appended, nil
}

// ImportAll is Import for events of any streams at once, in the order in which they
// are given, which is the one that they will have: each has to come to the revision
// that it says. Neighbours in a stream are recorded together or not at all, and many
// share a commit. After an error the first of the events may be recorded, up to some
// place, and none after that: the same events again go on there.
func (s *SQLite) ImportAll(ctx context.Context, events []domain.Recorded) error {
	var all []*request
	for rest := events; len(rest) > 0; {
		n := runOf(rest)
		run, stream, msgs := rest[:n], rest[0].Stream, messagesOf(rest[:n])
		if err := check(stream, run[0].Revision-1, msgs); err != nil {
			return fmt.Errorf("import to %s: %w", stream, err)
		}
		r := &request{stream: stream, expected: run[0].Revision - 1, msgs: msgs, times: make([]int64, n), done: make(chan struct{})}
		for i := range run {
			r.times[i] = run[i].Recorded.UnixMicro()
		}
		if len(all) > 0 {
			r.after = all[len(all)-1]
		}
		all, rest = append(all, r), rest[n:]
	}
	queued := 0
	var failed error
	for ; queued < len(all) && failed == nil; queued++ {
		all[queued].since = time.Now()
		failed = s.writer.enqueue(ctx, all[queued])
	}
	if failed != nil {
		queued-- // the last one was not
	}
	for _, r := range all[:queued] {
		if err := r.wait(ctx); err != nil && failed == nil {
			failed = fmt.Errorf("import to %s: %w", r.stream, err)
		}
	}
	return failed
}

// runOf returns how many events, at least one, follow each other in one stream and
// fit into one request.
func runOf(events []domain.Recorded) int {
	size := 0
	for i := range events {
		e := &events[i]
		size += len(e.Data) + len(e.Metadata)
		if i > 0 && (e.Stream != events[0].Stream || e.Revision != events[i-1].Revision+1 || i == maxGroup || size > MaxAppend) {
			return i
		}
	}
	return len(events)
}

func messagesOf(events []domain.Recorded) []domain.Message {
	msgs := make([]domain.Message, len(events))
	for i := range events {
		msgs[i] = events[i].Message
	}
	return msgs
}

func check(stream string, expected domain.Revision, msgs []domain.Message) error {
	switch {
	case !fitName(stream):
		return fmt.Errorf("%w: the stream's name is empty, too long or not text", ErrMessage)
	case expected < domain.NoStream:
		return fmt.Errorf("%w: expected revision %d", ErrMessage, expected)
	case len(msgs) == 0:
		return fmt.Errorf("%w: no messages", ErrMessage)
	}
	size := 0
	for i := range msgs {
		m := &msgs[i]
		size += len(m.Data) + len(m.Metadata)
		switch {
		case size > MaxAppend:
			return fmt.Errorf("%w: more than %d bytes in one append", ErrMessage, MaxAppend)
		case m.ID == domain.EventID{}:
			return fmt.Errorf("%w: message %d has no id", ErrMessage, i)
		case !fitName(m.Type):
			return fmt.Errorf("%w: the type of message %d is empty, too long or not text", ErrMessage, i)
		case !fitJSON(m.Data):
			return fmt.Errorf("%w: the data of message %d is not JSON", ErrMessage, i)
		case len(m.Metadata) > 0 && !fitJSON(m.Metadata):
			return fmt.Errorf("%w: the metadata of message %d is not JSON", ErrMessage, i)
		}
	}
	return nil
}

func fitName(s string) bool {
	return s != "" && len(s) <= maxName && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

func fitJSON(b []byte) bool { return jsontext.Value(b).IsValid() }

// A request is one append on its way. Whoever moves its state from waiting
// decides about it: the writer takes it, or the caller gives it up.
type request struct {
	stream   string
	expected domain.Revision
	msgs     []domain.Message
	times    []int64  // when each was recorded; nil: now
	after    *request // has to be recorded before this one is; nil: none
	recorded bool     // it is, or is about to be; the writer's

	state atomic.Int32
	since time.Time

	// Set by the writer before it closes done.
	appended domain.Appended
	err      error
	done     chan struct{}
}

const (
	waiting int32 = iota
	taken
	givenUp
)

// take says whether the request is the writer's now.
func (r *request) take() bool { return r.state.CompareAndSwap(waiting, taken) }

// giveUp says whether the request will not be looked at any more.
func (r *request) giveUp() bool { return r.state.CompareAndSwap(waiting, givenUp) }

func (r *request) refuse(err error) {
	r.appended, r.err = domain.Appended{}, err
	close(r.done)
}

// append queues a request and waits for its outcome.
func (w *writer) append(ctx context.Context, r *request) error {
	r.since = time.Now()
	if err := w.enqueue(ctx, r); err != nil {
		return err
	}
	return r.wait(ctx)
}

// wait waits for the outcome of a request that was queued, and gives it up when ctx
// ends before the writer took it.
func (r *request) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
	}
	if r.giveUp() {
		return fmt.Errorf("%w: %w", domain.ErrUnavailable, context.Cause(ctx))
	}
	select {
	case <-r.done: // both were ready
		return r.err
	default:
		return fmt.Errorf("%w: %w", domain.ErrUnknownOutcome, context.Cause(ctx))
	}
}

func (w *writer) enqueue(ctx context.Context, r *request) error {
	w.gate.RLock()
	defer w.gate.RUnlock()
	if w.closed {
		return errClosed
	}
	if ctx.Err() == nil {
		select {
		case w.queue <- r:
			return nil
		case <-ctx.Done():
		}
	}
	return fmt.Errorf("%w: %w", domain.ErrUnavailable, context.Cause(ctx))
}

// drain refuses what comes from now on, and waits for what was queued.
func (w *writer) drain() {
	w.gate.Lock()
	w.closed = true
	close(w.queue)
	w.gate.Unlock()
	<-w.drained
}
