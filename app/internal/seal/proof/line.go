package proof

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrBadLine says that something is no line of a bundle's events.
var ErrBadLine = errors.New("not a line of events")

// A Line is one leaf in a bundle: an event with what it says, the trace of one
// that has expired, or the checkpoint of the tree before.
type Line struct {
	Number int64 // of the leaf, from 0

	// Of an event. Data and Metadata are the bytes as recorded, whose SHA-256
	// the leaf names.
	Event          Leaf
	Data, Metadata []byte

	// Of an event that has expired: what is left is its entry in the index and
	// the hash of its leaf.
	Expired bool
	Entry   Entry
	Left    tlog.Hash

	// Of the leaf that is no event.
	Checkpoint string
}

// Hash returns the hash of the leaf in the tree.
func (l *Line) Hash() tlog.Hash {
	switch {
	case l.Expired:
		return l.Left
	case l.Checkpoint != "":
		return HashBefore([]byte(l.Checkpoint))
	}
	return l.Event.Hash()
}

// Position returns where in the log the event stands; 0 where it is no event.
func (l *Line) Position() uint64 {
	if l.Expired {
		return l.Entry.Position
	}
	return l.Event.Position
}

// Append appends the line as canonical JSON (RFC 8785), without its line feed.
func (l *Line) Append(b []byte) []byte {
	switch {
	case l.Expired:
		b = l.Entry.Date().AppendFormat(append(b, `{"day":"`...), time.DateOnly)
		b = hex.AppendEncode(append(b, `","expired":true,"hash":"`...), l.Left[:])
		b = strconv.AppendInt(append(b, `","leaf":`...), l.Number, 10)
		b = strconv.AppendUint(append(b, `,"position":`...), l.Entry.Position, 10)
		return append(b, '}')
	case l.Checkpoint != "":
		b = appendString(append(b, `{"checkpoint":`...), l.Checkpoint)
		return append(strconv.AppendInt(append(b, `,"leaf":`...), l.Number, 10), '}')
	}
	e := &l.Event
	b = appendHex(append(b, `{"data":"`...), &e.Data)
	b = appendBytes(append(b, `","data`...), l.Data)
	b = appendString(append(b, `,"id":`...), e.ID)
	b = strconv.AppendInt(append(b, `,"leaf":`...), l.Number, 10)
	b = appendHex(append(b, `,"metadata":"`...), &e.Metadata)
	b = appendBytes(append(b, `","metadata`...), l.Metadata)
	b = strconv.AppendUint(append(b, `,"position":`...), e.Position, 10)
	b = strconv.AppendInt(append(b, `,"revision":`...), e.Revision, 10)
	b = appendString(append(b, `,"store":`...), e.Store)
	b = appendString(append(b, `,"stream":`...), e.Stream)
	b = e.Time.UTC().AppendFormat(append(b, `,"time":"`...), time.RFC3339Nano)
	b = appendString(append(b, `","type":`...), e.Type)
	return append(b, '}')
}

// appendBytes appends the rest of a member's name and its value: bytes as text,
// or in base64 where they are no text.
func appendBytes(b, value []byte) []byte {
	if utf8.Valid(value) {
		return appendString(append(b, `Text":`...), string(value))
	}
	return append(base64.StdEncoding.AppendEncode(append(b, `Base64":"`...), value), '"')
}

// ParseLine reads one line. There is one way to write a line: what reads, is
// written in the same bytes again.
func ParseLine(b []byte) (Line, error) {
	var m struct { // all members that a line of any kind may have
		Leaf                       int64
		Store, Stream, ID, Type    string
		Position                   uint64
		Revision                   int64
		Time                       string
		Data, Metadata             string
		DataText, MetadataText     string
		DataBase64, MetadataBase64 []byte

		Expired    bool
		Day, Hash  string
		Checkpoint string
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return Line{}, fmt.Errorf("%w: %w", ErrBadLine, err)
	}
	l := Line{Number: m.Leaf}
	ok := true
	switch {
	case m.Expired:
		day, err := time.Parse(time.DateOnly, m.Day)
		l.Expired, l.Entry = true, Entry{Position: m.Position, Day: DayOf(day), Class: Login}
		ok = err == nil && parseHex(m.Hash, (*[32]byte)(&l.Left))
	case m.Checkpoint != "":
		l.Checkpoint = m.Checkpoint
	default:
		l.Event = Leaf{Store: m.Store, Position: m.Position, Stream: m.Stream, Revision: m.Revision, ID: m.ID, Type: m.Type}
		at, err := time.Parse(time.RFC3339Nano, m.Time)
		l.Event.Time, l.Data, l.Metadata = at, m.DataBase64, m.MetadataBase64
		if l.Data == nil {
			l.Data = []byte(m.DataText)
		}
		if l.Metadata == nil {
			l.Metadata = []byte(m.MetadataText)
		}
		ok = err == nil && parseHex(m.Data, &l.Event.Data) && parseHex(m.Metadata, &l.Event.Metadata) && l.Event.Check() == nil
	}
	if !ok || l.Number < 0 || l.Number >= exact || l.Position() >= exact || !bytes.Equal(l.Append(make([]byte, 0, len(b)+1)), b) {
		return Line{}, fmt.Errorf("%w: not in the one form that it has", ErrBadLine)
	}
	return l, nil
}

func parseHex(s string, to *[32]byte) bool {
	if len(s) != 2*len(to) {
		return false
	}
	_, err := hex.Decode(to[:], []byte(s))
	return err == nil
}
