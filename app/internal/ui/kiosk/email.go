package kiosk

import (
	"strings"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// emailScreen is E1. Whether anybody is known by an address is never shown.
type emailScreen struct {
	plain

	field      *ui.Field
	refused    *desk.Refusal
	suggestion string
	declined   string // the address that is right as it was typed
}

func (s *emailScreen) first() fyne.Focusable { return s.field.Input() }
func (s *emailScreen) wipe()                 { s.field.Wipe() }

func (s *emailScreen) build(k *Kiosk) fyne.CanvasObject {
	f := again(s.field, ui.NewField(k.t("email"), k.t("kiosk-email-hint")))
	if s.field == nil {
		f.SetText(k.email)
	}
	s.field = f
	in := f.Input()
	in.Accept = func(r rune) bool { return r != ' ' }
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(string) {
		if s.refused != nil || s.suggestion != "" {
			had := s.suggestion != ""
			s.refused, s.suggestion = nil, ""
			f.SetError("")
			if had {
				k.rebuild()
			}
		}
	}
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	p := ui.Page{
		Heading: k.t("kiosk-email-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-email-lead"))),
		Content:  ui.Column(ui.SizeSmallGap, ui.Limit(960, f), s.under(k)),
		Keyboard: ui.NewEmailKeyboard(k.p, in),
		Back:     k.back(func() { k.wipe(stopped) }), Primary: k.next(func() { s.submit(k) }),
	}
	return k.frame(p)
}

// under is the chips, or the question whether another address was meant.
func (s *emailScreen) under(k *Kiosk) fyne.CanvasObject {
	if s.suggestion != "" {
		_, domain, _ := strings.Cut(s.suggestion, "@")
		question := ui.Body(ui.Plain(k.t("kiosk-email-meant")+" "), ui.Bold("@"+domain+"?")).Elide()
		yes := ui.NewButton(ui.Small, k.t("kiosk-email-meant-yes"), func() {
			s.field.SetText(s.suggestion)
			s.submit(k)
		}).WithLeft(ui.IconCheck)
		no := ui.NewButton(ui.Small, k.t("kiosk-email-meant-no"), func() {
			s.declined = s.field.Text()
			s.submit(k)
		})
		return ui.Limit(960, ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, question), yes, no))
	}
	return k.chips(s.field)
}

// chips are buttons that type the domain of an address.
func (k *Kiosk) chips(f *ui.Field) fyne.CanvasObject {
	row := ui.Row(ui.SizeSmallGap)
	room := 3
	if high() || narrow() {
		room = 2
	}
	for _, d := range k.c.Domains[:min(room, len(k.c.Domains))] {
		row.Add(ui.NewChip("@"+short(d, 24), func() {
			local, _, _ := strings.Cut(f.Text(), "@")
			f.SetText(local + "@" + d)
			ui.Focus(f.Input())
		}))
	}
	row.Add(ui.Spring())
	return row
}

func (s *emailScreen) submit(k *Kiosk) {
	typed := strings.TrimSpace(s.field.Text())
	suggestion, err := k.c.Desk.CheckEmail(typed)
	switch {
	case suggestion != "" && s.declined != typed && (err == nil || isRefusal(err, desk.OutsideDomains)):
		s.suggestion, s.refused = suggestion, nil
		k.rebuild()
	case err != nil:
		k.answer(err, func(r *desk.Refusal) {
			s.refused = r
			s.field.SetError(k.refusal(r))
			ui.Focus(s.field.Input())
		}, func() { s.submit(k) })
	default:
		k.email = typed
		k.show(&welcomeScreen{})
	}
}

// short cuts what is too long for a button.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// welcomeScreen is E2. Its words are the same for everybody.
type welcomeScreen struct {
	plain

	refused *desk.Refusal // why a visit could not begin, beside an agent only
}

func (s *welcomeScreen) build(k *Kiosk) fyne.CanvasObject {
	need := ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap,
		ui.NewItem(ui.IconPhone, false, k.t("kiosk-need-phone"), k.t("kiosk-need-phone-line")), ui.NewRule(),
		ui.NewItem(ui.IconMail, false, k.t("kiosk-need-mail"), k.t("kiosk-need-mail-line")), ui.NewRule(),
		ui.NewItem(ui.IconClock, false, k.t("kiosk-need-time"), k.t("kiosk-need-time-line"))))
	why := ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap,
		ui.NewItem(ui.IconLock, true, k.t("kiosk-why-password"), k.t("kiosk-why-password-line")),
		ui.NewItem(ui.IconPhone, true, k.t("kiosk-why-phone"), k.t("kiosk-why-phone-line")), ui.NewRule(),
		ui.Body(ui.Plain(k.t("kiosk-why")))))
	p := ui.Page{
		Heading: k.t("kiosk-welcome-title"), Display: true, Lead: ui.Lead(ui.Plain(k.t("kiosk-welcome-lead", k.names()))),
		Back: k.back(func() { k.show(&emailScreen{}) }), Primary: ui.NewNext(k.t("get-started"), k.begin),
	}
	left := ui.Column(ui.SizeSmallGap, ui.Subheading(k.t("kiosk-need")), need)
	right := ui.Column(ui.SizeSmallGap, ui.Subheading(k.t("kiosk-why-two")), why)
	if high() {
		p.Content = ui.Column(ui.SizeGap, left, right)
		if k.tight() {
			p.Content = ui.Column(ui.SizeSmallGap, need, why)
		}
		if tiny() {
			p.Content = need
		}
	} else {
		p.Content = ui.Row(ui.SizeGap, ui.Grow(3, left), ui.Grow(2, right))
	}
	if s.refused != nil {
		p.Content = s.refusedOnWelcome(k)
	}
	return k.frame(p)
}
