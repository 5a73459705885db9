package ui

import (
	"image/color"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Mark is how one thing of several stands. Each has a shape of its own, so
// that none is told by its colour alone.
type Mark int

// The marks.
const (
	MarkNone    Mark = iota
	MarkOpen         // an open ring: not come so far
	MarkNow          // a yellow disc, with a number where there is one
	MarkStuck        // a red square with an exclamation mark
	MarkDone         // a petrol disc with a tick
	MarkGood         // a green disc with a tick
	MarkUnknown      // a ring with a question mark
	MarkResting      // a ring with a bar: off, or at rest
)

// A node is one mark as drawn.
type node struct {
	square       *canvas.Rectangle
	outer, inner *canvas.Circle
	text         *canvas.Text
	tick         *canvas.Image
}

func newNode() *node {
	return &node{
		canvas.NewRectangle(color.Transparent), canvas.NewCircle(color.Transparent), canvas.NewCircle(color.Transparent),
		canvas.NewText("", nil), picture(),
	}
}

func (n *node) objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{n.square, n.outer, n.inner, n.text, n.tick}
}

// draw puts the mark on a ground. The number is shown by MarkNow; 0 for none.
func (n *node) draw(mid fyne.Position, m Mark, number int, ground fyne.ThemeColorName) {
	side, big := size(SizeDot), size(SizeDotCurrent)
	outer, inner, ink, line, sign := ColorNode, ground, ColorMuted, float32(2), ""
	n.tick.Hide()
	n.square.Hide()
	switch m {
	case MarkOpen:
	case MarkNow:
		side, outer, inner, ink = big, ColorFocusInk, ColorSun, ColorOnSun
		if Current().Mode == HighContrast {
			outer = ColorSunEdge
		}
		if number > 0 {
			sign = strconv.Itoa(number)
		}
	case MarkStuck:
		side, sign, ink = big, "!", theme.ColorNameForegroundOnError
		n.square.Show()
		n.square.FillColor, n.square.CornerRadius = tint(theme.ColorNameError), float32(int(side*0.21))
		place(n.square, mid.X-side/2, mid.Y-side/2, side, side)
		n.square.Refresh()
	case MarkDone:
		outer, inner = theme.ColorNamePrimary, theme.ColorNamePrimary
		paintIcon(n.tick, IconCheck, theme.ColorNameForegroundOnPrimary)
	case MarkGood:
		outer, inner = theme.ColorNameSuccess, theme.ColorNameSuccess
		paintIcon(n.tick, IconCheck, theme.ColorNameForegroundOnSuccess)
	case MarkUnknown:
		sign = "?"
	case MarkResting:
		outer, inner, sign = ColorMuted, ground, "–"
	case MarkNone:
	}
	round := m != MarkStuck && m != MarkNone
	n.outer.Hidden, n.inner.Hidden = !round, !round
	if round {
		n.outer.FillColor, n.inner.FillColor = tint(outer), tint(inner)
		place(n.outer, mid.X-side/2, mid.Y-side/2, side, side)
		in := side - 2*line
		place(n.inner, mid.X-in/2, mid.Y-in/2, in, in)
		n.outer.Refresh()
		n.inner.Refresh()
	}
	t := float32(int(side * 0.58))
	place(n.tick, mid.X-t/2, mid.Y-t/2, t, t)
	n.text.Hidden = sign == ""
	n.text.Text, n.text.TextSize, n.text.TextStyle = sign, float32(int(side*0.54)), fyne.TextStyle{Bold: true}
	n.text.Color = tint(ink)
	w := n.text.MinSize()
	place(n.text, mid.X-w.Width/2, mid.Y-w.Height/2, w.Width, w.Height)
	n.text.Refresh()
}

// hide takes the mark away.
func (n *node) hide() {
	for _, o := range n.objects() {
		o.Hide()
	}
}

// A trackline is several marks on a line, as drawn.
type trackline struct {
	line, done *canvas.Rectangle
	nodes      []*node
}

func newTrackline() *trackline {
	return &trackline{line: canvas.NewRectangle(color.Transparent), done: canvas.NewRectangle(color.Transparent)}
}

// room makes as many marks as there are to draw, and says whether that made
// any.
func (t *trackline) room(n int) bool {
	made := false
	for ; len(t.nodes) < n; made = true {
		t.nodes = append(t.nodes, newNode())
	}
	return made
}

