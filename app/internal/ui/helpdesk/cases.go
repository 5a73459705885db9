package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain/enrolment"
)

const (
	// casesGap is the least time between two looks at the open cases because something
	// changed somewhere.
	casesGap = time.Second
	// countEvery is how often it is looked how much waits, while another page shows.
	countEvery = 15 * time.Second
)

// Approvals is what the page of open cases asks for.
type Approvals interface {
	Cases
	Watched
}

// A casesPage shows what waits for a second person, and what was approved and waits for
// its time. One of them opens over the list. While another page shows, it counts what
// waits for whoever is signed in, and holds nothing else.
type casesPage struct {
	around

	desk    Approvals
	w       words
	counted func() // the count is another one

	got    bool
	lost   bool
	rows   []desk.CaseRow // those that wait first
	since  time.Time
	chosen string // the case that is open; "": the list
	marked string // the chosen row of the list
	waits  int
	said   string
	wrong  string
	decide *decision
	asking bool
	again  bool // something changed since it was asked

	ctx    context.Context //nolint:containedctx // ends when the page is left
	cancel context.CancelFunc
	clocks *ui.Ticker // while it is in sight
	counts *ui.Ticker // while somebody is signed in
	turn   int        // answers to earlier questions are nobody's

	sub    *ui.Text
	live   *ui.Badge
	told   *fyne.Container
	table  *ui.Table
	none   *fyne.Container
	detail *fyne.Container
	back1  *ui.Button // from a case to the list
	scroll *ui.Scroller
	whole  *fyne.Container
	drawn  string // what the open case was made from
}

func newCasesPage(a around, d Approvals, counted func()) *casesPage {
	p := &casesPage{around: a, desk: d, counted: counted}
	p.decide = &decision{
		around: p, desk: d, while: func() context.Context { return p.ctx }, redraw: p.show,
		done: func(v desk.CaseView) {
			p.wrong, p.said = "", p.w.decided(v, p.nameOf(v.Case))
			p.chosen = ""
			p.look()
			p.show()
			ui.Focus(p.table)
		},
		failed: func(err error) {
			p.said, p.wrong = "", p.w.caseRefusal(err)
			p.look()
			p.show()
		},
	}
	return p
}

func (p *casesPage) ID() string { return "cases" }

func (p *casesPage) Title() string { return p.Printer().T("helpdesk-case-page") }

// count goes on counting what waits, until stop.
func (p *casesPage) count() {
	p.look()
	p.counts = ui.NewTicker(countEvery, p.look)
}

// stop ends the counting.
func (p *casesPage) stop() {
	p.counts.Stop()
	p.turn++
}

// waiting is how much waits for whoever is signed in.
func (p *casesPage) waiting() int { return p.waits }

// content builds the page in the language of now, with what it shows.
func (p *casesPage) Content() fyne.CanvasObject {
	p.w = newWords(p)
	w := p.w
	p.sub = ui.Hint(ui.Plain(" "))
	p.live = ui.NewBadge(ui.Info, w.T("helpdesk-live-wait"))
	p.told = ui.Stack()
	p.table = ui.NewTable([]ui.TableColumn{
		{Title: w.T("helpdesk-board-who"), Least: 140, Wanted: 240, Grows: 1},
		{Title: w.T("helpdesk-case-what"), Least: 150, Wanted: 220, Grows: 0.7},
		{Title: w.T("helpdesk-case-evidence"), Least: 160, Wanted: 300, Grows: 1},
		{Title: w.T("helpdesk-case-left"), Least: 84, Wanted: 130},
	}, p.row)
	p.table.OnOpen = p.open
	p.table.OnChoose = func(i int) {
		if i >= 0 && i < len(p.rows) {
			p.marked = p.rows[i].Case
		}
	}
	p.detail, p.none, p.drawn = ui.Column(ui.SizeGap), ui.Stack(), ""
	p.back1 = ui.NewBack(w.T("helpdesk-case-list"), p.close)
	p.scroll = ui.NewScroller(p.detail)
	p.whole = ui.Column(ui.SizeGap,
		ui.Row(ui.SizeGap, ui.GrowCentred(1, ui.Column("", ui.Heading(p.Title()).Elide(), p.sub)), p.live, p.back1),
		p.told, ui.Grow(1, ui.Stack(p.table, p.none, p.scroll)))
	p.show()
	return p.whole
}

