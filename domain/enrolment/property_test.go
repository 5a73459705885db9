package enrolment_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

// aCommand draws any command that might arrive, sensible or not: ids are from
// so small a set that they often meet, or those that the state waits for. Only the
// codes of two purposes never have one id, as random ones have not.
func aCommand(t *rapid.T, s State) Command {
	id := func(kind string) string { return kind + fmt.Sprint(rapid.IntRange(1, 3).Draw(t, kind)) }
	ok := rapid.Bool().Draw(t, "ok")
	thumb := rapid.SampledFrom([]string{id("thumb"), s.Pairing.Thumbprint}).Draw(t, "thumbprint")
	nonce := rapid.SampledFrom([]string{"n" + thumb, s.Pairing.Nonce}).Draw(t, "nonce")
	purpose := rapid.SampledFrom([]Purpose{ConfirmingEmail, VerifyingPhone, ChangingPhone, LoggingIn, Recovering, VerifyingCaller}).Draw(t, "purpose")
	e, p, r := ChallengeID(id("e")), ChallengeID(id("p")), ChallengeID(id("r"))
	again := map[Purpose]ChallengeID{ConfirmingEmail: e, VerifyingPhone: p, ChangingPhone: p, LoggingIn: "l1", Recovering: r, VerifyingCaller: "v1"}[purpose]
	email := rapid.SampledFrom([]ChallengeID{e, p, s.Codes.Email.ID, s.Codes.Phone.ID}).Draw(t, "email")
	phone := rapid.SampledFrom([]ChallengeID{p, e, s.Codes.Phone.ID, s.Codes.Recovery.ID}).Draw(t, "phone")
	recovery := rapid.SampledFrom([]ChallengeID{r, s.Codes.Phone.ID, s.Codes.Recovery.ID, s.Codes.Recovery.ID}).Draw(t, "recovery")
	qr := rapid.SampledFrom([]PairingID{PairingID(id("q")), s.Pairing.ID}).Draw(t, "qr")
	number := rapid.SampledFrom([]Phone{mobile, desk, other}).Draw(t, "number")
	reset := rapid.SampledFrom([]ResetReason{ForgottenPassword, ResetToRecover}).Draw(t, "reset")
	freeze := rapid.SampledFrom([]FreezeReason{FrozenNotMe, FrozenLost, FrozenStolen, FrozenHelpdesk}).Draw(t, "freeze")
	report := rapid.SampledFrom([]CaseReason{CaseLost, CaseStolen, CaseNew, CaseNew, CaseNotMe}).Draw(t, "report")
	password := rapid.SampledFrom([]PasswordReason{PasswordChanged, PasswordRehashed}).Draw(t, "password")
	replaces := rapid.SampledFrom([]domain.Ref{s.Password, secret, {}}).Draw(t, "replaces")
	invitation := rapid.SampledFrom([]InvitationID{InvitationID(id("i")), s.Invitation.ID, s.Redeemed.ID}).Draw(t, "invitation")
	credential := ref(20 + rapid.ByteRange(0, 3).Draw(t, "credential"))
	return rapid.SampledFrom([]Command{
		RegisterStaff{announced},
		RegisterStaff{complete()},
		RecordLeft{left},
		Begin{ByDomain, "nl", mail, e, "k"},
		Begin{ByInvitation, "nl", mail, e, "k"},
		Reissue{purpose, again, "k"},
		RecordSent{CodeSent{email, 1, "smtp", "m"}},
		RecordUndeliverable{CodeUndeliverable{phone, 1, NoRoute}},
		ConfirmEmail{email, ok},
		SetNameAndPassword{Name: name, Credential: secret},
		SetNameAndPassword{Name: name, Credential: credential, Replaces: replaces},
		GivePhone{number, p, "k"},
		ConfirmPhone{phone, ok},
		ChooseSMS{},
		OfferPairing{Pairing: qr},
		OfferPairing{Pairing: qr, Switch: true},
		CancelPairing{qr},
		ClaimPairing{qr, thumb, "n" + thumb},
		ConfirmPairing{qr, ok},
		FinishPairing{qr, thumb, nonce, jwk, DeviceID(id("d")), label},
		SetLanguage{"en"},
		Reset{reset},
		Unlock{UnlockedByAdmin},
		ShowHelp{"K7204"},
		ChangeName{ref(10 + rapid.ByteRange(0, 3).Draw(t, "name"))},
		ChangePassword{Credential: credential, Reason: password, Replaces: replaces},
		ChangePhone{number, p, "k"},
		ConfirmNewPhone{phone, ok},
		SwitchToSMS{},
		Freeze{freeze, rapid.SampledFrom([]CaseID{"", "F1"}).Draw(t, "case")},
		aRequest(t, s),
		ApproveCase{s.Request.ID, person},
		DenyCase{s.Request.ID, person, DeniedMistake},
		StopCase{s.Request.ID},
		ExpireCase{s.Request.ID},
		CarryOut{s.Request.ID},
		AskCaller{person, ChallengeID(id("v")), "k"},
		ConfirmCaller{s.Codes.Caller.ID, ok},
		CallerApproved{person, ChallengeID(id("v")), s.Device.ID},
		RedeemTicket{s.Codes.Ticket.ID, ok},
		AskRecovery{r, "k"},
		ConfirmRecovery{recovery, ok},
		ReportPhone{report, "F2", recovery, r, "k"},
		RecoverNumber{recovery, ok},
		FoundPhone{recovery},
		Invite{InvitationID(id("i")), InvitationShown, "k", mail, nil, nil},
		RedeemInvitation{invitation, ok},
		RevokeInvitation{},
	}).Draw(t, "command")
}

