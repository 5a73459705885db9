package courier

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/assets"
)

var (
	ourTexts  = Texts{Portal: "Mijn OPO-R", Pocket: "AFAS Pocket", Support: "hulp@voorbeeld.nl"}
	codeMail  = Message{ID: "send-1", Kind: ConfirmEmail, To: "sanne@voorbeeld.nl", Lang: "nl", Code: "314159", Minutes: 15}
	codeSMS   = Message{ID: "send-2", Kind: VerifyPhone, To: "+31612345678", Lang: "nl", Code: "271828", Minutes: 10}
	pairedSMS = Message{ID: "send-3", Kind: PocketPaired, To: "+31612345678", Lang: "nl"}
)

const ticket = "K7WX-2R4M-9PQT"

const checkpointNote = "keydesk/x\n1\nabc=\n\n\u2014 keydesk/x YWJj+/=\n"

// channels lists every kind, and the channels that have a text for it.
var channels = map[Kind][]Channel{
	ConfirmEmail: {ByMail}, VerifyPhone: {BySMS}, ChangePhone: {BySMS}, Login: {BySMS}, ProveChange: {BySMS}, Recover: {ByMail, BySMS},
	AlreadyEnrolled: {ByMail}, Locked: {ByMail}, PocketPaired: {ByMail, BySMS}, LoginLocked: {ByMail},
	PasswordChanged: {ByMail, BySMS}, PhoneChanged: {ByMail, BySMS}, SMSChosen: {ByMail, BySMS},
	AccountFrozen: {ByMail, BySMS}, AccountUnfrozen: {ByMail, BySMS}, Alarm: {ByMail}, Invitation: {ByMail},
	VerifyCaller: {BySMS}, CaseRequested: {ByMail, BySMS}, CaseApproved: {ByMail, BySMS}, CaseDone: {ByMail, BySMS},
	ErasureRequested: {ByMail},
	AlarmStopped:     {ByMail}, AlarmCases: {ByMail}, AlarmAlone: {ByMail}, DailyCheckpoint: {ByMail},
}

// A stop is what stops a case, as it may be told: with a page, without, or not at all.
var stops = []struct{ code, link string }{
	{"", ""},
	{"4F7K-2M9Q-XW3T", ""},
	{"4F7K-2M9Q-XW3T", "https://keydesk.example.nl/stop#4F7K-2M9Q-XW3T"},
	{"4F7K-2M9Q-XW3T", "https://" + strings.Repeat("lang.", 30) + "example.nl/stop#4F7K-2M9Q-XW3T"},
}

// everyCase returns the messages about cases, of one kind and in one language.
func everyCase(m Message) []Message {
	var all []Message
	for _, m.Action = range []Action{CorrectNumber, RevokePocket, Unfreeze, Reset, IssueTicket} {
		for _, stop := range stops {
			if m.Stop, m.Link = stop.code, stop.link; m.Stop == "" || m.Kind != CaseDone {
				all = append(all, m)
			}
		}
	}
	return all
}

