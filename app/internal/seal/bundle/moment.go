package bundle

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// between returns the leaves [from, to) that a query asks for.
func between(ctx context.Context, src Source, q Query, size int64) (from, to int64, err error) {
	if from, err = leafAt(ctx, src, q.From, 0, size); err != nil {
		return 0, 0, err
	}
	if to, err = leafAt(ctx, src, q.To, size, size); err != nil {
		return 0, 0, err
	}
	if from >= to {
		return 0, 0, ErrNothing
	}
	return from, to, nil
}

// leafAt returns the first leaf that stands at a moment or behind it.
func leafAt(ctx context.Context, src Source, m Moment, otherwise, size int64) (int64, error) {
	position := m.Position
	switch {
	case m.IsZero():
		return otherwise, nil
	case position == 0:
		var err error
		if position, err = positionAt(ctx, src, m.At, size); err != nil {
			return 0, err
		}
	}
	var failed error
	leaf := sort.Search(int(size), func(i int) bool {
		var at uint64
		err := entries(src.Seal, int64(i), int64(i)+1, func(e proof.Entry) error { at = e.Position; return nil })
		if err != nil {
			failed = err
		}
		return at >= position
	})
	if failed != nil {
		return 0, fmt.Errorf("read the index: %w", failed)
	}
	return int64(leaf), nil
}

// errFound ends a reading that found what it was after.
var errFound = errors.New("found")

// positionAt returns the position of the first event that was recorded at or
// after a time. The index knows the day; the rest of the way is read in the log.
func positionAt(ctx context.Context, src Source, at time.Time, size int64) (uint64, error) {
	day, begin, last := proof.DayOf(at), uint64(0), uint64(0)
	err := entries(src.Seal, 0, size, func(e proof.Entry) error {
		if e.Class != proof.Before && e.Day >= day {
			begin = e.Position
			return errFound
		}
		last = e.Position
		return nil
	})
	switch {
	case err == nil:
		return last + 1, nil // all is earlier
	case !errors.Is(err, errFound):
		return 0, fmt.Errorf("read the index: %w", err)
	}
	found := uint64(0)
	err = src.Log.ReadAll(ctx, domain.Query{After: domain.Position(begin - 1)}, func(b domain.Batch) error {
		for i := range b.Events {
			if !b.Events[i].Recorded.Before(at) {
				found = uint64(b.Events[i].Position)
				return errFound
			}
			last = uint64(b.Events[i].Position)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errFound) {
		return 0, fmt.Errorf("read the log: %w", err)
	}
	if found == 0 {
		return last + 1, nil
	}
	return found, nil
}

// entries gives the entries of the leaves [from, to), in order. An error of yield
// ends it, and is among those that are returned.
func entries(s Seal, from, to int64, yield func(proof.Entry) error) error {
	return s.WriteIndex(&splitter{yield: yield}, from, to)
}

// A splitter is written an index, and gives its entries.
type splitter struct {
	rest  []byte
	yield func(proof.Entry) error
}

func (s *splitter) Write(b []byte) (int, error) {
	s.rest = append(s.rest, b...)
	all := s.rest
	for ; len(all) >= proof.EntrySize; all = all[proof.EntrySize:] {
		e, err := proof.ParseEntry(all[:proof.EntrySize])
		if err == nil {
			err = s.yield(e)
		}
		if err != nil {
			return 0, err
		}
	}
	s.rest = append(s.rest[:0], all...)
	return len(b), nil
}

// Range returns the positions of the first and of the last event that Write would
// put into a bundle, as the seal knows them: to say what is taken out before it is.
// What Write would refuse at once, it refuses, too.
// The first one is 0 where it is the checkpoint of the tree before.
func Range(ctx context.Context, src Source, q Query) (first, last uint64, err error) {
	held, ok := src.Seal.Checkpoint()
	if !ok || held.Size == 0 {
		return 0, 0, ErrUnsealed
	}
	if _, err := asked(src.Seal, held, q.Since); err != nil {
		return 0, 0, err
	}
	from, to, err := between(ctx, src, q, held.Size)
	if err != nil {
		return 0, 0, err
	}
	err = errors.Join(
		entries(src.Seal, from, from+1, func(e proof.Entry) error { first = e.Position; return nil }),
		entries(src.Seal, to-1, to, func(e proof.Entry) error { last = e.Position; return nil }),
	)
	if err != nil {
		return 0, 0, fmt.Errorf("read the index: %w", err)
	}
	return first, last, nil
}
