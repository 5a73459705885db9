package helpdesk

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
)

const (
	// pageRows is how many rows a window over the board has: what is in sight of a
	// large screen, and as many again above and below it.
	pageRows = 120
	// nearEdge is how near what is in sight comes to the end of the window before
	// another one is asked for.
	nearEdge = 12
	// liveGap is the least time between two looks because something changed.
	liveGap = 100 * time.Millisecond
	// minutePasses is how often what shows is drawn anew because time passes.
	minutePasses = 20 * time.Second
)

// A boardPage shows who stands where: of today, or everybody. Of all the rows it
// holds one window, and drops that when it is left.
type boardPage struct {
	around

	desk  Boards
	scope desk.BoardScope
	w     words

	filter desk.BoardFilter
	search string
	folded bool // who is done does not show

	got    bool // there was an answer to this query
	have   desk.BoardPage
	of     desk.BoardQuery  // what have answers
	since  time.Time        // when have came, by the window's clock
	lost   bool             // the last answer did not come
	chosen domain.SubjectID // whose row is chosen

	ctx     context.Context //nolint:containedctx // ends when the page is left
	cancel  context.CancelFunc
	query   context.Context //nolint:containedctx // ends when another query is made
	turn    int             // of the question: answers to earlier ones are nobody's any more
	drop    context.CancelFunc
	asking  bool
	again   bool // ask once more, when the answer is there
	seen    uint64
	minute  *ui.Ticker
	seeking bool    // the answer to this query is to show from a row of its own …
	toRow   int     // … which is this one, or -1 for the top …
	toAbove float64 // … with so much of it above what is in sight

	sub     *ui.Text
	field   *ui.Search
	filters map[desk.BoardFilter]*ui.Filter
	live    *ui.Badge
	notice  *ui.Message
	table   *ui.Table
	none    *fyne.Container
	whole   *fyne.Container
	drawn   string // what whole was last laid out for
}

func newBoardPage(a around, d Boards, scope desk.BoardScope) *boardPage {
	return &boardPage{around: a, desk: d, scope: scope, filter: desk.FilterAll, folded: scope == desk.ScopeToday, toRow: -1}
}

func (b *boardPage) ID() string { return "board-" + string(b.scope) }

func (b *boardPage) Title() string { return b.Printer().T("helpdesk-board-" + string(b.scope)) }

// content builds the page in the language of now, with what it shows.
func (b *boardPage) Content() fyne.CanvasObject {
	b.w = newWords(b)
	w := b.w
	b.drawn = ""
	b.sub = ui.Hint(ui.Plain(" "))
	typed := b.search
	if b.field != nil {
		b.field.Stop()
		typed = b.field.Text()
	}
	b.field = ui.NewSearch(w.T("helpdesk-search"), "/", w.T("helpdesk-search-clear"))
	b.field.SetText(typed)
	b.field.OnSearch = b.seek
	b.field.OnDown = func() { ui.Focus(b.table) }
	b.live = ui.NewBadge(ui.Info, w.T("helpdesk-live-wait"))
	b.notice = ui.NewMessage(ui.Info, "")
	b.notice.Hide()
	b.table = ui.NewTable(b.columns(), b.row)
	b.table.OnWindow = func(int, int) { b.look() }
	b.table.OnOpen = b.open
	b.table.OnFold = func(int) { b.folded = !b.folded; b.show() }
	b.table.OnChoose = func(i int) {
		r, _ := b.at(i) // nobody yet, where the row is not there yet
		b.chosen = r.Subject
	}
	b.none = ui.Stack()
	b.none.Hide()
	b.whole = ui.Column(ui.SizeGap,
		ui.Row(ui.SizeGap, ui.GrowCentred(3, ui.Column("", ui.Heading(b.Title()).Elide(), b.sub)), ui.GrowCentred(2, b.field)),
		b.chips(), b.notice, ui.Grow(1, ui.Stack(b.table, b.none)))
	b.show()
	return b.whole
}

