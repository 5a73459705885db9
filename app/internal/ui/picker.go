package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// A Picker is a chip that says what is chosen and opens a Menu to choose something
// else. While something is chosen it stands out, and has a cross that takes the choice
// back; Backspace and Delete do that, too.
type Picker struct {
	pressable

	icon    Icon
	text    string
	on      bool
	onClear func()
}

// NewPicker returns a chip; icon may be empty.
func NewPicker(icon Icon, open, reset func()) *Picker {
	p := &Picker{icon: icon, onClear: reset}
	p.self, p.tapped = p, open
	p.ExtendBaseWidget(p)
	return p
}

// Set says what is chosen, and whether that is something.
func (p *Picker) Set(text string, on bool) {
	if p.text != text || p.on != on {
		p.text, p.on = text, on
		p.Refresh()
	}
}

// On says whether something is chosen.
func (p *Picker) On() bool { return p.on }

// String returns the words, as they would be read aloud.
func (p *Picker) String() string { return p.text }

// mostWords is how wide the words of a chip may be, at the normal size of text.
const mostWords = 260

func (p *Picker) measures() (text, side, height, margin, words float32) {
	text = size(SizeLabel)
	words = min(mostWords*grownBy(), fyne.MeasureText(p.text, text, fyne.TextStyle{}).Width+1)
	return text, float32(int(text * 1.1)), max(size(SizeToolHeight), float32(int(text*2))), 12, words
}

// MinSize fits the words and the signs.
func (p *Picker) MinSize() fyne.Size {
	_, side, h, m, w := p.measures()
	w += 2*m + side + 8
	if p.icon != "" {
		w += side + 8
	}
	return fyne.NewSize(w, h)
}

// Tapped opens the menu; on the cross, it takes the choice back.
func (p *Picker) Tapped(e *fyne.PointEvent) {
	_, side, _, m, _ := p.measures()
	if p.on && e != nil && p.Size().Width > 0 && e.Position.X > p.Size().Width-m-side-4 {
		active()
		p.reset()
		return
	}
	p.pressable.Tapped(e)
}

func (p *Picker) reset() {
	if p.on && p.onClear != nil {
		p.onClear()
	}
}

// TypedKey opens and takes back.
func (p *Picker) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyBackspace, fyne.KeyDelete:
		active()
		p.reset()
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		p.pressable.Tapped(nil)
	default:
		p.pressable.TypedKey(e)
	}
}

// CreateRenderer is called by Fyne.
func (p *Picker) CreateRenderer() fyne.WidgetRenderer {
	p.ExtendBaseWidget(p)
	return &pickerRenderer{p, newPlate(), canvas.NewText("", nil), picture(), picture()}
}

type pickerRenderer struct {
	p          *Picker
	plate      *plate
	text       *canvas.Text
	icon, sign *canvas.Image
}

func (r *pickerRenderer) Destroy()           {}
func (r *pickerRenderer) MinSize() fyne.Size { return r.p.MinSize() }
func (r *pickerRenderer) Refresh()           { r.Layout(r.p.Size()); canvas.Refresh(r.p) }

func (r *pickerRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.text, r.icon, r.sign)
}

func (r *pickerRenderer) Layout(s fyne.Size) {
	p := r.p
	l := look{
		face: theme.ColorNameButton, stroke: ColorButtonStroke, radius: s.Height / 2, line: size(SizeStroke),
		focused: p.focused, hovered: p.hovered, pressed: p.pushed,
	}
	ink, sign := theme.ColorNameForeground, IconChevronDown
	if p.on {
		l.face, l.stroke, ink, sign = theme.ColorNamePrimary, theme.ColorNamePrimary, theme.ColorNameForegroundOnPrimary, IconCross
	}
	r.plate.draw(fyne.Position{}, s, l)
	text, side, _, margin, words := p.measures()
	x := margin
	paintIcon(r.icon, p.icon, ink)
	if p.icon != "" {
		place(r.icon, x, (s.Height-side)/2, side, side)
		x += side + 8
	}
	h := fyne.MeasureText(p.text, text, fyne.TextStyle{}).Height
	write(r.text, p.text, fyne.NewPos(x, (s.Height-h)/2), min(words, s.Width-x-side-margin-8), SizeLabel, fyne.TextStyle{}, ink)
	paintIcon(r.sign, sign, ink)
	place(r.sign, s.Width-margin-side, (s.Height-side)/2, side, side)
}
