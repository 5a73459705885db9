package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
)

// The traps of the client, and of servers, each with what keeps us out of it.

func newMessage(kind string) domain.Message {
	m := domain.Message{Type: kind, Data: []byte(`{"n":1}`), Metadata: []byte(`{"schema":1}`)}
	_, _ = rand.Read(m.ID[:]) // never fails
	return m
}

func newMessages(n int) []domain.Message {
	ms := make([]domain.Message, n)
	for i := range ms {
		ms[i] = newMessage("NameSet")
	}
	return ms
}

// startESDB starts a server and opens a log on it.
func startESDB(t *testing.T, o store.Options) (*esdbtest.Server, *store.ESDB) {
	t.Helper()
	if os.Getenv(realServer) != "" {
		t.Skip("needs a server that fails when it is told to")
	}
	s := esdbtest.Start(t, esdbtest.Options{})
	return s, openESDB(t, s.URL(), o)
}

// eventually repeats until there is no error.
func eventually(t *testing.T, what string, do func() error) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		err := do()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func mustHold(t *testing.T, l *store.ESDB, stream string, want ...domain.Message) {
	t.Helper()
	got, err := l.ReadStream(t.Context(), stream, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, func(e domain.Recorded, m domain.Message) bool { return e.ID == m.ID }) {
		t.Fatalf("%s holds %d events, not the %d that it should", stream, len(got), len(want))
	}
}

