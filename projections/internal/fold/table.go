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
	frozen []bool // by chunk: a view has it too
	n      int
}

type chunk[R any] [chunkSize]entry[R]

type entry[R any] struct {
	id  domain.SubjectID
	row R
}

// A shard is an open-addressed hash table with linear probing. A slot holds
// half of a person's hash, so that other people's rows need not be looked at,
// and the number of their row plus one; 0 is free. It takes 11 to 21 bytes a
// person, where a map from ids to numbers takes 24 to 48.
type shard struct {
	slots []uint64
	used  int
}

// Len returns how many people there are.
func (t *Table[R]) Len() int { return t.n }

// Reserve makes room in the index, so that it need not grow on the way to so
// many people.
func (t *Table[R]) Reserve(people int) {
	size := 8
	for 3*size < 4*(people/shards+people/shards/8) {
		size *= 2
	}
	for i := range t.index {
		if s := &t.index[i]; len(s.slots) < size {
			t.resize(s, size)
		}
	}
}

// Find returns the number of a person's row, and whether there is one.
func (t *Table[R]) Find(id domain.SubjectID) (int, bool) {
	h := spread(id)
	slots := t.index[h%shards].slots
	if len(slots) == 0 {
		return 0, false
	}
	mask := uint64(len(slots) - 1) //nolint:gosec // a length
	for at := h >> 8 & mask; slots[at] != 0; at = (at + 1) & mask {
		if slots[at]>>32 != h>>32 {
			continue
		}
		if i := int(uint32(slots[at]) - 1); t.entry(i).id == id { //nolint:gosec // the lower half
			return i, true
		}
	}
	return 0, false
}

// Add makes an empty row for a person who has none, and returns its number.
func (t *Table[R]) Add(id domain.SubjectID) int {
	i := t.n
	if i == len(t.chunks)*chunkSize {
		t.chunks, t.frozen = append(t.chunks, new(chunk[R])), append(t.frozen, false)
	}
	t.n++
	t.writable(i).id = id
	t.list(i, id)
	return i
}

// list puts a row into the index.
func (t *Table[R]) list(i int, id domain.SubjectID) {
	h := spread(id)
	s := &t.index[h%shards]
	if 4*(s.used+1) > 3*len(s.slots) {
		t.resize(s, max(8, 2*len(s.slots)))
	}
	s.put(h>>32<<32|uint64(i+1), h) //nolint:gosec // 2^32 people are more than there are
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
	for i := range t.frozen {
		t.frozen[i] = true
	}
	return View[R]{chunks: slices.Clone(t.chunks), n: t.n}
}

// Thaw returns a table that goes on from a view, which stays as it is.
func (v View[R]) Thaw() Table[R] {
	t := Table[R]{chunks: slices.Clone(v.chunks), frozen: make([]bool, len(v.chunks)), n: v.n}
	t.Reserve(v.n)
	for i := range t.frozen {
		t.frozen[i] = true
	}
	for i := range v.n {
		t.list(i, t.entry(i).id)
	}
	return t
}

func (t *Table[R]) entry(i int) *entry[R] { return &t.chunks[i/chunkSize][i%chunkSize] }

func (t *Table[R]) writable(i int) *entry[R] {
	c := i / chunkSize
	if t.frozen[c] {
		copied := *t.chunks[c]
		t.chunks[c], t.frozen[c] = &copied, false
	}
	return t.entry(i)
}

func (t *Table[R]) resize(s *shard, size int) {
	old := *s
	*s = shard{slots: make([]uint64, size)}
	for _, slot := range old.slots {
		if slot != 0 {
			s.put(slot, spread(t.entry(int(uint32(slot)-1)).id)) //nolint:gosec // the lower half
		}
	}
}

// put takes a slot for somebody with this hash who has none.
func (s *shard) put(slot, h uint64) {
	mask := uint64(len(s.slots) - 1) //nolint:gosec // a length
	at := h >> 8 & mask
	for s.slots[at] != 0 {
		at = (at + 1) & mask
	}
	s.slots[at] = slot
	s.used++
}

// spread spreads ids over the index. They are random, made by ourselves, so it
// has to stand up to counters in tests, not to an attacker.
func spread(id domain.SubjectID) uint64 {
	a, b := binary.LittleEndian.Uint64(id[:8]), binary.LittleEndian.Uint64(id[8:])
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^0xe7037ed1a0b428db)
	h := (hi ^ lo) * 0xff51afd7ed558ccd
	return h ^ h>>32
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
	e := &v.chunks[i/chunkSize][i%chunkSize]
	return e.id, &e.row
}
