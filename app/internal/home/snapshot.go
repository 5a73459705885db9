package home

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
)

// A snapshot is worth its write only after so many positions, and is looked at
// this often.
const (
	snapshotAfter = 20_000
	snapshotEvery = 10 * time.Minute
)

func (h *Home) snapshotFile() string { return filepath.Join(h.folder, "snapshots", "factor") }

// project makes the projections: from the snapshot where one fits the log, else
// from the start.
func (h *Home) project(ctx context.Context, now func() time.Time) {
	m, mark, err := h.loadSnapshot()
	if err == nil {
		err = feed.Check(ctx, h.Log, mark)
	}
	switch {
	case err == nil:
		h.Factors, h.marked = m, mark.Position
	case errors.Is(err, os.ErrNotExist):
		h.Factors = factor.New()
	default:
		h.zap.Warn("the snapshot does not fit, replaying from the start", zap.Error(err))
		h.Factors = factor.New()
	}
	h.Feed = feed.New(h.Log, now, h.Factors)
}

func (h *Home) loadSnapshot() (*factor.Map, factor.Mark, error) {
	f, err := os.Open(h.snapshotFile())
	if err != nil {
		return nil, factor.Mark{}, err
	}
	defer f.Close() //nolint:errcheck // only read
	return factor.Decode(bufio.NewReaderSize(f, 1<<20))
}

func (h *Home) keepSnapshots(ctx context.Context) {
	tick := time.NewTicker(snapshotEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := h.saveSnapshot(ctx); err != nil {
				h.zap.Warn("keep a snapshot", zap.Error(err))
			}
		}
	}
}

// saveSnapshot writes a snapshot when enough has happened since the last one.
// It is on disk, whole, when this returns, or the old one still is.
func (h *Home) saveSnapshot(ctx context.Context) error {
	s := h.Factors.Snapshot()
	if s.Position() < h.marked+snapshotAfter {
		return nil
	}
	id, err := feed.EventAt(ctx, h.Log, s.Position())
	if err != nil {
		return fmt.Errorf("mark the snapshot: %w", err)
	}
	file := h.snapshotFile()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("keep the snapshot: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".factor-*")
	if err != nil {
		return fmt.Errorf("keep the snapshot: %w", err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it was renamed, or failed already
	w := bufio.NewWriterSize(f, 1<<20)
	err = s.Encode(w, id)
	if err = errors.Join(err, w.Flush(), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("keep the snapshot: %w", err)
	}
	h.marked = s.Position()
	return nil
}
