package desk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/projections/pairings"
)

// pairingKey is the purpose of the key that secrets of QR codes and codes to
// type are derived with.
const pairingKey = "pairing"

// OfferPairing puts a QR code on the screen (E8), in the place of an earlier
// one. The station asks again whenever QRLeft has run out.
func (d *Desk) OfferPairing(ctx context.Context, id string) (View, error) {
	return d.with(ctx, id, "offer-pairing", func(ctx context.Context, v *visit) error {
		switch {
		case v.login != nil && !v.login.may(ChangesFactor, d.Now()):
			return refuse(NotProved)
		case v.login == nil && v.unlocked.IsZero():
			return refuse(OutOfOrder)
		case d.PublicURL == "":
			return refuse(PocketOff)
		}
		var random [16]byte
		rand.Read(random[:]) //nolint:errcheck // crypto/rand.Read never fails
		p := enrolment.PairingID(pairing.ID(random))
		s, events, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) {
			return enrolment.OfferPairing{Pairing: p, Switch: v.login != nil}, nil
		})
		if err != nil {
			return err
		}
		for _, e := range events {
			if o, ok := e.(enrolment.PairingOffered); ok {
				p = o.Pairing // of an earlier try of this call, perhaps
				v.pairings[p] = true
			}
		}
		if s.Pairing.ID != p {
			return refuse(MovedOn) // another station has offered one since
		}
		v.offered = p
		return nil
	})
}

// CancelPairing is Terug on E8.
func (d *Desk) CancelPairing(ctx context.Context, id string) (View, error) {
	return d.with(ctx, id, "cancel-pairing", func(ctx context.Context, v *visit) error {
		cancel := enrolment.CancelPairing{Pairing: v.offered}
		_, _, err := d.do(ctx, v, func(enrolment.State) (enrolment.Command, error) { return cancel, nil })
		if err == nil {
			v.offered = ""
		}
		return err
	})
}

// ConfirmPairing brings the six digits that the phone shows (E8).
func (d *Desk) ConfirmPairing(ctx context.Context, id, typed string) (View, error) {
	return d.with(ctx, id, "confirm-pairing", func(ctx context.Context, v *visit) error {
		if v.unlocked.IsZero() && (v.login == nil || !v.login.in) {
			return refuse(OutOfOrder)
		}
		_, events, err := d.do(ctx, v, func(s enrolment.State) (enrolment.Command, error) {
			p := s.Pairing
			want := pairing.Digits(string(p.ID), p.Thumbprint, p.Nonce)
			return enrolment.ConfirmPairing{
				Pairing: v.offered, Matches: p.Stage == enrolment.Claimed && enrolment.Matches(want, digitsOf(typed)),
			}, nil
		})
		if err != nil {
			return err
		}
		for _, e := range events {
			f, ok := e.(enrolment.PairingFailed)
			switch {
			case !ok:
			case f.Reason == enrolment.TooManyTries:
				return refuse(PairingOver)
			default:
				s, err := d.state(ctx, v)
				if err != nil {
					return err
				}
				return &Refusal{Code: WrongDigits, Left: d.Policy.PairingTries - s.Pairing.Tries}
			}
		}
		return nil
	})
}

// FindPairing returns the pairing whose code to type has this locator.
func (d *Desk) FindPairing(ctx context.Context, locator string) (string, error) {
	key, _ := d.Keys.Derive(pairingKey)
	p, err := d.offered(ctx, func() (pairings.Pairing, bool) {
		for _, p := range d.Pairings.All() {
			if pairing.Locator(pairing.Code(key[:], string(p.ID))) == locator {
				return p, true
			}
		}
		return pairings.Pairing{}, false
	})
	return string(p.ID), err
}

// pairing returns whose a QR code is; pairing.Unknown when it is nobody's.
func (d *Desk) pairing(ctx context.Context, id enrolment.PairingID) (pairings.Pairing, error) {
	return d.offered(ctx, func() (pairings.Pairing, bool) { return d.Pairings.Find(id) })
}

