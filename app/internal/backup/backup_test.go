package backup_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/domain"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

const secret = "who is who"

// source is an installation of three files.
func source() backup.Source {
	return backup.Source{
		Store: "0b1c", LogKind: "sqlite", VaultKind: "postgres", MasterKeys: []string{"8c1f2a90d3b7e465"},
		Seal: func(_ context.Context, folder string) (bool, error) {
			return true, errors.Join(os.Mkdir(folder, 0o700),
				os.WriteFile(filepath.Join(folder, "checkpoint"), []byte("keydesk/0b1c\n"), 0o600),
				os.WriteFile(filepath.Join(folder, "hashes"), []byte("0123"), 0o600))
		},
		Log: func(_ context.Context, file string) (domain.Position, error) {
			return 42, os.WriteFile(file, []byte("a log"), 0o600)
		},
		Vault: func(_ context.Context, w io.Writer) (int64, error) {
			_, err := io.WriteString(w, secret)
			return 7, err
		},
	}
}

// identity makes a key pair, the private one in a file.
func identity(t *testing.T) (recipient, file string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(file, []byte("# made for a test\n"+id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String(), file
}

func mustMake(t *testing.T, o backup.Options, s backup.Source) backup.Made {
	t.Helper()
	m, err := backup.Make(t.Context(), o, s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	recipient, file := identity(t)
	folder := filepath.Join(t.TempDir(), "backups")
	m := mustMake(t, backup.Options{Folder: folder, Recipient: recipient, Now: noon, Version: "1"}, source())
	if m.Folder != filepath.Join(folder, "2026-11-26T120000Z") || len(m.Files) != 4 || m.Bytes == 0 || m.Position != 42 || m.Rows != 7 || !m.Sealed {
		t.Errorf("%+v", m)
	}
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", name, info.Mode())
		}
		if !d.IsDir() {
			if b, err := os.ReadFile(name); err != nil || strings.Contains(string(b), secret) { //nolint:gosec // our own file
				t.Errorf("%s holds the vault in the clear: %v", name, err)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	b, err := backup.Open(m.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if b.Store != "0b1c" || !b.Made.Equal(noon) || !slices.Equal(b.MasterKeys, []string{"8c1f2a90d3b7e465"}) {
		t.Errorf("%+v", b.Manifest)
	}
	var got []byte
	if err := b.Vault(file, func(r io.Reader) (err error) { got, err = io.ReadAll(r); return err }); err != nil || string(got) != secret {
		t.Errorf("%q, %v", got, err)
	}
	to := t.TempDir()
	if err := errors.Join(b.CopyLog(filepath.Join(to, "log")), b.CopySeal(filepath.Join(to, "seal"))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"log": "a log", "seal/checkpoint": "keydesk/0b1c\n", "seal/hashes": "0123"} {
		if b, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(b) != want { //nolint:gosec // our own file
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if err := b.CopyLog(filepath.Join(to, "log")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if last, ok, err := backup.Last(folder, noon); err != nil || !ok || !last.Made.Equal(noon) {
		t.Errorf("the last one: %v, %t, %v", last.Made, ok, err)
	}
}

// What everybody has checks a backup, too.
func TestSumsAreThoseOfCoreutils(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip(err)
	}
	recipient, _ := identity(t)
	m := mustMake(t, backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon}, source())
	cmd := exec.CommandContext(t.Context(), tool, "--check", "--strict", "SHA256SUMS") //nolint:gosec // a system's tool
	cmd.Dir = m.Folder
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), ": OK\n") != 5 {
		t.Errorf("%v\n%s", err, out)
	}
}

// Whatever of a backup is changed, is named.
func TestDamage(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	files := []string{"log.db", "vault.age", "seal/checkpoint", "seal/hashes", "manifest.json", "SHA256SUMS"}
	change := map[string]func(name string) error{
		"a bit flipped": func(name string) error {
			b, err := os.ReadFile(name) //nolint:gosec // our own file
			b[len(b)/2] ^= 1
			return errors.Join(err, os.WriteFile(name, b, 0o600)) //nolint:gosec // our own file
		},
		"cut off": func(name string) error {
			b, err := os.ReadFile(name)                                      //nolint:gosec // our own file
			return errors.Join(err, os.WriteFile(name, b[:len(b)-1], 0o600)) //nolint:gosec // our own file
		},
		"emptied": func(name string) error { return os.Truncate(name, 0) },
		"longer": func(name string) error {
			b, err := os.ReadFile(name)                                        //nolint:gosec // our own file
			return errors.Join(err, os.WriteFile(name, append(b, ' '), 0o600)) //nolint:gosec // our own file
		},
		"removed": os.Remove,
	}
	for _, file := range files {
		for what, do := range change {
			t.Run(file+" "+what, func(t *testing.T) {
				t.Parallel()
				m := mustMake(t, backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon}, source())
				if err := do(filepath.Join(m.Folder, file)); err != nil {
					t.Fatal(err)
				}
				_, err := backup.Open(m.Folder)
				switch {
				case file == "manifest.json" && what == "removed":
					if !errors.Is(err, backup.ErrForeign) {
						t.Error(err)
					}
				case !errors.Is(err, backup.ErrDamaged), !strings.Contains(err.Error(), file):
					t.Error(err)
				}
				for _, other := range files {
					if err != nil && other != file && strings.Contains(err.Error(), other+" ") {
						t.Errorf("%s is named, too: %v", other, err)
					}
				}
			})
		}
	}
}

func TestDamageOfMoreThanAFile(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	for what, test := range map[string]struct {
		do   func(folder string) error
		want error
		says string
	}{
		"two files": {func(f string) error {
			return errors.Join(os.Truncate(filepath.Join(f, "log.db"), 1), os.Truncate(filepath.Join(f, "vault.age"), 1))
		}, backup.ErrDamaged, "vault.age"},
		"two files that changed places": {func(f string) error {
			a, b, c := filepath.Join(f, "log.db"), filepath.Join(f, "vault.age"), filepath.Join(f, "c")
			return errors.Join(os.Rename(a, c), os.Rename(b, a), os.Rename(c, b))
		}, backup.ErrDamaged, "log.db"},
		"a file more": {func(f string) error {
			return os.WriteFile(filepath.Join(f, "seal", "more"), nil, 0o600)
		}, backup.ErrDamaged, "seal/more does not belong"},
		"a newer one": {func(f string) error {
			return replaceIn(filepath.Join(f, "manifest.json"), `"format": 1`, `"format": 2`)
		}, backup.ErrNewer, "format 2"},
		"a member that nobody knows": {func(f string) error {
			return replaceIn(filepath.Join(f, "manifest.json"), `"format": 1`, `"format": 1, "x": 1`)
		}, backup.ErrDamaged, "manifest.json"},
		"a file outside": {func(f string) error {
			return replaceIn(filepath.Join(f, "manifest.json"), `"name": "log.db"`, `"name": "../log.db"`)
		}, backup.ErrDamaged, "manifest.json"},
		"another manifest that fits its own sum": {func(f string) error {
			return replaceIn(filepath.Join(f, "manifest.json"), `"position": 42`, `"position": 43`)
		}, backup.ErrDamaged, "manifest.json"},
		"nothing left": {func(f string) error { return errors.Join(os.RemoveAll(f), os.Mkdir(f, 0o700)) }, backup.ErrForeign, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := mustMake(t, backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon}, source())
			if err := test.do(m.Folder); err != nil {
				t.Fatal(err)
			}
			if _, err := backup.Open(m.Folder); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Error(err)
			}
		})
	}
}

