package pocket

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keydesk/keydesk/domain/pairing"
)

const testAudience = "https://pocket.example.nl"

// A forger signs what an honest phone would, or what it would not.
type forger struct {
	t      testing.TB
	key    *ecdsa.PrivateKey
	jwk    map[string]any
	header map[string]any
	claims map[string]any
}

func newForger(tb testing.TB) *forger {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	pair, err := newKeyPair(key)
	if err != nil {
		tb.Fatal(err)
	}
	var jwk map[string]any
	if err := json.Unmarshal(pair.canonical, &jwk); err != nil {
		tb.Fatal(err)
	}
	f := &forger{t: tb, key: key, jwk: jwk}
	f.header = map[string]any{"alg": "ES256", "typ": pairing.TypeClaim, "jwk": jwk}
	f.claims = map[string]any{
		"aud": testAudience, "pairing": strings.Repeat("p", 22), "label": "iPhone", "iat": 1767225600,
		"jti": strings.Repeat("j", 22), "proof": base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
	}
	return f
}

func encode(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (f *forger) es256(input string) []byte {
	h := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.key, h[:])
	if err != nil {
		f.t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// message puts header and payload together, signed.
func (f *forger) message() string {
	input := encode(f.t, f.header) + "." + encode(f.t, f.claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(f.es256(input))
}

// decider makes the messages of a paired phone.
func newDecider(tb testing.TB) *forger {
	tb.Helper()
	f := newForger(tb)
	f.header["typ"] = pairing.TypeDecision
	f.claims = map[string]any{
		"aud": testAudience, "subject": "6ba7b810-9dad-41d1-80b4-00c04fd430c8", "device": strings.Repeat("d", 32),
		"challenge": strings.Repeat("c", 22), "nonce": strings.Repeat("n", 22), "digits": "012345",
		"context": pairing.Approval{}.Context(), "answer": "approve", "iat": 1767225600, "jti": strings.Repeat("j", 22),
	}
	return f
}

// asking turns a decision into a question.
func (f *forger) asking() *forger {
	f.header["typ"] = pairing.TypePending
	for _, name := range []string{"challenge", "digits", "context", "answer"} {
		delete(f.claims, name)
	}
	return f
}

func readDecision(message string) (pairing.Decision, error) {
	m, err := open([]byte(message), pairing.TypeDecision)
	if err != nil {
		return pairing.Decision{}, err
	}
	return m.decision(testAudience)
}

func readAsk(message string) (pairing.Ask, error) {
	m, err := open([]byte(message), pairing.TypePending)
	if err != nil {
		return pairing.Ask{}, err
	}
	return m.ask(testAudience)
}

func readClaim(message string) (pairing.Claim, error) {
	m, err := open([]byte(message), pairing.TypeClaim)
	if err != nil {
		return pairing.Claim{}, err
	}
	return m.claim(testAudience)
}

func TestForgedMessagesAreRefused(t *testing.T) {
	t.Parallel()
	raw := base64.RawURLEncoding.EncodeToString
	for name, c := range map[string]struct {
		forge func(*forger) string
		want  error
	}{
		"an honest one": {(*forger).message, nil},
		"alg none": {func(f *forger) string {
			f.header["alg"] = "none"
			return encode(f.t, f.header) + "." + encode(f.t, f.claims) + "."
		}, errMalformed},
		"alg none with a signature": {func(f *forger) string {
			f.header["alg"] = "none"
			return f.message()
		}, errMalformed},
		"HS256 with the public key as the secret": {func(f *forger) string {
			f.header["alg"] = "HS256"
			input := encode(f.t, f.header) + "." + encode(f.t, f.claims)
			h := hmac.New(sha256.New, pairing.CanonicalKey(f.jwk["x"].(string), f.jwk["y"].(string)))
			h.Write([]byte(input))
			return input + "." + raw(h.Sum(nil))
		}, errMalformed},
		"RS256 with a key of its own": {func(f *forger) string {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				f.t.Fatal(err)
			}
			f.header["alg"] = "RS256"
			f.header["jwk"] = map[string]any{"kty": "RSA", "n": raw(key.N.Bytes()), "e": "AQAB"}
			input := encode(f.t, f.header) + "." + encode(f.t, f.claims)
			h := sha256.Sum256([]byte(input))
			sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, h[:])
			if err != nil {
				f.t.Fatal(err)
			}
			return input + "." + raw(sig)
		}, errMalformed},
		"ES384": {func(f *forger) string {
			f.header["alg"] = "ES384"
			return f.message()
		}, errMalformed},
		"another type": {func(f *forger) string {
			f.header["typ"] = pairing.TypeFinish
			return f.message()
		}, errMalformed},
		"a private key": {func(f *forger) string {
			f.jwk["d"] = raw(make([]byte, 32))
			return f.message()
		}, errMalformed},
		"a key with a kid": {func(f *forger) string {
			f.jwk["kid"] = "x"
			return f.message()
		}, errMalformed},
		"a key off the curve": {func(f *forger) string {
			f.jwk["y"] = f.jwk["x"]
			return f.message()
		}, errMalformed},
		"a short coordinate": {func(f *forger) string {
			f.jwk["x"] = raw(make([]byte, 31))
			return f.message()
		}, errMalformed},
		"the key of another": {func(f *forger) string {
			maps.Copy(f.jwk, newForger(f.t).jwk)
			return f.message()
		}, errSignature},
		"no key": {func(f *forger) string {
			delete(f.header, "jwk")
			return f.message()
		}, errMalformed},
		"another payload": {func(f *forger) string {
			p := strings.Split(f.message(), ".")
			f.claims["label"] = "Android"
			return p[0] + "." + encode(f.t, f.claims) + "." + p[2]
		}, errSignature},
		"another pairing": {func(f *forger) string {
			p := strings.Split(f.message(), ".")
			f.claims["pairing"] = strings.Repeat("q", 22)
			return p[0] + "." + encode(f.t, f.claims) + "." + p[2]
		}, errSignature},
		"a short signature": {func(f *forger) string {
			m := f.message()
			return m[:len(m)-4]
		}, errMalformed},
		"an ASN.1 signature": {func(f *forger) string {
			input := encode(f.t, f.header) + "." + encode(f.t, f.claims)
			h := sha256.Sum256([]byte(input))
			sig, err := ecdsa.SignASN1(rand.Reader, f.key, h[:])
			if err != nil {
				f.t.Fatal(err)
			}
			return input + "." + raw(sig)
		}, errMalformed},
		"padding":         {func(f *forger) string { return f.message() + "=" }, errMalformed},
		"a line break":    {func(f *forger) string { return f.message() + "\n" }, errMalformed},
		"four parts":      {func(f *forger) string { return f.message() + ".x" }, errMalformed},
		"nothing":         {func(*forger) string { return "" }, errMalformed},
		"two points":      {func(*forger) string { return ".." }, errMalformed},
		"the JSON form":   {func(f *forger) string { return `{"payload":"` + encode(f.t, f.claims) + `"}` }, errMalformed},
		"too long":        {func(f *forger) string { f.claims["label"] = strings.Repeat("x", maxMessage); return f.message() }, errMalformed},
		"a long label":    {func(f *forger) string { f.claims["label"] = strings.Repeat("é", 65); return f.message() }, errMalformed},
		"no label":        {func(f *forger) string { f.claims["label"] = ""; return f.message() }, errMalformed},
		"a hidden label":  {func(f *forger) string { f.claims["label"] = "a\u202eb"; return f.message() }, errMalformed},
		"a number's name": {func(f *forger) string { f.claims["label"] = 5; return f.message() }, errMalformed},
		"one more member": {func(f *forger) string { f.claims["admin"] = true; return f.message() }, errMalformed},
		"no iat":          {func(f *forger) string { delete(f.claims, "iat"); return f.message() }, errMalformed},
		"an iat of words": {func(f *forger) string { f.claims["iat"] = "now"; return f.message() }, errMalformed},
		"an old iat":      {func(f *forger) string { f.claims["iat"] = 0; return f.message() }, nil},
		"a short jti":     {func(f *forger) string { f.claims["jti"] = "1"; return f.message() }, errMalformed},
		"a short proof":   {func(f *forger) string { f.claims["proof"] = "AAAA"; return f.message() }, errMalformed},
		"no pairing":      {func(f *forger) string { f.claims["pairing"] = ""; return f.message() }, errMalformed},
		"another service": {func(f *forger) string { f.claims["aud"] = "https://evil.example"; return f.message() }, errAudience},
		"two services":    {func(f *forger) string { f.claims["aud"] = []string{testAudience}; return f.message() }, errAudience},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newForger(t)
			if _, err := readClaim(c.forge(f)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// What every message has in common, the claim's test tries out.
func TestForgedDecisionsAreRefused(t *testing.T) {
	t.Parallel()
	const gone = "\x00" // instead of a value: the member is not there
	for name, c := range map[string]struct {
		member string
		value  any
		want   error
	}{
		"an honest one":               {"iat", 1, nil},
		"another service":             {"aud", "https://evil.example", errAudience},
		"no service":                  {"aud", gone, errMalformed},
		"no subject":                  {"subject", "", errMalformed},
		"a subject that is none":      {"subject", "sanne@voorbeeld.nl", errMalformed},
		"a subject in another form":   {"subject", "6BA7B810-9DAD-41D1-80B4-00C04FD430C8", errMalformed},
		"a subject of numbers":        {"subject", 7, errMalformed},
		"no device":                   {"device", "", errMalformed},
		"a device of other signs":     {"device", strings.Repeat("d", 31) + "/", errMalformed},
		"a long device":               {"device", strings.Repeat("d", 65), errMalformed},
		"no challenge":                {"challenge", "", errMalformed},
		"a long challenge":            {"challenge", strings.Repeat("c", 23), errMalformed},
		"a short nonce":               {"nonce", "n", errMalformed},
		"a nonce of null":             {"nonce", nil, errMalformed},
		"five digits":                 {"digits", "01234", errMalformed},
		"seven digits":                {"digits", "0123456", errMalformed},
		"digits of another script":    {"digits", "٠١٢٣٤٥", errMalformed},
		"digits as a number":          {"digits", 123456, errMalformed},
		"an approval without digits":  {"digits", "", errMalformed},
		"no digits at all":            {"digits", gone, errMalformed},
		"no answer":                   {"answer", "", errMalformed},
		"another answer":              {"answer", "maybe", errMalformed},
		"an answer in capitals":       {"answer", "APPROVE", errMalformed},
		"a denial with digits":        {"answer", "deny", errMalformed},
		"not me, with digits":         {"answer", "not-me", errMalformed},
		"no context":                  {"context", "", errMalformed},
		"a short context":             {"context", "AAAA", errMalformed},
		"a context with stray bits":   {"context", strings.Repeat("_", 43), errMalformed},
		"one more member":             {"tries", 99, errMalformed},
		"a pairing":                   {"pairing", strings.Repeat("p", 22), errMalformed},
		"no jti":                      {"jti", gone, errMalformed},
		"a short jti":                 {"jti", "1", errMalformed},
		"no iat":                      {"iat", gone, errMalformed},
		"an iat of words":             {"iat", "now", errMalformed},
		"an iat long before the time": {"iat", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newDecider(t)
			f.claims[c.member] = c.value
			if c.value == gone {
				delete(f.claims, c.member)
			}
			if d, err := readDecision(f.message()); !errors.Is(err, c.want) || err == nil && d.Thumbprint == "" {
				t.Errorf("%+v, %v, want %v", d, err, c.want)
			}
			if slices.Contains(decideMembers, c.member) && !slices.Contains(askMembers, c.member) {
				return
			}
			if _, err := readAsk(f.asking().message()); !errors.Is(err, c.want) {
				t.Errorf("as a question: %v, want %v", err, c.want)
			}
		})
	}
}

func TestDigitsComeWithAnApprovalOnly(t *testing.T) {
	t.Parallel()
	for _, answer := range []pairing.Answer{pairing.Deny, pairing.NotMe} {
		f := newDecider(t)
		f.claims["answer"], f.claims["digits"] = answer, ""
		if d, err := readDecision(f.message()); err != nil || d.Answer != answer || d.Digits != "" {
			t.Errorf("%s: %+v, %v", answer, d, err)
		}
		f.claims["digits"] = nil
		if _, err := readDecision(f.message()); !errors.Is(err, errMalformed) {
			t.Errorf("%s with digits of null: %v", answer, err)
		}
	}
}

// A message of one kind is not one of another.
func TestKindsOfMessagesAreKeptApart(t *testing.T) {
	t.Parallel()
	decision, question := newDecider(t), newDecider(t).asking()
	if _, err := readAsk(decision.message()); !errors.Is(err, errMalformed) {
		t.Errorf("a decision as a question: %v", err)
	}
	if _, err := readDecision(question.message()); !errors.Is(err, errMalformed) {
		t.Errorf("a question as a decision: %v", err)
	}
	question.header["typ"] = pairing.TypeStatus
	if _, err := readAsk(question.message()); !errors.Is(err, errMalformed) {
		t.Errorf("a status as a question: %v", err)
	}
	p := strings.Split(decision.message(), ".")
	decision.claims["answer"], decision.claims["digits"] = "deny", ""
	forged := p[0] + "." + encode(t, decision.claims) + "." + p[2]
	if _, err := readDecision(forged); !errors.Is(err, errSignature) {
		t.Errorf("another answer: %v", err)
	}
}

func TestHeadersBeyondTheProtocolAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"crit", "b64", "kid", "jku", "x5u", "x5c", "x5t", "cty", "zip", "ALG"} {
		f := newForger(t)
		f.header[name] = "ES256"
		if _, err := readClaim(f.message()); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// One message must never read in two ways.
func TestMembersTwiceAreRefused(t *testing.T) {
	t.Parallel()
	f := newForger(t)
	b64 := base64.RawURLEncoding
	header, err := json.Marshal(f.header)
	if err != nil {
		t.Fatal(err)
	}
	twice := bytes.Replace(header, []byte(`{`), []byte(`{"alg":"none",`), 1)
	input := b64.EncodeToString(twice) + "." + encode(t, f.claims)
	if _, err := readClaim(input + "." + b64.EncodeToString(f.es256(input))); !errors.Is(err, errMalformed) {
		t.Errorf("%v, want errMalformed", err)
	}
}

// FuzzClaim: whatever is taken has a signature, and every field in its bounds.
func FuzzClaim(f *testing.F) {
	honest := newForger(f)
	f.Add(honest.message())
	honest.header["alg"] = "none"
	f.Add(honest.message())
	f.Add("e30.e30.")
	f.Add(strings.Repeat("A", 60) + ".." + strings.Repeat("A", 86))
	f.Fuzz(func(t *testing.T, message string) {
		c, err := readClaim(message)
		if err != nil {
			return
		}
		parts := strings.Split(message, ".")
		sig, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
		if err != nil || len(sig) != 64 || len(c.Proof) != 32 || !pairing.IsID(c.Pairing) ||
			c.Thumbprint != pairing.Thumbprint(c.Key) || !goodLabel(c.Label) || !pairing.IsToken(c.JTI) {
			t.Fatalf("%q was taken as %+v", message, c)
		}
	})
}

// FuzzDecision: the same of a decision and a question, and a message is at most
// one of them.
func FuzzDecision(f *testing.F) {
	honest := newDecider(f)
	f.Add(honest.message())
	honest.claims["answer"], honest.claims["digits"] = "not-me", ""
	f.Add(honest.message())
	f.Add(honest.asking().message())
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, message string) {
		d, err := readDecision(message)
		q, other := readAsk(message)
		switch {
		case err != nil && other != nil:
			return
		case err == nil && other == nil:
			t.Fatalf("%q is both", message)
		case err == nil:
			approves := d.Answer == pairing.Approve
			if !pairing.IsID(d.Challenge) || len(d.Context) != 43 || approves != pairing.AreDigits(d.Digits) ||
				!approves && (d.Digits != "" || d.Answer != pairing.Deny && d.Answer != pairing.NotMe) {
				t.Fatalf("%q was taken as %+v", message, d)
			}
			q = pairing.Ask{Subject: d.Subject, Device: d.Device, Thumbprint: d.Thumbprint, Nonce: d.Nonce, JTI: d.JTI}
		}
		if len(q.Subject) != 36 || !pairing.IsToken(q.Device) || len(q.Thumbprint) != 43 || !pairing.IsToken(q.Nonce) ||
			!pairing.IsToken(q.JTI) {
			t.Fatalf("%q was taken as %+v", message, q)
		}
	})
}

// FuzzObject: what object takes, encoding/json reads in the same way.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1,"b":"x"}`, `{"a":1,"a":2}`, `{"a":1}{`, `[]`, `{"a":{"a":1}}`, "{\"a\":\"\xff\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fields, err := object(b)
		if err != nil {
			return
		}
		var std map[string]json.RawMessage
		if err := json.Unmarshal(b, &std); err != nil || len(std) != len(fields) {
			t.Fatalf("%q: %d members, encoding/json %d, %v", b, len(fields), len(std), err)
		}
	})
}

