package courier

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"

	"golang.org/x/net/idna"

	"github.com/keydesk/keydesk/domain"
)

// Kind says what a message is for, and so which text it gets.
type Kind string

// The kinds of messages, and the channels that have a text for them.
const (
	// With a code.
	ConfirmEmail Kind = "confirm-email" // mail
	VerifyPhone  Kind = "verify-phone"  // SMS
	ChangePhone  Kind = "change-phone"  // SMS, to the number that is to count
	Login        Kind = "login"         // SMS
	ProveChange  Kind = "prove-change"  // SMS: who is logged in wants to change the account
	Recover      Kind = "recover"       // mail and SMS
	VerifyCaller Kind = "verify-caller" // SMS: the person reads it to staff, whom they called

	// Without one.
	AlreadyEnrolled Kind = "already-enrolled" // mail
	Locked          Kind = "locked"           // mail
	PocketPaired    Kind = "pocket-paired"    // mail and SMS
	LoginLocked     Kind = "login-locked"     // mail
	PasswordChanged Kind = "password-changed" // mail and SMS
	PhoneChanged    Kind = "phone-changed"    // mail, and SMS to the old number; the new one stands in neither
	SMSChosen       Kind = "sms-chosen"       // mail and SMS
	AccountFrozen   Kind = "account-frozen"   // mail and SMS; see Message.Frozen
	AccountUnfrozen Kind = "account-unfrozen" // mail and SMS
	Invitation      Kind = "invitation"       // mail; see Message.Ticket
	Alarm           Kind = "alarm"            // mail to the helpdesk: an account was frozen; see Message.Frozen

	// About a case of staff; see Message.Action.
	CaseRequested Kind = "case-requested" // mail and SMS, with what stops it
	CaseApproved  Kind = "case-approved"  // likewise, and when it is done
	CaseDone      Kind = "case-done"      // mail and SMS

	ErasureRequested Kind = "erasure-requested" // mail, with what stops it; of no Action

	// To the helpdesk, by mail; see Message.Reference.
	AlarmStopped Kind = "alarm-stopped" // somebody stopped a case about them
	AlarmCases   Kind = "alarm-cases"   // one of them has unusually many
	AlarmAlone   Kind = "alarm-alone"   // what needs a second person was done without

	// To whoever keeps checkpoints, by mail; see Message.Note.
	DailyCheckpoint Kind = "checkpoint"
)

// hasCode says whether messages of this kind carry a code.
func (k Kind) hasCode() bool {
	return k == ConfirmEmail || k == VerifyPhone || k == ChangePhone || k == Login || k == ProveChange || k == Recover || k == VerifyCaller
}

// ofCase says whether messages of this kind are about a case of staff.
func (k Kind) ofCase() bool {
	return k == CaseRequested || k == CaseApproved || k == CaseDone || k == ErasureRequested
}

// Action is what staff were asked to do.
type Action string

// The actions that people are told of.
const (
	CorrectNumber Action = "correct-number"
	RevokePocket  Action = "revoke-pocket"
	Unfreeze      Action = "unfreeze"
	Reset         Action = "reset"
	IssueTicket   Action = "ticket"
)

// Frozen is why an account was frozen.
type Frozen string

// The reasons.
const (
	NotMe      Frozen = "not-me"   // somebody said so on the paired phone
	Lost       Frozen = "lost"     // the phone was reported lost
	Stolen     Frozen = "stolen"   // the phone was reported stolen
	ByHelpdesk Frozen = "helpdesk" // staff did it
)

// A Message is one thing to tell one person, or (Alarm) the helpdesk. It is
// personal data as a whole, apart from ID, Kind, Lang, Frozen, Action and Reference.
type Message struct {
	// ID names this one send: 1–64 letters, digits and hyphens, never used
	// before and never derived from anything personal. Providers get it as
	// their reference, and a mail has it in its Message-ID.
	ID   string
	Kind Kind
	To   string // an e-mail address, or a phone number as E.164 (+31612345678)
	Lang string // "nl" or "en"; anything else is read as "nl"

	Code    string // six digits, for the kinds that have a code
	Minutes int    // how long the code works, for the kinds that have a code; CaseApproved: until it is done

	Ticket string // XXXX-XXXX-XXXX, for Invitation
	Hours  int    // how long the ticket works, for Invitation

	Frozen Frozen // why, for AccountFrozen and Alarm
	// Reference is what to name to the helpdesk, for AccountFrozen and Alarm: at
	// most 40 letters, digits, spaces, dots and hyphens, or nothing. An SMS about
	// a phone that is in other hands never holds it.
	Reference string

	Action Action // about a case: what staff were asked to do
	Stop   string // about a case: the code that stops it, XXXX-XXXX-XXXX, or nothing: then the helpdesk does
	Link   string // about a case: where the code stops it, an address on the web, or nothing

	Note string // DailyCheckpoint: a signed note, with the end of its last line
}

// A Receipt says that a provider accepted a message. Both fields may be
// recorded: neither is personal.
type Receipt struct {
	Provider string // "smtp", "cm", "spryng", "twilio", "webhook", "demo"
	ID       string // the provider's own id, or Message.ID where it gave none
}

// ErrBadMessage says that the message cannot be written as it is, which is a
// mistake of the caller. Nothing was sent.
var ErrBadMessage = errors.New("not a message that can be sent")

// maxNote is how many bytes a note may have.
const maxNote = 64 << 10

