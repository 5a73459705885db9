package kiosk

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// doneScreen is E9. Nothing can be changed here without logging in, and it
// empties itself.
type doneScreen struct {
	plain

	until time.Time
	set   func(left, whole time.Duration, unit string)
	done  *ui.Button
}

func (s *doneScreen) first() fyne.Focusable { return s.done }

func (s *doneScreen) build(k *Kiosk) fyne.CanvasObject {
	if s.until.IsZero() {
		s.until = k.c.Now().Add(k.c.DoneWipe)
	}
	factor, lead := k.t("kiosk-factor-sms"), k.t("kiosk-done-sms", i18n.Args{"Name": firstName(k.view.Name)})
	if k.view.Factor == enrolment.Pocket {
		factor = k.t("kiosk-factor-pocket", k.names())
		lead = k.t("kiosk-done-pocket", k.names(), i18n.Args{"Name": firstName(k.view.Name)})
	}
	var timer fyne.CanvasObject
	timer, s.set = ui.NewWipeTimer()
	more := ui.NewButton(ui.Small, k.t("kiosk-more-time"), func() {
		s.until = k.c.Now().Add(k.c.DoneWipe)
		s.tick(k)
	}).WithLeft(ui.IconClock)
	s.done = ui.NewButton(ui.Secondary, k.t("kiosk-close"), func() { k.wipe(finished) })
	key := ui.NewKeyLine(false)
	key.Set(7)
	value := func(s string) *ui.Text {
		t := ui.Body(ui.Bold(s))
		if k.tight() {
			return t.Elide()
		}
		return t
	}
	facts := ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap,
		ui.Subheading(k.t("my-details")),
		s.fact(k.t("name"), value(k.view.Name)), ui.NewRule(), s.fact(k.t("email"), value(k.view.Email)), ui.NewRule(),
		s.fact(k.t("phone-number"), value(k.view.Phone.International)), ui.NewRule(), s.fact(k.t("kiosk-second-step"), value(factor))))
	tidy := ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap,
		ui.Subheading(k.t("kiosk-tidy")), timer, ui.Body(ui.Plain(k.t("kiosk-tidy-text"))), more))
	p := ui.Page{
		Step: 7, Caption: k.t("kiosk-all-done"), Heading: k.t("done"), Display: true, Lead: ui.Lead(ui.Plain(lead)),
		Back: s.done, Primary: ui.NewNext(k.t("log-in"), func() { s.login(k) }),
	}
	cards := ui.Row(ui.SizeGap, ui.Grow(3, facts), ui.Grow(2, tidy))
	if high() {
		cards = ui.Column(ui.SizeSmallGap, facts, tidy)
	}
	p.Content = cards
	if ui.Current().Scale <= ui.Normal {
		p.Content = ui.Column(ui.SizeSmallGap, key, cards)
	}
	o := k.frame(p)
	s.tick(k)
	return o
}

// fact is one line of what is recorded.
func (s *doneScreen) fact(label string, value *ui.Text) fyne.CanvasObject {
	return ui.Row(ui.SizeSmallGap, ui.NewGlyph(ui.IconCheck, theme.ColorNameSuccess),
		ui.GrowCentred(2, ui.Hint(ui.Plain(label)).Elide()), ui.GrowCentred(4, value))
}

func (s *doneScreen) tick(k *Kiosk) {
	left := max(0, s.until.Sub(k.c.Now()))
	s.set(left, k.c.DoneWipe, k.p.N("kiosk-seconds-unit", ui.Seconds(ui.Calm(left))))
	if left <= 0 {
		k.wipe(finished)
	}
}

// login ends the enrolment's visit and begins another, of the same person.
func (s *doneScreen) login(k *Kiosk) {
	address := k.view.Email
	k.leave(finished)
	k.email, k.name, k.help, k.began = address, "", "", k.c.Now()
	k.show(&loginScreen{})
}
