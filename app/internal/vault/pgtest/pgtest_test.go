package pgtest_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
)

// envChild makes a child of this test start a server, say where, and hang.
const envChild = "KEYDESK_PGTEST_CHILD"

func TestMain(m *testing.M) {
	code := m.Run()
	pgtest.StopShared()
	os.Exit(code)
}

func TestShared(t *testing.T) {
	t.Parallel()
	s := pgtest.Shared(t)
	if os.Getenv(envChild) != "" {
		fmt.Println("server", s.URL("postgres"))
		select {} // until it is killed
	}
	if s != pgtest.Shared(t) {
		t.Error("two servers for one program")
	}
	one, other := s.CreateDatabase(t), s.CreateDatabase(t)
	s.Exec(t, one, `CREATE TABLE notes (note text)`)
	s.Exec(t, other, `CREATE TABLE notes (note text)`)
	if disk := s.Disk(t, one); !strings.Contains(string(disk), "notes") {
		t.Error("that is not the disk of the server")
	}
}

// A server that is stopped, or killed, comes back with what it had.
func TestStopAndKill(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{Conf: map[string]string{"work_mem": "1MB"}})
	s.Exec(t, "postgres", `CREATE TABLE notes (note text)`)
	for _, end := range []func(testing.TB){s.Stop, s.Kill} {
		end(t)
		if conn, err := pgx.Connect(t.Context(), s.URL("postgres")); err == nil {
			t.Error("it still answers", conn.Close(t.Context()))
		}
		s.StartAgain(t)
		s.Exec(t, "postgres", `INSERT INTO notes VALUES ('x')`)
	}
}

// A server ends with the program that started it, even when that is killed.
func TestServerEndsWithItsProgram(t *testing.T) {
	t.Parallel()
	pgtest.Shared(t) // or skips
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), program, "-test.run=^TestShared$") //nolint:gosec // this very program
	child.Env = append(os.Environ(), envChild+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	url := ""
	for lines := bufio.NewScanner(out); url == "" && lines.Scan(); {
		_, url, _ = strings.Cut(lines.Text(), "server ")
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	folder := conn.Config().Host
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it says that it was killed
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		_, err := os.Stat(folder)
		if os.IsNotExist(err) {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatal("the server's folder is still there")
		}
	}
	if _, err := pgx.Connect(t.Context(), url); err == nil {
		t.Error("it still answers")
	}
}
