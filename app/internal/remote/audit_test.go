package remote_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// auditCases are the names of all that an auditor may ask for.
var auditCases = []string{
	"audit-timeline", "audit-replay", "audit-step", "audit-events", "audit-event", "audit-chain", "audit-find", "audit-person", "audit-values",
	"audit-seal", "audit-check", "audit-export", "audit-export-state", "audit-export-part", "audit-export-drop",
}

// indexed waits until the index over the log is there.
func (s *server) indexed(audit *remote.Auditor, shift string) desk.EventPage {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		page, err := audit.Events(s.t.Context(), shift, desk.EventQuery{})
		if err == nil && page.Ready == 1 && !page.Unnamed {
			return page
		}
		if err != nil && refusal(err) != desk.NotReady {
			s.t.Fatal(err)
		}
	}
	s.t.Fatal("the index is never there")
	return desk.EventPage{}
}

// At a station that is a desk an auditor sees what they see beside the log.
func TestAnAuditorAtAStation(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	ctx := t.Context()
	c := s.client(s.admit("balie-1", station.Desk))
	s.connected(c)
	shift := s.agent(c, domain.RoleAuditor)
	audit, here := c.Auditor(), s.Desk.At("balie-1").Auditor()
	page := s.indexed(audit, shift.ID)
	if page.Total == 0 || len(page.Rows) == 0 || page.Rows[0].Position == 0 || len(page.Types) == 0 {
		t.Fatalf("got %+v", page)
	}
	if v, err := audit.Replay(ctx, shift.ID, desk.Moment{}); err != nil || v.Now.Done != 1 || v.Now != v.Then || v.Moment.At.IsZero() {
		t.Errorf("got %+v, %v", v, err)
	}
	if h, err := audit.Timeline(ctx, shift.ID, desk.HistogramQuery{Bars: 9, Zone: "Europe/Amsterdam"}); err != nil || h.Events != page.All {
		t.Errorf("got %+v, %v", h, err)
	}
	hits, err := audit.FindPerson(ctx, shift.ID, "vries")
	if err != nil || len(hits) != 1 || hits[0].Subject != shift.Subject || hits[0].Name != name || hits[0].Email == email {
		t.Fatalf("found %+v, %v", hits, err)
	}
	p, err := audit.PersonThen(ctx, shift.ID, shift.Subject, desk.Moment{})
	if err != nil || p.Now.Factor != enrolment.SMS || p.Now.State != desk.PersonActive || len(p.Story) != p.Entries || p.Entries < 9 {
		t.Errorf("got %+v, %v", p, err)
	}
	set := desk.EventQuery{Filter: desk.EventFilter{Subject: shift.Subject, Types: []string{"PasswordSet"}}}
	if page, err = audit.Events(ctx, shift.ID, set); err != nil || page.Total != 1 || page.Rows[0].Name != name {
		t.Fatalf("got %+v, %v", page, err)
	}
	at := page.Rows[0].Position
	detail, err := audit.Event(ctx, shift.ID, at)
	same, herr := here.Event(ctx, shift.ID, at)
	if err != nil || herr != nil || detail.Data != same.Data || detail.Metadata != same.Metadata || detail.ID != same.ID || len(detail.Values) != 1 {
		t.Errorf("got %+v, %v; %v", detail, err, herr)
	}
	if chain, err := audit.Chain(ctx, shift.ID, at); err != nil || chain.Total < 5 || len(chain.Links) != chain.Total {
		t.Errorf("got %+v, %v", chain, err)
	}
	if m, err := audit.Step(ctx, shift.ID, at, -1, desk.EventFilter{}); err != nil || m.Position == 0 || m.Position >= at {
		t.Errorf("got %+v, %v", m, err)
	}
	if all, err := audit.Values(ctx, shift.ID, shift.Subject); err != nil || len(all) < 4 || all[0].State != desk.ValueHolds {
		t.Errorf("got %+v, %v", all, err)
	}
	if n := s.count("DataShown"); n != 2 { // the person, once, and their values
		t.Errorf("%d looks are recorded", n)
	}
	if _, err := audit.Event(ctx, shift.ID, 1<<50); refusal(err) != desk.NoEvent {
		t.Errorf("got %v", err)
	}
	if _, err := audit.ExportPart(ctx, shift.ID, "nothing", 0); refusal(err) != desk.NoExport && refusal(err) != desk.NoSeal {
		t.Errorf("got %v", err)
	}
	if err := s.Desk.Revoke(ctx, desk.Console(), shift.Subject, domain.RoleAuditor); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Replay(ctx, shift.ID, desk.Moment{}); refusal(err) != desk.ShiftOver {
		t.Errorf("without a role: %v", err)
	}
}

