package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/keydesk/keydesk/domain"
)

// Security says how the connection to the mail server is protected.
type Security string

// The ways.
const (
	StartTLS    Security = "starttls" // the default: TLS after connecting, or nothing is sent
	ImplicitTLS Security = "tls"      // TLS from the first byte (RFC 8314)
	NoTLS       Security = "none"     // only to a loopback address
)

// MailConfig is an account at a mail server.
type MailConfig struct {
	Host     string
	Port     int      // 0: 587, or 465 with ImplicitTLS
	Security Security // empty: StartTLS
	Username string   // empty: no authentication
	Password string
	From     string         // the sender's address
	FromName string         // the sender's shown name; empty: the portal's
	RootCAs  *x509.CertPool // nil: the system's
	Timeout  time.Duration  // for one mail, connecting included; 0: 30 s
	Texts    Texts
}

// Mail sends mail by SMTP, over a new connection for each. It may be used
// concurrently.
type Mail struct {
	config MailConfig
	writer letterhead
}

const mailTimeout = 30 * time.Second

// NewMail checks the settings; it does not connect.
func NewMail(c MailConfig) (*Mail, error) {
	switch c.Security {
	case "":
		c.Security = StartTLS
	case StartTLS, ImplicitTLS:
	case NoTLS:
		if !loopback(c.Host) {
			return nil, errors.New("mail: without TLS only to a loopback address")
		}
	default:
		return nil, errors.New("mail: security is starttls, tls or none")
	}
	if c.Port == 0 {
		if c.Port = 587; c.Security == ImplicitTLS {
			c.Port = 465
		}
	}
	if c.Timeout == 0 {
		c.Timeout = mailTimeout
	}
	head, err := newLetterhead(c.Texts, c.From, c.FromName)
	if err != nil {
		return nil, err
	}
	m := &Mail{config: c, writer: head}
	if _, err := m.client(nil); err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return m, nil
}

// Send writes a mail and hands it over once. An error before the server was
// asked to take the whole mail is definite; the end of the mail without the
// server's answer is domain.ErrUnknownOutcome (RFC 5321 section 6.1: a server
// that has answered is responsible, and only then).
func (m *Mail) Send(ctx context.Context, msg Message) (Receipt, error) {
	mail, err := m.writer.write(msg, time.Now())
	if err != nil {
		return Receipt{}, fmt.Errorf("send mail: %w", err)
	}
	s, err := m.dial(ctx)
	if err != nil {
		return Receipt{}, fmt.Errorf("send mail: %w", err)
	}
	defer s.close()
	err = s.client.SendWithSMTPClient(s.smtp, mail)
	if !mail.IsDelivered() { // once it is, nothing that goes wrong later matters
		return Receipt{}, fmt.Errorf("send mail: %w", sendFault(err))
	}
	return Receipt{Provider: "smtp", ID: msg.ID}, nil
}

// Check connects, authenticates and asks the server for nothing (NOOP), so that
// a dead mail server can be told to everybody alike, before anybody's address
// is looked at. Its errors are those of Send.
func (m *Mail) Check(ctx context.Context) error {
	s, err := m.dial(ctx)
	if err != nil {
		return fmt.Errorf("check mail: %w", err)
	}
	defer s.close()
	from, err := mailbox(m.config.From)
	if err == nil { // a server may take the connection and refuse the sender
		err = s.smtp.Mail("<" + from + ">")
	}
	if err == nil {
		err = s.smtp.Reset()
	}
	if err != nil {
		return fmt.Errorf("check mail: %w", dialFault(err))
	}
	return nil
}

// A session is one connection, logged in.
type session struct {
	client *gomail.Client
	smtp   *smtp.Client
	close  func()
}

func (m *Mail) dial(ctx context.Context) (session, error) {
	limited, cancel := context.WithTimeout(ctx, m.config.Timeout)
	var conn net.Conn
	stop := func() bool { return true }
	client, err := m.client(func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &net.Dialer{Timeout: connectTimeout}
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// The commands know no context: its end closes the connection under them.
		stop = context.AfterFunc(limited, func() { _ = c.Close() })
		if conn = c; m.config.Security == ImplicitTLS {
			conn = tls.Client(c, m.tls())
		}
		return conn, nil
	})
	if err != nil {
		cancel()
		return session{}, err
	}
	hangUp := func() {
		stop()
		if conn != nil {
			_ = conn.Close()
		}
		cancel()
	}
	talk, err := client.DialToSMTPClientWithContext(limited)
	if err != nil {
		hangUp()
		return session{}, dialFault(err)
	}
	return session{client: client, smtp: talk, close: func() {
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // a courtesy, not to be waited for
		_ = client.CloseWithSMTPClient(talk)
		hangUp()
	}}, nil
}

