package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/service"
)

// What the desk refuses, as the portal sees it: of an address and a password
// nothing that tells whose it is.
func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	type want struct {
		status int
		code   lookup.Code
		retry  string
	}
	wrong := want{401, lookup.CodeWrongLogin, ""}
	later := func(seconds string) map[string]want {
		return all(want{503, lookup.CodeUnavailable, seconds})
	}
	for _, test := range []struct {
		refusal error
		steps   map[string]want
	}{
		{&desk.Refusal{Code: desk.WrongLogin}, map[string]want{"password": wrong, "code": {403, lookup.CodeLocked, ""}, "resend": {403, lookup.CodeLocked, ""}}},
		{&desk.Refusal{Code: desk.NotAnAddress}, map[string]want{"password": wrong}},
		{&desk.Refusal{Code: desk.OutsideDomains}, map[string]want{"password": wrong}},
		{&desk.Refusal{Code: desk.LockedOut}, map[string]want{"password": wrong, "code": {403, lookup.CodeLocked, ""}}},
		{&desk.Refusal{Code: desk.OutOfOrder}, map[string]want{
			"password": {403, lookup.CodeNotEnrolled, ""}, "approval": {409, lookup.CodeOutOfOrder, ""}, "code": {409, lookup.CodeOutOfOrder, ""},
		}},
		{&desk.Refusal{Code: desk.AccountFrozen}, all(want{403, lookup.CodeFrozen, ""})},
		{&desk.Refusal{Code: desk.Limited, Wait: 89500 * time.Millisecond}, all(want{429, lookup.CodeLimited, "90"})},
		{&desk.Refusal{Code: desk.Busy}, all(want{503, lookup.CodeBusy, "1"})},
		{&desk.Refusal{Code: desk.SMSPaused}, later("1")},
		{&desk.Refusal{Code: desk.WrongCode, Left: 3}, map[string]want{"code": {403, lookup.CodeWrongCode, ""}}},
		{&desk.Refusal{Code: desk.CodeExpired}, map[string]want{"code": {410, lookup.CodeExpired, ""}}},
		{&desk.Refusal{Code: desk.CodeEnded}, map[string]want{"code": {410, lookup.CodeEnded, ""}}},
		{&desk.Refusal{Code: desk.CodeUsed}, map[string]want{"code": {410, lookup.CodeUsed, ""}, "approval": {410, lookup.CodeUsed, ""}}},
		{&desk.Refusal{Code: desk.NoCode}, map[string]want{"code": {404, lookup.CodeNoLogin, ""}, "approval": {404, lookup.CodeNoLogin, ""}, "resend": {404, lookup.CodeNoLogin, ""}}},
		{&desk.Refusal{Code: desk.LoginStale}, map[string]want{"code": {409, lookup.CodeStale, ""}, "approval": {409, lookup.CodeStale, ""}}},
		{&desk.Refusal{Code: desk.Unavailable, Incident: "c0ffee00"}, later("1")},
		{&desk.Refusal{Code: desk.Unsure, Incident: "c0ffee00"}, later("1")},
		{errors.New("a fault"), later("1")},
		{context.Canceled, later("1")},
		{&desk.Refusal{Code: "of-another-version"}, all(want{409, lookup.CodeOutOfOrder, ""})},
	} {
		c := newCounter(t, refusing(test.refusal))
		for step, want := range test.steps {
			r := c.step(step)
			p := answer[lookup.Problem](t, r, want.status)
			if p.Code != want.code || r.Header.Get("Retry-After") != want.retry || p.Status != want.status || r.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%v, %s: %+v, %v", test.refusal, step, p, r.Header)
			}
			if challenge := r.Header.Get("WWW-Authenticate"); (challenge != "") != (want.status == 401) {
				t.Errorf("%v, %s: challenged with %q", test.refusal, step, challenge)
			}
			refusal, _ := errors.AsType[*desk.Refusal](test.refusal)
			if (p.Tries != nil) != (want.code == lookup.CodeWrongCode) || p.Tries != nil && *p.Tries != 3 {
				t.Errorf("%v, %s: tries %v", test.refusal, step, p.Tries)
			}
			if refusal != nil && !strings.Contains(p.Detail, refusal.Incident) {
				t.Errorf("%v, %s: no incident in %q", test.refusal, step, p.Detail)
			}
		}
	}
}

