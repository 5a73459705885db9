package home

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// aKey is a ring of one master key.
type aKey string

func (k aKey) ID() string { return string(k) }

func (k aKey) DeriveWith(id, purpose string) ([32]byte, error) {
	return sha256.Sum256([]byte(id + purpose)), nil
}

// alone says that nobody else seals.
type alone struct{ begun *service.SealBegun }

func (a alone) Sealing(context.Context) (service.SealBegun, error) { return *a.begun, nil }

func (a alone) BeginSeal(_ context.Context, e service.SealBegun, _ string) error {
	*a.begun = e
	return nil
}

// A vitrine is a log with a seal that is made when the test says so.
type vitrine struct {
	t     *testing.T
	dir   string
	log   store.Log
	seal  *seal.Seal
	seals *seals
	next  domain.Revision
}

func newVitrine(t *testing.T) *vitrine {
	t.Helper()
	dir := t.TempDir()
	log, err := store.Open(t.Context(), store.Scheme+filepath.Join(dir, "log.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "seal")
	s, err := seal.Open(t.Context(), seal.Config{
		Folder: folder, Log: log, Keys: aKey("k"), Register: alone{new(service.SealBegun)}, Skip: []string{store.ProbePrefix}, Writer: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), log.Close()); err != nil {
			t.Error(err)
		}
	})
	v := &vitrine{t: t, dir: dir, log: log, seal: s, next: domain.NoStream}
	v.seals = &seals{Seal: s, log: log, verify: func(ctx context.Context, progress func(done, total int64)) (seal.Report, error) {
		return seal.Verify(ctx, log, folder, seal.VerifyOptions{Keys: aKey("k"), Skip: []string{store.ProbePrefix}, Now: time.Now()}, progress)
	}}
	return v
}

// records appends n events.
func (v *vitrine) records(n int) {
	v.t.Helper()
	for range n {
		done, err := v.log.Append(v.t.Context(), "station-hal", v.next, domain.Message{
			ID: domain.EventID(uuid.New()), Type: "StationWiped", Data: []byte(`{"reason":"idle"}`), Metadata: []byte(`{"station":"hal"}`),
		})
		if err != nil {
			v.t.Fatal(err)
		}
		v.next = done.Revision
	}
}

