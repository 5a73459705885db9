package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Moment is one thing that happened, on a line with what came before and
// after: when, a sign, what, and who did it.
type Moment struct {
	widget.BaseWidget

	at, what, who *Text
	icon          Icon
	ink           fyne.ThemeColorName
	first, last   bool
}

// NewMoment returns one. first and last say at which end of the line it is.
func NewMoment(at string, icon Icon, ink fyne.ThemeColorName, what, who string, first, last bool) *Moment {
	m := &Moment{
		at: NewText(RoleHint, Span{Text: at, Mono: true}).OneLine(), what: Body(Plain(what)), who: Hint(Plain(who)),
		icon: icon, ink: ink, first: first, last: last,
	}
	m.ExtendBaseWidget(m)
	return m
}

// String returns the words, as they would be read aloud.
func (m *Moment) String() string { return m.at.String() + " " + m.what.String() + " " + m.who.String() }

func (m *Moment) left() (at, side, words float32) {
	at = max(64*grownBy(), m.at.Natural()+12)
	side = size(SizeDotCurrent)
	return at, side, at + side + 12
}

// aside returns the room at the right for who did it, 0 where that stands
// under the words.
func (m *Moment) aside(width float32) float32 {
	w := min(m.who.Natural()+1, width*0.3)
	if width < 480*grownBy() {
		return 0
	}
	return w
}

func (m *Moment) measure(width float32) (what, who, room, aside float32) {
	_, _, x := m.left()
	aside = m.aside(width)
	room = max(1, width-x)
	if aside > 0 {
		room = max(1, room-aside-16)
		return m.what.HeightFor(room), m.who.HeightFor(aside), room, aside
	}
	if m.who.String() != "" {
		who = m.who.HeightFor(room)
	}
	return m.what.HeightFor(room), who, room, 0
}

// HeightFor returns the height at that width.
func (m *Moment) HeightFor(width float32) float32 {
	what, who, _, aside := m.measure(width)
	h := what + who
	if aside > 0 {
		h = max(what, who)
	}
	return max(h, size(SizeDotCurrent)) + 14
}

// MinSize is the longest word beside the sign.
func (m *Moment) MinSize() fyne.Size {
	_, _, x := m.left()
	w := x + m.what.MinSize().Width
	return fyne.NewSize(w, m.HeightFor(max(w, m.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (m *Moment) CreateRenderer() fyne.WidgetRenderer {
	m.ExtendBaseWidget(m)
	c := func() *canvas.Circle { return canvas.NewCircle(color.Transparent) }
	return &momentRenderer{m, canvas.NewRectangle(color.Transparent), c(), c(), picture()}
}

type momentRenderer struct {
	m            *Moment
	line         *canvas.Rectangle
	outer, inner *canvas.Circle
	icon         *canvas.Image
}

func (r *momentRenderer) Destroy()           {}
func (r *momentRenderer) MinSize() fyne.Size { return r.m.MinSize() }
func (r *momentRenderer) Refresh()           { r.Layout(r.m.Size()); canvas.Refresh(r.m) }
func (r *momentRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.line, r.outer, r.inner, r.icon, r.m.at, r.m.what, r.m.who}
}

func (r *momentRenderer) Layout(s fyne.Size) {
	m := r.m
	at, side, x := m.left()
	what, who, room, aside := m.measure(s.Width)
	all := what + who
	if aside > 0 {
		all = max(what, who)
	}
	top := 7 + max(0, (side-all)/2)
	mid := 7 + side/2
	if line := m.what.lineHeight(); all > side { // the sign stands at the first line
		mid = max(side/2, top+line/2)
	}
	place(m.at, 0, mid-m.at.lineHeight()/2, at, m.at.lineHeight())
	place(m.what, x, top, room, what)
	if aside > 0 {
		m.who.Align(fyne.TextAlignTrailing)
		place(m.who, s.Width-aside, mid-m.who.lineHeight()/2, aside, who)
	} else {
		m.who.Align(fyne.TextAlignLeading)
		place(m.who, x, top+what, room, who)
	}
	m.who.Refresh()
	cx := at + side/2
	r.line.FillColor = tint(ColorTrack)
	from, to := float32(0), s.Height
	if m.first {
		from = mid
	}
	if m.last {
		to = mid
	}
	place(r.line, cx-1, from, 2, to-from)
	r.outer.FillColor, r.inner.FillColor = tint(m.ink), tint(ColorSurface)
	place(r.outer, cx-side/2, mid-side/2, side, side)
	in := side - 4
	place(r.inner, cx-in/2, mid-in/2, in, in)
	paintIcon(r.icon, m.icon, m.ink)
	i := float32(int(side * 0.56))
	place(r.icon, cx-i/2, mid-i/2, i, i)
	r.line.Refresh()
	r.outer.Refresh()
	r.inner.Refresh()
}
