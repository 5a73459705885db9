package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// block is how many leaves are read at once.
const block = 4096

// leaves reads the leaves of a tree, block by block.
type leaves struct {
	files   *storage
	size    int64
	from    int64
	hashes  []tlog.Hash
	entries []proof.Entry
	raw     []byte
}

// at returns a leaf and its entry.
func (l *leaves) at(i int64) (tlog.Hash, proof.Entry, error) {
	if i < l.from || i >= l.from+int64(len(l.hashes)) {
		if err := l.load(i &^ (block - 1)); err != nil {
			return tlog.Hash{}, proof.Entry{}, err
		}
	}
	return l.hashes[i-l.from], l.entries[i-l.from], nil
}

func (l *leaves) load(from int64) error {
	n := min(block, l.size-from)
	l.hashes, l.entries, l.from = l.hashes[:0], l.entries[:0], from
	base := tlog.StoredHashIndex(0, from)
	b := l.room(int(tlog.StoredHashIndex(0, from+n-1)-base+1) * tlog.HashSize)
	if _, err := l.files.hashes.ReadAt(b, base*tlog.HashSize); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, hashesFile, err)
	}
	at := 0
	for i := from; i < from+n; i++ {
		l.hashes = append(l.hashes, tlog.Hash(b[at*tlog.HashSize:]))
		at += 1 + bits.TrailingZeros64(^uint64(i)) //nolint:gosec // never negative
	}
	b = l.room(int(n) * proof.EntrySize)
	if _, err := l.files.index.ReadAt(b, from*proof.EntrySize); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, indexFile, err)
	}
	for ; len(b) > 0; b = b[proof.EntrySize:] {
		e, err := proof.ParseEntry(b[:proof.EntrySize])
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, indexFile, err)
		}
		l.entries = append(l.entries, e)
	}
	return nil
}

func (l *leaves) room(n int) []byte {
	if cap(l.raw) < n {
		l.raw = make([]byte, n)
	}
	return l.raw[:n]
}

// horizon is how many events and leaves behind the first that differs are looked at,
// to tell what was done.
const horizon = 1024

// A comparer walks along the leaves of a tree beside the events of a log.
type comparer struct {
	leafer
	tree   leaves
	next   int64 // leaf
	equal  int64
	more   int64             // events behind the last leaf
	gone   []goneLeaf        // of logins: whether they may be is seen at the end
	latest proof.Entry       // of those that may be
	first  *Finding          // that is certain
	after  []domain.Recorded // from the first event that differs on
	made   []leaf
}

type goneLeaf struct {
	leaf  int64
	entry proof.Entry
}

// batch compares the next events. It says whether enough is known.
func (c *comparer) batch(events []domain.Recorded) (enough bool, err error) {
	c.made = c.all(events, c.made)
	for i := range events {
		e := &events[i]
		switch {
		case c.skips(e.Stream):
		case c.after != nil:
			c.after = append(c.after, cloned(e))
			if len(c.after) >= horizon {
				return true, nil
			}
		case c.first != nil:
			return true, nil
		default:
			if err := c.event(e, &c.made[i]); err != nil {
				return false, err
			}
		}
	}
	return c.first != nil && c.after == nil, nil
}

func (c *comparer) event(e *domain.Recorded, made *leaf) error {
	for c.next < c.tree.size {
		hash, entry, err := c.tree.at(c.next)
		if err != nil {
			return err
		}
		switch position := uint64(e.Position); {
		case entry.Class == proof.Before:
			c.next++
		case entry.Position < position:
			if entry.Class != proof.Login {
				c.first = &Finding{Kind: Missing, Position: entry.Position, Leaf: c.next}
				return nil
			}
			c.gone = append(c.gone, goneLeaf{c.next, entry})
			c.next++
		case entry.Position > position:
			c.first = c.found(Inserted, e)
			return nil
		case made.bad || made.hash != hash:
			c.first = c.found(Changed, e)
			c.after = append(c.after, cloned(e))
			return nil
		case made.entry != entry: // which would let it go, unseen, as what it is not
			c.first = c.found(BadIndex, e)
			return nil
		default:
			c.equal++
			c.next++
			return nil
		}
	}
	c.more++
	return nil
}