// aRequest draws one of staff, mostly a sensible one.
func aRequest(t *rapid.T, s State) RequestCase {
	c := RequestCase{
		Case: "S", Subject: person, KeyID: "k",
		Action: rapid.SampledFrom(Actions()).Draw(t, "action"), Remote: rapid.Bool().Draw(t, "remote"),
		Alone: rapid.IntRange(0, 4).Draw(t, "alone") == 0,
		Phone: rapid.SampledFrom([]Phone{mobile, desk, other}).Draw(t, "new number"), Resend: Reissue{VerifyingPhone, "p7", "k"},
	}
	if s.Frozen != "" && rapid.Bool().Draw(t, "thaw") {
		c.Action = Unfreezing
	}
	if c.Action == Erasing && rapid.IntRange(0, 2).Draw(t, "keep") > 0 { // nothing happens after it
		c.Action = Resetting
	}
	if s.Chosen() == Pocket && rapid.Bool().Draw(t, "revoke") {
		c.Action = RevokingPocket
	}
	c.Reason = rapid.SampledFrom(append(c.Action.Reasons(), c.Action.Reasons()[0], CaseNotMe)).Draw(t, "because")
	c.Evidence = rapid.SampledFrom([][]Evidence{Claims(c.Remote)[:1], Claims(c.Remote)[:1], Claims(!c.Remote)[:1], nil}).Draw(t, "evidence")
	return c
}

// actors are those who might act: two of staff, one of whom the account is, the
// console, and nobody.
var actors = []domain.Actor{anna, anna, anna, bram, bram, bram, mySelf, domain.Console(), {}}

// aStep draws what brings on something that is under way, or else any command:
// what takes many right commands in a row is hardly ever met by chance.
func aStep(t *rapid.T, s State) Command {
	var all []Command
	switch p := s.Pairing; p.Stage {
	case Offered:
		all = append(all, ClaimPairing{p.ID, "thumb1", "n1"})
	case Claimed:
		all = append(all, ConfirmPairing{p.ID, true})
	case Confirmed:
		all = append(all, FinishPairing{p.ID, p.Thumbprint, p.Nonce, jwk, "d3", label})
	case NotPairing, Paired, Failed, Over:
	}
	switch c := s.Codes.Recovery; {
	case c.Channel == BySMS:
		all = append(all, RecoverNumber{c.ID, true}, RecoverNumber{c.ID, false})
	case c.Used:
		why := rapid.SampledFrom([]CaseReason{CaseLost, CaseStolen, CaseNew, CaseNew}).Draw(t, "why")
		all = append(all, ReportPhone{why, "F2", c.ID, "r2", "k"}, FoundPhone{c.ID})
	case c.ID != "":
		all = append(all, ConfirmRecovery{c.ID, true})
	}
	if s.Invitation.ID != "" {
		all = append(all, Begin{ByInvitation, "nl", mail, "e3", "k"}, RedeemInvitation{s.Invitation.ID, true}, RedeemInvitation{s.Invitation.ID, false})
	}
	if r := s.Request.ID; r != "" {
		all = append(all, ApproveCase{r, person}, ApproveCase{r, person}, CarryOut{r}, CarryOut{r})
	} else if rapid.IntRange(0, 3).Draw(t, "ask") == 0 {
		return aRequest(t, s)
	}
	if c := s.Codes.Ticket; c.ID != "" && !c.Used {
		all = append(all, RedeemTicket{c.ID, true})
	}
	if s.Codes.Caller.ID != "" {
		all = append(all, ConfirmCaller{s.Codes.Caller.ID, true})
	}
	if !s.Given.Ref.IsZero() {
		all = append(all, ConfirmNewPhone{s.Codes.Phone.ID, true}, ConfirmPhone{s.Codes.Phone.ID, true})
	}
	if len(all) == 0 || rapid.IntRange(0, 2).Draw(t, "any") == 0 {
		return aCommand(t, s)
	}
	return rapid.SampledFrom(all).Draw(t, "step")
}

