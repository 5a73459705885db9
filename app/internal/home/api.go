package home

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/app/internal/pocket"
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
func (h *Home) openCounter(ctx context.Context, o Options) error {
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
		Address: pocket.Network(prefixes(set.TrustedProxies)),
		Version: o.Version, Demo: h.Demo, Log: h.zap, Now: o.Now,
		Stale: set.Stale, PerClient: set.ClientRate, PerAddress: set.AddressRate,
	})
	return nil
}

// run answers the login service until ctx ends.
func (c *counter) run(ctx context.Context) error {
	defer follow(ctx, c.feed)()
	return c.handler.Serve(ctx, c.listener)
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
