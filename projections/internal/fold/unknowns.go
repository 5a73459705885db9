package fold

import (
	"maps"
	"slices"
	"strings"
)

// Unknowns are the types of events for which somebody was parked. A snapshot
// carries them, so that a program that knows one of them by now does not go on
// from it.
type Unknowns map[string]bool

const (
	longestType = 1 << 10
	mostTypes   = 1 << 12 // and the empty one
)

// Add notes a type. Of too many, or of one that is too long, it only notes that
// there was something: the empty name is a type that nobody will ever know.
func (u Unknowns) Add(typ string) {
	if len(typ) > longestType || len(u) >= mostTypes {
		typ = ""
	}
	if !u[typ] {
		u[strings.Clone(typ)] = true
	}
}

// Clone returns the types as they are now.
func (u Unknowns) Clone() Unknowns { return maps.Clone(u) }

// Encode writes the types in alphabetical order.
func (u Unknowns) Encode(e *Encoder) {
	e.Uint64(uint64(len(u)))
	for _, typ := range slices.Sorted(maps.Keys(u)) {
		e.String(typ)
	}
}

// DecodeUnknowns reads what Encode wrote. A type that is known by now makes
// the snapshot unusable.
func DecodeUnknowns(d *Decoder) Unknowns {
	u := Unknowns{}
	n := d.Uint64()
	if n > mostTypes+1 {
		d.Fail("too many unknown types")
	}
	for last := ""; n > 0 && d.Err() == nil; n-- {
		typ := d.String(longestType)
		if KindOf(typ) != Unknown {
			d.Fail("an unknown type is known by now")
		}
		if len(u) > 0 && typ <= last {
			d.Fail("types out of order")
		}
		u[typ], last = true, typ
	}
	return u
}
