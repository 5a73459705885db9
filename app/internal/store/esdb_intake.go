package store

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/domain"
)

// An intake is what a subscription has brought and nobody has taken yet. One
// goroutine receives, up to aheadEvents ahead; another takes all that there is
// at once, so that batches grow when the receiver is slow.
type intake struct {
	log    *ESDB
	q      domain.Query
	prefix string
	ready  chan struct{} // has something when there is something to take
	room   chan struct{} // has something when something was taken

	mu         sync.Mutex
	now        received
	spare      []domain.Recorded
	subscribed bool
	last       time.Time // something came
	given      int64     // the position of the last event, -1 before the first
}

// received is what can be taken.
type received struct {
	events   []domain.Recorded
	at       domain.Position // everything up to here
	before   domain.Position // everything before this
	place    esdb.Position   // the server's for the further of the two
	caughtUp bool
	ended    bool
	err      error // why it ended
}

func newIntake(l *ESDB, q domain.Query) *intake {
	return &intake{
		log: l, q: q, prefix: l.options.Prefix + q.Prefix,
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1), last: time.Now(), given: -1,
	}
}

// receive subscribes and receives until the subscription ends, and returns why.
func (in *intake) receive(ctx context.Context, c *esdb.Client, opts esdb.SubscribeToAllOptions) error {
	sub, err := c.SubscribeToAll(ctx, opts)
	if err != nil {
		return err
	}
	defer sub.Close() //nolint:errcheck // never fails
	in.update(func() { in.subscribed = true })
	for {
		switch e := sub.Recv(); {
		case e.SubscriptionDropped != nil:
			return e.SubscriptionDropped.Error
		case e.EventAppeared != nil:
			if err := in.add(ctx, e.EventAppeared.OriginalEvent()); err != nil {
				return err
			}
		case e.CheckPointReached != nil:
			in.checkpoint(*e.CheckPointReached)
		case e.CaughtUp != nil:
			in.update(func() { in.now.caughtUp = true })
		case e.FellBehind != nil:
			in.update(func() { in.now.caughtUp = false })
		}
	}
}

func (in *intake) update(change func()) {
	in.mu.Lock()
	change()
	in.last = time.Now()
	in.mu.Unlock()
	signal(in.ready)
}

// checkpoint keeps how far the server has looked. When that is between two records, the
// one at this position was not looked at, and may be yet to come.
func (in *intake) checkpoint(p esdb.Position) {
	in.update(func() {
		in.now.place = later(in.now.place, p)
		in.now.before = max(in.now.before, domain.Position(p.Commit))
		if p.Prepare == p.Commit {
			in.now.at = max(in.now.at, domain.Position(p.Commit))
		}
	})
}

// add keeps an event, if it is asked for, and waits for room. Whoever reads counts on the
// order: what comes out of it is errOrder.
func (in *intake) add(ctx context.Context, e *esdb.RecordedEvent) error {
	switch p := int64(e.Position.Commit); { //nolint:gosec // it comes back as it was
	case p == in.given: // again
		return nil
	case p < in.given:
		return errOrder
	default:
		in.given = p
	}
	in.log.places.add(e.Position)
	in.log.landmark.pass(e, in.log.options.Prefix, in.log.ages)
	at := domain.Position(e.Position.Commit)
	wanted := at > in.q.After && (in.q.Until == 0 || at <= in.q.Until) && strings.HasPrefix(e.StreamID, in.prefix) && !strings.HasPrefix(e.StreamID, "$") &&
		(len(in.q.Types) == 0 || slices.Contains(in.q.Types, e.EventType))
	var r domain.Recorded
	if wanted { // $all holds what is too old until the server is scavenged
		r = in.log.recorded(e, in.q.Metadata)
		wanted = len(in.log.ages) == 0 || in.q.Expired || !in.log.ages.expired(r.Stream, r.Recorded, time.Now())
	}
	full := false
	in.update(func() {
		in.now.at = max(in.now.at, at)
		in.now.place = later(in.now.place, e.Position)
		if wanted {
			in.now.events = append(in.now.events, r)
		}
		full = len(in.now.events) >= aheadEvents
	})
	for full {
		select {
		case <-in.room:
		case <-ctx.Done():
			return nil
		}
		in.mu.Lock()
		full = len(in.now.events) >= aheadEvents
		in.mu.Unlock()
	}
	return nil
}

func (in *intake) end(err error) {
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	in.update(func() { in.now.ended, in.now.err = true, err })
}

// take returns all that was received since the last time.
func (in *intake) take() received {
	in.mu.Lock()
	got := in.now
	in.now.events, in.spare = in.spare, nil
	in.mu.Unlock()
	signal(in.room)
	return got
}

// recycle gives the memory of what was taken back.
func (in *intake) recycle(events []domain.Recorded) {
	clear(events) // what they point at may go
	in.mu.Lock()
	in.spare = events[:0]
	in.mu.Unlock()
}

func (in *intake) confirmed() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.subscribed
}

// silence is for how long nothing has come, while nothing waits to be taken.
func (in *intake) silence() time.Duration {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.now.events) > 0 {
		return 0
	}
	return time.Since(in.last)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // is signalled already
	}
}
