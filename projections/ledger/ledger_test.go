package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/ledger"
)

const probe = "probe-"

// draw draws a log: whatever stands in it, and in whatever order.
func draw(t *rapid.T) []domain.Recorded {
	at, p := foldtest.Start(), domain.Position(0)
	events := make([]domain.Recorded, rapid.IntRange(0, 80).Draw(t, "events"))
	for i := range events {
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 60, -30}).Draw(t, "seconds")) * time.Second)
		p += domain.Position(rapid.Uint64Range(1, 3).Draw(t, "gap"))
		events[i] = domain.Recorded{
			Message: drawMessage(t, i), Stream: drawStream(t), Revision: domain.Revision(rapid.IntRange(0, 40).Draw(t, "revision")),
			Position: p, Recorded: at,
		}
	}
	return events
}

func drawStream(t *rapid.T) string {
	who := foldtest.Subject(rapid.IntRange(0, 3).Draw(t, "who")).String()
	return rapid.SampledFrom([]string{
		"enrolment-" + who, "enrolment-" + who, "login-" + who, "staff-" + who, "access-" + who, "station-hall", "station-desk",
		"station-" + who, "service", "services", "roster-1", "enrolment-no-id", "enrolment-" + strings.ToUpper(who), probe + "doctor", "",
	}).Draw(t, "stream")
}

func drawMessage(t *rapid.T, i int) domain.Message {
	who := rapid.SampledFrom([]string{"console", "hall", "portal", "", foldtest.Subject(0).String(), foldtest.Subject(2).String()}).Draw(t, "actor")
	meta := domain.Metadata{
		Correlation: domain.EventID{rapid.Byte().Draw(t, "correlation") & 3}, Causation: domain.EventID{1}, Schema: 1,
		Actor: domain.Actor{
			Kind: rapid.SampledFrom([]domain.ActorKind{domain.ActorPerson, domain.ActorStaff, domain.ActorService, ""}).Draw(t, "kind"),
			ID:   who, Role: rapid.SampledFrom([]domain.Role{domain.RoleSubject, domain.RoleAdmin, domain.RoleAuditor, ""}).Draw(t, "role"),
		},
		Station: rapid.SampledFrom([]string{"hall", "desk", "", `a "b"`, foldtest.Subject(1).String()}).Draw(t, "station"),
		Policy:  "2026-1", At: foldtest.Start(),
	}
	m := domain.Message{
		ID: domain.EventIDFor(domain.CommandID{1}, i), Type: rapid.SampledFrom([]string{"CodeSent", "NameSet", "DataShown", ""}).Draw(t, "type"),
		Data: encoded(t, staff.DataShown{Scope: staff.ShownPhone, Subject: foldtest.Subject(rapid.IntRange(0, 3).Draw(t, "shown"))}),
	}
	m.Metadata = rapid.SampledFrom([][]byte{encoded(t, meta), encoded(t, meta), encoded(t, meta), nil, []byte(`{`), []byte(`{"$correlationId":"no"}`)}).Draw(t, "metadata")
	return m
}

