package bundle

import (
	"archive/zip"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"time"
)

// A pump writes in a goroutine of its own, in large blocks, so that compressing
// does not hold up the reading.
type pump struct {
	block  []byte
	full   chan []byte
	free   chan []byte
	failed chan error // the first error, once; closed in the end
	err    error
}

const pumpBlock = 256 << 10

func newPump(w io.Writer) *pump {
	p := &pump{full: make(chan []byte, 2), free: make(chan []byte, 4), failed: make(chan error, 1)}
	p.block = make([]byte, 0, pumpBlock)
	go func() {
		defer close(p.failed)
		var err error
		for b := range p.full { // to the end, even after an error: the writer must not hang
			if err == nil {
				if _, err = w.Write(b); err != nil {
					p.failed <- err
				}
			}
			select {
			case p.free <- b[:0]:
			default:
			}
		}
	}()
	return p
}

// Write takes a copy. An error may be that of an earlier Write.
func (p *pump) Write(b []byte) (int, error) {
	if p.err == nil {
		select {
		case p.err = <-p.failed:
		default:
		}
	}
	if p.err != nil {
		return 0, p.err
	}
	if p.block = append(p.block, b...); len(p.block) >= pumpBlock-(64<<10) {
		p.full <- p.block
		select {
		case p.block = <-p.free:
		default:
			p.block = make([]byte, 0, pumpBlock)
		}
	}
	return len(b), nil
}

// Close waits until all is written.
func (p *pump) Close() error {
	p.full <- p.block
	close(p.full)
	for err := range p.failed {
		p.err = err
	}
	return p.err
}

// A spool keeps a file that is written beside another one until its turn in the
// zip comes: a zip holds one file after the other. It is compressed already.
type spool struct {
	file    *os.File
	deflate *flate.Writer
	crc     hash.Hash32
	sha     hash.Hash
	size    uint64
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "keydesk-export-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	d, err := flate.NewWriter(f, level)
	if err != nil {
		panic(err) // of a constant
	}
	return &spool{file: f, deflate: d, crc: crc32.NewIEEE(), sha: sha256.New()}, nil
}

func (s *spool) Write(b []byte) (int, error) {
	_, _ = s.crc.Write(b) // hashes take everything
	_, _ = s.sha.Write(b)
	s.size += uint64(len(b))
	return s.deflate.Write(b)
}

// Close ends the writing; into can follow.
func (s *spool) Close() error { return s.deflate.Close() }

// sum returns the SHA-256 of what was written.
func (s *spool) sum() string { return hex.EncodeToString(s.sha.Sum(nil)) }

// into puts the file into a zip.
func (s *spool) into(z *zip.Writer, name string, modified time.Time) error {
	size, err := s.file.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = s.file.Seek(0, io.SeekStart)
	}
	if err == nil {
		h := &zip.FileHeader{
			Name: name, Method: zip.Deflate, CRC32: s.crc.Sum32(),
			CompressedSize64: uint64(size), UncompressedSize64: s.size, //nolint:gosec // an offset is not negative
		}
		h.SetModTime(modified) //nolint:staticcheck // CreateRaw writes what this sets, and not Modified
		var w io.Writer
		if w, err = z.CreateRaw(h); err == nil {
			_, err = io.Copy(w, s.file)
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// remove takes the temporary file away.
func (s *spool) remove() { _ = errors.Join(s.file.Close(), os.Remove(s.file.Name())) }
