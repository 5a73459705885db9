package home

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
)

// Whom the log says was erased, the vault has to forget: at every start, since a backup
// may have been put back, or a program killed between the two; and whenever another
// program on the same log says so and is killed before it is done.

const erasedType = "PersonErased"

// erasures is a projection of whom the log says was erased, and the vault may not have
// forgotten yet.
type erasures struct {
	mu      sync.Mutex
	left    []domain.SubjectID
	through domain.Position
	more    chan struct{} // gets something when there are more
}

func newErasures() *erasures { return &erasures{more: make(chan struct{}, 1)} }

// Position returns how far the log was applied.
func (e *erasures) Position() domain.Position {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.through
}

// Apply notes who was erased.
func (e *erasures) Apply(events []domain.Recorded, through domain.Position) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range events {
		r := &events[i]
		if s, ok := domain.SubjectOfStream(r.Stream); ok && r.Type == erasedType && r.Position > e.through {
			e.left = append(e.left, s)
		}
	}
	if e.through = max(e.through, through); len(e.left) > 0 {
		select {
		case e.more <- struct{}{}:
		default: // has not looked since the last time
		}
	}
}

// take returns who is left, and forgets them.
func (e *erasures) take() []domain.SubjectID {
	e.mu.Lock()
	defer e.mu.Unlock()
	left := e.left
	e.left = nil
	return left
}

// put gives back who could not be seen to.
func (e *erasures) put(left []domain.SubjectID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.left = append(left, e.left...)
}

const (
	// eraseAgainAfter is how long the vault is let alone after it could not forget somebody.
	eraseAgainAfter = 5 * time.Second
	// eraseOthersAfter is how long whoever records an erasure has to carry it out, before
	// others do.
	eraseOthersAfter = 2 * time.Second
)

// keepErased has the vault forget whom the log says was erased, until ctx ends. All from
// before the start are seen to at once.
func (h *Home) keepErased(ctx context.Context) {
	select {
	case <-h.cases.feed.CaughtUp():
	case <-ctx.Done():
		return
	}
	for {
		var again <-chan time.Time
		if err := h.eraseLeft(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			h.zap.Error("the log says that somebody was erased, and the vault could not do it; it is tried again", zap.Error(err))
			again = time.After(eraseAgainAfter)
		}
		select {
		case <-again:
			continue
		case <-h.erasures.more:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(eraseOthersAfter):
		case <-ctx.Done():
			return
		}
	}
}

// eraseLeft has the vault forget whoever is left, and take up what was broken off.
func (h *Home) eraseLeft(ctx context.Context) error {
	_, roles, owed := h.eraseOwed(ctx)
	if len(roles) > 0 {
		h.zap.Error("people who were erased after the backup was made hold a role, and are not erased again", zap.Stringers("people", roles))
	}
	left := h.erasures.take() // whatever became of those: a list that cannot be read keeps nobody else
	known, err := h.eraseKnown(ctx, left)
	if err != nil {
		h.erasures.put(left)
		return errors.Join(owed, err)
	}
	h.NoteErased(ctx, left...)
	if known > 0 {
		h.zap.Info("the vault has forgotten whom the log says was erased", zap.Int("people", known))
	}
	return owed
}

// eraseKnown has the vault forget those whom it knows, and says how many these were.
func (h *Home) eraseKnown(ctx context.Context, all []domain.SubjectID) (known int, err error) {
	var still []domain.SubjectID
	for _, s := range all {
		erased, err := h.Vault.Erased(ctx, s)
		if err != nil {
			return 0, err
		}
		if !erased {
			still = append(still, s)
		}
	}
	return len(still), h.Desk.Erase(ctx, still...)
}

// owedFolder holds, in a home in which a backup was put back, who was erased after that
// was made, until they are erased again. It is a list as beside backups, but for that the
// home is trusted: lines that are not authenticated are of an older program.
const owedFolder = "restored"

// eraseOwed erases whom a backup that was put back brought back, also after a program was
// killed in between, and returns how many these were. Whoever holds a role now cannot be
// erased: that is told, and tried no more. Who cannot be erased yet keeps no others.
func (h *Home) eraseOwed(ctx context.Context) (erased int, roles []domain.SubjectID, err error) {
	owed := filepath.Join(h.folder, owedFolder)
	list, err := backup.ReadErased(owed, h.keys)
	if err != nil || !list.There {
		return 0, nil, err
	}
	var failed error // the first time
	for _, s := range slices.Concat(list.People, list.Unproved) {
		switch err := h.eraseSince(ctx, s); {
		case errors.Is(err, errNotThere), refused(err, desk.Erased):
		case refused(err, desk.HoldsRole):
			roles = append(roles, s)
		case ctx.Err() != nil:
			return erased, roles, context.Cause(ctx)
		case err != nil && failed == nil:
			failed = fmt.Errorf("erase who was erased since: %w", err)
		case err == nil:
			erased++
		}
	}
	if failed != nil {
		return erased, roles, failed
	}
	return erased, roles, os.RemoveAll(owed)
}

// EraseAgain has the vault forget whom the log says was erased, for a program that does
// one thing and leaves, such as one that puts a backup back. It says how many people the
// vault still knew.
func (h *Home) EraseAgain(ctx context.Context) (int, error) {
	all, _, err := erasedIn(ctx, h.Log)
	if err != nil {
		return 0, err
	}
	return h.eraseKnown(ctx, all)
}
