package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// Themselves is in Filter.Actor, in place of an id: whoever did it as the person that they
// are, about themselves.
const Themselves = "themselves"

// A Filter says which events are wanted: those for which all that is set holds. The zero
// Filter lets all through.
type Filter struct {
	Subject     domain.SubjectID // whose stream it is in, or whose data somebody looked at
	Types       []string         // any of them
	Actor       string           // the id of who did it, or Themselves
	Role        domain.Role      // in which they did it
	Station     string
	Correlation domain.EventID  // by its first half: see whether the event has the other one, too
	From, To    time.Time       // recorded at From or after it, and before To
	Until       domain.Position // at this position or before it; 0: no limit
}

// A Query asks for a window over the events of a filter.
type Query struct {
	Filter
	Oldest        bool // the oldest first, else the newest
	Offset, Limit int
}

// A Row is what the ledger knows of an event. Read brings the rest.
type Row struct {
	Position domain.Position
	Before   domain.Position // of the event before it in the ledger; 0: there is none
	Stream   string
	Revision domain.Revision
	Type     string
	Recorded time.Time        // the log's clock, UTC, microseconds
	Subject  domain.SubjectID // whose stream it is in; of a look, whose data was looked at; zero: of nobody
	Actor    domain.Actor     // empty where the metadata is not readable
	Station  string
}

// A Count says how many events have a value.
type Count struct {
	Value  string
	Kind   domain.ActorKind // of an actor; empty: of anything else, or where several kinds have this id
	Events int
}

// A Page is a window over the events of a filter.
type Page struct {
	Rows  []Row
	Total int // that the filter lets through
	All   int // up to Filter.Until
	// What can be filtered by, the most frequent first: each counts what all other parts of
	// the filter let through. Those who acted as the person that they are count together
	// among the Actors, as Themselves: one of them is found by Filter.Subject.
	Types, Roles, Stations, Actors []Count
	Through                        domain.Position // the page holds for everything in the log up to here
}

// Page answers a query. What was found is kept for the last few filters: another window
// over the same is answered at once.
func (l *Ledger) Page(q Query) Page {
	l.finding.Lock()
	defer l.finding.Unlock()
	f := l.find(q.Filter)
	l.mu.RLock()
	defer l.mu.RUnlock()
	p := Page{
		Total: f.total, All: f.upTo, Through: f.through,
		Types:    f.counts(f.types, func(n int) string { return l.types.most(n, mostTypes) }),
		Roles:    f.counts(f.roles[:], func(n int) string { return l.roles.most(n, mostSmall) }),
		Stations: f.counts(f.stations, func(n int) string { return l.names.text[n] }),
		Actors:   make([]Count, 0, len(f.actors)+1),
	}
	if f.themselves > 0 {
		p.Actors = append(p.Actors, Count{Themselves, domain.ActorPerson, f.themselves})
	}
	for c, a := range f.actors {
		kind := domain.ActorKind("")
		if !a.several {
			kind = domain.ActorKind(l.actors.most(int(a.kind), mostSmall))
		}
		p.Actors = append(p.Actors, Count{l.text(c), kind, a.events})
	}
	slices.SortFunc(p.Actors, mostFirst)
	from, n := max(0, q.Offset), max(0, q.Limit)
	for i := from; i < f.total && i-from < n; i++ {
		at := i
		if !q.Oldest {
			at = f.total - 1 - i
		}
		p.Rows = append(p.Rows, l.row(&f.rows, f.index(at)))
	}
	return p
}

func mostFirst(a, b Count) int {
	return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Value, b.Value))
}

// At returns the row of the event at a position, and whether there is one.
func (l *Ledger) At(p domain.Position) (Row, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	i := l.rows.upTo(p) - 1
	if i < 0 || l.rows.at(i).position != p {
		return Row{}, false
	}
	return l.row(&l.rows, i), true
}

