// Package stations knows which stations on other machines are let in, and with
// which certificates: what a server asks at every call (Directory). And it knows
// what every station did: what the helpdesk wants to see of them (Logbook).
//
// It imports domain, domain/station and the pure standard library. Start reading
// at Directory.
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

// A Station is one that was let in at some time.
type Station struct {
	ID string
	station.State
	Unclear bool // something was recorded of it that this program does not know
}

// A Directory holds every station that was ever let in from another machine. One
// goroutine may apply events while any number of others ask.
type Directory struct {
	mu      sync.RWMutex
	known   map[string]Station
	through domain.Position
}

// New returns an empty directory, which wants the log from its start.
func New() *Directory { return &Directory{known: map[string]Station{}} }

// Apply folds a run of events, in the order of the log, and notes that there is
// nothing else up to through. What was applied before is passed over. A station
// of which something unknown was recorded is let in no more, and all others are.
func (d *Directory) Apply(events []domain.Recorded, through domain.Position) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range events {
		r := &events[i]
		id, ok := strings.CutPrefix(r.Stream, domain.StationPrefix)
		if !ok || r.Position <= d.through {
			continue
		}
		s := d.known[id]
		s.ID = strings.Clone(id)
		e, err := station.Decode(r.Type, r.Data)
		if err != nil {
			s.Unclear = true
		} else {
			s.State = station.Evolve(s.State, e)
		}
		if len(s.Certificates) > 0 || s.Unclear {
			d.known[s.ID] = s
		}
	}
	d.through = max(d.through, through)
}

// Position returns how far the log was applied.
func (d *Directory) Position() domain.Position {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.through
}

// Admits returns what a station that shows a certificate is for, and why it is
// not let in now; no reason: it is.
func (d *Directory) Admits(id string, shown station.Certificate, now time.Time) (station.Kind, station.RefusalReason) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s := d.known[id]
	if s.Unclear {
		return s.Kind, station.NotAdmitted
	}
	return s.Kind, s.Admits(shown, now)
}

// All returns every station that was ever let in, by id.
func (d *Directory) All() []Station {
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := make([]Station, 0, len(d.known))
	for _, s := range d.known {
		if len(s.Certificates) > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Station) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
