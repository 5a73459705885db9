package desk_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// areas are the beginnings of the ids that a Phrase may have.
var areas = []string{"desk-group-", "desk-now-", "desk-cause-", "desk-check-", "desk-detail-", "desk-advice-", "desk-action-", "desk-kiosk-", "desk-timeline-"}

// Every phrase has its message in both languages, with the parameters that it gives.
func TestEveryPhraseHasItsWords(t *testing.T) {
	t.Parallel()
	field := regexp.MustCompile(`\{\{[^}]*?\.([A-Za-z]+)[^}]*\}\}`)
	given := []string{"Pocket", "Portal", "Support"}
	for _, lang := range []string{"nl", "en"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "..", "assets", "translations", lang, "helpdesk.toml")) //nolint:gosec // a file of ours
		must(t, err)
		var texts map[string]map[string]string
		must(t, toml.Unmarshal(raw, &texts))
		for _, m := range desk.HelpdeskMessages() {
			text, there := texts[m.ID]
			delete(texts, m.ID)
			if !there || text["other"] == "" {
				t.Errorf("%s: %s is missing", lang, m.ID)
				continue
			}
			if _, counts := text["one"]; counts != slices.Contains(m.Params, "N") {
				t.Errorf("%s: %s has a form for one: %t", lang, m.ID, counts)
			}
			for form, words := range text {
				var used []string
				for _, f := range field.FindAllStringSubmatch(words, -1) {
					if !slices.Contains(given, f[1]) {
						used = append(used, f[1])
					}
				}
				slices.Sort(used)
				if used = slices.Compact(used); !slices.Equal(used, m.Params) {
					t.Errorf("%s: %s, %s, names %q, and gets %q", lang, m.ID, form, used, m.Params)
				}
			}
		}
		for id := range texts {
			if slices.ContainsFunc(areas, func(a string) bool { return strings.HasPrefix(id, a) }) {
				t.Errorf("%s: nothing says %s", lang, id)
			}
		}
	}
}

// said checks that a phrase is one that there are words for.
func said(tb testing.TB, p desk.Phrase) {
	tb.Helper()
	var params []string
	for name, value := range p.Params {
		if params = append(params, name); value == "" || strings.HasPrefix(value, "0001-") {
			tb.Errorf("%s names %s %q", p.ID, name, value)
		}
	}
	slices.Sort(params)
	for _, m := range desk.HelpdeskMessages() {
		if m.ID == p.ID {
			if !slices.Equal(m.Params, params) {
				tb.Errorf("%s gives %q, and is said with %q", p.ID, params, m.Params)
			}
			return
		}
	}
	tb.Errorf("there are no words for %q", p.ID)
}
