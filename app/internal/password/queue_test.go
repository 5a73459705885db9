package password

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// testQueue counts how often memory is given back.
func testQueue(atOnce, longest int) (*queue, *atomic.Int32) {
	q := newQueue(atOnce, longest)
	released := &atomic.Int32{}
	q.released = func() { released.Add(1) }
	return q, released
}

func TestNeverMoreThanAllowedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := testQueue(3, 100)
		var inside, most, done atomic.Int32
		for i := range 50 {
			go func() {
				time.Sleep(time.Duration(i%7) * time.Millisecond)
				if err := q.enter(t.Context()); err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n > most.Load() {
					most.Store(n)
				}
				time.Sleep(time.Duration(1+i%3) * time.Millisecond)
				inside.Add(-1)
				q.leave()
				done.Add(1)
			}()
		}
		time.Sleep(time.Second)
		if most.Load() != 3 || done.Load() != 50 || q.working != 0 || q.waiting != 0 {
			t.Errorf("most %d, done %d, then %d working and %d waiting", most.Load(), done.Load(), q.working, q.waiting)
		}
	})
}

func TestAFullQueueRefusesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := testQueue(1, 2)
		if err := q.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		order := make(chan int, 2)
		for i := range 2 {
			go func() {
				if err := q.enter(t.Context()); err != nil {
					t.Error(err)
				}
				order <- i
			}()
			synctest.Wait()
		}
		if err := q.enter(t.Context()); !errors.Is(err, ErrBusy) || !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		for want := range 2 {
			q.leave()
			if got := <-order; got != want {
				t.Errorf("number %d came before %d", got, want)
			}
		}
		q.leave()
		if err := q.enter(t.Context()); err != nil {
			t.Errorf("once empty: %v", err)
		}
	})
}

func TestWhoGivesUpWaitingLeavesTheirPlaceToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, _ := testQueue(1, 1)
		if err := q.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gaveUp := make(chan error)
		go func() { gaveUp <- q.enter(ctx) }()
		synctest.Wait()
		if err := q.enter(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("full: got %v", err)
		}
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("gave up: got %v", err)
		}
		next := make(chan error)
		go func() { next <- q.enter(t.Context()) }()
		synctest.Wait()
		q.leave()
		if err := <-next; err != nil {
			t.Errorf("the next: %v", err)
		}
	})
}

func TestTheLastToLeaveGivesTheMemoryBack(t *testing.T) {
	t.Parallel()
	q, released := testQueue(2, 0)
	for range 2 {
		if err := q.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	q.leave()
	if n := released.Load(); n != 0 {
		t.Errorf("given back %d times while one is at work", n)
	}
	q.leave()
	if n := released.Load(); n != 1 {
		t.Errorf("given back %d times", n)
	}
}
