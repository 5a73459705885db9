package history_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/history"
)

// Every event that was ever written has words: each has a golden file.
func TestEveryEventOfEveryStreamHasWords(t *testing.T) {
	t.Parallel()
	ids := history.Messages()
	said := map[string]bool{}
	for kind, streams := range map[string][]string{
		"enrolment": {"enrolment-x"}, "login": {"login-x"}, "station": {"station-hall"}, "staff": {"staff-x", "access-x"}, "service": {"service"},
	} {
		files, err := filepath.Glob("../../domain/" + kind + "/testdata/events/*.json")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no golden files: %v", kind, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file) //nolint:gosec // ours
			if err != nil {
				t.Fatal(err)
			}
			typ, _, _ := strings.Cut(filepath.Base(file), ".")
			known := 0
			for _, stream := range streams {
				message, outcome, _ := history.Words(stream, typ, data)
				if outcome == history.Puzzling {
					continue
				}
				known++
				said[message] = true
				if !slices.Contains(ids, message) || outcome == "" || !strings.HasPrefix(message, "history-"+typ) {
					t.Errorf("%s in %s: %q, %q", typ, stream, message, outcome)
				}
			}
			if known != 1 {
				t.Errorf("%s is known in %d kinds of streams", file, known)
			}
		}
	}
	for _, id := range []string{"history-StationOpened", "history-KeyRotated", "history-LoginLocked", "history-NameSet"} {
		if !said[id] {
			t.Errorf("nothing is told as %s", id)
		}
	}
}

func TestWordsOfWhatCannotBeUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ stream, typ, data, want string }{
		{"station-hall", "StationPainted", `{}`, "history-unknown"},
		{"station-hall", "NameSet", `{}`, "history-unknown"},
		{"services", "KeyRotated", `{}`, "history-unknown"},
		{"roster-1", "RosterImported", `{}`, "history-unknown"},
		{"", "NameSet", `{}`, "history-unknown"},
		{"enrolment-x", "NameSet", `{`, "history-unreadable"},
		{"access-x", "DataShown", `[]`, "history-unreadable"},
		{"service", "KeyRotated", ``, "history-unreadable"},
	} {
		if message, outcome, params := history.Words(c.stream, c.typ, []byte(c.data)); message != c.want || outcome != history.Puzzling || params != nil {
			t.Errorf("%s in %s: %s, %s, %v", c.typ, c.stream, message, outcome, params)
		}
	}
}

// Of what has one name in two kinds of streams, each has its own words.
func TestWordsDependOnTheStream(t *testing.T) {
	t.Parallel()
	if own, _, _ := history.Words("enrolment-x", "HelpCodeShown", []byte(`{"help":"h"}`)); own != "history-HelpCodeShown" {
		t.Errorf("of somebody who is known: %s", own)
	}
	if none, _, _ := history.Words("station-hall", "HelpCodeShown", []byte(`{"help":"h"}`)); none != "history-HelpCodeShown-station" {
		t.Errorf("of a stranger: %s", none)
	}
	for reason, want := range map[station.WipeReason]history.Outcome{station.Finished: history.Progress, station.Idle: history.Note} {
		if message, outcome, _ := history.Words("station-hall", "StationWiped", []byte(`{"reason":"`+string(reason)+`"}`)); outcome != want || message != "history-StationWiped-"+string(reason) {
			t.Errorf("wiped, %s: %s, %s", reason, message, outcome)
		}
	}
	if message, _, params := history.Words("station-hall", "StationOpened", []byte(`{"version":"9"}`)); message != "history-StationOpened" || params["Version"] != "9" {
		t.Errorf("opened: %s, %v", message, params)
	}
	if message, _, _ := history.Words("station-hall", "StationRevoked", []byte(`{"reason":"of the future"}`)); message != "history-StationRevoked" {
		t.Errorf("revoked for a reason of the future: %s", message)
	}
}
