package backup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// The names of the files in a backup.
const (
	logFile      = "log.db"
	vaultFile    = "vault.age"
	sealFolder   = "seal"
	manifestFile = "manifest.json"
	sumsFile     = "SHA256SUMS"
)

// format is the version of the layout; it only grows.
const format = 1

// A Manifest says what a backup is of. It holds nothing about a person.
type Manifest struct {
	Format  int       `json:"format"`
	Made    time.Time `json:"made"`    // when it began, UTC, in whole seconds
	Version string    `json:"version"` // of the program that made it

	Store    string          `json:"store"`    // the id of the log
	LogKind  string          `json:"logKind"`  // what it was copied from: "sqlite" or "esdb"
	Position domain.Position `json:"position"` // all that stood up to here is in it

	VaultKind  string   `json:"vaultKind"` // "sqlite" or "postgres"
	Rows       int64    `json:"rows"`
	MasterKeys []string `json:"masterKeys"` // the ids of those that were in use; the first was the current one

	Sealed bool `json:"sealed"` // whether there is a seal

	Files []File `json:"files"` // all but the manifest and the sums, in the order of their names
}

// A File is one of a backup's.
type File struct {
	Name   string `json:"name"` // with slashes
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hexadecimal digits
}

var (
	// ErrForeign says that a folder is no backup.
	ErrForeign = errors.New("not a backup of Keydesk")
	// ErrNewer says that a backup was made by a newer version of this program.
	ErrNewer = errors.New("the backup of a newer Keydesk")
	// ErrDamaged says that a backup is not as it was made. It names each file.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrIdentity says that an identity does not open a backup.
	ErrIdentity = errors.New("not the identity that the vault in this backup is encrypted to")
	// ErrRecipient says that there is nobody whom a vault could be encrypted to.
	ErrRecipient = errors.New("not an age recipient")
	// ErrBusy says that another backup is being made in the same folder.
	ErrBusy = errors.New("another backup is being made here")
	// ErrExists says that there is something already where a backup would be.
	ErrExists = errors.New("there is one already")
)

// maxManifest bounds what is read as one, in bytes.
const maxManifest = 1 << 20

// ReadManifest reads what the backup in a folder says of itself, and checks nothing
// else: see Open.
func ReadManifest(folder string) (Manifest, error) {
	m, _, err := readManifest(folder)
	return m, err
}

func readManifest(folder string) (m Manifest, raw []byte, err error) {
	raw, err = readSmall(filepath.Join(folder, manifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return m, nil, fmt.Errorf("%w: there is no %s in %s", ErrForeign, manifestFile, folder)
	}
	if err != nil {
		return m, nil, err
	}
	m, err = parseManifest(raw)
	return m, raw, err
}

func parseManifest(raw []byte) (m Manifest, err error) {
	var version struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(raw, &version); err != nil || version.Format < 1 {
		return m, fmt.Errorf("%w: %s cannot be read", ErrDamaged, manifestFile)
	}
	if version.Format > format {
		return m, fmt.Errorf("%w: format %d, this program knows %d", ErrNewer, version.Format, format)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return m, fmt.Errorf("%w: %s cannot be read", ErrDamaged, manifestFile)
	}
	for i, f := range m.Files {
		local := filepath.FromSlash(f.Name)
		if !filepath.IsLocal(local) || filepath.Clean(local) != local || len(f.SHA256) != 64 || f.Size < 0 || i > 0 && f.Name <= m.Files[i-1].Name {
			return m, fmt.Errorf("%w: %s names a file that is none", ErrDamaged, manifestFile)
		}
	}
	return m, nil
}

// readSmall reads a file that cannot be large.
func readSmall(name string) (b []byte, err error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	b, err = io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err == nil && len(b) > maxManifest {
		err = fmt.Errorf("%w: %s is too long", ErrDamaged, filepath.Base(name))
	}
	return b, err
}

// openFile opens a file of a backup to read it. A link or a pipe is none: it could lead
// out of the folder, or be without an end.
func openFile(name string) (*os.File, error) {
	info, err := os.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is no file of its own", ErrDamaged, filepath.Base(name))
	}
	if err != nil {
		return nil, err
	}
	return os.Open(name) //nolint:gosec // in the folder of backups
}
