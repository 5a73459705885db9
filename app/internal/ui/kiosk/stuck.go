package kiosk

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// stuckScreen is K10: the code does not arrive. The person did nothing wrong,
// and there are three ways on; the proof of mail or phone is never skipped.
type stuckScreen struct {
	plain

	ask     asking
	failed  bool // it is known that it did not leave; else the person says so
	again   *ui.ListButton
	refused *desk.Refusal
}

func (s *stuckScreen) patient() bool { return true }

func (s *stuckScreen) build(k *Kiosk) fyne.CanvasObject {
	p := ui.Page{Step: 1, Heading: k.t("kiosk-stuck-mail-title"), Back: k.back(func() { s.back(k) })}
	resendLine := "kiosk-stuck-mail-resend"
	if s.ask.bySMS() {
		p.Step, p.Heading, resendLine = 4, k.t("kiosk-stuck-sms-title"), "kiosk-stuck-sms-resend"
	}
	if s.failed {
		p.Heading = k.t("kiosk-failed-mail-title")
		if s.ask.bySMS() {
			p.Heading = k.t("kiosk-failed-sms-title")
		}
	}
	s.again = ui.NewListButton(ui.IconRefresh, k.t("resend"), k.t(resendLine), func() { s.resend(k) })
	help := ui.NewListButton(ui.IconQuestion, k.t("kiosk-stuck-help"), k.t("kiosk-stuck-help-line", k.names()), func() { k.showHelp(p.Step) })
	ways := []fyne.CanvasObject{s.again, help}
	if way := s.way(k); way != nil {
		ways = []fyne.CanvasObject{way, s.again, help}
	}
	p.Content = k.ways(s.message(k), ways...)
	o := k.frame(p)
	s.tick(k)
	return o
}

// ways puts ways on under a message; where there is little height the first two
// beside each other.
func (k *Kiosk) ways(message fyne.CanvasObject, ways ...fyne.CanvasObject) fyne.CanvasObject {
	content := ui.Column(ui.SizeSmallGap, message)
	if !k.tight() {
		content.Add(ui.Subheading(k.t("kiosk-stuck-what")))
	}
	if k.low() && len(ways) > 2 {
		content.Add(ui.Row(ui.SizeSmallGap, ui.Grow(1, ways[0]), ui.Grow(1, ways[1])))
		ways = ways[2:]
	}
	content.Objects = append(content.Objects, ways...)
	return content
}

// way is the way on that only this code has, or nil.
func (s *stuckScreen) way(k *Kiosk) fyne.CanvasObject {
	switch s.ask {
	case mailCode:
		return ui.NewListButton(ui.IconPencil, k.t("kiosk-stuck-mail-change"), k.t("kiosk-stuck-mail-change-line"), func() { k.show(&emailScreen{}) })
	case smsCode:
		return ui.NewListButton(ui.IconPencil, k.t("kiosk-stuck-sms-change"), k.t("kiosk-stuck-sms-change-line"), func() { k.show(&phoneScreen{}) })
	case newPhoneCode:
		return ui.NewListButton(ui.IconPencil, k.t("kiosk-stuck-sms-change"), k.t("kiosk-stuck-number-line"), k.dismiss)
	case loginCode:
		if k.view.Login.Change == "" {
			return ui.NewListButton(ui.IconPhone, k.t("kiosk-no-phone"), k.t("kiosk-no-phone-line"), func() { k.lostPhone(nil) })
		}
	case recoverMail, recoverSMS:
	}
	return nil
}

// message says what is known, and that it is nobody's fault here; once a way
// on was refused, why.
func (s *stuckScreen) message(k *Kiosk) fyne.CanvasObject {
	if s.refused != nil {
		return ui.NewMessage(ui.Failure, k.t("kiosk-stuck-nothing-wrong"), ui.Plain(k.refusal(s.refused)))
	}
	id, to := "kiosk-stuck-mail", k.view.Email
	switch {
	case s.ask == newPhoneCode:
		id, to = "kiosk-stuck-sms", k.view.Account.NewPhone.International
	case s.ask.bySMS() && !s.ask.enrols() && k.view.Phone.International == "":
		id, to = "kiosk-stuck-login", ""
	case s.ask.bySMS():
		id, to = "kiosk-stuck-sms", k.view.Phone.International
	}
	kind := ui.Info
	if s.failed {
		kind, id = ui.Failure, id+"-failed"
	}
	switch k.view.Code.Why { //nolint:exhaustive // the others are told alike
	case enrolment.InvalidRecipient, enrolment.Blocked, enrolment.NoRoute:
		if id == "kiosk-stuck-sms-failed" {
			id = "kiosk-stuck-sms-failed-number"
		}
	}
	title := k.t("kiosk-stuck-nothing-wrong")
	if tiny() {
		title = ""
	}
	if to == "" {
		return ui.NewMessage(kind, title, ui.Plain(k.t(id)))
	}
	return ui.NewMessage(kind, title, ui.Plain(k.t(id)+" "), ui.Bold(to))
}

