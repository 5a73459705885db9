package remote

import (
	"context"
	"fmt"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// What staff ask at a station that is a desk. The server knows who has signed in there
// and what they may do; a station alone may nothing of this.

// onShift wraps a use case of staff. What only looks is not kept for who asks again: it
// holds personal data of others, and is as good when it is read anew.
func onShift(looks bool, do func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error)) useCase {
	return useCase{
		kinds: []station.Kind{station.Desk}, watches: looks,
		do: func(ctx context.Context, _ *Handler, s session, a ask) (answer, error) {
			return do(ctx, s.desk.Helpdesk(), a)
		},
	}
}

// staffCases is all that staff may ask for at a station that is a desk.
var staffCases = map[string]useCase{
	"start-shift": onShift(false, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		return shiftAnswer(h.StartShift(ctx, a.Visit))
	}),
	"keep-shift": onShift(true, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		return shiftAnswer(h.KeepShift(ctx, a.Shift))
	}),
	"end-shift": onShift(false, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		return answer{}, h.EndShift(ctx, a.Shift)
	}),
	"board": onShift(true, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		if a.Board == nil {
			return answer{Barred: station.WasMalformed}, nil
		}
		page, err := h.Board(ctx, a.Shift, *a.Board)
		return answer{Board: &page}, err
	}),
	"await-board": onShift(true, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		now, err := h.AwaitBoard(ctx, a.Shift, a.Seen)
		return answer{Seen: now}, err
	}),
	"person": onPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		view, err := h.Person(ctx, a.Shift, whom)
		return answer{Person: &view}, err
	}),
	"timeline": onPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		if a.Timeline == nil {
			return answer{Barred: station.WasMalformed}, nil
		}
		page, err := h.Timeline(ctx, a.Shift, whom, *a.Timeline)
		return answer{Timeline: &page}, err
	}),
	"reveal": onPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		value, err := h.Reveal(ctx, a.Shift, whom, desk.PersonField(a.Field))
		return answer{Text: value}, err
	}),
	"new-case": onShift(false, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		id, err := h.NewCase(ctx, a.Shift)
		return answer{Text: id}, err
	}),
	"request-case": onShift(false, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		if a.Action == nil {
			return answer{Barred: station.WasMalformed}, nil
		}
		return caseAnswer(h.RequestCase(ctx, a.Shift, *a.Action))
	}),
	"approve-case": toPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		return caseAnswer(h.ApproveCase(ctx, a.Shift, whom, a.Case))
	}),
	"deny-case": toPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		return caseAnswer(h.DenyCase(ctx, a.Shift, whom, a.Case, enrolment.Denial(a.Why)))
	}),
	"open-cases": onShift(true, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		rows, err := h.OpenCases(ctx, a.Shift)
		return answer{Cases: rows}, err
	}),
	"case-ticket": onPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		ticket, err := h.Ticket(ctx, a.Shift, whom, a.Case)
		return answer{Text: ticket}, err
	}),
	"ask-caller": toPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		return callerAnswer(h.AskCaller(ctx, a.Shift, whom))
	}),
	"confirm-caller": toPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		return callerAnswer(h.ConfirmCaller(ctx, a.Shift, whom, a.Code))
	}),
	"caller": onPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		return callerAnswer(h.Caller(ctx, a.Shift, whom, a.Challenge))
	}),
	"hr-number": onPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		number, err := h.ShowHRNumber(ctx, a.Shift, whom, a.Case)
		return answer{Number: &number}, err
	}),
	"assist": toPerson(func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error) {
		v, err := h.Assist(ctx, a.Shift, whom, a.Lang)
		return answer{View: &v}, err
	}),
	"kiosks": onShift(true, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		all, err := h.Kiosks(ctx, a.Shift)
		return answer{Kiosks: all}, err
	}),
}

func shiftAnswer(s desk.Shift, err error) (answer, error) { return answer{Shift: &s}, err }

func caseAnswer(v desk.CaseView, err error) (answer, error) { return answer{CaseView: &v}, err }

func callerAnswer(v desk.CallerView, err error) (answer, error) { return answer{Caller: &v}, err }

// onPerson is onShift for a look at one person, and toPerson for what is done to one.
func onPerson(do func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error)) useCase {
	return ofPerson(true, do)
}

