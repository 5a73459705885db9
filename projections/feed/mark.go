package feed

import (
	"context"
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// ErrSnapshot says that a snapshot cannot be gone on from: replay from the start.
var ErrSnapshot = fold.ErrSnapshot

// Mark is the event up to which a snapshot was folded.
type Mark = fold.Mark

// EventAt returns the id of the enrolment event at a position, to mark a
// snapshot with; of none, at position 0, the zero id. The error is
// domain.ErrNotFound when no such event stands there.
func EventAt(ctx context.Context, log Log, at domain.Position) (id domain.EventID, err error) {
	if at == 0 {
		return id, nil
	}
	found := false
	q := domain.Query{After: at - 1, Prefix: domain.EnrolmentPrefix, Metadata: true}
	err = log.ReadAll(ctx, q, func(b domain.Batch) error {
		if len(b.Events) == 0 {
			return nil
		}
		if e := &b.Events[0]; e.Position == at {
			id, found = e.ID, true
		}
		return errEnough
	})
	switch {
	case found:
		return id, nil
	case err == nil || errors.Is(err, errEnough):
		err = domain.ErrNotFound
	}
	return id, fmt.Errorf("read event at position %d: %w", at, err)
}

// Check says whether a snapshot with this mark was folded from this log:
// ErrSnapshot means that it was not.
func Check(ctx context.Context, log Log, m Mark) error {
	id, err := EventAt(ctx, log, m.Position)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return fmt.Errorf("%w: the log does not reach so far: %w", ErrSnapshot, err)
	case err != nil:
		return err
	case id != m.Event:
		return fmt.Errorf("%w: the log holds another event at position %d", ErrSnapshot, m.Position)
	}
	return nil
}
