package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// pad is the room inside a card.
func pad() float32 {
	if Current().Class == Desktop {
		return size(SizeBigGap)
	}
	return size(SizeGap)
}

// A CardKind is how a card looks.
type CardKind int

// The kinds of card.
const (
	Surface     CardKind = iota // a light sheet with a thin border
	Tinted                      // explains something
	Recommended                 // a sheet with a strong border: our advice
	Waiting                     // something waits for somebody
)

// A Card holds content on a sheet of its own.
type Card struct {
	widget.BaseWidget

	kind    CardKind
	content fyne.CanvasObject
}

// NewCard returns a card around content.
func NewCard(kind CardKind, content fyne.CanvasObject) *Card {
	c := &Card{kind: kind, content: content}
	c.ExtendBaseWidget(c)
	return c
}

// HeightFor returns the height of the content at that width, with its margin.
func (c *Card) HeightFor(width float32) float32 {
	return HeightFor(c.content, width-2*pad()) + 2*pad()
}

func (c *Card) held() []fyne.CanvasObject { return []fyne.CanvasObject{c.content} }

func (c *Card) leastFor(width float32) float32 {
	h := leastFor(c.content, width-2*pad())
	if r, ok := c.content.(*Rules); ok {
		h = r.MinSize().Height
	}
	return h + 2*pad()
}

// MinSize is the content with its margin.
func (c *Card) MinSize() fyne.Size {
	return c.content.MinSize().AddWidthHeight(2*pad(), 2*pad())
}

// CreateRenderer is called by Fyne.
func (c *Card) CreateRenderer() fyne.WidgetRenderer {
	c.ExtendBaseWidget(c)
	return &cardRenderer{c: c, plate: newPlate()}
}

type cardRenderer struct {
	c     *Card
	plate *plate
}

func (r *cardRenderer) Destroy()           {}
func (r *cardRenderer) MinSize() fyne.Size { return r.c.MinSize() }
func (r *cardRenderer) Refresh() {
	r.Layout(r.c.Size())
	canvas.Refresh(r.c)
}

func (r *cardRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.c.content)
}

func (r *cardRenderer) Layout(s fyne.Size) {
	l := look{face: ColorSurface, stroke: theme.ColorNameSeparator, radius: size(SizeControlRadius), line: size(SizeStroke)}
	switch r.c.kind {
	case Surface:
	case Tinted:
		l.face, l.stroke = ColorTint, ColorTint
		if Current().Mode == HighContrast {
			l.face, l.stroke = ColorSurface, theme.ColorNameSeparator
		}
	case Recommended:
		l.stroke, l.line = theme.ColorNamePrimary, 3
	case Waiting:
		l.face, l.stroke = ColorWarningBg, theme.ColorNameWarning
	}
	r.plate.draw(fyne.Position{}, s, l)
	m := pad()
	place(r.c.content, m, m, s.Width-2*m, s.Height-2*m)
}

// pressable is what a tile, a list button and a chip share: they are touched
// like buttons and have the focus like buttons.
type pressable struct {
	widget.BaseWidget

	self                                fyne.CanvasObject // the widget itself, to find its window
	tapped                              func()
	focused, hovered, pushed, switchOff bool
}

// Tapped is called by Fyne.
func (p *pressable) Tapped(*fyne.PointEvent) {
	active()
	if p.tapped != nil && !p.switchOff {
		p.tapped()
	}
}

// FocusGained is called by Fyne.
func (p *pressable) FocusGained() {
	p.set(&p.focused, true)
	bring(p.self)
}

// FocusLost is called by Fyne.
func (p *pressable) FocusLost() { p.set(&p.focused, false) }

// TypedRune is for the window: a digit of a code, say.
func (p *pressable) TypedRune(r rune) {
	active()
	passOnRune(p.self, r)
}

// TypedKey activates on Space and Enter; the window gets the rest.
func (p *pressable) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		p.Tapped(nil)
	default:
		active()
		passOn(p.self, e)
	}
}

// MouseIn is called by Fyne.
func (p *pressable) MouseIn(*desktop.MouseEvent) { p.set(&p.hovered, true) }

