package audit

import (
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
)

// A scene is the window in one state that matters.
type scene struct {
	name string
	with func(a *archive)
	then func(r *room)
}

// bad is a finding of the worst kind.
func bad(finding string) desk.CheckView {
	return desk.CheckView{
		At: noon, Ended: noon, Done: 6120, Total: 6412, Finding: finding, Position: 6120,
		Stream: "enrolment-8f14e45f-ceea-467f-a1d2-0c6b7d8e9f10", Type: "CodeUndeliverable",
	}
}

// scenes are the pages in the states that matter, with names and errors as long as they
// may be.
func scenes() []scene {
	bundles := func(then func(r *room, p *bundlesPage)) func(*room) {
		return func(r *room) { then(r, r.bundles()) }
	}
	witnesses := func(then func(r *room, p *witnessesPage)) func(*room) {
		return func(r *room) { then(r, r.witnesses()) }
	}
	made := func(r *room, p *bundlesPage) {
		p.start()
		r.until("a bundle", func() bool { return p.stage == made })
		p.folder.SetText("/home/fatma/Documenten/Controle 2026/Bewijs voor de accountant")
	}
	return []scene{
		{"bundles", nil, bundles(func(*room, *bundlesPage) {})},
		{"bundles-days", nil, bundles(func(_ *room, p *bundlesPage) {
			p.upTo(6412)
			p.span = spanDays
			p.since, _ = findNote(sealed(1).Checkpoint.Note)
			p.sinceIs = "checkpoint-van-de-accountant-bewaard-op-17-november-2026.txt"
			p.redraw()
			p.from.SetText("1-10-2026")
		})},
		{"bundles-refused", func(a *archive) { a.seal.Check = desk.CheckView{Broken: true, At: noon, Ended: noon} }, bundles(func(r *room, p *bundlesPage) {
			r.until("the seal", func() bool { return r.watch.got })
			p.fail(p.refusal(&desk.Refusal{Code: desk.Unavailable, Incident: "1f2e3d4c5b6a"}))
		})},
		{"bundles-making", func(a *archive) { a.making = 1 << 20 }, bundles(func(r *room, p *bundlesPage) {
			p.start()
			r.until("how far it is", func() bool { return p.bundle.Total > 0 })
		})},
		{"bundles-made", nil, bundles(made)},
		{"bundles-there", nil, bundles(func(r *room, p *bundlesPage) {
			made(r, p)
			p.there = true
			p.redraw()
		})},
		{"bundles-unwritable", nil, bundles(func(r *room, p *bundlesPage) {
			made(r, p)
			p.keepTyped()
			p.unkept(errors.New("no space left on device"))
		})},
		{"bundles-kept", nil, bundles(func(r *room, p *bundlesPage) {
			made(r, p)
			p.query.Since = "x"
			p.stage, p.path = kept, "/home/fatma/Documenten/Controle 2026/Bewijs voor de accountant/keydesk-2026-10-01--2026-11-23.zip"
			p.redraw()
		})},
		{"witnesses", func(a *archive) { a.seal.Check.Expired = 312 }, witnesses(func(*room, *witnessesPage) {})},
		{"witnesses-checking", func(a *archive) { a.steps = 1 << 20 }, witnesses(func(r *room, p *witnessesPage) {
			r.watch.check()
			r.until("how far it is", func() bool { return r.watch.view.Check.Running })
			p.show()
		})},
		{"witnesses-bad", func(a *archive) { a.seal.Check = bad("truncated") }, witnesses(func(*room, *witnessesPage) {})},
		{"witnesses-disagrees", func(a *archive) {
			a.seal.Witnesses[1] = desk.WitnessView{
				Name: "accountantskantoor-van-der-heijden-oosterhuis.getuigen.voorbeeld", URL: "https://getuigen.accountantskantoor-van-der-heijden-oosterhuis.voorbeeld.nl/keydesk/checkpoint",
				State: desk.WitnessDisagrees,
			}
			a.seal.Witnesses = append(a.seal.Witnesses, desk.WitnessView{Name: "getuige-3", URL: "https://getuige-3.voorbeeld.nl", State: desk.WitnessAway, Size: 6012, At: noon.AddDate(0, 0, -3)})
		}, witnesses(func(*room, *witnessesPage) {})},
		{"witnesses-behind", func(a *archive) {
			a.seal.Unsealed, a.seal.Waiting, a.seal.Witnesses = 1312, noon.Add(-time.Hour), nil
		}, witnesses(func(*room, *witnessesPage) {})},
		{"witnesses-unsealed", func(a *archive) { a.seal = desk.SealView{} }, witnesses(func(*room, *witnessesPage) {})},
		{"witnesses-lost", func(a *archive) { a.err = &desk.Refusal{Code: desk.Unavailable, Incident: "1f2e3d4c5b6a"} }, witnesses(func(*room, *witnessesPage) {})},
		{"witnesses-days", nil, witnesses(func(r *room, p *witnessesPage) {
			p.days = true
			p.show()
			ui.Focus(p.table)
			officetest.Press(r.at, fyne.KeyDown, fyne.KeyReturn)
		})},
		{"not-yours", func(a *archive) { a.roles = []domain.Role{domain.RoleHelpdesk} }, func(*room) {}},
	}
}

