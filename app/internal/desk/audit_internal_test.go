package desk

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/ledger"
	"github.com/keydesk/keydesk/projections/timeline"
)

// line returns a line with an event at each of some moments, which are in order.
func line(moments ...time.Time) *timeline.Line {
	l := timeline.New()
	for i, at := range moments {
		l.Apply([]domain.Recorded{{Stream: "service", Position: domain.Position(i + 1), Recorded: at}}, domain.Position(i+1))
	}
	return l
}

func TestBarsAreDaysAsTheZoneHasThem(t *testing.T) {
	t.Parallel()
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	var moments []time.Time
	for day := 20; day <= 30; day++ { // on the 25th the clock is put back
		moments = append(moments, time.Date(2026, 10, day, 0, 0, 0, 0, amsterdam), time.Date(2026, 10, day, 23, 59, 0, 0, amsterdam))
	}
	h, err := histogram(line(moments...), HistogramQuery{Bars: 11, Zone: "Europe/Amsterdam"}, moments[len(moments)-1])
	if err != nil || len(h.Bars) != 11 || h.Width != 24*time.Hour || h.Events != 22 {
		t.Fatalf("got %+v, %v", h, err)
	}
	for i, b := range h.Bars {
		if want := time.Date(2026, 10, 20+i, 0, 0, 0, 0, amsterdam); !b.From.Equal(want) || b.Events != 2 {
			t.Errorf("bar %d: %+v, want one from %s", i, b, want)
		}
	}
	part, err := histogram(line(moments...), HistogramQuery{
		From: time.Date(2026, 10, 25, 1, 30, 0, 0, amsterdam), To: time.Date(2026, 10, 26, 0, 30, 0, 0, amsterdam), Bars: 400, Zone: "Europe/Amsterdam",
	}, moments[len(moments)-1])
	if err != nil || part.Width != time.Hour || len(part.Bars) != 25 { // an hour more than other days
		t.Errorf("got %d bars of %s, %v", len(part.Bars), part.Width, err)
	}
}

// However many bars are asked for, and of which part: they follow each other, none is
// missing, and each event of the part is in one.
func TestBarsHoldAll(t *testing.T) {
	t.Parallel()
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var moments []time.Time
		at := start
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(rapid.SampledFrom([]time.Duration{time.Minute, 5 * time.Hour, 2000 * time.Hour}).Draw(t, "scale"))).Draw(t, "gap")))
			moments = append(moments, at)
		}
		q := HistogramQuery{
			Bars: rapid.IntRange(-1, 500).Draw(t, "bars"), Zone: rapid.SampledFrom([]string{"", "UTC", "Europe/Amsterdam", "America/New_York"}).Draw(t, "zone"),
		}
		if rapid.Bool().Draw(t, "part") {
			q.From = start.Add(time.Duration(rapid.IntRange(-100, 1000).Draw(t, "from")) * time.Hour)
			q.To = q.From.Add(time.Duration(rapid.IntRange(0, 9000).Draw(t, "hours")) * time.Hour)
		}
		now := start.Add(time.Duration(rapid.IntRange(-100, 100_000).Draw(t, "now")) * time.Hour)
		h, err := histogram(line(moments...), q, now)
		if err != nil {
			t.Fatal(err)
		}
		most := min(q.Bars, MostBars)
		if q.Bars <= 0 {
			most = usualBars
		}
		if n := len(h.Bars); n > 0 && h.Bars[n-1].Later {
			if most++; n == 1 || !h.Bars[n-1].From.After(now) || h.Last.After(now) || h.Bars[n-1].Events == 0 {
				t.Fatalf("%+v by %s", h, now)
			}
		}
		if len(h.Bars) > most || h.Events != len(moments) || (len(h.Bars) == 0) != (len(moments) == 0) {
			t.Fatalf("%d bars of at most %d; %d events of %d", len(h.Bars), most, h.Events, len(moments))
		}
		sum := 0
		for i, b := range h.Bars {
			sum += b.Events
			if gap := time.Duration(0); i > 0 {
				if gap = b.From.Sub(h.Bars[i-1].From); gap < h.Width-time.Hour || gap > h.Width+time.Hour {
					t.Fatalf("bar %d is %s wide, of %s", i-1, gap, h.Width)
				}
			}
		}
		want := 0
		for _, at := range moments {
			if len(h.Bars) > 0 && !at.Before(h.Bars[0].From) && at.Truncate(time.Hour).Before(h.Bars[len(h.Bars)-1].From.Add(h.Width-time.Hour)) {
				want++
			}
		}
		if sum < want || q.From.IsZero() && sum != len(moments) {
			t.Fatalf("%d events are in the bars, of at least %d", sum, want)
		}
	})
}

