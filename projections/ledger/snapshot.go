package ledger

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// ErrSnapshot says that a snapshot cannot be gone on from: read from the start.
var ErrSnapshot = fold.ErrSnapshot

const (
	snapshotKind = "ledger"
	// snapshotVersion grows whenever the same events would give other rows.
	snapshotVersion = 1

	rowSize     = 4*8 + 4*4 // as in memory
	longestName = 1 << 12
	mostNames   = 1 << 24
	atOnce      = 1 << 10 // rows, or ids
)

// A Snapshot is a Ledger as it was after one event of an enrolment.
type Snapshot struct {
	mark     Mark
	rows     rows
	subjects fold.View[struct{}]
	texts    [4][]string
}

// Snapshot returns the ledger as it was after the last event of an enrolment: what came
// behind that may be a login, which the log forgets. Taking it costs next to nothing.
func (l *Ledger) Snapshot() Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Snapshot{mark: l.mark, rows: l.rows, subjects: l.subjects.Freeze()}
	s.rows.n = l.marked
	for i, in := range l.interned() {
		s.texts[i] = in.text
	}
	return s
}

func (l *Ledger) interned() [4]*interned {
	return [4]*interned{&l.names, &l.types, &l.roles, &l.actors}
}

// Mark returns the event up to which the snapshot goes: see that the log still has it
// before going on from there.
func (s Snapshot) Mark() Mark { return s.mark }

// Encode writes the snapshot, with the id of the event at its mark. It makes nothing
// durable: that is up to whoever owns the writer.
func (s Snapshot) Encode(w io.Writer, last domain.EventID) error {
	e := fold.NewEncoder(w, snapshotKind, snapshotVersion, fold.Mark{Position: s.mark.Position, Event: last})
	e.Bytes(s.mark.Subject[:])
	e.Uint64(uint64(s.mark.Revision))  //nolint:gosec // and back again
	e.Uint64(uint64(s.subjects.Len())) //nolint:gosec // a count
	for i := range s.subjects.Len() {
		id, _ := s.subjects.At(i)
		e.Bytes(id[:])
	}
	for _, texts := range s.texts {
		e.Uint64(uint64(len(texts)))
		for _, text := range texts {
			e.String(text[:min(len(text), longestName)])
		}
	}
	e.Uint64(uint64(s.rows.n)) //nolint:gosec // a count
	var b []byte
	for i := range s.rows.n {
		b = s.rows.at(i).append(b[:0])
		e.Bytes(b)
	}
	if err := e.Close(); err != nil {
		return fmt.Errorf("write snapshot of the ledger: %w", err)
	}
	return nil
}

// Decode reads what Encode wrote, for a ledger as New makes it. It returns the mark up to
// which the ledger goes, and the id of the event there. Of a snapshot that does not fit
// in any way nothing is kept, and the error is ErrSnapshot.
func Decode(r io.Reader, skip ...string) (*Ledger, Mark, domain.EventID, error) {
	l := &Ledger{skip: skip}
	d, at := fold.NewDecoder(r, snapshotKind, snapshotVersion)
	copy(l.mark.Subject[:], d.Bytes(len(l.mark.Subject)))
	l.mark.Revision = domain.Revision(d.Uint64()) //nolint:gosec // any number is one
	l.mark.Position = at.Position
	if l.mark.Position == 0 && l.mark != (Mark{}) {
		d.Fail("a mark that cannot be")
	}
	l.decodeSubjects(d)
	for _, in := range l.interned() {
		in.decode(d)
	}
	if len(l.roles.text) == 0 || len(l.actors.text) == 0 || l.roles.text[0] != "" || l.actors.text[0] != "" {
		d.Fail("none is not the first")
	}
	l.decodeRows(d)
	if l.marked = l.rows.n; d.Err() == nil && l.lastPosition() != at.Position {
		d.Fail("it does not end at its mark")
	}
	if err := d.Close(); err != nil {
		return nil, Mark{}, domain.EventID{}, fmt.Errorf("read snapshot of the ledger: %w", err)
	}
	l.through = at.Position
	return l, l.mark, at.Event, nil
}

