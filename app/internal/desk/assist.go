package desk

import (
	"context"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// Assist begins the enrolment of somebody who sits beside an agent, at the agent's own
// station. It goes on like any other visit, and each of its events names the agent as
// helper. Until it is over the agent's rights are suspended: nobody types a password or
// a code for somebody else while they look at what Keydesk knows of them. The visit's own
// screens show the address, which is recorded as a look of the agent's.
func (h *Helpdesk) Assist(ctx context.Context, shift string, whom domain.SubjectID, lang string) (view View, err error) {
	d := h.d
	var agent domain.SubjectID
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
		agent = by.Subject
		look := CallOf(ctx).command("assist/"+shift+"/"+whom.String(), 0)
		if err := d.noteAccess(ctx, by, look, staff.DataShown{Scope: staff.ShownEmail, Subject: whom}); err != nil {
			return err
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
	if v := d.visits[view.Visit]; v != nil {
		v.beside = agent
	}
	return view, nil
}

// assisting says whether somebody enrols beside whoever has a shift, at this window or at
// another one where they have signed in.
func (d *Desk) assisting(s *shift) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.visits {
		if v.beside == s.subject && d.Now().Sub(v.began) <= d.VisitMax {
			return true
		}
	}
	return false
}
