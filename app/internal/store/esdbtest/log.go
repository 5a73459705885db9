package esdbtest

import (
	"encoding/binary"
	"math"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// An Event is one record of the log, of whatever kind.
type Event struct {
	Stream      string
	Revision    int64
	Position    uint64
	ID          uuid.UUID
	Type        string
	ContentType string
	Data        []byte
	Metadata    []byte
	Created     time.Time
}

// What a server writes of itself.
const (
	typeMetadata  = "$metadata"
	typeTombstone = "$streamDeleted" // ends a stream for good, at revision ended
	jsonContent   = "application/json"
	ended         = math.MaxInt64
)

// statement is what somebody says about a stream, for the stream of its
// metadata.
func statement(data string) Event {
	return Event{ID: uuid.New(), Type: typeMetadata, ContentType: jsonContent, Data: []byte(data)}
}

// place returns where a record begins.
func (e *Event) place() place { return place{e.Position, e.Position} }

// A place is a position as the protocol has it. That of a record has the same
// number twice. With a prepare of 0 it lies between the records: in front of
// the one at commit, which may be yet to come.
type place struct{ commit, prepare uint64 }

func (p place) before(q place) bool {
	return p.commit < q.commit || p.commit == q.commit && p.prepare < q.prepare
}

var atEnd = place{math.MaxUint64, math.MaxUint64}

// The expectations of an append that are no revisions, as the server numbers
// them.
const (
	expectNoStream = -1
	expectAny      = -2
	expectExists   = -4
)

const (
	// chunk is how many records are kept together. They never move.
	chunk = 1 << 12
	// remembered is of how many records the server knows the ids.
	remembered = 1 << 16
)

// A log is the data of all nodes.
type log struct {
	now func() time.Time

	mu      sync.RWMutex
	chunks  [][]Event
	count   int
	next    uint64 // where the next record will begin
	streams map[string]*stream
	recent  map[uuid.UUID]*Event
	words   map[string]string // one copy of each type
	changed chan struct{}     // closed at the next append
	said    int               // grows with all that is said about streams
}

// A stream is what the log holds of one.
type stream struct {
	name      string
	events    []*Event
	meta      meta
	tombstone *Event // nil: it may go on
}

func (s *stream) last() int64 { return int64(len(s.events)) - 1 }

func newLog(now func() time.Time) *log {
	return &log{
		now: now, next: 1000, // what a server writes of itself at first
		streams: map[string]*stream{}, recent: map[uuid.UUID]*Event{}, words: map[string]string{},
		changed: make(chan struct{}),
	}
}

// stream returns a stream, which need not have begun.
func (l *log) stream(name string) *stream {
	s := l.streams[name]
	if s == nil {
		s = &stream{name: name}
		l.streams[name] = s
	}
	return s
}

// look is stream for who must not write.
func (l *log) look(name string) *stream {
	if s := l.streams[name]; s != nil {
		return s
	}
	return &stream{name: name}
}

// record puts an event at the end of a stream and of the log.
func (l *log) record(s *stream, e Event) *Event {
	e.Stream, e.Created, e.Position = s.name, l.now(), l.next
	e.Type, e.ContentType = l.word(e.Type), l.word(e.ContentType)
	l.next += uint64(64 + len(e.Stream) + len(e.Data) + len(e.Metadata))
	if l.count%chunk == 0 {
		l.chunks = append(l.chunks, make([]Event, 0, chunk))
	}
	c := &l.chunks[len(l.chunks)-1]
	*c = append(*c, e)
	at := &(*c)[len(*c)-1]
	if l.count >= remembered {
		old := l.at(l.count - remembered)
		if l.recent[old.ID] == old {
			delete(l.recent, old.ID)
		}
	}
	l.recent[e.ID] = at
	l.count++
	if e.Type == typeTombstone {
		s.tombstone = at
	} else {
		s.events = append(s.events, at)
	}
	return at
}

func (l *log) word(w string) string {
	if kept, ok := l.words[w]; ok {
		return kept
	}
	l.words[w] = w
	return w
}

func (l *log) at(i int) *Event { return &l.chunks[i/chunk][i%chunk] }

// wake wakes who waits for something new.
func (l *log) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// records returns what stands from index i on, as much of it as lies together;
// nothing at the end.
func (l *log) records(i int) []Event {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if i >= l.count {
		return nil
	}
	return l.chunks[i/chunk][i%chunk:]
}

// end returns the index of the record to come, the place of the last one, and
// the channel that the next append closes.
func (l *log) end() (index int, last place, changed <-chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.count > 0 {
		last = l.at(l.count - 1).place()
	}
	return l.count, last, l.changed
}

// length returns how many events a stream has had, and what ended it.
func (l *log) length(name string) (events int64, tombstone *Event) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.look(name).last() + 1, l.tombstone(name)
}

// statements grows with all that is said about streams.
func (l *log) statements() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.said
}

// find returns the index of the first record that does not begin before a
// place. It says whether that is a place where a record begins or may begin.
func (l *log) find(p place) (index int, fits bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	index = sort.Search(l.count, func(i int) bool { return l.at(i).Position >= p.commit })
	fits = p.commit == 0 || p.commit >= l.next || index < l.count && l.at(index).Position == p.commit
	return index, fits
}

// between returns the place in front of the record at index i, which may be the
// next one.
func (l *log) between(i int) place {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if i == l.count {
		return place{commit: l.next}
	}
	return place{commit: l.at(i).Position}
}

// A condition is what a stream is in.
type condition int

const (
	missing condition = iota // never written, or deleted softly
	running
	deleted // for good
)

// read returns up to n events of a stream, from a revision on, and the revision
// to go on from, which is outside of the stream when there are no more.
func (l *log) read(name string, from int64, backwards bool, n int) (events []*Event, next int64, c condition) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := l.look(name)
	switch {
	case l.tombstone(name) != nil:
		return nil, 0, deleted
	case len(s.events) == 0, s.meta.before == ended:
		return nil, from, missing
	}
	least, oldest := s.kept(l.now())
	step := int64(1)
	if backwards {
		from, step = min(from, s.last()), -1
	} else {
		from = max(from, least)
	}
	for next = from; next >= least && next <= s.last() && len(events) < n; next += step {
		if e := s.events[next]; !e.Created.Before(oldest) {
			events = append(events, e)
		}
	}
	if next < least {
		next = -1
	}
	return events, next, running
}

// tombstone returns what ended a stream for good; with it ended what was said
// about it.
func (l *log) tombstone(name string) *Event {
	about, _ := strings.CutPrefix(name, "$$")
	return l.look(about).tombstone
}

// bits returns a UUID as the two numbers of the protocol.
func bits(id uuid.UUID) (most, least int64) {
	return int64(binary.BigEndian.Uint64(id[:8])), int64(binary.BigEndian.Uint64(id[8:])) //nolint:gosec // bits are bits
}

func fromBits(most, least int64) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(most))  //nolint:gosec // bits are bits
	binary.BigEndian.PutUint64(id[8:], uint64(least)) //nolint:gosec // bits are bits
	return id
}
