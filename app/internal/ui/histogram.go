package ui

import (
	"image/color"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A HistogramBar is how much happened from a moment until the next bar begins.
type HistogramBar struct {
	From  time.Time
	Count int
}

// A HistogramTick is words under a bar of a histogram. Where not all of them have room,
// those with the lowest rank do.
type HistogramTick struct {
	Bar  int
	Text string
	Rank int
}

// A Histogram shows how much happened when, with a handle at one moment: what is after
// it is greyed. The handle is dragged, goes to where somebody clicks, and to the edges
// of the bars with the arrows; Page Up and Page Down go Leap bars, Home and End to
// either end, plus and minus zoom. The wheel is left to the page: Fyne clips what takes
// it, and the handle reaches over the edge.
//
// Set its callbacks before it is shown.
type Histogram struct {
	widget.BaseWidget

	OnMove  func(at time.Time, resting bool) // the handle was moved; false: somebody still drags it
	OnHover func(bar int)                    // the pointer is over another bar, -1 for none
	OnZoom  func(in bool)
	Leap    int

	bars    []HistogramBar
	end     time.Time // of the last bar
	most    time.Time // how far the handle goes: what is after it is not yet
	at      time.Time
	ticks   []HistogramTick
	top     int // the count that is as high as the plot
	hover   int
	focused bool
	dragged bool
	grip    float32            // how far right of the pointer the handle is held
	shown   *histogramRenderer // nil before the first time
}

var (
	_ fyne.Focusable     = (*Histogram)(nil)
	_ fyne.Draggable     = (*Histogram)(nil)
	_ desktop.Mouseable  = (*Histogram)(nil)
	_ desktop.Hoverable  = (*Histogram)(nil)
	_ desktop.Cursorable = (*Histogram)(nil)
)

// NewHistogram returns one without bars.
func NewHistogram() *Histogram {
	h := &Histogram{hover: -1, Leap: 7}
	h.ExtendBaseWidget(h)
	return h
}

// SetBars shows other bars, which follow each other without gaps until end. The handle
// goes no further than most, and keeps its moment. Ticks are the words under them.
func (h *Histogram) SetBars(bars []HistogramBar, end, most time.Time, ticks []HistogramTick) {
	h.bars, h.end, h.most, h.ticks = slices.Clone(bars), end, most, slices.Clone(ticks)
	h.top = topOf(bars)
	if h.hover >= len(bars) {
		h.hover = -1
	}
	h.Refresh()
}

// SetMoment puts the handle at a moment, without a word to OnMove. One outside of the
// bars puts it at their edge.
func (h *Histogram) SetMoment(at time.Time) {
	was := h.place(h.at)
	h.at = at
	if d := h.place(at) - was; d > 0.4 || d < -0.4 { // as time passes it stands still for long
		h.Refresh()
	}
}

// Moment returns where the handle is.
func (h *Histogram) Moment() time.Time { return h.at }

// Hovered returns the bar under the pointer, -1 for none.
func (h *Histogram) Hovered() int { return h.hover }

// Dragging says whether somebody holds the handle.
func (h *Histogram) Dragging() bool { return h.dragged }

// BarAt returns the bar that a moment is in, -1 for none.
func (h *Histogram) BarAt(t time.Time) int {
	if len(h.bars) == 0 || t.Before(h.bars[0].From) || t.After(h.end) {
		return -1
	}
	i, found := slices.BinarySearchFunc(h.bars, t, func(b HistogramBar, t time.Time) int { return b.From.Compare(t) })
	if found {
		return i
	}
	return i - 1
}

// topOf returns the count that the plot is as high as. A few bars that stand far out,
// as a list of everybody that was read in, are cut, or nothing else could be seen.
func topOf(bars []HistogramBar) int {
	counts := make([]int, 0, len(bars))
	for _, b := range bars {
		if b.Count > 0 {
			counts = append(counts, b.Count)
		}
	}
	if len(counts) == 0 {
		return 1
	}
	slices.Sort(counts)
	most := counts[len(counts)-1]
	if usual := counts[(len(counts)-1)*9/10]; len(counts) >= 8 && most > usual*4 {
		return usual * 3 / 2
	}
	return most
}

// --- moving

// move brings the handle to a moment by hand.
func (h *Histogram) move(t time.Time, resting bool) {
	if len(h.bars) == 0 {
		return
	}
	if t.Before(h.bars[0].From) {
		t = h.bars[0].From
	}
	for _, last := range []time.Time{h.end, h.most} {
		if t.After(last) {
			t = last
		}
	}
	h.at = t
	h.Refresh()
	if h.OnMove != nil {
		h.OnMove(t, resting)
	}
}

// until returns when a bar ends.
func (h *Histogram) until(bar int) time.Time {
	if bar+1 < len(h.bars) {
		return h.bars[bar+1].From
	}
	return h.end
}

// timeAt returns the moment under a place of the plot.
func (h *Histogram) timeAt(x float32) time.Time {
	if len(h.bars) == 0 {
		return time.Time{}
	}
	pitch := h.Size().Width / float32(len(h.bars))
	bar := max(0, min(len(h.bars)-1, int(x/pitch)))
	from, part := h.bars[bar].From, float64(x/pitch)-float64(bar)
	part = max(0, min(1, part))
	return from.Add(time.Duration(part * float64(h.until(bar).Sub(from))).Truncate(time.Second))
}

// place returns where a moment stands in the plot.
func (h *Histogram) place(t time.Time) float32 {
	w := h.Size().Width
	switch bar := h.BarAt(t); {
	case len(h.bars) == 0 || t.After(h.end):
		return w
	case bar < 0:
		return 0
	default:
		from := h.bars[bar].From
		part := float32(t.Sub(from)) / float32(max(1, h.until(bar).Sub(from)))
		return (float32(bar) + part) * w / float32(len(h.bars))
	}
}

// step goes to the edge of a bar, n bars on.
func (h *Histogram) step(n int) {
	if len(h.bars) == 0 {
		return
	}
	bar := h.BarAt(h.at)
	switch {
	case h.at.After(h.end):
		bar = len(h.bars)
	case n < 0 && bar >= 0 && h.at.After(h.bars[bar].From):
		bar++ // back to the edge before is one
	}
	switch to := bar + n; {
	case to < 0:
		h.move(h.bars[0].From, true)
	case to >= len(h.bars):
		h.move(h.end, true)
	default:
		h.move(h.bars[to].From, true)
	}
}

// TypedKey moves the handle; the window gets the rest.
func (h *Histogram) TypedKey(e *fyne.KeyEvent) {
	active()
	switch e.Name {
	case fyne.KeyLeft, fyne.KeyDown:
		h.step(-1)
	case fyne.KeyRight, fyne.KeyUp:
		h.step(1)
	case fyne.KeyPageDown:
		h.step(-h.Leap)
	case fyne.KeyPageUp:
		h.step(h.Leap)
	case fyne.KeyHome:
		h.step(-len(h.bars) - 1)
	case fyne.KeyEnd:
		h.step(len(h.bars) + 1)
	default:
		passOn(h, e)
	}
}

// TypedRune zooms; the window gets the rest.
func (h *Histogram) TypedRune(r rune) {
	active()
	switch r {
	case '+', '=':
		h.zoom(true)
	case '-', '_':
		h.zoom(false)
	default:
		passOnRune(h, r)
	}
}

func (h *Histogram) zoom(in bool) {
	if h.OnZoom != nil {
		h.OnZoom(in)
	}
}

// FocusGained is called by Fyne.
func (h *Histogram) FocusGained() {
	h.focused = true
	bring(h)
	h.Refresh()
}

// FocusLost is called by Fyne.
func (h *Histogram) FocusLost() {
	h.focused = false
	h.Refresh()
}

// MouseDown brings the handle to the pointer.
func (h *Histogram) MouseDown(e *desktop.MouseEvent) {
	active()
	if e.Button == desktop.MouseButtonPrimary || e.Button == 0 {
		Focus(h)
		h.dragged, h.grip = true, 0
		if at := h.place(h.at); e.Position.Y > h.Size().Height-h.words()-knobTall && at-e.Position.X < knobWide/2 && e.Position.X-at < knobWide/2 {
			h.grip = at - e.Position.X // held by its knob, it does not jump to the pointer
			return
		}
		h.move(h.timeAt(e.Position.X), false)
	}
}

// MouseUp leaves it there.
func (h *Histogram) MouseUp(*desktop.MouseEvent) { h.rest() }

// Dragged moves the handle along with the pointer.
func (h *Histogram) Dragged(e *fyne.DragEvent) {
	active()
	h.dragged = true
	h.hoverAt(e.Position)
	h.move(h.timeAt(e.Position.X+h.grip), false)
}

// DragEnd leaves the handle where it is.
func (h *Histogram) DragEnd() { h.rest() }

func (h *Histogram) rest() {
	if h.dragged {
		h.dragged = false
		h.move(h.at, true)
	}
}

// MouseIn is called by Fyne.
func (h *Histogram) MouseIn(e *desktop.MouseEvent) { h.hoverAt(e.Position) }

// MouseMoved is called by Fyne.
func (h *Histogram) MouseMoved(e *desktop.MouseEvent) {
	active()
	h.hoverAt(e.Position)
}

// MouseOut is called by Fyne.
func (h *Histogram) MouseOut() { h.hoverOn(-1) }

func (h *Histogram) hoverAt(p fyne.Position) {
	bar := -1
	if n := len(h.bars); n > 0 && p.X >= 0 && p.X < h.Size().Width && p.Y >= 0 {
		bar = min(n-1, int(p.X/h.Size().Width*float32(n)))
	}
	h.hoverOn(bar)
}

func (h *Histogram) hoverOn(bar int) {
	if bar == h.hover {
		return
	}
	h.hover = bar
	h.Refresh()
	if h.OnHover != nil {
		h.OnHover(bar)
	}
}

// Cursor says that the handle goes left and right.
func (h *Histogram) Cursor() desktop.Cursor {
	if len(h.bars) == 0 {
		return desktop.DefaultCursor
	}
	return desktop.HResizeCursor
}

// MinSize is bars that can be told apart, with the words under them.
func (h *Histogram) MinSize() fyne.Size {
	return fyne.NewSize(200, 112+h.words())
}

// words is the height of what is under the plot: half of the handle, and the ticks.
func (h *Histogram) words() float32 { return 24 + size(theme.SizeNameCaptionText)*1.3 }

// CreateRenderer is called by Fyne.
func (h *Histogram) CreateRenderer() fyne.WidgetRenderer {
	h.ExtendBaseWidget(h)
	r := func() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }
	x := &histogramRenderer{
		h: h, ground: r(), lines: [3]*canvas.Rectangle{r(), r(), r()}, base: r(), over: r(), handle: r(), knob: newPlate(),
		grip: [2]*canvas.Rectangle{r(), r()}, focus: newPlate(),
	}
	h.shown = x
	return x
}

