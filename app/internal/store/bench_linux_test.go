package store_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// The benchmarks measure the log beside a bare one: a file to which the same
// bytes are appended, and which is synced as often. Machines and disks differ,
// and what else runs on them, so both take turns within one benchmark, and the
// ratio of the two is what counts: ours/bare is how many times as many events
// a second we do.

// event is of the usual size: 304 bytes of data and 115 of metadata.
func event() domain.Message {
	m := domain.Message{
		Type:     "CodeIssued",
		Data:     []byte(`{"challenge":"` + strings.Repeat("0123456789abcdef", 18) + `"}`),
		Metadata: []byte(`{"$correlationId":"` + strings.Repeat("0123456789abcdef", 5) + `0123456789012"}`),
	}
	_, _ = rand.Read(m.ID[:]) // never fails
	return m
}

func newEvents(n int) []domain.Message {
	ms := make([]domain.Message, n)
	for i := range ms {
		ms[i] = event()
	}
	return ms
}

func person(i int) string { return fmt.Sprintf("enrolment-%08x-7c1e-4b7a-9f5e-52a3d1c40e6b", i) }

// eachPerson is how many events a person has.
const eachPerson = 8

// A contender appends events, one after the other or many at a time.
type contender struct {
	append func(writer, i int) error
	took   time.Duration
	worked time.Duration // processor time
	each   []time.Duration
}

// turns lets the bare log and ours append in turns, with so many writers each,
// and reports how they did.
func turns(b *testing.B, writers, perAppend int, bare, ours func(writer, i int) error) {
	b.Helper()
	const turn = 50 // appends of each writer
	cs := []*contender{{append: bare}, {append: ours}}
	done := 0
	for ; done < b.N; done += turn * writers * perAppend {
		for _, c := range cs {
			c.run(b, writers, done/(writers*perAppend), turn)
		}
	}
	events := float64(done)
	for i, c := range cs {
		slices.Sort(c.each)
		name := []string{"bare", "ours"}[i]
		b.ReportMetric(events/c.took.Seconds(), name+"-events/s")
		b.ReportMetric(float64(c.worked.Nanoseconds())/1000/events, name+"-cpu-µs/event")
		b.ReportMetric(float64(c.each[len(c.each)*99/100].Microseconds()), name+"-p99-µs")
	}
	b.ReportMetric(cs[0].took.Seconds()/cs[1].took.Seconds(), "ours/bare")
	b.ReportMetric(0, "ns/op")
}

func (c *contender) run(b *testing.B, writers, from, n int) {
	b.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start, before := time.Now(), processor(b)
	for w := range writers {
		wg.Go(func() {
			each := make([]time.Duration, n)
			for i := range each {
				began := time.Now()
				if err := c.append(w, from+i); err != nil {
					b.Error(err)
				}
				each[i] = time.Since(began)
			}
			mu.Lock()
			defer mu.Unlock()
			c.each = append(c.each, each...)
		})
	}
	wg.Wait()
	c.took += time.Since(start)
	c.worked += processor(b) - before
}

// bareLog appends to a file and syncs.
type bareLog struct {
	file  *os.File
	queue chan bareRequest
}

type bareRequest struct {
	bytes []byte
	done  chan error
}

func newBareLog(b *testing.B) *bareLog {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	if err != nil {
		b.Fatal(err)
	}
	l := &bareLog{file: f, queue: make(chan bareRequest, 1024)}
	go l.drain()
	b.Cleanup(func() { close(l.queue); _ = f.Close() })
	return l
}

func (l *bareLog) write(p []byte) error {
	if _, err := l.file.Write(p); err != nil {
		return err
	}
	return unix.Fdatasync(int(l.file.Fd()))
}

// drain puts what waits into one write and one sync.
func (l *bareLog) drain() {
	var group []bareRequest
	var bytes []byte
	for r := range l.queue {
		group, bytes = append(group[:0], r), append(bytes[:0], r.bytes...)
		for more := true; more; {
			select {
			case r, more = <-l.queue:
				if more {
					group, bytes = append(group, r), append(bytes, r.bytes...)
				}
			default:
				more = false
			}
		}
		err := l.write(bytes)
		for _, r := range group {
			r.done <- err
		}
	}
}

func (l *bareLog) grouped(p []byte) error {
	r := bareRequest{p, make(chan error, 1)}
	l.queue <- r
	return <-r.done
}

func flat(ms []domain.Message) []byte {
	var p []byte
	for _, m := range ms {
		p = append(append(append(p, m.ID[:]...), m.Data...), m.Metadata...)
	}
	return p
}

