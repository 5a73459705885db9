package ui

import "fyne.io/fyne/v2"

// NewEmpty returns what stands where there is nothing to show: why, and what to
// do about it. button may be nil.
func NewEmpty(icon Icon, title, text string, button *Button) fyne.CanvasObject {
	words := Column("", Subheading(title).Align(fyne.TextAlignCenter), Body(Plain(text)).Align(fyne.TextAlignCenter).Ink(ColorMuted))
	all := []fyne.CanvasObject{NewDisc(icon, ColorOnTint, ColorTint), words}
	if button != nil {
		all = append(all, button)
	}
	return &fyne.Container{Layout: centred{}, Objects: all}
}

// centred puts objects under each other in the middle, a little above it.
type centred struct{}

func (centred) width(o fyne.CanvasObject, width float32) float32 {
	switch o.(type) {
	case *Glyph, *Button:
		return o.MinSize().Width
	}
	return min(width, 480*grownBy())
}

func (c centred) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	y := max(0, (s.Height-c.heightFor(objects, s.Width))*0.4)
	for _, o := range objects {
		w := c.width(o, s.Width)
		h := HeightFor(o, w)
		place(o, (s.Width-w)/2, y, w, h)
		y += h + size(SizeGap)
	}
}

func (c centred) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	h := size(SizeGap) * float32(len(objects)-1)
	for _, o := range objects {
		h += HeightFor(o, c.width(o, width))
	}
	return h
}

func (centred) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s
}
