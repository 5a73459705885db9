package domain

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 section 5.5 defines UUIDv5 on SHA-1; it names, it does not protect
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// A SubjectID names a person for good. It is a random UUID (RFC 9562, version
// 4), never derived from anything about them. The zero value names nobody.
type SubjectID [16]byte

// An EventID names one event. See EventIDFor.
type EventID [16]byte

// A CommandID names one act: a button pressed once. All retries of the act
// carry the same CommandID, and so the same event ids.
type CommandID [16]byte

// EventIDFor returns the id of the index-th event that a command caused
// (UUIDv5 with the command's id as its name space). A retry of the command
// yields the same ids, which is how a log recognises what it already holds.
func EventIDFor(c CommandID, index int) EventID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(c[:])
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(index)) //nolint:gosec // an index is never negative
	h.Write(n[:])
	var id EventID
	copy(id[:], h.Sum(nil))
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseSubjectID reads the canonical form of 36 lower- or upper-case
// characters. Anything else is an error.
func ParseSubjectID(s string) (SubjectID, error) {
	b, err := parseUUID(s)
	return SubjectID(b), err
}

// ParseEventID reads the canonical form of an event id.
func ParseEventID(s string) (EventID, error) {
	b, err := parseUUID(s)
	return EventID(b), err
}

// ParseCommandID reads the canonical form of a command id.
func ParseCommandID(s string) (CommandID, error) {
	b, err := parseUUID(s)
	return CommandID(b), err
}

// IsZero says that the id names nobody.
func (id SubjectID) IsZero() bool { return id == SubjectID{} }

// String returns the canonical form, 36 lower-case characters.
func (id SubjectID) String() string { return formatUUID(id) }

// String returns the canonical form, 36 lower-case characters.
func (id EventID) String() string { return formatUUID(id) }

// String returns the canonical form, 36 lower-case characters.
func (id CommandID) String() string { return formatUUID(id) }

// MarshalText implements encoding.TextMarshaler.
func (id SubjectID) MarshalText() ([]byte, error) { return []byte(formatUUID(id)), nil }

// MarshalText implements encoding.TextMarshaler.
func (id EventID) MarshalText() ([]byte, error) { return []byte(formatUUID(id)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *SubjectID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseSubjectID(string(b))
	return err
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *EventID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseEventID(string(b))
	return err
}

func formatUUID(b [16]byte) string {
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	s[8] = '-'
	hex.Encode(s[9:13], b[4:6])
	s[13] = '-'
	hex.Encode(s[14:18], b[6:8])
	s[18] = '-'
	hex.Encode(s[19:23], b[8:10])
	s[23] = '-'
	hex.Encode(s[24:36], b[10:16])
	return string(s[:])
}

func parseUUID(s string) (b [16]byte, err error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, fmt.Errorf("%w: %d characters", ErrBadID, len(s))
	}
	at := 0
	for i := 0; i < 36; i += 2 {
		if s[i] == '-' {
			i++
		}
		hi, lo := fromHex(s[i]), fromHex(s[i+1])
		if hi|lo > 15 {
			return [16]byte{}, ErrBadID
		}
		b[at] = hi<<4 | lo
		at++
	}
	return b, nil
}

func fromHex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}
