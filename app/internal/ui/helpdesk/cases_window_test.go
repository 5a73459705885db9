package helpdesk

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

const (
	approverMail = "aisha@voorbeeld.nl"
	personMail   = "sanne@voorbeeld.nl"
)

// subject is whose address it is.
func (o *room) subject(address string) domain.SubjectID {
	o.t.Helper()
	s, err := o.home.Desk.Subject(o.t.Context(), address)
	if err != nil {
		o.t.Fatal(err)
	}
	return s
}

// visits opens somebody's page.
func (o *room) visits(address string) *personPage {
	o.t.Helper()
	o.openPerson(o.subject(address))
	p, ok := o.Open().(*personPage)
	if !ok {
		o.t.Fatalf("%s is open", o.Open().ID())
	}
	o.until("the person", func() bool { return p.got })
	return p
}

// A reset, through the windows of two members of staff, on a real home: one asks with what
// they saw, the other allows it, and whoever it is about begins anew.
func TestAResetThroughTheWindow(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
	o.enrolWith(approverMail, "Aisha Bouali", "0611111111", domain.RoleApprover)
	o.enrolWith(personMail, "Sanne de Vries", "0622222222")

	o.signsIn()
	p := o.visits(personMail)
	b := p.acts.choose[enrolment.Resetting]
	if b == nil {
		t.Fatalf("may be done: %v", p.acts.choices())
	}
	test.Tap(b)
	f := p.acts.form
	choose(t, f.reasons[enrolment.CaseForgotten])
	choose(t, f.places[here])
	choose(t, f.checks[enrolment.SawPass])
	f.ticket.SetText("INC-0042")
	test.Tap(f.do)
	o.until("what waits", func() bool { return len(p.acts.open) == 1 })
	r := p.acts.open[0]
	if r.Stage != desk.CaseWaiting || !r.Mine || r.ByName != "Quinten Willemsen" || len(r.Evidence) != 1 || !r.Ticket {
		t.Errorf("what waits is %+v", r)
	}
	if mayApprove(o.SignedIn(), &r) || !mayEnd(o.SignedIn(), &r) {
		t.Error("who asked can approve it, or cannot take it back")
	}
	o.locks()

	o.signsInAs(approverMail)
	o.until("the count on the rail", func() bool { return o.cases.waiting() == 1 })
	o.Show(o.cases)
	o.until("the case", func() bool { return o.cases.got && len(o.cases.rows) == 1 })
	ui.Focus(o.cases.table)
	o.cases.table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if o.cases.chosen == "" || o.cases.rows[0].Name != "Sanne de Vries" {
		t.Fatalf("Enter opens %q of %+v", o.cases.chosen, o.cases.rows)
	}
	buttons := o.cases.decide.buttons(o.cases.w, o.cases.find(o.cases.chosen))
	test.Tap(buttons[len(buttons)-1].(*ui.Button)) //nolint:forcetypeassert,errcheck // it is one
	o.until("that it is done", func() bool { return o.cases.got && len(o.cases.rows) == 0 && o.cases.said != "" })
	view, err := o.home.Desk.PersonView(t.Context(), o.subject(personMail))
	if err != nil || view.Factor != enrolment.NoFactor || view.Step > enrolment.StepPassword {
		t.Errorf("afterwards the factor is %s, at step %d (%v)", view.Factor, view.Step, err)
	}
	o.until("nothing to count", func() bool { return o.cases.waiting() == 0 })
}

// A ticket is asked for, approved on the person's page, shown to who approved it, and gone
// with the lock.
func TestATicketThroughTheWindow(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
	o.enrolWith(approverMail, "Aisha Bouali", "0611111111", domain.RoleApprover)
	ctx, d := t.Context(), o.home.Desk
	v, err := d.Begin(ctx, personMail, "nl")
	if err == nil {
		v, err = d.ConfirmEmail(ctx, v.Visit, o.code())
	}
	if err == nil {
		_, err = d.SetNameAndPassword(ctx, v.Visit, "Sanne de Vries", phrase)
	}
	if err != nil {
		t.Fatal(err)
	}
	asked := desk.CaseRequest{
		Subject: o.subject(personMail), Action: enrolment.IssuingTicket, Reason: enrolment.CaseForgotten, Evidence: []enrolment.Evidence{enrolment.SawDocument},
	}
	if _, err := d.RequestCase(ctx, desk.Agent{Subject: o.subject(agentMail), Role: domain.RoleHelpdesk}, asked); err != nil {
		t.Fatal(err)
	}
	o.signsInAs(approverMail)
	p := o.visits(personMail)
	o.until("what waits", func() bool { return len(p.acts.open) == 1 })
	buttons := p.acts.decide.buttons(p.w, &p.acts.open[0])
	test.Tap(buttons[len(buttons)-1].(*ui.Button)) //nolint:forcetypeassert,errcheck // it is one
	o.until("that there is a ticket", func() bool { return p.view.Ticket != "" && p.acts.show != nil })
	test.Tap(p.acts.show)
	o.until("the ticket", func() bool { return p.acts.ticket != "" })
	if _, ok := enrolment.ParseTicket(p.acts.ticket); !ok {
		t.Errorf("the ticket is %q", p.acts.ticket)
	}
	o.locks()
	if p.acts.ticket != "" || len(p.acts.open) != 0 || o.cases != nil {
		t.Error("behind the lock it is still held")
	}
}