type histogramRenderer struct {
	h            *Histogram
	ground, over *canvas.Rectangle    // what has been, and what is under the pointer
	lines        [3]*canvas.Rectangle // at quarters of the height
	bars         []*barView
	base, handle *canvas.Rectangle
	knob         *plate
	grip         [2]*canvas.Rectangle
	focus        *plate // what it lies on, with the lines of the focus
	ticks        []*canvas.Text
	objects      []fyne.CanvasObject
}

// A barView is a bar as drawn: what has been, what comes after, and the gap of one that
// is cut.
type barView struct{ soft, strong, gap *canvas.Rectangle }

func (r *histogramRenderer) Destroy()           {}
func (r *histogramRenderer) MinSize() fyne.Size { return r.h.MinSize() }
func (r *histogramRenderer) Refresh()           { r.Layout(r.h.Size()); canvas.Refresh(r.h) }

func (r *histogramRenderer) Objects() []fyne.CanvasObject {
	if r.objects != nil {
		return r.objects
	}
	all := append(r.focus.objects(), r.ground, r.over, r.lines[0], r.lines[1], r.lines[2])
	for _, b := range r.bars {
		all = append(all, b.soft, b.strong, b.gap)
	}
	all = append(all, r.base, r.handle)
	all = append(append(all, r.knob.objects()...), r.grip[0], r.grip[1])
	for _, t := range r.ticks {
		all = append(all, t)
	}
	r.objects = all
	return all
}

