package desk

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
)

// A signin is what a visit is that began with an address and its password (L1):
// first on the way to being logged in, then at Mijn gegevens.
type signin struct {
	in        bool                  // logged in
	challenge enrolment.ChallengeID // the second step that waits; empty: none does
	factor    enrolment.Factor      // that it asks for
	change    Change                // what it is to allow
	stale     bool                  // it was taken back, or came too late
	limited   bool                  // none may be asked for now

	proved Change // may be done now …
	until  time.Time

	newPhone bool // a code was sent to a new number
	recovery recovery
}

// What a second step may prove beside the changes of Mijn gegevens: that a phone
// which was reported lost is there again.
const provesFound Change = "found"

// proofLife is how long the password and the factor count for a change.
const proofLife = 5 * time.Minute

// may says whether a change was proved, and not done yet.
func (in *signin) may(what Change, now time.Time) bool {
	return in.in && in.proved == what && now.Before(in.until)
}

// Login takes an e-mail address and a password (L1), and begins a visit whose
// view asks for the second step. Every pair that is not right, and every one that
// comes too often, is WrongLogin after the same time. Somebody whose enrolment is
// not complete, and who knows the password, is Refusal{Code: OutOfOrder}.
func (d *Desk) Login(ctx context.Context, email, typed, lang string) (View, error) {
	if _, err := d.CheckEmail(email); err != nil && !isRefusalOf(err, OutsideDomains) {
		return View{}, err
	}
	a, err := enrolment.ParseAddress(email)
	if err != nil {
		return View{}, d.refusal(err)
	}
	call := CallOf(ctx)
	who := d.here()
	by := d.machineStamp(domain.EventID(newCommand()))
	by.Actor = domain.Actor{Kind: domain.ActorStation, ID: d.station, Role: domain.RoleUnattended}
	s, r, err := d.verify(ctx, who, a.String(), typed, by)
	if err == nil && r.state.Frozen == "" && r.state.Chosen() == enrolment.NoFactor {
		err = refuse(OutOfOrder)
	}
	if err != nil {
		return View{}, d.loginRefusal(err)
	}
	v, err := d.newVisit(call, "login", a, lang)
	if err != nil {
		return View{}, err
	}
	v.subject, v.login, v.since = s, &signin{}, r.revision
	close(v.ready)
	view, err := d.runLogin(WithCall(ctx, call), v.id, "login", func(ctx context.Context, v *visit) error {
		if r.state.Frozen != "" {
			return nil // the view says why, and what to do
		}
		return d.ask(ctx, v, r, "")
	})
	if err != nil {
		d.drop(v)
	}
	return view, err
}

func isRefusalOf(err error, c Code) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Code == c
}

// here is whoever stands at this station.
func (d *Desk) here() applicant {
	by := login.Asker{Station: d.station}
	return applicant{by: by, network: d.network(by, "")}
}

// hereIn is whoever has a visit at this station.
func (d *Desk) hereIn(v *visit) applicant {
	who := d.here()
	who.counted, who.next = &v.call.login, func(next time.Time) { v.resend[enrolment.LoggingIn] = next }
	return who
}

// runLogin runs a use case of somebody who logs in or has.
func (d *Desk) runLogin(ctx context.Context, id, useCase string, do func(ctx context.Context, v *visit) error) (View, error) {
	return d.run(ctx, id, useCase, func(ctx context.Context, v *visit) error {
		if v.login == nil {
			return refuse(OutOfOrder)
		}
		if err := do(ctx, v); err != nil {
			return d.loginRefusal(err)
		}
		return nil
	})
}

// ask has the second step begin.
func (d *Desk) ask(ctx context.Context, v *visit, r record, what Change) error {
	in := v.login
	if err := d.judge(v, r); err != nil {
		return err
	}
	st, err := d.challenge(ctx, v.subject, r, d.hereIn(v), login.Change(what), d.visitStamp(v))
	if wait, limited := tooOften(err); limited && what == "" && !in.in && in.challenge == "" {
		// Who has the password must not keep the person from saying that their phone is
		// gone: the view says that it has to wait, and that is open to them.
		in.factor, in.limited = r.state.Chosen(), true
		v.resend[enrolment.LoggingIn] = d.Now().Add(wait)
		return nil
	}
	if err != nil {
		return err
	}
	in.challenge, in.factor, in.change, in.stale, in.limited = st.Open.ID, st.Open.Factor, what, false, false
	if !v.follows {
		v.follows = true
		go v.signals.forward(d.Logins.Watch(v.subject))
	}
	return nil
}

// tooOften says whether an error is that nothing more may be sent or asked now, and
// for how long.
func tooOften(err error) (time.Duration, bool) {
	r, ok := errors.AsType[*Refusal](err)
	switch {
	case ok && r.Code == Limited:
		return r.Wait, true
	case ok && r.Code == SMSPaused:
		return brakeYoungest, true
	}
	return 0, false
}

