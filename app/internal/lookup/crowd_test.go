package lookup_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/app/internal/password"
)

// Nobody learns from the time that an answer takes whether an address is known, its
// password wrong, the account locked, or its enrolment incomplete. Two people whose
// passwords are wrong are the measure: of one class, they must not be told apart.
// Once with hashes that are made small, so that all the rest shows, and once as it is.
func TestOneTimeForAllThatIsWrong(t *testing.T) { //nolint:paralleltest // measures
	if testing.Short() {
		t.Skip("hashes some hundred passwords")
	}
	t.Run("with small hashes", func(t *testing.T) { //nolint:paralleltest // measures
		small, err := password.NewHasher(password.Options{
			Params:  password.Params{Memory: 8 << 10, Time: 1, Threads: 1},
			Peppers: password.Peppers{Current: "p", Keys: map[string][]byte{"p": make([]byte, 32)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		oneTimeForAll(t, small, 48)
	})
	t.Run("as it is", func(t *testing.T) { oneTimeForAll(t, nil, 24) }) //nolint:paralleltest // measures
}

func oneTimeForAll(t *testing.T, hasher *password.Hasher, rounds int) {
	t.Helper()
	h := openLogins(t, nil)
	if hasher != nil {
		h.Desk.Hasher = hasher
	}
	h.walk("wrong@voorbeeld.nl", desk.ScreenPhone)
	h.walk("wrong2@voorbeeld.nl", desk.ScreenDone)
	h.walk("locked@voorbeeld.nl", desk.ScreenPhone)
	h.walk("half@voorbeeld.nl", desk.ScreenPhone)
	for range 5 {
		h.refused(h.try("locked@voorbeeld.nl", "Wrong"+phrase, "locked"), http.StatusUnauthorized, lookup.CodeWrongLogin)
	}
	tries := 0
	wrong := func(name, network string) func(int) {
		return func(int) {
			tries++ // from somewhere else each time, where nothing is locked
			n := network
			if n == "" {
				n = strconv.Itoa(tries)
			}
			r := h.try(name+"@voorbeeld.nl", "Wrong"+phrase, n)
			if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: %s, %v", name, r.Status, err)
			}
		}
	}
	pairs := tellApart(t, rounds, rand.New(rand.NewPCG(5, 6)), map[string]func(int){ //nolint:gosec // a measurement
		"unknown": wrong("nobody", ""), "wrong": wrong("wrong", ""), "also wrong": wrong("wrong2", ""),
		"locked": wrong("locked", "locked"), "incomplete": wrong("half", ""),
	})
	if len(pairs) > 0 {
		t.Errorf("told apart: %v", pairs)
	}
}

// Four times more people log in at once than there is room for: those for whom
// there is none are told so, and when to come again; all others are answered; and
// nothing grows.
func TestACrowdLogsIn(t *testing.T) { //nolint:paralleltest // measures
	if testing.Short() {
		t.Skip("hashes a hundred passwords")
	}
	const atOnce, queue = 2, 6
	h := openLogins(t, map[string]string{"password.concurrent": strconv.Itoa(atOnce), "password.queue": strconv.Itoa(queue)})
	h.walk(email, desk.ScreenDone)
	h.begun()
	before := runtime.NumGoroutine()
	watched := watchMemory()
	const crowd = 4 * (atOnce + queue)
	type fate struct {
		status, busy int
		took         time.Duration
	}
	fates := make([]fate, crowd)
	var all sync.WaitGroup
	var created atomic.Int32
	began := time.Now()
	for i := range crowd {
		all.Go(func() {
			address, password, want := fmt.Sprintf("nobody%d@voorbeeld.nl", i), "Wrong"+phrase, http.StatusUnauthorized
			if i%8 == 0 {
				address, password, want = email, phrase, http.StatusCreated
			}
			f := &fates[i]
			for f.status = http.StatusServiceUnavailable; f.status == http.StatusServiceUnavailable && time.Since(began) < time.Minute; {
				asked := time.Now()
				r := h.try(address, password, "192.0.2.7")
				if f.status = r.StatusCode; f.status == http.StatusServiceUnavailable {
					f.busy++
					h.refused(r, f.status, lookup.CodeBusy)
					after, err := strconv.Atoi(r.Header.Get("Retry-After"))
					if err != nil || after < 1 || after > 5 {
						t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
						return
					}
					time.Sleep(time.Duration(after) * time.Second)
					continue
				}
				_, _ = io.Copy(io.Discard, r.Body)
				f.took = time.Since(asked)
			}
			// One number is sent one code at a time: who is right, and not the first, waits.
			right := want == http.StatusCreated
			if f.status != want && (!right || f.status != http.StatusTooManyRequests) {
				t.Errorf("%d: status %d", i, f.status)
			}
			if right && f.status == want {
				created.Add(1)
			}
		})
	}
	all.Wait()
	total := time.Since(began)
	peak := watched()
	busy, refused := 0, 0
	var took []time.Duration
	for _, f := range fates {
		busy += f.busy
		if f.busy > 0 {
			refused++
		}
		took = append(took, f.took)
	}
	slices.Sort(took)
	t.Logf("%d at once, room for %d: %d were told to come again, %d times in all; all %d answered within %s, each within %s (median %s); %d MiB at the peak",
		crowd, atOnce+queue, refused, busy, crowd, total.Round(time.Millisecond), took[crowd-1].Round(time.Millisecond), took[crowd/2].Round(time.Millisecond), peak>>20)
	if n := created.Load(); n > 1 { // none, while the code of h.begun has just been sent
		t.Errorf("%d logins were begun", n)
	}
	if refused == 0 {
		t.Error("there was room for everybody")
	}
	// 64 MiB for each hash, and what the collector lets stand of those before.
	if most := uint64(3*atOnce*64+64) << 20; peak > most {
		t.Errorf("%d MiB at the peak", peak>>20)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	h.eventually("nothing is left of it", func() bool { return runtime.NumGoroutine() <= before+10 })
}

// watchMemory looks how much memory the program holds, until it is asked for the
// most.
func watchMemory() (most func() uint64) {
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var highest uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			highest = max(highest, m.HeapInuse+m.StackInuse)
			select {
			case <-stop:
				peak <- highest
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-peak
	}
}