// client returns a client for one connection; it keeps state between the steps
// of one, so that none is shared.
func (m *Mail) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	c := m.config
	policy := gomail.TLSMandatory
	if c.Security != StartTLS {
		policy = gomail.NoTLS
	}
	options := []gomail.Option{
		gomail.WithPort(c.Port), gomail.WithTimeout(c.Timeout), gomail.WithTLSConfig(m.tls()),
		gomail.WithTLSPolicy(policy), gomail.WithoutNoop(), gomail.WithoutRset(), gomail.WithoutSMTPUTF8(),
	}
	if dial != nil {
		options = append(options, gomail.WithDialContextFunc(dial))
	}
	if c.Security == ImplicitTLS {
		options = append(options, gomail.WithSSL())
	}
	if c.Username != "" {
		// What proves the password without showing it comes first; what shows
		// it is only offered over TLS.
		auth := gomail.WithOpportunisticSMTPAuth(
			gomail.SMTPAuthSCRAMSHA256PLUS, gomail.SMTPAuthSCRAMSHA256,
			gomail.SMTPAuthPlain, gomail.SMTPAuthLogin)
		options = append(options, auth, gomail.WithUsername(c.Username), gomail.WithPassword(c.Password))
	}
	return gomail.NewClient(c.Host, options...)
}

func (m *Mail) tls() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: m.config.Host, RootCAs: m.config.RootCAs}
}

// dialFault says what went wrong before a mail was begun. It is always
// definite. What the server wrote stays out: it may repeat the user's name.
func dialFault(err error) error {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return refusal(reply.Code, "", true)
	}
	why := cause(err)
	lacks := strings.Contains(err.Error(), "STARTTLS") || strings.Contains(err.Error(), "AUTH") ||
		errors.Is(err, gomail.ErrNoSupportedAuthDiscovered)
	if why == noCause && lacks { // the server lacks what the settings demand
		return &Rejected{Provider: "smtp", Reason: Misconfigured}
	}
	return fmt.Errorf("smtp: connect: %s: %w", why, domain.ErrUnavailable)
}

// sendFault says what became of a mail that was begun.
func sendFault(err error) error {
	var fault *gomail.SendError
	if !errors.As(err, &fault) {
		return fmt.Errorf("smtp: %w", domain.ErrUnknownOutcome)
	}
	if code := fault.ErrorCode(); code != 0 {
		return refusal(code, fault.EnhancedStatusCode(), fault.Reason != gomail.ErrSMTPRcptTo)
	}
	switch fault.Reason {
	case gomail.ErrConnCheck, gomail.ErrSMTPMailFrom, gomail.ErrSMTPRcptTo, gomail.ErrSMTPData:
		return fmt.Errorf("smtp: connection lost before the mail: %w", domain.ErrUnavailable)
	case gomail.ErrGetSender, gomail.ErrGetRcpts, gomail.ErrNoUnencoded:
		return &Rejected{Provider: "smtp", Reason: Misconfigured}
	case gomail.ErrWriteContent, gomail.ErrSMTPDataClose, gomail.ErrSMTPReset, gomail.ErrAmbiguous:
	}
	return fmt.Errorf("smtp: no answer to the mail: %w", domain.ErrUnknownOutcome)
}

// refusal reads a reply code and an enhanced status code (RFC 5321 section 4.2,
// RFC 3463). ours says that it cannot be about the recipient's address.
func refusal(code int, enhanced string, ours bool) error {
	r := &Rejected{Provider: "smtp", Reason: Refused, Status: code}
	_, detail, _ := strings.Cut(enhanced, ".")
	switch {
	case code == 530, code == 534, code == 535, code == 538, code == 454 && ours: // RFC 4954
		r.Reason = Auth
	case detail == "7.1", detail == "7.0", detail == "7.26":
		r.Reason = Refused // policy
	case code >= 400 && code < 500:
		r.Reason = Busy
	case !ours && (code == 550 || code == 551 || code == 553 || strings.HasPrefix(detail, "1.")):
		r.Reason = InvalidRecipient
	case ours && (code == 553 || detail == "1.8" || detail == "1.7"):
		r.Reason = Misconfigured // our sender's address
	}
	return r
}
