package ui

import (
	"image/color"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
)

// A NavItem is one of the pages that a window of staff has, on its dark rail.
type NavItem struct {
	pressable

	icon  Icon
	text  *Text
	count int
	on    bool
}

// NewNavItem returns an item; touched, it shows its page.
func NewNavItem(icon Icon, text string, tapped func()) *NavItem {
	n := &NavItem{icon: icon, text: NewText(RoleBody, Plain(text)).Ink(ColorRailMuted).Elide()}
	n.tapped, n.self = tapped, n
	n.ExtendBaseWidget(n)
	return n
}

// SetOn marks the page that shows.
func (n *NavItem) SetOn(on bool) {
	if n.on == on {
		return
	}
	n.on = on
	words := n.text.String()
	if on {
		n.text.Set(Bold(words))
	} else {
		n.text.Set(Plain(words))
	}
	n.Refresh()
}

// On says whether its page shows.
func (n *NavItem) On() bool { return n.on }

// SetCount shows how much waits there; 0 shows nothing.
func (n *NavItem) SetCount(count int) {
	if n.count != count {
		n.count = count
		n.Refresh()
	}
}

// String returns its words.
func (n *NavItem) String() string { return n.text.String() }

// MinSize is a row of the rail.
func (n *NavItem) MinSize() fyne.Size {
	return fyne.NewSize(size(SizeIcon)*4, max(size(SizeStepRow)+4, n.text.lineHeight()+16))
}

// CreateRenderer is called by Fyne.
func (n *NavItem) CreateRenderer() fyne.WidgetRenderer {
	n.ExtendBaseWidget(n)
	bar, disc := canvas.NewRectangle(color.Transparent), canvas.NewRectangle(color.Transparent)
	number := canvas.NewText("", color.Transparent)
	number.Alignment = fyne.TextAlignCenter
	return &navRenderer{n, newPlate(), bar, disc, number, picture()}
}

type navRenderer struct {
	n         *NavItem
	plate     *plate
	bar, disc *canvas.Rectangle
	number    *canvas.Text
	icon      *canvas.Image
}

func (r *navRenderer) Destroy()           {}
func (r *navRenderer) MinSize() fyne.Size { return r.n.MinSize() }
func (r *navRenderer) Refresh()           { r.Layout(r.n.Size()); canvas.Refresh(r.n) }

func (r *navRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.bar, r.icon, r.n.text, r.disc, r.number)
}

func (r *navRenderer) Layout(s fyne.Size) {
	n := r.n
	l := look{
		face: ColorRail, radius: size(SizeControlRadius), inkInside: true, line: 0,
		focused: n.focused, hovered: n.hovered, pressed: n.pushed,
	}
	ink := ColorRailMuted
	if n.on {
		l.face, ink = ColorRailButton, ColorRailText
		if Current().Mode == HighContrast {
			l.stroke, l.line = ColorRailText, 2
		}
	}
	r.plate.draw(fyne.Position{}, s, l)
	r.bar.FillColor, r.bar.CornerRadius = tint(ColorSun), 2
	r.bar.Hidden = !n.on
	place(r.bar, 0, 8, 4, s.Height-16)
	r.bar.Refresh()
	side := size(SizeIcon) + 2
	paintIcon(r.icon, n.icon, ink)
	place(r.icon, 16, (s.Height-side)/2, side, side)
	room := s.Width - 16 - side - 12 - 12
	r.disc.Hidden, r.number.Hidden = n.count == 0, n.count == 0
	if n.count > 0 {
		d := max(size(SizeDot), n.text.lineHeight())
		r.number.Text, r.number.Color = strconv.Itoa(n.count), tint(ColorOnSun)
		r.number.TextSize, r.number.TextStyle = size(theme.SizeNameCaptionText), fyne.TextStyle{Bold: true}
		w := max(d, r.number.MinSize().Width+12)
		r.disc.FillColor, r.disc.CornerRadius = tint(ColorSun), d/2
		place(r.disc, s.Width-12-w, (s.Height-d)/2, w, d)
		h := r.number.MinSize().Height
		place(r.number, s.Width-12-w, (s.Height-h)/2, w, h)
		room -= w + 8
	}
	r.disc.Refresh()
	r.number.Refresh()
	n.text.Ink(ink)
	h := n.text.lineHeight()
	place(n.text, 16+side+12, (s.Height-h)/2, max(0, room), h)
	n.text.Refresh()
}

