package ui

import (
	"image/color"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// NewNumbered returns one of several short instructions: a disc with a number,
// a title and a line.
func NewNumbered(n int, title string, line ...Span) fyne.CanvasObject {
	return &fyne.Container{
		Layout:  besideDisc{},
		Objects: []fyne.CanvasObject{newNumber(n), Column("", NewText(RoleLead, Bold(title)), Hint(line...))},
	}
}

// NewPoint returns a line of a list: an icon and text.
func NewPoint(icon Icon, ink fyne.ThemeColorName, text ...Span) fyne.CanvasObject {
	return &fyne.Container{Layout: besideDisc{}, Objects: []fyne.CanvasObject{NewGlyph(icon, ink), Body(text...)}}
}

// NewItem returns a disc with an icon, and beside it a title and a line.
func NewItem(icon Icon, onTint bool, title, line string) fyne.CanvasObject {
	disc := NewDisc(icon, ColorOnTint, ColorTint)
	words := Hint(Plain(line))
	if onTint {
		disc = NewDisc(icon, theme.ColorNamePrimary, ColorSurface)
		words.Ink(theme.ColorNameForeground)
	}
	return &fyne.Container{Layout: besideDisc{}, Objects: []fyne.CanvasObject{disc, Column("", NewText(RoleLead, Bold(title)), words)}}
}

// besideDisc puts words beside a disc or icon: in its middle when they are
// lower than it, else from its top.
type besideDisc struct{}

func (besideDisc) gap(disc float32) float32 {
	if disc > 60 {
		return 24
	}
	return 16
}

func (b besideDisc) Layout(o []fyne.CanvasObject, s fyne.Size) {
	d := o[0].MinSize()
	x := d.Width + b.gap(d.Width)
	h := HeightFor(o[1], s.Width-x)
	first := float32(0)
	if t, ok := o[1].(*Text); ok { // the icon stands at the first line
		first = max(0, (t.lineHeight()-d.Height)/2)
	}
	place(o[0], 0, max(0, min((s.Height-d.Height)/2, first+max(0, (d.Height-h)/2))), d.Width, d.Height)
	place(o[1], x, max(0, (min(d.Height, s.Height)-h)/2), s.Width-x, h)
}

func (b besideDisc) heightFor(o []fyne.CanvasObject, width float32) float32 {
	d := o[0].MinSize()
	return max(d.Height, HeightFor(o[1], width-d.Width-b.gap(d.Width)))
}

func (b besideDisc) MinSize(o []fyne.CanvasObject) fyne.Size {
	d, m := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(d.Width+b.gap(d.Width)+m.Width, max(d.Height, m.Height))
}

// number is a disc with a number.
type number struct {
	widget.BaseWidget

	n int
}

func newNumber(n int) *number {
	d := &number{n: n}
	d.ExtendBaseWidget(d)
	return d
}

// MinSize is a square.
func (d *number) MinSize() fyne.Size { return fyne.NewSquareSize(size(SizeDot) * 1.2) }

// CreateRenderer is called by Fyne.
func (d *number) CreateRenderer() fyne.WidgetRenderer {
	return &numberRenderer{d, canvas.NewCircle(color.Transparent), canvas.NewText(strconv.Itoa(d.n), nil)}
}

type numberRenderer struct {
	d    *number
	disc *canvas.Circle
	text *canvas.Text
}

func (r *numberRenderer) Destroy()           {}
func (r *numberRenderer) MinSize() fyne.Size { return r.d.MinSize() }
func (r *numberRenderer) Refresh()           { r.Layout(r.d.Size()); canvas.Refresh(r.d) }
func (r *numberRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.disc, r.text}
}

func (r *numberRenderer) Layout(s fyne.Size) {
	r.disc.FillColor = tint(theme.ColorNamePrimary)
	place(r.disc, 0, 0, s.Width, s.Height)
	r.text.TextSize, r.text.TextStyle = s.Height*0.5, fyne.TextStyle{Bold: true}
	r.text.Color = tint(theme.ColorNameForegroundOnPrimary)
	m := r.text.MinSize()
	place(r.text, (s.Width-m.Width)/2, (s.Height-m.Height)/2, m.Width, m.Height)
	r.disc.Refresh()
	r.text.Refresh()
}

// NewRule returns a thin line between parts of a screen.
func NewRule() fyne.CanvasObject { return newLine(theme.ColorNameSeparator) }

type rule struct {
	widget.BaseWidget

	ink fyne.ThemeColorName
}

func newLine(ink fyne.ThemeColorName) *rule {
	r := &rule{ink: ink}
	r.ExtendBaseWidget(r)
	return r
}

// MinSize is as thin as a separator.
func (r *rule) MinSize() fyne.Size {
	return fyne.NewSize(1, size(theme.SizeNameSeparatorThickness))
}

// CreateRenderer is called by Fyne.
func (r *rule) CreateRenderer() fyne.WidgetRenderer {
	return &fillRenderer{w: r, ink: r.ink, rect: canvas.NewRectangle(color.Transparent)}
}

// newGround returns an area of one colour that follows the theme.
func newGround(ink fyne.ThemeColorName) *rule { return newLine(ink) }

type fillRenderer struct {
	w    *rule
	ink  fyne.ThemeColorName
	rect *canvas.Rectangle
}

func (r *fillRenderer) Destroy()                     {}
func (r *fillRenderer) MinSize() fyne.Size           { return r.w.MinSize() }
func (r *fillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *fillRenderer) Refresh()                     { r.Layout(r.w.Size()); canvas.Refresh(r.w) }

func (r *fillRenderer) Layout(s fyne.Size) {
	r.rect.FillColor = tint(r.ink)
	place(r.rect, 0, 0, s.Width, s.Height)
	r.rect.Refresh()
}
