package esdbtest_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 123456700, time.UTC)
	s := esdbtest.Start(t, esdbtest.Options{Clock: func() time.Time { return now }})
	c := connect(t, s.URL())
	a, b := event("A"), event("B")
	b.ContentType, b.Data, b.Metadata = esdb.ContentTypeBinary, []byte{0, 1, 255}, nil
	w := mustAppend(t, c, "one", esdb.NoStream{}, a, b)
	if w.NextExpectedVersion != 1 || w.CommitPosition == 0 || w.CommitPosition != w.PreparePosition {
		t.Errorf("appended at %+v", w)
	}
	events, err := readStream(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10)
	if err != nil || len(events) != 2 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, want := range []esdb.EventData{a, b} {
		e := events[i]
		if e.EventID != want.EventID || e.EventType != want.EventType || !bytes.Equal(e.Data, want.Data) || !bytes.Equal(e.UserMetadata, want.Metadata) {
			t.Errorf("event %d is %+v", i, e)
		}
		if e.EventNumber != uint64(i) || e.StreamID != "one" || !e.CreatedDate.Equal(now) {
			t.Errorf("event %d of %s at %d, %v", i, e.StreamID, e.EventNumber, e.CreatedDate)
		}
	}
	if events[0].ContentType != "application/json" || events[1].ContentType != "application/octet-stream" {
		t.Errorf("%s, %s", events[0].ContentType, events[1].ContentType)
	}
	first, last := events[0].Position, events[1].Position
	if first.Commit == 0 || last.Commit != w.CommitPosition || last.Commit-first.Commit < 2 {
		t.Errorf("positions %d and %d; the append said %d", first.Commit, last.Commit, w.CommitPosition)
	}
}

func TestExpectations(t *testing.T) {
	t.Parallel()
	c := connect(t, esdbtest.Start(t, esdbtest.Options{}).URL())
	mustAppend(t, c, "one", esdb.NoStream{}, eventsOf("A", 3)...)
	for _, test := range []struct {
		stream   string
		expected esdb.ExpectedRevision
		fits     bool
		words    string // where the client tells, and only there, where the stream is
	}{
		{"one", esdb.Revision(1), false, "expecting '1' but got '2'"},
		{"one", esdb.Revision(3), false, "expecting '3' but got '2'"},
		{"one", esdb.NoStream{}, false, "expecting '-1' but got '2'"},
		{"none", esdb.Revision(0), false, "expecting '0' but got 'no_stream'"},
		{"none", esdb.StreamExists{}, false, "expecting 'stream_exists' but got 'no_stream'"},
		{"one", esdb.Revision(2), true, ""},
		{"one", esdb.StreamExists{}, true, ""},
		{"one", esdb.Any{}, true, ""},
		{"two", esdb.Any{}, true, ""},
		{"three", esdb.NoStream{}, true, ""},
	} {
		_, err := tryAppend(t, c, test.stream, test.expected, event("B"))
		if test.fits {
			if err != nil {
				t.Errorf("%s at %v: %v", test.stream, test.expected, err)
			}
			continue
		}
		wantCode(t, err, esdb.ErrorCodeWrongExpectedVersion)
		if !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s at %v: %v", test.stream, test.expected, err)
		}
	}
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 100, 0, 1, 2, 3, 4, 5)
}

