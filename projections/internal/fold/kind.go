package fold

// A Kind is the type of an event, as a number to switch on.
type Kind uint8

// The kinds. Unknown is any type that the folds were not written for: it may
// mean anything, so whoever it happened to must be parked.
const (
	Unknown Kind = iota
	StaffRegistered
	StaffChanged
	EnrolmentStarted
	CodeIssued
	CodeSent
	CodeUndeliverable
	CodeRejected
	EmailConfirmed
	NameSet
	PasswordSet
	PhoneGiven
	PhoneVerified
	PairingOffered
	PairingClaimed
	PairingConfirmed
	PairingFailed
	PocketPaired
	PocketRevoked
	FactorChosen
	LanguageSet
	EnrolmentReset
	Unlocked
	HelpCodeShown
	CodeConfirmed
	AccountFrozen
	AccountUnfrozen
	RecoveryRequested
	RecoveryCompleted
	StaffLeft
	InvitationIssued
	InvitationRejected
	InvitationRedeemed
	InvitationRevoked
	RecoveryApproved
	RecoveryDenied
	RecoveryStopped
	RecoveryExpired
	PhoneVoided
	TicketIssued
	TicketRedeemed
	PersonErased
)

// KindOf returns the kind of an event's type.
//
// The types are written out, and not taken from the codec of the domain: a new
// type has to be thought about here before a fold may pass it by.
func KindOf(typ string) Kind {
	switch typ {
	case "StaffRegistered":
		return StaffRegistered
	case "StaffChanged":
		return StaffChanged
	case "StaffLeft":
		return StaffLeft
	case "EnrolmentStarted":
		return EnrolmentStarted
	case "CodeIssued":
		return CodeIssued
	case "CodeSent":
		return CodeSent
	case "CodeUndeliverable":
		return CodeUndeliverable
	case "CodeRejected":
		return CodeRejected
	case "EmailConfirmed":
		return EmailConfirmed
	case "NameSet":
		return NameSet
	case "PasswordSet":
		return PasswordSet
	case "PhoneGiven":
		return PhoneGiven
	case "PhoneVerified":
		return PhoneVerified
	case "PairingOffered":
		return PairingOffered
	case "PairingClaimed":
		return PairingClaimed
	case "PairingConfirmed":
		return PairingConfirmed
	case "PairingFailed":
		return PairingFailed
	case "PocketPaired":
		return PocketPaired
	case "PocketRevoked":
		return PocketRevoked
	case "FactorChosen":
		return FactorChosen
	case "LanguageSet":
		return LanguageSet
	case "EnrolmentReset":
		return EnrolmentReset
	case "Unlocked":
		return Unlocked
	case "HelpCodeShown":
		return HelpCodeShown
	case "CodeConfirmed":
		return CodeConfirmed
	case "AccountFrozen":
		return AccountFrozen
	case "AccountUnfrozen":
		return AccountUnfrozen
	case "RecoveryRequested":
		return RecoveryRequested
	case "RecoveryCompleted":
		return RecoveryCompleted
	case "InvitationIssued":
		return InvitationIssued
	case "InvitationRejected":
		return InvitationRejected
	case "InvitationRedeemed":
		return InvitationRedeemed
	case "InvitationRevoked":
		return InvitationRevoked
	case "RecoveryApproved":
		return RecoveryApproved
	case "RecoveryDenied":
		return RecoveryDenied
	case "RecoveryStopped":
		return RecoveryStopped
	case "RecoveryExpired":
		return RecoveryExpired
	case "PhoneVoided":
		return PhoneVoided
	case "TicketIssued":
		return TicketIssued
	case "TicketRedeemed":
		return TicketRedeemed
	case "PersonErased":
		return PersonErased
	}
	return Unknown
}
