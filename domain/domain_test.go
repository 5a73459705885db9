package domain_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/domain"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	const canonical = "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de"
	id, err := domain.ParseSubjectID(strings.ToUpper(canonical))
	if err != nil || id.String() != canonical {
		t.Errorf("got %s, %v", id, err)
	}
	for _, bad := range []string{
		"", "x", canonical[1:], canonical + "0", strings.ReplaceAll(canonical, "-", "0"), "7d44484g" + canonical[8:],
		canonical[:8] + "0" + canonical[9:], strings.Repeat("-", 36),
	} {
		if got, err := domain.ParseSubjectID(bad); !errors.Is(err, domain.ErrBadID) {
			t.Errorf("%q: got %s, %v", bad, got, err)
		}
	}
}

func TestEventIDsAreVersionFiveAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[domain.EventID]bool{}
	for _, c := range []domain.CommandID{{1}, {2}} {
		for i := range 100 {
			id := domain.EventIDFor(c, i)
			if s := id.String(); s[14] != '5' || !strings.ContainsRune("89ab", rune(s[19])) {
				t.Fatalf("%s is not a UUID of version 5", s)
			}
			if seen[id] || id != domain.EventIDFor(c, i) {
				t.Fatalf("%s came twice, or not again", id)
			}
			seen[id] = true
		}
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	id := domain.SubjectID{7}
	if got, ok := domain.SubjectOfStream(domain.EnrolmentStream(id)); !ok || got != id {
		t.Errorf("got %s, %t", got, ok)
	}
	for _, s := range []string{"", "enrolment-", "enrolment-x", "station-" + id.String(), domain.EnrolmentStream(id) + "0"} {
		if _, ok := domain.SubjectOfStream(s); ok {
			t.Errorf("%q is somebody's", s)
		}
	}
}

func TestCommitments(t *testing.T) {
	t.Parallel()
	a := domain.Commit([32]byte{1}, []byte("x"))
	if a == domain.Commit([32]byte{2}, []byte("x")) || a == domain.Commit([32]byte{1}, []byte("y")) {
		t.Error("two values have one commitment")
	}
	ref := domain.Ref{ID: domain.RefID{1, 2}, Version: 3, Commitment: a}
	b, err := json.Marshal(ref)
	if err != nil {
		t.Fatal(err)
	}
	var back domain.Ref
	if err := json.Unmarshal(b, &back); err != nil || back != ref {
		t.Errorf("%s came back as %+v, %v", b, back, err)
	}
	for _, bad := range []string{`{"ref":"12"}`, `{"ref":"zz` + strings.Repeat("0", 30) + `"}`, `{"commitment":"AA"}`, `{"commitment":"?"}`} {
		if err := json.Unmarshal([]byte(bad), &back); !errors.Is(err, domain.ErrBadID) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func FuzzParseSubjectID(f *testing.F) {
	f.Add("7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de")
	f.Add(strings.Repeat("-", 36))
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := domain.ParseSubjectID(s); err == nil && id.String() != strings.ToLower(s) {
			t.Errorf("%q reads as %s", s, id)
		}
	})
}

func BenchmarkParseSubjectID(b *testing.B) {
	const id = "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := domain.ParseSubjectID(id); err != nil {
			b.Fatal(err)
		}
	}
}

func TestIDsOfStationsAndClients(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"hal-west": true, "1": true, "station-abc123": true, "": false, "-a": false, "a-": false, "A": false, "a b": false,
		"a/b": false, "ë": false, "0123456789012345678901234567890123456789": true, "01234567890123456789012345678901234567890": false,
	} {
		if domain.ValidID(id) != want {
			t.Errorf("%q: %t", id, !want)
		}
	}
}
