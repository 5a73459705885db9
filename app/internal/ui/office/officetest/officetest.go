// Package officetest is what the tests of the windows of staff share: an app whose own
// goroutine is the test's, what is in sight of a window and whether it has its place
// there, and somebody who is enrolled and signs in with the keyboard.
//
// It is for tests alone.
package officetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

// patience is how long a test waits for something that has to come.
const patience = 20 * time.Second

// An App is Fyne's test app, in which what comes back from goroutines waits until the test
// lets it run, as on a real window's own goroutine.
type App struct {
	fyne.App

	t      *testing.T
	driver driver
}

type driver struct {
	fyne.Driver
	queue chan func()
}

// DoFromGoroutine is called by Fyne.
func (d driver) DoFromGoroutine(f func(), _ bool) { d.queue <- f }

// Driver is called by Fyne.
func (a *App) Driver() fyne.Driver { return a.driver }

// NewApp makes the app that is current until the test ends, in a look.
func NewApp(t *testing.T, o ui.Options) *App {
	t.Helper()
	old := fyne.CurrentApp()
	a := &App{App: test.NewTempApp(t), t: t}
	a.driver = driver{a.App.Driver(), make(chan func(), 4096)}
	fyne.SetCurrentApp(a)
	t.Cleanup(func() { fyne.SetCurrentApp(old) })
	o.Class = ui.Desktop
	a.Settings().SetTheme(ui.NewTheme(o))
	return a
}

// Until runs what comes back until something holds.
func (a *App) Until(what string, holds func() bool) {
	a.t.Helper()
	for end := time.After(patience); !holds(); {
		select {
		case f := <-a.driver.queue:
			f()
		case <-time.After(5 * time.Millisecond):
		case <-end:
			a.t.Fatalf("never: %s; in sight are %q", what, a.seen())
		}
	}
}

// seen is what is in sight, and where, for whoever wonders why a test waits in vain.
func (a *App) seen() (all []string) {
	for _, w := range a.driver.AllWindows() {
		if w.Content() == nil { // Fyne's own
			continue
		}
		for _, s := range InSight(w) {
			all = append(all, fmt.Sprintf("%s @%.0f,%.0f", s.Text.Text, s.At.X, s.At.Y))
		}
	}
	return all
}

// Settle runs what comes back until nothing has for a while. What moves on the screen
// comes back for ever: a second of that is enough.
func (a *App) Settle() {
	for end := time.After(time.Second); ; {
		select {
		case f := <-a.driver.queue:
			f()
		case <-time.After(30 * time.Millisecond):
			return
		}
		select {
		case <-end:
			return
		default:
		}
	}
}

// --- what is in sight

// A Seen is words in sight, and where they are.
type Seen struct {
	*canvas.Text

	At fyne.Position
}

// InSight are the words in sight of a window, from the renderers that draw them.
func InSight(w fyne.Window) []Seen {
	s := w.Canvas().Size()
	return inSight(w.Content(), fyne.Position{}, fyne.Position{}, fyne.NewPos(s.Width, s.Height))
}

func inSight(o fyne.CanvasObject, at, from, to fyne.Position) []Seen {
	if !o.Visible() {
		return nil
	}
	at = at.Add(o.Position())
	end := at.Add(o.Size())
	if text, ok := o.(*canvas.Text); ok {
		if text.Text != "" && end.Y > from.Y && at.Y < to.Y && end.X > from.X && at.X < to.X {
			return []Seen{{text, at}}
		}
		return nil
	}
	if _, clips := o.(*container.Clip); clips {
		from = fyne.NewPos(max(from.X, at.X), max(from.Y, at.Y))
		to = fyne.NewPos(min(to.X, end.X), min(to.Y, end.Y))
	}
	var all []Seen
	for _, p := range parts(o) {
		all = append(all, inSight(p, at, from, to)...)
	}
	return all
}

// parts are what an object is made of.
func parts(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case fyne.Widget:
		return test.WidgetRenderer(o).Objects()
	}
	return nil
}

// Texts are the words in sight, a stretch of one weight a line.
func Texts(w fyne.Window) []string {
	var all []string
	for _, t := range InSight(w) {
		all = append(all, t.Text.Text)
	}
	return all
}

// Says tells whether words are in sight, be it over several lines.
func Says(w fyne.Window, words string) bool {
	return strings.Contains(strings.Join(Texts(w), " "), words)
}

// Fits fails the test where words in sight reach over the right margin of a window, or
// left of left, or are wider than their place.
func Fits(t *testing.T, w fyne.Window, left float32) {
	t.Helper()
	for _, c := range InSight(w) {
		words := c.Text.Text
		if right := c.At.X + c.Size().Width; c.At.X < left || right > w.Canvas().Size().Width-31 {
			t.Errorf("%q is from %v to %v", words, c.At.X, right)
		}
		if c.MinSize().Width > c.Size().Width+1.5 {
			t.Errorf("%q is %v wide, and has %v", words, c.MinSize().Width, c.Size().Width)
		}
	}
}

