package kiosk

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// asking is which code of six digits a screen asks for.
type asking int

const (
	mailCode     asking = iota // E3
	smsCode                    // E6
	loginCode                  // L1, and each change
	newPhoneCode               // A1: from the new number
	recoverMail                // of who has no phone
	recoverSMS                 // of who has another phone with the same number
)

// bySMS says whether the code comes by SMS.
func (a asking) bySMS() bool { return a != mailCode && a != recoverMail }

// enrols says whether the code is one of the enrolment.
func (a asking) enrols() bool { return a == mailCode || a == smsCode }

// purpose is what the code is for.
func (a asking) purpose() enrolment.Purpose {
	return [...]enrolment.Purpose{
		mailCode: enrolment.ConfirmingEmail, smsCode: enrolment.VerifyingPhone, loginCode: enrolment.LoggingIn,
		newPhoneCode: enrolment.ChangingPhone, recoverMail: enrolment.Recovering, recoverSMS: enrolment.Recovering,
	}[a]
}

// codeScreen asks for six digits, from a mail or from an SMS.
type codeScreen struct {
	plain

	ask       asking
	digits    *ui.Digits
	left      *ui.TimeLeft
	resend    *ui.Button
	wait      *ui.Text
	state     *ui.Text
	refused   *desk.Refusal
	noted     string // what has just been done, as an id
	dismissed bool   // the person has seen that the message did not leave
}

func (s *codeScreen) first() fyne.Focusable { return s.digits }
func (s *codeScreen) boxes() *ui.Digits     { return s.digits }
func (s *codeScreen) wipe()                 { s.digits.Wipe() }
func (s *codeScreen) patient() bool         { return true }

func (s *codeScreen) build(k *Kiosk) fyne.CanvasObject {
	s.digits = digitsAgain(s.digits, ui.NewDigits())
	s.digits.OnComplete = func(string) { s.submit(k) }
	s.digits.OnChanged = func(string) {
		k.page.Primary.SetEnabled(s.digits.Complete())
		s.refused = nil
	}
	if s.refused != nil {
		s.digits.SetError(k.refusal(s.refused))
	}
	s.left, s.state, s.wait = ui.NewTimeLeft(""), ui.Hint().Elide(), ui.Hint().Align(fyne.TextAlignTrailing).OneLine()
	s.resend = ui.NewButton(ui.Small, k.t("resend"), func() { s.again(k) }).WithLeft(ui.IconRefresh)
	w := s.words(k)
	p := ui.Page{Step: w.step, Heading: k.t(w.title), Side: s.pad(k), Back: k.back(w.back), Primary: k.next(func() { s.submit(k) })}
	p.Primary.SetEnabled(s.digits.Complete())
	lead := ui.Lead(ui.Plain(k.t(w.lead)))
	if w.to != "" {
		lead = ui.Lead(ui.Plain(k.t(w.lead)+" "), ui.Bold(w.to))
	}
	p.Lead = lead
	if w.change != nil {
		p.Lead = ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, lead),
			ui.NewButton(ui.Small, k.t("change"), w.change).WithLeft(ui.IconPencil))
	}
	help := ui.NewButton(ui.Small, k.t(w.none), func() { k.show(&stuckScreen{ask: s.ask}) })
	var lost *ui.Button
	if s.ask == loginCode && k.view.Login.Change == "" {
		lost = k.withoutPhone(ui.Link)
		if !high() {
			p.Extra = lost
		}
	}
	switch {
	case tiny():
		p.Content = ui.Column(ui.SizeSmallGap, s.digits, ui.Row("", help, ui.Spring()), ui.Row("", s.resend, ui.Spring()))
	case slim(k):
		p.Content = ui.Column(ui.SizeSmallGap, s.digits, s.left, s.state, ui.NewRule(),
			ui.Row(ui.SizeSmallGap, s.resend, ui.GrowCentred(1, s.wait)), ui.Row(ui.SizeSmallGap, help))
	case k.tight():
		p.Content = ui.Limit(736, ui.Column(ui.SizeSmallGap, s.digits, s.left, s.state,
			ui.Row(ui.SizeSmallGap, help, ui.Spring(), s.resend)))
	default:
		p.Content = ui.Limit(736, ui.Column(ui.SizeSmallGap,
			ui.Label(k.t("confirmation-code")), s.digits, s.left, s.state, ui.NewRule(),
			ui.Columns(ui.SizeSmallGap, help, ui.Spring(), ui.Column("", s.resend, s.wait))))
	}
	if lost != nil && high() {
		p.Content = ui.Column(ui.SizeSmallGap, p.Content, ui.Row("", lost, ui.Spring()))
	}
	o := k.frame(p)
	s.tick(k)
	return o
}

// codeWords is what differs between the codes. Words are ids of texts.
type codeWords struct {
	step              int // of the enrolment
	title, lead, none string
	to                string // where the code went, as far as it may be shown
	change            func() // leads to another address or number; nil: it cannot be changed
	back              func()
	confirm           func(ctx context.Context, visit, code string) (desk.View, error)
	told              string // what the right code changes; see Kiosk.change
}

