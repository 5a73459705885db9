package witness_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
)

const origin = "keydesk/0b0e6f6e-3f1d-4a57-9f0b-2f4dbb0b7a11"

// A history is a log with a tree, as a witness sees it.
type history struct {
	t      testing.TB
	signer note.Signer
	key    note.Verifier
	hashes []tlog.Hash
	size   int64
	index  []proof.Entry // of the leaves
}

func newHistory(tb testing.TB, seed byte, leaves ...string) *history {
	tb.Helper()
	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), origin)
	if err != nil {
		tb.Fatal(err)
	}
	h := &history{t: tb}
	if h.signer, err = note.NewSigner(skey); err != nil {
		tb.Fatal(err)
	}
	if h.key, err = proof.ParseKey(vkey); err != nil {
		tb.Fatal(err)
	}
	for _, l := range leaves {
		h.add(l)
	}
	return h
}

func (h *history) add(leaf string) {
	h.t.Helper()
	more, err := tlog.StoredHashes(h.size, []byte(leaf), h)
	if err != nil {
		h.t.Fatal(err)
	}
	h.hashes, h.size = append(h.hashes, more...), h.size+1
	h.index = append(h.index, proof.Entry{Position: 2 * uint64(h.size), Day: 20_000}) //nolint:gosec // a count
}

// entries returns some of the index, as they are written.
func (h *history) entries(from, to int64) []byte {
	var b []byte
	for _, e := range h.index[from:to] {
		b = e.Append(b)
	}
	return b
}

func (h *history) ReadHashes(at []int64) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, len(at))
	for i, n := range at {
		all[i] = h.hashes[n]
	}
	return all, nil
}

func (h *history) checkpoint(size int64) []byte {
	h.t.Helper()
	root, err := tlog.TreeHash(size, h)
	if err != nil {
		h.t.Fatal(err)
	}
	c := proof.Checkpoint{Origin: origin, Size: size, Root: root, Index: sha256.Sum256(h.entries(0, size)), At: time.Unix(1_800_000_000, 0).UTC()}
	b, err := note.Sign(&note.Note{Text: c.Text()}, h.signer)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// body asks to go on from old to size.
func (h *history) body(old, size int64) []byte {
	h.t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	if old > 0 && old < size {
		way, err := tlog.ProveTree(size, old, h)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, one := range way {
			b.WriteString(base64.StdEncoding.EncodeToString(one[:]) + "\n")
		}
	}
	b.WriteByte('\n')
	b.Write(h.checkpoint(size))
	return b.Bytes()
}

// part shows the index from a leaf to another one, for a checkpoint.
func (h *history) part(from, to, size int64) []byte {
	return slices.Concat(fmt.Appendf(nil, "index %d %d\n", from, to-from), h.entries(from, to), h.checkpoint(size))
}

// ask has a witness cosign, as a log does: it shows the index where that is wanted.
func (h *history) ask(t *testing.T, w http.Handler, old, size int64) (status int, kind, says string) {
	t.Helper()
	status, kind, says = post(t, w, h.body(old, size))
	if status == http.StatusPreconditionRequired {
		var known int64
		if _, err := fmt.Sscan(says, &known); err != nil || kind != witness.IndexType {
			t.Fatalf("%s %q: %v", kind, says, err)
		}
		if status, kind, says := show(t, w, h.part(known, size, size)); status != http.StatusOK {
			return status, kind, says
		}
		return post(t, w, h.body(old, size))
	}
	return status, kind, says
}

func open(tb testing.TB, dir string, logs ...note.Verifier) *witness.Witness {
	tb.Helper()
	w, err := witness.Open(witness.Config{Folder: dir, Name: "auditor.example", Logs: logs})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = w.Close() })
	return w
}

func post(t *testing.T, w http.Handler, body []byte) (status int, kind, says string) {
	t.Helper()
	return request(t, w, "/add-checkpoint", body)
}

func show(t *testing.T, w http.Handler, body []byte) (status int, kind, says string) {
	t.Helper()
	return request(t, w, "/add-index", body)
}

