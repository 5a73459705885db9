package kiosk

import (
	"context"
	"errors"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// A screen is one of E0 to E9, L1, A1 and A2, or of what can go wrong. It makes
// its widgets anew at each build, in the language and class in force, and takes
// over what was typed into those of the build before.
type screen interface {
	build(k *Kiosk) fyne.CanvasObject
	first() fyne.Focusable // what has the focus first; nil for nothing
	update(k *Kiosk)       // the view has changed
	tick(k *Kiosk)         // a second has passed
	wipe()                 // forget what was typed
	patient() bool         // people wait here for a code or a phone
}

// plain is a screen without anything of its own.
type plain struct{}

func (plain) first() fyne.Focusable { return nil }
func (plain) update(*Kiosk)         {}
func (plain) tick(*Kiosk)           {}
func (plain) wipe()                 {}
func (plain) patient() bool         { return false }

// Why a turn ends.
const (
	stopped  = station.Stopped
	finished = station.Finished
	idle     = station.Idle
	tooLong  = station.TooLong
)

// show goes to a screen and forgets what was typed on the one before.
func (k *Kiosk) show(s screen) {
	if k.strays(s) {
		k.wipe(k.why(stopped))
		return
	}
	if k.screen != nil && k.screen != s {
		k.screen.wipe()
	}
	if k.under != nil && k.under != s {
		k.under.wipe()
	}
	k.screen, k.under = s, nil
	k.enter()
}

// cover shows a screen over the present one, which keeps what was typed.
func (k *Kiosk) cover(s screen) {
	if k.under == nil {
		k.under = k.screen
	} else {
		k.screen.wipe()
	}
	k.screen = s
	k.enter()
}

// uncover goes back to what cover covered.
func (k *Kiosk) uncover() {
	if k.under == nil {
		return
	}
	k.screen.wipe()
	k.screen, k.under = k.under, nil
	k.enter()
}

func (k *Kiosk) enter() {
	if k.c.Speech != nil {
		k.c.Speech.Stop()
	}
	if k.win == nil {
		return
	}
	k.build()
	k.focus(k.screen.first())
}

func (k *Kiosk) build() {
	k.page, k.shell = ui.Page{}, nil
	k.builtIn = ui.Current()
	k.root.Set(k.screen.build(k))
	if k.demo != nil {
		k.demo.follow()
	}
}

// rebuild makes the present screen anew, with what was typed and the focus.
func (k *Kiosk) rebuild() {
	if !ui.Refocus(k.win.Canvas(), k.build) {
		k.focus(k.screen.first())
	}
}

func (k *Kiosk) focus(f fyne.Focusable) {
	if f == nil {
		k.win.Canvas().Unfocus()
		return
	}
	k.win.Canvas().Focus(f)
}

// work runs something that may take long, one thing at a time: while it runs,
// further taps do nothing and the button shows that something happens. What
// comes of it after the turn has ended is dropped.
func work[T any](k *Kiosk, on *ui.Button, do func(context.Context) (T, error), then func(T, error)) {
	if k.busy {
		return
	}
	turn := k.turn
	k.calls++
	k.setBusy(true, on)
	ui.Work(k.nextCall(), do, func(v T, err error) {
		if k.turn != turn {
			return
		}
		k.setBusy(false, on)
		k.answered(err)
		then(v, err)
	})
}

// nextCall returns the context of a call: of the one that is made again, or of
// a new one.
func (k *Kiosk) nextCall() context.Context {
	k.calling, k.repeat = k.repeat, desk.Call{}
	if k.calling == (desk.Call{}) {
		k.calling = desk.NewCall()
	}
	return desk.WithCall(k.ctx, k.calling)
}

func (k *Kiosk) setBusy(busy bool, on *ui.Button) {
	if on == nil {
		on = k.page.Primary
	}
	if !busy && k.busyOn != nil {
		k.busyOn.SetBusy(false)
	}
	k.busy, k.busyOn = busy, nil
	if busy && on != nil {
		k.busyOn = on
		on.SetBusy(true)
	}
}

// call runs a use case of the visit and goes where its view leads. A refusal
// that is about the input goes to refused; the others have screens. again is
// what "try again" does when log or vault could not be reached.
func (k *Kiosk) call(on *ui.Button, do func(ctx context.Context, visit string) (desk.View, error), refused func(*desk.Refusal), again func()) {
	k.change("", on, do, refused, again)
}

// change is call for what changes something under Mijn gegevens, which A1 then
// tells: told is the end of an id.
func (k *Kiosk) change(told string, on *ui.Button, do func(ctx context.Context, visit string) (desk.View, error), refused func(*desk.Refusal), again func()) {
	visit := k.view.Visit
	work(k, on, func(ctx context.Context) (desk.View, error) { return do(ctx, visit) }, func(v desk.View, err error) {
		if err == nil {
			if k.changed = told; told == "language" {
				k.p = i18n.New(v.Lang) // whoever asks for a language reads it
			}
			k.took(v)
			return
		}
		if errors.Is(err, context.Canceled) {
			return
		}
		was := k.view.Screen
		k.heed(v, err)
		if r, ok := errors.AsType[*desk.Refusal](err); ok && was != desk.ScreenFrozen && k.view.Screen == desk.ScreenFrozen {
			k.show(&frozenScreen{refused: r}) // what asked is not there any more
			return
		}
		k.answer(err, refused, again)
	})
}

// heed notes what came with a refusal. What comes with a fault says nothing:
// whoever could not be read looks like somebody who has only begun.
func (k *Kiosk) heed(v desk.View, err error) {
	r, ok := errors.AsType[*desk.Refusal](err)
	if v.Visit != "" && v.Screen != "" && (!ok || !isFault(r)) {
		k.see(v)
	}
}

// isFault says that a refusal is about Keydesk, not about the person.
func isFault(r *desk.Refusal) bool {
	return r.Code == desk.Unavailable || r.Code == desk.Unsure || r.Code == desk.Busy
}

// answer leads a refusal to where it is shown.
func (k *Kiosk) answer(err error, refused func(*desk.Refusal), again func()) {
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok {
		r = &desk.Refusal{Code: desk.Unavailable}
	}
	switch r.Code { //nolint:exhaustive // all others are about what was typed
	case desk.VisitOver:
		k.startOver()
	case desk.LockedOut:
		k.show(&lockedScreen{})
	case desk.AccountFrozen:
		k.show(&frozenScreen{})
	case desk.LoginStale, desk.NotProved:
		k.anew(r)
	case desk.Unavailable, desk.Unsure, desk.Busy:
		k.fault(r, again)
	case desk.MovedOn, desk.OutOfOrder, desk.Enrolled:
		// Another station was faster, or the log knows more than the screen.
		k.call(nil, k.c.Desk.View, refused, again)
	default:
		refused(r)
	}
}

// see notes what a view says without going anywhere.
func (k *Kiosk) see(v desk.View) {
	k.view, k.seen = v, k.c.Now()
}

// took notes a view and goes to its screen.
func (k *Kiosk) took(v desk.View) {
	k.see(v)
	k.show(k.screenOf(v))
}

// since returns what is left of a time that the view gave.
func (k *Kiosk) since(left time.Duration) time.Duration {
	return max(0, left-k.c.Now().Sub(k.seen))
}

// screenOf returns the screen that a view asks for.
func (k *Kiosk) screenOf(v desk.View) screen {
	switch v.Screen {
	case desk.ScreenEmailCode:
		return k.codeOrStuck(v, mailCode)
	case desk.ScreenTicket:
		return k.ticketOf(v)
	case desk.ScreenResume:
		return &resumeScreen{}
	case desk.ScreenPassword:
		return &passwordScreen{}
	case desk.ScreenPhone:
		return &phoneScreen{}
	case desk.ScreenSMSCode:
		return k.codeOrStuck(v, smsCode)
	case desk.ScreenFactor:
		if inPairing(v) {
			return &pairScreen{}
		}
		return &choiceScreen{}
	case desk.ScreenDone:
		return &doneScreen{}
	case desk.ScreenLoginCode:
		return k.codeOrStuck(v, loginCode)
	case desk.ScreenLoginApproval:
		return &approvalScreen{}
	case desk.ScreenAccount:
		return k.accountOf(v)
	case desk.ScreenNewPhone:
		return k.codeOrStuck(v, newPhoneCode)
	case desk.ScreenRecoverMail:
		return k.codeOrStuck(v, recoverMail)
	case desk.ScreenRecoverHow:
		return &lossScreen{}
	case desk.ScreenRecoverCode:
		return k.codeOrStuck(v, recoverSMS)
	case desk.ScreenFrozen:
		return &frozenScreen{}
	}
	return k.first()
}

// accountOf returns where somebody who has logged in is: at the overview, or at
// the change that has just been proved.
func (k *Kiosk) accountOf(v desk.View) screen {
	if inPairing(v) {
		return &pairScreen{account: true}
	}
	switch v.Account.Proved {
	case desk.ChangesName:
		return &nameScreen{}
	case desk.ChangesPhone:
		return &numberScreen{}
	case desk.ChangesLanguage:
		return &languageScreen{}
	case desk.ChangesPassword:
		return &newPasswordScreen{}
	case desk.ChangesFactor:
		return &factorScreen{}
	}
	return &accountScreen{}
}

// inPairing says whether a phone is being paired.
func inPairing(v desk.View) bool {
	switch v.Pocket.Stage {
	case enrolment.Offered, enrolment.Claimed, enrolment.Confirmed, enrolment.Failed, enrolment.Over:
		return true
	case enrolment.NotPairing, enrolment.Paired:
	}
	return false
}

// loggingIn says whether somebody is here who has an account already.
func (k *Kiosk) loggingIn() bool {
	if _, login := k.screen.(*loginScreen); login {
		return true
	}
	switch k.view.Screen {
	case desk.ScreenLoginCode, desk.ScreenLoginApproval, desk.ScreenAccount, desk.ScreenNewPhone,
		desk.ScreenRecoverMail, desk.ScreenRecoverHow, desk.ScreenRecoverCode, desk.ScreenFrozen:
		return true
	case desk.ScreenEmailCode, desk.ScreenTicket, desk.ScreenResume, desk.ScreenPassword, desk.ScreenPhone, desk.ScreenSMSCode, desk.ScreenFactor, desk.ScreenDone:
	}
	return false
}

// anew leads to where a login or a change has to begin again, and says why.
func (k *Kiosk) anew(r *desk.Refusal) {
	at := k.view.Screen
	switch {
	case at == desk.ScreenAccount && k.view.Account.Proved == "" && !inPairing(k.view):
		k.changed = ""
		k.show(&accountScreen{refused: r})
	case at == desk.ScreenAccount, at == desk.ScreenNewPhone, k.view.Login.Change != "":
		visit := k.view.Visit
		work(k, nil, func(ctx context.Context) (desk.View, error) { return k.c.Desk.Dismiss(ctx, visit) }, func(v desk.View, err error) {
			if err != nil {
				k.answer(err, func(*desk.Refusal) { k.toLogin(r) }, func() { k.anew(r) })
				return
			}
			k.see(v)
			k.changed = ""
			k.show(&accountScreen{refused: r})
		})
	default:
		k.toLogin(r)
	}
}

func (k *Kiosk) codeOrStuck(v desk.View, ask asking) screen {
	switch {
	case v.Code.Locked:
		return &lockedScreen{}
	case v.Code.Delivery == desk.Failing:
		return &stuckScreen{ask: ask, failed: true}
	}
	return &codeScreen{ask: ask}
}

// busyRest is how long watching rests while a call is under way.
const busyRest = 200 * time.Millisecond

// watch follows what happens to the visit elsewhere, for as long as it lasts:
// what became of a message, what the phone does.
func (k *Kiosk) watch() {
	turn, calls, visit, version := k.turn, k.calls, k.view.Visit, k.view.Version
	ui.Work(k.ctx, func(ctx context.Context) (desk.View, error) {
		v, err := k.c.Desk.Await(ctx, visit, version)
		if err != nil && ctx.Err() == nil { // not a busy loop while log or vault are away
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
			}
		}
		return v, err
	}, func(v desk.View, err error) {
		if k.turn != turn || k.view.Visit != visit {
			return
		}
		r, ok := errors.AsType[*desk.Refusal](err)
		switch {
		case ok && r.Code == desk.VisitOver:
			k.startOver()
			return
		case err == nil && !k.busy && k.calls == calls:
			k.saw(v)
		case err == nil && k.busy:
			// What is under way gives a newer view. Until then the same question
			// would be answered at once, over and over.
			time.AfterFunc(busyRest, func() { fyne.Do(func() { k.watchOn(turn, visit) }) })
			return
		}
		k.watch()
	})
}

