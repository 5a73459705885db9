package pairing

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"
)

// The types of the two signed messages with which a paired phone takes part in
// a login.
const (
	TypePending  = "pocket-pending+jws"
	TypeDecision = "pocket-decision+jws"
)

// An Ask is a paired phone's question what waits for it, its signature already
// verified. The account of the pairing named the subject and the device.
type Ask struct {
	Subject    string // UUID
	Device     string
	Thumbprint string // of the key that signed
	Nonce      string // the service's, a short while old at most
	JTI        string
}

// An Approval is a login that waits for the phone. All of it but the digits is
// shown there; the digits stand on the screen of whoever logs in.
type Approval struct {
	Challenge    string // IDLength characters
	Nonce        string
	Portal       string // shown name of what is logged in to
	Organisation string
	Client       string // id of the program or station that asks
	Station      bool   // Client is a station: a kiosk or a desk
	From         string // where it says that the person is ("Firefox, Utrecht"); may be empty; personal data
	Change       bool   // not a login: somebody who is logged in wants to change the account
	Asked        time.Time
	Expires      time.Time
	Tries        int // left for the digits
}

// Context returns the hash of what the phone shows, which its decision carries,
// so that nobody can have one thing shown and another approved: base64url of
//
//	SHA-256("pocket-context" ‖ 0x00 ‖ challenge ‖ 0x00 ‖ portal ‖ 0x00 ‖ organisation ‖ 0x00 ‖
//	client ‖ 0x00 ‖ from ‖ 0x00 ‖ "change" or "login" ‖ 0x00 ‖ asked, seconds since 1970)
func (a Approval) Context() string {
	what := "login"
	if a.Change {
		what = "change"
	}
	h := sha256.Sum256(join("pocket-context", a.Challenge, a.Portal, a.Organisation, a.Client, a.From, what,
		strconv.FormatInt(a.Asked.Unix(), 10)))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// An Answer is what the person said on the phone.
type Answer string

// The answers.
const (
	Approve Answer = "approve" // with the digits
	Deny    Answer = "deny"    // not now
	NotMe   Answer = "not-me"  // somebody else has the password: the account is frozen
)

// A Decision is a phone's answer, its signature already verified.
type Decision struct {
	Subject    string
	Device     string
	Thumbprint string
	Challenge  string
	Nonce      string // of the Approval
	Digits     string // six, with Approve; else empty
	Context    string // see Approval.Context
	Answer     Answer
	JTI        string
}

// A Decided is what came of a decision.
type Decided struct {
	State DecidedState
	Tries int // left, with WrongDigits
}

// DecidedState says what came of a decision.
type DecidedState string

// What can come of a decision that was taken.
const (
	DecidedApproved DecidedState = "approved"
	DecidedDenied   DecidedState = "denied"
	DecidedFrozen   DecidedState = "frozen"       // NotMe: the account is frozen
	DecidedWrong    DecidedState = "wrong-digits" // see Tries; with none left the login has ended
)
