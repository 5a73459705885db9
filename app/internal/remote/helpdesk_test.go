package remote_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// What happens at a station shows where the helpdesk looks.
func TestTheHelpdeskSeesWhoEnrolsAtAStation(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	c := s.station("hal-west")
	changed, stop := s.Desk.WatchBoard()
	defer stop()
	sees := func(what string, is func(desk.BoardRow) bool) {
		t.Helper()
		for late := time.After(patience); ; {
			p, err := s.Desk.Board(t.Context(), desk.BoardQuery{})
			if err != nil {
				t.Fatal(err)
			}
			if p.Total == 1 && is(p.Rows[0]) {
				return
			}
			select {
			case <-changed:
			case <-late:
				t.Fatalf("the board never shows that somebody %s: %+v", what, p)
			}
		}
	}
	v := s.walk(c, desk.ScreenSMSCode)
	sees("waits for an SMS", func(r desk.BoardRow) bool {
		return r.Group == desk.GroupBusy && r.Now.ID == "desk-now-sms-sent" && r.Station == "hal-west" && r.Name == name
	})
	help, err := c.HelpCode(t.Context(), v.Visit)
	if err != nil {
		t.Fatal(err)
	}
	for late := time.After(patience); ; {
		p, err := s.Desk.Board(t.Context(), desk.BoardQuery{Search: help[:1] + " " + help[1:]})
		if err != nil {
			t.Fatal(err)
		}
		if p.Total == 1 && p.Rows[0].HelpCode == help {
			break
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("nobody has the help code: %+v", p)
		}
	}
	if v, err = c.ConfirmPhone(t.Context(), v.Visit, s.code()); err == nil {
		v, err = c.ChooseSMS(t.Context(), v.Visit)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := c.End(t.Context(), v.Visit, station.Finished); err != nil {
		t.Fatal(err)
	}
	sees("is done", func(r desk.BoardRow) bool { return r.Group == desk.GroupDone && r.Now.ID == "desk-now-done-sms" })
	who, err := s.Vault.Find(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	person, err := s.Desk.PersonView(t.Context(), who)
	if err != nil || !person.Diagnosis.Well || person.LastAt != "hal-west" || person.Factor != enrolment.SMS {
		t.Errorf("%+v, %v", person, err)
	}
	kiosks, err := s.Desk.Kiosks(t.Context(), time.Time{})
	if err != nil || len(kiosks) != 2 {
		t.Fatalf("%+v, %v", kiosks, err)
	}
	k := kiosks[0]
	if k.ID != "hal-west" || k.Kind != station.Kiosk || k.State != desk.KioskAlive || k.Seen.IsZero() || k.DoneToday != 1 || k.LastDone.IsZero() ||
		k.CertificateEnds.IsZero() || k.EndsSoon || k.Version != "1.2.3" || k.LastError != "" {
		t.Errorf("%+v", k)
	}
	// An hour later only its calls say that it is still there.
	s.clock.add(time.Hour)
	if kiosks, err = s.Desk.Kiosks(t.Context(), time.Time{}); err != nil || kiosks[0].State != desk.KioskQuiet {
		t.Errorf("after an hour without a call: %+v, %v", kiosks, err)
	}
	if _, err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kiosks, err = s.Desk.Kiosks(t.Context(), time.Time{}); err != nil || kiosks[0].State != desk.KioskAlive || !kiosks[0].Called {
		t.Errorf("after a call: %+v, %v", kiosks, err)
	}
}
