package enrolment_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

var (
	other   = Phone{ref(7), FromSelf, "BE"} // a new number
	mine    = PhoneGiven{other.Ref, other.Source, other.Country}
	newCode = CodeIssued{"c3", ChangingPhone, BySMS, other.Ref, "k2", inTen}
	changed = PhoneVerified{"c3", other.Ref, other.Source, other.Country}

	switching = PairingOffered{"q2", inTwo, inTen, true}
	claimed2  = PairingClaimed{"q2", "thumb2", "nonce2"}
	agreed2   = PairingConfirmed{"q2"}
	finish2   = FinishPairing{"q2", "thumb2", "nonce2", jwk, "d2", label}
	paired2   = PocketPaired{"q2", "d2", "thumb2", jwk, label}
	switched  = FactorChosen{Pocket, "d2", FactorSwitched}

	// While a phone was being paired the kiosk asked for another number.
	another    = with(toStep5, offered, claimed, agreed, mine, CodeIssued{"c3", VerifyingPhone, BySMS, other.Ref, "k2", inTen})
	withSMS    = with(toStep5, bySMS)
	withPocket = with(toStep5, offered, claimed, agreed, paired, byPocket)
	changing   = with(withSMS, mine, newCode)
)

func TestChangesAreForWhoIsEnrolled(t *testing.T) {
	t.Parallel()
	var scenarios []scenario
	for name, c := range map[string]Command{
		"a name":              ChangeName{ref(9)},
		"a password":          ChangePassword{Credential: ref(9), Reason: PasswordChanged, Replaces: secret},
		"a phone":             ChangePhone{other, "c3", "k2"},
		"the code of a phone": ConfirmNewPhone{"c2", true},
		"a switch to sms":     SwitchToSMS{},
		"a switch to pocket":  OfferPairing{Pairing: "q2", Switch: true},
		"a new code":          Reissue{ChangingPhone, "c9", "k2"},
		"a recovery":          AskRecovery{"c9", "k1"},
		"a recovery's code":   Reissue{Recovering, "c9", "k1"},
		"a report":            ReportPhone{CaseLost, "F1", "c4", "c5", "k2"},
	} {
		for stage, given := range map[string][]Event{
			"for nobody":              nil,
			"before the address":      toStep2[:3],
			"before the password":     toStep2,
			"before the phone":        toStep3,
			"before its code":         toStep4,
			"before the factor":       toStep5,
			"during a pairing":        with(toStep5, offered, claimed, agreed),
			"after the phone is gone": with(withPocket, PocketRevoked{"d1", RevokedByHelpdesk}),
			"after a reset":           with(withSMS, EnrolmentReset{ResetToRecover}),
		} {
			scenarios = append(scenarios, scenario{name: name + " " + stage, given: given, when: c, refused: ErrNotEnrolled})
		}
	}
	run(t, scenarios)
}

func TestChangingTheName(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "it is recorded", given: withSMS, when: ChangeName{ref(9)}, then: []Event{NameSet{ref(9)}}},
		{name: "the same again changes nothing", given: withSMS, when: ChangeName{name}},
	})
}

