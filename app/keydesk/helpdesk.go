package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui/helpdesk"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain/enrolment"
)

type helpdeskCommand struct {
	Demo bool   `help:"On the demo's home: codes appear in the window."`
	Size string `help:"The size of the window." default:"" placeholder:"WIDTHxHEIGHT"`

	Service string `help:"The server to which this desk belongs, where it holds no log and no vault of its own." placeholder:"URL"`
	Station string `help:"The file from \"keydeskd station add --kind desk\", with which it shows itself there." placeholder:"FILE"`
}

// deskSize is that of a window of staff, where nothing else is asked for.
const deskSize = "1280x820"

// kioskOf returns the options that the window of a kiosk would have.
func (c helpdeskCommand) kioskOf() kioskCommand {
	size := c.Size
	if size == "" {
		size = deskSize
	}
	return kioskCommand{Demo: c.Demo, Size: size, Service: c.Service, Station: c.Station}
}

// openHelpdesk opens the window of staff, and returns when it is closed.
func openHelpdesk(cli commands) error {
	c := cli.Helpdesk
	set, log, err := cli.prepare(c.kioskOf())
	if err != nil {
		return err
	}
	set.Kiosk.FullScreen, set.Kiosk.Portrait = false, settings.Off // those are a kiosk's
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Service != "" {
		return helpdeskAtService(ctx, c, set, log)
	}
	return helpdeskAtHome(ctx, stop, c, set, log)
}

// helpdeskAtHome runs the window of staff on the home of this machine.
func helpdeskAtHome(ctx context.Context, stop func(), c helpdeskCommand, set settings.Settings, log *zap.Logger) (err error) {
	set.Password.Concurrent = 1 // one person at a time, and 64 MiB for each hash
	h, err := home.Open(ctx, home.Options{Settings: set, Version: metadata.Version, Phones: true, Log: log})
	if err != nil {
		return err
	}
	running := make(chan error, 1)
	go func() { running <- h.Run(ctx) }()
	defer func() {
		stop()
		err = errors.Join(err, <-running, h.Close(context.WithoutCancel(ctx)))
	}()
	if err := h.Desk.OpenStation(ctx, metadata.Version); err != nil {
		log.Error("record the opening of the station", zap.Error(err))
	}
	w, err := newWindow(c.kioskOf(), set)
	if err != nil {
		return err
	}
	org := set.Organisation
	config := helpdesk.Config{
		Logins: h.Desk, Staff: h.Desk.Helpdesk(), Portal: org.Portal, PocketName: org.PocketName, Support: org.Support,
		Languages: org.Languages, DefaultLanguage: org.DefaultLanguage, Mode: mode(set.Helpdesk.Theme), Now: time.Now,
		ReadList: readList(set.Policy),
	}
	if phone := newDemoPhone(h, set.Home); phone != nil {
		config.Demo = strip{phone}
	}
	w.staff(config, onHome(kioskConfig(set, w.leave), set, h))
	w.run(ctx)
	return nil
}

// helpdeskAtService runs the window of staff of a desk that belongs to a server. It
// opens no home and holds no key.
func helpdeskAtService(ctx context.Context, c helpdeskCommand, set settings.Settings, log *zap.Logger) error {
	if _, err := remote.Open(c.Service, c.Station, remote.Options{}); err != nil {
		return err // a mistake in what was typed is told at once
	}
	w, err := newWindow(c.kioskOf(), set)
	if err != nil {
		return err
	}
	g := &guest{w: w, c: c.kioskOf(), set: set, log: log}
	g.opens = func(client *remote.Client, hello remote.Hello) {
		k := asGuest(kioskConfig(set, w.leave), client, hello)
		w.staff(helpdesk.Config{
			Logins: client, Staff: client.Helpdesk(), Portal: k.Portal, PocketName: k.PocketName, Support: k.Support,
			Languages: k.Languages, DefaultLanguage: k.DefaultLanguage, Mode: mode(set.Helpdesk.Theme), Now: time.Now,
		}, k)
	}
	return g.run(ctx)
}

// staff has the window of staff be in the window, and beside an agent the kiosk that a
// colleague enrols at.
func (w *window) staff(c helpdesk.Config, k kiosk.Config) {
	var desktop *helpdesk.Window
	c.Assist = func(begin func(context.Context, string) (desk.View, error)) {
		desktop.Detach()
		k.Assist = &kiosk.Assist{Begin: begin, Over: func() {
			fyne.Do(func() {
				w.take() // the kiosk
				desktop.Attach(w.Window)
				w.close = desktop.Close
			})
		}}
		k.Keyboard = false
		w.close = nil // the window of staff goes on, behind it
		w.put(kiosk.New(k))
	}
	desktop = helpdesk.New(c)
	w.take()
	w.close = desktop.Close
	desktop.Attach(w.Window)
}

// readList reads HR's list as the window shows it.
func readList(p enrolment.Policy) func(io.Reader) (helpdesk.List, error) {
	return func(r io.Reader) (helpdesk.List, error) {
		l, err := roster.Read(r, p)
		for _, known := range []struct {
			err    error
			reason string
		}{
			{roster.ErrEmpty, "empty"},
			{roster.ErrNoEmail, "no-email"},
			{roster.ErrTooLarge, "too-large"},
			{roster.ErrTooManyRows, "too-many-rows"},
			{roster.ErrWorkbook, "workbook"},
			{roster.ErrNotText, "not-text"},
			{roster.ErrHeader, "header"},
		} {
			if errors.Is(err, known.err) {
				return helpdesk.List{}, &helpdesk.ListRefused{Reason: known.reason}
			}
		}
		if err != nil {
			return helpdesk.List{}, err
		}
		out := helpdesk.List{
			Staff: home.Staff(l), Rows: l.Total, Bad: l.Bad, Encoding: string(l.Encoding), Delimiter: string(l.Delimiter), Ignored: l.Ignored,
			Problems: problems(l.Problems), Notes: problems(l.Notes),
		}
		for _, row := range l.Rows {
			out.Lines = append(out.Lines, row.Line)
		}
		return out, nil
	}
}

func problems(of []roster.Problem) []helpdesk.ListProblem {
	all := make([]helpdesk.ListProblem, len(of))
	for i, p := range of {
		all[i] = helpdesk.ListProblem{Line: p.Line, Column: p.Column, Reason: string(p.Reason), Other: p.Other}
	}
	return all
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
