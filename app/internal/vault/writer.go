package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3/driver"

	"github.com/keydesk/keydesk/domain"
)

// group is how many waiting changes one transaction takes along at most.
const group = 64

// A writer owns the one connection that writes. Its goroutine gathers the
// changes that wait into one transaction, so that they share one fsync; each
// stands in its own savepoint, so that one that is refused undoes only itself.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	queue chan *change
	quit  chan struct{}
	ended chan struct{}

	statements map[string]statement // of conn; the goroutine's own
}

// A change is what one call wants to write.
type change struct {
	ctx   context.Context
	apply func(context.Context, *transaction) error
	begun atomic.Bool // by the writer, or given up by the caller
	done  chan error
}

// newWriter connects and starts the goroutine.
func newWriter(ctx context.Context, dsn string) (*writer, error) {
	db, err := driver.Open(dsn, setUp)
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(0) // the one is never idle, and a checkpoint's is not kept
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{
		db: db, conn: conn, statements: map[string]statement{},
		queue: make(chan *change), quit: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.run() //nolint:contextcheck // the writer outlives the context that opened it
	return w, nil
}

// close lets the transaction under way end first. It is called once.
//
// Nobody but us closes the statements of a connection of our own, and SQLite keeps
// one open that has any left. The last connection of all processes folds the
// write-ahead log into the file.
func (w *writer) close() error {
	if w == nil {
		return nil
	}
	close(w.quit)
	<-w.ended
	var errs []error
	for _, s := range w.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, w.conn.Close(), w.db.Close())...)
}

// vacuum writes the whole database anew, on a connection of its own.
func (w *writer) vacuum(ctx context.Context) error {
	_, err := w.db.ExecContext(ctx, `VACUUM`)
	return unavailable(err)
}

// checkpoint copies the write-ahead log into the database and empties it, on a
// connection of its own. It waits for whoever reads or writes, as long as the
// busy timeout, and for another checkpoint, for which SQLite does not.
func (w *writer) checkpoint(ctx context.Context) error {
	for end := time.Now().Add(patience); ; {
		var busy, frames, copied int
		err := w.db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &copied)
		if err != nil || busy == 0 {
			return unavailable(err)
		}
		if time.Now().After(end) {
			return fmt.Errorf("%w: the write-ahead log is in use", domain.ErrUnavailable)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// do applies a change in a transaction and returns once it is on disk. When ctx
// ends before the change's turn came, nothing was done; after that its end no
// longer matters, so that the outcome is always known.
func (w *writer) do(ctx context.Context, apply func(context.Context, *transaction) error) error {
	c := &change{ctx: ctx, apply: apply, done: make(chan error, 1)}
	select {
	case w.queue <- c:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return fmt.Errorf("%w: the vault is closed", domain.ErrUnavailable)
	}
	select {
	case err := <-c.done:
		return unavailable(err)
	case <-ctx.Done():
		if c.begun.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return unavailable(<-c.done)
	}
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case c := <-w.queue:
			w.commit(c)
		case <-w.quit:
			return
		}
	}
}

// commit applies the first change and those that wait behind it.
func (w *writer) commit(first *change) {
	ctx := context.Background() // a transaction of many outlives each of them
	if _, err := w.conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		for n, c := 0, first; c != nil; n, c = n+1, w.next(n) { // who stood behind it waited as long
			c.done <- err
		}
		return
	}
	var applied []*change
	var failed error
	for c := first; c != nil; c = w.next(len(applied)) {
		if !c.begun.CompareAndSwap(false, true) {
			continue // given up
		}
		refused, err := w.apply(c)
		if err != nil {
			failed = err
			c.done <- err
			break // before another is taken from the queue, which nobody would answer
		}
		if refused != nil {
			c.done <- refused
		} else {
			applied = append(applied, c)
		}
	}
	if failed == nil {
		_, failed = w.conn.ExecContext(ctx, `COMMIT`)
	}
	if failed != nil {
		// SQLite may have rolled back by itself; then this only says so
		_, _ = w.conn.ExecContext(ctx, `ROLLBACK`)
	}
	for _, c := range applied {
		c.done <- failed
	}
}

// next returns a change that waits already, if the transaction has room for it.
func (w *writer) next(applied int) *change {
	if applied >= group {
		return nil
	}
	select {
	case c := <-w.queue:
		return c
	default:
		return nil
	}
}

// apply runs one change in a savepoint. A refusal undoes the change alone;
// failed means that the transaction is lost.
//
// The statements run under a context that does not end, since interrupting one
// would roll back the whole transaction, and with it the changes of others.
func (w *writer) apply(c *change) (refused, failed error) {
	ctx := context.WithoutCancel(c.ctx)
	if _, err := w.conn.ExecContext(ctx, `SAVEPOINT change`); err != nil {
		return nil, err
	}
	refused = c.apply(ctx, &transaction{w: w})
	if refused != nil {
		if _, err := w.conn.ExecContext(ctx, `ROLLBACK TO change`); err != nil {
			return nil, errors.Join(refused, err)
		}
	}
	_, failed = w.conn.ExecContext(ctx, `RELEASE change`)
	return refused, failed
}

// A transaction is a tx in the file.
type transaction struct {
	w *writer
}

// prepared returns the statement of a query. The set of queries is fixed, so
// what is kept stays small.
func (t *transaction) prepared(ctx context.Context, query string) (statement, error) {
	if s := t.w.statements[query]; s != nil {
		return s, nil
	}
	s, err := t.w.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	t.w.statements[query] = s
	return s, nil
}

func (t *transaction) row(ctx context.Context, query string, args ...any) row {
	s, err := t.prepared(ctx, query)
	if err != nil {
		return t.w.conn.QueryRowContext(ctx, query, args...) // whose Scan says the same again
	}
	return s.QueryRowContext(ctx, args...)
}

func (t *transaction) each(ctx context.Context, scan func(row) error, query string, args ...any) error {
	s, err := t.prepared(ctx, query)
	if err != nil {
		return err
	}
	return each(ctx, s, scan, args)
}

func (t *transaction) exec(ctx context.Context, query string, args ...any) (int64, error) {
	s, err := t.prepared(ctx, query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// lock has nothing to do: this transaction is the only one that writes.
func (t *transaction) lock(context.Context, ...[]byte) error { return nil }

func (t *transaction) expire(ctx context.Context, table, column string, below int64) error {
	_, err := t.exec(ctx, `DELETE FROM `+table+` WHERE `+column+` < $1`, below)
	return err
}

// script runs several statements without arguments.
func (t *transaction) script(ctx context.Context, statements string) error {
	_, err := t.w.conn.ExecContext(ctx, statements)
	return err
}
