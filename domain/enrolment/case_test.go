package enrolment_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

var (
	inHour  = noon.Add(time.Hour)
	nextDay = noon.Add(24 * time.Hour)
	twoDays = noon.Add(48 * time.Hour)

	done = RecoveryCompleted{"S1", EndDone}
)

// asks is a request by Anna, in person.
func asks(a Action, why CaseReason) RequestCase {
	return RequestCase{Case: "S1", Subject: person, Action: a, Reason: why, Evidence: seen, KeyID: "k1"}
}

// asked is what is recorded of it.
func asked(c RequestCase) RecoveryRequested {
	e := RecoveryRequested{
		Case: c.Case, Reason: c.Reason, Evidence: c.Evidence, Action: c.Action, Remote: c.Remote, By: anna.ID, KeyID: c.KeyID,
	}
	if c.Action.Second() {
		e.Expires = inHour
	}
	if c.Action == CorrectingNumber {
		e.Phone, e.Source, e.Country = &c.Phone.Ref, c.Phone.Source, c.Phone.Country
	}
	return e
}

func remote(c RequestCase) RequestCase {
	c.Remote, c.Evidence = true, []Evidence{CalledBack}
	return c
}

func TestWhatStaffDoAtOnce(t *testing.T) {
	t.Parallel()
	freeze := asks(Freezing, CaseSuspicion)
	freeze.Evidence = nil
	unlock := asks(Unlocking, CaseWrongCodes)
	resend := asks(Resending, CaseNoCode)
	resend.Evidence, resend.Resend = nil, Reissue{VerifyingPhone, "c9", "k2"}
	again := CodeIssued{"c9", VerifyingPhone, BySMS, mobile.Ref, "k2", inTen.Add(6 * time.Minute)}
	late := asked(resend)
	byMail := resend
	byMail.Resend = Reissue{ConfirmingEmail, "c9", "k1"}
	waits := asked(asks(Resetting, CaseForgotten))
	waits.Case = "S0"
	locked := with(toStep2, wrongs(20)[1:]...)
	run(t, []scenario{
		{name: "a freeze", given: withSMS, when: freeze, who: anna, then: []Event{asked(freeze), AccountFrozen{FrozenHelpdesk}, done}},
		{
			name: "a freeze ends what waits for a second person", given: with(withSMS, waits), when: freeze, who: anna,
			then: []Event{asked(freeze), AccountFrozen{FrozenHelpdesk}, RecoveryStopped{"S0", StoppedByFreeze}, done},
		},
		{
			name: "so does not-me on the phone", given: with(withPocket, waits), when: Freeze{FrozenNotMe, "F1"},
			then: with(notMe, RecoveryStopped{"S0", StoppedByFreeze}),
		},
		{
			name: "and a phone that is lost", given: with(proved, waits), when: ReportPhone{CaseLost, "F1", "c4", "c5", "k2"},
			then: with(lost, RecoveryStopped{"S0", StoppedByFreeze}),
		},
		{
			name: "or stolen", given: with(proved, waits), when: ReportPhone{CaseStolen, "F1", "c4", "c5", "k2"},
			then: append([]Event{PocketRevoked{"d1", StolenDevice}}, with(stolen, RecoveryStopped{"S0", StoppedByFreeze})...),
		},
		{name: "a freeze of a frozen account is none", given: with(withSMS, notMe...), when: freeze, who: anna, refused: ErrPointless},
		{name: "but it takes the place of lost", given: with(withSMS, lost...), when: freeze, who: anna, then: []Event{asked(freeze), AccountFrozen{FrozenHelpdesk}, done}},
		{name: "an unlock", given: locked, when: unlock, who: anna, then: []Event{asked(unlock), Unlocked{UnlockedByHelpdesk}, done}},
		{name: "an unlock of who is frozen", given: with(locked, AccountFrozen{FrozenHelpdesk}), when: unlock, who: anna, then: []Event{asked(unlock), Unlocked{UnlockedByHelpdesk}, done}},
		{name: "an unlock of who is not locked", given: withSMS, when: unlock, who: anna, refused: ErrPointless},
		{name: "an open code is sent again as it is", given: toStep4, when: resend, who: anna, then: []Event{asked(resend), done}},
		{name: "or a new one", given: toStep4, when: resend, who: anna, at: noon.Add(6 * time.Minute), then: []Event{late, again, done}},
		{name: "nor the mail's, once it was typed", given: toStep4, when: byMail, who: anna, refused: ErrNothingToConfirm},
		{name: "but before it", given: toStep2[:2], when: byMail, who: anna, then: []Event{asked(byMail), done}},
		{name: "to nobody who waits for none", given: toStep3, when: resend, who: anna, refused: ErrNothingToConfirm},
		{name: "nor to whoever is frozen", given: with(toStep4, AccountFrozen{FrozenHelpdesk}), when: resend, who: anna, refused: ErrFrozen},
		{name: "while something else waits", given: with(toStep4, waits), when: resend, who: anna, then: []Event{asked(resend), done}},
	})
	if s := Fold(State{}, with(toStep4, waits, asked(resend), done)...); s.Request.ID != "S0" {
		t.Errorf("what was done at once ended what waits: %+v", s.Request)
	}
}

