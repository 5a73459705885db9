package lookup_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/lookup"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
)

const (
	loadPeople = 100_000
	loadFor    = 3 * time.Second
	loadBy     = 8 // connections, kept alive
)

// BenchmarkLookupOverHTTP compares, in one run, what a second process is served a
// second by an empty handler and by the API with 100,000 people, and how long the
// slowest hundredth of the answers takes.
func BenchmarkLookupOverHTTP(b *testing.B) {
	m := factor.New()
	events := foldtest.Even(loadPeople, loadPeople/9)
	m.Apply(events, events[len(events)-1].Position)
	var paths []string
	for i := 0; i < len(events); i += len(events) / 997 {
		id, _ := domain.SubjectOfStream(events[i].Stream)
		paths = append(paths, "/v1/factor/"+id.String())
	}
	empty := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for b.Loop() {
		alone := load(b, empty, paths)
		ours := load(b, handler(m, service.ReadFactor), paths)
		b.ReportMetric(alone.each, "empty/s")
		b.ReportMetric(ours.each, "factor/s")
		b.ReportMetric(ours.each/alone.each, "ratio")
		b.ReportMetric(alone.p99.Seconds()*1000, "empty-p99-ms")
		b.ReportMetric(ours.p99.Seconds()*1000, "factor-p99-ms")
	}
}

type loaded struct {
	each float64 // a second
	p99  time.Duration
}

// load has a second process ask a handler for a while.
func load(b *testing.B, h http.Handler, paths []string) loaded {
	b.Helper()
	s := httptest.NewServer(h)
	defer s.Close()
	child := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestLoad$") //nolint:gosec // this test itself
	child.Env = append(os.Environ(), "KEYDESK_LOAD="+s.URL)
	child.Stdin = strings.NewReader(strings.Join(paths, "\n"))
	out, err := child.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	var l loaded
	var micros int64
	at := strings.Index(string(out), "load:")
	if at < 0 {
		b.Fatalf("the second process said %s", out)
	}
	if _, err := fmt.Sscanf(string(out[at:]), "load: %f %d", &l.each, &micros); err != nil {
		b.Fatal(err)
	}
	l.p99 = time.Duration(micros) * time.Microsecond
	return l
}

// TestLoad is the second process of the benchmark.
func TestLoad(t *testing.T) { //nolint:paralleltest // alone in its process
	url := os.Getenv("KEYDESK_LOAD")
	if url == "" {
		t.Skip("part of BenchmarkLookupOverHTTP")
	}
	in, err := io.ReadAll(os.Stdin)
	if err != nil {
		t.Fatal(err)
	}
	paths := strings.Fields(string(in))
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: loadBy, DisableCompression: true,
		DialContext: (&net.Dialer{}).DialContext,
	}}
	ctx, cancel := context.WithTimeout(t.Context(), loadFor)
	defer cancel()
	took := make([][]time.Duration, loadBy)
	var all sync.WaitGroup
	for i := range took {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				began := time.Now()
				if !ask(ctx, t, client, url+paths[n%len(paths)]) {
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	all.Wait()
	times := slices.Sorted(slices.Values(slices.Concat(took...)))
	fmt.Printf("load: %f %d\n", float64(len(times))/loadFor.Seconds(), times[len(times)*99/100].Microseconds())
}

// ask asks once; false when the time is up.
func ask(ctx context.Context, t *testing.T, client *http.Client, url string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // G704: the benchmark's own server
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(r) //nolint:gosec // G704: see above
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		t.Error(err)
		return false
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if _, err := io.Copy(io.Discard, answer.Body); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Errorf("%s", answer.Status)
		return false
	}
	return true
}

// BenchmarkVisible measures from an append that has returned to the answer over
// HTTP that holds for it, embedded.
func BenchmarkVisible(b *testing.B) {
	h := open(b, map[string]string{"api.client_rate": "1000000", "api.address_rate": "1000000"})
	id := foldtest.Subject(1)
	var took []time.Duration
	at := domain.NoStream
	for i := 0; b.Loop(); i++ {
		m := foldtest.Enrolled(i, 0)[0]
		done, err := h.Log.Append(b.Context(), domain.EnrolmentStream(id), at, m)
		if err != nil {
			b.Fatal(err)
		}
		at = done.Revision
		began := time.Now()
		r := h.get("/v1/factor/"+id.String()+"?min_position="+strconv.FormatUint(uint64(done.Position), 10), nil)
		if f := answer[lookup.Factor](b, r, http.StatusOK); f.Position < uint64(done.Position) {
			b.Fatalf("%+v", f)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}
