package enrolment_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

var (
	policy = DefaultPolicy()
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	mail    = ref(1)
	name    = ref(2)
	secret  = ref(3)
	mobile  = Phone{ref(4), FromSelf, "NL"}
	desk    = Phone{ref(5), FromHR, "NL"}
	label   = ref(6)
	jwk     = json.RawMessage(`{"crv":"P-256","kty":"EC","x":"x","y":"y"}`)
	inTen   = noon.Add(10 * time.Minute)
	inTwo   = noon.Add(2 * time.Minute)
	quarter = noon.Add(15 * time.Minute)

	person = domain.SubjectID{0x7d}
	anna   = domain.Actor{Kind: domain.ActorStaff, ID: "00000000-0000-4000-8000-00000000000a", Role: domain.RoleHelpdesk}
	bram   = domain.Actor{Kind: domain.ActorStaff, ID: "00000000-0000-4000-8000-00000000000b", Role: domain.RoleApprover}
	mySelf = domain.Actor{Kind: domain.ActorStaff, ID: person.String(), Role: domain.RoleApprover}
	seen   = []Evidence{SawPass}

	announced = StaffRegistered{Source: RosterByHand, Batch: "b1", Email: mail, Name: &name, Phone: &desk.Ref, Language: "nl"}
	left      = StaffLeft{Source: RosterFromFile, Batch: "b2"}
	started   = EnrolmentStarted{Admission: ByRoster, Language: "nl"}
	mailCode  = CodeIssued{"c1", ConfirmingEmail, ByMail, mail, "k1", quarter}
	mailed    = CodeSent{"c1", 1, "smtp", "m1"}
	confirmed = EmailConfirmed{"c1", mail}
	named     = NameSet{name}
	locked    = PasswordSet{secret, "argon2id", "m=65536,t=3,p=1", "p1", PasswordAtEnrolment}
	given     = PhoneGiven{mobile.Ref, mobile.Source, mobile.Country}
	smsCode   = CodeIssued{"c2", VerifyingPhone, BySMS, mobile.Ref, "k2", inTen}
	verified  = PhoneVerified{"c2", mobile.Ref, mobile.Source, mobile.Country}
	offered   = PairingOffered{"q1", inTwo, inTen, false}
	claimed   = PairingClaimed{"q1", "thumb", "nonce"}
	agreed    = PairingConfirmed{"q1"}
	paired    = PocketPaired{"q1", "d1", "thumb", jwk, label}
	byPocket  = FactorChosen{Pocket, "d1", FactorAtEnrolment}
	bySMS     = FactorChosen{SMS, "", FactorAtEnrolment}

	toStep2 = []Event{started, mailCode, mailed, confirmed}
	toStep3 = with(toStep2, named, locked)
	toStep4 = with(toStep3, given, smsCode)
	toStep5 = with(toStep4, verified)
)

func ref(n byte) domain.Ref {
	return domain.Ref{ID: domain.RefID{n}, Version: 1, Commitment: domain.Commitment{n}}
}

func with(events []Event, more ...Event) []Event {
	return append(append([]Event(nil), events...), more...)
}

func wrong(n int) CodeRejected { return CodeRejected{"c1", n, Wrong} }

// wrongs are n wrong codes in a row, over as many codes as that takes.
func wrongs(n int) []Event {
	events := []Event{started}
	for i := range n {
		id := ChallengeID(rune('A' + i/5))
		if i%5 == 0 {
			events = append(events, CodeIssued{id, ConfirmingEmail, ByMail, mail, "k1", quarter})
		}
		events = append(events, CodeRejected{id, i%5 + 1, Wrong})
	}
	return events
}

func at(t time.Time) domain.Stamp { return domain.Stamp{At: t} }

type scenario struct {
	name    string
	given   []Event
	when    Command
	at      time.Time // noon unless said otherwise
	who     domain.Actor
	then    []Event
	refused error
}

func run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			when := sc.at
			if when.IsZero() {
				when = noon
			}
			got, err := policy.Decide(Fold(State{}, sc.given...), sc.when, domain.Stamp{At: when, Actor: sc.who})
			if !errors.Is(err, sc.refused) || (err != nil && sc.refused == nil) {
				t.Fatalf("refused with %v, want %v", err, sc.refused)
			}
			if len(got) != len(sc.then) || (len(got) > 0 && !reflect.DeepEqual(got, sc.then)) {
				t.Errorf("decided\n  %#v\nwant\n  %#v", got, sc.then)
			}
		})
	}
}