func TestWhoMayAskForWhat(t *testing.T) {
	t.Parallel()
	var scenarios []scenario
	for _, a := range Actions() {
		c := asks(a, a.Reasons()[0])
		c.Phone, c.Resend = other, Reissue{VerifyingPhone, "c9", "k2"}
		bare, otherwise, claims, twice, nameless := c, c, c, c, c
		bare.Evidence, otherwise.Reason, claims.Evidence, nameless.Case = nil, "bored", []Evidence{ProvedPocket}, ""
		twice.Evidence = []Evidence{SawPass, SawPass}
		afar, near := c, c
		afar.Remote, near.Evidence = true, []Evidence{CalledBack}
		given := toStep4
		switch a {
		case Unfreezing:
			given = with(withSMS, notMe...)
		case Unlocking:
			given = with(toStep4, wrongs(20)[1:]...)
		case RevokingPocket:
			given = withPocket
		case Freezing, Resending, CorrectingNumber, Resetting, IssuingTicket, Erasing:
		}
		scenarios = append(scenarios,
			scenario{name: string(a) + " by nobody", given: given, when: c, refused: ErrNotStaff},
			scenario{name: string(a) + " by the person", given: given, when: c, who: domain.Actor{Kind: domain.ActorPerson, ID: person.String(), Role: domain.RoleSubject}, refused: ErrNotStaff},
			scenario{name: string(a) + " by the service", given: given, when: c, who: domain.Actor{Kind: domain.ActorService, ID: "portal"}, refused: ErrNotStaff},
			scenario{name: string(a) + " on one's own account", given: given, when: c, who: mySelf, refused: ErrOwnAccount},
			scenario{name: string(a) + " for no reason of its own", given: given, when: otherwise, who: anna, refused: ErrBadReason},
			scenario{name: string(a) + " without a name", given: given, when: nameless, who: anna, refused: ErrBadReason},
			scenario{name: string(a) + " on a claim of what Keydesk sees", given: given, when: claims, who: anna, refused: ErrNoEvidence},
			scenario{name: string(a) + " on one thing twice", given: given, when: twice, who: anna, refused: ErrNoEvidence},
			scenario{name: string(a) + " from afar, having seen something", given: given, when: afar, who: anna, refused: ErrNoEvidence},
			scenario{name: string(a) + " in person, having called", given: given, when: near, who: anna, refused: ErrNoEvidence},
		)
		if a.Proof() {
			scenarios = append(scenarios, scenario{name: string(a) + " on nothing", given: given, when: bare, who: anna, refused: ErrNoEvidence})
		}
		if a.Second() {
			alone := bare
			alone.Alone = true
			scenarios = append(scenarios, scenario{name: string(a) + " alone", given: given, when: alone, who: anna, refused: ErrSamePerson})
			scenarios = append(scenarios, scenario{name: string(a) + " waits", given: given, when: c, who: anna, then: []Event{asked(c)}})
		}
	}
	odd := asks("dance", CaseLost)
	free := asks(Freezing, CaseLost)
	free.Alone = true
	run(t, append(scenarios,
		scenario{name: "no such action", given: withSMS, when: odd, who: anna, refused: ErrBadReason},
		scenario{name: "alone what needs nobody else", given: withSMS, when: free, who: domain.Console(), refused: ErrSamePerson},
		scenario{name: "one with the name of the open one", given: with(withSMS, lost...), when: RequestCase{Case: "F1", Subject: person, Action: Unfreezing, Reason: CaseLost, Evidence: seen}, who: anna, refused: ErrCaseOpen},
	))
}

