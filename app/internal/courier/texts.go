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
	args := i18n.Args{
		"Portal": toGSM7(t.Portal), "Support": t.Support, "Code": m.Code, "Reference": m.Reference,
		"Stop": m.Stop, "Link": m.Link, "Place": m.place(),
	}
	id := "sms-" + string(m.Kind)
	var text string
	var ends []string // the first that fits
	switch m.Kind {
	case VerifyPhone, ChangePhone, VerifyCaller:
		text = p.N(id, m.Minutes, args)
	case CaseRequested, CaseApproved:
		args["What"] = p.T("sms-what-"+string(m.Action), args)
		text, ends = p.T(id, args), m.stops()
	case CaseDone:
		args["What"] = p.T("sms-did-"+string(m.Action), args)
		text, ends = p.T(id, args), notYou
	case Login, ProveChange, Recover:
		text, ends = p.N(id, m.Minutes, args), notYou
	case PocketPaired, PasswordChanged, PhoneChanged, SMSChosen, AccountUnfrozen:
		text, ends = p.T(id, args), notYou
	case AccountFrozen:
		text, ends = p.T(id+"-"+string(m.Frozen), args), m.contact()
	case ConfirmEmail, AlreadyEnrolled, Locked, LoginLocked, Alarm, Invitation, AlarmStopped, AlarmCases, AlarmAlone, ErasureRequested, DailyCheckpoint:
		return "", fmt.Errorf("%w: %s has no SMS", ErrBadMessage, m.Kind)
	default:
		return "", fmt.Errorf("%w: unknown kind", ErrBadMessage)
	}
	for _, end := range ends {
		if whole := text + " " + p.T(end, args); fits(whole) {
			return whole, nil
		}
	}
	if len(ends) > 0 || !fits(text) {
		return "", fmt.Errorf("%w: the SMS is longer than a segment", ErrBadMessage)
	}
	return text, nil
}

// What an SMS ends with, where something happened that matters when it was
// somebody else; the longest first.
var notYou = []string{"sms-not-you", "sms-not-you-short", "sms-not-you-shortest"}

// contact is what an SMS about a frozen account ends with. Whoever has a lost or
// stolen phone reads it: it names no case.
func (m Message) contact() []string {
	switch {
	case m.Frozen == Lost || m.Frozen == Stolen:
		return notYou
	case m.Reference == "":
		return []string{"sms-contact", "sms-contact-short"}
	}
	return []string{"sms-contact-case", "sms-contact-case-short", "sms-contact-short"}
}

// stops is what an SMS about a case ends with: with the code, where it has one.
func (m Message) stops() []string {
	switch {
	case m.Stop == "":
		return notYou
	case m.Link == "":
		return []string{"sms-stop-helpdesk", "sms-stop-helpdesk-short"}
	}
	return []string{"sms-stop-link", "sms-stop-place", "sms-stop-helpdesk", "sms-stop-helpdesk-short"}
}

