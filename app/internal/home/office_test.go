package home_test

import (
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// colleague enrols somebody with an address, gives them roles, and signs them in, each at
// a desk of their own.
func (h *house) colleague(address string, roles ...domain.Role) (desk.Shift, *desk.Helpdesk) {
	h.t.Helper()
	ctx := h.t.Context()
	v := h.toFactor(address, h.messages()+1)
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, v.Visit))
	h.end(v)
	s, err := h.Desk.Subject(ctx, address)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range roles {
		if err := h.Desk.Grant(ctx, desk.Console(), s, r); err != nil {
			h.t.Fatal(err)
		}
	}
	d := h.Desk.At("desk-" + s.String()[:8])
	n := h.messages()
	v = h.must(desk.ScreenLoginCode)(d.Login(ctx, address, phrase, "nl"))
	v = h.must(desk.ScreenAccount)(d.ConfirmLogin(ctx, v.Visit, h.wait(n, func(m courier.Item) bool { return m.Channel == courier.BySMS && m.Code != "" }).Code))
	shift, err := d.StartShift(ctx, v.Visit)
	if err != nil {
		h.t.Fatal(err)
	}
	return shift, d.Helpdesk()
}

// looks returns what somebody's access stream holds.
func (h *house) looks(s domain.SubjectID) []string { return h.events(staff.AccessStream(s)) }

