// Command keydeskd is Keydesk without a window: for servers, scripts and
// whoever wants to look into a home from a shell. It works on a home while
// kiosks are running on it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
)

// version is set when a release is built.
var version = "0.1.0"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// commands is everything that keydeskd can be asked for.
type commands struct {
	Home    string            `help:"The data folder." env:"KEYDESK_HOME" placeholder:"DIR"`
	File    string            `name:"settings" help:"The settings file; keydesk.toml in the home by default." placeholder:"FILE"`
	Demo    bool              `help:"The demo's home, where no other is named."`
	Set     map[string]string `help:"One setting over those of the file and the environment, as section.key=value." placeholder:"KEY=VALUE"`
	Version kong.VersionFlag  `help:"Show the version and leave."`

	Serve     serveCommand       `cmd:"" help:"Answer the login service, stations on other machines, and phones, until asked to stop."`
	Station   stationCommands    `cmd:"" help:"Which stations on other machines are let in."`
	Client    clientCommands     `cmd:"" help:"Which programs may ask the login service's API."`
	Keys      keyCommands        `cmd:"" help:"The keys that sign what the login service is told of a login."`
	Grant     staffGrant         `cmd:"" help:"Let somebody who is enrolled do what a role may; the same as \"staff grant\"."`
	Staff     staffCommands      `cmd:"" help:"Who may do what as a member of staff."`
	Roster    rosterCommands     `cmd:"" help:"Whom HR announced."`
	Import    importCommand      `cmd:"" help:"Announce everybody on a list that HR made, and see before what it changes."`
	Invite    inviteCommand      `cmd:"" help:"Let one person enrol, with a ticket for them."`
	Factor    factorCommand      `cmd:"" help:"Show with which factor somebody proves who they are, as JSON."`
	Export    exportCommand      `cmd:"" help:"Write a part of the log with its proof, a report and a table to a file."`
	Verify    verifyCommand      `cmd:"" help:"Compare the log with its seal, or check a bundle, and say exactly what holds."`
	Events    eventsCommand      `cmd:"" help:"Show the log, an event a line, as NDJSON."`
	Replay    replayCommand      `cmd:"" help:"Show how everything stood at any moment, or check what is live against the events."`
	History   historyCommand     `cmd:"" help:"Tell what happened to somebody, in plain words."`
	Progress  progressCommand    `cmd:"" help:"Show how many people stand where, and who is stuck, as JSON."`
	Freeze    freezeCommand      `cmd:"" help:"Let no factor of somebody count any more."`
	Unfreeze  unfreezeCommand    `cmd:"" help:"Ask that somebody whose account is frozen may enrol anew."`
	Case      caseCommands       `cmd:"" help:"What staff do to accounts, with a second person."`
	Erase     eraseCommand       `cmd:"" help:"Make all that is personal of somebody unreadable, for good; or show who is due."`
	Values    commitmentsCommand `cmd:"" name:"commitments" help:"Show whether the vault still holds what was recorded of somebody, without showing it."`
	Unlock    unlockCommand      `cmd:"" help:"Let somebody go on who typed too many wrong codes."`
	Phone     phoneCommands      `cmd:"" help:"A phone without a phone, for trying things out."`
	Settings  settingsCommand    `cmd:"" help:"Show the settings that are in force, and where each comes from."`
	Doctor    doctorCommand      `cmd:"" help:"Look whether everything that Keydesk needs works, and say how to mend what does not."`
	Protect   protectCommand     `cmd:"" help:"Set who may do what on the log's EventStoreDB, as its administrator."`
	Fill      fillCommand        `cmd:"" name:"demo" help:"Fill a demo's home with the history of an organisation, made up from a seed."`
	Backup    backupCommand      `cmd:"" help:"Copy the log, the vault and the seal into a folder, while everything runs."`
	Restore   restoreCommand     `cmd:"" help:"Put a backup back."`
	Prune     pruneCommand       `cmd:"" help:"Remove the logins that are older than log.keep_logins, for good."`
	Check     checkpointCommand  `cmd:"" name:"checkpoint" help:"Show the last signed statement of what the log holds."`
	Witness   witnessCommand     `cmd:"" help:"Cosign the checkpoints of logs, on a machine of somebody else."`
	Copy      copyCommand        `cmd:"" help:"Copy a whole log to another file or server, and compare both."`
	CopyVault copyVaultCommand   `cmd:"" name:"copy-vault" help:"Copy a whole vault to another file or server."`
}

// An app is what a command runs with.
type app struct {
	ctx  context.Context
	in   io.Reader
	out  io.Writer
	errs io.Writer
	cli  *commands

	meter *meter // nil: none
}

