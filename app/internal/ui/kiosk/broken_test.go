package kiosk

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// A part can be broken and mended while the kiosk runs.
type part struct {
	mu    sync.Mutex
	with  error // nil: it works
	times int   // it was found broken
}

func (p *part) breaks(with error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.with = with
}

func (p *part) mended() { p.breaks(nil) }

func (p *part) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.with != nil {
		p.times++
	}
	return p.with
}

// tried returns how often it was found broken.
func (p *part) tried() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.times
}

// A flakyCourier sends by the real one while mail and SMS work. What has an
// unknown outcome did leave.
type flakyCourier struct {
	desk.Courier
	mail, sms part
}

func (c *flakyCourier) of(channel enrolment.Channel) error {
	if channel == enrolment.BySMS {
		return c.sms.broken()
	}
	return c.mail.broken()
}

func (c *flakyCourier) Deliver(ctx context.Context, m desk.Message) (desk.Receipt, error) {
	err := c.of(m.Channel)
	if err == nil || err == domain.ErrUnknownOutcome { //nolint:errorlint // the tests' own
		r, sent := c.Courier.Deliver(ctx, m)
		if sent == nil {
			sent = err
		}
		return r, sent
	}
	return desk.Receipt{}, err
}

func (c *flakyCourier) Check(ctx context.Context, channel enrolment.Channel) error {
	if err := c.of(channel); err != nil {
		return err
	}
	return c.Courier.Check(ctx, channel)
}

// A flakyLog can neither be read nor written, or not be written only.
type flakyLog struct {
	desk.Log
	all, writing part
}

func (l *flakyLog) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	for _, p := range []*part{&l.all, &l.writing} {
		if err := p.broken(); err != nil {
			return domain.Appended{}, err
		}
	}
	return l.Log.Append(ctx, stream, at, msgs...)
}

func (l *flakyLog) ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error) {
	if err := l.all.broken(); err != nil {
		return nil, err
	}
	return l.Log.ReadStream(ctx, stream, from)
}

// A brittleHall is a kiosk whose desk has parts that can be broken.
type brittleHall struct {
	*hall
	courier *flakyCourier
	log     *flakyLog
}

// openBrittle shows a kiosk on a demo home whose desk has parts that can be
// broken.
func openBrittle(t *testing.T, change func(*desk.Config)) *brittleHall {
	t.Helper()
	c := &clock{}
	h := openHome(t, t.TempDir(), false, c.now)
	config := h.Desk.Config
	b := &brittleHall{courier: &flakyCourier{Courier: config.Courier}, log: &flakyLog{Log: config.Log}}
	config.Courier, config.Log = b.courier, b.log
	if change != nil {
		change(&config)
	}
	d := desk.New(config)
	running, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { d.Run(running); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	broken := *h
	broken.Desk = d
	b.hall = stand(t, &broken, c, fyne.NewSize(1920, 1080), nil)
	return b
}

// begin walks from E0 over E2, wherever that leads.
func (h *hall) begin(address string) {
	h.t.Helper()
	test.Tap(on[*startScreen](h).in)
	on[*emailScreen](h)
	h.typed(address)
	h.next()
	on[*welcomeScreen](h)
	h.next()
}

// toSMS gives a number on E5, wherever that leads.
func (h *hall) toSMS() {
	h.t.Helper()
	h.toPhone()
	h.typed(number)
	h.next()
}

// seen calls visit for all that can be seen of an object.
func seen(o fyne.CanvasObject, visit func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	visit(o)
	var parts []fyne.CanvasObject
	switch o := o.(type) {
	case fyne.Widget:
		parts = test.WidgetRenderer(o).Objects()
	case *fyne.Container:
		parts = o.Objects
	}
	for _, p := range parts {
		seen(p, visit)
	}
}

// words returns all that the screen says.
func (h *hall) words() string {
	var all []string
	seen(h.root, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *ui.Text:
			all = append(all, o.String())
		case *ui.Button:
			all = append(all, o.Text)
		}
	})
	return strings.Join(all, "\n")
}

// says fails the test for each message that the screen does not show.
func (h *hall) says(ids ...string) {
	h.t.Helper()
	words := h.words()
	for _, id := range ids {
		if want := h.worded(id); !strings.Contains(words, want) {
			h.t.Errorf("%T does not say %q but:\n%s", h.screen, want, words)
		}
	}
}

