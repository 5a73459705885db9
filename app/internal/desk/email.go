package desk

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Until somebody has proved to read the mail of an address, nothing that is
// known about it may show: not by an answer, not by its time, not by what a
// screen counts. So all that E3 shows of an unproved visit is the visit's own:
// when it asked for a code and how often it guessed. What really holds is
// decided by the domain all the same, and said only to who typed the right code.

// CheckEmail is that of Facts.
func (d *Desk) CheckEmail(typed string) (suggestion string, err error) {
	return d.Facts().CheckEmail(typed)
}

// Begin starts a visit and sends a code to the address, or a word to somebody
// who is enrolled already, or nothing to somebody who may not enrol; the
// answer and its time are the same for all of them, because who it is is only
// looked up after it. The visit's next call waits for that.
func (d *Desk) Begin(ctx context.Context, email, lang string) (View, error) {
	return d.begin(ctx, email, lang, "")
}

// begin is Begin, with a member of staff beside.
func (d *Desk) begin(ctx context.Context, email, lang, helper string) (View, error) {
	if _, err := d.CheckEmail(email); err != nil {
		return View{}, err
	}
	a, err := enrolment.ParseAddress(email)
	if err != nil {
		return View{}, d.refusal(err)
	}
	v, err := d.newVisit(CallOf(ctx), "begin", a, lang)
	if err != nil {
		return View{}, err
	}
	v.helper = helper // before anybody else knows of the visit
	limited, err := d.takeSend(ctx, v, enrolment.ConfirmingEmail, enrolment.ByMail, v.key)
	if err != nil {
		d.drop(v)
		return View{}, d.refusal(err)
	}
	v.limited = limited
	d.assume(v, limited)
	view := d.stranger(v) // before the visit is anybody else's
	d.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*settleFor)
		defer cancel()
		v.failed = d.identify(ctx, v, v.begun, limited)
		v.signals.bump() // before anybody sees the visit, who would be woken for what they know
		close(v.ready)
	})
	return view, nil
}

// assume sets how long the visit's code is said to work. Where nothing could
// be sent because something was sent just before, that code works still; where
// it was too often altogether, there may be none.
func (d *Desk) assume(v *visit, limited bool) {
	now := d.Now()
	waits := d.Policy.ResendWaits
	switch {
	case !limited:
		v.codeUntil = now.Add(d.Policy.EmailCodeLife)
	case v.resend[enrolment.ConfirmingEmail].Sub(now) <= waits[len(waits)-1]:
		v.codeUntil = now.Add(d.Policy.RepeatWhileLeft)
	}
}

// stranger is the view of a visit that has proved nothing.
func (d *Desk) stranger(v *visit) View {
	now := d.Now()
	code := CodeView{
		ResendIn: max(0, v.resend[enrolment.ConfirmingEmail].Sub(now)),
		Tries:    max(0, d.Policy.WrongCodes-v.guesses), Delivery: Delivered,
	}
	if code.Tries > 0 {
		code.Left = max(0, v.codeUntil.Sub(now))
	}
	if v.outage.is(enrolment.ByMail) {
		code.Delivery, code.Why = Failing, enrolment.NoProvider
	}
	return View{
		Visit: v.id, Version: v.signals.now(), Screen: ScreenEmailCode, Lang: v.lang,
		Email: v.email.String(), Factor: enrolment.NoFactor, Code: code,
	}
}

