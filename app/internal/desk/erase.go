package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Erasure: all that is personal of somebody becomes unreadable, for good. What stays is
// what happened, which names nobody: see domain/enrolment, PersonErased.
//
// It is asked for and approved like any case of staff. The event comes first; then goes
// what the vault and this machine hold. Whoever is killed in between has it done by the
// next start, of any program on the same log: see Desk.Erase.

// Copies are messages to people that this machine keeps, such as the outbox of a demo.
type Copies interface {
	// Forget removes what was sent to these addresses and numbers.
	Forget(ctx context.Context, to ...string) error
}

// ErrDiffers says that the vault holds another value than the one that was recorded.
var ErrDiffers = errors.New("not the value that was recorded")

// mayErase refuses to erase whoever holds a role: it is taken from them first. Of a role
// that is granted at the same moment nothing comes: nobody signs in who was erased.
func (d *Desk) mayErase(ctx context.Context, s domain.SubjectID, a enrolment.Action) error {
	if a != enrolment.Erasing {
		return nil
	}
	roles, _, err := d.Roles(ctx, s)
	if err == nil && len(roles) > 0 {
		err = refuse(HoldsRole)
	}
	return err
}

// erasedBy has the vault forget somebody, where that is what was recorded.
func (d *Desk) erasedBy(ctx context.Context, s domain.SubjectID, events []enrolment.Event) error {
	if !recorded[enrolment.PersonErased](events) {
		return nil
	}
	if err := d.Erase(context.WithoutCancel(ctx), s); err != nil {
		d.report(err)
		return refuse(ErasureOpen)
	}
	return nil
}

// Erase has the vault, and whatever else holds copies on this machine, forget people of
// whom it is recorded that they were erased: whom nobody recorded it of is left alone, and
// ErrNotErased. It may be repeated, and is, at each start.
func (d *Desk) Erase(ctx context.Context, subjects ...domain.SubjectID) error {
	var sentTo []string
	for _, s := range subjects {
		events, err := d.Log.ReadStream(ctx, domain.EnrolmentStream(s), 0)
		switch {
		case err != nil:
			return fmt.Errorf("erase: read enrolment of %s: %w", s, err)
		case !slices.ContainsFunc(events, func(rec domain.Recorded) bool { return rec.Type == "PersonErased" }):
			return fmt.Errorf("erase %s: %w", s, ErrNotErased)
		case d.Copies == nil:
			continue
		}
		to, err := d.sentTo(ctx, s, events)
		if err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		sentTo = append(sentTo, to...)
	}
	// Copies go before the vault, which alone knows where they were sent; and once more
	// after it, since a message may have been on its way.
	for _, forget := range []func() error{
		func() error { return d.forget(ctx, sentTo) },
		func() error { return d.People.Erase(ctx, subjects...) },
		func() error { return d.forget(ctx, sentTo) },
	} {
		if err := forget(); err != nil {
			return err
		}
	}
	return nil
}

// ErrNotErased says that it is not recorded that somebody was erased.
var ErrNotErased = errors.New("not recorded as erased")

func (d *Desk) forget(ctx context.Context, to []string) error {
	if len(to) == 0 {
		return nil
	}
	if err := d.Copies.Forget(ctx, to...); err != nil {
		return fmt.Errorf("erase what was sent: %w", err)
	}
	return nil
}

// sentTo returns the addresses and numbers that somebody ever had, as long as the vault
// knows them.
func (d *Desk) sentTo(ctx context.Context, s domain.SubjectID, events []domain.Recorded) ([]string, error) {
	var all []string
	for _, rec := range events {
		for _, named := range refsIn(rec.Data) {
			for _, kind := range []Kind{KindEmail, KindPhone} {
				b, err := d.People.Get(ctx, s, kind, named.ref)
				switch {
				case err == nil:
					all = append(all, string(b))
				case errors.Is(err, domain.ErrErased):
					return nil, nil // and so is where it was sent
				case errors.Is(err, domain.ErrUnavailable):
					return nil, err
				} // else it is of another kind, or is gone
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// tellErasure tells a person that somebody asked in their name to erase them, with what
// stops it. Of all other reasons they are not told, and nobody is once it is done: there
// is nowhere left to write to.
func (d *Desk) tellErasure(s domain.SubjectID, before enrolment.State, asked enrolment.RecoveryRequested, kind MessageKind) {
	if kind != CaseRequestedMessage || asked.Reason != enrolment.CaseRequest {
		return
	}
	m := Message{Kind: ErasureRequestedMessage}
	if err := d.stoppable(&m, s, asked); err != nil {
		d.report(err)
		return
	}
	d.notifyAt(s, "case "+string(asked.Case), m, enrolment.ByMail, addressOf(before))
}
