package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

// What may be asked of stations on other machines. Who asks has been checked:
// somebody at the server's command line, or the station itself.

// AdmitStation records that a station is let in with a certificate. One that is
// let in already is station.ErrAdmitted.
func (d *Desk) AdmitStation(ctx context.Context, id string, kind station.Kind, c station.Certificate) error {
	return d.decideStation(ctx, id, d.adminStamp(), func(s station.State) (station.Event, error) { return station.Admit(s, id, kind, c) })
}

// RevokeStation records that a station is let in no more.
func (d *Desk) RevokeStation(ctx context.Context, id string, why station.Revocation) error {
	return d.decideStation(ctx, id, d.adminStamp(), func(s station.State) (station.Event, error) { return station.Revoke(s, why) })
}

// RenewStation records that this station takes another certificate than the one
// that it shows, by its serial.
func (d *Desk) RenewStation(ctx context.Context, c station.Certificate, shown string) error {
	return d.refusal(d.decideStation(ctx, d.station, d.ownStamp(ctx), func(s station.State) (station.Event, error) { return station.Renew(s, c, shown) }))
}

// RefuseStation records that this station asked for what it may not ask for.
func (d *Desk) RefuseStation(ctx context.Context, useCase string, why station.RefusalReason) error {
	return d.refusal(d.note(ctx, CallOf(ctx).command("refuse-station", 0), station.StationRefused{UseCase: useCase, Reason: why}))
}

func (d *Desk) ownStamp(ctx context.Context) domain.Stamp {
	by := d.machineStamp(domain.EventID(newCommand()))
	by.Command = CallOf(ctx).command("renew-station/"+d.station, 0)
	return by
}

// decideStation decides on what a station's stream says and records it there.
func (d *Desk) decideStation(ctx context.Context, id string, by domain.Stamp, decide func(station.State) (station.Event, error)) error {
	return decideIn(ctx, d, station.Stream(id), by, decide, station.Decode, station.Evolve, station.Message)
}

// decideIn decides on what a whole stream says and records it there. A try that
// finds its own event was recorded before.
func decideIn[S, E any](ctx context.Context, d *Desk, stream string, by domain.Stamp, decide func(S) (E, error),
	decode func(typ string, data []byte) (E, error), evolve func(S, E) S, encode func(E, domain.Stamp) (domain.Message, error),
) error {
	own := domain.EventIDFor(by.Command, 0)
	var s S
	at := domain.NoStream
	for range maxRedecide {
		// After the first time only what is new: who fills a stream must not hold up
		// what is decided in it.
		events, err := d.Log.ReadStream(ctx, stream, at+1)
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		for _, r := range events {
			e, err := decode(r.Type, r.Data)
			if err != nil {
				return fmt.Errorf("fold %s at revision %d: %w", stream, r.Revision, err)
			}
			s, at = evolve(s, e), r.Revision
			if r.ID == own {
				return nil
			}
		}
		e, err := decide(s)
		if err != nil {
			return err
		}
		m, err := encode(e, by)
		if err != nil {
			return err
		}
		if _, err = d.append(ctx, stream, at, []domain.Message{m}); !errors.Is(err, domain.ErrConflict) {
			if err != nil {
				return fmt.Errorf("record %s in %s: %w", m.Type, stream, err)
			}
			return nil
		}
	}
	return fmt.Errorf("decide in %s: %w", stream, domain.ErrConflict)
}
