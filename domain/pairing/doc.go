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
// It is pure: no clock, no randomness, no I/O. It imports the pure part of the
// standard library and nothing else. The page in assets/phone computes the
// same in JavaScript; testdata/vectors.json holds both to the same bytes.
package pairing
