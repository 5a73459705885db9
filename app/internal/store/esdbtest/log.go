package esdbtest

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
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

// The expectations of an append that are no revisions.
const (
	expectNoStream = -1 - iota
	expectAny
	expectExists
)

// A log is the data of all nodes.
type log struct {
	now func() time.Time

	mu      sync.RWMutex
	events  []Event
	streams map[string][]int // indexes of events
	metas   map[string]meta  // by the stream that they are about
	gone    map[string]bool  // tombstoned
	changed chan struct{}    // closed at the next append
	head    uint64           // the last position
}

func newLog(now func() time.Time) *log {
	return &log{
		now: now, streams: map[string][]int{}, metas: map[string]meta{}, gone: map[string]bool{},
		changed: make(chan struct{}), head: 1000, // what a server writes of itself at first
	}
}

// meta is what a stream's metadata says.
type meta struct {
	maxAge   time.Duration // 0: none
	maxCount int64         // 0: none
	before   int64         // events before it are cut off
	acl      acl
	settings map[string]acl // of $settings
}

// softDeleted is the "truncate before" of a stream that was deleted.
const softDeleted = math.MaxInt64

// An outcome is what came of an append.
type outcome struct {
	revision int64 // of the last event; on a wrong version the actual one
	position uint64
	wrong    bool
	old      bool // it was there already
}

// append records events behind the expected revision, all or none.
func (l *log) append(stream string, expected int64, events []Event) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := int64(len(l.streams[stream])) - 1
	m := l.metas[stream]
	deleted := m.before == softDeleted
	switch {
	case expected == expectAny, expected == last, expected == expectNoStream && deleted, expected == expectExists && last >= 0:
	case expected < last && expected >= expectNoStream:
		return l.again(stream, expected, events)
	default:
		return outcome{revision: last, wrong: true}
	}
	if deleted {
		m.before = last + 1
		l.metas[stream] = m
	}
	for i, e := range events {
		e.Stream, e.Revision, e.Created = stream, last+1+int64(i), l.now()
		l.head += uint64(64 + len(e.Data) + len(e.Metadata))
		e.Position = l.head
		l.streams[stream] = append(l.streams[stream], len(l.events))
		l.events = append(l.events, e)
		l.note(e)
	}
	close(l.changed)
	l.changed = make(chan struct{})
	return outcome{revision: last + int64(len(events)), position: l.head}
}

// again looks whether an append that comes too late is a retry: all its events
// are there, right behind the expectation.
func (l *log) again(stream string, expected int64, events []Event) outcome {
	indexes := l.streams[stream]
	last := int64(len(indexes)) - 1
	var at Event
	for i, e := range events {
		n := expected + 1 + int64(i)
		if n > last || l.events[indexes[n]].ID != e.ID {
			return outcome{revision: last, wrong: true}
		}
		at = l.events[indexes[n]]
	}
	return outcome{revision: at.Revision, position: at.Position, old: true}
}

// note takes over what an event says about a stream.
func (l *log) note(e Event) {
	about, ok := cutPrefix(e.Stream, "$$")
	if e.Stream == "$settings" {
		about, ok = e.Stream, true
	}
	if !ok {
		return
	}
	var m struct {
		MaxAge   int64                      `json:"$maxAge"`
		MaxCount int64                      `json:"$maxCount"`
		Before   int64                      `json:"$tb"`
		ACL      acl                        `json:"$acl"`
		More     map[string]json.RawMessage `json:"-"`
	}
	if json.Unmarshal(e.Data, &m) != nil {
		return
	}
	out := meta{maxAge: time.Duration(m.MaxAge) * time.Second, maxCount: m.MaxCount, before: m.Before, acl: m.ACL}
	if e.Stream == "$settings" {
		_ = json.Unmarshal(e.Data, &out.settings) // what is no list of rights means nothing
	}
	l.metas[about] = out
}

func cutPrefix(s, prefix string) (string, bool) {
	if len(s) > len(prefix) && s[:len(prefix)] == prefix {
		return s[len(prefix):], true
	}
	return s, false
}

// delete ends a stream: softly, so that it may begin again, or for good.
func (l *log) delete(stream string, expected int64, forGood bool) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := int64(len(l.streams[stream])) - 1
	if expected != expectAny && expected != last && (expected != expectExists || last < 0) {
		return outcome{revision: last, wrong: true}
	}
	l.head += 64
	if forGood {
		l.gone[stream] = true
	} else {
		m := l.metas[stream]
		m.before = softDeleted
		l.metas[stream] = m
	}
	return outcome{revision: last, position: l.head}
}

// state says whether a stream can be read.
func (l *log) state(stream string) (exists, tombstoned bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.streams[stream]) > 0 && l.metas[stream].before != softDeleted, l.gone[stream]
}

// stream returns up to n events of a stream, from a revision on, and the
// channel that the next append closes.
func (l *log) stream(name string, from int64, backwards bool, n uint64) ([]Event, chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	indexes := l.streams[name]
	m, last := l.metas[name], int64(len(indexes))-1
	least := m.before
	if m.maxCount > 0 {
		least = max(least, last+1-m.maxCount)
	}
	out := []Event{}
	step := int64(1)
	if backwards {
		from, step = min(from, last), -1
	} else {
		from = max(from, least)
	}
	for r := from; r >= max(0, least) && r <= last && uint64(len(out)) < n; r += step {
		e := l.events[indexes[r]]
		if m.maxAge > 0 && l.now().Sub(e.Created) > m.maxAge {
			continue
		}
		out = append(out, e)
	}
	return out, l.changed
}

// all returns up to n records from a position on, forwards or backwards. What a
// stream's metadata hides is there until the log is scavenged, which this one
// never is.
func (l *log) all(position uint64, backwards bool, n uint64) ([]Event, chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	at, _ := slices.BinarySearchFunc(l.events, position, func(e Event, p uint64) int {
		switch {
		case e.Position < p:
			return -1
		case e.Position > p:
			return 1
		}
		return 0
	})
	out := []Event{}
	if backwards {
		for i := min(at, len(l.events)-1); i >= 0 && uint64(len(out)) < n; i-- {
			if l.events[i].Position <= position {
				out = append(out, l.events[i])
			}
		}
		return out, l.changed
	}
	end := len(l.events)
	if room := uint64(end - at); n < room { //nolint:gosec // never negative
		end = at + int(n) //nolint:gosec // less than end
	}
	return l.events[at:end:end], l.changed
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
