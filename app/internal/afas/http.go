package afas

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/roster"
)

// What goes wrong with AFAS. No error holds a token, or anything of a row.
var (
	// ErrBadURL: not one that a token may be sent to.
	ErrBadURL = errors.New("not the https address of AFAS's REST services")
	// ErrBadToken: not one as AFAS makes them.
	ErrBadToken = errors.New("not a token of AFAS")
	// ErrToken: 401. AFAS tells a wrong token from none of these: a connector that is not
	// part of the app connector, a token that has ended.
	ErrToken = errors.New("AFAS refuses the token for this connector")
	// ErrForbidden: 403. The app connector is for other network addresses.
	ErrForbidden = errors.New("AFAS refuses this machine's network address")
	// ErrNotFound: 404.
	ErrNotFound = errors.New("AFAS has no such connector there")
	// ErrRedirected: the token is sent nowhere else.
	ErrRedirected = errors.New("the address sends elsewhere, and the token was not sent there")
	// ErrRefused: AFAS gives a reason, in its own log.
	ErrRefused = errors.New("AFAS refuses the question")
	// ErrBusy: it asked to be left alone, for longer or oftener than was waited.
	ErrBusy = errors.New("AFAS is busy")
	// ErrUnreachable: no answer, or one that broke off, each time.
	ErrUnreachable = errors.New("AFAS does not answer")
	// ErrGarbled: what answers is not a GetConnector.
	ErrGarbled = errors.New("the answer is not that of a GetConnector")
	// ErrPageTooLarge: more than MaxPage.
	ErrPageTooLarge = fmt.Errorf("one page is larger than %d MB", MaxPage>>20)
	// ErrChanging: rows came or went during each reading.
	ErrChanging = errors.New("the list changes while it is read")

	errMoved = errors.New("rows came or went between two pages")
)

// A NoFieldError names a field that was asked for and is not there.
type NoFieldError struct {
	Field roster.Field
	Name  string
	There []string // what the connector has
}

func (e *NoFieldError) Error() string {
	return fmt.Sprintf("the connector has no field %q for the %s; it has %s", e.Name, e.Field, strings.Join(e.There, ", "))
}

// How often something is asked for, and how long is waited in between: what AFAS is still
// busy with is not to be asked for again at once.
const (
	tries     = 4
	firstWait = time.Second
	maxWait   = 2 * time.Minute // as AFAS may wish
)

const connectTimeout = 10 * time.Second