func encoded(t rapid.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A model is what a ledger should know of an event, read in the slow way.
type model struct {
	ledger.Row
	owner, shown string
	correlation  domain.EventID
}

func models(t rapid.TB, events []domain.Recorded) []model {
	t.Helper()
	var all []model
	for _, e := range events {
		if strings.HasPrefix(e.Stream, probe) {
			continue
		}
		var meta domain.Metadata
		if json.Unmarshal(e.Metadata, &meta) != nil {
			meta = domain.Metadata{}
		}
		m := model{Row: ledger.Row{
			Position: e.Position, Stream: e.Stream, Revision: e.Revision, Type: e.Type, Recorded: e.Recorded,
			Actor: meta.Actor, Station: meta.Station,
		}, correlation: meta.Correlation}
		kind, owner, _ := strings.Cut(e.Stream, "-")
		switch kind {
		case "enrolment", "login", "staff", "access":
			if owner == strings.ToLower(owner) {
				m.owner = owner
			}
		}
		m.Subject, _ = domain.ParseSubjectID(m.owner)
		if kind == "access" {
			m.Subject = domain.SubjectID{}
			if e.Type == "DataShown" {
				var shown staff.DataShown
				if err := json.Unmarshal(e.Data, &shown); err != nil {
					t.Fatal(err)
				}
				m.shown, m.Subject = shown.Subject.String(), shown.Subject
			}
		}
		if len(all) > 0 {
			m.Before = all[len(all)-1].Position
		}
		all = append(all, m)
	}
	return all
}

// fits says whether a filter lets an event through, one part of it left out.
func (m *model) fits(f ledger.Filter, without string) bool {
	return (f.Subject.IsZero() || m.owner == f.Subject.String() || m.shown == f.Subject.String()) &&
		(len(f.Types) == 0 || without == "type" || slices.Contains(f.Types, m.Type)) &&
		(f.Actor == "" || without == "actor" || m.Actor.ID == f.Actor || f.Actor == ledger.Themselves && m.Actor.Kind == domain.ActorPerson) &&
		(f.Role == "" || without == "role" || m.Actor.Role == f.Role) &&
		(f.Station == "" || without == "station" || m.Station == f.Station) &&
		(f.Correlation == domain.EventID{} || m.correlation == f.Correlation) &&
		!m.Recorded.Before(f.From) && (f.To.IsZero() || m.Recorded.Before(f.To)) &&
		(f.Until == 0 || m.Position <= f.Until)
}

func drawFilter(t *rapid.T, events []domain.Recorded) (f ledger.Filter) {
	sometimes := func(what string, set func()) {
		if rapid.IntRange(0, 4).Draw(t, what) == 0 {
			set()
		}
	}
	moment := func() time.Time {
		return foldtest.Start().Add(time.Duration(rapid.IntRange(-10, 600).Draw(t, "moment")) * time.Second / 2)
	}
	sometimes("by subject", func() { f.Subject = foldtest.Subject(rapid.IntRange(0, 5).Draw(t, "subject")) })
	sometimes("by type", func() {
		f.Types = rapid.SliceOfN(rapid.SampledFrom([]string{"CodeSent", "NameSet", "DataShown", "Never"}), 1, 3).Draw(t, "types")
	})
	sometimes("by actor", func() {
		f.Actor = rapid.SampledFrom([]string{"console", "hall", "nobody", ledger.Themselves, foldtest.Subject(2).String(), foldtest.Subject(9).String()}).Draw(t, "actor")
	})
	sometimes("by role", func() {
		f.Role = rapid.SampledFrom([]domain.Role{domain.RoleSubject, domain.RoleAdmin, "boss"}).Draw(t, "role")
	})
	sometimes("by station", func() {
		f.Station = rapid.SampledFrom([]string{"hall", `a "b"`, "roof", foldtest.Subject(1).String()}).Draw(t, "station")
	})
	sometimes("by correlation", func() { f.Correlation = domain.EventID{rapid.ByteRange(1, 4).Draw(t, "correlation")} })
	sometimes("from", func() { f.From = moment() })
	sometimes("to", func() { f.To = moment() })
	if n := len(events); n > 0 {
		sometimes("until", func() {
			f.Until = domain.Position(rapid.Uint64Range(1, uint64(events[n-1].Position)+1).Draw(t, "until"))
		})
	}
	return f
}

// What a ledger says of any window over any filter is what a look at every event says.
func TestAPageIsALookAtEveryEvent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := draw(t)
		l := ledger.New(probe)
		for so := 0; ; {
			n := rapid.IntRange(so, len(events)).Draw(t, "so far")
			l.Apply(events[rapid.IntRange(0, so).Draw(t, "again"):n], 0)
			so = n
			if rapid.IntRange(0, 3).Draw(t, "kept") == 0 {
				l = reload(t, l, events[:so])
			}
			all := models(t, events[:so])
			if l.Len() != len(all) {
				t.Fatalf("%d rows of %d", l.Len(), len(all))
			}
			for range rapid.IntRange(1, 3).Draw(t, "pages") {
				q := ledger.Query{
					Filter: drawFilter(t, events), Oldest: rapid.Bool().Draw(t, "oldest"),
					Offset: rapid.IntRange(0, 30).Draw(t, "offset"), Limit: rapid.IntRange(0, 20).Draw(t, "limit"),
				}
				for range 2 { // the second time from what was found
					samePage(t, l.Page(q), all, q)
				}
				steps(t, l, all, q.Filter)
			}
			if so == len(events) {
				return
			}
		}
	})
}

