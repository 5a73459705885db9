package home

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// Pruned is what PruneLogins has removed.
type Pruned struct {
	Before time.Time
	Later  time.Duration // so much less is removed than the clock says: see Pruning.TrustClock
	Events int64         // of the log
	Server bool          // the log is a server's, which removes them itself
	Places int64         // of the vault: where somebody logged in from, which only logins name
}

// A Pruning says which logins are too old.
type Pruning struct {
	Now  time.Time
	Keep time.Duration // for how long they are kept
	// TrustClock says that Now is true. Else the clock is only believed as far as the log
	// bears it out: of each silence in it a month counts, and half of Keep at the most. So
	// a clock that was set forward by years does not make all logins too old.
	TrustClock bool
	Progress   func(done, total int64) // may be nil
}

// longestSilence is how much of a silence counts, at the most.
const longestSilence = 31 * 24 * time.Hour

// before returns since when logins are kept, and by how much that is earlier than the clock
// alone says. Of a server it is this machine's clock that counts, and which times the
// server has recorded: its own clock decides what it removes itself.
func (o Pruning) before(ctx context.Context, log any) (at time.Time, later time.Duration, err error) {
	at = o.Now.UTC().Add(-o.Keep).Truncate(time.Second)
	past, ok := log.(interface {
		Ago(ctx context.Context, now time.Time, span, silence time.Duration) (time.Time, error)
	})
	switch {
	case o.TrustClock:
		return at, 0, nil
	case !ok:
		return at, 0, errors.ErrUnsupported
	}
	seen, err := past.Ago(ctx, o.Now, o.Keep, min(longestSilence, o.Keep/2))
	seen = seen.Truncate(time.Second)
	return seen, at.Sub(seen), err
}

// placesLater is for how much longer the vault keeps what a login names, than the log
// keeps the login: clocks differ, and the value was put before the event.
const placesLater = time.Hour

// PruneLogins removes the events of logins that are too old from the log, and what only
// they named from the vault, for good. It is recorded first; where there is
// nothing to remove, nothing is. On a server the log is left alone: its streams of
// logins bear $maxAge, and the server scavenges. What is removed is sealed before, and that
// it is, where that is this machine's work.
//
// When it was broken off, calling it again does the rest.
func (h *Home) PruneLogins(ctx context.Context, o Pruning) (p Pruned, err error) {
	if p.Before, p.Later, err = o.before(ctx, h.Log); err != nil {
		return p, err
	}
	file, ok := h.Log.(*store.SQLite)
	if p.Server = !ok; ok {
		n, err := file.CountAged(ctx, domain.LoginPrefix, p.Before)
		if err == nil {
			err = h.Desk.PruneLogins(ctx, p.Before, n)
		}
		if err != nil && !errors.Is(err, service.ErrNothingToPrune) {
			return p, err
		}
		h.sealBefore(ctx)
		// Also where there are none: an earlier time may have been killed before the
		// file was written anew.
		if p.Events, err = file.Prune(ctx, domain.LoginPrefix, p.Before, o.Progress); err != nil {
			return p, err
		}
	}
	if p.Places, err = h.Vault.Forget(ctx, vault.KindPlace, p.Before.Add(-placesLater)); err != nil {
		return p, fmt.Errorf("the log is pruned, the vault is not: %w", err)
	}
	return p, nil
}

// sealBefore seals what the log holds, before some of it is removed: of what is in no leaf
// nothing would be left, and a pruning that no checkpoint covers allows nothing. Where it
// cannot be sealed, it is removed all the same: it is too old.
func (h *Home) sealBefore(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, sealWithin)
	defer cancel()
	err := h.seal.Now(ctx)
	if err != nil && !errors.Is(err, seal.ErrNotWriter) && !errors.Is(err, seal.ErrEmpty) {
		h.zap.Warn("seal before pruning", zap.Error(err))
	}
}