// worded returns a message as the kiosk words it.
func (h *hall) worded(id string) string { return h.Kiosk.t(id, h.names()) }

// touch presses the button or the way on that carries a message.
func (h *hall) touch(id string) {
	h.t.Helper()
	test.Tap(h.find(id))
	h.drain()
}

// wait lets second after second pass until something may be done. A view that
// was on its way when the clock was put forward may make it start again.
func (h *hall) wait(may func() bool) {
	h.t.Helper()
	for range 10 * 60 {
		if may() {
			return
		}
		h.touched()
		h.pass(time.Second)
	}
	h.t.Fatalf("after ten minutes %T still has to wait", h.screen)
}

// find returns the button or the way on that carries a message.
func (h *hall) find(id string) fyne.Tappable {
	h.t.Helper()
	want, found := h.worded(id), fyne.Tappable(nil)
	seen(h.root, func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *ui.Button:
			if o.Text == want && !o.Disabled() {
				found = o
			}
		case *ui.ListButton:
			seen(o, func(part fyne.CanvasObject) {
				if text, ok := part.(*ui.Text); ok && text.String() == want && !o.Disabled() {
					found = o
				}
			})
		}
	})
	if found == nil {
		h.t.Fatalf("%T has no %q to press:\n%s", h.screen, want, h.words())
	}
	return found
}

// wrongCode returns a code that is not the given one.
func wrongCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// stillStuck waits for the page that says that a message did not leave.
func stillStuck(h *hall) *stuckScreen {
	h.t.Helper()
	h.until("it is known that nothing left", func() bool {
		s, ok := h.screen.(*stuckScreen)
		return ok && s.failed && !h.busy
	})
	return h.screen.(*stuckScreen) //nolint:errcheck,forcetypeassert // as waited for
}

// asked takes the way on to a help code and comes back.
func (h *hall) asked() {
	h.t.Helper()
	h.touch("kiosk-stuck-help")
	on[*helpScreen](h)
	if len(h.help) != 5 || !strings.Contains(h.words(), h.help[:2]+" "+h.help[2:]) {
		h.t.Errorf("the help code %q is not shown", h.help)
	}
	h.press(h.page.Back)
	on[*stuckScreen](h)
}

func TestMailThatCannotBeSent(t *testing.T) {
	stranger := func(c *desk.Config) { c.Admission, c.Demo = enrolment.ByRoster, false }
	shown := map[string]string{}
	for _, who := range []struct {
		name   string
		change func(*desk.Config)
	}{{"somebody", nil}, {"a stranger", stranger}} {
		t.Run(who.name, func(t *testing.T) {
			h := openBrittle(t, who.change)
			h.courier.mail.breaks(fmt.Errorf("cannot connect: %w", domain.ErrUnavailable))
			h.begin(email)
			stillStuck(h.hall)
			h.says("kiosk-failed-mail-title", "kiosk-stuck-nothing-wrong", "kiosk-stuck-mail-failed",
				"kiosk-stuck-mail-change", "resend", "kiosk-stuck-help")
			shown[who.name] = h.words()
			h.asked()

			h.touch("kiosk-stuck-mail-change")
			if got := on[*emailScreen](h.hall).field.Text(); got != email {
				t.Errorf("the address to change is %q", got)
			}
			h.next()
			on[*welcomeScreen](h.hall)
			h.next()
			stillStuck(h.hall)

			h.wait(func() bool { return !stillStuck(h.hall).again.Disabled() })
			before := h.courier.mail.tried()
			h.touch("resend")
			h.until("it was tried again", func() bool { return h.courier.mail.tried() == before+2 }) // sending and asking
			h.courier.mail.mended()
			h.wait(func() bool { return !stillStuck(h.hall).again.Disabled() })
			h.touch("resend")
			on[*codeScreen](h.hall)
			if who.change == nil {
				h.typed(h.message(1).Code)
				on[*passwordScreen](h.hall)
			}
		})
	}
	if a, b := shown["somebody"], shown["a stranger"]; a != b {
		t.Errorf("a stranger is told apart:\n%s\n\n%s", a, b)
	}
}

