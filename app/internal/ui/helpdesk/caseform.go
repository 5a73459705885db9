package helpdesk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// place is where the person is whom it is about.
type place int

const (
	unsaid place = iota
	here         // beside whoever asks
	afar         // on the phone
)

const (
	// callerEvery is how often it is looked how far a caller is.
	callerEvery = 2 * time.Second
	// hrShows is for how long HR's number shows: long enough to call it.
	hrShows = 2 * time.Minute
)

// A caseForm asks for one action: why, how sure it is who asks, and where that is on
// record. It holds what was typed until wipe.
type caseForm struct {
	a      *actions
	action enrolment.Action

	reason enrolment.CaseReason
	at     place
	claims map[enrolment.Evidence]bool
	name   string // of the case, once something was shown for it
	caller desk.CallerView
	number string // HR's, as it is called
	call   desk.Call
	wrong  string
	typed  [2]string // what was in the fields when they were built anew
	busy   bool

	reasons map[enrolment.CaseReason]*ui.Option
	places  map[place]*ui.Option
	checks  map[enrolment.Evidence]*ui.Option
	phone   *ui.Field // CorrectingNumber: the new one
	ticket  *ui.Field
	inHand  *fyne.Container // the checklist of who is there
	onPhone *fyne.Container // how a caller is verified
	asks    *fyne.Container // the part of it that asks their factor
	digits  *ui.Digits
	ask     *ui.Button
	hr      *ui.Masked
	next    *ui.Message
	refusal *ui.Message
	do      *ui.Button
	cancel  *ui.Button
	col     *fyne.Container
	built   bool
}

func newCaseForm(a *actions, action enrolment.Action) *caseForm {
	f := &caseForm{a: a, action: action, claims: map[enrolment.Evidence]bool{}, call: desk.NewCall()}
	if whys := action.Reasons(); len(whys) == 1 {
		f.reason = whys[0]
	}
	return f
}

// live says whether it still shows.
func (f *caseForm) live() bool { return f.a.form == f }

// keep notes what was typed, before the form is built anew.
func (f *caseForm) keep() {
	if !f.built {
		return
	}
	f.typed[1] = f.ticket.Text()
	if f.phone != nil {
		f.typed[0] = f.phone.Text()
	}
	f.drop()
}

// drop empties the widgets.
func (f *caseForm) drop() {
	if !f.built {
		return
	}
	f.ticket.Wipe()
	if f.phone != nil {
		f.phone.Wipe()
	}
	if f.digits != nil {
		f.digits.Wipe()
	}
	if f.hr != nil {
		f.hr.Mask()
	}
}

// wipe forgets what was typed, and shown.
func (f *caseForm) wipe() {
	f.drop()
	f.typed, f.number, f.caller, f.name = [2]string{}, "", desk.CallerView{}, ""
}

