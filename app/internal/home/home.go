// Package home is the data folder of one installation, opened: the log, the
// vault and their keys, the couriers, the projections, the use cases and the
// service for phones, wired to each other. Both programs start here, and the
// end-to-end tests do too.
//
// It may import everything under app/internal except ui; nothing but the
// programs may import it. Start reading at Open.
package home

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/pairings"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/replay"
)

// DemoDomain is the e-mail domain that a demo admits.
const DemoDomain = "voorbeeld.nl"

// ErrNotADemo says that a demo was asked for in a home that is none.
var ErrNotADemo = errors.New("this home holds real enrolments and cannot become a demo: choose another folder with --home")

// Options are what the programs add to the settings.
type Options struct {
	Settings settings.Settings
	Version  string
	Phones   bool // whether to serve phones, as far as the settings allow it
	Services bool // whether to serve stations and the login service, where the settings say
	Log      *zap.Logger
	Now      func() time.Time // time.Now when nil
}

// A Home is an opened data folder. Its fields may be used concurrently.
type Home struct {
	Desk   *desk.Desk
	Log    store.Log
	Vault  *vault.Vault
	Feed   *feed.Feed
	logins *feed.Feed
	cases  caseBook
	// erasures are known with the cases: they are few, too.
	erasures *erasures
	Factors  *factor.Map
	Board    *progress.Board
	Outbox   *courier.Outbox // the demo's; nil in a real home
	Demo     bool
	Station  string
	// Authority issues the certificates of stations on other machines.
	Authority *remote.Authority

	keys      *vault.Keys
	reception reception
	counter   counter
	pairings  *pairings.Index
	replay    *replay.Replayer
	ledger    *Ledger
	seal      *seal.Seal
	mail      sender // nil: there is none
	mailings  mailings
	texts     courier.Texts
	folder    string
	backups   string // the folder of backups; empty: nobody says
	zap       *zap.Logger
	phones    net.Listener
	handler   http.Handler
	snapshots shelf
	marked    map[string]domain.Position // up to where each snapshot on disk goes
}

// Open opens the home that the settings name, and makes it at the first start.
// Run has to be called for anything to happen in it; Close after that.
func Open(ctx context.Context, o Options) (*Home, error) {
	h := &Home{folder: o.Settings.Home, backups: o.Settings.Backup.Folder, zap: o.Log}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := h.open(ctx, o); err != nil {
		return nil, errors.Join(err, h.Close(ctx))
	}
	return h, nil
}

func (h *Home) open(ctx context.Context, o Options) error {
	set := o.Settings
	if err := os.MkdirAll(h.folder, 0o700); err != nil {
		return fmt.Errorf("make the home: %w", err)
	}
	if err := Whole(h.folder); err != nil {
		return err
	}
	_ = clearExports(h.folder) // what cannot be removed, another program is making now
	var err error
	if h.Log, err = OpenLog(ctx, set.Log, h.zap); err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	if err := vaultThere(ctx, set.Vault, h.Log); err != nil {
		return fmt.Errorf("open the vault: %w", err)
	}
	keys, err := masterKey(ctx, set.Vault)
	if err != nil {
		return fmt.Errorf("read the master key: %w", err)
	}
	h.keys = keys
	sealed := vaultOptions(set.Vault)
	if sealed.Demo, err = IsDemo(ctx, h.Log); err != nil {
		return err
	}
	if h.Vault, err = vault.Open(ctx, set.Vault.URL, keys, sealed); err != nil {
		return fmt.Errorf("open the vault: %w", err)
	}
	if h.Station, err = stationID(h.folder, set.Kiosk.Station); err != nil {
		return err
	}
	if err := h.decideDemo(ctx, o); err != nil {
		return err
	}
	h.snapshots = newShelf(filepath.Join(h.folder, snapshotFolder), keys, true)
	if err := h.project(ctx, o.Now, set.Policy.WrongCodesInARow); err != nil {
		return err
	}
	h.replay, h.ledger = NewReplayer(h.Log, set, keys, h.zap), NewLedger(h.Log, set, keys, o.Now, h.zap)
	h.texts = textsOf(set)
	channels, err := h.couriers(set)
	if err != nil {
		return err
	}
	h.mail = channels[enrolment.ByMail]
	if err := h.openSeal(o); err != nil {
		return err
	}
	hasher, err := newHasher(set.Password, keys)
	if err != nil {
		return err
	}
	public, problem, err := h.listen(ctx, set.Pocket, o.Phones)
	if err != nil {
		return err
	}
	h.Desk = desk.New(h.deskConfig(o, keys, hasher, channels, public, problem))
	if h.phones != nil {
		if h.handler, err = pocket.NewHandler(pocket.Config{
			PublicURL: public, Portal: set.Organisation.Portal, PocketName: set.Organisation.PocketName,
			Support: set.Organisation.Support, Languages: set.Organisation.Languages, Desk: h.Desk, Log: h.zap,
			TrustedProxies: prefixes(set.Pocket.TrustedProxies),
		}); err != nil {
			return fmt.Errorf("serve phones: %w", err)
		}
	}
	if err := h.openCounter(ctx, o, keys); err != nil {
		return err
	}
	return h.receive(ctx, o, keys)
}

