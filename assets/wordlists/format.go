package wordlists

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
)

// The packed file is a gzip of: magic; the number of lists, and of each its
// name, how many words it has and where its root lies; the number of edges;
// then the edges in columns, which packs a third better than in rows:
//
//	bytes    of each edge its byte
//	kinds    of each edge where it leads (kind), and its two flags
//	far      of each edge of kind far the number of the state that it leads to,
//	         24 bits: all low bytes, all middle ones, all high ones
//
// States lie in the order in which they were finished, so the children of a
// state come before it, and those made for it are, in their order, the last
// ones that no near edge led to yet: for them the kind alone says it all.

// magic begins the unpacked file and names its version.
const magic = "keydesk words 1\n"

// The kinds of an edge.
const (
	leaf byte = iota // leads to the state without edges
	near             // leads to the last state that waits for its near edge
	far              // leads to any state before

	kindBits = 2
)

// WriteTo writes the lists in the form that Read takes. The same lists give
// the same bytes.
func (b *Builder) WriteTo(w io.Writer) (int64, error) {
	count := &counter{w: w}
	z, err := gzip.NewWriterLevel(count, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := z.Write(b.pack()); err != nil {
		return count.n, err
	}
	err = z.Close()
	return count.n, err
}

func (b *Builder) pack() []byte {
	out := binary.AppendUvarint([]byte(magic), uint64(len(b.lists)))
	for _, name := range slices.Sorted(maps.Keys(b.lists)) {
		l := b.lists[name]
		out = binary.AppendUvarint(out, uint64(len(name)))
		out = append(out, name...)
		out = binary.AppendUvarint(out, uint64(l.words)) //nolint:gosec // a count
		out = binary.AppendUvarint(out, uint64(l.root))
	}
	out = binary.AppendUvarint(out, uint64(len(b.edges)-1)) //nolint:gosec // there is one at 0
	var labels, kinds, low, middle, high []byte
	number := map[Node]int{} // of the states so far
	var waiting []Node
	for begin := 1; begin < len(b.edges); {
		end := begin + 1
		for b.edges[end-1]&endsState == 0 {
			end++
		}
		state := b.edges[begin:end]
		var where []byte
		where, waiting = lead(state, waiting)
		for i, e := range state {
			labels = append(labels, e.label())
			kinds = append(kinds, where[i]|byte(e>>8&3)<<kindBits)
			if where[i] == far {
				n := number[e.target()]
				low, middle, high = append(low, byte(n&0xff)), append(middle, byte(n>>8&0xff)), append(high, byte(n>>16&0xff))
			}
		}
		number[Node(begin)] = len(number)
		waiting = append(waiting, Node(begin))
		begin = end
	}
	return slices.Concat(out, labels, kinds, low, middle, high)
}

// lead finds the kinds of the edges of a state, and takes the states that it
// leads to as near from those that wait.
func lead(state []edge, waiting []Node) ([]byte, []Node) {
	kinds := make([]byte, len(state))
	for i, e := range slices.Backward(state) {
		switch last := len(waiting) - 1; {
		case e.target() == 0:
			kinds[i] = leaf
		case last >= 0 && waiting[last] == e.target():
			kinds[i], waiting = near, waiting[:last]
		default:
			kinds[i] = far
		}
	}
	return kinds, waiting
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Read unpacks lists that Builder.WriteTo has written. It refuses what is not
// whole with ErrDamaged, and never returns lists that could lead out of
// themselves or round in a circle.
func Read(r io.Reader) (*Lists, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var unpacked bytes.Buffer
	unpacked.Grow(2 << 20) // ours is 1.2 MB
	if _, err := io.Copy(&unpacked, io.LimitReader(z, 8*maxEdges)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	b := unpacked.Bytes()
	if !bytes.HasPrefix(b, []byte(magic)) {
		return nil, fmt.Errorf("%w: another kind of file", ErrDamaged)
	}
	return unpack(b[len(magic):])
}

func unpack(b []byte) (*Lists, error) {
	type head struct {
		name        string
		words, root uint64
	}
	u := &unpacker{b: b}
	heads := make([]head, min(u.number(), 16))
	for i := range heads {
		heads[i] = head{string(u.bytes(u.number())), u.number(), u.number()}
	}
	edges := u.edges()
	if u.short {
		return nil, fmt.Errorf("%w: not whole", ErrDamaged)
	}
	l := &Lists{lists: make(map[string]List, len(heads))}
	for _, h := range heads {
		if h.root >= uint64(len(edges)) || h.words > maxEdges {
			return nil, fmt.Errorf("%w: list %q lies outside", ErrDamaged, h.name)
		}
		l.lists[h.name] = List{edges, Node(h.root), int(h.words)} //nolint:gosec // both less than maxEdges
	}
	return l, nil
}

// An unpacker reads the parts of the file. Once it has run out, or has met
// what cannot be, it is short and reads zeros.
type unpacker struct {
	b     []byte
	short bool
}

func (u *unpacker) number() uint64 {
	n, size := binary.Uvarint(u.b)
	if size <= 0 {
		u.short = true
		return 0
	}
	u.b = u.b[size:]
	return n
}

func (u *unpacker) bytes(n uint64) []byte {
	if n > uint64(len(u.b)) {
		u.short = true
		return nil
	}
	b := u.b[:n]
	u.b = u.b[n:]
	return b
}

func (u *unpacker) edges() []edge {
	n := u.number()
	labels, kinds := u.bytes(n), u.bytes(n)
	if u.short || n >= maxEdges || n > 0 && kinds[n-1]>>kindBits&2 == 0 {
		u.short = true
		return nil
	}
	others := uint64(0)
	for _, k := range kinds {
		if k&(1<<kindBits-1) == far {
			others++
		}
	}
	t := targets{states: make([]Node, 0, n/2), low: u.bytes(others), middle: u.bytes(others), high: u.bytes(others)}
	edges := make([]edge, 1, n+1)
	for i := 0; i < len(kinds) && !u.short; {
		end := i + 1
		for kinds[end-1]>>kindBits&2 == 0 {
			end++
		}
		edges = t.state(edges, labels[i:end], kinds[i:end], u)
		i = end
	}
	return edges
}

// targets finds where edges lead while the states are read.
type targets struct {
	states            []Node // where each state begins
	waiting           []Node // the states that no near edge leads to yet
	low, middle, high []byte
}

// state adds the edges of one state. Whatever the file says, they lead to
// states read before.
func (t *targets) state(edges []edge, labels, kinds []byte, u *unpacker) []edge {
	begin := Node(len(edges)) //nolint:gosec // less than maxEdges
	fresh := 0
	for _, k := range kinds {
		if k&(1<<kindBits-1) == near {
			fresh++
		}
	}
	if fresh > len(t.waiting) || u.short {
		u.short = true
		return edges
	}
	children := t.waiting[len(t.waiting)-fresh:]
	for i, k := range kinds {
		var to Node
		switch k & (1<<kindBits - 1) {
		case near:
			to, children = children[0], children[1:]
		case far:
			n := int(t.low[0]) | int(t.middle[0])<<8 | int(t.high[0])<<16
			t.low, t.middle, t.high = t.low[1:], t.middle[1:], t.high[1:]
			if n >= len(t.states) {
				u.short = true
				return edges
			}
			to = t.states[n]
		}
		edges = append(edges, edge(labels[i])|edge(k>>kindBits&3)<<8|edge(to)<<(32-targetBits))
	}
	t.waiting = append(t.waiting[:len(t.waiting)-fresh], begin)
	t.states = append(t.states, begin)
	return edges
}
