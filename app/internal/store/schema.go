package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// The file says of itself what it is: SQLite's application_id and
// user_version stand in its header (https://sqlite.org/fileformat2.html, 1.3).
const (
	applicationID = 0x4b446c67 // "KDlg"
	schemaVersion = 2          // 1 had no pruned
)

// ErrForeign says that a file is something else than a log of this program.
var ErrForeign = errors.New("not a Keydesk log")

// ErrNewer says that a log was made by a newer version of this program.
var ErrNewer = errors.New("log of a newer Keydesk")

// tables lays the file out.
//
// A position is a rowid that the writer counts up by itself, so that positions
// are in the order of commits and have no gaps. What a fold reads (stream,
// revision, type, time, data) stands before what it skips: SQLite decodes a row
// only as far as it is asked. Names of streams and types are integers in
// events, which keeps the two b-trees small that every append touches.
//
// The triggers keep every tool that opens the file from changing what it holds.
// Whoever may write the file can drop them: that is what the seal is for.
// There is none on INSERT, where it made the insert a third slower.
const tables = `
CREATE TABLE store (
	id      TEXT NOT NULL,
	created INTEGER NOT NULL
) STRICT;
CREATE TABLE streams (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE types (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE events (
	position INTEGER PRIMARY KEY,
	stream   INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	type     INTEGER NOT NULL,
	recorded INTEGER NOT NULL,
	data     TEXT NOT NULL,
	id       BLOB NOT NULL,
	metadata TEXT,
	UNIQUE (stream, revision)
) STRICT;
CREATE VIEW log AS SELECT
	e.position, s.name AS stream, e.revision, t.name AS type,
	strftime('%Y-%m-%dT%H:%M:%S', e.recorded / 1000000, 'unixepoch')
		|| printf('.%06dZ', e.recorded % 1000000) AS recorded,
	e.data, e.metadata,
	lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4)
		|| '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id
FROM events e JOIN streams s ON s.id = e.stream JOIN types t ON t.id = e.type
ORDER BY e.position;
`

// pruned says where streams end of which events were removed, perhaps all of them:
// revisions count on. Its rows stay, and only grow.
const pruned = `
CREATE TABLE pruned (
	stream   INTEGER PRIMARY KEY,
	revision INTEGER NOT NULL
) STRICT;
CREATE TRIGGER pruned_UPDATE BEFORE UPDATE ON pruned WHEN NEW.stream <> OLD.stream OR NEW.revision < OLD.revision
	BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
`

func schema() string {
	return tables + appendOnly("events") + appendOnly("streams") + appendOnly("types") + appendOnly("store") +
		pruned + trigger("DELETE", "pruned")
}

func appendOnly(table string) string { return trigger("UPDATE", table) + trigger("DELETE", table) }

func trigger(verb, table string) string {
	return fmt.Sprintf("CREATE TRIGGER %s_%s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;\n",
		table, verb, verb, table)
}

