package kiosk

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// lossScreen asks who has no phone what became of it.
type lossScreen struct {
	plain

	refused *desk.Refusal
}

func (s *lossScreen) build(k *Kiosk) fyne.CanvasObject {
	p := ui.Page{
		Heading: k.t("kiosk-loss-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-loss-lead"))),
		Back: k.back(k.backToLogin),
	}
	content := ui.Column(ui.SizeSmallGap)
	if s.refused != nil {
		content.Add(ui.NewMessage(ui.Failure, "", ui.Plain(k.refusal(s.refused))))
	}
	if k.view.Factor == enrolment.Pocket {
		content.Add(ui.NewListButton(ui.IconPhone, k.t("kiosk-loss-new"), k.t("kiosk-loss-new-line"), func() { s.report(k) }))
	}
	content.Add(ui.NewListButton(ui.IconQuestion, k.t("kiosk-loss-lost"), k.t("kiosk-loss-lost-line"), func() { k.show(&freezeScreen{loss: desk.LostPhone}) }))
	content.Add(ui.NewListButton(ui.IconWarning, k.t("kiosk-loss-stolen"), k.t("kiosk-loss-stolen-line"), func() { k.show(&freezeScreen{loss: desk.StolenPhone}) }))
	p.Content = content
	return k.frame(p)
}

// report is for another phone with the same number.
func (s *lossScreen) report(k *Kiosk) {
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.ReportPhone(ctx, visit, desk.NewPhone)
	}, func(r *desk.Refusal) {
		s.refused = r
		k.rebuild()
	}, func() { s.report(k) })
}

// freezeScreen says what freezing means before it is done.
type freezeScreen struct {
	plain

	loss    desk.PhoneLoss
	refused *desk.Refusal
}

func (s *freezeScreen) build(k *Kiosk) fyne.CanvasObject {
	id := "kiosk-freeze-" + string(s.loss)
	message := ui.NewMessage(ui.Warning, k.t("kiosk-freeze-means"), ui.Plain(k.t("kiosk-freeze-means-text"))).WithIcon(ui.IconLock)
	if s.refused != nil {
		message = ui.NewMessage(ui.Failure, "", ui.Plain(k.refusal(s.refused)))
	}
	return k.frame(ui.Page{
		Heading: k.t(id + "-title"),
		Content: ui.Limit(960, ui.Column(ui.SizeGap, message,
			ui.Column(ui.SizeSmallGap, point(k.t(id+"-1")), point(k.t("kiosk-freeze-2", k.names())), note(k.t(id+"-3"))))),
		Back: k.back(func() { k.show(&lossScreen{}) }), Primary: ui.NewNext(k.t("kiosk-freeze-do"), func() { s.freeze(k) }),
	})
}

func (s *freezeScreen) freeze(k *Kiosk) {
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.ReportPhone(ctx, visit, s.loss)
	}, func(r *desk.Refusal) {
		s.refused = r
		k.rebuild()
	}, func() { s.freeze(k) })
}

// frozenScreen says that the account is frozen, why, and who can help. Without
// a visit it is known only that it is.
type frozenScreen struct {
	plain

	refused *desk.Refusal
}

func (s *frozenScreen) patient() bool      { return true }
func (s *frozenScreen) rail(k *Kiosk) rail { return k.loginRail(2) }

func (s *frozenScreen) build(k *Kiosk) fyne.CanvasObject {
	why := k.view.Account.Frozen
	id := "kiosk-frozen-unknown"
	switch why {
	case desk.FrozenNotMe, desk.FrozenLost, desk.FrozenStolen, desk.FrozenHelpdesk:
		id = "kiosk-frozen-" + string(why)
	}
	message := ui.NewMessage(ui.Warning, k.t(id), ui.Plain(k.t(id+"-text"))).WithIcon(ui.IconLock)
	if s.refused != nil {
		message = ui.NewMessage(ui.Failure, "", ui.Plain(k.refusal(s.refused)))
	}
	next := ui.Column(ui.SizeSmallGap)
	if code := k.view.Account.Case; code != "" {
		next.Add(ui.Subheading(k.t("kiosk-frozen-call", k.names())))
		next.Add(ui.NewText(ui.RoleTile, ui.Span{Text: code, Bold: true, Mono: true}).OneLine())
		next.Add(ui.Hint(ui.Plain(k.t("kiosk-frozen-case"))))
	} else {
		next.Add(ui.Subheading(k.t("kiosk-frozen-call-only", k.names())))
		next.Add(ui.Body(ui.Plain(k.t("kiosk-frozen-proof"))))
	}
	content := ui.Column(ui.SizeGap, message, ui.NewCard(ui.Surface, next))
	if k.tight() {
		content = ui.Column(ui.SizeSmallGap, message, ui.NewCard(ui.Surface, next))
	}
	if why == desk.FrozenLost {
		content.Add(ui.NewListButton(ui.IconPhone, k.t("kiosk-found"), k.t("kiosk-found-line"), func() { s.found(k) }))
	}
	return k.frame(ui.Page{
		Heading: k.t("kiosk-frozen-title"), Content: ui.Limit(1100, content),
		Primary: ui.NewNext(k.t("kiosk-close"), func() { k.wipe(finished) }),
	})
}

func (s *frozenScreen) update(k *Kiosk) { k.rebuild() }

func (s *frozenScreen) found(k *Kiosk) {
	k.call(nil, k.c.Desk.FoundPhone, func(r *desk.Refusal) {
		s.refused = r
		k.rebuild()
	}, func() { s.found(k) })
}