// A decision is one that was recorded, in a history.
type decision struct {
	log     []Event // what was recorded before
	before  State
	command Command
	by      domain.Stamp
	decided []Event
	after   State
}

// walk draws a history, from the beginning or from somewhere on the way, and calls
// each after every decision that was recorded.
func walk(t *rapid.T, each func(decision)) {
	start := rapid.SampledFrom([][]Event{nil, nil, toStep5, another, withSMS, withPocket, changing, proved, newPhone, wasLost}).Draw(t, "start")
	log, s, now := with(start), Fold(State{}, start...), noon
	for range rapid.IntRange(1, 120).Draw(t, "length") {
		now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second)
		if rapid.IntRange(0, 20).Draw(t, "a day later") == 0 {
			now = now.Add(time.Duration(rapid.IntRange(20, 50).Draw(t, "hours")) * time.Hour)
		}
		command := aStep(t, s)
		if c, ok := command.(RequestCase); ok {
			c.Case = CaseID(fmt.Sprint("S", len(log))) // as no two random ones are
			command = c
		}
		by := domain.Stamp{At: now, Actor: rapid.SampledFrom(actors).Draw(t, "who")}
		events, err := policy.Decide(s, command, by)
		if err != nil {
			if len(events) > 0 {
				t.Fatalf("refused and decided at once: %v", events)
			}
			continue
		}
		next := Fold(s, events...)
		each(decision{log, s, command, by, events, next})
		log, s = append(log, events...), next
	}
}

func TestNoHistoryReachesAForbiddenState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(d decision) {
			before, s := d.before, d.after
			for _, c := range []Challenge{s.Codes.Email, s.Codes.Phone, s.Codes.Recovery, s.Codes.Caller, s.Codes.Ticket} {
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
			if s.Chosen() != NoFactor && (s.Email.IsZero() || s.Password.IsZero() || s.Phone.Ref.IsZero() || s.Name.IsZero()) {
				t.Fatalf("a factor before all else was proved: %+v", s)
			}
			// Only what makes everything void, or takes a phone's key, leads back.
			report, _ := d.command.(ReportPhone)
			if s.Step() < before.Step() && !s.Erased && s.Step() != StepPassword && s.Given.Ref.IsZero() && report.Reason != CaseStolen {
				t.Fatalf("fell back from step %d to %d by %v", before.Step(), s.Step(), d.decided)
			}
		})
	})
}

// What a decision records about the factor fits together in one append.
func TestNoHistoryChoosesAFactorThatIsNotThere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(d decision) {
			s, live := d.before, d.before.Device.ID
			for i, e := range d.decided {
				switch e := e.(type) { //nolint:gochecksumtype // those about the factor
				case FactorChosen:
					if e.Factor == Pocket {
						if p, ok := d.decided[i-1].(PocketPaired); !ok || p.Device != e.Device {
							t.Fatalf("pocket chosen without its phone: %v", d.decided)
						}
					}
					if e.Factor == SMS && (s.Phone.Ref.IsZero() || live != "") {
						t.Fatalf("sms chosen without a number, or beside a phone: %v", d.decided)
					}
					if next := Evolve(s, e); next.Chosen() != e.Factor || next.Chosen() == NoFactor {
						t.Fatalf("%s was chosen, and %s counts", e.Factor, next.Chosen())
					}
					sameReason(t, d, e.Reason)
				case PocketPaired:
					if live != "" || s.Pairing.Stage != Confirmed || s.Pairing.ID != e.Pairing || s.Pairing.Thumbprint != e.Thumbprint {
						t.Fatalf("paired beside %q, on %+v: %v", live, s.Pairing, d.decided)
					}
					if _, ok := d.decided[len(d.decided)-1].(FactorChosen); !ok {
						t.Fatalf("paired, and not chosen: %v", d.decided)
					}
					live = e.Device
				case PocketRevoked:
					if e.Device != live || live == "" {
						t.Fatalf("%q lost its key, and %q had one", e.Device, live)
					}
					live = ""
				}
				s = Evolve(s, e)
			}
			if d.before.Device.ID != "" && d.after.Device.ID == "" && d.after.Factor() == Pocket {
				t.Fatalf("pocket without a phone: %v", d.decided)
			}
		})
	})
}