func samePage(t *rapid.T, got ledger.Page, all []model, q ledger.Query) {
	t.Helper()
	var through []ledger.Row
	want := ledger.Page{}
	counts := map[string]map[string]int{"type": {}, "role": {}, "station": {}, "actor": {}}
	kinds := map[string][]domain.ActorKind{}
	for i := range all {
		m := &all[i]
		if q.Until == 0 || m.Position <= q.Until {
			want.All++
		}
		if m.fits(q.Filter, "") {
			through = append(through, m.Row)
		}
		actor := m.Actor.ID
		if m.Actor.Kind == domain.ActorPerson {
			actor = ledger.Themselves
		}
		for part, value := range map[string]string{"type": m.Type, "role": string(m.Actor.Role), "station": m.Station, "actor": actor} {
			if m.fits(q.Filter, part) && value != "" {
				if counts[part][value]++; part == "actor" && !slices.Contains(kinds[value], m.Actor.Kind) {
					kinds[value] = append(kinds[value], m.Actor.Kind)
				}
			}
		}
	}
	if !q.Oldest {
		slices.Reverse(through)
	}
	if want.Total = len(through); got.Total != want.Total || got.All != want.All {
		t.Fatalf("%+v: %d of %d, want %d of %d", q, got.Total, got.All, want.Total, want.All)
	}
	from := min(q.Offset, len(through))
	rows := through[from:min(from+q.Limit, len(through))]
	if !slices.Equal(got.Rows, rows) {
		t.Fatalf("%+v: rows\n%+v, want\n%+v", q, got.Rows, rows)
	}
	for part, counted := range map[string][]ledger.Count{"type": got.Types, "role": got.Roles, "station": got.Stations, "actor": got.Actors} {
		if len(counted) != len(counts[part]) || !slices.IsSortedFunc(counted, func(a, b ledger.Count) int { return b.Events - a.Events }) {
			t.Fatalf("%+v: %s: %v, want %v", q, part, counted, counts[part])
		}
		for _, c := range counted {
			if counts[part][c.Value] != c.Events {
				t.Fatalf("%+v: %s: %v, want %v", q, part, counted, counts[part])
			}
			if of := kinds[c.Value]; part != "actor" && c.Kind != "" || part == "actor" && (len(of) == 1 && c.Kind != of[0] || len(of) > 1 && c.Kind != "") {
				t.Fatalf("%+v: %s: %+v, of the kinds %q", q, part, c, of)
			}
		}
	}
}

