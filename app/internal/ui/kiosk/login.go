package kiosk

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// loginScreen is L1: address and password, on one page where there is room,
// else on two. What is not right is never told apart.
type loginScreen struct {
	plain

	email, password *ui.Field
	pages           bool // address and password have a page each
	second          bool // of the two pages
	refused         *desk.Refusal
}

func (s *loginScreen) rail(k *Kiosk) rail { return k.loginRail(1) }

func (s *loginScreen) first() fyne.Focusable {
	if s.pages && s.second || !s.pages && s.email.Text() != "" {
		return s.password.Input()
	}
	return s.email.Input()
}

func (s *loginScreen) wipe() {
	s.email.Input().OnChanged, s.password.Input().OnChanged = nil, nil // the address is kept until the end of the turn
	s.email.Wipe()
	s.password.Wipe()
}

func (s *loginScreen) label(in *ui.Input) string {
	if in == s.email.Input() {
		return s.email.Label()
	}
	return s.password.Label()
}

// crowded says whether two fields and a keyboard are too much for a page.
func crowded() bool {
	o := ui.Current()
	return o.Scale > ui.Normal || o.Class == ui.SmallPortrait || o.Class == ui.Compact
}

func (s *loginScreen) build(k *Kiosk) fyne.CanvasObject {
	s.pages = crowded()
	email := again(s.email, ui.NewField(k.t("email"), ""))
	if s.email == nil {
		email.SetText(k.email)
		s.second = k.email != "" && s.refused != nil // it is the password that is typed again
	}
	s.email = email
	s.password = again(s.password, ui.NewPasswordField(k.t("password"), "", k.t("kiosk-show"), k.t("kiosk-hide")))
	in := s.email.Input()
	in.Accept = func(r rune) bool { return r != ' ' }
	in.OnChanged = func(string) { s.changed(k) }
	in.OnSubmitted = func(string) { s.on(k) }
	s.password.Input().OnChanged = func(string) { s.changed(k) }
	s.password.Input().OnSubmitted = func(string) { s.submit(k) }
	p := ui.Page{
		Heading: k.t("log-in"), Lead: ui.Lead(ui.Plain(k.t("kiosk-login-lead"))),
		Back: k.back(func() { s.back(k) }), Primary: ui.NewNext(k.t("log-in"), func() { s.submit(k) }),
	}
	switch {
	case s.pages && !s.second:
		p.Primary = k.next(func() { s.on(k) })
		p.Content = ui.Column(ui.SizeSmallGap, ui.Limit(960, s.email), s.under(k))
		p.Keyboard = ui.NewEmailKeyboard(k.p, in)
	case s.pages:
		p.Lead = ui.Lead(ui.Plain(k.t("kiosk-login-as")+" "), ui.Bold(s.email.Text()))
		p.Content = ui.Limit(960, s.password)
		if s.refused != nil {
			s.password.SetError(k.refusal(s.refused))
		}
		p.Keyboard = ui.NewKeyboard(k.p, s.password.Input())
	case high():
		p.Content = ui.Column(ui.SizeSmallGap, s.email, s.under(k), s.password)
		if s.refused != nil {
			p.Content = ui.Column(ui.SizeSmallGap, s.email, s.password, s.said(k))
		}
		p.Keyboard = ui.NewKeyboard(k.p, s.first().(ui.Target))
	default:
		p.Content = ui.Column(ui.SizeSmallGap,
			ui.Columns(ui.SizeGap, ui.Grow(1, s.email), ui.Grow(1, s.password)), s.under(k))
		p.Keyboard = ui.NewKeyboard(k.p, s.first().(ui.Target))
	}
	o := k.frame(p)
	s.enable(k)
	return o
}

// under is the chips, or what was refused.
func (s *loginScreen) under(k *Kiosk) fyne.CanvasObject {
	if s.refused != nil {
		return s.said(k)
	}
	return k.chips(s.email)
}

func (s *loginScreen) said(k *Kiosk) fyne.CanvasObject {
	return ui.NewMessage(ui.Failure, k.t("kiosk-login-failed"), ui.Plain(k.refusal(s.refused)))
}

// changed follows what is typed: what was refused is another pair now.
func (s *loginScreen) changed(k *Kiosk) {
	k.email = strings.TrimSpace(s.email.Text())
	s.email.SetError("")
	if s.refused != nil {
		s.refused = nil
		s.password.SetError("")
		if !s.pages { // the chips come back
			k.rebuild()
			return
		}
	}
	s.enable(k)
}

func (s *loginScreen) enable(k *Kiosk) {
	ok := strings.TrimSpace(s.email.Text()) != ""
	if !s.pages || s.second {
		ok = ok && s.password.Text() != ""
	}
	k.page.Primary.SetEnabled(ok)
}

