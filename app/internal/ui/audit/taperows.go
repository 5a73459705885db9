package audit

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
)

const (
	// windowRows is how many events a window over them has: what is in sight of a large
	// screen, and as many again above and below it.
	windowRows = 120
	// nearEdge is how near what is in sight comes to the end of the window before another
	// one is asked for.
	nearEdge = 12
)

// rowState is the table of events, and what it is narrowed to.
type rowState struct {
	filter desk.EventFilter
	name   string     // of the person that it is narrowed to
	actor  desk.Facet // by whom it was narrowed to last

	lane   lane[desk.EventQuery, desk.EventPage]
	have   desk.EventPage
	of     desk.EventQuery // what have answers
	got    bool
	dated  bool // there are events of other days than the moment
	single bool // they are all of one person
	digits int  // of the numbers of events, at most
	fresh  bool // what is asked is another question, which shows from the top

	people lane[string, []desk.PersonHit]

	table  *ui.Table
	none   *fyne.Container
	count  *ui.Text
	chips  *fyne.Container
	kind   *ui.Picker
	person *ui.Picker
	by     *ui.Picker
	role   *ui.Picker
	place  *ui.Picker
	time   *ui.Picker
	chain  *ui.Picker

	times [2]*ui.Field // of the menu of times
	field *ui.Search   // of the menu of people
	hits  *fyne.Container
}

func (r *rowState) begin(ctx context.Context) {
	r.lane.begin(ctx)
	r.people.begin(ctx)
}

// forget drops what is held.
func (r *rowState) forget() {
	r.have, r.of, r.got = desk.EventPage{}, desk.EventQuery{}, false
}

// partly says that the index is still being made: not all events are counted.
func (r *rowState) partly() bool { return r.got && r.have.Ready < 1 }

// waits says that more can be said of the same events before long: of their number, or
// whom they are about.
func (r *rowState) waits() bool { return r.partly() || r.got && r.have.Unnamed }

// narrowed says whether a filter is set.
func (r *rowState) narrowed() bool {
	f := r.filter
	return !f.Subject.IsZero() || len(f.Types) > 0 || f.Actor != "" || f.Role != "" || f.Station != "" || f.Correlation != (domain.EventID{}) ||
		!f.From.IsZero() || !f.To.IsZero()
}

func (p *tapePage) rowLanes() {
	r := &p.rows
	r.lane.ask = func(ctx context.Context, q desk.EventQuery) (desk.EventPage, error) {
		return p.desk.Events(ctx, p.shift(), q)
	}
	r.lane.then = p.rowsCame
	r.people.ask = func(ctx context.Context, words string) ([]desk.PersonHit, error) {
		return p.desk.FindPerson(ctx, p.shift(), words)
	}
	r.people.then = p.peopleCame
}

// buildLower builds the table, and what stands beside it.
func (p *tapePage) buildLower() fyne.CanvasObject {
	r := &p.rows
	r.table = ui.NewTable(p.columns(), p.row)
	r.table.Compact, r.table.Flush, r.table.Least = true, true, 6
	r.table.OnWindow = func(int, int) { p.nearEnd() }
	r.table.OnOpen = func(i int) {
		if e, ok := r.row(i); ok {
			p.openEvent(e.Position)
		}
	}
	r.none = ui.Stack()
	r.none.Hide()
	p.buildChips()
	p.aside.lower = ui.Stack()
	p.aside.sheet = ui.NewSheet(r.chips, ui.Stack(r.table, r.none))
	p.buildAside()
	return p.aside.lower
}

func (p *tapePage) columns() []ui.TableColumn {
	w, at, hash := p.w, float32(104), 106+10*float32(p.rows.digits)
	if p.rows.dated {
		at = 172
	}
	all := []ui.TableColumn{
		{Title: w.T("tape-column-time"), Least: at, Wanted: at},
		{Title: w.T("tape-column-event"), Least: 180, Wanted: 260, Grows: 1},
		{Title: w.T("tape-column-person"), Least: 96, Wanted: 130, Grows: 0.5},
		{Title: w.T("tape-column-by"), Least: 96, Wanted: 140, Grows: 0.5, Spare: 2},
		{Title: w.T("tape-column-hash"), Least: hash, Wanted: hash, Right: true, Spare: 1},
	}
	if p.rows.single {
		all = slices.Delete(all, personColumn, personColumn+1)
	}
	return all
}

