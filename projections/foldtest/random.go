package foldtest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// A Fact is a recorded event, and what the domain makes of all of that
// person's events up to and with it.
type Fact struct {
	Subject domain.SubjectID
	Event   domain.Recorded
	State   enrolment.State
}

// Start is the time of the first event of every history.
func Start() time.Time { return time.Date(2026, time.September, 1, 8, 0, 0, 0, time.UTC) }

// Subject returns the id of the n-th person of a history.
func Subject(n int) domain.SubjectID {
	var id domain.SubjectID
	binary.BigEndian.PutUint64(id[:8], uint64(n+1)*0x9e3779b97f4a7c15) //nolint:gosec // a number like any other
	binary.BigEndian.PutUint64(id[8:], uint64(n))                      //nolint:gosec // likewise
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}

// Draw returns a number from low to high. A test hands in rapid's:
//
//	func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }
type Draw func(low, high int) int

// Policy is what Random decides under: limits so low that they are met.
func Policy() enrolment.Policy {
	p := enrolment.DefaultPolicy()
	p.WrongCodes, p.WrongCodesInARow = 2, 4
	return p
}

// Random draws what some people did, in any order among each other, as the
// domain decided it. It mostly takes the next step of an enrolment, and often
// enough anything else.
func Random(draw Draw) []Fact {
	h := history{draw: draw, policy: Policy(), at: Start()}
	h.people = make([]person, draw(1, 4))
	for range draw(0, 120) {
		h.act()
	}
	return h.facts
}

// Events returns the events of a history.
func Events(facts []Fact) []domain.Recorded {
	events := make([]domain.Recorded, len(facts))
	for i := range facts {
		events[i] = facts[i].Event
	}
	return events
}

type person struct {
	state    enrolment.State
	revision domain.Revision // of the next event
}

type history struct {
	draw     Draw
	policy   enrolment.Policy
	people   []person
	facts    []Fact
	at       time.Time
	ids      int
	position domain.Position
}

// act lets one of the people do something.
func (h *history) act() {
	who := h.draw(0, len(h.people)-1)
	p := &h.people[who]
	h.at = h.at.Add(time.Duration(h.draw(0, 200)) * time.Second)
	if p.state.Request.Approved != "" && h.draw(0, 1) == 0 {
		h.at = p.state.Request.NotBefore.Add(time.Minute)
	}
	command := h.anything(p.state)
	if h.draw(0, 9) < 8 {
		command = h.nextStep(p.state)
	}
	by := domain.Stamp{
		Command: domain.CommandID(Subject(1_000_000 + len(h.facts))), At: h.at, Policy: h.policy.Version(),
		Actor: h.actor(command, who), Station: "kiosk-1",
	}
	events, err := h.policy.Decide(p.state, command, by)
	if err != nil {
		return // refused: nothing happened
	}
	messages, err := enrolment.Messages(events, by)
	if err != nil {
		panic(err) // what the domain decides can be encoded
	}
	for i := range events {
		p.state = enrolment.Evolve(p.state, events[i])
		h.position += domain.Position(h.draw(1, 3)) //nolint:gosec // 1 to 3
		h.facts = append(h.facts, Fact{Subject(who), domain.Recorded{
			Message: messages[i], Stream: domain.EnrolmentStream(Subject(who)),
			Revision: p.revision, Position: h.position, Recorded: h.at,
		}, p.state})
		p.revision++
	}
}

