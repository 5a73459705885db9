package home_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

const (
	byInvitation = "organisation.admission=invitation"
	external     = "guest@elders.example"
)

// invite invites somebody, and returns the ticket.
func (h *house) invite(address string) string {
	h.t.Helper()
	i, err := h.Desk.Invite(h.t.Context(), desk.Console(), desk.Person{Email: address}, enrolment.InvitationShown)
	if err != nil {
		h.t.Fatal(err)
	}
	if i.Email != address || !i.Expires.After(time.Now().Add(23*time.Hour)) {
		h.t.Errorf("issued %+v", i)
	}
	return i.Ticket.Reveal()
}

// toTicket walks from E1 to the ticket, taking a message of the outbox.
func (h *house) toTicket(address string, message int) desk.View {
	h.t.Helper()
	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(h.t.Context(), address, "nl"))
	return h.must(desk.ScreenTicket)(h.Desk.ConfirmEmail(h.t.Context(), v.Visit, h.message(message).Code))
}

// wrongTicket is another one.
func wrongTicket(ticket string) string {
	b := []byte(ticket)
	if b[0]++; b[0] > '9' {
		b[0] = '0'
	}
	return string(b)
}

func TestAnInvitationAdmits(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	ticket := h.invite(external)
	v := h.toTicket(external, 1)
	if i := v.Invitation; !i.Asked || i.Tries != 5 || i.Left < 23*time.Hour || v.Name != "" {
		t.Errorf("the ticket's screen shows %+v", v)
	}
	v = h.refused(desk.NotATicket)(h.Desk.RedeemInvitation(ctx, v.Visit, "K7WX"))
	if v.Invitation.Tries != 5 {
		t.Errorf("half a ticket was a guess: %+v", v.Invitation)
	}
	v = h.refused(desk.WrongTicket)(h.Desk.RedeemInvitation(ctx, v.Visit, wrongTicket(ticket)))
	if v.Invitation.Tries != 4 || v.Screen != desk.ScreenTicket {
		t.Errorf("after a wrong one it shows %+v", v)
	}
	typed := strings.NewReplacer("0", "o", "1", "l").Replace(strings.ToLower(strings.ReplaceAll(ticket, "-", " ")))
	v = h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, v.Visit, typed))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number))
	v = h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, h.message(2).Code))
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, v.Visit))
	if f := h.factor(external); f != enrolment.SMS {
		t.Errorf("the factor is %s", f)
	}
	want := []string{
		"InvitationIssued", "EnrolmentStarted", "CodeIssued", "EmailConfirmed", "InvitationRejected", "InvitationRedeemed",
		"NameSet", "PasswordSet", "PhoneGiven", "CodeIssued", "PhoneVerified", "FactorChosen",
	}
	got := slices.DeleteFunc(h.typesOf(external), func(typ string) bool { return typ == "CodeSent" })
	if !reflect.DeepEqual(got, want) {
		t.Errorf("recorded %v", got)
	}
	if _, err := h.Desk.Invite(ctx, desk.Console(), desk.Person{Email: external}, enrolment.InvitationShown); !errors.Is(err, enrolment.ErrAlreadyEnrolled) {
		t.Errorf("invited again: %v", err)
	}
}