// complete is an entry with every field filled.
func complete() StaffRegistered {
	e, team, start := announced, ref(7), ref(8)
	e.Source, e.Employee, e.Team, e.Start = RosterFromFile, &label, &team, &start
	return e
}

func TestRoster(t *testing.T) {
	t.Parallel()
	other := announced
	other.Phone = nil
	whole := complete()
	moved, later := whole, whole
	elsewhere, tomorrow := ref(9), ref(10)
	moved.Team, later.Start = &elsewhere, &tomorrow
	frozen := with(toStep5, announced, bySMS, AccountFrozen{FrozenHelpdesk})
	run(t, []scenario{
		{name: "somebody new is registered", when: RegisterStaff{announced}, then: []Event{announced}},
		{name: "the same again changes nothing", given: []Event{announced}, when: RegisterStaff{announced}},
		{name: "something else is a change", given: []Event{announced}, when: RegisterStaff{other}, then: []Event{StaffChanged(other)}},
		{name: "the same from elsewhere changes nothing", given: []Event{whole}, when: RegisterStaff{complete()}},
		{name: "another team is a change", given: []Event{whole}, when: RegisterStaff{moved}, then: []Event{StaffChanged(moved)}},
		{name: "another first day is a change", given: []Event{whole}, when: RegisterStaff{later}, then: []Event{StaffChanged(later)}},
		{name: "a team that is known now is a change", given: []Event{announced}, when: RegisterStaff{whole}, then: []Event{StaffChanged(whole)}},
		{name: "somebody who was announced leaves", given: []Event{announced}, when: RecordLeft{left}, then: []Event{left}},
		{name: "nobody leaves twice", given: []Event{announced, left}, when: RecordLeft{left}},
		{name: "who was never announced does not leave", given: toStep2, when: RecordLeft{left}},
		{name: "who is frozen leaves all the same", given: frozen, when: RecordLeft{left}, then: []Event{left}},
		{name: "who left and comes back is announced anew", given: []Event{announced, left}, when: RegisterStaff{announced}, then: []Event{announced}},
	})
}

// What HR says of somebody decides on the beginning of an enrolment, and never on a
// factor that is there.
func TestWhoLeft(t *testing.T) {
	t.Parallel()
	begin := Begin{ByRoster, "nl", mail, "c9", "k1"}
	byDomain, invited := begin, begin
	byDomain.Admission, invited.Admission = ByDomain, ByInvitation
	fresh := CodeIssued{"c9", ConfirmingEmail, ByMail, mail, "k1", quarter}
	gone := []Event{announced, left}
	unanswered := InvitationIssued{"i1", InvitationShown, "k1", tomorrow, mail, nil, nil}
	enrolled := with([]Event{announced}, with(toStep5, bySMS, left)...)
	run(t, []scenario{
		{name: "does not begin", given: gone, when: begin, refused: ErrLeft},
		{name: "nor with an address of the organisation", given: gone, when: byDomain, refused: ErrLeft},
		{name: "nor goes on with what was begun", given: with([]Event{announced}, with(toStep4, left)...), when: begin, refused: ErrLeft},
		{
			name: "nor enrols anew after staff ended a freeze", when: begin, refused: ErrLeft,
			given: with(enrolled, AccountFrozen{FrozenNotMe}, AccountUnfrozen{UnfrozenHelpdesk}, EnrolmentReset{ResetToRecover}),
		},
		{
			name: "begins when invited: somebody decided that for them alone", given: with(gone, unanswered), when: invited,
			then: []Event{EnrolmentStarted{ByInvitation, "nl", ""}, fresh},
		},
		{name: "but not by an invitation from before they left", given: []Event{announced, unanswered, left}, when: invited, refused: ErrNotInvited},
		{name: "nor with a ticket from before", given: []Event{announced, unanswered, redeemed, left}, when: invited, refused: ErrNotInvited},
		{name: "begins when announced anew", given: with(gone, announced), when: begin, then: []Event{started, fresh}},
		{name: "is still enrolled, if they were", given: enrolled, when: begin, refused: ErrAlreadyEnrolled},
		{name: "can freeze their account", given: enrolled, when: Freeze{Reason: FrozenLost}, then: []Event{AccountFrozen{FrozenLost}}},
	})
	if s := Fold(State{}, enrolled...); s.Factor() != SMS || s.Staff.Registered || !s.Staff.Left || s.Staff.Email != mail {
		t.Errorf("enrolled, and left: %+v", s)
	}
}

