package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/history"
	"github.com/keydesk/keydesk/projections/progress"
)

type factorCommand struct {
	Who string `arg:"" name:"email|subject" help:"An e-mail address or a subject's id."`
}

// Help says what is remembered of it.
func (factorCommand) Help() string { return recordsLooks }

func (c factorCommand) Run(a *app) error {
	return a.lookAt(c.Who, staff.ShownPerson, func(h *opened, s domain.SubjectID) error {
		answer := h.Factors.Lookup(s)
		var since *time.Time
		if !answer.Since.IsZero() {
			since = &answer.Since
		}
		return json.NewEncoder(a.out).Encode(struct {
			Subject  domain.SubjectID `json:"subject"`
			Factor   string           `json:"factor"`
			State    string           `json:"state"`
			Since    *time.Time       `json:"since"`
			Revision domain.Revision  `json:"revision"`
			Position domain.Position  `json:"position"`
			Demo     bool             `json:"demo,omitempty"`
		}{s, string(answer.Factor), answer.State.String(), since, answer.Revision, answer.Position, h.Demo})
	})
}

// A timeOrDay is a moment: RFC 3339, a time as clocks here show it, or the beginning of a
// day here.
type timeOrDay struct{ time.Time }

func (t *timeOrDay) UnmarshalText(b []byte) (err error) {
	if t.Time, err = time.Parse(time.RFC3339, string(b)); err == nil {
		return nil
	}
	for _, form := range []string{time.DateOnly, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t.Time, err = time.ParseInLocation(form, string(b), time.Local); err == nil {
			return nil
		}
	}
	return errors.New("neither a time such as 2026-11-23T09:30:00Z, or 2026-11-23T10:30 here, nor a day such as 2026-11-23")
}

type historyCommand struct {
	Who      string `arg:"" name:"email|subject" help:"An e-mail address or a subject's id."`
	Language string `help:"nl or en." enum:"nl,en" default:"nl"`
}

// Help says what is remembered of it.
func (historyCommand) Help() string { return recordsLooks }

func (c historyCommand) Run(a *app) error {
	return a.lookAt(c.Who, staff.ShownPerson, func(h *opened, s domain.SubjectID) error {
		events, err := h.Log.ReadStream(a.ctx, domain.EnrolmentStream(s), 0)
		if err != nil {
			return err
		}
		logins, err := h.Log.ReadStream(a.ctx, login.Stream(s), 0)
		if err != nil {
			return err
		}
		words := i18n.New(c.Language)
		table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
		for _, e := range history.Whole(events, logins) {
			fmt.Fprintf(table, "%s\t%s\t%s\n", e.Recorded.Local().Format(time.DateTime), oneWord(e.Station), sentence(words, e.Message, e.Params))
		}
		return table.Flush()
	})
}

type progressCommand struct{}

// Help says what is remembered of it.
func (progressCommand) Help() string {
	return "Where somebody is stuck, and shown by their id: " + recordsLooksToo
}

func (progressCommand) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	type stuck struct {
		Subject       domain.SubjectID      `json:"subject"`
		Step          enrolment.Step        `json:"step"`
		Since         time.Time             `json:"since"`
		Locked        bool                  `json:"locked,omitempty"`
		Undeliverable enrolment.Undelivered `json:"undeliverable,omitempty"`
		Frozen        bool                  `json:"frozen,omitempty"`
		Unknown       bool                  `json:"unknown,omitempty"`
	}
	counts := h.Board.Counts()
	answer := struct {
		People  int                    `json:"people"`
		Waiting int                    `json:"waiting"`
		Gone    int                    `json:"gone"` // left before they began
		Erased  int                    `json:"erased"`
		AtStep  map[enrolment.Step]int `json:"atStep"`
		Frozen  int                    `json:"frozen"`
		Unknown int                    `json:"unknown"`
		Stuck   []stuck                `json:"stuck"`
	}{counts.People, counts.Waiting, counts.Gone, counts.Erased, map[enrolment.Step]int{}, 0, counts.Parked, []stuck{}}
	for step := enrolment.StepEmail; step <= enrolment.StepDone; step++ {
		answer.AtStep[step] = counts.At[step]
	}
	h.Board.Each(func(p progress.Person) bool {
		if p.Frozen {
			answer.Frozen++
		}
		if p.Stuck() {
			answer.Stuck = append(answer.Stuck, stuck{p.Subject, p.Step, p.Since, p.Locked, p.Undeliverable, p.Frozen, p.Parked})
		}
		return true
	})
	if len(answer.Stuck) > 0 {
		if err := a.noteListing(h.Desk); err != nil {
			return err
		}
	}
	return json.NewEncoder(a.out).Encode(answer)
}

