package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Kind is how much a button asks for attention.
type Kind int

// The kinds of button.
const (
	Secondary Kind = iota
	Primary        // at most one on a screen
	Quiet          // no plate: Stoppen
	Small          // beside what it changes: Wijzigen, Verstuur opnieuw
	Tool           // on the rail
	Link           // a secondary button in the colour of links: Scannen lukt niet
)

// A Button does something when it is touched, clicked, or typed Space or Enter
// on. Set its fields before it is shown, or call Refresh after.
type Button struct {
	widget.BaseWidget

	Text        string
	Left, Right Icon
	OnTapped    func()
	Big         bool // the answers Ja and Nee
	IconOnly    bool // shows the icon alone; the text is still what is read aloud, and what shows where a pointer rests on it
	On          bool // a tool that is switched on

	kind                                     Kind
	lit                                      func() bool // on as the theme says
	disabled, busy, focused, hovered, pushed bool
	dots                                     *Ticker        // moves the dots; nil: they do not move
	dot                                      *canvas.Circle // one of them, as it is drawn now
	beat                                     int
	tips                                     int  // which rest it is that its words wait for
	told                                     *tip // where they show; nil: they do not
}

var (
	_ fyne.Tappable     = (*Button)(nil)
	_ fyne.Focusable    = (*Button)(nil)
	_ fyne.Disableable  = (*Button)(nil)
	_ desktop.Hoverable = (*Button)(nil)
	_ desktop.Mouseable = (*Button)(nil)
)

// NewButton returns a button of the kind.
func NewButton(kind Kind, text string, tapped func()) *Button {
	b := &Button{kind: kind, Text: text, OnTapped: tapped}
	b.ExtendBaseWidget(b)
	return b
}

// NewBack returns the button at the bottom left of a screen.
func NewBack(text string, tapped func()) *Button {
	return NewButton(Secondary, text, tapped).WithLeft(IconChevronLeft)
}

// NewNext returns the one button at the bottom right of a screen.
func NewNext(text string, tapped func()) *Button {
	return NewButton(Primary, text, tapped).WithRight(IconArrowRight)
}

// WithLeft sets the icon before the text, and returns the button.
func (b *Button) WithLeft(i Icon) *Button {
	b.Left = i
	return b
}

// WithRight sets the icon after the text, and returns the button.
func (b *Button) WithRight(i Icon) *Button {
	b.Right = i
	return b
}

// SetText changes the words.
func (b *Button) SetText(s string) {
	b.Text = s
	b.Refresh()
}

// SetOn shows a tool as switched on or off.
func (b *Button) SetOn(on bool) {
	b.On = on
	b.Refresh()
}

// beatEvery is how often the dots of a busy button move.
const beatEvery = 350 * time.Millisecond

// SetBusy shows that something is going on; a busy button cannot be used, but
// keeps the focus. Whoever replaces a screen may leave its button busy.
func (b *Button) SetBusy(busy bool) {
	if b.busy == busy {
		return
	}
	b.busy, b.beat = busy, 0
	b.still()
	b.Refresh()
}

// move moves the dots of a busy button for as long as they are in sight. It is called
// whenever the button is measured or laid out, and Fyne measures all that it draws: a button
// that comes back moves again.
func (b *Button) move() {
	if !b.busy || b.dots != nil {
		return
	}
	missed := false
	b.dots = NewTicker(beatEvery, func() {
		switch {
		case inSight(b.dot):
			missed = false
			b.beat++
			b.Refresh()
		case missed: // each beat that draws keeps the renderer, and Destroy would never come
			b.still()
		default: // it may be drawn in a moment
			missed = true
		}
	})
}

// still stops the dots.
func (b *Button) still() {
	b.dots.Stop()
	b.dots = nil
}

// inSight says whether an object is in a window, and nothing around it is hidden. What Fyne
// does not find it places at the very corner of the window, so the object is one that never
// stands there.
func inSight(o fyne.CanvasObject) bool {
	d := fyne.CurrentApp().Driver()
	c := d.CanvasForObject(o)
	if c == nil {
		return false
	}
	corner, _ := c.InteractiveArea()
	return d.AbsolutePositionForObject(o).Add(corner) != fyne.Position{}
}

// Busy says whether the button shows that something is going on.
func (b *Button) Busy() bool { return b.busy }

// Enable lets the button be used.
func (b *Button) Enable() { b.SetEnabled(true) }

