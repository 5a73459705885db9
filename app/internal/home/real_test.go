package home_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// A mailbox is a mail server that keeps what it is sent.
type mailbox struct{ mails chan string }

func (m mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (mailbox) Mail(string, *smtp.MailOptions) error          { return nil }
func (mailbox) Rcpt(string, *smtp.RcptOptions) error          { return nil }
func (mailbox) Reset()                                        {}
func (mailbox) Logout() error                                 { return nil }

func (m mailbox) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	m.mails <- string(b)
	return err
}

func startMailbox(t *testing.T) (box mailbox, port string) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box = mailbox{make(chan string, 10)}
	s := smtp.NewServer(box)
	s.Domain = "localhost"
	go s.Serve(l) //nolint:errcheck // ends with Close
	t.Cleanup(func() { _ = s.Close() })
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return box, port
}

// startGateway is an SMS gateway of the organisation's own.
func startGateway(t *testing.T) (texts chan string, url string) {
	t.Helper()
	texts = make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m struct{ ID, To, Text string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.To != e164 || r.Header.Get("Keydesk-Signature") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		texts <- m.Text
	}))
	t.Cleanup(s.Close)
	return texts, s.URL
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

func codeIn(t *testing.T, messages <-chan string) string {
	t.Helper()
	select {
	case m := <-messages:
		return sixDigits.FindString(m)
	case <-time.After(deadline):
		t.Fatal("no message came")
		return ""
	}
}

// In a real home, with a mail server and a gateway, only who is on the roster
// gets a code, and the codes travel nowhere else.
func TestARealHomeEnrolsWhoIsOnTheRoster(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a secret of the gateway's own\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	box, port := startMailbox(t)
	texts, url := startGateway(t)
	h := open(t, t.TempDir(), false, "mail.host=127.0.0.1", "mail.port="+port, "mail.tls=none",
		"mail.from=noreply@bedrijf.example", "sms.order=webhook", "sms.webhook.url="+url, "sms.webhook.secret_file="+secret, "organisation.domains=bedrijf.example")
	if h.Demo || h.Outbox != nil {
		t.Fatal("the home is a demo")
	}
	ctx := t.Context()
	const address = "sanne@bedrijf.example"
	if _, err := h.Desk.AddToRoster(ctx, desk.Person{Email: address, Name: name}, "b"); err != nil {
		t.Fatal(err)
	}
	stranger := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, "piet@bedrijf.example", "nl"))
	h.must(desk.ScreenEmailCode)(h.Desk.View(ctx, stranger.Visit))

	v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, address, "nl"))
	v = h.must(desk.ScreenPassword)(h.Desk.ConfirmEmail(ctx, v.Visit, codeIn(t, box.mails)))
	v = h.must(desk.ScreenPhone)(h.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase))
	v = h.must(desk.ScreenSMSCode)(h.Desk.GivePhone(ctx, v.Visit, number))
	v = h.must(desk.ScreenFactor)(h.Desk.ConfirmPhone(ctx, v.Visit, codeIn(t, texts)))
	if v.Pocket.Possible || v.Pocket.Problem != "no-public-url" {
		t.Errorf("without a public address E7 offers %+v", v.Pocket)
	}
	h.refused(desk.PocketOff)(h.Desk.OfferPairing(ctx, v.Visit))
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(ctx, v.Visit))
	if h.factor(address) != enrolment.SMS {
		t.Errorf("the factor is %s", h.factor(address))
	}
	if n := len(box.mails) + len(texts); n != 0 {
		t.Errorf("%d messages more than the two were sent", n)
	}
}

// A real home without couriers sends nothing, and says so.
func TestARealHomeWithoutCouriersRefusesToSend(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	ctx := t.Context()
	if _, err := h.Desk.AddToRoster(ctx, desk.Person{Email: email}, "b"); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{email, "x@elders.example"} {
		v := h.must(desk.ScreenEmailCode)(h.Desk.Begin(ctx, address, "nl"))
		for end := time.Now().Add(deadline); v.Code.Delivery != desk.Failing; {
			if time.Now().After(end) {
				t.Fatalf("E3 never says that no mail can be sent: %+v", v.Code)
			}
			v = h.must(desk.ScreenEmailCode)(h.Desk.Await(ctx, v.Visit, v.Version))
		}
	}
}
