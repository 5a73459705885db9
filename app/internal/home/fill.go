package home

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/keydesk/keydesk/app/internal/demo"
	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
)

// ErrNotEmpty says that a history was asked for in a home where there are people.
var ErrNotEmpty = errors.New("there are people in this home already: choose another folder with --home")

// ErrEmbedded says that a history was asked for in a log or a vault that is no file.
var ErrEmbedded = errors.New("a demo stays on its machine: its log and its vault are files")

// FillDemo fills a home with a history. The home is made, and made a demo, or was a demo
// before that nobody is in; any other is refused, with ErrNotADemo or ErrNotEmpty, and
// left alone. Nothing else may use it meanwhile.
//
// In a new home the log depends on nothing but c. One that was a demo before has a
// master key of its own, whose id stands in events; all else is the same there too.
//
// After an error, the home holds a part of the history and is filled no more.
func FillDemo(ctx context.Context, o Options, c demo.Config, tell func(demo.Progress)) (done demo.Result, err error) {
	set := o.Settings
	if err := c.Check(); err != nil {
		return done, err
	}
	if err := os.MkdirAll(set.Home, 0o700); err != nil {
		return done, fmt.Errorf("make the home: %w", err)
	}
	opened, err := OpenLog(ctx, set.Log, o.Log)
	if err != nil {
		return done, fmt.Errorf("open the log: %w", err)
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	log, file := opened.(*store.SQLite)
	if !file || !strings.HasPrefix(set.Vault.URL, "sqlite:") {
		return done, ErrEmbedded
	}
	if c.There, err = emptyDemo(ctx, log); err != nil {
		return done, err
	}
	keys, err := demoKeys(ctx, o, c, len(c.There) == 0)
	if err != nil {
		return done, fmt.Errorf("read the master key: %w", err)
	}
	v, err := vault.Open(ctx, set.Vault.URL, keys, vault.Options{Demo: true})
	if err != nil {
		return done, fmt.Errorf("open the vault: %w", err)
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if err := v.Emails(ctx, func(domain.SubjectID, [32]byte) bool { err = ErrNotEmpty; return false }); err != nil {
		return done, err
	}
	if err != nil {
		return done, err
	}
	c.Version, c.Policy, c.Keys = o.Version, set.Policy, keys
	if c.Credentials, err = demoCredentials(ctx, keys, c.Seed); err != nil {
		return done, err
	}
	return demo.Write(ctx, c, house{log, v}, tell)
}

// emptyDemo says which streams a log holds, and refuses one that is no demo's, or
// somebody's.
func emptyDemo(ctx context.Context, log store.Log) (map[string]domain.Revision, error) {
	first, err := firstEvent(ctx, log, domain.Query{})
	if err != nil || first == nil {
		return nil, err
	}
	if is, err := beginsDemo(first); err != nil || !is {
		return nil, errors.Join(err, ErrNotADemo)
	}
	there := map[string]domain.Revision{}
	err = log.ReadAll(ctx, domain.Query{}, func(b domain.Batch) error {
		for _, e := range b.Events {
			if !strings.HasPrefix(e.Stream, domain.StationPrefix) && e.Stream != domain.ServiceStream && !strings.HasPrefix(e.Stream, store.ProbePrefix) {
				return ErrNotEmpty
			}
			there[strings.Clone(e.Stream)] = e.Revision + 1
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look who is there: %w", err)
	}
	return there, nil
}

// demoKeys makes the master key of a new demo, from the seed, or reads that of an old
// one. A key that is there before there is a log, or a vault, may be a real one: it is
// left alone.
func demoKeys(ctx context.Context, o Options, c demo.Config, fresh bool) (*vault.Keys, error) {
	set := o.Settings.Vault
	if !fresh {
		return masterKey(ctx, set)
	}
	there, err := vault.Exists(ctx, set.URL, vaultOptions(set))
	switch {
	case err != nil:
		return nil, err
	case there, set.Credential:
		return nil, ErrNotADemo
	}
	keys, err := vault.CreateDemoKeys(set.MasterKey, binary.BigEndian.AppendUint64(nil, c.Seed))
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w: %w", ErrNotADemo, err)
	}
	return keys, err
}

// demoCredentials hashes the passwords of a demo, once for everybody: with salts that
// come from the seed, since what events say of a hash depends on all of it.
func demoCredentials(ctx context.Context, keys *vault.Keys, seed uint64) (c demo.Credentials, err error) {
	for i, one := range []struct {
		to     *demo.Credential
		text   string
		params password.Params
	}{
		{&c.Now, demo.Password, password.DefaultParams()},
		{&c.Old, demo.Password, password.Params{Memory: 19 << 10, Time: 2, Threads: 1}},
		{&c.Earlier, demo.EarlierPassword, password.DefaultParams()},
	} {
		h, err := password.NewHasher(password.Options{Peppers: peppers(keys), Params: one.params, Salts: demo.Salts(seed, i)})
		if err != nil {
			return c, fmt.Errorf("hash the demo's password: %w", err)
		}
		phc, err := h.Hash(ctx, one.text)
		if err != nil {
			return c, fmt.Errorf("hash the demo's password: %w", err)
		}
		parsed, err := password.ParsePHC(phc)
		if err != nil {
			return c, err
		}
		*one.to = demo.Credential{PHC: phc, Parameters: fmt.Sprintf("m=%d,t=%d,p=%d", parsed.Memory, parsed.Time, parsed.Threads), Pepper: parsed.Pepper}
	}
	return c, nil
}

// house is the log and the vault as a history wants them.
type house struct {
	log   *store.SQLite
	vault *vault.Vault
}

// Keep implements demo.House.
func (h house) Keep(ctx context.Context, people []demo.Filling) error {
	all := make([]vault.Filling, len(people))
	for i, p := range people {
		all[i] = vault.Filling{Subject: p.Subject, Email: p.Email, Values: make([]vault.FilledValue, len(p.Values))}
		for j, v := range p.Values {
			all[i].Values[j] = vault.FilledValue{Kind: vault.Kind(v.Kind), Value: v.Value, Ref: v.Ref, Version: v.Version, Salt: v.Salt, Put: v.Put}
		}
	}
	return h.vault.Fill(ctx, all...)
}

// Record implements demo.House.
func (h house) Record(ctx context.Context, events []domain.Recorded) error {
	return h.log.ImportAll(ctx, events)
}

// askedWithin is how far back, in positions, the login is looked for that waits for a
// phone.
const askedWithin = 5000

// MadeUpPhone returns the phone of a made-up history that was asked to approve a login
// last, so that a demo's phone can be any of them; nil when none was. Whether it still
// counts, and still waits, the service tells.
func (h *Home) MadeUpPhone(ctx context.Context) (*pocket.Phone, error) {
	if !h.Demo {
		return nil, ErrNotADemo
	}
	head, err := h.Log.Head(ctx)
	if err != nil {
		return nil, err
	}
	var account pairing.Account
	query := domain.Query{After: head - min(head, askedWithin), Prefix: domain.LoginPrefix, Types: []string{"LoginChallenged"}}
	err = h.Log.ReadAll(ctx, query, func(b domain.Batch) error {
		for _, r := range b.Events {
			e, err := login.Decode(r.Type, r.Data)
			if err != nil {
				return err
			}
			if asked, ok := e.(login.LoginChallenged); ok && asked.Device != "" {
				account = pairing.Account{Subject: strings.Clone(strings.TrimPrefix(r.Stream, domain.LoginPrefix)), Device: string(asked.Device)}
			}
		}
		return nil
	})
	if err != nil || account.Device == "" {
		return nil, err
	}
	key, err := demo.PhoneKey(h.keys, enrolment.DeviceID(account.Device))
	if err != nil {
		return nil, err
	}
	return pocket.NewPhone(key, h.Desk.PublicURL, account)
}
