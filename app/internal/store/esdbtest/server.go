package esdbtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

// The user that URL names, who may do what Keydesk does.
const (
	User     = "keydesk"
	Password = "secret"
)

// Options choose a server. The zero Options is one node with TLS.
type Options struct {
	Insecure bool              // no TLS, and so no users
	Nodes    int               // 1, or 3 of a cluster
	Users    map[string]string // passwords by name; admin/changeit and User by default
	Denied   bool              // User may not read everything yet, as on a fresh server
	Clock    func() time.Time  // time.Now
	Version  string            // 24.10.0
}

// A Server is an EventStoreDB of one or more nodes on loopback addresses, over
// one log in memory. Its methods may be called concurrently.
type Server struct {
	options Options
	log     *log
	faults  faults
	tls     *tls.Config
	caFile  string

	mu     sync.Mutex
	nodes  []*node
	leader int
}

// Start starts a server, which is stopped when the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Users == nil {
		o.Users = map[string]string{"admin": "changeit", User: Password}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Version == "" {
		o.Version = "24.10.0"
	}
	s := &Server{options: o, log: newLog(o.Clock)}
	s.faults.thaw = make(chan struct{})
	close(s.faults.thaw)
	if !o.Insecure {
		s.secure(tb)
	}
	if !o.Denied {
		s.log.append("$$$all", expectAny, []Event{{
			Type: "$metadata", ContentType: "application/json", Data: []byte(`{"$acl":{"$r":["$admins","` + User + `"]}}`),
		}})
	}
	for i := range o.Nodes {
		n := &node{s: s, index: i}
		if err := n.start(); err != nil {
			tb.Fatal(err)
		}
		s.nodes = append(s.nodes, n)
	}
	tb.Cleanup(func() { s.Thaw(); s.Stop() })
	return s
}

// secure makes a certificate for this machine, by an authority of its own.
func (s *Server) secure(tb testing.TB) {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "eventstoredb-node"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	s.caFile = filepath.Join(tb.TempDir(), "ca.crt")
	if err := os.WriteFile(s.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		tb.Fatal(err)
	}
	s.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// CAFile is the PEM file of the authority that the server's certificate is from.
func (s *Server) CAFile() string { return s.caFile }

// Addr returns host and port of a node.
func (s *Server) Addr(node int) string { return s.nodes[node].addr }

// URL is the connection string of the first node, for User.
func (s *Server) URL() string { return s.URLFor(User, Password) }

// URLFor is the connection string of the first node for another user.
func (s *Server) URLFor(user, password string) string {
	return s.connection("esdb", user, password, s.Addr(0))
}

// ClusterURL names all nodes as seeds.
func (s *Server) ClusterURL() string {
	addrs := make([]string, len(s.nodes))
	for i, n := range s.nodes {
		addrs[i] = n.addr
	}
	return s.connection("esdb", User, Password, strings.Join(addrs, ","))
}

// DiscoverURL has the nodes found by a name.
func (s *Server) DiscoverURL() string {
	_, port, _ := net.SplitHostPort(s.Addr(0))
	return s.connection("esdb+discover", User, Password, net.JoinHostPort("localhost", port))
}

func (s *Server) connection(scheme, user, password, hosts string) string {
	if s.options.Insecure {
		return scheme + "://" + hosts + "?tls=false"
	}
	return fmt.Sprintf("%s://%s@%s?tls=true&tlsCAFile=%s", scheme, url.UserPassword(user, password), hosts, url.QueryEscape(s.caFile))
}

// Events returns all that the log holds, with what the server and its users
// wrote about streams.
func (s *Server) Events() []Event {
	events, _ := s.log.all(0, false, 1<<62)
	return append([]Event(nil), events...)
}

// A node is one server of the cluster.
type node struct {
	s     *Server
	index int
	addr  string

	server *grpc.Server
	conns  *connections
}

// start listens, at the address of the last time if there was one.
func (n *node) start() error {
	addr := n.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var l net.Listener
	var err error
	var lc net.ListenConfig
	for range 100 { // the old listener's port may be free only in a moment
		if l, err = lc.Listen(context.Background(), "tcp", addr); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return err
	}
	n.addr = l.Addr().String()
	n.conns = &connections{Listener: l, open: map[net.Conn]bool{}, s: n.s}
	options := []grpc.ServerOption{
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.MaxRecvMsgSize(17 << 20),
	}
	if n.s.tls != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(n.s.tls)))
	}
	n.server = grpc.NewServer(options...)
	streams.RegisterStreamsServer(n.server, &service{n: n})
	serverfeatures.RegisterServerFeaturesServer(n.server, &features{n: n})
	gossip.RegisterGossipServer(n.server, &gossiper{n: n})
	go n.server.Serve(n.conns) //nolint:errcheck // ends with Stop
	return nil
}

// stop cuts all connections.
func (n *node) stop() {
	if n.server != nil {
		n.conns.cut()
		n.server.Stop()
		n.server = nil
	}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	info := &gossip.ClusterInfo{}
	for i, n := range s.nodes {
		host, port, _ := net.SplitHostPort(n.addr)
		var p uint32
		_, _ = fmt.Sscan(port, &p)
		m := &gossip.MemberInfo{
			State: gossip.MemberInfo_Follower, IsAlive: n.server != nil, HttpEndPoint: &gossip.EndPoint{Address: host, Port: p},
		}
		if i == s.leader {
			m.State = gossip.MemberInfo_Leader
		}
		info.Members = append(info.Members, m)
	}
	return info, nil
}
