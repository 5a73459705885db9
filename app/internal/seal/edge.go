package seal

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// An edge is the right edge of a tree: the roots of the perfect trees that it
// consists of, the largest first. It is all that is needed to add to the tree.
type edge struct {
	size  int64
	roots []tlog.Hash
}

// add adds a leaf, and appends to stored what the tree has more of now, in the
// order of tlog.StoredHashIndex: the leaf, and every node that it completes.
func (e *edge) add(leaf tlog.Hash, stored []byte) []byte {
	stored = append(stored, leaf[:]...)
	for range bits.TrailingZeros64(^uint64(e.size)) { //nolint:gosec // a size is never negative
		last := len(e.roots) - 1
		leaf = tlog.NodeHash(e.roots[last], leaf)
		e.roots = e.roots[:last]
		stored = append(stored, leaf[:]...)
	}
	e.roots = append(e.roots, leaf)
	e.size++
	return stored
}

// root returns the root of the whole tree.
func (e *edge) root() tlog.Hash {
	if len(e.roots) == 0 {
		empty, _ := tlog.TreeHash(0, nil) // reads nothing
		return empty
	}
	h := e.roots[len(e.roots)-1]
	for i := len(e.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(e.roots[i], h)
	}
	return h
}

// readEdge reads the edge of a tree of a size from its stored hashes.
func readEdge(size int64, r tlog.HashReader) (edge, error) {
	e := edge{size: size}
	var at []int64
	for begin, rest := int64(0), size; rest > 0; {
		level := bits.Len64(uint64(rest)) - 1
		at = append(at, tlog.StoredHashIndex(level, begin>>level))
		begin, rest = begin+1<<level, rest-1<<level
	}
	if len(at) == 0 {
		return e, nil
	}
	var err error
	e.roots, err = r.ReadHashes(at)
	return e, err
}
