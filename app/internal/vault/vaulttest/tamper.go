package vaulttest

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// A column is one that sealing protects, with the way to its row.
type column struct {
	table, name string
	where       string // with $1 for the reference or the subject
	whose       []byte
}

// tampering flips bytes of every sealed column, one at a time, and edits the
// columns that the seals are bound to.
func tampering(t *testing.T, p Place) {
	t.Helper()
	v, who := p.open(t), somebody()
	ref := put(t, v, who, vault.KindPhone, "+31612345678")
	refused := func(what string) {
		t.Helper()
		if b, err := v.Get(t.Context(), who, vault.KindPhone, ref); !errors.Is(err, vault.ErrTampered) || b != nil {
			t.Errorf("%s: %v", what, err)
		}
		if err := v.Check(t.Context(), who, ref); !errors.Is(err, vault.ErrTampered) {
			t.Errorf("%s, checked: %v", what, err)
		}
	}
	for _, c := range []column{
		{"value", "sealed", "ref", ref.ID[:]},
		{"value", "salt", "ref", ref.ID[:]},
		{"person", "wrapped", "subject", who[:]},
	} {
		read := fmt.Sprintf("SELECT %s FROM %s WHERE %s = $1", c.name, c.table, c.where)
		write := fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = $2", c.table, c.name, c.where)
		good := p.blob(t, read, c.whose)
		for i := 0; i < len(good); i += 5 {
			bad := append([]byte(nil), good...)
			bad[i] ^= 0x10
			p.change(t, write, bad, c.whose)
			refused(fmt.Sprintf("%s.%s, byte %d", c.table, c.name, i))
		}
		for _, bad := range [][]byte{{}, good[:1], good[:len(good)-1], append(slices.Clip(good), 0)} {
			p.change(t, write, bad, c.whose)
			refused(fmt.Sprintf("%s.%s, %d bytes", c.table, c.name, len(bad)))
		}
		p.change(t, write, good, c.whose)
		holds(t, v, who, vault.KindPhone, ref, "+31612345678")
	}
	p.change(t, `UPDATE value SET kind = 'email' WHERE ref = $1`, ref.ID[:])
	refused("value.kind")
	p.change(t, `UPDATE value SET kind = 'phone', version = 2 WHERE ref = $1`, ref.ID[:])
	refused("value.version")
	later := ref
	later.Version = 2
	if _, err := v.Get(t.Context(), who, vault.KindPhone, later); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("an older value made the newer version: %v", err)
	}
	p.change(t, `UPDATE value SET version = 1 WHERE ref = $1`, ref.ID[:])
	p.change(t, `UPDATE person SET key_id = 'ffffffffffffffff' WHERE subject = $1`, who[:])
	if _, err := v.Get(t.Context(), who, vault.KindPhone, ref); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("person.key_id: %v", err)
	}
	if _, err := v.Put(t.Context(), who, vault.KindPhone, nil); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("put under an edited key: %v", err)
	}
}

// swapping moves sealed columns between persons, kinds and versions.
func swapping(t *testing.T, p Place) {
	t.Helper()
	v, jan, an := p.open(t), somebody(), somebody()
	type row struct {
		who  domain.SubjectID
		kind vault.Kind
		ref  domain.Ref
	}
	rows := []row{
		{jan, vault.KindName, put(t, v, jan, vault.KindName, "Jan")},
		{jan, vault.KindName, put(t, v, jan, vault.KindName, "Johan")},
		{jan, vault.KindPhone, put(t, v, jan, vault.KindPhone, "+31612345678")},
		{an, vault.KindName, put(t, v, an, vault.KindName, "An")},
	}
	both := `UPDATE value SET sealed = (SELECT sealed FROM value WHERE ref = $1),
		salt = (SELECT salt FROM value WHERE ref = $1) WHERE ref = $2`
	for i, from := range rows {
		for j, to := range rows {
			if i == j {
				continue
			}
			sealed := p.blob(t, `SELECT sealed FROM value WHERE ref = $1`, to.ref.ID[:])
			salt := p.blob(t, `SELECT salt FROM value WHERE ref = $1`, to.ref.ID[:])
			p.change(t, both, from.ref.ID[:], to.ref.ID[:])
			asFrom := from.ref // with the commitment that fits what now stands there
			asFrom.ID, asFrom.Version = to.ref.ID, to.ref.Version
			for _, ref := range []domain.Ref{to.ref, asFrom} {
				if _, err := v.Get(t.Context(), to.who, to.kind, ref); !errors.Is(err, vault.ErrTampered) {
					t.Errorf("row %d under the reference of row %d: %v", i, j, err)
				}
			}
			p.change(t, `UPDATE value SET sealed = $1, salt = $2 WHERE ref = $3`, sealed, salt, to.ref.ID[:])
			holds(t, v, to.who, to.kind, to.ref, map[int]string{0: "Jan", 1: "Johan", 2: "+31612345678", 3: "An"}[j])
		}
	}
	// a person's whole key, and a whole row, made somebody else's
	key := p.blob(t, `SELECT wrapped FROM person WHERE subject = $1`, jan[:])
	p.change(t, `UPDATE value SET subject = $1, version = 9 WHERE ref = $2`, an[:], rows[0].ref.ID[:])
	p.change(t, `UPDATE person SET wrapped = $1 WHERE subject = $2`, key, an[:])
	moved := rows[0].ref
	moved.Version = 9
	for _, ref := range []domain.Ref{moved, rows[0].ref} {
		if _, err := v.Get(t.Context(), an, vault.KindName, ref); !errors.Is(err, vault.ErrTampered) {
			t.Errorf("moved with its key to another person: %v", err)
		}
	}
}

func wrongKey(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	who := somebody()
	ref := put(t, v, who, vault.KindName, "Jan")
	other, err := vault.LoadOrCreateKeys(filepath.Join(t.TempDir(), "other.key"))
	ok(t, err)
	if opened, err := vault.Open(t.Context(), p.URL, other, vault.Options{}); !errors.Is(err, vault.ErrWrongKey) || opened != nil {
		t.Fatalf("opened with another key: %v", err)
	}
	holds(t, p.open(t), who, vault.KindName, ref, "Jan")
	sealed := p.blob(t, `SELECT sealed FROM meta WHERE name = 'index'`)
	sealed[len(sealed)-1] ^= 1
	p.change(t, `UPDATE meta SET sealed = $1`, sealed)
	if _, err := vault.Open(t.Context(), p.URL, p.keys(t), vault.Options{}); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("opened with an edited index secret: %v", err)
	}
	p.change(t, `DELETE FROM meta`)
	for range 2 { // and no new one is made
		if _, err := vault.Open(t.Context(), p.URL, p.keys(t), vault.Options{}); !errors.Is(err, vault.ErrTampered) {
			t.Errorf("opened without an index secret: %v", err)
		}
	}
}
