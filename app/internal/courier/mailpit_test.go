package courier

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mailpitProgram returns the real mail server to test against: the one that
// KEYDESK_MAILPIT names, else one built once into the user's cache.
func mailpitProgram(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("KEYDESK_MAILPIT"); path != "" {
		return path
	}
	if testing.Short() {
		t.Skip("building the mail server takes a minute: set KEYDESK_MAILPIT, or leave out -short")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cache, "keydesk-test", "mailpit-1.27.11")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(t.TempDir(), "mailpit")
	build := exec.CommandContext(t.Context(), "go", "build", //nolint:gosec // pinned there
		"-C", filepath.Join("..", "..", ".."), "-modfile=.ci/mailpit.mod", "-o", fresh, "github.com/axllent/mailpit")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the mail server: %v\n%s", err, out)
	}
	program, err := os.ReadFile(fresh) //nolint:gosec // just built
	if err != nil {
		t.Fatal(err)
	}
	half := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(half, program, 0o700); err != nil { //nolint:gosec // a program has to be executable
		t.Fatal(err)
	}
	if err := os.Rename(half, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// A mailpit is a running mail server with STARTTLS, one account, and faults to
// be switched on.
type mailpit struct {
	web  string
	port int
	root *x509.CertPool
}

func startMailpit(t *testing.T) *mailpit {
	t.Helper()
	program := mailpitProgram(t)
	config, roots := testTLS(t)
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(config.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certFile := file("cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]}))
	keyFile := file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	accounts := file("accounts", []byte("keydesk:"+secret+"\n"))
	for range 3 { // a free port may be taken before it is used
		web, port := freePort(t), freePort(t)
		ctx, stop := context.WithCancel(t.Context())
		c := exec.CommandContext(ctx, program, //nolint:gosec // the mail server
			"--listen", fmt.Sprintf("127.0.0.1:%d", web), "--smtp", fmt.Sprintf("127.0.0.1:%d", port),
			"--smtp-tls-cert", certFile, "--smtp-tls-key", keyFile, "--smtp-require-starttls",
			"--smtp-auth-file", accounts, "--smtp-disable-rdns", "--enable-chaos", "--disable-version-check",
			"--database", filepath.Join(dir, fmt.Sprintf("mail-%d.db", web)))
		c.WaitDelay = 5 * time.Second
		if err := c.Start(); err != nil {
			stop()
			t.Fatal(err)
		}
		gone := make(chan struct{})
		go func() { _ = c.Wait(); close(gone) }()
		m := &mailpit{web: fmt.Sprintf("http://127.0.0.1:%d", web), port: port, root: roots}
		if m.ready(t, gone) {
			t.Cleanup(func() { stop(); <-gone })
			return m
		}
		stop()
		<-gone
	}
	t.Fatal("the mail server does not start")
	return nil
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (m *mailpit) ready(t *testing.T, gone <-chan struct{}) bool {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		select {
		case <-gone:
			return false
		case <-time.After(20 * time.Millisecond):
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.web+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(r); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return true
			}
		}
	}
	return false
}

// call speaks with the server's REST API.
func (m *mailpit) call(t *testing.T, method, path string, body, into any) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, m.web+"/api/v1/"+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, got, err)
	}
	if into != nil {
		if err := json.Unmarshal(got, into); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

func (m *mailpit) config() MailConfig {
	return MailConfig{
		Host: "127.0.0.1", Port: m.port, Username: "keydesk", Password: secret, RootCAs: m.root,
		From: "noreply@voorbeeld.nl", Texts: ourTexts, Timeout: time.Minute,
	}
}

// delivered is a mail as the server read it.
type delivered struct {
	ID, MessageID, Subject, Text, HTML string
	From                               struct{ Name, Address string }
	To, ReplyTo                        []struct{ Name, Address string }
}

func TestARealMailServer(t *testing.T) {
	t.Parallel()
	server := startMailpit(t)
	m, err := NewMail(server.config())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := codeMail
	want.To = "sanne@café.nl"
	if r, err := m.Send(t.Context(), want); err != nil || r != (Receipt{"smtp", want.ID}) {
		t.Fatalf("got %v, %v", r, err)
	}
	var got delivered
	server.call(t, http.MethodGet, "message/latest", nil, &got)
	checkDelivered(t, got)
	var header map[string][]string
	server.call(t, http.MethodGet, "message/latest/headers", nil, &header)
	for name, value := range map[string]string{
		"Auto-Submitted": "auto-generated", "Content-Language": "nl", "Message-Id": "<send-1@voorbeeld.nl>", "X-Auto-Response-Suppress": "All",
	} {
		if h := header[name]; len(h) != 1 || h[0] != value {
			t.Errorf("%s: got %q", name, h)
		}
	}
	for name := range header {
		if name == "User-Agent" || name == "X-Mailer" || strings.HasPrefix(name, "List-") {
			t.Errorf("has the header %s", name)
		}
	}
	// How many of the mail programs in use show this HTML as it is meant.
	var check struct {
		Total struct{ Supported, Partial float64 }
	}
	server.call(t, http.MethodGet, "message/latest/html-check", nil, &check)
	t.Logf("HTML: %.1f %% supported, %.1f %% partly", check.Total.Supported, check.Total.Partial)
	if check.Total.Supported < 85 {
		t.Errorf("only %.1f %% of mail programs support this HTML", check.Total.Supported)
	}
	t.Run("faults", func(t *testing.T) { faultsOfARealMailServer(t, server, m) })
	everyKindThroughARealMailServer(t, server, m)
}

// everyKindThroughARealMailServer sends each mail, and reads both parts as the
// server did.
func everyKindThroughARealMailServer(t *testing.T, server *mailpit, m *Mail) {
	t.Helper()
	for i, want := range every(ByMail) {
		want.ID = fmt.Sprintf("every-%d", i)
		l, err := ourTexts.letter(want)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Send(t.Context(), want); err != nil {
			t.Fatalf("%s %s: %v", want.Lang, want.Kind, err)
		}
		var got delivered
		server.call(t, http.MethodGet, "message/latest", nil, &got)
		if got.MessageID != want.ID+"@voorbeeld.nl" || got.Subject != l.Subject || strings.ReplaceAll(got.Text, "\r\n", "\n") != l.text() {
			t.Errorf("%s %s: got %q\n%s", want.Lang, want.Kind, got.Subject, got.Text)
		}
		for _, words := range append(l.Paragraphs, l.NotYou, l.Reference) {
			if !strings.Contains(html.UnescapeString(got.HTML), words) {
				t.Errorf("%s %s: %q is not in the HTML", want.Lang, want.Kind, words)
			}
		}
		var check struct{ Total struct{ Supported float64 } }
		server.call(t, http.MethodGet, "message/latest/html-check", nil, &check)
		if check.Total.Supported < 85 {
			t.Errorf("%s %s: only %.1f %% of mail programs support this HTML", want.Lang, want.Kind, check.Total.Supported)
		}
	}
}

func checkDelivered(t *testing.T, got delivered) {
	t.Helper()
	if got.MessageID != "send-1@voorbeeld.nl" || got.Subject != "Bevestig je e-mailadres voor Mijn OPO-R" ||
		got.From.Name != "Mijn OPO-R" || got.From.Address != "noreply@voorbeeld.nl" ||
		len(got.To) != 1 || got.To[0].Address != "sanne@xn--caf-dma.nl" ||
		len(got.ReplyTo) != 1 || got.ReplyTo[0].Address != "hulp@voorbeeld.nl" {
		t.Errorf("got %+v", got)
	}
	for part, text := range map[string]string{"text": got.Text, "HTML": got.HTML} {
		for _, words := range []string{"314159", "15 minuten", "Deel deze code met niemand.", "hulp@voorbeeld.nl", "bij de kiosk", "Heb jij dit niet aangevraagd?"} {
			if !strings.Contains(text, words) {
				t.Errorf("%q is not in the %s part:\n%s", words, part, text)
			}
		}
	}
	for _, bad := range []string{"http:", "https:", "<img", "<script", "ZgotmplZ"} { // nothing is fetched when it is opened
		if strings.Contains(got.HTML, bad) {
			t.Errorf("%s is in the HTML", bad)
		}
	}
}

func faultsOfARealMailServer(t *testing.T, server *mailpit, m *Mail) {
	t.Helper()
	type trigger struct{ ErrorCode, Probability int }
	for _, c := range []struct {
		step string
		code int
		want Reason
	}{
		{"Sender", 451, Busy},
		{"Sender", 553, Misconfigured},
		{"Recipient", 550, InvalidRecipient},
		{"Recipient", 450, Busy},
		{"Authentication", 535, Auth},
	} {
		server.call(t, http.MethodPut, "chaos", map[string]trigger{c.step: {c.code, 100}}, nil)
		_, err := m.Send(t.Context(), codeMail)
		if noPrivateData(t, err); ReasonOf(err) != c.want {
			t.Errorf("%s %d: got %v, want %s", c.step, c.code, err, c.want)
		}
		if err := m.Check(t.Context()); (err == nil) != (c.step == "Recipient") {
			t.Errorf("%s: check: got %v", c.step, err)
		}
	}
	server.call(t, http.MethodPut, "chaos", map[string]trigger{}, nil)
	if _, err := m.Send(t.Context(), codeMail); err != nil {
		t.Errorf("once all is well again: %v", err)
	}
	var count struct{ Total int }
	server.call(t, http.MethodGet, "messages", nil, &count)
	if count.Total != 2 {
		t.Errorf("the server has %d mails", count.Total)
	}
	wrong := server.config()
	wrong.Password = "geheim"
	other, err := NewMail(wrong)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Send(t.Context(), codeMail); ReasonOf(err) != Auth {
		t.Errorf("with a wrong password: got %v", err)
	}
}
