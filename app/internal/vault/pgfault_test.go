package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/domain"
)

// away says that the vault may say so while its server is away.
func away(err error) bool {
	return errors.Is(err, domain.ErrUnavailable) || errors.Is(err, domain.ErrUnknownOutcome)
}

// The server is killed in the middle of many Puts and Takes, and started again:
// what was acknowledged is there, no limit was passed, and the vault goes on by
// itself.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	const putters, most = 4, 60
	server := pgtest.Start(t, pgtest.Options{})
	v := open(t, pgPlace(t, server))
	limit := vault.Limit{Name: "sms-day", Window: 24 * time.Hour, Max: most}
	now := time.Now()
	var puts, takes atomic.Int64
	var full atomic.Bool
	enough := make(chan struct{})
	var wg sync.WaitGroup
	refs, who := make([][]domain.Ref, putters), make([]domain.SubjectID, putters)
	for i := range putters {
		who[i] = someone()
		wg.Go(func() {
			for open := true; open; {
				ref, err := v.Put(t.Context(), who[i], vault.KindPhone, []byte(fmt.Sprint(len(refs[i]))))
				switch {
				case err == nil:
					refs[i] = append(refs[i], ref)
					puts.Add(1)
				case !away(err):
					t.Error(err)
				}
				select {
				case <-enough:
					open = false
				default:
				}
			}
		})
		wg.Go(func() {
			for !full.Load() {
				_, err := v.Take(t.Context(), now, limit)
				_, limited := errors.AsType[*vault.Limited](err)
				switch {
				case err == nil:
					takes.Add(1)
				case limited:
					full.Store(true)
				case !away(err):
					t.Error(err)
					return
				}
			}
		})
	}
	waitFor(t, func() bool { return puts.Load() > 40 && takes.Load() > most/4 })
	server.Kill(t)
	if _, err := v.Find(t.Context(), "jan@voorbeeld.nl"); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("without a server: %v", err)
	}
	server.StartAgain(t)
	before := puts.Load()
	waitFor(t, func() bool { return puts.Load() > before+40 && full.Load() })
	close(enough)
	wg.Wait()
	for i := range refs {
		for n, ref := range refs[i] {
			if b, err := v.Get(t.Context(), who[i], vault.KindPhone, ref); err != nil || string(b) != fmt.Sprint(n) {
				t.Errorf("put %d of %d: %q, %v", n, len(refs[i]), b, err)
			}
		}
	}
	if n, err := v.Count(t.Context(), now, limit); err != nil || n != most || takes.Load() > most {
		t.Errorf("%d counted, %d got through, of %d: %v", n, takes.Load(), most, err)
	}
}

func waitFor(t *testing.T, until func() bool) {
	t.Helper()
	for begun := time.Now(); !until(); time.Sleep(time.Millisecond) {
		if t.Failed() || time.Since(begun) > time.Minute {
			t.Fatal("it does not get on")
		}
	}
}

