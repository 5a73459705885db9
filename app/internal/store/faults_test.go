package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/keydesk/keydesk/domain"
)

// A faultyFS is a file system whose write-ahead log fails when told so.
type faultyFS struct {
	vfs.VFS
	write, sync atomic.Bool
}

func (fs *faultyFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(fs.VFS, name, flags)
	if err != nil || flags&vfs.OPEN_WAL == 0 {
		return f, flags, err
	}
	return &faultyFile{f, fs}, flags, nil
}

type faultyFile struct {
	vfs.File
	fs *faultyFS
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if f.fs.write.Load() {
		return 0, sqlite3.IOERR_WRITE
	}
	return f.File.WriteAt(p, off)
}

func (f *faultyFile) Sync(flags vfs.SyncFlag) error {
	if f.fs.sync.Load() {
		return sqlite3.IOERR_FSYNC
	}
	return f.File.Sync(flags)
}

func openFaulty(t *testing.T) (*SQLite, *faultyFS) {
	t.Helper()
	fs := &faultyFS{VFS: vfs.Find("")}
	name := "faulty" + filepath.Base(filepath.Dir(t.TempDir()))
	vfs.Register(name, gatherFS{fs})
	t.Cleanup(func() { vfs.Unregister(name) })
	s, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "log.db"), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // after the checks
	return s, fs
}

func faultMessage(i int) domain.Message {
	return domain.Message{ID: domain.EventIDFor(domain.CommandID{1}, i), Type: "NameSet", Data: []byte(`{}`)}
}

// TestFaults lets commits fail: while writing, nothing was recorded; while
// syncing, nobody knows. Either way the same again is recorded once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(*faultyFS) *atomic.Bool
		want  error
	}{
		"write": {func(fs *faultyFS) *atomic.Bool { return &fs.write }, domain.ErrUnavailable},
		"sync":  {func(fs *faultyFS) *atomic.Bool { return &fs.sync }, domain.ErrUnknownOutcome},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, fs := openFaulty(t)
			fault := test.fault(fs)
			const writers = 12
			appendOne := func(i int) error {
				_, err := s.Append(t.Context(), person(i), domain.NoStream, faultMessage(i))
				return err
			}
			fault.Store(true)
			for i, err := range together(writers, appendOne) {
				if !errors.Is(err, test.want) {
					t.Errorf("writer %d: %v instead of %v", i, err, test.want)
				}
			}
			if head, err := s.Head(t.Context()); err != nil || head != 0 {
				t.Errorf("head %d, %v", head, err)
			}
			fault.Store(false)
			for range 2 {
				if err := errors.Join(together(writers, appendOne)...); err != nil {
					t.Error(err)
				}
			}
			if info, err := s.Info(t.Context()); err != nil || info.Events != writers || info.Streams != writers {
				t.Errorf("%+v, %v", info, err)
			}
		})
	}
}

func person(i int) string { return fmt.Sprintf("enrolment-%d", i) }

// together does something n times at once and returns what became of each.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errs
}
