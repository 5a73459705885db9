package replay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/replay"
)

const (
	lock  = 4 // foldtest.Policy
	probe = "probe-"
)

// A memory is a log that is read, and nothing else.
type memory struct {
	events []domain.Recorded
	read   int // events that were given
	batch  int
}

func (m *memory) ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	var b domain.Batch
	b.Through = q.After
	for i, e := range m.events {
		if e.Position <= q.After || q.Until > 0 && e.Position > q.Until {
			continue
		}
		b.Through = e.Position
		if strings.HasPrefix(e.Stream, q.Prefix) {
			m.read++
			if !q.Metadata {
				e.Metadata, e.ID = nil, domain.EventID{}
			}
			b.Events = append(b.Events, e)
		}
		if len(b.Events) >= max(1, m.batch) && i < len(m.events)-1 {
			if err := yield(b); err != nil {
				return err
			}
			b.Events = nil
		}
	}
	b.Live = true
	return errors.Join(yield(b), ctx.Err())
}

func (m *memory) ReadStream(_ context.Context, stream string, from domain.Revision) ([]domain.Recorded, error) {
	var events []domain.Recorded
	for _, e := range m.events {
		if e.Stream == stream && e.Revision >= from {
			events = append(events, e)
		}
	}
	return events, nil
}

// A shelf is a Keeper in memory.
type shelf struct {
	mu     sync.Mutex
	things map[string][]byte
	broken error
	opened int
}

type thing struct{ *bytes.Reader }

func (thing) Close() error { return nil }

func (s *shelf) Names() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.things)), s.broken
}

func (s *shelf) Open(name string) (replay.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.things[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	s.opened++
	return thing{bytes.NewReader(b)}, s.broken
}

func (s *shelf) Keep(name string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	if s.things == nil {
		s.things = map[string][]byte{}
	}
	s.things[name] = b.Bytes()
	return nil
}

func (s *shelf) Drop(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.things, name)
	return nil
}

// record draws a log: what people did, and between that what else there is; the clock is
// set back now and then.
func record(t *rapid.T) []domain.Recorded {
	events := foldtest.Events(foldtest.Random(func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }))
	var all []domain.Recorded
	var at domain.Position
	for i := range events {
		e := events[i]
		for range rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "others") {
			other := e
			other.Message = domain.Message{ID: domain.EventIDFor(domain.CommandID{9}, len(all)), Type: "LoginFailed", Data: []byte(`{}`)}
			other.Stream = rapid.SampledFrom([]string{"login-" + foldtest.Subject(0).String(), "station-hall", "service", probe + "doctor"}).Draw(t, "stream")
			other.Revision = domain.Revision(len(all))
			at += domain.Position(rapid.Uint64Range(1, 3).Draw(t, "gap"))
			other.Position = at
			all = append(all, other)
		}
		at += domain.Position(rapid.Uint64Range(1, 3).Draw(t, "gap"))
		e.Position = at
		if rapid.IntRange(0, 9).Draw(t, "back") == 0 {
			e.Recorded = e.Recorded.Add(-time.Duration(rapid.IntRange(0, 7200).Draw(t, "seconds")) * time.Second)
		}
		all = append(all, e)
	}
	return all
}

// what is the state at a position, folded from the start.
func what(events []domain.Recorded, p domain.Position) replay.State {
	factors, board := factor.New(), progress.New(lock)
	s := replay.State{}
	for i := range events {
		e := &events[i]
		if e.Position > p || strings.HasPrefix(e.Stream, probe) {
			continue
		}
		s.Position, s.Events = e.Position, s.Events+1
		if e.Recorded.After(s.At) {
			s.At = e.Recorded
		}
		if strings.HasPrefix(e.Stream, domain.EnrolmentPrefix) {
			factors.Apply([]domain.Recorded{*e}, e.Position)
			board.Apply([]domain.Recorded{*e}, e.Position)
		}
	}
	s.Factors, s.Board = factors.Snapshot(), board.Snapshot()
	return s
}

