package desk

import (
	"github.com/keydesk/keydesk/domain"
)

// An Agent is a member of staff who does something, in the role that allows it. It is
// who stands in the events.
type Agent struct {
	Subject domain.SubjectID // with an enrolment of their own; zero at the command line
	Role    domain.Role
	console bool
}

// Console is whoever is at the command line of a machine that holds the master key:
// nobody is asked there who they are.
func Console() Agent { return Agent{Role: domain.RoleAdmin, console: true} }

// actor is an agent as events name them. The zero Agent is nobody, whom the domain
// refuses whatever is staff's.
func (a Agent) actor() domain.Actor {
	switch {
	case a.console:
		return domain.Console()
	case a.Subject.IsZero():
		return domain.Actor{}
	}
	return domain.Actor{Kind: domain.ActorStaff, ID: a.Subject.String(), Role: a.Role}
}

// agentStamp says that an agent acts.
func (d *Desk) agentStamp(a Agent, c domain.CommandID) domain.Stamp {
	s := d.machineStamp(domain.EventID(newCommand()))
	s.Command, s.Actor = c, a.actor()
	return s
}

// adminStamp says that somebody at the server's command line acts.
func (d *Desk) adminStamp() domain.Stamp { return d.agentStamp(Console(), newCommand()) }
