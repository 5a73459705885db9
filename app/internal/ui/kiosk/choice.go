package kiosk

import (
	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// choiceScreen is E7: the question answered by Ja and Nee inside two cards.
type choiceScreen struct {
	plain

	refused *desk.Refusal
	yes, no *ui.Button
}

func (s *choiceScreen) first() fyne.Focusable {
	if s.yes != nil {
		return s.yes
	}
	return s.no
}

func (s *choiceScreen) build(k *Kiosk) fyne.CanvasObject {
	p := ui.Page{
		Step: 5, Heading: k.t("kiosk-choice-title", k.names()), Lead: ui.Lead(ui.Plain(k.t("kiosk-choice-lead", k.names()))),
		Back: k.back(func() { k.show(&phoneScreen{}) }),
	}
	s.yes = nil
	if !k.view.Pocket.Possible {
		return s.onlySMS(k, p)
	}
	s.yes = ui.NewButton(ui.Primary, k.t("yes"), func() { s.pair(k) })
	s.no = ui.NewButton(ui.Secondary, k.t("no"), func() { s.sms(k) })
	cards := []fyne.CanvasObject{
		s.card(k, ui.Recommended, ui.IconQR, "pocket", s.yes), s.card(k, ui.Surface, ui.IconMail, "sms", s.no),
	}
	last := note(k.t("kiosk-choice-later"))
	if s.refused != nil {
		last = ui.NewMessage(ui.Failure, "", ui.Plain(k.refusal(s.refused)))
	}
	switch {
	case high() && s.refused == nil: // the cards need the height
		p.Lead = ui.Lead(ui.Plain(k.t("kiosk-choice-lead", k.names()) + " " + k.t("kiosk-choice-later")))
		p.Content = ui.Column(ui.SizeSmallGap, cards[0], cards[1])
	case high():
		p.Content = ui.Column(ui.SizeSmallGap, cards[0], cards[1], last)
	default:
		p.Content = ui.Column(ui.SizeSmallGap, ui.Row(ui.SizeGap, ui.Grow(1, cards[0]), ui.Grow(1, cards[1])), last)
	}
	return k.frame(p)
}

// card is one answer with what it means.
func (s *choiceScreen) card(k *Kiosk, kind ui.CardKind, icon ui.Icon, which string, b *ui.Button) fyne.CanvasObject {
	b.Big = true
	t := func(id string) string { return k.t("kiosk-choice-"+which+id, k.names()) }
	item := ui.NewItem(icon, false, t(""), t("-line"))
	if ui.Current().Class == ui.SmallPortrait { // the answer beside what it answers
		col := ui.Column(ui.SizeSmallGap, ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, item), b), point(t("-1")))
		if ui.Current().Scale <= ui.Normal {
			col.Add(point(t("-2")))
		}
		col.Add(note(t("-3")))
		return ui.NewCard(kind, col)
	}
	return ui.NewCard(kind, ui.Column(ui.SizeSmallGap, item, point(t("-1")), point(t("-2")), note(t("-3")), ui.Spring(), b))
}

// onlySMS is the page where phones cannot reach Keydesk.
func (s *choiceScreen) onlySMS(k *Kiosk, p ui.Page) fyne.CanvasObject {
	p.Heading, p.Lead = k.t("kiosk-only-sms-title"), ui.Lead(ui.Plain(k.t("kiosk-only-sms-lead")))
	p.Primary = k.next(func() { s.sms(k) })
	s.no = p.Primary
	p.Content = ui.Limit(960, ui.Column(ui.SizeGap,
		ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap,
			ui.NewItem(ui.IconMail, false, k.t("kiosk-choice-sms"), k.t("kiosk-choice-sms-line")),
			point(k.t("kiosk-choice-sms-1")), point(k.t("kiosk-choice-sms-2")), note(k.t("kiosk-choice-sms-3")))),
		ui.NewMessage(ui.Info, k.t("kiosk-only-sms-why", k.names()), ui.Plain(k.t("kiosk-only-sms-why-text", k.names())))))
	return k.frame(p)
}

func (s *choiceScreen) sms(k *Kiosk) {
	k.call(s.no, k.c.Desk.ChooseSMS, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.sms(k) })
}

func (s *choiceScreen) pair(k *Kiosk) {
	k.call(s.yes, k.c.Desk.OfferPairing, func(r *desk.Refusal) { s.refuse(k, r) }, func() { s.pair(k) })
}

func (s *choiceScreen) refuse(k *Kiosk, r *desk.Refusal) {
	s.refused = r
	k.rebuild()
}