// identify finds out who is behind an address and has a code issued and sent,
// where that is due.
func (d *Desk) identify(ctx context.Context, v *visit, c domain.CommandID, limited bool) error {
	s, admission, err := d.admit(ctx, v.email, limited)
	if err != nil {
		return err
	}
	v.subject, v.decoy = s, admission == ""
	if v.decoy {
		if !limited {
			d.sendFor(ctx, v, enrolment.ByMail, d.lookWhetherMailWorks)
		}
		return nil
	}
	r, err := d.load(ctx, s)
	if err != nil {
		return err
	}
	v.decoy = r.state.Chosen() != enrolment.NoFactor || r.state.Frozen != "" || r.state.Erased
	if limited {
		return nil // nothing may be sent: the open code, if there is one, stays the one that was
	}
	if r.state.Erased { // and their address is free in a moment
		d.sendFor(ctx, v, enrolment.ByMail, d.lookWhetherMailWorks)
		return nil
	}
	if v.decoy && r.state.Frozen != "" {
		d.sendFor(ctx, v, enrolment.ByMail, d.tell(v, FrozenMessage))
		return nil
	}
	if v.decoy {
		d.sendFor(ctx, v, enrolment.ByMail, d.tell(v, AlreadyEnrolledMessage))
		return nil
	}
	to, err := d.emailRef(ctx, s, r.state, v.key)
	if err != nil {
		return err
	}
	_, keyID := d.Keys.Derive(codeKey(enrolment.ConfirmingEmail))
	begin := enrolment.Begin{
		Admission: admission, Language: v.lang, To: to,
		Challenge: enrolment.ChallengeID(newID()), KeyID: keyID,
	}
	_, _, err = d.act(ctx, s, d.stamp(v, c), func(enrolment.State) (enrolment.Command, error) { return begin, nil })
	switch {
	case errors.Is(err, enrolment.ErrLocked):
		d.sendFor(ctx, v, enrolment.ByMail, d.tell(v, LockedMessage))
		return nil
	case notAdmitted(err): // between being admitted and here
		v.decoy = true
		d.sendFor(ctx, v, enrolment.ByMail, d.lookWhetherMailWorks)
		return nil
	case err != nil:
		return err
	}
	d.activate(ctx, v.subject, to)
	d.sendFor(ctx, v, enrolment.ByMail, d.code(v, enrolment.ConfirmingEmail))
	return nil
}

// admit says who has an address and why they may enrol; no admission: they may not.
// Where a limit lets nothing be sent, a new address gets no claim either: whoever
// invents addresses must not fill the vault. The next code that may be sent makes
// good for it.
func (d *Desk) admit(ctx context.Context, a enrolment.Address, limited bool) (domain.SubjectID, enrolment.Admission, error) {
	s, err := d.People.Find(ctx, a.String())
	switch {
	case errors.Is(err, domain.ErrNotFound):
		// The log is asked about nobody, so that it takes as long, and fails
		// alike, when there is somebody.
		if _, err := d.load(ctx, domain.SubjectID(newCommand())); err != nil {
			return s, "", err
		}
	case err != nil:
		return s, "", err
	default:
		r, err := d.load(ctx, s)
		if err != nil {
			return s, "", err
		}
		return s, d.admission(r.state, a), nil
	}
	if limited || !d.byDomain(a) {
		return s, "", nil
	}
	s, err = d.People.Claim(ctx, a.String())
	return s, enrolment.ByDomain, err
}

// admission is why a person may enrol whose address is claimed; empty: they may not.
// Who is enrolled, or frozen, is told so, whatever admits them now.
func (d *Desk) admission(s enrolment.State, a enrolment.Address) enrolment.Admission {
	now := d.Now()
	invited := s.Invited(now) || s.Invitation.Open(d.Policy, now)
	switch {
	case s.Chosen() != enrolment.NoFactor:
		return cmp.Or(s.Admission, enrolment.ByRoster)
	case s.Staff.Left || d.Admission == enrolment.ByInvitation:
		if invited {
			return enrolment.ByInvitation
		}
		if s.Frozen != "" && !s.Staff.Left {
			return s.Admission
		}
		return ""
	case s.Started && s.Admission != "" && s.Admission != enrolment.ByInvitation:
		return s.Admission
	case s.Staff.Registered:
		return enrolment.ByRoster
	case d.byDomain(a):
		return enrolment.ByDomain
	case invited:
		return enrolment.ByInvitation
	case s.Frozen != "":
		return s.Admission
	}
	return ""
}

// byDomain says whether an address alone admits. A demo admits its own domain, unless
// it shows invitations.
func (d *Desk) byDomain(a enrolment.Address) bool {
	byDomain := d.Admission == enrolment.ByDomain || d.Demo && d.Admission != enrolment.ByInvitation
	return byDomain && slices.Contains(d.Domains, a.Domain)
}

// emailRef returns the reference to a person's address, and keeps the address
// if nothing refers to it yet.
func (d *Desk) emailRef(ctx context.Context, s domain.SubjectID, st enrolment.State, address string) (domain.Ref, error) {
	if known := addressOf(st); !known.IsZero() {
		return known, nil
	}
	return d.put(ctx, s, KindEmail, []byte(address))
}

