package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Badge says in a few words, with a sign, how something stands.
type Badge struct {
	widget.BaseWidget

	kind MessageKind
	icon Icon
	text *Text
}

// NewBadge returns a badge with the sign of its kind.
func NewBadge(kind MessageKind, text string) *Badge {
	b := &Badge{text: NewText(RoleHint).Elide()}
	b.Set(kind, text)
	b.ExtendBaseWidget(b)
	return b
}

// Set changes kind and words.
func (b *Badge) Set(kind MessageKind, text string) {
	if b.kind == kind && b.text.String() == text && text != "" {
		return
	}
	b.kind = kind
	b.icon = [...]Icon{Info: IconInfo, Success: IconCheck, Warning: IconWarning, Failure: IconWarning}[kind]
	b.text.Ink(b.ink())
	b.text.Set(Bold(text))
	b.Refresh()
}

// WithIcon takes another sign, and returns the badge.
func (b *Badge) WithIcon(i Icon) *Badge {
	b.icon = i
	return b
}

// String returns the words.
func (b *Badge) String() string { return b.text.String() }

func (b *Badge) ink() fyne.ThemeColorName {
	return [...]fyne.ThemeColorName{
		Info: ColorOnTint, Success: theme.ColorNameSuccess, Warning: theme.ColorNameWarning, Failure: theme.ColorNameError,
	}[b.kind]
}

func (b *Badge) side() float32 { return float32(int(size(theme.SizeNameCaptionText) * 1.15)) }

// MinSize fits sign and words.
func (b *Badge) MinSize() fyne.Size {
	return fyne.NewSize(b.text.Natural()+b.side()+8+20+1, max(26, float32(int(size(theme.SizeNameCaptionText)*1.9))))
}

// CreateRenderer is called by Fyne.
func (b *Badge) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	return &badgeRenderer{b, newPlate(), picture()}
}

type badgeRenderer struct {
	b     *Badge
	plate *plate
	icon  *canvas.Image
}

func (r *badgeRenderer) Destroy()           {}
func (r *badgeRenderer) MinSize() fyne.Size { return r.b.MinSize() }
func (r *badgeRenderer) Refresh()           { r.Layout(r.b.Size()); canvas.Refresh(r.b) }
func (r *badgeRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.icon, r.b.text)
}

func (r *badgeRenderer) Layout(s fyne.Size) {
	b := r.b
	l := look{
		face: [...]fyne.ThemeColorName{
			Info: ColorTint, Success: ColorSuccessBg, Warning: ColorWarningBg, Failure: ColorErrorBg,
		}[b.kind],
		radius: 6,
	}
	if Current().Mode == HighContrast {
		l.stroke, l.line = b.ink(), 2
	}
	r.plate.draw(fyne.Position{}, s, l)
	side := b.side()
	paintIcon(r.icon, b.icon, b.ink())
	place(r.icon, 10, (s.Height-side)/2, side, side)
	h := b.text.lineHeight()
	place(b.text, 10+side+8, (s.Height-h)/2, max(0, s.Width-side-28), h)
	b.text.Ink(b.ink()).Refresh()
}

// NewCheck returns one link of a chain of checks: a mark, what was checked,
// and what came of it.
func NewCheck(m Mark, title, detail string) fyne.CanvasObject {
	t := Body(Plain(title))
	if m == MarkStuck {
		t = Body(Bold(title)).Ink(theme.ColorNameError)
	}
	words := Column("", t)
	if detail != "" {
		words.Add(Hint(Plain(detail)))
	}
	return &fyne.Container{Layout: besideSign{}, Objects: []fyne.CanvasObject{NewSign(m), words}}
}

// besideSign puts words beside a mark, which stands at their first line.
type besideSign struct{}

func (besideSign) left(o []fyne.CanvasObject) float32 { return o[0].MinSize().Width + 12 }

func (b besideSign) Layout(o []fyne.CanvasObject, s fyne.Size) {
	m, x := o[0].MinSize(), b.left(o)
	h := HeightFor(o[1], s.Width-x)
	place(o[0], 0, min(4, max(0, (h-m.Height)/2)), m.Width, m.Height)
	place(o[1], x, max(0, (m.Height-h)/2), s.Width-x, h)
}