// OpenLog opens the log that the settings name. A server that is lost, or back
// again, is told to the program's own log.
func OpenLog(ctx context.Context, set settings.Log, log *zap.Logger) (store.Log, error) {
	return store.Open(ctx, set.URL, store.Options{
		MaxAge: map[string]time.Duration{domain.LoginPrefix: set.KeepLogins, store.ProbePrefix: 24 * time.Hour},
		User:   set.User, Password: set.Password.Reveal(), CAFile: set.CAFile, CertFile: set.CertFile, KeyFile: set.KeyFile,
		Prefix: set.Prefix,
		Report: func(err error) {
			if err != nil {
				log.Warn("the log's server is lost", zap.Error(err))
			} else {
				log.Info("the log's server is back")
			}
		},
	})
}

func vaultOptions(set settings.Vault) vault.Options {
	return vault.Options{User: set.User, Password: set.Password.Reveal(), CAFile: set.CAFile}
}

// ReadKeys reads the master key, and makes none.
func ReadKeys(set settings.Vault) (*vault.Keys, error) {
	if set.Credential {
		return vault.KeysFromCredential(filepath.Base(set.MasterKey))
	}
	return vault.KeysFromFile(set.MasterKey)
}

// ErrNoKey says that there is no master key where the settings say that it is.
var ErrNoKey = errors.New("there is no master key")

// noKey says so of a key that is needed, and not there.
func noKey(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	return err
}

// masterKey reads the master key, and makes one where there is no vault yet. A
// vault is only ever made after its key: where it is there and the key is not,
// the key was lost, and a new one would hide that.
func masterKey(ctx context.Context, set settings.Vault) (*vault.Keys, error) {
	keys, err := ReadKeys(set)
	if set.Credential || !errors.Is(err, os.ErrNotExist) {
		return keys, err
	}
	there, err := vault.Exists(ctx, set.URL, vaultOptions(set))
	switch {
	case err != nil:
		return nil, err
	case there:
		return nil, fmt.Errorf("%w: %s is gone, and the vault is there", vault.ErrKeyFile, set.MasterKey)
	}
	return vault.LoadOrCreateKeys(set.MasterKey)
}

// ErrVaultGone says that the log names people, and that there is no vault that knows them.
var ErrVaultGone = errors.New("the log names people, and there is no vault")

// vaultThere sees that a vault is made only for a log that names nobody yet: an empty one
// beside any other would hide that the one which belongs there was lost.
func vaultThere(ctx context.Context, set settings.Vault, log store.Log) error {
	there, err := vault.Exists(ctx, set.URL, vaultOptions(set))
	if err != nil || there {
		return err
	}
	first, err := firstEvent(ctx, log, domain.Query{Prefix: domain.EnrolmentPrefix})
	if err == nil && first != nil {
		err = fmt.Errorf("%w at %s", ErrVaultGone, set.URL)
	}
	return err
}

