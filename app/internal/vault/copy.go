package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrDiffers says that a vault holds something else than the one that it was to
// be a copy of. Nothing that it held was changed.
var ErrDiffers = errors.New("the vaults differ")

// Copied says how far a copy is: rows of all tables.
type Copied struct {
	Found  int64 // were there already
	Copied int64
}

// Copy makes another vault hold all that this one holds, row by row and sealed
// as it is, so both need the same master keys. Nothing else may use either of
// the two meanwhile. The target is a vault that was just made, or one that an
// earlier Copy from here was broken off in: then it goes on. Any other is
// ErrDiffers, and left alone. In the end both were compared row by row. tell is
// told now and then how far it is.
//
// The target has other keys of its hashes afterwards, and has to be opened anew.
func (v *Vault) Copy(ctx context.Context, to *Vault, tell func(Copied)) (c Copied, err error) {
	empty := true
	for _, t := range tables {
		found, err := t.after(ctx, to.db, 0)
		if err != nil {
			return c, fmt.Errorf("copy the vault: look into the target: %w", err)
		}
		empty = empty && len(found) == 0
	}
	if err := v.copySecret(ctx, to, empty); err != nil {
		return c, fmt.Errorf("copy the vault: %w", err)
	}
	for _, t := range tables {
		if err := v.copyTable(ctx, to, t, &c, tell); err != nil {
			return c, fmt.Errorf("copy the vault: table %s: %w", t.name, err)
		}
	}
	if _, err := v.Compare(ctx, to); err != nil {
		return c, err
	}
	return c, nil
}

// Compare says whether another vault is a copy of this one, and of how many
// rows. Where it is not, the error is ErrDiffers.
func (v *Vault) Compare(ctx context.Context, to *Vault) (rows int64, err error) {
	err = v.sameSecret(ctx, to)
	for i := 0; err == nil && i < len(tables); i++ {
		var more bool
		var n int64
		if _, more, n, err = v.sameRows(ctx, to, tables[i]); err == nil && more {
			err = fmt.Errorf("%w: rows are missing", ErrDiffers)
		}
		if rows += n; err != nil {
			err = fmt.Errorf("table %s: %w", tables[i].name, err)
		}
	}
	if err != nil {
		return rows, fmt.Errorf("compare the vaults: %w", err)
	}
	return rows, nil
}

// A table is one of the vault's, apart from meta. Its rows have ids of their
// own in each database, and one order.
type table struct {
	name    string
	columns []column
}

type column struct {
	name string
	kind byte // b: bytes, t: text, i: integer
}

// tables are all of them.
var tables = []table{
	{"person", []column{{"subject", 'b'}, {"erased", 'i'}, {"key_id", 't'}, {"wrapped", 'b'}}},
	{"value", []column{
		{"ref", 'b'}, {"subject", 'b'}, {"kind", 't'}, {"version", 'i'}, {"active", 'i'}, {"created", 'i'}, {"sealed", 'b'}, {"salt", 'b'},
	}},
	{"claim", []column{{"hash", 'b'}, {"subject", 'b'}, {"mac", 'b'}}},
	{"taken", []column{{"counter", 'b'}, {"at", 'i'}, {"until", 'i'}}},
	{"started", []column{{"message", 'b'}, {"at", 'i'}}},
	{"outcome", []column{{"channel", 't'}, {"message", 'b'}, {"at", 'i'}, {"verified", 'i'}}},
}

// A record is one row of a table, without its id.
type record struct {
	id     int64
	values []any
}

// equal compares rows, whatever their ids.
func (r record) equal(o record) bool {
	for i := range r.values {
		a, bytewise := r.values[i].([]byte)
		if b, ok := o.values[i].([]byte); bytewise && ok {
			if !bytes.Equal(a, b) {
				return false
			}
		} else if r.values[i] != o.values[i] {
			return false
		}
	}
	return true
}

// pageRows is how many rows are read, and written, at once.
const pageRows = 500

// after returns the next rows behind an id.
func (t table) after(ctx context.Context, db database, id int64) (rows []record, err error) {
	err = db.read(ctx, func(ctx context.Context, q querier) (err error) {
		rows, err = t.page(ctx, q, id)
		return err
	})
	return rows, err
}

// page is after, in a reading that has begun.
func (t table) page(ctx context.Context, q querier, id int64) (rows []record, err error) {
	query := `SELECT id, ` + t.list() + ` FROM ` + t.name + ` WHERE id > $1 ORDER BY id LIMIT $2`
	err = q.each(ctx, func(found row) error {
		r, err := t.scan(found)
		rows = append(rows, r)
		return err
	}, query, id, pageRows)
	return rows, err
}

func (t table) list() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

