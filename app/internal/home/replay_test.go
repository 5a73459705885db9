package home_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
	ledgers "github.com/keydesk/keydesk/projections/ledger"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/replay"
)

// A readOnly log fails the test when anything is appended to it.
type readOnly struct {
	store.Log
	t *testing.T
}

func (r readOnly) Append(context.Context, string, domain.Revision, ...domain.Message) (domain.Appended, error) {
	r.t.Error("a replay appended something")
	return domain.Appended{}, errors.New("read only")
}

// An archive is a log of either kind, with a past in it, and what that is.
type archive struct {
	log    store.Log
	set    settings.Settings
	events []domain.Recorded // as the log has them
	warned *observer.ObservedLogs
	zap    *zap.Logger
}

// archives runs a test over both kinds of logs, in which so many people enrolled; one
// in five events is something else, and the log's clock is set back now and then.
func archives(t *testing.T, people int, test func(t *testing.T, a *archive)) {
	t.Helper()
	for kind, open := range map[string]func(t *testing.T) store.Log{
		"sqlite": func(t *testing.T) store.Log {
			t.Helper()
			return opened(t, "sqlite:"+filepath.Join(t.TempDir(), "log.db"))
		},
		"esdb": func(t *testing.T) store.Log {
			t.Helper()
			return opened(t, esdbtest.Start(t, esdbtest.Options{}).URL())
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			core, warned := observer.New(zap.WarnLevel)
			a := &archive{log: open(t), warned: warned, zap: zap.New(core)}
			a.set.Home = t.TempDir()
			a.set.Policy = foldtest.Policy()
			a.fill(t, people)
			test(t, a)
		})
	}
}

