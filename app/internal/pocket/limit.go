package pocket

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits bound what one address, and all of them together, may ask. The zero
// value of each field stands for its default. A whole office, which logs in at
// nine, may share one address.
type Limits struct {
	Requests  int           // requests a minute and address; default 6,000
	Claims    int           // claims a minute and address; default 60
	Finds     int           // look-ups of typed codes a minute and address; default 20
	Asks      int           // questions what waits a minute and address; default 3,000
	Decisions int           // decisions a minute and address; default 600
	Stops     int           // codes that stop a case a minute and address; default 20
	Addresses int           // addresses remembered; default 10,000, about 1 MB for each of the six
	Waiting   int           // phones that may wait for their station at once; default 500
	Asking    int           // phones that may wait for a login at once; default 2,000
	Wait      time.Duration // how long one waiting request lasts; default 25 s
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.Requests, 6000},
		{&l.Claims, 60},
		{&l.Finds, 20},
		{&l.Asks, 3000},
		{&l.Decisions, 600},
		{&l.Stops, 20},
		{&l.Addresses, 10_000},
		{&l.Waiting, 500},
		{&l.Asking, 2000},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
	if l.Wait <= 0 {
		l.Wait = 25 * time.Second
	}
	return l
}

// deviceWaits is how many questions of one phone may wait at once: a page that was
// opened twice, and one that has just gone.
const deviceWaits = 4

// A crowd counts who is in, by key, so that one phone cannot take everybody's places.
type crowd struct {
	mu sync.Mutex
	in map[string]int
}

// enter lets one more in, if there is room.
func (c *crowd) enter(key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in[key] >= deviceWaits {
		return false
	}
	if c.in == nil {
		c.in = map[string]int{}
	}
	c.in[key]++
	return true
}

func (c *crowd) leave(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in[key]--; c.in[key] <= 0 {
		delete(c.in, key)
	}
}

// A limiter gives each address a bucket of tokens that fills up again within a
// minute. It remembers a bounded number of addresses; when more come, it
// forgets those whose buckets are full, and if none is, any one. It may be
// used concurrently.
type limiter struct {
	perMinute float64
	addresses int
	now       func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(perMinute, addresses int, now func() time.Time) *limiter {
	return &limiter{
		perMinute: float64(perMinute), addresses: addresses, now: now,
		buckets: map[netip.Prefix]bucket{},
	}
}

// allow takes a token of the address, if there is one.
func (l *limiter) allow(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, ok := l.buckets[from]
	if !ok {
		l.makeRoom(now)
		b = bucket{tokens: l.perMinute, at: now}
	}
	b.tokens = l.filled(b, now)
	b.at = now
	allowed := b.tokens >= 1
	if allowed {
		b.tokens--
	}
	l.buckets[from] = b
	return allowed
}

func (l *limiter) filled(b bucket, now time.Time) float64 {
	return min(l.perMinute, b.tokens+now.Sub(b.at).Minutes()*l.perMinute)
}

func (l *limiter) makeRoom(now time.Time) {
	if len(l.buckets) < l.addresses {
		return
	}
	for from, b := range l.buckets {
		if l.filled(b, now) >= l.perMinute {
			delete(l.buckets, from)
		}
	}
	for from := range l.buckets {
		if len(l.buckets) < l.addresses {
			return
		}
		delete(l.buckets, from)
	}
}

// Network returns how the network that a request came from is found out, for
// others that limit requests: see Config.TrustedProxies.
func Network(trusted []netip.Prefix) func(*http.Request) netip.Prefix {
	return func(r *http.Request) netip.Prefix { return client(r, trusted) }
}

// client returns the network that a request came from: one IPv4 address, or an
// IPv6 /64, which is what one household or phone has. X-Forwarded-For counts
// only as far as trusted proxies wrote it.
func client(r *http.Request, trusted []netip.Prefix) netip.Prefix {
	from := parseAddr(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		isTrusted := slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(from) })
		next := parseAddr(strings.TrimSpace(hop))
		if !isTrusted || !next.IsValid() {
			break
		}
		from = next
	}
	bits := 64
	if from.Is4() {
		bits = 32
	}
	p, err := from.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no IP address, such as a socket: all share one bucket
	}
	return p
}

// parseAddr reads an address with or without a port.
func parseAddr(s string) netip.Addr {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}
