package enrolment

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/keydesk/keydesk/domain"
)

// The refusals. Each is something that a person can be told, with a way on.
var (
	// ErrAlreadyEnrolled: there is a factor; changing it is another act.
	ErrAlreadyEnrolled = errors.New("already enrolled")
	// ErrOutOfOrder: an earlier step is still open.
	ErrOutOfOrder = errors.New("an earlier step is open")
	// ErrMovedOn: the same person went on somewhere else; look again.
	ErrMovedOn = errors.New("the enrolment went on elsewhere")
	// ErrNothingToConfirm: no such code or QR code is open.
	ErrNothingToConfirm = errors.New("nothing to confirm")
	// ErrCodeEnded: too many wrong guesses at this code; ask for a new one.
	ErrCodeEnded = errors.New("the code has ended")
	// ErrLocked: too many wrong codes in a row; the helpdesk has to look.
	ErrLocked = errors.New("too many wrong codes in a row")
	// ErrCountryNotAllowed: numbers of this country get no SMS from us.
	ErrCountryNotAllowed = errors.New("country not allowed")
	// ErrPairingExpired: the QR code or the whole pairing is too old.
	ErrPairingExpired = errors.New("pairing expired")
	// ErrPairingFailed: this QR code is burnt.
	ErrPairingFailed = errors.New("pairing failed")
	// ErrNotConfirmed: the digits were not typed at the station yet.
	ErrNotConfirmed = errors.New("pairing not confirmed")
	// ErrFrozen: nothing counts until the account is unfrozen.
	ErrFrozen = errors.New("the account is frozen")
	// ErrNotEnrolled: there is no factor that could be changed or recovered.
	ErrNotEnrolled = errors.New("not enrolled")
	// ErrSamePhone: the new number is the one that counts already.
	ErrSamePhone = errors.New("the same number")
	// ErrLeft: HR announces them no longer; without a factor they get none.
	ErrLeft = errors.New("no longer announced")
	// ErrNotStaff: only a member of staff may do this.
	ErrNotStaff = errors.New("not a member of staff")
	// ErrOwnAccount: nobody acts on their own account.
	ErrOwnAccount = errors.New("their own account")
	// ErrSamePerson: the second person has to be another one than the first.
	ErrSamePerson = errors.New("not a second person")
	// ErrBadReason: not a reason for this.
	ErrBadReason = errors.New("not a reason for this")
	// ErrNoEvidence: it is not sure enough who asks; see Claims.
	ErrNoEvidence = errors.New("not enough evidence, or not such")
	// ErrCaseOpen: another case has to end first, or there was one with this id.
	ErrCaseOpen = errors.New("another case is open")
	// ErrNoCase: there is no such case, or it is over.
	ErrNoCase = errors.New("no such case is open")
	// ErrNotApproved: no second person has agreed yet.
	ErrNotApproved = errors.New("the case is not approved")
	// ErrTooEarly: the time in which it can be stopped is not over.
	ErrTooEarly = errors.New("too early for the case")
	// ErrPointless: it would change nothing.
	ErrPointless = errors.New("nothing to do")
	// ErrWrongPhone: another phone, or another nonce, than the one that claimed.
	ErrWrongPhone = errors.New("not the phone that claimed")
)

