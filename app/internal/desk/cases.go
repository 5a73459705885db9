package desk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// What staff do to somebody's account; see domain/enrolment/case.go. Here is what that
// takes from the vault, and who is told.

// A CaseRequest is what a member of staff asks for.
type CaseRequest struct {
	Subject  domain.SubjectID
	Case     string // from NewCase, where something was shown for it already; empty: a new one
	Action   enrolment.Action
	Reason   enrolment.CaseReason
	Evidence []enrolment.Evidence // enrolment.Claims; what Keydesk saw itself is added
	Ticket   string               // the number in the helpdesk's own system, up to 100 characters; may be empty
	Remote   bool                 // the person is not there
	Phone    string               // enrolment.CorrectingNumber: as typed
}

// caseForm is what a case is called.
var caseForm = regexp.MustCompile(`^[2-9A-Z]{4}-[2-9A-Z]{4}$`)

// NewCase names a case that is about to be asked for, so that what is shown for it can
// say so.
func (d *Desk) NewCase() string { return string(newCase()) }

// RequestCase asks for an action, or does it where it needs nobody else: see the view's
// stage. The person is told of what needs a second one, with what stops it.
func (d *Desk) RequestCase(ctx context.Context, by Agent, r CaseRequest) (CaseView, error) {
	view, err := d.requestCase(ctx, by, r, false)
	return view, d.refusal(err)
}

// RequestAlone is RequestCase without the second person that an action needs: for whoever
// has the master key, where nobody else is left. It is recorded as such, and alarms.
func (d *Desk) RequestAlone(ctx context.Context, r CaseRequest) (CaseView, error) {
	view, err := d.requestCase(ctx, Console(), r, true)
	return view, d.refusal(err)
}

func (d *Desk) requestCase(ctx context.Context, by Agent, r CaseRequest, alone bool) (CaseView, error) {
	stamp := d.staffStamp(ctx, by, "request-case", r.Subject)
	if r.Case == "" {
		r.Case = d.NewCase()
	}
	if !caseForm.MatchString(r.Case) {
		return CaseView{}, refuse(NoCase)
	}
	_, keyID := d.Keys.Derive(stopKey)
	c := enrolment.RequestCase{
		Case: enrolment.CaseID(r.Case), Subject: r.Subject, Action: r.Action, Reason: r.Reason, Evidence: r.Evidence,
		Remote: r.Remote, Alone: alone, KeyID: keyID,
	}
	before, err := d.load(ctx, r.Subject)
	if err != nil {
		return CaseView{}, err
	}
	mine, _, err := before.own(stamp.Command)
	if err != nil {
		return CaseView{}, err
	}
	if len(mine) == 0 {
		if err := d.fillRequest(ctx, by, stamp, r, before, &c); err != nil {
			return CaseView{}, err
		}
	}
	_, events, err := d.actOn(ctx, r.Subject, stamp, func(rec record) (enrolment.Command, error) {
		if _, twice := caseOf(rec, c.Case); twice {
			return nil, enrolment.ErrCaseOpen
		}
		return c, d.mayErase(ctx, r.Subject, r.Action)
	})
	if err != nil {
		return CaseView{}, err
	}
	view, err := d.requested(ctx, r.Subject, stamp, events)
	return view, errors.Join(err, d.erasedBy(ctx, r.Subject, events))
}

