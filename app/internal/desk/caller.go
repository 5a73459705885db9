package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
)

// Whoever calls staff proves a factor that still works: with SMS they read a code aloud,
// with Pocket they type six digits on the phone that staff read to them. What Keydesk saw
// so is evidence for one case; see enrolment.RequestCase.

// CallerState is how far that is.
type CallerState string

// The states.
const (
	CallerAsked  CallerState = "asked"
	CallerProved CallerState = "proved"
	CallerEnded  CallerState = "ended" // without; ask again
)

// A CallerView is what staff see of it.
type CallerView struct {
	State     CallerState
	Factor    enrolment.Factor
	Challenge string        // Pocket: to look again with
	Digits    string        // Pocket: six, to read to the caller
	Left      time.Duration // CallerAsked: until it ends by itself
	Tries     int           // SMS: guesses that are left
	Delivery  Delivery      // SMS: what became of the message
}

// provesCaller is what a second step proves that is asked for by staff.
const provesCaller Change = "caller"

// AskCaller has somebody on the phone prove their factor. AccountFrozen, OutOfOrder:
// they have none that works.
func (d *Desk) AskCaller(ctx context.Context, by Agent, s domain.SubjectID) (CallerView, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return CallerView{}, d.refusal(err)
	}
	stamp := d.staffStamp(ctx, by, "ask-caller", s)
	if r.state.Chosen() == enrolment.Pocket {
		view, err := d.askCallersPhone(ctx, s, r, stamp)
		return view, d.loginRefusal(err)
	}
	_, keyID := d.Keys.Derive(codeKey(enrolment.VerifyingCaller))
	ask := enrolment.AskCaller{Subject: s, Challenge: enrolment.ChallengeID(newID()), KeyID: keyID}
	mine, _, err := r.own(stamp.Command)
	if err == nil && len(mine) == 0 {
		if _, err = d.Policy.Decide(r.state, ask, stamp); err == nil {
			err = d.countAgain(ctx, s, codeOut{
				enrolment.Reissue{Purpose: enrolment.VerifyingCaller}, enrolment.BySMS, KindPhone, r.state.Phone.Ref,
			})
		}
	}
	if err != nil {
		return CallerView{}, d.refusal(err)
	}
	st, _, err := d.act(ctx, s, stamp, func(enrolment.State) (enrolment.Command, error) { return ask, nil })
	if err != nil {
		return CallerView{}, d.refusal(err)
	}
	d.sendAgain(s, stamp, enrolment.VerifyingCaller, st.Language)
	return d.callerView(st), nil
}

// callerView is what is known of the code that was sent to a caller.
func (d *Desk) callerView(s enrolment.State) CallerView {
	c, now := s.Codes.Caller, d.Now()
	view := CallerView{
		State: CallerEnded, Factor: enrolment.SMS, Tries: max(0, d.Policy.WrongCodes-c.Wrong), Delivery: delivery(c.Sends, c.Failed),
	}
	switch {
	case s.Caller.By != "" && !now.After(s.Caller.Until):
		view.State = CallerProved
	case c.Open(d.Policy, now):
		view.State, view.Left = CallerAsked, c.Expires.Sub(now)
	}
	return view
}

// ConfirmCaller brings the code that a caller read aloud.
func (d *Desk) ConfirmCaller(ctx context.Context, by Agent, s domain.SubjectID, code string) (CallerView, error) {
	stamp := d.staffStamp(ctx, by, "confirm-caller", s)
	if stamp.Actor.ID == "" || stamp.Actor.ID == s.String() {
		return CallerView{}, refuse(OwnAccount)
	}
	st, events, err := d.act(ctx, s, stamp, d.guessOf(s, enrolment.VerifyingCaller, code, func(c enrolment.ChallengeID, ok bool) enrolment.Command {
		return enrolment.ConfirmCaller{Challenge: c, Matches: ok}
	}))
	if err == nil {
		err = d.rejected(st, events)
	}
	if err != nil {
		return CallerView{}, d.refusal(err)
	}
	d.verifiedNumber(ctx, s, enrolment.VerifyingCaller, st.Codes.Caller.ID, st.Phone.Ref)
	return d.callerView(st), nil
}

func (d *Desk) askCallersPhone(ctx context.Context, s domain.SubjectID, r record, stamp domain.Stamp) (CallerView, error) {
	if stamp.Actor.ID == "" || stamp.Actor.ID == s.String() {
		return CallerView{}, enrolment.ErrOwnAccount
	}
	st, err := d.challenge(ctx, s, r, d.here(), login.Change(provesCaller), stamp)
	if err != nil {
		return CallerView{}, err
	}
	return d.callersPhone(s, st)
}

// callersPhone is what is known of a phone that was asked.
func (d *Desk) callersPhone(s domain.SubjectID, st login.State) (CallerView, error) {
	c := st.Open
	view := CallerView{State: CallerEnded, Factor: enrolment.Pocket, Challenge: string(c.ID)}
	if d.ended(c) != "" {
		return view, nil
	}
	var err error
	view.State, view.Left = CallerAsked, max(0, c.Expires.Sub(d.Now()))
	view.Digits, err = d.loginCode(s, c)
	return view, err
}

// Caller looks again how far it is: with Pocket it takes what the phone has approved.
// The challenge is that of AskCaller.
func (d *Desk) Caller(ctx context.Context, by Agent, s domain.SubjectID, challenge string) (CallerView, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return CallerView{}, d.refusal(err)
	}
	if challenge == "" || r.state.Caller.By == enrolment.ProvedPocket && !d.Now().After(r.state.Caller.Until) {
		view := d.callerView(r.state)
		if r.state.Caller.By == enrolment.ProvedPocket {
			view.Factor = enrolment.Pocket
		}
		return view, nil
	}
	logins, err := d.loadLogins(ctx, s)
	if err != nil {
		return CallerView{}, d.refusal(err)
	}
	c := logins.state.Open
	switch {
	case c.ID != enrolment.ChallengeID(challenge) || c.Change != login.Change(provesCaller):
		return CallerView{State: CallerEnded, Factor: enrolment.Pocket}, nil
	case c.Stage != login.Approved && c.Stage != login.Succeeded:
		view, err := d.callersPhone(s, logins.state)
		return view, d.refusal(err)
	}
	view, err := d.takeCaller(ctx, by, s, c)
	return view, d.loginRefusal(err)
}

// takeCaller records that a caller approved on their phone.
func (d *Desk) takeCaller(ctx context.Context, by Agent, s domain.SubjectID, c login.Challenge) (CallerView, error) {
	stamp := d.staffStamp(ctx, by, "caller", s)
	stamp.Command = commandFor(Call(s).command("caller", 0), c.ID) // whoever looks, it is taken once
	if stamp.Actor.ID == "" || stamp.Actor.ID == s.String() {
		return CallerView{}, enrolment.ErrOwnAccount
	}
	taken, err := d.redeem(ctx, s, c.ID, d.here(), stamp)
	if errors.Is(err, login.ErrOver) || errors.Is(err, login.ErrGiven) || isRefusalOf(err, LoginStale) {
		return CallerView{State: CallerEnded, Factor: enrolment.Pocket}, nil
	}
	if err != nil {
		return CallerView{}, fmt.Errorf("take the caller's approval: %w", err)
	}
	proved := enrolment.CallerApproved{Subject: s, Challenge: taken.ID, Device: taken.Device}
	if _, _, err := d.act(ctx, s, stamp, func(enrolment.State) (enrolment.Command, error) { return proved, nil }); err != nil {
		return CallerView{}, err
	}
	return CallerView{State: CallerProved, Factor: enrolment.Pocket}, nil
}
