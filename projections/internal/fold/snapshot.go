package fold

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/keydesk/keydesk/domain"
)

// ErrSnapshot says that this program cannot go on from a snapshot: damaged, cut
// off, made by another fold, or of somebody who is parked for an event that is
// known by now. The way on is always the same: replay from the start.
var ErrSnapshot = errors.New("unusable snapshot")

// A Mark is the event up to which a snapshot was folded. Before going on from
// it, see that the log still has this event at this position: then it is the
// same log. The zero Mark is the beginning of any log.
type Mark struct {
	Position domain.Position
	Event    domain.EventID
}

// The file: magic, kind and version of the fold, mark, whatever the fold
// writes, and the SHA-256 of all before it. Numbers are little-endian.
const (
	magic      = "Keydesk fold\x00\x00\r\n"
	kindSize   = 8
	headerSize = len(magic) + kindSize + 4 + 8 + 16 // 4 version, 8 position, 16 event id
	blockSize  = 1 << 16
)

// An Encoder writes one snapshot. The first error stays; Close returns it.
type Encoder struct {
	to  io.Writer
	sum hash.Hash
	buf []byte
	err error
}

// NewEncoder begins a snapshot of a kind of fold (at most 8 bytes).
func NewEncoder(w io.Writer, kind string, version uint32, at Mark) *Encoder {
	e := &Encoder{to: w, sum: sha256.New(), buf: make([]byte, 0, blockSize+1<<12)}
	e.buf = append(e.buf, header(kind, version)...)
	e.Uint64(uint64(at.Position))
	e.Bytes(at.Event[:])
	return e
}

func header(kind string, version uint32) []byte {
	b := make([]byte, len(magic)+kindSize, headerSize)
	copy(b, magic)
	copy(b[len(magic):], kind)
	return binary.LittleEndian.AppendUint32(b, version)
}

// Uint64 writes a number.
func (e *Encoder) Uint64(n uint64) { e.Bytes(binary.LittleEndian.AppendUint64(nil, n)) }

// Bytes writes bytes as they are. Many small ones are written as one block.
func (e *Encoder) Bytes(p []byte) {
	if e.buf = append(e.buf, p...); len(e.buf) >= blockSize {
		e.flush()
	}
}

// String writes a string with its length before it.
func (e *Encoder) String(s string) {
	e.Uint64(uint64(len(s)))
	e.Bytes([]byte(s))
}

func (e *Encoder) flush() {
	if e.err == nil {
		e.sum.Write(e.buf)
		_, e.err = e.to.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

// Close ends the snapshot with its checksum. It does not close the writer.
func (e *Encoder) Close() error {
	e.flush()
	if e.err == nil {
		_, e.err = e.to.Write(e.sum.Sum(nil))
	}
	return e.err
}

// A Decoder reads one snapshot. Whatever it gives out is to be believed only
// after Close.
type Decoder struct {
	from io.Reader
	sum  hash.Hash
	buf  []byte
	err  error
}

// NewDecoder begins to read a snapshot, which must be of this kind and
// version.
func NewDecoder(r io.Reader, kind string, version uint32) (*Decoder, Mark) {
	d := &Decoder{from: r, sum: sha256.New()}
	want := header(kind, version)
	if got := d.Bytes(len(want)); d.err == nil && !bytes.Equal(got, want) {
		d.Fail("of another fold or version")
	}
	var at Mark
	at.Position = domain.Position(d.Uint64())
	copy(at.Event[:], d.Bytes(len(at.Event)))
	return d, at
}

// Uint64 reads a number; 0 after an error.
func (d *Decoder) Uint64() uint64 {
	if b := d.Bytes(8); len(b) == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// Bytes reads n bytes, which stay as they are until the next call; none after
// an error.
func (d *Decoder) Bytes(n int) []byte {
	if d.err != nil {
		return nil
	}
	if cap(d.buf) < n {
		d.buf = make([]byte, n)
	}
	b := d.buf[:n]
	if _, err := io.ReadFull(d.from, b); err != nil {
		d.err = fmt.Errorf("%w: %w", ErrSnapshot, err)
		return nil
	}
	d.sum.Write(b)
	return b
}

// String reads what Encoder.String wrote, up to a length.
func (d *Decoder) String(most int) string {
	n := d.Uint64()
	if n > uint64(most) { //nolint:gosec // most is a constant
		d.Fail("a name that is too long")
		return ""
	}
	return string(d.Bytes(int(n))) //nolint:gosec // checked
}

// Fail says that what was read makes no sense.
func (d *Decoder) Fail(why string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrSnapshot, why)
	}
}

// Err returns the first error so far, which is ErrSnapshot and, where reading
// failed, that too.
func (d *Decoder) Err() error { return d.err }

// Close checks the sum, and that nothing follows.
func (d *Decoder) Close() error {
	want := d.sum.Sum(nil)
	if got := d.Bytes(len(want)); d.err == nil && !bytes.Equal(got, want) {
		d.Fail("the checksum does not fit")
	}
	if d.err == nil {
		if n, err := io.ReadFull(d.from, make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			d.Fail("something follows the end")
		}
	}
	return d.err
}
