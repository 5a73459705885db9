package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/keydesk/keydesk/domain"
)

// testTLS returns a certificate for 127.0.0.1 and the authority to trust.
func testTLS(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, roots
}

// A faultyServer is an SMTP server that goes wrong at one step of the talk.
type faultyServer struct {
	listener net.Listener
	roots    *x509.CertPool
	mail     func(c *smtp.Conn) error // what to answer at each step; nil: all is well
	rcpt     func(c *smtp.Conn) error
	data     func(c *smtp.Conn) error

	mu       sync.Mutex
	got      []string // mails taken over, or at least read to the end
	to       []string
	sessions int
}

func (f *faultyServer) serve(t *testing.T, security Security) *faultyServer {
	t.Helper()
	config, roots := testTLS(t)
	f.roots = roots
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own listener
	if err != nil {
		t.Fatal(err)
	}
	f.listener = l
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sessions++
		return &faultySession{f, c}, nil
	}))
	s.Domain, s.ErrorLog = "faulty.example", log.New(io.Discard, "", 0)
	switch security {
	case StartTLS:
		s.TLSConfig = config
	case ImplicitTLS:
		l = tls.NewListener(l, config)
	case NoTLS:
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return f
}

func (f *faultyServer) config(security Security) MailConfig {
	return MailConfig{
		Host: "127.0.0.1", Port: f.listener.Addr().(*net.TCPAddr).Port, Security: security,
		From: "noreply@voorbeeld.nl", RootCAs: f.roots, Texts: ourTexts, Timeout: 30 * time.Second,
	}
}

type faultySession struct {
	*faultyServer

	c *smtp.Conn
}

func (s *faultySession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *faultySession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "keydesk" || password != secret {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: user + " is not welcome with " + password}
		}
		return nil
	}), nil
}

func (s *faultySession) Reset()        {}
func (s *faultySession) Logout() error { return nil }

func (s *faultySession) Mail(string, *smtp.MailOptions) error { return s.play(s.mail) }

func (s *faultySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	s.to = append(s.to, to)
	s.mu.Unlock()
	return s.play(s.rcpt)
}

func (s *faultySession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.got = append(s.got, string(b))
	s.mu.Unlock()
	return s.play(s.data)
}

func (s *faultySession) play(step func(*smtp.Conn) error) error {
	if step == nil {
		return nil
	}
	return step(s.c)
}

func replies(code int, class, subject, detail int) func(*smtp.Conn) error {
	return func(*smtp.Conn) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: "about sanne@voorbeeld.nl and 314159"}
	}
}

func closes(c *smtp.Conn) error { return c.Conn().Close() }

func TestFaultsOfAMailServer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server *faultyServer
		want   Reason
		status int
	}{
		"all is well":               {&faultyServer{}, "", 0},
		"busy at MAIL":              {&faultyServer{mail: replies(421, 4, 3, 2)}, Busy, 421},
		"our sender is refused":     {&faultyServer{mail: replies(553, 5, 1, 8)}, Misconfigured, 553},
		"log in first":              {&faultyServer{mail: replies(530, 5, 7, 0)}, Auth, 530},
		"gone at MAIL":              {&faultyServer{mail: closes}, Unreachable, 0},
		"no such mailbox":           {&faultyServer{rcpt: replies(550, 5, 1, 1)}, InvalidRecipient, 550},
		"policy":                    {&faultyServer{rcpt: replies(550, 5, 7, 1)}, Refused, 550},
		"grey list":                 {&faultyServer{rcpt: replies(451, 4, 7, 1)}, Refused, 451},
		"mailbox busy":              {&faultyServer{rcpt: replies(450, 4, 2, 1)}, Busy, 450},
		"gone at RCPT":              {&faultyServer{rcpt: closes}, Unreachable, 0},
		"refused after the mail":    {&faultyServer{data: replies(554, 5, 6, 0)}, Refused, 554},
		"busy after the mail":       {&faultyServer{data: replies(452, 4, 3, 1)}, Busy, 452},
		"gone after the mail":       {&faultyServer{data: closes}, Unknown, 0},
		"shutting down at the mail": {&faultyServer{data: replies(421, 4, 3, 2)}, Busy, 421},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.server.serve(t, StartTLS)
			m, err := NewMail(c.server.config(StartTLS))
			if err != nil {
				t.Fatal(err)
			}
			r, err := m.Send(t.Context(), codeMail)
			noPrivateData(t, err)
			if c.want == "" {
				if err != nil || r != (Receipt{"smtp", codeMail.ID}) {
					t.Errorf("got %v, %v", r, err)
				}
				return
			}
			var rejected *Rejected
			if errors.As(err, &rejected); err == nil || ReasonOf(err) != c.want || rejected != nil && rejected.Status != c.status {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if c.server.sessions > 2 { // one before and one after STARTTLS
				t.Errorf("tried again: %d sessions", c.server.sessions)
			}
		})
	}
}