func TestRetries(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	es := eventsOf("A", 5)
	mustAppend(t, c, "one", esdb.NoStream{}, es[:2]...)
	middle := mustAppend(t, c, "one", esdb.Revision(1), es[2:4]...)
	mustAppend(t, c, "one", esdb.Revision(3), es[4])
	recorded := len(s.Events())
	for name, retry := range map[string]struct {
		expected esdb.ExpectedRevision
		events   []esdb.EventData
		revision uint64
	}{
		"the first":                 {esdb.NoStream{}, es[:2], 1},
		"one in the middle":         {esdb.Revision(1), es[2:4], 3},
		"the last":                  {esdb.Revision(3), es[4:], 4},
		"several together":          {esdb.NoStream{}, es, 4},
		"whatever the revision":     {esdb.Any{}, es[2:4], 3},
		"whatever, but some stream": {esdb.StreamExists{}, es[2:4], 3},
	} {
		w := mustAppend(t, c, "one", retry.expected, retry.events...)
		if w.NextExpectedVersion != retry.revision || w.CommitPosition == 0 {
			t.Errorf("%s: %+v", name, w)
		}
		if name == "one in the middle" && *w != *middle {
			t.Errorf("%+v instead of %+v", w, middle)
		}
	}
	for name, other := range map[string]struct {
		expected esdb.ExpectedRevision
		events   []esdb.EventData
	}{
		"only a part is there":        {esdb.Revision(3), []esdb.EventData{es[4], event("B")}},
		"the second differs":          {esdb.NoStream{}, []esdb.EventData{es[0], event("B")}},
		"the first differs":           {esdb.NoStream{}, []esdb.EventData{event("B"), es[1]}},
		"elsewhere in the stream":     {esdb.NoStream{}, es[2:4]},
		"the expectation is too high": {esdb.Revision(7), es[4:]},
		"any, but only a part":        {esdb.Any{}, []esdb.EventData{es[4], event("B")}},
	} {
		if _, err := tryAppend(t, c, "one", other.expected, other.events...); err == nil {
			t.Errorf("%s: accepted", name)
		} else {
			wantCode(t, err, esdb.ErrorCodeWrongExpectedVersion)
		}
	}
	if n := len(s.Events()); n != recorded {
		t.Errorf("%d events more", n-recorded)
	}
	mustAppend(t, c, "two", esdb.NoStream{}, es[0]) // ids count within their stream
}

func TestRetryWithoutPosition(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	e := event("A")
	s.IdempotentWithoutPosition(true)
	if w := mustAppend(t, c, "one", esdb.NoStream{}, e); w.CommitPosition == 0 {
		t.Error("the first one has no position either")
	}
	if w := mustAppend(t, c, "one", esdb.NoStream{}, e); w.CommitPosition != 0 || w.NextExpectedVersion != 0 {
		t.Errorf("%+v", w)
	}
	s.IdempotentWithoutPosition(false)
	if w := mustAppend(t, c, "one", esdb.NoStream{}, e); w.CommitPosition == 0 {
		t.Error("still no position")
	}
}

// Racing writers get each revision once, and all of one append or nothing.
func TestRace(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	mustAppend(t, c, "other", esdb.NoStream{}, event("A"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for won, at := 0, -1; won < 10; {
				_, err := tryAppend(t, c, "one", expect(at), eventsOf("A", 2)...)
				if err == nil {
					won++
					at += 2
					continue
				}
				var actual int
				if _, words, ok := strings.Cut(err.Error(), "but got '"); !ok {
					t.Error(err)
					return
				} else if _, err := fmt.Sscanf(words, "%d'", &actual); err == nil {
					at = actual
				}
			}
		})
	}
	wg.Wait()
	events, err := readStream(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 1000)
	if err != nil || len(events) != 160 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, e := range events {
		if e.EventNumber != uint64(i) || i > 0 && e.Position.Commit <= events[i-1].Position.Commit {
			t.Fatalf("event %d at revision %d, position %d", i, e.EventNumber, e.Position.Commit)
		}
	}
}

// Trap: an append that is too large is turned away early, and a client that
// still sends learns no more than that the call has ended.
func TestMaxAppendSize(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	big := event("A")
	big.Data = bytes.Repeat([]byte("x"), 1<<20-len(big.Metadata)-2*len(big.EventType))
	mustAppend(t, c, "fits", esdb.NoStream{}, big)
	big.Data = append(big.Data, 'x')
	_, err := tryAppend(t, c, "one", esdb.NoStream{}, big)
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("%v instead of an invalid argument", err)
	}
	big.Data = big.Data[:1<<19]
	if _, err = tryAppend(t, c, "one", esdb.NoStream{}, big, event("B"), big, event("C")); err == nil {
		t.Error("several were accepted that are too large together")
	}
	if _, err := readStream(t, c, "one", esdb.ReadStreamOptions{}, 1); err == nil {
		t.Error("something was recorded")
	}
}