func request(t *testing.T, w http.Handler, path string, body []byte) (status int, kind, says string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec.Code, rec.Header().Get("Content-Type"), rec.Body.String()
}

func TestAWitnessCosigns(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 1, "a", "b", "c", "d", "e")
	dir := t.TempDir()
	w := open(t, dir, h.key)
	status, _, says := h.ask(t, w, 0, 3)
	if status != http.StatusOK {
		t.Fatal(status, says)
	}
	// The library of others takes the cosignature.
	theirs, err := formats.NewVerifierForCosignatureV1(w.Key())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(append(h.checkpoint(3), says...), note.VerifierList(h.key, theirs))
	if err != nil || len(n.Sigs) != 2 {
		t.Fatalf("%+v, %v", n, err)
	}
	// After another start it knows what it has seen, and its key is the same.
	key := w.Key()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, dir, h.key)
	if w.Key() != key {
		t.Errorf("another key: %s, %s", w.Key(), key)
	}
	for _, step := range []struct{ old, size int64 }{{3, 3}, {3, 5}, {5, 5}} {
		if status, _, says := h.ask(t, w, step.old, step.size); status != http.StatusOK {
			t.Errorf("from %d to %d: %d %s", step.old, step.size, status, says)
		}
	}
	if c, err := w.Last(origin); err != nil || c.Size != 5 || len(c.Witnesses) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestAWitnessRefuses(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 1, "a", "b", "c", "d", "e", "f")
	other := newHistory(t, 1, "a", "x", "c", "d", "e", "f")    // the same log, made anew
	stranger := newHistory(t, 2, "a", "b", "c", "d", "e", "f") // another key
	forged := newHistory(t, 1, "a", "b", "c", "d", "e", "f")   // the tree is the same, the index is not
	forged.index[2].Class = proof.Login
	swap := func(b []byte, from, to string) []byte { return bytes.Replace(b, []byte(from), []byte(to), 1) }
	for name, c := range map[string]struct {
		body   []byte
		status int
		kind   string
		says   string
	}{
		"an older state":             {h.body(3, 3), http.StatusConflict, "text/x.tlog.size", "4\n"},
		"a size that is not the one": {h.body(0, 6), http.StatusConflict, "text/x.tlog.size", "4\n"},
		"another history":            {other.body(4, 6), http.StatusUnprocessableEntity, "", ""},
		"another one of this size":   {other.body(4, 4), http.StatusConflict, "", ""},
		"another index of this size": {forged.body(4, 4), http.StatusConflict, "", ""},
		"no proof":                   {swap(h.body(6, 6), "old 6", "old 4"), http.StatusUnprocessableEntity, "", ""},
		"a proof of nothing":         {swap(h.body(4, 4), "old 4\n", "old 4\n"+strings.Repeat("A", 43)+"=\n"), http.StatusUnprocessableEntity, "", ""},
		"another key":                {stranger.body(4, 6), http.StatusForbidden, "", ""},
		"another log":                {swap(h.body(4, 6), "keydesk/0b", "keydesk/ff"), http.StatusNotFound, "", ""},
		"more than there is":         {swap(h.body(4, 4), "old 4", "old 5"), http.StatusBadRequest, "", ""},
		"a zero before the size":     {swap(h.body(4, 6), "old 4", "old 04"), http.StatusBadRequest, "", ""},
		"less than nothing":          {swap(h.body(4, 6), "old 4", "old -4"), http.StatusBadRequest, "", ""},
		"no size":                    {swap(h.body(4, 6), "old 4\n", ""), http.StatusBadRequest, "", ""},
		"no base64":                  {swap(h.body(4, 6), "old 4\n", "old 4\n!\n"), http.StatusBadRequest, "", ""},
		"a proof too long":           {swap(h.body(4, 6), "old 4\n", "old 4\n"+strings.Repeat(strings.Repeat("A", 43)+"=\n", 64)), http.StatusBadRequest, "", ""},
		"no checkpoint":              {[]byte("old 4\n"), http.StatusBadRequest, "", ""},
		"nothing":                    {nil, http.StatusBadRequest, "", ""},
		"no end":                     {bytes.Repeat([]byte("a"), 1<<20), http.StatusBadRequest, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, t.TempDir(), h.key)
			if status, _, says := h.ask(t, w, 0, 4); status != http.StatusOK {
				t.Fatal(status, says)
			}
			status, kind, says := post(t, w, c.body)
			if status != c.status || c.kind != "" && (kind != c.kind || says != c.says) {
				t.Errorf("got %d %s %q", status, kind, says)
			}
			if kind == "text/x.tlog.size" && c.kind == "" {
				t.Errorf("a size is named: %q", says)
			}
			if last, err := w.Last(origin); err != nil || last.Size != 4 {
				t.Errorf("it keeps %+v, %v", last, err)
			}
			if strings.Contains(says, "— ") {
				t.Error("it signed")
			}
		})
	}
}

