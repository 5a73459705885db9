package kiosk

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// phoneScreen is E5: the number, as HR announced it or as typed.
type phoneScreen struct {
	plain

	field   *ui.Field
	refused *desk.Refusal
}

func (s *phoneScreen) first() fyne.Focusable { return s.field.Input() }
func (s *phoneScreen) wipe()                 { s.field.Wipe() }

func (s *phoneScreen) build(k *Kiosk) fyne.CanvasObject {
	f := k.numberField()
	in := f.Input()
	if s.field == nil {
		f.SetText(k.view.Phone.National)
		if c := k.view.Phone.Country; c != "" && c != k.c.Policy.PhoneCountries[0] {
			f.SetText(k.view.Phone.International)
		}
	}
	s.field = again(s.field, f)
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(string) { s.changed(k) }
	p := ui.Page{
		Step: 3, Heading: k.greeting(), Lead: ui.Lead(ui.Plain(k.t("kiosk-phone-lead"))),
		Side: ui.NewNumpad(k.p, in),
		Back: k.back(func() { k.show(&recapScreen{step: 2}) }), Primary: k.next(func() { s.submit(k) }),
	}
	source := k.t("kiosk-phone-self")
	if k.view.Phone.FromHR {
		source = k.t("kiosk-phone-hr")
	}
	p.Content = ui.Limit(736, ui.Column(ui.SizeSmallGap, f,
		ui.NewMessage(ui.Info, k.t("kiosk-phone-why"), ui.Plain(k.t("kiosk-phone-why-text")+" "+source)).WithIcon(ui.IconShieldCheck)))
	o := k.frame(p)
	s.changed(k)
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	return o
}

// numberField returns a field for a phone number.
func (k *Kiosk) numberField() *ui.Field {
	f := ui.NewField(k.t("phone-number"), "")
	f.SetMono(true)
	in := f.Input()
	in.Accept = func(r rune) bool { return r >= '0' && r <= '9' || strings.ContainsRune("+ -()", r) }
	in.Arrange = k.c.Policy.ArrangePhone
	return f
}

// numberHint says which country a number is of.
func (k *Kiosk) numberHint(number string) string {
	if country := k.c.Policy.CountryOf(number); country != "" {
		return k.t("kiosk-phone-country", i18n.Args{"Country": k.country(country)})
	}
	return k.t("kiosk-phone-hint")
}

// changed shows the country that the number is of, and lets it be sent once
// it has a number's length.
func (s *phoneScreen) changed(k *Kiosk) {
	text := s.field.Text()
	k.page.Primary.SetEnabled(len(text) > 0)
	s.field.SetHint(k.numberHint(text))
	if s.refused != nil {
		s.refused = nil
		s.field.SetError("")
	}
}

// country names a country; by its letters where there is no word for it.
func (k *Kiosk) country(code string) string {
	if id := "kiosk-country-" + strings.ToLower(code); k.p.Has(id) {
		return k.t(id)
	}
	return code
}

// greeting greets by name and time of day.
func (k *Kiosk) greeting() string {
	id := "kiosk-evening"
	switch h := k.c.Now().In(time.Local).Hour(); {
	case h >= 5 && h < 12:
		id = "kiosk-morning"
	case h >= 12 && h < 18:
		id = "kiosk-afternoon"
	}
	return k.t(id, i18n.Args{"Name": firstName(k.view.Name)})
}

func (s *phoneScreen) submit(k *Kiosk) {
	number := s.field.Text()
	if number == "" {
		return
	}
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.GivePhone(ctx, visit, number)
	},
		func(r *desk.Refusal) {
			s.refused = r
			s.field.SetError(k.refusal(r))
			k.focus(s.field.Input())
		}, func() { s.submit(k) })
}
