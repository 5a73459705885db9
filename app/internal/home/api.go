package home

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/clients"
	"github.com/keydesk/keydesk/projections/feed"
)

// A counter is where the login service asks.
type counter struct {
	listener  net.Listener // nil: nowhere
	handler   *lookup.Handler
	directory *clients.Directory
	feed      *feed.Feed
}

// openCounter prepares the API, and listens for it where that is wanted.
func (h *Home) openCounter(ctx context.Context, o Options, keys *vault.Keys) error {
	set, c := o.Settings.API, &h.counter
	c.directory = clients.New()
	c.feed = feed.Over(domain.ServiceStream, h.Log, o.Now, c.directory)
	if !o.Services || set.Listen == "" {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", set.Listen)
	if err != nil {
		return fmt.Errorf("listen for the login service: %w", err)
	}
	c.listener = l
	if set.TLSCert != "" {
		if c.listener, err = pocket.ListenTLS(l, set.TLSCert, set.TLSKey); err != nil {
			return fmt.Errorf("listen for the login service: %w", errors.Join(err, l.Close()))
		}
	}
	c.handler = lookup.NewHandler(lookup.Config{
		Factors: h.Factors, Feed: h.Feed, Clients: c.directory, Subject: h.Vault.Find,
		ClientsKnown: func() bool {
			health := c.feed.Health()
			return health.CaughtUp && health.Behind <= set.Stale
		},
		Logins: h.Desk, Keys: keys, Issuer: issuer(o.Settings),
		Address: pocket.Network(prefixes(set.TrustedProxies)),
		Version: o.Version, Demo: h.Demo, Log: h.zap, Now: o.Now,
		Stale: set.Stale, PerClient: set.ClientRate, PerAddress: set.AddressRate,
	})
	return nil
}

// issuer is what assertions name as such.
func issuer(set settings.Settings) string {
	return cmp.Or(set.API.Issuer, set.Pocket.PublicURL, "keydesk")
}

// answer answers the login service until ctx ends.
func (h *Home) answer(ctx context.Context) error {
	c := &h.counter
	defer follow(ctx, c.feed)()
	ctx, stop := context.WithCancel(ctx)
	var ensuring sync.WaitGroup
	ensuring.Go(func() { h.ensureKey(ctx) })
	defer ensuring.Wait()
	defer stop()
	return c.handler.Serve(ctx, c.listener)
}

// ensureKey makes the first key of assertions where there is none, as soon as the
// log can be written.
func (h *Home) ensureKey(ctx context.Context) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := h.Desk.EnsureKey(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		h.zap.Warn("no key yet that signs assertions", zap.Error(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// APIAt returns where the login service is answered; empty: nowhere.
func (h *Home) APIAt() string {
	if h.counter.listener == nil {
		return ""
	}
	return h.counter.listener.Addr().String()
}

// Clients returns who may ask the API, as the log has it now, by id.
func (h *Home) Clients(ctx context.Context) (map[string]service.Client, error) {
	if err := h.counter.feed.CatchUp(ctx); err != nil {
		return nil, fmt.Errorf("read the clients: %w", err)
	}
	all, clear := h.counter.directory.All()
	if !clear {
		return all, fmt.Errorf("read the clients: %w: recorded by a newer Keydesk, and nobody is let in here", domain.ErrUnknownEvent)
	}
	return all, nil
}

// AssertionKeys returns the keys that sign assertions, as the log has them now.
func (h *Home) AssertionKeys(ctx context.Context) (service.Keys, error) {
	if err := h.counter.feed.CatchUp(ctx); err != nil {
		return nil, fmt.Errorf("read the keys: %w", err)
	}
	all, clear := h.counter.directory.Keys()
	if !clear {
		return all, fmt.Errorf("read the keys: %w: recorded by a newer Keydesk, and nobody is let in here", domain.ErrUnknownEvent)
	}
	return all, nil
}
