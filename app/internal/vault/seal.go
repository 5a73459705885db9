package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// bind writes the additional data of a seal: the table and what the row is
// about, each with its length before it, so that no two lists of parts give the
// same bytes.
func bind(table string, parts ...[]byte) []byte {
	b := make([]byte, 0, 128)
	add := func(p []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p))) //nolint:gosec // parts are some bytes long
		b = append(b, p...)
	}
	add([]byte("keydesk vault v1 " + table))
	for _, p := range parts {
		add(p)
	}
	return b
}

// seal encrypts with AES-256-GCM under a random nonce, which stands before the
// sealed bytes. A person's key seals some dozens of values, the master key one
// key a person: far below the 2^32 that NIST SP 800-38D section 8.3 allows for
// random nonces.
func seal(key *[keySize]byte, plain, ad []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, ad), nil //nolint:gosec // this AEAD makes a random nonce itself
}

// unseal is the inverse of seal. Anything that was not sealed with this key and
// this additional data is ErrTampered.
func unseal(key *[keySize]byte, sealed, ad []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nil, sealed, ad)
	if err != nil {
		return nil, ErrTampered
	}
	return plain, nil
}

func newAEAD(key *[keySize]byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return aead, nil
}

// The purposes of the master key inside the vault.
const (
	purposeWrap  = "vault/wrap"  // wraps the keys of persons
	purposeIndex = "vault/index" // wraps the index secret
)

// The index secret stands beside the values, in the row "index" of the table meta.
const (
	insertIndexSecret = `INSERT INTO meta (name, key_id, sealed) VALUES ('index', $1, $2)`
	selectIndexSecret = `SELECT key_id, sealed FROM meta WHERE name = 'index'` //nolint:gosec // a query, and what it gives is sealed
)

// newIndexSecret makes an index secret, wrapped under the current master key.
func (k *Keys) newIndexSecret() (keyID string, wrapped []byte, err error) {
	var secret [keySize]byte
	_, _ = rand.Read(secret[:]) // never fails: it crashes the program instead
	wrapping, keyID := k.Derive(purposeIndex)
	wrapped, err = seal(&wrapping, secret[:], bind("meta", []byte("index"), []byte(keyID)))
	return keyID, wrapped, err
}

// unwrapIndexSecret opens the index secret. It is the vault's key check value as
// well: with another master key it does not open.
func (k *Keys) unwrapIndexSecret(keyID string, wrapped []byte) (*[keySize]byte, error) {
	wrapping, err := k.DeriveWith(keyID, purposeIndex)
	if err != nil {
		return nil, err
	}
	b, err := unseal(&wrapping, wrapped, bind("meta", []byte("index"), []byte(keyID)))
	if err != nil || len(b) != keySize {
		return nil, fmt.Errorf("%w: the index secret does not open with master key %s", ErrTampered, keyID)
	}
	return (*[keySize]byte)(b), nil
}

// newPersonKey makes a person's key, and wraps it under the current master key.
func (k *Keys) newPersonKey(subject domain.SubjectID) (key *[keySize]byte, keyID string, wrapped []byte, err error) {
	key = new([keySize]byte)
	_, _ = rand.Read(key[:]) // never fails: it crashes the program instead
	wrapping, keyID := k.Derive(purposeWrap)
	wrapped, err = seal(&wrapping, key[:], bind("person", subject[:], []byte(keyID)))
	return key, keyID, wrapped, err
}

// unwrapPersonKey opens a person's key.
func (k *Keys) unwrapPersonKey(subject domain.SubjectID, keyID string, wrapped []byte) (*[keySize]byte, error) {
	wrapping, err := k.DeriveWith(keyID, purposeWrap)
	if err != nil {
		return nil, err
	}
	b, err := unseal(&wrapping, wrapped, bind("person", subject[:], []byte(keyID)))
	if err != nil {
		return nil, err
	}
	if len(b) != keySize {
		return nil, ErrTampered
	}
	return (*[keySize]byte)(b), nil
}

// A row of the value table, as its seals are bound to it.
type place struct {
	ref     domain.RefID
	subject domain.SubjectID
	kind    Kind
	version int
}

// ad returns the additional data of one sealed column of the row.
func (p place) ad(column string) []byte {
	var version [8]byte
	binary.BigEndian.PutUint64(version[:], uint64(p.version)) //nolint:gosec // versions count from 1
	return bind("value."+column, p.ref[:], p.subject[:], []byte(p.kind), version[:])
}
