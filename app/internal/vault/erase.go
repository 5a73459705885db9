package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// Erase makes everything about a person unreadable for good: it overwrites
// their key, and removes their values and their e-mail claims. What stays is
// their random id with the mark that it was erased, so that nothing can be put
// under it again.
//
// In a file, nothing of what was removed is on disk afterwards: the write-ahead
// log is emptied as well. PostgreSQL keeps old versions of rows; the tables are
// vacuumed, so that no query can reach them, but their sealed bytes may stay in
// the free space of a page, in its write-ahead log and on standbys until
// they are overwritten. What opens them was sealed in the same place, and needs
// the master key, which is not there.
//
// The address is free afterwards: whoever claims it becomes a new person. What
// was counted for it (Take) runs out by itself, within some days.
//
// It may be repeated, and is after a backup was put back. When it fails after
// the rows were removed, since another process held the write-ahead log or a
// table, it is domain.ErrUnavailable and has to be repeated.
func (v *Vault) Erase(ctx context.Context, subject domain.SubjectID) error {
	if subject.IsZero() {
		return fmt.Errorf("erase: %w: nobody", domain.ErrNotFound)
	}
	err := v.db.write(ctx, func(ctx context.Context, tx tx) error { return erase(ctx, tx, subject) })
	if err == nil {
		err = v.db.scrub(ctx)
	}
	if err != nil {
		return fmt.Errorf("erase %s: %w", subject, err)
	}
	return nil
}

func erase(ctx context.Context, tx tx, subject domain.SubjectID) error {
	if err := tx.lock(ctx, subject[:]); err != nil { // so that nobody puts something meanwhile
		return err
	}
	mark := `UPDATE person SET erased = 1, wrapped = $1 WHERE subject = $2`
	var length int
	err := tx.row(ctx, `SELECT length(wrapped) FROM person WHERE subject = $1`, subject[:]).Scan(&length)
	if errors.Is(err, sql.ErrNoRows) { // such as after an old backup was put back
		mark = `INSERT INTO person (wrapped, subject, erased, key_id) VALUES ($1, $2, 1, '')`
	} else if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, mark, make([]byte, length), subject[:]); err != nil {
		return err
	}
	for _, table := range []string{"value", "claim"} {
		if _, err := tx.exec(ctx, `DELETE FROM `+table+` WHERE subject = $1`, subject[:]); err != nil {
			return err
		}
	}
	return nil
}

// Erased says whether the person was erased. An unknown person was not.
func (v *Vault) Erased(ctx context.Context, subject domain.SubjectID) (bool, error) {
	var erased bool
	err := v.db.read(ctx, func(ctx context.Context, q querier) (err error) {
		erased, err = isErased(ctx, q, subject)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("is %s erased: %w", subject, err)
	}
	return erased, nil
}