// fillRequest adds what an action takes from the vault, and counts what it sends. Nothing
// is kept or counted for what would be refused anyway.
func (d *Desk) fillRequest(ctx context.Context, by Agent, stamp domain.Stamp, r CaseRequest, rec record, c *enrolment.RequestCase) error {
	ticket := strings.Join(strings.Fields(r.Ticket), " ")
	if !utf8.ValidString(ticket) || utf8.RuneCountInString(ticket) > 100 || strings.ContainsFunc(ticket, unicode.IsControl) {
		return refuse(TicketUnusable)
	}
	var number enrolment.Number
	var resend codeOut
	var err error
	switch r.Action {
	case enrolment.Resending:
		resend = d.awaited(rec.state)
		c.Resend = resend.Reissue
	case enrolment.CorrectingNumber:
		if number, err = d.Policy.ParsePhone(r.Phone); err != nil {
			return err
		}
		c.Phone = enrolment.Phone{Ref: domain.Ref{Version: -1}, Source: enrolment.FromSelf, Country: number.Country}
	case enrolment.Freezing, enrolment.Unlocking, enrolment.RevokingPocket, enrolment.Unfreezing, enrolment.Resetting, enrolment.IssuingTicket,
		enrolment.Erasing:
	}
	if _, err := d.Policy.Decide(rec.state, *c, stamp); err != nil {
		return err
	}
	if err := d.calledBack(ctx, by, r); err != nil {
		return err
	}
	switch r.Action { //nolint:exhaustive // as above
	case enrolment.Resending:
		if err := d.countAgain(ctx, r.Subject, resend); err != nil {
			return err
		}
	case enrolment.CorrectingNumber:
		if c.Phone, err = d.phoneRef(ctx, r.Subject, rec.state, number); err != nil {
			return err
		}
	}
	if ticket != "" {
		c.Ticket, err = d.put(ctx, r.Subject, KindTicket, []byte(ticket))
	}
	return err
}

// calledBack refuses the claim of a call back by whom the number was not shown to for this
// case: a number that the caller gave is none to call back.
func (d *Desk) calledBack(ctx context.Context, by Agent, r CaseRequest) error {
	if by.Subject.IsZero() || !slices.Contains(r.Evidence, enrolment.CalledBack) {
		return nil // the command line shows no numbers
	}
	looks, err := d.Log.ReadStream(ctx, staff.AccessStream(by.Subject), 0)
	if err != nil {
		return fmt.Errorf("read what %s looked at: %w", by.Subject, err)
	}
	for _, rec := range looks {
		a, err := staff.DecodeAccess(rec.Type, rec.Data)
		if shown, ok := a.(staff.DataShown); err == nil && ok && shown.Scope == staff.ShownHRNumber && shown.Subject == r.Subject && shown.Case == r.Case {
			return nil
		}
	}
	return enrolment.ErrNoEvidence
}

// A codeOut is a code that somebody waits for, and how it travels.
type codeOut struct {
	enrolment.Reissue
	channel enrolment.Channel
	kind    Kind
	to      domain.Ref
}

// awaited says which code somebody waits for now: that of the mail, also of who comes back
// to go on, until it was typed; then that to the number.
func (d *Desk) awaited(st enrolment.State) codeOut {
	out := codeOut{enrolment.Reissue{Purpose: enrolment.ConfirmingEmail}, enrolment.ByMail, KindEmail, st.Codes.Email.To}
	if !st.Given.Ref.IsZero() && (st.Codes.Email.Used || st.Chosen() != enrolment.NoFactor) {
		out = codeOut{enrolment.Reissue{Purpose: enrolment.VerifyingPhone}, enrolment.BySMS, KindPhone, st.Given.Ref}
		if st.Chosen() != enrolment.NoFactor {
			out.Purpose = enrolment.ChangingPhone
		}
	}
	out.Challenge = enrolment.ChallengeID(newID())
	_, out.KeyID = d.Keys.Derive(codeKey(out.Purpose))
	return out
}

// countAgain counts a code that is sent again against its limits.
func (d *Desk) countAgain(ctx context.Context, s domain.SubjectID, out codeOut) error {
	address, err := d.open(ctx, s, out.kind, out.to)
	if err != nil {
		return err
	}
	next, allowed, err := d.countSend(ctx, out.Purpose, out.channel, address, d.station)
	if err == nil && !allowed {
		err = &Refusal{Code: Limited, Wait: max(0, next.Sub(d.Now()))}
	}
	return err
}

