package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// TestGatheredIsDropped rolls a transaction back of which pages have been
// gathered already, lets another handle write to the same place of the
// write-ahead log, and goes on: nothing of the other's is overwritten, which
// shows when the file is recovered as after a crash.
func TestGatheredIsDropped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	if err := openLog(t, path).Close(); err != nil { // nothing is left to read in the write-ahead log
		t.Fatal(err)
	}
	ours, other := openLog(t, path), openLog(t, path)
	w := ours.writer // does nothing while nobody appends
	// A cache of few pages makes SQLite write before the commit.
	if err := w.db.Exec(`PRAGMA cache_size = 20; BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	for i := 0; len(w.wal.bytes) == 0; i++ {
		if err := w.db.Exec(`INSERT INTO streams (name) VALUES (hex(randomblob(400)))`); err != nil || i == 10_000 {
			t.Fatal("nothing is gathered", err)
		}
	}
	if err := w.abandon(); err != nil {
		t.Fatal(err)
	}
	for i, s := range []*SQLite{other, other, ours, other} {
		if _, err := s.Append(t.Context(), person(i), domain.NoStream, faultMessage(i)); err != nil {
			t.Fatal(err)
		}
	}
	crashed := filepath.Join(t.TempDir(), "log.db")
	for _, suffix := range []string{"", "-wal"} {
		p, err := os.ReadFile(path + suffix) //nolint:gosec // our own file
		if err == nil {
			err = os.WriteFile(crashed+suffix, p, 0o600) //nolint:gosec // our own file
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []*SQLite{ours, other, openLog(t, crashed)} {
		if info, err := s.Info(t.Context()); err != nil || info.Events != 4 || info.Streams != 4 {
			t.Errorf("%+v, %v", info, err)
		}
	}
	wantWhole(t, path)
	wantWhole(t, crashed)
}

// TestGatheredMuch commits more than is gathered at once, and reads it back
// before and after.
func TestGatheredMuch(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.db")
	s := openLog(t, path)
	ms := make([]domain.Message, 3000)
	for round := range 3 {
		for i := range ms {
			ms[i] = faultMessage(round*len(ms) + i)
			ms[i].Data = make([]byte, 300)
			for j := range ms[i].Data {
				ms[i].Data[j] = ' '
			}
			ms[i].Data[0] = '1'
		}
		if _, err := s.Append(t.Context(), person(round), domain.NoStream, ms...); err != nil {
			t.Fatal(err)
		}
		if len(s.writer.wal.bytes) != 0 {
			t.Error("a commit left something gathered")
		}
		if events, err := s.ReadStream(t.Context(), person(round), 0); err != nil || len(events) != len(ms) {
			t.Errorf("%d events, %v", len(events), err)
		}
	}
	wantWhole(t, path)
}

func openLog(t *testing.T, path string) *SQLite {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // after the checks
	return s
}

// wantWhole lets SQLite check the file on a connection of its own.
func wantWhole(t *testing.T, path string) {
	t.Helper()
	db, err := sqlite3.Open("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stmt, _, err := db.Prepare(`PRAGMA integrity_check`)
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	if !stmt.Step() || stmt.ColumnText(0) != "ok" {
		t.Errorf("integrity: %s %v", stmt.ColumnText(0), stmt.Err())
	}
}
