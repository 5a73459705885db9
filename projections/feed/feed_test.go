package feed_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/progress"
)

var errGone = errors.New("the log is gone")

func TestRunCatchesUpAndFollows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(20, 2)
		log := newMemory(events[:150]...)
		factors, board := factor.New(), progress.New(20)
		f := feed.New(log, clock, factors, board)
		run(t, f)
		<-f.CaughtUp()
		mustHold(t, factors, events[:150])

		log.append(events[150:]...)
		last := events[len(events)-1].Position
		if err := f.Reach(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		mustHold(t, factors, events)
		if f.Position() != last || board.Position() != last || board.Counts().At[enrolment.StepDone] != 20 {
			t.Errorf("at %d, the board at %d: %+v", f.Position(), board.Position(), board.Counts())
		}
	})
}

func TestCatchUpReadsToTheHeadAndReturns(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(5, 0)
	log := newMemory(events...)
	factors := factor.New()
	f := feed.New(log, clock, factors)
	if err := f.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustHold(t, factors, events)
	log.set(errGone, false)
	if err := f.CatchUp(t.Context()); !errors.Is(err, errGone) {
		t.Errorf("from a log that is gone: %v", err)
	}
}

// It comes back while somebody follows the log, too.
func TestCatchUpBesideRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(9, 0)
		log := newMemory(events[:50]...)
		factors := factor.New()
		f := feed.New(log, clock, factors)
		run(t, f)
		<-f.CaughtUp()
		log.append(events[50:]...)
		log.append(domain.Recorded{Stream: "station-1", Position: 900}) // for nobody here
		for range 2 {
			if err := f.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			mustHold(t, factors, events)
		}

		// While following brings nothing, it waits as long as it may.
		log.set(nil, true)
		log.append(domain.Recorded{Message: events[0].Message, Stream: domain.EnrolmentStream(foldtest.Subject(99)), Position: 901})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := f.CatchUp(ctx); !errors.Is(err, feed.ErrBehind) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// Whoever waits for somebody who applies goes on alone when that one ends.
func TestCatchUpAfterRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(9, 0)
		log := newMemory(events[:50]...)
		factors := factor.New()
		f := feed.New(log, clock, factors)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		<-f.CaughtUp()
		log.set(nil, true)
		log.append(events[50:]...)
		caught := make(chan error, 1)
		go func() { caught <- f.CatchUp(t.Context()) }()
		synctest.Wait()
		select {
		case err := <-caught:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		cancel()
		if err := <-caught; err != nil || !errors.Is(<-ended, context.Canceled) {
			t.Error(err)
		}
		mustHold(t, factors, events)
	})
}

// types counts the events that it is given, by type.
type types struct {
	mu      sync.Mutex
	seen    map[string]int
	through domain.Position
}

func (c *types) Apply(events []domain.Recorded, through domain.Position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range events {
		c.seen[string([]byte(e.Type))]++
	}
	c.through = max(c.through, through)
}

func (c *types) Position() domain.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.through
}

// A feed of some types passes by the others, and is as far as the log all the same.
func TestAFeedOfSomeTypes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(12, 3)
		log := newMemory(events[:40]...)
		c := &types{seen: map[string]int{}}
		f := feed.Over(domain.EnrolmentPrefix, log, clock, c).Only("FactorChosen", "PocketPaired")
		run(t, f)
		<-f.CaughtUp()
		log.append(events[40:]...)
		if err := f.Reach(t.Context(), events[len(events)-1].Position); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.seen) != 2 || c.seen["FactorChosen"] != 12 || c.seen["PocketPaired"] != 4 {
			t.Errorf("saw %v", c.seen)
		}
	})
}

// A feed of everything has the events of all streams, and all of them.
func TestAFeedOfEverything(t *testing.T) {
	t.Parallel()
	for _, whole := range []bool{false, true} {
		events := foldtest.Even(3, 0)
		events[4].Stream, events[7].Stream = "service", "station-hall"
		c := &everything{}
		f := feed.Over("", newMemory(events...), clock, c)
		if whole {
			f = f.Whole()
		}
		if err := f.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: len(events)}[whole]; c.events != len(events) || c.whole != want {
			t.Errorf("whole %t: %d of %d events, %d of them with id and metadata", whole, c.events, len(events), c.whole)
		}
	}
}

// everything counts events, and those that have an id and metadata.
type everything struct {
	events, whole int
	through       domain.Position
}

