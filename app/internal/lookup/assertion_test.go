package lookup_test

import (
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/service"
)

// How a key follows from the master key and its id never changes: what was signed
// is verified by any later version, and by another machine.
func TestAKeyIsTheSameForEver(t *testing.T) {
	t.Parallel()
	got, err := lookup.PublicKeyOf(ring{"m1"}, "00c0ffee00c0ffee", "m1")
	if err != nil {
		t.Fatal(err)
	}
	want := lookup.PublicKey{
		ID: "00c0ffee00c0ffee", Type: "EC", Curve: "P-256", Alg: "ES256", Use: "sig",
		X: "Rh4ZMfPTkR8zMXVBP_T99RZiMNOy-rGMzmnbLZeWMuA",
		Y: "BbvTdzWIAOUJHuEFxEX9xnKsmHvzrdYe7tYvJHs09fk",
	}
	if got != want {
		t.Errorf("%+v", got)
	}
	if other, err := lookup.PublicKeyOf(ring{"m1"}, "00c0ffee00c0ffef", "m1"); err != nil || other.X == got.X {
		t.Errorf("another id, %v: %+v", err, other)
	}
	if _, err := lookup.PublicKeyOf(ring{"m1"}, "00c0ffee00c0ffee", "m2"); err == nil {
		t.Error("a key without its master key")
	}
}

// Numbers that are no private key are passed over, and not made to fit.
func TestANumberThatIsNoKey(t *testing.T) {
	t.Parallel()
	order := elliptic.P256().Params().N.FillBytes(make([]byte, 32))
	most := slices.Clone(order)
	most[31]--
	one := append(make([]byte, 31), 1)
	numbers := [][]byte{make([]byte, 32), order, slices.Repeat([]byte{0xff}, 32), most}
	asked := 0
	key, err := lookup.Scalar(func(try int) ([]byte, error) {
		asked = try + 1
		return slices.Clone(numbers[try]), nil
	})
	if err != nil || asked != 4 {
		t.Fatalf("asked %d times: %v", asked, err)
	}
	if b, err := key.Bytes(); err != nil || !slices.Equal(b, most) {
		t.Errorf("%x, %v", b, err)
	}
	if _, err := lookup.Scalar(func(int) ([]byte, error) { return slices.Clone(order), nil }); err == nil {
		t.Error("the order of the group is a key")
	}
	if key, err := lookup.Scalar(func(int) ([]byte, error) { return slices.Clone(one), nil }); err != nil || key == nil {
		t.Error("one is no key")
	}
}

// given returns the assertion that an answer carries.
func assertionOf(tb testing.TB, r *http.Response) string {
	tb.Helper()
	l := answer[lookup.Login](tb, r, http.StatusOK)
	if l.Status != "succeeded" || l.Assertion == "" {
		tb.Fatalf("%+v", l)
	}
	return l.Assertion
}

func TestAnAssertion(t *testing.T) {
	t.Parallel()
	for factor, amr := range map[enrolment.Factor][]any{enrolment.SMS: {"pwd", "sms", "mfa"}, enrolment.Pocket: {"pwd", "swk", "mfa"}} {
		for _, step := range []string{"code", "approval"} {
			c := newCounter(t, succeeding(factor))
			assertion := assertionOf(t, c.step(step))
			parsed, err := verify(t, c.URL, assertion, jwt.WithIssuer("https://keydesk.example"), jwt.WithSubject(aSubject.String()), jwt.WithJwtID(aLogin))
			if err != nil {
				t.Fatal(err)
			}
			issued, _ := parsed.IssuedAt()
			expires, _ := parsed.Expiration()
			if expires.Sub(issued) != time.Minute || time.Since(issued) > patience {
				t.Errorf("from %s to %s", issued, expires)
			}
			parts := strings.Split(assertion, ".")
			header, payload := map[string]any{}, map[string]any{}
			for i, to := range []*map[string]any{&header, &payload} {
				b, err := base64.RawURLEncoding.DecodeString(parts[i])
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(b, to); err != nil {
					t.Fatal(err)
				}
			}
			if header["typ"] != "JWT" || header["alg"] != "ES256" || header["kid"] != "0000000000000001" || len(header) != 3 {
				t.Errorf("header %v", header)
			}
			if payload["aud"] != "portal" || payload["auth_time"] != 1.79e9 || payload["revision"] != 12.0 || !slices.Equal(payload["amr"].([]any), amr) || len(payload) != 9 {
				t.Errorf("payload %v", payload)
			}
		}
	}
}

func TestAssertionsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := newCounter(t, succeeding(enrolment.SMS))
	assertion := assertionOf(t, c.step("code"))
	if _, err := verify(t, c.URL, assertion); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(assertion, ".")
	flipped := []byte(parts[1])
	flipped[20] ^= 1
	for what, a := range map[string]string{
		"no signature":    unsigned(assertion),
		"a shared secret": symmetric(t, assertion, []byte("0000000000000001")),
		"another payload": parts[0] + "." + string(flipped) + "." + parts[2],
		"half of it":      parts[0] + "." + parts[1] + ".",
		"another one's signature": parts[0] + "." + parts[1] + "." + strings.Split(func() string {
			c.clock.ahead.Add(int64(time.Second))
			return assertionOf(t, c.step("code"))
		}(), ".")[2],
	} {
		if _, err := verify(t, c.URL, a); err == nil {
			t.Errorf("%s: it is believed", what)
		}
	}
	for what, option := range map[string]jwt.ParseOption{
		"of another client": jwt.WithAudience("office"),
		"a minute later":    jwt.WithClock(jwt.ClockFunc(func() time.Time { return time.Now().Add(61 * time.Second) })),
		"of another issuer": jwt.WithIssuer("https://elsewhere.example"),
	} {
		if _, err := verify(t, c.URL, assertion, option); err == nil {
			t.Errorf("%s: it is believed", what)
		}
	}
}

func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	c := newCounter(t, succeeding(enrolment.Pocket))
	at := func(after time.Duration) { c.clock.ahead.Store(int64(after)) }
	signedBy := func(id string) string {
		t.Helper()
		a := assertionOf(t, c.step("approval"))
		b, err := base64.RawURLEncoding.DecodeString(strings.Split(a, ".")[0])
		if err != nil || !strings.Contains(string(b), `"`+id+`"`) {
			t.Errorf("signed by %s, %v", b, err)
		}
		if _, err := verify(t, c.URL, a, jwt.WithClock(jwt.ClockFunc(c.clock.now))); err != nil {
			t.Errorf("signed by %s: %v", b, err)
		}
		return a
	}
	published := func(ids ...string) {
		t.Helper()
		r := askAt(t, c.URL, http.MethodGet, "/.well-known/jwks.json", "", "", nil)
		if cache := r.Header.Get("Cache-Control"); cache != "public, max-age=300" {
			t.Errorf("Cache-Control: %s", cache)
		}
		var got []string
		for _, k := range answer[lookup.KeySet](t, r, http.StatusOK).Keys {
			got = append(got, k.ID)
		}
		if !slices.Equal(got, ids) {
			t.Errorf("published are %v, not %v", got, ids)
		}
	}
	first, second := "0000000000000001", "0000000000000002"
	published(first)
	before := signedBy(first)
	c.record(service.KeyRotated{Key: second, Master: "m1", From: time.Now().Add(service.KeyAhead)})
	published(first, second)
	signedBy(first)
	at(service.KeyAhead + time.Second)
	signedBy(second)
	published(first, second)
	if _, err := verify(t, c.URL, before); err != nil { // within its minute, as the portal's clock has it
		t.Errorf("signed before: %v", err)
	}
	at(service.KeyAhead + service.KeyKept + time.Second)
	published(second)
	signedBy(second)
	if _, err := verify(t, c.URL, before); err == nil {
		t.Error("a key that is gone is believed")
	}
	// A key of a master key that this server lacks: nothing is signed, no login is
	// used up for it, and the others are published.
	c.record(service.KeyRotated{Key: "0000000000000003", Master: "m2", From: c.clock.now()})
	published(second)
	for _, step := range []string{"password", "code", "approval"} {
		if p := answer[lookup.Problem](t, c.step(step), http.StatusServiceUnavailable); p.Code != lookup.CodeUnavailable {
			t.Errorf("%s: %+v", step, p)
		}
	}
}

// BenchmarkAssertion derives a key and signs with it, as each login does.
func BenchmarkAssertion(b *testing.B) {
	c := newCounter(b, succeeding(enrolment.SMS))
	s := steps["code"]
	for b.Loop() {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, request(b.Context(), s.method, s.path, s.body))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkKeys publishes two keys.
func BenchmarkKeys(b *testing.B) {
	c := newCounter(b, succeeding(enrolment.SMS))
	c.record(service.KeyRotated{Key: "0000000000000002", Master: "m1", From: time.Now().Add(time.Hour)})
	for b.Loop() {
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, request(b.Context(), http.MethodGet, "/.well-known/jwks.json", ""))
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
