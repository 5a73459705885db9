package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
)

func readStream(s store) {
	t := s.t
	l := s.open()
	got, err := l.ReadStream(t.Context(), "enrolment-nobody", 0)
	if err != nil || got == nil || len(got) != 0 {
		t.Fatalf("%v, %v instead of an empty slice", got, err)
	}
	ms := messages(5)
	before := time.Now().Add(-time.Second)
	for i, m := range ms {
		mustAppend(t, l, "enrolment-a", domain.Revision(i-1), m)
		mustAppend(t, l, "enrolment-ab", domain.Revision(i-1), message("NameSet"))
	}
	for _, e := range wantStream(t, l, "enrolment-a", ms...) {
		if e.Recorded.Before(before) || e.Recorded.After(time.Now().Add(time.Second)) || e.Recorded.Location() != time.UTC {
			t.Errorf("recorded at %v", e.Recorded)
		}
	}
	for from := range domain.Revision(7) {
		got, err := l.ReadStream(t.Context(), "enrolment-a", from)
		if err != nil || got == nil {
			t.Fatalf("from %d: %v, %v", from, got, err)
		}
		sameMessages(t, got, ms[min(int(from), len(ms)):])
	}
}

func readAll(s store) {
	t := s.t
	l := s.open()
	if events := all(t, l, domain.Query{}); len(events) != 0 {
		t.Fatalf("%d events in an empty log", len(events))
	}
	var want []domain.Message
	for i := range 10 {
		ms := messages(2)
		mustAppend(t, l, fmt.Sprintf("enrolment-%d", i%3), domain.Revision(i/3*2-1), ms...)
		want = append(want, ms...)
	}
	events := all(t, l, domain.Query{Metadata: true})
	sameMessages(t, events, want)
	for i, e := range events {
		rest := all(t, l, domain.Query{After: e.Position})
		if !slices.Equal(positions(rest), positions(events[i+1:])) {
			t.Fatalf("after %d: positions %v", e.Position, positions(rest))
		}
	}
	if beyond := all(t, l, domain.Query{After: events[len(events)-1].Position + 100}); len(beyond) != 0 {
		t.Fatalf("%d events after the last", len(beyond))
	}
}

// readAnywhere reads from numbers that are the position of nothing, with a handle that has
// seen the events and with one that has not, and follows from there.
func readAnywhere(s store) {
	t := s.t
	l, fresh := s.open(), s.open()
	for i := range 40 {
		mustAppend(t, l, []string{"enrolment-a", "station-a"}[i%2], domain.Revision(i/2-1), message("NameSet"))
	}
	everything := all(t, l, domain.Query{})
	for i, e := range everything {
		for _, after := range []domain.Position{e.Position - 1, e.Position + 1, e.Position + 7} {
			for _, q := range []domain.Query{{}, {Prefix: "station-"}} {
				q.After = after
				var want []domain.Position
				for _, e := range everything[i:] {
					if e.Position > after && strings.HasPrefix(e.Stream, q.Prefix) {
						want = append(want, e.Position)
					}
				}
				log := l
				if i%8 == 0 {
					log = fresh
				}
				if got := positions(all(t, log, q)); !slices.Equal(got, want) {
					t.Fatalf("%+v: positions %v instead of %v", q, got, want)
				}
			}
		}
	}
	f := follow(t, fresh, domain.Query{After: everything[20].Position - 1, Prefix: "enrolment-"})
	f.until(t, "the events from there on", through(everything[len(everything)-1].Position))
}

func readFilters(s store) {
	t := s.t
	l := s.open()
	streams := []string{"enrolment-a", "enrolment-b", "enrolmentx", "station-a", "service"}
	types := []string{"NameSet", "CodeSent", "CodeSent2"}
	for i := range 30 {
		mustAppend(t, l, streams[i%5], domain.Revision(i/5-1), message(types[i%3]))
	}
	everything := all(t, l, domain.Query{})
	for _, q := range []domain.Query{
		{Prefix: "enrolment-"},
		{Prefix: "enrolment"},
		{Prefix: "service"},
		{Prefix: "services"},
		{Prefix: "login-"},
		{Types: []string{"CodeSent"}},
		{Types: []string{"CodeSent", "NameSet"}},
		{Types: []string{"Code"}},
		{Types: []string{`"`, "'); --"}},
		{Prefix: "enrolment-", Types: []string{"NameSet", "Nothing"}, Metadata: true},
		{Prefix: "station-", Types: []string{"CodeSent2"}, After: everything[12].Position},
	} {
		var want []domain.Position
		for _, e := range everything {
			named := len(e.Stream) >= len(q.Prefix) && e.Stream[:len(q.Prefix)] == q.Prefix
			typed := len(q.Types) == 0 || slices.Contains(q.Types, e.Type)
			if named && typed && e.Position > q.After {
				want = append(want, e.Position)
			}
		}
		if got := positions(all(t, l, q)); !slices.Equal(got, want) {
			t.Errorf("%+v: positions %v instead of %v", q, got, want)
		}
	}
}

