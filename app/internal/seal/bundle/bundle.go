package bundle

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// Why no bundle was written.
var (
	// ErrUnsealed: there is no checkpoint yet.
	ErrUnsealed = errors.New("nothing is sealed yet")
	// ErrNothing: no sealed event lies between From and To.
	ErrNothing = errors.New("there are no sealed events between these moments")
	// ErrDiffers: the log is not what was sealed. See NotAsSealedError.
	ErrDiffers = errors.New("the log is not what was sealed")
	// ErrSince: a checkpoint that the bundle was to be consistent with is not
	// one of this history.
	ErrSince = errors.New("the older checkpoint is not of this history")
)

// A NotAsSealedError names the first position at which the log is not what was
// sealed. It matches ErrDiffers.
type NotAsSealedError struct {
	Position uint64
	What     string // in English
}

func (e *NotAsSealedError) Error() string {
	return fmt.Sprintf("%v: at position %d %s", ErrDiffers, e.Position, e.What)
}

// Is makes it match ErrDiffers.
func (e *NotAsSealedError) Is(target error) bool { return target == ErrDiffers }

// A Log is where the events are.
type Log interface {
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
}

// A Seal is the tree over the log.
type Seal interface {
	tlog.HashReader // the stored hashes of the tree

	// Checkpoint returns the last one, with its cosignatures; false where there
	// is none.
	Checkpoint() (proof.Checkpoint, bool)
	// Days gives the last one of each day of UTC, the oldest first.
	Days(ctx context.Context, yield func(proof.Checkpoint) error) error
	// Keys returns the verifier keys: the log's, then those of witnesses.
	Keys() []string
	// Before returns the checkpoint with which the tree before this one ended;
	// nil where there is none.
	Before() []byte
	// WriteIndex writes the index of the leaves [from, to).
	WriteIndex(w io.Writer, from, to int64) error
}

// A Source is what a bundle is made from.
type Source struct {
	Log  Log
	Seal Seal
	Skip []string // beginnings of the names of streams that are no part of the record
}

// A Moment is a place in the log: a position, or the first event that was
// recorded at or after a time. The zero Moment is the beginning, or the end.
type Moment struct {
	Position uint64
	At       time.Time
}

// IsZero says that no moment is named.
func (m Moment) IsZero() bool { return m.Position == 0 && m.At.IsZero() }

// A Query says what goes into a bundle.
type Query struct {
	From, To Moment         // what stands at From or behind it, and before To
	Since    [][]byte       // older checkpoints (signed notes) that it shall prove its consistency with
	Language string         // "nl" or "en"
	Zone     *time.Location // whose days and hours the report shows; nil: UTC
	Made     time.Time      // now
	Version  string         // of the program
	Name     string         // of the organisation's portal, for the report's head; may be empty
}

// Made says what was written.
type Made struct {
	proof.Manifest
	Checkpoint proof.Checkpoint
	Earlier    int // earlier checkpoints with a proof
}

//go:embed readme.txt
var readme string

// Write writes the bundle that is asked for. It calls progress, where there is
// one, now and then with the number of leaves that are written and of all. What
// it wrote until an error is no bundle.
//
// It reads the log once, up to the last checkpoint: what is recorded but not
// sealed is no part of any bundle. Where the log is not what was sealed, there
// is no bundle, but an error that names the first such position. A table for
// spreadsheets is put together in a temporary file; there is no personal data in
// it.
func Write(ctx context.Context, w io.Writer, src Source, q Query, progress func(done, total int64)) (Made, error) {
	held, ok := src.Seal.Checkpoint()
	if !ok || held.Size == 0 {
		return Made{}, ErrUnsealed
	}
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	from, to, err := between(ctx, src, q, held.Size)
	if err != nil {
		return Made{}, err
	}
	b := &builder{
		src: src, q: q, held: held, zip: zip.NewWriter(w), words: i18n.New(q.Language), progress: progress,
		made: Made{Checkpoint: held, Manifest: proof.Manifest{
			Format: proof.Format, Origin: held.Origin, Store: held.Store(), From: from, To: to, Size: held.Size,
			Made: q.Made.UTC().Truncate(time.Second), Version: q.Version, Views: map[string]string{},
		}},
	}
	b.made.Language = b.words.Lang()
	b.zip.RegisterCompressor(zip.Deflate, compressor)
	if err := b.write(ctx); err != nil {
		return Made{}, err
	}
	if err := b.zip.Close(); err != nil {
		return Made{}, fmt.Errorf("write bundle: %w", err)
	}
	return b.made, nil
}

// level is a compromise: a higher one makes bundles a few per cent smaller, and
// takes twice as long.
const level = 2

func compressor(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) }

// A builder writes one bundle.
type builder struct {
	src      Source
	q        Query
	held     proof.Checkpoint
	zip      *zip.Writer
	words    *i18n.Printer
	progress func(done, total int64)
	made     Made
}

