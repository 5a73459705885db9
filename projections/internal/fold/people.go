package fold

import (
	"math"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A Row is what a fold knows of one person. It must hold no pointers. The zero
// Row is a person before their first event.
type Row[R any] interface {
	*R
	// Evolve applies one event that happened at a moment (microseconds since
	// 1970). It is not ok when the event cannot be read, or is Unknown.
	Evolve(kind Kind, data []byte, at int64) (ok bool)
	// Class returns what the person counts as. The lower four bits are their
	// stage, which Head.Since follows; the others come and go.
	Class() uint8
	// Append writes the row for a snapshot, in as many bytes every time, and
	// Parse reads it and says whether it makes sense.
	Append(b []byte) []byte
	Parse(b []byte) (ok bool)
}

// Head is what every fold knows of a person.
type Head struct {
	Position domain.Position // of the last event; of somebody who is parked it was not applied
	Since    int64           // when the stage became what it is; microseconds since 1970, 0: not known
	Revision int32           // of the last event that was applied
	Parked   bool            // an event could not be understood, or one is missing
}

// Time returns Since as the log's clock showed it.
func (h *Head) Time() time.Time { return Time(h.Since) }

// Time turns microseconds since 1970 into a time, and 0 into none.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// A Person is a head and the row of a fold.
type Person[R any] struct {
	Head
	Row R
}

const stage = 0x0f // the bits of a class that are its stage

// Counts says how many people there are.
type Counts struct {
	People  int
	ByClass [256]int // those who are parked left out
	Parked  int
	Strays  int // events in a stream that is called like an enrolment and is none
}

// People folds the enrolment streams into one row a person. One goroutine may
// apply events while any number of others read.
//
// Whoever has an event of an unknown type, one that cannot be read, or a gap
// in their revisions is parked for good: nothing more is applied to their row,
// and all others go on.
type People[R any, P Row[R]] struct {
	mu       sync.RWMutex
	table    Table[Person[R]]
	unknowns Unknowns
	through  domain.Position
	last     domain.Position // of the last event; a snapshot is marked with it
	count    Counts
}

// NewPeople returns a fold that has seen nothing yet.
func NewPeople[R any, P Row[R]]() *People[R, P] { return &People[R, P]{unknowns: Unknowns{}} }

// Position returns how far the log was applied.
func (p *People[R, P]) Position() domain.Position {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.through
}

// Counts returns how many people there are.
func (p *People[R, P]) Counts() Counts {
	p.mu.RLock()
	defer p.mu.RUnlock()
	c := p.count
	c.People = p.table.Len()
	return c
}

// Get returns a copy of what is known of a person, and up to where it holds.
func (p *People[R, P]) Get(id domain.SubjectID) (person Person[R], through domain.Position, ok bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	i, ok := p.table.Find(id)
	if !ok {
		return person, p.through, false
	}
	_, found := p.table.At(i)
	return *found, p.through, true
}

// atOnce is how many events are applied before those who read get a turn.
const atOnce = 64

// Apply folds a run of events, in the order of the log, and notes that there
// is nothing else up to through. What was applied before is passed over.
// Nothing that an event points at is kept.
func (p *People[R, P]) Apply(events []domain.Recorded, through domain.Position) {
	var last owner
	for len(events) > 0 {
		n := min(len(events), atOnce)
		p.mu.Lock()
		for i := range events[:n] {
			p.apply(&events[i], &last)
		}
		p.mu.Unlock()
		events = events[n:]
	}
	p.mu.Lock()
	p.through = max(p.through, through)
	p.mu.Unlock()
}

// An owner is whose a stream is. The next event is often in the same one.
type owner struct {
	stream string
	id     domain.SubjectID
	row    int // -1: none yet
	ok     bool
}

func (p *People[R, P]) apply(e *domain.Recorded, last *owner) {
	if e.Position <= p.through {
		return
	}
	p.through, p.last = e.Position, e.Position
	if last.stream != e.Stream || e.Stream == "" {
		p.find(e.Stream, last)
	}
	if !last.ok {
		p.count.Strays++
		return
	}
	at := micros(e)
	if last.row < 0 {
		last.row = p.table.Add(last.id)
		person := p.table.Edit(last.row)
		person.Head = Head{Position: e.Position, Since: at, Revision: int32(domain.NoStream)}
		p.count.ByClass[P(&person.Row).Class()]++
	}
	if person := p.table.Edit(last.row); person.Parked {
		person.Position = e.Position // whoever follows changes is told again that nothing is known
	} else {
		p.evolve(person, e, at)
	}
}

func (p *People[R, P]) find(stream string, o *owner) {
	o.stream, o.row = stream, -1
	if o.id, o.ok = domain.SubjectOfStream(stream); !o.ok {
		return
	}
	if i, found := p.table.Find(o.id); found {
		o.row = i
	}
}

func (p *People[R, P]) evolve(person *Person[R], e *domain.Recorded, at int64) {
	row := P(&person.Row)
	before := row.Class()
	person.Position = e.Position
	whole := e.Revision == domain.Revision(person.Revision)+1 && e.Revision < math.MaxInt32
	if kind := KindOf(e.Type); !whole || !row.Evolve(kind, e.Data, at) {
		if whole && kind == Unknown {
			p.unknowns.Add(e.Type)
		}
		p.count.ByClass[before]--
		p.count.Parked++
		person.Parked, person.Since = true, at
		return
	}
	person.Revision = int32(e.Revision) //nolint:gosec // below the limit, see whole
	if after := row.Class(); after != before {
		p.count.ByClass[before]--
		p.count.ByClass[after]++
		if after&stage != before&stage {
			person.Since = at
		}
	}
}

func micros(e *domain.Recorded) int64 {
	if e.Recorded.IsZero() {
		return 0
	}
	return e.Recorded.UnixMicro()
}
