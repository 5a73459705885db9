package pocket_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

const stopCode = "4F7K2M9QXW3T"

func TestStoppingACase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Limits.Stops = 10_000 })
	w.desk.Case(stopCode, "")
	w.desk.Case("000000000000", pairing.Expired)
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
		answer     string
	}{
		{"the code", `{"code":"4F7K-2M9Q-XW3T"}`, nil, 200, `{"stopped":true}`},
		{"again", `{"code":"4f7k 2m9q xw3t"}`, nil, 200, `{"stopped":true}`},
		{"an old one", `{"code":"000000000000"}`, nil, 410, `{"error":"expired"}`},
		{"another", `{"code":"111111111111"}`, nil, 404, `{"error":"unknown"}`},
		{"no code", `{"code":"11"}`, nil, 400, `{"error":"malformed"}`},
		{"something else", `{"code":"4F7K-2M9Q-XW3T","x":1}`, nil, 400, `{"error":"malformed"}`},
		{"not JSON", `code=4F7K-2M9Q-XW3T`, nil, 400, `{"error":"malformed"}`},
		{"from another site", `{"code":"4F7K-2M9Q-XW3T"}`, []string{"Origin", "https://evil.example"}, 403, `{"error":"wrong-origin"}`},
	} {
		if status, body := post(t, w.url+"/stop", "application/json", c.body, c.header...); status != c.status || strings.TrimSpace(body) != c.answer {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, c.answer)
		}
	}
	if status, _ := post(t, w.url+"/stop", "application/x-www-form-urlencoded", "code=4F7K-2M9Q-XW3T"); status != http.StatusUnsupportedMediaType {
		t.Errorf("a form: %d", status)
	}
	w.desk.Fail(domain.ErrUnavailable)
	if status, body := post(t, w.url+"/stop", "application/json", `{"code":"4F7K-2M9Q-XW3T"}`); status != http.StatusServiceUnavailable {
		t.Errorf("the log is away: %d %s", status, body)
	}
	for _, l := range w.logs.All() {
		if strings.Contains(l.Message, stopCode) {
			t.Errorf("logged %v", l)
		}
	}
}

// A program that follows the links in mails stops nothing, whatever it may ask for.
func TestFollowingALinkStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.desk.Case(stopCode, "")
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
		for _, path := range []string{"/stop", "/stop?code=4F7K-2M9Q-XW3T", "/stop/4F7K-2M9Q-XW3T"} {
			r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, nil)
			succeed(t, err)
			send(t, r)
		}
	}
	if brought := w.desk.Stops(); len(brought) > 0 {
		t.Errorf("brought %v", brought)
	}
}

func TestGuessingAtCodesOfCasesIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *pocket.Config) { c.Limits.Stops = 3 })
	for i := range 5 {
		want := http.StatusNotFound
		if i >= 3 {
			want = http.StatusTooManyRequests
		}
		if status, body := post(t, w.url+"/stop", "application/json", `{"code":"000000000000"}`); status != want {
			t.Errorf("guess %d: %d %s, want %d", i, status, body, want)
		}
	}
}

// TestThePageThatStopsACase goes the way of somebody who opens the link: the code leaves
// the address, nothing is stopped before the button is pressed, and then it is.
func TestThePageThatStopsACase(t *testing.T) {
	t.Parallel()
	for language, words := range map[string]struct{ ask, unknown, done string }{
		"nl": {"Was jij dit niet?", "Deze code werkt niet.", "Gestopt"},
		"en": {"Wasn't it you?", "This code does not work.", "Stopped"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			w, b := newWorld(t), newBrowser(t, language)
			w.desk.Case(stopCode, "")
			b.open(w.url + "/stop#4F7K-2M9Q-XW3T")
			b.until("the code", `document.getElementById('code').value === '4F7K-2M9Q-XW3T'`)
			if url := evaluate[string](b, "location.href"); strings.Contains(url, "#") {
				t.Error("the code stays in the address")
			}
			if brought := w.desk.Stops(); len(brought) > 0 {
				t.Errorf("opened, and brought %v", brought)
			}
			shown := evaluate[string](b, `document.querySelector('#ask h1').innerText`)
			equal(t, strings.TrimSpace(shown), words.ask)
			b.fits("stop")
			b.shots("stop-" + language)

			evaluate[string](b, `document.getElementById('code').value = '0000-0000-0000'`)
			b.click("#stop")
			b.until("that it does not work", `!document.querySelector('[data-why=unknown]').hidden`)
			if said := evaluate[string](b, `document.querySelector('[data-why=unknown]').innerText`); !strings.HasPrefix(strings.TrimSpace(said), words.unknown) {
				t.Errorf("says %q", said)
			}
			b.fits("stop-unknown")
			evaluate[string](b, `document.getElementById('code').value = '4f7k'`)
			b.click("#stop")
			b.until("that it is too short", `!document.querySelector('[data-why=malformed]').hidden`)

			evaluate[string](b, `document.getElementById('code').value = '4f7k 2m9q xw3t'`)
			b.click("#stop")
			b.until("that it is stopped", `!document.getElementById('done').hidden`)
			equal(t, strings.TrimSpace(evaluate[string](b, `document.querySelector('#done h1').innerText`)), words.done)
			b.fits("stop-done")
			b.shots("stop-done-" + language)
			if brought := w.desk.Stops(); !slices.Contains(brought, stopCode) {
				t.Errorf("brought %v", brought)
			}
			if n := w.logs.Len(); n > 0 {
				t.Errorf("%d lines were logged", n)
			}
		})
	}
}
