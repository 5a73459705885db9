package witness_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
)

// The index is shown part by part, each once; what was cosigned of it is not asked for
// again, also after another start.
func TestAnIndexIsShownInParts(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 1, "a", "b", "c", "d", "e", "f", "g")
	dir := t.TempDir()
	w := open(t, dir, h.key)
	want := func(what string, status int, says string) func(gotStatus int, kind, got string) {
		return func(gotStatus int, kind, got string) {
			t.Helper()
			if gotStatus != status || says != "" && (got != says || status != http.StatusConflict && kind != witness.IndexType) {
				t.Errorf("%s: %d %s %q", what, gotStatus, kind, got)
			}
		}
	}
	want("nothing is known", http.StatusPreconditionRequired, "0\n")(post(t, w, h.body(0, 5)))
	want("the first part", http.StatusOK, "2\n")(show(t, w, h.part(0, 2, 5)))
	want("some is missing", http.StatusPreconditionRequired, "2\n")(post(t, w, h.body(0, 5)))
	want("the first part again", http.StatusPreconditionRequired, "2\n")(show(t, w, h.part(0, 2, 5)))
	want("one that is too far on", http.StatusPreconditionRequired, "2\n")(show(t, w, h.part(3, 5, 5)))
	want("the rest, for a checkpoint that is there meanwhile", http.StatusOK, "6\n")(show(t, w, h.part(2, 6, 6)))
	want("it was shown for a later one", http.StatusPreconditionRequired, "0\n")(post(t, w, h.body(0, 5)))
	want("all at once", http.StatusOK, "5\n")(show(t, w, h.part(0, 5, 5)))
	want("it is cosigned", http.StatusOK, "")(post(t, w, h.body(0, 5)))
	want("of what was cosigned", http.StatusConflict, "5\n")(show(t, w, h.part(0, 5, 5)))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, dir, h.key)
	want("after another start", http.StatusPreconditionRequired, "5\n")(post(t, w, h.body(5, 7)))
	want("the rest", http.StatusOK, "7\n")(show(t, w, h.part(5, 7, 7)))
	want("it goes on", http.StatusOK, "")(post(t, w, h.body(5, 7)))
}

// An index that says something else of what was cosigned, or that is not the
// checkpoint's, has nothing cosigned, though the tree is the same; and it is told.
func TestAnIndexThatWasChanged(t *testing.T) {
	t.Parallel()
	h := newHistory(t, 1, "a", "b", "c", "d", "e", "f")
	forged := newHistory(t, 1, "a", "b", "c", "d", "e", "f")
	forged.index[1].Class = proof.Login // of long ago
	for name, forget := range map[string]bool{"it remembers": false, "its file is lost": true, "its file is damaged": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, told := t.TempDir(), ""
			w, err := witness.Open(witness.Config{Folder: dir, Name: "auditor.example", Logs: []note.Verifier{h.key}, Report: func(err error) { told += err.Error() }})
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close() //nolint:errcheck // only read
			if status, _, says := h.ask(t, w, 0, 4); status != http.StatusOK {
				t.Fatal(status, says)
			}
			if forget {
				forgetIndex(t, dir, name == "its file is lost")
			}
			if status, _, says := forged.ask(t, w, 4, 6); status != http.StatusUnprocessableEntity || !strings.Contains(says, "index") {
				t.Errorf("%d %s", status, says)
			}
			if !strings.Contains(told, origin) {
				t.Errorf("it tells %q", told)
			}
			if c, err := w.Last(origin); err != nil || c.Size != 4 {
				t.Errorf("it keeps %d, %v", c.Size, err)
			}
			if status, _, says := h.ask(t, w, 4, 6); status != http.StatusOK {
				t.Errorf("the honest one afterwards: %d %s", status, says)
			}
		})
	}
}

