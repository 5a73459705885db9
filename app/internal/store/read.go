package store

import (
	"context"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A long reading takes the log in stretches of a batch each, which the lanes
// read in turn, each on a connection of its own: SQLite's reading is most of
// the work, and one connection works on one processor at a time. So many
// batches of each lane may wait for the receiver.
const (
	lanes = 2
	ahead = 2
)

// ReadAll gives what a query asks for, up to the last event at the moment of
// the call or Query.Until, in batches. The last of them is Live, and may be empty.
// Batches are read ahead while yield works. An error of yield ends the reading and is
// returned as it is.
func (s *SQLite) ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	sc, err := newScanner(q, s.ages)
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
	q.Until = 0
	sc, err := newScanner(q, s.ages)
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
		if sc.q.Until > 0 {
			head = min(head, sc.q.Until)
		}
		if nothing = head <= sc.q.After; nothing {
			return nil
		}
		return sc.next(r, b, min(head, sc.q.After+batchPositions))
	})
	switch {
	case err != nil:
		return err
	case nothing && !evenNothing:
		return nil
	case nothing:
		return give(yield, domain.Batch{Through: sc.q.After}, sc.q.After)
	case sc.q.After == head:
		return give(yield, b.Batch, head)
	}
	return s.readAhead(ctx, sc, b, head, yield)
}

// readAhead yields a first batch and all up to head, and reads the next ones
// in the meantime.
func (s *SQLite) readAhead(ctx context.Context, sc *scanner, first *buffer, head domain.Position, yield func(domain.Batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var ls [lanes]*lane
	for i := range ls {
		ls[i] = newLane(sc)
		go ls[i].run(ctx, s, sc.q.After+domain.Position(i)*batchPositions, head)
	}
	err := give(yield, first.Batch, head)
	for i := 0; err == nil && sc.q.After < head; i++ {
		err = ls[i%lanes].yieldStretch(ctx, sc, head, yield)
	}
	cancel()
	for _, l := range ls {
		for range l.full { // until it reads no more
		}
	}
	return err
}

// A lane reads every so many'th stretch of the log.
type lane struct {
	sc         scanner
	free, full chan *buffer
}

func newLane(sc *scanner) *lane {
	l := &lane{
		sc:   scanner{q: sc.q, types: sc.types, ages: sc.ages},
		free: make(chan *buffer, ahead), full: make(chan *buffer, ahead),
	}
	for range ahead {
		l.free <- new(buffer)
	}
	return l
}

// run reads the lane's stretches: the first begins after a position, the next
// ones where the other lanes' stretches after it end.
func (l *lane) run(ctx context.Context, s *SQLite, after, head domain.Position) {
	defer close(l.full)
	for ; after < head; after += lanes * batchPositions {
		until := min(head, after+batchPositions)
		for l.sc.q.After = after; l.sc.q.After < until; {
			select {
			case b := <-l.free:
				b.err = s.reading(ctx, func(r *reader) error { return l.sc.next(r, b, until) })
				failed := b.err != nil
				l.full <- b // has room for all buffers
				if failed {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// yieldStretch yields what the lane has read of the stretch after the
// scanner's position, and moves the scanner on.
func (l *lane) yieldStretch(ctx context.Context, sc *scanner, head domain.Position, yield func(domain.Batch) error) error {
	until := min(head, sc.q.After+batchPositions)
	for sc.q.After < until {
		b, ok := <-l.full
		switch {
		case !ok:
			return context.Cause(ctx)
		case b.err != nil:
			return b.err
		}
		if err := give(yield, b.Batch, head); err != nil {
			return err
		}
		sc.q.After = b.Through
		l.free <- b
	}
	return nil
}

// give yields a batch of a reading up to head.
func give(yield func(domain.Batch) error, b domain.Batch, head domain.Position) error {
	b.Live = b.Through == head
	if err := yield(b); err != nil {
		return yieldError{err}
	}
	return nil
}