// An event of the year 2090 leaves the days as they are: while it is the last one it is
// later, and then it counts to where it stands. So does nothing that a clock elsewhere has
// put some hours ahead.
func TestBarsUnderAClockThatRanAhead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 17, 14, 32, 0, 0, time.UTC)
	var moments []time.Time
	for day := range 10 {
		moments = append(moments, now.AddDate(0, 0, day-9))
	}
	q := HistogramQuery{Bars: 20, Zone: "UTC"}
	hours, err := histogram(line(append(moments, now.Add(8*time.Hour))...), q, now)
	if err != nil || len(hours.Bars) < 10 || hours.Bars[len(hours.Bars)-1].Later || !hours.Last.Equal(now.Add(8*time.Hour)) {
		t.Errorf("some hours ahead: %+v, %v", hours, err)
	}
	moments = append(moments, time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC))
	h, err := histogram(line(moments...), q, now)
	if err != nil || h.Events != 11 || !h.Last.Equal(now) || h.Width > 24*time.Hour {
		t.Fatalf("%+v, %v", h, err)
	}
	last, today := h.Bars[len(h.Bars)-1], h.Bars[len(h.Bars)-2]
	if !last.Later || last.Events != 1 || !last.From.Equal(today.From.Add(h.Width)) || today.From.After(now) || today.Later {
		t.Errorf("%+v after %+v", last, today)
	}
	seen, err := histogram(line(append(moments, now.Add(time.Minute))...), q, now)
	if n := len(seen.Bars); err != nil || seen.Events != 12 || seen.Astray != 1 || seen.Bars[n-1].Later || seen.Bars[n-1].Events+seen.Bars[n-2].Events < 3 {
		t.Errorf("once more has come: %+v, %v", seen, err)
	}
	before := q
	before.From, before.To = now.AddDate(0, 0, -5), now.AddDate(0, 0, -3)
	if h, err := histogram(line(moments...), before, now); err != nil || slices.ContainsFunc(h.Bars, func(b Bar) bool { return b.Later }) {
		t.Errorf("of some days before: %+v, %v", h, err)
	}
	all := line(time.Date(2089, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC))
	if h, err := histogram(all, q, now); err != nil || h.Bars[len(h.Bars)-1].Later || h.Last.Year() != 2090 {
		t.Errorf("where all lies ahead: %+v, %v", h, err)
	}
}

