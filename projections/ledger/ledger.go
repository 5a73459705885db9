package ledger

import (
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// A Ledger is the index. One goroutine may apply events while any number of others ask.
type Ledger struct {
	skip []string // beginnings of streams that are no part of the record

	mu       sync.RWMutex
	rows     rows
	subjects fold.Table[struct{}]
	names    interned
	types    interned
	roles    interned
	actors   interned // kinds
	through  domain.Position
	mark     Mark
	marked   int // rows up to mark
	dropped  int // grows with each Drop

	finding sync.Mutex
	found   []*found // those asked for last, the latest first
}

// A Mark is an event of an enrolment, which no log ever forgets: a snapshot goes up to
// one. The zero Mark is the beginning of any log.
type Mark struct {
	Subject  domain.SubjectID
	Revision domain.Revision
	Position domain.Position
}

// A record is one event: 48 bytes without a pointer. Ids are codes, see code.
type record struct {
	position    domain.Position
	recorded    int64  // microseconds since 1970
	correlation uint64 // its first half
	owner       code   // of the stream
	about       code   // who is not the owner, and whom it is about
	actor       code
	station     code
	revision    uint32
	typ         uint16
	kind        kind
	who         uint8 // the actor's kind and, above it, their role
}

// A code stands for an id: the number of a subject, doubled, or of a name, doubled and one
// more; both from 1. 0 stands for none.
type code uint32

const never code = 1<<32 - 1 // is of nothing that the ledger knows

func subjectCode(i int) code { return code(i+1) << 1 }   //nolint:gosec // 2^31 people are more than there are
func nameCode(i int) code    { return code(i+1)<<1 | 1 } //nolint:gosec // likewise

func (c code) number() int  { return int(c>>1) - 1 }
func (c code) isName() bool { return c&1 != 0 }

// A kind is which streams a stream is one of.
type kind uint8

const (
	other kind = iota // the owner is the whole name
	enrolment
	login
	staff
	access
	station
	service // has no owner
	kinds
)

var prefixes = [kinds]string{
	other: "", enrolment: domain.EnrolmentPrefix, login: domain.LoginPrefix, staff: domain.StaffPrefix,
	access: domain.AccessPrefix, station: domain.StationPrefix, service: domain.ServiceStream,
}

// split returns the kind of a stream and whose it is.
func split(stream string) (kind, string) {
	for k := enrolment; k < service; k++ {
		if owner, ok := strings.CutPrefix(stream, prefixes[k]); ok {
			return k, owner
		}
	}
	if stream == domain.ServiceStream {
		return service, ""
	}
	return other, stream
}

// New returns a ledger that holds nothing yet, of a log in which streams with some
// beginnings are no part of the record. It wants all streams, with metadata.
func New(skip ...string) *Ledger {
	l := &Ledger{skip: skip}
	l.actors.of("") // 0 is none
	l.roles.of("")
	return l
}

// Apply takes in a run of events, in the order of the log, and notes that there is nothing
// else up to through. What was applied before is passed over, and nothing that an event
// points at is kept.
func (l *Ledger) Apply(events []domain.Recorded, through domain.Position) {
	const atOnce = 64 // before those who ask get a turn
	var last cursor
	for len(events) > 0 {
		n := min(len(events), atOnce)
		l.mu.Lock()
		for i := range events[:n] {
			if e := &events[i]; e.Position > l.through {
				l.through = e.Position
				l.add(e, &last)
			}
		}
		l.mu.Unlock()
		events = events[n:]
	}
	l.mu.Lock()
	l.through = max(l.through, through)
	l.mu.Unlock()
}

// A cursor is what the event before was about: the next one is often about the same.
type cursor struct {
	stream  string
	skipped bool
	kind    kind
	owner   code
	text    string // the owner's part of stream
	typ     string
	number  uint16
}

func (l *Ledger) add(e *domain.Recorded, last *cursor) {
	if last.stream != e.Stream || e.Stream == "" {
		last.stream, last.skipped = e.Stream, l.skips(e.Stream)
		if last.skipped {
			return
		}
		last.kind, last.text = split(e.Stream)
		last.owner = l.codeOf([]byte(last.text))
	}
	if last.skipped {
		return
	}
	if last.typ != e.Type || e.Type == "" {
		last.typ, last.number = e.Type, uint16(min(l.types.of(e.Type), mostTypes)) //nolint:gosec // see mostTypes
	}
	r := record{
		position: e.Position, recorded: e.Recorded.UnixMicro(), owner: last.owner, kind: last.kind,
		revision: uint32(e.Revision), typ: last.number, //nolint:gosec // no stream has so many events
	}
	var m metadata
	if m.scan(e.Metadata) { // of what is not readable nothing is known
		r.correlation = m.correlation
		if r.actor = last.owner; string(m.actor) != last.text {
			r.actor = l.codeOf(m.actor)
		}
		if len(m.station) > 0 {
			r.station = nameCode(l.names.ofBytes(m.station))
		}
		r.who = uint8(min(l.actors.ofBytes(m.kind), mostSmall) | min(l.roles.ofBytes(m.role), mostSmall)<<4) //nolint:gosec // 4 bits each
	}
	if r.kind == access {
		if id, ok := shown(e.Type, e.Data); ok {
			r.about = l.codeOfSubject(id)
		}
	}
	l.rows.add(r)
	if r.kind == enrolment && !r.owner.isName() {
		id, _ := l.subjects.At(r.owner.number())
		l.mark, l.marked = Mark{id, e.Revision, e.Position}, l.rows.n
	}
}

func (l *Ledger) skips(stream string) bool {
	for _, beginning := range l.skip {
		if strings.HasPrefix(stream, beginning) {
			return true
		}
	}
	return false
}

// codeOf returns the code of an id, and makes one where there is none.
func (l *Ledger) codeOf(id []byte) code {
	if len(id) == 0 {
		return 0
	}
	if s, ok := subject(id); ok {
		return l.codeOfSubject(s)
	}
	return nameCode(l.names.ofBytes(id))
}

func (l *Ledger) codeOfSubject(s domain.SubjectID) code {
	i, ok := l.subjects.Find(s)
	if !ok {
		i = l.subjects.Add(s)
	}
	return subjectCode(i)
}

// subject reads an id in the very form that it is written in.
func subject(id []byte) (domain.SubjectID, bool) {
	if len(id) != len("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
		return domain.SubjectID{}, false
	}
	for _, c := range id {
		if 'A' <= c && c <= 'F' {
			return domain.SubjectID{}, false
		}
	}
	s, err := domain.ParseSubjectID(string(id))
	return s, err == nil
}

// lookup returns the code of an id that may be known.
func (l *Ledger) lookup(id string) code {
	if s, ok := subject([]byte(id)); ok {
		if i, ok := l.subjects.Find(s); ok {
			return subjectCode(i)
		}
		return never
	}
	if i, ok := l.names.find(id); ok {
		return nameCode(i)
	}
	return never
}

func (l *Ledger) text(c code) string {
	switch {
	case c == 0:
		return ""
	case c.isName():
		return l.names.text[c.number()]
	}
	id, _ := l.subjects.At(c.number())
	return id.String()
}

// Position returns how far the log was applied.
func (l *Ledger) Position() domain.Position {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.through
}

// Len returns how many events the ledger holds.
func (l *Ledger) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.rows.n
}

