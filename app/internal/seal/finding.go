package seal

import (
	"fmt"
	"strings"
)

// A FindingKind says what is wrong. The set is closed.
type FindingKind string

// The kinds of findings.
const (
	Changed      FindingKind = "changed"      // an event is not the one that was sealed
	Missing      FindingKind = "missing"      // an event is gone, and may not be
	Inserted     FindingKind = "inserted"     // an event stands where none was sealed
	Reordered    FindingKind = "reordered"    // events stand in another order
	Truncated    FindingKind = "truncated"    // the log ends before its seal does
	Foreign      FindingKind = "foreign"      // the seal is that of another log
	BadSignature FindingKind = "signature"    // a checkpoint is not signed as it has to be
	BadRoot      FindingKind = "root"         // the tree does not lead to what a checkpoint says
	BadIndex     FindingKind = "index"        // nor the index
	Inconsistent FindingKind = "inconsistent" // a witness, or an older checkpoint, knows another history
)

// FindingKinds returns all of them.
func FindingKinds() []FindingKind {
	return []FindingKind{
		Changed, Missing, Inserted, Reordered, Truncated, Foreign, BadSignature, BadRoot, BadIndex, Inconsistent,
	}
}

// MessageID is what translations call the sentence that says it.
func (k FindingKind) MessageID() string { return "seal-finding-" + string(k) }

// String says it in English.
func (k FindingKind) String() string {
	switch k {
	case Changed:
		return "an event is not the one that was sealed"
	case Missing:
		return "an event that was sealed is gone"
	case Inserted:
		return "an event stands where none was sealed"
	case Reordered:
		return "events stand in another order than they were sealed in"
	case Truncated:
		return "the log ends before its seal does: an older copy of it was put back, or its end was cut off"
	case Foreign:
		return "the seal is that of another log"
	case BadSignature:
		return "a checkpoint is not signed with the key of the log"
	case BadRoot:
		return "the hashes do not lead to what a checkpoint says"
	case BadIndex:
		return "the index is not what a checkpoint says"
	case Inconsistent:
		return "a witness or an older checkpoint knows another history: what came after an older copy was put back, or was made anew"
	}
	return "something is wrong: " + string(k)
}

// A Finding is one thing that is wrong, and where it begins.
type Finding struct {
	Kind     FindingKind
	Position uint64 // of the first event concerned; 0: not known
	Leaf     int64  // of the first leaf concerned; behind the last one: not known
	Stream   string // of the event that stands there now, as far as known
	Type     string
	Witness  string // who says so, of Inconsistent
}

// String says it in English, for the command line.
func (f Finding) String() string {
	s := f.Kind.String()
	if f.Position > 0 {
		s += fmt.Sprintf("; first at position %d (leaf %d)", f.Position, f.Leaf)
	}
	if f.Stream != "" {
		// Whoever has written them could have a terminal show something else.
		s += fmt.Sprintf(", where %s stands in %s", printable(f.Type), printable(f.Stream))
	}
	if f.Witness != "" {
		s += "; according to " + f.Witness
	}
	return s
}

func printable(name string) string { return strings.Trim(fmt.Sprintf("%.200q", name), `"`) }
