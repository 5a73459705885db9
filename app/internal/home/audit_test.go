package home_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/history"
)

// auditor enrols somebody who may audit, signs them in, and waits until the index is there.
func (h *house) auditor() (desk.Shift, *desk.Auditor) {
	h.t.Helper()
	shift, _ := h.colleague("lois@voorbeeld.nl", domain.RoleAuditor)
	h.allSent()
	audit := h.Desk.At(deskOf(shift)).Auditor()
	h.indexed(audit, shift)
	return shift, audit
}

// allSent waits until it is recorded of every code that it was sent, and who seals: from
// then on nothing happens by itself.
func (h *house) allSent() {
	h.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		items, err := h.Outbox.List(0)
		if err != nil {
			h.t.Fatal(err)
		}
		sent := 0
		for _, m := range items {
			if m.Code != "" {
				sent++
			}
		}
		var types []string
		for _, e := range h.everything() {
			types = append(types, e.Type)
		}
		if count(types, "CodeSent") >= sent && count(types, "SealBegun") > 0 {
			return
		}
	}
	h.t.Fatal("something is never sent")
}

// deskOf returns at which station colleague signs somebody in.
func deskOf(s desk.Shift) string { return "desk-" + s.Subject.String()[:8] }

// indexed waits until the index knows all that the log holds, and the directory everybody.
func (h *house) indexed(audit *desk.Auditor, shift desk.Shift) {
	h.t.Helper()
	head := h.head()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		page, err := audit.Events(h.t.Context(), shift.ID, desk.EventQuery{Limit: 1})
		if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.NotReady {
			continue
		}
		if err != nil {
			h.t.Fatal(err)
		}
		if page.Ready == 1 && !page.Unnamed && len(page.Rows) > 0 && page.Rows[0].Position >= uint64(head) {
			return
		}
	}
	h.t.Fatal("the index is never there")
}

