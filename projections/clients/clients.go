// Package clients knows who may ask the API, and for what, and which keys sign what
// it tells of a login: what a server looks up at every request.
//
// It imports domain, domain/service and the pure standard library. Start reading
// at Directory.
package clients

import (
	"sync"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// A Directory holds every client and every key that there ever was. One goroutine may apply
// events while any number of others ask.
type Directory struct {
	mu      sync.RWMutex
	state   service.State
	unclear bool
	through domain.Position
}

// New returns an empty directory, which wants the log from its start.
func New() *Directory { return &Directory{} }

// Apply folds a run of events, in the order of the log, and notes that there is
// nothing else up to through. What was applied before is passed over. After an
// event that this program does not know nobody is let in any more: it may have
// revoked anybody.
func (d *Directory) Apply(events []domain.Recorded, through domain.Position) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range events {
		r := &events[i]
		if r.Stream != domain.ServiceStream || r.Position <= d.through {
			continue
		}
		e, err := service.Decode(r.Type, r.Data)
		if err != nil {
			d.unclear = true
			continue
		}
		d.state = service.Evolve(d.state, e)
	}
	d.through = max(d.through, through)
}

// Position returns how far the log was applied.
func (d *Directory) Position() domain.Position {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.through
}

// Client returns a client that is let in.
func (d *Directory) Client(id string) (service.Client, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	c, ok := d.state.Clients[id]
	return c, ok && !c.Revoked && !d.unclear
}

// All returns every client, and whether all that was recorded of them is
// understood. The map is not to be changed.
func (d *Directory) All() (clients map[string]service.Client, clear bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Clients, !d.unclear
}

// Keys returns the keys of assertions, and whether all that was recorded of them
// is understood: with an event that is not, one of them may count no more.
func (d *Directory) Keys() (keys service.Keys, clear bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.state.Keys, !d.unclear
}
