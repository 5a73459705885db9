package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A scrollBar shows which part of something is in sight, and moves it. It
// counts in float64: a float32 misses by rows where there are millions of
// pixels.
type scrollBar struct {
	widget.BaseWidget

	all, view, at float64
	onMove        func(at float64)

	hovered, dragged bool
	grip             float64 // where the thumb would be, as the pointer drags it
}

var (
	_ fyne.Draggable    = (*scrollBar)(nil)
	_ fyne.Tappable     = (*scrollBar)(nil)
	_ desktop.Hoverable = (*scrollBar)(nil)
)

func newScrollBar(onMove func(float64)) *scrollBar {
	b := &scrollBar{onMove: onMove}
	b.ExtendBaseWidget(b)
	return b
}

// set says what is in sight: view of all, from at.
func (b *scrollBar) set(all, view, at float64) {
	b.Hidden = all <= view
	if b.all != all || b.view != view || b.at != at {
		b.all, b.view, b.at = all, view, at
		b.Refresh()
	}
}

// thumb returns where the thumb begins and how long it is.
func (b *scrollBar) thumb() (at, length float64) {
	h := float64(b.Size().Height)
	if b.all <= b.view || h <= 0 {
		return 0, h
	}
	length = min(h, max(32, h*b.view/b.all))
	return (h - length) * b.at / (b.all - b.view), length
}

// Dragged moves the thumb along with the pointer.
func (b *scrollBar) Dragged(e *fyne.DragEvent) {
	active()
	at, length := b.thumb()
	if !b.dragged {
		b.dragged, b.grip = true, at
	}
	b.grip += float64(e.Dragged.DY)
	if room := float64(b.Size().Height) - length; room > 0 {
		b.onMove(b.grip / room * (b.all - b.view))
	}
}

// DragEnd is called by Fyne.
func (b *scrollBar) DragEnd() {
	b.dragged = false
	b.Refresh()
}

// Tapped goes a page toward the pointer.
func (b *scrollBar) Tapped(e *fyne.PointEvent) {
	active()
	at, length := b.thumb()
	switch y := float64(e.Position.Y); {
	case y < at:
		b.onMove(b.at - b.view)
	case y > at+length:
		b.onMove(b.at + b.view)
	}
}

// MouseIn is called by Fyne.
func (b *scrollBar) MouseIn(*desktop.MouseEvent) { b.hovered = true; b.Refresh() }

// MouseMoved is called by Fyne.
func (b *scrollBar) MouseMoved(*desktop.MouseEvent) { active() }

// MouseOut is called by Fyne.
func (b *scrollBar) MouseOut() { b.hovered = false; b.Refresh() }

// MinSize is as wide as a scroll bar.
func (b *scrollBar) MinSize() fyne.Size { return fyne.NewSquareSize(size(theme.SizeNameScrollBar)) }

// CreateRenderer is called by Fyne.
func (b *scrollBar) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	return &scrollBarRenderer{b, canvas.NewRectangle(color.Transparent), canvas.NewRectangle(color.Transparent)}
}

type scrollBarRenderer struct {
	b             *scrollBar
	ground, thumb *canvas.Rectangle
}

func (r *scrollBarRenderer) Destroy()           {}
func (r *scrollBarRenderer) MinSize() fyne.Size { return r.b.MinSize() }
func (r *scrollBarRenderer) Refresh()           { r.Layout(r.b.Size()); canvas.Refresh(r.b) }
func (r *scrollBarRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.thumb}
}

func (r *scrollBarRenderer) Layout(s fyne.Size) {
	at, length := r.b.thumb()
	in := float32(3)
	if r.b.hovered || r.b.dragged {
		in = 1
	}
	r.ground.Hidden = !r.b.hovered && !r.b.dragged
	r.ground.FillColor = tint(theme.ColorNameScrollBarBackground)
	place(r.ground, 0, 0, s.Width, s.Height)
	r.thumb.FillColor, r.thumb.CornerRadius = tint(theme.ColorNameScrollBar), (s.Width-2*in)/2
	place(r.thumb, in, float32(at)+1, s.Width-2*in, float32(length)-2)
	r.ground.Refresh()
	r.thumb.Refresh()
}
