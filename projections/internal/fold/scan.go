package fold

import (
	"bytes"
	"encoding/hex"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A Shape lists the fields of one event's data.
//
// Scan reads only what encoding/json writes for such an event: these fields,
// each at most once, without white space, and no escapes. It says no to all
// else, and the caller then asks encoding/json. So a Shape must list every
// field of its event; whatever Scan accepts, encoding/json accepts too, and
// reads the same.
type Shape []Field

// A Field is a name and what may stand under it.
type Field struct {
	Name string
	Is   Value
}

// Value is what may stand under a name.
type Value uint8

// The values.
const (
	Text   Value = iota // a string
	Count               // a whole number below a milliard
	Moment              // a string with a time, RFC 3339
	Ref                 // a domain.Ref that is not zero
	Key                 // a public JWK: an object of strings
)

// Fields are what Scan found, in the order of the Shape: a string without its
// quotes, anything else as it stands; nil where a field is missing. They point
// into the data.
type Fields [8][]byte

// Scan reads one event's data, or says that it cannot.
func (s Shape) Scan(data []byte, f *Fields) bool {
	*f = Fields{}
	if len(data) < 2 || data[0] != '{' {
		return false
	}
	if data[1] == '}' {
		return len(data) == 2
	}
	for rest := data[1:]; ; {
		name, value, ok := text(rest)
		if !ok || len(value) == 0 || value[0] != ':' {
			return false
		}
		i := s.find(name)
		if i < 0 || f[i] != nil {
			return false
		}
		f[i], rest, ok = s[i].Is.take(value[1:])
		if !ok || len(rest) == 0 {
			return false
		}
		if rest[0] != ',' {
			return len(rest) == 1 && rest[0] == '}'
		}
		rest = rest[1:]
	}
}

func (s Shape) find(name []byte) int {
	for i := range s {
		if string(name) == s[i].Name {
			return i
		}
	}
	return -1
}

// take cuts one value off the front.
func (v Value) take(b []byte) (value, rest []byte, ok bool) {
	switch v {
	case Text:
		return text(b)
	case Count:
		return count(b)
	case Moment:
		value, rest, ok = text(b)
		return value, rest, ok && new(time.Time).UnmarshalText(value) == nil
	case Ref:
		return ref(b)
	case Key:
		return key(b)
	}
	return nil, nil, false
}

// text cuts off a string of ASCII without escapes.
func text(b []byte) (value, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return nil, nil, false
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[1:i], b[i+1:], true
		case c < 0x20 || c >= 0x80 || c == '\\':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// count cuts off up to nine digits.
func count(b []byte) (value, rest []byte, ok bool) {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	if n == 0 || n > 9 || b[0] == '0' && n > 1 {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// ref cuts off a reference with its three fields in the order of domain.Ref.
// One whose id is zero may be the zero Ref: that is left to encoding/json.
func ref(b []byte) (value, rest []byte, ok bool) {
	const before, between, after = `{"ref":"`, `","version":`, `,"commitment":"`
	rest, ok = bytes.CutPrefix(b, []byte(before))
	if !ok || len(rest) < 32 || !hexNotZero(rest[:32]) {
		return nil, nil, false
	}
	if rest, ok = bytes.CutPrefix(rest[32:], []byte(between)); !ok {
		return nil, nil, false
	}
	if _, rest, ok = count(rest); !ok {
		return nil, nil, false
	}
	if rest, ok = bytes.CutPrefix(rest, []byte(after)); !ok || len(rest) < 45 {
		return nil, nil, false
	}
	for _, c := range rest[:43] { // 32 bytes in base64url
		if !isBase64URL(c) {
			return nil, nil, false
		}
	}
	if rest[43] != '"' || rest[44] != '}' {
		return nil, nil, false
	}
	rest = rest[45:]
	return b[:len(b)-len(rest)], rest, true
}

func hexNotZero(b []byte) bool {
	var id domain.RefID
	_, err := hex.Decode(id[:], b)
	return err == nil && id != domain.RefID{}
}

func isBase64URL(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// key cuts off an object whose values are strings.
func key(b []byte) (value, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '{' {
		return nil, nil, false
	}
	for rest = b[1:]; ; rest = rest[1:] {
		for _, end := range [2]byte{':', 0} {
			if _, rest, ok = text(rest); !ok || len(rest) == 0 {
				return nil, nil, false
			}
			if end == ':' {
				if rest[0] != ':' {
					return nil, nil, false
				}
				rest = rest[1:]
			}
		}
		switch rest[0] {
		case '}':
			return b[:len(b)-len(rest)+1], rest[1:], true
		case ',':
		default:
			return nil, nil, false
		}
	}
}
