// Package bundletest gives tests a log with a seal over it, in memory, to make
// bundles from: the seal is written as plainly as can be, so that it is a second
// opinion on the real one.
package bundletest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// Store is the id of the log.
const Store = "4f0c1a52-9d1e-4c55-8d3e-0b7c2a9f6e11"

// A Log is events, and the seal over them.
type Log struct {
	Events  []domain.Recorded
	Expired map[domain.Position]bool // events that are sealed, and gone
	Extra   []domain.Recorded        // events that are there, and not sealed; behind the sealed ones

	origin  string
	before  []byte
	hashes  []tlog.Hash
	entries []proof.Entry
	points  []proof.Checkpoint
	signer  note.Signer
	keys    []string
	witness ed25519.PrivateKey
}

// New returns an empty log with keys that a seed makes.
func New(tb testing.TB, seed byte) *Log {
	tb.Helper()
	l := &Log{origin: proof.OriginPrefix + Store, Expired: map[domain.Position]bool{}}
	private := ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, 32))
	l.signer = signer{l.origin, private}
	key, err := note.NewEd25519VerifierKey(l.origin, private.Public().(ed25519.PublicKey))
	if err != nil {
		tb.Fatal(err)
	}
	l.witness = ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed ^ 0xff}, 32))
	other, err := proof.WitnessKey("auditor.example", l.witness.Public().(ed25519.PublicKey))
	if err != nil {
		tb.Fatal(err)
	}
	l.keys = []string{key, other}
	return l
}

// Begin makes the checkpoint of another tree the first leaf.
func (l *Log) Begin(tb testing.TB, before []byte) {
	tb.Helper()
	l.before = before
	l.leaf(tb, proof.Entry{Class: proof.Before}, proof.HashBefore(before))
}

// Add records an event at a time and seals it, without a checkpoint.
func (l *Log) Add(tb testing.TB, stream, typ, data string, at time.Time, by domain.Actor) {
	tb.Helper()
	n := uint64(len(l.Events) + 1)
	var id domain.EventID
	binary.BigEndian.PutUint64(id[8:], n)
	revision := domain.Revision(0)
	for _, e := range slices.Backward(l.Events) {
		if e.Stream == stream {
			revision = e.Revision + 1
			break
		}
	}
	meta := fmt.Sprintf(`{"$correlationId":%q,"$causationId":%q,"schema":1,"actor":{"kind":%q,"id":%q,"role":%q},"station":"hal-1","policy":"2026-1","at":%q}`,
		id, id, by.Kind, by.ID, by.Role, at.Format(time.RFC3339Nano))
	l.Seal(tb, domain.Recorded{
		Message:  domain.Message{ID: id, Type: typ, Data: []byte(data), Metadata: []byte(meta)},
		Stream:   stream,
		Revision: revision, Position: domain.Position(n), Recorded: at,
	})
}

// Seal adds an event as it is.
func (l *Log) Seal(tb testing.TB, e domain.Recorded) {
	tb.Helper()
	l.Events = append(l.Events, e)
	class := proof.Kept
	if len(e.Stream) > 6 && e.Stream[:6] == domain.LoginPrefix {
		class = proof.Login
	}
	leaf := proof.Leaf{
		Store: Store, Position: uint64(e.Position), Stream: e.Stream, Revision: int64(e.Revision), ID: e.ID.String(),
		Type: e.Type, Time: e.Recorded, Data: sha256.Sum256(e.Data), Metadata: sha256.Sum256(e.Metadata),
	}
	l.leaf(tb, proof.Entry{Position: uint64(e.Position), Day: proof.DayOf(e.Recorded), Class: class}, leaf.Hash())
}

func (l *Log) leaf(tb testing.TB, e proof.Entry, h tlog.Hash) {
	tb.Helper()
	stored, err := tlog.StoredHashesForRecordHash(int64(len(l.entries)), h, l)
	if err != nil {
		tb.Fatal(err)
	}
	l.hashes = append(l.hashes, stored...)
	l.entries = append(l.entries, e)
}

// Index has the index say something else of a leaf, as whoever holds the key could.
func (l *Log) Index(leaf int, e proof.Entry) { l.entries[leaf] = e }

