package kiosk

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// A realPhone is the phone in Go, as the demo's panel has it.
type realPhone struct{ t *testing.T }

func (p realPhone) Watch(ctx context.Context, _ func(DemoMessage)) error {
	<-ctx.Done()
	return nil
}

func (p realPhone) Pair(ctx context.Context, url string) (string, func(context.Context) error, error) {
	phone, err := pocket.OpenPhone(filepath.Join(p.t.TempDir(), "key"))
	if err != nil {
		return "", nil, err
	}
	if err := phone.Scan(ctx, url); err != nil {
		return "", nil, err
	}
	return phone.Digits(), func(ctx context.Context) error {
		if err := phone.Wait(ctx); err != nil {
			return err
		}
		_, err := phone.Finish(ctx)
		return err
	}, nil
}

func TestAWholeEnrolmentWithPocket(t *testing.T) {
	for _, lang := range []string{"nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			h := open(t, func(c *Config) {
				c.DefaultLanguage = lang
				c.Demo = realPhone{t}
			})
			h.press(h.toChoice().yes)
			s := on[*pairScreen](h)
			if s.shown != enrolment.Offered || h.view.Pocket.URL == "" {
				t.Fatalf("E8 shows %+v", h.view.Pocket)
			}
			h.typed("123456")
			if s.digits.Text() != "" || s.digits.Wrong() == "" {
				t.Error("digits were taken before a phone was seen")
			}
			h.demo.pair()
			h.until("the phone is seen", func() bool { return s.shown == enrolment.Claimed && h.demo.digits != "" })
			right := h.demo.digits
			wrong := "000000"
			if right == wrong {
				wrong = "000001"
			}
			h.typed(wrong)
			h.until("the wrong digits are refused", func() bool { return s.refused != nil && !h.busy })
			if s.refused.Left != 2 || s.digits.Text() != "" {
				t.Errorf("after wrong digits: %+v, %q", s.refused, s.digits.Text())
			}
			h.typed(right)
			on[*doneScreen](h)
			if h.view.Factor != enrolment.Pocket {
				t.Errorf("the factor is %s", h.view.Factor)
			}
		})
	}
}

func TestTerugFromPairingAndANewQRCode(t *testing.T) {
	h := open(t, nil)
	h.press(h.toChoice().yes)
	s := on[*pairScreen](h)
	was := s.url
	h.pass(2*time.Minute + time.Second)
	h.until("a new QR code", func() bool { return s.url != was && s.url != "" && !h.busy })
	h.press(h.page.Back)
	c := on[*choiceScreen](h)
	h.press(c.no)
	on[*doneScreen](h)
}

