package proof

import (
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// A range proof shows that a run of leaves, [from, to), stands in a tree at that
// place and nowhere else. It is the hashes of the subtrees that lie outside of
// it: those before it that lead up to it, then those that fill the rest, from
// left to right, each a whole one and as large as can be. Whoever holds the
// leaves puts them between the two and has the root.

// ProveRange returns the proof for the leaves [from, to) of a tree of so many.
func ProveRange(from, to, size int64, r tlog.HashReader) ([]tlog.Hash, error) {
	var at []int64
	for _, outside := range [][2]int64{{0, from}, {to, size}} {
		for lo := outside[0]; lo < outside[1]; {
			level := levelAt(lo, outside[1])
			at = append(at, tlog.StoredHashIndex(level, lo>>level))
			lo += 1 << level
		}
	}
	return r.ReadHashes(at)
}

// levelAt returns the level of the largest whole subtree that begins at a leaf
// and ends at another one or before: it has 2^level leaves.
func levelAt(lo, hi int64) int {
	level := bits.Len64(uint64(hi-lo)) - 1 //nolint:gosec // hi is the larger one
	if lo > 0 {
		level = min(level, bits.TrailingZeros64(uint64(lo)))
	}
	return level
}

// A growing tree takes leaves and whole subtrees from left to right. It keeps
// one hash for each bit that is set in the number of its leaves, and so has the
// root of every tree on the way at hand.
type growing struct {
	size   int64
	hashes []tlog.Hash // of whole subtrees, the largest first
}

// add puts a subtree of 2^level leaves at the right end, a leaf where level is
// 0. The size has to be a multiple of it.
func (g *growing) add(level int, h tlog.Hash) {
	for n := g.size >> level; n&1 == 1; n >>= 1 { // its left sister is there
		last := len(g.hashes) - 1
		h = tlog.NodeHash(g.hashes[last], h)
		g.hashes = g.hashes[:last]
	}
	g.hashes = append(g.hashes, h)
	g.size += 1 << level
}

// fill adds whole subtrees up to a size, and returns the hashes that are left
// over; false where there are too few.
func (g *growing) fill(size int64, hashes []tlog.Hash) ([]tlog.Hash, bool) {
	for g.size < size {
		if len(hashes) == 0 {
			return nil, false
		}
		g.add(levelAt(g.size, size), hashes[0])
		hashes = hashes[1:]
	}
	return hashes, true
}

// root returns the root of the tree so far. It has a leaf.
func (g *growing) root() tlog.Hash {
	h := g.hashes[len(g.hashes)-1]
	for i := len(g.hashes) - 2; i >= 0; i-- {
		h = tlog.NodeHash(g.hashes[i], h)
	}
	return h
}
