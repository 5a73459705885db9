package vault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
)

func TestKeyFileIsMadeOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := vault.KeysFromFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a file that is not there: %v", err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// four processes and four goroutines start at the same moment
	said := make(chan string, 8)
	for i := range cap(said) {
		go func() {
			if i%2 == 0 {
				k, err := vault.LoadOrCreateKeys(path)
				if err != nil {
					said <- err.Error()
					return
				}
				said <- k.ID()
				return
			}
			cmd := exec.CommandContext(t.Context(), program)
			cmd.Env = append(os.Environ(), envKeyFile+"="+path)
			out, err := cmd.Output()
			if err != nil {
				said <- err.Error()
				return
			}
			said <- strings.TrimSpace(string(out))
		}()
	}
	first := <-said
	for range cap(said) - 1 {
		if id := <-said; id != first || len(id) != 16 {
			t.Errorf("two keys: %s and %s", id, first)
		}
	}
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	hidden, errHidden := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || errHidden != nil || len(names) != 1 || len(hidden) != 0 {
		t.Errorf("left behind: %v %v", names, hidden)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
}

func TestKeyFileIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := vault.LoadOrCreateKeys(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path) //nolint:gosec // a path of this test
	if err != nil {
		t.Fatal(err)
	}
	secret := string(good[len(good)-44 : len(good)-1])
	for _, test := range []struct {
		name, text, want string
		mode             os.FileMode
	}{
		{"group may read", string(good), "mode 0640", 0o640},
		{"world may read", string(good), "mode 0604", 0o604},
		{"others may write", string(good), "mode 0602", 0o602},
		{"empty", "", "line 1", 0o600},
		{"only the header", "keydesk-master-key v1\n", "no key", 0o600},
		{"a newer version", strings.Replace(string(good), " v1", " v2", 1), "line 1", 0o600},
		{"a letter changed", strings.Replace(string(good), secret[:20], flip(secret[:20]), 1), "line 3: the id", 0o600},
		{"cut off", string(good[:len(good)-4]), "line 3: the secret", 0o600},
		{"twice the same", string(good) + lastLine(good), "line 4: the same key", 0o600},
		{"not a key line", string(good) + "kay a b\n", "line 4: not of the form", 0o600},
		{"carriage returns", strings.ReplaceAll(string(good), "\n", "\r\n"), "line 1", 0o600},
		{"far too long", string(good) + strings.Repeat("#\n", 10_000), "longer", 0o600},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			bad := filepath.Join(t.TempDir(), "bad.key")
			if err := errors.Join(os.WriteFile(bad, []byte(test.text), 0o600), os.Chmod(bad, test.mode)); err != nil {
				t.Fatal(err)
			}
			for _, load := range []func(string) (*vault.Keys, error){vault.KeysFromFile, vault.LoadOrCreateKeys} {
				k, err := load(bad)
				if k != nil || !errors.Is(err, vault.ErrKeyFile) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("want an error with %q, got %v", test.want, err)
				}
				if err != nil && strings.Contains(err.Error(), secret[:8]) {
					t.Error("the error tells the secret")
				}
			}
		})
	}
	if _, err := vault.KeysFromFile(t.TempDir()); !errors.Is(err, vault.ErrKeyFile) {
		t.Errorf("a folder: %v", err)
	}
}

// flip changes the first letter.
func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// lastLine returns the key line of a file with one key.
func lastLine(file []byte) string {
	lines := strings.SplitAfter(string(file), "\n")
	return lines[len(lines)-2]
}

