package enrolment_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

var (
	recoveryCode = CodeIssued{"c4", Recovering, ByMail, mail, "k1", quarter}
	mailRight    = CodeConfirmed{Challenge: "c4", Purpose: Recovering, Channel: ByMail}
	mailProof    = []Event{recoveryCode, mailRight}

	proofs      = []Evidence{ProvedPassword, ProvedEmail}
	reportedNew = reported(CaseNew, proofs...)
	numberCode  = CodeIssued{"c5", Recovering, BySMS, mobile.Ref, "k2", inTen}
	numberRight = CodeConfirmed{Challenge: "c5", Purpose: Recovering, Channel: BySMS}

	lost   = []Event{AccountFrozen{FrozenLost}, reported(CaseLost, proofs...)}
	stolen = []Event{AccountFrozen{FrozenStolen}, reported(CaseStolen, proofs...)}
	notMe  = []Event{AccountFrozen{FrozenNotMe}, reported(CaseNotMe)}

	proved    = with(withPocket, mailProof...)                // somebody with pocket, and their mail
	provedSMS = with(withSMS, mailProof...)                   // with sms
	newPhone  = with(proved, reportedNew, numberCode)         // who waits for the code to their number
	wasLost   = with(withPocket, with(lost, mailProof...)...) // who has found it again
)

// reported is somebody's own case.
func reported(why CaseReason, evidence ...Evidence) RecoveryRequested {
	return RecoveryRequested{Case: "F1", Reason: why, Evidence: evidence}
}

func TestFreezing(t *testing.T) {
	t.Parallel()
	freeze := Freeze{FrozenNotMe, "F1"}
	staff := Freeze{Reason: FrozenHelpdesk}
	var scenarios []scenario
	for name, given := range map[string][]Event{
		"nobody knows": nil, "is enrolling": toStep4, "has sms": withSMS, "has pocket": withPocket,
	} {
		scenarios = append(scenarios,
			scenario{name: "whoever " + name + " is frozen", given: given, when: staff, then: []Event{AccountFrozen{FrozenHelpdesk}}},
			scenario{name: "whoever " + name + " is frozen with a case", given: given, when: freeze, then: notMe},
		)
	}
	run(t, append(scenarios, []scenario{
		{
			name: "a pairing under way ends", given: with(withSMS, switching, claimed2, agreed2), when: freeze,
			then: append([]Event{PairingFailed{"q2", Cancelled}}, notMe...),
		},
		{name: "again changes nothing", given: with(withPocket, notMe...), when: freeze},
		{name: "what leaves fewer ways out takes the place of lost", given: with(withPocket, lost...), when: freeze, then: notMe},
		{name: "also by staff", given: with(withPocket, lost...), when: staff, then: []Event{AccountFrozen{FrozenHelpdesk}}},
		{name: "lost does not take the place of anything", given: with(withPocket, notMe...), when: Freeze{Reason: FrozenLost}},
		{name: "nor does staff of what was said on the phone", given: with(withPocket, notMe...), when: staff},
		{name: "stolen is no less", given: with(withPocket, stolen...), when: freeze},
		{name: "lost again changes nothing", given: with(withPocket, lost...), when: Freeze{Reason: FrozenLost}},
	}...))
	for name, given := range map[string][]Event{"sms": withSMS, "pocket": withPocket} {
		before, s := Fold(State{}, given...), Fold(State{}, with(given, notMe...)...)
		if s.Factor() != NoFactor || s.Chosen() != before.Chosen() || s.Step() != StepDone || s.Frozen != FrozenNotMe || s.Case != (Case{ID: "F1", Reason: CaseNotMe}) {
			t.Errorf("%s: frozen: %+v", name, s)
		}
		if s := Fold(s, AccountUnfrozen{UnfrozenFound}); s.Factor() != before.Factor() || s.Frozen != "" {
			t.Errorf("%s: unfrozen: %+v", name, s)
		}
	}
	if s := Fold(State{}, AccountFrozen{}); s.Frozen == "" {
		t.Error("a freeze without a reason is none")
	}
}

