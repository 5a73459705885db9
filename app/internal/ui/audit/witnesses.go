package audit

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
)

// A witnessesPage shows whether the log is complete and true: what a check of it came to,
// the last checkpoint, who keeps it, too, and the checkpoints of every day.
type witnessesPage struct {
	around

	w      office.Words
	days   bool   // the checkpoints show, not how it stands
	copied string // the note that was copied last
	forget func() // follows the seal no more; nil while another page shows

	head   *head
	tabs   [2]*ui.Filter
	again  *ui.Button
	bar    *ui.Bar
	count  *ui.Text
	copies *ui.Button
	back   *ui.Button // to the moment of a bad finding
	check  *fyne.Container
	last   *fyne.Container
	kept   *fyne.Container
	body   *fyne.Container
	scroll *ui.Scroller
	table  *ui.Table
	none   *fyne.Container
	whole  *fyne.Container
	drawn  [3]string // what the cards were made from
}

func newWitnessesPage(a around) *witnessesPage { return &witnessesPage{around: a} }

// ID tells it apart; see office.Page.
func (p *witnessesPage) ID() string { return "witnesses" }

// Title is what it is called.
func (p *witnessesPage) Title() string { return p.Printer().T("audit-witnesses") }

// Enter is called when it comes in sight.
func (p *witnessesPage) Enter() {
	ui.Unfocus()
	p.forget = p.seal().follow(p.show)
	p.seal().look()
	p.show()
}

// Leave is called when it goes out of sight.
func (p *witnessesPage) Leave() {
	if p.forget != nil {
		p.forget()
		p.forget = nil
	}
	p.copied = ""
}

// Content builds the page in the language of now.
func (p *witnessesPage) Content() fyne.CanvasObject {
	p.w = office.NewWords(p)
	w := p.w
	p.head = newHead(p, p.Title(), w.T("audit-witnesses-lead"))
	for i, id := range []string{"audit-witnesses-now", "audit-witnesses-days"} {
		p.tabs[i] = ui.NewFilter(w.T(id), false, func() {
			p.days = i == 1
			p.show()
		})
	}
	p.drawn = [3]string{}
	p.check, p.last, p.kept = ui.Stack(), ui.Stack(), ui.Stack()
	p.body = ui.NewAside(
		[]fyne.CanvasObject{ui.NewCard(ui.Surface, p.check), ui.NewCard(ui.Surface, p.last)},
		[]fyne.CanvasObject{ui.NewCard(ui.Surface, p.kept)})
	p.scroll = ui.NewScroller(p.body)
	p.table = ui.NewTable([]ui.TableColumn{
		{Title: w.T("audit-witnesses-day"), Least: 140, Wanted: 210, Grows: 0.5},
		{Title: w.T("audit-witnesses-checkpoint"), Least: 150, Wanted: 180, Spare: 1},
		{Title: w.T("audit-witnesses-root"), Least: 248, Wanted: 248, Grows: 1},
		{Title: w.T("audit-witnesses-signed"), Least: 150, Wanted: 190, Grows: 0.7, Spare: 2},
		{Least: 110, Wanted: 130},
	}, p.row)
	p.table.OnOpen = p.copyDay
	p.none = ui.Stack()
	p.whole = ui.Column(ui.SizeGap, p.head.whole, ui.Flow(ui.SizeSmallGap, p.tabs[0], p.tabs[1]),
		ui.Grow(1, ui.Stack(p.scroll, p.table, p.none)))
	p.show()
	return p.whole
}

// Key takes what nothing else took.
func (p *witnessesPage) Key(e *fyne.KeyEvent) bool {
	switch {
	case e.Name == fyne.KeyEscape && p.days:
		p.days = false
		p.show()
		return true
	case !p.days:
		return p.scroll.TypedKey(e)
	}
	switch e.Name {
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd:
		return office.ToTable(p.table, e)
	}
	return false
}

// --- showing