func mustBe(t rapid.TB, got, want replay.State) {
	t.Helper()
	if got.Position != want.Position || got.Events != want.Events || !got.At.Equal(want.At) {
		t.Fatalf("at %d, %v, %d events; want %d, %v, %d", got.Position, got.At, got.Events, want.Position, want.At, want.Events)
	}
	replay.Compare(got, want, func(d replay.Difference) bool {
		t.Fatalf("%+v", d)
		return true
	})
	if got.Standing() != want.Standing() || got.Factors.Counts() != want.Factors.Counts() || got.Board.Counts() != want.Board.Counts() {
		t.Fatalf("standing %+v, want %+v", got.Standing(), want.Standing())
	}
	for n := range 4 {
		id := foldtest.Subject(n)
		a, b := got.Factors.Lookup(id), want.Factors.Lookup(id)
		a.Through, b.Through = 0, 0
		if a != b {
			t.Fatalf("%+v, want %+v", a, b)
		}
		one, ok1 := got.Board.Person(id)
		two, ok2 := want.Board.Person(id)
		if one != two || ok1 != ok2 {
			t.Fatalf("%+v, want %+v", one, two)
		}
	}
}

// Whatever was asked for before, and whatever is kept, the state at a position is that
// of the events up to it.
func TestAnyPositionInAnyOrderIsAFoldFromTheStart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := record(t)
		log := &memory{batch: rapid.IntRange(1, 20).Draw(t, "batch")}
		o := replay.Options{Lock: lock, Skip: []string{probe}, Every: rapid.IntRange(1, 30).Draw(t, "every"), Report: fails(t)}
		if rapid.Bool().Draw(t, "kept") {
			o.Keep = &shelf{}
		}
		log.events = events[:rapid.IntRange(0, len(events)).Draw(t, "so far")]
		r := replay.New(log, o)
		var seen []replay.State
		for range rapid.IntRange(1, 12).Draw(t, "seeks") {
			switch rapid.IntRange(0, 5).Draw(t, "first") {
			case 0: // another program, or the next time
				r.Wait()
				r = replay.New(log, o)
			case 1: // more has happened
				log.events = events[:rapid.IntRange(len(log.events), len(events)).Draw(t, "so far")]
			}
			p := replay.Head
			if n := len(log.events); n > 0 && rapid.IntRange(0, 9).Draw(t, "head") > 0 {
				p = domain.Position(rapid.Uint64Range(0, uint64(log.events[n-1].Position)+2).Draw(t, "position"))
			}
			s, err := r.Seek(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			mustBe(t, s, what(log.events, p))
			seen = append(seen, s)
		}
		for _, s := range seen { // and what was found stays as it was
			mustBe(t, s, what(events, s.Position))
		}
		r.Wait()
	})
}

func fails(t rapid.TB) func(error) {
	return func(err error) { t.Errorf("reported: %v", err) }
}

func TestAMomentIsTheLastEventRecordedByThen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		log := &memory{events: record(t)}
		r := replay.New(log, replay.Options{Lock: lock, Skip: []string{probe}})
		for range 10 {
			moment := foldtest.Start().Add(time.Duration(rapid.IntRange(-7200, 40_000).Draw(t, "seconds")) * time.Second)
			if n := len(log.events); n > 0 && rapid.Bool().Draw(t, "of an event") {
				moment = log.events[rapid.IntRange(0, n-1).Draw(t, "event")].Recorded
			}
			var want domain.Position
			var latest time.Time
			for _, e := range log.events {
				if strings.HasPrefix(e.Stream, probe) {
					continue
				}
				if e.Recorded.After(latest) {
					latest = e.Recorded
				}
				if !latest.After(moment) {
					want = e.Position
				}
			}
			if got, err := r.PositionAt(t.Context(), moment); err != nil || got != want {
				t.Fatalf("%v: %d, %v, want %d", moment, got, err, want)
			}
		}
	})
}

