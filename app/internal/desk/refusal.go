package desk

import (
	"context"
	"errors"
	"time"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// Code says why something was refused. Screens have a text for each, in every
// language: "refusal-" and the code.
type Code string

// The codes.
const (
	NotAnAddress   Code = "not-an-address"
	OutsideDomains Code = "outside-domains"
	Limited        Code = "limited" // too often; see Wait
	WrongCode      Code = "wrong-code"
	CodeExpired    Code = "code-expired"
	CodeUsed       Code = "code-used"
	CodeEnded      Code = "code-ended"
	NoCode         Code = "no-code"
	LockedOut      Code = "locked"
	NameMissing    Code = "name-missing"
	NameUnusable   Code = "name-unusable"
	WeakPassword   Code = "weak-password"
	WrongPassword  Code = "wrong-password"
	NotANumber     Code = "not-a-number"
	NoSMS          Code = "no-sms"
	Country        Code = "country"
	SMSPaused      Code = "sms-paused" // the budget is spent, or too few codes come back
	PocketOff      Code = "pocket-off"
	WrongDigits    Code = "wrong-digits"
	PairingOver    Code = "pairing-over"
	PairingStale   Code = "pairing-stale"
	MovedOn        Code = "moved-on"
	OutOfOrder     Code = "out-of-order"
	Enrolled       Code = "already-enrolled"
	WrongLogin     Code = "wrong-login"   // address or password, or too often: never which
	AccountFrozen  Code = "frozen"        // only after the right password
	LoginStale     Code = "login-stale"   // something else was recorded of the person meanwhile: again, from the start
	NotProved      Code = "not-proved"    // the password and the factor come first
	SamePassword   Code = "same-password" // the new one is the old one
	SamePhone      Code = "same-phone"    // the new number is the old one
	VisitOver      Code = "visit-over"
	NotStaff       Code = "not-staff"   // who logged in has no role
	NoRight        Code = "no-right"    // none of their roles may do that
	OwnAccount     Code = "own-account" // nobody acts on their own account
	NotHere        Code = "not-here"    // at this station; where the log and the vault are it can be done
	NotReady       Code = "not-ready"   // what is asked for is still being read; ask again
	Assisting      Code = "assisting"   // while somebody enrols beside them
	ShiftOver      Code = "shift-over"  // whoever signed in has to sign in again
	NotATicket     Code = "not-a-ticket"
	WrongTicket    Code = "wrong-ticket"
	TicketExpired  Code = "ticket-expired"
	TicketEnded    Code = "ticket-ended" // too many wrong ones
	NoTicket       Code = "no-ticket"    // there is none that could be redeemed
	Busy           Code = "busy"
	Unavailable    Code = "unavailable" // log or vault; nothing was saved
	Unsure         Code = "unsure"      // the log did not answer; it may have been saved

	SecondPerson   Code = "second-person"   // it has to be another one than who asked
	BadReason      Code = "bad-reason"      // not one for this
	NoEvidence     Code = "no-evidence"     // it is not sure enough who asks
	TicketUnusable Code = "ticket-unusable" // the helpdesk's own number is no line of text
	CaseOpen       Code = "case-open"       // another one has to end first
	NoCase         Code = "no-case"         // there is none, or it is over
	CaseLapsed     Code = "case-expired"
	NotApproved    Code = "not-approved"
	TooEarly       Code = "too-early"     // it waits for its time
	NothingToDo    Code = "nothing-to-do" // it would change nothing
	NoNumber       Code = "no-number"     // HR has none

	NoEvent     Code = "no-event"      // there is none at that place in the log
	BadRange    Code = "bad-range"     // it ends before it begins, or there is no such moment, zone or checkpoint
	NoSeal      Code = "no-seal"       // nothing is sealed here yet
	NoExport    Code = "no-export"     // there is no such bundle any more
	NotAsSealed Code = "not-as-sealed" // the log is another than what was sealed

	Erased      Code = "erased"       // nothing of this person can be read or changed any more
	HoldsRole   Code = "holds-role"   // it has to be taken from them first
	ErasureOpen Code = "erasure-open" // it is recorded; what the vault holds goes as soon as that can be
)

// A Refusal is an error that a person can be told of. It is a plain value and
// survives the wire.
type Refusal struct { //nolint:errname // the word of the design; screens show it as a value
	Code     Code
	Wait     time.Duration // Limited: until it may be tried again
	Left     int           // tries that are left, where they are counted
	Incident string        // Unavailable, Unsure: what the program's log calls it
}

func (r *Refusal) Error() string { return "refused: " + string(r.Code) }

func refuse(c Code) *Refusal { return &Refusal{Code: c} }

var refusals = []struct {
	err  error
	code Code
}{
	{enrolment.ErrNotAnAddress, NotAnAddress},
	{enrolment.ErrNotANumber, NotANumber},
	{enrolment.ErrNoSMS, NoSMS},
	{enrolment.ErrCountryNotAllowed, Country},
	{enrolment.ErrAlreadyEnrolled, Enrolled},
	{enrolment.ErrOutOfOrder, OutOfOrder},
	{enrolment.ErrMovedOn, MovedOn},
	{enrolment.ErrNothingToConfirm, NoCode},
	{enrolment.ErrCodeEnded, CodeEnded},
	{enrolment.ErrLocked, LockedOut},
	{enrolment.ErrFrozen, AccountFrozen},
	{enrolment.ErrNotEnrolled, OutOfOrder},
	{enrolment.ErrSamePhone, SamePhone},
	{enrolment.ErrPairingExpired, PairingStale},
	{enrolment.ErrPairingFailed, PairingOver},
	{enrolment.ErrNotInvited, NoTicket},
	{enrolment.ErrTicketEnded, TicketEnded},
	{enrolment.ErrTicketFirst, OutOfOrder},
	{staff.ErrOwnAccount, OwnAccount},
	{enrolment.ErrNotStaff, NotStaff},
	{enrolment.ErrOwnAccount, OwnAccount},
	{enrolment.ErrSamePerson, SecondPerson},
	{enrolment.ErrBadReason, BadReason},
	{enrolment.ErrNoEvidence, NoEvidence},
	{enrolment.ErrCaseOpen, CaseOpen},
	{enrolment.ErrNoCase, NoCase},
	{enrolment.ErrNotApproved, NotApproved},
	{enrolment.ErrTooEarly, TooEarly},
	{enrolment.ErrPointless, NothingToDo},
	{domain.ErrErased, Erased},
	{password.ErrBusy, Busy},
	{ErrBadCheckpoint, BadRange},
	{ErrNothingThere, BadRange},
	{ErrNotSealed, NoSeal},
	{ErrNotAsSealed, NotAsSealed},
}

// isRefusal says that an error is a person's, not a fault of ours.
func isRefusal(err error) bool {
	if _, ok := errors.AsType[*Refusal](err); ok {
		return true
	}
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			return true
		}
	}
	return false
}