// Meddled returns what the file holds beside the events that Keydesk has not put there,
// or not so, and what of its own is not there: the names of tables, views and triggers.
// There is none in a log that nobody has meddled with. A trigger of somebody else's would
// be run with each append, before anything of that is sealed.
func (s *SQLite) Meddled(ctx context.Context) (names []string, err error) {
	ours := schema()
	left := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^CREATE [A-Z]+ (\w+)`).FindAllStringSubmatch(ours, -1) {
		left[found[1]] = true
	}
	err = s.alone(ctx, func(db *sqlite3.Conn) (err error) {
		stmt, _, err := db.Prepare(`SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL
			AND NOT (type = 'table' AND name IN ('sqlite_stat1', 'sqlite_stat4')) ORDER BY name`) // what ANALYZE leaves
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stmt.Close()) }()
		for stmt.Step() {
			name := stmt.ColumnText(0)
			if !left[name] || !strings.Contains(ours, stmt.ColumnText(1)+";\n") {
				names = append(names, name)
			}
			delete(left, name)
		}
		return stmt.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look what the log's file holds: %w", err)
	}
	return append(names, slices.Sorted(maps.Keys(left))...), nil
}

// Unsound returns the first thing that is wrong within the file, in SQLite's words; empty:
// nothing is. A file that is not sound may say one thing to whoever looks an event up, and
// another to whoever reads them all: somebody who can write to it can make it so. It reads
// the whole file.
func (s *SQLite) Unsound(ctx context.Context) (what string, err error) {
	err = s.alone(ctx, func(db *sqlite3.Conn) (err error) {
		stmt, _, err := db.Prepare(`PRAGMA integrity_check(1)`)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stmt.Close()) }()
		if stmt.Step() {
			what = strings.TrimPrefix(stmt.ColumnText(0), "*** in database main ***\n")
		}
		return stmt.Err()
	})
	if err != nil {
		return "", fmt.Errorf("look whether the log's file is sound: %w", err)
	}
	if what == "ok" {
		what = ""
	}
	return what, nil
}

// create makes the files that SQLite would make readable for everybody. The
// names with a dash are SQLite's own; it empties and removes them as it likes.
func create(path string) error {
	for _, name := range []string{path, path + "-shm"} {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is a setting of whoever runs the program
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// prepare checks that the file is ours, creates the schema in an empty one, and
// brings an old one up to date. Several processes may do so at the same moment.
func prepare(ctx context.Context, db *sqlite3.Conn) error {
	var version int64
	if err := retryBusy(ctx, func() (err error) { version, err = look(db); return err }); err != nil || version == schemaVersion {
		return err
	}
	// Switching to WAL wants the file alone for an instant and does not
	// always wait for it.
	if err := retryBusy(ctx, func() error { return useWAL(db) }); err != nil {
		return err
	}
	return retryBusy(ctx, func() (err error) {
		tx, err := db.BeginImmediate()
		if err != nil {
			return err
		}
		defer tx.End(&err)
		if version, err = identify(db); err != nil || version == schemaVersion {
			return err
		}
		if version > 0 {
			return db.Exec(pruned + trigger("DELETE", "pruned") + fmt.Sprintf(`PRAGMA user_version = %d;`, schemaVersion))
		}
		id, err := uuid.NewRandomFromReader(rand.Reader)
		if err != nil {
			return err
		}
		return db.Exec(schema() + fmt.Sprintf(`
			INSERT INTO store (id, created) VALUES ('%s', %d);
			PRAGMA application_id = %d;
			PRAGMA user_version = %d;`, id, time.Now().UnixMicro(), applicationID, schemaVersion))
	})
}

// look identifies the file as it is at one moment: another process may be
// creating the log in between any two questions.
func look(db *sqlite3.Conn) (version int64, err error) {
	tx := db.Begin()
	defer tx.End(&err)
	return identify(db)
}

// identify returns the version of the schema, 0 while the file is still empty, and
// an error when it is not a log that this program can use.
func identify(db *sqlite3.Conn) (version int64, err error) {
	var app, objects int64
	for _, q := range []struct {
		sql string
		to  *int64
	}{
		{`PRAGMA application_id`, &app},
		{`PRAGMA user_version`, &version},
		{`SELECT count(*) FROM sqlite_schema`, &objects},
	} {
		if *q.to, err = queryInt(db, q.sql); err != nil {
			return 0, err
		}
	}
	switch {
	case app == 0 && version == 0 && objects == 0:
		return 0, nil
	case app != applicationID || version < 1:
		return 0, fmt.Errorf("%w: a file of another program", ErrForeign)
	case version > schemaVersion:
		return 0, fmt.Errorf("%w: schema %d, this program knows %d", ErrNewer, version, schemaVersion)
	}
	return version, nil
}

func useWAL(db *sqlite3.Conn) error {
	stmt, _, err := db.Prepare(`PRAGMA journal_mode = WAL`)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // reports again what Step reported
	if !stmt.Step() {
		return stmt.Err()
	}
	if mode := stmt.ColumnText(0); mode != "wal" {
		return fmt.Errorf("journal mode %s instead of wal: the file has to be on a local disk", mode)
	}
	return nil
}

// retryBusy tries again while the file is locked, for as long as an append
// would wait.
func retryBusy(ctx context.Context, do func() error) error {
	return retryBusyFor(ctx, lockPatience, do)
}

func retryBusyFor(ctx context.Context, patience time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, domain.ErrUnavailable)
	defer cancel()
	for {
		err := do()
		if !errors.Is(err, sqlite3.BUSY) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func queryInt(db *sqlite3.Conn, sql string) (int64, error) {
	stmt, _, err := db.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer stmt.Close() //nolint:errcheck // reports again what Step reported
	if !stmt.Step() {
		return 0, stmt.Err()
	}
	return stmt.ColumnInt64(0), nil
}
