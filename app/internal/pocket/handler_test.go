package pocket_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// A world is a station, its service and their log.
type world struct {
	desk *memoryDesk
	url  string
	logs *observer.ObservedLogs

	config pocket.Config
	now    *atomic.Pointer[http.Handler] // nil: nobody answers
}

func newWorld(t *testing.T, change ...func(*pocket.Config)) world {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	w := world{desk: newDesk(), url: "http://" + l.Addr().String(), logs: logs, now: new(atomic.Pointer[http.Handler])}
	c := pocket.Config{
		PublicURL: w.url, Portal: "Mijn OPO-R", PocketName: "Pocket", Support: "hulp@voorbeeld.nl",
		Desk: w.desk, Log: zap.New(core), Limits: pocket.Limits{Requests: 10_000, Claims: 10_000, Finds: 10_000, Asks: 10_000},
	}
	for _, f := range change {
		f(&c)
	}
	w.config = c
	w.serve(t, c)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context())) // it ends in the clean-up, after the test's
	served := make(chan error, 1)
	go func() { served <- pocket.Serve(ctx, l, http.HandlerFunc(w.answer)) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return w
}

// serve has the service begin anew, with other settings.
func (w world) serve(t *testing.T, c pocket.Config) {
	t.Helper()
	h, err := pocket.NewHandler(c)
	if err != nil {
		t.Fatal(err)
	}
	w.now.Store(&h)
}

// away has nobody answer.
func (w world) away() { w.now.Store(nil) }

func (w world) answer(rw http.ResponseWriter, r *http.Request) {
	h := w.now.Load()
	if h == nil {
		panic(http.ErrAbortHandler)
	}
	(*h).ServeHTTP(rw, r)
}

func newPhone(t *testing.T) *pocket.Phone {
	t.Helper()
	p, err := pocket.OpenPhone("")
	if err != nil {
		t.Fatal(err)
	}
	p.Label = "iPhone"
	return p
}

func refused(t *testing.T, err error, want pairing.Refusal) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}

func succeed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPairByQR(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newPhone(t)
	qr, _ := w.desk.Offer(w.url, time.Minute)
	succeed(t, p.Scan(t.Context(), qr.String()))
	pairByDigits(t, w, p, qr.Pairing)
}

func TestPairByTypedCode(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newPhone(t)
	qr, code := w.desk.Offer(w.url, time.Minute)
	typed := strings.ToLower(strings.ReplaceAll(pairing.FormatCode(code), "-", " "))
	succeed(t, p.Type(t.Context(), w.url, typed))
	pairByDigits(t, w, p, qr.Pairing)
}

