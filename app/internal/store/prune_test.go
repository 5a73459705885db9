package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

func init() { parts["prune"] = partPrune } //nolint:gochecknoinits // one more part of another process

const day = 24 * time.Hour

// limit is before what the tests prune.
func limit() time.Time { return time.Now().Add(-400 * day) }

// The n-th login of a person bears this mark in its data and its metadata.
func mark(person, n int) string { return fmt.Sprintf("mark-%d-%d-", person, n) }

func loginStream(person int) string { return fmt.Sprintf("login-%d", person) }

// fillLogins records logins of so many people, turn by turn and between events that
// stay: so many old ones of each, and one new one of every second person.
func fillLogins(ctx context.Context, l *store.SQLite, people, old int) error {
	var all []domain.Recorded
	add := func(stream string, revision int, ago time.Duration, mark string) {
		all = append(all, domain.Recorded{
			Message: domain.Message{
				ID: domain.EventIDFor(domain.CommandID{9}, len(all)), Type: "LoginSucceeded",
				Data:     fmt.Appendf(nil, `{"challenge":"%s%s"}`, mark, strings.Repeat("x", 40+len(all)%200)),
				Metadata: fmt.Appendf(nil, `{"schema":1,"station":"meta-%s"}`, mark),
			},
			Stream: stream, Revision: domain.Revision(revision), Recorded: time.Now().Add(-ago).Truncate(time.Microsecond),
		})
	}
	for n := range old {
		for p := range people {
			add(loginStream(p), n, 500*day, mark(p, n))
			add(fmt.Sprintf("enrolment-%d", p), n, 500*day, fmt.Sprintf("kept-%d-%d-", p, n))
		}
	}
	for p := 0; p < people; p += 2 {
		add(loginStream(p), old, 10*day, fmt.Sprintf("new-%d-", p))
	}
	return l.ImportAll(ctx, all)
}

// onDisk returns what stands in the log's files.
func onDisk(t *testing.T, path string) (all []byte) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // our own file
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// wantPruned checks that nothing of the old logins is left anywhere, and all else is.
func wantPruned(t *testing.T, l *store.SQLite, path string, people, old int) {
	t.Helper()
	raw := onDisk(t, path)
	for p := range people {
		for n := range old {
			if m := mark(p, n); bytes.Contains(raw, []byte(m)) {
				t.Fatalf("%s is in the files", m)
			}
			if m := fmt.Sprintf("kept-%d-%d-", p, n); !bytes.Contains(raw, []byte(m)) {
				t.Fatalf("%s is not in the files", m)
			}
		}
		want := (p + 1) % 2
		events, err := l.ReadStream(t.Context(), loginStream(p), 0)
		if err != nil || len(events) != want || want == 1 && (events[0].Revision != domain.Revision(old) || !bytes.Contains(events[0].Data, fmt.Appendf(nil, `"new-%d-`, p))) {
			t.Fatalf("person %d: %v, %v", p, events, err)
		}
	}
	if _, err := os.Stat(path + "-prune"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the mark of an unfinished prune: %v", err)
	}
	if err := sql(t, path).Exec("DELETE FROM events"); !errors.Is(err, sqlite3.CONSTRAINT_TRIGGER) {
		t.Errorf("a delete afterwards: %v", err)
	}
}

