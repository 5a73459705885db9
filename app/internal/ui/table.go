package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Section is a part of a table: a heading, and how many rows are under it.
type Section struct {
	Title  string // "": no heading
	Rows   int
	Urgent bool
	Good   bool   // what is under it is well
	Fold   string // the words of its button, which shows or hides the rows; "": none
	Folded bool   // the rows are not shown
}

// A Table shows rows that it does not hold: it knows how many there are, and
// asks for what is in sight. It makes as many widgets as fit in its height,
// whatever the number of rows, and counts heights in float64, so that the
// millionth row stands where it should.
//
// The whole table is one thing to have the focus: arrows choose a row, Enter
// opens it. Set its callbacks before it is shown.
type Table struct {
	widget.BaseWidget

	OnOpen   func(row int)      // a click on a row, or Enter
	OnWindow func(from, to int) // which rows are in sight, [from, to), when that changed
	OnFold   func(section int)  // the button of a heading
	OnChoose func(row int)      // another row was chosen by hand; may be nil

	Compact bool // rows are of one line
	Flush   bool // it is part of a sheet, and draws no border of its own
	Least   int  // how many rows there is room for at the least; 0 counts as 3

	columns  []TableColumn
	sections []Section
	fill     func(row int) TableRow
	bar      *scrollBar

	at            float64 // how far it is scrolled
	chosen, hover cursor
	focused       bool
	from, to      int
	stale         bool           // what is in sight may have changed
	shown         *tableRenderer // nil before the first time
	forget        bool           // nothing that was drawn may be kept
}

// A cursor is a line of a table: a row of a section, or with row -1 its
// heading.
type cursor struct{ section, row int }

var nowhere = cursor{-1, -1}

var (
	_ fyne.Focusable     = (*Table)(nil)
	_ fyne.Tappable      = (*Table)(nil)
	_ fyne.Scrollable    = (*Table)(nil)
	_ desktop.Hoverable  = (*Table)(nil)
	_ desktop.Cursorable = (*Table)(nil)
)

// NewTable returns an empty table. fill says what is in a row; it is called
// for rows in sight only, and has to answer at once.
func NewTable(columns []TableColumn, fill func(row int) TableRow) *Table {
	t := &Table{columns: columns, fill: fill, chosen: nowhere, hover: nowhere}
	t.bar = newScrollBar(func(at float64) { t.scrollTo(at) })
	t.ExtendBaseWidget(t)
	return t
}

// SetSections says which rows there are. What is in sight stays in sight as
// far as it can.
func (t *Table) SetSections(s []Section) {
	t.sections = append(t.sections[:0], s...)
	if !t.exists(t.chosen) {
		t.chosen = nowhere
	}
	t.hover = nowhere
	t.Redraw()
}

// SetColumns changes the columns, at a switch of language or where others are wanted.
func (t *Table) SetColumns(c []TableColumn) {
	t.columns = c
	t.stale = true
	t.Refresh()
}

// Clear forgets all rows, and what was drawn of them.
func (t *Table) Clear() {
	t.forget, t.chosen, t.at = true, nowhere, 0
	t.SetSections(nil)
}

// Redraw asks for the rows in sight again.
func (t *Table) Redraw() {
	t.stale = true
	t.update()
}

// update moves what is drawn, and draws what is new. A Refresh would have Fyne paint
// every word of the table again at each turn of the wheel.
func (t *Table) update() {
	if t.shown != nil {
		t.shown.Layout(t.Size())
	}
}

// Window returns which rows are in sight, [from, to).
func (t *Table) Window() (from, to int) { return t.from, t.to }

// Chosen returns the chosen row, -1 for none.
func (t *Table) Chosen() int { return t.index(t.chosen) }

// Choose chooses a row, without a word to OnChoose; -1 none. Show scrolls so
// that it is in sight.
func (t *Table) Choose(row int, show bool) {
	t.chosen = t.cursorOf(row)
	if show {
		t.show(t.chosen)
	}
	t.Redraw()
}

// Anchor returns the first row in sight and how much of the table lies above
// its top, to be given to SetAnchor when rows have been moved; -1 at the very
// top.
func (t *Table) Anchor() (row int, above float64) {
	if t.at <= 0 {
		return -1, 0
	}
	c, ok := t.lineAt(t.at)
	for ok && c.row < 0 {
		c, ok = t.next(c)
	}
	if !ok {
		return -1, 0
	}
	return t.index(c), t.at - t.top(c)
}

// SetAnchor scrolls so that the top of a row is that far above what is in
// sight.
func (t *Table) SetAnchor(row int, above float64) {
	if row < 0 {
		t.scrollTo(0)
		return
	}
	t.scrollTo(t.top(t.cursorOf(row)) + above)
}

// --- where lines are

