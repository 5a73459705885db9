package esdbtest

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/status"
)

// faults are what is broken at the moment, and what was counted.
type faults struct {
	mu        sync.Mutex
	before    int // appends whose connection is cut before, …
	after     int // … and after they are committed
	early     int // appends that are rejected before they were read
	notLeader int
	slow      time.Duration
	thaw      chan struct{} // closed unless frozen
	drop      chan struct{} // closed to end what is subscribed now
	bare      bool          // retries are answered without a position
	mute      bool          // nobody is told how far a subscription is
	nowhere   bool          // no place is taken but the start
	again     int           // events that come once more, after the next one

	appends, reads, subscriptions int
}

// take counts one down, and says whether it was above zero.
func (f *faults) take(n *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

func (f *faults) set(n *int, to int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*n = to
}

func (f *faults) count(n *int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	*n++
}

// thawed returns a channel that is closed when the server is not frozen.
func (f *faults) thawed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.thaw
}

// dropped returns the channel that ends a subscription.
func (f *faults) dropped() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drop
}

// Stop stops all nodes; what they hold is kept.
func (s *Server) Stop() {
	for i := range s.nodes {
		s.StopNode(i)
	}
}

// Restart starts all nodes that are stopped, at their old addresses.
func (s *Server) Restart() {
	for i := range s.nodes {
		s.StartNode(i)
	}
}

// PutBack has a server that is stopped hold its first n records alone, as one does that
// is put back from a backup. Whoever reads records meanwhile must not.
func (s *Server) PutBack(n int) {
	l, all := s.log, s.Events()[:n]
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := newLog(l.now)
	l.chunks, l.count, l.next, l.streams, l.recent = nil, 0, fresh.next, fresh.streams, fresh.recent
	for i := range all {
		at := l.record(l.stream(all[i].Stream), all[i])
		at.Created = all[i].Created
		l.note(at)
	}
	l.wake()
}

// StopNode stops one node: who is connected is cut off, who connects refused.
func (s *Server) StopNode(i int) { s.nodes[i].stop() }

// StartNode starts one node that is stopped.
func (s *Server) StartNode(i int) {
	if err := s.nodes[i].start(); err != nil {
		panic("esdbtest: " + err.Error()) // somebody took the port: no test can go on
	}
}

// Lead makes a node the leader: the others refuse to write.
func (s *Server) Lead(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leader = i
}

// leads returns the leader.
func (s *Server) leads() *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[s.leader]
}

// CutBeforeCommit has the connections of the next n appends cut before they are
// committed.
func (s *Server) CutBeforeCommit(n int) { s.faults.set(&s.faults.before, n) }

// CutAfterCommit has the connections of the next n appends cut after they were
// committed: their acknowledgement is lost.
func (s *Server) CutAfterCommit(n int) { s.faults.set(&s.faults.after, n) }

// RejectEarly has the next n appends rejected before their events are read,
// which clients that still send see as the end of the stream.
func (s *Server) RejectEarly(n int) { s.faults.set(&s.faults.early, n) }

// NotLeader has the next n appends refused by a node that says that another one
// leads, which is the leader that it is itself.
func (s *Server) NotLeader(n int) { s.faults.set(&s.faults.notLeader, n) }

// Slow has every call wait, and subscribers for what is new; 0 ends that for
// those to come.
func (s *Server) Slow(d time.Duration) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.slow = d
}

// Freeze has the server accept connections, take nothing from them and answer
// nothing, not even the question whether it is alive.
func (s *Server) Freeze() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	select {
	case <-s.faults.thaw:
		s.faults.thaw = make(chan struct{})
	default:
	}
}

// Thaw ends Freeze: what waits is answered.
func (s *Server) Thaw() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	select {
	case <-s.faults.thaw:
	default:
		close(s.faults.thaw)
	}
}

// DropSubscriptions ends every subscription that there is, with an error.
func (s *Server) DropSubscriptions() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	close(s.faults.drop)
	s.faults.drop = make(chan struct{})
}

// IdempotentWithoutPosition has retries answered as older servers do: without
// saying where the events stand.
func (s *Server) IdempotentWithoutPosition(on bool) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.bare = on
}

// is says whether something is broken now.
func (f *faults) is(flag *bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return *flag
}

// Mute has subscribers to everything get events and nothing else: neither how far they
// are, nor that this was all.
func (s *Server) Mute(on bool) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.mute = on
}

// Nowhere has every place be one that nobody may read from, but for the start.
func (s *Server) Nowhere(on bool) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.nowhere = on
}

// Again has the next n events that subscribers to everything are sent be sent twice, and
// the one before them after that.
func (s *Server) Again(n int) { s.faults.set(&s.faults.again, n) }

// meddle holds a call up as long as the server is slow.
func (s *Server) meddle(ctx context.Context) error {
	s.faults.mu.Lock()
	slow := s.faults.slow
	s.faults.mu.Unlock()
	if slow <= 0 {
		return nil
	}
	select {
	case <-time.After(slow):
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}
