package store_test

import (
	"context"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/ledger"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/replay"
)

// BenchmarkReplay brings 1,000,000 events from the file into the factor map, the
// board, and both (the full state of a replay), and into the auditor's ledger. In the
// same run it steps with bare SQLite over the same columns (scan), which nothing that
// reads them can undercut, and reads them through the log without folding them (read;
// with what the ledger wants: whole).
func BenchmarkReplay(b *testing.B) {
	const events = 1_000_000
	path := filepath.Join(b.TempDir(), "log.db")
	l := enrolMany(b, path, events/foldtest.EventsAPerson)
	for _, way := range []struct {
		name string
		run  func(ctx context.Context) (int, error)
	}{
		{"scan", func(context.Context) (int, error) { return scanBare(path) }},
		{"read", func(ctx context.Context) (n int, err error) {
			err = l.ReadAll(ctx, domain.Query{Prefix: domain.EnrolmentPrefix}, func(batch domain.Batch) error {
				n += len(batch.Events)
				return nil
			})
			return n, err
		}},
		{"factors", func(ctx context.Context) (int, error) {
			m := factor.New()
			err := feed.New(l, time.Now, m).CatchUp(ctx)
			return m.Counts().People * foldtest.EventsAPerson, err
		}},
		{"board", func(ctx context.Context) (int, error) {
			m := progress.New(20)
			err := feed.New(l, time.Now, m).CatchUp(ctx)
			return m.Counts().People * foldtest.EventsAPerson, err
		}},
		{"state", func(ctx context.Context) (int, error) {
			s, err := replay.New(l, replay.Options{Lock: 20}).Seek(ctx, replay.Head)
			return s.Events, err
		}},
		{"whole", func(ctx context.Context) (n int, err error) {
			err = l.ReadAll(ctx, domain.Query{Metadata: true}, func(batch domain.Batch) error {
				n += len(batch.Events)
				return nil
			})
			return n, err
		}},
		{"ledger", func(ctx context.Context) (int, error) {
			all := ledger.New()
			err := feed.Over("", l, time.Now, all).Whole().CatchUp(ctx)
			return all.Len(), err
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			before := processor(b)
			for b.Loop() {
				n, err := way.run(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				if n < events-foldtest.EventsAPerson {
					b.Fatalf("%d events", n)
				}
			}
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64((processor(b)-before).Nanoseconds())/events/float64(b.N), "cpu-ns/event")
		})
	}
}

// enrolMany fills a log with people who enrolled with SMS, several at a time,
// as stations do.
func enrolMany(b *testing.B, path string, people int) *store.SQLite {
	b.Helper()
	l, err := store.OpenSQLite(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	next := make(chan int)
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for n := range next {
				if _, err := l.Append(b.Context(), domain.EnrolmentStream(foldtest.Subject(n)), domain.NoStream, foldtest.Enrolled(n, 0)...); err != nil {
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
	return l
}

func scanBare(path string) (n int, err error) {
	db, err := sqlite3.OpenFlags(path, sqlite3.OPEN_READONLY)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	stmt, _, err := db.Prepare(`SELECT position, stream, revision, type, data FROM events ORDER BY position`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = stmt.Close() }()
	for stmt.Step() {
		runtime.KeepAlive(stmt.ColumnInt64(0) + stmt.ColumnInt64(1) + stmt.ColumnInt64(2) + stmt.ColumnInt64(3))
		runtime.KeepAlive(stmt.ColumnRawText(4))
		n++
	}
	return n, stmt.Err()
}
