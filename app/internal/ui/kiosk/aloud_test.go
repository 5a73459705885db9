package kiosk

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// A recorder is a voice that is written down.
type recorder struct{ said []string }

func (*recorder) Available() bool         { return true }
func (r *recorder) Say(lang, text string) { r.said = append(r.said, lang+": "+text) }
func (*recorder) Stop()                   {}

func TestReadingAloud(t *testing.T) {
	voice := &recorder{}
	h := open(t, func(c *Config) {
		c.Speech = voice
		c.Demo = realPhone{t}
	})
	// hears presses Lees voor and compares with the messages of these ids.
	hears := func(ids ...string) {
		t.Helper()
		before := len(voice.said)
		focused := h.w.Canvas().Focused()
		h.find("kiosk-read-aloud").Tapped(nil) // as in a window, which leaves the focus where it is
		if len(voice.said) != before+1 {
			t.Fatalf("said %d times", len(voice.said)-before)
		}
		said := voice.said[before]
		if h.page.Heading == "" || !strings.Contains(said, h.page.Heading) {
			t.Errorf("%T: %q is not in %q", h.screen, h.page.Heading, said)
		}
		for _, id := range ids {
			if want := h.worded(id); !strings.Contains(said, want) {
				t.Errorf("%T: %q is not in %q", h.screen, want, said)
			}
		}
		if h.w.Canvas().Focused() != focused {
			t.Errorf("%T: the focus moved to %T", h.screen, h.w.Canvas().Focused())
		}
	}

	h.toEmailCode(email)
	code := h.message(1).Code
	h.typed(code[:5])
	hears("kiosk-code-title", "kiosk-code-lead", "confirmation-code")
	h.touch("kiosk-code-none")
	hears("kiosk-stuck-mail-title", "kiosk-stuck-nothing-wrong", "kiosk-stuck-mail")
	h.press(h.page.Back)
	h.typed(wrongCode(code))
	h.until("the wrong code is refused", func() bool { return !h.busy && h.digits().Wrong() != "" })
	hears("kiosk-code-title", "confirmation-code")
	if last := voice.said[len(voice.said)-1]; !strings.Contains(last, h.digits().Wrong()) {
		t.Errorf("what is wrong is not in %q", last)
	}
	h.typed(code)

	s := on[*passwordScreen](h)
	h.typed("Sanne")
	hears("name")
	h.key(fyne.KeyReturn)
	h.typed(phrase)
	s.password.SetRevealed(true)
	hears("password")
	h.next()

	on[*phoneScreen](h)
	h.typed(number)
	hears("kiosk-phone-lead", "kiosk-phone-why-text", "phone-number")
	h.next()
	on[*codeScreen](h)
	sms := h.message(2).Code
	h.typed(sms[:5])
	hears("kiosk-sms-title", "kiosk-sms-lead", "confirmation-code")
	h.typed(sms[5:])

	h.press(on[*choiceScreen](h).yes)
	on[*pairScreen](h)
	url, typed := h.view.Pocket.URL, h.view.Pocket.Typed
	hears("kiosk-pair-title", "kiosk-pair-lead", "kiosk-pair-digits")
	h.demo.pair()
	h.until("the phone shows digits", func() bool { return h.demo.digits != "" && h.view.Pocket.Stage == enrolment.Claimed })
	digits := h.demo.digits
	h.typed(digits[:5])
	hears("kiosk-pair-title", "kiosk-pair-digits")

	for _, said := range voice.said {
		for _, secret := range []string{code[:5], sms[:5], digits[:5], phrase, number, "06 12 34", url, typed} {
			if strings.Contains(said, secret) {
				t.Errorf("%q is read aloud in %q", secret, said)
			}
		}
		if !strings.HasPrefix(said, "nl: ") {
			t.Errorf("read in another language: %q", said)
		}
	}
}
