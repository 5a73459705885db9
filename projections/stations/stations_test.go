package stations_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/stations"
)

func recorded(t *testing.T, at domain.Position, id string, e station.Event) domain.Recorded {
	t.Helper()
	m, err := station.Message(e, domain.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	return domain.Recorded{Message: m, Stream: station.Stream(id), Position: at}
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func certificate(serial string) station.Certificate {
	return station.Certificate{Serial: serial, Key: "k" + serial, Ends: noon.Add(time.Hour)}
}

func admitted(serial string) station.StationAdmitted {
	return station.StationAdmitted{Kind: station.Kiosk, Certificate: certificate(serial)}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	d := stations.New()
	d.Apply([]domain.Recorded{
		recorded(t, 1, "local", station.StationOpened{Version: "1"}),
		recorded(t, 2, "hal-west", admitted("01")),
		recorded(t, 4, "hal-oost", admitted("02")),
		recorded(t, 5, "hal-west", station.StationWiped{Reason: station.Finished}),
	}, 7)
	if all := d.All(); len(all) != 2 || all[0].ID != "hal-oost" || all[1].ID != "hal-west" || d.Position() != 7 {
		t.Fatalf("got %+v at %d", all, d.Position())
	}
	for _, c := range []struct {
		id, serial string
		want       station.RefusalReason
	}{{"hal-west", "01", ""}, {"hal-west", "02", station.OldOne}, {"local", "01", station.NotAdmitted}, {"nobody", "01", station.NotAdmitted}} {
		if _, got := d.Admits(c.id, certificate(c.serial), noon); got != c.want {
			t.Errorf("%s with %s: %q", c.id, c.serial, got)
		}
	}
	d.Apply([]domain.Recorded{recorded(t, 7, "hal-west", station.StationRevoked{Reason: station.Lost})}, 8)
	if _, got := d.Admits("hal-west", certificate("01"), noon); got != "" {
		t.Errorf("what was applied before was applied again: %q", got)
	}
	d.Apply([]domain.Recorded{recorded(t, 9, "hal-west", station.StationRevoked{Reason: station.Lost})}, 9)
	if kind, got := d.Admits("hal-west", certificate("01"), noon); got != station.WasRevoked || kind != station.Kiosk {
		t.Errorf("got %q %q", kind, got)
	}
	if _, got := d.Admits("hal-oost", certificate("02"), noon); got != "" {
		t.Errorf("another one suffers: %q", got)
	}
}

func TestAnUnknownEventShutsOneStationOut(t *testing.T) {
	t.Parallel()
	d := stations.New()
	d.Apply([]domain.Recorded{
		recorded(t, 1, "a", admitted("01")), recorded(t, 2, "b", admitted("02")),
		{Message: domain.Message{Type: "StationMoved", Data: []byte(`{}`)}, Stream: station.Stream("a"), Position: 3},
	}, 3)
	if _, got := d.Admits("a", certificate("01"), noon); got != station.NotAdmitted {
		t.Errorf("let in although something unknown happened to it: %q", got)
	}
	if _, got := d.Admits("b", certificate("02"), noon); got != "" {
		t.Errorf("another one suffers: %q", got)
	}
	if all := d.All(); len(all) != 2 || !all[0].Unclear || all[1].Unclear {
		t.Errorf("got %+v", all)
	}
}
