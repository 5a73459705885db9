package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/transfer"
)

type copyCommand struct {
	From     string `required:"" placeholder:"URL" help:"The log to copy: sqlite:PATH or esdb://USER@HOST:PORT."`
	To       string `required:"" placeholder:"URL" help:"Where to: the same kinds. It is empty, or holds the beginning of the same log."`
	Check    bool   `name:"check-only" help:"Copy nothing: compare both, event by event."`
	FromPass string `name:"from-password-file" placeholder:"FILE" help:"The file that holds the password of the user in --from."`
	ToPass   string `name:"to-password-file" placeholder:"FILE" help:"The file that holds the password of the user in --to."`
	FromCA   string `name:"from-ca-file" placeholder:"FILE" help:"The authority that the certificate of --from is from."`
	ToCA     string `name:"to-ca-file" placeholder:"FILE" help:"The authority that the certificate of --to is from."`
	FromPre  string `name:"from-prefix" placeholder:"TEXT" help:"Stands before the names of all streams in --from, as log.prefix."`
	ToPre    string `name:"to-prefix" placeholder:"TEXT" help:"Stands before the names of all streams in --to, as log.prefix."`
	Clock    bool   `name:"clock-is-right" help:"This machine's clock is right, also where nothing was recorded for long: see \"keydeskd prune\"."`
	Seal     bool   `help:"The home goes on with --to: begin its seal there, with the last checkpoint of the seal of --from, which is kept beside."`
}

// Help is shown under the command's --help.
func (copyCommand) Help() string {
	return "Stop the kiosks first. All events are copied with their order, streams, revisions, ids, " +
		"bytes and times of recording, and then compared one by one. Interrupted, the same command goes on where it was. " +
		"Logins that are older than log.keep_logins, and the probes of doctor, are left out; after a long silence, or under a clock that runs ahead, fewer of them (see \"keydeskd prune\"). " +
		"A target that holds anything else than the beginning of the source is refused, and left alone. " +
		"The seal of a log is that of its positions, and a copy has others: --seal, once all is copied, begins a new tree for --to, whose first leaf is the last checkpoint " +
		"of the old one (seal.folder of --home, which needs the master key). What was sealed before stays provable with the old log. " +
		"A password in a URL would show to everybody on the machine: put it into a file."
}

var errSameLog = errors.New("--from and --to are the same log")

// Left says what is there of one that was stopped.
func (copyCommand) Left() string { return "the same command goes on where it was" }

func (c copyCommand) Run(a *app) (err error) {
	if c.From == c.To && c.FromPre == c.ToPre {
		return errSameLog
	}
	if path, file := strings.CutPrefix(c.From, store.Scheme); file { // opening would make it
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%w: %w", errNoLog, err)
		}
	}
	set, err := a.settings(c.From, c.To) // of which only log.keep_logins matters
	if err != nil {
		return err
	}
	from, err := openLog(a.ctx, c.From, c.FromPass, c.FromCA, c.FromPre)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := openLog(a.ctx, c.To, c.ToPass, c.ToCA, c.ToPre)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if demo, err := home.IsDemo(a.ctx, from); err != nil {
		return fmt.Errorf("--from: %w", err)
	} else if _, file := to.(*store.SQLite); demo && !file {
		return home.ErrDemoStays
	}
	if c.Seal && c.Check {
		return errSealOfNoCopy
	}
	if c.Seal {
		begun, err := home.TakeUpSealCopy(a.ctx, set, from, to)
		if err != nil {
			return fmt.Errorf("the seal of --from: %w", err)
		}
		if begun {
			fmt.Fprintln(a.out, "all was copied before")
			return c.sealFirst(a, set, to)
		}
		if err := home.SealLast(a.ctx, set, from); err != nil {
			return fmt.Errorf("the seal of --from: %w", err)
		}
	}
	do := transfer.Copy
	if c.Check {
		do = transfer.Check
	}
	o, later, err := home.CopyOptions(a.ctx, from, home.Pruning{Now: time.Now(), Keep: set.Log.KeepLogins, TrustClock: c.Clock})
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if later > 0 {
		fmt.Fprintf(a.errs, "keydeskd: nothing was recorded for long, or the clock runs ahead: logins of %.0f days more are taken along; if the clock is right, --clock-is-right leaves them out\n", later.Hours()/24)
	}
	o.Progress = a.copied()
	done, err := do(a.ctx, from, to, o)
	a.meter.rest()
	if done.Found > 0 {
		fmt.Fprintf(a.out, "%d events were there already\n", done.Found)
	}
	if !c.Check {
		fmt.Fprintf(a.out, "copied %d events\n", done.Copied)
	}
	if done.Late > 0 {
		fmt.Fprintf(a.out, "%d of them were recorded during the copy: something still writes to the source; stop it, and copy again\n", done.Late)
	}
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(a.out, "both logs hold the same %d events\n", done.Checked); err != nil || !c.Seal {
		return err
	}
	if err := home.SealCopy(a.ctx, set, to); err != nil {
		return fmt.Errorf("both logs hold the same; begin the seal of --to: %w", err)
	}
	return c.sealFirst(a, set, to)
}

