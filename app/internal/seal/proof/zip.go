package proof

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
)

// A zip says things in several places, and leaves room between them: two programs may find
// two bundles in one. So there is one way to write it. The files stand one behind the other,
// from the first byte on; then comes the directory, in the same order, then its end, and
// nothing else. What the directory says of a file stands at the file in the same way.

// The marks that the parts of a zip begin with.
const (
	markFile    = "PK\x03\x04" // before the content of a file
	markBehind  = "PK\x07\x08" // behind it
	markListed  = "PK\x01\x02" // a file in the directory
	markEnd     = "PK\x05\x06" // the end of the directory
	markEnd64   = "PK\x06\x06" // what stands before that, where it has no room for something
	markLocator = "PK\x06\x07" // where that is
)

const (
	most32      = math.MaxUint32 // stands for what is as large, or larger, and is said elsewhere
	sizesBehind = 8              // the flag of a file whose CRC-32 and sizes stand behind it
	version64   = 45             // of the format, that knows of 64 bits
)

// laidOut says what is wrong with how a zip is written; "" if nothing is.
func laidOut(r io.ReaderAt, size uint64, all []*zip.File) (wrong string) {
	var directory record
	at := uint64(0)
	for _, f := range all {
		if f.Flags&^sizesBehind != 0 || f.Method != zip.Store && f.Method != zip.Deflate {
			return printable(f.Name) + " is encrypted, or packed in another way than the files of bundles are"
		}
		p := part{f, at}
		before, behind := p.around()
		if f.CompressedSize64 > size {
			return printable(f.Name) + " is larger than the zip"
		}
		end := at + uint64(len(before)) + f.CompressedSize64
		if !stands(before, r, at) || !stands(behind, r, end) {
			return printable(f.Name) + " does not stand where, and as, the directory says"
		}
		at, directory = end+uint64(len(behind)), append(directory, p.listed()...)
	}
	end := endOf(uint64(len(all)), uint64(len(directory)), at)
	if at+uint64(len(directory)+len(end)) != size || !stands(append(directory, end...), r, at) {
		return "something stands in it beside its files and its directory, or the directory says more than it may"
	}
	return ""
}

// stands says whether something stands at a place. Which version of the format a program
// needs to know, as a file says before its content, is left open.
func stands(want record, r io.ReaderAt, at uint64) bool {
	got := make([]byte, len(want))
	if n, err := r.ReadAt(got, int64(at)); n < len(want) && err != nil { //nolint:gosec // within the file's size, or little more
		return false
	}
	if len(want) > 6 && string(want[:4]) == markFile {
		copy(got[4:6], want[4:6])
	}
	return bytes.Equal(got, want)
}

// A part is a file in a zip, and where it has to begin.
type part struct {
	*zip.File
	at uint64
}

// large says whether the sizes need 64 bits.
func (p part) large() bool { return p.CompressedSize64 >= most32 || p.UncompressedSize64 >= most32 }

// around returns what has to stand before the content of a file, and behind it.
func (p part) around() (before, behind record) {
	sizes := record(nil).u32(p.CRC32, low(p.CompressedSize64), low(p.UncompressedSize64))
	if p.Flags == sizesBehind {
		behind = append(record(markBehind), sizes...)
		if p.large() {
			behind = behind[:8].u64(p.CompressedSize64, p.UncompressedSize64)
		}
		sizes = make(record, len(sizes))
	}
	before = append(record(markFile).u16(0, p.Flags, p.Method, p.ModifiedTime, p.ModifiedDate), sizes...)
	before = before.u16(len16(p.Name), len16(p.time()))
	return append(append(before, p.Name...), p.time()...), behind
}

// listed returns what has to stand in the directory for a file.
func (p part) listed() record {
	packed, whole, extra := low(p.CompressedSize64), low(p.UncompressedSize64), p.time()
	if p.large() || p.at >= most32 {
		packed, whole = most32, most32
		extra = append(extra, record(nil).u16(1, 3*8).u64(p.UncompressedSize64, p.CompressedSize64, p.at)...)
	}
	b := record(markListed).u16(p.CreatorVersion, p.ReaderVersion, p.Flags, p.Method, p.ModifiedTime, p.ModifiedDate)
	b = b.u32(p.CRC32, packed, whole).u16(len16(p.Name), len16(extra), 0, 0, 0).u32(p.ExternalAttrs, low(p.at))
	return append(append(b, p.Name...), extra...)
}

// time returns the one extra field that a file may have of itself: when it was changed, in
// seconds since 1970.
func (p part) time() record {
	if len(p.Extra) >= 9 && string(p.Extra[:5]) == "UT\x05\x00\x01" {
		return bytes.Clone(p.Extra[:9])
	}
	return nil
}

// endOf returns what has to stand behind a directory of so many files and bytes, that
// begins at a place.
func endOf(files, size, at uint64) (b record) {
	if at >= most32 {
		b = append(b, markEnd64...).u64(44).u16(version64, version64).u32(0, 0).u64(files, files, size, at)
		b = append(b, markLocator...).u32(0).u64(at + size).u32(1)
		files, size = math.MaxUint16, most32
	}
	few := uint16(files)
	return append(b, markEnd...).u16(0, 0, few, few).u32(low(size), low(at)).u16(0)
}

// A record is numbers as a zip has them, the lowest byte first.
type record []byte

func (b record) u16(all ...uint16) record {
	for _, n := range all {
		b = binary.LittleEndian.AppendUint16(b, n)
	}
	return b
}

func (b record) u32(all ...uint32) record {
	for _, n := range all {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func (b record) u64(all ...uint64) record {
	for _, n := range all {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

func low(n uint64) uint32 { return uint32(min(n, most32)) }

func len16[T string | record](s T) uint16 { return uint16(len(s)) } //nolint:gosec // it was read from 16 bits

// errUnpacked: a file is not what the zip says of it, or cannot be read.
var errUnpacked = errors.New("it cannot be unpacked as the zip says")

// A content is a file that is unpacked: it is what the zip says, to the last byte.
type content struct {
	file   *zip.File
	packed *bufio.Reader
	from   io.Reader
	sum    hash.Hash32
	n      uint64
}

// open begins to read a file. It needs no closing.
func open(f *zip.File) (io.Reader, error) {
	raw, err := f.OpenRaw()
	if err != nil {
		return nil, err
	}
	c := &content{file: f, packed: bufio.NewReader(raw), sum: crc32.NewIEEE()}
	switch f.Method {
	case zip.Store:
		c.from = c.packed
	case zip.Deflate:
		c.from = flate.NewReader(c.packed)
	default:
		return nil, fmt.Errorf("%w: by method %d", errUnpacked, f.Method)
	}
	return c, nil
}

func (c *content) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	_, _ = c.sum.Write(b[:n])  // it never fails
	switch c.n += uint64(n); { //nolint:gosec // not negative
	case c.n > c.file.UncompressedSize64:
		return 0, fmt.Errorf("%w: it is longer", errUnpacked)
	case errors.Is(err, io.EOF):
		if c.n != c.file.UncompressedSize64 || c.sum.Sum32() != c.file.CRC32 {
			return 0, fmt.Errorf("%w: it has another length or checksum", errUnpacked)
		}
		if _, more := c.packed.ReadByte(); !errors.Is(more, io.EOF) {
			return 0, fmt.Errorf("%w: something stands behind it", errUnpacked)
		}
	case err != nil:
		err = fmt.Errorf("%w: %w", errUnpacked, err)
	}
	return n, err
}
