package lookup_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
)

func TestAFactorAsItComesToBe(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	if f := h.byEmail(email); f.State != "unknown" || f.Factor != "none" || f.Subject != "" || f.Revision != nil || !f.Demo {
		t.Errorf("before anything: %+v", f)
	}
	h.walk(email, desk.ScreenFactor)
	f := h.byEmail(email)
	if f.State != "enrolling" || f.Factor != "none" || f.Subject == "" || f.Revision == nil || f.Since == nil {
		t.Errorf("half-way: %+v", f)
	}
	path := "/v1/factor/" + f.Subject
	first := h.get(path, nil)
	etag := first.Header.Get("ETag")
	if got := answer[lookup.Factor](t, first, http.StatusOK); got.State != "enrolling" || etag == "" {
		t.Errorf("by id: %+v, ETag %q", got, etag)
	}
	if r := h.get(path, map[string]string{"If-None-Match": `"x", ` + etag}); r.StatusCode != http.StatusNotModified {
		t.Errorf("the same: %s", r.Status)
	}
	h.walk(email, desk.ScreenDone)
	r := h.get(path, map[string]string{"If-None-Match": etag})
	if got := answer[lookup.Factor](t, r, http.StatusOK); got.State != "active" || got.Factor != "sms" || *got.Revision <= *f.Revision || got.Position <= f.Position || got.Since.Before(*f.Since) {
		t.Errorf("at the end: %+v", got)
	}
	if got := answer[lookup.Factor](t, h.ask(http.MethodPost, "/v1/factor", `{"subject":"`+f.Subject+`"}`, nil), http.StatusOK); got.Factor != "sms" {
		t.Errorf("by id in the body: %+v", got)
	}
	nobody := "/v1/factor/4b2d5a3e-8c1f-4f6e-9d3a-2b7c1e5f0a94"
	if got := answer[lookup.Factor](t, h.get(nobody, nil), http.StatusOK); got.State != "unknown" || got.Factor != "none" {
		t.Errorf("nobody: %+v", got)
	}
	for _, line := range h.logs.All() {
		b, err := json.Marshal(line.ContextMap())
		if err != nil || strings.Contains(line.Message+string(b), "sanne") || strings.Contains(string(b), h.token) {
			t.Errorf("the program's log says %s %s", line.Message, b)
		}
	}
}

func TestAPositionThatIsDemanded(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.walk(email, desk.ScreenDone)
	f := h.byEmail(email)
	at := strconv.FormatUint(f.Through, 10)
	if got := answer[lookup.Factor](t, h.get("/v1/factor/"+f.Subject+"?min_position="+at, nil), http.StatusOK); got.Through < f.Through {
		t.Errorf("%+v", got)
	}
	began := time.Now()
	p := answer[lookup.Problem](t, h.get("/v1/factor/"+f.Subject+"?min_position=99999999", nil), http.StatusServiceUnavailable)
	if took := time.Since(began); p.Code != lookup.CodeBehind || took < time.Second || took > 10*time.Second {
		t.Errorf("%+v after %s", p, took)
	}
	// One that comes while it is waited for is enough.
	head := h.byEmail(email).Through
	got := make(chan *http.Response, 1)
	go func() {
		got <- h.ask(http.MethodPost, "/v1/factor", `{"subject":"`+f.Subject+`","min_position":`+strconv.FormatUint(head+1, 10)+`}`, nil)
	}()
	time.Sleep(20 * time.Millisecond)
	h.walk("jan@voorbeeld.nl", desk.ScreenEmailCode)
	if f := answer[lookup.Factor](t, <-got, http.StatusOK); f.Through <= head {
		t.Errorf("%+v", f)
	}
}

// Two servers stand side by side on one log: what was enrolled at one, the other
// tells, at once where its position is demanded; clients are those of both.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	one := open(t, nil)
	two := serve(t, one.dir, nil)
	two.token = one.token
	two.eventually("the other one is ready", func() bool { return two.get("/readyz", nil).StatusCode == http.StatusOK })
	one.walk(email, desk.ScreenDone)
	f := one.byEmail(email)
	body := `{"email":"` + email + `","min_position":` + strconv.FormatUint(f.Position, 10) + `}`
	got := answer[lookup.Factor](t, two.ask(http.MethodPost, "/v1/factor", body, nil), http.StatusOK)
	if got.Subject != f.Subject || got.Factor != "sms" || *got.Revision < *f.Revision {
		t.Errorf("%+v instead of %+v", got, f)
	}
	if err := two.Desk.RevokeClient(t.Context(), "portal"); err != nil {
		t.Fatal(err)
	}
	one.eventually("the client is let in no more", func() bool { return one.get("/v1/factors", nil).StatusCode == http.StatusUnauthorized })
}