// sameReason fails when a factor was chosen for a reason that is not so.
func sameReason(t *rapid.T, d decision, why FactorReason) {
	t.Helper()
	enrolled := d.before.Chosen() != NoFactor
	_, recovers := d.command.(RecoverNumber)
	switch why {
	case FactorAtEnrolment:
		if enrolled {
			t.Fatalf("%T enrolled somebody again: %v", d.command, d.decided)
		}
		var name, password, phone bool
		for _, e := range with(d.log, d.decided...) {
			switch e.(type) { //nolint:gochecksumtype // what an enrolment is made of
			case EnrolmentReset:
				name, password, phone = false, false, false
			case NameSet:
				name = true
			case PasswordSet:
				password = true
			case PhoneVerified:
				phone = true
			}
		}
		if !name || !password || !phone {
			t.Fatalf("enrolled, and since the last reset name %t, password %t, phone %t", name, password, phone)
		}
	case FactorSwitched:
		if !enrolled || recovers {
			t.Fatalf("%T switched: %v", d.command, d.decided)
		}
	case FactorRecovered:
		if !enrolled || !recovers {
			t.Fatalf("%T recovered: %v", d.command, d.decided)
		}
	}
}

// Who left begins nothing, unless somebody invited them; and that HR says so
// touches nothing but what HR said.
func TestNoHistoryLetsSomebodyBeginWhoLeft(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(d decision) {
			if b, ok := d.command.(Begin); ok && d.before.Staff.Left && b.Admission != ByInvitation {
				t.Fatalf("began: %v", d.decided)
			}
			if _, ok := d.command.(RecordLeft); ok {
				after := d.after
				if after.Staff.Registered || after.Chosen() != d.before.Chosen() {
					t.Fatalf("left: %+v", after)
				}
				after.Invitation, after.Redeemed = d.before.Invitation, d.before.Redeemed // which HR's word ends
				if after.Staff = d.before.Staff; !reflect.DeepEqual(after, d.before) {
					t.Fatalf("left, and something else: %+v, was %+v", after, d.before)
				}
			}
		})
	})
}

// Whoever is enrolled keeps what they have, unless one of a few acts changes it:
// never one of the enrolment at a kiosk.
func TestNoHistoryTakesSomethingFromTheEnrolled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(d decision) {
			before, s := d.before, d.after
			if before.Factor() == NoFactor {
				return
			}
			if s.Factor() != before.Factor() || s.Device.ID != before.Device.ID {
				mayChangeTheFactor(t, d)
			}
			_, name := d.command.(ChangeName)
			_, password := d.command.(ChangePassword)
			_, phone := d.command.(ConfirmNewPhone)
			if done, ok := carriedOut(d); ok && done.Action.Second() {
				return // see TestNoHistoryCarriesOutWhatItMayNot
			}
			if s.Email != before.Email || s.Name != before.Name && !name || s.Password != before.Password && !password || s.Phone != before.Phone && !phone {
				t.Fatalf("%T changed %+v to %+v", d.command, before, s)
			}
			if code := before.Codes.Phone; s.Phone != before.Phone && (s.Phone != before.Given || code.Purpose != ChangingPhone || code.To != s.Phone.Ref) {
				t.Fatalf("%+v was verified with %+v, and %+v was given", s.Phone, code, before.Given)
			}
		})
	})
}

