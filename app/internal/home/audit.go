package home

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones that windows name, on a machine that has none

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/store"
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

	mu    sync.Mutex
	read  checkpoints
	until time.Time // when they may be read again
}

// checkpoints is what is kept of all that a seal has.
type checkpoints struct {
	all  []brief
	days []desk.CheckpointView // the last of each day, the oldest first
}

// A brief is as much of a checkpoint as is kept of each.
type brief struct {
	size int64
	root [32]byte
	at   time.Time
}

// Status implements desk.Seals.
func (s *seals) Status(ctx context.Context) (desk.SealView, error) {
	st := s.Seal.Status()
	v := desk.SealView{On: st.Checkpoint.Note != nil, Trouble: trouble(st.Problem)}
	if !v.On {
		return v, nil
	}
	read, err := s.checkpoints(ctx, st.Checkpoint)
	if err != nil {
		return v, err
	}
	n := len(read.all)
	if n == 0 || read.all[n-1].size < st.Checkpoint.Size {
		n++ // it came since
	}
	v.Checkpoint, v.Size = viewOf(n, st.Checkpoint), st.Checkpoint.Size
	if v.Unsealed, err = s.unsealed(ctx); err != nil {
		return v, err
	}
	for _, w := range st.Witnesses {
		v.Witnesses = append(v.Witnesses, desk.WitnessView{Name: w.Name, URL: w.URL, Size: w.Size, At: w.At, State: desk.WitnessState(w.State)})
	}
	v.Checkpoints = newestDays(read.days, v.Checkpoint)
	return v, nil
}

// trouble says that nothing is sealed, and nobody else does.
func trouble(problem error) bool {
	return problem != nil && !errors.Is(problem, seal.ErrLocked) && !errors.Is(problem, seal.ErrEmpty) && !errors.Is(problem, seal.ErrNoSeal)
}

// newestDays returns the last checkpoint of each day, the newest first, with the one that
// is the last now.
func newestDays(days []desk.CheckpointView, last desk.CheckpointView) []desk.CheckpointView {
	all := []desk.CheckpointView{last}
	for i := len(days) - 1; i >= 0 && len(all) < desk.MostCheckpoints; i-- {
		if d := days[i]; day(d.At) != day(last.At) {
			all = append(all, d)
		}
	}
	return all
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func viewOf(number int, c proof.Checkpoint) desk.CheckpointView {
	v := desk.CheckpointView{Number: number, Size: c.Size, Root: hex.EncodeToString(c.Root[:]), At: c.At, Note: string(c.Note)}
	for _, w := range c.Witnesses {
		v.Witnesses = append(v.Witnesses, w.Name)
	}
	return v
}

// readShare is how many times longer than it takes to read all checkpoints they are not
// read again: each is verified, and after years there are very many.
const readShare = 20

// checkpoints returns what is kept of all checkpoints, read again where the last one is
// another than is known, and it is not too soon.
func (s *seals) checkpoints(ctx context.Context, last proof.Checkpoint) (checkpoints, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	began := time.Now()
	if n := len(s.read.all); n > 0 && (s.read.all[n-1].size == last.Size || began.Before(s.until)) {
		return s.read, nil
	}
	var read checkpoints
	err := s.Checkpoints(ctx, func(c proof.Checkpoint) error {
		read.all = append(read.all, brief{c.Size, c.Root, c.At})
		v := viewOf(len(read.all), c)
		if n := len(read.days); n > 0 && day(read.days[n-1].At) == day(c.At) {
			read.days[n-1] = v
		} else {
			read.days = append(read.days, v)
		}
		return nil
	})
	if err != nil {
		return checkpoints{}, err
	}
	ended := time.Now()
	s.read, s.until = read, ended.Add(readShare*ended.Sub(began))
	return read, nil
}

// unsealed counts the events behind the last checkpoint.
func (s *seals) unsealed(ctx context.Context) (n int64, err error) {
	c, ok := s.Checkpoint()
	if !ok || c.Size == 0 {
		return 0, nil
	}
	_, last, err := s.Leaf(c.Size - 1)
	if err != nil {
		return 0, fmt.Errorf("read the last leaf: %w", err)
	}
	enough := errors.New("enough")
	err = s.log.ReadAll(ctx, domain.Query{After: domain.Position(last.Position)}, func(b domain.Batch) error {
		for i := range b.Events {
			if !strings.HasPrefix(b.Events[i].Stream, store.ProbePrefix) {
				n++
			}
		}
		if n >= desk.MostUnsealed {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return 0, fmt.Errorf("count what is not sealed: %w", err)
	}
	return min(n, desk.MostUnsealed), nil
}

// Leaves implements desk.Seals. What cannot be read of the seal is not sealed: that
// something is wrong with it, it tells itself.
func (s *seals) Leaves(events []domain.Recorded) []desk.Leaf {
	all := make([]desk.Leaf, len(events))
	c, ok := s.Checkpoint()
	for i := range events {
		all[i].Number = -1
		if ok {
			s.leaf(&all[i], &events[i], c.Store())
		}
	}
	return all
}

func (s *seals) leaf(l *desk.Leaf, e *domain.Recorded, of string) {
	n, err := s.LeafOf(e.Position)
	if err != nil {
		return
	}
	hash, _, err := s.Leaf(n)
	if err != nil {
		return
	}
	l.Number, l.Hash = n, hex.EncodeToString(hash[:])
	if e.Stream == "" {
		return
	}
	now := proof.Leaf{
		Store: of, Position: uint64(e.Position), Stream: e.Stream, Revision: int64(e.Revision), ID: e.ID.String(), Type: e.Type, Time: e.Recorded,
		Data: sha256.Sum256(e.Data), Metadata: sha256.Sum256(e.Metadata),
	}
	l.Altered = now.Check() != nil || now.Hash() != hash
}

// Covering implements desk.Seals.
func (s *seals) Covering(ctx context.Context, leaf int64) (desk.CheckpointView, bool, error) {
	last, ok := s.Checkpoint()
	if !ok || leaf >= last.Size {
		return desk.CheckpointView{}, false, nil
	}
	read, err := s.checkpoints(ctx, last)
	if err != nil {
		return desk.CheckpointView{}, false, err
	}
	i := sort.Search(len(read.all), func(i int) bool { return read.all[i].size > leaf })
	if i == len(read.all) {
		return viewOf(i+1, last), true, nil
	}
	for _, v := range read.days {
		if v.Number == i+1 {
			return v, true, nil
		}
	}
	b := read.all[i]
	return desk.CheckpointView{Number: i + 1, Size: b.size, Root: hex.EncodeToString(b.root[:]), At: b.at}, true, nil
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
	v := desk.CheckView{OK: r.Bad == nil, Events: r.Events, Expired: r.Expired}
	if b := r.Bad; b != nil {
		v.Finding, v.Position, v.Stream, v.Type, v.Witness = string(b.Kind), b.Position, b.Stream, b.Type, b.Witness
	}
	return v, nil
}
