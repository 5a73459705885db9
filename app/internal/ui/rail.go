package ui

import (
	"image/color"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Brand is the logo with the portal's name beside it.
type Brand struct {
	widget.BaseWidget

	name *Text
}

// NewBrand returns the logo with a name, for the dark rail.
func NewBrand(name string) *Brand {
	b := &Brand{name: NewText(RoleLead, Bold(name)).Ink(ColorRailText).Elide()}
	b.ExtendBaseWidget(b)
	return b
}

func (b *Brand) side() float32 { return size(SizeDotCurrent) }

// MinSize is the logo and the name.
func (b *Brand) MinSize() fyne.Size {
	return fyne.NewSize(b.side()+16+b.name.Natural()+1, max(b.side(), b.name.lineHeight()))
}

// CreateRenderer is called by Fyne.
func (b *Brand) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	return &brandRenderer{b, canvas.NewRectangle(color.Transparent), picture()}
}

type brandRenderer struct {
	b    *Brand
	tile *canvas.Rectangle
	key  *canvas.Image
}

func (r *brandRenderer) Destroy()           {}
func (r *brandRenderer) MinSize() fyne.Size { return r.b.MinSize() }
func (r *brandRenderer) Refresh()           { r.Layout(r.b.Size()); canvas.Refresh(r.b) }
func (r *brandRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.tile, r.key, r.b.name}
}

func (r *brandRenderer) Layout(s fyne.Size) {
	side := r.b.side()
	y := (s.Height - side) / 2
	r.tile.FillColor, r.tile.CornerRadius = tint(ColorSun), side*0.24
	place(r.tile, 0, y, side, side)
	r.tile.Refresh()
	paintIcon(r.key, IconKey, ColorOnSun)
	in := side * 0.06
	place(r.key, in, y+in, side-2*in, side-2*in)
	h := r.b.name.lineHeight()
	place(r.b.name, side+16, (s.Height-h)/2, max(0, s.Width-side-16), h)
	r.b.name.Refresh()
}

// A StepRail shows the six steps: done with a tick, the current one large and
// yellow, the rest as open rings. Standing (beside the page) it names them
// all; lying (above it) it names the current one and, where there is room, the
// next.
type StepRail struct {
	widget.BaseWidget

	steps   []string
	current int // 1 … len(steps); 0 none yet; len(steps)+1 all done
	caption *Text
	here    *Text
	next    *Text
	lying   bool
}

// NewStepRail returns a rail of steps, standing or lying.
func NewStepRail(steps []string, lying bool) *StepRail {
	r := &StepRail{
		steps: steps, lying: lying,
		caption: NewText(RoleHint).Ink(ColorRailMuted).OneLine(),
		here:    NewText(RoleHint).Ink(ColorRailText).Elide(),
		next:    NewText(RoleHint).Ink(ColorRailMuted).OneLine(),
	}
	r.ExtendBaseWidget(r)
	return r
}

// Set shows a step as the current one, with the words above ("Stap 1 van 6")
// and, for a lying rail, what comes after ("Straks: naam en wachtwoord").
// Step 0 is before the first; one more than there are means all done.
func (r *StepRail) Set(current int, caption, next string) {
	r.current = current
	r.caption.Set(Plain(caption))
	r.next.Set(Plain(next))
	r.here.Set()
	if current >= 1 && current <= len(r.steps) {
		r.here.Set(Bold(r.steps[current-1]))
	}
	r.Refresh()
}

// SetSteps renames the steps, at a switch of language.
func (r *StepRail) SetSteps(steps []string) {
	r.steps = steps
	r.Refresh()
}

// MinSize is all steps at the sizes of the rail.
func (r *StepRail) MinSize() fyne.Size {
	if r.lying {
		h := size(SizeDotCurrent) + r.caption.lineHeight() + r.under()
		return fyne.NewSize(size(SizeDotCurrent)*float32(len(r.steps)+2), h)
	}
	w := float32(0)
	for _, s := range r.steps {
		w = max(w, fyne.MeasureText(s, size(theme.SizeNameText), fyne.TextStyle{Bold: true}).Width)
	}
	return fyne.NewSize(size(SizeDotCurrent)+24+w, r.captionHeight()+size(SizeStepRow)*float32(len(r.steps)))
}

