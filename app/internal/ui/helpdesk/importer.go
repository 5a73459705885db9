package helpdesk

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
)

// A List is HR's list, as it was read.
type List struct {
	Staff     desk.StaffList
	Lines     []int // on which each of Staff.People stands
	Rows, Bad int   // that are not empty, and those of them that are left out
	Encoding  string
	Delimiter string
	Ignored   []string // the columns that nobody asked for
	Problems  []ListProblem
	Notes     []ListProblem // what was read in another way than it stands there
}

// A ListProblem is what is wrong in one field of one row.
type ListProblem struct {
	Line   int
	Column string // as the header names it; empty: the whole row
	Reason string // "import-reason-" and it is the message
	Other  int    // the line on which the same stands first
}

// ListRefused says that a file cannot be used as a whole.
type ListRefused struct{ Reason string } //nolint:errname // the word of the design for what a person is told

func (r *ListRefused) Error() string { return "refused: " + r.Reason }

// stage is how far an import is.
type stage int

const (
	picking   stage = iota
	planning        // a list was read, and is compared with what is known
	planned         // what it would change shows
	importing       // it is being done
	imported
)

// An importPage imports HR's list: a file is picked or dropped, what it would change
// shows, and then it is done.
type importPage struct {
	w *Window

	stage  stage
	list   List
	file   string // its name
	plan   desk.ImportPlan
	result desk.Imported
	wrong  string // why nothing came of it, in words
	note   string // why something was not done, in words
	all    bool   // the list is of everybody
	strict bool   // nothing, when a row is bad
	folded map[string]bool
	ctx    context.Context //nolint:containedctx // of what is under way
	cancel context.CancelFunc
	turn   int

	done, total atomic.Int64
	bar         *ui.Bar
	count       *ui.Text
	ticker      *ui.Ticker
	path        *ui.Field
	scroll      *ui.Scroller // while a file is picked
	table       *ui.Table
	groups      []group // in the order of the table
	lines       []importLine
}

// An importLine is a row of the table, of one of its sections.
type importLine struct{ line, who, what string }

func newImportPage(w *Window) *importPage {
	return &importPage{w: w, folded: map[string]bool{"note": true}}
}

func (p *importPage) ID() string    { return "import" }
func (p *importPage) Title() string { return p.w.t("import-title") }
func (p *importPage) Enter()        {}

// leave stops nothing that records: an import that was begun goes on.
func (p *importPage) Leave() {
	p.rest()
}

// rest stops the bar from following what is done.
func (p *importPage) rest() {
	p.ticker.Stop()
	p.ticker = nil
}

func (p *importPage) Key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape:
		if p.stage == planned || p.stage == imported {
			p.anew()
			return true
		}
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd:
		if p.table != nil {
			return office.ToTable(p.table, e)
		}
		if p.scroll != nil {
			return p.scroll.TypedKey(e)
		}
	}
	return false
}

func (p *importPage) Content() fyne.CanvasObject {
	w := p.w
	p.rest()
	head := ui.Column("", ui.Heading(p.Title()).Elide())
	col := ui.Column(ui.SizeGap, head)
	if p.stage == picking {
		head.Add(ui.Body(ui.Plain(w.t("import-lead"))).Ink(ui.ColorMuted))
	}
	p.scroll, p.table = nil, nil
	switch p.stage {
	case picking:
		p.scroll = ui.NewScroller(p.pick())
		col.Add(ui.Grow(1, p.scroll))
	case planning, importing:
		p.busy(col)
	case planned:
		p.show(col)
	case imported:
		p.finished(col)
	}
	return col
}

