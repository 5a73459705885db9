package afas_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/afas"
	"github.com/keydesk/keydesk/app/internal/afas/afastest"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/domain/enrolment"
)

var fields = []string{"EmployeeId", "FirstName", "Prefix", "LastName", "EmailWork", "MobileWork", "EmploymentStartDate", "Taal", "Afdeling", "BSN"}

func person(n int) afastest.Row {
	return afastest.Row{
		"EmployeeId": fmt.Sprintf("%06d", n), "FirstName": "Sanne", "Prefix": "de", "LastName": "Vries", "EmailWork": fmt.Sprintf("p%d@gemeente.example", n),
		"MobileWork": "0612345678", "EmploymentStartDate": "2026-12-01T00:00:00Z", "Taal": "Nederlands", "Afdeling": "Burgerzaken", "BSN": "123456782",
	}
}

func persons(n int) []afastest.Row {
	rows := make([]afastest.Row, n)
	for i := range rows {
		rows[i] = person(i + 1)
	}
	return rows
}

func start(t *testing.T, rows ...afastest.Row) *afastest.Server {
	t.Helper()
	s := afastest.Start(fields, rows...)
	t.Cleanup(s.Close)
	return s
}

// connect returns a connector that notes for how long it would have waited.
func connect(t *testing.T, s *afastest.Server, with func(*afas.Config)) (*afas.Connector, *[]time.Duration) {
	t.Helper()
	config := afas.Config{URL: s.URL, Connector: afastest.Connector, Token: afastest.Token, PageSize: 10}
	if with != nil {
		with(&config)
	}
	c, err := afas.New(config)
	if err != nil {
		t.Fatal(err)
	}
	waits := &[]time.Duration{}
	c.Pause(func(ctx context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return ctx.Err()
	})
	return c, waits
}

func list(t *testing.T, c *afas.Connector) (roster.List, error) {
	t.Helper()
	l, err := c.List(t.Context(), enrolment.DefaultPolicy(), nil)
	if err != nil && (strings.Contains(err.Error(), "0123456789ABCDEF") || strings.Contains(err.Error(), base64.StdEncoding.EncodeToString([]byte(afastest.Token))[:40])) {
		t.Errorf("the token is in %q", err)
	}
	return l, err
}

func TestAList(t *testing.T) {
	t.Parallel()
	joost := afastest.Row{"EmployeeId": 4712, "FirstName": "Joost", "LastName": "Bakker", "EmailWork": "joost@gemeente.example", "MobileWork": 687654321}
	s := start(t, person(4711), joost)
	c, _ := connect(t, s, nil)
	l, err := list(t, c)
	if err != nil {
		t.Fatal(err)
	}
	want := []roster.Row{
		{Line: 1, Email: "p4711@gemeente.example", Name: "Sanne de Vries", Phone: "+31612345678", Employee: "004711", Start: "2026-12-01", Language: "nl", Team: "Burgerzaken"},
		{Line: 2, Email: "joost@gemeente.example", Name: "Joost Bakker", Phone: "+31687654321", Employee: "4712"},
	}
	if !reflect.DeepEqual(l.Rows, want) || l.Bad != 0 || l.Total != 2 || l.Source != enrolment.RosterFromAFAS {
		t.Errorf("got  %+v\nwant %+v", l, want)
	}
	if notes := []roster.Problem{{Line: 2, Column: "MobileWork", Reason: roster.ZeroAdded}}; !reflect.DeepEqual(l.Notes, notes) {
		t.Errorf("notes: %+v", l.Notes)
	}
	if !slices.Equal(l.Ignored, []string{"BSN"}) || len(l.Columns) != 9 {
		t.Errorf("ignored %v of %v", l.Ignored, l.Columns)
	}
	for _, q := range s.Asked() {
		if q.Get("orderbyfieldids") != "EmployeeId,EmailWork" || q.Get("take") != "10" {
			t.Errorf("asked for %v", q)
		}
	}
	again, err := list(t, c)
	if err != nil || again.Digest != l.Digest {
		t.Errorf("the same list has another digest: %v", err)
	}
	s.Change(func(rows []afastest.Row) []afastest.Row {
		changed := person(4711)
		changed["Afdeling"] = "Zorg"
		return []afastest.Row{changed, rows[1]}
	})
	if other, err := list(t, c); err != nil || other.Digest == l.Digest {
		t.Errorf("another list has the same digest: %v", err)
	}
}

