package ui

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Stat is a number on a tile of its own: what it counts, how many, and beside that
// something to compare it with.
type Stat struct {
	widget.BaseWidget

	label  *Text
	value  string
	note   string
	ink    fyne.ThemeColorName
	square bool
	alike  []*Stat // that have numbers of the same size, this one among them
}

// NewStat returns a tile without a number. Its sign is a disc of a colour, or a square
// for what is urgent.
func NewStat(label string, ink fyne.ThemeColorName, square bool) *Stat {
	s := &Stat{label: Hint(Plain(label)).Ink(theme.ColorNameForeground), ink: ink, square: square}
	s.ExtendBaseWidget(s)
	return s
}

// Alike gives tiles of one width numbers of one size: where one of them has to be smaller,
// they all are.
func Alike(all ...*Stat) {
	for _, s := range all {
		s.alike = all
	}
}

// Set shows a number, and beside it what to compare it with; "" shows nothing.
func (s *Stat) Set(value, note string) {
	if s.value != value || s.note != note {
		s.value, s.note = value, note
		s.Refresh()
		for _, other := range s.alike {
			if other != s {
				other.Refresh()
			}
		}
	}
}

// tight says that the number has to be smaller at that width, rather than without what it
// is to be compared with.
func (s *Stat) tight(width float32) bool {
	n := fyne.MeasureText(s.note, size(theme.SizeNameCaptionText), fyne.TextStyle{})
	m := fyne.MeasureText(s.value, size(theme.SizeNameHeadingText), fyne.TextStyle{Bold: true})
	return m.Width+8+n.Width > width-2*statMargin
}

// statMargin is at the left and at the right of a tile.
const statMargin = 16

// String returns the words, as they would be read aloud.
func (s *Stat) String() string { return s.label.String() + ": " + s.value + " " + s.note }

func (s *Stat) sign() float32 { return float32(int(size(theme.SizeNameCaptionText) * 0.75)) }

// HeightFor returns the height at that width.
func (s *Stat) HeightFor(width float32) float32 {
	return 2*12 + s.label.HeightFor(width-32-s.sign()-8) + size(theme.SizeNameHeadingText)*1.2
}

// MinSize fits the longest word, and a number of five digits.
func (s *Stat) MinSize() fyne.Size {
	w := max(s.label.MinSize().Width+s.sign()+8, size(theme.SizeNameHeadingText)*3) + 32
	return fyne.NewSize(w, s.HeightFor(max(w, s.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (s *Stat) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	return &statRenderer{s, newPlate(), canvas.NewRectangle(color.Transparent), canvas.NewText("", nil), canvas.NewText("", nil)}
}

type statRenderer struct {
	s           *Stat
	plate       *plate
	sign        *canvas.Rectangle
	value, note *canvas.Text
}

func (r *statRenderer) Destroy()           {}
func (r *statRenderer) MinSize() fyne.Size { return r.s.MinSize() }
func (r *statRenderer) Refresh()           { r.Layout(r.s.Size()); canvas.Refresh(r.s) }

func (r *statRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.sign, r.s.label, r.value, r.note)
}

func (r *statRenderer) Layout(area fyne.Size) {
	s := r.s
	r.plate.draw(fyne.Position{}, area, look{
		face: ColorSurface, stroke: theme.ColorNameSeparator, radius: size(SizeControlRadius), line: size(SizeStroke),
	})
	const x, top = statMargin, 12
	side := s.sign()
	lh := s.label.HeightFor(area.Width - 32 - side - 8)
	r.sign.CornerRadius = side / 2
	if s.square {
		r.sign.CornerRadius = 2
	}
	paint(r.sign, s.ink, x, top+(s.label.lineHeight()-side)/2, side, side)
	place(s.label, x+side+8, top, max(0, area.Width-2*x-side-8), lh)
	bold, room := fyne.TextStyle{Bold: true}, area.Width-2*x
	n := fyne.MeasureText(s.note, size(theme.SizeNameCaptionText), fyne.TextStyle{})
	name := theme.SizeNameHeadingText
	m := fyne.MeasureText(s.value, size(name), bold)
	y := top + lh
	if high := m.Height; s.tight(area.Width) || slices.ContainsFunc(s.alike, func(o *Stat) bool { return o.tight(area.Width) }) {
		name = theme.SizeNameSubHeadingText
		m = fyne.MeasureText(s.value, size(name), bold)
		y += (high - m.Height) * 0.6
	}
	write(r.value, s.value, fyne.NewPos(x, y), min(room, m.Width), name, bold, theme.ColorNameForeground)
	note := s.note
	if room -= m.Width + 8; room < n.Width/2 {
		note = ""
	}
	write(r.note, note, fyne.NewPos(x+m.Width+8, y+(m.Height-n.Height)*0.72), min(room, n.Width), theme.SizeNameCaptionText, fyne.TextStyle{}, ColorMuted)
}
