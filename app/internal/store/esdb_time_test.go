package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Metadata and time come back as they were, whatever they are.
func TestImportedTimeComesBack(t *testing.T) {
	t.Parallel()
	given := []string{
		"", "{}", "{ }", " {\n} \t", `{"a":1}`, `{"a":{}}`, `{"a":"{"}`, `{"a":[{}]} `, `{"a":"}"}`, `{"$recorded":"x"}`,
		`{"$bare":1}`, `{"a":1,"$recorded":"2026-01-02T03:04:05.000000000Z"}`, `{"$recorded":"2026-01-02T03:04:05.000000000Z"}`,
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := []byte(rapid.SampledFrom(given).Draw(rt, "metadata"))
		at := time.Unix(rapid.Int64Range(-60_000_000_000, 250_000_000_000).Draw(rt, "s"), rapid.Int64Range(0, 999_999_999).Draw(rt, "ns")).UTC()
		roundTrip(rt, m, at)
	})
}

func FuzzImportedTime(f *testing.F) {
	f.Add([]byte(`{"schema":1}`), int64(1_700_000_000), int64(5))
	f.Add([]byte{}, int64(0), int64(0))
	f.Add([]byte("{}"), int64(-1), int64(999_999_999))
	f.Fuzz(func(t *testing.T, m []byte, s, ns int64) {
		stripped, at, ok := stripTime(m)
		if ok && len(stripped) > 0 && fitJSON(m) { // what is taken off is what would be added
			again, err := addTime(stripped, at)
			if err == nil && !bytes.Equal(again, m) && json.Valid(m) && !bytes.Contains(m, []byte(`{"$bare":true`)) {
				t.Errorf("%q, stripped and added again: %q", m, again)
			}
		}
		if len(m) == 0 || fitJSON(m) {
			roundTrip(t, m, time.Unix(s%250_000_000_000, ns%1_000_000_000).UTC())
		}
	})
}

func roundTrip(t interface {
	Fatalf(string, ...any)
}, m []byte, at time.Time,
) {
	before := bytes.Clone(m)
	stored, err := addTime(m, at)
	if errors.Is(err, ErrMessage) { // no object, or a year with five digits
		return
	}
	if err != nil || !fitJSON(stored) && len(m) > 0 || !bytes.Equal(m, before) {
		t.Fatalf("%q at %v: stored as %q, %v", before, at, stored, err)
	}
	got, when, ok := stripTime(stored)
	if !ok || !bytes.Equal(got, before) || !when.Equal(at) {
		t.Fatalf("%q at %v came back as %q at %v from %q", before, at, got, when, stored)
	}
	if len(before) == 0 && got != nil {
		t.Fatalf("nothing came back as %q", got)
	}
}
