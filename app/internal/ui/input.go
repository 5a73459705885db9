package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Target is what the keys on the screen type into: a Field's input or
// Digits. Keys type with TypedRune and TypedKey, as a real keyboard does.
type Target interface {
	fyne.Focusable
	Clear()
}

// maxRunes bounds what a field takes, also by paste.
const maxRunes = 256

// An Input is the line of a Field that is typed in. It is not Fyne's Entry:
// that one keeps an undo history of what a person typed, offers to copy a
// password, and speaks its own language. What is typed here is held once, in
// runes that are overwritten when they go.
type Input struct {
	widget.BaseWidget

	// OnChanged is called after every change, OnSubmitted on Enter, OnFocus
	// when the focus comes or goes. Accept, if set, says which runes may be
	// typed. Arrange, if set, rewrites what is shown as it is typed: it is
	// given the text and the place of the cursor in runes, and returns both.
	OnChanged   func(string)
	OnSubmitted func(string)
	OnFocus     func(bool)
	Accept      func(rune) bool
	Arrange     func(text string, cursor int) (string, int)

	runes          []rune
	cursor, anchor int // a selection lies between them
	scroll         float32
	password       bool // never copied
	secret, mono   bool // shown as dots; in the font of codes
	placeholder    string
	onKey          func(*fyne.KeyEvent) bool // what it is part of takes a key
	before, after  float32                   // room for what that draws at its ends
	off, bad       bool
	focused        bool
	shift          bool
}

var (
	_ Target              = (*Input)(nil)
	_ fyne.Tappable       = (*Input)(nil)
	_ fyne.DoubleTappable = (*Input)(nil)
	_ fyne.Draggable      = (*Input)(nil)
	_ fyne.Shortcutable   = (*Input)(nil)
	_ fyne.Disableable    = (*Input)(nil)
	_ desktop.Keyable     = (*Input)(nil)
	_ desktop.Mouseable   = (*Input)(nil)
	_ desktop.Cursorable  = (*Input)(nil)
)

func newInput() *Input {
	i := &Input{}
	i.ExtendBaseWidget(i)
	return i
}

// Text returns what was typed.
func (i *Input) Text() string { return string(i.runes) }

// Cursor returns the pointer for text.
func (i *Input) Cursor() desktop.Cursor { return desktop.TextCursor }

// SetText replaces the text, puts the cursor behind it, and calls OnChanged
// when it is another one. The old runes are overwritten.
func (i *Input) SetText(s string) {
	if s == i.Text() {
		return
	}
	i.replace([]rune(s), len([]rune(s)))
}

// Clear empties the line and overwrites what was in it.
func (i *Input) Clear() {
	i.SetText("")
	i.scroll, i.shift = 0, false
}

// Enable lets the line be typed in.
func (i *Input) Enable() { i.off = false; i.Refresh() }

// Disable greys the line out; it cannot have the focus.
func (i *Input) Disable() { i.off = true; i.Refresh() }

// Disabled says whether the line cannot be typed in.
func (i *Input) Disabled() bool { return i.off }

// replace puts new runes in the place of the old ones and wipes the old.
func (i *Input) replace(r []rune, cursor int) {
	if len(r) > maxRunes {
		r = r[:maxRunes]
	}
	if i.Arrange != nil {
		text, at := i.Arrange(string(r), min(cursor, len(r)))
		r, cursor = []rune(text), at
	}
	old := i.runes
	i.runes = append(make([]rune, 0, len(r)), r...)
	clear(old)
	i.cursor = max(0, min(cursor, len(i.runes)))
	i.anchor = i.cursor
	i.Refresh()
	if i.OnChanged != nil {
		i.OnChanged(i.Text())
	}
}

// insert puts text in the place of the selection.
func (i *Input) insert(s string) {
	if i.off {
		return
	}
	var add []rune
	for _, r := range s {
		if r >= ' ' && r != 0x7f && (i.Accept == nil || i.Accept(r)) {
			add = append(add, r)
		}
	}
	from, to := i.selection()
	add = add[:max(0, min(len(add), maxRunes-len(i.runes)+to-from))]
	if len(add) == 0 {
		return
	}
	i.splice(from, to, add)
}

func (i *Input) splice(from, to int, add []rune) {
	r := make([]rune, 0, len(i.runes)+len(add))
	r = append(append(append(r, i.runes[:from]...), add...), i.runes[to:]...)
	i.replace(r, from+len(add))
	clear(r)
}

