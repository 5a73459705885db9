package home_test

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/foldtest"
)

// BenchmarkSeek goes to random positions in a history of 1,000,000 events: cold, from what
// is kept in files, as a new program does; and warm, with what the last seek left. Machines
// and what else they do differ, so it reads the log once, before and after, and reports
// what part of that a seek takes.
func BenchmarkSeek(b *testing.B) {
	l, err := store.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "log.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	events := foldtest.Even(1_000_000/foldtest.EventsAPerson, 0)
	for part := range slices.Chunk(events, 50_000) {
		if err := l.ImportAll(b.Context(), part); err != nil {
			b.Fatal(err)
		}
	}
	set := settings.Settings{Home: b.TempDir()}
	set.Policy.WrongCodesInARow = 20
	r := home.NewReplayer(l, set, madeKey(1), zap.NewNop())
	if err := r.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, way := range []string{"cold", "warm"} {
		b.Run(way, func(b *testing.B) {
			whole := readAll(b, l)
			var each []time.Duration
			for b.Loop() {
				if way == "cold" {
					r.Wait()
					r = home.NewReplayer(l, set, madeKey(1), zap.NewNop())
				}
				p := domain.Position(1 + rand.IntN(len(events))) //nolint:gosec // no secret
				start := time.Now()
				s, err := r.Seek(b.Context(), p)
				if err != nil || s.Position != p {
					b.Fatal(s.Position, err)
				}
				each = append(each, time.Since(start))
			}
			r.Wait()
			whole = (whole + readAll(b, l)) / 2
			slices.Sort(each)
			b.ReportMetric(float64(each[len(each)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(each[len(each)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(each[len(each)/2].Seconds()/whole.Seconds(), "p50/read")
			b.ReportMetric(float64(whole.Milliseconds()), "read-ms")
		})
	}
	if err := r.Prepare(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("step", func(b *testing.B) { // forward, event by event, as a play does
		p := domain.Position(len(events) / 2)
		for b.Loop() {
			if _, err := r.Seek(b.Context(), p); err != nil {
				b.Fatal(err)
			}
			p++
		}
	})
}

func readAll(b *testing.B, l store.Log) time.Duration {
	b.Helper()
	start := time.Now()
	if err := l.ReadAll(b.Context(), domain.Query{Prefix: domain.EnrolmentPrefix}, func(domain.Batch) error { return nil }); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}
