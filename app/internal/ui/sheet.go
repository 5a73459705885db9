package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Sheet is a card of a window of staff with a head, and a body that reaches to its
// edges: a table, say.
type Sheet struct {
	widget.BaseWidget

	head, body fyne.CanvasObject
}

// NewSheet returns one; what has a margin of its own is a Card.
func NewSheet(head, body fyne.CanvasObject) *Sheet {
	s := &Sheet{head: head, body: body}
	s.ExtendBaseWidget(s)
	return s
}

func (s *Sheet) held() []fyne.CanvasObject { return []fyne.CanvasObject{s.head, s.body} }

func (s *Sheet) margin() (x, y float32) { return size(SizeGap), 12 }

func (s *Sheet) headHeight(width float32) float32 {
	x, y := s.margin()
	return HeightFor(s.head, width-2*x) + 2*y
}

// HeightFor returns the height at that width.
func (s *Sheet) HeightFor(width float32) float32 {
	line := size(SizeStroke)
	return s.headHeight(width) + HeightFor(s.body, width-2*line) + 2*line
}

// MinSize fits head and body.
func (s *Sheet) MinSize() fyne.Size {
	x, _ := s.margin()
	w := max(s.head.MinSize().Width+2*x, s.body.MinSize().Width)
	return fyne.NewSize(w, s.HeightFor(max(w, s.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (s *Sheet) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	return &sheetRenderer{s, newPlate()}
}

type sheetRenderer struct {
	s     *Sheet
	plate *plate
}

func (r *sheetRenderer) Destroy()           {}
func (r *sheetRenderer) MinSize() fyne.Size { return r.s.MinSize() }
func (r *sheetRenderer) Refresh() {
	r.Layout(r.s.Size())
	canvas.Refresh(r.s)
}

func (r *sheetRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.s.head, r.s.body)
}

func (r *sheetRenderer) Layout(area fyne.Size) {
	s, line := r.s, size(SizeStroke)
	r.plate.draw(fyne.Position{}, area, look{
		face: ColorSurface, stroke: theme.ColorNameSeparator, radius: size(SizeControlRadius), line: line,
	})
	x, y := s.margin()
	h := s.headHeight(area.Width)
	place(s.head, x, y, area.Width-2*x, h-2*y)
	place(s.body, line, h, area.Width-2*line, max(0, area.Height-h-line))
}

// Beside puts a narrow part at the right of a wide one, both at the full height; where
// that would be narrow, under it. Wide is the least width of both together, side that of
// the narrow one, at the normal size of text.
func Beside(main, aside fyne.CanvasObject, wide, side float32) *fyne.Container {
	return &fyne.Container{Layout: beside{wide, side}, Objects: []fyne.CanvasObject{main, aside}}
}

type beside struct{ wide, side float32 }

// split returns the widths of both parts; 0 for the second: it goes under the first.
func (b beside) split(o []fyne.CanvasObject, width float32) (main, side float32) {
	if !o[1].Visible() || width < b.wide*grownBy() {
		return width, 0
	}
	side = float32(int(b.side * (1 + (grownBy()-1)*0.6)))
	return width - side - size(SizeGap), side
}

func (b beside) Layout(o []fyne.CanvasObject, s fyne.Size) {
	main, side := b.split(o, s.Width)
	switch {
	case side > 0:
		place(o[0], 0, 0, main, s.Height)
		place(o[1], main+size(SizeGap), 0, side, s.Height)
	case o[1].Visible():
		below := HeightFor(o[1], s.Width)
		place(o[0], 0, 0, s.Width, max(0, s.Height-below-size(SizeGap)))
		place(o[1], 0, s.Height-below, s.Width, below)
	default:
		place(o[0], 0, 0, s.Width, s.Height)
	}
}

func (b beside) heightFor(o []fyne.CanvasObject, width float32) float32 {
	h := HeightFor(o[0], width)
	switch main, side := b.split(o, width); {
	case side > 0:
		h = HeightFor(o[0], main)
	case o[1].Visible():
		h += size(SizeGap) + HeightFor(o[1], width)
	}
	return h
}

func (b beside) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[0].MinSize().Width, o[0].MinSize().Height)
}

// Padded gives an object room at all sides, as at the edges of a card.
func Padded(o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: padded{}, Objects: []fyne.CanvasObject{o}}
}

type padded struct{}

func (padded) Layout(o []fyne.CanvasObject, s fyne.Size) {
	x, y := size(SizeGap), size(SizeSmallGap)
	place(o[0], x, y, s.Width-2*x, max(0, s.Height-2*y))
}

func (padded) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return HeightFor(o[0], width-2*size(SizeGap)) + 2*size(SizeSmallGap)
}

func (padded) MinSize(o []fyne.CanvasObject) fyne.Size {
	return o[0].MinSize().AddWidthHeight(2*size(SizeGap), 2*size(SizeSmallGap))
}

// NewProof returns one thing that was looked into: a sign, what it is, and under that
// the numbers that say so.
func NewProof(icon Icon, ink fyne.ThemeColorName, title, detail string) fyne.CanvasObject {
	words := []fyne.CanvasObject{Body(Plain(title))}
	if detail != "" {
		words = append(words, NewText(RoleHint, Span{Text: detail, Mono: true}))
	}
	return NewMarked(icon, ink, words...)
}

// NewMarked returns words under each other, with a sign beside the first of them.
func NewMarked(icon Icon, ink fyne.ThemeColorName, words ...fyne.CanvasObject) fyne.CanvasObject {
	return &fyne.Container{Layout: besideSmall{}, Objects: []fyne.CanvasObject{NewGlyph(icon, ink), Column("", words...)}}
}

// besideSmall puts words beside a small sign, which stands at their first line.
type besideSmall struct{}

func (besideSmall) left(o []fyne.CanvasObject) float32 { return o[0].MinSize().Width + 10 }

func (b besideSmall) Layout(o []fyne.CanvasObject, s fyne.Size) {
	m, x := o[0].MinSize(), b.left(o)
	place(o[0], 0, 2, m.Width, m.Height)
	place(o[1], x, 0, s.Width-x, s.Height)
}

func (b besideSmall) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return max(o[0].MinSize().Height+2, HeightFor(o[1], width-b.left(o)))
}

func (b besideSmall) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[1].MinSize()
	return fyne.NewSize(b.left(o)+m.Width, max(o[0].MinSize().Height, m.Height))
}