func run(args []string, out, errs io.Writer) (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var cli commands
	parser, err := kong.New(&cli, kong.Name("keydeskd"), kong.Writers(out, errs), kong.Vars{"version": version},
		kong.Description("Keydesk enrols new staff into two-factor login. This is its command line."),
		kong.Exit(func(code int) { panic(exit(code)) }), kong.UsageOnError())
	if err != nil {
		panic(err) // a mistake in the struct above, found by every test
	}
	defer func() {
		if code, ok := recover().(exit); ok {
			status = int(code)
		}
	}()
	if len(args) > 0 && args[0] == "help" { // as many programs have it
		args = append(args[1:], "--help")
	}
	parsed, err := parser.Parse(args)
	terminal := errs // of which the meter writes lines over
	out, errs = plain{out}, plain{errs}
	if err == nil {
		show := newMeter(terminal, parsed)
		err = parsed.Run(&app{ctx, os.Stdin, show.over(out), show.over(errs), &cli, show})
		show.close()
	}
	if err != nil {
		says, do := err.Error(), advice(err)
		if stopped(ctx, err) {
			says, do = errStopped.Error(), left(parsed)
		}
		fmt.Fprintln(errs, "keydeskd:", says)
		if do != "" {
			fmt.Fprintln(errs, do)
		}
		return statusOf(err)
	}
	return 0
}

// errStopped: whoever ran it had it end, with Ctrl-C say.
var errStopped = errors.New("stopped before it was done")

// stopped says whether a command failed since it was told to end, and not of itself.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && !errors.Is(err, errBrokenOff) && (errors.Is(err, context.Canceled) || errors.Is(err, context.Cause(ctx)))
}

// left says what a command that was stopped has left behind; empty: nothing.
func left(parsed *kong.Context) string {
	if c, ok := reflect.TypeAssert[interface{ Left() string }](parsed.Selected().Target); ok {
		return c.Left()
	}
	return ""
}

// exit carries kong's wish to leave, after --help say, to where it can be granted.
type exit int

// load reads the settings that are in force.
func (a *app) load() (settings.Settings, error) {
	return settings.Load(settings.Sources{Home: a.cli.Home, File: a.cli.File, Demo: a.cli.Demo, Env: os.Environ(), Flags: a.cli.Set})
}

// settings is load, for commands that work in a home, and perhaps on other logs or vaults:
// all of them have to be theirs.
func (a *app) settings(others ...string) (settings.Settings, error) {
	set, err := a.load()
	if err == nil {
		err = asOwner(os.Geteuid(), foldersOf(set, others...)...)
	}
	return set, err
}

// logger returns the program's logger. What it tells a terminal never stands behind the
// line of the meter.
func (a *app) logger(set settings.Settings) (*zap.Logger, error) {
	return settings.Logger(set.Logging, a.meter.over(os.Stderr))
}

// existing is settings, for commands that look into a home and make none: a
// mistyped folder must not become a home.
func (a *app) existing() (settings.Settings, error) {
	set, err := a.settings()
	if err != nil {
		return set, err
	}
	if err := home.Whole(set.Home); err != nil {
		return set, err
	}
	if path, file := strings.CutPrefix(set.Log.URL, store.Scheme); file {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return set, fmt.Errorf("%w in %s", errNoHome, set.Home)
		}
	}
	return set, nil
}

// An opened home has its projections follow the log, so that a command that
// writes sees its own events at once.
type opened struct {
	*home.Home
	stop func()
}

// Close ends the following and closes the home.
func (o opened) Close(ctx context.Context) error {
	o.stop()
	return o.Home.Close(context.WithoutCancel(ctx))
}

// open opens a home for one command, and gives it all that its log holds.
func (a *app) open(set settings.Settings, err error) (*opened, error) {
	if err != nil {
		return nil, err
	}
	log, err := a.logger(set)
	if err != nil {
		return nil, err
	}
	a.meter.begin("opening the home", "")
	defer a.meter.rest()
	h, err := home.Open(a.ctx, home.Options{Settings: set, Version: version, Log: log.With(zap.String("program", "keydeskd"))})
	if err != nil {
		return nil, err
	}
	if err := a.catchUp(h); err != nil {
		return nil, errors.Join(err, h.Close(a.ctx))
	}
	ctx, cancel := context.WithCancel(a.ctx)
	var following sync.WaitGroup
	following.Go(func() { _ = h.Feed.Run(ctx) }) // ends with ctx only
	return &opened{h, func() { cancel(); following.Wait() }}, nil
}

// catchUp gives a home all that its log holds.
func (a *app) catchUp(h *home.Home) error {
	head, err := h.Log.Head(a.ctx)
	if err != nil {
		return err
	}
	a.meter.watch("reading the log", "", func() (done, total int64) {
		return int64(min(h.Factors.Position(), h.Board.Position())), int64(head) //nolint:gosec // positions
	})
	return h.Feed.CatchUp(a.ctx)
}
