package helpdesk

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain/station"
)

// kiosksGap is the least time between two looks at the stations because something
// changed somewhere.
const kiosksGap = 2 * time.Second

// A kiosksPage shows which stations are alive, and all that is known of the one
// that is chosen.
type kiosksPage struct {
	around

	desk Stations
	w    words

	got    bool
	lost   bool
	have   []desk.Kiosk
	since  time.Time
	chosen string
	asking bool

	ctx    context.Context //nolint:containedctx // ends when the page is left
	cancel context.CancelFunc
	minute *ui.Ticker

	sub    *ui.Text
	live   *ui.Badge
	table  *ui.Table
	detail *fyne.Container
	none   *fyne.Container
	whole  *fyne.Container
}

func newKiosksPage(a around, d Stations) *kiosksPage { return &kiosksPage{around: a, desk: d} }

func (k *kiosksPage) ID() string { return "kiosks" }

func (k *kiosksPage) Title() string { return k.Printer().T("helpdesk-kiosks") }

// content builds the page in the language of now, with what it shows.
func (k *kiosksPage) Content() fyne.CanvasObject {
	k.w = newWords(k)
	w := k.w
	k.sub = ui.Hint(ui.Plain(" "))
	k.live = ui.NewBadge(ui.Info, w.T("helpdesk-live-wait"))
	k.table = ui.NewTable([]ui.TableColumn{
		{Title: w.T("helpdesk-kiosks-station"), Least: 170, Wanted: 260, Grows: 1},
		{Title: w.T("helpdesk-kiosks-version"), Least: 100, Wanted: 150},
		{Title: w.T("helpdesk-kiosks-enrolments"), Least: 150, Wanted: 220, Grows: 0.5},
		{Title: w.T("helpdesk-kiosks-error"), Least: 150, Wanted: 280, Grows: 1},
	}, k.row)
	k.table.OnOpen = k.choose
	k.table.OnChoose = k.choose
	k.detail, k.none = ui.Stack(), ui.Stack()
	k.detail.Hide()
	k.none.Hide()
	k.whole = ui.Column(ui.SizeGap,
		ui.Row(ui.SizeGap, ui.GrowCentred(1, ui.Column("", ui.Heading(k.Title()).Elide(), k.sub)), k.live),
		ui.Grow(1, ui.Stack(k.table, k.none)), k.detail)
	k.show()
	return k.whole
}

// enter is called when the page comes in sight.
func (k *kiosksPage) Enter() {
	ui.Unfocus()
	k.ctx, k.cancel = context.WithCancel(k.Life())
	k.ask()
	w := &watch{of: k.desk, shift: k.SignedIn().ID, gap: kiosksGap, changed: func(bool) { k.ask() }, failed: k.failed}
	w.run(k.ctx)
	k.minute = ui.NewTicker(minutePasses, func() { k.show() })
}

// leave drops what was asked.
func (k *kiosksPage) Leave() {
	if k.cancel == nil {
		return
	}
	k.cancel()
	k.minute.Stop()
	k.cancel, k.asking = nil, false
}

func (k *kiosksPage) ask() {
	if k.asking {
		return
	}
	k.asking = true
	ctx, shift := k.ctx, k.SignedIn().ID
	ui.Work(ctx, func(ctx context.Context) ([]desk.Kiosk, error) { return k.desk.Kiosks(ctx, shift) },
		func(have []desk.Kiosk, err error) {
			if ctx.Err() != nil {
				return
			}
			k.asking = false
			if err != nil {
				k.failed(err)
				return
			}
			k.got, k.lost, k.have, k.since = true, false, have, k.Clock()
			k.show()
		})
}

func (k *kiosksPage) failed(err error) {
	if !k.Refused(err) {
		k.lost = true
		k.show()
	}
}

// choose shows all that is known of a station.
func (k *kiosksPage) choose(i int) {
	if i < 0 || i >= len(k.have) {
		return
	}
	k.chosen = k.have[i].ID
	k.showDetail()
	k.whole.Refresh()
}

