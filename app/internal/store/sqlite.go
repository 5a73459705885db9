package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// How long an append waits for another process that writes, and a reader for
// one that recovers the file.
const lockPatience = 5 * time.Second

// SQLite is the embedded log. Its methods may be called from any number of
// goroutines; the same file may be open in any number of processes, and more
// than once in one. It has to stand on a local disk.
type SQLite struct {
	path    string
	id      string
	created time.Time
	ages    ages // set before anybody reads

	writer  *writer
	readers *pool
	bell    *bell

	closing chan struct{} // closed by Close: nobody begins or goes on reading
	close   func() error
}

// Info describes a log.
type Info struct {
	ID      string    // random UUID, made with the file
	Created time.Time // UTC
	Events  int64
	Streams int64
	Bytes   int64 // on disk, with what SQLite keeps beside the file
}

// OpenSQLite opens the log in a file, and creates it, readable for its owner
// only, when there is none. A file that is no log is refused with ErrForeign,
// one of a newer schema with ErrNewer; neither is changed. That the disk is full, so
// that not even what SQLite keeps beside the file can be made, is domain.ErrUnavailable.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	registerGather()
	s, err := openSQLite(ctx, path, gatherName)
	switch {
	case errors.Is(err, sqlite3.IOERR), errors.Is(err, sqlite3.FULL), errors.Is(err, sqlite3.BUSY):
		return nil, fmt.Errorf("open log %s: %w: %w", path, domain.ErrUnavailable, err)
	case err != nil:
		return nil, fmt.Errorf("open log %s: %w", path, err)
	}
	return s, nil
}

// openSQLite opens the log; what appends uses a gatherFS of some name.
func openSQLite(ctx context.Context, path, fileSystem string) (*SQLite, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, err
	}
	db, err := connect(ctx, path, fileSystem)
	if err != nil {
		return nil, err
	}
	s := &SQLite{path: path, closing: make(chan struct{})}
	if err = prepare(ctx, db); err == nil {
		err = s.describe(db)
	}
	if err == nil {
		s.bell, err = newBell(path + "-bell")
	}
	if err == nil {
		s.writer, err = newWriter(db, path, s.bell.ring)
	}
	if err != nil {
		return nil, errors.Join(err, disconnect(db))
	}
	s.readers = newPool(path)
	s.close = sync.OnceValue(s.shut)
	return s, nil
}

// connect opens one more connection to the file. What the connection is to
// wait for a lock is set before anything else can meet one.
func connect(ctx context.Context, path, fileSystem string) (*sqlite3.Conn, error) {
	db, err := sqlite3.OpenContext(ctx, uri(path, fileSystem))
	if err != nil {
		return nil, err
	}
	if err := db.BusyTimeout(lockPatience); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	err = db.Exec(`PRAGMA synchronous = FULL`)
	switch {
	case errors.Is(err, sqlite3.NOTADB):
		return nil, errors.Join(ErrForeign, err, db.Close())
	case err != nil:
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// uri names the file for SQLite (https://sqlite.org/uri.html). What SQLite
// makes beside it gets the same permissions.
func uri(path, fileSystem string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // a drive
		path = "/" + path
	}
	u := url.URL{Scheme: "file", Path: path}
	u.RawQuery = "modeof=" + strings.ReplaceAll(url.QueryEscape(path), "+", "%20")
	if fileSystem != "" {
		u.RawQuery += "&vfs=" + fileSystem
	}
	return u.String()
}

// disconnect closes a connection with its statements.
func disconnect(db *sqlite3.Conn) error {
	for _, stmt := range slices.Collect(db.Stmts()) {
		_ = stmt.Close() // reports again what its last step reported
	}
	return db.Close()
}

func (s *SQLite) describe(db *sqlite3.Conn) error {
	stmt, _, err := db.Prepare(`SELECT id, created FROM store`)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // reports again what Step reported
	if !stmt.Step() {
		return errors.Join(ErrForeign, stmt.Err())
	}
	s.id, s.created = stmt.ColumnText(0), time.UnixMicro(stmt.ColumnInt64(1)).UTC()
	return nil
}

// Head returns the position of the last event, 0 in an empty log.
func (s *SQLite) Head(ctx context.Context) (head domain.Position, err error) {
	err = s.reading(ctx, func(r *reader) error {
		head, err = r.headPosition()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read head of the log: %w", err)
	}
	return head, nil
}

// Identity returns the id of the log: a UUID that was made with the file, and goes
// with every copy of the file.
func (s *SQLite) Identity(context.Context) (string, error) { return s.id, nil }

// Info counts what the log holds. It reads an index of the whole log: some
// tens of milliseconds for a million events.
func (s *SQLite) Info(ctx context.Context) (Info, error) {
	i := Info{ID: s.id, Created: s.created}
	err := s.reading(ctx, func(r *reader) (err error) {
		if i.Events, err = queryInt(r.db, `SELECT count(*) FROM events`); err != nil {
			return err
		}
		i.Streams, err = queryInt(r.db, `SELECT count(*) FROM streams`)
		return err
	})
	if err != nil {
		return Info{}, fmt.Errorf("count what the log holds: %w", err)
	}
	for _, name := range []string{s.path, s.path + "-wal", s.path + "-shm"} {
		if f, err := os.Stat(name); err == nil {
			i.Bytes += f.Size()
		}
	}
	return i, nil
}

// Close waits until what was queued for appending is recorded, ends every
// Follow, and waits for the reads that run. What is called later fails with
// domain.ErrUnavailable. It must not be called from within a yield.
func (s *SQLite) Close() error {
	if err := s.close(); err != nil {
		return fmt.Errorf("close log: %w", err)
	}
	return nil
}

func (s *SQLite) shut() error {
	s.writer.drain()
	close(s.closing)
	// The writer's connection goes last: the last one of all processes folds
	// the write-ahead log into the file.
	return errors.Join(s.readers.close(), s.bell.close(), disconnect(s.writer.db))
}

// reading runs do with a connection of its own.
func (s *SQLite) reading(ctx context.Context, do func(*reader) error) error {
	r, err := s.readers.take(ctx)
	if err != nil {
		return err
	}
	defer s.readers.give(r)
	r.db.SetInterrupt(ctx)
	return readFailure(ctx, do(r))
}

// errClosed: the handle was closed.
var errClosed = fmt.Errorf("%w: the log is closed", domain.ErrUnavailable)

// readFailure says in the words of the house why a read failed.
func readFailure(ctx context.Context, err error) error {
	var code sqlite3.ErrorCode
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && errors.Is(err, sqlite3.INTERRUPT):
		return context.Cause(ctx)
	case errors.As(err, &code):
		return fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
	}
	return err
}
