package lookup_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
	"github.com/keydesk/keydesk/domain/service"
)

// openLogins opens a home of which a client may have people logged in.
func openLogins(tb testing.TB, flags map[string]string) *house {
	tb.Helper()
	h := serve(tb, tb.TempDir(), flags)
	h.token = h.client("shop", service.Login)
	return h
}

// client lets a client in that may have people logged in, and returns its token.
func (h *house) client(id string, scopes ...service.Scope) string {
	h.t.Helper()
	token, err := h.Desk.AddClient(h.t.Context(), id, scopes)
	if err != nil {
		h.t.Fatal(err)
	}
	h.eventually("the client is let in, and there is a key", func() bool {
		return askAt(h.t, h.url(), http.MethodGet, "/v1/logins/"+aLogin, "", token.Reveal(), nil).StatusCode == http.StatusNotFound
	})
	return token.Reveal()
}

// forward puts the clock forward, and waits until the server has heard from the
// log by it.
func (h *house) forward(d time.Duration) {
	h.t.Helper()
	h.clock.ahead.Add(int64(d))
	h.eventually("the log was heard", func() bool { return h.get("/v1/logins/"+aLogin, nil).StatusCode == http.StatusNotFound })
}

func (h *house) url() string { return "http://" + h.APIAt() }

// try hands in an address and a password, from a network.
func (h *house) try(address, password, network string) *http.Response {
	h.t.Helper()
	body, err := json.Marshal(map[string]string{"email": address, "password": password, "network": network, "from": "Firefox, Utrecht"})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.ask(http.MethodPost, "/v1/logins", string(body), nil)
}

// begun is try where it is right.
func (h *house) begun() lookup.Login {
	h.t.Helper()
	return answer[lookup.Login](h.t, h.try(email, phrase, "192.0.2.7"), http.StatusCreated)
}

func (h *house) handIn(id, code string) *http.Response {
	h.t.Helper()
	return h.ask(http.MethodPost, "/v1/logins/"+id+"/code", `{"code":"`+code+`"}`, nil)
}

// other is a code that is not the right one.
func other(code string) string {
	n, _ := strconv.Atoi(code)
	return fmt.Sprintf("%06d", (n+1)%1_000_000)
}

func (h *house) refused(r *http.Response, status int, code lookup.Code) lookup.Problem {
	h.t.Helper()
	p := answer[lookup.Problem](h.t, r, status)
	if p.Code != code {
		h.t.Errorf("got %+v, want %s", p, code)
	}
	return p
}

