package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// A batch is handed over when so many positions were passed, or when it has so
// many bytes. Each is read in a transaction of its own, so that slow receivers
// never keep the write-ahead log from starting over.
const (
	batchPositions = 2048
	batchBytes     = 1 << 20
)

// The columns that every receiver gets, and those of Query.Metadata.
const (
	columns     = `position, stream, revision, type, data, recorded`
	moreColumns = columns + `, id, metadata`
)

const streamSQL = `SELECT ` + moreColumns + ` FROM events
	WHERE stream = (SELECT id FROM streams WHERE name = ?1) AND revision >= ?2 ORDER BY revision`

// The kinds of scans, to be added.
const (
	scanMetadata = 1
	scanTypes    = 2
)

// scanSQL reads from after a position on. Types are filtered within SQLite,
// which costs less than handing rows out: there is no index on them, since it
// would cost every append more than it saves the few who read so. Only there
// SQLite is told where to end, too: asking itself that of every row costs more
// than one row too many.
func scanSQL(kind int) string {
	cols, types := columns, ""
	if kind&scanMetadata != 0 {
		cols = moreColumns
	}
	if kind&scanTypes != 0 {
		types = ` AND position <= ?2 AND type IN (SELECT id FROM types WHERE name IN (SELECT value FROM json_each(?3)))`
	}
	return `SELECT ` + cols + ` FROM events WHERE position > ?1` + types + ` ORDER BY position`
}

// ReadStream returns the events of one stream from a revision on, with
// metadata; none when there is no such stream or nothing so far along.
func (s *SQLite) ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error) {
	events := []domain.Recorded{}
	err := s.reading(ctx, func(r *reader) (err error) {
		events, err = r.readStream(stream, from, events)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read stream %s: %w", stream, err)
	}
	return s.ages.drop(stream, events), nil
}

func (r *reader) readStream(stream string, from domain.Revision, events []domain.Recorded) ([]domain.Recorded, error) {
	stmt := r.stream
	defer stmt.Reset() //nolint:errcheck // reports again what Step reported
	if err := stmt.BindText(1, stream); err != nil {
		return nil, err
	}
	if err := stmt.BindInt64(2, int64(from)); err != nil {
		return nil, err
	}
	for stmt.Step() {
		e := domain.Recorded{Stream: stream, Position: position(stmt.ColumnInt64(0))}
		kind, _ := numbers(stmt, &e)
		var err error
		if e.Type, err = r.typeName(kind); err != nil {
			return nil, err
		}
		e.Data = stmt.ColumnBlob(4, nil)
		readID(stmt, &e)
		e.Metadata = stmt.ColumnBlob(7, nil)
		events = append(events, e)
	}
	return events, stmt.Err()
}

// numbers reads the columns that are numbers, except the position and with the
// time, and returns the ids of the type and the stream.
func numbers(stmt *sqlite3.Stmt, e *domain.Recorded) (kind int, stream int64) {
	e.Revision = domain.Revision(stmt.ColumnInt64(2))
	e.Recorded = timeOf(stmt.ColumnInt64(5))
	return stmt.ColumnInt(3), stmt.ColumnInt64(1)
}

// The first and the last microsecond that can be written down as a time (RFC 3339).
const (
	firstMicro = -62_167_219_200_000_000
	lastMicro  = 253_402_300_799_999_999
)

// timeOf returns the time that a column holds. One that cannot be written down is not of
// Keydesk, but of somebody who can write to the file: it is the nearest that can, so that
// nobody who tells others of the event breaks off.
func timeOf(micros int64) time.Time {
	return time.UnixMicro(min(max(micros, firstMicro), lastMicro)).UTC()
}

// readID reads the event's id, of those who asked for metadata.
func readID(stmt *sqlite3.Stmt, e *domain.Recorded) { copy(e.ID[:], stmt.ColumnRawBlob(6)) }

// A scanner reads the whole log for one query, batch after batch.
type scanner struct {
	q     domain.Query
	types string // JSON
	names names
	ages  ages
	now   time.Time // what is too old, is so at this moment
}

func newScanner(q domain.Query, as ages) (*scanner, error) {
	if q.Expired {
		as = nil
	}
	sc := &scanner{q: q, ages: as}
	if len(q.Types) > 0 {
		types, err := json.Marshal(q.Types)
		if err != nil {
			return nil, err
		}
		sc.types = string(types)
	}
	return sc, nil
}

// A buffer is a batch and the memory that its events point at. It is filled
// again and again.
type buffer struct {
	domain.Batch
	bytes []byte
	err   error
}

// next fills a buffer with what comes after the query's position, up to a
// position at most, and moves the query on.
func (sc *scanner) next(r *reader, b *buffer, until domain.Position) error {
	b.Events, b.bytes = b.Events[:0], b.bytes[:0]
	if len(sc.ages) > 0 {
		sc.now = time.Now()
	}
	stmt, err := sc.bind(r, until)
	if err != nil {
		return err
	}
	if until-sc.q.After > batchPositions/4 {
		r.file.begin()
		defer r.file.end()
	}
	defer stmt.Reset() //nolint:errcheck // reports again what Step reported
	for at := sc.q.After; at < until && stmt.Step(); {
		if at = position(stmt.ColumnInt64(0)); at > until {
			break
		}
		if err := sc.add(r, stmt, at, b); err != nil {
			return err
		}
		if len(b.bytes) >= batchBytes {
			until = at
		}
	}
	if err := stmt.Err(); err != nil {
		return err
	}
	sc.q.After, b.Through = until, until
	return nil
}

func (sc *scanner) bind(r *reader, until domain.Position) (*sqlite3.Stmt, error) {
	kind := 0
	if sc.q.Metadata {
		kind |= scanMetadata
	}
	if sc.types != "" {
		kind |= scanTypes
	}
	stmt := r.scans[kind]
	if err := stmt.BindInt64(1, rowid(sc.q.After)); err != nil {
		return nil, err
	}
	if sc.types == "" {
		return stmt, nil
	}
	return stmt, errors.Join(stmt.BindInt64(2, rowid(until)), stmt.BindText(3, sc.types))
}

// add puts the row on which a statement stands into the buffer, if its stream
// is asked for.
func (sc *scanner) add(r *reader, stmt *sqlite3.Stmt, at domain.Position, b *buffer) (err error) {
	e := domain.Recorded{Position: at}
	kind, stream := numbers(stmt, &e)
	if e.Stream, err = sc.names.of(r, stream); err != nil {
		return err
	}
	if !strings.HasPrefix(e.Stream, sc.q.Prefix) || len(sc.ages) > 0 && sc.ages.expired(e.Stream, e.Recorded, sc.now) {
		return nil
	}
	if e.Type, err = r.typeName(kind); err != nil {
		return err
	}
	e.Data = b.keep(stmt.ColumnRawText(4))
	if sc.q.Metadata {
		readID(stmt, &e)
		e.Metadata = b.keep(stmt.ColumnRawText(7))
	}
	b.Events = append(b.Events, e)
	return nil
}

// keep copies bytes into the buffer. When it grows, what was kept before stays
// where it was.
func (b *buffer) keep(p []byte) []byte {
	if p == nil {
		return nil
	}
	from := len(b.bytes)
	b.bytes = append(b.bytes, p...)
	return b.bytes[from:len(b.bytes):len(b.bytes)]
}
