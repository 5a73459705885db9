package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

// A tree holds what events were, and the index what may become of them: of one that is
// gone it alone says that it may be. So a checkpoint is cosigned only when its index, too,
// goes on from the one before. C2SP tlog-witness has no proof for that. This is added to it:
// where entries are missing, add-checkpoint is answered with 428 and how many leaves are
// known; POST /add-index brings more of them, at most so many at once, for the same
// checkpoint; and then add-checkpoint is asked again. A log that is no log of Keydesk's, or
// a witness of another make, never meets any of it.
//
// The entries are not signed themselves. Whoever sends others than the log does has a
// checkpoint refused, as whoever stands in between can do anyway, and none cosigned.
const (
	maxEntries = 1 << 15
	maxIndex   = len("index 9007199254740992 32768\n") + maxEntries*proof.EntrySize + proof.MaxNote

	// IndexType is the media type of how many leaves' entries are known.
	IndexType = "text/x.keydesk.index"
)

// An index is how far a witness knows the index of a log.
type index struct {
	leaves   int64
	position uint64    // of the last of them
	sum      hash.Hash // SHA-256 of their entries
}

// A keptIndex is an index as it stands in its file: what comes after can be added to it
// without what was before.
type keptIndex struct {
	Leaves   int64  `json:"leaves"`
	Position uint64 `json:"position"`
	State    []byte `json:"state"` // of SHA-256
}

func newIndex() *index { return &index{sum: sha256.New()} }

// indexFile names the file of the index of a log.
func indexFile(origin string) string { return "index-" + strings.TrimPrefix(stateFile(origin), "log-") }

// indexOf returns how far the index of a log is known: further than what was cosigned of it
// while entries come in. A file that does not fit what was cosigned is no loss: then it is
// asked for from the beginning, and has to come to what was cosigned.
func (w *Witness) indexOf(origin string, last proof.Checkpoint) *index {
	if x := w.coming[origin]; x != nil {
		return x
	}
	b, err := os.ReadFile(w.path(indexFile(origin)))
	var kept keptIndex
	x := newIndex()
	if err != nil || json.Unmarshal(b, &kept) != nil || kept.Leaves != last.Size ||
		x.sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(kept.State) != nil || x.hash() != last.Index { //nolint:forcetypeassert // of the standard library
		return newIndex()
	}
	x.leaves, x.position = kept.Leaves, kept.Position
	return x
}

func (x *index) hash() [sha256.Size]byte { return [sha256.Size]byte(x.sum.Sum(nil)) }

func (x *index) encode() ([]byte, error) {
	state, err := x.sum.(encoding.BinaryMarshaler).MarshalBinary() //nolint:forcetypeassert // of the standard library
	if err != nil {
		return nil, err
	}
	return json.Marshal(keptIndex{x.leaves, x.position, state})
}

// A part is some of the index of a log, for one checkpoint of it.
type part struct {
	from    int64
	entries []byte
	signed  []byte
}

// parsePart reads a request: "index", the first leaf and how many, the entries, the
// checkpoint.
func parsePart(body []byte) (part, error) {
	head, rest, _ := bytes.Cut(body, []byte("\n"))
	var from, n int64
	words := strings.Split(string(head), " ")
	if len(words) == 3 && words[0] == "index" {
		from, n = number(words[1]), number(words[2])
	}
	if len(words) != 3 || from < 0 || n < 1 || n > maxEntries || int64(len(rest)) < n*proof.EntrySize {
		return part{}, fmt.Errorf("%w: no part of an index", errBadRequest)
	}
	return part{from, rest[:n*proof.EntrySize], rest[n*proof.EntrySize:]}, nil
}

// number reads a number in the one form that it has; -1 where it is none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return -1
	}
	return n
}

// addIndex takes in a part of an index, and returns of how many leaves it is known now.
// Nothing is on disk before the checkpoint is cosigned.
func (w *Witness) addIndex(body []byte) (int64, error) {
	p, err := parsePart(body)
	if err != nil {
		return 0, refuse(http.StatusBadRequest, err.Error())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c, log, err := w.open(p.signed)
	if err != nil {
		return 0, err
	}
	last, err := w.last(log)
	if err != nil {
		return 0, err
	}
	x := w.indexOf(c.Origin, last)
	switch {
	case c.Size <= last.Size:
		return 0, &refusal{status: http.StatusConflict, size: last.Size}
	case p.from != x.leaves:
		return 0, &refusal{status: http.StatusPreconditionRequired, size: x.leaves}
	case p.from+int64(len(p.entries)/proof.EntrySize) > c.Size:
		return 0, refuse(http.StatusBadRequest, "more entries than the checkpoint has leaves")
	}
	err = x.add(p.entries, last)
	if err == nil && x.leaves == c.Size && x.hash() != c.Index {
		err = errForeignIndex
	}
	if err != nil {
		delete(w.coming, c.Origin)
		w.report(fmt.Errorf("%s: %w, or somebody else has sent it", c.Origin, err))
		return 0, refuse(http.StatusUnprocessableEntity, err.Error())
	}
	w.coming[c.Origin] = x
	return x.leaves, nil
}

var (
	errBadEntries   = errors.New("the index has entries that cannot be")
	errOtherIndex   = errors.New("the index is not the one that was cosigned: what may expire of it was changed")
	errForeignIndex = errors.New("the index is not the checkpoint's")
)

// add takes in entries. Where they come to what was cosigned before, they have to be those.
func (x *index) add(entries []byte, last proof.Checkpoint) error {
	for b := entries; len(b) > 0; b = b[proof.EntrySize:] {
		e, err := proof.ParseEntry(b[:proof.EntrySize])
		if err != nil || e.Class == proof.Before && x.leaves > 0 || e.Class != proof.Before && e.Position <= x.position {
			return errBadEntries
		}
		x.sum.Write(b[:proof.EntrySize])
		x.leaves, x.position = x.leaves+1, e.Position
		if x.leaves == last.Size && x.hash() != last.Index {
			return errOtherIndex
		}
	}
	return nil
}

// follows says whether the index of a checkpoint goes on from that of the last one, by the
// entries that came in.
func (w *Witness) follows(c, last proof.Checkpoint, log note.Verifier) (*index, error) {
	if c.Size == last.Size {
		return nil, nil // one was cosigned, and this is the same
	}
	x := w.indexOf(log.Name(), last)
	if x.leaves > c.Size { // it is known for a later checkpoint, which nobody has asked for
		delete(w.coming, log.Name())
		x = w.indexOf(log.Name(), last)
	}
	switch {
	case x.leaves < c.Size:
		return nil, &refusal{status: http.StatusPreconditionRequired, size: x.leaves}
	case x.hash() != c.Index: // it was that of another checkpoint of as many leaves
		delete(w.coming, log.Name())
		return nil, &refusal{status: http.StatusPreconditionRequired, size: w.indexOf(log.Name(), last).leaves}
	}
	return x, nil
}

// keepIndex puts an index on disk. One of a checkpoint that is not cosigned after all does
// not fit, and is asked for again.
func (w *Witness) keepIndex(origin string, x *index) error {
	b, err := x.encode()
	if err == nil {
		err = w.replace(indexFile(origin), b)
	}
	delete(w.coming, origin)
	return err
}
