package lookup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
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
func (c one) Keys() (service.Keys, bool)           { return nil, true }

// may returns the client whose token is the one below, with some scopes.
func may(scopes ...service.Scope) one {
	return one{service.Client{Scopes: scopes, Token: hashOf(token)}}
}

// hashOf returns what the log holds of a token.
func hashOf(token string) string {
	_, hash, _ := desk.ParseToken(token)
	return hash
}

const token = "keydesk_portal.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" //nolint:gosec // G101: of nobody

// handler answers for a map of factors.
func handler(m *factor.Map, scopes ...service.Scope) *lookup.Handler {
	return lookup.NewHandler(lookup.Config{
		Factors: m, Feed: still{m.Position()}, Clients: may(scopes...),
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

// More that happens to somebody who is parked is told again: whoever heard from
// another server in between must not believe it.
func TestWhoIsParkedIsToldAgain(t *testing.T) {
	t.Parallel()
	m := factor.New()
	events := foldtest.Even(1, 0)
	last := events[len(events)-1]
	strange, later := last, last
	strange.Type, strange.Revision, strange.Position = "PersonTeleported", last.Revision+1, last.Position+1
	later.Revision, later.Position = last.Revision+2, last.Position+5
	m.Apply(append(events, strange, later), 0)
	var c lookup.Changes
	if code := get(handler(m, service.ReadFactor), fmt.Sprintf("/v1/factors?after=%d", strange.Position), &c); code != http.StatusOK || len(c.Factors) != 1 || c.Factors[0].State != "unknown" {
		t.Errorf("%d %+v", code, c)
	}
}

// deaf is a feed that at some time hears nothing any more.
type deaf struct{ since *atomic.Bool }

func (d deaf) Health() feed.Health {
	h := feed.Health{Position: 1, CaughtUp: true}
	if d.since.Load() {
		h.Behind = time.Minute
	}
	return h
}

func (deaf) Reach(ctx context.Context, at domain.Position) error {
	if at <= 1 {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

// A stream ends when the server knows nothing any more: its follower must not
// believe that nothing happens. One that begins then is refused.
func TestAStreamThatHearsNothing(t *testing.T) {
	t.Parallel()
	var since atomic.Bool
	s := httptest.NewServer(lookup.NewHandler(lookup.Config{
		Factors: factor.New(), Feed: deaf{&since}, ClientsKnown: func() bool { return true },
		Clients: may(service.ReadFactor),
		Address: func(*http.Request) netip.Prefix { return netip.Prefix{} }, Log: zap.NewNop(), Now: time.Now,
	}))
	defer s.Close()
	ask := func() *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/factors/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	stream := ask()
	if _, err := stream.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	since.Store(true)
	began := time.Now()
	if _, err := io.Copy(io.Discard, stream.Body); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it ended after %s", took)
	}
	if answer := ask(); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("another one: %s", answer.Status)
	}
}

// A vault that cannot say is no wrong address.
func TestAVaultThatCannotSay(t *testing.T) {
	t.Parallel()
	h := lookup.NewHandler(lookup.Config{
		Factors: factor.New(), Feed: still{1}, ClientsKnown: func() bool { return true },
		Clients: may(service.ReadFactor),
		Subject: func(context.Context, string) (domain.SubjectID, error) {
			return domain.SubjectID{}, errors.New("tampered with")
		},
		Address: func(*http.Request) netip.Prefix { return netip.Prefix{} }, Log: zap.NewNop(), Now: time.Now,
	})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/factor", strings.NewReader(`{"email":"a@voorbeeld.nl"}`))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var p lookup.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusServiceUnavailable || p.Code != lookup.CodeUnavailable {
		t.Errorf("%d %+v %v", w.Code, p, err)
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