// However many rows there are, and however large the pages, each comes once.
func TestPages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.IntRange(1, 60).Draw(t, "rows"), rapid.IntRange(2, 25).Draw(t, "page size")
		s := afastest.Start(fields, persons(n)...)
		defer s.Close()
		c, err := afas.New(afas.Config{URL: s.URL + "/", Connector: afastest.Connector, Token: afastest.Token, PageSize: size})
		if err != nil {
			t.Fatal(err)
		}
		var told []int
		l, err := c.List(t.Context(), enrolment.DefaultPolicy(), func(rows int) { told = append(told, rows) })
		if err != nil || len(l.Rows) != n || l.Total != n {
			t.Fatalf("got %d of %d rows, %v", len(l.Rows), n, err)
		}
		for i, r := range l.Rows {
			if r.Line != i+1 || r.Employee != fmt.Sprintf("%06d", i+1) {
				t.Fatalf("row %d is %+v", i+1, r)
			}
		}
		if !slices.IsSorted(told) || told[len(told)-1] != n {
			t.Fatalf("told of %v", told)
		}
	})
}

// While rows come and go, whoever was there all the time is on the list, once.
func TestAListThatChangesWhileItIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "rows")
		rows := persons(2 * n)
		stay := map[string]bool{}
		for _, r := range rows[:n] {
			stay[r["EmployeeId"].(string)] = true
		}
		there := slices.Clone(rows[:n])
		s := afastest.Start(fields, there...)
		defer s.Close()
		changes := rapid.IntRange(0, 6).Draw(t, "changes")
		type change struct{ ask, who int }
		var plan []change
		for range changes {
			plan = append(plan, change{rapid.IntRange(2, 12).Draw(t, "before question"), rapid.IntRange(0, 2*n-1).Draw(t, "who")})
		}
		s.Before(func(asked int, _ http.ResponseWriter, _ *http.Request) bool {
			for _, c := range plan {
				if c.ask != asked {
					continue
				}
				id := rows[c.who]["EmployeeId"].(string)
				s.Change(func(now []afastest.Row) []afastest.Row {
					at := slices.IndexFunc(now, func(r afastest.Row) bool { return r["EmployeeId"] == id })
					if at < 0 {
						return append(now, rows[c.who])
					}
					delete(stay, id)
					return slices.Delete(slices.Clone(now), at, at+1)
				})
			}
			return false
		})
		c, err := afas.New(afas.Config{URL: s.URL, Connector: afastest.Connector, Token: afastest.Token, PageSize: rapid.IntRange(2, 8).Draw(t, "page size")})
		if err != nil {
			t.Fatal(err)
		}
		l, err := c.List(t.Context(), enrolment.DefaultPolicy(), nil)
		if errors.Is(err, afas.ErrChanging) || errors.Is(err, roster.ErrNoRows) {
			return
		}
		if err != nil || l.Bad > 0 {
			t.Fatalf("got %v and %+v", err, l.Problems)
		}
		seen := map[string]bool{}
		for _, r := range l.Rows {
			if seen[r.Employee] {
				t.Fatalf("%s twice", r.Employee)
			}
			seen[r.Employee] = true
		}
		for id := range stay {
			if !seen[id] {
				t.Fatalf("%s is missing from %v", id, seen)
			}
		}
	})
}

