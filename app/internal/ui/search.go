package ui

import (
	"image/color"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// searchPause is how long a hand has to rest before a search is made.
const searchPause = 60 * time.Millisecond

// A Search is a line to search with. It says what to look for once the hand
// rests, or at once on Enter, and names the key that brings the focus here.
type Search struct {
	widget.BaseWidget

	// OnSearch is called with other words than the last time; OnDown when an
	// arrow or Enter leaves the line for what was found.
	OnSearch func(words string)
	OnDown   func()

	input *Input
	clear *Button
	hint  string
	said  string
	pause *Ticker
}

// key gives the search its keys.
func (s *Search) key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyDown, fyne.KeyPageDown:
	case fyne.KeyReturn, fyne.KeyEnter:
		s.say()
	case fyne.KeyEscape:
		if s.Text() != "" {
			s.Clear()
			return true
		}
		return false
	default:
		return false
	}
	if s.OnDown != nil {
		s.OnDown()
	}
	return true
}

// NewSearch returns an empty line. hint is the key that brings the focus here,
// clear the word for emptying the line.
func NewSearch(placeholder, hint, clear string) *Search {
	s := &Search{hint: hint, input: newInput()}
	s.input.placeholder, s.input.onKey = placeholder, s.key
	s.input.OnChanged = s.changed
	s.input.OnFocus = func(bool) { s.Refresh() }
	s.clear = NewButton(Quiet, clear, func() {
		s.Clear()
		Focus(s.input)
	}).WithLeft(IconCross)
	s.clear.IconOnly = true
	s.clear.Hide()
	s.ExtendBaseWidget(s)
	return s
}

// Input returns what has the focus while somebody searches.
func (s *Search) Input() *Input { return s.input }

// Text returns the words.
func (s *Search) Text() string { return s.input.Text() }

// SetText sets the words without a search.
func (s *Search) SetText(words string) {
	s.said = words
	s.input.SetText(words)
}

// Clear empties the line and says so at once.
func (s *Search) Clear() {
	s.input.Clear()
	s.say()
}

// Stop forgets a search that has not been made.
func (s *Search) Stop() {
	s.pause.Stop()
	s.pause = nil
}

func (s *Search) changed(words string) {
	s.Refresh()
	s.Stop()
	if words == s.said {
		return
	}
	s.pause = NewTicker(searchPause, s.say)
}

func (s *Search) say() {
	s.Stop()
	if words := s.input.Text(); words != s.said {
		s.said = words
		if s.OnSearch != nil {
			s.OnSearch(words)
		}
	}
}

func (s *Search) held() []fyne.CanvasObject { return []fyne.CanvasObject{s.input, s.clear} }

// MinSize is a line for a name.
func (s *Search) MinSize() fyne.Size {
	return fyne.NewSize(size(SizeFieldHeight)*5, size(SizeFieldHeight))
}

// CreateRenderer is called by Fyne.
func (s *Search) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	return &searchRenderer{s, picture(), newPlate(), canvas.NewText("", color.Transparent)}
}

type searchRenderer struct {
	s    *Search
	icon *canvas.Image
	cap  *plate
	key  *canvas.Text
}

func (r *searchRenderer) Destroy()           { r.s.Stop() }
func (r *searchRenderer) MinSize() fyne.Size { return r.s.MinSize() }
func (r *searchRenderer) Refresh()           { r.Layout(r.s.Size()); canvas.Refresh(r.s) }

func (r *searchRenderer) Objects() []fyne.CanvasObject {
	all := append([]fyne.CanvasObject{r.s.input, r.icon}, r.cap.objects()...)
	return append(all, r.key, r.s.clear)
}

func (r *searchRenderer) Layout(area fyne.Size) {
	s, m := r.s, r.s.input.margin()
	side := size(theme.SizeNameInlineIcon)
	s.input.before = side + 8
	place(r.icon, m, (area.Height-side)/2, side, side)
	paintIcon(r.icon, IconSearch, ColorMuted)
	empty := len(s.input.runes) == 0
	s.clear.Hidden = empty
	hinted := empty && s.hint != "" && !s.input.focused
	b := s.clear.MinSize()
	place(s.clear, area.Width-b.Width-4, (area.Height-b.Height)/2, b.Width, b.Height)
	s.input.after = b.Width
	r.key.Hidden = !hinted
	for _, o := range r.cap.objects() {
		o.Hide()
	}
	if hinted {
		r.key.Text, r.key.TextSize = s.hint, size(theme.SizeNameCaptionText)
		r.key.TextStyle, r.key.Color = fyne.TextStyle{Bold: true, Monospace: true}, tint(ColorMuted)
		t := r.key.MinSize()
		w := max(t.Width+14, 26)
		x, h := area.Width-w-8, t.Height+4
		r.cap.draw(fyne.NewPos(x, (area.Height-h)/2), fyne.NewSize(w, h), look{
			face: theme.ColorNameBackground, stroke: theme.ColorNameSeparator, radius: 5, line: size(SizeStroke),
		})
		place(r.key, x+(w-t.Width)/2, (area.Height-t.Height)/2, t.Width, t.Height)
		r.key.Refresh()
	}
	place(s.input, 0, 0, area.Width, area.Height)
	s.input.Refresh()
}
