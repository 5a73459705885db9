package ui

import (
	"image/color"
	"reflect"
	"sort"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A TableColumn is one column of a table. Widths are at the normal size of text.
type TableColumn struct {
	Title  string
	Parts  []string // titles over equal parts of it, where there is room for them
	Least  float32
	Wanted float32
	Grows  float32 // its share of what is left
	Yields bool    // keeps to the least until all others have what they want
	Spare  int     // does not show where there is no room for all: 1 goes first; 0 stays
	Right  bool    // its words end at the right
}

func grownBy() float32 { return size(theme.SizeNameText) / 16 }

func (c TableColumn) least() float32 {
	if len(c.Parts) > 0 {
		return c.Least
	}
	return c.Least * grownBy()
}

func (c TableColumn) wanted() float32 {
	if len(c.Parts) > 0 {
		return c.Wanted * max(1, size(theme.SizeNameCaptionText)/14)
	}
	return c.Wanted * grownBy()
}

// A Cell is what stands in one column of a row: a mark and two lines, or a
// line of steps, or what looks like a button.
type Cell struct {
	Title  string
	Note   string // the second line, softer; "" for none
	Strong bool   // the first line is in the heavier weight
	Mono   bool   // in the font of codes
	Ink    fyne.ThemeColorName
	Mark   Mark
	Icon   Icon // before the words, in a colour of its own
	Sign   fyne.ThemeColorName

	Track  []Mark
	Action string
}

// A TableRow is what is in a row.
type TableRow struct {
	Cells   []Cell
	Urgent  bool // has a bar at its left, and a button that stands out
	Missing bool // is not known yet
}

// widths returns how wide the columns are in a width; 0: it does not show.
func (t *Table) widths(width float32) []float32 {
	all := make([]float32, len(t.columns))
	gone := t.gone(width)
	left, grows := width, float32(0)
	for i, c := range t.columns {
		if gone[i] {
			continue
		}
		all[i] = c.least()
		left -= all[i]
		grows += c.Grows
	}
	if left < 0 { // less than they need: each a part of it
		for i := range all {
			all[i] = float32(int(all[i] * width / (width - left)))
		}
		return all
	}
	for _, yields := range []bool{false, true} {
		want := float32(0)
		for i, c := range t.columns {
			if c.Yields == yields && !gone[i] {
				want += max(0, c.wanted()-all[i])
			}
		}
		part := float32(1)
		if want > left {
			part = left / want
		}
		for i, c := range t.columns {
			if c.Yields == yields && !gone[i] {
				all[i] += max(0, c.wanted()-all[i]) * part
			}
		}
		left = max(0, left-want)
	}
	for i, c := range t.columns {
		if grows > 0 && !gone[i] {
			all[i] += left * c.Grows / grows
		}
		all[i] = float32(int(all[i]))
	}
	return all
}

// gone says which columns do not show in a width: those that can be spared, one after the
// other, until there is room for the rest.
func (t *Table) gone(width float32) []bool {
	all := make([]bool, len(t.columns))
	for {
		need, next := float32(0), -1
		for i, c := range t.columns {
			if all[i] {
				continue
			}
			need += c.least()
			if c.Spare > 0 && (next < 0 || c.Spare < t.columns[next].Spare) {
				next = i
			}
		}
		if need <= width || next < 0 {
			return all
		}
		all[next] = true
	}
}

// indent is the room before the words of a cell.
func indent() float32 { return size(SizeGap) }

// cut shortens words to a width, with an ellipsis. An ellipsis cell of Fyne's
// own would cost too much at each turn of the wheel.
func cut(s string, width, textSize float32, style fyne.TextStyle) string {
	fits := func(s string) bool { return fyne.MeasureText(s, textSize, style).Width <= width+0.5 }
	if fits(s) {
		return s
	}
	r := []rune(s)
	n := sort.Search(len(r), func(n int) bool { return !fits(string(r[:n+1]) + "…") })
	for n > 0 && r[n-1] == ' ' {
		n--
	}
	return string(r[:n]) + "…"
}

// write puts words on a canvas text, cut to a width.
func write(t *canvas.Text, s string, at fyne.Position, width float32, text fyne.ThemeSizeName, style fyne.TextStyle, ink fyne.ThemeColorName) {
	t.Hidden = s == ""
	if s == "" {
		return
	}
	t.TextSize, t.TextStyle, t.Color = size(text), style, tint(ink)
	t.Text = cut(s, width, t.TextSize, style)
	place(t, at.X, at.Y, width, t.MinSize().Height)
	t.Refresh()
}

// tableHead is the titles of the columns.
type tableHead struct {
	widget.BaseWidget

	t *Table
}

func newTableHead(t *Table) *tableHead {
	h := &tableHead{t: t}
	h.ExtendBaseWidget(h)
	return h
}

// CreateRenderer is called by Fyne.
func (h *tableHead) CreateRenderer() fyne.WidgetRenderer {
	h.ExtendBaseWidget(h)
	return &tableHeadRenderer{
		h: h, ground: canvas.NewRectangle(color.Transparent), square: canvas.NewRectangle(color.Transparent),
		line: canvas.NewRectangle(color.Transparent),
	}
}

type tableHeadRenderer struct {
	h                    *tableHead
	ground, square, line *canvas.Rectangle
	texts                []*canvas.Text
}

func (r *tableHeadRenderer) Destroy()           {}
func (r *tableHeadRenderer) MinSize() fyne.Size { return fyne.NewSize(1, r.h.t.headHeight()) }
func (r *tableHeadRenderer) Refresh()           { r.Layout(r.h.Size()); canvas.Refresh(r.h) }

func (r *tableHeadRenderer) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{r.ground, r.square, r.line}
	for _, t := range r.texts {
		all = append(all, t)
	}
	return all
}