// addressOf returns the reference to a person's address, if there is one. An address
// has one person and a person one address, so an older one is always to the same.
func addressOf(st enrolment.State) domain.Ref {
	for _, r := range []domain.Ref{st.Email, st.Codes.Email.To, st.Staff.Email, st.Invitee.Email} {
		if !r.IsZero() {
			return r
		}
	}
	return domain.Ref{}
}

// ConfirmEmail brings the code from the mail (E3). A refusal for a wrong code
// comes back only once the guess is recorded.
func (d *Desk) ConfirmEmail(ctx context.Context, id, typed string) (View, error) {
	defer d.floor(time.Now())
	return d.with(ctx, id, "confirm-email", func(ctx context.Context, v *visit) error {
		switch {
		case v.proved:
			return nil
		case v.guesses >= d.Policy.WrongCodes:
			return refuse(CodeEnded)
		case v.decoy: // no code of a decoy's exists
			if err := d.noteGuess(ctx, v); err != nil {
				return err
			}
			return d.guessedWrong(v)
		}
		right := false
		s, events, err := d.do(ctx, v, d.guess(v, enrolment.ConfirmingEmail, typed,
			func(c enrolment.ChallengeID, ok bool) enrolment.Command {
				right = ok
				return enrolment.ConfirmEmail{Challenge: c, Matches: ok}
			}))
		if err == nil {
			err = d.rejected(s, events)
		}
		switch {
		case err != nil && !right && isRefusal(err):
			return d.guessedWrong(v)
		case err != nil:
			return err
		case !recorded[enrolment.EmailConfirmed](events):
			return refuse(OutOfOrder)
		}
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		v.since = r.lastOf("EmailConfirmed")
		d.prove(ctx, v, s)
		return nil
	})
}

// prove opens the rest of the enrolment to a visit.
func (d *Desk) prove(ctx context.Context, v *visit, s enrolment.State) {
	v.proved, v.watches = true, true
	go v.signals.forward(d.Feed.Watch(v.subject)) // not before: a stranger hears of no events
	d.report(d.Limits.Clear(ctx, d.perAddress(enrolment.ConfirmingEmail, v.key)[0]))
	if s.Language != v.lang {
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.SetLanguage{Language: v.lang}, nil
		})
		d.report(err)
	}
}

// guessedWrong is the answer to every code that is not the right one.
func (d *Desk) guessedWrong(v *visit) error {
	if d.Now().After(v.codeUntil) {
		return refuse(CodeExpired)
	}
	v.guesses++
	if left := d.Policy.WrongCodes - v.guesses; left > 0 {
		return &Refusal{Code: WrongCode, Left: left}
	}
	return refuse(CodeEnded)
}

// noteGuess writes down a decoy's guess, as a guess at a real code is: it
// takes as long, and fails when nothing can be written.
func (d *Desk) noteGuess(ctx context.Context, v *visit) error {
	_, _, err := d.Limits.Take(ctx, d.Now(), Limit{Name: "stranger", Key: v.key, Window: hour, Max: 1_000_000})
	return err
}

// floor holds an answer back until a whole number of steps after the question, so
// that what is left of the difference between people cannot be told from it: one
// step in quiet, and as coarse a clock where the machine has much to do.
func (d *Desk) floor(began time.Time) {
	if step := d.AnswerFloor; step > 0 {
		took := time.Since(began)
		time.Sleep((took/step+1)*step - took)
	}
}

// Resend asks for the code that the visit waits for once more.
func (d *Desk) Resend(ctx context.Context, id string) (View, error) {
	defer d.floor(time.Now())
	return d.with(ctx, id, "resend", func(ctx context.Context, v *visit) error {
		if v.login != nil {
			return d.loginRefusal(d.resendAccount(ctx, v))
		}
		if v.proved {
			return d.resendSMS(ctx, v)
		}
		limited, err := d.takeSend(ctx, v, enrolment.ConfirmingEmail, enrolment.ByMail, v.key)
		if err != nil {
			return err
		}
		if limited {
			return &Refusal{Code: Limited, Wait: v.resend[enrolment.ConfirmingEmail].Sub(d.Now())}
		}
		if v.guesses >= d.Policy.WrongCodes || v.codeUntil.Sub(d.Now()) < d.Policy.RepeatWhileLeft {
			v.guesses = 0
			d.assume(v, false)
		}
		return d.identify(ctx, v, v.call.next(), false)
	})
}