func TestEmail(t *testing.T) {
	t.Parallel()
	begin := Begin{ByRoster, "nl", mail, "c9", "k1"}
	fresh := CodeIssued{"c9", ConfirmingEmail, ByMail, mail, "k1", quarter}
	right := ConfirmEmail{"c1", true}
	run(t, []scenario{
		{name: "the first visit starts the enrolment and issues a code", when: begin, then: []Event{started, fresh}},
		{name: "the second visit repeats an open code", given: toStep2[:2], when: begin},
		{
			name:  "but not one that works for less than five minutes",
			given: toStep2[:2], when: begin, at: noon.Add(10*time.Minute + time.Second),
			then: []Event{CodeIssued{"c9", ConfirmingEmail, ByMail, mail, "k1", noon.Add(25*time.Minute + time.Second)}},
		},
		{name: "nor one that was used", given: toStep2, when: begin, then: []Event{fresh}},
		{
			name: "nobody's language is changed before they are known", given: toStep2[:2],
			when: Begin{ByRoster, "en", mail, "c9", "k1"},
		},
		{name: "who is enrolled cannot begin", given: with(toStep5, bySMS), when: begin, refused: ErrAlreadyEnrolled},
		{name: "nor who typed twenty wrong codes in a row", given: wrongs(20), when: begin, refused: ErrLocked},
		{name: "nineteen are not twenty", given: wrongs(19), when: begin, then: []Event{}, at: noon},

		{name: "the right code confirms the address", given: toStep2[:3], when: right, then: []Event{confirmed}},
		{name: "a wrong code is recorded", given: toStep2[:3], when: ConfirmEmail{"c1", false}, then: []Event{wrong(1)}},
		{
			name:  "of two guesses in flight the second counts as the second",
			given: with(toStep2[:3], wrong(1)), when: ConfirmEmail{"c1", false}, then: []Event{wrong(2)},
		},
		{
			name:  "after the fifth wrong code even the right one is refused",
			given: with(toStep2[:3], wrong(1), wrong(2), wrong(3), wrong(4), wrong(5)), when: right, refused: ErrCodeEnded,
		},
		{
			name: "a late code is rejected and is no guess", given: toStep2[:3], when: right,
			at: quarter.Add(time.Millisecond), then: []Event{CodeRejected{"c1", 1, Expired}},
		},
		{name: "a code is good to its last moment", given: toStep2[:3], when: right, at: quarter, then: []Event{confirmed}},
		{name: "a used code is rejected", given: toStep2, when: right, then: []Event{CodeRejected{"c1", 1, Used}}},
		{name: "a code that was replaced is none", given: with(toStep2[:3], fresh), when: right, refused: ErrNothingToConfirm},
		{name: "no code was issued", given: []Event{announced}, when: ConfirmEmail{"", true}, refused: ErrNothingToConfirm},
		{name: "the twentieth wrong code locks", given: wrongs(20), when: ConfirmEmail{"D", true}, refused: ErrLocked},
		{
			name:  "the helpdesk's unlocking ends that",
			given: with(wrongs(20), Unlocked{UnlockedByAdmin}, fresh), when: ConfirmEmail{"c9", true},
			then: []Event{EmailConfirmed{"c9", mail}},
		},
		{
			name:  "a right code ends the row",
			given: with(wrongs(19), fresh, EmailConfirmed{"c9", mail}, wrong(1)), when: Unlock{UnlockedByAdmin},
			then: []Event{Unlocked{UnlockedByAdmin}},
		},
		{name: "nothing to unlock", given: toStep2, when: Unlock{UnlockedByAdmin}},
	})
}

