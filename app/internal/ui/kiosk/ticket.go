package kiosk

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/pairing"
)

// ticketScreen asks for the ticket of an invitation, between E3 and E4. A scanner that
// plays a keyboard types it, and Enter after it.
type ticketScreen struct {
	plain

	field   *ui.Field
	left    *ui.Text
	refused *desk.Refusal
	wrong   string        // the ticket that was refused: the same once more asks nothing
	why     *desk.Refusal // of it
}

func (s *ticketScreen) first() fyne.Focusable  { return s.field.Input() }
func (s *ticketScreen) wipe()                  { s.field.Wipe(); s.wrong = "" }
func (s *ticketScreen) patient() bool          { return true }
func (s *ticketScreen) label(*ui.Input) string { return s.field.Label() }

// ticketOf returns the screen for who has to give a ticket.
func (k *Kiosk) ticketOf(v desk.View) screen {
	switch {
	case v.Code.Locked:
		return &lockedScreen{}
	case v.Invitation.Left == 0:
		return &noTicketScreen{}
	}
	return &ticketScreen{}
}

func (s *ticketScreen) build(k *Kiosk) fyne.CanvasObject {
	f := ui.NewField(k.t("kiosk-ticket"), k.t("kiosk-ticket-hint"))
	f.SetMono(true)
	in := f.Input()
	in.Arrange = pairing.ArrangeCode
	s.field = again(s.field, f)
	in.OnSubmitted = func(string) { s.submit(k) }
	in.OnChanged = func(string) { s.changed(k) }
	if s.refused != nil {
		f.SetError(k.refusal(s.refused))
	}
	s.left = ui.Hint().Align(fyne.TextAlignTrailing).OneLine()
	none := ui.NewButton(ui.Small, k.t("kiosk-ticket-none"), func() { k.show(&noTicketScreen{said: true}) })
	p := ui.Page{
		Step: 2, Heading: k.t("kiosk-ticket-title"), Lead: ui.Lead(ui.Plain(k.t("kiosk-ticket-lead"))),
		Keyboard: ui.NewTicketKeyboard(k.p, in),
		Back:     k.back(func() { k.show(&recapScreen{step: 1}) }), Primary: k.next(func() { s.submit(k) }),
	}
	if k.low() {
		p.Content, p.Extra = ui.Limit(960, ui.Column(ui.SizeSmallGap, f, s.left)), none
	} else {
		p.Content = ui.Limit(960, ui.Column(ui.SizeSmallGap, f, ui.Row(ui.SizeSmallGap, none, ui.GrowCentred(1, s.left))))
	}
	p.Primary.SetEnabled(s.complete())
	o := k.frame(p)
	s.tick(k)
	return o
}

// complete says whether a whole ticket was typed, and not the one that was refused.
func (s *ticketScreen) complete() bool {
	ticket, err := pairing.NormaliseCode(s.field.Text())
	return err == nil && ticket != s.wrong
}

func (s *ticketScreen) changed(k *Kiosk) {
	k.page.Primary.SetEnabled(s.complete())
	if s.refused != nil {
		s.refused = nil
		s.field.SetError("")
	}
}

// tick says how long the ticket works.
func (s *ticketScreen) tick(k *Kiosk) {
	text := ""
	if left := k.since(k.view.Invitation.Left); left > 0 {
		text = k.t("kiosk-ticket-left", i18n.Args{"Wait": k.wait(left)})
	}
	if s.left.String() != text {
		s.left.SetText(text)
	}
}

// update follows what staff do with the invitation meanwhile.
func (s *ticketScreen) update(k *Kiosk) {
	if next := k.ticketOf(k.view); !k.busy {
		if _, same := next.(*ticketScreen); !same {
			k.show(next)
			return
		}
	}
	s.tick(k)
}

func (s *ticketScreen) submit(k *Kiosk) {
	typed := s.field.Text()
	switch ticket, err := pairing.NormaliseCode(typed); {
	case typed == "" || k.busy:
		return
	case err != nil:
		s.say(k, &desk.Refusal{Code: desk.NotATicket})
		return
	case ticket == s.wrong:
		s.say(k, s.why)
		return
	}
	k.call(nil, func(ctx context.Context, visit string) (desk.View, error) {
		return k.c.Desk.RedeemInvitation(ctx, visit, typed)
	}, func(r *desk.Refusal) { s.refuse(k, r, typed) }, func() { s.submit(k) })
}

// refuse says why. What was typed stays, to be looked at, and goes when something else
// is typed or scanned.
func (s *ticketScreen) refuse(k *Kiosk, r *desk.Refusal, typed string) {
	switch r.Code { //nolint:exhaustive // the others are about what was typed
	case desk.TicketExpired, desk.TicketEnded, desk.NoTicket:
		k.show(&noTicketScreen{refused: r})
		return
	case desk.WrongTicket:
		if ticket, err := pairing.NormaliseCode(typed); err == nil {
			s.wrong, s.why = ticket, r
		}
	}
	s.say(k, r)
}

// say says what is wrong at the field.
func (s *ticketScreen) say(k *Kiosk, r *desk.Refusal) {
	s.refused = r
	s.field.SetError(k.refusal(r))
	k.page.Primary.SetEnabled(s.complete())
	k.focus(s.field.Input())
	if r.Code != desk.NotATicket { // which goes on where it was
		s.field.Input().TypedShortcut(&fyne.ShortcutSelectAll{})
	}
}

// noTicketScreen is for who has no ticket, or none that works. It goes on by itself once
// staff have made one.
type noTicketScreen struct {
	plain

	said    bool // the person says so: there is one
	refused *desk.Refusal
}

func (s *noTicketScreen) patient() bool { return true }

func (s *noTicketScreen) build(k *Kiosk) fyne.CanvasObject {
	kind, text := ui.Info, k.t("kiosk-no-ticket-closed", k.names())
	switch {
	case s.refused != nil:
		kind, text = ui.Failure, k.refusal(s.refused)+" "+k.t("kiosk-no-ticket-wait")
	case s.said:
		text = k.t("kiosk-no-ticket-open", k.names())
	}
	p := ui.Page{Step: 2, Heading: k.t("kiosk-no-ticket-title"), Back: k.back(func() { s.back(k) })}
	p.Content = k.ways(
		ui.NewMessage(kind, k.t("kiosk-no-ticket"), ui.Plain(text+" "), ui.Bold(k.view.Email)),
		ui.NewListButton(ui.IconQuestion, k.t("kiosk-stuck-help"), k.t("kiosk-stuck-help-line", k.names()), func() { k.showHelp(p.Step) }))
	return k.frame(p)
}

func (s *noTicketScreen) back(k *Kiosk) {
	if k.view.Invitation.Left > 0 {
		k.show(&ticketScreen{})
		return
	}
	k.show(&recapScreen{step: 1})
}

func (s *noTicketScreen) update(k *Kiosk) {
	if next := k.ticketOf(k.view); !s.said || k.view.Invitation.Left == 0 {
		if _, same := next.(*noTicketScreen); !same {
			k.show(next)
		}
	}
}
