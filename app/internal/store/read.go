package store

import (
	"context"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// ahead is how many batches are read while the receiver still works on one.
const ahead = 2

// ReadAll gives what a query asks for, up to the last event at the moment of
// the call, in batches. The last of them is Live, and may be empty. Batches
// are read ahead while yield works. An error of yield ends the reading and is
// returned as it is.
func (s *SQLite) ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	sc, err := newScanner(q)
	if err == nil {
		err = s.catchUp(ctx, sc, new(buffer), true, yield)
	}
	return readError(err)
}

// Follow is ReadAll, and goes on with what is appended from then on, by any
// process. An empty batch that is Live says that only events were appended for
// which the query does not ask. Follow returns when ctx ends, when yield fails
// (its error as it is), or when the log fails or is closed
// (domain.ErrUnavailable).
func (s *SQLite) Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	sc, err := newScanner(q)
	if err != nil {
		return readError(err)
	}
	ears, every := s.bell.listen()
	defer s.bell.leave(ears)
	slow := time.NewTicker(every)
	defer slow.Stop()
	b := new(buffer)
	for first := true; ; first = false {
		if err := s.catchUp(ctx, sc, b, first, yield); err != nil {
			return readError(err)
		}
		select {
		case <-ears:
		case <-slow.C: // in case that a ring was lost
		case <-s.closing:
			return readError(errClosed)
		case <-ctx.Done():
			return readError(context.Cause(ctx))
		}
	}
}

// A yieldError is the receiver's own error, on its way back to them.
type yieldError struct{ error }

func readError(err error) error {
	switch own := err.(type) { //nolint:errorlint // never wrapped
	case nil:
		return nil
	case yieldError:
		return own.error
	}
	return fmt.Errorf("read log: %w", err)
}

// catchUp reads up to the present head. When there is nothing, it yields an
// empty batch if that is wanted.
func (s *SQLite) catchUp(ctx context.Context, sc *scanner, b *buffer, evenNothing bool, yield func(domain.Batch) error) error {
	var head domain.Position
	nothing := false
	err := s.reading(ctx, func(r *reader) (err error) {
		if head, err = r.headPosition(); err != nil {
			return err
		}
		if nothing = head <= sc.q.After; nothing {
			return nil
		}
		return sc.next(r, b, head)
	})
	switch {
	case err != nil:
		return err
	case nothing && !evenNothing:
		return nil
	case nothing:
		return give(yield, domain.Batch{Through: sc.q.After, Live: true})
	case b.Live:
		return give(yield, b.Batch)
	}
	return s.readAhead(ctx, sc, b, head, yield)
}

// readAhead yields a first batch and all up to head, and reads the next ones
// in the meantime.
func (s *SQLite) readAhead(ctx context.Context, sc *scanner, first *buffer, head domain.Position, yield func(domain.Batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	free, full := make(chan *buffer, ahead+1), make(chan *buffer, ahead+1)
	full <- first
	for range ahead {
		free <- new(buffer)
	}
	go func() {
		defer close(full)
		for err := error(nil); err == nil && sc.q.After < head; {
			select {
			case b := <-free:
				err = s.reading(ctx, func(r *reader) error { return sc.next(r, b, head) })
				b.err = err
				full <- b // has room for all buffers
			case <-ctx.Done():
				return
			}
		}
	}()
	err := yieldAll(full, free, yield)
	cancel()
	for range full { // until nobody touches the scanner any more
	}
	if err == nil && sc.q.After < head {
		err = context.Cause(ctx)
	}
	return err
}

func yieldAll(full <-chan *buffer, free chan<- *buffer, yield func(domain.Batch) error) error {
	for b := range full {
		if b.err != nil {
			return b.err
		}
		if err := give(yield, b.Batch); err != nil {
			return err
		}
		free <- b
	}
	return nil
}

func give(yield func(domain.Batch) error, b domain.Batch) error {
	if err := yield(b); err != nil {
		return yieldError{err}
	}
	return nil
}
