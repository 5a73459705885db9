// Package pairings knows whose the QR codes are that are on screens now, so
// that whichever process a phone reaches can take the next step.
//
// It keeps a pairing for an hour after its end, because a phone may still ask
// what became of it. It imports domain, domain/enrolment and the pure standard
// library. Start reading at Index.
package pairings

import (
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// keep is how long a pairing is known after its end, by the clock of the
// events themselves.
const keep = time.Hour

// A Pairing is one QR code.
type Pairing struct {
	ID      enrolment.PairingID
	Subject domain.SubjectID
	Ends    time.Time // of the whole pairing, across QR codes
}

// An Index holds the pairings of the last hour. One goroutine may apply events
// while any number of others ask.
type Index struct {
	mu      sync.RWMutex
	known   map[enrolment.PairingID]Pairing
	newest  time.Time // end of the newest
	through domain.Position
}

// New returns an index that wants only what stands behind a position. What was
// offered before it is not found: whoever starts anew has no visits, and what
// another program shows is replaced by its next QR code.
func New(after domain.Position) *Index {
	return &Index{known: map[enrolment.PairingID]Pairing{}, through: after}
}

// Apply folds a run of events, in the order of the log, and notes that there
// is nothing else up to through. What was applied before is passed over. An
// event that cannot be read offers nothing.
func (x *Index) Apply(events []domain.Recorded, through domain.Position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range events {
		e := &events[i]
		if e.Type != "PairingOffered" || e.Position <= x.through {
			continue
		}
		subject, ok := domain.SubjectOfStream(e.Stream)
		decoded, err := enrolment.Decode(e.Type, e.Data)
		offered, is := decoded.(enrolment.PairingOffered)
		if !ok || err != nil || !is {
			continue
		}
		x.add(Pairing{offered.Pairing, subject, offered.Ends})
	}
	x.through = max(x.through, through)
}

func (x *Index) add(p Pairing) {
	x.known[p.ID] = p
	if !p.Ends.After(x.newest) {
		return
	}
	x.newest = p.Ends
	for id, old := range x.known {
		if x.newest.Sub(old.Ends) > keep {
			delete(x.known, id)
		}
	}
}

// Position returns how far the log was applied.
func (x *Index) Position() domain.Position {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.through
}

// Find returns a pairing, if it is one of the last hour.
func (x *Index) Find(id enrolment.PairingID) (Pairing, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	p, ok := x.known[id]
	return p, ok
}

// All returns the pairings of the last hour, in no order.
func (x *Index) All() []Pairing {
	x.mu.RLock()
	defer x.mu.RUnlock()
	all := make([]Pairing, 0, len(x.known))
	for _, p := range x.known {
		all = append(all, p)
	}
	return all
}
