package enrolment

// What events say beside numbers and times: ids, and words of closed sets. Each word stands
// in events for ever, so that none is taken out or means something else one day.

type (
	// ChallengeID names one code that somebody was asked for. Random, 128 bits.
	ChallengeID string
	// PairingID names one QR code. Random, 128 bits.
	PairingID string
	// DeviceID names one paired phone. Random, 128 bits.
	DeviceID string
	// HelpID names what a stuck person reads to the helpdesk.
	HelpID string
	// InvitationID names one invitation, and so one ticket. Random, 128 bits.
	InvitationID string
	// CaseID names one case: what people name to the helpdesk. Short, and no secret.
	CaseID string
	// TicketID names one ticket. No secret.
	TicketID string
)

// Admission is the reason why somebody may enrol.
type Admission string

// The admissions.
const (
	ByRoster     Admission = "roster"
	ByDomain     Admission = "domain"
	ByInvitation Admission = "invitation"
)

// InvitationKind is how a ticket comes to whom it is for.
type InvitationKind string

// The kinds of invitations.
const (
	InvitationShown   InvitationKind = "shown" // to staff, who pass it on
	InvitationPrinted InvitationKind = "printed"
	InvitationMailed  InvitationKind = "mailed"
)

// InvitationEnd is why an invitation that nobody redeemed counts no longer.
type InvitationEnd string

// The reasons of InvitationRevoked.
const (
	InvitationTakenBack InvitationEnd = "staff"
)

// Purpose is what a code proves.
type Purpose string

// The purposes of codes.
const (
	ConfirmingEmail Purpose = "confirm-email"
	VerifyingPhone  Purpose = "verify-phone"
	ChangingPhone   Purpose = "change-phone"
	LoggingIn       Purpose = "login"         // in the stream of the person's logins
	Recovering      Purpose = "recover"       // by mail, then by SMS
	VerifyingCaller Purpose = "verify-caller" // read aloud to staff by whoever called them
)

// Channel is the way a code travels.
type Channel string

// The channels.
const (
	ByMail   Channel = "mail"
	BySMS    Channel = "sms"
	ByPocket Channel = "pocket" // of CodeConfirmed only: no code, but an approval on the phone
)

// Rejection is why a code was not accepted. Only a wrong one is a guess.
type Rejection string

// The rejections.
const (
	Wrong   Rejection = "wrong"
	Expired Rejection = "expired"
	Used    Rejection = "used"
)

// Source is where a phone number came from. One that the person typed never
// goes back to HR.
type Source string

// The sources of a phone number.
const (
	FromHR   Source = "hr"
	FromSelf Source = "self"
)

// Factor is how a person proves who they are, after the password.
type Factor string

// The factors.
const (
	NoFactor Factor = "none"
	SMS      Factor = "sms"
	Pocket   Factor = "pocket"
)

// Undelivered is a provider's error, mapped to a closed set.
type Undelivered string

// Why a code did not leave or arrive.
const (
	InvalidRecipient Undelivered = "invalid-recipient"
	Blocked          Undelivered = "blocked"
	Refused          Undelivered = "refused"
	NoRoute          Undelivered = "no-route"
	NoProvider       Undelivered = "no-provider"
	Unknown          Undelivered = "unknown" // the acknowledgement was lost: it may arrive
)

// PairingFailure is why a pairing, or one try at it, came to nothing.
type PairingFailure string

// The failures of a pairing. WrongDigits leaves it open, the others end it.
const (
	WrongDigits  PairingFailure = "wrong-digits"
	TooManyTries PairingFailure = "too-many-tries"
	ClaimedTwice PairingFailure = "claimed-twice"
	Cancelled    PairingFailure = "cancelled"
)

// PasswordReason is why a password was set.
type PasswordReason string

// The reasons of PasswordSet.
const (
	PasswordAtEnrolment PasswordReason = "enrolment"
	PasswordChanged     PasswordReason = "changed"
	PasswordRehashed    PasswordReason = "rehashed" // the same one, with the parameters of today
)

// FactorReason is why a factor was chosen.
type FactorReason string

// The reasons of FactorChosen.
const (
	FactorAtEnrolment FactorReason = "enrolment"
	FactorSwitched    FactorReason = "switched"
	FactorRecovered   FactorReason = "recovered"
)

// RevokeReason is why a phone lost its key.
type RevokeReason string

// The reasons of PocketRevoked.
const (
	Replaced          RevokeReason = "replaced" // by another phone
	SwitchedAway      RevokeReason = "switched" // to SMS
	LostDevice        RevokeReason = "lost"
	StolenDevice      RevokeReason = "stolen"
	RevokedByHelpdesk RevokeReason = "helpdesk"
)

// ResetReason is why an enrolment starts again.
type ResetReason string

// The reasons of EnrolmentReset.
const (
	ForgottenPassword ResetReason = "forgotten-password"
	ResetToRecover    ResetReason = "recovered" // the account was unfrozen: everything is proved anew
	ResetByHelpdesk   ResetReason = "helpdesk"
)

