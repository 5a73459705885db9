package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/courier"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/pocket"
	"github.com/keydesk/keydesk/app/internal/settings"
)

const (
	patience = 30 * time.Second // with anything that a test waits for
	name     = "Sanne de Vries"
	phrase   = "Kaas-Fiets-Regen7!Molen"
	number   = "0612345678"
)

// A hall has a kiosk without a window, in the process of the test: it has a
// demo's home open while keydeskd, a process of its own, works on it.
type hall struct {
	*home.Home
	read int // messages of the outbox
	stop func() error
}

func openStation(ctx context.Context, dir string) (*hall, error) {
	set, err := settings.Load(settings.Sources{Home: dir, Demo: true})
	if err != nil {
		return nil, err
	}
	h, err := home.Open(ctx, home.Options{Settings: set, Version: "test", Phones: true, Log: zap.NewNop()})
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.Run(running) }()
	return &hall{Home: h, stop: func() error {
		cancel()
		if err := <-ended; err != nil {
			return err
		}
		return h.Close(ctx)
	}}, nil
}

// code waits for the next message of the outbox that brings a code.
func (s *hall) code() (string, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		items, err := s.Outbox.List(s.read)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(items, func(m courier.Item) bool { return m.Code != "" })
		if i >= 0 {
			s.read += i + 1
			return items[i].Code, nil
		}
	}
	return "", fmt.Errorf("no code came within %s", patience)
}

// The screens that a walk can end on.
var way = []desk.Screen{
	desk.ScreenEmailCode, desk.ScreenPassword, desk.ScreenPhone, desk.ScreenSMSCode, desk.ScreenFactor, desk.ScreenDone,
}

// walk takes somebody from E1 to a screen; to the last one by choosing SMS.
func (s *hall) walk(ctx context.Context, email string, to desk.Screen) (desk.View, error) {
	v, err := s.Desk.Begin(ctx, email, "nl")
	for err == nil && v.Screen != to {
		code := ""
		switch v.Screen { //nolint:exhaustive // the screens of way; anything else is an error
		case desk.ScreenEmailCode:
			if code, err = s.code(); err == nil {
				v, err = s.Desk.ConfirmEmail(ctx, v.Visit, code)
			}
		case desk.ScreenPassword:
			v, err = s.Desk.SetNameAndPassword(ctx, v.Visit, name, phrase)
		case desk.ScreenPhone:
			v, err = s.Desk.GivePhone(ctx, v.Visit, number)
		case desk.ScreenSMSCode:
			// Nobody types a code before it is recorded that it was sent.
			for err == nil && v.Code.Delivery == desk.Sending && ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond)
				v, err = s.Desk.View(ctx, v.Visit)
			}
			if err != nil {
				break
			}
			if code, err = s.code(); err == nil {
				v, err = s.Desk.ConfirmPhone(ctx, v.Visit, code)
			}
		case desk.ScreenFactor:
			v, err = s.Desk.ChooseSMS(ctx, v.Visit)
		default:
			return v, fmt.Errorf("on the way to %s it shows %s", to, v.Screen)
		}
	}
	if err != nil {
		return v, fmt.Errorf("on the way to %s: %w", to, err)
	}
	return v, nil
}

// guessWrongly types wrong codes for the e-mail address until somebody is
// locked, a visit and code after the other.
func (s *hall) guessWrongly(ctx context.Context, email string, times int) error {
	v, err := s.walk(ctx, email, desk.ScreenEmailCode)
	if err != nil {
		return err
	}
	right, err := s.code()
	if err != nil {
		return err
	}
	wrong := "000000"
	if right == wrong {
		wrong = "000001"
	}
	for range times {
		if _, err := s.Desk.ConfirmEmail(ctx, v.Visit, wrong); err == nil {
			return fmt.Errorf("a wrong code was accepted")
		}
	}
	return nil
}

// pair pairs a phone, from E7 to the end.
func (s *hall) pair(ctx context.Context, visit, keyFile string) error {
	v, err := s.Desk.OfferPairing(ctx, visit)
	if err != nil {
		return err
	}
	phone, err := pocket.OpenPhone(keyFile)
	if err != nil {
		return err
	}
	if err := phone.Scan(ctx, v.Pocket.URL); err != nil {
		return err
	}
	if _, err := s.Desk.ConfirmPairing(ctx, visit, phone.Digits()); err != nil {
		return err
	}
	if err := phone.Wait(ctx); err != nil {
		return err
	}
	_, err = phone.Finish(ctx)
	return err
}
