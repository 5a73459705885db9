package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Apart puts what can be done at the right of what it is about; under it where its
// words would have less room than least, which is at the normal size of text.
func Apart(least float32, words, does fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: apart{least}, Objects: []fyne.CanvasObject{words, does}}
}

type apart struct{ least float32 }

func (a apart) walk(o []fyne.CanvasObject, width float32, at func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	words, does := o[0], o[1]
	gap, room := size(SizeGap), widthOf(does)
	if !does.Visible() || room == 0 {
		h := HeightFor(words, width)
		at(words, 0, 0, width, h)
		at(does, 0, h, width, 0)
		return h
	}
	if left := width - gap - room; left >= a.least*grownBy() {
		wh, dh := HeightFor(words, left), HeightFor(does, room)
		h := max(wh, dh)
		at(words, 0, (h-wh)/2, left, wh)
		at(does, width-room, (h-dh)/2, room, dh)
		return h
	}
	wh, dh := HeightFor(words, width), HeightFor(does, width)
	at(words, 0, 0, width, wh)
	at(does, 0, wh+size(SizeSmallGap), width, dh)
	return wh + size(SizeSmallGap) + dh
}

// widthOf is how wide an object is on one line. A Flow has no width of its own.
func widthOf(o fyne.CanvasObject) float32 {
	c, ok := o.(*fyne.Container)
	if !ok {
		return o.MinSize().Width
	}
	f, ok := c.Layout.(flow)
	if !ok {
		return o.MinSize().Width
	}
	w := float32(0)
	for i, part := range shown(c.Objects) {
		if i > 0 {
			w += size(f.gap)
		}
		w += part.MinSize().Width
	}
	return w
}

func (a apart) Layout(o []fyne.CanvasObject, s fyne.Size) {
	a.walk(o, s.Width, func(o fyne.CanvasObject, x, y, w, h float32) { place(o, x, y, w, h) })
}

func (a apart) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return a.walk(o, width, func(fyne.CanvasObject, float32, float32, float32, float32) {})
}

func (apart) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height)
}

// NewBanner returns a sheet over the whole width of a page about something that waits
// for somebody: what and until when, and what can be done about it.
func NewBanner(icon Icon, title string, text *Text, does ...fyne.CanvasObject) *Card {
	words := &fyne.Container{Layout: besideDisc{}, Objects: []fyne.CanvasObject{
		NewGlyph(icon, theme.ColorNameWarning).Sized(SizeIcon), Column("", NewText(RoleBody, Bold(title)), text),
	}}
	return NewCard(Waiting, Apart(380, words, Flow(SizeSmallGap, does...)))
}