func (t *Table) rowHeight() float32 {
	if t.Compact {
		return max(36, float32(int(size(theme.SizeNameText)*1.3+14)))
	}
	return max(48, float32(int(size(theme.SizeNameText)*1.3+size(theme.SizeNameCaptionText)*1.3+8)))
}

func (t *Table) headingHeight() float32 { return max(32, float32(int(size(SizeLabel)*2.1))) }

func (t *Table) headHeight() float32 {
	return max(40, float32(int(size(theme.SizeNameCaptionText)*2.8)))
}

// sizeOf returns the heights of a section's heading and of all its rows.
func (t *Table) sizeOf(s Section) (heading, rows float64) {
	if s.Title != "" {
		heading = float64(t.headingHeight())
	}
	if !s.Folded {
		rows = float64(s.Rows) * float64(t.rowHeight())
	}
	return heading, rows
}

func (t *Table) height() float64 {
	h := 0.0
	for _, s := range t.sections {
		a, b := t.sizeOf(s)
		h += a + b
	}
	return h
}

// top returns where a line begins.
func (t *Table) top(c cursor) float64 {
	y := 0.0
	for i, s := range t.sections {
		heading, rows := t.sizeOf(s)
		if i == c.section {
			if c.row < 0 {
				return y
			}
			return y + heading + float64(c.row)*float64(t.rowHeight())
		}
		y += heading + rows
	}
	return y
}

func (t *Table) heightOf(c cursor) float64 {
	if c.row < 0 {
		return float64(t.headingHeight())
	}
	return float64(t.rowHeight())
}

// lineAt returns the line at a height.
func (t *Table) lineAt(y float64) (cursor, bool) {
	if y < 0 {
		return nowhere, false
	}
	for i, s := range t.sections {
		heading, rows := t.sizeOf(s)
		if y < heading {
			return cursor{i, -1}, true
		}
		if y -= heading; y < rows {
			return cursor{i, min(s.Rows-1, int(y/float64(t.rowHeight())))}, true
		}
		y -= rows
	}
	return nowhere, false
}

func (t *Table) exists(c cursor) bool {
	if c.section < 0 || c.section >= len(t.sections) {
		return false
	}
	s := t.sections[c.section]
	if c.row < 0 {
		return s.Title != ""
	}
	return !s.Folded && c.row < s.Rows
}

func (t *Table) first() (cursor, bool) { return t.next(cursor{-1, 0}) }

// next returns the line after one.
func (t *Table) next(c cursor) (cursor, bool) {
	if c.section >= 0 && t.exists(cursor{c.section, c.row + 1}) {
		return cursor{c.section, c.row + 1}, true
	}
	for i := c.section + 1; i < len(t.sections); i++ {
		for _, to := range []cursor{{i, -1}, {i, 0}} {
			if t.exists(to) {
				return to, true
			}
		}
	}
	return nowhere, false
}

// before returns the line before one.
func (t *Table) before(c cursor) (cursor, bool) {
	if c.row >= 0 && t.exists(cursor{c.section, c.row - 1}) {
		return cursor{c.section, c.row - 1}, true
	}
	for i := min(c.section, len(t.sections)) - 1; i >= 0; i-- {
		s := t.sections[i]
		for _, to := range []cursor{{i, s.Rows - 1}, {i, -1}} {
			if (to.row >= 0 || s.Rows == 0 || s.Folded) && t.exists(to) {
				return to, true
			}
		}
	}
	return nowhere, false
}

// usable says whether a line can be chosen: a row, or a heading with a button.
func (t *Table) usable(c cursor) bool {
	return t.exists(c) && (c.row >= 0 || t.sections[c.section].Fold != "")
}

// index returns the number of a row over all sections, -1 for what is none.
func (t *Table) index(c cursor) int {
	if !t.exists(c) || c.row < 0 {
		return -1
	}
	n := c.row
	for _, s := range t.sections[:c.section] {
		n += s.Rows
	}
	return n
}

func (t *Table) cursorOf(row int) cursor {
	if row < 0 {
		return nowhere
	}
	for i, s := range t.sections {
		if row < s.Rows {
			if s.Folded {
				return nowhere
			}
			return cursor{i, row}
		}
		row -= s.Rows
	}
	return nowhere
}

// --- moving

// room is the height of what is under the head.
func (t *Table) room() float32 { return max(0, t.Size().Height-t.headHeight()-2*t.border()-3) }

// border is the line around it.
func (t *Table) border() float32 {
	if t.Flush {
		return 0
	}
	return size(SizeStroke)
}

func (t *Table) scrollTo(at float64) {
	at = max(0, min(at, t.height()-float64(t.room())))
	if at != t.at {
		t.at = at
		t.update()
	}
}

