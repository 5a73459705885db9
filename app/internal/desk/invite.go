package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
)

// Invitations: staff say that one person may enrol, and that person types a ticket
// behind the proof of the e-mail address, where admission or settings ask for one.

// A Ticket is what somebody types to redeem an invitation: twelve characters, in three
// groups. It is a secret, works once, and is kept nowhere.
type Ticket string

// String does not show it.
func (Ticket) String() string { return "(ticket)" }

// Reveal returns it: XXXX-XXXX-XXXX.
func (t Ticket) Reveal() string { return string(t) }

// ticketKey is the purpose of the key that tickets of invitations are derived from.
const ticketKey = "ticket/invitation"

// An Invitation is one that may be redeemed.
type Invitation struct {
	ID      enrolment.InvitationID
	Subject domain.SubjectID
	Email   string
	Name    string // empty: not known
	Lang    string // in which the person is written to
	Kind    enrolment.InvitationKind
	Expires time.Time
	Tries   int    // wrong tickets that may still be typed
	Ticket  Ticket // from Invite only
	// Asked says whether the person will be asked for the ticket: what else admits
	// them, and the settings, may ask for none.
	Asked bool
}

// Invite issues a ticket for a person, which ends an earlier one. Of the person the
// address is needed, and the name, the number and the language are used; a name and a
// number that are left out stay what an earlier invitation said. The kind says how the
// ticket gets to them, which is up to the caller: see MailInvitation. Who asks has been
// checked.
//
// Who is enrolled is enrolment.ErrAlreadyEnrolled, whose account is frozen
// enrolment.ErrFrozen, and an address that nobody could begin with a *Refusal. The same
// Call again gives the same ticket.
func (d *Desk) Invite(ctx context.Context, by Agent, p Person, kind enrolment.InvitationKind) (Invitation, error) {
	if err := d.check(&p); err != nil {
		return Invitation{}, err
	}
	if _, err := d.CheckEmail(p.Email); err != nil {
		return Invitation{}, err
	}
	s, err := d.People.Claim(ctx, p.Email)
	if err != nil {
		return Invitation{}, err
	}
	r, err := d.load(ctx, s)
	switch {
	case err != nil:
		return Invitation{}, err
	case r.state.Chosen() != enrolment.NoFactor:
		return Invitation{}, fmt.Errorf("invite %s: %w", s, enrolment.ErrAlreadyEnrolled)
	case r.state.Frozen != "":
		return Invitation{}, fmt.Errorf("invite %s: %w", s, enrolment.ErrFrozen)
	}
	invite := enrolment.Invite{Invitation: enrolment.InvitationID(newID()), Kind: kind}
	refs, err := d.describe(ctx, s, r.state, p, &invite)
	if err != nil {
		return Invitation{}, err
	}
	_, invite.KeyID = d.Keys.Derive(ticketKey)
	stamp := d.agentStamp(by, CallOf(ctx).command("invite/"+s.String(), 0))
	st, events, err := d.act(ctx, s, stamp, func(enrolment.State) (enrolment.Command, error) { return invite, nil })
	if err != nil {
		return Invitation{}, err
	}
	d.activate(ctx, s, refs...)
	for _, e := range events { // those of an earlier try, perhaps
		if issued, ok := e.(enrolment.InvitationIssued); ok {
			return d.issued(ctx, s, st, issued, p)
		}
	}
	return Invitation{}, fmt.Errorf("invite %s: nothing was issued", s)
}

// describe keeps what is said of a person with an invitation.
func (d *Desk) describe(ctx context.Context, s domain.SubjectID, st enrolment.State, p Person, invite *enrolment.Invite) (refs []domain.Ref, err error) {
	if invite.Email, err = d.emailRef(ctx, s, st, p.Email); err != nil {
		return nil, err
	}
	refs = []domain.Ref{invite.Email}
	for _, f := range []struct {
		kind  Kind
		value string
		was   domain.Ref
		to    **domain.Ref
	}{
		{KindName, p.Name, st.Invitee.Name, &invite.Name},
		{KindPhone, p.Phone, st.Invitee.Phone, &invite.Phone},
	} {
		ref := f.was
		if f.value != "" {
			if ref, err = d.keep(ctx, s, f.kind, f.value, f.was); err != nil {
				return nil, err
			}
		}
		if !ref.IsZero() {
			*f.to, refs = &ref, append(refs, ref)
		}
	}
	return refs, nil
}