// room makes as many bars and ticks as there are to draw.
func (r *histogramRenderer) room(bars, ticks int) {
	for len(r.bars) < bars {
		c := func() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }
		r.bars, r.objects = append(r.bars, &barView{c(), c(), c()}), nil
	}
	for len(r.ticks) < ticks {
		r.ticks, r.objects = append(r.ticks, canvas.NewText("", nil)), nil
	}
}

// How large the knob of the handle is.
const knobWide, knobTall = 34, 26

// above is the room over the plot that the handle's line stands out into.
const above = 8

func (r *histogramRenderer) Layout(s fyne.Size) {
	h := r.h
	r.room(len(h.bars), len(h.ticks))
	floor := max(above+1, s.Height-h.words())
	high := floor - above
	at := h.place(h.at)
	r.focus.draw(fyne.NewPos(0, above), fyne.NewSize(s.Width, high+1), look{face: ColorSurface, radius: 2, focused: h.focused})
	paint(r.ground, ColorReplayed, 0, above, at, high)
	r.ground.Hidden = len(h.bars) == 0
	for i, l := range r.lines {
		paint(l, theme.ColorNameSeparator, 0, above+high*float32(i+1)/4, s.Width, size(theme.SizeNameSeparatorThickness))
	}
	paint(r.base, ColorNode, 0, floor, s.Width, size(SizeStroke))
	r.drawBars(s.Width, floor, high, at)
	r.drawHandle(at, floor)
	r.drawTicks(s.Width, floor+24)
}

