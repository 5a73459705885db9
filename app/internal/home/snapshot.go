package home

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/cases"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/pairings"
	"github.com/keydesk/keydesk/projections/progress"
)

// A snapshot is worth its write only after so many positions, and is looked at
// this often.
const (
	snapshotAfter = 20_000
	snapshotEvery = 10 * time.Minute
)

// The files of the snapshots, and their folder in the home.
const (
	snapshotFolder = "snapshots"

	factorFile = "factor"
	boardFile  = "progress"
)

// project makes the projections: each from its snapshot where that fits the
// log, else from the start. lock is the policy's WrongCodesInARow.
func (h *Home) project(ctx context.Context, now func() time.Time, lock int) error {
	h.marked = map[string]domain.Position{}
	h.Factors = load(ctx, h, factorFile, factor.Decode)
	if h.Factors == nil {
		h.Factors = factor.New()
	}
	h.Board = load(ctx, h, boardFile, func(r io.Reader) (*progress.Board, feed.Mark, error) { return progress.Decode(r, lock) })
	if h.Board == nil {
		h.Board = progress.New(lock)
	}
	h.pairings = pairings.New(min(h.Factors.Position(), h.Board.Position()))
	h.Feed = feed.New(h.Log, now, h.Factors, h.Board, h.pairings)
	head, err := h.Log.Head(ctx)
	if err != nil {
		return fmt.Errorf("find the end of the log: %w", err)
	}
	h.logins = feed.Over(domain.LoginPrefix, h.Log, now, onward(head))
	open := cases.New()
	h.erasures = newErasures()
	h.cases = caseBook{open, feed.Over(domain.EnrolmentPrefix, h.Log, now, open, h.erasures).Only(append(cases.Types(), erasedType)...)}
	return nil
}

// A caseBook is the open cases, and how far they are known. They are few, in a log of
// very many events: a feed of their own reads them from the start, and no snapshot keeps
// them.
type caseBook struct {
	*cases.Index
	feed *feed.Feed
}

// Reach implements desk.Cases.
func (b caseBook) Reach(ctx context.Context, p domain.Position) error { return b.feed.Reach(ctx, p) }

// onward is a projection of nothing: a feed with it gives signals of what comes
// behind a position, and reads nothing before it.
type onward domain.Position

func (onward) Apply([]domain.Recorded, domain.Position) {}
func (o onward) Position() domain.Position              { return domain.Position(o) }

// load reads a snapshot and sees that it was folded from this log; nil when
// there is none that fits.
func load[P any](ctx context.Context, h *Home, name string, decode func(io.Reader) (*P, feed.Mark, error)) *P {
	kept, err := h.snapshots.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var p *P
	var mark feed.Mark
	if err == nil {
		defer kept.Close() //nolint:errcheck // only read
		p, mark, err = decode(bufio.NewReaderSize(io.NewSectionReader(kept, 0, kept.Size()), 1<<20))
	}
	if err == nil {
		err = feed.Check(ctx, h.Log, mark)
	}
	if err != nil {
		h.zap.Warn("a snapshot does not fit, replaying from the start", zap.String("snapshot", name), zap.Error(err))
		return nil
	}
	h.marked[name] = mark.Position
	return p
}

func (h *Home) keepSnapshots(ctx context.Context) {
	tick := time.NewTicker(snapshotEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := h.saveSnapshots(ctx); err != nil {
				h.zap.Warn("keep the snapshots", zap.Error(err))
			}
		}
	}
}

// A snapshot is a projection as it was at one moment, to be written.
type snapshot interface {
	Position() domain.Position
	Encode(w io.Writer, last domain.EventID) error
}

// saveSnapshots writes each snapshot when enough has happened since the last
// one. It is on disk, whole, when this returns, or the old one still is.
func (h *Home) saveSnapshots(ctx context.Context) error {
	return errors.Join(
		h.saveSnapshot(ctx, factorFile, h.Factors.Snapshot()),
		h.saveSnapshot(ctx, boardFile, h.Board.Snapshot()))
}

func (h *Home) saveSnapshot(ctx context.Context, name string, s snapshot) (err error) {
	if s.Position() < h.marked[name]+snapshotAfter {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("keep snapshot %s: %w", name, err)
		}
	}()
	id, err := feed.EventAt(ctx, h.Log, s.Position())
	if err != nil {
		return err
	}
	if err := h.snapshots.Keep(name, func(w io.Writer) error { return s.Encode(w, id) }); err != nil {
		return err
	}
	h.marked[name] = s.Position()
	return nil
}
