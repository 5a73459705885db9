package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
)

// demoPhone is the phone that a demo shows beside the kiosk: it receives what
// the outbox holds, and pairs like any other phone.
type demoPhone struct{ home *home.Home }

// newDemoPhone returns nil for a home that is no demo.
func newDemoPhone(h *home.Home) kiosk.DemoPhone {
	if !h.Demo {
		return nil
	}
	return demoPhone{h}
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

// Pair scans a QR code with a new phone. It returns the digits that the phone
// shows, and what it does once they were typed.
func (p demoPhone) Pair(ctx context.Context, url string) (digits string, finish func(context.Context) error, err error) {
	dir, err := os.MkdirTemp("", "keydesk-phone-*")
	if err != nil {
		return "", nil, fmt.Errorf("make the demo phone: %w", err)
	}
	phone, err := pocket.OpenPhone(filepath.Join(dir, "key"))
	if err != nil {
		return "", nil, err
	}
	phone.Label = "Demo"
	if err := phone.Scan(ctx, url); err != nil {
		return "", nil, err
	}
	return phone.Digits(), func(ctx context.Context) error {
		defer os.RemoveAll(dir) //nolint:errcheck // a demo's key in a temporary folder
		if err := phone.Wait(ctx); err != nil {
			return err
		}
		_, err := phone.Finish(ctx)
		return err
	}, nil
}
