package enrolment

import "github.com/keydesk/keydesk/domain"

// decidePairing takes the steps of section 8 of the design. Each is one event
// with an exact revision, so that whichever server hears of a step can take it.
func (p Policy) decidePairing(s State, c Command, by domain.Stamp) ([]Event, error) {
	switch c := c.(type) { //nolint:gochecksumtype // the five commands of a pairing that Decide hands on
	case OfferPairing:
		return p.decideOffer(s, c, by)
	case CancelPairing:
		if s.Pairing.ID != c.Pairing {
			return nil, nil
		}
		return cancel(s.Pairing), nil
	case ClaimPairing:
		return decideClaim(s.Pairing, c, by)
	case ConfirmPairing:
		return p.decideDigits(s.Pairing, c, by)
	case FinishPairing:
		return decideFinish(s, c, by)
	}
	panic("a command without a decision")
}

func (p Policy) decideOffer(s State, c OfferPairing, by domain.Stamp) ([]Event, error) {
	switch {
	case c.Switch && s.Chosen() == NoFactor:
		return nil, ErrNotEnrolled
	case c.Switch:
	case s.Chosen() != NoFactor:
		return nil, ErrAlreadyEnrolled
	case s.Step() != StepFactor:
		return nil, ErrOutOfOrder
	}
	ends := s.Pairing.Ends
	if stage := s.Pairing.Stage; stage == NotPairing || stage == Paired || stage == Over || !by.At.Before(ends) {
		ends = by.At.Add(p.PairingLife).UTC()
	}
	expires := by.At.Add(p.QRLife).UTC()
	if expires.After(ends) {
		expires = ends
	}
	return []Event{PairingOffered{c.Pairing, expires, ends, c.Switch}}, nil
}

func decideClaim(open Pairing, c ClaimPairing, by domain.Stamp) ([]Event, error) {
	if open.ID != c.Pairing || c.Pairing == "" {
		return nil, ErrNothingToConfirm
	}
	same := open.Thumbprint == c.Thumbprint
	switch open.Stage {
	case Offered:
		if by.At.After(open.Expires) {
			return nil, ErrPairingExpired
		}
		return []Event{PairingClaimed(c)}, nil
	case Claimed, Confirmed:
		switch {
		case by.At.After(open.Ends):
			return nil, ErrPairingExpired
		case same: // the answer got lost on its way to the phone
			return nil, nil
		}
		return []Event{PairingFailed{c.Pairing, ClaimedTwice}}, nil
	case Paired:
		if same {
			return nil, nil
		}
		return nil, ErrPairingFailed
	case NotPairing, Failed, Over:
	}
	return nil, ErrPairingFailed
}

func (p Policy) decideDigits(open Pairing, c ConfirmPairing, by domain.Stamp) ([]Event, error) {
	if open.ID != c.Pairing || c.Pairing == "" {
		return nil, ErrNothingToConfirm
	}
	switch open.Stage {
	case Claimed:
		switch {
		case by.At.After(open.Ends):
			return nil, ErrPairingExpired
		case c.Matches:
			return []Event{PairingConfirmed{c.Pairing}}, nil
		case open.Tries+1 >= p.PairingTries:
			return []Event{PairingFailed{c.Pairing, TooManyTries}}, nil
		}
		return []Event{PairingFailed{c.Pairing, WrongDigits}}, nil
	case Confirmed, Paired:
		return nil, nil
	case Failed, Over:
		return nil, ErrPairingFailed
	case NotPairing, Offered:
	}
	return nil, ErrNothingToConfirm
}

func decideFinish(s State, c FinishPairing, by domain.Stamp) ([]Event, error) {
	open := s.Pairing
	switch {
	case open.ID != c.Pairing || c.Pairing == "":
		return nil, ErrNothingToConfirm
	case open.Thumbprint != c.Thumbprint || open.Nonce != c.Nonce:
		return nil, ErrWrongPhone
	}
	switch open.Stage {
	case Paired: // the answer got lost on its way to the phone
		return nil, nil
	case Confirmed:
		if by.At.After(open.Ends) {
			return nil, ErrPairingExpired
		}
	case Failed, Over:
		return nil, ErrPairingFailed
	case NotPairing, Offered, Claimed:
		return nil, ErrNotConfirmed
	}
	why := FactorAtEnrolment
	switch enrolled := s.Chosen() != NoFactor; {
	case enrolled && !open.Switch:
		return nil, ErrAlreadyEnrolled
	case !enrolled && open.Switch:
		return nil, ErrNotEnrolled
	case enrolled:
		why = FactorSwitched
	}
	var events []Event
	if s.Device.ID != "" { // a new phone ends the old one, in the same breath
		events = append(events, PocketRevoked{s.Device.ID, Replaced})
	}
	return append(events,
		PocketPaired{c.Pairing, c.Device, c.Thumbprint, c.Key, c.Label},
		FactorChosen{Pocket, c.Device, why}), nil
}

// cancel ends a pairing that is under way.
func cancel(open Pairing) []Event {
	switch open.Stage {
	case Offered, Claimed, Confirmed, Failed:
		return []Event{PairingFailed{open.ID, Cancelled}}
	case NotPairing, Paired, Over:
	}
	return nil
}