// Some events of 1970 stand in a bar of their own; of an old log with as many as that it is
// the time that it is of.
func TestBarsAfterAClockThatWasNotSet(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 17, 14, 32, 0, 0, time.UTC)
	old := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	moments := []time.Time{old, old.Add(time.Minute)}
	for day := range 30 {
		moments = append(moments, now.AddDate(0, 0, day-29))
	}
	h, err := histogram(line(moments...), HistogramQuery{Bars: 40}, now)
	if err != nil || len(h.Bars) < 30 || h.Width > 24*time.Hour || !h.First.Equal(old) || !h.Begin.Equal(moments[2].Truncate(time.Hour)) {
		t.Fatalf("%+v, %v", h, err)
	}
	if b := h.Bars[0]; !b.Earlier || b.Events != 2 || !b.From.Equal(old) || h.Bars[1].Earlier || h.Bars[1].Events != 1 || h.Bars[1].From.After(h.Begin) {
		t.Errorf("%+v before %+v", b, h.Bars[1])
	}
	part, err := histogram(line(moments...), HistogramQuery{Bars: 40, From: now.AddDate(0, 0, -9), To: now}, now)
	if err != nil || part.Bars[0].Earlier {
		t.Errorf("of some days: %+v, %v", part, err)
	}
	many := []time.Time{old, old.Add(time.Hour), old.Add(2 * time.Hour), old.Add(3 * time.Hour), old.Add(4 * time.Hour)}
	if h, err := histogram(line(append(many, moments[2:]...)...), HistogramQuery{}, now); err != nil || h.Bars[0].Earlier || h.Bars[0].Events != 5 {
		t.Errorf("of an old log: %+v, %v", h, err)
	}
}

// Whatever the times of a log are, each event is in one bar. And however far off those of
// less than a twentieth of it are, and wherever they stand, what shows is longer by no more than
// is said.
func TestBarsWhateverTheTimesAre(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var moments, right []time.Time
		at, wrong := start, 0
		most := rapid.IntRange(0, 5).Draw(t, "most")
		for range rapid.IntRange(20*most+10, 20*most+60).Draw(t, "events") {
			if wrong < most && rapid.IntRange(0, 5).Draw(t, "wrong") == 0 {
				wrong++
				moments = append(moments, time.Unix(rapid.Int64Range(-62_135_596_800, 253_402_300_799).Draw(t, "second"), 0).UTC())
				continue
			}
			at = at.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "hours")) * time.Hour)
			moments, right = append(moments, at), append(right, at)
		}
		for range wrong + 1 {
			moments, right = append(moments, at), append(right, at)
		}
		now := at.Add(time.Hour)
		q := HistogramQuery{Bars: rapid.IntRange(0, 400).Draw(t, "bars"), Zone: rapid.SampledFrom([]string{"", "Europe/Amsterdam"}).Draw(t, "zone")}
		h, err := histogram(line(moments...), q, now)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for i, b := range h.Bars {
			if sum += b.Events; i > 0 && !h.Bars[i-1].From.Before(b.From) || b.Earlier && i > 0 || b.Later && i < len(h.Bars)-1 {
				t.Fatalf("bar %d of %+v", i, h)
			}
		}
		if sum != len(moments) || h.Events != sum {
			t.Fatalf("%d events are in the bars, of %d", sum, len(moments))
		}
		shown, usual := h.Last.Sub(h.Begin), right[len(right)-1].Sub(right[0])
		if bound := usual + timeline.FarAhead + time.Duration(wrong)*max(timeline.FarBack, usual+2*timeline.FarAhead); shown > bound+2*time.Hour {
			t.Fatalf("%s shows, of %s, with %d wrong: more than %s", shown, usual, wrong, bound)
		}
	})
}

