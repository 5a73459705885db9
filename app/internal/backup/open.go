package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// A Backup is one that was read from its first to its last byte, and is as it was made.
type Backup struct {
	Manifest
	folder string
}

// Open reads a whole backup. One that is not as it was made is ErrDamaged, which names
// each file that was changed, is missing, or does not belong to it; one of a newer
// program is ErrNewer; what is none, ErrForeign. The files themselves say whether they
// are true: the log by its seal, the vault by its master key.
func Open(folder string) (*Backup, error) {
	m, raw, err := readManifest(folder)
	if err == nil {
		err = check(folder, m, raw)
	}
	if err != nil {
		return nil, fmt.Errorf("read the backup in %s: %w", folder, err)
	}
	return &Backup{m, folder}, nil
}

// check compares all files with what the manifest says of them; but for one that was
// changed, which says nothing.
func check(folder string, m Manifest, raw []byte) error {
	manifest, sums := checkSums(folder, m, raw)
	if manifest != nil {
		return manifest
	}
	there, err := sumFolder(folder)
	if err != nil {
		return err
	}
	return errors.Join(append(compareFiles(m.Files, there), sums)...)
}

// compareFiles says of each file how it is not what the manifest says.
func compareFiles(want, there []File) (bad []error) {
	found := map[string]File{}
	for _, f := range there {
		if f.Name != manifestFile && f.Name != sumsFile {
			found[f.Name] = f
		}
	}
	for _, w := range want {
		f, ok := found[w.Name]
		delete(found, w.Name)
		switch {
		case !ok:
			bad = append(bad, fmt.Errorf("%w: %s is missing", ErrDamaged, w.Name))
		case f.Size != w.Size:
			bad = append(bad, fmt.Errorf("%w: %s has %d bytes instead of %d", ErrDamaged, w.Name, f.Size, w.Size))
		case f.SHA256 != w.SHA256:
			bad = append(bad, fmt.Errorf("%w: %s was changed", ErrDamaged, w.Name))
		}
	}
	for _, f := range there {
		if _, left := found[f.Name]; left {
			bad = append(bad, fmt.Errorf("%w: %s does not belong to it", ErrDamaged, f.Name))
		}
	}
	return bad
}

// checkSums says whether the manifest is what the sums say, and the sums are what the
// manifest says.
func checkSums(folder string, m Manifest, raw []byte) (manifest, sums error) {
	b, err := readSmall(filepath.Join(folder, sumsFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %s is missing", ErrDamaged, sumsFile)
	case err != nil:
		return nil, err
	}
	var want strings.Builder
	for _, f := range m.Files {
		fmt.Fprintf(&want, "%s  %s\n", f.SHA256, f.Name)
	}
	own := sha256.Sum256(raw)
	last := hex.EncodeToString(own[:]) + "  " + manifestFile + "\n"
	switch got := string(b); {
	case got == want.String()+last:
		return nil, nil
	case strings.HasSuffix(got, last), !strings.HasSuffix(got, last[2*sha256.Size:]):
		return nil, fmt.Errorf("%w: %s was changed", ErrDamaged, sumsFile)
	}
	return fmt.Errorf("%w: %s was changed", ErrDamaged, manifestFile), nil
}

// CopyLog copies the log into a file that is not there yet, durable on return.
func (b *Backup) CopyLog(to string) error {
	return copyFile(filepath.Join(b.folder, logFile), to)
}

// CopySeal copies the seal into a folder that is not there yet, durable on return.
func (b *Backup) CopySeal(to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	from := filepath.Join(b.folder, sealFolder)
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return syncFolder(to)
}

// SealFolder is where the seal lies, to be read.
func (b *Backup) SealFolder() string { return filepath.Join(b.folder, sealFolder) }

// Checkpoint returns the last checkpoint of the seal.
func (b *Backup) Checkpoint() ([]byte, error) {
	return readSmall(filepath.Join(b.folder, sealFolder, "checkpoint"))
}

func copyFile(from, to string) (err error) {
	in, err := openFile(from)
	if err != nil {
		return err
	}
	defer in.Close()                                                      //nolint:errcheck // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator's to choose
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// maxIdentity bounds the file of an identity, in bytes.
const maxIdentity = 64 << 10

// Vault calls read with the vault, decrypted with the identity in a file. One that does
// not open it is ErrIdentity, and so is a file that holds none; read is not called then.
func (b *Backup) Vault(identityFile string, read func(io.Reader) error) error {
	ids, err := identities(identityFile)
	if err != nil {
		return err
	}
	f, err := openFile(filepath.Join(b.folder, vaultFile))
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	r, err := age.Decrypt(f, ids...)
	if _, none := errors.AsType[*age.NoIdentityMatchError](err); none {
		return ErrIdentity
	}
	if err != nil {
		return fmt.Errorf("decrypt %s: %w", vaultFile, err)
	}
	return read(r)
}

// VaultSize returns how many bytes of the vault are in it: a few more than Vault gives.
func (b *Backup) VaultSize() int64 {
	for _, f := range b.Files {
		if f.Name == vaultFile {
			return f.Size
		}
	}
	return 0
}

// identities reads age's file of private keys. No error repeats what is in it.
func identities(name string) ([]age.Identity, error) {
	f, err := os.Open(name) //nolint:gosec // the operator's to choose
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(f, maxIdentity))
	if err != nil {
		return nil, err
	}
	defer clear(b)
	if bytes.HasPrefix(b, []byte("age-encryption.org/")) || bytes.HasPrefix(b, []byte("-----BEGIN AGE")) {
		return nil, fmt.Errorf("%w: %s is encrypted itself: decrypt it with age first", ErrIdentity, name)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %s holds none that begins with AGE-SECRET-KEY", ErrIdentity, name)
	}
	return ids, nil
}