func (i *Input) selection() (from, to int) {
	return min(i.cursor, i.anchor), max(i.cursor, i.anchor)
}

// FocusGained is called by Fyne.
func (i *Input) FocusGained() { i.setFocus(true) }

// FocusLost is called by Fyne.
func (i *Input) FocusLost() {
	i.shift = false
	i.anchor = i.cursor
	i.setFocus(false)
}

func (i *Input) setFocus(on bool) {
	i.focused = on
	i.Refresh()
	if on {
		bring(i)
	}
	if i.OnFocus != nil {
		i.OnFocus(on)
	}
}

// TypedRune is called by Fyne and by the keys on the screen.
func (i *Input) TypedRune(r rune) {
	active()
	i.insert(string(r))
}

// KeyDown notes Shift, which selects.
func (i *Input) KeyDown(e *fyne.KeyEvent) { i.shiftKey(e, true) }

// KeyUp notes Shift, which selects.
func (i *Input) KeyUp(e *fyne.KeyEvent) { i.shiftKey(e, false) }

func (i *Input) shiftKey(e *fyne.KeyEvent, down bool) {
	if e.Name == desktop.KeyShiftLeft || e.Name == desktop.KeyShiftRight {
		i.shift = down
	}
}

// TypedKey moves, deletes and submits; the window gets the rest.
func (i *Input) TypedKey(e *fyne.KeyEvent) {
	active()
	if i.onKey != nil && i.onKey(e) {
		return
	}
	switch e.Name {
	case fyne.KeyBackspace:
		i.delete(-1)
	case fyne.KeyDelete:
		i.delete(1)
	case fyne.KeyLeft:
		i.move(i.cursor - 1)
	case fyne.KeyRight:
		i.move(i.cursor + 1)
	case fyne.KeyHome, fyne.KeyUp, fyne.KeyPageUp:
		i.move(0)
	case fyne.KeyEnd, fyne.KeyDown, fyne.KeyPageDown:
		i.move(len(i.runes))
	case fyne.KeyReturn, fyne.KeyEnter:
		if i.OnSubmitted != nil && !i.off {
			i.OnSubmitted(i.Text())
		}
	default:
		passOn(i, e)
	}
}

func (i *Input) delete(by int) {
	from, to := i.selection()
	if from == to {
		from, to = min(from, from+by), max(to, to+by)
	}
	if i.off || from < 0 || to > len(i.runes) {
		return
	}
	i.splice(from, to, nil)
}

func (i *Input) move(to int) {
	i.cursor = max(0, min(to, len(i.runes)))
	if !i.shift {
		i.anchor = i.cursor
	}
	i.Refresh()
}

// TypedShortcut copies, cuts, pastes and selects all. A secret is never
// copied, also while it is shown.
func (i *Input) TypedShortcut(s fyne.Shortcut) {
	active()
	switch s := s.(type) {
	case *fyne.ShortcutPaste:
		i.insert(strings.TrimSpace(s.Clipboard.Content()))
	case *fyne.ShortcutCopy:
		i.copy(s.Clipboard)
	case *fyne.ShortcutCut:
		if i.copy(s.Clipboard) {
			i.delete(-1)
		}
	case *fyne.ShortcutSelectAll:
		i.selectAll()
	default:
		passOnShortcut(i, s)
	}
}

func (i *Input) copy(c fyne.Clipboard) bool {
	from, to := i.selection()
	if from == to || i.password {
		return false
	}
	c.SetContent(string(i.runes[from:to]))
	return true
}

func (i *Input) selectAll() {
	i.anchor, i.cursor = 0, len(i.runes)
	i.Refresh()
}

// Tapped is called by Fyne after MouseUp.
func (i *Input) Tapped(*fyne.PointEvent) {
	active()
	if !i.off {
		Focus(i)
	}
}

// DoubleTapped selects everything.
func (i *Input) DoubleTapped(*fyne.PointEvent) { i.selectAll() }

// MouseDown puts the cursor under the pointer.
func (i *Input) MouseDown(e *desktop.MouseEvent) {
	active()
	if i.off {
		return
	}
	Focus(i)
	i.move(i.at(e.Position.X))
}

// MouseUp is called by Fyne.
func (i *Input) MouseUp(*desktop.MouseEvent) {}

// Dragged selects.
func (i *Input) Dragged(e *fyne.DragEvent) {
	if i.off {
		return
	}
	i.cursor = i.at(e.Position.X)
	i.Refresh()
}

// DragEnd is called by Fyne.
func (i *Input) DragEnd() {}

