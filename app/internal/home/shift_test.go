package home_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// onShift enrols somebody, gives them roles and signs them in.
func (h *house) onShift(roles ...domain.Role) desk.Shift {
	h.t.Helper()
	s := h.withSMS()
	for _, r := range roles {
		if err := h.Desk.Grant(h.t.Context(), desk.Console(), s, r); err != nil {
			h.t.Fatal(err)
		}
	}
	return h.signsIn()
}

func (h *house) signsIn() desk.Shift {
	h.t.Helper()
	shift, err := h.Desk.StartShift(h.t.Context(), h.loggedIn().Visit)
	if err != nil {
		h.t.Fatal(err)
	}
	return shift
}

// refusedWith fails the test unless an error is of that code.
func (h *house) refusedWith(code desk.Code, err error) {
	h.t.Helper()
	if r, ok := errors.AsType[*desk.Refusal](err); !ok || r.Code != code {
		h.t.Errorf("got %v, want %s", err, code)
	}
}

func TestStaffSignInWithTheirOwnAccountAndFactor(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	s := h.withSMS()
	v := h.loggedIn()
	_, err := h.Desk.StartShift(ctx, v.Visit)
	h.refusedWith(desk.NotStaff, err)
	h.must(desk.ScreenAccount)(h.Desk.View(ctx, v.Visit)) // they are logged in all the same

	if err := h.Desk.Grant(ctx, desk.Console(), s, domain.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	shift, err := h.Desk.StartShift(ctx, v.Visit)
	if err != nil {
		t.Fatal(err)
	}
	if shift.Subject != s || shift.Name == "" || !slices.Equal(shift.Roles, []domain.Role{domain.RoleHelpdesk}) ||
		!shift.May(staff.SeeBoard) || shift.May(staff.ApproveCase) || shift.Left <= 0 || shift.Left > 5*time.Minute {
		t.Errorf("got %+v", shift)
	}
	h.refused(desk.VisitOver)(h.Desk.View(ctx, v.Visit)) // nobody changes an account with it
	_, err = h.Desk.StartShift(ctx, v.Visit)
	h.refusedWith(desk.VisitOver, err)
	_, err = h.Desk.At("another").KeepShift(ctx, shift.ID)
	h.refusedWith(desk.ShiftOver, err)

	again := h.signsIn() // at the same station: there is one
	_, err = h.Desk.KeepShift(ctx, shift.ID)
	h.refusedWith(desk.ShiftOver, err)
	if err := h.Desk.EndShift(ctx, again.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.Desk.KeepShift(ctx, again.ID)
	h.refusedWith(desk.ShiftOver, err)
}

func TestAHalfLoginIsNoShift(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	if err := h.Desk.Grant(ctx, desk.Console(), h.withSMS(), domain.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	n := h.messages()
	v := h.must(desk.ScreenLoginCode)(h.Desk.Login(ctx, email, phrase, "nl")) // no factor yet
	h.code(courier.BySMS, n)
	_, err := h.Desk.StartShift(ctx, v.Visit)
	h.refusedWith(desk.OutOfOrder, err)
	enrols := h.toFactor("sara@voorbeeld.nl", h.messages()+1) // enrolling is no login
	_, err = h.Desk.StartShift(ctx, enrols.Visit)
	h.refusedWith(desk.OutOfOrder, err)
	_, err = h.Desk.StartShift(ctx, "nobody's")
	h.refusedWith(desk.VisitOver, err)
}

func TestAShiftLocksAndEnds(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	shift := h.onShift(domain.RoleHelpdesk)
	for range 3 { // whoever does something stays
		c.pass(4 * time.Minute)
		if _, err := h.Desk.KeepShift(ctx, shift.ID); err != nil {
			t.Fatal(err)
		}
	}
	c.pass(4 * time.Minute)
	whom, err := h.Desk.AddToRoster(ctx, desk.Person{Email: "sara@voorbeeld.nl", Name: "Sara Bos"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	office := h.Desk.Helpdesk()
	if _, err := office.Person(ctx, shift.ID, whom); err != nil { // nor is a page that looks again by itself
		t.Fatal(err)
	}
	if _, err := office.Timeline(ctx, shift.ID, whom, desk.TimelineQuery{}); err != nil {
		t.Fatal(err)
	}
	if _, err := office.Board(ctx, shift.ID, desk.BoardQuery{}); err != nil { // a look is no hand
		t.Fatal(err)
	}
	c.pass(time.Minute)
	_, err = office.Board(ctx, shift.ID, desk.BoardQuery{})
	h.refusedWith(desk.ShiftOver, err)
	_, err = h.Desk.KeepShift(ctx, shift.ID)
	h.refusedWith(desk.ShiftOver, err)

	c.pass(10 * time.Minute) // for the next SMS
	shift = h.signsIn()
	for range 10*60/4 - 1 {
		c.pass(4 * time.Minute)
		if _, err := h.Desk.KeepShift(ctx, shift.ID); err != nil {
			t.Fatal(err)
		}
	}
	c.pass(4 * time.Minute)
	_, err = h.Desk.KeepShift(ctx, shift.ID)
	h.refusedWith(desk.ShiftOver, err) // ten hours are a day
}

// A shift ends with whatever changes what it was begun with.
func TestWhatEndsAShift(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]func(h *house, s domain.SubjectID) error{
		"the last role is revoked": func(h *house, s domain.SubjectID) error {
			return h.Desk.Revoke(h.t.Context(), desk.Console(), s, domain.RoleHelpdesk)
		},
		"the account is frozen": func(h *house, s domain.SubjectID) error {
			_, err := h.Desk.Freeze(h.t.Context(), s, enrolment.CaseSuspicion)
			return err
		},
		"another password": func(h *house, _ domain.SubjectID) error {
			v := h.proved(h.loggedIn(), desk.ChangesPassword, phrase)
			_, err := h.Desk.ChangePassword(h.t.Context(), v.Visit, "Een heel ander geheim 9!")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clock{}
			h := openAt(t, c.now, t.TempDir(), true)
			shift := h.onShift(domain.RoleHelpdesk)
			c.pass(2 * time.Minute)
			if err := ends(h, shift.Subject); err != nil {
				t.Fatal(err)
			}
			_, err := h.Desk.KeepShift(t.Context(), shift.ID)
			h.refusedWith(desk.ShiftOver, err)
		})
	}
}

func TestARoleThatIsTakenTakesItsRights(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	shift := h.onShift(domain.RoleHelpdesk, domain.RoleApprover)
	if !shift.May(staff.ApproveCase) {
		t.Fatal("an approver may not approve")
	}
	if err := h.Desk.Revoke(ctx, desk.Console(), shift.Subject, domain.RoleApprover); err != nil {
		t.Fatal(err)
	}
	now, err := h.Desk.KeepShift(ctx, shift.ID)
	if err != nil || now.May(staff.ApproveCase) || !now.May(staff.SeeBoard) {
		t.Errorf("got %+v, %v", now, err)
	}
}

func TestWhoCanBeGivenARole(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	half := h.toFactor("sara@voorbeeld.nl", 1)
	h.end(half)
	s, err := h.Desk.Subject(ctx, "sara@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Desk.Grant(ctx, desk.Console(), s, domain.RoleHelpdesk); !errors.Is(err, enrolment.ErrNotEnrolled) {
		t.Errorf("half-way: %v", err)
	}
	whole := h.withSMS()
	self := desk.Agent{Subject: whole, Role: domain.RoleAdmin}
	if err := h.Desk.Grant(ctx, self, whole, domain.RoleHelpdesk); !errors.Is(err, staff.ErrOwnAccount) {
		t.Errorf("to oneself: %v", err)
	}
	if err := h.Desk.Grant(ctx, desk.Agent{Subject: s, Role: domain.RoleAdmin}, whole, domain.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	all, err := h.Desk.Staff(ctx)
	if err != nil || len(all) != 1 || all[0].Subject != whole || all[0].Email != email || all[0].Name == "" {
		t.Errorf("got %+v, %v", all, err)
	}
}

// Somebody enrols beside an agent: the events say so, and until it is over the agent may
// nothing.
func TestAnAgentAssists(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	shift := h.onShift(domain.RoleHelpdesk)
	office := h.Desk.Helpdesk()
	whom, err := h.Desk.AddToRoster(ctx, desk.Person{Email: "sara@voorbeeld.nl", Name: "Sara Bos"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	_, err = office.Assist(ctx, shift.ID, shift.Subject, "nl")
	h.refusedWith(desk.OwnAccount, err)
	n := h.messages()
	v, err := office.Assist(ctx, shift.ID, whom, "nl")
	if err != nil || v.Screen != desk.ScreenEmailCode || v.Email != "sara@voorbeeld.nl" {
		t.Fatalf("got %+v, %v", v, err)
	}
	_, err = office.Person(ctx, shift.ID, whom)
	h.refusedWith(desk.Assisting, err)
	_, err = office.Assist(ctx, shift.ID, whom, "nl")
	h.refusedWith(desk.Assisting, err)
	if kept, err := h.Desk.KeepShift(ctx, shift.ID); err != nil || !kept.Assists {
		t.Errorf("got %+v, %v", kept, err)
	}
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, h.wait(n, func(m courier.Item) bool { return m.Code != "" }).Code))
	h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, "Sara Bos", phrase))
	h.end(v)
	if _, err := office.Person(ctx, shift.ID, whom); err != nil {
		t.Errorf("after it: %v", err)
	}

	events, err := h.Log.ReadStream(ctx, domain.EnrolmentStream(whom), 0)
	if err != nil {
		t.Fatal(err)
	}
	helped := map[string]bool{}
	for _, e := range events {
		var meta domain.Metadata
		if err := json.Unmarshal(e.Metadata, &meta); err != nil {
			t.Fatal(err)
		}
		helped[e.Type] = meta.Helper == shift.Subject.String()
		if e.Type == "EnrolmentStarted" && !strings.Contains(string(e.Data), shift.Subject.String()) {
			t.Errorf("it was begun without a helper: %s", e.Data)
		}
	}
	if helped["StaffRegistered"] || !helped["EmailConfirmed"] || !helped["PasswordSet"] {
		t.Errorf("helped: %v", helped)
	}
}