// refusal turns any error into one that a person can be told of. What is
// nobody's refusal is reported, once, under an id that the person sees too.
func (d *Desk) refusal(err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			return refuse(known.code)
		}
	}
	if errors.Is(err, context.Canceled) {
		return err // whoever asked has left
	}
	r := &Refusal{Code: Unavailable, Incident: newID()[:8]}
	if errors.Is(err, domain.ErrUnknownOutcome) {
		r.Code = Unsure
	}
	d.Report(r.Incident, err)
	return r
}

// rejected returns the refusal that a recorded rejection is to the person.
func (d *Desk) rejected(s enrolment.State, events []enrolment.Event) error {
	for _, e := range events {
		r, ok := e.(enrolment.CodeRejected)
		if !ok {
			continue
		}
		switch r.Reason {
		case enrolment.Expired:
			return refuse(CodeExpired)
		case enrolment.Used:
			return refuse(CodeUsed)
		case enrolment.Wrong:
			return d.wrong(s, r.Challenge)
		}
	}
	return nil
}

func (d *Desk) wrong(s enrolment.State, id enrolment.ChallengeID) error {
	if s.WrongInARow >= d.Policy.WrongCodesInARow {
		return refuse(LockedOut)
	}
	for _, c := range []enrolment.Challenge{s.Codes.Email, s.Codes.Phone, s.Codes.Recovery, s.Codes.Caller, s.Codes.Ticket} {
		if c.ID == id && c.Wrong < d.Policy.WrongCodes {
			return &Refusal{Code: WrongCode, Left: d.Policy.WrongCodes - c.Wrong}
		}
	}
	return refuse(CodeEnded)
}
