package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A follower collects what a Follow yields.
type follower struct {
	mu      sync.Mutex
	changed chan struct{}
	c       collector
	ended   chan error
}

// follow starts to follow until the test ends.
func follow(t *testing.T, l Log, q domain.Query) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &follower{changed: make(chan struct{}, 1), ended: make(chan error, 1), c: collector{after: q.After}}
	go func() {
		f.ended <- l.Follow(ctx, q, func(b domain.Batch) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			select {
			case f.changed <- struct{}{}:
			default:
			}
			return f.c.add(b)
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-f.ended; !errors.Is(err, context.Canceled) {
			t.Errorf("following ended: %v", err)
		}
	})
	return f
}

// until waits until the follower has got so far.
func (f *follower) until(t *testing.T, what string, reached func(collector) bool) collector {
	t.Helper()
	deadline := time.After(patience)
	for {
		f.mu.Lock()
		c := f.c
		f.mu.Unlock()
		if reached(c) {
			return c
		}
		select {
		case <-f.changed:
		case err := <-f.ended:
			f.ended <- err
			t.Fatalf("following ended before %s: %v", what, err)
		case <-deadline:
			t.Fatalf("%s: not within %v; %d events, through %d", what, patience, len(c.events), c.after)
		}
	}
}

func live(c collector) bool { return c.live }

func through(p domain.Position) func(collector) bool {
	return func(c collector) bool { return c.after >= p }
}

func followLive(s store) {
	l := s.open()
	followFrom(s.t, l, l)
}

func followOther(s store) { followFrom(s.t, s.open(), s.open()) }

// followFrom appends to one log and follows it on another.
func followFrom(t *testing.T, l, other Log) {
	t.Helper()
	ms := messages(3)
	mustAppend(t, l, "enrolment-a", domain.NoStream, ms[0])
	f := follow(t, other, domain.Query{Metadata: true})
	f.until(t, "live", live)
	mustAppend(t, l, "enrolment-a", 0, ms[1])
	a := mustAppend(t, l, "enrolment-b", domain.NoStream, ms[2])
	sameMessages(t, f.until(t, "three events", through(a.Position)).events, ms)
}

func followFiltered(s store) {
	t := s.t
	l, other := s.open(), s.open()
	f := follow(t, other, domain.Query{Prefix: "enrolment-", Types: []string{"NameSet"}})
	c := f.until(t, "live", live)
	if head, err := l.Head(t.Context()); err != nil || c.after > head || len(c.events) != 0 {
		t.Fatalf("an empty log with %d events is read through %d, its head is %d, %v", len(c.events), c.after, head, err)
	}
	// What the filter keeps back still says how far has been read.
	a := mustAppend(t, l, "station-a", domain.NoStream, message("NameSet"))
	f.until(t, "past the station", through(a.Position))
	a = mustAppend(t, l, "enrolment-a", domain.NoStream, message("CodeSent"), message("NameSet"), message("CodeSent"))
	c = f.until(t, "past the enrolment", through(a.Position))
	if len(c.events) != 1 || c.events[0].Revision != 1 {
		t.Fatalf("%d events: %+v", len(c.events), c.events)
	}
}

// followUnderLoad follows from the middle while many append: nothing is lost,
// doubled or out of order.
func followUnderLoad(s store) {
	t := s.t
	l, other := s.open(), s.open()
	mustAppend(t, l, "enrolment-x", domain.NoStream, messages(10)...)
	start := all(t, l, domain.Query{})[4].Position
	followers := []*follower{follow(t, l, domain.Query{After: start}), follow(t, other, domain.Query{After: start})}
	const writers, each = 8, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := l.Append(t.Context(), fmt.Sprintf("enrolment-%d", w), domain.Revision(i-1), message("CodeSent")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	head, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range followers {
		c := f.until(t, "the head", through(head))
		if want := 5 + writers*each; len(c.events) != want {
			t.Errorf("%d events instead of %d", len(c.events), want)
		}
		next := map[string]domain.Revision{"enrolment-x": 5}
		for _, e := range c.events {
			if e.Revision != next[e.Stream] {
				t.Fatalf("%s: revision %d instead of %d", e.Stream, e.Revision, next[e.Stream])
			}
			next[e.Stream]++
		}
	}
}

func followEnds(s store) {
	t := s.t
	l := s.open()
	mustAppend(t, l, "enrolment-a", domain.NoStream, message("NameSet"))
	err := l.Follow(t.Context(), domain.Query{}, func(domain.Batch) error { return errEnough })
	if err != errEnough { //nolint:errorlint // it comes back as it is
		t.Errorf("%v instead of the receiver's own error", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := l.Follow(ctx, domain.Query{}, func(domain.Batch) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v instead of the deadline", err)
	}
	ended, caughtUp := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- l.Follow(t.Context(), domain.Query{}, func(domain.Batch) error { close(caughtUp); return nil })
	}()
	<-caughtUp
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("%v instead of unavailable", err)
	}
}

// closeUnderLoad closes while many append: each append is either recorded or
// refused, and says which.
func closeUnderLoad(s store) {
	t := s.t
	l, other := s.open(), s.open()
	const writers = 16
	acknowledged := make([]int, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := 0; ; i++ {
				_, err := l.Append(t.Context(), fmt.Sprintf("enrolment-%d", w), domain.Revision(i-1), message("CodeSent"))
				if err != nil {
					if !errors.Is(err, domain.ErrUnavailable) {
						t.Error(err)
					}
					return
				}
				acknowledged[w]++
			}
		})
	}
	f := follow(t, other, domain.Query{})
	f.until(t, "some appends", func(c collector) bool { return len(c.events) > 100 })
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	for w, n := range acknowledged {
		got, err := other.ReadStream(t.Context(), fmt.Sprintf("enrolment-%d", w), 0)
		if err != nil || len(got) != n {
			t.Errorf("writer %d: %d recorded, %d acknowledged, %v", w, len(got), n, err)
		}
	}
	wantClosed(t, l)
}

func wantClosed(t *testing.T, l Log) {
	t.Helper()
	_, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, message("NameSet"))
	errs := []error{err, l.ReadAll(t.Context(), domain.Query{}, func(domain.Batch) error { return nil })}
	errs = append(errs, l.Follow(t.Context(), domain.Query{}, func(domain.Batch) error { return nil }))
	_, err = l.ReadStream(t.Context(), "enrolment-a", 0)
	errs = append(errs, err)
	_, err = l.Head(t.Context())
	errs = append(errs, err)
	for i, err := range errs {
		if !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("call %d after Close: %v", i, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func reopened(s store) {
	t := s.t
	l := s.open()
	ms := messages(20)
	mustAppend(t, l, "enrolment-a", domain.NoStream, ms...)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = s.open()
	wantStream(t, l, "enrolment-a", ms...)
	mustAppend(t, l, "enrolment-a", 19, message("NameSet"))
}

// identity: whoever opens a log, now or later, finds the same id. One that is empty
// may have none yet.
func identity(s store) {
	t := s.t
	l := s.open()
	mustAppend(t, l, "enrolment-a", domain.NoStream, message("NameSet"))
	id, err := l.Identity(t.Context())
	if err != nil || len(id) != 36 {
		t.Fatalf("%q, %v", id, err)
	}
	mustAppend(t, l, "enrolment-b", domain.NoStream, message("NameSet"))
	if again, err := s.open().Identity(t.Context()); err != nil || again != id {
		t.Errorf("%q, %v instead of %q", again, err, id)
	}
}
