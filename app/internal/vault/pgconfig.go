package vault

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// poolSize is how many connections one program has at most, unless the URL
	// says pool_max_conns.
	poolSize = 8
	// connectWithin bounds the connecting to one host, unless the URL says
	// connect_timeout.
	connectWithin = 5 * time.Second
	// defaultSchema is where the tables stand, unless the URL says search_path.
	defaultSchema = "keydesk"
)

// plainName is what a schema may be called: a name that needs no quotes.
var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// parsePostgres reads the URL. Its errors tell nothing of what stands in it: a
// mistyped URL may have the password anywhere.
func parsePostgres(raw string, o Options) (*pgxpool.Config, error) {
	_, text, _ := strings.Cut(raw, "?")
	given, err := url.ParseQuery(text)
	if err != nil {
		return nil, errBadURL
	}
	if o.CAFile != "" {
		raw = with(raw, "sslrootcert", o.CAFile)
	}
	c, err := parse(raw)
	if err != nil {
		return nil, err
	}
	if !given.Has("sslmode") && !given.Has("ssl") && (o.CAFile != "" || slices.ContainsFunc(hosts(c.ConnConfig), host.remote)) {
		if c, err = parse(with(raw, "sslmode", "verify-full")); err != nil {
			return nil, err
		}
	}
	if err := safe(c.ConnConfig); err != nil {
		return nil, err
	}
	return c, complete(c, given, o)
}

var errBadURL = errors.New("the URL, or a PG… variable of the environment, cannot be read; " +
	"write special characters of a password with % codes, or leave it out here and set it by itself")

// with returns the URL with one more setting.
func with(raw, name, value string) string {
	sign := "?"
	if strings.Contains(raw, "?") {
		sign = "&"
	}
	return raw + sign + name + "=" + url.PathEscape(value)
}

func parse(raw string) (*pgxpool.Config, error) {
	c, err := pgxpool.ParseConfig(raw)
	if missing, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("read a file that the URL names: %w", missing)
	} else if err != nil {
		return nil, errBadURL
	}
	return c, nil
}

// complete fills in what the URL does not say.
func complete(c *pgxpool.Config, given url.Values, o Options) error {
	conn := c.ConnConfig
	conn.User, conn.Password = cmp.Or(o.User, conn.User), cmp.Or(o.Password, conn.Password)
	schema := cmp.Or(conn.RuntimeParams["search_path"], defaultSchema)
	if !plainName.MatchString(schema) {
		return errors.New("search_path has to be the name of one schema, in small letters")
	}
	conn.RuntimeParams["search_path"] = schema
	conn.RuntimeParams["application_name"] = cmp.Or(conn.RuntimeParams["application_name"], "keydesk")
	if !given.Has("pool_max_conns") {
		c.MaxConns = poolSize
	}
	if conn.ConnectTimeout == 0 {
		conn.ConnectTimeout = connectWithin
	}
	conn.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}).DialContext
	if conn.ValidateConnect == nil && len(hostNames(conn)) > 1 { // after a failover only one of them takes writes
		conn.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return nil
}

// A host is one place to connect to.
type host struct {
	pgconn.FallbackConfig
}

func hosts(c *pgx.ConnConfig) []host {
	all := []host{{pgconn.FallbackConfig{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}}
	for _, f := range c.Fallbacks {
		all = append(all, host{*f})
	}
	return all
}

// remote says that what is sent there leaves this machine.
func (h host) remote() bool {
	if network, _ := pgconn.NetworkAddress(h.Host, h.Port); network == "unix" {
		return false
	}
	ip, err := netip.ParseAddr(h.Host)
	return h.Host != "localhost" && (err != nil || !ip.IsLoopback())
}

// verified says that the connection is encrypted, and that the server shows a
// certificate for its name from somebody whom we trust.
func (h host) verified() bool {
	return h.TLSConfig != nil && !h.TLSConfig.InsecureSkipVerify && h.TLSConfig.ServerName != ""
}

// safe refuses to go to another machine without encryption, or without knowing
// which machine it is.
func safe(c *pgx.ConnConfig) error {
	for _, h := range hosts(c) {
		if h.remote() && !h.verified() {
			return fmt.Errorf("%w: to %s it has to be sslmode=verify-full (or leave sslmode out); "+
				"with a certificate authority of your own, name its file", ErrNotEncrypted, h.Host)
		}
	}
	return nil
}

// hostNames names each host once; sslmode=prefer has each twice.
func hostNames(c *pgx.ConnConfig) (names []string) {
	for _, h := range hosts(c) {
		names = append(names, net.JoinHostPort(h.Host, strconv.Itoa(int(h.Port))))
	}
	return slices.Compact(names)
}

// placeOf names the database in errors, without user and password.
func placeOf(c *pgx.ConnConfig) string {
	return fmt.Sprintf("%q on %s", c.Database, strings.Join(hostNames(c), ", "))
}
