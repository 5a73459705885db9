package courier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// An Item is one message in the outbox.
type Item struct {
	Number  int
	Channel Channel
	To      string
	Subject string // of a mail
	Text    string // the text part
	Code    string // the digits or the ticket to highlight; empty where the message has neither
	At      time.Time
}

// heldFor is how long a message waits for a lower number that is missing: its
// holder may be just putting it there, or be dead.
const heldFor = 2 * time.Second

// List reads the messages numbered above after, in their order. It stops before
// a fresh one whose predecessor is still missing.
func (o *Outbox) List(after int) ([]Item, error) {
	c, err := o.scan()
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	var items []Item
	for _, n := range slices.Sorted(maps.Keys(c.sent)) {
		if n <= after {
			continue
		}
		item, err := o.read(n, c.sent[n])
		if errors.Is(err, os.ErrNotExist) {
			continue // the folder was emptied
		}
		if err != nil {
			return items, fmt.Errorf("read message %d of the outbox: %w", n, err)
		}
		if n != after+1 && time.Since(item.At) < heldFor {
			break
		}
		items = append(items, item)
		after = n
	}
	return items, nil
}

// Watch hands over the messages numbered above after, first those that are
// there and then each as it arrives, one at a time and in their order, until
// ctx ends; then it returns nil. The receiver may take its time.
func (o *Outbox) Watch(ctx context.Context, after int, receive func(Item)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the outbox: %w", err)
	}
	defer func() { _ = w.Close() }()
	if err := w.Add(o.dir); err != nil {
		return fmt.Errorf("watch the outbox: %w", err)
	}
	// The system may lose a notice, and a dead holder gives none.
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		items, err := o.List(after)
		for _, i := range items {
			if ctx.Err() != nil {
				return nil
			}
			receive(i)
			after = i.Number
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-w.Events:
		case <-w.Errors:
		case <-again.C:
		}
	}
}

func (o *Outbox) read(number int, name string) (Item, error) {
	path := filepath.Join(o.dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return Item{}, err
	}
	raw, err := os.ReadFile(path) //nolint:gosec // a name that scan recognised
	if err != nil {
		return Item{}, err
	}
	item := Item{Channel: BySMS}
	if strings.HasSuffix(name, ".eml") {
		item, err = parseMail(raw)
	} else {
		item.To, item.Text, err = parseSMS(raw)
	}
	if err != nil {
		return Item{}, err
	}
	item.Number, item.At = number, info.ModTime()
	if m := codePlace[item.Channel].FindStringSubmatch(item.Text); m != nil {
		item.Code = m[1]
	}
	return item, nil
}

// codePlace is where a code stands: alone on a line of a mail, in front of an
// SMS. Other digits, such as a number of the helpdesk, are none.
var codePlace = map[Channel]*regexp.Regexp{
	ByMail: regexp.MustCompile(`(?m)^ {4}([0-9]{6}|[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2})$`),
	BySMS:  regexp.MustCompile(`^([0-9]{6}) `),
}

var errNotOurs = errors.New("not a message of ours")

func parseSMS(raw []byte) (to, text string, err error) {
	head, text, ok := strings.Cut(string(raw), "\n\n")
	to, named := strings.CutPrefix(head, "To: ")
	if !ok || !named {
		return "", "", errNotOurs
	}
	return to, strings.TrimSuffix(text, "\n"), nil
}

func parseMail(raw []byte) (Item, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Item{}, errNotOurs
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 {
		return Item{}, errNotOurs
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return Item{}, errNotOurs
	}
	text, err := textPart(m.Header.Get("Content-Type"), m.Body)
	return Item{Channel: ByMail, To: to[0].Address, Subject: subject, Text: text}, err
}

// textPart returns the text of a mail with alternatives, which may come with pictures.
func textPart(contentType string, body io.Reader) (string, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/alternative" && kind != "multipart/related" {
		return "", errNotOurs
	}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			return "", errNotOurs
		}
		if kind == "multipart/related" { // the alternatives are its first part (RFC 2387)
			return textPart(p.Header.Get("Content-Type"), p)
		}
		if kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
			continue
		}
		var r io.Reader = p
		if strings.EqualFold(p.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			r = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return "", errNotOurs
		}
		return strings.ReplaceAll(string(b), "\r\n", "\n"), nil
	}
}
