package domain

import (
	"crypto/sha1" //nolint:gosec // RFC 9562 section 5.5 defines UUIDv5 on SHA-1; it names, it does not protect
	"encoding/binary"
	"encoding/hex"
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

// parseUUID is on the path of every event that a projection folds, so it has
// no branch for each digit: wrong ones show in the high bits, once, at the end.
func parseUUID(s string) (b [16]byte, err error) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, ErrBadID
	}
	wrong := byte(0)
	for i, at := range [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		hi, lo := hexDigits[s[at]], hexDigits[s[at+1]]
		wrong |= hi | lo
		b[i] = hi<<4 | lo&15
	}
	if wrong > 15 {
		return [16]byte{}, ErrBadID
	}
	return b, nil
}

// hexDigits holds the value of each hexadecimal digit, and 0xff elsewhere.
var hexDigits = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['a'+i], t['A'+i] = 10+i, 10+i
	}
	return t
}()

// ValidID says whether something can be the id of a station or of a client of the
// API: 1 to 40 small letters, digits and dashes, no dash at an end. It is part of
// events, of a stream's name, of a certificate and of a token.
func ValidID(id string) bool {
	if id == "" || len(id) > 40 || id[0] == '-' || id[len(id)-1] == '-' {
		return false
	}
	for _, c := range []byte(id) {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// FreeID says whether something can be the id of a new station or client: one that could
// be taken for Keydesk itself, where it is told who did something, is nobody's.
func FreeID(id string) bool {
	switch id {
	case "console", "keydesk", "phone", "themselves":
		return false
	}
	return ValidID(id)
}
