package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// Erase makes everything about a person unreadable for good: it overwrites
// their key, removes their values and their e-mail claims, and empties the
// write-ahead log. What stays is their random id with the mark that it was
// erased, so that nothing can be put under it again.
//
// The address is free afterwards: whoever claims it becomes a new person. What
// was counted for it (Take) runs out by itself, within a day.
//
// It may be repeated, and is after a backup was put back. When it fails after
// the rows were removed, since another process held the write-ahead log, it is
// domain.ErrUnavailable and has to be repeated.
func (v *Vault) Erase(ctx context.Context, subject domain.SubjectID) error {
	if subject.IsZero() {
		return fmt.Errorf("erase: %w: nobody", domain.ErrNotFound)
	}
	err := v.writer.do(ctx, func(ctx context.Context, tx *transaction) error {
		_, known, err := isErased(ctx, tx, subject)
		if err != nil {
			return err
		}
		mark := `UPDATE person SET erased = 1, wrapped = zeroblob(length(wrapped)) WHERE subject = $1`
		if !known { // such as after an old backup was put back
			mark = `INSERT INTO person (subject, erased, key_id, wrapped) VALUES ($1, 1, '', x'')`
		}
		_, marked := tx.exec(ctx, mark, subject[:])
		_, values := tx.exec(ctx, `DELETE FROM value WHERE subject = $1`, subject[:])
		_, claims := tx.exec(ctx, `DELETE FROM claim WHERE subject = $1`, subject[:])
		return errors.Join(marked, values, claims)
	})
	if err == nil {
		err = v.writer.checkpoint(ctx)
	}
	if err != nil {
		return fmt.Errorf("erase %s: %w", subject, err)
	}
	return nil
}

// Erased says whether the person was erased. An unknown person was not.
func (v *Vault) Erased(ctx context.Context, subject domain.SubjectID) (bool, error) {
	erased, _, err := isErased(ctx, v.reader, subject)
	if err != nil {
		return false, fmt.Errorf("is %s erased: %w", subject, unavailable(err))
	}
	return erased, nil
}
