package ui_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/ui"
)

var tableColumns = []ui.TableColumn{
	{Title: "Collega", Least: 150, Wanted: 240, Grows: 1},
	{Title: "Stappen", Parts: []string{"Code", "Wachtwoord", "Telefoon", "Sms", "App of sms", "Gelukt"}, Least: 190, Wanted: 480, Yields: true},
	{Title: "Nu", Least: 150, Wanted: 260, Grows: 1.2},
	{Least: 100, Wanted: 120},
}

// stepsAt returns the marks of somebody at a step.
func stepsAt(at int, here ui.Mark) []ui.Mark {
	m := make([]ui.Mark, 6)
	for i := range m {
		switch {
		case i < at:
			m[i] = ui.MarkDone
		case i == at:
			m[i] = here
		default:
			m[i] = ui.MarkOpen
		}
	}
	return m
}

// somebody returns the n-th row of the gallery's table.
func somebody(n int) ui.TableRow {
	urgent := n < 3
	r := ui.TableRow{Urgent: urgent}
	who := ui.Cell{Title: fmt.Sprintf("Collega met een naam %d", n), Note: "De Kleurendans · hulpcode K7 204", Strong: true}
	now := ui.Cell{Title: "Typt telefoonnummer", Note: "Nu · kiosk Hal 1"}
	here, action := ui.MarkNow, ui.Cell{Action: "Bekijk"}
	if urgent {
		now = ui.Cell{Title: "Sms komt niet aan", Note: "12 min · kiosk Hal 2", Strong: true, Ink: theme.ColorNameError}
		here, action = ui.MarkStuck, ui.Cell{Action: "Help"}
	}
	if n == 4 {
		who.Title = "Maria Magdalena van den Heuvel-Schimmelpenninck van der Oye"
		now.Title = "De telefoon heeft de QR-code gescand en wacht op de cijfers"
	}
	r.Cells = []ui.Cell{who, {Track: stepsAt(n%6, here)}, now, action}
	if n == 7 {
		return ui.TableRow{Missing: true, Cells: make([]ui.Cell, 4)}
	}
	return r
}

func newTable(sections ...ui.Section) *ui.Table {
	t := ui.NewTable(tableColumns, somebody)
	t.SetSections(sections)
	return t
}

func boardScene() (fyne.CanvasObject, fyne.Focusable) {
	t := newTable(
		ui.Section{Title: "Vastgelopen", Rows: 3, Urgent: true}, ui.Section{Title: "Bezig", Rows: 5},
		ui.Section{Title: "Niet gestart", Rows: 3}, ui.Section{Title: "Klaar", Rows: 12345, Good: true, Fold: "Toon", Folded: true})
	t.Choose(0, false)
	search := ui.NewSearch("Zoek op naam, e-mail of hulpcode", "/", "Wis")
	chips := ui.FlowApart(ui.SizeSmallGap)
	for i, w := range []string{"Iedereen", "Vastgelopen", "Bezig", "Niet gestart", "Klaar"} {
		f := ui.NewFilter(w, i == 1, nil)
		f.SetCount([]int{18, 3, 5, 3, 12345}[i])
		f.SetOn(i == 0)
		chips.Add(f)
	}
	chips.Add(ui.NewBadge(ui.Success, "Live, 10:58"))
	return inset(ui.Column(ui.SizeGap,
		ui.Row(ui.SizeGap, ui.GrowCentred(3, ui.Column("", ui.Heading("Vandaag"), ui.Hint(ui.Plain("Maandag 23 november: 18 nieuwe collega's")))), ui.GrowCentred(2, search)),
		chips,
		ui.Grow(1, t))), t
}

func inset(o fyne.CanvasObject) fyne.CanvasObject {
	return &fyne.Container{Layout: margins{}, Objects: []fyne.CanvasObject{o}}
}

type margins struct{}

func (margins) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }
func (margins) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.NewPos(32, 24))
	o[0].Resize(s.SubtractWidthHeight(64, 48))
}