func TestSilenceAfterTheMailIsUnknown(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	release := make(chan struct{})
	f := (&faultyServer{data: func(*smtp.Conn) error { close(arrived); <-release; return nil }}).serve(t, StartTLS)
	defer close(release)
	m, err := NewMail(f.config(StartTLS))
	if err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	go func() { <-arrived; giveUp() }()
	_, err = m.Send(ctx, codeMail)
	if noPrivateData(t, err); !errors.Is(err, domain.ErrUnknownOutcome) {
		t.Errorf("got %v", err)
	}
}

func TestHowTheConnectionIsProtected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server, client Security
		change         func(*MailConfig)
		want           Reason
	}{
		"STARTTLS":                {StartTLS, StartTLS, nil, ""},
		"TLS":                     {ImplicitTLS, ImplicitTLS, nil, ""},
		"none, on loopback":       {NoTLS, NoTLS, nil, ""},
		"with a password":         {StartTLS, StartTLS, func(c *MailConfig) { c.Username, c.Password = "keydesk", secret }, ""},
		"a password over TLS":     {ImplicitTLS, ImplicitTLS, func(c *MailConfig) { c.Username, c.Password = "keydesk", secret }, ""},
		"a wrong password":        {StartTLS, StartTLS, func(c *MailConfig) { c.Username, c.Password = "sanne", "geheim" }, Auth},
		"no STARTTLS offered":     {NoTLS, StartTLS, nil, Misconfigured},
		"no password in the open": {NoTLS, NoTLS, func(c *MailConfig) { c.Username, c.Password = "keydesk", secret }, Misconfigured},
		"unknown authority":       {StartTLS, StartTLS, func(c *MailConfig) { c.RootCAs = x509.NewCertPool() }, Unreachable},
		"certificate of another":  {ImplicitTLS, ImplicitTLS, func(c *MailConfig) { c.Host = "localhost" }, Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := (&faultyServer{}).serve(t, c.server)
			config := f.config(c.client)
			if c.change != nil {
				c.change(&config)
			}
			m, err := NewMail(config)
			if err != nil {
				t.Fatal(err)
			}
			_, sending := m.Send(t.Context(), codeMail)
			for step, err := range map[string]error{"check": m.Check(t.Context()), "send": sending} {
				noPrivateData(t, err)
				if got := ReasonOf(err); err == nil && c.want != "" || err != nil && got != c.want {
					t.Errorf("%s: got %v, want %q", step, err, c.want)
				}
			}
			if taken := len(f.got); (c.want == "") != (taken == 1) {
				t.Errorf("the server took %d mails", taken)
			}
		})
	}
}