// Rather no answer than an old one, whatever is asked, and be it whether an old
// answer still holds. The server lives, and says that it is not ready.
func TestAServerThatHasNotHeardFromTheLog(t *testing.T) {
	t.Parallel()
	people := factor.New()
	history := foldtest.Even(1, 0)
	people.Apply(history, history[len(history)-1].Position)
	sanne := foldtest.Subject(0)
	var silent, clientsUnknown atomic.Bool
	s := httptest.NewServer(lookup.NewHandler(lookup.Config{
		Factors: people, Feed: deaf{&silent}, ClientsKnown: func() bool { return !clientsUnknown.Load() },
		Clients: may(service.ReadFactor),
		Subject: func(_ context.Context, address string) (domain.SubjectID, error) {
			if address != email {
				return domain.SubjectID{}, domain.ErrNotFound
			}
			return sanne, nil
		},
		Address: func(*http.Request) netip.Prefix { return netip.Prefix{} }, Log: zap.NewNop(), Now: time.Now,
	}))
	defer s.Close()
	h := &house{t: t, at: s.Listener.Addr().String(), token: token}
	etag := h.get("/v1/factor/"+sanne.String(), nil).Header.Get("ETag")
	for _, now := range []struct{ silent, clientsUnknown bool }{{}, {silent: true}, {}, {clientsUnknown: true}, {}} {
		silent.Store(now.silent)
		clientsUnknown.Store(now.clientsUnknown)
		knows := !now.silent && !now.clientsUnknown
		for _, q := range []struct {
			method, path, body, etag string
			status                   int
		}{
			{http.MethodGet, "/v1/factor/" + sanne.String(), "", "", http.StatusOK},
			{http.MethodGet, "/v1/factor/" + sanne.String(), "", etag, http.StatusNotModified},
			{http.MethodPost, "/v1/factor", `{"subject":"` + sanne.String() + `"}`, "", http.StatusOK},
			{http.MethodPost, "/v1/factor", `{"email":"` + email + `"}`, "", http.StatusOK},
			{http.MethodPost, "/v1/factor", `{"email":"nobody@voorbeeld.nl"}`, "", http.StatusOK},
			{http.MethodGet, "/v1/factors", "", "", http.StatusOK},
			{http.MethodGet, "/v1/factors/stream", "", "", http.StatusOK},
			{http.MethodGet, "/readyz", "", "", http.StatusOK},
			{http.MethodGet, "/healthz", "", "", http.StatusOK},
		} {
			r := h.ask(q.method, q.path, q.body, map[string]string{"If-None-Match": q.etag})
			if !knows && q.path != "/healthz" {
				q.status = http.StatusServiceUnavailable
			}
			if r.StatusCode != q.status {
				t.Errorf("%+v: %s %s %s: %s", now, q.method, q.path, q.body, r.Status)
			} else if !knows && strings.HasPrefix(q.path, "/v1/") {
				if p := answer[lookup.Problem](t, r, q.status); p.Code != lookup.CodeBehind {
					t.Errorf("%+v: %s %s %s: %+v", now, q.method, q.path, q.body, p)
				}
			}
			_ = r.Body.Close() // a stream would go on
		}
	}
}

