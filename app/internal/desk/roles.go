package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// Grant records that a person may do what a role may. They have to have a factor:
// who signs in as staff does it with that. Who asks has been checked, and is not the
// person.
func (d *Desk) Grant(ctx context.Context, by Agent, s domain.SubjectID, r domain.Role) error {
	rec, err := d.load(ctx, s)
	if err != nil {
		return err
	}
	if rec.state.Chosen() == enrolment.NoFactor {
		return fmt.Errorf("grant a role: %w", enrolment.ErrNotEnrolled)
	}
	stamp := d.agentStamp(by, newCommand())
	return d.decideRoles(ctx, s, stamp, func(st staff.State) (staff.Event, error) { return staff.Grant(st, s, r, stamp) })
}

// Revoke records that they may no longer, from this moment on, wherever they have
// signed in.
func (d *Desk) Revoke(ctx context.Context, by Agent, s domain.SubjectID, r domain.Role) error {
	stamp := d.agentStamp(by, newCommand())
	return d.decideRoles(ctx, s, stamp, func(st staff.State) (staff.Event, error) { return staff.Revoke(st, s, r, stamp) })
}

func (d *Desk) decideRoles(ctx context.Context, s domain.SubjectID, by domain.Stamp, decide func(staff.State) (staff.Event, error)) error {
	return decideIn(ctx, d, staff.Stream(s), by, decide, staff.Decode, staff.Evolve, staff.Message)
}

// Roles returns which roles a person has, and the revision up to which that was read.
func (d *Desk) Roles(ctx context.Context, s domain.SubjectID) ([]domain.Role, domain.Revision, error) {
	events, err := d.Log.ReadStream(ctx, staff.Stream(s), 0)
	if err != nil {
		return nil, 0, fmt.Errorf("read roles of %s: %w", s, err)
	}
	var st staff.State
	at := domain.NoStream
	for _, rec := range events {
		e, err := staff.Decode(rec.Type, rec.Data)
		if err != nil {
			return nil, 0, fmt.Errorf("fold roles of %s at revision %d: %w", s, rec.Revision, err)
		}
		st, at = staff.Evolve(st, e), rec.Revision
	}
	return slices.Clone(st.Roles), at, nil
}

// allRoles returns who has, or ever had, a role.
func (d *Desk) allRoles(ctx context.Context) (map[domain.SubjectID]staff.State, error) {
	roles := map[domain.SubjectID]staff.State{}
	err := d.Log.ReadAll(ctx, domain.Query{Prefix: domain.StaffPrefix}, func(b domain.Batch) error {
		for _, rec := range b.Events {
			if err := staff.Apply(roles, rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who has roles: %w", err)
	}
	return roles, nil
}

// A Member is somebody with a role.
type Member struct {
	Subject domain.SubjectID
	Name    string
	Email   string
	Roles   []domain.Role
}

// Staff returns everybody who has a role, by address.
func (d *Desk) Staff(ctx context.Context) ([]Member, error) {
	roles, err := d.allRoles(ctx)
	if err != nil {
		return nil, err
	}
	var all []Member
	for s, st := range roles {
		if len(st.Roles) == 0 {
			continue
		}
		r, err := d.load(ctx, s)
		if err != nil {
			return nil, err
		}
		m := Member{Subject: s, Roles: st.Roles}
		if m.Name, err = d.open(ctx, s, KindName, r.state.Name); err != nil {
			return nil, err
		}
		if m.Email, err = d.open(ctx, s, KindEmail, addressOf(r.state)); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Member) int { return strings.Compare(a.Email, b.Email) })
	return all, nil
}

// noteAccess records what an agent looks at, before they see it.
func (d *Desk) noteAccess(ctx context.Context, by Agent, c domain.CommandID, a staff.Access) error {
	m, err := staff.AccessMessage(a, d.agentStamp(by, c))
	if err != nil {
		return err
	}
	who := by.actor().ID // of the console there is no subject
	if err := d.addTo(ctx, domain.AccessPrefix+who, m); err != nil {
		return fmt.Errorf("record %s of %s: %w", m.Type, who, err)
	}
	return nil
}