// pick is how a list is given, and why the last one was not taken.
func (p *importPage) pick() fyne.CanvasObject {
	w := p.w
	col := ui.Column(ui.SizeGap)
	if p.wrong != "" {
		col.Add(ui.NewMessage(ui.Failure, w.t("import-not"), ui.Plain(p.wrong)))
	}
	p.path = ui.NewField(w.t("import-path"), w.t("import-path-hint"))
	p.path.Input().OnSubmitted = func(string) { p.open(strings.TrimSpace(p.path.Text())) }
	choose := ui.NewButton(ui.Primary, w.t("import-choose"), p.choose)
	open := ui.NewButton(ui.Secondary, w.t("import-open"), func() { p.open(strings.TrimSpace(p.path.Text())) })
	col.Add(ui.NewCard(ui.Surface, ui.Column(ui.SizeGap,
		ui.NewItem(ui.IconList, false, w.t("import-drop"), w.t("import-drop-line")),
		ui.Row(ui.SizeSmallGap, choose, ui.Spring()), ui.NewRule(),
		ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, p.path), open))))
	col.Add(ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap,
		ui.Subheading(w.t("import-columns")), ui.Body(ui.Plain(w.t("import-columns-line"))))))
	return col
}

// choose asks for a file in a dialog.
func (p *importPage) choose() {
	p.w.OpenFile(p.w.t("import-choose"), []string{".csv", ".txt"}, p.open)
}

