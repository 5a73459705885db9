package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/cases"
)

// CarryOut does what was approved, where its time has come: TooEarly before that. All but
// a ticket is done by itself too; see CarryOutDue.
func (d *Desk) CarryOut(ctx context.Context, s domain.SubjectID, id string) (CaseView, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return CaseView{}, d.refusal(err)
	}
	if r.state.Request.ID != enrolment.CaseID(id) || id == "" {
		return CaseView{}, refuse(NoCase)
	}
	return d.carryOut(ctx, cases.Case{Case: r.state.Request, Subject: s})
}

func (d *Desk) carryOut(ctx context.Context, c cases.Case) (CaseView, error) {
	return d.decideCase(ctx, c.Subject, d.caseStamp("carry-out", c), enrolment.CarryOut{Case: c.ID}, c.ID)
}

// dueEvery is how often a server looks what is due.
const dueEvery = 30 * time.Second

// keepCases carries out what is due, until ctx ends.
func (d *Desk) keepCases(ctx context.Context) {
	tick := time.NewTicker(dueEvery)
	defer tick.Stop()
	for {
		d.CarryOutDue(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// CarryOutDue carries out what was approved and has waited for its time, all but tickets,
// and records what has lapsed. Any number of servers may do so at once: each case is carried out
// once, and told of once. What fails is tried again at the next time.
func (d *Desk) CarryOutDue(ctx context.Context) {
	now := d.Now()
	for _, c := range d.Cases.All() {
		// A ticket lives for an hour, and is issued when somebody is there to hand it over.
		due := c.Approved != "" && !now.Before(c.NotBefore) && c.Action != enrolment.IssuingTicket
		switch {
		case ctx.Err() != nil || !c.Stopped.IsZero():
			continue
		case !due && !c.Lapsed(now):
			d.report(d.tellAgain(ctx, c))
			continue
		}
		stamp, what := d.caseStamp("carry-out", c), enrolment.Command(enrolment.CarryOut{Case: c.ID})
		if c.Lapsed(now) {
			stamp, what = d.caseStamp("expire", c), enrolment.ExpireCase{Case: c.ID}
		}
		_, err := d.decideCase(context.WithoutCancel(ctx), c.Subject, stamp, what, c.ID)
		if isRefusalOf(err, NoCase) || isRefusalOf(err, CaseLapsed) {
			continue // another server was faster, or this one is behind
		}
		if err != nil && !isRefusalOf(err, Unavailable) && !isRefusalOf(err, Unsure) { // those are reported
			d.report(fmt.Errorf("carry out case %s of %s: %w", c.ID, c.Subject, err))
		}
	}
}

// tellAgain tells a person of a case that waits, unless they were told: whoever recorded
// it may have been killed before that.
func (d *Desk) tellAgain(ctx context.Context, c cases.Case) error {
	r, err := d.load(ctx, c.Subject)
	if err != nil {
		return err
	}
	if r.state.Request.ID != c.ID {
		return nil
	}
	asked, _ := r.asked(c.ID)
	d.tellCase(c.Subject, r.state, asked, CaseRequestedMessage, 0)
	if wait := c.NotBefore.Sub(d.Now()); c.Approved != "" && wait > 0 {
		d.tellCase(c.Subject, r.state, asked, CaseApprovedMessage, wait)
	}
	return nil
}

// caseStamp says that Keydesk itself does something with a case, once: whichever server
// does it, and however often, it is the same act.
func (d *Desk) caseStamp(what string, c cases.Case) domain.Stamp {
	stamp := d.machineStamp(domain.EventID(newCommand()))
	stamp.Command = Call(c.Subject).command(what+"/"+string(c.ID), 0)
	return stamp
}
