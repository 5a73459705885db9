package remote

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
)

const (
	// keep is how long an answer is kept for whoever asks for it again.
	keep = 2 * time.Minute
	// longest is what a use case may take, whether or not somebody still waits.
	longest = time.Minute
	// atOnce is how many use cases of one station may run at the same time: far
	// more than a screen asks.
	atOnce = 16
	// kept is how many answers one station may have here.
	kept = 512
)

// calls runs use cases apart from the connections that asked for them, and keeps
// what came of them: a station whose connection broke asks again under the same
// Call, and is given the answer of the first time.
type calls struct {
	now  func() time.Time
	seed maphash.Seed

	mu    sync.Mutex
	known map[string]map[question]*call // of each station
	ended bool                          // no more are taken

	ctx    context.Context //nolint:containedctx // the life of the calls, which is that of no request
	cancel context.CancelFunc
	under  sync.WaitGroup
}

// A question is what somebody asked: the same words under another Call are
// another question, and other words under the same Call too.
type question struct {
	call    desk.Call
	useCase string
	body    uint64
}

// A call is a use case under way, or what came of it.
type call struct {
	visit  string
	done   chan struct{} // closed once the answer is there
	answer answer
	until  time.Time // how long it is kept; zero while it runs
}

func newCalls(now func() time.Time) *calls {
	c := &calls{now: now, seed: maphash.MakeSeed(), known: map[string]map[question]*call{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// join returns the call to a question, which do answers unless it is being
// answered or was. nil: the station has too many under way.
func (c *calls) join(station, useCase string, id desk.Call, visit string, body []byte, do func(context.Context) answer) *call {
	q := question{id, useCase, maphash.Bytes(c.seed, body)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.known[station][q]; known != nil {
		return known
	}
	if c.ended || !c.room(station) {
		return nil
	}
	if c.known[station] == nil {
		c.known[station] = map[question]*call{}
	}
	n := &call{visit: visit, done: make(chan struct{})}
	c.known[station][q] = n
	c.under.Go(func() {
		ctx, cancel := context.WithTimeout(desk.WithCall(c.ctx, id), longest)
		defer cancel()
		a := do(ctx)
		c.answered(station, q, n, a)
	})
	return n
}

// answered notes an answer. A fault is no answer to keep: whoever asks again
// wants it tried again.
func (c *calls) answered(station string, q question, n *call, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n.answer, n.until = a, c.now().Add(keep)
	if a.View != nil && n.visit == "" {
		n.visit = a.View.Visit
	}
	if isFault(a) && c.known[station][q] == n {
		delete(c.known[station], q)
	}
	close(n.done)
}

// isFault says that an answer is about Keydesk, not about the person.
func isFault(a answer) bool {
	return a.Refusal != nil && (a.Refusal.Code == desk.Unavailable || a.Refusal.Code == desk.Unsure || a.Refusal.Code == desk.Busy)
}

// room drops what has been kept long enough, and says whether the station may
// have one more call.
func (c *calls) room(station string) bool {
	running, answers := 0, 0
	now := c.now()
	for q, n := range c.known[station] {
		switch {
		case n.until.IsZero():
			running++
		case now.After(n.until):
			delete(c.known[station], q)
		default:
			answers++
		}
	}
	return running < atOnce && answers < kept
}

// forget drops what was answered in a visit: it is over, and the answers hold
// personal data.
func (c *calls) forget(station, visit string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for q, n := range c.known[station] {
		if n.visit == visit && !n.until.IsZero() {
			delete(c.known[station], q)
		}
	}
}

// sweep drops all that has been kept long enough. Without it, the answers to a
// station that fell silent would stay.
func (c *calls) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.known {
		c.room(id)
		if len(c.known[id]) == 0 {
			delete(c.known, id)
		}
	}
}

// stop takes no more calls, waits until those under way have ended, and has them
// end after a while.
func (c *calls) stop(grace time.Duration) {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	impatient := time.AfterFunc(grace, c.cancel)
	defer impatient.Stop()
	c.under.Wait()
	c.cancel()
}