func TestTheSecondPerson(t *testing.T) {
	t.Parallel()
	reset := asks(Resetting, CaseForgotten)
	waits := with(withSMS, asked(reset))
	approve := ApproveCase{"S1", person}
	approved := RecoveryApproved{"S1", bram.ID, noon, noon}
	did := []Event{approved, EnrolmentReset{ResetByHelpdesk}, done}
	expired := []Event{RecoveryExpired{"S1"}}
	next := reset
	next.Case = "S2"
	nextAsked := asked(next)
	nextAsked.Expires = inHour.Add(time.Hour + 1)
	run(t, []scenario{
		{name: "in person it is done with the second one's word", given: waits, when: approve, who: bram, then: did},
		{name: "also by the console", given: waits, when: approve, who: domain.Console(), then: []Event{RecoveryApproved{"S1", "console", noon, noon}, EnrolmentReset{ResetByHelpdesk}, done}},
		{name: "not by the first one", given: waits, when: approve, who: anna, refused: ErrSamePerson},
		{name: "nor by the person themselves", given: waits, when: approve, who: mySelf, refused: ErrOwnAccount},
		{name: "nor by nobody", given: waits, when: approve, refused: ErrNotStaff},
		{name: "nor of another case", given: waits, when: ApproveCase{"S2", person}, who: bram, refused: ErrNoCase},
		{name: "nor of none", given: withSMS, when: ApproveCase{"", person}, who: bram, refused: ErrNoCase},
		{name: "to the last moment", given: waits, when: approve, who: bram, at: inHour, then: []Event{RecoveryApproved{"S1", bram.ID, inHour, inHour}, EnrolmentReset{ResetByHelpdesk}, done}},
		{name: "after it, it lapses", given: waits, when: approve, who: bram, at: inHour.Add(1), then: expired},
		{name: "once", given: with(waits, did...), when: approve, who: bram, refused: ErrNoCase},
		{name: "not when the account was frozen since", given: with(waits, AccountFrozen{FrozenLost}), when: approve, who: bram, refused: ErrFrozen},
		{name: "not what has become pointless", given: with(waits, EnrolmentReset{ForgottenPassword}), when: approve, who: bram, refused: ErrPointless},

		{name: "one case at a time", given: waits, when: next, who: bram, refused: ErrCaseOpen},
		{name: "one that has lapsed is in nobody's way", given: waits, when: next, who: anna, at: inHour.Add(1), then: []Event{expired[0], nextAsked}},

		{name: "another may deny it", given: waits, when: DenyCase{"S1", person, DeniedUnproved}, who: bram, then: []Event{RecoveryDenied{"S1", bram.ID, DeniedUnproved}}},
		{name: "so may who asked", given: waits, when: DenyCase{"S1", person, DeniedMistake}, who: anna, then: []Event{RecoveryDenied{"S1", anna.ID, DeniedMistake}}},
		{name: "not the person, who may stop it", given: waits, when: DenyCase{"S1", person, DeniedMistake}, who: mySelf, refused: ErrOwnAccount},
		{name: "nor nobody", given: waits, when: DenyCase{"S1", person, DeniedMistake}, refused: ErrNotStaff},
		{name: "nor for any reason", given: waits, when: DenyCase{"S1", person, "bored"}, who: bram, refused: ErrBadReason},
		{name: "nor another case", given: waits, when: DenyCase{"S2", person, DeniedMistake}, who: bram, refused: ErrNoCase},
		{name: "what lapsed is not denied", given: waits, when: DenyCase{"S1", person, DeniedMistake}, who: bram, at: inHour.Add(1), then: expired},
		{name: "what was denied is not approved", given: with(waits, RecoveryDenied{"S1", bram.ID, DeniedMistake}), when: approve, who: bram, refused: ErrNoCase},

		{name: "the person stops it", given: waits, when: StopCase{"S1"}, then: []Event{RecoveryStopped{"S1", StoppedByPerson}}},
		{name: "not another", given: waits, when: StopCase{"S2"}, refused: ErrNoCase},
		{name: "nor none", given: withSMS, when: StopCase{""}, refused: ErrNoCase},
		{name: "nor what lapsed", given: waits, when: StopCase{"S1"}, at: inHour.Add(1), then: expired},
		{name: "nor twice", given: with(waits, RecoveryStopped{"S1", StoppedByPerson}), when: StopCase{"S1"}, refused: ErrNoCase},
		{name: "what was stopped is not approved", given: with(waits, RecoveryStopped{"S1", StoppedByPerson}), when: approve, who: bram, refused: ErrNoCase},

		{name: "that it lapsed is recorded", given: waits, when: ExpireCase{"S1"}, at: inHour.Add(1), then: expired},
		{name: "not before", given: waits, when: ExpireCase{"S1"}, at: inHour},
		{name: "nor of another", given: waits, when: ExpireCase{"S2"}, at: inHour.Add(1)},
		{name: "what nobody approved is not carried out", given: waits, when: CarryOut{"S1"}, refused: ErrNotApproved},
		{name: "nor what lapsed", given: waits, when: CarryOut{"S1"}, at: inHour.Add(1), then: expired},
		{name: "nor what is no case", given: withSMS, when: CarryOut{""}, refused: ErrNoCase},
	})
}

