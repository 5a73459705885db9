package helpdesk

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// A caseTown is what a town knows of cases and callers.
type caseTown struct {
	open     []desk.CaseRow
	requests []desk.CaseRequest
	decided  []string
	shown    []string // the cases that HR's number was shown for
	caller   desk.CallerView
	refuse   desk.Code     // of what is asked for
	err      error         // of what is decided
	slow     chan struct{} // what was decided is told once it is closed; nil: at once
	ticket   string
	assists  []domain.SubjectID
}

func (t *town) NewCase(context.Context, string) (string, error) { return "ABCD-EFGH", nil }

func (t *town) RequestCase(_ context.Context, _ string, r desk.CaseRequest) (desk.CaseView, error) {
	v := desk.CaseView{
		Case: cmp.Or(r.Case, "ABCD-2345"), Subject: r.Subject, Action: r.Action, Reason: r.Reason, Evidence: r.Evidence, Ticket: r.Ticket != "", Remote: r.Remote,
		Stage: desk.CaseDone, Asked: noon, Expires: noon.Add(time.Hour),
	}
	var err error
	t.set(func() {
		if t.cases.refuse != "" {
			err = &desk.Refusal{Code: t.cases.refuse}
			return
		}
		t.cases.requests = append(t.cases.requests, r)
		if r.Action.Second() {
			v.Stage = desk.CaseWaiting
			t.cases.open = append(t.cases.open, desk.CaseRow{CaseView: v, Name: t.people[0].Name, Mine: true, ByName: "Joost Kuipers"})
		}
	})
	return v, err
}

func (t *town) decide(id, what string, stage desk.CaseStage) (v desk.CaseView, err error) {
	t.set(func() {
		if err = t.cases.err; err != nil {
			return
		}
		t.cases.decided = append(t.cases.decided, what)
		t.cases.open = slices.DeleteFunc(t.cases.open, func(r desk.CaseRow) bool {
			if r.Case == id {
				v = r.CaseView
			}
			return r.Case == id
		})
		v.Stage = stage
	})
	if t.cases.slow != nil {
		<-t.cases.slow
	}
	return v, err
}

func (t *town) ApproveCase(_ context.Context, _ string, _ domain.SubjectID, id string) (desk.CaseView, error) {
	return t.decide(id, "approve "+id, desk.CaseDone)
}

func (t *town) DenyCase(_ context.Context, _ string, _ domain.SubjectID, id string, why enrolment.Denial) (desk.CaseView, error) {
	return t.decide(id, "deny "+id+" "+string(why), desk.CaseDenied)
}

func (t *town) OpenCases(context.Context, string) ([]desk.CaseRow, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.cases.open), t.err
}

func (t *town) Ticket(context.Context, string, domain.SubjectID, string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cases.ticket == "" {
		return "", &desk.Refusal{Code: desk.NoCase}
	}
	return t.cases.ticket, nil
}

func (t *town) AskCaller(context.Context, string, domain.SubjectID) (desk.CallerView, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cases.caller, nil
}

func (t *town) ConfirmCaller(_ context.Context, _ string, _ domain.SubjectID, code string) (desk.CallerView, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if code != "123456" {
		return desk.CallerView{}, &desk.Refusal{Code: desk.WrongCode, Left: 4}
	}
	t.cases.caller.State = desk.CallerProved
	return t.cases.caller, nil
}

func (t *town) Caller(context.Context, string, domain.SubjectID, string) (desk.CallerView, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cases.caller, nil
}

func (t *town) ShowHRNumber(_ context.Context, _ string, _ domain.SubjectID, id string) (desk.PhoneView, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cases.shown = append(t.cases.shown, id)
	return desk.PhoneView{International: "+31 6 87 65 43 21"}, nil
}

func (t *town) Assist(_ context.Context, _ string, s domain.SubjectID, _ string) (desk.View, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cases.assists = append(t.cases.assists, s)
	return desk.View{}, nil
}

var (
	helper   = []staff.Right{staff.SeeBoard, staff.SeePerson, staff.RevealData, staff.HelpPerson, staff.RequestCase, staff.Assist}
	approver = []staff.Right{staff.SeeBoard, staff.SeePerson, staff.ApproveCase}
	admin    = []staff.Right{staff.SeeBoard, staff.SeePerson, staff.ImportRoster, staff.RequestErasure}
)

// done has somebody be through, with a factor.
func done(f enrolment.Factor) func(*desk.PersonView) {
	return func(v *desk.PersonView) {
		v.Step, v.Group, v.Factor, v.Chosen = enrolment.StepDone, desk.GroupDone, f, f
		v.CaseApproval, v.CaseWait = time.Hour, 24*time.Hour
	}
}

