package pocket_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/keydesk/keydesk/app/internal/pocket"
)

func get(t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	succeed(t, err)
	res, err := http.DefaultClient.Do(r)
	succeed(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	succeed(t, err)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, res.Status)
	}
	return b
}

func TestManifest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Portal, c.PocketName = `Mijn "OPO-R" </script>`, "AFAS Pocket" })
	var m struct {
		Name, Lang, Display, Scope string
		ShortName                  string `json:"short_name"`
		StartURL                   string `json:"start_url"`
		Icons                      []struct{ Src, Sizes, Type, Purpose string }
	}
	succeed(t, json.Unmarshal(get(t, w.url+"/p/manifest.webmanifest"), &m))
	if m.Name != `AFAS Pocket – Mijn "OPO-R" </script>` || m.ShortName != "AFAS Pocket" || m.Lang != "nl" ||
		m.Display != "standalone" || m.Scope != "/p/" || m.StartURL != "/p/" {
		t.Errorf("%+v", m)
	}
	have := map[string]bool{}
	for _, i := range m.Icons {
		have[i.Sizes+" "+i.Purpose] = true
		if i.Type != "image/png" {
			continue
		}
		c, err := png.DecodeConfig(bytes.NewReader(get(t, w.url+"/p/"+i.Src)))
		if err != nil || fmt.Sprintf("%dx%d", c.Width, c.Height) != i.Sizes {
			t.Errorf("%s: %d by %d, %v", i.Src, c.Width, c.Height, err)
		}
	}
	for _, want := range []string{"192x192 any", "512x512 any", "512x512 maskable"} {
		if !have[want] {
			t.Errorf("no icon of %s", want)
		}
	}
}

// The shell is everything that the page needs to open, and nothing else.
func TestShell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, rest, _ := strings.Cut(string(get(t, w.url+"/p/sw.js")), "const files = ")
	list, _, _ := strings.Cut(rest, ";\n")
	var files []string
	succeed(t, json.Unmarshal([]byte(list), &files))
	all := strings.Join(files, " ") + " "
	for _, part := range []string{"/p/ ", "/p/app.js ", "/p/style.css ", "/p/texts.js ", "/p/manifest.webmanifest ", ".ttf ", "icon-192.png "} {
		if !strings.Contains(all, part) {
			t.Errorf("%q is not in %s", part, all)
		}
	}
	for _, f := range files {
		get(t, w.url+f)
		if strings.Contains(f, "/v1/") || strings.Contains(f, "sw.js") || strings.Contains(f, "jsqr") {
			t.Errorf("the shell holds %s", f)
		}
	}
}

// A page that is just being opened may be missed when the worker takes over; so it
// counts that it is active, not that it has this page.
const shellKept = "navigator.serviceWorker.ready.then((r) => caches.keys().then((k) => k.length === 1 && r.active.state === 'activated'))"

// TestPageOpensWithoutANetwork: the shell is kept, and the page says what it
// lacks; a new version arrives by itself.
func TestPageOpensWithoutANetwork(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	ctx, done := b.limit()
	defer done()
	id := b.pairs(w)
	m, err := chromedp.Call(ctx, page.GetAppManifest, page.GetAppManifestParams{})
	succeed(t, err)
	if len(m.Errors) > 0 || !strings.HasSuffix(m.URL, "/p/manifest.webmanifest") {
		t.Errorf("manifest %s: %v", m.URL, m.Errors)
	}
	eventually(t, "the service worker", func() bool { return evaluate[bool](b, shellKept) })
	if kept := evaluate[string](b, "caches.keys().then((k) => caches.open(k[0])).then((c) => c.keys()).then((r) => r.map((q) => q.url).join())"); strings.Contains(kept, "/v1/") {
		t.Errorf("it keeps what is nobody's business: %s", kept)
	}

	w.away()
	b.open("about:blank")
	b.open(w.url + "/p/")
	b.screen("home")
	equal(t, b.text("#accounts h2"), "Mijn OPO-R")
	b.until("the banner", "document.querySelector('#banner').textContent.startsWith('Geen verbinding')")
	b.fits("home without a network")
	b.shots("offline")
	if headers := evaluate[string](b, "fetch('/p/').then((r) => r.headers.get('Content-Security-Policy'))"); !strings.Contains(headers, "trusted-types pocket") {
		t.Errorf("the kept page has the policy %q", headers)
	}

	// The service is back, under another name of the portal: the page shows it.
	c := w.config
	c.Portal = "Mijn Werk"
	w.serve(t, c)
	b.open(w.url + "/p/")
	b.until("the new version", "document.querySelector('.bar strong').textContent === 'Mijn Werk'")
	b.screen("home")
	w.desk.Login(id, time.Minute)
	b.screen("approve")
}

