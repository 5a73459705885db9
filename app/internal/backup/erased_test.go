package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/domain"
)

// ring holds the ids of master keys, the current one first.
type ring []string

func (r ring) Derive(purpose string) (key [32]byte, id string) {
	key, _ = r.DeriveWith(r[0], purpose)
	return key, r[0]
}

func (r ring) DeriveWith(id, purpose string) (key [32]byte, err error) {
	if !slices.Contains(r, id) {
		return key, errors.New("no such key")
	}
	return sha256.Sum256([]byte(id + purpose)), nil
}

const first, second = "1111111111111111", "2222222222222222"

var ann, bob, cor, dik = domain.SubjectID{1}, domain.SubjectID{2}, domain.SubjectID{3}, domain.SubjectID{4}

func note(t *testing.T, folder string, keys backup.Keys, people ...domain.SubjectID) {
	t.Helper()
	if err := backup.NoteErased(t.Context(), folder, keys, people...); err != nil {
		t.Fatal(err)
	}
}

// listOf is what stands in the list.
func listOf(t *testing.T, folder string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, "erased")) //nolint:gosec // our own folder
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func writeList(t *testing.T, folder, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, "erased"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWhoWasErased(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, some := range [][]domain.SubjectID{{ann, bob, ann}, {bob}, nil, {cor, ann}} {
		note(t, folder, ring{first}, some...)
	}
	note(t, folder, ring{second, first}, dik) // after a new master key
	got, err := backup.ReadErased(folder, ring{second, first})
	if err != nil || !got.There || got.BrokeOff || len(got.Unproved) > 0 || !slices.Equal(got.People, []domain.SubjectID{ann, bob, cor, dik}) {
		t.Errorf("%+v, %v", got, err)
	}
	if lacks := got.Lacks([]domain.SubjectID{bob, {9}, {9}, dik}); !slices.Equal(lacks, []domain.SubjectID{{9}}) {
		t.Error(lacks)
	}
	if got, err = backup.ReadErased(folder, ring{first}); !errors.Is(err, backup.ErrErasedKey) || !strings.Contains(err.Error(), "line 4") || got.There {
		t.Errorf("without the newer key: %+v, %v", got, err)
	}
	none := filepath.Join(folder, "none")
	note(t, none, ring{first}, ann)
	if got, err := backup.ReadErased(none, ring{first}); err != nil || got.There {
		t.Errorf("%+v, %v", got, err)
	}
}

// Whatever is done to a list but to its end shows, names the line, and has nobody erased;
// and nothing is added to it.
func TestAListThatWasChanged(t *testing.T) {
	t.Parallel()
	folder, other := t.TempDir(), t.TempDir()
	keys := ring{first}
	note(t, folder, keys, ann, bob, cor)
	note(t, other, keys, dik, ann)
	is := strings.SplitAfter(strings.TrimSuffix(listOf(t, folder), "\n")+"\n", "\n")[:3]
	elsewhere := strings.SplitAfter(listOf(t, other), "\n")
	for _, c := range []struct {
		name string
		text string
		line int
		want error
	}{
		{"one is added at the end", is[0] + is[1] + is[2] + dik.String() + is[2][36:], 4, backup.ErrErasedChanged},
		{"one without authentication is added at the end", is[0] + is[1] + is[2] + dik.String() + "\n", 4, backup.ErrErasedChanged},
		{"one is added at the start", dik.String() + is[0][36:] + is[0] + is[1], 1, backup.ErrErasedChanged},
		{"somebody else's id", is[0] + dik.String() + is[1][36:] + is[2], 2, backup.ErrErasedChanged},
		{"another code", is[0] + is[1][:60] + "00" + is[1][62:] + is[2], 2, backup.ErrErasedChanged},
		{"in capitals", is[0] + strings.ToUpper(is[1][:len(is[1])-1]) + "\n", 2, backup.ErrErasedChanged},
		{"one is gone from the middle", is[0] + is[2], 2, backup.ErrErasedChanged},
		{"one is gone from the start", is[1] + is[2], 1, backup.ErrErasedChanged},
		{"two are in another order", is[1] + is[0] + is[2], 1, backup.ErrErasedChanged},
		{"one is there twice", is[0] + is[0], 2, backup.ErrErasedChanged},
		{"one of another list", is[0] + elsewhere[1], 2, backup.ErrErasedChanged},
		{"with another key", is[0] + strings.Replace(is[1], first, second, 1), 2, backup.ErrErasedKey},
		{"with Windows' ends of lines", strings.ReplaceAll(is[0]+is[1], "\n", "\r\n"), 1, backup.ErrErasedChanged},
		{"an empty line", is[0] + "\n" + is[1], 2, backup.ErrErasedChanged},
		{"no id", "somebody\n", 1, backup.ErrErasedChanged},
		{"a line without an end", is[0] + strings.Repeat("x", 1<<16) + "\n", 2, backup.ErrErasedChanged},
	} {
		writeList(t, folder, c.text)
		got, err := backup.ReadErased(folder, keys)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), fmt.Sprintf("line %d:", c.line)) || len(got.People)+len(got.Unproved) > 0 || got.There {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if err := backup.NoteErased(t.Context(), folder, keys, domain.SubjectID{7}); !errors.Is(err, c.want) || listOf(t, folder) != c.text {
			t.Errorf("%s: it was added to: %v", c.name, err)
		}
	}
}

