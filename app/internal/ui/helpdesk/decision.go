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
	sure    string // the case that is being allowed, and cannot be undone: it is asked once more
	busy    string // the case that is being decided
	first   fyne.Focusable
	turn    int  // answers to earlier questions are nobody's
	fresh   bool // something has just been asked for: it takes the focus
}

func (d *decision) key() string { return fmt.Sprint(d.denying, "|", d.sure, "|", d.busy) }

func (d *decision) forget() {
	d.denying, d.sure, d.busy, d.first, d.fresh = "", "", "", nil, false
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
		return append(all, ui.NewButton(ui.Quiet, w.T("helpdesk-case-cancel"), d.stopAsking))
	}
	if d.sure == r.Case {
		no := ui.NewButton(ui.Secondary, w.T("helpdesk-case-cancel"), d.stopAsking)
		yes := ui.NewButton(ui.Primary, w.T("helpdesk-case-erase-sure"), func() { d.approve(row) })
		no.SetEnabled(d.busy != r.Case)
		yes.SetBusy(d.busy == r.Case)
		d.first = no
		return []fyne.CanvasObject{no, yes}
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
		b := ui.NewButton(ui.Primary, w.T("helpdesk-case-approve"), func() {
			if row.Action == enrolment.Erasing {
				d.sure, d.fresh = row.Case, true
				d.redraw()
				return
			}
			d.approve(row)
		})
		b.SetBusy(d.busy == r.Case)
		all = append(all, b)
	}
	return all
}

// refocus brings the focus to what has just been asked for, once that shows.
func (d *decision) refocus() {
	if d.fresh && d.first != nil {
		d.fresh = false
		ui.Focus(d.first)
	}
}

// asks says that a question stands open: why not, or whether they are sure.
func (d *decision) asks() bool { return d.denying != "" || d.sure != "" }

func (d *decision) stopAsking() {
	d.denying, d.sure = "", ""
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
		d.busy, d.denying, d.sure = "", "", ""
		switch {
		case err == nil:
			d.done(v)
		case !d.Refused(err):
			d.failed(err)
		}
	})
}