func TestFromAfarItWaitsForADay(t *testing.T) {
	t.Parallel()
	waits := with(withSMS, asked(remote(asks(Resetting, CaseForgotten))))
	approved := RecoveryApproved{"S1", bram.ID, nextDay, twoDays}
	ready := with(waits, approved)
	did := []Event{EnrolmentReset{ResetByHelpdesk}, done}
	expired := []Event{RecoveryExpired{"S1"}}
	run(t, []scenario{
		{name: "the second one's word does nothing yet", given: waits, when: ApproveCase{"S1", person}, who: bram, then: []Event{approved}},
		{name: "nor does a second word", given: ready, when: ApproveCase{"S1", person}, who: domain.Console(), refused: ErrNoCase},
		{name: "it is not carried out before its time", given: ready, when: CarryOut{"S1"}, at: nextDay.Add(-1), refused: ErrTooEarly},
		{name: "then it is", given: ready, when: CarryOut{"S1"}, at: nextDay, then: did},
		{name: "for another day", given: ready, when: CarryOut{"S1"}, at: twoDays, then: did},
		{name: "after which it has lapsed", given: ready, when: CarryOut{"S1"}, at: twoDays.Add(1), then: expired},
		{name: "once", given: with(ready, did...), when: CarryOut{"S1"}, at: nextDay, refused: ErrNoCase},
		{name: "the person stops it meanwhile", given: ready, when: StopCase{"S1"}, at: nextDay.Add(-1), then: []Event{RecoveryStopped{"S1", StoppedByPerson}}},
		{name: "so may staff", given: ready, when: DenyCase{"S1", person, DeniedNotNeeded}, who: anna, at: nextDay, then: []Event{RecoveryDenied{"S1", anna.ID, DeniedNotNeeded}}},
		{name: "what was stopped is not carried out", given: with(ready, RecoveryStopped{"S1", StoppedByPerson}), when: CarryOut{"S1"}, at: nextDay, refused: ErrNoCase},
		{name: "nor what was denied", given: with(ready, RecoveryDenied{"S1", anna.ID, DeniedNotNeeded}), when: CarryOut{"S1"}, at: nextDay, refused: ErrNoCase},
		{name: "what has nothing to do any more ends", given: with(ready, AccountFrozen{FrozenLost}), when: CarryOut{"S1"}, at: nextDay, then: []Event{RecoveryStopped{"S1", StoppedByOther}}},
		{name: "an hour does not matter any more", given: ready, when: ExpireCase{"S1"}, at: inHour.Add(1)},
		{name: "but the end of the day does", given: ready, when: ExpireCase{"S1"}, at: twoDays.Add(1), then: expired},
	})
}

