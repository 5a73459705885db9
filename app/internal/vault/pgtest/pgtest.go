package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Role is the role that tests connect as: it may log in and make schemas, and has
// no other rights. Password is asked for over TCP alone.
const (
	Role     = "keydesk"
	Password = "a password/with:signs@in it?"
)

// startWithin is how long even a slow machine needs to start a server, and to
// recover one that was killed.
const startWithin = time.Minute

// Options say how a server differs from the plain one.
type Options struct {
	TLS  bool              // listens on 127.0.0.1 as well, with a certificate from CAFile
	Conf map[string]string // settings of postgresql.conf
}

// A Server is one PostgreSQL server. Its methods fail the test that calls them.
type Server struct {
	CAFile string // the certificate authority of a server with TLS

	programs string // the folder of postgres and initdb
	dir      string
	port     int
	watcher  *exec.Cmd
	alive    *os.File // closes when this program ends
	process  *exec.Cmd
	exited   chan struct{}
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared returns the one server of this program, and starts it first. TestMain
// calls StopShared at the end.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	shared.once.Do(func() { shared.server, shared.err = start(Options{}) })
	need(tb, shared.err)
	return shared.server
}

// StopShared stops the one server, if any test needed it.
func StopShared() {
	shared.once.Do(func() { shared.err = errors.New("the tests have ended") })
	if shared.server != nil {
		_ = shared.server.remove()
	}
}

// Start starts a server for one test.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := start(o)
	need(tb, err)
	tb.Cleanup(func() {
		if err := s.remove(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

var errMissing = errors.New("there is no PostgreSQL server here: initdb and postgres are missing")

// need skips the test where there is no PostgreSQL, except where KEYDESK_CI says
// that there has to be one.
func need(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, errMissing) && os.Getenv("KEYDESK_CI") != "1" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// find returns the folder that the programs of the server are in. Debian keeps
// them out of the PATH, one folder a version.
func find() (string, error) {
	var folders []string
	if program, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(program))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern) // an error says that the pattern is wrong
		slices.Reverse(found)              // the newest first
		folders = append(folders, found...)
	}
	for _, folder := range folders {
		_, initdb := os.Stat(filepath.Join(folder, "initdb"))
		_, postgres := os.Stat(filepath.Join(folder, "postgres"))
		if initdb == nil && postgres == nil {
			return folder, nil
		}
	}
	return "", errMissing
}

func start(o Options) (_ *Server, err error) {
	programs, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs}
	// not in the test's own folder, whose path may be longer than a socket's can be
	parent := "/tmp"
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	if s.dir, err = os.MkdirTemp(parent, "keydesk-pg-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.remove())
		}
	}()
	if err := s.watch(); err != nil {
		return nil, err
	}
	if s.port, err = freePort(o.TLS); err != nil {
		return nil, err
	}
	if err := own(s.dir); err != nil {
		return nil, err
	}
	initdb := s.command("initdb", "--pgdata="+s.data(), "--username=postgres", "--encoding=UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--wal-segsize=1")
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err := s.configure(o); err != nil {
		return nil, err
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	return s, s.exec("postgres", `CREATE ROLE `+Role+` LOGIN PASSWORD '`+Password+`'; GRANT CREATE ON DATABASE postgres TO `+Role)
}

// watch starts the watcher. Its own session keeps a Ctrl-C from it.
func (s *Server) watch() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	s.watcher = exec.CommandContext(context.Background(), "/bin/sh", "-c", //nolint:gosec // our own folder
		`read -r _; file=$0/data/postmaster.pid; left=200
		while [ -e "$file" ] && [ $left -gt 0 ] && kill -QUIT "$(head -n 1 "$file")"; do
			sleep 0.05; left=$((left - 1)) # the server removes the file when it ends
		done 2>/dev/null
		rm -rf "$0"`, s.dir)
	s.watcher.Stdin, s.alive = r, w
	detach(s.watcher)
	return errors.Join(s.watcher.Start(), r.Close())
}

// remove lets the watcher do its work, and waits for it.
func (s *Server) remove() error {
	if s.watcher == nil || s.watcher.Process == nil {
		return os.RemoveAll(s.dir)
	}
	select {
	case <-s.exited: // so that the watcher does not take another process for it
		_ = os.Remove(filepath.Join(s.data(), "postmaster.pid"))
	default:
	}
	return errors.Join(s.alive.Close(), s.watcher.Wait())
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command runs one of the server's programs, as a user whom it accepts.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), filepath.Join(s.programs, name), args...) //nolint:gosec // the server's own
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	becomeUnprivileged(cmd)
	return cmd
}

