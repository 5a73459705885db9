package vault_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/app/internal/vault/vaulttest"
	"github.com/keydesk/keydesk/domain"
)

// envKeyFile makes a child process of this test load or create that key file.
const envKeyFile = "KEYDESK_VAULT_KEY_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(envKeyFile); path != "" {
		k, err := vault.LoadOrCreateKeys(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(k.ID())
		os.Exit(0)
	}
	vaulttest.Child()
	code := m.Run()
	pgtest.StopShared()
	os.Exit(code)
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(t *testing.T) vaulttest.Place { t.Helper(); return place(t) })
}

// Closing leaves one file, which holds everything: SQLite keeps a connection open
// of which a statement is left, and the write-ahead log with it.
func TestClosingFoldsTheWriteAheadLogIn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, keyFile := filepath.Join(dir, "vault.db"), filepath.Join(dir, "master.key")
	keys, err := vault.LoadOrCreateKeys(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), "sqlite:"+file, keys, vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, errPut := v.Put(t.Context(), domain.SubjectID{1}, vault.KindName, []byte("Anna de Vries"))
	_, errRead := v.Erased(t.Context(), domain.SubjectID{1})
	if err := errors.Join(errPut, errRead, v.Close()); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(file + "*")
	if info, errStat := os.Stat(file); err != nil || errStat != nil || len(names) != 1 || info.Size() < 8<<10 {
		t.Errorf("%v, %d bytes, %v, %v", names, info.Size(), err, errStat)
	}
}

// place makes a folder with a master key and no vault yet.
func place(tb testing.TB) vaulttest.Place {
	tb.Helper()
	dir := tb.TempDir()
	path, keyFile := filepath.Join(dir, "vault.db"), filepath.Join(dir, "master.key")
	if _, err := vault.LoadOrCreateKeys(keyFile); err != nil {
		tb.Fatal(err)
	}
	raw, err := driver.Open("file:" + path) // connects at the first query
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = raw.Close() })
	disk := func(t *testing.T) []byte { t.Helper(); return diskBytes(t, path) }
	return vaulttest.Place{URL: "sqlite:" + path, KeyFile: keyFile, Raw: raw, Disk: disk, Kept: disk}
}

// diskBytes reads the database and all files that SQLite keeps beside it.
func diskBytes(t *testing.T, path string) (all []byte) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal("no database", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // a path of this test
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// open opens the vault of a place until the test ends.
func open(tb testing.TB, p vaulttest.Place) *vault.Vault {
	tb.Helper()
	keys, err := vault.KeysFromFile(p.KeyFile)
	if err != nil {
		tb.Fatal(err)
	}
	v, err := vault.Open(tb.Context(), p.URL, keys, vault.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := v.Close(); err != nil {
			tb.Error(err)
		}
	})
	return v
}
