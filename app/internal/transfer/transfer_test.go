package transfer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/app/internal/transfer"
	"github.com/keydesk/keydesk/domain"
)

var ages = map[string]time.Duration{"login-": 400 * 24 * time.Hour}

// A log is what both kinds of logs can do.
type log interface {
	store.Log
	transfer.Log
}

func file(t *testing.T) log {
	t.Helper()
	l, err := store.Open(t.Context(), store.Scheme+filepath.Join(t.TempDir(), "log.db"), store.Options{MaxAge: ages})
	return opened(t, l, err)
}

func server(t *testing.T) log {
	t.Helper()
	s := esdbtest.Start(t, esdbtest.Options{})
	l, err := store.Open(t.Context(), s.URL(), store.Options{MaxAge: ages, Prefix: "town-"})
	return opened(t, l, err)
}

func opened(t *testing.T, l store.Log, err error) log {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.(log)
}

func event(stream string, at int64, ago time.Duration, note string) domain.Recorded {
	return domain.Recorded{
		Message: domain.Message{
			ID: domain.EventID(uuid.New()), Type: "Noted", Data: fmt.Appendf(nil, `{"note": %q}`, note),
			Metadata: []byte(`{"schema":1,  "$correlationId":"` + uuid.NewString() + `"}`),
		},
		Stream: stream, Revision: domain.Revision(at),
		Recorded: time.Now().Add(-ago).UTC().Truncate(time.Microsecond),
	}
}

func put(t *testing.T, l transfer.Log, events ...domain.Recorded) {
	t.Helper()
	for _, e := range events {
		if _, err := l.Import(t.Context(), e.Stream, e.Revision-1, e); err != nil {
			t.Fatal(err)
		}
	}
}

// fill records what a house has after a while: streams that take turns, appends
// of several events, logins of which some are too old, and probes.
func fill(t *testing.T, l log, n int) {
	t.Helper()
	const day = 24 * time.Hour
	put(t, l, event("probe-hall", 0, time.Hour, "no part of the log"))
	put(t, l, event("login-old", 0, 500*day, "gone"), event("login-half", 0, 450*day, "gone"), event("login-half", 1, 20*day, "kept"))
	for i := range n {
		stream, at := fmt.Sprintf("enrolment-%d", i%7), int64(i/7)
		put(t, l, event(stream, 2*at, 300*day-time.Duration(i)*time.Second, strings.Repeat("é", i%40)),
			event(stream, 2*at+1, 300*day-time.Duration(i)*time.Second, "second"))
	}
	put(t, l, event("login-half", 2, 10*day, "kept"))
	bare := event("enrolment-bare", 0, 0, "no metadata")
	bare.Metadata = nil
	put(t, l, bare)
}

