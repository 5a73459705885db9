package vault

import (
	"context"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/keydesk/keydesk/domain"
)

const (
	// busyTimeout is how long a call waits for the writer of another process.
	busyTimeout = 10 * time.Second
	// schemaVersion is the file's user_version; it only grows.
	schemaVersion = 1
	// applicationID marks the file as a Keydesk vault ("KDvt").
	applicationID = 0x4b447674
	// readers is how many calls of one process may read at the same time.
	readers = 2
)

//go:embed schema.sql
var schema string

// sqlite is a database in one file: one connection writes, some read.
type sqlite struct {
	dsn    string
	reader *reader
	writer *writer
}

// openSQLite opens the file, and makes it first when there is none.
func openSQLite(ctx context.Context, path string, keys *Keys) (_ *sqlite, err error) {
	dsn, err := makeFile(path)
	if err != nil {
		return nil, unavailable(err)
	}
	s := &sqlite{dsn: dsn}
	defer func() {
		if err != nil {
			err = errors.Join(unavailable(err), s.close())
		}
	}()
	if s.writer, err = newWriter(ctx, dsn); err != nil {
		return nil, err
	}
	err = s.writer.do(ctx, func(ctx context.Context, tx *transaction) error { return makeTables(ctx, tx, keys) })
	if err != nil {
		return nil, err
	}
	if s.reader, err = newReader(dsn); err != nil {
		return nil, err
	}
	return s, restrict(path)
}

func (s *sqlite) read(ctx context.Context, ask func(context.Context, querier) error) error {
	return unavailable(ask(ctx, s.reader))
}

// snapshot reads over a connection of its own, in one transaction.
func (s *sqlite) snapshot(ctx context.Context, ask func(context.Context, querier) error) (err error) {
	r, err := newReader(s.dsn)
	if err != nil {
		return unavailable(err)
	}
	defer func() { err = unavailable(errors.Join(err, r.close())) }()
	t, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer t.Rollback() //nolint:errcheck // nothing was changed
	return ask(ctx, inTransaction{t})
}

// inTransaction asks in a transaction that only reads.
type inTransaction struct{ t *sql.Tx }

func (q inTransaction) row(ctx context.Context, query string, args ...any) row {
	return q.t.QueryRowContext(ctx, query, args...)
}

func (q inTransaction) each(ctx context.Context, scan func(row) error, query string, args ...any) (err error) {
	s, err := q.t.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return each(ctx, s, scan, args)
}

func (s *sqlite) write(ctx context.Context, change func(context.Context, tx) error) error {
	return s.writer.do(ctx, func(ctx context.Context, t *transaction) error { return change(ctx, t) })
}

// scrub writes the file anew and empties the write-ahead log. secure_delete overwrites
// what is deleted where it stands, but not the copies that SQLite leaves in the free
// space of a page when it has moved rows between pages: only a new file has none.
// That takes some seconds for a hundred thousand people, in which others wait to write.
func (s *sqlite) scrub(ctx context.Context) error {
	if err := s.writer.vacuum(ctx); err != nil {
		return err
	}
	return s.writer.checkpoint(ctx)
}

func (s *sqlite) close() error { return errors.Join(s.reader.close(), s.writer.close()) }

// makeFile makes the database file, for its owner alone, and returns the name
// under which SQLite opens it.
func makeFile(path string) (dsn string, err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's
	if err != nil {
		return "", fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
	}
	if err := errors.Join(f.Close(), restrict(path), syncDir(filepath.Dir(path))); err != nil {
		return "", fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), OmitHost: true}
	return u.String(), nil
}