func (r *tableHeadRenderer) Layout(s fyne.Size) {
	radius, thin := max(0, size(theme.SizeNameInputRadius)-size(SizeStroke)), size(theme.SizeNameSeparatorThickness)
	for _, b := range []*canvas.Rectangle{r.ground, r.square} {
		b.FillColor = tint(theme.ColorNameHeaderBackground)
	}
	r.ground.CornerRadius = radius
	if r.h.t.Flush {
		r.ground.CornerRadius = 0
	}
	place(r.ground, 0, 0, s.Width, s.Height)
	place(r.square, 0, s.Height-radius, s.Width, radius)
	r.line.FillColor = tint(theme.ColorNameSeparator)
	place(r.line, 0, s.Height-thin, s.Width, thin)
	t := r.h.t
	n, x := 0, float32(0)
	for i, w := range t.widths(s.Width - t.barWidth()) {
		c := t.columns[i]
		if w == 0 {
			continue
		}
		if part := w / float32(max(1, len(c.Parts))); len(c.Parts) > 0 && fitsAll(c.Parts, part) {
			for j, title := range c.Parts {
				r.title(n, title, x+part*float32(j), part, s.Height, fyne.TextAlignCenter)
				n++
			}
		} else if len(c.Parts) > 0 {
			r.title(n, c.Title, x, w, s.Height, fyne.TextAlignCenter)
			n++
		} else if c.Right {
			r.title(n, c.Title, x, w-indent(), s.Height, fyne.TextAlignTrailing)
			n++
		} else {
			r.title(n, c.Title, x+indent(), w-indent(), s.Height, fyne.TextAlignLeading)
			n++
		}
		x += w
	}
	for _, rest := range r.texts[n:] {
		rest.Hide()
	}
	for _, b := range []*canvas.Rectangle{r.ground, r.square, r.line} {
		b.Refresh()
	}
}

func fitsAll(words []string, width float32) bool {
	for _, w := range words {
		if fyne.MeasureText(w, size(theme.SizeNameCaptionText), fyne.TextStyle{}).Width > width-2 {
			return false
		}
	}
	return true
}

func (r *tableHeadRenderer) title(n int, s string, x, width, height float32, align fyne.TextAlign) {
	if n == len(r.texts) {
		r.texts = append(r.texts, canvas.NewText("", nil))
	}
	t := r.texts[n]
	t.Alignment = align
	write(t, s, fyne.NewPos(x, 0), width, theme.SizeNameCaptionText, fyne.TextStyle{}, ColorMuted)
	t.Move(fyne.NewPos(x, (height-t.MinSize().Height)/2))
}

// rowState is how a line is to be drawn.
type rowState struct{ chosen, hovered, focused bool }

// A ground is what a line is drawn on: its colour says whether it is chosen or
// under the pointer, two lines around it that it has the focus.
type ground struct {
	fill, ring, ink, inside, line *canvas.Rectangle
}

func newLineGround() *ground {
	r := func() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }
	return &ground{r(), r(), r(), r(), r()}
}