// Who is not invited sees what everybody sees, and gets no mail.
func TestWhoIsNotInvitedIsAStranger(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	late, taken, guessed := "late@elders.example", "taken@elders.example", "guessed@elders.example"
	for _, address := range []string{late, taken, guessed} {
		h.invite(address)
	}
	v := h.toTicket(guessed, 1)
	for range 5 {
		_, _ = h.Desk.RedeemInvitation(ctx, v.Visit, "0000-0000-0000")
	}
	c.pass(25 * time.Hour)
	s, err := h.Desk.Subject(ctx, taken)
	if err != nil {
		t.Fatal(err)
	}
	h.invite(taken)
	if done, err := h.Desk.RevokeInvitation(ctx, desk.Console(), s); err != nil || !done {
		t.Fatal(done, err)
	}
	if done, err := h.Desk.RevokeInvitation(ctx, desk.Console(), s); err != nil || done {
		t.Errorf("taken back twice: %v, %v", done, err)
	}
	if _, err := h.Desk.AddToRoster(ctx, desk.Person{Email: "announced@elders.example"}, "b"); err != nil {
		t.Fatal(err)
	}
	before := h.messages()
	for _, address := range []string{late, taken, guessed, "announced@elders.example", email, "nobody@elders.example"} {
		v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, address, "nl"))
		if v.Invitation != (desk.InvitationView{}) || v.Name != "" {
			t.Errorf("%s: E3 shows %+v", address, v)
		}
		h.refused(desk.WrongCode)(h.Desk.ConfirmEmail(ctx, v.Visit, "1234567"))
		h.refused(desk.OutOfOrder)(h.Desk.RedeemInvitation(ctx, v.Visit, "0000-0000-0000"))
	}
	h.quiet()
	if got := h.messages(); got != before {
		t.Errorf("%d messages", got-before)
	}
}

func TestAnInvitationBesideTheRoster(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false, "organisation.ticket=no-phone")
	ctx := t.Context()
	const known, unknown = "known@elders.example", "unknown@elders.example"
	for _, p := range []desk.Person{{Email: known, Name: name, Phone: number}, {Email: unknown, Name: name}} {
		if _, err := h.Desk.AddToRoster(ctx, p, "b"); err != nil {
			t.Fatal(err)
		}
	}
	for address, asked := range map[string]bool{known: false, unknown: true, external: true} {
		i, err := h.Desk.Invite(ctx, desk.Console(), desk.Person{Email: address, Language: "en"}, enrolment.InvitationPrinted)
		if err != nil || i.Asked != asked || i.Lang != "en" || (i.Name == name) != (address != external) {
			t.Errorf("%s: %+v, %v", address, i, err)
		}
		page, err := h.Paper(i)
		if err != nil || !bytes.Contains(page, []byte(i.Ticket.Reveal())) || !bytes.Contains(page, []byte(address)) {
			t.Errorf("on paper: %s, %v", page, err)
		}
	}
	// A home of one domain has no use for an invitation that nobody could begin with.
	o := open(t, t.TempDir(), false, "organisation.admission=domain", "organisation.domains=voorbeeld.nl")
	if _, err := o.Desk.Invite(ctx, desk.Console(), desk.Person{Email: external}, enrolment.InvitationShown); !isCode(err, desk.OutsideDomains) {
		t.Errorf("outside the domains: %v", err)
	}
}

// What staff know of somebody comes up where the person would type it, and only
// behind the ticket.
func TestAnInvitationPrefills(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	i, err := h.Desk.Invite(ctx, desk.Console(), desk.Person{Email: external, Name: name, Phone: number}, enrolment.InvitationShown)
	if err != nil {
		t.Fatal(err)
	}
	v := h.toTicket(external, 1)
	if v.Name != "" || v.Phone.E164 != "" {
		t.Errorf("before the ticket it shows %+v", v)
	}
	h.refused(desk.OutOfOrder)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	h.refused(desk.OutOfOrder)(h.Desk.Resume(ctx, v.Visit, phrase))
	h.refused(desk.OutOfOrder)(h.Desk.Restart(ctx, v.Visit))
	v = h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, v.Visit, i.Ticket.Reveal()))
	if v.Name != name || v.Phone.E164 != e164 {
		t.Errorf("behind it: %+v", v)
	}
	open, there, err := h.Desk.OpenInvitation(ctx, i.Subject)
	if err != nil || there {
		t.Errorf("still open: %+v, %v", open, err)
	}
}

