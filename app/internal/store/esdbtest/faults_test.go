package esdbtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
)

// eventually repeats until it is true.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("not %s within %v", what, patience)
		}
	}
}

func TestVersionAndCounts(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{Version: "23.10.5"})
	c := connect(t, s.URL())
	if v, err := c.GetServerVersion(); err != nil || v.Major != 23 || v.Minor != 10 || v.Patch != 5 {
		t.Errorf("%+v, %v", v, err)
	}
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	mustAppend(t, c, "one", esdb.Revision(0), event("A"))
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{}, 1, 0)
	subscribeAll(t, c, esdb.SubscribeToAllOptions{}).until(isCaughtUp)
	if a, r, f := s.Counts(); a != 2 || r != 1 || f != 1 {
		t.Errorf("%d appends, %d reads, %d subscriptions counted", a, r, f)
	}
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// Trap: a client that does not find its server is dead for good. The server's
// data and address are what they were.
func TestStopAndRestart(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	dead, c := connect(t, s.URL()), connect(t, s.URL())
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	w := subscribeAll(t, c, esdb.SubscribeToAllOptions{})
	w.until(isCaughtUp)
	addr := s.Addr(0)
	s.Stop()
	s.Stop() // is stopped
	w.until(isDropped)
	if e := w.cameAfterDrop(); e.SubscriptionDropped == nil {
		t.Error("a dropped subscription came back")
	}
	if n := s.Connections(); n != 0 {
		t.Errorf("%d connections to a stopped server", n)
	}
	for range 2 {
		if _, err := readStream(t, dead, "one", esdb.ReadStreamOptions{}, 1); err == nil {
			t.Error("a stopped server answers")
		}
	}
	s.Restart()
	s.Restart() // is started
	if s.Addr(0) != addr {
		t.Errorf("it moved from %s to %s", addr, s.Addr(0))
	}
	_, err := readStream(t, dead, "one", esdb.ReadStreamOptions{}, 1)
	wantCode(t, err, esdb.ErrorCodeConnectionClosed)
	wantRevisions(t, connect(t, s.URL()), "one", esdb.ReadStreamOptions{}, 1, 0)
}

func TestCut(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	for name, test := range map[string]struct {
		cut      func(int)
		recorded int
	}{"before": {s.CutBeforeCommit, 0}, "after": {s.CutAfterCommit, 1}} {
		c := connect(t, s.URL())
		mustAppend(t, c, name+"-warm", esdb.NoStream{}, event("A"))
		before, e := len(s.Events()), event("A")
		test.cut(1)
		_, err := tryAppend(t, c, name, esdb.NoStream{}, e)
		wantCode(t, err, esdb.ErrorUnavailable)
		if n := len(s.Events()) - before; n != test.recorded {
			t.Errorf("cut %s the commit: %d recorded", name, n)
		}
		eventually(t, "connected again", func() bool {
			_, err := tryAppend(t, c, name, esdb.NoStream{}, e)
			return err == nil
		})
		if n := len(s.Events()) - before; n != 1 {
			t.Errorf("cut %s the commit: %d recorded after the retry", name, n)
		}
	}
}

// Trap: who is turned away while they still send learns that the call has
// ended, and not why; and what the client makes of it hides in its words.
func TestRejectEarly(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	large := event("A")
	large.Data = bytes.Repeat([]byte("x"), 100_000)
	es := make([]esdb.EventData, 10)
	for i := range es {
		es[i] = event("A")
		es[i].Data = large.Data
	}
	s.RejectEarly(1)
	_, err := tryAppend(t, c, "one", esdb.NoStream{}, es...)
	if !errors.Is(err, io.EOF) && status.Code(err) != codes.Internal { // the reason is known if it comes last
		t.Error(err)
	}
	if known, _ := esdb.FromError(err); known.Code() != esdb.ErrorCodeUnknown {
		t.Errorf("FromError found %v", known)
	}
	mustAppend(t, c, "one", esdb.NoStream{}, es...)
}

func TestSlow(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	const slow = 100 * time.Millisecond
	s.Slow(slow)
	began := time.Now()
	mustAppend(t, c, "one", esdb.Revision(0), event("A"))
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{}, 1, 0)
	if took := time.Since(began); took < 2*slow {
		t.Errorf("two slow calls took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), slow/10)
	defer cancel()
	_, err := c.AppendToStream(ctx, "one", esdb.AppendToStreamOptions{}, event("A"))
	wantCode(t, err, esdb.ErrorCodeDeadlineExceeded)
	s.Slow(0)
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{}, 10, 0, 1) // who had gone was not waited for
}

// Trap: while a client connects, it does not look at the context of the call.
func TestFreeze(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	w := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.End{}})
	w.until(isCaughtUp)
	s.Freeze()
	s.Freeze() // is frozen
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := c.AppendToStream(ctx, "one", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(0)}, event("A"))
	wantCode(t, err, esdb.ErrorCodeDeadlineExceeded)
	if n := len(s.Events()); n != 2 {
		t.Errorf("%d recorded by a frozen server", n)
	}

	config, err := esdb.ParseConnectionString(s.URL() + "&gossipTimeout=1&maxDiscoverAttempts=1")
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = nil
	late, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close() //nolint:errcheck // never fails
	began := time.Now()
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := late.AppendToStream(ctx, "one", esdb.AppendToStreamOptions{}, event("A")); err == nil || time.Since(began) < 500*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if s.Connections() < 2 {
		t.Error("a frozen server accepts connections")
	}
	s.Thaw()
	s.Thaw()
	mustAppend(t, c, "two", esdb.NoStream{}, event("B"))
	if _, e := w.until(func(e *esdb.SubscriptionEvent) bool {
		return e.EventAppeared != nil && e.EventAppeared.OriginalEvent().StreamID == "two"
	}); e == nil {
		t.Error("nothing after the thaw")
	}
}

// A frozen server can be stopped, and is not frozen any more for who is cut off.
func TestStopFrozen(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	s.Freeze()
	failed := make(chan error, 1)
	go func() {
		_, err := tryAppend(t, c, "one", esdb.Revision(0), event("A"))
		failed <- err
	}()
	s.Stop()
	select {
	case err := <-failed:
		if err == nil {
			t.Error("answered")
		}
	case <-time.After(patience):
		t.Error("the call hangs")
	}
	s.Thaw()
}

// Trap: a subscription that is dropped says so, and does not come back.
func TestDropSubscriptions(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	all, one := subscribeAll(t, c, esdb.SubscribeToAllOptions{}), subscribeStream(t, c, "one", esdb.Start{})
	all.until(isCaughtUp)
	one.until(isCaughtUp)
	s.DropSubscriptions()
	for _, w := range []*watch{all, one} {
		if _, end := w.until(isDropped); status.Code(end.SubscriptionDropped.Error) != codes.Aborted {
			t.Error(end.SubscriptionDropped.Error)
		}
	}
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	subscribeStream(t, c, "one", esdb.Start{}).event() // a new one lives
}
