package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/history"
	"github.com/keydesk/keydesk/projections/ledger"
)

// FindPerson finds people by what the helpdesk finds them by. That somebody searched is
// recorded before, without what for; once for a row of keystrokes.
func (a *Auditor) FindPerson(ctx context.Context, shift, words string) (hits []PersonHit, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, by Agent) error {
		if strings.TrimSpace(words) == "" {
			return nil
		}
		if err := d.noteSearch(ctx, shift, by, words); err != nil {
			return err
		}
		found, err := d.search(ctx, words)
		if err != nil {
			return err
		}
		for _, whom := range found.People {
			hit, err := d.hit(ctx, whom)
			if err != nil {
				return err
			}
			hits = append(hits, hit)
		}
		slices.SortFunc(hits, func(a, b PersonHit) int {
			if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
				return c
			}
			return strings.Compare(a.Subject.String(), b.Subject.String())
		})
		hits = hits[:min(len(hits), MostHits)]
		return nil
	})
	return nothingUnless(hits, err)
}

// hit says who was found: from the directory, or from the vault.
func (d *Desk) hit(ctx context.Context, s domain.SubjectID) (PersonHit, error) {
	var e Entry
	if d.Directory != nil {
		e, _ = d.Directory.Entry(s)
	}
	if e.Name == "" && e.Email == "" {
		t, err := d.trail(ctx, s, domain.NoStream)
		if err != nil {
			return PersonHit{}, err
		}
		if e, err = d.findable(ctx, s, t.state); err != nil {
			return PersonHit{}, err
		}
	}
	return PersonHit{Subject: s, Name: e.Name, Email: maskEmail(e.Email)}, nil
}

// PersonThen returns where somebody stood at a moment, and all that had happened to them
// by then. The look is recorded before, once while the auditor stays on this person.
func (a *Auditor) PersonThen(ctx context.Context, shift string, s domain.SubjectID, m Moment) (v PersonThen, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, by Agent) error {
		if err := d.noteShown(ctx, shift, by, staff.ShownPerson, s); err != nil {
			return err
		}
		p, err := d.position(ctx, m)
		if err != nil {
			return err
		}
		events, logins, err := d.storyOf(ctx, s)
		if err != nil {
			return err
		}
		v.Now, v.Then = stateOf(s, events), stateOf(s, upTo(events, p))
		all := history.Whole(upTo(events, p), upTo(logins, p))
		v.Entries = len(all)
		for _, e := range slices.Backward(all[max(0, len(all)-MostStory):]) {
			v.Story = append(v.Story, TimelineEntry{e, timelineKind(&e)})
		}
		v.Moment = d.moment(p)
		h, err := d.hit(ctx, s)
		v.Name = h.Name
		return err
	})
	return nothingUnless(v, err)
}

// moment returns when the last event up to a position was recorded.
func (d *Desk) moment(p domain.Position) Moment {
	row, _ := d.Index.Step(p+1, -1, ledger.Filter{}) // of what the index does not know yet, no time is shown
	return Moment{uint64(p), row.Recorded}
}

// storyOf reads all that happened to somebody: their enrolment, and what is left of their
// logins.
func (d *Desk) storyOf(ctx context.Context, s domain.SubjectID) (enrolments, logins []domain.Recorded, err error) {
	var streams [2][]domain.Recorded
	for i, stream := range []string{domain.EnrolmentStream(s), login.Stream(s)} {
		events, err := d.Log.ReadStream(ctx, stream, 0)
		if err != nil && !errors.Is(err, domain.ErrNotFound) {
			return nil, nil, fmt.Errorf("read %s: %w", stream, err)
		}
		streams[i] = events
	}
	return streams[0], streams[1], nil
}

// upTo returns the events of a stream up to a position.
func upTo(events []domain.Recorded, p domain.Position) []domain.Recorded {
	return events[:sort.Search(len(events), func(i int) bool { return events[i].Position > p })]
}

// stateOf says where somebody stands after the events of their enrolment, by the fold
// that answers the login service.
func stateOf(s domain.SubjectID, events []domain.Recorded) PersonState {
	if len(events) == 0 {
		return PersonState{Factor: enrolment.NoFactor, State: PersonUnheard, Revision: int64(domain.NoStream)}
	}
	m := factor.New()
	last := &events[len(events)-1]
	m.Apply(events, last.Position)
	answer := m.Lookup(s)
	t := trail{revision: domain.NoStream}
	for i := range events {
		if t = t.follow(&events[i]); t.parked {
			break
		}
	}
	v := PersonState{Known: true, Factor: answer.Factor, Since: answer.Since, Step: t.step(), Revision: int64(last.Revision)}
	switch answer.State {
	case factor.Nobody, factor.Enrolling:
		if v.State = PersonEnrolling; t.state.Staff.Left {
			v.State = PersonLeft
		}
	case factor.Active:
		v.State = PersonActive
	case factor.Frozen:
		v.State = PersonFrozen
	case factor.Erased:
		v.State = PersonErased
	case factor.Unknown:
		v.State = PersonUnknown
	}
	return v
}

// Values says of all that was recorded of somebody whether the vault holds it still, the
// newest first. That is recorded before, once while the auditor stays on this person; the
// values themselves are never shown.
func (a *Auditor) Values(ctx context.Context, shift string, s domain.SubjectID) (all []ValueCheck, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, by Agent) error {
		if err := d.noteShown(ctx, shift, by, staff.ShownValues, s); err != nil {
			return err
		}
		if all, err = d.Commitments(ctx, s); err != nil {
			return err
		}
		slices.SortStableFunc(all, func(a, b ValueCheck) int { return cmp.Compare(b.Position, a.Position) })
		all = all[:min(len(all), MostValues)]
		return nil
	})
	return nothingUnless(all, err)
}
