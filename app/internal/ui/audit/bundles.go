package audit

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
)

// Bundles is what makes bundles. *desk.Auditor has it.
type Bundles interface {
	Export(ctx context.Context, shift string, q desk.ExportQuery) (desk.ExportView, error)
	ExportPart(ctx context.Context, shift, id string, offset int64) ([]byte, error)
	DropExport(ctx context.Context, shift, id string) error
}

const (
	// makeEvery is how often it is asked how far a bundle is.
	makeEvery = 300 * time.Millisecond
	// barEvery is how often the bar follows what is written.
	barEvery = 100 * time.Millisecond
)

// A bundleStage is how far a bundle is.
type bundleStage int

const (
	choosing bundleStage = iota
	making               // on the machine of the desk
	made                 // it lies ready there: where is it to be kept?
	fetchingIt
	kept
)

// A span is which part of the log a bundle is of.
type span int

const (
	spanAll   span = iota
	spanMonth      // the calendar month before this one
	spanDays       // from a day, to a day
	spanUpTo       // up to a position
)

// A bundlesPage makes a bundle: what is to be in it is chosen, it is made, and then kept in
// a file. What is chosen stays until the shift ends; a bundle, too.
type bundlesPage struct {
	around

	desk Bundles
	w    office.Words

	stage    bundleStage
	span     span
	position uint64 // of spanUpTo; 0: it is not offered
	days     [2]string
	lang     string
	since    note   // its text "": none
	sinceIs  string // what it is called: a file, or the clipboard
	query    desk.ExportQuery
	bundle   desk.ExportView
	dir      string // where it is kept
	name     string
	there    bool   // a file of that name is there, and makes way if that is asked once more
	path     string // of the file that was made
	wrong    string // what is wrong, in words
	copied   bool
	stopping bool // what is under way ends
	stopped  bool // it did, and nothing came of it

	life    context.Context    //nolint:containedctx // of the shift in which it goes on
	ctx     context.Context    //nolint:containedctx // of what is under way
	cancel  context.CancelFunc // ends ctx
	turn    int                // answers to earlier questions are nobody's
	written atomic.Int64
	ticker  *ui.Ticker // while the page shows and something is under way
	forget  func()     // follows the seal no more

	head    *head
	spans   map[span]*ui.Option
	langs   map[string]*ui.Option
	from    *ui.Field
	dates   *fyne.Container // those two
	to      *ui.Field
	folder  *ui.Field
	file    *ui.Field
	primary *ui.Button
	halt    *ui.Button // stops what is under way
	bar     *ui.Bar
	count   *ui.Text
	card    *fyne.Container
	body    *fyne.Container
	scroll  *ui.Scroller
}

func newBundlesPage(a around, d Bundles) *bundlesPage {
	return &bundlesPage{around: a, desk: d, lang: a.Printer().Lang(), dir: documents()}
}

// documents is where people keep files; "" where that is not known.
func documents() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	for _, name := range []string{"Documents", "Documenten"} {
		if dir := filepath.Join(home, name); isFolder(dir) {
			return dir
		}
	}
	return home
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// ID tells it apart; see office.Page.
func (p *bundlesPage) ID() string { return "bundles" }

// Title is what it is called.
func (p *bundlesPage) Title() string { return p.Printer().T("audit-bundles") }

// Enter is called when it comes in sight.
func (p *bundlesPage) Enter() {
	ui.Unfocus()
	p.forget = p.seal().follow(func() { p.head.show() })
	p.head.show()
	p.animate()
	p.focus()
}

// Leave stops nothing: a bundle that is being made or fetched goes on.
func (p *bundlesPage) Leave() {
	if p.forget != nil {
		p.forget()
		p.forget = nil
	}
	p.keepTyped()
	p.ticker.Stop()
	p.ticker = nil
}

// upTo has the page offer a bundle of all up to a position.
func (p *bundlesPage) upTo(position uint64) {
	if p.stage != choosing && p.stage != kept {
		return // one at a time
	}
	p.stage, p.position, p.span = choosing, position, spanAll
	if position > 0 {
		p.span = spanUpTo
	}
}

// Content builds the page in the language of now.
func (p *bundlesPage) Content() fyne.CanvasObject {
	p.keepTyped()
	p.w = office.NewWords(p)
	w := p.w
	p.head = newHead(p, p.Title(), w.T("audit-bundles-lead"))
	holds := ui.Column(ui.SizeSmallGap, ui.Subheading(w.T("audit-bundles-holds")))
	for _, part := range []struct {
		icon ui.Icon
		id   string
	}{
		{ui.IconList, "audit-bundles-holds-events"},
		{ui.IconShieldCheck, "audit-bundles-holds-proof"},
		{ui.IconBoard, "audit-bundles-holds-report"},
		{ui.IconLock, "audit-bundles-holds-none"},
	} {
		holds.Add(ui.NewItem(part.icon, true, w.T(part.id), w.T(part.id+"-line")))
	}
	p.card = ui.Stack()
	p.body = ui.NewAside([]fyne.CanvasObject{ui.NewCard(ui.Surface, p.card)}, []fyne.CanvasObject{ui.NewCard(ui.Tinted, holds)})
	p.scroll = ui.NewScroller(p.body)
	p.draw()
	return ui.Column(ui.SizeGap, p.head.whole, ui.Grow(1, p.scroll))
}