func (t table) scan(found row) (r record, err error) {
	into := make([]any, 1, len(t.columns)+1)
	into[0] = &r.id
	for _, c := range t.columns {
		switch c.kind {
		case 'b':
			into = append(into, new([]byte))
		case 't':
			into = append(into, new(string))
		default:
			into = append(into, new(int64))
		}
	}
	if err := found.Scan(into...); err != nil {
		return r, err
	}
	for _, at := range into[1:] {
		switch at := at.(type) {
		case *[]byte:
			r.values = append(r.values, append([]byte{}, *at...)) // never nil, which would be NULL
		case *string:
			r.values = append(r.values, *at)
		case *int64:
			r.values = append(r.values, *at)
		}
	}
	return r, nil
}

// put adds rows, all of them or none.
func (t table) put(ctx context.Context, db database, rows []record) error {
	marks := make([]string, len(t.columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	insert := `INSERT INTO ` + t.name + ` (` + t.list() + `) VALUES (` + strings.Join(marks, ", ") + `)`
	return db.write(ctx, func(ctx context.Context, tx tx) error {
		for _, r := range rows {
			if _, err := tx.exec(ctx, insert, r.values...); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyTable adds what the target lacks of a table, at the end.
func (v *Vault) copyTable(ctx context.Context, to *Vault, t table, c *Copied, tell func(Copied)) error {
	last, _, found, err := v.sameRows(ctx, to, t)
	if err != nil {
		return err
	}
	c.Found += found
	for {
		rows, err := t.after(ctx, v.db, last)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := t.put(ctx, to.db, rows); err != nil {
			return err
		}
		c.Copied += int64(len(rows))
		last = rows[len(rows)-1].id
		tell(*c)
	}
}

// sameRows walks along a table of both vaults for as long as the target's goes
// on, and returns how many rows are the same, the id of the last one here, and
// whether there are more here. Rows that differ are ErrDiffers.
func (v *Vault) sameRows(ctx context.Context, to *Vault, t table) (last int64, more bool, n int64, err error) {
	var here, there []record
	var at int64 // the last id there
	for {
		if len(here) == 0 {
			if here, err = t.after(ctx, v.db, last); err != nil {
				return last, false, n, err
			}
		}
		if len(there) == 0 {
			if there, err = t.after(ctx, to.db, at); err != nil {
				return last, false, n, err
			}
		}
		switch {
		case len(there) == 0:
			return last, len(here) > 0, n, nil
		case len(here) == 0:
			return last, false, n, fmt.Errorf("%w: the target has more than %d rows", ErrDiffers, n)
		case !here[0].equal(there[0]):
			return last, false, n, fmt.Errorf("%w: in row %d", ErrDiffers, n+1)
		}
		last, at = here[0].id, there[0].id
		here, there = here[1:], there[1:]
		n++
	}
}

// secretRow is the row of the index secret.
type secretRow struct {
	keyID  string
	sealed []byte
}

func readSecret(ctx context.Context, q querier) (s secretRow, err error) {
	err = q.row(ctx, selectIndexSecret).Scan(&s.keyID, &s.sealed)
	return s, err
}

func (v *Vault) secretRow(ctx context.Context) (s secretRow, err error) {
	err = v.db.read(ctx, func(ctx context.Context, q querier) (err error) {
		s, err = readSecret(ctx, q)
		return err
	})
	return s, err
}

// sameSecret says whether the target has the index secret of this vault.
func (v *Vault) sameSecret(ctx context.Context, to *Vault) error {
	ours, err := v.secretRow(ctx)
	if err != nil {
		return err
	}
	theirs, err := to.secretRow(ctx)
	if err == nil && (ours.keyID != theirs.keyID || !bytes.Equal(ours.sealed, theirs.sealed)) {
		err = fmt.Errorf("%w: the target is a vault of its own", ErrDiffers)
	}
	return err
}

// copySecret gives the target the index secret of this vault: in place of its
// own, as long as nothing was hashed with that.
func (v *Vault) copySecret(ctx context.Context, to *Vault, empty bool) error {
	err := v.sameSecret(ctx, to)
	if !empty || !errors.Is(err, ErrDiffers) {
		return err
	}
	ours, err := v.secretRow(ctx)
	if err != nil {
		return err
	}
	return to.setSecret(ctx, ours)
}

// setSecret puts another index secret in the place of the vault's own.
func (v *Vault) setSecret(ctx context.Context, s secretRow) error {
	return v.db.write(ctx, func(ctx context.Context, tx tx) error {
		_, err := tx.exec(ctx, `UPDATE meta SET key_id = $1, sealed = $2 WHERE name = 'index'`, s.keyID, s.sealed)
		return err
	})
}
