package home

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/replay"
)

// A Deriver derives keys from a master key.
type Deriver interface {
	Derive(purpose string) (key [32]byte, id string)
}

// A shelf keeps what folds go on from, in files of a folder: whoever answers the login
// service, the auditor, or a replay believes them as if the log had been read. So each ends
// with a MAC: whoever can write to the home and has no master key could else have it said
// that somebody has another factor, or that an event was none. Without a key a shelf is
// empty, and keeps nothing.
//
// A file that was right once, and is put back, is right again: it is of the log that it
// names an event of, and goes on from there.
type shelf struct {
	folder  string
	key     *[32]byte // nil: there is none
	durable bool      // what is kept is on disk when Keep returns; else a crash may damage it, and it is made again
}

// newShelf returns the shelf in a folder. Its name is part of what its files say.
func newShelf(folder string, keys Deriver, durable bool) shelf {
	s := shelf{folder: folder, durable: durable}
	if keys != nil {
		key, _ := keys.Derive("folds/" + filepath.Base(folder))
		s.key = &key
	}
	return s
}

// What a fold has written ends with the SHA-256 of it, and some numbers at the most behind
// that: it is enough that the MAC is over its end, and nothing is hashed a second time.
const (
	macSize = sha256.Size
	tail    = 2 * sha256.Size
)

// mac returns the MAC of a file by its name and its end.
func (s shelf) mac(name string, end []byte) []byte {
	h := hmac.New(sha256.New, s.key[:])
	fmt.Fprintf(h, "%d %s\n", len(name), name)
	h.Write(end)
	return h.Sum(nil)
}

// Names implements replay.Keeper.
func (s shelf) Names() ([]string, error) {
	if s.key == nil {
		return nil, nil
	}
	entries, err := os.ReadDir(s.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// Open implements replay.Keeper. What it returns is to be believed when its own checksum
// fits; a file that was not written with the key is feed.ErrSnapshot.
func (s shelf) Open(name string) (_ replay.Kept, err error) {
	if s.key == nil {
		return nil, fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(s.folder, name)) //nolint:gosec // the home is the operator's to choose
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size() - macSize
	if size < tail {
		return nil, fmt.Errorf("%w: cut off", feed.ErrSnapshot)
	}
	var end [tail + macSize]byte
	if _, err := f.ReadAt(end[:], size-tail); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !hmac.Equal(end[tail:], s.mac(name, end[:tail])) {
		return nil, fmt.Errorf("%w: it was not written with the master key that is here", feed.ErrSnapshot)
	}
	return keptFile{io.NewSectionReader(f, 0, size), f}, nil
}

// A keptFile is a file without its MAC.
type keptFile struct {
	*io.SectionReader
	io.Closer
}

// Keep implements replay.Keeper: the file is there as a whole, or the old one still is.
func (s shelf) Keep(name string, write func(io.Writer) error) (err error) {
	if s.key == nil {
		return nil
	}
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.folder, "."+name+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it was renamed, or failed already
	w := &ending{to: bufio.NewWriterSize(f, 1<<18)}
	if err = write(w); err == nil {
		_, err = w.to.Write(s.mac(name, w.end))
	}
	err = errors.Join(err, w.to.Flush())
	if err == nil && s.durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(s.folder, name))
}

// ending remembers the end of what is written.
type ending struct {
	to  *bufio.Writer
	end []byte // at most tail bytes
}

func (w *ending) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.end = append(w.end, b[:n]...)
	w.end = append(w.end[:0], w.end[max(0, len(w.end)-tail):]...)
	return n, err
}

// Drop implements replay.Keeper.
func (s shelf) Drop(name string) error {
	err := os.Remove(filepath.Join(s.folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
