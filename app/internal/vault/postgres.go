package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keydesk/keydesk/domain"
)

const (
	// patience is how long one call may take, waiting for a connection and for
	// others' locks included. On the server it ends every statement, and every
	// transaction whose station fell silent, so that no lock outlives it.
	patience = 10 * time.Second
	// attempts is how often a call is made at most, when the server undid it or
	// the connection was lost before it was committed.
	attempts = 5
)

// begin starts a transaction. What holds for it is set here and not for the
// session, which a pooler may share with others. A server that answers before
// the disk has the transaction is told to wait for it.
var begin = fmt.Sprintf(`BEGIN ISOLATION LEVEL READ COMMITTED;
	SET LOCAL statement_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = %[1]d;
	SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'`,
	patience.Milliseconds())

// postgres is a database on a PostgreSQL server, whose tables several stations
// share. Each call is a transaction of its own; what has to be decided in one
// place is decided under a lock (tx.lock) or by a unique index.
type postgres struct {
	pool   *pgxpool.Pool
	schema string
}

// openPostgres connects and brings the tables up to date.
func openPostgres(ctx context.Context, url string, keys *Keys, o Options) (_ database, place string, err error) {
	config, err := parsePostgres(url, o)
	if err != nil {
		return nil, "in PostgreSQL", err
	}
	place = placeOf(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, place, err
	}
	p := &postgres{pool: pool, schema: config.ConnConfig.RuntimeParams["search_path"]}
	if err := p.migrate(ctx, keys); err != nil {
		return nil, place, errors.Join(err, p.close())
	}
	return p, place, nil
}

func (p *postgres) close() error {
	p.pool.Close()
	return nil
}

func (p *postgres) read(ctx context.Context, ask func(context.Context, querier) error) error {
	return p.call(ctx, func(ctx context.Context, conn *pgx.Conn) error { return ask(ctx, pgQuerier{conn}) })
}

// snapshot sees the state at its first question until it ends. Locks of others do not
// stop it.
func (p *postgres) snapshot(ctx context.Context, ask func(context.Context, querier) error) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return explain(ctx, asFault(err))
	}
	defer conn.Release()
	t, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return explain(ctx, asFault(err))
	}
	defer rollback(ctx, t) // nothing was changed
	return explain(ctx, ask(ctx, pgQuerier{t}))
}

func (p *postgres) write(ctx context.Context, change func(context.Context, tx) error) error {
	return p.call(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		t, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: begin})
		if err != nil {
			return asFault(err)
		}
		if err := change(ctx, &pgTx{pgQuerier{t}}); err != nil {
			rollback(ctx, t)
			return err
		}
		return commit(ctx, t)
	})
}

// scrub vacuums the tables that hold something about persons. The index entries
// have to go as well: a claim's is the keyed hash of an address.
func (p *postgres) scrub(ctx context.Context) error {
	return p.call(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `VACUUM (INDEX_CLEANUP ON) person, value, claim`)
		return asFault(err)
	})
}

// commit ends a transaction. From here on the caller's context no longer
// matters, so that the outcome is nearly always known.
func commit(ctx context.Context, t pgx.Tx) error {
	if err := ctx.Err(); err != nil {
		rollback(ctx, t)
		return asFault(err)
	}
	if t.Conn().IsClosed() {
		return asFault(pgconn.ErrConnClosed)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := t.Commit(ctx)
	switch e, answered := errors.AsType[*pgconn.PgError](err); {
	case err == nil:
		return nil
	case answered && severity(e) == "ERROR", errors.Is(err, pgx.ErrTxCommitRollback):
		return asFault(err) // the server says that it was undone
	}
	// The connection broke, or the server gave it up with FATAL or PANIC: the
	// transaction may stand on its disk. pgconn.SafeToRetry is no help: pgx
	// v5.12.0 says "conn closed", safe to retry, when the connection broke while
	// it waited for the answer.
	return fmt.Errorf("%w: %w", domain.ErrUnknownOutcome, err)
}

// rollback undoes a transaction, even when the context has ended. An error
// closes the connection, upon which the server does the same.
func rollback(ctx context.Context, t pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = t.Rollback(ctx)
}

// call tries, and says what a fault of the database means for the caller.
func (p *postgres) call(ctx context.Context, use func(context.Context, *pgx.Conn) error) error {
	return explain(ctx, p.try(ctx, use))
}

// try gives use a connection, and does so again when the attempt came to
// nothing through no fault of its own.
func (p *postgres) try(ctx context.Context, use func(context.Context, *pgx.Conn) error) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for attempt := 1; ; attempt++ {
		again, err := p.attempt(limited, use)
		if err == nil || !again || attempt == attempts || limited.Err() != nil {
			return err
		}
		pause := time.Duration(attempt) * time.Millisecond
		select {
		case <-time.After(pause + rand.N(pause)): //nolint:gosec // it only spreads the attempts
		case <-limited.Done():
		}
	}
}

