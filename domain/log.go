package domain

import (
	"strings"
	"time"
)

// A Revision counts the events of one stream from 0. NoStream stands before
// the first one.
type Revision int64

// NoStream is the revision of a stream that has no events, and as an
// expectation says that there must be none.
const NoStream Revision = -1

// A Position is an event's place in the whole log. Positions only grow, not
// always by one; no event has position 0.
type Position uint64

// A Message is an event on its way into the log: encoded, with its id.
type Message struct {
	ID       EventID
	Type     string // the event's name, in the past tense
	Data     []byte // JSON, without personal data
	Metadata []byte // JSON of Metadata
}

// Recorded is an event that the log holds.
type Recorded struct {
	Message
	Stream   string
	Revision Revision
	Position Position
	Recorded time.Time // the log's clock, UTC
}

// Appended says where the last of the appended messages stands.
type Appended struct {
	Revision Revision
	Position Position
}

// A Query chooses a part of the whole log, in the order of positions.
type Query struct {
	After    Position // only what stands behind this position
	Until    Position // of a reading that ends: nothing behind this position; 0: up to the head
	Prefix   string   // only streams whose name begins so; empty: all
	Types    []string // only these types; empty: all
	Metadata bool     // whether Message.Metadata and Message.ID are wanted; without them reading is faster
	Expired  bool     // whether what is too old to be given is wanted, too, for as long as it is there
}

// A Batch is a run of events, in order. It may be empty: then it only says how
// far has been read.
//
// The events and what they point at belong to the receiver only until it
// returns; what is kept longer has to be copied.
type Batch struct {
	Events  []Recorded
	Through Position // everything that the query asks for up to here has been given
	Live    bool     // nothing stood behind Through when it was read
}

// The kinds of streams. A stream's name is its kind and whom it belongs to.
const (
	EnrolmentPrefix = "enrolment-"
	StationPrefix   = "station-"
	LoginPrefix     = "login-"  // one person's logins, kept for a time only
	StaffPrefix     = "staff-"  // one person's roles
	AccessPrefix    = "access-" // what one member of staff has looked at
	ServiceStream   = "service" // a single one: clients of the API
)

// EnrolmentStream names the stream of one person's enrolment and factor.
func EnrolmentStream(s SubjectID) string { return EnrolmentPrefix + s.String() }

// SubjectOfStream returns whose enrolment a stream holds, and whether it is
// such a stream at all.
func SubjectOfStream(stream string) (SubjectID, bool) {
	rest, ok := strings.CutPrefix(stream, EnrolmentPrefix)
	if !ok {
		return SubjectID{}, false
	}
	id, err := ParseSubjectID(rest)
	return id, err == nil
}
