package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// A look says how a plate is drawn.
type look struct {
	face, stroke, edge fyne.ThemeColorName // edge "" for none
	radius             float32
	depth              float32 // height of the lower edge, part of the plate's size
	line               float32 // width of the border
	focused            bool
	inkInside          bool // the ink line replaces the border instead of lying around it
	hovered, pressed   bool
}

// A plate is what every control is drawn on: a face with a border and a solid
// lower edge, and around it the two lines of the focus. All are filled
// rectangles on top of each other, which stay crisp on every painter.
type plate struct {
	ring, ink, edge, stroke, face, shade *canvas.Rectangle
}

func newPlate() *plate {
	r := func() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }
	return &plate{r(), r(), r(), r(), r(), r()}
}

func (p *plate) objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{p.ring, p.ink, p.edge, p.stroke, p.face, p.shade}
}

// draw puts the plate at a place and returns how far its face has moved down.
func (p *plate) draw(pos fyne.Position, s fyne.Size, l look) float32 {
	down := float32(0)
	if l.pressed {
		down = l.depth
	}
	faceH := s.Height - l.depth
	ink, ring := size(SizeFocusInk), size(SizeFocusRing)
	if l.inkInside {
		p.layer(p.ring, pos, s, -ring, l.radius, ColorFocusRing, l.focused)
		p.ink.Hide()
		if l.focused {
			l.line, l.stroke = ink, ColorFocusInk
		}
	} else {
		p.layer(p.ring, pos, s, -ink-ring, l.radius, ColorFocusRing, l.focused)
		p.layer(p.ink, pos, s, -ink, l.radius, ColorFocusInk, l.focused)
	}
	face := fyne.NewSize(s.Width, faceH)
	at := pos.AddXY(0, down)
	p.layer(p.edge, pos.AddXY(0, min(2*l.radius, faceH/2)), fyne.NewSize(s.Width, s.Height-min(2*l.radius, faceH/2)), 0, l.radius, l.edge, l.edge != "" && !l.pressed)
	p.layer(p.stroke, at, face, 0, l.radius, l.stroke, l.stroke != "")
	in := l.line
	if l.stroke == "" {
		in = 0
	}
	p.layer(p.face, at, face, in, l.radius, l.face, l.face != "")
	shade := theme.ColorNameHover
	if l.pressed {
		shade = theme.ColorNamePressed
	}
	p.layer(p.shade, at, face, in, l.radius, shade, l.hovered || l.pressed)
	return down
}

// layer draws one rectangle, in units smaller than the plate on every side.
func (p *plate) layer(r *canvas.Rectangle, pos fyne.Position, s fyne.Size, in, radius float32, c fyne.ThemeColorName, show bool) {
	if !show || s.Width-2*in < 1 || s.Height-2*in < 1 {
		r.Hide()
		return
	}
	r.Show()
	r.FillColor = tint(c)
	r.CornerRadius = max(0, radius-in)
	place(r, pos.X+in, pos.Y+in, s.Width-2*in, s.Height-2*in)
	r.Refresh()
}
