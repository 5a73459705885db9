package fold

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/keydesk/keydesk/domain"
)

const (
	chunkSize = 1 << 10 // rows; one is copied when it is written to after a Freeze
	shards    = 1 << 8  // parts of the index, so that none takes long to grow
)

// A Table holds one row for each person, in the order in which they were
// first heard of. Rows must hold no pointers: then the garbage collector has
// nothing to look at in a table of a million people.
//
// It is not safe for concurrent use; a View of it is.
type Table[R any] struct {
	index  [shards]shard
	chunks []*chunk[R]
	n      int
	epoch  uint64 // counts the calls of Freeze
}

type chunk[R any] struct {
	epoch   uint64 // of the table when the chunk was made or copied
	entries [chunkSize]entry[R]
}

type entry[R any] struct {
	id  domain.SubjectID
	row R
}

// A shard is an open-addressed hash table with linear probing. A slot holds
// the number of a row plus one; 0 is free. It takes 7 to 13 bytes a person,
// where a map from ids to numbers takes 24 to 48.
type shard struct {
	slots []uint32
	used  int
}

// Len returns how many people there are.
func (t *Table[R]) Len() int { return t.n }

// Find returns the number of a person's row, and whether there is one.
func (t *Table[R]) Find(id domain.SubjectID) (int, bool) {
	h := spread(id)
	s := &t.index[h%shards]
	if len(s.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(s.slots) - 1)
	for at := h >> 8 & mask; ; at = (at + 1) & mask {
		n := s.slots[at]
		if n == 0 {
			return 0, false
		}
		if i := int(n - 1); t.entry(i).id == id {
			return i, true
		}
	}
}

// Add makes an empty row for a person who has none, and returns its number.
func (t *Table[R]) Add(id domain.SubjectID) int {
	i := t.n
	if i == len(t.chunks)*chunkSize {
		t.chunks = append(t.chunks, &chunk[R]{epoch: t.epoch})
	}
	t.n++
	t.writable(i).id = id

	h := spread(id)
	s := &t.index[h%shards]
	if 5*(s.used+1) > 3*len(s.slots) {
		t.grow(s)
	}
	s.put(h, uint32(i+1)) //nolint:gosec // 2^32 people are more than there are
	return i
}

// At returns a row and whose it is.
func (t *Table[R]) At(i int) (domain.SubjectID, *R) {
	e := t.entry(i)
	return e.id, &e.row
}

// Edit returns a row to be written to, until the next call of Freeze.
func (t *Table[R]) Edit(i int) *R { return &t.writable(i).row }

// Freeze returns the table as it is now, at once: later edits go to copies.
func (t *Table[R]) Freeze() View[R] {
	t.epoch++
	return View[R]{chunks: slices.Clone(t.chunks), n: t.n}
}

func (t *Table[R]) entry(i int) *entry[R] { return &t.chunks[i/chunkSize].entries[i%chunkSize] }

func (t *Table[R]) writable(i int) *entry[R] {
	c := t.chunks[i/chunkSize]
	if c.epoch != t.epoch {
		copied := *c
		copied.epoch = t.epoch
		c = &copied
		t.chunks[i/chunkSize] = c
	}
	return &c.entries[i%chunkSize]
}

func (t *Table[R]) grow(s *shard) {
	old := s.slots
	s.slots, s.used = make([]uint32, max(8, 2*len(old))), 0
	for _, n := range old {
		if n != 0 {
			s.put(spread(t.entry(int(n-1)).id), n)
		}
	}
}

func (s *shard) put(h uint64, n uint32) {
	mask := uint64(len(s.slots) - 1)
	at := h >> 8 & mask
	for s.slots[at] != 0 {
		at = (at + 1) & mask
	}
	s.slots[at] = n
	s.used++
}

// spread spreads ids over the index. They are random, made by ourselves, so it
// has to stand up to counters in tests, not to an attacker.
func spread(id domain.SubjectID) uint64 {
	a, b := binary.LittleEndian.Uint64(id[:8]), binary.LittleEndian.Uint64(id[8:])
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xe7037ed1a0b428db)
	return (hi ^ lo) * 0xff51afd7ed558ccd >> 8
}

// A View is a table as it was at one moment. It may be used concurrently.
type View[R any] struct {
	chunks []*chunk[R]
	n      int
}

// Len returns how many people there were.
func (v View[R]) Len() int { return v.n }

// At returns a row and whose it was. The row must not be written to.
func (v View[R]) At(i int) (domain.SubjectID, *R) {
	e := &v.chunks[i/chunkSize].entries[i%chunkSize]
	return e.id, &e.row
}