func TestResumingAndAForgottenPassword(t *testing.T) {
	h := open(t, nil)
	h.toPhone()
	h.press(h.page.Stop)
	on[*startScreen](h)
	if h.view.Visit != "" || h.email != "" || h.name != "" {
		t.Error("the kiosk remembers who was there")
	}
	h.toEmailCode(email)
	h.typed(h.message(2).Code)
	s := on[*resumeScreen](h)
	if h.view.Name != "" {
		t.Error("a name shows before the password is typed")
	}
	h.typed("Kaas-Fiets-Regen8!Molen")
	h.next()
	h.until("the wrong password is refused", func() bool { return s.refused != nil && !h.busy })
	if s.refused.Code != desk.WrongPassword || s.field.Text() != "" {
		t.Errorf("got %+v, the field holds %d runes", s.refused, len(s.field.Text()))
	}
	h.typed(phrase)
	h.next()
	on[*phoneScreen](h)
	if h.view.Name != fullName {
		t.Errorf("E5 greets %q", h.view.Name)
	}
	h.press(h.page.Stop)

	h.toEmailCode(email)
	h.typed(h.message(3).Code)
	on[*resumeScreen](h)
	h.show(&restartScreen{})
	h.next()
	on[*passwordScreen](h)
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	h := open(t, nil)
	test.Tap(on[*startScreen](h).in)
	e := on[*emailScreen](h)
	h.typed("sanne")
	h.next()
	if !strings.Contains(e.field.Wrong(), "naam@bedrijf.nl") {
		t.Errorf("E1 says %q", e.field.Wrong())
	}
	h.typed("@vorbeeld.nl")
	h.next()
	if e.suggestion != "sanne@voorbeeld.nl" {
		t.Errorf("E1 suggests %q", e.suggestion)
	}
	h.wipe(stopped)

	c := h.toEmailCode(email)
	code := h.message(1).Code
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	for left := 4; left >= 3; left-- {
		h.typed(wrong)
		h.until("the wrong code is refused", func() bool { return c.refused != nil && c.refused.Left == left && !h.busy })
		if c.digits.Text() != "" || h.w.Canvas().Focused() != fyne.Focusable(c.digits) {
			t.Error("the boxes are not ready for another try")
		}
	}
	if !strings.Contains(c.digits.Wrong(), "nog 3 keer") {
		t.Errorf("E3 says %q", c.digits.Wrong())
	}
	h.typed(code)
	p := on[*passwordScreen](h)
	h.typed(fullName)
	h.key(fyne.KeyReturn)
	h.typed("kaas")
	if !h.page.Primary.Disabled() {
		t.Error("a weak password can be sent")
	}
	h.key(fyne.KeyReturn)
	if h.busy || h.screen != screen(p) {
		t.Error("a weak password was sent")
	}
	p.password.Input().Clear()
	h.typed(phrase)
	h.next()
	f := on[*phoneScreen](h)
	for _, c := range []struct{ typed, says string }{
		{"06123", "bestaat niet"}, {"0201234567", "mobiel nummer"}, {"+33612345678", "dit land"},
	} {
		f.field.Input().Clear()
		h.typed(c.typed)
		h.next()
		h.until("a number is refused", func() bool { return f.refused != nil && !h.busy })
		if !strings.Contains(f.field.Wrong(), c.says) {
			t.Errorf("%s: E5 says %q", c.typed, f.field.Wrong())
		}
	}
	f.field.Input().Clear()
	h.typed(number)
	if f.field.Text() != "06 12 34 56 78" {
		t.Errorf("the number is shown as %q", f.field.Text())
	}
}

func TestAnotherLanguageLosesNothing(t *testing.T) {
	h := open(t, nil)
	s := h.toPassword()
	h.typed("Sanne")
	h.key(fyne.KeyReturn)
	h.typed("Kaas-")
	s.password.SetRevealed(true)
	h.setLanguage("en")
	h.nextScale()
	h.drain()
	h.options.Scale = ui.Normal
	h.applyOptions()
	h.drain()
	if s.name.Text() != "Sanne" || s.password.Text() != "Kaas-" || !s.password.Revealed() {
		t.Errorf("kept %q and %q", s.name.Text(), s.password.Text())
	}
	if h.w.Canvas().Focused() != fyne.Focusable(s.password.Input()) {
		t.Errorf("%T has the focus", h.w.Canvas().Focused())
	}
	if h.page.Heading != "Your name and your password" {
		t.Errorf("the heading is %q", h.page.Heading)
	}
	s.name.SetText(fullName)
	s.password.SetText(phrase)
	h.next()
	on[*phoneScreen](h)
	h.typed(number)
	h.next()
	c := on[*codeScreen](h)
	h.typed("123")
	h.setLanguage("nl")
	if c.digits.Text() != "123" || h.w.Canvas().Focused() != fyne.Focusable(c.digits) {
		t.Errorf("kept %q, %T has the focus", c.digits.Text(), h.w.Canvas().Focused())
	}
	if m := h.message(2); !strings.Contains(m.Text, "your code") {
		t.Error("the SMS is not in the language of the screen")
	}
}