func newClient(timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:    connectTimeout,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

var (
	wholeToken = regexp.MustCompile(`^<token><version>[0-9]+</version><data>[0-9A-Za-z]+</data></token>$`)
	tokenData  = regexp.MustCompile(`^[0-9A-F]{32,256}$`)
)

// inBase64 returns a token as the header has it, whichever way somebody copied it.
func inBase64(token string) (string, error) {
	token = strings.TrimSpace(token)
	if b, err := base64.StdEncoding.DecodeString(token); err == nil && wholeToken.Match(b) {
		token = string(b)
	}
	if tokenData.MatchString(token) {
		token = "<token><version>1</version><data>" + token + "</data></token>"
	}
	if !wholeToken.MatchString(token) {
		return "", ErrBadToken
	}
	return base64.StdEncoding.EncodeToString([]byte(token)), nil
}

// A retry is an error that may be over after a while.
type retry struct {
	error
	after time.Duration // 0: AFAS does not say
}

func (r *retry) Unwrap() error { return r.error }

// decode reads JSON. What is none may be an answer that was cut off on the way.
func decode(b []byte, to any) error {
	switch err := json.Unmarshal(b, to); {
	case err == nil:
		return nil
	case json.Valid(b):
		return ErrGarbled
	}
	return &retry{error: ErrGarbled}
}

// get asks for something of at most so many bytes and has it read. What may be over by
// then is tried again, after a wait that grows or that AFAS asked for.
func (c *Connector) get(ctx context.Context, address string, tries int, most int64, read func([]byte) error) error {
	for n, wait := 1, firstWait; ; n, wait = n+1, 2*wait {
		body, err := c.once(ctx, address, most)
		if err == nil {
			err = read(body)
		}
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		again, ok := errors.AsType[*retry](err)
		switch {
		case !ok:
			return err
		case again.after > maxWait:
			return fmt.Errorf("%w, and asks to be left alone for %s", again.error, again.after)
		case n == tries:
			return again.error
		}
		if err := c.pause(ctx, max(wait, again.after)); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// once asks once.
func (c *Connector) once(ctx context.Context, address string, most int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, ErrBadURL
	}
	r.Header = c.header.Clone()
	answer, err := c.client.Do(r)
	if err != nil {
		return nil, &retry{error: fmt.Errorf("%w (%s)", ErrUnreachable, cause(err))}
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(answer.Body, 64<<10)) // the status says the most
		return nil, judge(answer, b)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil:
		return nil, &retry{error: fmt.Errorf("%w (the answer broke off: %s)", ErrUnreachable, cause(err))}
	case int64(len(b)) > most:
		return nil, ErrPageTooLarge
	}
	return b, nil
}

// logReference is where AFAS says more, in Profit.
var logReference = regexp.MustCompile(`^[0-9A-Fa-f-]{8,64}$`)

// judge turns an answer that holds no rows into an error.
func judge(answer *http.Response, body []byte) error {
	var says struct {
		ExternalMessage    string
		ProfitLogReference string
		RetryAfter         float64 `json:"retry_after"`
	}
	_ = json.Unmarshal(body, &says) // a proxy in front says nothing of the kind
	switch s := answer.StatusCode; {
	case 300 <= s && s < 400:
		return ErrRedirected
	case s == http.StatusUnauthorized:
		return ErrToken
	case s == http.StatusForbidden:
		return ErrForbidden
	case s == http.StatusNotFound:
		return ErrNotFound
	case s == http.StatusTooManyRequests, s == http.StatusServiceUnavailable:
		wait := retryAfter(answer.Header)
		if wait == 0 && 0 < says.RetryAfter && says.RetryAfter < 1e6 {
			wait = time.Duration(says.RetryAfter * float64(time.Second))
		}
		return &retry{fmt.Errorf("%w (%d)", ErrBusy, s), wait}
	case s >= 500 && says.ExternalMessage == "":
		return &retry{error: fmt.Errorf("%w (status %d)", ErrUnreachable, s)}
	}
	why := ""
	if logReference.MatchString(says.ProfitLogReference) {
		why = ", for a reason that its log has under " + says.ProfitLogReference
	}
	return fmt.Errorf("%w (status %d)%s%s", ErrRefused, answer.StatusCode, hint(says.ExternalMessage), why)
}

// hint knows some of AFAS's answers again. Its own words may hold anything.
func hint(message string) string {
	message = strings.ToLower(message)
	for _, known := range []struct{ part, says string }{
		{"geblokkeerd", ": the connector is blocked there"},
		{"blocked", ": the connector is blocked there"},
		{"niet geautoriseerd", ": the token's user may not use the connector"},
		{"not authorized", ": the token's user may not use the connector"},
		{"niet gevonden", ": a field is not there any more"},
		{"out of ", ": the page is too large for it"},
		{"maximale tijdsduur", ": it took too long"},
		{"maximum duration", ": it took too long"},
	} {
		if strings.Contains(message, known.part) {
			return known.says
		}
	}
	return ""
}

// retryAfter reads how long to wait (RFC 9110 section 10.2.3); 0 where it is not said.
func retryAfter(h http.Header) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(h.Get("Date")) // the same clock that named the time
	if err != nil {
		from = time.Now()
	}
	return max(until.Sub(from), 0)
}

// cause names what went wrong with a connection, in words that hold nothing that the
// other side wrote.
func cause(err error) string {
	var (
		dns       *net.DNSError
		unknownCA x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		timeout   net.Error
	)
	switch {
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
	}
	return "connection failed"
}
