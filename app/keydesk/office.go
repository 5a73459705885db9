package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
	"github.com/keydesk/keydesk/app/internal/ui/office"
)

// An officeCommand opens a window of staff.
type officeCommand struct {
	Demo bool   `help:"On the demo's home: codes appear in the window."`
	Size string `help:"The size of the window." default:"" placeholder:"WIDTHxHEIGHT"`

	Service string `help:"The server to which this desk belongs, where it holds no log and no vault of its own." placeholder:"URL"`
	Station string `help:"The file from \"keydeskd station add --kind desk\", with which it shows itself there." placeholder:"FILE"`
}

// deskSize is that of a window of staff, where nothing else is asked for.
const deskSize = "1280x820"

// kioskOf returns the options that the window of a kiosk would have.
func (c officeCommand) kioskOf() kioskCommand {
	size := c.Size
	if size == "" {
		size = deskSize
	}
	return kioskCommand{Demo: c.Demo, Size: size, Service: c.Service, Station: c.Station}
}

// An officeWindow is one of the windows of staff, on the home of this machine and at a
// server.
type officeWindow struct {
	atHome    func(w *window, set settings.Settings, h *home.Home)
	atService func(w *window, set settings.Settings, client *remote.Client, hello remote.Hello)
}

// openOffice opens a window of staff, and returns when it is closed.
func openOffice(cli commands, c officeCommand, o officeWindow) error {
	set, log, err := cli.prepare(c.kioskOf())
	if err != nil {
		return err
	}
	set.Kiosk.FullScreen, set.Kiosk.Portrait = false, settings.Off // those are a kiosk's
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Service != "" {
		return o.openAtService(ctx, c, set, log)
	}
	return atHome(ctx, stop, c.kioskOf(), set, log, func(w *window, h *home.Home) { o.atHome(w, set, h) })
}

// openAtService runs it at a desk that belongs to a server. It opens no home and holds no
// key.
func (o officeWindow) openAtService(ctx context.Context, c officeCommand, set settings.Settings, log *zap.Logger) error {
	if _, err := remote.Open(c.Service, c.Station, remote.Options{}); err != nil {
		return err // a mistake in what was typed is told at once
	}
	w, err := newWindow(c.kioskOf(), set)
	if err != nil {
		return err
	}
	g := &guest{w: w, c: c.kioskOf(), set: set, log: log}
	g.opens = func(client *remote.Client, hello remote.Hello) { o.atService(w, set, client, hello) }
	return g.run(ctx)
}

// demoStrip is the demo's phone as a window of staff shows it; nil for a home that is no
// demo.
func demoStrip(set settings.Settings, h *home.Home) office.Demo {
	if phone := newDemoPhone(h, set.Home); phone != nil {
		return strip{phone}
	}
	return nil
}

// A strip is the demo's phone as the window of staff shows it.
type strip struct{ kiosk.DemoPhone }

// Watch gives the messages of this run as they arrive.
func (s strip) Watch(ctx context.Context, receive func(office.DemoMessage)) error {
	return s.DemoPhone.Watch(ctx, func(m kiosk.DemoMessage) {
		receive(office.DemoMessage{SMS: m.SMS, To: m.To, Code: m.Code, At: m.At})
	})
}

// Approve answers the login that waits for the phone.
func (s strip) Approve(ctx context.Context, digits string) error {
	return s.DemoPhone.(kiosk.DemoApprover).Approve(ctx, digits) //nolint:forcetypeassert,errcheck // it is one
}