func all[W any](w W) map[string]W {
	m := map[string]W{}
	for step := range steps {
		m[step] = w
	}
	return m
}

func TestALoginIsBegun(t *testing.T) {
	t.Parallel()
	for _, f := range []enrolment.Factor{enrolment.SMS, enrolment.Pocket} {
		logins := succeeding(f)
		start := logins.start
		var asked desk.LoginAttempt
		logins.start = func(ctx context.Context, a desk.LoginAttempt) (desk.Login, error) {
			asked = a
			l, err := start(ctx, a)
			if f == enrolment.SMS {
				l.Digits = ""
			}
			return l, err
		}
		c := newCounter(t, logins)
		r := c.ask(http.MethodPost, "/v1/logins", `{"email":"a@voorbeeld.nl","password":" pass wórd ","network":"192.0.2.7","from":"Firefox, Utrecht"}`, nil)
		l := answer[lookup.Login](t, r, http.StatusCreated)
		if l.ID != aLogin || l.Status != "pending" || l.Factor != string(f) || l.Expires == nil || l.Tries != 5 || l.ResendIn != 2 || l.Delivery != "sending" || l.Assertion != "" {
			t.Errorf("%+v", l)
		}
		if (l.Digits == "123456") != (f == enrolment.Pocket) {
			t.Errorf("digits %q", l.Digits)
		}
		if r.Header.Get("Location") != "/v1/logins/"+aLogin || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v", r.Header)
		}
		if want := (desk.LoginAttempt{Client: "portal", Email: "a@voorbeeld.nl", Password: " pass wórd ", Network: "192.0.2.7", From: "Firefox, Utrecht"}); asked != want { //nolint:gosec // G101: of nobody
			t.Errorf("asked with %+v", asked)
		}
	}
}

// The scope and the token count at every step, and a login is a client's own: the
// desk is told whose token was shown.
func TestWhoMayLogIn(t *testing.T) {
	t.Parallel()
	logins := succeeding(enrolment.SMS)
	logins.code = func(_ context.Context, client, _, _ string) (desk.Login, error) {
		if client != "other" {
			t.Errorf("asked for %s", client)
		}
		return desk.Login{}, &desk.Refusal{Code: desk.NoCode}
	}
	c := newCounter(t, logins)
	other := "keydesk_other.CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA"
	c.record(service.ClientAdded{Client: "other", Scopes: []service.Scope{service.Login}, Token: hashOf(other)})
	for name, s := range steps {
		p := answer[lookup.Problem](t, askAt(t, c.URL, s.method, s.path, s.body, office, nil), http.StatusForbidden)
		if p.Code != lookup.CodeForbidden {
			t.Errorf("%s without the scope: %+v", name, p)
		}
		for _, token := range []string{"", "x", strings.Replace(token, "portal", "other", 1)} {
			if p := answer[lookup.Problem](t, askAt(t, c.URL, s.method, s.path, s.body, token, nil), http.StatusUnauthorized); p.Code != lookup.CodeUnauthorized {
				t.Errorf("%s with %q: %+v", name, token, p)
			}
		}
	}
	s := steps["code"]
	if p := answer[lookup.Problem](t, askAt(t, c.URL, s.method, s.path, s.body, other, nil), http.StatusNotFound); p.Code != lookup.CodeNoLogin {
		t.Errorf("a login of another client: %+v", p)
	}
	for _, id := range []string{"x", aLogin + "A", strings.Repeat("-", 42) + "+", strings.Repeat("A", 60)} {
		for _, path := range []string{"", "/code", "/resend"} {
			method, body := http.MethodPost, `{"code":"123456"}`
			if path == "" {
				method, body = http.MethodGet, ""
			}
			if p := answer[lookup.Problem](t, c.ask(method, "/v1/logins/"+id+path, body, nil), http.StatusNotFound); p.Code != lookup.CodeNoLogin {
				t.Errorf("%s%s: %+v", id, path, p)
			}
		}
	}
}

