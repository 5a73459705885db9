package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Masked is a value that shows on request only, and for a while. It is never
// put on the clipboard.
type Masked struct {
	widget.BaseWidget

	masked     string
	value      *Text
	button     *Button
	show, hide string
	onShow     func()
	shown      bool
	until      time.Time
	clock      *Ticker
	now        func() time.Time
}

// NewMasked returns a masked value, with a button that has the word show and
// asks onShow for the value, which answers with Reveal. A nil onShow leaves the
// button out. now is the clock.
func NewMasked(masked, show, hide string, now func() time.Time, onShow func()) *Masked {
	m := &Masked{masked: masked, show: show, hide: hide, onShow: onShow, now: now, value: NewText(RoleBody, Bold(masked))}
	m.button = NewButton(Quiet, show, m.tapped)
	m.button.Hidden = onShow == nil
	m.ExtendBaseWidget(m)
	return m
}

// Button returns the button.
func (m *Masked) Button() *Button { return m.button }

// String returns what is shown.
func (m *Masked) String() string { return m.value.String() }

// Shown says whether the value is not masked now.
func (m *Masked) Shown() bool { return m.shown }

func (m *Masked) tapped() {
	if m.shown {
		m.Mask()
		return
	}
	m.button.SetBusy(true)
	m.onShow()
}

// Reveal shows a value for a while.
func (m *Masked) Reveal(value string, last time.Duration) {
	m.clock.Stop()
	m.shown, m.until = true, m.now().Add(last)
	m.button.SetBusy(false)
	m.button.SetText(m.hide)
	m.value.Set(Bold(value))
	m.clock = NewTicker(time.Second, m.tick)
	m.Refresh()
}

// tick masks the value when its time is over.
func (m *Masked) tick() {
	if m.shown && !m.now().Before(m.until) {
		m.Mask()
	}
}

// Mask takes the value away, or says that it did not come.
func (m *Masked) Mask() {
	m.clock.Stop()
	m.clock, m.shown = nil, false
	m.button.SetBusy(false)
	m.button.SetText(m.show)
	m.value.Set(Bold(m.masked))
	m.Refresh()
}

func (m *Masked) held() []fyne.CanvasObject { return []fyne.CanvasObject{m.button} }

func (m *Masked) buttonWidth() float32 {
	if m.button.Hidden {
		return 0
	}
	was, w := m.button.Text, float32(0)
	for _, word := range []string{m.show, m.hide} {
		m.button.Text = word
		w = max(w, m.button.MinSize().Width)
	}
	m.button.Text = was
	return w - 12 // its words end where the line does
}

// HeightFor returns the height at that width.
func (m *Masked) HeightFor(width float32) float32 {
	h := m.value.HeightFor(max(1, width-m.buttonWidth()-16))
	if !m.button.Hidden {
		h = max(h, m.button.MinSize().Height)
	}
	return h
}

// MinSize is the button and a part of the value.
func (m *Masked) MinSize() fyne.Size {
	w := m.buttonWidth() + 16 + m.value.textSize()*4
	return fyne.NewSize(w, m.HeightFor(max(w, m.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (m *Masked) CreateRenderer() fyne.WidgetRenderer {
	m.ExtendBaseWidget(m)
	return &maskedRenderer{m}
}

type maskedRenderer struct{ m *Masked }

func (r *maskedRenderer) Destroy()           { r.m.clock.Stop() }
func (r *maskedRenderer) MinSize() fyne.Size { return r.m.MinSize() }
func (r *maskedRenderer) Refresh()           { r.Layout(r.m.Size()); canvas.Refresh(r.m) }
func (r *maskedRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.m.value, r.m.button}
}

func (r *maskedRenderer) Layout(s fyne.Size) {
	m, bw := r.m, r.m.buttonWidth()
	w := max(1, s.Width-bw-16)
	h := m.value.HeightFor(w)
	place(m.value, 0, max(0, (s.Height-h)/2), w, h)
	bh := m.button.MinSize().Height
	place(m.button, s.Width-bw, max(0, (s.Height-bh)/2), bw, bh)
}

// SetMasked masks another value.
func (m *Masked) SetMasked(masked string) {
	m.masked = masked
	m.Mask()
}

// Masked returns what shows while the value does not.
func (m *Masked) Masked() string { return m.masked }
