package store

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// SQLite writes each page of a commit to the write-ahead log in two system
// calls, in order, and then syncs. So the writer's file system is the usual
// one, with one difference: what is written to the write-ahead log in order is
// gathered, and written at once before the sync.
const (
	gatherName  = "keydesk-gather"
	gatherBytes = 256 << 10
)

var registerGather = sync.OnceFunc(func() { vfs.Register(gatherName, gatherFS{vfs.Find("")}) })

type gatherFS struct{ vfs.VFS }

// OpenFilename implements vfs.VFSFilename.
func (g gatherFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(g.VFS, name, flags)
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f, flags, err
	}
	return &gatherFile{File: f}, flags, nil
}

// A gatherFile is the write-ahead log as one connection has it open. What it
// has gathered belongs to the open transaction: others may write to the same
// place once that is over. A commit leaves nothing gathered, since it syncs;
// after a rollback, drop has to be called.
type gatherFile struct {
	vfs.File
	offset int64 // of what is gathered
	bytes  []byte
}

// gathererOf finds the write-ahead log of a connection that has read already.
func gathererOf(db *sqlite3.Conn) (*gatherFile, error) {
	found, err := db.FileControl("main", sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return nil, err
	}
	if f, ok := found.(*gatherFile); ok {
		return f, nil
	}
	return nil, errors.New("the write-ahead log is not open for gathering")
}

// drop forgets what was gathered.
func (f *gatherFile) drop() { f.bytes = f.bytes[:0] }

// flush writes what was gathered. It fails as a write does, whoever asks for
// it: what is not written is not recorded.
func (f *gatherFile) flush() error {
	if len(f.bytes) == 0 {
		return nil
	}
	_, err := f.File.WriteAt(f.bytes, f.offset)
	f.drop()
	if failed, ok := err.(*fs.PathError); ok { //nolint:errorlint // others have SQLite's code already
		return vfs.SystemError(failed, sqlite3.IOERR_WRITE)
	}
	return err
}

// WriteAt implements io.WriterAt.
func (f *gatherFile) WriteAt(p []byte, off int64) (int, error) {
	if off != f.offset+int64(len(f.bytes)) || len(f.bytes)+len(p) > gatherBytes {
		if err := f.flush(); err != nil {
			return 0, err
		}
		f.offset = off
	}
	f.bytes = append(f.bytes, p...)
	return len(p), nil
}

// ReadAt implements io.ReaderAt.
func (f *gatherFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Sync implements vfs.File.
func (f *gatherFile) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Truncate implements vfs.File.
func (f *gatherFile) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Size implements vfs.File.
func (f *gatherFile) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}
