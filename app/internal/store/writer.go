package store

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
	"unsafe"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// How much one commit takes on. More makes those who wait for it wait longer
// than the shared fsync saves them.
const (
	maxGroup      = 4096    // messages
	maxGroupBytes = 4 << 20 // of data and metadata
)

// lockTry is how long the writer waits for the lock before it looks who of
// those who wait still does.
const lockTry = 200 * time.Millisecond

// maxKnown bounds how many streams the writer remembers the end of.
const maxKnown = 1 << 14

// A writer appends for all callers of one handle: one goroutine puts what
// waits at the moment into one transaction, so that many share one fsync. What
// is refused is found out before anything of it is inserted, so that a refusal
// does not touch the others. An insert that fails is the disk's fault and
// fails the whole group.
type writer struct {
	db      *sqlite3.Conn
	path    string
	wal     *gatherFile
	stmts   writerStmts
	changed func() // called after a commit

	queue   chan *request
	gate    sync.RWMutex // closed changes only while nobody sends to the queue
	closed  bool
	drained chan struct{}

	pending []*request // received, waiting for the lock
	group   []*request // taken, in the open transaction

	// What is known of the file, as long as nobody else writes to it.
	version int64 // SQLite's data_version when it was known
	head    int64 // -1: not known
	base    int64 // the head before the open transaction
	streams map[string]end
	types   map[string]int64
}

// end is where a stream ends.
type end struct {
	id       int64
	revision domain.Revision
}

type writerStmts struct {
	begin, commit, rollback, version, head          *sqlite3.Stmt
	stream, newStream, kind, newKind, ids, newEvent *sqlite3.Stmt
}

