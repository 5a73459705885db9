package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// What desk says comes out at the station as it went in, whatever it is.
func TestViewsSurviveTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		view := rapid.Make[desk.View]().Draw(t, "view")
		r := rapid.Make[desk.Refusal]().Draw(t, "refusal")
		h := rapid.Make[Hello]().Draw(t, "hello")
		line, err := json.Marshal(answer{View: &view, Refusal: &r, Hello: &h, Text: "x"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := readAnswer(line)
		if err != nil {
			t.Fatal(err)
		}
		if valid(line) && (!reflect.DeepEqual(*got.View, view) || *got.Refusal != r) {
			t.Fatalf("%+v\n%+v", *got.View, view)
		}
		if got.Hello.Policy.Version() != h.Policy.Version() {
			t.Fatal("the policy is another one")
		}
	})
}

// valid says that no text was mended on its way to JSON, which only knows UTF-8.
func valid(line []byte) bool { return !bytes.Contains(line, []byte(`\ufffd`)) }

func TestQuestionsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "null x", "[]", `{"visit":1}`, `{"visit":"a"}{}`, `{"nobody":"knows"}`, `{"visit":"` + strings.Repeat("a", maxAsk) + `"}`,
	} {
		if _, _, err := readAsk(strings.NewReader(s)); !errors.Is(err, errMalformed) {
			t.Errorf("%.40s: %v", s, err)
		}
	}
	if _, err := readAnswer([]byte("<html>")); !errors.Is(err, errMalformed) {
		t.Error(err)
	}
}

func FuzzReadAsk(f *testing.F) {
	f.Add([]byte(`{"visit":"x","seen":7}`))
	f.Add([]byte(`{"request":"AAAA"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, _, err := readAsk(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := encode(a)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > maxAsk {
			return
		}
		b, _, err := readAsk(bytes.NewReader(again))
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := encode(b); err != nil || !bytes.Equal(twice, again) {
			t.Fatalf("%s, %s, %v", again, twice, err)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	f.Add([]byte(`{"waiting":true}`))
	f.Add([]byte(`{"view":{"Visit":"x"},"refusal":{"Code":"busy","Wait":7}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := readAnswer(data); err == nil {
			if _, err := json.Marshal(a); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestServices(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"https://keydesk.example.org:8444": "https://keydesk.example.org:8444", "https://10.0.0.1/": "https://10.0.0.1",
		"http://keydesk.example.org": "", "keydesk.example.org": "", "https://": "", "https://a:b@c": "", "https://a/b": "", "https://a?b": "", "": "",
	} {
		if got, err := CheckService(s); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
}

// The times of the two sides stand in different files, and each is worth something
// only beside the others. An answer has to be kept for as long as its station may
// ask for it: by itself, and once more when the person was told that nobody is
// there and pressed the button again. A server at work has to be heard although
// one of its lines is late. And whoever finds out that nobody is there has to have
// the time for another try, since it may only have been the connection.
func TestTheTimesOfBothSidesFit(t *testing.T) {
	t.Parallel()
	beat := NewHandler(Config{}).c.Beat
	if keep < 2*(defaultTotal+defaultSilence) {
		t.Error("an answer is forgotten before its station asks again")
	}
	if defaultSilence < 2*beat {
		t.Error("one late line makes a server count as silent")
	}
	if defaultTotal <= defaultSilence {
		t.Error("a server that falls silent is not asked again")
	}
}

// The longest page that desk gives comes through, whatever people call themselves.
func TestTheLongestPageComesThrough(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("<", 100)
	page := desk.BoardPage{Rows: make([]desk.BoardRow, desk.MostRows)}
	for i := range page.Rows {
		page.Rows[i].Name, page.Rows[i].Team = longest, longest
		page.Rows[i].Now = desk.Phrase{ID: "desk-now-done-sms", Params: map[string]string{"At": "2026-12-01T09:00:00Z"}}
	}
	cases := make([]desk.CaseRow, 500) // the first morning of a year
	for i := range cases {
		cases[i].Name, cases[i].Team, cases[i].ByName, cases[i].SecondName = longest, longest, longest, longest
	}
	for _, want := range []answer{{Board: &page}, {Cases: cases}} {
		line, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := last(&http.Response{
			Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(append(line, '\n'))),
		}, func() {})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d bytes: %v", len(line), err)
		}
	}
}
