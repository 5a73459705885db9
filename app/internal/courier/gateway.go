package courier

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/keydesk/keydesk/domain"
)

const (
	gatewayTimeout = 15 * time.Second // for one message, connecting included
	connectTimeout = 5 * time.Second
	answerLimit    = 64 << 10 // bytes read of an answer; the real ones take less than 2 KiB
)

// An Endpoint says how a provider is reached. The zero Endpoint is the
// provider's own address, with the system's certificate authorities.
type Endpoint struct {
	URL     string         // https, or http to a loopback address
	RootCAs *x509.CertPool // nil: the system's
	Timeout time.Duration  // for one message; 0: 15 s
}

// A gateway speaks HTTP with one provider.
type gateway struct {
	name   string
	url    string
	client *http.Client
}

// newGateway refuses an address over which a code could be read on the way.
func newGateway(name string, e Endpoint, standard string) (*gateway, error) {
	if e.URL == "" {
		e.URL = standard
	}
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%s: not the URL of a gateway", name)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("%s: the URL must begin with https://", name)
	}
	if e.Timeout == 0 {
		e.Timeout = gatewayTimeout
	}
	var http1 http.Protocols
	http1.SetHTTP1(true)
	return &gateway{name: name, url: e.URL, client: &http.Client{
		Timeout: e.Timeout,
		// A redirected message could be sent twice, or elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout: connectTimeout,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: e.RootCAs},
			// A kept connection that the gateway closes at the same moment
			// would leave the outcome of a send unknown: a new one for each.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: answerLimit,
			Protocols:              &http1,
		},
	}}, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// An answer is what a gateway said, as far as answerLimit goes.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// post sends one request, once. Its errors are domain.ErrUnavailable where
// nothing of it left, domain.ErrUnknownOutcome where anything did.
func (g *gateway) post(ctx context.Context, header http.Header, body []byte) (answer, error) {
	var left atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		// Told after TCP, TLS and any proxy, just before the first byte.
		GotConn: func(httptrace.GotConnInfo) { left.Store(true) },
	})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", g.name, domain.ErrUnavailable)
	}
	r.GetBody = nil // so that nothing on the way can send it again
	r.Header = header
	r.Header.Set("User-Agent", "Keydesk")
	r.Header.Set("Accept", "application/json")
	resp, err := g.client.Do(r)
	switch {
	case err == nil:
	case left.Load():
		return answer{}, fmt.Errorf("%s: no answer (%s): %w", g.name, cause(err), domain.ErrUnknownOutcome)
	default:
		return answer{}, fmt.Errorf("%s: connect: %s: %w", g.name, cause(err), domain.ErrUnavailable)
	}
	defer func() { _ = resp.Body.Close() }()
	// A body that breaks off leaves what came: the status says the most.
	got, _ := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	return answer{status: resp.StatusCode, header: resp.Header, body: got}, nil
}

// get asks a question that changes nothing. Its error is domain.ErrUnavailable.
func (g *gateway) get(ctx context.Context, url string, header http.Header) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", g.name, domain.ErrUnavailable)
	}
	r.Header = header
	r.Header.Set("User-Agent", "Keydesk")
	r.Header.Set("Accept", "application/json")
	resp, err := g.client.Do(r)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %s: %w", g.name, cause(err), domain.ErrUnavailable)
	}
	defer func() { _ = resp.Body.Close() }()
	got, _ := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	return answer{status: resp.StatusCode, header: resp.Header, body: got}, nil
}

// judge turns an answer that the provider has no better word for into an error;
// nil for 2xx. RFC 9110 section 15.
func (g *gateway) judge(a answer) error {
	switch s := a.status; {
	case s >= 200 && s < 300:
		return nil
	case s >= 300 && s < 400:
		return g.reject(a, Misconfigured)
	case s == http.StatusUnauthorized, s == http.StatusForbidden, s == http.StatusProxyAuthRequired:
		return g.reject(a, Auth)
	case s == http.StatusPaymentRequired:
		return g.reject(a, NoCredit)
	case s == http.StatusNotFound, s == http.StatusMethodNotAllowed:
		return g.reject(a, Misconfigured)
	case s == http.StatusTooManyRequests:
		return g.reject(a, RateLimited)
	case s >= 400 && s < 500:
		return g.reject(a, Refused)
	case s == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "":
		return g.reject(a, Busy) // it speaks for itself; a proxy in front does not name a time
	}
	// Any other 5xx may come from something in front, after the message went in.
	return fmt.Errorf("%s: status %d: %w", g.name, a.status, domain.ErrUnknownOutcome)
}

// reject refuses, and for "too many" and "later" says until when.
func (g *gateway) reject(a answer, reason Reason) error {
	r := &Rejected{Provider: g.name, Reason: reason, Status: a.status}
	if reason != RateLimited && reason != Busy {
		return r
	}
	return &paused{Rejected: r, wait: retryAfter(a.header)}
}

// garbled is for a success that does not say what became of the message.
func (g *gateway) garbled(a answer) error {
	return fmt.Errorf("%s: status %d with an answer that is not the provider's: %w", g.name, a.status, domain.ErrUnknownOutcome)
}

// paused is a Rejected of a provider that is to be left alone for a while.
type paused struct {
	*Rejected
	wait time.Duration
}

func (p *paused) Unwrap() error { return p.Rejected }

const (
	pauseUnsaid  = 30 * time.Second
	pauseLongest = time.Hour
)

// retryAfter reads how long to wait (RFC 9110 section 10.2.3), between 0 and an
// hour; half a minute where it is not said.
func retryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(v, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, pauseLongest)
	}
	until, err := http.ParseTime(v)
	if err != nil {
		return pauseUnsaid
	}
	from, err := http.ParseTime(h.Get("Date")) // the same clock that named the time
	if err != nil {
		from = time.Now()
	}
	return min(max(until.Sub(from), 0), pauseLongest)
}

// providerID keeps an id that a provider gave, if it is one that may be
// recorded: short, plain, and without the number in it. Otherwise ours.
func providerID(given, number, ours string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_'
	}
	if given == "" || len(given) > 64 || strings.ContainsFunc(given, func(r rune) bool { return !plain(r) }) {
		return ours
	}
	subscriber := number[max(1, len(number)-8):] // without +, country and trunk
	if strings.Contains(strings.NewReplacer("-", "", "_", "").Replace(given), subscriber) {
		return ours
	}
	return given
}

// cause names what went wrong with a connection, in words that hold no URL, no
// address of a person and nothing that the other side wrote.
func cause(err error) string {
	var (
		dns       *net.DNSError
		unknownCA x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		op        *net.OpError
		timeout   net.Error
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.As(err, &dns):
		return "the host is not known"
	case errors.As(err, &unknownCA):
		return "certificate of an unknown authority"
	case errors.As(err, &hostname):
		return "certificate for another host"
	case errors.As(err, &invalid):
		return "certificate not valid"
	case errors.As(err, &record):
		return "no TLS spoken there"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.As(err, &op):
		return op.Op + " failed"
	}
	return noCause
}

const noCause = "connection failed"

// needs refuses a setting that is missing.
func needs(provider, setting, value string) error {
	if value == "" {
		return fmt.Errorf("%s: no %s", provider, setting)
	}
	return nil
}
