package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// ErrBehind says that the projections have not got so far yet.
var ErrBehind = errors.New("projections are behind")

// A Log is read from a position on. Batches come in order and one after the
// other; see domain.Batch for whose they are. ReadAll ends with the last event
// at the moment of the call, and its last batch is Live. Follow goes on until
// ctx ends or it fails.
//
// A Follow that gives an empty, live batch every second or two although nothing
// happens spares the feed asking by itself (see Feed.Run).
type Log interface {
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
}

// A Projection is folded from the streams of one kind.
type Projection interface {
	// Apply folds a run of events, in the order of the log, and notes that
	// there is nothing else up to through. What it had already it passes over;
	// what it cannot understand it sets aside. It keeps nothing that an event
	// points at.
	Apply(events []domain.Recorded, through domain.Position)
	// Position returns how far it has got.
	Position() domain.Position
}

// A Feed keeps projections up to date. Its methods may be called concurrently.
type Feed struct {
	log         Log
	prefix      string // of the streams
	types       []string
	metadata    bool
	now         func() time.Time
	projections []Projection
	turn        chan struct{} // holds something while somebody applies

	mu       sync.Mutex
	position domain.Position
	head     time.Time // when the log's head was last known to be reached
	heard    time.Time // when the log last gave anything
	err      error     // since the last failure; nil after the next success
	failures int
	caughtUp chan struct{}
	live     bool // caughtUp is closed
	waiting  []waiter
	watched  map[string]map[chan struct{}]bool // by stream; under the empty name: all
}

type waiter struct {
	until   domain.Position
	reached chan struct{}
}

// New returns a feed from a log's enrolment streams to projections, from where
// the one that is least far stands. Nothing happens before Run or CatchUp.
func New(log Log, now func() time.Time, projections ...Projection) *Feed {
	return Over(domain.EnrolmentPrefix, log, now, projections...)
}

// Over is New for the streams with another prefix; with an empty one, for all of them.
func Over(prefix string, log Log, now func() time.Time, projections ...Projection) *Feed {
	f := &Feed{
		log: log, prefix: prefix, now: now, projections: projections,
		head: now(), heard: now(),
		turn: make(chan struct{}, 1), caughtUp: make(chan struct{}),
		watched: make(map[string]map[chan struct{}]bool),
	}
	for i, p := range projections {
		if at := p.Position(); i == 0 || at < f.position {
			f.position = at
		}
	}
	return f
}

// Only has a feed pass by all events but those of some types. It is for right after
// Over, for projections that fold a few of very many.
func (f *Feed) Only(types ...string) *Feed {
	f.types = types
	return f
}

// Whole has a feed bring events with their ids and metadata. It is for right after Over.
func (f *Feed) Whole() *Feed {
	f.metadata = true
	return f
}

// CatchUp returns when every projection has what the log holds at the moment of the
// call. It reads on by itself, or waits for whoever applies already: Run, or another
// CatchUp. When ctx ends before that, the error is ErrBehind, and the reason why ctx
// ended.
func (f *Feed) CatchUp(ctx context.Context) error {
	select {
	case f.turn <- struct{}{}:
		return f.readOn(ctx)
	default:
	}
	last, err := f.last(ctx)
	if err != nil {
		return err
	}
	w := f.await(last)
	defer f.forget(w)
	select {
	case <-w.reached:
		return nil
	case f.turn <- struct{}{}: // they ended before they got there
		return f.readOn(ctx)
	case <-ctx.Done():
		return f.behind(ctx, last)
	}
}

// readOn applies what the log holds, and gives the turn back.
func (f *Feed) readOn(ctx context.Context) error {
	defer func() { <-f.turn }()
	if err := f.log.ReadAll(ctx, f.query(), f.take); err != nil {
		return fmt.Errorf("catch up with the log: %w", err)
	}
	return nil
}

