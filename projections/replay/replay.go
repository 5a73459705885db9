package replay

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/timeline"
)

// Head is behind the last event there can be.
const Head domain.Position = math.MaxUint64

// A Log is read, and nothing else. Batches come in order; see domain.Batch.
type Log interface {
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error)
}

// A Keeper keeps what a Replayer has made, by name, where it is found again. What it loses
// is made anew. Its methods may be called concurrently.
type Keeper interface {
	// Names returns the names of all that is kept.
	Names() ([]string, error)
	// Open opens what is kept under a name.
	Open(name string) (Kept, error)
	// Keep keeps what write writes, in the place of what was there, or leaves that.
	Keep(name string, write func(io.Writer) error) error
	// Drop forgets what is kept under a name.
	Drop(name string) error
}

// Kept is something that is kept.
type Kept interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Options are what a Replayer is made with. The zero Options will do.
type Options struct {
	// Lock is from how many wrong codes in a row a person counts as locked
	// (enrolment.Policy.WrongCodesInARow).
	Lock int
	// Skip are the beginnings of streams that are no part of the record.
	Skip []string
	// Keep keeps states; nil: none are kept.
	Keep Keeper
	// Every is after how many events of enrolments a state is kept; 0: 25,000. Where there
	// are more than twice as many people, it is after half as many events as people: what
	// is kept takes less room than the log.
	Every int
	// Report is told of what could not be kept, or was kept and does not fit: the replay
	// goes on without it. It may be nil, and is called by one at a time.
	Report func(error)
}

// A State is all that the folds know at one moment. It never changes, and may be used
// concurrently.
type State struct {
	Position domain.Position // of the last event up to that moment; 0: nothing had happened
	At       time.Time       // when that was: the latest time up to there, by the log's clock, and of no clock that ran ahead; zero: none
	Events   int             // up to there
	Factors  factor.Snapshot
	Board    progress.Snapshot
}

// A Replayer finds states of one log. Its methods may be called concurrently; they take
// turns.
type Replayer struct {
	log Log
	o   Options

	turn    chan struct{} // taken by whoever works
	keeping chan struct{} // taken while a state is written

	line *timeline.Line
	now  *folding // where the last way ended
	last State    // what was located last, without folds
	base *State   // where it began, of what was kept: the next one often begins there again
}

// New returns a replayer of a log.
func New(log Log, o Options) *Replayer {
	if o.Every == 0 {
		o.Every = 25_000
	}
	report := o.Report
	var one sync.Mutex
	o.Report = func(err error) {
		one.Lock()
		defer one.Unlock()
		if report != nil {
			report(err)
		}
	}
	return &Replayer{log: log, o: o, turn: make(chan struct{}, 1), keeping: make(chan struct{}, 1)}
}

// take waits for the turn, which the caller gives back with release.
func (r *Replayer) take(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *Replayer) release() { <-r.turn }

// Seek returns the state at a position, or at the last event before it; at Head, now.
func (r *Replayer) Seek(ctx context.Context, p domain.Position) (State, error) {
	if err := r.take(ctx); err != nil {
		return State{}, err
	}
	defer r.release()
	s, err := r.seek(ctx, p)
	switch {
	case err != nil && p == Head:
		return State{}, fmt.Errorf("replay the log: %w", err)
	case err != nil:
		return State{}, fmt.Errorf("replay to position %d: %w", p, err)
	}
	return s, nil
}

func (r *Replayer) seek(ctx context.Context, p domain.Position) (State, error) {
	if err := r.readLine(ctx, p); err != nil {
		return State{}, err
	}
	at, err := r.locate(ctx, p)
	if err != nil {
		return State{}, err
	}
	f := r.nearest(ctx, at.Position)
	r.now = nil // where it stands is not known while it goes
	if err := r.forward(ctx, f, at.Position); err != nil {
		return State{}, err
	}
	r.now = f
	at.Factors, at.Board = f.factors.Snapshot(), f.board.Snapshot()
	return at, nil
}

// PositionAt returns where the last event stands that was recorded at or before a moment;
// 0: none was. The log's clock may have been set back: an event counts as recorded when
// the latest one before it was, and one that a wrong clock has put more than a day ahead of
// what follows it as well.
func (r *Replayer) PositionAt(ctx context.Context, moment time.Time) (domain.Position, error) {
	if err := r.take(ctx); err != nil {
		return 0, err
	}
	defer r.release()
	if err := r.readLine(ctx, Head); err != nil {
		return 0, fmt.Errorf("find a moment in the log: %w", err)
	}
	s, before, ok := r.line.At(moment)
	if !ok {
		return 0, nil
	}
	from := State{Position: s.Before, At: s.From, Events: before}
	last, err := r.within(ctx, s, from, func(e *domain.Recorded, at time.Time) bool { return !at.After(moment) })
	if err != nil {
		return 0, fmt.Errorf("find a moment in the log: %w", err)
	}
	return last.Position, nil
}

// locate returns the last event at a position or before it, as a State without folds.
func (r *Replayer) locate(ctx context.Context, p domain.Position) (State, error) {
	s, before, ok := r.line.Of(p)
	if !ok {
		return State{}, nil
	}
	from := State{Position: s.Before, At: s.From, Events: before}
	switch {
	case p >= s.Last:
		return State{Position: s.Last, At: s.Latest, Events: before + s.Events}, nil
	case r.last.Position > s.Before && r.last.Position <= p: // a step on from where it was
		from = r.last
	}
	return r.within(ctx, s, from, func(e *domain.Recorded, _ time.Time) bool { return e.Position <= p })
}

