package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

type caseCommands struct {
	List     caseListCommand     `cmd:"" help:"Show what waits for a second person or for its time, a case a line, as NDJSON."`
	Show     caseShowCommand     `cmd:"" help:"Show what became of a case, as JSON."`
	Request  caseRequestCommand  `cmd:"" help:"Ask for something to be done to somebody's account."`
	Approve  caseApproveCommand  `cmd:"" help:"Approve a case that somebody else asked for."`
	Deny     caseDenyCommand     `cmd:"" help:"Let a case come to nothing."`
	CarryOut caseCarryOutCommand `cmd:"" help:"Do what was approved, once its time has come. A running Keydesk does so by itself."`
	Ticket   caseTicketCommand   `cmd:"" help:"Show the ticket of a case, for somebody to type in the place of their old password."`
	Stop     caseStopCommand     `cmd:"" help:"Stop a case, for whoever it is about and reads the code of it to you."`
}

var errNoCase = errors.New("no such case is open")

// cases opens the home, with the cases that staff have open.
func (a *app) cases(do func(h *opened) error) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	stop, err := h.FollowCases(a.ctx)
	if err != nil {
		return err
	}
	defer stop()
	defer h.Desk.Drain(a.ctx)
	return do(h)
}

// openCase opens the home, and does something about a case that is open.
func (a *app) openCase(id string, do func(h *opened, s domain.SubjectID) error) error {
	return a.cases(func(h *opened) error {
		open, err := h.Desk.OpenCases(a.ctx)
		if err != nil {
			return err
		}
		for _, c := range open {
			if c.Case == id {
				return do(h, c.Subject)
			}
		}
		return errNoCase
	})
}

// shownCase is a case as it is printed.
type shownCase struct {
	Case      string               `json:"case"`
	Subject   domain.SubjectID     `json:"subject"`
	Action    enrolment.Action     `json:"action"`
	Reason    enrolment.CaseReason `json:"reason"`
	Evidence  []enrolment.Evidence `json:"evidence,omitempty"`
	Remote    bool                 `json:"remote"`
	Alone     bool                 `json:"alone,omitempty"`
	Stage     desk.CaseStage       `json:"stage"`
	By        string               `json:"by"`
	Second    string               `json:"second,omitempty"`
	Denial    enrolment.Denial     `json:"denial,omitempty"`
	Stop      enrolment.Stop       `json:"stop,omitempty"`
	Asked     time.Time            `json:"asked"`
	Expires   time.Time            `json:"expires,omitzero"`
	NotBefore time.Time            `json:"notBefore,omitzero"`
	Until     time.Time            `json:"until,omitzero"`
	Ticket    string               `json:"ticket,omitempty"` // the number in the helpdesk's own system
}

func (a *app) printCase(v desk.CaseView, ticket string) error {
	return json.NewEncoder(a.out).Encode(shownCase{
		v.Case, v.Subject, v.Action, v.Reason, v.Evidence, v.Remote, v.Alone, v.Stage, v.By, v.Second, v.Denial, v.Stop,
		v.Asked, v.Expires, v.NotBefore, v.Until, ticket,
	})
}

type caseListCommand struct{}

// Help says what is remembered of it.
func (caseListCommand) Help() string { return recordsLooks }

func (caseListCommand) Run(a *app) error {
	return a.cases(func(h *opened) error {
		open, err := h.Desk.OpenCases(a.ctx)
		if len(open) > 0 {
			if err := a.noteListing(h.Desk); err != nil {
				return err
			}
		}
		for _, c := range open {
			err = errors.Join(err, a.printCase(c, ""))
		}
		return err
	})
}

type caseShowCommand struct {
	Who  string `arg:"" name:"email|subject" help:"Whom it is about: an e-mail address or a subject's id."`
	Case string `arg:"" help:"The case."`
}

// Help says what is remembered of it.
func (caseShowCommand) Help() string { return recordsLooks }

func (c caseShowCommand) Run(a *app) error {
	return a.lookAt(c.Who, staff.ShownPerson, func(h *opened, s domain.SubjectID) error {
		view, err := h.Desk.Case(a.ctx, s, c.Case)
		if err != nil {
			return err
		}
		ticket, err := h.Desk.CaseTicket(a.ctx, s, c.Case)
		if err != nil {
			return err
		}
		return a.printCase(view, ticket)
	})
}