// policyOf returns the rules that the settings make.
func policyOf(set settings.Settings) enrolment.Policy {
	policy := set.Policy
	if set.Organisation.Admission == enrolment.ByInvitation {
		policy.Tickets = enrolment.TicketAlways
	}
	return policy
}

// NewLooks returns what records looks at people, for whoever has opened the log alone:
// neither the master key nor the vault is needed. The log has to be one that can be
// written, and is what is read: of a copy, the copy.
func NewLooks(log store.Log, set settings.Settings) (*desk.Looks, error) {
	station, err := stationID(set.Home, set.Kiosk.Station)
	if err != nil {
		return nil, err
	}
	return desk.NewLooks(log, station, policyOf(set), time.Now), nil
}

func (h *Home) deskConfig(o Options, keys *vault.Keys, hasher *password.Hasher, channels couriers, public, problem string) desk.Config {
	set := o.Settings
	domains := set.Organisation.Domains
	if h.Demo {
		domains = append([]string{DemoDomain}, domains...)
	}
	report := func(incident string, err error) {
		h.zap.Error("fault", zap.String("incident", incident), zap.Error(err))
	}
	var copies desk.Copies
	if h.Outbox != nil {
		copies = h.Outbox
	}
	sealed, exports := h.sealing(o, keys)
	return desk.Config{
		Copies: copies,
		Log:    h.Log, Feed: h.Feed, Logins: h.logins, Pairings: h.pairings, Cases: h.cases, People: people{h.Vault}, Limits: limits{h.Vault}, Sends: h.Vault,
		Courier: channels, Keys: keys, Hasher: hasher,
		Rules: password.Policy(set.Password.Policy), Policy: policyOf(set),
		Organisation: set.Organisation.Name, Portal: set.Organisation.Portal,
		Domains: domains, Admission: set.Organisation.Admission, Station: h.Station,
		PublicURL: public, PocketProblem: problem,
		Languages: append([]string{set.Organisation.DefaultLanguage}, set.Organisation.Languages...),
		VisitMax:  set.Kiosk.VisitMax, ShiftIdle: set.Helpdesk.Lock, ShiftMax: set.Helpdesk.Shift, AnswerFloor: 40 * time.Millisecond, Alarm: set.Organisation.Alarm, Demo: h.Demo,
		Standings: standings{h.Board, h.Feed},
		Directory: desk.NewDirectory(desk.DirectoryConfig{
			Log: h.Log, Vault: people{h.Vault}, Policy: set.Policy, Now: o.Now,
			Report: func(err error) { report("directory", err) },
		}),
		Stations: newLogbook(h.Log, o.Now),
		Replays:  &replays{Replayer: h.replay, factors: h.Factors, board: h.Board}, Index: h.ledger, Seals: sealed, Bundles: exports,
		NormalEmail: vault.NormalEmail, Now: o.Now, Report: report,
	}
}

// Run keeps the projections up to date, sends what is to be sent, and serves
// phones and stations, until ctx ends. When one of them cannot be served any
// more, it stops all.
func (h *Home) Run(ctx context.Context) error {
	// Stations wait for what is under way, which needs the parts around them.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	around, end := context.WithCancel(context.WithoutCancel(ctx))
	var parts, services sync.WaitGroup
	var phones, stations, api error
	parts.Go(func() { _ = h.Feed.Run(around) }) // ends with its context only; what fails until then is in its Health
	parts.Go(func() { _ = h.logins.Run(around) })
	parts.Go(func() { _ = h.cases.feed.Run(around) })
	parts.Go(func() { h.Desk.Run(around) })
	parts.Go(func() { h.keepErased(ctx) })
	parts.Go(func() {
		if n, err := h.Desk.Tidy(ctx); err != nil && ctx.Err() == nil {
			h.zap.Warn("tidy the vault", zap.Error(err))
		} else if n > 0 {
			h.zap.Info("tidied the vault", zap.Int("values", n))
		}
	})
	parts.Go(func() { h.keepSnapshots(ctx) })
	parts.Go(func() { _ = h.seal.Run(around) }) // ends with its context only; what fails until then is in its Status
	parts.Go(func() { h.mailCheckpoints(ctx) })
	if h.reception.listener != nil { // staff on other machines search here
		defer h.Desk.Directory.Hold(around)()
	}
	if h.phones != nil {
		services.Go(func() {
			phones = pocket.Serve(ctx, h.phones, h.handler)
			stop()
		})
	}
	if h.reception.listener != nil {
		services.Go(func() {
			stations = h.reception.run(ctx)
			stop()
		})
	}
	if h.counter.listener != nil {
		services.Go(func() {
			api = h.answer(ctx)
			stop()
		})
	}
	<-ctx.Done()
	services.Wait()
	end()
	parts.Wait()
	return errors.Join(phones, stations, api)
}

