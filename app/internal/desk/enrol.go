package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// CheckEmail says whether an address can be used at all, which everybody may
// know: a *Refusal if not. Whether somebody with it may enrol is never said.
// The suggestion, if any, is the address that was probably meant.
func (d *Desk) CheckEmail(typed string) (suggestion string, err error) {
	a, err := enrolment.ParseAddress(typed)
	if err != nil {
		return "", d.refusal(err)
	}
	if near := enrolment.Nearest(a.Domain, d.Domains); near != "" {
		suggestion = a.Local + "@" + near
	}
	// With a roster or invitations a private address may be the right one.
	if d.Admission == enrolment.ByDomain && !slices.Contains(d.Domains, a.Domain) {
		return suggestion, refuse(OutsideDomains)
	}
	return suggestion, nil
}

// Begin starts a visit and sends a code to the address, or a word to somebody
// who is enrolled already, or nothing to somebody who may not enrol; the
// answer and its time are the same for all of them, because who it is is only
// looked up after it. The visit's next call waits for that.
func (d *Desk) Begin(ctx context.Context, email, lang string) (View, error) {
	if _, err := d.CheckEmail(email); err != nil {
		return View{}, err
	}
	a, err := enrolment.ParseAddress(email)
	if err != nil {
		return View{}, d.refusal(err)
	}
	v, err := d.newVisit(a, lang)
	if err != nil {
		return View{}, err
	}
	limited, err := d.takeSend(ctx, v, enrolment.ConfirmingEmail, v.key)
	if err != nil {
		return View{}, d.refusal(err)
	}
	d.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*settleFor)
		defer cancel()
		v.failed = d.identify(ctx, v, limited)
		close(v.ready)
		v.signals.bump()
	})
	return View{
		Visit: v.id, Screen: ScreenEmailCode, Lang: lang, Email: a.String(), Factor: enrolment.NoFactor,
		Code: CodeView{
			Left: d.Policy.EmailCodeLife, ResendIn: max(0, v.resend[enrolment.ConfirmingEmail].Sub(d.Now())),
			Tries: d.Policy.WrongCodes, Delivery: Delivered,
		},
	}, nil
}

// identify finds out who is behind an address and has a code issued, or
// pretends to.
func (d *Desk) identify(ctx context.Context, v *visit, limited bool) error {
	s, admission, err := d.admit(ctx, v.email)
	if err != nil {
		return err
	}
	if admission == "" {
		return d.begin(ctx, v, "", decoyAddress, limited, false)
	}
	v.subject = s
	r, err := d.load(ctx, s)
	if err != nil {
		return err
	}
	if r.state.Factor() != enrolment.NoFactor {
		return d.begin(ctx, v, "", decoyAddress, limited, true)
	}
	to, err := d.emailRef(ctx, s, r.state, v.key)
	if err != nil {
		return err
	}
	return d.begin(ctx, v, admission, to, limited, false)
}

// begin has the enrolment begin. Without an admission it is a decoy's.
func (d *Desk) begin(ctx context.Context, v *visit, admission enrolment.Admission, to domain.Ref, limited, enrolled bool) error {
	v.decoy = admission == ""
	if limited {
		return nil // nothing may be sent: the open code, if there is one, stays the one that was
	}
	_, keyID := d.Keys.Derive(codeKey(enrolment.ConfirmingEmail))
	command := enrolment.Begin{
		Admission: admission, Language: v.lang, To: to,
		Challenge: enrolment.ChallengeID(newID()), KeyID: keyID,
	}
	_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return command, nil })
	switch {
	case errors.Is(err, enrolment.ErrLocked):
		return nil // the screen shows that there is no code
	case err != nil:
		return err
	}
	if !v.decoy {
		d.activate(ctx, v.subject, to)
	}
	d.sendFor(ctx, v, enrolment.ConfirmingEmail, enrolled)
	return nil
}

// decoyAddress stands where a decoy's address would be referred to.
var decoyAddress = domain.Ref{Version: 1}

// admit says who has an address and why they may enrol; no admission: they may not.
func (d *Desk) admit(ctx context.Context, a enrolment.Address) (domain.SubjectID, enrolment.Admission, error) {
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
		switch {
		case err != nil:
			return s, "", err
		case r.state.Started && r.state.Admission != "":
			return s, r.state.Admission, nil
		case r.state.Staff.Registered:
			return s, enrolment.ByRoster, nil
		}
	}
	byDomain := d.Admission == enrolment.ByDomain || d.Demo
	if !byDomain || !slices.Contains(d.Domains, a.Domain) {
		return s, "", nil
	}
	s, err = d.People.Claim(ctx, a.String())
	return s, enrolment.ByDomain, err
}

