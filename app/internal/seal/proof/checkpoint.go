package proof

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrBadCheckpoint says that something is no checkpoint of Keydesk.
var ErrBadCheckpoint = errors.New("not a checkpoint")

// ErrBadSignature says that a checkpoint is not signed with the key that it has
// to be signed with, or that a signature of a known key is false.
var ErrBadSignature = errors.New("the signature does not hold")

// OriginPrefix is how the origin of every tree begins. The id of the log
// follows, and for a later tree of the same log a slash and its number.
const OriginPrefix = "keydesk/"

// MaxNote is how many bytes of a signed checkpoint are looked at.
const MaxNote = 64 << 10

// A Checkpoint says what the log held at one moment. Its text is that of C2SP
// tlog-checkpoint: origin, size and root, and of our own the SHA-256 of the
// index and the time, one a line.
type Checkpoint struct {
	Origin string
	Size   int64 // leaves
	Root   tlog.Hash
	Index  [32]byte  // SHA-256 over the first Size entries of the index
	At     time.Time // UTC, in whole seconds: the sealer's clock

	// Of a checkpoint that was opened: the whole signed note, and which of the
	// known witnesses have cosigned it.
	Note      []byte
	Witnesses []Cosignature
}

// A Cosignature says that a witness found a checkpoint consistent with all that
// it had seen of the log before, and when.
type Cosignature struct {
	Name string
	At   time.Time // UTC, the witness's clock
}

// Text returns what is signed.
func (c Checkpoint) Text() string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s\n%d\n%s\nindex %s\ntime %s\n",
		c.Origin, c.Size, b64(c.Root[:]), b64(c.Index[:]), c.At.UTC().Format(time.RFC3339))
}

// Store returns the id of the log that the checkpoint is of.
func (c Checkpoint) Store() string { return StoreOf(c.Origin) }

// StoreOf returns the id of the log in an origin, "" where it is none of ours.
func StoreOf(origin string) string {
	rest, ok := strings.CutPrefix(origin, OriginPrefix)
	if !ok {
		return ""
	}
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// ParseText reads the text of a checkpoint. There is one text for each
// checkpoint: what reads, is written in the same bytes again.
func ParseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 6 || lines[5] != "" {
		return Checkpoint{}, fmt.Errorf("%w: %d lines", ErrBadCheckpoint, len(lines)-1)
	}
	c := Checkpoint{Origin: lines[0]}
	if StoreOf(c.Origin) == "" || !validName(c.Origin) || !plain(c.Origin) {
		return Checkpoint{}, fmt.Errorf("%w: origin", ErrBadCheckpoint)
	}
	var err error
	if c.Size, err = strconv.ParseInt(lines[1], 10, 64); err != nil || c.Size < 0 || c.Size >= exact {
		return Checkpoint{}, fmt.Errorf("%w: size", ErrBadCheckpoint)
	}
	if !parseHash(lines[2], (*[32]byte)(&c.Root)) {
		return Checkpoint{}, fmt.Errorf("%w: root", ErrBadCheckpoint)
	}
	index, ok := strings.CutPrefix(lines[3], "index ")
	if !ok || !parseHash(index, &c.Index) {
		return Checkpoint{}, fmt.Errorf("%w: index", ErrBadCheckpoint)
	}
	at, ok := strings.CutPrefix(lines[4], "time ")
	if c.At, err = time.Parse("2006-01-02T15:04:05Z", at); !ok || err != nil {
		return Checkpoint{}, fmt.Errorf("%w: time", ErrBadCheckpoint)
	}
	if c.Text() != text {
		return Checkpoint{}, fmt.Errorf("%w: not in the one form that it has", ErrBadCheckpoint)
	}
	return c, nil
}

func parseHash(s string, to *[32]byte) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(b) == len(to) && copy(to[:], b) == len(b)
}

// OpenCheckpoint reads a signed checkpoint. It has to be signed with the log's
// key, whose name is the origin; a witness's, whatever its name, signs for no log.
// Signatures of witnesses that are given have to
// be good where they are there; those of anybody else are passed over. An error
// is ErrBadCheckpoint or ErrBadSignature.
func OpenCheckpoint(signed []byte, log note.Verifier, witnesses ...note.Verifier) (Checkpoint, error) {
	if len(signed) > MaxNote {
		return Checkpoint{}, fmt.Errorf("%w: %d bytes", ErrBadCheckpoint, len(signed))
	}
	if isWitness(log) {
		return Checkpoint{}, fmt.Errorf("%w: %s is the key of a witness", ErrBadSignature, log.Name())
	}
	n, err := note.Open(signed, verifiers(append([]note.Verifier{log}, witnesses...)))
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified), errors.As(err, &invalid):
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrBadSignature, err)
	case err != nil:
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrBadCheckpoint, err)
	}
	c, err := ParseText(n.Text)
	if err != nil {
		return Checkpoint{}, err
	}
	c.Note = slices.Clone(signed)
	own := false
	for _, sig := range n.Sigs {
		switch {
		case sig.Name == log.Name() && sig.Hash == log.KeyHash():
			own = true
		default:
			c.Witnesses = append(c.Witnesses, Cosignature{Name: sig.Name, At: cosigned(sig)})
		}
	}
	if !own {
		return Checkpoint{}, fmt.Errorf("%w: not by %s", ErrBadSignature, log.Name())
	}
	if c.Origin != log.Name() {
		return Checkpoint{}, fmt.Errorf("%w: of %s, signed by %s", ErrBadCheckpoint, c.Origin, log.Name())
	}
	return c, nil
}

// verifiers finds the key of a signature. A key that is given twice is one.
type verifiers []note.Verifier

func (v verifiers) Verifier(name string, hash uint32) (note.Verifier, error) {
	for _, key := range v {
		if key.Name() == name && key.KeyHash() == hash {
			return key, nil
		}
	}
	return nil, &note.UnknownVerifierError{Name: name, KeyHash: hash}
}

// Cosigned returns the cosignature of one witness under a checkpoint; false: there
// is none that is good.
func Cosigned(signed []byte, by note.Verifier) (Cosignature, bool) {
	if len(signed) > MaxNote {
		return Cosignature{}, false
	}
	n, err := note.Open(signed, verifiers{by})
	if err != nil {
		return Cosignature{}, false
	}
	return Cosignature{Name: n.Sigs[0].Name, At: cosigned(n.Sigs[0])}, true
}