// show scrolls so that a line is in sight, with its heading where it is the
// first under it.
func (t *Table) show(c cursor) {
	if !t.exists(c) {
		return
	}
	top := t.top(c)
	end := top + t.heightOf(c)
	if heading := (cursor{c.section, -1}); c.row == 0 && t.exists(heading) {
		top = t.top(heading)
	}
	switch room := float64(t.room()); {
	case top < t.at:
		t.scrollTo(top)
	case end > t.at+room:
		t.scrollTo(end - room)
	}
}

// Scrolled is called by Fyne as the wheel turns.
func (t *Table) Scrolled(e *fyne.ScrollEvent) {
	active()
	t.scrollTo(t.at - float64(e.Scrolled.DY))
	t.hoverAt(e.Position)
}

// under returns the line under the pointer.
func (t *Table) under(p fyne.Position) cursor {
	y := p.Y - t.headHeight() - t.border()
	if y < 0 || y > t.room() || p.X > t.Size().Width-t.barWidth() {
		return nowhere
	}
	c, _ := t.lineAt(t.at + float64(y))
	return c
}

func (t *Table) barWidth() float32 {
	if t.height() > float64(t.room()) {
		return size(theme.SizeNameScrollBar)
	}
	return 0
}

// Tapped opens the row under the pointer.
func (t *Table) Tapped(e *fyne.PointEvent) {
	active()
	c := t.under(e.Position)
	if !t.usable(c) {
		return
	}
	t.choose(c)
	Focus(t)
	t.open()
}

func (t *Table) open() {
	switch i := t.index(t.chosen); {
	case i >= 0 && t.OnOpen != nil:
		t.OnOpen(i)
	case i < 0 && t.usable(t.chosen) && t.OnFold != nil:
		t.OnFold(t.chosen.section)
	}
}

func (t *Table) choose(c cursor) {
	if !t.usable(c) {
		return
	}
	changed := c != t.chosen
	t.chosen = c
	t.show(c)
	t.update()
	if i := t.index(c); changed && i >= 0 && t.OnChoose != nil {
		t.OnChoose(i)
	}
}

// MouseIn is called by Fyne.
func (t *Table) MouseIn(e *desktop.MouseEvent) { t.hoverAt(e.Position) }

// MouseMoved is called by Fyne.
func (t *Table) MouseMoved(e *desktop.MouseEvent) {
	active()
	t.hoverAt(e.Position)
}

// MouseOut is called by Fyne.
func (t *Table) MouseOut() { t.hoverOn(nowhere) }

func (t *Table) hoverAt(p fyne.Position) { t.hoverOn(t.under(p)) }

func (t *Table) hoverOn(c cursor) {
	if !t.usable(c) {
		c = nowhere
	}
	if c != t.hover {
		t.hover = c
		t.update()
	}
}

// Cursor is a hand over what can be opened.
func (t *Table) Cursor() desktop.Cursor {
	if t.hover != nowhere {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// FocusGained chooses the first row where none is chosen.
func (t *Table) FocusGained() {
	t.focused = true
	bring(t)
	if !t.usable(t.chosen) {
		if c, ok := t.lineAt(t.at); ok {
			for ok && !t.usable(c) {
				c, ok = t.next(c)
			}
			if t.usable(c) { // nobody's wish: OnChoose is not told
				t.chosen = c
				t.show(c)
			}
		}
	}
	t.update()
}

// FocusLost is called by Fyne.
func (t *Table) FocusLost() {
	t.focused = false
	t.update()
}

// TypedRune is for the window: a slash, say.
func (t *Table) TypedRune(r rune) {
	active()
	passOnRune(t, r)
}

// TypedKey chooses and opens; the window gets the rest.
func (t *Table) TypedKey(e *fyne.KeyEvent) {
	active()
	page := max(1, int(t.room()/t.rowHeight())-1)
	switch e.Name {
	case fyne.KeyDown:
		t.step(1, t.next)
	case fyne.KeyUp:
		if !t.step(1, t.before) {
			t.scrollTo(0)
		}
	case fyne.KeyPageDown:
		t.step(page, t.next)
	case fyne.KeyPageUp:
		t.step(page, t.before)
	case fyne.KeyHome:
		if c, ok := t.first(); ok {
			t.choose(c)
			if !t.usable(c) {
				t.chosen = c
				t.step(1, t.next)
			}
			t.scrollTo(0)
		}
	case fyne.KeyEnd:
		t.chosen = cursor{len(t.sections), 0}
		t.step(1, t.before)
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		t.open()
	default:
		passOn(t, e)
	}
}

// step chooses the n-th line from the chosen one that can be, or the last. It
// says whether it moved.
func (t *Table) step(n int, to func(cursor) (cursor, bool)) bool {
	c, best := t.chosen, nowhere
	if first, ok := t.lineAt(t.at); ok && c == nowhere { // begin with what is in sight
		c, _ = t.before(first)
	}
	for n > 0 {
		var ok bool
		if c, ok = to(c); !ok {
			break
		}
		if t.usable(c) {
			best = c
			n--
		}
	}
	if best == nowhere {
		if !t.exists(t.chosen) {
			t.chosen = nowhere
		}
		t.show(t.chosen) // it may be the last one and out of sight
		return false
	}
	t.choose(best)
	return true
}

// MinSize is the head and a few rows.
func (t *Table) MinSize() fyne.Size {
	w := float32(0)
	for _, c := range t.columns {
		w += c.least()
	}
	return fyne.NewSize(w, t.headHeight()+float32(max(t.Least, 3))*t.rowHeight())
}

// CreateRenderer is called by Fyne.
func (t *Table) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	r := &tableRenderer{
		t: t, plate: newPlate(), head: newTableHead(t), lines: container.NewWithoutLayout(), rows: map[int]*rowView{},
	}
	r.clip = container.NewClip(r.lines)
	t.shown = r
	return r
}

type tableRenderer struct {
	t        *Table
	plate    *plate
	head     *tableHead
	lines    *fyne.Container
	clip     *container.Clip
	rows     map[int]*rowView // in sight, by their number
	spare    []*rowView
	headings []*headingView
	size     fyne.Size
	bar      float32
	again    bool // everything is to be drawn anew
}

func (r *tableRenderer) Destroy()           {}
func (r *tableRenderer) MinSize() fyne.Size { return r.t.MinSize() }
func (r *tableRenderer) Refresh() {
	r.again = true
	r.Layout(r.t.Size())
	canvas.Refresh(r.t)
}

func (r *tableRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.head, r.clip, r.t.bar)
}

