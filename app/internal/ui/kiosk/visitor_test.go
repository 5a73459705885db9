package kiosk_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
)

const (
	address  = "sanne.de-vries@voorbeeld.nl"
	fullName = "Sanne Wilhelmina de Vries"
	phrase   = "Kaas-Fiets-Regen7!Molen"
	number   = "0612345678"
	patience = 2 * time.Minute // for what takes milliseconds on an idle machine
)

// typedCode is how a code to type is written on the screen.
var typedCode = regexp.MustCompile(`^[0-9A-Z]{4}(-[0-9A-Z]{4})+$`)

// A visitor stands before a kiosk and knows nothing of it but what the window
// shows: reads its words, touches where they stand, and types.
type visitor struct {
	test  *testing.T
	home  *home.Home
	win   fyne.Window
	queue chan func()
	p     *i18n.Printer
}

// A turnApp hands what comes from goroutines to the test's own goroutine, as
// a real window hands it to its own.
type turnApp struct {
	fyne.App
	driver turnDriver
}

func (a *turnApp) Driver() fyne.Driver { return a.driver }

type turnDriver struct {
	fyne.Driver
	queue chan func()
}

func (d turnDriver) DoFromGoroutine(f func(), _ bool) { d.queue <- f }

// openVisitor opens a demo home with its service for phones, and a kiosk on it
// in a window of 1920 by 1080.
func openVisitor(t *testing.T) *visitor {
	t.Helper()
	// A slow machine must not see the QR code change in its hands.
	set, err := settings.Load(settings.Sources{Home: t.TempDir(), Demo: true, Flags: map[string]string{"policy.qr_life": "10m"}})
	if err != nil {
		t.Fatal(err)
	}
	h, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Phones: true, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := h.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})

	old := fyne.CurrentApp()
	a := &turnApp{App: test.NewTempApp(t)}
	a.driver = turnDriver{a.App.Driver(), make(chan func(), 4096)}
	fyne.SetCurrentApp(a)
	t.Cleanup(func() { fyne.SetCurrentApp(old) })

	v := &visitor{test: t, home: h, win: test.NewTempWindow(t, nil), queue: a.driver.queue, p: i18n.New(i18n.Dutch)}
	k := kiosk.New(kiosk.Config{
		Desk: h.Desk, Portal: set.Organisation.Portal, PocketName: set.Organisation.PocketName,
		Support: set.Organisation.Support, Domains: []string{home.DemoDomain}, Policy: set.Policy, Keyboard: true,
		IdleWarn: time.Hour, IdleWipe: time.Hour, IdleWipeWaiting: time.Hour, VisitMax: time.Hour, DoneWipe: time.Hour,
	})
	v.win.SetPadded(false)
	v.win.Resize(fyne.NewSize(1920, 1080))
	k.Attach(v.win)
	v.win.Resize(fyne.NewSize(1920, 1080))
	t.Cleanup(func() {
		k.Close()
		v.drain()
	})
	return v
}

// drain runs what has come back from goroutines.
func (v *visitor) drain() {
	for {
		select {
		case f := <-v.queue:
			f()
		default:
			return
		}
	}
}

// until lets the kiosk run until something holds.
func (v *visitor) until(what string, holds func() bool) {
	v.test.Helper()
	end := time.Now().Add(patience)
	for {
		v.drain()
		if holds() {
			return
		}
		if time.Now().After(end) {
			v.test.Fatalf("waited too long for %s; the screen says: %q", what, v.words())
		}
		select {
		case f := <-v.queue:
			f()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// t returns a message as this kiosk words it.
func (v *visitor) t(id string, args ...i18n.Args) string {
	return v.p.T(id, append(args, i18n.Args{"Portal": "Mijn OPO-R", "Pocket": "Pocket"})...)
}

// look calls visit for all that can be seen of an object, with where it is.
func look(o fyne.CanvasObject, at fyne.Position, visit func(fyne.CanvasObject, fyne.Position)) {
	if o == nil || !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	visit(o, at)
	var parts []fyne.CanvasObject
	switch o := o.(type) {
	case fyne.Widget:
		parts = test.WidgetRenderer(o).Objects()
	case *fyne.Container:
		parts = o.Objects
	}
	for _, part := range parts {
		look(part, at, visit)
	}
}

// look calls visit for each text and button of the window with what it says
// and where its middle is.
func (v *visitor) look(visit func(words string, middle fyne.Position)) {
	look(v.win.Content(), fyne.Position{}, func(o fyne.CanvasObject, at fyne.Position) {
		middle := at.AddXY(o.Size().Width/2, o.Size().Height/2)
		switch o := o.(type) {
		case *ui.Text:
			visit(o.String(), middle)
		case *ui.Button:
			visit(o.Text, middle)
		}
	})
}

func (v *visitor) words() []string {
	var all []string
	v.look(func(words string, _ fyne.Position) {
		if words = strings.TrimSpace(words); words != "" {
			all = append(all, words)
		}
	})
	return all
}

func (v *visitor) shows(words string) bool {
	found := false
	v.look(func(w string, _ fyne.Position) { found = found || strings.TrimSpace(w) == words })
	return found
}

// see waits until the screen shows a message.
func (v *visitor) see(id string) {
	v.test.Helper()
	words := v.t(id)
	v.until(words, func() bool { return v.shows(words) })
}

// tap touches where the words stand, once they are there.
func (v *visitor) tap(words string) {
	v.test.Helper()
	v.until(words, func() bool { return v.shows(words) })
	var at fyne.Position
	v.look(func(w string, middle fyne.Position) {
		if strings.TrimSpace(w) == words {
			at = middle
		}
	})
	test.TapCanvas(v.win.Canvas(), at)
}

// types types on the hardware keyboard: into what has the focus, else into
// the window.
func (v *visitor) types(text string) {
	v.test.Helper()
	v.drain()
	for _, r := range text {
		if f := v.win.Canvas().Focused(); f != nil {
			f.TypedRune(r)
		} else {
			v.win.Canvas().OnTypedRune()(r)
		}
	}
}

// enter types Enter.
func (v *visitor) enter() {
	v.test.Helper()
	v.drain()
	e := &fyne.KeyEvent{Name: fyne.KeyReturn}
	if f := v.win.Canvas().Focused(); f != nil {
		f.TypedKey(e)
	} else {
		v.win.Canvas().OnTypedKey()(e)
	}
}

// code waits for the n-th message on the demo's phone and returns its code.
func (v *visitor) code(n int) string {
	v.test.Helper()
	code := ""
	v.until("a message", func() bool {
		items, err := v.home.Outbox.List(n - 1)
		if err != nil {
			v.test.Fatal(err)
		}
		if len(items) > 0 {
			code = items[0].Code
		}
		return len(items) > 0
	})
	return code
}

// toPairing walks from E0 to the QR code of E8.
func (v *visitor) toPairing() {
	v.test.Helper()
	v.tap(v.t("kiosk-sign-up"))
	v.see("kiosk-email-title")
	v.types(address)
	v.enter()
	v.tap(v.t("get-started"))
	v.see("kiosk-code-title")
	v.types(v.code(1))
	v.see("kiosk-name-title")
	v.types(fullName)
	v.enter()
	v.types(phrase)
	v.tap(v.t("next"))
	v.see("kiosk-phone-why")
	v.types(number)
	v.enter()
	v.see("kiosk-sms-title")
	v.types(v.code(2))
	v.see("kiosk-choice-title")
	v.tap(v.t("yes"))
	v.see("kiosk-pair-title")
}
