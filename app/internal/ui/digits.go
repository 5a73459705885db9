package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// codeLen is how many digits every code of the product has.
const codeLen = 6

// Digits takes a code of six digits in boxes of three and three. It has the
// focus as one: typing fills it, Backspace empties it, a paste of six digits
// ("123 456" too) fills all. Under it is room for what is wrong.
type Digits struct {
	widget.BaseWidget

	// OnChanged is called after every change, OnComplete when the sixth digit
	// is in. OnComplete may call Clear.
	OnChanged  func(string)
	OnComplete func(string)

	value   []rune
	small   bool
	off     bool
	shown   bool // they are shown, not typed
	focused bool
	wrong   string
	under   *Text
	mark    *Glyph
}

var (
	_ Target            = (*Digits)(nil)
	_ fyne.Tappable     = (*Digits)(nil)
	_ fyne.Shortcutable = (*Digits)(nil)
	_ fyne.Disableable  = (*Digits)(nil)
	_ desktop.Mouseable = (*Digits)(nil)
)

// NewDigits returns six boxes in the size of the screen.
func NewDigits() *Digits {
	d := &Digits{under: NewText(RoleHint), mark: NewGlyph(IconExclamation, theme.ColorNameError)}
	d.mark.Hide()
	d.under.Ink(theme.ColorNameError)
	d.ExtendBaseWidget(d)
	return d
}

// NewSmallDigits returns six boxes that leave room for a QR code beside them.
func NewSmallDigits() *Digits {
	d := NewDigits()
	d.small = true
	return d
}

// NewShownDigits returns six boxes that show a code, to be typed elsewhere.
func NewShownDigits(code string) *Digits {
	d := NewDigits()
	d.SetText(code)
	d.off, d.shown = true, true
	return d
}

// Text returns the digits so far.
func (d *Digits) Text() string { return string(d.value) }

// Complete says whether all six are in.
func (d *Digits) Complete() bool { return len(d.value) == codeLen }

// SetText replaces the digits; what is not a digit is left out.
func (d *Digits) SetText(s string) {
	clear(d.value)
	d.value = d.value[:0]
	d.add(s)
}

// Clear empties the boxes and overwrites what was in them. What is wrong stays
// until something is typed.
func (d *Digits) Clear() {
	clear(d.value)
	d.value = d.value[:0]
	d.changed()
}

// Wipe empties the boxes and takes back what was wrong.
func (d *Digits) Wipe() {
	d.wrong = ""
	d.say()
	d.Clear()
}

// SetError says what is wrong and marks the boxes; "" takes it back. The next
// digit takes it back too.
func (d *Digits) SetError(s string) {
	d.wrong = s
	d.say()
	d.Refresh()
}

// Wrong returns what is said to be wrong, "" for nothing.
func (d *Digits) Wrong() string { return d.wrong }

func (d *Digits) say() {
	d.mark.Hidden = d.wrong == ""
	d.under.Set(Bold(d.wrong))
}

// Enable lets digits be typed.
func (d *Digits) Enable() { d.off = false; d.Refresh() }

// Disable greys the boxes out, while a code is looked at.
func (d *Digits) Disable() { d.off = true; d.Refresh() }

// Disabled says whether digits cannot be typed.
func (d *Digits) Disabled() bool { return d.off }

// add types digits and leaves out what is none.
func (d *Digits) add(s string) {
	before := len(d.value)
	for _, r := range s {
		if r >= '0' && r <= '9' && len(d.value) < codeLen {
			d.value = append(d.value, r)
		}
	}
	if len(d.value) == before {
		d.Refresh()
		return
	}
	if d.wrong != "" {
		d.wrong = ""
		d.say()
	}
	d.changed()
	if d.Complete() && d.OnComplete != nil {
		d.OnComplete(d.Text())
	}
}

func (d *Digits) changed() {
	d.Refresh()
	if d.OnChanged != nil {
		d.OnChanged(d.Text())
	}
}

// FocusGained is called by Fyne.
func (d *Digits) FocusGained() { d.focused = true; d.Refresh() }

// FocusLost is called by Fyne.
func (d *Digits) FocusLost() { d.focused = false; d.Refresh() }

// TypedRune is called by Fyne and by the keys on the screen.
func (d *Digits) TypedRune(r rune) {
	active()
	if !d.off {
		d.add(string(r))
	}
}