// write writes file by file: what does not depend on the events, then the events
// and what was counted on the way.
func (b *builder) write(ctx context.Context) error {
	m := &b.made
	around, err := proof.ProveRange(m.From, m.To, m.Size, b.src.Seal)
	if err != nil {
		return fmt.Errorf("prove leaves [%d, %d) of %d: %w", m.From, m.To, m.Size, err)
	}
	earlier, err := b.earlier(ctx)
	if err != nil {
		return err
	}
	m.Earlier = len(earlier)
	err = errors.Join(
		b.view(proof.FileReadme, []byte(strings.ReplaceAll(readme, "\n", "\r\n"))), // for Notepad, too
		b.file(proof.FileCheckpoint, b.held.Note),
		b.file(proof.FileKeys, []byte(strings.Join(b.src.Seal.Keys(), "\n")+"\n")),
		b.json(proof.FileRange, around),
		b.json(proof.FileConsistency, earlier),
	)
	if err != nil {
		return err
	}
	t, err := b.events(ctx)
	if err != nil {
		return err
	}
	if t.tally.Expired > 0 {
		if err := b.index(); err != nil {
			return err
		}
	}
	m.Events, m.Expired, m.First, m.Last = t.tally.Events, t.tally.Expired, t.tally.First, t.tally.Last
	policies := t.tally.Policies
	if policies == nil {
		policies = []proof.Policy{}
	}
	report, err := b.report(t)
	if err != nil {
		return err
	}
	return errors.Join(
		b.json(proof.FilePolicies, policies),
		b.view(proof.FileReport, report),
		b.json(proof.FileManifest, m.Manifest), // last: it names the hashes of the others
	)
}

// create begins a file.
func (b *builder) create(name string) (io.Writer, error) {
	w, err := b.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: b.made.Made})
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return w, nil
}

func (b *builder) file(name string, content []byte) error {
	w, err := b.create(name)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// view writes a file that is for people.
func (b *builder) view(name string, content []byte) error {
	sum := sha256.Sum256(content)
	b.made.Views[name] = hex.EncodeToString(sum[:])
	return b.file(name, content)
}

func (b *builder) json(name string, content any) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(content); err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	return b.file(name, out.Bytes())
}

// index writes the whole index, up to the checkpoint: only of the whole the hash
// stands in it.
func (b *builder) index() error {
	w, err := b.create(proof.FileIndex)
	if err == nil {
		err = b.src.Seal.WriteIndex(w, 0, b.held.Size)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", proof.FileIndex, err)
	}
	return nil
}

// earlier proves that the tree has only grown since the last checkpoint of each
// day, and since those that were asked for.
func (b *builder) earlier(ctx context.Context) ([]proof.Earlier, error) {
	older, err := asked(b.src.Seal, b.held, b.q.Since)
	if err != nil {
		return nil, err
	}
	var day proof.Checkpoint // the one of the day before
	err = b.src.Seal.Days(ctx, func(c proof.Checkpoint) error {
		if day.Size > 0 && day.Size < b.held.Size {
			older = append(older, day)
		}
		day = c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	all := []proof.Earlier{}
	for _, c := range older {
		p, err := tlog.ProveTree(b.held.Size, c.Size, b.src.Seal)
		if err != nil {
			return nil, fmt.Errorf("prove the tree of %d leaves: %w", c.Size, err)
		}
		all = append(all, proof.Earlier{Note: string(c.Note), Proof: p})
	}
	return all, nil
}

// asked opens the checkpoints of Query.Since. What is not of this history cannot
// be proved: somebody has to be told.
func asked(s Seal, held proof.Checkpoint, since [][]byte) (all []proof.Checkpoint, err error) {
	var own note.Verifier
	for _, key := range s.Keys() {
		if k, err := proof.ParseKey(key); err == nil && k.Name() == held.Origin {
			own = k
			break
		}
	}
	for i, signed := range since {
		if own == nil {
			return nil, fmt.Errorf("%w: the key of %s is missing", ErrSince, held.Origin)
		}
		c, err := proof.OpenCheckpoint(signed, own)
		if err != nil {
			return nil, fmt.Errorf("%w: number %d: %w", ErrSince, i+1, err)
		}
		if c.Size > held.Size {
			return nil, fmt.Errorf("%w: it is of %d leaves, the last checkpoint here of %d", ErrSince, c.Size, held.Size)
		}
		if c.Size == 0 {
			continue // every history begins with it
		}
		root, err := tlog.TreeHash(c.Size, s)
		if err != nil {
			return nil, fmt.Errorf("read the tree of %d leaves: %w", c.Size, err)
		}
		if root != c.Root {
			return nil, fmt.Errorf("%w: the tree of %d leaves has another root", ErrSince, c.Size)
		}
		all = append(all, c)
	}
	return all, nil
}
