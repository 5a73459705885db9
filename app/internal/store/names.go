package store

import (
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
)

// How many names a scan remembers, and how many it looks up at a time when it
// meets a stream for the first time.
const (
	rememberedNames = 1 << 14
	nameRun         = 128
)

// namesSQL asks for a run of names.
const namesSQL = `SELECT id, name FROM streams WHERE id >= ? ORDER BY id LIMIT ?`

// names remembers the names of streams by their ids. It is small and forgets:
// the events of one person mostly stand near each other, and a million names
// would take more memory than the fold of all their events.
//
// Streams get their ids in the order of their first events. So a scan meets
// new ids in order, and fetches the names of the next ones, too. An id that it
// has met before is an older stream, whose neighbours are not wanted.
type names struct {
	ids   []int64
	names []string
	met   int64 // the highest id so far
}

func (n *names) of(r *reader, id int64) (string, error) {
	if n.ids == nil {
		n.ids, n.names = make([]int64, rememberedNames), make([]string, rememberedNames)
	}
	at := id % rememberedNames
	if n.ids[at] == id {
		return n.names[at], nil
	}
	if id > n.met {
		if err := n.meet(r, id); err != nil {
			return "", err
		}
		if n.ids[at] == id {
			return n.names[at], nil
		}
	}
	name, err := nameOf(r.name, id)
	if err != nil {
		return "", err
	}
	n.ids[at], n.names[at] = id, name
	return name, nil
}

// meet fetches a run of names.
func (n *names) meet(r *reader, from int64) error {
	stmt := r.nameRun
	defer stmt.Reset() //nolint:errcheck // reports again what Step reported
	if err := errors.Join(stmt.BindInt64(1, from), stmt.BindInt64(2, nameRun)); err != nil {
		return err
	}
	for stmt.Step() {
		n.met = stmt.ColumnInt64(0)
		at := n.met % rememberedNames
		n.ids[at], n.names[at] = n.met, stmt.ColumnText(1)
	}
	return stmt.Err()
}

// nameOf asks for the name that stands by an id.
func nameOf(stmt *sqlite3.Stmt, id int64) (string, error) {
	defer stmt.Reset() //nolint:errcheck // reports again what Step reported
	if err := stmt.BindInt64(1, id); err != nil {
		return "", err
	}
	if !stmt.Step() {
		return "", errors.Join(fmt.Errorf("%w: an id without a name", sqlite3.CORRUPT), stmt.Err())
	}
	return stmt.ColumnText(0), nil
}
