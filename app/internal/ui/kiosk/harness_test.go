package kiosk

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui"
)

const (
	email    = "sanne.de-vries@voorbeeld.nl"
	fullName = "Sanne Wilhelmina de Vries"
	phrase   = "Kaas-Fiets-Regen7!Molen"
	number   = "0612345678"
	deadline = 20 * time.Second
)

// Fyne's test driver runs what comes from goroutines at once, wherever it is
// called. Here it waits until the test lets it run, as on a real window's own
// goroutine, so that nothing races.
type queueApp struct {
	fyne.App
	driver queueDriver
}

func (a *queueApp) Driver() fyne.Driver { return a.driver }

type queueDriver struct {
	fyne.Driver
	queue chan func()
}

func (d queueDriver) DoFromGoroutine(f func(), _ bool) { d.queue <- f }

// newApp makes the program's app one with a queue.
func newApp(tb testing.TB) chan func() {
	tb.Helper()
	old := fyne.CurrentApp()
	a := &queueApp{App: test.NewTempApp(tb)}
	a.driver = queueDriver{a.App.Driver(), make(chan func(), 4096)}
	fyne.SetCurrentApp(a)
	tb.Cleanup(func() { fyne.SetCurrentApp(old) })
	return a.driver.queue
}

// A clock can be put forward.
type clock struct {
	mu   sync.Mutex
	plus time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.plus)
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plus += d
}

// A hall is a kiosk in a window, on an opened demo home.
type hall struct {
	*Kiosk
	t     *testing.T
	home  *home.Home
	id    string // of the station
	w     fyne.Window
	queue chan func()
	clock *clock
}

// openHome opens a demo home that runs until the test ends, with settings as in flags.
func openHome(t *testing.T, dir string, phones bool, now func() time.Time, flags ...string) *home.Home {
	t.Helper()
	from := settings.Sources{Home: dir, Demo: true, Flags: map[string]string{}}
	for _, f := range flags {
		field, value, _ := strings.Cut(f, "=")
		from.Flags[field] = value
	}
	set, err := settings.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	h, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Phones: phones, Log: zap.NewNop(), Now: now})
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
	return h
}

// open shows a kiosk on a demo home.
func open(t *testing.T, change func(*Config)) *hall {
	t.Helper()
	c := &clock{}
	h := openHome(t, t.TempDir(), true, c.now)
	return stand(t, h, c, fyne.NewSize(1920, 1080), change)
}

// stand shows a kiosk on an open home.
func stand(t *testing.T, h *home.Home, c *clock, size fyne.Size, change func(*Config)) *hall {
	t.Helper()
	queue := newApp(t)
	d, id := reach(t, h, c.now)
	config := Config{
		Desk: d, Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", Domains: []string{home.DemoDomain},
		Keyboard: true, Now: c.now,
	}
	if change != nil {
		change(&config)
	}
	k := New(config)
	w := test.NewTempWindow(t, nil)
	w.Resize(size)
	k.Attach(w)
	k.clock.Stop() // tests tell the time
	w.Resize(size)
	out := &hall{Kiosk: k, t: t, home: h, id: id, w: w, queue: queue, clock: c}
	out.drain()
	t.Cleanup(func() {
		k.Close()
		out.drain()
	})
	return out
}

// drain runs what has come back from goroutines.
func (h *hall) drain() {
	for {
		select {
		case f := <-h.queue:
			f()
		default:
			return
		}
	}
}

// until runs what comes back until something holds.
func (h *hall) until(what string, holds func() bool) {
	h.t.Helper()
	end := time.After(deadline)
	for {
		h.drain()
		if holds() {
			return
		}
		select {
		case f := <-h.queue:
			f()
		case <-time.After(10 * time.Millisecond): // what holds may not be on the screen
		case <-end:
			h.t.Fatalf("never: %s (on %T)", what, h.screen)
		}
	}
}

// on waits for a screen and returns it.
func on[S screen](h *hall) S {
	h.t.Helper()
	var s S
	h.until("the next screen", func() bool {
		var ok bool
		s, ok = h.screen.(S)
		return ok && !h.busy
	})
	return s
}

// pass puts the clock forward and lets a second tick.
func (h *hall) pass(d time.Duration) {
	h.clock.add(d)
	h.tick()
	h.drain()
}

// message waits for the n-th message of the outbox.
func (h *hall) message(n int) courier.Item {
	h.t.Helper()
	var items []courier.Item
	end := time.Now().Add(deadline)
	for time.Now().Before(end) {
		var err error
		if items, err = h.home.Outbox.List(n - 1); err != nil {
			h.t.Fatal(err)
		}
		if len(items) > 0 {
			return items[0]
		}
		select {
		case f := <-h.queue:
			f()
		case <-time.After(2 * time.Millisecond):
		}
	}
	h.t.Fatalf("message %d never came", n)
	return courier.Item{}
}

// press touches a button.
func (h *hall) press(b *ui.Button) {
	h.t.Helper()
	if b == nil || b.Disabled() {
		h.t.Fatalf("a button of %T cannot be pressed", h.screen)
	}
	test.Tap(b)
	h.drain()
}

// next presses the primary button.
func (h *hall) next() {
	h.t.Helper()
	h.press(h.page.Primary)
}

// typed types into what has the focus.
func (h *hall) typed(text string) {
	h.t.Helper()
	for _, r := range text {
		switch f := h.w.Canvas().Focused(); {
		case f != nil:
			f.TypedRune(r)
		case h.w.Canvas().OnTypedRune() != nil:
			h.w.Canvas().OnTypedRune()(r)
		}
	}
	h.drain()
}

// key types a key, as Fyne gives it to what has the focus or to the window.
func (h *hall) key(name fyne.KeyName) {
	h.t.Helper()
	e := &fyne.KeyEvent{Name: name}
	switch f := h.w.Canvas().Focused(); {
	case name == fyne.KeyTab:
		h.w.Canvas().FocusNext()
	case f != nil:
		f.TypedKey(e)
	default:
		h.w.Canvas().OnTypedKey()(e)
	}
	h.drain()
}

// toEmailCode walks from E0 to E3.
func (h *hall) toEmailCode(address string) *codeScreen {
	h.t.Helper()
	test.Tap(on[*startScreen](h).in)
	on[*emailScreen](h)
	h.typed(address)
	h.next()
	on[*welcomeScreen](h)
	h.next()
	return on[*codeScreen](h)
}

// toPassword walks on to E4, with the first message of the outbox.
func (h *hall) toPassword() *passwordScreen {
	h.t.Helper()
	h.toEmailCode(email)
	h.typed(h.message(1).Code)
	return on[*passwordScreen](h)
}

// toPhone walks on to E5.
func (h *hall) toPhone() {
	h.t.Helper()
	s := h.toPassword()
	h.typed(fullName)
	if s.pages {
		h.next()
	} else {
		h.key(fyne.KeyReturn)
	}
	h.typed(phrase)
	h.next()
	on[*phoneScreen](h)
}

// toChoice walks to E7 with the first messages of the outbox.
func (h *hall) toChoice() *choiceScreen {
	h.t.Helper()
	h.toPhone()
	h.typed(number)
	h.next()
	on[*codeScreen](h)
	h.typed(h.message(2).Code)
	return on[*choiceScreen](h)
}
