package desk

import (
	"context"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// GivePhone says which number to use (E5), and has a code sent to it. The view
// then says Sending, until it is known what became of the message.
func (d *Desk) GivePhone(ctx context.Context, id, typed string) (View, error) {
	return d.with(ctx, id, "give-phone", func(ctx context.Context, v *visit) error {
		if v.unlocked.IsZero() {
			return refuse(OutOfOrder)
		}
		number, err := d.Policy.ParsePhone(typed)
		if err != nil {
			return err
		}
		s, err := d.state(ctx, v)
		if err != nil {
			return err
		}
		phone, err := d.phoneRef(ctx, v.subject, s, number)
		if err != nil {
			return err
		}
		if s.Phone == phone && s.Given.Ref.IsZero() {
			return nil // verified already; the person only went back to look
		}
		limited, err := d.takeSend(ctx, v, enrolment.VerifyingPhone, enrolment.BySMS, number.E164)
		if err != nil {
			return err
		}
		if limited && (s.Given != phone || !s.Codes.Phone.Open(d.Policy, d.Now())) {
			return &Refusal{Code: Limited, Wait: v.resend[enrolment.VerifyingPhone].Sub(d.Now())}
		}
		if limited {
			return nil // the code that was sent stays the one, however little is left of it
		}
		_, keyID := d.Keys.Derive(codeKey(enrolment.VerifyingPhone))
		give := enrolment.GivePhone{Phone: phone, Challenge: enrolment.ChallengeID(newID()), KeyID: keyID}
		if s, _, err = d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return give, nil }); err != nil {
			return err
		}
		d.activate(ctx, v.subject, s.Given.Ref)
		d.sendFor(ctx, v, enrolment.BySMS, d.code(v, enrolment.VerifyingPhone))
		return nil
	})
}

// phoneRef returns the number as events refer to it: by the reference that it
// has already, else by a new one. HR's own number stays HR's.
func (d *Desk) phoneRef(ctx context.Context, s domain.SubjectID, st enrolment.State, n enrolment.Number) (enrolment.Phone, error) {
	for _, known := range []enrolment.Phone{
		st.Given, st.Phone,
		{Ref: st.Staff.Phone, Source: enrolment.FromHR, Country: n.Country},
		{Ref: st.Invitee.Phone, Source: enrolment.FromHR, Country: n.Country},
	} {
		text, err := d.open(ctx, s, KindPhone, known.Ref)
		if err != nil {
			return enrolment.Phone{}, err
		}
		if same, err := d.Policy.ParsePhone(text); err == nil && same.E164 == n.E164 {
			return known, nil
		}
	}
	ref, err := d.put(ctx, s, KindPhone, []byte(n.E164))
	return enrolment.Phone{Ref: ref, Source: enrolment.FromSelf, Country: n.Country}, err
}

// resendSMS sends the code to the phone once more, or a new one.
func (d *Desk) resendSMS(ctx context.Context, v *visit) error {
	s, err := d.state(ctx, v)
	if err != nil {
		return err
	}
	if d.screen(v, s) != ScreenSMSCode {
		return refuse(OutOfOrder)
	}
	number, err := d.open(ctx, v.subject, KindPhone, s.Given.Ref)
	if err != nil {
		return err
	}
	return d.reissue(ctx, v, enrolment.VerifyingPhone, enrolment.BySMS, number)
}

// reissue sends the open code of a purpose once more, or a new one, to an address
// or a number.
func (d *Desk) reissue(ctx context.Context, v *visit, p enrolment.Purpose, by enrolment.Channel, to string) error {
	limited, err := d.takeSend(ctx, v, p, by, to)
	if err != nil {
		return err
	}
	if limited {
		return &Refusal{Code: Limited, Wait: v.resend[p].Sub(d.Now())}
	}
	_, keyID := d.Keys.Derive(codeKey(p))
	again := enrolment.Reissue{Purpose: p, Challenge: enrolment.ChallengeID(newID()), KeyID: keyID}
	if _, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return again, nil }); err != nil {
		return err
	}
	d.sendFor(ctx, v, by, d.code(v, p))
	return nil
}

// resendAccount sends the code once more that somebody waits for who logs in or has.
func (d *Desk) resendAccount(ctx context.Context, v *visit) error {
	in := v.login
	switch {
	case in.recovery.at == atMail, in.recovery.at == atNumber:
		return d.resendRecovery(ctx, v)
	case in.challenge != "" || in.limited:
		return d.resendLogin(ctx, v)
	case !in.newPhone:
		return refuse(OutOfOrder)
	}
	s, err := d.state(ctx, v)
	if err != nil {
		return err
	}
	number, err := d.open(ctx, v.subject, KindPhone, s.Given.Ref)
	if err != nil {
		return err
	}
	if !in.may(ChangesPhone, d.Now()) {
		return refuse(NotProved)
	}
	if err := d.reissue(ctx, v, enrolment.ChangingPhone, enrolment.BySMS, number); err != nil {
		return err
	}
	d.toNewPhone(v)
	return nil
}

// ConfirmPhone brings the code from the SMS (E6).
func (d *Desk) ConfirmPhone(ctx context.Context, id, typed string) (View, error) {
	return d.with(ctx, id, "confirm-phone", func(ctx context.Context, v *visit) error {
		if v.unlocked.IsZero() {
			return refuse(OutOfOrder)
		}
		s, events, err := d.do(ctx, v, d.guess(v, enrolment.VerifyingPhone, typed,
			func(c enrolment.ChallengeID, ok bool) enrolment.Command {
				return enrolment.ConfirmPhone{Challenge: c, Matches: ok}
			}))
		if err != nil {
			return err
		}
		if err := d.rejected(s, events); err != nil {
			return err
		}
		if !recorded[enrolment.PhoneVerified](events) {
			return refuse(OutOfOrder)
		}
		d.verifiedNumber(ctx, v.subject, enrolment.VerifyingPhone, s.Codes.Phone.ID, s.Phone.Ref)
		return nil
	})
}

// ChooseSMS is Nee to Pocket (E7): the enrolment is complete.
func (d *Desk) ChooseSMS(ctx context.Context, id string) (View, error) {
	return d.with(ctx, id, "choose-sms", func(ctx context.Context, v *visit) error {
		if v.unlocked.IsZero() {
			return refuse(OutOfOrder)
		}
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return enrolment.ChooseSMS{}, nil })
		return err
	})
}
