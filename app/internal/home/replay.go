package home

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/ledger"
	"github.com/keydesk/keydesk/projections/replay"
)

// replayFolder is where in the home states of the past are kept. All of it can be
// deleted: it is made again from the log.
const replayFolder = "replay"

// Replay returns what finds the state at any moment. It costs nothing until it is asked.
func (h *Home) Replay() *replay.Replayer { return h.replay }

// NewReplayer is Home.Replay for whoever has opened the log alone: neither the master key
// nor the vault is needed to see how it stood. Without the key (nil) nothing is kept, and
// nothing that is kept is gone on from.
func NewReplayer(log store.Log, set settings.Settings, keys Deriver, program *zap.Logger) *replay.Replayer {
	return replay.New(log, replay.Options{
		Lock: set.Policy.WrongCodesInARow, Skip: []string{store.ProbePrefix}, Keep: newShelf(filepath.Join(set.Home, replayFolder), keys, false),
		Report: func(err error) { program.Warn("replay", zap.Error(err)) },
	})
}

// Live returns how it stands now, as the login service is answered and the board shows it:
// what the snapshots of this home held, and what came after.
func (h *Home) Live(ctx context.Context) (replay.State, error) {
	for {
		s := replay.State{Factors: h.Factors.Snapshot(), Board: h.Board.Snapshot()}
		if s.Position = s.Factors.Position(); s.Position == s.Board.Position() {
			return s, nil
		}
		select { // one of them has just got another event, and the other one gets it
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return replay.State{}, context.Cause(ctx)
		}
	}
}

// A Ledger is the index over every event of the log, for as long as somebody audits: it
// is filled when the first one holds it, from a file where that fits the log, and
// forgotten when the last one has released it. Its methods may be called concurrently.
type Ledger struct {
	log    store.Log
	keep   shelf
	logins time.Duration // for how long the log gives logins; 0: for ever
	now    func() time.Time
	zap    *zap.Logger

	holding sync.Mutex
	holds   int
	stop    context.CancelFunc
	ended   chan struct{}

	mu   sync.Mutex
	all  *ledger.Ledger // nil: nobody holds it, or it is not there yet
	feed *feed.Feed     // keeps it up to date
	head domain.Position
}

// ledgerFile is the name of the ledger on the shelf.
const ledgerFile = "ledger"

// Hold has the ledger be there until it is released, and returns at once; see Ready.
func (l *Ledger) Hold(ctx context.Context) (release func()) {
	l.holding.Lock()
	defer l.holding.Unlock()
	if l.holds++; l.holds == 1 {
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan struct{})
		l.stop, l.ended = stop, ended
		go func() {
			defer close(ended)
			l.run(ctx)
		}()
	}
	return sync.OnceFunc(func() {
		l.holding.Lock()
		defer l.holding.Unlock()
		if l.holds--; l.holds == 0 {
			l.stop()
			<-l.ended
		}
	})
}

// NewLedger is Home.Ledger for whoever has opened the log alone, and has a master key.
func NewLedger(log store.Log, set settings.Settings, keys Deriver, now func() time.Time, program *zap.Logger) *Ledger {
	return &Ledger{
		log: log, keep: newShelf(filepath.Join(set.Home, replayFolder), keys, false), logins: set.Log.KeepLogins, now: now, zap: program,
	}
}

// Ledger returns the index over every event.
func (h *Home) Ledger() *Ledger { return h.ledger }

// run fills the ledger and keeps it up to date until ctx ends.
func (l *Ledger) run(ctx context.Context) {
	all := l.load(ctx)
	if l.logins > 0 {
		all.Drop(domain.LoginPrefix, l.now().Add(-l.logins))
	}
	following := feed.Over("", l.log, l.now, all).Whole()
	head, err := l.log.Head(ctx)
	if err != nil {
		l.zap.Warn("find the end of the log", zap.Error(err)) // following it says more
	}
	l.mu.Lock()
	l.all, l.feed, l.head = all, following, head
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all, l.feed = nil, nil
	}()
	var saving sync.WaitGroup
	saving.Go(func() {
		before := all.Len()
		select {
		case <-following.CaughtUp():
		case <-ctx.Done():
			return
		}
		if all.Len() < before+snapshotAfter {
			return
		}
		if err := l.save(ctx, all.Snapshot()); err != nil && ctx.Err() == nil {
			l.zap.Warn("keep the ledger", zap.Error(err))
		}
	})
	_ = following.Run(ctx) // ends with its context only; what fails until then is in its Health
	saving.Wait()
}

