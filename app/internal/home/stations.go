package home

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/stations"
)

// A reception is what a home offers to stations on other machines.
type reception struct {
	listener  net.Listener // nil: none are answered here
	names     []string
	handler   *remote.Handler
	directory *stations.Directory
	feed      *feed.Feed
}

// receive prepares for stations, and listens for them where that is wanted.
func (h *Home) receive(ctx context.Context, o Options, keys *vault.Keys) error {
	set := o.Settings.Stations
	authority, err := newAuthority(keys, o)
	if err != nil {
		return err
	}
	h.Authority = authority
	r := &h.reception
	r.names = set.Names
	r.directory = stations.New()
	r.feed = feed.Over(domain.StationPrefix, h.Log, time.Now, r.directory) // measures how long the log is silent
	if !o.Services || set.Listen == "" {
		return nil
	}
	var lc net.ListenConfig
	if r.listener, err = lc.Listen(ctx, "tcp", set.Listen); err != nil {
		return fmt.Errorf("listen for stations: %w", err)
	}
	r.handler = remote.NewHandler(remote.Config{
		Desk: h.Desk, Directory: r.directory, Known: r.known, Authority: authority, Hello: hello(o), Trouble: h.Trouble,
		Log: h.zap, Now: o.Now, Life: set.CertificateLife,
	})
	return nil
}

// newAuthority makes the stations' authority, from each master key: a station
// that was let in before the newest key came is let in still.
func newAuthority(keys *vault.Keys, o Options) (*remote.Authority, error) {
	var secrets [][32]byte
	for _, id := range keys.IDs() {
		secret, err := keys.DeriveWith(id, "stations/ca")
		if err != nil {
			return nil, fmt.Errorf("make the stations' authority: %w", err)
		}
		secrets = append(secrets, secret)
	}
	return remote.NewAuthority(o.Now, secrets...)
}

// hello is what stations are told of this installation.
func hello(o Options) remote.Hello {
	org, k := o.Settings.Organisation, o.Settings.Kiosk
	return remote.Hello{
		Version: o.Version, PocketName: org.PocketName, Support: org.Support,
		Languages: org.Languages, DefaultLanguage: org.DefaultLanguage, Policy: o.Settings.Policy,
		IdleWarn: k.IdleWarn, IdleWipe: k.IdleWipe, IdleWipeWaiting: k.IdleWipeWaiting, VisitMax: k.VisitMax,
	}
}

// follow keeps a feed's projections up to date until stop is called, and stop has
// waited for its end: also when ctx has ended, for what is under way then.
func follow(ctx context.Context, f *feed.Feed) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { _ = f.Run(ctx) }) // ends with its context only
	return func() {
		cancel()
		running.Wait()
	}
}

// known says whether the log was heard lately: who was revoked since is not let in.
func (r *reception) known() bool {
	health := r.feed.Health()
	return health.CaughtUp && health.Behind <= awayFor
}

// run answers stations until ctx ends. It begins when it is known who was let in
// and who was revoked, all of it.
func (r *reception) run(ctx context.Context) error {
	defer follow(ctx, r.feed)()
	select {
	case <-r.feed.CaughtUp():
		return r.handler.Serve(ctx, r.listener, r.names)
	case <-ctx.Done():
		return r.listener.Close()
	}
}

// StationsAt returns where stations are answered, host and port; empty: nowhere.
func (h *Home) StationsAt() string {
	if h.reception.listener == nil {
		return ""
	}
	return h.reception.listener.Addr().String()
}

// PhonesAt returns where phones are answered; empty: nowhere.
func (h *Home) PhonesAt() string {
	if h.phones == nil {
		return ""
	}
	return h.phones.Addr().String()
}

// Stations returns every station that was ever let in, as the log has it now.
func (h *Home) Stations(ctx context.Context) ([]stations.Station, error) {
	if err := h.reception.feed.CatchUp(ctx); err != nil {
		return nil, fmt.Errorf("read the stations: %w", err)
	}
	return h.reception.directory.All(), nil
}