// Leaving half-way loses nothing: with a password the ticket is not asked again. Without
// the password all begins anew, and with it the need of a ticket.
func TestATicketIsGivenOnce(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	ticket := h.invite(external)
	v := h.toTicket(external, 1)
	h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
	if err := h.Desk.End(ctx, v.Visit, station.Stopped); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Minute)
	v = h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, external, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(2).Code))
	h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))

	c.pass(48 * time.Hour)
	v = h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, external, "nl"))
	v = h.must(desk.ScreenResume)(h.Desk.ConfirmEmail(ctx, v.Visit, h.message(3).Code))
	if !v.Invitation.Asked {
		t.Error("it is not said that a new beginning needs a ticket")
	}
	v = h.must(desk.ScreenTicket)(h.Desk.Restart(ctx, v.Visit))
	if v.Invitation.Left != 0 {
		t.Errorf("shows %+v", v.Invitation)
	}
	h.refused(desk.NoTicket)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
	// Staff invite them while they stand there.
	again := h.invite(external)
	v, err := h.Desk.Await(ctx, v.Visit, v.Version)
	if err != nil || v.Invitation.Left == 0 {
		t.Errorf("the screen does not hear of it: %+v, %v", v.Invitation, err)
	}
	h.refused(desk.WrongTicket)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
	h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, v.Visit, again))
}

func TestWhoLeftIsAdmittedByAnInvitation(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	h.imports(staffList(listed(1), listed(2)), desk.ImportOptions{})
	gone := listed(2).Email
	ticket := h.invite(gone) // before they left: worth nothing
	h.imports(staffList(listed(1)), desk.ImportOptions{Leavers: true})
	h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, gone, "nl"))
	h.quiet()
	if n := h.messages(); n != 0 {
		t.Fatalf("%d messages", n)
	}
	again := h.invite(gone)
	c.pass(resendWait)
	v := h.toTicket(gone, 1)
	h.refused(desk.WrongTicket)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
	h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, v.Visit, again))
}

// What somebody tries who reads the mail, and has no ticket.

func TestGuessingATicket(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, byInvitation, "policy.wrong_codes_in_a_row=7")
	ctx := t.Context()
	ticket := h.invite(external)
	v := h.toTicket(external, 1)
	elsewhere := h.Desk.At("elsewhere")
	call := desk.NewCall()
	for left := 4; left >= 0; left-- {
		code := desk.WrongTicket
		if left == 0 {
			code = desk.TicketEnded
		}
		v = h.refused(code)(h.Desk.RedeemInvitation(under(ctx, call), v.Visit, wrongTicket(ticket)))
		// The same call again is no other guess, and learns nothing of another ticket.
		if v = h.refused(code)(h.Desk.RedeemInvitation(under(ctx, call), v.Visit, ticket)); v.Invitation.Tries != left {
			t.Fatalf("%d tries are left, want %d", v.Invitation.Tries, left)
		}
		call = desk.NewCall()
	}
	h.refused(desk.TicketEnded)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
	h.refused(desk.VisitOver)(elsewhere.RedeemInvitation(ctx, v.Visit, ticket))

	// Another ticket is another five tries, and the row goes on.
	ticket = h.invite(external)
	h.refused(desk.WrongTicket)(h.Desk.RedeemInvitation(ctx, v.Visit, wrongTicket(ticket)))
	h.refused(desk.LockedOut)(h.Desk.RedeemInvitation(ctx, v.Visit, wrongTicket(ticket)))
	if v = h.refused(desk.LockedOut)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket)); !v.Code.Locked || v.Screen != desk.ScreenTicket {
		t.Errorf("locked, it shows %+v", v)
	}
	if err := h.Desk.Unlock(ctx, h.subjectOf(external)); err != nil {
		t.Fatal(err)
	}
	h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
}