// Step returns the by-th event of a filter behind a position, or before it where by is
// negative; the last one on the way where there are not as many. It says whether there is
// any.
func (l *Ledger) Step(from domain.Position, by int, f Filter) (r Row, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	w := l.compile(f)
	end := l.rows.n
	if f.Until > 0 {
		end = l.rows.upTo(f.Until)
	}
	i, way := l.rows.upTo(from), 1
	if by < 0 {
		i, way, by = l.rows.upTo(from-min(from, 1))-1, -1, -by
		i = min(i, end-1)
	}
	found := -1
	for ; by > 0 && i >= 0 && i < end; i += way {
		if w.fails(l.rows.at(i)) == 0 {
			found = i
			by--
		}
	}
	if found < 0 {
		return r, false
	}
	return l.row(&l.rows, found), true
}

// row returns a row as it is shown.
func (l *Ledger) row(rs *rows, i int) Row {
	r := rs.at(i)
	row := Row{
		Position: r.position, Stream: prefixes[r.kind] + l.text(r.owner), Revision: domain.Revision(r.revision),
		Type: l.types.most(int(r.typ), mostTypes), Recorded: time.UnixMicro(r.recorded).UTC(), Station: l.text(r.station),
		Actor: domain.Actor{
			Kind: domain.ActorKind(l.actors.most(int(r.who&mostSmall), mostSmall)), ID: l.text(r.actor),
			Role: domain.Role(l.roles.most(int(r.who>>4), mostSmall)),
		},
	}
	if i > 0 {
		row.Before = rs.at(i - 1).position
	}
	about := r.owner
	if r.kind == access {
		about = r.about
	}
	if about != 0 && !about.isName() && r.kind != station {
		row.Subject, _ = l.subjects.At(about.number())
	}
	return row
}

// The parts of a filter whose values a page counts, as bits of what fails.
const (
	failsType = 1 << iota
	failsRole
	failsStation
	failsActor
	failsAll // any other part
)

// A want is a filter in the ledger's own numbers.
type want struct {
	types          map[uint16]bool // nil: all
	subject        code            // 0: any, as below
	actor, station code
	themselves     bool // those who acted as the person that they are
	person         int  // the number of that kind of actor, -1 while there is none
	role           int  // -1: any
	correlation    uint64
	correlated     bool
	from, to       int64
}

func (l *Ledger) compile(f Filter) want {
	w := want{role: -1, person: -1, from: -1 << 63, to: 1<<63 - 1}
	if len(f.Types) > 0 {
		w.types = map[uint16]bool{}
		for _, t := range f.Types {
			if n, ok := l.types.find(t); ok {
				w.types[uint16(min(n, mostTypes))] = true //nolint:gosec // see mostTypes
			}
		}
	}
	if !f.Subject.IsZero() {
		w.subject = l.lookup(f.Subject.String())
	}
	if n, ok := l.actors.find(string(domain.ActorPerson)); ok {
		w.person = n
	}
	switch f.Actor {
	case "":
	case Themselves:
		w.themselves = true
	default:
		w.actor = l.lookup(f.Actor)
	}
	if f.Station != "" {
		w.station = never
		if n, ok := l.names.find(f.Station); ok {
			w.station = nameCode(n)
		}
	}
	if f.Role != "" {
		n, ok := l.roles.find(string(f.Role))
		if w.role = n; !ok || n >= mostSmall {
			w.role = mostSmall + 1 // nobody's
		}
	}
	if f.Correlation != (domain.EventID{}) {
		w.correlation, w.correlated = half(f.Correlation), true
	}
	if !f.From.IsZero() {
		w.from = f.From.UnixMicro()
		if f.From.After(time.UnixMicro(w.from)) {
			w.from++ // between two microseconds
		}
	}
	if !f.To.IsZero() {
		w.to = f.To.UnixMicro()
		if f.To.After(time.UnixMicro(w.to)) {
			w.to++
		}
	}
	return w
}

// fails says which parts of the filter do not let an event through.
func (w *want) fails(r *record) (bits uint8) {
	if w.subject != 0 && r.about != w.subject && (r.owner != w.subject || r.kind == station) ||
		w.correlated && r.correlation != w.correlation || r.recorded < w.from || r.recorded >= w.to {
		return failsAll
	}
	if w.types != nil && !w.types[r.typ] {
		bits |= failsType
	}
	if w.role >= 0 && int(r.who>>4) != w.role {
		bits |= failsRole
	}
	if w.station != 0 && r.station != w.station {
		bits |= failsStation
	}
	if w.actor != 0 && r.actor != w.actor || w.themselves && !w.isPerson(r) {
		bits |= failsActor
	}
	return bits
}

