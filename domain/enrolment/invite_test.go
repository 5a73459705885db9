package enrolment_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
)

var (
	tomorrow = noon.Add(24 * time.Hour)
	issued   = InvitationIssued{"i1", InvitationShown, "k1", tomorrow, mail, nil, nil}
	redeemed = InvitationRedeemed{"i1", InvitationShown, tomorrow}
	byTicket = EnrolmentStarted{Admission: ByInvitation, Language: "nl"}
	invitee  = []Event{issued, byTicket, mailCode, mailed, confirmed}
)

func wrongTicket(n int) InvitationRejected { return InvitationRejected{"i1", n, Wrong} }

func wrongTickets(n int) (events []Event) {
	for i := range n {
		events = append(events, wrongTicket(i+1))
	}
	return events
}

func TestInviting(t *testing.T) {
	t.Parallel()
	invite := Invite{"i1", InvitationShown, "k1", mail, nil, nil}
	second := InvitationIssued{"i2", InvitationShown, "k1", tomorrow, mail, nil, nil}
	begin := Begin{ByInvitation, "nl", mail, "c1", "k1"}
	run(t, []scenario{
		{name: "somebody of whom nothing is known", when: invite, then: []Event{issued}},
		{name: "somebody on the roster", given: []Event{announced}, when: invite, then: []Event{issued}},
		{name: "somebody who left it", given: []Event{announced, left}, when: invite, then: []Event{issued}},
		{name: "again, in the place of the first", given: []Event{issued}, when: Invite{"i2", InvitationShown, "k1", mail, nil, nil}, then: []Event{second}},
		{name: "nobody who is enrolled", given: with(toStep5, bySMS), when: invite, refused: ErrAlreadyEnrolled},
		{name: "nobody whose account is frozen", given: with(toStep5, AccountFrozen{FrozenHelpdesk}), when: invite, refused: ErrFrozen},

		{name: "who is invited begins", given: []Event{issued}, when: begin, then: []Event{byTicket, mailCode}},
		{name: "who is not does not", when: begin, refused: ErrNotInvited},
		{name: "nor after a day", given: []Event{issued}, when: begin, at: tomorrow.Add(time.Second), refused: ErrNotInvited},
		{name: "nor when it was taken back", given: []Event{issued, InvitationRevoked{"i1", InvitationTakenBack}}, when: begin, refused: ErrNotInvited},
		{name: "nor after five wrong tickets", given: with(invitee, wrongTickets(5)...), when: begin, refused: ErrNotInvited},
		{
			name: "who began otherwise goes on by invitation", given: with(toStep3[:3], issued), when: begin,
			then: []Event{byTicket},
		},
		{
			name: "whose ticket was right takes it up again", given: with(invitee, redeemed), when: begin, at: tomorrow,
			then: []Event{CodeIssued{"c1", ConfirmingEmail, ByMail, mail, "k1", tomorrow.Add(15 * time.Minute)}},
		},
		{name: "but not after a day without a password", given: with(invitee, redeemed), when: begin, at: tomorrow.Add(time.Second), refused: ErrNotInvited},
		{
			name: "with a password, at any time", given: with(invitee, redeemed, named, locked), when: begin, at: tomorrow.Add(time.Hour),
			then: []Event{CodeIssued{"c1", ConfirmingEmail, ByMail, mail, "k1", tomorrow.Add(75 * time.Minute)}},
		},
		{
			name: "not once that was forgotten: whoever reads the mail could be anybody", when: begin, refused: ErrNotInvited,
			given: with(invitee, redeemed, named, locked, EnrolmentReset{ForgottenPassword}),
		},

		{name: "staff take it back", given: []Event{issued}, when: RevokeInvitation{}, then: []Event{InvitationRevoked{"i1", InvitationTakenBack}}},
		{name: "nothing to take back", when: RevokeInvitation{}},
		{name: "nor once it was redeemed", given: with(invitee, redeemed), when: RevokeInvitation{}},
	})
}

