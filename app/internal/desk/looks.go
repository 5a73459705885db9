package desk

import (
	"context"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/ledger"
)

// What somebody looks at is recorded before they see it, and is not shown where it cannot
// be. Within a shift the looks that belong together are one (noteShown, noteOpened,
// noteSearch); at the command line, where nobody signs in, each command is a look of its
// own (NoteLook, NoteListing).

// MostNamed is of how many people what belongs together, a visit or an act of staff, is
// recorded as a look at each of them. What is of more is a list of people.
const MostNamed = 10

// NoteListing records that people are about to be shown to somebody, however many there are.
func (d *Desk) NoteListing(ctx context.Context, by Agent) error {
	return d.noteAccess(ctx, by, newCommand(), staff.SearchMade{Scope: staff.SearchedAll})
}

// NoteLook records that somebody is about to be shown what there is of a person, in a
// scope.
func (d *Desk) NoteLook(ctx context.Context, by Agent, scope staff.Scope, whom domain.SubjectID) error {
	return d.noteAccess(ctx, by, newCommand(), staff.DataShown{Scope: scope, Subject: whom})
}

// Looks records what is looked at, for whoever has opened the log alone: it needs neither
// the master key nor the vault.
type Looks struct{ d *Desk }

// NewLooks returns what records looks in a log, at a station and under a policy.
func NewLooks(log Log, station string, policy enrolment.Policy, now func() time.Time) *Looks {
	return &Looks{New(Config{Log: log, Station: station, Policy: policy, Now: now})}
}

// NoteListing is Desk.NoteListing.
func (l *Looks) NoteListing(ctx context.Context, by Agent) error { return l.d.NoteListing(ctx, by) }

// NoteLook is Desk.NoteLook.
func (l *Looks) NoteLook(ctx context.Context, by Agent, scope staff.Scope, whom domain.SubjectID) error {
	return l.d.NoteLook(ctx, by, scope, whom)
}

// noteOpened records that an auditor opens an event about a person, once a shift for each
// person: who steps through thousands of events makes no more looks than there are people
// in them. Nothing is recorded of an event that is about nobody, nor while the auditor has
// that person's story before them, which is a look already.
func (d *Desk) noteOpened(ctx context.Context, id string, by Agent, whom domain.SubjectID) error {
	d.mu.Lock()
	s := d.shifts[id]
	d.mu.Unlock()
	switch {
	case whom.IsZero():
		return nil
	case s == nil:
		return refuse(ShiftOver)
	}
	s.noting.Lock()
	defer s.noting.Unlock()
	d.mu.Lock()
	seen := s.opened[whom] || slices.Contains(s.looksAt[staff.ShownPerson], whom)
	d.mu.Unlock()
	if seen {
		return nil
	}
	c := CallOf(ctx).command(string(staff.ShownEvent)+"/"+id+"/"+whom.String(), 0)
	if err := d.noteAccess(ctx, by, c, staff.DataShown{Scope: staff.ShownEvent, Subject: whom}); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.opened == nil {
		s.opened = map[domain.SubjectID]bool{}
	}
	s.opened[whom] = true
	return nil
}

// noteFilter records a look at whom a filter of events asks for: what passes it is their
// story. So is what belongs to one visit, or to one act of staff, unless that is about
// many: then it is a search.
func (d *Desk) noteFilter(ctx context.Context, shift string, by Agent, f *EventFilter) error {
	var whom []domain.SubjectID
	add := func(s domain.SubjectID) {
		if !s.IsZero() && !slices.Contains(whom, s) {
			whom = append(whom, s)
		}
	}
	add(f.Subject)
	if actor, err := domain.ParseSubjectID(f.Actor); err == nil { // people act on their own accounts
		add(actor)
	}
	if f.Correlation != (domain.EventID{}) && f.Subject.IsZero() { // else only what is theirs passes
		together, few := d.together(f.Correlation)
		for _, s := range together {
			add(s)
		}
		if !few {
			if err := d.noteSearch(ctx, shift, by, f.Correlation.String()); err != nil {
				return err
			}
		}
	}
	return d.noteShown(ctx, shift, by, staff.ShownPerson, whom...)
}

// together returns whom the events of a correlation are about; false, and nobody, where
// that are more than MostNamed.
func (d *Desk) together(id domain.EventID) (whom []domain.SubjectID, few bool) {
	for from := 0; ; from += MostLinks {
		rows := d.Index.Page(ledger.Query{Filter: ledger.Filter{Correlation: id}, Oldest: true, Offset: from, Limit: MostLinks}).Rows
		for i := range rows {
			if s := rows[i].Subject; !s.IsZero() && !slices.Contains(whom, s) {
				whom = append(whom, s)
			}
		}
		switch {
		case len(whom) > MostNamed:
			return nil, false
		case len(rows) < MostLinks:
			return whom, true
		}
	}
}