// A Command asks for something to be decided. The set is closed.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	// RegisterStaff records what HR announces. The same again changes nothing.
	RegisterStaff struct{ Entry StaffRegistered }

	// RecordLeft records that HR announces somebody no longer. Of whom HR did not
	// announce it changes nothing.
	RecordLeft struct{ Left StaffLeft }

	// Begin starts an enrolment, or takes it up again, with a code to the
	// e-mail address. Challenge is the id of the code if a new one is needed.
	Begin struct {
		Admission Admission
		Language  string
		To        domain.Ref
		Challenge ChallengeID
		KeyID     string
	}

	// Reissue asks for the open code of a purpose again, or for a new one.
	Reissue struct {
		Purpose   Purpose
		Challenge ChallengeID
		KeyID     string
	}

	// RecordSent says that a provider took over a message.
	RecordSent struct{ Sent CodeSent }
	// RecordUndeliverable says that a message did not leave, or may not have.
	RecordUndeliverable struct{ Failed CodeUndeliverable }

	// ConfirmEmail brings the code from the mail.
	ConfirmEmail struct {
		Challenge ChallengeID
		Matches   bool
	}

	// SetNameAndPassword ends step 2. Replaces is the credential that the
	// person was shown to have, if any.
	SetNameAndPassword struct {
		Name       domain.Ref
		Credential domain.Ref
		Algorithm  string
		Parameters string
		Pepper     string
		Replaces   domain.Ref
	}

	// GivePhone says which number to use, and asks for a code to it.
	GivePhone struct {
		Phone     Phone
		Challenge ChallengeID
		KeyID     string
	}

	// ConfirmPhone brings the code from the SMS.
	ConfirmPhone struct {
		Challenge ChallengeID
		Matches   bool
	}

	// ChooseSMS is Nee to Pocket.
	ChooseSMS struct{}

	// OfferPairing puts a new QR code on the screen. Switch says that it is for
	// somebody who has a factor, and who proved it just now.
	OfferPairing struct {
		Pairing PairingID
		Switch  bool
	}

	// CancelPairing takes it off again.
	CancelPairing struct{ Pairing PairingID }

	// ClaimPairing comes from a phone that read the QR code; the proof of its
	// secret was checked before. Nonce is the server's, if this claim is the first.
	ClaimPairing struct {
		Pairing    PairingID
		Thumbprint string
		Nonce      string
	}

	// ConfirmPairing brings the digits that the phone shows.
	ConfirmPairing struct {
		Pairing PairingID
		Matches bool
	}

	// FinishPairing comes from the phone; its signature was checked before.
	FinishPairing struct {
		Pairing    PairingID
		Thumbprint string
		Nonce      string
		Key        json.RawMessage
		Device     DeviceID
		Label      domain.Ref
	}

	// SetLanguage changes the language in which the person is written to.
	SetLanguage struct{ Language string }

	// Reset makes all after the e-mail address void.
	Reset struct{ Reason ResetReason }

	// Unlock clears the count of wrong codes.
	Unlock struct{ Reason UnlockReason }

	// ShowHelp records that a stuck person was shown a help code.
	ShowHelp struct{ Help HelpID }
)

// The commands of account.go, recover.go, invite.go and case.go are part of the set.

func (RegisterStaff) isCommand()       {}
func (RecordLeft) isCommand()          {}
func (Begin) isCommand()               {}
func (Reissue) isCommand()             {}
func (RecordSent) isCommand()          {}
func (RecordUndeliverable) isCommand() {}
func (ConfirmEmail) isCommand()        {}
func (SetNameAndPassword) isCommand()  {}
func (GivePhone) isCommand()           {}
func (ConfirmPhone) isCommand()        {}
func (ChooseSMS) isCommand()           {}
func (OfferPairing) isCommand()        {}
func (CancelPairing) isCommand()       {}
func (ClaimPairing) isCommand()        {}
func (ConfirmPairing) isCommand()      {}
func (FinishPairing) isCommand()       {}
func (SetLanguage) isCommand()         {}
func (Reset) isCommand()               {}
func (Unlock) isCommand()              {}
func (ShowHelp) isCommand()            {}

