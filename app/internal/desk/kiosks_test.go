package desk_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/stations"
)

// A lobby is a logbook that a test writes into.
type lobby struct {
	*stations.Logbook
	err error
}

func (l *lobby) CatchUp(context.Context) error { return l.err }

func (l *lobby) happens(t *testing.T, at time.Time, id string, e station.Event) {
	t.Helper()
	m, err := station.Message(e, domain.Stamp{})
	must(t, err)
	next := l.Position() + 1
	l.Apply([]domain.Recorded{{Message: m, Stream: station.Stream(id), Position: next, Recorded: at}}, next)
}

func TestHowAKioskIs(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	life := 90 * 24 * time.Hour
	in := func(ends time.Time) station.Event {
		return station.StationAdmitted{Kind: station.Kiosk, Certificate: station.Certificate{Serial: "1", Ends: ends}}
	}
	opened := station.StationOpened{Version: "1.2"}
	type fact struct {
		ago time.Duration
		e   station.Event
	}
	for _, c := range []struct {
		name   string
		given  []fact
		called bool
		want   desk.KioskState
		soon   bool
	}{
		{"used just now", []fact{{time.Minute, opened}}, false, desk.KioskAlive, false},
		{"used a while ago", []fact{{time.Hour, opened}}, false, desk.KioskQuiet, false},
		{"used days ago", []fact{{25 * time.Hour, opened}}, false, desk.KioskSilent, false},
		{"at rest for days, and calls", []fact{{60 * time.Hour, in(noon.Add(life))}, {50 * time.Hour, opened}}, true, desk.KioskAlive, false},
		{"let in, and never heard of", []fact{{time.Hour, in(noon.Add(life))}}, false, desk.KioskSilent, false},
		{"has to renew its certificate", []fact{{80 * 24 * time.Hour, in(noon.Add(10 * 24 * time.Hour))}}, true, desk.KioskAlive, true},
		{"its time to renew has come", []fact{{61 * 24 * time.Hour, in(noon.Add(29 * 24 * time.Hour))}}, true, desk.KioskAlive, false},
		{"its certificate has ended", []fact{{91 * 24 * time.Hour, in(noon.Add(-24 * time.Hour))}}, false, desk.KioskSilent, true},
		{"revoked", []fact{{2 * time.Hour, in(noon.Add(life))}, {time.Minute, opened}, {time.Second, station.StationRevoked{Reason: station.Stolen}}}, true, desk.KioskRevoked, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := &lobby{Logbook: stations.NewLogbook()}
			for _, f := range c.given {
				l.happens(t, noon.Add(-f.ago), "hal-2", f.e)
			}
			d := desk.New(desk.Config{Stations: l, Policy: enrolment.DefaultPolicy(), Now: func() time.Time { return noon }, Report: func(_ string, err error) { t.Error(err) }})
			if c.called {
				d.At("hal-2").HeardOf()
			}
			all, err := d.Kiosks(t.Context(), noon.Add(-12*time.Hour))
			must(t, err)
			if len(all) != 1 || all[0].State != c.want || all[0].EndsSoon != c.soon || all[0].Called != c.called {
				t.Errorf("got %+v", all)
			}
		})
	}
}

func TestWhatAKioskDidToday(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	l := &lobby{Logbook: stations.NewLogbook()}
	for _, ago := range []time.Duration{30 * time.Hour, 13 * time.Hour, 11 * time.Hour, 2 * time.Hour} {
		l.happens(t, noon.Add(-ago), "hal-2", station.StationWiped{Reason: station.Finished})
	}
	l.happens(t, noon.Add(-26*time.Hour), "hal-3", station.StationRefused{Reason: station.NotItsKind})
	l.happens(t, noon.Add(-20*time.Hour), "hal-3", station.StationRefused{Reason: station.NotItsKind})
	l.happens(t, noon.Add(-time.Hour), "hal-3", station.StationFailed{Reason: station.MailFailed})
	reported := 0
	d := desk.New(desk.Config{Stations: l, Policy: enrolment.DefaultPolicy(), Now: func() time.Time { return noon }, Report: func(string, error) { reported++ }})
	all, err := d.Kiosks(t.Context(), noon.Add(-12*time.Hour))
	must(t, err)
	if k := all[0]; k.DoneToday != 2 || !k.LastDone.Equal(noon.Add(-2*time.Hour)) || k.LastError != "" {
		t.Errorf("got %+v", k)
	}
	if k := all[1]; k.Refused != 1 || k.LastError != station.MailFailed || !k.LastErrorAt.Equal(noon.Add(-time.Hour)) || k.DoneToday != 0 {
		t.Errorf("got %+v", k)
	}
	l.err = domain.ErrUnavailable
	if _, err := d.Kiosks(t.Context(), time.Time{}); err == nil || errors.Is(err, domain.ErrUnavailable) || reported != 1 {
		t.Errorf("without a log: %v, reported %d times", err, reported)
	}
}
