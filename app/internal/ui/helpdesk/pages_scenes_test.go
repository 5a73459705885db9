package helpdesk

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

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
		{"actions", asHelper(done(enrolment.SMS)), nil},
		{"actions-form", asHelper(done(enrolment.SMS)), func(d *desktop, p shownPage) {
			p.(*personPage).acts.begin(enrolment.Resetting)
			f := p.(*personPage).acts.form
			f.reason, f.at, f.claims[enrolment.SawPass] = enrolment.CaseForgotten, here, true
			f.sync()
		}},
		{"actions-caller", asHelper(done(enrolment.SMS)), func(d *desktop, p shownPage) {
			a := p.(*personPage).acts
			a.begin(enrolment.CorrectingNumber)
			f := a.form
			f.reason, f.at, f.wrong = enrolment.CaseNewNumber, afar, d.Printer().T("helpdesk-case-missing-reason")
			f.seen(desk.CallerView{State: desk.CallerAsked, Factor: enrolment.SMS, Delivery: desk.Delivered})
			f.sync()
			f.digits.SetText("407")
			f.hr.Reveal("+31 6 12 34 56 78", hrShows)
			_ = d.texts()
			ui.Focus(f.ticket.Input())
			ui.Focus(f.digits)
		}},
		{"actions-pocket", asHelper(done(enrolment.Pocket)), func(d *desktop, p shownPage) {
			a := p.(*personPage).acts
			a.begin(enrolment.RevokingPocket)
			f := a.form
			f.at = afar
			f.seen(desk.CallerView{State: desk.CallerAsked, Factor: enrolment.Pocket, Challenge: "c", Digits: "407218"})
			_ = d.texts()
			ui.Focus(f.ask)
		}},
		{"actions-ticket", asHelper(func(v *desk.PersonView) { v.Ticket = "QRST-2345" }), func(d *desktop, p shownPage) {
			p.(*personPage).acts.ticket = "K7F2-94MX-B0TQ"
			p.(*personPage).acts.redraw()
		}},
		{"banner", func(d *desktop, t *town) shownPage {
			d.rights = approver
			t.cases.open = []desk.CaseRow{waiting(t.people[0], enrolment.Resetting)}
			return newPersonPage(d, t, t.people[0].Subject)
		}, nil},
		{"banner-deny", func(d *desktop, t *town) shownPage {
			d.rights = approver
			t.people[0].Name = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"
			c := waiting(t.people[0], enrolment.Resetting)
			c.ByName = "Johannes Wilhelmus Bartholomeus van Heemskerck van Beest"
			c.Evidence = []enrolment.Evidence{enrolment.SawDocument, enrolment.SawPass, enrolment.KnownInPerson, enrolment.ProvedPocket}
			t.cases.open = []desk.CaseRow{c}
			return newPersonPage(d, t, t.people[0].Subject)
		}, func(_ *desktop, p shownPage) {
			p.(*personPage).acts.decide.denying = "QRST-2345"
			p.(*personPage).acts.redraw()
		}},
		{"actions-erase", asAdmin, func(_ *desktop, p shownPage) {
			p.(*personPage).acts.begin(enrolment.Erasing)
			f := p.(*personPage).acts.form
			f.reason = enrolment.CaseRequest
			f.sync()
		}},
		{"actions-admin", asAdmin, nil},
		{"person-erased", func(d *desktop, t *town) shownPage {
			t.view = erased
			return newPersonPage(d, t, t.people[0].Subject)
		}, nil},
		{"cases-erase", func(d *desktop, t *town) shownPage {
			d.rights = approver
			r := waiting(t.people[0], enrolment.Erasing)
			r.Evidence, r.Remote = nil, true
			t.cases.open = []desk.CaseRow{r}
			return newCasesPage(d, t, func() {})
		}, func(_ *desktop, p shownPage) { p.(*casesPage).open(0) }},
		{"cases", withCases, func(_ *desktop, p shownPage) { ui.Focus(p.(*casesPage).table) }},
		{"cases-open", withCases, func(_ *desktop, p shownPage) { p.(*casesPage).open(0) }},
		{"cases-none", func(d *desktop, t *town) shownPage {
			d.rights = approver
			return newCasesPage(d, t, func() {})
		}, nil},
		{"kiosks", func(d *desktop, t *town) shownPage { return newKiosksPage(d, t) }, func(_ *desktop, p shownPage) { p.(*kiosksPage).choose(1) }},
		{"kiosks-none", func(d *desktop, t *town) shownPage {
			t.kiosks = nil
			return newKiosksPage(d, t)
		}, nil},
	}
}

// asHelper is the page of a person, to who helps them.
func asHelper(view func(*desk.PersonView)) func(d *desktop, t *town) shownPage {
	return func(d *desktop, t *town) shownPage {
		d.rights, t.view = helper, view
		return newPersonPage(d, t, t.people[0].Subject)
	}
}

// asAdmin is the page of somebody who is done, to an admin.
func asAdmin(d *desktop, t *town) shownPage {
	d.rights, t.view = admin, done(enrolment.SMS)
	return newPersonPage(d, t, t.people[0].Subject)
}

// withCases is the page of what waits, with long names too.
func withCases(d *desktop, t *town) shownPage {
	d.rights = approver
	t.people[2].Name = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"
	long := waiting(t.people[2], enrolment.CorrectingNumber)
	long.Case, long.Expires, long.Team = "LONG-2345", noon.Add(4*time.Minute), "Expertisecentrum voor bijzondere leerlingenbegeleiding"
	long.ByName, long.Evidence = "Johannes Wilhelmus van Heemskerck van Beest", enrolment.Claims(false)
	mine := waiting(t.people[3], enrolment.RevokingPocket)
	mine.Case, mine.Mine = "MINE-2345", true
	t.cases.open = []desk.CaseRow{waiting(t.people[0], enrolment.Resetting), long, mine, approved(t.people[1], enrolment.CorrectingNumber)}
	return newCasesPage(d, t, func() {})
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
		case *casesPage:
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