func TestALoginBySMS(t *testing.T) {
	t.Parallel()
	h := openLogins(t, nil)
	h.walk(email, desk.ScreenDone)
	l := h.begun()
	if l.Status != "pending" || l.Factor != "sms" || l.Digits != "" || l.Tries != 5 || !l.Demo || l.Expires == nil || time.Until(*l.Expires) > 11*time.Minute {
		t.Errorf("%+v", l)
	}
	code := h.code()
	h.eventually("the SMS was taken over", func() bool {
		return answer[lookup.Login](t, h.get("/v1/logins/"+l.ID, nil), http.StatusOK).Delivery == "sent"
	})
	// Another client has no such login, and takes nothing of it.
	office := h.client("office", service.Login)
	for _, s := range steps {
		if s.path == "/v1/logins" {
			continue
		}
		path := strings.Replace(s.path, aLogin, l.ID, 1)
		h.refused(askAt(t, h.url(), s.method, path, strings.Replace(s.body, "123456", code, 1), office, nil), http.StatusNotFound, lookup.CodeNoLogin)
	}
	if r := h.ask(http.MethodPost, "/v1/logins/"+l.ID+"/resend", "", nil); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("sent again at once: %s, after %q", r.Status, r.Header.Get("Retry-After"))
	}
	h.forward(31 * time.Second)
	if again := answer[lookup.Login](t, h.ask(http.MethodPost, "/v1/logins/"+l.ID+"/resend", "", nil), http.StatusOK); again.ID != l.ID || again.ResendIn < 30 {
		t.Errorf("sent again: %+v", again)
	}
	if again := h.code(); again != code {
		t.Error("another code while there was time left of the first")
	}
	if p := h.refused(h.handIn(l.ID, other(code)), http.StatusForbidden, lookup.CodeWrongCode); p.Tries == nil || *p.Tries != 4 {
		t.Errorf("%+v", p)
	}
	assertion := assertionOf(t, h.handIn(l.ID, code))
	who := h.subject(email)
	parsed, err := jwtOf(t, h, assertion, "shop", jwt.WithIssuer("keydesk"), jwt.WithSubject(who.String()), jwt.WithJwtID(l.ID))
	if err != nil {
		t.Fatal(err)
	}
	var revision float64
	var demo bool
	if err := parsed.Get("revision", &revision); err != nil || domain.Revision(revision) != h.revision(who) {
		t.Errorf("revision %v, %v", revision, err)
	}
	if err := parsed.Get("demo", &demo); err != nil || !demo {
		t.Errorf("a demo's assertion does not say so: %v", err)
	}
	if _, err := jwtOf(t, h, assertion, "office"); err == nil {
		t.Error("another client believes it")
	}
	h.refused(h.handIn(l.ID, code), http.StatusGone, lookup.CodeUsed)
	h.refused(h.get("/v1/logins/"+l.ID, nil), http.StatusGone, lookup.CodeUsed)
	h.quiet(code, phrase, "sanne", "Utrecht", "192.0.2.7", h.token, office)
}

// jwtOf verifies an assertion as a client does, with the server's clock.
func jwtOf(tb testing.TB, h *house, assertion, client string, options ...jwt.ParseOption) (jwt.Token, error) {
	tb.Helper()
	return verifyFor(tb, h.url(), client, assertion, append([]jwt.ParseOption{jwt.WithClock(jwt.ClockFunc(h.clock.now))}, options...)...)
}