// waiting is a case of somebody that waits for a second person.
func waiting(r desk.BoardRow, a enrolment.Action) desk.CaseRow {
	return desk.CaseRow{
		CaseView: desk.CaseView{
			Case: "QRST-2345", Subject: r.Subject, Action: a, Reason: a.Reasons()[0], Evidence: []enrolment.Evidence{enrolment.SawPass},
			Stage: desk.CaseWaiting, Ticket: true, Asked: noon.Add(-6 * time.Minute), Expires: noon.Add(54 * time.Minute),
		},
		Name: r.Name, Team: r.Team, ByName: "Marit Bakker",
	}
}

// approved is one that waits for its time.
func approved(r desk.BoardRow, a enrolment.Action) desk.CaseRow {
	c := waiting(r, a)
	c.Case, c.Stage, c.SecondName, c.Remote = "WXYZ-6789", desk.CaseApproved, "Joost Kuipers", true
	c.Evidence, c.NotBefore, c.Until = []enrolment.Evidence{enrolment.CalledBack, enrolment.ProvedNumber}, noon.Add(24*time.Hour), noon.Add(48*time.Hour)
	return c
}

// choose taps an option, which has to be there.
func choose(t *testing.T, o *ui.Option) {
	t.Helper()
	if o == nil || !o.Visible() || o.Disabled() {
		t.Fatalf("%v cannot be chosen", o)
	}
	test.Tap(o)
}

func TestWhatMayBeDone(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rights []staff.Right
		view   func(*desk.PersonView)
		open   bool
		want   []enrolment.Action
		assist bool
	}{
		{"stuck at the SMS, the advice first", helper, func(v *desk.PersonView) {
			v.Diagnosis.Actions = []desk.PersonAction{desk.ActionCorrectNumber, desk.ActionResend, desk.ActionWait}
		}, false, []enrolment.Action{enrolment.CorrectingNumber, enrolment.Resending, enrolment.Freezing, enrolment.Resetting, enrolment.IssuingTicket}, true},
		{"with Pocket", helper, done(enrolment.Pocket), false, []enrolment.Action{enrolment.Freezing, enrolment.RevokingPocket, enrolment.Resetting}, false},
		{"with SMS", helper, done(enrolment.SMS), false, []enrolment.Action{enrolment.Freezing, enrolment.CorrectingNumber, enrolment.Resetting}, false},
		{"frozen", helper, func(v *desk.PersonView) { v.Frozen, v.Chosen = desk.FrozenStolen, enrolment.SMS }, false, []enrolment.Action{enrolment.Unfreezing}, false},
		{"a case is open", helper, done(enrolment.SMS), true, []enrolment.Action{enrolment.Freezing}, false},
		{"locked", helper, func(v *desk.PersonView) {
			done(enrolment.SMS)(v)
			v.Diagnosis.Checks[3].Detail = said("desk-detail-locked", "N", "10")
			v.Diagnosis.Actions = []desk.PersonAction{desk.ActionUnlock}
		}, false, []enrolment.Action{enrolment.Unlocking, enrolment.Freezing, enrolment.CorrectingNumber, enrolment.Resetting}, false},
		{"not begun", helper, func(v *desk.PersonView) { v.Started, v.Step = false, 0 }, false, nil, true},
		{"an approver", approver, done(enrolment.SMS), false, nil, false},
		{"an admin", admin, done(enrolment.SMS), false, []enrolment.Action{enrolment.Erasing}, false},
		{"an admin, of somebody frozen", admin, func(v *desk.PersonView) { v.Frozen = desk.FrozenStolen }, false, []enrolment.Action{enrolment.Erasing}, false},
		{"an admin, while a case is open", admin, done(enrolment.SMS), true, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			town := newTown(morning())
			town.view = tt.view
			if tt.open {
				town.cases.open = []desk.CaseRow{waiting(town.people[0], enrolment.Resetting)}
			}
			_, p := onPerson(t, town, tt.rights...)
			if got := p.acts.choices(); !slices.Equal(got, tt.want) {
				t.Errorf("may be done %v, want %v", got, tt.want)
			}
			if p.acts.mayAssist() != tt.assist {
				t.Errorf("assisting is offered: %v", !tt.assist)
			}
			if p.acts.card.Visible() != p.acts.acts() {
				t.Error("the card shows for whom nothing may, or not for whom something may")
			}
		})
	}
}

func TestNobodyActsOnTheirOwnPage(t *testing.T) {
	town := newTown(morning())
	d := newDesktop(t, ui.Options{}, "nl")
	d.rights, d.me = append(slices.Clone(helper), staff.ApproveCase), town.people[0].Subject
	town.cases.open = []desk.CaseRow{waiting(town.people[0], enrolment.Resetting)}
	p := newPersonPage(d, town, d.me)
	d.show(p, wide)
	d.until("the person", func() bool { return p.got })
	d.settle()
	if !d.says("Dit is je eigen pagina.") || d.says("Bevries") || d.says("Goedkeuren") || d.says("Afwijzen") {
		t.Errorf("on one's own page it says %q", d.texts())
	}
}