func TestNoBars(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, q := range []HistogramQuery{{Zone: "Nowhere/Here"}, {Zone: "../../etc/passwd"}, {Zone: "Local"}, {From: now, To: now.Add(-time.Hour)}, {Zone: strings.Repeat("a", 100)}} {
		if _, err := histogram(line(now), q, now); !isRefusalOf(err, BadRange) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

func TestAChainIsAsDeepAsItsCauses(t *testing.T) {
	t.Parallel()
	visit := domain.EventID{9}
	row := func(id, cause byte, of domain.EventID) EventRow {
		return EventRow{ID: domain.EventID{id}, Causation: domain.EventID{cause}, Correlation: of}
	}
	links := linked([]EventRow{
		row(1, 100, visit), row(2, 1, visit), row(3, 2, visit), row(4, 1, visit), row(5, 3, domain.EventID{9, 0, 0, 0, 0, 0, 0, 0, 1}), row(6, 101, visit),
	}, visit)
	var got []int
	for _, l := range links {
		got = append(got, l.Depth)
	}
	if want := []int{0, 1, 2, 1, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

// A fake log has nothing, and takes all.
type fakeLog struct {
	Log
	mu   sync.Mutex
	took []domain.Message
	head domain.Position
}

func (l *fakeLog) Append(_ context.Context, _ string, _ domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, msgs...)
	return domain.Appended{}, nil
}

func (*fakeLog) ReadStream(context.Context, string, domain.Revision) ([]domain.Recorded, error) {
	return nil, nil
}

func (l *fakeLog) Head(context.Context) (domain.Position, error) { return l.head, nil }

func (l *fakeLog) recorded() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.took)
}

type fakeFeed struct{ Feed }

func (fakeFeed) Reach(context.Context, domain.Position) error { return nil }

// fakeIndex is of nothing.
type fakeIndex struct{ *ledger.Ledger }

func (fakeIndex) Hold(context.Context) func() { return func() {} }
func (fakeIndex) Ready() float64              { return 1 }

// slow is a seal, and a maker of bundles, that waits to be told what to say.
type slow struct {
	Seals
	begun chan context.Context
	say   chan error
	gone  chan struct{}
}

func newSlow() *slow {
	return &slow{begun: make(chan context.Context, 9), say: make(chan error, 9), gone: make(chan struct{}, 9)}
}

func (s *slow) wait(ctx context.Context, progress func(done, total int64)) error {
	progress(1, 2)
	s.begun <- ctx
	select {
	case err := <-s.say:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slow) Verify(ctx context.Context, progress func(done, total int64)) (CheckView, error) {
	return CheckView{OK: true, Events: 2}, s.wait(ctx, progress)
}

func (s *slow) Make(ctx context.Context, _ BundleQuery, progress func(done, total int64)) (Bundle, error) {
	if err := s.wait(ctx, progress); err != nil {
		return nil, err
	}
	return &fakeBundle{bytes.NewReader(bytes.Repeat([]byte("zip"), ExportPartSize/2)), s.gone}, nil
}

type fakeBundle struct {
	*bytes.Reader
	gone chan struct{}
}

func (*fakeBundle) Events() int64 { return 2 }

func (b *fakeBundle) Close() error {
	b.gone <- struct{}{}
	return nil
}

// auditing returns a desk with two shifts, that of a slow seal and bundles.
func auditing(t *testing.T) (*Desk, *slow, *fakeLog) {
	t.Helper()
	s, log := newSlow(), &fakeLog{head: 9}
	d := New(Config{
		Log: log, Feed: fakeFeed{}, Now: time.Now, Seals: s, Bundles: s, Index: fakeIndex{ledger.New()}, ShiftIdle: time.Hour, ShiftMax: time.Hour,
		Report: func(string, error) {},
	})
	for _, id := range []string{"one", "two"} {
		d.shifts[id] = &shift{id: id, began: time.Now(), used: time.Now()}
	}
	t.Cleanup(d.background.Wait)
	return d, s, log
}

func (d *Desk) over(shift string) { _ = d.EndShift(context.Background(), shift) }

// ended waits until a verification that runs has said what it came to.
func (d *Desk) checked(t *testing.T, shift string) CheckView {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if v := d.checkSeal(t.Context(), shift); !v.Running {
			return v
		}
	}
	t.Fatal("it does not end")
	return CheckView{}
}

func TestOneVerificationIsForAll(t *testing.T) {
	t.Parallel()
	d, s, _ := auditing(t)
	for _, shift := range []string{"one", "two", "one"} {
		if v := d.checkSeal(t.Context(), shift); !v.Running {
			t.Errorf("%s: %+v", shift, v)
		}
	}
	<-s.begun
	if v := d.checkSeal(t.Context(), "one"); v.Done != 1 || v.Total != 2 {
		t.Errorf("got %+v", v)
	}
	s.say <- nil
	again := WithCall(t.Context(), NewCall())
	one := d.checked(t, "one")
	for range 2 { // the second one because the answer was lost
		if two := d.checkSeal(again, "two"); !two.OK || two.Running || two != one {
			t.Errorf("got %+v, and %+v", one, two)
		}
	}
	if len(s.begun) != 0 {
		t.Error("another one was begun")
	}
	if v := d.checkSeal(t.Context(), "two"); !v.Running {
		t.Errorf("who asks again is told %+v", v)
	}
	<-s.begun
	s.say <- errors.New("the log is away")
	if v := d.checked(t, "two"); !v.Broken || v.OK {
		t.Errorf("got %+v", v)
	}
}

func TestAVerificationEndsWithWhoeverWaitsForIt(t *testing.T) {
	t.Parallel()
	d, s, _ := auditing(t)
	d.checkSeal(t.Context(), "one")
	d.checkSeal(t.Context(), "two")
	ctx := <-s.begun
	d.over("one")
	for left := false; !left; time.Sleep(time.Millisecond) {
		d.verification.mu.Lock()
		left = !d.verification.waits["one"]
		d.verification.mu.Unlock()
	}
	if ctx.Err() != nil {
		t.Error("it ended although somebody waits")
	}
	d.over("two")
	<-ctx.Done()
	d.shifts["three"] = &shift{id: "three", began: time.Now(), used: time.Now()}
	if v := d.checkSeal(t.Context(), "three"); !v.Running {
		t.Errorf("got %+v", v)
	}
	<-s.begun
	s.say <- nil
	if v := d.checked(t, "three"); !v.OK {
		t.Errorf("got %+v", v)
	}
}

var allOfIt = ExportQuery{Language: "nl"}

// begins begins a bundle under a call.
func (d *Desk) begins(ctx context.Context, shift string, q ExportQuery) (*export, error) {
	if e := d.exports.find(shift, q, CallOf(ctx)); e != nil {
		return e, nil
	}
	return d.beginExport(ctx, shift, Agent{Subject: domain.SubjectID{7}, Role: domain.RoleAuditor}, q)
}

func (d *Desk) made(t *testing.T, e *export) ExportView {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if v, err := d.exports.view(e); err != nil {
			t.Fatal(err)
		} else if !v.Running {
			return v
		}
	}
	t.Fatal("it does not end")
	return ExportView{}
}

