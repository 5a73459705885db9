package home

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // the zones that windows name, on a machine that has none

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/replay"
)

// replays is the replayer as desk wants it, with the folds that serve now.
type replays struct {
	*replay.Replayer
	factors *factor.Map
	board   *progress.Board

	mu       sync.Mutex
	at       [2]domain.Position // of the folds, when standing was counted
	counted  bool
	standing replay.Standing
}

// Seek implements desk.Replays.
func (r *replays) Seek(ctx context.Context, p domain.Position) (desk.Replayed, error) {
	s, err := r.Replayer.Seek(ctx, p)
	if err != nil {
		return desk.Replayed{}, err
	}
	return desk.Replayed{Position: s.Position, At: s.At, Events: s.Events, Standing: s.Standing()}, nil
}

// Now implements desk.Replays. Everybody is counted again only when something happened.
func (r *replays) Now(ctx context.Context) (desk.Replayed, error) {
	line, err := r.Line(ctx)
	if err != nil {
		return desk.Replayed{}, err
	}
	now := desk.Replayed{Events: line.Events()}
	if last, _, ok := line.Of(math.MaxUint64); ok {
		now.Position, now.At = last.Last, last.Latest
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := [2]domain.Position{r.factors.Position(), r.board.Position()}; !r.counted || r.at != at {
		r.standing = replay.State{Factors: r.factors.Snapshot(), Board: r.board.Snapshot()}.Standing()
		r.at, r.counted = at, true
	}
	now.Standing = r.standing
	return now, nil
}

// seals is the seal as desk wants it.
type seals struct {
	*seal.Seal
	log    store.Log
	verify func(ctx context.Context, progress func(done, total int64)) (seal.Report, error)

	mu   sync.Mutex
	note string                // of the last checkpoint, when days were read
	days []desk.CheckpointView // the last of each day, the newest first
}

// sealing returns what desk knows of the seal, and what makes bundles.
func (h *Home) sealing(o Options, keys *vault.Keys) (*seals, *bundles) {
	set := o.Settings
	return &seals{Seal: h.seal, log: h.Log, verify: h.verifySeal(set, keys, o.Now)}, &bundles{
		seal: h.seal, log: h.Log, folder: filepath.Join(h.folder, exportFolder), version: o.Version, name: set.Organisation.Portal, now: o.Now,
	}
}

// Status implements desk.Seals.
func (s *seals) Status(ctx context.Context) (desk.SealView, error) {
	st := s.Seal.Status()
	v := desk.SealView{On: st.Checkpoint.Note != nil, Trouble: trouble(st.Problem)}
	if !v.On {
		return v, nil
	}
	var err error
	v.Checkpoints, err = s.daily(string(st.Checkpoint.Note))
	if errors.Is(err, seal.ErrDamaged) || err == nil && len(v.Checkpoints) == 0 {
		return desk.SealView{Trouble: true}, nil // there is a last one, and what came before it is gone
	}
	if err != nil {
		return v, err
	}
	v.Checkpoint = v.Checkpoints[0]
	v.Size = v.Checkpoint.Size
	if v.Unsealed, v.Waiting, err = s.Unsealed(ctx, desk.MostUnsealed); err != nil {
		return v, err
	}
	for _, w := range st.Witnesses {
		v.Witnesses = append(v.Witnesses, desk.WitnessView{Name: w.Name, URL: w.URL, Size: w.Size, At: w.At, State: desk.WitnessState(w.State)})
	}
	return v, nil
}

// trouble says that nothing is sealed, and nobody else does.
func trouble(problem error) bool {
	return problem != nil && !errors.Is(problem, seal.ErrLocked) && !errors.Is(problem, seal.ErrEmpty) && !errors.Is(problem, seal.ErrNoSeal)
}

// daily returns the last checkpoint of each day, the newest first. They are read again
// when the last one is another, or has got a cosignature.
func (s *seals) daily(note string) ([]desk.CheckpointView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.note == note && len(s.days) > 0 {
		return slices.Clone(s.days), nil
	}
	all, err := s.Daily(desk.MostCheckpoints, time.UTC)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoints: %w", err)
	}
	s.days, s.note = make([]desk.CheckpointView, len(all)), note
	for i, c := range all {
		s.days[i] = viewOf(c)
	}
	return slices.Clone(s.days), nil
}

func viewOf(c seal.Listed) desk.CheckpointView {
	v := desk.CheckpointView{Number: c.Number, Size: c.Size, Root: hex.EncodeToString(c.Root[:]), At: c.At, Note: string(c.Note)}
	for _, w := range c.Witnesses {
		v.Witnesses = append(v.Witnesses, w.Name)
	}
	return v
}

// Leaves implements desk.Seals. What cannot be read of the seal is not sealed: that
// something is wrong with it, it tells itself.
func (s *seals) Leaves(events []domain.Recorded) []desk.Leaf {
	all := make([]desk.Leaf, len(events))
	for i := range events {
		if all[i].Number = -1; events[i].Stream == "" { // it is not there any more: the leaf is
			if n, err := s.LeafOf(events[i].Position); err == nil {
				if hash, _, err := s.Leaf(n); err == nil {
					all[i].Number, all[i].Hash = n, hex.EncodeToString(hash[:])
				}
			}
			continue
		}
		known, err := s.Know(&events[i])
		if err != nil {
			continue
		}
		if all[i].Number, all[i].Altered = known.Leaf, known.Altered; known.Leaf >= 0 {
			all[i].Hash = hex.EncodeToString(known.Hash[:])
		}
	}
	return all
}

// Covering implements desk.Seals.
func (s *seals) Covering(_ context.Context, leaf int64) (desk.CheckpointView, bool, error) {
	c, ok, err := s.Seal.Covering(leaf)
	if err != nil || !ok {
		return desk.CheckpointView{}, false, err
	}
	return viewOf(c), true, nil
}

// Verify implements desk.Seals.
func (s *seals) Verify(ctx context.Context, progress func(done, total int64)) (desk.CheckView, error) {
	r, err := s.verify(ctx, progress)
	if errors.Is(err, seal.ErrNoSeal) {
		return desk.CheckView{}, fmt.Errorf("%w: %w", desk.ErrNotSealed, err)
	}
	if err != nil {
		return desk.CheckView{}, err
	}
	v := desk.CheckView{OK: r.Bad == nil, Events: r.Events, Expired: r.Expired, Begun: r.Before != nil, Anew: !r.Before.Proved()}
	if b := r.Bad; b != nil {
		v.Finding, v.Position, v.Stream, v.Type, v.Witness = string(b.Kind), b.Position, b.Stream, b.Type, b.Witness
	}
	return v, nil
}
