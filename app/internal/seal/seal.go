package seal

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// When a checkpoint is made: when so many events wait for one, or the first of them
// has waited for so long. What was in the log long before is sealed in longer
// stretches: nothing would be gained.
const (
	Every    = 256
	Interval = time.Minute
	stretch  = 1 << 18
)

// Why nothing is sealed.
var (
	// ErrLocked: another program on this machine seals.
	ErrLocked = errors.New("another program on this machine seals the log")
	// ErrOtherSealer: the log says that the seal in another folder is the one that
	// grows, be it on another machine.
	ErrOtherSealer = errors.New("the log is sealed in another folder")
	// ErrNotWriter: this program is not to seal.
	ErrNotWriter = errors.New("this program does not seal")
	// ErrForeign: the folder is the seal of another log.
	ErrForeign = errors.New("the seal is that of another log")
	// ErrStalled: sealing does not get on, and nothing says why.
	ErrStalled = errors.New("sealing stands still")
	// ErrEmpty: there is nothing yet to seal.
	ErrEmpty = errors.New("there is nothing to seal yet")
	// ErrNoSeal: nothing was sealed yet.
	ErrNoSeal = errors.New("there is no seal")
	// ErrHistory: the log is not the one that was sealed. See HistoryError.
	ErrHistory = errors.New("the log is not what was sealed")
)

// A HistoryError says where the log first differs from what was sealed. It matches
// ErrHistory.
type HistoryError struct{ Finding Finding }

func (e *HistoryError) Error() string { return ErrHistory.Error() + ": " + e.Finding.String() }

// Is makes a HistoryError match ErrHistory.
func (*HistoryError) Is(target error) bool { return target == ErrHistory }

// A Log is what is sealed. All of it is to be given, what is too old otherwise, too.
type Log interface {
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error)
	Head(ctx context.Context) (domain.Position, error)
	Identity(ctx context.Context) (string, error) // "": it is empty
}

// Keys derives the key that signs.
type Keys interface {
	ID() string
	DeriveWith(id, purpose string) ([32]byte, error)
}

// A Register is where the log itself says who seals it.
type Register interface {
	// Sealing returns the last word on it; the zero SealBegun: nobody does.
	Sealing(ctx context.Context) (service.SealBegun, error)
	// BeginSeal records another one, who follows the sealer after; where somebody
	// else has done so, service.ErrOtherSealer.
	BeginSeal(ctx context.Context, e service.SealBegun, after string) error
}

// A Witness is a server that cosigns checkpoints; see the package witness.
type Witness struct {
	URL string        // before /add-checkpoint
	Key note.Verifier // of proof.ParseKey
}

// Config is what a Seal works with.
type Config struct {
	Folder    string
	Log       Log
	Keys      Keys
	Register  Register // nil: this one never seals
	Now       func() time.Time
	Skip      []string // the beginnings of streams that are no part of the record
	Writer    bool     // whether it may seal
	Witnesses []Witness
	Client    *http.Client // to reach witnesses; nil: http.DefaultClient
	Report    func(error)  // is told once of each thing that goes wrong; nil: nobody is

	fault    func(step string) error // of tests: a step of writing that fails
	patience time.Duration           // of tests: in place of a minute
}

// step lets a test break the writing at any place.
func (c *Config) step(name string) error {
	if c.fault == nil {
		return nil
	}
	return c.fault(name)
}

// purpose is what the signing key is derived for.
const purpose = "seal/sign"

// A Seal is the seal of one log, in one folder. Its methods may be called from any
// number of goroutines, and the folder may be open in any number of programs.
type Seal struct {
	c      Config
	folder folder

	mu        sync.Mutex
	tree      tree
	keys      keys
	files     *storage // nil: nothing was sealed yet
	last      proof.Checkpoint
	seen      os.FileInfo // of the file that last was read from; nil: it is to be read
	problem   error
	told      string
	writer    *writer // while this one seals
	standings map[string]Standing

	catalog catalog
}

// Open opens the seal in a folder, which need not be there yet. It makes nothing.
func Open(_ context.Context, c Config) (*Seal, error) {
	s := New(c)
	if err := s.refresh(); err != nil && !errors.Is(err, ErrNoSeal) {
		return nil, fmt.Errorf("open the seal in %s: %w", c.Folder, errors.Join(err, s.Close()))
	}
	return s, nil
}

