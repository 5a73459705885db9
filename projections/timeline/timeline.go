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
// Its hour is that of the log's clock, which may be set back or be wrong. The order of the
// log is what holds: an event counts to the hour of the latest one before it, so that the
// hours of a log only grow. One whose time is more than a day ahead of what follows it
// counts to the hour of what stands before it, so that n events of a wrong clock move at
// most n others; see Line.Astray.
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
	run     run
	mark    Mark
	marked  stretch   // the last one, when mark was
	ran     run       // likewise
	was     []stretch // all of them, when mark was; nil: what all has up to marked
}

// A run is events in a row, the last ones, whose times are more than a day behind.
type run struct {
	n      int
	latest int64 // of their own times; 0 where there are none
}

type stretch struct {
	hour   int64 // since 1970
	events int
	astray int // of them: they are of another day
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
	s := l.count(e.Position, e.Recorded.UnixMicro())
	if id, ok := domain.SubjectOfStream(e.Stream); ok {
		l.mark, l.marked, l.ran, l.was = Mark{id, e.Revision, e.Position}, *s, l.run, nil
	}
}

// count puts an event into the stretch that it is of, which it returns.
func (l *Line) count(p domain.Position, at int64) *stretch {
	astray := l.behind(at)
	for ; astray; astray = l.behind(at) {
		if l.run.n++; l.run.n == 1 || at > l.run.latest {
			l.run.latest = at
		}
		// Who is right? As many as say that it is earlier are believed.
		i := sort.Search(len(l.all), func(i int) bool { return l.all[i].latest > l.run.latest+microsADay })
		ahead := l.before(len(l.all)) - l.before(i) - (l.run.n - 1)
		if l.run.n < ahead {
			break
		}
		l.turnBack(i, ahead, at)
	}
	n := len(l.all)
	sum := l.before(n)
	if !astray {
		l.run = run{}
	}
	if n > 0 {
		at = max(at, l.all[n-1].latest)
	}
	hour := hourAt(at)
	if n == 0 || l.all[n-1].hour != hour || l.all[n-1].events == mostEvents {
		l.all = append(l.all, stretch{hour: hour})
		n++
	}
	s := &l.all[n-1]
	s.events, s.sum, s.last, s.latest = s.events+1, sum+1, p, at
	if astray {
		s.astray++
	}
	return s
}

// behind says that a time is more than a day behind the latest one.
func (l *Line) behind(at int64) bool {
	n := len(l.all)
	return n > 0 && at < l.all[n-1].latest-microsADay
}

// before returns how many events there are before a stretch.
func (l *Line) before(i int) int {
	if i == 0 {
		return 0
	}
	return l.all[i-1].sum
}

// turnBack has the stretches from one on be of when the one before it ended, or at, where
// there is none: the first so many of their events are of a clock that ran ahead, and the
// others are the run that has shown it.
func (l *Line) turnBack(from, ahead int, at int64) {
	if l.was == nil && l.marked.sum > l.before(from) {
		l.was = l.upToMark()
	}
	rest := slices.Clone(l.all[from:])
	l.all, l.run = l.all[:from], run{}
	if from > 0 {
		at = l.all[from-1].latest
	}
	for _, s := range rest {
		s.hour, s.latest, s.astray = hourAt(at), at, max(0, min(s.events, ahead))
		ahead -= s.astray
		if n := len(l.all); n > 0 && l.all[n-1].events+s.events <= mostEvents {
			last := &l.all[n-1]
			last.events, last.astray, last.sum, last.last = last.events+s.events, last.astray+s.astray, s.sum, s.last
			continue
		}
		l.all = append(l.all, s)
	}
}

// upToMark returns the stretches as they were at the mark.
func (l *Line) upToMark() []stretch {
	if l.was != nil {
		return l.was
	}
	n, _ := slices.BinarySearchFunc(l.all, l.marked.sum, func(a stretch, sum int) int { return a.sum - sum })
	return append(slices.Clone(l.all[:n]), l.marked)
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

const (
	microsAnHour = int64(time.Hour / time.Microsecond)
	microsADay   = 24 * microsAnHour
)

// hourAt returns the hour of some microseconds since 1970, before that too.
func hourAt(at int64) int64 {
	h := at / microsAnHour
	if at%microsAnHour < 0 {
		h--
	}
	return h
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

// Astray returns how many events count to where they stand in the log, and are by their
// own time of more than a day before or after that.
func (l *Line) Astray() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	n := 0
	for i := range l.all {
		n += l.all[i].astray
	}
	return n
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

// What a wrong clock has recorded, and what is only early or late.
const (
	// FarAhead is by how much a clock elsewhere may run ahead of the one here, to be believed.
	FarAhead = 24 * time.Hour
	// FarBack is how long nothing happens, at the least, between what lies far back and the
	// rest.
	FarBack = 90 * 24 * time.Hour
)

// Reach returns between which moments of a Span that is worth showing lies, now being known.
// Where the latest event lies ahead by more than FarAhead, and not all do, it is until now.
// It begins with the first hour that does not lie far back: before it are less than a tenth
// of the events, and the longest time without any.
func (l *Line) Reach(now time.Time) (begin, last time.Time, ahead bool) {
	first, last := l.Span()
	if first.IsZero() && last.IsZero() {
		return first, last, false
	}
	begin = l.begin()
	if ahead = last.After(now.Add(FarAhead)) && first.Before(now); ahead {
		if last = now.UTC(); !begin.Before(now) {
			begin = first // all of the rest lies ahead
		}
	}
	return begin, last, ahead
}

// begin returns the first hour that does not lie far back.
func (l *Line) begin() time.Time {
	type hour struct {
		at   time.Time
		upTo int // events, with those of the hour
	}
	var all []hour
	total := 0
	l.Hours(func(at time.Time, events int) bool {
		total += events
		all = append(all, hour{at, total})
		return true
	})
	few := total / 10
	if total >= 3 {
		few = max(1, few)
	}
	usual := slices.IndexFunc(all, func(h hour) bool { return h.upTo > few })
	last := slices.IndexFunc(all, func(h hour) bool { return h.upTo >= total-few })
	far := max(FarBack, all[last].at.Sub(all[usual].at))
	for ; usual > 0 && all[usual].at.Sub(all[usual-1].at) <= far; usual-- {
	}
	return all[usual].at
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
	hour := hourAt(at)
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