func mayChangeTheFactor(t *rapid.T, d decision) {
	t.Helper()
	before, s := d.before, d.after
	ok := false
	switch c := d.command.(type) { //nolint:gochecksumtype // all others may not
	case SwitchToSMS:
		ok = before.Factor() == Pocket && s.Factor() == SMS && s.Device.ID == ""
	case FinishPairing:
		ok = before.Pairing.Switch && before.Pairing.Stage == Confirmed && s.Factor() == Pocket && s.Device.ID == c.Device
	case RecoverNumber:
		ok = before.Factor() == Pocket && s.Factor() == SMS && s.Device.ID == "" && c.Matches && newPhoneWasReported(d, c.Challenge)
	case Freeze:
		ok = s.Frozen == c.Reason
	case RequestCase, ApproveCase, CarryOut:
		done, is := carriedOut(d)
		ok = is && (done.Action == Freezing && s.Frozen == FrozenHelpdesk || done.Action.Second() && s.Factor() == NoFactor && s.Device.ID == "")
	case ReportPhone:
		ok = s.Frozen != "" && mailWasProved(d.log, c.Mail) && (c.Reason == CaseLost || c.Reason == CaseStolen)
	}
	if !ok {
		t.Fatalf("the factor changed from %s of %q to %s of %q by %T%+v", before.Factor(), before.Device.ID, s.Factor(), s.Device.ID, d.command, d.command)
	}
}

// mailWasProved says that a code by mail was the last one of a recovery, and right.
func mailWasProved(log []Event, mail ChallengeID) bool {
	proved := false
	for _, e := range log {
		switch e := e.(type) { //nolint:gochecksumtype // those of a recovery
		case CodeIssued:
			proved = proved && e.Purpose != Recovering
		case EnrolmentReset:
			proved = false
		case CodeConfirmed:
			if e.Purpose == Recovering {
				proved = e.Channel == ByMail && e.Challenge == mail
			}
		}
	}
	return proved
}

// newPhoneWasReported says that after the mail was proved a new phone was reported,
// and that this is the last code, sent to the number that counts.
func newPhoneWasReported(d decision, code ChallengeID) bool {
	last := CodeIssued{}
	reported := false
	for i, e := range d.log {
		switch e := e.(type) { //nolint:gochecksumtype // those of a recovery
		case CodeIssued:
			if e.Purpose == Recovering {
				last = e
			}
		case RecoveryRequested:
			if e.Action != "" {
				continue // staff's
			}
			reported = e.Reason == CaseNew && mailWasProved(d.log[:i], last.Challenge)
		}
	}
	return reported && last.Challenge == code && last.Channel == BySMS && last.To == d.before.Phone.Ref
}

// From a freeze nothing leads back but the factor itself, where the phone was lost,
// or staff, and then a whole enrolment.
func TestNoHistoryThawsAnAccount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(d decision) {
			before, s := d.before, d.after
			if s.Frozen != "" && s.Factor() != NoFactor {
				t.Fatalf("frozen, and %s counts", s.Factor())
			}
			if s.Frozen != "" && before.Frozen == "" && (s.Pairing.Stage == Offered || s.Pairing.Stage == Claimed || s.Pairing.Stage == Confirmed) {
				t.Fatalf("frozen, and a pairing goes on: %+v", s.Pairing)
			}
			if before.Frozen == "" {
				return
			}
			if s.Frozen != before.Frozen && s.Frozen != "" && before.Frozen != FrozenLost {
				t.Fatalf("frozen for %s, and then for %s", before.Frozen, s.Frozen)
			}
			switch c := d.command.(type) { //nolint:gochecksumtype // all others may not
			case FoundPhone:
				if s.Frozen == "" && (before.Frozen != FrozenLost || !mailWasProved(d.log, c.Mail) || s.Factor() != before.Chosen() || s.Device.ID != before.Device.ID) {
					t.Fatalf("found, from %+v to %+v", before, s)
				}
			case RequestCase, ApproveCase, CarryOut:
				done, ok := carriedOut(d)
				if ok && done.Action == Erasing {
					return // see TestNothingFollowsAnErasure
				}
				thawed := ok && done.Action == Unfreezing
				if thawed && (s.Factor() != NoFactor || s.Step() > StepPassword || !s.Password.IsZero() || s.Frozen != "") {
					t.Fatalf("unfrozen: %+v", s)
				}
				if !thawed && (s.Frozen == "" || s.Chosen() != before.Chosen() || s.Password != before.Password || s.Phone != before.Phone || s.Given != before.Given) {
					t.Fatalf("%T changed a frozen account from %+v to %+v", d.command, before, s)
				}
			default:
				report, _ := d.command.(ReportPhone)
				_, anew := d.command.(ChangePassword)
				switch {
				case s.Frozen == "":
					t.Fatalf("%T ended a freeze", d.command)
				case s.Chosen() != before.Chosen() && report.Reason != CaseStolen, s.Choice != before.Choice, s.Phone != before.Phone,
					s.Name != before.Name, s.Email != before.Email, s.Password != before.Password && !anew, s.Given != before.Given:
					t.Fatalf("%T changed a frozen account from %+v to %+v", d.command, before, s)
				}
			}
		})
	})
}

