package seal

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

// structured is a tree that is read from its beginning and computed again.
type structured struct {
	files   *storage
	edge    edge
	index   hash.Hash
	hashes  *bufio.Reader
	entries *bufio.Reader
	room    []byte
	made    []byte
}

func newStructure(files *storage, size int64) *structured {
	return &structured{
		files: files, index: sha256.New(),
		hashes:  bufio.NewReaderSize(io.NewSectionReader(files.hashes, 0, tlog.StoredHashCount(size)*tlog.HashSize), writeSize),
		entries: bufio.NewReaderSize(io.NewSectionReader(files.index, 0, size*proof.EntrySize), writeSize/4),
		room:    make([]byte, 64*tlog.HashSize),
	}
}

// leaf reads one leaf with the nodes that it completes, and says what does not fit.
func (r *structured) leaf() (FindingKind, error) {
	n := (1 + bits.TrailingZeros64(^uint64(r.edge.size))) * tlog.HashSize //nolint:gosec // never negative
	stored := r.room[:n]
	if _, err := io.ReadFull(r.hashes, stored); err != nil {
		if short(err) {
			return BadRoot, nil
		}
		return "", err
	}
	r.made = r.edge.add(tlog.Hash(stored), r.made[:0])
	if !bytes.Equal(r.made, stored) {
		return BadRoot, nil
	}
	var entry [proof.EntrySize]byte
	if _, err := io.ReadFull(r.entries, entry[:]); err != nil {
		if short(err) {
			return BadIndex, nil
		}
		return "", err
	}
	_, _ = r.index.Write(entry[:]) // a hash takes everything
	return "", nil
}