// Who is revoked in the middle is told nothing more, and no assertion, even of a
// login that they have just ended; what waits for the phone is not used up for it.
func TestAClientThatIsRevokedMeanwhile(t *testing.T) {
	t.Parallel()
	var c *counter
	logins := succeeding(enrolment.Pocket)
	code, state := logins.code, logins.state
	logins.code = func(ctx context.Context, client, id, text string) (desk.Login, error) {
		c.record(service.ClientRevoked{Client: "portal"})
		return code(ctx, client, id, text)
	}
	logins.state = func(ctx context.Context, client, id string) (desk.Login, error) {
		c.record(service.ClientRevoked{Client: "portal"})
		return state(ctx, client, id)
	}
	logins.redeem = func(context.Context, string, string) (desk.Login, error) {
		t.Error("redeemed for nobody")
		return desk.Login{}, &desk.Refusal{Code: desk.CodeUsed}
	}
	for _, step := range []string{"code", "approval"} {
		c = newCounter(t, logins)
		if p := answer[lookup.Problem](t, c.step(step), http.StatusUnauthorized); p.Code != lookup.CodeUnauthorized {
			t.Errorf("%s: %+v", step, p)
		}
	}
}

// The first answer after the approval carries the assertion; of many that ask at
// once one gets it.
func TestAnApprovalIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	logins := succeeding(enrolment.Pocket)
	redeem := logins.redeem
	var once sync.Mutex
	logins.redeem = func(ctx context.Context, client, id string) (desk.Login, error) {
		if !once.TryLock() {
			return desk.Login{}, &desk.Refusal{Code: desk.CodeUsed}
		}
		return redeem(ctx, client, id)
	}
	c := newCounter(t, logins)
	statuses := make(chan int, 20)
	var asking sync.WaitGroup
	for range cap(statuses) {
		asking.Go(func() {
			w := httptest.NewRecorder()
			c.handler.ServeHTTP(w, request(t.Context(), http.MethodGet, "/v1/logins/"+aLogin, ""))
			statuses <- w.Code
		})
	}
	asking.Wait()
	close(statuses)
	count := map[int]int{}
	for s := range statuses {
		count[s]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusGone] != 19 {
		t.Errorf("answers by status: %v", count)
	}
	logins.state = func(context.Context, string, string) (desk.Login, error) {
		return desk.Login{ID: aLogin, Status: desk.LoginSucceeded, Factor: enrolment.SMS}, nil
	}
	if p := answer[lookup.Problem](t, newCounter(t, logins).step("approval"), http.StatusGone); p.Code != lookup.CodeUsed {
		t.Errorf("one that has succeeded: %+v", p)
	}
	logins.state = func(context.Context, string, string) (desk.Login, error) {
		return desk.Login{ID: aLogin, Status: desk.LoginEnded, Ended: desk.EndedDenied, Factor: enrolment.Pocket, Digits: "123456"}, nil
	}
	if l := answer[lookup.Login](t, newCounter(t, logins).step("approval"), http.StatusOK); l.Status != "ended" || l.Ended != "denied" || l.Assertion != "" || l.Digits != "" {
		t.Errorf("one that was denied: %+v", l)
	}
}

// A HEAD uses nothing up.
func TestALoginIsNotRedeemedByTheWay(t *testing.T) {
	t.Parallel()
	logins := succeeding(enrolment.Pocket)
	logins.redeem = func(context.Context, string, string) (desk.Login, error) {
		t.Error("redeemed")
		return desk.Login{}, &desk.Refusal{Code: desk.CodeUsed}
	}
	c := newCounter(t, logins)
	for _, method := range []string{http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPost} {
		if r := c.ask(method, "/v1/logins/"+aLogin, "", nil); r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s", method, r.Status)
		}
	}
}

