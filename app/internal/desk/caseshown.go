package desk

import (
	"context"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// Ticket returns the ticket that a case has issued, for whoever asked for it or approved
// it to hand over; that is recorded. NoCase: there is none that could still be redeemed,
// or it is not theirs to see.
func (d *Desk) Ticket(ctx context.Context, by Agent, s domain.SubjectID, id string) (string, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return "", d.refusal(err)
	}
	view, ok := caseOf(r, enrolment.CaseID(id))
	t, me := r.state.Codes.Ticket, by.actor().ID
	if !ok || me == "" || me != view.By && me != view.Second || t.ID != enrolment.ChallengeID(id) || !t.Open(d.Policy, d.Now()) {
		return "", refuse(NoCase)
	}
	if err := d.shown(ctx, by, staff.ShownTicket, s, id); err != nil {
		return "", d.refusal(err)
	}
	code, err := d.ticketCode(s, t)
	return enrolment.FormatTicket(code), d.refusal(err)
}

func (d *Desk) ticketCode(s domain.SubjectID, t enrolment.Challenge) (string, error) {
	key, err := d.Keys.DeriveWith(t.KeyID, recoveryTicketKey)
	if err != nil {
		return "", err
	}
	return enrolment.TicketCode(key, s, recoveryTicketKey, string(t.ID)), nil
}

// RedeemTicket is for somebody who left half-way, forgot the password, and was given a
// ticket: it takes the place of the old password, once, and the view asks for a new one.
func (d *Desk) RedeemTicket(ctx context.Context, id, typed string) (View, error) {
	return d.with(ctx, id, "redeem-ticket", func(ctx context.Context, v *visit) error {
		if !v.proved {
			return refuse(OutOfOrder)
		}
		code, _ := enrolment.ParseTicket(typed)
		s, events, err := d.do(ctx, v, func(s enrolment.State) (enrolment.Command, error) {
			t := s.Codes.Ticket
			if t.ID == "" {
				return nil, enrolment.ErrNothingToConfirm
			}
			want, err := d.ticketCode(v.subject, t)
			return enrolment.RedeemTicket{Ticket: t.ID, Matches: err == nil && enrolment.Matches(want, code)}, err
		})
		if err != nil {
			return err
		}
		if err := d.rejected(s, events); err != nil {
			return err
		}
		if recorded[enrolment.TicketRedeemed](events) {
			v.ticket = s.Password
		}
		return nil
	})
}

// ShowHRNumber returns the number that HR has of somebody, to call them back: in a case
// only, whose name NewCase gave, and recorded. NoNumber: HR has none.
func (d *Desk) ShowHRNumber(ctx context.Context, by Agent, s domain.SubjectID, id string) (PhoneView, error) {
	switch {
	case by.actor().ID == "" || by.actor().ID == s.String():
		return PhoneView{}, refuse(OwnAccount)
	case !caseForm.MatchString(id):
		return PhoneView{}, refuse(NoCase)
	}
	r, err := d.load(ctx, s)
	if err != nil {
		return PhoneView{}, d.refusal(err)
	}
	if r.state.Staff.Phone.IsZero() {
		return PhoneView{}, refuse(NoNumber)
	}
	if err := d.shown(ctx, by, staff.ShownHRNumber, s, id); err != nil {
		return PhoneView{}, d.refusal(err)
	}
	view, err := d.numberView(ctx, s, enrolment.Phone{Ref: r.state.Staff.Phone, Source: enrolment.FromHR})
	return view, d.refusal(err)
}

// shown records what of a person is shown to an agent for a case, before it is: what
// cannot be recorded is not shown.
func (d *Desk) shown(ctx context.Context, by Agent, what staff.Scope, s domain.SubjectID, id string) error {
	c := CallOf(ctx).command("shown/"+string(what)+"/"+s.String()+"/"+id, 0)
	return d.noteAccess(ctx, by, c, staff.DataShown{Scope: what, Subject: s, Case: id})
}

// CaseTicket returns the number of a case in the helpdesk's own system; empty: there is
// none.
func (d *Desk) CaseTicket(ctx context.Context, s domain.SubjectID, id string) (string, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return "", d.refusal(err)
	}
	asked, _ := r.asked(enrolment.CaseID(id))
	if asked.Ticket == nil {
		return "", nil
	}
	number, err := d.open(ctx, s, KindTicket, *asked.Ticket)
	return number, d.refusal(err)
}