func (g *ground) objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{g.fill, g.line, g.ring, g.ink, g.inside}
}

// draw returns the colour that it has.
func (g *ground) draw(s fyne.Size, st rowState) fyne.ThemeColorName {
	c := ColorSurface
	if st.chosen || st.hovered {
		c = theme.ColorNameHeaderBackground
	}
	if st.chosen && st.focused {
		c = theme.ColorNameSelection
	}
	thin := size(theme.SizeNameSeparatorThickness)
	g.line.FillColor = tint(theme.ColorNameSeparator)
	place(g.line, 0, s.Height-thin, s.Width, thin)
	at := float32(0)
	focus := st.chosen && st.focused
	for _, l := range []struct {
		r    *canvas.Rectangle
		c    fyne.ThemeColorName
		show bool
		wide float32
	}{
		{g.ring, ColorFocusRing, focus, size(SizeFocusRing)},
		{g.ink, ColorFocusInk, focus, size(SizeFocusInk)},
		{g.inside, c, focus, 0},
		{g.fill, c, c != ColorSurface && !focus, 0},
	} {
		l.r.Hidden = !l.show
		if !l.show {
			continue
		}
		l.r.FillColor = tint(l.c)
		place(l.r, at, at, s.Width-2*at, s.Height-2*at)
		l.r.Refresh()
		at += l.wide
	}
	g.line.Refresh()
	return c
}

// A rowView is a row as drawn. It is used for one row after another.
type rowView struct {
	widget.BaseWidget

	t     *Table
	state rowState
	stale bool
	row   TableRow
}

func newRowView(t *Table) *rowView {
	v := &rowView{t: t}
	v.ExtendBaseWidget(v)
	return v
}

// update draws the row where it is another one, or looks otherwise: asked says that
// what is in it may have changed, again that everything is to be drawn anew.
func (v *rowView) update(i int, st rowState, asked, again bool) {
	row := v.row
	if v.stale || asked || again {
		row = v.t.fill(i)
	}
	if v.stale || again || st != v.state || !reflect.DeepEqual(row, v.row) {
		v.row, v.state, v.stale = row, st, false
		v.Refresh()
	}
}

// CreateRenderer is called by Fyne.
func (v *rowView) CreateRenderer() fyne.WidgetRenderer {
	v.ExtendBaseWidget(v)
	r := &rowRenderer{v: v, ground: newLineGround(), bar: canvas.NewRectangle(color.Transparent)}
	r.fit()
	return r
}

type rowRenderer struct {
	v       *rowView
	ground  *ground
	bar     *canvas.Rectangle
	cells   []*cellView
	objects []fyne.CanvasObject
}

func (r *rowRenderer) Destroy()           {}
func (r *rowRenderer) MinSize() fyne.Size { return fyne.NewSize(1, r.v.t.rowHeight()) }
func (r *rowRenderer) Refresh()           { r.Layout(r.v.Size()); canvas.Refresh(r.v) }

func (r *rowRenderer) Objects() []fyne.CanvasObject {
	if r.objects == nil {
		r.objects = append(r.ground.objects(), r.bar)
		for _, c := range r.cells {
			r.objects = append(r.objects, c.objects()...)
		}
	}
	return r.objects
}

// fit has as many cells as there are columns now.
func (r *rowRenderer) fit() {
	n := len(r.v.t.columns)
	if n == len(r.cells) {
		return
	}
	for len(r.cells) < n {
		r.cells = append(r.cells, newCellView())
	}
	r.cells, r.objects = r.cells[:n], nil
}

func (r *rowRenderer) Layout(s fyne.Size) {
	r.fit()
	row := r.v.row
	ground := r.ground.draw(s, r.v.state)
	r.bar.Hidden = !row.Urgent
	r.bar.FillColor = tint(theme.ColorNameError)
	place(r.bar, 0, 2, 4, s.Height-5)
	r.bar.Refresh()
	x := float32(0)
	for i, w := range r.v.t.widths(s.Width) {
		var c Cell
		if i < len(row.Cells) && w > 0 {
			c = row.Cells[i]
		}
		r.cells[i].right = r.v.t.columns[i].Right
		if r.cells[i].draw(c, fyne.NewPos(x, 0), fyne.NewSize(w, s.Height), row, r.v.state, ground) {
			r.objects = nil
		}
		x += w
	}
}