// place is where a code stops a case, as people type it.
func (m Message) place() string {
	place, _, _ := strings.Cut(m.Link, "#")
	return strings.TrimPrefix(strings.TrimPrefix(place, "https://"), "http://")
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
	Ticket, QRName                 string // the mail has the QR code in it, as ticketPicture
	ReferenceName, Reference       string // what to name to the helpdesk; empty: nothing
	Note                           string // lines that are to be kept as they are
	Stop, Button, Link             string // what stops a case, and where on the web; empty: there is no such page
	NotYou                         string
	Help, Support                  string       // Help is empty in a mail to those who help
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
	args := i18n.Args{"Portal": portal, "Pocket": oneLine(t.Pocket), "Reference": m.Reference}
	say := func(part string) string { return p.T("mail-"+string(m.Kind)+"-"+part, args) }
	why := func(part string) string { return say(string(m.Frozen) + "-" + part) }
	l := letter{Lang: p.Lang(), Portal: portal, Support: support, SupportLink: mailto(support)}
	l.Subject, l.Heading, l.Help, l.Automatic = say("subject"), say("heading"), p.T("mail-help"), p.T("mail-automatic")
	switch m.Kind {
	case ConfirmEmail, Recover:
		l.Paragraphs, l.NotYou = []string{say("intro")}, say("not-you")
		l.Code, l.Validity, l.Warning = m.Code, p.N("mail-validity", m.Minutes), p.T("mail-never-share")
	case AlreadyEnrolled, Locked, PocketPaired, LoginLocked, PasswordChanged, PhoneChanged, SMSChosen, AccountUnfrozen:
		l.Paragraphs, l.NotYou = []string{say("intro"), say("more")}, say("not-you")
	case AccountFrozen:
		l.Paragraphs, l.NotYou = []string{why("intro"), why("more")}, why("not-you")
		l.ReferenceName, l.Reference = p.T("mail-name-case"), m.Reference
	case Invitation:
		l.Paragraphs, l.NotYou = []string{say("intro"), say("more")}, say("not-you")
		l.Ticket, l.QRName = m.Ticket, p.T("mail-qr")
		l.Validity, l.Warning = p.N("mail-ticket-validity", m.Hours), p.T("mail-ticket-never-share")
	case CaseRequested, CaseApproved, CaseDone, ErasureRequested:
		t.caseLetter(&l, m, p, args)
	case DailyCheckpoint:
		l.Paragraphs, l.Note, l.NotYou, l.Help = []string{say("intro"), say("more")}, m.Note, say("check"), ""
	case AlarmStopped, AlarmCases, AlarmAlone:
		l.Paragraphs, l.NotYou = []string{say("intro"), say("more")}, p.T("mail-alarm-nobody-named")
		l.ReferenceName, l.Reference, l.Help = p.T("mail-case"), m.Reference, ""
	case Alarm:
		l.Paragraphs, l.NotYou = []string{why("intro"), why("more")}, say("nobody-named")
		l.ReferenceName, l.Reference, l.Help = p.T("mail-case"), m.Reference, ""
		if m.Reference != "" {
			l.Subject = say("subject-case")
		}
	case VerifyPhone, ChangePhone, Login, ProveChange, VerifyCaller:
		return letter{}, fmt.Errorf("%w: %s has no mail", ErrBadMessage, m.Kind)
	default:
		return letter{}, fmt.Errorf("%w: unknown kind", ErrBadMessage)
	}
	return l, nil
}

// caseLetter fills a letter about a case.
func (t Texts) caseLetter(l *letter, m Message, p *i18n.Printer, args i18n.Args) {
	if m.Kind != ErasureRequested {
		args["What"] = p.T("mail-what-"+string(m.Action), args)
	}
	say := func(part string) string { return p.T("mail-"+string(m.Kind)+"-"+part, args) }
	l.Paragraphs, l.NotYou = []string{say("intro"), say("more")}, say("not-you")
	if m.Kind == CaseApproved {
		l.Paragraphs[1] = p.N("mail-case-approved-more", max(1, m.Minutes/60), args)
	}
	if m.Kind == CaseDone {
		return
	}
	if m.Stop == "" {
		l.NotYou = p.T("mail-case-stop-helpdesk", args)
		return
	}
	l.Stop, l.Validity, l.Warning = m.Stop, p.T("mail-case-stop-code", args), say("not-you")
	l.NotYou = p.T("mail-case-stop-helpdesk", args)
	if m.Link != "" {
		l.Button, l.Link, l.Validity = p.T("mail-case-stop-button"), m.Link, p.T("mail-case-stop-page", args)
	}
}

// text writes the plain part.
func (l letter) text() string {
	parts := []string{l.Heading}
	parts = append(parts, l.Paragraphs...)
	if l.Code != "" {
		parts = append(parts, "    "+l.Code, l.Validity, l.Warning)
	}
	if l.Stop != "" {
		parts = append(parts, "  "+l.Stop, l.Validity)
		if l.Link != "" {
			parts = append(parts, l.Button+":\n"+l.Link)
		}
		parts = append(parts, l.Warning)
	}
	if l.Ticket != "" {
		parts = append(parts, "    "+l.Ticket, l.Validity, l.Warning)
	}
	if l.Note != "" {
		parts = append(parts, strings.TrimSuffix(l.Note, "\n"))
	}
	if l.Reference != "" {
		parts = append(parts, l.ReferenceName+" "+l.Reference)
	}
	parts = append(parts, l.NotYou)
	if l.Help != "" {
		parts = append(parts, l.Help+" "+l.Support)
	}
	parts = append(parts, "-- \n"+l.Portal+"\n"+l.Automatic)
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
