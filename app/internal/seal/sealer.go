package seal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

const (
	// beat is how often a sealer looks whether a checkpoint is due, or asked for.
	beat = 500 * time.Millisecond
	// After a fault it is tried again so soon, then ever later.
	retryFirst = time.Second
	retryMost  = time.Minute
	// patience is for how long what is waited for may stand still.
	patience = time.Minute
)

// Run seals what the log holds and all that is appended, until ctx ends; then it
// makes a last checkpoint. While somebody else seals, or something is wrong, Status
// says so, Config.Report is told, and it is tried again. A program that is not to
// seal waits for ctx only.
func (s *Seal) Run(ctx context.Context) error {
	if !s.c.Writer || s.c.Register == nil {
		<-ctx.Done()
		return nil
	}
	wait := retryFirst
	for {
		began := s.c.Now()
		err := s.turn(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.trouble(err)
		if s.c.Now().Sub(began) > retryMost {
			wait = retryFirst
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		if wait = min(2*wait, retryMost); errors.Is(err, ErrLocked) || errors.Is(err, ErrEmpty) {
			wait = min(wait, 5*time.Second) // the other program may end at any time
		}
	}
}

// trouble keeps why nothing is sealed, and tells it once. That another program
// seals, and that there is nothing to seal, is no trouble.
func (s *Seal) trouble(err error) {
	s.mu.Lock()
	s.problem = err
	says := ""
	if err != nil && !errors.Is(err, ErrLocked) && !errors.Is(err, ErrEmpty) {
		says = err.Error()
	}
	tell := says != s.told
	s.told = says
	s.mu.Unlock()
	if tell && says != "" {
		s.c.Report(err)
	}
}

// turn seals until something fails or ctx ends.
func (s *Seal) turn(ctx context.Context) error {
	w, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer s.end(w)
	s.trouble(nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var around sync.WaitGroup
	defer around.Wait()
	var failed error // of the clock's
	around.Go(func() {
		if failed = w.clock(ctx); failed != nil {
			cancel()
		}
	})
	for _, to := range s.c.Witnesses {
		around.Go(func() { s.keepCosigned(ctx, w, to) })
	}
	q := domain.Query{After: domain.Position(w.through), Metadata: true, Expired: true}
	err = s.c.Log.Follow(ctx, q, func(b domain.Batch) error { return w.add(b) })
	cancel()
	around.Wait()
	if failed != nil {
		return failed
	}
	// What was taken in is sealed, be it that the program ends.
	return errors.Join(err, w.checkpoint())
}

// Now seals what the log holds at this moment, and returns when a checkpoint covers
// it. Where another program of this machine seals, that one is asked to; where none
// does, witnesses are asked once, and one that is away is no error. It waits as long as
// sealing gets on, and then a minute at most (ErrStalled).
func (s *Seal) Now(ctx context.Context) error {
	for {
		s.mu.Lock()
		w := s.writer
		s.mu.Unlock()
		if w != nil {
			if err := w.upToHead(ctx, s.c.Log); !errors.Is(err, errEnded) {
				return err
			}
			continue
		}
		err := s.sealOnce(ctx)
		if !errors.Is(err, ErrLocked) {
			return err
		}
		err = s.askOther(ctx)
		if err == nil {
			return s.refresh()
		}
		if !errors.Is(err, errEnded) {
			return fmt.Errorf("have the program seal that has the lock: %w", err)
		}
	}
}

func (s *Seal) sealOnce(ctx context.Context) error {
	if !s.c.Writer || s.c.Register == nil {
		return ErrNotWriter
	}
	w, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer s.end(w)
	q := domain.Query{After: domain.Position(w.through), Metadata: true, Expired: true}
	err = s.c.Log.ReadAll(ctx, q, w.add)
	if err = errors.Join(err, w.checkpoint()); err == nil {
		s.askAll(ctx, w)
	}
	return err
}

// askOther leaves a wish in the folder, and waits until it was granted. errEnded: the
// other program has left before that.
func (s *Seal) askOther(ctx context.Context) error {
	wish := s.folder.path(wishPrefix + rand.Text())
	err := s.c.step("wish")
	if err == nil {
		err = os.WriteFile(wish, nil, 0o600)
	}
	if err != nil {
		return err
	}
	defer os.Remove(wish) //nolint:errcheck // it is gone where it was granted
	tick := time.NewTicker(beat / 5)
	defer tick.Stop()
	for last, since := s.folder.mark(), time.Now(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if _, err := os.Stat(wish); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		lock, err := s.lock()
		if err == nil { // nobody is there any more
			return errors.Join(errEnded, lock.Close())
		}
		if !errors.Is(err, ErrLocked) {
			return err
		}
		if now := s.folder.mark(); now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > s.c.patience {
			return fmt.Errorf("%w: the program that has the lock does not answer", ErrStalled)
		}
	}
}

// A mark shows that somebody adds to a folder: it is another one then.
type mark struct {
	hashes     int64
	checkpoint time.Time
}

func (f folder) mark() (m mark) {
	if info, err := os.Stat(f.path(hashesFile)); err == nil {
		m.hashes = info.Size()
	}
	if info, err := os.Stat(f.path(checkpointFile)); err == nil {
		m.checkpoint = info.ModTime()
	}
	return m
}

// lock takes the lock of the folder; ErrLocked where another program has it.
func (s *Seal) lock() (*flock.Flock, error) {
	lock := flock.New(s.folder.path(lockFile), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the seal: %w", err)
	}
	if !ok {
		return nil, ErrLocked
	}
	return lock, nil
}

// begin makes this Seal the one that seals: it holds the lock, the log names it, and
// what stands in the folder fits together and fits the log.
func (s *Seal) begin(ctx context.Context) (w *writer, err error) {
	lock, err := s.lock()
	if errors.Is(err, os.ErrNotExist) { // there is no folder yet, and no reason to make one before there is an event
		if _, err := s.identity(ctx); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(s.c.Folder, 0o700); err != nil {
			return nil, fmt.Errorf("make the folder of the seal: %w", err)
		}
		lock, err = s.lock()
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	id, err := s.identity(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.registered(ctx, id)
	if err != nil {
		return nil, err
	}
	w, err = s.newWriter(t)
	if err != nil {
		return nil, err
	}
	w.lock = lock
	if err := s.compareTail(ctx, w.leafer, w.files, w.last.Size); err != nil {
		return nil, errors.Join(err, w.files.close())
	}
	reading, err := s.folder.open(false)
	if err != nil {
		return nil, errors.Join(err, w.files.close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.forget(); err != nil {
		return nil, errors.Join(err, w.files.close(), reading.close())
	}
	s.tree, s.keys, s.files, s.last, s.writer = t, w.keys, reading, w.last, w
	return w, nil
}

func (s *Seal) end(w *writer) {
	s.mu.Lock()
	s.writer = nil
	s.mu.Unlock()
	close(w.ended)
	_ = w.files.close() // what had to be on disk is
	_ = w.lock.Close()  // the system takes it back in any case
}

// identity returns the id of a log that holds something; ErrEmpty of any other one.
func (s *Seal) identity(ctx context.Context) (string, error) {
	id, err := s.c.Log.Identity(ctx)
	if err != nil {
		return "", err
	}
	empty := id == ""
	if !empty {
		empty, err = s.empty(ctx)
	}
	if err != nil {
		return "", err
	}
	if empty {
		return "", ErrEmpty
	}
	return id, nil
}

// empty says whether the log holds no event. The first one decides whether a home is
// a demo: it is never the seal's own.
func (s *Seal) empty(ctx context.Context) (bool, error) {
	empty, enough := true, errors.New("enough")
	err := s.c.Log.ReadAll(ctx, domain.Query{Expired: true}, func(b domain.Batch) error {
		if len(b.Events) == 0 {
			return nil
		}
		empty = false
		return enough
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return empty, err
}

// registered returns the tree of the folder, which the log names as the one that
// grows. Where there is none in either, one begins.
func (s *Seal) registered(ctx context.Context, id string) (tree, error) {
	begun, err := s.c.Register.Sealing(ctx)
	if err != nil {
		return tree{}, fmt.Errorf("read who seals the log: %w", err)
	}
	ours := begun.Sealer != "" && proof.StoreOf(begun.Origin) == id // not of the log that this one is a copy of
	t, err := s.folder.tree()
	switch {
	case errors.Is(err, os.ErrNotExist) && ours:
		return tree{}, fmt.Errorf("%w: this one is empty", ErrOtherSealer)
	case errors.Is(err, os.ErrNotExist):
		t, err = s.newTree(id, begun, nil)
	}
	switch {
	case err != nil:
		return tree{}, err
	case t.Store != id:
		return tree{}, fmt.Errorf("%w: %s is of %s, and the log is %s", ErrForeign, treeFile, t.Store, id)
	case begun.Sealer == t.Sealer:
		return t, nil
	case ours:
		return tree{}, ErrOtherSealer
	}
	return t, s.register(ctx, t, begun.Sealer)
}

func (s *Seal) register(ctx context.Context, t tree, after string) error {
	err := s.c.Register.BeginSeal(ctx, service.SealBegun{Sealer: t.Sealer, Origin: t.Origin, Key: t.Key}, after)
	if errors.Is(err, service.ErrOtherSealer) {
		return ErrOtherSealer
	}
	if err != nil {
		return fmt.Errorf("record who seals the log: %w", err)
	}
	return nil
}

// newTree writes down a tree that begins: the first of the log, or the one after
// that which the log names. before is the last checkpoint of a tree that it goes on
// from.
func (s *Seal) newTree(id string, begun service.SealBegun, before []byte) (tree, error) {
	origin := proof.OriginPrefix + id
	if proof.StoreOf(begun.Origin) == id {
		_, number, _ := strings.Cut(strings.TrimPrefix(begun.Origin, origin), "/")
		n, err := strconv.Atoi(number)
		if err != nil {
			n = 1
		}
		origin += "/" + strconv.Itoa(n+1)
	}
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	t := tree{
		Format: treeFormat, Origin: origin, Store: id, Sealer: hex.EncodeToString(random[:]), Master: s.c.Keys.ID(), Before: string(before),
	}
	var err error
	if _, t.Key, err = s.c.signer(t.Origin, t.Master); err != nil {
		return tree{}, err
	}
	if err := s.folder.writeTree(t); err != nil {
		return tree{}, fmt.Errorf("begin the seal: %w", err)
	}
	return t, nil
}

// Anew begins another tree in the folder, whose first leaf is the last checkpoint of
// the one that stands there. That one is kept beside, under its number. It is for
// whoever has looked why a seal and its log differ, and decided to go on; and for a
// log whose sealer is lost. before is the checkpoint to go on from where the folder
// is empty, such as that of the log of which this one is a copy; it may be nil.
func Anew(ctx context.Context, c Config, before []byte) error {
	s := &Seal{c: c, folder: folder(c.Folder)}
	id, err := s.identity(ctx)
	if err != nil {
		return err
	}
	begun, err := c.Register.Sealing(ctx)
	if err != nil {
		return fmt.Errorf("read who seals the log: %w", err)
	}
	kept, err := s.setAside()
	if err != nil {
		return err
	}
	if kept != nil {
		before = kept
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return fmt.Errorf("make the folder of the seal: %w", err)
	}
	t, err := s.newTree(id, begun, before)
	if err != nil {
		return err
	}
	return s.register(ctx, t, begun.Sealer)
}

// TakeUp looks at what an Anew has left that was killed, by which the seal of a log was to
// go on as that of another one, its copy. begun says that the tree of the copy has begun:
// whatever seals that goes on. Else the old seal has its folder, from where it may
// have been moved aside already, and Anew can be done again. c is of the old log.
func TakeUp(ctx context.Context, c Config, copied string) (begun bool, err error) {
	id, err := c.Log.Identity(ctx)
	if err != nil {
		return false, err
	}
	t, err := folder(c.Folder).tree()
	if err == nil {
		origin, _, _ := strings.Cut(t.Before, "\n")
		return t.Store == copied && copied != id && proof.StoreOf(origin) == id, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	was, err := c.Register.Sealing(ctx)
	if err != nil {
		return false, fmt.Errorf("read who sealed the log: %w", err)
	}
	if was.Sealer == "" {
		return false, nil
	}
	aside := asideOf(c.Folder, was.Sealer)
	switch t, err := folder(aside).tree(); {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case t.Store != id, t.Sealer != was.Sealer: // which anybody may have written who can write to the log
		return false, nil
	}
	if err := folder(c.Folder).clear(); err != nil {
		return false, fmt.Errorf("remove what has begun of a seal: %w", err)
	}
	if err := os.Rename(aside, c.Folder); err != nil {
		return false, fmt.Errorf("put the old seal back: %w", err)
	}
	return false, nil
}

// asideOf names the folder that the seal of a sealer is kept in beside the one that goes on.
func asideOf(base, sealer string) string { return filepath.Clean(base) + "-" + sealer }

// setAside renames a folder that holds a tree, and returns its last checkpoint, or
// that which it began with where it has made none.
func (s *Seal) setAside() ([]byte, error) {
	t, err := s.folder.tree()
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer lock.Close() //nolint:errcheck // the system takes it back in any case
	k, err := s.c.keysOf(t)
	if err != nil {
		return nil, err
	}
	last, any, err := s.folder.last(k)
	if err != nil {
		return nil, err
	}
	before := []byte(t.Before)
	if any {
		before = last.Note
	}
	aside := asideOf(s.c.Folder, t.Sealer)
	if runtime.GOOS == "windows" { // which moves no folder of which a file is open, be it by another program
		_ = lock.Close()
	}
	if err := os.Rename(s.c.Folder, aside); err != nil {
		return nil, fmt.Errorf("set the old seal aside: %w", err)
	}
	return before, nil
}
