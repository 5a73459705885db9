package pairing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// The types of the three signed messages of a pairing, the typ of their headers.
const (
	TypeClaim  = "pocket-claim+jws"
	TypeStatus = "pocket-status+jws"
	TypeFinish = "pocket-finish+jws"
)

// The bounds of what travels.
const (
	IDLength = 22 // characters of a pairing id: 16 random bytes, base64url
	MaxToken = 64 // characters of a secret, a nonce or a jti; each has at least IDLength
	MaxLabel = 64 // characters of a device's label
	digitsIn = 1_000_000
)

// ID returns the pairing id that 16 random bytes make.
func ID(random [16]byte) string { return base64.RawURLEncoding.EncodeToString(random[:]) }

// IsID says whether s has the form of a pairing id.
func IsID(s string) bool { return len(s) == IDLength && isBase64URL(s) }

// IsToken says whether s has the form of a secret, a nonce or a jti: 22 to 64
// characters of base64url.
func IsToken(s string) bool {
	return len(s) >= IDLength && len(s) <= MaxToken && isBase64URL(s)
}

// AreDigits says whether s has the form of the six digits of a pairing or a login.
func AreDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 6
}

// Secret derives a pairing's secret, which the QR code carries, so that it
// need not be stored: 22 characters, 128 bits. The key is the server's, 32
// bytes, and used for pairings only.
func Secret(key []byte, pairing string) string {
	return base64.RawURLEncoding.EncodeToString(mac(key, "pocket-secret", pairing)[:16])
}

// ClaimProof proves that a phone saw the QR code (shown is its secret) or the
// typed code (shown is NormaliseCode of it), and binds that to the phone's key:
//
//	HMAC-SHA256(key = shown, "pocket-claim" ‖ 0x00 ‖ pairing ‖ 0x00 ‖ thumbprint)
//
// All are ASCII. Compare in constant time, with hmac.Equal.
func ClaimProof(shown, pairing, thumbprint string) []byte {
	return mac([]byte(shown), "pocket-claim", pairing, thumbprint)
}

// Digits returns the six digits that the phone shows and the station expects:
//
//	SHA-256("sas" ‖ 0x00 ‖ pairing ‖ 0x00 ‖ thumbprint ‖ 0x00 ‖ nonce)
//
// of which the first 8 bytes, big-endian, are taken modulo 10^6 and written
// with leading zeros. The bias of that is below 10^-13. The nonce is chosen
// after the key is known, so no phone can choose a key for its digits.
func Digits(pairing, thumbprint, nonce string) string {
	h := sha256.Sum256(join("sas", pairing, thumbprint, nonce))
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(h[:8])%digitsIn)
}

// CanonicalKey returns the public JWK of a P-256 key with the members that
// RFC 7638 section 3.2 requires, in its order and without spaces. x and y are
// base64url, 43 characters each; whether they are a point of the curve is for
// the caller to check.
func CanonicalKey(x, y string) []byte {
	return []byte(`{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`)
}

// Thumbprint returns the RFC 7638 thumbprint (SHA-256, base64url, 43
// characters) of a key in the form of CanonicalKey.
func Thumbprint(canonical []byte) string {
	h := sha256.Sum256(canonical)
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// join puts 0x00 between the parts, none of which may hold one.
func join(parts ...string) []byte {
	var b []byte
	for i, p := range parts {
		if i > 0 {
			b = append(b, 0)
		}
		b = append(b, p...)
	}
	return b
}

func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(join(parts...))
	return h.Sum(nil)
}

func isBase64URL(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
