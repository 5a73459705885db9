package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// tipRests is for how long a pointer or the focus rests on a button before its words show.
const tipRests = 500 * time.Millisecond

// A tip is the words of a button that shows an icon alone, under it. It lies over all of
// its root, and takes neither clicks nor the pointer from what is under it.
type tip struct {
	widget.BaseWidget

	words string // "": none shows
	at    *Button
}

func newTip() *tip {
	t := &tip{}
	t.ExtendBaseWidget(t)
	t.Hide()
	return t
}

// tipOver returns where the words of a button can show; nil: nowhere.
func tipOver(b *Button) *tip {
	c := fyne.CurrentApp().Driver().CanvasForObject(b)
	if c == nil || c.Overlays().Top() != nil { // a menu lies over the tips
		return nil
	}
	if r, ok := c.Content().(*Root); ok && within(b, r) {
		return r.tip
	}
	return nil
}

// tell shows the words of the button after a while, if it has an icon alone and the
// pointer or the focus is there still. Fingers do not rest.
func (b *Button) tell() {
	if !b.IconOnly || b.Text == "" || Current().Class != Desktop {
		return
	}
	b.tips++
	turn := b.tips
	Later(context.Background(), tipRests, func() {
		if turn != b.tips {
			return
		}
		if b.told = tipOver(b); b.told != nil {
			b.told.show(b)
		}
	})
}

// hush takes the words away.
func (b *Button) hush() {
	b.tips++
	if b.told != nil && b.told.at == b {
		b.told.show(nil)
	}
	b.told = nil
}

// show shows the words of a button; nil: of none.
func (t *tip) show(b *Button) {
	if t.at = b; b == nil {
		t.words = ""
		t.Hide()
		return
	}
	t.words = b.Text
	t.Show()
	t.Refresh()
}

// MinSize is nothing: it lies over the whole root.
func (t *tip) MinSize() fyne.Size { return fyne.Size{} }

// CreateRenderer is called by Fyne.
func (t *tip) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &tipRenderer{t, newPlate(), canvas.NewText("", nil)}
}

type tipRenderer struct {
	t     *tip
	plate *plate
	text  *canvas.Text
}

func (r *tipRenderer) Destroy()                     {}
func (r *tipRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *tipRenderer) Refresh()                     { r.Layout(r.t.Size()); canvas.Refresh(r.t) }
func (r *tipRenderer) Objects() []fyne.CanvasObject { return append(r.plate.objects(), r.text) }

func (r *tipRenderer) Layout(area fyne.Size) {
	if r.t.at == nil {
		return
	}
	const edge, pad = 8, 10
	b, d := r.t.at, fyne.CurrentApp().Driver()
	words := fyne.MeasureText(r.t.words, size(theme.SizeNameCaptionText), fyne.TextStyle{})
	s := fyne.NewSize(min(words.Width+1+2*pad, area.Width-2*edge), words.Height+pad)
	at := d.AbsolutePositionForObject(b).Subtract(d.AbsolutePositionForObject(r.t))
	x := min(max(edge, at.X+(b.Size().Width-s.Width)/2), area.Width-edge-s.Width)
	y := at.Y + b.Size().Height + 6
	if y+s.Height > area.Height-edge {
		y = at.Y - 6 - s.Height
	}
	r.plate.draw(fyne.NewPos(x, y), s, look{face: ColorRail, stroke: ColorRailLine, radius: size(theme.SizeNameSelectionRadius), line: size(SizeStroke)})
	write(r.text, r.t.words, fyne.NewPos(x+pad, y+pad/2), s.Width-2*pad, theme.SizeNameCaptionText, fyne.TextStyle{}, ColorRailText)
}
