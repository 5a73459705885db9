package kiosk_test

import (
	"errors"
	"fmt"
	"image"
	"image/draw"
	"os"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// The whole way with nothing in between played: the kiosk's window, what it
// says to people, the picture of its QR code, the page for phones in a real
// browser, and the log in the end. Only the screen's glass and the phone's
// camera are missing.
func TestPairingWithARealPhonePage(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	b, err := startBrowser()
	defer b.stop()
	if errors.Is(err, errNoChromium) && os.Getenv("KEYDESK_CI") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Run("scanned", func(t *testing.T) { scanned(t, b.phone(t, "nl")) })
	t.Run("photographed by somebody else, then typed", func(t *testing.T) {
		photographed(t, b.phone(t, "nl"), b.phone(t, "en"))
	})
}

// scanned reads the QR code off the screen, in two sizes and looks.
func scanned(t *testing.T, phone phone) {
	t.Helper()
	v := openVisitor(t)
	v.toPairing()
	url := v.scan()

	v.win.Resize(fyne.NewSize(1280, 800))
	v.tap(v.t("kiosk-contrast"))
	v.until("high contrast on the smaller screen", func() bool {
		o := ui.Current()
		return o.Class == ui.Compact && o.Mode == ui.HighContrast && v.shows(v.t("kiosk-pair-title"))
	})
	if again := v.scan(); again != url {
		t.Fatalf("the same code reads %q, then %q", url, again)
	}

	phone.open(url)
	phone.claim()
	v.see("kiosk-pair-seen")
	v.types(phone.digits())
	phone.screen("done")
	v.seePocketActive()
	v.checkLog()
	approved(t, v, phone)
}

// approved logs in with the phone that was paired: first with other digits than the
// screen's, then with these.
func approved(t *testing.T, v *visitor, phone phone) {
	t.Helper()
	v.tap(v.t("log-in"))
	v.see("kiosk-login-lead")
	v.enter() // E9 knew the address
	v.see("kiosk-show")
	v.types(phrase)
	v.enter()
	v.see("kiosk-approve-digits")
	phone.open(strings.TrimSuffix(v.home.Desk.PublicURL, "/") + "/p/")
	phone.screen("approve")
	digits := v.shownDigits()
	other := "000000"
	if digits == other {
		other = "000001"
	}
	phone.enter("#ask-digits", other)
	phone.until("the digits are wrong", "String(!document.querySelector('#ask-error').hidden)")
	phone.enter("#ask-digits", digits)
	phone.screen("approved")
	v.see("my-details")
	if !v.shows(fullName) {
		t.Errorf("A1 shows %q", v.words())
	}
}

// shownDigits reads the digits that the screen shows for the phone.
func (v *visitor) shownDigits() string {
	v.test.Helper()
	digits := ""
	look(v.win.Content(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if d, ok := o.(*ui.Digits); ok {
			digits = d.Text()
		}
	})
	if len(digits) != 6 {
		v.test.Fatalf("the screen shows the digits %q", digits)
	}
	return digits
}

// photographed has a second phone claim what a first one has claimed: the code
// burns for both. The person goes on with a new code, typed on the page.
func photographed(t *testing.T, own, thief phone) {
	t.Helper()
	v := openVisitor(t)
	v.toPairing()
	url := v.scan()
	own.open(url)
	thief.open(url)
	thief.screen("ask") // knows the secret, and waits for the moment
	own.claim()
	v.see("kiosk-pair-seen")
	thief.press("[data-act=pair]")

	v.see("kiosk-pair-failed-twice")
	for _, p := range []phone{thief, own} {
		p.screen("problem")
		if got := p.problem(); got != "claimed-already" {
			t.Errorf("a phone says %q", got)
		}
	}
	if got := v.recorded("PairingFailed"); len(got) != 1 || got[0].(enrolment.PairingFailed).Reason != enrolment.ClaimedTwice {
		t.Errorf("the log has %+v", got)
	}

	v.tap(v.t("kiosk-pair-again"))
	v.see("kiosk-pair-no-scan")
	if again := v.scan(); again == url {
		t.Fatal("the burnt code is shown again")
	}
	v.tap(v.t("kiosk-pair-no-scan"))
	v.see("kiosk-pair-code")
	address, code := v.typedCode()
	own.open("http://" + address)
	own.screen("home")
	own.press("[data-screen=home] [data-act=type]")
	own.screen("type")
	own.enter("#code", code)
	own.screen("digits")
	v.see("kiosk-pair-seen")
	v.types(own.digits())
	own.screen("done")
	v.seePocketActive()
	v.checkLog()
	thief.screen("problem")
}

// scan takes a picture of the window and returns what its QR code says. The reader finds
// about one code in a hundred nowhere, which others find at once, and does not get another
// picture from a moving hand as a phone does: it is shown then where that code is.
func (v *visitor) scan() string {
	v.test.Helper()
	v.see("kiosk-pair-2") // scan this
	picture := v.win.Canvas().Capture()
	text, err := readQR(picture, gozxing.DecodeHintType_TRY_HARDER)
	if err != nil {
		text, err = readQR(v.closeUp(picture), gozxing.DecodeHintType_PURE_BARCODE)
	}
	if err != nil {
		v.test.Fatalf("no QR code can be read at %v: %v", v.win.Canvas().Size(), err)
	}
	return text
}

func readQR(picture image.Image, how gozxing.DecodeHintType) (string, error) {
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	result, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{how: true})
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// closeUp returns the part of a picture of the window in which the QR code is, without the
// frame around it.
func (v *visitor) closeUp(picture image.Image) image.Image {
	v.test.Helper()
	scale := float32(picture.Bounds().Dx()) / v.win.Canvas().Size().Width
	var part image.Rectangle
	look(v.win.Content(), fyne.Position{}, func(o fyne.CanvasObject, at fyne.Position) {
		if q, ok := o.(*ui.QR); ok {
			end := at.Add(q.Size())
			part = image.Rect(int(at.X*scale), int(at.Y*scale), int(end.X*scale), int(end.Y*scale))
		}
	})
	part = part.Inset(part.Dx() / 25)
	near := image.NewRGBA(image.Rectangle{Max: part.Size()})
	draw.Draw(near, near.Rect, picture, part.Min, draw.Src)
	return near
}

// typedCode reads from the screen what somebody types who cannot scan.
func (v *visitor) typedCode() (address, code string) {
	v.test.Helper()
	before, after, _ := strings.Cut(v.t("kiosk-pair-2-typed-line", i18n.Args{"URL": "\x00"}), "\x00")
	for _, w := range v.words() {
		if typedCode.MatchString(w) {
			code = w
		}
		if rest, ok := strings.CutPrefix(w, before); ok && strings.HasSuffix(rest, after) {
			address = strings.TrimSuffix(rest, after)
		}
	}
	if address == "" || code == "" {
		v.test.Fatalf("no address or no code to type on the screen, but %q", v.words())
	}
	return address, code
}

// seePocketActive waits for E9, which has to name the factor.
func (v *visitor) seePocketActive() {
	v.test.Helper()
	v.see("done")
	v.see("kiosk-factor-pocket")
	if v.shows(v.t("kiosk-factor-sms")) {
		v.test.Error("E9 names SMS too")
	}
}

// checkLog checks what is recorded, and what the login service will read.
func (v *visitor) checkLog() {
	v.test.Helper()
	if n := len(v.recorded("PocketPaired")); n != 1 {
		v.test.Errorf("%d phones were paired", n)
	}
	chosen := v.recorded("FactorChosen")
	if len(chosen) != 1 || chosen[0].(enrolment.FactorChosen).Factor != enrolment.Pocket {
		v.test.Errorf("the log has %+v", chosen)
	}
	v.until("the factor in the projection", func() bool {
		return v.home.Factors.Lookup(v.subject()).Factor == enrolment.Pocket
	})
}

func (v *visitor) subject() domain.SubjectID {
	v.test.Helper()
	s, err := v.home.Desk.Subject(v.test.Context(), address)
	if err != nil {
		v.test.Fatal(err)
	}
	return s
}

// recorded returns the person's events of a type.
func (v *visitor) recorded(typ string) []enrolment.Event {
	v.test.Helper()
	records, err := v.home.Log.ReadStream(v.test.Context(), domain.EnrolmentStream(v.subject()), 0)
	if err != nil {
		v.test.Fatal(err)
	}
	var events []enrolment.Event
	for _, r := range records {
		if r.Type != typ {
			continue
		}
		e, err := enrolment.Decode(r.Type, r.Data)
		if err != nil {
			v.test.Fatal(fmt.Errorf("at revision %d: %w", r.Revision, err))
		}
		events = append(events, e)
	}
	return events
}