func (f *caseForm) build() fyne.CanvasObject {
	w, name := f.a.p.w, f.a.p.w.about(f.a.p.view.Name)
	icon, ink := signOf(f.action)
	col := ui.Column(ui.SizeGap, ui.Row(ui.SizeGap, ui.NewGlyph(icon, ink), ui.GrowCentred(1, ui.Column("",
		ui.Body(ui.Bold(w.action(f.action))), ui.Hint(ui.Plain(w.T("helpdesk-action-line-"+string(f.action), name)))))))
	f.reasons, f.places, f.checks = map[enrolment.CaseReason]*ui.Option{}, map[place]*ui.Option{}, map[enrolment.Evidence]*ui.Option{}
	f.phone, f.digits, f.hr, f.ask, f.inHand, f.onPhone = nil, nil, nil, nil, nil, nil
	if whys := f.action.Reasons(); len(whys) > 1 {
		list := ui.Column("")
		for _, why := range whys {
			f.reasons[why] = ui.NewOption(true, w.reason(f.action, why), func() {
				f.reason = why
				f.sync()
			})
			list.Add(f.reasons[why])
		}
		col.Add(ui.Column(ui.SizeSmallGap, ui.Label(w.T("helpdesk-case-reason")), list))
	}
	if f.action == enrolment.CorrectingNumber {
		f.phone = ui.NewField(w.T("helpdesk-case-number"), w.T("helpdesk-case-number-hint", name))
		f.phone.SetMono(true)
		f.phone.SetText(f.typed[0])
		f.phone.Input().OnSubmitted = func(string) { f.submit() }
		col.Add(f.phone)
	}
	if f.action.Proof() {
		f.buildProof(col, name)
	}
	if f.action == enrolment.Erasing {
		col.Add(w.erasure(name))
	}
	f.ticket = ui.NewField(w.T("helpdesk-case-ticket"), w.T("helpdesk-case-ticket-hint"))
	f.ticket.SetText(f.typed[1])
	f.ticket.Input().OnSubmitted = func(string) { f.submit() }
	f.next = ui.NewMessage(ui.Info, "")
	f.refusal = ui.NewMessage(ui.Failure, "", ui.Plain(" "))
	words := "helpdesk-case-do"
	if f.action.Second() {
		words = "helpdesk-case-request"
	}
	f.do = ui.NewButton(ui.Primary, w.T(words), f.submit)
	f.cancel = ui.NewButton(ui.Quiet, w.T("helpdesk-case-cancel"), func() { f.a.end("") })
	col.Add(f.ticket)
	col.Add(f.next)
	col.Add(f.refusal)
	col.Add(ui.Flow(ui.SizeSmallGap, f.do, f.cancel))
	f.col, f.built = col, true
	f.sync()
	return col
}

// buildProof asks how sure it is with whom whoever asks speaks.
func (f *caseForm) buildProof(col *fyne.Container, name i18n.Args) {
	w := f.a.p.w
	list := ui.Column("")
	for _, at := range []place{here, afar} {
		id := "helpdesk-case-at-here"
		if at == afar {
			id = "helpdesk-case-at-afar"
		}
		f.places[at] = ui.NewOption(true, w.T(id, name), func() {
			f.at = at
			f.sync()
		})
		list.Add(f.places[at])
	}
	checks := ui.Column("")
	for _, e := range enrolment.Claims(false) {
		checks.Add(f.check(e, name))
	}
	f.inHand = ui.Column(ui.SizeSmallGap, ui.Label(w.T("helpdesk-case-checklist")), checks)
	f.asks = ui.Stack()
	f.onPhone = ui.Column(ui.SizeGap, ui.Label(w.T("helpdesk-case-verify")), f.asks)
	if v := &f.a.p.view; v.HRPhone || v.PhoneSource == enrolment.FromHR {
		f.hr = ui.NewMasked(w.T("helpdesk-case-hr-hidden"), w.T("helpdesk-case-hr-show"), w.T("helpdesk-hide"), f.a.p.Clock, f.showNumber)
		f.onPhone.Add(ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap, ui.Body(ui.Bold(w.T("helpdesk-case-call-back"))),
			ui.Hint(ui.Plain(w.T("helpdesk-case-call-back-line", name))), f.hr, f.check(enrolment.CalledBack, name))))
	}
	col.Add(ui.Column(ui.SizeSmallGap, ui.Label(w.T("helpdesk-case-proof", name)), list))
	col.Add(f.inHand)
	col.Add(f.onPhone)
	f.drawCaller()
}

// check is a line of the checklist.
func (f *caseForm) check(e enrolment.Evidence, name i18n.Args) *ui.Option {
	f.checks[e] = ui.NewOption(false, f.a.p.w.T("helpdesk-case-claim-"+string(e), name), func() {
		f.claims[e] = !f.claims[e]
		f.sync()
	})
	return f.checks[e]
}

// first is what has the focus when the form opens.
func (f *caseForm) first() fyne.Focusable {
	for _, why := range f.action.Reasons() {
		if o := f.reasons[why]; o != nil {
			return o
		}
	}
	switch {
	case f.phone != nil:
		return f.phone.Input()
	case len(f.places) > 0:
		return f.places[here]
	}
	return f.ticket.Input()
}