// every returns one message of each kind that a channel has a text for, in both
// languages, for every reason, with and without something to name.
func every(by Channel) []Message {
	var all []Message
	for _, lang := range i18n.Languages() {
		for _, kind := range slices.Sorted(maps.Keys(channels)) {
			if !slices.Contains(channels[kind], by) {
				continue
			}
			m := codeMail
			if by == BySMS {
				m = codeSMS
			}
			m.Kind, m.Lang = kind, lang
			if kind == Invitation {
				m.Ticket, m.Hours = ticket, 24
			}
			if kind == DailyCheckpoint {
				m.Note = checkpointNote
			}
			if kind.ofCase() {
				all = append(all, everyCase(m)...)
				continue
			}
			if kind == AlarmStopped || kind == AlarmCases || kind == AlarmAlone {
				m.Reference = "4F7K-2M9Q"
			}
			if kind != AccountFrozen && kind != Alarm {
				all = append(all, m)
				continue
			}
			for _, m.Frozen = range []Frozen{NotMe, Lost, Stolen, ByHelpdesk} {
				for _, m.Reference = range []string{"", "K7 204", "Z-" + strings.Repeat("9", 38)} {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

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
	for _, portal := range portals {
		for _, support := range supports {
			for _, m := range every(BySMS) {
				m.Minutes = 1440
				text, err := Texts{Portal: portal, Pocket: portal, Support: support}.sms(m)
				if err != nil {
					t.Errorf("%s %s %s, portal %.20q: %v", m.Lang, m.Kind, m.Frozen, portal, err)
					continue
				}
				if n, ok := septets(text); !ok || n > 160 {
					t.Errorf("%s %s takes %d septets: %s", m.Lang, m.Kind, n, text)
				}
				if strings.HasPrefix(text, m.Code+" ") != m.Kind.hasCode() || strings.Contains(text, m.Code) != m.Kind.hasCode() {
					t.Errorf("%s %s: the code is not where it belongs: %s", m.Lang, m.Kind, text)
				}
			}
		}
	}
}

func TestSMSForAnyPortal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := Texts{Portal: rapid.String().Draw(t, "portal"), Support: rapid.String().Draw(t, "support")}
		m := rapid.SampledFrom(every(BySMS)).Draw(t, "message")
		text, err := texts.sms(m)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := septets(text); !ok || n > segment {
			t.Fatalf("%d septets: %q", n, text)
		}
		if m.Kind.hasCode() && !strings.HasPrefix(text, m.Code+" ") {
			t.Fatalf("the code is not in front: %q", text)
		}
	})
}

func TestWhatAnSMSSays(t *testing.T) {
	t.Parallel()
	of := func(kind Kind) Message { m := codeSMS; m.Kind = kind; return m }

	frozen := func(why Frozen, reference string) Message {
		m := of(AccountFrozen)
		m.Frozen, m.Reference = why, reference
		return m
	}
	for _, c := range []struct {
		lang string
		m    Message
		want string
	}{
		{"nl", codeSMS, "271828 is je code voor Mijn OPO-R. Typ hem op het scherm; hij werkt 10 minuten. Deel hem met niemand: wij vragen er nooit om."},
		{"en", codeSMS, "271828 is your code for Mijn OPO-R. Type it on the screen; it works for 10 minutes. Never share it: we will never ask for it."},
		{"nl", of(ChangePhone), "271828 is je code om dit nummer te gebruiken bij Mijn OPO-R. Typ hem op het scherm; hij werkt 10 minuten. Geef hem aan niemand."},
		{"nl", of(Login), "271828 is je code om in te loggen bij Mijn OPO-R. Hij werkt 10 minuten. Geef hem aan niemand. Was jij dit niet? Meld het meteen: hulp@voorbeeld.nl"},
		{"en", of(Recover), "271828 is your code to get back into Mijn OPO-R. It works for 10 minutes. Give it to nobody. Wasn't it you? Tell us right away: hulp@voorbeeld.nl"},
		{"nl", frozen(NotMe, "K7 204"), "Je account bij Mijn OPO-R is bevroren: op je telefoon is 'Dit was ik niet' gekozen. Neem contact op en noem zaak K7 204: hulp@voorbeeld.nl"},
		{"en", frozen(ByHelpdesk, ""), "The helpdesk froze your account at Mijn OPO-R. Contact us: hulp@voorbeeld.nl"},
		{"en", frozen(Stolen, "K7 204"), "Your account at Mijn OPO-R is frozen: your phone was reported stolen. Wasn't it you? Tell us right away: hulp@voorbeeld.nl"},
		{"nl", pairedSMS, "Er is een telefoon gekoppeld aan je account bij Mijn OPO-R. Was jij dit niet? Meld het meteen: hulp@voorbeeld.nl"},
		{"en", pairedSMS, "A phone was paired with your account at Mijn OPO-R. Wasn't it you? Tell us right away: hulp@voorbeeld.nl"},
	} {
		c.m.Lang = c.lang
		if got, err := ourTexts.sms(c.m); err != nil || got != c.want {
			t.Errorf("got %q, %v\nwant %q", got, err, c.want)
		}
	}
}

func TestWhatAMailSays(t *testing.T) {
	t.Parallel()
	for _, m := range every(ByMail) {
		l, err := ourTexts.letter(m)
		if err != nil {
			t.Errorf("%s %s: %v", m.Lang, m.Kind, err)
			continue
		}
		html, err := l.html()
		if err != nil {
			t.Fatal(err)
		}
		for part, body := range map[string]string{"text": l.text(), "HTML": html} {
			for _, bad := range []string{"⟦", "<no value>", "ZgotmplZ", m.To} {
				if strings.Contains(l.Subject+body, bad) {
					t.Errorf("%s %s %s: %s is in the %s", m.Lang, m.Kind, m.Frozen, bad, part)
				}
			}
			for what, c := range map[string]struct {
				words string
				want  bool
			}{
				"code":      {m.Code, m.Kind.hasCode()},
				"ticket":    {ticket, m.Kind == Invitation},
				"reference": {m.Reference, true}, // the empty one, too
				"support":   {"hulp@voorbeeld.nl", !strings.HasPrefix(string(m.Kind), string(Alarm)) && m.Kind != DailyCheckpoint},
				"stop code": {m.Stop, true}, // the empty one, too
				"link":      {m.Link, true},
			} {
				if strings.Contains(body, c.words) != c.want {
					t.Errorf("%s %s %s: %s in the %s: %v", m.Lang, m.Kind, m.Frozen, what, part, !c.want)
				}
			}
		}
		if shown := l.Subject + l.Lead(); strings.Contains(shown, m.Code) || strings.Contains(shown, ticket) || m.Stop != "" && strings.Contains(shown, m.Stop) {
			t.Errorf("%s %s: code in what a locked screen shows", m.Lang, m.Kind)
		}
	}
}

// Whatever the settings hold, it is shown and never obeyed.
func TestNoMailHoldsMarkupOfTheSettings(t *testing.T) {
	t.Parallel()
	evil := `<script>alert("1")</script>&amp;'`
	texts := Texts{Portal: evil, Pocket: evil, Support: evil}
	for _, m := range every(ByMail) {
		l, err := texts.letter(m)
		if err != nil {
			t.Fatal(err)
		}
		html, err := l.html()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(html, "<script") || strings.Contains(html, "&amp;'") || !strings.Contains(html, "&lt;script&gt;") {
			t.Errorf("%s %s: markup came through", m.Lang, m.Kind)
		}
		if !strings.Contains(l.text(), evil) {
			t.Errorf("%s %s: the text part is escaped", m.Lang, m.Kind)
		}
	}
}

// Every text of mails and SMS is used by some message, as it is.
func TestNoTextIsLeftOver(t *testing.T) {
	t.Parallel()
	id := regexp.MustCompile(`(?m)^\[(.+)\]$`)
	hole := regexp.MustCompile(`\{\{[^}]*\}\}`)
	for _, lang := range i18n.Languages() {
		said := everythingSaid(t, lang)
		for _, file := range []string{"mail", "sms"} {
			text, err := assets.Translations.ReadFile("translations/" + lang + "/" + file + ".toml")
			if err != nil {
				t.Fatal(err)
			}
			var messages map[string]map[string]string
			if err := toml.Unmarshal(text, &messages); err != nil || len(messages) != len(id.FindAll(text, -1)) {
				t.Fatalf("%s: %d messages, %v", file, len(messages), err)
			}
			for name, forms := range messages {
				for form, words := range forms {
					parts := hole.Split(words, -1)
					for i := range parts {
						parts[i] = regexp.QuoteMeta(parts[i])
					}
					if !regexp.MustCompile(strings.Join(parts, ".*")).MatchString(said) {
						t.Errorf("%s: nobody is told %s (%s): %s", lang, name, form, words)
					}
				}
			}
		}
	}
}

// everythingSaid writes every message with short and long settings.
func everythingSaid(t *testing.T, lang string) string {
	t.Helper()
	var said strings.Builder
	for _, portal := range []string{"Mijn OPO-R", strings.Repeat("W", MaxPortal)} {
		for _, support := range []string{"hulp@voorbeeld.nl", strings.Repeat("x", 80)} {
			texts := Texts{Portal: portal, Pocket: "AFAS Pocket", Support: support}
			for _, minutes := range []int{1, 10, 24 * 60} {
				for _, m := range every(BySMS) {
					m.Lang, m.Minutes = lang, minutes
					text, err := texts.sms(m)
					if err != nil {
						t.Fatal(err)
					}
					said.WriteString(text + "\n")
				}
				page, err := texts.Paper(Slip{Lang: lang, Ticket: ticket})
				if err != nil {
					t.Fatal(err)
				}
				said.Write(page)
				for _, m := range every(ByMail) {
					m.Lang, m.Minutes, m.Hours = lang, minutes, minutes
					l, err := texts.letter(m)
					if err != nil {
						t.Fatal(err)
					}
					said.WriteString(l.Subject + "\n" + l.text() + "\n" + l.QRName + "\n")
				}
			}
		}
	}
	return said.String()
}

// A phone that is in other hands is told nothing to name to the helpdesk.
func TestNoSMSToAStolenPhoneNamesACase(t *testing.T) {
	t.Parallel()
	for _, m := range every(BySMS) {
		text, err := ourTexts.sms(m)
		if err != nil {
			t.Fatal(err)
		}
		if m.Reference != "K7 204" {
			continue
		}
		if named := strings.Contains(text, m.Reference); named != (m.Frozen == NotMe || m.Frozen == ByHelpdesk) {
			t.Errorf("%s %s: names the case: %v", m.Lang, m.Frozen, named)
		}
	}
}

func TestAMessageThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	change := func(m Message, f func(*Message)) Message { f(&m); return m }
	frozen := change(codeMail, func(m *Message) { m.Kind, m.Frozen, m.Reference = AccountFrozen, NotMe, "K7 204" })
	asked := change(codeMail, func(m *Message) {
		m.Kind, m.Action, m.Stop, m.Link = CaseRequested, Reset, stops[2].code, stops[2].link
	})
	for name, m := range map[string]Message{
		"no id":         change(codeSMS, func(m *Message) { m.ID = "" }),
		"id with line":  change(codeSMS, func(m *Message) { m.ID = "a\r\nBcc: x" }),
		"no code":       change(codeSMS, func(m *Message) { m.Code = "" }),
		"long code":     change(codeSMS, func(m *Message) { m.Code = "1234567" }),
		"no time":       change(codeSMS, func(m *Message) { m.Minutes = 0 }),
		"no kind":       change(codeSMS, func(m *Message) { m.Kind = "" }),
		"no login code": change(codeSMS, func(m *Message) { m.Kind, m.Code = Login, "" }),
		"no reason":     change(frozen, func(m *Message) { m.Frozen = "" }),
		"other reason":  change(frozen, func(m *Message) { m.Frozen = "found" }),
		"no ticket":     change(codeMail, func(m *Message) { m.Kind, m.Hours = Invitation, 24 }),
		"no life":       change(codeMail, func(m *Message) { m.Kind, m.Ticket = Invitation, ticket }),
		"a long case":   change(frozen, func(m *Message) { m.Reference = strings.Repeat("9", 41) }),
		"a case's line": change(frozen, func(m *Message) { m.Reference = "K7\r\nBcc: sanne@voorbeeld.nl" }),
		"no action":     change(asked, func(m *Message) { m.Action = "" }),
		"other action":  change(asked, func(m *Message) { m.Action = "freeze" }),
		"another code":  change(asked, func(m *Message) { m.Stop, m.Link = "314159", "" }),
		"a code's line": change(asked, func(m *Message) { m.Stop, m.Link = "4F7K-2M9Q-XW3\n", "" }),
		"another link":  change(asked, func(m *Message) { m.Link = "javascript:alert(1)" }),
		"a link alone":  change(asked, func(m *Message) { m.Stop = "" }),
		"done, a stop":  change(asked, func(m *Message) { m.Kind = CaseDone }),
		"no waiting":    change(asked, func(m *Message) { m.Kind, m.Minutes = CaseApproved, 0 }),
		"no case":       change(asked, func(m *Message) { m.Kind, m.Reference = AlarmStopped, "" }),
		"an address":    change(frozen, func(m *Message) { m.Reference = "sanne@voorbeeld.nl" }),
	} {
		_, bySMS := ourTexts.sms(m)
		_, byMail := ourTexts.letter(m)
		for _, err := range []error{bySMS, byMail} {
			if noPrivateData(t, err); !errors.Is(err, ErrBadMessage) {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	for kind, by := range channels {
		m := change(frozen, func(m *Message) { m.Kind, m.Ticket, m.Hours, m.Action, m.Note = kind, ticket, 1, Reset, checkpointNote })
		if _, err := ourTexts.sms(m); (err == nil) != slices.Contains(by, BySMS) || err != nil && !errors.Is(err, ErrBadMessage) {
			t.Errorf("%s by SMS: got %v", kind, err)
		}
		if _, err := ourTexts.letter(m); (err == nil) != slices.Contains(by, ByMail) || err != nil && !errors.Is(err, ErrBadMessage) {
			t.Errorf("%s by mail: got %v", kind, err)
		}
	}
}

// Whoever reads an SMS about a case can stop it, wherever it goes; and its link is whole
// or not there.
func TestAnSMSAboutACaseSaysHowToStopIt(t *testing.T) {
	t.Parallel()
	links := 0
	for _, m := range every(BySMS) {
		text, err := ourTexts.sms(m)
		if err != nil {
			t.Fatal(err)
		}
		if m.Stop != "" && !strings.Contains(text, m.Stop) {
			t.Errorf("%s %s: no code in %q", m.Lang, m.Kind, text)
		}
		if strings.Contains(text, "://") {
			if links++; !strings.HasSuffix(text, " "+m.Link) {
				t.Errorf("%s %s: half a link in %q", m.Lang, m.Kind, text)
			}
		}
	}
	if links == 0 {
		t.Error("no SMS has a link")
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
		"a@" + strings.Repeat("b", 64) + ".nl":  "",
		"a@\u2060":                              "", // a word joiner, which no name is written with
		"a@\u2060.nl":                           "",
		"a@b.\u2060":                            "",
		"a@b.nl.":                               "",
	} {
		got, err := mailbox(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", address, got, err, want)
		}
	}
}

// The lines of a checkpoint stand in the mail as they are: who keeps them checks a
// signature over each byte.
func TestACheckpointIsMailedAsItIs(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages() {
		m := Message{ID: "send-9", Kind: DailyCheckpoint, To: "controle@voorbeeld.nl", Lang: lang, Note: checkpointNote}
		l, err := ourTexts.letter(m)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(l.text(), "\n\n"+checkpointNote+"\n") || !strings.Contains(l.text(), "keydeskd verify --since") {
			t.Errorf("%s: %s", lang, l.text())
		}
		html, err := l.html()
		if err != nil || !strings.Contains(html, "\u2014 keydesk/x YWJj&#43;/=") && !strings.Contains(html, "\u2014 keydesk/x YWJj+/=") {
			t.Errorf("%s: %v, %s", lang, err, html)
		}
		for _, bad := range []string{"", "keydesk/x", strings.TrimSuffix(checkpointNote, "\n"), strings.Repeat("a", 100_000) + checkpointNote} {
			m.Note = bad
			if _, err := ourTexts.letter(m); !errors.Is(err, ErrBadMessage) {
				t.Errorf("%.40q: %v", bad, err)
			}
		}
	}
}
