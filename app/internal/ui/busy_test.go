package ui_test

import (
	"runtime"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
)

// tickers counts the tickers that run.
func tickers() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "ui.(*Ticker).run(")
}

// A room is a window in which one screen takes the place of another.
type room struct {
	*officetest.App

	t      *testing.T
	root   *ui.Root
	others int // tickers that ran before
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{App: officetest.NewApp(t, ui.Options{}), t: t, root: ui.NewRoot(ui.Stack()), others: tickers()}
	w := test.NewTempWindow(t, r.root)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(1000, 700))
	return r
}

// has waits until so many busy buttons move.
func (r *room) has(moving int) {
	r.t.Helper()
	r.Until("as many dots move as are in sight", func() bool { return tickers()-r.others == moving })
}

// beats lets a button move its dots a few times.
func (r *room) beats(b *ui.Button) {
	r.t.Helper()
	from := b.Beat()
	r.Until("its dots move", func() bool { return b.Beat() >= from+3 })
}

func busyButton() *ui.Button {
	b := ui.NewNext("Volgende", nil)
	b.SetBusy(true)
	return b
}

func TestDotsOfReplacedScreensStop(t *testing.T) {
	r := newRoom(t)
	for range 5 {
		r.root.Set(ui.Column(ui.SizeGap, busyButton()))
	}
	last := busyButton()
	card := ui.Column(ui.SizeGap, last)
	r.root.Set(ui.Stack(ui.NewCard(ui.Surface, card)))
	r.has(1)
	r.beats(last)

	card.Objects = []fyne.CanvasObject{ui.Column(ui.SizeGap)} // a part of the screen alone
	card.Refresh()
	r.has(0)
	if !last.Busy() {
		t.Error("the button that went is not busy any more")
	}
}

func TestDotsMoveAgainWhereTheButtonComesBack(t *testing.T) {
	r := newRoom(t)
	b := busyButton()
	screen := ui.Column(ui.SizeGap, b)
	r.root.Set(screen)
	r.beats(b)
	for range 2 {
		r.root.Set(ui.Column(ui.SizeGap))
		r.has(0)
		r.root.Set(screen)
		r.beats(b)
	}

	screen.Hide()
	r.has(0)
	screen.Show()
	screen.Refresh()
	r.beats(b)
	r.has(1)

	b.SetBusy(false)
	r.has(0)
}

func TestDotsMoveInAnOverlay(t *testing.T) {
	r := newRoom(t)
	b := busyButton()
	over := ui.Column(ui.SizeGap, b)
	stack := fyne.CurrentApp().Driver().CanvasForObject(r.root).Overlays()
	stack.Add(over)
	over.Resize(fyne.NewSize(400, 300))
	r.beats(b)
	stack.Remove(over)
	r.has(0)
}
