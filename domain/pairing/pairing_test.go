package pairing_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain/pairing"
)

func TestDigitsAreSpreadEvenly(t *testing.T) {
	t.Parallel()
	const n = 60_000
	var seen [6][10]int
	for i := range n {
		d := pairing.Digits("AAAAAAAAAAAAAAAAAAAAAA", "thumbprint", fmt.Sprint(i))
		if len(d) != 6 {
			t.Fatalf("digits %q", d)
		}
		for at := range 6 {
			seen[at][d[at]-'0']++
		}
	}
	for at, counts := range seen {
		var chi float64
		for _, c := range counts {
			diff := float64(c) - n/10
			chi += diff * diff / (n / 10)
		}
		if chi > 40 { // 9 degrees of freedom: by chance once in 130,000
			t.Errorf("digit %d: %v, chi squared %.1f", at, counts, chi)
		}
	}
}

func TestDigitsDependOnEveryPart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, p := range [][3]string{{"a", "b", "c"}, {"ab", "", "c"}, {"a", "bc", ""}, {"", "ab", "c"}, {"a", "b", "d"}} {
		d := pairing.Digits(p[0], p[1], p[2])
		if other, ok := seen[d]; ok {
			t.Errorf("%v and %s give the same digits", p, other)
		}
		seen[d] = fmt.Sprint(p)
	}
}

func TestCodeSurvivesTyping(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := pairing.Code(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"), rapid.String().Draw(t, "pairing"))
		typed := pairing.FormatCode(code)
		typed = strings.ReplaceAll(typed, "0", rapid.SampledFrom([]string{"0", "O", "o"}).Draw(t, "zero"))
		typed = strings.ReplaceAll(typed, "1", rapid.SampledFrom([]string{"1", "I", "l", "L"}).Draw(t, "one"))
		typed = strings.ReplaceAll(typed, "-", rapid.SampledFrom([]string{"-", "", " ", "–", " - "}).Draw(t, "gap"))
		if rapid.Bool().Draw(t, "lower") {
			typed = strings.ToLower(typed)
		}
		got, err := pairing.NormaliseCode(typed)
		if err != nil || got != code {
			t.Fatalf("%q: %q, %v, want %q", typed, got, err, code)
		}
	})
}

func TestDerivedValuesDifferPerPairing(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	a, b := pairing.ID([16]byte{1}), pairing.ID([16]byte{2})
	if !pairing.IsID(a) || !pairing.IsToken(pairing.Secret(key, a)) {
		t.Errorf("id %q, secret %q", a, pairing.Secret(key, a))
	}
	if pairing.Secret(key, a) == pairing.Secret(key, b) || pairing.Code(key, a) == pairing.Code(key, b) {
		t.Error("two pairings share a secret or a code")
	}
}

func TestCheckPublicURL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://pocket.example.nl":           "https://pocket.example.nl",
		"https://Pocket.Example.nl/":          "https://pocket.example.nl",
		"https://pocket.example.nl:8443":      "https://pocket.example.nl:8443",
		"https://pocket.example.nl:443":       "https://pocket.example.nl",
		"http://127.0.0.1:8080":               "http://127.0.0.1:8080",
		"http://127.0.0.1:80":                 "http://127.0.0.1",
		"http://localhost:8080":               "http://localhost:8080",
		"http://[::1]:8080":                   "http://[::1]:8080",
		"http://kiosk.localhost":              "http://kiosk.localhost",
		"http://192.168.1.4:8080":             "",
		"http://pocket.example.nl":            "",
		"http://localhost.example.nl":         "",
		"https://pocket.example.nl/path":      "",
		"https://pocket.example.nl/?a=b":      "",
		"https://pocket.example.nl?":          "",
		"https://pocket.example.nl#x":         "",
		"https://user@pocket.example.nl":      "",
		"https://pocket.example.nl:":          "",
		"https://:8080":                       "",
		"pocket.example.nl":                   "",
		"javascript:alert(1)":                 "",
		"":                                    "",
		"https://" + strings.Repeat("a", 300): "",
	} {
		got, err := pairing.CheckPublicURL(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
		if err != nil && !errors.Is(err, pairing.ErrBadURL) {
			t.Errorf("%q: %v is not ErrBadURL", in, err)
		}
	}
}

func FuzzParseQR(f *testing.F) {
	f.Add("https://pocket.example.nl/p/#1.AAECAwQFBgcICQoLDA0ODw.c2VjcmV0c2VjcmV0c2VjcmV0")
	f.Add("http://127.0.0.1:8080/p/#1.AAECAwQFBgcICQoLDA0ODw.c2VjcmV0c2VjcmV0c2VjcmV0")
	f.Add("https://x/p/#1..")
	f.Fuzz(func(t *testing.T, content string) {
		q, err := pairing.ParseQR(content)
		if err != nil {
			if !errors.Is(err, pairing.ErrBadQR) {
				t.Fatalf("%v is not ErrBadQR", err)
			}
			return
		}
		if q.String() != content {
			t.Fatalf("%q reads as %+v, which writes as %q", content, q, q)
		}
	})
}

func FuzzNormaliseCode(f *testing.F) {
	f.Add("0123-4567-89AB")
	f.Add("oil0 1IlO zzzz")
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := pairing.NormaliseCode(typed)
		if err != nil {
			return
		}
		again, err := pairing.NormaliseCode(pairing.FormatCode(code))
		if err != nil || again != code || len(code) != pairing.CodeLength {
			t.Fatalf("%q reads as %q, and that as %q, %v", typed, code, again, err)
		}
	})
}

func TestACodeIsArrangedWhileItIsTyped(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed  string
		cursor int
		want   string
		at     int
	}{
		{"", 0, "", 0},
		{"k7w", 3, "K7W", 3},
		{"K7WX", 4, "K7WX", 4},
		{"K7WX2", 5, "K7WX-2", 6},
		{"k7wx2r4m9pqt", 12, "K7WX-2R4M-9PQT", 14},
		{"K7WX-2R4M-9PQTX", 15, "K7WX-2R4M-9PQT", 14},
		{"oil", 3, "011", 3},
		{"a!u b", 5, "AB", 2},
		{"K7WX-2R", 2, "K7WX-2R", 2},
		{"K7WXA-2R", 5, "K7WX-A2R", 6},
	} {
		got, at := pairing.ArrangeCode(c.typed, c.cursor)
		if got != c.want || at != c.at {
			t.Errorf("%q at %d: got %q at %d, want %q at %d", c.typed, c.cursor, got, at, c.want, c.at)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		typed := rapid.StringMatching(`[0-9A-Za-z -]{0,20}`).Draw(t, "typed")
		got, at := pairing.ArrangeCode(typed, rapid.IntRange(0, len(typed)).Draw(t, "cursor"))
		if again, same := pairing.ArrangeCode(got, at); again != got || same != at {
			t.Fatalf("%q at %d, then %q at %d", got, at, again, same)
		}
		code, err := pairing.NormaliseCode(typed)
		if arranged, err2 := pairing.NormaliseCode(got); err == nil && (err2 != nil || arranged != code) {
			t.Fatalf("%q means %q, and arranged %q, %v", typed, code, arranged, err2)
		}
	})
}
