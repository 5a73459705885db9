package kiosk

import (
	"errors"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// How long the kiosk waits before it tries again by itself: the first time,
// and at most. It doubles in between.
const (
	firstRetry = 2 * time.Second
	longRetry  = 15 * time.Second
)

// faultScreen says that log, vault or service could not be reached: what is
// safe, and that it is tried again. What was typed is kept beneath it. It makes
// the same call again, by itself and when asked to, until the answer is there;
// who waits does not have to do anything, and nothing happens twice.
type faultScreen struct {
	plain

	refusal *desk.Refusal
	call    desk.Call
	again   func() // makes the call
	wait    time.Duration
	next    time.Time // when the kiosk tries by itself
}

// fault covers the screen that asked, until the call has an answer.
func (k *Kiosk) fault(r *desk.Refusal, again func()) {
	if s, tried := k.screen.(*faultScreen); tried {
		s.refusal = r
		s.rest(k, min(2*s.wait, longRetry))
		k.rebuild()
		return
	}
	s := &faultScreen{refusal: r, call: k.calling, again: again}
	s.rest(k, firstRetry)
	k.cover(s)
}

// answered uncovers the screen that asked, when its call has another answer
// than one more fault.
func (k *Kiosk) answered(err error) {
	_, tried := k.screen.(*faultScreen)
	if r, refused := errors.AsType[*desk.Refusal](err); tried && (err == nil || refused && !isFault(r)) {
		k.uncover()
	}
}

func (s *faultScreen) patient() bool { return true }

func (s *faultScreen) rest(k *Kiosk, wait time.Duration) {
	s.wait, s.next = wait, k.c.Now().Add(wait)
}

// tick tries again when it is time.
func (s *faultScreen) tick(k *Kiosk) {
	if !k.busy && !k.c.Now().Before(s.next) {
		s.try(k)
	}
}

// try makes the call again. Terug waits for its answer: what was typed must not
// change under it.
func (s *faultScreen) try(k *Kiosk) {
	k.repeat = s.call
	s.again()
	k.page.Back.SetEnabled(!k.busy)
}

func (s *faultScreen) build(k *Kiosk) fyne.CanvasObject {
	p := ui.Page{
		Heading: k.t("kiosk-fault-title"), Back: k.back(k.uncover),
		Primary: ui.NewNext(k.t("kiosk-try-again"), func() { s.try(k) }),
	}
	p.Back.SetEnabled(!k.busy)
	safe := k.t("kiosk-fault-safe")
	if login := k.rail().steps != nil; login {
		safe = k.t("kiosk-fault-login-safe")
	}
	switch s.refusal.Code { //nolint:exhaustive // the others are Unavailable
	case desk.Busy:
		p.Heading = k.t("kiosk-busy-title")
	case desk.Unsure:
		p.Heading, safe = k.t("kiosk-unsure-title"), k.t("kiosk-unsure-safe")
	}
	content := ui.Column(ui.SizeGap, ui.NewMessage(ui.Failure, k.t("kiosk-stuck-nothing-wrong"), ui.Plain(k.refusal(s.refusal))),
		point(safe), point(k.t("kiosk-fault-kept")))
	if s.refusal.Incident != "" {
		content.Add(note(k.t("kiosk-fault-help", k.names())))
		content.Add(ui.Row(ui.SizeSmallGap, ui.Body(ui.Plain(k.t("kiosk-fault-id"))).OneLine(), ui.Code(s.refusal.Incident), ui.Spring()))
	} else {
		content.Add(note(k.t("kiosk-fault-ask", k.names())))
	}
	p.Content = ui.Limit(960, content)
	p.Step, p.Caption = k.step(), ""
	return k.frame(p)
}
