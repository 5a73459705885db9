package desk

import (
	"context"
	"crypto/rand"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// What somebody can do at L1 who knows the password and has no use of their factor.
// Mail and password together open a case and freeze; only another proof gives a
// factor. See domain/enrolment/recover.go.

// A recovery is how far a visit has come with it.
type recovery struct {
	at    recoveryStep
	found bool                  // they have the phone again
	mail  enrolment.ChallengeID // the confirmed one
}

type recoveryStep int

const (
	notRecovering recoveryStep = iota
	atMail                     // a code by mail was asked for
	atHow                      // it was right
	atNumber                   // a code by SMS was asked for
)

func (r recovery) screen() Screen {
	switch r.at {
	case atMail:
		return ScreenRecoverMail
	case atHow:
		return ScreenRecoverHow
	case atNumber:
		return ScreenRecoverCode
	case notRecovering:
	}
	return ""
}

// WithoutPhone is for who cannot take the second step of a login: a code goes to
// their mail (ScreenRecoverMail).
func (d *Desk) WithoutPhone(ctx context.Context, id string) (View, error) {
	return d.runLogin(ctx, id, "without-phone", func(ctx context.Context, v *visit) error {
		s, err := d.state(ctx, v)
		switch {
		case err != nil:
			return err
		case v.login.in || s.Frozen != "":
			return refuse(OutOfOrder)
		}
		return d.askRecovery(ctx, v, false)
	})
}

// FoundPhone is for who reported it lost and has it again: a code by mail, then
// the factor, end the freeze.
func (d *Desk) FoundPhone(ctx context.Context, id string) (View, error) {
	return d.runLogin(ctx, id, "found-phone", func(ctx context.Context, v *visit) error {
		s, err := d.state(ctx, v)
		switch {
		case err != nil:
			return err
		case s.Frozen != enrolment.FrozenLost:
			return refuse(AccountFrozen)
		}
		return d.askRecovery(ctx, v, true)
	})
}

func (d *Desk) askRecovery(ctx context.Context, v *visit, found bool) error {
	limited, err := d.takeSend(ctx, v, enrolment.Recovering, enrolment.ByMail, v.key)
	if err != nil {
		return err
	}
	if limited {
		s, err := d.state(ctx, v)
		if err != nil {
			return err
		}
		if c := s.Codes.Recovery; c.Channel != enrolment.ByMail || !c.Open(d.Policy, d.Now()) {
			return &Refusal{Code: Limited, Wait: v.resend[enrolment.Recovering].Sub(d.Now())}
		}
		d.atMail(v, found)
		return nil
	}
	_, keyID := d.Keys.Derive(codeKey(enrolment.Recovering))
	ask := enrolment.AskRecovery{Challenge: enrolment.ChallengeID(newID()), KeyID: keyID}
	if _, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return ask, nil }); err != nil {
		return err
	}
	d.atMail(v, found)
	d.sendFor(ctx, v, enrolment.ByMail, d.code(v, enrolment.Recovering))
	return nil
}

// atMail has a visit wait for the code by mail, and follows what becomes of it.
func (d *Desk) atMail(v *visit, found bool) {
	v.login.recovery = recovery{at: atMail, found: found}
	v.login.challenge, v.login.change, v.login.limited = "", "", false
	if !v.watches {
		v.watches = true
		go v.signals.forward(d.Feed.Watch(v.subject))
	}
}

// resendRecovery sends the code once more that a recovery waits for.
func (d *Desk) resendRecovery(ctx context.Context, v *visit) error {
	s, err := d.state(ctx, v)
	if err != nil {
		return err
	}
	c := s.Codes.Recovery
	to, kind := v.key, KindEmail
	if c.Channel == enrolment.BySMS {
		kind = KindPhone
		if to, err = d.open(ctx, v.subject, kind, c.To); err != nil {
			return err
		}
	}
	return d.reissue(ctx, v, enrolment.Recovering, c.Channel, to)
}

