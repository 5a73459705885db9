package vaulttest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/keydesk/keydesk/app/internal/vault"
)

// The environment of a child process.
const (
	envRole  = "KEYDESK_VAULTTEST_ROLE"
	envURL   = "KEYDESK_VAULTTEST_URL"
	envKeys  = "KEYDESK_VAULTTEST_KEYS"
	envCount = "KEYDESK_VAULTTEST_COUNT"
)

// A childVault is the vault that a child process opened, and how it answers.
type childVault struct {
	*vault.Vault
	ctx context.Context //nolint:containedctx // the whole process is one call
	in  *bufio.Reader
}

// say writes one line to the parent.
func (c *childVault) say(line string) { fmt.Println(line) }

// Child plays the part of a child process, when this process was started as
// one by the suite, and then ends it. Call it first in TestMain.
func Child() {
	role := os.Getenv(envRole)
	if role == "" {
		return
	}
	if err := child(role); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(role string) error {
	ctx := context.Background()
	n, err := strconv.Atoi(os.Getenv(envCount))
	if err != nil {
		return err
	}
	keys, err := vault.LoadOrCreateKeys(os.Getenv(envKeys))
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, os.Getenv(envURL), keys, vault.Options{})
	if err != nil {
		return err
	}
	c := &childVault{Vault: v, ctx: ctx, in: bufio.NewReader(os.Stdin)}
	play, known := map[string]func(*childVault, int) error{
		"open": sayIndex, "claim": claimAll, "send": startAll, "take": takeAll, "put": putAndWait,
	}[role]
	if !known {
		return errors.New("an unknown part: " + role)
	}
	c.say("ready")
	if _, err := c.in.ReadString('\n'); err != nil {
		return err
	}
	return errors.Join(play(c, n), v.Close())
}

// A process is a child that opened the vault and waits.
type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// startChild starts a child, which opens the vault and waits.
func startChild(t *testing.T, p Place, role string, n int) *process {
	t.Helper()
	program, err := os.Executable()
	ok(t, err)
	cmd := exec.CommandContext(t.Context(), program) //nolint:gosec // this very program
	cmd.Env = append(os.Environ(), envRole+"="+role, envURL+"="+p.URL, envKeys+"="+p.KeyFile, envCount+"="+strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	ok(t, err)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	return &process{Cmd: cmd, in: in, out: bufio.NewScanner(out)}
}

// line reads one line that the child has to say.
func (c *process) line(t *testing.T) string {
	t.Helper()
	if !c.out.Scan() {
		t.Fatalf("the child says nothing: %v, %v", c.out.Err(), c.Wait())
	}
	return c.out.Text()
}

// ready waits until the child has opened the vault.
func (c *process) ready(t *testing.T) {
	t.Helper()
	if line := c.line(t); line != "ready" {
		t.Fatalf("the child says %q", line)
	}
}

// start lets the child play its part.
func (c *process) start(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(c.in, "start\n")
	ok(t, err)
}

// openProcesses opens a vault that is not there yet from several processes: one
// is made, and all work on it.
func openProcesses(t *testing.T, p Place) {
	t.Helper()
	said := children(t, p, "open", 6, 0)
	v := p.open(t)
	want := fmt.Sprintf("%x", v.EmailIndexKeyed(address(1)))
	for _, lines := range said {
		if len(lines) != 1 || lines[0] != want {
			t.Errorf("a process has the index secret of %q, want %q", lines, want)
		}
	}
}

// sayIndex is the child's part of openProcesses: it says what depends on the
// index secret, once it has written.
func sayIndex(c *childVault, _ int) error {
	_, err := c.Claim(c.ctx, address(1))
	c.say(fmt.Sprintf("%x", c.EmailIndexKeyed(address(1))))
	return err
}

// children starts that many processes, lets all of them play the same part at
// the same moment, and returns what each said.
func children(t *testing.T, p Place, role string, processes, n int) [][]string {
	t.Helper()
	all := make([]*process, processes)
	for i := range all {
		all[i] = startChild(t, p, role, n)
	}
	for _, c := range all {
		c.ready(t)
	}
	for _, c := range all {
		c.start(t)
	}
	said := make([][]string, processes)
	for i, c := range all {
		for c.out.Scan() {
			said[i] = append(said[i], c.out.Text())
		}
		ok(t, c.out.Err())
		ok(t, c.Wait())
	}
	return said
}