// draw builds the card for how far it is.
func (p *bundlesPage) draw() {
	if p.card == nil {
		return
	}
	p.from, p.to, p.folder, p.file, p.primary, p.halt, p.bar, p.count = nil, nil, nil, nil, nil, nil, nil, nil
	col := ui.Column(ui.SizeGap)
	switch p.stage {
	case choosing:
		p.choose(col)
	case making, fetchingIt:
		p.busy(col)
	case made:
		p.ready(col)
	case kept:
		p.done(col)
	}
	p.card.Objects = []fyne.CanvasObject{col}
	p.fit()
}

// fit gives its parts the room that they need now.
func (p *bundlesPage) fit() {
	p.card.Refresh()
	p.body.Refresh()
	p.scroll.Refresh()
}

// redraw draws what has changed, if the page is in sight, and brings the focus to where it
// goes on.
func (p *bundlesPage) redraw() {
	p.keepTyped()
	p.draw()
	if p.forget != nil {
		p.animate()
		p.scroll.ScrollTo(0)
		p.focus()
	}
}

// keepTyped keeps what was typed, before the fields make way.
func (p *bundlesPage) keepTyped() {
	if p.from != nil {
		p.days = [2]string{p.from.Text(), p.to.Text()}
	}
	if p.folder != nil {
		p.dir, p.name = p.folder.Text(), p.file.Text()
	}
}

func (p *bundlesPage) focus() {
	switch {
	case p.forget == nil:
	case p.stage == choosing && p.spans[p.span] != nil:
		ui.Focus(p.spans[p.span])
	case p.primary != nil:
		ui.Focus(p.primary)
	}
}

// Key takes what nothing else took.
func (p *bundlesPage) Key(e *fyne.KeyEvent) bool {
	if e.Name == fyne.KeyEscape && (p.stage == made || p.stage == kept) {
		p.anew()
		return true
	}
	return p.scroll.TypedKey(e)
}

// --- choosing

func (p *bundlesPage) choose(col *fyne.Container) {
	w := p.w
	switch {
	case p.wrong != "":
		col.Add(ui.NewMessage(ui.Failure, w.T("audit-bundles-not"), ui.Plain(p.wrong)))
	case p.stopped:
		col.Add(ui.NewMessage(ui.Info, "", ui.Plain(w.T("audit-bundles-stopped"))))
	}
	p.spans = map[span]*ui.Option{}
	list := ui.Column("")
	add := func(s span, words string) {
		p.spans[s] = ui.NewOption(true, words, func() {
			p.span = s
			p.sync()
			if s == spanDays {
				ui.Focus(p.from.Input())
			}
		})
		list.Add(p.spans[s])
	}
	add(spanAll, w.T("audit-bundles-all"))
	from, _ := p.month()
	add(spanMonth, w.T("audit-bundles-month", i18n.Args{"Month": w.T("office-month-" + from.Format("1")), "Year": from.Year()}))
	if p.position > 0 {
		add(spanUpTo, w.T("audit-bundles-up-to", i18n.Args{"Position": ui.Grouped(int(p.position))})) //nolint:gosec // positions fit
	}
	add(spanDays, w.T("audit-bundles-days"))
	p.from, p.to = ui.NewField(w.T("audit-bundles-from"), w.T("audit-bundles-from-hint")), ui.NewField(w.T("audit-bundles-to"), w.T("audit-bundles-to-hint"))
	for i, f := range []*ui.Field{p.from, p.to} {
		f.SetText(p.days[i])
		f.Input().OnSubmitted = func(string) { p.start() }
	}
	p.dates = ui.Tiles(2, 200, ui.SizeGap, p.from, p.to)
	col.Add(ui.Column(ui.SizeSmallGap, ui.Label(w.T("audit-bundles-which")), list, p.dates))

	langs := ui.Flow(ui.SizeGap)
	p.langs = map[string]*ui.Option{}
	for _, l := range i18n.Languages() {
		p.langs[l] = ui.NewOption(true, i18n.New(l).T("kiosk-language-"+l), func() {
			p.lang = l
			p.sync()
		})
		langs.Add(p.langs[l])
	}
	col.Add(ui.Column(ui.SizeSmallGap, ui.Label(w.T("audit-bundles-language")), langs))
	col.Add(p.older())
	p.primary = ui.NewButton(ui.Primary, w.T("audit-bundles-make"), p.start)
	col.Add(ui.Column(ui.SizeSmallGap, ui.Row(ui.SizeSmallGap, p.primary, ui.Spring()), ui.Hint(ui.Plain(w.T("audit-bundles-recorded")))))
	p.sync()
}

