package desk

import (
	"context"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// A CaseRow is an open case as staff see it. It holds names and is not to be kept.
type CaseRow struct {
	CaseView

	Name       string // of whom it is about; empty: not known
	Team       string
	ByName     string // of who asked
	SecondName string // of who approved
	Mine       bool   // whoever looks asked for it
}

// rightFor is what it takes to ask for an action.
func rightFor(a enrolment.Action) staff.Right {
	switch {
	case a == enrolment.Erasing:
		return staff.RequestErasure
	case a.Second():
		return staff.RequestCase
	}
	return staff.HelpPerson
}

// NewCase names a case that is about to be asked for; see Desk.NewCase.
func (h *Helpdesk) NewCase(ctx context.Context, shift string) (id string, err error) {
	err = h.d.staffed(ctx, shift, staff.RequestCase, true, func(context.Context, Agent) error {
		id = h.d.NewCase()
		return nil
	})
	return nothingUnless(id, err)
}

// RequestCase asks for an action on a person, or does it where it needs nobody else.
func (h *Helpdesk) RequestCase(ctx context.Context, shift string, r CaseRequest) (view CaseView, err error) {
	err = h.d.staffedOn(ctx, shift, rightFor(r.Action), r.Subject, func(ctx context.Context, by Agent) error {
		view, err = h.d.RequestCase(ctx, by, r)
		return err
	})
	return nothingUnless(view, err)
}

// ApproveCase is the second person's word: neither who asked nor whom it is about.
func (h *Helpdesk) ApproveCase(ctx context.Context, shift string, s domain.SubjectID, id string) (view CaseView, err error) {
	err = h.d.staffedOn(ctx, shift, staff.ApproveCase, s, func(ctx context.Context, by Agent) error {
		view, err = h.d.ApproveCase(ctx, by, s, id)
		return err
	})
	return nothingUnless(view, err)
}

// DenyCase lets a case come to nothing: an approver may, and who asked for it.
func (h *Helpdesk) DenyCase(ctx context.Context, shift string, s domain.SubjectID, id string, why enrolment.Denial) (view CaseView, err error) {
	right := staff.ApproveCase
	if asked, err := h.d.Case(ctx, s, id); err == nil {
		if open, _, err := h.d.shift(shift, false); err == nil && asked.By == open.subject.String() {
			right = rightFor(asked.Action)
		}
	}
	err = h.d.staffedOn(ctx, shift, right, s, func(ctx context.Context, by Agent) error {
		view, err = h.d.DenyCase(ctx, by, s, id, why)
		return err
	})
	return nothingUnless(view, err)
}

// OpenCases returns what waits for a second person or for its time, the oldest first, with
// the names of those whom it is about. One's own account is not among them.
func (h *Helpdesk) OpenCases(ctx context.Context, shift string) (rows []CaseRow, err error) {
	d := h.d
	err = d.staffed(ctx, shift, staff.SeePerson, false, func(ctx context.Context, by Agent) error {
		open, err := d.OpenCases(ctx)
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, c := range open {
			if c.Subject == by.Subject {
				continue
			}
			row := CaseRow{CaseView: c, Mine: c.By == by.Subject.String()}
			r, err := d.load(ctx, c.Subject)
			if err != nil {
				return err
			}
			if whole, ok := caseOf(r, enrolment.CaseID(c.Case)); ok {
				row.CaseView = whole // with what it stands on
			}
			e, err := d.findable(ctx, c.Subject, r.state)
			if err != nil {
				return err
			}
			row.Name, row.Team = e.Name, e.Team
			if row.ByName, err = d.agentName(ctx, names, c.By); err != nil {
				return err
			}
			if row.SecondName, err = d.agentName(ctx, names, c.Second); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return nothingUnless(rows, err)
}

// agentName returns what an actor of staff is called; empty: the console, or nobody any
// more.
func (d *Desk) agentName(ctx context.Context, known map[string]string, id string) (string, error) {
	if name, ok := known[id]; ok {
		return name, nil
	}
	s, err := domain.ParseSubjectID(id)
	if err != nil {
		return "", nil //nolint:nilerr // the console has no name
	}
	r, err := d.load(ctx, s)
	if err != nil {
		return "", err
	}
	name, err := d.open(ctx, s, KindName, r.state.Name)
	known[id] = name
	return name, err
}

// Ticket returns the ticket that a case has issued, for whoever asked for it or approved
// it; that is recorded.
func (h *Helpdesk) Ticket(ctx context.Context, shift string, s domain.SubjectID, id string) (ticket string, err error) {
	err = h.d.staffedOn(ctx, shift, staff.SeePerson, s, func(ctx context.Context, by Agent) error {
		ticket, err = h.d.Ticket(ctx, by, s, id)
		return err
	})
	return nothingUnless(ticket, err)
}

// AskCaller has somebody on the phone prove their factor.
func (h *Helpdesk) AskCaller(ctx context.Context, shift string, s domain.SubjectID) (view CallerView, err error) {
	err = h.d.staffedOn(ctx, shift, staff.HelpPerson, s, func(ctx context.Context, by Agent) error {
		view, err = h.d.AskCaller(ctx, by, s)
		return err
	})
	return nothingUnless(view, err)
}

// ConfirmCaller brings the code that a caller read aloud.
func (h *Helpdesk) ConfirmCaller(ctx context.Context, shift string, s domain.SubjectID, code string) (view CallerView, err error) {
	err = h.d.staffedOn(ctx, shift, staff.HelpPerson, s, func(ctx context.Context, by Agent) error {
		view, err = h.d.ConfirmCaller(ctx, by, s, code)
		return err
	})
	return nothingUnless(view, err)
}

// Caller looks again how far it is.
func (h *Helpdesk) Caller(ctx context.Context, shift string, s domain.SubjectID, challenge string) (view CallerView, err error) {
	err = h.d.staffed(ctx, shift, staff.HelpPerson, false, func(ctx context.Context, by Agent) error {
		if by.Subject == s {
			return refuse(OwnAccount)
		}
		view, err = h.d.Caller(ctx, by, s, challenge)
		return err
	})
	return nothingUnless(view, err)
}

// ShowHRNumber returns the number that HR has of somebody, to call them back in a case.
func (h *Helpdesk) ShowHRNumber(ctx context.Context, shift string, s domain.SubjectID, id string) (view PhoneView, err error) {
	err = h.d.staffedOn(ctx, shift, staff.RequestCase, s, func(ctx context.Context, by Agent) error {
		view, err = h.d.ShowHRNumber(ctx, by, s, id)
		return err
	})
	return nothingUnless(view, err)
}
