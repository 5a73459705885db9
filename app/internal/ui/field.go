package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Field is a label, a line to type in, and under it a hint or what is wrong.
// Room for one line under it is always there, so that nothing jumps.
type Field struct {
	widget.BaseWidget

	label  *Text
	input  *Input
	reveal *Button
	under  *Text
	mark   *Glyph
	hint   string
	wrong  string

	show, hide string
}

// NewField returns a field with its label and hint ("" for none).
func NewField(label, hint string) *Field {
	f := &Field{
		label: NewText(RoleLabel, Plain(label)), input: newInput(),
		under: NewText(RoleHint, Plain(hint)), mark: NewGlyph(IconExclamation, theme.ColorNameError), hint: hint,
	}
	f.mark.Hide()
	f.ExtendBaseWidget(f)
	return f
}

// NewPasswordField returns a field that shows dots, and a button that shows
// the password, with the two words on it.
func NewPasswordField(label, hint, show, hide string) *Field {
	f := NewField(label, hint)
	f.input.password, f.input.secret, f.input.mono = true, true, true
	f.show, f.hide = show, hide
	f.reveal = NewButton(Small, show, func() { f.SetRevealed(f.input.secret) }).WithLeft(IconEye)
	return f
}

// Input returns the line that is typed in: give it the focus, set its
// callbacks, make it the target of the keys on the screen.
func (f *Field) Input() *Input { return f.input }

// Text returns what was typed.
func (f *Field) Text() string { return f.input.Text() }

// SetText replaces the text.
func (f *Field) SetText(s string) { f.input.SetText(s) }

// SetMono sets the font of numbers and codes.
func (f *Field) SetMono(on bool) { f.input.mono = on; f.input.Refresh() }

// SetPlaceholder sets the words that stand in an empty line.
func (f *Field) SetPlaceholder(s string) { f.input.placeholder = s; f.input.Refresh() }

// Label returns the words above the line, to be read aloud.
func (f *Field) Label() string { return f.label.String() }

// SetLabel changes the words above the line, at a switch of language.
func (f *Field) SetLabel(s string) { f.label.SetText(s) }

// SetHint changes the words under the line.
func (f *Field) SetHint(s string) { f.hint = s; f.say() }

// SetError says what is wrong and marks the line; "" takes it back.
func (f *Field) SetError(s string) { f.wrong = s; f.say() }

// Wrong returns what is said to be wrong, "" for nothing.
func (f *Field) Wrong() string { return f.wrong }

// SetRevealed shows or hides a password.
func (f *Field) SetRevealed(on bool) {
	if f.reveal == nil {
		return
	}
	f.input.secret = !on
	f.reveal.Text, f.reveal.Left = f.show, IconEye
	if on {
		f.reveal.Text, f.reveal.Left = f.hide, IconEyeOff
	}
	f.reveal.Refresh()
	f.input.Refresh()
	f.Refresh()
}

// Revealed says whether a password is shown.
func (f *Field) Revealed() bool { return f.reveal != nil && !f.input.secret }

// Wipe empties the field, hides a password and takes back what was wrong.
func (f *Field) Wipe() {
	f.input.Clear()
	f.SetRevealed(false)
	f.SetError("")
}

// SetEnabled lets the field be used, or not.
func (f *Field) SetEnabled(on bool) {
	f.input.off = !on
	f.input.Refresh()
	if f.reveal != nil {
		f.reveal.SetEnabled(on)
	}
}

func (f *Field) held() []fyne.CanvasObject {
	all := []fyne.CanvasObject{f.input}
	if f.reveal != nil {
		all = append(all, f.reveal)
	}
	return all
}

func (f *Field) say() {
	f.input.bad = f.wrong != ""
	f.mark.Hidden = f.wrong == ""
	if f.wrong != "" {
		f.under.Ink(theme.ColorNameError).Set(Bold(f.wrong))
	} else {
		f.under.Ink(ColorMuted).Set(Plain(f.hint))
	}
	f.input.Refresh()
	f.Refresh()
}

// underAt returns where the words under the line begin.
func (f *Field) underAt() float32 {
	if f.wrong == "" {
		return 0
	}
	return f.under.lineHeight() + 4
}

func (f *Field) gaps() (label, under float32) { return 8, 12 }

// HeightFor returns the height at that width.
func (f *Field) HeightFor(width float32) float32 {
	a, b := f.gaps()
	under := max(f.under.lineHeight(), f.under.HeightFor(width-f.underAt()))
	return f.label.HeightFor(width) + a + size(SizeFieldHeight) + b + under
}

// MinSize is the line with its label and one line of words under it.
func (f *Field) MinSize() fyne.Size {
	w := max(f.input.MinSize().Width, f.label.MinSize().Width)
	if f.reveal != nil {
		w += f.reveal.MinSize().Width + 16
	}
	return fyne.NewSize(w, f.HeightFor(max(w, f.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (f *Field) CreateRenderer() fyne.WidgetRenderer {
	f.ExtendBaseWidget(f)
	return &fieldRenderer{f}
}

type fieldRenderer struct{ f *Field }

func (r *fieldRenderer) Destroy()           {}
func (r *fieldRenderer) MinSize() fyne.Size { return r.f.MinSize() }
func (r *fieldRenderer) Refresh()           { r.Layout(r.f.Size()); canvas.Refresh(r.f) }

func (r *fieldRenderer) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{r.f.label, r.f.input}
	if r.f.reveal != nil {
		all = append(all, r.f.reveal)
	}
	return append(all, r.f.mark, r.f.under)
}

func (r *fieldRenderer) Layout(s fyne.Size) {
	f := r.f
	a, b := f.gaps()
	lh, h := f.label.HeightFor(s.Width), size(SizeFieldHeight)
	place(f.label, 0, 0, s.Width, lh)
	y, w := lh+a, s.Width
	if f.reveal != nil {
		// Both words have the same room, so that the line keeps its width.
		bw := f.revealWidth()
		w -= bw + 16
		place(f.reveal, w+16, y, bw, h+size(SizeEdge))
	}
	place(f.input, 0, y, w, h)
	y += h + b
	x := f.underAt()
	place(f.mark, 0, y+2, f.under.lineHeight()-4, f.under.lineHeight()-4)
	place(f.under, x, y, s.Width-x, f.under.HeightFor(s.Width-x))
}

func (f *Field) revealWidth() float32 {
	was := f.reveal.Text
	f.reveal.Text = f.show
	w := f.reveal.MinSize().Width
	f.reveal.Text = f.hide
	w = max(w, f.reveal.MinSize().Width)
	f.reveal.Text = was
	return w
}
