package vault

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// keySize is the length of every key in the vault, in bytes (AES-256,
// HMAC-SHA256).
const keySize = 32

// redacted is what every secret of this package prints as.
const redacted = "[redacted]"

// Keys is a ring of master keys. The first is the current one, under which
// everything new is sealed; the others only open what was sealed under them
// before. A ring never changes once it is made and may be used by any number of
// goroutines. It prints as "[redacted]".
type Keys struct {
	ring []masterKey
}

// A masterKey holds its secret behind a pointer, so that even a copy of the
// struct prints as an address.
type masterKey struct {
	id     string
	secret *[keySize]byte
	demo   bool // made of a seed; see DemoKeys
}

// newKeys makes a ring of one random key.
func newKeys() *Keys {
	secret := new([keySize]byte)
	_, _ = rand.Read(secret[:]) // never fails: it crashes the program instead
	return &Keys{ring: []masterKey{{id: keyID(secret), secret: secret}}}
}

// DemoKeys makes a ring of one key of a seed, always the same of the same: what a
// demo records then depends on nothing but the seed. Anybody can make that key, so
// it bears a mark, in its file too, and Open takes it for the vault of a demo only.
func DemoKeys(seed []byte) *Keys {
	h := sha256.New()
	_, _ = io.WriteString(h, "keydesk/v1 demo master key\x00")
	_, _ = h.Write(seed)
	secret := (*[keySize]byte)(h.Sum(nil))
	return &Keys{ring: []masterKey{{id: keyID(secret), secret: secret, demo: true}}}
}

// demo says whether a key of the ring was made of a seed.
func (k *Keys) demo() bool {
	return slices.ContainsFunc(k.ring, func(m masterKey) bool { return m.demo })
}

// keyID returns the public name of a master key: 16 hexadecimal digits that
// come from the key itself. So two keys never share a name, and a slip of the
// pen in a copied key file shows.
func keyID(secret *[keySize]byte) string {
	id := derive(secret, "key id")
	return hex.EncodeToString(id[:8])
}

// ID returns the id of the current master key. Ids are public: events and
// sealed rows carry them.
func (k *Keys) ID() string { return k.ring[0].id }

// IDs returns the ids of all master keys of the ring, the current one first.
func (k *Keys) IDs() []string {
	ids := make([]string, len(k.ring))
	for i, m := range k.ring {
		ids[i] = m.id
	}
	return ids
}

// Derive returns the current key for one purpose, and the id to record beside
// what is made with it. The purpose is a constant of the program, such as
// "code/confirm-email"; keys of different purposes tell nothing about each
// other (HKDF with SHA-256, RFC 5869).
func (k *Keys) Derive(purpose string) (key [32]byte, id string) {
	current := k.ring[0]
	return derive(current.secret, "purpose "+purpose), current.id
}

// DeriveWith returns the key for one purpose from the master key with the given
// id, to check what was made before the current one was. An id that the ring
// does not hold is ErrWrongKey.
func (k *Keys) DeriveWith(id, purpose string) (key [32]byte, err error) {
	for _, m := range k.ring {
		if m.id == id {
			return derive(m.secret, "purpose "+purpose), nil
		}
	}
	return key, fmt.Errorf("%w: the ring holds no master key %.16q", ErrWrongKey, id)
}

// derive is HKDF-SHA256 without a salt, since the secret is uniformly random.
func derive(secret *[keySize]byte, info string) (key [keySize]byte) {
	b, err := hkdf.Key(sha256.New, secret[:], nil, "keydesk/v1 "+info, keySize)
	if err != nil {
		panic("vault: HKDF refused 32 bytes of 32: " + err.Error()) // its only errors are about sizes
	}
	copy(key[:], b)
	clear(b)
	return key
}

// String returns "[redacted]".
func (k *Keys) String() string { return redacted }

// GoString returns "[redacted]".
func (k *Keys) GoString() string { return redacted }

// Format prints "[redacted]" for every verb.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue keeps the ring out of structured logs.
func (k *Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps the ring out of JSON and TOML.
func (k *Keys) MarshalText() ([]byte, error) { return []byte(redacted), nil }
