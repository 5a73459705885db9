package timeline_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/timeline"
)

// draw draws a log whose clock is set back now and then.
func draw(t *rapid.T) []domain.Recorded {
	at, p := foldtest.Start(), domain.Position(0)
	events := make([]domain.Recorded, rapid.IntRange(0, 60).Draw(t, "events"))
	for i := range events {
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1200, 3600, 90_000, -1, -4000}).Draw(t, "seconds")) * time.Second)
		p += domain.Position(rapid.Uint64Range(1, 3).Draw(t, "gap"))
		events[i] = domain.Recorded{
			Position: p, Recorded: at, Revision: domain.Revision(i), Message: domain.Message{Type: "CodeSent"},
			Stream: rapid.SampledFrom([]string{domain.EnrolmentStream(foldtest.Subject(1)), "login-x", "probe-doctor"}).Draw(t, "stream"),
		}
	}
	return events
}

// record leaves out what is no part of it, and has the times as they count.
func record(events []domain.Recorded) []domain.Recorded {
	var all []domain.Recorded
	var latest time.Time
	for _, e := range events {
		if strings.HasPrefix(e.Stream, "probe-") {
			continue
		}
		if e.Recorded.After(latest) {
			latest = e.Recorded
		}
		e.Recorded = latest
		all = append(all, e)
	}
	return all
}

func TestALineIsTheHoursOfTheLog(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := draw(t)
		l := timeline.New("probe-")
		for rest := events; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
			l.Apply(rest[:n], 0)
			l.Apply(rest[:n], rest[n-1].Position) // again
			rest = rest[n:]
			if rapid.IntRange(0, 3).Draw(t, "kept") == 0 {
				l = reload(t, l, events)
			}
		}
		all := record(events)
		want := map[time.Time]int{}
		for _, e := range all {
			want[e.Recorded.Truncate(time.Hour)]++
		}
		var last time.Time
		l.Hours(func(hour time.Time, n int) bool {
			if want[hour] != n || !hour.After(last) {
				t.Fatalf("%v: %d events, want %d", hour, n, want[hour])
			}
			last = hour
			delete(want, hour)
			return true
		})
		if len(want) > 0 || l.Events() != len(all) {
			t.Fatalf("%v is missing; %d of %d events", want, l.Events(), len(all))
		}
		if first, latest := l.Span(); len(all) > 0 && (!first.Equal(all[0].Recorded.Truncate(time.Hour)) || !latest.Equal(all[len(all)-1].Recorded)) {
			t.Fatalf("from %v until %v", first, latest)
		}
		places(t, l, all)
	})
}

// places looks for each moment and position in the stretch that the line names.
func places(t *rapid.T, l *timeline.Line, all []domain.Recorded) {
	for i := range all {
		for _, moment := range []time.Time{all[i].Recorded, all[i].Recorded.Add(-time.Microsecond), all[i].Recorded.Add(time.Hour)} {
			s, before, ok := l.At(moment)
			holds(t, all, s, before, ok, func(e domain.Recorded) bool { return !e.Recorded.After(moment) })
		}
		for _, p := range []domain.Position{all[i].Position, all[i].Position - 1, all[i].Position + 1} {
			s, before, ok := l.Of(p)
			holds(t, all, s, before, ok, func(e domain.Recorded) bool { return e.Position <= p })
		}
	}
}

func holds(t *rapid.T, all []domain.Recorded, s timeline.Stretch, before int, ok bool, up func(domain.Recorded) bool) {
	n := 0
	for n < len(all) && up(all[n]) {
		n++
	}
	switch {
	case !ok && n > 0, ok && (before > n || before+s.Events < n):
		t.Fatalf("%d events hold; %t, %+v after %d", n, ok, s, before)
	case !ok:
		return
	}
	if last := all[before+s.Events-1]; s.Last != last.Position || !s.Latest.Equal(last.Recorded) {
		t.Fatalf("%+v ends at %+v", s, last)
	}
	if before > 0 && (s.Before != all[before-1].Position || !s.From.Equal(all[before-1].Recorded)) || before == 0 && s.Before != 0 {
		t.Fatalf("%+v begins after %d events", s, before)
	}
}

// anyTime draws some moment of ten thousand years, mostly one of a few weeks.
func anyTime(t *rapid.T) time.Time {
	if rapid.IntRange(0, 3).Draw(t, "far") == 0 {
		return time.Unix(rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(t, "second"), 0).UTC()
	}
	return foldtest.Start().Add(time.Duration(rapid.IntRange(-200, 800).Draw(t, "hours")) * time.Hour)
}

func hours(l *timeline.Line) (all []string, sum int) {
	l.Hours(func(hour time.Time, n int) bool {
		all = append(all, fmt.Sprint(hour.Unix(), " ", n))
		sum += n
		return true
	})
	return all, sum
}

