package lookup

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
)

// Factors is everybody's factor; *factor.Map.
type Factors interface {
	Lookup(domain.SubjectID) factor.Answer
	Snapshot() factor.Snapshot
	Position() domain.Position
	Counts() factor.Counts
}

// Feed is what keeps the factors up to date; *feed.Feed.
type Feed interface {
	Health() feed.Health
	Reach(ctx context.Context, until domain.Position) error
}

// Clients is who may ask, and the keys of assertions; *clients.Directory.
type Clients interface {
	Client(id string) (service.Client, bool)
	Keys() (keys service.Keys, clear bool)
}

// Config is what a Handler is made of. All of it is needed but for what says
// what it is without.
type Config struct {
	Factors Factors
	Feed    Feed
	Clients Clients
	// ClientsKnown says whether it is known who may ask, who was revoked, and which
	// keys there are, all of it, and as of now.
	ClientsKnown func() bool
	Logins       Logins
	Keys         Keys
	Issuer       string // of assertions
	// Subject returns who has an e-mail address; domain.ErrNotFound for nobody.
	Subject func(ctx context.Context, email string) (domain.SubjectID, error)
	// Address returns the network that a request comes from.
	Address func(*http.Request) netip.Prefix

	Version string // of this program
	Demo    bool
	Log     *zap.Logger
	Now     func() time.Time

	Stale      time.Duration // for how long the log may be silent; 5 s when 0
	Wait       time.Duration // for a position that is demanded, at most; 2 s when 0
	Beat       time.Duration // between two signs of life of a stream; 15 s when 0
	PerClient  int           // requests a second of one client; 1,000 when 0
	PerAddress int           // requests a second from one network; 2,000 when 0
}

// A Handler answers the API.
type Handler struct {
	c       Config
	mux     *http.ServeMux
	api     huma.API
	metrics *metrics
	clients *buckets[string]
	nets    *buckets[netip.Prefix]
	streams open
	polls   open          // questions that wait for a login
	walks   chan struct{} // a walk over everybody takes a place
	stop    chan struct{} // closed when streams are to end
}

// Problems have a shape of ours in the whole process: huma keeps how errors are
// made in a variable of its package, and nothing else here uses huma.
var ownProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newProblem(status, message, errs...)
	}
})

// NewHandler returns a Handler.
func NewHandler(c Config) *Handler {
	ownProblems()
	for _, d := range []struct {
		of    *time.Duration
		value time.Duration
	}{{&c.Stale, 5 * time.Second}, {&c.Wait, 2 * time.Second}, {&c.Beat, 15 * time.Second}} {
		if *d.of <= 0 {
			*d.of = d.value
		}
	}
	if c.PerClient <= 0 {
		c.PerClient = 1000
	}
	if c.PerAddress <= 0 {
		c.PerAddress = 2000
	}
	h := &Handler{
		c: c, mux: http.NewServeMux(), metrics: newMetrics(c),
		clients: newBuckets[string](c.PerClient, c.Now), nets: newBuckets[netip.Prefix](c.PerAddress, c.Now),
		streams: open{all: map[string]int{}}, polls: open{all: map[string]int{}}, walks: make(chan struct{}, walksAtOnce), stop: make(chan struct{}),
	}
	h.api = humago.New(h.mux, describe(c.Version))
	h.api.UseMiddleware(h.measure, h.admit)
	h.register()
	h.registerLogins()
	h.registerKeys()
	h.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	h.mux.HandleFunc("GET /readyz", h.ready)
	h.mux.Handle("GET /metrics", h.metrics.handler())
	page := newPage(h.api.OpenAPI())
	h.mux.HandleFunc("GET /docs", page)
	h.mux.Handle("GET /{$}", http.RedirectHandler("/docs", http.StatusFound))
	return h
}

// describe is the head of the OpenAPI document.
func describe(version string) huma.Config {
	c := huma.DefaultConfig("Keydesk", version)
	c.DocsPath = ""     // the page is our own: huma's loads its program from elsewhere
	c.SchemasPath = ""  // and no links to schemas in the answers
	c.CreateHooks = nil // which these would be
	c.Info.Description = "With which factor does this person prove who they are, right now? And: log them in with it.\n\n" +
		"Anything but the state `active` means that there is no factor to use; treat a state that you do not know the same. " +
		"A 503 means that this server does not know right now: ask again, and never go on with what you were told before."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "The token that `keydeskd client add` showed."},
	}
	return c
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if !h.nets.take(h.c.Address(r)) {
		header.Set("Retry-After", "1")
		http.Error(w, "too many requests from your network", http.StatusTooManyRequests)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// ready says whether questions would be answered.
func (h *Handler) ready(w http.ResponseWriter, _ *http.Request) {
	if p := h.fresh(); p != nil {
		http.Error(w, p.Detail, http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

// fresh returns why nothing can be answered now; nil when it can.
func (h *Handler) fresh() *Problem {
	health := h.c.Feed.Health()
	switch {
	case !health.CaughtUp || !h.c.ClientsKnown():
		return problem(http.StatusServiceUnavailable, CodeBehind, "this server is still reading the log")
	case health.Behind > h.c.Stale:
		return problem(http.StatusServiceUnavailable, CodeBehind, "this server has not heard from the log for %d s", int(health.Behind.Seconds()))
	}
	return nil
}