func TestUnfreezing(t *testing.T) {
	t.Parallel()
	anew := []Event{AccountUnfrozen{UnfrozenHelpdesk}, EnrolmentReset{ResetToRecover}}
	ended := RecoveryCompleted{"F1", EndHelpdesk}
	revoked := PocketRevoked{"d1", RevokedByHelpdesk}
	after := with(withPocket, with(notMe, with([]Event{revoked}, with(anew, ended)...)...)...)
	unfreeze := RequestCase{Case: "S1", Action: Unfreezing, Reason: CaseMistake, Alone: true}
	alone := func(effects ...Event) []Event {
		asked := RecoveryRequested{Case: "S1", Reason: CaseMistake, Action: Unfreezing, Alone: true, By: "console"}
		return append(with([]Event{asked}, effects...), RecoveryCompleted{"S1", EndDone})
	}
	set := SetNameAndPassword{Name: name, Credential: ref(9), Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1"}
	run(t, []scenario{
		{name: "sms: everything is proved anew", given: with(withSMS, notMe...), when: unfreeze, who: domain.Console(), then: alone(with(anew, ended)...)},
		{name: "pocket: the phone loses its key as well", given: with(withPocket, notMe...), when: unfreeze, who: domain.Console(), then: alone(with([]Event{revoked}, with(anew, ended)...)...)},
		{name: "stolen: it has lost it", given: with(withPocket, with([]Event{PocketRevoked{"d1", StolenDevice}}, stolen...)...), when: unfreeze, who: domain.Console(), then: alone(with(anew, ended)...)},
		{name: "without a case there is none to end", given: with(withSMS, AccountFrozen{FrozenHelpdesk}), when: unfreeze, who: domain.Console(), then: alone(anew...)},
		{name: "whoever was enrolling starts again too", given: with(toStep5, AccountFrozen{FrozenHelpdesk}), when: unfreeze, who: domain.Console(), then: alone(anew...)},
		{name: "who is not frozen is left alone", given: withPocket, when: unfreeze, who: domain.Console(), refused: ErrPointless},
		{name: "twice is once", given: after, when: unfreeze, who: domain.Console(), refused: ErrPointless},

		{name: "then a new password is set, without the old one", given: after, when: set, then: []Event{named, PasswordSet{ref(9), "argon2id", "m=65536,t=3,p=1", "p1", PasswordAtEnrolment}}},
		{name: "not over the old one", given: after, when: SetNameAndPassword{Name: name, Credential: ref(9), Replaces: secret}, refused: ErrMovedOn},
		{name: "the old one is not kept anew", given: after, when: ChangePassword{Credential: ref(9), Reason: PasswordRehashed, Replaces: secret}, refused: ErrOutOfOrder},
		{name: "no factor is chosen before that", given: after, when: ChooseSMS{}, refused: ErrOutOfOrder},
		{name: "nor a phone paired", given: after, when: OfferPairing{Pairing: "q3"}, refused: ErrOutOfOrder},
		{name: "nor a number given", given: after, when: GivePhone{mobile, "c9", "k2"}, refused: ErrOutOfOrder},
		{name: "nor is the phone found", given: after, when: FoundPhone{"c4"}},
		{name: "nor are the codes of before good", given: with(changing, with(notMe, anew...)...), when: ConfirmPhone{"c3", true}, refused: ErrNothingToConfirm},
	})
	s := Fold(State{}, after...)
	want := Fold(State{}, toStep2...)
	if s.Factor() != NoFactor || s.Step() != StepPassword || s.Frozen != "" || s.Case != (Case{}) || s.Device.ID != "" ||
		!s.Password.IsZero() || !s.Phone.Ref.IsZero() || s.Choice != (Choice{}) || s.Pairing.Stage != NotPairing {
		t.Errorf("unfrozen: %+v", s)
	}
	if s.Email != want.Email || s.Admission != want.Admission || s.Language != want.Language || !s.Started {
		t.Errorf("what was proved before the password is gone: %+v", s)
	}
	frozen := Fold(State{}, with(withSMS, with(notMe, EnrolmentReset{ForgottenPassword})...)...)
	if frozen.Frozen != FrozenNotMe || frozen.Case.ID != "F1" {
		t.Errorf("a reset alone ends no freeze: %+v", frozen)
	}
}

func TestProvingTheMail(t *testing.T) {
	t.Parallel()
	ask := AskRecovery{"c4", "k1"}
	waiting := with(withPocket, recoveryCode)
	right, bad := ConfirmRecovery{"c4", true}, ConfirmRecovery{"c4", false}
	rejected := func(n int, why Rejection) CodeRejected { return CodeRejected{"c4", n, why} }
	five := []Event{rejected(1, Wrong), rejected(2, Wrong), rejected(3, Wrong), rejected(4, Wrong), rejected(5, Wrong)}
	run(t, []scenario{
		{name: "a code goes to the confirmed address", given: withPocket, when: ask, then: []Event{recoveryCode}},
		{name: "with sms too", given: withSMS, when: ask, then: []Event{recoveryCode}},
		{name: "also while frozen", given: with(withPocket, lost...), when: ask, then: []Event{recoveryCode}},
		{name: "an open one is sent again as it is", given: waiting, when: AskRecovery{"c9", "k1"}},
		{name: "or by Reissue", given: waiting, when: Reissue{Recovering, "c9", "k1"}},
		{
			name: "one that was used is not", given: proved, when: AskRecovery{"c9", "k1"},
			then: []Event{CodeIssued{"c9", Recovering, ByMail, mail, "k1", quarter}},
		},
		{
			name: "nor one that ends soon", given: waiting, when: AskRecovery{"c9", "k1"}, at: noon.Add(10*time.Minute + 1),
			then: []Event{CodeIssued{"c9", Recovering, ByMail, mail, "k1", noon.Add(25*time.Minute + 1)}},
		},
		{name: "Reissue before anybody asked", given: withPocket, when: Reissue{Recovering, "c9", "k1"}, refused: ErrNothingToConfirm},
		{name: "a locked person gets none", given: with(withPocket, wrongs(20)...), when: ask, refused: ErrLocked},
		{name: "nor by Reissue", given: with(waiting, wrongs(20)...), when: Reissue{Recovering, "c9", "k1"}, refused: ErrLocked},
		{name: "without a live phone there is nothing to recover", given: with(withPocket, PocketRevoked{"d1", StolenDevice}, AccountFrozen{FrozenStolen}), when: ask, refused: ErrNotEnrolled},

		{name: "the right code is confirmed", given: waiting, when: right, then: []Event{mailRight}},
		{name: "to its last moment", given: waiting, when: right, at: quarter, then: []Event{mailRight}},
		{name: "a late one is rejected", given: waiting, when: right, at: quarter.Add(1), then: []Event{rejected(1, Expired)}},
		{name: "a used one too", given: proved, when: right, then: []Event{rejected(1, Used)}},
		{name: "a wrong one is recorded", given: waiting, when: bad, then: []Event{rejected(1, Wrong)}},
		{name: "after five even the right one is refused", given: with(waiting, five...), when: right, refused: ErrCodeEnded},
		{name: "nothing was asked", given: withPocket, when: ConfirmRecovery{"", true}, refused: ErrNothingToConfirm},
		{name: "another code proves nothing", given: waiting, when: ConfirmRecovery{"c1", true}, refused: ErrNothingToConfirm},
		{name: "nor does the code to the number prove the mail", given: newPhone, when: ConfirmRecovery{"c5", true}, refused: ErrNothingToConfirm},
		{name: "it confirms no address", given: waiting, when: ConfirmEmail{"c4", true}, refused: ErrAlreadyEnrolled},
	})
	if s := Fold(State{}, proved...); s.Email != mail || s.Factor() != Pocket || !s.Codes.Recovery.Used || s.Step() != StepDone {
		t.Errorf("a proved mail alone changed something: %+v", s)
	}
}

func TestReportingThePhone(t *testing.T) {
	t.Parallel()
	report := func(why CaseReason) ReportPhone { return ReportPhone{why, "F1", "c4", "c5", "k2"} }
	revoked := PocketRevoked{"d1", StolenDevice}
	codes := []Event{reportedNew, numberCode}
	var scenarios []scenario
	for _, why := range []CaseReason{CaseLost, CaseStolen, CaseNew, CaseNotMe, "bored"} {
		stale := ReportPhone{why, "F1", "c0", "c5", "k2"}
		nothing := ReportPhone{why, "F1", "", "c5", "k2"}
		scenarios = append(scenarios,
			scenario{name: string(why) + " without a proved mail", given: withPocket, when: report(why), refused: ErrOutOfOrder},
			scenario{name: string(why) + " with a code that was only asked for", given: with(withPocket, recoveryCode), when: report(why), refused: ErrOutOfOrder},
			scenario{name: string(why) + " with another code", given: proved, when: stale, refused: ErrOutOfOrder},
			scenario{name: string(why) + " with none", given: withPocket, when: nothing, refused: ErrOutOfOrder},
			scenario{name: string(why) + " with the code of the enrolment", given: withPocket, when: ReportPhone{why, "F1", "c1", "c5", "k2"}, refused: ErrOutOfOrder},
			scenario{name: string(why) + " with the code to the number", given: with(newPhone, numberRight), when: ReportPhone{why, "F1", "c5", "c6", "k2"}, refused: ErrOutOfOrder},
			scenario{name: string(why) + " with a mail proved too long ago", given: proved, when: report(why), at: noon.Add(30 * time.Minute), refused: ErrOutOfOrder},
			scenario{name: string(why) + " with one that another has replaced", given: with(proved, CodeIssued{"c9", Recovering, ByMail, mail, "k1", quarter}), when: report(why), refused: ErrOutOfOrder},
			scenario{name: string(why) + " after a reset", given: with(proved, EnrolmentReset{ResetToRecover}), when: report(why), refused: ErrNotEnrolled},
		)
	}
	run(t, append(scenarios, []scenario{
		{name: "lost freezes", given: proved, when: report(CaseLost), then: lost},
		{name: "with sms too", given: provedSMS, when: report(CaseLost), then: lost},
		{name: "while the proof is not half an hour old", given: proved, when: report(CaseLost), at: noon.Add(30*time.Minute - 1), then: lost},
		{name: "whoever is locked too", given: with(proved, wrongs(20)...), when: report(CaseLost), then: lost},
		{name: "it ends a pairing under way", given: with(provedSMS, switching), when: report(CaseLost), then: append([]Event{PairingFailed{"q2", Cancelled}}, lost...)},
		{name: "lost again changes nothing", given: wasLost, when: report(CaseLost)},
		{name: "nor does lost after somebody else", given: with(withPocket, with(notMe, mailProof...)...), when: report(CaseLost)},

		{name: "stolen takes the key as well", given: proved, when: report(CaseStolen), then: append([]Event{revoked}, stolen...)},
		{name: "where there is one", given: provedSMS, when: report(CaseStolen), then: stolen},
		{name: "also after lost", given: wasLost, when: report(CaseStolen), then: append([]Event{revoked}, stolen...)},
		{name: "whoever is locked too, stolen", given: with(proved, wrongs(20)...), when: report(CaseStolen), then: append([]Event{revoked}, stolen...)},
		{name: "it ends a pairing under way, stolen", given: with(proved, switching), when: report(CaseStolen), then: append([]Event{PairingFailed{"q2", Cancelled}, revoked}, stolen...)},
		{name: "not after somebody else", given: with(withPocket, with(notMe, mailProof...)...), when: report(CaseStolen)},
		{name: "not after staff", given: with(proved, AccountFrozen{FrozenHelpdesk}), when: report(CaseStolen)},
		{name: "stolen again changes nothing", given: with(provedSMS, stolen...), when: report(CaseStolen)},

		{name: "a new one gets a code to the number", given: proved, when: report(CaseNew), then: codes},
		{name: "there is nothing new about sms", given: provedSMS, when: report(CaseNew), refused: ErrOutOfOrder},
		{name: "not while frozen", given: wasLost, when: report(CaseNew), refused: ErrFrozen},
		{name: "whoever is locked gets no more codes", given: with(proved, wrongs(20)...), when: report(CaseNew), refused: ErrLocked},
		{name: "each needs a mail of its own", given: newPhone, when: report(CaseNew), refused: ErrOutOfOrder},
		{name: "somebody else is not reported here", given: proved, when: report(CaseNotMe), refused: ErrOutOfOrder},
		{name: "nor is anything else", given: proved, when: report("bored"), refused: ErrOutOfOrder},
	}...))
	if s := Fold(State{}, with(proved, lost...)...); s.Factor() != NoFactor || s.Chosen() != Pocket || s.Case != (Case{ID: "F1", Reason: CaseLost}) {
		t.Errorf("lost: %+v", s)
	}
	if s := Fold(State{}, with(proved, append([]Event{revoked}, stolen...)...)...); s.Chosen() != NoFactor || s.Frozen != FrozenStolen {
		t.Errorf("stolen: %+v", s)
	}
	if s := Fold(State{}, newPhone...); s.Factor() != Pocket || s.Device.ID != "d1" {
		t.Errorf("a new phone changes nothing before the number is proved: %+v", s)
	}
}

func TestRecoveringByTheNumber(t *testing.T) {
	t.Parallel()
	right, bad := RecoverNumber{"c5", true}, RecoverNumber{"c5", false}
	done := []Event{
		numberRight, PocketRevoked{"d1", LostDevice}, FactorChosen{Factor: SMS, Reason: FactorRecovered}, RecoveryCompleted{"F1", EndNew},
	}
	rejected := func(n int) CodeRejected { return CodeRejected{"c5", n, Wrong} }
	five := []Event{rejected(1), rejected(2), rejected(3), rejected(4), rejected(5)}
	run(t, []scenario{
		{name: "sms takes the place of pocket in the same append", given: newPhone, when: right, then: done},
		{name: "a pairing under way ends", given: with(newPhone, switching), when: right, then: append([]Event{PairingFailed{"q2", Cancelled}}, done...)},
		{name: "to the last moment of the code", given: newPhone, when: right, at: inTen, then: done},
		{name: "a late one is rejected", given: newPhone, when: right, at: inTen.Add(1), then: []Event{CodeRejected{"c5", 1, Expired}}},
		{name: "a wrong one is recorded", given: newPhone, when: bad, then: []Event{rejected(1)}},
		{name: "after five even the right one is refused", given: with(newPhone, five...), when: right, refused: ErrCodeEnded},
		{name: "nor after twenty in a row", given: with(newPhone, wrongs(20)...), when: right, refused: ErrLocked},
		{name: "once", given: with(newPhone, done...), when: right, refused: ErrOutOfOrder},
		{name: "not without a case", given: proved, when: right, refused: ErrOutOfOrder},
		{name: "not with the code of the mail", given: with(proved, reportedNew), when: RecoverNumber{"c4", true}, refused: ErrNothingToConfirm},
		{name: "nor when another mail was asked for since", given: with(newPhone, CodeIssued{"c9", Recovering, ByMail, mail, "k1", quarter}), when: right, refused: ErrNothingToConfirm},
		{name: "not when the number has changed since", given: with(newPhone, mine, changed), when: right, refused: ErrNothingToConfirm},
		{name: "not when the factor has", given: with(newPhone, PocketRevoked{"d1", SwitchedAway}, FactorChosen{Factor: SMS, Reason: FactorSwitched}), when: right, refused: ErrOutOfOrder},
		{name: "not when the account was frozen since", given: with(newPhone, notMe...), when: right, refused: ErrFrozen},
		{name: "nor after that", given: with(newPhone, with(lost, AccountUnfrozen{UnfrozenFound}, RecoveryCompleted{"F1", EndFound})...), when: right, refused: ErrOutOfOrder},
		{name: "it is no code to log in", given: newPhone, when: ConfirmNewPhone{"c5", true}, refused: ErrNothingToConfirm},
		{name: "its code is sent again", given: newPhone, when: Reissue{Recovering, "c9", "k2"}},
		{
			name: "or a new one, to the number again", given: with(newPhone, five...), when: Reissue{Recovering, "c9", "k2"},
			then: []Event{CodeIssued{"c9", Recovering, BySMS, mobile.Ref, "k2", inTen}},
		},
	})
	if s := Fold(State{}, with(newPhone, done...)...); s.Factor() != SMS || s.Device.ID != "" || s.Case != (Case{}) || s.Phone != mobile {
		t.Errorf("recovered: %+v", s)
	}
}

// Whoever reads somebody's mail and knows the password must not guess at the code
// to their number for ever: the right code of the mail ends no row.
func TestProvingTheMailEndsNoRow(t *testing.T) {
	t.Parallel()
	guesses := 0
	s := Fold(State{}, withPocket...)
	decide := func(c Command) error {
		events, err := policy.Decide(s, c, at(noon))
		s = Fold(s, events...)
		return err
	}
	for range 10 {
		if decide(AskRecovery{"m", "k1"}) != nil || decide(ConfirmRecovery{"m", true}) != nil ||
			decide(ReportPhone{CaseNew, "F1", "m", "n", "k2"}) != nil {
			break
		}
		for decide(RecoverNumber{"n", false}) == nil {
			guesses++
		}
	}
	if guesses != policy.WrongCodesInARow {
		t.Errorf("%d guesses at the number, want %d and then the helpdesk", guesses, policy.WrongCodesInARow)
	}
	if s := Fold(State{}, with(wrongs(7), with(newPhone, numberRight)...)...); s.WrongInARow != 0 {
		t.Errorf("the number, proved, ends the row; it stands at %d", s.WrongInARow)
	}
}

func TestFindingThePhone(t *testing.T) {
	t.Parallel()
	found := FoundPhone{"c4"}
	back := []Event{AccountUnfrozen{UnfrozenFound}, RecoveryCompleted{"F1", EndFound}}
	frozen := func(why FreezeReason) []Event { return with(proved, AccountFrozen{why}) }
	run(t, []scenario{
		{name: "the freeze ends, and the case", given: wasLost, when: found, then: back},
		{name: "with sms too", given: with(provedSMS, lost...), when: found, then: back},
		{name: "without a case there is none to end", given: frozen(FrozenLost), when: found, then: back[:1]},
		{name: "who is not frozen has nothing to find", given: proved, when: found},
		{name: "not what was stolen", given: frozen(FrozenStolen), when: found, refused: ErrFrozen},
		{name: "not after somebody else", given: frozen(FrozenNotMe), when: found, refused: ErrFrozen},
		{name: "not against staff", given: frozen(FrozenHelpdesk), when: found, refused: ErrFrozen},
		{name: "not when lost became stolen", given: with(wasLost, AccountFrozen{FrozenStolen}), when: found, refused: ErrFrozen},
		{name: "not without a proved mail", given: with(withPocket, lost...), when: found, refused: ErrOutOfOrder},
		{name: "not with one that was only asked for", given: with(withPocket, with(lost, recoveryCode)...), when: found, refused: ErrOutOfOrder},
		{name: "nor with an old one", given: wasLost, when: found, at: noon.Add(30 * time.Minute), refused: ErrOutOfOrder},
		{name: "nor with another", given: wasLost, when: FoundPhone{"c9"}, refused: ErrOutOfOrder},
		{name: "nor with none", given: with(withPocket, lost...), when: FoundPhone{}, refused: ErrOutOfOrder},
		{name: "without a factor there is nothing to come back", given: with(proved, PocketRevoked{"d1", StolenDevice}, AccountFrozen{FrozenLost}), when: found, refused: ErrOutOfOrder},
	})
	if s := Fold(State{}, with(wasLost, back...)...); s.Factor() != Pocket || s.Case != (Case{}) {
		t.Errorf("found: %+v", s)
	}
}