// Initials returns the first letters of the first and the last word of a name.
func Initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) })
	if len(words) > 2 {
		words = []string{words[0], words[len(words)-1]}
	}
	var letters strings.Builder
	for _, w := range words {
		letters.WriteString(strings.ToUpper(string([]rune(w)[:1])))
	}
	return letters.String()
}

// NewSomebody shows who has signed in: initials, name and role, for the dark rail.
func NewSomebody(name, role string) fyne.CanvasObject {
	disc := canvas.NewCircle(tint(ColorRailButton))
	disc.StrokeColor, disc.StrokeWidth = tint(ColorRailLine), 1
	letters := NewText(RoleBody, Bold(Initials(name))).Ink(ColorRailText).Align(fyne.TextAlignCenter).OneLine()
	side := size(SizeDisc)
	face := &fyne.Container{Layout: badgeOf{side}, Objects: []fyne.CanvasObject{disc, letters}}
	return Row(SizeSmallGap, face, GrowCentred(1, Column("",
		NewText(RoleBody, Bold(name)).Ink(ColorRailText).Elide(), Hint(Plain(role)).Ink(ColorRailMuted).Elide())))
}

// badgeOf centres letters on a disc.
type badgeOf struct{ side float32 }

func (b badgeOf) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSquareSize(b.side) }

func (b badgeOf) Layout(o []fyne.CanvasObject, s fyne.Size) {
	place(o[0], 0, (s.Height-b.side)/2, b.side, b.side)
	h := o[1].MinSize().Height
	place(o[1], 0, (s.Height-h)/2, b.side, h)
}

// A Frame is the frame of a window of staff: a dark rail with the pages at the left, and
// the page that shows.
type Frame struct {
	brand  fyne.CanvasObject
	items  []fyne.CanvasObject
	foot   []fyne.CanvasObject
	rail   *canvas.Rectangle
	edge   *canvas.Rectangle
	ground *floor
	page   fyne.CanvasObject
}

// NewFrame returns a frame as one object.
func NewFrame(brand fyne.CanvasObject, items, foot []fyne.CanvasObject, page fyne.CanvasObject) *fyne.Container {
	d := &Frame{
		brand: brand, items: items, foot: foot, page: page,
		rail: canvas.NewRectangle(tint(ColorRail)), edge: canvas.NewRectangle(tint(ColorRailBorder)),
		ground: newFloor(),
	}
	objects := append([]fyne.CanvasObject{d.ground, d.rail, d.edge, brand}, items...)
	objects = append(append(objects, foot...), page)
	return &fyne.Container{Layout: d, Objects: objects}
}

// MinSize is little: the window decides.
func (d *Frame) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(640, 480) }

// Layout is called by Fyne.
func (d *Frame) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	w := size(SizeRail)
	if Current().Scale > Normal { // the words of the pages keep their room
		w *= 1.2
	}
	place(d.ground, 0, 0, s.Width, s.Height)
	place(d.rail, 0, 0, w, s.Height)
	place(d.edge, w-2, 0, 2, s.Height)
	in, y := float32(16), float32(24)
	h := HeightFor(d.brand, w-2*in-8)
	place(d.brand, in+8, y, w-2*in-8, h)
	y += h + 24
	for _, o := range d.items {
		h := o.MinSize().Height
		place(o, in, y, w-2*in, h)
		y += h + 4
	}
	bottom := s.Height - 16
	for _, o := range slices.Backward(d.foot) {
		if !o.Visible() {
			continue
		}
		h := HeightFor(o, w-2*in)
		bottom -= h
		place(o, in, bottom, w-2*in, h)
		bottom -= 12
	}
	side, top := size(SizeSide), size(SizeTop)
	place(d.page, w+side, top, max(0, s.Width-w-2*side), max(0, s.Height-2*top+8))
}

// A floor is the ground of a frame, on which a pointer that moves or clicks is a sign of
// life.
type floor struct{ rule }

func newFloor() *floor {
	f := &floor{rule{ink: theme.ColorNameBackground}}
	f.ExtendBaseWidget(f)
	return f
}

var _ desktop.Hoverable = (*floor)(nil)

// Tapped is a sign of life.
func (*floor) Tapped(*fyne.PointEvent) { active() }

// MouseIn is a sign of life.
func (*floor) MouseIn(*desktop.MouseEvent) { active() }

// MouseMoved is a sign of life.
func (*floor) MouseMoved(*desktop.MouseEvent) { active() }

// MouseOut is called by Fyne.
func (*floor) MouseOut() {}
