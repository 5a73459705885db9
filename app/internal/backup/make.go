package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/gofrs/flock"

	"github.com/keydesk/keydesk/domain"
)

// A Source is an installation to be backed up. Its functions are called in the order
// seal, log, vault: so the seal never says more than the log beside it, and the log
// never names what the vault beside it lacks.
type Source struct {
	Store      string // the id of the log
	LogKind    string
	VaultKind  string
	MasterKeys []string // ids, the current one first

	// Seal copies the seal into a folder that is not there yet; false: there is none.
	Seal func(ctx context.Context, folder string) (bool, error)
	// Log copies the log into a file that is not there yet.
	Log func(ctx context.Context, file string) (domain.Position, error)
	// Vault writes the vault, and returns how many rows it has.
	Vault func(ctx context.Context, w io.Writer) (rows int64, err error)
}

// Options say where a backup goes.
type Options struct {
	Folder    string // of all backups; it is made where there is none
	Recipient string // whom the vault is encrypted to, "age1…"
	Keep      int    // so many backups are left, with this one; 0: all. Those of after Now are not counted, and left alone
	Now       time.Time
	Version   string // of the program
}

// Made is what became of a backup.
type Made struct {
	Manifest
	Folder  string   // of this backup
	Bytes   int64    // of all its files
	Removed []string // the folders of older ones, which are gone
}

// nameForm is what the folder of a backup is called: its time, in UTC.
const nameForm = "2006-01-02T150405Z"

// partial is what the name of a folder begins with that is not a backup yet, or not
// any more. Whoever makes the next one removes it.
const partial = ".partial-"

// recipients reads whom age can encrypt to: ErrRecipient where it is nobody. No error
// repeats it: it may be the private key.
func recipients(s string) ([]age.Recipient, error) {
	if strings.ContainsAny(s, "\r\n#") {
		return nil, ErrRecipient
	}
	r, err := age.ParseRecipients(strings.NewReader(s))
	if err != nil {
		return nil, fmt.Errorf("%w: a public key begins with age1", ErrRecipient)
	}
	return r, nil
}

// Make makes a backup, and removes those that are too many. Only one is made in a
// folder at a time: ErrBusy. It is whole and on disk under its name when Make returns,
// or it is not there.
func Make(ctx context.Context, o Options, s Source) (m Made, err error) {
	to, err := recipients(o.Recipient)
	if err != nil {
		return m, err
	}
	if err := os.MkdirAll(o.Folder, 0o700); err != nil {
		return m, fmt.Errorf("make the folder of backups: %w", err)
	}
	unlock, err := lock(o.Folder)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := removePartial(o.Folder); err != nil {
		return m, fmt.Errorf("remove what a backup left that was broken off: %w", err)
	}
	name := o.Now.UTC().Format(nameForm)
	m.Folder = filepath.Join(o.Folder, name)
	if _, err := os.Lstat(m.Folder); !errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("make a backup: %w: %s", ErrExists, m.Folder)
	}
	work := filepath.Join(o.Folder, partial+name)
	if m.Manifest, m.Bytes, err = makeIn(ctx, work, to, o, s); err == nil {
		err = errors.Join(os.Rename(work, m.Folder), syncFolder(o.Folder))
	}
	if err != nil {
		return m, fmt.Errorf("make a backup: %w", errors.Join(err, os.RemoveAll(work)))
	}
	if o.Keep > 0 {
		if m.Removed, err = removeOld(o.Folder, o.Keep, o.Now); err != nil {
			return m, fmt.Errorf("the backup is made; remove older ones: %w", err)
		}
	}
	return m, nil
}

// lock keeps others from making a backup in the same folder. A lock goes with its
// process, however that ends.
func lock(folder string) (unlock func() error, err error) {
	l, err := lockFile(folder, ".lock")
	if err != nil {
		return nil, err
	}
	ok, err := l.TryLock()
	switch {
	case err != nil:
		return nil, fmt.Errorf("lock the folder of backups: %w", err)
	case !ok:
		return nil, fmt.Errorf("%w: %s", ErrBusy, folder)
	}
	return l.Close, nil
}

// lockFile returns the lock of a name in a folder, not locked yet. A link could have a
// file made elsewhere, and a pipe has whoever opens it wait.
func lockFile(folder, name string) (*flock.Flock, error) {
	path := filepath.Join(folder, name)
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no file of its own", ErrDamaged, name)
	}
	return flock.New(path, flock.SetPermissions(0o600)), nil
}

