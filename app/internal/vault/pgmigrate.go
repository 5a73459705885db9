package vault

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/keydesk/keydesk/domain"
)

const (
	// pgVersion is the version of the tables that this program works with, the
	// last of the migrations below.
	pgVersion = 2
	// versionTable is where the versions that were reached are noted.
	versionTable = "vault_version"
	// migrateWithin bounds a migration, and waiting for that of another station.
	migrateWithin = time.Minute
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate makes the schema and the tables, or brings them up to date. Of the
// stations that start at once, one does, and the others wait for it. What is
// there already and is none of ours, or of a newer program, is left alone.
func (p *postgres) migrate(ctx context.Context, keys *Keys) error {
	var at pgState
	err := p.try(ctx, func(ctx context.Context, conn *pgx.Conn) (err error) {
		at, err = p.state(ctx, conn)
		return err
	})
	if err != nil || at.version == pgVersion {
		return explainOpen(ctx, err)
	}
	ctx, cancel := context.WithTimeout(ctx, migrateWithin)
	defer cancel()
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return explainOpen(ctx, asFault(err))
	}
	defer conn.Release()
	return explainOpen(ctx, p.migrateAlone(ctx, conn.Conn(), keys))
}

// postgresExists says whether the vault's tables are there.
func postgresExists(ctx context.Context, url string, o Options) (there bool, place string, err error) {
	config, err := parsePostgres(url, o)
	if err != nil {
		return false, "in PostgreSQL", err
	}
	place = placeOf(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return false, place, err
	}
	defer pool.Close()
	p := &postgres{pool: pool, schema: config.ConnConfig.RuntimeParams["search_path"]}
	err = p.try(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		at, err := p.state(ctx, conn)
		there = at.version > 0
		return err
	})
	return there, place, explainOpen(ctx, err)
}

// migrateAlone migrates while conn holds a lock, in a transaction that lasts as
// long: so the lock goes with the connection, whatever happens to this program,
// and works behind a pooler as well.
func (p *postgres) migrateAlone(ctx context.Context, conn *pgx.Conn, keys *Keys) error {
	t, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: fmt.Sprintf(
		`BEGIN; SET LOCAL statement_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = %[1]d`,
		migrateWithin.Milliseconds())})
	if err != nil {
		return asFault(err)
	}
	defer rollback(ctx, t)
	lock := pgTx{pgQuerier{t}}
	if err := lock.lock(ctx, []byte("migration of "+p.schema)); err != nil {
		return err
	}
	at, err := p.state(ctx, t) // somebody else may have been first
	if err != nil || at.version == pgVersion {
		return err
	}
	db := stdlib.OpenDB(*p.pool.Config().ConnConfig)
	defer func() { _ = db.Close() }()
	if !at.schema {
		if _, err := db.ExecContext(ctx, `CREATE SCHEMA `+p.schema); err != nil {
			return fmt.Errorf("make the schema (or have it made: CREATE SCHEMA %s AUTHORIZATION …): %w", p.schema, asFault(err))
		}
	}
	return up(ctx, db, keys)
}

// up runs the migrations that are missing, each in a transaction of its own.
func up(ctx context.Context, db *sql.DB, keys *Keys) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(goose.NewGoMigration(2, &goose.GoFunc{RunTx: makeIndexSecret(keys)}, nil)))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return asFault(err)
	}
	return nil
}

// makeIndexSecret is the migration that makes the index secret. Being one, it
// happens once in the life of a vault: when the secret is missing later on, that
// shows, and no other one takes its place.
func makeIndexSecret(keys *Keys) func(context.Context, *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		id, sealed, err := keys.newIndexSecret()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, insertIndexSecret, id, sealed)
		return err
	}
}

// pgState is what the database holds already.
type pgState struct {
	schema  bool
	version int64 // 0: no tables yet
}

// state looks at the database, and refuses one that is not for this program.
func (p *postgres) state(ctx context.Context, conn pgConn) (at pgState, err error) {
	var current sql.NullString
	var versioned bool
	var relations int
	err = conn.QueryRow(ctx, `SELECT current_schema(), EXISTS (SELECT FROM pg_namespace WHERE nspname = $1),
		to_regclass($1 || '.`+versionTable+`') IS NOT NULL,
		(SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1)`, p.schema).
		Scan(&current, &at.schema, &versioned, &relations)
	switch {
	case err != nil:
		return at, asFault(err)
	case at.schema && current.String != p.schema:
		return at, fmt.Errorf("the connection does not look into the schema %s: does a pooler keep search_path from the server?", p.schema)
	case !versioned && relations > 0:
		return at, fmt.Errorf("%w: the schema %s holds something else", ErrForeign, p.schema)
	case !versioned:
		return at, nil
	}
	err = conn.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM `+versionTable+` WHERE is_applied`).Scan(&at.version)
	if err == nil && at.version > pgVersion {
		return at, fmt.Errorf("%w: the schema %s has version %d, this program works with %d", ErrNewer, p.schema, at.version, pgVersion)
	}
	return at, asFault(err)
}

// explainOpen is explain for opening a vault, where to wait and try again is no
// use when the server refuses the user, the database or the rights.
func explainOpen(ctx context.Context, err error) error {
	if e, answered := errors.AsType[*pgconn.PgError](err); answered {
		for _, class := range []string{"28", "3D", "3F", "42"} {
			if strings.HasPrefix(e.Code, class) {
				return err
			}
		}
	}
	err = explain(ctx, err)
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, domain.ErrUnavailable) {
		err = fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
	}
	return err
}
