package factor

import (
	"math"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// atOnce is how many events are applied before those who ask get a turn.
const atOnce = 64

// Apply folds a run of events, in the order of the log, and notes that there
// is nothing else up to through. What was applied before is passed over.
// Nothing that an event points at is kept.
func (m *Map) Apply(events []domain.Recorded, through domain.Position) {
	var s stream
	for len(events) > 0 {
		n := min(len(events), atOnce)
		m.mu.Lock()
		for i := range events[:n] {
			m.apply(&events[i], &s)
		}
		m.mu.Unlock()
		events = events[n:]
	}
	m.mu.Lock()
	m.through = max(m.through, through)
	m.mu.Unlock()
}

// stream remembers whose the last event was: the next one is often theirs too.
type stream struct {
	name string
	id   domain.SubjectID
	row  int // -1: none yet
	ok   bool
}

func (m *Map) apply(e *domain.Recorded, s *stream) {
	if e.Position <= m.through {
		return
	}
	m.through, m.last = e.Position, e.Position
	if s.name != e.Stream || s.name == "" {
		m.find(e.Stream, s)
	}
	if !s.ok {
		m.count.Strays++
		return
	}
	if s.row < 0 {
		s.row = m.people.Add(s.id)
		r := m.people.Edit(s.row)
		r.revision, r.since, r.position = int32(domain.NoStream), micros(e), e.Position
	}
	m.evolve(m.people.Edit(s.row), e)
}

func (m *Map) find(name string, s *stream) {
	s.name, s.row = name, -1
	if s.id, s.ok = domain.SubjectOfStream(name); !s.ok {
		return
	}
	if i, found := m.people.Find(s.id); found {
		s.row = i
	}
}

func (m *Map) evolve(r *row, e *domain.Recorded) {
	if r.parked {
		return
	}
	kind := fold.KindOf(e.Type)
	before := r.factor.Current()
	switch {
	case e.Revision != domain.Revision(r.revision)+1 || e.Revision >= math.MaxInt32:
		m.park(r, e) // something is missing before this event
		return
	case !r.factor.Evolve(kind, e.Data):
		if kind == fold.Unknown {
			m.unknowns.Add(e.Type)
		}
		m.park(r, e)
		return
	}
	r.revision, r.position = int32(e.Revision), e.Position //nolint:gosec // checked above
	if after := r.factor.Current(); after != before {
		r.since = micros(e)
		m.tally(before, -1)
		m.tally(after, +1)
	}
}

// park gives up on one person. Their revision stays that of the last event that
// was understood.
func (m *Map) park(r *row, e *domain.Recorded) {
	m.tally(r.factor.Current(), -1)
	m.count.Parked++
	r.parked, r.since, r.position = true, micros(e), e.Position
}

func (m *Map) tally(f enrolment.Factor, by int) {
	switch f {
	case enrolment.SMS:
		m.count.SMS += by
	case enrolment.Pocket:
		m.count.Pocket += by
	case enrolment.NoFactor:
	}
}

func micros(e *domain.Recorded) int64 {
	if e.Recorded.IsZero() {
		return 0
	}
	return e.Recorded.UnixMicro()
}
