package kiosk

import (
	"testing"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Somebody left half-way and forgot the password; the helpdesk gave them a ticket.
func TestATicketOfTheHelpdeskTakesThePlaceOfAPassword(t *testing.T) {
	h := open(t, nil)
	h.toPhone()
	h.wipe(stopped)
	ctx := t.Context()
	whom, err := h.home.Desk.Subject(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	agent := func() desk.Agent {
		s, err := h.home.Desk.AddToRoster(ctx, desk.Person{Email: "agent@voorbeeld.nl"}, "test")
		if err != nil {
			t.Fatal(err)
		}
		return desk.Agent{Subject: s, Role: domain.RoleHelpdesk}
	}()
	second, err := h.home.Desk.AddToRoster(ctx, desk.Person{Email: "second@voorbeeld.nl"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	asked, err := h.home.Desk.RequestCase(ctx, agent, desk.CaseRequest{
		Subject: whom, Action: enrolment.IssuingTicket, Reason: enrolment.CaseForgotten, Evidence: []enrolment.Evidence{enrolment.SawPass},
	})
	if err == nil {
		_, err = h.home.Desk.ApproveCase(ctx, desk.Agent{Subject: second, Role: domain.RoleApprover}, whom, asked.Case)
	}
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := h.home.Desk.Ticket(ctx, agent, whom, asked.Case)
	if err != nil {
		t.Fatal(err)
	}

	n := h.messages()
	h.begin(email)
	on[*codeScreen](h)
	h.typed(h.code(n).Code)
	on[*resumeScreen](h)
	h.touch("kiosk-resume-forgot")
	on[*restartScreen](h)
	h.touch("kiosk-restart-ticket-have")
	s := on[*helpTicketScreen](h)
	if !h.page.Primary.Disabled() {
		t.Error("half a ticket can be given")
	}
	h.typed("2222-2222-2222")
	h.next()
	h.until("it is refused", func() bool { return s.refused != nil && !h.busy })
	if s.refused.Code != desk.WrongCode {
		t.Errorf("refused with %s", s.refused.Code)
	}
	h.typed(ticket)
	h.next()
	on[*passwordScreen](h)
}
