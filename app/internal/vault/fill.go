package vault

import (
	"context"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A Filling is what Fill puts of one person.
type Filling struct {
	Subject domain.SubjectID
	Email   string // of somebody who is new, to be claimed for them; empty: they are there already
	Values  []FilledValue
}

// A FilledValue is one value, with what Put would choose itself: its reference,
// version and salt.
type FilledValue struct {
	Kind    Kind
	Value   []byte
	Ref     domain.RefID
	Version int
	Salt    [32]byte
	Put     time.Time
}

// Commitment returns what the event that names the value commits to.
func (f FilledValue) Commitment() domain.Commitment { return domain.Commit(f.Salt, f.Value) }

// Fill puts values of many people at once, all or none, and active. It is for the
// made-up history of a demo, where events name references and commitments that
// depend on nothing but a seed; any other vault refuses it with ErrNotADemo. All
// else is as in Put and Claim: each value is sealed under its person's own random
// key, and opens with Get.
//
// An address that is somebody's already, somebody new who is there, and a reference or
// a version that is there already are errors.
func (v *Vault) Fill(ctx context.Context, people ...Filling) error {
	if !v.demo {
		return fmt.Errorf("fill the vault: %w", ErrNotADemo)
	}
	locks := make([][]byte, len(people))
	for i := range people {
		locks[i] = people[i].Subject[:]
		for _, f := range people[i].Values {
			if !f.Kind.Valid() || len(f.Value) > MaxValue || f.Version < 1 {
				return fmt.Errorf("fill the vault: %w: a %.20q", ErrBadValue, f.Kind)
			}
		}
	}
	err := v.db.write(ctx, func(ctx context.Context, tx tx) error {
		if err := tx.lock(ctx, locks...); err != nil {
			return err
		}
		for _, p := range people {
			if err := v.fill(ctx, tx, p); err != nil {
				return fmt.Errorf("%s: %w", p.Subject, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("fill the vault: %w", err)
	}
	return nil
}

func (v *Vault) fill(ctx context.Context, tx tx, f Filling) error {
	key, err := v.fillKey(ctx, tx, f)
	if err != nil {
		return err
	}
	defer clear(key[:])
	for _, value := range f.Values {
		p := place{ref: value.Ref, subject: f.Subject, kind: value.Kind, version: value.Version}
		if err := insert(ctx, tx, key, p, value.Value, value.Salt, true, value.Put); err != nil {
			return err
		}
	}
	return nil
}

// fillKey makes the key of somebody new, with their claim, or opens that of who is there.
func (v *Vault) fillKey(ctx context.Context, tx tx, f Filling) (*[keySize]byte, error) {
	if f.Email == "" {
		return v.personKey(ctx, tx, f.Subject)
	}
	if _, err := NormalEmail(f.Email); err != nil {
		return nil, err
	}
	hash := v.EmailIndexKeyed(f.Email)
	mac := v.claimMAC(hash, f.Subject)
	_, err := tx.exec(ctx, `INSERT INTO claim (hash, subject, mac) VALUES ($1, $2, $3)`, hash[:], f.Subject[:], mac[:])
	if err != nil {
		return nil, err
	}
	return v.insertPerson(ctx, tx, f.Subject)
}
