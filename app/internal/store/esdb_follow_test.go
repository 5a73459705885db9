package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
)

// A watcher follows as a feed does: when the log is not available, again from where it was.
type watcher struct {
	q domain.Query

	mu      sync.Mutex
	got     []domain.Position
	through domain.Position
	wrong   error
}

func (w *watcher) follow(ctx context.Context, l *store.ESDB) {
	for ctx.Err() == nil {
		q := w.q
		w.mu.Lock()
		q.After = w.through
		w.mu.Unlock()
		if err := l.Follow(ctx, q, w.take); err != nil && !errors.Is(err, domain.ErrUnavailable) && ctx.Err() == nil {
			w.mu.Lock()
			w.wrong = errors.Join(w.wrong, err)
			w.mu.Unlock()
			return
		}
	}
}

func (w *watcher) take(b domain.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range b.Events {
		if e.Position <= w.through || len(w.got) > 0 && e.Position <= w.got[len(w.got)-1] {
			w.wrong = errors.Join(w.wrong, fmt.Errorf("position %d comes after %d, and all up to %d was given", e.Position, w.got, w.through))
		}
		w.got = append(w.got, e.Position)
	}
	if n := len(w.got); b.Through < w.through || n > 0 && b.Through < w.got[n-1] {
		w.wrong = errors.Join(w.wrong, fmt.Errorf("all up to %d after %d, and %v", b.Through, w.through, w.got))
	}
	w.through = b.Through
	return nil
}

// has says whether all that is wanted has come, and nothing else; an error if it never will.
func (w *watcher) has(want []domain.Position, head domain.Position) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.wrong != nil:
		return false, w.wrong
	case len(w.got) > len(want) || !slices.Equal(w.got, want[:len(w.got)]):
		return false, fmt.Errorf("it has %v of %v", w.got, want)
	case len(w.got) < len(want) && len(want) > 0 && w.through >= want[len(w.got)]:
		return false, fmt.Errorf("%d is missing, and all up to %d was given; it has %v of %v", want[len(w.got)], w.through, w.got, want)
	}
	return len(w.got) == len(want) && w.through >= head, nil
}

// Whoever follows from any position, with any filter, is given each event once and in
// order, whatever becomes of subscriptions, connections and the server, and whoever else
// writes there.
func TestFollowingWhateverHappens(t *testing.T) {
	t.Parallel()
	if os.Getenv(realServer) != "" {
		t.Skip("needs a server that fails when it is told to")
	}
	for _, lax := range []bool{false, true} {
		t.Run(fmt.Sprintf("lax %t", lax), func(t *testing.T) {
			t.Parallel()
			s := esdbtest.Start(t, esdbtest.Options{Lax: lax})
			writers, revisions := map[string]*store.ESDB{}, map[string]domain.Revision{}
			for _, prefix := range []string{ours, others} {
				writers[prefix] = openESDB(t, s.URL(), store.Options{Prefix: prefix})
			}
			rapid.Check(t, func(rt *rapid.T) {
				(&show{t: t, rt: rt, server: s, writers: writers, revisions: revisions}).run()
			})
		})
	}
}

const ours, others = "ours-", "others-"

var (
	someStreams = []string{"enrolment-a", "enrolment-b", "station-a"}
	someTypes   = []string{"NameSet", "StationOpened"}
)

// A show is one server, who writes there, and who follows.
type show struct {
	t         *testing.T
	rt        *rapid.T
	server    *esdbtest.Server
	writers   map[string]*store.ESDB // by what stands before the names of their streams
	revisions map[string]domain.Revision
	log       *store.ESDB
	watchers  []*watcher
	running   sync.WaitGroup
}

func (s *show) follow(ctx context.Context) {
	var head domain.Position
	eventually(s.t, "head", func() (err error) { head, err = s.writers[ours].Head(ctx); return err })
	w := &watcher{q: domain.Query{
		Prefix: rapid.SampledFrom([]string{"", "enrolment-", "station-", "login-"}).Draw(s.rt, "prefix"),
		Types:  rapid.SampledFrom([][]string{nil, someTypes[:1], someTypes[1:], {"Other"}}).Draw(s.rt, "types"),
	}}
	if back := domain.Position(rapid.Uint16Range(0, 2000).Draw(s.rt, "back")); head > back {
		w.through = head - back
	}
	w.q.After = w.through
	s.watchers = append(s.watchers, w)
	s.running.Go(func() { w.follow(ctx, s.log) })
}

func (s *show) append(ctx context.Context, prefix string) {
	stream := rapid.SampledFrom(someStreams).Draw(s.rt, "stream")
	last, ok := s.revisions[prefix+stream]
	if !ok {
		last = domain.NoStream
	}
	var ms []domain.Message
	for range rapid.IntRange(1, 3).Draw(s.rt, "events") {
		ms = append(ms, newMessage(rapid.SampledFrom(someTypes).Draw(s.rt, "type")))
	}
	eventually(s.t, "append", func() error {
		a, err := s.writers[prefix].Append(ctx, stream, last, ms...)
		s.revisions[prefix+stream] = a.Revision
		return err
	})
}

// settle waits until all have been given what there is, and know it.
func (s *show) settle() {
	all := s.server.Events()
	for _, w := range s.watchers {
		var want []domain.Position
		for i := range all {
			e := &all[i]
			if p := domain.Position(e.Position); strings.HasPrefix(e.Stream, ours+w.q.Prefix) && p > w.q.After && (len(w.q.Types) == 0 || slices.Contains(w.q.Types, e.Type)) {
				want = append(want, p)
			}
		}
		for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			done, err := w.has(want, domain.Position(all[len(all)-1].Position))
			if err != nil {
				s.rt.Fatalf("%+v: %v", w.q, err)
			}
			if done {
				break
			}
			if time.Now().After(end) {
				s.rt.Fatalf("%+v: it has %v of %v, and all up to %d", w.q, w.got, want, w.through)
			}
		}
	}
}

func (s *show) run() {
	ctx, cancel := context.WithCancel(s.t.Context())
	s.log = openESDB(s.t, s.server.URL(), store.Options{Prefix: ours})
	defer func() { cancel(); s.running.Wait(); _ = s.log.Close() }()
	s.follow(ctx)
	settle, drop := s.settle, s.server.DropSubscriptions
	appendOurs, appendOthers := func() { s.append(ctx, ours) }, func() { s.append(ctx, others) }
	for range rapid.IntRange(1, 16).Draw(s.rt, "steps") {
		for _, do := range rapid.SampledFrom([][]func(){
			{appendOurs},
			{appendOthers},
			{settle},
			{drop},
			{settle, drop, appendOurs},
			{settle, drop, appendOthers},
			{settle, appendOthers, drop}, // while nobody is subscribed
			{func() { s.follow(ctx) }},
			{appendOurs, s.server.Stop, s.server.Restart, appendOthers},
		}).Draw(s.rt, "step") {
			do()
		}
	}
	s.settle()
}
