package desk

import (
	"context"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// Assist begins the enrolment of somebody who sits beside an agent, at the agent's own
// station. It goes on like any other visit, and each of its events names the agent as
// helper. Until it is over the agent's rights are suspended: nobody types a password or
// a code for somebody else while they look at what Keydesk knows of them. The address is
// masked in what the agent is shown; the visit's own screens show it to the person.
func (h *Helpdesk) Assist(ctx context.Context, shift string, whom domain.SubjectID, lang string) (view View, err error) {
	d := h.d
	err = d.staffedOn(ctx, shift, staff.Assist, whom, func(ctx context.Context, by Agent) error {
		r, err := d.load(ctx, whom)
		if err != nil {
			return err
		}
		email, err := d.open(ctx, whom, KindEmail, addressOf(r.state))
		if err != nil {
			return err
		}
		if email == "" {
			return refuse(NotAnAddress) // erased, or announced by nobody
		}
		view, err = d.begin(ctx, email, lang, by.Subject.String())
		return err
	})
	if err != nil {
		if view.Visit != "" {
			if v, ok := d.visit(view.Visit); ok {
				d.drop(v)
			}
		}
		return View{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.shifts[shift]; s != nil {
		s.assists = view.Visit
	}
	return view, nil
}

// assisting says whether somebody enrols beside whoever has a shift.
func (d *Desk) assisting(s *shift) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, open := d.visits[s.assists]
	return open && d.Now().Sub(v.began) <= d.VisitMax
}