// at returns the place between two runes that is nearest to x.
func (i *Input) at(x float32) int {
	x += i.scroll - i.margin() - i.before
	best, dist := 0, float32(1e9)
	for n := range len(i.runes) + 1 {
		if d := max(x-i.width(n), i.width(n)-x); d < dist {
			best, dist = n, d
		}
	}
	return best
}

func (i *Input) style() fyne.TextStyle { return fyne.TextStyle{Monospace: i.mono} }
func (i *Input) margin() float32       { return size(SizeFieldHeight) * 0.3 }

// visible is what the line shows: a secret as dots.
func (i *Input) visible() []rune {
	if i.secret {
		return []rune(strings.Repeat("•", len(i.runes)))
	}
	return i.runes
}

func (i *Input) width(n int) float32 {
	return fyne.MeasureText(string(i.visible()[:n]), size(SizeFieldText), i.style()).Width
}

// MinSize is a line of a field.
func (i *Input) MinSize() fyne.Size {
	return fyne.NewSize(size(SizeFieldHeight)*2, size(SizeFieldHeight))
}

// CreateRenderer is called by Fyne.
func (i *Input) CreateRenderer() fyne.WidgetRenderer {
	i.ExtendBaseWidget(i)
	r := &inputRenderer{
		i: i, plate: newPlate(), text: canvas.NewText("", nil),
		caret: canvas.NewRectangle(nil), marked: canvas.NewRectangle(nil),
	}
	r.line = container.NewWithoutLayout(r.marked, r.text, r.caret)
	r.clip = container.NewClip(r.line)
	return r
}

type inputRenderer struct {
	i             *Input
	plate         *plate
	text          *canvas.Text
	caret, marked *canvas.Rectangle
	line          *fyne.Container
	clip          *container.Clip
}

func (r *inputRenderer) Destroy()           {}
func (r *inputRenderer) MinSize() fyne.Size { return r.i.MinSize() }
func (r *inputRenderer) Refresh()           { r.Layout(r.i.Size()); canvas.Refresh(r.i) }

func (r *inputRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.clip)
}

func (r *inputRenderer) Layout(s fyne.Size) {
	i := r.i
	l := look{
		face: theme.ColorNameInputBackground, stroke: theme.ColorNameInputBorder,
		radius: size(theme.SizeNameInputRadius), line: size(theme.SizeNameInputBorder),
		focused: i.focused && !i.off, inkInside: true,
	}
	ink := theme.ColorNameForeground
	if i.bad {
		l.stroke, l.line = theme.ColorNameError, size(theme.SizeNameInputBorder)+1
	}
	if i.off {
		l.face, ink = theme.ColorNameDisabledButton, theme.ColorNameDisabled
	}
	r.plate.draw(fyne.Position{}, s, l)
	m := i.margin()
	room := s.Width - 2*m - i.before - i.after
	place(r.clip, m+i.before-2, 0, room+4, s.Height)
	r.typed(room, ink)
	h := r.text.MinSize().Height
	y := (s.Height - h) / 2
	place(r.text, 2-i.scroll, y, r.text.MinSize().Width, h)
	at := i.width(i.cursor)
	r.caret.FillColor, r.caret.Hidden = tint(theme.ColorNameForeground), !i.focused || i.off
	place(r.caret, 1-i.scroll+at, y, 3, h)
	from, to := i.selection()
	r.marked.FillColor, r.marked.Hidden = tint(theme.ColorNameSelection), from == to
	place(r.marked, 2-i.scroll+i.width(from), y, i.width(to)-i.width(from), h)
	r.text.Refresh()
	r.caret.Refresh()
	r.marked.Refresh()
}

// typed puts the text, or the words that stand in for it, on the line, and
// scrolls so that the cursor is in sight.
func (r *inputRenderer) typed(room float32, ink fyne.ThemeColorName) {
	i := r.i
	r.text.Text, r.text.TextStyle = string(i.visible()), i.style()
	r.text.TextSize, r.text.Color = size(SizeFieldText), tint(ink)
	if len(i.runes) == 0 {
		r.text.Text, r.text.Color = cut(i.placeholder, room, size(SizeFieldText), i.style()), tint(theme.ColorNamePlaceHolder)
	}
	if room <= 0 {
		return
	}
	at, all := i.width(i.cursor), i.width(len(i.runes))
	i.scroll = max(0, min(i.scroll, all-room))
	if at < i.scroll {
		i.scroll = at
	}
	if at > i.scroll+room {
		i.scroll = at - room
	}
}