// paint draws an area of a colour.
func paint(c *canvas.Rectangle, ink fyne.ThemeColorName, x, y, w, h float32) {
	c.FillColor = tint(ink)
	place(c, x, y, max(0, w), max(0, h))
	c.Refresh()
}

func (r *histogramRenderer) drawBars(width, floor, high, at float32) {
	h := r.h
	r.over.Hidden = h.hover < 0
	for _, b := range r.bars[len(h.bars):] {
		b.soft.Hidden, b.strong.Hidden, b.gap.Hidden = true, true, true
	}
	if len(h.bars) == 0 {
		return
	}
	pitch := width / float32(len(h.bars))
	if h.hover >= 0 {
		paint(r.over, theme.ColorNameHover, float32(h.hover)*pitch, floor-high, pitch, high)
	}
	air := max(0.5, min(6, pitch*0.3))
	for i, b := range h.bars {
		v, x, w := r.bars[i], float32(i)*pitch+air/2, pitch-air
		tall := float32(0)
		if b.Count > 0 {
			tall = max(3, (high-6)*min(1, float32(b.Count)/float32(h.top)))
		}
		cutOff := b.Count > h.top
		v.soft.Hidden, v.strong.Hidden, v.gap.Hidden = tall == 0 || at >= x+w, tall == 0 || at <= x, !cutOff
		for _, c := range []*canvas.Rectangle{v.soft, v.strong} {
			round := min(3, w/3)
			c.TopLeftCornerRadius, c.TopRightCornerRadius = round, round
			c.BottomLeftCornerRadius, c.BottomRightCornerRadius = 0.01, 0.01
		}
		paint(v.soft, ColorBarSoft, x, floor-tall, w, tall)
		paint(v.strong, ColorBar, x, floor-tall, min(w, at-x), tall)
		paint(v.gap, ColorSurface, x-0.5, floor-tall+8, w+1, 3)
	}
}

func (r *histogramRenderer) drawHandle(at, floor float32) {
	h := r.h
	bare := len(h.bars) == 0
	r.handle.Hidden, r.grip[0].Hidden, r.grip[1].Hidden = bare, bare, bare
	if bare {
		for _, o := range r.knob.objects() {
			o.Hide()
		}
		return
	}
	paint(r.handle, theme.ColorNameForeground, at-2, 0, 4, floor)
	r.handle.CornerRadius = 2
	l := look{face: ColorSun, stroke: ColorFocusInk, radius: knobTall / 2, line: 2, hovered: h.dragged}
	if Current().Mode == HighContrast {
		l.stroke = ColorSunEdge
	}
	r.knob.draw(fyne.NewPos(at-knobWide/2, floor-knobTall/2), fyne.NewSize(knobWide, knobTall), l)
	for i, g := range r.grip {
		paint(g, ColorOnSun, at-4+float32(i)*6, floor-5, 2, 10)
	}
}

// drawTicks writes the words that have room, those that matter most first.
func (r *histogramRenderer) drawTicks(width, y float32) {
	h := r.h
	type span struct{ from, to float32 }
	var taken []span
	free := func(s span) bool {
		return !slices.ContainsFunc(taken, func(t span) bool { return s.from < t.to+16 && t.from < s.to+16 })
	}
	order := make([]int, len(h.ticks))
	for i := range order {
		order[i] = i
		r.ticks[i].Hide()
	}
	for _, t := range r.ticks[len(h.ticks):] {
		t.Hide()
	}
	slices.SortStableFunc(order, func(a, b int) int { return h.ticks[a].Rank - h.ticks[b].Rank })
	for _, i := range order {
		t := h.ticks[i]
		if t.Bar < 0 || t.Bar >= len(h.bars) {
			continue
		}
		w := fyne.MeasureText(t.Text, size(theme.SizeNameCaptionText), fyne.TextStyle{}).Width
		x := (float32(t.Bar)+0.5)*width/float32(len(h.bars)) - w/2
		x = max(0, min(x, width-w))
		if s := (span{x, x + w}); free(s) {
			taken = append(taken, s)
			write(r.ticks[i], t.Text, fyne.NewPos(x, y), w, theme.SizeNameCaptionText, fyne.TextStyle{}, ColorMuted)
		}
	}
}