// One event that a wrong clock has put far ahead, or far back, leaves the moments of all
// others where they are.
func TestAMomentBesideAWrongClock(t *testing.T) {
	t.Parallel()
	for _, years := range []int{60, -60} {
		log := &memory{events: foldtest.Even(60, 0)}
		start := foldtest.Start()
		for i := range log.events {
			log.events[i].Position, log.events[i].Recorded = domain.Position(i+1), start.Add(time.Duration(i)*20*time.Minute)
		}
		log.events[20].Recorded = start.AddDate(years, 0, 0)
		r := replay.New(log, replay.Options{Lock: lock})
		for i := range log.events {
			want := domain.Position(i + 1)
			switch i {
			case 19:
				want++ // with the one that counts to where it stands
			case 20:
				continue
			}
			got, err := r.PositionAt(t.Context(), log.events[i].Recorded)
			if err != nil || got != want {
				t.Errorf("%d years: at %v it is event %d, %v, want %d", years, log.events[i].Recorded, got, err, want)
			}
			s, err := r.Seek(t.Context(), domain.Position(i+1))
			if err != nil || !s.At.Equal(log.events[i].Recorded) {
				t.Errorf("%d years: event %d is of %v, %v, want %v", years, i+1, s.At, err, log.events[i].Recorded)
			}
		}
	}
}

func TestWhatDoesNotFitIsMadeAgain(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(40, 3)
	elsewhere := slices.Clone(events) // the same events with other ids
	for i := range elsewhere {
		elsewhere[i].ID[0] ^= 1
	}
	fill := func(t *testing.T, events []domain.Recorded, lock int) *shelf {
		t.Helper()
		keep := &shelf{}
		if err := replay.New(&memory{events: events}, replay.Options{Lock: lock, Every: 100, Keep: keep}).Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(keep.things) < 3 {
			t.Fatalf("%d things kept", len(keep.things))
		}
		return keep
	}
	for name, spoil := range map[string]func(*testing.T, *shelf){
		"a changed byte": func(_ *testing.T, s *shelf) {
			for name, b := range s.things {
				s.things[name] = bytes.Clone(b)
				s.things[name][len(b)/2] ^= 4
			}
		},
		"a changed length": func(_ *testing.T, s *shelf) {
			for name, b := range s.things {
				s.things[name] = bytes.Clone(b)
				s.things[name][len(b)-1] ^= 0x80
			}
		},
		"cut off": func(_ *testing.T, s *shelf) {
			for name, b := range s.things {
				s.things[name] = b[:len(b)/3]
			}
		},
		"empty": func(_ *testing.T, s *shelf) {
			for name := range s.things {
				s.things[name] = nil
			}
		},
		"under another name": func(_ *testing.T, s *shelf) {
			names := slices.Sorted(maps.Keys(s.things))
			first := s.things[names[0]]
			for i := range names[1:] {
				s.things[names[i]] = s.things[names[i+1]]
			}
			s.things[names[len(names)-1]] = first
		},
		"of another log": func(t *testing.T, s *shelf) { //nolint:thelper // a case
			s.things = fill(t, elsewhere, lock).things
		},
		"of a log that is longer": func(t *testing.T, s *shelf) { //nolint:thelper // a case
			s.things = fill(t, append(slices.Clone(elsewhere), foldtest.Even(80, 3)[len(events):]...), lock).things
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keep := fill(t, events, lock)
			spoil(t, keep)
			reported := 0
			r := replay.New(&memory{events: events}, replay.Options{Lock: lock, Every: 100, Keep: keep, Report: func(error) { reported++ }})
			for _, p := range []domain.Position{300, replay.Head, 50, 250} {
				s, err := r.Seek(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				mustBe(t, s, what(events, p))
			}
			r.Wait()
			if reported == 0 {
				t.Error("nobody was told")
			}
			log := &memory{events: events}
			again := replay.New(log, replay.Options{Lock: lock, Every: 100, Keep: keep, Report: fails(t)})
			if _, err := again.Seek(t.Context(), 300); err != nil || log.read > 550 { // 301 to count them
				t.Errorf("after that, %d events were read: %v", log.read, err)
			}
		})
	}
}