func TestPruneWhileOthersAppend(t *testing.T) {
	t.Parallel()
	const people, old = 40, 60
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	if err := fillLogins(t.Context(), l, people, old); err != nil {
		t.Fatal(err)
	}
	cmd, out := play(t, "append", path)
	acknowledged := make([]int, childStreams)
	next := func() {
		if !out.Scan() {
			t.Fatal("the other process has ended: ", out.Err())
		}
		var stream, i int
		if _, err := fmt.Sscan(out.Text(), &stream, &i); err != nil {
			t.Fatal(err)
		}
		acknowledged[stream] = i + 1
	}
	next()
	head, err := l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n, err := l.CountAged(t.Context(), domain.LoginPrefix, limit())
	if err != nil || n != people*old {
		t.Fatalf("%d to prune, %v", n, err)
	}
	var told []int64
	removed, err := l.Prune(t.Context(), domain.LoginPrefix, limit(), func(done, total int64) {
		if total != n {
			t.Errorf("%d of %d", done, total)
		}
		told = append(told, done)
	})
	if err != nil || removed != n || len(told) < 2 || told[len(told)-1] != n {
		t.Fatalf("%d removed, told %v, %v", removed, told, err)
	}
	for range 50 {
		next() // it goes on
	}
	_ = cmd.Process.Kill()
	for out.Scan() {
		var stream, i int
		if _, err := fmt.Sscan(out.Text(), &stream, &i); err == nil {
			acknowledged[stream] = i + 1
		}
	}
	for s, n := range acknowledged {
		events, err := l.ReadStream(t.Context(), childStream(s), 0)
		if err != nil || len(events) < 2*n {
			t.Fatalf("%d events of %d acknowledged appends, %v", len(events), n, err)
		}
		for i, e := range events {
			if want := pair(s, i/2)[i%2]; e.Revision != domain.Revision(i) || e.ID != want.ID {
				t.Fatalf("%s holds %s at revision %d", e.Stream, e.ID, i)
			}
		}
	}
	if at, err := l.Head(t.Context()); err != nil || at <= head {
		t.Errorf("the head went from %d to %d, %v", head, at, err)
	}
	wantPruned(t, l, path, people, old)
	if again, err := l.Prune(t.Context(), domain.LoginPrefix, limit(), nil); err != nil || again != 0 {
		t.Errorf("again: %d, %v", again, err)
	}
}

