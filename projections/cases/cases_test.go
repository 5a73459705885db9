package cases_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/cases"
	"github.com/keydesk/keydesk/projections/foldtest"
)

// Whatever happened, what waits is what the decider says waits of each person.
func TestTheIndexAgreesWithTheDecider(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := foldtest.Random(func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") })
		x := cases.New()
		waits := map[domain.SubjectID]enrolment.Case{}
		for _, f := range facts {
			e := f.Event
			if slices.Contains(cases.Types(), e.Type) { // as a feed gives it no others
				x.Apply([]domain.Recorded{e}, e.Position)
			}
			if waits[f.Subject] = f.State.Request; f.State.Request.ID == "" {
				delete(waits, f.Subject)
			}
		}
		n := 0
		for _, c := range x.All() {
			if !c.Stopped.IsZero() {
				continue
			}
			n++
			if c.Case != waits[c.Subject] {
				t.Fatalf("%+v, and the decider has %+v", c, waits[c.Subject])
			}
		}
		if n != len(waits) {
			t.Fatalf("%d wait, want %d", n, len(waits))
		}
	})
}

// record makes events of a person's stream, an hour after each other.
func record(t *testing.T, events ...enrolment.Event) []domain.Recorded {
	t.Helper()
	messages, err := enrolment.Messages(events, domain.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	recorded := make([]domain.Recorded, len(messages))
	for i, m := range messages {
		recorded[i] = domain.Recorded{
			Message: m, Stream: domain.EnrolmentStream(foldtest.Subject(0)), Revision: domain.Revision(i), Position: domain.Position(i + 1),
			Recorded: foldtest.Start().Add(time.Duration(i) * time.Hour),
		}
	}
	return recorded
}

func TestWhatIsKnownOfCases(t *testing.T) {
	t.Parallel()
	ask := func(id enrolment.CaseID) enrolment.Event {
		return enrolment.RecoveryRequested{
			Case: id, Reason: enrolment.CaseForgotten, Action: enrolment.Resetting, By: "a", Expires: foldtest.Start().Add(time.Hour),
		}
	}
	approved := enrolment.RecoveryApproved{Case: "S1", By: "b", NotBefore: foldtest.Start().Add(25 * time.Hour), Until: foldtest.Start().Add(49 * time.Hour)}
	own := enrolment.RecoveryRequested{Case: "F1", Reason: enrolment.CaseLost}
	atOnce := enrolment.RecoveryRequested{Case: "S2", Reason: enrolment.CaseLost, Action: enrolment.Freezing, By: "a"}
	for name, c := range map[string]struct {
		events []enrolment.Event
		want   []enrolment.CaseID
	}{
		"nothing":                {},
		"the person's own":       {events: []enrolment.Event{own}},
		"what was done at once":  {events: []enrolment.Event{atOnce}},
		"what waits":             {events: []enrolment.Event{ask("S1"), own}, want: []enrolment.CaseID{"S1"}},
		"what is approved waits": {events: []enrolment.Event{ask("S1"), approved}, want: []enrolment.CaseID{"S1"}},
		"the oldest first":       {events: []enrolment.Event{ask("S9"), ask("S1")}, want: []enrolment.CaseID{"S9", "S1"}},
		"what is done":           {events: []enrolment.Event{ask("S1"), approved, enrolment.RecoveryCompleted{Case: "S1", Reason: enrolment.EndDone}}},
		"what was denied":        {events: []enrolment.Event{ask("S1"), enrolment.RecoveryDenied{Case: "S1"}}},
		"what has expired":       {events: []enrolment.Event{ask("S1"), enrolment.RecoveryExpired{Case: "S1"}}},
		"what a freeze stopped":  {events: []enrolment.Event{ask("S1"), enrolment.RecoveryStopped{Case: "S1", Reason: enrolment.StoppedByFreeze}}},
		"what the person stopped is known for a day": {
			events: []enrolment.Event{ask("S1"), enrolment.RecoveryStopped{Case: "S1", Reason: enrolment.StoppedByPerson}}, want: []enrolment.CaseID{"S1"},
		},
	} {
		x := cases.New()
		x.Apply(record(t, c.events...), 100)
		x.Apply(record(t, c.events...), 100) // again
		var got []enrolment.CaseID
		for _, c := range x.All() {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, c.want) || x.Position() != 100 {
			t.Errorf("%s: %v at %d, want %v", name, got, x.Position(), c.want)
		}
	}
	x := cases.New()
	x.Apply(record(t, ask("S1"), approved), 100)
	if c := x.All()[0]; c.Approved != "b" || !c.NotBefore.Equal(approved.NotBefore) || c.By != "a" || !c.Asked.Equal(foldtest.Start()) || c.Subject != foldtest.Subject(0) {
		t.Errorf("%+v", c)
	}
	later := record(t, ask("S1"), enrolment.RecoveryStopped{Case: "S1", Reason: enrolment.StoppedByPerson}, ask("S3"))
	later[2].Recorded = later[1].Recorded.Add(24*time.Hour + 1)
	x = cases.New()
	x.Apply(later, 0)
	if all := x.All(); len(all) != 1 || all[0].ID != "S3" {
		t.Errorf("a day later: %+v", all)
	}
	broken := record(t, ask("S1"))
	broken[0].Data = []byte("{")
	x.Apply(broken, 0)
}
