package proof_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

func leaf() proof.Leaf {
	return proof.Leaf{
		Store: "0b0e6f6e-3f1d-4a57-9f0b-2f4dbb0b7a11", Position: 42,
		Stream: "enrolment-7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", Revision: 3,
		ID: "5a0d3a55-0e0a-5d2e-8a5e-0d4f7c3f9b10", Type: "EmailConfirmed",
		Time: time.Date(2026, 11, 17, 8, 30, 12, 123456000, time.UTC),
		Data: sha256.Sum256([]byte(`{"a":1}`)), Metadata: sha256.Sum256([]byte(`{}`)),
	}
}

// What the leaf of this event is, is a promise to everybody who checks one
// later: it never changes.
func TestALeafAndItsHash(t *testing.T) {
	t.Parallel()
	const want = `{"data":"015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",` +
		`"id":"5a0d3a55-0e0a-5d2e-8a5e-0d4f7c3f9b10",` +
		`"metadata":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",` +
		`"position":42,"revision":3,"store":"0b0e6f6e-3f1d-4a57-9f0b-2f4dbb0b7a11",` +
		`"stream":"enrolment-7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de","time":"2026-11-17T08:30:12.123456Z",` +
		`"type":"EmailConfirmed"}`
	if got := string(leaf().Append(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := leaf().Hash(), tlog.RecordHash([]byte(want)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Another implementation of RFC 8785 finds the same bytes.
func TestALeafIsCanonical(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.RuneFrom([]rune("\x00\x01\b\t\n\f\r\x1f\"\\/<>&\u007f\u2028\U0001F600"))))
		uuid := rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
		l := proof.Leaf{
			Store: text.Draw(t, "store"), Stream: text.Draw(t, "stream"), ID: uuid.Draw(t, "id"), Type: text.Draw(t, "type"),
			Position: rapid.Uint64Range(0, 1<<53-1).Draw(t, "position"), Revision: rapid.Int64Range(0, 1<<53-1).Draw(t, "revision"),
			Time: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")),
		}
		copy(l.Data[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "data"))
		if err := l.Check(); err != nil {
			t.Fatal(err)
		}
		var hashed [64]byte
		hex.Encode(hashed[:], l.Data[:])
		written, err := json.Marshal(map[string]any{
			"type": l.Type, "time": l.Time.UTC(), "stream": l.Stream, "store": l.Store, "revision": l.Revision, "position": l.Position,
			"metadata": hex.EncodeToString(l.Metadata[:]), "id": l.ID, "data": string(hashed[:]),
		})
		if err != nil {
			t.Fatal(err)
		}
		want, err := jcs.Transform(written)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Append(nil); !bytes.Equal(got, want) {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		if l.Hash() != tlog.RecordHash(want) {
			t.Fatal("another hash")
		}
	})
}

func TestTheCheckpointBeforeIsCanonical(t *testing.T) {
	t.Parallel()
	note := []byte("keydesk/x\n1\nabc=\n\n— keydesk/x YWJj\n")
	written, err := json.Marshal(map[string]string{"checkpoint": string(note)})
	if err != nil {
		t.Fatal(err)
	}
	want, err := jcs.Transform(written)
	if err != nil {
		t.Fatal(err)
	}
	if got := proof.AppendBefore(nil, note); !bytes.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if proof.HashBefore(note) != tlog.RecordHash(want) {
		t.Error("another hash")
	}
}

func TestWhatHasNoCanonicalFormIsNoLeaf(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*proof.Leaf){
		"a position that JSON cannot hold": func(l *proof.Leaf) { l.Position = 1 << 53 },
		"a revision that JSON cannot hold": func(l *proof.Leaf) { l.Revision = 1 << 53 },
		"no revision":                      func(l *proof.Leaf) { l.Revision = -1 },
		"a year of five digits":            func(l *proof.Leaf) { l.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a stream that is no text":         func(l *proof.Leaf) { l.Stream = "\xff" },
		"a type that is no text":           func(l *proof.Leaf) { l.Type = "\xc0\x80" },
		"a store that is no text":          func(l *proof.Leaf) { l.Store = "\xed\xa0\x80" },
		"an id that is no text":            func(l *proof.Leaf) { l.ID = "\x80" },
		"an id in capitals":                func(l *proof.Leaf) { l.ID = strings.ToUpper(l.ID) },
		"an id without its dashes":         func(l *proof.Leaf) { l.ID = strings.ReplaceAll(l.ID, "-", "0") },
		"an id of a digit too many":        func(l *proof.Leaf) { l.ID += "0" },
	} {
		l := leaf()
		change(&l)
		if err := l.Check(); !errors.Is(err, proof.ErrBadLeaf) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add(proof.Entry{Position: 7, Day: 20000, Class: proof.Login}.Append(nil))
	f.Add(proof.Entry{Class: proof.Before}.Append(nil))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := proof.ParseEntry(b); err == nil && !bytes.Equal(e.Append(nil), b) {
			t.Errorf("%x reads as %+v", b, e)
		}
	})
}

func TestTheDayOfAnEntry(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"2026-11-17T00:00:00Z": "2026-11-17", "2026-11-17T23:59:59.999999Z": "2026-11-17", "1969-01-01T00:00:00Z": "1970-01-01",
	} {
		moment, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := (proof.Entry{Day: proof.DayOf(moment)}).Date().Format(time.DateOnly); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
}

func BenchmarkLeafHash(b *testing.B) {
	l := leaf()
	b.ReportAllocs()
	for b.Loop() {
		l.Position = rand.Uint64N(1 << 30) //nolint:gosec // a benchmark
		_ = l.Hash()
	}
}