// stream returns the events of a stream.
func (h *house) stream(name string) []domain.Recorded {
	h.t.Helper()
	events, err := h.Log.ReadStream(h.t.Context(), name, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return events
}

// everything returns all events of the log, in order.
func (h *house) everything() []domain.Recorded {
	h.t.Helper()
	var all []domain.Recorded
	err := h.Log.ReadAll(h.t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			e.Data, e.Metadata = slices.Clone(e.Data), slices.Clone(e.Metadata)
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

func TestAnAuditorReplays(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	between := h.head()
	shift, audit := h.auditor()
	now, err := audit.Replay(ctx, shift.ID, desk.Moment{})
	if err != nil || now.Then != now.Now || now.Now.Done != 2 || now.Now.SMS != 2 || now.Events != now.Total {
		t.Errorf("got %+v, %v", now, err)
	}
	then, err := audit.Replay(ctx, shift.ID, desk.Moment{Position: uint64(between)})
	if err != nil || then.Then.Done != 1 || then.Now.Done != 2 || then.Moment.Position != uint64(between) || then.Moment.At.IsZero() || then.Events >= then.Total {
		t.Errorf("got %+v, %v", then, err)
	}
	if same, err := audit.Replay(ctx, shift.ID, desk.Moment{At: then.Moment.At}); err != nil || same.Moment != then.Moment || same.Then != then.Then {
		t.Errorf("by its time: %+v, %v", same, err)
	}
	first := h.everything()[0]
	if before, err := audit.Replay(ctx, shift.ID, desk.Moment{At: first.Recorded.Add(-time.Hour)}); err != nil || before.Then != (desk.Standing{}) || before.Events != 0 {
		t.Errorf("before all: %+v, %v", before, err)
	}
	line, err := audit.Timeline(ctx, shift.ID, desk.HistogramQuery{Zone: "Europe/Amsterdam"})
	if err != nil || line.Events != now.Total || len(line.Bars) == 0 || line.Bars[0].Events == 0 {
		t.Errorf("got %+v, %v", line, err)
	}
	_, err = audit.Timeline(ctx, shift.ID, desk.HistogramQuery{Zone: "Nowhere"})
	h.refusedWith(desk.BadRange, err)

	// One person, then and now.
	enrolments := h.eventsOf(whom)
	middle := enrolments[len(enrolments)/2]
	p, err := audit.PersonThen(ctx, shift.ID, whom, desk.Moment{Position: uint64(middle.Position)})
	if err != nil || p.Then.State != desk.PersonEnrolling || p.Then.Revision != int64(middle.Revision) || p.Now.State != desk.PersonActive ||
		p.Now.Factor != enrolment.SMS || p.Now.Step != enrolment.StepDone || p.Name != name || p.Entries != len(p.Story) || !p.Moment.At.Equal(middle.Recorded) {
		t.Errorf("got %+v, %v", p, err)
	}
	if got := p.Story[0]; got.ID != middle.ID {
		t.Errorf("the newest of the story is %+v", got)
	}
	if before, err := audit.PersonThen(ctx, shift.ID, whom, desk.Moment{Position: uint64(enrolments[0].Position) - 1}); err != nil ||
		before.Then.Known || before.Then.State != desk.PersonUnheard || len(before.Story) != 0 {
		t.Errorf("before they were heard of: %+v, %v", before, err)
	}
}

func TestTheTableOfEvents(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	all := h.everything()
	page, err := audit.Events(ctx, shift.ID, desk.EventQuery{Oldest: true, Limit: 1000})
	if err != nil || page.Total != len(all) || page.All != len(all) || len(page.Rows) != len(all) || len(page.Types) == 0 || len(page.Roles) == 0 || len(page.Stations) == 0 {
		t.Fatalf("got %d rows of %d, of %d events, %v", len(page.Rows), page.Total, len(all), err)
	}
	for i, row := range page.Rows {
		e := all[i]
		if row.Position != uint64(e.Position) || row.ID != e.ID || row.Type != e.Type || row.Stream != e.Stream || !row.Recorded.Equal(e.Recorded) || row.Revision != int64(e.Revision) {
			t.Errorf("row %d is %+v", i, row)
		}
		if row.Outcome == history.Puzzling || !strings.HasPrefix(row.Message, "history-") {
			t.Errorf("row %d is told as %s, %s", i, row.Message, row.Outcome)
		}
	}
	newest, err := audit.Events(ctx, shift.ID, desk.EventQuery{Offset: 1, Limit: 2})
	if err != nil || len(newest.Rows) != 2 || newest.Rows[0].Position != uint64(all[len(all)-2].Position) {
		t.Errorf("got %+v, %v", newest.Rows, err)
	}

	theirs, err := audit.Events(ctx, shift.ID, desk.EventQuery{Filter: desk.EventFilter{Subject: whom, Types: []string{"NameSet"}}})
	if err != nil || theirs.Total != 1 || theirs.Rows[0].Subject != whom || theirs.Rows[0].Name != name || theirs.Rows[0].Message != "history-NameSet" {
		t.Fatalf("got %+v, %v", theirs, err)
	}
	if n := len(theirs.Types); n < 5 {
		t.Errorf("%d types can be chosen", n)
	}
	by := slices.IndexFunc(theirs.Actors, func(f desk.Facet) bool { return f.Value == desk.Themselves })
	if by < 0 || theirs.Actors[by].Events != theirs.Total || theirs.Actors[by].Name != "" {
		t.Errorf("whoever did that can be chosen from %+v", theirs.Actors)
	}
	for _, f := range []desk.EventFilter{{Actor: desk.Themselves}, {Actor: desk.Themselves, Subject: whom}} {
		themselves, err := audit.Events(ctx, shift.ID, desk.EventQuery{Filter: f, Limit: desk.MostEvents})
		if err != nil || themselves.Total != len(themselves.Rows) || themselves.Total < 5 || themselves.Total >= themselves.All {
			t.Fatalf("got %d rows of %d, of %d events, %v", len(themselves.Rows), themselves.Total, themselves.All, err)
		}
		for _, row := range themselves.Rows {
			if row.Actor.Kind != domain.ActorPerson || !f.Subject.IsZero() && row.Actor.ID != whom.String() {
				t.Errorf("they did this themselves: %+v", row)
			}
		}
	}
	row := theirs.Rows[0]
	detail, err := audit.Event(ctx, shift.ID, row.Position)
	i := slices.IndexFunc(all, func(e domain.Recorded) bool { return e.ID == row.ID })
	if err != nil || detail.Data != string(all[i].Data) || detail.Metadata != string(all[i].Metadata) || len(detail.Values) != 1 ||
		detail.Values[0].Field != "name" || detail.Values[0].State != desk.ValueHolds {
		t.Errorf("got %+v, %v", detail, err)
	}
	chain, err := audit.Chain(ctx, shift.ID, row.Position)
	if err != nil || chain.Total != len(chain.Links) || !slices.ContainsFunc(chain.Links, func(l desk.ChainLink) bool { return l.ID == row.ID }) {
		t.Errorf("got %+v, %v", chain, err)
	}
	for _, l := range chain.Links {
		if l.Correlation != row.Correlation {
			t.Errorf("of another visit: %+v", l)
		}
	}
	if until, err := audit.Events(ctx, shift.ID, desk.EventQuery{Until: desk.Moment{Position: row.Position}}); err != nil || until.Rows[0].ID != row.ID || until.All != i+1 {
		t.Errorf("got %+v, %v", until.Rows, err)
	}
	for _, by := range []int{1, -1} {
		m, err := audit.Step(ctx, shift.ID, row.Position, by, desk.EventFilter{})
		if want := all[i+by]; err != nil || m.Position != uint64(want.Position) || !m.At.Equal(want.Recorded) {
			t.Errorf("a step of %d: %+v, %v", by, m, err)
		}
	}
	_, err = audit.Step(ctx, shift.ID, row.Position, 1, desk.EventFilter{Subject: whom, Types: []string{"NameSet"}})
	h.refusedWith(desk.NoEvent, err)
	for _, p := range []uint64{0, 1 << 40} {
		_, err = audit.Event(ctx, shift.ID, p)
		h.refusedWith(desk.NoEvent, err)
		_, err = audit.Chain(ctx, shift.ID, p)
		h.refusedWith(desk.NoEvent, err)
	}
	now := time.Now()
	_, err = audit.Events(ctx, shift.ID, desk.EventQuery{Filter: desk.EventFilter{From: now, To: now.Add(-time.Hour)}})
	h.refusedWith(desk.BadRange, err)
}

// shown returns what somebody's access stream holds, as scopes.
func (h *house) shown(s domain.SubjectID) (all []string) {
	h.t.Helper()
	events, err := h.Log.ReadStream(h.t.Context(), staff.AccessStream(s), 0)
	if err != nil && !errors.Is(err, domain.ErrNotFound) {
		h.t.Fatal(err)
	}
	for _, e := range events {
		a, err := staff.DecodeAccess(e.Type, e.Data)
		if err != nil {
			h.t.Fatal(err)
		}
		switch a := a.(type) {
		case staff.DataShown:
			all = append(all, string(a.Scope))
		case staff.SearchMade:
			all = append(all, "search")
		case staff.ExportMade:
			all = append(all, "export")
		}
	}
	return all
}

func TestWhatAnAuditorLooksAtIsRecorded(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	var want []string
	look := func(what string, do func() error) {
		t.Helper()
		if err := do(); err != nil {
			t.Error(err)
		}
		if what != "" {
			want = append(want, what)
		}
		if got := h.shown(shift.Subject); !slices.Equal(got, want) {
			t.Fatalf("recorded %v, want %v", got, want)
		}
	}
	find := func(words string) func() error {
		return func() error { _, err := audit.FindPerson(ctx, shift.ID, words); return err }
	}
	then := func(s domain.SubjectID, m desk.Moment) func() error {
		return func() error { _, err := audit.PersonThen(ctx, shift.ID, s, m); return err }
	}
	filtered := func(f desk.EventFilter) func() error {
		return func() error { _, err := audit.Events(ctx, shift.ID, desk.EventQuery{Filter: f}); return err }
	}
	look("", filtered(desk.EventFilter{}))
	look("", func() error { _, err := audit.Replay(ctx, shift.ID, desk.Moment{}); return err })
	look("", find("  "))
	look("search", find("s"))
	look("", find("sa"))
	look("", find("san"))
	c.pass(time.Minute)
	look("search", find("vries"))
	look("person", then(whom, desk.Moment{}))
	look("", then(whom, desk.Moment{Position: 5})) // they stay on them
	look("", filtered(desk.EventFilter{Subject: whom}))
	look("values", func() error { _, err := audit.Values(ctx, shift.ID, whom); return err })
	look("", func() error { _, err := audit.Values(ctx, shift.ID, whom); return err })
	look("", then(whom, desk.Moment{}))
	look("person", then(shift.Subject, desk.Moment{}))
	look("person", func() error { // what a page asks at once is one look
		asks := []func() error{then(whom, desk.Moment{}), filtered(desk.EventFilter{Subject: whom}), then(whom, desk.Moment{Position: 5})}
		errs := make(chan error, len(asks))
		for _, ask := range asks {
			go func() { errs <- ask() }()
		}
		var all []error
		for range asks {
			all = append(all, <-errs)
		}
		return errors.Join(all...)
	})
	look("values", func() error { _, err := audit.Values(ctx, shift.ID, whom); return err })
	look("", func() error {
		_, err := audit.Step(ctx, shift.ID, 1, 1, desk.EventFilter{Subject: whom})
		return err
	})
	look("person", filtered(desk.EventFilter{Actor: shift.Subject.String()})) // what people do themselves is their story, too
	look("", filtered(desk.EventFilter{Actor: shift.Subject.String(), Types: []string{"NameSet"}}))
	look("person", filtered(desk.EventFilter{Subject: whom, Actor: shift.Subject.String()}))
	look("", filtered(desk.EventFilter{Subject: whom, Actor: shift.Subject.String()}))
	hits, err := audit.FindPerson(ctx, shift.ID, "vries")
	if err != nil || len(hits) != 2 { // they are called alike
		t.Fatalf("found %+v, %v", hits, err)
	}
	i := slices.IndexFunc(hits, func(p desk.PersonHit) bool { return p.Subject == whom })
	if i < 0 || hits[i].Name != name || hits[i].Email != "s•••@voorbeeld.nl" {
		t.Errorf("found %+v", hits)
	}
}

// Who opens event after event looks at each person once a shift, and at nobody where an
// event is about nobody, or where their story is open anyhow.
func TestEventsThatAreOpenedAreOneLookAtEachPerson(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	all := h.everything()
	step := func() {
		t.Helper()
		for _, e := range all {
			if _, err := audit.Event(ctx, shift.ID, uint64(e.Position)); err != nil {
				t.Fatal(err)
			}
			if _, err := audit.Chain(ctx, shift.ID, uint64(e.Position)); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := map[domain.SubjectID]bool{whom: true, shift.Subject: true}
	step()
	step()
	got := map[domain.SubjectID]bool{}
	for _, e := range h.stream(staff.AccessStream(shift.Subject)) {
		a, err := staff.DecodeAccess(e.Type, e.Data)
		shown, ok := a.(staff.DataShown)
		if err != nil || !ok || shown.Scope != staff.ShownEvent || got[shown.Subject] || e.Position <= all[len(all)-1].Position {
			t.Errorf("recorded %+v at %d, %v", a, e.Position, err)
		}
		got[shown.Subject] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("recorded looks at %v, want %v", got, want)
	}
}

func TestAnEventIsNoOtherLookWhileTheStoryIsOpen(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	at := uint64(h.stream(domain.EnrolmentStream(whom))[0].Position)
	of := uint64(h.stream(domain.EnrolmentStream(shift.Subject))[0].Position)
	for i, one := range []struct {
		do   func() error
		want []string // by now
	}{
		{func() error { _, err := audit.PersonThen(ctx, shift.ID, whom, desk.Moment{}); return err }, []string{"person"}},
		{func() error { _, err := audit.Event(ctx, shift.ID, at); return err }, []string{"person"}},
		{func() error { _, err := audit.Chain(ctx, shift.ID, of); return err }, []string{"person", "event"}},
		{func() error { _, err := audit.Event(ctx, shift.ID, of); return err }, []string{"person", "event"}},
		{func() error { _, err := audit.PersonThen(ctx, shift.ID, shift.Subject, desk.Moment{}); return err }, []string{"person", "event", "person"}},
		{func() error { _, err := audit.Event(ctx, shift.ID, at); return err }, []string{"person", "event", "person", "event"}}, // they turned away from them
	} {
		if err := one.do(); err != nil {
			t.Fatal(i, err)
		}
		if got := h.shown(shift.Subject); !slices.Equal(got, one.want) {
			t.Errorf("%d: recorded %v, want %v", i, got, one.want)
		}
	}
}

// What belongs together is a look at whom it is about, and at many it is a search.
func TestAnAuditorWhoFiltersByAnActionLooksAtWhomItIsAbout(t *testing.T) {
	t.Parallel()
	h := demo(t)
	whom := h.withSMS()
	var many []desk.Person
	for n := range desk.MostNamed + 1 {
		p := listed(n)
		p.Email = fmt.Sprintf("p%d@voorbeeld.nl", n)
		many = append(many, p)
	}
	h.imports(staffList(many...), desk.ImportOptions{})
	shift, audit := h.auditor()
	together := map[string]domain.EventID{}
	for _, e := range h.everything() {
		var m domain.Metadata
		if err := json.Unmarshal(e.Metadata, &m); err != nil {
			t.Fatal(err)
		}
		if e.Type == "StaffRegistered" || e.Stream == domain.EnrolmentStream(whom) && e.Type == "NameSet" {
			together[e.Type] = m.Correlation
		}
	}
	look := func(f desk.EventFilter, events int, want ...string) {
		t.Helper()
		page, err := audit.Events(t.Context(), shift.ID, desk.EventQuery{Filter: f})
		if err != nil || page.Total < events {
			t.Errorf("got %d, %v", page.Total, err)
		}
		if got := h.shown(shift.Subject); !slices.Equal(got, want) {
			t.Errorf("recorded %v, want %v", got, want)
		}
	}
	look(desk.EventFilter{Correlation: together["NameSet"]}, 4, "person")
	look(desk.EventFilter{Correlation: together["NameSet"], Types: []string{"NameSet"}}, 1, "person")
	look(desk.EventFilter{Correlation: together["StaffRegistered"]}, len(many), "person", "search")
	look(desk.EventFilter{Correlation: together["StaffRegistered"]}, len(many), "person", "search")
	look(desk.EventFilter{Correlation: together["StaffRegistered"], Subject: shift.Subject}, 0, "person", "search", "person")
}

// What cannot be recorded is not shown.
func TestAnAuditorIsShownNothingThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	h := demo(t)
	whom := h.withSMS()
	shift, audit := h.auditor()
	at := uint64(h.stream(domain.EnrolmentStream(whom))[0].Position)
	tamperWith(t, filepath.Join(h.dir, "log.db"),
		"CREATE TRIGGER no_looks BEFORE INSERT ON events WHEN (SELECT name FROM streams WHERE id = NEW.stream) LIKE 'access-%' BEGIN SELECT RAISE(ABORT, 'no room'); END")
	ctx := t.Context()
	event, err := audit.Event(ctx, shift.ID, at)
	h.refusedWith(desk.Unavailable, err)
	if event.Data != "" || event.Name != "" {
		t.Errorf("event: %+v, %v", event, err)
	}
	chain, err := audit.Chain(ctx, shift.ID, at)
	h.refusedWith(desk.Unavailable, err)
	if len(chain.Links) > 0 {
		t.Errorf("chain: %+v, %v", chain, err)
	}
	story, err := audit.PersonThen(ctx, shift.ID, whom, desk.Moment{})
	h.refusedWith(desk.Unavailable, err)
	if len(story.Story) > 0 || story.Name != "" {
		t.Errorf("story: %+v, %v", story, err)
	}
	page, err := audit.Events(ctx, shift.ID, desk.EventQuery{Filter: desk.EventFilter{Subject: whom}})
	h.refusedWith(desk.Unavailable, err)
	if len(page.Rows) > 0 {
		t.Errorf("events: %+v, %v", page, err)
	}
	hits, err := audit.FindPerson(ctx, shift.ID, "vries")
	h.refusedWith(desk.Unavailable, err)
	if len(hits) > 0 {
		t.Errorf("find: %+v, %v", hits, err)
	}
	values, err := audit.Values(ctx, shift.ID, whom)
	h.refusedWith(desk.Unavailable, err)
	if len(values) > 0 {
		t.Errorf("values: %+v, %v", values, err)
	}
}

// Stations choose their calls themselves: under one that has looked before, another look
// is recorded all the same.
func TestACallThatIsUsedAgainHidesNoLookOfAnAuditor(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	whom := h.withSMS()
	shift, audit := h.auditor()
	once := desk.WithCall(t.Context(), desk.NewCall())
	n := 0
	for range 3 {
		if _, err := h.Desk.At(deskOf(shift)).KeepShift(t.Context(), shift.ID); err != nil {
			t.Fatal(err)
		}
		for _, s := range []domain.SubjectID{whom, shift.Subject} {
			if _, err := audit.PersonThen(once, shift.ID, s, desk.Moment{}); err != nil {
				t.Fatal(err)
			}
			if _, err := audit.Values(once, shift.ID, s); err != nil {
				t.Fatal(err)
			}
			if n += 2; len(h.shown(shift.Subject)) != n {
				t.Fatalf("recorded %v", h.shown(shift.Subject))
			}
		}
		if _, err := audit.FindPerson(once, shift.ID, "vries"); err != nil {
			t.Fatal(err)
		}
		if n++; len(h.shown(shift.Subject)) != n {
			t.Fatalf("recorded %v", h.shown(shift.Subject))
		}
		c.pass(time.Minute)
		if _, err := audit.FindPerson(once, shift.ID, "sanne"); err != nil {
			t.Fatal(err)
		}
		n++
		c.pass(time.Minute)
	}
}

// uses are all that an auditor may ask for.
func uses(audit *desk.Auditor, whom domain.SubjectID, position uint64) map[string]func(ctx context.Context, shift string) error {
	return map[string]func(ctx context.Context, shift string) error{
		"timeline": func(ctx context.Context, s string) error {
			_, err := audit.Timeline(ctx, s, desk.HistogramQuery{})
			return err
		},
		"replay": func(ctx context.Context, s string) error {
			_, err := audit.Replay(ctx, s, desk.Moment{Position: position})
			return err
		},
		"step": func(ctx context.Context, s string) error {
			_, err := audit.Step(ctx, s, position, 1, desk.EventFilter{})
			return err
		},
		"events": func(ctx context.Context, s string) error {
			_, err := audit.Events(ctx, s, desk.EventQuery{Filter: desk.EventFilter{Subject: whom}})
			return err
		},
		"event": func(ctx context.Context, s string) error { _, err := audit.Event(ctx, s, position); return err },
		"chain": func(ctx context.Context, s string) error { _, err := audit.Chain(ctx, s, position); return err },
		"find":  func(ctx context.Context, s string) error { _, err := audit.FindPerson(ctx, s, "vries"); return err },
		"person": func(ctx context.Context, s string) error {
			_, err := audit.PersonThen(ctx, s, whom, desk.Moment{})
			return err
		},
		"values": func(ctx context.Context, s string) error { _, err := audit.Values(ctx, s, whom); return err },
		"seal":   func(ctx context.Context, s string) error { _, err := audit.Seal(ctx, s); return err },
		"check":  func(ctx context.Context, s string) error { _, err := audit.CheckSeal(ctx, s); return err },
		"export": func(ctx context.Context, s string) error {
			_, err := audit.Export(ctx, s, desk.ExportQuery{Language: "nl"})
			return err
		},
		"part": func(ctx context.Context, s string) error { _, err := audit.ExportPart(ctx, s, "x", 0); return err },
		"drop": func(ctx context.Context, s string) error { return audit.DropExport(ctx, s, "x") },
	}
}

func TestEveryUseCaseOfAnAuditorAsksForTheRight(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	shift, _ := h.colleague("bram@voorbeeld.nl", domain.RoleHelpdesk, domain.RoleApprover, domain.RoleAdmin)
	h.allSent()
	before := h.head()
	for name, use := range uses(h.Desk.At(deskOf(shift)).Auditor(), whom, 3) {
		t.Log(name)
		h.refusedWith(desk.NoRight, use(ctx, shift.ID))
		h.refusedWith(desk.ShiftOver, use(ctx, "nobody's"))
	}
	if h.head() != before {
		t.Error("something was recorded")
	}
	auditing, audit := h.auditor()
	if err := h.Desk.Grant(ctx, desk.Console(), auditing.Subject, domain.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	if err := h.Desk.Revoke(ctx, desk.Console(), auditing.Subject, domain.RoleAuditor); err != nil {
		t.Fatal(err)
	}
	for name, use := range uses(audit, whom, 3) {
		t.Log(name)
		h.refusedWith(desk.NoRight, use(ctx, auditing.ID))
		h.refusedWith(desk.ShiftOver, use(ctx, shift.ID)) // of another station
	}
}

// Whatever an auditor asks for, and in whatever order: the log grows by what they looked
// at, in their own access stream, and by nothing else.
func TestAnAuditorChangesNothing(t *testing.T) {
	t.Parallel()
	c := &clock{}
	h := openAt(t, c.now, t.TempDir(), true)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	own := staff.AccessStream(shift.Subject)
	calls := []desk.Call{desk.NewCall(), desk.NewCall()}
	asked := 0
	for range 4 { // while the shift lasts
		rapid.Check(t, func(rt *rapid.T) {
			if asked++; asked%20 == 0 {
				if _, err := h.Desk.At(deskOf(shift)).KeepShift(ctx, shift.ID); err != nil {
					rt.Fatal(err)
				}
			}
			before := h.head() //nolint:contextcheck // of the test
			all := uses(audit, rapid.SampledFrom([]domain.SubjectID{whom, shift.Subject, {1}}).Draw(rt, "whom"), rapid.Uint64Range(0, uint64(before)+2).Draw(rt, "position"))
			names := slices.Sorted(func(yield func(string) bool) {
				for name := range all {
					if !yield(name) {
						return
					}
				}
			})
			for range rapid.IntRange(1, 3).Draw(rt, "uses") {
				with := ctx
				if rapid.Bool().Draw(rt, "again") {
					with = desk.WithCall(ctx, rapid.SampledFrom(calls).Draw(rt, "call"))
				}
				name := rapid.SampledFrom(names).Draw(rt, "use")
				if err := all[name](with, shift.ID); err != nil {
					if r, ok := errors.AsType[*desk.Refusal](err); !ok || r.Code == desk.Unavailable || r.Code == desk.NoRight || r.Code == desk.ShiftOver {
						rt.Fatalf("%s: %v", name, err)
					}
				}
			}
			err := h.Log.ReadAll(ctx, domain.Query{After: before, Metadata: true}, func(b domain.Batch) error {
				for _, e := range b.Events {
					var meta domain.Metadata
					if err := json.Unmarshal(e.Metadata, &meta); err != nil {
						return err
					}
					if e.Stream != own || meta.Actor.ID != shift.Subject.String() || meta.Actor.Role != domain.RoleAuditor {
						rt.Fatalf("%s in %s", e.Type, e.Stream)
					}
				}
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
		})
	}
}

// erases erases somebody, with two who ask and approve.
func (h *house) erases(whom domain.SubjectID) {
	h.t.Helper()
	ctx := h.t.Context()
	asks, office := h.colleague("bas@voorbeeld.nl", domain.RoleAdmin)
	approves, other := h.colleague("kees@voorbeeld.nl", domain.RoleApprover)
	asked, err := office.RequestCase(ctx, asks.ID, desk.CaseRequest{Subject: whom, Action: enrolment.Erasing, Reason: enrolment.CaseRetention})
	if err != nil {
		h.t.Fatal(err)
	}
	if done, err := other.ApproveCase(ctx, approves.ID, whom, asked.Case); err != nil || done.Stage != desk.CaseDone {
		h.t.Fatalf("got %+v, %v", done, err)
	}
}

// After somebody was erased, what happened is still told, and who it was is not.
func TestAnAuditorSeesThatSomebodyWasErased(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	before := h.head()
	h.erases(whom)
	h.allSent()
	h.indexed(audit, shift)
	p, err := audit.PersonThen(ctx, shift.ID, whom, desk.Moment{Position: uint64(before)})
	if err != nil || p.Then.State != desk.PersonActive || p.Now.State != desk.PersonErased || p.Name != "" || len(p.Story) == 0 {
		t.Errorf("got %+v, %v", p, err)
	}
	values, err := audit.Values(ctx, shift.ID, whom)
	if err != nil || len(values) == 0 || slices.ContainsFunc(values, func(v desk.ValueCheck) bool { return v.State != desk.ValueErased }) {
		t.Errorf("got %+v, %v", values, err)
	}
	v, err := audit.Replay(ctx, shift.ID, desk.Moment{Position: uint64(before)})
	if err != nil || v.Then.Erased != 0 || v.Now.Erased != 1 || v.Now.Done != v.Then.Done-1+2 { // and two colleagues came
		t.Errorf("got %+v, %v", v, err)
	}
	page, err := audit.Events(ctx, shift.ID, desk.EventQuery{Filter: desk.EventFilter{Subject: whom}})
	if err != nil || len(page.Rows) == 0 || slices.ContainsFunc(page.Rows, func(r desk.EventRow) bool { return r.Name != "" }) {
		t.Errorf("got %+v, %v", page.Rows, err)
	}
}

// checked has the log compared with its seal, and waits for what that comes to.
func (h *house) checked(audit *desk.Auditor, shift desk.Shift) desk.CheckView {
	h.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		v, err := audit.CheckSeal(h.t.Context(), shift.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		if !v.Running && !v.Broken { // as it is while nothing is sealed yet
			return v
		}
	}
	h.t.Fatal("it is never checked")
	return desk.CheckView{}
}

// made waits until a bundle is there.
func (h *house) made(audit *desk.Auditor, shift desk.Shift, v desk.ExportView) desk.ExportView {
	h.t.Helper()
	for end := time.Now().Add(deadline); v.Running; time.Sleep(2 * time.Millisecond) {
		var err error
		if v, err = audit.Export(h.t.Context(), shift.ID, desk.ExportQuery{ID: v.ID}); err != nil {
			h.t.Fatal(err)
		}
		if time.Now().After(end) {
			h.t.Fatal("it is never made")
		}
	}
	return v
}

// fetched returns the whole of a bundle.
func (h *house) fetched(audit *desk.Auditor, shift desk.Shift, id string) (all []byte) {
	h.t.Helper()
	for {
		part, err := audit.ExportPart(h.t.Context(), shift.ID, id, int64(len(all)))
		if err != nil {
			h.t.Fatal(err)
		}
		if len(part) == 0 {
			return all
		}
		all = append(all, part...)
	}
}

func TestAnAuditorChecksTheSealAndTakesABundle(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	if err := h.Seal().Now(ctx); err != nil {
		t.Fatal(err)
	}
	all := h.everything()
	if v := h.checked(audit, shift); !v.OK || v.Events < int64(len(all)) || v.Finding != "" || v.Ended.Before(v.At) {
		t.Errorf("got %+v", v)
	}
	seal, err := audit.Seal(ctx, shift.ID)
	if err != nil || !seal.On || seal.Trouble || seal.Size < int64(len(all)) || len(seal.Checkpoints) != 1 || !seal.Check.OK || seal.Checkpoint.Note == "" {
		t.Errorf("got %+v, %v", seal, err)
	}
	page, err := audit.Events(ctx, shift.ID, desk.EventQuery{Oldest: true, Limit: len(all)})
	if err != nil || slices.ContainsFunc(page.Rows, func(r desk.EventRow) bool { return r.Hash == "" || r.Altered }) {
		t.Errorf("got %+v, %v", page.Rows, err)
	}
	detail, err := audit.Event(ctx, shift.ID, page.Rows[0].Position)
	if err != nil || !detail.Sealed || detail.Leaf != 0 || detail.Checkpoint.Number != 1 || detail.Checkpoint.Root == "" {
		t.Errorf("got %+v, %v", detail, err)
	}

	// A bundle of it: recorded before, made, fetched, and true.
	old := seal.Checkpoint.Note
	q := desk.ExportQuery{Language: "nl", Zone: "Europe/Amsterdam", From: desk.Moment{At: all[0].Recorded}, Since: old}
	once := desk.WithCall(ctx, desk.NewCall())
	begun, err := audit.Export(once, shift.ID, q)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.shown(shift.Subject); !slices.Equal(got, []string{"export"}) {
		t.Errorf("recorded %v", got)
	}
	if again, err := audit.Export(once, shift.ID, q); err != nil || again.ID != begun.ID {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	v := h.made(audit, shift, begun)
	day := all[0].Recorded.Format(time.DateOnly)
	if v.Events < int64(len(all)) || v.Size == 0 || !strings.HasPrefix(v.Name, "keydesk-"+day+"--") || !strings.HasSuffix(v.Name, ".zip") {
		t.Errorf("got %+v", v)
	}
	zip := h.fetched(audit, shift, v.ID)
	verdict, err := proof.Verify(bytes.NewReader(zip), int64(len(zip)), proof.Options{Keys: h.Seal().Keys(), Since: []byte(old)})
	if err != nil || len(verdict.Findings) != 0 || !verdict.Complete || verdict.Events != v.Events {
		t.Errorf("got %+v, %v", verdict, err)
	}
	if bytes.Contains(zip, []byte(whom.String())) && bytes.Contains(zip, []byte(name)) {
		t.Error("a name is in it")
	}
	if left, err := os.ReadDir(filepath.Join(h.dir, "exports")); err != nil || len(left) != 0 {
		t.Errorf("it lies there as %v, %v", left, err)
	}

	// It is nobody else's, and gone with the shift.
	other, _ := h.colleague("fatma@voorbeeld.nl", domain.RoleAuditor)
	another := h.Desk.At(deskOf(other)).Auditor()
	_, err = another.ExportPart(ctx, other.ID, v.ID, 0)
	h.refusedWith(desk.NoExport, err)
	_, err = another.Export(ctx, other.ID, desk.ExportQuery{ID: v.ID})
	h.refusedWith(desk.NoExport, err)
	if err := another.DropExport(ctx, other.ID, v.ID); err != nil { // nothing of theirs
		t.Error(err)
	}
	if _, err := audit.ExportPart(ctx, shift.ID, v.ID, 0); err != nil {
		t.Errorf("dropped by somebody else: %v", err)
	}
	second, err := audit.Export(ctx, shift.ID, desk.ExportQuery{Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.DropExport(ctx, shift.ID, second.ID); err != nil {
		t.Error(err)
	}
	_, err = audit.Export(ctx, shift.ID, desk.ExportQuery{ID: second.ID})
	h.refusedWith(desk.NoExport, err)
	if third, err := audit.Export(ctx, shift.ID, desk.ExportQuery{Language: "en"}); err != nil || third.ID == second.ID { // at once
		t.Errorf("after a drop: %+v, %v", third, err)
	}
	if err := h.Desk.At(deskOf(shift)).EndShift(ctx, shift.ID); err != nil {
		t.Fatal(err)
	}
	_, err = audit.ExportPart(ctx, shift.ID, v.ID, 0)
	h.refusedWith(desk.ShiftOver, err)
}

// An event that is changed behind the log's back is named, in the table at once and by
// the check.
func TestAnAuditorSeesWhatWasChanged(t *testing.T) {
	t.Parallel()
	h := demo(t)
	ctx := t.Context()
	whom := h.withSMS()
	shift, audit := h.auditor()
	if err := h.Seal().Now(ctx); err != nil {
		t.Fatal(err)
	}
	set := h.eventsOf(whom)
	i := slices.IndexFunc(set, func(e domain.Recorded) bool { return e.Type == "PhoneVerified" })
	tamper(t, filepath.Join(h.dir, "log.db"), set[i].Position)
	v := h.checked(audit, shift)
	if v.OK || v.Finding != "changed" || v.Position != uint64(set[i].Position) || v.Type != "PhoneVerified" {
		t.Errorf("got %+v", v)
	}
	page, err := audit.Events(ctx, shift.ID, desk.EventQuery{Filter: desk.EventFilter{Subject: whom, Types: []string{"PhoneVerified"}}})
	if err != nil || len(page.Rows) != 1 || !page.Rows[0].Altered || page.Rows[0].Hash == "" {
		t.Errorf("got %+v, %v", page.Rows, err)
	}
	begun, err := audit.Export(ctx, shift.ID, desk.ExportQuery{Language: "en"})
	for end := time.Now().Add(deadline); err == nil && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		_, err = audit.Export(ctx, shift.ID, desk.ExportQuery{ID: begun.ID})
	}
	h.refusedWith(desk.NotAsSealed, err)
}

// What a running home remembers of the log does not hide that its file was changed.
func TestAnAuditorSeesThatNamesWereChanged(t *testing.T) {
	t.Parallel()
	h := demo(t)
	h.withSMS()
	shift, audit := h.auditor()
	if err := h.Seal().Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := h.checked(audit, shift); !v.OK {
		t.Fatalf("before it: %+v", v)
	}
	tamperWith(t, filepath.Join(h.dir, "log.db"), "DROP TRIGGER IF EXISTS types_UPDATE", "UPDATE types SET name = 'PhoneKnown' WHERE name = 'PhoneVerified'")
	if v := h.checked(audit, shift); v.OK || v.Finding != "changed" || v.Type != "PhoneKnown" {
		t.Errorf("got %+v", v)
	}
}

// tamper changes an event in the log's file, which its triggers keep others from doing.
func tamper(t *testing.T, path string, at domain.Position) {
	t.Helper()
	tamperWith(t, path, "DROP TRIGGER IF EXISTS events_UPDATE",
		fmt.Sprintf(`UPDATE events SET data = replace(data, 'NL', 'BE') WHERE position = %d`, at))
}

func tamperWith(t *testing.T, path string, sql ...string) {
	t.Helper()
	db, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // what failed was told
	for _, one := range append([]string{"PRAGMA busy_timeout = 5000"}, sql...) {
		if err := db.Exec(one); err != nil {
			t.Fatalf("%s: %v", one, err)
		}
	}
}

// That the seal was begun anew is told, also where it is proved that it goes on from the
// one before.
func TestAnAuditorSeesThatTheSealWasBegunAnew(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	h := open(t, dir, true)
	h.withSMS()
	h.allSent()
	if err := h.Seal().Now(ctx); err != nil {
		t.Fatal(err)
	}
	h.stop()
	set, err := settings.Load(settings.Sources{Home: dir, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	log, err := home.OpenLog(ctx, set.Log, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(home.SealCopy(ctx, set, log), log.Close()); err != nil {
		t.Fatal(err)
	}
	g := open(t, dir, true)
	shift, audit := g.auditor()
	if err := g.Seal().Now(ctx); err != nil {
		t.Fatal(err)
	}
	if v := g.checked(audit, shift); !v.OK || !v.Begun || v.Anew {
		t.Errorf("got %+v", v)
	}
}