func opened(t *testing.T, url string) store.Log {
	t.Helper()
	l, err := store.Open(t.Context(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (a *archive) fill(t *testing.T, people int) {
	t.Helper()
	to := a.log.(interface {
		Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error)
	})
	put := func(e domain.Recorded) {
		t.Helper()
		if _, err := to.Import(t.Context(), e.Stream, e.Revision-1, e); err != nil {
			t.Fatal(err)
		}
	}
	others := map[string]domain.Revision{}
	for i, e := range foldtest.Even(people, 3) {
		if i%50 == 49 {
			e.Recorded = e.Recorded.Add(-2 * time.Hour)
		}
		put(e)
		if i%5 != 0 {
			continue
		}
		stream := []string{login.Stream(foldtest.Subject(i % people)), "station-hall", store.ProbePrefix + "doctor"}[i/5%3]
		meta, err := json.Marshal(domain.Metadata{Actor: domain.Actor{Kind: domain.ActorStation, ID: "hall", Role: domain.RoleUnattended}, Station: "hall"})
		if err != nil {
			t.Fatal(err)
		}
		put(domain.Recorded{
			Message: domain.Message{ID: domain.EventIDFor(domain.CommandID{8}, i), Type: "LoginFailed", Data: []byte(`{"reason":"password"}`), Metadata: meta},
			Stream:  stream, Revision: others[stream], Recorded: e.Recorded,
		})
		others[stream]++
	}
	a.read(t)
}

// read notes what the log holds.
func (a *archive) read(t *testing.T) {
	t.Helper()
	a.events = nil
	err := a.log.ReadAll(t.Context(), domain.Query{}, func(b domain.Batch) error {
		for _, e := range b.Events {
			e.Data = slices.Clone(e.Data)
			a.events = append(a.events, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// what is the state at a position, folded from the start.
func (a *archive) what(p domain.Position) replay.State {
	factors, board := factor.New(), progress.New(a.set.Policy.WrongCodesInARow)
	s := replay.State{}
	for i, e := range a.events {
		if e.Position > p || strings.HasPrefix(e.Stream, store.ProbePrefix) {
			continue
		}
		s.Position, s.Events = e.Position, s.Events+1
		if e.Recorded.After(s.At) {
			s.At = e.Recorded
		}
		if strings.HasPrefix(e.Stream, domain.EnrolmentPrefix) {
			factors.Apply(a.events[i:i+1], e.Position)
			board.Apply(a.events[i:i+1], e.Position)
		}
	}
	s.Factors, s.Board = factors.Snapshot(), board.Snapshot()
	return s
}

func (a *archive) seek(t *testing.T, r *replay.Replayer, p domain.Position) {
	t.Helper()
	got, err := r.Seek(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	want := a.what(p)
	if got.Position != want.Position || got.Events != want.Events || !got.At.Equal(want.At) || got.Standing() != want.Standing() {
		t.Fatalf("to %d: %d, %v, %d events, %+v\nwant %d, %v, %d, %+v",
			p, got.Position, got.At, got.Events, got.Standing(), want.Position, want.At, want.Events, want.Standing())
	}
	replay.Compare(got, want, func(d replay.Difference) bool {
		t.Errorf("to %d: %+v", p, d)
		return true
	})
}

// On both logs, a replay is the fold from the start, wherever it goes next, with what is
// kept in files from the last time; and nothing is ever appended.
func TestAReplayOfEitherLogIsAFoldFromTheStart(t *testing.T) {
	t.Parallel()
	archives(t, 40, func(t *testing.T, a *archive) {
		t.Helper()
		every := replay.Options{Lock: a.set.Policy.WrongCodesInARow, Skip: []string{store.ProbePrefix}, Every: 60}
		keep := home.NewShelf(filepath.Join(a.set.Home, "replay"), madeKey(1), false)
		every.Keep, every.Report = keep, func(err error) { t.Errorf("reported: %v", err) }
		r := replay.New(readOnly{a.log, t}, every)
		a.seek(t, r, replay.Head)
		for range 8 {
			a.seek(t, r, a.events[rand.IntN(len(a.events))].Position) //nolint:gosec // no secret
		}
		for _, i := range []int{100, 101, 49, 200} {
			e := a.events[i]
			p, err := r.PositionAt(t.Context(), e.Recorded)
			if err != nil {
				t.Fatal(err)
			}
			a.seek(t, r, p)
			if s := a.what(p); s.At.After(e.Recorded) {
				t.Errorf("at %v: the state of %v", e.Recorded, s.At)
			}
		}
		for range 3 { // and the next time
			r.Wait()
			r = replay.New(readOnly{a.log, t}, every)
			a.seek(t, r, a.events[rand.IntN(len(a.events))].Position) //nolint:gosec // no secret
		}
		r.Wait()
		names, err := keep.Names()
		if err != nil || len(names) < 3 {
			t.Fatalf("kept are %v: %v", names, err)
		}
		c, err := r.Check(t.Context(), a.what(replay.Head), func(kept string, d replay.Difference) { t.Errorf("%s: %+v", kept, d) })
		if err != nil || c.Kept != len(names)-1 || c.People != 40 {
			t.Errorf("%+v: %v", c, err)
		}
	})
}

// What lies in the folder and is of another log, or no state at all, is deleted and made
// again, and that is noted.
func TestWhatIsKeptInAFolderAndDoesNotFitIsMadeAgain(t *testing.T) {
	t.Parallel()
	archives(t, 20, func(t *testing.T, a *archive) {
		t.Helper()
		folder := filepath.Join(a.set.Home, "replay")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		p := a.events[150].Position
		state := filepath.Join(folder, fmt.Sprintf("%020d.state", p))
		for _, file := range []string{state, filepath.Join(folder, "timeline"), filepath.Join(folder, "ledger")} {
			if err := os.WriteFile(file, []byte(strings.Repeat("nothing that fits ", 9)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := home.NewReplayer(readOnly{a.log, t}, a.set, madeKey(1), a.zap)
		a.seek(t, r, a.events[200].Position)
		r.Wait()
		if _, err := os.Stat(state); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what does not fit is still there: %v", err)
		}
		l := home.NewLedger(readOnly{a.log, t}, a.set, madeKey(1), time.Now, a.zap)
		release := l.Hold(t.Context())
		reach(t, l, a.events[len(a.events)-1].Position)
		if got := l.Page(ledgers.Query{}); got.All == 0 {
			t.Error("the ledger is empty")
		}
		release()
		if n := a.warned.Len(); n != 3 {
			t.Errorf("%d warnings: %v", n, a.warned.All())
		}
	})
}

func reach(t *testing.T, l *home.Ledger, p domain.Position) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if err := l.Reach(ctx, p); err != nil {
		t.Fatal(err)
	}
	for l.Ready() < 1 {
		select {
		case <-ctx.Done():
			t.Fatalf("ready %v", l.Ready())
		case <-time.After(time.Millisecond):
		}
	}
}

// A ledger is there while somebody holds it, follows the log meanwhile, and finds the
// events of its rows again.
func TestALedgerIsThereWhileSomebodyHoldsIt(t *testing.T) {
	t.Parallel()
	archives(t, 20, func(t *testing.T, a *archive) {
		t.Helper()
		l := home.NewLedger(a.log, a.set, madeKey(1), time.Now, a.zap)
		if l.Ready() != 0 || l.Page(ledgers.Query{}).All != 0 {
			t.Fatal("it is there before anybody holds it")
		}
		release, other := l.Hold(t.Context()), l.Hold(t.Context())
		last := a.events[len(a.events)-1].Position
		reach(t, l, last)
		record := slices.DeleteFunc(slices.Clone(a.events), func(e domain.Recorded) bool { return strings.HasPrefix(e.Stream, store.ProbePrefix) })
		page := l.Page(ledgers.Query{Limit: 50, Filter: ledgers.Filter{Station: "hall"}})
		if page.All != len(record) || page.Total == 0 || page.Through < last {
			t.Fatalf("%d events of %d, %d at the station", page.All, len(record), page.Total)
		}
		events, err := ledgers.Read(t.Context(), a.log, page.Rows...)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range events {
			if e.Position != page.Rows[i].Position || e.Type != "LoginFailed" || len(e.Metadata) == 0 {
				t.Errorf("row %+v: %+v", page.Rows[i], e)
			}
		}
		if r, ok := l.Step(last, -1, ledgers.Filter{Types: []string{"FactorChosen"}}); !ok || r.Position >= last {
			t.Errorf("the last choice: %+v, %t", r, ok)
		}
		more, err := a.log.Append(t.Context(), "station-hall", 9999, domain.Message{})
		if err == nil {
			t.Fatalf("appended at %d", more.Position)
		}
		more, err = a.log.Append(t.Context(), "station-roof", domain.NoStream, domain.Message{
			ID: domain.EventIDFor(domain.CommandID{77}, 0), Type: "StationOpened", Data: []byte(`{}`), Metadata: []byte(`{}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		release()
		reach(t, l, more.Position) // the other one holds it
		if r, ok := l.At(more.Position); !ok || r.Stream != "station-roof" {
			t.Errorf("what was appended: %+v, %t", r, ok)
		}
		other()
		release()
		if l.Ready() != 0 || l.Page(ledgers.Query{}).All != 0 {
			t.Error("it is there after the last one has released it")
		}
		if n := a.warned.Len(); n != 0 {
			t.Errorf("warnings: %v", a.warned.All())
		}
	})
}

// A long ledger is kept in a file, and the next one begins with that, without the logins
// that the log has forgotten meanwhile.
func TestALongLedgerIsKept(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("records 20,000 events")
	}
	l := opened(t, "sqlite:"+filepath.Join(t.TempDir(), "log.db")).(*store.SQLite)
	events := foldtest.Even(2000, 0)
	for i := range events {
		events[i].Recorded = time.Now().Add(-time.Hour)
	}
	old := domain.Recorded{
		Message: domain.Message{ID: domain.EventIDFor(domain.CommandID{3}, 0), Type: "LoginFailed", Data: []byte(`{}`), Metadata: []byte(`{}`)},
		Stream:  login.Stream(foldtest.Subject(0)), Recorded: time.Now().Add(-100 * time.Hour),
	}
	if err := l.ImportAll(t.Context(), slices.Insert(events, 10, old)); err != nil {
		t.Fatal(err)
	}
	set := settings.Settings{Home: t.TempDir()}
	core, warned := observer.New(zap.WarnLevel)
	index := home.NewLedger(l, set, madeKey(1), time.Now, zap.New(core))
	file := filepath.Join(set.Home, "replay", "ledger")
	release := index.Hold(t.Context())
	reach(t, index, domain.Position(len(events)))
	if all := index.Page(ledgers.Query{}).All; all != len(events)+1 {
		t.Errorf("%d events", all)
	}
	for end := time.Now().Add(deadline); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it was not kept")
		}
	}
	release()
	set.Log.KeepLogins = 50 * time.Hour
	counted := &counting{Log: l}
	index = home.NewLedger(counted, set, madeKey(1), time.Now, zap.New(core))
	defer index.Hold(t.Context())()
	reach(t, index, domain.Position(len(events)))
	if all := index.Page(ledgers.Query{}).All; all != len(events) || counted.events.Load() > 100 {
		t.Errorf("%d events, of which %d were read again", all, counted.events.Load())
	}
	if n := warned.Len(); n != 0 {
		t.Errorf("warnings: %v", warned.All())
	}
	// One that somebody else has written, from a log without what they did, is not believed.
	set.Log.KeepLogins = 0
	index = home.NewLedger(l, set, madeKey(2), time.Now, zap.New(core))
	defer index.Hold(t.Context())()
	reach(t, index, domain.Position(len(events)))
	if all := index.Page(ledgers.Query{}).All; all != len(events)+1 || warned.FilterMessageSnippet("does not fit").Len() != 1 {
		t.Errorf("with another key: %d events, %v", all, warned.All())
	}
}

// Whoever can write to a home, and has no master key, cannot have anything gone on from that
// the log does not say: not with right checksums, nor with what is right elsewhere.
func TestWhatIsKeptIsBelievedWithTheKeyAlone(t *testing.T) {
	t.Parallel()
	l := opened(t, "sqlite:"+filepath.Join(t.TempDir(), "log.db"))
	a := &archive{log: l, set: settings.Settings{Home: t.TempDir()}}
	a.set.Policy.WrongCodesInARow = foldtest.Policy().WrongCodesInARow
	if err := l.(*store.SQLite).ImportAll(t.Context(), foldtest.Even(40, 3)); err != nil {
		t.Fatal(err)
	}
	if err := l.ReadAll(t.Context(), domain.Query{}, func(b domain.Batch) error { a.events = append(a.events, b.Events...); return nil }); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(a.set.Home, "replay")
	var reported []string
	options := func(key home.Deriver) replay.Options {
		return replay.Options{Lock: a.set.Policy.WrongCodesInARow, Every: 60, Keep: home.NewShelf(folder, key, false), Report: func(err error) { reported = append(reported, err.Error()) }}
	}
	through := func(key home.Deriver) {
		t.Helper()
		r := replay.New(l, options(key))
		a.seek(t, r, a.events[len(a.events)/2].Position)
		a.seek(t, r, replay.Head)
		r.Wait()
	}
	through(madeKey(1))
	if len(reported) > 0 {
		t.Fatal(reported)
	}
	whole := map[string][]byte{}
	names, err := home.NewShelf(folder, madeKey(1), false).Names()
	if err != nil || len(names) < 3 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		whole[name], _ = os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // of the test
	}
	for what, change := range map[string]func(name string, b []byte) []byte{
		"one of another master key": func(string, []byte) []byte { return nil },
		"another file's content": func(name string, _ []byte) []byte {
			return whole[names[(slices.Index(names, name)+1)%len(names)]]
		},
		"cut off":                              func(_ string, b []byte) []byte { return b[:len(b)-1] },
		"nothing":                              func(string, []byte) []byte { return []byte{} },
		"a change, and its checksum":           func(name string, b []byte) []byte { return forged(name, b, false) },
		"a change, and the sums of all of it":  func(name string, b []byte) []byte { return forged(name, b, true) },
		"the MAC alone changed":                func(_ string, b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"the content without its MAC, as once": func(_ string, b []byte) []byte { return b[:len(b)-sha256.Size] },
	} {
		for _, name := range names {
			reported = nil
			key := madeKey(1)
			for _, other := range names {
				b := slices.Clone(whole[other])
				if other == name {
					if b = change(name, b); b == nil {
						b, key = slices.Clone(whole[other]), 2
					}
				}
				if err := os.WriteFile(filepath.Join(folder, other), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			r := replay.New(l, options(key))
			a.seek(t, r, 5)
			for _, e := range a.events {
				if strings.HasPrefix(name, fmt.Sprintf("%020d", e.Position)) || name == "timeline" && e.Position%97 == 0 {
					a.seek(t, r, e.Position) // it would be gone on from here
				}
			}
			r.Wait()
			if !slices.ContainsFunc(reported, func(says string) bool { return strings.HasPrefix(says, name+" is kept and does not fit") }) {
				t.Errorf("%s, in %s: nothing is reported: %v", what, name, reported)
			}
		}
	}
	before := len(names)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	through(nil)
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a key something is kept, of %d before: %v", before, err)
	}
}

// forged changes what a file says of somebody, and makes the checksum right that stands
// behind it, or all of them.
func forged(name string, b []byte, all bool) []byte {
	content, mac := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	ends := []int{len(content)}
	if strings.HasSuffix(name, ".state") {
		lengths := content[len(content)-16:]
		one, two := int(binary.LittleEndian.Uint64(lengths)), int(binary.LittleEndian.Uint64(lengths[8:])) //nolint:gosec // small
		ends = []int{one, one + two, len(content) - 16}
	}
	content[ends[0]-sha256.Size-3] ^= 1 // in the last row
	begin := 0
	for i, end := range ends {
		if i > 0 && !all {
			break
		}
		if i == 2 { // the head names the others
			copy(content[end-3*sha256.Size:], content[ends[0]-sha256.Size:ends[0]])
			copy(content[end-2*sha256.Size:], content[ends[1]-sha256.Size:ends[1]])
		}
		sum := sha256.Sum256(content[begin : end-sha256.Size])
		copy(content[end-sha256.Size:], sum[:])
		begin = end
	}
	return slices.Concat(content, mac)
}

// madeKey is a master key of a test.
type madeKey byte

// Derive returns another key for each purpose, and each master key.
func (k madeKey) Derive(purpose string) ([32]byte, string) {
	return sha256.Sum256(append([]byte(purpose), byte(k))), "made"
}

// What a home goes on from is what its events say, while it goes on.
func TestALiveHomeIsWhatItsEventsSay(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), true)
	v := h.must("email-code")(h.Desk.Begin(t.Context(), email, "nl"))
	h.must("password")(h.Desk.ConfirmEmail(t.Context(), v.Visit, h.message(1).Code))
	live, err := h.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, err := h.Replay().Check(t.Context(), live, func(kept string, d replay.Difference) { t.Errorf("%s: %+v", kept, d) })
	if err != nil || c.People != 1 {
		t.Errorf("%+v: %v", c, err)
	}
	release := h.Ledger().Hold(t.Context())
	defer release()
	reach(t, h.Ledger(), live.Position)
	page := h.Ledger().Page(ledgers.Query{Filter: ledgers.Filter{Types: []string{"EmailConfirmed"}}, Limit: 1})
	if page.Total != 1 || page.Rows[0].Subject.IsZero() || page.Rows[0].Station != h.Station {
		t.Errorf("%+v", page)
	}
	if !slices.ContainsFunc(page.Types, func(c ledgers.Count) bool { return c.Value == "StationOpened" }) {
		t.Errorf("types are %v", maps.Collect(slices.All(page.Types)))
	}
}

// counting counts the events that are read.
type counting struct {
	store.Log
	events atomic.Int64
}

func (c *counting) Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	return c.Log.Follow(ctx, q, func(b domain.Batch) error {
		c.events.Add(int64(len(b.Events)))
		return yield(b)
	})
}