// visitStamp is the stamp of the next act of a visit's call.
func (d *Desk) visitStamp(v *visit) domain.Stamp {
	c := v.call.next()
	v.call.acts++
	return d.stamp(v, c)
}

// ConfirmLogin brings the code from the SMS, of a login or of a change.
func (d *Desk) ConfirmLogin(ctx context.Context, id, code string) (View, error) {
	return d.runLogin(ctx, id, "confirm-login", func(ctx context.Context, v *visit) error {
		if v.login.challenge == "" {
			return refuse(OutOfOrder)
		}
		c, err := d.answer(ctx, v.subject, v.login.challenge, d.here(), code, d.visitStamp(v))
		return d.stepDone(ctx, v, c, err)
	})
}

// stepDone goes on from a second step that was taken.
func (d *Desk) stepDone(ctx context.Context, v *visit, c login.Challenge, err error) error {
	in := v.login
	if isRefusalOf(err, LoginStale) {
		in.stale = true
		return nil
	}
	if err == nil && (c.ID != in.challenge || c.Change != login.Change(in.change)) {
		err = login.ErrOver
	}
	if err != nil {
		return err
	}
	what := in.change
	if what == provesFound {
		if err := d.found(ctx, v); err != nil {
			return err
		}
	}
	in.challenge, in.change = "", ""
	switch what {
	case "", provesFound:
		d.logIn(v)
	case ChangesFactor:
		in.proved, in.until = what, d.Now().Add(d.Policy.PairingLife)
	case provesCaller: // staff ask for it, and no visit waits for it
	case ChangesName, ChangesPhone, ChangesLanguage, ChangesPassword:
		in.proved, in.until = what, d.Now().Add(proofLife)
	}
	return nil
}

// logIn opens Mijn gegevens to a visit.
func (d *Desk) logIn(v *visit) {
	v.login.in, v.login.limited, v.proved = true, false, true
	if !v.watches {
		v.watches = true
		go v.signals.forward(d.Feed.Watch(v.subject))
	}
}

// AskAgain asks the phone anew, after an approval has ended without one.
func (d *Desk) AskAgain(ctx context.Context, id string) (View, error) {
	return d.runLogin(ctx, id, "ask-again", func(ctx context.Context, v *visit) error {
		if v.login.challenge == "" && !v.login.limited {
			return d.frozenOr(ctx, v, OutOfOrder)
		}
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		return d.ask(ctx, v, r, v.login.change)
	})
}

// frozenOr is no refusal on an account that was frozen meanwhile: the view says that.
func (d *Desk) frozenOr(ctx context.Context, v *visit, c Code) error {
	s, err := d.state(ctx, v)
	if err != nil || s.Frozen != "" {
		return err
	}
	return refuse(c)
}

// resendLogin sends the code once more that a second step waits for.
func (d *Desk) resendLogin(ctx context.Context, v *visit) error {
	logins, err := d.loadLogins(ctx, v.subject)
	if err != nil {
		return err
	}
	c := logins.state.Open
	if c.ID != v.login.challenge || v.login.challenge == "" || c.Factor != enrolment.SMS {
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		return d.ask(ctx, v, r, v.login.change)
	}
	st, err := d.repeat(ctx, v.subject, c, d.hereIn(v), d.visitStamp(v))
	if errors.Is(err, login.ErrOver) { // the visit still counts, and so does its password
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		return d.ask(ctx, v, r, v.login.change)
	}
	if err != nil {
		return err
	}
	if st.Open.Change != c.Change || st.Open.By != c.By {
		return login.ErrOver
	}
	v.login.challenge = st.Open.ID
	return nil
}

// look returns the command of what a visit finds when it looks; see commandFor.
func (v *visit) look() domain.CommandID {
	h := sha256.Sum256([]byte("look\x00" + v.id))
	return domain.CommandID(h[:16])
}

