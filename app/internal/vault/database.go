package vault

import "context"

// A database is what a vault stands on: an SQLite file, or a PostgreSQL server.
// The operations above it are written once, in SQL that both understand;
// everything that they do differently is behind these interfaces.
//
// Its errors are domain.ErrUnavailable, domain.ErrUnknownOutcome or those of the
// context, as Vault says. What the functions given to it return comes back as it is.
type database interface {
	// read asks questions; each sees what was committed before it. Where an
	// attempt came to nothing it asks again: so ask sets anew whatever it gives back.
	read(ctx context.Context, ask func(context.Context, querier) error) error

	// snapshot asks many questions, all of which see what was committed at one
	// moment. It takes as long as it takes, and is not asked again.
	snapshot(ctx context.Context, ask func(context.Context, querier) error) error

	// write runs a change in a transaction and returns once it is durable. A
	// change that returns an error is undone. Like ask, it may be run again.
	write(ctx context.Context, change func(context.Context, tx) error) error

	// scrub sees to it that what was overwritten and deleted before is gone from
	// where the database keeps its rows.
	scrub(ctx context.Context) error

	// close ends calls that are under way first. It is called once.
	close() error
}

// A querier reads. Placeholders are $1, $2 and so on, first
// used in that order, which is all that SQLite goes by.
type querier interface {
	row(ctx context.Context, query string, args ...any) row

	// each scans all rows. It ends at the first error of scan, and returns it.
	each(ctx context.Context, scan func(row) error, query string, args ...any) error
}

// A row is one row of an answer. Scan returns sql.ErrNoRows when there is none.
type row interface {
	Scan(dest ...any) error
}

// A tx runs the statements of one change.
type tx interface {
	querier

	// exec returns how many rows were changed.
	exec(ctx context.Context, query string, args ...any) (int64, error)

	// lock makes this transaction the only one that goes on with any of these
	// names, until it ends. Where several stations write at once, it is what
	// keeps a decision true that rests on more than the rows it changes. Names
	// are locked in one order, whatever order they are given in; a change locks
	// once, before it reads, so that two never wait for each other.
	lock(ctx context.Context, names ...[]byte) error

	// expire deletes the rows of a table whose column is below a limit, except
	// those that another transaction is just deleting.
	expire(ctx context.Context, table, column string, below int64) error
}
