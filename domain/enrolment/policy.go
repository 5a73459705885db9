package enrolment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// PolicyVersion names the set of parameters that DefaultPolicy returns.
const PolicyVersion = "2026-1"

// A Policy holds the parameters of an enrolment. Each is a setting; the
// version that was in force is recorded with every event.
type Policy struct {
	EmailCodeLife    time.Duration // how long a code by mail counts
	SMSCodeLife      time.Duration // how long a code by SMS counts (NIST SP 800-63B-4: at most 10 minutes)
	RepeatWhileLeft  time.Duration // a resend repeats the open code while at least this is left of it
	WrongCodes       int           // wrong guesses that end a code
	WrongCodesInARow int           // wrong guesses, over all codes, that lock a person

	ResendWaits     []time.Duration // before the first, second and every later resend to an address
	ResendsPerHour  int             // to one address; a confirmed code clears the hour
	ResendsPerDay   int             // to one address
	StationHour     int             // sends in an hour from one station
	SMSPerDay       int             // the daily budget, a hard stop
	VerifiedSample  int             // of so many last sends …
	VerifiedAtLeast int             // … at least this percentage must have been verified, or sending pauses
	PhoneCountries  []string        // ISO 3166-1 alpha-2; the first is the one of numbers without a prefix

	QRLife       time.Duration // a QR code is on the screen so long
	PairingLife  time.Duration // one pairing, across QR codes
	PairingTries int           // tries at the six digits in one pairing

	InvitationLife time.Duration // a ticket counts so long
	Tickets        TicketRule    // of whom one is asked

	LoginFailures     int           // failed logins in a row, of one account from one network, that lock it there
	LoginLock         time.Duration // for so long the first time; twice as long each time after it …
	LoginLockMost     time.Duration // … up to this
	LoginFailuresADay int           // of one account, from everywhere (NIST SP 800-63B-4, 3.2.2: at most 100)
	ApprovalLife      time.Duration // a login waits so long for the phone
	Approvals         int           // that one account may ask for …
	ApprovalsWithin   time.Duration // … within this
	ApprovalTries     int           // tries at the digits of one approval

	CaseApproval time.Duration // a case of staff lapses after this, unless a second person approves
	CaseWait     time.Duration // one that is done from afar is carried out so long after that …
	CaseWindow   time.Duration // … or lapses after this much more
	CallerProof  time.Duration // a caller's proof counts so long, for one case
	TicketLife   time.Duration // a ticket in the place of a password counts so long
	CasesADay    int           // cases of one member of staff in a day, after which somebody is told
}

// DefaultPolicy returns the parameters of version 2026-1.
func DefaultPolicy() Policy {
	return Policy{
		EmailCodeLife: 15 * time.Minute, SMSCodeLife: 10 * time.Minute, RepeatWhileLeft: 5 * time.Minute,
		WrongCodes: 5, WrongCodesInARow: 20,
		ResendWaits:    []time.Duration{30 * time.Second, 60 * time.Second, 120 * time.Second},
		ResendsPerHour: 3, ResendsPerDay: 5, StationHour: 60, SMSPerDay: 500,
		VerifiedSample: 20, VerifiedAtLeast: 30,
		PhoneCountries: []string{"NL", "BE", "DE"},
		QRLife:         120 * time.Second, PairingLife: 10 * time.Minute, PairingTries: 3,
		InvitationLife: 24 * time.Hour, Tickets: TicketNever,
		LoginFailures: 5, LoginLock: 15 * time.Minute, LoginLockMost: time.Hour, LoginFailuresADay: 100,
		ApprovalLife: 120 * time.Second, Approvals: 3, ApprovalsWithin: 5 * time.Minute, ApprovalTries: 3,
		CaseApproval: time.Hour, CaseWait: 24 * time.Hour, CaseWindow: 24 * time.Hour,
		CallerProof: 15 * time.Minute, TicketLife: time.Hour, CasesADay: 20,
	}
}

// Version names these parameters: PolicyVersion for the default ones, and for
// others that name with a fingerprint, so that an auditor can tell under which
// values an event was decided.
func (p Policy) Version() string {
	mine, err := json.Marshal(p)
	if err != nil {
		panic(err) // durations, numbers and strings always encode
	}
	standard, err := json.Marshal(DefaultPolicy())
	if err != nil {
		panic(err)
	}
	if string(mine) == string(standard) {
		return PolicyVersion
	}
	sum := sha256.Sum256(mine)
	return PolicyVersion + "+" + hex.EncodeToString(sum[:4])
}

// Life returns how long the first code of a purpose counts.
func (p Policy) Life(purpose Purpose) time.Duration { return p.life(channelOf(purpose)) }

func (p Policy) life(by Channel) time.Duration {
	if by == ByMail {
		return p.EmailCodeLife
	}
	return p.SMSCodeLife
}
