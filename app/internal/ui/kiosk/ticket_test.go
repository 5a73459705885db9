package kiosk

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// openInvited shows a kiosk on a home that admits by invitation, and invites somebody.
func openInvited(t *testing.T, change func(*Config)) (h *hall, ticket string) {
	t.Helper()
	c := &clock{}
	h = stand(t, openHome(t, t.TempDir(), true, c.now, "organisation.admission=invitation"), c, fyne.NewSize(1920, 1080), change)
	return h, h.invites()
}

func (h *hall) invites() string {
	h.t.Helper()
	i, err := h.home.Desk.Invite(h.t.Context(), desk.Console(), desk.Person{Email: email, Name: fullName}, enrolment.InvitationShown)
	if err != nil {
		h.t.Fatal(err)
	}
	return i.Ticket.Reveal()
}

// toTicket walks to the ticket.
func (h *hall) toTicket() *ticketScreen {
	h.t.Helper()
	h.toEmailCode(email)
	h.typed(h.message(1).Code)
	return on[*ticketScreen](h)
}

// scans has a scanner play a keyboard: one that ends with two Enters.
func (h *hall) scans(ticket string) {
	h.t.Helper()
	h.typed(strings.ReplaceAll(ticket, "-", ""))
	h.key(fyne.KeyReturn)
	h.key(fyne.KeyEnter)
}

func another(ticket string) string {
	b := []byte(ticket)
	if b[5]++; b[5] > '9' {
		b[5] = '0'
	}
	return string(b)
}

func TestATicketIsTyped(t *testing.T) {
	voice := &recorder{}
	h, ticket := openInvited(t, func(c *Config) { c.Speech = voice })
	s := h.toTicket()
	if !h.page.Primary.Disabled() || !strings.Contains(s.left.String(), "24") {
		t.Errorf("it shows %q", s.left.String())
	}
	wrong := strings.ToLower(another(ticket))
	h.typed(strings.ReplaceAll(wrong[:13], "-", ""))
	if got := s.field.Text(); got != strings.ToUpper(wrong[:13]) || !h.page.Primary.Disabled() {
		t.Errorf("typed, it reads %q", got)
	}
	h.key(fyne.KeyReturn) // not whole: nothing is asked
	if got := s.field.Wrong(); h.busy || got != h.worded("refusal-not-a-ticket") {
		t.Errorf("half a ticket gets %q", got)
	}
	h.typed(wrong[13:])
	h.next()
	h.until("it is refused", func() bool { return !h.busy && s.field.Wrong() != "" })
	if !strings.Contains(s.field.Wrong(), "4") || h.page.Primary.Disabled() != true {
		t.Errorf("says %q", s.field.Wrong())
	}
	h.find("kiosk-read-aloud").Tapped(nil)
	said := voice.said[len(voice.said)-1]
	for _, id := range []string{"kiosk-ticket-title", "kiosk-ticket-lead", "kiosk-ticket"} {
		if !strings.Contains(said, h.worded(id)) {
			t.Errorf("%s is not in %q", id, said)
		}
	}
	if strings.Contains(said, wrong[:4]) || strings.Contains(said, strings.ToUpper(wrong[:4])) {
		t.Errorf("the ticket is read aloud in %q", said)
	}
	// What is typed now takes the place of what was wrong.
	h.scans(ticket)
	on[*passwordScreen](h)
	if got := s.field.Text(); got != "" {
		t.Errorf("the field still holds %q", got)
	}
}

func TestAScannerThatScansTheWrongTicket(t *testing.T) {
	h, ticket := openInvited(t, nil)
	s := h.toTicket()
	for nth := range 3 {
		h.scans(another(ticket))
		h.until("it is refused", func() bool { return !h.busy && s.field.Wrong() != "" })
		h.key(fyne.KeyReturn)
		h.drain()
		if h.busy || h.view.Invitation.Tries != 4 {
			t.Fatalf("the %d. time, %d tries are left", nth+1, h.view.Invitation.Tries)
		}
	}
	h.scans(ticket)
	on[*passwordScreen](h)
}

func TestNoTicket(t *testing.T) {
	h, ticket := openInvited(t, nil)
	h.toTicket()
	h.touch("kiosk-ticket-none")
	on[*noTicketScreen](h)
	h.says("kiosk-no-ticket-title", "kiosk-no-ticket", "kiosk-no-ticket-open", "kiosk-stuck-help")
	h.touch("kiosk-stuck-help")
	on[*helpScreen](h)
	h.press(h.page.Back)
	on[*noTicketScreen](h)
	h.press(h.page.Back)
	s := on[*ticketScreen](h)
	h.press(h.page.Back)
	on[*recapScreen](h)
	h.next()
	s = on[*ticketScreen](h)

	// Five wrong ones, and staff have to make another: the screen waits for it.
	for _, r := range "23456" {
		h.typed(strings.Repeat(string(r), 12))
		h.key(fyne.KeyReturn)
		h.until("it is refused", func() bool { return !h.busy && (s.field.Wrong() != "" || h.screen != screen(s)) })
	}
	on[*noTicketScreen](h)
	h.says("kiosk-no-ticket-wait")
	again := h.invites()
	on[*ticketScreen](h)
	h.scans(ticket)
	s = on[*ticketScreen](h)
	h.until("the old one is refused", func() bool { return !h.busy && s.field.Wrong() != "" })
	h.scans(again)
	on[*passwordScreen](h)
}

// While somebody looks for the paper, the kiosk waits as for a code; then it forgets.
func TestTheKioskWaitsForATicketAndForgetsIt(t *testing.T) {
	h, ticket := openInvited(t, nil)
	s := h.toTicket()
	h.typed(ticket[:9])
	h.pass(2 * time.Minute)
	if on[*ticketScreen](h) != s || h.veil != nil {
		t.Errorf("asks whether somebody is there")
	}
	h.pass(4 * time.Minute)
	on[*startScreen](h)
	if got := s.field.Text(); got != "" {
		t.Errorf("the field still holds %q", got)
	}
}
