package pocket

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/domain/pairing"
)

// Desk is what the service needs of the use cases. Each refuses with a
// pairing.Refusal; other errors are faults.
type Desk interface {
	Pairings
	Approvals
	Stops
}

// Pairings make a phone somebody's second factor.
type Pairings interface {
	// FindPairing returns the id of the open pairing whose typed code has the
	// locator (pairing.Locator).
	FindPairing(ctx context.Context, locator string) (string, error)
	// ClaimPairing compares the proof and records the claim. The same claim
	// again (same pairing and thumbprint) gets the same answer; a claim by
	// another key ends the pairing.
	ClaimPairing(ctx context.Context, c pairing.Claim) (pairing.Claimed, error)
	// AwaitPairing returns as soon as the pairing is no longer claimed, and at
	// the latest when ctx ends: then StateClaimed or the error of ctx.
	AwaitPairing(ctx context.Context, pairingID, thumbprint string) (pairing.Progress, error)
	// FinishPairing makes the phone the person's second factor. The same
	// finish again gets the same answer.
	FinishPairing(ctx context.Context, f pairing.Finish) (pairing.Account, error)
}

// Approvals are logins that a paired phone decides on.
type Approvals interface {
	// PhoneNonce returns a nonce that a phone's question has to carry. All
	// servers of an installation know it again, for a short while.
	PhoneNonce() string
	// PendingApproval returns what waits for the phone, as soon as something
	// does, and at the latest when ctx ends: then nil or the error of ctx.
	PendingApproval(ctx context.Context, q pairing.Ask) (*pairing.Approval, error)
	// DecideApproval takes the person's answer. The same decision again gets
	// the same answer. That it was somebody else counts when the login is over, too.
	DecideApproval(ctx context.Context, c pairing.Decision) (pairing.Decided, error)
}

// Stops end what the helpdesk was asked to do to somebody's account.
type Stops interface {
	// StopByCode stops the case that a code is of, from the message about it. The same
	// code again is answered alike. Refusals: pairing.Unknown, pairing.Expired.
	StopByCode(ctx context.Context, code string) error
}

// Config is what NewHandler needs. Desk and PublicURL are needed; the rest has
// defaults.
type Config struct {
	PublicURL      string         // how phones reach the service: scheme, host, port
	Portal         string         // shown name of what people log in to
	PocketName     string         // shown name of Pocket; default "Pocket"
	Support        string         // shown address of the people who help; may be empty
	Languages      []string       // offered on the page, the default first; default nl, en
	TrustedProxies []netip.Prefix // who may say, by X-Forwarded-For, where a phone is; default nobody
	Desk           Desk
	Log            *zap.Logger // default: none
	Limits         Limits
}

// NewHandler returns the service: the page at /p/, the protocol below /p/v1/, the page
// that stops a case at /stop, and a way from / to /p/. It refuses a public URL that phones could not use
// (pairing.ErrBadURL). The handler may be used concurrently.
func NewHandler(c Config) (http.Handler, error) {
	public, err := pairing.CheckPublicURL(c.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("phones' service: %w", err)
	}
	c.PublicURL = public
	if c.PocketName == "" {
		c.PocketName = "Pocket"
	}
	if len(c.Languages) == 0 {
		c.Languages = []string{"nl", "en"}
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	pages, err := newPages(c)
	if err != nil {
		return nil, fmt.Errorf("phones' page: %w", err)
	}
	return secured(newService(c, time.Now).routes(pages)), nil
}

// A service is the protocol over HTTP.
type service struct {
	Config
	all, claims, finds, asks, decisions *limiter
	stops                               *limiter
	waiting, asking                     chan struct{} // one for each phone that waits for its station, for a login
	perDevice                           crowd         // questions of each phone that wait for a login
}

func newService(c Config, now func() time.Time) *service {
	c.Limits = c.Limits.withDefaults()
	l := c.Limits
	return &service{
		Config: c,
		all:    newLimiter(l.Requests, l.Addresses, now),
		claims: newLimiter(l.Claims, l.Addresses, now),
		finds:  newLimiter(l.Finds, l.Addresses, now), waiting: make(chan struct{}, l.Waiting),
		asks: newLimiter(l.Asks, l.Addresses, now), asking: make(chan struct{}, l.Asking),
		decisions: newLimiter(l.Decisions, l.Addresses, now), stops: newLimiter(l.Stops, l.Addresses, now),
	}
}

func (s *service) routes(pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/p/", http.StatusSeeOther))
	mux.Handle("GET /p/", pages)
	mux.Handle("GET "+stopPath, pages)
	mux.Handle("POST "+stopPath, s.endpoint("application/json", s.stop, s.stops))
	mux.Handle("POST /p/v1/find", s.endpoint("application/json", s.find, s.finds))
	mux.Handle("POST /p/v1/claim", s.endpoint("application/jose", s.claim, s.claims))
	mux.Handle("POST /p/v1/status", s.endpoint("application/jose", s.status))
	mux.Handle("POST /p/v1/finish", s.endpoint("application/jose", s.finish))
	mux.Handle("POST /p/v1/nonce", s.endpoint("application/json", s.nonce))
	mux.Handle("POST /p/v1/pending", s.endpoint("application/jose", s.pending, s.asks))
	mux.Handle("POST /p/v1/decide", s.endpoint("application/jose", s.decide, s.decisions))
	return mux
}

// secured sets the headers that every answer has. The page runs only its own
// files (the policy pocket of install.js lets it name its service worker), talks only to its own origin, and cannot be framed.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "+
			"require-trusted-types-for 'script'; trusted-types pocket")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