func TestVerifyingACaller(t *testing.T) {
	t.Parallel()
	ask := AskCaller{person, "v1", "k2"}
	code := CodeIssued{"v1", VerifyingCaller, BySMS, mobile.Ref, "k2", inTen}
	right := CodeConfirmed{"v1", VerifyingCaller, BySMS, quarter}
	onPhone := CodeConfirmed{"v2", VerifyingCaller, ByPocket, quarter}
	afar := remote(asks(Resetting, CaseForgotten))
	afar.Evidence = nil
	by := func(e ...Evidence) []Event {
		c := afar
		c.Evidence = e
		return []Event{asked(c)}
	}
	both := afar
	both.Evidence = []Evidence{CalledBack}
	late := by(ProvedNumber)[0].(RecoveryRequested) //nolint:forcetypeassert // it was made here
	late.Expires = quarter.Add(time.Hour)
	here := asks(Resetting, CaseForgotten)
	here.Evidence = nil
	sent := with(withSMS, code)
	unlocks := remote(asks(Unlocking, CaseWrongCodes))
	unlocks.Evidence = nil
	run(t, []scenario{
		{name: "a code goes to the number", given: withSMS, when: ask, who: anna, then: []Event{code}},
		{name: "asked by nobody", given: withSMS, when: ask, refused: ErrNotStaff},
		{name: "nor by themselves", given: withSMS, when: ask, who: mySelf, refused: ErrOwnAccount},
		{name: "with pocket the phone is asked", given: withPocket, when: ask, who: anna, refused: ErrOutOfOrder},
		{name: "without a factor there is none to prove", given: toStep5, when: ask, who: anna, refused: ErrNotEnrolled},
		{name: "not after twenty wrong codes", given: with(withSMS, wrongs(20)...), when: ask, who: anna, refused: ErrLocked},
		{name: "the right code", given: sent, when: ConfirmCaller{"v1", true}, who: anna, then: []Event{right}},
		{name: "a wrong one counts", given: sent, when: ConfirmCaller{"v1", false}, who: anna, then: []Event{CodeRejected{"v1", 1, Wrong}}},
		{name: "another code is none", given: sent, when: ConfirmCaller{"c2", true}, who: anna, refused: ErrNothingToConfirm},
		{name: "it is no code of another purpose", given: sent, when: ConfirmNewPhone{"v1", true}, refused: ErrNothingToConfirm},
		{name: "nor sent again as one", given: sent, when: Reissue{VerifyingCaller, "v9", "k2"}, refused: ErrAlreadyEnrolled},
		{name: "the phone's word", given: withPocket, when: CallerApproved{person, "v2", "d1"}, who: anna, then: []Event{onPhone}},
		{name: "not another phone's", given: withPocket, when: CallerApproved{person, "v2", "d0"}, who: anna, refused: ErrOutOfOrder},
		{name: "nor of themselves", given: withPocket, when: CallerApproved{person, "v2", "d1"}, who: mySelf, refused: ErrOwnAccount},

		{name: "a case stands on it", given: with(sent, right), when: afar, who: anna, then: by(ProvedNumber)},
		{name: "or on the phone", given: with(withPocket, onPhone), when: afar, who: anna, then: by(ProvedPocket)},
		{name: "beside what staff say", given: with(sent, right), when: both, who: anna, then: by(CalledBack, ProvedNumber)},
		{name: "for a quarter of an hour", given: with(sent, right), when: afar, who: anna, at: quarter, then: []Event{late}},
		{name: "and no longer", given: with(sent, right), when: afar, who: anna, at: quarter.Add(1), refused: ErrNoEvidence},
		{name: "a code that was only sent is nothing", given: sent, when: afar, who: anna, refused: ErrNoEvidence},
		{name: "a phone on the desk proves no face", given: with(sent, right), when: here, who: anna, refused: ErrNoEvidence},
		{name: "a freeze ends it", given: with(sent, right, AccountFrozen{FrozenLost}, AccountUnfrozen{UnfrozenFound}), when: afar, who: anna, refused: ErrNoEvidence},
		{name: "it is for one case", given: with(sent, right, asked(unlocks), done), when: afar, who: anna, refused: ErrNoEvidence},
	})
}

