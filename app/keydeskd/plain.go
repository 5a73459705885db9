package main

import (
	"fmt"
	"io"
	"unicode/utf8"
)

// A plain writes text so that a terminal shows it, and does nothing else: what would move
// its cursor, hide what follows or turn its direction is written as JSON writes it, which
// in JSON is the same. Whoever can write to a log, or hands over a backup, must not choose
// what is seen of what is said about it. It does not hold what stands between two calls.
type plain struct{ w io.Writer }

// Write implements io.Writer.
func (p plain) Write(b []byte) (int, error) {
	var out []byte // nil: all so far is as it is
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(b[i:])
		}
		bare := r == utf8.RuneError && n == 1 && utf8.FullRune(b[i:]) // a byte of no character
		if out == nil && (bare || acts(r)) {
			out = append(make([]byte, 0, len(b)+64), b[:i]...)
		}
		switch {
		case out == nil:
		case bare:
			out = append(out, "\ufffd"...)
		case acts(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, b[i:i+n]...)
		}
		i += n
	}
	if out == nil {
		return p.w.Write(b)
	}
	if _, err := p.w.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// acts says whether a terminal does something with a character, but for showing it and
// going to the next column or line.
func acts(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return false
	case r < ' ', 0x7f <= r && r <= 0x9f: // controls, of seven bits and of eight
		return true
	}
	return 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 // the direction of what follows
}

// oneWord makes what stands in an event fit for a cell of a table: an id as it is, and
// anything else so that it is no line or column of its own.
func oneWord(id string) string {
	q := fmt.Sprintf("%.80q", id)
	if q[1:len(q)-1] == id {
		return id
	}
	return q
}
