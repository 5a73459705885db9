package factor_test

import (
	"bytes"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
)

func TestTheMapAgreesWithTheDeciderAfterEveryEvent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := factor.New()
		for _, f := range foldtest.Random(draw(t)) {
			m.Apply([]domain.Recorded{f.Event}, f.Event.Position)
			got := m.Lookup(f.Subject)
			want := f.State.Factor()
			if got.Factor != want || got.Revision != f.Event.Revision || got.Position != f.Event.Position || got.Through != f.Event.Position {
				t.Fatalf("after %s: got %+v, want %s at %d", f.Event.Type, got, want, f.Event.Revision)
			}
			frozen := f.State.Frozen != ""
			if (got.State == factor.Erased) != f.State.Erased {
				t.Fatalf("after %s: state %s", f.Event.Type, got.State)
			}
			if active := got.State == factor.Active; active != (want != enrolment.NoFactor) || (got.State == factor.Frozen) != frozen || got.State == factor.Unknown {
				t.Fatalf("after %s: state %s with factor %s", f.Event.Type, got.State, want)
			}
		}
	})
}

func TestAnyBatchesOfTheSameEventsGiveTheSameMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := foldtest.Events(foldtest.Random(draw(t)))
		whole, parts := factor.New(), factor.New()
		whole.Apply(events, 0)
		for from := 0; from < len(events); {
			to := rapid.IntRange(from+1, len(events)).Draw(t, "to")
			again := rapid.IntRange(0, from).Draw(t, "again") // some of it a second time
			parts.Apply(events[again:to], events[to-1].Position)
			from = to
		}
		mustEqual(t, parts, whole)
	})
}

func TestASnapshotAndTheRestAreTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := foldtest.Events(foldtest.Random(draw(t)))
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		whole, first := factor.New(), factor.New()
		whole.Apply(events, 0)
		first.Apply(events[:cut], 0)
		rest := reload(t, first)
		if cut > 0 && rest.Position() != events[cut-1].Position {
			t.Fatalf("loaded at %d, want %d", rest.Position(), events[cut-1].Position)
		}
		rest.Apply(events, 0)
		mustEqual(t, rest, whole)
	})
}

// Two logs that hold each person's events in the same order, but the people's
// in different ones, say the same about everybody.
func TestTwoInterleavingsSayTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := foldtest.Random(draw(t))
		byPerson := map[domain.SubjectID][]domain.Recorded{}
		var people []domain.SubjectID
		for _, f := range facts {
			if byPerson[f.Subject] == nil {
				people = append(people, f.Subject)
			}
			byPerson[f.Subject] = append(byPerson[f.Subject], f.Event)
		}
		one, other := factor.New(), factor.New()
		one.Apply(foldtest.Events(facts), 0)
		for n := range facts {
			waiting := make([]domain.SubjectID, 0, len(people))
			for _, id := range people {
				if len(byPerson[id]) > 0 {
					waiting = append(waiting, id)
				}
			}
			id := rapid.SampledFrom(waiting).Draw(t, "next")
			e := byPerson[id][0]
			byPerson[id] = byPerson[id][1:]
			e.Position = domain.Position(n + 1)
			other.Apply([]domain.Recorded{e}, 0)
		}
		for _, id := range people {
			a, b := one.Lookup(id), other.Lookup(id)
			a.Position, a.Through, b.Position, b.Through = 0, 0, 0, 0
			if a != b {
				t.Fatalf("%+v and %+v", a, b)
			}
		}
	})
}

func TestWhatCannotBeUnderstoodParksOnePersonOnly(t *testing.T) {
	t.Parallel()
	const broken = 3 // revision
	for _, c := range []struct {
		name  string
		spoil func(e *domain.Recorded)
	}{
		{"an unknown type", func(e *domain.Recorded) { e.Type = "HairDyed" }},
		{"a known type that cannot be read", func(e *domain.Recorded) { e.Type, e.Data = "FactorChosen", []byte(`{"factor":`) }},
		{"a field of the wrong kind", func(e *domain.Recorded) { e.Type, e.Data = "PocketRevoked", []byte(`{"device":1}`) }},
		{"a gap", func(e *domain.Recorded) { e.Revision++ }},
		{"a revision that was there", func(e *domain.Recorded) { e.Revision-- }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			events := foldtest.Even(2, 0)
			stream := domain.EnrolmentStream(foldtest.Subject(0))
			var bad domain.Recorded
			var last domain.Position // what comes later is told, too
			for i := range events {
				e := &events[i]
				if e.Stream == stream && e.Revision == broken {
					c.spoil(e)
					bad = *e
				}
				if e.Stream == stream {
					last = e.Position
				}
			}
			m := factor.New()
			m.Apply(events, 0)
			m = reload(t, m) // a snapshot keeps it so
			got := m.Lookup(foldtest.Subject(0))
			want := factor.Answer{
				Subject: foldtest.Subject(0), Factor: enrolment.NoFactor, State: factor.Unknown,
				Since: bad.Recorded, Revision: broken - 1, Position: last, Through: events[len(events)-1].Position,
			}
			if got != want {
				t.Errorf("parked: got %+v, want %+v", got, want)
			}
			if other := m.Lookup(foldtest.Subject(1)); other.State != factor.Active || other.Factor != enrolment.SMS {
				t.Errorf("the other one: %+v", other)
			}
			if got, want := m.Counts(), (factor.Counts{People: 2, SMS: 1, Parked: 1}); got != want {
				t.Errorf("counts: got %+v, want %+v", got, want)
			}
		})
	}
}