func (t *trackline) objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{t.line, t.done}
	for _, n := range t.nodes {
		all = append(all, n.objects()...)
	}
	return all
}

// draw puts the marks in the middles of as many equal parts of the width. The
// line is strong up to the first that is not done.
func (t *trackline) draw(pos fyne.Position, s fyne.Size, marks []Mark, ground fyne.ThemeColorName) {
	t.room(len(marks))
	for _, n := range t.nodes[len(marks):] {
		n.hide()
	}
	t.line.Hidden, t.done.Hidden = len(marks) < 2, true
	if len(marks) == 0 {
		return
	}
	pitch, w := s.Width/float32(len(marks)), size(SizeStepLine)
	mid := func(i int) fyne.Position { return pos.AddXY(pitch*(float32(i)+0.5), s.Height/2) }
	reached := 0
	for reached < len(marks)-1 && (marks[reached] == MarkDone || marks[reached] == MarkGood) {
		reached++
	}
	t.line.FillColor = tint(ColorTrack)
	place(t.line, mid(0).X, mid(0).Y-w/2, pitch*float32(len(marks)-1), w)
	t.line.Refresh()
	if reached > 0 {
		t.done.Show()
		t.done.FillColor = tint(theme.ColorNamePrimary)
		place(t.done, mid(0).X, mid(0).Y-w/2, pitch*float32(reached), w)
		t.done.Refresh()
	}
	for i, m := range marks {
		t.nodes[i].draw(mid(i), m, i+1, ground)
	}
}

// A Track shows how far somebody is on a line of steps.
type Track struct {
	widget.BaseWidget

	marks  []Mark
	ground fyne.ThemeColorName
}

// NewTrack returns a line of steps on a page.
func NewTrack(marks ...Mark) *Track {
	t := &Track{marks: marks, ground: theme.ColorNameBackground}
	t.ExtendBaseWidget(t)
	return t
}

// Set shows other marks.
func (t *Track) Set(marks ...Mark) {
	t.marks = marks
	t.Refresh()
}

// MinSize is the marks with a bit of line between them.
func (t *Track) MinSize() fyne.Size {
	return fyne.NewSize(float32(int(size(SizeDotCurrent)*1.7))*float32(len(t.marks)), size(SizeDotCurrent)+4)
}

// CreateRenderer is called by Fyne.
func (t *Track) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &trackRenderer{t, newTrackline()}
}

type trackRenderer struct {
	t    *Track
	line *trackline
}

func (r *trackRenderer) Destroy()                     {}
func (r *trackRenderer) MinSize() fyne.Size           { return r.t.MinSize() }
func (r *trackRenderer) Refresh()                     { r.Layout(r.t.Size()); canvas.Refresh(r.t) }
func (r *trackRenderer) Objects() []fyne.CanvasObject { return r.line.objects() }
func (r *trackRenderer) Layout(s fyne.Size)           { r.line.draw(fyne.Position{}, s, r.t.marks, r.t.ground) }

// A Sign is one mark as a widget.
type Sign struct {
	widget.BaseWidget

	mark   Mark
	ground fyne.ThemeColorName
}

// NewSign returns a mark on a card.
func NewSign(m Mark) *Sign {
	s := &Sign{mark: m, ground: ColorSurface}
	s.ExtendBaseWidget(s)
	return s
}

// Set shows another mark.
func (s *Sign) Set(m Mark) {
	s.mark = m
	s.Refresh()
}

// MinSize is the largest mark.
func (s *Sign) MinSize() fyne.Size { return fyne.NewSquareSize(size(SizeDotCurrent)) }

// CreateRenderer is called by Fyne.
func (s *Sign) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	return &signRenderer{s, newNode()}
}

type signRenderer struct {
	s *Sign
	n *node
}

func (r *signRenderer) Destroy()                     {}
func (r *signRenderer) MinSize() fyne.Size           { return r.s.MinSize() }
func (r *signRenderer) Refresh()                     { r.Layout(r.s.Size()); canvas.Refresh(r.s) }
func (r *signRenderer) Objects() []fyne.CanvasObject { return r.n.objects() }
func (r *signRenderer) Layout(s fyne.Size) {
	r.n.draw(fyne.NewPos(s.Width/2, s.Height/2), r.s.mark, 0, r.s.ground)
}