// An older program wrote ids alone. They count for nothing, until the log says the same.
func TestAListOfAnOlderProgram(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	writeList(t, folder, ann.String()+"\n"+bob.String()+"\n"+bob.String()+"\n")
	unproved := func(people []domain.SubjectID, unproved ...domain.SubjectID) {
		t.Helper()
		got, err := backup.ReadErased(folder, ring{first})
		if err != nil || !slices.Equal(got.People, people) || !slices.Equal(got.Unproved, unproved) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	unproved(nil, ann, bob)
	note(t, folder, ring{first}, cor, bob)
	unproved([]domain.SubjectID{cor, bob}, ann)
	note(t, folder, ring{first}, ann)
	unproved([]domain.SubjectID{cor, bob, ann})
}

// Whoever was killed while they wrote has left a part of a line, which is written anew.
func TestALineThatWasBrokenOff(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	keys := ring{first}
	note(t, folder, keys, ann, bob)
	whole := listOf(t, folder)
	for cut := len(whole)/2 + 1; cut < len(whole); cut++ {
		writeList(t, folder, whole[:cut])
		if got, err := backup.ReadErased(folder, keys); err != nil || !got.BrokeOff || !slices.Equal(got.People, []domain.SubjectID{ann}) {
			t.Fatalf("%d bytes: %+v, %v", cut, got, err)
		}
		note(t, folder, keys, bob)
		if got := listOf(t, folder); got != whole {
			t.Fatalf("%d bytes became %q", cut, got)
		}
	}
	writeList(t, folder, whole[:len(whole)/2]) // this cannot be seen: see Erased.Lacks
	if got, err := backup.ReadErased(folder, keys); err != nil || got.BrokeOff || !slices.Equal(got.People, []domain.SubjectID{ann}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Several programs note at once.
func TestErasedAtOnce(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	var want []domain.SubjectID
	var all sync.WaitGroup
	for i := range byte(8) {
		for j := range byte(4) {
			want = append(want, domain.SubjectID{i + 1, j})
		}
		all.Go(func() {
			for j := range byte(4) {
				if err := backup.NoteErased(context.WithoutCancel(t.Context()), folder, ring{first}, domain.SubjectID{i + 1, j}, domain.SubjectID{1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got, err := backup.ReadErased(folder, ring{first})
	if err != nil || len(got.People) != len(want) || len(got.Lacks(want)) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A list that is a way to elsewhere is none: nothing is read from there or written.
func TestAListThatIsALink(t *testing.T) {
	t.Parallel()
	folder, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Symlink(elsewhere, filepath.Join(folder, "erased")); err != nil {
		t.Skip("no links here:", err)
	}
	for _, there := range []bool{false, true} {
		if there {
			if err := os.WriteFile(elsewhere, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := backup.NoteErased(t.Context(), folder, ring{first}, ann); !errors.Is(err, backup.ErrErasedChanged) {
			t.Error(err)
		}
	}
	if b, err := os.ReadFile(elsewhere); err != nil || len(b) > 0 { //nolint:gosec // our own folder
		t.Errorf("%q, %v", b, err)
	}
}

// A list that somebody has made very long is refused before it fills the memory.
func TestAListWithoutAnEnd(t *testing.T) {
	t.Parallel()
	line := []byte(ann.String() + "\n")
	most := bytes.Repeat(line, backup.MostErased)
	if e, err := backup.ParseErased(bytes.NewReader(most), ring{first}); err != nil || len(e.Unproved) != 1 {
		t.Errorf("%d, %v", len(e.Unproved), err)
	}
	e, err := backup.ParseErased(io.MultiReader(bytes.NewReader(most), bytes.NewReader(line)), ring{first})
	if !errors.Is(err, backup.ErrErasedChanged) || len(e.Unproved) > 0 {
		t.Errorf("%d, %v", len(e.Unproved), err)
	}
}

// FuzzErased: of whatever is made of a list without its key, only a beginning is believed.
func FuzzErased(f *testing.F) {
	folder := f.TempDir()
	if err := backup.NoteErased(f.Context(), folder, ring{first}, ann, bob, cor); err != nil {
		f.Fatal(err)
	}
	list, err := os.ReadFile(filepath.Join(folder, "erased")) //nolint:gosec // our own folder
	if err != nil {
		f.Fatal(err)
	}
	f.Add(list)
	f.Add(append([]byte(dik.String()+"\n"), list...))
	f.Add(list[:len(list)-7])
	f.Add(bytes.ToUpper(list))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := backup.ParseErased(bytes.NewReader(b), ring{first})
		if err != nil {
			if len(e.People)+len(e.Unproved) > 0 {
				t.Errorf("%+v beside %v", e, err)
			}
			return
		}
		if all := []domain.SubjectID{ann, bob, cor}; len(e.People) > len(all) || !slices.Equal(e.People, all[:len(e.People)]) {
			t.Errorf("%q is believed: %v", b, e.People)
		}
		if slices.ContainsFunc(e.Unproved, func(s domain.SubjectID) bool { return slices.Contains(e.People, s) }) {
			t.Errorf("%v are unproved", e.Unproved)
		}
	})
}
