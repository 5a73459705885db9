package factor

import (
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// State says what an answer is worth.
type State uint8

// The states. Only Active comes with a factor other than none.
const (
	Nobody    State = iota // no event speaks of this person
	Enrolling              // announced or under way, and has no factor
	Active                 // has a factor
	Unknown                // parked: an event of theirs could not be understood
)

// String returns the state as the API spells it.
func (s State) String() string {
	switch s {
	case Nobody:
		return "nobody"
	case Enrolling:
		return "enrolling"
	case Active:
		return "active"
	case Unknown:
		return "unknown"
	}
	return "invalid"
}

// An Answer is one person's factor.
type Answer struct {
	Subject  domain.SubjectID
	Factor   enrolment.Factor // none unless State is Active
	State    State
	Since    time.Time       // when Factor and State became so: the log's clock, UTC, microseconds; zero: not known
	Revision domain.Revision // of the person's last event that was understood
	Position domain.Position // of the same event; when State is Unknown, of the one that was not understood
	Through  domain.Position // the answer holds for everything in the log up to here
}

// A Map holds everybody's current factor. One goroutine may apply events while
// any number of others ask.
type Map struct {
	mu       sync.RWMutex
	people   fold.Table[row]
	unknowns fold.Unknowns
	through  domain.Position
	last     domain.Position // of the last event; a snapshot is marked with it
	count    Counts
}

// A row is one person. It takes 72 bytes with their id.
type row struct {
	factor   fold.Factor
	parked   bool
	revision int32
	since    int64 // microseconds since 1970
	position domain.Position
}

// Counts says how many people there are of each kind.
type Counts struct {
	People, SMS, Pocket int
	Parked              int // see Unknown
	Strays              int // events in a stream that is called like an enrolment and is none
}

// New returns a map that has seen nothing yet.
func New() *Map { return &Map{unknowns: fold.Unknowns{}} }

// Lookup returns a person's factor. Of somebody who is not in the log the
// answer's state is Nobody, its revision domain.NoStream. It does not allocate.
func (m *Map) Lookup(id domain.SubjectID) Answer {
	m.mu.RLock()
	defer m.mu.RUnlock()
	i, ok := m.people.Find(id)
	if !ok {
		return Answer{Subject: id, Factor: enrolment.NoFactor, Revision: domain.NoStream, Through: m.through}
	}
	_, r := m.people.At(i)
	return r.answer(id, m.through)
}

// Position returns how far the log was applied.
func (m *Map) Position() domain.Position {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.through
}

// Counts returns how many people there are of each kind.
func (m *Map) Counts() Counts {
	m.mu.RLock()
	defer m.mu.RUnlock()
	c := m.count
	c.People = m.people.Len()
	return c
}

func (r *row) answer(id domain.SubjectID, through domain.Position) Answer {
	a := Answer{
		Subject: id, Factor: enrolment.NoFactor, State: r.state(),
		Revision: domain.Revision(r.revision), Position: r.position, Through: through,
	}
	if a.State == Active {
		a.Factor = r.factor.Current()
	}
	if r.since != 0 {
		a.Since = time.UnixMicro(r.since).UTC()
	}
	return a
}

func (r *row) state() State {
	switch {
	case r.parked:
		return Unknown
	case r.factor.Current() == enrolment.NoFactor:
		return Enrolling
	}
	return Active
}