var (
	idForm     = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
	codeForm   = regexp.MustCompile(`^[0-9]{6}$`)
	ticketForm = regexp.MustCompile(`^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$`)
	stopForm   = regexp.MustCompile(`^([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})?$`)
	linkForm   = regexp.MustCompile(`^(https?://[A-Za-z0-9.:\[\]-]+/[a-z]+#[0-9A-Z-]{14})?$`)
	caseForm   = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9 .-]{0,38}[A-Za-z0-9])?)?$`)
	numberForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
)

func (m Message) check() error {
	switch {
	case !idForm.MatchString(m.ID):
		return fmt.Errorf("%w: bad id", ErrBadMessage)
	case m.Kind.hasCode() && !codeForm.MatchString(m.Code):
		return fmt.Errorf("%w: %s without its code", ErrBadMessage, m.Kind)
	case m.Kind.hasCode() && m.Minutes < 1:
		return fmt.Errorf("%w: %s that works for no time", ErrBadMessage, m.Kind)
	case m.Kind == Invitation && (!ticketForm.MatchString(m.Ticket) || m.Hours < 1):
		return fmt.Errorf("%w: %s without its ticket", ErrBadMessage, m.Kind)
	}
	if m.Kind.ofCase() {
		return m.checkCase()
	}
	if m.Kind == DailyCheckpoint && (len(m.Note) > maxNote || !strings.Contains(m.Note, "\n\n\u2014 ") || !strings.HasSuffix(m.Note, "\n")) {
		return fmt.Errorf("%w: %s without its note", ErrBadMessage, m.Kind)
	}
	if m.Kind == AlarmStopped || m.Kind == AlarmCases || m.Kind == AlarmAlone {
		if m.Reference == "" || !caseForm.MatchString(m.Reference) {
			return fmt.Errorf("%w: bad reference", ErrBadMessage)
		}
		return nil
	}
	if m.Kind != AccountFrozen && m.Kind != Alarm {
		return nil
	}
	switch m.Frozen {
	case NotMe, Lost, Stolen, ByHelpdesk:
	default:
		return fmt.Errorf("%w: %s without its reason", ErrBadMessage, m.Kind)
	}
	if !caseForm.MatchString(m.Reference) {
		return fmt.Errorf("%w: bad reference", ErrBadMessage)
	}
	return nil
}

func (m Message) checkCase() error {
	switch m.Action {
	case CorrectNumber, RevokePocket, Unfreeze, Reset, IssueTicket:
	default:
		if m.Kind != ErasureRequested {
			return fmt.Errorf("%w: %s of no action", ErrBadMessage, m.Kind)
		}
	}
	switch {
	case !stopForm.MatchString(m.Stop) || m.Stop != "" && m.Kind == CaseDone:
		return fmt.Errorf("%w: bad code of a case", ErrBadMessage)
	case !linkForm.MatchString(m.Link) || m.Link != "" && m.Stop == "":
		return fmt.Errorf("%w: bad link of a case", ErrBadMessage)
	case m.Kind == CaseApproved && m.Minutes < 1:
		return fmt.Errorf("%w: %s that does not wait", ErrBadMessage, m.Kind)
	}
	return nil
}

// A Reason says why a message was refused. The set is closed.
type Reason string

// The reasons.
const (
	InvalidRecipient Reason = "invalid-recipient" // no such address or number, or it cannot receive this
	Blocked          Reason = "blocked"           // the recipient opted out or is on the provider's block list
	NoCredit         Reason = "no-credit"
	RateLimited      Reason = "rate-limited"
	Unsupported      Reason = "unsupported"   // this provider cannot reach this destination
	Auth             Reason = "auth"          // our credentials were refused
	Misconfigured    Reason = "misconfigured" // our sender, URL or account is set up wrongly
	Busy             Reason = "busy"          // later, perhaps
	Refused          Reason = "refused"       // for any other reason
	Unreachable      Reason = "unreachable"   // only from ReasonOf: nobody could be reached
	Unknown          Reason = "unknown"       // only from ReasonOf: it may have been sent
)

// Rejected is a definite refusal: nothing was sent.
type Rejected struct { //nolint:errname // it reads as what happened: the message was rejected
	Provider string
	Reason   Reason
	Status   int // of the HTTP or SMTP answer; 0 where there was none
}

func (r *Rejected) Error() string {
	if r.Status == 0 {
		return fmt.Sprintf("%s: %s", r.Provider, r.Reason)
	}
	return fmt.Sprintf("%s: %s (status %d)", r.Provider, r.Reason, r.Status)
}

// ReasonOf returns the code under which a failed send may be recorded. Of
// several refusals it is the first one's.
func ReasonOf(err error) Reason {
	var r *Rejected
	switch {
	case errors.Is(err, domain.ErrUnknownOutcome):
		return Unknown
	case errors.As(err, &r):
		return r.Reason
	case errors.Is(err, domain.ErrUnavailable):
		return Unreachable
	}
	return Refused
}

// domains writes a domain name in ASCII (RFC 5890), and refuses one with an empty label,
// also one of nothing but characters that are not written, or one that is too long.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// mailbox returns an address in the form that SMTP carries everywhere: an
// ASCII local part, and the domain in its ASCII form (RFC 5890). It refuses
// display names, comments, lists, and everything with a control character.
func mailbox(address string) (string, error) {
	bad := &Rejected{Provider: "smtp", Reason: InvalidRecipient}
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address || a.Name != "" {
		return "", bad
	}
	at := strings.LastIndexByte(address, '@')
	local, name := address[:at], address[at+1:]
	odd := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>()[]\,;:`, r) }
	ascii, err := domains.ToASCII(name)
	if err != nil || strings.HasSuffix(ascii, ".") || strings.ContainsFunc(local, odd) || len(local) > 64 { // RFC 5321 section 4.5.3.1
		return "", bad
	}
	return local + "@" + ascii, nil
}