func TestTheWipeClearsEverything(t *testing.T) {
	h := open(t, nil)
	s := h.toPassword()
	h.typed(fullName)
	h.key(fyne.KeyReturn)
	h.typed(phrase)
	h.setLanguage("en")
	h.nextMode()
	h.drain()
	fyne.CurrentApp().Clipboard().SetContent(phrase)
	visit := h.view.Visit

	h.pass(61 * time.Second)
	if h.veil == nil {
		t.Fatal("nobody is asked whether they are still there")
	}
	h.touched()
	if h.veil != nil {
		t.Fatal("a sign of life does not take the veil away")
	}
	h.pass(61 * time.Second)
	h.pass(30 * time.Second)
	start := on[*startScreen](h)
	if h.veil != nil || h.w.Canvas().Overlays().Top() != nil {
		t.Error("the veil is still there")
	}
	if s.name.Text() != "" || s.password.Text() != "" || h.name != "" || h.email != "" || h.view != (desk.View{}) {
		t.Error("something of the person is still there")
	}
	if fyne.CurrentApp().Clipboard().Content() != "" {
		t.Error("the clipboard still holds something")
	}
	if h.p.Lang() != "nl" || ui.Current().Mode != ui.Light || ui.Current().Scale != ui.Normal {
		t.Error("language, size or contrast are still the person's")
	}
	h.until("the visit has ended", func() bool {
		_, err := h.c.Desk.View(t.Context(), visit)
		return isRefusal(err, desk.VisitOver)
	})
	test.Tap(start.in)
	e := on[*emailScreen](h)
	e.field.Input().TypedShortcut(&fyne.ShortcutUndo{})
	s.password.Input().TypedShortcut(&fyne.ShortcutUndo{})
	if e.field.Text() != "" || s.password.Text() != "" {
		t.Error("undo brings something back")
	}
}

func TestWhoWaitsForACodeHasLonger(t *testing.T) {
	h := open(t, nil)
	h.toEmailCode(email)
	h.pass(4 * time.Minute)
	if _, code := h.screen.(*codeScreen); !code || h.veil != nil {
		t.Fatalf("after four minutes it shows %T", h.screen)
	}
	h.pass(31 * time.Second)
	if h.veil == nil {
		t.Error("nobody is asked")
	}
	h.pass(30 * time.Second)
	on[*startScreen](h)
}

func TestAVisitEnds(t *testing.T) {
	h := open(t, nil)
	h.toEmailCode(email)
	for range 15 {
		h.touched()
		h.pass(time.Minute)
	}
	on[*startScreen](h)
	h.says("kiosk-over-title", "kiosk-over-text")
	h.pass(46 * time.Second)
	if strings.Contains(h.words(), h.worded("kiosk-over-title")) {
		t.Error("the next person is told, too")
	}
}

// Desk forgot the visit, as one does that was started anew. Whoever stands there
// is told, in their language, and goes on where they were.
func TestAVisitThatDeskHasForgotten(t *testing.T) {
	h := open(t, nil)
	h.toPassword()
	h.setLanguage("en")
	if err := h.c.Desk.End(t.Context(), h.view.Visit, station.Stopped); err != nil {
		t.Fatal(err)
	}
	start := on[*startScreen](h)
	if h.p.Lang() != "en" || h.view != (desk.View{}) || h.email != "" {
		t.Error("it told in another language, or something of the visit is still there")
	}
	h.says("kiosk-over-title", "kiosk-over-text")
	test.Tap(start.in)
	on[*emailScreen](h)
}

func TestTheLastScreenEmptiesItself(t *testing.T) {
	h := open(t, nil)
	h.press(h.toChoice().no)
	s := on[*doneScreen](h)
	h.pass(50 * time.Second)
	s.until = h.clock.now().Add(h.c.DoneWipe) // more time
	h.pass(50 * time.Second)
	if _, ok := h.screen.(*doneScreen); !ok {
		t.Fatal("more time was not given")
	}
	h.pass(11 * time.Second)
	on[*startScreen](h)
	h.until("the end is recorded", func() bool {
		events, err := h.home.Log.ReadStream(t.Context(), station.Stream(h.id), 0)
		if err != nil {
			t.Fatal(err)
		}
		last := events[len(events)-1]
		return last.Type == "StationWiped" && strings.Contains(string(last.Data), "finished")
	})
}

