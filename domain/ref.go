package domain

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
)

// A RefID names one value in the vault. It is random.
type RefID [16]byte

// A Ref points from an event at a value in the vault, and commits to it
// without telling it. The zero Ref points at nothing.
type Ref struct {
	ID         RefID      `json:"ref"`
	Version    int        `json:"version"`
	Commitment Commitment `json:"commitment"`
}

// IsZero says that the reference points at nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// A Commitment is SHA-256(salt ‖ value). The salt, 32 bytes, lives only in the
// vault, sealed under the person's key, and dies with it: from then on nobody
// can tell which value was meant.
type Commitment [32]byte

// Commit commits to a value.
func Commit(salt [32]byte, value []byte) Commitment {
	b := make([]byte, 0, len(salt)+len(value))
	b = append(append(b, salt[:]...), value...)
	defer clear(b)
	return sha256.Sum256(b)
}

// String returns the id as 32 lower-case hexadecimal digits.
func (id RefID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText implements encoding.TextMarshaler.
func (id RefID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *RefID) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(id) {
		return fmt.Errorf("%w: %d characters", ErrBadID, len(b))
	}
	if _, err := hex.Decode(id[:], b); err != nil {
		return fmt.Errorf("%w: not hexadecimal", ErrBadID)
	}
	return nil
}

// MarshalText implements encoding.TextMarshaler: base64url without padding.
func (c Commitment) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(c[:])), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Commitment) UnmarshalText(b []byte) error {
	d, err := base64.RawURLEncoding.DecodeString(string(b))
	if err != nil || len(d) != len(c) {
		return fmt.Errorf("%w: not a commitment", ErrBadID)
	}
	copy(c[:], d)
	return nil
}