// nextStep returns what a person who wants to be done would do now.
func (h *history) nextStep(s enrolment.State) enrolment.Command {
	right := h.draw(0, 9) < 8
	switch s.Step() {
	case enrolment.StepEmail:
		if !s.Codes.Email.Open(h.policy, h.at) {
			return enrolment.Begin{Admission: enrolment.ByRoster, Language: "nl", To: h.ref(), Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"}
		}
		return enrolment.ConfirmEmail{Challenge: s.Codes.Email.ID, Matches: right}
	case enrolment.StepPassword:
		if h.policy.AwaitsTicket(s, h.at) {
			return enrolment.RedeemInvitation{Invitation: s.Invitation.ID, Matches: right}
		}
		return enrolment.SetNameAndPassword{Name: h.ref(), Credential: h.ref(), Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1", Replaces: s.Password}
	case enrolment.StepPhone:
		return enrolment.GivePhone{Phone: enrolment.Phone{Ref: h.ref(), Source: enrolment.FromSelf, Country: "NL"}, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"}
	case enrolment.StepSMSCode:
		if !s.Codes.Phone.Open(h.policy, h.at) {
			return enrolment.Reissue{Purpose: enrolment.VerifyingPhone, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"}
		}
		return enrolment.ConfirmPhone{Challenge: s.Codes.Phone.ID, Matches: right}
	case enrolment.StepFactor:
		return h.nextOfPairing(s, right)
	case enrolment.StepDone:
		return h.nextOfAccount(s, right)
	}
	return h.anything(s)
}

// nextOfAccount returns what somebody who is enrolled would do now.
func (h *history) nextOfAccount(s enrolment.State, right bool) enrolment.Command {
	recovery := s.Codes.Recovery
	if p := s.Pairing; p.Switch && (p.Stage == enrolment.Offered || p.Stage == enrolment.Claimed || p.Stage == enrolment.Confirmed) {
		return h.nextOfPairing(s, right)
	}
	if r := s.Request.ID; r != "" && h.draw(0, 2) > 0 {
		return []enrolment.Command{
			enrolment.ApproveCase{Case: r},
			enrolment.ApproveCase{Case: r},
			enrolment.CarryOut{Case: r},
			enrolment.StopCase{Case: r},
			enrolment.DenyCase{Case: r, Reason: enrolment.DeniedMistake},
		}[h.draw(0, 4)]
	}
	reasons := []enrolment.CaseReason{enrolment.CaseLost, enrolment.CaseStolen, enrolment.CaseNew}
	all := []enrolment.Command{
		enrolment.ChangeName{Name: h.ref()},
		enrolment.ChangePassword{Credential: h.ref(), Algorithm: "argon2id", Parameters: "m=65536,t=3,p=1", Pepper: "p1", Reason: enrolment.PasswordChanged, Replaces: s.Password},
		enrolment.ChangePhone{Phone: enrolment.Phone{Ref: h.ref(), Source: enrolment.FromSelf, Country: "DE"}, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"},
		enrolment.ConfirmNewPhone{Challenge: s.Codes.Phone.ID, Matches: right},
		enrolment.SwitchToSMS{},
		enrolment.OfferPairing{Pairing: enrolment.PairingID(h.id()), Switch: true},
		enrolment.Freeze{Reason: enrolment.FrozenNotMe, Case: enrolment.CaseID(h.id())},
		h.request(s),
		h.request(s),
		enrolment.AskCaller{Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"},
		enrolment.ConfirmCaller{Challenge: s.Codes.Caller.ID, Matches: right},
		enrolment.CallerApproved{Challenge: enrolment.ChallengeID(h.id()), Device: s.Device.ID},
		enrolment.AskRecovery{Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"},
		enrolment.ConfirmRecovery{Challenge: recovery.ID, Matches: right},
		enrolment.ReportPhone{Reason: reasons[h.draw(0, 2)], Case: enrolment.CaseID(h.id()), Mail: recovery.ID, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"},
		enrolment.RecoverNumber{Challenge: recovery.ID, Matches: right},
		enrolment.FoundPhone{Mail: recovery.ID},
	}
	return all[h.draw(0, len(all)-1)]
}

// request returns something that staff ask for.
func (h *history) request(s enrolment.State) enrolment.Command {
	all := enrolment.Actions()
	action := all[h.draw(0, len(all)-1)]
	if s.Frozen != "" {
		action = enrolment.Unfreezing
	}
	remote := h.draw(0, 1) == 0
	return enrolment.RequestCase{
		Case: enrolment.CaseID(h.id()), Subject: Subject(999), Action: action, Reason: action.Reasons()[0], Evidence: enrolment.Claims(remote),
		Remote: remote, KeyID: "k1", Phone: enrolment.Phone{Ref: h.ref(), Source: enrolment.FromSelf, Country: "NL"},
		Resend: enrolment.Reissue{Purpose: enrolment.VerifyingPhone, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k1"},
	}
}

// actor returns who gives a command: staff what is theirs, and else the person.
func (h *history) actor(c enrolment.Command, who int) domain.Actor {
	switch c.(type) { //nolint:gochecksumtype // those of staff
	case enrolment.RequestCase, enrolment.ApproveCase, enrolment.DenyCase, enrolment.AskCaller, enrolment.ConfirmCaller, enrolment.CallerApproved:
		return domain.Actor{Kind: domain.ActorStaff, ID: Subject(1000 + h.draw(0, 1)).String(), Role: domain.RoleHelpdesk}
	}
	return domain.Actor{Kind: domain.ActorPerson, ID: Subject(who).String(), Role: domain.RoleSubject}
}

func (h *history) nextOfPairing(s enrolment.State, right bool) enrolment.Command {
	p := s.Pairing
	switch p.Stage {
	case enrolment.Offered:
		return enrolment.ClaimPairing{Pairing: p.ID, Thumbprint: h.id(), Nonce: h.id()}
	case enrolment.Claimed:
		return enrolment.ConfirmPairing{Pairing: p.ID, Matches: right}
	case enrolment.Confirmed:
		return enrolment.FinishPairing{Pairing: p.ID, Thumbprint: p.Thumbprint, Nonce: p.Nonce, Key: key(), Device: enrolment.DeviceID(h.id()), Label: h.ref()}
	case enrolment.NotPairing, enrolment.Paired, enrolment.Failed, enrolment.Over:
	}
	if h.draw(0, 3) == 0 {
		return enrolment.ChooseSMS{}
	}
	return enrolment.OfferPairing{Pairing: enrolment.PairingID(h.id())}
}

// anything returns some command, sensible or not.
func (h *history) anything(s enrolment.State) enrolment.Command {
	ref := h.ref()
	entry := enrolment.StaffRegistered{Source: enrolment.RosterByHand, Batch: h.id(), Email: h.ref(), Name: &ref}
	codes := []enrolment.ChallengeID{s.Codes.Email.ID, s.Codes.Phone.ID, s.Codes.Recovery.ID, s.Codes.Caller.ID}
	code := codes[h.draw(0, 3)]
	number := h.draw(1, 3)
	all := []enrolment.Command{
		enrolment.RegisterStaff{Entry: entry},
		enrolment.RecordLeft{Left: enrolment.StaffLeft{Source: enrolment.RosterFromFile, Batch: h.id()}},
		enrolment.Begin{Admission: enrolment.ByDomain, Language: "en", To: s.Codes.Email.To, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k2"},
		enrolment.Reissue{Purpose: enrolment.ConfirmingEmail, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k2"},
		enrolment.RecordSent{Sent: enrolment.CodeSent{Challenge: code, Number: number, Provider: "smtp", ProviderID: h.id()}},
		enrolment.RecordUndeliverable{Failed: enrolment.CodeUndeliverable{Challenge: code, Number: number, Reason: enrolment.NoRoute}},
		enrolment.ConfirmEmail{Challenge: s.Codes.Email.ID},
		enrolment.ConfirmPhone{Challenge: s.Codes.Phone.ID},
		enrolment.GivePhone{Phone: enrolment.Phone{Ref: ref, Source: enrolment.FromHR, Country: "BE"}, Challenge: enrolment.ChallengeID(h.id())},
		enrolment.ChooseSMS{},
		enrolment.CancelPairing{Pairing: s.Pairing.ID},
		enrolment.ClaimPairing{Pairing: s.Pairing.ID, Thumbprint: h.id(), Nonce: h.id()},
		enrolment.SetLanguage{Language: "en"},
		enrolment.Reset{Reason: enrolment.ForgottenPassword},
		enrolment.Unlock{Reason: enrolment.UnlockedByAdmin},
		enrolment.ShowHelp{Help: enrolment.HelpID(h.id())},
		enrolment.Freeze{Reason: enrolment.FrozenHelpdesk},
		h.request(s),
		enrolment.ApproveCase{Case: s.Request.ID},
		enrolment.CarryOut{Case: s.Request.ID},
		enrolment.ExpireCase{Case: s.Request.ID},
		enrolment.RedeemTicket{Ticket: s.Codes.Ticket.ID, Matches: h.draw(0, 1) == 0},
		enrolment.Invite{Invitation: enrolment.InvitationID(h.id()), Kind: enrolment.InvitationPrinted, KeyID: "k1", Email: h.ref(), Name: &ref},
		enrolment.Begin{Admission: enrolment.ByInvitation, Language: "en", To: s.Codes.Email.To, Challenge: enrolment.ChallengeID(h.id()), KeyID: "k2"},
		enrolment.RedeemInvitation{Invitation: s.Invitation.ID},
		enrolment.RevokeInvitation{},
	}
	return all[h.draw(0, len(all)-1)]
}

// id returns an id that was not there before.
func (h *history) id() string {
	h.ids++
	return fmt.Sprintf("%032x", h.ids)
}

func (h *history) ref() domain.Ref {
	h.ids++
	return ref(h.ids)
}

func ref(n int) domain.Ref {
	r := domain.Ref{ID: domain.RefID(Subject(n)), Version: n%3 + 1}
	copy(r.Commitment[:], r.ID[:])
	return r
}

func key() json.RawMessage {
	return json.RawMessage(`{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`)
}
