package courier

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/i18n"
)

var (
	ourTexts  = Texts{Portal: "Mijn OPO-R", Pocket: "AFAS Pocket", Support: "hulp@voorbeeld.nl"}
	codeMail  = Message{ID: "send-1", Kind: ConfirmEmail, To: "sanne@voorbeeld.nl", Lang: "nl", Code: "314159", Minutes: 15}
	codeSMS   = Message{ID: "send-2", Kind: VerifyPhone, To: "+31612345678", Lang: "nl", Code: "271828", Minutes: 10}
	pairedSMS = Message{ID: "send-3", Kind: PocketPaired, To: "+31612345678", Lang: "nl"}
)

func TestSeptets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"": 0, "abc": 3, "é@Ω": 3, "€": 2, "[x]": 5, "a\nb": 3, "ë": -1, "ç": -1, "Ç": 1, "’": -1, "😀": -1, "\x1b": -1, "\xff": -1,
	} {
		n, ok := septets(text)
		if !ok {
			n = -1
		}
		if n != want {
			t.Errorf("%q: got %d, want %d", text, n, want)
		}
	}
	// The basic table has 128 places: 127 characters and the escape.
	if n := utf8.RuneCountInString(gsmBasic); n != 127 {
		t.Errorf("the basic table has %d characters", n)
	}
	if n := utf8.RuneCountInString(gsmExtended); n != 10 {
		t.Errorf("the extension table has %d characters", n)
	}
}

func TestNamesInGSM7(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Mijn OPO-R":                                       "Mijn OPO-R",
		"Coöperatie Één – ’t Háárïng":                      "Coöperatie Één - 't Haaring",
		"  Twee\nregels\t hier ":                           "Twee regels hier",
		"日本 Portaal 😀":                                     "Portaal",
		"Łódź & Ço":                                        "Lodz & Ço",
		strings.Repeat("x", 50):                            strings.Repeat("x", 40),
		"Het hele lange portaal van de gemeente Rotterdam": "Het hele lange portaal van de gemeente",
		"e\u0301": "é", // composed first
	} {
		if got := toGSM7(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestEverySMSFitsOneSegment(t *testing.T) {
	t.Parallel()
	portals := []string{
		"", "Mijn OPO-R", strings.Repeat("W", MaxPortal), strings.Repeat("€", MaxPortal), strings.Repeat("ë", 400),
		strings.Repeat("{} ", 100), "Het hele lange portaal van de gemeente Rotterdam en omstreken",
	}
	supports := []string{"", "hulp@voorbeeld.nl", strings.Repeat("lang.", 30) + "@voorbeeld.nl", "hélp\n😀"}
	for _, lang := range i18n.Languages() {
		for _, portal := range portals {
			for _, support := range supports {
				for _, m := range []Message{codeSMS, pairedSMS} {
					m.Lang, m.Minutes = lang, 1440
					text, err := Texts{Portal: portal, Support: support}.sms(m)
					if err != nil {
						t.Errorf("%s %s, portal %.20q: %v", lang, m.Kind, portal, err)
						continue
					}
					if n, ok := septets(text); !ok || n > 160 {
						t.Errorf("%s %s takes %d septets: %s", lang, m.Kind, n, text)
					}
				}
			}
		}
	}
}

func TestSMSForAnyPortal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := Texts{Portal: rapid.String().Draw(t, "portal"), Support: rapid.String().Draw(t, "support")}
		m := codeSMS
		m.Lang = rapid.SampledFrom(i18n.Languages()).Draw(t, "language")
		text, err := texts.sms(m)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := septets(text); !ok || n > segment {
			t.Fatalf("%d septets: %q", n, text)
		}
		if !strings.HasPrefix(text, m.Code+" ") {
			t.Fatalf("the code is not in front: %q", text)
		}
	})
}

func TestWhatAnSMSSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang string
		m    Message
		want string
	}{
		{"nl", codeSMS, "271828 is je code voor Mijn OPO-R. Typ hem op het scherm; hij werkt 10 minuten. Deel hem met niemand: wij vragen er nooit om."},
		{"en", codeSMS, "271828 is your code for Mijn OPO-R. Type it on the screen; it works for 10 minutes. Never share it: we will never ask for it."},
		{"nl", pairedSMS, "Er is een telefoon gekoppeld aan je account bij Mijn OPO-R. Was jij dit niet? Meld het meteen: hulp@voorbeeld.nl"},
		{"en", pairedSMS, "A phone was paired with your account at Mijn OPO-R. Wasn't it you? Tell us right away: hulp@voorbeeld.nl"},
	} {
		c.m.Lang = c.lang
		if got, err := ourTexts.sms(c.m); err != nil || got != c.want {
			t.Errorf("got %q, %v\nwant %q", got, err, c.want)
		}
	}
}

// Every text exists in both languages, and none is left over.
func TestEveryTextIsTranslated(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		for _, kind := range []Kind{ConfirmEmail, AlreadyEnrolled, Locked, PocketPaired} {
			m := codeMail
			m.Kind, m.Lang = kind, lang
			l, err := ourTexts.letter(m)
			if err != nil {
				t.Errorf("%s %s: %v", lang, kind, err)
				continue
			}
			html, err := l.html()
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"⟦", "<no value>", "ZgotmplZ"} {
				if strings.Contains(l.text()+html+l.Subject, bad) {
					t.Errorf("%s %s has %s in it", lang, kind, bad)
				}
			}
			if got, want := strings.Contains(l.text(), m.Code), kind == ConfirmEmail; got != want {
				t.Errorf("%s %s: code in the text: %v", lang, kind, got)
			}
			if strings.Contains(l.Subject+l.Lead(), m.Code) {
				t.Errorf("%s %s: code in what a locked screen shows", lang, kind)
			}
		}
	}
}

func TestAMessageThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	change := func(m Message, f func(*Message)) Message { f(&m); return m }
	for name, m := range map[string]Message{
		"no id":        change(codeSMS, func(m *Message) { m.ID = "" }),
		"id with line": change(codeSMS, func(m *Message) { m.ID = "a\r\nBcc: x" }),
		"no code":      change(codeSMS, func(m *Message) { m.Code = "" }),
		"long code":    change(codeSMS, func(m *Message) { m.Code = "1234567" }),
		"no time":      change(codeSMS, func(m *Message) { m.Minutes = 0 }),
		"mail's kind":  change(codeSMS, func(m *Message) { m.Kind = ConfirmEmail }),
		"no kind":      change(codeSMS, func(m *Message) { m.Kind = "" }),
	} {
		if _, err := ourTexts.sms(m); !errors.Is(err, ErrBadMessage) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := ourTexts.letter(codeSMS); !errors.Is(err, ErrBadMessage) {
		t.Errorf("a mail of an SMS's kind: got %v", err)
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"sanne@voorbeeld.nl":                    "sanne@voorbeeld.nl",
		"s.de+werk@sub.voorbeeld.nl":            "s.de+werk@sub.voorbeeld.nl",
		"sanne@café.nl":                         "sanne@xn--caf-dma.nl",
		"sanne@BÜCHER.example":                  "sanne@xn--bcher-kva.example",
		"":                                      "",
		"sanne":                                 "",
		"Sanne <sanne@voorbeeld.nl>":            "",
		"a@b.nl, c@d.nl":                        "",
		"a@b.nl\r\nBcc: c@d.nl":                 "",
		"a\n@b.nl":                              "",
		"\"a b\"@b.nl":                          "",
		"sänne@voorbeeld.nl":                    "",
		"a@b.nl (comment)":                      "",
		" a@b.nl":                               "",
		"a@[127.0.0.1]":                         "",
		strings.Repeat("a", 65) + "@b.nl":       "",
		"a@" + strings.Repeat("b.", 130) + "nl": "",
	} {
		got, err := mailbox(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", address, got, err, want)
		}
	}
}
