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