func TestLimiterFillsUpAndStaysSmall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(60, 100, time.Now)
		one := netip.MustParsePrefix("192.0.2.1/32")
		for range 60 {
			if !l.allow(one) {
				t.Fatal("refused within the limit")
			}
		}
		if l.allow(one) {
			t.Error("allowed beyond the limit")
		}
		time.Sleep(time.Second)
		if !l.allow(one) || l.allow(one) {
			t.Error("after a second there is one more, and only one")
		}
		for i := range 1000 {
			l.allow(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32))
			if len(l.buckets) > 100 {
				t.Fatalf("it remembers %d addresses", len(l.buckets))
			}
		}
	})
}

func TestClientAddress(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:1234", "", "192.0.2.1/32"},
		{"192.0.2.1:1234", "198.51.100.7", "192.0.2.1/32"}, // nobody we trust said so
		{"10.0.0.1:1234", "198.51.100.7", "198.51.100.7/32"},
		{"10.0.0.1:1234", "203.0.113.9, 198.51.100.7", "198.51.100.7/32"},
		{"10.0.0.1:1234", "198.51.100.7, 10.0.0.2", "198.51.100.7/32"},
		{"10.0.0.1:1234", "nonsense", "10.0.0.1/32"},
		{"[::ffff:192.0.2.1]:1234", "", "192.0.2.1/32"},
		{"[2001:db8:1:2:3:4:5:6]:1234", "", "2001:db8:1:2::/64"},
		{"@", "", "invalid Prefix"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := client(r, proxies).String(); got != c.want {
			t.Errorf("%s via %q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}