// A home tells its API how long ago the log was heard.
func TestAHomeThatHasNotHeardFromTheLog(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.clock.races.Store(true)
	h.eventually("it is not ready", func() bool { return h.get("/readyz", nil).StatusCode == http.StatusServiceUnavailable })
	h.clock.races.Store(false)
	h.eventually("it is ready again", func() bool { return h.get("/readyz", nil).StatusCode == http.StatusOK })
	if r := h.get("/v1/factors", nil); r.StatusCode != http.StatusOK {
		t.Errorf("it answers no more: %s", r.Status)
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	other := open(t, nil)
	for what, header := range map[string]string{ //nolint:gosec // G101: none of them counts
		"no token":         "",
		"no scheme":        h.token,
		"another's":        "Bearer " + other.token,
		"half a token":     "Bearer " + h.token[:len(h.token)-1],
		"a changed token":  "Bearer " + h.token[:len(h.token)-2] + "xx",
		"another client":   "Bearer " + strings.Replace(h.token, "portal", "office", 1),
		"no secret":        "Bearer keydesk_portal.",
		"something else":   "Basic cG9ydGFsOng=",
		"an empty request": "Bearer ",
	} {
		for _, path := range []string{"/v1/factors", "/v1/factors/stream", "/v1/factor/4b2d5a3e-8c1f-4f6e-9d3a-2b7c1e5f0a94"} {
			r := h.get(path, map[string]string{"Authorization": header})
			if p := answer[lookup.Problem](t, r, http.StatusUnauthorized); p.Code != lookup.CodeUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s: %+v", what, path, p)
			}
		}
	}
	if err := h.Desk.RevokeClient(t.Context(), "portal"); err != nil {
		t.Fatal(err)
	}
	h.eventually("the client is let in no more", func() bool { return h.get("/v1/factors", nil).StatusCode == http.StatusUnauthorized })
	again, err := h.Desk.AddClient(t.Context(), "portal", []service.Scope{service.ReadFactor})
	if err != nil {
		t.Fatal(err)
	}
	old := h.token
	h.token = again.Reveal()
	h.eventually("the new token counts", func() bool { return h.get("/v1/factors", nil).StatusCode == http.StatusOK })
	if r := h.get("/v1/factors", map[string]string{"Authorization": "Bearer " + old}); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("the old token: %s", r.Status)
	}
}

func TestRequestsThatAreWrong(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for _, body := range []string{
		`{}`, `{"email":"a@voorbeeld.nl","subject":"4b2d5a3e-8c1f-4f6e-9d3a-2b7c1e5f0a94"}`, `{"subject":"x"}`, `{"email":"nobody"}`,
		`{"email":"a@voorbeeld.nl","phone":"0612345678"}`, `{"email":7}`, `[]`, `{"email":"` + strings.Repeat("a", 300) + `@voorbeeld.nl"}`,
	} {
		r := h.ask(http.MethodPost, "/v1/factor", body, nil)
		if p := answer[lookup.Problem](t, r, http.StatusUnprocessableEntity); p.Code != lookup.CodeInvalid || p.Detail == "" || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %+v, %s", body, p, r.Header.Get("Content-Type"))
		}
	}
	for path, status := range map[string]int{
		"/v1/factor/x": 422, "/v1/factors?limit=0": 422, "/v1/factors?limit=1001": 422, "/v1/factors?after=-1": 422, "/v1/nothing": 404,
	} {
		if r := h.get(path, nil); r.StatusCode != status {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	if r := h.ask(http.MethodPost, "/v1/factor", `{"email":"`+strings.Repeat(" ", 5000)+`"}`, nil); r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %s", r.Status)
	}
}