func toPerson(do func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error)) useCase {
	return ofPerson(false, do)
}

func ofPerson(looks bool, do func(ctx context.Context, h *desk.Helpdesk, a ask, whom domain.SubjectID) (answer, error)) useCase {
	return onShift(looks, func(ctx context.Context, h *desk.Helpdesk, a ask) (answer, error) {
		whom, err := domain.ParseSubjectID(a.Subject)
		if err != nil {
			return answer{Barred: station.WasMalformed}, nil
		}
		return do(ctx, h, a, whom)
	})
}

// A Helpdesk is desk.Helpdesk at a server. It may be used concurrently.
type Helpdesk struct{ c *Client }

// Helpdesk returns the staff's side of a desk at a server.
func (c *Client) Helpdesk() *Helpdesk { return &Helpdesk{c} }

// got returns what an answer holds; a server that says nothing and refuses nothing does
// not do as ours.
func got[T any](c *Client, useCase string, value *T, err error) (T, error) {
	var nothing T
	switch {
	case err != nil:
		return nothing, err
	case value == nil:
		return nothing, c.fault(true, fmt.Errorf("%s: %w", useCase, errMalformed))
	}
	return *value, nil
}

// StartShift makes a member of staff of somebody who has logged in.
func (h *Helpdesk) StartShift(ctx context.Context, visit string) (desk.Shift, error) {
	a, err := h.c.ask(ctx, "start-shift", ask{Visit: visit})
	return got(h.c, "start-shift", a.Shift, err)
}

// KeepShift says that somebody is at the window.
func (h *Helpdesk) KeepShift(ctx context.Context, shift string) (desk.Shift, error) {
	a, err := h.c.ask(ctx, "keep-shift", ask{Shift: shift})
	return got(h.c, "keep-shift", a.Shift, err)
}

// EndShift signs somebody out.
func (h *Helpdesk) EndShift(ctx context.Context, shift string) error {
	_, err := h.c.ask(ctx, "end-shift", ask{Shift: shift})
	return err
}

// Board returns a window over who stands where.
func (h *Helpdesk) Board(ctx context.Context, shift string, q desk.BoardQuery) (desk.BoardPage, error) {
	a, err := h.c.ask(ctx, "board", ask{Shift: shift, Board: &q})
	return got(h.c, "board", a.Board, err)
}

// AwaitBoard returns when something on the board has changed, or after a while, and the
// position that is reached.
func (h *Helpdesk) AwaitBoard(ctx context.Context, shift string, seen uint64) (uint64, error) {
	a, err := h.c.ask(ctx, "await-board", ask{Shift: shift, Seen: seen})
	return a.Seen, err
}

// Person returns what there is to see of one person.
func (h *Helpdesk) Person(ctx context.Context, shift string, s domain.SubjectID) (desk.PersonView, error) {
	a, err := h.c.ask(ctx, "person", ask{Shift: shift, Subject: s.String()})
	return got(h.c, "person", a.Person, err)
}

// Timeline returns a window over what happened to them.
func (h *Helpdesk) Timeline(ctx context.Context, shift string, s domain.SubjectID, q desk.TimelineQuery) (desk.TimelinePage, error) {
	a, err := h.c.ask(ctx, "timeline", ask{Shift: shift, Subject: s.String(), Timeline: &q})
	return got(h.c, "timeline", a.Timeline, err)
}

// Reveal returns an address or a number unmasked.
func (h *Helpdesk) Reveal(ctx context.Context, shift string, s domain.SubjectID, f desk.PersonField) (string, error) {
	a, err := h.c.ask(ctx, "reveal", ask{Shift: shift, Subject: s.String(), Field: string(f)})
	return a.Text, err
}

// Kiosks returns which stations there are, and how they are.
func (h *Helpdesk) Kiosks(ctx context.Context, shift string) ([]desk.Kiosk, error) {
	a, err := h.c.ask(ctx, "kiosks", ask{Shift: shift})
	return a.Kiosks, err
}

// NewCase names a case that is about to be asked for.
func (h *Helpdesk) NewCase(ctx context.Context, shift string) (string, error) {
	a, err := h.c.ask(ctx, "new-case", ask{Shift: shift})
	return a.Text, err
}