func (h *house) subjectOf(address string) domain.SubjectID {
	h.t.Helper()
	s, err := h.Desk.Subject(h.t.Context(), address)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// Two guesses at the same moment count as two, at two stations too, and the right
// ticket is right once.
func TestTwoStationsShareOneTicket(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	ticket := h.invite(external)
	here := h.toTicket(external, 1)
	c.pass(resendWait)
	elsewhere := h.Desk.At("elsewhere")
	there := h.must(desk.ScreenEmailCode)(elsewhere.Begin(ctx, external, "nl"))
	there = h.must(desk.ScreenTicket)(elsewhere.ConfirmEmail(ctx, there.Visit, h.message(2).Code))
	done := make(chan error, 4)
	for i := range 4 {
		at, v := h.Desk, here
		if i%2 == 1 {
			at, v = elsewhere, there
		}
		go func() {
			_, err := at.RedeemInvitation(ctx, v.Visit, wrongTicket(ticket))
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; !isCode(err, desk.WrongTicket) {
			t.Errorf("got %v", err)
		}
	}
	v, err := elsewhere.View(ctx, there.Visit)
	if err != nil || v.Invitation.Tries != 1 {
		t.Errorf("%+v, %v", v.Invitation, err)
	}
	h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, here.Visit, ticket))
	redeemed := 0
	for _, typ := range h.typesOf(external) {
		if typ == "InvitationRedeemed" {
			redeemed++
		}
	}
	h.must(desk.ScreenPassword)(elsewhere.RedeemInvitation(ctx, there.Visit, "0000-0000-0000")) // the same person, at another station
	if got := h.typesOf(external); redeemed != 1 || slices.Contains(got[len(got)-1:], "InvitationRejected") {
		t.Errorf("recorded %v", got)
	}
}

func TestATicketIsForOnePersonOnly(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	const other = "other@elders.example"
	ticket := h.invite(external)
	h.invite(other)
	v := h.toTicket(other, 1)
	h.refused(desk.WrongTicket)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
}

// A freeze takes the ticket with it: it may be in the same hands.
func TestATicketIsNotWorthMoreThanAFreeze(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	ticket := h.invite(external)
	s := h.subjectOf(external)
	v := h.toTicket(external, 1)
	if done, err := h.Desk.Freeze(ctx, s, enrolment.CaseSuspicion); err != nil || !done {
		t.Fatal(done, err)
	}
	h.refused(desk.VisitOver)(h.Desk.RedeemInvitation(ctx, v.Visit, ticket))
	if _, err := h.Desk.Invite(ctx, desk.Console(), desk.Person{Email: external}, enrolment.InvitationShown); !errors.Is(err, enrolment.ErrFrozen) {
		t.Errorf("invited while frozen: %v", err)
	}
	if _, there, err := h.Desk.OpenInvitation(ctx, s); there || err != nil {
		t.Errorf("open while frozen: %v", err)
	}
	if done, err := h.Desk.Unfreeze(ctx, s, enrolment.CaseMistake); err != nil || !done {
		t.Fatal(done, err)
	}
	if _, there, err := h.Desk.OpenInvitation(ctx, s); there || err != nil {
		t.Errorf("open after a freeze: %v", err)
	}
}

func TestAStationTriesOnlySoManyTickets(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true, byInvitation, "policy.station_hour=1000")
	ctx := t.Context()
	refused := 0
	var last string
	var v desk.View
	for i := range 25 {
		address := "guest" + string(rune('a'+i)) + "@elders.example"
		last = h.invite(address)
		v = h.toTicket(address, i+1)
		for range 5 {
			if _, err := h.Desk.RedeemInvitation(ctx, v.Visit, wrongTicket(last)); isCode(err, desk.Limited) {
				refused++
			}
		}
	}
	if refused != 5 {
		t.Errorf("%d of 125 tries were refused", refused)
	}
	h.refused(desk.Limited)(h.Desk.RedeemInvitation(ctx, v.Visit, last))
	c.pass(time.Hour)
	h.refused(desk.VisitOver)(h.Desk.RedeemInvitation(ctx, v.Visit, last))
}

