package audit

import (
	"context"
	"errors"
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
	if p.halt != nil {
		p.halt.SetBusy(false) // or its dots go on for nobody
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
	dates := ui.Tiles(2, 200, ui.SizeGap, p.from, p.to)
	list.Add(dates)
	col.Add(ui.Column(ui.SizeSmallGap, ui.Label(w.T("audit-bundles-which")), list))

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
	p.from.Hidden, p.to.Hidden = !days, !days
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

// --- making

// start has the bundle made.
func (p *bundlesPage) start() {
	if p.stage != choosing {
		return
	}
	p.keepTyped()
	q, wrong := p.asked()
	if wrong != [2]string{} {
		p.from.SetError(wrong[0])
		p.to.SetError(wrong[1])
		p.fit()
		if ui.Focus(p.to.Input()); wrong[0] != "" {
			ui.Focus(p.from.Input())
		}
		return
	}
	p.begin(making)
	p.query, p.bundle = q, desk.ExportView{}
	p.redraw()
	p.poll()
}

// begin goes on to something that takes a while, and can be stopped.
func (p *bundlesPage) begin(s bundleStage) {
	if p.turn++; p.cancel != nil {
		p.cancel()
	}
	p.ctx, p.cancel = context.WithCancel(p.Life())
	p.stage, p.wrong, p.there, p.stopping, p.stopped = s, "", false, false, false
}

// poll asks how far it is; the first time, to begin.
func (p *bundlesPage) poll() {
	turn, shift, q := p.turn, p.SignedIn().ID, p.query
	q.ID = p.bundle.ID
	ui.Work(p.ctx, func(ctx context.Context) (desk.ExportView, error) { return p.desk.Export(ctx, shift, q) },
		func(v desk.ExportView, err error) {
			switch {
			case turn != p.turn || p.ctx.Err() != nil:
			case err != nil && p.Refused(err):
			case err != nil:
				p.fail(p.refusal(err))
			case p.stopping: // it is known by now what
				p.bundle = v
				p.drop()
			case v.Running:
				p.bundle = v
				p.tick()
				ui.Later(p.ctx, makeEvery, func() {
					if turn == p.turn {
						p.poll()
					}
				})
			default:
				p.bundle, p.stage, p.name = v, made, v.Name
				p.redraw()
			}
		})
}

// refusal tells why there is no bundle, and what to do.
func (p *bundlesPage) refusal(err error) string {
	if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.BadRange && p.query.Since != "" {
		return p.w.T("audit-refusal-bad-since")
	}
	return p.w.Refusal("audit-refusal", err)
}

// stop ends what is under way: with a bundle that is being made all that was written of
// it goes, and one that is being kept lies ready as before.
func (p *bundlesPage) stop() {
	if p.stopping {
		return
	}
	p.stopping = true
	p.halt.SetBusy(true)
	switch {
	case p.stage == fetchingIt:
		p.cancel()
	case p.bundle.ID != "": // else it is not known yet what is to be dropped
		p.drop()
	}
}

// drop has the desk drop the bundle that is being made, and goes back to where one chooses.
func (p *bundlesPage) drop() {
	p.turn++
	turn, shift, id := p.turn, p.SignedIn().ID, p.bundle.ID
	ui.Work(p.ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, p.desk.DropExport(ctx, shift, id) }, func(_ struct{}, err error) {
		switch {
		case turn != p.turn || p.ctx.Err() != nil || err != nil && p.Refused(err):
		case err != nil:
			p.fail(p.refusal(err))
		default:
			p.anew()
			p.stopped = true
			p.redraw()
		}
	})
}

// fail goes back to where one chooses, and says why.
func (p *bundlesPage) fail(why string) {
	p.turn++
	p.stage, p.wrong, p.stopping = choosing, why, false
	p.redraw()
}

// anew goes back to where one chooses. A bundle that lies ready is not needed any more.
func (p *bundlesPage) anew() {
	if shift, id := p.SignedIn().ID, p.bundle.ID; id != "" && p.stage != making {
		ui.Work(p.Life(), func(ctx context.Context) (struct{}, error) { return struct{}{}, p.desk.DropExport(ctx, shift, id) },
			func(_ struct{}, err error) { p.Refused(err) }) // else it goes by itself
	}
	p.turn++
	p.stage, p.wrong, p.bundle, p.path, p.there, p.copied, p.stopping, p.stopped = choosing, "", desk.ExportView{}, "", false, false, false, false
	p.redraw()
}

func (p *bundlesPage) busy(col *fyne.Container) {
	id := "audit-bundles-making"
	if p.stage == fetchingIt {
		id = "audit-bundles-fetching"
	}
	p.bar, p.count = ui.NewBar(), ui.Hint(ui.Plain(" "))
	p.halt = ui.NewButton(ui.Secondary, p.w.T("audit-bundles-stop"), p.stop).WithLeft(ui.IconCross)
	p.halt.SetBusy(p.stopping)
	col.Add(ui.Column(ui.SizeGap, ui.Subheading(p.w.T(id)), p.bar, p.count, ui.Hint(ui.Plain(p.w.T("audit-bundles-stay"))), ui.Row("", p.halt, ui.Spring())))
	p.tick()
}

// animate has the bar follow what is written, while something is.
func (p *bundlesPage) animate() {
	p.ticker.Stop()
	p.ticker = nil
	if p.stage == fetchingIt {
		p.ticker = ui.NewTicker(barEvery, p.tick)
	}
}

// tick shows how far it is.
func (p *bundlesPage) tick() {
	if p.bar == nil {
		return
	}
	done, total, id := p.bundle.Done, p.bundle.Total, "audit-bundles-count"
	if p.stage == fetchingIt {
		done, total, id = p.written.Load()/1000, max(1, p.bundle.Size/1000), "audit-bundles-bytes"
	}
	p.bar.Set(float32(done) / float32(max(1, total)))
	if total > 0 {
		p.count.SetText(p.w.T(id, i18n.Args{"Done": ui.Grouped(int(done)), "Total": ui.Grouped(int(total))}))
	}
}

// --- keeping

// ready asks where the bundle is to be kept.
func (p *bundlesPage) ready(col *fyne.Container) {
	w := p.w
	switch {
	case p.there:
		col.Add(ui.NewMessage(ui.Warning, w.T("audit-bundles-there"), ui.Plain(w.T("audit-bundles-there-line"))))
	case p.wrong != "":
		col.Add(ui.NewMessage(ui.Failure, w.T("audit-bundles-not-kept"), ui.Plain(p.wrong)))
	default:
		col.Add(ui.NewMessage(ui.Success, w.T("audit-bundles-made"), ui.Plain(w.N("audit-bundles-made-line", int(p.bundle.Events), p.holds()))))
	}
	p.folder, p.file = ui.NewField(w.T("audit-bundles-folder"), ""), ui.NewField(w.T("audit-bundles-file"), "")
	p.folder.SetText(p.dir)
	p.file.SetText(p.name)
	p.file.SetMono(true)
	words := "audit-bundles-keep"
	if p.there {
		words = "audit-bundles-replace"
	}
	p.primary = ui.NewButton(ui.Primary, w.T(words), p.keep)
	for _, f := range []*ui.Field{p.folder, p.file} {
		f.Input().OnSubmitted = func(string) { p.keep() }
		f.Input().OnChanged = func(string) { p.renamed() }
	}
	other := ui.NewButton(ui.Secondary, w.T("audit-bundles-folder-choose"), func() {
		p.OpenFolder(w.T("audit-bundles-folder-choose"), func(path string) {
			if p.stage == made {
				p.keepTyped()
				p.dir, p.there, p.folder = path, false, nil
				p.redraw()
			}
		})
	})
	col.Add(ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, p.folder), other))
	col.Add(p.file)
	col.Add(ui.Flow(ui.SizeSmallGap, p.primary, ui.NewButton(ui.Quiet, w.T("audit-bundles-drop"), p.anew)))
}

