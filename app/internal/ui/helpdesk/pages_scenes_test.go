package helpdesk

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// pageScenes are the pages in the states that matter. long makes names and messages as
// long as they may be.
type pageScene struct {
	name string
	page func(d *desktop, t *town) shownPage
	then func(d *desktop, p shownPage)
}

func pageScenes() []pageScene {
	board := func(d *desktop, t *town) shownPage { return newBoardPage(d, t, desk.ScopeToday) }
	typed := func(words string) func(d *desktop, p shownPage) {
		return func(d *desktop, p shownPage) {
			b := p.(*boardPage)
			for _, r := range words {
				b.field.Input().TypedRune(r)
			}
			d.until("a search", func() bool { return b.of.Search == words })
		}
	}
	return []pageScene{
		{"board", board, func(_ *desktop, p shownPage) { ui.Focus(p.(*boardPage).table) }},
		{"board-search", board, typed("K7204")},
		{"board-nobody", board, typed("xyz")},
		{"board-stuck-none", func(d *desktop, t *town) shownPage {
			t.people = t.people[3:]
			return board(d, t)
		}, func(_ *desktop, p shownPage) { p.(*boardPage).narrow(desk.FilterStuck) }},
		{"board-well", func(d *desktop, t *town) shownPage {
			t.people = t.people[3:]
			return board(d, t)
		}, nil},
		{"board-lost", board, func(d *desktop, p shownPage) {
			b := p.(*boardPage)
			b.failed(&desk.Refusal{Code: desk.Unavailable})
		}},
		{"people", func(d *desktop, t *town) shownPage {
			t.people = crowd(50_000)
			for i := range t.people[:40] {
				t.people[i].Name = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"
				t.people[i].Team = "Expertisecentrum voor bijzondere leerlingenbegeleiding"
				t.people[i].HelpCode = "K7204"
			}
			return newBoardPage(d, t, desk.ScopeEverybody)
		}, nil},
		{"person", func(d *desktop, t *town) shownPage { return newPersonPage(d, t, t.people[0].Subject) }, nil},
		{"person-shown", func(d *desktop, t *town) shownPage { return newPersonPage(d, t, t.people[0].Subject) }, func(d *desktop, p shownPage) {
			m := p.(*personPage).masks[desk.FieldPhone]
			m.Button().Tapped(nil)
			d.until("the number", m.Shown)
			d.settle()
			_ = d.texts() // what nothing has drawn yet gets no focus
			ui.Focus(m.Button())
		}},
		{"person-long", func(d *desktop, t *town) shownPage {
			t.people[0].Name = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"
			t.view = func(v *desk.PersonView) {
				v.Team, v.HelpCode = "Expertisecentrum voor bijzondere leerlingenbegeleiding", "K7204"
				v.Frozen, v.Chosen, v.Device, v.Case = desk.FrozenStolen, enrolment.Pocket, "Telefoon van Maria Magdalena (zakelijk, oud toestel)", "Z-2026-000123"
				v.Start, v.Locks = "2026-12-01", []desk.LoginLock{{Until: noon}}
			}
			return newPersonPage(d, t, t.people[0].Subject)
		}, nil},
		{"kiosks", func(d *desktop, t *town) shownPage { return newKiosksPage(d, t) }, func(_ *desktop, p shownPage) { p.(*kiosksPage).choose(1) }},
		{"kiosks-none", func(d *desktop, t *town) shownPage {
			t.kiosks = nil
			return newKiosksPage(d, t)
		}, nil},
	}
}

// enterPage shows a scene and waits for what it asks for.
func enterPage(d *desktop, sc pageScene, size fyne.Size) {
	t := newTown(morning())
	t.kiosks = machines()
	p := sc.page(d, t)
	d.show(p, size)
	d.until("an answer to "+sc.name, func() bool {
		switch p := p.(type) {
		case *boardPage:
			return p.got
		case *personPage:
			return p.got
		case *kiosksPage:
			return p.got
		}
		return true
	})
	if sc.then != nil {
		sc.then(d, p)
	}
	d.settle()
}

// Writes every page as a picture into the folder KEYDESK_SHOTS, to be looked at.
// KEYDESK_SHOTS_ONLY is a pattern for their names.
func TestPageShots(t *testing.T) {
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
		{"1024", "nl", fyne.NewSize(1024, 700), ui.Options{}},
		{"1024-en-150", "en", fyne.NewSize(1024, 700), ui.Options{Scale: ui.Largest}},
	} {
		for _, sc := range pageScenes() {
			name := sc.name + "-" + v.name
			if ok, _ := filepath.Match(only, name); only != "" && !ok {
				continue
			}
			t.Run(name, func(t *testing.T) {
				d := newDesktop(t, v.o, v.lang)
				enterPage(d, sc, v.size)
				f, err := os.Create(filepath.Join(dir, name+".png")) //nolint:gosec // the folder that was asked for
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				if err := png.Encode(f, d.w.Canvas().Capture()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
