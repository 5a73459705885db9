package ui

import (
	"weak"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Scroller shows content that may be higher than there is room for. What
// gets the focus in it comes into sight.
type Scroller struct {
	widget.BaseWidget

	content fyne.CanvasObject
	bar     *scrollBar
	at      float32
	shown   *scrollerRenderer // nil before the first time
}

var _ fyne.Scrollable = (*Scroller)(nil)

// NewScroller returns a scroller at its top.
func NewScroller(content fyne.CanvasObject) *Scroller {
	s := &Scroller{content: content}
	s.bar = newScrollBar(func(at float64) { s.ScrollTo(float32(at)) })
	s.ExtendBaseWidget(s)
	scrollers = append(scrollers, weak.Make(s))
	return s
}

// Set replaces the content, and stays where it is as far as that can be.
func (s *Scroller) Set(content fyne.CanvasObject) {
	s.content = content
	s.Refresh()
}

// At returns how far it is scrolled.
func (s *Scroller) At() float32 { return s.at }

// ScrollTo scrolls to a place, or as far as can be.
func (s *Scroller) ScrollTo(at float32) {
	at = max(0, min(at, s.height()-s.Size().Height))
	if at != s.at {
		s.at = at
		if s.shown != nil { // it moves; nothing is painted anew
			s.shown.Layout(s.Size())
		}
	}
}

// TypedKey scrolls, for windows that have a key which nothing else took. It
// says whether it had a use for it.
func (s *Scroller) TypedKey(e *fyne.KeyEvent) bool {
	line, page := size(theme.SizeNameText)*3, s.Size().Height*0.85
	switch e.Name {
	case fyne.KeyDown:
		s.ScrollTo(s.at + line)
	case fyne.KeyUp:
		s.ScrollTo(s.at - line)
	case fyne.KeyPageDown:
		s.ScrollTo(s.at + page)
	case fyne.KeyPageUp:
		s.ScrollTo(s.at - page)
	case fyne.KeyHome:
		s.ScrollTo(0)
	case fyne.KeyEnd:
		s.ScrollTo(s.height())
	default:
		return false
	}
	return true
}

// Scrolled is called by Fyne as the wheel turns.
func (s *Scroller) Scrolled(e *fyne.ScrollEvent) {
	active()
	s.ScrollTo(s.at - e.Scrolled.DY)
}

// MinSize is little: the content may be higher than there is room for.
func (s *Scroller) MinSize() fyne.Size { return fyne.NewSize(s.content.MinSize().Width, 64) }

func (s *Scroller) barRoom() float32 { return size(theme.SizeNameScrollBar) + 4 }

// height returns the height of the content, which has less width where there
// is a bar.
func (s *Scroller) height() float32 {
	if h := HeightFor(s.content, s.Size().Width); h <= s.Size().Height {
		return h
	}
	return HeightFor(s.content, s.Size().Width-s.barRoom())
}

func (s *Scroller) held() []fyne.CanvasObject { return []fyne.CanvasObject{s.content} }

// CreateRenderer is called by Fyne.
func (s *Scroller) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	r := &scrollerRenderer{s: s, page: container.NewWithoutLayout()}
	r.clip = container.NewClip(r.page)
	r.clip.ExtendBaseWidget(r.clip) // or Fyne finds nothing in it that could have the focus, until it was painted
	s.shown = r
	return r
}

type scrollerRenderer struct {
	s    *Scroller
	page *fyne.Container
	clip *container.Clip
}

func (r *scrollerRenderer) Destroy()           {}
func (r *scrollerRenderer) MinSize() fyne.Size { return r.s.MinSize() }
func (r *scrollerRenderer) Refresh()           { r.Layout(r.s.Size()); canvas.Refresh(r.s) }
func (r *scrollerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.clip, r.s.bar}
}

func (r *scrollerRenderer) Layout(area fyne.Size) {
	s := r.s
	if len(r.page.Objects) != 1 || r.page.Objects[0] != s.content {
		r.page.Objects = []fyne.CanvasObject{s.content}
	}
	h, w := s.height(), area.Width
	if h > area.Height {
		w -= s.barRoom()
	}
	s.at = max(0, min(s.at, h-area.Height))
	// The lines of the focus lie outside of what has it: there is room for them.
	edge := size(SizeFocusInk) + size(SizeFocusRing)
	place(r.clip, -edge, 0, w+2*edge, area.Height)
	place(s.content, edge, -s.at, w, max(h, area.Height))
	bar := size(theme.SizeNameScrollBar)
	place(s.bar, area.Width-bar, 0, bar, area.Height)
	s.bar.set(float64(h), float64(area.Height), float64(s.at))
}

// scrollers are those that exist. Fyne tells nobody where the focus went, and
// its objects do not know in what they are.
var scrollers []weak.Pointer[Scroller]

// A holder has other objects in it, that may get the focus.
type holder interface{ held() []fyne.CanvasObject }

// within says whether an object is in another one.
func within(o, in fyne.CanvasObject) bool {
	if in == o {
		return true
	}
	var parts []fyne.CanvasObject
	switch in := in.(type) {
	case *fyne.Container:
		parts = in.Objects
	case holder:
		parts = in.held()
	}
	for _, p := range parts {
		if p != nil && within(o, p) {
			return true
		}
	}
	return false
}

// bring scrolls so that what has got the focus is in sight.
func bring(o fyne.CanvasObject) {
	live := scrollers[:0]
	for _, p := range scrollers {
		s := p.Value()
		if s == nil {
			continue
		}
		live = append(live, p)
		if s.Size().Height <= 0 || !within(o, s.content) {
			continue
		}
		d := fyne.CurrentApp().Driver()
		if d.CanvasForObject(s) == nil {
			continue
		}
		const air = 16
		top := d.AbsolutePositionForObject(o).Y - d.AbsolutePositionForObject(s).Y
		end := top + o.Size().Height
		switch room := s.Size().Height; {
		case top < air:
			s.ScrollTo(s.at + top - air)
		case end > room-air:
			s.ScrollTo(s.at + min(end-room+air, top-air))
		}
	}
	scrollers = live
}
