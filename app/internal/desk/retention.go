package desk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// Who is due to be erased. Nobody is by itself: somebody decides.

// DueReason is why somebody is due.
type DueReason string

// The reasons.
const (
	DueLeft       DueReason = "left"       // HR announced that they left, and nobody invited them since
	DueUnfinished DueReason = "unfinished" // they began, never finished, and did nothing since
)

// A Due is somebody who is due to be erased. It holds personal data and is not to be
// kept.
type Due struct {
	Subject domain.SubjectID
	Why     DueReason
	Since   time.Time // when they left, or did something last
	Role    bool      // they hold a role, which has to be taken from them first
	Name    string    // empty: not known
	Email   string
}

// Due returns who left longer ago than left, and who began and did nothing for longer than
// unfinished, those first who are due longest. With 0 nobody is for that reason. That
// somebody at the command line looked for them is recorded, before their names are read.
func (d *Desk) Due(ctx context.Context, left, unfinished time.Duration) ([]Due, error) {
	all := map[domain.SubjectID]*tenure{}
	err := d.Log.ReadAll(ctx, domain.Query{Prefix: domain.EnrolmentPrefix}, func(b domain.Batch) error {
		for i := range b.Events {
			r := &b.Events[i]
			s, ok := domain.SubjectOfStream(r.Stream)
			if !ok {
				continue
			}
			if all[s] == nil {
				all[s] = &tenure{}
			}
			all[s].follow(r.Type, r.Recorded)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who is due: %w", err)
	}
	roles, err := d.allRoles(ctx)
	if err != nil {
		return nil, err
	}
	var due []Due
	for s, t := range all {
		if one, ok := t.due(d.Now(), left, unfinished); ok {
			one.Subject, one.Role = s, len(roles[s].Roles) > 0
			due = append(due, one)
		}
	}
	if len(due) > 0 {
		if err := d.NoteListing(ctx, Console()); err != nil {
			return nil, err
		}
	}
	for i := range due {
		if err := d.nameDue(ctx, &due[i]); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(due, func(a, b Due) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Subject.String(), b.Subject.String()))
	})
	return due, nil
}

func (d *Desk) nameDue(ctx context.Context, one *Due) error {
	t, err := d.trail(ctx, one.Subject, domain.NoStream)
	if err != nil {
		return err
	}
	e, err := d.findable(ctx, one.Subject, t.state)
	one.Name, one.Email = e.Name, e.Email
	return err
}

// A tenure is as much of a person's events as says whether they are due.
type tenure struct {
	left     time.Time // when HR announced that; zero: they did not leave, or are back
	last     time.Time // when they, or anybody but HR, did something
	began    bool
	finished bool // ever
	erased   bool
}

func (t *tenure) follow(typ string, at time.Time) {
	switch typ {
	case "StaffRegistered":
		t.left = time.Time{}
		return
	case "StaffLeft":
		t.left = at
		return
	case "StaffChanged":
		return
	case "InvitationIssued": // somebody wants them here after all
		t.left = time.Time{}
	case "EnrolmentStarted":
		t.began = true
	case "FactorChosen":
		t.finished = true
	case "PersonErased":
		t.erased = true
	}
	t.last = at
}

func (t *tenure) due(now time.Time, left, unfinished time.Duration) (Due, bool) {
	switch {
	case t.erased:
	case left > 0 && !t.left.IsZero() && now.Sub(t.left) > left:
		return Due{Why: DueLeft, Since: t.left}, true
	case unfinished > 0 && t.began && !t.finished && now.Sub(t.last) > unfinished:
		return Due{Why: DueUnfinished, Since: t.last}, true
	}
	return Due{}, false
}
