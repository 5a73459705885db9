package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrBadLeaf says that an event cannot be a leaf of any tree.
var ErrBadLeaf = errors.New("cannot be a leaf")

// A Leaf is what the tree knows of one event: everything but what it says.
type Leaf struct {
	Store    string // id of the log
	Position uint64
	Stream   string
	Revision int64
	ID       string    // UUID of the event, lower case
	Type     string    // the event's name
	Time     time.Time // the log's clock
	Data     [32]byte  // SHA-256 of the event's data, byte for byte as recorded
	Metadata [32]byte  // SHA-256 of its metadata, in the same way
}

// exact is below which every whole number is one in JSON (RFC 8785, 3.2.2.3).
const exact = 1 << 53

// Check says whether the leaf has a canonical form. What has none was never
// recorded by Keydesk: somebody else wrote it.
func (l Leaf) Check() error {
	switch {
	case l.Position >= exact:
		return fmt.Errorf("%w: position %d", ErrBadLeaf, l.Position)
	case l.Revision < 0 || l.Revision >= exact:
		return fmt.Errorf("%w: revision %d", ErrBadLeaf, l.Revision)
	case l.Time.Year() < 0 || l.Time.Year() > 9999:
		return fmt.Errorf("%w: year %d", ErrBadLeaf, l.Time.Year())
	}
	if !isUUID(l.ID) {
		return fmt.Errorf("%w: id %.80q", ErrBadLeaf, l.ID)
	}
	for _, s := range [...]string{l.Store, l.Stream, l.Type} {
		if !utf8.ValidString(s) {
			return fmt.Errorf("%w: not UTF-8", ErrBadLeaf)
		}
	}
	return nil
}

// isUUID says whether something is a UUID as RFC 9562 writes it, in lower case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// Append appends the leaf as canonical JSON (RFC 8785) to b: members in the
// order of their names, no white space, hashes in lower-case hexadecimal, the
// time as RFC 3339 in UTC with as many digits of a second as it has. It is
// canonical for what Check lets through.
func (l Leaf) Append(b []byte) []byte {
	b = appendHex(append(b, `{"data":"`...), &l.Data)
	b = appendString(append(b, `","id":`...), l.ID)
	b = appendHex(append(b, `,"metadata":"`...), &l.Metadata)
	b = strconv.AppendUint(append(b, `","position":`...), l.Position, 10)
	b = strconv.AppendInt(append(b, `,"revision":`...), l.Revision, 10)
	b = appendString(append(b, `,"store":`...), l.Store)
	b = appendString(append(b, `,"stream":`...), l.Stream)
	b = l.Time.UTC().AppendFormat(append(b, `,"time":"`...), time.RFC3339Nano)
	b = appendString(append(b, `","type":`...), l.Type)
	return append(b, '}')
}

// Hash returns the leaf's place in the tree: SHA-256(0x00 ‖ leaf).
func (l Leaf) Hash() tlog.Hash {
	var room [640]byte // a leaf has some 420
	return sha256.Sum256(l.Append(append(room[:0], 0)))
}

// AppendBefore appends the one leaf that is no event: the checkpoint with which
// the tree before this one ended, a signed note.
func AppendBefore(b, note []byte) []byte {
	return append(appendString(append(b, `{"checkpoint":`...), string(note)), '}')
}

// HashBefore returns the hash of the leaf of AppendBefore.
func HashBefore(note []byte) tlog.Hash { return sha256.Sum256(AppendBefore([]byte{0}, note)) }

func appendHex(b []byte, sum *[32]byte) []byte { return hex.AppendEncode(b, sum[:]) }

// appendString appends a JSON string as RFC 8785 wants it (3.2.2.2): escaped is
// only what has to be, in its shortest form.
func appendString[S string | []byte](b []byte, s S) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(append(b, s[from:i]...), '\\')
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, c)
		case '\b':
			b = append(b, 'b')
		case '\t':
			b = append(b, 't')
		case '\n':
			b = append(b, 'n')
		case '\f':
			b = append(b, 'f')
		case '\r':
			b = append(b, 'r')
		default:
			b = append(b, 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}