// Disable greys the button out; it cannot have the focus.
func (b *Button) Disable() { b.SetEnabled(false) }

// SetEnabled is Enable or Disable.
func (b *Button) SetEnabled(on bool) {
	if b.disabled == on {
		b.disabled = !on
		b.Refresh()
	}
}

// Disabled says whether the button cannot be used.
func (b *Button) Disabled() bool { return b.disabled }

// Tapped is called by Fyne.
func (b *Button) Tapped(*fyne.PointEvent) {
	active()
	if b.disabled || b.busy || b.OnTapped == nil {
		return
	}
	b.OnTapped()
}

// FocusGained is called by Fyne.
func (b *Button) FocusGained() {
	b.set(&b.focused, true)
	bring(b)
	b.tell()
}

// FocusLost is called by Fyne.
func (b *Button) FocusLost() {
	b.pushed = false
	b.set(&b.focused, false)
	b.hush()
}

// TypedRune is for the window: a digit of a code, say.
func (b *Button) TypedRune(r rune) {
	active()
	passOnRune(b, r)
}

// TypedKey activates the button on Space and Enter; the window gets the rest.
func (b *Button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		active()
		passOn(b, e)
	}
}

// MouseIn is called by Fyne.
func (b *Button) MouseIn(*desktop.MouseEvent) {
	b.set(&b.hovered, true)
	b.tell()
}

// MouseMoved is called by Fyne.
func (b *Button) MouseMoved(*desktop.MouseEvent) { active() }

// MouseOut is called by Fyne.
func (b *Button) MouseOut() {
	b.pushed = false
	b.set(&b.hovered, false)
	b.hush()
}

// MouseDown moves the face down.
func (b *Button) MouseDown(*desktop.MouseEvent) {
	b.set(&b.pushed, true)
	b.hush()
}

// MouseUp moves the face up.
func (b *Button) MouseUp(*desktop.MouseEvent) { b.set(&b.pushed, false) }

func (b *Button) set(flag *bool, on bool) {
	if *flag != on {
		*flag = on
		b.Refresh()
	}
}

type buttonStyle struct {
	look
	ink    fyne.ThemeColorName
	text   fyne.ThemeSizeName
	height float32 // of the face
	pad    float32
	width  float32 // the least
	icon   float32
	gap    float32
}

// style decides how the button looks now.
func (b *Button) style() buttonStyle {
	s := buttonStyle{
		look: look{
			face: theme.ColorNameButton, stroke: ColorButtonStroke, edge: ColorButtonEdge,
			radius: size(SizeControlRadius), depth: size(SizeEdge), line: size(SizeStroke),
		},
		ink: theme.ColorNameForeground, text: SizeButton,
		height: size(SizeButtonHeight), pad: size(SizeButtonHeight) * 0.45,
		icon: size(SizeIcon), gap: 12,
	}
	switch b.kind {
	case Secondary:
	case Primary:
		s.face, s.stroke, s.edge = theme.ColorNamePrimary, theme.ColorNamePrimary, ColorPrimaryEdge
		s.ink, s.width = theme.ColorNameForegroundOnPrimary, size(SizePrimaryWidth)
	case Quiet:
		s.face, s.stroke, s.edge, s.depth = ColorClear, "", "", 0
		s.ink, s.text, s.height, s.pad = theme.ColorNameHyperlink, SizeLabel, size(SizeToolHeight), 16
	case Small:
		s.text, s.height, s.pad, s.radius = SizeLabel, size(SizeToolHeight), 24, size(theme.SizeNameInputRadius)
	case Tool:
		s.face, s.stroke, s.edge, s.depth = ColorRailButton, ColorRailLine, "", 0
		s.ink, s.text, s.height, s.pad, s.radius = ColorRailText, SizeTool, size(SizeToolHeight), 16, size(theme.SizeNameInputRadius)
	case Link:
		s.ink, s.text, s.pad = theme.ColorNameHyperlink, SizeLabel, 24
	}
	if b.Big {
		s.text, s.height = theme.SizeNameSubHeadingText, size(SizeButtonHeight)*1.25
	}
	if b.IconOnly {
		s.pad, s.width = 12, s.height
	}
	if s.text == SizeTool || s.text == SizeLabel {
		s.icon = size(s.text) * 1.2
	}
	b.state(&s)
	return s
}