// A server that is shut down is "not available", at once; when it is back, the
// next call finds it, and connections of before disturb nobody.
func TestServerRestarted(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	p := pgPlace(t, server)
	v, who := open(t, p), someone()
	ref, err := v.Put(t.Context(), who, vault.KindName, []byte("Jan"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 { // so that the pool is full of connections
		wg.Go(func() {
			if _, err := v.Put(t.Context(), who, vault.KindName, []byte("Jan")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	server.Stop(t)
	begun := time.Now()
	_, put := v.Put(t.Context(), who, vault.KindName, []byte("Jan"))
	_, got := v.Get(t.Context(), who, vault.KindName, ref)
	keys, err := vault.KeysFromFile(p.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	_, opened := vault.Open(t.Context(), p.URL, keys, vault.Options{})
	for _, err := range []error{put, got, opened} {
		if !errors.Is(err, domain.ErrUnavailable) || errors.Is(err, domain.ErrUnknownOutcome) {
			t.Errorf("without a server: %v", err)
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s to say so", took)
	}
	server.StartAgain(t)
	for range 8 {
		if b, err := v.Get(t.Context(), who, vault.KindName, ref); err != nil || string(b) != "Jan" {
			t.Errorf("%q, %v", b, err)
		}
	}
	// restarted between two calls, so that no call saw it away
	server.Stop(t)
	server.StartAgain(t)
	for range 8 {
		if _, err := v.Put(t.Context(), who, vault.KindName, []byte("Jan")); err != nil {
			t.Error(err)
		}
	}
}

// A cutter stands between the vault and the server, and breaks a connection at
// its COMMIT, once it is told to: before the server has it, or before its answer.
type cutter struct {
	server string // the socket
	cut    atomic.Pointer[string]
	done   atomic.Int64
}

const (
	beforeCommit = "commit\x00" // as the client sends it
	afterCommit  = "COMMIT\x00" // as the server answers
)

// newCutter returns a cutter and the URL that leads through it.
func newCutter(t *testing.T, url string) (*cutter, string) {
	t.Helper()
	_, rest, _ := strings.Cut(url, "host=")
	dir, _, _ := strings.Cut(rest, "&")
	dir = strings.ReplaceAll(dir, "%2F", "/")
	own, err := os.MkdirTemp("", "cutter") //nolint:usetesting // a test's own folder has too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{server: filepath.Join(dir, ".s.PGSQL.5432")}
	l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(own, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(l.Close(), os.RemoveAll(own)) })
	go c.serve(t.Context(), l)
	return c, strings.Replace(url, strings.ReplaceAll(dir, "/", "%2F"), strings.ReplaceAll(own, "/", "%2F"), 1)
}

func (c *cutter) serve(ctx context.Context, l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(ctx, "unix", c.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		go c.copy(server, client, beforeCommit)
		go c.copy(client, server, afterCommit)
	}
}

// copy copies what one side says, until it says what is to be cut.
func (c *cutter) copy(to io.WriteCloser, from io.ReadCloser, cut string) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if at := c.cut.Load(); at != nil && *at == cut && bytes.Contains(buffer[:n], []byte(cut)) && c.cut.CompareAndSwap(at, nil) {
			c.done.Add(1)
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// When the answer to a COMMIT is lost, the vault does not know what came of it,
// and says so. To call again is right then, whether it was committed or not.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, at := range []string{beforeCommit, afterCommit} {
		name, committed := "before the server had it", at == afterCommit
		if committed {
			name = "after the server had it"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pgPlace(t, pgtest.Shared(t))
			c, url := newCutter(t, p.URL)
			p.URL = url
			lostAnswer(t, open(t, p), func() { c.cut.Store(&at) }, committed)
			if n := c.done.Load(); n == 0 || c.cut.Load() != nil {
				t.Errorf("%d connections were cut", n)
			}
		})
	}
}

func lostAnswer(t *testing.T, v *vault.Vault, cut func(), committed bool) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	unknown := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, domain.ErrUnknownOutcome) || errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ok := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s, again: %v", what, err)
		}
	}
	cut()
	_, err := v.Claim(ctx, "jan@voorbeeld.nl")
	unknown("claim", err)
	jan, err := v.Claim(ctx, "jan@voorbeeld.nl")
	ok("claim", err)
	if found, err := v.Find(ctx, "jan@voorbeeld.nl"); err != nil || found != jan {
		t.Errorf("claimed as %s, found as %s: %v", jan, found, err)
	}

	cut()
	_, err = v.Put(ctx, jan, vault.KindName, []byte("Jan"))
	unknown("put", err)
	ref, err := v.Put(ctx, jan, vault.KindName, []byte("Jan"))
	ok("put", err)
	if want := 1 + btoi(committed); ref.Version != want {
		t.Errorf("put again, it has version %d, want %d", ref.Version, want)
	}

	cut()
	unknown("activate", v.Activate(ctx, jan, ref))
	ok("activate", v.Activate(ctx, jan, ref))

	// which may have been sent, and so must not be
	cut()
	first, err := v.StartSend(ctx, "s1")
	unknown("start a send", err)
	if first {
		t.Error("a send whose start is unknown is said to be the first")
	}
	first, err = v.StartSend(ctx, "s1")
	ok("start a send", err)
	if first == committed {
		t.Errorf("started again, first is %t", first)
	}

	cut()
	unknown("record a send", v.RecordSend(ctx, now, "sms", "s1"))
	ok("record a send", v.RecordSend(ctx, now, "sms", "s1"))
	cut()
	unknown("record that it was verified", v.RecordVerified(ctx, "s1"))
	ok("record that it was verified", v.RecordVerified(ctx, "s1"))
	if sent, verified, err := v.LastSends(ctx, "sms", 5, now.Add(-time.Hour), now.Add(time.Hour)); err != nil || sent != 1 || verified != 1 {
		t.Errorf("%d sent, %d verified: %v", sent, verified, err)
	}

	limit := vault.Limit{Name: "send-hour", Window: time.Hour, Max: 3}
	cut()
	_, err = v.Take(ctx, now, limit)
	unknown("take", err)
	taken, err := v.Take(ctx, now, limit)
	ok("take", err)
	if want := 1 + btoi(committed); taken.Used[0] != want { // never too few
		t.Errorf("%d used, want %d", taken.Used[0], want)
	}
	cut()
	unknown("clear", v.Clear(ctx, limit))
	ok("clear", v.Clear(ctx, limit))

	cut()
	unknown("erase", v.Erase(ctx, jan))
	ok("erase", v.Erase(ctx, jan))
	if erased, err := v.Erased(ctx, jan); err != nil || !erased {
		t.Errorf("erased is %t: %v", erased, err)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A server that only reads, such as a standby, is "not available". Once it takes
// writes again the vault goes on.
func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	v := open(t, placeIn(t, server, name, "keydesk"))
	server.Exec(t, "postgres", `ALTER DATABASE `+name+` SET default_transaction_read_only = on`)
	waitFor(t, func() bool { // connections of before still write
		_, err := v.Claim(t.Context(), "jan@voorbeeld.nl")
		server.Exec(t, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '`+name+`'`)
		_, put := v.Put(t.Context(), someone(), vault.KindName, nil)
		return err == nil && errors.Is(put, domain.ErrUnavailable)
	})
	if _, err := v.Find(t.Context(), "jan@voorbeeld.nl"); err != nil {
		t.Errorf("reading: %v", err)
	}
	server.Exec(t, "postgres", `ALTER DATABASE `+name+` RESET default_transaction_read_only`)
	if _, err := v.Put(t.Context(), someone(), vault.KindName, nil); err != nil {
		t.Errorf("once it takes writes: %v", err)
	}
}

// A server with no connection to spare is "not available".
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	name := server.CreateDatabase(t)
	v := open(t, placeIn(t, server, name, "keydesk"))
	server.Exec(t, "postgres", `ALTER DATABASE `+name+` CONNECTION LIMIT 0`)
	server.Exec(t, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '`+name+`'`)
	if _, err := v.Claim(t.Context(), "jan@voorbeeld.nl"); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("claim: %v", err)
	}
	server.Exec(t, "postgres", `ALTER DATABASE `+name+` CONNECTION LIMIT -1`)
	if _, err := v.Claim(t.Context(), "jan@voorbeeld.nl"); err != nil {
		t.Errorf("with connections to spare: %v", err)
	}
}

// A call ends with its context, also while it waits for a lock or connects, and
// then nothing was changed.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	p := pgPlace(t, pgtest.Shared(t))
	v, who := open(t, p), someone()
	if _, err := v.Put(t.Context(), who, vault.KindName, nil); err != nil {
		t.Fatal(err)
	}
	held, err := p.Raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.ExecContext(t.Context(), `LOCK TABLE value`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := v.Put(ctx, who, vault.KindName, nil); !errors.Is(err, context.DeadlineExceeded) || away(err) {
		t.Errorf("put: %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if ref, err := v.Put(t.Context(), who, vault.KindName, nil); err != nil || ref.Version != 2 {
		t.Errorf("afterwards: version %d, %v", ref.Version, err)
	}
}

// Who connects to something that never answers gives up with the context.
func TestContextEndsWhileConnecting(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	keys, err := vault.LoadOrCreateKeys(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err = vault.Open(ctx, "postgres://jan:geheim@"+l.Addr().String()+"/keydesk", keys, vault.Options{})
	if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("open: %v", err)
	}
	_, err = vault.Open(t.Context(), "postgres://jan:geheim@"+l.Addr().String()+"/keydesk?connect_timeout=1", keys, vault.Options{})
	if !errors.Is(err, domain.ErrUnavailable) || strings.Contains(err.Error(), "geheim") {
		t.Errorf("open: %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