// Whatever is asked is answered as the document says, and nothing of it comes back.
func FuzzRequests(f *testing.F) {
	f.Add("/v1/logins", `{"email":"a@voorbeeld.nl","password":"p","network":"192.0.2.7","from":"x"}`)
	f.Add("/v1/logins/"+aLogin+"/code", `{"code":"123456"}`)
	f.Add("/v1/logins/"+aLogin+"/resend", `{}`)
	f.Add("/v1/logins", `{"email":{"a":[1e999,"\ud800"]},"password":null}`)
	c := newCounter(f, refusing(&desk.Refusal{Code: desk.WrongLogin}))
	f.Fuzz(func(t *testing.T, path, body string) {
		if !strings.HasPrefix(path, "/v1/logins") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://keydesk.example/", strings.NewReader(body))
		r.URL.Path = path
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, r)
		if w.Code < 300 || w.Code >= 500 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if secret := strings.TrimSpace(body); len(secret) > 20 && strings.Contains(w.Body.String(), secret) {
			t.Errorf("%q comes back: %s", body, w.Body)
		}
	})
}

func request(ctx context.Context, method, path, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// pending waits as a login does that nobody answers.
func pending(ctx context.Context, _, id string) (desk.Login, error) {
	<-ctx.Done()
	return desk.Login{ID: id, Status: desk.LoginPending, Factor: enrolment.Pocket, Digits: "123456"}, nil
}

func TestALoginIsWaitedFor(t *testing.T) {
	t.Parallel()
	logins := succeeding(enrolment.Pocket)
	logins.state = pending
	c := newCounter(t, logins)
	for wait, within := range map[string][2]time.Duration{"": {0, time.Second}, "?wait=0": {0, time.Second}, "?wait=1": {time.Second, 10 * time.Second}} {
		began := time.Now()
		l := answer[lookup.Login](t, c.ask(http.MethodGet, "/v1/logins/"+aLogin+wait, "", nil), http.StatusOK)
		if took := time.Since(began); l.Status != "pending" || l.Digits != "123456" || took < within[0] || took > within[1]+patience/4 {
			t.Errorf("%q: %+v after %s", wait, l, took)
		}
	}
	for _, wait := range []string{"26", "-1", "x", "1e9"} {
		if p := answer[lookup.Problem](t, c.ask(http.MethodGet, "/v1/logins/"+aLogin+"?wait="+wait, "", nil), http.StatusUnprocessableEntity); p.Code != lookup.CodeInvalid {
			t.Errorf("%s: %+v", wait, p)
		}
	}
	// So many wait at once, and no more.
	ctx, leave := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	limited := make(chan string, 100)
	for range 2000 + cap(limited) {
		waiting.Go(func() {
			w := httptest.NewRecorder()
			c.handler.ServeHTTP(w, request(ctx, http.MethodGet, "/v1/logins/"+aLogin+"?wait=25", ""))
			if w.Code == http.StatusTooManyRequests {
				limited <- w.Header().Get("Retry-After")
			}
		})
	}
	for range cap(limited) {
		select {
		case after := <-limited:
			if after != "1" {
				t.Errorf("Retry-After %q", after)
			}
		case <-time.After(patience):
			t.Fatal("they all wait")
		}
	}
	leave()
	waiting.Wait()
}

// A password that waits longer for its turn than the server reads or writes, and a
// phone that is answered late, are answered all the same. One that waits too long
// is told to come again.
func TestWhatTakesLong(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for 12 s")
	}
	h := counterServed(t)
	var asking sync.WaitGroup
	asking.Go(func() {
		l := answer[lookup.Login](t, askAt(t, h, http.MethodPost, "/v1/logins", steps["password"].body, token, nil), http.StatusCreated)
		if l.Status != "pending" {
			t.Errorf("%+v", l)
		}
	})
	asking.Go(func() {
		l := answer[lookup.Login](t, askAt(t, h, http.MethodGet, "/v1/logins/"+aLogin+"?wait=12", "", token, nil), http.StatusOK)
		if l.Status != "pending" {
			t.Errorf("%+v", l)
		}
	})
	asking.Wait()
}

