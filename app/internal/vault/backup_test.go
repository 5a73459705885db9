package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/app/internal/vault/vaulttest"
	"github.com/keydesk/keydesk/domain"
)

// backup returns what Backup writes.
func backup(t *testing.T, v *vault.Vault) []byte {
	t.Helper()
	var b bytes.Buffer
	rows, err := v.Backup(t.Context(), &b)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := vault.CheckBackup(bytes.NewReader(b.Bytes())); err != nil || n != rows {
		t.Fatalf("%d rows of %d, %v", n, rows, err)
	}
	return b.Bytes()
}

// A backup of either kind of vault can be restored to either kind.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	for name, urls := range map[string]func(*testing.T) (from, to vaulttest.Place){
		"file to file":   func(t *testing.T) (from, to vaulttest.Place) { t.Helper(); return place(t), place(t) },
		"file to server": func(t *testing.T) (from, to vaulttest.Place) { t.Helper(); return place(t), onServer(t) },
		"server to file": func(t *testing.T) (from, to vaulttest.Place) { t.Helper(); return onServer(t), place(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := urls(t)
			s := settle(t, openWith(t, from.URL, from.KeyFile))
			b := backup(t, s.Vault)
			for _, secret := range []string{"Sanne", "sanne@", "612345678", "Joost", "joost@"} {
				if bytes.Contains(b, []byte(secret)) {
					t.Errorf("%s can be read in it", secret)
				}
			}
			v := openWith(t, to.URL, from.KeyFile)
			rows, err := v.Restore(t.Context(), bytes.NewReader(b))
			if err != nil || rows < people {
				t.Fatalf("%d rows, %v", rows, err)
			}
			if _, err := v.Restore(t.Context(), bytes.NewReader(b)); !errors.Is(err, vault.ErrDiffers) {
				t.Errorf("over what is there: %v", err)
			}
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
			v = openWith(t, to.URL, from.KeyFile)
			if n, err := s.Compare(t.Context(), v); err != nil || n != rows {
				t.Errorf("%d rows are the same of %d, %v", n, rows, err)
			}
			s.holds(t, v)
		})
	}
}

func onServer(t *testing.T) vaulttest.Place {
	t.Helper()
	return pgPlace(t, pgtest.Shared(t))
}