// enter shows a scene in a window.
func enter(t *testing.T, sc scene, size fyne.Size, o ui.Options, lang string) *room {
	t.Helper()
	a := newArchive()
	a.long = true
	if sc.with != nil {
		sc.with(a)
	}
	r := openRoom(t, a, size, o, lang)
	if r.watch != nil {
		r.until("how the log is sealed", func() bool { return r.watch.got || r.watch.lost != nil })
	}
	sc.then(r)
	r.app.Settle()
	return r
}

// In every size, language and mode everything that the window says has its place; nothing
// of it scrolls but what has a bar.
func TestTheWindowFits(t *testing.T) {
	for _, v := range []struct {
		size fyne.Size
		o    ui.Options
		lang string
	}{
		{fyne.NewSize(1024, 700), ui.Options{}, "nl"},
		{fyne.NewSize(1024, 700), ui.Options{Scale: ui.Largest}, "nl"},
		{fyne.NewSize(1024, 700), ui.Options{Scale: ui.Larger, Mode: ui.HighContrast}, "en"},
		{fyne.NewSize(1440, 900), ui.Options{Mode: ui.Dark}, "en"},
	} {
		for _, sc := range scenes() {
			t.Run(fmt.Sprintf("%s/%v/%v/%s", sc.name, v.size.Width, v.o.Scale, v.lang), func(t *testing.T) {
				r := enter(t, sc, v.size, v.o, v.lang)
				officetest.Fits(t, r.at, 0)
				officetest.Under(t, r.at)
				officetest.Overlaps(t, r.at)
				officetest.Still(t, r.at)
			})
		}
	}
}

// Writes the window as pictures into the folder KEYDESK_SHOTS, to be looked at.
// KEYDESK_SHOTS_ONLY is a pattern for their names.
func TestShots(t *testing.T) {
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
		{"1280-en-dark", "en", fyne.NewSize(1280, 820), ui.Options{Mode: ui.Dark}},
		{"1440-hc", "nl", fyne.NewSize(1440, 900), ui.Options{Mode: ui.HighContrast}},
		{"1024", "nl", fyne.NewSize(1024, 700), ui.Options{}},
		{"1024-150", "nl", fyne.NewSize(1024, 700), ui.Options{Scale: ui.Largest}},
	} {
		for _, sc := range scenes() {
			name := "audit-" + sc.name + "-" + v.name
			if ok, _ := filepath.Match(only, name); only != "" && !ok {
				continue
			}
			t.Run(name, func(t *testing.T) {
				r := enter(t, sc, v.size, v.o, v.lang)
				f, err := os.Create(filepath.Join(dir, name+".png")) //nolint:gosec // the folder that was asked for
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(png.Encode(f, r.at.Canvas().Capture()), f.Close()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