// readUntil ends readings in the middle of the log, and sees that following goes on.
func readUntil(s store) {
	t := s.t
	l := s.open()
	for i := range 12 {
		mustAppend(t, l, []string{"enrolment-a", "station-a", "enrolment-b"}[i%3], domain.Revision(i/3-1), message("NameSet"))
	}
	everything := all(t, l, domain.Query{})
	for from := range everything {
		for to := from; to < len(everything); to++ {
			for _, q := range []domain.Query{{}, {Prefix: "enrolment-"}, {Types: []string{"NameSet"}, Metadata: true}} {
				q.After, q.Until = everything[from].Position, everything[to].Position
				var want, got []domain.Position
				for _, e := range everything[from+1 : to+1] {
					if strings.HasPrefix(e.Stream, q.Prefix) {
						want = append(want, e.Position)
					}
				}
				var last domain.Batch
				err := l.ReadAll(t.Context(), q, func(b domain.Batch) error {
					got = append(got, positions(b.Events)...)
					last = b
					return nil
				})
				if err != nil || !slices.Equal(got, want) || last.Through != q.Until || !last.Live {
					t.Fatalf("%+v: positions %v instead of %v, through %d, live %t: %v", q, got, want, last.Through, last.Live, err)
				}
			}
		}
	}
	end := everything[len(everything)-1].Position
	if got := all(t, l, domain.Query{Until: end + 1000}); len(got) != len(everything) {
		t.Errorf("until behind the end: %d events", len(got))
	}
	if got := all(t, l, domain.Query{After: end, Until: everything[0].Position}); len(got) != 0 {
		t.Errorf("until before the beginning: %d events", len(got))
	}
	f := follow(t, l, domain.Query{Until: everything[3].Position})
	f.until(t, "what is behind the end of a reading", through(end))
}

func readMetadata(s store) {
	t := s.t
	l := s.open()
	ms := messages(3)
	mustAppend(t, l, "enrolment-a", domain.NoStream, ms...)
	for i, e := range all(t, l, domain.Query{Metadata: true}) {
		if e.ID != ms[i].ID || string(e.Metadata) != string(ms[i].Metadata) || time.Since(e.Recorded) > time.Minute {
			t.Errorf("event %d: %s, %s, %v", i, e.ID, e.Metadata, e.Recorded)
		}
	}
	for i, e := range all(t, l, domain.Query{}) {
		if e.Stream != "enrolment-a" || e.Revision != domain.Revision(i) || string(e.Data) != string(ms[i].Data) ||
			time.Since(e.Recorded) > time.Minute {
			t.Errorf("event %d without metadata: %+v", i, e)
		}
	}
}

// readMany reads enough for many batches, whose memory is used again.
func readMany(s store) {
	t := s.t
	l := s.open()
	const appends, each = 30, 500
	want := make([]string, 0, appends*each)
	for i := range appends {
		ms := messages(each)
		for j := range ms {
			ms[j].Data = fmt.Appendf(nil, `{"i":%d,"j":%d}`, i, j)
			want = append(want, string(ms[j].Data))
		}
		mustAppend(t, l, fmt.Sprintf("enrolment-%d", i%7), domain.Revision(i/7*each-1), ms...)
	}
	for _, q := range []domain.Query{{}, {Metadata: true}, {Types: []string{"CodeRejected"}}} {
		batches, got := 0, make([]string, 0, len(want))
		err := l.ReadAll(t.Context(), q, func(b domain.Batch) error {
			batches++
			for _, e := range b.Events {
				got = append(got, string(e.Data))
			}
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%d of %d events, or not the same, in %d batches: %v", len(got), len(want), batches, err)
		}
	}
}

var errEnough = errors.New("enough")

func readEnds(s store) {
	t := s.t
	l := s.open()
	for i := range 12 {
		mustAppend(t, l, "enrolment-a", domain.Revision(i*500-1), messages(500)...)
	}
	calls := 0
	err := l.ReadAll(t.Context(), domain.Query{}, func(domain.Batch) error { calls++; return errEnough })
	if err != errEnough || calls != 1 { //nolint:errorlint // it comes back as it is
		t.Errorf("%v after %d batches", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = l.ReadAll(ctx, domain.Query{}, func(domain.Batch) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v instead of cancelled", err)
	}
	if _, err := l.ReadStream(ctx, "enrolment-a", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v instead of cancelled", err)
	}
	if _, err := l.Head(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v instead of cancelled", err)
	}
	if n := len(all(t, l, domain.Query{})); n != 6000 { // none of it broke the log
		t.Errorf("%d events", n)
	}
}