// within returns the last event of a stretch up to which something holds, or the one that
// it is looked for from.
func (r *Replayer) within(ctx context.Context, s timeline.Stretch, from State, holds func(e *domain.Recorded, at time.Time) bool) (State, error) {
	last, latest := from, from.At
	if latest.After(s.Latest) { // it was located before that was known
		latest = s.Latest
	}
	err := r.log.ReadAll(ctx, domain.Query{After: from.Position, Until: s.Last}, func(b domain.Batch) error {
		for i := range b.Events {
			e := &b.Events[i]
			if e.Position > s.Last || r.line.Skips(e.Stream) {
				continue
			}
			if at := e.Recorded.Truncate(time.Microsecond); at.After(latest) && !at.After(s.Latest) { // after that it is of a clock that ran ahead
				latest = at
			}
			if !holds(e, latest) {
				return errEnough
			}
			last.Position, last.At, last.Events = e.Position, latest, last.Events+1
		}
		return nil
	})
	if err = enough(err); err == nil {
		r.last = last
	}
	return last, err
}

// Line returns how much happened when, up to the log's present head.
func (r *Replayer) Line(ctx context.Context) (*timeline.Line, error) {
	if err := r.take(ctx); err != nil {
		return nil, err
	}
	defer r.release()
	if err := r.readLine(ctx, Head); err != nil {
		return nil, fmt.Errorf("read the timeline: %w", err)
	}
	return r.line, nil
}

// Prepare makes all that has to be made before any moment is found soon, and keeps it.
func (r *Replayer) Prepare(ctx context.Context) error {
	_, err := r.Seek(ctx, Head)
	r.Wait()
	return err
}

// nearest returns the fold that is nearest to a position, and not behind it: where the
// last way ended, where it began, or what is kept.
func (r *Replayer) nearest(ctx context.Context, p domain.Position) *folding {
	var at domain.Position
	if r.now != nil && r.now.at <= p {
		at = r.now.at
	}
	if r.base != nil && r.base.Position <= p {
		at = max(at, r.base.Position)
	}
	if kept, ok := r.kept(ctx, at, p); ok {
		r.base = &kept
		at = kept.Position
	}
	switch {
	case at == 0:
		return r.start()
	case r.now != nil && r.now.at == at:
		return r.now
	}
	return &folding{at: at, factors: r.base.Factors.Thaw(), board: r.base.Board.Thaw()}
}

func (r *Replayer) start() *folding {
	return &folding{factors: factor.New(), board: progress.New(r.o.Lock)}
}

// kept returns the last state that is kept behind a position, up to another one, and fits.
func (r *Replayer) kept(ctx context.Context, after, until domain.Position) (State, bool) {
	at, err := r.positions(after, until)
	if err != nil {
		r.o.Report(err)
		return State{}, false
	}
	for _, p := range slices.Backward(at) {
		s, err := r.load(ctx, p)
		if err == nil {
			return s, true
		}
		if ctx.Err() != nil {
			return State{}, false
		}
		r.drop(nameOf(p), err)
	}
	return State{}, false
}

// positions returns where states are kept behind a position, up to another one.
func (r *Replayer) positions(after, until domain.Position) (at []domain.Position, err error) {
	if r.o.Keep == nil {
		return nil, nil
	}
	names, err := r.o.Keep.Names()
	if err != nil {
		return nil, fmt.Errorf("look for kept states: %w", err)
	}
	for _, name := range names {
		if p, ok := positionOf(name); ok && p > after && p <= until {
			at = append(at, p)
		}
	}
	slices.Sort(at)
	return at, nil
}

// drop forgets something that does not fit.
func (r *Replayer) drop(name string, why error) {
	r.o.Report(fmt.Errorf("%s is kept and does not fit, and is made again: %w", name, why))
	if err := r.o.Keep.Drop(name); err != nil {
		r.o.Report(fmt.Errorf("drop %s: %w", name, err))
	}
}

// A folding is the folds of a state, on their way.
type folding struct {
	at      domain.Position // of the last event in the whole log up to which they go
	factors *factor.Map
	board   *progress.Board
	since   int // events since the last state that was kept
	mark    mark
}

// state returns the state of the folds, which are at a position.
func (f *folding) state(p domain.Position) State {
	return State{Position: p, Factors: f.factors.Snapshot(), Board: f.board.Snapshot()}
}

// forward folds what comes up to a position, and keeps states on the way.
func (r *Replayer) forward(ctx context.Context, f *folding, until domain.Position) error {
	if until <= f.at {
		return nil
	}
	saving := r.newSaver()
	q := domain.Query{After: f.at, Until: until, Prefix: domain.EnrolmentPrefix}
	err := r.log.ReadAll(ctx, q, func(b domain.Batch) error {
		events := b.Events
		for len(events) > 0 && events[len(events)-1].Position > until {
			events = events[:len(events)-1]
		}
		f.apply(events)
		if len(events) < len(b.Events) {
			return errEnough
		}
		if f.since >= r.every(f) {
			saving.save(ctx, f)
		}
		return nil
	})
	if err := enough(err); err != nil {
		return err
	}
	f.at = until
	return nil
}

// every is after how many events a state is kept.
func (r *Replayer) every(f *folding) int { return max(r.o.Every, f.factors.Counts().People/2) }

func (f *folding) apply(events []domain.Recorded) {
	if len(events) == 0 {
		return
	}
	last := &events[len(events)-1]
	f.factors.Apply(events, last.Position)
	f.board.Apply(events, last.Position)
	f.at = last.Position
	f.since += len(events)
	f.mark = mark{stream: strings.Clone(last.Stream), revision: last.Revision, position: last.Position}
}
