package ui

import (
	"fmt"
	"image/color"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Clock writes a time that is left as minutes and seconds, rounded up, so that
// 0:00 means over.
func Clock(d time.Duration) string {
	s := Seconds(d)
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Seconds rounds a time that is left up to whole seconds.
func Seconds(d time.Duration) int { return int((max(0, d) + time.Second - 1) / time.Second) }

// Calm is the time that a countdown shows: in steps of five seconds, rounded
// up, and each second only of the last ten. A clock that runs every second
// hurries people, and each of its steps has the whole window painted.
func Calm(d time.Duration) time.Duration {
	const step, last = 5 * time.Second, 10 * time.Second
	if d <= last {
		return d
	}
	return (d + step - 1).Truncate(step)
}

// TimeLeft is a row that says how long something still works: a clock, words,
// the time, and a bar that runs empty.
type TimeLeft struct {
	widget.BaseWidget

	icon  *Glyph
	words *Text
	time  *Text
	bar   *Bar
}

// NewTimeLeft returns the row with its words.
func NewTimeLeft(words string) *TimeLeft {
	t := &TimeLeft{
		icon: NewGlyph(IconClock, theme.ColorNameForeground), words: Body(Plain(words)).Elide(),
		time: NewText(RoleLead).OneLine(), bar: NewBar(),
	}
	t.ExtendBaseWidget(t)
	return t
}

// SetWords changes the words.
func (t *TimeLeft) SetWords(s string) {
	if t.words.String() != s {
		t.words.SetText(s)
	}
}

// Set shows the time that is left of a whole, calmly.
func (t *TimeLeft) Set(left, whole time.Duration) {
	left = Calm(left)
	words := Clock(left)
	if t.time.String() == words {
		return
	}
	t.time.Set(Span{Text: words, Bold: true, Mono: true})
	t.bar.Set(float32(left) / float32(max(1, whole)))
	t.Refresh()
}

// MinSize is one line and the bar.
func (t *TimeLeft) MinSize() fyne.Size {
	return fyne.NewSize(t.icon.MinSize().Width+24+t.words.MinSize().Width+t.time.MinSize().Width, t.time.lineHeight()+8+t.bar.MinSize().Height)
}

// CreateRenderer is called by Fyne.
func (t *TimeLeft) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &timeLeftRenderer{t}
}

type timeLeftRenderer struct{ t *TimeLeft }

func (r *timeLeftRenderer) Destroy()           {}
func (r *timeLeftRenderer) MinSize() fyne.Size { return r.t.MinSize() }
func (r *timeLeftRenderer) Refresh()           { r.Layout(r.t.Size()); canvas.Refresh(r.t) }
func (r *timeLeftRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.t.icon, r.t.words, r.t.time, r.t.bar}
}

func (r *timeLeftRenderer) Layout(s fyne.Size) {
	t := r.t
	h, i := t.time.lineHeight(), t.icon.MinSize().Width
	place(t.icon, 0, (h-i)/2, i, i)
	w := t.time.MinSize().Width
	wh := t.words.lineHeight()
	place(t.words, i+12, (h-wh)/2, s.Width-i-12-w-12, wh)
	place(t.time, s.Width-w, 0, w, h)
	place(t.bar, 0, h+8, s.Width, t.bar.MinSize().Height)
}

// A Bar is a part of a whole.
type Bar struct {
	widget.BaseWidget

	part  float32
	track fyne.ThemeColorName
}

// NewBar returns a full bar.
func NewBar() *Bar {
	b := &Bar{part: 1, track: ColorTrack}
	b.ExtendBaseWidget(b)
	return b
}

// OnTint draws the bar for a tinted card, and returns it.
func (b *Bar) OnTint() *Bar {
	b.track = ColorSurface
	return b
}

// Set shows a part between 0 and 1.
func (b *Bar) Set(part float32) {
	b.part = max(0, min(1, part))
	b.Refresh()
}

// MinSize is a thin line.
func (b *Bar) MinSize() fyne.Size {
	h := float32(8)
	if Current().Mode == HighContrast {
		h = 12
	}
	return fyne.NewSize(40, h)
}

// CreateRenderer is called by Fyne.
func (b *Bar) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	return &barRenderer{b, newPlate(), canvas.NewRectangle(color.Transparent)}
}

type barRenderer struct {
	b     *Bar
	track *plate
	part  *canvas.Rectangle
}