// on goes from the address to the password.
func (s *loginScreen) on(k *Kiosk) {
	if !s.addressed(k) {
		return
	}
	if s.pages {
		s.second = true
		k.enter()
		return
	}
	k.focus(s.password.Input())
}

// addressed says whether the address is one.
func (s *loginScreen) addressed(k *Kiosk) bool {
	_, err := k.c.Desk.CheckEmail(strings.TrimSpace(s.email.Text()))
	if !isRefusal(err, desk.NotAnAddress) {
		return true
	}
	if s.pages && s.second {
		s.second = false
		k.enter()
	}
	s.email.SetError(k.refusal(&desk.Refusal{Code: desk.NotAnAddress}))
	k.focus(s.email.Input())
	return false
}

func (s *loginScreen) back(k *Kiosk) {
	if s.pages && s.second {
		s.second, s.refused = false, nil
		s.password.Wipe()
		k.enter()
		return
	}
	k.wipe(stopped)
}

func (s *loginScreen) submit(k *Kiosk) {
	email, password, lang := strings.TrimSpace(s.email.Text()), s.password.Text(), k.p.Lang()
	if k.page.Primary.Disabled() || password == "" || !s.addressed(k) {
		return
	}
	k.arrive(func(ctx context.Context) (desk.View, error) { return k.c.Desk.Login(ctx, email, password, lang) },
		func(err error) {
			if isRefusal(err, desk.OutOfOrder) {
				k.email = email
				k.show(&unfinishedScreen{})
				return
			}
			k.answer(err, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.submit(k) })
		})
}

// refuse empties the password and says why.
func (s *loginScreen) refuse(k *Kiosk, r *desk.Refusal) {
	s.password.Input().OnChanged = nil
	s.password.Input().Clear()
	s.refused = r
	k.rebuild()
	k.focus(s.password.Input())
}

// toLogin goes back to L1 with the address that was typed.
func (k *Kiosk) toLogin(r *desk.Refusal) {
	if k.email == "" {
		k.email = k.view.Email
	}
	k.leave(stopped)
	k.show(&loginScreen{refused: r})
}

func (k *Kiosk) backToLogin() { k.toLogin(nil) }

// dismiss goes back to A1 from whatever was begun there.
func (k *Kiosk) dismiss() {
	k.call(nil, k.c.Desk.Dismiss, func(r *desk.Refusal) { k.show(&accountScreen{refused: r}) }, k.dismiss)
}

// unfinishedScreen leads who logs in before the enrolment is complete to the
// enrolment.
type unfinishedScreen struct{ plain }

func (s *unfinishedScreen) rail(k *Kiosk) rail { return k.loginRail(1) }

func (s *unfinishedScreen) build(k *Kiosk) fyne.CanvasObject {
	return k.frame(ui.Page{
		Heading: k.t("kiosk-unfinished-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-unfinished-lead"))),
		Content: ui.Limit(960, ui.Column(ui.SizeGap,
			ui.NewMessage(ui.Info, k.t("kiosk-unfinished-kept"), ui.Plain(k.t("kiosk-unfinished-text"))),
			point(k.t("kiosk-unfinished-1")), point(k.t("kiosk-unfinished-2")))),
		Back: k.back(k.backToLogin), Primary: ui.NewNext(k.t("kiosk-sign-up"), func() { k.show(&welcomeScreen{}) }),
	})
}

// approvalScreen is the second step with Pocket: six digits, to be typed on the
// phone. It goes on by itself.
type approvalScreen struct {
	plain

	left    *ui.TimeLeft
	whole   time.Duration
	over    bool // it ended without an approval
	again   *ui.ListButton
	refused *desk.Refusal
}

func (s *approvalScreen) patient() bool { return true }

func (s *approvalScreen) build(k *Kiosk) fyne.CanvasObject {
	v := k.view.Login
	s.over, s.left = s.ended(k) != "", nil
	p := ui.Page{Heading: k.t("kiosk-approve-title", k.names()), Back: k.back(k.backToLogin)}
	if v.Change != "" {
		p.Heading, p.Back = k.t("kiosk-approve-change-title"), k.back(k.dismiss)
	}
	if s.over {
		s.failed(k, &p)
		return k.frame(p)
	}
	p.Lead = ui.Lead(ui.Plain(k.t("kiosk-approve-lead", k.names())))
	s.left = ui.NewTimeLeft(k.t("kiosk-approve-left"))
	s.whole = max(s.whole, v.Left)
	digits := ui.NewShownDigits(v.Digits)
	card := ui.NewCard(ui.Recommended, ui.Column(ui.SizeSmallGap, ui.Label(k.t("kiosk-approve-digits")), digits, s.left))
	steps := ui.Column(ui.SizeGap,
		ui.NewNumbered(1, k.t("kiosk-approve-1", k.names()), ui.Plain(k.t("kiosk-approve-1-line", k.names()))),
		ui.NewNumbered(2, k.t("kiosk-approve-2"), ui.Plain(k.t("kiosk-approve-2-line"))),
		ui.NewNumbered(3, k.t("kiosk-approve-3"), ui.Plain(k.t("kiosk-approve-3-line"))))
	var lost *ui.Button
	if v.Change == "" {
		lost = k.withoutPhone(ui.Link)
	}
	switch {
	case high() && lost != nil:
		p.Content = ui.Column(ui.SizeGap, card, steps, ui.Row("", lost, ui.Spring()))
	case high():
		p.Content = ui.Column(ui.SizeGap, card, steps)
	default:
		p.Content = ui.Column("", ui.Columns(ui.SizeBigGap, ui.GrowCentred(11, card), ui.GrowCentred(9, steps)))
		if lost != nil {
			p.Extra = lost
		}
	}
	o := k.frame(p)
	s.tick(k)
	return o
}

