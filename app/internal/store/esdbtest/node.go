package esdbtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// A node is one server of the cluster.
type node struct {
	s     *Server
	index int

	life sync.Mutex // held by who starts or stops it
	addr string     // for good, once it was started

	mu     sync.Mutex
	server *grpc.Server // nil: stopped
	open   map[*connection]bool
}

// The ports of nodes are not of those that systems give to anybody who asks for
// some port, so that a stopped node finds its own free again.
const (
	portsFrom = 10_000
	portsTo   = 32_000
)

// listen listens where the node did, or at a free port the first time. What the
// last listener left behind may take a moment.
func (n *node) listen() (net.Listener, error) {
	var lc net.ListenConfig
	var err error
	for range 100 {
		addr := n.addr
		if addr == "" {
			addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(portsFrom+rand.IntN(portsTo-portsFrom))) //nolint:gosec // no secret
		}
		var l net.Listener
		if l, err = lc.Listen(context.Background(), "tcp", addr); err == nil {
			n.addr = addr
			return l, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, fmt.Errorf("node %d: %w", n.index, err)
}

// start serves, unless it does already.
func (n *node) start() error {
	n.life.Lock()
	defer n.life.Unlock()
	if n.running() {
		return nil
	}
	l, err := n.listen()
	if err != nil {
		return err
	}
	options := []grpc.ServerOption{
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.MaxRecvMsgSize(17 << 20),
	}
	if n.s.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(n.s.tls)))
	}
	server := grpc.NewServer(options...)
	streams.RegisterStreamsServer(server, &service{n: n})
	serverfeatures.RegisterServerFeaturesServer(server, &features{n: n})
	gossip.RegisterGossipServer(server, &gossiper{n: n})
	n.mu.Lock()
	n.server = server
	n.mu.Unlock()
	go server.Serve(&listener{l, n}) //nolint:errcheck // ends with stop
	return nil
}

// stop ends what runs, as a crash does, unless nothing does.
func (n *node) stop() {
	n.life.Lock()
	defer n.life.Unlock()
	n.mu.Lock()
	server := n.server
	n.server = nil
	n.mu.Unlock()
	if server != nil {
		n.cut()
		server.Stop()
	}
}

func (n *node) running() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server != nil
}

func (n *node) connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.open)
}

// cut breaks all connections, with what was written and not yet sent.
func (n *node) cut() {
	n.mu.Lock()
	open := n.open
	n.open = map[*connection]bool{}
	n.mu.Unlock()
	for c := range open {
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close() // it is to break
	}
}

// cutOff cuts all connections of a node, and is the answer that nobody gets.
func (n *node) cutOff() error {
	n.cut()
	return status.Error(codes.Unavailable, "cut off")
}

// A listener knows its connections.
type listener struct {
	net.Listener
	n *node
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, n: l.n, gone: make(chan struct{})}
	l.n.mu.Lock()
	stopping := l.n.server == nil
	if !stopping {
		l.n.open[c] = true
	}
	l.n.mu.Unlock()
	if stopping { // after the cut: if the server is frozen, stop would wait for its handshake
		_ = c.Close() // it is to break
	}
	return c, nil
}

// A connection lets nothing in or out while the server is frozen.
type connection struct {
	net.Conn
	n    *node
	once sync.Once
	gone chan struct{} // closed when it is
}

func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if e := c.thawed(); e != nil {
		return 0, e
	}
	return n, err
}

func (c *connection) Write(b []byte) (int, error) {
	if err := c.thawed(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// thawed waits until the server is not frozen.
func (c *connection) thawed() error {
	select {
	case <-c.n.s.faults.thawed():
		return nil
	case <-c.gone:
		return errors.New("the connection is closed")
	}
}

func (c *connection) Close() error {
	c.once.Do(func() { close(c.gone) })
	c.n.mu.Lock()
	delete(c.n.open, c)
	c.n.mu.Unlock()
	return c.Conn.Close()
}

type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
	n *node
}

func (f *features) GetSupportedMethods(ctx context.Context, _ *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	if err := f.n.s.meddle(ctx); err != nil {
		return nil, err
	}
	return &serverfeatures.SupportedMethods{EventStoreServerVersion: f.n.s.options.Version}, nil
}

type gossiper struct {
	gossip.UnimplementedGossipServer
	n *node
}

func (g *gossiper) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	s := g.n.s
	if err := s.meddle(ctx); err != nil {
		return nil, err
	}
	leader := s.leads()
	info := &gossip.ClusterInfo{}
	for _, n := range s.nodes {
		host, port, _ := net.SplitHostPort(n.addr)
		p, _ := strconv.ParseUint(port, 10, 32)
		m := &gossip.MemberInfo{
			State: gossip.MemberInfo_Follower, IsAlive: n.running(), HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(p)},
		}
		if n == leader {
			m.State = gossip.MemberInfo_Leader
		}
		info.Members = append(info.Members, m)
	}
	return info, nil
}