func TestTheStaffExit(t *testing.T) {
	left := 0
	h := open(t, func(c *Config) {
		c.StaffPIN = func(pin string) bool { return pin == "2468" }
		c.OnExit = func() { left++ }
	})
	test.Tap(on[*startScreen](h).in)
	e := on[*emailScreen](h)
	h.typed("sanne")
	e.field.Input().TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl | fyne.KeyModifierAlt})
	on[*staffScreen](h)
	h.press(h.page.Back)
	if h.screen != screen(e) || e.field.Text() != "sanne" {
		t.Error("the staff exit lost what was typed")
	}
	h.askPIN()
	s := on[*staffScreen](h)
	for range pinTries {
		h.typed("1111")
		h.key(fyne.KeyReturn)
		if s.field.Wrong() == "" {
			t.Fatal("a wrong PIN is not refused")
		}
	}
	h.typed("2468")
	h.key(fyne.KeyReturn)
	if left != 0 {
		t.Fatal("there is no wait after five wrong ones")
	}
	for range 3 {
		h.touched()
		h.pass(pinWait / 2)
	}
	s.field.Input().Clear()
	h.typed("2468")
	h.key(fyne.KeyReturn)
	h.until("the kiosk is left", func() bool { return left == 1 })
	on[*startScreen](h)
}

func TestAKeyboardIsEnough(t *testing.T) {
	h := open(t, func(c *Config) { c.Keyboard = false })
	on[*startScreen](h)
	h.key(fyne.KeyTab)
	for range 10 {
		if _, tile := h.w.Canvas().Focused().(*ui.Tile); tile {
			break
		}
		h.key(fyne.KeyTab)
	}
	h.key(fyne.KeyReturn)
	on[*emailScreen](h)
	h.typed(email)
	h.key(fyne.KeyReturn)
	on[*welcomeScreen](h)
	h.key(fyne.KeyEscape)
	e := on[*emailScreen](h)
	if e.field.Text() != email {
		t.Errorf("Escape lost the address: %q", e.field.Text())
	}
	h.key(fyne.KeyReturn)
	on[*welcomeScreen](h)
	h.key(fyne.KeyReturn)
	c := on[*codeScreen](h)
	code := h.message(1).Code
	h.key(fyne.KeyTab) // digits go to the boxes whatever has the focus
	h.typed(code[:3])
	h.w.Canvas().Unfocus()
	h.typed(code[3:])
	_ = c
	on[*passwordScreen](h)
	h.typed(fullName)
	h.key(fyne.KeyTab)
	h.typed(phrase)
	h.key(fyne.KeyReturn)
	on[*phoneScreen](h)
	h.typed(number)
	h.key(fyne.KeyReturn)
	on[*codeScreen](h)
	h.typed(h.message(2).Code)
	s := on[*choiceScreen](h)
	h.focus(s.no)
	h.key(fyne.KeySpace)
	on[*doneScreen](h)
	h.key(fyne.KeyReturn)
	on[*startScreen](h)
}

func TestDoubleTapsDoNothing(t *testing.T) {
	h := open(t, nil)
	s := h.toChoice()
	test.Tap(s.no)
	test.Tap(s.no)
	test.Tap(s.yes)
	on[*doneScreen](h)
}

// A slow desk begins a visit only when it is let, whoever waits for it.
type slow struct {
	Desk
	gate  chan struct{}
	begun chan desk.View
}

func (s slow) Begin(ctx context.Context, email, lang string) (desk.View, error) {
	<-s.gate
	v, err := s.Desk.Begin(context.WithoutCancel(ctx), email, lang)
	s.begun <- v
	return v, err
}

// What comes back for somebody who has left is nobody's.
func TestLateAnswersAreDropped(t *testing.T) {
	var d slow
	h := open(t, func(c *Config) {
		d = slow{c.Desk, make(chan struct{}), make(chan desk.View, 2)}
		c.Desk = d
	})
	test.Tap(on[*startScreen](h).in)
	on[*emailScreen](h)
	h.typed(email)
	h.next()
	on[*welcomeScreen](h)
	h.next() // Begin is under way
	h.wipe(stopped)
	close(d.gate)
	late := <-d.begun
	h.until("the late visit has ended", func() bool {
		_, err := h.c.Desk.View(t.Context(), late.Visit)
		return isRefusal(err, desk.VisitOver)
	})
	if _, start := h.screen.(*startScreen); !start || h.view.Visit != "" || h.busy {
		t.Errorf("a late answer leads to %T", h.screen)
	}
	h.toEmailCode("jan@voorbeeld.nl")
	if h.view.Email != "jan@voorbeeld.nl" {
		t.Errorf("E3 shows %s", h.view.Email)
	}
}
