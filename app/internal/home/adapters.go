package home

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/stations"
)

// people is the vault as desk wants it: the same values under its own kinds.
type people struct{ *vault.Vault }

func (p people) Everybody(ctx context.Context, yield func(domain.SubjectID) bool) error {
	return p.Emails(ctx, func(s domain.SubjectID, _ [32]byte) bool { return yield(s) })
}

func (p people) Put(ctx context.Context, s domain.SubjectID, values ...desk.Value) ([]domain.Ref, error) {
	all := make([]vault.Value, len(values))
	for i, v := range values {
		all[i] = vault.Value{Kind: vault.Kind(v.Kind), Value: v.Value}
	}
	return p.PutAll(ctx, s, all...)
}

func (p people) Get(ctx context.Context, s domain.SubjectID, k desk.Kind, r domain.Ref) ([]byte, error) {
	return p.Vault.Get(ctx, s, vault.Kind(k), r)
}

// Check implements desk.People.
func (p people) Check(ctx context.Context, s domain.SubjectID, r domain.Ref) error {
	err := p.Vault.Check(ctx, s, r)
	if errors.Is(err, vault.ErrTampered) || errors.Is(err, vault.ErrCommitment) {
		err = fmt.Errorf("%w: %w", desk.ErrDiffers, err)
	}
	return err
}

// GetMany implements desk.Opener.
func (p people) GetMany(ctx context.Context, wanted ...desk.Wanted) ([]desk.Opened, error) {
	all := make([]vault.Wanted, len(wanted))
	for i, w := range wanted {
		all[i] = vault.Wanted{Subject: w.Subject, Kind: vault.Kind(w.Kind), Ref: w.Ref}
	}
	opened, err := p.Vault.GetMany(ctx, all...)
	out := make([]desk.Opened, len(opened))
	for i, o := range opened {
		out[i] = desk.Opened(o)
	}
	return out, err
}

// standings are where everybody stands, and the feed that keeps it so.
type standings struct {
	*progress.Board
	feed *feed.Feed
}

func (s standings) WatchAll() (changed <-chan struct{}, stop func()) { return s.feed.WatchAll() }
func (s standings) Health() feed.Health                              { return s.feed.Health() }

// A logbook is what every station did, read when somebody asks.
type logbook struct {
	*stations.Logbook
	feed *feed.Feed
}

func newLogbook(log feed.Log, now func() time.Time) logbook {
	l := stations.NewLogbook()
	return logbook{l, feed.Over(domain.StationPrefix, log, now, l)}
}

// CatchUp implements desk.Stations.
func (l logbook) CatchUp(ctx context.Context) error { return l.feed.CatchUp(ctx) }

// limits are the vault's counters as desk wants them.
type limits struct{ *vault.Vault }

func (l limits) Take(ctx context.Context, now time.Time, ls ...desk.Limit) (time.Time, bool, error) {
	taken, err := l.Vault.Take(ctx, now, vaultLimits(ls)...)
	if limited, ok := errors.AsType[*vault.Limited](err); ok {
		return limited.RetryAt, false, nil
	}
	return taken.Next, true, err
}

func (l limits) Clear(ctx context.Context, ls ...desk.Limit) error {
	return l.Vault.Clear(ctx, vaultLimits(ls)...)
}

func (l limits) Count(ctx context.Context, now time.Time, limit desk.Limit) (int, error) {
	return l.Vault.Count(ctx, now, vaultLimits([]desk.Limit{limit})[0])
}

func vaultLimits(ls []desk.Limit) []vault.Limit {
	out := make([]vault.Limit, len(ls))
	for i, l := range ls {
		out[i] = vault.Limit{Name: l.Name, Key: l.Key, Window: l.Window, Max: l.Max, Wait: l.Waits}
	}
	return out
}
