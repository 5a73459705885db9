package enrolment_test

import (
	"strings"
	"testing"

	"github.com/keydesk/keydesk/domain/enrolment"
)

func TestANumberIsGroupedAsItIsTyped(t *testing.T) {
	t.Parallel()
	p := enrolment.DefaultPolicy()
	for typed, want := range map[string]string{
		"": "", "0": "0", "06": "06", "061": "06 1", "0612345678": "06 12 34 56 78", "06-12 34.56": "06 12 34 56",
		"+": "+", "+3": "+3", "+31": "+31", "+316": "+31 6", "+31612345678": "+31 6 12 34 56 78",
		"0031612345678": "0031 6 12 34 56 78", "+32470123456": "+32 470 12 34 56", "0470123456": "0470 12 34 56",
		"+4915112345678": "+49 151 12 34 56 78", "+33612345678": "+33612345678", "06x1+2": "06 12",
	} {
		if got, _ := p.ArrangePhone(typed, len(typed)); got != want {
			t.Errorf("%q is shown as %q, want %q", typed, got, want)
		}
	}
	for typed, want := range map[string]string{
		"": "", "06": "NL", "+": "", "+31": "NL", "+32 4": "BE", "0049 1": "DE", "+33 6": "",
	} {
		if got := p.CountryOf(typed); got != want {
			t.Errorf("%q is of %q, want %q", typed, got, want)
		}
	}
}

func FuzzArrangePhone(f *testing.F) {
	for _, seed := range []string{"", "06 12 34", "+31 6 12345678", "0031", "++", "００６", "\xff6"} {
		f.Add(seed, len(seed)/2)
	}
	p := enrolment.DefaultPolicy()
	digits := func(s string) string { return strings.ReplaceAll(s, " ", "") }
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		out, at := p.ArrangePhone(text, cursor)
		if at < 0 || at > len(out) {
			t.Fatalf("the cursor is at %d of %q", at, out)
		}
		if again, place := p.ArrangePhone(out, at); again != out || digits(again[:place]) != digits(out[:at]) {
			t.Fatalf("%q became %q and then %q", text, out, again)
		}
		if got := strings.Trim(out, "+0123456789 "); got != "" {
			t.Fatalf("%q kept %q", text, got)
		}
	})
}