// Whoever appends to a pruned login has to know where it stands, as ever.
func TestAPrunedStreamGoesOn(t *testing.T) {
	t.Parallel()
	const people, old = 4, 3
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	if err := fillLogins(t.Context(), l, people, old); err != nil {
		t.Fatal(err)
	}
	gone, err := l.ReadStream(t.Context(), loginStream(1), 0)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := l.ReadStream(t.Context(), loginStream(0), old)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := l.Prune(t.Context(), domain.LoginPrefix, limit(), nil); err != nil || n != people*old {
		t.Fatal(n, err)
	}
	for range 2 { // as it is, and opened again
		for name, e := range map[string]struct {
			stream   string
			expected domain.Revision
			actual   domain.Revision
			m        domain.Message
		}{
			"a retry of what is gone":          {loginStream(1), -1, 2, gone[0].Message},
			"a new one where the stream began": {loginStream(1), -1, 2, pair(1, 1)[0]},
			"one behind":                       {loginStream(1), 1, 2, pair(1, 1)[0]},
			"one ahead":                        {loginStream(1), 3, 2, pair(1, 1)[0]},
			"what stands there, with an expectation below": {loginStream(0), 1, 3, kept[0].Message},
		} {
			_, err := l.Append(t.Context(), e.stream, e.expected, e.m)
			var c *domain.Conflict
			if !errors.As(err, &c) || c.Actual != e.actual {
				t.Errorf("%s: %v", name, err)
			}
		}
		if a, err := l.Append(t.Context(), loginStream(0), old-1, kept[0].Message); err != nil || a.Revision != old || a.Position != kept[0].Position {
			t.Errorf("a retry of what stands there: %v, %v", a, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = openAt(t, path)
	}
	defer l.Close()
	if a, err := l.Append(t.Context(), loginStream(1), 2, pair(1, 1)...); err != nil || a.Revision != 4 {
		t.Errorf("%v, %v", a, err)
	}
	if a, err := l.Append(t.Context(), loginStream(1), 2, pair(1, 1)...); err != nil || a.Revision != 4 {
		t.Errorf("its retry: %v, %v", a, err)
	}
	db := sql(t, path)
	for _, change := range []string{"DELETE FROM pruned", "UPDATE pruned SET revision = revision - 1", "UPDATE pruned SET stream = stream + 100"} {
		if err := db.Exec(change); !errors.Is(err, sqlite3.CONSTRAINT_TRIGGER) {
			t.Errorf("%s: %v", change, err)
		}
	}
}

// The last event of all stays: the next one must not get its position.
func TestTheLastEventIsNotPruned(t *testing.T) {
	t.Parallel()
	l := openAt(t, filepath.Join(t.TempDir(), "log.db"))
	defer l.Close()
	old := domain.Recorded{Message: pair(1, 1)[0], Recorded: limit().Add(-day)}
	for p := range 2 {
		if _, err := l.Import(t.Context(), loginStream(p), domain.NoStream, old); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := l.Prune(t.Context(), domain.LoginPrefix, limit(), nil); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if a, err := l.Append(t.Context(), loginStream(0), 0, pair(2, 1)...); err != nil || a.Position != 4 || a.Revision != 2 {
		t.Errorf("%v, %v", a, err)
	}
}

// partPrune prunes, and prints how far it is. It stops at the first step until it is
// killed.
func partPrune(path string) error {
	ctx := context.Background()
	l, err := store.OpenSQLite(ctx, path)
	if err != nil {
		return err
	}
	defer l.Close()
	_, err = l.Prune(ctx, domain.LoginPrefix, limit(), func(done, _ int64) {
		fmt.Println(done)
		select {}
	})
	return err
}

// A prune that is killed leaves a log that is whole, and the next one finishes it.
func TestAPruneThatIsKilled(t *testing.T) {
	t.Parallel()
	const people, old = 40, 60
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	if err := fillLogins(t.Context(), l, people, old); err != nil {
		t.Fatal(err)
	}
	cmd, out := play(t, "prune", path)
	if !out.Scan() {
		t.Fatal(out.Err())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for out.Scan() { // until it is gone
	}
	left, err := l.CountAged(t.Context(), domain.LoginPrefix, limit())
	if err != nil || left == 0 || left >= people*old {
		t.Fatalf("%d are left, %v", left, err)
	}
	if err := sql(t, path).Exec("DELETE FROM events"); !errors.Is(err, sqlite3.CONSTRAINT_TRIGGER) {
		t.Errorf("a delete: %v", err)
	}
	if a, err := l.Append(t.Context(), loginStream(1), old-1, pair(1, 1)...); err != nil || a.Revision != old+1 {
		t.Errorf("%v, %v", a, err)
	}
	n, err := l.Prune(t.Context(), domain.LoginPrefix, limit(), nil)
	if err != nil || n != left {
		t.Fatalf("%d of %d removed, %v", n, left, err)
	}
	if _, err := os.Stat(path + "-prune"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for p := range people {
		if bytes.Contains(onDisk(t, path), []byte(mark(p, 0))) {
			t.Fatalf("the first login of person %d is in the files", p)
		}
	}
}

// A log of before there was anything to prune gets what pruning needs.
func TestAnOlderLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	if err := errors.Join(fillLogins(t.Context(), l, 4, 3), l.Close()); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "DROP TABLE pruned; PRAGMA user_version = 1")
	l = openAt(t, path)
	defer l.Close()
	other := openAt(t, path)
	defer other.Close()
	if n, err := l.Prune(t.Context(), domain.LoginPrefix, limit(), nil); err != nil || n != 12 {
		t.Fatal(n, err)
	}
	wantPruned(t, other, path, 4, 3)
}

// While the file is written anew, an append waits longer than for anything else.
func TestAnAppendWaitsForAPrune(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 6 s")
	}
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	if err := os.WriteFile(path+"-prune", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db := sql(t, path)
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...)
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(6 * time.Second): // 5 s are what it waits otherwise
	}
	if err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