// UnlockReason is why the count of wrong codes was cleared.
type UnlockReason string

// The reasons of Unlocked.
const (
	UnlockedByAdmin    UnlockReason = "admin"
	UnlockedByHelpdesk UnlockReason = "helpdesk"
)

// FreezeReason is why an account has no usable factor, whatever was chosen.
type FreezeReason string

// The reasons of AccountFrozen.
const (
	FrozenNotMe    FreezeReason = "not-me"   // somebody else knows the password: the person said so on the phone
	FrozenLost     FreezeReason = "lost"     // the phone; the current factor, proved, ends it
	FrozenStolen   FreezeReason = "stolen"   // the phone
	FrozenHelpdesk FreezeReason = "helpdesk" // staff
)

// UnfreezeReason is why an account is frozen no longer.
type UnfreezeReason string

// The reasons of AccountUnfrozen.
const (
	UnfrozenFound    UnfreezeReason = "found"    // the person has the phone again, and proved it
	UnfrozenHelpdesk UnfreezeReason = "helpdesk" // staff; everything is proved anew after it
)

// CaseReason is why there is a case.
type CaseReason string

// The reasons of a case.
const (
	CaseLost   CaseReason = "lost"
	CaseStolen CaseReason = "stolen"
	CaseNew    CaseReason = "new" // another phone with the same number
	CaseNotMe  CaseReason = "not-me"

	CaseBroken      CaseReason = "broken" // the phone, or what is on it
	CaseWrongNumber CaseReason = "wrong-number"
	CaseNewNumber   CaseReason = "new-number"
	CaseForgotten   CaseReason = "forgotten-password"
	CaseNoCode      CaseReason = "no-code" // it does not arrive
	CaseWrongCodes  CaseReason = "wrong-codes"
	CaseSuspicion   CaseReason = "suspicion" // somebody else may be in it
	CaseLeft        CaseReason = "left"      // they do not work here any more
	CaseMistake     CaseReason = "mistake"   // there was no reason to freeze, or to keep anything of them
	CaseRequest     CaseReason = "request"   // the person wants it
	CaseRetention   CaseReason = "retention" // there is no reason any more to keep what is known of them
)

// CaseEnd is how a case was completed.
type CaseEnd string

// The ends of a case.
const (
	EndFound    CaseEnd = "found"    // the current factor was proved
	EndNew      CaseEnd = "new"      // the number was proved; SMS is the factor
	EndHelpdesk CaseEnd = "helpdesk" // by staff
	EndDone     CaseEnd = "done"     // what staff asked for was done
)

// Denial is why staff let a case come to nothing.
type Denial string

// The denials.
const (
	DeniedUnproved  Denial = "unproved" // it is not sure who asked
	DeniedMistake   Denial = "mistake"  // the wrong person, or the wrong action
	DeniedNotNeeded Denial = "not-needed"
)

// Denials returns all of them.
func Denials() []Denial { return []Denial{DeniedUnproved, DeniedMistake, DeniedNotNeeded} }

// Stop is what ended a case before it was carried out.
type Stop string

// The stops.
const (
	StoppedByPerson Stop = "person" // whom it is about, with the link or the code
	StoppedByFreeze Stop = "frozen"
	StoppedByOther  Stop = "other" // something else was done that leaves it nothing to do
)

// TicketKind is what a ticket is for.
type TicketKind string

// The kinds of tickets.
const (
	RecoveryTicket TicketKind = "recovery" // once in the place of the old password
)

// VoidReason is why a verified number is none any more.
type VoidReason string

// The reasons of PhoneVoided.
const (
	VoidedByHelpdesk VoidReason = "helpdesk"
)

// ErasureMethod is how somebody's data became unreadable.
type ErasureMethod string

// The methods of PersonErased.
const (
	KeyDeleted ErasureMethod = "key-deleted" // and what was sealed with it
)

// Evidence is what a case stands on.
type Evidence string

// The evidence: what Keydesk saw somebody prove …
const (
	ProvedPassword Evidence = "password"
	ProvedEmail    Evidence = "email"
	ProvedNumber   Evidence = "sms"
	ProvedPocket   Evidence = "pocket"
)

// … and what staff say they have; see Claims.
const (
	SawDocument   Evidence = "id-document"     // of the person who is there
	SawPass       Evidence = "staff-pass"      // likewise
	KnownInPerson Evidence = "known-in-person" // by their manager, who is there too
	CalledBack    Evidence = "called-back"     // on the number that HR has
)

// RosterSource is the way in which HR announced somebody.
type RosterSource string

// The sources of a roster entry.
const (
	RosterByHand   RosterSource = "hand"
	RosterFromFile RosterSource = "file"
	RosterFromAFAS RosterSource = "afas" // a GetConnector of AFAS Profit
)