func pairByDigits(t *testing.T, w world, p *pocket.Phone, id string) {
	t.Helper()
	waited := make(chan error, 1)
	go func() { waited <- p.Wait(t.Context()) }()
	digits := p.Digits()
	if !w.desk.TypeDigits(id, digits) {
		t.Fatalf("the station expects other digits than %s", digits)
	}
	succeed(t, <-waited)
	a, err := p.Finish(t.Context())
	succeed(t, err)
	again, err := p.Finish(t.Context())
	succeed(t, err)
	state, label, device := w.desk.State(id)
	if state != pairing.StatePaired || label != "iPhone" || a.Device != device || a != again || a.Portal != "Mijn OPO-R" {
		t.Errorf("%+v, then %+v; desk: %s, %s, %s", a, again, state, label, device)
	}
	if n := w.logs.Len(); n > 0 {
		t.Errorf("%d lines were logged: %v", n, w.logs.All())
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for name, play := range map[string]func(*testing.T, world, *pocket.Phone, pairing.QR){
		"too late": func(t *testing.T, w world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			w.desk.Expire(qr.Pairing)
			refused(t, p.Scan(ctx, qr.String()), pairing.Expired)
		},
		"no such pairing": func(t *testing.T, _ world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			qr.Pairing = token()
			refused(t, p.Scan(ctx, qr.String()), pairing.Unknown)
		},
		"another secret": func(t *testing.T, _ world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			qr.Secret = token()
			refused(t, p.Scan(ctx, qr.String()), pairing.WrongProof)
		},
		"a typed code that is none": func(t *testing.T, w world, p *pocket.Phone, _ pairing.QR) {
			t.Helper()
			refused(t, p.Type(ctx, w.url, "0000-0000-0000"), pairing.Unknown)
			if err := p.Type(ctx, w.url, "0000"); !errors.Is(err, pairing.ErrBadCode) {
				t.Errorf("%v, want ErrBadCode", err)
			}
		},
		"the same phone again": func(t *testing.T, _ world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			succeed(t, p.Scan(ctx, qr.String()))
			first := p.Digits()
			succeed(t, p.Scan(ctx, qr.String()))
			if p.Digits() != first {
				t.Errorf("digits %s, then %s", first, p.Digits())
			}
		},
		"a second phone burns it": func(t *testing.T, w world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			succeed(t, p.Scan(ctx, qr.String()))
			refused(t, newPhone(t).Scan(ctx, qr.String()), pairing.ClaimedAlready)
			if w.desk.TypeDigits(qr.Pairing, p.Digits()) {
				t.Error("a burnt pairing was confirmed")
			}
			refused(t, p.Wait(ctx), pairing.Failed)
			_, err := p.Finish(ctx)
			refused(t, err, pairing.Failed)
		},
		"wrong digits": func(t *testing.T, w world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			succeed(t, p.Scan(ctx, qr.String()))
			for range 3 {
				w.desk.TypeDigits(qr.Pairing, "none")
			}
			err := p.Wait(ctx)
			refused(t, err, pairing.Failed)
			if !strings.Contains(err.Error(), string(pairing.ReasonWrongDigits)) {
				t.Errorf("%v does not say why", err)
			}
		},
		"finish before the digits": func(t *testing.T, _ world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			succeed(t, p.Scan(ctx, qr.String()))
			_, err := p.Finish(ctx)
			refused(t, err, pairing.NotConfirmed)
		},
		"somebody else's status and finish": func(t *testing.T, w world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			succeed(t, p.Scan(ctx, qr.String()))
			w.desk.TypeDigits(qr.Pairing, p.Digits())
			thief := newPhone(t)
			refused(t, thief.Scan(ctx, qr.String()), pairing.ClaimedAlready)
			refused(t, thief.Wait(ctx), pairing.Unknown)
			_, err := p.Finish(ctx)
			succeed(t, err)
		},
		"the vault is away": func(t *testing.T, w world, p *pocket.Phone, qr pairing.QR) {
			t.Helper()
			w.desk.Fail(domain.ErrUnavailable)
			time.AfterFunc(100*time.Millisecond, func() { w.desk.Fail(nil) })
			succeed(t, p.Scan(ctx, qr.String())) // the phone tries again by itself
		},
		"a code of another service": func(t *testing.T, _ world, p *pocket.Phone, _ pairing.QR) {
			t.Helper()
			if err := p.Scan(ctx, "WIFI:S:guest;;"); !errors.Is(err, pairing.ErrBadQR) {
				t.Errorf("%v, want ErrBadQR", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			qr, _ := w.desk.Offer(w.url, time.Minute)
			play(t, w, newPhone(t), qr)
		})
	}
}

func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Limits.Wait = time.Millisecond })
	p := newPhone(t)
	qr, _ := w.desk.Offer(w.url, time.Minute)
	succeed(t, p.Scan(t.Context(), qr.String()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the end of the context", err)
	}
	w.desk.TypeDigits(qr.Pairing, p.Digits())
	succeed(t, p.Wait(t.Context()))
}

func TestFaultsAreLoggedWithAnIDOnly(t *testing.T) {
	t.Parallel()
	w, p := newWorld(t), newPhone(t)
	qr, _ := w.desk.Offer(w.url, time.Minute)
	w.desk.Fail(errors.New("disk on fire"))
	if err := p.Scan(t.Context(), qr.String()); err == nil {
		t.Fatal("claimed while the desk failed")
	}
	lines := w.logs.All()
	if len(lines) != 1 || lines[0].ContextMap()["error"] != "disk on fire" || lines[0].ContextMap()["id"] == "" {
		t.Errorf("logged %v", lines)
	}
	for _, f := range lines[0].ContextMap() {
		if s, _ := f.(string); strings.Contains(s, "iPhone") || strings.Contains(s, qr.Secret) || strings.Contains(s, "127.0.0.1") {
			t.Errorf("the line says too much: %v", lines[0].ContextMap())
		}
	}
}

func TestNewHandlerRefusesURLs(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "http://pocket.example.nl", "https://pocket.example.nl/x"} {
		if _, err := pocket.NewHandler(pocket.Config{PublicURL: u, Desk: newDesk()}); !errors.Is(err, pairing.ErrBadURL) {
			t.Errorf("%q: %v, want ErrBadURL", u, err)
		}
	}
}