// last returns the position of the last event that the log holds for the projections;
// how far they are, where it holds nothing new. It is that of an event and not of the
// head, which following may tell of only when something happens.
func (f *Feed) last(ctx context.Context) (domain.Position, error) {
	q := f.query()
	at := q.After
	q.Metadata = false
	err := f.log.ReadAll(ctx, q, func(b domain.Batch) error {
		if n := len(b.Events); n > 0 {
			at = b.Events[n-1].Position
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("ask the log for its last event: %w", err)
	}
	return at, nil
}

// Position returns how far every projection has got.
func (f *Feed) Position() domain.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.position
}

// CaughtUp is closed once the log's head was reached for the first time.
func (f *Feed) CaughtUp() <-chan struct{} { return f.caughtUp }

// Reach returns when every projection has applied all up to a position. When
// ctx ends before that, the error is ErrBehind, and the reason why ctx ended.
func (f *Feed) Reach(ctx context.Context, until domain.Position) error {
	if f.Position() >= until {
		return nil
	}
	w := f.await(until)
	defer f.forget(w)
	select {
	case <-w.reached:
		return nil
	case <-ctx.Done():
		return f.behind(ctx, until)
	}
}

// behind is what whoever waited for a position is told when ctx has ended.
func (f *Feed) behind(ctx context.Context, until domain.Position) error {
	at := f.Position()
	if at >= until {
		return nil
	}
	return fmt.Errorf("%w: at %d of %d: %w", ErrBehind, at, until, context.Cause(ctx))
}

// Watch returns a channel that gets something each time after an event of a
// person was applied; several may come as one. cancel ends that.
func (f *Feed) Watch(subject domain.SubjectID) (changed <-chan struct{}, cancel func()) {
	return f.watch(f.prefix + subject.String())
}

// WatchAll is Watch of everybody.
func (f *Feed) WatchAll() (changed <-chan struct{}, cancel func()) { return f.watch("") }

func (f *Feed) watch(stream string) (changed <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watched[stream] == nil {
		f.watched[stream] = make(map[chan struct{}]bool)
	}
	f.watched[stream][c] = true
	return c, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if delete(f.watched[stream], c); len(f.watched[stream]) == 0 {
			delete(f.watched, stream)
		}
	}
}

// Health says how far a feed is, and whether what it says can be relied upon.
type Health struct {
	Position domain.Position
	CaughtUp bool // the log's head was reached at least once
	// Behind is how long ago the log's head was last known to be reached, or
	// since when the feed exists: whatever the projections say was true then.
	// Up to about 2 s are normal while nothing happens.
	Behind   time.Duration
	Failures int   // how often the log could not be followed
	Err      error // why, the last time; nil when it can again
}

// Health returns the feed's health.
func (f *Feed) Health() Health {
	now := f.now()
	f.mu.Lock()
	defer f.mu.Unlock()
	return Health{
		Position: f.position, CaughtUp: f.live, Behind: max(0, now.Sub(f.head)),
		Failures: f.failures, Err: f.err,
	}
}

func (f *Feed) query() domain.Query {
	return domain.Query{After: f.Position(), Prefix: f.prefix, Types: f.types, Metadata: f.metadata}
}

// take applies a batch. The events are folded within the log's own call: a log
// reads ahead in the meantime, and copying them would cost more than folding.
func (f *Feed) take(b domain.Batch) error {
	at := f.now()
	for _, p := range f.projections {
		p.Apply(b.Events, b.Through)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.position = max(f.position, b.Through)
	f.heard, f.err = at, nil
	if b.Live {
		f.reachedHead(at)
	}
	f.tell(b.Events)
	return nil
}

func (f *Feed) reachedHead(at time.Time) {
	f.head = at
	if !f.live {
		f.live = true
		close(f.caughtUp)
	}
}

// tell wakes those who wait for a position, and those who watch somebody.
func (f *Feed) tell(events []domain.Recorded) {
	still := f.waiting[:0]
	for _, w := range f.waiting {
		if w.until <= f.position {
			close(w.reached)
		} else {
			still = append(still, w)
		}
	}
	clear(f.waiting[len(still):])
	f.waiting = still
	if len(f.watched) == 0 {
		return
	}
	for i := range events {
		wake(f.watched[events[i].Stream])
	}
	if len(events) > 0 {
		wake(f.watched[""])
	}
}

func wake(watching map[chan struct{}]bool) {
	for c := range watching {
		select {
		case c <- struct{}{}:
		default: // has not looked since the last time
		}
	}
}

// await begins to wait for a position. Whoever does so forgets it again.
func (f *Feed) await(until domain.Position) waiter {
	w := waiter{until, make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.position >= until {
		close(w.reached)
	} else {
		f.waiting = append(f.waiting, w)
	}
	return w
}

func (f *Feed) forget(w waiter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.waiting {
		if f.waiting[i].reached == w.reached {
			last := len(f.waiting) - 1
			f.waiting[i] = f.waiting[last]
			f.waiting[last] = waiter{}
			f.waiting = f.waiting[:last]
			return
		}
	}
}
