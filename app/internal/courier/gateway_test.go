package courier

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
)

const (
	number    = "+31612345678"
	text      = "271828 is je code voor Mijn OPO-R."
	reference = "send-2"
	account   = "AC0123456789abcdef0123456789abcdef"
	secret    = "zeer-geheim-token-0123456789" //nolint:gosec // of nothing
)

// private must not be in any error.
var private = []string{"612345678", "sanne", "voorbeeld.nl", "271828", "314159", secret, account, "Mijn OPO-R", "geheim"}

func noPrivateData(t *testing.T, err error) {
	t.Helper()
	for _, p := range private {
		if err != nil && strings.Contains(err.Error(), p) {
			t.Errorf("%q is in the error: %v", p, err)
		}
	}
}

// A standIn is a gateway over TLS that plays one answer and keeps the request.
type standIn struct {
	*httptest.Server
	method, path string
	header       http.Header
	body         string
	calls        atomic.Int32
}

func newStandIn(t *testing.T, play http.HandlerFunc) *standIn {
	t.Helper()
	s := &standIn{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.method, s.path, s.header, s.body = r.Method, r.RequestURI, r.Header.Clone(), string(b)
		s.calls.Add(1)
		play(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) endpoint(path string) Endpoint {
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return Endpoint{URL: s.URL + path, RootCAs: roots, Timeout: 10 * time.Second}
}

// hangUp reads a request and closes the connection.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = c.Close()
	}
}

func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// providers are made over an endpoint.
var providers = map[string]func(Endpoint) (Provider, error){
	"cm": func(e Endpoint) (Provider, error) {
		return NewCM(CMConfig{Endpoint: e, ProductToken: secret, From: "Keydesk"})
	},
	"spryng": func(e Endpoint) (Provider, error) {
		return NewSpryng(SpryngConfig{Endpoint: e, Token: secret, Originator: "Keydesk"})
	},
	"twilio": func(e Endpoint) (Provider, error) {
		return NewTwilio(TwilioConfig{Endpoint: e, AccountSID: account, AuthToken: secret, From: "+3197010000000"})
	},
	"webhook": func(e Endpoint) (Provider, error) {
		return NewWebhook(WebhookConfig{Endpoint: e, Secret: secret})
	},
}

// accepted is what each says when all is well.
var accepted = map[string]struct {
	status   int
	body, id string
}{
	"cm": {200, `{"details":"Created 1 message(s)","errorCode":0,"messages":[{"to":"0031612345678","status":"Accepted",` +
		`"reference":"send-2","parts":1,"messageDetails":null,"messageErrorCode":0}]}`, reference},
	"spryng":  {200, `{"id":"9dbc5ffb-7524-4fae-9514-51decd94a44f","encoding":"plain","originator":"Keydesk"}`, "9dbc5ffb-7524-4fae-9514-51decd94a44f"},
	"twilio":  {201, `{"sid":"SM00000000000000000000000000000001","status":"queued","error_code":null,"to":"+31612345678"}`, "SM00000000000000000000000000000001"},
	"webhook": {202, `{"id":"q-77"}`, "q-77"},
}