// load returns the ledger that is kept, or an empty one where none fits.
func (l *Ledger) load(ctx context.Context) *ledger.Ledger {
	kept, err := l.keep.Open(ledgerFile)
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.New(store.ProbePrefix)
	}
	var all *ledger.Ledger
	if err == nil {
		defer kept.Close() //nolint:errcheck // only read
		var m ledger.Mark
		var id domain.EventID
		in := bufio.NewReaderSize(io.NewSectionReader(kept, 0, kept.Size()), 1<<18)
		if all, m, id, err = ledger.Decode(in, store.ProbePrefix); err == nil && m.Position > 0 {
			err = l.check(ctx, m, id)
		}
	}
	if err == nil {
		return all
	}
	if ctx.Err() == nil {
		l.zap.Warn("the ledger that is kept does not fit, and is made again", zap.Error(err))
		if err := l.keep.Drop(ledgerFile); err != nil {
			l.zap.Warn("drop the ledger", zap.Error(err))
		}
	}
	return ledger.New(store.ProbePrefix)
}

// check says whether the log has the event up to which a ledger was kept.
func (l *Ledger) check(ctx context.Context, m ledger.Mark, id domain.EventID) error {
	there, err := l.eventAt(ctx, m)
	if err == nil && there != id {
		err = fmt.Errorf("%w: the log holds another event at position %d", ledger.ErrSnapshot, m.Position)
	}
	return err
}

func (l *Ledger) eventAt(ctx context.Context, m ledger.Mark) (id domain.EventID, err error) {
	events, err := l.log.ReadStream(ctx, domain.EnrolmentStream(m.Subject), m.Revision)
	if err == nil && (len(events) == 0 || events[0].Position != m.Position) {
		err = fmt.Errorf("%w: the log has no such event at position %d", ledger.ErrSnapshot, m.Position)
	}
	if err != nil {
		return id, err
	}
	return events[0].ID, nil
}

func (l *Ledger) save(ctx context.Context, s ledger.Snapshot) error {
	if s.Mark().Position == 0 {
		return nil
	}
	id, err := l.eventAt(ctx, s.Mark())
	if err != nil {
		return err
	}
	return l.keep.Keep(ledgerFile, func(w io.Writer) error { return s.Encode(w, id) })
}

// held returns the ledger and what keeps it up to date; nil while nobody holds it, or it is
// not there yet.
func (l *Ledger) held() (*ledger.Ledger, *feed.Feed, domain.Position) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all, l.feed, l.head
}

// Ready says of how much of the log the ledger knows: 1 of all of it.
func (l *Ledger) Ready() float64 {
	all, following, head := l.held()
	if all == nil {
		return 0
	}
	select {
	case <-following.CaughtUp():
		return 1
	default:
	}
	if head == 0 {
		return 0
	}
	return min(0.99, float64(all.Position())/float64(head))
}

// Reach returns when the ledger knows all up to a position. It is for whoever holds it.
func (l *Ledger) Reach(ctx context.Context, p domain.Position) error {
	const often = 5 * time.Millisecond
	tick := time.NewTicker(often)
	defer tick.Stop()
	for {
		if _, following, _ := l.held(); following != nil {
			return following.Reach(ctx, p)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: the ledger is not there yet: %w", feed.ErrBehind, context.Cause(ctx))
		}
	}
}

// Page answers a query, as far as the ledger is; nothing while nobody holds it.
func (l *Ledger) Page(q ledger.Query) ledger.Page {
	if all, _, _ := l.held(); all != nil {
		return all.Page(q)
	}
	return ledger.Page{}
}

// At returns the row of the event at a position.
func (l *Ledger) At(p domain.Position) (ledger.Row, bool) {
	if all, _, _ := l.held(); all != nil {
		return all.At(p)
	}
	return ledger.Row{}, false
}

// Step returns the by-th event of a filter behind a position, or before it; see
// ledger.Ledger.Step.
func (l *Ledger) Step(from domain.Position, by int, f ledger.Filter) (ledger.Row, bool) {
	if all, _, _ := l.held(); all != nil {
		return all.Step(from, by, f)
	}
	return ledger.Row{}, false
}