// carriedOut returns what staff asked for, of a decision that did it.
func carriedOut(d decision) (RecoveryRequested, bool) {
	all := with(d.log, d.decided...)
	for _, e := range d.decided {
		end, ok := e.(RecoveryCompleted)
		if !ok || end.Reason != EndDone {
			continue
		}
		for _, e := range slices.Backward(all) {
			if r, ok := e.(RecoveryRequested); ok && r.Case == end.Case {
				return r, true
			}
		}
	}
	return RecoveryRequested{}, false
}

// What needs a second person is done by nobody alone, never before its time, and never
// once it was stopped, denied or has lapsed; and staff do nothing to their own account.
func TestNoHistoryCarriesOutWhatItMayNot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		walk(t, func(d decision) {
			switch d.command.(type) { //nolint:gochecksumtype // those of staff
			case RequestCase, ApproveCase, DenyCase, AskCaller, CallerApproved:
				if d.by.Actor.Kind != domain.ActorStaff || d.by.Actor.ID == person.String() {
					t.Fatalf("%+v decided %v", d.by.Actor, d.decided)
				}
			}
			if old := d.before.Request; old.ID != "" && old.Lapsed(d.by.At) && d.after.Request.ID == old.ID && d.after.Request.Approved != old.Approved {
				t.Fatalf("approved too late: %+v", d.after.Request)
			}
			asked, done := carriedOut(d)
			if !done {
				effectless(t, d)
				return
			}
			if asked.Action.Proof() && len(asked.Evidence) == 0 && !asked.Alone {
				t.Fatalf("done on no evidence: %+v", asked)
			}
			if !asked.Action.Second() {
				return
			}
			if asked.Alone {
				if d.by.Actor != domain.Console() {
					t.Fatalf("%+v did it alone: %+v", d.by.Actor, asked)
				}
				return
			}
			approved := RecoveryApproved{}
			for _, e := range with(d.log, d.decided...) {
				switch e := e.(type) { //nolint:gochecksumtype // those of a case
				case RecoveryApproved:
					if e.Case == asked.Case {
						approved = e
					}
				case RecoveryDenied:
					if e.Case == asked.Case {
						t.Fatalf("done, and denied: %v", d.decided)
					}
				case RecoveryStopped:
					if e.Case == asked.Case {
						t.Fatalf("done, and stopped: %v", d.decided)
					}
				case RecoveryExpired:
					if e.Case == asked.Case {
						t.Fatalf("done, and expired: %v", d.decided)
					}
				}
			}
			switch {
			case approved.By == "" || approved.By == asked.By || approved.By == person.String() || asked.By == person.String():
				t.Fatalf("%s asked and %s approved", asked.By, approved.By)
			case d.by.At.Before(approved.NotBefore) || d.by.At.After(approved.Until):
				t.Fatalf("done at %s, between %s and %s", d.by.At, approved.NotBefore, approved.Until)
			case asked.Remote && asked.Action.Waits() && approved.NotBefore.Before(asked.Expires.Add(policy.CaseWait-policy.CaseApproval)):
				t.Fatalf("from afar without a day's wait: %+v, %+v", asked, approved)
			}
		})
	})
}

// effectless fails where a command of a case that is not done changed an account.
func effectless(t *rapid.T, d decision) {
	t.Helper()
	before, s := d.before, d.after
	switch d.command.(type) { //nolint:gochecksumtype // those of a case
	case RequestCase, ApproveCase, DenyCase, StopCase, ExpireCase, CarryOut:
		if s.Chosen() != before.Chosen() || s.Frozen != before.Frozen || s.Password != before.Password || s.Phone != before.Phone ||
			s.Given != before.Given || s.WrongInARow != before.WrongInARow || s.Codes.Ticket.ID != before.Codes.Ticket.ID {
			t.Fatalf("%T changed an account that it only asked about: %v", d.command, d.decided)
		}
	}
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
			command := aCommand(t, Fold(State{}, log...))
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
