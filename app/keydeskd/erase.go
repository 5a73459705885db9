package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

type eraseCommand struct {
	Who    string `arg:"" optional:"" name:"email|subject" help:"An e-mail address or a subject's id."`
	Reason string `help:"Why: request, of the person; retention, there is no reason to keep their data any more; or mistake, there never was." enum:"request,retention,mistake," default:"" placeholder:"REASON"`
	Due    bool   `help:"Erase nobody, and show who is due under [retention], a person a line, as NDJSON."`
	AllDue bool   `help:"Show who is due, and erase them all."`
	Yes    bool   `help:"Do not ask."`
}

// Help says what is lost, and what stays.
func (eraseCommand) Help() string {
	return "Their name, address, numbers, password and everything else that is personal is removed with the key that it was sealed with: nobody can read it any more, " +
		"and nobody can undo it. What happened, and when, stays in the log, and names nobody: there they are the subject's id. They cannot log in any more. " +
		"Whoever enrols with the address later is somebody new. Backups hold it until they are overwritten; what is put back from one is erased again.\n\n" +
		"Whoever holds the master key does this alone; it is recorded as such, and organisation.alarm is told. In the helpdesk's window an admin asks for it and an approver agrees.\n\n" +
		"Of who is due: " + recordsLooksToo
}

// Left says what is there of one that was stopped.
func (eraseCommand) Left() string {
	return "who was erased until then was told; the same command does what is left"
}

var (
	errEraseWhom   = errors.New("say whom to erase, by e-mail address or id; or --due")
	errEraseReason = errors.New("say why: --reason request, retention or mistake")
	errNotErased   = errors.New("nobody was erased: nobody said yes")
	errSomeLeft    = errors.New("not everybody was erased: see above")
)

// Validate sees that it is clear what is wanted.
func (c eraseCommand) Validate() error {
	list := c.Due || c.AllDue
	switch {
	case list && (c.Who != "" || c.Reason != "" || c.Due && c.AllDue):
		return errors.New("--due and --all-due stand alone")
	case !list && c.Who == "":
		return errEraseWhom
	case !list && c.Reason == "":
		return errEraseReason
	}
	return nil
}

func (c eraseCommand) Run(a *app) error {
	if c.Due || c.AllDue {
		return c.due(a)
	}
	return a.about(c.Who, func(h *opened, s domain.SubjectID) error {
		if !c.Yes {
			if err := a.typed(s); err != nil {
				return err
			}
		}
		if err := c.erase(a, h, s, enrolment.CaseReason(c.Reason)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.out, "\"keydeskd commitments %s\" shows that it is gone, \"keydeskd verify\" that the history is whole\n", s)
		return err
	})
}

// erase has one person erased.
func (c eraseCommand) erase(a *app, h *opened, s domain.SubjectID, why enrolment.CaseReason) error {
	view, err := h.Desk.RequestAlone(a.ctx, desk.CaseRequest{Subject: s, Action: enrolment.Erasing, Reason: why})
	h.Desk.Drain(a.ctx)
	if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.Erased {
		if err := h.Desk.Erase(a.ctx, s); err != nil { // which may have been left to do
			return err
		}
		h.NoteErased(a.ctx, s)
		_, err := fmt.Fprintf(a.out, "%s was erased already\n", s)
		return err
	}
	if err != nil {
		return err
	}
	h.NoteErased(a.ctx, s)
	_, err = fmt.Fprintf(a.out, "%s is erased (case %s)\n", s, view.Case)
	return err
}

// typed asks whoever sits at the command line to type whom they mean.
func (a *app) typed(s domain.SubjectID) error {
	fmt.Fprintf(a.errs, "This erases %s for good: nobody can read their name, address, numbers and all else that is personal any more, "+
		"and they cannot log in. What happened stays in the log, under this id.\n", s)
	line, err := a.answer("Type the id to go on: ")
	if err == nil && line != s.String() {
		err = errNotErased
	}
	return err
}

// dueLine is somebody who is due, as they are printed.
type dueLine struct {
	Subject domain.SubjectID `json:"subject"`
	Name    string           `json:"name,omitempty"`
	Email   string           `json:"email,omitempty"`
	Why     desk.DueReason   `json:"why"`
	Since   time.Time        `json:"since"`
	Role    bool             `json:"role,omitempty"` // which has to be taken from them first
}

func (c eraseCommand) due(a *app) (err error) {
	set, err := a.existing()
	if err != nil {
		return err
	}
	h, err := a.open(set, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	due, err := h.Desk.Due(a.ctx, set.Retention.Left, set.Retention.Unfinished)
	if err != nil {
		return err
	}
	out := json.NewEncoder(a.out)
	for _, d := range due {
		if err := out.Encode(dueLine{d.Subject, d.Name, d.Email, d.Why, d.Since, d.Role}); err != nil {
			return err
		}
	}
	if len(due) == 0 {
		_, err := fmt.Fprintln(a.errs, "keydeskd: nobody is due")
		return err
	}
	if c.Due {
		return nil
	}
	if !c.Yes {
		line, err := a.answer(fmt.Sprintf("Erase these %d people for good? [y/N] ", len(due)))
		if err != nil {
			return err
		}
		if !isYes(line) {
			return errNotErased
		}
	}
	left := 0
	for _, d := range due {
		if err := c.erase(a, h, d.Subject, enrolment.CaseRetention); err != nil {
			if a.ctx.Err() != nil {
				return err
			}
			left++
			fmt.Fprintf(a.errs, "%s: %v\n", d.Subject, err)
		}
	}
	if left > 0 {
		return errSomeLeft
	}
	return nil
}

type commitmentsCommand struct {
	Who  string `arg:"" name:"email|subject" help:"An e-mail address or a subject's id."`
	JSON bool   `name:"json" help:"As NDJSON, a value a line."`
}

// Help says what it proves.
func (commitmentsCommand) Help() string {
	return "The log holds no personal data: an event refers to a value in the vault, and commits to it. This opens each value that the events of a person refer to, and says whether it is " +
		"the one that was recorded: \"holds\"; \"erased\", with the person's key, for good; \"gone\", it is not there; or \"differs\", what is there is another one. It shows no value. " +
		"Exit status 1: a value is gone or differs. " + recordsLooks
}

var errValues = errors.New("not every value is the one that was recorded")

func (c commitmentsCommand) Run(a *app) error {
	return a.lookAt(c.Who, staff.ShownValues, func(h *opened, s domain.SubjectID) error {
		checks, err := h.Desk.Commitments(a.ctx, s)
		if err != nil {
			return err
		}
		print := a.valueTable
		if c.JSON {
			print = a.valueLines
		}
		if err := print(checks); err != nil {
			return err
		}
		for _, v := range checks {
			if v.State == desk.ValueGone || v.State == desk.ValueDiffers {
				return errValues
			}
		}
		return nil
	})
}

func (a *app) valueLines(checks []desk.ValueCheck) error {
	out := json.NewEncoder(a.out)
	for _, v := range checks {
		if err := out.Encode(struct {
			Position uint64          `json:"position"`
			Type     string          `json:"type"`
			Field    string          `json:"field"`
			Ref      domain.RefID    `json:"ref"`
			Version  int             `json:"version"`
			State    desk.ValueState `json:"state"`
		}(v)); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) valueTable(checks []desk.ValueCheck) error {
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	for _, v := range checks {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%d\t%s\n", v.Position, v.Type, v.Field, v.Ref, v.Version, v.State)
	}
	return table.Flush()
}