// An erasure: what goes and what stays is said before, and whether the person is told.
func TestAskingForAnErasure(t *testing.T) {
	town := newTown(morning())
	town.view = done(enrolment.SMS)
	d, p := onPerson(t, town, admin...)
	test.Tap(p.acts.choose[enrolment.Erasing])
	f := p.acts.form
	for _, words := range []string{"Dit is dan weg, voor altijd", "telefoonnummers", "Dit blijft", "Wat er gebeurde en wanneer"} {
		if !d.says(words) {
			t.Errorf("it does not say %q: %q", words, d.texts())
		}
	}
	if len(f.places) != 0 {
		t.Error("it asks where the person is")
	}
	test.Tap(f.do)
	d.settle()
	if !strings.Contains(f.wrong, "Kies eerst een reden.") {
		t.Fatalf("without a reason it says %q", f.wrong)
	}
	choose(t, f.reasons[enrolment.CaseRequest])
	if told := f.next.String(); !strings.Contains(told, "krijgt bericht en kan het stoppen") || !strings.Contains(told, "binnen 1 uur") {
		t.Errorf("at their request it says %q", told)
	}
	choose(t, f.reasons[enrolment.CaseMistake])
	if told := f.next.String(); !strings.Contains(told, "krijgt geen bericht") || !strings.Contains(told, "Niemand kan dat terugdraaien") {
		t.Errorf("after a mistake it says %q", told)
	}
	test.Tap(f.do)
	d.until("the banner", func() bool { return p.acts.form == nil && len(p.acts.open) == 1 })
	d.settle()
	if !d.says("Gegevens wissen, gevraagd door") || d.says("krijgt bericht") {
		t.Errorf("afterwards it says %q", d.texts())
	}
	if r := town.cases.open[0]; r.Action != enrolment.Erasing || r.Reason != enrolment.CaseMistake || len(r.Evidence) != 0 {
		t.Errorf("asked for %+v", r)
	}
}

// Whoever approves an erasure reads what goes and what stays, and then that it is gone.
func TestApprovingAnErasure(t *testing.T) {
	town := newTown(morning())
	d := newDesktop(t, ui.Options{}, "nl")
	d.rights = approver
	r := waiting(town.people[0], enrolment.Erasing)
	r.Evidence, r.Remote = nil, true
	town.cases.open = []desk.CaseRow{r}
	p := newCasesPage(d, town, func() {})
	d.show(p, wide)
	d.until("the list", func() bool { return p.got })
	p.open(0)
	d.settle()
	for _, words := range []string{"Dit is dan weg, voor altijd", "Dit blijft", "De persoon vraagt erom", "dan gebeurt het meteen", "Niet nodig"} {
		if !d.says(words) {
			t.Errorf("it does not say %q: %q", words, d.texts())
		}
	}
	if d.says("wacht het nog") || d.says("Niets nagegaan") {
		t.Errorf("it says %q", d.texts())
	}
}

