package demo

import (
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// roles are those of the first people who enrol, in this order: with few of them there
// is at least somebody who helps, and somebody else who approves.
var roles = []domain.Role{
	domain.RoleHelpdesk, domain.RoleApprover, domain.RoleAdmin, domain.RoleAuditor, domain.RoleHelpdesk, domain.RoleApprover, domain.RoleHelpdesk,
}

// helpdesk is the station of whoever helps.
const helpdesk = "desk-servicedesk-1"

// serves makes somebody a member of the helpdesk: they enrol on the first day, without
// trouble then or later, and the console gives them their role.
func (w *world) serves(p *person, role domain.Role, first time.Time) {
	p.way, p.turn, p.admission, p.start, p.role = smoothly, nothing, enrolment.ByRoster, first, role
	p.wants = enrolment.SMS
	if len(w.serving)%2 == 1 {
		p.wants = enrolment.Pocket
	}
	w.serving = append(w.serving, p)
	w.plan(first.Add(17*time.Hour+p.between(0, time.Hour)), p, granted)
}

func granted(w *world, p *person, at time.Time) {
	if p.state.Chosen() == enrolment.NoFactor { // an outage, say
		w.plan(at.AddDate(0, 0, 1), p, granted)
		return
	}
	by := w.admin(p.dice, at)
	if w.over(at) {
		return
	}
	e, err := staff.Grant(staff.State{}, p.id, p.role, by)
	if err != nil {
		w.fail(err)
		return
	}
	m, err := staff.Message(e, by)
	if err != nil {
		w.fail(err)
		return
	}
	w.record(staff.Stream(p.id), unknown, by, []domain.Message{m})
	p.serves = true
}

// agent returns the stamp of somebody of the helpdesk, who is not the person; of the
// console, while there is nobody.
func (w *world) agent(p *person, at time.Time) (by domain.Stamp, agent *person) {
	by = w.admin(p.dice, at)
	var there []*person
	for _, a := range w.serving {
		if a.serves && a != p && a.role == domain.RoleHelpdesk {
			there = append(there, a)
		}
	}
	if len(there) == 0 {
		return by, nil
	}
	agent = pick(p.dice, there)
	by.Station, by.Actor = helpdesk, domain.Actor{Kind: domain.ActorStaff, ID: agent.id.String(), Role: agent.role}
	return by, agent
}

// looks has somebody of the helpdesk look at a person's page, as long as there is anybody.
func (w *world) looks(p *person, at time.Time, also ...staff.Scope) {
	by, agent := w.agent(p, at)
	if agent == nil {
		return
	}
	seen := func(a staff.Access) {
		if w.over(by.At) {
			return
		}
		by.Command = p.command()
		m, err := staff.AccessMessage(a, by)
		if err != nil {
			w.fail(err)
			return
		}
		w.record(staff.AccessStream(agent.id), unknown, by, []domain.Message{m})
		by.At = by.At.Add(p.between(4*time.Second, 25*time.Second))
	}
	seen(staff.SearchMade{Scope: staff.SearchedAll})
	seen(staff.DataShown{Scope: staff.ShownPerson, Subject: p.id})
	for _, s := range also {
		seen(staff.DataShown{Scope: s, Subject: p.id, Case: string(p.state.Case.ID)})
	}
}

// invites has somebody invited who cannot go on without a ticket; then they come a while
// later, with it.
func (w *world) invites(p *person, at time.Time, then episode) bool {
	st := p.state
	if !st.Started {
		st.Admission = p.admission
	}
	if !w.Policy.AwaitsTicket(st, at) || st.Invitation.Open(w.Policy, at.Add(time.Hour)) {
		return false
	}
	by, _ := w.agent(p, at)
	invite := enrolment.Invite{
		Invitation: enrolment.InvitationID(p.dice.id()), KeyID: w.key, Email: st.Email,
		Kind: pick(p.dice, []enrolment.InvitationKind{enrolment.InvitationPrinted, enrolment.InvitationMailed, enrolment.InvitationShown}),
	}
	for _, known := range []domain.Ref{st.Codes.Email.To, st.Staff.Email, st.Invitee.Email} {
		if invite.Email.IsZero() {
			invite.Email = known
		}
	}
	if invite.Email.IsZero() {
		invite.Email = w.value(p, at, desk.KindEmail, p.email)
	}
	if !st.Staff.Registered && st.Invitee.Name.IsZero() {
		name := w.value(p, at, desk.KindName, p.hr)
		invite.Name = &name
	}
	w.do(p, by, invite)
	w.plan(at.Add(p.between(90*time.Second, 40*time.Minute)), p, then)
	return true
}

// calls is a stuck person who reads their help code to the helpdesk.
func calls(w *world, p *person, at time.Time) {
	if p.in(0.3) {
		w.looks(p, at, staff.ShownPhone)
		return
	}
	w.looks(p, at)
}

// byTwo has the helpdesk do something to somebody who stands there, with a second
// person's word; the console does it alone, while there is nobody. It returns when that
// is done.
func (w *world) byTwo(p *person, at time.Time, a enrolment.Action, why enrolment.CaseReason) time.Time {
	by, agent := w.agent(p, at)
	c := enrolment.RequestCase{
		Case: newCase(p.dice), Subject: p.id, Action: a, Reason: why, Evidence: []enrolment.Evidence{enrolment.SawPass}, KeyID: w.key, Alone: agent == nil,
	}
	if c.Alone {
		c.Evidence = nil
	}
	w.do(p, by, c)
	if c.Alone {
		return at
	}
	at = at.Add(p.between(2*time.Minute, 20*time.Minute))
	by = w.admin(p.dice, at)
	for _, other := range w.serving {
		if other.serves && other != p && other != agent && other.role == domain.RoleApprover {
			by.Station, by.Actor = helpdesk, domain.Actor{Kind: domain.ActorStaff, ID: other.id.String(), Role: other.role}
			break
		}
	}
	w.do(p, by, enrolment.ApproveCase{Case: c.Case, Subject: p.id})
	return at
}