func (b *boardPage) columns() []ui.TableColumn {
	w, parts := b.w, make([]string, 0, 6)
	for _, step := range []string{"email", "password", "phone", "sms", "factor", "done"} {
		parts = append(parts, w.T("helpdesk-step-"+step))
	}
	return []ui.TableColumn{
		{Title: w.T("helpdesk-board-who"), Least: 150, Wanted: 240, Grows: 1},
		{Title: w.T("helpdesk-board-steps"), Parts: parts, Least: 190, Wanted: 480, Yields: true},
		{Title: w.T("helpdesk-board-now"), Least: 150, Wanted: 240, Grows: 1.2},
		{Least: 96, Wanted: 120},
	}
}

// offered are the filters of the page; those that are rarely needed show while
// there is something behind them.
func (b *boardPage) offered(c desk.BoardCounts) []filterCount {
	all := []filterCount{
		{desk.FilterAll, c.All, true},
		{desk.FilterStuck, c.Stuck, true},
		{desk.FilterBusy, c.Busy, true},
		{desk.FilterWaiting, c.Waiting, true},
		{desk.FilterDone, c.Done, true},
		{desk.FilterFrozen, c.Frozen, c.Frozen > 0},
		{desk.FilterGone, c.Gone, c.Gone > 0},
	}
	for i := range all {
		all[i].shown = all[i].shown || all[i].filter == b.filter
	}
	return all
}

type filterCount struct {
	filter desk.BoardFilter
	count  int
	shown  bool
}

func (b *boardPage) chips() fyne.CanvasObject {
	b.filters = map[desk.BoardFilter]*ui.Filter{}
	row := ui.FlowApart(ui.SizeSmallGap)
	for _, o := range b.offered(desk.BoardCounts{}) {
		f := ui.NewFilter(b.w.T("helpdesk-filter-"+string(o.filter)), o.filter == desk.FilterStuck, func() { b.narrow(o.filter) })
		b.filters[o.filter] = f
		row.Add(f)
	}
	row.Add(b.live)
	return row
}

// --- asking

// enter is called when the page comes in sight.
func (b *boardPage) Enter() {
	ui.Unfocus()
	if !b.chosen.IsZero() { // from their page: the arrows go on from there
		ui.Focus(b.table)
	}
	b.ctx, b.cancel = context.WithCancel(b.Life())
	b.renew(b.toRow, b.toAbove) // where one was
	w := &watch{of: b.desk, shift: b.SignedIn().ID, gap: liveGap, changed: func(bool) { b.ask() }, failed: b.failed}
	w.run(b.ctx)
	b.minute = ui.NewTicker(minutePasses, func() { b.table.Redraw() })
}

// leave drops what was asked and what is held of people.
func (b *boardPage) Leave() {
	if b.cancel == nil {
		return
	}
	b.cancel()
	b.turn++
	b.minute.Stop()
	b.field.Stop()
	b.cancel = nil
	b.toRow, b.toAbove = b.table.Anchor()
	b.have, b.of, b.got = desk.BoardPage{}, desk.BoardQuery{}, false
	b.show()
	b.table.Clear()
}

// seek searches.
func (b *boardPage) seek(typed string) {
	b.search = typed
	b.renew(-1, 0)
}

// narrow shows what a filter lets through.
func (b *boardPage) narrow(f desk.BoardFilter) {
	if f != b.filter {
		b.filter = f
		b.renew(-1, 0)
	}
}

// renew asks another question: what was asked before is nobody's answer any more.
// What is shown stays until the answer comes, which shows from a row, or -1 from the
// top.
func (b *boardPage) renew(row int, above float64) {
	if b.cancel == nil {
		return
	}
	if b.drop != nil {
		b.drop()
	}
	b.query, b.drop = context.WithCancel(b.ctx)
	b.turn++
	b.asking, b.again, b.seeking = false, false, true
	b.toRow, b.toAbove = row, above
	b.marks()
	b.ask()
}