func TestAnSMSThatIsRefused(t *testing.T) {
	h := openBrittle(t, nil)
	h.courier.sms.breaks(&desk.Undeliverable{Reason: enrolment.InvalidRecipient})
	h.toSMS()
	stillStuck(h.hall)
	h.says("kiosk-failed-sms-title", "kiosk-stuck-nothing-wrong", "kiosk-stuck-sms-failed-number",
		"kiosk-stuck-sms-change", "resend", "kiosk-stuck-help")
	if !strings.Contains(h.words(), "+31 6 12345678") {
		t.Error("the number is not shown")
	}
	h.asked()

	h.courier.sms.mended()
	h.touch("kiosk-stuck-sms-change")
	p := on[*phoneScreen](h.hall)
	if p.field.Text() != "06 12 34 56 78" {
		t.Errorf("the number to change is %q", p.field.Text())
	}
	p.field.Input().Clear()
	h.typed("0687654321")
	h.next()
	on[*codeScreen](h.hall)
	h.typed(h.message(2).Code)
	on[*choiceScreen](h.hall)
	if h.view.Phone.E164 != "+31687654321" {
		t.Errorf("verified %s", h.view.Phone.E164)
	}
}

func TestSMSThatCannotBeSent(t *testing.T) {
	h := openBrittle(t, nil)
	h.courier.sms.breaks(fmt.Errorf("cannot connect: %w", domain.ErrUnavailable))
	h.toSMS()
	stillStuck(h.hall)
	h.says("kiosk-failed-sms-title", "kiosk-stuck-sms-failed", "kiosk-stuck-sms-change", "resend", "kiosk-stuck-help")
	h.press(h.page.Back) // the boxes stay within reach
	on[*codeScreen](h.hall)
	h.touch("kiosk-sms-none")
	s := on[*stuckScreen](h.hall)
	h.wait(func() bool { return !s.again.Disabled() })
	h.courier.sms.mended()
	h.touch("resend")
	on[*codeScreen](h.hall)
	h.typed(h.message(2).Code)
	on[*choiceScreen](h.hall)
}

func TestAnSMSThatMayStillArrive(t *testing.T) {
	h := openBrittle(t, nil)
	h.courier.sms.breaks(domain.ErrUnknownOutcome)
	h.toSMS()
	h.until("it is known that nobody knows", func() bool {
		s, ok := h.screen.(*codeScreen)
		return ok && s.state.String() == h.worded("kiosk-sms-uncertain")
	})
	h.typed(h.message(2).Code) // it did arrive
	on[*choiceScreen](h.hall)
}

// In the middle of E4 the log goes away: all of it, or only for who writes.
func TestALogThatIsAway(t *testing.T) {
	for _, which := range []string{"all", "writing"} {
		t.Run(which, func(t *testing.T) {
			h := openBrittle(t, nil)
			s := h.toPassword()
			h.typed(fullName)
			h.key(fyne.KeyReturn)
			h.typed(phrase)
			p := &h.log.all
			if which == "writing" {
				p = &h.log.writing
			}
			p.breaks(fmt.Errorf("locked: %w", domain.ErrUnavailable))
			h.next()
			f := on[*faultScreen](h.hall)
			h.says("kiosk-fault-title", "refusal-unavailable", "kiosk-fault-safe", "kiosk-fault-help")
			if id := f.refusal.Incident; id == "" || !strings.Contains(h.words(), id) {
				t.Errorf("the incident %q is not shown", id)
			}
			if h.page.Step != 2 {
				t.Errorf("the rail shows step %d", h.page.Step)
			}
			incident := f.refusal.Incident
			h.next() // and again
			h.until("another fault", func() bool { return f.refusal.Incident != incident && !h.busy })
			if on[*faultScreen](h.hall) != f {
				t.Error("another screen says so")
			}
			h.press(h.page.Back)
			if h.screen != screen(s) || s.name.Text() != fullName || s.password.Text() != phrase {
				t.Errorf("%T keeps %q", h.screen, s.name.Text())
			}
			h.next()
			on[*faultScreen](h.hall)
			p.mended()
			h.touch("kiosk-try-again")
			on[*phoneScreen](h.hall)
			if h.view.Name != fullName {
				t.Errorf("kept the name %q", h.view.Name)
			}
		})
	}
}

