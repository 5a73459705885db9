package kiosk_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var errNoChromium = errors.New("no Chromium found")

// A browser is a headless Chromium. stop ends it.
type browser struct {
	ctx  context.Context
	stop func()
}

// startBrowser starts Chromium. The library's messages are dropped: it reports
// every event that is newer than itself.
func startBrowser() (browser, error) {
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		return browser{stop: func() {}}, errNoChromium
	}
	dir, err := os.MkdirTemp("", "keydesk-browser") // a browser that ends may still write into it
	if err != nil {
		return browser{stop: func() {}}, err
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(program), chromedp.UserDataDir(dir),
		chromedp.Flag("headless", "new"), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.WSURLReadTimeout(time.Minute))
	quiet := func(string, ...any) {}
	ctx, cancelTab := chromedp.NewContext(allocator,
		chromedp.WithLogf(quiet), chromedp.WithErrorf(quiet), chromedp.WithDebugf(quiet))
	b := browser{ctx, func() {
		cancelTab()
		cancel()
		_ = os.RemoveAll(dir)
	}}
	return b, openTab(ctx, cancel)
}

// openTab opens the tab of a context, and with its first one the browser; both
// live as long as the context, which therefore cannot carry the deadline.
func openTab(ctx context.Context, cancel func()) error {
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	return chromedp.Do(ctx, chromedp.Navigate("about:blank"))
}

// A phone is a tab of the browser with a profile of its own.
type phone struct {
	test *testing.T
	tab  context.Context
}

func (b browser) phone(t *testing.T, language string) phone {
	t.Helper()
	tab, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	p := phone{t, tab}
	p.must(openTab(tab, cancel))
	ctx, done := p.limit()
	defer done()
	_, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{
		UserAgent:      "Mozilla/5.0 (Linux; Android 12; Pixel 6) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
		AcceptLanguage: language,
	})
	p.must(err)
	_, err = chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: 360, Height: 740, DeviceScaleFactor: 2, Mobile: true,
	})
	p.must(err)
	return p
}

// limit bounds a step by what even a slow machine needs.
func (p phone) limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.tab, patience)
}

func (p phone) must(err error) {
	p.test.Helper()
	if err != nil {
		p.test.Fatalf("browser: %v", err)
	}
}

func (p phone) open(url string) {
	p.test.Helper()
	ctx, done := p.limit()
	defer done()
	p.must(chromedp.Do(ctx, chromedp.Navigate(url)))
}

// press presses what can be seen of a selector.
func (p phone) press(selector string) {
	p.test.Helper()
	ctx, done := p.limit()
	defer done()
	p.must(chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)))
}

// enter types into a field and sends it.
func (p phone) enter(selector, text string) {
	p.test.Helper()
	ctx, done := p.limit()
	defer done()
	p.must(chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS(selector), text+"\r")))
}

// says returns what an expression comes to in the page.
func (p phone) says(expression string) string {
	p.test.Helper()
	ctx, done := p.limit()
	defer done()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	p.must(err)
	return s
}

// screen waits until the page shows a screen.
func (p phone) screen(name string) {
	p.test.Helper()
	ctx, done := p.limit()
	defer done()
	for {
		shown, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.documentElement.dataset.shown || ''"))
		if err == nil && shown == name {
			return
		}
		if ctx.Err() != nil {
			p.test.Fatalf("waited too long for the screen %s; the page says: %s", name, p.says("document.body.innerText"))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// until waits until an expression comes to "true".
func (p phone) until(what, expression string) {
	p.test.Helper()
	for end := time.Now().Add(patience); p.says(expression) != "true"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			p.test.Fatalf("waited too long until %s; the page says: %s", what, p.says("document.body.innerText"))
		}
	}
}

// claim agrees to what the page asks, and waits for its digits.
func (p phone) claim() {
	p.test.Helper()
	p.screen("ask")
	p.press("[data-act=pair]")
	p.screen("digits")
}

func (p phone) digits() string {
	p.test.Helper()
	return p.says("document.querySelector('#digits').textContent")
}

func (p phone) problem() string {
	p.test.Helper()
	return p.says("document.documentElement.dataset.problem")
}
