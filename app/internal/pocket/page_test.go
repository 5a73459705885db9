package pocket_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/skip2/go-qrcode"

	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// TestPageWholeWay pairs with the real page, in both languages: from the QR
// code's address to the account, with a reload in the middle.
func TestPageWholeWay(t *testing.T) {
	t.Parallel()
	for language, words := range map[string]struct{ ask, digits, done string }{
		"nl": {"Koppel je telefoon met Mijn OPO-R", "Typ deze cijfers op het scherm van de kiosk", "Gelukt!"},
		"en": {"Pair your phone with Mijn OPO-R", "Type these digits on the screen of the kiosk", "Done!"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w, b := newWorld(t), newBrowser(t, language)
			qr, _ := w.desk.Offer(w.url, 2*time.Minute)
			b.open(qr.String())
			b.screen("ask")
			equal(t, b.text("[data-screen=ask] h1"), words.ask)
			if url := evaluate[string](b, "location.href"); strings.Contains(url, "#") {
				t.Error("the secret stays in the address")
			}
			b.fits("ask")
			b.shots("ask-" + language)

			b.open(w.url + "/p/") // a reload of the question
			b.screen("ask")
			b.click("[data-act=pair]")
			b.screen("digits")
			equal(t, b.text("[data-screen=digits] h1"), words.digits)
			digits := b.text("#digits")
			b.fits("digits")
			b.shots("digits-" + language)
			b.open(w.url + "/p/") // and one while it waits
			b.screen("digits")
			equal(t, b.text("#digits"), digits)

			if !w.desk.TypeDigits(qr.Pairing, digits) {
				t.Fatalf("the station expects other digits than %q", digits)
			}
			b.screen("done")
			equal(t, b.text("[data-screen=done] h1"), words.done)
			b.fits("done")
			b.shots("done-" + language)
			state, label, _ := w.desk.State(qr.Pairing)
			if state != pairing.StatePaired || !strings.Contains(label, "Pixel 6") {
				t.Errorf("desk: %s, %q", state, label)
			}

			b.open(w.url + "/p/")
			b.screen("home")
			equal(t, b.text("#accounts h2"), "Mijn OPO-R")
			b.fits("home")
			b.shots("home-" + language)
			if n := w.logs.Len(); n > 0 {
				t.Errorf("%d lines were logged", n)
			}
		})
	}
}

func equal(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPageTypedCode goes by the typed code, and changes the language on the way
// without losing what was typed.
func TestPageTypedCode(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	qr, code := w.desk.Offer(w.url, 2*time.Minute)
	b.open(w.url + "/p/")
	b.screen("home")
	b.fits("home, empty")
	b.shots("empty-nl")
	b.click("[data-screen=home] [data-act=type]")
	b.screen("type")
	b.typeCode("0000")
	b.until("the refusal of four characters", "!document.querySelector('#code-error').hidden")
	b.typeCode("0000 0000 0000")
	b.until("the refusal of a code that is none", "document.querySelector('#code-error').textContent.includes('kennen')")
	b.screen("type")
	b.fits("type")
	b.shots("type-nl")

	b.click("#languages [lang=en]")
	equal(t, b.text("[data-screen=type] h1"), "Type the pairing code")
	b.typeCode(strings.ToLower(code))
	b.screen("digits")
	if !w.desk.TypeDigits(qr.Pairing, b.text("#digits")) {
		t.Error("the station expects other digits")
	}
	b.screen("done")
}

// typeCode replaces what stands in the field, and sends it.
func (b browser) typeCode(code string) {
	b.t.Helper()
	evaluate[string](b, `document.querySelector("#code").value = ""`)
	ctx, done := b.limit()
	defer done()
	b.do(ctx, chromedp.SendKeys(chromedp.CSS("#code"), code+"\r"))
}

// TestPageProblems: each refusal becomes a screen that says what to do next.
func TestPageProblems(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	claimed := func(qr pairing.QR) {
		b.open(qr.String())
		b.screen("ask")
		b.click("[data-act=pair]")
		b.screen("digits")
	}
	for _, c := range []struct {
		code string
		play func(pairing.QR)
	}{
		{"expired", func(qr pairing.QR) {
			b.open(qr.String())
			b.screen("ask")
			w.desk.Expire(qr.Pairing)
			b.click("[data-act=pair]")
		}},
		{"claimed-already", func(qr pairing.QR) {
			b.open(qr.String())
			b.screen("ask")
			succeed(t, newPhone(t).Scan(t.Context(), qr.String()))
			b.click("[data-act=pair]")
		}},
		{"wrong-digits", func(qr pairing.QR) {
			claimed(qr)
			for range 3 {
				w.desk.TypeDigits(qr.Pairing, "none")
			}
		}},
		{"stopped", func(qr pairing.QR) {
			claimed(qr)
			w.desk.Stop(qr.Pairing)
		}},
	} {
		qr, _ := w.desk.Offer(w.url, time.Minute)
		b.open("about:blank") // a fragment alone would not open the page again
		c.play(qr)
		b.screen("problem")
		equal(t, evaluate[string](b, "document.documentElement.dataset.problem"), c.code)
		if next := b.text("#problem-next"); next == "" {
			t.Errorf("%s: nothing is said to do next", c.code)
		}
		b.fits(c.code)
		b.shots("problem-" + c.code)
	}
}

// TestPageOutlastsATrouble: while the service cannot answer the page says so,
// and goes on by itself.
func TestPageOutlastsATrouble(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	qr, _ := w.desk.Offer(w.url, time.Minute)
	b.open(qr.String())
	b.screen("ask")
	w.desk.Fail(domain.ErrUnavailable)
	b.click("[data-act=pair]")
	b.until("the banner", "!document.querySelector('#banner').hidden")
	b.shots("trouble-nl")
	w.desk.Fail(nil)
	b.screen("digits")
	b.until("no banner", "document.querySelector('#banner').hidden")

	w.desk.LoseAnswer()
	w.desk.TypeDigits(qr.Pairing, b.text("#digits"))
	b.screen("problem")
	_, _, device := w.desk.State(qr.Pairing)
	b.click("#problem-again")
	b.screen("done") // the same phone, not a second one
	if _, _, again := w.desk.State(qr.Pairing); device == "" || again != device {
		t.Errorf("device %q, then %q", device, again)
	}
}

// TestPageOffline: without a network the page says so and waits for it.
func TestPageOffline(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "en")
	qr, _ := w.desk.Offer(w.url, time.Minute)
	b.open(qr.String())
	b.screen("ask")
	evaluate[bool](b, "self.online = self.fetch, self.fetch = () => Promise.reject(new TypeError('no network')), true")
	b.click("[data-act=pair]")
	b.until("the banner", "document.querySelector('#banner').textContent.startsWith('No connection')")
	evaluate[bool](b, "self.fetch = self.online, dispatchEvent(new Event('online'))")
	b.screen("digits")
}

