package seal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

func TestALogIsSealedAndVerified(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(1000)
	w.appendTo(store.ProbePrefix+"doctor", 1)
	c := w.sealed()
	size, root := bare(t, w.log) // with SealBegun
	if c.Size != size || c.Root != root || size != 1001 {
		t.Errorf("sealed %d leaves with root %s instead of %d with %s", c.Size, c.Root, size, root)
	}
	w.append(3)
	r := w.good()
	if r.Size != 1001 || r.Events != 1001 || r.Unsealed != 3 || r.Expired != 0 || r.Checkpoints != 1 || !r.KeyKnown {
		t.Errorf("%+v", r)
	}
	if c = w.sealed(); c.Size != 1004 {
		t.Errorf("then %d", c.Size)
	}
	if r := w.good(); r.Checkpoints != 2 || r.Unsealed != 0 {
		t.Errorf("%+v", r)
	}
	for _, name := range []string{"tree.json", "hashes", "index", "checkpoints", "checkpoint", "lock"} {
		if info, err := os.Stat(filepath.Join(w.folder, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func TestAnEmptyLogIsNotSealed(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	s, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Now(t.Context()); !errors.Is(err, seal.ErrEmpty) {
		t.Errorf("got %v", err)
	}
	if head, err := w.log.Head(t.Context()); head != 0 || err != nil {
		t.Errorf("the seal made the first event: %d, %v", head, err)
	}
	if _, err := os.Stat(w.folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
	if _, err := seal.Verify(t.Context(), w.log, w.folder, w.options(), nil); !errors.Is(err, seal.ErrNoSeal) {
		t.Errorf("verified: %v", err)
	}
}

// A sealer that runs makes checkpoints by itself: every so many events, and at the
// end of its work.
func TestARunningSealer(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	s, stop := w.run(w.config())
	eventually(t, "it seals", func() bool { return s.Status().Sealing })
	w.append(seal.Every)
	eventually(t, "a checkpoint by number", func() bool { c, ok := s.Checkpoint(); return ok && c.Size >= seal.Every })
	w.append(5)
	if err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, _ := s.Checkpoint(); c.Size != seal.Every+16 {
		t.Errorf("asked for, it covers %d", c.Size)
	}
	w.append(2)
	stop()
	if r := w.good(); r.Unsealed > 2 {
		t.Errorf("%+v", r)
	}
}

// A minute after the first event that waits, a checkpoint is made.
func TestACheckpointByTime(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	c := w.config()
	begun := time.Now()
	ahead := make(chan struct{})
	c.Now = func() time.Time {
		select {
		case <-ahead:
			return begun.Add(2 * seal.Interval)
		default:
			return begun
		}
	}
	s, _ := w.run(c)
	eventually(t, "it seals", func() bool { return s.Status().Sealing })
	time.Sleep(50 * time.Millisecond) // in which nothing is to happen
	if _, ok := s.Checkpoint(); ok {
		t.Error("a checkpoint before its time")
	}
	close(ahead)
	eventually(t, "a checkpoint", func() bool { _, ok := s.Checkpoint(); return ok })
}

// A program that does not seal asks the one that does.
func TestAnotherProgramIsAskedToSeal(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	first, stop := w.run(w.config())
	eventually(t, "it seals", func() bool { return first.Status().Sealing })
	second, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close() //nolint:errcheck // only read
	if err := second.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, ok := second.Checkpoint(); !ok || c.Size != 11 || second.Status().Sealing {
		t.Errorf("%t, %d leaves", ok, c.Size)
	}
	stop()
	w.append(1)
	if err := second.Now(t.Context()); err != nil { // nobody is there any more: it does so itself
		t.Fatal(err)
	}
	if c, _ := second.Checkpoint(); c.Size != 12 {
		t.Errorf("%d leaves", c.Size)
	}
	w.good()
}

func TestTwoSealersOnOneFolder(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	a, stopA := w.run(w.config())
	eventually(t, "the first one seals", func() bool { return a.Status().Sealing })
	b, _ := w.run(w.config())
	eventually(t, "the second one waits", func() bool { return errors.Is(b.Status().Problem, seal.ErrLocked) })
	w.append(2 * seal.Every)
	eventually(t, "the second one sees what the first one seals", func() bool { c, ok := b.Checkpoint(); return ok && c.Size >= seal.Every })
	if err := a.Now(t.Context()); err != nil { // all of it: what is left over would wait for its minute
		t.Fatal(err)
	}
	stopA()
	eventually(t, "the second one goes on", func() bool { return b.Status().Sealing })
	w.append(seal.Every)
	eventually(t, "it seals", func() bool { c, _ := b.Checkpoint(); return c.Size >= 3*seal.Every })
	if r := w.good(); r.Bad != nil || len(w.reported) != 0 {
		t.Errorf("%+v, %v", r, w.reported)
	}
}

// Two machines that share a log have a folder each: only one of them seals.
func TestTwoFoldersOnOneLog(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	w.sealed()
	c := w.config()
	c.Folder = filepath.Join(t.TempDir(), "seal")
	s, err := seal.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Now(t.Context()); !errors.Is(err, seal.ErrOtherSealer) {
		t.Fatalf("got %v", err)
	}
	// Whoever decides so, goes on there; and then the first one does not.
	if err := seal.Anew(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c, ok := s.Checkpoint(); !ok || !strings.HasSuffix(c.Origin, "/2") {
		t.Errorf("%t, %s", ok, c.Origin)
	}
	first, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	w.append(1)
	if err := first.Now(t.Context()); !errors.Is(err, seal.ErrOtherSealer) {
		t.Errorf("got %v", err)
	}
}

// A tree that goes on from another one begins with its last checkpoint.
func TestATreeThatGoesOnFromAnotherOne(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(300)
	before := w.sealed()
	if err := seal.Anew(t.Context(), w.config(), nil); err != nil {
		t.Fatal(err)
	}
	after := w.sealed()
	if after.Size != 303 || after.Origin != before.Origin+"/2" { // the checkpoint, the events, two times SealBegun
		t.Fatalf("%d leaves of %s", after.Size, after.Origin)
	}
	if r := w.good(); r.Events != 302 {
		t.Errorf("%+v", r)
	}
	s, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	hash, entry, err := s.Leaf(0)
	if err != nil || entry.Class != proof.Before || hash != proof.HashBefore(before.Note) || !bytes.Equal(s.Before(), before.Note) {
		t.Errorf("%v, %+v", err, entry)
	}
	kept, err := filepath.Glob(w.folder + "-*")
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v, %v", kept, err)
	}
	if r, err := seal.Verify(t.Context(), w.log, kept[0], w.options(), nil); err != nil || r.Bad != nil || r.Unsealed != 1 {
		t.Errorf("the old one: %+v, %v", r, err)
	}
}

// What bundles and the auditor's window ask for.
func TestReadingASeal(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(200)
	w.sealed()
	w.append(100)
	newest := w.sealed()
	s, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	var sizes []int64
	if err := s.Days(t.Context(), func(c proof.Checkpoint) error { sizes = append(sizes, c.Size); return nil }); err != nil ||
		len(sizes) == 0 || len(sizes) > 2 || sizes[len(sizes)-1] != 301 {
		t.Errorf("%v, %v", sizes, err)
	}
	i, err := s.LeafOf(77)
	if err != nil {
		t.Fatal(err)
	}
	hash, entry, err := s.Leaf(i)
	if err != nil || entry.Position != 77 {
		t.Errorf("%+v, %v", entry, err)
	}
	way, err := tlog.ProveRecord(newest.Size, i, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(way, newest.Size, newest.Root, i, hash); err != nil {
		t.Error(err)
	}
	if l, ok, err := s.Covering(200); err != nil || !ok || l.Number != 1 || l.Size != 201 {
		t.Errorf("%+v, %t, %v", l, ok, err)
	}
	if l, ok, err := s.Covering(201); err != nil || !ok || l.Number != 2 || l.Size != 301 {
		t.Errorf("%+v, %t, %v", l, ok, err)
	}
	if _, ok, err := s.Covering(301); err != nil || ok {
		t.Errorf("%t, %v", ok, err)
	}
	if n, since, err := s.Unsealed(t.Context(), 10); err != nil || n != 0 || !since.IsZero() {
		t.Errorf("%d wait since %s, %v", n, since, err)
	}
	if days, err := s.Daily(10, time.UTC); err != nil || len(days) == 0 || len(days) > 2 || days[0].Size != 301 {
		t.Errorf("%+v, %v", days, err)
	}
	if _, err := s.LeafOf(302); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a leaf of what is not there: %v", err)
	}
	if _, _, err := s.Leaf(301); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a leaf beyond the last one: %v", err)
	}
	if n, err := s.LeafFrom(10_000); err != nil || n != 301 {
		t.Errorf("%d, %v", n, err)
	}
	var index bytes.Buffer
	if err := s.WriteIndex(&index, 0, 201); err != nil || index.Len() != 201*proof.EntrySize {
		t.Errorf("%d bytes, %v", index.Len(), err)
	}
	if keys := s.Keys(); len(keys) != 1 || !strings.HasPrefix(keys[0], newest.Origin+"+") {
		t.Errorf("%v", keys)
	}
}

// One event, as the seal knows it.
func TestWhatIsKnownOfAnEvent(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(20)
	w.sealed()
	w.appendTo(store.ProbePrefix+"doctor", 1)
	w.append(1)
	w.tamper("UPDATE events SET data = '{}' WHERE position = 3", "UPDATE events SET recorded = recorded - 90000000000 WHERE position = 4",
		"DELETE FROM events WHERE position = 5")
	s, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	err = w.log.ReadAll(t.Context(), domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			known, err := s.Know(&e)
			sealed, altered := e.Position <= 21, e.Position == 3 || e.Position == 4
			if err != nil || known.Altered != altered || (known.Leaf >= 0) != sealed {
				t.Errorf("at %d: %+v, %v", e.Position, known, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A folder of another log, or of another master key, is not gone on with.
func TestAFolderThatIsNotOurs(t *testing.T) {
	t.Parallel()
	w, other := newTown(t), newTown(t)
	w.append(5)
	w.sealed()
	other.append(5)
	c := other.config()
	c.Folder = w.folder
	s, err := seal.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Now(t.Context()); !errors.Is(err, seal.ErrForeign) {
		t.Errorf("got %v", err)
	}
	c = w.config()
	c.Keys = masterKey("m2")
	if _, err := seal.Open(t.Context(), c); err == nil {
		t.Error("opened with another master key")
	}
}

func TestSealingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.append(10)
	s, err := seal.Open(t.Context(), w.config())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Errorf("got %v", err)
	}
	if err := s.Now(ctx); err == nil {
		t.Error("sealed without a context")
	}
}