// What is tried again by itself goes on where it stood, once the log is back,
// and nobody has to touch anything.
func TestTheKioskTriesAgainByItself(t *testing.T) {
	h := openBrittle(t, nil)
	h.toSMS()
	on[*codeScreen](h.hall)
	// Sent, and recorded, before the log goes: else it never is.
	code := h.message(2).Code
	h.until("the SMS is sent", func() bool { return h.view.Code.Delivery == desk.Delivered })
	h.log.all.breaks(fmt.Errorf("gone: %w", domain.ErrUnavailable))
	h.typed(code)
	f := on[*faultScreen](h.hall)
	call := f.call
	for _, wait := range []time.Duration{firstRetry, 2 * firstRetry, 4 * firstRetry} {
		tried := h.log.all.tried()
		h.pass(wait - 500*time.Millisecond)
		if h.busy || h.log.all.tried() != tried {
			t.Fatalf("tried again before %s", wait)
		}
		incident := f.refusal.Incident
		h.pass(500 * time.Millisecond)
		h.until("one more fault", func() bool { return f.refusal.Incident != incident && !h.busy })
	}
	h.log.all.mended()
	h.pass(longRetry)
	on[*choiceScreen](h.hall)
	if h.calling != call {
		t.Error("it was another call")
	}
}

// Somebody who waits is forgotten like anybody who does nothing: what the kiosk
// does by itself is no sign of life.
func TestAFaultIsNoSignOfLife(t *testing.T) {
	h := openBrittle(t, nil)
	h.toPassword()
	h.typed(fullName)
	h.key(fyne.KeyReturn)
	h.typed(phrase)
	h.log.all.breaks(fmt.Errorf("gone: %w", domain.ErrUnavailable))
	h.next()
	f := on[*faultScreen](h.hall)
	for range 5 {
		incident := f.refusal.Incident
		h.pass(longRetry)
		h.until("one more fault", func() bool { return f.refusal.Incident != incident && !h.busy })
	}
	if kept := h.under.(*passwordScreen).password.Text(); kept != phrase { //nolint:forcetypeassert // it is
		t.Fatalf("keeps %q", kept)
	}
	h.pass(4 * time.Minute)
	on[*startScreen](h.hall)
}

// A refusal that comes after the fault is shown where it belongs.
func TestARefusalAfterAFault(t *testing.T) {
	h := openBrittle(t, nil)
	s := h.toEmailCode(email)
	h.message(1)
	h.log.all.breaks(fmt.Errorf("gone: %w", domain.ErrUnavailable))
	h.typed("000000")
	on[*faultScreen](h.hall)
	h.log.all.mended()
	h.touch("kiosk-try-again")
	h.until("the code is refused", func() bool { return h.screen == screen(s) && s.refused != nil })
	if s.refused.Code != desk.WrongCode || s.digits.Text() != "" {
		t.Errorf("says %s over %q", s.refused.Code, s.digits.Text())
	}
}

func TestTheStartTellsOfTrouble(t *testing.T) {
	for _, lang := range []string{"nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			away := false
			h := open(t, func(c *Config) { c.Trouble, c.DefaultLanguage = func() bool { return away }, lang })
			for _, away = range []bool{false, true, false} {
				h.pass(time.Second)
				if says := strings.Contains(h.words(), h.worded("kiosk-trouble-title")); says != away {
					t.Errorf("away %t, told %t", away, says)
				}
			}
		})
	}
}

// An unsure desk does not know once whether it saved a name and a password.
type unsure struct {
	Desk
	asked chan struct{}
}

func (u unsure) SetNameAndPassword(ctx context.Context, visit, name, password string) (desk.View, error) {
	select {
	case <-u.asked:
		return desk.View{}, &desk.Refusal{Code: desk.Unsure, Incident: "1f2e3d4c"}
	default:
		return u.Desk.SetNameAndPassword(ctx, visit, name, password)
	}
}

func TestNobodyKnowsWhetherItWasSaved(t *testing.T) {
	for _, lang := range []string{"nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			once := make(chan struct{}, 1)
			once <- struct{}{}
			h := open(t, func(c *Config) { c.Desk, c.DefaultLanguage = unsure{c.Desk, once}, lang })
			s := h.toPassword()
			h.typed(fullName)
			h.key(fyne.KeyReturn)
			h.typed(phrase)
			h.next()
			on[*faultScreen](h)
			h.says("kiosk-unsure-title", "refusal-unsure", "kiosk-unsure-safe")
			if words := h.words(); strings.Contains(words, h.worded("kiosk-fault-safe")) || !strings.Contains(words, "1f2e3d4c") {
				t.Errorf("it says:\n%s", words)
			}
			if s.password.Text() != phrase {
				t.Error("what was typed is not kept")
			}
			h.touch("kiosk-try-again")
			on[*phoneScreen](h)
		})
	}
}
