package pairing

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"unicode"
)

// ErrBadCode says that what was typed cannot be a pairing code.
var ErrBadCode = errors.New("not a pairing code")

// CodeLength counts the characters of a pairing code without its hyphens:
// 60 bits.
const CodeLength = 12

// crockford is Crockford's base32: no I, L, O (they read as 1, 1, 0) and no U.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Code derives the code to type of a pairing, for phones that cannot scan, in
// the form of NormaliseCode. The key is the one of Secret.
func Code(key []byte, pairing string) string {
	return Typed(binary.BigEndian.Uint64(mac(key, "pocket-code", pairing)))
}

// Typed writes the 60 highest of 64 bits in the form of NormaliseCode.
func Typed(bits uint64) string {
	var b [CodeLength]byte
	for i := range b {
		b[i] = crockford[bits>>59]
		bits <<= 5
	}
	return string(b[:])
}

// FormatCode writes a normalised code in three groups: XXXX-XXXX-XXXX.
func FormatCode(code string) string {
	if len(code) != CodeLength {
		return code
	}
	return code[:4] + "-" + code[4:8] + "-" + code[8:]
}

// ArrangeCode writes a code as far as it was typed in three groups, in the form of
// FormatCode, and passes over what cannot be part of one. cursor is a place between two
// runes of text; the one returned is behind the same character. Arranging what is
// arranged changes nothing.
func ArrangeCode(text string, cursor int) (string, int) {
	var out strings.Builder
	place, n := 0, 0
	for i, r := range []rune(text) {
		r, ok := ofCode(r)
		if !ok || n == CodeLength {
			continue
		}
		if n > 0 && n%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteRune(r)
		n++
		if i < cursor {
			place = out.Len()
		}
	}
	return out.String(), place
}

// ofCode returns the character of a code that is meant by one that was typed; false: none.
func ofCode(r rune) (rune, bool) {
	switch r = unicode.ToUpper(r); r {
	case 'O':
		r = '0'
	case 'I', 'L':
		r = '1'
	}
	return r, strings.ContainsRune(crockford, r)
}

// NormaliseCode reads a code as people type it: in any case, with spaces,
// hyphens, dashes and dots anywhere, O for 0 and I or L for 1. The result has
// CodeLength characters of Crockford's base32. Anything else is ErrBadCode.
func NormaliseCode(typed string) (string, error) {
	var b strings.Builder
	for _, r := range typed {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.' {
			continue
		}
		r, ok := ofCode(r)
		if !ok || b.Len() == CodeLength {
			return "", ErrBadCode
		}
		b.WriteRune(r)
	}
	if b.Len() != CodeLength {
		return "", ErrBadCode
	}
	return b.String(), nil
}

// Locator returns what a phone asks for the pairing of a typed code with, so
// that the code itself never travels: the first 16 bytes, base64url, of
//
//	SHA-256("pocket-locator" ‖ 0x00 ‖ normalised code)
func Locator(code string) string {
	h := sha256.Sum256(join("pocket-locator", code))
	return base64.RawURLEncoding.EncodeToString(h[:16])
}