// emailRef returns the reference to a person's address, and keeps the address
// if nothing refers to it yet. An address has one person and a person one
// address, so an older reference is always to the same one.
func (d *Desk) emailRef(ctx context.Context, s domain.SubjectID, st enrolment.State, address string) (domain.Ref, error) {
	for _, r := range []domain.Ref{st.Email, st.Codes.Email.To, st.Staff.Email} {
		if !r.IsZero() {
			return r, nil
		}
	}
	return d.People.Put(ctx, s, KindEmail, []byte(address))
}

// activate notes that events name these values. They count without it too: a
// value that an event names is never collected.
func (d *Desk) activate(ctx context.Context, s domain.SubjectID, refs ...domain.Ref) {
	d.report(d.People.Activate(ctx, s, refs...))
}

// View says where a visit stands.
func (d *Desk) View(ctx context.Context, id string) (View, error) {
	return d.with(ctx, id, func(*visit) error { return nil })
}

// ConfirmEmail brings the code from the mail (E3). A refusal for a wrong code
// comes back only once the guess is recorded.
func (d *Desk) ConfirmEmail(ctx context.Context, id, typed string) (View, error) {
	defer d.floor(time.Now())
	return d.with(ctx, id, func(v *visit) error {
		s, events, err := d.do(ctx, v, d.guess(v, enrolment.ConfirmingEmail, typed,
			func(c enrolment.ChallengeID, ok bool) enrolment.Command {
				return enrolment.ConfirmEmail{Challenge: c, Matches: ok}
			}))
		if err != nil {
			return err
		}
		if err := d.rejected(s, events); err != nil {
			return err
		}
		if !v.proved { // not before, since a stranger's hears of no events
			go v.signals.forward(d.Feed.Watch(v.subject))
		}
		v.proved = true
		d.report(d.Limits.Clear(ctx, d.perAddress(enrolment.ConfirmingEmail, v.key)[0]))
		return nil
	})
}

// floor holds an answer back until so long after the question that a decoy's,
// which is not recorded, takes no less than another.
func (d *Desk) floor(began time.Time) { time.Sleep(time.Until(began.Add(d.AnswerFloor))) }

// guess compares a typed code with the open one of a purpose.
func (d *Desk) guess(v *visit, p enrolment.Purpose, typed string, command func(enrolment.ChallengeID, bool) enrolment.Command) func(enrolment.State) (enrolment.Command, error) {
	return func(s enrolment.State) (enrolment.Command, error) {
		open := s.Code(p)
		if open.ID == "" {
			return nil, enrolment.ErrNothingToConfirm
		}
		if v.decoy { // no code of a decoy's exists
			return command(open.ID, false), nil
		}
		key, err := d.Keys.DeriveWith(open.KeyID, codeKey(p))
		if err != nil {
			return nil, err
		}
		code := enrolment.Code(key, v.subject, p, open.ID)
		return command(open.ID, enrolment.Matches(code, digitsOf(typed))), nil
	}
}

func codeKey(p enrolment.Purpose) string { return "code/" + string(p) }

// digitsOf drops the spaces that people type between digits.
func digitsOf(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, typed)
}

// Resend asks for the code that the visit waits for once more.
func (d *Desk) Resend(ctx context.Context, id string) (View, error) {
	defer d.floor(time.Now())
	return d.with(ctx, id, func(v *visit) error {
		s, err := d.state(ctx, v)
		if err != nil {
			return err
		}
		purpose, key := enrolment.ConfirmingEmail, v.key
		if v.proved && d.screen(v, s) == ScreenSMSCode {
			purpose = enrolment.VerifyingPhone
			if key, err = d.open(ctx, v.subject, KindPhone, s.Given.Ref); err != nil {
				return err
			}
		}
		limited, err := d.takeSend(ctx, v, purpose, key)
		if err != nil {
			return err
		}
		if limited {
			return &Refusal{Code: Limited, Wait: v.resend[purpose].Sub(d.Now())}
		}
		_, keyID := d.Keys.Derive(codeKey(purpose))
		again := enrolment.Reissue{Purpose: purpose, Challenge: enrolment.ChallengeID(newID()), KeyID: keyID}
		if _, _, err = d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return again, nil }); err != nil {
			return err
		}
		d.sendFor(ctx, v, purpose, v.decoy && !v.subject.IsZero())
		return nil
	})
}

