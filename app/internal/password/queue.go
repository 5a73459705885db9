package password

import (
	"context"
	"runtime/debug"
	"sync"
)

// A queue lets so many in at once and so many more wait, first come first
// served.
type queue struct {
	places chan struct{}

	mu       sync.Mutex
	waiting  int
	longest  int
	working  int
	released func() // gives memory back
}

func newQueue(atOnce, longest int) *queue {
	return &queue{places: make(chan struct{}, atOnce), longest: longest, released: debug.FreeOSMemory}
}

// enter waits for a place. It returns ErrBusy at once when too many wait, and
// the error of ctx when that ends first.
func (q *queue) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case q.places <- struct{}{}:
		q.count(0, 1)
		return nil
	default:
	}
	q.mu.Lock()
	full := q.waiting >= q.longest
	if !full {
		q.waiting++
	}
	q.mu.Unlock()
	if full {
		return ErrBusy
	}
	select {
	case q.places <- struct{}{}:
		q.count(-1, 1)
		return nil
	case <-ctx.Done():
		q.count(-1, 0)
		return ctx.Err()
	}
}

// leave gives the place to the next. Who leaves last of those at work gives the
// memory of the hashes back first: Go would keep it for the next collection,
// and a window that made two hashes would hold twice what it needs.
func (q *queue) leave() {
	if q.count(0, -1) == 0 {
		q.released()
	}
	<-q.places
}

// count returns how many are at work.
func (q *queue) count(waiting, working int) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting += waiting
	q.working += working
	return q.working
}