func (b browser) agent(userAgent string) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	_, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent: userAgent, AcceptLanguage: evaluate[string](b, "navigator.language"),
	})
	succeed(b.t, err)
}

const iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"

// before runs a script before those of each page that is opened.
func (b browser) before(script string) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	succeed(b.t, err)
}

// TestPageOnIOS asks to be put on the home screen before it gets a key.
func TestPageOnIOS(t *testing.T) {
	t.Parallel()
	for language, words := range map[string]string{
		"nl": "Zet Pocket eerst op je beginscherm", "en": "Put Pocket on your home screen first",
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w, b := newWorld(t), newBrowser(t, language)
			b.agent(iPhone)
			b.before("navigator.storage.persist = navigator.storage.persisted = () => Promise.resolve(self.name === 'promised')")
			qr, code := w.desk.Offer(w.url, 2*time.Minute)
			b.open(qr.String())
			b.screen("install")
			equal(t, b.text("[data-screen=install] h1"), words)
			b.fits("install")
			b.shots("install-" + language)
			if !evaluate[bool](b, "document.querySelector('#install-here').hidden") {
				t.Error("it lets people on where the key may be thrown away")
			}
			b.open(w.url + "/p/") // opened by itself it asks the same
			b.screen("install")
			state, _, _ := w.desk.State(qr.Pairing)
			equal(t, string(state), "") // nothing was claimed: the code is still good

			// Where the browser promises to keep the key, people may go on.
			evaluate[string](b, "self.name = 'promised'")
			b.open(w.url + "/p/")
			b.until("the way on", "!document.querySelector('#install-here').hidden")
			b.fits("install, or not")
			b.shots("install-or-not-" + language)
			b.click("#install-here")
			b.screen("ask")

			// On the home screen the code is typed.
			app := newBrowser(t, language)
			app.agent(iPhone)
			app.before("Object.defineProperty(navigator, 'standalone', { value: true })")
			app.open(w.url + "/p/")
			app.screen("home")
			app.click("[data-screen=home] [data-act=type]")
			app.screen("type")
			app.typeCode(code)
			app.screen("digits")
			if !w.desk.TypeDigits(qr.Pairing, app.text("#digits")) {
				t.Error("the station expects other digits")
			}
			app.screen("done")
		})
	}
}

// TestPageOnIPad: it says that it is a Mac, but it has a touch screen.
func TestPageOnIPad(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "nl")
	b.agent("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15")
	b.before("Object.defineProperty(navigator, 'maxTouchPoints', { value: 5, configurable: true })")
	b.open(w.url + "/p/")
	b.screen("install")
	b.before("Object.defineProperty(navigator, 'maxTouchPoints', { value: 0, configurable: true })")
	b.open(w.url + "/p/")
	b.screen("home")
}

// TestPageOffersToBeInstalled where the browser has a question of its own.
func TestPageOffersToBeInstalled(t *testing.T) {
	t.Parallel()
	w, b := newWorld(t), newBrowser(t, "en")
	b.open(w.url + "/p/")
	b.screen("home")
	evaluate[bool](b, "dispatchEvent(Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt: () => { self.asked = true; } }))")
	b.until("the button", "!document.querySelector('[data-screen=home] [data-act=install]').hidden")
	b.fits("home, with the button")
	b.click("[data-screen=home] [data-act=install]")
	b.until("the question", "self.asked")
	evaluate[bool](b, "dispatchEvent(new Event('appinstalled'))")
	b.until("no button", "document.querySelector('[data-screen=home] [data-act=install]').hidden")
}
