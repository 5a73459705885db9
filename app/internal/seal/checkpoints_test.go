package seal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain/service"
)

// busy is how many checkpoints a seal has after a busy year.
const busy = 500_000

// A scribe writes the folder of a seal of a memory as its sealer would, and faster.
type scribe struct {
	tb     testing.TB
	folder folder
	signer note.Signer
	origin string
	at     time.Time
	edge   edge
	leafer leafer
	made   []proof.Checkpoint
}

func newScribe(tb testing.TB) *scribe {
	tb.Helper()
	s := New(Config{Folder: filepath.Join(tb.TempDir(), "seal"), Keys: oneKey{}, Log: &memory{}})
	if err := os.Mkdir(s.c.Folder, 0o700); err != nil {
		tb.Fatal(err)
	}
	t, err := s.newTree("m", service.SealBegun{}, nil)
	if err != nil {
		tb.Fatal(err)
	}
	w := &scribe{tb: tb, folder: s.folder, origin: t.Origin, at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), leafer: leafer{store: "m"}}
	if w.signer, _, err = s.c.signer(t.Origin, t.Master); err != nil {
		tb.Fatal(err)
	}
	return w
}

// write adds n checkpoints of a leaf each, with a minute between them.
func (w *scribe) write(n int) {
	w.tb.Helper()
	var files [3]*bufio.Writer
	for i, name := range []string{hashesFile, indexFile, checkpointsFile} {
		f, err := os.OpenFile(w.folder.path(name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			w.tb.Fatal(err)
		}
		defer f.Close() //nolint:errcheck // of the test
		files[i] = bufio.NewWriterSize(f, 1<<20)
		defer files[i].Flush() //nolint:errcheck // of the test
	}
	index := sha256.New()
	for i := range int(w.edge.size) {
		e := (&memory{}).event(i)
		_, _ = index.Write(w.leafer.make(&e).entry.Append(nil))
	}
	var room []byte
	for range n {
		e := (&memory{}).event(int(w.edge.size))
		l := w.leafer.make(&e)
		room = w.edge.add(l.hash, room[:0])
		_, _ = files[0].Write(room)
		entry := l.entry.Append(room[:0])
		_, _ = index.Write(entry)
		_, _ = files[1].Write(entry)
		w.at = w.at.Add(time.Minute)
		c := proof.Checkpoint{Origin: w.origin, Size: w.edge.size, Root: w.edge.root(), At: w.at, Index: [32]byte(index.Sum(nil))}
		w.sign(&c)
		_, _ = files[2].Write(lineOf(w.tb, c))
		w.made = append(w.made, c)
	}
	if err := w.folder.replace(checkpointFile, w.made[len(w.made)-1].Note); err != nil {
		w.tb.Fatal(err)
	}
}

func (w *scribe) sign(c *proof.Checkpoint) {
	var err error
	if c.Note, err = note.Sign(&note.Note{Text: c.Text()}, w.signer); err != nil {
		w.tb.Fatal(err)
	}
}

func lineOf(tb testing.TB, c proof.Checkpoint) []byte {
	tb.Helper()
	b, err := json.Marshal(line{At: c.At, Note: string(c.Note)})
	if err != nil {
		tb.Fatal(err)
	}
	return append(b, '\n')
}

// list writes the list as it is given.
func (w *scribe) list(lines ...[]byte) {
	w.tb.Helper()
	if err := os.WriteFile(w.folder.path(checkpointsFile), bytes.Join(lines, nil), 0o600); err != nil {
		w.tb.Fatal(err)
	}
}

func (w *scribe) lines(from, to int) (all [][]byte) {
	w.tb.Helper()
	for _, c := range w.made[from:to] {
		all = append(all, lineOf(w.tb, c))
	}
	return all
}

func (w *scribe) verify() Report {
	w.tb.Helper()
	r, err := Verify(w.tb.Context(), &memory{len(w.made)}, string(w.folder), VerifyOptions{Keys: oneKey{}}, nil)
	if err != nil {
		w.tb.Fatal(err)
	}
	return r
}

// Whatever a list of checkpoints holds beside what a sealer writes, it is found, however
// far behind the others it stands.
func TestWhatAListHolds(t *testing.T) {
	t.Parallel()
	const n, far = 2*inMind + 10, 3
	w := newScribe(t)
	w.write(n)
	other := w.made[far]
	other.Root[0]++
	w.sign(&other)
	index := w.made[far]
	index.Index[0]++
	w.sign(&index)
	retold := w.made[n-5]
	retold.At = retold.At.Add(time.Second)
	w.sign(&retold)
	forge := func(c proof.Checkpoint) proof.Checkpoint {
		c.Note = bytes.Replace(bytes.Clone(c.Note), fmt.Appendf(nil, "\n%d\n", c.Size), fmt.Appendf(nil, "\n%d\n", c.Size+1), 1)
		return c
	}
	forged, beyond := forge(w.made[7]), forge(w.made[n-1])
	one := func(c proof.Checkpoint) [][]byte { return [][]byte{lineOf(t, c)} }
	long := bytes.Repeat([]byte("x"), 3*maxLine)
	all := w.lines(0, n)
	for name, c := range map[string]struct {
		list   [][]byte
		bad    FindingKind
		leaf   int64
		fit    int
		newest int64
	}{
		"all":                         {list: all, fit: n, newest: n},
		"the last line is torn":       {list: append(slices.Clone(all), all[1][:30]), fit: n, newest: n},
		"cosigned later":              {list: slices.Concat(all[:9], all[5:8], all[9:]), fit: n, newest: n},
		"cosigned much later":         {list: slices.Concat(all, all[far:far+600], all[:far]), fit: n, newest: n},
		"two of one size":             {list: slices.Concat(all, one(retold)), bad: BadSignature, leaf: n, fit: n, newest: n},
		"another root, far behind":    {list: slices.Concat(all, one(other)), bad: BadRoot, leaf: 0, fit: n, newest: n},
		"another root, in its place":  {list: slices.Concat(all[:far], one(other), all[far:]), bad: BadRoot, leaf: far, fit: far, newest: n},
		"another index, far behind":   {list: slices.Concat(all, one(index)), bad: BadIndex, leaf: 0, fit: n, newest: n},
		"another index, in its place": {list: slices.Concat(all[:far], one(index), all[far:]), bad: BadIndex, leaf: far, fit: far, newest: n},
		"one that is forged":          {list: slices.Concat(all[:7], one(forged), all[8:]), bad: BadSignature, leaf: 7, fit: n - 1, newest: n},
		"the last one is forged":      {list: slices.Concat(all, one(beyond)), bad: BadSignature, leaf: n, fit: n, newest: n},
		"much that is forged":         {list: append(slices.Clone(all), bytes.Repeat(lineOf(t, beyond), tail/350)), bad: BadSignature, leaf: n, fit: n, newest: n},
		"something else":              {list: slices.Concat(all[:7], [][]byte{[]byte("{}\n")}, all[7:]), bad: BadSignature, leaf: 7, fit: n, newest: n},
		"something long":              {list: slices.Concat(all[:7], [][]byte{long, []byte("\n")}, all[7:], [][]byte{long, []byte("\n")}), bad: BadSignature, leaf: 7, fit: n, newest: n},
		"something long without end":  {list: append(slices.Clone(all), long), fit: n, newest: n},
		"one is left out":             {list: slices.Concat(all[:7], all[8:]), fit: n - 1, newest: n},
		"the newest stand far before": {list: slices.Concat(all, all[:n-100], all[:n-100], all[:n-100], all[:n-100], all[:n-100]), bad: BadSignature, leaf: n - 100, fit: n - 100, newest: n - 100},
	} {
		w.list(c.list...)
		r := w.verify()
		if (r.Bad != nil) != (c.bad != "") || r.Bad != nil && (r.Bad.Kind != c.bad || r.Bad.Leaf != c.leaf) || r.Checkpoints != c.fit || r.Size != c.newest {
			t.Errorf("%s: %d leaves, %d checkpoints, found %+v", name, r.Size, r.Checkpoints, r.Bad)
		}
	}
}

// However many checkpoints there are: no more than some thousand of them are in memory.
func TestNobodyKeepsAllCheckpoints(t *testing.T) {
	t.Parallel()
	const n = 3 * inMind
	w := newScribe(t)
	w.write(n)
	list, end, err := w.folder.openList()
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close() //nolint:errcheck // only read
	files, err := w.folder.open(false)
	if err != nil {
		t.Fatal(err)
	}
	defer files.close() //nolint:errcheck // only read
	key, err := (Config{Keys: oneKey{}}).keysOf(treeIn(t, string(w.folder)))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := structure(t.Context(), files, list, end, key, n, nil)
	if err != nil || tree.fit != n || cap(tree.recent) > 4*inMind || len(tree.late) > 0 {
		t.Errorf("%d fit, %d are kept, %v", tree.fit, cap(tree.recent), err)
	}
	var c catalog
	if err := c.update(list, end, "x"); err != nil || c.last.number != n || len(c.cards) > n/15+1 {
		t.Errorf("%d cards of %d, %v", len(c.cards), c.last.number, err)
	}
}

// Of any list, the catalog finds what is found by reading all of it.
func TestTheCatalogFindsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		// Where they stand in the list, and when they were made. Some are cosigned later.
		var list, pending [][]byte
		var all []proof.Checkpoint
		at := time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC)
		step := rapid.SampledFrom([]time.Duration{0, time.Second, 4 * time.Minute, 40 * time.Minute, 11 * time.Hour}).Draw(r, "step")
		every := rapid.IntRange(1, 9).Draw(r, "every")
		for i := range rapid.SampledFrom([]int{1, 20, 100, 2500}).Draw(r, "checkpoints") {
			at = at.Add(step)
			c := proof.Checkpoint{Origin: "keydesk/m", Size: int64(10*i + 5), At: at}
			c.Note = []byte(c.Text() + "\n— nobody\n")
			all = append(all, c)
			list = append(list, lineOf(t, c))
			if i%every == 0 {
				pending = append(pending, lineOf(t, c))
			}
			if i%7 == 0 {
				list, pending = append(list, pending...), nil
			}
		}
		list = append(list, pending...)
		whole := bytes.Join(list, nil)
		var c catalog
		for _, end := range []int{rapid.IntRange(0, len(whole)).Draw(r, "end"), len(whole)} { // what is added is read later
			if err := c.update(bytes.NewReader(whole), int64(end), "x"); err != nil {
				r.Fatal(err)
			}
		}
		leaf := rapid.Int64Range(0, all[len(all)-1].Size+1).Draw(r, "leaf")
		want := slices.IndexFunc(all, func(c proof.Checkpoint) bool { return c.Size > leaf })
		got, err := c.covering(bytes.NewReader(whole), leaf)
		if err != nil || got.number != want+1 {
			r.Fatalf("leaf %d is covered by number %d, not %d: %v", leaf, got.number, want+1, err)
		}
		if want >= 0 && got.line != int64(bytes.LastIndex(whole, lineOf(t, all[want]))) {
			r.Fatalf("number %d stands at %d", got.number, got.line)
		}
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Amsterdam", "Asia/Kathmandu", "Pacific/Chatham"}).Draw(r, "zone")
		in, err := time.LoadLocation(zone)
		if err != nil {
			r.Fatal(err)
		}
		var days []int
		for i := range all {
			if i+1 == len(all) || all[i].At.In(in).Format(time.DateOnly) != all[i+1].At.In(in).Format(time.DateOnly) {
				days = append(days, i+1)
			}
		}
		slices.Reverse(days)
		most := rapid.IntRange(1, 5).Draw(r, "most")
		var found []int
		for _, k := range c.daily(most, in) {
			found = append(found, k.number)
		}
		if !slices.Equal(found, days[:min(most, len(days))]) {
			r.Fatalf("in %s %v instead of %v", zone, found, days)
		}
	})
}