func (l *Ledger) lastPosition() domain.Position {
	if l.rows.n == 0 {
		return 0
	}
	return l.rows.at(l.rows.n - 1).position
}

func (l *Ledger) decodeSubjects(d *fold.Decoder) {
	const size = len(domain.SubjectID{})
	n := d.Uint64()
	if n > math.MaxInt32/2 {
		d.Fail("a count that cannot be")
	}
	for n > 0 && d.Err() == nil {
		some := min(n, atOnce)
		b := d.Bytes(int(some) * size)
		for ; len(b) > 0; b = b[size:] {
			id := domain.SubjectID(b[:size])
			if _, twice := l.subjects.Find(id); twice {
				d.Fail("somebody stands there twice")
				return
			}
			l.subjects.Add(id)
		}
		n -= some
	}
}

func (in *interned) decode(d *fold.Decoder) {
	n := d.Uint64()
	if n > mostNames {
		d.Fail("a count that cannot be")
	}
	for ; n > 0 && d.Err() == nil; n-- {
		text := d.String(longestName)
		if _, twice := in.find(text); twice {
			d.Fail("a name stands there twice")
			return
		}
		in.add(text)
	}
}

func (l *Ledger) decodeRows(d *fold.Decoder) {
	n := d.Uint64()
	if n > math.MaxUint32 {
		d.Fail("a count that cannot be")
	}
	for n > 0 && d.Err() == nil {
		some := min(n, atOnce)
		b := d.Bytes(int(some) * rowSize)
		for ; len(b) > 0; b = b[rowSize:] {
			var r record
			if r.parse(b); r.position <= l.lastPosition() || !l.knows(&r) {
				d.Fail("a row that cannot be")
				return
			}
			l.rows.add(r)
		}
		n -= some
	}
}

// knows says whether all that a row names is there. The numbers that many may share are no
// exception: nothing has them before there are as many.
func (l *Ledger) knows(r *record) bool {
	for _, c := range [...]code{r.owner, r.about, r.actor, r.station} {
		switch {
		case c == 0:
		case c.isName():
			if c.number() < 0 || c.number() >= len(l.names.text) {
				return false
			}
		case c.number() < 0 || c.number() >= l.subjects.Len():
			return false
		}
	}
	return r.kind < kinds && (r.station == 0 || r.station.isName()) && int(r.typ) < len(l.types.text) &&
		int(r.who&mostSmall) < len(l.actors.text) && int(r.who>>4) < len(l.roles.text)
}

func (r *record) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(r.position))
	b = binary.LittleEndian.AppendUint64(b, uint64(r.recorded)) //nolint:gosec // and back again
	b = binary.LittleEndian.AppendUint64(b, r.correlation)
	for _, c := range [...]code{r.owner, r.about, r.actor, r.station} {
		b = binary.LittleEndian.AppendUint32(b, uint32(c))
	}
	b = binary.LittleEndian.AppendUint32(b, r.revision)
	b = binary.LittleEndian.AppendUint16(b, r.typ)
	return append(b, byte(r.kind), r.who)
}

func (r *record) parse(b []byte) {
	r.position = domain.Position(binary.LittleEndian.Uint64(b))
	r.recorded = int64(binary.LittleEndian.Uint64(b[8:])) //nolint:gosec // and back again
	r.correlation = binary.LittleEndian.Uint64(b[16:])
	for i, c := range [...]*code{&r.owner, &r.about, &r.actor, &r.station} {
		*c = code(binary.LittleEndian.Uint32(b[24+4*i:]))
	}
	r.revision, r.typ = binary.LittleEndian.Uint32(b[40:]), binary.LittleEndian.Uint16(b[44:])
	r.kind, r.who = kind(b[46]), b[47]
}
