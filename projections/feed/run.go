package feed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

const (
	firstWait = 50 * time.Millisecond // before the log is followed again, doubled each time …
	longWait  = 5 * time.Second       // … up to this

	silence = 2 * time.Second  // with nothing heard, the feed asks the log for its head …
	dead    = 10 * time.Second // … and starts again when there is something that following did not bring
)

// errDeaf: the log holds more, and following it did not say so.
var errDeaf = errors.New("following the log brought nothing any more")

// errEnough ends a reading that has brought what was wanted.
var errEnough = errors.New("enough")

// Run catches up and follows the log, until ctx ends, and returns its cause.
// Whenever the log fails, Run waits (50 ms, doubling up to 5 s) and goes on
// from where the projections are; Health tells.
//
// A log can also fail without saying so. Each time nothing was heard for 2 s,
// Run reads on from its position beside the following: nothing there means
// that the head is still reached; something that does not arrive by itself
// within 10 s means that the following is dead, and starts it again.
func (f *Feed) Run(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-f.turn }()
	for wait := firstWait; ; wait = min(2*wait, longWait) {
		before := f.lastHeard()
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f.failed(err)
		if f.lastHeard() != before {
			wait = firstWait
		}
		if !pause(ctx, wait) {
			return context.Cause(ctx)
		}
	}
}

// follow follows the log until that fails or the watch over it finds it dead.
func (f *Feed) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		cancel(f.watchOver(ctx))
	}()
	err := f.log.Follow(ctx, f.query(), f.take)
	if cause := context.Cause(ctx); errors.Is(cause, errDeaf) {
		err = cause
	}
	cancel(err)
	<-watching
	if err == nil {
		err = errors.New("the log ended")
	}
	return fmt.Errorf("follow the log: %w", err)
}

// watchOver returns when following seems to be dead, or ctx ends.
func (f *Feed) watchOver(ctx context.Context) error {
	var deafSince time.Time // zero: nothing was missed
	for pause(ctx, silence) {
		now, heard, at := f.now(), f.lastHeard(), f.Position()
		if now.Sub(heard) < silence {
			deafSince = time.Time{}
			continue
		}
		more, err := f.more(ctx, at)
		switch {
		case err != nil:
			f.failed(err)
		case !more:
			f.confirmed(now)
			deafSince = time.Time{}
		case f.lastHeard() != heard: // it has just arrived
			deafSince = time.Time{}
		case deafSince.IsZero():
			deafSince = now
		case now.Sub(deafSince) >= dead:
			return errDeaf
		}
	}
	return context.Cause(ctx)
}

// more says whether the log holds anything for the projections behind a
// position.
func (f *Feed) more(ctx context.Context, at domain.Position) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, dead)
	defer cancel()
	found := false
	err := f.log.ReadAll(ctx, domain.Query{After: at, Prefix: f.prefix}, func(b domain.Batch) error {
		if found = len(b.Events) > 0; found {
			return errEnough
		}
		return nil
	})
	if err != nil && !found {
		return false, fmt.Errorf("ask the log for its head: %w", err)
	}
	return found, nil
}

// confirmed notes that nothing stood behind the position at a moment.
func (f *Feed) confirmed(at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = nil
	f.reachedHead(at)
}

func (f *Feed) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
	f.failures++
}

func (f *Feed) lastHeard() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard
}

// pause waits, and says whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