// New is Open for whoever goes on while the folder cannot be read: Status says so.
func New(c Config) *Seal {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Client == nil {
		c.Client = http.DefaultClient
	}
	if c.Report == nil {
		c.Report = func(error) {}
	}
	if c.patience == 0 {
		c.patience = patience
	}
	return &Seal{c: c, folder: folder(c.Folder), standings: map[string]Standing{}}
}

// Close closes the files. Run must have ended.
func (s *Seal) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forget()
}

// forget closes what is read from.
func (s *Seal) forget() error {
	files := s.files
	s.files, s.last, s.seen = nil, proof.Checkpoint{}, nil
	if files == nil {
		return nil
	}
	return files.close()
}

// refresh finds out what another program has sealed meanwhile. ErrNoSeal: nothing
// was sealed yet.
func (s *Seal) refresh() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer != nil {
		return nil // nobody else does
	}
	info, err := os.Stat(s.folder.path(checkpointFile))
	if err == nil && s.files != nil && s.seen != nil && os.SameFile(info, s.seen) && info.ModTime().Equal(s.seen.ModTime()) {
		return nil // each new one is a file of its own
	}
	s.seen = nil
	t, err := s.folder.tree()
	if errors.Is(err, os.ErrNotExist) {
		return errors.Join(ErrNoSeal, s.forget())
	}
	if err != nil {
		return err
	}
	if t != s.tree {
		if err := s.forget(); err != nil {
			return err
		}
		if s.keys, err = s.c.keysOf(t); err != nil {
			return err
		}
		s.tree = t
	}
	last, any, err := s.folder.last(s.keys)
	if err == nil && !any {
		err = ErrNoSeal
	}
	if err != nil {
		return err
	}
	if s.files == nil {
		if s.files, err = s.folder.open(false); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if last.Text() != s.last.Text() {
		if err := s.files.rooted(last); err != nil {
			return err
		}
	}
	s.last, s.seen = last, info
	return nil
}

// keysOf returns what verifies the checkpoints of a tree. With the master keys at
// hand it is derived from them, whatever the folder says.
func (c Config) keysOf(t tree) (keys, error) {
	var k keys
	for _, w := range c.Witnesses {
		k.witnesses = append(k.witnesses, w.Key)
	}
	var err error
	if k.log, err = proof.ParseKey(t.Key); err != nil {
		return k, fmt.Errorf("%w: %s: %w", ErrDamaged, treeFile, err)
	}
	if c.Keys == nil {
		return k, nil
	}
	_, key, err := c.signer(t.Origin, t.Master)
	if err != nil {
		return k, err
	}
	if key != t.Key {
		return k, fmt.Errorf("%w: %s names another key than the master key makes", ErrDamaged, treeFile)
	}
	return k, nil
}

// A signer signs checkpoints.
type signer struct {
	note.Verifier
	key ed25519.PrivateKey
}

// Sign implements note.Signer.
func (s signer) Sign(text []byte) ([]byte, error) { return ed25519.Sign(s.key, text), nil }

// signer derives the key of an origin, and returns what verifies it, too.
func (c Config) signer(origin, master string) (note.Signer, string, error) {
	seed, err := c.Keys.DeriveWith(master, purpose)
	if err != nil {
		return nil, "", fmt.Errorf("derive the key of the seal: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed[:])
	key, err := note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey)) //nolint:forcetypeassert // of the library
	if err != nil {
		return nil, "", err
	}
	verifier, err := proof.ParseKey(key)
	if err != nil {
		return nil, "", err
	}
	return signer{verifier, private}, key, nil
}