func TestCorrectingANumber(t *testing.T) {
	t.Parallel()
	c := asks(CorrectingNumber, CaseWrongNumber)
	c.Phone = other
	waits := asked(c)
	approve := ApproveCase{"S1", person}
	approved := RecoveryApproved{"S1", bram.ID, noon, noon}
	void := PhoneVoided{VoidedByHelpdesk}
	set := func(p Phone) RequestCase {
		d := c
		d.Phone = p
		return d
	}
	run(t, []scenario{
		{name: "of who waits for its code", given: with(toStep4, waits), when: approve, who: bram, then: []Event{approved, mine, done}},
		{name: "of who has proved the other one", given: with(toStep5, waits), when: approve, who: bram, then: []Event{approved, void, mine, done}},
		{name: "of who is pairing", given: with(toStep5, offered, waits), when: approve, who: bram, then: []Event{approved, PairingFailed{"q1", Cancelled}, void, mine, done}},
		{name: "of who has sms: there is no factor until it is proved", given: with(withSMS, waits), when: approve, who: bram, then: []Event{approved, void, mine, done}},
		{name: "who has pocket does it themselves", given: withPocket, when: c, who: anna, refused: ErrAlreadyEnrolled},
		{name: "who has no password yet gives it themselves", given: toStep2, when: c, who: anna, refused: ErrOutOfOrder},
		{name: "the one that counts", given: withSMS, when: set(mobile), who: anna, refused: ErrSamePhone},
		{name: "the one that is given", given: toStep4, when: set(mobile), who: anna, refused: ErrSamePhone},
		{name: "none", given: withSMS, when: set(Phone{Country: "NL"}), who: anna, refused: ErrSamePhone},
		{name: "of a country that gets no SMS", given: withSMS, when: set(Phone{ref(8), FromSelf, "US"}), who: anna, refused: ErrCountryNotAllowed},
		{name: "of who is frozen", given: with(withSMS, notMe...), when: c, who: anna, refused: ErrFrozen},
	})
	s := Fold(State{}, with(withSMS, waits, approved, void, mine, done)...)
	if s.Chosen() != NoFactor || s.Step() != StepSMSCode || s.Given != other || s.Password != secret {
		t.Errorf("corrected: %+v", s)
	}
	if s := Fold(s, CodeIssued{"c9", VerifyingPhone, BySMS, other.Ref, "k2", inTen}, PhoneVerified{"c9", other.Ref, other.Source, other.Country}); s.Factor() != SMS || s.Phone != other {
		t.Errorf("proved: %+v", s)
	}
}

func TestRevokingAPhone(t *testing.T) {
	t.Parallel()
	c := asks(RevokingPocket, CaseBroken)
	waits := asked(c)
	approved := RecoveryApproved{"S1", bram.ID, noon, noon}
	did := []Event{approved, PocketRevoked{"d1", RevokedByHelpdesk}, PhoneVoided{VoidedByHelpdesk}, given, done}
	after := with(withPocket, with([]Event{waits}, did...)...)
	stolen := c
	stolen.Reason = CaseStolen
	run(t, []scenario{
		{name: "the number is proved again", given: with(withPocket, waits), when: ApproveCase{"S1", person}, who: bram, then: did},
		{name: "their own case is over with it", given: with(newPhone, waits), when: ApproveCase{"S1", person}, who: bram, then: with(did[:4], RecoveryCompleted{"F1", EndHelpdesk}, done)},
		{name: "where there is none", given: withSMS, when: c, who: anna, refused: ErrPointless},
		{name: "a phone in other hands is a reason to freeze", given: withPocket, when: stolen, who: anna, refused: ErrBadReason},
		{name: "the password pairs no other phone", given: after, when: OfferPairing{Pairing: "q9"}, refused: ErrOutOfOrder},
		{name: "nor chooses sms", given: after, when: ChooseSMS{}, refused: ErrOutOfOrder},
		{name: "before the number is proved", given: after, when: Reissue{VerifyingPhone, "c9", "k2"}, then: []Event{CodeIssued{"c9", VerifyingPhone, BySMS, mobile.Ref, "k2", inTen}}},
	})
	if s := Fold(State{}, after...); s.Factor() != NoFactor || s.Step() != StepSMSCode || s.Given != mobile || s.Password != secret {
		t.Errorf("revoked: %+v", s)
	}
}

