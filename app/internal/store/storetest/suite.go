// Package storetest is what every implementation of the log has to pass. The
// tests only use what the log promises to its callers, so that they hold for a
// file and for a server alike, also one that others use at the same time:
// positions may be any, and records of others may stand between. It imports
// domain and what tests need.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// Log is what the suite asks of a log.
type Log interface {
	Append(ctx context.Context, stream string, expected domain.Revision, msgs ...domain.Message) (domain.Appended, error)
	ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error)
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	Head(ctx context.Context) (domain.Position, error)
	Identity(ctx context.Context) (string, error)
	Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error)
	Close() error
}

// Brief is how the names of the streams begin whose events the logs under test
// are to give for BriefAge only.
const (
	Brief    = "brief-"
	BriefAge = time.Second
)

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// Run tests one kind of log. create makes an empty store for one test; what it
// returns opens a handle on that store, as often as it is called. The suite
// closes the handles.
func Run(t *testing.T, create func(t *testing.T) (open func(t *testing.T) Log)) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(s store)
	}{
		{"append at exact revisions", appendExact},
		{"conflicts carry the actual revision", appendConflicts},
		{"a retry is recognised", appendRetry},
		{"several messages are all or nothing", appendAllOrNothing},
		{"racing writers win each revision once", appendRace},
		{"a conflict among many does not touch the others", appendAmongMany},
		{"appends together from two handles", appendTwoHandles},
		{"bytes come back as they were", appendBytes},
		{"unfit messages are refused", appendUnfit},
		{"an ended context records nothing", appendContext},
		{"random histories agree with a model", appendModel},
		{"read one stream", readStream},
		{"read everything from a position", readAll},
		{"read from where no event is", readAnywhere},
		{"read with filters", readFilters},
		{"read up to a position", readUntil},
		{"read with metadata", readMetadata},
		{"read more than a batch", readMany},
		{"reading ends with its receiver and its context", readEnds},
		{"old events are not given any more", readAged},
		{"old events leave their revisions behind", removedAged},
		{"imported events keep their time", importTimes},
		{"follow what is appended", followLive},
		{"follow over another handle", followOther},
		{"follow with a filter", followFiltered},
		{"follow from a position under load", followUnderLoad},
		{"following ends", followEnds},
		{"close under load", closeUnderLoad},
		{"what was appended is there after opening again", reopened},
		{"a log keeps its identity", identity},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(store{t, create(t)})
		})
	}
}

// A store is what one test works on. It opens handles and closes them when the
// test ends.
type store struct {
	t       *testing.T
	openLog func(t *testing.T) Log
}

func (s store) open() Log {
	s.t.Helper()
	l := s.openLog(s.t)
	s.t.Cleanup(func() { _ = l.Close() }) // many tests have done so themselves
	return l
}

// message makes a message with a random id.
func message(kind string) domain.Message {
	m := domain.Message{
		Type: kind, Data: []byte(`{"challenge":"c1","attempt":1}`),
		Metadata: []byte(`{"schema":1,"station":"hall"}`),
	}
	_, _ = rand.Read(m.ID[:]) // never fails
	return m
}

func messages(n int) []domain.Message {
	ms := make([]domain.Message, n)
	for i := range ms {
		ms[i] = message("CodeRejected")
		ms[i].Data = fmt.Appendf(nil, `{"n":%d}`, i)
	}
	return ms
}

func mustAppend(t *testing.T, l Log, stream string, expected domain.Revision, ms ...domain.Message) domain.Appended {
	t.Helper()
	a, err := l.Append(t.Context(), stream, expected, ms...)
	if err != nil {
		t.Fatalf("append at %d: %v", expected, err)
	}
	if want := expected + domain.Revision(len(ms)); a.Revision != want {
		t.Fatalf("append at %d returned revision %d instead of %d", expected, a.Revision, want)
	}
	if a.Position == 0 {
		t.Fatalf("append at %d returned no position", expected)
	}
	return a
}

// wantConflict checks that an append is refused because of the revision.
func wantConflict(t *testing.T, l Log, stream string, expected, actual domain.Revision, ms ...domain.Message) {
	t.Helper()
	_, err := l.Append(t.Context(), stream, expected, ms...)
	var c *domain.Conflict
	if !errors.As(err, &c) || !errors.Is(err, domain.ErrConflict) {
		t.Fatalf("append at %d: %v instead of a conflict", expected, err)
	}
	if want := (domain.Conflict{Stream: stream, Expected: expected, Actual: actual}); *c != want {
		t.Fatalf("conflict %+v instead of %+v", *c, want)
	}
}

// wantStream checks which messages a stream holds, all fields of them, at
// revisions without a gap.
func wantStream(t *testing.T, l Log, stream string, want ...domain.Message) []domain.Recorded {
	t.Helper()
	got, err := l.ReadStream(t.Context(), stream, 0)
	if err != nil {
		t.Fatal(err)
	}
	sameMessages(t, got, want)
	for i, e := range got {
		if e.Stream != stream || e.Revision != domain.Revision(i) {
			t.Fatalf("event %d stands at %s, revision %d", i, e.Stream, e.Revision)
		}
	}
	return got
}

func sameMessages(t *testing.T, got []domain.Recorded, want []domain.Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events instead of %d", len(got), len(want))
	}
	for i, e := range got {
		w := want[i]
		if e.ID != w.ID || e.Type != w.Type || string(e.Data) != string(w.Data) || string(e.Metadata) != string(w.Metadata) {
			t.Fatalf("event %d is %s %s instead of %s %s", i, e.Type, e.ID, w.Type, w.ID)
		}
	}
}

// all collects what a query yields until it is live, and checks what holds
// for every reading.
func all(t *testing.T, l Log, q domain.Query) []domain.Recorded {
	t.Helper()
	c := collector{after: q.After}
	live := 0
	err := l.ReadAll(t.Context(), q, func(b domain.Batch) error {
		if live > 0 {
			t.Error("a batch after the one that was live")
		}
		if b.Live {
			live++
		}
		return c.add(b)
	})
	if err != nil {
		t.Fatal(err)
	}
	if live != 1 {
		t.Fatalf("%d live batches", live)
	}
	return c.events
}

// A collector keeps copies of what batches hold and checks that positions grow.
type collector struct {
	after  domain.Position
	events []domain.Recorded
	live   bool
}

func (c *collector) add(b domain.Batch) error {
	for _, e := range b.Events {
		if e.Position <= c.after || e.Position > b.Through {
			return fmt.Errorf("position %d after %d in a batch through %d", e.Position, c.after, b.Through)
		}
		if !json.Valid(e.Data) {
			return fmt.Errorf("no JSON at position %d", e.Position)
		}
		c.after = e.Position
		e.Data, e.Metadata = slices.Clone(e.Data), slices.Clone(e.Metadata)
		c.events = append(c.events, e)
	}
	if b.Through < c.after {
		return fmt.Errorf("a batch through %d after %d", b.Through, c.after)
	}
	c.after, c.live = b.Through, b.Live
	return nil
}

func positions(events []domain.Recorded) []domain.Position {
	ps := make([]domain.Position, len(events))
	for i, e := range events {
		ps[i] = e.Position
	}
	return ps
}
