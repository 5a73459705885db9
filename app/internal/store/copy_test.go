package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
)

// populate appends to several streams in turn, in runs of one to five events.
func populate(t *testing.T, l store.Log, appends int) {
	t.Helper()
	next := map[string]domain.Revision{}
	for i := range appends {
		stream := fmt.Sprintf("enrolment-%d", i*7%5)
		ms := newMessages(1 + i%5)
		at, ok := next[stream]
		if !ok {
			at = domain.NoStream
		}
		a, err := l.Append(t.Context(), stream, at, ms...)
		if err != nil {
			t.Fatal(err)
		}
		next[stream] = a.Revision
	}
}

func silent(store.Progress) {}

func verified(t *testing.T, from, to store.Log) int {
	t.Helper()
	n, err := store.Verify(t.Context(), from, to, silent)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// From the file to a server, and back to another file: all is the same.
func TestCopyThereAndBack(t *testing.T) {
	t.Parallel()
	first := openAt(t, filepath.Join(t.TempDir(), "a.db"))
	second := openESDB(t, esdbtest.Start(t, esdbtest.Options{}).URL(), store.Options{})
	third := openAt(t, filepath.Join(t.TempDir(), "b.db"))
	populate(t, first, 100)
	for _, way := range []struct {
		from store.Log
		to   store.Target
	}{{first, second}, {second, third}} {
		if n, err := store.Copy(t.Context(), way.from, way.to, silent); err != nil || n != 300 {
			t.Fatalf("%d events, %v", n, err)
		}
		if n := verified(t, way.from, way.to); n != 300 {
			t.Errorf("%d events were compared", n)
		}
		if n, err := store.Copy(t.Context(), way.from, way.to, silent); err != nil || n != 0 {
			t.Errorf("again: %d events, %v", n, err)
		}
	}
	if n := verified(t, first, third); n != 300 {
		t.Errorf("%d events came back", n)
	}
}

// A target whose import fails, or whose answer is lost, now and then.
type brittleTarget struct {
	store.Target
	calls, fails int
}

func (b *brittleTarget) Import(ctx context.Context, stream string, at domain.Revision, events ...domain.Recorded) (domain.Appended, error) {
	b.calls++
	if b.calls == b.fails {
		return domain.Appended{}, domain.ErrUnavailable
	}
	a, err := b.Target.Import(ctx, stream, at, events...)
	if b.calls == b.fails+1 {
		return domain.Appended{}, errors.Join(domain.ErrUnknownOutcome, err)
	}
	return a, err
}

// Interrupted at any append, or left without an answer, a copy goes on where it
// was, and an event that comes during the copy comes along.
func TestCopyGoesOn(t *testing.T) {
	t.Parallel()
	from := openAt(t, filepath.Join(t.TempDir(), "a.db"))
	populate(t, from, 30)
	to := openAt(t, filepath.Join(t.TempDir(), "b.db"))
	copied := 0
	for fails := 1; ; fails += 5 {
		n, err := store.Copy(t.Context(), from, &brittleTarget{to, 0, fails}, silent)
		copied += n
		if err == nil {
			break
		}
		if !errors.Is(err, domain.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if n := verified(t, from, to); n != copied || n == 0 {
		t.Errorf("%d events copied, %d there", copied, n)
	}
	late := false
	if n, err := store.Copy(t.Context(), from, to, func(store.Progress) {
		if !late {
			late = true
			if _, err := from.Append(t.Context(), "enrolment-late", domain.NoStream, newMessages(1)...); err != nil {
				t.Error(err)
			}
		}
	}); err != nil || n != 1 {
		t.Errorf("%d late events, %v", n, err)
	}
	verified(t, from, to)
}

// What the target has of its own, what it lacks and what was changed is found.
func TestCopyFindsWhatDiffers(t *testing.T) {
	t.Parallel()
	from := openAt(t, filepath.Join(t.TempDir(), "a.db"))
	populate(t, from, 20)
	var all []domain.Recorded
	err := from.ReadAll(t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			e.Data, e.Metadata = append([]byte(nil), e.Data...), append([]byte(nil), e.Metadata...)
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]domain.Recorded) []domain.Recorded{
		"one more":      func(es []domain.Recorded) []domain.Recorded { return append(es, other("enrolment-x")) },
		"a foreign one": func([]domain.Recorded) []domain.Recorded { return []domain.Recorded{other("enrolment-x")} },
		"other data":    func(es []domain.Recorded) []domain.Recorded { es[9].Data = []byte(`{"n":99}`); return es },
		"other metadata": func(es []domain.Recorded) []domain.Recorded {
			es[9].Metadata = []byte(`{"station":"x"}`)
			return es
		},
		"another type": func(es []domain.Recorded) []domain.Recorded { es[9].Type = "CodeSent"; return es },
		"another id":   func(es []domain.Recorded) []domain.Recorded { es[9].ID[0] ^= 1; return es },
		"another time": func(es []domain.Recorded) []domain.Recorded {
			es[9].Recorded = es[9].Recorded.Add(time.Millisecond)
			return es
		},
		"another order": func(es []domain.Recorded) []domain.Recorded { return append(es[1:2:2], es[0]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := openAt(t, filepath.Join(t.TempDir(), "b.db"))
			next := map[string]domain.Revision{}
			for _, e := range change(append([]domain.Recorded(nil), all...)) {
				a, err := to.Import(t.Context(), e.Stream, next[e.Stream]-1, e)
				if err != nil {
					t.Fatal(err)
				}
				next[e.Stream] = a.Revision + 1
			}
			if _, err := store.Verify(t.Context(), from, to, silent); !errors.Is(err, store.ErrDiffers) {
				t.Errorf("verified: %v", err)
			}
			if n, err := store.Copy(t.Context(), from, to, silent); !errors.Is(err, store.ErrDiffers) || n != 0 {
				t.Errorf("copied %d: %v", n, err)
			}
		})
	}
	empty := openAt(t, filepath.Join(t.TempDir(), "c.db"))
	if _, err := store.Verify(t.Context(), from, empty, silent); !errors.Is(err, store.ErrDiffers) {
		t.Errorf("an empty copy is verified: %v", err)
	}
}

func other(stream string) domain.Recorded {
	return domain.Recorded{Message: newMessages(1)[0], Stream: stream, Recorded: time.Now()}
}