func (h *house) subject(address string) domain.SubjectID {
	h.t.Helper()
	s, err := h.Desk.Subject(h.t.Context(), address)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) revision(s domain.SubjectID) domain.Revision {
	h.t.Helper()
	events, err := h.Log.ReadStream(h.t.Context(), domain.EnrolmentStream(s), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return events[len(events)-1].Revision
}

// quiet looks whether the program's log or its metrics say a word.
func (h *house) quiet(words ...string) {
	h.t.Helper()
	var said strings.Builder
	for _, line := range h.logs.All() {
		b, err := json.Marshal(line.ContextMap())
		if err != nil {
			h.t.Fatal(err)
		}
		fmt.Fprintf(&said, "%s %s\n", line.Message, b)
	}
	if _, err := io.Copy(&said, h.get("/metrics", nil).Body); err != nil {
		h.t.Fatal(err)
	}
	for _, word := range words {
		if strings.Contains(said.String(), word) {
			h.t.Errorf("%q is told:\n%s", word, said.String())
		}
	}
}

// A handset is a paired phone.
type handset struct {
	h       *house
	account pairing.Account
}

const thumb = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

// pair enrols somebody with Pocket.
func (h *house) pair(address string) handset {
	h.t.Helper()
	ctx := h.t.Context()
	h.walk(address, desk.ScreenFactor)
	v, err := h.Desk.Begin(ctx, address, "nl")
	for _, next := range []func(desk.View) (desk.View, error){
		func(v desk.View) (desk.View, error) { return h.Desk.ConfirmEmail(ctx, v.Visit, h.code()) },
		func(v desk.View) (desk.View, error) { return h.Desk.Resume(ctx, v.Visit, phrase) },
		func(v desk.View) (desk.View, error) { return h.Desk.OfferPairing(ctx, v.Visit) },
	} {
		if err == nil {
			v, err = next(v)
		}
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return h.pairIn(v)
}

// pairIn pairs the phone that a visit offers a pairing to.
func (h *house) pairIn(v desk.View) handset {
	h.t.Helper()
	ctx := h.t.Context()
	qr, err := pairing.ParseQR(v.Pocket.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	claimed, err := h.Desk.ClaimPairing(ctx, pairing.Claim{
		Pairing: qr.Pairing, Thumbprint: thumb, Key: []byte(`{"kty":"EC"}`), Label: "Toestel", Proof: pairing.ClaimProof(qr.Secret, qr.Pairing, thumb),
	})
	if err == nil {
		_, err = h.Desk.ConfirmPairing(ctx, v.Visit, pairing.Digits(qr.Pairing, thumb, claimed.Nonce))
	}
	if err != nil {
		h.t.Fatal(err)
	}
	account, err := h.Desk.FinishPairing(ctx, pairing.Finish{Pairing: qr.Pairing, Thumbprint: thumb, Key: []byte(`{"kty":"EC"}`), Nonce: claimed.Nonce})
	if err != nil {
		h.t.Fatal(err)
	}
	return handset{h, account}
}

// says answers what the phone is asked.
func (p handset) says(a pairing.Answer, digits string) {
	p.h.t.Helper()
	ctx, cancel := context.WithTimeout(p.h.t.Context(), patience)
	defer cancel()
	waits, err := p.h.Desk.PendingApproval(ctx, pairing.Ask{
		Subject: p.account.Subject, Device: p.account.Device, Thumbprint: thumb, Nonce: p.h.Desk.PhoneNonce(), JTI: desk.NewCall().String(),
	})
	if err != nil || waits == nil {
		p.h.t.Fatalf("nothing waits for the phone: %v", err)
	}
	if waits.From != "Firefox, Utrecht" || waits.Client != "shop" {
		p.h.t.Errorf("the phone shows %+v", waits)
	}
	if _, err := p.h.Desk.DecideApproval(p.h.t.Context(), pairing.Decision{
		Subject: p.account.Subject, Device: p.account.Device, Thumbprint: thumb, Challenge: waits.Challenge,
		Nonce: waits.Nonce, Digits: digits, Context: waits.Context(), Answer: a, JTI: desk.NewCall().String(),
	}); err != nil {
		p.h.t.Fatal(err)
	}
}

func TestALoginByPocket(t *testing.T) {
	t.Parallel()
	h := openLogins(t, nil)
	phone := h.pair(email)
	l := h.begun()
	if l.Status != "pending" || l.Factor != "pocket" || len(l.Digits) != 6 {
		t.Fatalf("%+v", l)
	}
	path := "/v1/logins/" + l.ID
	if now := answer[lookup.Login](t, h.get(path, nil), http.StatusOK); now.Status != "pending" || now.Digits != l.Digits {
		t.Errorf("%+v", now)
	}
	got := make(chan *http.Response, 1)
	go func() { got <- h.get(path+"?wait=25", nil) }()
	phone.says(pairing.Approve, l.Digits)
	began := time.Now()
	r := <-got
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("answered %s after the phone", took)
	}
	parsed, err := jwtOf(t, h, assertionOf(t, r), "shop", jwt.WithJwtID(l.ID), jwt.WithSubject(h.subject(email).String()))
	if err != nil {
		t.Fatal(err)
	}
	var amr []any
	if err := parsed.Get("amr", &amr); err != nil || fmt.Sprint(amr) != "[pwd swk mfa]" {
		t.Errorf("%v, %v", amr, err)
	}
	h.refused(h.get(path+"?wait=25", nil), http.StatusGone, lookup.CodeUsed)
	h.refused(h.handIn(l.ID, "123456"), http.StatusGone, lookup.CodeUsed)
	// One that the phone refuses.
	l = h.begun()
	phone.says(pairing.Deny, "")
	if now := answer[lookup.Login](t, h.get("/v1/logins/"+l.ID+"?wait=25", nil), http.StatusOK); now.Status != "ended" || now.Ended != "denied" || now.Assertion != "" {
		t.Errorf("%+v", now)
	}
	// And one that came too late.
	l = h.begun()
	h.forward(3 * time.Minute)
	if now := answer[lookup.Login](t, h.get("/v1/logins/"+l.ID, nil), http.StatusOK); now.Status != "ended" || now.Ended != "expired" {
		t.Errorf("%+v", now)
	}
	// The phone is not asked for ever.
	h.forward(-3 * time.Minute)
	if r := h.try(email, phrase, "192.0.2.7"); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("asked a fourth time: %s, after %q", r.Status, r.Header.Get("Retry-After"))
	}
}

// Nobody learns from the answer whether an address is known, its password wrong,
// or the account locked; who knows the password is told more.
func TestOneAnswerForAllThatIsWrong(t *testing.T) {
	t.Parallel()
	h := openLogins(t, nil)
	h.walk(email, desk.ScreenDone)
	h.walk("half@voorbeeld.nl", desk.ScreenPhone)
	for range 5 {
		h.refused(h.try(email, "Wrong"+phrase, "locked"), http.StatusUnauthorized, lookup.CodeWrongLogin)
	}
	seen := func(r *http.Response) string {
		t.Helper()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Del("Date")
		return fmt.Sprintln(r.Status, r.Header, string(b))
	}
	want := seen(h.try("nobody@voorbeeld.nl", phrase, "a"))
	if !strings.Contains(want, string(lookup.CodeWrongLogin)) {
		t.Fatal(want)
	}
	for what, r := range map[string]*http.Response{
		"a wrong password":          h.try(email, "Wrong"+phrase, "a"),
		"locked":                    h.try(email, "Wrong"+phrase, "locked"),
		"locked, and the right one": h.try(email, phrase, "locked"),
		"not complete":              h.try("half@voorbeeld.nl", "Wrong"+phrase, "a"),
		"not an address":            h.try("nobody", phrase, "a"),
		"of another domain":         h.try("nobody@example.org", phrase, "a"),
		"not a password":            h.try(email, "\u0007", "a"),
	} {
		if got := seen(r); got != want {
			t.Errorf("%s: %s not %s", what, got, want)
		}
	}
	h.refused(h.try("half@voorbeeld.nl", phrase, "a"), http.StatusForbidden, lookup.CodeNotEnrolled)
	if _, err := h.Desk.Freeze(t.Context(), h.subject(email), enrolment.CaseSuspicion); err != nil {
		t.Fatal(err)
	}
	h.refused(h.try(email, phrase, "a"), http.StatusForbidden, lookup.CodeFrozen)
	h.refused(h.try(email, "Wrong"+phrase, "a"), http.StatusUnauthorized, lookup.CodeWrongLogin)
}

// A freeze, or another factor, between the code and the assertion refuses it.
func TestSomethingElseWasRecordedMeanwhile(t *testing.T) {
	t.Parallel()
	h := openLogins(t, nil)
	phone := h.pair(email)
	who := h.subject(email)
	l := h.begun()
	phone.says(pairing.Approve, l.Digits)
	if done, err := h.Desk.Freeze(t.Context(), who, enrolment.CaseSuspicion); err != nil || !done {
		t.Fatal(err)
	}
	h.refused(h.get("/v1/logins/"+l.ID, nil), http.StatusConflict, lookup.CodeStale)
	if now := answer[lookup.Login](t, h.get("/v1/logins/"+l.ID, nil), http.StatusOK); now.Status != "ended" || now.Ended != "other" {
		t.Errorf("and then: %+v", now)
	}
}

// Races of the code with what must not be overtaken. Whatever comes first in the
// log: an assertion is given only where its login was recorded before the freeze.
func TestARaceWithAFreeze(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("enrols many people")
	}
	h := openLogins(t, map[string]string{"policy.resends_per_day": "1000", "policy.resends_per_hour": "100", "policy.station_hour": "1000"})
	given := 0
	const races = 16
	for n := range races {
		address := fmt.Sprintf("race%d@voorbeeld.nl", n)
		h.walk(address, desk.ScreenDone)
		l := answer[lookup.Login](t, h.try(address, phrase, "a"), http.StatusCreated)
		code, who := h.code(), h.subject(address)
		h.count("CodeSent") // it is in the log: the race is with nothing else
		var racing sync.WaitGroup
		racing.Go(func() {
			time.Sleep(time.Duration(n) * 300 * time.Microsecond)
			if _, err := h.Desk.Freeze(t.Context(), who, enrolment.CaseSuspicion); err != nil {
				t.Error(err)
			}
		})
		r := h.handIn(l.ID, code)
		racing.Wait()
		succeeded, frozen := h.positions(login.Stream(who), "LoginSucceeded"), h.positions(domain.EnrolmentStream(who), "AccountFrozen")
		if frozen == 0 {
			t.Fatal("not frozen")
		}
		switch r.StatusCode {
		case http.StatusOK:
			given++
			if succeeded == 0 || succeeded > frozen {
				t.Errorf("given, with the login at %d and the freeze at %d", succeeded, frozen)
			}
		case http.StatusConflict:
			h.refused(r, http.StatusConflict, lookup.CodeStale)
		default:
			t.Errorf("%s", r.Status)
		}
	}
	t.Logf("of %d races %d logins came first", races, given)
}