func (s *codeScreen) words(k *Kiosk) codeWords {
	d := k.c.Desk
	switch s.ask {
	case smsCode:
		phone := func() { k.show(&phoneScreen{}) }
		return codeWords{
			4, "kiosk-sms-title", "kiosk-sms-lead", "kiosk-sms-none", k.view.Phone.International, phone, phone, d.ConfirmPhone, "",
		}
	case loginCode:
		w := codeWords{
			0, "kiosk-sms-title", "kiosk-sms-lead", "kiosk-sms-none", k.view.Phone.International, nil, k.backToLogin, d.ConfirmLogin, "",
		}
		if w.to == "" {
			w.lead = "kiosk-login-code-lead"
		}
		if k.view.Login.Change != "" {
			w.back = k.dismiss
		}
		return w
	case newPhoneCode:
		return codeWords{
			0, "kiosk-new-phone-title", "kiosk-sms-lead", "kiosk-sms-none", k.view.Account.NewPhone.International, nil, k.dismiss, d.ConfirmNewPhone, "phone",
		}
	case recoverMail:
		return codeWords{
			0, "kiosk-recover-mail-title", "kiosk-code-lead", "kiosk-code-none", k.view.Email, nil, k.backToLogin, d.ConfirmRecovery, "",
		}
	case recoverSMS:
		w := codeWords{
			0, "kiosk-sms-title", "kiosk-sms-lead", "kiosk-sms-none", k.view.Phone.International, nil, k.backToLogin, d.ConfirmRecovery, "recovered",
		}
		if w.to == "" {
			w.lead = "kiosk-login-code-lead"
		}
		return w
	case mailCode:
	}
	mail := func() { k.show(&emailScreen{}) }
	return codeWords{1, "kiosk-code-title", "kiosk-code-lead", "kiosk-code-none", k.view.Email, mail, mail, d.ConfirmEmail, ""}
}

// slim says whether the standing rail and the number pad leave the boxes
// little width, as on a screen of 1680×1050.
func slim(k *Kiosk) bool {
	return ui.Current().RailAtLeft() && k.root.Size().Width < 1800
}

// pad returns the number pad, a smaller one where the boxes need the width.
func (s *codeScreen) pad(k *Kiosk) fyne.CanvasObject {
	if slim(k) {
		return ui.NewSmallNumpad(k.p, s.digits)
	}
	return ui.NewNumpad(k.p, s.digits)
}

// tick counts down what is left of the code, and of the wait for another one.
func (s *codeScreen) tick(k *Kiosk) {
	left, wait := k.since(k.view.Code.Left), k.since(k.view.Code.ResendIn)
	words := k.t("kiosk-code-works")
	if left <= 0 {
		words = k.t("kiosk-code-over")
	}
	s.left.SetWords(words)
	s.left.Set(left, k.c.Policy.Life(s.ask.purpose()))
	s.resend.SetEnabled(wait <= 0 && !k.busy)
	text, short := "", k.t("resend")
	if wait > 0 {
		short += " (" + ui.Clock(wait) + ")"
		text = k.t("kiosk-resend-in", i18n.Args{"Wait": k.wait(wait)})
	}
	if s.wait.String() != text {
		s.wait.SetText(text)
	}
	if k.tight() && !slim(k) && s.resend.Text != short { // there the wait has no line of its own
		s.resend.SetText(short)
	}
	if state := s.delivery(k, left); s.state.String() != state {
		s.state.SetText(state)
	}
}

// delivery says what became of the message, as far as it is known, and how
// many guesses are left once one was wrong, unless the refusal says so itself.
func (s *codeScreen) delivery(k *Kiosk, left time.Duration) string {
	c := k.view.Code
	switch {
	case s.noted != "":
		return k.t(s.noted)
	case c.Delivery == desk.Uncertain:
		return k.t("kiosk-sms-uncertain")
	case c.Delivery == desk.Sending:
		return k.t("kiosk-sms-sending")
	case s.refused == nil && left > 0 && c.Tries > 0 && c.Tries < k.c.Policy.WrongCodes:
		return k.p.N("kiosk-tries", c.Tries)
	case s.ask == newPhoneCode:
		return k.t("kiosk-new-phone-told")
	case s.ask.bySMS():
		return k.t("kiosk-sms-sent")
	}
	return k.t("kiosk-code-spam")
}

func (s *codeScreen) update(k *Kiosk) {
	switch {
	case k.view.Code.Locked:
		k.show(&lockedScreen{})
	case k.view.Code.Delivery == desk.Failing && !s.dismissed && !k.busy:
		k.show(&stuckScreen{ask: s.ask, failed: true})
	default:
		s.tick(k)
	}
}

func (s *codeScreen) submit(k *Kiosk) {
	code := s.digits.Text()
	if !s.digits.Complete() {
		return
	}
	s.noted = ""
	w := s.words(k)
	k.change(w.told, nil, func(ctx context.Context, visit string) (desk.View, error) { return w.confirm(ctx, visit, code) },
		func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.submit(k) })
}

// refuse empties the boxes and says why.
func (s *codeScreen) refuse(k *Kiosk, r *desk.Refusal) {
	s.digits.Clear()
	s.refused = r
	s.digits.SetError(k.refusal(r))
	k.focus(s.digits)
	s.tick(k)
}

func (s *codeScreen) again(k *Kiosk) {
	visit := k.view.Visit
	work(k, s.resend, func(ctx context.Context) (desk.View, error) { return k.c.Desk.Resend(ctx, visit) },
		func(v desk.View, err error) {
			if err != nil {
				k.heed(v, err)
				k.answer(err, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.again(k) })
				return
			}
			k.see(v)
			s.noted, s.dismissed = "kiosk-sent-again", false
			s.update(k)
			k.focus(s.digits)
		})
}