// post sends a request as it is and returns status and body.
func post(t *testing.T, url, mediaType, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	succeed(t, err)
	r.Header.Set("Content-Type", mediaType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return send(t, r)
}

func send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	res, err := http.DefaultClient.Do(r)
	succeed(t, err)
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	succeed(t, err)
	return res.StatusCode, string(b)
}

func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const jose = "application/jose"
	find := `{"locator":"` + pairing.Locator("000000000000") + `"}`
	for _, c := range []struct {
		name, path, mediaType, body string
		header                      []string
		status                      int
		code                        string
	}{
		{"another origin", "claim", jose, "x", []string{"Origin", "https://evil.example"}, 403, "wrong-origin"},
		{"no origin at all", "claim", jose, "x", []string{"Origin", "null"}, 403, "wrong-origin"},
		{"another site", "claim", jose, "x", []string{"Sec-Fetch-Site", "cross-site"}, 403, "wrong-origin"},
		{"same site, another host", "claim", jose, "x", []string{"Sec-Fetch-Site", "same-site"}, 403, "wrong-origin"},
		{"own origin", "claim", jose, "x", []string{"Origin", w.url, "Sec-Fetch-Site", "same-origin"}, 400, "malformed"},
		{"a form", "claim", "text/plain", "x", nil, 415, "wrong-type"},
		{"too large", "claim", jose, strings.Repeat("x", 5000), nil, 413, "too-large"},
		{"empty", "finish", jose, "", nil, 400, "malformed"},
		{"no status without a signature", "status", jose, "{}", nil, 400, "malformed"},
		{"find: unknown", "find", "application/json", find, nil, 404, "unknown"},
		{"find: other members", "find", "application/json", `{"locator":"x","a":1}`, nil, 400, "malformed"},
		{"find: not JSON", "find", "application/json", `locator`, nil, 400, "malformed"},
	} {
		status, body := post(t, w.url+"/p/v1/"+c.path, c.mediaType, c.body, c.header...)
		if status != c.status || strings.TrimSpace(body) != `{"error":"`+c.code+`"}` {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, c.code)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/p/v1/claim", nil)
	succeed(t, err)
	if status, _ := send(t, r); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
		t.Errorf("GET of an endpoint: %d", status)
	}
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Limits = pocket.Limits{Finds: 3} })
	for i := range 5 {
		want := 404
		if i >= 3 {
			want = 429
		}
		status, body := post(t, w.url+"/p/v1/find", "application/json", `{"locator":"`+token()+`"}`)
		if status != want {
			t.Errorf("request %d: %d %s, want %d", i, status, body, want)
		}
	}
}

func TestPageAndHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Portal = `"><script>alert(1)</script>` })
	for path, mediaType := range map[string]string{
		"/":                       "text/html; charset=utf-8", // leads to /p/
		"/p/":                     "text/html; charset=utf-8",
		"/p/app.js":               "text/javascript; charset=utf-8",
		"/p/style.css":            "text/css; charset=utf-8",
		"/stop":                   "text/html; charset=utf-8",
		"/p/stop.js":              "text/javascript; charset=utf-8",
		"/p/icon.svg":             "image/svg+xml",
		"/p/sw.js":                "text/javascript; charset=utf-8",
		"/p/manifest.webmanifest": "application/manifest+json",
		"/p/icon-192.png":         "image/png",
		"/p/nothing.js":           "text/plain; charset=utf-8",
		"/p/AtkinsonHyperlegibleNext_400Regular.ttf": "font/ttf",
		"/p/jsqr-1.4.0.js":                           "text/javascript; charset=utf-8",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path, nil)
		succeed(t, err)
		res, err := http.DefaultClient.Do(r)
		succeed(t, err)
		body, err := io.ReadAll(res.Body)
		succeed(t, errors.Join(err, res.Body.Close()))
		h := res.Header
		if h.Get("Content-Type") != mediaType || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") == "" {
			t.Errorf("%s: headers %v", path, h)
		}
		csp := h.Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
		if strings.Contains(string(body), "<script>") && mediaType != "text/javascript; charset=utf-8" {
			t.Errorf("%s: a script within the page", path)
		}
		if etag := h.Get("ETag"); etag != "" {
			r.Header.Set("If-None-Match", etag)
			if status, _ := send(t, r); status != http.StatusNotModified {
				t.Errorf("%s again: %d", path, status)
			}
		}
	}
}
