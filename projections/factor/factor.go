package factor

import (
	"fmt"
	"io"
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
	Frozen                 // has none that counts until the account is unfrozen
	Unknown                // parked: an event of theirs could not be understood
	Erased                 // has none, and nothing is known of them any more
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
	case Frozen:
		return "frozen"
	case Unknown:
		return "unknown"
	case Erased:
		return "erased"
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
	Position domain.Position // of the same event; when State is Unknown, of the last one there is
	Through  domain.Position // the answer holds for everything in the log up to here
}

// A Map holds everybody's current factor. One goroutine may apply events while
// any number of others ask.
type Map struct{ people *fold.People[row, *row] }

// Counts says how many people there are of each kind.
type Counts struct {
	People, Enrolling, SMS, Pocket, Frozen, Erased int

	Parked int // see Unknown
	Strays int // events in a stream that is called like an enrolment and is none
}

// New returns a map that has seen nothing yet.
func New() *Map { return &Map{fold.NewPeople[row]()} }

// Apply folds a run of events, in the order of the log, and notes that there
// is nothing else up to through. What was applied before is passed over, and
// nothing that an event points at is kept.
func (m *Map) Apply(events []domain.Recorded, through domain.Position) {
	m.people.Apply(events, through)
}

// Position returns how far the log was applied.
func (m *Map) Position() domain.Position { return m.people.Position() }

// Lookup returns a person's factor. Of somebody who is not in the log the
// answer's state is Nobody, its revision domain.NoStream. It does not allocate.
func (m *Map) Lookup(id domain.SubjectID) Answer {
	p, through, ok := m.people.Get(id)
	if !ok {
		return Answer{Subject: id, Factor: enrolment.NoFactor, Revision: domain.NoStream, Through: through}
	}
	return answer(id, &p, through)
}

// Counts returns how many people there are of each kind.
func (m *Map) Counts() Counts { return counts(m.people.Counts()) }

func counts(c fold.Counts) Counts {
	return Counts{
		People: c.People, Parked: c.Parked, Strays: c.Strays,
		Enrolling: c.ByClass[enrolling], SMS: c.ByClass[sms], Pocket: c.ByClass[pocket], Frozen: c.ByClass[frozen], Erased: c.ByClass[erased],
	}
}

func answer(id domain.SubjectID, p *fold.Person[row], through domain.Position) Answer {
	a := Answer{
		Subject: id, Factor: enrolment.NoFactor, State: Unknown, Since: p.Time(),
		Revision: domain.Revision(p.Revision), Position: p.Position, Through: through,
	}
	if !p.Parked {
		switch a.Factor = p.Row.Current(); {
		case p.Row.Erased():
			a.State = Erased
		case p.Row.Frozen():
			a.State = Frozen
		case a.Factor == enrolment.NoFactor:
			a.State = Enrolling
		default:
			a.State = Active
		}
	}
	return a
}

// A row is what the map knows of one person, beside the head that every fold
// has: 72 bytes in all.
type row struct{ fold.Factor }

// The classes of rows.
const (
	enrolling uint8 = iota
	sms
	pocket
	frozen
	erased
)

// Evolve implements fold.Row.
func (r *row) Evolve(k fold.Kind, data []byte, _ int64) bool { return r.Factor.Evolve(k, data) }

// Class implements fold.Row.
func (r *row) Class() uint8 {
	if r.Erased() {
		return erased
	}
	if r.Frozen() {
		return frozen
	}
	switch r.Current() {
	case enrolment.SMS:
		return sms
	case enrolment.Pocket:
		return pocket
	case enrolment.NoFactor:
	}
	return enrolling
}

// ErrSnapshot says that a snapshot cannot be gone on from: replay from the start.
var ErrSnapshot = fold.ErrSnapshot

// Mark is the event up to which a snapshot was folded: see that the log still
// has it at that position (feed.Check) before going on from there.
type Mark = fold.Mark

const (
	kind = "factor"
	// foldVersion grows whenever the same events would fold to other rows.
	foldVersion = 6
)

// A Snapshot is a Map as it was at one moment. It may be used concurrently.
type Snapshot struct{ people fold.Frozen[row, *row] }

// Snapshot returns the map as it is now. Taking it costs next to nothing, and
// the map goes on at once; encoding it is the slow part.
func (m *Map) Snapshot() Snapshot { return Snapshot{m.people.Freeze()} }

// Position returns where the last event stands that was applied: the one whose
// id Encode wants (feed.EventAt). It is 0 when there was none.
func (s Snapshot) Position() domain.Position { return s.people.Position() }

// Encode writes the snapshot, with the id of the event at Position. It makes
// nothing durable: that is up to whoever owns the writer.
func (s Snapshot) Encode(w io.Writer, last domain.EventID) error {
	if err := s.people.Encode(w, kind, foldVersion, last); err != nil {
		return fmt.Errorf("write snapshot of the factors: %w", err)
	}
	return nil
}

// Thaw returns a map that goes on from the snapshot, which stays as it is.
func (s Snapshot) Thaw() *Map { return &Map{s.people.Thaw()} }

// Counts returns how many people there were of each kind.
func (s Snapshot) Counts() Counts { return counts(s.people.Counts()) }

// Lookup is Map.Lookup of that moment. It looks through everybody: some milliseconds a
// million people.
func (s Snapshot) Lookup(id domain.SubjectID) Answer {
	p, _ := s.people.Find(id)
	return s.answer(id, p)
}

// Differ calls yield for everybody of whom two snapshots do not know the very same,
// shown or not, until it says no. Of whom one of them does not know, its answer is Nobody.
func (s Snapshot) Differ(other Snapshot, yield func(one, two Answer) bool) {
	s.people.Differ(other.people, func(id domain.SubjectID, one, two *fold.Person[row]) bool {
		return yield(s.answer(id, one), other.answer(id, two))
	})
}

func (s Snapshot) answer(id domain.SubjectID, p *fold.Person[row]) Answer {
	if p == nil {
		return Answer{Subject: id, Factor: enrolment.NoFactor, Revision: domain.NoStream, Through: s.people.Through()}
	}
	return answer(id, p, s.people.Through())
}

// Decode reads what Encode wrote. Of a snapshot that does not fit in any way
// nothing is kept, and the error is ErrSnapshot.
func Decode(r io.Reader) (*Map, Mark, error) {
	people, at, err := fold.DecodePeople[row](r, kind, foldVersion)
	if err != nil {
		return nil, Mark{}, fmt.Errorf("read snapshot of the factors: %w", err)
	}
	return &Map{people}, at, nil
}

// Changed calls yield for everybody to whom something happened after a
// position, in the order in which they were first heard of, until yield says
// no. With 0 that is everybody.
func (s Snapshot) Changed(after domain.Position, yield func(Answer) bool) {
	s.people.Each(func(id domain.SubjectID, p *fold.Person[row]) bool {
		return p.Position <= after || yield(answer(id, p, s.people.Position()))
	})
}
