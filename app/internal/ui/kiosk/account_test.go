package kiosk

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
)

const phrase2 = "Boter-Trein-Storm8?Kade"

// An ownPhone is a paired phone in somebody's hand.
type ownPhone struct {
	t       *testing.T
	home    *home.Home
	phone   *pocket.Phone
	account pairing.Account
	done    atomic.Int32 // pairings that were finished
}

func (p *ownPhone) Watch(ctx context.Context, _ func(DemoMessage)) error {
	<-ctx.Done()
	return nil
}

// Pair has the phone scan, and keeps what the pairing gave it.
func (p *ownPhone) Pair(ctx context.Context, url string) (string, func(context.Context) error, error) {
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
		account, err := phone.Finish(ctx)
		p.phone, p.account = phone, account
		p.done.Add(1)
		return err
	}, nil
}

// Approve has the demo's phone answer.
func (p *ownPhone) Approve(ctx context.Context, digits string) error {
	answer := pairing.Approve
	if digits == "" {
		answer = pairing.Deny
	}
	return p.decide(ctx, answer, digits)
}

// says answers what waits for the phone; digits are what its owner types.
func (p *ownPhone) says(h *hall, answer pairing.Answer, digits string) {
	p.t.Helper()
	p.home = h.home
	if err := p.decide(p.t.Context(), answer, digits); err != nil {
		p.t.Fatal(err)
	}
}

func (p *ownPhone) decide(ctx context.Context, answer pairing.Answer, digits string) error {
	d := p.home.Desk
	ctx, stop := context.WithTimeout(ctx, deadline)
	defer stop()
	asks, err := d.PendingApproval(ctx, pairing.Ask{
		Subject: p.account.Subject, Device: p.account.Device, Thumbprint: p.phone.Thumbprint(), Nonce: d.PhoneNonce(), JTI: "ask",
	})
	if err != nil {
		return err
	}
	if asks == nil {
		return errors.New("the phone is asked nothing")
	}
	_, err = d.DecideApproval(ctx, pairing.Decision{
		Subject: p.account.Subject, Device: p.account.Device, Thumbprint: p.phone.Thumbprint(),
		Challenge: asks.Challenge, Nonce: asks.Nonce, Context: asks.Context(), Answer: answer, Digits: digits, JTI: "decide",
	})
	return err
}

// approves types the digits that the kiosk shows.
func (p *ownPhone) approves(h *hall) {
	p.t.Helper()
	h.until("digits for the phone", func() bool { return h.view.Login.Digits != "" })
	p.says(h, pairing.Approve, h.view.Login.Digits)
}

// messages returns how many messages there are.
func (h *hall) messages() int {
	h.t.Helper()
	items, err := h.home.Outbox.List(0)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(items)
}

