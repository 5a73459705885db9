package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/foldtest"
)

// benchEvents is how many events the benchmarks of replay read;
// KEYDESK_BENCH_EVENTS says another number.
func benchEvents(b *testing.B) int {
	b.Helper()
	n, err := strconv.Atoi(os.Getenv("KEYDESK_BENCH_EVENTS"))
	if err != nil {
		return 50_000
	}
	return n
}

// benchLogs opens an embedded log and one on a server in this process, to be
// measured side by side.
func benchLogs(b *testing.B) map[string]store.Log {
	b.Helper()
	embedded, err := store.OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "log.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = embedded.Close() })
	return map[string]store.Log{
		"sqlite": embedded,
		"esdb":   openESDB(b, esdbtest.Start(b, esdbtest.Options{}).URL(), store.Options{Prefix: "bench-"}),
	}
}

// BenchmarkESDBAppend appends one event at a time. The server in this process
// keeps them in memory and shares its processors: what is measured is the
// client, TLS and the protocol.
func BenchmarkESDBAppend(b *testing.B) {
	for name, l := range benchLogs(b) {
		for _, writers := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/writers=%d", name, writers), func(b *testing.B) {
				var wg sync.WaitGroup
				var next atomic.Int64
				run := randomPrefix()
				for w := range writers {
					wg.Go(func() {
						for i := 0; next.Add(1) <= int64(b.N); i++ {
							if _, err := l.Append(b.Context(), fmt.Sprintf("%s%d", run, w), domain.Revision(i-1), newMessage("NameSet")); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			})
		}
	}
}

// BenchmarkESDBReplay brings the factor map up to the present: through the
// client, and from the embedded log.
func BenchmarkESDBReplay(b *testing.B) {
	people := benchEvents(b) / foldtest.EventsAPerson
	for name, l := range benchLogs(b) {
		enrolIn(b, l, people)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				m := factor.New()
				if err := feed.New(l, time.Now, m).CatchUp(b.Context()); err != nil {
					b.Fatal(err)
				}
				if n := m.Counts().People; n != people {
					b.Fatalf("%d people", n)
				}
			}
			b.ReportMetric(float64(people*foldtest.EventsAPerson*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkESDBFilter catches up with the few streams that are asked for among
// many, which the server filters, and reads all to find them, as a client
// would have to that does not ask the server.
func BenchmarkESDBFilter(b *testing.B) {
	l := openESDB(b, esdbtest.Start(b, esdbtest.Options{}).URL(), store.Options{})
	people := benchEvents(b) / foldtest.EventsAPerson
	enrolIn(b, l, people)
	const wanted = 100
	for i := range wanted {
		if _, err := l.Append(b.Context(), fmt.Sprintf("station-%d", i), domain.NoStream, newMessage("StationOpened")); err != nil {
			b.Fatal(err)
		}
	}
	for name, prefix := range map[string]string{"by the server": "station-", "without": ""} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				err := l.ReadAll(b.Context(), domain.Query{Prefix: prefix}, func(batch domain.Batch) error {
					for i := range batch.Events {
						if batch.Events[i].Type == "StationOpened" {
							n++
						}
					}
					return nil
				})
				if err != nil || n != wanted {
					b.Fatalf("%d events, %v", n, err)
				}
			}
		})
	}
}

// enrolIn fills a log with people who enrolled with SMS.
func enrolIn(b *testing.B, l store.Log, people int) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	next := make(chan int)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for n := range next {
				if _, err := l.Append(ctx, domain.EnrolmentStream(foldtest.Subject(n)), domain.NoStream, foldtest.Enrolled(n, 0)...); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range people {
		next <- n
	}
	close(next)
	wg.Wait()
}