// What cannot be undone is asked once more: Enter twice does not do it, and Escape takes it
// back.
func TestApprovingAnErasureIsAskedOnceMore(t *testing.T) {
	for lang, words := range map[string][2]string{"nl": {"Goedkeuren", "Wis voor altijd"}, "en": {"Approve", "Erase for ever"}} {
		town := newTown(morning())
		d := newDesktop(t, ui.Options{}, lang)
		d.rights = approver
		r := waiting(town.people[0], enrolment.Erasing)
		town.cases.open = []desk.CaseRow{r}
		p := newCasesPage(d, town, func() {})
		d.show(p, wide)
		d.until("the list", func() bool { return p.got })
		p.open(0)
		d.settle()
		approve := func() {
			t.Helper()
			buttons := p.decide.buttons(p.w, &p.rows[0])
			test.Tap(buttons[len(buttons)-1].(*ui.Button)) //nolint:forcetypeassert,errcheck // the primary one
			d.settle()
		}
		approve()
		if p.decide.sure != r.Case || !d.says(words[1]) || len(town.cases.decided) != 0 {
			t.Errorf("it says %q", d.texts())
		}
		if b, ok := d.w.Canvas().Focused().(*ui.Button); !ok || b.Text != p.w.T("helpdesk-case-cancel") {
			t.Errorf("%v has the focus", d.w.Canvas().Focused())
		}
		p.Key(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if p.decide.sure != "" || d.says(words[1]) || !d.says(words[0]) {
			t.Errorf("after Escape it says %q", d.texts())
		}
		approve()
		approve()
		d.until("that it is done", func() bool { return p.decide.sure == "" && len(town.cases.decided) == 1 })
	}
}

// The page of somebody who was erased says so plainly, and shows what happened.
func TestThePageOfSomebodyErased(t *testing.T) {
	town := newTown(morning())
	town.view = erased
	d, p := onPerson(t, town, append(slices.Clone(helper), admin...)...)
	for _, words := range []string{"Gewiste persoon", "Gegevens gewist", "Niemand kan ze nog lezen", "Dan begint die opnieuw"} {
		if !d.says(words) {
			t.Errorf("it does not say %q: %q", words, d.texts())
		}
	}
	if d.says("Sanne") || d.says("Naam nog niet bekend") || p.acts.card.Visible() || len(p.acts.choices()) != 0 || p.acts.mayAssist() {
		t.Errorf("it says %q", d.texts())
	}
}

// erased has nothing personal left of somebody.
func erased(v *desk.PersonView) {
	*v = desk.PersonView{
		Subject: v.Subject, Erased: true, At: v.At, Revision: v.Revision, Group: desk.GroupWaiting, Factor: enrolment.NoFactor,
		Chosen: enrolment.NoFactor, Since: v.At, LastSeen: v.LastSeen, Diagnosis: desk.Diagnosis{Cause: said("desk-cause-erased")},
	}
}

// A reset in person: the reason, what was seen, and a number in another system.
func TestAskingInPerson(t *testing.T) {
	town := newTown(morning())
	town.view = done(enrolment.SMS)
	d, p := onPerson(t, town, helper...)
	test.Tap(p.acts.choose[enrolment.Resetting])
	f := p.acts.form
	for _, missing := range []struct {
		words string
		then  func()
	}{
		{"Kies eerst een reden.", func() { choose(t, f.reasons[enrolment.CaseForgotten]) }},
		{"Kies of Sanne hier staat", func() { choose(t, f.places[here]) }},
		{"Vink aan waaraan je Sanne", func() { choose(t, f.checks[enrolment.SawPass]) }},
	} {
		test.Tap(f.do)
		d.settle()
		if f.wrong == "" || !strings.Contains(f.wrong, missing.words) || !f.refusal.Visible() {
			t.Fatalf("without it, it says %q instead of %q", f.wrong, missing.words)
		}
		missing.then()
	}
	if !strings.Contains(f.next.String(), "binnen 1 uur") || strings.Contains(f.next.String(), "morgen") {
		t.Errorf("what happens next is %q", f.next.String())
	}
	f.ticket.SetText(" INC-0042 ")
	test.Tap(f.do)
	d.until("the banner", func() bool { return p.acts.form == nil && len(p.acts.open) == 1 })
	d.settle()
	if n := len(town.cases.requests); n != 1 {
		t.Fatalf("it was asked for %d times", n)
	}
	r := town.cases.requests[0]
	if r.Subject != p.subject || r.Action != enrolment.Resetting || r.Reason != enrolment.CaseForgotten || r.Remote || r.Ticket != "INC-0042" ||
		!slices.Equal(r.Evidence, []enrolment.Evidence{enrolment.SawPass}) {
		t.Errorf("asked for %+v", r)
	}
	for _, words := range []string{"Aangevraagd.", "Wacht op een tweede paar ogen", "Personeelspas gezien", "11:58", "Intrekken"} {
		if !d.says(words) {
			t.Errorf("afterwards it does not say %q", words)
		}
	}
	if d.says("Goedkeuren") {
		t.Error("who asked can approve")
	}
	p.acts.decide.denying = "ABCD-2345"
	p.acts.redraw()
	test.Tap(p.acts.decide.first.(*ui.Button))
	d.until("that it is taken back", func() bool { return len(p.acts.open) == 0 })
	if !slices.Equal(town.cases.decided, []string{"deny ABCD-2345 mistake"}) {
		t.Errorf("decided %v", town.cases.decided)
	}
}

// On the phone with SMS: a code that is read aloud.
func TestACallerReadsACodeAloud(t *testing.T) {
	town := newTown(morning())
	town.view = done(enrolment.SMS)
	town.cases.caller = desk.CallerView{State: desk.CallerAsked, Factor: enrolment.SMS, Left: time.Minute, Tries: 5, Delivery: desk.Delivered}
	d, p := onPerson(t, town, helper...)
	test.Tap(p.acts.choose[enrolment.Resetting])
	f := p.acts.form
	choose(t, f.reasons[enrolment.CaseForgotten])
	choose(t, f.places[afar])
	if !strings.Contains(f.next.String(), "morgen 10:58") {
		t.Errorf("what happens next is %q", f.next.String())
	}
	test.Tap(f.do)
	if !strings.Contains(f.wrong, "Ga eerst na of dit Sanne is") {
		t.Fatalf("without anything it says %q", f.wrong)
	}
	test.Tap(f.ask)
	d.until("the boxes", func() bool { return f.digits != nil })
	d.settle()
	for _, r := range "111111" {
		f.digits.TypedRune(r)
	}
	d.until("that it is wrong", func() bool { return strings.Contains(f.digits.Wrong(), "nog 4 keer") })
	for _, r := range "123456" {
		f.digits.TypedRune(r)
	}
	d.until("that it is right", func() bool { return f.caller.State == desk.CallerProved })
	test.Tap(f.do)
	d.until("the request", func() bool { return p.acts.form == nil })
	if r := town.cases.requests[0]; !r.Remote || len(r.Evidence) != 0 {
		t.Errorf("asked for %+v", r) // what Keydesk saw it adds itself
	}
}

// On the phone with Pocket: digits that the caller types, which is looked at until then.
func TestACallerTypesDigits(t *testing.T) {
	town := newTown(morning())
	town.view = done(enrolment.Pocket)
	town.cases.caller = desk.CallerView{State: desk.CallerAsked, Factor: enrolment.Pocket, Challenge: "c1", Digits: "407218", Left: time.Minute}
	d, p := onPerson(t, town, helper...)
	test.Tap(p.acts.choose[enrolment.RevokingPocket])
	f := p.acts.form
	choose(t, f.reasons[enrolment.CaseNew])
	choose(t, f.places[afar])
	test.Tap(f.ask)
	d.until("the digits", func() bool { return f.caller.Digits == "407218" })
	ui.Focus(f.ask) // brings it in sight
	d.settle()
	if !d.says("Wacht op Sanne") {
		t.Errorf("it says %q", d.texts())
	}
	town.set(func() { town.cases.caller.State = desk.CallerProved })
	d.until("the approval", func() bool { return f.caller.State == desk.CallerProved })
	town.set(func() { town.cases.refuse = desk.NoEvidence }) // a quarter of an hour later
	test.Tap(f.do)
	d.until("why not", func() bool { return strings.Contains(f.wrong, "nog niet zeker genoeg") })
	if p.acts.form != f || f.busy {
		t.Error("the form is gone, or goes on asking")
	}
}

// Calling back takes HR's number, which shows in that case only.
func TestCallingBack(t *testing.T) {
	town := newTown(morning())
	town.view = func(v *desk.PersonView) { v.CaseWait = 24 * time.Hour }
	d, p := onPerson(t, town, helper...)
	test.Tap(p.acts.choose[enrolment.CorrectingNumber])
	f := p.acts.form
	choose(t, f.reasons[enrolment.CaseWrongNumber])
	choose(t, f.places[afar])
	back := f.checks[enrolment.CalledBack]
	if !back.Disabled() || len(town.cases.shown) != 0 {
		t.Fatal("the tick is there before the number")
	}
	test.Tap(f.hr.Button())
	d.until("the number", f.hr.Shown)
	if !slices.Equal(town.cases.shown, []string{"ABCD-EFGH"}) {
		t.Errorf("shown for %v", town.cases.shown)
	}
	choose(t, back)
	f.phone.SetText("06 11 22 33 44")
	test.Tap(f.do)
	d.until("the request", func() bool { return p.acts.form == nil })
	r := town.cases.requests[0]
	if r.Case != "ABCD-EFGH" || !r.Remote || r.Phone != "06 11 22 33 44" || !slices.Equal(r.Evidence, []enrolment.Evidence{enrolment.CalledBack}) {
		t.Errorf("asked for %+v", r)
	}
	if f.hr.Shown() || f.number != "" || f.phone.Text() != "" {
		t.Error("what was personal in the form is still there")
	}
}

func TestAFreezeWaitsForNothing(t *testing.T) {
	town := newTown(morning())
	town.view = done(enrolment.SMS)
	d, p := onPerson(t, town, helper...)
	test.Tap(p.acts.choose[enrolment.Freezing])
	f := p.acts.form
	if len(f.places) != 0 || f.do.Text != "Doe het nu" {
		t.Error("a freeze asks for evidence, or for a second person")
	}
	ui.Focus(f.reasons[enrolment.CaseStolen])
	d.press(p, fyne.KeySpace)
	ui.Focus(f.do)
	d.press(p, fyne.KeyReturn)
	d.until("the freeze", func() bool { return d.says("Het account is bevroren.") })
	if r := town.cases.requests[0]; r.Action != enrolment.Freezing || r.Reason != enrolment.CaseStolen {
		t.Errorf("asked for %+v", r)
	}
}

// Who approves sees on the person's page what it stands on, and either allows it or says
// why not.
func TestDecidingOnThePersonsPage(t *testing.T) {
	for _, deny := range []bool{false, true} {
		town := newTown(morning())
		town.view = done(enrolment.SMS)
		town.cases.open = []desk.CaseRow{waiting(town.people[0], enrolment.Resetting)}
		town.cases.open = append(town.cases.open, waiting(town.people[1], enrolment.Resetting))
		d, p := onPerson(t, town, approver...)
		for _, words := range []string{"Wacht op een tweede paar ogen", "Marit Bakker (10:52)", "Wachtwoord vergeten", "Personeelspas gezien", "11:52", "Goedkeuren", "Afwijzen"} {
			if !d.says(words) {
				t.Errorf("it does not say %q", words)
			}
		}
		if p.acts.card.Visible() {
			t.Error("who may only approve has the card")
		}
		buttons := func() []*ui.Button {
			var all []*ui.Button
			for _, o := range p.acts.decide.buttons(p.w, &p.acts.open[0]) {
				all = append(all, o.(*ui.Button))
			}
			return all
		}
		want := []string{"approve QRST-2345"}
		if deny {
			test.Tap(buttons()[0])
			d.settle()
			if !d.says("Niet zeker wie het vroeg") {
				t.Errorf("of a denial it says %q", d.texts())
			}
			if !p.Key(&fyne.KeyEvent{Name: fyne.KeyEscape}) || d.left != 0 || d.says("Niet zeker wie het vroeg") {
				t.Error("Escape does not take the question back")
			}
			test.Tap(buttons()[0])
			test.Tap(buttons()[0])
			want = []string{"deny QRST-2345 unproved"}
		} else {
			test.Tap(buttons()[1])
		}
		d.until("the decision", func() bool { return len(p.acts.open) == 0 })
		if !slices.Equal(town.cases.decided, want) {
			t.Errorf("decided %v", town.cases.decided)
		}
		if d.says("tweede paar ogen") || p.acts.said == "" {
			t.Error("it still waits, or nobody says what came of it")
		}
	}
}

// A ticket shows on request, can be read aloud, and is gone when the page is.
func TestATicketShowsOnRequest(t *testing.T) {
	town := newTown(morning())
	town.view = func(v *desk.PersonView) { v.Ticket = "QRST-2345" }
	d, p := onPerson(t, town, helper...)
	if d.says("K7F2") || !d.says("Toon herstelcode") {
		t.Fatalf("it says %q", d.texts())
	}
	test.Tap(p.acts.show)
	d.until("why not", func() bool { return p.acts.wrong != "" })
	if !strings.Contains(p.acts.wrong, "Alleen wie de herstelcode vroeg") {
		t.Errorf("to somebody else it says %q", p.acts.wrong)
	}
	town.set(func() { town.cases.ticket = "K7F2-94MX-B0TQ" })
	test.Tap(p.acts.show)
	d.until("the ticket", func() bool { return d.says("K7F2") && d.says("94MX") && d.says("B0TQ") })
	if !d.says("Karel · 7 · Ferdinand") {
		t.Errorf("it cannot be read aloud from %q", d.texts())
	}
	town.set(func() { town.view = func(v *desk.PersonView) { v.Ticket, v.LastAt = "QRST-2345", "Hal 3" } })
	d.until("a change", func() bool { return p.view.LastAt == "Hal 3" })
	if p.acts.ticket == "" {
		t.Error("a change elsewhere took the ticket away")
	}
	p.Leave()
	d.rebuild(p)
	if p.acts.ticket != "" || d.says("K7F2") || d.says("Karel") {
		t.Error("it still shows")
	}
}

func TestWhatWasTypedIsForgotten(t *testing.T) {
	town := newTown(morning())
	d, p := onPerson(t, town, helper...)
	test.Tap(p.acts.choose[enrolment.CorrectingNumber])
	f := p.acts.form
	choose(t, f.places[afar])
	test.Tap(f.hr.Button())
	d.until("the number", f.hr.Shown)
	f.phone.SetText("0611223344")
	f.ticket.SetText("INC-1")
	d.lang = "en" // a switch of language keeps it
	d.rebuild(p)
	d.settle()
	if f.phone.Text() != "0611223344" || f.ticket.Text() != "INC-1" || !f.places[afar].On() || !f.onPhone.Visible() {
		t.Error("a switch of language loses what was typed")
	}
	p.Leave()
	if f.phone.Text() != "" || f.ticket.Text() != "" || f.number != "" || p.acts.form != nil {
		t.Error("what was typed is still held")
	}
}

func TestSomebodyEnrolsBesideAnAgent(t *testing.T) {
	town := newTown(morning())
	d, p := onPerson(t, town, helper...)
	test.Tap(p.acts.assist)
	if !slices.Equal(d.assisted, []domain.SubjectID{p.subject}) {
		t.Errorf("beside %v", d.assisted)
	}
}

// Escape closes the form, and only then the page.
func TestEscapeClosesTheForm(t *testing.T) {
	town := newTown(morning())
	d, p := onPerson(t, town, helper...)
	_ = d.texts() // what nothing has drawn yet gets no focus
	ui.Focus(p.acts.choose[enrolment.Freezing])
	d.press(p, fyne.KeyReturn)
	if p.acts.form == nil {
		t.Fatal("Enter opens nothing")
	}
	d.press(p, fyne.KeyEscape)
	if p.acts.form != nil || d.left != 0 || d.w.Canvas().Focused() != fyne.Focusable(p.acts.choose[enrolment.Freezing]) {
		t.Error("Escape left the page, or the focus is nowhere")
	}
}

// onCases shows the page of open cases of a town.
func onCases(t *testing.T, town *town, rights ...staff.Right) (*desktop, *casesPage) {
	t.Helper()
	d := newDesktop(t, ui.Options{}, "nl")
	d.rights = rights
	p := newCasesPage(d, town, func() { d.recounted++ })
	d.show(p, wide)
	d.until("the cases", func() bool { return p.got })
	d.settle()
	return d, p
}

func TestTheApprovalsPage(t *testing.T) {
	town := newTown(morning())
	d, p := onCases(t, town, approver...)
	if !d.says("Er wacht niets") || p.waits != 0 {
		t.Errorf("with nothing it says %q", d.texts())
	}
	town.set(func() {
		mine := waiting(town.people[2], enrolment.RevokingPocket)
		mine.Case, mine.Mine = "MINE-2345", true
		town.cases.open = []desk.CaseRow{approved(town.people[1], enrolment.CorrectingNumber), waiting(town.people[0], enrolment.Resetting), mine}
	})
	d.until("the cases", func() bool { return len(p.rows) == 3 })
	d.settle()
	for _, words := range []string{
		"1 aanvraag wacht op jou", "Wacht op goedkeuring", "Goedgekeurd, wacht op zijn tijd", "Sanne de Vries", "Aanmelding resetten",
		"Personeelspas gezien · in persoon", "Marit Bakker · 10:52", "54 min", "morgen 10:58", "Jij · 10:52",
	} {
		if !d.says(words) {
			t.Errorf("it does not say %q", words)
		}
	}
	if d.recounted != 1 || p.waiting() != 1 {
		t.Errorf("it counts %d, after %d counts", p.waiting(), d.recounted)
	}
	if p.rows[0].Subject != town.people[0].Subject {
		t.Error("what waits is not first")
	}
	d.press(p, fyne.KeyDown, fyne.KeyReturn)
	d.settle()
	if p.chosen != "QRST-2345" || !d.says("Wachtwoord, nummer en tweede stap tellen niet meer.") || !d.says("Keur je dit goed,") {
		t.Fatalf("of %q it says %q", p.chosen, d.texts())
	}
	d.press(p, fyne.KeyEscape)
	if p.chosen != "" || d.w.Canvas().Focused() != fyne.Focusable(p.table) || p.table.Chosen() != 0 {
		t.Error("Escape does not go back to where one was")
	}
	d.press(p, fyne.KeyReturn)
	town.set(func() { town.cases.err = &desk.Refusal{Code: desk.SecondPerson} })
	approve := func() {
		all := p.decide.buttons(p.w, p.find(p.chosen))
		test.Tap(all[len(all)-1].(*ui.Button))
	}
	approve()
	d.until("why not", func() bool { return d.says("Wie het vroeg kan het niet goedkeuren.") })
	town.set(func() { town.cases.err = nil })
	approve()
	d.until("the list without it", func() bool { return len(p.rows) == 2 && p.chosen == "" })
	if !slices.Equal(town.cases.decided, []string{"approve QRST-2345"}) || !d.says("Goedgekeurd en gedaan.") || p.waiting() != 0 {
		t.Errorf("decided %v, and it says %q", town.cases.decided, d.texts())
	}
	p.Leave()
	d.rebuild(p)
	if d.says("Lotte") || p.rows != nil {
		t.Error("it still holds who it was about")
	}
}

// What one has decided oneself is told as that, also where the list knows of it first.
func TestADecisionThatTheListKnowsOfFirst(t *testing.T) {
	for lang, words := range map[string][2]string{
		"nl": {"Goedgekeurd en gedaan.", "Deze aanvraag is er niet meer"}, "en": {"Approved and done.", "This request is gone"},
	} {
		town := newTown(morning())
		town.cases.open = []desk.CaseRow{waiting(town.people[0], enrolment.Resetting)}
		town.cases.slow = make(chan struct{})
		d, p := onCases(t, town, approver...)
		d.lang = lang
		d.rebuild(p)
		d.press(p, fyne.KeyDown, fyne.KeyReturn)
		d.settle()
		all := p.decide.buttons(p.w, p.find(p.chosen))
		test.Tap(all[len(all)-1].(*ui.Button))
		d.until("a list without it", func() bool { return p.waits == 0 && !p.asking })
		if p.chosen == "" || d.says(words[1]) {
			t.Errorf("before it is decided it says %q", d.texts())
		}
		close(town.cases.slow)
		d.until("what came of it", func() bool { return d.says(words[0]) })
		d.until("the list", func() bool { return p.chosen == "" && len(p.rows) == 0 })
	}
}

// What somebody else decides while it is open closes it.
func TestACaseThatIsOver(t *testing.T) {
	town := newTown(morning())
	town.cases.open = []desk.CaseRow{waiting(town.people[0], enrolment.Resetting)}
	d, p := onCases(t, town, approver...)
	d.press(p, fyne.KeyDown, fyne.KeyReturn)
	d.settle()
	town.set(func() { town.cases.open = nil })
	d.until("that it is over", func() bool { return d.says("Deze aanvraag is er niet meer") })
	if p.chosen != "" || d.says("Sanne") {
		t.Error("it still shows")
	}
}

// While another page shows it counts, and holds nothing.
func TestWhatWaitsIsCounted(t *testing.T) {
	town := newTown(morning())
	town.cases.open = []desk.CaseRow{waiting(town.people[0], enrolment.Resetting)}
	d := newDesktop(t, ui.Options{}, "nl")
	d.rights = approver
	p := newCasesPage(d, town, func() { d.recounted++ })
	p.count()
	d.until("the count", func() bool { return p.waiting() == 1 })
	if p.rows != nil || d.recounted != 1 {
		t.Errorf("it holds %v, after %d counts", p.rows, d.recounted)
	}
	p.stop()
	town.set(func() { town.cases.open = nil })
	p.counted = func() { t.Error("it goes on counting") }
	p.look()
	p.stop()
	d.settle()
}

// All sentences that actions put together exist, in both languages.
func TestActionsHaveWords(t *testing.T) {
	t.Parallel()
	var ids []string
	add := func(prefix string, of ...string) {
		for _, s := range of {
			ids = append(ids, prefix+s)
		}
	}
	for _, a := range enrolment.Actions() {
		for _, prefix := range []string{"helpdesk-action-", "helpdesk-action-line-", "helpdesk-action-do-", "helpdesk-action-does-", "helpdesk-case-did-"} {
			add(prefix, string(a))
		}
		for _, why := range a.Reasons() {
			add("helpdesk-case-why-", string(why))
		}
	}
	for _, remote := range []bool{false, true} {
		for _, e := range enrolment.Claims(remote) {
			add("helpdesk-case-claim-", string(e))
			add("helpdesk-case-has-", string(e))
		}
	}
	add("helpdesk-case-has-", string(enrolment.ProvedNumber), string(enrolment.ProvedPocket), string(enrolment.ProvedEmail), string(enrolment.ProvedPassword))
	for _, why := range enrolment.Denials() {
		add("helpdesk-case-deny-", string(why))
	}
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		for _, id := range ids {
			if !p.Has(id) {
				t.Errorf("%s: %s is not written", lang, id)
			}
		}
		if n := len(strings.Fields(p.T("helpdesk-ticket-alphabet"))); n != 26 {
			t.Errorf("%s: the alphabet has %d words", lang, n)
		}
	}
}

func TestRefusalsInWords(t *testing.T) {
	t.Parallel()
	w := newWords(&desktop{lang: "nl", now: noon})
	for code, want := range map[desk.Code]string{
		desk.AccountFrozen: "Hef eerst de bevriezing op", desk.CaseOpen: "Er loopt al een andere aanvraag", desk.NoNumber: "HR heeft geen",
		desk.Limited: "over 2 minuten", desk.OutOfOrder: "nog niet zo ver", desk.TicketUnusable: "ticketnummer", desk.NothingToDo: "het is al zo",
	} {
		if got := w.caseRefusal(&desk.Refusal{Code: code, Wait: 2 * time.Minute}); !strings.Contains(got, want) {
			t.Errorf("%s is %q", code, got)
		}
	}
	if got := w.caseRefusal(fmt.Errorf("the line: %w", context.DeadlineExceeded)); !strings.Contains(got, "antwoordt nu niet") {
		t.Errorf("of what is no refusal it says %q", got)
	}
}
