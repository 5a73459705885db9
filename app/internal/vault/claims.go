package vault

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/keydesk/keydesk/domain"
)

// Claim returns the person whom an e-mail address belongs to, and makes a new
// one (a random id) when it is nobody's yet. It maps an address to one person
// until that person is erased: however many stations claim it at the same
// moment, one id comes to be and all get it. Something that is not an address
// is ErrBadEmail.
func (v *Vault) Claim(ctx context.Context, email string) (domain.SubjectID, error) {
	if _, err := NormalEmail(email); err != nil {
		return domain.SubjectID{}, fmt.Errorf("claim: %w", err)
	}
	hash := v.EmailIndexKeyed(email)
	subject, err := v.readClaim(ctx, hash)
	for errors.Is(err, domain.ErrNotFound) { // once, unless somebody claims and erases it meanwhile
		subject, err = v.claim(ctx, hash)
	}
	if err != nil {
		return domain.SubjectID{}, fmt.Errorf("claim: %w", err)
	}
	return subject, nil
}

// claim makes a new person for the address, or finds the one whom another
// station made at the same moment.
func (v *Vault) claim(ctx context.Context, hash [32]byte) (subject domain.SubjectID, err error) {
	err = v.db.write(ctx, func(ctx context.Context, tx tx) error {
		subject = domain.SubjectID(uuid.New())
		mac := v.claimMAC(hash, subject)
		added, err := tx.exec(ctx, `INSERT INTO claim (hash, subject, mac) VALUES ($1, $2, $3)
			ON CONFLICT (hash) DO NOTHING`, hash[:], subject[:], mac[:])
		if err != nil || added == 1 {
			return err
		}
		subject, err = v.findClaim(ctx, tx, hash)
		return err
	})
	return subject, err
}

// Find returns whom an e-mail address belongs to, or domain.ErrNotFound.
func (v *Vault) Find(ctx context.Context, email string) (domain.SubjectID, error) {
	subject, err := v.readClaim(ctx, v.EmailIndexKeyed(email))
	if err != nil {
		return domain.SubjectID{}, fmt.Errorf("find by e-mail: %w", err)
	}
	return subject, nil
}

func (v *Vault) readClaim(ctx context.Context, hash [32]byte) (subject domain.SubjectID, err error) {
	err = v.db.read(ctx, func(ctx context.Context, q querier) error {
		subject, err = v.findClaim(ctx, q, hash)
		return err
	})
	return subject, err
}

// Emails gives every claim, in the order in which they were made, until yield
// returns false: the person and the keyed hash of the address
// (EmailIndexKeyed). It reads in pages, so that a slow yield holds up nobody;
// a claim that is made or erased meanwhile may be given or not.
func (v *Vault) Emails(ctx context.Context, yield func(subject domain.SubjectID, emailHash [32]byte) bool) error {
	for after, more := int64(0), true; more; {
		claims, last, err := v.claimsAfter(ctx, after)
		if err != nil {
			return fmt.Errorf("read e-mail claims: %w", err)
		}
		for _, c := range claims {
			if !yield(c.subject, c.hash) {
				return nil
			}
		}
		after, more = last, len(claims) > 0
	}
	return nil
}

// A claim is one address's hash and whose it is.
type claim struct {
	hash    [32]byte
	subject domain.SubjectID
}

// claimPage is how many claims are read at once.
const claimPage = 4096

func (v *Vault) claimsAfter(ctx context.Context, after int64) (claims []claim, last int64, err error) {
	var hash, subject, mac sql.RawBytes
	scan := func(r row) error {
		if err := r.Scan(&last, &hash, &subject, &mac); err != nil {
			return err
		}
		if len(hash) != 32 {
			return ErrTampered
		}
		c := claim{hash: [32]byte(hash)}
		if c.subject, err = v.checkClaim(c.hash, subject, mac); err != nil {
			return err
		}
		claims = append(claims, c)
		return nil
	}
	err = v.db.read(ctx, func(ctx context.Context, q querier) error {
		claims = claims[:0]
		return q.each(ctx, scan, `SELECT id, hash, subject, mac FROM claim WHERE id > $1 ORDER BY id LIMIT $2`, after, claimPage)
	})
	return claims, last, err
}

func (v *Vault) findClaim(ctx context.Context, q querier, hash [32]byte) (domain.SubjectID, error) {
	var subject, mac []byte
	err := q.row(ctx, `SELECT subject, mac FROM claim WHERE hash = $1`, hash[:]).Scan(&subject, &mac)
	if errors.Is(err, sql.ErrNoRows) {
		return domain.SubjectID{}, domain.ErrNotFound
	} else if err != nil {
		return domain.SubjectID{}, err
	}
	return v.checkClaim(hash, subject, mac)
}

// checkClaim refuses a claim that the vault did not make itself: who could
// write in the file could otherwise give one person's address to another.
func (v *Vault) checkClaim(hash [32]byte, subject, mac []byte) (id domain.SubjectID, err error) {
	if copy(id[:], subject) != len(id) || len(subject) != len(id) {
		return domain.SubjectID{}, ErrTampered
	}
	if want := v.claimMAC(hash, id); !hmac.Equal(mac, want[:]) {
		return domain.SubjectID{}, ErrTampered
	}
	return id, nil
}

func (v *Vault) claimMAC(hash [32]byte, subject domain.SubjectID) [32]byte {
	return keyedHash(&v.index.claim, string(hash[:]), string(subject[:]))
}
