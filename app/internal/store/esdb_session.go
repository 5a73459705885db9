package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/domain"
)

// How long to wait before connecting again: the first time and at most. Who
// calls in the meantime is refused at once.
const (
	backoffFirst = 50 * time.Millisecond
	backoffMost  = 2 * time.Second
)

const (
	// downPatience is how long a call waits for an attempt to connect while
	// the server is known to be gone.
	downPatience = 500 * time.Millisecond
	// ownPatience is how long a call may go on after its context ended, so that
	// its own answer is not missed, and gonePatience after its client was given
	// up because of another call, which may not have met this one's fate.
	ownPatience  = 250 * time.Millisecond
	gonePatience = 3 * time.Second
	// closePatience is how long Close waits for calls before it gives up their
	// client. The client ends those that append after 10 s.
	closePatience = 12 * time.Second
)

// sessions keeps a client of the server. That client has to be held with care:
//
//   - When it cannot find a server it is dead for good, and who calls it then,
//     or is about to learn why their call failed, may hang for ever. So a client
//     on which a call failed for the connection's sake is given up, also by a log
//     that is being closed: whoever waits for it leaves, and a new one is made.
//   - It connects within the first call, whose context it does not look at, and
//     several first calls at once can hang. So one goroutine connects each
//     client before anybody gets it, and calls wait for that as long as their
//     own context lets them.
//   - Closing it under a call panics. So calls are counted, and the last one
//     that returns closes a client that was given up. Callers may leave
//     earlier, the count does not.
type sessions struct {
	config  esdb.Configuration
	check   func(context.Context, *esdb.Client) error // of a client that nobody has used yet
	report  func(error)
	closing chan struct{} // closed by close
	idle    chan struct{} // closed when nobody waits after that, and nothing runs that will end

	mu         sync.Mutex
	closed     bool
	waiting    int      // callers that took a session, or entered, and have not left
	current    *session // nil: connect; after close, the one whose calls still run
	connecting *attempt
	down       error // why the last attempt, or the last client, failed
	failures   int   // attempts in a row
	retryAt    time.Time
}

// A session is one client.
type session struct {
	client *esdb.Client
	calls  int           // that run, guarded by sessions.mu
	gone   chan struct{} // closed when it was given up
}

// An attempt is one try to connect.
type attempt struct {
	done chan struct{}
	err  error // set before done is closed
}

func newSessions(c *esdb.Configuration, check func(context.Context, *esdb.Client) error, report func(error)) *sessions {
	if report == nil {
		report = func(error) {}
	}
	return &sessions{config: *c, check: check, report: report, closing: make(chan struct{}), idle: make(chan struct{})}
}

// take returns a connected session, for one call. release has to follow when the
// call is over, and leave when its caller does not wait for it any more.
func (ss *sessions) take(ctx context.Context) (*session, error) {
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: %w", domain.ErrUnavailable, context.Cause(ctx))
		}
		s, a, patience, err := ss.takeOrConnect() //nolint:contextcheck // who connects does so for all who wait, and outlives this one
		if s != nil || err != nil {
			return s, err
		}
		if err := ss.await(ctx, a, patience); err != nil {
			return nil, err
		}
	}
}

// takeOrConnect returns a session, or the attempt to wait for and how long.
func (ss *sessions) takeOrConnect() (*session, *attempt, time.Duration, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	switch {
	case ss.closed:
		return nil, nil, 0, errClosed
	case ss.current != nil:
		ss.current.calls++
		ss.waiting++
		return ss.current, nil, 0, nil
	case ss.connecting == nil && time.Now().Before(ss.retryAt):
		return nil, nil, 0, fmt.Errorf("%w: %w", domain.ErrUnavailable, ss.down)
	case ss.connecting == nil:
		ss.connecting = &attempt{done: make(chan struct{})}
		go ss.connect(ss.connecting)
	}
	if ss.failures > 0 {
		return nil, ss.connecting, downPatience, nil
	}
	return nil, ss.connecting, time.Hour, nil // the client's own time-outs are shorter
}

