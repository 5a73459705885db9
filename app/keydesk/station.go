package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
)

var errHalfAStation = errors.New("--service and --station go together: the server's URL, and the file from \"keydeskd station add\"")

// How long a kiosk waits before it tries again to connect: while nobody
// answers, and where it is not let in.
const (
	againSoon  = 3 * time.Second
	againLater = 30 * time.Second
)

// A guest is a kiosk that belongs to a server: connected, or on its way.
type guest struct {
	w   *window
	c   kioskCommand
	set settings.Settings
	log *zap.Logger
	// opens shows what the station is for, once it is connected.
	opens func(client *remote.Client, hello remote.Hello)
}

// atService runs a kiosk that belongs to a server. It holds no key and opens no
// home: what it knows, it is told. Of the settings here only its look and its
// PIN count.
func atService(ctx context.Context, c kioskCommand, set settings.Settings, log *zap.Logger) error {
	if _, err := remote.Open(c.Service, c.Station, remote.Options{}); err != nil {
		return err // a mistake in what was typed is told at once
	}
	w, err := newWindow(c, set)
	if err != nil {
		return err
	}
	g := &guest{w: w, c: c, set: set, log: log}
	g.opens = func(client *remote.Client, hello remote.Hello) {
		w.put(kiosk.New(asGuest(kioskConfig(set, w.leave), client, hello)))
	}
	return g.run(ctx)
}

// run shows the window until it is closed, or ctx ends.
func (g *guest) run(ctx context.Context) error {
	g.connecting(kiosk.NoProblem)
	ctx, stop := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	keeping.Go(func() { g.keep(ctx) })
	g.w.run(ctx)
	stop()
	keeping.Wait()
	return nil
}

// keep connects, shows the kiosk for as long as the station is let in, and
// begins again, until ctx ends.
func (g *guest) keep(ctx context.Context) {
	says := kiosk.NoProblem
	for ctx.Err() == nil {
		connected, err := g.once(ctx)
		if connected {
			says = kiosk.NoProblem
		}
		problem, wait := kiosk.ServiceAway, againSoon
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, remote.ErrRefused), errors.Is(err, remote.ErrStranger), errors.Is(err, remote.ErrBundle):
			problem, wait = kiosk.ServiceRefuses, againLater
		}
		if problem != says {
			g.log.Warn("not connected to the service", zap.Error(err))
			fyne.Do(func() { g.connecting(problem) })
			says = problem
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// once connects, and returns when the station is let in no more. The bundle is
// read anew: somebody may have brought another.
func (g *guest) once(ctx context.Context) (connected bool, err error) {
	client, err := remote.Open(g.c.Service, g.c.Station, remote.Options{
		Version: metadata.Version, Now: time.Now,
		Report: func(incident string, err error) {
			g.log.Error("fault", zap.String("incident", incident), zap.Error(err))
		},
	})
	if err != nil {
		return false, err
	}
	defer client.Close()
	hello, err := client.Connect(ctx)
	if err != nil {
		return false, err
	}
	g.log.Info("connected to the service", zap.String("station", hello.Station), zap.String("version", hello.Version))
	fyne.Do(func() { g.opens(client, hello) })
	return true, client.Run(ctx)
}

// connecting shows that the kiosk is on its way, and what is in it.
func (g *guest) connecting(problem kiosk.Problem) {
	g.w.take()
	g.w.SetContent(kiosk.Connecting(i18n.New(g.set.Organisation.DefaultLanguage), metadata.Name, problem))
}

// asGuest has a kiosk work at a server.
func asGuest(c kiosk.Config, client *remote.Client, h remote.Hello) kiosk.Config {
	c.Desk, c.Trouble = client, client.Trouble
	c.Portal, c.PocketName, c.Support, c.Domains = h.Facts.Portal, h.PocketName, h.Support, h.Facts.Domains
	c.Policy, c.Languages, c.DefaultLanguage = h.Policy, h.Languages, h.DefaultLanguage
	c.IdleWarn, c.IdleWipe, c.IdleWipeWaiting, c.VisitMax = h.IdleWarn, h.IdleWipe, h.IdleWipeWaiting, h.VisitMax
	return c
}
