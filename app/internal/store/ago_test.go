package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
)

// A dated log can say what has passed by its own events.
type dated interface {
	Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error)
	Ago(ctx context.Context, now time.Time, span, silence time.Duration) (time.Time, error)
}

// record has a stream of a log hold events of some moments.
func record(t *testing.T, l dated, stream string, at ...time.Time) {
	t.Helper()
	events := make([]domain.Recorded, len(at))
	for i := range at {
		events[i] = domain.Recorded{
			Message: domain.Message{
				ID: domain.EventID(uuid.New()), Type: "LoginBegun", Data: []byte(`{}`), Metadata: []byte(`{"schema":1}`),
			},
			Stream: stream, Revision: domain.Revision(i), Recorded: at[i],
		}
	}
	if _, err := l.Import(t.Context(), stream, domain.NoStream, events...); err != nil {
		t.Fatal(err)
	}
}

// Both kinds of logs say the same of what has passed, and neither believes more of a
// clock than it bears out.
func TestWhatHasPassed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		at   []time.Time
		want time.Duration // before now, of 30 days, with silences of 10
	}{
		"nothing was ever recorded":             {nil, 30 * day},
		"something every week":                  {[]time.Time{ago(40 * day), ago(33 * day), ago(26 * day), ago(19 * day), ago(12 * day), ago(5 * day)}, 30 * day},
		"nothing for fifty days":                {[]time.Time{ago(71 * day), ago(64 * day), ago(57 * day), ago(50 * day)}, 70 * day},
		"in two silences":                       {[]time.Time{ago(100 * day), ago(50 * day), ago(49 * day)}, 109 * day},
		"all of it lies ahead":                  {[]time.Time{now.Add(day), now.Add(2000 * day)}, 30 * day},
		"something ahead, and nothing for long": {[]time.Time{ago(50 * day), now.Add(2000 * day), ago(49 * day)}, 69 * day},
		"in another order":                      {[]time.Time{ago(50 * day), ago(64 * day), ago(71 * day), ago(57 * day)}, 70 * day},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := openAt(t, filepath.Join(t.TempDir(), "log.db"))
			t.Cleanup(func() { _ = file.Close() })
			for kind, l := range map[string]dated{"file": file, "server": openESDB(t, esdbtest.Start(t, esdbtest.Options{}).URL(), store.Options{})} {
				if c.at != nil {
					record(t, l, "login-a", c.at...)
				}
				if at, err := l.Ago(t.Context(), now, 30*day, 10*day); err != nil || now.Sub(at) != c.want {
					t.Errorf("%s: %s ago in place of %s, %v", kind, now.Sub(at), c.want, err)
				}
			}
		})
	}
}

// Whatever was recorded when, both kinds of logs say the same of it.
func TestBothLogsSayTheSameOfWhatHasPassed(t *testing.T) {
	t.Parallel()
	file, server := openAt(t, filepath.Join(t.TempDir(), "log.db")), openESDB(t, esdbtest.Start(t, esdbtest.Options{}).URL(), store.Options{})
	t.Cleanup(func() { _ = file.Close() })
	now := time.Date(2026, 11, 17, 12, 0, 0, 0, time.UTC)
	dice := rand.New(rand.NewPCG(7, 7)) //nolint:gosec // the same each time
	minutes := func(n int64) time.Duration { return time.Duration(1+dice.Int64N(n)) * time.Minute }
	for n := range 40 {
		at := now.Add(minutes(10_000) - minutes(100_000))
		record(t, file, fmt.Sprint("login-", n), at)
		record(t, server, fmt.Sprint("login-", n), at)
		span, silence := minutes(100_000), minutes(50_000)
		a, err := file.Ago(t.Context(), now, span, silence)
		if err != nil {
			t.Fatal(err)
		}
		b, err := server.Ago(t.Context(), now, span, silence)
		if err != nil || !a.Equal(b) || now.Sub(a) < span {
			t.Fatalf("%s of %d events, with silences of %s: %s by the file, %s by the server, %v", span, n+1, silence, a, b, err)
		}
	}
}

// A server whose clock is wrong keeps nobody from knowing what is old here.
func TestWhatHasPassedOnAServerWithAnotherClock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": 2000 * day, "behind": -2000 * day} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := esdbtest.Start(t, esdbtest.Options{Clock: func() time.Time { return time.Now().Add(off) }})
			l := openESDB(t, s.URL(), store.Options{})
			if _, err := l.Append(t.Context(), "enrolment-a", domain.NoStream, pair(1, 1)...); err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			at, err := l.Ago(t.Context(), now, 30*day, 10*day)
			if behind := off < 0; err != nil || behind != at.Before(now.Add(-1000*day)) || at.After(now.Add(-30*day)) {
				t.Errorf("%s, %v", at, err)
			}
		})
	}
}
