package desk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// What a visit has proved ends with what others change.

// stillIn ends a visit when something of what the person proves with became another
// since it began, and not by the visit itself: whoever changed the password, the number
// or the factor, froze the account or opened it again meant everybody who is in it. It
// does not matter whether all is as it was: somebody did it. Only a freeze leaves the
// visit, to say so.
func (d *Desk) stillIn(ctx context.Context, v *visit) error {
	switch {
	case v.login != nil:
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		return d.judge(v, r)
	case v.proved:
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		return d.judgeEnrolling(v, r)
	}
	return nil
}

// judgeEnrolling is judge for who enrols. Somebody at another station may be the same
// person, so that only what ends an enrolment ends the visit; and with another password
// whoever has that goes on.
func (d *Desk) judgeEnrolling(v *visit, r record) error {
	foreign, err := v.foreign(r)
	if err != nil {
		return err
	}
	for _, e := range foreign {
		switch e := e.(type) { //nolint:gochecksumtype // those that end it
		case enrolment.EnrolmentReset:
			if e.Reason == enrolment.ForgottenPassword {
				continue
			}
		case enrolment.AccountFrozen, enrolment.AccountUnfrozen, enrolment.PersonErased:
		default:
			continue
		}
		d.drop(v)
		return refuse(VisitOver)
	}
	if r.state.Password != v.unlocked {
		v.unlocked = domain.Ref{}
	}
	return nil
}

func (d *Desk) judge(v *visit, r record) error {
	foreign, err := v.foreign(r)
	if err != nil {
		return err
	}
	if s := r.state; v.offered != "" && s.Pairing.ID == v.offered && s.Pairing.Stage == enrolment.Paired {
		// The switch that this visit offered is done, and with it the proof for it.
		v.offered, v.login.proved = "", ""
	}
	freezes := 0
	for _, e := range foreign {
		switch e.(type) { //nolint:gochecksumtype // those of foreign
		case enrolment.AccountFrozen, enrolment.PocketRevoked:
			freezes++
		}
	}
	switch {
	case len(foreign) == 0:
		return nil
	case freezes == len(foreign) && r.state.Frozen != "":
		*v.login, v.since = signin{}, r.revision
		return nil
	}
	d.drop(v)
	return refuse(VisitOver)
}

// foreign returns what changed since a visit began of what the person proves with, and
// was not its own doing: neither of its calls, nor of a phone that took its offer.
func (v *visit) foreign(r record) ([]enrolment.Event, error) {
	own := map[domain.EventID]bool{v.correlation: true}
	for round := range 2 {
		var others []enrolment.Event
		for i := range r.events {
			rec := &r.events[i]
			if rec.Revision <= v.since || !proves(rec.Type) {
				continue
			}
			e, err := enrolment.Decode(rec.Type, rec.Data)
			if err != nil {
				return nil, err
			}
			var meta domain.Metadata
			if err := json.Unmarshal(rec.Metadata, &meta); err != nil {
				return nil, fmt.Errorf("read who recorded revision %d: %w", rec.Revision, err)
			}
			switch e := e.(type) { //nolint:gochecksumtype // those that need a look
			case enrolment.PasswordSet:
				if e.Reason == enrolment.PasswordRehashed {
					continue // it is the same password
				}
			case enrolment.PocketPaired:
				if v.pairings[e.Pairing] {
					own[meta.Correlation] = true // and what was recorded with it
				}
			}
			if !own[meta.Correlation] {
				others = append(others, e)
			}
		}
		if len(others) == 0 || round == 1 {
			return others, nil
		}
	}
	return nil, nil
}

// proves says whether events of a type change what a person proves with.
func proves(typ string) bool {
	switch typ {
	case "PasswordSet", "PhoneVerified", "PocketPaired", "PocketRevoked", "FactorChosen",
		"AccountFrozen", "AccountUnfrozen", "EnrolmentReset", "PhoneVoided", "PersonErased":
		return true
	}
	return false
}

// doIn is do for somebody who logs in or has, and still counts as who they were when
// it is decided.
func (d *Desk) doIn(ctx context.Context, v *visit, command func(enrolment.State) (enrolment.Command, error)) (enrolment.State, []enrolment.Event, error) {
	by := d.visitStamp(v)
	return d.actOn(ctx, v.subject, by, func(r record) (enrolment.Command, error) {
		if err := d.judge(v, r); err != nil {
			return nil, err
		}
		return command(r.state)
	})
}
