package enrolment

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// State is what all events so far mean. The zero State is a person about whom
// nothing is known.
type State struct {
	Erased    bool // and with it all else: what the events refer to is gone for good
	Staff     Staff
	Started   bool
	Admission Admission
	Language  string

	Email domain.Ref // zero until confirmed
	Codes struct{ Email, Phone, Recovery, Caller, Ticket Challenge }
	// WrongInARow counts the wrong codes since the last right one, over all codes. A
	// right one from the mail of a recovery does not end the row: whoever reads that
	// mail must not guess at the code to the number for ever.
	WrongInARow int

	Name     domain.Ref
	Password domain.Ref // of the credential
	Given    Phone      // a number that is not verified yet
	Phone    Phone      // the verified one
	Pairing  Pairing
	Device   Device // the live phone; zero: none
	Choice   Choice
	Frozen   FreezeReason // empty: it is not
	Case     Case         // the person's own, while it is open; zero: none
	Request  Case         // of staff, while it waits to be carried out; zero: none
	Caller   Caller       // on the phone; zero: nobody

	Invitation Invitation // that may be redeemed; zero: none
	Invitee    Invitee    // what was said with the last one
	Redeemed   Redeemed   // see Invited
}

// A Case is that of somebody who cannot use their factor, or what staff ask for.
type Case struct {
	ID     CaseID
	Reason CaseReason

	// Of a request of staff:
	Action    Action
	Remote    bool
	By        string // who asked
	KeyID     string
	Phone     Phone     // CorrectingNumber
	Expires   time.Time // when it lapses, unless somebody approves
	Approved  string    // who did; empty: nobody yet
	NotBefore time.Time // when it may be carried out …
	Until     time.Time // … and until when
}

// Staff is what HR announced.
type Staff struct {
	Registered         bool
	Left               bool // they were announced, and are no longer; what was known stays
	Email, Name, Phone domain.Ref
	Employee           domain.Ref
	Team, Start        domain.Ref
	Language           string
}

// staff returns what is announced with an entry.
func (e StaffRegistered) staff() Staff {
	return Staff{
		Registered: true, Email: e.Email, Name: orZero(e.Name), Phone: orZero(e.Phone), Employee: orZero(e.Employee),
		Team: orZero(e.Team), Start: orZero(e.Start), Language: e.Language,
	}
}

// A Challenge is a code that somebody was asked for. The zero Challenge is none.
type Challenge struct {
	ID      ChallengeID
	Purpose Purpose
	Channel Channel
	To      domain.Ref
	KeyID   string
	Expires time.Time
	Wrong   int         // wrong guesses so far
	Tried   int         // guesses so far, of any kind
	Sends   int         // messages that left, did not leave, or may have left
	Failed  Undelivered // of the last message; empty: it left
	Used    bool        // it was right once
}

// Open says that the code can still be right at a moment.
func (c Challenge) Open(p Policy, at time.Time) bool {
	return c.ID != "" && !c.Used && c.Wrong < p.WrongCodes && !at.After(c.Expires)
}

// A Phone is a number and where it came from.
type Phone struct {
	Ref     domain.Ref
	Source  Source
	Country string
}

// PairingStage is how far a pairing has come.
type PairingStage int

// The stages of a pairing.
const (
	NotPairing PairingStage = iota
	Offered
	Claimed
	Confirmed
	Paired
	Failed // this QR code is burnt; the pairing may go on with another
	Over   // no more tries
)

// A Pairing is the last QR code and what came of it.
type Pairing struct {
	ID         PairingID
	Stage      PairingStage
	Expires    time.Time // of the QR code
	Ends       time.Time // of the whole pairing
	Thumbprint string
	Nonce      string
	Tries      int // wrong digits, across QR codes
	Failure    PairingFailure
	Switch     bool // by somebody who has a factor
}

// A Device is a phone whose key counts.
type Device struct {
	ID         DeviceID
	Thumbprint string
	Key        json.RawMessage
	Label      domain.Ref
}

// Choice is the last factor that was chosen.
type Choice struct {
	Factor Factor
	Device DeviceID
}

// Step is where a person stands.
type Step int

// The steps, as the screens number them: E3 is step 1, E9 is step 6.
const (
	StepEmail    Step = 1
	StepPassword Step = 2
	StepPhone    Step = 3
	StepSMSCode  Step = 4
	StepFactor   Step = 5
	StepDone     Step = 6
)

// Step returns the first step that is still open.
func (s State) Step() Step {
	switch {
	case s.Chosen() != NoFactor:
		return StepDone
	case s.Email.IsZero():
		return StepEmail
	case s.Name.IsZero() || s.Password.IsZero():
		return StepPassword
	case !s.Given.Ref.IsZero():
		return StepSMSCode
	case s.Phone.Ref.IsZero():
		return StepPhone
	}
	return StepFactor
}