// A cellView is a cell as drawn.
type cellView struct {
	title, note *canvas.Text
	bars        [2]*canvas.Rectangle // stand in for words that are not known yet
	mark        *node
	track       *trackline
	plate       *plate
	action      *canvas.Text
	chevron     *canvas.Image
	sign        *canvas.Image
	right       bool
}

func newCellView() *cellView {
	c := &cellView{
		title: canvas.NewText("", nil), note: canvas.NewText("", nil), mark: newNode(), track: newTrackline(),
		plate: newPlate(), action: canvas.NewText("", nil), chevron: picture(), sign: picture(),
	}
	for i := range c.bars {
		c.bars[i] = canvas.NewRectangle(color.Transparent)
	}
	return c
}

func (c *cellView) objects() []fyne.CanvasObject {
	all := append(c.track.objects(), c.mark.objects()...)
	all = append(all, c.plate.objects()...)
	return append(all, c.title, c.note, c.bars[0], c.bars[1], c.action, c.chevron, c.sign)
}

// draw puts the cell at a place, and says whether that took new objects.
func (c *cellView) draw(cell Cell, pos fyne.Position, s fyne.Size, row TableRow, st rowState, ground fyne.ThemeColorName) bool {
	made := c.track.room(len(cell.Track))
	c.track.draw(pos, s, cell.Track, ground)
	c.words(cell, pos, s)
	c.button(cell, pos, s, row, st)
	for i, b := range c.bars {
		b.Hidden = !row.Missing || cell.Action != "" || len(cell.Track) > 0
		b.FillColor, b.CornerRadius = tint(ColorTrack), 4
		w := max(0, s.Width-indent()*2) * [2]float32{0.62, 0.4}[i]
		h := size(theme.SizeNameCaptionText) * 0.6
		place(b, pos.X+indent(), s.Height/2+h*(float32(i)*1.9-1.45), w, h)
		b.Refresh()
	}
	return made
}

func (c *cellView) words(cell Cell, pos fyne.Position, s fyne.Size) {
	x := pos.X + indent()
	if cell.Mark == MarkNone {
		c.mark.hide()
	} else {
		side := size(SizeDotCurrent)
		c.mark.draw(fyne.NewPos(x+side/2, s.Height/2), cell.Mark, 0, ColorSurface)
		x += side + 12
	}
	paintIcon(c.sign, cell.Icon, cell.Sign)
	if cell.Icon != "" {
		side := float32(int(size(theme.SizeNameText) * 1.1))
		place(c.sign, x, (s.Height-side)/2, side, side)
		x += side + 12
	}
	ink := cell.Ink
	if ink == "" {
		ink = theme.ColorNameForeground
	}
	a, b := size(theme.SizeNameText)*1.3, size(theme.SizeNameCaptionText)*1.3
	y := (s.Height - a - b) / 2
	if cell.Note == "" {
		y = (s.Height - a) / 2
	}
	w := max(0, pos.X+s.Width-x-4)
	c.title.Alignment = fyne.TextAlignLeading
	if c.right {
		c.title.Alignment = fyne.TextAlignTrailing
		w = max(0, pos.X+s.Width-x-indent())
	}
	write(c.title, cell.Title, fyne.NewPos(x, y), w, theme.SizeNameText, fyne.TextStyle{Bold: cell.Strong, Monospace: cell.Mono}, ink)
	write(c.note, cell.Note, fyne.NewPos(x, y+a), w, theme.SizeNameCaptionText, fyne.TextStyle{}, ColorMuted)
}

