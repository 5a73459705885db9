package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

// The files of the folder. What is added to the tree is written in this order:
// hashes and index, which are flushed to disk; then checkpoints, flushed; then
// checkpoint, by renaming. So a checkpoint never says more than what stands on
// disk, and what stands there behind the last one is cut off and sealed anew.
const (
	treeFile        = "tree.json"   // what the tree is of; written once
	hashesFile      = "hashes"      // 32 bytes each, in the order of tlog.StoredHashIndex
	indexFile       = "index"       // a proof.Entry for each leaf
	checkpointsFile = "checkpoints" // a line of JSON each, the last of a size counts
	checkpointFile  = "checkpoint"  // the last one alone
	lockFile        = "lock"        // held by the one that seals
	witnessesFile   = "witnesses"   // how they stand to us
	wishPrefix      = "now-"        // somebody asks that all be sealed now
)

// ErrDamaged says that the files of the seal do not fit together. None of it is
// mended by itself: somebody has to look.
var ErrDamaged = errors.New("the seal is damaged")

// treeFormat is the version of the folder.
const treeFormat = 1

// A tree says what the folder is the seal of.
type tree struct {
	Format int    `json:"format"`
	Origin string `json:"origin"`
	Store  string `json:"store"`  // id of the log
	Sealer string `json:"sealer"` // random; see service.SealBegun
	Master string `json:"master"` // id of the master key that the signing key comes from
	Key    string `json:"key"`    // verifies the checkpoints
	Before string `json:"before,omitempty"`
}

// A folder is where a seal lives.
type folder string

func (f folder) path(name string) string { return filepath.Join(string(f), name) }

// tree reads what the folder is the seal of: os.ErrNotExist where there is none.
func (f folder) tree() (tree, error) {
	b, err := os.ReadFile(f.path(treeFile))
	if err != nil {
		return tree{}, err
	}
	var t tree
	if err := json.Unmarshal(b, &t); err != nil {
		return tree{}, fmt.Errorf("%w: %s: %w", ErrDamaged, treeFile, err)
	}
	if t.Format != treeFormat {
		return tree{}, fmt.Errorf("%w: %s: format %d is not known", ErrDamaged, treeFile, t.Format)
	}
	key, err := proof.ParseKey(t.Key)
	sealer, noName := hex.DecodeString(t.Sealer) // it names a folder, in the end
	if err != nil || key.Name() != t.Origin || proof.StoreOf(t.Origin) != t.Store || len(sealer) == 0 || noName != nil {
		return tree{}, fmt.Errorf("%w: %s does not fit together", ErrDamaged, treeFile)
	}
	return t, nil
}

// last returns the newest checkpoint. Without one it is false.
func (f folder) last(keys keys) (proof.Checkpoint, bool, error) {
	listed, any, err := f.lastListed(keys)
	if err != nil {
		return proof.Checkpoint{}, false, err
	}
	b, err := os.ReadFile(f.path(checkpointFile))
	if errors.Is(err, os.ErrNotExist) {
		return listed, any, nil // it was to be renamed
	}
	if err != nil {
		return proof.Checkpoint{}, false, err
	}
	alone, err := keys.open(b)
	switch {
	case err != nil:
		return proof.Checkpoint{}, false, fmt.Errorf("%w: %s: %w", ErrDamaged, checkpointFile, err)
	case !any || alone.Size > listed.Size:
		return proof.Checkpoint{}, false, fmt.Errorf("%w: %s knows of less than %s", ErrDamaged, checkpointsFile, checkpointFile)
	case alone.Size == listed.Size && alone.Text() != listed.Text():
		return proof.Checkpoint{}, false, fmt.Errorf("%w: %s and %s say different things of %d leaves", ErrDamaged, checkpointsFile, checkpointFile, alone.Size)
	}
	return listed, true, nil
}

// keys are those that checkpoints are opened with.
type keys struct {
	log       note.Verifier
	witnesses []note.Verifier
}

func (k keys) open(signed []byte) (proof.Checkpoint, error) {
	return proof.OpenCheckpoint(signed, k.log, k.witnesses...)
}

// storage is the two files that the tree is in. Any number may read what stands
// before the last checkpoint while one appends.
type storage struct {
	hashes, index *os.File
}

// open opens the two files. To append, they are made where there are none.
func (f folder) open(write bool) (*storage, error) {
	flags := os.O_RDONLY
	if write {
		flags = os.O_RDWR | os.O_CREATE
	}
	hashes, err := os.OpenFile(f.path(hashesFile), flags, 0o600)
	if err != nil {
		return nil, err
	}
	index, err := os.OpenFile(f.path(indexFile), flags, 0o600)
	if err != nil {
		return nil, errors.Join(err, hashes.Close())
	}
	return &storage{hashes, index}, nil
}

