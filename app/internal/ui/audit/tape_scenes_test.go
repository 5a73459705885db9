package audit

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
)

// A tapeScene is the page in one state.
type tapeScene struct {
	name string
	from func() *reel
	then func(s *screen)
}

func plenty() *reel { return newReel(6412) }

// back is some days ago.
func back(s *screen) {
	s.p.seek(desk.Moment{At: noon.AddDate(0, 0, -6).Add(4 * time.Hour)})
	s.Until("then", func() bool { return s.p.rows.of.Until.Position != 0 && s.p.rows.got })
}

func tapeScenes() []tapeScene {
	opened := func(s *screen) {
		back(s)
		e, _ := s.p.rows.row(2)
		s.p.openEvent(e.Position)
		s.Until("the event", func() bool { return s.p.detail.got })
	}
	person := func(s *screen) {
		back(s)
		s.p.filter(desk.EventFilter{Subject: numbered(0)}, s.a.names[0])
		s.Until("the person", func() bool { return s.p.aside.known })
	}
	return []tapeScene{
		{"now", plenty, func(*screen) {}},
		{"then", plenty, func(s *screen) { back(s); ui.Focus(s.p.tape.chart) }},
		{"hours", plenty, func(s *screen) {
			back(s)
			s.p.zoom(true)
			s.Until("weeks", func() bool { return s.p.tape.bars.idle() })
			s.p.zoom(true)
			s.Until("hours", func() bool { return s.p.tape.hist.Width < 24*time.Hour })
		}},
		{"playing", plenty, func(s *screen) { back(s); s.p.start(); s.p.showTape() }},
		{"event", plenty, opened},
		{"event-raw", plenty, func(s *screen) { opened(s); _ = officetest.Texts(s.w); s.p.detail.body.ScrollTo(5000) }},
		{"person", plenty, person},
		{"long", func() *reel {
			a := plenty()
			for i := range a.names {
				a.names[i] = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"
			}
			return a
		}, person},
		{"kinds", plenty, func(s *screen) { s.p.askKind() }},
		{"people", plenty, func(s *screen) {
			s.p.askPerson()
			officetest.Type(s.w, "visser")
			s.Until("people", func() bool { return len(s.p.rows.hits.Objects) > 3 })
		}},
		{"times", plenty, func(s *screen) { s.p.askTime() }},
		{"jump", plenty, func(s *screen) {
			s.p.askMoment()
			officetest.Type(s.w, "31 februari")
			officetest.Press(s.w, fyne.KeyReturn)
		}},
		{"filters", plenty, func(s *screen) {
			back(s)
			s.p.filter(desk.EventFilter{
				Types: []string{"CodeSent", "PhoneGiven"}, Role: "subject", Station: "Hal 2", Correlation: s.a.event(900).Correlation,
				From: noon.AddDate(0, 0, -9), To: noon,
			}, "")
		}},
		{"false", func() *reel {
			a := plenty()
			a.seal.Check = desk.CheckView{At: noon, Ended: noon, Finding: "changed", Position: 4211, Type: "PhoneGiven"}
			a.seal.Witnesses = append(a.seal.Witnesses, desk.WitnessView{Name: "getuige-3.ergens-anders.voorbeeld.nl", State: desk.WitnessDisagrees, At: noon})
			return a
		}, func(*screen) {}},
		{"checking", plenty, func(s *screen) {
			s.sees.check()
			s.Until("a check", func() bool { return s.sees.view.Check.Running })
		}},
		{"unsealed", func() *reel {
			a := plenty()
			a.seal = desk.SealView{}
			return a
		}, func(*screen) {}},
		{"empty", func() *reel { return newReel(0) }, func(*screen) {}},
		{"partly", func() *reel {
			a := plenty()
			a.ready = 0.43
			return a
		}, func(*screen) {}},
		{"away", func() *reel {
			a := plenty()
			a.err = &desk.Refusal{Code: desk.Unavailable}
			return a
		}, func(*screen) {}},
		{"not-ready", func() *reel {
			a := plenty()
			a.err = &desk.Refusal{Code: desk.NotReady}
			return a
		}, func(*screen) {}},
	}
}

// Writes the page as pictures into the folder KEYDESK_SHOTS, to be looked at.
// KEYDESK_SHOTS_ONLY is a pattern for their names.
func TestTapeShots(t *testing.T) {
	dir := os.Getenv("KEYDESK_SHOTS")
	if dir == "" {
		t.Skip("KEYDESK_SHOTS is not set")
	}
	only := os.Getenv("KEYDESK_SHOTS_ONLY")
	for _, v := range []struct {
		name, lang string
		size       fyne.Size
		o          ui.Options
	}{
		{"1440", "nl", fyne.NewSize(1440, 900), ui.Options{}},
		{"1440-en-dark", "en", fyne.NewSize(1440, 900), ui.Options{Mode: ui.Dark}},
		{"1440-hc", "nl", fyne.NewSize(1440, 900), ui.Options{Mode: ui.HighContrast}},
		{"1920", "nl", fyne.NewSize(1920, 1080), ui.Options{}},
		{"1024", "nl", fyne.NewSize(1024, 700), ui.Options{}},
		{"1024-en-150", "en", fyne.NewSize(1024, 700), ui.Options{Scale: ui.Largest}},
		{"1440-150", "nl", fyne.NewSize(1440, 900), ui.Options{Scale: ui.Largest}},
	} {
		for _, sc := range tapeScenes() {
			name := sc.name + "-" + v.name
			if ok, _ := filepath.Match(only, name); only != "" && !ok {
				continue
			}
			t.Run(name, func(t *testing.T) {
				s := newScreen(t, sc.from(), v.o, v.lang, v.size)
				sc.then(s)
				s.Settle()
				f, err := os.Create(filepath.Join(dir, name+".png")) //nolint:gosec // the folder that was asked for
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := png.Encode(f, s.w.Canvas().Capture()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
