package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// TestAppendOnly: what is recorded cannot be changed through SQLite.
func TestAppendOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...); err != nil {
		t.Fatal(err)
	}
	db := sql(t, path)
	for _, table := range []string{"events", "streams", "types", "store"} {
		for _, change := range []string{"DELETE FROM " + table, "UPDATE " + table + " SET rowid = rowid + 10", "UPDATE " + table + " SET id = id"} {
			if err := db.Exec(change); !errors.Is(err, sqlite3.CONSTRAINT_TRIGGER) {
				t.Errorf("%s: %v", change, err)
			}
		}
	}
	if err := db.Exec("DELETE FROM log"); err == nil {
		t.Error("the view can be deleted from")
	}
	if events, err := l.ReadStream(t.Context(), "enrolment-a", 0); err != nil || len(events) != 2 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// What somebody has put beside the events, has changed there or taken away is named.
func TestMeddled(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		"": "[]",
		"CREATE TRIGGER mine AFTER INSERT ON events BEGIN DELETE FROM events WHERE position < 0; END": "[mine]",
		"CREATE TRIGGER events_INSERT BEFORE INSERT ON types BEGIN SELECT 1; END":                     "[events_INSERT]",
		"DROP TRIGGER events_UPDATE": "[events_UPDATE]",
		"DROP TRIGGER events_UPDATE; CREATE TRIGGER events_UPDATE BEFORE UPDATE ON events BEGIN SELECT 1; END": "[events_UPDATE]",
		"DROP VIEW log; CREATE VIEW log AS SELECT 1; CREATE INDEX more ON events (recorded)":                   "[log more]",
		"DROP VIEW log; CREATE TABLE log (a)": "[log]",
	} {
		path := filepath.Join(t.TempDir(), "log.db")
		l := openAt(t, path)
		if _, err := l.Append(t.Context(), "login-a", domain.NoStream, pair(1, 1)...); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Prune(t.Context(), domain.LoginPrefix, time.Now().Add(time.Hour), nil); err != nil { // it takes a trigger away, and puts it back
			t.Fatal(err)
		}
		execute(t, path, change)
		names, err := l.Meddled(t.Context())
		if err != nil || fmt.Sprint(names) != want {
			t.Errorf("%q: %v, %v", change, names, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A time that nobody can write down, which somebody has put into the file, keeps nobody
// from telling of the event, nor from knowing what is old.
func TestTimesThatCannotBe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...); err != nil {
		t.Fatal(err)
	}
	execute(t, path, `DROP TRIGGER events_UPDATE;
		UPDATE events SET recorded = 9223372036854775807 WHERE revision = 0;
		UPDATE events SET recorded = -9223372036854775808 WHERE revision = 1;`)
	events, err := l.ReadStream(t.Context(), "enrolment-a", 0)
	if err != nil || len(events) != 2 {
		t.Fatal(len(events), err)
	}
	err = l.ReadAll(t.Context(), domain.Query{}, func(b domain.Batch) error { events = append(events, b.Events...); return nil })
	if err != nil || len(events) != 4 {
		t.Fatal(len(events), err)
	}
	for _, e := range events {
		if b, err := e.Recorded.MarshalJSON(); err != nil {
			t.Errorf("%s, %v", b, err)
		}
	}
	now := time.Now()
	if at, err := l.Ago(t.Context(), now, 10*day, 5*day); err != nil || now.Sub(at) != 10*day {
		t.Errorf("%s, %v", at, err)
	}
}

// A file of which the index of a table does not hold what the table does is not sound: who
// looks up by the one sees something else than who reads the other.
func TestAFileThatIsNotSound(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...); err != nil {
		t.Fatal(err)
	}
	if what, err := l.Unsound(t.Context()); what != "" || err != nil {
		t.Fatalf("as it was made: %q, %v", what, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage =
		(SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_streams_1') WHERE name = 'sqlite_autoindex_types_1'`)
	l = openAt(t, path)
	defer l.Close()
	if what, err := l.Unsound(t.Context()); what == "" || err != nil {
		t.Errorf("%q, %v", what, err)
	}
}

// TestForeignFile: what is no log of ours is refused and left as it was.
func TestForeignFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		make func(t *testing.T, path string)
		want error
	}{
		"no database": {func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte("name,email\nthis is somebody's list, and no database at all\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, store.ErrForeign},
		"another database": {func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, "CREATE TABLE contacts (name)")
		}, store.ErrForeign},
		"another application": {func(t *testing.T, path string) {
			t.Helper()
			execute(t, path, "PRAGMA application_id = 252006674; PRAGMA user_version = 1")
		}, store.ErrForeign},
		"a newer log": {func(t *testing.T, path string) {
			t.Helper()
			if err := openAt(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			execute(t, path, "PRAGMA user_version = 99")
		}, store.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log.db")
			test.make(t, path)
			before, err := os.ReadFile(path) //nolint:gosec // our own file
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.OpenSQLite(t.Context(), path); !errors.Is(err, test.want) {
				t.Errorf("%v instead of %v", err, test.want)
			}
			after, err := os.ReadFile(path) //nolint:gosec // our own file
			if err != nil || string(before) != string(after) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

// TestCreatedAtOnce: many handles that find no file make one log together.
func TestCreatedAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	ids := make([]string, 6)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			l, err := store.OpenSQLite(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			info, err := l.Info(t.Context())
			if err != nil {
				t.Error(err)
			}
			ids[i] = info.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if len(id) != 36 || id != ids[0] {
			t.Fatalf("ids %q", ids)
		}
	}
}

func TestFilesAreOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openAt(t, filepath.Join(dir, "log.db"))
	defer l.Close()
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil || info.Mode() != fs.FileMode(0o600) {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	empty, err := l.Info(t.Context())
	if err != nil || empty.Events != 0 || empty.Streams != 0 || empty.Created.IsZero() {
		t.Fatalf("%+v, %v", empty, err)
	}
	for i := range 3 {
		if _, err := l.Append(t.Context(), childStream(i), domain.NoStream, pair(1, 1)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openAt(t, path)
	defer l.Close()
	info, err := l.Info(t.Context())
	if err != nil || info.Events != 6 || info.Streams != 3 || info.Bytes < 4096 ||
		info.ID != empty.ID || !info.Created.Equal(empty.Created) {
		t.Fatalf("%+v, %v", info, err)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a log, with % ? # and é.db")
	l, err := store.Open(t.Context(), "sqlite:"+path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	for _, url := range []string{"", "sqlite:", "sqlite://host/log.db", "esdb:", "log.db", "postgres://x"} {
		if _, err := store.Open(t.Context(), url, store.Options{}); !errors.Is(err, store.ErrScheme) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if _, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "no", "such", "log.db"), store.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestLocked: while somebody else keeps the file locked, an append ends with
// its context, and is not recorded; then it goes on.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	db := sql(t, path)
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := l.Append(ctx, "enrolment-a", domain.NoStream, pair(1, 1)...)
		ended <- err
	}()
	if _, err := l.Head(t.Context()); err != nil { // readers do not wait
		t.Error(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, domain.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v instead of unavailable, cancelled", err)
	}
	if err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if a, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 2)...); err != nil || a.Position != 2 {
		t.Errorf("%v, %v", a, err)
	}
}

// TestLockedTooLong waits as long as an append does.
func TestLockedTooLong(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	path := filepath.Join(t.TempDir(), "log.db")
	l := openAt(t, path)
	defer l.Close()
	db := sql(t, path)
	if err := db.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...); !errors.Is(err, domain.ErrUnavailable) || !errors.Is(err, sqlite3.BUSY) {
		t.Errorf("%v instead of unavailable", err)
	}
}

func sql(t *testing.T, path string) *sqlite3.Conn {
	t.Helper()
	db, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // nothing is kept
	return db
}

func execute(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Exec(statements), db.Close()); err != nil {
		t.Fatal(err)
	}
}