func TestKeysFromCredential(t *testing.T) {
	dir := t.TempDir()
	want, err := vault.LoadOrCreateKeys(filepath.Join(dir, "master"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := vault.KeysFromCredential("master"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without systemd: %v", err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if err := os.Chmod(filepath.Join(dir, "master"), 0o440); err != nil { //nolint:gosec // as systemd shows it
		t.Fatal(err)
	}
	if k, err := vault.KeysFromCredential("master"); err != nil || k.ID() != want.ID() {
		t.Errorf("from systemd: %v", err)
	}
	for _, name := range []string{"other", "../master", ""} {
		if k, err := vault.KeysFromCredential(name); err == nil {
			t.Errorf("%q gives %v", name, k)
		}
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, err := vault.LoadOrCreateKeys(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := vault.LoadOrCreateKeys(filepath.Join(dir, "b"))
	if err != nil {
		t.Fatal(err)
	}
	mail, id := k.Derive("code/confirm-email")
	again, _ := k.Derive("code/confirm-email")
	phone, _ := k.Derive("code/verify-phone")
	foreign, _ := other.Derive("code/confirm-email")
	if mail != again || mail == phone || mail == foreign || mail == [32]byte{} || id != k.ID() {
		t.Error("keys of purposes are not what they should be")
	}
	if with, err := k.DeriveWith(id, "code/confirm-email"); err != nil || with != mail {
		t.Errorf("by id: %v", err)
	}
	if _, err := k.DeriveWith(other.ID(), "code/confirm-email"); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("by another's id: %v", err)
	}
}

// A ring whose first key is new still opens what the second one sealed.
func TestKeyRing(t *testing.T) {
	t.Parallel()
	p := place(t)
	old := open(t, p)
	who, err := old.Claim(t.Context(), "jan@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := old.Put(t.Context(), who, vault.KindName, []byte("Jan"))
	if err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(t.TempDir(), "newer.key")
	if _, err := vault.LoadOrCreateKeys(newer); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(newer) //nolint:gosec // a path of this test
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(p.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(newer, append(first, lastLine(second)...), 0o600); err != nil { //nolint:gosec // a path of this test
		t.Fatal(err)
	}
	p.KeyFile = newer
	v := open(t, p)
	if b, err := v.Get(t.Context(), who, vault.KindName, ref); err != nil || string(b) != "Jan" {
		t.Errorf("under the older key: %v", err)
	}
	if found, err := v.Find(t.Context(), "jan@voorbeeld.nl"); err != nil || found != who {
		t.Errorf("the claim moved: %v", err)
	}
	an, err := v.Claim(t.Context(), "an@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := v.Put(t.Context(), an, vault.KindName, []byte("An"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Get(t.Context(), an, vault.KindName, sealed); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("a new person is not under the new key: %v", err)
	}
}

func TestNothingPrintsSecrets(t *testing.T) {
	t.Parallel()
	p := place(t)
	v := open(t, p)
	keys, err := vault.KeysFromFile(p.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(p.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	limit := vault.Limit{Name: "send-hour", Key: "jan@voorbeeld.nl", Window: time.Hour, Max: 1}
	_, errClaim := v.Claim(t.Context(), "jan@voorbeeld.nl@")
	_, errTake := v.Take(t.Context(), time.Now(), limit, limit)
	holder := struct {
		keys  *vault.Keys
		Vault *vault.Vault
		copy  vault.Keys
		Limit vault.Limit
	}{keys, v, *keys, limit}
	var out strings.Builder
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	for _, x := range []any{keys, *keys, v, limit, &limit, []vault.Limit{limit}, holder, &holder, errClaim, errTake} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
		logger.Info("test", "x", x)
		if b, err := json.Marshal(x); err == nil {
			out.Write(b)
		}
	}
	secret := file[len(file)-44 : len(file)-1]
	raw, _ := keys.Derive("vault/wrap")
	for _, leak := range []string{
		string(secret), "jan@", "6a616e40", // "jan@" in hexadecimal
		fmt.Sprintf("%x", raw[:4]), strings.Trim(fmt.Sprintf("%d", raw[:4]), "[]"),
	} {
		if strings.Contains(strings.ToLower(out.String()), strings.ToLower(leak)) {
			t.Errorf("%q is printed", leak)
		}
	}
	if !strings.Contains(out.String(), "[redacted]") || !strings.Contains(out.String(), "send-hour") {
		t.Error("nothing was printed at all")
	}
}

func TestKeyFileOfADemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	made, err := vault.CreateDemoKeys(path, []byte("7"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := vault.KeysFromFile(path)
	if err != nil || read.ID() != made.ID() || read.ID() != vault.DemoKeys([]byte("7")).ID() || read.ID() == vault.DemoKeys([]byte("8")).ID() {
		t.Fatalf("%v: %s and %s", err, read.ID(), made.ID())
	}
	// The mark is in the file: it may be copied anywhere.
	if _, err := vault.Open(t.Context(), "sqlite:"+filepath.Join(dir, "vault.db"), read, vault.Options{}); !errors.Is(err, vault.ErrDemoKeys) {
		t.Errorf("a real vault: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "vault.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a vault was made: %v", err)
	}
	if _, err := vault.CreateDemoKeys(path, []byte("8")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v: %v", info.Mode(), err)
	}
}
