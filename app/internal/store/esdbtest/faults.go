package esdbtest

import (
	"context"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// faults are what is broken at the moment.
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

// StopNode stops one node.
func (s *Server) StopNode(i int) {
	s.mu.Lock()
	n := s.nodes[i]
	server, conns := n.server, n.conns
	n.server = nil
	s.mu.Unlock()
	if server != nil {
		conns.cut()
		server.Stop()
	}
}

// StartNode starts one node that is stopped.
func (s *Server) StartNode(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.nodes[i]; n.server == nil {
		if err := n.start(); err != nil {
			panic("esdbtest: " + err.Error()) // somebody took the port: no test can go on
		}
	}
}

// Lead makes a node the leader: the others refuse to write.
func (s *Server) Lead(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leader = i
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
// leads, which is itself.
func (s *Server) NotLeader(n int) { s.faults.set(&s.faults.notLeader, n) }

// Slow has every call wait; 0 ends that.
func (s *Server) Slow(d time.Duration) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.slow = d
}

// Freeze has the server accept connections and calls, and answer none.
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

// DropSubscriptions ends every subscription that there is.
func (s *Server) DropSubscriptions() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.drop != nil {
		close(s.faults.drop)
		s.faults.drop = nil
	}
}

// IdempotentWithoutPosition has retries answered as older servers do: without
// saying where the events stand.
func (s *Server) IdempotentWithoutPosition(on bool) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.bare = on
}

// Counts returns how many appends, reads and subscriptions were asked for.
func (s *Server) Counts() (appends, reads, subscriptions int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.appends, s.faults.reads, s.faults.subscriptions
}

// meddle holds a call up as long as the server is slow or frozen.
func (s *Server) meddle(ctx context.Context) error {
	s.faults.mu.Lock()
	slow, thaw := s.faults.slow, s.faults.thaw
	s.faults.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
		}
	}
	select {
	case <-thaw:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// dropped returns the channel that ends a subscription.
func (s *Server) dropped() <-chan struct{} {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	if s.faults.drop == nil {
		s.faults.drop = make(chan struct{})
	}
	return s.faults.drop
}

// cutOff cuts all connections of a node, and is the answer that nobody gets.
func (n *node) cutOff() error {
	n.s.mu.Lock()
	conns := n.conns
	n.s.mu.Unlock()
	conns.cut()
	return status.Error(codes.Unavailable, "cut off")
}

// connections are those of one listener.
type connections struct {
	net.Listener
	s *Server

	mu   sync.Mutex
	open map[net.Conn]bool
}

func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = true
	return &connection{conn, c}, nil
}

func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // what was written is lost, too
		}
		_ = conn.Close() // it is to break
		delete(c.open, conn)
	}
}

type connection struct {
	net.Conn
	all *connections
}

func (c *connection) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c.Conn)
	c.all.mu.Unlock()
	return c.Conn.Close()
}
