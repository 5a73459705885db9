package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// An Option is one of several things to choose, with its words beside a box: a round
// one where one of them is chosen, a square one where each is chosen by itself.
type Option struct {
	pressable

	text      *Text
	round, on bool
}

// NewOption returns an option that is not chosen. Whoever is told of a tap chooses it.
func NewOption(round bool, text string, tapped func()) *Option {
	o := &Option{round: round, text: Body(Plain(text))}
	o.self, o.tapped = o, tapped
	o.ExtendBaseWidget(o)
	return o
}

// SetOn shows it as chosen.
func (o *Option) SetOn(on bool) { o.set(&o.on, on) }

// On says whether it is chosen.
func (o *Option) On() bool { return o.on }

// SetEnabled is Enable or Disable.
func (o *Option) SetEnabled(on bool) { o.set(&o.switchOff, !on) }

// String returns the words, as they would be read aloud.
func (o *Option) String() string { return o.text.String() }

func (o *Option) side() float32 { return float32(int(o.text.lineHeight())) - 2 }
func (o *Option) left() float32 { return o.side() + 18 }

// HeightFor returns the height at that width.
func (o *Option) HeightFor(width float32) float32 {
	return max(o.text.HeightFor(width-o.left()-6)+10, size(SizeToolHeight))
}

// MinSize fits the longest word.
func (o *Option) MinSize() fyne.Size {
	w := o.text.MinSize().Width + o.left() + 6
	return fyne.NewSize(w, o.HeightFor(max(w, o.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (o *Option) CreateRenderer() fyne.WidgetRenderer {
	o.ExtendBaseWidget(o)
	return &optionRenderer{o, newPlate(), canvas.NewRectangle(color.Transparent), canvas.NewRectangle(color.Transparent), picture()}
}

type optionRenderer struct {
	o        *Option
	plate    *plate
	box, dot *canvas.Rectangle
	tick     *canvas.Image
}

func (r *optionRenderer) Destroy()           {}
func (r *optionRenderer) MinSize() fyne.Size { return r.o.MinSize() }
func (r *optionRenderer) Refresh()           { r.Layout(r.o.Size()); canvas.Refresh(r.o) }

func (r *optionRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.box, r.dot, r.tick, r.o.text)
}

func (r *optionRenderer) Layout(s fyne.Size) {
	o := r.o
	l := look{radius: 6, inkInside: true, focused: o.focused, hovered: o.hovered && !o.switchOff}
	if o.focused {
		l.face = ColorSurface
	}
	r.plate.draw(fyne.Position{}, s, l)
	ink, words := theme.ColorNamePrimary, theme.ColorNameForeground
	if o.switchOff {
		ink, words = theme.ColorNameDisabled, theme.ColorNameDisabled
	}
	side := o.side()
	y := (min(s.Height, o.text.lineHeight()+10) - side) / 2
	if h := o.text.HeightFor(s.Width - o.left() - 6); h+10 < s.Height {
		y = (s.Height - side) / 2
	}
	r.box.FillColor, r.box.StrokeColor, r.box.StrokeWidth = tint(ColorSurface), tint(ColorNode), 2
	r.box.CornerRadius = 4
	if o.round {
		r.box.CornerRadius = side / 2
	}
	if o.on {
		r.box.StrokeColor = tint(ink)
		if !o.round {
			r.box.FillColor = tint(ink)
		}
	}
	place(r.box, 6, y, side, side)
	r.box.Refresh()
	in := side * 0.26
	r.dot.FillColor, r.dot.CornerRadius = tint(ink), side/2
	r.dot.Hidden = !o.on || !o.round
	place(r.dot, 6+in, y+in, side-2*in, side-2*in)
	r.dot.Refresh()
	paintIcon(r.tick, IconCheck, ColorSurface)
	r.tick.Hidden = !o.on || o.round
	in = side * 0.14
	place(r.tick, 6+in, y+in, side-2*in, side-2*in)
	h := o.text.HeightFor(s.Width - o.left() - 6)
	o.text.Ink(words)
	place(o.text, o.left(), (s.Height-h)/2, s.Width-o.left()-6, h)
	o.text.Refresh()
}
