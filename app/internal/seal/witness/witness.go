// Package witness is a server that cosigns the checkpoints of logs (C2SP
// tlog-witness): it signs a checkpoint only when it is signed by a log that it knows
// and is consistent with all that it has cosigned of that log before, the tree and the
// index beside it (index.go). It keeps the last checkpoint of each log in a folder, on
// disk before it answers.
//
// Whoever runs it, on a machine that nobody else works on, sees it when a log was
// put back to an older state or made anew, even by somebody who holds all the keys
// of the log. It sees hashes and signatures, and of each event its place, its day and
// whether it is a login: nothing of what events say.
//
// Start reading at Open and Witness.ServeHTTP.
package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

// The files of the folder. Beside them stands one for each log: its last
// checkpoint, under a hash of its origin.
const (
	keyFile  = "key"
	lockFile = "lock"
)

// The most that is read of a request: 64 lines, each a hash, and a checkpoint.
const (
	maxLines   = 63
	maxRequest = (maxLines+2)*64 + proof.MaxNote
)

var (
	// ErrLocked says that another witness works in this folder.
	ErrLocked = errors.New("another witness works in this folder")
	// ErrDamaged says that what the folder holds cannot be read. A witness that has forgotten
	// what it has seen would vouch for anything: it does not start.
	ErrDamaged = errors.New("the witness's folder is damaged")
	// ErrNamed says that the witness in this folder has another name than the one it is
	// opened with. Its name is part of its key, and of all that it has cosigned.
	ErrNamed = errors.New("the witness in this folder has another name")
)

// Config is what a witness works with.
type Config struct {
	Folder string
	Name   string          // of its key, made at the first start; later it may be empty, and no other: ErrNamed
	Logs   []note.Verifier // whom it knows; see proof.ParseKey
	Report func(error)     // is told when a log contradicts itself, and of faults; nil: nobody is
}

// A Witness cosigns checkpoints. It is an http.Handler.
type Witness struct {
	folder string
	signer *formats.Signer
	key    string
	lock   *flock.Flock
	report func(error)

	mu     sync.Mutex               // one request at a time: what it compares with is what it replaces
	logs   map[string]note.Verifier // by origin
	coming map[string]*index        // by origin: what is known of a checkpoint's index before it is cosigned
}

// Open opens the witness in a folder, and makes its key there at the first start.
// Close has to follow.
func Open(c Config) (w *Witness, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open the witness in %s: %w", c.Folder, err)
		}
	}()
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(c.Folder, lockFile), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, ErrLocked
	}
	w = &Witness{folder: c.Folder, lock: lock, report: c.Report, coming: map[string]*index{}}
	if w.report == nil {
		w.report = func(error) {}
	}
	if err = w.readKey(c.Name); err == nil {
		err = w.Know(c.Logs)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return w, nil
}

// Close lets another one work in the folder.
func (w *Witness) Close() error { return w.lock.Close() }

// Key returns the verifier key, which goes into the settings of the log.
func (w *Witness) Key() string { return w.key }

func (w *Witness) readKey(name string) error {
	b, err := os.ReadFile(w.path(keyFile))
	if errors.Is(err, os.ErrNotExist) {
		if b, err = newKey(name); err == nil {
			err = w.replace(keyFile, b)
		}
	}
	if err != nil {
		return err
	}
	secret := strings.TrimSpace(string(b))
	if w.signer, err = formats.NewSignerForCosignatureV1(secret); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, keyFile, err)
	}
	if own := w.signer.Name(); name != "" && name != own {
		return fmt.Errorf("%w: it is %q, and not %q", ErrNamed, own, name)
	}
	parts := strings.SplitN(secret, "+", 5) // PRIVATE, KEY, name, hash, key: base64 has a plus, too
	seed, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return fmt.Errorf("%w: %s", ErrDamaged, keyFile)
	}
	public := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey) //nolint:forcetypeassert // of the library
	w.key, err = proof.WitnessKey(w.signer.Name(), public)
	return err
}

// newKey makes a key in the form of the note package.
func newKey(name string) ([]byte, error) {
	secret, _, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return nil, err
	}
	if _, err := formats.NewSignerForCosignatureV1(secret); err != nil {
		return nil, fmt.Errorf("the name %q: %w", name, err)
	}
	return []byte(secret + "\n"), nil
}