// tick lets the code be asked for again once it may be.
func (s *stuckScreen) tick(k *Kiosk) {
	if k.since(k.view.Code.ResendIn) > 0 {
		s.again.Disable()
	} else {
		s.again.Enable()
	}
}

func (s *stuckScreen) resend(k *Kiosk) {
	k.call(nil, k.c.Desk.Resend, func(r *desk.Refusal) {
		s.refused = r
		k.rebuild()
	}, func() { s.resend(k) })
}

// back goes to the boxes all the same: the code may be there after all.
func (s *stuckScreen) back(k *Kiosk) {
	k.show(&codeScreen{ask: s.ask, dismissed: true})
}

// update follows a code that left after all.
func (s *stuckScreen) update(k *Kiosk) {
	if k.view.Code.Locked {
		k.show(&lockedScreen{})
		return
	}
	if s.failed && k.view.Code.Delivery != desk.Failing {
		k.show(k.screenOf(k.view))
	}
}

// showHelp asks for a help code, and shows it. One is enough for a visit.
func (k *Kiosk) showHelp(step int) {
	if k.help != "" {
		k.cover(&helpScreen{step: step})
		return
	}
	visit := k.view.Visit
	work(k, nil, func(ctx context.Context) (string, error) { return k.c.Desk.HelpCode(ctx, visit) }, func(code string, err error) {
		if err != nil && code == "" || err != nil && isRefusal(err, desk.Unavailable) {
			k.answer(err, func(*desk.Refusal) {}, func() { k.showHelp(step) })
			return
		}
		k.help = code
		k.cover(&helpScreen{step: step})
	})
}

// helpScreen shows the code that the helpdesk finds this person by.
type helpScreen struct {
	plain

	step int
}

func (s *helpScreen) patient() bool { return true }

func (s *helpScreen) build(k *Kiosk) fyne.CanvasObject {
	return k.frame(ui.Page{
		Step: s.step, Heading: k.t("kiosk-help-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-help-lead", k.names()))),
		Content: ui.Limit(736, ui.Column(ui.SizeGap, k.helpCode(), note(k.t("kiosk-help-safe")))),
		Back:    k.back(k.uncover),
	})
}

// helpCode is the code in large letters.
func (k *Kiosk) helpCode() fyne.CanvasObject {
	code := k.help
	if len(code) > 2 {
		code = code[:2] + " " + code[2:]
	}
	return ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap,
		ui.Label(k.t("kiosk-help-code")), ui.NewText(ui.RoleTile, ui.Span{Text: code, Bold: true, Mono: true}).OneLine()))
}

// lockedScreen is the end of the road at the kiosk: too many wrong codes in a
// row. Only the helpdesk can go on.
type lockedScreen struct{ plain }

func (s *lockedScreen) patient() bool { return true }

func (s *lockedScreen) build(k *Kiosk) fyne.CanvasObject {
	step := 1
	switch k.view.Screen { //nolint:exhaustive // the others ask for no code, or have rails of their own
	case desk.ScreenTicket:
		step = 2
	case desk.ScreenSMSCode:
		step = 4
	}
	text := k.t("kiosk-locked-text", k.names())
	if k.loggingIn() {
		text = k.t("kiosk-locked-login-text", k.names())
	}
	content := ui.Column(ui.SizeGap,
		ui.NewMessage(ui.Warning, k.t("kiosk-locked-safe"), ui.Plain(text)))
	p := ui.Page{Step: step, Heading: k.t("kiosk-locked-title"), Primary: ui.NewNext(k.t("kiosk-close"), func() { k.wipe(stopped) })}
	if k.help != "" {
		content.Add(k.helpCode())
	} else {
		content.Add(ui.Row("", ui.NewButton(ui.Secondary, k.t("kiosk-help-show"), func() { k.showHelp(step) }).WithLeft(ui.IconQuestion), ui.Spring()))
	}
	p.Content = ui.Limit(960, content)
	return k.frame(p)
}

// step returns the step that the visit is at.
func (k *Kiosk) step() int {
	switch k.view.Screen {
	case desk.ScreenEmailCode, desk.ScreenResume:
		return 1
	case desk.ScreenTicket, desk.ScreenPassword:
		return 2
	case desk.ScreenPhone:
		return 3
	case desk.ScreenSMSCode:
		return 4
	case desk.ScreenFactor:
		return 5
	case desk.ScreenDone:
		return 6
	case desk.ScreenLoginCode, desk.ScreenLoginApproval, desk.ScreenAccount, desk.ScreenNewPhone,
		desk.ScreenRecoverMail, desk.ScreenRecoverHow, desk.ScreenRecoverCode, desk.ScreenFrozen: // see rail
	}
	return 0
}