func TestTickets(t *testing.T) {
	t.Parallel()
	right, guess := RedeemInvitation{"i1", true}, RedeemInvitation{"i1", false}
	set := SetNameAndPassword{Name: name, Credential: secret, Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1"}
	second := InvitationIssued{"i2", InvitationShown, "k1", tomorrow, mail, nil, nil}
	run(t, []scenario{
		{name: "the right one", given: invitee, when: right, then: []Event{redeemed}},
		{name: "to its last moment", given: invitee, when: right, at: tomorrow, then: []Event{InvitationRedeemed{"i1", InvitationShown, tomorrow.Add(15 * time.Minute)}}},
		{name: "a late one is rejected and is no guess", given: invitee, when: right, at: tomorrow.Add(time.Second), then: []Event{InvitationRejected{"i1", 1, Expired}}},
		{name: "a wrong one is recorded", given: invitee, when: guess, then: []Event{wrongTicket(1)}},
		{name: "of two guesses in flight the second counts as the second", given: with(invitee, wrongTicket(1)), when: guess, then: []Event{wrongTicket(2)}},
		{name: "after the fifth the right one is refused", given: with(invitee, wrongTickets(5)...), when: right, refused: ErrTicketEnded},
		{name: "a right one comes once", given: with(invitee, redeemed), when: right, refused: ErrNotInvited},
		{name: "one that was replaced is none", given: with(invitee, second), when: right, refused: ErrNotInvited},
		{name: "nor one that was taken back", given: with(invitee, InvitationRevoked{"i1", InvitationTakenBack}), when: right, refused: ErrNotInvited},
		{name: "nor one from before a freeze", given: with(invitee, AccountFrozen{FrozenHelpdesk}, AccountUnfrozen{UnfrozenHelpdesk}, EnrolmentReset{ResetToRecover}), when: right, refused: ErrNotInvited},
		{name: "nor while it lasts", given: with(invitee, AccountFrozen{FrozenHelpdesk}), when: right, refused: ErrFrozen},
		{name: "not before the address is confirmed", given: invitee[:4], when: right, refused: ErrOutOfOrder},
		{name: "wrong tickets count with wrong codes", given: with(wrongs(19), confirmedAnew(19, issued)...), when: right, refused: ErrLocked},
		{name: "nobody invited them", given: toStep2, when: right, refused: ErrNotInvited},
		{name: "who is enrolled needs none", given: with(toStep5, issued, bySMS), when: right, refused: ErrAlreadyEnrolled},

		{name: "nothing goes on before it", given: invitee, when: set, refused: ErrTicketFirst},
		{name: "then all does", given: with(invitee, redeemed), when: set, then: []Event{named, locked}},
		{name: "a redeemed one counts for a day", given: with(invitee, redeemed), when: set, at: tomorrow.Add(time.Second), refused: ErrTicketFirst},
		{name: "nobody voids what another did behind it", given: with(invitee, redeemed, named, locked, issued, InvitationRedeemed{"i1", InvitationShown, noon}, EnrolmentReset{ForgottenPassword}), when: set, refused: ErrTicketFirst},
		{name: "who was announced meanwhile, and takes it up by that, needs none", given: with(invitee, announced, started), when: set, then: []Event{named, locked}},
	})
}

// confirmedAnew has an address that is confirmed, and one wrong ticket after so many
// wrong codes.
func confirmedAnew(n int, invitation Event) []Event {
	var events []Event
	for i := range n { // of a row that the mail's right code ended
		events = append(events, CodeIssued{"Z", ConfirmingEmail, ByMail, mail, "k1", quarter}, CodeRejected{"Z", i + 1, Wrong})
	}
	return append([]Event{EmailConfirmed{"Z", mail}}, append(events, invitation, wrongTicket(1))...)
}

func TestOfWhomATicketIsAsked(t *testing.T) {
	t.Parallel()
	known, unknown := announced, announced
	unknown.Phone = nil
	for _, c := range []struct {
		rule   TicketRule
		events []Event
		asked  bool
	}{
		{TicketNever, with([]Event{unknown}, toStep2...), false},
		{TicketNever, invitee, true},
		{TicketWithoutPhone, with([]Event{known}, toStep2...), false},
		{TicketWithoutPhone, with([]Event{unknown}, toStep2...), true},
		{TicketWithoutPhone, []Event{known, StaffChanged(unknown)}, true},
		{TicketWithoutPhone, with([]Event{known}, invitee...), true},
		{TicketAlways, with([]Event{known}, toStep2...), true},
		{"", with([]Event{unknown}, toStep2...), false},
	} {
		p := policy
		p.Tickets = c.rule
		s := Fold(State{}, c.events...)
		if got := p.AsksTicket(s); got != c.asked || p.AwaitsTicket(s, noon) != c.asked {
			t.Errorf("%s: %t after %v", c.rule, got, c.events)
		}
		s = Fold(s, issued, redeemed)
		if p.AwaitsTicket(s, tomorrow) || c.asked != p.AwaitsTicket(s, tomorrow.Add(time.Second)) {
			t.Errorf("%s: redeemed, after %v", c.rule, c.events)
		}
		if s = Fold(s, bySMS, verified); p.AwaitsTicket(s, noon) {
			t.Errorf("%s: enrolled, after %v", c.rule, c.events)
		}
	}
}

// Where everybody is asked for a ticket, nobody has a factor whose ticket was not right
// after the last reset, freeze, and word of HR that they left.
func TestNoHistoryEnrolsAnybodyWithoutATicket(t *testing.T) {
	t.Parallel()
	p := policy
	p.Tickets = TicketAlways
	wholly := with(invitee, redeemed, named, locked, given, smsCode, verified)
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SampledFrom([][]Event{nil, invitee, toStep5, wholly}).Draw(t, "start")
		s, now := Fold(State{}, log...), noon
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "minutes")) * time.Minute)
			events, err := p.Decide(s, aStep(t, s), at(now))
			if err != nil {
				continue
			}
			was := s.Chosen()
			log, s = with(log, events...), Fold(s, events...)
			if was != NoFactor || s.Chosen() == NoFactor {
				continue
			}
			right := false
			for _, e := range log {
				switch e.(type) { //nolint:gochecksumtype // what a ticket is for, and ends with
				case InvitationRedeemed:
					right = true
				case EnrolmentReset, AccountFrozen, StaffLeft:
					right = false
				}
			}
			if !right {
				t.Fatalf("enrolled: %v", log)
			}
		}
	})
}

