package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// everything returns what a log holds, up to a position, 0: all.
func everything(t *testing.T, l *store.SQLite, through domain.Position) (all []string) {
	t.Helper()
	err := l.ReadAll(t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			if through == 0 || e.Position <= through {
				all = append(all, fmt.Sprintf("%d %s %d %s %s %s %s %s", e.Position, e.Stream, e.Revision, e.ID, e.Type, e.Recorded, e.Data, e.Metadata))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Two other processes append while copies are made: each copy is the log as it was at
// one moment, with all that was acknowledged before.
func TestBackupWhileOthersAppend(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "log.db")
	l := openAt(t, path)
	defer l.Close()
	id := info(t, l).ID
	_, one := play(t, "append", path)
	for range 3 {
		for range 40 {
			if !one.Scan() {
				t.Fatal("the other process has ended")
			}
		}
		before, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(dir, fmt.Sprintf("copy %d.db", before))
		head, err := l.Backup(t.Context(), copied, nil)
		if err != nil || head < before {
			t.Fatalf("copied to %d, the log was at %d: %v", head, before, err)
		}
		if stat, err := os.Stat(copied); err != nil || stat.Mode() != fs.FileMode(0o600) {
			t.Errorf("%v, %v", stat, err)
		}
		if beside, err := filepath.Glob(copied + "?*"); err != nil || len(beside) > 0 {
			t.Errorf("beside the copy: %v, %v", beside, err)
		}
		c := openAt(t, copied)
		if at, err := c.Head(t.Context()); err != nil || at != head || info(t, c).ID != id {
			t.Errorf("the copy is at %d instead of %d, with id %s instead of %s: %v", at, head, info(t, c).ID, id, err)
		}
		if got, want := everything(t, c, 0), everything(t, l, head); !slices.Equal(got, want) {
			t.Errorf("the copy holds %d other events than the %d of the log", len(got), len(want))
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func info(t *testing.T, l *store.SQLite) store.Info {
	t.Helper()
	i, err := l.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestABackupThatIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := openAt(t, filepath.Join(dir, "log.db"))
	if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...); err != nil {
		t.Fatal(err)
	}
	there, none := filepath.Join(dir, "there"), filepath.Join(dir, "none")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Backup(t.Context(), there, nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if b, err := os.ReadFile(there); err != nil || string(b) != "mine" { //nolint:gosec // our own file
		t.Errorf("the file holds %q now, %v", b, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Backup(ctx, none, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Backup(t.Context(), none, nil); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("a closed log: %v", err)
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was left: %v", err)
	}
}
