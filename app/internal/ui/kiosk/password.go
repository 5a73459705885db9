package kiosk

import (
	"context"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// passwordScreen is E4: name and password, on one page where there is room,
// else on two. The rules follow every key.
type passwordScreen struct {
	plain

	name, password *ui.Field
	rules          *ui.Rules
	pages          bool // name and password have a page each
	second         bool // of the two pages
	refused        *desk.Refusal
}

func (s *passwordScreen) first() fyne.Focusable {
	if s.pages && s.second || !s.pages && s.name.Text() != "" {
		return s.password.Input()
	}
	return s.name.Input()
}

func (s *passwordScreen) wipe() {
	s.name.Wipe()
	s.password.Wipe()
}

func (s *passwordScreen) build(k *Kiosk) fyne.CanvasObject {
	s.pages = k.tight()
	name := again(s.name, ui.NewField(k.t("name"), k.t("kiosk-name-hint")))
	if s.name == nil {
		name.SetText(k.name)
		if k.name == "" {
			name.SetText(k.view.Name)
		}
	}
	s.name = name
	s.password = again(s.password, ui.NewPasswordField(k.t("password"), k.t("kiosk-password-hint"), k.t("kiosk-show"), k.t("kiosk-hide")))
	s.rules = ui.NewRules(k.t("kiosk-rules"), s.pages)
	s.name.Input().OnChanged = func(string) { s.changed(k) }
	s.password.Input().OnChanged = func(string) { s.changed(k) }
	p := ui.Page{Step: 2, Heading: k.t("kiosk-name-title"), Back: k.back(func() { s.back(k) }), Primary: k.next(func() { s.submit(k) })}
	switch {
	case !s.pages:
		s.name.Input().OnSubmitted = func(string) { k.focus(s.password.Input()) }
		s.password.Input().OnSubmitted = func(string) { s.submit(k) }
		p.Content = ui.Column(ui.SizeSmallGap, s.name, s.password)
		p.Side = ui.NewCard(ui.Surface, s.rules)
		p.Keyboard = ui.NewKeyboard(k.p, s.password.Input())
	case s.second:
		p.Heading = k.t("kiosk-password-title")
		s.password.Input().OnSubmitted = func(string) { s.submit(k) }
		p.Content = s.password
		p.Side = s.rules
		if tiny() && s.refused != nil {
			p.Side = nil
		}
		if !high() {
			p.Side = ui.NewCard(ui.Surface, s.rules)
		}
		p.Keyboard = ui.NewKeyboard(k.p, s.password.Input())
	default:
		p.Heading, p.Lead = k.t("kiosk-name-only-title"), ui.Lead(ui.Plain(k.t("kiosk-name-lead")))
		s.name.Input().OnSubmitted = func(string) { s.submit(k) }
		p.Content = ui.Limit(960, s.name)
		p.Keyboard = ui.NewKeyboard(k.p, s.name.Input())
	}
	if keys, ok := p.Keyboard.(*ui.Keys); ok && s.name.Text() == "" {
		keys.SetTarget(s.name.Input())
		keys.SetShift(true)
	}
	o := k.frame(p)
	s.refuse(k, s.refused)
	s.judge(k)
	return o
}

func (s *passwordScreen) changed(k *Kiosk) {
	if s.refused != nil {
		s.refuse(k, nil)
	}
	k.name = s.name.Text()
	s.judge(k)
}

// judge shows how the password stands to the rules.
func (s *passwordScreen) judge(k *Kiosk) {
	typed := s.password.Text()
	report := k.c.Desk.CheckPassword(k.view.Visit, s.name.Text(), typed)
	k.showRules(s.rules, report)
	ok := strings.TrimSpace(s.name.Text()) != ""
	if !s.pages || s.second {
		ok = ok && report.OK
	}
	k.page.Primary.SetEnabled(ok)
}

// showRules lists how a password stands to the rules.
func (k *Kiosk) showRules(list *ui.Rules, report desk.PasswordReport) {
	rules := make([]ui.Rule, 0, len(report.Rules))
	met := 0
	for _, r := range report.Rules {
		if r.Met {
			met++
		}
		rules = append(rules, k.rule(r, report))
	}
	list.Set(rules, k.t("kiosk-rules-met", i18n.Args{"Met": met, "All": len(rules)}))
}

// rule words one rule, with why it is not met where the rule does not tell.
func (k *Kiosk) rule(r desk.PasswordRule, report desk.PasswordReport) ui.Rule {
	out := ui.Rule{Met: r.Met, Text: k.t("kiosk-rule-"+string(r.Code), i18n.Args{"Minimum": report.Minimum})}
	if r.Code == "length" {
		out.Count = strconv.Itoa(report.Length) + "/" + strconv.Itoa(report.Minimum)
	}
	if !r.Met && r.Reason != "" {
		out.Text = k.t("kiosk-reason-" + string(r.Reason))
	}
	return out
}

func (s *passwordScreen) back(k *Kiosk) {
	switch {
	case s.pages && s.second:
		s.second = false
		k.enter()
	case k.view.Screen == desk.ScreenPassword:
		k.show(&recapScreen{step: 1})
	default:
		k.show(&recapScreen{step: 2})
	}
}

func (s *passwordScreen) submit(k *Kiosk) {
	name, typed := s.name.Text(), s.password.Text()
	if k.page.Primary.Disabled() {
		return
	}
	if s.pages && !s.second {
		s.second = true
		k.enter()
		return
	}
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.SetNameAndPassword(ctx, visit, name, typed)
	}, func(r *desk.Refusal) {
		if s.second && (r.Code == desk.NameMissing || r.Code == desk.NameUnusable) {
			s.second = false
			k.enter()
		}
		s.refuse(k, r)
	}, func() { s.submit(k) })
}

// refuse says what is wrong at the field that it is about; nil takes it back.
func (s *passwordScreen) refuse(k *Kiosk, r *desk.Refusal) {
	s.refused = r
	s.name.SetError("")
	s.password.SetError("")
	switch {
	case r == nil:
	case r.Code == desk.NameMissing, r.Code == desk.NameUnusable:
		s.name.SetError(k.refusal(r))
	default:
		s.password.SetError(k.refusal(r))
	}
}