// older is the checkpoint that the bundle is to be consistent with.
func (p *bundlesPage) older() fyne.CanvasObject {
	w := p.w
	col := ui.Column(ui.SizeSmallGap, ui.Label(w.T("audit-bundles-since")), ui.Hint(ui.Plain(w.T("audit-bundles-since-line"))))
	if p.since.text != "" {
		at := w.T("audit-bundles-since-undated")
		if !p.since.at.IsZero() {
			at = w.Moment(p.since.at)
		}
		col.Add(ui.NewItem(ui.IconShieldCheck, true, p.sinceIs, w.N("audit-bundles-since-is", int(p.since.size), i18n.Args{"Count": ui.Grouped(int(p.since.size)), "At": at})))
		col.Add(ui.Flow(ui.SizeSmallGap, ui.NewButton(ui.Small, w.T("audit-bundles-since-none"), func() {
			p.since, p.sinceIs = note{}, ""
			p.redraw()
		})))
		return col
	}
	col.Add(ui.Flow(ui.SizeSmallGap,
		ui.NewButton(ui.Small, w.T("audit-bundles-since-file"), func() {
			p.OpenFile(w.T("audit-bundles-since-file"), []string{".txt", ".checkpoint", ".note", ".eml"}, p.readSince)
		}),
		ui.NewButton(ui.Small, w.T("audit-bundles-since-paste"), func() {
			p.tookSince(fyne.CurrentApp().Clipboard().Content(), w.T("audit-bundles-since-pasted"))
		})))
	return col
}

// readSince reads the older checkpoint from a file.
func (p *bundlesPage) readSince(path string) {
	turn := p.turn
	ui.Work(p.Life(), func(context.Context) (string, error) {
		f, err := os.Open(path) //nolint:gosec // the one that somebody chose
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // only read
		b, err := io.ReadAll(io.LimitReader(f, mostNote+1))
		return string(b), err
	}, func(text string, err error) {
		switch {
		case turn != p.turn || p.stage != choosing:
		case err != nil:
			p.fail(p.w.T("audit-bundles-since-unreadable", i18n.Args{"File": filepath.Base(path)}))
		default:
			p.tookSince(text, filepath.Base(path))
		}
	})
}

func (p *bundlesPage) tookSince(text, from string) {
	n, ok := findNote(text)
	if !ok {
		p.fail(p.w.T("audit-bundles-since-wrong"))
		return
	}
	p.since, p.sinceIs, p.wrong = n, from, ""
	p.redraw()
}

// sync shows what has been chosen.
func (p *bundlesPage) sync() {
	for s, o := range p.spans {
		o.SetOn(s == p.span)
	}
	for l, o := range p.langs {
		o.SetOn(l == p.lang)
	}
	days := p.span == spanDays
	p.dates.Hidden, p.from.Hidden, p.to.Hidden = !days, !days, !days
	p.fit()
}

// month is the calendar month before this one, from its first moment to its end.
func (p *bundlesPage) month() (from, to time.Time) {
	y, m, _ := p.Clock().In(time.Local).Date()
	return time.Date(y, m-1, 1, 0, 0, 0, 0, time.Local), time.Date(y, m, 1, 0, 0, 0, 0, time.Local)
}

// asked returns what is asked for; what is wrong with the first and the last day, in
// words, where that is nothing.
func (p *bundlesPage) asked() (q desk.ExportQuery, wrong [2]string) {
	q.Language, q.Since = p.lang, p.since.text
	switch p.span {
	case spanAll:
	case spanMonth:
		q.From.At, q.To.At = p.month()
	case spanUpTo:
		q.To.Position = p.position
	case spanDays:
		q.From, wrong[0] = p.end(p.days[0], false)
		q.To, wrong[1] = p.end(p.days[1], true)
		if wrong == [2]string{} && !q.From.At.IsZero() && !q.To.At.IsZero() && !q.From.At.Before(q.To.At) {
			wrong[1] = p.w.T("audit-bundles-backwards")
		}
	}
	return q, wrong
}

// end reads the first or the last moment of a bundle, as it was typed: a day is meant from
// its begin, or to its end.
func (p *bundlesPage) end(typed string, last bool) (m desk.Moment, wrong string) {
	if strings.TrimSpace(typed) == "" {
		return m, ""
	}
	now := p.Clock().In(time.Local)
	m, fault := readMoment(typed, p.w.Lang(), now, now)
	y, mon, d := m.At.In(time.Local).Date()
	switch {
	case fault != "":
		return m, p.w.T("tape-moment-" + string(fault))
	case m.Position != 0:
	case m.At.IsZero() && !last: // today
		y, mon, d = now.Date()
		m.At = time.Date(y, mon, d, 0, 0, 0, 0, time.Local)
	case m.At.IsZero():
	case m.At.Nanosecond() != 0 && !last: // the end of a day
		m.At = time.Date(y, mon, d, 0, 0, 0, 0, time.Local)
	case last: // what a bundle goes up to is not in it
		m.At = m.At.Add(1)
	}
	return m, ""
}