func TestAListThatNeverRests(t *testing.T) {
	t.Parallel()
	s := start(t, persons(35)...)
	s.Before(func(n int, _ http.ResponseWriter, _ *http.Request) bool {
		if n == 2 {
			s.Change(func(rows []afastest.Row) []afastest.Row { return rows[1:] })
		}
		return false
	})
	c, _ := connect(t, s, nil)
	if l, err := list(t, c); err != nil || l.Total != 34 || l.Rows[0].Employee != "000002" || len(s.Asked()) != 2+5 {
		t.Errorf("came to rest: got %d rows in %d pages, %v", l.Total, len(s.Asked()), err)
	}
	s.Before(func(int, http.ResponseWriter, *http.Request) bool {
		s.Change(func(rows []afastest.Row) []afastest.Row { return append(rows, person(0)) })
		return false
	})
	if _, err := list(t, c); !errors.Is(err, afas.ErrChanging) || len(s.Asked()) != 2+5+3*2 {
		t.Errorf("never: got %v after %d pages", err, len(s.Asked()))
	}
}

func TestWhatARowMayHold(t *testing.T) {
	t.Parallel()
	strange := person(7)
	strange["Afdeling"], strange["Taal"] = map[string]any{"x": 1}, true
	long := person(8)
	long["Afdeling"] = strings.Repeat("x", roster.MaxField+1)
	bad := person(9)
	bad["EmailWork"], bad["MobileWork"] = nil, "020-1234567"
	c, _ := connect(t, start(t, person(1), strange, long, bad), nil)
	l, err := list(t, c)
	if err != nil {
		t.Fatal(err)
	}
	want := []roster.Problem{
		{Line: 2, Column: "Taal", Reason: roster.Unusable},
		{Line: 2, Column: "Afdeling", Reason: roster.Unusable},
		{Line: 3, Column: "Afdeling", Reason: roster.TooLong},
		{Line: 4, Column: "EmailWork", Reason: roster.EmailMissing},
		{Line: 4, Column: "MobileWork", Reason: roster.NoSMS},
	}
	if !reflect.DeepEqual(l.Problems, want) || l.Bad != 3 || len(l.Rows) != 1 {
		t.Errorf("got %+v", l)
	}
	// Not even an empty value is not the same as an empty one, which takes something away.
	s := start(t)
	s.Before(func(_ int, w http.ResponseWriter, r *http.Request) bool {
		rows := `{"EmployeeId":"1","EmailWork":"p1@gemeente.example","FirstName":null,"Prefix":null,"LastName":null,"MobileWork":null,"EmploymentStartDate":null,"Taal":null}`
		fmt.Fprintf(w, `{"skip":%s,"take":10,"rows":[%s]}`, r.URL.Query().Get("skip"), rows) //nolint:gosec // for a test
		return true
	})
	c, _ = connect(t, s, nil)
	l, err = list(t, c)
	if want := []roster.Problem{{Line: 1, Column: "Afdeling", Reason: roster.FieldMissing}}; err != nil || !reflect.DeepEqual(l.Problems, want) {
		t.Errorf("got %+v, %v", l.Problems, err)
	}
}