func (c *everything) Apply(events []domain.Recorded, through domain.Position) {
	for _, e := range events {
		if c.events++; len(e.Metadata) > 0 && e.ID != (domain.EventID{}) {
			c.whole++
		}
	}
	c.through = max(c.through, through)
}

func (c *everything) Position() domain.Position { return c.through }

func TestAProjectionFromASnapshotGoesOnBesideAnEmptyOne(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(12, 3)
	early, late := factor.New(), factor.New()
	late.Apply(events[:70], 0)
	f := feed.New(newMemory(events...), clock, early, late)
	if f.Position() != 0 {
		t.Errorf("begins at %d", f.Position())
	}
	if err := f.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustHold(t, early, events)
	mustHold(t, late, events)
}

// Whoever appended an event and then waited for its position sees it in every
// projection, however many others do the same.
func TestReachNeverReturnsEarly(t *testing.T) {
	t.Parallel()
	const writers, each = 8, 200
	log := newMemory()
	factors, board := factor.New(), progress.New(20)
	f := feed.New(log, clock, factors, board)
	run(t, f)
	var mu sync.Mutex
	var position domain.Position
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := foldtest.Subject(w*each + i)
				mu.Lock()
				position++
				mine := position
				log.append(domain.Recorded{
					Message: domain.Message{Type: "EnrolmentStarted", Data: []byte("{}")},
					Stream:  domain.EnrolmentStream(id), Position: mine,
				})
				mu.Unlock()
				if err := f.Reach(t.Context(), mine); err != nil {
					t.Error(err)
					return
				}
				if a := factors.Lookup(id); a.State != factor.Enrolling || a.Through < mine {
					t.Errorf("after reaching %d: %+v", mine, a)
				}
				if p, ok := board.Person(id); !ok || p.Step != enrolment.StepEmail {
					t.Errorf("after reaching %d: %+v", mine, p)
				}
			}
		})
	}
	wg.Wait()
}

func TestReachSaysThatItIsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemory(foldtest.Even(1, 0)...)
		f := feed.New(log, clock, factor.New())
		run(t, f)
		<-f.CaughtUp()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		started := clock()
		err := f.Reach(ctx, 1000)
		if !errors.Is(err, feed.ErrBehind) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if waited := clock().Sub(started); waited != 3*time.Second {
			t.Errorf("after %s", waited)
		}
	})
}

// The head of a log may stand behind all that a projection asks for.
func TestReachKnowsOfEventsThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemory(foldtest.Even(1, 0)...)
		f := feed.New(log, clock, factor.New())
		run(t, f)
		log.append(domain.Recorded{Stream: "station-1", Position: 500})
		if err := f.Reach(t.Context(), 500); err != nil {
			t.Error(err)
		}
	})
}

func TestRunGoesOnAfterTheLogFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(9, 0)
		log := newMemory(events[:50]...)
		factors := factor.New()
		f := feed.New(log, clock, factors)
		run(t, f)
		<-f.CaughtUp()

		log.set(errGone, false)
		time.Sleep(time.Minute)
		sick := f.Health()
		if !errors.Is(sick.Err, errGone) || sick.Failures == 0 || sick.Behind < 50*time.Second || !sick.CaughtUp {
			t.Errorf("while the log is gone: %+v", sick)
		}
		if n := log.followed(); n < 12 || n > 25 { // 50 ms doubled up to 5 s, within a minute
			t.Errorf("followed %d times", n)
		}

		log.set(nil, false)
		log.append(events[50:]...)
		if err := f.Reach(t.Context(), events[len(events)-1].Position); err != nil {
			t.Fatal(err)
		}
		mustHold(t, factors, events)
		if well := f.Health(); well.Err != nil || well.Behind > time.Second {
			t.Errorf("afterwards: %+v", well)
		}
	})
}

func TestHealthWhileNothingHappens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := feed.New(newMemory(), clock, factor.New())
		if h := f.Health(); h.CaughtUp || h.Behind != 0 {
			t.Errorf("before: %+v", h)
		}
		run(t, f)
		for range 100 {
			time.Sleep(time.Second)
			if h := f.Health(); !h.CaughtUp || h.Behind > 3*time.Second || h.Err != nil {
				t.Fatalf("idle: %+v", h)
			}
		}
	})
}

func TestADeadFollowingIsFoundOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(2, 0)
		log := newMemory(events[:5]...)
		factors := factor.New()
		f := feed.New(log, clock, factors)
		run(t, f)
		<-f.CaughtUp()
		log.set(nil, true)
		log.append(events[5:]...)
		time.Sleep(9 * time.Second)
		if h := f.Health(); h.Behind < 8*time.Second {
			t.Errorf("deaf: %+v", h)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := f.Reach(ctx, events[len(events)-1].Position); err != nil {
			t.Fatal(err)
		}
		mustHold(t, factors, events)
		if log.followed() != 2 {
			t.Errorf("followed %d times", log.followed())
		}
	})
}

func TestWatchTellsOfOnePerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(2, 0) // their events take turns
		log := newMemory()
		f := feed.New(log, clock, factor.New())
		changed, cancel := f.Watch(foldtest.Subject(0))
		again, cancelAgain := f.Watch(foldtest.Subject(0))
		defer cancelAgain()
		run(t, f)
		log.append(events[0])
		<-changed
		<-again
		log.append(events[1]) // of the other one
		synctest.Wait()
		mustBeQuiet(t, changed)
		log.append(events[2:]...)
		synctest.Wait()
		<-changed // many, told as one
		mustBeQuiet(t, changed)
		cancel()
		cancel() // may be called twice
		log.append(domain.Recorded{Stream: events[0].Stream, Position: 99})
		synctest.Wait()
		mustBeQuiet(t, changed)
		<-again
	})
}

func TestWatchAllTellsOfEverybody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		events := foldtest.Even(2, 0)
		log := newMemory()
		f := feed.New(log, clock, factor.New())
		changed, cancel := f.WatchAll()
		run(t, f)
		synctest.Wait()
		mustBeQuiet(t, changed) // that there is nothing is no news
		for _, e := range events[:2] {
			log.append(e)
			synctest.Wait()
			<-changed
		}
		log.append(events[2:]...)
		synctest.Wait()
		<-changed
		mustBeQuiet(t, changed)
		cancel()
		log.append(domain.Recorded{Stream: events[0].Stream, Position: 99})
		synctest.Wait()
		mustBeQuiet(t, changed)
	})
}

func TestWatchTellsOfTheStreamsThatTheFeedIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := newMemory()
		f := feed.Over(domain.LoginPrefix, log, clock)
		changed, cancel := f.Watch(foldtest.Subject(0))
		defer cancel()
		run(t, f)
		log.append(domain.Recorded{Stream: domain.LoginPrefix + foldtest.Subject(0).String(), Position: 1})
		synctest.Wait()
		<-changed
	})
}

func mustBeQuiet(t *testing.T, changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
		t.Error("told of nothing")
	default:
	}
}

func TestAMarkBelongsToOneLog(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(2, 0)
	events[3].Stream = "station-1"
	log := newMemory(events...)
	at := events[4].Position
	id, err := feed.EventAt(t.Context(), log, at)
	if err != nil || id != events[4].ID {
		t.Fatalf("event at %d: %s, %v", at, id, err)
	}
	for _, c := range []struct {
		name string
		mark feed.Mark
		want error
	}{
		{"the beginning", feed.Mark{}, nil},
		{"the same event", feed.Mark{Position: at, Event: id}, nil},
		{"another event", feed.Mark{Position: at, Event: domain.EventID{1}}, feed.ErrSnapshot},
		{"an event of another kind of stream", feed.Mark{Position: events[3].Position, Event: events[3].ID}, feed.ErrSnapshot},
		{"a log that ends before", feed.Mark{Position: 1000, Event: id}, feed.ErrSnapshot},
	} {
		if err := feed.Check(t.Context(), log, c.mark); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	log.set(errGone, false)
	if err := feed.Check(t.Context(), log, feed.Mark{Position: at, Event: id}); !errors.Is(err, errGone) || errors.Is(err, feed.ErrSnapshot) {
		t.Errorf("a log that is gone: %v", err)
	}
}

// clock is the real one, or that of the bubble in which a test runs.
func clock() time.Time { return time.Now() } //nolint:forbidigo // tests bring the time in

// run keeps a feed running until the test ends.
func run(t *testing.T, f *feed.Feed) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("run returned %v", err)
		}
	})
}

func mustHold(t *testing.T, m *factor.Map, events []domain.Recorded) {
	t.Helper()
	want := factor.New()
	want.Apply(events, 0)
	if got := m.Counts(); got != want.Counts() {
		t.Errorf("got %+v, want %+v", got, want.Counts())
	}
	if !bytes.Equal(encode(t, m), encode(t, want)) {
		t.Error("the maps differ")
	}
}

func encode(t *testing.T, m *factor.Map) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := m.Snapshot().Encode(&file, domain.EventID{}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
