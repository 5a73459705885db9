package remote

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/station"
)

// ErrRefused says that the server does not let this station in, or not any more. Asking
// again does not help.
var ErrRefused = errors.New("the service does not let this station in")

// ErrStranger says that what answers is no server of the installation that this station
// was let in at.
var ErrStranger = errors.New("what answers is not the service that this station belongs to")

var (
	errSilent = errors.New("the service fell silent")
	errCutOff = errors.New("the service broke off in the middle of an answer")
)

// A link asks a server one thing at a time, over connections that it keeps.
type link struct {
	service string // the URL
	client  *http.Client
	silence time.Duration // after which nobody is there any more
	now     func() time.Time

	mu     sync.Mutex
	bundle *Bundle
}

// CheckService reads the URL of a server.
func CheckService(service string) (string, error) {
	u, err := url.Parse(service)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return "", errors.New(`the service must be a URL such as "https://keydesk.example.org:8444"`)
	}
	return "https://" + u.Host, nil
}

func newLink(service string, b *Bundle, silence time.Duration, now func() time.Time) *link {
	l := &link{service: service, silence: silence, now: now, bundle: b}
	dialer := &net.Dialer{Timeout: silence, KeepAlive: 15 * time.Second}
	l.client = &http.Client{
		Transport: &http.Transport{
			DialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return l.dial(ctx, dialer, network, address)
			},
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return l
}

// dial connects with the certificate that is the station's now.
func (l *link) dial(ctx context.Context, dialer *net.Dialer, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	// The transport dials apart from who asked: without an end of its own, a
	// handshake that nobody answers would stay for ever.
	ctx, cancel := context.WithTimeout(ctx, l.silence)
	defer cancel()
	plain, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	b := l.current()
	conn := tls.Client(plain, &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: host, RootCAs: b.roots(), Time: l.now, NextProtos: []string{"http/1.1"},
		Certificates: []tls.Certificate{*b.tls()},
	})
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return conn, nil
}

func (l *link) current() *Bundle {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bundle
}

// use has the next connections be made with another bundle.
func (l *link) use(b *Bundle) {
	l.mu.Lock()
	l.bundle = b
	l.mu.Unlock()
	l.client.CloseIdleConnections()
}

// ask asks once, and calls heard at each sign of life. reached says that the
// server may have taken the question.
func (l *link) ask(ctx context.Context, useCase string, id desk.Call, body []byte, heard func()) (a answer, reached bool, err error) {
	ctx, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	patience := time.AfterFunc(l.silence, func() { hangUp(errSilent) })
	defer patience.Stop()
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodPost, l.service+pathPrefix+useCase, bytes.NewReader(body))
	if err != nil {
		return answer{}, false, err
	}
	r.Header.Set(callHeader, id.String())
	r.Header.Set("Content-Type", "application/json")
	response, err := l.client.Do(r)
	if err != nil {
		return answer{}, connected.Load(), l.why(ctx, err)
	}
	defer response.Body.Close() //nolint:errcheck // only read
	a, err = last(response, func() {
		patience.Reset(l.silence)
		heard()
	})
	switch {
	case err != nil:
		return answer{}, true, l.why(ctx, err)
	case a.Barred == station.WasRevoked, a.Barred == station.NotAdmitted, a.Barred == station.OldOne:
		return answer{}, true, fmt.Errorf("%w: %s", ErrRefused, a.Barred)
	case a.Barred != "":
		return answer{}, true, fmt.Errorf("%s at the service: %s", useCase, a.Barred)
	}
	return a, true, nil
}

// last reads lines until the one that is the answer.
func last(response *http.Response, heard func()) (answer, error) {
	if response.Header.Get("Content-Type") != contentType { // a proxy in between, say
		return answer{}, fmt.Errorf("the service answers %s, and not as Keydesk does", response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		heard()
		a, err := readAnswer(lines.Bytes())
		if err != nil || !a.Waiting {
			_, _ = io.CopyN(io.Discard, response.Body, 1) // the end: the connection can be used again
			return a, err
		}
	}
	if err := lines.Err(); err != nil {
		return answer{}, err
	}
	return answer{}, errCutOff
}

// why says in the words of this package why asking failed. That the server does
// not let the station's certificate in comes as an alert of TLS, after the
// handshake (RFC 8446, section 4.4.2.4).
func (l *link) why(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	if alert, ok := errors.AsType[*net.OpError](err); ok && alert.Op == "remote error" && strings.Contains(alert.Error(), "certificate") {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		if _, name := errors.AsType[x509.HostnameError](err); name {
			return fmt.Errorf("%w under that name (see stations.names in its settings): %w", ErrStranger, err)
		}
		return fmt.Errorf("%w: %w", ErrStranger, err)
	}
	return err
}

// encode writes a question, over TLS: what people typed goes to the server only.
func encode(a ask) ([]byte, error) { return json.Marshal(a) } //nolint:gosec // G117: it has to be sent