// patient notes until when an answer may be written.
type patient struct {
	*httptest.ResponseRecorder
	until time.Time
}

func (p *patient) SetWriteDeadline(t time.Time) error {
	p.until = t
	return nil
}

// A login that was redeemed at the very end of a wait is told of: whoever asked has
// used it up.
func TestAnAnswerHasTimeToBeWritten(t *testing.T) {
	t.Parallel()
	c := newCounter(t, succeeding(enrolment.Pocket))
	for name, least := range map[string]time.Duration{"password": 40 * time.Second, "code": 15 * time.Second, "resend": 15 * time.Second, "approval": 40 * time.Second} {
		s := steps[name]
		if name == "approval" {
			s.path += "?wait=25"
		}
		w := &patient{ResponseRecorder: httptest.NewRecorder()}
		c.handler.ServeHTTP(w, request(t.Context(), s.method, s.path, s.body))
		if left := time.Until(w.until); left < least || left > 2*least {
			t.Errorf("%s: %s to write", name, left)
		}
	}
}

// Nothing that somebody typed is told: not in an answer, not in the program's log,
// not in a metric, however wrong the request is.
func TestNothingTypedIsRepeated(t *testing.T) {
	t.Parallel()
	const typed = "Zeekoe7"
	for _, logins := range []told{refusing(&desk.Refusal{Code: desk.WrongLogin}), refusing(errors.New("a fault")), succeeding(enrolment.SMS)} {
		c := newCounter(t, logins)
		var answers []*http.Response
		for _, body := range []string{
			`{"email":"` + typed + `@voorbeeld.nl","password":"` + typed + `","network":"` + typed + `","from":"` + typed + `"}`,
			`{"email":"a@voorbeeld.nl","password":"` + typed + `","network":"\u0007` + typed + `"}`,
			`{"email":"a@voorbeeld.nl","password":"` + typed + `","from":"\n` + typed + `"}`,
			`{"email":"a@voorbeeld.nl","password":"` + typed + strings.Repeat("x", 2000) + `"}`,
			`{"email":"a@voorbeeld.nl","password":"` + typed + strings.Repeat("x", 20000) + `"}`,
			`{"email":"a@voorbeeld.nl","password":["` + typed + `"]}`,
			`{"email":{"` + typed + `":1},"password":"` + typed + `"}`,
			`{"` + typed + `":"a@voorbeeld.nl"}`,
			`{"password":` + typed + `}`,
			`{"password":"` + typed,
			`"` + typed + `"`,
			typed,
			"",
		} {
			answers = append(answers, c.ask(http.MethodPost, "/v1/logins", body, nil))
			for _, path := range []string{"/code", "/resend"} {
				answers = append(answers, c.ask(http.MethodPost, "/v1/logins/"+aLogin+path, strings.ReplaceAll(body, "password", "code"), nil))
			}
			answers = append(answers, c.ask(http.MethodPost, "/v1/logins", body, map[string]string{"Content-Type": "text/plain"}))
		}
		said := c.said(answers...)
		if strings.Contains(said, typed) || strings.Contains(said, "'Z'") {
			t.Errorf("it is told:\n%s", said)
		}
		if strings.Contains(said, "portal") && strings.Contains(said, `client="portal"`) {
			t.Error("a client is told of")
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	c := newCounter(t, succeeding(enrolment.SMS))
	for path, most := range map[string]int{"/v1/logins": 8192, "/v1/logins/" + aLogin + "/code": 1024} {
		if r := c.ask(http.MethodPost, path, strings.Repeat(" ", most+1), nil); r.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	// The longest that a person may have, in any writing, fits.
	long := strings.Repeat(`\u0451`, 1024)
	if r := c.ask(http.MethodPost, "/v1/logins", `{"email":"a@voorbeeld.nl","password":"`+long+`"}`, nil); r.StatusCode != http.StatusCreated {
		t.Errorf("a long password: %s", r.Status)
	}
}

func TestLoginsAreCounted(t *testing.T) {
	t.Parallel()
	c := newCounter(t, succeeding(enrolment.SMS))
	for step := range steps {
		c.step(step)
	}
	r := c.ask(http.MethodGet, "/metrics", "", nil)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`keydesk_logins_total{outcome="right",step="password"} 1`, `keydesk_logins_total{outcome="succeeded",step="code"} 1`,
		`keydesk_logins_total{outcome="succeeded",step="approval"} 1`, `keydesk_logins_total{outcome="sent",step="resend"} 1`,
	} {
		if !strings.Contains(string(b), line) {
			t.Errorf("%s is not told", line)
		}
	}
	c = newCounter(t, refusing(&desk.Refusal{Code: desk.WrongLogin}))
	c.step("password")
	if said := c.said(); !strings.Contains(said, `keydesk_logins_total{outcome="wrong-login",step="password"} 1`) {
		t.Error("a wrong login is not told")
	}
}

// The document tells of every status and code that there is.
func TestTheDocumentTellsOfLogins(t *testing.T) {
	t.Parallel()
	c := newCounter(t, succeeding(enrolment.SMS))
	type operation struct {
		Responses map[string]struct {
			Content map[string]any
		}
		Security []map[string][]string
	}
	var doc struct {
		Paths map[string]map[string]operation
	}
	get(c.handler, "/openapi.json", &doc)
	for path, want := range map[string]struct{ method, statuses, scope string }{
		"/v1/logins":             {"post", "201 400 401 403 413 422 429 503", "login"},
		"/v1/logins/{id}":        {"get", "200 401 403 404 409 410 422 429 503", "login"},
		"/v1/logins/{id}/code":   {"post", "200 400 401 403 404 409 410 413 422 429 503", "login"},
		"/v1/logins/{id}/resend": {"post", "200 401 403 404 409 410 422 429 503", "login"},
		"/.well-known/jwks.json": {"get", "200 503", ""},
	} {
		op := doc.Paths[path][want.method]
		for status := range strings.FieldsSeq(want.statuses) {
			if _, ok := op.Responses[status]; !ok {
				t.Errorf("%s: nothing is said of %s", path, status)
			}
		}
		if scope := fmt.Sprint(op.Security); (want.scope == "") != (len(op.Security) == 0) || want.scope != "" && scope != "[map[token:["+want.scope+"]]]" {
			t.Errorf("%s: security %s", path, scope)
		}
	}
	b, err := io.ReadAll(c.ask(http.MethodGet, "/docs", "", nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"/v1/logins/{id}/code", "wrong-login", "login-stale", "not-enrolled", "assertion", "jwks.json", "Firefox, Utrecht", "wait=25", "resend_in", "wrong-digits"} {
		if !strings.Contains(string(b), word) {
			t.Errorf("the page does not tell of %s", word)
		}
	}
}

// counterServed serves with the bounds of the program.
func counterServed(t *testing.T) string {
	t.Helper()
	logins := succeeding(enrolment.Pocket)
	start := logins.start
	logins.start = func(ctx context.Context, a desk.LoginAttempt) (desk.Login, error) {
		select {
		case <-ctx.Done():
			t.Errorf("given up: %v", context.Cause(ctx))
			return desk.Login{}, ctx.Err()
		case <-time.After(7 * time.Second):
			return start(ctx, a)
		}
	}
	logins.state = pending
	c := newCounter(t, logins)
	return c.serve()
}
