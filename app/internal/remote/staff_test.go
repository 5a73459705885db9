package remote_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/domain/station"
)

// agent enrols somebody at a station, gives them roles, and signs them in there.
func (s *server) agent(c *remote.Client, roles ...domain.Role) desk.Shift {
	s.t.Helper()
	ctx := s.t.Context()
	v := s.walk(c, desk.ScreenDone)
	if err := c.End(ctx, v.Visit, station.Finished); err != nil {
		s.t.Fatal(err)
	}
	subject, err := s.Desk.Subject(ctx, email)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range roles {
		if err := s.Desk.Grant(ctx, desk.Console(), subject, r); err != nil {
			s.t.Fatal(err)
		}
	}
	v, err = c.Login(ctx, email, phrase, "nl")
	if err == nil {
		v, err = c.ConfirmLogin(ctx, v.Visit, s.code())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	shift, err := c.Helpdesk().StartShift(ctx, v.Visit)
	if err != nil {
		s.t.Fatal(err)
	}
	return shift
}

// At a station that is a desk staff may ask for what their role may; a kiosk is offered
// nothing of it, whoever stands there.
func TestStaffAtAStation(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	ctx := t.Context()
	c := s.client(s.admit("balie-1", station.Desk))
	s.connected(c)
	shift := s.agent(c, domain.RoleHelpdesk)
	h := c.Helpdesk()
	if shift.Name != name || !shift.May(staff.RevealData) || shift.Left <= 0 {
		t.Errorf("got %+v", shift)
	}
	if kept, err := h.KeepShift(ctx, shift.ID); err != nil || kept.ID != shift.ID {
		t.Errorf("kept %+v, %v", kept, err)
	}
	page, err := h.Board(ctx, shift.ID, desk.BoardQuery{Scope: desk.ScopeEverybody})
	if err != nil || len(page.Rows) != 1 || page.Rows[0].Subject != shift.Subject || page.Rows[0].Factor != enrolment.SMS {
		t.Errorf("the board: %+v, %v", page, err)
	}
	person, err := h.Person(ctx, shift.ID, shift.Subject)
	if err != nil || person.Name != name || person.Email == email || person.Email == "" {
		t.Errorf("the person: %+v, %v", person, err)
	}
	if line, err := h.Timeline(ctx, shift.ID, shift.Subject, desk.TimelineQuery{}); err != nil || line.Total < 5 {
		t.Errorf("the timeline: %+v, %v", line, err)
	}
	if value, err := h.Reveal(ctx, shift.ID, shift.Subject, desk.FieldEmail); err != nil || value != email {
		t.Errorf("revealed %q, %v", value, err)
	}
	if n := s.count("DataShown"); n != 2 { // the page, once, and the address
		t.Errorf("%d looks are recorded", n)
	}
	if _, err := h.Reveal(ctx, shift.ID, shift.Subject, desk.FieldHRPhone); refusal(err) != desk.NoRight {
		t.Errorf("HR's number: %v", err)
	}
	if all, err := h.Kiosks(ctx, shift.ID); err != nil || len(all) < 2 {
		t.Errorf("the kiosks: %+v, %v", all, err)
	}
	if _, err := h.PlanImport(ctx, shift.ID, desk.StaffList{}, false, nil); refusal(err) != desk.NotHere {
		t.Errorf("an import: %v", err)
	}

	other := s.client(s.admit("balie-2", station.Desk))
	s.connected(other)
	if _, err := other.Helpdesk().KeepShift(ctx, shift.ID); refusal(err) != desk.ShiftOver {
		t.Errorf("at another desk: %v", err)
	}
	if err := s.Desk.Revoke(ctx, desk.Console(), shift.Subject, domain.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Board(ctx, shift.ID, desk.BoardQuery{}); refusal(err) != desk.ShiftOver {
		t.Errorf("without a role: %v", err)
	}
}

func TestAKioskIsOfferedNothingOfStaff(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	kiosk := s.admit("hal-west", station.Kiosk)
	s.connected(s.client(kiosk))
	for _, useCase := range []string{
		"start-shift", "keep-shift", "end-shift", "board", "await-board", "person", "timeline", "reveal", "kiosks",
		"new-case", "request-case", "approve-case", "deny-case", "open-cases", "case-ticket", "ask-caller", "confirm-caller", "caller", "hr-number", "assist",
	} {
		s.clock.add(time.Minute) // so that each is recorded
		before := len(s.refusedStations())
		if r := s.raw(kiosk, useCase, desk.NewCall().String(), `{}`); r.StatusCode != 403 {
			t.Errorf("%s: status %d", useCase, r.StatusCode)
		}
		all := s.refusedStations()
		if want := (station.StationRefused{UseCase: useCase, Reason: station.NotItsKind}); len(all) != before+1 || all[before] != want {
			t.Errorf("%s: recorded %v", useCase, all[before:])
		}
	}
}

// What staff do to somebody goes the same way, and is done once however often its answer
// gets lost.
func TestCasesAtAStation(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	ctx := t.Context()
	c := s.client(s.admit("balie-1", station.Desk))
	s.connected(c)
	shift := s.agent(c, domain.RoleHelpdesk)
	h := c.Helpdesk()
	whom, err := s.Desk.AddToRoster(ctx, desk.Person{Email: "sara@voorbeeld.nl", Name: "Sara Bos", Phone: "0687654321"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	id, err := h.NewCase(ctx, shift.ID)
	if err != nil || id == "" {
		t.Fatalf("got %q, %v", id, err)
	}
	if number, err := h.ShowHRNumber(ctx, shift.ID, whom, id); err != nil || number.E164 != "+31687654321" {
		t.Errorf("HR's number: %+v, %v", number, err)
	}
	frozen, err := h.RequestCase(ctx, shift.ID, desk.CaseRequest{Subject: whom, Case: id, Action: enrolment.Freezing, Reason: enrolment.CaseSuspicion})
	if err != nil || frozen.Stage != desk.CaseDone {
		t.Fatalf("frozen: %+v, %v", frozen, err)
	}
	asked, err := h.RequestCase(ctx, shift.ID, desk.CaseRequest{
		Subject: whom, Action: enrolment.Unfreezing, Reason: enrolment.CaseMistake, Evidence: []enrolment.Evidence{enrolment.SawPass},
	})
	if err != nil || asked.Stage != desk.CaseWaiting {
		t.Fatalf("asked: %+v, %v", asked, err)
	}
	rows, err := h.OpenCases(ctx, shift.ID)
	if err != nil || len(rows) != 1 || rows[0].Case != asked.Case || !rows[0].Mine || rows[0].Name != "Sara Bos" {
		t.Errorf("open: %+v, %v", rows, err)
	}
	if _, err := h.ApproveCase(ctx, shift.ID, whom, asked.Case); refusal(err) != desk.NoRight {
		t.Errorf("approved by who asked: %v", err)
	}
	if denied, err := h.DenyCase(ctx, shift.ID, whom, asked.Case, enrolment.DeniedNotNeeded); err != nil || denied.Stage != desk.CaseDenied {
		t.Errorf("taken back: %+v, %v", denied, err)
	}
	if _, err := h.AskCaller(ctx, shift.ID, whom); err == nil {
		t.Error("somebody without a factor proves one")
	}
	if _, err := h.Ticket(ctx, shift.ID, whom, asked.Case); refusal(err) != desk.NoCase {
		t.Errorf("a ticket: %v", err)
	}
	other, err := s.Desk.AddToRoster(ctx, desk.Person{Email: "bram@voorbeeld.nl", Name: "Bram Smit"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	v, err := h.Assist(ctx, shift.ID, other, "nl")
	if err != nil || v.Screen != desk.ScreenEmailCode {
		t.Fatalf("beside: %+v, %v", v, err)
	}
	if _, err := h.OpenCases(ctx, shift.ID); refusal(err) != desk.Assisting {
		t.Errorf("meanwhile: %v", err)
	}
	if err := c.End(ctx, v.Visit, station.Stopped); err != nil {
		t.Fatal(err)
	}
	if _, err := h.OpenCases(ctx, shift.ID); err != nil {
		t.Errorf("after it: %v", err)
	}
}