// positions returns where the last event of a type stands in a stream.
func (h *house) positions(stream, typ string) (at domain.Position) {
	h.t.Helper()
	events, err := h.Log.ReadStream(h.t.Context(), stream, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == typ {
			at = e.Position
		}
	}
	return at
}

// The same with something that changes the enrolment, again and again: each
// assertion names the revision that was the last one when its login was recorded.
func TestARaceWithAChange(t *testing.T) {
	t.Parallel()
	h := openLogins(t, nil)
	h.walk(email, desk.ScreenDone)
	who := h.subject(email)
	given, stale := 0, 0
	for n := range 24 {
		l := h.begun()
		code := h.code()
		var racing sync.WaitGroup
		racing.Go(func() {
			time.Sleep(time.Duration(n%8) * 300 * time.Microsecond)
			if _, err := h.Desk.AddToRoster(t.Context(), desk.Person{Email: email, Name: fmt.Sprintf("Sanne %d", n)}, "b"); err != nil {
				t.Error(err)
			}
		})
		r := h.handIn(l.ID, code)
		racing.Wait()
		if r.StatusCode == http.StatusConflict {
			h.refused(r, http.StatusConflict, lookup.CodeStale)
			stale++
			continue
		}
		given++
		parsed, err := jwtOf(t, h, assertionOf(t, r), "shop")
		if err != nil {
			t.Fatal(err)
		}
		var revision float64
		if err := parsed.Get("revision", &revision); err != nil {
			t.Fatal(err)
		}
		succeeded := h.positions(login.Stream(who), "LoginSucceeded")
		events, err := h.Log.ReadStream(t.Context(), domain.EnrolmentStream(who), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if (e.Position < succeeded) != (e.Revision <= domain.Revision(revision)) {
				t.Errorf("the assertion is of revision %v, and revision %d is at %d, the login at %d", revision, e.Revision, e.Position, succeeded)
			}
		}
	}
	t.Logf("%d given, %d stale", given, stale)
}