// A ticket stands nowhere but in what was issued.
func TestNoTicketIsKept(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, byInvitation)
	ctx := t.Context()
	call := desk.NewCall()
	p := desk.Person{Email: external, Name: name, Phone: number, Language: "en"}
	agent := desk.Agent{Subject: domain.SubjectID{7}, Role: domain.RoleHelpdesk}
	i, err := h.Desk.Invite(under(ctx, call), agent, p, enrolment.InvitationMailed)
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.Desk.Invite(under(ctx, call), agent, p, enrolment.InvitationMailed)
	if err != nil || again.Ticket != i.Ticket || again.ID != i.ID || !again.Expires.Equal(i.Expires) {
		t.Errorf("the same call: %+v, %v, was %+v", again, err, i)
	}
	if err := h.Desk.MailInvitation(ctx, i); err != nil {
		t.Fatal(err)
	}
	if err := h.Desk.MailInvitation(ctx, again); !errors.Is(err, domain.ErrUnknownOutcome) {
		t.Errorf("mailed twice: %v", err)
	}
	m := h.message(1)
	if m.Channel != courier.ByMail || m.To != external || m.Code != i.Ticket.Reveal() || !strings.Contains(m.Subject, "invitation") {
		t.Errorf("mailed %+v", m)
	}
	v := h.toTicket(external, 2)
	h.refused(desk.WrongTicket)(h.Desk.RedeemInvitation(ctx, v.Visit, wrongTicket(m.Code)))
	h.must(desk.ScreenPassword)(h.Desk.RedeemInvitation(ctx, v.Visit, m.Code))
	events, err := h.Log.ReadStream(ctx, domain.EnrolmentStream(i.Subject), 0)
	if err != nil || !bytes.Contains(events[0].Metadata, []byte(`"role":"helpdesk"`)) || !bytes.Contains(events[0].Metadata, []byte(agent.Subject.String())) {
		t.Errorf("issued by %s, %v", events[0].Metadata, err)
	}
	h.stop()
	ticket := m.Code
	secrets := []string{ticket, strings.ReplaceAll(ticket, "-", ""), ticket[5:9] + "-" + ticket[10:], external, name, e164}
	for _, file := range []string{"log.db", "vault.db"} {
		b, err := os.ReadFile(filepath.Join(h.dir, file)) //nolint:gosec // a file of the test's own home
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range secrets {
			if bytes.Contains(b, []byte(s)) {
				t.Errorf("%s holds %q", file, s)
			}
		}
	}
	for _, entry := range h.logs.All() {
		for _, s := range secrets {
			if strings.Contains(entry.Message+toText(entry.ContextMap()), s) {
				t.Errorf("the program logged %q in %q", s, entry.Message)
			}
		}
	}
}

func TestATicketWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, byInvitation)
	log := &mute{Log: h.Log}
	h.over(log)
	ctx := desk.WithCall(t.Context(), desk.NewCall())
	var lost desk.Invitation
	invite := func(ctx context.Context) (desk.View, error) {
		var err error
		lost, err = h.Desk.Invite(ctx, desk.Console(), desk.Person{Email: external}, enrolment.InvitationShown)
		return desk.View{}, err
	}
	if _, err := log.once(ctx, invite); !errors.Is(err, domain.ErrUnknownOutcome) {
		t.Fatalf("got %v", err)
	}
	if _, err := invite(ctx); err != nil {
		t.Fatal(err)
	}
	ticket := lost.Ticket.Reveal()
	v := h.toTicket(external, 1)
	v, err := h.again(log, func(ctx context.Context) (desk.View, error) {
		return h.Desk.RedeemInvitation(ctx, v.Visit, wrongTicket(ticket))
	})
	if h.refused(desk.WrongTicket)(v, err); v.Invitation.Tries != 4 {
		t.Errorf("one guess, and %d tries are left", v.Invitation.Tries)
	}
	v, err = h.again(log, func(ctx context.Context) (desk.View, error) { return h.Desk.RedeemInvitation(ctx, v.Visit, ticket) })
	h.must(desk.ScreenPassword)(v, err)
	count := map[string]int{}
	for _, typ := range h.typesOf(external) {
		count[typ]++
	}
	if count["InvitationIssued"] != 1 || count["InvitationRejected"] != 1 || count["InvitationRedeemed"] != 1 {
		t.Errorf("recorded %v", count)
	}
}
