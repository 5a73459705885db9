package store_test

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/app/internal/store/storetest"
)

// realServer names the environment variable with the connection string of a
// server to test against instead of the one in the process.
const realServer = "KEYDESK_TEST_ESDB"

func TestESDB(t *testing.T) {
	t.Parallel()
	url := os.Getenv(realServer)
	if url == "" {
		url = esdbtest.Start(t, esdbtest.Options{}).URL()
	}
	storetest.Run(t, func(t *testing.T) func(*testing.T) storetest.Log {
		t.Helper()
		prefix := randomPrefix()
		return func(t *testing.T) storetest.Log {
			t.Helper()
			return openESDB(t, url, store.Options{Prefix: prefix, MaxAge: brief})
		}
	})
}

// randomPrefix is what makes a shared server an empty log for one test.
func randomPrefix() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "test" + hex.EncodeToString(b[:]) + "-"
}

// openESDB opens a log until the test ends.
func openESDB(tb testing.TB, url string, o store.Options) *store.ESDB {
	tb.Helper()
	l, err := store.OpenESDB(tb.Context(), url, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() }) // many tests have done so themselves
	return l
}
