package stations_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/stations"
)

// at is what a station did at a time after noon.
func at(t *testing.T, p domain.Position, after time.Duration, id string, e station.Event) domain.Recorded {
	t.Helper()
	r := recorded(t, p, id, e)
	r.Recorded = noon.Add(after)
	return r
}

func TestLogbook(t *testing.T) {
	t.Parallel()
	l := stations.NewLogbook()
	l.Apply([]domain.Recorded{
		at(t, 1, 0, "local", station.StationOpened{Version: "1"}),
		at(t, 2, 0, "hal-west", admitted("01")),
		at(t, 3, time.Hour, "hal-west", station.StationOpened{Version: "2"}),
		at(t, 4, 2*time.Hour, "hal-west", station.StationWiped{Reason: station.Finished}),
		at(t, 5, 3*time.Hour, "hal-west", station.StationWiped{Reason: station.Finished}),
		at(t, 6, 4*time.Hour, "hal-west", station.StationWiped{Reason: station.Idle}),
		at(t, 7, 5*time.Hour, "hal-west", station.StationFailed{Reason: station.SMSFailed}),
		at(t, 8, 6*time.Hour, "hal-west", station.HelpCodeShown{Help: "K1234"}),
		at(t, 9, 7*time.Hour, "hal-west", station.StationRefused{Reason: station.NotItsKind}),
		{Stream: "enrolment-x", Position: 10},
	}, 12)
	all := l.All()
	if len(all) != 2 || l.Position() != 12 || all[0].ID != "hal-west" || all[1].ID != "local" {
		t.Fatalf("got %+v at %d", all, l.Position())
	}
	west := all[0]
	if west.Kind != station.Kiosk || !west.Admitted() || west.Version != "2" || !west.Opened.Equal(noon.Add(time.Hour)) || !west.Certified.Equal(noon) ||
		!west.Done.Equal(noon.Add(3*time.Hour)) || west.Failure != station.SMSFailed || !west.Failed.Equal(noon.Add(5*time.Hour)) || !west.Seen.Equal(noon.Add(6*time.Hour)) {
		t.Errorf("got %+v", west)
	}
	if n := west.DoneSince(noon); n != 2 {
		t.Errorf("%d were finished", n)
	}
	if n := west.DoneSince(noon.Add(3 * time.Hour)); n != 1 {
		t.Errorf("%d were finished since the last", n)
	}
	if n := west.RefusedSince(noon); n != 1 {
		t.Errorf("refused %d times", n)
	}
	if local := all[1]; local.Version != "1" || local.Kind != "" || local.Admitted() {
		t.Errorf("got %+v", local)
	}
	// days later, and what nobody knows
	strange := at(t, 14, 0, "local", station.StationUnlocked{})
	strange.Type = "StationPainted"
	l.Apply([]domain.Recorded{
		at(t, 11, 0, "local", station.StationUnlocked{}), // passed over
		at(t, 13, 72*time.Hour, "hal-west", station.StationWiped{Reason: station.Finished}),
		strange,
		at(t, 15, 73*time.Hour, "hal-west", station.StationRevoked{Reason: station.Lost}),
	}, 15)
	again := l.All()
	if n := again[0].DoneSince(noon); n != 1 {
		t.Errorf("%d of old are kept", n)
	}
	if again[0].Revoked != station.Lost || !again[0].Seen.Equal(noon.Add(72*time.Hour)) || !again[1].Unclear || !again[1].Seen.Equal(noon) {
		t.Errorf("got %+v", again)
	}
	if west.DoneSince(noon) != 2 {
		t.Error("what was given out has changed")
	}
}
