package home

import (
	"context"
	"slices"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/domain/staff"
)

// alarm looks whether anybody is told when an account is frozen.
func (d *doctor) alarm(context.Context) Diagnosis {
	if d.set.Organisation.Alarm == "" {
		return warn("set organisation.alarm to the helpdesk's e-mail address", "nobody is told when somebody reports a stolen phone or a login that was not theirs")
	}
	return well("the helpdesk is told by mail when an account is frozen")
}

// signingKeys looks whether the master keys are there that the keys of assertions are
// derived from.
func (d *doctor) signingKeys(ctx context.Context) Diagnosis {
	if d.keys == nil {
		return skipped(`cannot be looked at before "master key" is mended`)
	}
	events, err := d.log.ReadStream(ctx, domain.ServiceStream, 0)
	if err != nil {
		return bad("see what the check of the log says", "%s", err)
	}
	var s service.State
	for _, rec := range events {
		e, err := service.Decode(rec.Type, rec.Data)
		if err != nil {
			return bad("start a newer Keydesk", "%s", err)
		}
		s = service.Evolve(s, e)
	}
	if len(s.Keys) == 0 {
		return skipped("no assertion was ever signed here")
	}
	have := d.keys.IDs()
	for _, k := range s.Keys[max(0, len(s.Keys)-2):] { // the one that signs, and one that may follow it
		if !slices.Contains(have, k.Master) {
			return bad("put the master key back that this one is derived from, or run keydeskd keys rotate; until then nobody logs in",
				"the key %s signs assertions, and its master key is gone", k.ID)
		}
	}
	return well("assertions are signed, and the next key is there too")
}

// staff looks whether those who have to help can.
func (d *doctor) staff(ctx context.Context) Diagnosis {
	roles := map[domain.SubjectID]staff.State{}
	err := d.log.ReadAll(ctx, domain.Query{Prefix: domain.StaffPrefix}, func(b domain.Batch) error {
		for _, rec := range b.Events {
			if err := staff.Apply(roles, rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return bad("see what the check of the log says", "%s", err)
	}
	count := map[domain.Role]int{}
	for _, s := range roles {
		for _, r := range s.Roles {
			count[r]++
		}
	}
	const grant = "enrol them, then keydeskd grant ROLE EMAIL"
	switch {
	case count[domain.RoleHelpdesk] == 0:
		return warn(grant, "nobody is helpdesk: nobody can help from a window")
	case !twoPeople(roles):
		return warn(grant, "nobody can approve what the helpdesk asks for: it takes an approver who is somebody else")
	}
	return well("helpdesk %d, approver %d, auditor %d, admin %d", count[domain.RoleHelpdesk], count[domain.RoleApprover],
		count[domain.RoleAuditor], count[domain.RoleAdmin])
}

// twoPeople says whether one can ask for a case and another approve it.
func twoPeople(roles map[domain.SubjectID]staff.State) bool {
	for asks, s := range roles {
		if !s.Has(domain.RoleHelpdesk) {
			continue
		}
		for approves, s := range roles {
			if approves != asks && s.Has(domain.RoleApprover) {
				return true
			}
		}
	}
	return false
}
