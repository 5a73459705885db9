//go:build unix

package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/backup"
)

// What leads out of a backup is not read, be it the same to the last byte, and a pipe
// holds nobody up.
func TestOnlyFilesOfItsOwn(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	for _, file := range []string{"log.db", "vault.age", "seal/checkpoint", "manifest.json", "SHA256SUMS"} {
		for what, put := range map[string]func(name, elsewhere string) error{
			"a link": func(name, elsewhere string) error { return os.Symlink(elsewhere, name) },
			"a pipe": func(name, _ string) error { return syscall.Mkfifo(name, 0o600) },
		} {
			t.Run(file+" is "+what, func(t *testing.T) {
				t.Parallel()
				m := mustMake(t, backup.Options{Folder: t.TempDir(), Recipient: recipient, Now: noon}, source())
				name, elsewhere := filepath.Join(m.Folder, file), filepath.Join(t.TempDir(), "elsewhere")
				if err := errors.Join(os.Rename(name, elsewhere), put(name, elsewhere)); err != nil {
					t.Fatal(err)
				}
				if _, err := backup.Open(m.Folder); !errors.Is(err, backup.ErrDamaged) || !strings.Contains(err.Error(), filepath.Base(file)+" is no file") {
					t.Error(err)
				}
			})
		}
	}
}

// A lock that is a link makes no file where it leads, and one that is a pipe holds nobody
// up who has erased somebody, or makes a backup.
func TestOnlyLocksOfTheirOwn(t *testing.T) {
	t.Parallel()
	recipient, _ := identity(t)
	for what, put := range map[string]func(name, elsewhere string) error{
		"a link": func(name, elsewhere string) error { return os.Symlink(elsewhere, name) },
		"a pipe": func(name, _ string) error { return syscall.Mkfifo(name, 0o600) },
	} {
		folder, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
		for _, name := range []string{".lock", ".erased.lock"} {
			if err := put(filepath.Join(folder, name), elsewhere); err != nil {
				t.Fatal(err)
			}
		}
		ended := make(chan error, 2)
		go func() { ended <- backup.NoteErased(t.Context(), folder, ring{first}, ann) }()
		go func() {
			_, err := backup.Make(t.Context(), backup.Options{Folder: folder, Recipient: recipient, Now: noon}, source())
			ended <- err
		}()
		for range cap(ended) {
			select {
			case err := <-ended:
				if !errors.Is(err, backup.ErrDamaged) || !strings.Contains(err.Error(), "lock is no file") {
					t.Errorf("%s: %v", what, err)
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s holds it up", what)
			}
		}
		if _, err := os.Lstat(elsewhere); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: it is made elsewhere: %v", what, err)
		}
	}
}
