package enrolment

import (
	"encoding/json"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// An Event is a fact about one person's enrolment. The set is closed: adding
// one means a golden file, a case in Evolve and a line in the codec.
//
// No event holds personal data, free text, a code, a secret or a hash: those
// are in the vault, and an event refers to them.
//
//sumtype:decl
type Event interface{ isEvent() }

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

// StaffRegistered says that HR announced somebody.
type StaffRegistered struct {
	Source   RosterSource `json:"source"`
	Batch    string       `json:"batch"`
	Employee *domain.Ref  `json:"employee,omitempty"`
	Email    domain.Ref   `json:"email"`
	Name     *domain.Ref  `json:"name,omitempty"`
	Phone    *domain.Ref  `json:"phone,omitempty"`
	Language string       `json:"language,omitempty"`
	Team     *domain.Ref  `json:"team,omitempty"`
	Start    *domain.Ref  `json:"start,omitempty"` // their first day
}

// StaffChanged says what HR knows now; it replaces what was announced before.
type StaffChanged struct {
	Source   RosterSource `json:"source"`
	Batch    string       `json:"batch"`
	Employee *domain.Ref  `json:"employee,omitempty"`
	Email    domain.Ref   `json:"email"`
	Name     *domain.Ref  `json:"name,omitempty"`
	Phone    *domain.Ref  `json:"phone,omitempty"`
	Language string       `json:"language,omitempty"`
	Team     *domain.Ref  `json:"team,omitempty"`
	Start    *domain.Ref  `json:"start,omitempty"` // their first day
}

// StaffLeft says that HR announces somebody no longer. Who has no factor yet gets
// none, unless they are invited after it; who has one keeps it, until another act
// takes it away.
type StaffLeft struct {
	Source RosterSource `json:"source"`
	Batch  string       `json:"batch"`
}

// EnrolmentStarted says that an admitted person began, or goes on for another reason
// than the one that admitted them before.
type EnrolmentStarted struct {
	Admission Admission `json:"admission"`
	Language  string    `json:"language"`
	Helper    string    `json:"helper,omitempty"` // the subject of the agent who sits beside
}

// CodeIssued says that a code counts from now on. The code itself is derived
// from the key that KeyID names, and stands nowhere. It ends an earlier open
// code of the same purpose.
type CodeIssued struct {
	Challenge ChallengeID `json:"challenge"`
	Purpose   Purpose     `json:"purpose"`
	Channel   Channel     `json:"channel"`
	To        domain.Ref  `json:"to"`
	KeyID     string      `json:"key"`
	Expires   time.Time   `json:"expires"`
}

// CodeSent says that a provider took over the n-th message with this code.
type CodeSent struct {
	Challenge  ChallengeID `json:"challenge"`
	Number     int         `json:"number"`
	Provider   string      `json:"provider"`
	ProviderID string      `json:"providerId"`
}

// CodeUndeliverable says that the n-th message with this code did not leave,
// did not arrive, or (unknown) may or may not have left.
type CodeUndeliverable struct {
	Challenge ChallengeID `json:"challenge"`
	Number    int         `json:"number"`
	Reason    Undelivered `json:"reason"`
}

// CodeRejected says that a code was not accepted. A wrong one counts toward
// the limits of its challenge and of the person (policy: WrongCodes,
// WrongCodesInARow); a late or used one does not.
type CodeRejected struct {
	Challenge ChallengeID `json:"challenge"`
	Attempt   int         `json:"attempt"` // of this challenge, from 1
	Reason    Rejection   `json:"reason"`
}

// EmailConfirmed says that the person reads mail at this address.
type EmailConfirmed struct {
	Challenge ChallengeID `json:"challenge"`
	Email     domain.Ref  `json:"email"`
}

// NameSet says what the person is called.
type NameSet struct {
	Name domain.Ref `json:"name"`
}

// PasswordSet says that the first factor stands. The hash is in the vault.
type PasswordSet struct {
	Credential domain.Ref     `json:"credential"`
	Algorithm  string         `json:"algorithm"`  // "argon2id"
	Parameters string         `json:"parameters"` // as in a PHC string: "m=65536,t=3,p=1"
	Pepper     string         `json:"pepper"`     // the key's id
	Reason     PasswordReason `json:"reason"`
}

// PhoneGiven says which number the person wants to use. It changes nothing
// until it is verified.
type PhoneGiven struct {
	Phone   domain.Ref `json:"phone"`
	Source  Source     `json:"source"`
	Country string     `json:"country"` // ISO 3166-1 alpha-2
}

// PhoneVerified says that the person receives SMS at this number.
type PhoneVerified struct {
	Challenge ChallengeID `json:"challenge"`
	Phone     domain.Ref  `json:"phone"`
	Source    Source      `json:"source"`
	Country   string      `json:"country"`
}

// PairingOffered says that a QR code is on the screen. It ends the one before.
type PairingOffered struct {
	Pairing PairingID `json:"pairing"`
	Expires time.Time `json:"expires"`          // when the next QR code takes its place
	Ends    time.Time `json:"ends"`             // when the whole pairing is over, across QR codes
	Switch  bool      `json:"switch,omitempty"` // by somebody who has a factor, and proved it
}

// PairingClaimed says that a phone read the QR code and showed a key.
type PairingClaimed struct {
	Pairing    PairingID `json:"pairing"`
	Thumbprint string    `json:"thumbprint"` // RFC 7638, SHA-256, base64url
	Nonce      string    `json:"nonce"`
}

// PairingConfirmed says that the person typed the digits that this phone, and
// no other, could show.
type PairingConfirmed struct {
	Pairing PairingID `json:"pairing"`
}

// PairingFailed says that a pairing, or one try at it, came to nothing.
type PairingFailed struct {
	Pairing PairingID      `json:"pairing"`
	Reason  PairingFailure `json:"reason"`
}

// PocketPaired says that a phone holds a key which counts.
type PocketPaired struct {
	Pairing    PairingID       `json:"pairing"`
	Device     DeviceID        `json:"device"`
	Thumbprint string          `json:"thumbprint"`
	Key        json.RawMessage `json:"key"` // public JWK: kty, crv, x, y
	Label      domain.Ref      `json:"label"`
}

// PocketRevoked says that a phone's key counts no longer.
type PocketRevoked struct {
	Device DeviceID     `json:"device"`
	Reason RevokeReason `json:"reason"`
}

// FactorChosen says which factor counts from now on. With Pocket it is only
// ever recorded together with that phone's PocketPaired, or for a live phone.
type FactorChosen struct {
	Factor Factor       `json:"factor"`
	Device DeviceID     `json:"device,omitempty"`
	Reason FactorReason `json:"reason"`
}

// LanguageSet says in which language the person wants to be written to.
type LanguageSet struct {
	Language string `json:"language"`
}

// EnrolmentReset says that all after the proof of the e-mail address is void.
type EnrolmentReset struct {
	Reason ResetReason `json:"reason"`
}

// Unlocked says that the count of wrong codes was cleared.
type Unlocked struct {
	Reason UnlockReason `json:"reason"`
}

// CodeConfirmed says that a code was right that proves no address and no number
// anew: one of a case. Of a caller it says until when that counts; with ByPocket they
// approved on their phone, and the challenge is one of their logins.
type CodeConfirmed struct {
	Challenge ChallengeID `json:"challenge"`
	Purpose   Purpose     `json:"purpose"`
	Channel   Channel     `json:"channel"`
	Until     time.Time   `json:"until,omitzero"`
}

// AccountFrozen says that no factor counts until the account is unfrozen.
type AccountFrozen struct {
	Reason FreezeReason `json:"reason"`
}

// AccountUnfrozen says that the chosen factor counts again, if there is one.
type AccountUnfrozen struct {
	Reason UnfreezeReason `json:"reason"`
}

// RecoveryRequested says that somebody cannot use their factor, and what they
// proved so far. It opens a case, in the place of an earlier one.
//
// With an action it is staff's (see RequestCase). One that waits for a second person has
// an end; what needs nobody else was done with it.
type RecoveryRequested struct {
	Case     CaseID      `json:"case"`
	Reason   CaseReason  `json:"reason"`
	Evidence []Evidence  `json:"evidence,omitempty"`
	Action   Action      `json:"action,omitempty"`
	Remote   bool        `json:"remote,omitempty"`
	Alone    bool        `json:"alone,omitempty"` // without the second person that it needs
	By       string      `json:"by,omitempty"`    // the actor's id, whom the second person must not be
	KeyID    string      `json:"key,omitempty"`   // of the code that stops it
	Ticket   *domain.Ref `json:"ticket,omitempty"`
	Phone    *domain.Ref `json:"phone,omitempty"`
	Source   Source      `json:"source,omitempty"`
	Country  string      `json:"country,omitempty"`
	Expires  time.Time   `json:"expires,omitzero"`
}

// RecoveryApproved says that a second person agreed. It is carried out between two
// moments, or with this event.
type RecoveryApproved struct {
	Case      CaseID    `json:"case"`
	By        string    `json:"by"`
	NotBefore time.Time `json:"notBefore"`
	Until     time.Time `json:"until"`
}

// RecoveryDenied says that staff let a case come to nothing.
type RecoveryDenied struct {
	Case   CaseID `json:"case"`
	By     string `json:"by"`
	Reason Denial `json:"reason"`
}

// RecoveryStopped says that a case was ended before it was carried out, not by staff.
type RecoveryStopped struct {
	Case   CaseID `json:"case"`
	Reason Stop   `json:"reason"`
}

// RecoveryExpired says that nobody approved a case in time, or carried it out. It is
// recorded when somebody sees it; that it has lapsed does not wait for that.
type RecoveryExpired struct {
	Case CaseID `json:"case"`
}

// RecoveryCompleted says that a case is over, and how.
type RecoveryCompleted struct {
	Case   CaseID  `json:"case"`
	Reason CaseEnd `json:"reason"`
}

// InvitationIssued says that a ticket counts from now on, for one use. The ticket itself
// is derived from the key that KeyID names, and stands nowhere. It ends an earlier one
// that was not redeemed.
type InvitationIssued struct {
	Invitation InvitationID   `json:"invitation"`
	Kind       InvitationKind `json:"kind"`
	KeyID      string         `json:"key"`
	Expires    time.Time      `json:"expires"`
	Email      domain.Ref     `json:"email"`
	Name       *domain.Ref    `json:"name,omitempty"` // as staff know it; HR's word goes before it
	Phone      *domain.Ref    `json:"phone,omitempty"`
}

// InvitationRejected says that a ticket was not accepted. A wrong one counts toward the
// limits of its invitation and of the person (policy: WrongCodes, WrongCodesInARow).
type InvitationRejected struct {
	Invitation InvitationID `json:"invitation"`
	Attempt    int          `json:"attempt"` // at this invitation, from 1
	Reason     Rejection    `json:"reason"`
}

// InvitationRedeemed says that the person gave the ticket. It counts until Expires by
// itself, after it while there is a password, and not any more once the enrolment is
// reset, the account frozen, or HR says that the person left.
type InvitationRedeemed struct {
	Invitation InvitationID   `json:"invitation"`
	Kind       InvitationKind `json:"kind"`
	Expires    time.Time      `json:"expires"`
}

// InvitationRevoked says that a ticket counts no longer that nobody redeemed.
type InvitationRevoked struct {
	Invitation InvitationID  `json:"invitation"`
	Reason     InvitationEnd `json:"reason"`
}

// PhoneVoided says that the verified number proves nothing until it is verified anew.
type PhoneVoided struct {
	Reason VoidReason `json:"reason"`
}

// TicketIssued says that a ticket counts from now on, for one use. The ticket itself is
// derived from the key that KeyID names, and stands nowhere. It ends an earlier one.
type TicketIssued struct {
	Ticket  TicketID   `json:"ticket"`
	Kind    TicketKind `json:"kind"`
	KeyID   string     `json:"key"`
	Expires time.Time  `json:"expires"`
}

// TicketRedeemed says that the person gave a ticket.
type TicketRedeemed struct {
	Ticket TicketID `json:"ticket"`
}

// PersonErased says that nothing personal of somebody can be read any more: what the
// events before it refer to is gone from the vault, or goes at once. Nothing follows it
// but what became of messages that were on their way.
type PersonErased struct {
	Method ErasureMethod `json:"method"`
}

// HelpCodeShown says that a stuck person was shown a code to read aloud.
type HelpCodeShown struct {
	Help HelpID `json:"help"`
}

func (StaffRegistered) isEvent()   {}
func (StaffChanged) isEvent()      {}
func (StaffLeft) isEvent()         {}
func (EnrolmentStarted) isEvent()  {}
func (CodeIssued) isEvent()        {}
func (CodeSent) isEvent()          {}
func (CodeUndeliverable) isEvent() {}
func (CodeRejected) isEvent()      {}
func (EmailConfirmed) isEvent()    {}
func (NameSet) isEvent()           {}
func (PasswordSet) isEvent()       {}
func (PhoneGiven) isEvent()        {}
func (PhoneVerified) isEvent()     {}
func (PairingOffered) isEvent()    {}
func (PairingClaimed) isEvent()    {}
func (PairingConfirmed) isEvent()  {}
func (PairingFailed) isEvent()     {}
func (PocketPaired) isEvent()      {}
func (PocketRevoked) isEvent()     {}
func (FactorChosen) isEvent()      {}
func (LanguageSet) isEvent()       {}
func (EnrolmentReset) isEvent()    {}
func (Unlocked) isEvent()          {}
func (HelpCodeShown) isEvent()     {}
func (CodeConfirmed) isEvent()     {}
func (AccountFrozen) isEvent()     {}
func (AccountUnfrozen) isEvent()   {}
func (RecoveryRequested) isEvent() {}
func (RecoveryCompleted) isEvent() {}

func (InvitationIssued) isEvent()   {}
func (InvitationRejected) isEvent() {}
func (InvitationRedeemed) isEvent() {}
func (InvitationRevoked) isEvent()  {}
func (RecoveryApproved) isEvent()   {}
func (RecoveryDenied) isEvent()     {}
func (RecoveryStopped) isEvent()    {}
func (RecoveryExpired) isEvent()    {}
func (PhoneVoided) isEvent()        {}
func (TicketIssued) isEvent()       {}
func (TicketRedeemed) isEvent()     {}
func (PersonErased) isEvent()       {}
