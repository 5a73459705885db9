package kiosk

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// proveScreen asks for the password before a change. The factor comes next.
type proveScreen struct {
	plain

	what    desk.Change
	field   *ui.Field
	refused *desk.Refusal
}

func (s *proveScreen) rail(k *Kiosk) rail     { return k.changeRail(s.what, 1) }
func (s *proveScreen) first() fyne.Focusable  { return s.field.Input() }
func (s *proveScreen) wipe()                  { s.field.Wipe() }
func (s *proveScreen) label(*ui.Input) string { return s.field.Label() }

func (s *proveScreen) build(k *Kiosk) fyne.CanvasObject {
	f := again(s.field, ui.NewPasswordField(k.t("kiosk-prove-now"), "", k.t("kiosk-show"), k.t("kiosk-hide")))
	s.field = f
	in := f.Input()
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	p := ui.Page{
		Heading: k.t("kiosk-prove-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-prove-" + string(s.what)))),
		Content: ui.Limit(960, f), Keyboard: ui.NewKeyboard(k.p, in),
		Back: k.back(func() { k.show(&accountScreen{}) }), Primary: k.next(func() { s.submit(k) }),
	}
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(text string) {
		k.page.Primary.SetEnabled(text != "")
		if s.refused != nil {
			s.refused = nil
			f.SetError("")
		}
	}
	p.Primary.SetEnabled(f.Text() != "")
	return k.frame(p)
}

func (s *proveScreen) submit(k *Kiosk) {
	typed := s.field.Text()
	if typed == "" {
		return
	}
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.Prove(ctx, visit, s.what, typed)
	}, func(r *desk.Refusal) {
		s.field.Input().Clear()
		s.refused = r
		s.field.SetError(k.refusal(r))
		k.focus(s.field.Input())
	}, func() { s.submit(k) })
}

// save is the primary button of a change.
func (k *Kiosk) save(f func()) *ui.Button { return ui.NewNext(k.t("kiosk-save"), f) }

// nameScreen takes another name.
type nameScreen struct {
	plain

	field   *ui.Field
	refused *desk.Refusal
}

func (s *nameScreen) first() fyne.Focusable  { return s.field.Input() }
func (s *nameScreen) wipe()                  { s.field.Wipe() }
func (s *nameScreen) label(*ui.Input) string { return s.field.Label() }

func (s *nameScreen) build(k *Kiosk) fyne.CanvasObject {
	f := ui.NewField(k.t("name"), "")
	if s.field == nil {
		f.SetText(k.view.Name)
	}
	s.field = again(s.field, f)
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	in := f.Input()
	p := ui.Page{
		Heading: k.t("kiosk-change-name-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-change-name-lead"))),
		Content: ui.Limit(960, f), Keyboard: ui.NewKeyboard(k.p, in),
		Back: k.back(k.dismiss), Primary: k.save(func() { s.submit(k) }),
	}
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(string) {
		s.enable(k)
		if s.refused != nil {
			s.refused = nil
			f.SetError("")
		}
	}
	o := k.frame(p)
	s.enable(k)
	return o
}

// enable lets a name be saved that is one, and another.
func (s *nameScreen) enable(k *Kiosk) {
	name := strings.TrimSpace(s.field.Text())
	k.page.Primary.SetEnabled(name != "" && name != k.view.Name)
}

func (s *nameScreen) submit(k *Kiosk) {
	name := s.field.Text()
	if k.page.Primary.Disabled() {
		return
	}
	k.change("name", nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.ChangeName(ctx, visit, name)
	}, func(r *desk.Refusal) {
		s.refused = r
		s.field.SetError(k.refusal(r))
		k.focus(s.field.Input())
	}, func() { s.submit(k) })
}

// numberScreen takes another phone number, which has to be proved next.
type numberScreen struct {
	plain

	field   *ui.Field
	refused *desk.Refusal
}

func (s *numberScreen) rail(k *Kiosk) rail     { return k.changeRail(desk.ChangesPhone, 3) }
func (s *numberScreen) first() fyne.Focusable  { return s.field.Input() }
func (s *numberScreen) wipe()                  { s.field.Wipe() }
func (s *numberScreen) label(*ui.Input) string { return s.field.Label() }

func (s *numberScreen) build(k *Kiosk) fyne.CanvasObject {
	f := again(s.field, k.numberField())
	s.field = f
	in := f.Input()
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(string) { s.changed(k) }
	p := ui.Page{
		Heading: k.t("kiosk-change-phone-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-change-phone-now")+" "), ui.Bold(k.view.Phone.International)),
		Content: ui.Limit(736, ui.Column(ui.SizeSmallGap, f,
			ui.NewMessage(ui.Info, k.t("kiosk-change-phone-next"), ui.Plain(k.t("kiosk-change-phone-next-text"))).WithIcon(ui.IconShieldCheck))),
		Side: ui.NewNumpad(k.p, in),
		Back: k.back(k.dismiss), Primary: k.next(func() { s.submit(k) }),
	}
	o := k.frame(p)
	k.page.Primary.SetEnabled(f.Text() != "")
	f.SetHint(k.numberHint(f.Text()))
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	return o
}