// about opens the home, and does something about whom is meant.
func (a *app) about(who string, do func(h *opened, s domain.SubjectID) error) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	s, err := a.person(h, who)
	if err != nil {
		return err
	}
	return do(h, s)
}

// person returns who is meant, if this home knows them.
func (a *app) person(h *opened, who string) (domain.SubjectID, error) {
	s, err := h.Desk.Subject(a.ctx, who)
	if errors.Is(err, domain.ErrNotFound) || err == nil && h.Factors.Lookup(s).State == factor.Nobody {
		return s, errNobody
	}
	return s, err
}

type freezeCommand struct {
	Who    string `arg:"" name:"email|subject" help:"An e-mail address or a subject's id."`
	Reason string `help:"Why: suspicion, lost, stolen or left." enum:"suspicion,lost,stolen,left" default:"suspicion"`
}

// Help says what it does.
func (freezeCommand) Help() string {
	return "From now on no factor of this person counts: the login service is told \"frozen\", and they are told by mail and SMS. " +
		"What staff have asked for and not carried out yet is stopped."
}

func (c freezeCommand) Run(a *app) error {
	return a.about(c.Who, func(h *opened, s domain.SubjectID) error {
		changed, err := h.Desk.Freeze(a.ctx, s, enrolment.CaseReason(c.Reason))
		h.Desk.Drain(a.ctx)
		if err != nil {
			return err
		}
		says := "%s is frozen\n"
		if !changed {
			says = "%s was frozen already\n"
		}
		_, err = fmt.Fprintf(a.out, says, s)
		return err
	})
}

type unfreezeCommand struct {
	Who      string   `arg:"" name:"email|subject" help:"An e-mail address or a subject's id."`
	Reason   string   `help:"Why it was frozen: not-me, lost or stolen; or mistake." enum:"not-me,lost,stolen,mistake" default:"mistake"`
	Remote   bool     `help:"The person is not there. Then it waits for a day after it was approved."`
	Evidence []string `help:"How you know who it is: id-document, staff-pass or known-in-person; with --remote called-back."`
	Ticket   string   `help:"The number in your own ticket system."`
	Alone    bool     `help:"Without a second person, because there is none. It is recorded as such, and organisation.alarm is told."`
}

// Help says what has to be sure before, and what comes after.
func (unfreezeCommand) Help() string {
	return "Make sure of whom you speak with first: call back to the number that HR has, or see the person. " +
		"A second person has to approve it within an hour: another member of staff, and not this command line, which is one person. " +
		"Then the person enrols anew behind their e-mail address, with a new password, a number and a factor; the phone that was paired counts no more. " +
		"Where a ticket is asked for, invite them after it."
}

func (c unfreezeCommand) Run(a *app) error {
	return a.about(c.Who, func(h *opened, s domain.SubjectID) error {
		if c.Alone {
			changed, err := h.Desk.Unfreeze(a.ctx, s, enrolment.CaseReason(c.Reason))
			h.Desk.Drain(a.ctx)
			if err != nil {
				return err
			}
			says := "%s can enrol anew\n"
			if !changed {
				says = "%s is not frozen\n"
			}
			_, err = fmt.Fprintf(a.out, says, s)
			return err
		}
		view, err := h.Desk.RequestCase(a.ctx, desk.Console(), desk.CaseRequest{
			Subject: s, Action: enrolment.Unfreezing, Reason: enrolment.CaseReason(c.Reason), Evidence: evidence(c.Evidence), Remote: c.Remote, Ticket: c.Ticket,
		})
		h.Desk.Drain(a.ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "case %s: another member of staff has to approve it before %s\n", view.Case, view.Expires.Local().Format(time.DateTime))
		return err
	})
}

type unlockCommand struct {
	Who string `arg:"" name:"email|subject" help:"An e-mail address or a subject's id."`
}

func (c unlockCommand) Run(a *app) error {
	return a.about(c.Who, func(h *opened, s domain.SubjectID) error {
		if err := h.Desk.Unlock(a.ctx, s); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.out, "%s can type codes again\n", s)
		return err
	})
}