func (r *tableRenderer) Layout(s fyne.Size) {
	t := r.t
	t.at = max(0, min(t.at, t.height()-float64(t.room())))
	line, bar := t.border(), t.barWidth()
	if s != r.size || bar != r.bar {
		r.size, r.bar, r.again = s, bar, true
	}
	if r.again {
		l := look{face: ColorSurface, stroke: theme.ColorNameSeparator, radius: size(theme.SizeNameInputRadius), line: line}
		if t.Flush {
			l = look{}
		}
		r.plate.draw(fyne.Position{}, s, l)
		place(r.head, line, line, s.Width-2*line, t.headHeight())
		r.head.Refresh()
	}
	y := line + t.headHeight()
	w := s.Width - 2*line - bar
	place(r.clip, line, y, w, t.room())
	place(t.bar, s.Width-line-bar, y, bar, t.room())
	t.bar.set(t.height(), float64(t.room()), t.at)
	r.show(w)
	t.stale, r.again = false, false
}

// show draws the lines in sight: those that were already are moved only.
func (r *tableRenderer) show(width float32) {
	t := r.t
	if t.forget {
		r.rows, r.spare, t.forget = nil, nil, false
		r.lines.Objects = nil
	}
	was, seen, headings := r.rows, make(map[int]*rowView, len(r.rows)+2), 0
	from, to := -1, -1
	objects := r.lines.Objects[:0]
	end := t.at + float64(t.room())
	for c, ok := t.lineAt(t.at); ok && t.top(c) < end; c, ok = t.next(c) {
		y := float32(t.top(c) - t.at)
		if c.row < 0 {
			objects = append(objects, r.heading(headings, c, y, width))
			headings++
			continue
		}
		i := t.index(c)
		if from < 0 {
			from = i
		}
		to = i + 1
		v := was[i]
		delete(was, i)
		if v == nil {
			v = r.take()
			v.stale = true
		}
		seen[i] = v
		objects = append(objects, v)
		place(v, 0, y, width, t.rowHeight())
		v.update(i, rowState{chosen: c == t.chosen, hovered: c == t.hover, focused: t.focused}, t.stale, r.again)
	}
	for _, v := range was {
		r.spare = append(r.spare, v)
	}
	r.rows, r.lines.Objects = seen, objects
	from = max(0, from)
	to = max(from, to)
	if from != t.from || to != t.to {
		t.from, t.to = from, to
		if t.OnWindow != nil {
			t.OnWindow(from, to)
		}
	}
}

func (r *tableRenderer) take() *rowView {
	if n := len(r.spare) - 1; n >= 0 {
		v := r.spare[n]
		r.spare = r.spare[:n]
		return v
	}
	return newRowView(r.t)
}

func (r *tableRenderer) heading(n int, c cursor, y, width float32) *headingView {
	if n == len(r.headings) {
		r.headings = append(r.headings, newHeadingView())
	}
	h, t := r.headings[n], r.t
	place(h, 0, y, width, t.headingHeight())
	state := rowState{chosen: c == t.chosen, hovered: c == t.hover, focused: t.focused}
	if s := t.sections[c.section]; r.again || h.section != s || h.state != state {
		h.section, h.state = s, state
		h.Refresh()
	}
	return h
}
