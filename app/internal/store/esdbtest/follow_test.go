package esdbtest_test

import (
	"fmt"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
)

func TestFollowStream(t *testing.T) {
	t.Parallel()
	c := connect(t, esdbtest.Start(t, esdbtest.Options{}).URL())
	none := subscribeStream(t, c, "one", esdb.Start{})
	none.until(isCaughtUp) // also of what is not there
	mustAppend(t, c, "one", esdb.NoStream{}, eventsOf("A", 100)...)
	mustAppend(t, c, "two", esdb.NoStream{}, event("A"))
	for name, test := range map[string]struct {
		from    esdb.StreamPosition
		history int
	}{
		"from the start":                  {esdb.Start{}, 100},
		"from behind a revision":          {esdb.Revision(97), 2},
		"from behind the last":            {esdb.Revision(99), 0},
		"from the end":                    {esdb.End{}, 0},
		"from a revision that is to come": {esdb.Revision(100), 0},
	} {
		w := subscribeStream(t, c, "one", test.from)
		history, _ := w.until(isCaughtUp)
		if len(history) != test.history || test.history > 0 && history[0].EventNumber != uint64(100-test.history) { //nolint:gosec // small
			t.Errorf("%s: a history of %d events", name, len(history))
		}
		defer func() {
			want := uint64(100)
			if name == "from a revision that is to come" {
				want = 101
			}
			if e := w.event(); e.EventNumber != want {
				t.Errorf("%s: %d comes first", name, e.EventNumber)
			}
		}()
	}
	for want := range uint64(100) {
		if e := none.event(); e.EventNumber != want || e.StreamID != "one" {
			t.Fatalf("%s %d instead of %d", e.StreamID, e.EventNumber, want)
		}
	}
	mustAppend(t, c, "one", esdb.Revision(99), event("A"))
	mustAppend(t, c, "one", esdb.Revision(100), event("A"))
}

func TestFollowAll(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	mustAppend(t, c, "a-1", esdb.NoStream{}, event("A"), event("B"))
	mustAppend(t, c, "b-1", esdb.NoStream{}, event("A"), event("B"), event("AB"))
	log := s.Events()
	at := func(i int) esdb.Position {
		return esdb.Position{Commit: log[i].Position, Prepare: log[i].Position}
	}
	byName := func(prefixes ...string) *esdb.SubscriptionFilter {
		return &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: prefixes}
	}
	type want []string
	watches := map[string]*watch{}
	for name, test := range map[string]struct {
		o    esdb.SubscribeToAllOptions
		want want
	}{
		"from the start":         {esdb.SubscribeToAllOptions{From: esdb.Start{}}, want{"$$$all 0", "a-1 0", "a-1 1", "b-1 0", "b-1 1", "b-1 2"}},
		"from behind a position": {esdb.SubscribeToAllOptions{From: at(3)}, want{"b-1 1", "b-1 2"}},
		"from behind the last":   {esdb.SubscribeToAllOptions{From: at(5)}, nil},
		"from the end":           {esdb.SubscribeToAllOptions{From: esdb.End{}}, nil},
		"by a prefix":            {esdb.SubscribeToAllOptions{From: esdb.Start{}, Filter: byName("b-")}, want{"b-1 0", "b-1 1", "b-1 2"}},
		"by prefixes":            {esdb.SubscribeToAllOptions{From: at(1), Filter: byName("b-", "a-")}, want{"a-1 1", "b-1 0", "b-1 1", "b-1 2"}},
		"by names": {esdb.SubscribeToAllOptions{
			From: esdb.Start{}, Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: `^[^\$].*1$`},
		}, want{"a-1 0", "a-1 1", "b-1 0", "b-1 1", "b-1 2"}},
		"by a prefix of types": {esdb.SubscribeToAllOptions{
			From: esdb.Start{}, Filter: &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Prefixes: []string{"A"}},
		}, want{"a-1 0", "b-1 0", "b-1 2"}},
		"by types": {esdb.SubscribeToAllOptions{
			From: esdb.Start{}, Filter: &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: "^(B|X)$"},
		}, want{"a-1 1", "b-1 1"}},
	} {
		w := subscribeAll(t, c, test.o)
		events, _ := w.until(isCaughtUp)
		var got want
		for _, e := range events {
			got = append(got, fmt.Sprint(e.StreamID, " ", e.EventNumber))
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %v instead of %v", name, got, test.want)
		}
		watches[name] = w
	}
	mustAppend(t, c, "c-1", esdb.NoStream{}, event("C"))
	mustAppend(t, c, "b-1", esdb.Revision(2), event("B"))
	for name, w := range watches {
		want := "b-1 3"
		if name[:5] == "from " {
			want = "c-1 0"
		}
		if name == "by a prefix of types" {
			continue
		}
		if e := w.event(); name != "by names" && fmt.Sprint(e.StreamID, " ", e.EventNumber) != want {
			t.Errorf("%s: %s %d comes live", name, e.StreamID, e.EventNumber)
		}
	}
	_, end := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.Position{Commit: log[2].Position + 1, Prepare: log[2].Position + 1}}).until(isDropped)
	if status.Code(end.SubscriptionDropped.Error) != codes.InvalidArgument {
		t.Errorf("from the middle of a record: %v", end.SubscriptionDropped.Error)
	}
}