func forgetIndex(t *testing.T, dir string, remove bool) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "index-*"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if remove {
		err = os.Remove(found[0])
	} else {
		b, failed := os.ReadFile(found[0])
		if failed != nil {
			t.Fatal(failed)
		}
		at := bytes.Index(b, []byte(`"state":"`)) + 20
		b[at] ^= 1
		err = os.WriteFile(found[0], b, 0o600) //nolint:gosec // of the test
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPartsThatAreRefused(t *testing.T) {
	t.Parallel()
	h, stranger := newHistory(t, 1, "a", "b", "c", "d"), newHistory(t, 2, "a", "b", "c", "d")
	with := func(entries ...proof.Entry) []byte {
		var b []byte
		for _, e := range entries {
			b = e.Append(b)
		}
		return slices.Concat(fmt.Appendf(nil, "index 2 %d\n", len(entries)), b, h.checkpoint(4))
	}
	swap := func(from, to string) []byte { return bytes.Replace(h.part(2, 4, 4), []byte(from), []byte(to), 1) }
	for name, c := range map[string]struct {
		body   []byte
		status int
	}{
		"another key":              {stranger.part(2, 4, 4), http.StatusForbidden},
		"another log":              {bytes.ReplaceAll(h.part(2, 4, 4), []byte("keydesk/0b"), []byte("keydesk/ff")), http.StatusNotFound},
		"none":                     {swap("index 2 2", "index 2 0"), http.StatusBadRequest},
		"more than there are":      {swap("index 2 2", "index 2 9999"), http.StatusBadRequest},
		"more than at once":        {slices.Concat([]byte("index 2 32769\n"), make([]byte, 32769*proof.EntrySize)), http.StatusBadRequest},
		"more than is read":        {slices.Concat([]byte("index 2 32768\n"), make([]byte, 1<<20)), http.StatusBadRequest},
		"a zero before":            {swap("index 2 2", "index 02 2"), http.StatusBadRequest},
		"less than nothing":        {swap("index 2 2", "index -2 2"), http.StatusBadRequest},
		"no number":                {swap("index 2 2", "index 2"), http.StatusBadRequest},
		"nothing":                  {nil, http.StatusBadRequest},
		"beyond the checkpoint":    {with(h.index[2], h.index[3], proof.Entry{Position: 99}), http.StatusBadRequest},
		"in another order":         {with(h.index[3], h.index[2]), http.StatusUnprocessableEntity},
		"one that was there":       {with(h.index[1], h.index[3]), http.StatusUnprocessableEntity},
		"of another class":         {with(h.index[2], proof.Entry{Position: 8, Day: 20_000, Class: proof.Login}), http.StatusUnprocessableEntity},
		"a tree before, later":     {with(h.index[2], proof.Entry{Class: proof.Before}), http.StatusUnprocessableEntity},
		"a class that there isn't": {with(h.index[2], proof.Entry{Position: 8, Class: 7}), http.StatusUnprocessableEntity},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, t.TempDir(), h.key)
			if status, _, says := h.ask(t, w, 0, 2); status != http.StatusOK {
				t.Fatal(status, says)
			}
			if status, _, says := show(t, w, c.body); status != c.status {
				t.Errorf("%d %s", status, says)
			}
			if status, _, says := h.ask(t, w, 2, 4); status != http.StatusOK {
				t.Errorf("the honest one afterwards: %d %s", status, says)
			}
		})
	}
}

// Whatever parts of whatever history come in, in whatever order: what is cosigned has one
// index, each of which goes on from the one before.
func TestWhatIsCosignedHasOneIndex(t *testing.T) {
	t.Parallel()
	leaves := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	rapid.Check(t, func(r *rapid.T) {
		h, forged := newHistory(t, 1, leaves...), newHistory(t, 1, leaves...)
		for i := range forged.index {
			if rapid.IntRange(0, 3).Draw(r, "forged") == 0 {
				forged.index[i].Class = proof.Login
			}
		}
		w := open(t, t.TempDir(), h.key)
		defer w.Close()     //nolint:errcheck // only read
		var before *history // which was cosigned last
		last := int64(0)
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			from := rapid.SampledFrom([]*history{h, h, forged}).Draw(r, "of")
			size := rapid.Int64Range(1, 8).Draw(r, "size")
			if rapid.Bool().Draw(r, "part") {
				begin := rapid.Int64Range(0, size-1).Draw(r, "from")
				show(t, w, from.part(begin, rapid.Int64Range(begin+1, size).Draw(r, "to"), size))
				continue
			}
			if status, _, _ := from.ask(t, w, last, max(size, last)); status == http.StatusOK {
				if before != nil && !bytes.Equal(from.entries(0, last), before.entries(0, last)) {
					r.Fatalf("another index was cosigned of the first %d leaves", last)
				}
				before, last = from, max(size, last)
			}
			if c, err := w.Last(origin); err != nil || c.Size != last {
				r.Fatalf("it keeps %d of %d, %v", c.Size, last, err)
			}
		}
	})
}
