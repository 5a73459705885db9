package vault

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed" // the schema
	"errors"
	"fmt"
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

// openSQLite opens the file, the one connection that writes and the pool of
// those that read.
func openSQLite(ctx context.Context, path string, keys *Keys) (_ *Vault, err error) {
	dsn, err := makeFile(path)
	if err != nil {
		return nil, err
	}
	v := &Vault{keys: keys}
	defer func() {
		if err != nil {
			err = errors.Join(err, v.Close())
		}
	}()
	if v.writer, err = newWriter(ctx, dsn); err != nil {
		return nil, err
	}
	var secret *[keySize]byte
	err = v.writer.do(ctx, func(ctx context.Context, tx *transaction) error {
		if err := migrate(ctx, tx, keys); err != nil {
			return err
		}
		secret, err = readIndexSecret(ctx, tx, keys)
		return err
	})
	if err != nil {
		return nil, err
	}
	v.index = newIndexKeys(secret)
	v.reader, err = newReader(dsn)
	if err != nil {
		return nil, err
	}
	return v, restrict(path)
}

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

// migrate makes the tables of a new file, with its index secret, and refuses
// files that are none of ours or of a newer program.
func migrate(ctx context.Context, tx *transaction, keys *Keys) error {
	var version, application, tables int
	err := tx.row(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`).
		Scan(&version, &application, &tables)
	switch {
	case err != nil:
		return err
	case version == schemaVersion && application == applicationID:
		return nil
	case version != 0 || application != 0 || tables != 0:
		return fmt.Errorf("the file is not a Keydesk vault of version %d (application %#x, version %d)",
			schemaVersion, application, version)
	}
	made := fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;", schemaVersion, applicationID)
	if err := tx.script(ctx, schema+made); err != nil {
		return err
	}
	var secret [keySize]byte
	_, _ = rand.Read(secret[:]) // never fails: it crashes the program instead
	wrapping, id := keys.Derive(purposeIndex)
	sealed, err := seal(&wrapping, secret[:], bind("meta", []byte("index"), []byte(id)))
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO meta (name, key_id, sealed) VALUES ('index', $1, $2)`, id, sealed)
	return err
}

// readIndexSecret opens the index secret. It is the vault's key check value as
// well: with another master key it does not open.
func readIndexSecret(ctx context.Context, q querier, keys *Keys) (*[keySize]byte, error) {
	var id string
	var sealed []byte
	err := q.row(ctx, `SELECT key_id, sealed FROM meta WHERE name = 'index'`).Scan(&id, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: the index secret is missing", ErrTampered)
	} else if err != nil {
		return nil, err
	}
	wrapping, err := keys.DeriveWith(id, purposeIndex)
	if err != nil {
		return nil, err
	}
	b, err := unseal(&wrapping, sealed, bind("meta", []byte("index"), []byte(id)))
	if err != nil || len(b) != keySize {
		return nil, fmt.Errorf("%w: the index secret does not open with master key %s", ErrTampered, id)
	}
	return (*[keySize]byte)(b), nil
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

// A querier reads: the reader each query on its own, a transaction in its own
// snapshot. Placeholders are $1, $2 and so on, in order.
type querier interface {
	row(ctx context.Context, query string, args ...any) *sql.Row
}

// A statement is a prepared one. It is kept until its connections close, and
// closes with them.
type statement interface {
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

func (r *reader) row(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := r.prepared(ctx, query)
	if err != nil {
		return r.db.QueryRowContext(ctx, query, args...) // whose Scan says the same again
	}
	return s.QueryRowContext(ctx, args...)
}

func (r *reader) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := r.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}
