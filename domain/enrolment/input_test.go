package enrolment_test

import (
	"errors"
	"strings"
	"testing"

	. "github.com/keydesk/keydesk/domain/enrolment"
)

func TestParsePhone(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]Number{
		"0612345678":          {"+31612345678", "+31 6 12345678", "06 12345678", "NL"},
		"06-12 34 56 78":      {"+31612345678", "+31 6 12345678", "06 12345678", "NL"},
		"+31 (0)6 12345678":   {"+31612345678", "+31 6 12345678", "06 12345678", "NL"},
		"0031612345678":       {"+31612345678", "+31 6 12345678", "06 12345678", "NL"},
		"+32 470 12 34 56":    {"+32470123456", "+32 470 12 34 56", "0470 12 34 56", "BE"},
		" +49 1512 3456789  ": {"+4915123456789", "+49 1512 3456789", "01512 3456789", "DE"},
	} {
		got, err := policy.ParsePhone(typed)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v", typed, got, err)
		}
	}
	for typed, want := range map[string]error{
		"": ErrNotANumber, "06": ErrNotANumber, "061234567": ErrNotANumber, "hallo": ErrNotANumber, "+31 800 1234": ErrNoSMS,
		"0201234567": ErrNoSMS, "112": ErrNotANumber,
		"+1 212 555 0123": ErrCountryNotAllowed, "+33 6 12 34 56 78": ErrCountryNotAllowed,
		"0612345678 ext. 5":      ErrNotANumber,
		strings.Repeat("6", 500): ErrNotANumber,
	} {
		if got, err := policy.ParsePhone(typed); !errors.Is(err, want) {
			t.Errorf("%q: got %+v, %v; want %v", typed, got, err, want)
		}
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, s := range []string{"0612345678", "+32 470 12 34 56", "tel:+31612345678;ext=5", "\x00", "٠٦١٢٣٤٥٦٧٨"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		n, err := policy.ParsePhone(typed)
		if err != nil {
			return
		}
		for _, form := range []string{n.E164, n.International} {
			if again, err := policy.ParsePhone(form); err != nil || again != n {
				t.Errorf("%q: %q reads as %+v, %v", typed, form, again, err)
			}
		}
	})
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"sanne@voorbeeld.nl":                   "sanne@voorbeeld.nl",
		" S.de-Vries+werk@Voorbeeld.NL ":       "S.de-Vries+werk@voorbeeld.nl",
		"o'brien@mail.voorbeeld.nl":            "o'brien@mail.voorbeeld.nl",
		"zoë@bücher.example":                   "zoë@bücher.example",
		"a@" + strings.Repeat("b", 63) + ".nl": "a@" + strings.Repeat("b", 63) + ".nl",
	} {
		if got, err := ParseAddress(typed); err != nil || got.String() != want {
			t.Errorf("%q: got %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{
		"", "@", "sanne", "sanne@", "@voorbeeld.nl", "sanne@voorbeeld", "sanne@voorbeeld.", "sanne@.nl", "a..b@c.nl",
		".a@b.nl", "a b@c.nl", "a@b c.nl", "a@-b.nl", "a@b.n", "a@b.12", "a\n@b.nl", "a@b.nl\r\nBcc: x@y.nl",
		`"a b"@c.nl`, "a@[127.0.0.1]", "a@b@c..nl", strings.Repeat("a", 65) + "@b.nl", "a@" + strings.Repeat("b.", 130) + "nl",
		"a@" + strings.Repeat("b", 64) + ".nl", "a,b@c.nl", "<a@b.nl>", "\xff@b.nl",
	} {
		if got, err := ParseAddress(typed); !errors.Is(err, ErrNotAnAddress) {
			t.Errorf("%q: got %q, %v", typed, got, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"sanne@voorbeeld.nl", "zoë@bücher.example", "a@b@c.nl", "a@b.nl\r\n", "İ@b.nl", "a@İ.nl"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		a, err := ParseAddress(typed)
		if err != nil {
			return
		}
		if strings.ContainsAny(a.String(), " \r\n\t,;<>\"") {
			t.Errorf("%q: %q could be two addresses", typed, a)
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q: reads again as %q, %v", typed, again, err)
		}
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	allowed := []string{"voorbeeld.nl", "opo.nl"}
	for domain, want := range map[string]string{
		"voorbeeld.nl": "", "vorbeeld.nl": "voorbeeld.nl", "voorbeedl.nl": "voorbeeld.nl", "voorbeeld.com": "",
		"voorbeeldd.n": "voorbeeld.nl", "gmail.com": "", "op.nl": "opo.nl", "xyz.nl": "", "ppo.nl": "opo.nl",
	} {
		if got := Nearest(domain, allowed); got != want {
			t.Errorf("%s: got %q, want %q", domain, got, want)
		}
	}
}