// MouseMoved is called by Fyne.
func (p *pressable) MouseMoved(*desktop.MouseEvent) { active() }

// MouseOut is called by Fyne.
func (p *pressable) MouseOut() {
	p.pushed = false
	p.set(&p.hovered, false)
}

// MouseDown moves the face down.
func (p *pressable) MouseDown(*desktop.MouseEvent) { p.set(&p.pushed, true) }

// MouseUp moves the face up.
func (p *pressable) MouseUp(*desktop.MouseEvent) { p.set(&p.pushed, false) }

// Enable lets it be used.
func (p *pressable) Enable() { p.set(&p.switchOff, false) }

// Disable greys it out; it cannot have the focus.
func (p *pressable) Disable() { p.set(&p.switchOff, true) }

// Disabled says whether it cannot be used.
func (p *pressable) Disabled() bool { return p.switchOff }

func (p *pressable) set(flag *bool, on bool) {
	if *flag != on {
		*flag = on
		p.Refresh()
	}
}

// A Tile is one of the two large cards of the start screen.
type Tile struct {
	pressable

	sun         bool
	title, line *Text
	icon        Icon
}

// NewTile returns a start card; sun marks the one for newcomers.
func NewTile(sun bool, icon Icon, title, line string, tapped func()) *Tile {
	t := &Tile{sun: sun, icon: icon, title: NewText(RoleTile, Plain(title)), line: NewText(RoleLead, Plain(line))}
	t.tapped, t.self = tapped, t
	t.ExtendBaseWidget(t)
	return t
}

// HeightFor returns the height of a tile of that width.
func (t *Tile) HeightFor(width float32) float32 {
	inner := width - 2*size(SizeBigGap)
	return 2*size(SizeBigGap) + t.disc() + size(SizeGap) + t.title.HeightFor(inner) +
		8 + t.line.HeightFor(inner) + size(SizeTileEdge)
}

func (t *Tile) disc() float32 { return float32(int(size(SizeDisc) * 1.4)) }

