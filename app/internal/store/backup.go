package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// backupPages is how many pages are copied between two looks at the context.
const backupPages = 1024

// Backup writes what the log holds at one moment into a new file, which is a log of
// the same id, and returns the position of its last event. Appends go on meanwhile,
// in all processes; the write-ahead log cannot start over until it is done, which is
// about a second for a million events. The file is on disk when it returns; its name
// is not until the folder is synced.
//
// progress is told how many pages are copied; it may be nil.
//
// A file that is there already is fs.ErrExist, and stays. After an error there is no
// new file; that the disk is full is domain.ErrUnavailable.
func (s *SQLite) Backup(ctx context.Context, path string, progress func(done, total int64)) (head domain.Position, err error) {
	if path, err = filepath.Abs(path); err != nil { // SQLite knows no other
		return 0, fmt.Errorf("back up the log: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return 0, fmt.Errorf("back up the log: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			head, err = 0, fmt.Errorf("back up the log to %s: %w", path, errors.Join(err, os.Remove(path)))
		}
	}()
	err = s.alone(ctx, func(db *sqlite3.Conn) (err error) {
		tx := db.Begin() // of which all steps copy the same moment
		defer tx.End(&err)
		last, err := queryInt(db, `SELECT coalesce(max(position), 0) FROM events`)
		if err != nil {
			return err
		}
		head = position(last)
		return copyPages(ctx, db, path, progress)
	})
	if err == nil {
		err = f.Sync()
	}
	return head, err
}

// copyPages copies the database of a connection, page by page.
func copyPages(ctx context.Context, db *sqlite3.Conn, path string, progress func(done, total int64)) (err error) {
	b, err := db.BackupInit("main", uri(path, ""))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	for done := false; !done && err == nil; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		done, err = b.Step(backupPages)
		if progress != nil {
			progress(int64(b.PageCount()-b.Remaining()), int64(b.PageCount()))
		}
	}
	return err
}

// alone runs do with a connection that nobody else uses, and closes it. What the
// closing of the log waits for, this does not: the connection stands by itself.
func (s *SQLite) alone(ctx context.Context, do func(*sqlite3.Conn) error) error {
	select {
	case <-s.closing:
		return errClosed
	default:
	}
	db, err := connect(ctx, s.path, "")
	if err != nil {
		return readFailure(ctx, err)
	}
	db.SetInterrupt(ctx)
	return readFailure(ctx, errors.Join(do(db), disconnect(db)))
}