// Somebody enrols beside an agent, and then the person's page shows again: at once, or
// after a long enrolment only once the agent has signed in anew.
func TestEnrollingBesideAnAgent(t *testing.T) {
	for name, took := range map[string]time.Duration{"in no time": time.Minute, "and takes their time": 6 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, domain.RoleHelpdesk)
			if _, err := o.home.Desk.Begin(t.Context(), personMail, "nl"); err != nil {
				t.Fatal(err)
			}
			o.code()
			o.clock.pass(2 * time.Minute) // for the next mail
			o.signsIn()
			p := o.visits(personMail)
			if p.acts.assist == nil {
				t.Fatal("it is not offered")
			}
			test.Tap(p.acts.assist)
			o.Detach()
			v, err := o.begins(t.Context(), "nl")
			if err != nil || v.Screen != desk.ScreenEmailCode {
				t.Fatalf("it begins at %s, %v", v.Screen, err)
			}
			o.code()
			o.clock.pass(took)
			if err := o.home.Desk.End(t.Context(), v.Visit, station.Stopped); err != nil {
				t.Fatal(err)
			}
			o.at = test.NewTempWindow(t, o.Content())
			o.Attach(o.at)
			if locked := !o.isIn(); locked != (took > 5*time.Minute) {
				t.Fatalf("after %s it is locked: %t", took, locked)
			}
			if !o.isIn() {
				o.signsIn()
			}
			o.until("the person again", func() bool {
				q, ok := o.Open().(*personPage)
				return ok && q.subject == p.subject && q.got
			})
		})
	}
}

// An erasure, through the windows of two members of staff, on a real home: an admin asks,
// an approver allows it on the person's page, which says from then on that they are gone.
func TestAnErasureThroughTheWindow(t *testing.T) {
	o := openOffice(t, domain.RoleAdmin)
	o.enrolWith(approverMail, "Aisha Bouali", "0611111111", domain.RoleApprover)
	o.enrolWith(personMail, "Sanne de Vries", "0622222222")
	whom := o.subject(personMail)

	o.signsIn()
	p := o.visits(personMail)
	b := p.acts.choose[enrolment.Erasing]
	if b == nil {
		t.Fatalf("may be done: %v", p.acts.choices())
	}
	test.Tap(b)
	f := p.acts.form
	choose(t, f.reasons[enrolment.CaseRetention])
	test.Tap(f.do)
	o.until("what waits", func() bool { return len(p.acts.open) == 1 })
	if r := p.acts.open[0]; r.Stage != desk.CaseWaiting || !r.Mine || mayApprove(o.SignedIn(), &r) || !mayEnd(o.SignedIn(), &r) {
		t.Errorf("what waits is %+v", r)
	}
	o.locks()

	o.signsInAs(approverMail)
	p = o.visits(personMail)
	o.until("what waits", func() bool { return len(p.acts.open) == 1 })
	for range 2 { // to approve is asked once more
		buttons := p.acts.decide.buttons(p.w, &p.acts.open[0])
		test.Tap(buttons[len(buttons)-1].(*ui.Button)) //nolint:forcetypeassert,errcheck // it is one
	}
	o.until("that they are gone", func() bool { return p.view.Erased && len(p.acts.open) == 0 && p.acts.said != "" })
	if p.heading.String() != "Gewiste persoon" || !p.acts.card.Visible() || p.track.Visible() {
		t.Errorf("the page is called %q", p.heading.String())
	}
	if erased, err := o.home.Vault.Erased(t.Context(), whom); err != nil || !erased {
		t.Errorf("the vault has them still: %v", err)
	}
}