// under is the room between the words and a lying rail; little where it lies
// in one row with logo and tools.
func (r *StepRail) under() float32 {
	if c := Current().Class; c == Compact || c == Wide {
		return 2
	}
	return 12
}

func (r *StepRail) captionHeight() float32 { return r.caption.lineHeight() + 16 }

// CreateRenderer is called by Fyne.
func (r *StepRail) CreateRenderer() fyne.WidgetRenderer {
	r.ExtendBaseWidget(r)
	return &railRenderer{r: r, line: canvas.NewRectangle(color.Transparent), done: canvas.NewRectangle(color.Transparent)}
}

type railRenderer struct {
	r          *StepRail
	line, done *canvas.Rectangle
	dots       []*dot
	labels     []*canvas.Text
}

func (x *railRenderer) Destroy()           {}
func (x *railRenderer) MinSize() fyne.Size { return x.r.MinSize() }
func (x *railRenderer) Refresh()           { x.Layout(x.r.Size()); canvas.Refresh(x.r) }

func (x *railRenderer) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{x.r.caption, x.r.here, x.r.next, x.line, x.done}
	for _, d := range x.dots {
		all = append(all, d.objects()...)
	}
	for _, l := range x.labels {
		all = append(all, l)
	}
	return all
}

func (x *railRenderer) Layout(s fyne.Size) {
	for len(x.dots) < len(x.r.steps) {
		x.dots = append(x.dots, newDot())
		x.labels = append(x.labels, canvas.NewText("", nil))
	}
	for _, b := range []*canvas.Rectangle{x.line, x.done} {
		b.Hide()
	}
	x.r.here.Hidden, x.r.next.Hidden = !x.r.lying, !x.r.lying
	if x.r.lying {
		x.lie(s)
		return
	}
	x.stand(s)
}

func (x *railRenderer) stand(s fyne.Size) {
	r := x.r
	place(r.caption, 0, 0, s.Width, r.caption.lineHeight())
	big, row := size(SizeDotCurrent), size(SizeStepRow)
	mid := func(i int) fyne.Position { return fyne.NewPos(big/2, r.captionHeight()+row*(float32(i)+0.5)) }
	w := size(SizeStepLine)
	n := len(r.steps)
	x.bar(x.line, ColorRailLine, mid(0).AddXY(-w/2, 0), fyne.NewSize(w, row*float32(n-1)))
	if done := min(r.current, n) - 1; done > 0 {
		x.bar(x.done, ColorRailDone, mid(0).AddXY(-w/2, 0), fyne.NewSize(w, row*float32(done)))
	}
	for i := range r.steps {
		x.dots[i].draw(mid(i), i+1, x.state(i), railDots())
		l := x.labels[i]
		l.Hidden = false
		l.Text, l.TextSize = r.steps[i], size(theme.SizeNameText)
		l.TextStyle, l.Color = fyne.TextStyle{Bold: i+1 == r.current}, tint(ColorRailText)
		if i+1 > r.current {
			l.Color = tint(ColorRailMuted)
		}
		m := l.MinSize()
		place(l, big+24, mid(i).Y-m.Height/2, m.Width, m.Height)
		l.Refresh()
	}
}