// sync shows what has been chosen, and what will happen.
func (f *caseForm) sync() {
	if !f.built {
		return
	}
	for why, o := range f.reasons {
		o.SetOn(why == f.reason)
	}
	for at, o := range f.places {
		o.SetOn(at == f.at)
	}
	for e, o := range f.checks {
		o.SetOn(f.claims[e])
	}
	if f.action.Proof() {
		f.inHand.Hidden, f.onPhone.Hidden = f.at != here, f.at != afar
		if o := f.checks[enrolment.CalledBack]; o != nil { // on a number that was shown
			o.SetEnabled(f.number != "")
		}
	}
	f.next.Set("", ui.Plain(f.whatNext()))
	f.refusal.Hidden = f.wrong == ""
	if f.wrong != "" {
		f.refusal.Set("", ui.Plain(f.wrong))
	}
	f.do.SetBusy(f.busy)
	f.fit()
}

// fit gives its parts the room that they need now.
func (f *caseForm) fit() {
	f.a.p.body.Refresh()
	f.col.Refresh()
	f.a.p.scroll.Refresh()
}

// whatNext says what the action does, and what has to happen before.
func (f *caseForm) whatNext() string {
	p := f.a.p
	w, args := p.w, p.w.about(p.view.Name)
	does := w.T("helpdesk-action-does-"+string(f.action), args)
	args["Within"], args["Until"] = w.Lasts(p.view.CaseApproval), w.ahead(p.Clock().Add(p.view.CaseWait))
	id := "helpdesk-case-next-now"
	switch {
	case !f.action.Second():
	case f.action == enrolment.Erasing && f.reason == enrolment.CaseRequest:
		id = "helpdesk-case-next-here" // they are told, and can stop it
	case f.action == enrolment.Erasing:
		id = "helpdesk-case-next-erase"
	case f.at == afar:
		id = "helpdesk-case-next-afar"
	default:
		id = "helpdesk-case-next-here"
	}
	return does + " " + w.T(id, args)
}

// --- who it is

// drawCaller shows how far a caller is who proves their factor.
func (f *caseForm) drawCaller() {
	p := f.a.p
	w, name := p.w, p.w.about(p.view.Name)
	factor := p.view.Factor
	col := ui.Column(ui.SizeSmallGap)
	f.digits, f.ask = nil, nil
	ask := func(id string) {
		f.ask = ui.NewButton(ui.Small, w.T(id, name), f.askCaller)
		col.Add(ui.Row("", f.ask))
	}
	switch f.caller.State {
	case desk.CallerProved:
		col.Add(ui.NewMessage(ui.Success, "", ui.Plain(w.T("helpdesk-case-caller-proved", name))))
	case desk.CallerAsked:
		if f.caller.Factor == enrolment.Pocket {
			col.Add(ui.Body(ui.Bold(w.T("helpdesk-case-caller-pocket", name))))
			col.Add(ui.NewShownDigits(f.caller.Digits))
			col.Add(ui.Hint(ui.Plain(w.T("helpdesk-case-caller-waits", name))))
			ask("helpdesk-case-caller-again")
			break
		}
		col.Add(ui.Body(ui.Bold(w.T("helpdesk-case-caller-sms", name))))
		f.digits = ui.NewSmallDigits()
		f.digits.OnComplete = f.confirm
		col.Add(f.digits)
		sent := "helpdesk-case-caller-sending"
		switch f.caller.Delivery {
		case desk.Delivered:
			sent = "helpdesk-case-caller-sent"
		case desk.Failing:
			sent = "helpdesk-case-caller-unsent"
		case desk.Sending, desk.Uncertain:
		}
		col.Add(ui.Hint(ui.Plain(w.T(sent, name))))
		ask("helpdesk-case-caller-again")
	case desk.CallerEnded, "":
		if f.caller.State == desk.CallerEnded {
			col.Add(ui.NewMessage(ui.Warning, "", ui.Plain(w.T("helpdesk-case-caller-ended", name))))
		}
		switch factor {
		case enrolment.SMS:
			col.Add(ui.Hint(ui.Plain(w.T("helpdesk-case-caller-line-sms", name))))
			ask("helpdesk-case-caller-ask-sms")
		case enrolment.Pocket:
			col.Add(ui.Hint(ui.Plain(w.T("helpdesk-case-caller-line-pocket", name))))
			ask("helpdesk-case-caller-ask-pocket")
		case enrolment.NoFactor, "":
			id := "helpdesk-case-caller-none"
			if f.hr == nil && !p.view.HRPhone && p.view.PhoneSource != enrolment.FromHR {
				id = "helpdesk-case-caller-nothing"
			}
			col.Add(ui.Hint(ui.Plain(w.T(id, name))))
		}
	}
	f.asks.Objects = []fyne.CanvasObject{col}
	f.asks.Refresh()
}