// sealFirst makes the first checkpoint of a seal that has begun.
func (copyCommand) sealFirst(a *app, set settings.Settings, to store.Log) error {
	fmt.Fprintln(a.out, "the seal of --to begins with the last checkpoint of --from; set log.url to --to now")
	if err := home.SealFirst(a.ctx, set, to); err != nil {
		return fmt.Errorf("make its first checkpoint: %w", err)
	}
	_, err := fmt.Fprintln(a.out, "its first checkpoint is made; witnesses have to be given its key (\"keydeskd checkpoint --key\")")
	return err
}

var errSealOfNoCopy = errors.New("--check-only copies nothing, and so begins no seal")

var errNoLog = errors.New("there is no log to copy")

// A copyable log is what both kinds of logs are.
type copyable interface {
	store.Log
	transfer.Log
}

// openLog opens one side of a copy. Of the settings it needs none.
func openLog(ctx context.Context, address, passwordFile, caFile, prefix string) (copyable, error) {
	password, err := passwordFor(address, passwordFile)
	if err != nil {
		return nil, err
	}
	set := settings.Log{URL: address, Password: password, CAFile: caFile, Prefix: prefix}
	l, err := home.OpenLog(ctx, set, zap.NewNop())
	if err != nil {
		return nil, err
	}
	t, ok := l.(copyable)
	if !ok {
		return nil, errors.Join(errors.ErrUnsupported, l.Close())
	}
	return t, nil
}

// passwordFor reads the password of the user in a URL, and refuses a URL that
// holds one itself.
func passwordFor(address, file string) (settings.Secret, error) {
	u, err := url.Parse(address)
	if err == nil && (u.User != nil || u.RawQuery != "") {
		if _, shown := u.User.Password(); shown || u.Query().Has("password") {
			return settings.Secret{}, errShown
		}
	}
	if file == "" {
		return settings.Secret{}, nil
	}
	b, err := os.ReadFile(file) //nolint:gosec // the operator's to choose
	if err != nil {
		return settings.Secret{}, err
	}
	return settings.NewSecret(strings.TrimRight(string(b), "\r\n")), nil
}

var errShown = errors.New("the URL holds a password, which everybody on the machine can see: name a file that holds it")

// copied shows how far a copy is, by positions: nobody knows how many events there are.
func (a *app) copied() func(transfer.Progress) {
	words := map[transfer.Phase]string{
		transfer.Finding: "finding out what is there", transfer.Copying: "copying events", transfer.Checking: "comparing both logs",
	}
	var phase transfer.Phase
	var tell func(done, total int64)
	return func(now transfer.Progress) {
		if now.Phase != phase {
			phase, tell = now.Phase, a.meter.begin(words[now.Phase], "")
		}
		tell(int64(now.At), int64(now.Head)) //nolint:gosec // positions
	}
}