// button draws what looks like one: the whole row does what it says. The one
// of an urgent row that is chosen stands out.
func (c *cellView) button(cell Cell, pos fyne.Position, s fyne.Size, row TableRow, st rowState) {
	c.action.Hidden = cell.Action == ""
	if cell.Action == "" || row.Missing {
		c.action.Hide()
		paintIcon(c.chevron, "", "")
		for _, o := range c.plate.objects() {
			o.Hide()
		}
		return
	}
	style, ink := fyne.TextStyle{Bold: true}, theme.ColorNameHyperlink
	text := size(SizeLabel)
	m := fyne.MeasureText(cell.Action, text, style)
	side := text
	right := pos.X + s.Width - indent()
	if !row.Urgent {
		for _, o := range c.plate.objects() {
			o.Hide()
		}
		paintIcon(c.chevron, "", "")
		write(c.action, cell.Action, fyne.NewPos(right-m.Width-12, (s.Height-m.Height)/2), m.Width, SizeLabel, style, ink)
		return
	}
	l := look{
		face: theme.ColorNameButton, stroke: ColorButtonStroke, edge: ColorButtonEdge, radius: size(SizeControlRadius),
		depth: size(SizeEdge), line: size(SizeStroke),
	}
	ink = theme.ColorNameForeground
	if st.chosen || st.hovered {
		l.face, l.stroke, l.edge, ink = theme.ColorNamePrimary, theme.ColorNamePrimary, ColorPrimaryEdge, theme.ColorNameForegroundOnPrimary
	}
	h := min(s.Height-12, max(size(SizeToolHeight)+2, m.Height+8))
	w := m.Width + side + 12 + 20
	at := fyne.NewPos(right-w, (s.Height-h)/2)
	c.plate.draw(at, fyne.NewSize(w, h), l)
	h -= l.depth
	write(c.action, cell.Action, fyne.NewPos(at.X+12, at.Y+(h-m.Height)/2), m.Width, SizeLabel, style, ink)
	paintIcon(c.chevron, IconChevronRight, ink)
	place(c.chevron, at.X+12+m.Width+10, at.Y+(h-side)/2, side, side)
}

// A headingView is the heading of a section as drawn.
type headingView struct {
	widget.BaseWidget

	section Section
	state   rowState
}

func newHeadingView() *headingView {
	h := &headingView{}
	h.ExtendBaseWidget(h)
	return h
}

// CreateRenderer is called by Fyne.
func (h *headingView) CreateRenderer() fyne.WidgetRenderer {
	h.ExtendBaseWidget(h)
	return &headingRenderer{
		h: h, ground: newLineGround(), title: canvas.NewText("", nil), count: canvas.NewText("", nil), fold: canvas.NewText("", nil),
		tick: picture(), chevron: picture(),
	}
}

type headingRenderer struct {
	h                  *headingView
	ground             *ground
	title, count, fold *canvas.Text
	tick, chevron      *canvas.Image
}

func (r *headingRenderer) Destroy()           {}
func (r *headingRenderer) MinSize() fyne.Size { return fyne.NewSize(1, size(SizeLabel)*2) }
func (r *headingRenderer) Refresh()           { r.Layout(r.h.Size()); canvas.Refresh(r.h) }

func (r *headingRenderer) Objects() []fyne.CanvasObject {
	return append(r.ground.objects(), r.title, r.count, r.fold, r.tick, r.chevron)
}

func (r *headingRenderer) Layout(s fyne.Size) {
	sec := r.h.section
	r.ground.draw(s, r.h.state)
	ink, x, bold := ColorMuted, indent(), fyne.TextStyle{Bold: true}
	paintIcon(r.tick, "", "")
	switch {
	case sec.Urgent:
		ink = theme.ColorNameError
	case sec.Good:
		ink = theme.ColorNameSuccess
		side := size(SizeLabel) * 1.2
		paintIcon(r.tick, IconCheck, ink)
		place(r.tick, x, (s.Height-side)/2, side, side)
		x += side + 8
	}
	text := size(SizeLabel)
	m := fyne.MeasureText(sec.Title, text, bold)
	y := (s.Height - m.Height) / 2
	write(r.title, sec.Title, fyne.NewPos(x, y), m.Width, SizeLabel, bold, ink)
	count := Grouped(sec.Rows)
	n := fyne.MeasureText(count, text, bold)
	write(r.count, count, fyne.NewPos(x+m.Width+8, y), n.Width, SizeLabel, bold, ColorMuted)
	paintIcon(r.chevron, "", "")
	f := fyne.MeasureText(sec.Fold, text, bold)
	side := text
	write(r.fold, sec.Fold, fyne.NewPos(s.Width-indent()-12-side-8-f.Width, y), f.Width, SizeLabel, bold, theme.ColorNameHyperlink)
	if sec.Fold != "" {
		icon := IconChevronDown
		if !sec.Folded {
			icon = IconChevronUp
		}
		paintIcon(r.chevron, icon, theme.ColorNameHyperlink)
		place(r.chevron, s.Width-indent()-12-side, (s.Height-side)/2, side, side)
	}
}

// Grouped writes a number with a thin space between thousands, which every
// language of the product reads.
func Grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u2009" + s[i:]
	}
	return s
}