func (c *comparer) found(kind FindingKind, e *domain.Recorded) *Finding {
	return &Finding{Kind: kind, Position: uint64(e.Position), Leaf: c.next, Stream: e.Stream, Type: e.Type}
}

func cloned(e *domain.Recorded) domain.Recorded {
	kept := *e
	kept.Data, kept.Metadata = bytes.Clone(e.Data), bytes.Clone(e.Metadata)
	return kept
}

// end says that the log holds no more. may tells which leaves of logins may be gone;
// it returns how many are.
func (c *comparer) end(may func(proof.Entry) bool) (expired int64, err error) {
	if c.after != nil {
		if err := c.classify(); err != nil {
			return 0, err
		}
	}
	for ; c.first == nil && c.next < c.tree.size; c.next++ {
		_, entry, err := c.tree.at(c.next)
		if err != nil {
			return 0, err
		}
		switch {
		case entry.Class == proof.Before:
		case entry.Class == proof.Login && may(entry):
			c.gone = append(c.gone, goneLeaf{c.next, entry})
		default:
			c.first = &Finding{Kind: Truncated, Position: entry.Position, Leaf: c.next}
		}
	}
	for _, g := range c.gone {
		if !may(g.entry) {
			if c.first == nil || g.leaf < c.first.Leaf {
				c.first = &Finding{Kind: Missing, Position: g.entry.Position, Leaf: g.leaf}
			}
			break
		}
		if expired++; g.entry.Day > c.latest.Day {
			c.latest = g.entry
		}
	}
	return expired, nil
}

// classify tells what was done where an event first differs from its leaf: whether
// it is one that was sealed elsewhere, and whether the one that was sealed here has
// moved on.
func (c *comparer) classify() error {
	here, entry, err := c.tree.at(c.next)
	if err != nil {
		return err
	}
	moved, known := false, false
	for i := 1; i < len(c.after) && !moved; i++ {
		moved = c.leafOf(&c.after[i], domain.Position(entry.Position)).Hash() == here
	}
	for i := c.next + 1; i < min(c.tree.size, c.next+horizon) && !known; i++ {
		hash, entry, err := c.tree.at(i)
		if err != nil {
			return err
		}
		known = c.leafOf(&c.after[0], domain.Position(entry.Position)).Hash() == hash
	}
	switch {
	case moved && known:
		c.first.Kind = Reordered
	case moved:
		c.first.Kind = Inserted
	case known:
		c.first.Kind = Missing
	}
	return nil
}

// checked is how many of the last leaves a sealer compares with the log before it
// goes on.
const checked = 512

// compareTail looks whether the log still holds what was sealed last: an older copy
// of it may have been put back. Logins may be gone.
func (s *Seal) compareTail(ctx context.Context, l leafer, files *storage, size int64) error {
	if size == 0 {
		return nil
	}
	c := &comparer{leafer: l, tree: leaves{files: files, size: size}, next: max(0, size-checked)}
	_, from, err := c.tree.at(c.next)
	if err != nil {
		return err
	}
	enough := errors.New("enough")
	q := domain.Query{After: domain.Position(max(1, from.Position) - 1), Metadata: true, Expired: true}
	err = s.c.Log.ReadAll(ctx, q, func(b domain.Batch) error {
		done, err := c.batch(b.Events)
		if err == nil && (done || c.more > 0) {
			err = enough
		}
		return err
	})
	if err != nil && !errors.Is(err, enough) {
		return err
	}
	if _, err := c.end(func(proof.Entry) bool { return true }); err != nil {
		return err
	}
	if c.first != nil {
		return &HistoryError{*c.first}
	}
	return nil
}
