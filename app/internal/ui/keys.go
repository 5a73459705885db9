package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// An act is what a key does.
type act int

const (
	actType act = iota // types its text
	actBackspace
	actClear
	actShift
	actLetters
	actSigns
	actAccents
)

// A key is one key of a page. Its place is counted in keys, from the left.
type key struct {
	text  string // what it types, and shows
	upper string // the same with shift; "" for the same
	label string // what it shows, where that is something else
	icon  Icon
	act   act
	at    float32 // in keys
	width float32 // in keys
}

// A page is rows of keys, all over the same number of keys.
type page struct {
	rows [][]key
	cols float32
}

// Keys are keys on the screen: a keyboard or a number pad. They never take the
// focus; they type into what has it, or else into their target, which they
// then give the focus. A key acts when it is pressed, not when it is let go,
// so that fast fingers lose nothing; Backspace repeats while it is held.
type Keys struct {
	widget.BaseWidget

	pages   map[act]page // by the act that leads there
	page    act
	numbers bool
	small   bool
	shift   bool
	target  Target
	pressed *key
	hold    *Ticker
	acted   bool
}

var (
	_ fyne.Tappable     = (*Keys)(nil)
	_ desktop.Mouseable = (*Keys)(nil)
	_ fyne.Focusable    = (*Keys)(nil)
	_ fyne.Disableable  = (*Keys)(nil)
)

// SetTarget says where the keys type while nothing that takes typing has the
// focus.
func (k *Keys) SetTarget(t Target) { k.target = t }

// SetShift sets the next letter to a capital: at the start of a name, say.
func (k *Keys) SetShift(on bool) {
	k.shift = on
	k.Refresh()
}

// Shifted says whether the next letter is a capital.
func (k *Keys) Shifted() bool { return k.shift }

// Press does what touching the key with this text or label does, on the page
// that is shown. It says whether there is one.
func (k *Keys) Press(text string) bool {
	for _, row := range k.pages[k.page].rows {
		for i := range row {
			if row[i].shows(k.shift) == text || (row[i].icon != "" && string(row[i].icon) == text) {
				k.do(&row[i])
				return true
			}
		}
	}
	return false
}

func (c *key) shows(shift bool) string {
	switch {
	case c.label != "":
		return c.label
	case shift && c.upper != "":
		return c.upper
	}
	return c.text
}

// do is one press.
func (k *Keys) do(c *key) {
	active()
	switch c.act {
	case actType:
		text := c.text
		if k.shift && c.upper != "" {
			text = c.upper
		}
		k.into(func(t Target) {
			for _, r := range text {
				t.TypedRune(r)
			}
		})
		k.shift = false
	case actBackspace:
		k.into(func(t Target) { t.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace}) })
	case actClear:
		k.into(func(t Target) { t.Clear() })
	case actShift:
		k.shift = !k.shift
	case actLetters, actSigns, actAccents:
		k.page, k.shift = c.act, false
	}
	k.Refresh()
}

func (k *Keys) into(do func(Target)) {
	c := fyne.CurrentApp().Driver().CanvasForObject(k)
	t := k.target
	if c != nil {
		if focused, ok := c.Focused().(Target); ok {
			t = focused
		}
	}
	if t == nil {
		return
	}
	if c != nil && c.Focused() != fyne.Focusable(t) {
		c.Focus(t)
	}
	do(t)
}

// The keys say that they could have the focus but are disabled: Fyne takes the
// focus from a field when something is clicked that could not have it, and
// never gives it to what is disabled.

// FocusGained is never called by Fyne.
func (k *Keys) FocusGained() {}

// FocusLost is never called by Fyne.
func (k *Keys) FocusLost() {}

// TypedRune is never called by Fyne.
func (k *Keys) TypedRune(rune) {}

// TypedKey is never called by Fyne.
func (k *Keys) TypedKey(*fyne.KeyEvent) {}

// Enable does nothing: the keys never have the focus.
func (k *Keys) Enable() {}

// Disable does nothing: the keys never have the focus.
func (k *Keys) Disable() {}

