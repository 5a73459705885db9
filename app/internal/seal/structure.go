package seal

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/bits"
	"slices"

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

func short(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// How many lines of the list are opened at once, how many checkpoints are remembered to
// know them again when they were cosigned later, and how many that are not remembered are
// looked at together.
const (
	opened    = 512
	inMind    = 512
	atLeisure = 512
)

// A walk recomputes a whole tree from its leaves, along the list of checkpoints, and sees
// that each is signed, and that tree and index lead to it. It keeps no more of the list
// than some thousand checkpoints.
type walk struct {
	*structured
	keys     keys
	size     int64      // of the last checkpoint there is
	prunings []*pruning // of which it does not know yet when they were sealed, in their order

	fit      int        // checkpoints that hold
	sealed   int64      // what the last of these covers
	recent   []recorded // those of them that are remembered, in the order of their sizes
	late     []proof.Checkpoint
	unsigned *Finding // the first line that is no checkpoint which the log has signed
	shape    *Finding // the first checkpoint to which the tree does not lead
}

// recorded is a checkpoint that holds.
type recorded struct {
	size int64
	text [sha256.Size]byte
}

// errBent: a tree does not lead to a checkpoint. Behind it, nothing can be said.
var errBent = errors.New("the tree does not fit")

// structure walks along the first bytes of the list, up to the last checkpoint.
func structure(ctx context.Context, files *storage, list io.ReaderAt, end int64, keys keys, size int64, prunings []*pruning) (*walk, error) {
	w := &walk{structured: newStructure(files, size), keys: keys, size: size, prunings: prunings}
	lines := make([][]byte, 0, opened)
	take := func() error {
		all, errs := keys.openAll(lines)
		lines = lines[:0]
		for i := range all {
			if err := w.take(ctx, all[i], errs[i]); err != nil {
				return err
			}
		}
		return nil
	}
	err := eachLine(io.NewSectionReader(list, 0, end), 0, func(b []byte, _ int64) error {
		if lines = append(lines, bytes.Clone(b)); len(lines) < opened {
			return nil
		}
		return take()
	})
	if err == nil {
		err = take()
	}
	if err == nil {
		err = w.catchUp()
	}
	if err == nil && w.sealed < size { // the list has become another one
		w.shape = w.finding(BadSignature, w.sealed)
	}
	if errors.Is(err, errBent) {
		err = nil
	}
	return w, err
}

// take looks at the next checkpoint of the list, or at a line that is none.
func (w *walk) take(ctx context.Context, c proof.Checkpoint, unread error) error {
	if unread != nil || c.Size > w.size {
		w.doubt()
		return nil
	}
	if c.Size <= w.edge.size {
		return w.again(c)
	}
	for w.edge.size < c.Size {
		if w.edge.size%block == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if kind, err := w.leaf(); err != nil || kind != "" {
			return errors.Join(err, w.bent(kind, w.sealed))
		}
	}
	if err := w.holds(c, w.edge.root(), w.index, w.sealed); err != nil {
		return err
	}
	for len(w.prunings) > 0 && w.prunings[0].leaf < c.Size {
		w.prunings[0].sealed = c.At
		w.prunings = w.prunings[1:]
	}
	w.sealed, w.fit = c.Size, w.fit+1
	if len(w.recent) == 2*inMind {
		w.recent = append(w.recent[:0], w.recent[inMind:]...)
	}
	w.recent = append(w.recent, recorded{c.Size, sha256.Sum256([]byte(c.Text()))})
	return nil
}

// again looks at a checkpoint of a size that is behind: one that was cosigned later.
func (w *walk) again(c proof.Checkpoint) error {
	i, ok := slices.BinarySearchFunc(w.recent, c.Size, func(r recorded, size int64) int { return cmp.Compare(r.size, size) })
	switch {
	case !ok:
		if w.late = append(w.late, c); len(w.late) == atLeisure {
			return w.catchUp()
		}
	case w.recent[i].text != sha256.Sum256([]byte(c.Text())): // two of one size
		w.doubt()
	}
	return nil
}

// catchUp looks at the checkpoints that are far behind, in one reading of the index.
func (w *walk) catchUp() error {
	slices.SortFunc(w.late, func(a, b proof.Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	index, at := sha256.New(), int64(0)
	for _, c := range w.late {
		from := at * proof.EntrySize
		at = c.Size
		if _, err := io.Copy(index, io.NewSectionReader(w.files.index, from, at*proof.EntrySize-from)); err != nil {
			return err
		}
		root, err := tlog.TreeHash(c.Size, w.files)
		if err != nil {
			return err
		}
		if err := w.holds(c, root, index, 0); err != nil { // where it parts from this one, nobody can tell
			return err
		}
	}
	w.late = w.late[:0]
	return nil
}

// holds sees that a checkpoint is of the tree with this root and index. Where it is not,
// all up to a leaf is as it has to be.
func (w *walk) holds(c proof.Checkpoint, root tlog.Hash, index hash.Hash, good int64) error {
	switch {
	case root != c.Root:
		return w.bent(BadRoot, good)
	case !bytes.Equal(index.Sum(nil), c.Index[:]):
		return w.bent(BadIndex, good)
	}
	return nil
}

func (w *walk) bent(kind FindingKind, good int64) error {
	if kind == "" {
		return nil
	}
	w.shape = w.finding(kind, good)
	return errBent
}

// doubt notes the first line that does not count.
func (w *walk) doubt() {
	if w.unsigned == nil {
		w.unsigned = &Finding{Kind: BadSignature, Leaf: w.sealed}
	}
}

// finding says that something is wrong with the leaves from one on.
func (w *walk) finding(kind FindingKind, leaf int64) *Finding {
	f := &Finding{Kind: kind, Leaf: leaf}
	if entry, err := w.files.entry(leaf); err == nil {
		f.Position = entry.Position
	}
	return f
}
