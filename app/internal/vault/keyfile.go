package vault

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// The master key file, version 1, is text:
//
//	keydesk-master-key v1
//	# any number of remarks
//	key 8c1f2a90d3b7e465 <43 characters: 32 bytes in base64url without padding>
//
// One line a key, the current one first. The id before a key is derived from
// it, so a damaged line is noticed. A key that was made of a seed has "demo" in the
// place of "key". Lines end in LF; empty lines and lines that begin with # are
// passed over.
const (
	keyFileHeader = "keydesk-master-key v1"
	keyFileRemark = "# Whoever reads this file can open the vault; without it the vault is lost. Keep one copy, off this machine."
	maxKeyFile    = 16 << 10 // bytes
	maxKeys       = 16
)

// LoadOrCreateKeys reads the master key file at path, and makes it first when
// there is none: one random key, mode 0600, durable on return. When several
// processes do so at once, exactly one file comes to be and all return its key.
// The folder must exist. A file that others than its owner may read is refused
// (ErrKeyFile).
func LoadOrCreateKeys(path string) (*Keys, error) {
	k, err := KeysFromFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := createKeyFile(path, newKeys()); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make master key file: %w", err)
	}
	return KeysFromFile(path) // ours, or that of whoever was first
}

// CreateDemoKeys makes the master key file of a demo, with the key of a seed (see
// DemoKeys), durable on return. A file that is there already is fs.ErrExist, and
// stays as it is.
func CreateDemoKeys(path string, seed []byte) (*Keys, error) {
	k := DemoKeys(seed)
	if err := createKeyFile(path, k); err != nil {
		return nil, fmt.Errorf("make the master key file of a demo: %w", err)
	}
	return k, nil
}

// KeysFromFile reads a master key file and never makes one. A missing file is
// fs.ErrNotExist; a damaged one, or one that others than its owner may read, is
// ErrKeyFile.
func KeysFromFile(path string) (*Keys, error) {
	return readKeyFile(path, 0o077)
}

// KeysFromCredential reads the master key file that systemd passed as a
// credential of the given name (LoadCredential=, systemd.exec(5)). systemd
// guards that folder itself and may show group bits on the file, for an access
// list; those are accepted there, and only there.
func KeysFromCredential(name string) (*Keys, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || !filepath.IsLocal(name) {
		return nil, fmt.Errorf("%w: no systemd credential of that name", fs.ErrNotExist)
	}
	return readKeyFile(filepath.Join(dir, name), 0o007)
}

// readKeyFile refuses a file with any of the forbidden permission bits.
func readKeyFile(path string, forbidden fs.FileMode) (*Keys, error) {
	f, err := os.Open(path) //nolint:gosec // the path is the operator's
	if err != nil {
		return nil, fmt.Errorf("read master key file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read master key file: %w", err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrKeyFile, path)
	case mode.Perm()&forbidden != 0 && runtime.GOOS != "windows": // which has access lists, not modes
		return nil, fmt.Errorf("%w: %s has mode %#o and may be read by others; set it to 0600", ErrKeyFile, path, mode.Perm())
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("read master key file: %w", err)
	}
	defer clear(b)
	k, err := parseKeys(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// createKeyFile writes the ring beside path and links it there, so that nobody
// ever sees half a file and the first one wins (fs.ErrExist for the others).
func createKeyFile(path string, k *Keys) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".master-key-*") // O_EXCL, mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	b := k.marshal()
	_, err = f.Write(b)
	clear(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in a folder durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // cannot sync a folder; NTFS journals names
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // the path is the operator's
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// marshal writes the file's text.
func (k *Keys) marshal() []byte {
	b := []byte(keyFileHeader + "\n" + keyFileRemark + "\n")
	for _, m := range k.ring {
		word := "key"
		if m.demo {
			word = "demo"
		}
		b = fmt.Appendf(b, "%s %s ", word, m.id)
		b = base64.RawURLEncoding.AppendEncode(b, m.secret[:])
		b = append(b, '\n')
	}
	return b
}

// parseKeys reads the file's text. Its errors name the line, never what is in it.
func parseKeys(b []byte) (*Keys, error) {
	if len(b) > maxKeyFile {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrKeyFile, maxKeyFile)
	}
	k := &Keys{}
	seen := map[string]bool{}
	for i, line := range bytes.Split(b, []byte("\n")) {
		switch {
		case i == 0:
			if string(line) != keyFileHeader {
				return nil, fmt.Errorf("%w: line 1 is not %q", ErrKeyFile, keyFileHeader)
			}
			continue
		case len(line) == 0 || line[0] == '#':
			continue
		}
		m, err := parseKeyLine(string(line))
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: line %d: %w", ErrKeyFile, i+1, err)
		case seen[m.id]:
			return nil, fmt.Errorf("%w: line %d: the same key a second time", ErrKeyFile, i+1)
		case len(k.ring) == maxKeys:
			return nil, fmt.Errorf("%w: line %d: more than %d keys", ErrKeyFile, i+1, maxKeys)
		}
		seen[m.id] = true
		k.ring = append(k.ring, m)
	}
	if len(k.ring) == 0 {
		return nil, fmt.Errorf("%w: it holds no key", ErrKeyFile)
	}
	return k, nil
}

func parseKeyLine(line string) (masterKey, error) {
	word, rest, _ := strings.Cut(line, " ")
	id, text, ok := strings.Cut(rest, " ")
	if word != "key" && word != "demo" || !ok {
		return masterKey{}, errors.New(`not of the form "key ID SECRET"`)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// the decoder passes over line ends, which a line on its own may still have
	if err != nil || len(b) != keySize || len(text) != base64.RawURLEncoding.EncodedLen(keySize) {
		return masterKey{}, errors.New("the secret is not 32 bytes in base64url")
	}
	m := masterKey{secret: (*[keySize]byte)(b), demo: word == "demo"}
	if m.id = keyID(m.secret); m.id != id {
		return masterKey{}, errors.New("the id does not belong to the secret")
	}
	return m, nil
}