func TestSoftDelete(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	es := eventsOf("A", 3)
	mustAppend(t, c, "one", esdb.NoStream{}, es...)
	var meta esdb.StreamMetadata
	meta.SetMaxAge(time.Hour)
	if _, err := c.SetStreamMetadata(t.Context(), "one", esdb.AppendToStreamOptions{}, meta); err != nil {
		t.Fatal(err)
	}
	d, err := c.DeleteStream(t.Context(), "one", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Revision(2)})
	if err != nil || d.Position.Commit == 0 {
		t.Fatalf("deleted at %+v, %v", d, err)
	}
	_, err = readStream(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10)
	wantCode(t, err, esdb.ErrorCodeResourceNotFound)
	_, err = tryAppend(t, c, "one", esdb.StreamExists{}, event("B"))
	wantCode(t, err, esdb.ErrorCodeStreamDeleted)
	_, err = tryAppend(t, c, "one", esdb.Revision(1), event("B"))
	wantCode(t, err, esdb.ErrorCodeWrongExpectedVersion)
	mustAppend(t, c, "one", esdb.NoStream{}, es...) // a retry, also now
	_, err = readStream(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10)
	wantCode(t, err, esdb.ErrorCodeResourceNotFound)

	if w := mustAppend(t, c, "one", esdb.NoStream{}, event("B")); w.NextExpectedVersion != 3 {
		t.Errorf("it goes on at %d", w.NextExpectedVersion)
	}
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10, 3)
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}, 10, 3)
	said, err := readStream(t, c, "$$one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10)
	if err != nil || len(said) != 1 || string(said[0].Data) != `{"$tb":3}` || said[0].EventNumber != 2 {
		t.Errorf("%v, %v is said about it", said, err)
	}
	var about []string
	for _, e := range s.Events() {
		if e.Stream == "$$one" {
			about = append(about, string(e.Data))
		}
	}
	if want := `{"$maxAge":3600} {"$tb":9223372036854775807} {"$tb":3}`; strings.Join(about, " ") != want {
		t.Errorf("%s is recorded", about)
	}
}

func TestDeleteRefused(t *testing.T) {
	t.Parallel()
	c := connect(t, esdbtest.Start(t, esdbtest.Options{}).URL())
	mustAppend(t, c, "one", esdb.NoStream{}, eventsOf("A", 3)...)
	for _, test := range []struct {
		stream   string
		expected esdb.ExpectedRevision
	}{{"one", esdb.Revision(1)}, {"one", esdb.Revision(9)}, {"one", esdb.NoStream{}}, {"none", esdb.Any{}}, {"none", esdb.StreamExists{}}} {
		_, err := c.DeleteStream(t.Context(), test.stream, esdb.DeleteStreamOptions{ExpectedRevision: test.expected})
		if status.Code(err) != codes.FailedPrecondition {
			t.Errorf("%s at %v: %v", test.stream, test.expected, err)
		}
		wantCode(t, err, esdb.ErrorCodeUnknown) // trap: the client does not know what it is
	}
	wantRevisions(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10, 0, 1, 2)
}