func replaceIn(name, old, new string) error {
	b, err := os.ReadFile(name) //nolint:gosec // our own file
	if err == nil && !strings.Contains(string(b), old) {
		err = fmt.Errorf("%s holds no %s", name, old)
	}
	return errors.Join(err, os.WriteFile(name, []byte(strings.Replace(string(b), old, new, 1)), 0o600)) //nolint:gosec // our own file
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	recipient, right := identity(t)
	_, wrong := identity(t)
	m := mustMake(t, backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon}, source())
	b, err := backup.Open(m.Folder)
	if err != nil {
		t.Fatal(err)
	}
	write := func(content string) string {
		name := filepath.Join(t.TempDir(), "identity")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil { //nolint:gosec // our own file
			t.Fatal(err)
		}
		return name
	}
	own, err := os.ReadFile(right) //nolint:gosec // our own file
	if err != nil {
		t.Fatal(err)
	}
	for what, file := range map[string]string{
		"another one":       wrong,
		"the public key":    write(recipient + "\n"),
		"nothing":           write("# nothing\n"),
		"one with a typo":   write(strings.Replace(string(own), "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1Q", 1)),
		"an encrypted file": write("age-encryption.org/v1\n-> scrypt x 18\n"),
	} {
		err := b.Vault(file, func(io.Reader) error { t.Errorf("%s: the vault is read", what); return nil })
		if !errors.Is(err, backup.ErrIdentity) || strings.Contains(err.Error(), "SECRET-KEY-1") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, r := range []string{"", "age1", "somebody@example.org", recipient + "\nage1x", "#" + recipient, strings.TrimSpace(string(own))} {
		if _, err := backup.Make(t.Context(), backup.Options{Folder: t.TempDir(), Recipient: r, Now: noon}, source()); !errors.Is(err, backup.ErrRecipient) || strings.Contains(err.Error(), "SECRET-KEY-1") {
			t.Errorf("%q: %v", r, err)
		}
	}
}

