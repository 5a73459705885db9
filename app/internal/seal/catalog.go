package seal

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// A catalog is where the checkpoints stand in their file, in the order of their
// sizes. It is read once, and then only what was added.
type catalog struct {
	mu    sync.Mutex
	file  string // whose it is
	read  int64  // bytes
	cards []card
}

type card struct {
	size   int64
	at     time.Time
	offset int64
	length int
}

// update reads what was added to the file.
func (c *catalog) update(path, sealer string) error {
	file, err := os.Open(path) //nolint:gosec // the folder is a setting
	if errors.Is(err, os.ErrNotExist) {
		c.read, c.cards = 0, nil
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < c.read || c.file != sealer {
		c.read, c.cards, c.file = 0, nil, sealer
	}
	r := bufio.NewReaderSize(io.NewSectionReader(file, c.read, info.Size()-c.read), writeSize/4)
	for {
		b, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		one, err := parseLine(b)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, checkpointsFile, err)
		}
		c.put(card{one.Size, one.At, c.read, len(b)})
		c.read += int64(len(b))
	}
}

// put adds a card; the last one of a size counts.
func (c *catalog) put(one card) {
	at, found := slices.BinarySearchFunc(c.cards, one.size, func(k card, size int64) int { return int(min(1, max(-1, k.size-size))) })
	if found {
		c.cards[at] = one
	} else {
		c.cards = slices.Insert(c.cards, at, one)
	}
}

// A Listed is a checkpoint with its number, from 1.
type Listed struct {
	Number int
	proof.Checkpoint
}

// Covering returns the first checkpoint that covers a leaf; false: none does yet.
func (s *Seal) Covering(leaf int64) (Listed, bool, error) {
	var found Listed
	err := s.list(func(cards []card) []int {
		at := sort.Search(len(cards), func(i int) bool { return cards[i].size > leaf })
		if at == len(cards) {
			return nil
		}
		return []int{at}
	}, func(l Listed) { found = l })
	return found, found.Number > 0, err
}

// Daily returns the last checkpoint of each day of a time zone, the newest first, at
// most so many.
func (s *Seal) Daily(most int, zone *time.Location) ([]Listed, error) {
	var all []Listed
	err := s.list(func(cards []card) (chosen []int) {
		last := ""
		for i := len(cards) - 1; i >= 0 && len(chosen) < most; i-- {
			if day := cards[i].at.In(zone).Format(time.DateOnly); day != last {
				chosen, last = append(chosen, i), day
			}
		}
		return chosen
	}, func(l Listed) { all = append(all, l) })
	return all, err
}

// list opens the checkpoints that are chosen.
func (s *Seal) list(choose func([]card) []int, yield func(Listed)) error {
	if err := s.refresh(); err != nil {
		if errors.Is(err, ErrNoSeal) {
			return nil
		}
		return err
	}
	s.mu.Lock()
	keys, sealer := s.keys, s.tree.Sealer
	s.mu.Unlock()
	s.catalog.mu.Lock()
	defer s.catalog.mu.Unlock()
	path := s.folder.path(checkpointsFile)
	if err := s.catalog.update(path, sealer); err != nil {
		return err
	}
	chosen := choose(s.catalog.cards)
	if len(chosen) == 0 {
		return nil
	}
	file, err := os.Open(path) //nolint:gosec // the folder is a setting
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	for _, i := range chosen {
		b := make([]byte, s.catalog.cards[i].length)
		if _, err := file.ReadAt(b, s.catalog.cards[i].offset); err != nil {
			return err
		}
		c, err := parseLine(b)
		if err == nil {
			c, err = keys.open(c.Note)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, checkpointsFile, err)
		}
		yield(Listed{i + 1, c})
	}
	return nil
}

// A Known is what the seal knows of an event.
type Known struct {
	Leaf    int64     // negative: it is none, or no checkpoint covers it yet
	Hash    tlog.Hash // as it was sealed
	Altered bool      // it is not what was sealed
}

// Know looks an event up, which was read with its metadata. One that stands between
// others that were sealed, and is no leaf, is altered.
func (s *Seal) Know(e *domain.Recorded) (Known, error) {
	l := leafer{skip: s.c.Skip}
	files, size, err := s.sealed()
	switch {
	case errors.Is(err, ErrNoSeal), err == nil && l.skips(e.Stream):
		return Known{Leaf: -1}, nil
	case err != nil:
		return Known{}, err
	}
	i, err := files.find(uint64(e.Position), size)
	if err != nil || i >= size {
		return Known{Leaf: -1}, err
	}
	hash, entry, err := s.Leaf(i)
	if err != nil {
		return Known{}, err
	}
	if entry.Position != uint64(e.Position) {
		return Known{Leaf: -1, Altered: true}, nil
	}
	s.mu.Lock()
	l.store = s.tree.Store
	s.mu.Unlock()
	made := l.make(e)
	return Known{Leaf: i, Hash: hash, Altered: made.bad || made.hash != hash || !bytes.Equal(entry.Append(nil), made.entry.Append(nil))}, nil
}

// Unsealed counts the events that no checkpoint covers yet, up to most, and returns
// when the first of them was recorded; zero: there is none.
func (s *Seal) Unsealed(ctx context.Context, most int64) (n int64, since time.Time, err error) {
	files, size, err := s.sealed()
	if err != nil && !errors.Is(err, ErrNoSeal) {
		return 0, since, err
	}
	var after domain.Position
	if size > 0 {
		entry, err := files.entry(size - 1)
		if err != nil {
			return 0, since, err
		}
		after = domain.Position(entry.Position)
	}
	l, enough := leafer{skip: s.c.Skip}, errors.New("enough")
	err = s.c.Log.ReadAll(ctx, domain.Query{After: after, Expired: true}, func(b domain.Batch) error {
		for i := range b.Events {
			if l.skips(b.Events[i].Stream) {
				continue
			}
			if n++; n == 1 {
				since = b.Events[i].Recorded
			}
		}
		if n >= most {
			return enough
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return 0, since, fmt.Errorf("count what is not sealed: %w", err)
	}
	return min(n, most), since, nil
}

// Check looks, without sealing anything, whether the folder fits together and the
// log: that it is this one's, that its end is what was sealed, and that the log names
// no other sealer. It is quick, and sees nothing of what lies further back: Verify
// does.
func (s *Seal) Check(ctx context.Context) error {
	id, err := s.c.Log.Identity(ctx)
	if err != nil {
		return err
	}
	begun, err := s.c.Register.Sealing(ctx)
	if err != nil {
		return err
	}
	err = s.refresh()
	s.mu.Lock()
	t, files, last := s.tree, s.files, s.last
	s.mu.Unlock()
	switch {
	case begun.Sealer != "" && proof.StoreOf(begun.Origin) == id && begun.Sealer != t.Sealer:
		return ErrOtherSealer
	case err != nil:
		return err
	case t.Store != id:
		return ErrForeign
	}
	if err := files.fits(last); err != nil {
		return err
	}
	return s.compareTail(ctx, leafer{store: t.Store, skip: s.c.Skip}, files, last.Size)
}