// Sign makes a checkpoint of all that is sealed, cosigned by the witness.
func (l *Log) Sign(tb testing.TB, at time.Time) proof.Checkpoint {
	tb.Helper()
	size := int64(len(l.entries))
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		tb.Fatal(err)
	}
	sum := sha256.New()
	for _, e := range l.entries {
		sum.Write(e.Append(nil))
	}
	c := proof.Checkpoint{Origin: l.origin, Size: size, Root: root, Index: [32]byte(sum.Sum(nil)), At: at.UTC().Truncate(time.Second)}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, l.signer)
	if err != nil {
		tb.Fatal(err)
	}
	signed = append(signed, l.cosign(tb, c.Text(), at)...)
	log, err := proof.ParseKey(l.keys[0])
	if err != nil {
		tb.Fatal(err)
	}
	other, err := proof.ParseKey(l.keys[1])
	if err != nil {
		tb.Fatal(err)
	}
	if c, err = proof.OpenCheckpoint(signed, log, other); err != nil {
		tb.Fatal(err)
	}
	l.points = append(l.points, c)
	return c
}

// cosign returns the line of a witness: C2SP tlog-cosignature.
func (l *Log) cosign(tb testing.TB, text string, at time.Time) string {
	tb.Helper()
	key, err := proof.ParseKey(l.keys[1])
	if err != nil {
		tb.Fatal(err)
	}
	sig := binary.BigEndian.AppendUint32(nil, key.KeyHash())
	sig = binary.BigEndian.AppendUint64(sig, uint64(at.Unix())) //nolint:gosec // after 1970
	sig = append(sig, ed25519.Sign(l.witness, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at.Unix(), text))...)
	return "— auditor.example " + base64.StdEncoding.EncodeToString(sig) + "\n"
}

// ReadAll gives the events that are there.
func (l *Log) ReadAll(_ context.Context, q domain.Query, yield func(domain.Batch) error) error {
	for some := range slices.Chunk(append(slices.Clone(l.Events), l.Extra...), 7) {
		b := domain.Batch{Through: some[len(some)-1].Position}
		for _, e := range some {
			if e.Position > q.After && !l.Expired[e.Position] {
				b.Events = append(b.Events, e)
			}
		}
		if err := yield(b); err != nil {
			return err
		}
	}
	return nil
}

// ReadHashes gives the stored hashes of the tree.
func (l *Log) ReadHashes(at []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, 0, len(at))
	for _, i := range at {
		if i >= int64(len(l.hashes)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		all = append(all, l.hashes[i])
	}
	return all, nil
}

// Checkpoint returns the last one.
func (l *Log) Checkpoint() (proof.Checkpoint, bool) {
	if len(l.points) == 0 {
		return proof.Checkpoint{}, false
	}
	return l.points[len(l.points)-1], true
}

// Checkpoints returns all of them.
func (l *Log) Checkpoints() []proof.Checkpoint { return l.points }

// Days gives the last one of each day.
func (l *Log) Days(_ context.Context, yield func(proof.Checkpoint) error) error {
	for i, c := range l.points {
		if i+1 < len(l.points) && proof.DayOf(l.points[i+1].At) == proof.DayOf(c.At) {
			continue
		}
		if err := yield(c); err != nil {
			return err
		}
	}
	return nil
}

// WriteIndex writes a part of the index.
func (l *Log) WriteIndex(w io.Writer, from, to int64) error {
	for _, e := range l.entries[from:to] {
		if _, err := w.Write(e.Append(nil)); err != nil {
			return err
		}
	}
	return nil
}

// Before returns what Begin was given.
func (l *Log) Before() []byte { return l.before }

// Keys returns those of the log and of the witness.
func (l *Log) Keys() []string { return l.keys }

// A signer signs notes, of any name.
type signer struct {
	name string
	key  ed25519.PrivateKey
}

func (s signer) Name() string { return s.name }

func (s signer) KeyHash() uint32 {
	sum := sha256.Sum256(slices.Concat([]byte(s.name+"\n\x01"), s.key.Public().(ed25519.PublicKey)))
	return binary.BigEndian.Uint32(sum[:])
}

func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }
