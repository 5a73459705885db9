package seal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// A catalog is where checkpoints stand in their list, in the order of their sizes: the
// last one of each quarter of an hour, in one of which every day of every time zone ends,
// and of more than so many the one in between. From them, the others are found. The list
// is read once, and then only what was added.
type catalog struct {
	mu    sync.Mutex
	file  string // whose it is
	read  int64  // bytes
	cards []card
	last  card // the newest, which is not among the others; number 0: there is none
}

type card struct {
	number int // from 1
	size   int64
	at     int64 // in seconds since 1970
	begin  int64 // where the first line of this size begins
	line   int64 // where the last one does, which counts
	length int   // of that
}

const (
	quarter = 15 * 60 // seconds
	between = 1024
)

// update reads what was added to the list.
func (c *catalog) update(file io.ReaderAt, end int64, sealer string) error {
	if end < c.read || c.file != sealer {
		c.read, c.cards, c.last, c.file = 0, nil, card{}, sealer
	}
	return eachLine(io.NewSectionReader(file, c.read, end-c.read), c.read, func(b []byte, at int64) error {
		size, made, err := glance(b)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, checkpointsFile, err)
		}
		c.put(card{size: size, at: made.Unix(), begin: at, line: at, length: len(b)})
		c.read = at + int64(len(b))
		return nil
	})
}

// put takes a line in.
func (c *catalog) put(one card) {
	switch {
	case c.last.number == 0, one.size > c.last.size:
		if n := len(c.cards); c.last.number > 0 && (one.at/quarter != c.last.at/quarter || n > 0 && c.last.number-c.cards[n-1].number >= between) {
			c.cards = append(c.cards, c.last)
		}
		one.number = c.last.number + 1
		c.last = one
	case one.size == c.last.size:
		c.last.line, c.last.length = one.line, one.length
	default: // it was cosigned later
		if i, ok := slices.BinarySearchFunc(c.cards, one.size, func(k card, size int64) int { return cmp.Compare(k.size, size) }); ok {
			c.cards[i].line, c.cards[i].length = one.line, one.length
		}
	}
}

// covering looks in the list for the first checkpoint that covers a leaf. Nothing: there
// is none.
func (c *catalog) covering(list io.ReaderAt, leaf int64) (found card, err error) {
	if leaf >= c.last.size {
		return card{}, nil
	}
	var from card
	if i := sort.Search(len(c.cards), func(i int) bool { return c.cards[i].size > leaf }); i > 0 {
		from = c.cards[i-1]
	}
	enough := errors.New("enough")
	err = eachLine(io.NewSectionReader(list, from.begin, c.read-from.begin), from.begin, func(b []byte, at int64) error {
		if found.number > 0 && at > found.begin+tail { // who cosigned it later, has by now
			return enough
		}
		size, made, err := glance(b)
		if err != nil {
			return err
		}
		one := card{from.number + 1, size, made.Unix(), at, at, len(b)}
		switch {
		case found.number > 0 && size == found.size:
			found.line, found.length = at, len(b)
		case found.number == 0 && size > leaf:
			found = one
		case found.number == 0 && size > from.size:
			from = one
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return found, err
}

// A Listed is a checkpoint with its number, from 1.
type Listed struct {
	Number int
	proof.Checkpoint
}

// Covering returns the first checkpoint that covers a leaf; false: none does yet.
func (s *Seal) Covering(leaf int64) (Listed, bool, error) {
	all, err := s.list(func(c *catalog, list io.ReaderAt) ([]card, error) {
		found, err := c.covering(list, leaf)
		if err != nil || found.number == 0 {
			return nil, err
		}
		return []card{found}, nil
	})
	if err != nil || len(all) == 0 {
		return Listed{}, false, err
	}
	return all[0], true, nil
}

// Daily returns the last checkpoint of each day of a time zone, the newest first, at
// most so many.
func (s *Seal) Daily(most int, zone *time.Location) ([]Listed, error) {
	return s.list(func(c *catalog, _ io.ReaderAt) ([]card, error) { return c.daily(most, zone), nil })
}

func (c *catalog) daily(most int, zone *time.Location) (chosen []card) {
	day := ""
	choose := func(k card) {
		if d := time.Unix(k.at, 0).In(zone).Format(time.DateOnly); d != day {
			chosen, day = append(chosen, k), d
		}
	}
	if c.last.number > 0 {
		choose(c.last)
	}
	for i := len(c.cards) - 1; i >= 0 && len(chosen) < most; i-- {
		choose(c.cards[i])
	}
	return chosen
}

// Days yields the last checkpoint of each day of UTC, the oldest first. An error of yield
// ends it and is returned as it is.
func (s *Seal) Days(ctx context.Context, yield func(proof.Checkpoint) error) error {
	days, err := s.Daily(math.MaxInt, time.UTC)
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(days) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := yield(d.Checkpoint); err != nil {
			return err
		}
	}
	return nil
}

// list opens the checkpoints that are chosen.
func (s *Seal) list(choose func(*catalog, io.ReaderAt) ([]card, error)) ([]Listed, error) {
	if err := s.refresh(); err != nil {
		if errors.Is(err, ErrNoSeal) {
			return nil, nil
		}
		return nil, err
	}
	s.mu.Lock()
	keys, sealer := s.keys, s.tree.Sealer
	s.mu.Unlock()
	s.catalog.mu.Lock()
	defer s.catalog.mu.Unlock()
	file, end, err := s.folder.openList()
	if err != nil || file == nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	if err := s.catalog.update(file, end, sealer); err != nil {
		return nil, err
	}
	chosen, err := choose(&s.catalog, file)
	if err != nil {
		return nil, err
	}
	all := make([]Listed, 0, len(chosen))
	for _, k := range chosen {
		b := make([]byte, k.length)
		if _, err := file.ReadAt(b, k.line); err != nil {
			return nil, err
		}
		c, err := keys.openLine(b)
		if err == nil && c.Size != k.size {
			err = proof.ErrBadCheckpoint
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, checkpointsFile, err)
		}
		all = append(all, Listed{k.number, c})
	}
	return all, nil
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