// Under fails the test where something that does not scroll reaches under a window.
func Under(t *testing.T, w fyne.Window) {
	t.Helper()
	under(t, w.Content(), 0, w.Canvas().Size().Height-7)
}

func under(t *testing.T, o fyne.CanvasObject, y, most float32) {
	t.Helper()
	y += o.Position().Y
	if text, ok := o.(*canvas.Text); ok && text.Visible() && text.Text != "" && y+text.Size().Height > most {
		t.Errorf("%q reaches down to %v", text.Text, y+text.Size().Height)
	}
	if _, clips := o.(*container.Clip); clips {
		return
	}
	for _, p := range parts(o) {
		if p.Visible() {
			under(t, p, y, most)
		}
	}
}

// Overlaps fails the test where two lines of words in sight lie over each other.
func Overlaps(t *testing.T, w fyne.Window) {
	t.Helper()
	all := InSight(w)
	for i, a := range all {
		for _, b := range all[:i] {
			if a.At.X < b.At.X+b.Size().Width-1 && b.At.X < a.At.X+a.Size().Width-1 &&
				a.At.Y < b.At.Y+b.Size().Height*0.6 && b.At.Y < a.At.Y+a.Size().Height*0.6 {
				t.Errorf("%q lies over %q, at %v and %v", a.Text.Text, b.Text.Text, a.At, b.At)
			}
		}
	}
}

// Still fails the test where anything moves when its container is laid out anew, as Fyne
// does by itself where parts have grown.
func Still(t *testing.T, w fyne.Window) {
	t.Helper()
	before := InSight(w)
	eachContainer(w.Content(), func(c *fyne.Container) {
		if c.Layout != nil {
			c.Layout.Layout(c.Objects, c.Size())
		}
	})
	after := InSight(w)
	if len(before) != len(after) {
		t.Fatalf("there were %d words, and now there are %d", len(before), len(after))
	}
	for i := range before {
		if before[i].At != after[i].At {
			t.Errorf("%q moved from %v to %v", before[i].Text.Text, before[i].At, after[i].At)
		}
	}
}

func eachContainer(o fyne.CanvasObject, do func(*fyne.Container)) {
	if c, ok := o.(*fyne.Container); ok {
		do(c)
	}
	for _, p := range parts(o) {
		eachContainer(p, do)
	}
}

// --- somebody at the keyboard

// Type types words into whatever has the focus.
func Type(w fyne.Window, words string) {
	for _, r := range words {
		if f := w.Canvas().Focused(); f != nil {
			f.TypedRune(r)
		}
	}
}

// Press presses keys: whatever has the focus takes them, or the window.
func Press(w fyne.Window, names ...fyne.KeyName) {
	for _, n := range names {
		e := &fyne.KeyEvent{Name: n}
		switch f := w.Canvas().Focused(); {
		case n == fyne.KeyTab:
			w.Canvas().FocusNext()
		case f != nil:
			f.TypedKey(e)
		default:
			w.Canvas().OnTypedKey()(e)
		}
	}
}

// SignIn signs in at a window of staff with the keyboard: address and password, and the
// code of the SMS, which code waits for. in says that somebody is signed in.
func (a *App) SignIn(w fyne.Window, address, password string, code func() string, in func() bool) {
	a.t.Helper()
	form := w.Canvas().Focused()
	Type(w, address)
	Press(w, fyne.KeyReturn)
	Type(w, password)
	Press(w, fyne.KeyReturn)
	a.Until("a code is asked for", func() bool { f := w.Canvas().Focused(); return f != nil && f != form && isDigits(f) })
	Type(w, code())
	a.Until("somebody is signed in", in)
}

func isDigits(f fyne.Focusable) bool { _, ok := f.(*ui.Digits); return ok }

// Enrol enrols somebody with SMS, and gives them roles. code waits for the next code.
func Enrol(t *testing.T, d *desk.Desk, code func() string, address, name, password, phone string, roles ...domain.Role) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	v, err := d.Begin(ctx, address, "nl")
	if err == nil {
		v, err = d.ConfirmEmail(ctx, v.Visit, code())
	}
	if err == nil {
		v, err = d.SetNameAndPassword(ctx, v.Visit, name, password)
	}
	if err == nil {
		v, err = d.GivePhone(ctx, v.Visit, phone)
	}
	if err == nil {
		v, err = d.ConfirmPhone(ctx, v.Visit, code())
	}
	if err == nil {
		v, err = d.ChooseSMS(ctx, v.Visit)
	}
	if err == nil {
		err = d.End(ctx, v.Visit, station.Finished)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Subject(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range roles {
		if err := d.Grant(ctx, desk.Console(), s, r); err != nil {
			t.Fatal(err)
		}
	}
}