// look asks for another window where what is in sight comes near the end of this
// one.
func (b *boardPage) look() {
	from, to := b.table.Window()
	from, to = max(0, from-nearEdge), min(to+nearEdge, b.have.Total)
	if b.got && !b.seeking && (from < b.of.Offset || to > b.of.Offset+len(b.have.Rows)) {
		b.ask()
	}
}

// ask asks for the rows in sight and around them. While an answer is awaited, the
// last wish counts.
func (b *boardPage) ask() {
	if b.cancel == nil {
		return
	}
	if b.asking {
		b.again = true
		return
	}
	b.asking, b.again = true, false
	y, m, day := b.Clock().In(time.Local).Date()
	q := desk.BoardQuery{
		Scope: b.scope, Filter: b.filter, Search: b.search, Midnight: time.Date(y, m, day, 0, 0, 0, 0, time.Local), Limit: pageRows,
	}
	from, to := b.table.Window()
	if b.seeking {
		from, to = b.toRow, b.toRow
	}
	q.Offset = max(0, from-(pageRows-(to-from))/2)
	turn, shift := b.turn, b.SignedIn().ID
	ui.Work(b.query, func(ctx context.Context) (desk.BoardPage, error) { return b.desk.Board(ctx, shift, q) },
		func(page desk.BoardPage, err error) {
			if turn != b.turn {
				return
			}
			b.asking = false
			if err != nil {
				b.failed(err)
				return
			}
			b.arrived(page, q)
			if b.again {
				b.ask()
			}
		})
}

// failed says that there is no answer; the page goes on showing the last one.
func (b *boardPage) failed(err error) {
	if b.Refused(err) {
		return
	}
	b.lost = true
	b.marks()
}

// arrived shows an answer. Who was chosen stays chosen, and what was in sight stays
// where it was, wherever their rows have gone.
func (b *boardPage) arrived(page desk.BoardPage, q desk.BoardQuery) {
	top, above := b.table.Anchor()
	first, anchored := b.at(top)
	chosen := b.table.Chosen()
	b.have, b.of, b.since, b.got, b.lost = page, q, b.Clock(), true, false
	b.show()
	switch now := b.find(first.Subject); {
	case b.seeking:
		b.table.SetAnchor(b.toRow, b.toAbove)
	case top < 0:
		b.table.SetAnchor(-1, 0)
	case anchored && now >= 0:
		b.table.SetAnchor(now, above)
	}
	b.seeking = false
	if r, ok := b.at(chosen); ok && b.chosen.IsZero() {
		b.chosen = r.Subject
	}
	switch now := b.find(b.chosen); {
	case now >= 0:
		b.table.Choose(now, false)
	case chosen >= q.Offset && chosen < q.Offset+len(page.Rows): // another row is there now
		b.table.Choose(-1, false)
	}
	b.look()
}

// at returns a row, if it is held.
func (b *boardPage) at(i int) (desk.BoardRow, bool) {
	if i -= b.of.Offset; i >= 0 && i < len(b.have.Rows) {
		return b.have.Rows[i], true
	}
	return desk.BoardRow{}, false
}

// find returns which row is about somebody, -1 for none that is held.
func (b *boardPage) find(s domain.SubjectID) int {
	if s.IsZero() {
		return -1
	}
	for i := range b.have.Rows {
		if b.have.Rows[i].Subject == s {
			return b.of.Offset + i
		}
	}
	return -1
}

// --- showing

// show draws what is held.
func (b *boardPage) show() {
	if b.table == nil {
		return
	}
	b.marks()
	b.table.SetSections(b.sections())
	b.empty()
}