func TestWhatAHelpdeskLooksAtIsRecorded(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	whom, err := h.Desk.AddToRoster(ctx, desk.Person{Email: "sara@voorbeeld.nl", Name: "Sara Bos", Phone: "0687654321", Team: "Balie"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	shift, office := h.colleague("bram@voorbeeld.nl", domain.RoleHelpdesk)
	page, err := office.Board(ctx, shift.ID, desk.BoardQuery{Scope: desk.ScopeEverybody})
	if err != nil || !slices.ContainsFunc(page.Rows, func(r desk.BoardRow) bool { return r.Subject == whom && r.Name == "Sara Bos" }) {
		t.Fatalf("got %+v, %v", page, err)
	}
	if got := h.looks(shift.Subject); len(got) != 0 { // the board is what the hall shows
		t.Errorf("recorded %v", got)
	}
	for _, words := range []string{"s", "sa", "sar"} { // one row of keystrokes
		if _, err := office.Board(ctx, shift.ID, desk.BoardQuery{Search: words}); err != nil {
			t.Fatal(err)
		}
	}
	for _, words := range []string{"sar", "bos"} { // looked at again, and another search
		c.pass(time.Minute)
		if _, err := office.Board(ctx, shift.ID, desk.BoardQuery{Search: words}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := office.Person(ctx, shift.ID, whom); err != nil {
			t.Fatal(err)
		}
		if _, err := office.Timeline(ctx, shift.ID, whom, desk.TimelineQuery{}); err != nil {
			t.Fatal(err)
		}
	}
	if value, err := office.Reveal(ctx, shift.ID, whom, desk.FieldEmail); err != nil || value != "sara@voorbeeld.nl" {
		t.Errorf("revealed %q, %v", value, err)
	}
	_, err = office.Reveal(ctx, shift.ID, whom, desk.FieldHRPhone)
	h.refusedWith(desk.NoRight, err)
	if got, want := h.looks(shift.Subject), []string{"SearchMade", "SearchMade", "DataShown", "DataShown"}; !slices.Equal(got, want) {
		t.Errorf("recorded %v, want %v", got, want)
	}
}

// Each use case of staff asks for its right, and for an open shift.
func TestEveryUseCaseOfStaffAsksForItsRight(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom, err := h.Desk.AddToRoster(ctx, desk.Person{Email: "sara@voorbeeld.nl", Name: "Sara Bos"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	shift, office := h.colleague("bram@voorbeeld.nl", domain.RoleAuditor) // who may look, and change nothing
	uses := map[string]struct {
		may bool
		do  func(shift string) error
	}{
		"board":    {true, func(s string) error { _, err := office.Board(ctx, s, desk.BoardQuery{}); return err }},
		"person":   {true, func(s string) error { _, err := office.Person(ctx, s, whom); return err }},
		"timeline": {true, func(s string) error { _, err := office.Timeline(ctx, s, whom, desk.TimelineQuery{}); return err }},
		"reveal":   {true, func(s string) error { _, err := office.Reveal(ctx, s, whom, desk.FieldEmail); return err }},
		"kiosks":   {true, func(s string) error { _, err := office.Kiosks(ctx, s); return err }},
		"cases":    {true, func(s string) error { _, err := office.OpenCases(ctx, s); return err }},
		"plan":     {false, func(s string) error { _, err := office.PlanImport(ctx, s, desk.StaffList{}, false, nil); return err }},
		"import":   {false, func(s string) error { _, err := office.Import(ctx, s, desk.ImportPlan{}, nil); return err }},
		"assist":   {false, func(s string) error { _, err := office.Assist(ctx, s, whom, "nl"); return err }},
		"new case": {false, func(s string) error { _, err := office.NewCase(ctx, s); return err }},
		"freeze": {false, func(s string) error {
			_, err := office.RequestCase(ctx, s, desk.CaseRequest{Subject: whom, Action: enrolment.Freezing, Reason: enrolment.CaseSuspicion})
			return err
		}},
		"reset": {false, func(s string) error {
			_, err := office.RequestCase(ctx, s, desk.CaseRequest{Subject: whom, Action: enrolment.Resetting, Reason: enrolment.CaseForgotten})
			return err
		}},
		"approve": {false, func(s string) error { _, err := office.ApproveCase(ctx, s, whom, "2222-2222"); return err }},
		"deny": {false, func(s string) error {
			_, err := office.DenyCase(ctx, s, whom, "2222-2222", enrolment.DeniedMistake)
			return err
		}},
		"ask caller":  {false, func(s string) error { _, err := office.AskCaller(ctx, s, whom); return err }},
		"code":        {false, func(s string) error { _, err := office.ConfirmCaller(ctx, s, whom, "000000"); return err }},
		"caller":      {false, func(s string) error { _, err := office.Caller(ctx, s, whom, "x"); return err }},
		"HR's number": {false, func(s string) error { _, err := office.ShowHRNumber(ctx, s, whom, "2222-2222"); return err }},
	}
	before := h.head()
	for name, use := range uses {
		err := use.do(shift.ID)
		if use.may && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !use.may {
			h.refusedWith(desk.NoRight, err)
		}
		h.refusedWith(desk.ShiftOver, use.do("nobody's"))
	}
	events, err := h.Log.ReadStream(ctx, domain.EnrolmentStream(whom), 0)
	if err != nil || events[len(events)-1].Position > before {
		t.Errorf("an auditor changed something: %v", err)
	}
}

// What changes a factor takes two people, and neither is whom it is about.
func TestAResetTakesTwoPeopleAtTheirWindows(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	whom := h.withSMS()
	asks, office := h.colleague("bram@voorbeeld.nl", domain.RoleHelpdesk, domain.RoleApprover)
	approves, other := h.colleague("lois@voorbeeld.nl", domain.RoleApprover)
	request := desk.CaseRequest{
		Subject: whom, Action: enrolment.Resetting, Reason: enrolment.CaseForgotten, Evidence: []enrolment.Evidence{enrolment.SawPass}, Ticket: "INC-4711",
	}
	_, err := other.RequestCase(ctx, approves.ID, request)
	h.refusedWith(desk.NoRight, err)
	mine := request
	mine.Subject = asks.Subject
	_, err = office.RequestCase(ctx, asks.ID, mine)
	h.refusedWith(desk.OwnAccount, err)
	asked, err := office.RequestCase(ctx, asks.ID, request)
	if err != nil || asked.Stage != desk.CaseWaiting {
		t.Fatalf("got %+v, %v", asked, err)
	}
	if _, err := office.ApproveCase(ctx, asks.ID, whom, asked.Case); err == nil {
		t.Fatal("who asked approved it")
	}
	rows, err := other.OpenCases(ctx, approves.ID)
	if err != nil || len(rows) != 1 || rows[0].Name == "" || rows[0].ByName == "" || rows[0].Mine || rows[0].Case != asked.Case {
		t.Fatalf("got %+v, %v", rows, err)
	}
	if rows, err := office.OpenCases(ctx, asks.ID); err != nil || len(rows) != 1 || !rows[0].Mine {
		t.Errorf("got %+v, %v", rows, err)
	}
	done, err := other.ApproveCase(ctx, approves.ID, whom, asked.Case)
	if err != nil || done.Stage != desk.CaseDone {
		t.Fatalf("got %+v, %v", done, err)
	}
	if n := count(h.events(domain.EnrolmentStream(whom)), "EnrolmentReset"); n != 1 {
		t.Errorf("reset %d times", n)
	}
	if h.factor(email) != enrolment.NoFactor {
		t.Error("the factor still counts")
	}
	if rows, err := other.OpenCases(ctx, approves.ID); err != nil || len(rows) != 0 {
		t.Errorf("got %+v, %v", rows, err)
	}
}