func TestABundleIsRecordedAndMadeOnce(t *testing.T) {
	t.Parallel()
	d, s, log := auditing(t)
	once := WithCall(t.Context(), NewCall())
	e, err := d.begins(once, "one", allOfIt)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.begins(once, "one", allOfIt); again != e || err != nil || log.recorded() != 1 { // its answer was lost
		t.Errorf("got %+v, %v; recorded %d times", again, err, log.recorded())
	}
	if _, err := d.begins(t.Context(), "one", allOfIt); !isRefusalOf(err, Busy) {
		t.Errorf("two at once: %v", err)
	}
	<-s.begun
	s.say <- nil
	v := d.made(t, e)
	if v.Events != 2 || v.Size != 3*(ExportPartSize/2) || v.Name != "keydesk-1--9.zip" {
		t.Errorf("got %+v", v)
	}
	var all []byte
	for range 3 {
		part, err := e.read(int64(len(all)))
		if err != nil || len(part) > ExportPartSize {
			t.Fatal(len(part), err)
		}
		all = append(all, part...)
	}
	if int64(len(all)) != v.Size || !bytes.HasPrefix(all, []byte("zipzip")) {
		t.Errorf("got %d bytes", len(all))
	}
	if d.exports.find("two", ExportQuery{ID: e.id}, Call{}) != nil {
		t.Error("another shift finds it")
	}

	// Under the same call, something else is another bundle, and so is the same again once
	// the first one is gone.
	other := allOfIt
	other.From.Position = 2
	if _, err := d.begins(once, "one", other); err != nil {
		t.Fatal(err)
	}
	<-s.begun
	s.say <- nil
	d.exports.remove(e)
	<-s.gone
	if _, err := e.read(0); !isRefusalOf(err, NoExport) {
		t.Errorf("what is gone: %v", err)
	}
	d.exports.mu.Lock()
	second := d.exports.all[0]
	d.exports.mu.Unlock()
	d.made(t, second)
	if third, err := d.begins(once, "one", allOfIt); err != nil || third == e || log.recorded() != 3 {
		t.Errorf("got %v, %v; recorded %d times", third, err, log.recorded())
	}
	<-s.begun
	d.over("one")
	<-s.gone // the second; the third had not been made
}

