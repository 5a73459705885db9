package roster

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// A Source is where HR's list is: a file, or a system that is asked for it.
type Source interface {
	// List reads all of it, as Read does. Progress is told how many rows there are so
	// far, now and then; it may be nil.
	List(ctx context.Context, p enrolment.Policy, progress func(rows int)) (List, error)
}

// A File is the Source of somebody who has the file. It is read once.
type File struct{ From io.Reader }

// List implements Source, with Read.
func (f File) List(_ context.Context, p enrolment.Policy, _ func(rows int)) (List, error) {
	return Read(f.From, p)
}

// A Table makes a List of rows that come one by one, with a name for each value. It is
// what a Source is made of whose lists are no files. It is for one goroutine.
type Table struct {
	list   List
	reader *reader
	digest hash.Hash
	kept   int // bytes
}

// NewTable begins a list with these columns; there is at most one of each field.
// Ignored are those that nobody asked for.
func NewTable(from enrolment.RosterSource, columns []Column, ignored []string, p enrolment.Policy) *Table {
	t := &Table{list: List{Source: from, Columns: columns, Ignored: ignored}, digest: sha256.New()}
	t.reader = newReader(&t.list, p)
	for _, c := range columns {
		t.note(string(c.Field))
	}
	return t
}

// note adds to the digest, so that no other list has the same one.
func (t *Table) note(s string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(s)))
	t.digest.Write(n[:])
	io.WriteString(t.digest, s) //nolint:errcheck,gosec // a hash takes everything
}

// Add adds the next row, with a value for each column. Wrong says which fields have
// none that can be read, and why. An error means that nothing of the list can be used:
// it is longer than a file may be.
func (t *Table) Add(values map[Field]string, wrong map[Field]Reason) error {
	l := &t.list
	if l.Total++; l.Total > MaxRows {
		return ErrTooManyRows
	}
	var problems []Problem
	row := make(map[Field]string, len(l.Columns))
	for _, c := range l.Columns {
		v, why := values[c.Field], wrong[c.Field]
		if why == "" && len(v) > MaxField {
			v, why = "", TooLong
		}
		t.note(v)
		t.note(string(why))
		if row[c.Field] = clean(v); why != "" {
			problems = append(problems, Problem{Line: l.Total, Column: c.Name, Reason: why})
		}
		if t.kept += len(v); t.kept > MaxBytes {
			return ErrTooLarge
		}
	}
	t.reader.row(l.Total, row, problems...)
	return nil
}

// List returns the list as far as rows were added.
func (t *Table) List() List {
	l := t.list
	t.digest.Sum(l.Digest[:0])
	return l
}
