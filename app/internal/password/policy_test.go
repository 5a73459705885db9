package password_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/assets/wordlists"
)

var sanne = password.Context{
	Name:         "Sanne de Vries",
	Email:        "s.devries@opo-r.nl",
	Organisation: []string{"OPO-R", "Mijn OPO-R"},
}

// unmet writes the rules that are not met as one line: "length digit
// not-common:word".
func unmet(r password.Report) string {
	var all []string
	for _, rule := range r.Unmet() {
		s := string(rule.Code)
		if rule.Reason != "" {
			s += ":" + string(rule.Reason)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

func TestSeed(t *testing.T) {
	t.Parallel()
	for pw, want := range map[string]string{
		// good ones
		"Kaas-Fiets-Regen7":          "",
		"Kaas-Fiets-7!":              "",
		"KaasFiets12!":               "",
		"Mijn fiets is 3x gestolen!": "",
		"xK9#mQ2$vL7p":               "",
		"#7$k!9Z&2?x_":               "",
		"4839201746aB!":              "",
		"Één-twee-drie-vier-5":       "",
		"Тёплый-Дождь-7":             "",

		// composition and length
		"":                     "length upper lower digit special not-common",
		"Kaas-Fiets":           "length digit",
		"kaas-fiets-regen7":    "upper",
		"KAAS-FIETS-REGEN7":    "lower",
		"Kaas-Fiets-Regen":     "digit",
		"Kaas7Fiets8Regen9":    "special",
		"Kaas Fiets Regen7":    "",
		"Ab1!Cd":               "length not-common",
		"mijn opo-r 2026 opor": "upper not-common:organisation",
		"correct horse batter": "upper digit",

		// common
		"Wachtwoord123!":       "not-common:common",
		"W@chtw00rd2026!!":     "not-common:common",
		"droowthcaW2026!":      "not-common:common",
		"P@$$w0rd12345!":       "not-common:common",
		"Welkom!Wachtwoord1":   "not-common:common",
		"Rotterdam-Feyenoord1": "not-common:common",
		"Voorjaar2026!":        "not-common:common",
		"Ikhouvanjou12345!":    "not-common:common",
		"1q2w3e4r5T6y!":        "not-common:common",

		// a word with digits and signs
		"Strawberry2026!!":        "not-common:word",
		"Verjaardagskaart1!":      "not-common:word",
		"Onderwijsassistent!1":    "not-common:word",
		"Str@wb3rry839205!":       "not-common:word",
		"84920#Hypotheekrente#17": "not-common:word",
		"Kaasfiets839205!":        "not-common:word",
		"A-p-p-e-l-t-a-a-r-t-1-2": "not-common:word",
		"yrrebwartS2026!!":        "not-common:word",
		"Élève-2026-élève":        "not-common:repeated",
		"Ieee 1 !  #  ":           "not-common:word", // its letters are a run as well

		// person and organisation
		"SannedeVries1990!":   "not-common:name",
		"Sanne-de-Vries-1990": "not-common:name",
		"S@nn3-d3-Vr13s-1":    "not-common:name",
		"Vries.Sanne.2026":    "not-common:name",
		"s.devries@OPO-R.nl1": "not-common:name",
		"Sanne&Strawberry15!": "not-common:word",
		"MijnOPO-R2026!!":     "not-common:organisation",
		"Opor-2026-2-3-!":     "not-common:organisation",

		// repeated and sequences
		"Welkom01!Welkom01!":  "not-common:repeated",
		"Xq7!Xq7!Xq7!Xq7!":    "not-common:repeated",
		"Aaaaaaaaaaaa1!":      "not-common:repeated",
		"Qwertyuiop123!":      "not-common:sequence",
		"Poiuytrewq#09":       "not-common:sequence",
		"!QAZ@WSX3edc4rfv":    "not-common:common",
		"Abcdefghijk1!":       "not-common:sequence",
		"Ab12-03-1985!":       "not-common:sequence",
		"Ab31121985!19851231": "not-common:sequence",

		// what PRECIS refuses
		"Kaas\tFiets-Regen7":          "usable",
		"Kaas-Fiets-👩\u200d🏫-7":       "usable",
		"Kaas-Fiets-Regen7\u0378":     "usable",
		"Kaas-Fiets-Regen7\xff":       "usable",
		"Kaas-Fiets-Regen7\U0001f600": "", // an emoji of one code point is fine
	} {
		if got := unmet(password.Seed.Check(pw, sanne)); got != want {
			t.Errorf("%q: got %q, want %q", pw, got, want)
		}
	}
}

func TestNIST(t *testing.T) {
	t.Parallel()
	for pw, want := range map[string]string{
		"correct horse battery staple": "",
		"correcthorsebatterystaple":    "",
		"ik eet graag kaas op vrijdag": "",
		"kaas fiets regen":             "",
		"8391-2764-1093-5582":          "",

		"Kaas-Fiets-7!":             "length",
		"wachtwoord12345":           "not-common:common",
		"verjaardagskaarten":        "not-common:word",
		"aaaaaaaaaaaaaaaa":          "not-common:repeated",
		"123456789012345":           "not-common:sequence",
		"qwertyuiopasdfghjkl":       "not-common:sequence",
		"welkom welkom welkom":      "not-common:repeated",
		"sannedevries sanne":        "not-common:name",
		"kaas\u200dfiets-regenboog": "usable",
	} {
		if got := unmet(password.NIST.Check(pw, sanne)); got != want {
			t.Errorf("%q: got %q, want %q", pw, got, want)
		}
	}
}

func TestAReportListsTheRulesInOrder(t *testing.T) {
	t.Parallel()
	codes := func(r password.Report) (all []password.Code) {
		for _, rule := range r.Rules {
			all = append(all, rule.Code)
		}
		return all
	}
	r := password.Seed.Check("Kaas-Fiets", sanne)
	want := []password.Code{password.Length, password.Upper, password.Lower, password.Digit, password.Special, password.NotCommon}
	if !slices.Equal(codes(r), want) || r.Length != 10 || r.Minimum != 12 || r.OK {
		t.Errorf("seed: %+v", r)
	}
	r = password.NIST.Check("a\tb", sanne)
	if want := []password.Code{password.Length, password.NotCommon, password.Usable}; !slices.Equal(codes(r), want) || r.Minimum != 15 {
		t.Errorf("nist: %+v", r)
	}
}

func TestCharactersAreCountedComposed(t *testing.T) {
	t.Parallel()
	for pw, want := range map[string]int{
		"": 0, "abc": 3, "e\u0301": 1, "é": 1, "a\u00a0b": 3, "日本": 2, "😀": 1, "\t": 1,
	} {
		if got := password.NIST.Check(pw, sanne).Length; got != want {
			t.Errorf("%q: got %d, want %d", pw, got, want)
		}
	}
}

func TestAPasswordMayHave128Characters(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Kaas-Fiets-Regen7 éé ", 10)
	at128 := string([]rune(long)[:128])
	if r := password.Seed.Check(at128, sanne); !r.OK || r.Length != 128 {
		t.Errorf("128: %+v", r)
	}
	for _, pw := range []string{at128 + "x", strings.Repeat("Kaas-Fiets-Regen7", 10_000)} {
		if got := unmet(password.Seed.Check(pw, sanne)); got != "length:too-long" {
			t.Errorf("%d bytes: %s", len(pw), got)
		}
		if _, err := password.Prepare(pw); !errors.Is(err, password.ErrUnusable) {
			t.Errorf("%d bytes: prepared: %v", len(pw), err)
		}
	}
}

func TestPrepareMakesTheSameOfTheSame(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"e\u0301\u00e9": "éé", "a\u00a0b\u2003c": "a b c", "Kaas": "Kaas", " a ": " a ",
	} {
		if got, err := password.Prepare(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "a\tb", "a\x00", "👩\u200d🏫", "\u0378", "\xff"} {
		if got, err := password.Prepare(in); !errors.Is(err, password.ErrUnusable) {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func TestAContextWithoutAnythingRefusesNothing(t *testing.T) {
	t.Parallel()
	for _, who := range []password.Context{{}, {Name: "A. b", Email: "x@y", Organisation: []string{"", "--"}}, {Email: "@@@"}} {
		if r := password.Seed.Check("Kaas-Fiets-Regen7", who); !r.OK {
			t.Errorf("%+v: %s", who, unmet(r))
		}
	}
}

func anyPassword() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[ -~éÉß€]{0,40}`),
		rapid.StringMatching(`[A-Z][a-z]{3,7}[- .][A-Z][a-z]{3,7}[- .][A-Z][a-z]{3,7}[0-9!]{1,3}`),
	)
}

func policies() *rapid.Generator[password.Policy] {
	return rapid.SampledFrom([]password.Policy{password.Seed, password.NIST})
}

func TestAPreparedPasswordHasTheSameReport(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, pw := policies().Draw(t, "policy"), anyPassword().Draw(t, "password")
		r := p.Check(pw, sanne)
		text, err := password.Prepare(pw)
		if err != nil {
			if r.OK {
				t.Fatalf("accepted, and cannot be hashed: %v", err)
			}
			return
		}
		if again := p.Check(text, sanne); !slices.Equal(again.Rules, r.Rules) || again.OK != r.OK || again.Length != r.Length {
			t.Fatalf("got %+v, prepared %+v", r, again)
		}
	})
}

// While somebody types on, no kind of character that was there goes away.
func TestTypingOnKeepsTheKindsMet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~éÉß]{1,60}`).Draw(t, "password")
		met := map[password.Code]bool{}
		for i := range text {
			for _, rule := range password.Seed.Check(text[:i], password.Context{}).Rules {
				switch rule.Code {
				case password.Upper, password.Lower, password.Digit, password.Special:
					if met[rule.Code] && !rule.Met {
						t.Fatalf("%q: %s is no longer met", text[:i], rule.Code)
					}
					met[rule.Code] = rule.Met
				case password.Length, password.NotCommon, password.Usable:
				}
			}
		}
	})
}

func TestOneWordWithDigitsAndSignsIsNeverEnough(t *testing.T) {
	t.Parallel()
	lists, err := wordlists.Open()
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(
		slices.Collect(lists.List(wordlists.Common).All()),
		slices.Collect(lists.List(wordlists.Words).All()),
	)
	all = slices.DeleteFunc(all, func(w string) bool { return strings.Trim(w, "abcdefghijklmnopqrstuvwxyz") != "" })
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom(all).Draw(t, "word")
		if rapid.Bool().Draw(t, "capital") {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		ends := rapid.StringMatching(`[0-9!?.#@ _-]{0,12}`)
		pw := ends.Draw(t, "before") + word + ends.Draw(t, "after")
		for _, p := range []password.Policy{password.Seed, password.NIST} {
			for _, rule := range p.Check(pw, sanne).Rules {
				if rule.Code == password.NotCommon && rule.Met {
					t.Fatalf("%s took %q", p, pw)
				}
			}
		}
	})
}

// What a password manager makes is almost never refused.
func TestRandomPasswordsAreEnough(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same passwords in every run
	var printable []byte
	for c := byte('!'); c <= '~'; c++ {
		printable = append(printable, c)
	}
	refused := 0
	const tries = 3000
	for range tries {
		pw := make([]byte, 12)
		for i := range pw {
			pw[i] = printable[random.IntN(len(printable))]
		}
		for _, rule := range password.NIST.Check(string(pw), password.Context{}).Rules {
			if rule.Code == password.NotCommon && !rule.Met {
				refused++
			}
		}
	}
	if refused > tries/100 {
		t.Errorf("refused %d of %d", refused, tries)
	}
	t.Logf("refused %d of %d", refused, tries)
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{"", "Kaas-Fiets-Regen7", "W@chtw00rd", "31-12-1999", "\xff\xfe", "ｗachtwoord", "e\u0301"} {
		f.Add(seed, "Sanne de Vries", "s.devries@opo-r.nl")
	}
	f.Fuzz(func(t *testing.T, pw, name, email string) {
		who := password.Context{Name: name, Email: email, Organisation: []string{name}}
		r := password.Seed.Check(pw, who)
		if _, err := password.Prepare(pw); err != nil && r.OK {
			t.Errorf("%q is accepted, and cannot be hashed", pw)
		}
		if r.OK != (len(r.Unmet()) == 0) || len(r.Rules) < 6 {
			t.Errorf("%q: %+v", pw, r)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	for name, pw := range map[string]string{
		"typed":   "Kaas-Fiets-Regen7",
		"longest": string([]rune(strings.Repeat("Kaas-Fiets-Regen7 1l!i0o verjaardagskaart ", 4))[:128]),
		"leet":    strings.Repeat("1!|l", 32),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				password.Seed.Check(pw, sanne)
			}
		})
	}
}
