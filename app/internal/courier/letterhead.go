package courier

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// A letterhead writes mails: the sender, and the texts.
type letterhead struct {
	texts    Texts
	from     string
	fromName string
	domain   string // of the sender, for Message-IDs
}

func newLetterhead(t Texts, from, name string) (letterhead, error) {
	box, err := mailbox(from)
	if err != nil {
		return letterhead{}, errors.New("mail: the sender is not an address")
	}
	if name = oneLine(name); name == "" {
		name = oneLine(t.Portal)
	}
	return letterhead{texts: t, from: box, fromName: name, domain: box[strings.LastIndexByte(box, '@')+1:]}, nil
}

// write makes a complete message (RFC 5322) with a text and an HTML part. It
// asks machines not to answer it (RFC 3834), and fetches nothing when opened.
func (h letterhead) write(m Message, at time.Time) (*gomail.Msg, error) {
	to, err := mailbox(m.To)
	if err != nil {
		return nil, err
	}
	l, err := h.texts.letter(m)
	if err != nil {
		return nil, err
	}
	html, err := l.html()
	if err != nil {
		return nil, err
	}
	mail := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := mail.FromFormat(h.fromName, h.from); err != nil {
		return nil, fmt.Errorf("%w: sender", ErrBadMessage)
	}
	if err := mail.To(to); err != nil {
		return nil, fmt.Errorf("%w: recipient", ErrBadMessage)
	}
	if support, err := mailbox(h.texts.Support); err == nil {
		if err := mail.ReplyTo(support); err != nil {
			return nil, fmt.Errorf("%w: support address", ErrBadMessage)
		}
	}
	mail.Subject(l.Subject)
	mail.SetDateWithValue(at)
	mail.SetMessageIDWithValue(m.ID + "@" + h.domain)
	mail.SetGenHeader("Auto-Submitted", "auto-generated")
	mail.SetGenHeader("X-Auto-Response-Suppress", "All")
	mail.SetGenHeader("Content-Language", l.Lang)
	mail.SetBodyString(gomail.TypeTextPlain, l.text())
	mail.AddAlternativeString(gomail.TypeTextHTML, html)
	if l.Ticket == "" {
		return mail, nil
	}
	return mail, embed(mail, l.Ticket)
}

// ticketPicture names the QR code within a mail, as mail/message.html does.
const ticketPicture = "ticket@keydesk"

func embed(mail *gomail.Msg, ticket string) error {
	q, err := ticketQR(ticket)
	if err != nil {
		return err
	}
	image, err := picture(q)
	if err != nil {
		return err
	}
	if err := mail.EmbedReader("ticket.png", bytes.NewReader(image), gomail.WithFileContentID("<"+ticketPicture+">"), gomail.WithFileContentType("image/png")); err != nil {
		return fmt.Errorf("%w: QR code", ErrBadMessage)
	}
	return nil
}
