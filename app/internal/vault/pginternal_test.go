package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/domain"
)

// onServer opens a vault in a new database.
func onServer(t *testing.T) (v *Vault, db *postgres, server *pgtest.Server, name string) {
	t.Helper()
	server = pgtest.Shared(t)
	name = server.CreateDatabase(t)
	v, err := Open(t.Context(), server.URL(name), newKeys(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v, v.db.(*postgres), server, name
}

// fail makes the server report an error with that code.
func fail(code string) string {
	return `DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '` + code + `'; END $$`
}

// What the server undid for another transaction's sake is tried again, so that
// the caller sees one call; other errors of the server are "not available".
func TestServerErrors(t *testing.T) {
	t.Parallel()
	_, db, _, _ := onServer(t)
	for _, test := range []struct {
		code string
		runs int
	}{
		{"40001", attempts}, // serialization failure
		{"40P01", attempts}, // deadlock
		{"25006", attempts}, // read-only
		{"53100", 1},        // disk full
		{"53200", 1},        // out of memory
		{"55P03", 1},        // a lock that is not to be had
		{"57014", 1},        // the statement's time is up
		{"58030", 1},        // I/O error
		{"XX001", 1},        // a damaged page
	} {
		runs := 0
		err := db.write(t.Context(), func(ctx context.Context, tx tx) error {
			runs++
			_, err := tx.exec(ctx, fail(test.code))
			return err
		})
		if !errors.Is(err, domain.ErrUnavailable) || runs != test.runs {
			t.Errorf("%s: %v, after %d runs", test.code, err, runs)
		}
	}
	runs := 0
	err := db.write(t.Context(), func(ctx context.Context, tx tx) error {
		if runs++; runs < attempts {
			_, err := tx.exec(ctx, fail("40001"))
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO started (message, at) VALUES ($1, 1)`, []byte{1})
		return err
	})
	if err != nil || runs != attempts {
		t.Errorf("after %d runs: %v", runs, err)
	}
	// an error of the change, which may be a database's as well, is left as it is
	refusal := fmt.Errorf("the log: %w", context.DeadlineExceeded)
	runs = 0
	err = db.write(t.Context(), func(context.Context, tx) error { runs++; return refusal })
	if !errors.Is(err, refusal) || errors.Is(err, domain.ErrUnavailable) || runs != 1 {
		t.Errorf("refused: %v, after %d runs", err, runs)
	}
}

// Two changes that wait for each other are both done in the end.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	_, db, server, name := onServer(t)
	server.Exec(t, "postgres", `ALTER DATABASE `+name+` SET deadlock_timeout = '10ms'`)
	db.pool.Reset() // which new connections see
	first, second := make(chan struct{}), make(chan struct{})
	cross := func(mine, theirs string, met, meet chan struct{}) error {
		runs := 0
		return db.write(t.Context(), func(ctx context.Context, tx tx) error {
			if err := tx.lock(ctx, []byte(mine)); err != nil {
				return err
			}
			if runs++; runs == 1 {
				close(met)
				<-meet
			}
			return tx.lock(ctx, []byte(theirs))
		})
	}
	done := make(chan error)
	go func() { done <- cross("a", "b", first, second) }()
	here := cross("b", "a", second, first)
	if err := errors.Join(here, <-done); err != nil {
		t.Error(err)
	}
}

// Locks that are given in any order are taken in one, so that nobody waits in a
// circle.
func TestLocksInOneOrder(t *testing.T) {
	t.Parallel()
	_, db, _, _ := onServer(t)
	names := [][]byte{[]byte("a"), []byte("b"), []byte("c"), []byte("d")}
	done := make(chan error)
	for i := range 8 {
		go func() {
			given := slices.Clone(names)
			if i%2 == 0 {
				slices.Reverse(given)
			}
			done <- func() error {
				for range 25 {
					runs := 0
					err := db.write(t.Context(), func(ctx context.Context, tx tx) error {
						runs++
						return tx.lock(ctx, given...)
					})
					if err != nil || runs != 1 {
						return fmt.Errorf("after %d runs: %w", runs, err)
					}
				}
				return nil
			}()
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// What holds for every transaction, so that a station that vanished holds no
// lock for long, and nothing is acknowledged that is not on disk.
func TestTransactionSettings(t *testing.T) {
	t.Parallel()
	_, db, server, name := onServer(t)
	server.Exec(t, "postgres", `ALTER DATABASE `+name+` SET synchronous_commit = off;
		ALTER DATABASE `+name+` SET default_transaction_isolation = serializable`)
	db.pool.Reset()
	err := db.write(t.Context(), func(ctx context.Context, tx tx) error {
		for setting, want := range map[string]string{
			"statement_timeout": "10s", "idle_in_transaction_session_timeout": "10s",
			"synchronous_commit": "on", "transaction_isolation": "read committed",
			"search_path": "keydesk", "application_name": "keydesk",
		} {
			var got string
			if err := tx.row(ctx, `SELECT current_setting($1)`, setting).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %q, want %q", setting, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// An erasure leaves no old version of a row in the tables, and none of its
// entries in their indexes: only then PostgreSQL cuts an empty page off.
func TestEraseVacuums(t *testing.T) {
	t.Parallel()
	v, db, server, name := onServer(t)
	who, err := v.Claim(t.Context(), "jan@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Put(t.Context(), who, KindName, []byte("Jan")); err != nil {
		t.Fatal(err)
	}
	if err := v.Erase(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), server.SuperURL(name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	for _, table := range []string{"value", "claim"} {
		var bytes int
		err := conn.QueryRow(t.Context(), `SELECT pg_relation_size($1::regclass)`, db.schema+"."+table).Scan(&bytes)
		if err != nil || bytes != 0 {
			t.Errorf("%s has %d bytes: %v", table, bytes, err)
		}
	}
}

func TestParsePostgres(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, url string
		o         Options
		want      string // a part of the error
	}{
		{"a name", "postgres://keydesk@db.voorbeeld.nl/keydesk", Options{}, ""},
		{"the other scheme", "postgresql://keydesk@db.voorbeeld.nl/keydesk?sslmode=verify-full", Options{}, ""},
		{"this machine", "postgres://keydesk:x@localhost/keydesk?sslmode=disable", Options{}, ""},
		{"this machine's address", "postgres://keydesk:x@127.0.0.1:5433,[::1]:5434/keydesk", Options{}, ""},
		{"a socket", "postgres:///keydesk?host=/run/postgresql&sslmode=disable", Options{}, ""},
		{"several", "postgres://keydesk:x@db1.voorbeeld.nl:5432,db2.voorbeeld.nl:5433/keydesk?target_session_attrs=read-write", Options{}, ""},
		{"no encryption", "postgres://keydesk@db.voorbeeld.nl/keydesk?sslmode=disable", Options{}, "verify-full"},
		{"perhaps encryption", "postgres://keydesk:geheim@db.voorbeeld.nl/keydesk?sslmode=prefer", Options{}, "verify-full"},
		{"nobody verified", "postgres://keydesk:geheim@db.voorbeeld.nl/keydesk?sslmode=require", Options{}, "verify-full"},
		{"nobody verified, in other words", "postgres://keydesk:geheim@db.voorbeeld.nl/keydesk?ssl=true", Options{}, "verify-full"},
		{"the name not verified", "postgres://keydesk:geheim@db.voorbeeld.nl/keydesk?sslmode=verify-ca", Options{}, "verify-full"},
		{"one of two", "postgres://keydesk:geheim@localhost,db.voorbeeld.nl/keydesk?sslmode=prefer", Options{}, "db.voorbeeld.nl"},
		{"an address that looks local", "postgres://keydesk:geheim@127.0.0.1.voorbeeld.nl/keydesk?sslmode=prefer", Options{}, "verify-full"},
		{"two schemas", "postgres://keydesk:geheim@localhost/keydesk?search_path=a,public", Options{}, "one schema"},
		{"a schema with quotes", `postgres://keydesk:geheim@localhost/keydesk?search_path=%22a%22`, Options{}, "one schema"},
		{"no such file", "postgres://keydesk:geheim@localhost/keydesk", Options{CAFile: "/no/such/file"}, "/no/such/file"},
		{"a password with signs", "postgres://keydesk:geheim/geheim@localhost/keydesk", Options{}, "cannot be read"},
		{"a password with %", "postgres://keydesk:geheim%zz@localhost/keydesk", Options{}, "cannot be read"},
		{"a password with @", "postgres://keydesk:geheim@geheim:geheim@localhost/keydesk", Options{}, "cannot be read"},
		{"a password in the wrong place", "postgres://localhost:geheim/keydesk", Options{}, "cannot be read"},
		{"an unknown mode", "postgres://keydesk@localhost/keydesk?sslmode=geheim", Options{}, "cannot be read"},
	} {
		c, err := parsePostgres(test.url, test.o)
		switch {
		case err != nil && strings.Contains(err.Error(), "geheim"):
			t.Errorf("%s: the error tells the password: %v", test.name, err)
		case test.want != "":
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", test.name, err)
			}
		case err != nil:
			t.Errorf("%s: %v", test.name, err)
		case c.MaxConns != poolSize || c.ConnConfig.ConnectTimeout != connectWithin || c.ConnConfig.User != "keydesk" && !strings.Contains(test.url, "host="):
			t.Errorf("%s: %d connections, %s to connect, as %s", test.name, c.MaxConns, c.ConnConfig.ConnectTimeout, c.ConnConfig.User)
		default:
			for _, h := range hosts(c.ConnConfig) {
				if h.remote() && !h.verified() {
					t.Errorf("%s: %s is not verified", test.name, h.Host)
				}
			}
		}
	}
}

// What is set beside the URL goes before what the URL says, and what the URL
// says before what is usual.
func TestParsePostgresOrder(t *testing.T) {
	t.Parallel()
	c, err := parsePostgres("postgres://jan:geheim@localhost/keydesk?pool_max_conns=3&connect_timeout=2&application_name=kiosk&search_path=vault2",
		Options{User: "an", Password: "geheimer"})
	if err != nil {
		t.Fatal(err)
	}
	conn := c.ConnConfig
	if conn.User != "an" || conn.Password != "geheimer" || c.MaxConns != 3 || conn.ConnectTimeout.Seconds() != 2 ||
		conn.RuntimeParams["application_name"] != "kiosk" || conn.RuntimeParams["search_path"] != "vault2" {
		t.Errorf("as %s, %d connections, %s to connect, %v", conn.User, c.MaxConns, conn.ConnectTimeout, conn.RuntimeParams)
	}
	if conn.ValidateConnect != nil {
		t.Error("one host is asked whether it takes writes")
	}
	if c, err = parsePostgres("postgres://jan@db1,db2/keydesk", Options{}); err != nil || c.ConnConfig.ValidateConnect == nil {
		t.Errorf("of two hosts none is asked whether it takes writes: %v", err)
	}
	if place := placeOf(conn); place != `"keydesk" on localhost:5432` {
		t.Errorf("it is called %s", place)
	}
}

func FuzzParsePostgres(f *testing.F) {
	f.Add("postgres://keydesk:geheim@db.voorbeeld.nl:5432/keydesk?sslmode=verify-full")
	f.Add("postgres://a,b:1,[::1]:2/?host=/run&port=1,2")
	f.Add("postgres://keydesk:%zz@/keydesk?sslmode=require&sslmode=disable")
	f.Fuzz(func(t *testing.T, url string) {
		// no look at the machine's own files, as an operator's URL may take
		if !strings.HasPrefix(url, "postgres://") || strings.Contains(url, "file") || strings.Contains(url, "ssl") {
			return
		}
		c, err := parsePostgres(url, Options{Password: "geheim"})
		if err != nil {
			return
		}
		for _, h := range hosts(c.ConnConfig) {
			if h.remote() && !h.verified() {
				t.Errorf("%q leads to %q without encryption", url, h.Host)
			}
		}
		if !plainName.MatchString(c.ConnConfig.RuntimeParams["search_path"]) {
			t.Errorf("%q leads to the schema %q", url, c.ConnConfig.RuntimeParams["search_path"])
		}
	})
}