// askCaller has the caller prove their factor.
func (f *caseForm) askCaller() {
	p := f.a.p
	shift := p.SignedIn().ID
	f.wrong = ""
	f.ask.SetBusy(true)
	f.sync()
	ui.Work(p.ctx, func(ctx context.Context) (desk.CallerView, error) { return p.desk.AskCaller(ctx, shift, p.subject) },
		func(v desk.CallerView, err error) {
			if !f.live() {
				return
			}
			if err != nil {
				f.ask.SetBusy(false)
				f.refuse(err)
				return
			}
			f.seen(v)
			f.focusCaller()
			f.look(v.Challenge)
		})
}

// look looks again how far the caller is, for as long as they are asked.
func (f *caseForm) look(challenge string) {
	p := f.a.p
	shift := p.SignedIn().ID
	ui.Later(p.ctx, callerEvery, func() {
		if !f.live() || f.caller.State != desk.CallerAsked || f.caller.Challenge != challenge {
			return
		}
		ui.Work(p.ctx, func(ctx context.Context) (desk.CallerView, error) {
			return p.desk.Caller(ctx, shift, p.subject, challenge)
		},
			func(v desk.CallerView, err error) {
				switch {
				case !f.live() || f.caller.State != desk.CallerAsked || f.caller.Challenge != challenge:
					return
				case err == nil:
					f.seen(v)
				case p.Refused(err):
					return
				}
				f.look(challenge)
			})
	})
}

// seen shows how far the caller is now. What is being typed stays.
func (f *caseForm) seen(v desk.CallerView) {
	was := f.caller
	f.caller = v
	if was.State == v.State && was.Challenge == v.Challenge && was.Digits == v.Digits && was.Delivery == v.Delivery {
		return
	}
	typed, focused := "", false
	if f.digits != nil {
		typed = f.digits.Text()
		if c := fyne.CurrentApp().Driver().CanvasForObject(f.digits); c != nil {
			focused = c.Focused() == fyne.Focusable(f.digits)
		}
		f.digits.Wipe()
	}
	f.drawCaller()
	if f.digits != nil {
		f.digits.SetText(typed)
		if focused {
			ui.Focus(f.digits)
		}
	}
	f.sync()
}

func (f *caseForm) focusCaller() {
	switch {
	case f.digits != nil:
		ui.Focus(f.digits)
	case f.ask != nil:
		ui.Focus(f.ask)
	}
}

// confirm brings what the caller read aloud.
func (f *caseForm) confirm(code string) {
	p := f.a.p
	shift := p.SignedIn().ID
	d := f.digits
	d.Disable()
	ui.Work(p.ctx, func(ctx context.Context) (desk.CallerView, error) {
		return p.desk.ConfirmCaller(ctx, shift, p.subject, code)
	},
		func(v desk.CallerView, err error) {
			if !f.live() {
				return
			}
			d.Enable()
			d.Clear()
			if err == nil {
				f.seen(v)
				ui.Focus(f.ticket.Input())
				return
			}
			if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.WrongCode && d == f.digits {
				d.SetError(p.w.caseRefusal(err))
				f.fit()
				ui.Focus(d)
				return
			}
			f.refuse(err)
		})
}