// A kept state shortens the way, and so does where the last one ended.
func TestASeekReadsFromTheNearest(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(400, 0)
	log, keep := &memory{events: events, batch: 50}, &shelf{}
	o := replay.Options{Lock: lock, Every: 500, Keep: keep, Report: fails(t)}
	r := replay.New(log, o)
	seek := func(p domain.Position, most int) {
		t.Helper()
		log.read = 0
		s, err := r.Seek(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		mustBe(t, s, what(events, p))
		if log.read > most {
			t.Errorf("to %d: read %d events, at most %d would do", p, log.read, most)
		}
	}
	seek(replay.Head, 3*len(events))
	r.Wait()
	names := slices.Sorted(maps.Keys(keep.things))
	if len(names) < 5 || names[len(names)-1] != "timeline" {
		t.Fatalf("kept are %v", names)
	}
	var kept domain.Position
	if _, err := fmt.Sscanf(names[2], "%d.state", &kept); err != nil {
		t.Fatal(err)
	}
	const within = 4096 // a stretch of the timeline, to count the events
	seek(kept+60, within+70)
	seek(kept+70, within+20)
	opened := keep.opened
	seek(kept+50, within+60)
	seek(kept+45, within+60)
	if keep.opened != opened {
		t.Error("the state that the last way began at was opened again")
	}
	r = replay.New(log, o)
	seek(kept+10, within+20)
	seek(kept-1, within+1200)
}

func TestWithoutAPlaceToKeepItGoesOnAndSaysSo(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(60, 0)
	full := errors.New("the disk is full")
	var reported []error
	r := replay.New(&memory{events: events, batch: 20}, replay.Options{
		Lock: lock, Every: 50, Keep: &shelf{broken: full}, Report: func(err error) { reported = append(reported, err) },
	})
	for _, p := range []domain.Position{500, 100, replay.Head} {
		s, err := r.Seek(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		mustBe(t, s, what(events, p))
	}
	r.Wait()
	if len(reported) == 0 || !errors.Is(reported[0], full) {
		t.Errorf("told %v", reported)
	}
}

func TestASeekEndsWithItsContext(t *testing.T) {
	t.Parallel()
	r := replay.New(&memory{events: foldtest.Even(10, 0)}, replay.Options{Lock: lock})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Seek(ctx, replay.Head); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if s, err := r.Seek(t.Context(), replay.Head); err != nil || s.Events != 10*foldtest.EventsAPerson {
		t.Errorf("after that: %d events, %v", s.Events, err)
	}
}

func TestManyMaySeekAtOnce(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(50, 2)
	r := replay.New(&memory{events: events}, replay.Options{Lock: lock, Every: 60, Keep: &shelf{}, Report: fails(t)})
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 10 {
				p := domain.Position(1 + (n*131+i*57)%len(events)) //nolint:gosec // a position
				s, err := r.Seek(t.Context(), p)
				if err != nil {
					t.Error(err)
					return
				}
				if want := what(events, p); s.Standing() != want.Standing() || s.Events != want.Events {
					t.Errorf("at %d: %+v, want %+v", p, s.Standing(), want.Standing())
				}
			}
		})
	}
	all.Wait()
}