func (v *vitrine) now() {
	v.t.Helper()
	if err := v.seal.Now(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vitrine) events() []domain.Recorded {
	v.t.Helper()
	events, err := v.log.ReadStream(v.t.Context(), "station-hal", 0)
	if err != nil {
		v.t.Fatal(err)
	}
	return events
}

func (v *vitrine) status() desk.SealView {
	v.t.Helper()
	view, err := v.seals.Status(v.t.Context())
	if err != nil {
		v.t.Fatal(err)
	}
	return view
}

func TestWhatDeskIsToldOfTheSeal(t *testing.T) {
	t.Parallel()
	v := newVitrine(t)
	if view := v.status(); view.On || view.Trouble {
		t.Errorf("before all: %+v", view)
	}
	if _, err := v.seals.Verify(t.Context(), func(int64, int64) {}); !errors.Is(err, desk.ErrNotSealed) {
		t.Errorf("before all: %v", err)
	}
	v.records(3)
	v.now()
	v.records(2)
	view := v.status()
	if !view.On || view.Size != 3 || view.Unsealed != 2 || view.Checkpoint.Number != 1 || view.Checkpoint.Size != 3 ||
		len(view.Checkpoints) != 1 || !strings.Contains(view.Checkpoint.Note, "keydesk/") {
		t.Errorf("got %+v", view)
	}
	events := v.events()
	if first := events[3].Recorded; !view.Waiting.Equal(first) {
		t.Errorf("the first that waits does so since %s instead of %s", view.Waiting, first)
	}
	leaves := v.seals.Leaves(events)
	for i, l := range leaves {
		switch sealed := i < 3; {
		case !sealed && (l.Number >= 0 || l.Hash != "" || l.Altered):
			t.Errorf("leaf %d: %+v", i, l)
		case sealed && (l.Number != int64(i) || len(l.Hash) != hex.EncodedLen(32) || l.Altered):
			t.Errorf("leaf %d: %+v", i, l)
		}
	}
	events[1].Data = []byte(`{"reason":"finished"}`)
	gone := domain.Recorded{Position: events[2].Position}
	if l := v.seals.Leaves([]domain.Recorded{events[1], gone}); !l[0].Altered || l[0].Hash != leaves[1].Hash || l[1].Altered || l[1].Hash != leaves[2].Hash {
		t.Errorf("got %+v", l)
	}
	v.now()
	for leaf, number := range map[int64]int{0: 1, 2: 1, 3: 2, 4: 2} {
		if c, ok, err := v.seals.Covering(t.Context(), leaf); err != nil || !ok || c.Number != number || c.Root == "" {
			t.Errorf("leaf %d is in %+v, %t, %v", leaf, c, ok, err)
		}
	}
	if _, ok, err := v.seals.Covering(t.Context(), 5); ok || err != nil {
		t.Errorf("a leaf that is none: %t, %v", ok, err)
	}
	if view := v.status(); view.Checkpoint.Number != 2 || view.Checkpoint.Size != 5 || len(view.Checkpoints) != 1 || view.Checkpoints[0].Number != 2 || view.Unsealed != 0 || !view.Waiting.IsZero() {
		t.Errorf("got %+v", view)
	}
	told := int64(0)
	check, err := v.seals.Verify(t.Context(), func(done, _ int64) { told = done })
	if err != nil || !check.OK || check.Events != 5 || check.Finding != "" || told == 0 {
		t.Errorf("got %+v, %v; told %d", check, err, told)
	}
}

// Where the checkpoints are gone, or the last of them, from under a seal that is open, that
// is trouble, and neither a checkpoint of nothing nor a log that cannot be reached.
func TestCheckpointsThatAreGone(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(file string) error{
		"no file": os.Remove,
		"empty":   func(file string) error { return os.Truncate(file, 0) },
		"damaged": func(file string) error { return os.WriteFile(file, []byte("{}\n"), 0o600) },
	} {
		v := newVitrine(t)
		v.records(3)
		v.now()
		if err := spoil(filepath.Join(v.dir, "seal", "checkpoints")); err != nil {
			t.Fatal(err)
		}
		if view := v.status(); view.On || !view.Trouble {
			t.Errorf("%s: got %+v", name, view)
		}
	}
}

func TestABundleIsAFileThatNobodyFinds(t *testing.T) {
	t.Parallel()
	v := newVitrine(t)
	b := &bundles{seal: v.seal, log: v.log, folder: filepath.Join(v.dir, exportFolder), version: "test", now: time.Now}
	query := desk.BundleQuery{From: 1, To: 1 << 20, Language: "nl", Zone: time.UTC}
	none := func(int64, int64) {}
	if _, err := b.Make(t.Context(), query, none); !errors.Is(err, desk.ErrNotSealed) && !errors.Is(err, seal.ErrEmpty) {
		t.Errorf("of nothing: %v", err)
	}
	v.records(5)
	made, err := b.Make(t.Context(), query, none) // it is sealed for that
	if err != nil || made.Events() != 5 {
		t.Fatalf("got %+v, %v", made, err)
	}
	data := make([]byte, made.Size())
	if _, err := made.ReadAt(data, 0); err != nil {
		t.Fatal(err)
	}
	verdict, err := proof.Verify(bytes.NewReader(data), made.Size(), proof.Options{})
	if err != nil || len(verdict.Findings) != 0 || verdict.Events != 5 {
		t.Errorf("got %+v, %v", verdict, err)
	}
	if left, err := os.ReadDir(b.folder); err != nil || len(left) != 0 {
		t.Errorf("it lies there as %v, %v", left, err)
	}
	if err := errors.Join(made.Close(), made.Close()); err != nil {
		t.Error(err)
	}
	if _, err := made.ReadAt(data, 0); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("what is gone is read: %v", err)
	}
	for name, change := range map[string]struct {
		want error
		set  func(*desk.BundleQuery)
	}{
		"behind the end":           {desk.ErrNothingThere, func(q *desk.BundleQuery) { q.From = 1 << 19 }},
		"another log's checkpoint": {desk.ErrBadCheckpoint, func(q *desk.BundleQuery) { q.Since = "keydesk/another\n1\n" }},
	} {
		q := query
		change.set(&q)
		if _, err := b.Make(t.Context(), q, none); !errors.Is(err, change.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Make(ctx, query, none); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(b.folder); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