func TestChangingThePassword(t *testing.T) {
	t.Parallel()
	set := func(credential byte, why PasswordReason) ChangePassword {
		return ChangePassword{Credential: ref(credential), Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1", Reason: why, Replaces: secret}
	}
	became := func(credential byte, why PasswordReason) []Event {
		return []Event{PasswordSet{ref(credential), "argon2id", "m=65536,t=3,p=1", "p1", why}}
	}
	elsewhere := PasswordSet{ref(8), "argon2id", "m=65536,t=3,p=1", "p1", PasswordChanged}
	run(t, []scenario{
		{name: "it replaces the one that was proved", given: withSMS, when: set(9, PasswordChanged), then: became(9, PasswordChanged)},
		{name: "not one that came in between", given: with(withSMS, elsewhere), when: set(9, PasswordChanged), refused: ErrMovedOn},
		{name: "the same again changes nothing", given: with(withSMS, became(9, PasswordChanged)...), when: set(9, PasswordChanged)},
		{name: "a login keeps it anew", given: withSMS, when: set(9, PasswordRehashed), then: became(9, PasswordRehashed)},
		{name: "also of somebody who is not enrolled yet", given: toStep3, when: set(9, PasswordRehashed), then: became(9, PasswordRehashed)},
		{name: "but not over one that was set meanwhile", given: with(withSMS, elsewhere), when: set(9, PasswordRehashed), refused: ErrMovedOn},
		{name: "where there is none there is nothing to keep", given: toStep2, when: set(9, PasswordRehashed), refused: ErrOutOfOrder},
		{
			name:  "nor after a reset, whoever remembers the old one",
			given: with(withSMS, EnrolmentReset{ResetToRecover}), when: set(9, PasswordRehashed), refused: ErrOutOfOrder,
		},
	})
}

func TestChangingThePhone(t *testing.T) {
	t.Parallel()
	change := ChangePhone{other, "c3", "k2"}
	right, bad := ConfirmNewPhone{"c3", true}, ConfirmNewPhone{"c3", false}
	third := Phone{ref(8), FromSelf, "DE"}
	rejected := func(n int) CodeRejected { return CodeRejected{"c3", n, Wrong} }
	five := []Event{rejected(1), rejected(2), rejected(3), rejected(4), rejected(5)}
	run(t, []scenario{
		{name: "the new number gets a code", given: withSMS, when: change, then: []Event{mine, newCode}},
		{name: "also of somebody with pocket", given: withPocket, when: change, then: []Event{mine, newCode}},
		{name: "the same number again keeps its code", given: changing, when: change},
		{
			name: "unless it ends soon", given: changing, when: ChangePhone{other, "c9", "k2"}, at: noon.Add(5*time.Minute + 1),
			then: []Event{CodeIssued{"c9", ChangingPhone, BySMS, other.Ref, "k2", noon.Add(15*time.Minute + 1)}},
		},
		{
			name: "yet another number ends the code", given: changing, when: ChangePhone{third, "c9", "k2"},
			then: []Event{PhoneGiven{third.Ref, FromSelf, "DE"}, CodeIssued{"c9", ChangingPhone, BySMS, third.Ref, "k2", inTen}},
		},
		{name: "the number that counts is no new one", given: withSMS, when: ChangePhone{mobile, "c3", "k2"}, refused: ErrSamePhone},
		{name: "wherever it came from", given: withSMS, when: ChangePhone{Phone{mobile.Ref, FromHR, "NL"}, "c3", "k2"}, refused: ErrSamePhone},
		{name: "a country that we do not send to", given: withSMS, when: ChangePhone{Phone{ref(8), FromSelf, "US"}, "c3", "k2"}, refused: ErrCountryNotAllowed},
		{name: "not after twenty wrong codes in a row", given: with(withSMS, wrongs(20)...), when: change, refused: ErrLocked},

		{name: "the right code verifies it", given: changing, when: right, then: []Event{changed}},
		{name: "a wrong one is recorded", given: changing, when: bad, then: []Event{rejected(1)}},
		{name: "after five even the right one is refused", given: with(changing, five...), when: right, refused: ErrCodeEnded},
		{name: "a late one is no guess", given: changing, when: right, at: inTen.Add(1), then: []Event{CodeRejected{"c3", 1, Expired}}},
		{name: "once verified there is nothing to confirm", given: with(changing, changed), when: right, refused: ErrNothingToConfirm},
		{name: "before a number is given neither", given: withSMS, when: ConfirmNewPhone{"c2", true}, refused: ErrNothingToConfirm},
		{name: "the code of another number is none", given: with(changing, PhoneGiven{third.Ref, FromSelf, "DE"}), when: right, refused: ErrNothingToConfirm},
		{name: "nor is the one of the enrolment", given: changing, when: ConfirmNewPhone{"c2", true}, refused: ErrNothingToConfirm},
		{name: "at the kiosk it is not confirmed", given: changing, when: ConfirmPhone{"c3", true}, refused: ErrAlreadyEnrolled},
		{name: "nor given", given: withSMS, when: GivePhone{other, "c3", "k2"}, refused: ErrAlreadyEnrolled},
		{
			name:  "a number that waited when pocket was chosen is not confirmed by the code of then",
			given: with(another, paired, byPocket),
			when:  right, refused: ErrNothingToConfirm,
		},
		{
			name:  "but by a new one",
			given: with(another, paired, byPocket),
			when:  ChangePhone{other, "c9", "k2"}, then: []Event{CodeIssued{"c9", ChangingPhone, BySMS, other.Ref, "k2", inTen}},
		},

		{name: "its code is sent again as it is", given: changing, when: Reissue{ChangingPhone, "c9", "k2"}},
		{
			name: "or a new one, when it has ended", given: with(changing, five...), when: Reissue{ChangingPhone, "c9", "k2"},
			then: []Event{CodeIssued{"c9", ChangingPhone, BySMS, other.Ref, "k2", inTen}},
		},
		{name: "without a number there is nothing to send", given: withSMS, when: Reissue{ChangingPhone, "c9", "k2"}, refused: ErrNothingToConfirm},
		{name: "nor for a locked person", given: with(changing, wrongs(20)...), when: Reissue{ChangingPhone, "c9", "k2"}, refused: ErrLocked},
		{name: "as a code of the enrolment it is not sent", given: changing, when: Reissue{VerifyingPhone, "c9", "k2"}, refused: ErrAlreadyEnrolled},
		{name: "the code of a login is not issued here", given: toStep3, when: Reissue{LoggingIn, "c9", "k2"}, refused: ErrNothingToConfirm},
	})
	for name, enrolled := range map[string][]Event{"sms": withSMS, "pocket": withPocket} {
		before, waiting := Fold(State{}, enrolled...), Fold(State{}, with(enrolled, mine, newCode)...)
		if waiting.Phone != before.Phone || waiting.Factor() != before.Factor() || waiting.Step() != StepDone {
			t.Errorf("%s: a number that is not verified changed %+v to %+v", name, before, waiting)
		}
		after := Fold(waiting, changed)
		if after.Phone != other || !after.Given.Ref.IsZero() || after.Factor() != before.Factor() || after.Choice != before.Choice {
			t.Errorf("%s: one that is verified made %+v", name, after)
		}
	}
}

func TestSwitchingToSMS(t *testing.T) {
	t.Parallel()
	away := []Event{PocketRevoked{"d1", SwitchedAway}, FactorChosen{Factor: SMS, Reason: FactorSwitched}}
	run(t, []scenario{
		{name: "the phone loses its key in the same append", given: withPocket, when: SwitchToSMS{}, then: away},
		{
			name: "a pairing under way ends", given: with(withPocket, switching, claimed2, agreed2), when: SwitchToSMS{},
			then: append([]Event{PairingFailed{"q2", Cancelled}}, away...),
		},
		{name: "that phone is too late", given: with(withPocket, with([]Event{switching, claimed2, agreed2, PairingFailed{"q2", Cancelled}}, away...)...), when: finish2, refused: ErrPairingFailed},
		{name: "again changes nothing", given: withSMS, when: SwitchToSMS{}},
		{name: "a number that waits does not matter", given: with(withPocket, mine, newCode), when: SwitchToSMS{}, then: away},
	})
	if s := Fold(State{}, with(withPocket, away...)...); s.Factor() != SMS || s.Device.ID != "" || s.Phone != mobile {
		t.Errorf("after it: %+v", s)
	}
}

func TestSwitchingToPocket(t *testing.T) {
	t.Parallel()
	ready := func(enrolled []Event) []Event { return with(enrolled, switching, claimed2, agreed2) }
	offer := OfferPairing{Pairing: "q2", Switch: true}
	failed := func(why PairingFailure) PairingFailed { return PairingFailed{"q1", why} }
	run(t, []scenario{
		{name: "somebody with sms is offered one", given: withSMS, when: offer, then: []Event{switching}},
		{
			name: "somebody with pocket, for another phone", given: withPocket, when: offer, at: quarter,
			then: []Event{PairingOffered{"q2", quarter.Add(2 * time.Minute), quarter.Add(10 * time.Minute), true}},
		},
		{name: "a pairing to enrol is not for who is enrolled", given: withSMS, when: OfferPairing{Pairing: "q2"}, refused: ErrAlreadyEnrolled},
		{name: "nor with pocket", given: withPocket, when: OfferPairing{Pairing: "q2"}, refused: ErrAlreadyEnrolled},
		{name: "the factor counts at once, for another reason", given: ready(withSMS), when: finish2, then: []Event{paired2, switched}},
		{name: "another phone ends the old one", given: ready(withPocket), when: finish2, then: []Event{PocketRevoked{"d1", Replaced}, paired2, switched}},
		{name: "finishing again changes nothing", given: with(ready(withSMS), paired2, switched), when: finish2},
		{name: "a number that waits does not matter", given: with(withSMS, mine, switching, claimed2, agreed2), when: finish2, then: []Event{paired2, switched}},
		{
			name:  "one that was offered to enrol does not finish as a switch",
			given: with(toStep5, offered, claimed, agreed, bySMS), when: FinishPairing{"q1", "thumb", "nonce", jwk, "d1", label}, refused: ErrAlreadyEnrolled,
		},
		{
			name:  "nor one for a switch as an enrolment",
			given: with(ready(withSMS), EnrolmentReset{ResetToRecover}, switching, claimed2, agreed2), when: finish2, refused: ErrNotEnrolled,
		},
		{name: "a reset leaves no pairing", given: with(ready(withSMS), EnrolmentReset{ResetToRecover}), when: finish2, refused: ErrNothingToConfirm},
		{
			name: "the next QR code belongs to the same pairing", given: with(withSMS, switching), when: OfferPairing{Pairing: "q3", Switch: true}, at: inTwo,
			then: []Event{PairingOffered{"q3", noon.Add(4 * time.Minute), inTen, true}},
		},
		{
			name:  "a pairing that is done lends the next one none of its time",
			given: withPocket, when: offer, at: noon.Add(9 * time.Minute),
			then: []Event{PairingOffered{"q2", noon.Add(11 * time.Minute), noon.Add(19 * time.Minute), true}},
		},
		{
			name: "nor its tries",
			given: with(toStep5, offered, claimed, failed(WrongDigits), failed(WrongDigits), agreed, paired, byPocket,
				PairingOffered{"q2", noon.Add(3 * time.Minute), noon.Add(11 * time.Minute), true}, claimed2),
			when: ConfirmPairing{"q2", false}, at: noon.Add(time.Minute), then: []Event{PairingFailed{"q2", WrongDigits}},
		},
	})
	for name, c := range map[string]struct{ given, then []Event }{
		"from sms":           {ready(withSMS), []Event{paired2, switched}},
		"from another phone": {ready(withPocket), []Event{PocketRevoked{"d1", Replaced}, paired2, switched}},
	} {
		s := Fold(State{}, with(c.given, c.then...)...)
		if s.Factor() != Pocket || s.Device.ID != "d2" || s.Phone != mobile {
			t.Errorf("%s: %+v", name, s)
		}
	}
	for _, given := range [][]Event{withPocket, withSMS} {
		before := Fold(State{}, given...)
		if during := Fold(before, switching, claimed2, agreed2); during.Factor() != before.Factor() || during.Device.ID != before.Device.ID {
			t.Errorf("a pairing that is not done changed the factor: %+v", during)
		}
	}
}

// every has one of each command, of somebody who is enrolled. What is said of it:
// whether it is decided while the account is frozen.
func every() map[string]struct {
	Command
	frozen bool
} {
	type c = struct {
		Command
		frozen bool
	}
	return map[string]c{
		"RegisterStaff":       {RegisterStaff{announced}, true},
		"Begin":               {Begin{ByRoster, "nl", mail, "c9", "k1"}, false},
		"Reissue mail":        {Reissue{ConfirmingEmail, "c9", "k1"}, false},
		"Reissue phone":       {Reissue{VerifyingPhone, "c9", "k1"}, false},
		"Reissue new phone":   {Reissue{ChangingPhone, "c9", "k1"}, false},
		"Reissue login":       {Reissue{LoggingIn, "c9", "k1"}, false},
		"Reissue recovery":    {Reissue{Recovering, "c9", "k1"}, true},
		"RecordSent":          {RecordSent{mailed}, true},
		"RecordUndeliverable": {RecordUndeliverable{CodeUndeliverable{"c1", 1, NoRoute}}, true},
		"ConfirmEmail":        {ConfirmEmail{"c1", true}, false},
		"SetNameAndPassword":  {SetNameAndPassword{Name: name, Credential: ref(9), Replaces: secret}, false},
		"GivePhone":           {GivePhone{other, "c3", "k2"}, false},
		"ConfirmPhone":        {ConfirmPhone{"c3", true}, false},
		"ChooseSMS":           {ChooseSMS{}, false},
		"OfferPairing":        {OfferPairing{Pairing: "q2"}, false},
		"OfferPairing switch": {OfferPairing{Pairing: "q2", Switch: true}, false},
		"CancelPairing":       {CancelPairing{"q2"}, true},
		"ClaimPairing":        {ClaimPairing{"q2", "thumb2", "nonce2"}, false},
		"ConfirmPairing":      {ConfirmPairing{"q2", true}, false},
		"FinishPairing":       {finish2, false},
		"SetLanguage":         {SetLanguage{"en"}, true},
		"Reset":               {Reset{ForgottenPassword}, false},
		"Unlock":              {Unlock{UnlockedByAdmin}, true},
		"ShowHelp":            {ShowHelp{"K7204"}, true},
		"ChangeName":          {ChangeName{ref(9)}, false},
		"ChangePassword":      {ChangePassword{Credential: ref(9), Reason: PasswordChanged, Replaces: secret}, false},
		"ChangePassword anew": {ChangePassword{Credential: ref(9), Reason: PasswordRehashed, Replaces: secret}, true},
		"ChangePhone":         {ChangePhone{other, "c3", "k2"}, false},
		"ConfirmNewPhone":     {ConfirmNewPhone{"c3", true}, false},
		"SwitchToSMS":         {SwitchToSMS{}, false},
		"Freeze":              {Freeze{FrozenNotMe, "F2"}, true},
		"RequestCase":         {RequestCase{Case: "S1", Subject: person, Action: Resetting, Reason: CaseLost, Evidence: seen}, false},
		"RequestCase thaw":    {RequestCase{Case: "S1", Subject: person, Action: Unfreezing, Reason: CaseLost, Evidence: seen}, true},
		"RequestCase unlock":  {RequestCase{Case: "S1", Subject: person, Action: Unlocking, Reason: CaseWrongCodes, Evidence: seen}, true},
		"RequestCase resend":  {RequestCase{Case: "S1", Subject: person, Action: Resending, Reason: CaseNoCode, Resend: Reissue{VerifyingPhone, "c9", "k1"}}, false},
		"ApproveCase":         {ApproveCase{"S1", person}, true},
		"DenyCase":            {DenyCase{"S1", person, DeniedMistake}, true},
		"StopCase":            {StopCase{"S1"}, true},
		"ExpireCase":          {ExpireCase{"S1"}, true},
		"CarryOut":            {CarryOut{"S1"}, true},
		"AskCaller":           {AskCaller{person, "c8", "k2"}, false},
		"ConfirmCaller":       {ConfirmCaller{"c8", true}, false},
		"CallerApproved":      {CallerApproved{person, "c8", "d1"}, false},
		"RedeemTicket":        {RedeemTicket{"t1", true}, false},
		"AskRecovery":         {AskRecovery{"c4", "k1"}, true},
		"ConfirmRecovery":     {ConfirmRecovery{"c4", true}, true},
		"ReportPhone":         {ReportPhone{CaseLost, "F2", "c4", "c5", "k2"}, true},
		"ReportPhone stolen":  {ReportPhone{CaseStolen, "F2", "c4", "c5", "k2"}, true},
		"ReportPhone new":     {ReportPhone{CaseNew, "F2", "c4", "c5", "k2"}, true},
		"RecoverNumber":       {RecoverNumber{"c5", true}, false},
		"FoundPhone":          {FoundPhone{"c4"}, true},
	}
}

func TestAFrozenAccount(t *testing.T) {
	t.Parallel()
	kinds := map[reflect.Type]bool{}
	for name, c := range every() {
		kinds[reflect.TypeOf(c.Command)] = true
		for how, enrolled := range map[string][]Event{
			"sms": withSMS, "pocket": withPocket, "enrolling": toStep5, "pairing": with(toStep5, switching, claimed2, agreed2),
			"changing": changing, "recovering": with(withPocket, mailProof...),
			"a new phone": with(withPocket, with(mailProof, reportedNew, numberCode)...),
		} {
			for _, why := range []FreezeReason{FrozenNotMe, FrozenLost, FrozenStolen, FrozenHelpdesk} {
				s := Fold(State{}, with(enrolled, AccountFrozen{why})...)
				events, err := policy.Decide(s, c.Command, domain.Stamp{At: noon, Actor: anna})
				if refused := errors.Is(err, ErrFrozen); !c.frozen && !refused {
					t.Errorf("%s of %s, frozen for %s: decided %v, %v", name, how, why, events, err)
				}
				after := Fold(s, events...)
				if found := name == "FoundPhone" && why == FrozenLost && how == "recovering"; (after.Factor() != NoFactor) != found {
					t.Errorf("%s of %s, frozen for %s: the factor is %s after %v", name, how, why, after.Factor(), events)
				}
				if name != "ReportPhone stolen" && after.Chosen() != s.Chosen() {
					t.Errorf("%s of %s, frozen for %s, changed the choice: %v", name, how, why, events)
				}
			}
		}
	}
	if n := len(kinds); n != 40 {
		t.Errorf("%d commands; a new one has to be thought about here: may it be decided while the account is frozen?", n)
	}
}