// Others put while it is made: what was there before is in it, nothing is half in it,
// and whoever puts does not wait for it.
func TestBackupWhileOthersPut(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) vaulttest.Place{
		"file":   func(t *testing.T) vaulttest.Place { t.Helper(); return place(t) },
		"server": func(t *testing.T) vaulttest.Place { t.Helper(); return onServer(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := make(t), place(t)
			v := openWith(t, from.URL, from.KeyFile)
			before, err := v.Put(t.Context(), domain.SubjectID{1}, vault.KindName, []byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			slow := &slowWriter{put: func() {
				for kind, value := range map[vault.Kind]string{vault.KindName: "meanwhile", vault.KindPhone: "+31"} {
					if _, err := v.Put(t.Context(), domain.SubjectID{2}, kind, []byte(value)); err != nil {
						t.Error(err)
					}
				}
			}}
			var others sync.WaitGroup
			var enough atomic.Bool
			others.Go(func() {
				for i := 0; !enough.Load(); i++ {
					if _, err := v.Claim(t.Context(), fmt.Sprintf("p%d@example.org", i)); err != nil {
						t.Error(err)
					}
				}
			})
			_, err = v.Backup(t.Context(), slow)
			enough.Store(true)
			others.Wait()
			if err != nil || slow.writes == 0 {
				t.Fatalf("%d writes, %v", slow.writes, err)
			}
			w := openWith(t, to.URL, from.KeyFile)
			if _, err := w.Restore(t.Context(), &slow.Buffer); err != nil {
				t.Fatal(err)
			}
			if got, err := w.Get(t.Context(), domain.SubjectID{1}, vault.KindName, before); err != nil || string(got) != "before" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A slowWriter has something put before each write.
type slowWriter struct {
	bytes.Buffer
	put    func()
	writes int
}

func (w *slowWriter) Write(p []byte) (int, error) {
	w.put()
	w.writes++
	return w.Buffer.Write(p)
}

func TestABackupThatIsDamaged(t *testing.T) {
	t.Parallel()
	p := place(t)
	v := openWith(t, p.URL, p.KeyFile)
	for i := range 3 {
		if _, err := v.Put(t.Context(), domain.SubjectID{byte(i + 1)}, vault.KindName, []byte("somebody")); err != nil {
			t.Fatal(err)
		}
	}
	whole := string(backup(t, v))
	lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
	broken := map[string]string{
		"nothing":                  "",
		"something else":           "name,email\n",
		"another JSON":             "{\"keydesk\":\"log\",\"version\":1}\n",
		"no head":                  strings.Join(lines[1:], ""),
		"the end twice":            whole + lines[len(lines)-1] + "\n",
		"more behind the end":      whole + "x",
		"a table that is none":     strings.Replace(whole, `["value"`, `["valve"`, 1),
		"tables in another order":  lines[0] + strings.Join(backward(lines[1:len(lines)-1]), "") + lines[len(lines)-1],
		"a column less":            strings.Replace(whole, `,0,`, `,`, 1),
		"a number that is none":    strings.Replace(whole, `,0,`, `,"0",`, 1),
		"bytes that are none":      strings.Replace(whole, `["person","`, `["person","*`, 1),
		"a text that is null":      strings.Replace(whole, `"name"`, `null`, 1),
		"a line that is very long": lines[0] + `["person","` + strings.Repeat("A", 2<<20) + "\"\n",
	}
	for i := range lines {
		without := slices.Delete(slices.Clone(lines), i, i+1)
		broken[fmt.Sprintf("without line %d", i+1)] = strings.Join(without, "")
	}
	for at := 0; at < len(whole)-1; at += 7 {
		broken[fmt.Sprintf("cut at %d", at)] = whole[:at]
	}
	for what, b := range broken {
		if _, err := vault.CheckBackup(strings.NewReader(b)); !errors.Is(err, vault.ErrBackup) {
			t.Errorf("%s: %v", what, err)
		}
	}
	newer := strings.Replace(whole, `"version":1`, `"version":2`, 1)
	if _, err := vault.CheckBackup(strings.NewReader(newer)); !errors.Is(err, vault.ErrNewer) {
		t.Errorf("a newer one: %v", err)
	}
	other := place(t)
	w := openWith(t, other.URL, other.KeyFile)
	if _, err := w.Restore(t.Context(), strings.NewReader(whole)); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("with another master key: %v", err)
	}
}

func backward(lines []string) []string {
	lines = slices.Clone(lines)
	slices.Reverse(lines)
	return lines
}

// What is forgotten is in none of the files any more, and nothing else is gone.
func TestForget(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) vaulttest.Place{
		"file":   func(t *testing.T) vaulttest.Place { t.Helper(); return place(t) },
		"server": func(t *testing.T) vaulttest.Place { t.Helper(); return onServer(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := make(t)
			v := openWith(t, p.URL, p.KeyFile)
			const many = 1200 // more than are removed at once
			var places, names []domain.Ref
			who := domain.SubjectID{1}
			for range many / 100 {
				values := slices.Repeat([]vault.Value{{Kind: vault.KindPlace, Value: []byte("Firefox, Utrecht")}}, 100)
				refs, err := v.PutAll(t.Context(), who, append(values, vault.Value{Kind: vault.KindName, Value: []byte("Sanne")})...)
				if err != nil {
					t.Fatal(err)
				}
				places, names = append(places, refs[:100]...), append(names, refs[100])
			}
			if n, err := v.Forget(t.Context(), vault.KindPlace, time.Now().Add(-time.Hour)); err != nil || n != 0 {
				t.Errorf("%d of an hour ago were removed, %v", n, err)
			}
			if n, err := v.Forget(t.Context(), vault.KindPlace, time.Now().Add(time.Hour)); err != nil || n != many {
				t.Fatalf("%d were removed, %v", n, err)
			}
			kept := p.Kept(t)
			for _, r := range places {
				if _, err := v.Get(t.Context(), who, vault.KindPlace, r); !errors.Is(err, domain.ErrNotFound) {
					t.Fatalf("a place that was forgotten: %v", err)
				}
				if bytes.Contains(kept, r.ID[:]) {
					t.Fatal("a place that was forgotten is on disk")
				}
			}
			for _, r := range names {
				if _, err := v.Get(t.Context(), who, vault.KindName, r); err != nil {
					t.Errorf("a name: %v", err)
				}
			}
		})
	}
}