// FollowCases keeps the cases up to date that staff have open, for a program that does
// one thing and leaves, in the place of Run, until stop is called. It returns when all
// are known that the log holds now.
func (h *Home) FollowCases(ctx context.Context) (stop func(), err error) {
	if err := h.cases.feed.CatchUp(ctx); err != nil {
		return nil, fmt.Errorf("read the cases: %w", err)
	}
	return follow(ctx, h.cases.feed), nil
}

// awayFor is for how long the log may be silent before it counts as away.
const awayFor = 10 * time.Second

// Trouble says whether the log is away: nobody could enrol now.
func (h *Home) Trouble() bool {
	health := h.Feed.Health()
	return health.CaughtUp && health.Behind > awayFor
}

// Close closes the files, after a last snapshot. Run must have ended.
func (h *Home) Close(ctx context.Context) error {
	var errs []error
	if h.Factors != nil {
		errs = append(errs, h.saveSnapshots(ctx))
	}
	if h.replay != nil {
		h.replay.Wait()
	}
	if h.phones != nil {
		if err := h.phones.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for _, l := range []net.Listener{h.reception.listener, h.counter.listener} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if h.seal != nil {
		errs = append(errs, h.seal.Close())
	}
	if h.Vault != nil {
		errs = append(errs, h.Vault.Close())
	}
	if h.Log != nil {
		errs = append(errs, h.Log.Close())
	}
	return errors.Join(errs...)
}

// stationID returns the id in the settings, or the one that was made at the
// first start and is kept in the home.
func stationID(folder, set string) (string, error) {
	if set != "" {
		return set, nil
	}
	file := filepath.Join(folder, "station")
	for {
		b, err := os.ReadFile(file) //nolint:gosec // the home is the operator's to choose
		switch id := strings.TrimSpace(string(b)); {
		case err == nil && id != "":
			return id, nil
		case err == nil:
			return "", fmt.Errorf("read the station's id: %s is empty: write the id into it, or remove it to have a new one", file)
		case !errors.Is(err, os.ErrNotExist):
			return "", fmt.Errorf("read the station's id: %w", err)
		}
		id := "station-" + strings.ToLower(rand.Text()[:6])
		f, err := os.CreateTemp(folder, ".station-*")
		if err != nil {
			return "", fmt.Errorf("keep the station's id: %w", err)
		}
		_, err = f.WriteString(id + "\n")
		if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
			err = os.Link(f.Name(), file) // the first of two processes wins
		}
		_ = os.Remove(f.Name())
		if err != nil && !errors.Is(err, os.ErrExist) {
			return "", fmt.Errorf("keep the station's id: %w", err)
		}
	}
}

// decideDemo finds out whether this home is a demo. Its first event says so,
// or it is none: no lost settings file and no flag can turn a real home into
// one that shows its codes.
func (h *Home) decideDemo(ctx context.Context, o Options) error {
	first, err := firstEvent(ctx, h.Log, domain.Query{})
	if err != nil {
		return err
	}
	if first == nil && o.Settings.Demo {
		m, err := station.Message(station.StationOpened{Version: o.Version, Demo: true}, domain.Stamp{
			Command: domain.CommandID(uuid.New()), Correlation: domain.EventID(uuid.New()),
			Actor:   domain.Actor{Kind: domain.ActorStation, ID: h.Station, Role: domain.RoleUnattended},
			Station: h.Station, Policy: o.Settings.Policy.Version(), At: o.Now().UTC(),
		})
		if err != nil {
			return err
		}
		if _, err := h.Log.Append(ctx, station.Stream(h.Station), domain.NoStream, m); err != nil && !errors.Is(err, domain.ErrConflict) {
			return fmt.Errorf("begin the demo: %w", err)
		}
		if first, err = firstEvent(ctx, h.Log, domain.Query{}); err != nil {
			return err
		}
	}
	if h.Demo, err = beginsDemo(first); err != nil {
		return err
	}
	if o.Settings.Demo && !h.Demo {
		return ErrNotADemo
	}
	return nil
}