// Resume proves the password of somebody who left half-way. Five wrong ones in
// a quarter of an hour, and it has to wait.
func (d *Desk) Resume(ctx context.Context, id, typed string) (View, error) {
	return d.with(ctx, id, func(v *visit) error {
		if !v.proved {
			return refuse(OutOfOrder)
		}
		tries := Limit{Name: "resume", Key: v.subject.String(), Window: 15 * time.Minute, Max: 5}
		next, allowed, err := d.Limits.Take(ctx, d.Now(), tries)
		if err != nil {
			return err
		}
		if !allowed {
			return &Refusal{Code: Limited, Wait: next.Sub(d.Now())}
		}
		s, err := d.state(ctx, v)
		if err != nil {
			return err
		}
		stored, err := d.open(ctx, v.subject, KindCredential, s.Password)
		if err != nil {
			return err
		}
		ok, _, err := d.Hasher.Verify(ctx, stored, typed)
		if err != nil {
			return err
		}
		if !ok {
			used, err := d.Limits.Count(ctx, d.Now(), tries)
			if err != nil {
				return err
			}
			return &Refusal{Code: WrongPassword, Left: max(0, tries.Max-used)}
		}
		v.unlocked = true
		d.report(d.Limits.Clear(ctx, tries))
		return nil
	})
}

// Restart is for somebody who left half-way and forgot the password: all
// after the e-mail address is void.
func (d *Desk) Restart(ctx context.Context, id string) (View, error) {
	return d.with(ctx, id, func(v *visit) error {
		if !v.proved {
			return refuse(OutOfOrder)
		}
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.Reset{Reason: enrolment.ForgottenPassword}, nil
		})
		return err
	})
}

// CheckPassword judges a password while it is being typed. It is quick and
// records nothing.
func (d *Desk) CheckPassword(id, name, typed string) password.Report {
	d.mu.Lock()
	v := d.visits[id]
	d.mu.Unlock()
	who := password.Context{Organisation: []string{d.Organisation, d.Portal}, Name: name}
	if v != nil {
		who.Email = v.email.String()
	}
	return d.Rules.Check(typed, who)
}

// SetNameAndPassword ends step 2 (E4). It takes as long as a hash does, a
// fifth of a second or more.
func (d *Desk) SetNameAndPassword(ctx context.Context, id, name, typed string) (View, error) {
	return d.with(ctx, id, func(v *visit) error {
		if !v.proved {
			return refuse(OutOfOrder)
		}
		name, err := cleanName(name)
		if err != nil {
			return err
		}
		if !d.CheckPassword(id, name, typed).OK {
			return refuse(WeakPassword)
		}
		seen, err := d.state(ctx, v)
		if err != nil {
			return err
		}
		if !v.unlocked && !seen.Password.IsZero() {
			return refuse(MovedOn)
		}
		hash, err := d.Hasher.Hash(ctx, typed)
		if err != nil {
			return err
		}
		nameRef, err := d.People.Put(ctx, v.subject, KindName, []byte(name))
		if err != nil {
			return err
		}
		credential, err := d.People.Put(ctx, v.subject, KindCredential, []byte(hash))
		if err != nil {
			return err
		}
		phc, err := password.ParsePHC(hash)
		if err != nil {
			return err
		}
		_, _, err = d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.SetNameAndPassword{
				Name: nameRef, Credential: credential, Replaces: seen.Password,
				Algorithm: "argon2id", Pepper: phc.Pepper,
				Parameters: fmt.Sprintf("m=%d,t=%d,p=%d", phc.Memory, phc.Time, phc.Threads),
			}, nil
		})
		if err != nil {
			return err
		}
		v.unlocked = true
		d.activate(ctx, v.subject, nameRef, credential)
		return nil
	})
}

// cleanName takes a name as people write it: one to 100 characters, at least
// one letter, no control characters; spaces at the ends and doubled ones go.
func cleanName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "", refuse(NameMissing)
	case !utf8.ValidString(name), utf8.RuneCountInString(name) > 100,
		!strings.ContainsFunc(name, unicode.IsLetter), strings.ContainsFunc(name, unicode.IsControl):
		return "", refuse(NameUnusable)
	}
	return name, nil
}

// SetLanguage changes the language of a visit, and in which the person is
// written to from now on.
func (d *Desk) SetLanguage(ctx context.Context, id, lang string) (View, error) {
	return d.with(ctx, id, func(v *visit) error {
		v.lang = lang
		if !v.proved {
			return nil
		}
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.SetLanguage{Language: lang}, nil
		})
		return err
	})
}
