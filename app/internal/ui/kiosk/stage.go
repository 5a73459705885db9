package kiosk

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"github.com/keydesk/keydesk/app/internal/ui"
)

// A stage is the whole window: the kiosk, in a demo the phone beside or over
// it, and over the logo a corner that staff can press.
type stage struct {
	widget.BaseWidget

	k      *Kiosk
	corner *corner
}

func newStage(k *Kiosk) *stage {
	s := &stage{k: k, corner: newCorner(k)}
	s.ExtendBaseWidget(s)
	return s
}

var _ desktop.Hoverable = (*stage)(nil)

// Tapped takes the focus from nothing, but is a sign of life.
func (s *stage) Tapped(*fyne.PointEvent) { s.k.touched() }

// MouseIn is a sign of life.
func (s *stage) MouseIn(*desktop.MouseEvent) { s.k.touched() }

// MouseMoved is a sign of life.
func (s *stage) MouseMoved(*desktop.MouseEvent) { s.k.touched() }

// MouseOut is called by Fyne.
func (s *stage) MouseOut() {}

// MinSize is nothing: the window decides.
func (s *stage) MinSize() fyne.Size { return fyne.Size{} }

// CreateRenderer is called by Fyne.
func (s *stage) CreateRenderer() fyne.WidgetRenderer { return &stageRenderer{s} }

type stageRenderer struct{ s *stage }

func (r *stageRenderer) Destroy()           {}
func (r *stageRenderer) MinSize() fyne.Size { return fyne.Size{} }
func (r *stageRenderer) Refresh() {
	r.Layout(r.s.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *stageRenderer) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{r.s.k.root, r.s.corner}
	if d := r.s.k.demo; d != nil && (d.beside || d.open) {
		all = append(all, d.panel)
	}
	return all
}

// What a demo's phone takes of a window that is large enough for both.
const (
	phoneWidth, phoneHeight = 320, 420
	besideWidth             = 1280 + phoneWidth
	besideHeight            = 1280 + phoneHeight
	overWidth               = 312 // where there is no room for both
)

func (r *stageRenderer) Layout(all fyne.Size) {
	k := r.s.k
	r.s.corner.Resize(fyne.NewSize(240, 80))
	size := all
	if d := k.demo; d != nil {
		d.beside = true
		switch {
		case all.Height > all.Width && all.Height >= besideHeight:
			size.Height -= phoneHeight
			d.panel.Move(fyne.NewPos(0, size.Height))
			d.panel.Resize(fyne.NewSize(all.Width, phoneHeight))
		case all.Width >= besideWidth && all.Width > all.Height:
			size.Width -= phoneWidth
			d.panel.Move(fyne.NewPos(size.Width, 0))
			d.panel.Resize(fyne.NewSize(phoneWidth, all.Height))
		default:
			d.beside = false
			x, y, w := all.Width-overWidth-370, float32(96), float32(overWidth) // beside boxes and number pad
			if high() {
				x, w = 24, all.Width-48
			}
			d.panel.Move(fyne.NewPos(max(0, x), y))
			d.panel.Resize(fyne.NewSize(w, min(all.Height*0.7, 560)))
		}
	}
	k.root.Move(fyne.Position{})
	k.root.Resize(size)
}

// A corner lies over the logo and shows nothing. Staff press it for five
// seconds to leave the kiosk.
type corner struct {
	widget.BaseWidget

	k     *Kiosk
	since time.Time // when the press began
	hold  *ui.Ticker
}

func newCorner(k *Kiosk) *corner {
	c := &corner{k: k}
	c.ExtendBaseWidget(c)
	return c
}

// How long the press takes, and how often it is looked whether it did.
const (
	pressFor  = 5 * time.Second
	pressLook = 100 * time.Millisecond
)

// MouseDown begins to count.
func (c *corner) MouseDown(*desktop.MouseEvent) {
	c.k.touched()
	c.hold.Stop()
	c.since = c.k.c.Now()
	c.hold = ui.NewTicker(pressLook, c.held)
}

// held asks for the PIN once the press is long enough.
func (c *corner) held() {
	if c.k.c.Now().Sub(c.since) < pressFor {
		return
	}
	c.hold.Stop()
	c.k.askPIN()
}

// MouseUp ends the count.
func (c *corner) MouseUp(*desktop.MouseEvent) { c.hold.Stop() }

// MouseIn is a sign of life.
func (c *corner) MouseIn(*desktop.MouseEvent) { c.k.touched() }

// MouseMoved is a sign of life.
func (c *corner) MouseMoved(*desktop.MouseEvent) { c.k.touched() }

// MouseOut ends the count.
func (c *corner) MouseOut() { c.hold.Stop() }

// CreateRenderer is called by Fyne.
func (c *corner) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(ui.Stack())
}