func TestADeadMailServer(t *testing.T) {
	t.Parallel()
	f := (&faultyServer{}).serve(t, StartTLS)
	config := f.config(StartTLS)
	_ = f.listener.Close()
	for _, host := range []string{"127.0.0.1", "sanne.invalid"} {
		config.Host = host
		m, err := NewMail(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(t.Context()); ReasonOf(err) != Unreachable {
			t.Errorf("%s: check: got %v", host, err)
		}
		if _, err := m.Send(t.Context(), codeMail); ReasonOf(err) != Unreachable {
			t.Errorf("%s: send: got %v", host, err)
		}
	}
}

// A server that says nothing, or goes away before its greeting, holds nobody up
// longer than they are willing to wait.
func TestAMailServerThatNeverGreets(t *testing.T) {
	t.Parallel()
	for name, play := range map[string]func(net.Conn, context.CancelFunc){
		"says nothing": func(_ net.Conn, giveUp context.CancelFunc) { giveUp() },
		"goes away":    func(c net.Conn, _ context.CancelFunc) { _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own listener
			if err != nil {
				t.Fatal(err)
			}
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			held := make(chan net.Conn, 1)
			go func() {
				defer close(held)
				if c, err := l.Accept(); err == nil {
					play(c, giveUp)
					held <- c
				}
			}()
			defer func() {
				_ = l.Close()
				for c := range held {
					_ = c.Close()
				}
			}()
			config := (&faultyServer{listener: l}).config(StartTLS)
			config.Timeout = 10 * time.Minute
			m, err := NewMail(config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Send(ctx, codeMail); ReasonOf(err) != Unreachable {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Nothing that somebody typed can become a header, a recipient or a command.
func TestNoHeaderCanBeSmuggledIn(t *testing.T) {
	t.Parallel()
	f := (&faultyServer{}).serve(t, StartTLS)
	evil := "x\r\nBcc: everybody@voorbeeld.nl\r\n\r\n<script>alert(1)</script>"
	config := f.config(StartTLS)
	config.Texts = Texts{Portal: evil, Pocket: evil, Support: evil}
	config.FromName = evil
	m, err := NewMail(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{
		"a@b.nl\r\nBcc: c@d.nl", "a@b.nl>\r\nRCPT TO:<c@d.nl", "a@b.nl,c@d.nl", "\"a\r\n\"@b.nl", "A <a@b.nl>", "",
	} {
		bad := codeMail
		bad.To = to
		if _, err := m.Send(t.Context(), bad); ReasonOf(err) != InvalidRecipient {
			t.Errorf("%q: got %v", to, err)
		}
	}
	paired := codeMail
	paired.Kind, paired.To = PocketPaired, "sanne@café.nl"
	if _, err := m.Send(t.Context(), paired); err != nil {
		t.Fatal(err)
	}
	if len(f.got) != 1 || len(f.to) != 1 || f.to[0] != "sanne@xn--caf-dma.nl" {
		t.Fatalf("%d mails to %v", len(f.got), f.to)
	}
	head, body, _ := strings.Cut(f.got[0], "\r\n\r\n")
	_, html, _ := strings.Cut(body, "text/html")
	if strings.Contains(head, "\r\nBcc") || html == "" || strings.Contains(html, "<script>") {
		t.Errorf("smuggled in:\n%s", head)
	}
}

func TestSettingsOfMail(t *testing.T) {
	t.Parallel()
	good := MailConfig{Host: "mail.voorbeeld.nl", From: "noreply@voorbeeld.nl", Texts: ourTexts}
	for name, c := range map[string]struct {
		change func(*MailConfig)
		ok     bool
	}{
		"good":                  {func(*MailConfig) {}, true},
		"implicit TLS":          {func(c *MailConfig) { c.Security = ImplicitTLS }, true},
		"no host":               {func(c *MailConfig) { c.Host = "" }, false},
		"no sender":             {func(c *MailConfig) { c.From = "" }, false},
		"sender with a name":    {func(c *MailConfig) { c.From = "Keydesk <noreply@voorbeeld.nl>" }, false},
		"no TLS over a network": {func(c *MailConfig) { c.Security = NoTLS }, false},
		"no TLS on loopback":    {func(c *MailConfig) { c.Security, c.Host = NoTLS, "::1" }, true},
		"other words":           {func(c *MailConfig) { c.Security = "ssl" }, false},
		"no such port":          {func(c *MailConfig) { c.Port = 70000 }, false},
	} {
		config := good
		c.change(&config)
		if m, err := NewMail(config); (err == nil) != c.ok {
			t.Errorf("%s: got %v, %v", name, m, err)
		}
	}
}