// Drop forgets the events of streams with a beginning that were recorded before a moment:
// the log gives them no longer.
func (l *Ledger) Drop(prefix string, before time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := [kinds]bool{}
	for k := enrolment; k < kinds; k++ {
		of[k] = strings.HasPrefix(prefixes[k], prefix) && prefix != ""
	}
	at := before.UnixMicro()
	kept, marked := rows{}, 0
	for i := range l.rows.n {
		if i == l.marked {
			marked = kept.n
		}
		if r := l.rows.at(i); !of[r.kind] || r.recorded >= at {
			kept.add(*r)
		}
	}
	if l.marked == l.rows.n {
		marked = kept.n
	}
	if kept.n < l.rows.n {
		l.rows, l.marked = kept, marked
		l.dropped++
	}
}

// rows are records in chunks, so that adding one moves none. Whoever has a copy of rows
// may read it while more are added.
type rows struct {
	chunks []*[chunkRows]record
	n      int
}

const chunkRows = 1 << 12

func (rs *rows) add(r record) {
	if rs.n == len(rs.chunks)*chunkRows {
		rs.chunks = append(rs.chunks, new([chunkRows]record))
	}
	rs.chunks[rs.n/chunkRows][rs.n%chunkRows] = r
	rs.n++
}

func (rs *rows) at(i int) *record { return &rs.chunks[i/chunkRows][i%chunkRows] }

// upTo returns how many of the rows stand at a position or before it.
func (rs *rows) upTo(p domain.Position) int {
	return sort.Search(rs.n, func(i int) bool { return rs.at(i).position > p })
}

// mostTypes and mostSmall stand for all the types, roles and kinds of actors that there is
// no number left for.
const (
	mostTypes = 1<<16 - 1
	mostSmall = 1<<4 - 1
)

// interned numbers texts, from 0.
type interned struct {
	numbers map[string]int
	text    []string
}

func (in *interned) of(text string) int {
	n, ok := in.numbers[text]
	if !ok {
		n = in.add(text)
	}
	return n
}

func (in *interned) ofBytes(text []byte) int {
	n, ok := in.numbers[string(text)]
	if !ok {
		n = in.add(string(text))
	}
	return n
}

func (in *interned) add(text string) int {
	if in.numbers == nil {
		in.numbers = map[string]int{}
	}
	text = strings.Clone(text)
	n := len(in.text)
	in.numbers[text] = n
	in.text = append(in.text, text)
	return n
}

func (in *interned) find(text string) (int, bool) {
	n, ok := in.numbers[text]
	return n, ok
}

// most is the text of a number that many may share.
func (in *interned) most(n, most int) string {
	if n >= len(in.text) || n == most {
		return ""
	}
	return in.text[n]
}