func TestEveryByteOfTheRequest(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		base, path, body string
		header           map[string]string
	}{
		"cm": {
			"/v1.0/message", "/v1.0/message",
			`{"messages":{"msg":[{"allowedChannels":["SMS"],"from":"Keydesk","to":[{"number":"0031612345678"}],` +
				`"body":{"type":"auto","content":"271828 is je code voor Mijn OPO-R."},"reference":"send-2"}]}}`,
			map[string]string{"Content-Type": "application/json", "X-Cm-Producttoken": secret},
		},
		"spryng": {
			"/v1/messages", "/v1/messages",
			`{"body":"271828 is je code voor Mijn OPO-R.","encoding":"auto","originator":"Keydesk","recipients":["31612345678"],"route":"business"}`,
			map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + secret},
		},
		"twilio": {
			"/2010-04-01", "/2010-04-01/Accounts/" + account + "/Messages.json",
			"Body=271828+is+je+code+voor+Mijn+OPO-R.&From=%2B3197010000000&To=%2B31612345678",
			map[string]string{
				"Content-Type":  "application/x-www-form-urlencoded",
				"Authorization": "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp6ZWVyLWdlaGVpbS10b2tlbi0wMTIzNDU2Nzg5",
			},
		},
		"webhook": {
			"/sms?team=1", "/sms?team=1",
			`{"id":"send-2","to":"+31612345678","text":"271828 is je code voor Mijn OPO-R."}`,
			map[string]string{"Content-Type": "application/json"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStandIn(t, says(accepted[name].status, accepted[name].body))
			p, err := providers[name](s.endpoint(want.base))
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Send(t.Context(), number, text, reference)
			if err != nil || got != (Receipt{name, accepted[name].id}) || p.Name() != name {
				t.Fatalf("got %v, %v", got, err)
			}
			if s.method != http.MethodPost || s.path != want.path || s.body != want.body {
				t.Errorf("got %s %s\n%s\nwant %s\n%s", s.method, s.path, s.body, want.path, want.body)
			}
			if name == "webhook" {
				checkSignature(t, s)
			}
			standard := map[string]string{"Accept": "application/json", "User-Agent": "Keydesk", "Connection": "close"}
			for _, headers := range []map[string]string{want.header, standard} {
				for k, v := range headers {
					if s.header.Get(k) != v {
						t.Errorf("%s: got %q, want %q", k, s.header.Get(k), v)
					}
					s.header.Del(k)
				}
			}
			s.header.Del("Content-Length")
			if len(s.header) > 0 {
				t.Errorf("more headers: %v", s.header)
			}
		})
	}
}

func checkSignature(t *testing.T, s *standIn) {
	t.Helper()
	at := s.header.Get("Keydesk-Timestamp")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(at + "." + s.body))
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); s.header.Get("Keydesk-Signature") != want {
		t.Errorf("signature: got %q, want %q", s.header.Get("Keydesk-Signature"), want)
	}
	s.header.Del("Keydesk-Timestamp")
	s.header.Del("Keydesk-Signature")
}

// cmSays is CM.com's answer about one message.
func cmSays(request, message string) string {
	return `{"details":"sanne +31612345678","errorCode":` + request + `,"messages":[{"to":"0031612345678","status":"Rejected","messageErrorCode":` + message + `}]}`
}

func TestWhatAnAnswerMeans(t *testing.T) {
	t.Parallel()
	const unknown, sent = Unknown, Reason("")
	html := "<html>+31612345678 " + secret + "</html>"
	for _, c := range []struct {
		provider string
		status   int
		body     string
		want     Reason
	}{
		{"cm", 400, `{"details":"No account found for sanne@voorbeeld.nl","errorCode":101,"messages":[]}`, Auth},
		{"cm", 400, `{"details":"","errorCode":102,"messages":[]}`, NoCredit},
		{"cm", 400, `{"details":"","errorCode":103,"messages":[]}`, Auth},
		{"cm", 400, cmSays("201", "301"), Misconfigured},
		{"cm", 400, cmSays("201", "302"), InvalidRecipient},
		{"cm", 400, cmSays("201", "303"), InvalidRecipient},
		{"cm", 200, cmSays("201", "303"), InvalidRecipient},
		{"cm", 400, cmSays("201", "401"), Refused},
		{"cm", 400, cmSays("201", "402"), Blocked},
		{"cm", 400, cmSays("201", "0"), Refused},
		{"cm", 400, cmSays("999", "999"), Refused},
		{"cm", 200, cmSays("999", "999"), unknown},
		{"cm", 500, cmSays("500", "500"), unknown},
		{"cm", 200, `{}`, unknown},
		{"cm", 200, html, unknown},
		{"cm", 401, html, Auth},
		{"spryng", 401, `{"message":"Unauthenticated."}`, Auth},
		{"spryng", 402, `{"message":"sanne"}`, NoCredit},
		{"spryng", 422, `{"message":"The given data was invalid.","errors":{"recipients":["+31612345678 is wrong"]}}`, InvalidRecipient},
		{"spryng", 422, `{"errors":{"originator":["wrong"]}}`, Misconfigured},
		{"spryng", 422, `{"errors":{"body":["wrong"]}}`, Refused},
		{"spryng", 422, html, Refused},
		{"spryng", 429, ``, RateLimited},
		{"spryng", 200, `{"id":""}`, unknown},
		{"spryng", 200, html, unknown},
		{"twilio", 400, `{"code":21211,"message":"The 'To' number +31612345678 is not valid","status":400}`, InvalidRecipient},
		{"twilio", 400, `{"code":21614}`, InvalidRecipient},
		{"twilio", 400, `{"code":21610}`, Blocked},
		{"twilio", 400, `{"code":21408}`, Unsupported},
		{"twilio", 400, `{"code":21606}`, Misconfigured},
		{"twilio", 400, `{"code":99999}`, Refused},
		{"twilio", 401, `{"code":20003}`, Auth},
		{"twilio", 429, `{"code":20429}`, RateLimited},
		{"twilio", 404, html, Misconfigured},
		{"twilio", 500, `{"code":21211}`, unknown},
		{"twilio", 201, html, unknown},
		{"webhook", 204, ``, sent},
		{"webhook", 200, html, sent},
		{"webhook", 400, `{"error":"blocked"}`, Blocked},
		{"webhook", 400, `{"error":"no-credit"}`, NoCredit},
		{"webhook", 400, `{"error":"+31612345678"}`, Refused},
		{"webhook", 400, `{"error":"unknown"}`, Refused},
		{"webhook", 500, `{"error":"blocked"}`, unknown},
		{"webhook", 502, html, unknown},
		{"webhook", 503, html, unknown},
		{"webhook", 307, ``, Misconfigured},
		{"webhook", 302, ``, Misconfigured},
	} {
		s := newStandIn(t, says(c.status, c.body, "Location", "/elsewhere?n=31612345678"))
		p, err := providers[c.provider](s.endpoint(""))
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Send(t.Context(), number, text, reference)
		noPrivateData(t, err)
		got := sent
		if err != nil {
			got = ReasonOf(err)
		}
		if got != c.want || s.calls.Load() != 1 {
			t.Errorf("%s %d %.60s: got %q after %d calls, want %q (%v)", c.provider, c.status, c.body, got, s.calls.Load(), c.want, err)
		}
	}
}

