package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// A ChainLink is an event in a chain of what led to what: how deep it stands in that, a sign,
// what happened, and when and by whom. It can be opened.
type ChainLink struct {
	pressable

	depth     int
	icon      Icon
	ink       fyne.ThemeColorName
	what, who *Text
	on        bool
}

// mostDepth is how far links go to the right.
const mostDepth = 6

// NewChainLink returns one; on marks the one that shows.
func NewChainLink(depth int, icon Icon, ink fyne.ThemeColorName, what, who string, on bool, open func()) *ChainLink {
	l := &ChainLink{depth: min(depth, mostDepth), icon: icon, ink: ink, what: Body(Plain(what)), who: Hint(Plain(who)), on: on}
	if on {
		l.what.Set(Bold(what))
	}
	l.self, l.tapped = l, open
	l.ExtendBaseWidget(l)
	return l
}

// String returns the words, as they would be read aloud.
func (l *ChainLink) String() string { return l.what.String() + ", " + l.who.String() }

func (l *ChainLink) left() (at, side, words float32) {
	side = float32(int(size(theme.SizeNameText) * 1.15))
	at = 8 + float32(l.depth)*16
	return at, side, at + side + 10
}

// HeightFor returns the height at that width.
func (l *ChainLink) HeightFor(width float32) float32 {
	_, _, x := l.left()
	return l.what.HeightFor(width-x-8) + l.who.HeightFor(width-x-8) + 10
}

// MinSize fits the longest word.
func (l *ChainLink) MinSize() fyne.Size {
	_, _, x := l.left()
	w := x + max(l.what.MinSize().Width, l.who.MinSize().Width) + 8
	return fyne.NewSize(w, l.HeightFor(max(w, l.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (l *ChainLink) CreateRenderer() fyne.WidgetRenderer {
	l.ExtendBaseWidget(l)
	c := func() *canvas.Rectangle { return canvas.NewRectangle(color.Transparent) }
	return &chainRenderer{l, newPlate(), c(), c(), picture()}
}

type chainRenderer struct {
	l          *ChainLink
	plate      *plate
	down, over *canvas.Rectangle // the elbow from what caused it
	icon       *canvas.Image
}

func (r *chainRenderer) Destroy()           {}
func (r *chainRenderer) MinSize() fyne.Size { return r.l.MinSize() }
func (r *chainRenderer) Refresh()           { r.Layout(r.l.Size()); canvas.Refresh(r.l) }

func (r *chainRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.down, r.over, r.icon, r.l.what, r.l.who)
}

func (r *chainRenderer) Layout(s fyne.Size) {
	l := r.l
	face := ColorSurface
	if l.on {
		face = ColorTint
	}
	r.plate.draw(fyne.Position{}, s, look{
		face: face, radius: size(theme.SizeNameSelectionRadius), inkInside: true,
		focused: l.focused, hovered: l.hovered, pressed: l.pushed,
	})
	at, side, x := l.left()
	mid := 5 + l.what.lineHeight()/2
	r.down.Hidden, r.over.Hidden = l.depth == 0, l.depth == 0
	paint(r.down, ColorNode, at-8, 0, 2, mid)
	paint(r.over, ColorNode, at-8, mid-1, 6, 2)
	paintIcon(r.icon, l.icon, l.ink)
	place(r.icon, at, mid-side/2, side, side)
	w := max(1, s.Width-x-8)
	h := l.what.HeightFor(w)
	place(l.what, x, 5, w, h)
	place(l.who, x, 5+h, w, l.who.HeightFor(w))
}