func TestABundleDoesNotLieForLong(t *testing.T) {
	t.Parallel()
	d, s, _ := auditing(t)
	var all []*export
	for i := range shiftExports + 1 {
		q := allOfIt
		q.From.Position = uint64(i)
		e, err := d.begins(t.Context(), "one", q)
		if err != nil {
			t.Fatal(err)
		}
		<-s.begun
		s.say <- nil
		d.made(t, e)
		all = append(all, e)
	}
	<-s.gone // the first one made room
	if _, err := d.exports.view(all[0]); !isRefusalOf(err, NoExport) {
		t.Error(err)
	}
	d.exports.expire(time.Now().Add(exportLife - time.Minute))
	if _, err := d.exports.view(all[1]); err != nil {
		t.Error(err)
	}
	d.exports.expire(time.Now().Add(exportLife + time.Minute))
	for range shiftExports {
		<-s.gone
	}
	e, err := d.begins(t.Context(), "two", allOfIt)
	if err != nil {
		t.Fatal(err)
	}
	ctx := <-s.begun
	d.over("two")
	<-ctx.Done()
	if d.exports.find("two", ExportQuery{ID: e.id}, Call{}) != nil {
		t.Error("a shift that is over has one")
	}
}

// A bundle that is dropped while it is made ends at once; one that was made all the same
// is closed.
func TestABundleIsDropped(t *testing.T) {
	t.Parallel()
	d, s, _ := auditing(t)
	e, err := d.begins(t.Context(), "one", allOfIt)
	if err != nil {
		t.Fatal(err)
	}
	ctx := <-s.begun
	d.exports.remove(e)
	<-ctx.Done()
	e, err = d.begins(t.Context(), "one", allOfIt) // there is room at once
	if err != nil {
		t.Fatal(err)
	}
	<-s.begun
	d.exports.mu.Lock()
	for s.say <- nil; len(s.say) > 0; time.Sleep(time.Millisecond) { // it is there, and nobody knows yet
	}
	d.exports.drop(e)
	d.exports.mu.Unlock()
	<-s.gone
}

func TestWhatCannotBeExported(t *testing.T) {
	t.Parallel()
	d, s, log := auditing(t)
	for name, q := range map[string]ExportQuery{
		"no language":         {},
		"another language":    {Language: "de"},
		"nowhere":             {Language: "nl", Zone: "Nowhere/Here"},
		"from behind the end": {Language: "nl", From: Moment{Position: 10}},
		"backwards":           {Language: "nl", From: Moment{Position: 5}, To: Moment{Position: 4}},
		"a long checkpoint":   {Language: "nl", Since: strings.Repeat("a", longestNote+1)},
	} {
		if _, err := d.begins(t.Context(), "one", q); !isRefusalOf(err, BadRange) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if log.recorded() != 0 {
		t.Error("something is recorded that was not made")
	}
	e, err := d.begins(t.Context(), "one", allOfIt)
	if err != nil {
		t.Fatal(err)
	}
	<-s.begun
	s.say <- ErrBadCheckpoint
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := d.exports.view(e); isRefusalOf(err, BadRange) {
			break
		} else if err != nil || time.Now().After(end) {
			t.Fatalf("got %v", err)
		}
	}
	if _, err := d.begins(t.Context(), "one", allOfIt); err != nil {
		t.Errorf("after one that failed: %v", err)
	}
	<-s.begun
	d.over("one")
}
