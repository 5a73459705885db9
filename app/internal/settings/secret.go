package settings

import (
	"fmt"
	"io"
)

// A Secret is a password or a token. However it is printed, logged or encoded,
// it shows only whether there is one; Reveal is the one way to it.
type Secret struct{ value string }

// NewSecret wraps a secret.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the secret itself, for the one who has to present it.
func (s Secret) Reveal() string { return s.value }

// IsZero says that there is no secret.
func (s Secret) IsZero() bool { return s.value == "" }

// String says whether there is a secret, never which.
func (s Secret) String() string {
	if s.IsZero() {
		return "(none)"
	}
	return "(hidden)"
}

// Format implements fmt.Formatter: all verbs print what String returns, so that
// not even %#v or %x of a struct around it shows the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText implements encoding.TextMarshaler, and with it JSON and zap.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
