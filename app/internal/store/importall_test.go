package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// interleaved makes events of some streams, taking turns.
func interleaved(streams, each int) []domain.Recorded {
	at := time.Date(2026, 3, 2, 8, 0, 0, 7000, time.UTC)
	var events []domain.Recorded
	for r := range each {
		for s := range streams {
			at = at.Add(time.Second)
			events = append(events, domain.Recorded{
				Message: domain.Message{
					ID:   domain.EventIDFor(domain.CommandID{byte(s), byte(s >> 8), 9}, r),
					Type: "NameSet", Data: []byte(`{"name":1}`), Metadata: []byte(`{"at":1}`),
				},
				Stream: fmt.Sprintf("enrolment-%d", s), Revision: domain.Revision(r), Recorded: at,
			})
		}
	}
	return events
}

func TestImportAllKeepsOrderAndTimes(t *testing.T) {
	t.Parallel()
	l := openAt(t, filepath.Join(t.TempDir(), "log.db"))
	defer l.Close()
	events := interleaved(700, 8)
	for range 2 { // again: nothing changes
		if err := l.ImportAll(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	n, at := 0, domain.Position(0)
	err := l.ReadAll(t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, got := range b.Events {
			want := events[n]
			n, at = n+1, at+1
			if got.Position != at || got.ID != want.ID || got.Stream != want.Stream || got.Revision != want.Revision || !got.Recorded.Equal(want.Recorded) {
				return fmt.Errorf("at %d: %+v in the place of %+v", n, got, want)
			}
		}
		return nil
	})
	if err != nil || n != len(events) {
		t.Errorf("%d events: %v", n, err)
	}
}

// What is refused has nothing behind it recorded, so that the order stays when the same
// events come again.
func TestImportAllStopsAtWhatIsRefused(t *testing.T) {
	t.Parallel()
	l := openAt(t, filepath.Join(t.TempDir(), "log.db"))
	defer l.Close()
	events := interleaved(3, 4)
	wrong := slices.Clone(events)
	wrong[4].Revision = 7
	if err := l.ImportAll(t.Context(), wrong); !errors.Is(err, domain.ErrConflict) {
		t.Fatal(err)
	}
	if at, err := l.Head(t.Context()); err != nil || at != 4 {
		t.Fatalf("recorded up to %d: %v", at, err)
	}
	if err := l.ImportAll(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := l.ReadAll(t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, got := range b.Events {
			if want := events[n]; got.ID != want.ID || got.Stream != want.Stream {
				t.Errorf("at %d: %+v in the place of %+v", n, got, want)
			}
			n++
		}
		return nil
	})
	if err != nil || n != len(events) {
		t.Errorf("%d events: %v", n, err)
	}
}

func TestImportAllRefuses(t *testing.T) {
	t.Parallel()
	l := openAt(t, filepath.Join(t.TempDir(), "log.db"))
	defer l.Close()
	if err := l.ImportAll(t.Context(), nil); err != nil {
		t.Errorf("nothing at all: %v", err)
	}
	gap := interleaved(1, 3)
	gap[2].Revision = 5
	if err := l.ImportAll(t.Context(), gap); !errors.Is(err, domain.ErrConflict) {
		t.Errorf("with a gap: %v", err)
	}
	bad := interleaved(2, 2)
	bad[3].Data = []byte("{")
	head, _ := l.Head(t.Context())
	if err := l.ImportAll(t.Context(), bad); !errors.Is(err, store.ErrMessage) {
		t.Errorf("what is no JSON: %v", err)
	}
	if now, err := l.Head(t.Context()); err != nil || now != head {
		t.Errorf("recorded up to %d before, and %d after: %v", head, now, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.ImportAll(t.Context(), interleaved(3, 3)); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("when it is closed: %v", err)
	}
}
