package desk

import (
	"context"
	"fmt"
	"slices"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/projections/history"
)

// Mijn gegevens (A1, A2). Each change asks for the password and the factor again.

// changes lists what can be proved for.
var changes = []Change{ChangesName, ChangesPhone, ChangesLanguage, ChangesPassword, ChangesFactor}

// Prove begins a change: it takes the password, and its view asks for the factor.
// After that view.Account.Proved names the change, for five minutes, once.
func (d *Desk) Prove(ctx context.Context, id string, what Change, typed string) (View, error) {
	return d.runLogin(ctx, id, "prove", func(ctx context.Context, v *visit) error {
		if !v.login.in || !slices.Contains(changes, what) {
			return refuse(OutOfOrder)
		}
		leave, err := d.guards.enter(ctx, v.key)
		if err != nil {
			return err
		}
		defer leave()
		who := d.here()
		if err := d.roomToTry(ctx, who); err != nil {
			return err
		}
		r, ok, err := d.compare(ctx, v.subject, v.key, who, typed, d.visitStamp(v))
		switch {
		case err != nil:
			return err
		case !ok:
			return d.wrongPassword(ctx, v)
		}
		v.login.proved = ""
		return d.ask(ctx, v, r, what)
	})
}

// wrongPassword says how often somebody who is logged in may still guess.
func (d *Desk) wrongPassword(ctx context.Context, v *visit) error {
	logins, err := d.loadLogins(ctx, v.subject)
	if err != nil {
		return err
	}
	n, now := d.here().network, d.Now()
	if until := logins.state.Locked(d.Policy, n, now); !until.IsZero() {
		return &Refusal{Code: Limited, Wait: until.Sub(now)}
	}
	return &Refusal{Code: WrongPassword, Left: max(0, d.Policy.LoginFailures-logins.state.Networks[n].InARow)}
}

// Dismiss goes back to ScreenAccount from whatever was begun there.
func (d *Desk) Dismiss(ctx context.Context, id string) (View, error) {
	return d.runLogin(ctx, id, "dismiss", func(ctx context.Context, v *visit) error {
		if !v.login.in {
			return refuse(OutOfOrder)
		}
		if v.offered != "" {
			cancel := enrolment.CancelPairing{Pairing: v.offered}
			if _, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return cancel, nil }); err != nil {
				return err
			}
		}
		*v.login, v.offered = signin{in: true}, ""
		return nil
	})
}

// change does what was proved, once. What the call has recorded before counts as
// done now. done tells of it, under a name for the occasion.
func (d *Desk) change(ctx context.Context, id, useCase string, what Change, command func(v *visit, s enrolment.State) (enrolment.Command, domain.Ref, error), done func(v *visit, occasion string)) (View, error) {
	return d.runLogin(ctx, id, useCase, func(ctx context.Context, v *visit) error {
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		own := v.call.next()
		mine, _, err := r.own(own)
		if err != nil {
			return err
		}
		if len(mine) == 0 && !v.login.may(what, d.Now()) {
			return refuse(NotProved)
		}
		var c enrolment.Command
		var ref domain.Ref
		if len(mine) == 0 {
			if c, ref, err = command(v, r.state); err != nil {
				return err
			}
		}
		_, events, err := d.doIn(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			if c == nil { // it was there a moment ago
				return nil, fmt.Errorf("find what was recorded: %w", domain.ErrUnavailable)
			}
			return c, nil
		})
		if err != nil {
			return err
		}
		if !ref.IsZero() {
			d.activate(ctx, v.subject, ref)
		}
		v.login.proved = ""
		if len(events) > 0 {
			done(v, occasionOf(own))
		}
		return nil
	})
}

// untold is done of a change that nobody has to be warned of.
func untold(*visit, string) {}

// ChangeName says what the person is called from now on.
func (d *Desk) ChangeName(ctx context.Context, id, name string) (View, error) {
	return d.change(ctx, id, "change-name", ChangesName, func(v *visit, s enrolment.State) (enrolment.Command, domain.Ref, error) {
		name, err := cleanName(name)
		if err != nil {
			return nil, domain.Ref{}, err
		}
		ref, err := d.keep(ctx, v.subject, KindName, name, s.Name)
		return enrolment.ChangeName{Name: ref}, ref, err
	}, untold)
}

// ChangeLanguage says in which language the person is written to.
func (d *Desk) ChangeLanguage(ctx context.Context, id, lang string) (View, error) {
	return d.change(ctx, id, "change-language", ChangesLanguage, func(v *visit, _ enrolment.State) (enrolment.Command, domain.Ref, error) {
		v.lang = d.spoken(lang)
		return enrolment.SetLanguage{Language: v.lang}, domain.Ref{}, nil
	}, untold)
}

// ChangePassword replaces it. The old one was proved before.
func (d *Desk) ChangePassword(ctx context.Context, id, typed string) (View, error) {
	return d.change(ctx, id, "change-password", ChangesPassword, func(v *visit, s enrolment.State) (enrolment.Command, domain.Ref, error) {
		name, err := d.open(ctx, v.subject, KindName, s.Name)
		if err != nil {
			return nil, domain.Ref{}, err
		}
		if !d.CheckPassword(id, name, typed).OK {
			return nil, domain.Ref{}, refuse(WeakPassword)
		}
		stored, err := d.open(ctx, v.subject, KindCredential, s.Password)
		if err != nil {
			return nil, domain.Ref{}, err
		}
		if same, _, err := d.Hasher.Verify(ctx, stored, typed); err != nil || same {
			if err == nil {
				err = refuse(SamePassword)
			}
			return nil, domain.Ref{}, err
		}
		c, ref, err := d.credential(ctx, v.subject, typed, enrolment.PasswordChanged, s.Password)
		return c, ref, err
	}, func(v *visit, occasion string) {
		d.notify(v.subject, occasion, Message{Kind: PasswordChangedMessage}, enrolment.ByMail, enrolment.BySMS)
	})
}