// Disabled says that the keys cannot have the focus. They can be touched.
func (k *Keys) Disabled() bool { return true }

// MouseDown presses the key under the finger.
func (k *Keys) MouseDown(e *desktop.MouseEvent) {
	if e.Button != desktop.MouseButtonPrimary && e.Button != 0 {
		return
	}
	k.acted = true
	k.press(e.Position)
}

// MouseUp lets the key go.
func (k *Keys) MouseUp(*desktop.MouseEvent) {
	k.hold.Stop()
	k.hold, k.pressed = nil, nil
	k.Refresh()
}

// Tapped presses the key where there was no MouseDown: on a touch driver.
func (k *Keys) Tapped(e *fyne.PointEvent) {
	if !k.acted {
		k.press(e.Position)
		k.MouseUp(nil)
	}
	k.acted = false
}

func (k *Keys) press(at fyne.Position) {
	c := k.under(at)
	if c == nil {
		return
	}
	k.pressed = c
	k.do(c)
	if c.act == actBackspace {
		k.repeat(c)
	}
}

// repeat deletes on while Backspace is held, after a moment.
func (k *Keys) repeat(c *key) {
	k.hold.Stop()
	beats := 0
	k.hold = NewTicker(120*time.Millisecond, func() {
		if beats++; beats > 4 && k.pressed == c {
			k.do(c)
		}
	})
}

func (k *Keys) under(at fyne.Position) *key {
	g, p := k.grid(k.Size()), k.pages[k.page]
	for y, row := range p.rows {
		for i := range row {
			pos, s := g.place(y, row[i])
			if at.X >= pos.X-g.gap/2 && at.X < pos.X+s.Width+g.gap/2 && at.Y >= pos.Y-g.gap/2 && at.Y < pos.Y+s.Height+g.gap/2 {
				return &row[i]
			}
		}
	}
	return nil
}

// A grid places keys: the width of one key, the height of a row, and gaps.
type grid struct{ unit, rowHeight, gap float32 }

func (g grid) place(y int, c key) (fyne.Position, fyne.Size) {
	return fyne.NewPos(c.at*(g.unit+g.gap), float32(y)*(g.rowHeight+g.gap)),
		fyne.NewSize(c.width*(g.unit+g.gap)-g.gap, g.rowHeight)
}

func (k *Keys) gap() float32 {
	switch {
	case k.numbers && !k.small && (Current().Class == Wide || Current().Class == Portrait):
		return 16
	case k.numbers:
		return 12
	}
	return 8
}

func (k *Keys) grid(s fyne.Size) grid {
	p, gap := k.pages[k.page], k.gap()
	rows := float32(len(p.rows))
	return grid{
		unit:      (s.Width - gap*(p.cols-1)) / p.cols,
		rowHeight: (s.Height - gap*(rows-1)) / rows,
		gap:       gap,
	}
}

// rowHeight returns the wanted height of a row, with its edge, never below
// what a finger needs.
func (k *Keys) rowHeight(rows int) float32 {
	switch {
	case k.small:
		return [classes]float32{100, 68, 100, 84, 48}[Current().Class]
	case k.numbers:
		return [classes]float32{132, 84, 116, 96, 48}[Current().Class]
	}
	if rows > 4 {
		return [classes]float32{67, 59, 84, 75, 40}[Current().Class]
	}
	return [classes]float32{83, 59, 96, 84, 40}[Current().Class]
}

// least is the height of keys that are as low as a finger can do with.
func (k *Keys) least() float32 {
	n := len(k.pages[k.page].rows)
	return min(k.rowHeight(n), 59)*float32(n) + k.gap()*float32(n-1)
}

// MinSize fits every key on a finger.
func (k *Keys) MinSize() fyne.Size {
	p, gap := k.pages[k.page], k.gap()
	unit := float32(56)
	switch {
	case k.small:
		unit = [classes]float32{128, 88, 128, 96, 64}[Current().Class]
	case k.numbers:
		unit = [classes]float32{144, 96, 144, 120, 64}[Current().Class]
	}
	n := len(p.rows)
	return fyne.NewSize(unit*p.cols+gap*(p.cols-1), k.rowHeight(n)*float32(n)+gap*float32(n-1))
}

