package ui

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// Work does something that may take long in a goroutine of its own, and then
// calls then on Fyne's goroutine with what came of it. When ctx is done before
// do returns, then is called all the same, with whatever do returned: who has
// left the screen looks at ctx first.
func Work[T any](ctx context.Context, do func(context.Context) (T, error), then func(T, error)) {
	go func() {
		v, err := do(ctx)
		fyne.Do(func() { then(v, err) })
	}()
}

// Later calls a function on Fyne's goroutine after a while, unless ctx ends before.
func Later(ctx context.Context, d time.Duration, do func()) {
	Work(ctx, func(ctx context.Context) (struct{}, error) {
		select {
		case <-ctx.Done():
		case <-time.After(d):
		}
		return struct{}{}, ctx.Err()
	}, func(_ struct{}, err error) {
		if err == nil && ctx.Err() == nil {
			do()
		}
	})
}

// A Ticker calls a function on Fyne's goroutine at a steady pace, until it is
// stopped. Stop may be called from anywhere and more than once; after it
// returned on Fyne's goroutine, the function is not called again.
type Ticker struct {
	stop sync.Once
	done chan struct{}
}

// NewTicker starts a ticker; countdowns tick once a second. Between two ticks
// it costs nothing.
func NewTicker(every time.Duration, tick func()) *Ticker {
	t := &Ticker{done: make(chan struct{})}
	go t.run(every, tick)
	return t
}

func (t *Ticker) run(every time.Duration, tick func()) {
	clock := time.NewTicker(every)
	defer clock.Stop()
	for {
		select {
		case <-t.done:
			return
		case <-clock.C:
			fyne.Do(func() {
				select {
				case <-t.done: // stopped while this tick waited for its turn
				default:
					tick()
				}
			})
		}
	}
}

// Stop ends the ticker. It may be called on a nil ticker.
func (t *Ticker) Stop() {
	if t != nil {
		t.stop.Do(func() { close(t.done) })
	}
}