// issued is an invitation with its ticket, for who has just issued it.
func (d *Desk) issued(ctx context.Context, s domain.SubjectID, st enrolment.State, e enrolment.InvitationIssued, p Person) (Invitation, error) {
	key, err := d.Keys.DeriveWith(e.KeyID, ticketKey)
	if err != nil {
		return Invitation{}, err
	}
	st.Invitation = enrolment.Invitation{ID: e.Invitation, Kind: e.Kind, Expires: e.Expires}
	i, err := d.invitation(ctx, s, st)
	i.Ticket = Ticket(pairing.FormatCode(enrolment.Ticket(key, s, e.Invitation)))
	i.Lang, i.Name = cmp.Or(p.Language, i.Lang), cmp.Or(p.Name, i.Name)
	return i, err
}

// invitation is the open one of a person, without its ticket.
func (d *Desk) invitation(ctx context.Context, s domain.SubjectID, st enrolment.State) (i Invitation, err error) {
	open := st.Invitation
	i = Invitation{
		ID: open.ID, Subject: s, Kind: open.Kind, Expires: open.Expires, Tries: max(0, d.Policy.WrongCodes-open.Wrong),
		Lang: d.spoken(cmp.Or(st.Language, st.Staff.Language)),
	}
	if i.Email, err = d.open(ctx, s, KindEmail, addressOf(st)); err != nil {
		return i, err
	}
	if i.Name, err = d.open(ctx, s, KindName, nameOf(st)...); err != nil {
		return i, err
	}
	a, err := enrolment.ParseAddress(i.Email)
	if err != nil {
		return i, nil //nolint:nilerr // erased: nobody will begin with it
	}
	st.Admission = d.admission(st, a)
	i.Asked = d.Policy.AsksTicket(st)
	return i, nil
}

// nameOf returns the references to what a person may be called, the best first.
func nameOf(st enrolment.State) []domain.Ref {
	return []domain.Ref{st.Name, st.Staff.Name, st.Invitee.Name}
}

// OpenInvitation returns the invitation of a person that may be redeemed now, without
// its ticket; false: there is none.
func (d *Desk) OpenInvitation(ctx context.Context, s domain.SubjectID) (Invitation, bool, error) {
	r, err := d.load(ctx, s)
	if err != nil || r.state.Frozen != "" || !r.state.Invitation.Open(d.Policy, d.Now()) {
		return Invitation{}, false, err
	}
	i, err := d.invitation(ctx, s, r.state)
	return i, true, err
}

// RevokeInvitation takes back the invitation of a person. False: there was none that
// could have been redeemed. Who asks has been checked.
func (d *Desk) RevokeInvitation(ctx context.Context, by Agent, s domain.SubjectID) (bool, error) {
	stamp := d.agentStamp(by, CallOf(ctx).command("revoke-invitation/"+s.String(), 0))
	_, events, err := d.act(ctx, s, stamp, func(enrolment.State) (enrolment.Command, error) { return enrolment.RevokeInvitation{}, nil })
	return len(events) > 0, err
}

// MailInvitation mails the ticket to whom it is for, once: again for the same
// invitation it is domain.ErrUnknownOutcome. When it returns nil, the mail server has
// taken it over. A *Undeliverable is for good.
func (d *Desk) MailInvitation(ctx context.Context, i Invitation) error {
	ctx, cancel := context.WithTimeout(ctx, deliverFor)
	defer cancel()
	m := Message{
		ID: string(i.ID) + "-1", Kind: InvitationMessage, Channel: enrolment.ByMail, To: i.Email, Lang: i.Lang, Name: i.Name,
		Ticket: i.Ticket.Reveal(), Life: i.Expires.Sub(d.Now()),
	}
	first, err := d.Sends.StartSend(ctx, m.ID)
	if err == nil && !first {
		err = domain.ErrUnknownOutcome
	}
	if err == nil {
		_, err = d.Courier.Deliver(ctx, m)
	}
	if err != nil {
		return fmt.Errorf("mail the ticket of %s: %w", i.Subject, err)
	}
	return nil
}

