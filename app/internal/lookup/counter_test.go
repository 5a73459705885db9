package lookup_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/clients"
	"github.com/keydesk/keydesk/projections/factor"
)

// told are logins of which a test says what becomes of them.
type told struct {
	start                 func(context.Context, desk.LoginAttempt) (desk.Login, error)
	code                  func(ctx context.Context, client, id, code string) (desk.Login, error)
	state, resend, redeem func(ctx context.Context, client, id string) (desk.Login, error)
}

func (l told) StartLogin(ctx context.Context, a desk.LoginAttempt) (desk.Login, error) {
	return l.start(ctx, a)
}

func (l told) LoginCode(ctx context.Context, client, id, code string) (desk.Login, error) {
	return l.code(ctx, client, id, code)
}

func (l told) LoginState(ctx context.Context, client, id string) (desk.Login, error) {
	return l.state(ctx, client, id)
}

func (l told) ResendLogin(ctx context.Context, client, id string) (desk.Login, error) {
	return l.resend(ctx, client, id)
}

func (l told) RedeemLogin(ctx context.Context, client, id string) (desk.Login, error) {
	return l.redeem(ctx, client, id)
}

// refusing refuses every step.
func refusing(err error) told {
	step := func(context.Context, string, string) (desk.Login, error) { return desk.Login{}, err }
	return told{
		start: func(context.Context, desk.LoginAttempt) (desk.Login, error) { return desk.Login{}, err },
		code:  func(context.Context, string, string, string) (desk.Login, error) { return desk.Login{}, err },
		state: step, resend: step, redeem: step,
	}
}

// aLogin is one's id.
const aLogin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

var aSubject = domain.SubjectID{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89}

// succeeding are logins that succeed at every step.
func succeeding(f enrolment.Factor) told {
	login := func(s desk.LoginStatus) desk.Login {
		return desk.Login{
			ID: aLogin, Status: s, Factor: f, Digits: "123456", Expires: time.Now().Add(time.Minute), Tries: 5,
			ResendIn: 1500 * time.Millisecond, Delivery: desk.Sending, Subject: aSubject, Revision: 12, At: time.Unix(1_790_000_000, 0),
		}
	}
	step := func(s desk.LoginStatus) func(context.Context, string, string) (desk.Login, error) {
		return func(context.Context, string, string) (desk.Login, error) { return login(s), nil }
	}
	return told{
		start: func(context.Context, desk.LoginAttempt) (desk.Login, error) { return login(desk.LoginPending), nil },
		code: func(context.Context, string, string, string) (desk.Login, error) {
			return login(desk.LoginSucceeded), nil
		},
		state: step(desk.LoginApproved), resend: step(desk.LoginPending), redeem: step(desk.LoginSucceeded),
	}
}

// ring holds one master key.
type ring struct{ master string }

var errNoMaster = errors.New("the ring holds no such key")

func (r ring) DeriveWith(master, purpose string) ([32]byte, error) {
	if master != r.master {
		return [32]byte{}, errNoMaster
	}
	return sha256.Sum256([]byte(master + "/" + purpose)), nil
}

// A counter answers the API, without a home behind it.
type counter struct {
	*httptest.Server
	t         testing.TB
	directory *clients.Directory
	clock     *clock
	logs      *observer.ObservedLogs
	at        domain.Position
	handler   *lookup.Handler
}

// newCounter answers logins of the client "portal", who has the scope and the
// token, and of "office", who has the other scope.
func newCounter(tb testing.TB, logins lookup.Logins) *counter {
	tb.Helper()
	core, logs := observer.New(zap.DebugLevel)
	c := &counter{t: tb, directory: clients.New(), clock: &clock{}, logs: logs}
	c.handler = lookup.NewHandler(lookup.Config{
		Factors: factor.New(), Feed: still{1}, Clients: c.directory, ClientsKnown: func() bool { return true },
		Subject: func(context.Context, string) (domain.SubjectID, error) { return domain.SubjectID{}, domain.ErrNotFound },
		Address: func(*http.Request) netip.Prefix { return netip.Prefix{} },
		Log:     zap.New(core), Now: c.clock.now, PerClient: 1 << 30, PerAddress: 1 << 30,
		Logins: logins, Keys: ring{"m1"}, Issuer: "https://keydesk.example",
	})
	c.Server = httptest.NewServer(c.handler)
	tb.Cleanup(c.Close)
	c.record(service.ClientAdded{Client: "portal", Scopes: []service.Scope{service.Login}, Token: hashOf(token)})
	c.record(service.ClientAdded{Client: "office", Scopes: []service.Scope{service.ReadFactor}, Token: hashOf(office)})
	c.record(service.KeyRotated{Key: "0000000000000001", Master: "m1", From: time.Now()})
	return c
}