func (s *numberScreen) changed(k *Kiosk) {
	text := s.field.Text()
	k.page.Primary.SetEnabled(text != "")
	s.field.SetHint(k.numberHint(text))
	if s.refused != nil {
		s.refused = nil
		s.field.SetError("")
	}
}

func (s *numberScreen) submit(k *Kiosk) {
	number := s.field.Text()
	if number == "" {
		return
	}
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.ChangePhone(ctx, visit, number)
	}, func(r *desk.Refusal) {
		s.refused = r
		s.field.SetError(k.refusal(r))
		k.focus(s.field.Input())
	}, func() { s.submit(k) })
}

// languageScreen takes the language of mails and messages.
type languageScreen struct {
	plain

	refused *desk.Refusal
}

func (s *languageScreen) build(k *Kiosk) fyne.CanvasObject {
	p := ui.Page{
		Heading: k.t("kiosk-change-language-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-change-language-lead"))),
		Back: k.back(k.dismiss),
	}
	content := ui.Column(ui.SizeSmallGap)
	if s.refused != nil {
		content.Add(ui.NewMessage(ui.Failure, "", ui.Plain(k.refusal(s.refused))))
	}
	for _, lang := range k.c.Languages {
		icon, line, do := ui.IconPencil, "kiosk-language-take", func() { s.choose(k, lang) }
		if lang == k.view.Account.Language {
			icon, line, do = ui.IconCheck, "kiosk-language-now", k.dismiss
		}
		content.Add(ui.NewListButton(icon, k.language(lang), k.t(line), do))
	}
	p.Content = ui.Limit(960, content)
	return k.frame(p)
}

func (s *languageScreen) choose(k *Kiosk, lang string) {
	k.change("language", nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.ChangeLanguage(ctx, visit, lang)
	}, func(r *desk.Refusal) {
		s.refused = r
		k.rebuild()
	}, func() { s.choose(k, lang) })
}

// newPasswordScreen takes another password, with the rules of E4.
type newPasswordScreen struct {
	plain

	field   *ui.Field
	rules   *ui.Rules
	refused *desk.Refusal
}

func (s *newPasswordScreen) first() fyne.Focusable  { return s.field.Input() }
func (s *newPasswordScreen) wipe()                  { s.field.Wipe() }
func (s *newPasswordScreen) label(*ui.Input) string { return s.field.Label() }

func (s *newPasswordScreen) build(k *Kiosk) fyne.CanvasObject {
	f := again(s.field, ui.NewPasswordField(k.t("kiosk-rail-password"), k.t("kiosk-password-hint"), k.t("kiosk-show"), k.t("kiosk-hide")))
	s.field = f
	in := f.Input()
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(string) {
		if s.refused != nil {
			s.refused = nil
			f.SetError("")
		}
		s.judge(k)
	}
	s.rules = ui.NewRules(k.t("kiosk-rules"), k.tight())
	p := ui.Page{
		Heading: k.t("kiosk-change-password-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-change-password-lead"))), Content: f,
		Side: ui.NewCard(ui.Surface, s.rules), Keyboard: ui.NewKeyboard(k.p, in),
		Back: k.back(k.dismiss), Primary: k.save(func() { s.submit(k) }),
	}
	if k.tight() {
		p.Lead = nil
		if high() {
			p.Side = s.rules
		}
		if tiny() && s.refused != nil {
			p.Side = nil
		}
	}
	o := k.frame(p)
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	s.judge(k)
	return o
}

// judge shows how the password stands to the rules.
func (s *newPasswordScreen) judge(k *Kiosk) {
	report := k.c.Desk.CheckPassword(k.view.Visit, k.view.Name, s.field.Text())
	k.showRules(s.rules, report)
	k.page.Primary.SetEnabled(report.OK)
}

func (s *newPasswordScreen) submit(k *Kiosk) {
	typed := s.field.Text()
	if k.page.Primary.Disabled() {
		return
	}
	k.change("password", nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.ChangePassword(ctx, visit, typed)
	}, func(r *desk.Refusal) {
		s.refused = r
		s.field.SetError(k.refusal(r))
		k.focus(s.field.Input())
	}, func() { s.submit(k) })
}

// since says from when on something is so.
func (k *Kiosk) sinceDate(v desk.View) string {
	if v.Account.Since.IsZero() {
		return ""
	}
	return k.t("kiosk-since", i18n.Args{"Date": k.date(v.Account.Since)})
}
