package enrolment_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

// aCommand draws any command that might arrive, sensible or not: ids are from
// so small a set that they often meet.
func aCommand(t *rapid.T) Command {
	id := func(kind string) string { return kind + fmt.Sprint(rapid.IntRange(1, 3).Draw(t, kind)) }
	ok := rapid.Bool().Draw(t, "ok")
	thumb := id("thumb")
	return rapid.SampledFrom([]Command{
		Begin{ByDomain, "nl", mail, ChallengeID(id("c")), "k"},
		Reissue{rapid.SampledFrom([]Purpose{ConfirmingEmail, VerifyingPhone}).Draw(t, "purpose"), ChallengeID(id("c")), "k"},
		ConfirmEmail{ChallengeID(id("c")), ok},
		SetNameAndPassword{Name: name, Credential: secret},
		SetNameAndPassword{Name: name, Credential: secret, Replaces: secret},
		GivePhone{rapid.SampledFrom([]Phone{mobile, desk}).Draw(t, "phone"), ChallengeID(id("c")), "k"},
		ConfirmPhone{ChallengeID(id("c")), ok},
		ChooseSMS{},
		OfferPairing{Pairing: PairingID(id("q"))},
		CancelPairing{PairingID(id("q"))},
		ClaimPairing{PairingID(id("q")), thumb, "n" + thumb},
		ConfirmPairing{PairingID(id("q")), ok},
		FinishPairing{PairingID(id("q")), thumb, "n" + thumb, jwk, DeviceID(id("d")), label},
		SetLanguage{"en"},
		Reset{ForgottenPassword},
		Unlock{UnlockedByAdmin},
	}).Draw(t, "command")
}

// walk draws a history and calls each after every decision that was recorded.
func walk(t *rapid.T, each func(before State, decided []Event, after State)) {
	s, now := State{}, noon
	for range rapid.IntRange(1, 120).Draw(t, "length") {
		now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second)
		events, err := policy.Decide(s, aCommand(t), at(now))
		if err != nil {
			if len(events) > 0 {
				t.Fatalf("refused and decided at once: %v", events)
			}
			continue
		}
		next := Fold(s, events...)
		each(s, events, next)
		s = next
	}
}

func TestNoHistoryReachesAForbiddenState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(before State, decided []Event, s State) {
			for _, c := range []Challenge{s.Codes.Email, s.Codes.Phone} {
				if c.Wrong > policy.WrongCodes {
					t.Fatalf("%d wrong codes at one challenge", c.Wrong)
				}
			}
			if s.WrongInARow > policy.WrongCodesInARow {
				t.Fatalf("%d wrong codes in a row", s.WrongInARow)
			}
			if s.Pairing.Tries > policy.PairingTries {
				t.Fatalf("%d tries at the digits", s.Pairing.Tries)
			}
			for i, e := range decided {
				if f, ok := e.(FactorChosen); ok && f.Factor == Pocket {
					if p, ok := decided[i-1].(PocketPaired); !ok || p.Device != f.Device {
						t.Fatalf("pocket chosen without its phone: %v", decided)
					}
				}
			}
			if s.Factor() != NoFactor && (s.Email.IsZero() || s.Password.IsZero() || s.Phone.Ref.IsZero() || s.Name.IsZero()) {
				t.Fatalf("a factor before all else was proved: %+v", s)
			}
			if before.Factor() != NoFactor && s.Factor() != before.Factor() {
				t.Fatalf("the factor changed from %s to %s at a kiosk", before.Factor(), s.Factor())
			}
			if s.Step() < before.Step() && s.Step() != StepPassword && s.Given.Ref.IsZero() {
				t.Fatalf("fell back from step %d to %d by %v", before.Step(), s.Step(), decided)
			}
		})
	})
}

// Two stations decide on what they read; only one of them finds the stream
// where it left it, and the other decides again.
func TestTwoStationsLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var log []Event
		read := [2]int{}
		guesses := 0
		for range rapid.IntRange(1, 80).Draw(t, "length") {
			station := rapid.IntRange(0, 1).Draw(t, "station")
			command := aCommand(t)
			for { // the loop of every writer
				s := Fold(State{}, log[:read[station]]...)
				events, err := policy.Decide(s, command, at(noon))
				if err != nil || len(events) == 0 {
					break
				}
				if read[station] != len(log) { // a conflict: read again, decide again
					read[station] = len(log)
					continue
				}
				log = append(log, events...)
				read[station] = len(log)
				if r, ok := events[0].(CodeRejected); ok && r.Reason == Wrong {
					guesses++
				}
				break
			}
		}
		wrong := 0
		for _, e := range log {
			if r, ok := e.(CodeRejected); ok && r.Reason == Wrong {
				wrong++
			}
		}
		if wrong != guesses {
			t.Fatalf("%d wrong guesses were refused, %d recorded", guesses, wrong)
		}
	})
}

func TestCodesAreUniformAndBound(t *testing.T) {
	t.Parallel()
	var key [32]byte
	person, other := domain.SubjectID{1}, domain.SubjectID{2}
	code := Code(key, person, ConfirmingEmail, "c")
	if len(code) != 6 || code != Code(key, person, ConfirmingEmail, "c") {
		t.Fatalf("not six digits, or not the same twice: %q", code)
	}
	for what, c := range map[string]string{
		"another challenge": Code(key, person, ConfirmingEmail, "d"),
		"another purpose":   Code(key, person, VerifyingPhone, "c"),
		"another person":    Code(key, other, ConfirmingEmail, "c"),
		"another key":       Code([32]byte{1}, person, ConfirmingEmail, "c"),
	} {
		if c == code {
			t.Errorf("%s has the same code", what)
		}
	}
	var first [10]int
	const n = 20_000
	for i := range n {
		first[Code(key, person, ConfirmingEmail, ChallengeID(fmt.Sprint(i)))[0]-'0']++
	}
	for digit, times := range first {
		if times < n/10*9/10 || times > n/10*11/10 {
			t.Errorf("%d begins %d of %d codes", digit, times, n)
		}
	}
	if !Matches(code, code) || Matches(code, "") || Matches("", "12") || Matches(code, code+"0") {
		t.Error("Matches is wrong")
	}
}

func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	if v := DefaultPolicy().Version(); v != PolicyVersion {
		t.Errorf("the default parameters are called %q", v)
	}
	p := DefaultPolicy()
	p.WrongCodes = 6
	if v := p.Version(); v == PolicyVersion || v != p.Version() {
		t.Errorf("other parameters are called %q", v)
	}
}
