package kiosk

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/pairing"
)

// helpTicketScreen asks for the ticket that the helpdesk gave to somebody who left
// half-way and forgot the password. It takes the place of that, once; what was recorded
// stays.
type helpTicketScreen struct {
	plain

	field   *ui.Field
	refused *desk.Refusal
}

func (s *helpTicketScreen) first() fyne.Focusable  { return s.field.Input() }
func (s *helpTicketScreen) wipe()                  { s.field.Wipe() }
func (s *helpTicketScreen) patient() bool          { return true }
func (s *helpTicketScreen) label(*ui.Input) string { return s.field.Label() }

func (s *helpTicketScreen) build(k *Kiosk) fyne.CanvasObject {
	f := ui.NewField(k.t("kiosk-help-ticket"), k.t("kiosk-help-ticket-hint"))
	f.SetMono(true)
	in := f.Input()
	in.Arrange = pairing.ArrangeCode
	s.field = again(s.field, f)
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(string) {
		k.page.Primary.SetEnabled(s.complete())
		if s.refused != nil {
			s.refused = nil
			s.field.SetError("")
		}
	}
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	p := ui.Page{
		Step: 2, Heading: k.t("kiosk-help-ticket-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-help-ticket-lead", k.names()))),
		Content: ui.Limit(960, f), Keyboard: ui.NewTicketKeyboard(k.p, in),
		Back: k.back(func() { k.show(&restartScreen{}) }), Primary: k.next(func() { s.submit(k) }),
	}
	p.Primary.SetEnabled(s.complete())
	return k.frame(p)
}

func (s *helpTicketScreen) complete() bool {
	_, err := pairing.NormaliseCode(s.field.Text())
	return err == nil
}

func (s *helpTicketScreen) submit(k *Kiosk) {
	typed := s.field.Text()
	if !s.complete() || k.busy {
		return
	}
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.RedeemTicket(ctx, visit, typed)
	},
		func(r *desk.Refusal) {
			s.field.Input().Clear()
			s.refused = r
			s.field.SetError(k.refusal(r))
			k.focus(s.field.Input())
		}, func() { s.submit(k) })
}