func TestATicketIsUniformAndBound(t *testing.T) {
	t.Parallel()
	var key [32]byte
	person, other := domain.SubjectID{1}, domain.SubjectID{2}
	ticket := Ticket(key, person, "i")
	if again, err := pairing.NormaliseCode(strings.ToLower(pairing.FormatCode(ticket))); err != nil || again != ticket || len(ticket) != 12 {
		t.Fatalf("%q reads as %q, %v", ticket, again, err)
	}
	if ticket != Ticket(key, person, "i") {
		t.Error("not the same twice")
	}
	for what, c := range map[string]string{
		"another invitation": Ticket(key, person, "j"),
		"another person":     Ticket(key, other, "i"),
		"another key":        Ticket([32]byte{1}, person, "i"),
	} {
		if c == ticket {
			t.Errorf("%s has the same ticket", what)
		}
	}
	seen := map[byte]int{}
	const n = 3200
	for i := range n {
		for _, c := range []byte(Ticket(key, person, InvitationID(rune('a'+i)))) {
			seen[c]++
		}
	}
	if len(seen) != 32 {
		t.Errorf("%d letters", len(seen))
	}
	for c, times := range seen { // 1200 expected of each
		if times < 1000 || times > 1400 {
			t.Errorf("%c is there %d times", c, times)
		}
	}
}