func TestWhichFieldsAreRead(t *testing.T) {
	t.Parallel()
	names := func(columns []roster.Column) map[roster.Field]string {
		m := map[roster.Field]string{}
		for _, c := range columns {
			m[c.Field] = c.Name
		}
		return m
	}
	own := afastest.Start([]string{"Mw", "Medewerker", "Mail_prive", "EmailWork", "Tel", "Team"})
	t.Cleanup(own.Close)
	for name, test := range map[string]struct {
		wanted map[roster.Field]string
		want   map[roster.Field]string
	}{
		"by their names": {nil, map[roster.Field]string{roster.Employee: "Medewerker", roster.Email: "EmailWork", roster.Phone: "Tel", roster.Team: "Team"}},
		"named": {
			map[roster.Field]string{roster.Email: "Mail_prive", roster.Employee: "Mw", roster.Name: "", roster.Mobile: "Tel"},
			map[roster.Field]string{roster.Employee: "Mw", roster.Email: "Mail_prive", roster.Mobile: "Tel", roster.Team: "Team"},
		},
		"none": {
			map[roster.Field]string{roster.Team: afas.None, roster.Phone: afas.None, roster.Language: afas.None},
			map[roster.Field]string{roster.Employee: "Medewerker", roster.Email: "EmailWork"},
		},
		"one for two": {
			map[roster.Field]string{roster.Team: "Mw", roster.Employee: "Mw", roster.Phone: afas.None},
			map[roster.Field]string{roster.Employee: "Mw", roster.Team: "Mw", roster.Email: "EmailWork"},
		},
	} {
		c, _ := connect(t, own, func(c *afas.Config) { c.Fields = test.wanted })
		if columns, err := c.Check(t.Context()); err != nil || !reflect.DeepEqual(names(columns), test.want) {
			t.Errorf("%s: got %v, %v", name, columns, err)
		}
	}
	c, _ := connect(t, own, func(c *afas.Config) { c.Fields = map[roster.Field]string{roster.Mobile: "MobielWerk"} })
	_, err := c.Check(t.Context())
	if missing, ok := errors.AsType[*afas.NoFieldError](err); !ok || missing.Name != "MobielWerk" || missing.Field != roster.Mobile || !strings.Contains(err.Error(), "Mail_prive") {
		t.Errorf("got %v", err)
	}
	c, _ = connect(t, own, func(c *afas.Config) { c.Fields = map[roster.Field]string{roster.Email: afas.None} })
	if _, err := c.Check(t.Context()); !errors.Is(err, roster.ErrNoEmail) {
		t.Errorf("got %v", err)
	}
	if n := len(own.Asked()); n > 0 {
		t.Errorf("rows were asked for %d times", n)
	}
}