// show draws what is known of the seal.
func (p *witnessesPage) show() {
	s := p.seal()
	if p.whole == nil || s == nil {
		return
	}
	p.head.show()
	v := &s.view
	p.tabs[0].SetOn(!p.days)
	p.tabs[1].SetOn(p.days)
	if p.tabs[1].SetCount(len(v.Checkpoints)); !s.got {
		p.tabs[1].SetCount(-1)
	}
	p.tabs[0].Hidden, p.tabs[1].Hidden = s.got && !v.On, s.got && !v.On // there is nothing to choose
	bare := p.drawNone(s)
	p.scroll.Hidden, p.table.Hidden, p.none.Hidden = bare || p.days, bare || !p.days, !bare
	p.drawCheck(s)
	p.drawLast(s)
	p.drawKept(s)
	rows := len(v.Checkpoints)
	if !s.got {
		rows = 6 // on their way
	}
	p.table.SetSections([]ui.Section{{Rows: rows}})
	p.whole.Refresh()
	p.body.Refresh()
	p.scroll.Refresh()
}

// drawNone says why there is nothing to show, and what to do; false: there is.
func (p *witnessesPage) drawNone(s *sealWatch) bool {
	w, v := p.w, &s.view
	p.none.Objects = nil
	say := func(icon ui.Icon, title, text string) bool {
		p.none.Objects = []fyne.CanvasObject{ui.NewEmpty(icon, title, text, nil)}
		return true
	}
	switch {
	case !s.got && s.lost != nil && p.days:
		return say(ui.IconWarning, w.T("audit-badge-unknown"), w.Refusal("audit-refusal", s.lost)+" "+w.T("audit-witnesses-asks-on"))
	case !s.got || v.On:
		return false
	case v.Trouble:
		return say(ui.IconWarning, w.T("audit-witnesses-unreadable"), w.T("audit-witnesses-unreadable-line"))
	}
	return say(ui.IconShieldCheck, w.T("audit-witnesses-unsealed"), w.T("audit-witnesses-unsealed-line"))
}

// waits says that an answer is on its way, or that none came, and that it is asked on.
func (p *witnessesPage) waits(col *fyne.Container, s *sealWatch) {
	id := "audit-check-wait"
	if s.lost != nil {
		id = "audit-witnesses-lost"
	}
	col.Add(ui.Body(ui.Plain(p.w.T(id))).Ink(ui.ColorMuted))
}

// changed notes what a card is made from, and says whether that is something else than
// before.
func (p *witnessesPage) changed(card int, from string) bool {
	if p.drawn[card] == from {
		return false
	}
	p.drawn[card] = from
	return true
}

// drawCheck says what a check of the log came to, and what to do.
func (p *witnessesPage) drawCheck(s *sealWatch) {
	c := s.view.Check
	running := s.checking || c.Running
	key := fmt.Sprint(running, s.got, s.lost, c.At, c.Ended, s.verdict(), s.behind(), s.view.Trouble, s.view.Checkpoint.Number, p.w.Moment(c.Ended))
	if running {
		key = fmt.Sprint("running", c.At)
	}
	if !p.changed(0, key) {
		p.progress(c)
		return
	}
	had := p.again != nil && focused(p.again)
	w := p.w
	p.bar, p.count, p.back = nil, nil, nil
	col := ui.Column(ui.SizeGap, ui.Subheading(w.T("audit-check")))
	p.again = ui.NewButton(ui.Secondary, w.T("audit-check-again"), func() { p.seal().check() }).WithLeft(ui.IconRefresh)
	switch {
	case running:
		p.bar, p.count = ui.NewBar(), ui.Hint(ui.Plain(" "))
		col.Add(ui.Body(ui.Plain(w.T("audit-check-running"))))
		col.Add(p.bar)
		col.Add(p.count)
		p.again.SetBusy(true)
	case s.lost != nil:
		col.Add(ui.NewMessage(ui.Warning, "", ui.Plain(w.Refusal("audit-refusal", s.lost))))
	case !s.got:
		p.waits(col, s)
	case c.Ended.IsZero():
		col.Add(ui.Body(ui.Plain(w.T("audit-check-none"))))
	default:
		p.result(col, s)
	}
	does := ui.Flow(ui.SizeSmallGap, p.again)
	if p.back != nil {
		does.Add(p.back)
	}
	col.Add(does)
	if !c.Ended.IsZero() && !running {
		col.Add(ui.Hint(ui.Plain(w.T("audit-check-last", i18n.Args{"Time": w.Moment(c.Ended)}))))
	}
	p.check.Objects = []fyne.CanvasObject{col}
	p.check.Refresh()
	p.progress(c)
	if had {
		ui.Focus(p.again)
	}
}

