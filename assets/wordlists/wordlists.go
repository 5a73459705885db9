package wordlists

import (
	"bytes"
	_ "embed" // for words.bin
	"errors"
	"iter"
	"sync"
)

// The names of the lists in words.bin.
const (
	// Common are the passwords that are tried first.
	Common = "common"
	// Passwords are all passwords known from leaks, the common ones included.
	Passwords = "passwords"
	// Words are Dutch and English words, first names and last names.
	Words = "words"
)

//go:embed words.bin
var packed []byte

// ErrDamaged says that packed lists cannot be read.
var ErrDamaged = errors.New("damaged word lists")

// Open unpacks the lists at the first call and returns the same ones at every
// other. It takes some 20 ms and keeps 1.4 MB. It may be called
// concurrently.
var Open = sync.OnceValues(func() (*Lists, error) {
	return Read(bytes.NewReader(packed))
})

// Lists are several word lists in one automaton: words that begin or end alike
// share those letters, in one list or across all of them. They do not change
// and may be used concurrently.
type Lists struct {
	edges []edge
	lists map[string]List
}

// An edge leads from one state to the next by one byte. The edges of a state
// lie beside each other, in the order of their bytes. From the lowest bit on:
// the byte (8), whether a word ends here (1), whether this is the last edge of
// its state (1), where the edges of the next state begin (22; 0 is a state
// without any).
type edge uint32

const (
	endsWord   edge = 1 << 8
	endsState  edge = 1 << 9
	targetBits      = 22
	maxEdges        = 1 << targetBits
)

func (e edge) label() byte { return byte(e & 0xff) }
func (e edge) target() Node {
	return Node(e >> (32 - targetBits))
}

// A List is one of the lists. The zero List is empty.
type List struct {
	edges []edge
	root  Node
	words int
}

// A Node is a place in a list that some letters lead to.
type Node uint32

// List returns the list of a name; an empty one if there is none.
func (l *Lists) List(name string) List { return l.lists[name] }

// Len returns how many words the list has.
func (l List) Len() int { return l.words }

// Root returns the place where every word begins.
func (l List) Root() Node { return l.root }

// Step follows one byte. It says where that leads, whether a word ends there,
// and, with ok, whether any word goes on this way.
func (l List) Step(from Node, c byte) (to Node, word, ok bool) {
	if from == 0 {
		return 0, false, false
	}
	for i := int(from); i < len(l.edges); i++ {
		e := l.edges[i]
		switch {
		case e.label() == c:
			return e.target(), e&endsWord != 0, true
		case e.label() > c || e&endsState != 0:
			return 0, false, false
		}
	}
	return 0, false, false
}

// Contains says whether the list has the word, to the letter.
func (l List) Contains(s string) bool {
	at, word, ok := l.root, false, false
	for i := range len(s) {
		if at, word, ok = l.Step(at, s[i]); !ok {
			return false
		}
	}
	return word
}

// All returns the words in the order of their bytes.
func (l List) All() iter.Seq[string] {
	return func(yield func(string) bool) { l.walk(l.root, nil, yield) }
}

func (l List) walk(at Node, so []byte, yield func(string) bool) bool {
	if at == 0 {
		return true
	}
	for i := int(at); i < len(l.edges); i++ {
		e := l.edges[i]
		word := append(so, e.label())
		if e&endsWord != 0 && !yield(string(word)) {
			return false
		}
		if !l.walk(e.target(), word, yield) {
			return false
		}
		if e&endsState != 0 {
			break
		}
	}
	return true
}
