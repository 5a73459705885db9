package vault

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// Erase makes everything about these people unreadable for good: it overwrites
// their keys, and removes their values and their e-mail claims. What stays is
// each one's random id with the mark that it was erased, so that nothing can be
// put under it again.
//
// In a file, nothing of what was removed is on disk afterwards: the write-ahead
// log is emptied as well. PostgreSQL keeps old versions of rows; the tables are
// vacuumed, so that no query can reach them, but their sealed bytes may stay in
// the free space of a page, in its write-ahead log and on standbys until
// they are overwritten. What opens them was sealed in the same place, and needs
// the master key, which is not there.
//
// The addresses are free afterwards: whoever claims one becomes a new person. What
// was counted for them (Take) runs out by itself, within some days.
//
// It may be repeated, and is at every start, and so after a backup was put back: of
// those who are erased already it only reads that. When it fails after the rows were
// removed, since another process held the write-ahead log or a table, it is
// domain.ErrUnavailable and has to be repeated; the next one, of whomever or of
// nobody, takes up what is left to do, also after a crash.
func (v *Vault) Erase(ctx context.Context, subjects ...domain.SubjectID) error {
	for _, s := range subjects {
		if s.IsZero() {
			return fmt.Errorf("erase: %w: nobody", domain.ErrNotFound)
		}
	}
	for left := subjects; len(left) > 0; {
		n := min(len(left), erasedAtOnce)
		if err := v.eraseSome(ctx, left[:n]); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		left = left[n:]
	}
	if err := v.scrub(ctx); err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	return nil
}

// erasedAtOnce is how many people are erased before others get to write.
const erasedAtOnce = 64

// eraseSome erases whoever is not erased yet.
func (v *Vault) eraseSome(ctx context.Context, subjects []domain.SubjectID) error {
	var left []domain.SubjectID
	err := v.db.read(ctx, func(ctx context.Context, q querier) error {
		left = nil
		for _, s := range subjects {
			if erased, err := isErased(ctx, q, s); err != nil {
				return err
			} else if !erased { // such as after an old backup was put back
				left = append(left, s)
			}
		}
		return nil
	})
	if err != nil || len(left) == 0 {
		return err
	}
	return v.db.write(ctx, func(ctx context.Context, tx tx) error {
		names := [][]byte{[]byte("scrub")} // one erasure after the other: they set one mark
		for i := range left {
			names = append(names, left[i][:])
		}
		if err := tx.lock(ctx, names...); err != nil { // so that nobody puts something meanwhile
			return err
		}
		for _, s := range left {
			if err := erase(ctx, tx, s); err != nil {
				return err
			}
		}
		return markScrub(ctx, tx)
	})
}

// markScrub says that a scrub is due. The mark is replaced by each who erases, and taken
// away only by the scrub of whoever set it: what was erased later has one of its own.
// Whoever calls it has locked "scrub".
func markScrub(ctx context.Context, tx tx) error {
	if _, err := tx.exec(ctx, `DELETE FROM meta WHERE name = 'scrub'`); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `INSERT INTO meta (name, key_id, sealed) VALUES ('scrub', $1, $2)`, rand.Text(), []byte{})
	return err
}

func erase(ctx context.Context, tx tx, subject domain.SubjectID) error {
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

// scrub has the database forget what was erased, where that is still due.
func (v *Vault) scrub(ctx context.Context) error {
	var due string
	err := v.db.read(ctx, func(ctx context.Context, q querier) error {
		return q.row(ctx, `SELECT key_id FROM meta WHERE name = 'scrub'`).Scan(&due)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	if err := v.db.scrub(ctx); err != nil {
		return err
	}
	return v.db.write(ctx, func(ctx context.Context, tx tx) error {
		_, err := tx.exec(ctx, `DELETE FROM meta WHERE name = 'scrub' AND key_id = $1`, due)
		return err
	})
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
