package esdbtest

import (
	"fmt"

	"github.com/google/uuid"
)

// An outcome is what came of an append or a deletion.
type outcome struct {
	decision decision
	revision int64  // of the last event; on a wrong version where the stream is
	position uint64 // of the last event, 0 when nothing was written
}

// A decision says what becomes of an append.
type decision int

const (
	fits  decision = iota
	again          // all of it is there already
	wrong          // the stream is not where it was expected
	over           // the stream is deleted
)

// append records events behind the expected revision, all or none.
func (l *log) append(name string, expected int64, events []Event) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	ids := make([]uuid.UUID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	s := l.stream(name)
	o := l.decide(s, expected, ids)
	if o.decision != fits || len(events) == 0 {
		return o
	}
	from := s.last() + 1
	wasDeleted := s.meta.before == ended
	described := l.described(name)
	describedDeleted := described != nil && described.meta.before == ended
	for i, e := range events {
		e.Revision = from + int64(i)
		at := l.record(s, e)
		l.note(at)
		o.revision, o.position = at.Revision, at.Position
	}
	if wasDeleted {
		l.restart(s, from)
	}
	if describedDeleted { // who says something about a deleted stream brings it back, empty
		l.restart(described, described.last()+1)
	}
	l.wake()
	return o
}

// described returns the stream that another one tells about.
func (l *log) described(name string) *stream {
	if len(name) > 2 && name[:2] == "$$" {
		return l.stream(name[2:])
	}
	return nil
}

// decide compares an expectation with where the stream is. Only an exact one
// tells a retry for certain; else the ids of the last records do.
func (l *log) decide(s *stream, expected int64, ids []uuid.UUID) outcome {
	last, isDeleted := s.last(), s.meta.before == ended
	o := outcome{decision: wrong, revision: last}
	switch {
	case l.tombstone(s.name) != nil, expected == expectExists && isDeleted:
		o.decision = over
	case expected == expectExists && last < 0 && len(l.look("$$"+s.name).events) == 0:
	case expected == expectAny, expected == expectExists:
		return l.lookup(s, ids)
	case expected == last:
		o.decision = fits
	case expected < last:
		return s.compare(expected, ids)
	}
	return o
}

// compare looks whether an append that comes too late is a retry: all its events
// are there, right behind the expectation.
func (s *stream) compare(expected int64, ids []uuid.UUID) outcome {
	o := outcome{decision: wrong, revision: s.last()}
	var at *Event
	for i, id := range ids {
		n := expected + 1 + int64(i)
		if n <= s.last() && s.events[n].ID == id {
			at = s.events[n]
			continue
		}
		if i == 0 && expected == expectNoStream && s.meta.before == ended {
			o.decision = fits // it begins again
		}
		return o
	}
	if at == nil {
		return o
	}
	return outcome{again, at.Revision, at.Position}
}

// lookup looks whether an append that expects nothing exact is a retry: the
// stream has all its events. The server remembers the last ids only.
func (l *log) lookup(s *stream, ids []uuid.UUID) outcome {
	var at *Event
	for i, id := range ids {
		e := l.recent[id]
		if e == nil || e.Stream != s.name {
			if i == 0 {
				return outcome{decision: fits, revision: s.last()}
			}
			return outcome{decision: wrong, revision: s.last()}
		}
		at = e
	}
	if at == nil {
		return outcome{decision: fits, revision: s.last()}
	}
	return outcome{again, at.Revision, at.Position}
}

// delete ends a stream: softly, so that it may begin again, or for good.
func (l *log) delete(name string, expected int64, forGood bool) outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, about := l.stream(name), l.stream("$$"+name)
	o := l.decide(s, expected, []uuid.UUID{uuid.New()})
	switch {
	case o.decision != fits:
		return o
	case forGood:
		o.position = l.record(s, Event{
			ID: uuid.New(), Type: typeTombstone, ContentType: jsonContent, Revision: ended,
		}).Position
	case s.last() < 0 && about.last() < 0:
		return outcome{decision: wrong, revision: expectNoStream}
	default: // all else that was said about it goes with it
		o.position = l.say(about, statement(fmt.Sprintf(`{"$tb":%d}`, int64(ended)))).Position
	}
	l.wake()
	return o
}
