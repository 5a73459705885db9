// Package pairing holds the pure half of Pocket's pairing protocol: what the
// QR code says, how the typed code reads, how a phone proves that it saw
// either, and the six digits that both sides compute. It also holds the plain
// values that the phones' service and the desk exchange, so that neither has
// to know the other.
//
// The way of a pairing: the station shows a QR code (QR) and a code to type
// (Code); the phone claims the pairing with a signed Claim and gets a nonce;
// both compute Digits; the person types them at the station; only then may the
// phone Finish. A photographed QR code is worth nothing without the person at
// the station.
//
// The way of a login: the paired phone asks with a signed Ask what waits for it,
// under a nonce of the service; the answer is an Approval, whose Expires and
// Asked travel as seconds left and seconds since 1970, since phones' clocks are
// wrong. It shows all of it. The person types the six digits that stand on the
// screen of whoever logs in, or says no, and the phone signs a Decision over
// challenge, nonce, digits, answer and the hash of what it showed
// (Approval.Context). A decision whose answer was lost is sent again as it was.
//
// It is pure: no clock, no randomness, no I/O. It imports the pure part of the
// standard library and nothing else. The page in assets/phone computes the
// same in JavaScript; testdata/vectors.json holds both to the same bytes.
package pairing
