package pocket_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A browser is a headless Chromium that plays a phone.
type browser struct {
	t   *testing.T
	ctx context.Context
}

// TestMain stops the browser that tests share.
func TestMain(m *testing.M) {
	code := m.Run()
	stopShared()
	os.Exit(code)
}

// The browser that most tests share: starting one takes seconds. Each test has
// its own profile in it.
var (
	startShared = sync.OnceValues(func() (context.Context, error) {
		dir, err := os.MkdirTemp("", "keydesk-browser")
		if err != nil {
			return nil, err
		}
		ctx, stop, err := startBrowser(dir, chromedp.Flag("host-resolver-rules", "MAP pocket.example.nl 127.0.0.1"))
		stopShared = func() {
			stop()
			_ = os.RemoveAll(dir)
		}
		return ctx, err
	})
	stopShared = func() {}
)

var errNoChromium = errors.New("no Chromium found")

// startBrowser starts Chromium. The library's messages are dropped: it reports
// every event that is newer than itself.
func startBrowser(dir string, flags ...chromedp.ExecAllocatorOption) (context.Context, func(), error) {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		return nil, func() {}, errNoChromium
	}
	options := append([]chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.UserDataDir(dir),
		chromedp.Flag("headless", "new"), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute),
	}, flags...)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	quiet := func(string, ...any) {}
	ctx, cancelTab := chromedp.NewContext(allocator,
		chromedp.WithLogf(quiet), chromedp.WithErrorf(quiet), chromedp.WithDebugf(quiet))
	stop := func() {
		cancelTab()
		cancel()
	}
	return ctx, stop, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
}

// newBrowser opens a tab with a profile of its own; where a test needs flags,
// in a browser of its own. Without Chromium the test is skipped, except where
// KEYDESK_CI says that there has to be one.
func newBrowser(t *testing.T, language string, flags ...chromedp.ExecAllocatorOption) browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	var parent context.Context
	var err error
	if len(flags) == 0 {
		parent, err = startShared()
	} else {
		var stop func()
		parent, stop, err = startBrowser(t.TempDir(), flags...)
		t.Cleanup(stop)
	}
	if errors.Is(err, errNoChromium) && os.Getenv("KEYDESK_CI") != "1" {
		t.Skip(err)
	}
	succeed(t, err)
	ctx, cancel := chromedp.NewContext(parent, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := browser{t, ctx}
	b.do(ctx, chromedp.Navigate("about:blank")) // opens the tab, which lives as long as ctx
	ctxOf, done := b.limit()
	defer done()
	_, err = chromedp.Call(ctxOf, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent:      "Mozilla/5.0 (Linux; Android 12; Pixel 6) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
		AcceptLanguage: language,
	})
	succeed(t, err)
	b.size(360, 740)
	return b
}

// limit bounds a step by what even a slow machine needs.
func (b browser) limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, 2*time.Minute)
}

func (b browser) do(ctx context.Context, step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(ctx, step); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

func (b browser) open(url string) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	b.do(ctx, chromedp.Navigate(url))
}

func (b browser) size(width, height int64) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 2, Mobile: true,
	})
	succeed(b.t, err)
}

// evaluate returns what an expression, or the promise it makes, comes to.
func evaluate[T any](b browser, expression string) T {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("browser: %v", err)
	}
	return v
}

