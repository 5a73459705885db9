package desk

import (
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/history"
)

// A PersonView is what the helpdesk sees of one person. The address and the
// numbers are masked; Reveal shows one. It holds personal data and is not to be
// kept: ask again.
type PersonView struct {
	Subject  domain.SubjectID
	Name     string // as set, or as HR announced it; empty: not known
	Team     string
	Start    string // their first day, as 2026-12-01; empty: not known
	Employee string
	Language string // in which they are written to; empty: not known
	HelpCode string // shown in the last day; empty: none

	Email       string // masked, as s•••@voorbeeld.nl
	Phone       string // masked, as +31 •• ••• •• 78: the verified one, else the one being proved, else HR's
	PhoneSource enrolment.Source
	PhoneProved bool
	HRPhone     bool // HR announced a number, which may be another

	Registered bool // HR announces them
	Left       bool // HR did, and announces them no longer
	Started    bool
	Erased     bool           // their personal data is gone for good
	Step       enrolment.Step // the first that is open; 0: not begun
	Steps      [enrolment.StepDone]StepState
	Group      BoardGroup
	Factor     enrolment.Factor // that counts now
	Chosen     enrolment.Factor // that counts unless the account is frozen
	Since      time.Time        // when it became so; of none, when they came to this step
	Device     string           // what the paired phone calls itself
	Frozen     Frozen           // empty: it is not
	Case       string           // the open one, which they name to the helpdesk; empty: none
	Locks      []LoginLock      // networks from which nobody logs in to the account now

	LastSeen   time.Time // when the person last did something; zero: never
	LastAt     string    // the station where, empty: not at one of ours
	LastClient string    // the client of the API where; empty: none

	Diagnosis Diagnosis
	Revision  domain.Revision // of the enrolment; NoStream: the log does not know them
	Logins    domain.Revision // of the logins
	At        time.Time       // the clock that all of it is measured by
}

// A LoginLock is a network from which nobody logs in to an account for a while. The
// network itself has no name: it is known as a keyed hash only.
type LoginLock struct {
	Until time.Time
	Last  time.Time // when a guess failed there last
}

// PersonField is a value of a person that shows only on request.
type PersonField string

// The fields that Reveal shows.
const (
	FieldEmail   PersonField = "email"
	FieldPhone   PersonField = "phone"    // as in PersonView.Phone
	FieldHRPhone PersonField = "hr-phone" // that HR announced: to call somebody back at
)

// TimelineKind is what an entry of the timeline is about, to filter by.
type TimelineKind string

// The kinds. Each entry has one.
const (
	TimelineEnrolment TimelineKind = "enrolment"
	TimelineMessages  TimelineKind = "messages" // codes made, sent and not delivered
	TimelineLogins    TimelineKind = "logins"
	TimelineStaff     TimelineKind = "staff"    // what HR and the helpdesk did
	TimelineRefusals  TimelineKind = "refusals" // wrong codes and passwords, and locks
)

// A TimelineQuery asks for a window over all that happened to a person, the newest
// first.
type TimelineQuery struct {
	Kinds  []TimelineKind // empty: all
	Offset int
	Limit  int // 0: 50; at most MostRows
}

// A TimelinePage is a window over the timeline.
type TimelinePage struct {
	Entries []TimelineEntry
	Total   int // of the kinds that were asked for
	Counts  map[TimelineKind]int
}

// A TimelineEntry is one thing that happened, to be put in words as its Message
// says (area "history").
type TimelineEntry struct {
	history.Entry
	Kind TimelineKind
}
