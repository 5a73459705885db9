package seal_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// patience is how long a test waits for what has to happen.
const patience = 30 * time.Second

// masterKey is a ring of one key.
type masterKey string

func (k masterKey) ID() string { return string(k) }

func (k masterKey) DeriveWith(id, purpose string) ([32]byte, error) {
	if id != string(k) {
		return [32]byte{}, errors.New("no such key")
	}
	return sha256.Sum256([]byte(id + purpose)), nil
}

// register keeps who seals in the log, as a home does.
type register struct{ store.Log }

func (r register) Sealing(ctx context.Context) (service.SealBegun, error) {
	s, _, err := r.read(ctx)
	return s.Seal, err
}

func (r register) read(ctx context.Context) (s service.State, at domain.Revision, err error) {
	events, err := r.ReadStream(ctx, domain.ServiceStream, 0)
	for _, e := range events {
		decoded, err := service.Decode(e.Type, e.Data)
		if errors.Is(err, domain.ErrUnknownEvent) {
			continue
		}
		if err != nil {
			return s, 0, err
		}
		s = service.Evolve(s, decoded)
	}
	return s, domain.Revision(len(events) - 1), err
}

func (r register) BeginSeal(ctx context.Context, e service.SealBegun, after string) error {
	s, at, err := r.read(ctx)
	if err != nil {
		return err
	}
	begun, err := service.BeginSeal(s, e, after)
	if err != nil {
		return err
	}
	m, err := service.Message(begun, domain.Stamp{Command: domain.CommandID(uuid.New())})
	if err != nil {
		return err
	}
	_, err = r.Append(ctx, domain.ServiceStream, at, m)
	if errors.Is(err, domain.ErrConflict) {
		return service.ErrOtherSealer
	}
	return err
}

// A town is a log with its seal.
type town struct {
	t      *testing.T
	url    string
	log    store.Log
	folder string
	keys   masterKey

	mu       sync.Mutex
	next     map[string]domain.Revision
	reported []error
}

func newTown(t *testing.T) *town {
	t.Helper()
	dir := t.TempDir()
	w := &town{
		t: t, url: store.Scheme + filepath.Join(dir, "log.db"), folder: filepath.Join(dir, "seal"), keys: "m1",
		next: map[string]domain.Revision{},
	}
	w.open()
	return w
}

func (w *town) open() {
	w.t.Helper()
	log, err := store.Open(w.t.Context(), w.url, store.Options{MaxAge: map[string]time.Duration{store.ProbePrefix: 24 * time.Hour}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = log
	w.t.Cleanup(func() { _ = log.Close() })
}

func (w *town) config() seal.Config {
	return seal.Config{
		Folder: w.folder, Log: w.log, Keys: w.keys, Register: register{w.log}, Skip: []string{store.ProbePrefix}, Writer: true,
		Report: func(err error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.reported = append(w.reported, err)
		},
	}
}

// The streams of some people and of a station.
var streams = []string{
	"enrolment-7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", "login-7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de",
	"enrolment-00000000-9dc0-41d2-9a4c-3b3f3cf2a1de", "station-hall",
}

// append appends n events to them in turn, some at once.
func (w *town) append(n int) {
	w.t.Helper()
	const atOnce = 5
	for i := 0; n > 0; i++ {
		w.appendTo(streams[i%len(streams)], min(n, atOnce))
		n -= atOnce
	}
}

func (w *town) appendTo(stream string, n int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.next[stream]
	if !ok {
		at = domain.NoStream
	}
	var ms []domain.Message
	for i := range n {
		ms = append(ms, domain.Message{
			ID: domain.EventID(uuid.New()), Type: "EmailConfirmed", Data: fmt.Appendf(nil, `{"challenge":"c%d"}`, int(at)+i),
			Metadata: []byte(`{"schema":1,"station":"hall"}`),
		})
	}
	a, err := w.log.Append(context.Background(), stream, at, ms...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.next[stream] = a.Revision
}

// sealed seals all that is there, and closes the seal again.
func (w *town) sealed() proof.Checkpoint {
	w.t.Helper()
	s, err := seal.Open(w.t.Context(), w.config())
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // only read
	if err := s.Now(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	c, ok := s.Checkpoint()
	if !ok {
		w.t.Fatal("no checkpoint")
	}
	return c
}

func (w *town) options() seal.VerifyOptions {
	return seal.VerifyOptions{Keys: w.keys, Skip: []string{store.ProbePrefix}, Now: time.Now(), KeepLogins: 400 * 24 * time.Hour}
}

func (w *town) verify(change ...func(*seal.VerifyOptions)) seal.Report {
	w.t.Helper()
	o := w.options()
	for _, f := range change {
		f(&o)
	}
	r, err := seal.Verify(w.t.Context(), w.log, w.folder, o, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// good verifies, and is content with nothing less.
func (w *town) good() seal.Report {
	w.t.Helper()
	r := w.verify()
	if r.Bad != nil {
		w.t.Fatalf("found: %s", r.Bad)
	}
	return r
}

// found verifies, and wants to hear of one thing.
func (w *town) found(kind seal.FindingKind, position uint64, change ...func(*seal.VerifyOptions)) seal.Finding {
	w.t.Helper()
	r := w.verify(change...)
	if r.Bad == nil {
		w.t.Fatalf("nothing was found instead of %q", kind)
	}
	if r.Bad.Kind != kind || position != 0 && r.Bad.Position != position {
		w.t.Fatalf("found %+v instead of %q at %d", r.Bad, kind, position)
	}
	return *r.Bad
}

// run runs a sealer until the returned function is called, or the test ends.
func (w *town) run(c seal.Config) (*seal.Seal, func()) {
	w.t.Helper()
	s, err := seal.Open(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // not the test's: it ends before the log is closed
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	stop := sync.OnceFunc(func() {
		cancel()
		running.Wait()
		_ = s.Close()
	})
	w.t.Cleanup(stop)
	return s, stop
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// bare computes the tree of a log in the plainest way: from the description of a
// leaf, with the library's own functions and encoding/json.
func bare(t *testing.T, log store.Log) (size int64, root tlog.Hash) {
	t.Helper()
	id, err := log.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		all := make([]tlog.Hash, len(at))
		for i, n := range at {
			all[i] = stored[n]
		}
		return all, nil
	})
	err = log.ReadAll(t.Context(), domain.Query{Metadata: true, Expired: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			if len(e.Stream) > 6 && e.Stream[:6] == "probe-" {
				continue
			}
			leaf, err := json.Marshal(map[string]any{
				"store": id, "position": e.Position, "stream": e.Stream, "revision": e.Revision, "id": e.ID, "type": e.Type, "time": e.Recorded,
				"data": fmt.Sprintf("%x", sha256.Sum256(e.Data)), "metadata": fmt.Sprintf("%x", sha256.Sum256(e.Metadata)),
			})
			if err != nil {
				return err
			}
			more, err := tlog.StoredHashes(size, leaf, reader)
			if err != nil {
				return err
			}
			stored = append(stored, more...)
			size++
		}
		return nil
	})
	if err == nil {
		root, err = tlog.TreeHash(size, reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return size, root
}