func steps(t *rapid.T, l *ledger.Ledger, all []model, f ledger.Filter) {
	from := domain.Position(rapid.Uint64Range(0, 200).Draw(t, "from"))
	by := rapid.IntRange(-4, 4).Draw(t, "by")
	var behind, before []ledger.Row
	for i := range all {
		switch m := &all[i]; {
		case !m.fits(f, ""):
		case m.Position > from:
			behind = append(behind, m.Row)
		case m.Position < from:
			before = append(before, m.Row)
		}
	}
	slices.Reverse(before)
	way, n := behind, by
	if by < 0 {
		way, n = before, -by
	}
	got, ok := l.Step(from, by, f)
	if want := min(n, len(way)); ok != (want > 0) || ok && got != way[want-1] {
		t.Fatalf("%d steps from %d with %+v: %+v, %t, want one of %+v", by, from, f, got, ok, way)
	}
	for i := range all {
		if r, ok := l.At(all[i].Position); !ok || r != all[i].Row {
			t.Fatalf("at %d: %+v, want %+v", all[i].Position, r, all[i].Row)
		}
	}
	if _, ok := l.At(10_000); ok {
		t.Fatal("found what is not there")
	}
}

func reload(t rapid.TB, l *ledger.Ledger, events []domain.Recorded) *ledger.Ledger {
	t.Helper()
	s := l.Snapshot()
	var file bytes.Buffer
	if err := s.Encode(&file, domain.EventID{7}); err != nil {
		t.Fatal(err)
	}
	again, m, id, err := ledger.Decode(&file, probe)
	if err != nil || m != s.Mark() || id != (domain.EventID{7}) || again.Position() != m.Position {
		t.Fatalf("%+v, %v: %v", m, id, err)
	}
	again.Apply(events, 0)
	return again
}

func TestWhatTheLogForgetsIsDropped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := draw(t)
		l := ledger.New(probe)
		l.Apply(events, 0)
		l.Page(ledger.Query{}) // kept
		before := foldtest.Start().Add(time.Duration(rapid.IntRange(-10, 100).Draw(t, "seconds")) * time.Second)
		l.Drop(domain.LoginPrefix, before)
		left := slices.DeleteFunc(slices.Clone(events), func(e domain.Recorded) bool {
			return strings.HasPrefix(e.Stream, domain.LoginPrefix) && e.Recorded.Before(before)
		})
		q := ledger.Query{Limit: 100, Oldest: true}
		samePage(t, l.Page(q), models(t, left), q)
		samePage(t, reload(t, l, left).Page(q), models(t, left), q)
	})
}

// A log gives events as they were asked for, and counts how often.
type log struct {
	events []domain.Recorded
	asked  atomic.Int64
	fails  error
}

func (l *log) ReadAll(_ context.Context, q domain.Query, yield func(domain.Batch) error) error {
	if l.asked.Add(1) == 3 && l.fails != nil {
		return l.fails
	}
	b := domain.Batch{Through: q.Until, Live: true}
	for _, e := range l.events {
		if e.Position > q.After && e.Position <= q.Until {
			e.Data, e.Metadata = bytes.Clone(e.Data), bytes.Clone(e.Metadata)
			b.Events = append(b.Events, e)
		}
	}
	err := yield(b)
	for i := range b.Events { // they were the receiver's only until then
		clear(b.Events[i].Data)
		clear(b.Events[i].Metadata)
	}
	return err
}

func TestReadBringsTheEventsOfAnyRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := draw(t)
		l := ledger.New(probe)
		l.Apply(events, 0)
		rows := l.Page(ledger.Query{Filter: drawFilter(t, events), Limit: 30}).Rows
		gone := domain.Position(0)
		from := &log{events: events}
		if len(rows) > 0 && rapid.Bool().Draw(t, "one is gone") {
			gone = rapid.SampledFrom(rows).Draw(t, "gone").Position
			from.events = slices.DeleteFunc(slices.Clone(events), func(e domain.Recorded) bool { return e.Position == gone })
		}
		got, err := ledger.Read(t.Context(), from, rows...)
		if err != nil || len(got) != len(rows) {
			t.Fatalf("%d events of %d rows: %v", len(got), len(rows), err)
		}
		for i, r := range rows {
			if r.Position == gone {
				if got[i].Position != 0 {
					t.Fatalf("what is gone came as %+v", got[i])
				}
				continue
			}
			want := events[slices.IndexFunc(events, func(e domain.Recorded) bool { return e.Position == r.Position })]
			if e := got[i]; e.Position != r.Position || e.ID != want.ID || !bytes.Equal(e.Data, want.Data) || !bytes.Equal(e.Metadata, want.Metadata) {
				t.Fatalf("row %+v: %+v, want %+v", r, e, want)
			}
		}
	})
}