func (r *barRenderer) Destroy()           {}
func (r *barRenderer) MinSize() fyne.Size { return r.b.MinSize() }
func (r *barRenderer) Refresh()           { r.Layout(r.b.Size()); canvas.Refresh(r.b) }
func (r *barRenderer) Objects() []fyne.CanvasObject {
	return append(r.track.objects(), r.part)
}

func (r *barRenderer) Layout(s fyne.Size) {
	l, in := look{face: r.b.track, radius: s.Height / 2}, float32(0)
	if Current().Mode == HighContrast {
		l.face, l.stroke, l.line, in = theme.ColorNameBackground, theme.ColorNameSeparator, 2, 2
	}
	r.track.draw(fyne.Position{}, s, l)
	w := (s.Width - 2*in) * r.b.part
	r.part.Hidden = w < 1
	r.part.FillColor, r.part.CornerRadius = tint(theme.ColorNamePrimary), min(s.Height/2-in, w/2)
	place(r.part, in, in, w, s.Height-2*in)
	r.part.Refresh()
}

// A Ring is a number of seconds inside an arc that runs empty.
type Ring struct {
	widget.BaseWidget

	number int
	part   float32
}

// NewRing returns a full ring.
func NewRing() *Ring {
	r := &Ring{part: 1}
	r.ExtendBaseWidget(r)
	return r
}

// Set shows the time that is left of a whole.
func (r *Ring) Set(left, whole time.Duration) {
	r.number = Seconds(left)
	r.part = max(0, min(1, float32(r.number)/float32(max(1, Seconds(whole)))))
	r.Refresh()
}

// MinSize is a square.
func (r *Ring) MinSize() fyne.Size {
	return fyne.NewSquareSize([classes]float32{228, 160, 228, 180, 120}[Current().Class])
}

// CreateRenderer is called by Fyne.
func (r *Ring) CreateRenderer() fyne.WidgetRenderer {
	r.ExtendBaseWidget(r)
	x := &ringRenderer{r, canvas.NewArc(0, 360, ringHole, nil), canvas.NewArc(0, 360, ringHole, nil), canvas.NewText("", nil)}
	x.number.TextStyle = fyne.TextStyle{Bold: true, Monospace: true}
	return x
}

// ringHole is the inner radius of the ring relative to the outer one.
const ringHole = 0.82

type ringRenderer struct {
	r           *Ring
	track, part *canvas.Arc
	number      *canvas.Text
}

func (x *ringRenderer) Destroy()           {}
func (x *ringRenderer) MinSize() fyne.Size { return x.r.MinSize() }
func (x *ringRenderer) Refresh()           { x.Layout(x.r.Size()); canvas.Refresh(x.r) }
func (x *ringRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{x.track, x.part, x.number}
}

func (x *ringRenderer) Layout(s fyne.Size) {
	side := min(s.Width, s.Height)
	at := fyne.NewPos((s.Width-side)/2, (s.Height-side)/2)
	x.track.FillColor, x.part.FillColor = tint(ColorTrack), tint(theme.ColorNamePrimary)
	x.part.EndAngle = 360 * x.r.part
	x.part.Hidden = x.r.part == 0
	place(x.track, at.X, at.Y, side, side)
	place(x.part, at.X, at.Y, side, side)
	x.number.Text, x.number.TextSize = strconv.Itoa(x.r.number), side*0.38
	x.number.Color = tint(theme.ColorNameForeground)
	m := x.number.MinSize()
	place(x.number, at.X+(side-m.Width)/2, at.Y+(side-m.Height)/2, m.Width, m.Height)
	x.track.Refresh()
	x.part.Refresh()
	x.number.Refresh()
}

// NewWipeTimer returns the part of the last screen that says when it will be
// emptied: a large number of seconds, its unit, and a bar. Call set with the
// time that is left of the whole, and the word for so many seconds.
func NewWipeTimer() (o fyne.CanvasObject, set func(left, whole time.Duration, unit string)) {
	number := NewText(RoleTile).OneLine()
	unit := NewText(RoleLabel).OneLine()
	bar := NewBar().OnTint()
	set = func(left, whole time.Duration, word string) {
		left = Calm(left)
		seconds := strconv.Itoa(Seconds(left))
		if number.String() == seconds {
			return
		}
		number.Set(Span{Text: seconds, Mono: true, Bold: true})
		unit.SetText(word)
		bar.Set(float32(left) / float32(max(1, whole)))
	}
	return Column(SizeSmallGap, Row(SizeSmallGap, number, unit, Spring()), bar), set
}
