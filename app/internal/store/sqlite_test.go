package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/storetest"
	"github.com/keydesk/keydesk/domain"
)

// brief is what the suite wants of a log: see storetest.Brief.
var brief = map[string]time.Duration{storetest.Brief: storetest.BriefAge}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) func(*testing.T) storetest.Log {
		t.Helper()
		path := filepath.Join(t.TempDir(), "log.db")
		return func(t *testing.T) storetest.Log {
			t.Helper()
			l, err := store.Open(t.Context(), store.Scheme+path, store.Options{MaxAge: brief})
			if err != nil {
				t.Fatal(err)
			}
			return l.(*store.SQLite)
		}
	})
}

// The embedded log has no records but its events: its head is the last one,
// and 0 when there is none.
func TestSQLiteHead(t *testing.T) {
	t.Parallel()
	l := openAt(t, filepath.Join(t.TempDir(), "log.db"))
	defer l.Close()
	if head, err := l.Head(t.Context()); err != nil || head != 0 {
		t.Fatalf("head %d, %v", head, err)
	}
	a, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, domain.Message{ID: domain.EventID{1}, Type: "NameSet", Data: []byte("{}")})
	if head, errHead := l.Head(t.Context()); err != nil || errHead != nil || head != a.Position {
		t.Fatalf("head %d instead of %d: %v, %v", head, a.Position, err, errHead)
	}
}

func openAt(t *testing.T, path string) *store.SQLite {
	t.Helper()
	l, err := store.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