// offered looks for a pairing. One that is not known yet may have been offered
// by another program a moment ago: it is nobody's only once everything that
// the log holds now was looked at.
func (d *Desk) offered(ctx context.Context, find func() (pairings.Pairing, bool)) (pairings.Pairing, error) {
	if p, ok := find(); ok {
		return p, nil
	}
	head, err := d.Log.Head(ctx)
	if err == nil {
		err = d.reach(ctx, head)
	}
	if err != nil {
		return pairings.Pairing{}, d.phoneRefusal(err)
	}
	if p, ok := find(); ok {
		return p, nil
	}
	return pairings.Pairing{}, pairing.Unknown
}

// ClaimPairing takes a phone's claim, whose signature the caller has checked.
func (d *Desk) ClaimPairing(ctx context.Context, c pairing.Claim) (pairing.Claimed, error) {
	p, err := d.pairing(ctx, enrolment.PairingID(c.Pairing))
	if err != nil {
		return pairing.Claimed{}, err
	}
	key, _ := d.Keys.Derive(pairingKey)
	bySecret := pairing.ClaimProof(pairing.Secret(key[:], c.Pairing), c.Pairing, c.Thumbprint)
	byCode := pairing.ClaimProof(pairing.Code(key[:], c.Pairing), c.Pairing, c.Thumbprint)
	if !hmac.Equal(c.Proof, bySecret) && !hmac.Equal(c.Proof, byCode) {
		return pairing.Claimed{}, pairing.WrongProof
	}
	var nonce [18]byte
	rand.Read(nonce[:]) //nolint:errcheck // see above
	claim := enrolment.ClaimPairing{
		Pairing: p.ID, Thumbprint: c.Thumbprint, Nonce: base64.RawURLEncoding.EncodeToString(nonce[:]),
	}
	s, events, err := d.act(ctx, p.Subject, d.phoneStamp(), func(enrolment.State) (enrolment.Command, error) { return claim, nil })
	if err != nil {
		return pairing.Claimed{}, d.phoneRefusal(err)
	}
	for _, e := range events {
		if _, burnt := e.(enrolment.PairingFailed); burnt {
			return pairing.Claimed{}, pairing.ClaimedAlready
		}
	}
	d.labels.set(p.ID, c.Label)
	return pairing.Claimed{Nonce: s.Pairing.Nonce, Expires: s.Pairing.Ends}, nil
}

// AwaitPairing returns how far a claimed pairing is, as soon as it is further
// than claimed, or when ctx ends.
func (d *Desk) AwaitPairing(ctx context.Context, id, thumbprint string) (pairing.Progress, error) {
	p, err := d.pairing(ctx, enrolment.PairingID(id))
	if err != nil {
		return pairing.Progress{}, err
	}
	changed, stop := d.Feed.Watch(p.Subject)
	defer stop()
	for {
		// Not ctx: its end is when to answer, not when to give up.
		r, err := d.load(context.WithoutCancel(ctx), p.Subject)
		if err != nil {
			return pairing.Progress{}, d.phoneRefusal(err)
		}
		if r.state.Pairing.ID == p.ID && r.state.Pairing.Thumbprint != thumbprint {
			return pairing.Progress{}, pairing.Unknown
		}
		now := d.progress(r.state, p)
		if now.State != pairing.StateClaimed {
			return now, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return now, nil
		}
	}
}

func (d *Desk) progress(s enrolment.State, p pairings.Pairing) pairing.Progress {
	failed := func(why pairing.Reason) pairing.Progress {
		return pairing.Progress{State: pairing.StateFailed, Reason: why}
	}
	if s.Pairing.ID != p.ID {
		return failed(pairing.ReasonStopped)
	}
	switch s.Pairing.Stage {
	case enrolment.Paired:
		return pairing.Progress{State: pairing.StatePaired}
	case enrolment.Confirmed:
		return pairing.Progress{State: pairing.StateConfirmed}
	case enrolment.Failed:
		return failed(pairing.ReasonClaimedAlready)
	case enrolment.Over:
		if s.Pairing.Failure == enrolment.TooManyTries {
			return failed(pairing.ReasonWrongDigits)
		}
		return failed(pairing.ReasonStopped)
	case enrolment.NotPairing, enrolment.Offered, enrolment.Claimed:
	}
	if d.Now().After(s.Pairing.Ends) {
		return failed(pairing.ReasonExpired)
	}
	return pairing.Progress{State: pairing.StateClaimed}
}