// checkpoints collects those that come until one is as far as a position.
func (w *watch) checkpoints(through uint64) []esdb.Position {
	w.tb.Helper()
	var all []esdb.Position
	w.until(func(e *esdb.SubscriptionEvent) bool {
		if e.CheckPointReached != nil {
			all = append(all, *e.CheckPointReached)
			return e.CheckPointReached.Commit >= through
		}
		return false
	})
	return all
}

// What a filter holds back still moves the checkpoints, one every window times
// interval, also while the subscription is live.
func TestCheckpoints(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{Denied: true, Lax: true})
	c := connect(t, s.URLFor(esdbtest.Admin, esdbtest.AdminPassword))
	mustAppend(t, c, "other", esdb.NoStream{}, eventsOf("A", 100)...)
	w := subscribeAll(t, c, esdb.SubscribeToAllOptions{
		From: esdb.Start{}, MaxSearchWindow: 10, CheckpointInterval: 2,
		Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"mine"}},
	})
	log := s.Events()
	for _, i := range []int{19, 39, 59, 79, 99} {
		if got := w.checkpoints(0)[0]; got.Commit != log[i].Position || got.Prepare != got.Commit {
			t.Fatalf("checkpoint %+v instead of %d", got, log[i].Position)
		}
	}
	w.until(isCaughtUp)
	for i := range 50 {
		mustAppend(t, c, "other", expect(99+i), event("A"))
	}
	log = s.Events()
	for _, i := range []int{119, 139} {
		if got := w.checkpoints(0)[0]; got.Commit != log[i].Position || got.Prepare != got.Commit {
			t.Fatalf("checkpoint %+v live instead of %d", got, log[i].Position)
		}
	}
	mustAppend(t, c, "mine", esdb.NoStream{}, event("A"))
	if e := w.next(); e.EventAppeared == nil { // nothing came for the ten others
		t.Errorf("%+v instead of the event", e)
	}
}