// renamed takes back that the file that is there makes way: it is another one now.
func (p *bundlesPage) renamed() {
	if p.there {
		p.there = false
		p.primary.SetText(p.w.T("audit-bundles-keep"))
	}
}

// holds are the values of a sentence about what the bundle holds.
func (p *bundlesPage) holds() i18n.Args {
	return i18n.Args{"Count": ui.Grouped(int(p.bundle.Events)), "Size": size(p.bundle.Size)}
}

// size writes how large something is: 1,2 MB would want a language; whole kB do not.
func size(bytes int64) string {
	if bytes < 10_000_000 {
		return ui.Grouped(int((bytes+999)/1000)) + " kB"
	}
	return ui.Grouped(int((bytes+999_999)/1_000_000)) + " MB"
}

// keep writes the bundle to the file.
func (p *bundlesPage) keep() {
	if p.stage != made {
		return
	}
	p.keepTyped()
	name := strings.TrimSpace(p.name)
	if name == "" || name != filepath.Base(name) || strings.ContainsAny(name, `/\`) {
		p.wrong, p.there = p.w.T("audit-bundles-no-name"), false
		p.redraw()
		return
	}
	if filepath.Ext(name) == "" {
		name += ".zip"
	}
	shift, id := p.SignedIn().ID, p.bundle.ID
	p.written.Store(0)
	f := fetching{
		part: func(ctx context.Context, offset int64) ([]byte, error) {
			return p.desk.ExportPart(ctx, shift, id, offset)
		},
		size: p.bundle.Size, path: filepath.Join(strings.TrimSpace(p.dir), name), replace: p.there, progress: p.written.Store,
	}
	p.begin(fetchingIt)
	turn, life := p.turn, p.Life()
	p.redraw()
	ui.Work(p.ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f.run(ctx) }, func(_ struct{}, err error) {
		switch {
		case turn != p.turn || life.Err() != nil:
		case err == nil: // it was all there before it could be stopped, too
			p.stage, p.path, p.stopping = kept, f.path, false
			p.redraw()
		case p.stopping:
			p.stage, p.stopping = made, false
			p.redraw()
		case p.Refused(err):
		default:
			p.unkept(err)
		}
	})
}

// unkept says why the bundle is in no file. It still lies ready, unless it is gone.
func (p *bundlesPage) unkept(err error) {
	r, refused := errors.AsType[*desk.Refusal](err)
	switch {
	case refused && r.Code == desk.NoExport:
		p.fail(p.refusal(err))
		return
	case errors.Is(err, errThere):
		p.there = true
	case refused:
		p.wrong = p.refusal(err)
	case errors.Is(err, errLength):
		p.wrong = p.w.T("audit-bundles-cut")
	default:
		id, folder := "audit-bundles-unwritable", strings.TrimSpace(p.dir)
		if !isFolder(folder) {
			id = "audit-bundles-no-folder"
		}
		p.wrong = p.w.T(id, i18n.Args{"Folder": folder})
	}
	p.stage = made
	p.redraw()
}

// done says what was made, and how somebody else verifies it.
func (p *bundlesPage) done(col *fyne.Container) {
	w := p.w
	col.Add(ui.NewMessage(ui.Success, w.T("audit-bundles-kept"), ui.Plain(w.N("audit-bundles-made-line", int(p.bundle.Events), p.holds()))))
	col.Add(ui.NewFact(w.T("audit-bundles-file"), ui.NewListing(p.path)))
	copied := ui.NewButton(ui.Small, w.T("audit-bundles-copy"), nil).WithLeft(ui.IconCopy)
	if p.copied {
		copied.Text, copied.Left = w.T("audit-bundles-copied"), ui.IconCheck
	}
	copied.OnTapped = func() {
		fyne.CurrentApp().Clipboard().SetContent(p.command())
		p.copied = true
		copied.Left = ui.IconCheck
		copied.SetText(w.T("audit-bundles-copied"))
	}
	verify := "audit-bundles-verify-line"
	if p.query.Since != "" {
		verify = "audit-bundles-verify-since"
	}
	col.Add(ui.Column(ui.SizeSmallGap, ui.Label(w.T("audit-bundles-verify")), ui.Body(ui.Plain(w.T(verify))),
		ui.NewListing(p.command()), ui.Flow(ui.SizeSmallGap, copied)))
	p.primary = ui.NewButton(ui.Secondary, w.T("audit-bundles-another"), p.anew)
	col.Add(ui.Row(ui.SizeSmallGap, p.primary, ui.Spring()))
}

// command is what verifies the bundle, on any machine that has the program.
func (p *bundlesPage) command() string {
	name := filepath.Base(p.path)
	if strings.ContainsAny(name, " '\"()&;|<>*?$`!") {
		name = "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	command := "keydeskd verify " + name
	if p.query.Since != "" {
		command += " --since checkpoint.txt"
	}
	return command
}