// TestPageScans holds a rendered QR code before the browser's camera.
func TestPageScans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	qr, _ := w.desk.Offer(w.url, 2*time.Minute)
	film := filepath.Join(t.TempDir(), "camera.y4m")
	succeed(t, os.WriteFile(film, filmOf(t, qr.String()), 0o600))
	b := newBrowser(t, "nl", chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-file-for-fake-video-capture", film))
	b.open(w.url + "/p/")
	b.screen("home")
	b.click("[data-screen=home] [data-act=scan]")
	b.screen("digits")
	if !w.desk.TypeDigits(qr.Pairing, b.text("#digits")) {
		t.Error("the station expects other digits")
	}
	b.screen("done")
}

// TestPageWithoutCamera leads to the typed code.
func TestPageWithoutCamera(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	b.open(w.url + "/p/")
	b.screen("home")
	b.click("[data-screen=home] [data-act=scan]")
	b.screen("type")
	if b.text("#code-error") == "" {
		t.Error("it does not say why")
	}
	b.shots("no-camera")
}

// TestPageInsecure: on an address that browsers do not trust with keys the page
// says so.
func TestPageInsecure(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	b.open(strings.Replace(w.url, "127.0.0.1", "pocket.example.nl", 1) + "/p/")
	b.screen("problem")
	equal(t, evaluate[string](b, "document.documentElement.dataset.problem"), "insecure")
	b.fits("insecure")
	b.shots("problem-insecure")
}

// filmOf makes a film of one picture, 640 by 480, in grey: a QR code on a
// white sheet, as Chromium's fake camera takes it.
func filmOf(t *testing.T, content string) []byte {
	t.Helper()
	code, err := qrcode.New(content, qrcode.Medium)
	succeed(t, err)
	const width, height = 640, 480
	const left, top, scale = 160, 80, 5
	luma := []byte(strings.Repeat("\xeb", width*height))
	for y, row := range code.Bitmap() {
		for x, dark := range row {
			for i := range scale * scale {
				if dark {
					luma[(top+y*scale+i/scale)*width+left+x*scale+i%scale] = 16
				}
			}
		}
	}
	film := fmt.Appendf(nil, "YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n", width, height)
	for range 2 {
		film = append(append(film, "FRAME\n"...), luma...)
		film = append(film, strings.Repeat("\x80", width*height/2)...)
	}
	return film
}

// The page's pictures in the larger text of a phone's settings are looked at by
// hand; that words stay inside 320 pixels then is held here.
func TestPageWithLargeText(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t, func(c *pocket.Config) { c.Portal = "Mijn Onderwijspersoneelsregistratie" }), newBrowser(t, "nl")
	qr, _ := w.desk.Offer(w.url, time.Minute)
	b.open(qr.String())
	b.screen("ask")
	b.size(320, 568)
	evaluate[string](b, "document.documentElement.style.fontSize = '175%'")
	wide := func(screen string) {
		if n := evaluate[int](b, "document.documentElement.scrollWidth - innerWidth"); n > 0 {
			t.Errorf("%s: %d px too wide", screen, n)
		}
	}
	wide("ask")
	b.click("[data-act=pair]")
	b.screen("digits")
	wide("digits")
	if dir := os.Getenv("KEYDESK_SHOTS"); dir != "" {
		b.shot(filepath.Join(dir, "large-digits.png"))
	}
}
