package desk

import (
	"context"
	"crypto/sha256"

	"github.com/google/uuid"

	"github.com/keydesk/keydesk/domain"
)

// A Call names one thing that a screen asks for: a button pressed once. Whoever
// asks for the same again, because the answer was lost, log or vault were away
// or the outcome is unknown, does so under the same Call. Then what the first
// try has recorded is found, and nothing is recorded, counted or sent twice.
type Call [16]byte

// NewCall returns a Call of its own, random.
func NewCall() Call { return Call(uuid.New()) }

// ParseCall reads the canonical form of a Call.
func ParseCall(s string) (Call, error) {
	id, err := domain.ParseEventID(s)
	return Call(id), err
}

// String returns the canonical form, 36 lower-case characters.
func (c Call) String() string { return domain.EventID(c).String() }

type callKey struct{}

// WithCall has the use case that is called with the context be part of a Call.
// Without one each use case is a Call of its own.
func WithCall(ctx context.Context, c Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallOf returns the Call that a use case with the context is part of; a new one
// where WithCall was not used.
func CallOf(ctx context.Context) Call {
	if c, ok := ctx.Value(callKey{}).(Call); ok {
		return c
	}
	return NewCall()
}

// command returns the id of the n-th act of the call, in a scope: the use case,
// and the visit where it is of one. Stations on other machines choose their calls
// themselves: with one that was used for something else before, what that has
// recorded must not be found.
func (c Call) command(scope string, n int) domain.CommandID {
	h := sha256.Sum256(append(c[:], scope...))
	return domain.CommandID(domain.EventIDFor(domain.CommandID(h[:16]), n))
}