// accountView says where a visit stands that began with a login.
func (d *Desk) accountView(ctx context.Context, v *visit) (View, error) {
	in := v.login
	view := View{
		Visit: v.id, Version: v.signals.now(), Lang: v.lang, Email: v.email.String(), Factor: enrolment.NoFactor, Again: true,
	}
	logins, err := d.loadLogins(ctx, v.subject)
	if err != nil {
		return view, err
	}
	if c := logins.state.Open; c.ID == in.challenge && c.Factor == enrolment.Pocket && !in.stale &&
		(c.Stage == login.Approved || c.Stage == login.Succeeded) {
		// Whoever looks takes it, and whoever looks again finds what was taken: a look is
		// no call of its own.
		c, err := d.redeem(ctx, v.subject, c.ID, d.here(), d.stamp(v, v.look()))
		switch err = d.stepDone(ctx, v, c, err); {
		case errors.Is(err, login.ErrOver), errors.Is(err, login.ErrGiven):
			in.stale = true // approved, and looked at too late
		case err != nil:
			return view, err
		}
	}
	r, err := d.load(ctx, v.subject)
	if err != nil {
		return view, err
	}
	s := r.state
	if err := d.judge(v, r); err != nil {
		return view, err
	}
	if !in.in && in.challenge == "" && !in.limited && in.recovery == (recovery{}) && s.Frozen == "" {
		return view, refuse(VisitOver)
	}
	view.Factor = s.Factor()
	view.Account.Frozen, view.Account.Language = Frozen(s.Frozen), s.Language
	view.Pocket = d.pocketView(v, s)
	view.Screen = d.accountScreen(v, s)
	switch view.Screen { //nolint:exhaustive // those that show more
	case ScreenLoginCode:
		view.Login.Change, view.Code = in.change, d.loginCodeView(v, logins.state)
	case ScreenLoginApproval:
		view.Login, err = d.approvalView(v, logins.state)
	case ScreenRecoverMail, ScreenRecoverCode:
		view.Code = d.codeView(v, s.Codes.Recovery, s)
	case ScreenNewPhone:
		view.Code = d.codeView(v, s.Codes.Phone, s)
	case ScreenFrozen:
		view.Account.Case = string(s.Case.ID)
	}
	if err != nil || !in.in {
		return view, err
	}
	return view, d.fillAccount(ctx, v, r, &view)
}

// fillAccount adds what only somebody sees who has logged in.
func (d *Desk) fillAccount(ctx context.Context, v *visit, r record, view *View) (err error) {
	s, in := r.state, v.login
	if in.may(in.proved, d.Now()) {
		view.Account.Proved = in.proved
	}
	for i := len(r.events) - 1; i >= 0 && view.Account.Since.IsZero(); i-- {
		if r.events[i].Type == "FactorChosen" {
			view.Account.Since = r.events[i].Recorded
		}
	}
	if view.Name, err = d.open(ctx, v.subject, KindName, s.Name); err != nil {
		return err
	}
	if view.Account.Device, err = d.open(ctx, v.subject, KindDevice, s.Device.Label); err != nil {
		return err
	}
	if view.Phone, err = d.numberView(ctx, v.subject, s.Phone); err != nil {
		return err
	}
	if view.Screen == ScreenNewPhone {
		view.Account.NewPhone, err = d.numberView(ctx, v.subject, s.Given)
	}
	return err
}

func (d *Desk) numberView(ctx context.Context, s domain.SubjectID, p enrolment.Phone) (PhoneView, error) {
	number, err := d.open(ctx, s, KindPhone, p.Ref)
	if err != nil || number == "" {
		return PhoneView{}, err
	}
	n, err := d.Policy.ParsePhone(number)
	if err != nil { // of a country that is not allowed any more
		return PhoneView{E164: number, International: number, National: number}, nil
	}
	return PhoneView{n.E164, n.International, n.National, n.Country, p.Source != enrolment.FromSelf}, nil
}

func (d *Desk) accountScreen(v *visit, s enrolment.State) Screen {
	in := v.login
	if screen := in.recovery.screen(); screen != "" {
		return screen
	}
	switch {
	case s.Frozen != "" && in.challenge == "":
		return ScreenFrozen
	case (in.challenge != "" || in.limited) && in.factor == enrolment.Pocket:
		return ScreenLoginApproval
	case in.challenge != "" || in.limited:
		return ScreenLoginCode
	case in.newPhone && !s.Given.Ref.IsZero():
		return ScreenNewPhone
	}
	return ScreenAccount
}

// loginCodeView is what is known of the code of a login.
func (d *Desk) loginCodeView(v *visit, st login.State) CodeView {
	c, now := st.Open, d.Now()
	view := CodeView{Delivery: Sending, ResendIn: max(0, v.resend[enrolment.LoggingIn].Sub(now))}
	if c.ID != v.login.challenge || v.login.stale || d.ended(c) != "" {
		view.Delivery = Delivered
		return view
	}
	view.Left, view.Tries = max(0, c.Expires.Sub(now)), max(0, d.Policy.WrongCodes-c.Wrong)
	view.Delivery, view.Why = delivery(c.Sends, c.Failed), c.Failed
	return view
}

func (d *Desk) approvalView(v *visit, st login.State) (LoginView, error) {
	c := st.Open
	view := LoginView{Change: v.login.change}
	switch {
	case v.login.limited:
		view.Ended, view.AskIn = EndedLimited, max(0, v.resend[enrolment.LoggingIn].Sub(d.Now()))
	case c.ID != v.login.challenge || v.login.stale || c.Factor != enrolment.Pocket:
		view.Ended = EndedOther
	default:
		view.Ended = d.ended(c)
	}
	if view.Ended != "" {
		return view, nil
	}
	var err error
	view.Left = max(0, c.Expires.Sub(d.Now()))
	view.Digits, err = d.loginCode(v.subject, c)
	return view, err
}