// ApproveCase is the second person's word. In person the action is done with it, from
// afar a day later: see the view's stage. CaseLapsed: too late.
func (d *Desk) ApproveCase(ctx context.Context, by Agent, s domain.SubjectID, id string) (CaseView, error) {
	approve := enrolment.ApproveCase{Case: enrolment.CaseID(id), Subject: s}
	return d.decideCase(ctx, s, d.staffStamp(ctx, by, "approve-case/"+id, s), approve, approve.Case)
}

// DenyCase lets a case come to nothing: any other member of staff may, and who asked.
func (d *Desk) DenyCase(ctx context.Context, by Agent, s domain.SubjectID, id string, why enrolment.Denial) (CaseView, error) {
	deny := enrolment.DenyCase{Case: enrolment.CaseID(id), Subject: s, Reason: why}
	return d.decideCase(ctx, s, d.staffStamp(ctx, by, "deny-case/"+id, s), deny, deny.Case)
}

// decideCase has a command about an open case decided, and tells the person.
func (d *Desk) decideCase(ctx context.Context, s domain.SubjectID, stamp domain.Stamp, c enrolment.Command, id enrolment.CaseID) (CaseView, error) {
	_, events, err := d.act(ctx, s, stamp, func(st enrolment.State) (enrolment.Command, error) {
		if _, approves := c.(enrolment.ApproveCase); approves {
			return c, d.mayErase(ctx, s, st.Request.Action)
		}
		return c, nil
	})
	if err == nil {
		err = d.erasedBy(ctx, s, events)
	}
	if err != nil {
		return CaseView{}, d.refusal(err)
	}
	r, err := d.load(ctx, s)
	if err != nil {
		return CaseView{}, d.refusal(err)
	}
	view, _ := caseOf(r, id)
	before, err := r.before(stamp.Command)
	if err != nil {
		return view, d.refusal(err)
	}
	asked, _ := r.asked(id)
	for _, e := range events {
		switch e := e.(type) { //nolint:gochecksumtype // those of a case
		case enrolment.RecoveryExpired:
			return view, refuse(CaseLapsed)
		case enrolment.RecoveryApproved:
			if wait := e.NotBefore.Sub(stamp.At); wait > 0 {
				d.tellCase(s, before, asked, CaseApprovedMessage, wait)
			}
		case enrolment.RecoveryCompleted:
			if e.Case == id {
				d.tellCase(s, before, asked, CaseDoneMessage, 0)
			}
		case enrolment.RecoveryStopped:
			if e.Reason == enrolment.StoppedByPerson {
				d.alarmCase(CaseStoppedAlarm, "stopped "+s.String()+" "+string(id), string(id))
			}
		}
	}
	return view, nil
}

// staffStamp says that a member of staff does something to somebody. Whoever asks for the
// same again under the same call finds what was recorded then.
func (d *Desk) staffStamp(ctx context.Context, by Agent, useCase string, s domain.SubjectID) domain.Stamp {
	return d.agentStamp(by, CallOf(ctx).command(useCase+"/"+by.actor().ID+"/"+s.String(), 0))
}

// Freeze is for somebody at the server's command line: no factor counts from now on.
// False: it is frozen already.
func (d *Desk) Freeze(ctx context.Context, s domain.SubjectID, why enrolment.CaseReason) (bool, error) {
	_, err := d.requestCase(ctx, Console(), CaseRequest{Subject: s, Action: enrolment.Freezing, Reason: why}, false)
	if errors.Is(err, enrolment.ErrPointless) {
		return false, nil
	}
	return err == nil, err
}

// Unfreeze is for somebody at the server's command line who has no second person, and has
// made sure of whom they speak with: the account counts again, and the person enrols anew
// behind the e-mail address, with a new password. False: it was not frozen.
func (d *Desk) Unfreeze(ctx context.Context, s domain.SubjectID, why enrolment.CaseReason) (bool, error) {
	_, err := d.requestCase(ctx, Console(), CaseRequest{Subject: s, Action: enrolment.Unfreezing, Reason: why}, true)
	if errors.Is(err, enrolment.ErrPointless) {
		return false, nil
	}
	return err == nil, err
}
