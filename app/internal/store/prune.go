package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

const (
	// pruneGroup is how many events one transaction removes: few enough for the
	// appends that wait meanwhile.
	pruneGroup = 2000
	// pruneSuffix names the file beside the log that is there from before the first
	// event is removed until the last byte of them is gone. Appends wait longer then.
	pruneSuffix = "-prune"
	// pruneLockPatience is how long an append waits while it is there: longer than it
	// takes to write the whole file anew.
	pruneLockPatience = time.Minute
)

// agedSQL finds what Prune removes. The last event of the log stays in any case:
// positions go on from there.
const agedSQL = ` FROM events WHERE stream IN (SELECT id FROM streams WHERE substr(name, 1, length(?1)) = ?1)
	AND recorded < ?2 AND position < (SELECT max(position) FROM events)`

// CountAged returns how many events Prune would remove.
func (s *SQLite) CountAged(ctx context.Context, prefix string, before time.Time) (n int64, err error) {
	err = s.alone(ctx, func(db *sqlite3.Conn) error {
		found, err := aged(db, `count(*)`, prefix, before)
		if err == nil {
			n = found[0]
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count events of %s* before %s: %w", prefix, before.Format(time.RFC3339), err)
	}
	return n, nil
}

// Prune removes the events that were recorded before a moment in the streams whose
// names begin with a prefix, and returns how many. Afterwards their bytes are in none
// of the log's files any more. The revisions of their streams and the positions go on
// from where they were, so that an expectation of before is refused, as ever; the
// names of the streams stay.
//
// It is the only thing that passes the triggers, in transactions that take them away
// and put them back. Other processes go on meanwhile: an append may have to wait for
// as long as it takes to write the whole file anew, some seconds for a million events,
// and the disk has to have room for that. progress is told how many are removed; it
// may be nil.
//
// After an error, or when the program was killed, what is not removed yet is there
// as before, and calling it again finishes the work.
func (s *SQLite) Prune(ctx context.Context, prefix string, before time.Time, progress func(done, total int64)) (removed int64, err error) {
	err = s.alone(ctx, func(db *sqlite3.Conn) error {
		if err := db.Exec(`PRAGMA secure_delete = ON`); err != nil {
			return err
		}
		all, err := aged(db, `position`, prefix, before)
		if err != nil {
			return err
		}
		if _, err := os.Stat(s.path + pruneSuffix); len(all) == 0 && errors.Is(err, os.ErrNotExist) {
			return nil // and nothing is left of an earlier time
		}
		if err := os.WriteFile(s.path+pruneSuffix, nil, 0o600); err != nil {
			return fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
		}
		for total := int64(len(all)); len(all) > 0; {
			group := all[:min(len(all), pruneGroup)]
			if err := retryBusy(ctx, func() error { return removeEvents(db, group) }); err != nil {
				return err
			}
			all = all[len(group):]
			removed += int64(len(group))
			if progress != nil {
				progress(removed, total)
			}
		}
		if err := compact(ctx, db); err != nil {
			return err
		}
		return os.Remove(s.path + pruneSuffix)
	})
	if err != nil {
		return removed, fmt.Errorf("prune %s* before %s: %w", prefix, before.Format(time.RFC3339), err)
	}
	return removed, nil
}

// aged asks for a number of each event that is too old.
func aged(db *sqlite3.Conn, column, prefix string, before time.Time) (all []int64, err error) {
	stmt, _, err := db.Prepare(`SELECT ` + column + agedSQL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	if err := errors.Join(stmt.BindText(1, prefix), stmt.BindInt64(2, before.UnixMicro())); err != nil {
		return nil, err
	}
	for stmt.Step() {
		all = append(all, stmt.ColumnInt64(0))
	}
	return all, stmt.Err()
}

// removeEvents removes events by their positions, in one transaction, which keeps
// where their streams end.
func removeEvents(db *sqlite3.Conn, positions []int64) (err error) {
	list, err := json.Marshal(positions)
	if err != nil {
		return err
	}
	tx, err := db.BeginImmediate()
	if err != nil {
		return err
	}
	defer tx.End(&err)
	if err := db.Exec(`DROP TRIGGER events_DELETE`); err != nil {
		return err
	}
	for _, sql := range []string{
		`INSERT INTO pruned (stream, revision)
			SELECT stream, max(revision) FROM events WHERE position IN (SELECT value FROM json_each(?1)) GROUP BY stream
			ON CONFLICT (stream) DO UPDATE SET revision = max(revision, excluded.revision)`,
		`DELETE FROM events WHERE position IN (SELECT value FROM json_each(?1))`,
	} {
		if err := executeWith(db, sql, string(list)); err != nil {
			return err
		}
	}
	return db.Exec(trigger("DELETE", "events"))
}

func executeWith(db *sqlite3.Conn, sql, arg string) (err error) {
	stmt, _, err := db.Prepare(sql)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Close()) }()
	if err := stmt.BindText(1, arg); err != nil {
		return err
	}
	return stmt.Exec()
}

// compact writes the whole file anew and empties the write-ahead log: what was
// removed may have left copies behind where SQLite moved rows between pages. Where
// there is no room for that, what it took of the disk is given back.
func compact(ctx context.Context, db *sqlite3.Conn) error {
	err := retryBusyFor(ctx, pruneLockPatience, func() error { return db.Exec(`VACUUM`) })
	if err != nil {
		err = fmt.Errorf("write the file anew: %w", err)
	}
	return errors.Join(err, emptyWAL(ctx, db))
}

// emptyWAL waits for those who read: they keep the write-ahead log for a moment.
func emptyWAL(ctx context.Context, db *sqlite3.Conn) error {
	return retryBusyFor(ctx, pruneLockPatience, func() error {
		busy, err := queryInt(db, `PRAGMA wal_checkpoint(TRUNCATE)`)
		if err == nil && busy != 0 {
			err = sqlite3.BUSY
		}
		return err
	})
}