// SwitchToSMS makes SMS the factor. Switching to Pocket is OfferPairing,
// CancelPairing and ConfirmPairing, as in the enrolment; the screen stays
// ScreenAccount, and View.Pocket says how far it is.
func (d *Desk) SwitchToSMS(ctx context.Context, id string) (View, error) {
	return d.change(ctx, id, "switch-to-sms", ChangesFactor, func(v *visit, _ enrolment.State) (enrolment.Command, domain.Ref, error) {
		return enrolment.SwitchToSMS{}, domain.Ref{}, nil
	}, func(v *visit, occasion string) {
		v.offered = ""
		d.notify(v.subject, occasion, Message{Kind: SMSChosenMessage}, enrolment.ByMail, enrolment.BySMS)
	})
}

// ChangePhone sends a code to a new number; the view is ScreenNewPhone.
func (d *Desk) ChangePhone(ctx context.Context, id, typed string) (View, error) {
	return d.runLogin(ctx, id, "change-phone", func(ctx context.Context, v *visit) error {
		if !v.login.may(ChangesPhone, d.Now()) {
			return refuse(NotProved)
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
		if phone.Ref == s.Phone.Ref {
			return refuse(SamePhone)
		}
		limited, err := d.takeSend(ctx, v, enrolment.ChangingPhone, enrolment.BySMS, number.E164)
		if err != nil {
			return err
		}
		open := s.Given == phone && s.Codes.Phone.Purpose == enrolment.ChangingPhone && s.Codes.Phone.Open(d.Policy, d.Now())
		switch {
		case limited && !open:
			return &Refusal{Code: Limited, Wait: v.resend[enrolment.ChangingPhone].Sub(d.Now())}
		case limited:
			d.toNewPhone(v)
			return nil
		}
		_, keyID := d.Keys.Derive(codeKey(enrolment.ChangingPhone))
		give := enrolment.ChangePhone{Phone: phone, Challenge: enrolment.ChallengeID(newID()), KeyID: keyID}
		if s, _, err = d.doIn(ctx, v, func(enrolment.State) (enrolment.Command, error) { return give, nil }); err != nil {
			return err
		}
		d.activate(ctx, v.subject, s.Given.Ref)
		d.toNewPhone(v)
		d.sendFor(ctx, v, enrolment.BySMS, d.code(v, enrolment.ChangingPhone))
		return nil
	})
}

// toNewPhone has a visit wait for the code, and its proof last as long as that.
func (d *Desk) toNewPhone(v *visit) {
	v.login.newPhone, v.login.until = true, d.Now().Add(d.Policy.SMSCodeLife)
}

// ConfirmNewPhone brings it: the number counts, and the old one is told.
func (d *Desk) ConfirmNewPhone(ctx context.Context, id, code string) (View, error) {
	return d.runLogin(ctx, id, "confirm-new-phone", func(ctx context.Context, v *visit) error {
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		own := v.call.next()
		mine, _, err := r.own(own)
		if err != nil {
			return err
		}
		if len(mine) == 0 && !v.login.may(ChangesPhone, d.Now()) {
			return refuse(NotProved)
		}
		before, err := r.before(own)
		if err != nil {
			return err
		}
		s, events, err := d.doIn(ctx, v, d.guess(v, enrolment.ChangingPhone, code,
			func(c enrolment.ChallengeID, ok bool) enrolment.Command {
				return enrolment.ConfirmNewPhone{Challenge: c, Matches: ok}
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
		v.login.newPhone, v.login.proved = false, ""
		d.verifiedNumber(ctx, v.subject, enrolment.ChangingPhone, s.Codes.Phone.ID, s.Phone.Ref)
		changed := Message{Kind: PhoneChangedMessage}
		d.notify(v.subject, occasionOf(own), changed, enrolment.ByMail)
		d.notifyAt(v.subject, occasionOf(own), changed, enrolment.BySMS, before.Phone.Ref)
		return nil
	})
}

// verifiedNumber notes that a code by SMS came back: its number may be sent to
// again at once.
func (d *Desk) verifiedNumber(ctx context.Context, s domain.SubjectID, p enrolment.Purpose, c enrolment.ChallengeID, to domain.Ref) {
	d.report(d.Sends.RecordVerified(ctx, string(c)))
	number, err := d.open(ctx, s, KindPhone, to)
	if err == nil {
		err = d.Limits.Clear(ctx, d.perAddress(p, number)[0])
	}
	d.report(err)
}

// Story returns what happened to the account, the newest first, at most 200.
func (d *Desk) Story(ctx context.Context, id string) ([]history.Entry, error) {
	var story []history.Entry
	_, err := d.runLogin(ctx, id, "", func(ctx context.Context, v *visit) error {
		if !v.login.in {
			return refuse(OutOfOrder)
		}
		events, err := d.Log.ReadStream(ctx, domain.EnrolmentStream(v.subject), 0)
		if err != nil {
			return err
		}
		logins, err := d.Log.ReadStream(ctx, login.Stream(v.subject), 0)
		if err != nil {
			return err
		}
		story = history.Story(events, logins, mostStory)
		return nil
	})
	return story, err
}

const mostStory = 200
