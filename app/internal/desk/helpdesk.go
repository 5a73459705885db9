package desk

import (
	"context"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// A Helpdesk is what staff may ask of a desk, at its station. Everything takes the id
// of a shift, and is refused with ShiftOver or NoRight where that is over or may not.
// What shows personal data is recorded before it is shown.
type Helpdesk struct{ d *Desk }

// Helpdesk returns the staff's side of a desk.
func (d *Desk) Helpdesk() *Helpdesk { return &Helpdesk{d} }

// StartShift is Desk.StartShift.
func (h *Helpdesk) StartShift(ctx context.Context, visit string) (Shift, error) {
	return h.d.StartShift(ctx, visit)
}

// KeepShift is Desk.KeepShift.
func (h *Helpdesk) KeepShift(ctx context.Context, shift string) (Shift, error) {
	return h.d.KeepShift(ctx, shift)
}

// EndShift is Desk.EndShift.
func (h *Helpdesk) EndShift(ctx context.Context, shift string) error { return h.d.EndShift(ctx, shift) }

// Board returns a window over who stands where. A search is recorded, without what was
// looked for.
func (h *Helpdesk) Board(ctx context.Context, shift string, q BoardQuery) (page BoardPage, err error) {
	err = h.d.staffed(ctx, shift, staff.SeeBoard, false, func(ctx context.Context, by Agent) error {
		if q.Search != "" {
			// It looks through everybody, whatever the scope of the board.
			if err := h.d.noteSearch(ctx, shift, by, q.Search); err != nil {
				return err
			}
		}
		page, err = h.d.Board(ctx, q)
		return err
	})
	return nothingUnless(page, err)
}

// awaitFor is how long AwaitBoard waits for something to change.
const awaitFor = 25 * time.Second

// AwaitBoard returns as soon as something on the board is another than on a page with
// the position that was seen, or after a while; and the position that is reached. It
// keeps no shift alive.
func (h *Helpdesk) AwaitBoard(ctx context.Context, shift string, seen uint64) (now uint64, err error) {
	d := h.d
	err = d.staffed(ctx, shift, staff.SeeBoard, false, func(ctx context.Context, _ Agent) error {
		ctx, cancel := context.WithTimeout(ctx, awaitFor)
		defer cancel()
		changed, stop := d.WatchBoard() //nolint:contextcheck // stop ends it
		defer stop()
		if d.Standings.Position() <= domain.Position(seen) {
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
		now = uint64(d.Standings.Position())
		return nil
	})
	return now, err
}

// Person returns what there is to see of one person, which is recorded. A window asks
// again by itself when something changed: that keeps no shift alive.
func (h *Helpdesk) Person(ctx context.Context, shift string, s domain.SubjectID) (view PersonView, err error) {
	err = h.d.staffed(ctx, shift, staff.SeePerson, false, func(ctx context.Context, by Agent) error {
		if err := h.d.noteShown(ctx, shift, by, staff.ShownPerson, s); err != nil {
			return err
		}
		view, err = h.d.PersonView(ctx, s)
		return err
	})
	return nothingUnless(view, err)
}

// Timeline returns a window over what happened to a person whose page was opened. It
// keeps no shift alive either.
func (h *Helpdesk) Timeline(ctx context.Context, shift string, s domain.SubjectID, q TimelineQuery) (page TimelinePage, err error) {
	err = h.d.staffed(ctx, shift, staff.SeePerson, false, func(ctx context.Context, by Agent) error {
		if err := h.d.noteShown(ctx, shift, by, staff.ShownPerson, s); err != nil {
			return err
		}
		page, err = h.d.Timeline(ctx, s, q)
		return err
	})
	return nothingUnless(page, err)
}

// shownScopes is what is recorded of each field that is shown.
var shownScopes = map[PersonField]staff.Scope{
	FieldEmail: staff.ShownEmail, FieldPhone: staff.ShownPhone,
}

// Reveal returns an address or a number of a person unmasked, which is recorded before.
// HR's number is not among them: it shows in the step of a case that calls somebody back.
func (h *Helpdesk) Reveal(ctx context.Context, shift string, s domain.SubjectID, f PersonField) (value string, err error) {
	err = h.d.staffed(ctx, shift, staff.RevealData, true, func(ctx context.Context, by Agent) error {
		scope, ok := shownScopes[f]
		if !ok {
			return refuse(NoRight)
		}
		if err := h.d.noteAccess(ctx, by, CallOf(ctx).command("reveal/"+shift+"/"+s.String()+"/"+string(f), 0), staff.DataShown{Scope: scope, Subject: s}); err != nil {
			return err
		}
		value, err = h.d.Reveal(ctx, s, f)
		return err
	})
	return nothingUnless(value, err)
}

// Kiosks returns which stations there are, and how they are.
func (h *Helpdesk) Kiosks(ctx context.Context, shift string) (all []Kiosk, err error) {
	err = h.d.staffed(ctx, shift, staff.SeeKiosks, false, func(ctx context.Context, _ Agent) error {
		all, err = h.d.Kiosks(ctx, time.Time{})
		return err
	})
	return nothingUnless(all, err)
}

// PlanImport says what a list of staff would change. With leavers, the list is of
// everybody.
func (h *Helpdesk) PlanImport(ctx context.Context, shift string, l StaffList, leavers bool, progress func(done, total int)) (plan ImportPlan, err error) {
	err = h.d.staffed(ctx, shift, staff.ImportRoster, true, func(ctx context.Context, by Agent) error {
		plan, err = h.d.PlanImport(ctx, l, ImportOptions{Progress: progress, By: &by, Leavers: leavers})
		return err
	})
	return plan, err // of an entry that keeps the whole from being planned, who it is
}

// Import takes the steps of a plan, as the person who signed in. It goes on for as long
// as it takes, whatever becomes of the shift: breaking off is for ctx.
func (h *Helpdesk) Import(ctx context.Context, shift string, p ImportPlan, progress func(done, total int)) (done Imported, err error) {
	err = h.d.staffed(ctx, shift, staff.ImportRoster, true, func(ctx context.Context, by Agent) error {
		p.by = by
		done, err = h.d.Import(ctx, p, progress)
		return err
	})
	return done, err
}

// nothingUnless lets nothing out beside an error.
func nothingUnless[T any](value T, err error) (T, error) {
	if err != nil {
		var nothing T
		return nothing, err
	}
	return value, nil
}
