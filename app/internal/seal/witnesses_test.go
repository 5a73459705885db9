package seal_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
	"github.com/keydesk/keydesk/domain"
)

// An auditor is a witness on another machine.
type auditor struct {
	*witness.Witness
	at   *httptest.Server
	away atomic.Bool
	to   seal.Witness
}

// watched starts a witness that knows the log of a town.
func (w *town) watched(name string) *auditor {
	w.t.Helper()
	s, err := seal.Open(w.t.Context(), w.config())
	if err != nil {
		w.t.Fatal(err)
	}
	log, err := proof.ParseKey(s.Keys()[0])
	if err != nil {
		w.t.Fatal(err)
	}
	_ = s.Close()
	a := &auditor{}
	a.Witness, err = witness.Open(witness.Config{Folder: filepath.Join(w.t.TempDir(), "witness"), Name: name, Logs: []note.Verifier{log}})
	if err != nil {
		w.t.Fatal(err)
	}
	a.at = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if a.away.Load() {
			http.Error(rw, "gone for lunch", http.StatusServiceUnavailable)
			return
		}
		a.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(func() { a.at.Close(); _ = a.Close() })
	key, err := proof.ParseKey(a.Key())
	if err != nil {
		w.t.Fatal(err)
	}
	a.to = seal.Witness{URL: a.at.URL, Key: key}
	return a
}

func names(c proof.Checkpoint) []string {
	var all []string
	for _, by := range c.Witnesses {
		all = append(all, by.Name)
	}
	slices.Sort(all)
	return all
}

func TestWitnessesCosign(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	one, two := w.watched("one.example"), w.watched("two.example")
	c := w.config()
	c.Witnesses = []seal.Witness{one.to, two.to}
	s, stop := w.run(c)
	both := func(size int64) func() bool {
		return func() bool {
			c, ok := s.Checkpoint()
			return ok && c.Size == size && slices.Equal(names(c), []string{"one.example", "two.example"})
		}
	}
	eventually(t, "both cosign what was sealed before", both(11))
	two.away.Store(true)
	w.append(10)
	if err := s.Now(t.Context()); err != nil { // which does not wait for anybody
		t.Fatal(err)
	}
	eventually(t, "one of them cosigns", func() bool { c, _ := s.Checkpoint(); return slices.Equal(names(c), []string{"one.example"}) })
	state := func(i int) seal.WitnessState { return s.Status().Witnesses[i].State }
	eventually(t, "the other one is away", func() bool { return state(0) == seal.Agrees && state(1) == seal.Away })
	if st := s.Status().Witnesses[1]; st.Size != 11 || st.At.IsZero() {
		t.Errorf("of one that is away it is known that it cosigned %d at %v", st.Size, st.At)
	}
	two.away.Store(false)
	eventually(t, "it comes back", both(21))
	eventually(t, "all is well", func() bool { return state(1) == seal.Agrees })
	stop()
	var kept []string
	s, err := seal.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	for _, leaf := range []int64{10, 20} {
		c, ok, err := s.Covering(leaf)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		kept = append(kept, names(c.Checkpoint)...)
	}
	if len(kept) != 4 {
		t.Errorf("kept are %v", kept)
	}
	r := w.verify(func(o *seal.VerifyOptions) { o.Witnesses = c.Witnesses })
	if r.Bad != nil || len(r.Witnesses) != 2 || r.Witnesses[0].State != seal.Agrees || r.Witnesses[1].State != seal.Agrees {
		t.Errorf("%+v", r)
	}
	if len(s.Keys()) != 3 || s.Keys()[1] != one.Key() {
		t.Errorf("%v", s.Keys())
	}
}

