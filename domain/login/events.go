package login

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Schema is the version of all events of this package; it only grows.
const Schema = 1

// Stream names the stream of one person's logins. It is kept for a time only.
func Stream(s domain.SubjectID) string { return domain.LoginPrefix + s.String() }

// An Event is a fact about one person's logins. The set is closed. None holds
// personal data: a network is named by a keyed hash.
//
//sumtype:decl
type Event interface{ isEvent() }

// Asker is who asks for a login: a client of the API, or a station.
type Asker struct {
	Client  string `json:"client,omitempty"`
	Station string `json:"station,omitempty"`
}

// Network names where somebody logs in from: a keyed hash of what the asker knows
// of it. Failures are counted by network, so that nobody can lock others out from
// afar.
type Network string

// Change is what a login is to allow beside being logged in; empty: nothing.
type Change string

// Failure is why a login came to nothing.
type Failure string

// The failures. The first three are guesses and count toward the limits.
const (
	WrongPassword Failure = "password"
	WrongCode     Failure = "code"
	WrongDigits   Failure = "digits"
	Denied        Failure = "denied" // "not now", on the phone
	NotMe         Failure = "not-me" // on the phone; the account was frozen
	Stale         Failure = "stale"  // the enrolment changed before the login could be given
)

// Guess says whether a failure was somebody's guess.
func (f Failure) Guess() bool { return f == WrongPassword || f == WrongCode || f == WrongDigits }

type (
	// LoginChallenged says that the password was right, and that the factor is asked
	// for. It ends the challenge before it.
	LoginChallenged struct {
		Challenge enrolment.ChallengeID `json:"challenge"`
		Factor    enrolment.Factor      `json:"factor"`
		By        Asker                 `json:"by"`
		Network   Network               `json:"network"`
		Change    Change                `json:"change,omitempty"`
		Enrolment domain.Revision       `json:"enrolment"` // read: the login is given only while it is that
		KeyID     string                `json:"key"`       // that the code, or the digits, are derived with
		Expires   time.Time             `json:"expires"`

		To     *domain.Ref        `json:"to,omitempty"`     // SMS: the number
		Device enrolment.DeviceID `json:"device,omitempty"` // Pocket
		Nonce  string             `json:"nonce,omitempty"`  // Pocket
		From   *domain.Ref        `json:"from,omitempty"`   // Pocket: where, in words, as the phone shows it
	}

	// CodeSent says that a provider took over the n-th message with this code.
	CodeSent struct {
		Challenge  enrolment.ChallengeID `json:"challenge"`
		Number     int                   `json:"number"`
		Provider   string                `json:"provider"`
		ProviderID string                `json:"providerId"`
	}

	// CodeUndeliverable says that the n-th message did not leave, or may not have.
	CodeUndeliverable struct {
		Challenge enrolment.ChallengeID `json:"challenge"`
		Number    int                   `json:"number"`
		Reason    enrolment.Undelivered `json:"reason"`
	}

	// LoginApproved says that the phone said yes, with the digits of the screen.
	LoginApproved struct {
		Challenge enrolment.ChallengeID `json:"challenge"`
		Device    enrolment.DeviceID    `json:"device"`
	}

	// LoginSucceeded says that a login was given, to whoever asked for it. There is
	// one at most for each challenge.
	LoginSucceeded struct {
		Challenge enrolment.ChallengeID `json:"challenge"`
		Factor    enrolment.Factor      `json:"factor"`
		By        Asker                 `json:"by"`
		Network   Network               `json:"network"`
		Enrolment domain.Revision       `json:"enrolment"`
	}

	// LoginFailed says that one came to nothing, or one guess at it.
	LoginFailed struct {
		Challenge enrolment.ChallengeID `json:"challenge,omitempty"` // none: the password was not right
		Reason    Failure               `json:"reason"`
		By        Asker                 `json:"by"`
		Network   Network               `json:"network"`
	}

	// LoginLocked says that nobody logs in to this account from a network for a while.
	LoginLocked struct {
		Network Network   `json:"network"`
		Until   time.Time `json:"until"`
	}
)

func (LoginChallenged) isEvent()   {}
func (CodeSent) isEvent()          {}
func (CodeUndeliverable) isEvent() {}
func (LoginApproved) isEvent()     {}
func (LoginSucceeded) isEvent()    {}
func (LoginFailed) isEvent()       {}
func (LoginLocked) isEvent()       {}

// TypeOf returns the name under which an event is recorded.
func TypeOf(e Event) string {
	switch e.(type) {
	case LoginChallenged:
		return "LoginChallenged"
	case CodeSent:
		return "CodeSent"
	case CodeUndeliverable:
		return "CodeUndeliverable"
	case LoginApproved:
		return "LoginApproved"
	case LoginSucceeded:
		return "LoginSucceeded"
	case LoginFailed:
		return "LoginFailed"
	case LoginLocked:
		return "LoginLocked"
	}
	panic(fmt.Sprintf("an event without a name: %T", e))
}

var decoders = map[string]func([]byte) (Event, error){
	"LoginChallenged":   decode[LoginChallenged],
	"CodeSent":          decode[CodeSent],
	"CodeUndeliverable": decode[CodeUndeliverable],
	"LoginApproved":     decode[LoginApproved],
	"LoginSucceeded":    decode[LoginSucceeded],
	"LoginFailed":       decode[LoginFailed],
	"LoginLocked":       decode[LoginLocked],
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, err
	}
	return e, nil
}

// Decode reads a recorded event; domain.ErrUnknownEvent for an unknown type: then
// nothing may be decided about this person's logins.
func Decode(typ string, data []byte) (Event, error) {
	d, ok := decoders[typ]
	if !ok {
		return nil, fmt.Errorf("decode login event: %w: %q", domain.ErrUnknownEvent, typ)
	}
	e, err := d(data)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", typ, err)
	}
	return e, nil
}

// Messages encodes what a command decided, with the ids that every retry of the
// command will have again.
func Messages(events []Event, by domain.Stamp) ([]domain.Message, error) {
	msgs := make([]domain.Message, len(events))
	for i, e := range events {
		m, err := domain.NewMessage(TypeOf(e), e, Schema, by)
		if err != nil {
			return nil, err
		}
		m.ID = domain.EventIDFor(by.Command, i)
		msgs[i] = m
	}
	return msgs, nil
}