func (x *railRenderer) lie(s fyne.Size) {
	r := x.r
	big, w, n := size(SizeDotCurrent), size(SizeStepLine), len(r.steps)
	y := big / 2
	h, cw, nw := r.caption.lineHeight(), r.caption.Natural(), r.next.Natural()
	place(r.caption, 0, 0, cw, h)
	place(r.here, cw+12, 0, max(0, s.Width-cw-12), h)
	r.next.Hidden = cw+12+r.here.Natural()+24+nw > s.Width
	place(r.next, s.Width-nw, 0, nw, h)
	y += h + r.under()
	step := (s.Width - big) / float32(max(1, n-1))
	mid := func(i int) fyne.Position { return fyne.NewPos(big/2+step*float32(i), y) }
	x.bar(x.line, ColorRailLine, mid(0).AddXY(0, -w/2), fyne.NewSize(step*float32(n-1), w))
	if done := min(r.current, n) - 1; done > 0 {
		x.bar(x.done, ColorRailDone, mid(0).AddXY(0, -w/2), fyne.NewSize(step*float32(done), w))
	}
	for i := range r.steps {
		x.labels[i].Hidden = true
		x.dots[i].draw(mid(i), i+1, x.state(i), railDots())
	}
}

func (x *railRenderer) bar(b *canvas.Rectangle, c fyne.ThemeColorName, pos fyne.Position, s fyne.Size) {
	b.Show()
	b.FillColor = tint(c)
	place(b, pos.X, pos.Y, s.Width, s.Height)
	b.Refresh()
}

func (x *railRenderer) state(i int) stepState {
	switch {
	case i+1 < x.r.current:
		return stepDone
	case i+1 == x.r.current:
		return stepCurrent
	}
	return stepOpen
}

type stepState int

const (
	stepOpen stepState = iota
	stepCurrent
	stepDone
)

// dotColours are the colours of dots on one ground.
type dotColours struct {
	ground, ring, number, done, tick fyne.ThemeColorName
	side, current, line              float32
}

func railDots() dotColours {
	return dotColours{
		ground: ColorRail, ring: ColorRailLine, number: ColorRailMuted, done: ColorRailDone, tick: ColorOnRailDone,
		side: size(SizeDot), current: size(SizeDotCurrent), line: 3,
	}
}

// A dot is one step: a ring with a number, a yellow disc with a number, or a
// disc with a tick.
type dot struct {
	outer, inner *canvas.Circle
	number       *canvas.Text
	tick         *canvas.Image
}

func newDot() *dot {
	return &dot{canvas.NewCircle(color.Transparent), canvas.NewCircle(color.Transparent), canvas.NewText("", nil), picture()}
}

func (d *dot) objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{d.outer, d.inner, d.number, d.tick}
}

func (d *dot) draw(mid fyne.Position, n int, state stepState, c dotColours) {
	side, ink := c.side, c.number
	outer, inner := c.ring, c.ground
	d.tick.Hide()
	d.number.Text = strconv.Itoa(n)
	switch state {
	case stepOpen:
	case stepCurrent:
		side, ink, outer, inner = c.current, ColorOnSun, ColorSun, ColorSun
	case stepDone:
		outer, inner = c.done, c.done
		d.number.Text = ""
		paintIcon(d.tick, IconCheck, c.tick)
	}
	d.outer.FillColor, d.inner.FillColor = tint(outer), tint(inner)
	place(d.outer, mid.X-side/2, mid.Y-side/2, side, side)
	in := side - 2*c.line
	place(d.inner, mid.X-in/2, mid.Y-in/2, in, in)
	t := float32(int(side * 0.58))
	place(d.tick, mid.X-t/2, mid.Y-t/2, t, t)
	d.number.TextSize, d.number.TextStyle, d.number.Color = float32(int(side*0.5)), fyne.TextStyle{Bold: true}, tint(ink)
	m := d.number.MinSize()
	place(d.number, mid.X-m.Width/2, mid.Y-m.Height/2, m.Width, m.Height)
	d.outer.Refresh()
	d.inner.Refresh()
	d.number.Refresh()
}

// A KeyLine is the key that the six steps make: a shaft of six stops, two
// teeth, and the bow. It opens on the first screen and is whole on the last.
type KeyLine struct {
	widget.BaseWidget

	current int
	onRail  bool
}

// NewKeyLine returns a key; onRail draws it for the dark ground of the start.
func NewKeyLine(onRail bool) *KeyLine {
	k := &KeyLine{onRail: onRail, current: 1}
	k.ExtendBaseWidget(k)
	return k
}