// Know has the witness cosign for these logs from now on, and for no others. What it has
// cosigned of each has to be there, signed with the key that is given: one that has got
// another key, or cannot be read, is refused with ErrDamaged, and nothing changes.
func (w *Witness) Know(logs []note.Verifier) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := map[string]note.Verifier{}
	for _, log := range logs {
		if _, err := w.last(log); err != nil {
			return err
		}
		known[log.Name()] = log
	}
	w.logs = known
	clear(w.coming)
	return nil
}

// Last returns the last checkpoint that was cosigned of a log; the zero one where
// there is none, or the log is not known.
func (w *Witness) Last(origin string) (proof.Checkpoint, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	log, ok := w.logs[origin]
	if !ok {
		return proof.Checkpoint{}, nil
	}
	return w.last(log)
}

func (w *Witness) last(log note.Verifier) (proof.Checkpoint, error) {
	b, err := os.ReadFile(w.path(stateFile(log.Name())))
	if errors.Is(err, os.ErrNotExist) {
		return proof.Checkpoint{}, nil
	}
	if err != nil {
		return proof.Checkpoint{}, err
	}
	own, err := proof.ParseKey(w.key)
	if err != nil {
		return proof.Checkpoint{}, err
	}
	c, err := proof.OpenCheckpoint(b, log, own)
	if err == nil && len(c.Witnesses) == 0 {
		err = proof.ErrBadSignature
	}
	if err != nil {
		return proof.Checkpoint{}, fmt.Errorf("%w: what it has cosigned of %s: %w", ErrDamaged, log.Name(), err)
	}
	return c, nil
}

// stateFile names the file of a log.
func stateFile(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return "log-" + hex.EncodeToString(sum[:16])
}

func (w *Witness) path(name string) string { return filepath.Join(w.folder, name) }

// A request is what a log asks.
type request struct {
	old    int64
	proof  tlog.TreeProof
	signed []byte
}

// A refusal is why nothing is signed.
type refusal struct {
	status int
	says   string
	size   int64 // with 409: what was cosigned; with 428: of how many leaves the index is known
}

func (r *refusal) Error() string { return r.says }

func refuse(status int, says string) error { return &refusal{status: status, says: says} }