func personScene() (fyne.CanvasObject, fyne.Focusable) {
	mask := ui.NewMasked("+31 •• ••• •• 78", "Toon", "Verberg", time.Now, func() {})
	checks := ui.Tiles(3, 190, ui.SizeGap,
		ui.NewCheck(ui.MarkGood, "Account bestaat", "Actief, niet bevroren"), ui.NewCheck(ui.MarkGood, "E-mail klopt", "Bevestigd om 10:31"),
		ui.NewCheck(ui.MarkGood, "Wachtwoord is goed", "Gekozen om 10:34"), ui.NewCheck(ui.MarkResting, "Niet geblokkeerd", "0 foute pogingen"),
		ui.NewCheck(ui.MarkStuck, "Sms niet bezorgd", "Is dit een vaste lijn?"), ui.NewCheck(ui.MarkOpen, "App of sms", "Nog niet bereikt"),
		ui.NewCheck(ui.MarkUnknown, "Systeem", "Niet te zeggen"))
	why := ui.NewCard(ui.Recommended, ui.Column(ui.SizeGap, ui.Subheading("Waarom lukt inloggen niet?"),
		ui.NewMessage(ui.Failure, "", ui.Bold("De sms komt niet aan. "), ui.Plain("De provider weigert berichten naar dit nummer (3 van 3).")),
		checks, ui.NewRule(), ui.Label("Doe dit eerst"), ui.Body(ui.Plain("Lees samen het nummer na."))))
	story := ui.Column("")
	for i, w := range []string{"Sms niet bezorgd, derde poging", "Nummer ingevuld", "Wachtwoord gekozen en nog een heel lange zin die niet op een regel past omdat er zoveel te zeggen is over wat er gebeurde", "E-mailadres bevestigd"} {
		story.Add(ui.NewMoment("10:4"+fmt.Sprint(i), []ui.Icon{ui.IconExclamation, ui.IconPhone, ui.IconLock, ui.IconCheck}[i],
			[]fyne.ThemeColorName{theme.ColorNameError, ui.ColorMuted, ui.ColorMuted, theme.ColorNameSuccess}[i], w, "Kiosk Hal 2", i == 0, i == 3))
	}
	now := ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap, ui.Subheading("Nu"),
		ui.NewFact("Tweede stap", ui.Body(ui.Bold("Nog geen"))), ui.NewFact("Telefoon", mask), ui.NewFact("Laatst gezien", ui.Body(ui.Plain("10:46, kiosk Hal 2")))))
	back := ui.NewBack("Bord", nil)
	left := ui.Column(ui.SizeGap, why, ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap, ui.Subheading("Wat er gebeurde"), story)))
	return inset(ui.Column(ui.SizeGap,
		ui.Row(ui.SizeGap, ui.GrowCentred(1, ui.Flow(ui.SizeGap, ui.Heading("Sanne de Vries").OneLine(), ui.NewBadge(ui.Failure, "Vastgelopen bij stap 4"))),
			ui.NewTrack(stepsAt(3, ui.MarkStuck)...), back),
		ui.Grow(1, ui.NewScroller(ui.Columns(ui.SizeGap, ui.GrowCentred(1.8, left), ui.GrowCentred(1, now)))))), back
}

var desktopScenes = []scene{{"board", boardScene}, {"person", personScene}}

// TestDesktopGallery draws what the windows of staff are made of, into the
// folder KEYDESK_SHOTS.
func TestDesktopGallery(t *testing.T) {
	dir := os.Getenv("KEYDESK_SHOTS")
	if dir == "" {
		t.Skip("KEYDESK_SHOTS is not set")
	}
	only := os.Getenv("KEYDESK_SHOTS_ONLY")
	for _, screen := range []struct {
		name string
		size fyne.Size
		o    ui.Options
	}{
		{"1224", fyne.NewSize(1224, 900), ui.Options{}},
		{"1224dark", fyne.NewSize(1224, 900), ui.Options{Mode: ui.Dark}},
		{"1224hc", fyne.NewSize(1224, 900), ui.Options{Mode: ui.HighContrast}},
		{"808", fyne.NewSize(808, 700), ui.Options{}},
		{"808x15", fyne.NewSize(808, 700), ui.Options{Scale: ui.Largest}},
	} {
		screen.o.Class = ui.Desktop
		test.NewTempApp(t).Settings().SetTheme(ui.NewTheme(screen.o))
		for _, sc := range desktopScenes {
			name := sc.name + "-" + screen.name
			if ok, _ := filepath.Match(only, name); only != "" && !ok {
				continue
			}
			o, focus := sc.make()
			w := test.NewTempWindow(t, ui.NewRoot(o))
			w.SetPadded(false)
			w.Resize(screen.size)
			w.Canvas().Focus(focus)
			save(t, w, dir, name+".png")
		}
	}
}