// Whatever the times of a log are: each event counts once, where it stands, in hours that
// only grow, and a line that goes on from what was kept is the line of all.
func TestWhateverTheTimesAre(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := make([]domain.Recorded, rapid.IntRange(0, 40).Draw(t, "events"))
		l, whole := timeline.New(), timeline.New()
		for i := range events {
			events[i] = domain.Recorded{
				Position: domain.Position(i + 1), Recorded: anyTime(t), Revision: domain.Revision(i), Message: domain.Message{Type: "CodeSent"},
				Stream: rapid.SampledFrom([]string{domain.EnrolmentStream(foldtest.Subject(1)), "login-x"}).Draw(t, "stream"),
			}
			l.Apply(events[i:i+1], 0)
			whole.Apply(events[i:i+1], 0)
			if rapid.IntRange(0, 3).Draw(t, "kept") == 0 {
				l = reload(t, l, events[:i+1])
			}
		}
		got, sum := hours(l)
		if want, _ := hours(whole); !slices.Equal(got, want) || l.Astray() != whole.Astray() {
			t.Fatalf("%q with %d astray, and without what was kept %q with %d", got, l.Astray(), want, whole.Astray())
		}
		if sum != len(events) || l.Events() != len(events) || l.Astray() > len(events) {
			t.Fatalf("%d of %d events, %d astray", sum, len(events), l.Astray())
		}
		before, end, latest := 0, domain.Position(0), time.Time{}
		for i := range events {
			s, n, ok := l.Of(events[i].Position - 1)
			if !ok || s.Last < events[i].Position || n+s.Events < i+1 || n > i {
				t.Fatalf("event %d is in %+v after %d", i, s, n)
			}
			if n < before || s.Last < end || s.Latest.Before(latest) || s.Latest.Truncate(time.Hour) != s.Hour {
				t.Fatalf("%+v comes after one up to %d and %v", s, end, latest)
			}
			before, end, latest = n, s.Last, s.Latest
		}
	})
}

// However far off the times of some events are, and wherever they stand: of the others at
// most as many move by more than a day.
func TestAWrongClockMovesFewOthers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l, at := timeline.New(), foldtest.Start()
		wrong, p := 0, domain.Position(0)
		var right []domain.Recorded
		for range rapid.IntRange(20, 80).Draw(t, "events") {
			p++
			e := domain.Recorded{Position: p, Stream: "service"}
			if wrong < 6 && rapid.IntRange(0, 9).Draw(t, "wrong") == 0 {
				wrong++
				e.Recorded = anyTime(t)
			} else {
				at = at.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "minutes")) * time.Minute)
				e.Recorded = at
				right = append(right, e)
			}
			l.Apply([]domain.Recorded{e}, 0)
		}
		for range wrong + 1 { // as many of the right clock have come since
			p++
			e := domain.Recorded{Position: p, Stream: "service", Recorded: at}
			right = append(right, e)
			l.Apply([]domain.Recorded{e}, 0)
		}
		moved := 0
		for _, e := range right {
			s, _, _ := l.Of(e.Position - 1)
			if d := s.Hour.Sub(e.Recorded.Truncate(time.Hour)); d > 25*time.Hour || d < -25*time.Hour {
				moved++
			}
		}
		if moved > wrong || l.Astray() > 2*wrong {
			t.Fatalf("%d wrong clocks moved %d others; %d are astray", wrong, moved, l.Astray())
		}
	})
}

func TestOneEventOfTheFarFuture(t *testing.T) {
	t.Parallel()
	l, start := timeline.New(), foldtest.Start()
	for i := range 100 {
		at := start.Add(time.Duration(i) * time.Hour)
		if i == 40 {
			at = at.AddDate(60, 0, 0)
		}
		l.Apply([]domain.Recorded{{Position: domain.Position(i + 1), Recorded: at, Stream: "service"}}, 0)
	}
	if _, latest := l.Span(); !latest.Equal(start.Add(99 * time.Hour)) {
		t.Errorf("the last one is of %v", latest)
	}
	i := 0
	l.Hours(func(hour time.Time, n int) bool {
		want := 1
		if i == 39 {
			want = 2 // and the one behind it
		}
		if i == 40 {
			i++
		}
		if !hour.Equal(start.Add(time.Duration(i)*time.Hour).Truncate(time.Hour)) || n != want {
			t.Errorf("%v has %d", hour, n)
		}
		i++
		return true
	})
	if l.Astray() != 1 {
		t.Errorf("%d are astray", l.Astray())
	}
}