// code waits for a message with a code after so many messages.
func (h *hall) code(after int) courier.Item {
	h.t.Helper()
	var found courier.Item
	h.until("a message with a code", func() bool {
		items, err := h.home.Outbox.List(after)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, m := range items {
			if m.Code != "" {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// enrol makes an account with SMS, or with Pocket on a phone, and leaves the
// kiosk on its start.
func (h *hall) enrol(p *ownPhone) {
	h.t.Helper()
	c := h.toChoice()
	if p == nil {
		h.press(c.no)
	} else {
		h.press(c.yes)
		h.pairs(p)
	}
	h.press(on[*doneScreen](h).done)
	on[*startScreen](h)
}

// pairs scans, and types the digits that the phone shows.
func (h *hall) pairs(p *ownPhone) {
	h.t.Helper()
	before := p.done.Load()
	on[*pairScreen](h)
	h.demo.pair()
	h.until("the phone is seen", func() bool { return h.view.Pocket.Stage == enrolment.Claimed && h.demo.digits != "" })
	h.typed(h.demo.digits)
	h.until("the phone is paired", func() bool { return p.done.Load() > before })
}

// toLoginStep types address and password at L1.
func (h *hall) toLoginStep(password string) {
	h.t.Helper()
	test.Tap(on[*startScreen](h).back)
	s := on[*loginScreen](h)
	h.typed(email)
	h.key(fyne.KeyReturn)
	h.typed(password)
	if s.password.Text() != password {
		h.t.Fatalf("the password field holds %d runes", len(s.password.Text()))
	}
	h.key(fyne.KeyReturn)
}

// logsIn goes from the start to A1.
func (h *hall) logsIn(p *ownPhone) {
	h.t.Helper()
	n := h.messages()
	h.toLoginStep(phrase)
	h.proves(p, n)
	on[*accountScreen](h)
}

// proves takes the second step.
func (h *hall) proves(p *ownPhone, n int) {
	h.t.Helper()
	if p == nil {
		on[*codeScreen](h)
		h.typed(h.code(n).Code)
		return
	}
	on[*approvalScreen](h)
	p.approves(h)
}

// wants presses Wijzigen of something, and proves who is there.
func (h *hall) wants(what desk.Change, p *ownPhone, password string) {
	h.t.Helper()
	on[*accountScreen](h)
	n := h.messages()
	h.show(&proveScreen{what: what})
	on[*proveScreen](h)
	h.typed(password)
	h.next()
	h.proves(p, n)
}

// told waits for A1 to tell of a change.
func (h *hall) told(what string) {
	h.t.Helper()
	h.until("A1 tells of "+what, func() bool {
		_, home := h.screen.(*accountScreen)
		return home && !h.busy && h.changed == what
	})
	h.says("kiosk-changed-"+what, "kiosk-changed-"+what+"-text")
}

func TestLoggingInWithSMS(t *testing.T) {
	for _, lang := range []string{"nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			h := open(t, func(c *Config) { c.DefaultLanguage = lang })
			h.enrol(nil)
			n := h.messages()
			h.toLoginStep("Kaas-Fiets-Regen8!Molen")
			s := on[*loginScreen](h)
			h.until("a wrong password is refused", func() bool { return s.refused != nil && !h.busy })
			if s.refused.Code != desk.WrongLogin || s.password.Text() != "" || s.email.Text() != email {
				t.Errorf("L1 shows %+v, %q and a password of %d runes", s.refused, s.email.Text(), len(s.password.Text()))
			}
			h.says("refusal-wrong-login")
			if h.view.Visit != "" || h.messages() != n {
				t.Error("a wrong password begins something")
			}
			h.typed(phrase)
			if s.refused != nil {
				t.Error("what is being typed is still refused")
			}
			h.key(fyne.KeyReturn)
			c := on[*codeScreen](h)
			if h.view.Name != "" || h.view.Phone.E164 != "" {
				t.Error("something of the person shows before the second step")
			}
			code := h.code(n).Code
			h.typed(wrongCode(code))
			h.until("a wrong code is refused", func() bool { return c.refused != nil && !h.busy })
			h.typed(code)
			on[*accountScreen](h)
			if h.view.Name != fullName || h.view.Phone.International != "+31 6 12345678" || h.view.Factor != enrolment.SMS {
				t.Errorf("A1 shows %+v", h.view)
			}
			h.key(fyne.KeyReturn) // of who presses Enter after a code
			on[*accountScreen](h)
			visit := h.view.Visit
			h.next()
			on[*startScreen](h)
			if h.view != (desk.View{}) || h.email != "" || h.changed != "" {
				t.Error("the kiosk remembers who was there")
			}
			h.until("the visit has ended", func() bool {
				_, err := h.c.Desk.View(t.Context(), visit)
				return isRefusal(err, desk.VisitOver)
			})
		})
	}
}

func TestNobodyIsToldWhichIsWrong(t *testing.T) {
	h := open(t, nil)
	test.Tap(on[*startScreen](h).back)
	s := on[*loginScreen](h)
	h.typed("sanne")
	h.key(fyne.KeyReturn)
	if !strings.Contains(s.email.Wrong(), "naam@bedrijf.nl") {
		t.Errorf("L1 says %q of half an address", s.email.Wrong())
	}
	h.typed("@voorbeeld.nl")
	h.key(fyne.KeyReturn)
	h.typed(phrase)
	h.key(fyne.KeyReturn)
	h.until("nobody is refused", func() bool { return s.refused != nil && !h.busy })
	if s.refused.Code != desk.WrongLogin {
		t.Errorf("of nobody L1 says %+v", s.refused)
	}
	h.press(h.page.Back)
	on[*startScreen](h)
}

func TestLoggingInBeforeTheEnrolmentIsDone(t *testing.T) {
	h := open(t, nil)
	h.toPhone()
	h.press(h.page.Stop)
	h.toLoginStep(phrase)
	on[*unfinishedScreen](h)
	h.next()
	on[*welcomeScreen](h)
	h.next()
	on[*codeScreen](h)
	h.typed(h.message(2).Code)
	on[*resumeScreen](h)
}

func TestFromGeluktToLoggingIn(t *testing.T) {
	h := open(t, nil)
	h.press(h.toChoice().no)
	on[*doneScreen](h)
	visit, n := h.view.Visit, h.messages()
	h.next()
	s := on[*loginScreen](h)
	if s.email.Text() != email || h.view.Visit != "" || h.name != "" {
		t.Errorf("L1 holds %q after %+v", s.email.Text(), h.view)
	}
	h.until("the visit of the enrolment has ended", func() bool {
		_, err := h.c.Desk.View(t.Context(), visit)
		return isRefusal(err, desk.VisitOver)
	})
	h.typed(phrase)
	h.key(fyne.KeyReturn)
	h.proves(nil, n)
	on[*accountScreen](h)
}

func TestTheChangesOfWhoUsesSMS(t *testing.T) {
	h := open(t, nil)
	h.enrol(nil)
	h.logsIn(nil)

	h.wants(desk.ChangesName, nil, phrase)
	name := on[*nameScreen](h)
	if !h.page.Primary.Disabled() {
		t.Error("the same name can be saved")
	}
	name.field.SetText("Sanne Jansen")
	h.next()
	h.told("name")
	if h.view.Name != "Sanne Jansen" {
		t.Errorf("A1 shows %q", h.view.Name)
	}

	h.wants(desk.ChangesPhone, nil, phrase)
	number2 := on[*numberScreen](h)
	h.typed(number)
	h.next()
	h.until("the same number is refused", func() bool { return number2.refused != nil && !h.busy })
	if number2.refused.Code != desk.SamePhone {
		t.Errorf("refused: %+v", number2.refused)
	}
	number2.field.Input().Clear()
	h.typed("0687654321")
	n := h.messages()
	h.next()
	c := on[*codeScreen](h)
	if c.ask != newPhoneCode || h.view.Phone.International != "+31 6 12345678" {
		t.Errorf("it asks for %d, and the number is %s", c.ask, h.view.Phone.International)
	}
	sms := h.code(n)
	h.until("it tells who is told", func() bool { return strings.Contains(h.words(), h.worded("kiosk-new-phone-told")) })
	if !strings.HasSuffix(sms.To, "687654321") {
		t.Errorf("the code went to %s", sms.To)
	}
	h.typed(sms.Code)
	h.told("phone")
	if h.view.Phone.International != "+31 6 87654321" {
		t.Errorf("A1 shows %s", h.view.Phone.International)
	}

	h.wants(desk.ChangesPassword, nil, phrase)
	p := on[*newPasswordScreen](h)
	h.typed(phrase)
	h.next()
	h.until("the same password is refused", func() bool { return p.refused != nil && !h.busy })
	if p.refused.Code != desk.SamePassword {
		t.Errorf("refused: %+v", p.refused)
	}
	p.field.Input().Clear()
	h.typed("kaas")
	if !h.page.Primary.Disabled() {
		t.Error("a weak password can be saved")
	}
	p.field.Input().Clear()
	h.typed(phrase2)
	h.next()
	h.told("password")

	h.wants(desk.ChangesLanguage, nil, phrase2)
	on[*languageScreen](h)
	h.touch("kiosk-language-en")
	h.told("language")
	if h.p.Lang() != "en" || h.view.Account.Language != "en" {
		t.Errorf("it speaks %s, and writes %s", h.p.Lang(), h.view.Account.Language)
	}

	h.touch("kiosk-story-title")
	story := on[*storyScreen](h)
	if len(story.entries) < 10 || story.top != 0 || story.newer.Disabled() == false {
		t.Errorf("the story has %d entries", len(story.entries))
	}
	for range story.entries {
		if !story.older.Disabled() {
			h.press(story.older)
		}
	}
	if story.top == 0 || story.newer.Disabled() {
		t.Error("the story has no second page")
	}
	if w := h.words(); strings.ContainsAny(w, "⟦<") {
		t.Errorf("the story says %q", w)
	}
	h.press(h.page.Back)
	on[*accountScreen](h)
	h.press(h.page.Primary)
	on[*startScreen](h)
}

func TestAChangeIsGivenUp(t *testing.T) {
	h := open(t, nil)
	h.enrol(nil)
	h.logsIn(nil)
	h.show(&proveScreen{what: desk.ChangesName})
	s := on[*proveScreen](h)
	h.typed("Kaas-Fiets-Regen8!Molen")
	h.next()
	h.until("a wrong password is refused", func() bool { return s.refused != nil && !h.busy })
	if s.refused.Code != desk.WrongPassword || s.field.Text() != "" {
		t.Errorf("refused: %+v", s.refused)
	}
	n := h.messages()
	h.typed(phrase)
	h.next()
	on[*codeScreen](h)
	code := h.code(n).Code
	h.press(h.page.Back)
	on[*accountScreen](h)
	h.show(&proveScreen{what: desk.ChangesName})
	h.typed(phrase)
	h.next()
	on[*codeScreen](h)
	h.typed(code) // so soon after it the same one counts
	on[*nameScreen](h)
	h.press(h.page.Back)
	on[*accountScreen](h)
	if h.view.Account.Proved != "" {
		t.Errorf("%s may still be changed", h.view.Account.Proved)
	}

	h.touched()
	h.clock.add(time.Minute) // another code may be sent
	h.touched()
	h.wants(desk.ChangesName, nil, phrase)
	name := on[*nameScreen](h)
	h.touched()
	h.clock.add(6 * time.Minute) // longer than the proof counts
	h.touched()
	name.field.SetText("Sanne Jansen")
	h.next()
	account := on[*accountScreen](h)
	if account.refused == nil || account.refused.Code != desk.NotProved || h.view.Name != fullName {
		t.Errorf("A1 shows %+v and %q", account.refused, h.view.Name)
	}
}

func TestToPocketAndBack(t *testing.T) {
	phone := &ownPhone{t: t}
	h := open(t, func(c *Config) { c.Demo = phone })
	h.enrol(nil)
	h.logsIn(nil)

	h.wants(desk.ChangesFactor, nil, phrase)
	h.press(on[*factorScreen](h).pocket)
	on[*pairScreen](h)
	h.press(h.page.Back) // Terug leads back to the two ways, and nothing has changed
	h.press(on[*factorScreen](h).pocket)
	h.pairs(phone)
	h.told("pocket")
	if h.view.Factor != enrolment.Pocket || h.view.Account.Device == "" {
		t.Errorf("A1 shows %+v", h.view)
	}
	h.next()

	h.logsIn(phone)
	h.wants(desk.ChangesFactor, phone, phrase)
	s := on[*factorScreen](h)
	old := phone.account.Device
	h.press(s.pocket) // another phone
	h.pairs(phone)
	h.told("pocket")
	if phone.account.Device == old {
		t.Error("it is still the same phone")
	}

	h.wants(desk.ChangesFactor, phone, phrase)
	h.press(on[*factorScreen](h).sms)
	h.told("sms")
	if h.view.Factor != enrolment.SMS {
		t.Errorf("the factor is %s", h.view.Factor)
	}
	h.next()
	h.logsIn(nil)
}

func TestAnApprovalThatEnds(t *testing.T) {
	phone := &ownPhone{t: t}
	h := open(t, func(c *Config) { c.Demo = phone })
	h.enrol(phone)
	h.toLoginStep(phrase)
	s := on[*approvalScreen](h)
	h.until("digits for the phone", func() bool { return h.view.Login.Digits != "" })
	phone.says(h, pairing.Deny, "")
	h.until("it is over", func() bool { return s.over })
	h.says("kiosk-approve-over-title", "kiosk-approve-denied", "kiosk-approve-denied-text")
	h.touch("kiosk-approve-again")
	h.until("it is asked again", func() bool {
		now, ok := h.screen.(*approvalScreen)
		return ok && !now.over && !h.busy
	})
	h.touched()
	h.pass(2*time.Minute + time.Second)
	h.says("kiosk-approve-expired", "kiosk-approve-expired-text")
	h.touch("kiosk-approve-again")
	h.until("it is asked a third time", func() bool {
		now, ok := h.screen.(*approvalScreen)
		return ok && !now.over && !h.busy
	})
	phone.approves(h)
	on[*accountScreen](h)
}

func TestThisWasNotMe(t *testing.T) {
	phone := &ownPhone{t: t}
	h := open(t, func(c *Config) { c.Demo = phone })
	h.enrol(phone)
	h.toLoginStep(phrase)
	on[*approvalScreen](h)
	h.until("digits for the phone", func() bool { return h.view.Login.Digits != "" })
	phone.says(h, pairing.NotMe, "")
	on[*frozenScreen](h)
	h.says("kiosk-frozen-title", "kiosk-frozen-not-me", "kiosk-frozen-not-me-text")
	h.next()
	h.toLoginStep(phrase)
	on[*frozenScreen](h)
}

// lost goes from the second step of a login to what became of the phone.
func (h *hall) lost() {
	h.t.Helper()
	n := h.messages()
	h.touch("kiosk-no-phone")
	h.until("a code by mail is asked for", func() bool {
		s, ok := h.screen.(*codeScreen)
		return ok && s.ask == recoverMail && !h.busy
	})
	h.typed(h.code(n).Code)
	on[*lossScreen](h)
}

func TestALostPhoneThatIsFound(t *testing.T) {
	h := open(t, nil)
	h.enrol(nil)
	sent := h.messages()
	h.toLoginStep(phrase)
	on[*codeScreen](h)
	h.code(sent)
	h.lost()
	if strings.Contains(h.words(), h.worded("kiosk-loss-new")) {
		t.Error("a new phone is offered to who uses SMS")
	}
	h.touch("kiosk-loss-lost")
	s := on[*freezeScreen](h)
	h.says("kiosk-freeze-means", "kiosk-freeze-means-text")
	h.press(h.page.Back)
	on[*lossScreen](h)
	h.show(s)
	h.next()
	on[*frozenScreen](h)
	if h.view.Account.Case == "" || !strings.Contains(h.words(), h.view.Account.Case) {
		t.Errorf("the case is %q", h.view.Account.Case)
	}
	h.says("kiosk-frozen-lost", "kiosk-frozen-lost-text")
	h.next()

	h.pass(3 * time.Minute)
	h.toLoginStep(phrase)
	on[*frozenScreen](h)
	n := h.messages()
	h.touch("kiosk-found")
	on[*codeScreen](h)
	mail := h.code(n)
	n = h.messages()
	h.typed(mail.Code)
	h.until("the factor is asked for", func() bool {
		c, ok := h.screen.(*codeScreen)
		return ok && c.ask == loginCode && !h.busy
	})
	h.typed(h.code(n).Code)
	on[*accountScreen](h)
}

func TestAStolenPhone(t *testing.T) {
	phone := &ownPhone{t: t}
	h := open(t, func(c *Config) { c.Demo = phone })
	h.enrol(phone)
	h.toLoginStep(phrase)
	on[*approvalScreen](h)
	h.lost()
	h.touch("kiosk-loss-stolen")
	on[*freezeScreen](h)
	h.next()
	on[*frozenScreen](h)
	h.says("kiosk-frozen-stolen", "kiosk-frozen-stolen-text")
	if strings.Contains(h.words(), h.worded("kiosk-found")) {
		t.Error("a stolen phone can be found")
	}
}

func TestAnotherPhoneWithTheSameNumber(t *testing.T) {
	phone := &ownPhone{t: t}
	h := open(t, func(c *Config) { c.Demo = phone })
	h.enrol(phone)
	h.toLoginStep(phrase)
	on[*approvalScreen](h)
	h.lost()
	n := h.messages()
	h.touch("kiosk-loss-new")
	h.until("a code by SMS is asked for", func() bool {
		s, ok := h.screen.(*codeScreen)
		return ok && s.ask == recoverSMS && !h.busy
	})
	h.typed(h.code(n).Code)
	h.told("recovered")
	if h.view.Factor != enrolment.SMS {
		t.Errorf("the factor is %s", h.view.Factor)
	}
}

// Who leaves is forgotten wherever they are.
func TestLeavingMijnGegevens(t *testing.T) {
	h := open(t, nil)
	h.enrol(nil)
	h.logsIn(nil)
	h.wants(desk.ChangesPassword, nil, phrase)
	s := on[*newPasswordScreen](h)
	h.typed(phrase2)
	h.pass(61 * time.Second)
	if h.veil == nil {
		t.Fatal("nobody is asked whether they are still there")
	}
	h.touched()
	h.pass(61 * time.Second)
	h.pass(30 * time.Second)
	start := on[*startScreen](h)
	if s.field.Text() != "" || h.view != (desk.View{}) || h.email != "" || h.changed != "" {
		t.Error("something of the person is still there")
	}
	test.Tap(start.back)
	l := on[*loginScreen](h)
	if l.email.Text() != "" || l.password.Text() != "" || ui.Current().Scale != ui.Normal {
		t.Error("L1 remembers somebody")
	}
}

// In a demo the phone beside the kiosk answers logins, too.
func TestTheDemosPhoneAnswers(t *testing.T) {
	phone := &ownPhone{t: t}
	h := open(t, func(c *Config) { c.Demo = phone })
	phone.home = h.home
	h.enrol(phone)
	h.toLoginStep(phrase)
	on[*approvalScreen](h)
	approve := func() (yes *ui.Button) {
		seen(h.demo.panel, func(o fyne.CanvasObject) {
			if b, ok := o.(*ui.Button); ok && b.Text == h.worded("kiosk-demo-approve") {
				yes = b
			}
		})
		return yes
	}
	h.until("the phone is asked", func() bool { return approve() != nil })
	h.press(approve())
	on[*accountScreen](h)
}

// Another language, larger text, and high contrast keep what was typed at L1.
func TestAnotherLanguageAtL1(t *testing.T) {
	h := open(t, nil)
	test.Tap(on[*startScreen](h).back)
	s := on[*loginScreen](h)
	h.typed(email)
	h.key(fyne.KeyReturn)
	h.typed("Kaas-")
	h.setLanguage("en")
	h.nextScale()
	h.drain()
	h.nextMode()
	h.drain()
	if s.email.Text() != email || s.password.Text() != "Kaas-" || h.page.Heading != "Log in" {
		t.Errorf("kept %q and %q under %q", s.email.Text(), s.password.Text(), h.page.Heading)
	}
	h.options.Scale = ui.Normal
	h.applyOptions()
	h.drain()
	if s.password.Text() != "Kaas-" || s.pages {
		t.Errorf("kept %q", s.password.Text())
	}
}

func TestALoginIsForgottenAfterAWhile(t *testing.T) {
	h := open(t, nil)
	h.enrol(nil)
	h.logsIn(nil)
	for range 15 {
		h.touched()
		h.pass(time.Minute)
	}
	on[*startScreen](h)
	h.says("kiosk-over-login-title", "kiosk-over-login-text")
}

// Log or vault away while somebody logs in or changes something: it is said, and
// the same call goes on once they are back.
func TestALoginAndAChangeWhileTheLogIsAway(t *testing.T) {
	h := openBrittle(t, nil)
	h.press(h.toChoice().no)
	h.press(on[*doneScreen](h.hall).done)
	n := h.messages()
	h.log.all.breaks(fmt.Errorf("locked: %w", domain.ErrUnavailable))
	h.toLoginStep(phrase)
	on[*faultScreen](h.hall)
	h.says("kiosk-fault-title", "refusal-unavailable", "kiosk-fault-login-safe")
	h.log.all.mended()
	h.touch("kiosk-try-again")
	h.proves(nil, n)
	on[*accountScreen](h.hall)

	h.wants(desk.ChangesName, nil, phrase)
	on[*nameScreen](h.hall).field.SetText("Sanne Jansen")
	h.log.writing.breaks(domain.ErrUnknownOutcome)
	h.next()
	on[*faultScreen](h.hall)
	h.log.writing.mended()
	h.touch("kiosk-try-again")
	h.told("name")
	if h.view.Name != "Sanne Jansen" {
		t.Errorf("A1 shows %q", h.view.Name)
	}
}

// Each Wijzigen says of what it is.
func TestMijnGegevensIsReadAloud(t *testing.T) {
	voice := &recorder{}
	h := open(t, func(c *Config) { c.Speech = voice })
	h.enrol(nil)
	h.logsIn(nil)
	h.key(fyne.KeyTab)
	h.readAloud()
	said := voice.said[len(voice.said)-1]
	for _, want := range []string{h.worded("my-details"), h.worded("name") + ": " + h.worded("change")} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in %q", want, said)
		}
	}
	if strings.Contains(said, "12345678") || strings.Contains(said, email) {
		t.Errorf("what everybody around may not hear is in %q", said)
	}
}