// CreateRenderer is called by Fyne.
func (k *Keys) CreateRenderer() fyne.WidgetRenderer {
	k.ExtendBaseWidget(k)
	return &keysRenderer{k: k}
}

type keysRenderer struct {
	k    *Keys
	caps []*keycap
	n    int
}

// A keycap is one key as drawn.
type keycap struct {
	plate *plate
	text  *canvas.Text
	icon  *canvas.Image
}

func (r *keysRenderer) Destroy()           { r.k.hold.Stop() }
func (r *keysRenderer) MinSize() fyne.Size { return r.k.MinSize() }
func (r *keysRenderer) Refresh()           { r.Layout(r.k.Size()); canvas.Refresh(r.k) }

func (r *keysRenderer) Objects() []fyne.CanvasObject {
	var all []fyne.CanvasObject
	for _, c := range r.caps[:r.n] {
		all = append(all, c.plate.objects()...)
		all = append(all, c.text, c.icon)
	}
	return all
}

func (r *keysRenderer) Layout(s fyne.Size) {
	k := r.k
	g, n := k.grid(s), 0
	for y, row := range k.pages[k.page].rows {
		for i := range row {
			if n == len(r.caps) {
				r.caps = append(r.caps, &keycap{newPlate(), canvas.NewText("", nil), picture()})
			}
			pos, size := g.place(y, row[i])
			r.caps[n].draw(k, &row[i], pos, size)
			n++
		}
	}
	r.n = n
}

func (c *keycap) draw(k *Keys, on *key, pos fyne.Position, s fyne.Size) {
	l := look{
		face: ColorSurface, edge: ColorButtonEdge, radius: size(SizeKeyRadius), depth: size(SizeKeyEdge),
		line: size(SizeStroke), pressed: k.pressed == on,
	}
	strong := Current().Mode == HighContrast
	soft := on.act != actType || len([]rune(on.text)) > 1 || on.label != ""
	if soft {
		l.face = ColorKeySoft
	}
	if k.numbers {
		l.stroke, l.radius, l.depth = ColorButtonStroke, size(SizeControlRadius), size(SizeEdge)
		if soft {
			l.face = ColorPadSoft
		}
	}
	if strong {
		l.stroke, l.edge = ColorButtonStroke, ""
	}
	ink, icon := theme.ColorNameForeground, on.icon
	if on.act == actShift && k.shift { // its state is a filled arrow on a dark key
		l.face, ink, icon = theme.ColorNamePrimary, theme.ColorNameForegroundOnPrimary, IconShiftOn
	}
	down := c.plate.draw(pos, s, l)
	h := s.Height - l.depth
	side := min(36, h*0.5)
	paintIcon(c.icon, icon, ink)
	place(c.icon, pos.X+(s.Width-side)/2, pos.Y+down+(h-side)/2, side, side)
	c.text.Text = ""
	if on.icon == "" {
		c.text.Text = on.shows(k.shift)
	}
	c.style(k, soft, s.Width, h)
	c.text.Color = tint(ink)
	m := c.text.MinSize()
	place(c.text, pos.X+(s.Width-m.Width)/2, pos.Y+down+(h-m.Height)/2, m.Width, m.Height)
	c.text.Refresh()
}

// style picks the largest text that fits the key, up to the size of the kit.
func (c *keycap) style(k *Keys, soft bool, w, h float32) {
	c.text.TextStyle = fyne.TextStyle{Bold: soft || k.numbers, Monospace: k.numbers && !soft}
	c.text.TextSize = min(34, float32(int(h*0.54)))
	if k.numbers {
		c.text.TextSize = min(44, float32(int(h*0.5)))
	}
	if soft {
		c.text.TextSize = max(20, min(24*float32(Current().Scale), h*0.4))
		for c.text.TextSize > 14 && c.text.MinSize().Width > w-8 {
			c.text.TextSize--
		}
	}
}