// RequestCase asks for an action on a person.
func (h *Helpdesk) RequestCase(ctx context.Context, shift string, r desk.CaseRequest) (desk.CaseView, error) {
	a, err := h.c.ask(ctx, "request-case", ask{Shift: shift, Action: &r})
	return got(h.c, "request-case", a.CaseView, err)
}

// ApproveCase is the second person's word.
func (h *Helpdesk) ApproveCase(ctx context.Context, shift string, s domain.SubjectID, id string) (desk.CaseView, error) {
	a, err := h.c.ask(ctx, "approve-case", ask{Shift: shift, Subject: s.String(), Case: id})
	return got(h.c, "approve-case", a.CaseView, err)
}

// DenyCase lets a case come to nothing.
func (h *Helpdesk) DenyCase(ctx context.Context, shift string, s domain.SubjectID, id string, why enrolment.Denial) (desk.CaseView, error) {
	a, err := h.c.ask(ctx, "deny-case", ask{Shift: shift, Subject: s.String(), Case: id, Why: string(why)})
	return got(h.c, "deny-case", a.CaseView, err)
}

// OpenCases returns what waits for a second person or for its time.
func (h *Helpdesk) OpenCases(ctx context.Context, shift string) ([]desk.CaseRow, error) {
	a, err := h.c.ask(ctx, "open-cases", ask{Shift: shift})
	return a.Cases, err
}

// Ticket returns the ticket that a case has issued.
func (h *Helpdesk) Ticket(ctx context.Context, shift string, s domain.SubjectID, id string) (string, error) {
	a, err := h.c.ask(ctx, "case-ticket", ask{Shift: shift, Subject: s.String(), Case: id})
	return a.Text, err
}

// AskCaller has somebody on the phone prove their factor.
func (h *Helpdesk) AskCaller(ctx context.Context, shift string, s domain.SubjectID) (desk.CallerView, error) {
	a, err := h.c.ask(ctx, "ask-caller", ask{Shift: shift, Subject: s.String()})
	return got(h.c, "ask-caller", a.Caller, err)
}

// ConfirmCaller brings the code that a caller read aloud.
func (h *Helpdesk) ConfirmCaller(ctx context.Context, shift string, s domain.SubjectID, code string) (desk.CallerView, error) {
	a, err := h.c.ask(ctx, "confirm-caller", ask{Shift: shift, Subject: s.String(), Code: code})
	return got(h.c, "confirm-caller", a.Caller, err)
}

// Caller looks again how far it is.
func (h *Helpdesk) Caller(ctx context.Context, shift string, s domain.SubjectID, challenge string) (desk.CallerView, error) {
	a, err := h.c.ask(ctx, "caller", ask{Shift: shift, Subject: s.String(), Challenge: challenge})
	return got(h.c, "caller", a.Caller, err)
}

// ShowHRNumber returns the number that HR has of somebody, to call them back in a case.
func (h *Helpdesk) ShowHRNumber(ctx context.Context, shift string, s domain.SubjectID, id string) (desk.PhoneView, error) {
	a, err := h.c.ask(ctx, "hr-number", ask{Shift: shift, Subject: s.String(), Case: id})
	return got(h.c, "hr-number", a.Number, err)
}

// Assist begins the enrolment of somebody who sits beside whoever has signed in.
func (h *Helpdesk) Assist(ctx context.Context, shift string, whom domain.SubjectID, lang string) (desk.View, error) {
	return h.c.visit(ctx, "assist", ask{Shift: shift, Subject: whom.String(), Lang: lang})
}

// PlanImport is not for stations: a list of everybody is imported where the log and the
// vault are.
func (h *Helpdesk) PlanImport(context.Context, string, desk.StaffList, bool, func(done, total int)) (desk.ImportPlan, error) {
	return desk.ImportPlan{}, &desk.Refusal{Code: desk.NotHere}
}

// Import is refused as PlanImport is.
func (h *Helpdesk) Import(context.Context, string, desk.ImportPlan, func(done, total int)) (desk.Imported, error) {
	return desk.Imported{}, &desk.Refusal{Code: desk.NotHere}
}