func TestResending(t *testing.T) {
	t.Parallel()
	again := Reissue{ConfirmingEmail, "c9", "k1"}
	run(t, []scenario{
		{name: "an open code is sent again as it is", given: toStep2[:3], when: again},
		{
			name: "an ended code makes place for a new one", given: with(toStep2[:3], wrong(1), wrong(2), wrong(3), wrong(4), wrong(5)),
			when: again, then: []Event{CodeIssued{"c9", ConfirmingEmail, ByMail, mail, "k1", quarter}},
		},
		{
			name: "so does one about to end", given: toStep4, when: Reissue{VerifyingPhone, "c9", "k2"},
			at:   noon.Add(5*time.Minute + time.Second),
			then: []Event{CodeIssued{"c9", VerifyingPhone, BySMS, mobile.Ref, "k2", noon.Add(15*time.Minute + time.Second)}},
		},
		{name: "there is nothing to send", given: toStep3, when: Reissue{VerifyingPhone, "c9", "k2"}, refused: ErrNothingToConfirm},
		{name: "a locked person gets no more codes", given: wrongs(20), when: again, refused: ErrLocked},
		{name: "an enrolled one neither", given: with(toStep5, bySMS), when: again, refused: ErrAlreadyEnrolled},
	})
}

func TestNameAndPassword(t *testing.T) {
	t.Parallel()
	set := SetNameAndPassword{Name: name, Credential: secret, Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1"}
	elsewhere := set
	elsewhere.Credential = ref(9)
	again := elsewhere
	again.Replaces = secret
	run(t, []scenario{
		{name: "both are recorded together", given: toStep2, when: set, then: []Event{named, locked}},
		{name: "not before the address is confirmed", given: toStep2[:3], when: set, refused: ErrOutOfOrder},
		{name: "the slower of two stations learns that it went on elsewhere", given: toStep3, when: elsewhere, refused: ErrMovedOn},
		{
			name: "who went back may set another", given: toStep3, when: again,
			then: []Event{named, PasswordSet{ref(9), "argon2id", "m=65536,t=3,p=1", "p1", PasswordAtEnrolment}},
		},
		{name: "an enrolled person changes it elsewhere", given: with(toStep5, bySMS), when: again, refused: ErrAlreadyEnrolled},
		{name: "a forgotten one makes void what came after the address", given: toStep5, when: Reset{ForgottenPassword}, then: []Event{EnrolmentReset{ForgottenPassword}}},
		{name: "without a password there is nothing to forget", given: toStep2, when: Reset{ForgottenPassword}},
		{name: "an enrolled person is not reset from a kiosk", given: with(toStep5, bySMS), when: Reset{ForgottenPassword}, refused: ErrAlreadyEnrolled},
	})
}

func TestPhone(t *testing.T) {
	t.Parallel()
	give := GivePhone{mobile, "c2", "k2"}
	belgian := Phone{ref(8), FromSelf, "BE"}
	american := Phone{ref(8), FromSelf, "US"}
	run(t, []scenario{
		{name: "a number gets a code", given: toStep3, when: give, then: []Event{given, smsCode}},
		{name: "not before the password", given: toStep2, when: give, refused: ErrOutOfOrder},
		{name: "the same number again keeps its code", given: toStep4, when: give},
		{
			name: "another number ends the code", given: toStep4, when: GivePhone{belgian, "c3", "k2"},
			then: []Event{
				PhoneGiven{belgian.Ref, FromSelf, "BE"},
				CodeIssued{"c3", VerifyingPhone, BySMS, belgian.Ref, "k2", inTen},
			},
		},
		{name: "a country that we do not send to", given: toStep3, when: GivePhone{american, "c2", "k2"}, refused: ErrCountryNotAllowed},
		{name: "a verified number needs no new code", given: toStep5, when: give},
		{name: "the right code verifies it", given: toStep4, when: ConfirmPhone{"c2", true}, then: []Event{verified}},
		{
			name: "a wrong one is recorded", given: toStep4, when: ConfirmPhone{"c2", false},
			then: []Event{CodeRejected{"c2", 1, Wrong}},
		},
		{name: "the code of the mail does not verify a phone", given: toStep4, when: ConfirmPhone{"c1", true}, refused: ErrNothingToConfirm},
		{
			name: "the code for an earlier number does not verify another", when: ConfirmPhone{"c2", true},
			given: with(toStep4, PhoneGiven{belgian.Ref, FromSelf, "BE"}), refused: ErrNothingToConfirm,
		},
	})
}

func TestChoosingSMS(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "Nee completes the enrolment", given: toStep5, when: ChooseSMS{}, then: []Event{bySMS}},
		{name: "not before the phone is verified", given: toStep4, when: ChooseSMS{}, refused: ErrOutOfOrder},
		{name: "again changes nothing", given: with(toStep5, bySMS), when: ChooseSMS{}},
		{name: "it ends a pairing under way", given: with(toStep5, offered, claimed), when: ChooseSMS{}, then: []Event{PairingFailed{"q1", Cancelled}, bySMS}},
		{name: "a phone that was paired meanwhile wins", given: with(toStep5, offered, claimed, agreed, paired, byPocket), when: ChooseSMS{}, refused: ErrAlreadyEnrolled},
		{name: "a new number that is not verified holds it up", given: with(toStep5, PhoneGiven{ref(8), FromSelf, "NL"}), when: ChooseSMS{}, refused: ErrOutOfOrder},
	})
}