// ended returns why the question is over, or "" while it waits.
func (s *approvalScreen) ended(k *Kiosk) desk.LoginEnd {
	if v := k.view.Login; v.Ended != "" || k.since(v.Left) > 0 {
		return v.Ended
	}
	return desk.EndedExpired
}

// failed says why nothing came of it, and what now.
func (s *approvalScreen) failed(k *Kiosk, p *ui.Page) {
	id := "kiosk-approve-" + string(s.ended(k))
	message := ui.NewMessage(ui.Warning, k.t(id), ui.Plain(k.t(id+"-text", k.names())))
	if s.refused != nil {
		message = ui.NewMessage(ui.Failure, k.t("kiosk-approve-not-yet"), ui.Plain(k.refusal(s.refused)))
	}
	p.Heading = k.t("kiosk-approve-over-title")
	if k.view.Login.Change != "" {
		p.Heading = k.t("kiosk-approve-over-change-title")
	}
	s.again = ui.NewListButton(ui.IconRefresh, k.t("kiosk-approve-again"), k.t("kiosk-approve-again-line", k.names()), func() { s.ask(k) })
	ways := []fyne.CanvasObject{s.again}
	if k.view.Login.Change == "" {
		ways = append(ways, ui.NewListButton(ui.IconPhone, k.t("kiosk-no-phone"), k.t("kiosk-no-phone-line"), func() { k.lostPhone(s.refuseTo(k)) }))
	}
	help := ui.NewListButton(ui.IconQuestion, k.t("kiosk-stuck-help"), k.t("kiosk-stuck-help-line", k.names()), func() { k.showHelp(0) })
	p.Content = k.ways(message, append(ways, help)...)
}

func (s *approvalScreen) refuseTo(k *Kiosk) func(*desk.Refusal) {
	return func(r *desk.Refusal) {
		s.refused = r
		k.rebuild()
	}
}

func (s *approvalScreen) ask(k *Kiosk) {
	k.call(nil, k.c.Desk.AskAgain, s.refuseTo(k), func() { s.ask(k) })
}

// tick counts down, and says when it is over.
func (s *approvalScreen) tick(k *Kiosk) {
	if s.over != (s.ended(k) != "") {
		k.rebuild()
		return
	}
	if s.left != nil {
		s.left.Set(k.since(k.view.Login.Left), s.whole)
	}
}

func (s *approvalScreen) update(k *Kiosk) {
	if s.over && k.view.Login.Ended == "" && s.ended(k) == "" {
		s.refused, s.whole = nil, 0
	}
	k.rebuild()
}

// withoutPhone returns the button of who cannot take the second step.
func (k *Kiosk) withoutPhone(kind ui.Kind) *ui.Button {
	return ui.NewButton(kind, k.t("kiosk-no-phone"), func() { k.lostPhone(nil) })
}

// lostPhone has a code sent by mail to who has no phone. Without a place for it
// a refusal is shown on a page of its own.
func (k *Kiosk) lostPhone(refused func(*desk.Refusal)) {
	if refused == nil {
		refused = func(r *desk.Refusal) { k.cover(&refusedScreen{refused: r}) }
	}
	k.call(nil, k.c.Desk.WithoutPhone, refused, func() { k.lostPhone(refused) })
}

// refusedScreen says why something cannot be done now.
type refusedScreen struct {
	plain

	refused *desk.Refusal
}

func (s *refusedScreen) patient() bool { return true }

func (s *refusedScreen) build(k *Kiosk) fyne.CanvasObject {
	return k.frame(ui.Page{
		Heading: k.t("kiosk-refused-title"), Back: k.back(k.uncover),
		Content: ui.Limit(960, ui.Column(ui.SizeGap,
			ui.NewMessage(ui.Failure, k.t("kiosk-stuck-nothing-wrong"), ui.Plain(k.refusal(s.refused))),
			note(k.t("kiosk-fault-ask", k.names())))),
	})
}