func TestAParkedPersonWhoHadAFactorHasNoneAnyMore(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(1, 1)
	m := factor.New()
	m.Apply(events, 0)
	if got := m.Lookup(foldtest.Subject(0)); got.Factor != enrolment.Pocket || !got.Since.Equal(events[len(events)-1].Recorded) {
		t.Fatalf("before: %+v", got)
	}
	last := events[len(events)-1]
	last.Type, last.Revision, last.Position = "AccountFrozenInAWayOfTheFuture", last.Revision+1, last.Position+1
	m.Apply([]domain.Recorded{last}, 0)
	if got := m.Lookup(foldtest.Subject(0)); got.Factor != enrolment.NoFactor || got.State != factor.Unknown {
		t.Errorf("after: %+v", got)
	}
	if got, want := m.Counts(), (factor.Counts{People: 1, Parked: 1}); got != want {
		t.Errorf("counts: got %+v, want %+v", got, want)
	}
}

func TestWhoeverIsNotInTheLogIsNobody(t *testing.T) {
	t.Parallel()
	m := factor.New()
	m.Apply(nil, 7)
	want := factor.Answer{Subject: foldtest.Subject(0), Factor: enrolment.NoFactor, Revision: domain.NoStream, Through: 7}
	if got := m.Lookup(foldtest.Subject(0)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	m.Apply([]domain.Recorded{{Stream: "enrolment-no-id", Position: 8}}, 8)
	if got, want := m.Counts(), (factor.Counts{Strays: 1}); got != want {
		t.Errorf("counts: got %+v, want %+v", got, want)
	}
}

func TestChangedTellsWhatIsNew(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(9, 0) // the ninth comes after the first eight are done
	m := factor.New()
	m.Apply(events, 0)
	eight := domain.Position(8 * foldtest.EventsAPerson)
	var got []domain.SubjectID
	m.Snapshot().Changed(eight, func(a factor.Answer) bool {
		got = append(got, a.Subject)
		return true
	})
	if len(got) != 1 || got[0] != foldtest.Subject(8) {
		t.Errorf("after %d: %v", eight, got)
	}
	n := 0
	m.Snapshot().Changed(0, func(factor.Answer) bool { n++; return n < 5 })
	if n != 5 {
		t.Errorf("went on to %d after being told to stop", n)
	}
}

func TestManyMayAskWhileOneApplies(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(2000, 2)
	m := factor.New()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				a := m.Lookup(foldtest.Subject(n % 2000))
				if a.State == factor.Unknown || a.Position > a.Through || (a.State == factor.Active) != (a.Factor != enrolment.NoFactor) {
					t.Errorf("in between: %+v", a)
					return
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			s := m.Snapshot()
			n := 0
			s.Changed(0, func(a factor.Answer) bool {
				n++
				if a.Position > s.Position() {
					t.Errorf("a snapshot at %d holds %+v", s.Position(), a)
				}
				return true
			})
		}
	})
	for len(events) > 0 {
		n := min(100, len(events))
		m.Apply(events[:n], 0)
		events = events[n:]
	}
	close(done)
	wg.Wait()
}

func TestLookupDoesNotAllocate(t *testing.T) { //nolint:paralleltest // counts allocations
	m := factor.New()
	m.Apply(foldtest.Even(10, 2), 0)
	for n := range 11 {
		if allocs := testing.AllocsPerRun(100, func() { m.Lookup(foldtest.Subject(n)) }); allocs != 0 {
			t.Errorf("person %d: %v allocations", n, allocs)
		}
	}
}

func mustEqual(t rapid.TB, got, want *factor.Map) {
	t.Helper()
	if !bytes.Equal(encode(t, got), encode(t, want)) || got.Counts() != want.Counts() {
		t.Fatalf("the maps differ: %+v and %+v", got.Counts(), want.Counts())
	}
}

func encode(t rapid.TB, m *factor.Map) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := m.Snapshot().Encode(&file, domain.EventID{1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func reload(t rapid.TB, m *factor.Map) *factor.Map {
	t.Helper()
	loaded, at, err := factor.Decode(bytes.NewReader(encode(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	if want := (factor.Mark{Position: m.Snapshot().Position(), Event: domain.EventID{1, 2, 3}}); at != want {
		t.Fatalf("marked %+v, want %+v", at, want)
	}
	return loaded
}

func draw(t *rapid.T) foldtest.Draw {
	return func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }
}
