package lookup_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/foldtest"
)

// still is a feed that has read all there is.
type still struct{ at domain.Position }

func (s still) Health() feed.Health                          { return feed.Health{Position: s.at, CaughtUp: true} }
func (s still) Reach(context.Context, domain.Position) error { return nil }

// one is the only client, with some scopes.
type one struct{ is service.Client }

func (c one) Client(string) (service.Client, bool) { return c.is, true }

const token = "keydesk_portal.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" //nolint:gosec // G101: of nobody

// handler answers for a map of factors.
func handler(m *factor.Map, scopes ...service.Scope) *lookup.Handler {
	_, hash, _ := desk.ParseToken(token)
	return lookup.NewHandler(lookup.Config{
		Factors: m, Feed: still{m.Position()}, Clients: one{service.Client{Scopes: scopes, Token: hash}},
		ClientsKnown: func() bool { return true },
		Subject:      func(context.Context, string) (domain.SubjectID, error) { return domain.SubjectID{}, domain.ErrNotFound },
		Address:      func(*http.Request) netip.Prefix { return netip.Prefix{} },
		Log:          zap.NewNop(), Now: time.Now, PerClient: 1 << 30, PerAddress: 1 << 30,
	})
}

// get asks a handler without a network.
func get(h http.Handler, path string, to any) int {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if err := json.Unmarshal(w.Body.Bytes(), to); err != nil {
		return 0
	}
	return w.Code
}

// Whatever happened: who reads page by page, while more happens between two
// pages, ends up with the factor of everybody.
func TestChangesTellEverythingInTheEnd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := foldtest.Events(foldtest.Random(func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }))
		m := factor.New()
		h := handler(m, service.ReadFactor)
		known := map[string]lookup.Factor{}
		after := uint64(0)
		read := func() bool {
			var c lookup.Changes
			limit := rapid.IntRange(1, 5).Draw(t, "limit")
			if code := get(h, fmt.Sprintf("/v1/factors?after=%d&limit=%d", after, limit), &c); code != http.StatusOK {
				t.Fatalf("status %d", code)
			}
			for _, f := range c.Factors {
				known[f.Subject] = f
			}
			after = c.Next
			return c.More
		}
		for len(events) > 0 {
			n := rapid.IntRange(1, len(events)).Draw(t, "events")
			m.Apply(events[:n], events[n-1].Position)
			events = events[n:]
			if rapid.Bool().Draw(t, "read") {
				read()
			}
		}
		for read() {
		}
		people := 0
		m.Snapshot().Changed(0, func(a factor.Answer) bool {
			people++
			f := known[a.Subject.String()]
			if f.Factor != string(a.Factor) || f.State != a.State.String() || f.Position != uint64(a.Position) {
				t.Fatalf("told %+v, is %+v", f, a)
			}
			return true
		})
		if len(known) != people {
			t.Fatalf("told of %d, there are %d", len(known), people)
		}
	})
}

// Of whom something unknown was recorded, nothing is said; all others go on.
func TestWhoIsParked(t *testing.T) {
	t.Parallel()
	m := factor.New()
	events := foldtest.Even(3, 2)
	last := events[len(events)-1].Position
	parked := events[0]
	parked.Type, parked.Revision, parked.Position = "PersonTeleported", 1000, last+1
	m.Apply(append(events, parked), last+1)
	id, _ := domain.SubjectOfStream(parked.Stream)
	h := handler(m, service.ReadFactor)
	var p lookup.Problem
	if code := get(h, "/v1/factor/"+id.String(), &p); code != http.StatusServiceUnavailable || p.Code != lookup.CodeParked {
		t.Errorf("%d %+v", code, p)
	}
	var c lookup.Changes
	if code := get(h, "/v1/factors", &c); code != http.StatusOK || len(c.Factors) != 3 || c.Factors[2] != (lookup.Factor{
		Subject: id.String(), Factor: "none", State: "unknown", Since: c.Factors[2].Since, Revision: c.Factors[2].Revision, Position: uint64(last + 1), Through: uint64(last + 1),
	}) || c.Next != uint64(last+1) {
		t.Errorf("%d %+v", code, c)
	}
}

func TestAScopeThatIsLacking(t *testing.T) {
	t.Parallel()
	var p lookup.Problem
	if code := get(handler(factor.New()), "/v1/factors", &p); code != http.StatusForbidden || p.Code != lookup.CodeForbidden {
		t.Errorf("%d %+v", code, p)
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add(token)
	f.Add("keydesk_.")
	f.Add("keydesk_a.b.c")
	f.Fuzz(func(t *testing.T, s string) {
		id, hash, ok := desk.ParseToken(s)
		if ok != (id != "" && hash != "") {
			t.Fatalf("%q, %q, %t", id, hash, ok)
		}
		if ok && (!strings.HasPrefix(s, "keydesk_"+id+".") || strings.Contains(s, hash)) {
			t.Fatalf("of %q: %q, %q", s, id, hash)
		}
	})
}