// personColumn is where the table says whom an event is about, while they are not all about
// one: the chip and what stands beside the table name them then.
const personColumn = 2

// buildChips builds what the table is narrowed with.
func (p *tapePage) buildChips() {
	r := &p.rows
	chip := func(icon ui.Icon, open func(), reset func(f *desk.EventFilter)) *ui.Picker {
		return ui.NewPicker(icon, open, func() {
			f := r.filter
			reset(&f)
			p.filter(f, r.name)
		})
	}
	r.kind = chip(ui.IconFilter, p.askKind, func(f *desk.EventFilter) { f.Types = nil })
	r.person = chip("", p.askPerson, func(f *desk.EventFilter) { f.Subject = domain.SubjectID{} })
	r.by = chip("", p.askActor, func(f *desk.EventFilter) { f.Actor = "" })
	r.role = chip("", p.askRole, func(f *desk.EventFilter) { f.Role = "" })
	r.place = chip("", p.askStation, func(f *desk.EventFilter) { f.Station = "" })
	r.time = chip("", p.askTime, func(f *desk.EventFilter) { f.From, f.To = time.Time{}, time.Time{} })
	var chain *ui.Picker
	chain = chip("", func() { chain.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete}) }, func(f *desk.EventFilter) { f.Correlation = domain.EventID{} })
	r.chain = chain
	r.count = ui.Hint(ui.Plain(" ")).OneLine()
	r.chips = ui.FlowApart(ui.SizeSmallGap, r.kind, r.person, r.by, r.role, r.place, r.time, r.chain, r.count)
}

// filter narrows to something else. What is shown stays until the answer comes.
func (p *tapePage) filter(f desk.EventFilter, name string) {
	r := &p.rows
	was := r.filter.Subject
	if f.Subject.IsZero() {
		name = ""
	}
	r.filter, r.name = f, name
	p.tape.ended = 0
	if was != f.Subject {
		p.aside.forgetPerson()
		p.wantPerson()
		p.showAside()
	}
	p.showChips()
	p.relay()
	r.renew(p)
}

// renew asks another question: the answer shows from the top.
func (r *rowState) renew(p *tapePage) {
	r.fresh = true
	r.ask(p)
}

// at shows the events up to the moment that shows now.
func (r *rowState) at(p *tapePage, first bool) {
	if first || p.until() != r.of.Until {
		r.fresh = true
	}
	r.ask(p)
}

// nearEnd asks for another window where what is in sight comes near the end of this one.
func (p *tapePage) nearEnd() {
	r := &p.rows
	from, to := r.table.Window()
	from, to = max(0, from-nearEdge), min(to+nearEdge, r.have.Total)
	if r.got && !r.fresh && (from < r.of.Offset || to > r.of.Offset+len(r.have.Rows)) {
		r.ask(p)
	}
}

// ask asks for the rows in sight and around them.
func (r *rowState) ask(p *tapePage) {
	q := desk.EventQuery{Filter: r.filter, Until: p.until(), Limit: windowRows}
	if !r.fresh {
		from, to := r.table.Window()
		q.Offset = max(0, from-(windowRows-(to-from))/2)
	}
	r.lane.want(q)
}

