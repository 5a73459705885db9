package courier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// Channel says how a message travels.
type Channel string

// The channels.
const (
	ByMail Channel = "mail"
	BySMS  Channel = "sms"
)

// An Outbox is where the demo's messages go: files NNNNNN-mail.eml and
// NNNNNN-sms.txt in one folder, numbered from 1 in the order in which they were
// sent. Several processes may write into one folder and read from it. A file
// appears whole or not at all; it is not forced to the disk.
type Outbox struct {
	dir    string
	texts  Texts
	writer letterhead
}

// NewOutbox makes the folder where there is none, readable by nobody else.
func NewOutbox(dir string, texts Texts) (*Outbox, error) {
	head, err := newLetterhead(texts, "keydesk@demo.invalid", "")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the outbox: %w", err)
	}
	return &Outbox{dir: dir, texts: texts, writer: head}, nil
}

// Mail returns the courier that writes mails into the outbox.
func (o *Outbox) Mail() *OutboxMail { return &OutboxMail{o} }

// SMS returns the courier that writes text messages into the outbox.
func (o *Outbox) SMS() *OutboxSMS { return &OutboxSMS{o} }

// OutboxMail is the Outbox in the place of a Mail.
type OutboxMail struct{ box *Outbox }

// Send writes a complete message (RFC 5322). Its errors are definite.
func (m *OutboxMail) Send(ctx context.Context, msg Message) (Receipt, error) {
	mail, err := m.box.writer.write(msg, time.Now())
	if err != nil {
		return Receipt{}, fmt.Errorf("send mail: %w", err)
	}
	var b bytes.Buffer
	if _, err := mail.WriteTo(&b); err != nil {
		return Receipt{}, fmt.Errorf("send mail: %w", ErrBadMessage)
	}
	return m.box.put(ctx, "-mail.eml", b.Bytes())
}

// Check says whether the folder is still there.
func (m *OutboxMail) Check(context.Context) error {
	if _, err := os.Stat(m.box.dir); err != nil {
		return fmt.Errorf("check mail: %w: %w", domain.ErrUnavailable, err)
	}
	return nil
}

// OutboxSMS is the Outbox in the place of an SMS.
type OutboxSMS struct{ box *Outbox }

// Send writes "To: ", the number, an empty line and the text. Its errors are
// definite.
func (s *OutboxSMS) Send(ctx context.Context, msg Message) (Receipt, error) {
	if !numberForm.MatchString(msg.To) {
		return Receipt{}, fmt.Errorf("send SMS: %w", &Rejected{Provider: "demo", Reason: InvalidRecipient})
	}
	text, err := s.box.texts.sms(msg)
	if err != nil {
		return Receipt{}, fmt.Errorf("send SMS: %w", err)
	}
	return s.box.put(ctx, "-sms.txt", []byte("To: "+msg.To+"\n\n"+text+"\n"))
}

// Forget removes every message to any of these addresses and numbers. Their numbers stay
// taken: whoever watches has passed them.
func (o *Outbox) Forget(ctx context.Context, to ...string) error {
	c, err := o.scan()
	if err != nil {
		return fmt.Errorf("forget what was sent: %w: %w", domain.ErrUnavailable, err)
	}
	for number, name := range c.sent {
		item, err := o.read(number, name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errNotOurs):
			continue
		case err == nil && !slices.ContainsFunc(to, func(a string) bool { return strings.EqualFold(a, item.To) }):
			continue
		case err == nil:
			err = o.remove(number, name)
		}
		if err != nil {
			return fmt.Errorf("forget message %d: %w: %w", number, domain.ErrUnavailable, err)
		}
	}
	return nil
}

// remove leaves of a message what holds its number.
func (o *Outbox) remove(number int, name string) error {
	f, err := os.OpenFile(filepath.Join(o.dir, fmt.Sprintf(".%06d", number)), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(o.dir, name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// put gives a message the next number. Whoever makes the hidden file .NNNNNN
// holds that number until its message stands there; the message is renamed into
// place whole. A number whose holder died stays unused.
func (o *Outbox) put(ctx context.Context, suffix string, content []byte) (r Receipt, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write into the outbox: %w: %w", domain.ErrUnavailable, err)
		}
	}()
	f, err := os.CreateTemp(o.dir, ".new-*") // mode 0600
	if err != nil {
		return Receipt{}, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	if _, err := f.Write(content); err != nil {
		_ = f.Close()
		return Receipt{}, err
	}
	if err := f.Close(); err != nil {
		return Receipt{}, err
	}
	for ctx.Err() == nil {
		number, release, err := o.claim()
		if errors.Is(err, fs.ErrExist) {
			continue // somebody else was first: the next number
		}
		if err != nil {
			return Receipt{}, err
		}
		name := fmt.Sprintf("%06d", number)
		err = os.Rename(f.Name(), filepath.Join(o.dir, name+suffix))
		release()
		return Receipt{Provider: "demo", ID: name}, err
	}
	return Receipt{}, ctx.Err()
}

// claim takes the number after the highest one, or fails with fs.ErrExist.
func (o *Outbox) claim() (int, func(), error) {
	names, err := o.scan()
	if err != nil {
		return 0, nil, err
	}
	number := names.highest + 1
	path := filepath.Join(o.dir, fmt.Sprintf(".%06d", number))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the path is the folder and a number
	if err != nil {
		return 0, nil, err
	}
	_ = f.Close()
	release := func() { _ = os.Remove(path) }
	// The number may have been used and released since the folder was read.
	if names, err = o.scan(); err != nil || names.sent[number] != "" {
		release()
		return 0, nil, errors.Join(err, fs.ErrExist)
	}
	return number, release, nil
}

// contents is what stands in the folder. Reading a folder is no one moment: a
// message that is renamed meanwhile may be missed.
type contents struct {
	sent    map[int]string // names of messages by number
	highest int            // of a message, or of a number that is held
}

var (
	sentForm    = regexp.MustCompile(`^([0-9]{6,9})-(mail\.eml|sms\.txt)$`)
	claimedForm = regexp.MustCompile(`^\.([0-9]{6,9})$`)
)

func (o *Outbox) scan() (contents, error) {
	c := contents{sent: map[int]string{}}
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		return c, err
	}
	for _, e := range entries {
		m := sentForm.FindStringSubmatch(e.Name())
		if m == nil {
			m = claimedForm.FindStringSubmatch(e.Name())
		}
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return c, err
		}
		if c.highest = max(c.highest, n); e.Name()[0] != '.' {
			c.sent[n] = e.Name()
		}
	}
	return c, nil
}