func TestResettingByStaff(t *testing.T) {
	t.Parallel()
	c := asks(Resetting, CaseForgotten)
	waits := asked(c)
	approve := ApproveCase{"S1", person}
	approved := RecoveryApproved{"S1", bram.ID, noon, noon}
	reset := EnrolmentReset{ResetByHelpdesk}
	run(t, []scenario{
		{name: "of who has sms", given: with(withSMS, waits), when: approve, who: bram, then: []Event{approved, reset, done}},
		{name: "of who has pocket", given: with(withPocket, waits), when: approve, who: bram, then: []Event{approved, PocketRevoked{"d1", RevokedByHelpdesk}, reset, done}},
		{name: "of who is not done", given: with(toStep3, waits), when: approve, who: bram, then: []Event{approved, reset, done}},
		{name: "with their own case", given: with(newPhone, waits), when: approve, who: bram, then: []Event{approved, PocketRevoked{"d1", RevokedByHelpdesk}, reset, RecoveryCompleted{"F1", EndHelpdesk}, done}},
		{name: "of who has nothing yet", given: toStep2, when: c, who: anna, refused: ErrPointless},
		{name: "who is frozen is unfrozen instead", given: with(withSMS, notMe...), when: c, who: anna, refused: ErrFrozen},
	})
	thaw := asks(Unfreezing, CaseNotMe)
	frozen := with(withSMS, notMe...)
	run(t, []scenario{
		{
			name: "unfreezing takes a second person", given: with(frozen, asked(thaw)), when: approve, who: bram,
			then: []Event{approved, AccountUnfrozen{UnfrozenHelpdesk}, EnrolmentReset{ResetToRecover}, RecoveryCompleted{"F1", EndHelpdesk}, done},
		},
		{name: "and is for who is frozen", given: withSMS, when: thaw, who: anna, refused: ErrPointless},
	})
	if s := Fold(State{}, with(withSMS, waits, approved, reset, done)...); s.Step() != StepPassword || s.Request != (Case{}) || s.Email != mail {
		t.Errorf("reset: %+v", s)
	}
}

func TestRecoveryTickets(t *testing.T) {
	t.Parallel()
	c := asks(IssuingTicket, CaseForgotten)
	waits := asked(c)
	issued := TicketIssued{"S1", RecoveryTicket, "k1", inHour}
	open := with(toStep5, issued)
	redeem, wrong := RedeemTicket{"S1", true}, RedeemTicket{"S1", false}
	rejected := func(n int) CodeRejected { return CodeRejected{"S1", n, Wrong} }
	five := []Event{rejected(1), rejected(2), rejected(3), rejected(4), rejected(5)}
	set := SetNameAndPassword{Name: name, Credential: ref(9), Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1", Replaces: secret}
	run(t, []scenario{
		{
			name: "it counts for an hour", given: with(toStep5, waits), when: ApproveCase{"S1", person}, who: bram,
			then: []Event{RecoveryApproved{"S1", bram.ID, noon, noon}, issued, done},
		},
		{name: "who is enrolled has no use of it", given: withSMS, when: c, who: anna, refused: ErrAlreadyEnrolled},
		{name: "nor who has no password", given: toStep2, when: c, who: anna, refused: ErrPointless},
		{name: "the right one", given: open, when: redeem, then: []Event{TicketRedeemed{"S1"}}},
		{name: "to its last moment", given: open, when: redeem, at: inHour, then: []Event{TicketRedeemed{"S1"}}},
		{name: "a late one", given: open, when: redeem, at: inHour.Add(1), then: []Event{CodeRejected{"S1", 1, Expired}}},
		{name: "once", given: with(open, TicketRedeemed{"S1"}), when: redeem, then: []Event{CodeRejected{"S1", 1, Used}}},
		{name: "a wrong one counts", given: open, when: wrong, then: []Event{rejected(1)}},
		{name: "after five even the right one is refused", given: with(open, five...), when: redeem, refused: ErrCodeEnded},
		{name: "none was issued", given: toStep5, when: redeem, refused: ErrNothingToConfirm},
		{name: "a reset ends it", given: with(open, EnrolmentReset{ForgottenPassword}), when: redeem, refused: ErrOutOfOrder},
		{name: "so does another one", given: with(open, TicketIssued{"S2", RecoveryTicket, "k1", inHour}), when: redeem, refused: ErrNothingToConfirm},
		{name: "so does being done", given: with(open, bySMS), when: redeem, refused: ErrAlreadyEnrolled},
		{name: "and it opens nothing on a frozen account", given: with(open, AccountFrozen{FrozenHelpdesk}), when: redeem, refused: ErrFrozen},
		{name: "the password stays until there is a new one", given: with(open, TicketRedeemed{"S1"}), when: set, then: []Event{named, PasswordSet{ref(9), "argon2id", "m=65536,t=3,p=1", "p1", PasswordAtEnrolment}}},
	})
	if s := Fold(State{}, with(open, TicketRedeemed{"S1"})...); s.Password != secret || s.Phone != mobile || s.Step() != StepFactor {
		t.Errorf("redeemed: %+v", s)
	}
}