// enter is called when the page comes in sight.
func (p *casesPage) Enter() {
	ui.Unfocus()
	p.ctx, p.cancel = context.WithCancel(p.Life())
	p.look()
	w := &watch{of: p.desk, shift: p.SignedIn().ID, gap: casesGap, changed: func(bool) { p.look() }, failed: p.failed}
	w.run(p.ctx)
	p.clocks = ui.NewTicker(countEvery, p.show)
}

// leave drops what was asked.
func (p *casesPage) Leave() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.clocks.Stop()
	p.turn++
	p.cancel, p.asking, p.again = nil, false, false
	p.got, p.rows, p.chosen, p.marked, p.said, p.wrong = false, nil, "", "", "", ""
	p.decide.forget()
	p.Content()
}

// look asks what is open.
func (p *casesPage) look() {
	if p.asking {
		p.again = true
		return
	}
	p.asking, p.again = true, false
	turn, shift := p.turn, p.SignedIn().ID
	ui.Work(p.Life(), func(ctx context.Context) ([]desk.CaseRow, error) { return p.desk.OpenCases(ctx, shift) },
		func(rows []desk.CaseRow, err error) {
			if turn != p.turn {
				return
			}
			p.asking = false
			if err != nil {
				p.failed(err)
				return
			}
			p.reckon(rows)
			if p.cancel == nil {
				return // another page shows
			}
			if r := p.find(p.decide.busy); r != nil && !slices.ContainsFunc(rows, func(o desk.CaseRow) bool { return o.Case == r.Case }) {
				rows = append(rows, *r) // what becomes of it is on its way
			}
			slices.SortStableFunc(rows, func(a, b desk.CaseRow) int { return order(a) - order(b) })
			p.got, p.lost, p.rows, p.since = true, false, rows, p.Clock()
			p.show()
			if p.again {
				p.look()
			}
		})
}

func order(r desk.CaseRow) int {
	if r.Stage == desk.CaseWaiting {
		return 0
	}
	return 1
}

// reckon counts what waits for whoever is signed in.
func (p *casesPage) reckon(rows []desk.CaseRow) {
	n, s := 0, p.SignedIn()
	for i := range rows {
		if mayApprove(s, &rows[i]) {
			n++
		}
	}
	if n != p.waits {
		p.waits = n
		p.counted()
	}
}

func (p *casesPage) failed(err error) {
	if !p.Refused(err) && p.cancel != nil {
		p.lost = true
		p.show()
	}
}

// nameOf is whom a case is about, as far as that shows.
func (p *casesPage) nameOf(id string) string {
	if r := p.find(id); r != nil {
		return r.Name
	}
	return ""
}

func (p *casesPage) find(id string) *desk.CaseRow {
	for i := range p.rows {
		if id != "" && p.rows[i].Case == id {
			return &p.rows[i]
		}
	}
	return nil
}

// open shows one case, with all that it stands on.
func (p *casesPage) open(i int) {
	if i < 0 || i >= len(p.rows) {
		return
	}
	p.chosen, p.marked, p.said, p.wrong = p.rows[i].Case, p.rows[i].Case, "", ""
	p.scroll.ScrollTo(0)
	p.show()
	ui.Focus(p.back1)
}

// close goes back to the list.
func (p *casesPage) close() {
	p.chosen, p.wrong = "", ""
	p.decide.forget()
	p.show()
	ui.Focus(p.table)
}