func TestClientsAreLimited(t *testing.T) {
	t.Parallel()
	h := open(t, map[string]string{"api.client_rate": "20", "api.address_rate": "60"})
	limited := 0
	for range 50 {
		if r := h.get("/v1/factors", nil); r.StatusCode == http.StatusTooManyRequests {
			limited++
			if r.Header.Get("Retry-After") != "1" {
				t.Error("not said when to come back")
			}
		}
	}
	if limited < 10 {
		t.Errorf("of 50 requests at once %d were limited", limited)
	}
	limited = 0
	for range 80 {
		if h.get("/healthz", nil).StatusCode == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 {
		t.Error("a network may ask without end")
	}
}

// The changes, page by page: everybody is told once, as they are at the end.
func TestChanges(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	people := []string{"a@voorbeeld.nl", "b@voorbeeld.nl", "c@voorbeeld.nl"}
	for _, p := range people {
		h.walk(p, desk.ScreenPassword)
	}
	h.walk(people[0], desk.ScreenDone)
	h.eventually("what was sent is recorded", func() bool { return h.count("CodeSent") == 5 })
	h.byEmail(people[0])
	seen := map[string]lookup.Factor{}
	after := uint64(0)
	for pages := 1; ; pages++ {
		c := answer[lookup.Changes](t, h.get("/v1/factors?limit=2&after="+strconv.FormatUint(after, 10), nil), http.StatusOK)
		for _, f := range c.Factors {
			if _, twice := seen[f.Subject]; twice {
				t.Errorf("%s twice", f.Subject)
			}
			seen[f.Subject] = f
		}
		if after = c.Next; !c.More {
			if pages != 2 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if len(seen) != 3 || seen[h.byEmail(people[0]).Subject].State != "active" {
		t.Errorf("told %v", seen)
	}
	next := "/v1/factors?after=" + strconv.FormatUint(after, 10)
	if c := answer[lookup.Changes](t, h.get(next, nil), http.StatusOK); len(c.Factors) != 0 || c.Next < after {
		t.Errorf("again: %+v", c)
	}
	h.walk(people[1], desk.ScreenDone)
	h.eventually("the change is there", func() bool {
		c := answer[lookup.Changes](t, h.get(next, nil), http.StatusOK)
		return len(c.Factors) == 1 && c.Factors[0].State == "active" && c.Factors[0].Position > after
	})
}

// An event is one of a stream.
type event struct{ id, name, data string }

// events reads a stream until the test has seen enough.
func (h *house) events(ctx context.Context, header map[string]string) <-chan event {
	h.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.at+"/v1/factors/stream", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.token)
	for k, v := range header {
		r.Header.Set(k, v)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		h.t.Errorf("%s %s", response.Status, kind)
	}
	out := make(chan event, 100)
	go func() {
		defer close(out)
		defer response.Body.Close() //nolint:errcheck // only read
		var e event
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				out <- e
				e = event{}
			}
		}
	}()
	return out
}

func TestAStreamGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.walk(email, desk.ScreenPassword)
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	last := ""
	next := func(from <-chan event, name string) lookup.Factor {
		t.Helper()
		for {
			select {
			case e, ok := <-from:
				if !ok {
					t.Fatal("the stream ended")
				}
				if last = e.id; e.name != name {
					continue
				}
				var f lookup.Factor
				if err := json.Unmarshal([]byte(e.data), &f); err != nil {
					t.Fatal(err)
				}
				return f
			case <-time.After(patience):
				t.Fatalf("no %s came", name)
			}
		}
	}
	stream := h.events(ctx, nil)
	if f := next(stream, "factor"); f.State != "enrolling" {
		t.Errorf("first %+v", f)
	}
	next(stream, "alive")
	// What happens to nobody is no news.
	for range 3 {
		if err := h.Desk.OpenStation(t.Context(), "1.0"); err != nil {
			t.Fatal(err)
		}
	}
	told := 0
	for quiet := time.After(300 * time.Millisecond); quiet != nil; {
		select {
		case <-stream:
			told++
		case <-quiet:
			quiet = nil
		}
	}
	if told > 10 {
		t.Errorf("told %d times that nothing happened", told)
	}
	h.walk("jan@voorbeeld.nl", desk.ScreenEmailCode)
	h.code()
	jan := next(stream, "factor")
	if jan.Subject != h.byEmail("jan@voorbeeld.nl").Subject {
		t.Errorf("then %+v", jan)
	}
	at := last
	hangUp()
	h.walk(email, desk.ScreenDone)
	ctx, hangUp = context.WithCancel(t.Context())
	defer hangUp()
	again := h.events(ctx, map[string]string{"Last-Event-ID": at})
	for f := next(again, "factor"); f.Subject != h.byEmail(email).Subject || f.State != "active"; f = next(again, "factor") {
		if n, err := strconv.ParseUint(at, 10, 64); err != nil || f.Position <= n {
			t.Errorf("told again: %+v", f)
		}
	}
	// A server that stops ends it, and does not wait for it.
	began := time.Now()
	h.stop()
	for range again { // to its end
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it stopped after %s", took)
	}
}

// A stream is open for as long as its client may ask.
func TestAStreamOfARevokedClient(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	stream := h.events(t.Context(), nil)
	<-stream
	if err := h.Desk.RevokeClient(t.Context(), "portal"); err != nil {
		t.Fatal(err)
	}
	over := time.After(patience / 2) // less than a beat
	for {
		select {
		case _, ok := <-stream:
			if ok {
				continue
			}
		case <-over:
			t.Error("it goes on")
		}
		return
	}
}

