package lookup

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/service"
)

// An identity is with what a client asks, and what for.
type identity struct {
	client, hash string
	scopes       []string
}

// refused returns why a client is not let in now; nil when it is. A token is
// compared in any case: who is a client does not show in the time it takes.
func (h *Handler) refused(who identity) *Problem {
	if !h.c.ClientsKnown() {
		return problem(http.StatusServiceUnavailable, CodeBehind, "this server does not know right now who may ask")
	}
	client, known := h.c.Clients.Client(who.client)
	if same := desk.SameToken(who.hash, client.Token); !known || !same {
		return problem(http.StatusUnauthorized, CodeUnauthorized, "a token that counts belongs in the header Authorization")
	}
	for _, scope := range who.scopes {
		if !client.May(service.Scope(scope)) {
			return problem(http.StatusForbidden, CodeForbidden, "the client lacks the scope %s", scope)
		}
	}
	return nil
}

// admit lets a client in whose token counts, and that may ask for this; and
// everybody where no token is asked for.
func (h *Handler) admit(ctx huma.Context, next func(huma.Context)) {
	if len(ctx.Operation().Security) == 0 {
		next(ctx)
		return
	}
	who := identity{scopes: scopesOf(ctx.Operation())}
	if token, bearer := strings.CutPrefix(ctx.Header("Authorization"), "Bearer "); bearer {
		who.client, who.hash, _ = desk.ParseToken(token)
	}
	if p := h.refused(who); p != nil {
		if p.Status == http.StatusUnauthorized {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="keydesk"`)
		}
		h.refuse(ctx, p)
		return
	}
	if ctx.Operation().OperationID == streamID {
		if !h.streams.enter(who.client, streamsEach) {
			h.refuse(ctx, problem(http.StatusTooManyRequests, CodeLimited, "more than %d streams at once", streamsEach))
			return
		}
		defer h.streams.leave(who.client)
	}
	if !h.clients.take(who.client) {
		ctx.SetHeader("Retry-After", "1")
		h.refuse(ctx, problem(http.StatusTooManyRequests, CodeLimited, "more than %d requests a second", h.c.PerClient))
		return
	}
	next(huma.WithValue(ctx, asker{}, who))
}

type asker struct{}

// still says whether the client that asks would be let in now: a stream outlives
// the question with which it began.
func (h *Handler) still(ctx context.Context) bool {
	who, ok := ctx.Value(asker{}).(identity)
	return ok && h.refused(who) == nil
}

// streamsEach is how many streams one client may have open.
const streamsEach = 16

// open counts what each client has open. It may be used concurrently.
type open struct {
	mu  sync.Mutex
	all map[string]int
}

func (o *open) enter(client string, most int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all[client] >= most {
		return false
	}
	o.all[client]++
	return true
}

func (o *open) leave(client string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all[client]--; o.all[client] == 0 {
		delete(o.all, client)
	}
}

// onlyFresh refuses where nothing can be told now: a stream that has begun cannot
// say so any more.
func (h *Handler) onlyFresh(ctx huma.Context, next func(huma.Context)) {
	if p := h.fresh(); p != nil {
		h.refuse(ctx, p)
		return
	}
	next(ctx)
}

// scopesOf returns what an operation asks for.
func scopesOf(op *huma.Operation) []string {
	var all []string
	for _, way := range op.Security {
		all = slices.Concat(all, way["token"])
	}
	return all
}

func (h *Handler) refuse(ctx huma.Context, p *Problem) {
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	_ = h.api.Marshal(ctx.BodyWriter(), "application/json", p) // the connection broke
}

// most is how many buckets there are at once.
const most = 10_000

// buckets limits how often each of many may ask. It may be used concurrently.
type buckets[K comparable] struct {
	limit rate.Limit
	burst int
	now   func() time.Time

	mu  sync.Mutex
	all map[K]*rate.Limiter
}

func newBuckets[K comparable](perSecond int, now func() time.Time) *buckets[K] {
	return &buckets[K]{limit: rate.Limit(perSecond), burst: perSecond, now: now, all: map[K]*rate.Limiter{}}
}

func (b *buckets[K]) take(key K) bool {
	now := b.now()
	b.mu.Lock()
	l := b.all[key]
	if l == nil {
		if len(b.all) >= most {
			b.drop(now)
		}
		l = rate.NewLimiter(b.limit, b.burst)
		b.all[key] = l
	}
	b.mu.Unlock()
	return l.AllowN(now, 1)
}

// drop forgets the buckets that are full: a new one is the same. When none is,
// it forgets them all.
func (b *buckets[K]) drop(now time.Time) {
	for k, l := range b.all {
		if l.TokensAt(now) >= float64(b.burst) {
			delete(b.all, k)
		}
	}
	if len(b.all) >= most {
		clear(b.all)
	}
}