// makeIn makes a backup in a folder of its own.
func makeIn(ctx context.Context, work string, to []age.Recipient, o Options, s Source) (m Manifest, size int64, err error) {
	m = Manifest{
		Format: format, Made: o.Now.UTC().Truncate(time.Second), Version: o.Version,
		Store: s.Store, LogKind: s.LogKind, VaultKind: s.VaultKind, MasterKeys: s.MasterKeys,
	}
	if err := os.Mkdir(work, 0o700); err != nil {
		return m, 0, err
	}
	if m.Sealed, err = s.Seal(ctx, filepath.Join(work, sealFolder)); err != nil {
		return m, 0, fmt.Errorf("the seal: %w", err)
	}
	if m.Position, err = s.Log(ctx, filepath.Join(work, logFile)); err != nil {
		return m, 0, err
	}
	if m.Rows, err = encrypt(filepath.Join(work, vaultFile), to, func(w io.Writer) (int64, error) { return s.Vault(ctx, w) }); err != nil {
		return m, 0, err
	}
	if m.Files, err = sumFolder(work); err != nil {
		return m, 0, err
	}
	for _, f := range m.Files {
		size += f.Size
	}
	return m, size, writeManifest(work, m)
}

// encrypt writes a file that only the recipients can read.
func encrypt(name string, to []age.Recipient, write func(io.Writer) (int64, error)) (rows int64, err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in the folder of backups
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := age.Encrypt(f, to...)
	if err != nil {
		return 0, fmt.Errorf("encrypt the vault: %w", err)
	}
	if rows, err = write(w); err != nil {
		return 0, err
	}
	return rows, errors.Join(w.Close(), f.Sync())
}

// writeManifest writes what the backup is, and the sums of everything.
func writeManifest(work string, m Manifest) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	b = append(b, '\n')
	own := sha256.Sum256(b)
	var sums strings.Builder
	for _, f := range m.Files {
		fmt.Fprintf(&sums, "%s  %s\n", f.SHA256, f.Name)
	}
	fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(own[:]), manifestFile)
	return errors.Join(
		writeFile(filepath.Join(work, manifestFile), b),
		writeFile(filepath.Join(work, sumsFile), []byte(sums.String())),
		syncFolders(work))
}

func writeFile(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // in the folder of backups
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// sumFolder reads all files of a backup, in the order of their names.
func sumFolder(folder string) (files []File, err error) {
	err = filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		f, err := sumFile(name)
		f.Name = filepath.ToSlash(rel)
		files = append(files, f)
		return err
	})
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, err
}

func sumFile(name string) (f File, err error) {
	in, err := openFile(name)
	if err != nil {
		return f, err
	}
	defer in.Close() //nolint:errcheck // only read
	h := sha256.New()
	if f.Size, err = io.Copy(h, in); err != nil {
		return f, err
	}
	f.SHA256 = hex.EncodeToString(h.Sum(nil))
	return f, nil
}

// names returns the folders of the backups in a folder that were made until a moment, the
// oldest first. What is later was made by a clock that ran ahead, or by somebody else: it
// would be the newest one for years, and every true one too old beside it.
func names(folder string, until time.Time) (all []string, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if at, err := time.Parse(nameForm, e.Name()); err == nil && e.IsDir() && !at.After(until) {
			all = append(all, e.Name())
		}
	}
	return all, nil // ReadDir sorts them
}

// removeOld removes the oldest backups, so that so many are left of those until now.
func removeOld(folder string, keep int, now time.Time) (removed []string, err error) {
	all, err := names(folder, now)
	if err != nil {
		return nil, err
	}
	for _, name := range all[:max(0, len(all)-keep)] {
		// What is half removed must not be taken for a backup.
		gone := filepath.Join(folder, partial+name)
		if err := errors.Join(os.Rename(filepath.Join(folder, name), gone), os.RemoveAll(gone)); err != nil {
			return removed, err
		}
		removed = append(removed, filepath.Join(folder, name))
	}
	return removed, nil
}

func removePartial(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), partial) {
			if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// ahead is by how much the clock of whoever makes backups may run ahead.
const ahead = time.Hour

// Last returns the newest backup in a folder that is not of the future; false: there is
// none.
func Last(folder string, now time.Time) (Manifest, bool, error) {
	all, err := names(folder, now.Add(ahead))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(all) == 0 {
		return Manifest{}, false, nil
	}
	if err != nil {
		return Manifest{}, false, err
	}
	m, err := ReadManifest(filepath.Join(folder, all[len(all)-1]))
	return m, err == nil, err
}

// syncFolders makes the names in a folder and in those in it durable.
func syncFolders(folder string) error {
	return filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncFolder(name)
	})
}

func syncFolder(folder string) error {
	if runtime.GOOS == "windows" { // cannot sync a folder; NTFS journals names
		return nil
	}
	d, err := os.Open(folder) //nolint:gosec // the operator's to choose
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