func TestTombstone(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	before := subscribeStream(t, c, "one", esdb.Start{})
	before.until(isCaughtUp)
	if _, err := c.TombstoneStream(t.Context(), "one", esdb.TombstoneStreamOptions{ExpectedRevision: esdb.Revision(0)}); err != nil {
		t.Fatal(err)
	}
	_, err := readStream(t, c, "one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10)
	wantCode(t, err, esdb.ErrorCodeStreamDeleted)
	_, err = readStream(t, c, "$$one", esdb.ReadStreamOptions{From: esdb.Start{}}, 10)
	wantCode(t, err, esdb.ErrorCodeStreamDeleted)
	for _, expected := range []esdb.ExpectedRevision{esdb.Any{}, esdb.NoStream{}, esdb.Revision(0), esdb.StreamExists{}} {
		_, err = tryAppend(t, c, "one", expected, event("B"))
		wantCode(t, err, esdb.ErrorCodeStreamDeleted)
	}
	_, err = c.DeleteStream(t.Context(), "one", esdb.DeleteStreamOptions{})
	wantCode(t, err, esdb.ErrorCodeStreamDeleted)
	_, err = c.SubscribeToStream(t.Context(), "one", esdb.SubscribeToStreamOptions{})
	wantCode(t, err, esdb.ErrorCodeStreamDeleted)
	if e := before.event(); e.EventType != "$streamDeleted" {
		t.Errorf("a subscriber is told of %s", e.EventType)
	}
	if _, end := before.until(isDropped); status.Code(end.SubscriptionDropped.Error) != codes.FailedPrecondition {
		t.Error(end.SubscriptionDropped.Error)
	}
	events := s.Events()
	if last := events[len(events)-1]; last.Type != "$streamDeleted" || last.Stream != "one" || last.Revision != 1<<63-1 {
		t.Errorf("%+v is recorded", last)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	s := esdbtest.Start(t, esdbtest.Options{Clock: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	sleep := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	c := connect(t, s.URL())
	set := func(stream string, change func(*esdb.StreamMetadata)) {
		t.Helper()
		var m esdb.StreamMetadata
		change(&m)
		if _, err := c.SetStreamMetadata(t.Context(), stream, esdb.AppendToStreamOptions{}, m); err != nil {
			t.Fatal(err)
		}
	}
	forwards := esdb.ReadStreamOptions{From: esdb.Start{}}
	backwards := esdb.ReadStreamOptions{From: esdb.End{}, Direction: esdb.Backwards}

	if _, err := c.GetStreamMetadata(t.Context(), "one", esdb.ReadStreamOptions{}); err == nil {
		t.Error("trap: without metadata the client fails") // and does not say that there is none
	}
	set("one", func(m *esdb.StreamMetadata) { m.SetMaxAge(10 * time.Second) })
	if m, err := c.GetStreamMetadata(t.Context(), "one", esdb.ReadStreamOptions{}); err != nil || *m.MaxAge() != 10*time.Second {
		t.Errorf("%v, %v", m, err)
	}
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	sleep(6 * time.Second)
	mustAppend(t, c, "one", esdb.Revision(0), event("A"))
	wantRevisions(t, c, "one", forwards, 10, 0, 1)
	sleep(6 * time.Second)
	wantRevisions(t, c, "one", forwards, 10, 1)
	wantRevisions(t, c, "one", backwards, 10, 1)
	sleep(6 * time.Second)
	wantRevisions(t, c, "one", forwards, 10) // the stream is there, and empty
	mustAppend(t, c, "one", esdb.Revision(1), event("A"))
	wantRevisions(t, c, "one", forwards, 10, 2)

	mustAppend(t, c, "two", esdb.NoStream{}, eventsOf("A", 10)...)
	set("two", func(m *esdb.StreamMetadata) { m.SetMaxCount(3) })
	wantRevisions(t, c, "two", forwards, 10, 7, 8, 9)
	wantRevisions(t, c, "two", backwards, 2, 9, 8)
	set("two", func(m *esdb.StreamMetadata) { m.SetTruncateBefore(5) })
	wantRevisions(t, c, "two", forwards, 10, 5, 6, 7, 8, 9)
	wantRevisions(t, c, "two", backwards, 10, 9, 8, 7, 6, 5)
	wantRevisions(t, c, "$$two", forwards, 10, 1) // of what is said the last counts

	if n := len(readAll(t, c, esdb.ReadAllOptions{From: esdb.Start{}}, 100)); n != len(s.Events()) {
		t.Errorf("everything is %d events of %d, which are not scavenged", n, len(s.Events()))
	}
}
