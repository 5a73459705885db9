package seal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/keydesk/keydesk/app/internal/seal"
)

// Copies that are made while events are sealed are each a seal of the log, and whoever
// has one goes on from there.
func TestCopyWhileOthersSeal(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	if there, err := seal.Copy(w.folder, filepath.Join(t.TempDir(), "none")); err != nil || there {
		t.Fatalf("of no seal: %t, %v", there, err)
	}
	w.append(10)
	s, stop := w.run(w.config())
	if err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sealing sync.WaitGroup
	sealing.Go(func() {
		for range 20 {
			w.append(50)
			if err := s.Now(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	folder := t.TempDir()
	var last string
	for i := range 20 {
		last = filepath.Join(folder, fmt.Sprint(i))
		if there, err := seal.Copy(w.folder, last); err != nil || !there {
			t.Fatalf("%t, %v", there, err)
		}
		r, err := seal.Verify(t.Context(), w.log, last, w.options(), nil)
		if err != nil || r.Bad != nil || r.Size < 10 || r.Events != r.Size {
			t.Fatalf("copy %d: %+v, %v", i, r, err)
		}
	}
	sealing.Wait()
	stop()
	if _, err := seal.Copy(w.folder, last); err == nil {
		t.Error("over a copy")
	}
	if err := os.RemoveAll(w.folder); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Copy(last, w.folder); err != nil {
		t.Fatal(err)
	}
	w.append(5)
	w.sealed()
	if r := w.good(); r.Unsealed != 0 || r.Events < 1000 {
		t.Errorf("%+v", r)
	}
}
