package vault_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/app/internal/vault/vaulttest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	vaulttest.Run(t, func(t *testing.T) vaulttest.Place { t.Helper(); return pgPlace(t, server) })
}

// pgPlace makes a master key for a vault in a schema that is not there yet.
func pgPlace(tb testing.TB, s *pgtest.Server) vaulttest.Place {
	tb.Helper()
	return placeIn(tb, s, "postgres", pgtest.NewName())
}

// placeIn is the same in a given database and schema.
func placeIn(tb testing.TB, s *pgtest.Server, database, schema string) vaulttest.Place {
	tb.Helper()
	keyFile := filepath.Join(tb.TempDir(), "master.key")
	if _, err := vault.LoadOrCreateKeys(keyFile); err != nil {
		tb.Fatal(err)
	}
	url := s.URL(database) + "&search_path=" + schema
	raw, err := sql.Open("pgx", url) // connects at the first query
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = raw.Close() })
	return vaulttest.Place{
		URL: url, KeyFile: keyFile, Raw: raw,
		Disk: func(t *testing.T) []byte { t.Helper(); return s.Disk(t, database) },
		Kept: func(t *testing.T) []byte { t.Helper(); return rows(t, url) },
	}
}

// rows returns all rows of the vault's tables.
func rows(t *testing.T, url string) []byte {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var all bytes.Buffer
	for _, table := range []string{"meta", "person", "value", "claim", "taken", "started", "outcome"} {
		if _, err := conn.PgConn().CopyTo(t.Context(), &all, `COPY `+table+` TO STDOUT (FORMAT binary)`); err != nil {
			t.Fatal(err)
		}
	}
	return all.Bytes()
}
