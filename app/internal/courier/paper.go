package courier

import (
	"bytes"
	"fmt"
	"html/template"
	"image/png"
	"strings"
	"sync"
	"time"

	"github.com/skip2/go-qrcode"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/assets"
)

// A Slip is a ticket on paper: personal data and a secret as a whole.
type Slip struct {
	Name, Email string
	Ticket      string // XXXX-XXXX-XXXX
	Lang        string
	Expires     time.Time // shown in its location
}

// Paper writes a slip as a page of HTML that fetches nothing, to be printed on A4.
func (t Texts) Paper(s Slip) ([]byte, error) {
	if !ticketForm.MatchString(s.Ticket) {
		return nil, fmt.Errorf("%w: no ticket", ErrBadMessage)
	}
	code, err := ticketQR(s.Ticket)
	if err != nil {
		return nil, err
	}
	p := i18n.New(s.Lang)
	layout := "2-1-2006 15:04"
	if p.Lang() == i18n.English {
		layout = "2 January 2006 15:04"
	}
	args := i18n.Args{"Portal": oneLine(t.Portal), "Until": s.Expires.Format(layout)}
	say := func(part string) string { return p.T("paper-"+part, args) }
	var b bytes.Buffer
	err = slip().Execute(&b, struct {
		Lang, Title, Portal, For, Name, Email, Ticket, QRName, Valid, How, Warning, Help, Support string
		Steps                                                                                     []string
		QR                                                                                        template.HTML
	}{
		p.Lang(), say("title"), oneLine(t.Portal), say("for"), oneLine(s.Name), s.Email, s.Ticket, p.T("mail-qr"), say("valid"),
		say("how"), p.T("mail-ticket-never-share"), p.T("mail-help"), oneLine(t.Support),
		[]string{say("step-1"), say("step-2"), say("step-3")},
		drawing(code),
	})
	if err != nil {
		return nil, fmt.Errorf("write a ticket on paper: %w", err)
	}
	return b.Bytes(), nil
}

var slip = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(assets.Mail, "mail/ticket.html"))
})

// ticketQR is the QR code of a ticket: the characters alone. What a scanner at a kiosk
// types is then what the person would, whatever keyboard it plays; and nobody learns to
// open links that come on paper.
func ticketQR(ticket string) (*qrcode.QRCode, error) {
	q, err := qrcode.New(strings.ReplaceAll(ticket, "-", ""), qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("draw the QR code of a ticket: %w", err)
	}
	return q, nil
}

// picture draws a QR code as a PNG, some pixels a module.
func picture(q *qrcode.QRCode) ([]byte, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, q.Image(-6)); err != nil {
		return nil, fmt.Errorf("draw the QR code of a ticket: %w", err)
	}
	return b.Bytes(), nil
}

// drawing draws a QR code as SVG, which prints sharp at any size.
func drawing(q *qrcode.QRCode) template.HTML {
	bits := q.Bitmap() // with its quiet zone
	var path strings.Builder
	for y, row := range bits {
		for x, dark := range row {
			if dark {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // numbers only
		`<svg viewBox="0 0 %d %d" shape-rendering="crispEdges" aria-hidden="true"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`,
		len(bits), len(bits), len(bits), len(bits), path.String()))
}
