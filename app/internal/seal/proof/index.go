package proof

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Class says what may become of the event of a leaf.
type Class uint32

// The classes.
const (
	Kept   Class = 0 // for ever
	Login  Class = 1 // of somebody's logins, which are removed after a time
	Before Class = 2 // no event: the checkpoint with which the tree before this one ended
)

// EntrySize is how many bytes an Entry has.
const EntrySize = 16

// ErrBadEntry says that bytes are no entry of an index.
var ErrBadEntry = errors.New("not an entry of the index")

// An Entry is what the index says of one leaf. The SHA-256 of the whole index
// stands in the checkpoint: so it is proved, too, that an event that is gone
// was one that may be.
type Entry struct {
	Position uint64 // of the event; 0 for a Before
	Day      uint32 // of the recording, in whole days of UTC since 1970
	Class    Class
}

// DayOf returns the day of a moment, as an Entry has it. What is before 1970 is
// the first day.
func DayOf(t time.Time) uint32 {
	return uint32(max(0, t.Unix()) / (24 * 60 * 60)) //nolint:gosec // days of years with four digits
}

// loginPrefix is how the names of the streams begin whose events are of class Login.
const loginPrefix = "login-"

// EntryOf returns what the index has to say of an event.
func EntryOf(l *Leaf) Entry {
	e := Entry{Position: l.Position, Day: DayOf(l.Time), Class: Kept}
	if strings.HasPrefix(l.Stream, loginPrefix) {
		e.Class = Login
	}
	return e
}

// Date returns the day, at midnight UTC.
func (e Entry) Date() time.Time { return time.Unix(int64(e.Day)*24*60*60, 0).UTC() }

// Append appends the entry: position, day and class, big-endian.
func (e Entry) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, e.Position)
	b = binary.BigEndian.AppendUint32(b, e.Day)
	return binary.BigEndian.AppendUint32(b, uint32(e.Class))
}

// ParseEntry reads one entry.
func ParseEntry(b []byte) (Entry, error) {
	if len(b) != EntrySize {
		return Entry{}, fmt.Errorf("%w: %d bytes", ErrBadEntry, len(b))
	}
	e := Entry{
		Position: binary.BigEndian.Uint64(b), Day: binary.BigEndian.Uint32(b[8:]),
		Class: Class(binary.BigEndian.Uint32(b[12:])),
	}
	switch {
	case e.Class > Before:
		return Entry{}, fmt.Errorf("%w: class %d", ErrBadEntry, e.Class)
	case e.Position >= exact || (e.Position == 0) != (e.Class == Before):
		return Entry{}, fmt.Errorf("%w: position %d of class %d", ErrBadEntry, e.Position, e.Class)
	}
	return e, nil
}
