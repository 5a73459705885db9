package history_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/history"
)

func TestTheStoryOfAnEnrolmentWithoutAHitch(t *testing.T) {
	t.Parallel()
	entries := history.Of(foldtest.Even(1, 1))
	want := []struct {
		message string
		outcome history.Outcome
		step    enrolment.Step
	}{
		{"history-EnrolmentStarted-roster", history.Progress, enrolment.StepEmail},
		{"history-CodeIssued-confirm-email", history.Note, enrolment.StepEmail},
		{"history-CodeSent", history.Note, enrolment.StepEmail},
		{"history-EmailConfirmed", history.Progress, enrolment.StepPassword},
		{"history-NameSet", history.Progress, enrolment.StepPassword},
		{"history-PasswordSet", history.Progress, enrolment.StepPhone},
		{"history-PhoneGiven-self", history.Note, enrolment.StepSMSCode},
		{"history-CodeIssued-verify-phone", history.Note, enrolment.StepSMSCode},
		{"history-CodeSent", history.Note, enrolment.StepSMSCode},
		{"history-PhoneVerified", history.Progress, enrolment.StepFactor},
		{"history-PocketPaired", history.Progress, enrolment.StepFactor},
		{"history-FactorChosen-pocket", history.Progress, enrolment.StepDone},
	}
	if len(entries) != len(want) {
		t.Fatalf("%d entries, want %d", len(entries), len(want))
	}
	for i, w := range want {
		got := entries[i]
		if got.Message != w.message || got.Outcome != w.outcome || got.Step != w.step {
			t.Errorf("entry %d: got %s, %s, step %d, want %+v", i, got.Message, got.Outcome, got.Step, w)
		}
		if got.Actor.Role != domain.RoleSubject || got.Station != "kiosk-1" || !got.At.Equal(foldtest.Start()) {
			t.Errorf("entry %d: by %+v at %s, %s", i, got.Actor, got.Station, got.At)
		}
	}
	if last := entries[len(entries)-1]; last.Factor != enrolment.Pocket {
		t.Errorf("in the end the factor is %s", last.Factor)
	}
	if sent := entries[2].Params; sent["Number"] != "1" || sent["Provider"] != "smtp" {
		t.Errorf("the sending names %v", sent)
	}
}

func TestTheStoryStandsWhereTheDeciderStands(t *testing.T) {
	t.Parallel()
	ids := history.Messages()
	rapid.Check(t, func(t *rapid.T) {
		streams := map[domain.SubjectID][]foldtest.Fact{}
		for _, f := range foldtest.Random(func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }) {
			streams[f.Subject] = append(streams[f.Subject], f)
		}
		for _, facts := range streams {
			entries := history.Of(foldtest.Events(facts))
			if len(entries) != len(facts) {
				t.Fatalf("%d entries for %d events", len(entries), len(facts))
			}
			for i, f := range facts {
				e := entries[i]
				if f.State.Started && e.Step != f.State.Step() || e.Factor != f.State.Factor() || e.ID != f.Event.ID || e.Revision != f.Event.Revision {
					t.Fatalf("after %s: %+v", f.Event.Type, e)
				}
				if !slices.Contains(ids, e.Message) {
					t.Fatalf("%s is not among the messages", e.Message)
				}
			}
		}
	})
}

func TestWhatCannotBeUnderstoodIsToldAndNothingIsGuessedAfterIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func([]domain.Recorded) []domain.Recorded
		want  string
		at    int
	}{
		{"an unknown event", func(e []domain.Recorded) []domain.Recorded { e[5].Type = "HairDyed"; return e }, "history-unknown", 5},
		{"an unreadable one", func(e []domain.Recorded) []domain.Recorded { e[5].Data = []byte("{"); return e }, "history-unreadable", 5},
		{"a missing one", func(e []domain.Recorded) []domain.Recorded { return slices.Delete(e, 5, 6) }, "history-missing", 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			entries := history.Of(c.spoil(foldtest.Even(1, 0)))
			if got := entries[c.at]; got.Message != c.want || got.Outcome != history.Puzzling {
				t.Errorf("got %s, %s", got.Message, got.Outcome)
			}
			for i, e := range entries {
				if unclear := e.Step == history.Unclear && e.Factor == ""; unclear != (i >= c.at) {
					t.Errorf("entry %d: step %d, factor %q", i, e.Step, e.Factor)
				}
			}
		})
	}
}

func TestEveryMessageIsThereInEveryLanguage(t *testing.T) {
	t.Parallel()
	id := regexp.MustCompile(`(?m)^\[(.+)\]$`)
	for _, lang := range []string{"nl", "en"} {
		text, err := os.ReadFile("../../assets/translations/" + lang + "/history.toml") //nolint:gosec // one of two files of ours
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range id.FindAllStringSubmatch(string(text), -1) {
			got = append(got, m[1])
		}
		slices.Sort(got)
		if want := history.Messages(); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", lang, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
