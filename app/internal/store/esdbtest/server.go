package esdbtest

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The user that URL names, who may do what Keydesk does.
const (
	User     = "keydesk"
	Password = "secret"
)

// The user who is in $admins and $ops.
const (
	Admin         = "admin"
	AdminPassword = "changeit"
)

// Options choose a server. The zero Options is one node with TLS.
type Options struct {
	Insecure bool              // no TLS, and so no users
	Nodes    int               // 1, or 3 of a cluster
	Users    map[string]string // passwords by name; Admin and User by default
	Denied   bool              // User may not read everything yet, as on a fresh server
	Clock    func() time.Time  // time.Now
	Version  string            // 24.10.0

	// Lax has every checkpoint be the place of a record, and any position do. On
	// a real server, a checkpoint on the way to the head may lie between two
	// records, in front of one that was not sent yet, and nobody may begin in the
	// middle of a record.
	Lax bool
}

// A Server is an EventStoreDB of one or more nodes on loopback addresses, over
// one log in memory. Its methods may be called concurrently.
type Server struct {
	options Options
	log     *log
	faults  faults
	nodes   []*node
	tls     *tls.Config
	caFile  string

	mu     sync.Mutex
	leader int
}

// Start starts a server, which is stopped when the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Users == nil {
		o.Users = map[string]string{Admin: AdminPassword, User: Password}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Version == "" {
		o.Version = "24.10.0"
	}
	s := &Server{options: o, log: newLog(o.Clock)}
	s.faults.thaw, s.faults.drop = make(chan struct{}), make(chan struct{})
	close(s.faults.thaw)
	if !o.Denied {
		s.log.append("$$$all", expectAny, []Event{statement(`{"$acl":{"$r":["$admins","` + User + `"]}}`)})
	}
	if !o.Insecure {
		s.tls, s.caFile = certify(tb)
	}
	tb.Cleanup(func() { s.Thaw(); s.Stop() })
	for i := range o.Nodes {
		n := &node{s: s, index: i, open: map[*connection]bool{}}
		if err := n.start(); err != nil {
			tb.Fatal(err)
		}
		s.nodes = append(s.nodes, n)
	}
	return s
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

// DiscoverURL has the nodes found by a name, which is the first one's.
func (s *Server) DiscoverURL() string {
	_, port, _ := net.SplitHostPort(s.Addr(0))
	return s.connection("esdb+discover", User, Password, net.JoinHostPort("localhost", port))
}

func (s *Server) connection(scheme, user, password, hosts string) string {
	if s.options.Insecure {
		return scheme + "://" + hosts + "?tls=false"
	}
	return fmt.Sprintf("%s://%s@%s?tls=true&tlsCAFile=%s", scheme, url.UserPassword(user, password), hosts, url.QueryEscape(s.CAFile()))
}

// Events returns all that the log holds, with what the server and its users
// wrote about streams.
func (s *Server) Events() []Event {
	var all []Event
	for {
		records := s.log.records(len(all))
		if len(records) == 0 {
			return all
		}
		all = slices.Concat(all, records)
	}
}

// Counts returns how many appends, reads and subscriptions were asked for.
func (s *Server) Counts() (appends, reads, subscriptions int) {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	return s.faults.appends, s.faults.reads, s.faults.subscriptions
}

// Connections returns how many connections there are to all nodes.
func (s *Server) Connections() int {
	open := 0
	for _, n := range s.nodes {
		open += n.connections()
	}
	return open
}