func (b besideSign) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return max(o[0].MinSize().Height+4, HeightFor(o[1], width-b.left(o)))
}

func (b besideSign) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[1].MinSize()
	return fyne.NewSize(b.left(o)+m.Width, max(o[0].MinSize().Height, m.Height))
}

// Tiles puts objects in as many columns of one width as there is room for, and
// at most that many; each column is at least as wide as least at the normal
// size of text.
func Tiles(most int, least float32, gap fyne.ThemeSizeName, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: tiles{most, least, gap}, Objects: objects}
}

type tiles struct {
	most  int
	least float32
	gap   fyne.ThemeSizeName
}

func (t tiles) walk(objects []fyne.CanvasObject, width float32, at func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	gap, all := size(t.gap), shown(objects)
	n := max(1, min(t.most, int((width+gap)/(t.least*grownBy()+gap))))
	w, y := (width-gap*float32(n-1))/float32(n), float32(0)
	for i := 0; i < len(all); i += n {
		line := all[i:min(i+n, len(all))]
		h := float32(0)
		for _, o := range line {
			h = max(h, HeightFor(o, w))
		}
		if i > 0 {
			y += gap
		}
		for j, o := range line {
			at(o, float32(j)*(w+gap), y, w, h)
		}
		y += h
	}
	return y
}

func (t tiles) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	t.walk(objects, s.Width, func(o fyne.CanvasObject, x, y, w, h float32) { place(o, x, y, w, h) })
}

func (t tiles) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return t.walk(objects, width, func(fyne.CanvasObject, float32, float32, float32, float32) {})
}

func (t tiles) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range shown(objects) {
		s = s.Max(o.MinSize())
	}
	return s
}

// NewFact returns a line of a list of what is known: what it is, and its
// value; under each other where that is narrow.
func NewFact(label string, value fyne.CanvasObject) fyne.CanvasObject {
	return &fyne.Container{Layout: fact{}, Objects: []fyne.CanvasObject{Body(Plain(label)).Ink(ColorMuted), value}}
}

type fact struct{}

func (fact) left() float32           { return 124 * grownBy() }
func (f fact) beside(w float32) bool { return w >= f.left()*2.4 }

func (f fact) Layout(o []fyne.CanvasObject, s fyne.Size) {
	if !f.beside(s.Width) {
		h := HeightFor(o[0], s.Width)
		place(o[0], 0, 0, s.Width, h)
		place(o[1], 0, h, s.Width, max(0, s.Height-h))
		return
	}
	x := f.left()
	a, b := HeightFor(o[0], x-8), HeightFor(o[1], s.Width-x)
	line := min(a, b)
	if t, ok := o[0].(*Text); ok {
		line = t.lineHeight()
	}
	place(o[0], 0, max(0, (min(b, line*1.6)-line)/2), x-8, a)
	place(o[1], x, 0, s.Width-x, b)
}

func (f fact) heightFor(o []fyne.CanvasObject, width float32) float32 {
	if !f.beside(width) {
		return HeightFor(o[0], width) + HeightFor(o[1], width)
	}
	return max(HeightFor(o[0], f.left()-8), HeightFor(o[1], width-f.left()))
}

func (f fact) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), max(a.Height, b.Height))
}

// NewStep returns one of several things to do, with its number.
func NewStep(number, text string) fyne.CanvasObject {
	return &fyne.Container{Layout: besideNumber{}, Objects: []fyne.CanvasObject{
		NewText(RoleBody, Span{Text: number + ".", Bold: true}).Ink(theme.ColorNamePrimary).OneLine(), Body(Plain(text)),
	}}
}

type besideNumber struct{}

func (besideNumber) left() float32 { return 28 * grownBy() }

func (b besideNumber) Layout(o []fyne.CanvasObject, s fyne.Size) {
	place(o[0], 0, 0, b.left(), o[0].MinSize().Height)
	place(o[1], b.left(), 0, s.Width-b.left(), s.Height)
}

func (b besideNumber) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return HeightFor(o[1], width-b.left())
}

func (b besideNumber) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[1].MinSize()
	return fyne.NewSize(b.left()+m.Width, m.Height)
}