func benchLog(b *testing.B, path string) *store.SQLite {
	b.Helper()
	l, err := store.OpenSQLite(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	return l
}

func BenchmarkAppendOneWriter(b *testing.B) {
	bare, ours := newBareLog(b), benchLog(b, filepath.Join(b.TempDir(), "log.db"))
	m := event()
	p := flat([]domain.Message{m})
	turns(b, 1, 1, func(_, _ int) error { return bare.write(p) }, appendOne(b.Context(), ours, m))
}

func BenchmarkAppend32Writers(b *testing.B) {
	bare, ours := newBareLog(b), benchLog(b, filepath.Join(b.TempDir(), "log.db"))
	m := event()
	p := flat([]domain.Message{m})
	turns(b, 32, 1, func(_, _ int) error { return bare.grouped(p) }, appendOne(b.Context(), ours, m))
}

func appendOne(ctx context.Context, l *store.SQLite, m domain.Message) func(writer, i int) error {
	return func(writer, i int) error {
		_, err := l.Append(ctx, person(writer<<24|i/eachPerson), domain.Revision(i%eachPerson-1), m)
		return err
	}
}

func BenchmarkImport(b *testing.B) {
	const batch = 500
	bare, ours := newBareLog(b), benchLog(b, filepath.Join(b.TempDir(), "log.db"))
	ms := newEvents(batch)
	p := flat(ms)
	turns(b, 1, batch, func(_, _ int) error { return bare.write(p) }, func(_, i int) error {
		_, err := ours.Append(b.Context(), person(i), domain.NoStream, ms...)
		return err
	})
}

const million = 1_000_000

// aMillion makes a log of a million events, 32 people at a time, and a bare
// file with the same bytes.
var aMillion = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "log-of-a-million"); err != nil {
		return "", err
	}
	afterAll = append(afterAll, func() { _ = os.RemoveAll(dir) })
	l, err := store.OpenSQLite(context.Background(), filepath.Join(dir, "log.db"))
	if err != nil {
		return "", err
	}
	const together = 32
	f, err := os.Create(filepath.Join(dir, "bare")) //nolint:gosec // our own folder
	if err != nil {
		return "", err
	}
	bare := bufio.NewWriter(f)
	for first := 0; first < million/eachPerson; first += together {
		for half := range 2 {
			var wg sync.WaitGroup
			for p := first; p < min(first+together, million/eachPerson); p++ {
				ms := newEvents(eachPerson / 2)
				bytes := flat(ms)
				_, _ = bare.Write(binary.AppendUvarint(nil, uint64(len(bytes)))) // Flush reports
				_, _ = bare.Write(bytes)
				wg.Go(func() {
					_, e := l.Append(context.Background(), person(p), domain.Revision(half*eachPerson/2-1), ms...)
					if e != nil {
						panic(e)
					}
				})
			}
			wg.Wait()
		}
	}
	return dir, errors.Join(bare.Flush(), f.Close(), l.Close())
})

func millionLog(b *testing.B) (*store.SQLite, string) {
	b.Helper()
	dir, err := aMillion()
	if err != nil {
		b.Fatal(err)
	}
	return benchLog(b, filepath.Join(dir, "log.db")), dir
}

// BenchmarkScan reads a million events: position, stream, type and data.
func BenchmarkScan(b *testing.B) {
	l, dir := millionLog(b)
	for name, q := range map[string]domain.Query{
		"what a fold needs": {},
		"of one type":       {Types: []string{"CodeIssued"}},
		"of a rare type":    {Types: []string{"PersonErased"}},
		"of one kind":       {Prefix: domain.EnrolmentPrefix},
		"of another kind":   {Prefix: domain.StationPrefix},
		"with metadata":     {Metadata: true},
	} {
		b.Run(name, func(b *testing.B) {
			var bare, ours, worked time.Duration
			for b.Loop() {
				start := time.Now()
				readBare(b, filepath.Join(dir, "bare"))
				bare += time.Since(start)
				start = time.Now()
				before := processor(b)
				if err := l.ReadAll(b.Context(), q, func(domain.Batch) error { return nil }); err != nil {
					b.Fatal(err)
				}
				worked += processor(b) - before
				ours += time.Since(start)
			}
			b.ReportMetric(million*float64(b.N)/ours.Seconds(), "events/s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "ours/bare")
			b.ReportMetric(float64(worked.Nanoseconds())/million/float64(b.N), "cpu-ns/event")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// processor returns how much time this process has had of the processors.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func readBare(b *testing.B, path string) {
	b.Helper()
	f, err := os.Open(path) //nolint:gosec // our own file
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<17)
	var p []byte
	for {
		n, err := binary.ReadUvarint(in)
		if errors.Is(err, io.EOF) {
			return
		}
		p = append(p[:0], make([]byte, n)...)
		if _, err := io.ReadFull(in, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStream reads the streams of people in a log of a million events.
func BenchmarkStream(b *testing.B) {
	l, _ := millionLog(b)
	var each []time.Duration
	for b.Loop() {
		who := person(mathrand.IntN(million / eachPerson)) //nolint:gosec // no secret
		start := time.Now()
		events, err := l.ReadStream(b.Context(), who, 0)
		if err != nil || len(events) != eachPerson {
			b.Fatal(len(events), err)
		}
		each = append(each, time.Since(start))
	}
	slices.Sort(each)
	b.ReportMetric(float64(each[len(each)/2].Nanoseconds())/1000, "p50-µs")
	b.ReportMetric(float64(each[len(each)*99/100].Nanoseconds())/1000, "p99-µs")
}

// BenchmarkNotice measures from the acknowledgement of an event until another
// process has it.
func BenchmarkNotice(b *testing.B) {
	took := notices(b, max(b.N, 10))
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
}