// Factor returns the factor that counts now: the chosen one, and none while the
// account is frozen. Whoever was erased has chosen none.
func (s State) Factor() Factor {
	if s.Frozen != "" {
		return NoFactor
	}
	return s.Chosen()
}

// Chosen returns the factor that counts unless the account is frozen: pocket while
// the last choice is pocket and names the live phone, sms while the last choice is
// sms and a phone number is verified, else none.
func (s State) Chosen() Factor {
	switch {
	case s.Choice.Factor == Pocket && s.Device.ID != "" && s.Choice.Device == s.Device.ID:
		return Pocket
	case s.Choice.Factor == SMS && !s.Phone.Ref.IsZero():
		return SMS
	}
	return NoFactor
}

// Code returns the last code of a purpose.
func (s State) Code(p Purpose) Challenge {
	return *s.code(p)
}

// Fold applies facts in their order.
func Fold(s State, events ...Event) State {
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}

// Evolve applies one recorded fact. It never fails: the fact already happened.
func Evolve(s State, e Event) State {
	if s.Erased { // nothing brings back what is gone
		return s
	}
	switch e := e.(type) {
	case StaffRegistered:
		s.Staff = e.staff()
	case StaffChanged:
		s.Staff = StaffRegistered(e).staff()
	case StaffLeft:
		s.Staff.Registered, s.Staff.Left = false, true
		s.Invitation, s.Redeemed = Invitation{}, Redeemed{} // HR's word is the later one
	case EnrolmentStarted:
		s.Started, s.Admission, s.Language = true, e.Admission, e.Language
	case CodeIssued:
		*s.code(e.Purpose) = Challenge{ID: e.Challenge, Purpose: e.Purpose, Channel: e.Channel, To: e.To, KeyID: e.KeyID, Expires: e.Expires}
	case CodeSent:
		s.sent(e.Challenge, e.Number, "")
	case CodeUndeliverable:
		s.sent(e.Challenge, e.Number, e.Reason)
	case CodeRejected:
		s.rejected(e)
	case EmailConfirmed:
		s.Email, s.WrongInARow, s.Codes.Email.Used = e.Email, 0, true
	case NameSet:
		s.Name = e.Name
	case PasswordSet:
		s.Password = e.Credential
	case PhoneGiven:
		s.Given, s.Codes.Phone = Phone{e.Phone, e.Source, e.Country}, Challenge{}
	case PhoneVerified:
		s.Phone, s.Given = Phone{e.Phone, e.Source, e.Country}, Phone{}
		s.WrongInARow, s.Codes.Phone.Used = 0, true
	case PairingOffered, PairingClaimed, PairingConfirmed, PairingFailed:
		s.Pairing = evolvePairing(s.Pairing, e)
	case PocketPaired:
		s.Pairing.Stage = Paired
		s.Device = Device{e.Device, e.Thumbprint, e.Key, e.Label}
	case PocketRevoked:
		if s.Device.ID == e.Device {
			s.Device = Device{}
		}
	case FactorChosen:
		s.Choice = Choice{e.Factor, e.Device}
		s.Invitation = Invitation{} // there is nothing left to redeem it for
	case LanguageSet:
		s.Language = e.Language
	case EnrolmentReset:
		s = State{
			Staff: s.Staff, Started: s.Started, Admission: s.Admission, Language: s.Language,
			Email: s.Email, Codes: s.Codes, WrongInARow: s.WrongInARow, Frozen: s.Frozen, Case: s.Case,
			Invitation: s.Invitation, Invitee: s.Invitee, // and no Redeemed: a ticket is for one enrolment
			Request: s.Request,
		}
		s.Codes.Phone, s.Codes.Recovery, s.Codes.Caller, s.Codes.Ticket = Challenge{}, Challenge{}, Challenge{}, Challenge{}
	case Unlocked:
		s.WrongInARow = 0
	case CodeConfirmed:
		if e.Channel == BySMS {
			s.WrongInARow = 0
		}
		if c := s.byID(e.Challenge); c != nil {
			c.Used = true
		}
		if e.Purpose == VerifyingCaller {
			s.Caller = Caller{ProvedNumber, e.Until}
			if e.Channel == ByPocket {
				s.Caller.By = ProvedPocket
			}
		}
	case AccountFrozen:
		s.Frozen, s.Caller = cmp.Or(e.Reason, FrozenHelpdesk), Caller{}
		s.Invitation, s.Redeemed = Invitation{}, Redeemed{} // it may be in the same hands
	case AccountUnfrozen:
		s.Frozen = ""
	case RecoveryRequested:
		s.requested(e)
	case RecoveryApproved:
		if r := &s.Request; r.ID == e.Case {
			r.Approved, r.NotBefore, r.Until = cmp.Or(e.By, "unknown"), e.NotBefore, e.Until
		}
	case RecoveryDenied:
		s.ended(e.Case)
	case RecoveryStopped:
		s.ended(e.Case)
	case RecoveryExpired:
		s.ended(e.Case)
	case RecoveryCompleted:
		s.ended(e.Case)
	case PhoneVoided:
		s.Phone = Phone{}
	case TicketIssued:
		s.Codes.Ticket = Challenge{ID: ChallengeID(e.Ticket), KeyID: e.KeyID, Expires: e.Expires}
	case TicketRedeemed:
		if t := &s.Codes.Ticket; t.ID == ChallengeID(e.Ticket) {
			t.Used = true
		}
	case InvitationIssued, InvitationRejected, InvitationRedeemed, InvitationRevoked:
		s.invited(e)
	case PersonErased:
		s = State{Erased: true}
	case HelpCodeShown: // says something about the visit, nothing about the person
	}
	return s
}

