package fold

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"

	"github.com/keydesk/keydesk/domain"
)

const (
	headSize = 16 + 8 + 8 + 4 + 1 // with the id
	atATime  = 1024               // rows

	// mostReserved bounds what a damaged count can make us allocate: 20 MB.
	mostReserved = 1 << 21
)

// Frozen is a fold as it was at one moment. It may be used concurrently.
type Frozen[R any, P Row[R]] struct {
	table    View[Person[R]]
	unknowns Unknowns
	through  domain.Position
	last     domain.Position
	count    Counts
}

// Freeze returns the fold as it is now. It takes next to no time, and the fold
// goes on at once.
func (p *People[R, P]) Freeze() Frozen[R, P] {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Frozen[R, P]{p.table.Freeze(), p.unknowns.Clone(), p.through, p.last, p.count}
}

// Thaw returns a fold that goes on from there. The frozen one stays as it is.
func (f Frozen[R, P]) Thaw() *People[R, P] {
	return &People[R, P]{table: f.table.Thaw(), unknowns: f.unknowns.Clone(), through: f.through, last: f.last, count: f.count}
}

// Counts returns how many people there were.
func (f Frozen[R, P]) Counts() Counts {
	c := f.count
	c.People = f.table.Len()
	return c
}

// Through returns how far the log was applied.
func (f Frozen[R, P]) Through() domain.Position { return f.through }

// Find returns what was known of a person. It looks through all of them: some
// milliseconds a million.
func (f Frozen[R, P]) Find(id domain.SubjectID) (*Person[R], bool) {
	for i := range f.table.Len() {
		if who, person := f.table.At(i); who == id {
			return person, true
		}
	}
	return nil, false
}

// Differ calls yield for everybody of whom two folds do not know the very same, until it
// says no: with nil for whoever one of them does not know.
func (f Frozen[R, P]) Differ(other Frozen[R, P], yield func(id domain.SubjectID, one, two *Person[R]) bool) {
	there := other.Thaw()
	met := 0
	for i := range f.table.Len() {
		id, one := f.table.At(i)
		var two *Person[R]
		if n, ok := there.table.Find(id); ok {
			_, two = there.table.At(n)
			met++
		}
		if (two == nil || !f.same(one, two)) && !yield(id, one, two) {
			return
		}
	}
	if met == other.table.Len() {
		return
	}
	here := f.Thaw()
	for i := range other.table.Len() {
		id, two := other.table.At(i)
		if _, ok := here.table.Find(id); !ok && !yield(id, nil, two) {
			return
		}
	}
}

func (f Frozen[R, P]) same(one, two *Person[R]) bool {
	var a, b [256]byte // more than any row takes
	return one.Head == two.Head && bytes.Equal(P(&one.Row).Append(a[:0]), P(&two.Row).Append(b[:0]))
}

// Position returns where the last event stands that was applied; 0: none was.
func (f Frozen[R, P]) Position() domain.Position { return f.last }

// Each calls yield for everybody, in the order in which they were first heard
// of, until yield says no. The person must not be written to.
func (f Frozen[R, P]) Each(yield func(domain.SubjectID, *Person[R]) bool) {
	for i := range f.table.Len() {
		if !yield(f.table.At(i)) {
			return
		}
	}
}

// Encode writes a snapshot with the id of the last event.
func (f Frozen[R, P]) Encode(w io.Writer, kind string, version uint32, last domain.EventID) error {
	e := NewEncoder(w, kind, version, Mark{Position: f.last, Event: last})
	f.unknowns.Encode(e)
	e.Uint64(uint64(f.count.Strays)) //nolint:gosec // a count
	e.Uint64(uint64(f.table.Len()))  //nolint:gosec // a count
	var b []byte
	f.Each(func(id domain.SubjectID, person *Person[R]) bool {
		b = person.append(append(b[:0], id[:]...))
		e.Bytes(P(&person.Row).Append(b))
		return e.err == nil
	})
	return e.Close()
}

// DecodePeople reads what Encode wrote. Of a snapshot that does not fit in any
// way nothing is kept, and the error is ErrSnapshot.
func DecodePeople[R any, P Row[R]](r io.Reader, kind string, version uint32) (*People[R, P], Mark, error) {
	p := NewPeople[R, P]()
	d, at := NewDecoder(r, kind, version)
	p.unknowns = DecodeUnknowns(d)
	p.through, p.last = at.Position, at.Position
	p.decode(d)
	if err := d.Close(); err != nil {
		return nil, Mark{}, err
	}
	return p, at, nil
}

func (p *People[R, P]) decode(d *Decoder) {
	strays, people := d.Uint64(), d.Uint64()
	if strays > math.MaxInt32 || people > math.MaxUint32 {
		d.Fail("a count that cannot be")
		return
	}
	p.count.Strays = int(strays)
	p.table.Reserve(int(min(people, mostReserved)))
	size := headSize + len(P(new(R)).Append(nil))
	for people > 0 && d.Err() == nil {
		n := min(people, atATime)
		b := d.Bytes(int(n) * size)
		for ; len(b) > 0 && d.Err() == nil; b = b[size:] {
			p.decodePerson(d, b[:size])
		}
		people -= n
	}
}

func (p *People[R, P]) decodePerson(d *Decoder, b []byte) {
	id := domain.SubjectID(b[:16])
	if _, twice := p.table.Find(id); twice {
		d.Fail("somebody stands there twice")
		return
	}
	person := p.table.Edit(p.table.Add(id))
	if !person.parse(b) || person.Position > p.last || !P(&person.Row).Parse(b[headSize:]) {
		d.Fail("a row that cannot be")
		return
	}
	if person.Parked {
		p.count.Parked++
	} else {
		p.count.ByClass[P(&person.Row).Class()]++
	}
}

func (h *Head) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Position))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Since))      //nolint:gosec // and back again
	b = binary.LittleEndian.AppendUint32(b, uint32(h.Revision+1)) //nolint:gosec // -1 or more
	if h.Parked {
		return append(b, 1)
	}
	return append(b, 0)
}

// parse reads a head from behind the id.
func (h *Head) parse(b []byte) bool {
	revision, parked := binary.LittleEndian.Uint32(b[32:]), b[36]
	*h = Head{
		Position: domain.Position(binary.LittleEndian.Uint64(b[16:])),
		Since:    int64(binary.LittleEndian.Uint64(b[24:])), //nolint:gosec // and back again
		Revision: int32(revision) - 1,                       //nolint:gosec // checked below
		Parked:   parked == 1,
	}
	return revision <= math.MaxInt32 && parked <= 1
}