// TypedKey deletes; Enter sends a full code again; the window gets the rest.
func (d *Digits) TypedKey(e *fyne.KeyEvent) {
	active()
	switch e.Name {
	case fyne.KeyBackspace, fyne.KeyDelete:
		if n := len(d.value); n > 0 && !d.off {
			d.value[n-1] = 0
			d.value = d.value[:n-1]
			d.changed()
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		if d.Complete() && d.OnComplete != nil && !d.off {
			d.OnComplete(d.Text())
		}
	default:
		passOn(d, e)
	}
}

// TypedShortcut pastes. A paste of six digits replaces what was there.
func (d *Digits) TypedShortcut(s fyne.Shortcut) {
	active()
	p, ok := s.(*fyne.ShortcutPaste)
	if !ok {
		passOnShortcut(d, s)
	}
	if !ok || d.off {
		return
	}
	n := 0
	for _, r := range p.Clipboard.Content() {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	if n >= codeLen {
		d.SetText(p.Clipboard.Content())
		return
	}
	d.add(p.Clipboard.Content())
}

// Tapped takes the focus.
func (d *Digits) Tapped(*fyne.PointEvent) {
	active()
	if !d.off {
		Focus(d)
	}
}

// MouseDown takes the focus.
func (d *Digits) MouseDown(*desktop.MouseEvent) { d.Tapped(nil) }

// MouseUp is called by Fyne.
func (d *Digits) MouseUp(*desktop.MouseEvent) {}

// A digitGeometry is the width and height of a box and the gaps between two
// boxes and between the two groups.
type digitGeometry struct{ w, h, gap, middle float32 }

func (d *Digits) geometry() digitGeometry {
	h, w := size(SizeDigitHeight), size(SizeDigitWidth)
	g := digitGeometry{w: w, h: h, gap: 16, middle: 48}
	switch Current().Class {
	case Wide, Desktop:
	case Portrait:
		g.middle = 72
	case Compact, SmallPortrait:
		g.gap, g.middle = 12, 36
	}
	if d.small {
		g = digitGeometry{w: 56, h: 80, gap: 8, middle: 48}
		if Current().Class == Compact {
			g = digitGeometry{w: 44, h: 60, gap: 6, middle: 24}
		}
	}
	return g
}

func (g digitGeometry) width() float32 { return 6*g.w + 4*g.gap + g.middle }

// fit shrinks the boxes to a width.
func (g digitGeometry) fit(width float32) digitGeometry {
	if all := g.width(); width > 0 && width < all {
		f := width / all
		return digitGeometry{float32(int(g.w * f)), g.h, g.gap * f, g.middle * f}
	}
	return g
}

const underDigits = 12

// HeightFor returns the height of the boxes and what is under them.
func (d *Digits) HeightFor(width float32) float32 {
	line := d.under.lineHeight()
	if (d.small || d.shown) && d.wrong == "" {
		return d.geometry().fit(width).h
	}
	return d.geometry().h + underDigits + max(line, d.under.HeightFor(width-line-4))
}

// MinSize is six boxes that can still be read.
func (d *Digits) MinSize() fyne.Size {
	return fyne.NewSize(d.geometry().width(), d.HeightFor(max(d.geometry().width(), d.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (d *Digits) CreateRenderer() fyne.WidgetRenderer {
	d.ExtendBaseWidget(d)
	r := &digitsRenderer{d: d, caret: canvas.NewRectangle(nil)}
	for i := range r.boxes {
		r.boxes[i] = newPlate()
		r.texts[i] = canvas.NewText("", nil)
		r.texts[i].TextStyle = fyne.TextStyle{Monospace: true, Bold: true}
	}
	return r
}

type digitsRenderer struct {
	d     *Digits
	boxes [codeLen]*plate
	texts [codeLen]*canvas.Text
	caret *canvas.Rectangle
}

func (r *digitsRenderer) Destroy()           {}
func (r *digitsRenderer) MinSize() fyne.Size { return r.d.MinSize() }
func (r *digitsRenderer) Refresh()           { r.Layout(r.d.Size()); canvas.Refresh(r.d) }

func (r *digitsRenderer) Objects() []fyne.CanvasObject {
	var all []fyne.CanvasObject
	for _, b := range r.boxes {
		all = append(all, b.objects()...)
	}
	for _, t := range r.texts {
		all = append(all, t)
	}
	return append(all, r.caret, r.d.mark, r.d.under)
}

func (r *digitsRenderer) Layout(s fyne.Size) {
	d := r.d
	g := d.geometry().fit(s.Width)
	here := min(len(d.value), codeLen-1)
	r.caret.Hide()
	for i := range r.boxes {
		x := float32(i)*(g.w+g.gap) + g.shift(i)
		r.box(i, x, g, d.focused && !d.off && i == here)
	}
	line := d.under.lineHeight()
	place(d.mark, 0, g.h+underDigits+2, line-4, line-4)
	x := line + 4
	place(d.under, x, g.h+underDigits, s.Width-x, d.under.HeightFor(s.Width-x))
}

// shift is how much further right the second group stands.
func (g digitGeometry) shift(i int) float32 {
	if i < codeLen/2 {
		return 0
	}
	return g.middle - g.gap
}

func (r *digitsRenderer) box(i int, x float32, g digitGeometry, current bool) {
	d := r.d
	l := look{
		face: theme.ColorNameInputBackground, stroke: theme.ColorNameInputBorder,
		radius: min(size(SizeControlRadius), g.w/4), line: size(theme.SizeNameInputBorder),
		focused: current, inkInside: true,
	}
	ink := theme.ColorNameForeground
	if d.wrong != "" {
		l.stroke, l.line = theme.ColorNameError, size(theme.SizeNameInputBorder)+1
	}
	if d.off && !d.shown {
		l.face, ink = theme.ColorNameDisabledButton, theme.ColorNameDisabled
	}
	r.boxes[i].draw(fyne.NewPos(x, 0), fyne.NewSize(g.w, g.h), l)
	t := r.texts[i]
	t.Text = ""
	if i < len(d.value) {
		t.Text = string(d.value[i])
	}
	t.TextSize, t.Color = float32(int(min(g.h*0.5, g.w*0.68))), tint(ink)
	m := t.MinSize()
	place(t, x+(g.w-m.Width)/2, (g.h-m.Height)/2, m.Width, m.Height)
	t.Refresh()
	if current && i >= len(d.value) {
		h := float32(int(g.h * 0.46))
		r.caret.Show()
		r.caret.FillColor = tint(theme.ColorNameForeground)
		place(r.caret, x+(g.w-3)/2, (g.h-h)/2, 3, h)
		r.caret.Refresh()
	}
}
