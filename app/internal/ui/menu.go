package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Menu is a small sheet over the window, at what opened it: something to choose from,
// or to fill in. Escape and a click beside it take it away.
type Menu struct {
	widget.BaseWidget

	content fyne.CanvasObject
	anchor  fyne.CanvasObject
	width   float32
	on      fyne.Canvas
	gone    func()
	placed  bool
	over    bool // it stands over what opened it, as it has since it was shown
}

// ShowMenu shows a sheet at an object, as wide as that at the normal size of text, until
// Hide. gone, which may be nil, is called when it has been taken away.
func ShowMenu(anchor, content fyne.CanvasObject, width float32, gone func()) *Menu {
	c := fyne.CurrentApp().Driver().CanvasForObject(anchor)
	if c == nil {
		return nil
	}
	m := &Menu{content: content, anchor: anchor, width: width, on: c, gone: gone}
	m.ExtendBaseWidget(m)
	c.Overlays().Add(m)
	m.Resize(c.Size())
	return m
}

// Hide takes it away, and gives the focus back to what opened it. It may be called on a
// nil menu.
func (m *Menu) Hide() {
	if m == nil || m.on == nil {
		return
	}
	c := m.on
	m.on = nil
	c.Overlays().Remove(m)
	if f, ok := m.anchor.(fyne.Focusable); ok && within(m.anchor, c.Content()) {
		c.Focus(f)
	}
	if m.gone != nil {
		m.gone()
	}
}

// hideMenu takes away the menu that an object is in, and says whether there is one.
func hideMenu(o fyne.CanvasObject) bool {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return false
	}
	m, ok := c.Overlays().Top().(*Menu)
	if ok {
		m.Hide()
	}
	return ok
}

func (m *Menu) held() []fyne.CanvasObject { return []fyne.CanvasObject{m.content} }

// leastMenu is the room that a menu wants, also for what will be found.
const leastMenu = 280

// sheet returns where the sheet is.
func (m *Menu) sheet() (fyne.Position, fyne.Size) {
	const edge, in = 8, 8
	area := m.Size()
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(m.anchor)
	w := min(max(m.width*grownBy(), m.anchor.Size().Width), area.Width-2*edge)
	h := HeightFor(m.content, w-2*in) + 2*in
	x := max(edge, min(at.X, area.Width-w-edge))
	below := at.Y + m.anchor.Size().Height + 6
	room, over := area.Height-below-edge, at.Y-6-edge
	if !m.placed { // it stays at that side, however much is found later
		m.placed, m.over = true, max(h, leastMenu) > room && over > room
	}
	if m.over {
		h = min(h, over)
		return fyne.NewPos(x, at.Y-6-h), fyne.NewSize(w, h)
	}
	return fyne.NewPos(x, below), fyne.NewSize(w, min(h, room))
}

// Tapped takes the menu away when it is beside the sheet.
func (m *Menu) Tapped(e *fyne.PointEvent) {
	active()
	at, s := m.sheet()
	if p := e.Position; p.X < at.X || p.Y < at.Y || p.X > at.X+s.Width || p.Y > at.Y+s.Height {
		m.Hide()
	}
}

// MouseIn is a sign of life.
func (m *Menu) MouseIn(*desktop.MouseEvent) { active() }

// MouseMoved is a sign of life.
func (m *Menu) MouseMoved(*desktop.MouseEvent) { active() }

// MouseOut is called by Fyne.
func (m *Menu) MouseOut() {}

// MinSize is nothing: it lies over the whole window.
func (m *Menu) MinSize() fyne.Size { return fyne.Size{} }

// CreateRenderer is called by Fyne.
func (m *Menu) CreateRenderer() fyne.WidgetRenderer {
	m.ExtendBaseWidget(m)
	return &menuRenderer{m, newPlate(), newPlate()}
}

type menuRenderer struct {
	m             *Menu
	shadow, plate *plate
}

func (r *menuRenderer) Destroy()           {}
func (r *menuRenderer) MinSize() fyne.Size { return fyne.Size{} }
func (r *menuRenderer) Refresh()           { r.Layout(r.m.Size()); canvas.Refresh(r.m) }

func (r *menuRenderer) Objects() []fyne.CanvasObject {
	return append(append(r.shadow.objects(), r.plate.objects()...), r.m.content)
}

func (r *menuRenderer) Layout(fyne.Size) {
	at, s := r.m.sheet()
	r.shadow.draw(at.AddXY(-3, 1), s.AddWidthHeight(6, 6), look{face: theme.ColorNameShadow, radius: size(SizeControlRadius) + 3})
	r.plate.draw(at, s, look{
		face: theme.ColorNameMenuBackground, stroke: ColorButtonStroke, radius: size(SizeControlRadius), line: size(SizeStroke),
	})
	place(r.m.content, at.X+8, at.Y+8, s.Width-16, s.Height-16)
}