// What goes wrong once is asked for again; what goes on, or cannot be over soon, is said.
func TestWhatGoesWrong(t *testing.T) {
	t.Parallel()
	type handler = func(w http.ResponseWriter, r *http.Request)
	status := func(code int, header ...string) handler {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			http.Error(w, "secret words", code)
		}
	}
	says := func(code int, body string) handler {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	hangs := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	breaks := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"skip":10,"take":10,"rows":[{"Emp`)
	}
	const second = afas.FirstWait
	date := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		is     handler
		once   bool // it is over after a time, and else never
		want   error
		waits  []time.Duration
		says   string
		sooner time.Duration // a time-out of one question
	}{
		"500 of something in front, once":  {is: status(500), once: true, waits: []time.Duration{second}},
		"500 of something in front":        {is: status(500), want: afas.ErrUnreachable, waits: []time.Duration{second, 2 * second, 4 * second}, says: "status 500"},
		"502":                              {is: status(502), want: afas.ErrUnreachable, waits: []time.Duration{second, 2 * second, 4 * second}},
		"time-out, once":                   {is: hangs, once: true, sooner: 500 * time.Millisecond, waits: []time.Duration{second}},
		"time-out":                         {is: hangs, sooner: 500 * time.Millisecond, want: afas.ErrUnreachable, waits: []time.Duration{second, 2 * second, 4 * second}, says: "timed out"},
		"broken off, once":                 {is: breaks, once: true, waits: []time.Duration{second}},
		"broken off":                       {is: breaks, want: afas.ErrUnreachable, waits: []time.Duration{second, 2 * second, 4 * second}, says: "broke off"},
		"cut short, once":                  {is: says(200, `{"skip":10,"take":10,"rows":[{"EmployeeId":"0000`), once: true, waits: []time.Duration{second}},
		"cut short":                        {is: says(200, `{"skip":10,"take":10,"rows":[{"EmployeeId":"0000`), want: afas.ErrGarbled, waits: []time.Duration{second, 2 * second, 4 * second}},
		"a page of a proxy":                {is: says(200, "<html>log in</html>"), want: afas.ErrGarbled, waits: []time.Duration{second, 2 * second, 4 * second}},
		"something else in JSON":           {is: says(200, `{"rows":{}}`), want: afas.ErrGarbled},
		"no rows":                          {is: says(200, `{"skip":9,"take":10}`), want: afas.ErrGarbled},
		"another page":                     {is: says(200, `{"skip":0,"take":10,"rows":[]}`), want: afas.ErrGarbled},
		"more than was asked for":          {is: says(200, `{"skip":9,"take":10,"rows":[`+strings.Repeat(`{},`, 10)+`{}]}`), want: afas.ErrGarbled},
		"rows that are none":               {is: says(200, `{"skip":9,"take":10,"rows":["x"]}`), want: afas.ErrGarbled},
		"429 that says for how long, once": {is: status(429, "Retry-After", "7"), once: true, waits: []time.Duration{7 * time.Second}},
		"429 that says until when, once":   {is: status(429, "Retry-After", date.Add(9*time.Second).Format(http.TimeFormat), "Date", date.Format(http.TimeFormat)), once: true, waits: []time.Duration{9 * time.Second}},
		"429 that does not say, once":      {is: status(429), once: true, waits: []time.Duration{second}},
		"429":                              {is: status(429, "Retry-After", "3"), want: afas.ErrBusy, waits: []time.Duration{3 * second, 3 * second, 4 * second}},
		"429 for long":                     {is: status(429, "Retry-After", "3600"), want: afas.ErrBusy, says: "1h0m0s"},
		"429 for ever":                     {is: status(429, "Retry-After", "99999999999999999999"), want: afas.ErrBusy, waits: []time.Duration{second, 2 * second, 4 * second}},
		"503 that says so in its body":     {is: says(503, `{"error":{"code":{"example":"503"}},"retry_after":5}`), once: true, waits: []time.Duration{5 * time.Second}},
		"503 for maintenance":              {is: says(503, `{"retry_after":7200}`), want: afas.ErrBusy, says: "2h0m0s"},
		"503 with nonsense":                {is: says(503, `{"retry_after":-1e300}`), once: true, waits: []time.Duration{second}},
		"401":                              {is: status(401), want: afas.ErrToken},
		"403":                              {is: status(403), want: afas.ErrForbidden},
		"404":                              {is: status(404), want: afas.ErrNotFound},
		"a reason of AFAS":                 {is: func(w http.ResponseWriter, _ *http.Request) { afastest.Refuse(w, "Iets met secret words") }, want: afas.ErrRefused, says: afastest.Reference},
		"a connector that AFAS blocked": {is: func(w http.ResponseWriter, _ *http.Request) {
			afastest.Refuse(w, "Deze GetConnector (definitie) is geblokkeerd")
		}, want: afas.ErrRefused, says: "blocked"},
		"a page that AFAS finds too large":  {is: func(w http.ResponseWriter, _ *http.Request) { afastest.Refuse(w, "Out of memory") }, want: afas.ErrRefused, says: "too large"},
		"a reference that is none":          {is: says(500, `{"externalMessage":"x","profitLogReference":"secret words"}`), want: afas.ErrRefused},
		"301":                               {is: status(301, "Location", "https://elsewhere.example/"), want: afas.ErrRedirected},
		"a 200 that is larger than it says": {is: says(200, `{"skip":9,"take":10,"rows":[]}`+strings.Repeat(" ", afas.MaxPage)), want: afas.ErrPageTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, persons(25)...)
			s.Before(func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n < 2 || test.once && n > 2 {
					return false
				}
				test.is(w, r)
				return true
			})
			c, waits := connect(t, s, func(c *afas.Config) { c.Timeout = test.sooner })
			l, err := list(t, c)
			if !errors.Is(err, test.want) || err == nil && len(l.Rows) != 25 {
				t.Errorf("got %d rows, %v, want %v", len(l.Rows), err, test.want)
			}
			if err != nil && (!strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("says %v", err)
			}
			// On a slow machine others may time out too.
			if !slices.Equal(*waits, test.waits) && (test.sooner == 0 || len(*waits) < len(test.waits)) {
				t.Errorf("waited %v, want %v", *waits, test.waits)
			}
		})
	}
}

