package pairing

import "time"

// A Claim is a phone's wish to be paired, its signature already verified: the
// sender holds the private half of Key.
type Claim struct {
	Pairing    string // id of the pairing, 22 characters
	Thumbprint string // of Key, RFC 7638, SHA-256, base64url
	Key        []byte // public JWK in canonical form, see CanonicalKey
	Proof      []byte // 32 bytes, see ClaimProof; not yet compared
	Label      string // what the phone calls itself, up to MaxLabel characters; personal data
	JTI        string // the phone's own id of this claim
}

// Claimed answers a claim. The same claim again gets the same answer.
type Claimed struct {
	Nonce   string    // 22 to 64 characters base64url, random
	Expires time.Time // until when the digits can be typed
}

// A State says how far a claimed pairing is.
type State string

// The states of a pairing, seen from its phone.
const (
	StateClaimed   State = "claimed"   // the digits have not been typed yet
	StateConfirmed State = "confirmed" // the phone may finish
	StatePaired    State = "paired"    // finished; finishing again gives the same answer
	StateFailed    State = "failed"    // for good, see Progress.Reason
)

// A Reason says why a pairing failed.
type Reason string

// The reasons. A phone that gets one it does not know shows a general text.
const (
	ReasonExpired        Reason = "expired"         // nobody typed the digits in time
	ReasonWrongDigits    Reason = "wrong-digits"    // too often
	ReasonClaimedAlready Reason = "claimed-already" // a second phone claimed it too, which burns it
	ReasonStopped        Reason = "stopped"         // the person left, or chose otherwise, at the station
)

// Progress is how far a pairing is. Reason is set only with StateFailed.
type Progress struct {
	State  State
	Reason Reason
}

// Finish is a phone's last step, its signature already verified.
type Finish struct {
	Pairing    string
	Thumbprint string
	Key        []byte // as in Claim
	Nonce      string // the one of Claimed
	JTI        string
}

// An Account is what the phone keeps and shows of a finished pairing.
type Account struct {
	Subject      string // whose it is: with it the phone asks what waits for it
	Device       string // id of the paired device
	Portal       string // shown name of what people log in to
	Organisation string // shown name of the organisation
}

// A Refusal is a closed code that says why a phone does not get what it asked
// for. It is an error, it survives the wire, and it holds no personal data.
type Refusal string //nolint:errname // it reads as what happened: the pairing was refused

// The refusals.
//
//nolint:errname // closed codes that travel, named after what they say
const (
	Expired        Refusal = "expired"         // the QR code or the pairing is too old
	Unknown        Refusal = "unknown"         // there is no such pairing, or it is not this phone's
	ClaimedAlready Refusal = "claimed-already" // another phone claimed it
	WrongProof     Refusal = "wrong-proof"     // the phone did not see the QR code or the typed code
	NotConfirmed   Refusal = "not-confirmed"   // the digits have not been typed yet
	WrongNonce     Refusal = "wrong-nonce"     // not the nonce that the claim was answered with
	Failed         Refusal = "failed"          // the pairing ended without success
	Busy           Refusal = "busy"            // too many at once; later again
	Unavailable    Refusal = "unavailable"     // the log or the vault cannot be reached; later again
	Revoked        Refusal = "revoked"         // this phone's key counts no longer
	Over           Refusal = "over"            // what it answers is over: too late, answered already, or another took its place
)

// Refusals lists them all.
func Refusals() []Refusal {
	return []Refusal{
		Expired, Unknown, ClaimedAlready, WrongProof, NotConfirmed, WrongNonce, Failed, Busy, Unavailable, Revoked, Over,
	}
}

// Error implements error.
func (r Refusal) Error() string { return "pairing refused: " + string(r) }
