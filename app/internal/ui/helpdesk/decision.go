package helpdesk

import (
	"context"
	"fmt"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// A decision is what whoever looks does about an open case: they allow it, or let it come
// to nothing and say why. Who asked takes it back.
type decision struct {
	around

	desk   Cases
	while  func() context.Context // the page shows
	redraw func()
	done   func(desk.CaseView)
	failed func(error)

	denying string // the case that is being denied: why is asked
	busy    string // the case that is being decided
	first   fyne.Focusable
	turn    int  // answers to earlier questions are nobody's
	fresh   bool // the reasons have just been asked for: they take the focus
}

func (d *decision) key() string { return fmt.Sprint(d.denying, d.busy) }

func (d *decision) forget() {
	d.denying, d.busy, d.first, d.fresh = "", "", nil, false
	d.turn++
}

// mayApprove says whether whoever looks may be the second person.
func mayApprove(s desk.Shift, r *desk.CaseRow) bool {
	return r.Stage == desk.CaseWaiting && !r.Mine && r.Subject != s.Subject && s.May(staff.ApproveCase)
}

// mayEnd says whether whoever looks may let it come to nothing.
func mayEnd(s desk.Shift, r *desk.CaseRow) bool {
	return r.Subject != s.Subject && (r.Mine && s.May(rightFor(r.Action)) || s.May(staff.ApproveCase))
}

// buttons are what whoever looks can do about a case.
func (d *decision) buttons(w words, r *desk.CaseRow) []fyne.CanvasObject {
	s, row := d.SignedIn(), *r
	if d.denying == r.Case {
		whys := enrolment.Denials()
		if r.Mine {
			whys = []enrolment.Denial{enrolment.DeniedMistake, enrolment.DeniedNotNeeded}
		}
		all := []fyne.CanvasObject{}
		for i, why := range whys {
			b := ui.NewButton(ui.Small, w.T("helpdesk-case-deny-"+string(why)), func() { d.deny(row, why) })
			b.SetBusy(d.busy == r.Case)
			if all = append(all, b); i == 0 {
				d.first = b
			}
		}
		return append(all, ui.NewButton(ui.Quiet, w.T("helpdesk-case-cancel"), d.stopDenying))
	}
	var all []fyne.CanvasObject
	if mayEnd(s, r) {
		id := "helpdesk-case-deny"
		if r.Mine {
			id = "helpdesk-case-withdraw"
		}
		b := ui.NewButton(ui.Secondary, w.T(id), func() {
			d.denying, d.fresh = row.Case, true
			d.redraw()
		})
		b.SetEnabled(d.busy != r.Case)
		all = append(all, b)
	}
	if mayApprove(s, r) {
		b := ui.NewButton(ui.Primary, w.T("helpdesk-case-approve"), func() { d.approve(row) })
		b.SetBusy(d.busy == r.Case)
		all = append(all, b)
	}
	return all
}

// refocus brings the focus to the reasons that have just been asked for, once they show.
func (d *decision) refocus() {
	if d.fresh && d.first != nil {
		d.fresh = false
		ui.Focus(d.first)
	}
}

func (d *decision) stopDenying() {
	d.denying = ""
	d.redraw()
}

func (d *decision) approve(r desk.CaseRow) {
	shift := d.SignedIn().ID
	d.decide(r, func(ctx context.Context) (desk.CaseView, error) {
		return d.desk.ApproveCase(ctx, shift, r.Subject, r.Case)
	})
}

func (d *decision) deny(r desk.CaseRow, why enrolment.Denial) {
	shift := d.SignedIn().ID
	d.decide(r, func(ctx context.Context) (desk.CaseView, error) {
		return d.desk.DenyCase(ctx, shift, r.Subject, r.Case, why)
	})
}

func (d *decision) decide(r desk.CaseRow, do func(context.Context) (desk.CaseView, error)) {
	if d.busy != "" {
		return
	}
	d.busy = r.Case
	turn := d.turn
	d.redraw()
	ui.Work(d.while(), do, func(v desk.CaseView, err error) {
		if turn != d.turn {
			return
		}
		d.busy, d.denying = "", ""
		switch {
		case err == nil:
			d.done(v)
		case !d.Refused(err):
			d.failed(err)
		}
	})
}
