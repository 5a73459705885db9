package fold_test

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// example has one field of each kind, and example's shape lists them.
type example struct {
	Text   string          `json:"text"`
	Count  int             `json:"count"`
	Moment time.Time       `json:"moment"`
	Ref    domain.Ref      `json:"ref"`
	Key    json.RawMessage `json:"key,omitempty"`
}

var shape = fold.Shape{
	{Name: "text"},
	{Name: "count", Is: fold.Count},
	{Name: "moment", Is: fold.Moment},
	{Name: "ref", Is: fold.Ref},
	{Name: "key", Is: fold.Key},
}

const whole = `{"text":"abc","count":12,"moment":"2026-09-01T08:00:00.5Z",` +
	`"ref":{"ref":"000102030405060708090a0b0c0d0e0f","version":3,"commitment":"AAECAwQFBgcICQoLDA0ODwAAAAAAAAAAAAAAAAAAAAA"},` +
	`"key":{"kty":"EC","x":"f8"}}`

func TestScanReadsWhatEncodingJSONWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{0,40}`).Filter(func(s string) bool {
			escaped, _ := json.Marshal(s)
			return len(escaped) == len(s)+2
		}).Draw(t, "text")
		e := example{
			Text: text, Count: rapid.IntRange(0, 999_999_999).Draw(t, "count"),
			Moment: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC(),
			Ref:    domain.Ref{ID: domain.RefID(foldtest.Subject(1)), Version: rapid.IntRange(0, 99).Draw(t, "version")},
			Key:    json.RawMessage(`{"kty":"EC"}`),
		}
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var f fold.Fields
		if !shape.Scan(data, &f) {
			t.Fatalf("refused %s", data)
		}
		if string(f[0]) != text || string(f[4]) != string(e.Key) {
			t.Fatalf("read %q of %s", f, data)
		}
	})
}

func TestScanLeavesWhatIsOddToEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		``, `{`, `null`, `[]`, `{}x`, `{} `, ` {}`, `{"text":"a"`, `{"text":"a",}`, `{,}`, `{"text"}`, `{"text":}`, `{"text":"a"}}`,
		`{"text":"a","text":"b"}`, `{"Text":"a"}`, `{"text": "a"}`, `{"text":"\u0061"}`, `{"text":"é"}`, `{"text":"` + "\x01" + `"}`,
		`{"text":null}`, `{"text":1}`, `{"other":"a"}`, `{"":"a"}`,
		`{"count":-1}`, `{"count":01}`, `{"count":1.0}`, `{"count":1e3}`, `{"count":9999999999}`, `{"count":"1"}`, `{"count":}`,
		`{"moment":"yesterday"}`, `{"moment":"2026-02-30T00:00:00Z"}`, `{"moment":5}`,
		`{"ref":null}`, `{"ref":{}}`, `{"ref":{"ref":"00000000000000000000000000000000","version":0,"commitment":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}`,
		`{"ref":{"ref":"zz0102030405060708090a0b0c0d0e0f","version":3,"commitment":"AAECAwQFBgcICQoLDA0ODwAAAAAAAAAAAAAAAAAAAAA"}}`,
		`{"ref":{"ref":"000102030405060708090a0b0c0d0e0f","version":3,"commitment":"AAECAwQFBgcICQoLDA0ODwAAAAAAAAAAAAAAAAAAAA+"}}`,
		`{"ref":{"ref":"000102030405060708090a0b0c0d0e0f","version":3,"commitment":"short"}}`,
		`{"key":{}}`, `{"key":{"a":1}}`, `{"key":{"a":"b",}}`, `{"key":"a"}`, `{"key":{"a" "b"}}`,
	} {
		var f fold.Fields
		if shape.Scan([]byte(data), &f) {
			t.Errorf("accepted %s", data)
		}
	}
}

// FuzzScan: whatever Scan accepts, encoding/json accepts and reads the same.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{whole, `{}`, `{"text":""}`, `{"key":{"kty":"EC"},"count":0}`, `{"text":"a","Text":"b"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got fold.Fields
		if !shape.Scan(data, &got) {
			return
		}
		var want example
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", data, err)
		}
		if string(got[0]) != want.Text || string(got[4]) != string(want.Key) {
			t.Fatalf("read %q, encoding/json %+v", got, want)
		}
		if there := got[3] != nil; there == want.Ref.IsZero() {
			t.Fatalf("a reference: %t, encoding/json: %+v", there, want.Ref)
		}
		var ref domain.Ref
		if got[3] != nil {
			if err := json.Unmarshal(got[3], &ref); err != nil || ref != want.Ref {
				t.Fatalf("reference %q: %v", got[3], err)
			}
		}
	})
}
