package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Veil covers the whole window with a dark sheet and a dialog on it. What
// lies beneath cannot be touched or have the focus; cover the page as well
// (Shell.Cover), so that nothing of a person shows through.
type Veil struct {
	widget.BaseWidget

	dialog fyne.CanvasObject
	on     fyne.Canvas
}

// ShowVeil covers a window with a dialog, until Hide.
func ShowVeil(on fyne.Canvas, dialog fyne.CanvasObject) *Veil {
	v := &Veil{dialog: dialog, on: on}
	v.ExtendBaseWidget(v)
	on.Overlays().Add(v)
	v.Resize(on.Size())
	return v
}

// Hide takes the veil away. It may be called on a nil veil.
func (v *Veil) Hide() {
	if v == nil || v.on == nil {
		return
	}
	v.on.Overlays().Remove(v)
	v.on = nil
}

func (v *Veil) held() []fyne.CanvasObject { return []fyne.CanvasObject{v.dialog} }

// Tapped keeps taps from what lies beneath; it counts as a sign of life.
func (v *Veil) Tapped(*fyne.PointEvent) { active() }

// MouseIn is a sign of life.
func (v *Veil) MouseIn(*desktop.MouseEvent) { active() }

// MouseMoved is a sign of life.
func (v *Veil) MouseMoved(*desktop.MouseEvent) { active() }

// MouseOut is called by Fyne.
func (v *Veil) MouseOut() {}

// MinSize is nothing: the veil is as large as the window.
func (v *Veil) MinSize() fyne.Size { return fyne.Size{} }

// CreateRenderer is called by Fyne.
func (v *Veil) CreateRenderer() fyne.WidgetRenderer {
	return &veilRenderer{v, newGround(ColorScrim)}
}

type veilRenderer struct {
	v     *Veil
	scrim fyne.CanvasObject
}

func (r *veilRenderer) Destroy()           {}
func (r *veilRenderer) MinSize() fyne.Size { return fyne.Size{} }
func (r *veilRenderer) Refresh()           { r.Layout(r.v.Size()); canvas.Refresh(r.v) }
func (r *veilRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.scrim, r.v.dialog}
}

func (r *veilRenderer) Layout(s fyne.Size) {
	place(r.scrim, 0, 0, s.Width, s.Height)
	w := min([classes]float32{1040, 840, 900, 680, 640}[Current().Class]*float32(min(Current().Scale, 1.25)), s.Width-2*size(SizeSide))
	h := min(HeightFor(r.v.dialog, w), s.Height-32)
	place(r.v.dialog, float32(int((s.Width-w)/2)), float32(int((s.Height-h)/2)), w, h)
}

// A Dialog is a sheet with something that runs out at the left (a Ring), and
// at the right a question, words, and buttons under each other.
type Dialog struct {
	widget.BaseWidget

	ring    fyne.CanvasObject // nil for none
	content *fyne.Container
}

// NewDialog returns a dialog; ring may be nil.
func NewDialog(ring fyne.CanvasObject, title string, text *Text, buttons ...fyne.CanvasObject) *Dialog {
	d := &Dialog{ring: ring, content: Column(SizeSmallGap, Heading(title), text)}
	d.content.Add(Column(SizeSmallGap, buttons...))
	d.content.Layout = column{SizeGap}
	d.ExtendBaseWidget(d)
	return d
}

func (d *Dialog) held() []fyne.CanvasObject { return []fyne.CanvasObject{d.content} }

// margin is the room around the parts of a dialog.
func (d *Dialog) margin() float32 { return size(SizeSide) }

func (d *Dialog) upright() bool {
	c := Current().Class
	return c == SmallPortrait || c == Portrait
}

func (d *Dialog) left() float32 {
	if d.ring == nil || d.upright() {
		return 0
	}
	return d.ring.MinSize().Width + d.margin()
}

func (d *Dialog) above() float32 {
	if d.ring == nil || !d.upright() {
		return 0
	}
	return d.ring.MinSize().Height + size(SizeGap)
}

// HeightFor returns the height at that width.
func (d *Dialog) HeightFor(width float32) float32 {
	h := HeightFor(d.content, width-2*d.margin()-d.left())
	if d.ring != nil && !d.upright() {
		h = max(h, d.ring.MinSize().Height)
	}
	return h + d.above() + 2*d.margin()
}

// MinSize fits the parts.
func (d *Dialog) MinSize() fyne.Size {
	w := d.content.MinSize().Width + 2*d.margin() + d.left()
	return fyne.NewSize(w, d.HeightFor(max(w, d.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (d *Dialog) CreateRenderer() fyne.WidgetRenderer {
	return &dialogRenderer{d, newPlate()}
}

type dialogRenderer struct {
	d     *Dialog
	plate *plate
}

func (r *dialogRenderer) Destroy()           {}
func (r *dialogRenderer) MinSize() fyne.Size { return r.d.MinSize() }
func (r *dialogRenderer) Refresh()           { r.Layout(r.d.Size()); canvas.Refresh(r.d) }
func (r *dialogRenderer) Objects() []fyne.CanvasObject {
	all := r.plate.objects()
	if r.d.ring != nil {
		all = append(all, r.d.ring)
	}
	return append(all, r.d.content)
}

func (r *dialogRenderer) Layout(s fyne.Size) {
	d := r.d
	l := look{face: theme.ColorNameOverlayBackground, radius: size(SizeTileRadius)}
	if Current().Mode == HighContrast {
		l.stroke, l.line = theme.ColorNameSeparator, 2
	}
	r.plate.draw(fyne.Position{}, s, l)
	m := d.margin()
	if d.ring != nil {
		rs := d.ring.MinSize()
		if d.upright() {
			place(d.ring, (s.Width-rs.Width)/2, m, rs.Width, rs.Height)
		} else {
			place(d.ring, m, (s.Height-rs.Height)/2, rs.Width, rs.Height)
		}
	}
	x, y := m+d.left(), m+d.above()
	place(d.content, x, y, s.Width-x-m, s.Height-y-m)
}