func TestOtherRequests(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 1, "a")
	w := open(t, t.TempDir(), h.key)
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/add-checkpoint", http.StatusMethodNotAllowed},
		{http.MethodGet, "/add-index", http.StatusMethodNotAllowed},
		{http.MethodPost, "/", http.StatusNotFound},
		{http.MethodPost, "/add-index", http.StatusBadRequest},
	} {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), c.method, c.path, bytes.NewReader(h.body(0, 1))))
		if rec.Code != c.status {
			t.Errorf("%s %s: %d", c.method, c.path, rec.Code)
		}
	}
}

// Many at once: it never goes back, and cosigns one history.
func TestRacingLogs(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 1)
	for i := range 64 {
		h.add(fmt.Sprint(i))
	}
	w := open(t, t.TempDir(), h.key)
	var racing sync.WaitGroup
	for range 4 {
		racing.Go(func() {
			last := int64(0)
			for size := int64(1); size <= 64; size++ {
				status, _, says := post(t, w, h.body(last, size))
				switch status {
				case http.StatusConflict:
					_, _ = fmt.Sscan(says, &last)
					size = last
				case http.StatusPreconditionRequired: // others show it at the same moment
					var known int64
					_, _ = fmt.Sscan(says, &known)
					if status, _, says := show(t, w, h.part(known, size, size)); status == http.StatusUnprocessableEntity || status == http.StatusBadRequest {
						t.Errorf("%d %s", status, says)
						return
					}
					size--
				case http.StatusOK:
					last = size
				default:
					t.Errorf("%d %s", status, says)
					return
				}
				if c, err := w.Last(origin); err != nil || c.Size < last {
					t.Errorf("went back to %d, %v", c.Size, err)
				}
			}
		})
	}
	racing.Wait()
	if c, err := w.Last(origin); err != nil || c.Size != 64 {
		t.Errorf("%d, %v", c.Size, err)
	}
}

// Whom a witness knows changes while it works; what it has cosigned does not.
func TestWhomAWitnessKnows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h, other := newHistory(t, 1, "a", "b", "c"), newHistory(t, 2, "a", "x")
	w := open(t, dir)
	want := func(what string, h *history, old, size int64, status int) {
		t.Helper()
		if got, _, says := h.ask(t, w, old, size); got != status {
			t.Errorf("%s: %d %s", what, got, says)
		}
	}
	want("nobody is known", h, 0, 1, http.StatusNotFound)
	if err := w.Know([]note.Verifier{h.key}); err != nil {
		t.Fatal(err)
	}
	want("it is added", h, 0, 2, http.StatusOK)
	if err := w.Know([]note.Verifier{other.key}); !errors.Is(err, witness.ErrDamaged) {
		t.Errorf("another key under its name: %v", err)
	}
	want("another key was not taken over", other, 2, 2, http.StatusForbidden)
	want("it goes on", h, 2, 3, http.StatusOK)
	if err := w.Know(nil); err != nil {
		t.Fatal(err)
	}
	want("it is taken out", h, 3, 3, http.StatusNotFound)
	if c, err := w.Last(origin); err != nil || c.Size != 0 {
		t.Errorf("of one that is not known: %d, %v", c.Size, err)
	}
	if err := w.Know([]note.Verifier{h.key}); err != nil {
		t.Fatal(err)
	}
	want("it has forgotten nothing", h, 0, 1, http.StatusConflict)
	if c, err := w.Last(origin); err != nil || c.Size != 3 {
		t.Errorf("%d, %v", c.Size, err)
	}
}

