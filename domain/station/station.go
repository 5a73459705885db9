// Package station is what one running kiosk or desk did of itself (it opened, it
// wiped itself, its staff exit was used, something in it failed), and whether it
// is let in from another machine. It imports domain only. Start reading at Event;
// admission.go decides.
package station

import (
	"encoding/json"
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// Schema is the version of all events of this package; it only grows.
const Schema = 1

// An Event is a fact about one station. The set is closed.
//
//sumtype:decl
type Event interface{ isEvent() }

// WipeReason is why a station forgot whoever was at it.
type WipeReason string

// The reasons of StationWiped.
const (
	Finished WipeReason = "finished" // the enrolment was complete
	Stopped  WipeReason = "stopped"  // the person pressed Stoppen, or went back to the start
	Idle     WipeReason = "idle"     // nobody touched it
	TooLong  WipeReason = "too-long" // the visit reached its greatest length
)

// ValidWipe says whether something is one of the reasons of StationWiped.
func ValidWipe(why WipeReason) bool {
	return why == Finished || why == Stopped || why == Idle || why == TooLong
}

// Failure is what failed, as a closed code.
type Failure string

// The failures of StationFailed.
const (
	MailFailed Failure = "mail"
	SMSFailed  Failure = "sms"
)

// StationOpened says that a station started. A log whose very first event says
// demo is a demo's for ever; no other can become one.
type StationOpened struct {
	Version string `json:"version"`
	Demo    bool   `json:"demo,omitempty"`
}

// StationWiped says that a station forgot whoever was at it.
type StationWiped struct {
	Reason WipeReason `json:"reason"`
}

// StationUnlocked says that the staff exit was used.
type StationUnlocked struct{}

// StationFailed says that something failed for everybody.
type StationFailed struct {
	Reason Failure `json:"reason"`
}

// HelpCodeShown says that somebody who is stuck, and of whom nothing is known,
// was shown a code to read aloud. Those who are known have it in their own
// stream.
type HelpCodeShown struct {
	Help string `json:"help"`
}

// StationAdmitted says that a station on another machine is let in, with a
// certificate. One that was revoked can be admitted again, with another.
type StationAdmitted struct {
	Kind        Kind        `json:"kind"`
	Certificate Certificate `json:"certificate"`
}

// StationRenewed says that a station took a certificate in the place of one
// that was about to end: the one that it showed when it asked.
type StationRenewed struct {
	Certificate Certificate `json:"certificate"`
	Shown       string      `json:"shown"` // its serial
}

// StationRevoked says that no certificate of a station counts any more.
type StationRevoked struct {
	Reason Revocation `json:"reason"`
}

// StationRefused says that a station asked for what it may not ask for.
type StationRefused struct {
	UseCase string        `json:"use_case"` // one of ours, or "unknown"
	Reason  RefusalReason `json:"reason"`
}

func (StationOpened) isEvent()   {}
func (StationWiped) isEvent()    {}
func (StationUnlocked) isEvent() {}
func (StationFailed) isEvent()   {}
func (HelpCodeShown) isEvent()   {}
func (StationAdmitted) isEvent() {}
func (StationRenewed) isEvent()  {}
func (StationRevoked) isEvent()  {}
func (StationRefused) isEvent()  {}

// TypeOf returns the name under which an event is recorded.
func TypeOf(e Event) string {
	switch e.(type) {
	case StationOpened:
		return "StationOpened"
	case StationWiped:
		return "StationWiped"
	case StationUnlocked:
		return "StationUnlocked"
	case StationFailed:
		return "StationFailed"
	case HelpCodeShown:
		return "HelpCodeShown"
	case StationAdmitted:
		return "StationAdmitted"
	case StationRenewed:
		return "StationRenewed"
	case StationRevoked:
		return "StationRevoked"
	case StationRefused:
		return "StationRefused"
	}
	panic(fmt.Sprintf("an event without a name: %T", e))
}

// Decode reads a recorded event; domain.ErrUnknownEvent for an unknown type.
func Decode(typ string, data []byte) (Event, error) {
	switch typ {
	case "StationOpened":
		return decode[StationOpened](data)
	case "StationWiped":
		return decode[StationWiped](data)
	case "StationUnlocked":
		return decode[StationUnlocked](data)
	case "StationFailed":
		return decode[StationFailed](data)
	case "HelpCodeShown":
		return decode[HelpCodeShown](data)
	case "StationAdmitted":
		return decode[StationAdmitted](data)
	case "StationRenewed":
		return decode[StationRenewed](data)
	case "StationRevoked":
		return decode[StationRevoked](data)
	case "StationRefused":
		return decode[StationRefused](data)
	}
	return nil, fmt.Errorf("decode station event: %w: %q", domain.ErrUnknownEvent, typ)
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("decode %s: %w", TypeOf(e), err)
	}
	return e, nil
}

// Message encodes an event with the id that every retry will have again.
func Message(e Event, by domain.Stamp) (domain.Message, error) {
	return domain.NewMessage(TypeOf(e), e, Schema, by)
}

// Stream names a station's stream.
func Stream(id string) string { return domain.StationPrefix + id }
