package home

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/keydesk/keydesk/app/internal/backup"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/store"
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

// saidErased returns where a log first says of people that they were erased, and notes
// whom the list beside the backup does not name.
func (p *putter) saidErased(ctx context.Context, log store.Log) (map[domain.SubjectID]domain.Position, error) {
	all, at, err := erasedIn(ctx, log)
	if err == nil {
		p.r.Unlisted = p.list.Lacks(all)
	}
	return at, err
}

// sound says whether what is found out about a log is what every program will read in it.
func sound(ctx context.Context, log *store.SQLite) error {
	what, err := log.Unsound(ctx)
	if err == nil && what != "" {
		err = fmt.Errorf("%w: %.200q", ErrUnsound, what)
	}
	return err
}

// believe says whether anything vouches for the erasures that the list does not name: the
// seal, as far as it goes, and only where all is as it was sealed. An erasure cannot be
// undone, and whoever can write to where a backup lies can write its log.
func (p *putter) believe(said map[domain.SubjectID]domain.Position) error {
	if p.o.BelieveLog {
		return nil
	}
	var through domain.Position
	why := "there is no seal of it"
	switch r := p.r.Seal; {
	case r == nil:
	case !p.r.AsSealed():
		why = "it is not as sealed: " + r.Bad.String()
	default:
		through, why = r.Through, "it stands behind what is sealed"
	}
	var doubtful []domain.SubjectID
	for _, s := range p.r.Unlisted {
		if said[s] > through {
			doubtful = append(doubtful, s)
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	return fmt.Errorf("%w; %s: %d people, the first is %s", ErrUnvouched, why, len(doubtful), doubtful[0])
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
