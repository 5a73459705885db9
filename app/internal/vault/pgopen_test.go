package vault_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/app/internal/vault/vaulttest"
	"github.com/keydesk/keydesk/domain"
)

// tryOpen opens the vault of a place at another URL, and closes it at once.
func tryOpen(t *testing.T, p vaulttest.Place, url string, o vault.Options) error {
	t.Helper()
	keys, err := vault.KeysFromFile(p.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), url, keys, o)
	if err != nil {
		return err
	}
	return v.Close()
}

// Many open a vault in an empty database: one is made, and all work on it.
func TestPostgresOpenAtOnce(t *testing.T) {
	t.Parallel()
	p := pgPlace(t, pgtest.Shared(t))
	hashes := make([][32]byte, 12)
	var wg sync.WaitGroup
	for i := range hashes {
		wg.Go(func() {
			keys, err := vault.KeysFromFile(p.KeyFile)
			if err != nil {
				t.Error(err)
				return
			}
			v, err := vault.Open(t.Context(), p.URL, keys, vault.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			hashes[i] = v.EmailIndexKeyed("jan@voorbeeld.nl")
			if _, err := v.Claim(t.Context(), "jan@voorbeeld.nl"); err != nil {
				t.Error(err)
			}
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, h := range hashes {
		if h != hashes[0] {
			t.Fatal("two index secrets in one vault")
		}
	}
}

// relations lists what stands in the schema.
func relations(t *testing.T, p vaulttest.Place, schema string) (names string) {
	t.Helper()
	err := p.Raw.QueryRowContext(t.Context(), `SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = $1 AND relkind = 'r'`, schema).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A database that is not for this program is left alone.
func TestPostgresRefuses(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	for _, test := range []struct {
		name, before string
		want         error
		says         string
	}{
		{
			"somebody else's tables", `CREATE SCHEMA NAME AUTHORIZATION keydesk; CREATE TABLE NAME.person (name text);
			ALTER TABLE NAME.person OWNER TO keydesk`, vault.ErrForeign, "something else",
		},
		{
			"a newer version", `CREATE SCHEMA NAME AUTHORIZATION keydesk; SET ROLE keydesk;
			CREATE TABLE NAME.vault_version (id int, version_id bigint, is_applied boolean, tstamp timestamp);
			INSERT INTO NAME.vault_version VALUES (1, 99, true)`, vault.ErrNewer, "version 99",
		},
		{"a schema that is another's", `CREATE SCHEMA NAME`, nil, "permission denied"},
		{"a schema to read only", `CREATE SCHEMA NAME; GRANT USAGE ON SCHEMA NAME TO keydesk`, nil, "42501"},
	} {
		name := pgtest.NewName()
		p := placeIn(t, server, "postgres", name)
		server.Exec(t, "postgres", strings.ReplaceAll(test.before, "NAME", name))
		before := relations(t, p, name)
		err := tryOpen(t, p, p.URL, vault.Options{})
		if err == nil || !strings.Contains(err.Error(), test.says) || test.want != nil && !errors.Is(err, test.want) || errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("%s: %v", test.name, err)
		}
		if after := relations(t, p, name); after != before {
			t.Errorf("%s: it held %q, and now %q", test.name, before, after)
		}
	}
	p := pgPlace(t, server)
	closed := pgtest.NewName() // a database of its own: whoever connects to template1 is in the way of others
	server.Exec(t, "postgres", `CREATE DATABASE `+closed)
	for _, test := range []struct{ name, url, says string }{
		{"no such database", strings.Replace(p.URL, "@/postgres", "@/nothing", 1), "3D000"},
		{"no such role", strings.Replace(p.URL, "keydesk@", "piet@", 1), "28000"},
		{"no right to make a schema", strings.Replace(p.URL, "@/postgres", "@/"+closed, 1), "CREATE SCHEMA test_"},
	} {
		if err := tryOpen(t, p, test.url, vault.Options{}); err == nil || !strings.Contains(err.Error(), test.says) || errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// A role that owns the schema, and has no other right, can do everything. Two
// vaults in one database are two.
func TestPostgresOwnSchema(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	p := placeIn(t, server, name, "keydesk")
	server.Exec(t, name, `REVOKE ALL ON DATABASE `+name+` FROM PUBLIC, keydesk; GRANT CONNECT ON DATABASE `+name+` TO keydesk;
		CREATE SCHEMA keydesk AUTHORIZATION keydesk; CREATE SCHEMA second AUTHORIZATION keydesk`)
	v := open(t, p)
	p.URL = strings.Replace(p.URL, "search_path=keydesk", "search_path=second", 1)
	second := open(t, p)
	ctx := t.Context()
	who, err := v.Claim(ctx, "jan@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Find(ctx, "jan@voorbeeld.nl"); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("the other vault: %v", err)
	}
	if v.EmailIndexKeyed("jan@voorbeeld.nl") == second.EmailIndexKeyed("jan@voorbeeld.nl") {
		t.Error("two vaults have one index secret")
	}
	if _, err := v.Put(ctx, who, vault.KindName, []byte("Jan")); err != nil {
		t.Error(err)
	}
	if err := v.Erase(ctx, who); err != nil {
		t.Error(err)
	}
}

// A pooler that gives each transaction another connection has no use for
// prepared statements: then the URL says so.
func TestPostgresWithoutPrepared(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "cache_describe", "simple_protocol"} {
		p := pgPlace(t, pgtest.Shared(t))
		p.URL += "&default_query_exec_mode=" + mode
		v, ctx, now := open(t, p), t.Context(), time.Now()
		who, err := v.Claim(ctx, "jan@voorbeeld.nl")
		if err != nil {
			t.Fatal(mode, err)
		}
		ref, put := v.Put(ctx, who, vault.KindName, []byte("Jan"))
		_, got := v.Get(ctx, who, vault.KindName, ref)
		_, taken := v.Take(ctx, now, vault.Limit{Name: "a", Window: time.Hour, Max: 1}, vault.Limit{Name: "b", Window: time.Hour, Max: 1})
		_, started := v.StartSend(ctx, "s")
		recorded := v.RecordSend(ctx, now, "sms", "s")
		_, _, last := v.LastSends(ctx, "sms", 3, now, now)
		_, collected := v.Collect(ctx, now, nil)
		if err := errors.Join(put, got, v.Activate(ctx, who, ref), taken, started, recorded, last, collected, v.Erase(ctx, who)); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

// Of several hosts the first that takes writes is used.
func TestPostgresSeveralHosts(t *testing.T) {
	t.Parallel()
	p := pgPlace(t, pgtest.Shared(t))
	p.URL = strings.Replace(p.URL, "host=", "host="+strings.ReplaceAll(t.TempDir(), "/", "%2F")+",", 1)
	for _, attributes := range []string{"", "&target_session_attrs=read-write"} {
		if err := tryOpen(t, p, p.URL+attributes, vault.Options{}); err != nil {
			t.Error(err)
		}
	}
}

// Over the network the vault wants to know whom it talks to, and no error
// repeats the password.
func TestPostgresTLS(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{TLS: true})
	p := pgPlace(t, server)
	url := server.TCPURL("postgres")
	withPassword := strings.Replace(url, "keydesk@", "keydesk:geheim@", 1)
	for _, test := range []struct {
		name, url string
		o         vault.Options
		says      string // "" for success
	}{
		{"a password and an authority beside the URL", url, vault.Options{Password: pgtest.Password, CAFile: server.CAFile}, ""},
		{"a user as well", strings.Replace(url, "keydesk@", "piet@", 1), vault.Options{User: pgtest.Role, Password: pgtest.Password, CAFile: server.CAFile}, ""},
		{"both in the URL", strings.Replace(url, "@", ":a%20password%2Fwith%3Asigns%40in%20it%3F@", 1) + "?sslrootcert=" + server.CAFile, vault.Options{}, ""},
		{"before those of the URL", withPassword + "?sslrootcert=/no/such/file", vault.Options{Password: pgtest.Password, CAFile: server.CAFile}, ""},
		{"this machine without encryption", url + "?sslmode=disable", vault.Options{Password: pgtest.Password}, ""},
		{"a wrong password", withPassword, vault.Options{CAFile: server.CAFile}, "28P01"},
		{"an authority that nobody knows", withPassword + "?sslmode=verify-full", vault.Options{}, "certificate"},
		{"another name", strings.Replace(withPassword, "127.0.0.1", "localhost", 1), vault.Options{CAFile: server.CAFile}, "certificate"},
	} {
		err := tryOpen(t, p, test.url, test.o)
		switch {
		case test.says == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: %v", test.name, err)
		}
		for _, said := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			if strings.Contains(said, "geheim") || strings.Contains(said, pgtest.Password) {
				t.Errorf("%s: the error tells the password", test.name)
			}
		}
	}
	if err := tryOpen(t, p, withPassword, vault.Options{CAFile: filepath.Join(t.TempDir(), "ca.crt")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an authority that is not there: %v", err)
	}
}