func (p *casesPage) show() {
	if p.whole == nil {
		return
	}
	w := p.w
	switch {
	case p.lost && p.since.IsZero():
		p.live.Set(ui.Warning, w.T("helpdesk-live-never"))
	case p.lost:
		p.live.Set(ui.Warning, w.T("helpdesk-live-lost", i18n.Args{"Time": w.Hour(p.since)}))
	case p.got:
		p.live.Set(ui.Success, w.T("helpdesk-live", i18n.Args{"Time": w.Hour(p.since)}))
	}
	p.told.Objects, p.told.Hidden = nil, p.said == "" && p.wrong == ""
	switch {
	case p.wrong != "":
		p.told.Objects = []fyne.CanvasObject{ui.NewMessage(ui.Failure, "", ui.Plain(p.wrong))}
	case p.said != "":
		p.told.Objects = []fyne.CanvasObject{ui.NewMessage(ui.Success, "", ui.Plain(p.said))}
	}
	p.sub.SetText(" ")
	switch {
	case p.got && p.waits == 0:
		p.sub.SetText(w.T("helpdesk-case-none-for-you"))
	case p.got:
		p.sub.SetText(w.N("helpdesk-case-for-you", p.waits))
	}
	r := p.find(p.chosen)
	if r == nil && p.got && p.chosen != "" { // it is over
		if p.said == "" && p.wrong == "" {
			p.said = w.T("helpdesk-case-gone")
		}
		p.chosen = ""
		p.decide.forget()
		p.show()
		ui.Focus(p.table)
		return
	}
	p.showList(r == nil)
	p.back1.Hidden, p.scroll.Hidden = r == nil, r == nil
	if r != nil {
		p.showCase(r)
	}
	p.whole.Refresh()
}

func (p *casesPage) showList(on bool) {
	w := p.w
	waiting, at := 0, -1
	for i := range p.rows {
		if p.rows[i].Stage == desk.CaseWaiting {
			waiting++
		}
		if p.rows[i].Case == p.marked {
			at = i
		}
	}
	var parts []ui.Section
	if waiting > 0 {
		parts = append(parts, ui.Section{Title: w.T("helpdesk-case-section-waiting"), Rows: waiting, Urgent: p.waits > 0})
	}
	if rest := len(p.rows) - waiting; rest > 0 {
		parts = append(parts, ui.Section{Title: w.T("helpdesk-case-section-approved"), Rows: rest})
	}
	if !p.got {
		parts = []ui.Section{{Rows: 3}} // on their way
	}
	p.table.SetSections(parts)
	p.table.Choose(at, false)
	p.table.Redraw()
	bare := p.got && len(p.rows) == 0
	p.table.Hidden, p.none.Hidden, p.none.Objects = !on || bare, !on || !bare, nil
	if bare {
		p.none.Objects = []fyne.CanvasObject{ui.NewEmpty(ui.IconShieldCheck, w.T("helpdesk-case-none"), w.T("helpdesk-case-none-advice"), nil)}
	}
}

// row says what is in a row.
func (p *casesPage) row(i int) ui.TableRow {
	if i >= len(p.rows) {
		return ui.TableRow{Missing: true}
	}
	w, r := p.w, &p.rows[i]
	name := r.Name
	if name == "" {
		name = w.T("helpdesk-no-name")
	}
	mine := mayApprove(p.SignedIn(), r)
	left := ui.Cell{Title: w.left(r.Expires), Note: w.T("helpdesk-case-to", i18n.Args{"Time": w.ahead(r.Expires)})}
	mark := ui.MarkNow
	if r.Stage == desk.CaseApproved {
		mark = ui.MarkResting
		left = ui.Cell{Title: w.left(r.NotBefore), Note: w.T("helpdesk-case-then", i18n.Args{"Time": w.ahead(r.NotBefore)})}
	}
	if r.Stage == desk.CaseWaiting && r.Expires.Sub(p.Clock()) < 10*time.Minute {
		left.Ink, left.Strong = theme.ColorNameError, true
	}
	return ui.TableRow{Urgent: mine, Cells: []ui.Cell{
		{Title: name, Note: r.Team, Strong: true, Mark: mark},
		{Title: w.action(r.Action), Note: w.reason(r.Action, r.Reason)},
		{Title: p.standsOn(r), Note: p.asker(r)},
		left,
	}}
}

