package kiosk

import (
	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// factorScreen is A2: the two factors with what they mean, which one counts,
// and the way to the other, or to another phone.
type factorScreen struct {
	plain

	refused     *desk.Refusal
	pocket, sms *ui.Button // nil where it is not possible or nothing would change
}

func (s *factorScreen) first() fyne.Focusable {
	if s.pocket != nil && s.sms == nil {
		return s.pocket
	}
	return nil
}

func (s *factorScreen) build(k *Kiosk) fyne.CanvasObject {
	paired := k.view.Factor == enrolment.Pocket
	s.pocket, s.sms = nil, nil
	if paired {
		s.sms = ui.NewButton(ui.Secondary, k.t("change-to", i18n.Args{"Factor": k.t("kiosk-sms-word")}), func() { s.toSMS(k) })
	}
	if k.view.Pocket.Possible {
		s.pocket = ui.NewButton(ui.Primary, k.t("change-to", i18n.Args{"Factor": k.c.PocketName}), func() { s.toPocket(k) })
		if paired {
			s.pocket = ui.NewButton(ui.Secondary, k.t("kiosk-other-phone"), func() { s.toPocket(k) })
		}
	}
	p := ui.Page{
		Heading: k.t("kiosk-change-factor-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-change-factor-lead"))),
		Back: k.back(k.dismiss),
	}
	pocket, sms := s.card(k, "pocket", ui.IconQR, paired, s.pocket), s.card(k, "sms", ui.IconMail, !paired, s.sms)
	cards := ui.Row(ui.SizeGap, ui.Grow(1, pocket), ui.Grow(1, sms))
	if high() {
		cards = ui.Column(ui.SizeSmallGap, pocket, sms)
	}
	p.Content = ui.Column("", cards)
	switch {
	case s.refused != nil:
		p.Content = ui.Column(ui.SizeSmallGap, cards, ui.NewMessage(ui.Failure, "", ui.Plain(k.refusal(s.refused))))
	case !k.view.Pocket.Possible:
		p.Lead = nil
		p.Content = ui.Column(ui.SizeSmallGap, cards,
			ui.NewMessage(ui.Info, k.t("kiosk-only-sms-why", k.names()), ui.Plain(k.t("kiosk-change-factor-why", k.names()))))
	}
	return k.frame(p)
}

// card is one factor with what it means; the one that counts says so.
func (s *factorScreen) card(k *Kiosk, which string, icon ui.Icon, now bool, b *ui.Button) fyne.CanvasObject {
	t := func(id string) string { return k.t("kiosk-a2-"+which+id, k.names()) }
	line, kind := k.t("kiosk-choice-"+which+"-line"), ui.Surface
	if now {
		line, kind = k.t("kiosk-factor-now"), ui.Recommended
		if since := k.sinceDate(k.view); since != "" {
			line = since
		}
	}
	col := ui.Column(ui.SizeSmallGap, ui.NewItem(icon, false, k.t("kiosk-choice-"+which, k.names()), line), point(t("-1")))
	if !k.tight() || k.low() && ui.Current().Scale <= ui.Normal {
		col.Add(point(t("-2")))
	}
	if now && k.view.Account.Device != "" && which == "pocket" && !tiny() {
		col.Add(note(k.t("kiosk-means-device", i18n.Args{"Device": short(k.view.Account.Device, 32)})))
	} else if !tiny() {
		col.Add(note(t("-3")))
	}
	if b != nil {
		if !k.tight() {
			b.Big = true
		}
		col.Add(ui.Spring())
		col.Add(b)
	}
	return ui.NewCard(kind, col)
}

func (s *factorScreen) toPocket(k *Kiosk) {
	k.call(s.pocket, k.c.Desk.OfferPairing, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.toPocket(k) })
}

func (s *factorScreen) toSMS(k *Kiosk) {
	k.change("sms", s.sms, k.c.Desk.SwitchToSMS, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.toSMS(k) })
}

func (s *factorScreen) refuse(k *Kiosk, r *desk.Refusal) {
	s.refused = r
	k.rebuild()
}

// update follows a pairing that began elsewhere in this visit.
func (s *factorScreen) update(k *Kiosk) {
	if inPairing(k.view) {
		k.show(&pairScreen{account: true})
	}
}