// Checkpoint returns the newest checkpoint, with the cosignatures that it has by
// now; false while there is none, or while the folder cannot be read.
func (s *Seal) Checkpoint() (proof.Checkpoint, bool) {
	if err := s.refresh(); err != nil {
		return proof.Checkpoint{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.files != nil && s.last.Note != nil
}

// Keys returns the verifier keys: the log's first, then those of the witnesses that
// the settings name. The log's is missing while nothing was sealed.
func (s *Seal) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	if s.tree.Key != "" {
		all = append(all, s.tree.Key)
	}
	for _, w := range s.c.Witnesses {
		all = append(all, proof.FormatKey(w.Key))
	}
	return all
}

// ReadHashes reads hashes of the tree by their tlog.StoredHashIndex; so a Seal is a
// tlog.HashReader, of the tree that Checkpoint returned or an older one.
func (s *Seal) ReadHashes(at []int64) ([]tlog.Hash, error) {
	files, _, err := s.sealed()
	if err != nil {
		return nil, err
	}
	return files.ReadHashes(at)
}

// Leaf returns the hash of a leaf that a checkpoint covers, and what the index says
// of it; domain.ErrNotFound beyond that.
func (s *Seal) Leaf(i int64) (tlog.Hash, proof.Entry, error) {
	files, size, err := s.sealed()
	if err == nil && (i < 0 || i >= size) {
		err = fmt.Errorf("leaf %d of %d: %w", i, size, domain.ErrNotFound)
	}
	if err != nil {
		return tlog.Hash{}, proof.Entry{}, err
	}
	hashes, err := files.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
	if err != nil {
		return tlog.Hash{}, proof.Entry{}, err
	}
	entry, err := files.entry(i)
	return hashes[0], entry, err
}

// LeafOf returns which leaf the event at a position is; domain.ErrNotFound where it
// is none, or no checkpoint covers it yet.
func (s *Seal) LeafOf(p domain.Position) (int64, error) {
	i, err := s.LeafFrom(p)
	if err != nil {
		return 0, err
	}
	if _, entry, err := s.Leaf(i); err != nil || entry.Position != uint64(p) {
		return 0, errors.Join(fmt.Errorf("the leaf of position %d: %w", p, domain.ErrNotFound), err)
	}
	return i, nil
}

// LeafFrom returns the first leaf whose event does not stand before a position. It
// is the number of leaves where all do.
func (s *Seal) LeafFrom(p domain.Position) (int64, error) {
	files, size, err := s.sealed()
	if err != nil {
		return 0, err
	}
	return files.find(uint64(p), size)
}

// WriteIndex writes the index of the leaves [from, to). What Checkpoint.Index of a
// checkpoint is the SHA-256 of is that from 0 to its size.
func (s *Seal) WriteIndex(w io.Writer, from, to int64) error {
	files, sealed, err := s.sealed()
	if err != nil {
		return err
	}
	if from < 0 || to < from || to > sealed {
		return fmt.Errorf("index of the leaves %d to %d: %w", from, to, domain.ErrNotFound)
	}
	_, err = io.Copy(w, io.NewSectionReader(files.index, from*proof.EntrySize, (to-from)*proof.EntrySize))
	return err
}

// Before returns the checkpoint that is the first leaf, nil where there is none.
func (s *Seal) Before() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tree.Before == "" {
		return nil
	}
	return []byte(s.tree.Before)
}

// sealed returns the files and how many leaves of them a checkpoint covers.
func (s *Seal) sealed() (*storage, int64, error) {
	s.mu.Lock()
	files, size := s.files, s.last.Size
	s.mu.Unlock()
	if files != nil {
		return files, size, nil
	}
	if err := s.refresh(); err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files, s.last.Size, nil
}

// A Status is how things are with the seal.
type Status struct {
	Origin     string
	Sealing    bool  // this program seals
	Problem    error // why it does not, or what failed last; nil: nothing
	Checkpoint proof.Checkpoint
	Witnesses  []Standing // in the order of the settings
}

// Status says how things are.
func (s *Seal) Status() Status {
	err := s.refresh()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem != nil && (err == nil || errors.Is(err, ErrNoSeal)) || s.writer != nil {
		err = s.problem
	}
	st := Status{Origin: s.tree.Origin, Sealing: s.writer != nil, Problem: err, Checkpoint: s.last}
	known := s.standings
	if s.writer == nil {
		known = s.folder.standings()
	}
	for _, w := range s.c.Witnesses {
		one, ok := known[w.Key.Name()]
		if !ok {
			one = Standing{Name: w.Key.Name(), State: Away}
		}
		one.URL = w.URL
		if one.State == Agrees && one.Size < s.last.Size {
			one.State = Behind
		}
		st.Witnesses = append(st.Witnesses, one)
	}
	return st
}