// A program that seals and leaves asks the witnesses, also where there was nothing new.
func TestWitnessesOfOneThatLeaves(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	one, two := w.watched("one.example"), w.watched("two.example")
	two.away.Store(true)
	c := w.config()
	c.Witnesses = []seal.Witness{one.to, two.to}
	for _, step := range []struct {
		more  int
		away  bool
		size  int64
		names []string
		two   seal.WitnessState
	}{
		{0, true, 11, []string{"one.example"}, seal.Away},
		{0, false, 11, []string{"one.example", "two.example"}, seal.Agrees},
		{3, false, 14, []string{"one.example", "two.example"}, seal.Agrees},
	} {
		w.append(step.more)
		two.away.Store(step.away)
		s, err := seal.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Now(t.Context()); err != nil {
			t.Fatal(err)
		}
		last, _ := s.Checkpoint()
		st := s.Status().Witnesses
		if last.Size != step.size || !slices.Equal(names(last), step.names) || st[0].State != seal.Agrees || st[1].State != step.two {
			t.Errorf("%d leaves, cosigned by %v: %+v", last.Size, names(last), st)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Log and seal are put back together, and work goes on: nothing on this machine
// shows it, and the witness does.
func TestLogAndSealArePutBackTogether(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(100)
	w.sealed()
	a := w.watched("auditor.example")
	restore := w.backup(true)
	c := w.config()
	c.Witnesses = []seal.Witness{a.to}
	w.append(100)
	s, stop := w.run(c)
	eventually(t, "it seals", func() bool { return s.Status().Sealing })
	if err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the witness cosigns", func() bool { c, _ := s.Checkpoint(); return c.Size == 201 && len(c.Witnesses) == 1 })
	stop()
	restore()
	w.good()
	asking := func(o *seal.VerifyOptions) { o.Witnesses = c.Witnesses }
	if f := w.found(seal.Inconsistent, 0, asking); f.Witness != "auditor.example" {
		t.Errorf("%+v", f)
	}
	// Another history grows beyond the first one.
	for _, stream := range streams {
		w.next[stream] = domain.Revision(24)
	}
	w.append(300)
	c = w.config()
	c.Witnesses = []seal.Witness{a.to}
	s, stop = w.run(c)
	told := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return slices.ContainsFunc(w.reported, func(err error) bool { return errors.Is(err, seal.ErrHistory) })
	}
	eventually(t, "it is told", told)
	if st := s.Status(); st.Witnesses[0].State != seal.Disagrees || st.Witnesses[0].Why == "" {
		t.Errorf("%+v", st.Witnesses)
	}
	stop()
	w.good()
	w.found(seal.Inconsistent, 0, asking)
	a.away.Store(true) // it is not forgotten
	r := w.verify(asking)
	if r.Bad == nil || r.Bad.Kind != seal.Inconsistent || r.Witnesses[0].State != seal.Disagrees {
		t.Errorf("%+v", r)
	}
}

// What is no witness is none, whatever it answers.
func TestAWitnessThatIsNone(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	a, other := w.watched("auditor.example"), w.watched("auditor.example")
	for name, answer := range map[string]http.HandlerFunc{
		"another key":  other.ServeHTTP,
		"no signature": func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("ok\n")) },
		"a page":       func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte(strings.Repeat("<p>", 1<<20))) },
		"not found":    http.NotFound,
		"a wrong size": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/x.tlog.size")
			rw.WriteHeader(http.StatusConflict)
			_, _ = rw.Write([]byte("1\n"))
		},
	} {
		at := httptest.NewServer(answer)
		r := w.verify(func(o *seal.VerifyOptions) { o.Witnesses = []seal.Witness{{URL: at.URL, Key: a.to.Key}} })
		at.Close()
		if len(r.Witnesses) != 1 || r.Witnesses[0].State == seal.Agrees || r.Witnesses[0].Why == "" {
			t.Errorf("%s: %+v", name, r.Witnesses)
		}
		if known := name == "a wrong size"; (r.Bad != nil) != known {
			t.Errorf("%s: found %v", name, r.Bad)
		}
	}
	at := httptest.NewServer(http.NotFoundHandler())
	at.Close() // nobody is there
	r := w.verify(func(o *seal.VerifyOptions) { o.Witnesses = []seal.Witness{{URL: at.URL, Key: a.to.Key}} })
	if r.Bad != nil || r.Witnesses[0].State != seal.Away {
		t.Errorf("%+v", r)
	}
}

// Witnesses that answer for ever, or never: they are left, all at once, and nothing of
// what they send is kept.
func TestWitnessesThatDoNotEnd(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	var all []seal.Witness
	var left sync.WaitGroup
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a byte an hour": func(rw http.ResponseWriter, r *http.Request) {
			_, _ = rw.Write([]byte("-"))
			_ = http.NewResponseController(rw).Flush()
			<-r.Context().Done()
		},
		"endless": func(rw http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = rw.Write(make([]byte, 1<<16))
			}
		},
	} {
		a := w.watched("auditor.example")
		left.Add(1)
		at := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			defer left.Done()
			_, _ = io.Copy(io.Discard, r.Body) // else nobody sees that the other end has left
			answer(rw, r)
		}))
		t.Cleanup(at.Close)
		all = append(all, seal.Witness{URL: at.URL + "/" + strings.ReplaceAll(name, " ", "-"), Key: a.to.Key})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	o := w.options()
	o.Witnesses = all
	r, err := seal.Verify(ctx, w.log, w.folder, o, nil)
	if err != nil || r.Bad != nil || len(r.Witnesses) != len(all) {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, st := range r.Witnesses {
		if st.State != seal.Away || st.Why == "" {
			t.Errorf("%+v", st)
		}
	}
	left.Wait()
}
