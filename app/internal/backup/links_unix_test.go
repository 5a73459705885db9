//go:build unix

package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

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
