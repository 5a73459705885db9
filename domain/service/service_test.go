package service_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

var update = flag.Bool("update", false, "write golden files for events that have none")

var reads = []service.Scope{service.ReadFactor}

func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	for _, e := range []service.Event{
		service.ClientAdded{Client: "portal", Scopes: reads, Token: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}, //nolint:gosec // G101: the hash of nothing
		service.ClientRevoked{Client: "portal"},
		service.KeyRotated{Key: "00c0ffee00c0ffee", Master: "b93a7c7e5a2e1f08", From: noon},
		service.SealBegun{
			Sealer: "5ea1e500c0ffee00", Origin: "keydesk/0b0e6f6e-3f1d-4a57-9f0b-2f4dbb0b7a11",
			Key: "keydesk/0b0e6f6e-3f1d-4a57-9f0b-2f4dbb0b7a11+0a1b2c3d+AQIDBA==",
		},
		service.LoginsPruned{Before: noon.Add(-400 * 24 * time.Hour), Events: 1234},
	} {
		m, err := service.Message(e, domain.Stamp{Command: domain.CommandID{1}})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", "events", m.Type+".1.json")
		if _, err := os.Stat(file); os.IsNotExist(err) && *update {
			if err := os.WriteFile(file, append(m.Data, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(file) //nolint:gosec // a golden file
		if err != nil {
			t.Fatalf("every event needs a golden file (-update writes one): %v", err)
		}
		got, err := service.Decode(m.Type, golden)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s: got %#v, %v", m.Type, got, err)
		}
		if !bytes.Equal(bytes.TrimSpace(golden), m.Data) {
			t.Errorf("%s: written as %s", m.Type, m.Data)
		}
	}
	if _, err := service.Decode("ClientSold", nil); !errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("got %v", err)
	}
	if _, err := service.Decode("ClientAdded", []byte("{")); err == nil {
		t.Error("half an event was read")
	}
}

func given(events ...service.Event) service.State {
	var s service.State
	for _, e := range events {
		s = service.Evolve(s, e)
	}
	return s
}

func TestClients(t *testing.T) {
	t.Parallel()
	added := service.ClientAdded{Client: "portal", Scopes: reads, Token: "h"}
	gone := service.ClientRevoked{Client: "portal"}
	add := func(id string, scopes ...service.Scope) func(service.State) (service.Event, error) {
		return func(s service.State) (service.Event, error) { return service.AddClient(s, id, scopes, "h") }
	}
	revoke := func(id string) func(service.State) (service.Event, error) {
		return func(s service.State) (service.Event, error) { return service.RevokeClient(s, id) }
	}
	for name, test := range map[string]struct {
		given []service.Event
		when  func(service.State) (service.Event, error)
		then  service.Event
		err   error
	}{
		"added": {nil, add("portal", service.ReadFactor), added, nil},
		"added with both scopes": {
			nil, add("portal", service.ReadFactor, service.Login),
			service.ClientAdded{Client: "portal", Scopes: []service.Scope{service.ReadFactor, service.Login}, Token: "h"},
			nil,
		},
		"a scope twice":            {nil, add("portal", service.ReadFactor, service.ReadFactor), added, nil},
		"added again":              {[]service.Event{added}, add("portal", service.ReadFactor), nil, service.ErrClientExists},
		"added after it was gone":  {[]service.Event{added, gone}, add("portal", service.ReadFactor), added, nil},
		"no scope":                 {nil, add("portal"), nil, service.ErrBadScope},
		"another scope":            {nil, add("portal", "factor:write"), nil, service.ErrBadScope},
		"no id":                    {nil, add("", service.ReadFactor), nil, service.ErrBadClient},
		"an id with a dot":         {nil, add("a.b", service.ReadFactor), nil, service.ErrBadClient},
		"an id of Keydesk's own":   {nil, add("keydesk", service.ReadFactor), nil, service.ErrBadClient},
		"that of what people do":   {nil, add("themselves", service.ReadFactor), nil, service.ErrBadClient},
		"a long id":                {nil, add(strings.Repeat("a", 41), service.ReadFactor), nil, service.ErrBadClient},
		"revoked":                  {[]service.Event{added}, revoke("portal"), gone, nil},
		"revoked again":            {[]service.Event{added, gone}, revoke("portal"), nil, service.ErrNoClient},
		"revoked, and never there": {nil, revoke("portal"), nil, service.ErrNoClient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := test.when(given(test.given...)); !reflect.DeepEqual(e, test.then) || !errors.Is(err, test.err) {
				t.Errorf("got %#v, %v", e, err)
			}
		})
	}
}

// Whoever was revoked last may ask for nothing, whatever happened before, and a
// state is never changed by what comes after it.
func TestOnlyWhoIsThereMayAsk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := service.State{}
		want := map[string]bool{}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "client")
			before := len(s.Clients)
			decide, may := service.RevokeClient, false
			e, err := decide(s, id)
			if rapid.Bool().Draw(t, "add") {
				e, err = service.AddClient(s, id, reads, "h")
				may = true
			}
			if err != nil {
				continue
			}
			next := service.Evolve(s, e)
			if len(s.Clients) != before {
				t.Fatal("the state before was changed")
			}
			s, want[id] = next, may
		}
		for id, may := range want {
			if s.Clients[id].May(service.ReadFactor) != may {
				t.Fatalf("%s may ask: %t", id, !may)
			}
		}
	})
}

// Whatever a log holds: it is an event that reads the same again, or an error.
func FuzzDecode(f *testing.F) {
	f.Add("ClientAdded", []byte(`{"client":"portal","scopes":["factor:read"],"token":"h"}`))
	f.Add("ClientRevoked", []byte(`{"client":"portal"}`))
	f.Add("KeyRotated", []byte(`{"key":"00c0ffee00c0ffee","master":"m","from":"2026-11-26T12:00:00Z"}`))
	f.Fuzz(func(t *testing.T, typ string, data []byte) {
		e, err := service.Decode(typ, data)
		if err != nil {
			return
		}
		m, err := service.Message(e, domain.Stamp{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := service.Decode(m.Type, m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := service.Message(again, domain.Stamp{}); err != nil || !bytes.Equal(twice.Data, m.Data) {
			t.Fatalf("%s, then %s: %v", m.Data, twice.Data, err)
		}
	})
}
