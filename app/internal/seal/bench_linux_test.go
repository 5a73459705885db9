package seal_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// benchLog names the log of a home to measure with, such as one of "keydeskd demo";
// without it one is made.
const benchLog = "KEYDESK_BENCH_LOG"

// million is how many events a log has that is made to be measured with.
const million = 1_000_000

func logToMeasure(b *testing.B) store.Log {
	b.Helper()
	path := os.Getenv(benchLog)
	made := path == ""
	if made {
		path = filepath.Join(b.TempDir(), "log.db")
	}
	l, err := store.OpenSQLite(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	if made {
		fillLog(b, l)
	}
	return l
}

func fillLog(b *testing.B, l *store.SQLite) {
	b.Helper()
	const people = 1000
	events := make([]domain.Recorded, 0, people)
	for n := 0; n < million; {
		events = events[:0]
		for i := range people {
			e := domain.Recorded{
				Message: domain.Message{
					Type: "CodeIssued", Data: fmt.Appendf(nil, `{"challenge":"%036d","purpose":"confirm-email","channel":"mail","to":{"ref":"%032d","version":1,"commitment":"%043d"},"key":"%016d","expires":"2026-11-17T08:45:12Z","attempts":5}`, n, n, n, n),
					Metadata: fmt.Appendf(nil, `{"$correlationId":"%036d","$causationId":"%036d","schema":1,"station":"hall"}`, n, n),
				},
				Stream: fmt.Sprintf("enrolment-00000000-0000-4000-8000-%012d", i), Revision: domain.Revision(n / people),
				Recorded: time.UnixMicro(1_700_000_000_000_000 + int64(n)*20_000_000),
			}
			binary.BigEndian.PutUint64(e.ID[:], uint64(n)+1)
			events = append(events, e)
			n++
		}
		if err := l.ImportAll(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
}

// A cost is how long something took, and how much of all processors together: on a
// machine that others use, too, only the second says what it costs.
type cost struct{ took, cpu time.Duration }

func measure(do func()) cost {
	cpu := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for nobody
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	begun, used := time.Now(), cpu()
	do()
	return cost{time.Since(begun), cpu() - used}
}

func (c *cost) add(more cost) { c.took, c.cpu = c.took+more.took, c.cpu+more.cpu }

// merkle adds n leaves to a tree in memory with the library's own functions, which
// is the least that anybody does.
func merkle(b *testing.B, n int64) {
	b.Helper()
	stored := make([]tlog.Hash, 0, tlog.StoredHashCount(n))
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		all := make([]tlog.Hash, len(at))
		for i, k := range at {
			all[i] = stored[k]
		}
		return all, nil
	})
	record := make([]byte, 420) // as long as a leaf of ours
	for i := range n {
		binary.BigEndian.PutUint64(record, uint64(i))
		more, err := tlog.StoredHashes(i, record, reader)
		if err != nil {
			b.Fatal(err)
		}
		stored = append(stored, more...)
	}
}

func benchConfig(l store.Log, dir string) seal.Config {
	return seal.Config{Folder: dir, Log: l, Keys: masterKey("m1"), Register: register{l}, Skip: []string{store.ProbePrefix}, Writer: true}
}

// BenchmarkSeal seals a log of a million events from its beginning.
func BenchmarkSeal(b *testing.B) {
	l := logToMeasure(b)
	var size int64
	var ours, bare cost
	for b.Loop() {
		dir := filepath.Join(b.TempDir(), "seal")
		c := benchConfig(l, dir)
		if err := seal.Anew(b.Context(), c, nil); err != nil {
			b.Fatal(err)
		}
		ours.add(measure(func() { size = sealAll(b, c) }))
		b.StopTimer()
		bare.add(measure(func() { merkle(b, size) }))
		b.StartTimer()
	}
	report(b, size, ours, bare)
}

func sealAll(b *testing.B, c seal.Config) int64 {
	b.Helper()
	s, err := seal.Open(b.Context(), c)
	if err == nil {
		err = s.Now(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	made, _ := s.Checkpoint()
	return made.Size
}

// BenchmarkVerify compares a log of a million events with its seal.
func BenchmarkVerify(b *testing.B) {
	l := logToMeasure(b)
	dir := filepath.Join(b.TempDir(), "seal")
	c := benchConfig(l, dir)
	if err := seal.Anew(b.Context(), c, nil); err != nil {
		b.Fatal(err)
	}
	size := sealAll(b, c)
	var ours, bare cost
	for b.Loop() {
		ours.add(measure(func() {
			r, err := seal.Verify(b.Context(), l, dir, seal.VerifyOptions{Keys: c.Keys, Skip: c.Skip}, nil)
			if err != nil || r.Bad != nil || r.Events != size {
				b.Fatalf("%+v, %v", r, err)
			}
		}))
		b.StopTimer()
		bare.add(measure(func() { merkle(b, size) }))
		b.StartTimer()
	}
	report(b, size, ours, bare)
}

func report(b *testing.B, size int64, ours, bare cost) {
	b.Helper()
	n := float64(size) * float64(b.N)
	b.ReportMetric(n/ours.took.Seconds(), "events/s")
	b.ReportMetric(n/bare.took.Seconds(), "bare/s")
	b.ReportMetric(bare.took.Seconds()/ours.took.Seconds(), "ratio")
	b.ReportMetric(float64(ours.cpu.Nanoseconds())/n, "cpu-ns/event")
	b.ReportMetric(float64(bare.cpu.Nanoseconds())/n, "bare-cpu-ns/event")
}
