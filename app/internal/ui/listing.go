package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Listing is text of a machine in the font of codes, of which a part can be marked
// with the pointer and copied. Without a mark, Ctrl+C copies all of it.
type Listing struct {
	widget.BaseWidget

	text     []rune
	from, to int // what is marked lies between them
	focused  bool
}

var (
	_ fyne.Focusable      = (*Listing)(nil)
	_ fyne.Draggable      = (*Listing)(nil)
	_ fyne.DoubleTappable = (*Listing)(nil)
	_ fyne.Shortcutable   = (*Listing)(nil)
	_ desktop.Mouseable   = (*Listing)(nil)
	_ desktop.Cursorable  = (*Listing)(nil)
)

// NewListing returns one of a text.
func NewListing(text string) *Listing {
	l := &Listing{text: []rune(text)}
	l.ExtendBaseWidget(l)
	return l
}

// String returns the text.
func (l *Listing) String() string { return string(l.text) }

// Marked returns what is marked, or all where nothing is.
func (l *Listing) Marked() string {
	if a, b := min(l.from, l.to), max(l.from, l.to); a < b {
		return string(l.text[a:b])
	}
	return l.String()
}

// listingMargin is the room around the text.
const listingMargin = 10

func (l *Listing) pitch() (wide, tall float32) {
	m := fyne.MeasureText("0", size(theme.SizeNameCaptionText), fyne.TextStyle{Monospace: true})
	return max(1, m.Width), float32(int(m.Height + 3))
}

// A stretch is the runes of one line as drawn.
type stretch struct{ from, to int }

// lines breaks the text at a width: at ends of lines, and wherever there is no more room.
func (l *Listing) lines(width float32) []stretch {
	wide, _ := l.pitch()
	most := max(8, int((width-2*listingMargin)/wide))
	var all []stretch
	from := 0
	for i := 0; i <= len(l.text); i++ {
		switch {
		case i == len(l.text) || l.text[i] == '\n':
			all = append(all, stretch{from, i})
			from = i + 1
		case i-from == most:
			all = append(all, stretch{from, i})
			from = i
		}
	}
	return all
}

// at returns the place in the text that is nearest to a place on the screen.
func (l *Listing) at(p fyne.Position) int {
	wide, tall := l.pitch()
	lines := l.lines(l.Size().Width)
	line := lines[max(0, min(len(lines)-1, int((p.Y-listingMargin)/tall)))]
	return line.from + max(0, min(line.to-line.from, int((p.X-listingMargin)/wide+0.5)))
}

func (l *Listing) mark(from, to int) {
	l.from, l.to = from, to
	l.Refresh()
}

// HeightFor returns the height at that width.
func (l *Listing) HeightFor(width float32) float32 {
	_, tall := l.pitch()
	return tall*float32(len(l.lines(width))) + 2*listingMargin
}

// MinSize is a narrow column.
func (l *Listing) MinSize() fyne.Size {
	wide, _ := l.pitch()
	w := wide*16 + 2*listingMargin
	return fyne.NewSize(w, l.HeightFor(max(w, l.Size().Width)))
}

// Cursor is the pointer for text.
func (l *Listing) Cursor() desktop.Cursor { return desktop.TextCursor }

// MouseDown begins a mark.
func (l *Listing) MouseDown(e *desktop.MouseEvent) {
	active()
	Focus(l)
	at := l.at(e.Position)
	l.mark(at, at)
}

// MouseUp is called by Fyne.
func (l *Listing) MouseUp(*desktop.MouseEvent) {}

// Dragged marks up to the pointer.
func (l *Listing) Dragged(e *fyne.DragEvent) {
	active()
	l.mark(l.from, l.at(e.Position))
}

// DragEnd is called by Fyne.
func (l *Listing) DragEnd() {}

// DoubleTapped marks a word.
func (l *Listing) DoubleTapped(e *fyne.PointEvent) {
	within := func(i int) bool { return !strings.ContainsRune(" \n\",:{}[]", l.text[i]) }
	from := l.at(e.Position)
	to := from
	for from > 0 && within(from-1) {
		from--
	}
	for to < len(l.text) && within(to) {
		to++
	}
	l.mark(from, to)
}

// FocusGained is called by Fyne.
func (l *Listing) FocusGained() {
	l.focused = true
	bring(l)
	l.Refresh()
}

// FocusLost is called by Fyne.
func (l *Listing) FocusLost() {
	l.focused = false
	l.mark(0, 0)
}

// TypedRune is for the window.
func (l *Listing) TypedRune(r rune) {
	active()
	passOnRune(l, r)
}

// TypedKey is for the window.
func (l *Listing) TypedKey(e *fyne.KeyEvent) {
	active()
	passOn(l, e)
}

// TypedShortcut copies, and marks all.
func (l *Listing) TypedShortcut(s fyne.Shortcut) {
	active()
	switch s := s.(type) {
	case *fyne.ShortcutCopy:
		s.Clipboard.SetContent(l.Marked())
	case *fyne.ShortcutSelectAll:
		l.mark(0, len(l.text))
	default:
		passOnShortcut(l, s)
	}
}

// CreateRenderer is called by Fyne.
func (l *Listing) CreateRenderer() fyne.WidgetRenderer {
	l.ExtendBaseWidget(l)
	return &listingRenderer{l: l, plate: newPlate()}
}

type listingRenderer struct {
	l     *Listing
	plate *plate
	marks []*canvas.Rectangle
	lines []*canvas.Text
}

func (r *listingRenderer) Destroy()           {}
func (r *listingRenderer) MinSize() fyne.Size { return r.l.MinSize() }
func (r *listingRenderer) Refresh()           { r.Layout(r.l.Size()); canvas.Refresh(r.l) }

func (r *listingRenderer) Objects() []fyne.CanvasObject {
	all := r.plate.objects()
	for _, m := range r.marks {
		all = append(all, m)
	}
	for _, t := range r.lines {
		all = append(all, t)
	}
	return all
}

func (r *listingRenderer) Layout(s fyne.Size) {
	l := r.l
	face := theme.ColorNameBackground
	r.plate.draw(fyne.Position{}, s, look{
		face: face, stroke: theme.ColorNameSeparator, radius: size(theme.SizeNameSelectionRadius), line: size(SizeStroke),
		focused: l.focused, inkInside: true,
	})
	lines := l.lines(s.Width)
	for len(r.lines) < len(lines) {
		r.lines, r.marks = append(r.lines, canvas.NewText("", nil)), append(r.marks, canvas.NewRectangle(color.Transparent))
	}
	wide, tall := l.pitch()
	a, b := min(l.from, l.to), max(l.from, l.to)
	for i, t := range r.lines {
		m := r.marks[i]
		t.Hidden, m.Hidden = i >= len(lines), true
		if t.Hidden {
			continue
		}
		line, y := lines[i], listingMargin+float32(i)*tall
		write(t, string(l.text[line.from:line.to]), fyne.NewPos(listingMargin, y), s.Width, theme.SizeNameCaptionText, fyne.TextStyle{Monospace: true}, theme.ColorNameForeground)
		if from, to := max(a, line.from), min(b, line.to); from < to {
			m.Hidden = false
			paint(m, theme.ColorNameSelection, listingMargin+float32(from-line.from)*wide, y, float32(to-from)*wide, tall)
		}
	}
}