func TestAKioskIsOfferedNothingOfAnAudit(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	kiosk := s.admit("hal-west", station.Kiosk)
	s.connected(s.client(kiosk))
	for _, useCase := range auditCases {
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

// A question that lacks what it is about is none.
func TestAnAuditorsQuestionsThatAreNone(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	file := s.admit("balie-1", station.Desk)
	s.connected(s.client(file))
	for useCase, body := range map[string]string{
		"audit-replay": `{}`, "audit-timeline": `{"audit":{}}`, "audit-events": `{"audit":{}}`, "audit-step": `{"audit":{"by":1}}`,
		"audit-person": `{"audit":{},"subject":"x"}`, "audit-values": `{"subject":"x"}`, "audit-export": `{"audit":{}}`, "audit-export-state": `{"audit":{}}`, "audit-export-drop": `{"audit":{}}`,
	} {
		if r := s.raw(file, useCase, desk.NewCall().String(), body); r.StatusCode != 403 && r.StatusCode != 400 {
			t.Errorf("%s: status %d", useCase, r.StatusCode)
		}
	}
}

// A bundle is made at the server and fetched part by part; asked for again under the same
// call, it is the same one, and recorded once.
func TestAnAuditorFetchesABundleAtAStation(t *testing.T) {
	t.Parallel()
	s := serve(t, t.TempDir(), &clock{})
	ctx := t.Context()
	c := s.client(s.admit("balie-1", station.Desk))
	s.connected(c)
	shift := s.agent(c, domain.RoleAuditor)
	audit := c.Auditor()
	s.indexed(audit, shift.ID)
	s.wire.loseNextAnswer()
	v, err := audit.Export(desk.WithCall(ctx, desk.NewCall()), shift.ID, desk.ExportQuery{Language: "nl", Zone: "Europe/Amsterdam"})
	if err != nil || v.ID == "" {
		t.Fatalf("got %+v, %v", v, err)
	}
	if n := s.count("ExportMade"); n != 1 {
		t.Errorf("recorded %d times", n)
	}
	for end := time.Now().Add(patience); v.Running && err == nil && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		v, err = audit.Export(ctx, shift.ID, desk.ExportQuery{ID: v.ID})
	}
	if err != nil || v.Running || v.Size == 0 || v.Events == 0 {
		t.Fatalf("got %+v, %v", v, err)
	}
	var zip []byte
	for {
		part, err := audit.ExportPart(ctx, shift.ID, v.ID, int64(len(zip)))
		if err != nil {
			t.Fatal(err)
		}
		if len(part) == 0 {
			break
		}
		zip = append(zip, part...)
	}
	if verdict, err := proof.Verify(bytes.NewReader(zip), int64(len(zip)), proof.Options{Keys: s.Seal().Keys()}); err != nil ||
		int64(len(zip)) != v.Size || len(verdict.Findings) != 0 || !verdict.Complete {
		t.Errorf("got %+v, %v", verdict, err)
	}
	check, err := audit.CheckSeal(ctx, shift.ID)
	for end := time.Now().Add(patience); check.Running && err == nil && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		check, err = audit.CheckSeal(ctx, shift.ID)
	}
	if err != nil || !check.OK || check.Events == 0 {
		t.Errorf("got %+v, %v", check, err)
	}
	if seal, err := audit.Seal(ctx, shift.ID); err != nil || !seal.On || !seal.Check.OK || len(seal.Checkpoints) == 0 {
		t.Errorf("got %+v, %v", seal, err)
	}

	// At another station, the same auditor may neither have it nor drop it.
	other := s.client(s.admit("balie-2", station.Desk))
	s.connected(other)
	if err := other.Auditor().DropExport(ctx, shift.ID, v.ID); refusal(err) != desk.ShiftOver {
		t.Errorf("at another desk: %v", err)
	}
	if _, err := other.Auditor().ExportPart(ctx, shift.ID, v.ID, 0); refusal(err) != desk.ShiftOver {
		t.Errorf("at another desk: %v", err)
	}
	for range 2 {
		if err := audit.DropExport(ctx, shift.ID, v.ID); err != nil {
			t.Error(err)
		}
	}
	if _, err := audit.ExportPart(ctx, shift.ID, v.ID, 0); refusal(err) != desk.NoExport {
		t.Errorf("what was dropped: %v", err)
	}
}
