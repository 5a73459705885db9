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

// codeScreen is E3 and E6: six digits, from a mail or from an SMS.
type codeScreen struct {
	plain

	sms       bool
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
	p := ui.Page{
		Step: 1, Heading: k.t("kiosk-code-title"), Side: s.pad(k),
		Back: k.back(func() { s.back(k) }), Primary: k.next(func() { s.submit(k) }),
	}
	to, lead, change := k.view.Email, k.t("kiosk-code-lead"), func() { k.show(&emailScreen{}) }
	none := k.t("kiosk-code-none")
	if s.sms {
		p.Step, p.Heading = 4, k.t("kiosk-sms-title")
		to, lead, change = k.view.Phone.International, k.t("kiosk-sms-lead"), func() { k.show(&phoneScreen{}) }
		none = k.t("kiosk-sms-none")
	}
	p.Primary.SetEnabled(s.digits.Complete())
	p.Lead = ui.Row(ui.SizeSmallGap,
		ui.GrowCentred(1, ui.Lead(ui.Plain(lead+" "), ui.Bold(to))),
		ui.NewButton(ui.Small, k.t("change"), change).WithLeft(ui.IconPencil))
	help := ui.NewButton(ui.Small, none, func() { k.show(&stuckScreen{sms: s.sms}) })
	switch {
	case tiny():
		p.Content = ui.Column(ui.SizeSmallGap, s.digits, ui.Row(ui.SizeSmallGap, help, ui.Spring(), s.resend))
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
	o := k.frame(p)
	s.tick(k)
	return o
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
	purpose := enrolment.ConfirmingEmail
	if s.sms {
		purpose = enrolment.VerifyingPhone
	}
	left, wait := k.since(k.view.Code.Left), k.since(k.view.Code.ResendIn)
	words := k.t("kiosk-code-works")
	if left <= 0 {
		words = k.t("kiosk-code-over")
	}
	s.left.SetWords(words)
	s.left.Set(left, k.c.Policy.Life(purpose))
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
	case s.sms:
		return k.t("kiosk-sms-sent")
	}
	return k.t("kiosk-code-spam")
}

func (s *codeScreen) update(k *Kiosk) {
	switch {
	case k.view.Code.Locked:
		k.show(&lockedScreen{})
	case k.view.Code.Delivery == desk.Failing && !s.dismissed && !k.busy:
		k.show(&stuckScreen{sms: s.sms, failed: true})
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
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		if s.sms {
			return k.c.Desk.ConfirmPhone(ctx, visit, code)
		}
		return k.c.Desk.ConfirmEmail(ctx, visit, code)
	}, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.submit(k) })
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

func (s *codeScreen) back(k *Kiosk) {
	if s.sms {
		k.show(&phoneScreen{})
		return
	}
	k.show(&emailScreen{})
}
