package i18n_test

import (
	"testing"

	"github.com/keydesk/keydesk/app/internal/i18n"
)

func TestAPrinterSpeaksItsLanguage(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"nl": "Volgende", "en": "Next", "fr": "Volgende"} {
		if got := i18n.New(lang).T("next"); got != want {
			t.Errorf("%s: got %q, want %q", lang, got, want)
		}
	}
	if got := i18n.New("nl").T("change-to", i18n.Args{"Factor": "Pocket"}); got != "Wijzigen naar Pocket" {
		t.Errorf("arguments: got %q", got)
	}
	if got := i18n.New("nl").T("no-such-message"); got != "⟦no-such-message⟧" {
		t.Errorf("a missing message: got %q", got)
	}
}