// progress shows how far the check is.
func (p *witnessesPage) progress(c desk.CheckView) {
	if p.bar == nil {
		return
	}
	p.bar.Set(float32(c.Done) / float32(max(1, c.Total)))
	if c.Total > 0 {
		p.count.SetText(p.w.T("audit-bundles-count", i18n.Args{"Done": ui.Grouped(int(c.Done)), "Total": ui.Grouped(int(c.Total))}))
	}
}

// result tells what a check came to.
func (p *witnessesPage) result(col *fyne.Container, s *sealWatch) {
	w, v, c := p.w, &s.view, s.view.Check
	switch {
	case c.Broken:
		col.Add(ui.NewMessage(ui.Warning, w.T("audit-check-broken"), ui.Plain(w.T("audit-check-broken-line"))))
		return
	case !c.OK:
		p.finding(col, c)
		return
	}
	count := i18n.Args{"Count": ui.Grouped(int(c.Events))}
	switch {
	case slices.ContainsFunc(v.Witnesses, func(x desk.WitnessView) bool { return x.State == desk.WitnessDisagrees }):
		col.Add(ui.NewMessage(ui.Failure, w.T("audit-check-disagrees"), ui.Plain(w.T("audit-check-disagrees-line"))))
	case c.Anew:
		col.Add(ui.NewMessage(ui.Warning, w.T("audit-check-anew"), ui.Plain(w.N("audit-check-anew-line", int(c.Events), count))))
	default:
		col.Add(ui.NewMessage(ui.Success, w.T("audit-check-good"), ui.Plain(w.N("audit-check-good-line", int(c.Events), count))))
	}
	if c.Begun && !c.Anew {
		col.Add(ui.NewMessage(ui.Info, w.T("audit-check-anew"), ui.Plain(w.T("audit-check-begun-line"))))
	}
	if v.Trouble {
		col.Add(ui.NewMessage(ui.Warning, w.T("audit-check-trouble"), ui.Plain(w.T("audit-check-trouble-line"))))
	}
	proofs := ui.Column(ui.SizeSmallGap)
	good := func(id, detail string) {
		proofs.Add(ui.NewProof(ui.IconCheck, theme.ColorNameSuccess, w.T(id), detail))
	}
	good("audit-check-gapless", w.N("audit-check-gapless-detail", int(c.Events), i18n.Args{"Count": ui.Grouped(int(c.Events))}))
	upTo, root := "", "" // the last checkpoint may be younger than the check
	if !v.Checkpoint.At.After(c.At) {
		upTo, root = w.T("audit-check-signed-detail", i18n.Args{"Number": ui.Grouped(v.Checkpoint.Number)}), shortRoot(v.Checkpoint.Root)
	}
	good("audit-check-signed", upTo)
	good("audit-check-root", root)
	if c.Expired > 0 {
		good("audit-check-expired", w.N("audit-check-expired-detail", int(c.Expired), i18n.Args{"Count": ui.Grouped(int(c.Expired))}))
	}
	if s.behind() {
		proofs.Add(ui.NewProof(ui.IconWarning, theme.ColorNameWarning, w.N("audit-check-behind", int(v.Unsealed), i18n.Args{"Count": ui.Grouped(int(v.Unsealed))}), w.T("audit-check-behind-detail")))
	}
	col.Add(proofs)
}

// finding tells what is wrong first, where, and what to do about it.
func (p *witnessesPage) finding(col *fyne.Container, c desk.CheckView) {
	w := p.w
	what := w.T("seal-finding-unknown")
	if id := "seal-finding-" + c.Finding; c.Finding != "" && w.Has(id) {
		what = w.T(id)
	}
	col.Add(ui.NewMessage(ui.Failure, w.T("audit-check-bad"), ui.Plain(what)))
	facts := ui.Column(ui.SizeSmallGap)
	if c.Position > 0 {
		facts.Add(ui.NewFact(w.T("audit-check-position"), ui.Body(ui.Plain(ui.Grouped(int(c.Position)))))) //nolint:gosec // positions fit
	}
	if c.Type != "" {
		facts.Add(ui.NewFact(w.T("audit-check-type"), ui.NewText(ui.RoleBody, ui.Span{Text: c.Type, Mono: true})))
	}
	if c.Stream != "" {
		facts.Add(ui.NewFact(w.T("audit-check-stream"), ui.NewListing(c.Stream)))
	}
	col.Add(facts)
	advice := ui.Column(ui.SizeSmallGap, ui.Label(w.T("audit-check-do")))
	for i := range 4 {
		advice.Add(ui.NewStep(fmt.Sprint(i+1), w.T(fmt.Sprint("audit-check-do-", i+1), w.Args())))
	}
	col.Add(advice)
	if c.Position > 1 {
		p.back = ui.NewButton(ui.Secondary, w.T("audit-check-before"), func() { p.toMoment(c.Position - 1) }).WithLeft(ui.IconClock)
	}
}