// Before and after the days on which nearly all happened is what a wrong clock has recorded.
func TestTheReachOfALine(t *testing.T) {
	t.Parallel()
	start := foldtest.Start().Truncate(time.Hour)
	days := func(n int) (all []time.Time) {
		for i := range n {
			all = append(all, start.AddDate(0, 0, i))
		}
		return all
	}
	old, future := time.Unix(0, 0).UTC(), start.AddDate(60, 0, 0)
	for name, c := range map[string]struct {
		moments     []time.Time
		begin, last time.Time
		ahead       bool
	}{
		"nothing":                         {nil, time.Time{}, time.Time{}, false},
		"some days":                       {days(30), start, start.AddDate(0, 0, 29), false},
		"after a clock that was not set":  {append([]time.Time{old, old}, days(30)...), start, start.AddDate(0, 0, 29), false},
		"before one that is wrong":        {append(days(30), future), start, start.AddDate(0, 0, 30), true},
		"and after it":                    {append([]time.Time{future}, days(30)...), start, start.AddDate(0, 0, 29), false},
		"all of it by a clock of its own": {[]time.Time{future, future}, future, future, false},
		"as many of long ago":             {append([]time.Time{old, old, old, old, old}, days(30)...), old, start.AddDate(0, 0, 29), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := timeline.New()
			for i, at := range c.moments {
				l.Apply([]domain.Recorded{{Position: domain.Position(i + 1), Recorded: at, Stream: "service"}}, 0)
			}
			begin, last, ahead := l.Reach(start.AddDate(0, 0, 30))
			if !begin.Equal(c.begin) || !last.Equal(c.last) || ahead != c.ahead {
				t.Errorf("from %v to %v, %t", begin, last, ahead)
			}
		})
	}
}

func reload(t rapid.TB, l *timeline.Line, events []domain.Recorded) *timeline.Line {
	t.Helper()
	s := l.Snapshot()
	var file bytes.Buffer
	if err := s.Encode(&file, domain.EventID{7}); err != nil {
		t.Fatal(err)
	}
	again, m, id, err := timeline.Decode(&file, "probe-")
	if err != nil || m != s.Mark() || id != (domain.EventID{7}) || again.Position() != m.Position {
		t.Fatalf("%+v, %v: %v", m, id, err)
	}
	for i := range events {
		if events[i].Position <= l.Position() {
			again.Apply(events[i:i+1], 0)
		}
	}
	return again
}

// An hour with very many events is several stretches, so that a place in it is near.
func TestABusyHourIsSeveralStretches(t *testing.T) {
	t.Parallel()
	l := timeline.New()
	const n = 10_000
	for i := range domain.Position(n) {
		l.Apply([]domain.Recorded{{Position: i + 1, Recorded: foldtest.Start(), Stream: "service"}}, 0)
	}
	s, before, ok := l.Of(5000)
	if !ok || s.Events > 4096 || before >= 5000 || before+s.Events < 5000 {
		t.Errorf("%+v after %d", s, before)
	}
	hours := 0
	l.Hours(func(_ time.Time, events int) bool {
		hours++
		if events != n {
			t.Errorf("%d events", events)
		}
		return true
	})
	if hours != 1 {
		t.Errorf("%d hours", hours)
	}
}

func encode(tb testing.TB) []byte {
	tb.Helper()
	l := timeline.New()
	l.Apply(foldtest.Even(500, 0), 0)
	var file bytes.Buffer
	if err := l.Snapshot().Encode(&file, domain.EventID{1}); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	file := encode(t)
	for i := range file {
		damaged := bytes.Clone(file)
		damaged[i] ^= 0x10
		for _, f := range [][]byte{damaged, file[:i]} {
			if l, _, _, err := timeline.Decode(bytes.NewReader(f)); !errors.Is(err, timeline.ErrSnapshot) || l != nil {
				t.Fatalf("damaged at %d: %v", i, err)
			}
		}
	}
}

// FuzzDecode: no file makes Decode fail in another way than ErrSnapshot, and one that it
// accepts is the very file that Encode writes, can be asked, and goes on. The checksum is
// made to fit.
func FuzzDecode(f *testing.F) {
	file := encode(f)
	f.Add(file[:len(file)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		l, _, id, err := timeline.Decode(io.MultiReader(bytes.NewReader(body), bytes.NewReader(sum[:])))
		if err != nil {
			if !errors.Is(err, timeline.ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		var again bytes.Buffer
		if err := l.Snapshot().Encode(&again, id); err != nil || !bytes.Equal(again.Bytes(), append(bytes.Clone(body), sum[:]...)) {
			t.Fatalf("encoded again it is another file (%v)", err)
		}
		hours := 0
		l.Hours(func(_ time.Time, events int) bool { hours += events; return true })
		if hours != l.Events() || l.Astray() > hours {
			t.Fatalf("%d events in hours, %d in all, %d of them astray", hours, l.Events(), l.Astray())
		}
		first, latest := l.Span()
		for _, moment := range [...]time.Time{first, latest, first.Add(latest.Sub(first) / 2)} {
			if s, _, ok := l.At(moment); ok {
				l.Of(s.Last)
			}
		}
		l.Apply(foldtest.Even(4, 1), 0)
		l.Events()
	})
}
