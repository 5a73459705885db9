package esdbtest_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// patience is how long a test waits for what has to happen.
const patience = 20 * time.Second

// connect opens a client until the test ends.
func connect(tb testing.TB, url string) *esdb.Client {
	tb.Helper()
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		tb.Fatal(err)
	}
	config.Logger = nil
	config.MaxDiscoverAttempts = 3
	c, err := esdb.NewClient(config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func event(kind string) esdb.EventData {
	return esdb.EventData{
		EventID: uuid.New(), EventType: kind, ContentType: esdb.ContentTypeJson,
		Data: []byte(`{"n":1}`), Metadata: []byte(`{"schema":1}`),
	}
}

func eventsOf(kind string, n int) []esdb.EventData {
	events := make([]esdb.EventData, n)
	for i := range events {
		events[i] = event(kind)
	}
	return events
}

// expect is the expectation of a last revision, -1 for none.
func expect(last int) esdb.ExpectedRevision {
	if last < 0 {
		return esdb.NoStream{}
	}
	return esdb.Revision(uint64(last))
}

func tryAppend(tb testing.TB, c *esdb.Client, stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) (*esdb.WriteResult, error) {
	tb.Helper()
	return c.AppendToStream(tb.Context(), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
}

func mustAppend(tb testing.TB, c *esdb.Client, stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) *esdb.WriteResult {
	tb.Helper()
	w, err := tryAppend(tb, c, stream, expected, events...)
	if err != nil {
		tb.Fatalf("append to %s: %v", stream, err)
	}
	return w
}

// wantCode checks how an error shows in the client.
func wantCode(tb testing.TB, err error, want esdb.ErrorCode) {
	tb.Helper()
	var e *esdb.Error
	if !errors.As(err, &e) || e.Code() != want {
		tb.Errorf("%v instead of %v", err, want)
	}
}

// collect reads what a reading gives.
func collect(stream *esdb.ReadStream, err error) ([]*esdb.RecordedEvent, error) {
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var events []*esdb.RecordedEvent
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e.OriginalEvent())
	}
}

func readStream(tb testing.TB, c *esdb.Client, name string, o esdb.ReadStreamOptions, count uint64) ([]*esdb.RecordedEvent, error) {
	tb.Helper()
	return collect(c.ReadStream(tb.Context(), name, o, count))
}

func readAll(tb testing.TB, c *esdb.Client, o esdb.ReadAllOptions, count uint64) []*esdb.RecordedEvent {
	tb.Helper()
	events, err := collect(c.ReadAll(tb.Context(), o, count))
	if err != nil {
		tb.Fatal(err)
	}
	return events
}

// wantRevisions checks which events of a stream are given.
func wantRevisions(tb testing.TB, c *esdb.Client, stream string, o esdb.ReadStreamOptions, count uint64, want ...uint64) {
	tb.Helper()
	events, err := readStream(tb, c, stream, o, count)
	if err != nil {
		tb.Fatal(err)
	}
	var got []uint64
	for _, e := range events {
		if e.StreamID != stream {
			tb.Errorf("an event of %s", e.StreamID)
		}
		got = append(got, e.EventNumber)
	}
	if !slices.Equal(got, want) {
		tb.Fatalf("revisions %v instead of %v", got, want)
	}
}

// A watch receives what a subscription brings, without waiting for ever.
type watch struct {
	tb   testing.TB
	sub  *esdb.Subscription
	came chan *esdb.SubscriptionEvent
}

func watching(tb testing.TB, sub *esdb.Subscription, err error) *watch {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = sub.Close() })
	w := &watch{tb, sub, make(chan *esdb.SubscriptionEvent, 10_000)}
	go func() {
		for {
			e := sub.Recv()
			w.came <- e
			if e.SubscriptionDropped != nil {
				return
			}
		}
	}()
	return w
}

func subscribeAll(tb testing.TB, c *esdb.Client, o esdb.SubscribeToAllOptions) *watch {
	tb.Helper()
	sub, err := c.SubscribeToAll(context.WithoutCancel(tb.Context()), o)
	return watching(tb, sub, err)
}

func subscribeStream(tb testing.TB, c *esdb.Client, stream string, from esdb.StreamPosition) *watch { //nolint:unparam // as the call that it stands for
	tb.Helper()
	sub, err := c.SubscribeToStream(context.WithoutCancel(tb.Context()), stream, esdb.SubscribeToStreamOptions{From: from})
	return watching(tb, sub, err)
}

// next returns what comes next.
func (w *watch) next() *esdb.SubscriptionEvent {
	w.tb.Helper()
	select {
	case e := <-w.came:
		return e
	case <-time.After(patience):
		w.tb.Fatal("nothing comes")
		return nil
	}
}

// until collects the events up to one that ends it, and that one.
func (w *watch) until(last func(*esdb.SubscriptionEvent) bool) (events []*esdb.RecordedEvent, end *esdb.SubscriptionEvent) {
	w.tb.Helper()
	for {
		e := w.next()
		if last(e) {
			return events, e
		}
		switch {
		case e.EventAppeared != nil:
			events = append(events, e.EventAppeared.OriginalEvent())
		case e.SubscriptionDropped != nil:
			w.tb.Fatalf("dropped: %v", e.SubscriptionDropped.Error)
		}
	}
}

// cameAfterDrop returns what a subscription brings that was dropped.
func (w *watch) cameAfterDrop() *esdb.SubscriptionEvent { return w.sub.Recv() }

func isCaughtUp(e *esdb.SubscriptionEvent) bool { return e.CaughtUp != nil }
func isDropped(e *esdb.SubscriptionEvent) bool  { return e.SubscriptionDropped != nil }

// event returns the next event, which has to come before anything else that
// counts.
func (w *watch) event() *esdb.RecordedEvent {
	w.tb.Helper()
	_, e := w.until(func(e *esdb.SubscriptionEvent) bool { return e.EventAppeared != nil })
	return e.EventAppeared.OriginalEvent()
}