// ServeHTTP answers POST /add-checkpoint and POST /add-index (index.go); the prefix before
// it is the caller's to strip.
func (w *Witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	most := int64(maxRequest)
	switch r.URL.Path {
	case "/add-checkpoint":
	case "/add-index":
		most = int64(maxIndex)
	default:
		http.NotFound(rw, r)
		return
	}
	if r.Method != http.MethodPost {
		rw.Header().Set("Allow", http.MethodPost)
		http.Error(rw, "POST it", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, most))
	if err != nil {
		http.Error(rw, "too long, or cut off", http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/add-index" {
		known, err := w.addIndex(body)
		if err == nil {
			tell(rw, http.StatusOK, IndexType, known)
			return
		}
		w.refuse(rw, err)
		return
	}
	line, err := w.add(body)
	if err != nil {
		w.refuse(rw, err)
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = rw.Write(line) // nobody may be there any more
}

// refuse says why nothing is signed.
func (w *Witness) refuse(rw http.ResponseWriter, err error) {
	refused, ok := errors.AsType[*refusal](err)
	switch {
	case !ok:
		w.report(fmt.Errorf("add a checkpoint: %w", err))
		http.Error(rw, "the witness has a fault", http.StatusInternalServerError)
	case refused.says != "":
		http.Error(rw, refused.says, refused.status)
	case refused.status == http.StatusConflict:
		tell(rw, refused.status, "text/x.tlog.size", refused.size)
	default:
		tell(rw, refused.status, IndexType, refused.size)
	}
}

func tell(rw http.ResponseWriter, status int, kind string, n int64) {
	rw.Header().Set("Content-Type", kind)
	rw.WriteHeader(status)
	_, _ = fmt.Fprintf(rw, "%d\n", n) // nobody may be there any more
}

// add cosigns a checkpoint, and returns the signature's line. It is on disk then.
func (w *Witness) add(body []byte) ([]byte, error) {
	q, err := parse(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c, log, err := w.open(q.signed)
	if err != nil {
		return nil, err
	}
	if q.old > c.Size {
		return nil, refuse(http.StatusBadRequest, "the old size is larger than the checkpoint's")
	}
	last, err := w.last(log)
	if err != nil {
		return nil, err
	}
	if err := w.consistent(q, c, last); err != nil {
		return nil, err
	}
	x, err := w.follows(c, last, log)
	if err != nil {
		return nil, err
	}
	// What others have cosigned is not kept: it was not checked.
	text, sigs, _ := bytes.Cut(q.signed, []byte("\n\n"))
	kept := bytes.Join([][]byte{text, ownLine(sigs, log)}, []byte("\n\n"))
	n, err := note.Open(kept, note.VerifierList(log))
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(n, w.signer)
	if err != nil {
		return nil, err
	}
	if x != nil {
		if err := w.keepIndex(c.Origin, x); err != nil {
			return nil, err
		}
	}
	if err := w.replace(stateFile(c.Origin), signed); err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(signed, []byte("\n"))
	for _, line := range lines {
		if bytes.HasPrefix(line, []byte("— "+w.signer.Name()+" ")) {
			return line, nil
		}
	}
	return nil, errors.New("the signature is not there")
}

// ownLine returns the signature of the log among those of a note.
func ownLine(sigs []byte, log note.Verifier) []byte {
	for line := range bytes.Lines(sigs) {
		if bytes.HasPrefix(line, []byte("— "+log.Name()+" ")) {
			b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(line[bytes.LastIndexByte(line, ' ')+1:])))
			if err == nil && len(b) > 4 && hex.EncodeToString(b[:4]) == fmt.Sprintf("%08x", log.KeyHash()) {
				return line
			}
		}
	}
	return nil
}

// open opens a checkpoint of a log that is known, and returns the key of that, too.
func (w *Witness) open(signed []byte) (proof.Checkpoint, note.Verifier, error) {
	origin, _, _ := strings.Cut(string(signed), "\n")
	log, ok := w.logs[origin]
	if !ok {
		return proof.Checkpoint{}, nil, refuse(http.StatusNotFound, "this witness does not know the log")
	}
	c, err := proof.OpenCheckpoint(signed, log)
	switch {
	case errors.Is(err, proof.ErrBadSignature):
		err = refuse(http.StatusForbidden, "it is not signed with the key of the log")
	case err != nil:
		err = refuse(http.StatusBadRequest, err.Error())
	}
	return c, log, err
}

// consistent says whether a checkpoint goes on from the last one.
func (w *Witness) consistent(q request, c, last proof.Checkpoint) error {
	switch {
	case q.old != last.Size:
		if c.Size < last.Size {
			w.report(fmt.Errorf("%s shows %d leaves, and had %d: an older state was put back, or somebody shows an old checkpoint again", c.Origin, c.Size, last.Size))
		}
		return &refusal{status: http.StatusConflict, size: last.Size}
	case last.Size == c.Size && last.Note != nil && (last.Root != c.Root || last.Index != c.Index):
		w.report(fmt.Errorf("%s shows two histories of %d leaves", c.Origin, c.Size))
		return refuse(http.StatusConflict, "another root or index was cosigned for this size")
	case q.old == 0 || q.old == c.Size:
		if len(q.proof) > 0 {
			return refuse(http.StatusUnprocessableEntity, "there is nothing to prove")
		}
		return nil
	}
	if err := tlog.CheckTree(q.proof, c.Size, c.Root, last.Size, last.Root); err != nil {
		w.report(fmt.Errorf("%s shows %d leaves that do not go on from the %d that it had", c.Origin, c.Size, last.Size))
		return refuse(http.StatusUnprocessableEntity, "it does not go on from what was cosigned")
	}
	return nil
}

var errBadRequest = errors.New("not a request of tlog-witness")

// parse reads a request: the old size, the proof, an empty line, the checkpoint.
func parse(body []byte) (request, error) {
	head, signed, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return request{}, fmt.Errorf("%w: no checkpoint", errBadRequest)
	}
	q := request{signed: signed}
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	if q.old = number(size); !ok || q.old < 0 {
		return request{}, fmt.Errorf("%w: old size", errBadRequest)
	}
	if len(lines) > 1+maxLines {
		return request{}, fmt.Errorf("%w: %d lines of proof", errBadRequest, len(lines)-1)
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil || h.String() != line {
			return request{}, fmt.Errorf("%w: a line of proof", errBadRequest)
		}
		q.proof = append(q.proof, h)
	}
	return q, nil
}

// replace writes a file as a whole: it is on disk when this returns.
func (w *Witness) replace(name string, content []byte) (err error) {
	f, err := os.CreateTemp(w.folder, "."+name+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what failed says more
		}
	}()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), w.path(name)); err != nil {
		return err
	}
	d, err := os.Open(w.folder)
	if err != nil {
		return err
	}
	_ = d.Sync() // not on every system
	return d.Close()
}
