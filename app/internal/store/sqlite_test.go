package store_test

import (
	"path/filepath"
	"testing"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) func(*testing.T) storetest.Log {
		t.Helper()
		path := filepath.Join(t.TempDir(), "log.db")
		return func(t *testing.T) storetest.Log {
			t.Helper()
			return openAt(t, path)
		}
	})
}

func openAt(t *testing.T, path string) *store.SQLite {
	t.Helper()
	l, err := store.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