func newWriter(db *sqlite3.Conn, path string, changed func()) (*writer, error) {
	w := &writer{
		db: db, path: path, changed: changed,
		queue: make(chan *request, 1024), drained: make(chan struct{}),
	}
	var err error
	if w.wal, err = gathererOf(db); err != nil {
		return nil, err
	}
	if err = db.BusyTimeout(lockTry); err != nil {
		return nil, err
	}
	w.forget()
	for stmt, sql := range map[**sqlite3.Stmt]string{
		&w.stmts.begin:    `BEGIN IMMEDIATE`,
		&w.stmts.commit:   `COMMIT`,
		&w.stmts.rollback: `ROLLBACK`,
		&w.stmts.version:  `PRAGMA data_version`,
		&w.stmts.head:     `SELECT max(position) FROM events`,
		&w.stmts.stream: `SELECT id, max(coalesce((SELECT max(revision) FROM events WHERE stream = streams.id), -1),
			coalesce((SELECT revision FROM pruned WHERE stream = streams.id), -1)) FROM streams WHERE name = ?`,
		&w.stmts.newStream: `INSERT INTO streams (name) VALUES (?)`,
		&w.stmts.kind:      `SELECT id FROM types WHERE name = ?`,
		&w.stmts.newKind:   `INSERT INTO types (name) VALUES (?)`,
		&w.stmts.ids:       `SELECT id, position, revision FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?`,
		&w.stmts.newEvent: `INSERT INTO events (position, stream, revision, type, data, id, recorded, metadata)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
	} {
		if *stmt, _, err = db.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT); err != nil {
			return nil, err
		}
	}
	go w.run()
	return w, nil
}

func (w *writer) run() {
	defer close(w.drained)
	for w.receive() {
		switch err := w.begin(); {
		case err == nil:
			w.fill()
			w.end()
		case errors.Is(err, sqlite3.BUSY):
			w.expire(w.patience(), err)
		default:
			w.expire(0, err)
		}
	}
}

// receive waits until a request is pending. It returns false when the queue is
// closed and empty.
func (w *writer) receive() bool {
	if len(w.pending) > 0 {
		return true
	}
	r, ok := <-w.queue
	if ok {
		w.pending = append(w.pending, r)
	}
	return ok
}

// patience is how long an append waits for another process that writes.
func (w *writer) patience() time.Duration {
	if _, err := os.Stat(w.path + pruneSuffix); err == nil {
		return pruneLockPatience
	}
	return lockPatience
}

// expire refuses the pending requests that have waited long enough, and drops
// those that were given up.
func (w *writer) expire(patience time.Duration, err error) {
	w.collect(maxGroup)
	keep := w.pending[:0]
	for _, r := range w.pending {
		switch {
		case time.Since(r.since) < patience && r.state.Load() == waiting:
			keep = append(keep, r)
		case r.take():
			r.refuse(fmt.Errorf("%w: %w", domain.ErrUnavailable, err))
		}
	}
	clear(w.pending[len(keep):])
	w.pending = keep
}

// begin opens the transaction, which locks out all other writers, and makes
// sure that what is known is still so.
func (w *writer) begin() error {
	if err := w.stmts.begin.Exec(); err != nil {
		return err
	}
	version, err := one(w.stmts.version)
	if err == nil && (version != w.version || w.head < 0) {
		w.forget()
		w.version = version
		w.head, err = one(w.stmts.head)
	}
	if err != nil {
		return errors.Join(err, w.abandon())
	}
	w.base = w.head
	return nil
}

// fill puts into the transaction what waits, and what comes while it does so.
func (w *writer) fill() {
	messages, size := 0, 0
	now := time.Now().UnixMicro()
	for len(w.pending) > 0 && messages < maxGroup && size < maxGroupBytes {
		for _, r := range w.pending {
			if !r.take() {
				continue
			}
			w.group = append(w.group, r)
			if err := w.insert(r, now); err != nil {
				w.fail(err)
				return
			}
			for i := range r.msgs {
				size += len(r.msgs[i].Data) + len(r.msgs[i].Metadata)
			}
			messages += len(r.msgs)
		}
		w.pending = w.pending[:0]
		w.collect(1)
	}
}

// collect makes pending what is queued, up to so many.
func (w *writer) collect(most int) {
	for range most {
		select {
		case r, ok := <-w.queue:
			if !ok {
				return
			}
			w.pending = append(w.pending, r)
		default:
			return
		}
	}
}

// fail gives up the transaction because of an error that is not one request's.
// Nothing of the group was recorded.
func (w *writer) fail(err error) {
	w.answer(fmt.Errorf("%w: %w", domain.ErrUnavailable, errors.Join(err, w.abandon())))
}

// end commits the transaction and answers everybody in it.
func (w *writer) end() {
	if len(w.group) == 0 {
		_ = w.abandon() // nothing was written; failing to say so changes nothing
		return
	}
	err := w.stmts.commit.Exec()
	switch {
	case err == nil:
		if w.head != w.base {
			w.changed()
		}
		w.answer(nil)
	case notRecorded(err):
		w.fail(err)
	default:
		w.answer(fmt.Errorf("%w: %w", domain.ErrUnknownOutcome, errors.Join(err, w.abandon())))
	}
}

// answer tells everybody in the group the outcome: their own, or the error
// that all of them share.
func (w *writer) answer(err error) {
	for i, r := range w.group {
		if err != nil {
			r.appended, r.err, r.recorded = domain.Appended{}, err, false
		}
		r.after = nil
		close(r.done)
		w.group[i] = nil
	}
	w.group = w.group[:0]
}

// notRecorded says that a commit with this error left nothing behind. The
// commit's mark is the last thing that SQLite writes, so what failed while
// writing is not marked. What failed later, in fsync or in the shared index,
// may come to light when another process recovers the file.
func notRecorded(err error) bool {
	for _, code := range []error{sqlite3.FULL, sqlite3.BUSY, sqlite3.READONLY, sqlite3.IOERR_WRITE} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

// abandon rolls back, unless SQLite has already done so because of an error.
func (w *writer) abandon() error {
	w.wal.drop() // before others may write there
	w.forget()
	if w.db.GetAutocommit() {
		return nil
	}
	return w.stmts.rollback.Exec()
}

func (w *writer) forget() {
	w.head = -1
	w.streams = make(map[string]end)
	w.types = make(map[string]int64)
}

// insert decides about one request and inserts its messages. Its own outcome
// goes into the request; an error is one of the whole transaction.
func (w *writer) insert(r *request, now int64) error {
	if r.after != nil && !r.after.recorded {
		r.err = errAfter
		return nil
	}
	at, err := w.endOf(r.stream)
	if err != nil {
		return err
	}
	if at.revision != r.expected {
		return w.compare(r, at)
	}
	if at.id == 0 {
		if err := w.stmts.newStream.BindText(1, r.stream); err != nil {
			return err
		}
		if err := w.stmts.newStream.Exec(); err != nil {
			return err
		}
		at.id = w.db.LastInsertRowID()
	}
	for i := range r.msgs {
		at.revision++
		w.head++
		if r.times != nil {
			now = r.times[i]
		}
		if err := w.insertEvent(at, &r.msgs[i], now); err != nil {
			return err
		}
	}
	w.streams[r.stream] = at
	r.appended, r.recorded = domain.Appended{Revision: at.revision, Position: position(w.head)}, true
	return nil
}

// errAfter: what was to be recorded before was not.
var errAfter = fmt.Errorf("%w: what comes before it was not recorded", domain.ErrUnavailable)

// compare answers a request whose expectation does not hold: either it is a
// retry of what stands there already, or a conflict.
func (w *writer) compare(r *request, at end) error {
	r.err = &domain.Conflict{Stream: r.stream, Expected: r.expected, Actual: at.revision}
	after := int64(at.revision - r.expected)
	if after < int64(len(r.msgs)) {
		return nil
	}
	ids := w.stmts.ids
	defer ids.Reset() //nolint:errcheck // reports again what Step reported
	for i, v := range []int64{at.id, int64(r.expected), int64(len(r.msgs))} {
		if err := ids.BindInt64(i+1, v); err != nil {
			return err
		}
	}
	old := domain.Appended{Revision: r.expected}
	for i := range r.msgs {
		if !ids.Step() {
			return ids.Err()
		}
		old.Revision++ // where some were pruned, the next one there is another
		if domain.Revision(ids.ColumnInt64(2)) != old.Revision || string(ids.ColumnRawBlob(0)) != string(r.msgs[i].ID[:]) {
			return nil
		}
		old.Position = position(ids.ColumnInt64(1))
	}
	r.appended, r.err, r.recorded = old, nil, true
	return nil
}

// endOf returns where a stream ends; id 0 and domain.NoStream when there is
// none.
func (w *writer) endOf(stream string) (end, error) {
	if at, ok := w.streams[stream]; ok {
		return at, nil
	}
	stmt := w.stmts.stream
	defer stmt.Reset() //nolint:errcheck // reports again what Step reported
	if err := stmt.BindText(1, stream); err != nil {
		return end{}, err
	}
	at := end{revision: domain.NoStream}
	if stmt.Step() {
		at = end{id: stmt.ColumnInt64(0), revision: domain.Revision(stmt.ColumnInt64(1))}
	}
	if err := stmt.Err(); err != nil {
		return end{}, err
	}
	if len(w.streams) >= maxKnown {
		clear(w.streams)
	}
	w.streams[stream] = at
	return at, nil
}

// typeID returns the id of a type and makes one for a new type.
func (w *writer) typeID(name string) (int64, error) {
	if id, ok := w.types[name]; ok {
		return id, nil
	}
	if err := w.stmts.kind.BindText(1, name); err != nil {
		return 0, err
	}
	id, err := one(w.stmts.kind)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		if err := w.stmts.newKind.BindText(1, name); err != nil {
			return 0, err
		}
		if err := w.stmts.newKind.Exec(); err != nil {
			return 0, err
		}
		id = w.db.LastInsertRowID()
	}
	w.types[name] = id
	return id, nil
}

func (w *writer) insertEvent(at end, m *domain.Message, now int64) error {
	kind, err := w.typeID(m.Type)
	if err != nil {
		return err
	}
	s := w.stmts.newEvent
	for i, v := range [...]int64{w.head, at.id, int64(at.revision), kind} {
		if err := s.BindInt64(i+1, v); err != nil {
			return err
		}
	}
	if err := s.BindText(5, text(m.Data)); err != nil {
		return err
	}
	if err := s.BindBlob(6, m.ID[:]); err != nil {
		return err
	}
	if err := s.BindInt64(7, now); err != nil {
		return err
	}
	if len(m.Metadata) == 0 {
		err = s.BindNull(8)
	} else {
		err = s.BindText(8, text(m.Metadata))
	}
	if err != nil {
		return err
	}
	return s.Exec()
}

// text lends bytes to SQLite, which copies them at once; BindRawText would make
// a copy of its own before.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) } //nolint:gosec // nobody keeps it

// one returns the first column of the first row, 0 when there is none.
func one(stmt *sqlite3.Stmt) (int64, error) {
	defer stmt.Reset() //nolint:errcheck // reports again what Step reported
	if !stmt.Step() {
		return 0, stmt.Err()
	}
	return stmt.ColumnInt64(0), nil
}
