package store

import (
	"sync"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/domain"
)

// Who reads from a position may give any, and the server takes none but its own: where a
// record begins, and the places between that it tells itself. A record's has the same
// number twice and stands for what is behind that record; one between records has the
// number of the record that it is in front of, which was not read yet.

// placeOf returns the place of the record at a position, if there is one.
func placeOf(p domain.Position) esdb.Position {
	return esdb.Position{Commit: uint64(p), Prepare: uint64(p)}
}

// later returns the place of two that is further on.
func later(a, b esdb.Position) esdb.Position {
	if a.Commit > b.Commit || a.Commit == b.Commit && a.Prepare >= b.Prepare {
		return a
	}
	return b
}

// placesApart is how far the places lie apart that are kept, in the server's positions,
// which are bytes of its log: some hundred events.
const placesApart = 1 << 16

// places are some records of the log, so that a reading from a position that the server
// does not take need not begin at the start. Its methods may be called concurrently.
type places struct {
	mu    sync.Mutex
	first map[uint64]esdb.Position // the first record seen of each stretch of placesApart
	last  uint64                   // the furthest of them
}

func (s *places) add(p esdb.Position) {
	stretch := p.Commit / placesApart
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.first[stretch]; ok && later(known, p) == p {
		return
	}
	if s.first == nil {
		s.first = map[uint64]esdb.Position{}
	}
	s.first[stretch] = p
	s.last = max(s.last, stretch)
}

// instead returns what to try when the server does not take p: in front of the next
// number, which may be that of a record, or else the last place that is known before that.
// That is the start if there is none.
func (s *places) instead(p esdb.Position) esdb.Position {
	if p.Prepare == p.Commit {
		return esdb.Position{Commit: p.Commit + 1}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for stretch := min(s.last, p.Commit/placesApart); len(s.first) > 0; stretch-- {
		if known, ok := s.first[stretch]; ok && known.Commit+1 < p.Commit {
			return known
		}
		if stretch == 0 {
			break
		}
	}
	return esdb.Position{}
}
