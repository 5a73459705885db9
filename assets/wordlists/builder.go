package wordlists

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// A Builder packs lists. Only gen and the tests need it.
//
// It makes the smallest automaton that accepts exactly the words (Daciuk,
// Mihov, Watson and Watson, Incremental Construction of Minimal Acyclic
// Finite-State Automata, 2000), one for all lists, with a root for each.
type Builder struct {
	edges []edge
	known map[string]Node // the edges of a finished state → where they lie
	lists map[string]List
}

// NewBuilder returns a builder without lists.
func NewBuilder() *Builder {
	return &Builder{
		edges: make([]edge, 1), // no state begins at 0
		known: map[string]Node{},
		lists: map[string]List{},
	}
}

// open is a state that still gets edges: the last word added leads through it.
type open []edge

// Add packs one list, in any order and with repetitions. It refuses the empty
// word and more than the format can hold.
func (b *Builder) Add(name string, words []string) error {
	words = slices.Compact(slices.Sorted(slices.Values(words)))
	path := []open{nil}
	last := ""
	for _, w := range words {
		if w == "" {
			return fmt.Errorf("list %s: an empty word", name)
		}
		same := shared(last, w)
		b.close(&path, same)
		for i := same; i < len(w); i++ {
			e := edge(w[i])
			if i == len(w)-1 {
				e |= endsWord
			}
			path[i] = append(path[i], e)
			path = append(path, nil)
		}
		last = w
	}
	b.close(&path, 0)
	root := b.finish(path[0])
	if len(b.edges) > maxEdges {
		return fmt.Errorf("list %s: more than %d edges", name, maxEdges)
	}
	b.lists[name] = List{root: root, words: len(words)}
	return nil
}

// close finishes the states of the last word below a depth.
func (b *Builder) close(path *[]open, depth int) {
	p := *path
	for i := len(p) - 1; i > depth; i-- {
		above := p[i-1]
		above[len(above)-1] |= edge(b.finish(p[i])) << (32 - targetBits)
	}
	*path = p[:depth+1]
}

// finish returns where the edges of a state lie: where those of an equal state
// lie already, or behind all others.
func (b *Builder) finish(s open) Node {
	if len(s) == 0 {
		return 0
	}
	s[len(s)-1] |= endsState
	key := make([]byte, 0, 4*len(s))
	for _, e := range s {
		key = binary.LittleEndian.AppendUint32(key, uint32(e))
	}
	if at, ok := b.known[string(key)]; ok {
		return at
	}
	at := Node(len(b.edges)) //nolint:gosec // Add refuses more than maxEdges
	b.edges = append(b.edges, s...)
	b.known[string(key)] = at
	return at
}

func shared(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