// standsOn says what a case stands on, and where the person was.
func (p *casesPage) standsOn(r *desk.CaseRow) string {
	if r.Action == enrolment.Erasing {
		return p.w.evidence(&r.CaseView)
	}
	return office.Joined(p.w.evidence(&r.CaseView), p.w.where(r.Remote))
}

// asker says who asked, and when.
func (p *casesPage) asker(r *desk.CaseRow) string {
	by := p.w.somebody(r.ByName)
	if r.Mine {
		by = p.w.T("helpdesk-case-you")
	}
	return office.Joined(by, p.w.Moment(r.Asked))
}

// showCase draws the case that is open.
func (p *casesPage) showCase(r *desk.CaseRow) {
	w := p.w
	key := fmt.Sprint(*r, p.decide.key(), w.Hour(p.Clock()), p.SignedIn().Rights)
	if p.drawn == key {
		return
	}
	p.drawn = key
	name := r.Name
	if name == "" {
		name = w.T("helpdesk-no-name")
	}
	args := w.about(r.Name)
	facts := ui.Column(ui.SizeSmallGap)
	add := func(id, value string) { facts.Add(fact(w.T(id), value)) }
	add("helpdesk-case-what", w.action(r.Action))
	add("helpdesk-case-reason-is", w.reason(r.Action, r.Reason))
	add("helpdesk-case-evidence", w.evidence(&r.CaseView))
	if r.Action != enrolment.Erasing {
		add("helpdesk-case-place", capital(w.where(r.Remote)))
	}
	add("helpdesk-case-by", p.asker(r))
	if r.Ticket {
		add("helpdesk-case-ticket-is", w.T("helpdesk-case-ticket-there"))
	}
	end := w.T("helpdesk-case-ends", i18n.Args{"Left": w.left(r.Expires), "Time": w.ahead(r.Expires)})
	title, icon := "helpdesk-case-waiting", ui.IconPeople
	if r.Stage == desk.CaseApproved {
		title, icon = "helpdesk-case-approved", ui.IconClock
		args["Until"], args["Second"] = w.ahead(r.NotBefore), w.somebody(r.SecondName)
		end = w.T("helpdesk-case-line-approved", args)
	}
	words := ui.Column(ui.SizeGap, facts, ui.NewMessage(ui.Info, "", ui.Plain(w.T("helpdesk-action-does-"+string(r.Action), args)), ui.Plain(" "+p.then(r))))
	if r.Action == enrolment.Erasing {
		words.Add(w.erasure(args))
	}
	if r.Stage == desk.CaseWaiting && r.Mine {
		words.Add(ui.Hint(ui.Plain(w.T("helpdesk-case-mine"))))
	}
	see := ui.NewButton(ui.Small, w.T("helpdesk-case-person"), func() { p.openPerson(r.Subject) })
	p.detail.Objects = []fyne.CanvasObject{
		ui.NewBanner(icon, w.T(title), ui.Body(ui.Plain(end)), p.decide.buttons(w, r)...),
		ui.NewCard(ui.Surface, ui.Column(ui.SizeGap, ui.Apart(200, ui.Column("", ui.Subheading(name), ui.Hint(ui.Plain(r.Team))), see), words)),
	}
	p.detail.Refresh()
	p.scroll.Refresh()
	p.decide.refocus()
}

// then says what an approval leads to.
func (p *casesPage) then(r *desk.CaseRow) string {
	switch {
	case r.Stage == desk.CaseApproved:
		return ""
	case r.Remote && r.Action.Waits():
		return p.w.T("helpdesk-case-then-afar", p.w.about(r.Name))
	}
	return p.w.T("helpdesk-case-then-here", p.w.about(r.Name))
}

// key takes what nothing else took.
func (p *casesPage) Key(e *fyne.KeyEvent) bool {
	switch {
	case e.Name == fyne.KeyEscape && p.decide.asks():
		p.decide.stopAsking()
		return true
	case e.Name == fyne.KeyEscape && p.chosen != "":
		p.close()
		return true
	case e.Name == fyne.KeyEscape:
		return false
	case p.chosen != "":
		return p.scroll.TypedKey(e)
	}
	switch e.Name {
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd:
		return office.ToTable(p.table, e)
	}
	return false
}