// A MenuItem is one of the things that a menu offers: its words, how many there are of
// it, and a tick where it is chosen. The arrows go to the ones before and after it.
type MenuItem struct {
	pressable

	text  *Text
	note  string
	count string
	on    bool
}

// NewMenuItem returns one. Note is a second line, and below 0 the count is not known.
func NewMenuItem(text, note string, count int, on bool, tapped func()) *MenuItem {
	i := &MenuItem{text: Body(Plain(text)), note: note, on: on}
	if count >= 0 {
		i.count = Grouped(count)
	}
	i.self, i.tapped = i, tapped
	i.ExtendBaseWidget(i)
	return i
}

// String returns the words, as they would be read aloud.
func (i *MenuItem) String() string { return i.text.String() }

// On says whether it is chosen.
func (i *MenuItem) On() bool { return i.on }

// SetOn shows it as chosen.
func (i *MenuItem) SetOn(on bool) { i.set(&i.on, on) }

// TypedKey goes to the items around it, and chooses.
func (i *MenuItem) TypedKey(e *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(i)
	switch {
	case c != nil && e.Name == fyne.KeyDown:
		active()
		c.FocusNext()
	case c != nil && e.Name == fyne.KeyUp:
		active()
		c.FocusPrevious()
	default:
		i.pressable.TypedKey(e)
	}
}

func (i *MenuItem) sides() (left, right float32) {
	text := size(SizeLabel)
	left = 10 + text*1.1 + 10
	right = 12
	if i.count != "" {
		right += fyne.MeasureText(i.count, text, fyne.TextStyle{}).Width + 16
	}
	return left, right
}

// HeightFor returns the height at that width.
func (i *MenuItem) HeightFor(width float32) float32 {
	left, right := i.sides()
	h := i.text.HeightFor(max(1, width-left-right))
	if i.note != "" {
		h += size(theme.SizeNameCaptionText) * 1.3
	}
	return max(size(SizeToolHeight), h+10)
}

// MinSize fits the longest word.
func (i *MenuItem) MinSize() fyne.Size {
	left, right := i.sides()
	w := left + i.text.MinSize().Width + right
	return fyne.NewSize(w, i.HeightFor(max(w, i.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (i *MenuItem) CreateRenderer() fyne.WidgetRenderer {
	i.ExtendBaseWidget(i)
	return &menuItemRenderer{i, newPlate(), canvas.NewText("", nil), canvas.NewText("", nil), picture()}
}

type menuItemRenderer struct {
	i           *MenuItem
	plate       *plate
	note, count *canvas.Text
	tick        *canvas.Image
}

func (r *menuItemRenderer) Destroy()           {}
func (r *menuItemRenderer) MinSize() fyne.Size { return r.i.MinSize() }
func (r *menuItemRenderer) Refresh()           { r.Layout(r.i.Size()); canvas.Refresh(r.i) }

func (r *menuItemRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.i.text, r.note, r.count, r.tick)
}

func (r *menuItemRenderer) Layout(s fyne.Size) {
	i := r.i
	in := size(SizeFocusRing) // the scroller that it is in would cut the ring off
	r.plate.draw(fyne.NewSquareOffsetPos(in), s.SubtractWidthHeight(2*in, 2*in), look{
		face: theme.ColorNameMenuBackground, radius: size(theme.SizeNameSelectionRadius), inkInside: true,
		focused: i.focused, hovered: i.hovered, pressed: i.pushed,
	})
	left, right := i.sides()
	side := float32(int(size(SizeLabel) * 1.1))
	icon := Icon("")
	if i.on {
		icon = IconCheck
	}
	paintIcon(r.tick, icon, theme.ColorNamePrimary)
	place(r.tick, 10, (s.Height-side)/2, side, side)
	w := max(1, s.Width-left-right)
	h, nh := i.text.HeightFor(w), float32(0)
	if i.note != "" {
		nh = size(theme.SizeNameCaptionText) * 1.3
	}
	y := (s.Height - h - nh) / 2
	place(i.text, left, y, w, h)
	write(r.note, i.note, fyne.NewPos(left, y+h), s.Width-left-12, theme.SizeNameCaptionText, fyne.TextStyle{}, ColorMuted)
	m := fyne.MeasureText(i.count, size(SizeLabel), fyne.TextStyle{})
	write(r.count, i.count, fyne.NewPos(s.Width-12-m.Width, (s.Height-m.Height)/2), m.Width, SizeLabel, fyne.TextStyle{}, ColorMuted)
}
