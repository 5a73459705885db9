package station_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

func cert(n int) station.Certificate {
	return station.Certificate{Serial: fmt.Sprintf("%02x", n), Key: fmt.Sprintf("key %d", n), Ends: noon}
}

func given(events ...station.Event) station.State {
	var s station.State
	for _, e := range events {
		s = station.Evolve(s, e)
	}
	return s
}

func TestDecisions(t *testing.T) {
	t.Parallel()
	admitted := station.StationAdmitted{Kind: station.Kiosk, Certificate: cert(1)}
	renewed := station.StationRenewed{Certificate: cert(2), Shown: cert(1).Serial}
	revoked := station.StationRevoked{Reason: station.Lost}
	admit := func(s station.State) (station.Event, error) {
		return station.Admit(s, "hal-west", station.Kiosk, cert(9))
	}
	renew := func(s station.State) (station.Event, error) { return station.Renew(s, cert(9), cert(1).Serial) }
	revoke := func(s station.State) (station.Event, error) { return station.Revoke(s, station.Stolen) }

	for name, c := range map[string]struct {
		given []station.Event
		when  func(station.State) (station.Event, error)
		then  station.Event
		err   error
	}{
		"a new one is admitted":            {nil, admit, station.StationAdmitted{Kind: station.Kiosk, Certificate: cert(9)}, nil},
		"one that only opened is admitted": {[]station.Event{station.StationOpened{Version: "1"}}, admit, station.StationAdmitted{Kind: station.Kiosk, Certificate: cert(9)}, nil},
		"not twice":                        {[]station.Event{admitted}, admit, nil, station.ErrAdmitted},
		"again after it was revoked":       {[]station.Event{admitted, revoked}, admit, station.StationAdmitted{Kind: station.Kiosk, Certificate: cert(9)}, nil},
		"an id of Keydesk's own": {nil, func(s station.State) (station.Event, error) {
			return station.Admit(s, domain.Console().ID, station.Kiosk, cert(9))
		}, nil, station.ErrBadStation},
		"a bad id":                        {nil, func(s station.State) (station.Event, error) { return station.Admit(s, "Hal", station.Kiosk, cert(9)) }, nil, station.ErrBadStation},
		"a bad kind":                      {nil, func(s station.State) (station.Event, error) { return station.Admit(s, "hal", "", cert(9)) }, nil, station.ErrBadKind},
		"a renewal":                       {[]station.Event{admitted, renewed}, renew, station.StationRenewed{Certificate: cert(9), Shown: cert(1).Serial}, nil},
		"no renewal with another":         {[]station.Event{admitted}, func(s station.State) (station.Event, error) { return station.Renew(s, cert(9), "beef") }, nil, station.ErrNotAdmitted},
		"no renewal of a stranger":        {nil, renew, nil, station.ErrNotAdmitted},
		"no renewal after it was revoked": {[]station.Event{admitted, revoked}, renew, nil, station.ErrRevoked},
		"it is revoked":                   {[]station.Event{admitted}, revoke, station.StationRevoked{Reason: station.Stolen}, nil},
		"a stranger cannot be revoked":    {nil, revoke, nil, station.ErrNotAdmitted},
		"it is revoked once":              {[]station.Event{admitted, revoked}, revoke, nil, station.ErrRevoked},
		"for no reason of ours":           {[]station.Event{admitted}, func(s station.State) (station.Event, error) { return station.Revoke(s, "tired of it") }, nil, station.ErrBadReason},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := c.when(given(c.given...))
			if e != c.then || !errors.Is(err, c.err) {
				t.Errorf("got %#v, %v", e, err)
			}
		})
	}
}

// Whatever happens to a station: the certificate that it showed last, when it
// asked for another, opens the door, the newest does, and no other; after a
// revocation none does.
func TestWhichCertificatesCount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s station.State
		var live []string
		revoked := false
		for n := range rapid.IntRange(1, 20).Draw(t, "events") {
			c := cert(n)
			var e station.Event
			var err error
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				if e, err = station.Admit(s, "hal", station.Desk, c); err == nil {
					live, revoked = []string{c.Serial}, false
				}
			case 1, 2:
				shown := ""
				if len(live) > 0 {
					shown = rapid.SampledFrom(live).Draw(t, "shown")
				}
				if e, err = station.Renew(s, c, shown); err == nil {
					live = []string{shown, c.Serial}
				}
			case 3:
				if e, err = station.Revoke(s, station.Retired); err == nil {
					revoked = true
				}
			}
			if err != nil {
				continue
			}
			s = station.Evolve(s, e)
			for m := range n + 1 {
				want := !revoked && (cert(m).Serial == live[0] || cert(m).Serial == live[len(live)-1])
				if got := s.Admits(cert(m), noon) == ""; got != want {
					t.Fatalf("after %d events certificate %d is let in: %t", n+1, m, got)
				}
			}
		}
	})
}

// What was recorded of a certificate counts, and not what somebody shows under
// its serial.
func TestCertificatesThatDoNotCount(t *testing.T) {
	t.Parallel()
	s := given(station.StationAdmitted{Kind: station.Kiosk, Certificate: cert(1)})
	longer, shorter, another := cert(1), cert(1), cert(1)
	longer.Ends, shorter.Ends, another.Key = noon.Add(time.Hour), noon.Add(-time.Hour), "key 2"
	for _, c := range []struct {
		name  string
		shown station.Certificate
		now   time.Time
		want  station.RefusalReason
	}{
		{"as recorded", cert(1), noon, ""},
		{"it has ended", cert(1), noon.Add(time.Second), station.OldOne},
		{"signed again for longer", longer, noon, ""},
		{"the same, after the end that was recorded", longer, noon.Add(time.Second), station.OldOne},
		{"it ended before what was recorded", shorter, noon, station.OldOne},
		{"another key", another, noon, station.OldOne},
	} {
		if got := s.Admits(c.shown, c.now); got != c.want {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}