// resumeScreen asks for the password of who left half-way.
type resumeScreen struct {
	plain

	field   *ui.Field
	refused *desk.Refusal
}

func (s *resumeScreen) first() fyne.Focusable { return s.field.Input() }
func (s *resumeScreen) wipe()                 { s.field.Wipe() }

func (s *resumeScreen) build(k *Kiosk) fyne.CanvasObject {
	s.field = again(s.field, ui.NewPasswordField(k.t("password"), k.t("kiosk-resume-hint"), k.t("kiosk-show"), k.t("kiosk-hide")))
	in := s.field.Input()
	if s.refused != nil {
		s.field.SetError(k.refusal(s.refused))
	}
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(text string) {
		k.page.Primary.SetEnabled(text != "")
		if s.refused != nil {
			s.refused = nil
			s.field.SetError("")
		}
	}
	forgot := ui.NewButton(ui.Small, k.t("kiosk-resume-forgot"), func() { k.show(&restartScreen{}) })
	p := ui.Page{
		Step: 2, Heading: k.t("kiosk-resume-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-resume-lead"))),
		Content:  ui.Limit(960, s.field),
		Keyboard: ui.NewKeyboard(k.p, in),
		Back:     k.back(func() { k.show(&recapScreen{step: 1}) }), Primary: k.next(func() { s.submit(k) }),
	}
	if k.low() {
		p.Extra = forgot
	} else {
		p.Content = ui.Limit(960, ui.Column(ui.SizeSmallGap, s.field, ui.Row("", forgot, ui.Spring())))
	}
	p.Primary.SetEnabled(s.field.Text() != "")
	return k.frame(p)
}

func (s *resumeScreen) submit(k *Kiosk) {
	typed := s.field.Text()
	if typed == "" {
		return
	}
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) { return k.c.Desk.Resume(ctx, visit, typed) },
		func(r *desk.Refusal) {
			s.field.Input().Clear()
			s.refused = r
			s.field.SetError(k.refusal(r))
			k.focus(s.field.Input())
		}, func() { s.submit(k) })
}

// restartScreen says what a forgotten password voids before it does.
type restartScreen struct{ plain }

func (s *restartScreen) build(k *Kiosk) fyne.CanvasObject {
	do := func() { s.restart(k) }
	content := ui.Column(ui.SizeGap,
		ui.NewMessage(ui.Warning, k.t("kiosk-restart-void"), ui.Plain(k.t("kiosk-restart-void-text"))),
		point(k.t("kiosk-restart-keep", i18n.Args{"Email": k.view.Email})),
		ui.NewListButton(ui.IconKey, k.t("kiosk-restart-ticket-have"), k.t("kiosk-restart-ticket-have-line"), func() { k.show(&helpTicketScreen{}) }))
	if k.view.Invitation.Asked {
		content.Add(note(k.t("kiosk-restart-ticket")))
	}
	return k.frame(ui.Page{
		Step: 2, Heading: k.t("kiosk-restart-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-restart-lead"))),
		Content: ui.Limit(960, content),
		Back:    k.back(func() { k.show(&resumeScreen{}) }), Primary: ui.NewNext(k.t("kiosk-restart-do"), do),
	})
}

func (s *restartScreen) restart(k *Kiosk) {
	k.call(nil, k.c.Desk.Restart, func(r *desk.Refusal) { k.show(&resumeScreen{refused: r}) }, func() { s.restart(k) })
}

// recapScreen is where Terug leads from a step whose predecessor is recorded
// already: it shows what is, and loses nothing.
type recapScreen struct {
	plain

	step int
}

func (s *recapScreen) build(k *Kiosk) fyne.CanvasObject {
	p := ui.Page{Step: s.step, Primary: k.next(func() { k.show(k.screenOf(k.view)) })}
	switch s.step {
	case 1:
		p.Heading = k.t("kiosk-recap-mail-title")
		p.Content = ui.Limit(960, ui.Column(ui.SizeGap,
			ui.NewMessage(ui.Success, k.t("kiosk-recap-mail"), ui.Plain(k.view.Email)), note(k.t("kiosk-recap-mail-other"))))
	default:
		p.Heading = k.t("kiosk-recap-name-title")
		p.Content = ui.Limit(960, ui.Column(ui.SizeGap,
			ui.NewMessage(ui.Success, k.view.Name, ui.Plain(k.t("kiosk-recap-name"))),
			ui.Row("", ui.NewButton(ui.Secondary, k.t("kiosk-recap-change"), func() { k.show(&passwordScreen{}) }).WithLeft(ui.IconPencil), ui.Spring())))
		p.Back = k.back(func() { k.show(&recapScreen{step: 1}) })
	}
	return k.frame(p)
}
