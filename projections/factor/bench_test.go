package factor_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
)

// one in nine of the people in the benchmarks has Pocket
const oneInNine = 9

// BenchmarkFold folds 1,000,000 events that lie in memory.
func BenchmarkFold(b *testing.B) {
	events := foldtest.Even(1_000_000/foldtest.EventsAPerson, oneInNine)
	for b.Loop() {
		fold(events)
	}
	b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
}

func fold(events []domain.Recorded) *factor.Map {
	m := factor.New()
	for len(events) > 0 {
		n := min(2048, len(events))
		m.Apply(events[:n], events[n-1].Position)
		events = events[n:]
	}
	return m
}

// BenchmarkLookup asks for people all over a map of 1,000,000.
func BenchmarkLookup(b *testing.B) {
	const people = 1_000_000
	m := million(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i = (i + 7919) % people; m.Lookup(foldtest.Subject(i)).Revision < 0 {
			b.Fatal("nobody there")
		}
	}
}

// BenchmarkMemory measures what 1,000,000 people take on the heap, and one
// cycle of the garbage collector over them.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		before := heap()
		m := million(b)
		b.ReportMetric(float64(heap()-before)/1e6, "B/person")
		start := clock()
		runtime.GC()
		b.ReportMetric(float64(clock().Sub(start).Microseconds())/1e3, "ms/gc")
		runtime.KeepAlive(m)
	}
}

// BenchmarkSnapshot writes and loads a map of 1,000,000 people.
func BenchmarkSnapshot(b *testing.B) {
	m := million(b)
	var file bytes.Buffer
	write := func() {
		file.Reset()
		if err := m.Snapshot().Encode(&file, domain.EventID{1}); err != nil {
			b.Fatal(err)
		}
	}
	write()
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			write()
		}
		b.ReportMetric(float64(file.Len())/1e6, "B/person")
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := factor.Decode(bytes.NewReader(file.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// million folds one event for each of a million people.
func million(b *testing.B) *factor.Map {
	b.Helper()
	m := factor.New()
	var events [64]domain.Recorded
	for first := 0; first < 1_000_000; first += len(events) {
		for i := range events {
			events[i] = domain.Recorded{
				Message: domain.Message{Type: "EnrolmentStarted"}, Stream: domain.EnrolmentStream(foldtest.Subject(first + i)),
				Position: domain.Position(first + i + 1), Recorded: foldtest.Start(),
			}
		}
		m.Apply(events[:], 0)
	}
	return m
}

func clock() time.Time { return time.Now() }

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
