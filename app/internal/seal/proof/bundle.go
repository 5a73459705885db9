package proof

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/tlog"
)

// The files of a bundle. Those up to FilePolicies are proved; the rest is made
// from them for people to read, and only held against what the manifest says.
const (
	FileManifest    = "manifest.json"
	FileEvents      = "events.ndjson"    // a Line a leaf
	FileCheckpoint  = "checkpoint"       // a signed note
	FileRange       = "range.json"       // the hashes of ProveRange
	FileConsistency = "consistency.json" // []Earlier
	FileKeys        = "keys"             // verifier keys, one a line
	FileIndex       = "index"            // an Entry a leaf of the tree; only where events have expired
	FilePolicies    = "policies.json"    // []Policy
	FileReport      = "report.html"
	FileTable       = "events.csv"
	FileReadme      = "README.txt"
)

// Format is the only format of bundles that there is.
const Format = 1

// A Manifest says what a bundle holds. It is not signed: all that it says is
// counted again when the bundle is verified.
type Manifest struct {
	Format   int               `json:"format"`
	Origin   string            `json:"origin"` // of the tree, as in its checkpoints
	Store    string            `json:"store"`  // id of the log
	From     int64             `json:"from"`   // the first leaf
	To       int64             `json:"to"`     // the leaf behind the last one
	Size     int64             `json:"size"`   // of the tree in the checkpoint
	Events   int64             `json:"events"`
	Expired  int64             `json:"expired"` // leaves whose events are gone
	First    time.Time         `json:"first"`   // the earliest and the latest time that an event was recorded at
	Last     time.Time         `json:"last"`
	Made     time.Time         `json:"made"`
	Version  string            `json:"version"` // of the program that made it
	Language string            `json:"language"`
	Views    map[string]string `json:"views"` // SHA-256 of what is for people, in lower-case hexadecimal
}

// An Earlier is a checkpoint that was signed before the bundle's, with the proof
// that nothing of it was changed since (RFC 9162, 2.1.4).
type Earlier struct {
	Note  string      `json:"note"`
	Proof []tlog.Hash `json:"proof"`
}

// A Policy is a version of the rules that events were recorded under.
type Policy struct {
	Policy        string    `json:"policy"`
	Events        int64     `json:"events"`
	FirstPosition uint64    `json:"firstPosition"`
	LastPosition  uint64    `json:"lastPosition"`
	First         time.Time `json:"first"`
	Last          time.Time `json:"last"`
}

func (p Policy) equal(o Policy) bool {
	return inUTC(p.First, p.Last) && p.Policy == o.Policy && p.Events == o.Events && p.FirstPosition == o.FirstPosition &&
		p.LastPosition == o.LastPosition && p.First.Equal(o.First) && p.Last.Equal(o.Last)
}

// A Tally counts what the manifest and the policies say of the events.
type Tally struct {
	Events, Expired int64
	First, Last     time.Time
	LastExpired     time.Time // the day of the latest one that has expired
	Policies        []Policy  // in the order in which they came into force
	Before          string    // the checkpoint that is no event, where it is among the leaves
}

// Add counts a line in.
func (t *Tally) Add(l *Line) {
	switch {
	case l.Expired:
		t.Expired++
		if day := l.Entry.Date(); day.After(t.LastExpired) {
			t.LastExpired = day
		}
		return
	case l.Checkpoint != "":
		t.Before = l.Checkpoint
		return
	}
	e := &l.Event
	if t.Events++; t.Events == 1 || e.Time.Before(t.First) {
		t.First = e.Time
	}
	if e.Time.After(t.Last) {
		t.Last = e.Time
	}
	policy := policyOf(l.Metadata)
	for i := range t.Policies {
		if p := &t.Policies[i]; p.Policy == string(policy) {
			p.Events, p.LastPosition, p.Last = p.Events+1, e.Position, e.Time
			return
		}
	}
	if len(policy) > 0 && len(t.Policies) < maxPolicies {
		t.Policies = append(t.Policies, Policy{string(policy), 1, e.Position, e.Position, e.Time, e.Time})
	}
}

// policyOf returns what metadata name as "policy" themselves, and not in something that
// they hold; of several the last one, as for every reader of JSON. Nothing where that is
// no text of 1 to 200 bytes, or they are no JSON in UTF-8 and nothing else. What readers of
// JSON differ in names none either: half a surrogate pair, which some read as U+FFFD, and
// what is nested more than a hundred deep.
func policyOf(metadata []byte) (policy []byte) {
	if !utf8.Valid(metadata) || !json.Valid(metadata) {
		return nil
	}
	r, depth := reader{rest: metadata}, 0
	for len(r.rest) > 0 {
		c := r.rest[0]
		r.rest = r.rest[1:]
		switch c {
		case '{', '[':
			if depth++; depth > maxDepth {
				return nil
			}
		case '}', ']':
			depth--
		case '"':
			if name := r.string(); depth == 1 && string(name) == "policy" && r.after(":") {
				policy = r.text()
			}
		}
	}
	if len(policy) > maxPolicy || bytes.ContainsRune(policy, utf8.RuneError) {
		return nil
	}
	return policy
}

// after passes over a text behind white space, if it stands there.
func (r *reader) after(text string) bool {
	r.rest = bytes.TrimLeft(r.rest, " \t\r\n")
	return r.begins(text)
}

// text reads a string behind white space, as anybody may have written it; nothing where
// there is none.
func (r *reader) text() []byte {
	r.rest, r.bad = bytes.TrimLeft(r.rest, " \t\r\n"), false
	from := r.rest
	if !r.begins(`"`) {
		return nil
	}
	s := r.string()
	if !r.bad {
		return s
	}
	var text string
	if json.Unmarshal(from[:len(from)-len(r.rest)], &text) != nil {
		return nil
	}
	return []byte(text)
}

// What bounds what a bundle can make us remember, and how deep a reader of JSON has to go.
const (
	maxPolicies = 100
	maxPolicy   = 200 // bytes of one
	maxDepth    = 100 // of metadata
)