// all is what a log holds, without positions, probes, and where logins stand.
func all(t *testing.T, l log) (events []domain.Recorded) {
	t.Helper()
	err := l.ReadAll(t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			if strings.HasPrefix(e.Stream, "probe-") {
				continue
			}
			e.Data, e.Metadata, e.Position = append([]byte{}, e.Data...), append([]byte{}, e.Metadata...), 0
			if strings.HasPrefix(e.Stream, "login-") {
				e.Revision = 0
			}
			events = append(events, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func options() transfer.Options {
	return transfer.Options{MaxAge: ages, Skip: []string{store.ProbePrefix}}
}

func TestThereAndBackAgain(t *testing.T) {
	t.Parallel()
	a, b, c := file(t), server(t), file(t)
	fill(t, a, 700)
	want := all(t, a)
	for _, leg := range []struct{ from, to log }{{a, b}, {b, c}} {
		var told []transfer.Phase
		o := options()
		o.Progress = func(p transfer.Progress) {
			if len(told) == 0 || told[len(told)-1] != p.Phase {
				told = append(told, p.Phase)
			}
			if p.At > p.Head {
				t.Errorf("at %d of %d", p.At, p.Head)
			}
		}
		r, err := transfer.Copy(t.Context(), leg.from, leg.to, o)
		if err != nil || r.Copied != int64(len(want)) || r.Checked != r.Copied || r.Late != 0 || r.Found != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if len(told) != 2 || told[0] != transfer.Copying || told[1] != transfer.Checking {
			t.Errorf("told of %v", told)
		}
		if got := all(t, leg.to); !reflect.DeepEqual(got, want) {
			t.Fatalf("%d events became %d others", len(want), len(got))
		}
		if r, err := transfer.Copy(t.Context(), leg.from, leg.to, options()); err != nil || r.Copied != 0 || r.Found != int64(len(want)) {
			t.Errorf("again: %+v, %v", r, err)
		}
	}
}

// A broken target ends after some appends: the last of them it may have recorded.
type broken struct {
	transfer.Log
	left     int
	recorded bool
}

var errKilled = errors.New("killed")

func (b *broken) Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error) {
	if b.left--; b.left < 0 {
		if b.recorded {
			if _, err := b.Log.Import(ctx, stream, expected, events...); err != nil {
				return domain.Appended{}, err
			}
		}
		return domain.Appended{}, errKilled
	}
	return b.Log.Import(ctx, stream, expected, events...)
}

func TestACopyThatIsBrokenOffGoesOn(t *testing.T) {
	t.Parallel()
	for kind, target := range map[string]func(*testing.T) log{"file": file, "server": server} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			a, b := file(t), target(t)
			fill(t, a, 60)
			want := all(t, a)
			runs := 0
			for left := 0; ; left = (left + 1) % 9 {
				_, err := transfer.Copy(t.Context(), a, &broken{b, left, left%2 == 0}, options())
				if err == nil {
					break
				}
				if runs++; !errors.Is(err, errKilled) || runs > 100 {
					t.Fatalf("run %d: %v", runs, err)
				}
			}
			if got := all(t, b); runs < 5 || !reflect.DeepEqual(got, want) {
				t.Errorf("after %d runs %d events became %d others", runs, len(want), len(got))
			}
		})
	}
}

// A flaky target loses acknowledgements, and is away.
type flaky struct {
	transfer.Log
	calls int
}

func (f *flaky) Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error) {
	f.calls++
	switch f.calls % 20 {
	case 7:
		return domain.Appended{}, domain.ErrUnavailable
	case 8:
		_, err := f.Log.Import(ctx, stream, expected, events...)
		return domain.Appended{}, errors.Join(err, domain.ErrUnknownOutcome)
	}
	return f.Log.Import(ctx, stream, expected, events...)
}

func TestATargetThatIsAwayForAMoment(t *testing.T) {
	t.Parallel()
	a, b := file(t), file(t)
	fill(t, a, 30)
	if r, err := transfer.Copy(t.Context(), a, &flaky{Log: b}, options()); err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if got, want := all(t, b), all(t, a); !reflect.DeepEqual(got, want) {
		t.Errorf("%d events became %d others", len(want), len(got))
	}
}

// A moving source gets another event whenever somebody asks for its head.
type moving struct {
	log
	t     *testing.T
	times int
}

func (m *moving) Head(ctx context.Context) (domain.Position, error) {
	if m.times > 0 {
		m.times--
		put(m.t, m.log, event("enrolment-late", int64(m.times-3)*-1, 0, "late")) //nolint:contextcheck // a test helper with the context of its test
	}
	return m.log.Head(ctx)
}

