package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/mod/sumdb/note"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/app/internal/seal/witness"
	"github.com/keydesk/keydesk/app/internal/settings"
)

// A witness on the auditor's machine cosigns what a home seals, and its word stands
// in what verify says.
func TestAWitnessOnAnotherMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	set, err := settings.Load(settings.Sources{Home: dir, Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	key := sealOnce(t, set)
	logs := filepath.Join(dir, "logs") // which names another one at first
	_, other, err := note.GenerateKey(rand.Reader, "keydesk/other")
	if err == nil {
		err = os.WriteFile(logs, []byte(other+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- witnessCommand{Folder: filepath.Join(dir, "witness"), Name: "auditor.example", Log: []string{logs}, Listen: "127.0.0.1:0"}.
			Run(&app{ctx: ctx, out: w, errs: io.Discard, cli: &commands{}})
	}()
	said := bufio.NewReader(r)
	line := func(prefix string) string {
		t.Helper()
		s, err := said.ReadString('\n')
		rest, ok := strings.CutPrefix(strings.TrimSpace(s), prefix)
		if err != nil || !ok {
			t.Fatalf("%q, %v", s, err)
		}
		return rest
	}
	witness := line("key: ")
	set.Seal.Witnesses = []string{witness + " " + line("listens at: ")}
	for _, content := range []string{other + "\nnonsense\n", "# ours, too\n" + other + "\n" + key + "\n"} {
		if err := os.WriteFile(logs, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ran(t, set, func(h *home.Home) bool {
		c, ok := h.Seal().Checkpoint()
		return ok && len(c.Witnesses) == 1 && c.Witnesses[0].Name == "auditor.example"
	})
	var out bytes.Buffer
	a := &app{ctx: t.Context(), out: &out, errs: io.Discard, cli: &commands{Home: dir, Demo: true, Set: map[string]string{"seal.witnesses": set.Seal.Witnesses[0]}}}
	if err := (verifyCommand{}).Run(a); err != nil || !strings.Contains(out.String(), "witness auditor.example: cosigned") {
		t.Errorf("%v: %s", err, &out)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the witness ended with %v", err)
	}
}

// sealOnce makes a home with one event, seals it, and returns the key of its log.
func sealOnce(t *testing.T, set settings.Settings) string {
	t.Helper()
	key := ""
	ran(t, set, func(h *home.Home) bool {
		if err := h.Seal().Now(t.Context()); err != nil && !errors.Is(err, seal.ErrEmpty) {
			return false
		}
		if keys := h.Seal().Keys(); len(keys) > 0 {
			key = keys[0]
		}
		return key != ""
	})
	return key
}

// ran runs a home until something is so.
func ran(t *testing.T, set settings.Settings, is func(*home.Home) bool) {
	t.Helper()
	h, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	for deadline := time.Now().Add(60 * time.Second); !is(h); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("it does not get there")
			break
		}
	}
	cancel()
	if err := errors.Join(<-ended, h.Close(context.WithoutCancel(t.Context()))); err != nil {
		t.Error(err)
	}
}

// Whoever knocks at a witness and says nothing that it understands fills no log of it,
// and is named in none.
func TestAWitnessTellsNothingOfWhoKnocks(t *testing.T) { //nolint:paralleltest // it looks at what the whole program logs
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(os.Stderr)
	_, key, err := note.GenerateKey(rand.Reader, "keydesk/other")
	if err != nil {
		t.Fatal(err)
	}
	known, err := proof.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	w, err := witness.Open(witness.Config{Folder: t.TempDir(), Name: "auditor.example", Logs: []note.Verifier{known}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()                    //nolint:errcheck // its folder goes
	server := httptest.NewTLSServer(w) // for its certificate
	server.Close()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	secured := tls.NewListener(l, &tls.Config{Certificates: server.TLS.Certificates})
	go func() { ended <- witnessCommand{Log: []string{key}}.serve(ctx, secured, w, "", io.Discard) }()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Write([]byte("hello\n\n"))
	_, _ = io.ReadAll(c) // until it hangs up
	cancel()
	if err := errors.Join(err, c.Close(), <-ended); err != nil {
		t.Fatal(err)
	}
	if logged.Len() > 0 {
		t.Errorf("it logs %q", &logged)
	}
}