func (k *kiosksPage) show() {
	if k.whole == nil {
		return
	}
	w := k.w
	switch {
	case k.lost && k.since.IsZero():
		k.live.Set(ui.Warning, w.T("helpdesk-live-never"))
	case k.lost:
		k.live.Set(ui.Warning, w.T("helpdesk-live-lost", i18n.Args{"Time": w.Hour(k.since)}))
	case k.got:
		k.live.Set(ui.Success, w.T("helpdesk-live", i18n.Args{"Time": w.Hour(k.since)}))
	}
	alive, at := 0, -1
	for i := range k.have {
		if k.have[i].State == desk.KioskAlive {
			alive++
		}
		if k.have[i].ID == k.chosen {
			at = i
		}
	}
	rows := len(k.have)
	k.sub.SetText(" ")
	if k.got {
		k.sub.SetText(w.N("helpdesk-kiosks-alive", alive, i18n.Args{"All": rows}))
	} else {
		rows = 3 // on their way
	}
	k.table.SetSections([]ui.Section{{Rows: rows}})
	k.table.Choose(at, false)
	bare := k.got && rows == 0
	k.table.Hidden, k.none.Hidden, k.none.Objects = bare, !bare, nil
	if bare {
		k.none.Objects = []fyne.CanvasObject{ui.NewEmpty(ui.IconInfo, w.T("helpdesk-kiosks-none"), w.T("helpdesk-kiosks-none-advice"), nil)}
	}
	k.showDetail()
	k.whole.Refresh()
}

// row says what is in a row.
func (k *kiosksPage) row(i int) ui.TableRow {
	if i >= len(k.have) {
		return ui.TableRow{Missing: true}
	}
	w, s := k.w, &k.have[i]
	mark, ink := kioskMark(s)
	version := ui.Cell{Title: s.Version, Mono: true}
	if s.Version == "" {
		version = ui.Cell{Title: w.T("helpdesk-kiosks-no-version"), Ink: ui.ColorMuted}
	}
	did := ui.Cell{Title: w.N("helpdesk-kiosks-today", s.DoneToday)}
	if !s.LastDone.IsZero() {
		did.Note = w.T("helpdesk-kiosks-last", i18n.Args{"Time": w.Moment(s.LastDone)})
	}
	wrong := ui.Cell{Title: w.T("helpdesk-kiosks-no-error"), Ink: ui.ColorMuted}
	if told := k.wrong(s); len(told) > 0 {
		wrong = ui.Cell{Title: told[0].what, Note: told[0].when, Ink: told[0].ink, Strong: told[0].ink != ""}
	}
	return ui.TableRow{Urgent: mark == ui.MarkStuck, Cells: []ui.Cell{
		{Title: s.ID, Note: office.Joined(w.T("helpdesk-kiosk-"+string(s.State)), k.lately(s)), Strong: true, Mark: mark, Ink: ink}, version, did, wrong,
	}}
}

// kioskMark is how a station is drawn.
func kioskMark(s *desk.Kiosk) (ui.Mark, fyne.ThemeColorName) {
	switch s.State {
	case desk.KioskAlive:
		return ui.MarkGood, ""
	case desk.KioskQuiet:
		return ui.MarkResting, ""
	case desk.KioskSilent:
		return ui.MarkResting, ui.ColorMuted
	case desk.KioskRevoked:
		return ui.MarkStuck, theme.ColorNameError
	case desk.KioskUnclear:
	}
	return ui.MarkUnknown, theme.ColorNameWarning
}

// seen says when there was a sign of life.
func (k *kiosksPage) seen(s *desk.Kiosk) string {
	switch {
	case s.Seen.IsZero():
		return k.w.T("helpdesk-kiosks-never-seen")
	case s.Called:
		return k.w.T("helpdesk-kiosks-called", i18n.Args{"Time": k.w.Moment(s.Seen)})
	}
	return k.w.Moment(s.Seen)
}

