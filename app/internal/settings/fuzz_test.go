package settings_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/keydesk/keydesk/app/internal/settings"
)

// Whatever stands in the file: it is accepted, and then what is printed says
// the same again; or every reason is one line that names a place.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", settings.Example(), "[mail]\nport = 25\n", "[mail]\nport = \"x\"\n", "mail.host = 3", "[[sms.cm]]",
		"[organisation]\nname = \"\\u0085\"\n", "a = {b = {c = 1}}", "[kiosk]\nstaff_pin = 1234", "[policy]\nresend_waits = []\n",
		"\"\" = 1\n[\"x.y\"]\n'z' = 1979-05-27", "[organisation]\ndomains = [\"A.NL\", \"a.nl\"]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "_file") {
			return // would read a file of this machine
		}
		home := t.TempDir()
		path := filepath.Join(home, settings.FileName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := settings.Load(settings.Sources{Home: home})
		if err != nil {
			invalid, ok := errors.AsType[*settings.InvalidError](err)
			if !ok || len(invalid.Problems) == 0 {
				t.Fatalf("refused without a problem: %v", err)
			}
			for _, p := range invalid.Problems {
				if p.Where != path || p.Reason == "" || strings.ContainsFunc(p.String(), unicode.IsControl) {
					t.Fatalf("no problem to show anybody: %q", p.String())
				}
			}
			return
		}
		var again strings.Builder
		for _, l := range s.Describe() {
			if l.Value != "(hidden)" {
				again.WriteString(l.Field + " = " + l.Value + "\n")
			}
		}
		if strings.Contains(text, "password") || strings.Contains(text, "token") || strings.Contains(text, "secret") {
			return // without them the rest need not stand
		}
		if err := os.WriteFile(path, []byte(again.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		second, err := settings.Load(settings.Sources{Home: home})
		if err != nil {
			t.Fatalf("accepted, but not what it printed: %v\n%s", err, again.String())
		}
		for i, l := range s.Describe() {
			if got := second.Describe()[i]; got.Value != l.Value && l.Value != "(hidden)" {
				t.Fatalf("%s was %s, printed and read again it is %s", l.Field, l.Value, got.Value)
			}
		}
	})
}
