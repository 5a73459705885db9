// Package cases knows what staff have asked for and nobody has carried out yet: the
// list of whoever approves, and what is due.
//
// What has lapsed stays in it until that is recorded; whoever reads looks at the time.
// It imports domain, domain/enrolment and the pure standard library. Start reading at
// Index.
package cases

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// keep is how long a case is known after whom it is about has stopped it, by the log's
// clock: they may ask again.
const keep = 24 * time.Hour

// A Case is one that waits, or that was stopped in the last day.
type Case struct {
	enrolment.Case
	Subject domain.SubjectID
	Asked   time.Time // by the log's clock
	Stopped time.Time // by the person, by the log's clock; zero: it waits
}

// Types are the events that an Index wants.
func Types() []string {
	return []string{
		"RecoveryRequested", "RecoveryApproved", "RecoveryDenied", "RecoveryStopped", "RecoveryExpired", "RecoveryCompleted",
	}
}

// An Index holds the cases. One goroutine may apply events while any number of others
// ask.
type Index struct {
	mu      sync.RWMutex
	known   map[key]Case
	through domain.Position
}

// A key names a case: two people's may have one name.
type key struct {
	subject domain.SubjectID
	id      enrolment.CaseID
}

// New returns an empty index, which wants the log from its start.
func New() *Index { return &Index{known: map[key]Case{}} }

// Apply folds a run of events, in the order of the log, and notes that there is nothing
// else up to through. What was applied before is passed over, as is what cannot be read:
// nothing is carried out on it.
func (x *Index) Apply(events []domain.Recorded, through domain.Position) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range events {
		r := &events[i]
		if r.Position <= x.through {
			continue
		}
		if subject, ok := domain.SubjectOfStream(r.Stream); ok {
			if e, err := enrolment.Decode(r.Type, r.Data); err == nil {
				x.apply(subject, e, r.Recorded)
			}
		}
	}
	x.through = max(x.through, through)
}

func (x *Index) apply(s domain.SubjectID, e enrolment.Event, at time.Time) {
	switch e := e.(type) { //nolint:gochecksumtype // those of cases
	case enrolment.RecoveryRequested:
		if opened := enrolment.Evolve(enrolment.State{}, e).Request; opened.ID != "" {
			x.forget(at)
			x.known[key{s, e.Case}] = Case{Case: opened, Subject: s, Asked: at}
		}
	case enrolment.RecoveryApproved:
		if c, ok := x.known[key{s, e.Case}]; ok {
			c.Case = enrolment.Evolve(enrolment.State{Request: c.Case}, e).Request
			x.known[key{s, e.Case}] = c
		}
	case enrolment.RecoveryStopped:
		if c, ok := x.known[key{s, e.Case}]; ok && e.Reason == enrolment.StoppedByPerson {
			c.Stopped = at
			x.known[key{s, e.Case}] = c
		} else {
			delete(x.known, key{s, e.Case})
		}
	case enrolment.RecoveryDenied:
		delete(x.known, key{s, e.Case})
	case enrolment.RecoveryExpired:
		delete(x.known, key{s, e.Case})
	case enrolment.RecoveryCompleted:
		delete(x.known, key{s, e.Case})
	}
}

// forget drops what was stopped long ago.
func (x *Index) forget(now time.Time) {
	for k, c := range x.known {
		if !c.Stopped.IsZero() && now.Sub(c.Stopped) > keep {
			delete(x.known, k)
		}
	}
}

// Position returns how far the log was applied.
func (x *Index) Position() domain.Position {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.through
}

// All returns every case, the one that waits longest first.
func (x *Index) All() []Case {
	x.mu.RLock()
	all := make([]Case, 0, len(x.known))
	for _, c := range x.known {
		all = append(all, c)
	}
	x.mu.RUnlock()
	slices.SortFunc(all, func(a, b Case) int {
		return cmp.Or(a.Asked.Compare(b.Asked), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Subject.String(), b.Subject.String()))
	})
	return all
}
