package storetest

import (
	"context"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// readAged: what is older than its stream's events may be, is not given. All
// else stays, and so do revisions.
func readAged(s store) {
	t := s.t
	l := s.open()
	ms := messages(3)
	mustAppend(t, l, Brief+"a", domain.NoStream, ms[0])
	mustAppend(t, l, "lasting-a", domain.NoStream, ms[1])
	deadline := time.Now().Add(patience)
	for {
		got, err := l.ReadStream(t.Context(), Brief+"a", 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		if age := time.Since(got[0].Recorded); age > patience {
			t.Fatalf("an event of %v ago is still given", age)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the event is still given after %v", patience)
		}
		time.Sleep(20 * time.Millisecond)
	}
	sameMessages(t, all(t, l, domain.Query{Metadata: true}), ms[1:2])
	there := all(t, l, domain.Query{Metadata: true, Expired: true})
	if len(there) == 1 { // a server may have removed the other one
		sameMessages(t, there, ms[1:2])
	} else {
		sameMessages(t, there, ms[:2])
	}
	wantConflict(t, l, Brief+"a", domain.NoStream, 0, message("LoginFailed"))
	mustAppend(t, l, Brief+"a", 0, ms[2])
	got, err := s.open().ReadStream(t.Context(), Brief+"a", 0)
	if err != nil || len(got) != 1 || got[0].Revision != 1 || got[0].ID != ms[2].ID {
		t.Fatalf("%d events, %v instead of the new one", len(got), err)
	}
}

// A pruner is a log that removes old events itself, where others leave that to their
// server.
type pruner interface {
	Prune(ctx context.Context, prefix string, before time.Time, progress func(done, total int64)) (int64, error)
}

// removedAged: whether what is too old is only not given, or is removed: revisions
// and positions go on, and whoever expects something else is refused.
func removedAged(s store) {
	t := s.t
	l, other := s.open(), s.open()
	whole, half, ms := Brief+"whole", Brief+"half", messages(8)
	old := func(m domain.Message) domain.Recorded {
		return domain.Recorded{Message: m, Recorded: time.Now().Add(-time.Hour).Truncate(time.Microsecond)}
	}
	for stream, m := range map[string][]domain.Message{whole: ms[:3], half: ms[3:6]} {
		if _, err := l.Import(t.Context(), stream, domain.NoStream, old(m[0]), old(m[1]), old(m[2])); err != nil {
			t.Fatal(err)
		}
	}
	kept := mustAppend(t, other, half, 2, ms[6])
	if p, ok := l.(pruner); ok {
		if n, err := p.Prune(t.Context(), Brief, time.Now().Add(-time.Minute), nil); err != nil || n != 6 {
			t.Fatalf("%d removed, %v", n, err)
		}
	}
	for _, l := range []Log{l, other, s.open()} {
		wantConflict(t, l, whole, domain.NoStream, 2, message("LoginFailed"))
		wantConflict(t, l, whole, 0, 2, message("LoginFailed"))
		wantConflict(t, l, whole, 3, 2, message("LoginFailed"))
		wantConflict(t, l, half, 1, 3, ms[6]) // that it stands next does not make it the one after 1
		wantConflict(t, l, half, domain.NoStream, 3, message("LoginFailed"))
	}
	next := mustAppend(t, other, whole, 2, ms[7])
	if next.Position <= kept.Position {
		t.Errorf("position %d after %d", next.Position, kept.Position)
	}
	mustAppend(t, l, whole, 2, ms[7]) // again
}

// importTimes: what another log recorded comes with its time, and comes back
// as it was there, however it is read.
func importTimes(s store) {
	t := s.t
	l := s.open()
	ms := messages(4)
	ms[1].Metadata, ms[2].Metadata, ms[3].Metadata = nil, []byte("{}"), []byte(" { \"a\" : [1] }\n")
	events := make([]domain.Recorded, len(ms))
	for i, m := range ms {
		at := time.Date(2024, 2, 29, 23, 59, i, 123_456_000, time.UTC)
		events[i] = domain.Recorded{Message: m, Recorded: at}
	}
	for range 2 { // again: nothing changes
		a, err := l.Import(t.Context(), "enrolment-a", domain.NoStream, events...)
		if err != nil || a.Revision != 3 || a.Position == 0 {
			t.Fatalf("%v, %v", a, err)
		}
	}
	more := message("NameSet")
	mustAppend(t, l, "enrolment-a", 3, more)
	times := func(got []domain.Recorded) {
		t.Helper()
		at := make([]time.Time, len(got))
		for i, e := range got {
			at[i] = e.Recorded
		}
		want := []time.Time{events[0].Recorded, events[1].Recorded, events[2].Recorded, events[3].Recorded}
		if len(at) != 5 || !slices.EqualFunc(at[:4], want, time.Time.Equal) || time.Since(at[4]) > time.Minute {
			t.Errorf("recorded at %v", at)
		}
	}
	times(wantStream(t, l, "enrolment-a", append(ms, more)...))
	withMetadata := all(t, l, domain.Query{Metadata: true})
	sameMessages(t, withMetadata, append(ms, more))
	times(withMetadata)
	times(all(t, l, domain.Query{}))
}
