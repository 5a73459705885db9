package home

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// erasedBeside reads who was erased since a backup was made, as far as the folder that it
// stands in knows. Nothing is put back before that is clear: what is not authenticated is
// believed only where the operator says so.
func erasedBeside(o RestoreOptions, keys *vault.Keys) (backup.Erased, error) {
	folder := filepath.Dir(filepath.Clean(o.Backup))
	list, err := backup.ReadErased(folder, keys)
	switch {
	case err != nil:
		return list, fmt.Errorf("in %s: %w", folder, err)
	case len(list.Unproved) == 0:
		return list, nil
	case !o.BelieveList:
		return list, fmt.Errorf("in %s: %w: %d people, the first is %s", folder, ErrUnproved, len(list.Unproved), list.Unproved[0])
	}
	list.People, list.Unproved = append(list.People, list.Unproved...), nil
	return list, nil
}

var errNotThere = errors.New("the log does not know them, or knows that they were erased")

// eraseSince erases somebody who was erased after the backup was made, and records it:
// what recorded it is lost.
func (h *Home) eraseSince(ctx context.Context, s domain.SubjectID) error {
	events, err := h.Log.ReadStream(ctx, domain.EnrolmentStream(s), 0)
	if err != nil {
		return err
	}
	if len(events) == 0 { // the vault is of a later moment than the log, and may know them all the same
		if err := h.Vault.Erase(ctx, s); err != nil {
			return err
		}
		return errNotThere
	}
	if slices.ContainsFunc(events, func(e domain.Recorded) bool { return e.Type == erasedType }) {
		return errNotThere
	}
	_, err = h.Desk.RequestAlone(ctx, desk.CaseRequest{Subject: s, Action: enrolment.Erasing, Reason: enrolment.CaseRetention})
	return err
}