func TestRowsThatFollowEachOtherAreReadInOneGo(t *testing.T) {
	t.Parallel()
	from := &log{events: foldtest.Even(40, 0)}
	for i := range from.events { // as EventStoreDB has positions
		from.events[i].Position *= 1000
	}
	l := ledger.New()
	l.Apply(from.events, 0)
	if _, err := ledger.Read(t.Context(), from, l.Page(ledger.Query{Limit: 200}).Rows...); err != nil || from.asked.Load() != 1 {
		t.Errorf("asked %d times: %v", from.asked.Load(), err)
	}
}

func TestReadSaysWhyTheLogFailed(t *testing.T) {
	t.Parallel()
	from := &log{events: foldtest.Even(200, 0), fails: errors.New("the log is away")}
	for i := range from.events {
		from.events[i].Position *= 1000
	}
	l := ledger.New()
	l.Apply(from.events, 0)
	rows := l.Page(ledger.Query{Filter: ledger.Filter{Types: []string{"NameSet"}}, Limit: 200}).Rows
	if events, err := ledger.Read(t.Context(), from, rows...); !errors.Is(err, from.fails) || events != nil {
		t.Errorf("%d events: %v", len(events), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ledger.Read(ctx, from, rows...); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func encode(tb testing.TB) []byte {
	tb.Helper()
	l := ledger.New()
	events := foldtest.Even(3, 1)
	for i := range events {
		events[i].Metadata = encoded(tb, domain.Metadata{
			Actor: domain.Actor{Kind: domain.ActorPerson, ID: foldtest.Subject(i % 3).String(), Role: domain.RoleSubject}, Station: "hall",
		})
	}
	l.Apply(events, 0)
	var file bytes.Buffer
	if err := l.Snapshot().Encode(&file, domain.EventID{1}); err != nil {
		tb.Fatal(err)
	}
	return file.Bytes()
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	t.Parallel()
	file := encode(t)
	for i := range file {
		damaged := bytes.Clone(file)
		damaged[i] ^= 0x10
		for _, f := range [][]byte{damaged, file[:i]} {
			if l, _, _, err := ledger.Decode(bytes.NewReader(f)); !errors.Is(err, ledger.ErrSnapshot) || l != nil {
				t.Fatalf("damaged at %d: %v", i, err)
			}
		}
	}
}

// TestASnapshotThatNamesWhatItHasNotIsRefused changes one field of its last row, and has the
// checksum fit.
func TestASnapshotThatNamesWhatItHasNotIsRefused(t *testing.T) {
	t.Parallel()
	const row = 4*8 + 4*4
	for name, c := range map[string]struct {
		at    int // in the row
		bytes []byte
	}{
		"a subject":                   {24, []byte{0, 1, 0, 0}},
		"a name":                      {32, []byte{1, 1, 0, 0}},
		"a station that is a subject": {36, []byte{2, 0, 0, 0}},
		"a type":                      {44, []byte{200, 0}},
		"the type that many share":    {44, []byte{0xff, 0xff}},
		"a kind of streams":           {46, []byte{7}},
		"a kind of actors":            {47, []byte{0x0e}},
		"the kind that many share":    {47, []byte{0x0f}},
		"a role":                      {47, []byte{0xe0}},
		"the role that many share":    {47, []byte{0xf0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := encode(t)
			body = body[:len(body)-sha256.Size]
			copy(body[len(body)-row+c.at:], c.bytes)
			sum := sha256.Sum256(body)
			if l, _, _, err := ledger.Decode(bytes.NewReader(append(body, sum[:]...))); !errors.Is(err, ledger.ErrSnapshot) || l != nil {
				t.Errorf("accepted: %v", err)
			}
		})
	}
}

// FuzzDecode: no file makes Decode fail in another way than ErrSnapshot, and whatever it
// accepts can be asked. The checksum is made to fit.
func FuzzDecode(f *testing.F) {
	file := encode(f)
	f.Add(file[:len(file)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		l, _, id, err := ledger.Decode(io.MultiReader(bytes.NewReader(body), bytes.NewReader(sum[:])))
		if err != nil {
			if !errors.Is(err, ledger.ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		p := l.Page(ledger.Query{Filter: ledger.Filter{Subject: foldtest.Subject(0)}, Limit: 10})
		all := l.Page(ledger.Query{Limit: 1000})
		for _, f := range [...]ledger.Filter{
			{Types: values(all.Types)}, {Actor: ledger.Themselves}, {Actor: first(all.Actors)}, {Role: domain.Role(first(all.Roles))}, {Station: first(all.Stations)},
		} {
			l.Page(ledger.Query{Filter: f, Oldest: true, Limit: 10})
			if r, ok := l.Step(0, 2, f); ok {
				l.At(r.Position)
			}
		}
		l.Drop(domain.LoginPrefix, foldtest.Start())
		var again bytes.Buffer
		if err := l.Snapshot().Encode(&again, id); err != nil {
			t.Fatalf("encode what was read: %v, %+v", err, p)
		}
	})
}

func values(counts []ledger.Count) (all []string) {
	for _, c := range counts {
		all = append(all, c.Value)
	}
	return all
}

func first(counts []ledger.Count) string {
	if len(counts) == 0 {
		return "nobody"
	}
	return counts[0].Value
}

// FuzzMetadata: a row knows of its metadata what encoding/json reads.
func FuzzMetadata(f *testing.F) {
	f.Add(encoded(f, domain.Metadata{Actor: domain.Console(), Station: "hall", Policy: "2026-1", Helper: "h", At: foldtest.Start(), Schema: 1}))
	for _, seed := range []string{
		`{}`, `{"actor":{}}`, `{"actor":{"kind":"staff","id":"a","id":"b"}}`, `{"actor":{"Kind":"staff"}}`, `{"actor":null}`, `{"station":"a\u0062"}`,
		`{"$correlationId":"00000000-0000-0000-0000-00000000000g"}`, `{"$correlationId":"AAAAAAAA-0000-0000-0000-000000000000"}`, `{"at":"2026"}`, `{"schema":-1}`,
		`{"$causationId":""}`, `{"extra":1,"station":"x"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, meta []byte) {
		var want domain.Metadata
		if json.Unmarshal(meta, &want) != nil {
			want = domain.Metadata{}
		}
		l := ledger.New()
		l.Apply([]domain.Recorded{{Message: domain.Message{Type: "NameSet", Metadata: meta}, Stream: "service", Position: 1}}, 1)
		got, _ := l.At(1)
		if got.Actor != want.Actor || got.Station != want.Station {
			t.Fatalf("%q: %+v at %q, encoding/json reads %+v at %q", meta, got.Actor, got.Station, want.Actor, want.Station)
		}
		if by := l.Page(ledger.Query{Filter: ledger.Filter{Correlation: want.Correlation}}); by.Total != 1 {
			t.Fatalf("%q: not found by its correlation", meta)
		}
	})
}

func ExampleLedger() {
	l := ledger.New()
	l.Apply(foldtest.Even(2, 0), 0)
	p := l.Page(ledger.Query{Filter: ledger.Filter{Subject: foldtest.Subject(1), Types: []string{"CodeSent"}}, Limit: 1})
	fmt.Printf("%d of %d events, the last at position %d\n", p.Total, p.All, p.Rows[0].Position)
	// Output: 2 of 22 events, the last at position 18
}