// FinishPairing is a phone's last step: its key counts from now on, and the
// person is told so by mail and SMS.
func (d *Desk) FinishPairing(ctx context.Context, f pairing.Finish) (pairing.Account, error) {
	p, err := d.pairing(ctx, enrolment.PairingID(f.Pairing))
	if err != nil {
		return pairing.Account{}, err
	}
	r, err := d.load(ctx, p.Subject)
	if err != nil {
		return pairing.Account{}, d.phoneRefusal(err)
	}
	var label domain.Ref
	if r.state.Pairing.Stage == enrolment.Confirmed {
		if label, err = d.put(ctx, p.Subject, KindDevice, []byte(d.labels.take(p.ID))); err != nil {
			return pairing.Account{}, d.phoneRefusal(err)
		}
	}
	finish := enrolment.FinishPairing{
		Pairing: p.ID, Thumbprint: f.Thumbprint, Nonce: f.Nonce,
		Key: json.RawMessage(f.Key), Device: enrolment.DeviceID(newID()), Label: label,
	}
	s, events, err := d.act(ctx, p.Subject, d.phoneStamp(), func(enrolment.State) (enrolment.Command, error) { return finish, nil })
	if err != nil {
		return pairing.Account{}, d.phoneRefusal(err)
	}
	if len(events) > 0 {
		d.activate(ctx, p.Subject, label)
		d.notify(p.Subject, "paired "+string(s.Device.ID), Message{Kind: PocketPairedMessage}, enrolment.ByMail, enrolment.BySMS)
	}
	return pairing.Account{Subject: p.Subject.String(), Device: string(s.Device.ID), Portal: d.Portal, Organisation: d.Organisation}, nil
}

// phoneStamp says that a phone acts, which is not proved to be anybody's yet.
func (d *Desk) phoneStamp() domain.Stamp {
	s := d.machineStamp(domain.EventID(newCommand()))
	s.Actor.ID = "phone"
	return s
}

func (d *Desk) phoneRefusal(err error) error {
	for _, known := range []struct {
		err error
		is  pairing.Refusal
	}{
		{enrolment.ErrPairingExpired, pairing.Expired},
		{enrolment.ErrPairingFailed, pairing.Failed},
		{enrolment.ErrNotConfirmed, pairing.NotConfirmed},
		{enrolment.ErrWrongPhone, pairing.WrongNonce},
		{enrolment.ErrNothingToConfirm, pairing.Unknown},
		{enrolment.ErrAlreadyEnrolled, pairing.Failed},
		{enrolment.ErrNotEnrolled, pairing.Failed},
		{enrolment.ErrFrozen, pairing.Failed},
	} {
		if errors.Is(err, known.err) {
			return known.is
		}
	}
	if r, ok := errors.AsType[pairing.Refusal](err); ok {
		return r
	}
	if errors.Is(err, domain.ErrUnavailable) || errors.Is(err, domain.ErrUnknownOutcome) {
		d.report(err)
		return pairing.Unavailable
	}
	return err
}

// labels remembers what a claiming phone calls itself, until it finishes. One
// that finishes at another process has no name.
type labels struct {
	mu sync.Mutex
	of map[enrolment.PairingID]string
}

func (l *labels) set(id enrolment.PairingID, label string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil || len(l.of) > 1000 {
		l.of = map[enrolment.PairingID]string{}
	}
	l.of[id] = label
}

func (l *labels) take(id enrolment.PairingID) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	label := l.of[id]
	delete(l.of, id)
	return label
}