// attempt makes a call once. When it failed, again says that nothing came of it
// and that another attempt may do better.
func (p *postgres) attempt(ctx context.Context, use func(context.Context, *pgx.Conn) error) (again bool, err error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return false, asFault(err)
	}
	defer conn.Release()
	err = use(ctx, conn.Conn())
	if err == nil {
		return false, nil
	}
	lost := conn.Conn().IsClosed()
	e, answered := errors.AsType[*pgconn.PgError](err)
	if lost || answered && leaves(e) {
		p.pool.Reset() // the others lead to where this one did
	}
	_, ours := errors.AsType[*fault](err)
	return ours && (lost || answered && (undone(e) || leaves(e))), err
}

// undone says that the server undid a transaction for the sake of another one.
func undone(e *pgconn.PgError) bool {
	return e.Code == "40001" || e.Code == "40P01" // serialization failure, deadlock
}

// leaves says that the server is about to go, or is not the one that takes
// writes any more.
func leaves(e *pgconn.PgError) bool {
	return strings.HasPrefix(e.Code, "57P") || e.Code == "25006" // shutdown, crash; read-only
}

// severity is the word in English, in whatever language the server speaks.
func severity(e *pgconn.PgError) string {
	if e.SeverityUnlocalized != "" {
		return e.SeverityUnlocalized
	}
	return e.Severity
}

// A fault is an error of the database, as opposed to one of what was done in it.
// Nothing was changed.
type fault struct{ error }

func (f *fault) Unwrap() error { return f.error }

func asFault(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return &fault{err}
}

// explain says of a fault that the vault is not available, but where the
// caller's context ended first. Other errors stay as they are.
func explain(ctx context.Context, err error) error {
	f, ours := errors.AsType[*fault](err)
	switch {
	case !ours:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), f.error)
	}
	return fmt.Errorf("%w: %w", domain.ErrUnavailable, f.error)
}

// pgConn is what a connection and a transaction have in common.
type pgConn interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

type pgQuerier struct{ conn pgConn }

func (q pgQuerier) row(ctx context.Context, query string, args ...any) row {
	return pgRow{q.conn.QueryRow(ctx, query, args...)}
}

func (q pgQuerier) each(ctx context.Context, scan func(row) error, query string, args ...any) error {
	rows, err := q.conn.Query(ctx, query, args...)
	if err != nil {
		return asFault(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return asFault(rows.Err())
}

// A pgRow marks the errors of the database.
type pgRow struct{ pgx.Row }

func (r pgRow) Scan(dest ...any) error { return asFault(r.Row.Scan(dest...)) }

// A pgTx is a tx on the server.
type pgTx struct{ pgQuerier }

func (t *pgTx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := t.conn.Exec(ctx, query, args...)
	return tag.RowsAffected(), asFault(err)
}

// lock takes an advisory lock for each name, which the server lets go of when
// the transaction ends. Two names of one number only wait for each other.
func (t *pgTx) lock(ctx context.Context, names ...[]byte) error {
	numbers := make([]int64, len(names))
	for i, name := range names {
		sum := sha256.Sum256(append([]byte("keydesk vault lock "), name...))
		numbers[i] = int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // any 64 bits will do
	}
	slices.Sort(numbers)
	_, err := t.exec(ctx, `SELECT pg_advisory_xact_lock(number) FROM unnest($1::bigint[]) AS number`, numbers)
	return err
}

func (t *pgTx) expire(ctx context.Context, table, column string, below int64) error {
	_, err := t.exec(ctx, `DELETE FROM `+table+` WHERE id IN
		(SELECT id FROM `+table+` WHERE `+column+` < $1 FOR UPDATE SKIP LOCKED)`, below)
	return err
}