// configure writes what differs from the defaults.
func (s *Server) configure(o Options) error {
	conf := map[string]string{
		"listen_addresses": "", "port": strconv.Itoa(s.port), "unix_socket_directories": s.dir,
		"max_connections": "300", "shared_buffers": "32MB", "autovacuum": "off", "min_wal_size": "5MB", "max_wal_size": "64MB",
	}
	if o.TLS {
		if err := s.certify(); err != nil {
			return err
		}
		conf["listen_addresses"], conf["ssl"] = "127.0.0.1", "on"
	}
	maps.Copy(conf, o.Conf)
	var text strings.Builder
	for name, value := range conf {
		fmt.Fprintf(&text, "%s = '%s'\n", name, value)
	}
	f, err := os.OpenFile(filepath.Join(s.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text.String())
	return errors.Join(err, f.Close())
}

// run starts the server and waits until it takes queries.
func (s *Server) run() error {
	log, err := os.OpenFile(s.log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.process, s.exited = s.command("postgres", "-D", s.data()), make(chan struct{})
	s.process.Stdout, s.process.Stderr = log, log
	detach(s.process)
	if err := errors.Join(s.process.Start(), log.Close()); err != nil {
		s.exited = nil
		return err
	}
	go func(p *exec.Cmd, exited chan struct{}) {
		_ = p.Wait()
		close(exited)
	}(s.process, s.exited)
	return s.wait()
}

// wait waits until the server takes queries.
func (s *Server) wait() error {
	for begun := time.Now(); ; {
		err := s.exec("postgres", "")
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			said, _ := os.ReadFile(s.log())
			return fmt.Errorf("the server has ended: %s", said)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(begun) > startWithin {
			return err
		}
	}
}

func (s *Server) log() string { return filepath.Join(s.dir, "log") }

// exec runs statements as the superuser.
func (s *Server) exec(database, statements string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), startWithin)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.SuperURL(database))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

// query asks the superuser's question for one value.
func (s *Server) query(tb testing.TB, query string, answer any) {
	tb.Helper()
	conn, err := pgx.Connect(tb.Context(), s.SuperURL("postgres"))
	if err == nil {
		err = errors.Join(conn.QueryRow(tb.Context(), query).Scan(answer), conn.Close(tb.Context()))
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// URL returns the URL of a database over the Unix socket.
func (s *Server) URL(database string) string { return s.socketURL(Role, database) }

// SuperURL returns the same for the superuser.
func (s *Server) SuperURL(database string) string { return s.socketURL("postgres", database) }

func (s *Server) socketURL(role, database string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=%d", role, database, url.PathEscape(s.dir), s.port)
}

// TCPURL returns the URL of a database of a server with TLS, without a password
// and without TLS settings.
func (s *Server) TCPURL(database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", Role, s.port, database)
}

// NewName returns a name that nothing has yet: for a schema in the database
// "postgres", say, which costs nothing and sets most tests apart.
func NewName() string {
	var random [6]byte
	_, _ = rand.Read(random[:]) // never fails: it crashes the program instead
	return "test_" + hex.EncodeToString(random[:])
}

// CreateDatabase makes an empty database in which Role may make schemas, and
// returns its name: for a test that changes what holds for a whole database. It
// takes a tenth of a second and more.
func (s *Server) CreateDatabase(tb testing.TB) string {
	tb.Helper()
	name := NewName()
	s.Exec(tb, "postgres", `CREATE DATABASE `+name)
	s.Exec(tb, "postgres", `GRANT CREATE ON DATABASE `+name+` TO `+Role)
	return name
}

// Exec runs statements as the superuser.
func (s *Server) Exec(tb testing.TB, database, statements string) {
	tb.Helper()
	if err := s.exec(database, statements); err != nil {
		tb.Fatal(err)
	}
}

// Disk returns everything that the server has on disk of a database: its
// tables, what all databases share, the write-ahead log, and the log file.
func (s *Server) Disk(tb testing.TB, database string) (all []byte) {
	tb.Helper()
	s.Exec(tb, database, `CHECKPOINT`)
	var oid string
	s.query(tb, `SELECT oid::text FROM pg_database WHERE datname = '`+database+`'`, &oid)
	bases := filepath.Join(s.data(), "base")
	err := filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() && filepath.Dir(path) == bases && entry.Name() != oid {
			return filepath.SkipDir
		}
		if err != nil || !entry.Type().IsRegular() {
			return skipGone(err)
		}
		b, err := os.ReadFile(path) //nolint:gosec // our own folder
		all = append(all, b...)
		return skipGone(err)
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// skipGone passes over files that the server removed while we read.
func skipGone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Kill ends the server as kill -9 does, and waits until it is gone.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.process.Process.Kill(); err != nil {
		tb.Fatal(err)
	}
	<-s.exited
}

// Stop shuts the server down; those who are connected are thrown out.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	if err := s.process.Process.Signal(os.Interrupt); err != nil {
		tb.Fatal(err)
	}
	<-s.exited
}

// StartAgain starts a server that was stopped or killed. One that was killed
// refuses to while processes of its former life are still there; then it is
// tried again.
func (s *Server) StartAgain(tb testing.TB) {
	tb.Helper()
	for begun := time.Now(); ; {
		err := s.run()
		if err == nil {
			return
		}
		if time.Since(begun) > startWithin {
			tb.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// freePort finds a port. Without TCP it is only a part of the socket's name.
func freePort(tcp bool) (int, error) {
	if !tcp {
		return 5432, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it only asks for a port
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
