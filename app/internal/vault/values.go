package vault

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// MaxValue is the length of the longest value, in bytes.
const MaxValue = 64 << 10

// Put seals a value under the person's key, which it makes on first use, and
// returns the reference that an event can name. The value is pending: it can be
// read already, and Collect removes it unless an event names it or Activate was
// called. Each Put makes a new version, counted from 1 for each person and
// kind; earlier ones stay.
//
// The value is not kept. A person who was erased is domain.ErrErased; an
// unknown kind or too long a value is ErrBadValue.
func (v *Vault) Put(ctx context.Context, subject domain.SubjectID, kind Kind, value []byte) (domain.Ref, error) {
	refs, err := v.PutAll(ctx, subject, Value{kind, value})
	if err != nil {
		return domain.Ref{}, err
	}
	return refs[0], nil
}

// A Value is one that PutAll keeps.
type Value struct {
	Kind  Kind
	Value []byte
}

// PutAll is Put of several values of one person: all or none, in one write to the
// disk. It returns their references in the same order.
func (v *Vault) PutAll(ctx context.Context, subject domain.SubjectID, values ...Value) ([]domain.Ref, error) {
	for _, p := range values {
		switch {
		case subject.IsZero():
			return nil, fmt.Errorf("put %s: %w: nobody's", p.Kind, ErrBadValue)
		case !p.Kind.Valid():
			return nil, fmt.Errorf("put: %w: unknown kind", ErrBadValue)
		case len(p.Value) > MaxValue:
			return nil, fmt.Errorf("put %s: %w: %d bytes", p.Kind, ErrBadValue, len(p.Value))
		}
	}
	refs := make([]domain.Ref, len(values))
	if len(values) == 0 {
		return refs, nil
	}
	err := v.db.write(ctx, func(ctx context.Context, tx tx) error {
		// of two at once, one finds the other's version, and neither misses an erasure
		if err := tx.lock(ctx, subject[:]); err != nil {
			return err
		}
		key, err := v.personKey(ctx, tx, subject)
		if err != nil {
			return err
		}
		defer clear(key[:])
		for i, p := range values {
			if refs[i], err = put(ctx, tx, key, subject, p.Kind, p.Value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("put %s of %s: %w", values[0].Kind, subject, err)
	}
	return refs, nil
}

// put adds a row, under the person's key.
func put(ctx context.Context, tx tx, key *[keySize]byte, subject domain.SubjectID, kind Kind, value []byte) (domain.Ref, error) {
	p := place{subject: subject, kind: kind}
	_, _ = rand.Read(p.ref[:]) // never fails: it crashes the program instead
	err := tx.row(ctx, `SELECT coalesce(max(version), 0) + 1 FROM value WHERE subject = $1 AND kind = $2`,
		subject[:], string(kind)).Scan(&p.version)
	if err != nil {
		return domain.Ref{}, err
	}
	var salt [32]byte
	_, _ = rand.Read(salt[:]) // see above
	defer clear(salt[:])
	if err := insert(ctx, tx, key, p, value, salt, false, time.Now()); err != nil {
		return domain.Ref{}, err
	}
	return domain.Ref{ID: p.ref, Version: p.version, Commitment: domain.Commit(salt, value)}, nil
}

// insert seals a value into a row of its own.
func insert(ctx context.Context, tx tx, key *[keySize]byte, p place, value []byte, salt [32]byte, active bool, at time.Time) error {
	sealed, err := seal(key, value, p.ad("sealed"))
	if err != nil {
		return err
	}
	sealedSalt, err := seal(key, salt[:], p.ad("salt"))
	if err != nil {
		return err
	}
	kept := 0
	if active {
		kept = 1
	}
	_, err = tx.exec(ctx, `INSERT INTO value (ref, subject, kind, version, active, created, sealed, salt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ref[:], p.subject[:], string(p.kind), p.version, kept, at.UnixMilli(), sealed, sealedSalt)
	return err
}

// personKey opens the person's key, or makes it.
func (v *Vault) personKey(ctx context.Context, tx tx, subject domain.SubjectID) (*[keySize]byte, error) {
	var erased bool
	var keyID string
	var wrapped []byte
	err := tx.row(ctx, `SELECT erased = 1, key_id, wrapped FROM person WHERE subject = $1`, subject[:]).
		Scan(&erased, &keyID, &wrapped)
	switch {
	case err == nil && erased:
		return nil, domain.ErrErased
	case err == nil:
		return v.keys.unwrapPersonKey(subject, keyID, wrapped)
	case !errors.Is(err, sql.ErrNoRows):
		return nil, err
	}
	return v.insertPerson(ctx, tx, subject)
}

// insertPerson makes the key of somebody new.
func (v *Vault) insertPerson(ctx context.Context, tx tx, subject domain.SubjectID) (*[keySize]byte, error) {
	key, keyID, wrapped, err := v.keys.newPersonKey(subject)
	if err != nil {
		return nil, err
	}
	_, err = tx.exec(ctx, `INSERT INTO person (subject, erased, key_id, wrapped) VALUES ($1, 0, $2, $3)`,
		subject[:], keyID, wrapped)
	return key, err
}

// Get opens one value, pending or active. It holds what the event recorded: the
// commitment is checked each time (ErrCommitment). A row that was edited or
// moved, or that is asked for as another person's or kind, is ErrTampered; an
// erased person is domain.ErrErased; an unknown person or reference is
// domain.ErrNotFound.
//
// The value belongs to the caller, who does not keep it longer than needed.
func (v *Vault) Get(ctx context.Context, subject domain.SubjectID, kind Kind, ref domain.Ref) ([]byte, error) {
	value, err := v.get(ctx, subject, kind, ref)
	if err != nil {
		return nil, fmt.Errorf("get %s %s of %s: %w", kind, ref.ID, subject, err)
	}
	return value, nil
}

func (v *Vault) get(ctx context.Context, subject domain.SubjectID, kind Kind, ref domain.Ref) ([]byte, error) {
	return v.getAs(ctx, subject, ref, func(stored Kind) bool { return stored == kind })
}

// Check says whether the vault holds the value that an event refers to, of whatever kind:
// nil when it opens as this person's, and is the one that was recorded. It gives nothing
// of it away. A person who was erased is domain.ErrErased; a value that is not there is
// domain.ErrNotFound; another value than the recorded one is ErrCommitment, and a row
// that was edited or moved ErrTampered.
func (v *Vault) Check(ctx context.Context, subject domain.SubjectID, ref domain.Ref) error {
	value, err := v.getAs(ctx, subject, ref, Kind.Valid)
	clear(value)
	if err != nil {
		return fmt.Errorf("check %s of %s: %w", ref.ID, subject, err)
	}
	return nil
}

// getAs opens a value whose kind may be what it is.
func (v *Vault) getAs(ctx context.Context, subject domain.SubjectID, ref domain.Ref, may func(Kind) bool) ([]byte, error) {
	var erased bool
	var keyID string
	var wrapped, owner, sealed, sealedSalt []byte
	var storedKind sql.NullString
	var version sql.NullInt64
	err := v.db.read(ctx, func(ctx context.Context, q querier) error {
		return q.row(ctx, `SELECT p.erased = 1, p.key_id, p.wrapped, v.subject, v.kind, v.version, v.sealed, v.salt
			FROM person p LEFT JOIN value v ON v.ref = $1 WHERE p.subject = $2`, ref.ID[:], subject[:]).
			Scan(&erased, &keyID, &wrapped, &owner, &storedKind, &version, &sealed, &sealedSalt)
	})
	kind := Kind(storedKind.String)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, domain.ErrNotFound
	case err != nil:
		return nil, err
	case erased:
		return nil, domain.ErrErased
	case owner == nil:
		return nil, domain.ErrNotFound
	case string(owner) != string(subject[:]), !may(kind), version.Int64 != int64(ref.Version):
		return nil, ErrTampered
	}
	key, err := v.keys.unwrapPersonKey(subject, keyID, wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(key[:])
	return place{ref: ref.ID, subject: subject, kind: kind, version: ref.Version}.open(key, sealed, sealedSalt, ref.Commitment)
}

// open opens a row's value with the person's key, and checks that it is the one that
// an event committed to.
func (p place) open(key *[keySize]byte, sealed, sealedSalt []byte, commitment domain.Commitment) ([]byte, error) {
	salt, err := unseal(key, sealedSalt, p.ad("salt"))
	if err != nil {
		return nil, err
	}
	defer clear(salt)
	value, err := unseal(key, sealed, p.ad("sealed"))
	if err != nil {
		return nil, err
	}
	if len(salt) != 32 || domain.Commit([32]byte(salt), value) != commitment {
		clear(value)
		return nil, ErrCommitment
	}
	return value, nil
}

// Activate says that an event names these values of the person: from now on
// Collect leaves them alone. Saying so again changes nothing; zero references
// are passed over. All or none: an unknown one is domain.ErrNotFound, an erased
// person domain.ErrErased.
func (v *Vault) Activate(ctx context.Context, subject domain.SubjectID, refs ...domain.Ref) error {
	err := v.db.write(ctx, func(ctx context.Context, tx tx) error {
		if err := tx.lock(ctx, subject[:]); err != nil { // so that two never wait for each other's rows
			return err
		}
		for _, ref := range refs {
			if ref.IsZero() {
				continue
			}
			changed, err := tx.exec(ctx, `UPDATE value SET active = 1 WHERE ref = $1 AND subject = $2`, ref.ID[:], subject[:])
			if err != nil {
				return err
			}
			if changed == 0 {
				return missing(ctx, tx, subject)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("activate values of %s: %w", subject, err)
	}
	return nil
}

// missing says why a person has no such value.
func missing(ctx context.Context, q querier, subject domain.SubjectID) error {
	erased, err := isErased(ctx, q, subject)
	switch {
	case err != nil:
		return err
	case erased:
		return domain.ErrErased
	}
	return domain.ErrNotFound
}
