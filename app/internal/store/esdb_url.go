package store

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// ErrURL says what is wrong with the URL of an EventStoreDB log, or with a
// file that it names.
var ErrURL = errors.New("not a usable EventStoreDB URL")

// esdbKeys are the keys that such a URL may have. The client would only warn
// of others, and a misspelt "tls" is no matter for a warning.
var esdbKeys = []string{
	"tls", "tlsVerifyCert", "tlsCAFile", "userCertFile", "userKeyFile", "nodePreference",
	"gossipTimeout", "keepAliveInterval", "keepAliveTimeout", "defaultDeadline",
	"maxDiscoverAttempts", "discoveryInterval",
}

// configure makes a client's configuration of a URL. Everything that can be
// checked without a server is checked here.
func configure(rawURL string, o Options) (*esdb.Configuration, error) {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	rest, query, _ := strings.Cut(rest, "?")
	user, hosts := "", rest
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, hosts = rest[:at], rest[at+1:]
	}
	hosts = strings.TrimSuffix(hosts, "/")
	names, err := checkHosts(hosts)
	if err != nil {
		return nil, err
	}
	if scheme == "esdb+discover" && len(names) > 1 {
		return nil, fmt.Errorf("%w: with %s there is one name, which stands for all nodes; with %s the nodes are listed", ErrURL, SchemeDiscover, SchemeESDB)
	}
	if err := checkQuery(query); err != nil {
		return nil, err
	}
	// The client's own parser reads what is checked, without the credentials,
	// so that no error of it can repeat them.
	c, err := esdb.ParseConnectionString("esdb://" + names[0] + "/?" + query)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrURL, err)
	}
	c.DnsDiscover = scheme == "esdb+discover"
	if len(names) > 1 {
		c.Address = ""
		for _, name := range names {
			host, port := splitHost(name)
			c.GossipSeeds = append(c.GossipSeeds, &esdb.EndPoint{Host: host, Port: port})
		}
	}
	if err := identifyUser(c, user, o); err != nil {
		return nil, err
	}
	if err := useFiles(c, o); err != nil {
		return nil, err
	}
	if c.DisableTLS && c.Username != "" && !allLoopback(names) {
		return nil, fmt.Errorf("%w: tls=false together with a user and password: without TLS the client sends no credentials, "+
			"and the server could not be told from another; remove tls=false, or the credentials where the server wants none", ErrURL)
	}
	// A failed discovery is ours to repeat, with a new client: see session.go.
	c.MaxDiscoverAttempts, c.DiscoveryInterval = 1, 1
	c.Logger = esdb.NoopLogging()
	return c, nil
}

// checkHosts returns the nodes of the URL, each with its port.
func checkHosts(hosts string) ([]string, error) {
	names := strings.Split(hosts, ",")
	for i, name := range names {
		host, port, found := strings.Cut(name, ":")
		switch {
		case strings.ContainsAny(name, "[]") || strings.Count(name, ":") > 1:
			return nil, fmt.Errorf("%w: the client takes no IPv6 addresses; use a name", ErrURL)
		case host == "":
			return nil, fmt.Errorf("%w: host %d is empty", ErrURL, i+1)
		case strings.ContainsAny(host, "/ \t#%"):
			return nil, fmt.Errorf("%w: host %d is no host", ErrURL, i+1)
		case !found:
			names[i] = host + ":2113"
		default:
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return nil, fmt.Errorf("%w: the port of host %d is no port", ErrURL, i+1)
			}
		}
	}
	return names, nil
}

// splitHost takes apart what checkHosts has checked.
func splitHost(name string) (string, uint16) {
	host, port, _ := strings.Cut(name, ":")
	n, _ := strconv.ParseUint(port, 10, 16)
	return host, uint16(n)
}

func checkQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("%w: what follows the ? is not key=value&key=value", ErrURL)
	}
	seen := make(map[string]bool)
	for key, vs := range values {
		known := false
		for _, k := range esdbKeys {
			known = known || strings.EqualFold(k, key)
		}
		switch {
		case !known:
			return fmt.Errorf("%w: unknown key %q; known are %s", ErrURL, key, strings.Join(esdbKeys, ", "))
		case len(vs) > 1 || seen[strings.ToLower(key)]:
			return fmt.Errorf("%w: %s is there twice", ErrURL, key)
		}
		seen[strings.ToLower(key)] = true
		if strings.EqualFold(key, "nodePreference") && !strings.EqualFold(vs[0], "leader") {
			// What was decided is read again after it was recorded. A follower may not have
			// heard of the last events, and a login would overtake a freeze.
			return fmt.Errorf("%w: nodePreference has to be leader, or left out", ErrURL)
		}
		if strings.EqualFold(key, "defaultDeadline") { // the client takes a word for 0
			if n, err := strconv.Atoi(vs[0]); err != nil || n < 1 {
				return fmt.Errorf("%w: defaultDeadline has to be a number of milliseconds", ErrURL)
			}
		}
	}
	return nil
}

// identifyUser sets whom the client says it is.
func identifyUser(c *esdb.Configuration, inURL string, o Options) error {
	name, password, _ := strings.Cut(inURL, ":")
	var err error
	if c.Username, err = url.PathUnescape(name); err == nil {
		c.Password, err = url.PathUnescape(password)
	}
	if err != nil {
		return fmt.Errorf("%w: a %% in the user or password has to be written %%25", ErrURL)
	}
	switch {
	case o.User != "":
		c.Username, c.Password = o.User, o.Password
	case o.Password != "":
		c.Password = o.Password
	}
	if (c.Username == "") != (c.Password == "") {
		return fmt.Errorf("%w: a user and a password, or neither", ErrURL)
	}
	return nil
}

// useFiles sets the files of the options, and looks into those of the URL.
func useFiles(c *esdb.Configuration, o Options) error {
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return fmt.Errorf("%w: the CA's file: %w", ErrURL, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("%w: %s holds no certificate", ErrURL, o.CAFile)
		}
	}
	if o.CertFile != "" || o.KeyFile != "" {
		c.UserCertFile, c.UserKeyFile = o.CertFile, o.KeyFile
	}
	if err := c.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrURL, err)
	}
	for _, name := range []string{c.UserCertFile, c.UserKeyFile} {
		if name == "" {
			continue
		}
		if _, err := os.Stat(name); err != nil {
			return fmt.Errorf("%w: the user's certificate or key: %w", ErrURL, err)
		}
	}
	return nil
}

func allLoopback(names []string) bool {
	for _, name := range names {
		host, _ := splitHost(name)
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}