func TestAWrongToken(t *testing.T) {
	t.Parallel()
	s := start(t, persons(3)...)
	c, waits := connect(t, s, func(c *afas.Config) {
		c.Token = strings.Replace(afastest.Token, "0123", "3210", 1)
	})
	if _, err := list(t, c); !errors.Is(err, afas.ErrToken) || strings.Contains(err.Error(), "3210") || len(*waits) > 0 {
		t.Errorf("got %v after %v", err, *waits)
	}
	c, _ = connect(t, s, func(c *afas.Config) { c.Connector = "Profit_Employees" })
	if _, err := list(t, c); !errors.Is(err, afas.ErrRefused) || !strings.Contains(err.Error(), "may not use the connector") {
		t.Errorf("got %v", err)
	}
	c, _ = connect(t, s, func(c *afas.Config) { c.URL = strings.TrimSuffix(c.URL, "ProfitRestServices") })
	if _, err := list(t, c); !errors.Is(err, afas.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if n := len(s.Asked()); n > 0 {
		t.Errorf("rows were asked for %d times", n)
	}
}

func TestATokenHoweverItWasCopied(t *testing.T) {
	t.Parallel()
	s := start(t, person(1))
	data := afastest.Token[strings.Index(afastest.Token, "<data>")+6:]
	for _, token := range []string{
		afastest.Token, " " + afastest.Token + "\n", base64.StdEncoding.EncodeToString([]byte(afastest.Token)), data[:64],
	} {
		c, _ := connect(t, s, func(c *afas.Config) { c.Token = token })
		if _, err := list(t, c); err != nil {
			t.Errorf("%.20s…: %v", token, err)
		}
	}
	for _, token := range []string{"", "hunter2", "<token>x</token>", afastest.Token + "\r\nX: y", data} {
		if _, err := afas.New(afas.Config{URL: s.URL, Connector: "x", Token: token}); !errors.Is(err, afas.ErrBadToken) {
			t.Errorf("%.20s…: %v", token, err)
		}
	}
	for _, address := range []string{"", "http://12345.rest.afas.online/", "https://", "https://a:b@x.example", "https://x.example/?a=b", "ftp://x.example", "x.example"} {
		if _, err := afas.New(afas.Config{URL: address, Connector: "x", Token: afastest.Token}); !errors.Is(err, afas.ErrBadURL) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// The token goes to no other address.
func TestARedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	for _, code := range []int{301, 302, 303, 307, 308} {
		front := httptest.NewServer(http.RedirectHandler(other.URL, code))
		c, err := afas.New(afas.Config{URL: front.URL, Connector: afastest.Connector, Token: afastest.Token})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := list(t, c); !errors.Is(err, afas.ErrRedirected) {
			t.Errorf("%d: %v", code, err)
		}
		front.Close()
	}
	if asked.Load() > 0 {
		t.Errorf("somebody else was asked %d times", asked.Load())
	}
}

// An answer without an end is left where it is large enough, packed or not.
func TestHugeAnswers(t *testing.T) {
	t.Parallel()
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for name, packed := range map[string]bool{"plain": false, "packed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent atomic.Int64
			s := start(t)
			s.Before(func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				to := io.Writer(w)
				if packed {
					w.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(w)
					to = z
				}
				for range 4 * afas.MaxPage / len(chunk) {
					n, err := to.Write(chunk)
					if sent.Add(int64(n)); err != nil {
						break
					}
				}
				return true
			})
			c, waits := connect(t, s, nil)
			if _, err := list(t, c); !errors.Is(err, afas.ErrPageTooLarge) || len(*waits) > 0 {
				t.Errorf("got %v", err)
			}
			if !packed && sent.Load() > 2*afas.MaxPage {
				t.Errorf("%d MB were taken", sent.Load()>>20)
			}
		})
	}
	s := afastest.Start([]string{"EmailWork", strings.Repeat("x", 5<<20)})
	t.Cleanup(s.Close)
	c, _ := connect(t, s, nil)
	if _, err := c.Check(t.Context()); !errors.Is(err, afas.ErrPageTooLarge) {
		t.Errorf("fields without an end: %v", err)
	}
}

