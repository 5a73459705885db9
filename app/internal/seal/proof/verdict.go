package proof

import (
	"fmt"
	"time"
)

// Kind says what does not hold. The set is closed.
type Kind string

// The kinds of findings.
const (
	FoundZip         Kind = "zip"         // the zip is not written in the one way that there is
	FoundFile        Kind = "file"        // a file of the bundle is missing, twice there, not expected or damaged
	FoundForm        Kind = "form"        // a file, or a line of events, is not in the form that it has to have
	FoundManifest    Kind = "manifest"    // the manifest says something else than what it is of
	FoundSignature   Kind = "signature"   // the checkpoint, or an earlier one, is not signed with a trusted key
	FoundKey         Kind = "key"         // the bundle names another key of the log than the trusted one
	FoundMissing     Kind = "missing"     // leaves are not there
	FoundOrder       Kind = "order"       // a leaf is there twice, or in another's place
	FoundChanged     Kind = "changed"     // an event is not the one that was recorded
	FoundForeign     Kind = "foreign"     // an event is of another log
	FoundExpired     Kind = "expired"     // an event is said to have expired, which never does
	FoundIndex       Kind = "index"       // the index is not the one in the checkpoint, or says something else
	FoundRoot        Kind = "root"        // the leaves do not lead to the root
	FoundConsistency Kind = "consistency" // an earlier checkpoint is of another history
	FoundSince       Kind = "since"       // the older checkpoint that was given is of another history, or nothing proves that it is not
	FoundPolicies    Kind = "policies"    // the policies are not those that the events name
	FoundView        Kind = "view"        // what is for people is not what was exported
)

// A Finding is something that does not hold.
type Finding struct {
	Kind     Kind   `json:"kind"`
	File     string `json:"file,omitempty"`     // where it was found
	Leaf     int64  `json:"leaf,omitempty"`     // the first leaf that may be concerned
	Until    int64  `json:"until,omitempty"`    // the leaf behind the last such one; 0: the finding is of no leaf
	Position uint64 `json:"position,omitempty"` // of the event of the first one, as far as known
	Text     string `json:"text"`               // a sentence in English
}

// A Verdict says what a bundle proves, and what not.
type Verdict struct {
	Origin string `json:"origin"`
	Store  string `json:"store"`
	From   int64  `json:"from"` // leaves [From, To) of a tree of Size leaves
	To     int64  `json:"to"`
	Size   int64  `json:"size"`

	Events  int64     `json:"events"`
	Expired int64     `json:"expired"` // gone, as they may be; their leaves are there
	First   time.Time `json:"first"`   // the earliest and the latest time of recording
	Last    time.Time `json:"last"`

	// LastExpired is the day of the latest one that has expired. The bundle proves
	// that these were logins, and not how long logins are kept: one of yesterday was
	// left out.
	LastExpired time.Time `json:"lastExpired,omitzero"`

	// Before is the checkpoint, a signed note that is not verified, with which the tree
	// before this one ended, where it is among the leaves: what was changed before
	// that, this tree does not show.
	Before string `json:"before,omitempty"`

	Root      string    `json:"root"`
	Sealed    time.Time `json:"sealed"`           // when the checkpoint was signed, by its own words
	Witnesses []string  `json:"witnesses"`        // who cosigned it, by keys that are trusted
	Absent    []string  `json:"absent,omitempty"` // who has not, of witnesses whose keys were given

	KeysPinned bool `json:"keysPinned"` // trusted were keys that were given, not those of the bundle
	Signed     bool `json:"signed"`     // the checkpoint is signed by the log
	Complete   bool `json:"complete"`   // every leaf of [From, To) is there, unchanged, and leads to the root

	Earlier  int           `json:"earlier"` // earlier checkpoints that are signed and of the same history
	Since    *SinceVerdict `json:"since,omitempty"`
	Findings []Finding     `json:"findings"` // what does not hold; empty: all does
}

// A SinceVerdict is about the older checkpoint that somebody kept.
type SinceVerdict struct {
	Size  int64     `json:"size"`
	Root  string    `json:"root"`
	At    time.Time `json:"at"`
	Holds bool      `json:"holds"` // nothing that it covers was changed since
}

// OK says that all holds.
func (v Verdict) OK() bool { return v.Signed && v.Complete && len(v.Findings) == 0 }

// maxFindings bounds what is said about a bundle that is wrong all over.
const maxFindings = 100

// find notes what does not hold: of each kind in each file the first.
func (v *Verdict) find(f Finding, format string, args ...any) {
	for i := range v.Findings {
		if v.Findings[i].Kind == f.Kind && v.Findings[i].File == f.File {
			return
		}
	}
	if f.Text = fmt.Sprintf(format, args...); len(v.Findings) < maxFindings {
		v.Findings = append(v.Findings, f)
	}
}
