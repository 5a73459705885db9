package login_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	. "github.com/keydesk/keydesk/domain/login"
)

var update = flag.Bool("update", false, "write golden files for events that have none")

// all has one of each event, every field filled. What only SMS and only Pocket
// have stands together here, as it never does in a log.
func all() []Event {
	challenged := phoned
	challenged.To, challenged.Change = &number, "phone"
	return []Event{
		challenged,
		CodeSent{"c1", 1, "cm", "m1"},
		CodeUndeliverable{"c1", 2, enrolment.NoRoute},
		approved,
		given(phoned),
		LoginFailed{"c1", WrongDigits, Asker{"portal", "hall"}, office},
		LoginLocked{office, noon.Add(quarter)},
	}
}

// Every event ever written must be read for ever: a golden file is never
// changed, only added.
func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range all() {
		typ := TypeOf(e)
		seen[typ] = true
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "events", typ+".1.json")
			msgs, err := Messages([]Event{e}, domain.Stamp{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(file); os.IsNotExist(err) && *update {
				var b bytes.Buffer
				if err := json.Indent(&b, msgs[0].Data, "", "  "); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, append(b.Bytes(), '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(file) //nolint:gosec // a golden file
			if err != nil {
				t.Fatalf("every event needs a golden file (-update writes one): %v", err)
			}
			got, err := Decode(typ, golden)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, e) {
				t.Errorf("read from the golden file\n%#v\nwant\n%#v", got, e)
			}
			again, err := Messages([]Event{got}, domain.Stamp{})
			if err != nil {
				t.Fatal(err)
			}
			if want := msgs[0].Data; !bytes.Equal(again[0].Data, want) {
				t.Errorf("read from the golden file\n%s\nwant\n%s", again[0].Data, want)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		typ, _, _ := strings.Cut(filepath.Base(f), ".")
		if !seen[typ] {
			t.Errorf("%s: no such event any more; events are never removed", f)
		}
	}
}

func TestAnUnknownEventIsNotGuessedAt(t *testing.T) {
	t.Parallel()
	if _, err := Decode("LoginLent", []byte(`{}`)); !errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("got %v", err)
	}
	if _, err := Decode("CodeIssued", []byte(`{}`)); !errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("an event of the enrolment: got %v", err)
	}
	if _, err := Decode("LoginLocked", []byte(`{"until":7}`)); err == nil || errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("a known event that cannot be read: got %v", err)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	by := domain.Stamp{
		Command: domain.CommandID{1}, Correlation: domain.EventID{2}, At: noon, Policy: enrolment.PolicyVersion,
		Actor: domain.Actor{Kind: domain.ActorService, ID: "portal", Role: domain.RoleUnattended}, Station: "server",
	}
	events := []Event{wrongCode, LoginLocked{office, noon.Add(quarter)}}
	msgs, err := Messages(events, by)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"$correlationId":"02000000-0000-0000-0000-000000000000","$causationId":"01000000-0000-0000-0000-000000000000",` +
		`"schema":1,"actor":{"kind":"service","id":"portal","role":"unattended"},` +
		`"station":"server","policy":"2026-1","at":"2026-11-23T12:00:00Z"}`
	for i, m := range msgs {
		if string(m.Metadata) != want || m.Type != TypeOf(events[i]) || m.ID != domain.EventIDFor(by.Command, i) {
			t.Errorf("event %d: got %s %s\n%s\nwant\n%s", i, m.Type, m.ID, m.Metadata, want)
		}
	}
	again, err := Messages(events, by)
	if err != nil || !reflect.DeepEqual(msgs, again) {
		t.Error("a retry is not the same bytes")
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	s := domain.SubjectID{7}
	if got := Stream(s); got != "login-07000000-0000-0000-0000-000000000000" {
		t.Errorf("got %s", got)
	}
	if _, is := domain.SubjectOfStream(Stream(s)); is {
		t.Error("logins are taken for an enrolment")
	}
}

// FuzzDecode: whatever can be read is written and read again as the same, and
// means something without a panic.
func FuzzDecode(f *testing.F) {
	for _, e := range all() {
		msgs, err := Messages([]Event{e}, domain.Stamp{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msgs[0].Type, msgs[0].Data)
		f.Add(msgs[0].Type, []byte(`null`))
	}
	f.Fuzz(func(t *testing.T, typ string, data []byte) {
		e, err := Decode(typ, data)
		if err != nil {
			return
		}
		Evolve(State{}, e, noon)
		Evolve(fold(now(phoned)), e, noon)
		once, err := Messages([]Event{e}, domain.Stamp{})
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := Decode(typ, once[0].Data)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		twice, err := Messages([]Event{back}, domain.Stamp{})
		if err != nil || !bytes.Equal(once[0].Data, twice[0].Data) {
			t.Errorf("changed on the way: %s, then %s (%v)", once[0].Data, twice[0].Data, err)
		}
	})
}
