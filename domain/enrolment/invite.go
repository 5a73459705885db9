package enrolment

import (
	"errors"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// An invitation is staff's word that one person, behind one e-mail address, may
// enrol. Its ticket goes to that person on paper or by mail, and is asked for at the
// station once the address is confirmed, where the policy or the admission says so.

// A TicketRule says whom a ticket is asked of, beside who is admitted by an invitation.
type TicketRule string

// The rules.
const (
	TicketNever        TicketRule = "never"
	TicketWithoutPhone TicketRule = "no-phone" // of whom HR announced no phone
	TicketAlways       TicketRule = "always"
)

// The refusals of invitations.
var (
	// ErrNotInvited: there is no invitation that could be redeemed.
	ErrNotInvited = errors.New("not invited")
	// ErrTicketEnded: too many wrong guesses at this ticket; staff have to issue another.
	ErrTicketEnded = errors.New("the ticket has ended")
	// ErrTicketFirst: nothing goes on before the ticket was given.
	ErrTicketFirst = errors.New("the ticket comes first")
)

type (
	// Invite issues a ticket, in the place of an earlier one. Name and Phone are what
	// staff know of somebody whom HR did not announce.
	Invite struct {
		Invitation InvitationID
		Kind       InvitationKind
		KeyID      string
		Email      domain.Ref
		Name       *domain.Ref
		Phone      *domain.Ref
	}

	// RedeemInvitation brings the ticket. Whoever asks has seen the person prove the
	// e-mail address just before.
	RedeemInvitation struct {
		Invitation InvitationID
		Matches    bool
	}

	// RevokeInvitation takes an invitation back that was not redeemed.
	RevokeInvitation struct{}
)

func (Invite) isCommand()           {}
func (RedeemInvitation) isCommand() {}
func (RevokeInvitation) isCommand() {}

// Ticket derives what somebody types to redeem an invitation, from the key of tickets,
// in the form of pairing.NormaliseCode: 60 bits. Like a code it stands nowhere.
func Ticket(key [32]byte, subject domain.SubjectID, id InvitationID) string {
	return TicketCode(key, subject, "invitation", string(id))
}

// An Invitation is the last one, while it may be redeemed. The zero Invitation is none.
type Invitation struct {
	ID      InvitationID
	Kind    InvitationKind
	KeyID   string
	Expires time.Time
	Wrong   int // wrong guesses so far
	Tried   int // guesses so far, of any kind
}

// Open says that the ticket can still be right at a moment.
func (i Invitation) Open(p Policy, at time.Time) bool {
	return i.ID != "" && i.Wrong < p.WrongCodes && i.Tried < p.WrongCodes && !at.After(i.Expires)
}

// An Invitee is what staff said of somebody with the last invitation.
type Invitee struct{ Email, Name, Phone domain.Ref }

// Redeemed is the last ticket that was right. The zero Redeemed is none.
type Redeemed struct {
	ID      InvitationID
	Expires time.Time
}

// Invited says whether a ticket counts that was redeemed: by itself for as long as it
// would have counted had nobody redeemed it, and after it for as long as there is a
// password, without which nobody takes the enrolment up again.
func (s State) Invited(at time.Time) bool {
	return s.Redeemed.ID != "" && (!s.Password.IsZero() || !at.After(s.Redeemed.Expires))
}

// AsksTicket says whether somebody who enrols is asked for a ticket at all.
func (p Policy) AsksTicket(s State) bool {
	switch {
	case s.Admission == ByInvitation, p.Tickets == TicketAlways:
		return true
	case p.Tickets == TicketWithoutPhone:
		return s.Staff.Phone.IsZero()
	}
	return false
}

// AwaitsTicket says whether somebody who enrols goes on with a ticket only.
func (p Policy) AwaitsTicket(s State, at time.Time) bool {
	return s.Chosen() == NoFactor && p.AsksTicket(s) && !s.Invited(at)
}

// behindTicket says whether a command takes somebody on who enrols, behind the proof of
// the e-mail address, or makes void what another visit did there.
func behindTicket(c Command) bool {
	switch c := c.(type) {
	case SetNameAndPassword, GivePhone, ConfirmPhone, ChooseSMS, ClaimPairing, ConfirmPairing, FinishPairing, Reset, RedeemTicket:
		return true
	case OfferPairing:
		return !c.Switch
	case Reissue:
		return c.Purpose == VerifyingPhone
	case RegisterStaff, RecordLeft, Begin, RecordSent, RecordUndeliverable, ConfirmEmail, CancelPairing, SetLanguage, Unlock,
		ShowHelp, ChangeName, ChangePassword, ChangePhone, ConfirmNewPhone, SwitchToSMS, Freeze, AskRecovery,
		ConfirmRecovery, ReportPhone, RecoverNumber, FoundPhone, Invite, RedeemInvitation, RevokeInvitation,
		RequestCase, ApproveCase, DenyCase, StopCase, ExpireCase, CarryOut, AskCaller, ConfirmCaller, CallerApproved:
	}
	return false
}

func (p Policy) decideInvitation(s State, c Command, by domain.Stamp) ([]Event, error) {
	switch c := c.(type) { //nolint:gochecksumtype // those that Decide hands on
	case Invite:
		if s.Chosen() != NoFactor {
			return nil, ErrAlreadyEnrolled
		}
		return []Event{InvitationIssued{c.Invitation, c.Kind, c.KeyID, by.At.Add(p.InvitationLife).UTC(), c.Email, c.Name, c.Phone}}, nil
	case RedeemInvitation:
		return p.decideTicket(s, c, by)
	case RevokeInvitation:
		if s.Invitation.ID == "" {
			return nil, nil
		}
		return []Event{InvitationRevoked{s.Invitation.ID, InvitationTakenBack}}, nil
	}
	panic("a command without a decision")
}

// decideTicket judges a ticket that somebody typed, as decideCode does a code.
func (p Policy) decideTicket(s State, c RedeemInvitation, by domain.Stamp) ([]Event, error) {
	open := s.Invitation
	reject := func(why Rejection) ([]Event, error) {
		return []Event{InvitationRejected{c.Invitation, open.Tried + 1, why}}, nil
	}
	switch {
	case s.Chosen() != NoFactor:
		return nil, ErrAlreadyEnrolled
	case s.Email.IsZero():
		return nil, ErrOutOfOrder
	case s.WrongInARow >= p.WrongCodesInARow:
		return nil, ErrLocked
	case open.ID != c.Invitation || c.Invitation == "":
		return nil, ErrNotInvited
	case open.Tried >= p.WrongCodes: // of any kind, as with codes
		return nil, ErrTicketEnded
	case by.At.After(open.Expires):
		return reject(Expired)
	case !c.Matches:
		return reject(Wrong)
	}
	until := by.At.Add(p.EmailCodeLife).UTC() // long enough to choose a password
	if open.Expires.After(until) {
		until = open.Expires
	}
	return []Event{InvitationRedeemed{open.ID, open.Kind, until}}, nil
}

// invited applies the events of invitations.
func (s *State) invited(e Event) {
	switch e := e.(type) { //nolint:gochecksumtype // the four that Evolve hands on
	case InvitationIssued:
		s.Invitation = Invitation{ID: e.Invitation, Kind: e.Kind, KeyID: e.KeyID, Expires: e.Expires}
		s.Invitee = Invitee{e.Email, orZero(e.Name), orZero(e.Phone)}
	case InvitationRejected:
		if e.Reason == Wrong { // a late ticket is no guess
			s.WrongInARow++
		}
		if i := &s.Invitation; i.ID == e.Invitation {
			i.Tried = e.Attempt
			if e.Reason == Wrong {
				i.Wrong++
			}
		}
	case InvitationRedeemed:
		s.Redeemed = Redeemed{e.Invitation, e.Expires}
		if s.Invitation.ID == e.Invitation {
			s.Invitation = Invitation{}
		}
	case InvitationRevoked:
		if s.Invitation.ID == e.Invitation {
			s.Invitation = Invitation{}
		}
	}
}
