package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

// A Filter is one of the chips of which one is on: a word and how many it
// lets through.
type Filter struct {
	pressable

	text, count string
	urgent, on  bool
}

// NewFilter returns a chip; urgent gives it a warning sign while it counts
// something.
func NewFilter(text string, urgent bool, tapped func()) *Filter {
	f := &Filter{text: text, urgent: urgent}
	f.self, f.tapped = f, tapped
	f.ExtendBaseWidget(f)
	return f
}

// SetCount says how many it lets through; below 0 that is not known.
func (f *Filter) SetCount(n int) {
	s := ""
	if n >= 0 {
		s = Grouped(n)
	}
	if s != f.count {
		f.count = s
		f.Refresh()
	}
}

// SetOn shows it as the one that is on.
func (f *Filter) SetOn(on bool) { f.set(&f.on, on) }

// On says whether it is on.
func (f *Filter) On() bool { return f.on }

// String returns the words, as they would be read aloud.
func (f *Filter) String() string { return f.text + " " + f.count }

func (f *Filter) signed() bool { return f.urgent && f.count != "" && f.count != "0" }

func (f *Filter) sizes() (text, icon, height, margin float32) {
	text = size(SizeLabel)
	return text, float32(int(text * 1.15)), max(size(SizeToolHeight), float32(int(text*2))), 14
}

// MinSize fits word and count.
func (f *Filter) MinSize() fyne.Size {
	text, icon, h, m := f.sizes()
	w := 2*m + fyne.MeasureText(f.text, text, fyne.TextStyle{}).Width
	if f.count != "" {
		w += 8 + fyne.MeasureText(f.count, text, fyne.TextStyle{Bold: true}).Width
	}
	if f.signed() {
		w += icon + 8
	}
	return fyne.NewSize(w, h)
}

// CreateRenderer is called by Fyne.
func (f *Filter) CreateRenderer() fyne.WidgetRenderer {
	f.ExtendBaseWidget(f)
	return &filterRenderer{f, newPlate(), canvas.NewText("", nil), canvas.NewText("", nil), picture()}
}

type filterRenderer struct {
	f           *Filter
	plate       *plate
	text, count *canvas.Text
	icon        *canvas.Image
}

func (r *filterRenderer) Destroy()           {}
func (r *filterRenderer) MinSize() fyne.Size { return r.f.MinSize() }
func (r *filterRenderer) Refresh()           { r.Layout(r.f.Size()); canvas.Refresh(r.f) }
func (r *filterRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.text, r.count, r.icon)
}

func (r *filterRenderer) Layout(s fyne.Size) {
	f := r.f
	l := look{
		face: theme.ColorNameButton, stroke: ColorButtonStroke, radius: s.Height / 2, line: size(SizeStroke),
		focused: f.focused, hovered: f.hovered, pressed: f.pushed,
	}
	ink, warn := theme.ColorNameForeground, theme.ColorNameError
	if f.on {
		l.face, l.stroke = theme.ColorNamePrimary, theme.ColorNamePrimary
		ink, warn = theme.ColorNameForegroundOnPrimary, theme.ColorNameForegroundOnPrimary
	}
	r.plate.draw(fyne.Position{}, s, l)
	text, icon, _, x := f.sizes()
	if f.signed() {
		paintIcon(r.icon, IconWarning, warn)
		place(r.icon, x, (s.Height-icon)/2, icon, icon)
		x += icon + 8
	} else {
		paintIcon(r.icon, "", "")
	}
	for _, w := range []struct {
		t    *canvas.Text
		s    string
		bold bool
	}{{r.text, f.text, false}, {r.count, f.count, true}} {
		style := fyne.TextStyle{Bold: w.bold}
		m := fyne.MeasureText(w.s, text, style)
		write(w.t, w.s, fyne.NewPos(x, (s.Height-m.Height)/2), m.Width, SizeLabel, style, ink)
		x += m.Width + 8
	}
}

// Flow puts objects beside each other, each at its least width, on as many
// lines as that takes.
func Flow(gap fyne.ThemeSizeName, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: flow{gap: gap}, Objects: objects}
}

// FlowApart is Flow with its last object at the right end of the last line.
func FlowApart(gap fyne.ThemeSizeName, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: flow{gap: gap, apart: true}, Objects: objects}
}

type flow struct {
	gap   fyne.ThemeSizeName
	apart bool
}

func (f flow) walk(objects []fyne.CanvasObject, width float32, at func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	all := shown(objects)
	y, gap := float32(0), size(f.gap)
	for from := 0; from < len(all); {
		to, w, h := from, float32(0), float32(0)
		for to < len(all) {
			m := all[to].MinSize()
			if to > from && w+gap+m.Width > width+0.5 {
				break
			}
			if to > from {
				w += gap
			}
			w, h, to = w+m.Width, max(h, m.Height), to+1
		}
		if from > 0 {
			y += gap
		}
		x := float32(0)
		for i, o := range all[from:to] {
			m := o.MinSize()
			if f.apart && from+i == len(all)-1 {
				x = max(x, width-m.Width)
			}
			at(o, x, y+(h-m.Height)/2, min(m.Width, width), m.Height)
			x += m.Width + gap
		}
		y, from = y+h, to
	}
	return y
}

func (f flow) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	f.walk(objects, s.Width, func(o fyne.CanvasObject, x, y, w, h float32) { place(o, x, y, w, h) })
}

func (f flow) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return f.walk(objects, width, func(fyne.CanvasObject, float32, float32, float32, float32) {})
}

func (f flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range shown(objects) {
		s = s.Max(o.MinSize())
	}
	return s
}