// drawLast shows the last checkpoint.
func (p *witnessesPage) drawLast(s *sealWatch) {
	w, v := p.w, &s.view
	c := &v.Checkpoint
	if !p.changed(1, fmt.Sprint(s.got, s.lost != nil, *c, v.Unsealed, p.copied == c.Note, w.Moment(c.At))) {
		return
	}
	had := p.copies != nil && focused(p.copies)
	p.copies = nil
	col := ui.Column(ui.SizeGap, ui.Subheading(w.T("audit-last")))
	if s.got && v.On {
		unsealed := w.T("audit-last-all-sealed")
		if v.Unsealed > 0 {
			unsealed = w.N("audit-last-unsealed", int(v.Unsealed), i18n.Args{"Count": ui.Grouped(int(v.Unsealed))})
		}
		col.Add(ui.Column(ui.SizeSmallGap,
			ui.NewFact(w.T("audit-last-number"), ui.Body(ui.Plain(office.Joined(ui.Grouped(c.Number), w.Moment(c.At))))),
			ui.NewFact(w.T("audit-last-size"), ui.Body(ui.Plain(office.Joined(ui.Grouped(int(c.Size)), unsealed)))),
			ui.NewFact(w.T("audit-last-root"), ui.NewText(ui.RoleBody, ui.Span{Text: grouped(c.Root), Mono: true})),
			ui.NewFact(w.T("audit-last-root-note"), ui.NewListing(inNote(c.Root))),
			ui.NewFact(w.T("audit-witnesses-signed"), ui.Body(ui.Plain(p.signers(c))))))
		p.copies = ui.NewButton(ui.Secondary, w.T("audit-copy"), func() { p.copyNote(c.Note) }).WithLeft(ui.IconCopy)
		if p.copied == c.Note {
			p.copies.Text, p.copies.Left = w.T("audit-copied"), ui.IconCheck
		}
		col.Add(ui.Flow(ui.SizeSmallGap, p.copies))
		col.Add(ui.Hint(ui.Plain(w.T("audit-copy-why"))))
	} else {
		p.waits(col, s)
	}
	p.last.Objects = []fyne.CanvasObject{col}
	p.last.Refresh()
	if had && p.copies != nil {
		ui.Focus(p.copies)
	}
}

// drawKept shows who else keeps the checkpoints.
func (p *witnessesPage) drawKept(s *sealWatch) {
	w, v := p.w, &s.view
	silent := s.silent()
	if !p.changed(2, fmt.Sprint(s.got, s.lost != nil, v.Witnesses, silent, p.Clock().In(time.Local).Format(time.DateOnly))) {
		return // times are written otherwise on the next day
	}
	col := ui.Column(ui.SizeGap, ui.Subheading(w.T("audit-kept")))
	switch {
	case !s.got:
		p.waits(col, s)
	case len(v.Witnesses) == 0:
		col.Add(ui.NewMessage(ui.Warning, w.T("audit-kept-none"), ui.Plain(w.T("audit-kept-none-line"))))
	default:
		col.Add(ui.Hint(ui.Plain(w.T("audit-kept-line"))))
	}
	if len(silent) > 0 {
		names := make([]string, len(silent))
		for i := range silent {
			names[i] = silent[i].Name
		}
		col.Add(ui.NewMessage(ui.Warning, w.N("audit-kept-silent", len(names), i18n.Args{"Names": strings.Join(names, ", ")}), ui.Plain(w.T("audit-kept-silent-line"))))
	}
	for i := range v.Witnesses {
		x := &v.Witnesses[i]
		icon, ink := stateSign(x.State)
		upTo := w.T("audit-kept-nothing")
		switch size := ui.Grouped(int(x.Size)); {
		case x.Size > 0 && x.At.IsZero():
			upTo = w.T("audit-kept-size", i18n.Args{"Size": size})
		case x.Size > 0:
			upTo = w.T("audit-kept-up-to", i18n.Args{"Size": size, "Time": w.Moment(x.At)})
		}
		col.Add(ui.NewRule())
		col.Add(ui.NewMarked(icon, ink, ui.Body(ui.Bold(x.Name)),
			ui.Body(ui.Plain(w.T("audit-kept-"+string(x.State)))), ui.Hint(ui.Plain(upTo)), ui.Hint(ui.Plain(x.URL)).Elide()))
	}
	p.kept.Objects = []fyne.CanvasObject{col}
	p.kept.Refresh()
}

