package courier

import (
	"bytes"
	"context"
	"fmt"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newOutbox(t *testing.T) *Outbox {
	t.Helper()
	o, err := NewOutbox(filepath.Join(t.TempDir(), "outbox"), ourTexts)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTheOutboxHoldsWhatWasSent(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	for i, send := range []func() (Receipt, error){
		func() (Receipt, error) { return o.Mail().Send(t.Context(), codeMail) },
		func() (Receipt, error) { return o.SMS().Send(t.Context(), codeSMS) },
		func() (Receipt, error) { return o.SMS().Send(t.Context(), pairedSMS) },
	} {
		got, err := send()
		if want := (Receipt{"demo", fmt.Sprintf("%06d", i+1)}); err != nil || got != want {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	}
	if err := o.Mail().Check(t.Context()); err != nil {
		t.Error(err)
	}
	sms, err := os.ReadFile(filepath.Join(o.dir, "000002-sms.txt"))
	if want := "To: +31612345678\n\n271828 is je code"; err != nil || !strings.HasPrefix(string(sms), want) {
		t.Errorf("got %q, %v", sms, err)
	}
	raw, err := os.ReadFile(filepath.Join(o.dir, "000001-mail.eml"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mail.ReadMessage(bytes.NewReader(raw)); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(o.dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
	items, err := o.List(0)
	if err != nil || len(items) != 3 {
		t.Fatalf("got %v, %v", items, err)
	}
	first, second := items[0], items[1]
	if first.Channel != ByMail || first.To != codeMail.To || first.Code != "314159" ||
		first.Subject != "Bevestig je e-mailadres voor Mijn OPO-R" || !strings.Contains(first.Text, "Deel deze code met niemand.") {
		t.Errorf("got %+v", first)
	}
	if second.Channel != BySMS || second.To != codeSMS.To || second.Code != "271828" || second.Number != 2 || time.Since(second.At) > time.Minute {
		t.Errorf("got %+v", second)
	}
	if items[2].Code != "" {
		t.Errorf("a code where there is none: %+v", items[2])
	}
	if rest, err := o.List(2); err != nil || len(rest) != 1 || rest[0].Number != 3 {
		t.Errorf("after 2: %v, %v", rest, err)
	}
}

// The demo finds the code of every message that has one, and nothing else that
// looks like one.
func TestTheOutboxKnowsACode(t *testing.T) {
	t.Parallel()
	o, err := NewOutbox(filepath.Join(t.TempDir(), "outbox"), Texts{
		Portal: "Portaal 123456", Pocket: "654321", Support: "de helpdesk, tel. 123456",
	})
	if err != nil {
		t.Fatal(err)
	}
	var want []Message
	for _, m := range append(every(ByMail), every(BySMS)...) {
		if m.Reference != "" {
			m.Reference = "135790"
		}
		send := o.Mail().Send
		if !strings.Contains(m.To, "@") {
			send = o.SMS().Send
		}
		if _, err := send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		want = append(want, m)
	}
	items, err := o.List(0)
	if err != nil || len(items) != len(want) {
		t.Fatalf("%d messages of %d, %v", len(items), len(want), err)
	}
	for i, m := range want {
		code := ""
		if m.Kind.hasCode() {
			code = m.Code
		}
		if m.Kind == Invitation {
			code = m.Ticket
		}
		if items[i].Code != code || items[i].To != m.To {
			t.Errorf("%s %s: got %q, want %q, in\n%s", m.Lang, m.Kind, items[i].Code, code, items[i].Text)
		}
	}
}

// Two processes and many goroutines in each write into one folder, while it is
// watched: every message once, in the order of the numbers, none half.
func TestManyWriteIntoOneOutbox(t *testing.T) {
	if os.Getenv("KEYDESK_TEST_OUTBOX") != "" { // the other process: it starts in the folder
		writeMany(t)
		return
	}
	t.Parallel()
	o := newOutbox(t)
	const all = 2 * 4 * 10
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	seen := make(chan Item)
	watching := make(chan error, 1)
	go func() {
		watching <- o.Watch(ctx, 0, func(i Item) {
			select {
			case seen <- i:
			case <-ctx.Done():
			}
		})
	}()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	others := make(chan error, 2)
	for range 2 {
		go func() {
			c := exec.CommandContext(ctx, program, "-test.run=^TestManyWriteIntoOneOutbox$")
			c.Dir, c.Env = o.dir, append(os.Environ(), "KEYDESK_TEST_OUTBOX=write")
			if out, err := c.CombinedOutput(); err != nil {
				others <- fmt.Errorf("%w: %s", err, out)
				return
			}
			others <- nil
		}()
	}
	for want := 1; want <= all; want++ {
		select {
		case i := <-seen:
			if i.Number != want || i.Text == "" || i.To == "" {
				t.Fatalf("got %+v, want number %d", i, want)
			}
		case <-ctx.Done():
			t.Fatalf("message %d did not come", want)
		}
	}
	for range 2 {
		if err := <-others; err != nil {
			t.Error(err)
		}
	}
	cancel()
	if err := <-watching; err != nil {
		t.Error(err)
	}
}

func writeMany(t *testing.T) {
	t.Helper()
	o, err := NewOutbox(".", ourTexts)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 10 {
				send := func() (Receipt, error) { return o.SMS().Send(t.Context(), codeSMS) }
				if i%2 == 0 {
					send = func() (Receipt, error) { return o.Mail().Send(t.Context(), codeMail) }
				}
				if _, err := send(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// A process that died between taking a number and using it holds up what comes
// after for a moment, not for ever.
func TestANumberWhoseHolderDied(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	held := filepath.Join(o.dir, ".000001")
	if err := os.WriteFile(held, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := o.SMS().Send(t.Context(), codeSMS)
	if err != nil || r.ID != "000002" {
		t.Fatalf("got %v, %v", r, err)
	}
	if items, err := o.List(0); err != nil || len(items) != 0 {
		t.Errorf("while it is held: %v, %v", items, err)
	}
	old := time.Now().Add(-time.Minute)
	if err := os.Chtimes(filepath.Join(o.dir, "000002-sms.txt"), old, old); err != nil {
		t.Fatal(err)
	}
	if items, err := o.List(0); err != nil || len(items) != 1 || items[0].Number != 2 {
		t.Errorf("once the holder is taken for dead: %v, %v", items, err)
	}
}

func TestFaultsOfTheOutbox(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	bad := codeMail
	bad.To = "sanne@voorbeeld.nl\r\nBcc: x@voorbeeld.nl"
	_, err := o.Mail().Send(t.Context(), bad)
	if noPrivateData(t, err); ReasonOf(err) != InvalidRecipient {
		t.Errorf("a bad address: got %v", err)
	}
	bad = codeSMS
	bad.To = "0612345678"
	_, err = o.SMS().Send(t.Context(), bad)
	if noPrivateData(t, err); ReasonOf(err) != InvalidRecipient {
		t.Errorf("a bad number: got %v", err)
	}
	if err := os.WriteFile(filepath.Join(o.dir, "000001-sms.txt"), []byte("+31612345678"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := o.List(0); err == nil {
		t.Error("took a file for a message that is none")
	} else {
		noPrivateData(t, err)
	}
	if err := os.RemoveAll(o.dir); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		func() error { _, err := o.SMS().Send(t.Context(), codeSMS); return err }(),
		o.Mail().Check(t.Context()),
	} {
		if noPrivateData(t, err); ReasonOf(err) != Unreachable {
			t.Errorf("without the folder: got %v", err)
		}
	}
}

// What was sent to somebody is gone, what others got stays, and no number is given twice.
func TestTheOutboxForgetsWhatWasSentToSomebody(t *testing.T) {
	t.Parallel()
	o := newOutbox(t)
	other := codeMail
	other.ID, other.To = "send-9", "lois@voorbeeld.nl"
	send := func(by interface {
		Send(context.Context, Message) (Receipt, error)
	}, m Message,
	) {
		t.Helper()
		if _, err := by.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	send(o.Mail(), codeMail)
	send(o.Mail(), other)
	send(o.SMS(), codeSMS)
	send(o.SMS(), pairedSMS)
	var seen []int
	watching, stop := context.WithCancel(t.Context())
	ended, got := make(chan struct{}), make(chan Item, 10)
	go func() {
		defer close(ended)
		_ = o.Watch(watching, 4, func(i Item) { got <- i })
	}()
	defer func() { stop(); <-ended }()
	for range 2 { // again changes nothing
		if err := o.Forget(t.Context(), strings.ToUpper(codeMail.To), codeSMS.To, "nobody@voorbeeld.nl"); err != nil {
			t.Fatal(err)
		}
	}
	var items []Item
	for end := time.Now().Add(20 * time.Second); len(items) == 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		if items, err = o.List(0); err != nil { // a fresh one waits for the number before it
			t.Fatal(err)
		}
	}
	for _, i := range items {
		seen = append(seen, i.Number)
	}
	if len(seen) != 1 || seen[0] != 2 || items[0].To != other.To {
		t.Errorf("left are %+v", items)
	}
	send(o.Mail(), other)
	select {
	case next := <-got:
		if next.Number != 5 || next.To != other.To {
			t.Errorf("the next one is %+v", next)
		}
	case <-time.After(20 * time.Second):
		t.Error("whoever watches misses the next one")
	}
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(o.dir, e.Name()))
		if err != nil || bytes.Contains(b, []byte("sanne")) || bytes.Contains(b, []byte("612345678")) {
			t.Errorf("%s holds %q, %v", e.Name(), b, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Forget(ctx, other.To); err == nil {
		t.Error("forgotten after the end")
	}
}