// rowsCame shows an answer. What was in sight stays where it was, however many events
// have come before it.
func (p *tapePage) rowsCame(q desk.EventQuery, page desk.EventPage, err error) {
	r := &p.rows
	if err != nil {
		p.failed(err)
		return
	}
	if q.Until != p.until() || !sameFilter(q.Filter, r.filter) {
		r.ask(p) // something else is wanted already
		return
	}
	top, above := r.table.Anchor()
	chosen, has := r.row(r.table.Chosen())
	came := page.Total - r.have.Total
	fresh := r.fresh
	r.have, r.of, r.got, r.fresh = page, q, true, false
	by := p.moment().In(time.Local)
	other := func(e desk.EventRow) bool { return !sameDay(e.Recorded, by) }
	dated, digits := slices.ContainsFunc(page.Rows, other), len(strconv.FormatUint(p.tape.hist.Position, 10))
	single := !q.Filter.Subject.IsZero()
	if dated != r.dated || digits != r.digits || single != r.single {
		r.dated, r.digits, r.single = dated, digits, single
		r.table.SetColumns(p.columns())
	}
	p.showRows()
	switch {
	case fresh:
		r.table.SetAnchor(-1, 0)
	case top >= 0 && came > 0:
		r.table.SetAnchor(top+came, above)
	}
	now := -1
	switch {
	case p.detail.open != 0:
		now = r.find(p.detail.open)
	case fresh && !p.tape.live && page.Total > 0: // what happened last, at the moment that shows
		now = 0
	case has:
		now = r.find(chosen.Position)
	case !fresh && r.table.Chosen() >= 0: // it is out of sight, and not held
		now = r.table.Chosen() + max(0, came)
	}
	r.table.Choose(now, false)
	p.remark()
	p.relay()
	p.nearEnd()
}

func sameFilter(a, b desk.EventFilter) bool {
	return a.Subject == b.Subject && slices.Equal(a.Types, b.Types) && a.Actor == b.Actor && a.Role == b.Role && a.Station == b.Station &&
		a.Correlation == b.Correlation && a.From.Equal(b.From) && a.To.Equal(b.To)
}

// row returns a row, if it is held.
func (r *rowState) row(i int) (desk.EventRow, bool) {
	if i -= r.of.Offset; i >= 0 && i < len(r.have.Rows) {
		return r.have.Rows[i], true
	}
	return desk.EventRow{}, false
}

// find returns which row is of a position, -1 for none that is held.
func (r *rowState) find(position uint64) int {
	for i := range r.have.Rows {
		if r.have.Rows[i].Position == position {
			return r.of.Offset + i
		}
	}
	return -1
}

// row says what is in a row.
func (p *tapePage) row(i int) ui.TableRow {
	e, ok := p.rows.row(i)
	if !ok {
		return ui.TableRow{Missing: true}
	}
	w := p.w
	icon, ink := sign(&e)
	hash, number := strconv.FormatUint(e.Position, 10), ui.ColorMuted
	if len(e.Hash) >= 4 {
		hash += " " + e.Hash[:4] + "…"
	}
	if e.Altered {
		number = theme.ColorNameError
	}
	whom := w.whom(&e)
	if e.Name == "" && !e.Subject.IsZero() && p.rows.have.Unnamed { // it comes
		whom = "…"
	}
	cells := []ui.Cell{
		{Title: w.seconds(e.Recorded, p.moment()), Mono: true},
		{Title: w.event(&e), Icon: icon, Sign: ink, Strong: e.Position == p.detail.open},
		{Title: whom},
		{Title: w.who(&e), Ink: ui.ColorMuted},
		{Title: hash, Mono: true, Ink: number},
	}
	if p.rows.single {
		cells = slices.Delete(cells, personColumn, personColumn+1)
	}
	return ui.TableRow{Cells: cells}
}

// showRows draws table and chips.
func (p *tapePage) showRows() {
	r := &p.rows
	if r.table == nil {
		return
	}
	rows := r.have.Total
	if !r.got {
		rows = 8 // on their way
	}
	r.table.SetSections([]ui.Section{{Rows: rows}})
	p.showChips()
	p.showNone()
}

// showNone says why there is nothing to see.
func (p *tapePage) showNone() {
	r, w := &p.rows, p.w
	bare := r.got && r.have.Total == 0 && !r.partly()
	if bare != r.none.Hidden {
		return
	}
	r.none.Hidden, r.table.Hidden, r.none.Objects = !bare, bare, nil
	if bare {
		var reset *ui.Button
		id, icon := "tape-none", ui.IconClock
		if r.narrowed() {
			id, icon = "tape-none-filter", ui.IconFilter
			reset = ui.NewButton(ui.Secondary, w.T("tape-none-reset"), func() { p.filter(desk.EventFilter{}, "") })
		}
		r.none.Objects = []fyne.CanvasObject{ui.NewEmpty(icon, w.T(id), w.T(id+"-advice"), reset)}
	}
	r.none.Refresh()
}

