package ui

import "fyne.io/fyne/v2"

// NewShortcut returns a line of a list of keys: which, and what they do.
func NewShortcut(keys, does string) fyne.CanvasObject {
	k := NewText(RoleBody, Span{Text: keys, Bold: true, Mono: true}).OneLine()
	return &fyne.Container{Layout: besideKeys{}, Objects: []fyne.CanvasObject{k, Body(Plain(does))}}
}

// besideKeys puts words beside keys, all at the same place.
type besideKeys struct{}

func (besideKeys) left() float32 { return 92 * grownBy() }

func (b besideKeys) Layout(o []fyne.CanvasObject, s fyne.Size) {
	place(o[0], 0, 0, b.left(), o[0].MinSize().Height)
	place(o[1], b.left(), 0, s.Width-b.left(), s.Height)
}

func (b besideKeys) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return max(o[0].MinSize().Height, HeightFor(o[1], width-b.left()))
}

func (b besideKeys) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(b.left()+48, o[0].MinSize().Height)
}

// AtMost returns a scroller as high as its content, up to a height.
func AtMost(height float32, s *Scroller) *fyne.Container {
	return &fyne.Container{Layout: atMost{height}, Objects: []fyne.CanvasObject{s}}
}

type atMost struct{ height float32 }

func (atMost) Layout(o []fyne.CanvasObject, s fyne.Size) { place(o[0], 0, 0, s.Width, s.Height) }

func (a atMost) heightFor(o []fyne.CanvasObject, width float32) float32 {
	if s, ok := o[0].(*Scroller); ok {
		return min(a.height, HeightFor(s.content, width))
	}
	return a.height
}

func (atMost) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }
