package station_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var update = flag.Bool("update", false, "write golden files for events that have none")

func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	for _, e := range []station.Event{
		station.StationOpened{Version: "0.1.0"},
		station.StationWiped{Reason: station.Idle},
		station.StationUnlocked{},
		station.StationFailed{Reason: station.MailFailed},
		station.HelpCodeShown{Help: "K7204"},
		station.StationAdmitted{Kind: station.Kiosk, Certificate: station.Certificate{Serial: "5f01", Key: "rkq6o", Ends: noon}},
		station.StationRenewed{Certificate: station.Certificate{Serial: "5f02", Key: "8ryhd", Ends: noon}, Shown: "5f01"},
		station.StationRevoked{Reason: station.Stolen},
		station.StationRefused{UseCase: "unlock-person", Reason: station.NotItsKind},
	} {
		m, err := station.Message(e, domain.Stamp{Command: domain.CommandID{1}})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "events", m.Type+".1.json")
		if _, err := os.Stat(file); os.IsNotExist(err) && *update {
			if err := os.WriteFile(file, append(m.Data, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(file) //nolint:gosec // a golden file
		if err != nil {
			t.Fatalf("every event needs a golden file (-update writes one): %v", err)
		}
		got, err := station.Decode(m.Type, golden)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: got %#v, %v", m.Type, got, err)
		}
		if !bytes.Equal(bytes.TrimSpace(golden), m.Data) {
			t.Errorf("%s: written as %s", m.Type, m.Data)
		}
	}
	if _, err := station.Decode("StationSold", nil); !errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("got %v", err)
	}
}
