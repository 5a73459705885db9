package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/app/internal/store/storetest"
	"github.com/keydesk/keydesk/domain"
)

// realServer names the environment variable with the connection string of a
// server to test against instead of the one in the process.
const realServer = "KEYDESK_TEST_ESDB"

// serverURL is for tests that want nothing of a server but that it works.
func serverURL(t *testing.T) string {
	t.Helper()
	if url := os.Getenv(realServer); url != "" {
		return url
	}
	return esdbtest.Start(t, esdbtest.Options{}).URL()
}

func TestESDB(t *testing.T) {
	t.Parallel()
	conform(t, serverURL(t))
}

// The same on a server whose checkpoints are all places of records, and that takes any
// position.
func TestLaxESDB(t *testing.T) {
	t.Parallel()
	conform(t, esdbtest.Start(t, esdbtest.Options{Lax: true}).URL())
}

func conform(t *testing.T, url string) {
	t.Helper()
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

// A follower to whom nothing happens is told every second that it is at the
// head, also when all that is appended is held back by its filter: who asks how
// fresh an answer is, is told by the last of these.
func TestESDBPulse(t *testing.T) {
	t.Parallel()
	_, l := startESDB(t, store.Options{})
	enough := errors.New("enough")
	var past, last domain.Position
	pulses := 0
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := l.Follow(ctx, domain.Query{Prefix: "enrolment-"}, func(b domain.Batch) error {
		if past == 0 && b.Live {
			a, err := l.Append(ctx, "station-a", domain.NoStream, newMessage("StationOpened"))
			past = a.Position
			return err
		}
		if len(b.Events) > 0 {
			t.Errorf("%d events of others", len(b.Events))
		}
		if b.Live && b.Through >= past && b.Through == last { // nothing happened
			pulses++
		}
		last = b.Through
		if pulses == 3 {
			return enough
		}
		return nil
	})
	if err != enough { //nolint:errorlint // it comes back as it is
		t.Errorf("%v after %d pulses", err, pulses)
	}
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
