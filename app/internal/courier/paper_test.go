package courier

import (
	"bytes"
	"encoding/base64"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/keydesk/keydesk/app/internal/i18n"
)

// scan reads the QR code in a picture.
func scan(t *testing.T, picture image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

const scanned = "K7WX2R4M9PQT"

func TestATicketOnPaper(t *testing.T) {
	t.Parallel()
	evil := `Sanne <script>alert(1)</script>`
	until := time.Date(2026, 11, 24, 9, 5, 0, 0, time.UTC)
	for _, lang := range i18n.Languages() {
		page, err := ourTexts.Paper(Slip{Name: evil, Email: "sanne@voorbeeld.nl", Ticket: ticket, Lang: lang, Expires: until})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{ticket, "sanne@voorbeeld.nl", "Sanne &lt;script", "hulp@voorbeeld.nl", "Mijn OPO-R", "2026 09:05", `lang="` + lang} {
			if !bytes.Contains(page, []byte(want)) {
				t.Errorf("%s: no %s in\n%s", lang, want, page)
			}
		}
		for _, bad := range []string{"⟦", "<script", "<no value>", "ZgotmplZ", "http:", "https:", "url(", "@import"} { // it fetches nothing
			if bytes.Contains(page, []byte(bad)) {
				t.Errorf("%s: %s is in it", lang, bad)
			}
		}
		if got := scan(t, drawn(t, string(page))); got != scanned {
			t.Errorf("%s: scanned %q", lang, got)
		}
	}
	for _, bad := range []string{"", "K7WX2R4M9PQT", "k7wx-2r4m-9pqt", "K7WX-2R4M-9PQT\n"} {
		if _, err := ourTexts.Paper(Slip{Ticket: bad}); !errors.Is(err, ErrBadMessage) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// drawn paints the modules of a page's SVG.
func drawn(t *testing.T, page string) image.Image {
	t.Helper()
	size, err := strconv.Atoi(regexp.MustCompile(`viewBox="0 0 (\d+)`).FindStringSubmatch(page)[1])
	if err != nil {
		t.Fatal(err)
	}
	const scale = 4
	picture := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h1v1h-1z`).FindAllStringSubmatch(page, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		for i := range scale * scale {
			picture.SetGray(x*scale+i%scale, y*scale+i/scale, color.Gray{})
		}
	}
	return picture
}

func TestATicketByMailComesWithItsQRCode(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	m := codeMail
	m.Kind, m.Ticket, m.Hours = Invitation, ticket, 24
	if _, err := o.Mail().Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(o.dir, "000001-mail.eml"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(whole.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts, seen := multipart.NewReader(whole.Body, params["boundary"]), 0
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if p.Header.Get("Content-ID") != "<"+ticketPicture+">" {
			continue
		}
		picture, err := png.Decode(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		if got := scan(t, picture); got != scanned {
			t.Errorf("scanned %q", got)
		}
		seen++
	}
	if seen != 1 || !strings.Contains(string(raw), "cid:"+ticketPicture) {
		t.Errorf("%d pictures", seen)
	}
}
