package ledger

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/keydesk/keydesk/domain"
)

// A Log is read from a position on; see feed.Log.
type Log interface {
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
}

const (
	// near is how many positions of a log may lie between two rows that are read in one go.
	near = 64
	// atATime is how many readings run at once: with a log on a server, each waits for it.
	atATime = 8
)

// Read returns the events of some rows, in the order of the rows and with metadata. Of
// one that the log gives no longer the Position is 0. The events are the caller's own.
func Read(ctx context.Context, log Log, rows ...Row) ([]domain.Recorded, error) {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if rows[a].Position < rows[b].Position {
			return -1
		}
		return 1
	})
	events := make([]domain.Recorded, len(rows))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turns := make(chan struct{}, atATime)
	for len(order) > 0 && ctx.Err() == nil {
		n := 1 // so many of them in one go
		for n < len(order) && rows[order[n]].Before <= rows[order[n-1]].Position+near {
			n++
		}
		turns <- struct{}{}
		go func(order []int) {
			defer func() { <-turns }()
			if err := read(ctx, log, rows, order, events); err != nil {
				cancel(err)
			}
		}(order[:n])
		order = order[n:]
	}
	for range atATime { // until the last one is done
		turns <- struct{}{}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return events, nil
}

// read reads a run of rows into their places.
func read(ctx context.Context, log Log, rows []Row, order []int, events []domain.Recorded) error {
	q := domain.Query{After: rows[order[0]].Before, Until: rows[order[len(order)-1]].Position, Metadata: true}
	err := log.ReadAll(ctx, q, func(b domain.Batch) error {
		for _, e := range b.Events {
			for len(order) > 0 && rows[order[0]].Position < e.Position {
				order = order[1:]
			}
			for ; len(order) > 0 && rows[order[0]].Position == e.Position; order = order[1:] {
				own := e
				own.Data, own.Metadata = bytes.Clone(e.Data), bytes.Clone(e.Metadata)
				events[order[0]] = own
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read events of the ledger: %w", err)
	}
	return nil
}
