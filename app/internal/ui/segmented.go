package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// A Segmented chooses one of a few short words, as NL and EN.
type Segmented struct {
	pressable

	words    []string
	chosen   int
	onRail   bool
	onChosen func(int)
}

// NewSegmented returns a choice; onRail draws it for the dark rail.
func NewSegmented(words []string, chosen int, onChosen func(int)) *Segmented {
	s := &Segmented{words: words, chosen: chosen, onChosen: onChosen}
	s.onRail = true
	s.ExtendBaseWidget(s)
	return s
}

// Chosen returns the index of the chosen word.
func (s *Segmented) Chosen() int { return s.chosen }

// Choose chooses a word and says so, when it is another one.
func (s *Segmented) Choose(i int) {
	if i < 0 || i >= len(s.words) || i == s.chosen {
		return
	}
	s.chosen = i
	s.Refresh()
	if s.onChosen != nil {
		s.onChosen(i)
	}
}

// Tapped chooses the word under the finger.
func (s *Segmented) Tapped(e *fyne.PointEvent) {
	active()
	if e != nil && s.Size().Width > 0 {
		s.Choose(int(e.Position.X / s.Size().Width * float32(len(s.words))))
	}
}

// TypedKey goes to the next word on Space, Enter and the arrows.
func (s *Segmented) TypedKey(e *fyne.KeyEvent) {
	active()
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		s.Choose((s.chosen + 1) % len(s.words))
	case fyne.KeyRight:
		s.Choose(s.chosen + 1)
	case fyne.KeyLeft:
		s.Choose(s.chosen - 1)
	default:
		passOn(s, e)
	}
}

// MinSize gives every word the width of a finger.
func (s *Segmented) MinSize() fyne.Size {
	w := size(SizeToolHeight) * 1.4
	if c := Current().Class; c == Compact || c == SmallPortrait {
		w = size(SizeToolHeight) * 1.1
	}
	for _, word := range s.words {
		w = max(w, fyne.MeasureText(word, size(SizeTool), fyne.TextStyle{Bold: true}).Width+32)
	}
	return fyne.NewSize(w*float32(len(s.words)), size(SizeToolHeight))
}

// CreateRenderer is called by Fyne.
func (s *Segmented) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	r := &segmentedRenderer{s: s, plate: newPlate(), mark: canvas.NewRectangle(color.Transparent)}
	for range s.words {
		t := canvas.NewText("", nil)
		t.TextStyle = fyne.TextStyle{Bold: true}
		r.texts = append(r.texts, t)
	}
	return r
}

type segmentedRenderer struct {
	s     *Segmented
	plate *plate
	mark  *canvas.Rectangle
	texts []*canvas.Text
}

func (r *segmentedRenderer) Destroy()           {}
func (r *segmentedRenderer) MinSize() fyne.Size { return r.s.MinSize() }
func (r *segmentedRenderer) Refresh()           { r.Layout(r.s.Size()); canvas.Refresh(r.s) }

func (r *segmentedRenderer) Objects() []fyne.CanvasObject {
	all := append(r.plate.objects(), r.mark)
	for _, t := range r.texts {
		all = append(all, t)
	}
	return all
}

func (r *segmentedRenderer) Layout(s fyne.Size) {
	l := look{
		face: ColorRailButton, stroke: ColorRailLine, line: size(SizeStroke),
		radius: size(theme.SizeNameInputRadius), focused: r.s.focused,
	}
	r.plate.draw(fyne.Position{}, s, l)
	w := s.Width / float32(len(r.s.words))
	in, i := l.line, r.s.chosen
	r.mark.FillColor = tint(ColorRailText)
	r.mark.CornerRadius = 0
	round := max(0, l.radius-in)
	r.mark.TopLeftCornerRadius, r.mark.BottomLeftCornerRadius = 0.01, 0.01
	r.mark.TopRightCornerRadius, r.mark.BottomRightCornerRadius = 0.01, 0.01
	if i == 0 {
		r.mark.TopLeftCornerRadius, r.mark.BottomLeftCornerRadius = round, round
	}
	if i == len(r.s.words)-1 {
		r.mark.TopRightCornerRadius, r.mark.BottomRightCornerRadius = round, round
	}
	x0, x1 := max(in, float32(i)*w), min(s.Width-in, float32(i+1)*w)
	place(r.mark, x0, in, x1-x0, s.Height-2*in)
	r.mark.Refresh()
	for n, t := range r.texts {
		t.Text, t.TextSize, t.Color = r.s.words[n], size(SizeTool), tint(ColorRailText)
		if n == i {
			t.Color = tint(ColorRail)
		}
		m := t.MinSize()
		place(t, float32(n)*w+(w-m.Width)/2, (s.Height-m.Height)/2, m.Width, m.Height)
		t.Refresh()
	}
}