// sections are the groups with their headings. What a filter lets through has none.
func (b *boardPage) sections() []ui.Section {
	c, w := b.have.Counts, b.w
	switch {
	case !b.got:
		return []ui.Section{{Rows: 8}} // on their way
	case b.of.Filter != desk.FilterAll || c.Stuck+c.Busy+c.Waiting+c.Done != b.have.Total:
		return []ui.Section{{Rows: b.have.Total}}
	}
	var all []ui.Section
	for _, g := range []struct {
		group desk.BoardGroup
		count int
	}{{desk.GroupStuck, c.Stuck}, {desk.GroupBusy, c.Busy}, {desk.GroupWaiting, c.Waiting}, {desk.GroupDone, c.Done}} {
		s := ui.Section{Title: w.T("helpdesk-filter-" + string(g.group)), Rows: g.count}
		switch {
		case g.group == desk.GroupStuck && g.count == 0 && b.of.Search == "":
			s.Title, s.Good = w.T("helpdesk-board-none-stuck"), true
		case g.count == 0:
			continue
		case g.group == desk.GroupStuck:
			s.Urgent = true
		case g.group == desk.GroupDone:
			s.Good = true
			if b.scope == desk.ScopeToday && b.of.Search == "" {
				s.Folded, s.Fold = b.folded, w.T("helpdesk-board-hide")
				if s.Folded {
					s.Fold = w.T("helpdesk-board-show")
				}
			}
		}
		all = append(all, s)
	}
	return all
}

// row says what is in a row.
func (b *boardPage) row(i int) ui.TableRow {
	r, ok := b.at(i)
	if !ok {
		return ui.TableRow{Missing: true}
	}
	w := b.w
	who := ui.Cell{Title: r.Name, Strong: !r.NoName}
	if r.HelpCode != "" {
		who.Note = w.helpCode(r.HelpCode)
	}
	switch {
	case r.Team != "":
		who.Note = office.Joined(who.Note, r.Team)
	case r.NoName:
		who.Note = office.Joined(w.T("helpdesk-no-name"), who.Note)
	}
	now := ui.Cell{Title: w.Phrase(r.Now), Note: b.lately(&r)}
	action := w.T("helpdesk-board-view")
	urgent := r.Group == desk.GroupStuck
	if urgent {
		now.Strong, now.Ink = true, theme.ColorNameError
		action = w.T("helpdesk-board-help")
	}
	return ui.TableRow{Urgent: urgent, Cells: []ui.Cell{who, {Track: marksOf(r.Steps[:])}, now, {Action: action}}}
}

// lately says since when it is so, and where.
func (b *boardPage) lately(r *desk.BoardRow) string {
	w, since := b.w, ""
	_, at := r.Now.Params["At"]
	_, day := r.Now.Params["Day"]
	switch lasts := b.have.At.Sub(r.Since) + b.Clock().Sub(b.since); {
	case r.Since.IsZero() || at || day || r.Now.ID == "desk-now-still": // not known, or said already
	case r.Group == desk.GroupStuck || r.Group == desk.GroupBusy:
		since = w.Lasts(lasts)
	default:
		since = w.Moment(r.Since)
	}
	if r.Station == "" {
		return since
	}
	return office.Joined(since, w.at(r.Station))
}

// marksOf says how steps are drawn.
func marksOf(steps []desk.StepState) []ui.Mark {
	marks := make([]ui.Mark, len(steps))
	for i, s := range steps {
		switch s {
		case desk.StepNow:
			marks[i] = ui.MarkNow
		case desk.StepStuck:
			marks[i] = ui.MarkStuck
		case desk.StepReady:
			marks[i] = ui.MarkDone
		case desk.StepOpen:
			marks[i] = ui.MarkOpen
		default:
			marks[i] = ui.MarkOpen
		}
	}
	return marks
}

// marks draws what stands above the table.
func (b *boardPage) marks() {
	if b.table == nil {
		return
	}
	w, c := b.w, b.have.Counts
	for _, o := range b.offered(c) {
		f := b.filters[o.filter]
		f.Hidden = !o.shown
		f.SetOn(o.filter == b.filter)
		if f.SetCount(o.count); !b.got {
			f.SetCount(-1)
		}
	}
	switch at := (i18n.Args{"Time": w.Hour(b.since)}); {
	case b.lost && b.since.IsZero():
		b.live.Set(ui.Warning, w.T("helpdesk-live-never"))
	case b.lost:
		b.live.Set(ui.Warning, w.T("helpdesk-live-lost", at))
	case !b.got:
		b.live.Set(ui.Info, w.T("helpdesk-live-wait"))
	default:
		b.live.Set(ui.Success, w.T("helpdesk-live", at))
	}
	b.sub.SetText(b.summary())
	b.remark()
	if now := b.layout(); now != b.drawn {
		b.drawn = now
		b.whole.Refresh()
	}
}