type caseRequestCommand struct {
	Who      string   `arg:"" name:"email|subject" help:"Whom it is about: an e-mail address or a subject's id."`
	Action   string   `arg:"" help:"What: resend, correct-number, revoke-pocket, reset, unlock, ticket or erase; see also freeze and unfreeze." enum:"resend,correct-number,revoke-pocket,freeze,unfreeze,reset,unlock,ticket,erase"`
	Reason   string   `required:"" help:"Why; which reasons there are depends on what."`
	Remote   bool     `help:"The person is not there. Then it waits for a day after it was approved."`
	Evidence []string `help:"How you know who it is: id-document, staff-pass or known-in-person; with --remote called-back."`
	Ticket   string   `help:"The number in your own ticket system."`
	Phone    string   `help:"The number, for correct-number."`
	Alone    bool     `help:"Without a second person, because there is none. It is recorded as such, and organisation.alarm is told."`
}

// Help says what comes after.
func (caseRequestCommand) Help() string {
	return "What only makes things stricter, or sends a code again, is done at once. All else has to be approved by a second person within an hour: " +
		"another member of staff, and not this command line, which is one person. The person is told of it by mail and SMS, with a code that stops it."
}

func (c caseRequestCommand) Run(a *app) error {
	return a.about(c.Who, func(h *opened, s domain.SubjectID) error {
		request := desk.CaseRequest{
			Subject: s, Action: enrolment.Action(c.Action), Reason: enrolment.CaseReason(c.Reason), Evidence: evidence(c.Evidence),
			Remote: c.Remote, Ticket: c.Ticket, Phone: c.Phone,
		}
		var view desk.CaseView
		var err error
		if c.Alone {
			view, err = h.Desk.RequestAlone(a.ctx, request)
		} else {
			view, err = h.Desk.RequestCase(a.ctx, desk.Console(), request)
		}
		h.Desk.Drain(a.ctx)
		if err != nil {
			return err
		}
		return a.printCase(view, c.Ticket)
	})
}

func evidence(codes []string) []enrolment.Evidence {
	var all []enrolment.Evidence
	for _, c := range codes {
		all = append(all, enrolment.Evidence(c))
	}
	return all
}

type caseApproveCommand struct {
	Case string `arg:"" help:"The case."`
}

// Help says what comes after.
func (caseApproveCommand) Help() string {
	return "Not a case that was asked for here: this command line is one person. Where the person was there it is done at once, else a day later."
}

func (c caseApproveCommand) Run(a *app) error {
	return a.openCase(c.Case, func(h *opened, s domain.SubjectID) error {
		view, err := h.Desk.ApproveCase(a.ctx, desk.Console(), s, c.Case)
		if err != nil {
			return err
		}
		return a.printCase(view, "")
	})
}

type caseDenyCommand struct {
	Case   string `arg:"" help:"The case."`
	Reason string `help:"Why: unproved, mistake or not-needed." enum:"unproved,mistake,not-needed" required:""`
}

func (c caseDenyCommand) Run(a *app) error {
	return a.openCase(c.Case, func(h *opened, s domain.SubjectID) error {
		view, err := h.Desk.DenyCase(a.ctx, desk.Console(), s, c.Case, enrolment.Denial(c.Reason))
		if err != nil {
			return err
		}
		return a.printCase(view, "")
	})
}

type caseCarryOutCommand struct {
	Case string `arg:"" help:"The case."`
}

func (c caseCarryOutCommand) Run(a *app) error {
	return a.openCase(c.Case, func(h *opened, s domain.SubjectID) error {
		view, err := h.Desk.CarryOut(a.ctx, s, c.Case)
		if err != nil {
			return err
		}
		return a.printCase(view, "")
	})
}

type caseTicketCommand struct {
	Who  string `arg:"" name:"email|subject" help:"Whom it is for: an e-mail address or a subject's id."`
	Case string `arg:"" help:"The case that was asked for or approved here."`
}

// Help says what is remembered of it.
func (caseTicketCommand) Help() string { return recordsLooks }

func (c caseTicketCommand) Run(a *app) error {
	return a.about(c.Who, func(h *opened, s domain.SubjectID) error {
		ticket, err := h.Desk.Ticket(a.ctx, desk.Console(), s, c.Case)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.out, ticket)
		return err
	})
}

type caseStopCommand struct {
	Code string `arg:"" help:"The code from the message: 12 characters, however they are grouped."`
}

func (c caseStopCommand) Run(a *app) error {
	return a.cases(func(h *opened) error {
		if err := h.Desk.StopCase(a.ctx, c.Code); err != nil {
			return err
		}
		_, err := fmt.Fprintln(a.out, "stopped")
		return err
	})
}