// isPerson says whether somebody acted as the person that they are.
func (w *want) isPerson(r *record) bool { return int(r.who&mostSmall) == w.person }

// found is what a filter has let through so far.
type found struct {
	key     string
	dropped int
	rows    rows // of the ledger, when it was looked through
	upTo    int  // rows that were
	through domain.Position
	whole   bool // all of them were let through, and picked is not used
	picked  []uint32
	total   int

	types      []int
	roles      [mostSmall + 1]int
	stations   []int // by the number of the name
	actors     map[code]acts
	themselves int
}

// acts are the events of an actor.
type acts struct {
	events  int
	kind    uint8 // its number
	several bool  // a station and a client have the same id
}

// kept is how many filters' finds are kept: some auditors at a time, each with some.
const kept = 4

// find returns what a filter lets through, up to now.
func (l *Ledger) find(f Filter) *found {
	l.mu.RLock()
	defer l.mu.RUnlock()
	key := keyOf(f)
	i := slices.IndexFunc(l.found, func(o *found) bool { return o.key == key && o.dropped == l.dropped })
	var it *found
	if i >= 0 {
		it = l.found[i]
		l.found = slices.Delete(l.found, i, i+1)
	} else {
		g := f
		g.Until = 0
		it = &found{key: key, dropped: l.dropped, actors: map[code]acts{}, whole: keyOf(g) == keyOf(Filter{})}
	}
	l.found = slices.Insert(l.found, 0, it)[:min(len(l.found)+1, kept)]
	it.lookOn(l, f)
	return it
}

// keyOf tells filters apart.
func keyOf(f Filter) string {
	types := slices.Clone(f.Types)
	slices.Sort(types)
	return fmt.Sprintf("%s %q %q %q %q %s %d %d %d", f.Subject, strings.Join(types, "\x00"), f.Actor, f.Role, f.Station, f.Correlation,
		f.From.UnixNano(), f.To.UnixNano(), f.Until)
}

// lookOn looks through the rows that came since the last time.
func (it *found) lookOn(l *Ledger, f Filter) {
	end := l.rows.n
	if f.Until > 0 {
		end = l.rows.upTo(f.Until)
	}
	it.rows, it.through = l.rows, l.through
	it.types = append(it.types, make([]int, min(len(l.types.text), mostTypes+1)-len(it.types))...)
	it.stations = append(it.stations, make([]int, len(l.names.text)-len(it.stations))...)
	w := l.compile(f)
	for ; it.upTo < end; it.upTo++ {
		it.look(&w, l.rows.at(it.upTo))
	}
}

func (it *found) look(w *want, r *record) {
	bits := w.fails(r)
	if bits == 0 {
		if it.total++; !it.whole {
			it.picked = append(it.picked, uint32(it.upTo)) //nolint:gosec // 2^32 rows take 200 GB
		}
	}
	if bits&^failsType == 0 {
		it.types[r.typ]++
	}
	if bits&^failsRole == 0 {
		it.roles[r.who>>4]++
	}
	if bits&^failsStation == 0 && r.station != 0 {
		it.stations[r.station.number()]++
	}
	switch {
	case bits&^failsActor != 0:
	case w.isPerson(r):
		it.themselves++
	case r.actor != 0:
		a, kind := it.actors[r.actor], r.who&mostSmall
		it.actors[r.actor] = acts{a.events + 1, kind, a.several || a.events > 0 && a.kind != kind}
	}
}

// index returns where in the rows the i-th stands that was let through.
func (it *found) index(i int) int {
	if it.whole {
		return i
	}
	return int(it.picked[i])
}

func (it *found) counts(events []int, text func(n int) string) []Count {
	all := []Count{}
	for n, events := range events {
		if value := text(n); events > 0 && value != "" {
			all = append(all, Count{Value: value, Events: events})
		}
	}
	slices.SortFunc(all, mostFirst)
	return all
}