// until waits for a condition in the page.
func (b browser) until(what, condition string) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	for {
		v, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && v {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("waited too long for %s; the page says: %s", what, evaluate[string](b, "document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// screen waits until the page shows a screen.
func (b browser) screen(name string) {
	b.t.Helper()
	b.until("the screen "+name, fmt.Sprintf("document.documentElement.dataset.shown === %q", name))
}

func (b browser) text(selector string) string {
	b.t.Helper()
	return evaluate[string](b, fmt.Sprintf("document.querySelector(%q).textContent", selector))
}

// click presses what can be seen of a selector.
func (b browser) click(selector string) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	b.do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// leaves presses what can be seen of a selector until the page has left a screen: a
// press may meet the page while it is being laid out anew.
func (b browser) leaves(selector, screen string) {
	b.t.Helper()
	here := fmt.Sprintf("document.documentElement.dataset.shown === %q", screen)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		b.click(selector)
		for range 40 {
			if !evaluate[bool](b, here) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	b.t.Fatalf("pressing %s leads nowhere; the page says: %s", selector, evaluate[string](b, "document.body.innerText"))
}

// shots takes pictures of the screen in several sizes and colours, where
// KEYDESK_SHOTS names a folder.
func (b browser) shots(name string) {
	b.t.Helper()
	dir := os.Getenv("KEYDESK_SHOTS")
	if dir == "" {
		return
	}
	for _, size := range [][2]int64{{360, 740}, {320, 568}} {
		for _, scheme := range []string{"light", "dark"} {
			b.colours("prefers-color-scheme", scheme)
			b.size(size[0], size[1])
			b.shot(filepath.Join(dir, fmt.Sprintf("%s-%dx%d-%s.png", name, size[0], size[1], scheme)))
		}
	}
	b.colours("prefers-color-scheme", "light")
}

func (b browser) colours(feature, value string) {
	b.t.Helper()
	ctx, done := b.limit()
	defer done()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: feature, Value: value}},
	})
	succeed(b.t, err)
}

func (b browser) shot(file string) {
	b.t.Helper()
	evaluate[bool](b, "document.fonts.ready.then(() => new Promise((r) => requestAnimationFrame(() => r(true))))")
	ctx, done := b.limit()
	defer done()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	succeed(b.t, err)
	succeed(b.t, os.WriteFile(file, png, 0o600)) //nolint:gosec // the folder is the developer's choice
}

// fits makes sure that nothing is wider than a phone of 320 pixels, and that
// the screen needs no scrolling at 360 by 740.
func (b browser) fits(name string) {
	b.t.Helper()
	for _, size := range [][2]int64{{320, 568}, {360, 740}} {
		b.size(size[0], size[1])
		over := evaluate[[]int64](b, "[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]")
		if over[0] > 0 || size[1] == 740 && over[1] > 0 {
			b.t.Errorf("%s at %d×%d: %d px too wide, %d px too high", name, size[0], size[1], over[0], over[1])
		}
	}
	time.Sleep(50 * time.Millisecond) // what is pressed next stands still by then
}

// TestPageComputesTheVectors holds the page's protocol to the same bytes.
func TestPageComputesTheVectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../domain/pairing/testdata/vectors.json")
	succeed(t, err)
	w := newWorld(t)
	b := newBrowser(t, "nl")
	b.open(w.url + "/p/")
	wrong := evaluate[[]string](b, fmt.Sprintf(`(async (v) => {
			const p = await import('/p/protocol.js');
			const wrong = [];
			const equal = (what, got, want) => { if (got !== want) wrong.push(what + ': ' + got + ', want ' + want); };
			for (const c of v.claims) {
				equal('thumbprint', await p.thumbprint(c), c.thumbprint);
				equal('proof', await p.claimProof(c.shown, c.pairing, c.thumbprint), c.proof);
				equal('digits', await p.digits(c.pairing, c.thumbprint, c.nonce), c.digits);
			}
			for (const c of v.codes) {
				equal('code of ' + c.typed, p.normaliseCode(c.typed), c.code);
				if (!c.code) continue;
				equal('formatted', p.formatCode(c.code), c.formatted);
				equal('locator', await p.locator(c.code), c.locator);
			}
			for (const q of v.qrs) {
				const got = p.parseQR(q.content);
				equal('qr', got && [got.publicURL, got.pairing, got.secret].join(), [q.publicURL, q.pairing, q.secret].join());
			}
			for (const a of v.approvals) equal('context', await p.context(a), a.context);
			for (const q of v.badQR) equal('bad qr ' + q, p.parseQR(q), null);
			for (const [agent, model, language, want] of %s)
				equal('label', p.deviceLabel(agent, model, language), want);
			return wrong;
		})(%s)`, labels, text))
	for _, m := range wrong {
		t.Error(m)
	}
}

const labels = `[
	['Mozilla/5.0 (iPhone; CPU iPhone OS 15_0 like Mac OS X) AppleWebKit/605.1.15', '', 'nl', 'iPhone'],
	['Mozilla/5.0 (Linux; Android 12; Pixel 6) AppleWebKit/537.36', '', 'nl', 'Android-telefoon (Pixel 6)'],
	['Mozilla/5.0 (Linux; Android 12; Pixel 6) AppleWebKit/537.36', '', 'en', 'Android phone (Pixel 6)'],
	['Mozilla/5.0 (Linux; Android 9; SM-A505F Build/PPR1.180610.011) AppleWebKit/537.36', '', 'nl', 'Android-telefoon (SM-A505F)'],
	['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36', '', 'nl', 'Android-telefoon'],
	['Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36', 'Galaxy <S21>', 'nl', 'Android-telefoon (Galaxy S21)'],
	['Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/113.0 Firefox/113.0', '', 'nl', 'Android-telefoon'],
	['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '', 'en', 'Browser (Linux)'],
]`

// TestTextsAreComplete: both languages have the same keys, and no text is
// empty.
func TestTextsAreComplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := newBrowser(t, "nl")
	b.open(w.url + "/p/")
	keys := evaluate[string](b, `(async () => {
			const { texts } = await import('/p/texts.js');
			const flat = (o, p) => Object.entries(o).flatMap(([k, v]) => Array.isArray(v)
				? [p + k + (v.length === 3 && v.every(Boolean) ? '' : ' is not whole')]
				: typeof v === 'object' ? flat(v, p + k + '.') : [p + k + (v ? '' : ' is empty')]);
			const all = Object.values(texts).map((o) => flat(o, '').sort());
			const used = [...document.querySelectorAll('[data-t]')].map((e) => e.dataset.t).filter((k) => !texts.nl[k]);
			return JSON.stringify({ all, used });
		})()`)
	var got struct {
		All  [][]string
		Used []string
	}
	succeed(t, json.Unmarshal([]byte(keys), &got))
	if len(got.All) != 2 || fmt.Sprint(got.All[0]) != fmt.Sprint(got.All[1]) || len(got.Used) > 0 {
		t.Errorf("texts differ or are missing: %v; not there: %v", got.All, got.Used)
	}
}