// watchOn goes on watching the visit, if it is still there.
func (k *Kiosk) watchOn(turn int, visit string) {
	if k.turn == turn && k.view.Visit == visit {
		k.watch()
	}
}

// saw takes a view that nobody on this screen asked for.
func (k *Kiosk) saw(v desk.View) {
	was := k.view.Screen
	k.see(v)
	if v.Screen != was {
		k.show(k.screenOf(v))
		return
	}
	k.screen.update(k)
}

// begin starts a visit for the address that was typed.
func (k *Kiosk) begin() {
	if k.c.Assist != nil {
		k.beginAssisted()
		return
	}
	if k.view.Visit != "" && k.view.Email == k.email {
		k.show(k.screenOf(k.view))
		return
	}
	email, lang := k.email, k.p.Lang()
	k.arrive(func(ctx context.Context) (desk.View, error) { return k.c.Desk.Begin(ctx, email, lang) },
		func(err error) {
			k.answer(err, func(r *desk.Refusal) { k.show(&emailScreen{refused: r}) }, k.begin)
		})
}

// arrive begins a visit in the place of the one before, if any.
func (k *Kiosk) arrive(do func(context.Context) (desk.View, error), failed func(error)) {
	k.leave(stopped)
	turn := k.turn
	if k.busy {
		return
	}
	k.setBusy(true, nil)
	k.calls++
	ui.Work(k.nextCall(), do, func(v desk.View, err error) {
		if k.turn != turn {
			k.end(v.Visit, stopped) // began for somebody who has left
			return
		}
		k.setBusy(false, nil)
		k.answered(err)
		if err != nil {
			failed(err)
			return
		}
		k.took(v)
		k.watch()
	})
}

// leave ends the visit, if there is one, but not the turn.
func (k *Kiosk) leave(why desk.WipeReason) {
	if k.view.Visit == "" {
		return
	}
	k.end(k.view.Visit, why)
	k.view = desk.View{}
}

// end has a visit ended, whatever else happens.
func (k *Kiosk) end(visit string, why desk.WipeReason) {
	if visit == "" {
		return
	}
	ui.Work(context.WithoutCancel(k.ctx), func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		return struct{}{}, k.c.Desk.End(ctx, visit, why)
	}, func(struct{}, error) {}) // a fault has been reported by the desk; there is nobody here to tell
}