func stateSign(s desk.WitnessState) (ui.Icon, fyne.ThemeColorName) {
	switch s {
	case desk.WitnessAgrees:
		return ui.IconCheck, theme.ColorNameSuccess
	case desk.WitnessBehind:
		return ui.IconClock, theme.ColorNameWarning
	case desk.WitnessAway:
		return ui.IconWarning, theme.ColorNameWarning
	case desk.WitnessDisagrees:
	}
	return ui.IconExclamation, theme.ColorNameError
}

// signers are the witnesses of a checkpoint.
func (p *witnessesPage) signers(c *desk.CheckpointView) string {
	if len(c.Witnesses) == 0 {
		return p.w.T("audit-witnesses-nobody")
	}
	return strings.Join(c.Witnesses, ", ")
}

// row is one day's last checkpoint.
func (p *witnessesPage) row(i int) ui.TableRow {
	s := p.seal()
	if s == nil || i < 0 || i >= len(s.view.Checkpoints) {
		return ui.TableRow{Missing: true}
	}
	w, c := p.w, &s.view.Checkpoints[i]
	action := w.T("audit-copy-short")
	if p.copied != "" && p.copied == c.Note {
		action = w.T("audit-copied")
	}
	return ui.TableRow{Cells: []ui.Cell{
		{Title: p.dayOf(c.At), Note: w.Hour(c.At), Strong: true},
		{Title: ui.Grouped(c.Number), Note: w.N("audit-witnesses-events", int(c.Size), i18n.Args{"Count": ui.Grouped(int(c.Size))})},
		{Title: shortRoot(c.Root), Mono: true},
		{Title: p.signers(c)},
		{Action: action},
	}}
}

// dayOf writes a day of the table.
func (p *witnessesPage) dayOf(t time.Time) string {
	if t.In(time.Local).Format(time.DateOnly) == p.Clock().In(time.Local).Format(time.DateOnly) {
		return p.w.T("office-when-today")
	}
	return p.w.Date(t.In(time.Local))
}

func (p *witnessesPage) copyDay(i int) {
	if s := p.seal(); s != nil && i >= 0 && i < len(s.view.Checkpoints) {
		p.copyNote(s.view.Checkpoints[i].Note)
	}
}

// copyNote puts a checkpoint on the clipboard, to be kept elsewhere.
func (p *witnessesPage) copyNote(note string) {
	fyne.CurrentApp().Clipboard().SetContent(note)
	p.copied = note
	p.show()
}

// grouped writes a hash in groups of four, to be read aloud and compared.
func grouped(hash string) string {
	var b strings.Builder
	for i, r := range hash {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// inNote writes a hash as checkpoints, mails and keydeskd do.
func inNote(hash string) string {
	b, err := hex.DecodeString(hash)
	if err != nil {
		return hash
	}
	return base64.StdEncoding.EncodeToString(b)
}

// shortRoot writes both ends of a hash.
func shortRoot(hash string) string {
	if len(hash) < 24 {
		return grouped(hash)
	}
	return grouped(hash[:8]) + " … " + grouped(hash[len(hash)-8:])
}

// focused says whether a widget has the focus of its window.
func focused(o fyne.Focusable) bool {
	w, ok := o.(fyne.CanvasObject)
	if !ok {
		return false
	}
	c := fyne.CurrentApp().Driver().CanvasForObject(w)
	return c != nil && c.Focused() == o
}