// Decide says what follows from a command: events to record, or a refusal. No
// events and no error means that it is so already. A code that is not accepted
// is a fact too, and only counts as refused once it is recorded.
//
// Of somebody who was erased everything is domain.ErrErased, but what became of a message
// that was on its way.
func (p Policy) Decide(s State, c Command, by domain.Stamp) ([]Event, error) {
	if s.Erased {
		return decideErased(c)
	}
	if s.Frozen != "" && !whileFrozen(c) {
		return nil, ErrFrozen
	}
	if behindTicket(c) && p.AwaitsTicket(s, by.At) {
		return nil, ErrTicketFirst
	}
	switch c := c.(type) {
	case RegisterStaff:
		return decideRegister(s, c)
	case RecordLeft:
		if !s.Staff.Registered {
			return nil, nil
		}
		return []Event{c.Left}, nil
	case Begin:
		return p.decideBegin(s, c, by)
	case Reissue:
		return p.decideReissue(s, c, by)
	case RecordSent:
		return []Event{c.Sent}, nil
	case RecordUndeliverable:
		return []Event{c.Failed}, nil
	case ConfirmEmail:
		return p.decideEnrolling(s, s.Codes.Email, c.Challenge, c.Matches, by,
			EmailConfirmed{c.Challenge, s.Codes.Email.To})
	case SetNameAndPassword:
		return decidePassword(s, c)
	case GivePhone:
		return p.decidePhone(s, c, by)
	case ConfirmPhone:
		return p.decideEnrolling(s, s.Codes.Phone, c.Challenge, c.Matches, by,
			PhoneVerified{c.Challenge, s.Given.Ref, s.Given.Source, s.Given.Country})
	case ChooseSMS:
		return decideSMS(s)
	case OfferPairing, CancelPairing, ClaimPairing, ConfirmPairing, FinishPairing:
		return p.decidePairing(s, c, by)
	case SetLanguage:
		if s.Language == c.Language {
			return nil, nil
		}
		return []Event{LanguageSet(c)}, nil
	case Reset:
		return decideReset(s, c)
	case Unlock:
		if s.WrongInARow == 0 {
			return nil, nil
		}
		return []Event{Unlocked(c)}, nil
	case ShowHelp:
		return []Event{HelpCodeShown(c)}, nil
	case ChangeName, ChangePassword, ChangePhone, ConfirmNewPhone, SwitchToSMS:
		return p.decideChange(s, c, by)
	case Freeze, AskRecovery, ConfirmRecovery, ReportPhone, RecoverNumber, FoundPhone:
		return p.decideRecovery(s, c, by)
	case Invite, RedeemInvitation, RevokeInvitation:
		return p.decideInvitation(s, c, by)
	case RequestCase, ApproveCase, DenyCase, StopCase, ExpireCase, CarryOut, AskCaller, ConfirmCaller, CallerApproved, RedeemTicket:
		return p.decideCase(s, c, by)
	}
	panic("a command without a decision")
}

func decideErased(c Command) ([]Event, error) {
	switch c := c.(type) { //nolint:gochecksumtype // all others are refused
	case RecordSent:
		return []Event{c.Sent}, nil
	case RecordUndeliverable:
		return []Event{c.Failed}, nil
	case RecordLeft, ExpireCase: // it is so already
		return nil, nil
	}
	return nil, domain.ErrErased
}

func decideRegister(s State, c RegisterStaff) ([]Event, error) {
	e := c.Entry
	switch {
	case s.Staff == e.staff():
		return nil, nil
	case s.Staff.Registered:
		return []Event{StaffChanged(e)}, nil
	}
	return []Event{e}, nil
}

func (p Policy) decideBegin(s State, c Begin, by domain.Stamp) ([]Event, error) {
	if s.Chosen() != NoFactor {
		return nil, ErrAlreadyEnrolled
	}
	if s.Staff.Left && c.Admission != ByInvitation { // somebody decides that one for them alone
		return nil, ErrLeft
	}
	if c.Admission == ByInvitation && !s.Invited(by.At) && !s.Invitation.Open(p, by.At) {
		return nil, ErrNotInvited
	}
	if s.WrongInARow >= p.WrongCodesInARow {
		return nil, ErrLocked
	}
	var events []Event
	if !s.Started || s.Admission != c.Admission {
		events = append(events, EnrolmentStarted{Admission: c.Admission, Language: c.Language, Helper: by.Helper})
	}
	return append(events, p.issue(s.Codes.Email, ConfirmingEmail, ByMail, c.To, c.Challenge, c.KeyID, by)...), nil
}

func (p Policy) decideReissue(s State, c Reissue, by domain.Stamp) ([]Event, error) {
	to := s.Codes.Email.To
	enrolled := false
	switch c.Purpose {
	case VerifyingPhone:
		to = s.Given.Ref
	case ChangingPhone:
		to, enrolled = s.Given.Ref, true
	case Recovering:
		to, enrolled = s.Codes.Recovery.To, true
	case LoggingIn, VerifyingCaller: // are asked for otherwise
		to = domain.Ref{}
	case ConfirmingEmail:
	}
	switch {
	case enrolled && s.Chosen() == NoFactor:
		return nil, ErrNotEnrolled
	case !enrolled && s.Chosen() != NoFactor:
		return nil, ErrAlreadyEnrolled
	case s.WrongInARow >= p.WrongCodesInARow:
		return nil, ErrLocked
	case to.IsZero():
		return nil, ErrNothingToConfirm
	}
	last := s.Code(c.Purpose)
	channel := last.Channel
	if channel == "" {
		channel = channelOf(c.Purpose)
	}
	return p.issue(last, c.Purpose, channel, to, c.Challenge, c.KeyID, by), nil
}