func TestNobody(t *testing.T) {
	t.Parallel()
	c, _ := connect(t, start(t), nil)
	if _, err := list(t, c); !errors.Is(err, roster.ErrNoRows) {
		t.Errorf("got %v", err)
	}
}

func TestWhoeverWaitsMayLeave(t *testing.T) {
	t.Parallel()
	s := start(t, persons(25)...)
	ctx, leave := context.WithCancel(t.Context())
	s.Before(func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 2 {
			leave()
			http.Error(w, "", http.StatusServiceUnavailable)
		}
		return n == 2
	})
	config := afas.Config{URL: s.URL, Connector: afastest.Connector, Token: afastest.Token, PageSize: 10}
	c, err := afas.New(config) // with its real waits
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.List(ctx, enrolment.DefaultPolicy(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	// Nobody listens there any more: Check asks once, and does not wait.
	s.Close()
	c.Pause(func(context.Context, time.Duration) error {
		t.Error("waits")
		return nil
	})
	if _, err := c.Check(t.Context()); !errors.Is(err, afas.ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

// answers is an AFAS that answers the same, whatever it is asked.
type answers []byte

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := []byte(a)
	if strings.Contains(r.URL.Path, "/metainfo/") {
		body = []byte(`{"name":"x","fields":[{"id":"EmployeeId"},{"id":"EmailWork"},{"id":"Naam"},{"id":"MobileWork"},{"id":"Afdeling"}]}`)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

func FuzzList(f *testing.F) {
	for _, s := range []string{
		`{"skip":0,"take":3,"rows":[{"EmployeeId":1,"EmailWork":"a@x.example","Naam":null,"MobileWork":"0612345678","Afdeling":"x"}]}`,
		`{"skip":0,"rows":[{"EmployeeId":-1.5e9,"EmailWork":["a"]},null,{"EmailWork":{"EmailWork":"\ud800"}}]}`,
		`{"SKIP":0,"rows":[],"rows":[{"EmailWork":"A@X.example"},{"EmailWork":"a@x.example"}]}`, `{"skip":1}`, `[`, `"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := afas.New(afas.Config{URL: "https://12345.rest.afas.online/ProfitRestServices", Connector: "x", Token: afastest.Token, PageSize: 3})
		if err != nil {
			t.Fatal(err)
		}
		c.Transport(answers(b))
		c.Pause(func(context.Context, time.Duration) error { return nil })
		l, err := c.List(t.Context(), enrolment.DefaultPolicy(), nil)
		if err != nil {
			if len(l.Rows) > 0 {
				t.Errorf("refused, and read: %+v", l)
			}
			return
		}
		if l.Total != len(l.Rows)+l.Bad || l.Total == 0 || l.Total > 3 {
			t.Errorf("counted wrongly: %+v", l)
		}
		for _, r := range l.Rows {
			if _, err := enrolment.ParseAddress(r.Email); err != nil {
				t.Errorf("not a row: %+v", r)
			}
		}
	})
}

func BenchmarkList(b *testing.B) {
	s := afastest.Start(fields, persons(10_000)...)
	defer s.Close()
	c, err := afas.New(afas.Config{URL: s.URL, Connector: afastest.Connector, Token: afastest.Token})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if l, err := c.List(b.Context(), enrolment.DefaultPolicy(), nil); err != nil || len(l.Rows) != 10_000 {
			b.Fatal(err, len(l.Rows))
		}
	}
}
