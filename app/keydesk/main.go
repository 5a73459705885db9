// Command keydesk is the window program: the kiosk at which new staff enrol, and the
// windows of the helpdesk and the auditor.
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

	Kiosk    kioskCommand  `cmd:"" default:"withargs" help:"Open the kiosk."`
	Helpdesk officeCommand `cmd:"" help:"Open the window of the helpdesk: who stands where, and why somebody cannot log in."`
	Audit    officeCommand `cmd:"" help:"Open the window of the auditor: the log at any moment, and whether anybody changed it."`
}

type kioskCommand struct {
	Demo  bool   `help:"A demo: mail and SMS appear on a phone beside the kiosk, and nothing leaves this machine."`
	Kiosk bool   `help:"Full screen."`
	Size  string `help:"The size of the window, where it is not full screen." default:"" placeholder:"WIDTHxHEIGHT"`

	Service string `help:"The server to which this kiosk belongs, where it holds no log and no vault of its own." placeholder:"URL"`
	Station string `help:"The file from \"keydeskd station add\", with which it shows itself there." placeholder:"FILE"`
}

func run(args []string, out, errs io.Writer) (status int) {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("keydesk"), kong.Writers(out, errs), kong.Vars{"version": metadata.Version},
		kong.Description("Keydesk enrols new staff into two-factor login. This is its kiosk, and the windows of its helpdesk and its auditors."),
		kong.Exit(func(code int) { panic(exit(code)) }), kong.UsageOnError())
	if err != nil {
		panic(err) // a mistake in the struct above, found by every test
	}
	defer func() {
		if code, ok := recover().(exit); ok {
			status = int(code)
		}
	}()
	parsed, err := parser.Parse(args)
	switch {
	case err != nil:
	case parsed.Command() == "helpdesk":
		err = openOffice(cli, cli.Helpdesk, helpdeskWindow)
	case parsed.Command() == "audit":
		err = openOffice(cli, cli.Audit, auditWindow)
	default:
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

// prepare reads what a window begins with: the settings, and where it tells its operator.
func (cli *commands) prepare(c kioskCommand) (settings.Settings, *zap.Logger, error) {
	if (c.Service == "") != (c.Station == "") {
		return settings.Settings{}, nil, errHalfAStation
	}
	set, err := settings.Load(settings.Sources{Home: cli.Home, File: cli.File, Demo: c.Demo, Env: os.Environ(), Flags: cli.Set})
	if err != nil {
		return set, nil, err
	}
	log, err := settings.Logger(set.Logging, os.Stderr)
	if err != nil {
		return set, nil, err
	}
	return set, log.With(zap.String("program", "keydesk")), nil
}

// openKiosk opens the window of a kiosk, and returns when it is closed.
func openKiosk(cli commands) error {
	c := cli.Kiosk
	set, log, err := cli.prepare(c)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if c.Service != "" {
		return atService(ctx, c, set, log)
	}
	return atHome(ctx, stop, c, set, log, func(w *window, h *home.Home) {
		w.put(kiosk.New(onHome(kioskConfig(set, w.leave), set, h)))
	})
}

// atHome runs a window on the home of this machine, with what put puts into it.
func atHome(ctx context.Context, stop func(), c kioskCommand, set settings.Settings, log *zap.Logger, put func(*window, *home.Home)) (err error) {
	set.Password.Concurrent = 1 // a window has one person at a time, and 64 MiB for each hash
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
	w, err := newWindow(c, set)
	if err != nil {
		return err
	}
	put(w, h)
	w.run(ctx)
	return nil
}

// kioskConfig is what this machine's settings say of how a kiosk looks and who
// may leave it.
func kioskConfig(set settings.Settings, leave func()) kiosk.Config {
	c := kiosk.Config{
		Mode: mode(set.Kiosk.Theme), Keyboard: set.Kiosk.Keyboard != settings.Off,
		Speech: speech.New(), OnExit: leave, Now: time.Now,
	}
	if pin := set.Kiosk.StaffPIN; !pin.IsZero() {
		c.StaffPIN = func(typed string) bool {
			return subtle.ConstantTimeCompare([]byte(typed), []byte(pin.Reveal())) == 1
		}
	}
	return c
}

// onHome has a kiosk work on a home of this machine.
func onHome(c kiosk.Config, set settings.Settings, h *home.Home) kiosk.Config {
	org, k := set.Organisation, set.Kiosk
	c.Desk, c.Trouble, c.Demo = h.Desk, h.Trouble, newDemoPhone(h, set.Home)
	c.Portal, c.PocketName, c.Support, c.Domains = org.Portal, org.PocketName, org.Support, h.Desk.Domains
	c.Policy, c.Languages, c.DefaultLanguage = set.Policy, org.Languages, org.DefaultLanguage
	c.IdleWarn, c.IdleWipe, c.IdleWipeWaiting, c.VisitMax = k.IdleWarn, k.IdleWipe, k.IdleWipeWaiting, k.VisitMax
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
