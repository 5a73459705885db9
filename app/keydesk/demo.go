package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
	"github.com/keydesk/keydesk/domain/pairing"
)

// demoPhone is the phone that a demo shows beside the kiosk: it receives what
// the outbox holds, and pairs and approves like any other phone. It is everybody's:
// each pairing has a key of its own, in the demo's folder.
type demoPhone struct {
	home *home.Home
	keys string // the folder
}

// newDemoPhone returns nil for a home that is no demo.
func newDemoPhone(h *home.Home, folder string) kiosk.DemoPhone {
	if !h.Demo {
		return nil
	}
	return demoPhone{h, filepath.Join(folder, "demo-phone")}
}

// Watch gives the messages of this run as they arrive, until ctx ends.
func (p demoPhone) Watch(ctx context.Context, receive func(kiosk.DemoMessage)) error {
	old, err := p.home.Outbox.List(0)
	if err != nil {
		return err
	}
	return p.home.Outbox.Watch(ctx, len(old), func(m courier.Item) {
		receive(kiosk.DemoMessage{
			SMS: m.Channel == courier.BySMS, To: m.To, Subject: m.Subject, Text: m.Text, Code: m.Code, At: time.Now(),
		})
	})
}

// Pair scans a QR code with a new key. It returns the digits that the phone
// shows, and what it does once they were typed.
func (p demoPhone) Pair(ctx context.Context, url string) (digits string, finish func(context.Context) error, err error) {
	if err := os.MkdirAll(p.keys, 0o700); err != nil {
		return "", nil, fmt.Errorf("make the demo phone: %w", err)
	}
	file := filepath.Join(p.keys, rand.Text()+".key")
	phone, err := pocket.OpenPhone(file)
	if err != nil {
		return "", nil, err
	}
	phone.Label = "Demo"
	if err := phone.Scan(ctx, url); err != nil {
		return "", nil, errors.Join(err, os.Remove(file))
	}
	return phone.Digits(), func(ctx context.Context) error {
		err := phone.Wait(ctx)
		if err == nil {
			_, err = phone.Finish(ctx)
		}
		if err != nil {
			return errors.Join(err, os.Remove(file))
		}
		return nil
	}, nil
}

// errNothingWaits says that no key of the demo's phone is asked.
var errNothingWaits = errors.New("no login waits for the demo's phone")

// Approve answers the login that waits for whichever key.
func (p demoPhone) Approve(ctx context.Context, digits string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	files, err := filepath.Glob(filepath.Join(p.keys, "*.key"))
	if err != nil {
		return err
	}
	answered := make(chan error, len(files)+1)
	go func() { answered <- p.answerAsMadeUp(ctx, digits) }()
	for _, file := range files {
		go func() { answered <- p.answer(ctx, file, digits) }()
	}
	failed := errNothingWaits
	for range cap(answered) {
		switch err := <-answered; {
		case err == nil:
			return nil
		case ctx.Err() == nil && !errors.Is(err, pairing.Revoked):
			failed = err
		}
	}
	return failed
}

// answer answers the login that waits for one key, as soon as there is one.
func (p demoPhone) answer(ctx context.Context, file, digits string) error {
	phone, err := pocket.OpenPhone(file)
	if err != nil {
		return err
	}
	if err := phone.MoveTo(p.home.Desk.PublicURL); err != nil {
		return err
	}
	return decide(ctx, phone, digits)
}

// answerAsMadeUp answers the login that waits for a phone of the demo's history, if the
// demo has one (keydeskd demo).
func (p demoPhone) answerAsMadeUp(ctx context.Context, digits string) error {
	phone, err := p.home.MadeUpPhone(ctx)
	if err != nil {
		return err
	}
	if phone == nil {
		return pairing.Revoked
	}
	return decide(ctx, phone, digits)
}

// decide says yes with digits, and no without, to the login that waits for a phone.
func decide(ctx context.Context, phone *pocket.Phone, digits string) error {
	waits, err := phone.Await(ctx)
	if err != nil {
		return err
	}
	says := pairing.Approve
	if digits == "" {
		says = pairing.Deny
	}
	_, err = phone.Decide(ctx, waits, says, digits)
	return err
}
