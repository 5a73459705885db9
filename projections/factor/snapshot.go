package factor

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// ErrSnapshot: a snapshot that cannot be gone on from; replay from the start.
var ErrSnapshot = fold.ErrSnapshot

// Mark is the event up to which a snapshot was folded: see that the log still
// has it at that position before going on from there.
type Mark = fold.Mark

const (
	kind = "factor"
	// foldVersion grows whenever the same events would fold to other rows.
	foldVersion = 1

	rowSize  = 16 + 2*16 + 1 + 4 + 8 + 8
	atATime  = 1024 // rows
	hasPhone = 1 << 2
	isParked = 1 << 3
	bitsUsed = 1<<4 - 1
)

// A Snapshot is a Map as it was at one moment. Taking one costs next to
// nothing, and the map goes on at once; writing it is the slow part.
type Snapshot struct {
	people   fold.View[row]
	unknowns fold.Unknowns
	last     domain.Position
	strays   int
}

// Snapshot returns the map as it is now.
func (m *Map) Snapshot() *Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Snapshot{m.people.Freeze(), m.unknowns.Clone(), m.last, m.count.Strays}
}

// Position returns where the last event stands that was applied: the one whose
// id Encode wants. It is 0 when there was none.
func (s *Snapshot) Position() domain.Position { return s.last }

// Encode writes the snapshot, with the id of the event at Position. It makes
// nothing durable: that is up to whoever owns the writer.
func (s *Snapshot) Encode(w io.Writer, last domain.EventID) error {
	e := fold.NewEncoder(w, kind, foldVersion, Mark{Position: s.last, Event: last})
	s.unknowns.Encode(e)
	e.Uint64(uint64(s.strays)) //nolint:gosec // a count
	e.Uint64(uint64(s.people.Len()))
	b := make([]byte, 0, rowSize)
	for i := range s.people.Len() {
		id, r := s.people.At(i)
		e.Bytes(r.append(b, id))
	}
	if err := e.Close(); err != nil {
		return fmt.Errorf("write snapshot of the factors: %w", err)
	}
	return nil
}

// Decode reads what Encode wrote. Of a snapshot that does not fit in any way
// nothing is kept, and the error is ErrSnapshot.
func Decode(r io.Reader) (*Map, Mark, error) {
	m := New()
	d, at := fold.NewDecoder(r, kind, foldVersion)
	m.unknowns = fold.DecodeUnknowns(d)
	m.through, m.last = at.Position, at.Position
	m.decode(d)
	if err := d.Close(); err != nil {
		return nil, Mark{}, fmt.Errorf("read snapshot of the factors: %w", err)
	}
	return m, at, nil
}

func (m *Map) decode(d *fold.Decoder) {
	strays, people := d.Uint64(), d.Uint64()
	if strays > math.MaxInt32 || people > math.MaxUint32-1 {
		d.Fail("a count that cannot be")
	}
	m.count.Strays = int(strays) //nolint:gosec // checked
	for people > 0 && d.Err() == nil {
		n := min(people, atATime)
		b := d.Bytes(int(n) * rowSize) //nolint:gosec // checked
		for ; len(b) > 0 && d.Err() == nil; b = b[rowSize:] {
			m.decodeRow(d, b[:rowSize])
		}
		people -= n
	}
}

func (m *Map) decodeRow(d *fold.Decoder, b []byte) {
	id := domain.SubjectID(b[:16])
	r, ok := parseRow(b[16:])
	if !ok || r.position > m.last {
		d.Fail("a row that cannot be")
		return
	}
	if _, twice := m.people.Find(id); twice {
		d.Fail("somebody stands there twice")
		return
	}
	*m.people.Edit(m.people.Add(id)) = r
	if r.parked {
		m.count.Parked++
	} else {
		m.tally(r.factor.Current(), +1)
	}
}

func (r *row) append(b []byte, id domain.SubjectID) []byte {
	bits := byte(r.factor.Choice)
	if r.factor.Phone {
		bits |= hasPhone
	}
	if r.parked {
		bits |= isParked
	}
	b = append(b, id[:]...)
	b = append(b, r.factor.Live[:]...)
	b = append(b, r.factor.Chosen[:]...)
	b = append(b, bits)
	b = binary.LittleEndian.AppendUint32(b, uint32(r.revision+1)) //nolint:gosec // -1 or more
	b = binary.LittleEndian.AppendUint64(b, uint64(r.since))      //nolint:gosec // both ways
	return binary.LittleEndian.AppendUint64(b, uint64(r.position))
}

func parseRow(b []byte) (r row, ok bool) {
	bits, revision := b[32], binary.LittleEndian.Uint32(b[33:])
	r = row{
		factor: fold.Factor{
			Live: fold.Device(b[:16]), Chosen: fold.Device(b[16:32]),
			Choice: fold.Choice(bits & 3), Phone: bits&hasPhone != 0,
		},
		parked:   bits&isParked != 0,
		revision: int32(revision) - 1,                       //nolint:gosec // checked below
		since:    int64(binary.LittleEndian.Uint64(b[37:])), //nolint:gosec // both ways
		position: domain.Position(binary.LittleEndian.Uint64(b[45:])),
	}
	return r, bits <= bitsUsed && r.factor.Choice <= fold.ChosePocket && revision <= math.MaxInt32
}

// Changed calls yield for everybody to whom something happened after a
// position, in no particular order, until yield says no. It is the answer to
// "what is new since", and with 0 the whole map.
func (s *Snapshot) Changed(after domain.Position, yield func(Answer) bool) {
	for i := range s.people.Len() {
		id, r := s.people.At(i)
		if r.position > after && !yield(r.answer(id, s.last)) {
			return
		}
	}
}
