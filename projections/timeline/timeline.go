// Package timeline says how much happened when, over the whole log: the auditor's
// histogram, and where in the log a moment is.
//
// It keeps a stretch for each hour in which anything was recorded, however many events
// there are, and so some 40 bytes an hour, or for every 4,096 events where an hour has more.
//
// It imports domain, the pure standard library and projections/internal/fold. Start
// reading at Line.
package timeline

import (
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A Stretch is a run of events of one hour, at most mostEvents of them.
//
// Its hour is that of the log's clock, which may be set back: an event counts to the hour
// of the latest one before it, so that the hours of a log only grow.
type Stretch struct {
	Hour   time.Time // when the hour began, UTC
	Events int
	Before domain.Position // of the last event before the first one; 0: there is none
	Last   domain.Position // of the last one
	From   time.Time       // the latest time of all events before the first one; zero: there are none
	Latest time.Time       // of its events, and all before: microseconds, UTC
}

// mostEvents is the most that one stretch has, so that a moment, or a number of events,
// within it is soon found.
const mostEvents = 4096

// A Line is the stretches of a log. One goroutine may apply events while any number of
// others ask.
type Line struct {
	skip []string // beginnings of streams that are no part of the record

	mu      sync.RWMutex
	all     []stretch
	through domain.Position
	mark    Mark
	marked  stretch // the last one, when mark was
}

type stretch struct {
	hour   int64 // since 1970
	events int
	sum    int // of the events up to its end
	last   domain.Position
	latest int64 // microseconds since 1970
}

// A Mark is an event of an enrolment, which no log ever forgets: a snapshot goes up to
// one. The zero Mark is the beginning of any log.
type Mark struct {
	Subject  domain.SubjectID
	Revision domain.Revision
	Position domain.Position
}

// New returns a line of nothing yet, of a log in which streams with some beginnings are
// no part of the record. It wants all streams.
func New(skip ...string) *Line { return &Line{skip: skip} }

// Apply takes in a run of events, in the order of the log, and notes that there is nothing
// else up to through. What was applied before is passed over, and nothing that an event
// points at is kept.
func (l *Line) Apply(events []domain.Recorded, through domain.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range events {
		if e := &events[i]; e.Position > l.through {
			l.through = e.Position
			l.add(e)
		}
	}
	l.through = max(l.through, through)
}

func (l *Line) add(e *domain.Recorded) {
	if l.Skips(e.Stream) {
		return
	}
	at, sum := e.Recorded.UnixMicro(), 0
	n := len(l.all)
	if n > 0 {
		at, sum = max(at, l.all[n-1].latest), l.all[n-1].sum
	}
	hour := floor(at, microsAnHour)
	if n == 0 || l.all[n-1].hour != hour || l.all[n-1].events == mostEvents {
		l.all = append(l.all, stretch{hour: hour})
		n++
	}
	s := &l.all[n-1]
	s.events, s.sum, s.last, s.latest = s.events+1, sum+1, e.Position, at
	if id, ok := domain.SubjectOfStream(e.Stream); ok {
		l.mark, l.marked = Mark{id, e.Revision, e.Position}, *s
	}
}

// Skips says that a stream is no part of the record.
func (l *Line) Skips(stream string) bool {
	for _, beginning := range l.skip {
		if strings.HasPrefix(stream, beginning) {
			return true
		}
	}
	return false
}

const microsAnHour = int64(time.Hour / time.Microsecond)

// floor is division that rounds down, before 1970 too.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Position returns how far the log was applied.
func (l *Line) Position() domain.Position {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.through
}

// Events returns how many events there are.
func (l *Line) Events() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n := len(l.all); n > 0 {
		return l.all[n-1].sum
	}
	return 0
}

// Span returns when the first hour begins, and the time of the latest event; zero times
// while there are none.
func (l *Line) Span() (first, latest time.Time) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n := len(l.all); n > 0 {
		return hourOf(l.all[0].hour), time.UnixMicro(l.all[n-1].latest).UTC()
	}
	return first, latest
}

func hourOf(n int64) time.Time { return time.UnixMicro(n * microsAnHour).UTC() }

// Hours calls yield for each hour in which anything was recorded, in order, until yield
// says no.
func (l *Line) Hours(yield func(hour time.Time, events int) bool) {
	l.mu.RLock()
	all := slices.Clone(l.all) // thousands: nobody waits for whoever asks
	l.mu.RUnlock()
	for i := 0; i < len(all); {
		hour, events := all[i].hour, 0
		for ; i < len(all) && all[i].hour == hour; i++ {
			events += all[i].events
		}
		if !yield(hourOf(hour), events) {
			return
		}
	}
}

// At returns the stretch in which the last event is that was recorded at or before a
// moment, and how many events there are before the stretch: false where the first one is
// later, or there is none. The event itself may also be the very one at Stretch.Before.
func (l *Line) At(moment time.Time) (s Stretch, before int, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	at := moment.UnixMicro()
	hour := floor(at, microsAnHour)
	// The first stretch that ends after the moment; where it is of a later hour, none of
	// it is meant.
	i := sort.Search(len(l.all), func(i int) bool { return l.all[i].latest > at || l.all[i].hour > hour })
	if i == len(l.all) || l.all[i].hour > hour {
		i--
	}
	return l.stretch(i)
}

// Of returns the stretch in which the last event is that stands at a position or before
// it, as At does.
func (l *Line) Of(p domain.Position) (s Stretch, before int, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	i := sort.Search(len(l.all), func(i int) bool { return l.all[i].last > p })
	if i == len(l.all) {
		i--
	}
	return l.stretch(i)
}

func (l *Line) stretch(i int) (s Stretch, before int, ok bool) {
	if i < 0 {
		return s, 0, false
	}
	a := l.all[i]
	s = Stretch{Hour: hourOf(a.hour), Events: a.events, Last: a.last, Latest: time.UnixMicro(a.latest).UTC()}
	if i > 0 {
		s.Before, s.From = l.all[i-1].last, time.UnixMicro(l.all[i-1].latest).UTC()
	}
	return s, a.sum - a.events, true
}
