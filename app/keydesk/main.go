// Command keydesk is the window program: the kiosk at which new staff enrol.
package main

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"github.com/alecthomas/kong"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/speech"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/kiosk"
	"github.com/keydesk/keydesk/assets"
)

// metadata repeats FyneApp.toml, which a built program does not read; a test
// keeps the two the same.
var metadata = fyne.AppMetadata{
	ID: "io.github.keydesk.keydesk", Name: "Keydesk", Version: "0.1.0", Build: 1,
	Icon: fyne.NewStaticResource("icon.png", assets.Icon),
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

type commands struct {
	Home    string            `help:"The data folder." env:"KEYDESK_HOME" placeholder:"DIR"`
	File    string            `name:"settings" help:"The settings file; keydesk.toml in the home by default." placeholder:"FILE"`
	Set     map[string]string `help:"One setting over those of the file and the environment, as section.key=value." placeholder:"KEY=VALUE"`
	Version kong.VersionFlag  `help:"Show the version and leave."`

	Kiosk kioskCommand `cmd:"" default:"withargs" help:"Open the kiosk."`
}

type kioskCommand struct {
	Demo  bool   `help:"A demo: mail and SMS appear on a phone beside the kiosk, and nothing leaves this machine."`
	Kiosk bool   `help:"Full screen."`
	Size  string `help:"The size of the window, where it is not full screen." default:"" placeholder:"WIDTHxHEIGHT"`
}

func run(args []string, out, errs io.Writer) (status int) {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("keydesk"), kong.Writers(out, errs), kong.Vars{"version": metadata.Version},
		kong.Description("Keydesk enrols new staff into two-factor login. This is its kiosk."),
		kong.Exit(func(code int) { panic(exit(code)) }), kong.UsageOnError())
	if err != nil {
		panic(err) // a mistake in the struct above, found by every test
	}
	defer func() {
		if code, ok := recover().(exit); ok {
			status = int(code)
		}
	}()
	_, err = parser.Parse(args)
	if err == nil {
		err = openKiosk(cli)
	}
	if err != nil {
		fmt.Fprintln(errs, "keydesk:", err)
		return 1
	}
	return 0
}

// exit carries kong's wish to leave, after --help say, to where it can be granted.
type exit int

// openKiosk opens the home and the window, and returns when the window is closed.
func openKiosk(cli commands) (err error) {
	set, err := settings.Load(settings.Sources{
		Home: cli.Home, File: cli.File, Demo: cli.Kiosk.Demo, Env: os.Environ(), Flags: cli.Set,
	})
	if err != nil {
		return err
	}
	log, err := settings.Logger(set.Logging)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	set.Password.Concurrent = 1 // a window has one person at a time, and 64 MiB for each hash
	h, err := home.Open(ctx, home.Options{
		Settings: set, Version: metadata.Version, Phones: true, Log: log.With(zap.String("program", "keydesk")),
	})
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
	return show(ctx, cli.Kiosk, set, h)
}

// show runs the window until it is closed, or ctx ends.
func show(ctx context.Context, c kioskCommand, set settings.Settings, h *home.Home) error {
	size, err := windowSize(c.Size, set.Kiosk.Portrait)
	if err != nil {
		return err
	}
	app.SetMetadata(metadata)
	a := app.NewWithID(metadata.ID)
	a.SetIcon(metadata.Icon)
	w := a.NewWindow(metadata.Name)
	w.SetPadded(false)
	w.Resize(size)
	locked := c.Kiosk || set.Kiosk.FullScreen
	w.SetFullScreen(locked)
	var k *kiosk.Kiosk
	leave := func() { //nolint:contextcheck // a visit ends whatever ends the program, so its end has a context of its own
		k.Close() // forgets whoever is there; not later, since the window has the clipboard
		a.Quit()
	}
	w.SetCloseIntercept(func() {
		if !locked { // else staff leave with their PIN
			leave()
		}
	})
	k = kiosk.New(kioskConfig(set, h, leave))
	k.Attach(w)
	context.AfterFunc(ctx, func() { fyne.Do(leave) })
	w.ShowAndRun()
	return nil
}

func kioskConfig(set settings.Settings, h *home.Home, leave func()) kiosk.Config {
	c := kiosk.Config{
		Desk: h.Desk, Portal: set.Organisation.Portal, PocketName: set.Organisation.PocketName,
		Support: set.Organisation.Support, Domains: h.Desk.Domains, Policy: set.Policy,
		Languages: set.Organisation.Languages, DefaultLanguage: set.Organisation.DefaultLanguage,
		Mode: mode(set.Kiosk.Theme), Keyboard: set.Kiosk.Keyboard != settings.Off,
		Speech: speech.New(), Demo: newDemoPhone(h),
		IdleWarn: set.Kiosk.IdleWarn, IdleWipe: set.Kiosk.IdleWipe, IdleWipeWaiting: set.Kiosk.IdleWipeWaiting,
		VisitMax: set.Kiosk.VisitMax, OnExit: leave, Now: time.Now, Trouble: h.Trouble,
	}
	if pin := set.Kiosk.StaffPIN; !pin.IsZero() {
		c.StaffPIN = func(typed string) bool {
			return subtle.ConstantTimeCompare([]byte(typed), []byte(pin.Reveal())) == 1
		}
	}
	return c
}

func mode(t settings.Theme) ui.Mode {
	switch t {
	case settings.Dark:
		return ui.Dark
	case settings.HighContrast:
		return ui.HighContrast
	case settings.Light:
	}
	return ui.Light
}

// windowSize reads WIDTHxHEIGHT; without it, the size fits the mode of the kiosk.
func windowSize(s string, portrait settings.Switch) (fyne.Size, error) {
	if s == "" {
		if portrait == settings.On {
			return fyne.NewSize(1080, 1920), nil
		}
		return fyne.NewSize(1280, 800), nil
	}
	var w, h float32
	if n, err := fmt.Sscanf(s, "%gx%g", &w, &h); n != 2 || err != nil || w < 640 || h < 640 {
		return fyne.Size{}, fmt.Errorf("--size %q: not a size such as 1280x800", s)
	}
	return fyne.NewSize(w, h), nil
}