// A client that is revoked between two steps gets no further.
func TestARevokedClientInTheMiddle(t *testing.T) {
	t.Parallel()
	h := openLogins(t, nil)
	h.walk(email, desk.ScreenDone)
	l := h.begun()
	code := h.code()
	if err := h.Desk.RevokeClient(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	h.eventually("the client is let in no more", func() bool { return h.get("/v1/logins/"+l.ID, nil).StatusCode == http.StatusUnauthorized })
	h.refused(h.handIn(l.ID, code), http.StatusUnauthorized, lookup.CodeUnauthorized)
	// Nothing was used up: the same id, with another token, is the same client.
	h.token = h.client("shop", service.Login)
	assertionOf(t, h.handIn(l.ID, code))
}

// Two servers on one home: a login that was begun at one goes on at the other, and
// the keys of both verify what either signed.
func TestTwoServersLogIn(t *testing.T) {
	t.Parallel()
	one := openLogins(t, nil)
	one.walk(email, desk.ScreenDone)
	two := serve(t, one.dir, nil)
	two.token = one.token
	two.eventually("the other one is ready", func() bool { return two.get("/v1/logins/"+aLogin, nil).StatusCode == http.StatusNotFound })
	if n := one.count("KeyRotated"); n != 1 {
		t.Errorf("%d keys", n)
	}
	l := one.begun()
	assertion := assertionOf(t, two.handIn(l.ID, one.code()))
	for _, h := range []*house{one, two} {
		if _, err := jwtOf(t, h, assertion, "shop"); err != nil {
			t.Error(err)
		}
	}
	one.refused(one.get("/v1/logins/"+l.ID, nil), http.StatusGone, lookup.CodeUsed)
}

// A rotation in the middle of things: an assertion signed before it and one signed
// after it are verified, with a new master key as well.
func TestKeysAreRotatedInAHome(t *testing.T) {
	t.Parallel()
	h := openLogins(t, nil)
	h.walk(email, desk.ScreenDone)
	logIn := func() string {
		t.Helper()
		l := h.begun()
		return assertionOf(t, h.handIn(l.ID, h.code()))
	}
	before := logIn()
	h.stop()
	putNewKeyInFront(t, filepath.Join(h.dir, "master.key"))
	token, read, plus := h.token, h.read, h.clock.ahead.Load()
	h = serve(t, h.dir, nil)
	h.token, h.read = token, read
	h.clock.ahead.Store(plus)
	h.eventually("it is served again", func() bool { return h.get("/v1/logins/"+aLogin, nil).StatusCode == http.StatusNotFound })
	again := logIn()
	k, err := h.Desk.RotateKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	published := func() int {
		return len(answer[lookup.KeySet](t, h.get("/.well-known/jwks.json", nil), http.StatusOK).Keys)
	}
	h.eventually("it is published", func() bool { return published() == 2 })
	events, err := h.Log.ReadStream(t.Context(), domain.ServiceStream, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Type == "KeyRotated" && strings.Contains(string(e.Data), k.Master) != strings.Contains(string(e.Data), k.ID) {
			t.Errorf("not from the newest master key: %s", e.Data)
		}
	}
	h.forward(service.KeyAhead + time.Second)
	after := logIn()
	if strings.Split(after, ".")[0] == strings.Split(before, ".")[0] {
		t.Error("the key did not change")
	}
	for what, a := range map[string]string{"before": before, "again": again, "after": after} {
		clock := jwt.WithClock(jwt.ClockFunc(func() time.Time {
			if what == "after" {
				return h.clock.now()
			}
			return time.Now().Add(time.Duration(plus))
		}))
		if _, err := verifyFor(t, h.url(), "shop", a, clock); err != nil && !strings.Contains(err.Error(), `"exp" not satisfied`) {
			t.Errorf("%s: %v", what, err)
		}
	}
	h.forward(service.KeyKept)
	if n := published(); n != 1 {
		t.Errorf("%d are published", n)
	}
}

// putNewKeyInFront makes the key file hold a new key, and behind it those that
// it held.
func putNewKeyInFront(t *testing.T, file string) {
	t.Helper()
	fresh := filepath.Join(t.TempDir(), "master.key")
	if _, err := vault.LoadOrCreateKeys(fresh); err != nil {
		t.Fatal(err)
	}
	var ring []string
	for _, f := range []string{fresh, file} {
		b, err := os.ReadFile(f) //nolint:gosec // files of this test
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		if f == fresh {
			ring = lines
		} else {
			ring = append(ring, lines[len(lines)-1])
		}
	}
	if err := os.WriteFile(file, []byte(strings.Join(ring, "\n")+"\n"), 0o600); err != nil { //nolint:gosec // a file of this test
		t.Fatal(err)
	}
}