// showChips says what the table is narrowed to, and to how many.
func (p *tapePage) showChips() {
	r, w, f := &p.rows, p.w, p.rows.filter
	if r.kind == nil {
		return
	}
	name := func(id, value string) string { return w.T("tape-chip-"+id) + ": " + value }
	chip := func(c *ui.Picker, id string, on bool, value string) {
		if !on { // all six fit beside each other
			c.Set(w.T("tape-chip-"+id), false)
			return
		}
		c.Set(name(id, value), true)
	}
	kinds := ""
	if n := len(f.Types); n == 1 {
		kinds = w.kind(f.Types[0])
	} else if n > 1 {
		kinds = w.T("tape-chip-kinds", i18n.Args{"N": n})
	}
	chip(r.kind, "kind", len(f.Types) > 0, kinds)
	who := r.name
	if who == "" {
		who = w.T("tape-no-name", i18n.Args{"ID": f.Subject.String()[:8]})
	}
	chip(r.person, "person", !f.Subject.IsZero(), who)
	chip(r.by, "by", f.Actor != "", w.actor(r.facet(append(slices.Clone(r.have.Actors), r.actor), f.Actor)))
	chip(r.role, "role", f.Role != "", w.roleName(f.Role))
	chip(r.place, "place", f.Station != "", f.Station)
	chip(r.time, "time", !f.From.IsZero() || !f.To.IsZero(), w.span(f.From, f.To))
	r.chain.Hidden = f.Correlation == (domain.EventID{})
	r.chain.Set(name("chain", f.Correlation.String()[:8]), true)
	switch {
	case !r.got:
		r.count.SetText(" ")
	case r.narrowed():
		r.count.SetText(w.T("tape-count", i18n.Args{"N": ui.Grouped(r.have.Total), "All": ui.Grouped(r.have.All)}))
	default:
		r.count.SetText(w.N("tape-count-all", r.have.Total, i18n.Args{"All": ui.Grouped(r.have.Total)}))
	}
}

// chipWords tell apart what takes another place.
func (r *rowState) chipWords() string {
	if r.kind == nil {
		return ""
	}
	all := []string{r.count.String()}
	for _, c := range []*ui.Picker{r.kind, r.person, r.by, r.role, r.place, r.time, r.chain} {
		if c.Visible() {
			all = append(all, c.String())
		}
	}
	return strings.Join(all, "\n")
}

func (*rowState) facet(all []desk.Facet, value string) desk.Facet {
	if i := slices.IndexFunc(all, func(f desk.Facet) bool { return f.Value == value }); i >= 0 {
		return all[i]
	}
	return desk.Facet{Value: value}
}

// all is the choice of a filter that lets everything through.
func (w tapeWords) all(id string) string { return w.T("tape-chip-" + id + "-all") }

// roleName names a role.
func (w tapeWords) roleName(r domain.Role) string {
	if r == "" {
		return ""
	}
	if id := "tape-role-" + string(r); w.Has(id) {
		return w.T(id)
	}
	return string(r)
}

// span writes from when until when.
func (w tapeWords) span(from, to time.Time) string {
	switch {
	case from.IsZero() && to.IsZero():
		return ""
	case from.IsZero():
		return w.T("tape-span-to", i18n.Args{"To": w.minute(to)})
	case to.IsZero():
		return w.T("tape-span-from", i18n.Args{"From": w.minute(from)})
	case isDay(from, to):
		return w.short(from, from.In(time.Local).Year() != w.Now().In(time.Local).Year())
	}
	return w.minute(from) + " – " + w.minute(to)
}

// isDay says that two moments are the begin and the end of one day.
func isDay(from, to time.Time) bool {
	from = from.In(time.Local)
	y, m, d := from.Date()
	return from.Equal(time.Date(y, m, d, 0, 0, 0, 0, time.Local)) && to.Equal(time.Date(y, m, d+1, 0, 0, 0, 0, time.Local))
}