// A glance is as good as a look.
func FuzzGlance(f *testing.F) {
	w := newScribe(f)
	w.write(3)
	f.Add(lineOf(f, w.made[2]))
	f.Add([]byte(`{"note":"keydesk/a\\n9\\n\n1\n"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseLine(b)
		if err != nil {
			return // what cannot be read is opened by nobody
		}
		size, at, err := glance(b)
		if k, bad := (Config{Keys: oneKey{}}).keysOf(treeIn(t, string(w.folder))); bad == nil {
			if _, bad = k.openLine(b); bad != nil {
				return // written by somebody else: it is compared when it is opened
			}
		}
		if err != nil || size != c.Size || !at.Equal(c.At) {
			t.Errorf("%d leaves at %v instead of %d at %v: %v", size, at, c.Size, c.At, err)
		}
	})
}

// peak runs something, and returns how many bytes more the heap had meanwhile than
// before.
func peak(do func()) uint64 {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	before, most := heap(), uint64(0)
	ended := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, heap())
			select {
			case <-tick.C:
			case <-ended:
				return
			}
		}
	})
	do()
	close(ended)
	looking.Wait()
	return most - min(before, most)
}

// BenchmarkCheckpoints does with the checkpoints of a busy year what is done with them.
func BenchmarkCheckpoints(b *testing.B) {
	w := newScribe(b)
	w.write(busy)
	made := w.made[len(w.made)-1]
	w.made = nil
	open := func(b *testing.B) *Seal {
		b.Helper()
		s, err := Open(b.Context(), Config{Folder: string(w.folder), Log: &memory{busy}, Keys: oneKey{}})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	for name, do := range map[string]func(b *testing.B) error{
		"Verify": func(b *testing.B) error {
			b.Helper()
			r, err := Verify(b.Context(), &memory{busy}, string(w.folder), VerifyOptions{Keys: oneKey{}}, nil)
			if err == nil && (r.Bad != nil || r.Checkpoints != busy || r.Checkpoint.Text() != made.Text()) {
				b.Fatalf("%+v", r)
			}
			return err
		},
		"Days": func(b *testing.B) error {
			b.Helper()
			n, s := 0, open(b)
			err := s.Days(b.Context(), func(proof.Checkpoint) error { n++; return nil })
			if n == 0 {
				b.Fatal(n)
			}
			return errors.Join(err, s.Close())
		},
		"Daily": func(b *testing.B) error {
			b.Helper()
			s := open(b)
			days, err := s.Daily(400, time.UTC)
			if err == nil && (len(days) != 348 || days[0].Number != busy) {
				b.Fatal(len(days))
			}
			return errors.Join(err, s.Close())
		},
		"Yesterday": func(b *testing.B) error {
			b.Helper()
			s := open(b)
			days, err := s.Daily(2, time.UTC)
			if err == nil && len(days) != 2 {
				b.Fatal(len(days))
			}
			return errors.Join(err, s.Close())
		},
		"Covering": func(b *testing.B) error {
			b.Helper()
			s := open(b)
			l, ok, err := s.Covering(busy / 2)
			if err == nil && (!ok || l.Size != busy/2+1 || l.Number != busy/2+1) {
				b.Fatal(l)
			}
			return errors.Join(err, s.Close())
		},
		"Open": func(b *testing.B) error {
			b.Helper()
			return open(b).Close()
		},
	} {
		b.Run(name, func(b *testing.B) {
			most := uint64(0)
			for b.Loop() {
				most = max(most, peak(func() {
					if err := do(b); err != nil {
						b.Fatal(err)
					}
				}))
			}
			b.ReportMetric(float64(most)/1e6, "MB")
		})
	}
}