// open reads a file, and compares it with what is known.
func (p *importPage) open(path string) {
	if path == "" || p.stage == importing || p.stage == planning {
		return
	}
	p.file, p.all, p.note = path[strings.LastIndexAny(path, `/\`)+1:], false, ""
	p.begin(planning)
	turn := p.turn
	ui.Work(p.ctx, func(context.Context) (List, error) {
		f, err := os.Open(path) //nolint:gosec // the one that somebody chose
		if err != nil {
			return List{}, err
		}
		defer func() { _ = f.Close() }() // only read
		return p.w.c.ReadList(f)
	}, func(l List, err error) {
		switch {
		case p.turn != turn:
		case err != nil:
			p.fail(p.unread(err))
		default:
			p.list = l
			p.compare()
		}
	})
}

// unread says why a file cannot be used.
func (p *importPage) unread(err error) string {
	if r, ok := errors.AsType[*ListRefused](err); ok {
		return p.w.t("import-refused-" + r.Reason)
	}
	return p.w.t("import-unreadable", i18n.Args{"File": p.file})
}

// begin begins something that takes a while.
func (p *importPage) begin(s stage) {
	p.turn++
	p.ctx, p.cancel = context.WithCancel(p.w.Life())
	if s == importing { // what is being recorded is not broken off by a lock
		p.ctx, p.cancel = context.WithCancel(context.WithoutCancel(p.w.Life()))
	}
	p.stage, p.wrong = s, ""
	p.done.Store(0)
	p.total.Store(0)
	p.redraw()
}

func (p *importPage) fail(why string) {
	p.stage, p.wrong = picking, why
	p.redraw()
}

// anew goes back to where a file is picked.
func (p *importPage) anew() {
	p.turn++
	if p.cancel != nil {
		p.cancel()
	}
	p.stage, p.wrong, p.note, p.list, p.plan, p.result = picking, "", "", List{}, desk.ImportPlan{}, desk.Imported{}
	p.groups, p.lines = nil, nil
	p.redraw()
}

func (p *importPage) redraw() {
	p.w.Redraw(p)
}

// everybody says whether the list is of everybody. With a row that is bad nobody can
// say who is missing from it: the person on that row would leave.
func (p *importPage) everybody() {
	if p.list.Bad > 0 {
		p.note = p.w.t("import-not-everybody")
		p.redraw()
		return
	}
	p.all, p.note = !p.all, ""
	p.compare()
}

// compare plans the import.
func (p *importPage) compare() {
	p.begin(planning)
	turn, shift, l, all := p.turn, p.w.SignedIn().ID, p.list.Staff, p.all
	ui.Work(p.ctx, func(ctx context.Context) (desk.ImportPlan, error) {
		return p.w.c.Staff.PlanImport(ctx, shift, l, all, p.tell)
	}, func(plan desk.ImportPlan, err error) {
		switch {
		case p.turn != turn || p.w.Refused(err):
		case errors.Is(err, desk.ErrNotEverybody):
			p.all, p.note = false, p.w.t("import-not-everybody")
			p.compare()
		case err != nil:
			p.fail(p.w.Says(err))
		default:
			p.plan, p.stage = plan, planned
			p.redraw()
		}
	})
}

// tell notes how far it is, from any goroutine.
func (p *importPage) tell(done, total int) {
	p.done.Store(int64(done))
	p.total.Store(int64(total))
}

func (p *importPage) busy(col *fyne.Container) {
	w := p.w
	title, stop := w.t("import-comparing"), p.anew
	if p.stage == importing {
		title, stop = w.t("import-importing"), func() { p.cancel() } // what is recorded stays
	}
	p.bar, p.count = ui.NewBar(), ui.Hint(ui.Plain(" "))
	p.bar.Set(0)
	col.Add(ui.NewCard(ui.Surface, ui.Column(ui.SizeGap, ui.Subheading(title), ui.Hint(ui.Plain(p.file)).Elide(), p.bar, p.count,
		ui.Row(ui.SizeSmallGap, ui.NewButton(ui.Secondary, w.t("import-stop"), stop), ui.Spring()))))
	p.ticker.Stop()
	p.ticker = ui.NewTicker(100*time.Millisecond, p.progress)
	p.progress()
}

func (p *importPage) progress() {
	done, total := p.done.Load(), p.total.Load()
	if total == 0 {
		return
	}
	p.bar.Set(float32(done) / float32(total))
	p.count.SetText(p.w.t("import-progress", i18n.Args{"Done": ui.Grouped(int(done)), "Total": ui.Grouped(int(total))}))
}

// left is how many rows are left out.
func (p *importPage) left() int { return p.list.Bad + len(p.plan.Refused) }

func (p *importPage) show(col *fyne.Container) {
	w, l := p.w, p.list
	about := w.t("import-read", i18n.Args{"File": p.file, "Rows": l.Rows, "Encoding": l.Encoding, "Delimiter": l.Delimiter})
	if len(l.Ignored) > 0 {
		about += " " + w.t("import-ignored", i18n.Args{"Columns": strings.Join(l.Ignored, ", ")})
	}
	everybody := ui.NewButton(ui.Small, w.t("import-everybody"), p.everybody)
	strict := ui.NewButton(ui.Small, w.t("import-strict"), func() { p.strict = !p.strict; p.redraw() })
	everybody.Left, strict.Left = tick(p.all), tick(p.strict)
	everybody.SetOn(p.all)
	strict.SetOn(p.strict)
	col.Add(ui.Hint(ui.Plain(about)))
	col.Add(ui.Flow(ui.SizeSmallGap, everybody, strict))
	if p.strict && p.left() > 0 {
		col.Add(ui.NewMessage(ui.Warning, "", ui.Plain(w.t("import-strict-bad"))))
	} else if p.note != "" {
		col.Add(ui.NewMessage(ui.Warning, "", ui.Plain(p.note)))
	}
	if len(p.plan.Steps) == 0 {
		col.Add(ui.NewMessage(ui.Success, w.t("import-nothing"), ui.Plain(w.t("import-nothing-line"))))
	}
	foot := ui.Row(ui.SizeSmallGap, ui.NewBack(w.t("back"), p.anew), ui.Spring())
	p.groups = p.planGroups()
	if slices.ContainsFunc(p.groups, func(g group) bool { return len(g.lines) > 0 }) {
		p.tabled(col)
	} else {
		p.groups = nil
	}
	if len(p.plan.Steps) > 0 {
		do := ui.NewNext(w.Printer().N("import-do", len(p.plan.Steps)), p.start)
		do.SetEnabled(!p.strict || p.left() == 0)
		foot.Add(do)
	}
	col.Add(foot)
}

// tabled adds the table of the groups, and under it the row that is chosen, in full:
// a cell may be too narrow for it.
func (p *importPage) tabled(col *fyne.Container) {
	w := p.w
	whole := ui.Body(ui.Plain(" "))
	whole.Hide()
	p.table = ui.NewTable([]ui.TableColumn{
		{Title: w.t("import-line"), Least: 64, Wanted: 84},
		{Title: w.t("import-who"), Least: 160, Wanted: 280, Grows: 1},
		{Title: w.t("import-what"), Least: 200, Wanted: 380, Grows: 2},
	}, p.row)
	p.table.OnFold = p.fold
	p.table.OnChoose = func(row int) {
		if row < 0 || row >= len(p.lines) {
			return
		}
		l := p.lines[row]
		if l.line != "" {
			l.line = w.t("import-line") + " " + l.line
		}
		whole.Set(ui.Bold(office.Joined(l.line, l.who)), ui.Plain(" "+l.what))
		whole.Show()
		col.Refresh()
	}
	p.sections()
	col.Add(ui.Grow(1, p.table))
	col.Add(whole)
}

// tick is the sign of a choice that can be on.
func tick(on bool) ui.Icon {
	if on {
		return ui.IconCheck
	}
	return ""
}

// A group is a section of the table.
type group struct {
	id           string
	urgent, good bool
	lines        []importLine
	count        int // of one that has no lines, and is the last
}

func (g *group) size() int {
	if g.count > 0 {
		return g.count
	}
	return len(g.lines)
}

// lineOf is the number of the line of an entry; "" for none.
func (p *importPage) lineOf(at int) string {
	if at < 0 || at >= len(p.list.Lines) {
		return ""
	}
	return strconv.Itoa(p.list.Lines[at])
}

// refusedLine says of an entry that it was left out, and why.
func (p *importPage) refusedLine(r desk.ImportRefusal) importLine {
	who := ""
	if r.At >= 0 && r.At < len(p.list.Staff.People) {
		who = p.list.Staff.People[r.At].Email
	}
	reason := "address" // all else was looked at as the list was read
	for _, known := range []struct {
		err    error
		reason string
	}{
		{desk.ErrListedTwice, "twice"},
		{desk.ErrSaidMeanwhile, "meanwhile"},
		{domain.ErrUnknownEvent, "newer"},
		{domain.ErrErased, "erased"},
	} {
		if errors.Is(r.Err, known.err) {
			reason = known.reason
		}
	}
	return importLine{p.lineOf(r.At), who, p.w.t("import-entry-" + reason)}
}

func (p *importPage) problemLine(x ListProblem) importLine {
	return importLine{strconv.Itoa(x.Line), x.Column, p.w.t("import-reason-"+x.Reason, i18n.Args{"Other": x.Other})}
}

// badGroup is what was left out of the plan.
func (p *importPage) badGroup() group {
	bad := group{id: "bad", urgent: true}
	for _, x := range p.list.Problems {
		bad.lines = append(bad.lines, p.problemLine(x))
	}
	for _, r := range p.plan.Refused {
		bad.lines = append(bad.lines, p.refusedLine(r))
	}
	return bad
}

// planGroups are what the plan says, the worst first.
func (p *importPage) planGroups() []group {
	w := p.w
	bad, note := p.badGroup(), group{id: "note"}
	for _, x := range p.list.Notes {
		note.lines = append(note.lines, p.problemLine(x))
	}
	leave, change, fresh := group{id: "leave", urgent: true}, group{id: "change"}, group{id: "new"}
	for _, s := range p.plan.Steps {
		switch s.Do {
		case desk.ImportLeave:
			leave.lines = append(leave.lines, importLine{"", s.Email, w.t("import-leaves")})
		case desk.ImportChange:
			fields := make([]string, len(s.Changes))
			for i, f := range s.Changes {
				fields[i] = w.t("import-field-" + string(f))
			}
			change.lines = append(change.lines, importLine{p.lineOf(s.At), s.Email, strings.Join(fields, ", ")})
		case desk.ImportNew:
			fresh.lines = append(fresh.lines, importLine{p.lineOf(s.At), s.Email, p.list.Staff.People[s.At].Name})
		}
	}
	all := []group{bad, leave, change, note, fresh, {id: "same", good: true, count: p.plan.Same}}
	return slices.DeleteFunc(all, func(g group) bool { return g.size() == 0 })
}

// sections puts the groups into the table.
func (p *importPage) sections() {
	p.lines = p.lines[:0]
	all := make([]ui.Section, len(p.groups))
	for i, g := range p.groups {
		s := ui.Section{Title: p.w.t("import-group-" + g.id), Rows: g.size(), Urgent: g.urgent, Good: g.good, Folded: p.folded[g.id] || len(g.lines) == 0}
		if len(g.lines) > 0 {
			s.Fold = p.w.t("import-hide")
			if s.Folded {
				s.Fold = p.w.t("import-show")
			}
		}
		all[i] = s
		p.lines = append(p.lines, g.lines...)
	}
	p.table.SetSections(all)
}

// fold shows or hides the rows of a section.
func (p *importPage) fold(section int) {
	if section < 0 || section >= len(p.groups) {
		return
	}
	id := p.groups[section].id
	p.folded[id] = !p.folded[id]
	p.sections()
}

func (p *importPage) row(i int) ui.TableRow {
	if i < 0 || i >= len(p.lines) {
		return ui.TableRow{Missing: true}
	}
	l := p.lines[i]
	what, more, _ := strings.Cut(l.what, ". ") // a second sentence says what would be right
	return ui.TableRow{Cells: []ui.Cell{{Title: l.line, Mono: true}, {Title: l.who, Strong: true}, {Title: what, Note: more, Ink: theme.ColorNameForeground}}}
}

// start does what the plan says.
func (p *importPage) start() {
	if p.stage != planned {
		return
	}
	plan, shift := p.plan, p.w.SignedIn().ID
	p.begin(importing)
	turn := p.turn
	ui.Work(p.ctx, func(ctx context.Context) (desk.Imported, error) {
		return p.w.c.Staff.Import(ctx, shift, plan, p.tell)
	}, func(done desk.Imported, err error) {
		if p.turn != turn || p.w.Refused(err) {
			return
		}
		p.result, p.stage, p.wrong = done, imported, ""
		if err != nil && p.ctx.Err() == nil { // it was not asked to stop
			p.wrong = p.w.Says(err)
		}
		p.redraw()
	})
}

func (p *importPage) finished(col *fyne.Container) {
	w := p.w
	all := len(p.plan.Steps)
	if p.wrong != "" {
		col.Add(ui.NewMessage(ui.Failure, "", ui.Plain(p.wrong)))
	}
	kind, title, text := ui.Success, w.Printer().N("import-done", p.result.Done), w.t("import-again")
	if p.result.Done+len(p.result.Refused) < all {
		kind = ui.Warning
		title, text = w.t("import-broken-off", i18n.Args{"Done": p.result.Done, "Total": all}), w.t("import-go-on")
	}
	col.Add(ui.NewMessage(kind, title, ui.Plain(text)))
	col.Add(ui.Hint(ui.Plain(w.t("import-batch", i18n.Args{"Batch": p.plan.Batch}))))
	next := ui.NewNext(w.t("import-another"), p.anew)
	left := p.badGroup()
	for _, r := range p.result.Refused {
		left.lines = append(left.lines, p.refusedLine(r))
	}
	p.groups = nil
	if left.size() > 0 {
		p.groups = []group{left}
		p.tabled(col)
	}
	col.Add(ui.Row(ui.SizeSmallGap, next, ui.Spring()))
}
