package desk

import (
	"context"

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