// A backup that fails, at whatever, leaves nothing, and the one before stays.
func TestABackupThatFails(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	broken := errors.New("broken")
	for part, s := range map[string]func(*backup.Source){
		"seal": func(s *backup.Source) {
			s.Seal = func(_ context.Context, folder string) (bool, error) {
				return false, errors.Join(os.Mkdir(folder, 0o700), broken)
			}
		},
		"log": func(s *backup.Source) {
			s.Log = func(context.Context, string) (domain.Position, error) { return 0, broken }
		},
		"vault": func(s *backup.Source) {
			s.Vault = func(_ context.Context, w io.Writer) (int64, error) {
				_, err := io.WriteString(w, secret)
				return 0, errors.Join(err, broken)
			}
		},
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			o := backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon, Keep: 1}
			first := mustMake(t, o, source())
			if _, err := backup.Make(t.Context(), o, source()); !errors.Is(err, backup.ErrExists) {
				t.Errorf("in the same second: %v", err)
			}
			bad := source()
			s(&bad)
			o.Now = noon.Add(time.Hour)
			if _, err := backup.Make(t.Context(), o, bad); !errors.Is(err, broken) {
				t.Error(err)
			}
			left, err := os.ReadDir(o.Folder)
			if err != nil || len(left) != 2 || left[0].Name() != ".lock" || left[1].Name() != filepath.Base(first.Folder) {
				t.Errorf("%v, %v", left, err)
			}
			if _, err := backup.Open(first.Folder); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	o := backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon}
	for _, name := range []string{".partial-2026-11-01T000000Z", "notes", "2026-13-01T000000Z"} { // of somebody who was killed; and of others
		if err := os.Mkdir(filepath.Join(o.Folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		o.Now = noon.Add(time.Duration(i) * time.Hour)
		if m := mustMake(t, o, source()); len(m.Removed) != 0 {
			t.Errorf("%v was removed", m.Removed)
		}
	}
	o.Now, o.Keep = noon.Add(4*time.Hour), 2
	m := mustMake(t, o, source())
	if len(m.Removed) != 3 || filepath.Base(m.Removed[0]) != "2026-11-26T120000Z" {
		t.Errorf("%v was removed", m.Removed)
	}
	entries, err := os.ReadDir(o.Folder)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".lock", "2026-11-26T150000Z", "2026-11-26T160000Z", "2026-13-01T000000Z", "notes"}; !slices.Equal(left, want) {
		t.Errorf("%v are left", left)
	}
}

// A clock that ran ahead once, or whoever makes a folder for it, has no backup removed
// that was just made, and none taken for the last one.
func TestABackupOfTheFuture(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	o := backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon.AddDate(30, 0, 0)}
	mustMake(t, o, source())
	if _, ok, err := backup.Last(o.Folder, noon); ok || err != nil {
		t.Errorf("the last one is of the future: %t, %v", ok, err)
	}
	o.Keep = 1
	for i := range 3 {
		o.Now = noon.Add(time.Duration(i) * time.Hour)
		m := mustMake(t, o, source())
		if _, err := os.Stat(m.Folder); err != nil || len(m.Removed) != min(i, 1) {
			t.Errorf("the one of %s: %v; %v was removed", o.Now, err, m.Removed)
		}
		if last, ok, err := backup.Last(o.Folder, o.Now); err != nil || !ok || !last.Made.Equal(o.Now) {
			t.Errorf("the last one is of %s, %t, %v", last.Made, ok, err)
		}
	}
}

// Two at once: one is made.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	o := backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon}
	s := source()
	log := s.Log
	s.Log = func(ctx context.Context, file string) (domain.Position, error) {
		if _, err := backup.Make(ctx, o, source()); !errors.Is(err, backup.ErrBusy) {
			t.Errorf("a second one meanwhile: %v", err)
		}
		return log(ctx, file)
	}
	mustMake(t, o, s)
	o.Now = noon.Add(time.Second)
	mustMake(t, o, source())
}

func TestLastOfNone(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, ok, err := backup.Last(folder, noon); ok || err != nil {
			t.Errorf("%t, %v", ok, err)
		}
	}
}