// Trap: a client that cannot find its server is dead for good. Ours comes back
// by itself however often the server goes, and says so meanwhile at once.
func TestTrapFailedDiscovery(t *testing.T) {
	t.Parallel()
	reports := make(chan error, 16)
	s, l := startESDB(t, store.Options{Report: func(err error) { reports <- err }})
	last := domain.NoStream
	for range 3 {
		s.Stop()
		for range 20 { // more often than it takes to lose patience
			began := time.Now()
			_, err := l.Append(t.Context(), "enrolment-gone", 100, newMessage("NameSet"))
			if !errors.Is(err, domain.ErrUnavailable) && !errors.Is(err, domain.ErrUnknownOutcome) {
				t.Fatalf("%v while the server is gone", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Fatalf("it took %v to say so", took)
			}
		}
		if _, err := l.ReadStream(t.Context(), "enrolment-a", 0); !errors.Is(err, domain.ErrUnavailable) {
			t.Fatalf("%v while the server is gone", err)
		}
		s.Restart()
		m := newMessage("NameSet")
		eventually(t, "append after the server's return", func() error {
			_, err := l.Append(t.Context(), "enrolment-a", last, m)
			return err
		})
		last++
		if err := <-reports; err == nil {
			t.Error("nothing said of the loss")
		}
		if err := <-reports; err != nil {
			t.Errorf("%v instead of nil for the return", err)
		}
	}
	if len(reports) > 0 {
		t.Errorf("%d reports too many", len(reports))
	}
}

// Trap: neither context nor deadline bounds the client's connecting.
func TestTrapConnectingIgnoresContext(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	s.Freeze()
	defer s.Thaw()
	for name, call := range map[string]func(context.Context) error{
		"append": func(ctx context.Context) error {
			_, err := l.Append(ctx, "enrolment-a", domain.NoStream, newMessage("NameSet"))
			if !errors.Is(err, domain.ErrUnavailable) { // it never got so far as to be sent
				t.Errorf("append: %v", err)
			}
			return err
		},
		"read": func(ctx context.Context) error {
			_, err := l.ReadStream(ctx, "enrolment-a", 0)
			return err
		},
		"head": func(ctx context.Context) error {
			_, err := l.Head(ctx)
			return err
		},
		"follow": func(ctx context.Context) error {
			return l.Follow(ctx, domain.Query{}, func(domain.Batch) error { return nil })
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		began := time.Now()
		err := call(ctx)
		cancel()
		if took := time.Since(began); took > 2*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
}

// Trap: several first calls at once can hang for ever.
func TestTrapConcurrentFirstCalls(t *testing.T) {
	t.Parallel()
	url := serverURL(t)
	for range 10 {
		l := openESDB(t, url, store.Options{Prefix: randomPrefix()})
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				if _, err := l.Append(t.Context(), fmt.Sprintf("enrolment-%d", i), domain.NoStream, newMessage("NameSet")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Trap: closing the client under a call panics. Ours waits, also when the
// server goes away at the same time.
func TestTrapCloseUnderCalls(t *testing.T) {
	t.Parallel()
	s, _ := startESDB(t, store.Options{})
	for round := range 6 {
		l := openESDB(t, s.URL(), store.Options{Prefix: randomPrefix()})
		var wg, first sync.WaitGroup
		for i := range 32 {
			first.Add(1)
			wg.Go(func() {
				for n := 0; ; n++ {
					_, err := l.Append(t.Context(), fmt.Sprintf("enrolment-%d", i), domain.Revision(n-1), newMessage("NameSet"))
					if n == 0 {
						first.Done()
					}
					if err != nil {
						return
					}
				}
			})
		}
		first.Wait()
		if round%2 == 1 {
			s.Stop()
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if round%2 == 1 {
			s.Restart()
		}
	}
}

// Close waits for whoever is being given something, also while no subscription runs:
// that there is nothing new is the first that they are told.
func TestCloseUnderAYield(t *testing.T) {
	t.Parallel()
	_, l := startESDB(t, store.Options{})
	head, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	given, goOn := make(chan struct{}), make(chan struct{})
	var over atomic.Bool
	followed, closed := make(chan error, 1), make(chan bool, 1)
	go func() {
		followed <- l.Follow(t.Context(), domain.Query{After: head}, func(domain.Batch) error {
			close(given)
			<-goOn
			over.Store(true)
			return nil
		})
	}()
	<-given
	go func() {
		_ = l.Close() // never fails
		closed <- over.Load()
	}()
	eventually(t, "it is being closed", func() error {
		if _, err := l.Head(t.Context()); err == nil {
			return errors.New("it is not")
		}
		return nil
	})
	select {
	case <-closed:
		t.Error("it is closed under the yield")
		closed <- true
	case <-time.After(50 * time.Millisecond):
	}
	close(goOn)
	if !<-closed {
		t.Error("it was closed before the yield was over")
	}
	if err := <-followed; !errors.Is(err, domain.ErrUnavailable) {
		t.Error(err)
	}
}

// Trap: a dropped subscription never comes back. Ours goes on where it was:
// nothing is lost or given twice.
func TestTrapDroppedSubscription(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	const events = 300
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan domain.Revision, events+10)
	ended := make(chan error, 1)
	go func() {
		ended <- l.Follow(ctx, domain.Query{Prefix: "enrolment-"}, func(b domain.Batch) error {
			for _, e := range b.Events {
				got <- e.Revision
			}
			return nil
		})
	}()
	for i := range events {
		if _, err := l.Append(t.Context(), "enrolment-a", domain.Revision(i-1), newMessage("NameSet")); err != nil {
			t.Fatal(err)
		}
		if i%50 == 25 {
			s.DropSubscriptions()
		}
	}
	for want := range domain.Revision(events) {
		select {
		case r := <-got:
			if r != want {
				t.Fatalf("revision %d instead of %d", r, want)
			}
		case err := <-ended:
			t.Fatalf("following ended: %v", err)
		case <-time.After(20 * time.Second):
			t.Fatalf("revision %d did not come", want)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Trap: at the head, a subscription says that it has looked at everything before the next
// event. Who takes that for the place of an event, and is dropped, never gets that one.
func TestTrapBetweenEvents(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	got := make(chan domain.Recorded, 10)
	live := make(chan bool, 1000)
	go func() {
		_ = l.Follow(ctx, domain.Query{Prefix: "enrolment-"}, func(b domain.Batch) error { // until the test ends
			for _, e := range b.Events {
				got <- e
			}
			live <- b.Live
			return nil
		})
	}()
	for i := range 10 {
		for !<-live {
		}
		for _, _, n := s.Counts(); n < 2+i; _, _, n = s.Counts() { // it follows with the smallest window
			time.Sleep(time.Millisecond)
		}
		s.DropSubscriptions()
		if _, err := l.Append(ctx, "enrolment-a", domain.Revision(i-1), newMessage("NameSet")); err != nil {
			t.Fatal(err)
		}
		select {
		case e := <-got:
			if e.Revision != domain.Revision(i) {
				t.Fatalf("revision %d instead of %d", e.Revision, i)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("revision %d did not come", i)
		}
	}
}

// Trap: a server that gives events and never says how far it is, where what stands at
// the end of its log is not ours. Whoever reads is told, and does not wait for ever.
func TestTrapMuteServer(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{MaxAge: brief})
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, newMessage("NameSet")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	live := make(chan struct{})
	var following, reading error
	var both sync.WaitGroup
	both.Go(func() {
		tell := sync.OnceFunc(func() { close(live) })
		following = l.Follow(ctx, domain.Query{Prefix: "enrolment-"}, func(b domain.Batch) error {
			if b.Live {
				tell()
			}
			return nil
		})
	})
	<-live
	s.Mute(true)
	if _, err := l.Append(t.Context(), "station-a", domain.NoStream, newMessage("StationOpened")); err != nil {
		t.Fatal(err)
	}
	both.Go(func() {
		reading = l.ReadAll(ctx, domain.Query{Prefix: "enrolment-"}, func(domain.Batch) error { return nil })
	})
	both.Wait()
	for name, err := range map[string]error{"follow": following, "read": reading} {
		if !errors.Is(err, domain.ErrUnavailable) || ctx.Err() != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Trap: a server that takes no place at all. It is asked from the start before long, and
// not at every place that was ever seen.
func TestTrapNoPlace(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	const events = 60
	for i := range events { // about one in each stretch of which a place is kept
		m := newMessage("NameSet")
		m.Data = fmt.Appendf(nil, `{"x":"%064000d"}`, i)
		if _, err := l.Append(t.Context(), "enrolment-a", domain.Revision(i-1), m); err != nil {
			t.Fatal(err)
		}
	}
	read := func(after domain.Position) (all []domain.Position) {
		t.Helper()
		if err := l.ReadAll(t.Context(), domain.Query{After: after, Prefix: "enrolment-"}, func(b domain.Batch) error {
			for _, e := range b.Events {
				all = append(all, e.Position)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	all := read(0)
	s.Nowhere(true)
	_, _, before := s.Counts()
	if got := read(all[events-3]); !slices.Equal(got, all[events-2:]) {
		t.Errorf("%v instead of %v", got, all[events-2:])
	}
	if _, _, after := s.Counts(); after-before > 20 {
		t.Errorf("it took %d subscriptions", after-before)
	}
}

// Trap: a server that gives events again is not believed that they came twice, nor that
// something lies behind what came after it.
func TestTrapEventsAgain(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	ms := newMessages(20)
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, ms...); err != nil {
		t.Fatal(err)
	}
	var got []domain.Revision
	var through domain.Position
	follow := func() error {
		enough := errors.New("enough")
		err := l.Follow(t.Context(), domain.Query{After: through, Prefix: "enrolment-"}, func(b domain.Batch) error {
			for _, e := range b.Events {
				got = append(got, e.Revision)
			}
			if through = b.Through; b.Live {
				return enough
			}
			return nil
		})
		if err == enough { //nolint:errorlint // it comes back as it is
			return nil
		}
		return err
	}
	s.Again(1) // there is none before the first: it comes twice, and that is all
	if err := follow(); err != nil || len(got) != len(ms) {
		t.Fatalf("%v, %v", got, err)
	}
	got, through = nil, 0
	s.Again(7)
	ended := 0
	for err := follow(); err != nil; err = follow() {
		if ended++; !errors.Is(err, domain.ErrUnavailable) || ended > 7 {
			t.Fatal(err)
		}
	}
	for i, r := range got {
		if r != domain.Revision(i) {
			t.Fatalf("revisions %v", got)
		}
	}
	if ended == 0 || len(got) != len(ms) {
		t.Errorf("%d events, and it ended %d times", len(got), ended)
	}
}

// A subscription that is dropped after long in which nothing happened is got back as one
// that is dropped before that.
func TestDroppedAfterASilence(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	began, dropped, enough := time.Now(), false, errors.New("enough")
	err := l.Follow(ctx, domain.Query{Prefix: "enrolment-"}, func(b domain.Batch) error {
		switch {
		case len(b.Events) > 0:
			return enough
		case b.Live && !dropped && time.Since(began) > 7*time.Second: // more than it is tried for without a sign
			dropped = true
			s.DropSubscriptions()
			_, err := l.Append(ctx, "enrolment-a", domain.NoStream, newMessage("NameSet"))
			return err
		}
		return nil
	})
	if err != enough { //nolint:errorlint // it comes back as it is
		t.Error(err)
	}
}

// A server that stays away ends the following; whoever follows decides.
func TestFollowEndsWithoutServer(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	live, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	go func() {
		ended <- l.Follow(t.Context(), domain.Query{}, func(b domain.Batch) error {
			if b.Live {
				once.Do(func() { close(live) })
			}
			return nil
		})
	}()
	<-live
	s.Stop()
	select {
	case err := <-ended:
		if !errors.Is(err, domain.ErrUnavailable) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it goes on")
	}
}

// Trap: a server that was put back from a backup knows neither the last events that it gave
// nor that it did. Who goes on from there is not told what happens until its log is as long
// as it was. So nothing goes on; and another log on it, which has been given nothing yet, does.
func TestTrapPutBack(t *testing.T) {
	t.Parallel()
	reports := make(chan error, 64)
	s, l := startESDB(t, store.Options{Prefix: "ours-", Report: func(err error) { reports <- err }})
	const events, lost = 20, 5
	ms, logins := newMessages(events), newMessages(3)
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, ms...); err != nil {
		t.Fatal(err)
	}
	before := len(s.Events())
	if _, err := l.Append(t.Context(), "login-a", domain.NoStream, logins...); err != nil {
		t.Fatal(err)
	}
	ended := followed(t, l, events+3)
	putBack(s, before-lost)
	refused(t, l, "its log ends before")
	select {
	case err := <-ended:
		if !errors.Is(err, domain.ErrUnavailable) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it is followed on")
	}
	for why := range reports {
		if why != nil && strings.Contains(why.Error(), "put back") {
			break
		}
	}

	other := openESDB(t, s.URL(), store.Options{Prefix: "ours-"})
	mustHold(t, other, "enrolment-a", ms[:events-lost]...)
	more := newMessages(2 * events)
	eventually(t, "append", func() error {
		_, err := other.Append(t.Context(), "enrolment-a", events-lost-1, more...)
		return err
	})
	all := len(s.Events())
	_, looked, _ := s.Counts()
	for reads := looked; reads < looked+5; _, reads, _ = s.Counts() { // a look is two reads, and one may be under way
		refused(t, l, "it has other events there")
	}
	refused(t, l, "it has other events there")
	if n := len(s.Events()); n != all {
		t.Errorf("%d events recorded that are refused", n-all)
	}

	// Once it holds what was given, it is the same.
	putBack(s, before-lost)
	refused(t, l, "again")
	eventually(t, "append", func() error {
		_, err := other.Append(t.Context(), "enrolment-a", events-lost-1, ms[events-lost:]...)
		return err
	})
	refused(t, l, "its log still ends before")
	eventually(t, "append", func() error {
		_, err := other.Append(t.Context(), "login-a", domain.NoStream, logins...)
		return err
	})
	eventually(t, "go on", func() error { _, err := l.Head(t.Context()); return err })
	mustHold(t, l, "enrolment-a", ms...)
}

// followed follows a log, and returns once n events were given; the channel tells why the
// following has ended.
func followed(t *testing.T, l *store.ESDB, n int) <-chan error {
	t.Helper()
	given, ended, got := make(chan struct{}), make(chan error, 1), 0
	go func() {
		ended <- l.Follow(t.Context(), domain.Query{}, func(b domain.Batch) error {
			before := got
			if got += len(b.Events); before < n && got >= n {
				close(given)
			}
			return nil
		})
	}()
	select {
	case <-given:
	case err := <-ended:
		t.Fatal(err)
	}
	return ended
}

// putBack puts a server back to its first n records.
func putBack(s *esdbtest.Server, n int) {
	s.Stop()
	s.PutBack(n)
	s.Restart()
}

// refused waits until it is said that the server was put back; until then nothing that is
// appended may be said to be recorded.
func refused(t *testing.T, l *store.ESDB, when string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		_, err := l.Append(t.Context(), "enrolment-b", domain.NoStream, newMessage("NameSet"))
		_, conflict := errors.AsType[*domain.Conflict](err) // an earlier one has got there, its outcome unknown
		switch {
		case errors.Is(err, domain.ErrUnavailable) && strings.Contains(err.Error(), "put back"):
			return
		case !conflict && !errors.Is(err, domain.ErrUnavailable) && !errors.Is(err, domain.ErrUnknownOutcome), time.Now().After(end):
			t.Fatalf("%s: %v", when, err)
		}
	}
}

// Trap: where no call runs while the server is put back, gRPC connects again without saying
// so. Whoever calls then is not told that anything was recorded.
func TestTrapPutBackUnseen(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(context.Context, *store.ESDB) error{
		"append": func(ctx context.Context, l *store.ESDB) error {
			_, err := l.Append(ctx, "station-b", domain.NoStream, newMessage("StationOpened"))
			return err
		},
		"head": func(ctx context.Context, l *store.ESDB) error { _, err := l.Head(ctx); return err },
		"read": func(ctx context.Context, l *store.ESDB) error {
			return l.ReadAll(ctx, domain.Query{}, func(domain.Batch) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, l := startESDB(t, store.Options{})
			if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, newMessages(20)...); err != nil {
				t.Fatal(err)
			}
			if err := l.ReadAll(t.Context(), domain.Query{}, func(domain.Batch) error { return nil }); err != nil {
				t.Fatal(err)
			}
			putBack(s, len(s.Events())-5)
			time.Sleep(50 * time.Millisecond) // gRPC notices, or it does not: either will do
			if err := call(t.Context(), l); !errors.Is(err, domain.ErrUnavailable) && !errors.Is(err, domain.ErrUnknownOutcome) {
				t.Errorf("%v", err)
			}
			refused(t, l, "after that")
		})
	}
}

// Trap: also where nothing is lost of any enrolment, a server that was put back is not
// followed: what happens there is not heard until its log is as long as it was.
func TestTrapPutBackOfOthers(t *testing.T) {
	t.Parallel()
	for _, stream := range []string{"staff-a", "station-a", "access-a", "service", "login-a"} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			s, l := startESDB(t, store.Options{Prefix: "ours-", MaxAge: map[string]time.Duration{domain.LoginPrefix: 24 * time.Hour}})
			if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, newMessages(3)...); err != nil {
				t.Fatal(err)
			}
			kept := len(s.Events())
			if _, err := l.Append(t.Context(), stream, domain.NoStream, newMessages(3)...); err != nil {
				t.Fatal(err)
			}
			ended := followed(t, l, 6)
			putBack(s, kept)
			select {
			case err := <-ended:
				if !errors.Is(err, domain.ErrUnavailable) || !strings.Contains(err.Error(), "put back") {
					t.Error(err)
				}
			case <-time.After(time.Minute):
				t.Fatal("it is followed on")
			}
			refused(t, l, "after that")
		})
	}
}

// Trap: a lost acknowledgement. The outcome is unknown, the same again makes
// it known, and there is one event.
func TestTrapLostAcknowledgement(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	for name, cut := range map[string]func(int){"before": s.CutBeforeCommit, "after": s.CutAfterCommit} {
		stream, ms := "enrolment-"+name, newMessages(3)
		cut(1)
		_, err := l.Append(t.Context(), stream, domain.NoStream, ms...)
		if !errors.Is(err, domain.ErrUnknownOutcome) {
			t.Errorf("cut %s the commit: %v", name, err)
		}
		eventually(t, "the same again", func() error {
			a, err := l.Append(t.Context(), stream, domain.NoStream, ms...)
			if err == nil && (a.Revision != 2 || a.Position == 0) {
				t.Errorf("appended at %v", a)
			}
			return err
		})
		mustHold(t, l, stream, ms...)
	}
}

// Trap: who is turned away early learns no reason. Ours asks again; when that
// does not help, the outcome is unknown.
func TestTrapEarlyReject(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	ms := newMessages(200)
	for i := range ms {
		ms[i].Data = fmt.Appendf(nil, `{"x":"%04000d"}`, i)
	}
	s.RejectEarly(1)
	eventually(t, "rejected once", func() error {
		_, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, ms...)
		if err != nil && !errors.Is(err, domain.ErrUnknownOutcome) && !errors.Is(err, domain.ErrUnavailable) {
			t.Fatal(err)
		}
		return err
	})
	mustHold(t, l, "enrolment-a", ms...)
}

// Trap: an append that outlives its context may have been recorded, and is
// there once when it is made again.
func TestTrapAppendOutlivesContext(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	if _, err := l.Head(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := newMessage("NameSet")
	s.Slow(300 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := l.Append(ctx, "enrolment-a", domain.NoStream, m)
	if !errors.Is(err, domain.ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	s.Slow(0)
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, m); err != nil {
		t.Error(err)
	}
	mustHold(t, l, "enrolment-a", m)
}

// Trap: a node that does not lead takes nothing, for certain.
func TestTrapNotLeader(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	m := newMessage("NameSet")
	s.NotLeader(2)
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, m); err != nil {
		t.Error(err)
	}
	mustHold(t, l, "enrolment-a", m)
	s.NotLeader(1000)
	_, err := l.Append(t.Context(), "enrolment-a", 0, newMessage("NameSet"))
	if !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("%v instead of not recorded", err)
	}
	s.NotLeader(0)
	mustHold(t, l, "enrolment-a", m)
}

// Trap: an older server's answer to a retry has no position.
func TestTrapRetryWithoutPosition(t *testing.T) {
	t.Parallel()
	s, l := startESDB(t, store.Options{})
	ms := newMessages(2)
	first, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, ms...)
	if err != nil {
		t.Fatal(err)
	}
	s.IdempotentWithoutPosition(true)
	if again, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, ms...); err != nil || again != first {
		t.Errorf("%v, %v instead of %v", again, err, first)
	}
}

// A user whom the server does not know, or does not let, is told so for good.
func TestDenied(t *testing.T) {
	t.Parallel()
	s, _ := startESDB(t, store.Options{})
	l := openESDB(t, s.URLFor("keydesk", "wrong"), store.Options{})
	_, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, newMessage("NameSet"))
	if !errors.Is(err, store.ErrDenied) || errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("append: %v", err)
	}
	if _, err := l.ReadStream(t.Context(), "enrolment-a", 0); !errors.Is(err, store.ErrDenied) {
		t.Errorf("read: %v", err)
	}
	if err := l.Follow(t.Context(), domain.Query{}, func(domain.Batch) error { return nil }); !errors.Is(err, store.ErrDenied) {
		t.Errorf("follow: %v", err)
	}
}

// Protect takes deleting from everybody but admins, and keeps what else the
// server's settings say.
func TestProtect(t *testing.T) {
	t.Parallel()
	_, l := startESDB(t, store.Options{})
	deleting := func() error {
		t.Helper()
		findings, err := l.CheckAccess(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var found error
		for _, f := range findings {
			if f.What == "not delete" {
				found = f.Err
			} else if f.Err != nil {
				t.Errorf("%s: %v", f.What, f.Err)
			}
		}
		return found
	}
	if err := deleting(); !errors.Is(err, store.ErrMayDelete) {
		t.Errorf("unprotected: %v", err)
	}
	access := store.Access{AdminUser: "admin", AdminPassword: "changeit"}
	for range 2 {
		if err := l.Protect(t.Context(), access); err != nil {
			t.Fatal(err)
		}
	}
	if err := deleting(); err != nil {
		t.Errorf("protected: %v", err)
	}
	access.AdminUser, access.AdminPassword, access.Users = "keydesk", "secret", []string{"keydesk", "other"}
	if err := l.Protect(t.Context(), access); !errors.Is(err, store.ErrDenied) {
		t.Errorf("protected by one who may not: %v", err)
	}
}

// A cluster of three: leadership moves while appends run, and a node dies.
func TestCluster(t *testing.T) {
	t.Parallel()
	if os.Getenv(realServer) != "" {
		t.Skip("needs a cluster that does what it is told to")
	}
	s := esdbtest.Start(t, esdbtest.Options{Nodes: 3})
	for name, url := range map[string]string{"seeds": s.ClusterURL(), "discover": s.DiscoverURL()} {
		dies := 0
		if name == "discover" { // the name has this one address
			dies = 2
		}
		l := openESDB(t, url, store.Options{Prefix: randomPrefix()})
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var got []domain.Revision
		followed := make(chan error, 1)
		go func() {
			followed <- l.Follow(ctx, domain.Query{}, func(b domain.Batch) error {
				mu.Lock()
				defer mu.Unlock()
				for _, e := range b.Events {
					got = append(got, e.Revision)
				}
				return nil
			})
		}()
		ms := newMessages(60)
		for i, m := range ms {
			switch i {
			case 10, 20, 30:
				s.Lead(i / 10 % 3)
			case 40:
				s.Lead(1)
				s.StopNode(dies)
			case 50:
				s.StartNode(dies)
			}
			eventually(t, name+": append", func() error {
				_, err := l.Append(t.Context(), "enrolment-a", domain.Revision(i-1), m)
				return err
			})
		}
		mustHold(t, l, "enrolment-a", ms...)
		eventually(t, name+": follow", func() error {
			mu.Lock()
			defer mu.Unlock()
			for i, r := range got {
				if r != domain.Revision(i) {
					t.Fatalf("%s: revisions %v", name, got)
				}
			}
			if len(got) < len(ms) {
				return fmt.Errorf("%d events", len(got))
			}
			return nil
		})
		cancel()
		if err := <-followed; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
