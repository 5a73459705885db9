package store

import (
	"errors"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Reading a whole log page by page spends a quarter of its time in system calls.
// So the readers' file system is the usual one, with one difference: while a
// scan says so, pages that are asked for in order are fetched many at a time.
const (
	aheadName  = "keydesk-ahead"
	aheadBytes = 128 << 10
	aheadGap   = 32 << 10 // how far behind the last page the next one may be, to be in order
)

var registerAhead = sync.OnceFunc(func() { vfs.Register(aheadName, aheadFS{vfs.Find("")}) })

type aheadFS struct{ vfs.VFS }

// OpenFilename implements vfs.VFSFilename.
func (fs aheadFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(fs.VFS, name, flags)
	if err != nil || flags&vfs.OPEN_MAIN_DB == 0 {
		return f, flags, err
	}
	return &aheadFile{File: f}, flags, nil
}

// An aheadFile is the file of the log. Within one read transaction, SQLite
// takes from it only pages that nobody changes meanwhile: changes go to the
// write-ahead log, and a checkpoint copies back nothing that a reader could
// still want from the file. So what was fetched is good until end.
type aheadFile struct {
	vfs.File
	on     bool
	last   int64 // where the last page was that had to be fetched
	offset int64 // of what was fetched
	pages  []byte
	memory []byte
}

// SharedMemory implements vfs.FileSharedMemory.
func (f *aheadFile) SharedMemory() vfs.SharedMemory {
	if shared, ok := f.File.(vfs.FileSharedMemory); ok {
		return shared.SharedMemory()
	}
	return nil
}

// Unwrap implements vfs.FileUnwrap.
func (f *aheadFile) Unwrap() vfs.File { return f.File }

// begin says that a scan begins, in a read transaction of its own.
func (f *aheadFile) begin() {
	if f.memory == nil {
		f.memory = make([]byte, aheadBytes)
	}
	f.on, f.last, f.pages = true, 0, nil
}

// end says that the scan's transaction is over.
func (f *aheadFile) end() { f.on, f.pages = false, nil }

// ReadAt implements io.ReaderAt.
func (f *aheadFile) ReadAt(p []byte, off int64) (int, error) {
	if !f.on {
		return f.File.ReadAt(p, off)
	}
	if n, ok := f.fetched(p, off); ok {
		return n, nil
	}
	inOrder := off > f.last && off-f.last <= aheadGap+int64(len(f.pages))
	f.last = off
	if inOrder {
		n, err := f.File.ReadAt(f.memory, off)
		f.offset, f.pages = off, f.memory[:n]
		if n, ok := f.fetched(p, off); ok {
			return n, nil
		}
		if err != nil {
			return copy(p, f.pages), err
		}
	}
	return f.File.ReadAt(p, off)
}

func (f *aheadFile) fetched(p []byte, off int64) (int, bool) {
	at := off - f.offset
	if at < 0 || at+int64(len(p)) > int64(len(f.pages)) {
		return 0, false
	}
	return copy(p, f.pages[at:]), true
}

// aheadOf finds the file of a connection that was opened with aheadName.
func aheadOf(db *sqlite3.Conn) (*aheadFile, error) {
	found, err := db.FileControl("main", sqlite3.FCNTL_FILE_POINTER)
	if err != nil {
		return nil, err
	}
	if file, ok := found.(vfs.File); ok {
		if f, ok := vfsutil.UnwrapFile[*aheadFile](file); ok {
			return f, nil
		}
	}
	return nil, errors.New("the log is not open for reading ahead")
}
