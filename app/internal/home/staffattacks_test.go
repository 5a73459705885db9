package home_test

import (
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Stations choose their calls themselves: each look is recorded all the same, whatever
// was recorded under the call before.
func TestACallThatIsUsedAgainHidesNoLook(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	var whom [2]domain.SubjectID
	for i, p := range []desk.Person{{Email: "sara@voorbeeld.nl", Name: "Sara Bos", Phone: "0687654321"}, {Email: "joris@voorbeeld.nl", Name: "Joris Dam"}} {
		var err error
		if whom[i], err = h.Desk.AddToRoster(ctx, p, "test"); err != nil {
			t.Fatal(err)
		}
	}
	shift, office := h.colleague("bram@voorbeeld.nl", domain.RoleHelpdesk)
	once := desk.WithCall(ctx, desk.NewCall())
	var want []string
	look := func(what string, do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if want = append(want, what); !slices.Equal(h.looks(shift.Subject), want) {
			t.Errorf("recorded %v, want %v", h.looks(shift.Subject), want)
		}
	}
	for _, s := range whom {
		look("DataShown", func() error { _, err := office.Person(once, shift.ID, s); return err })
	}
	for _, s := range whom {
		look("DataShown", func() error { _, err := office.Reveal(once, shift.ID, s, desk.FieldEmail); return err })
	}
	look("DataShown", func() error { _, err := office.Reveal(once, shift.ID, whom[0], desk.FieldPhone); return err })
	for range 2 {
		id, err := office.NewCase(ctx, shift.ID)
		if err != nil {
			t.Fatal(err)
		}
		look("DataShown", func() error { _, err := office.ShowHRNumber(once, shift.ID, whom[0], id); return err })
	}
	for _, words := range []string{"bos", "dam"} {
		look("SearchMade", func() error {
			_, err := office.Board(once, shift.ID, desk.BoardQuery{Search: words})
			c.pass(time.Minute)
			return err
		})
	}
}

// A row of keystrokes ends: whoever goes on, to guess a number digit by digit, makes
// searches that show.
func TestALongRowOfKeystrokesIsManySearches(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	shift, office := h.colleague("bram@voorbeeld.nl", domain.RoleHelpdesk)
	for i := range 60 { // five minutes
		words := []string{"061", "062", "063"}[i%3]
		if _, err := office.Board(t.Context(), shift.ID, desk.BoardQuery{Search: words}); err != nil {
			t.Fatal(err)
		}
		c.pass(4 * time.Second)
	}
	if n := len(h.looks(shift.Subject)); n < 4 || n > 10 {
		t.Errorf("%d searches are recorded", n)
	}
}

// Whoever assists may nothing at another window either, nor by signing in anew; and what
// the enrolment's screens show is a look.
func TestWhoAssistsMayNothingAnywhere(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	whom, err := h.Desk.AddToRoster(ctx, desk.Person{Email: "sara@voorbeeld.nl", Name: "Sara Bos"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	shift := h.onShift(domain.RoleHelpdesk)
	office := h.Desk.Helpdesk()
	elsewhere := func() (desk.Shift, *desk.Helpdesk) {
		t.Helper()
		c.pass(2 * time.Minute) // for the next SMS
		d, n := h.Desk.At("balie-2"), h.messages()
		v := h.must(desk.ScreenLoginCode)(d.Login(ctx, email, phrase, "nl"))
		code := h.wait(n, func(m courier.Item) bool { return m.Channel == courier.BySMS && m.Code != "" }).Code
		v = h.must(desk.ScreenAccount)(d.ConfirmLogin(ctx, v.Visit, code))
		s, err := d.StartShift(ctx, v.Visit)
		if err != nil {
			t.Fatal(err)
		}
		return s, d.Helpdesk()
	}
	second, other := elsewhere()
	v, err := office.Assist(ctx, shift.ID, whom, "nl")
	if err != nil {
		t.Fatal(err)
	}
	if got := h.looks(shift.Subject); !slices.Equal(got, []string{"DataShown"}) { // the address
		t.Errorf("recorded %v", got)
	}
	_, err = other.Person(ctx, second.ID, whom)
	h.refusedWith(desk.Assisting, err)
	third, other := elsewhere()
	_, err = other.Person(ctx, third.ID, whom)
	h.refusedWith(desk.Assisting, err)

	c.pass(2 * time.Minute)
	again := h.signsIn() // where they assist: nobody sits there any more
	h.refused(desk.VisitOver)(h.Desk.View(ctx, v.Visit))
	if _, err := office.Person(ctx, again.ID, whom); err != nil {
		t.Error(err)
	}
}

// Who names a case of one person as that of another was named hides no alarm.
func TestEachStoppedCaseAlarms(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true, "organisation.alarm=hulp@voorbeeld.nl")
	ctx := t.Context()
	first := h.withSMS()
	asks, office := h.colleague("bram@voorbeeld.nl", domain.RoleHelpdesk)
	h.colleague("lois@voorbeeld.nl", domain.RoleAuditor)
	second, err := h.Desk.Subject(ctx, "lois@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	name := h.Desk.NewCase()
	for _, s := range []domain.SubjectID{first, second} {
		n := h.messages()
		if _, err := office.RequestCase(ctx, asks.ID, desk.CaseRequest{
			Subject: s, Case: name, Action: enrolment.Resetting, Reason: enrolment.CaseForgotten, Evidence: []enrolment.Evidence{enrolment.SawPass},
		}); err != nil {
			t.Fatal(err)
		}
		stop := stopCode(t, h.says(n, courier.BySMS, "Niet jij?"))
		h.quiet()
		n = h.messages()
		if err := h.Desk.StopCase(ctx, stop); err != nil {
			t.Fatal(err)
		}
		h.wait(n, func(m courier.Item) bool { return m.To == "hulp@voorbeeld.nl" })
	}
}