// layout tells apart what takes another place. The rows are the table's own.
func (b *boardPage) layout() string {
	parts := []string{b.live.String(), b.notice.String(), strconv.FormatBool(b.notice.Hidden)}
	for _, o := range b.offered(b.have.Counts) {
		parts = append(parts, b.filters[o.filter].String(), strconv.FormatBool(o.shown))
	}
	return strings.Join(parts, "\n")
}

// summary is the line under the heading.
func (b *boardPage) summary() string {
	w, n := b.w, b.have.Counts.All
	count := i18n.Args{"Count": ui.Grouped(n)}
	switch {
	case !b.got:
		return " "
	case b.of.Search != "":
		return w.N("helpdesk-board-found", n, count)
	case b.scope == desk.ScopeToday:
		return w.Weekday(b.Clock().In(time.Local)) + ": " + w.N("helpdesk-board-colleagues", n, count)
	}
	return w.N("helpdesk-board-everybody-sub", n, count)
}

// remark tells what is to be known beside the rows.
func (b *boardPage) remark() {
	w, have := b.w, b.have
	b.notice.Hidden = true
	switch {
	case !b.got:
	case b.of.Search != "" && len(have.Strangers) > 0:
		s := have.Strangers[0]
		b.notice.Set(w.T("helpdesk-stranger", i18n.Args{"Code": w.helpCode(s.Code), "Station": s.Station, "Time": w.Moment(s.At)}),
			ui.Plain(w.T("helpdesk-stranger-advice")))
		b.notice.Hidden = false
	case have.Names.Open && !have.Names.Ready:
		b.notice.Set("", ui.Plain(w.T("helpdesk-names-loading", i18n.Args{"Done": ui.Grouped(have.Names.Done), "Total": ui.Grouped(have.Names.Total)})))
		b.notice.Hidden = false
	}
}

// empty says why there is nothing to see, and what to do about it.
func (b *boardPage) empty() {
	w, bare := b.w, b.got && b.have.Total == 0
	b.none.Hidden, b.table.Hidden = !bare, bare
	b.none.Objects = nil
	if bare {
		id, icon, button := "helpdesk-empty-"+string(b.scope), ui.IconPerson, (*ui.Button)(nil)
		switch {
		case b.of.Search != "":
			id, icon = "helpdesk-empty-search", ui.IconSearch
			button = ui.NewButton(ui.Secondary, w.T("helpdesk-search-clear"), b.field.Clear)
		case b.of.Filter == desk.FilterStuck:
			id, icon = "helpdesk-empty-stuck", ui.IconCheck
		case b.of.Filter != desk.FilterAll:
			id = "helpdesk-empty-filter"
		}
		if b.of.Search == "" && b.of.Filter != desk.FilterAll {
			button = ui.NewButton(ui.Secondary, w.T("helpdesk-empty-all"), func() { b.narrow(desk.FilterAll) })
		}
		b.none.Objects = []fyne.CanvasObject{ui.NewEmpty(icon, w.T(id), w.T(id+"-advice"), button)}
	}
	b.none.Refresh()
}

// open shows the person of a row.
func (b *boardPage) open(i int) {
	if r, ok := b.at(i); ok {
		b.chosen = r.Subject
		b.openPerson(r.Subject)
	}
}

// key takes what nothing else took: Escape takes back search and filter, and the
// keys of the table bring the focus there.
func (b *boardPage) Key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape:
		switch {
		case b.field.Text() != "":
			b.field.Clear()
		case b.filter != desk.FilterAll:
			b.narrow(desk.FilterAll)
		default:
			return false
		}
		return true
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd:
		return office.ToTable(b.table, e)
	}
	return false
}

// toSearch brings the focus to the line to search with.
func (b *boardPage) ToSearch() { ui.Focus(b.field.Input()) }
