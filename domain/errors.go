package domain

import (
	"errors"
	"fmt"
)

// The sentinel errors of the house. Adapters wrap them, with what was being
// done; use cases and screens ask for them with errors.Is.
var (
	// ErrConflict: the stream is not at the expected revision. See Conflict.
	ErrConflict = errors.New("the stream has moved on")
	// ErrUnavailable: the log, the vault or a courier cannot be reached or
	// cannot write. Nothing was recorded.
	ErrUnavailable = errors.New("not available")
	// ErrUnknownOutcome: the acknowledgement was lost. It may have been
	// recorded: try the same bytes with the same expectation again.
	ErrUnknownOutcome = errors.New("outcome unknown")
	// ErrNotFound: there is no such stream, person or value.
	ErrNotFound = errors.New("not found")
	// ErrErased: there was such a value, and its key is gone for good.
	ErrErased = errors.New("erased")
	// ErrUnknownEvent: an event of a type that this program does not know.
	ErrUnknownEvent = errors.New("unknown event type")
	// ErrBadID: not the canonical form of an id.
	ErrBadID = errors.New("not an id")
)

// A Conflict says at which revision the stream really is. It matches
// ErrConflict.
type Conflict struct { //nolint:errname // the fact has the name; ErrConflict is what errors.Is asks for
	Stream   string
	Expected Revision
	Actual   Revision
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("%s: expected revision %d, found %d", c.Stream, c.Expected, c.Actual)
}

// Is makes a Conflict match ErrConflict.
func (c *Conflict) Is(target error) bool { return target == ErrConflict }
