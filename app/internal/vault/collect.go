package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// namedWithin bounds one question to the log while a row is locked: well below
// the busy timeout, so that nobody else's write fails over it.
const namedWithin = busyTimeout / 4

// A pendingRow is a value that may have been left behind.
type pendingRow struct {
	id      int64
	ref     domain.RefID
	subject domain.SubjectID
}

// Collect removes the values that are pending, were put before olderThan and
// that no event names, and returns how many. The caller gives a time that is
// longer ago than any command lives, and answers in named whether the person's
// stream holds an event with that reference, by reading the whole stream. A
// value that is named is made active instead.
//
// The row is locked while named is asked, so that nobody activates it in
// between; so named must not write to the vault, and has some seconds for its
// answer. An error of named ends the collecting and leaves the row as it is.
func (v *Vault) Collect(ctx context.Context, olderThan time.Time,
	named func(ctx context.Context, subject domain.SubjectID, ref domain.RefID) (bool, error),
) (removed int, err error) {
	var after int64
	for {
		row, err := v.nextPending(ctx, olderThan, after)
		if errors.Is(err, sql.ErrNoRows) {
			return removed, nil
		} else if err != nil {
			return removed, fmt.Errorf("collect pending values: %w", err)
		}
		gone, err := v.collect(ctx, row, named)
		if err != nil {
			return removed, fmt.Errorf("collect pending value %s of %s: %w", row.ref, row.subject, err)
		}
		if gone {
			removed++
		}
		after = row.id
	}
}

// nextPending finds the first pending row behind the given one, or sql.ErrNoRows.
func (v *Vault) nextPending(ctx context.Context, olderThan time.Time, after int64) (row pendingRow, err error) {
	var ref, subject []byte
	err = v.db.read(ctx, func(ctx context.Context, q querier) error {
		return q.row(ctx, `SELECT id, ref, subject FROM value
			WHERE active = 0 AND created < $1 AND id > $2 ORDER BY id LIMIT 1`, olderThan.UnixMilli(), after).
			Scan(&row.id, &ref, &subject)
	})
	if err == nil && (copy(row.ref[:], ref) != len(row.ref) || copy(row.subject[:], subject) != len(row.subject)) {
		err = ErrTampered
	}
	return row, err
}

func (v *Vault) collect(ctx context.Context, row pendingRow,
	named func(context.Context, domain.SubjectID, domain.RefID) (bool, error),
) (gone bool, err error) {
	err = v.db.write(ctx, func(ctx context.Context, tx tx) error {
		gone = false
		// changes nothing and locks the row: who activates it now waits
		pending, err := tx.exec(ctx, `UPDATE value SET active = 0 WHERE id = $1 AND active = 0`, row.id)
		if err != nil || pending == 0 { // somebody else was first
			return err
		}
		asking, cancel := context.WithTimeout(ctx, namedWithin)
		defer cancel()
		keep, err := named(asking, row.subject, row.ref)
		if err != nil {
			return err
		}
		if keep {
			_, err = tx.exec(ctx, `UPDATE value SET active = 1 WHERE id = $1`, row.id)
			return err
		}
		_, err = tx.exec(ctx, `DELETE FROM value WHERE id = $1`, row.id)
		gone = err == nil
		return err
	})
	return gone && err == nil, err
}

// Forget removes the values of a kind that were put before a moment, whether an event
// names them or not, and returns how many. Nothing of them is on disk afterwards (see
// Erase). The caller knows that nobody asks for them any more. Others go on meanwhile.
func (v *Vault) Forget(ctx context.Context, kind Kind, before time.Time) (removed int64, err error) {
	for last, more := int64(0), true; more && err == nil; {
		var until, n int64
		err = v.db.write(ctx, func(ctx context.Context, tx tx) error {
			until, n = last, 0
			if err := tx.lock(ctx, []byte("scrub")); err != nil {
				return err
			}
			err := tx.each(ctx, func(found row) error { return found.Scan(&until) },
				`SELECT id FROM value WHERE kind = $1 AND created < $2 AND id > $3 ORDER BY id LIMIT $4`,
				string(kind), before.UnixMilli(), last, pageRows)
			if err != nil || until == last {
				return err
			}
			n, err = tx.exec(ctx, `DELETE FROM value WHERE kind = $1 AND created < $2 AND id > $3 AND id <= $4`,
				string(kind), before.UnixMilli(), last, until)
			if err != nil {
				return err
			}
			return markScrub(ctx, tx)
		})
		if err == nil {
			more, last, removed = until > last, until, removed+n
		}
	}
	if err == nil { // also where there was nothing: an earlier time may have been broken off
		err = v.scrub(ctx)
	}
	if err != nil {
		return removed, fmt.Errorf("forget each %s of before %s: %w", kind, before.Format(time.RFC3339), err)
	}
	return removed, nil
}