// restrict takes away everybody's rights but the owner's, on the database and
// on the files that SQLite keeps beside it while it is open.
func restrict(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err == nil && info.Mode().Perm()&0o077 != 0:
			err = os.Chmod(path+suffix, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setUp prepares one connection. The busy timeout comes first, since what
// follows may already have to wait. Changing to WAL does not wait by itself
// when another process does the same: it is tried again until the time is up.
func setUp(c *sqlite3.Conn) error {
	if err := c.BusyTimeout(busyTimeout); err != nil {
		return err
	}
	deadline := time.Now().Add(busyTimeout)
	for {
		err := c.Exec(`PRAGMA journal_mode = WAL`)
		if err == nil {
			break
		}
		if !errors.Is(err, sqlite3.BUSY) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return c.Exec(`
		PRAGMA synchronous = FULL;
		PRAGMA secure_delete = ON;
		PRAGMA trusted_schema = OFF;
		PRAGMA temp_store = MEMORY;
		PRAGMA cache_size = -1024;
	`)
}

// makeTables makes the tables of a new file, with its index secret, and refuses
// files that are none of ours or of a newer program.
func makeTables(ctx context.Context, tx *transaction, keys *Keys) error {
	var version, application, tables int
	err := tx.row(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`).
		Scan(&version, &application, &tables)
	switch {
	case err != nil:
		return err
	case version == schemaVersion && application == applicationID:
		return nil
	case version > schemaVersion && application == applicationID:
		return fmt.Errorf("%w: the file has version %d, this program works with %d", ErrNewer, version, schemaVersion)
	case version != 0 || application != 0 || tables != 0:
		return fmt.Errorf("%w: the file is of application %#x, version %d", ErrForeign, application, version)
	}
	made := fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;", schemaVersion, applicationID)
	if err := tx.script(ctx, schema+made); err != nil {
		return err
	}
	id, sealed, err := keys.newIndexSecret()
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, insertIndexSecret, id, sealed)
	return err
}

// unavailable marks the errors of SQLite as domain.ErrUnavailable, and leaves
// others and those of a context as they are.
func unavailable(err error) error {
	var e *sqlite3.Error
	var c sqlite3.ErrorCode
	var x sqlite3.ExtendedErrorCode
	switch {
	case err == nil || errors.Is(err, domain.ErrUnavailable):
		return err
	case errors.Is(err, sqlite3.INTERRUPT):
		return fmt.Errorf("%w: %w", context.Canceled, err)
	case errors.As(err, &e), errors.As(err, &c), errors.As(err, &x), errors.Is(err, sql.ErrConnDone):
		return fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
	}
	return err
}

// A statement is a prepared one, kept until its connections close.
type statement interface {
	io.Closer
	QueryRowContext(ctx context.Context, args ...any) *sql.Row
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, args ...any) (sql.Result, error)
}

// A reader is a pool of connections that cannot write, with its statements
// prepared once.
type reader struct {
	db *sql.DB

	mu         sync.Mutex
	statements map[string]statement
}

func newReader(dsn string) (*reader, error) {
	db, err := driver.Open(dsn, func(c *sqlite3.Conn) error {
		return errors.Join(setUp(c), c.Exec(`PRAGMA query_only = ON`))
	})
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	db.SetMaxIdleConns(readers)
	return &reader{db: db, statements: map[string]statement{}}, nil
}

func (r *reader) close() error {
	if r == nil {
		return nil
	}
	return r.db.Close() // and with it the statements
}

// prepared returns the statement of a query. The set of queries is fixed, so
// what is kept stays small.
func (r *reader) prepared(ctx context.Context, query string) (statement, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.statements[query]; s != nil {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.statements[query] = s
	return s, nil
}

func (r *reader) row(ctx context.Context, query string, args ...any) row {
	s, err := r.prepared(ctx, query)
	if err != nil {
		return r.db.QueryRowContext(ctx, query, args...) // whose Scan says the same again
	}
	return s.QueryRowContext(ctx, args...)
}

func (r *reader) each(ctx context.Context, scan func(row) error, query string, args ...any) error {
	s, err := r.prepared(ctx, query)
	if err != nil {
		return err
	}
	return each(ctx, s, scan, args)
}

// each scans all rows that a statement gives.
func each(ctx context.Context, s statement, scan func(row) error, args []any) (err error) {
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