// evolvePairing follows one pairing. A new QR code within it keeps the count
// of tries; a new pairing starts at none.
func evolvePairing(p Pairing, e Event) Pairing {
	switch e := e.(type) { //nolint:gochecksumtype // the four events of a pairing that Evolve hands on
	case PairingOffered:
		next := Pairing{ID: e.Pairing, Stage: Offered, Expires: e.Expires, Ends: e.Ends, Switch: e.Switch}
		if e.Ends.Equal(p.Ends) {
			next.Tries = p.Tries
		}
		return next
	case PairingClaimed:
		p.Stage, p.Thumbprint, p.Nonce = Claimed, e.Thumbprint, e.Nonce
	case PairingConfirmed:
		p.Stage = Confirmed
	case PairingFailed:
		p.Failure = e.Reason
		switch e.Reason {
		case WrongDigits:
			p.Tries++
		case TooManyTries:
			p.Tries++
			p.Stage = Over
		case Cancelled:
			p.Stage = Over
		case ClaimedTwice:
			p.Stage = Failed
		}
	}
	return p
}

// requested opens a case: the person's own, or one of staff that waits for a second
// person. What was done at once leaves nothing open.
func (s *State) requested(e RecoveryRequested) {
	if e.Action == "" {
		s.Case = Case{ID: e.Case, Reason: e.Reason}
		return
	}
	if e.Action.Proof() {
		s.Caller = Caller{} // it was for this case
	}
	if e.Expires.IsZero() {
		return
	}
	s.Request = Case{
		ID: e.Case, Reason: e.Reason, Action: e.Action, Remote: e.Remote, By: e.By, KeyID: e.KeyID,
		Phone: Phone{orZero(e.Phone), e.Source, e.Country}, Expires: e.Expires,
	}
}

func (s *State) ended(id CaseID) {
	for _, c := range []*Case{&s.Case, &s.Request} {
		if c.ID == id {
			*c = Case{}
		}
	}
}

func (s *State) code(p Purpose) *Challenge {
	switch p {
	case ConfirmingEmail:
		return &s.Codes.Email
	case VerifyingPhone, ChangingPhone:
		return &s.Codes.Phone
	case Recovering:
		return &s.Codes.Recovery
	case VerifyingCaller:
		return &s.Codes.Caller
	case LoggingIn: // has a stream of its own
	}
	return &Challenge{}
}

// byID returns the challenge with this id; nil when it is not the last of its
// purpose any more.
func (s *State) byID(id ChallengeID) *Challenge {
	for _, c := range []*Challenge{&s.Codes.Email, &s.Codes.Phone, &s.Codes.Recovery, &s.Codes.Caller, &s.Codes.Ticket} {
		if c.ID == id && id != "" {
			return c
		}
	}
	return nil
}

func (s *State) sent(id ChallengeID, number int, failed Undelivered) {
	if c := s.byID(id); c != nil {
		c.Sends, c.Failed = max(c.Sends, number), failed
	}
}

func (s *State) rejected(e CodeRejected) {
	if e.Reason == Wrong { // a late code is no guess
		s.WrongInARow++
	}
	if c := s.byID(e.Challenge); c != nil {
		c.Tried = e.Attempt
		if e.Reason == Wrong {
			c.Wrong++
		}
	}
}

func orZero(r *domain.Ref) domain.Ref {
	if r == nil {
		return domain.Ref{}
	}
	return *r
}
