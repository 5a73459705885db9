package seal

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// writeSize is how many bytes are gathered before they are written.
const writeSize = 1 << 20

// A writer adds to a seal. Its files hold what is sealed; behind that, and in its
// buffers, stands what the next checkpoint will cover.
type writer struct {
	s      *Seal
	tree   tree
	keys   keys
	signer note.Signer
	lock   *flock.Flock
	files  *storage
	leafer leafer

	mu       sync.Mutex
	edge     edge
	index    hash.Hash // of the whole index
	last     proof.Checkpoint
	through  domain.Position // all up to here is in the tree
	since    time.Time       // when the first leaf that waits was taken in
	hashes   []byte          // to be written
	entries  []byte
	hashesAt int64 // where to
	indexAt  int64
	made     []leaf
	changed  chan struct{} // closed and made anew when through or last have changed
	ended    chan struct{} // closed when this one seals no more
}

// newWriter reads where the tree ends, and cuts off what is behind it.
func (s *Seal) newWriter(t tree) (w *writer, err error) {
	w = &writer{
		s: s, tree: t, leafer: leafer{store: t.Store, skip: s.c.Skip}, index: sha256.New(), changed: make(chan struct{}),
		ended: make(chan struct{}),
	}
	if w.keys, err = s.c.keysOf(t); err != nil {
		return nil, err
	}
	if w.signer, _, err = s.c.signer(t.Origin, t.Master); err != nil {
		return nil, err
	}
	last, any, err := s.folder.last(w.keys)
	if err != nil {
		return nil, err
	}
	if w.files, err = s.folder.open(true); err != nil {
		return nil, err
	}
	if info, err := w.files.hashes.Stat(); !any && (err != nil || info.Size() > tlog.StoredHashCount(2*stretch)*tlog.HashSize) {
		return nil, errors.Join(fmt.Errorf("%w: there is much in %s and no checkpoint", ErrDamaged, hashesFile), err, w.files.close())
	}
	if err := w.resume(last, any); err != nil {
		return nil, errors.Join(err, w.files.close())
	}
	return w, nil
}

func (w *writer) resume(last proof.Checkpoint, any bool) (err error) {
	w.hashesAt, w.indexAt = tlog.StoredHashCount(last.Size)*tlog.HashSize, last.Size*proof.EntrySize
	if any {
		if last.Origin != w.tree.Origin {
			return fmt.Errorf("%w: the last checkpoint is of %s", ErrDamaged, last.Origin)
		}
		if err := w.files.fits(last); err != nil {
			return err
		}
		w.last = last
	}
	if err := errors.Join(w.files.hashes.Truncate(w.hashesAt), w.files.index.Truncate(w.indexAt), w.s.folder.cutList()); err != nil {
		return fmt.Errorf("cut off what is behind the last checkpoint: %w", err)
	}
	if w.edge, err = readEdge(last.Size, w.files); err != nil {
		return err
	}
	if _, err := io.Copy(w.index, io.NewSectionReader(w.files.index, 0, w.indexAt)); err != nil {
		return err
	}
	if last.Size > 0 {
		entry, err := w.files.entry(last.Size - 1)
		if err != nil {
			return err
		}
		w.through = domain.Position(entry.Position)
	} else if w.tree.Before != "" {
		w.push(leaf{hash: proof.HashBefore([]byte(w.tree.Before)), entry: proof.Entry{Class: proof.Before}})
	}
	// It was to be renamed when the program was killed.
	if b, err := os.ReadFile(w.s.folder.path(checkpointFile)); any && (err != nil || string(b) != string(last.Note)) {
		return w.s.folder.replace(checkpointFile, last.Note)
	}
	return nil
}

// push adds a leaf to the tree in memory.
func (w *writer) push(l leaf) {
	w.hashes = w.edge.add(l.hash, w.hashes)
	from := len(w.entries)
	w.entries = l.entry.Append(w.entries)
	_, _ = w.index.Write(w.entries[from:]) // a hash takes everything
}

// add takes a batch of the log in, and makes a checkpoint when one is due.
func (w *writer) add(b domain.Batch) error {
	w.made = w.leafer.all(b.Events, w.made) // one caller at a time
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting() == 0 {
		w.since = w.s.c.Now()
	}
	for i := range b.Events {
		switch {
		case w.leafer.skips(b.Events[i].Stream):
			continue
		case w.made[i].bad, b.Events[i].Position <= w.through:
			return &HistoryError{Finding{
				Kind: Changed, Position: uint64(b.Events[i].Position), Leaf: w.edge.size, Stream: b.Events[i].Stream, Type: b.Events[i].Type,
			}}
		}
		w.push(w.made[i])
	}
	w.through = max(w.through, b.Through)
	if len(w.hashes) >= writeSize {
		if err := w.write(); err != nil {
			return err
		}
	}
	if n := w.waiting(); b.Live && n >= Every || n >= stretch {
		if err := w.seal(); err != nil {
			return err
		}
	}
	w.wake()
	return nil
}

