package proof

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// The kinds of keys, as they stand before the key's bytes (C2SP signed-note).
const (
	algEd25519     = 1
	algCosignature = 4 // cosignature/v1, with a time (C2SP tlog-cosignature)
)

// ErrBadKey says that something is no key.
var ErrBadKey = errors.New("not a verifier key")

// ParseKey reads a verifier key, "<name>+<hash>+<key>": that of a log (Ed25519),
// or of a witness (cosignature/v1, with Ed25519).
func ParseKey(s string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(s, "+")
	hash, key64, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(key64)
	if err != nil || len(key) != 1+ed25519.PublicKeySize || base64.StdEncoding.EncodeToString(key) != key64 {
		return nil, fmt.Errorf("%w: %.80q", ErrBadKey, s)
	}
	if key[0] == algEd25519 {
		v, err := note.NewVerifier(s)
		if err != nil {
			return nil, fmt.Errorf("%w: %.80q: %w", ErrBadKey, s, err)
		}
		return logKey{v, s}, nil
	}
	n, err := strconv.ParseUint(hash, 16, 32)
	if key[0] != algCosignature || err != nil || len(hash) != 8 || !validName(name) || uint32(n) != keyHash(name, key) {
		return nil, fmt.Errorf("%w: %.80q", ErrBadKey, s)
	}
	return witness{name: name, hash: uint32(n), key: key[1:]}, nil
}

// WitnessKey returns the verifier key of a witness.
func WitnessKey(name string, key ed25519.PublicKey) (string, error) {
	if !validName(name) || len(key) != ed25519.PublicKeySize {
		return "", fmt.Errorf("%w: of %.80q", ErrBadKey, name)
	}
	b := append([]byte{algCosignature}, key...)
	return fmt.Sprintf("%s+%08x+%s", name, keyHash(name, b), base64.StdEncoding.EncodeToString(b)), nil
}

// validName says whether something can name a key (C2SP signed-note).
func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.Contains(name, "+") && strings.IndexFunc(name, unicode.IsSpace) < 0
}

func keyHash(name string, key []byte) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

// A witness checks cosignatures: eight bytes of time, then the signature of the
// note's text with that time before it.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }

// isWitness says whether a key is one of a witness. Its name says nothing: whoever runs
// a witness chooses it, and may choose that of a log.
func isWitness(v note.Verifier) bool {
	_, is := v.(witness)
	return is
}

// latest is the last second of the year 9999: what is later cannot be written in JSON, and
// whoever signs such a time would keep others from telling of it.
const latest = 253402300799

func (w witness) Verify(text, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at <= latest && ed25519.Verify(w.key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text), sig[8:])
}

// cosigned returns the time in a cosignature; the zero time where it has none.
func cosigned(sig note.Signature) time.Time {
	b, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(b) != 4+8+ed25519.SignatureSize { // the key's hash stands first
		return time.Time{}
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC() //nolint:gosec // a time
}

// FormatKey writes a key that ParseKey has read.
func FormatKey(v note.Verifier) string {
	switch v := v.(type) {
	case witness:
		s, err := WitnessKey(v.name, v.key)
		if err == nil {
			return s
		}
	case logKey:
		return v.text
	}
	return ""
}

// A logKey remembers how it was written.
type logKey struct {
	note.Verifier
	text string
}
