package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/stations"
)

// Stations say what every station did: the projection stations.
type Stations interface {
	// CatchUp returns when all is known that was recorded before.
	CatchUp(ctx context.Context) error
	All() []stations.Entry
}

// KioskState is how a station seems to be.
//
// Two things show that one is alive: an event of its own, and a call. A station on
// another machine calls its server every few seconds, also at rest, so that quiet
// means of it that it is off, or not connected (or, where there are several servers,
// that it calls another one). One that runs where the log is makes no calls and
// writes nothing at rest: quiet then means that nobody used it.
type KioskState string

// The states.
const (
	KioskAlive   KioskState = "alive"   // heard of in the last minute, or used in the last ten
	KioskQuiet   KioskState = "quiet"   // heard of in the last day
	KioskSilent  KioskState = "silent"  // not for longer than that
	KioskRevoked KioskState = "revoked" // it is let in no more
	KioskUnclear KioskState = "unclear" // something was recorded of it that this program does not know: it is not let in
)

// A Kiosk is one station, as its events tell.
type Kiosk struct {
	ID     string
	Kind   station.Kind // empty: it runs where the log is, and needs no certificate
	State  KioskState
	Seen   time.Time // the last sign of life: an event, or a call; zero: never
	Called bool      // Seen is a call to this server, and not an event

	Version string    // as it said when it opened; empty: it never did
	Opened  time.Time // when it opened last

	LastDone  time.Time // when the last enrolment was finished there; zero: none
	DoneToday int

	LastError   station.Failure // empty: none
	LastErrorAt time.Time

	Revoked         station.Revocation // why; empty: it is not
	CertificateEnds time.Time          // of the newest; zero: it needs none
	EndsSoon        bool               // it should have been renewed by now, and was not
	Refused         int                // calls that it should not have made, in the last day
}

const (
	callAlive  = time.Minute
	eventAlive = 10 * time.Minute
)

// HeardOf notes that this station called, which is a sign of life.
func (d *Desk) HeardOf() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard[d.station] = d.Now()
}

// Kiosks returns every station that anything was ever recorded of, by id. midnight is
// when today began for who looks; zero: where Keydesk runs.
func (d *Desk) Kiosks(ctx context.Context, midnight time.Time) ([]Kiosk, error) {
	if d.Stations == nil {
		return nil, d.refusal(ErrNoBoard)
	}
	if err := d.Stations.CatchUp(ctx); err != nil {
		return nil, d.refusal(fmt.Errorf("read the stations: %w", err))
	}
	now := d.Now().UTC()
	midnight = BoardQuery{Midnight: midnight}.midnight(now)
	entries := d.Stations.All()
	all := make([]Kiosk, len(entries))
	for i := range entries {
		e := &entries[i]
		k := Kiosk{
			ID: e.ID, Kind: e.Kind, Seen: e.Seen, Version: e.Version, Opened: e.Opened, LastDone: e.Done, DoneToday: e.DoneSince(midnight),
			LastError: e.Failure, LastErrorAt: e.Failed, Revoked: e.Revoked, Refused: e.RefusedSince(now.Add(-day)),
		}
		d.mu.Lock()
		called, ok := d.heard[e.ID]
		d.mu.Unlock()
		if ok && called.After(k.Seen) {
			k.Seen, k.Called = called.UTC(), true
		}
		if n := len(e.Certificates); n > 0 {
			k.CertificateEnds = e.Certificates[n-1].Ends
			k.EndsSoon = late(e.Certified, k.CertificateEnds, now)
		}
		k.State = k.state(now, e.Unclear, now.Sub(called) < callAlive || now.Sub(e.Seen) < eventAlive)
		all[i] = k
	}
	return all, nil
}

// state says how a station seems to be.
func (k *Kiosk) state(now time.Time, unclear, alive bool) KioskState {
	switch {
	case unclear:
		return KioskUnclear
	case k.Revoked != "":
		return KioskRevoked
	case alive:
		return KioskAlive
	case now.Sub(k.Seen) < day:
		return KioskQuiet
	}
	return KioskSilent
}

// late says that a certificate should have been renewed by now: stations do that when
// two thirds of its life are over.
func late(from, ends, now time.Time) bool {
	return now.After(ends.Add(-ends.Sub(from) / 4))
}