// ConfirmRecovery brings that code (then ScreenRecoverHow), or the one from the SMS
// (ScreenRecoverCode; then ScreenAccount, and SMS is the factor).
func (d *Desk) ConfirmRecovery(ctx context.Context, id, code string) (View, error) {
	return d.runLogin(ctx, id, "confirm-recovery", func(ctx context.Context, v *visit) error {
		in := v.login
		number := in.recovery.at == atNumber
		if !number && in.recovery.at != atMail {
			return refuse(OutOfOrder)
		}
		s, events, err := d.do(ctx, v, d.guess(v, enrolment.Recovering, code, func(c enrolment.ChallengeID, ok bool) enrolment.Command {
			if number {
				return enrolment.RecoverNumber{Challenge: c, Matches: ok}
			}
			return enrolment.ConfirmRecovery{Challenge: c, Matches: ok}
		}))
		if err != nil {
			return err
		}
		if err := d.rejected(s, events); err != nil {
			return err
		}
		if !recorded[enrolment.CodeConfirmed](events) || number != recorded[enrolment.FactorChosen](events) {
			return refuse(OutOfOrder)
		}
		if number {
			in.recovery = recovery{}
			d.verifiedNumber(ctx, v.subject, enrolment.Recovering, s.Codes.Recovery.ID, s.Phone.Ref)
			d.notify(v.subject, "recovered "+string(s.Codes.Recovery.ID), Message{Kind: SMSChosenMessage}, enrolment.ByMail, enrolment.BySMS)
			d.logIn(v)
			return nil
		}
		d.report(d.Limits.Clear(ctx, d.perAddress(enrolment.Recovering, v.key)[0]))
		in.recovery.at, in.recovery.mail = atHow, s.Codes.Recovery.ID
		if !in.recovery.found {
			return nil
		}
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		if err := d.ask(ctx, v, r, provesFound); err != nil {
			in.recovery.at = atMail // and the same call goes on from here
			return err
		}
		in.recovery.at = notRecovering
		return nil
	})
}

// found ends the freeze of somebody who has proved the factor.
func (d *Desk) found(ctx context.Context, v *visit) error {
	by := d.stamp(v, commandFor(v.look(), v.login.challenge)) // of a look, perhaps, which is no call
	_, events, err := d.actOn(ctx, v.subject, by, func(r record) (enrolment.Command, error) {
		if err := d.judge(v, r); err != nil {
			return nil, err
		}
		return enrolment.FoundPhone{Mail: v.login.recovery.mail}, nil
	})
	if err != nil {
		return err
	}
	v.login.recovery = recovery{}
	if recorded[enrolment.AccountUnfrozen](events) {
		d.notify(v.subject, occasionOf(by.Command), Message{Kind: UnfrozenMessage}, enrolment.ByMail, enrolment.BySMS)
	}
	return nil
}

// ReportPhone says what became of the phone. Lost and stolen freeze the account
// (ScreenFrozen); new sends a code by SMS (ScreenRecoverCode).
func (d *Desk) ReportPhone(ctx context.Context, id string, loss PhoneLoss) (View, error) {
	return d.runLogin(ctx, id, "report-phone", func(ctx context.Context, v *visit) error {
		in := v.login
		if in.recovery.at != atHow {
			return refuse(OutOfOrder)
		}
		s, err := d.state(ctx, v)
		if err != nil {
			return err
		}
		report := enrolment.ReportPhone{Case: newCase(), Mail: in.recovery.mail}
		switch loss {
		case LostPhone:
			report.Reason = enrolment.CaseLost
		case StolenPhone:
			report.Reason = enrolment.CaseStolen
		case NewPhone:
			return d.reportNew(ctx, v, s, report)
		default:
			return refuse(OutOfOrder)
		}
		own := v.call.next()
		s, events, err := d.doIn(ctx, v, func(enrolment.State) (enrolment.Command, error) { return report, nil })
		if err != nil {
			return err
		}
		in.recovery, in.challenge = recovery{}, ""
		if recorded[enrolment.AccountFrozen](events) {
			d.tellFrozen(v.subject, occasionOf(own), Frozen(s.Frozen), string(s.Case.ID))
		}
		return nil
	})
}

// reportNew sends a code to the number of somebody who has another phone.
func (d *Desk) reportNew(ctx context.Context, v *visit, s enrolment.State, report enrolment.ReportPhone) error {
	number, err := d.open(ctx, v.subject, KindPhone, s.Phone.Ref)
	if err != nil {
		return err
	}
	limited, err := d.takeSend(ctx, v, enrolment.Recovering, enrolment.BySMS, number)
	if err != nil {
		return err
	}
	if limited {
		return &Refusal{Code: Limited, Wait: v.resend[enrolment.Recovering].Sub(d.Now())}
	}
	report.Reason, report.Challenge = enrolment.CaseNew, enrolment.ChallengeID(newID())
	_, report.KeyID = d.Keys.Derive(codeKey(enrolment.Recovering))
	if _, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return report, nil }); err != nil {
		return err
	}
	v.login.recovery.at = atNumber
	d.sendFor(ctx, v, enrolment.BySMS, d.code(v, enrolment.Recovering))
	return nil
}

// newCase returns the name of a case: eight characters that are easy to read aloud.
func newCase() enrolment.CaseID {
	const letters = "23456789ACEFHKLMNPRTWX"
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return enrolment.CaseID(string(b[:4]) + "-" + string(b[4:]))
}
