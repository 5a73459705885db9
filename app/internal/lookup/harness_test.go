package lookup_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

const (
	email    = "sanne.de-vries@voorbeeld.nl"
	name     = "Sanne de Vries"
	phrase   = "Kaas-Fiets-Regen7!Molen"
	number   = "0612345678"
	patience = 20 * time.Second
)

// A clock can race: a minute goes by each time that somebody looks at it.
type clock struct {
	races atomic.Bool
	ahead atomic.Int64
}

func (c *clock) now() time.Time {
	if c.races.Load() {
		c.ahead.Add(int64(time.Minute))
	}
	return time.Now().Add(time.Duration(c.ahead.Load()))
}

// A house is a demo's home that answers the API, and a client of it.
type house struct {
	*home.Home
	t     testing.TB
	at    string // where it is answered
	dir   string
	clock *clock
	token string
	read  int // messages of the outbox
	logs  *observer.ObservedLogs
	stop  func()
}

// open opens a demo's home, serves its API until the test ends, and lets a client
// in.
func open(tb testing.TB, flags map[string]string) *house {
	tb.Helper()
	h := serve(tb, tb.TempDir(), flags)
	token, err := h.Desk.AddClient(tb.Context(), "portal", []service.Scope{service.ReadFactor})
	if err != nil {
		tb.Fatal(err)
	}
	h.token = token.Reveal()
	h.eventually("the client is let in", func() bool { return h.get("/v1/factors", nil).StatusCode == http.StatusOK })
	return h
}

// serve opens a demo's home in a folder, and serves its API until the test ends.
func serve(tb testing.TB, dir string, flags map[string]string) *house {
	tb.Helper()
	all := map[string]string{"api.listen": "127.0.0.1:0"}
	maps.Copy(all, flags)
	set, err := settings.Load(settings.Sources{Home: dir, Demo: true, Flags: all})
	if err != nil {
		tb.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	c := &clock{}
	h, err := home.Open(tb.Context(), home.Options{Settings: set, Version: "test", Phones: true, Services: true, Log: zap.New(core), Now: c.now})
	if err != nil {
		tb.Fatal(err)
	}
	running := context.WithoutCancel(tb.Context())
	ctx, cancel := context.WithCancel(running)
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	out := &house{Home: h, t: tb, at: h.APIAt(), dir: dir, clock: c, logs: logs}
	out.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
		if err := h.Close(running); err != nil {
			tb.Error(err)
		}
	})
	tb.Cleanup(out.stop)
	return out
}

// ask sends a request with the client's token.
func (h *house) ask(method, path, body string, header map[string]string) *http.Response {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+h.at+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	response, err := http.DefaultTransport.RoundTrip(r) // redirects are not followed
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func (h *house) get(path string, header map[string]string) *http.Response {
	h.t.Helper()
	return h.ask(http.MethodGet, path, "", header)
}

// answer reads a JSON answer that has to have a status.
func answer[T any](tb testing.TB, r *http.Response, status int) T {
	tb.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if r.StatusCode != status {
		tb.Fatalf("%s: %s", r.Status, b)
	}
	var v T
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		tb.Fatalf("%s: %v", b, err)
	}
	return v
}

// byEmail asks for the factor of an address.
func (h *house) byEmail(address string) lookup.Factor {
	h.t.Helper()
	return answer[lookup.Factor](h.t, h.ask(http.MethodPost, "/v1/factor", `{"email":"`+address+`"}`, nil), http.StatusOK)
}

func (h *house) eventually(what string, holds func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// count returns how many events of a type the log has, once the projections
// have them.
func (h *house) count(typ string) int {
	h.t.Helper()
	n, head := 0, domain.Position(0)
	err := h.Log.ReadAll(h.t.Context(), domain.Query{}, func(b domain.Batch) error {
		for _, e := range b.Events {
			if e.Type == typ {
				n++
			}
		}
		head = b.Through
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.Feed.Reach(h.t.Context(), head); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func (h *house) code() string {
	h.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		items, err := h.Outbox.List(h.read)
		if err != nil {
			h.t.Fatal(err)
		}
		if i := slices.IndexFunc(items, func(m courier.Item) bool { return m.Code != "" }); i >= 0 {
			h.read += i + 1
			return items[i].Code
		}
	}
	h.t.Fatal("no code came")
	return ""
}

// walk takes somebody from E1 to a screen.
func (h *house) walk(address string, to desk.Screen) {
	h.t.Helper()
	ctx := h.t.Context()
	v, err := h.Desk.Begin(ctx, address, "nl")
	for err == nil && v.Screen != to {
		switch v.Screen { //nolint:exhaustive // those on the way
		case desk.ScreenEmailCode:
			v, err = h.Desk.ConfirmEmail(ctx, v.Visit, h.code())
		case desk.ScreenResume:
			v, err = h.Desk.Resume(ctx, v.Visit, phrase)
		case desk.ScreenPassword:
			v, err = h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase)
		case desk.ScreenPhone:
			v, err = h.Desk.GivePhone(ctx, v.Visit, number)
		case desk.ScreenSMSCode:
			v, err = h.Desk.ConfirmPhone(ctx, v.Visit, h.code())
		case desk.ScreenFactor:
			v, err = h.Desk.ChooseSMS(ctx, v.Visit)
		default:
			h.t.Fatalf("on the way to %s it shows %s", to, v.Screen)
		}
	}
	if err != nil {
		h.t.Fatalf("on the way to %s: %v", to, err)
	}
}
