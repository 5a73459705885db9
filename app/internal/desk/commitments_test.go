package desk

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/domain"
)

// Every reference in every event ever written is found, under the name of its field.
func TestReferencesAreFoundInEveryEvent(t *testing.T) {
	t.Parallel()
	var files []string
	for _, folder := range []string{"enrolment", "login"} {
		some, err := filepath.Glob(filepath.Join("../../../domain", folder, "testdata", "events", "*.json"))
		if err != nil || len(some) == 0 {
			t.Fatal("no events", err)
		}
		files = append(files, some...)
	}
	with := map[string][]string{}
	for _, f := range files {
		golden, err := os.ReadFile(f) //nolint:gosec // a golden file
		if err != nil {
			t.Fatal(err)
		}
		refs := refsIn(golden)
		if want := strings.Count(string(golden), `"commitment"`); len(refs) != want {
			t.Errorf("%s: %d references, want %d", f, len(refs), want)
		}
		for _, r := range refs {
			if !names(golden, r.ref.ID) {
				t.Errorf("%s: %s is none that it names", f, r.field)
			}
			with[filepath.Base(f)] = append(with[filepath.Base(f)], r.field)
		}
	}
	for file, want := range map[string][]string{
		"EmailConfirmed.1.json": {"email"}, "PasswordSet.1.json": {"credential"}, "PocketPaired.1.json": {"label"},
		"StaffRegistered.1.team.json":    {"email", "employee", "name", "phone", "start", "team"},
		"RecoveryRequested.1.staff.json": {"phone", "ticket"}, "PersonErased.1.json": nil,
	} {
		if got := with[file]; !slices.Equal(got, want) {
			t.Errorf("%s: %v", file, got)
		}
	}
}

func TestReferencesAreFoundByTheirShape(t *testing.T) {
	t.Parallel()
	ref := domain.Ref{ID: domain.RefID{1}, Version: 2, Commitment: domain.Commitment{3}}
	b, err := json.Marshal(ref)
	if err != nil {
		t.Fatal(err)
	}
	r := string(b)
	for data, want := range map[string]string{
		` ` + r + ` `:                                             "",
		`{"a":` + r + `}`:                                         "a",
		`{"b":{"c":` + r + `},"a":` + r + `}`:                     "a b.c",
		`{"list":[1,` + r + `,{"x":` + r + `}]}`:                  "list.1 list.2.x",
		strings.Repeat(`{"a":`, 7) + r + strings.Repeat(`}`, 7):   "a.a.a.a.a.a.a",
		strings.Repeat(`{"a":`, 40) + r + strings.Repeat(`}`, 40): "-",
		`{"ref":"x","version":1,"commitment":"y"}`:                "-",
		`{"ref":"` + ref.ID.String() + `","version":1}`:           "-",
		`null`: "-", `{}`: "-", `{"a":`: "-", ``: "-", `"` + ref.ID.String() + `"`: "-",
	} {
		var fields []string
		for _, found := range refsIn([]byte(data)) {
			if fields = append(fields, found.field); found.ref != ref {
				t.Errorf("%s: %+v", data, found.ref)
			}
		}
		if len(fields) == 0 {
			fields = []string{"-"}
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: found at %q, want %q", data, got, want)
		}
	}
}

func FuzzRefsIn(f *testing.F) {
	f.Add([]byte(`{"a":{"ref":"01000000000000000000000000000000","version":2,"commitment":"AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"b":[{}]}`))
	f.Add([]byte(`[[[[[[[[[[{}]]]]]]]]]]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, found := range refsIn(data) {
			if found.ref.IsZero() || strings.Count(found.field, ".") > deepestRef {
				t.Errorf("%q: %+v", data, found)
			}
			b, err := json.Marshal(found.ref)
			if again := refsIn(b); err != nil || len(again) != 1 || again[0].ref != found.ref {
				t.Errorf("%q: %+v came back as %+v", data, found.ref, again)
			}
		}
	})
}