// issue repeats the open code while enough of its life is left; else a new one
// ends it.
func (p Policy) issue(last Challenge, purpose Purpose, channel Channel, to domain.Ref, id ChallengeID, key string, by domain.Stamp) []Event {
	if last.Purpose == purpose && last.To == to && last.Open(p, by.At) && last.Expires.Sub(by.At) >= p.RepeatWhileLeft {
		return nil
	}
	return []Event{CodeIssued{id, purpose, channel, to, key, by.At.Add(p.life(channel)).UTC()}}
}

// channelOf returns how the first code of a purpose travels.
func channelOf(p Purpose) Channel {
	switch p {
	case VerifyingPhone, ChangingPhone, LoggingIn, VerifyingCaller:
		return BySMS
	case ConfirmingEmail, Recovering:
	}
	return ByMail
}

// decideEnrolling judges a code of somebody who is not enrolled yet.
func (p Policy) decideEnrolling(s State, open Challenge, id ChallengeID, matches bool, by domain.Stamp, proved Event) ([]Event, error) {
	if s.Chosen() != NoFactor {
		return nil, ErrAlreadyEnrolled
	}
	return p.decideCode(s, open, id, matches, by, proved)
}

// decideCode judges a code that somebody typed. What it proves, when it is
// right, is proved.
func (p Policy) decideCode(s State, open Challenge, id ChallengeID, matches bool, by domain.Stamp, proved ...Event) ([]Event, error) {
	reject := func(why Rejection) ([]Event, error) {
		return []Event{CodeRejected{id, open.Tried + 1, why}}, nil
	}
	switch {
	case s.WrongInARow >= p.WrongCodesInARow:
		return nil, ErrLocked
	case open.ID != id || id == "":
		return nil, ErrNothingToConfirm
	case open.Tried >= p.WrongCodes: // of any kind: late guesses fill no log either
		return nil, ErrCodeEnded
	case open.Used:
		return reject(Used)
	case by.At.After(open.Expires):
		return reject(Expired)
	case !matches:
		return reject(Wrong)
	}
	return proved, nil
}

func decidePassword(s State, c SetNameAndPassword) ([]Event, error) {
	switch {
	case s.Chosen() != NoFactor:
		return nil, ErrAlreadyEnrolled
	case s.Email.IsZero():
		return nil, ErrOutOfOrder
	case s.Password != c.Replaces:
		return nil, ErrMovedOn
	}
	return []Event{
		NameSet{c.Name},
		PasswordSet{c.Credential, c.Algorithm, c.Parameters, c.Pepper, PasswordAtEnrolment},
	}, nil
}

func (p Policy) decidePhone(s State, c GivePhone, by domain.Stamp) ([]Event, error) {
	switch {
	case s.Chosen() != NoFactor:
		return nil, ErrAlreadyEnrolled
	case s.Step() < StepPhone:
		return nil, ErrOutOfOrder
	case !slices.Contains(p.PhoneCountries, c.Phone.Country):
		return nil, ErrCountryNotAllowed
	case s.WrongInARow >= p.WrongCodesInARow:
		return nil, ErrLocked
	case s.Phone == c.Phone && s.Given.Ref.IsZero():
		return nil, nil // verified already
	}
	var events []Event
	last := s.Codes.Phone
	if s.Given != c.Phone {
		events, last = append(events, PhoneGiven{c.Phone.Ref, c.Phone.Source, c.Phone.Country}), Challenge{}
	}
	return append(events, p.issue(last, VerifyingPhone, BySMS, c.Phone.Ref, c.Challenge, c.KeyID, by)...), nil
}

func decideSMS(s State) ([]Event, error) {
	switch s.Chosen() {
	case SMS:
		return nil, nil
	case Pocket:
		return nil, ErrAlreadyEnrolled
	case NoFactor:
	}
	if s.Step() != StepFactor {
		return nil, ErrOutOfOrder
	}
	return append(cancel(s.Pairing), FactorChosen{Factor: SMS, Reason: FactorAtEnrolment}), nil
}

func decideReset(s State, c Reset) ([]Event, error) {
	switch {
	case s.Chosen() != NoFactor:
		return nil, ErrAlreadyEnrolled
	case s.Password.IsZero():
		return nil, nil
	}
	return []Event{EnrolmentReset(c)}, nil
}
