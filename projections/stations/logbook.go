package stations

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

// An Entry is what is known of one station from its own stream. Times are the log's
// clock; zero where there is none.
type Entry struct {
	ID string
	station.State
	Unclear bool // something was recorded of it that this program does not know

	Seen      time.Time // when it, or somebody at it, did something last
	Opened    time.Time // when it started last …
	Version   string    // … and which version it was
	Certified time.Time // when its newest certificate was recorded
	Done      time.Time // when an enrolment was finished at it last
	Failed    time.Time // when something failed for everybody, as far as this station saw it …
	Failure   station.Failure

	done    []time.Time // of the last two days
	refused []time.Time
}

// kept is for how long single times are kept: two days, so that today is whole in
// every zone.
const kept = 48 * time.Hour

// mostKept bounds how many are.
const mostKept = 2000

// DoneSince says how many enrolments were finished at a station since a moment of the
// last two days.
func (e Entry) DoneSince(t time.Time) int { return since(e.done, t) }

// RefusedSince says how often it asked for what it may not ask for since a moment of
// the last two days.
func (e Entry) RefusedSince(t time.Time) int { return since(e.refused, t) }

func since(times []time.Time, t time.Time) (n int) {
	for _, at := range times {
		if !at.Before(t) {
			n++
		}
	}
	return n
}

// A Logbook holds what every station did, those on this machine too. One goroutine may
// apply events while any number of others ask.
type Logbook struct {
	mu      sync.RWMutex
	entries map[string]*Entry
	through domain.Position
}

// NewLogbook returns an empty logbook, which wants the log from its start.
func NewLogbook() *Logbook { return &Logbook{entries: map[string]*Entry{}} }

// Apply folds a run of events, in the order of the log, and notes that there is
// nothing else up to through. What was applied before is passed over.
func (l *Logbook) Apply(events []domain.Recorded, through domain.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range events {
		r := &events[i]
		id, ok := strings.CutPrefix(r.Stream, domain.StationPrefix)
		if !ok || r.Position <= l.through {
			continue
		}
		entry := l.entries[id]
		if entry == nil {
			entry = &Entry{ID: strings.Clone(id)}
			l.entries[entry.ID] = entry
		}
		e, err := station.Decode(r.Type, r.Data)
		if err != nil {
			entry.Unclear = true
			continue
		}
		entry.State = station.Evolve(entry.State, e)
		entry.follow(e, r.Recorded)
	}
	l.through = max(l.through, through)
}

func (e *Entry) follow(event station.Event, at time.Time) {
	switch event := event.(type) {
	case station.StationOpened:
		e.Seen, e.Opened, e.Version = at, at, event.Version
	case station.StationWiped:
		e.Seen = at
		if event.Reason == station.Finished {
			e.Done, e.done = at, keep(e.done, at)
		}
	case station.StationUnlocked, station.HelpCodeShown:
		e.Seen = at
	case station.StationFailed:
		e.Seen, e.Failed, e.Failure = at, at, event.Reason
	case station.StationAdmitted: // by somebody at the server
		e.Certified = at
	case station.StationRenewed:
		e.Seen, e.Certified = at, at
	case station.StationRevoked:
	case station.StationRefused: // whoever it was that asked
		e.refused = keep(e.refused, at)
	}
}

// keep adds a time, and forgets those that are too old. The times before stay as they
// were: who asked for an entry has them.
func keep(times []time.Time, at time.Time) []time.Time {
	from := max(0, len(times)-mostKept+1)
	for from < len(times) && at.Sub(times[from]) >= kept {
		from++
	}
	return append(times[from:], at)
}

// Position returns how far the log was applied.
func (l *Logbook) Position() domain.Position {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.through
}

// All returns every station that anything was ever recorded of, by id.
func (l *Logbook) All() []Entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	all := make([]Entry, 0, len(l.entries))
	for _, e := range l.entries {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