const office = "keydesk_office.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"

// record has the server hear of an event.
func (c *counter) record(e service.Event) {
	c.t.Helper()
	m, err := service.Message(e, domain.Stamp{})
	if err != nil {
		c.t.Fatal(err)
	}
	c.at++
	c.directory.Apply([]domain.Recorded{{Message: m, Stream: domain.ServiceStream, Position: c.at}}, c.at)
}

// ask sends a request with the token of the portal; with another one where the
// header says so.
func (c *counter) ask(method, path, body string, header map[string]string) *http.Response {
	c.t.Helper()
	return askAt(c.t, c.URL, method, path, body, token, header)
}

func askAt(tb testing.TB, base, method, path, body, token string, header map[string]string) *http.Response {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// steps are all requests of a login.
var steps = map[string]struct{ method, path, body string }{
	"password": {http.MethodPost, "/v1/logins", `{"email":"a@voorbeeld.nl","password":"p"}`},
	"code":     {http.MethodPost, "/v1/logins/" + aLogin + "/code", `{"code":"123456"}`},
	"approval": {http.MethodGet, "/v1/logins/" + aLogin, ""},
	"resend":   {http.MethodPost, "/v1/logins/" + aLogin + "/resend", ""},
}

// step asks for one of them.
func (c *counter) step(name string) *http.Response {
	c.t.Helper()
	s := steps[name]
	return c.ask(s.method, s.path, s.body, nil)
}

// said returns all that the program's log, metrics and the answers say.
func (c *counter) said(answers ...*http.Response) string {
	c.t.Helper()
	var b strings.Builder
	for _, line := range c.logs.All() {
		fields, err := json.Marshal(line.ContextMap())
		if err != nil {
			c.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", line.Message, fields)
	}
	for _, r := range append(answers, c.ask(http.MethodGet, "/metrics", "", nil)) {
		fmt.Fprintf(&b, "%v\n", r.Header)
		if _, err := io.Copy(&b, r.Body); err != nil {
			c.t.Fatal(err)
		}
	}
	return b.String()
}

// verify is what the portal does with an assertion.
func verify(tb testing.TB, base, assertion string, options ...jwt.ParseOption) (jwt.Token, error) {
	tb.Helper()
	return verifyFor(tb, base, "portal", assertion, options...)
}

// verifyFor is what a client does with an assertion: with the keys that are
// fetched, and for itself.
func verifyFor(tb testing.TB, base, client, assertion string, options ...jwt.ParseOption) (jwt.Token, error) {
	tb.Helper()
	keys, err := jwk.Fetch(tb.Context(), base+"/.well-known/jwks.json", jwk.WithHTTPClient(http.DefaultClient))
	if err != nil {
		tb.Fatal(err)
	}
	return jwt.Parse([]byte(assertion), append([]jwt.ParseOption{
		jwt.WithKeySet(keys), jwt.WithAudience(client), jwt.WithRequiredClaim(jwt.ExpirationKey), jwt.WithRequiredClaim(jwt.JwtIDKey),
	}, options...)...)
}

// unsigned is an assertion without a signature that says what another one does.
func unsigned(assertion string) string {
	return "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + strings.Split(assertion, ".")[1] + "."
}

// symmetric is one that is "signed" with the public key as a shared secret.
func symmetric(tb testing.TB, assertion string, public []byte) string {
	tb.Helper()
	t, err := jwt.ParseInsecure([]byte(assertion))
	if err != nil {
		tb.Fatal(err)
	}
	b, err := jwt.Sign(t, jwt.WithKey(jwa.HS256(), public))
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// serve answers at another address, with the bounds of the program.
func (c *counter) serve() string {
	c.t.Helper()
	l, err := new(net.ListenConfig).Listen(c.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(c.t.Context()))
	done := make(chan error, 1)
	go func() { done <- c.handler.Serve(ctx, l) }()
	c.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}