// MinSize fits the longest word.
func (t *Tile) MinSize() fyne.Size {
	w := max(t.title.MinSize().Width, t.line.MinSize().Width) + 2*size(SizeBigGap)
	return fyne.NewSize(w, t.HeightFor(max(w, t.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (t *Tile) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &tileRenderer{t: t, plate: newPlate(), disc: canvas.NewCircle(color.Transparent), icon: picture(), arrow: picture()}
}

type tileRenderer struct {
	t           *Tile
	plate       *plate
	disc        *canvas.Circle
	icon, arrow *canvas.Image
}

func (r *tileRenderer) Destroy()           {}
func (r *tileRenderer) MinSize() fyne.Size { return r.t.MinSize() }
func (r *tileRenderer) Refresh()           { r.Layout(r.t.Size()); canvas.Refresh(r.t) }

func (r *tileRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.disc, r.icon, r.arrow, r.t.title, r.t.line)
}

func (r *tileRenderer) Layout(s fyne.Size) {
	t := r.t
	l := look{
		face: ColorSurface, stroke: ColorButtonStroke, edge: ColorButtonEdge, line: size(SizeStroke),
		radius: size(SizeTileRadius), depth: size(SizeTileEdge),
		focused: t.focused, hovered: t.hovered, pressed: t.pushed,
	}
	ink, disc, onDisc, arrow := theme.ColorNameForeground, ColorTint, ColorOnTint, theme.ColorNamePrimary
	if t.sun {
		l.face, l.stroke, l.edge = ColorSun, ColorSun, ColorSunEdge
		ink, disc, onDisc, arrow = ColorOnSun, ColorRail, ColorSun, ColorOnSun
	}
	down := r.plate.draw(fyne.Position{}, s, l)
	m, d := size(SizeBigGap), t.disc()
	x, y := m, m+down
	r.disc.FillColor = tint(disc)
	place(r.disc, x, y, d, d)
	r.disc.Refresh()
	in := d * 0.26
	paintIcon(r.icon, t.icon, onDisc)
	place(r.icon, x+in, y+in, d-2*in, d-2*in)
	a := d * 0.58
	paintIcon(r.arrow, IconArrowRight, arrow)
	place(r.arrow, s.Width-m-a, y+(d-a)/2, a, a)
	r.t.title.Ink(ink)
	r.t.line.Ink(ink)
	w := s.Width - 2*m
	th, lh := t.title.HeightFor(w), t.line.HeightFor(w)
	y = s.Height - l.depth + down - m - lh - 8 - th // words stand at the foot of the tile
	place(t.title, x, y, w, th)
	place(t.line, x, y+th+8, w, lh)
	t.title.Refresh()
	t.line.Refresh()
}

// A ListButton is one of several ways on: icon, title, a line, and a chevron.
type ListButton struct {
	pressable

	icon        Icon
	title, line *Text
}

// NewListButton returns one of several ways on.
func NewListButton(icon Icon, title, line string, tapped func()) *ListButton {
	b := &ListButton{icon: icon, title: NewText(RoleLead, Bold(title)), line: NewText(RoleHint, Plain(line))}
	b.tapped, b.self = tapped, b
	b.ExtendBaseWidget(b)
	return b
}

func (b *ListButton) margins() (x, y, icon float32) {
	return size(SizeGap), size(SizeSmallGap) * 1.5, size(theme.SizeNameSubHeadingText) * 1.5
}

// HeightFor returns the height at that width.
func (b *ListButton) HeightFor(width float32) float32 {
	x, y, icon := b.margins()
	w := width - 4*x - icon - icon
	return b.title.HeightFor(w) + b.line.HeightFor(w) + 2*y + size(SizeEdge)
}

// MinSize fits the longest word.
func (b *ListButton) MinSize() fyne.Size {
	x, _, icon := b.margins()
	w := max(b.title.MinSize().Width, b.line.MinSize().Width) + 4*x + 2*icon
	return fyne.NewSize(w, b.HeightFor(max(w, b.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (b *ListButton) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	return &listRenderer{b: b, plate: newPlate(), icon: picture(), chevron: picture()}
}

type listRenderer struct {
	b             *ListButton
	plate         *plate
	icon, chevron *canvas.Image
}

func (r *listRenderer) Destroy()           {}
func (r *listRenderer) MinSize() fyne.Size { return r.b.MinSize() }
func (r *listRenderer) Refresh()           { r.Layout(r.b.Size()); canvas.Refresh(r.b) }

func (r *listRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.icon, r.chevron, r.b.title, r.b.line)
}

func (r *listRenderer) Layout(s fyne.Size) {
	b := r.b
	l := look{
		face: theme.ColorNameButton, stroke: ColorButtonStroke, edge: ColorButtonEdge, line: size(SizeStroke),
		radius: size(SizeControlRadius), depth: size(SizeEdge),
		focused: b.focused, hovered: b.hovered && !b.switchOff, pressed: b.pushed && !b.switchOff,
	}
	ink, soft, strong := theme.ColorNamePrimary, ColorMuted, theme.ColorNameForeground
	if b.switchOff {
		ink, soft, strong = theme.ColorNameDisabled, theme.ColorNameDisabled, theme.ColorNameDisabled
		l.face, l.stroke, l.edge = theme.ColorNameDisabledButton, theme.ColorNameSeparator, ""
	}
	down := r.plate.draw(fyne.Position{}, s, l)
	x, _, icon := b.margins()
	h := s.Height - l.depth
	paintIcon(r.icon, b.icon, ink)
	place(r.icon, x, down+(h-icon)/2, icon, icon)
	paintIcon(r.chevron, IconChevronRight, ink)
	place(r.chevron, s.Width-x-icon, down+(h-icon)/2, icon, icon)
	w := s.Width - 4*x - 2*icon
	th, lh := b.title.HeightFor(w), b.line.HeightFor(w)
	y := down + (h-th-lh)/2
	b.title.Ink(strong)
	b.line.Ink(soft)
	place(b.title, 2*x+icon, y, w, th)
	place(b.line, 2*x+icon, y+th, w, lh)
	b.title.Refresh()
	b.line.Refresh()
}

// NewChip returns a small button that types something: a domain, say.
func NewChip(text string, tapped func()) *Button { return NewButton(Small, text, tapped) }