// A position that this server has not reached is not "nothing new".
func TestAPositionThatIsNotThere(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	p := answer[lookup.Problem](t, h.get("/v1/factors?after=99999999", nil), http.StatusServiceUnavailable)
	if p.Code != lookup.CodeBehind {
		t.Errorf("%+v", p)
	}
	if r := h.get("/v1/factors?after=18446744073709551615", nil); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("no number of JSON: %s", r.Status)
	}
	for _, id := range []string{"99999999", "18446744073709551615"} {
		for e := range h.events(t.Context(), map[string]string{"Last-Event-ID": id}) {
			t.Errorf("%s: told %+v", id, e)
		}
	}
}

func TestAClientHasSoManyStreams(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	for range 16 {
		<-h.events(t.Context(), nil)
	}
	if p := answer[lookup.Problem](t, h.get("/v1/factors/stream", nil), http.StatusTooManyRequests); p.Code != lookup.CodeLimited {
		t.Errorf("%+v", p)
	}
}

func TestTheDocument(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	doc := answer[map[string]any](t, h.get("/openapi.json", nil), http.StatusOK)
	if doc["openapi"] != "3.1.0" {
		t.Errorf("OpenAPI %v", doc["openapi"])
	}
	r := h.get("/docs", nil)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for path := range doc["paths"].(map[string]any) {
		if !strings.Contains(page, path) {
			t.Errorf("the page does not tell of %s", path)
		}
	}
	for _, word := range []string{"factor:read", "min_position", "parked", "Last-Event-ID"} {
		if !strings.Contains(page, word) {
			t.Errorf("the page does not tell of %s", word)
		}
	}
	if strings.Contains(page, "0x") || strings.Contains(page, "nil") {
		t.Error("the page shows what is inside")
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "src=") || r.Header.Get("Content-Security-Policy") == "" {
		t.Error("the page loads something")
	}
	if r := h.get("/", nil); r.Header.Get("Location") != "/docs" {
		t.Errorf("/: %s", r.Status)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.walk(email, desk.ScreenDone)
	h.byEmail(email)
	r := h.get("/metrics", nil)
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`keydesk_people{factor="sms"} 1`, "keydesk_parked 0", "keydesk_behind_seconds ", `keydesk_api_requests_total{operation="factor",status="200"} 1`,
		"keydesk_api_request_seconds_bucket", "go_goroutines",
	} {
		if !strings.Contains(string(b), line) {
			t.Errorf("%s is not told", line)
		}
	}
	if strings.Contains(string(b), "portal") || strings.Contains(string(b), "sanne") {
		t.Error("somebody is told of")
	}
}

// Somebody who was erased has no factor, and the answer says which: by id, among the
// changes and on the stream of them; their address is nobody's.
func TestSomebodyWhoWasErased(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	h.walk(email, desk.ScreenDone)
	f := h.byEmail(email)
	s, err := domain.ParseSubjectID(f.Subject)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Desk.RequestAlone(t.Context(), desk.CaseRequest{Subject: s, Action: enrolment.Erasing, Reason: enrolment.CaseRequest})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.byEmail(email); got.State != "unknown" || got.Subject != "" {
		t.Errorf("by the address: %+v", got)
	}
	got := answer[lookup.Factor](t, h.get("/v1/factor/"+f.Subject, nil), http.StatusOK)
	if got.State != "erased" || got.Factor != "none" || *got.Revision <= *f.Revision || !got.Since.After(*f.Since) {
		t.Errorf("by id: %+v", got)
	}
	page := answer[lookup.Changes](t, h.get("/v1/factors?after="+strconv.FormatUint(f.Position, 10), nil), http.StatusOK)
	if len(page.Factors) != 1 || page.Factors[0].State != "erased" || page.Factors[0].Subject != f.Subject {
		t.Errorf("among the changes: %+v", page)
	}
	login := h.ask(http.MethodPost, "/v1/logins", `{"email":"`+email+`","password":"`+phrase+`"}`, nil)
	if login.StatusCode != http.StatusForbidden && login.StatusCode != http.StatusUnauthorized {
		t.Errorf("a login: %s", login.Status)
	}
}