// ticketsOfStation is how many tickets may be tried in an hour at one station, over all
// people: more than can stand there.
const ticketsOfStation = 120

// RedeemInvitation brings the ticket (ScreenTicket), in any case, with or without
// dashes. A refusal for a wrong one comes back only once the guess is recorded. What
// cannot be a ticket is no guess: NotATicket.
func (d *Desk) RedeemInvitation(ctx context.Context, id, typed string) (View, error) {
	defer d.floor(time.Now())
	return d.with(ctx, id, "redeem-invitation", func(ctx context.Context, v *visit) error {
		if !v.proved {
			return refuse(OutOfOrder)
		}
		ticket, err := pairing.NormaliseCode(typed)
		if err != nil {
			return refuse(NotATicket)
		}
		s, err := d.state(ctx, v)
		if err != nil || !d.Policy.AwaitsTicket(s, d.Now()) {
			return err
		}
		if err := d.takeTicket(ctx, v); err != nil {
			return err
		}
		s, events, err := d.do(ctx, v, func(s enrolment.State) (enrolment.Command, error) {
			open := s.Invitation
			if open.ID == "" {
				return nil, enrolment.ErrNotInvited
			}
			key, err := d.Keys.DeriveWith(open.KeyID, ticketKey)
			if err != nil {
				return nil, err
			}
			return enrolment.RedeemInvitation{
				Invitation: open.ID, Matches: enrolment.Matches(enrolment.Ticket(key, v.subject, open.ID), ticket),
			}, nil
		})
		if err != nil {
			return err
		}
		return d.rejectedTicket(s, events)
	})
}

// takeTicket counts one try of a ticket at this station, alike for everybody. A call
// that is asked again is not counted again.
func (d *Desk) takeTicket(ctx context.Context, v *visit) error {
	if v.call.ticket {
		return nil
	}
	next, allowed, err := d.Limits.Take(ctx, d.Now(), Limit{Name: "ticket-station", Key: d.station, Window: hour, Max: ticketsOfStation})
	switch {
	case err != nil:
		return fmt.Errorf("count a ticket: %w", err)
	case !allowed:
		return &Refusal{Code: Limited, Wait: next.Sub(d.Now())}
	}
	v.call.ticket = true
	return nil
}

// rejectedTicket returns the refusal that a recorded rejection is to the person.
func (d *Desk) rejectedTicket(s enrolment.State, events []enrolment.Event) error {
	for _, e := range events {
		r, ok := e.(enrolment.InvitationRejected)
		switch {
		case !ok:
		case r.Reason == enrolment.Expired:
			return refuse(TicketExpired)
		case s.WrongInARow >= d.Policy.WrongCodesInARow:
			return refuse(LockedOut)
		case s.Invitation.ID == r.Invitation && s.Invitation.Wrong < d.Policy.WrongCodes:
			return &Refusal{Code: WrongTicket, Left: d.Policy.WrongCodes - s.Invitation.Wrong}
		default:
			return refuse(TicketEnded)
		}
	}
	return nil
}

// InvitationView is what is known of the invitation of somebody who enrols.
type InvitationView struct {
	Asked bool          // a ticket is asked of them, or was
	Left  time.Duration // of the one that may be redeemed; 0: there is none
	Tries int           // guesses left at it
}

func (d *Desk) invitationView(s enrolment.State) InvitationView {
	now := d.Now()
	view := InvitationView{Asked: d.Policy.AsksTicket(s)}
	if i := s.Invitation; i.Open(d.Policy, now) {
		view.Left, view.Tries = i.Expires.Sub(now), d.Policy.WrongCodes-i.Tried
	}
	return view
}

// notAdmitted says that somebody was admitted, and is not any more, or is not by what
// they were said to be.
func notAdmitted(err error) bool {
	return errors.Is(err, enrolment.ErrLeft) || errors.Is(err, enrolment.ErrNotInvited) || errors.Is(err, domain.ErrErased)
}