func (b *Button) state(s *buttonStyle) {
	if b.On || (b.lit != nil && b.lit()) {
		s.face, s.ink = ColorRailText, ColorRail
	}
	s.focused = b.focused && !b.disabled
	if s.focused && b.kind == Quiet { // the lines of the focus lie under a face
		s.face = theme.ColorNameButton
	}
	s.hovered = b.hovered && !b.disabled && !b.busy
	s.pressed = b.pushed && !b.disabled && !b.busy
	if b.disabled {
		s.ink, s.edge = theme.ColorNameDisabled, ""
		if b.kind != Quiet {
			s.face, s.stroke = theme.ColorNameDisabledButton, theme.ColorNameSeparator
		}
	}
}

// MinSize is the text with its icons in the least height of the kind.
func (b *Button) MinSize() fyne.Size {
	b.move()
	s := b.style()
	w := b.inner(s)
	return fyne.NewSize(max(s.width, w+2*s.pad), s.height+s.depth)
}

func (b *Button) inner(s buttonStyle) float32 {
	w := float32(0)
	if !b.IconOnly {
		w = fyne.MeasureText(b.Text, size(s.text), fyne.TextStyle{Bold: true}).Width
	}
	for _, i := range []Icon{b.Left, b.Right} {
		if i != "" {
			w += s.icon
			if !b.IconOnly {
				w += s.gap
			}
		}
	}
	return w
}

// CreateRenderer is called by Fyne.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	r := &buttonRenderer{b: b, plate: newPlate(), text: canvas.NewText("", nil), left: picture(), right: picture()}
	r.text.TextStyle = fyne.TextStyle{Bold: true}
	for i := range r.dots {
		r.dots[i] = canvas.NewCircle(nil)
	}
	b.dot = r.dots[0]
	return r
}

type buttonRenderer struct {
	b           *Button
	plate       *plate
	text        *canvas.Text
	left, right *canvas.Image
	dots        [3]*canvas.Circle
}

func (r *buttonRenderer) Destroy()           { r.b.still() }
func (r *buttonRenderer) MinSize() fyne.Size { return r.b.MinSize() }
func (r *buttonRenderer) Refresh()           { r.Layout(r.b.Size()); canvas.Refresh(r.b) }

func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.text, r.left, r.right, r.dots[0], r.dots[1], r.dots[2])
}

func (r *buttonRenderer) Layout(size0 fyne.Size) {
	r.b.move()
	b, s := r.b, r.b.style()
	around := size0
	if b.kind == Quiet { // its words end where it does, and its plate a little further
		around.Width += 8
	}
	down := r.plate.draw(fyne.Position{}, around, s.look)
	h := size0.Height - s.depth
	inner, squeeze := b.inner(s), float32(1)
	if room := size0.Width - 24; inner > room && room > 0 && !b.IconOnly { // a last resort
		squeeze = max(0.6, room/inner)
		s.icon *= squeeze
		inner = room
	}
	x := (size0.Width - inner) / 2
	if b.kind == Quiet { // its words end where the page ends
		x = size0.Width - inner - 1
	}
	left, right, dots := b.Left, b.Right, float32(-1)
	switch {
	case b.busy && right == "" && left != "": // there is no other room for the dots
		left, dots = "", x
	case b.busy:
		right = ""
	}
	paintIcon(r.left, left, s.ink)
	paintIcon(r.right, right, s.ink)
	if b.Left != "" {
		place(r.left, x, down+(h-s.icon)/2, s.icon, s.icon)
		x += s.icon + s.gap
	}
	r.text.Hidden = b.IconOnly
	r.text.Text, r.text.TextSize, r.text.Color = b.Text, size(s.text)*squeeze, tint(s.ink)
	m := r.text.MinSize()
	place(r.text, x, down+(h-m.Height)/2, m.Width, m.Height)
	r.text.Refresh()
	x += m.Width + s.gap
	place(r.right, x, down+(h-s.icon)/2, s.icon, s.icon)
	if dots < 0 {
		dots = x
	}
	r.pulse(dots, down+h/2, s)
}

// pulse draws the three dots of a busy button in the place of its right icon, or of the
// left one where it has no other.
func (r *buttonRenderer) pulse(x, y float32, s buttonStyle) {
	for i, d := range r.dots {
		d.Hidden = !r.b.busy
		side := s.icon / 6
		if r.b.beat%3 == i {
			side = s.icon / 3.6
		}
		d.FillColor = tint(s.ink)
		cx := x + s.icon*float32(2*i+1)/6
		place(d, cx-side/2, y-side/2, side, side)
		d.Refresh()
	}
}