// IsDemo says whether a log is a demo's.
func IsDemo(ctx context.Context, log store.Log) (bool, error) {
	first, err := firstEvent(ctx, log, domain.Query{})
	if err != nil {
		return false, err
	}
	return beginsDemo(first)
}

func beginsDemo(first *domain.Recorded) (bool, error) {
	if first == nil || first.Type != "StationOpened" {
		return false, nil
	}
	e, err := station.Decode(first.Type, first.Data)
	if err != nil {
		return false, err
	}
	opened, ok := e.(station.StationOpened)
	return ok && opened.Demo, nil
}

// firstEvent returns the first event of a log that a query is for, nil while there is none.
func firstEvent(ctx context.Context, log store.Log, q domain.Query) (*domain.Recorded, error) {
	var first *domain.Recorded
	enough := errors.New("enough")
	err := log.ReadAll(ctx, q, func(b domain.Batch) error {
		for _, e := range b.Events {
			e.Data = append([]byte(nil), e.Data...)
			first = &e
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, fmt.Errorf("read the first event: %w", err)
	}
	return first, nil
}

// newHasher makes the password hasher, with a pepper from each master key: a
// password that was hashed before the newest key came works on.
func newHasher(set settings.Password, keys *vault.Keys) (*password.Hasher, error) {
	h, err := password.NewHasher(password.Options{Peppers: peppers(keys), AtOnce: set.Concurrent, Queue: set.Queue})
	if err != nil {
		return nil, fmt.Errorf("make the password hasher: %w", err)
	}
	return h, nil
}

// peppers are made of the master keys, one of each.
func peppers(keys *vault.Keys) password.Peppers {
	const short = 8 // a PHC string has room for so many characters of an id
	all := password.Peppers{Current: keys.ID()[:short], Keys: map[string][]byte{}}
	for _, id := range keys.IDs() {
		key, err := keys.DeriveWith(id, "pepper")
		if err != nil {
			panic(err) // the ring holds what it says it holds
		}
		all.Keys[id[:short]] = key[:]
	}
	return all
}

// prefixes reads networks that the settings have checked.
func prefixes(networks []string) []netip.Prefix {
	var all []netip.Prefix
	for _, n := range networks {
		all = append(all, netip.MustParsePrefix(n))
	}
	return all
}

// listen opens the door for phones. Where no public https address is set only
// a demo has one, on this machine: no real phone could reach it.
func (h *Home) listen(ctx context.Context, set settings.Pocket, wanted bool) (public, problem string, err error) {
	if set.PublicURL != "" {
		if public, err = pairing.CheckPublicURL(set.PublicURL); err != nil {
			return "", "", fmt.Errorf("listen for phones: %w", err)
		}
	}
	switch {
	case !wanted:
		return public, "", nil
	case public == "" && !h.Demo:
		return "", "no-public-url", nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", set.Listen)
	if public != "" && errors.Is(err, syscall.EADDRINUSE) {
		// Another program on this home serves phones already, and can take each
		// step of a pairing that is offered here.
		h.zap.Info("phones are served by another program", zap.String("listen", set.Listen))
		return public, "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("listen for phones: %w", err)
	}
	h.phones = l
	if set.TLSCert != "" {
		if h.phones, err = pocket.ListenTLS(l, set.TLSCert, set.TLSKey); err != nil {
			return "", "", fmt.Errorf("listen for phones: %w", errors.Join(err, l.Close()))
		}
	}
	if public != "" {
		return public, "", nil
	}
	return "http://" + l.Addr().String(), "", nil
}
