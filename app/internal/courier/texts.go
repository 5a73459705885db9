package courier

import (
	"fmt"
	"html/template"
	"net/mail"
	"strings"
	"sync"
	"unicode"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/assets"
)

// MaxPortal is how many septets (GSM-7; most letters take one) of the portal's
// name fit in every SMS. A longer name is shortened there, and nowhere else.
const MaxPortal = 40

// Texts holds the names that the messages use. All three are settings.
type Texts struct {
	Portal  string // what people log in to
	Pocket  string // the shown name of the authenticator
	Support string // where to get help: an e-mail address, or words such as "de helpdesk, 2. Stock"
}

// sms writes the text of an SMS: one segment of GSM-7.
func (t Texts) sms(m Message) (string, error) {
	if err := m.check(); err != nil {
		return "", err
	}
	p := i18n.New(m.Lang)
	args := i18n.Args{"Portal": toGSM7(t.Portal), "Support": t.Support, "Code": m.Code}
	text := ""
	switch m.Kind {
	case VerifyPhone:
		text = p.N("sms-verify-phone", m.Minutes, args)
	case PocketPaired:
		if text = p.T("sms-pocket-paired", args); !fits(text) {
			text = p.T("sms-pocket-paired-short", args)
		}
	case ConfirmEmail, AlreadyEnrolled, Locked:
		return "", fmt.Errorf("%w: %s has no SMS", ErrBadMessage, m.Kind)
	default:
		return "", fmt.Errorf("%w: unknown kind", ErrBadMessage)
	}
	if !fits(text) {
		return "", fmt.Errorf("%w: the SMS is longer than a segment", ErrBadMessage)
	}
	return text, nil
}

func fits(text string) bool {
	n, ok := septets(text)
	return ok && n <= segment
}

// A letter is a mail before it is written down: the same words for its text
// and its HTML part.
type letter struct {
	Lang, Subject, Portal, Heading string
	Paragraphs                     []string
	Code, Validity, Warning        string
	NotYou                         string
	Help, Support                  string
	SupportLink                    template.URL // empty: the support setting is no address
	Automatic                      string
}

// Lead is the line that an inbox shows behind the subject. It holds no code.
func (l letter) Lead() string { return l.Paragraphs[0] }

func (t Texts) letter(m Message) (letter, error) {
	if err := m.check(); err != nil {
		return letter{}, err
	}
	p := i18n.New(m.Lang)
	portal, support := oneLine(t.Portal), oneLine(t.Support)
	args := i18n.Args{"Portal": portal, "Pocket": oneLine(t.Pocket)}
	say := func(part string) string { return p.T("mail-"+string(m.Kind)+"-"+part, args) }
	l := letter{Lang: p.Lang(), Portal: portal, Support: support, SupportLink: mailto(support)}
	switch m.Kind {
	case ConfirmEmail:
		l.Paragraphs = []string{say("intro")}
		l.Code, l.Validity, l.Warning = m.Code, p.N("mail-validity", m.Minutes), p.T("mail-never-share")
	case AlreadyEnrolled, Locked, PocketPaired:
		l.Paragraphs = []string{say("intro"), say("more")}
	case VerifyPhone:
		return letter{}, fmt.Errorf("%w: %s has no mail", ErrBadMessage, m.Kind)
	default:
		return letter{}, fmt.Errorf("%w: unknown kind", ErrBadMessage)
	}
	l.Subject, l.Heading, l.NotYou = say("subject"), say("heading"), say("not-you")
	l.Help, l.Automatic = p.T("mail-help"), p.T("mail-automatic")
	return l, nil
}

// text writes the plain part.
func (l letter) text() string {
	parts := []string{l.Heading}
	parts = append(parts, l.Paragraphs...)
	if l.Code != "" {
		parts = append(parts, "    "+l.Code, l.Validity, l.Warning)
	}
	parts = append(parts, l.NotYou, l.Help+" "+l.Support, "-- \n"+l.Portal+"\n"+l.Automatic)
	return strings.Join(parts, "\n\n") + "\n"
}

// html writes the HTML part. Everything in it is escaped by the template.
func (l letter) html() (string, error) {
	var b strings.Builder
	if err := page().Execute(&b, l); err != nil {
		return "", fmt.Errorf("write the HTML of a mail: %w", err)
	}
	return b.String(), nil
}

// page is part of the program: one that cannot be parsed is found by every test.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(assets.Mail, "mail/message.html"))
})

// mailto returns the link for an address, and nothing for other words.
func mailto(support string) template.URL {
	a, err := mail.ParseAddress(support)
	if err != nil || a.Address != support {
		return ""
	}
	at := strings.LastIndexByte(support, '@')
	return template.URL("mailto:" + template.URLQueryEscaper(support[:at]) + "@" + template.URLQueryEscaper(support[at+1:])) //nolint:gosec // both halves are escaped
}

// oneLine keeps settings from breaking a header or a line.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == ' ' }), " ")
}
