package store

import (
	"context"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// maxReaders bounds the connections that read, each of which has some
// megabytes of cache.
const maxReaders = 8

// A pool lends out the connections that read. It opens one more only when all
// that there are, are lent out.
type pool struct {
	path   string
	idle   chan *reader
	opened chan struct{} // holds one for each connection that is open
	closed chan struct{}
}

func newPool(path string) *pool {
	return &pool{
		path: path, closed: make(chan struct{}),
		idle: make(chan *reader, maxReaders), opened: make(chan struct{}, maxReaders),
	}
}

// take returns a connection, and waits for one while all are lent out.
func (p *pool) take(ctx context.Context) (*reader, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case <-p.closed:
		return nil, errClosed
	default:
	}
	select {
	case r := <-p.idle:
		return r, nil
	default:
	}
	select {
	case r := <-p.idle:
		return r, nil
	case p.opened <- struct{}{}:
		r, err := newReader(ctx, p.path)
		if err != nil {
			<-p.opened
		}
		return r, readFailure(ctx, err)
	case <-p.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// give takes a connection back.
func (p *pool) give(r *reader) {
	r.db.SetInterrupt(context.Background())
	p.idle <- r
}

// close waits for every connection and closes them.
func (p *pool) close() error {
	close(p.closed)
	var errs []error
	for left := maxReaders; left > 0; {
		select {
		case r := <-p.idle:
			errs = append(errs, disconnect(r.db))
			<-p.opened
		case p.opened <- struct{}{}:
			left--
		}
	}
	return errors.Join(errs...)
}

// A reader is one connection that reads, with its prepared statements. It
// serves one goroutine at a time.
type reader struct {
	db      *sqlite3.Conn
	file    *aheadFile
	head    *sqlite3.Stmt
	stream  *sqlite3.Stmt
	name    *sqlite3.Stmt
	nameRun *sqlite3.Stmt
	kind    *sqlite3.Stmt
	scans   [4]*sqlite3.Stmt // see scanSQL
	types   []string         // by id; a type never changes
}

func newReader(ctx context.Context, path string) (_ *reader, err error) {
	registerAhead()
	r := &reader{}
	if r.db, err = connect(ctx, path, aheadName); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, disconnect(r.db))
		}
	}()
	if r.file, err = aheadOf(r.db); err != nil {
		return nil, err
	}
	// Nothing that reads may ever write.
	if err = r.db.Exec(`PRAGMA query_only = ON`); err != nil {
		return nil, err
	}
	for stmt, sql := range map[**sqlite3.Stmt]string{
		&r.head:     `SELECT max(position) FROM events`,
		&r.stream:   streamSQL,
		&r.name:     `SELECT name FROM streams WHERE id = ?`,
		&r.nameRun:  namesSQL,
		&r.kind:     `SELECT name FROM types WHERE id = ?`,
		&r.scans[0]: scanSQL(0),
		&r.scans[1]: scanSQL(1),
		&r.scans[2]: scanSQL(2),
		&r.scans[3]: scanSQL(3),
	} {
		if *stmt, _, err = r.db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *reader) headPosition() (domain.Position, error) {
	defer r.head.Reset() //nolint:errcheck // reports again what Step reported
	if !r.head.Step() {
		return 0, r.head.Err()
	}
	return position(r.head.ColumnInt64(0)), nil
}

// typeName returns the name of a type by its id.
func (r *reader) typeName(id int) (string, error) {
	if id < len(r.types) && r.types[id] != "" {
		return r.types[id], nil
	}
	name, err := nameOf(r.kind, int64(id))
	if err != nil {
		return "", err
	}
	for len(r.types) <= id {
		r.types = append(r.types, "")
	}
	r.types[id] = name
	return name, nil
}

// position makes a position of a rowid. Ours begin at 1.
func position(rowid int64) domain.Position {
	return domain.Position(rowid) //nolint:gosec // never negative
}

// rowid makes a rowid of a position that somebody asks for. None is as large
// as the largest.
func rowid(p domain.Position) int64 {
	return int64(min(p, 1<<63-1))
}