// waiting returns how many leaves no checkpoint covers yet.
func (w *writer) waiting() int64 { return w.edge.size - w.last.Size }

func (w *writer) wake() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// write writes what was gathered, not yet to be relied on.
func (w *writer) write() error {
	if err := w.s.c.step("write"); err != nil {
		return err
	}
	if _, err := w.files.hashes.WriteAt(w.hashes, w.hashesAt); err != nil {
		return err
	}
	if err := w.s.c.step("write index"); err != nil {
		return err
	}
	if _, err := w.files.index.WriteAt(w.entries, w.indexAt); err != nil {
		return err
	}
	w.hashesAt, w.indexAt = w.hashesAt+int64(len(w.hashes)), w.indexAt+int64(len(w.entries))
	w.hashes, w.entries = w.hashes[:0], w.entries[:0]
	return nil
}

// checkpoint makes one of all that was taken in, if there is anything new.
func (w *writer) checkpoint() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.wake()
	return w.seal()
}

// setBack is by how much a clock is set back at the most without that showing in the
// times of checkpoints. One that ran further ahead would have all that come after it say
// a time that is not there yet, perhaps for years.
const setBack = 7 * 24 * time.Hour

func (w *writer) seal() error {
	if w.waiting() == 0 {
		return nil
	}
	if err := w.write(); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	c := proof.Checkpoint{Origin: w.tree.Origin, Size: w.edge.size, Root: w.edge.root(), At: w.s.c.Now().UTC().Truncate(time.Second)}
	if back := w.last.At.Sub(c.At); back > 0 && back <= setBack {
		c.At = w.last.At // the clock was set back
	}
	copy(c.Index[:], w.index.Sum(nil))
	var err error
	if c.Note, err = note.Sign(&note.Note{Text: c.Text()}, w.signer); err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	if err := w.s.c.step("sync"); err != nil {
		return err
	}
	if err := errors.Join(w.files.hashes.Sync(), w.files.index.Sync()); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return w.publish(c)
}

// publish writes a checkpoint down, first in the list, then alone, and shows it to
// readers. With more cosignatures than before it is written again.
func (w *writer) publish(c proof.Checkpoint) error {
	if err := w.s.c.step("list"); err != nil {
		return err
	}
	if err := w.s.folder.list(w.s.c.Now(), c, w.s.c.fault); err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	if c.Size < w.last.Size {
		return nil // a witness was slow: a newer one stands alone
	}
	if err := w.s.c.step("rename"); err != nil {
		return err
	}
	if err := w.s.folder.replace(checkpointFile, c.Note); err != nil {
		return fmt.Errorf("keep a checkpoint: %w", err)
	}
	w.last = c
	w.s.mu.Lock()
	w.s.last = c
	w.s.mu.Unlock()
	return nil
}

// clock makes the checkpoints that are due by time, and those that are asked for,
// until ctx ends.
func (w *writer) clock(ctx context.Context) error {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		w.mu.Lock()
		due := w.waiting() > 0 && w.s.c.Now().Sub(w.since) >= Interval
		var err error
		if due {
			err = w.seal()
			w.wake()
		}
		w.mu.Unlock()
		if err == nil {
			err = w.grant(ctx)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// grant seals all that there is for those who have asked for it.
func (w *writer) grant(ctx context.Context) error {
	wishes, err := w.s.folder.wishes()
	if err != nil || len(wishes) == 0 {
		return err
	}
	if err := w.upToHead(ctx, w.s.c.Log); err != nil {
		return err
	}
	for _, wish := range wishes {
		_ = os.Remove(wish) // whoever asked may have given up
	}
	return nil
}

// errEnded: this one seals no more.
var errEnded = errors.New("the sealing has ended")

// upToHead waits until all that the log holds now is in the tree, and sealed. Whoever
// follows the log is told of all up to its head, also of what is no leaf; where nothing
// comes for too long, the log or the way to it is broken (ErrStalled).
func (w *writer) upToHead(ctx context.Context, log Log) error {
	head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	still := time.NewTimer(w.s.c.patience)
	defer still.Stop()
	for last := domain.Position(0); ; {
		w.mu.Lock()
		through, changed := w.through, w.changed
		w.mu.Unlock()
		if through >= head {
			return w.checkpoint()
		}
		if through > last {
			last = through
			still.Reset(w.s.c.patience)
		}
		select {
		case <-changed:
		case <-still.C:
			return fmt.Errorf("%w: the log has shown what it holds up to position %d, and says that it holds %d", ErrStalled, through, head)
		case <-w.ended:
			return errEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
