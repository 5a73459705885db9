package enrolment

import (
	"slices"

	"github.com/keydesk/keydesk/domain"
)

// What somebody who is enrolled may change. Whoever asks has seen them prove the
// password and the current factor just before.
type (
	// ChangeName says what the person is called from now on.
	ChangeName struct{ Name domain.Ref }

	// ChangePassword replaces the password, or (Reason: rehashed) how it is kept.
	// Replaces is the credential that was there when the person proved it.
	ChangePassword struct {
		Credential domain.Ref
		Algorithm  string
		Parameters string
		Pepper     string
		Reason     PasswordReason
		Replaces   domain.Ref
	}

	// ChangePhone says which number to use instead, and asks for a code to it. It
	// changes nothing until ConfirmNewPhone.
	ChangePhone struct {
		Phone     Phone
		Challenge ChallengeID
		KeyID     string
	}

	// ConfirmNewPhone brings the code from the new number.
	ConfirmNewPhone struct {
		Challenge ChallengeID
		Matches   bool
	}

	// SwitchToSMS makes SMS the factor in the place of Pocket.
	SwitchToSMS struct{}
)

func (ChangeName) isCommand()      {}
func (ChangePassword) isCommand()  {}
func (ChangePhone) isCommand()     {}
func (ConfirmNewPhone) isCommand() {}
func (SwitchToSMS) isCommand()     {}

func (p Policy) decideChange(s State, c Command, by domain.Stamp) ([]Event, error) {
	if c, ok := c.(ChangePassword); ok && c.Reason == PasswordRehashed {
		return decideNewPassword(s, c) // at any login, also of somebody who is not enrolled yet
	}
	if s.Chosen() == NoFactor {
		return nil, ErrNotEnrolled
	}
	switch c := c.(type) { //nolint:gochecksumtype // the changes that Decide hands on
	case ChangeName:
		if s.Name == c.Name {
			return nil, nil
		}
		return []Event{NameSet(c)}, nil
	case ChangePassword:
		return decideNewPassword(s, c)
	case ChangePhone:
		return p.decideNewPhone(s, c, by)
	case ConfirmNewPhone:
		if s.Given.Ref.IsZero() || s.Codes.Phone.Purpose != ChangingPhone {
			return nil, ErrNothingToConfirm
		}
		proved := PhoneVerified{c.Challenge, s.Given.Ref, s.Given.Source, s.Given.Country}
		return p.decideCode(s, s.Codes.Phone, c.Challenge, c.Matches, by, append(cancel(s.Pairing), proved)...)
	case SwitchToSMS:
		return decideSwitch(s)
	}
	panic("a command without a decision")
}

func decideNewPassword(s State, c ChangePassword) ([]Event, error) {
	switch {
	case s.Password.IsZero():
		return nil, ErrOutOfOrder
	case s.Password == c.Credential:
		return nil, nil
	case s.Password != c.Replaces:
		return nil, ErrMovedOn
	}
	set := PasswordSet{c.Credential, c.Algorithm, c.Parameters, c.Pepper, c.Reason}
	if c.Reason == PasswordRehashed {
		return []Event{set}, nil
	}
	return append(cancel(s.Pairing), set), nil // which somebody may have begun who had the old one
}

func (p Policy) decideNewPhone(s State, c ChangePhone, by domain.Stamp) ([]Event, error) {
	switch {
	case !slices.Contains(p.PhoneCountries, c.Phone.Country):
		return nil, ErrCountryNotAllowed
	case s.WrongInARow >= p.WrongCodesInARow:
		return nil, ErrLocked
	case s.Phone.Ref == c.Phone.Ref:
		return nil, ErrSamePhone
	}
	var events []Event
	last := s.Codes.Phone
	if s.Given != c.Phone {
		events, last = append(events, PhoneGiven{c.Phone.Ref, c.Phone.Source, c.Phone.Country}), Challenge{}
	}
	return append(events, p.issue(last, ChangingPhone, BySMS, c.Phone.Ref, c.Challenge, c.KeyID, by)...), nil
}

func decideSwitch(s State) ([]Event, error) {
	switch {
	case s.Chosen() == SMS:
		return nil, nil
	case s.Phone.Ref.IsZero():
		return nil, ErrOutOfOrder
	}
	return append(cancel(s.Pairing),
		PocketRevoked{s.Device.ID, SwitchedAway},
		FactorChosen{Factor: SMS, Reason: FactorSwitched}), nil
}