// A witness that has forgotten what it has seen does not start.
func TestADamagedFolder(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 1, "a", "b")
	for name, damage := range map[string]func(dir string) error{
		"the checkpoint": func(dir string) error {
			found, err := filepath.Glob(filepath.Join(dir, "log-*"))
			if err != nil || len(found) != 1 {
				return errors.New("no file of the log")
			}
			return os.WriteFile(found[0], []byte("nothing"), 0o600)
		},
		"the key": func(dir string) error { return os.WriteFile(filepath.Join(dir, "key"), []byte("nothing"), 0o600) },
	} {
		dir := t.TempDir()
		w := open(t, dir, h.key)
		if status, _, says := h.ask(t, w, 0, 2); status != http.StatusOK {
			t.Fatal(status, says)
		}
		if _, err := witness.Open(witness.Config{Folder: dir}); !errors.Is(err, witness.ErrLocked) {
			t.Errorf("two in one folder: %v", err)
		}
		if err := errors.Join(w.Close(), damage(dir)); err != nil {
			t.Fatal(err)
		}
		if w, err := witness.Open(witness.Config{Folder: dir, Logs: []note.Verifier{h.key}}); !errors.Is(err, witness.ErrDamaged) {
			t.Errorf("%s: opened, %v", name, err)
			if w != nil {
				_ = w.Close()
			}
		}
	}
	if _, err := witness.Open(witness.Config{Folder: t.TempDir(), Name: "two words"}); err == nil {
		t.Error("a key of that name was made")
	}
	if _, err := witness.Open(witness.Config{Folder: t.TempDir()}); err == nil {
		t.Error("a key without a name was made")
	}
}

func FuzzRequest(f *testing.F) {
	h := newHistory(f, 1, "a", "b", "c")
	f.Add(false, h.body(0, 2))
	f.Add(false, h.body(2, 3))
	f.Add(false, []byte("old 0\n\n"))
	f.Add(true, h.part(0, 2, 2))
	f.Add(true, h.part(0, 1, 3))
	f.Add(true, h.part(1, 3, 3))
	w := open(f, f.TempDir(), h.key)
	f.Fuzz(func(t *testing.T, index bool, body []byte) {
		ask := post
		if index {
			ask = show
		}
		switch status, _, says := ask(t, w, body); status {
		case http.StatusInternalServerError:
			t.Errorf("a fault: %s", says)
		case http.StatusOK:
			if c, err := w.Last(origin); err != nil || c.Size > 3 {
				t.Errorf("%+v, %v", c, err)
			}
		}
	})
}

// A witness keeps the name that its key was made with; another one is refused, and
// nothing changes.
func TestAWitnessKeepsItsName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := ""
	for _, c := range []struct {
		name string
		want error
	}{
		{"first.example", nil}, {"other.example", witness.ErrNamed}, {"", nil}, {"FIRST.example", witness.ErrNamed}, {"first.example", nil},
	} {
		w, err := witness.Open(witness.Config{Folder: dir, Name: c.name})
		if !errors.Is(err, c.want) {
			t.Fatalf("as %q: %v", c.name, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), `"first.example"`) {
				t.Errorf("as %q: %v", c.name, err)
			}
			continue
		}
		if key == "" {
			key = w.Key()
		}
		if w.Key() != key {
			t.Errorf("as %q it has the key %s in place of %s", c.name, w.Key(), key)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
