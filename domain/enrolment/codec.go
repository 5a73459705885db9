package enrolment

import (
	"encoding/json"
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// Schema is the version of all events of this package. A schema only grows: a
// field may be added, never renamed, retyped or removed, so that each event
// ever written can be read for ever.
const Schema = 1

// TypeOf returns the name under which an event is recorded.
func TypeOf(e Event) string {
	switch e.(type) {
	case StaffRegistered:
		return "StaffRegistered"
	case StaffChanged:
		return "StaffChanged"
	case StaffLeft:
		return "StaffLeft"
	case EnrolmentStarted:
		return "EnrolmentStarted"
	case CodeIssued:
		return "CodeIssued"
	case CodeSent:
		return "CodeSent"
	case CodeUndeliverable:
		return "CodeUndeliverable"
	case CodeRejected:
		return "CodeRejected"
	case EmailConfirmed:
		return "EmailConfirmed"
	case NameSet:
		return "NameSet"
	case PasswordSet:
		return "PasswordSet"
	case PhoneGiven:
		return "PhoneGiven"
	case PhoneVerified:
		return "PhoneVerified"
	case PairingOffered:
		return "PairingOffered"
	case PairingClaimed:
		return "PairingClaimed"
	case PairingConfirmed:
		return "PairingConfirmed"
	case PairingFailed:
		return "PairingFailed"
	case PocketPaired:
		return "PocketPaired"
	case PocketRevoked:
		return "PocketRevoked"
	case FactorChosen:
		return "FactorChosen"
	case LanguageSet:
		return "LanguageSet"
	case EnrolmentReset:
		return "EnrolmentReset"
	case Unlocked:
		return "Unlocked"
	case HelpCodeShown:
		return "HelpCodeShown"
	case CodeConfirmed:
		return "CodeConfirmed"
	case AccountFrozen:
		return "AccountFrozen"
	case AccountUnfrozen:
		return "AccountUnfrozen"
	case RecoveryRequested:
		return "RecoveryRequested"
	case RecoveryCompleted:
		return "RecoveryCompleted"
	case InvitationIssued:
		return "InvitationIssued"
	case InvitationRejected:
		return "InvitationRejected"
	case InvitationRedeemed:
		return "InvitationRedeemed"
	case InvitationRevoked:
		return "InvitationRevoked"
	case RecoveryApproved:
		return "RecoveryApproved"
	case RecoveryDenied:
		return "RecoveryDenied"
	case RecoveryStopped:
		return "RecoveryStopped"
	case RecoveryExpired:
		return "RecoveryExpired"
	case PhoneVoided:
		return "PhoneVoided"
	case TicketIssued:
		return "TicketIssued"
	case TicketRedeemed:
		return "TicketRedeemed"
	case PersonErased:
		return "PersonErased"
	}
	panic(fmt.Sprintf("an event without a name: %T", e))
}

var decoders = map[string]func([]byte) (Event, error){
	"StaffRegistered":   decode[StaffRegistered],
	"StaffChanged":      decode[StaffChanged],
	"StaffLeft":         decode[StaffLeft],
	"EnrolmentStarted":  decode[EnrolmentStarted],
	"CodeIssued":        decode[CodeIssued],
	"CodeSent":          decode[CodeSent],
	"CodeUndeliverable": decode[CodeUndeliverable],
	"CodeRejected":      decode[CodeRejected],
	"EmailConfirmed":    decode[EmailConfirmed],
	"NameSet":           decode[NameSet],
	"PasswordSet":       decode[PasswordSet],
	"PhoneGiven":        decode[PhoneGiven],
	"PhoneVerified":     decode[PhoneVerified],
	"PairingOffered":    decode[PairingOffered],
	"PairingClaimed":    decode[PairingClaimed],
	"PairingConfirmed":  decode[PairingConfirmed],
	"PairingFailed":     decode[PairingFailed],
	"PocketPaired":      decode[PocketPaired],
	"PocketRevoked":     decode[PocketRevoked],
	"FactorChosen":      decode[FactorChosen],
	"LanguageSet":       decode[LanguageSet],
	"EnrolmentReset":    decode[EnrolmentReset],
	"Unlocked":          decode[Unlocked],
	"HelpCodeShown":     decode[HelpCodeShown],
	"CodeConfirmed":     decode[CodeConfirmed],
	"AccountFrozen":     decode[AccountFrozen],
	"AccountUnfrozen":   decode[AccountUnfrozen],
	"RecoveryRequested": decode[RecoveryRequested],
	"RecoveryCompleted": decode[RecoveryCompleted],

	"InvitationIssued":   decode[InvitationIssued],
	"InvitationRejected": decode[InvitationRejected],
	"InvitationRedeemed": decode[InvitationRedeemed],
	"InvitationRevoked":  decode[InvitationRevoked],
	"RecoveryApproved":   decode[RecoveryApproved],
	"RecoveryDenied":     decode[RecoveryDenied],
	"RecoveryStopped":    decode[RecoveryStopped],
	"RecoveryExpired":    decode[RecoveryExpired],
	"PhoneVoided":        decode[PhoneVoided],
	"TicketIssued":       decode[TicketIssued],
	"TicketRedeemed":     decode[TicketRedeemed],
	"PersonErased":       decode[PersonErased],
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, err
	}
	return e, nil
}

// Decode reads a recorded event. A type that this program does not know is
// domain.ErrUnknownEvent: whoever folds must then hold that one person's state
// for unknown, and never guess.
func Decode(typ string, data []byte) (Event, error) {
	d, ok := decoders[typ]
	if !ok {
		return nil, fmt.Errorf("decode event: %w: %q", domain.ErrUnknownEvent, typ)
	}
	e, err := d(data)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", typ, err)
	}
	return e, nil
}

// Messages encodes what a command decided, with the ids that every retry of
// the command will have again.
func Messages(events []Event, by domain.Stamp) ([]domain.Message, error) {
	meta, err := json.Marshal(by.Metadata(Schema))
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	msgs := make([]domain.Message, len(events))
	for i, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", TypeOf(e), err)
		}
		msgs[i] = domain.Message{ID: domain.EventIDFor(by.Command, i), Type: TypeOf(e), Data: data, Metadata: meta}
	}
	return msgs, nil
}