func TestFaultsOfTheConnection(t *testing.T) {
	t.Parallel()
	for name, make := range providers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			send := func(e Endpoint) error {
				p, err := make(e)
				if err != nil {
					t.Fatal(err)
				}
				_, err = p.Send(t.Context(), number, text, reference)
				noPrivateData(t, err)
				return err
			}
			t.Run("silence after the request", func(t *testing.T) {
				t.Parallel()
				s := newStandIn(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
				e := s.endpoint("")
				// Connecting takes its time on a busy machine: until it gets through.
				for e.Timeout = 100 * time.Millisecond; ; e.Timeout *= 2 {
					err := send(e)
					if s.calls.Load() == 0 {
						continue
					}
					if !errors.Is(err, domain.ErrUnknownOutcome) {
						t.Errorf("got %v", err)
					}
					break
				}
			})
			t.Run("closed after the request", func(t *testing.T) {
				t.Parallel()
				s := newStandIn(t, hangUp)
				if err := send(s.endpoint("")); !errors.Is(err, domain.ErrUnknownOutcome) || s.calls.Load() != 1 {
					t.Errorf("got %v after %d calls", err, s.calls.Load())
				}
			})
			t.Run("a certificate of nobody's", func(t *testing.T) {
				t.Parallel()
				s := newStandIn(t, says(200, ""))
				e := s.endpoint("")
				e.RootCAs = x509.NewCertPool()
				if err := send(e); !errors.Is(err, domain.ErrUnavailable) || s.calls.Load() != 0 {
					t.Errorf("got %v", err)
				}
			})
			t.Run("nobody there", func(t *testing.T) {
				t.Parallel()
				s := newStandIn(t, says(200, ""))
				e := s.endpoint("")
				s.Close()
				if err := send(e); !errors.Is(err, domain.ErrUnavailable) || errors.Is(err, domain.ErrUnknownOutcome) {
					t.Errorf("got %v", err)
				}
			})
			t.Run("no such host", func(t *testing.T) {
				t.Parallel()
				if err := send(Endpoint{URL: "https://sanne.invalid/31612345678"}); !errors.Is(err, domain.ErrUnavailable) {
					t.Errorf("got %v", err)
				}
			})
			t.Run("an answer without end", func(t *testing.T) {
				t.Parallel()
				var written atomic.Int64
				s := newStandIn(t, func(w http.ResponseWriter, r *http.Request) {
					for r.Context().Err() == nil {
						n, err := io.WriteString(w, strings.Repeat("x", 4096))
						if err != nil {
							return
						}
						written.Add(int64(n))
					}
				})
				err := send(s.endpoint(""))
				if name != "webhook" && !errors.Is(err, domain.ErrUnknownOutcome) || name == "webhook" && err != nil {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestSettingsOfGateways(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{
		"https://gateway.example/sms": true, "http://127.0.0.1:8080/x": true, "http://[::1]:1/": true, "http://localhost/": true,
		"http://gateway.example/sms": false, "ftp://gateway.example": false, "gateway.example": false, "://": false, "https://": false,
		"https://user:geheim@gateway.example": false,
	} {
		for name, make := range providers {
			_, err := make(Endpoint{URL: address})
			noPrivateData(t, err)
			if (err == nil) != ok {
				t.Errorf("%s %s: got %v", name, address, err)
			}
		}
	}
	for name, make := range providers { // each knows its own address, but the webhook
		if _, err := make(Endpoint{}); (err == nil) != (name != "webhook") {
			t.Errorf("%s without a URL: got %v", name, err)
		}
	}
	_, noToken := NewCM(CMConfig{From: "x"})
	_, noSender := NewSpryng(SpryngConfig{Token: secret})
	_, noAccount := NewTwilio(TwilioConfig{AccountSID: "AC1", AuthToken: secret, From: "x"})
	_, short := NewWebhook(WebhookConfig{Endpoint: Endpoint{URL: "https://x.example"}, Secret: "geheim"})
	for _, err := range []error{noToken, noSender, noAccount, short} {
		if noPrivateData(t, err); err == nil {
			t.Error("accepted settings that lack something")
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":                              pauseUnsaid,
		"x":                             pauseUnsaid,
		"-5":                            pauseUnsaid,
		"0":                             0,
		"120":                           2 * time.Minute,
		"4294967295":                    pauseLongest,
		"99999999999999":                pauseUnsaid,
		"Mon, 02 Mar 2026 10:00:30 GMT": 30 * time.Second,
		"Mon, 02 Mar 2026 09:00:00 GMT": 0,
		"Tue, 03 Mar 2026 10:00:00 GMT": pauseLongest,
	} {
		h := http.Header{"Date": {"Mon, 02 Mar 2026 10:00:00 GMT"}, "Retry-After": {value}}
		if got := retryAfter(h); got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}

func TestIDsThatMayBeRecorded(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"SM01": "SM01", "9dbc5ffb-7524": "9dbc5ffb-7524", "": "ours", "31612345678": "ours", "x-6123-45678": "ours",
		"a b": "ours", "a@b.nl": "ours", "\n": "ours", strings.Repeat("a", 65): "ours",
	} {
		if got := providerID(given, number, "ours"); got != want {
			t.Errorf("%q: got %q, want %q", given, got, want)
		}
	}
}

// Twilio can be asked for the account, with which nothing is sent.
func TestTwilioKnowsTheAccount(t *testing.T) {
	t.Parallel()
	type asked interface{ Check(context.Context) error }
	for body, want := range map[string]struct {
		status int
		reason Reason
	}{
		`{"status":"active"}`:    {200, ""},
		`{"status":"suspended"}`: {200, Auth},
		`{"code":20003}`:         {401, Auth},
		`<html>`:                 {200, Unknown},
	} {
		s := newStandIn(t, says(want.status, body))
		p, err := providers["twilio"](s.endpoint("/2010-04-01"))
		if err != nil {
			t.Fatal(err)
		}
		err = p.(asked).Check(t.Context())
		if (want.reason == "") != (err == nil) || err != nil && ReasonOf(err) != want.reason {
			t.Errorf("%s is %v", body, err)
		}
		if s.method != http.MethodGet || s.path != "/2010-04-01/Accounts/"+account+".json" || s.header.Get("Authorization") == "" || s.body != "" {
			t.Errorf("asked with %s %s", s.method, s.path)
		}
	}
	p, err := providers["twilio"](Endpoint{URL: "https://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.(asked).Check(t.Context()); !errors.Is(err, domain.ErrUnavailable) || strings.Contains(err.Error(), secret) {
		t.Errorf("nobody is there: %v", err)
	}
}