func TestASourceThatStillMoves(t *testing.T) {
	t.Parallel()
	a, b := file(t), server(t)
	fill(t, a, 10)
	r, err := transfer.Copy(t.Context(), &moving{a, t, 3 + 1}, b, options())
	if err != nil || r.Late == 0 || r.Checked != r.Copied {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestATargetThatHoldsSomethingElse(t *testing.T) {
	t.Parallel()
	same := event("enrolment-1", 0, time.Hour, "one")
	next := event("enrolment-1", 1, time.Hour, "two")
	change := func(do func(*domain.Recorded)) domain.Recorded {
		e := next
		do(&e)
		return e
	}
	for what, e := range map[string]domain.Recorded{
		"the stream":            change(func(e *domain.Recorded) { e.Stream, e.Revision = "enrolment-2", 0 }),
		"the id":                change(func(e *domain.Recorded) { e.ID = domain.EventID(uuid.New()) }),
		"the type":              change(func(e *domain.Recorded) { e.Type = "Jotted" }),
		"the data":              change(func(e *domain.Recorded) { e.Data = []byte(`{"note":"two"}`) }),
		"the metadata":          change(func(e *domain.Recorded) { e.Metadata = append([]byte(" "), e.Metadata...) }),
		"the time of recording": change(func(e *domain.Recorded) { e.Recorded = e.Recorded.Add(time.Microsecond) }),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			a, b := file(t), file(t)
			put(t, a, same, next, event("enrolment-1", 2, 0, "three"))
			put(t, b, same, e)
			r, err := transfer.Copy(t.Context(), a, b, options())
			if !errors.Is(err, transfer.ErrDiffers) || !strings.Contains(err.Error(), what+" at its position 2") || r.Copied != 0 {
				t.Errorf("%+v, %v", r, err)
			}
			if _, err := transfer.Check(t.Context(), a, b, options()); !errors.Is(err, transfer.ErrDiffers) || !strings.Contains(err.Error(), what) {
				t.Errorf("the check says %v", err)
			}
			if n := len(all(t, b)); n != 2 {
				t.Errorf("it holds %d events now", n)
			}
		})
	}
}

func TestTheCheckMissesNothing(t *testing.T) {
	t.Parallel()
	a, b := file(t), file(t)
	one, two := event("enrolment-1", 0, time.Hour, "one"), event("enrolment-2", 0, time.Hour, "two")
	put(t, a, one, two)
	put(t, b, one)
	if _, err := transfer.Check(t.Context(), a, b, options()); !errors.Is(err, transfer.ErrDiffers) || !strings.Contains(err.Error(), "ends before") {
		t.Errorf("an event is missing: %v", err)
	}
	if _, err := transfer.Check(t.Context(), b, a, options()); !errors.Is(err, transfer.ErrDiffers) || !strings.Contains(err.Error(), "goes on") {
		t.Errorf("an event too much: %v", err)
	}
	if _, err := transfer.Copy(t.Context(), b, a, options()); !errors.Is(err, transfer.ErrDiffers) {
		t.Errorf("a target that is longer: %v", err)
	}
	put(t, b, two)
	if r, err := transfer.Check(t.Context(), a, b, options()); err != nil || r.Checked != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A tampered target says that it recorded what it changed.
type tampered struct{ transfer.Log }

func (m tampered) Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error) {
	if json.Valid(events[0].Data) && strings.Contains(string(events[0].Data), "second") {
		events[0].Data = []byte(`{"note": "minute"}`)
	}
	return m.Log.Import(ctx, stream, expected, events...)
}

func TestATamperedCopyIsFound(t *testing.T) {
	t.Parallel()
	a, b := file(t), file(t)
	fill(t, a, 10)
	put(t, a, event("enrolment-last", 0, 0, "second"))
	if r, err := transfer.Copy(t.Context(), a, tampered{b}, options()); !errors.Is(err, transfer.ErrDiffers) || !strings.Contains(err.Error(), "the data") {
		t.Errorf("%+v, %v", r, err)
	}
}

// Who writes to the target at the same time is noticed.
func TestSomebodyElseWrites(t *testing.T) {
	t.Parallel()
	a, b := file(t), file(t)
	fill(t, a, 10)
	other := &interfering{Log: b, do: func() { put(t, b, event("enrolment-6", 0, 0, "somebody else's")) }}
	if _, err := transfer.Copy(t.Context(), a, other, options()); !errors.Is(err, transfer.ErrWrittenTo) {
		t.Error(err)
	}
}

type interfering struct {
	transfer.Log
	do func()
}

func (i *interfering) Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error) {
	if i.do != nil {
		i.do()
		i.do = nil
	}
	return i.Log.Import(ctx, stream, expected, events...)
}