// showNumber shows the number that HR has, in this case only. Desk records that before
// it answers.
func (f *caseForm) showNumber() {
	p := f.a.p
	shift, id := p.SignedIn().ID, f.name
	type shown struct {
		id     string
		number desk.PhoneView
	}
	ui.Work(p.ctx, func(ctx context.Context) (s shown, err error) {
		if s.id = id; id == "" {
			if s.id, err = p.desk.NewCase(ctx, shift); err != nil {
				return s, err
			}
		}
		s.number, err = p.desk.ShowHRNumber(ctx, shift, p.subject, s.id)
		return s, err
	}, func(s shown, err error) {
		if !f.live() {
			return
		}
		f.wrong = ""
		if err != nil {
			f.hr.Mask()
			f.refuse(err)
			return
		}
		f.name, f.number = s.id, s.number.International
		f.hr.Reveal(f.number, hrShows)
		f.sync()
	})
}

// --- asking

// missing says what has to be filled in yet, and where; "" nothing.
func (f *caseForm) missing() (id string, at fyne.Focusable) {
	switch {
	case f.reason == "":
		return "helpdesk-case-missing-reason", f.first()
	case f.phone != nil && strings.TrimSpace(f.phone.Text()) == "":
		return "helpdesk-case-missing-number", f.phone.Input()
	case !f.action.Proof():
	case f.at == unsaid:
		return "helpdesk-case-missing-place", f.places[here]
	case f.at == here && len(f.evidence()) == 0:
		return "helpdesk-case-missing-check", f.checks[enrolment.Claims(false)[0]]
	case f.at == afar && len(f.evidence()) == 0 && f.caller.State != desk.CallerProved:
		if f.ask != nil {
			return "helpdesk-case-missing-caller", f.ask
		}
		return "helpdesk-case-missing-caller", f.places[afar]
	}
	return "", nil
}

// evidence is what whoever asks says they have.
func (f *caseForm) evidence() []enrolment.Evidence {
	if !f.action.Proof() {
		return nil
	}
	return slices.DeleteFunc(enrolment.Claims(f.at == afar), func(e enrolment.Evidence) bool { return !f.claims[e] })
}

// submit asks for the action, or does it.
func (f *caseForm) submit() {
	p := f.a.p
	if f.busy {
		return
	}
	if id, at := f.missing(); id != "" {
		f.wrong = p.w.T(id, p.w.about(p.view.Name))
		f.sync()
		ui.Focus(at)
		return
	}
	r := desk.CaseRequest{
		Subject: p.subject, Case: f.name, Action: f.action, Reason: f.reason, Evidence: f.evidence(), Ticket: strings.TrimSpace(f.ticket.Text()),
		Remote: f.at != here, // where nobody is asked to be, nobody is
	}
	if f.phone != nil {
		r.Phone = f.phone.Text()
	}
	f.busy, f.wrong = true, ""
	f.sync()
	shift := p.SignedIn().ID
	ui.Work(desk.WithCall(p.ctx, f.call), func(ctx context.Context) (desk.CaseView, error) { return p.desk.RequestCase(ctx, shift, r) },
		func(v desk.CaseView, err error) {
			if !f.live() {
				return
			}
			f.busy = false
			if err != nil {
				if refusal, ok := errors.AsType[*desk.Refusal](err); !ok || refusal.Code != desk.Unsure {
					f.call = desk.NewCall() // nothing was recorded under the old one
				}
				f.refuse(err)
				return
			}
			f.a.end(p.w.decided(v, p.view.Name))
			p.load(max(storyRows, min(len(p.story), desk.MostRows)))
		})
}

// refuse says why something was not done.
func (f *caseForm) refuse(err error) {
	if f.a.p.Refused(err) {
		return
	}
	f.wrong = f.a.p.w.caseRefusal(err)
	f.sync()
	ui.Focus(f.do)
}