// Whoever seeks is answered while what it passed is still written; and what is waited for
// is there, once.
func TestASeekDoesNotWaitForWhatItLeavesBehind(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(60, 0)
	slow := &slowShelf{open: make(chan struct{})}
	o := replay.Options{Lock: lock, Every: 300, Keep: slow, Report: fails(t)}
	r := replay.New(&memory{events: events, batch: 50}, o)
	for _, p := range []domain.Position{400, 100, 420} {
		s, err := r.Seek(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		mustBe(t, s, what(events, p))
	}
	if names, _ := slow.Names(); len(names) > 1 {
		t.Fatalf("kept already: %v", names)
	}
	close(slow.open)
	r.Wait()
	if names, _ := slow.Names(); len(names) != 2 {
		t.Errorf("kept are %v, not a state and the timeline", names)
	}
}

// A slowShelf takes states when it is told to.
type slowShelf struct {
	shelf
	open chan struct{}
}

func (s *slowShelf) Keep(name string, write func(io.Writer) error) error {
	if name != "timeline" {
		<-s.open
	}
	return s.shelf.Keep(name, write)
}

// A check names what a state says otherwise than the events, and what is kept.
func TestACheckNamesEveryDifference(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(60, 3)
	keep := &shelf{}
	reported := 0
	r := replay.New(&memory{events: events, batch: 10}, replay.Options{Lock: lock, Every: 150, Keep: keep, Report: func(error) { reported++ }})
	s, err := r.Seek(t.Context(), replay.Head)
	if err != nil {
		t.Fatal(err)
	}
	r.Wait()
	check := func(s replay.State) (c replay.Checked, found []string) {
		t.Helper()
		c, err := r.Check(t.Context(), s, func(kept string, d replay.Difference) {
			found = append(found, fmt.Sprint(kept, " ", d.Subject, " ", d.What, " ", d.One, " ", d.Two))
		})
		if err != nil {
			t.Fatal(err)
		}
		return c, found
	}
	states := len(keep.things) - 1 // and the timeline
	if c, found := check(s); len(found) > 0 || c.People != 60 || c.Kept != states || c.Position != s.Position || states < 2 {
		t.Fatalf("%+v, %v", c, found)
	}

	// Somebody else's events: as if one of the first person had not happened.
	without := slices.DeleteFunc(slices.Clone(events), func(e domain.Recorded) bool {
		return e.Stream == domain.EnrolmentStream(foldtest.Subject(1)) && e.Type == "FactorChosen"
	})
	other := what(without, replay.Head)
	other.Position = s.Position
	_, found := check(other)
	for _, want := range []string{"factors.state enrolling active", "factors.factor none sms", "progress.step 5 6", "progress.factor none sms"} {
		if !slices.Contains(found, " "+foldtest.Subject(1).String()+" "+want) {
			t.Errorf("%s was not named: %v", want, found)
		}
	}
	for _, f := range found {
		if !strings.Contains(f, foldtest.Subject(1).String()) {
			t.Errorf("somebody else was named: %s", f)
		}
	}

	// What the folds need to go on, and nobody is shown, counts too: another phone.
	paired := slices.Clone(events)
	for i := range paired {
		if paired[i].Stream == domain.EnrolmentStream(foldtest.Subject(0)) {
			paired[i].Data = bytes.ReplaceAll(paired[i].Data, []byte(`"device":"0`), []byte(`"device":"f`))
		}
	}
	other = what(paired, replay.Head)
	if _, found := check(other); !slices.Equal(found, []string{" " + foldtest.Subject(0).String() + " factors.inner  ", " " + foldtest.Subject(0).String() + " progress.inner  "}) {
		t.Errorf("another phone: %v", found)
	}
	// Whom only one of them knows.
	other = what(events[:8*foldtest.EventsAPerson], replay.Head)
	other.Position = s.Position
	if _, found := check(other); !slices.ContainsFunc(found, func(f string) bool {
		return strings.Contains(f, foldtest.Subject(40).String()+" progress.known false true")
	}) {
		t.Errorf("who is not known: %v", found)
	}

	// A state that was kept of other events, with everything else right.
	forged := &shelf{}
	elsewhere := slices.Clone(events)
	for i := range elsewhere {
		if elsewhere[i].Stream == domain.EnrolmentStream(foldtest.Subject(1)) && elsewhere[i].Type == "FactorChosen" {
			elsewhere[i].Data = []byte(`{"factor":"none","reason":"enrolment"}`)
		}
	}
	forger := replay.New(&memory{events: elsewhere, batch: 10}, replay.Options{Lock: lock, Every: 150, Keep: forged})
	if err := forger.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	keep.things = forged.things
	reported = 0
	c, found := check(s)
	for _, name := range slices.Sorted(maps.Keys(forged.things)) {
		if name != "timeline" && !slices.Contains(found, name+" "+foldtest.Subject(1).String()+" factors.factor none sms") {
			t.Errorf("%s was not named: %v", name, found)
		}
	}
	if c.Kept == 0 || reported != c.Kept || len(keep.things) != 1 {
		t.Errorf("%+v; %d reported, %d left", c, reported, len(keep.things))
	}
	if again, err := r.Seek(t.Context(), 300); err != nil {
		t.Error(err)
	} else {
		mustBe(t, again, what(events, 300))
	}
}

func ExampleReplayer() {
	r := replay.New(&memory{events: foldtest.Even(3, 0)}, replay.Options{Lock: 20})
	ctx := context.Background()
	then, err := r.PositionAt(ctx, foldtest.Start().Add(20*time.Second))
	if err != nil {
		panic(err)
	}
	for _, p := range []domain.Position{then, replay.Head} {
		s, err := r.Seek(ctx, p)
		if err != nil {
			panic(err)
		}
		n := s.Standing()
		fmt.Printf("%s: %d events, %d on their way, %d done\n", s.At.Format(time.TimeOnly), s.Events, n.Busy, n.Done)
	}
	// Output:
	// 08:00:20: 21 events, 3 on their way, 0 done
	// 08:00:32: 33 events, 0 on their way, 3 done
}