// Trap: a checkpoint on the way to the head may lie between two records. Who
// takes its number for that of a record and goes on behind it, misses one.
func TestCheckpointsBetweenRecords(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{Denied: true})
	c := connect(t, s.URLFor(esdbtest.Admin, esdbtest.AdminPassword))
	filter := &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"mine"}}
	subscribe := func(from esdb.AllPosition, window int) *watch {
		return subscribeAll(t, c, esdb.SubscribeToAllOptions{From: from, MaxSearchWindow: window, Filter: filter})
	}
	mustAppend(t, c, "other", esdb.NoStream{}, eventsOf("A", 25)...)
	log := s.Events()
	// Pages of ten: what is told is where the page begins that brought nothing.
	var told []esdb.Position
	subscribe(esdb.Start{}, 10).until(func(e *esdb.SubscriptionEvent) bool {
		if e.CheckPointReached != nil {
			told = append(told, *e.CheckPointReached)
		}
		return isCaughtUp(e)
	})
	want := []esdb.Position{{Commit: log[10].Position}, {Commit: log[20].Position}}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("checkpoints %v instead of %v", told, want)
	}
	// A page that ends at the head is followed by an empty one, which begins
	// where the next record will.
	w := subscribe(esdb.Start{}, 25)
	end := w.checkpoints(log[24].Position + 1)
	ahead := end[len(end)-1]
	w.until(isCaughtUp)
	first := mustAppend(t, c, "mine", esdb.NoStream{}, event("A"))
	mustAppend(t, c, "mine", esdb.Revision(0), event("A"))
	if ahead.Commit != first.CommitPosition || ahead.Prepare != 0 {
		t.Errorf("checkpoint %+v in front of %d", ahead, first.CommitPosition)
	}
	if e := w.event(); e.EventNumber != 0 {
		t.Errorf("live: revision %d comes first", e.EventNumber)
	}
	if e := subscribe(ahead, 25).event(); e.EventNumber != 0 {
		t.Errorf("from the checkpoint as it is: revision %d comes first", e.EventNumber)
	}
	if e := subscribe(esdb.Position{Commit: ahead.Commit, Prepare: ahead.Commit}, 25).event(); e.EventNumber != 1 {
		t.Errorf("from behind the record that is to come: revision %d comes first", e.EventNumber)
	}
}

// A subscriber to whom too much comes at once has fallen behind, gets what is
// recorded, and has caught up again.
func TestFallBehind(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	mustAppend(t, c, "one", esdb.NoStream{}, event("A"))
	all := subscribeAll(t, c, esdb.SubscribeToAllOptions{From: esdb.End{}})
	one := subscribeStream(t, c, "one", esdb.End{})
	all.until(isCaughtUp)
	one.until(isCaughtUp)
	mustAppend(t, c, "one", esdb.Revision(0), eventsOf("A", 100)...)
	mustAppend(t, c, "one", esdb.Revision(100), event("A"))
	for name, w := range map[string]*watch{"all": all, "one": one} {
		early, _ := w.until(func(e *esdb.SubscriptionEvent) bool { return e.FellBehind != nil })
		late, _ := w.until(isCaughtUp)
		for len(early)+len(late) < 101 { // the last one may come live
			late = append(late, w.event())
		}
		for i, e := range append(early, late...) {
			if e.EventNumber != uint64(i+1) {
				t.Fatalf("%s: revision %d is number %d", name, e.EventNumber, i)
			}
		}
	}
}

// Many follow while many append: nobody misses anything or gets it twice.
func TestFollowUnderLoad(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	c := connect(t, s.URL())
	watches := []*watch{}
	const writers, each = 4, 100
	done := make(chan struct{})
	for w := range writers {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range each {
				if _, err := tryAppend(t, c, fmt.Sprint("stream-", w), expect(i-1), event("A")); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	for i := range 4 {
		watches = append(watches, subscribeAll(t, c, esdb.SubscribeToAllOptions{
			From: esdb.Start{}, MaxSearchWindow: 1 + 100*i,
			Filter: &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{"stream-"}},
		}))
	}
	for range writers {
		<-done
	}
	for _, w := range watches {
		next := map[string]uint64{}
		position := uint64(0)
		for range writers * each {
			e := w.event()
			if e.EventNumber != next[e.StreamID] || e.Position.Commit <= position {
				t.Fatalf("%s %d at %d after %d", e.StreamID, e.EventNumber, e.Position.Commit, position)
			}
			next[e.StreamID]++
			position = e.Position.Commit
		}
	}
	if _, _, subscriptions := s.Counts(); subscriptions != len(watches) {
		t.Errorf("%d subscriptions counted", subscriptions)
	}
}