func (ss *sessions) await(ctx context.Context, a *attempt, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-a.done:
		if a.err != nil {
			return fmt.Errorf("%w: %w", domain.ErrUnavailable, a.err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: connecting: %w", domain.ErrUnavailable, context.Cause(ctx))
	case <-timer.C:
		return fmt.Errorf("%w: the server does not answer", domain.ErrUnavailable)
	case <-ss.closing:
		return errClosed
	}
}

// connect makes a client and waits until it has found a server, which is the one that it
// was, or is dead.
func (ss *sessions) connect(a *attempt) {
	config := ss.config
	client, err := esdb.NewClient(&config)
	if err == nil {
		if _, err = client.GetServerVersion(); err != nil {
			_ = client.Close() // nobody else has it; it never fails
		}
	}
	if err == nil {
		err = familiar(client, ss.check)
	}
	var tell func()
	ss.mu.Lock()
	ss.connecting = nil
	switch {
	case err != nil:
		a.err = plain(err)
		tell = ss.fail(a.err)
		ss.failures++
		ss.retryAt = time.Now().Add(min(backoffFirst<<min(ss.failures-1, 10), backoffMost))
	case ss.closed:
		a.err = errClosed
		_ = client.Close()
	default:
		ss.current = &session{client: client, gone: make(chan struct{})}
		if ss.down != nil {
			tell = func() { ss.report(nil) }
		}
		ss.down, ss.failures, ss.retryAt = nil, 0, time.Time{}
	}
	ss.mu.Unlock()
	if tell != nil {
		tell()
	}
	close(a.done)
}

// fail notes why there is no connection. It returns what to call without the
// lock, when somebody has to be told: that it is lost, and that it was put back.
func (ss *sessions) fail(err error) func() {
	known := ss.down != nil && (errors.Is(ss.down, errPutBack) || !errors.Is(err, errPutBack))
	ss.down = err
	if known || ss.closed {
		return nil
	}
	return func() { ss.report(err) }
}

// giveUp makes the next call connect anew, and those leave who wait for this one.
func (ss *sessions) giveUp(s *session, err error) {
	ss.mu.Lock()
	var tell func()
	if ss.current == s {
		ss.current = nil
		close(s.gone)
		tell = ss.fail(plain(err))
		ss.settle()
	}
	ss.mu.Unlock()
	if tell != nil {
		tell()
	}
}

// release ends a call.
func (ss *sessions) release(s *session) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s.calls--
	if s.calls > 0 {
		return
	}
	if ss.closed && ss.current == s {
		ss.current = nil
	}
	if ss.current != s {
		_ = s.client.Close() // never fails
	}
	ss.settle()
}

// enter says that a caller comes who will take sessions, and has close wait until they
// leave, also between two of these.
func (ss *sessions) enter() error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.closed {
		return errClosed
	}
	ss.waiting++
	return nil
}

// leave says that a caller has the answer, or does not wait for it any more.
func (ss *sessions) leave() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.waiting--
	ss.settle()
}

// settle lets close return. Calls on a client that was given up are not waited
// for: they may never end.
func (ss *sessions) settle() {
	if !ss.closed || ss.waiting > 0 || ss.current != nil {
		return
	}
	select {
	case <-ss.idle:
	default:
		close(ss.idle)
	}
}

// close refuses new calls and waits for those that run. Whichever of them is
// the last closes the client.
func (ss *sessions) close() {
	last := ss.refuse()
	select {
	case <-ss.idle:
	case <-time.After(closePatience):
		if last != nil {
			ss.giveUp(last, errClosed)
		}
	}
}

// refuse returns the session whose calls still run, nil if there is none.
func (ss *sessions) refuse() *session {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if !ss.closed {
		ss.closed = true
		close(ss.closing)
		if s := ss.current; s != nil && s.calls == 0 {
			_ = s.client.Close() // never fails
			ss.current = nil
		}
		ss.settle()
	}
	return ss.current
}

// errLeft: the caller left before the call returned.
var errLeft = errors.New("no answer in time")

// do runs a call on a session, in a goroutine of its own, since not every call
// returns when its context ends.
func do[T any](ctx context.Context, ss *sessions, s *session, call func(context.Context, *esdb.Client) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	defer ss.leave()
	answered := make(chan answer, 1)
	go func() {
		defer ss.release(s)
		value, err := call(ctx, s.client)
		if end, ok := ctx.Deadline(); ok && err != nil && !time.Now().Before(end) {
			<-ctx.Done() // gRPC's own timer went off a moment earlier
		}
		if lost(ctx, err) {
			ss.giveUp(s, err)
		}
		answered <- answer{value, err}
	}()
	patience := ownPatience
	select {
	case a := <-answered:
		return a.value, a.err
	case <-ctx.Done():
	case <-s.gone:
		patience = gonePatience
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case a := <-answered:
		return a.value, a.err
	case <-timer.C:
		var none T
		return none, errLeft
	}
}