func TestPairing(t *testing.T) {
	t.Parallel()
	offer := OfferPairing{Pairing: "q1"}
	claim := ClaimPairing{"q1", "thumb", "nonce"}
	finish := FinishPairing{"q1", "thumb", "nonce", jwk, "d1", label}
	digits := func(ok bool) ConfirmPairing { return ConfirmPairing{"q1", ok} }
	failed := func(why PairingFailure) PairingFailed { return PairingFailed{"q1", why} }
	ready := with(toStep5, offered, claimed, agreed)
	run(t, []scenario{
		{name: "a QR code is offered for two minutes, a pairing for ten", given: toStep5, when: offer, then: []Event{offered}},
		{name: "not before the phone is verified", given: toStep4, when: offer, refused: ErrOutOfOrder},
		{
			name: "the next QR code belongs to the same pairing", given: with(toStep5, offered), when: OfferPairing{Pairing: "q2"}, at: inTwo,
			then: []Event{PairingOffered{"q2", noon.Add(4 * time.Minute), inTen, false}},
		},
		{
			name: "the last QR code ends with the pairing", given: with(toStep5, offered), when: OfferPairing{Pairing: "q2"}, at: noon.Add(9 * time.Minute),
			then: []Event{PairingOffered{"q2", inTen, inTen, false}},
		},
		{
			name: "after ten minutes a new pairing begins", given: with(toStep5, offered), when: OfferPairing{Pairing: "q2"}, at: inTen,
			then: []Event{PairingOffered{"q2", inTen.Add(2 * time.Minute), inTen.Add(10 * time.Minute), false}},
		},
		{name: "a phone claims it", given: with(toStep5, offered), when: claim, then: []Event{claimed}},
		{name: "not when the QR code is too old", given: with(toStep5, offered), when: claim, at: inTwo.Add(time.Second), refused: ErrPairingExpired},
		{name: "nor when another has taken its place", given: with(toStep5, offered, PairingOffered{"q2", inTen, inTen, false}), when: claim, refused: ErrNothingToConfirm},
		{name: "the same phone may ask again", given: with(toStep5, offered, claimed), when: ClaimPairing{"q1", "thumb", "other"}},
		{name: "a second phone burns it", given: with(toStep5, offered, claimed), when: ClaimPairing{"q1", "thumb2", "n2"}, then: []Event{failed(ClaimedTwice)}},
		{name: "even after the digits", given: ready, when: ClaimPairing{"q1", "thumb2", "n2"}, then: []Event{failed(ClaimedTwice)}},
		{name: "then nobody can claim it", given: with(toStep5, offered, claimed, failed(ClaimedTwice)), when: claim, refused: ErrPairingFailed},
		{name: "nor finish", given: with(ready, failed(ClaimedTwice)), when: finish, refused: ErrPairingFailed},

		{name: "the right digits confirm", given: with(toStep5, offered, claimed), when: digits(true), then: []Event{agreed}},
		{name: "before a phone claimed there are none", given: with(toStep5, offered), when: digits(true), refused: ErrNothingToConfirm},
		{name: "a wrong try leaves it open", given: with(toStep5, offered, claimed), when: digits(false), then: []Event{failed(WrongDigits)}},
		{name: "the right digits at the second try", given: with(toStep5, offered, claimed, failed(WrongDigits)), when: digits(true), then: []Event{agreed}},
		{
			name:  "the third wrong try ends it, counted across QR codes",
			given: with(toStep5, offered, claimed, failed(WrongDigits), failed(WrongDigits), PairingOffered{"q2", inTen, inTen, false}, PairingClaimed{"q2", "thumb", "n2"}),
			when:  ConfirmPairing{"q2", false}, then: []Event{PairingFailed{"q2", TooManyTries}},
		},
		{name: "after that the right digits are refused", given: with(toStep5, offered, claimed, failed(TooManyTries)), when: digits(true), refused: ErrPairingFailed},
		{name: "digits after ten minutes", given: with(toStep5, offered, claimed), when: digits(true), at: inTen.Add(time.Second), refused: ErrPairingExpired},

		{name: "the phone finishes and its factor counts at once", given: ready, when: finish, then: []Event{paired, byPocket}},
		{name: "not before the digits", given: with(toStep5, offered, claimed), when: finish, refused: ErrNotConfirmed},
		{name: "not with another nonce", given: ready, when: FinishPairing{"q1", "thumb", "guess", jwk, "d1", label}, refused: ErrWrongPhone},
		{name: "not with another key", given: ready, when: FinishPairing{"q1", "thumb2", "nonce", jwk, "d1", label}, refused: ErrWrongPhone},
		{name: "not after ten minutes", given: ready, when: finish, at: inTen.Add(time.Second), refused: ErrPairingExpired},
		{name: "finishing again changes nothing", given: with(ready, paired, byPocket), when: finish},
		{name: "not when sms was chosen meanwhile", given: with(ready, failed(Cancelled), bySMS), when: finish, refused: ErrPairingFailed},
		{name: "Terug cancels", given: with(toStep5, offered), when: CancelPairing{"q1"}, then: []Event{failed(Cancelled)}},
		{name: "but not what another station offered since", given: with(toStep5, PairingOffered{"q2", inTwo, inTen, false}), when: CancelPairing{"q1"}},
	})
}