func (s *storage) close() error { return errors.Join(s.hashes.Close(), s.index.Close()) }

// ReadHashes implements tlog.HashReader.
func (s *storage) ReadHashes(at []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(at))
	if len(at) == 0 {
		return all, nil
	}
	first := slices.Min(at)
	if span := slices.Max(at) - first + 1; span <= 4*int64(len(at)) { // those of neighbours: at once
		near := make([]byte, span*tlog.HashSize)
		if _, err := s.hashes.ReadAt(near, first*tlog.HashSize); err != nil {
			return nil, fmt.Errorf("read %d hashes from %d on: %w", span, first, err)
		}
		for i, n := range at {
			all[i] = tlog.Hash(near[(n-first)*tlog.HashSize:][:tlog.HashSize])
		}
		return all, nil
	}
	for i, n := range at {
		if _, err := s.hashes.ReadAt(all[i][:], n*tlog.HashSize); err != nil {
			return nil, fmt.Errorf("read hash %d: %w", n, err)
		}
	}
	return all, nil
}

// entry reads one entry of the index.
func (s *storage) entry(leaf int64) (proof.Entry, error) {
	var b [proof.EntrySize]byte
	if _, err := s.index.ReadAt(b[:], leaf*proof.EntrySize); err != nil {
		return proof.Entry{}, fmt.Errorf("read entry %d of the index: %w", leaf, err)
	}
	return proof.ParseEntry(b[:])
}

// find returns the first of size leaves whose position is not before the given one.
func (s *storage) find(position uint64, size int64) (at int64, err error) {
	n := sort.Search(int(size), func(i int) bool {
		e, failed := s.entry(int64(i))
		if failed != nil {
			err = failed
		}
		return e.Position >= position
	})
	return int64(n), err
}

// fits says whether the files hold what a checkpoint says. It reads the whole
// index.
func (s *storage) fits(c proof.Checkpoint) error {
	if err := s.rooted(c); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, io.NewSectionReader(s.index, 0, c.Size*proof.EntrySize))
	if err != nil {
		return err
	}
	if n != c.Size*proof.EntrySize || !bytes.Equal(sum.Sum(nil), c.Index[:]) {
		return fmt.Errorf("%w: %s is not what the checkpoint of %d leaves says", ErrDamaged, indexFile, c.Size)
	}
	return nil
}

// rooted says whether the hashes lead to the root of a checkpoint.
func (s *storage) rooted(c proof.Checkpoint) error {
	root, err := tlog.TreeHash(c.Size, s)
	if errors.Is(err, io.EOF) || err == nil && root != c.Root {
		return fmt.Errorf("%w: %s does not lead to the root of the checkpoint of %d leaves", ErrDamaged, hashesFile, c.Size)
	}
	return err
}

// replace writes a file as a whole: it is on disk, or the old one still is.
func (f folder) replace(name string, content []byte) (err error) {
	t, err := os.CreateTemp(string(f), "."+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(t.Name()) // what failed says more
		}
	}()
	_, err = t.Write(content)
	if err = errors.Join(err, t.Sync(), t.Close()); err != nil {
		return err
	}
	if err := os.Rename(t.Name(), f.path(name)); err != nil {
		return err
	}
	return f.sync()
}

// clear removes a folder in which no tree has begun, with what a killed replace has left. A
// folder in which anything else lies is left alone, and an error.
func (f folder) clear() error {
	begun, err := filepath.Glob(f.path("." + treeFile + "-*"))
	for _, name := range begun {
		err = errors.Join(err, os.Remove(name))
	}
	if gone := os.Remove(string(f)); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// sync flushes the folder itself, where the system knows of that.
func (f folder) sync() error {
	d, err := os.Open(string(f))
	if err != nil {
		return err
	}
	_ = d.Sync() // not on every system
	return d.Close()
}

func (f folder) writeTree(t tree) error {
	b, err := json.MarshalIndent(t, "", "\t")
	if err != nil {
		return err
	}
	return f.replace(treeFile, append(b, '\n'))
}

// wishes returns the files of those who have asked that all be sealed now.
func (f folder) wishes() ([]string, error) {
	found, err := os.ReadDir(string(f))
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range found {
		if strings.HasPrefix(e.Name(), wishPrefix) {
			all = append(all, f.path(e.Name()))
		}
	}
	return all, nil
}
