package proof

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrBadLine says that something is no line of a bundle's events.
var ErrBadLine = errors.New("not a line of events, in the one form that it has")

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
		return appendString(append(b, `Text":`...), value)
	}
	return append(base64.StdEncoding.AppendEncode(append(b, `Base64":"`...), value), '"')
}

// ParseLine reads one line. There is one way to write a line: what reads, is
// written in the same bytes again. What it says stays where it is, in b, or is put
// into room, where that has a place for twice the bytes of b.
func ParseLine(b, room []byte) (l Line, err error) {
	r := reader{rest: b, room: room[:0]}
	switch {
	case r.begins(`{"day":"`):
		day, err := time.Parse(time.DateOnly, string(r.string()))
		r.good(err == nil)
		r.skip(`,"expired":true,"hash":"`)
		r.hex((*[32]byte)(&l.Left))
		r.skip(`,"leaf":`)
		l.Number = r.number()
		r.skip(`,"position":`)
		l.Expired, l.Entry = true, Entry{Position: uint64(r.number()), Day: DayOf(day), Class: Login} //nolint:gosec // not negative
	case r.begins(`{"checkpoint":"`):
		l.Checkpoint = string(r.string())
		r.good(l.Checkpoint != "" && len(l.Checkpoint) <= MaxNote && utf8.ValidString(l.Checkpoint))
		r.skip(`,"leaf":`)
		l.Number = r.number()
	default:
		r.skip(`{"data":"`)
		r.event(&l)
		r.good(l.Event.Check() == nil)
	}
	r.skip("}")
	if r.bad || len(r.rest) > 0 || !bytes.Equal(l.Append(r.room)[len(r.room):], b) {
		return Line{}, ErrBadLine
	}
	return l, nil
}

// A reader takes a line apart. It need not be strict: what it lets through is
// written again, and compared.
type reader struct {
	rest []byte
	room []byte // what was read and does not stand in the line as it is
	bad  bool
}

func (r *reader) good(ok bool) { r.bad = r.bad || !ok }

// begins passes over a text, if the rest begins with it.
func (r *reader) begins(with string) (ok bool) {
	if ok = len(r.rest) >= len(with) && string(r.rest[:len(with)]) == with; ok {
		r.rest = r.rest[len(with):]
	}
	return ok
}

func (r *reader) skip(s string) { r.good(r.begins(s)) }

// event reads what stands behind the beginning of an event.
func (r *reader) event(l *Line) {
	e := &l.Event
	r.hex(&e.Data)
	r.skip(`,"data`)
	l.Data = r.bytes()
	r.skip(`,"id":"`)
	e.ID = string(r.string())
	r.skip(`,"leaf":`)
	l.Number = r.number()
	r.skip(`,"metadata":"`)
	r.hex(&e.Metadata)
	r.skip(`,"metadata`)
	l.Metadata = r.bytes()
	r.skip(`,"position":`)
	e.Position = uint64(r.number()) //nolint:gosec // not negative
	r.skip(`,"revision":`)
	e.Revision = r.number()
	r.skip(`,"store":"`)
	e.Store = string(r.string())
	r.skip(`,"stream":"`)
	e.Stream = string(r.string())
	r.skip(`,"time":"`)
	at, err := time.Parse(time.RFC3339Nano, string(r.string()))
	r.good(err == nil)
	e.Time = at
	r.skip(`,"type":"`)
	e.Type = string(r.string())
}

// string reads a string whose first quote is passed.
func (r *reader) string() []byte {
	begin, from := len(r.room), 0 // of it in the room; of what is not there yet
	for i := 0; i < len(r.rest); i++ {
		c := r.rest[i]
		if c != '"' && c != '\\' {
			continue
		}
		part := r.rest[from:i]
		if c == '"' {
			if r.rest = r.rest[i+1:]; from == 0 {
				return part
			}
			r.room = append(r.room, part...)
			return r.room[begin:]
		}
		if i++; i == len(r.rest) {
			break
		}
		if c = r.rest[i]; c == 'u' && i+4 < len(r.rest) {
			n, err := strconv.ParseUint(string(r.rest[i+1:i+5]), 16, 7) // only control characters are written so
			r.good(err == nil)
			c, i = byte(n), i+4
		} else if at := strings.IndexByte("btnfr", c); at >= 0 {
			c = "\b\t\n\f\r"[at]
		}
		r.room, from = append(append(r.room, part...), c), i+1
	}
	r.bad = true
	return nil
}

// bytes reads what appendBytes has written.
func (r *reader) bytes() []byte {
	if r.begins(`Text":"`) {
		return r.string()
	}
	r.skip(`Base64":"`)
	b, err := base64.StdEncoding.AppendDecode(nil, r.string())
	r.good(err == nil)
	return b
}

func (r *reader) hex(to *[32]byte) {
	s := r.string()
	r.good(len(s) == 2*len(to))
	if !r.bad {
		_, err := hex.Decode(to[:], s)
		r.good(err == nil)
	}
}

// number reads a whole number that JSON can tell exactly.
func (r *reader) number() int64 {
	end := 0
	for end < len(r.rest) && end < 20 && r.rest[end] >= '0' && r.rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(r.rest[:end]), 10, 64)
	r.good(err == nil && n < exact)
	r.rest = r.rest[end:]
	return n
}