// Set shows how far it is: the current stop 1 … 6, or 7 for the whole key.
func (k *KeyLine) Set(current int) {
	k.current = current
	k.Refresh()
}

func (k *KeyLine) bow() float32 { return size(SizeDot) * 3.5 }

// MinSize is the height of the bow.
func (k *KeyLine) MinSize() fyne.Size {
	return fyne.NewSize(size(SizeDot)*12, k.bow())
}

// CreateRenderer is called by Fyne.
func (k *KeyLine) CreateRenderer() fyne.WidgetRenderer {
	k.ExtendBaseWidget(k)
	r := &keyLineRenderer{k: k, bow: canvas.NewCircle(color.Transparent), hole: canvas.NewCircle(color.Transparent)}
	for i := range r.parts {
		r.parts[i] = canvas.NewRectangle(color.Transparent)
	}
	for i := range r.dots {
		r.dots[i] = newDot()
	}
	return r
}

type keyLineRenderer struct {
	k         *KeyLine
	parts     [4]*canvas.Rectangle // shaft, what is done of it, two teeth
	dots      [6]*dot
	bow, hole *canvas.Circle
}

func (r *keyLineRenderer) Destroy()           {}
func (r *keyLineRenderer) MinSize() fyne.Size { return r.k.MinSize() }
func (r *keyLineRenderer) Refresh()           { r.Layout(r.k.Size()); canvas.Refresh(r.k) }

func (r *keyLineRenderer) Objects() []fyne.CanvasObject {
	var all []fyne.CanvasObject
	for _, p := range r.parts {
		all = append(all, p)
	}
	for _, d := range r.dots {
		all = append(all, d.objects()...)
	}
	return append(all, r.bow, r.hole)
}

func (r *keyLineRenderer) Layout(s fyne.Size) {
	k := r.k
	ground, shaft := theme.ColorNameBackground, ColorNode
	c := dotColours{ring: ColorNode, number: theme.ColorNameForeground, done: theme.ColorNameSuccess, tick: theme.ColorNameForegroundOnSuccess}
	if k.onRail {
		ground, shaft = ColorRail, ColorRailKey
		c = dotColours{ring: ColorRailKey, number: ColorRailText, done: ColorRailDone, tick: ColorOnRailDone}
	}
	c.ground = ground
	c.side = size(SizeDot) * 1.4
	bow := min(k.bow(), s.Width*0.13)
	c.side = min(c.side, s.Width*0.05)
	c.current, c.line = c.side, c.side/10
	w, y := c.side/4.6, s.Height/2
	first, step := c.side/2, (s.Width-bow-c.side/2+bow*0.1)/6
	mid := func(i int) fyne.Position { return fyne.NewPos(first+step*float32(i), y) }
	done := step * float32(max(0, min(k.current-1, 5)))
	if k.current > 6 {
		done = s.Width - bow + 4 - first
	}
	place(r.parts[0], first, y-w/2, s.Width-bow+4-first, w)
	place(r.parts[1], first, y-w/2, done, w)
	tooth := c.side * 0.28
	place(r.parts[2], first+step*0.35, y, tooth, c.side*0.76)
	place(r.parts[3], first+step*0.525, y, tooth, c.side*0.58)
	for i, p := range r.parts {
		p.FillColor = tint(shaft)
		if i == 1 || (i > 1 && k.current > 1) {
			p.FillColor = tint(c.done)
		}
		p.Refresh()
	}
	for i, d := range r.dots {
		state := stepOpen
		switch {
		case i+1 < k.current:
			state = stepDone
		case i+1 == k.current:
			state = stepCurrent
		}
		d.draw(mid(i), i+1, state, c)
	}
	r.bow.FillColor, r.hole.FillColor = tint(ColorSun), tint(ground)
	place(r.bow, s.Width-bow, y-bow/2, bow, bow)
	in := bow * 0.66
	place(r.hole, s.Width-bow/2-in/2, y-in/2, in, in)
	r.bow.Refresh()
	r.hole.Refresh()
}
