package desk

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// activate notes that events name these values. They count without it too: a
// value that an event names is never collected.
func (d *Desk) activate(ctx context.Context, s domain.SubjectID, refs ...domain.Ref) {
	d.report(d.People.Activate(ctx, s, refs...))
}

// View says where a visit stands.
func (d *Desk) View(ctx context.Context, id string) (View, error) {
	return d.with(ctx, id, "", func(context.Context, *visit) error { return nil })
}

// guess compares a typed code with the open one of a purpose.
func (d *Desk) guess(v *visit, p enrolment.Purpose, typed string, command func(enrolment.ChallengeID, bool) enrolment.Command) func(enrolment.State) (enrolment.Command, error) {
	return d.guessOf(v.subject, p, typed, command)
}

// guessOf is guess for somebody who has no visit.
func (d *Desk) guessOf(subject domain.SubjectID, p enrolment.Purpose, typed string, command func(enrolment.ChallengeID, bool) enrolment.Command) func(enrolment.State) (enrolment.Command, error) {
	return func(s enrolment.State) (enrolment.Command, error) {
		open := s.Code(p)
		if open.ID == "" {
			return nil, enrolment.ErrNothingToConfirm
		}
		key, err := d.Keys.DeriveWith(open.KeyID, codeKey(p))
		if err != nil {
			return nil, err
		}
		code := enrolment.Code(key, subject, p, open.ID)
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

// Resume proves the password of somebody who left half-way. Five wrong ones in
// a quarter of an hour, and it has to wait.
func (d *Desk) Resume(ctx context.Context, id, typed string) (View, error) {
	return d.with(ctx, id, "resume", func(ctx context.Context, v *visit) error {
		if !v.proved {
			return refuse(OutOfOrder)
		}
		s, err := d.state(ctx, v)
		if err != nil {
			return err
		}
		if d.Policy.AwaitsTicket(s, d.Now()) {
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
		v.unlocked = s.Password
		d.report(d.Limits.Clear(ctx, tries))
		return nil
	})
}

// Restart is for somebody who left half-way and forgot the password: all
// after the e-mail address is void.
func (d *Desk) Restart(ctx context.Context, id string) (View, error) {
	return d.with(ctx, id, "restart", func(ctx context.Context, v *visit) error {
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
	address := ""
	if v, ok := d.visit(id); ok {
		address = v.email.String()
	}
	return d.Facts().CheckPassword(address, name, typed)
}

// SetNameAndPassword ends step 2 (E4). It takes as long as a hash does, a
// fifth of a second or more.
func (d *Desk) SetNameAndPassword(ctx context.Context, id, name, typed string) (View, error) {
	return d.with(ctx, id, "set-name-and-password", func(ctx context.Context, v *visit) error {
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
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		seen := r.state
		mine, _, err := r.own(v.call.next())
		switch {
		case err != nil:
			return err
		case len(mine) > 0 && !recorded[enrolment.PasswordSet](mine):
			return refuse(OutOfOrder)
		case len(mine) > 0 && !setPassword(mine, seen.Password):
			return refuse(MovedOn) // somebody set another one after it
		case len(mine) > 0: // by an earlier try of this call
			v.unlocked = seen.Password
			d.activate(ctx, v.subject, seen.Name, seen.Password)
			return nil
		case d.Policy.AwaitsTicket(seen, d.Now()):
			return refuse(OutOfOrder)
		case v.unlocked.IsZero() && !seen.Password.IsZero() && v.ticket != seen.Password:
			return refuse(MovedOn)
		}
		set, credential, err := d.credential(ctx, v.subject, typed, enrolment.PasswordAtEnrolment, seen.Password)
		if err != nil {
			return err
		}
		nameRef, err := d.put(ctx, v.subject, KindName, []byte(name))
		if err != nil {
			return err
		}
		_, _, err = d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.SetNameAndPassword{
				Name: nameRef, Credential: set.Credential, Replaces: set.Replaces,
				Algorithm: set.Algorithm, Parameters: set.Parameters, Pepper: set.Pepper,
			}, nil
		})
		if err != nil {
			return err
		}
		v.unlocked = credential
		d.activate(ctx, v.subject, nameRef, credential)
		return nil
	})
}

// setPassword says whether a credential is one that events have set.
func setPassword(events []enrolment.Event, credential domain.Ref) bool {
	return slices.ContainsFunc(events, func(e enrolment.Event) bool {
		p, ok := e.(enrolment.PasswordSet)
		return ok && p.Credential == credential
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

// spoken returns a language, or the first one in the place of one that is not
// spoken here: it becomes part of events.
func (d *Desk) spoken(lang string) string {
	if slices.Contains(d.Languages, lang) {
		return lang
	}
	return d.Languages[0]
}

// SetLanguage changes the language of a visit, and in which the person is
// written to from now on.
func (d *Desk) SetLanguage(ctx context.Context, id, lang string) (View, error) {
	return d.with(ctx, id, "set-language", func(ctx context.Context, v *visit) error {
		v.lang = d.spoken(lang)
		if !v.proved || v.login != nil { // Mijn gegevens changes it with a proof: ChangeLanguage
			return nil
		}
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.SetLanguage{Language: v.lang}, nil
		})
		return err
	})
}