func TestSmallFacts(t *testing.T) {
	t.Parallel()
	sent := CodeSent{"c1", 2, "cm", "x"}
	undelivered := CodeUndeliverable{"c1", 2, InvalidRecipient}
	run(t, []scenario{
		{name: "a send is recorded", given: toStep2[:2], when: RecordSent{sent}, then: []Event{sent}},
		{name: "and a failure", given: toStep2[:2], when: RecordUndeliverable{undelivered}, then: []Event{undelivered}},
		{name: "a help code is recorded", given: toStep2, when: ShowHelp{"K7204"}, then: []Event{HelpCodeShown{"K7204"}}},
		{name: "a language is set once", given: toStep2, when: SetLanguage{"en"}, then: []Event{LanguageSet{"en"}}},
		{name: "and not again", given: toStep2, when: SetLanguage{"nl"}},
	})
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		given  []Event
		step   Step
		factor Factor
	}{
		{"nothing", nil, StepEmail, NoFactor},
		{"announced", []Event{announced}, StepEmail, NoFactor},
		{"confirmed", toStep2, StepPassword, NoFactor},
		{"password", toStep3, StepPhone, NoFactor},
		{"phone given", toStep4, StepSMSCode, NoFactor},
		{"phone verified", toStep5, StepFactor, NoFactor},
		{"another phone given", with(toStep5, PhoneGiven{ref(8), FromSelf, "NL"}), StepSMSCode, NoFactor},
		{"pairing", with(toStep5, offered, claimed, agreed), StepFactor, NoFactor},
		{"pocket", with(toStep5, offered, claimed, agreed, paired, byPocket), StepDone, Pocket},
		{"sms", with(toStep5, bySMS), StepDone, SMS},
		{"the live phone is revoked", with(toStep5, paired, byPocket, PocketRevoked{"d1", Replaced}), StepFactor, NoFactor},
		{"another phone is revoked", with(toStep5, paired, byPocket, PocketRevoked{"d0", Replaced}), StepDone, Pocket},
		{"reset", with(toStep5, EnrolmentReset{ForgottenPassword}), StepPassword, NoFactor},
	} {
		s := Fold(State{}, c.given...)
		if s.Step() != c.step || s.Factor() != c.factor {
			t.Errorf("%s: step %d, factor %s; want %d, %s", c.name, s.Step(), s.Factor(), c.step, c.factor)
		}
	}
}