// lately is seen, for where there is little room.
func (k *kiosksPage) lately(s *desk.Kiosk) string {
	if s.Seen.IsZero() {
		return ""
	}
	return k.w.Moment(s.Seen)
}

// A trouble is something that is wrong with a station.
type trouble struct {
	what, when string
	ink        fyne.ThemeColorName // "" for what is over, or no haste
}

// wrong is what is wrong with a station, the worst first.
func (k *kiosksPage) wrong(s *desk.Kiosk) []trouble {
	var all []trouble
	w := k.w
	if s.Revoked != "" {
		all = append(all, trouble{w.T("helpdesk-kiosk-why-" + string(s.Revoked)), "", theme.ColorNameError})
	}
	if s.State == desk.KioskUnclear {
		all = append(all, trouble{w.T("helpdesk-kiosk-unclear-why"), "", theme.ColorNameError})
	}
	if s.Refused > 0 {
		all = append(all, trouble{w.N("helpdesk-kiosk-refused", s.Refused), w.T("helpdesk-kiosk-refused-when"), theme.ColorNameError})
	}
	if s.EndsSoon {
		all = append(all, trouble{w.T("helpdesk-kiosk-ends", i18n.Args{"Day": w.Date(s.CertificateEnds.In(time.Local))}), w.T("helpdesk-kiosk-ends-why"), theme.ColorNameWarning})
	}
	if s.LastError != "" {
		t := trouble{w.T("helpdesk-kiosk-failed-" + string(s.LastError)), w.Moment(s.LastErrorAt), theme.ColorNameError}
		if k.Clock().Sub(s.LastErrorAt) > 24*time.Hour {
			t.ink = ""
		}
		all = append(all, t)
	}
	return all
}

// showDetail draws all that is known of the chosen station.
func (k *kiosksPage) showDetail() {
	w := k.w
	k.detail.Hidden, k.detail.Objects = true, nil
	for i := range k.have {
		s := &k.have[i]
		if s.ID != k.chosen {
			continue
		}
		kind := "here"
		switch s.Kind {
		case station.Kiosk:
			kind = "kiosk"
		case station.Desk:
			kind = "desk"
		}
		facts := ui.Tiles(2, 330, ui.SizeSmallGap,
			fact(w.T("helpdesk-kiosks-state"), w.T("helpdesk-kiosk-"+string(s.State))),
			fact(w.T("helpdesk-kiosks-sign"), k.seen(s)),
			fact(w.T("helpdesk-kiosks-kind"), w.T("helpdesk-kiosk-is-"+kind)),
			fact(w.T("helpdesk-kiosks-opened"), w.Moment(s.Opened)))
		if !s.CertificateEnds.IsZero() {
			facts.Add(fact(w.T("helpdesk-kiosks-certificate"), w.Date(s.CertificateEnds.In(time.Local))))
		}
		all := ui.Column(ui.SizeGap, ui.Subheading(s.ID), facts)
		for _, t := range k.wrong(s) {
			kind := ui.Info
			if t.ink == theme.ColorNameError {
				kind = ui.Failure
			} else if t.ink != "" {
				kind = ui.Warning
			}
			all.Add(ui.NewMessage(kind, "", ui.Bold(t.what), ui.Plain(" "+t.when)))
		}
		k.detail.Objects = []fyne.CanvasObject{ui.NewCard(ui.Surface, all)}
		k.detail.Hidden = false
	}
	k.detail.Refresh()
}

func fact(label, value string) fyne.CanvasObject { return ui.NewFact(label, ui.Body(ui.Plain(value))) }

// key takes what nothing else took.
func (k *kiosksPage) Key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape:
		if k.chosen != "" {
			k.chosen = ""
			k.show()
			return true
		}
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd:
		return office.ToTable(k.table, e)
	}
	return false
}
