package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/transfer"
	"github.com/keydesk/keydesk/domain"
)

type copyCommand struct {
	From         string `help:"The log to copy." placeholder:"URL"`
	To           string `help:"The log that becomes its copy. A file is made." placeholder:"URL"`
	FromSettings string `help:"Take the log to copy, and who logs in to it, from this settings file." placeholder:"FILE"`
	ToSettings   string `help:"Take the log that becomes its copy, and who logs in to it, from this settings file." placeholder:"FILE"`
	CheckOnly    bool   `help:"Only compare the two logs."`
}

// Help is what --help adds.
func (copyCommand) Help() string {
	return `Stop all stations first: what is recorded while the copy runs is copied too, but what is recorded after it is not.

Run it again when it was broken off: it finds out how far it was. It ends with a comparison of every event in both logs. A target that holds anything else than the beginning of the source is refused and left alone. Logins that are too old to be kept (log.keep_logins) are not copied, and neither are the probes of "keydeskd doctor".

A URL is sqlite:PATH, esdb://HOST:PORT or esdb+discover://NAME:PORT. Who logs in to a server is not for the command line, where others see it. User, password, certificates and prefix come from:

  --from-settings and --to-settings, of their section [log];
  the settings in force, where log.url is the same URL;
  else the user from the URL and the password from the variable
  KEYDESK_COPY_FROM_PASSWORD or KEYDESK_COPY_TO_PASSWORD.`
}

var (
	errSameLog   = errors.New("the source and the target are the same log")
	errDemoStays = errors.New("the source is a demo's log, which stays on its machine")
)

func (c copyCommand) Run(a *app) (err error) {
	from, err := c.place(a, "from", c.From, c.FromSettings)
	if err != nil {
		return err
	}
	to, err := c.place(a, "to", c.To, c.ToSettings)
	if err != nil {
		return err
	}
	if sameLog(from, to) {
		return errSameLog
	}
	if err := thereAlready(from.URL); err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if c.CheckOnly {
		if err := thereAlready(to.URL); err != nil {
			return fmt.Errorf("--to: %w", err)
		}
	}
	source, err := openForCopy(a.ctx, from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if !strings.HasPrefix(to.URL, store.Scheme) {
		if err := refuseDemo(a.ctx, source); err != nil {
			return err
		}
	}
	target, err := openForCopy(a.ctx, to)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()

	meter := newMeter(a.out, time.Now)
	o := transfer.Options{
		MaxAge: map[string]time.Duration{domain.LoginPrefix: from.KeepLogins},
		Skip:   []string{store.ProbePrefix}, Progress: meter.tell,
	}
	do := transfer.Copy
	if c.CheckOnly {
		do = transfer.Check
	}
	result, err := do(a.ctx, source, target, o)
	meter.end()
	if result.Found > 0 {
		fmt.Fprintf(a.out, "%d events were there already\n", result.Found)
	}
	if result.Copied > 0 {
		fmt.Fprintf(a.out, "%d events were copied\n", result.Copied)
	}
	if result.Late > 0 {
		fmt.Fprintf(a.out, "the source still moves: %d of them were recorded while the copy ran; stop all stations and run this again\n", result.Late)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "the two logs hold the same: %d events compared\n", result.Checked)
	return nil
}

// place says where a log is and who logs in to it.
func (c copyCommand) place(a *app, side, address, file string) (settings.Log, error) {
	wrong := func(reason string) (settings.Log, error) { return settings.Log{}, fmt.Errorf("--%s: %s", side, reason) }
	switch {
	case address != "" && file != "":
		return wrong("either a URL or a settings file")
	case address == "" && file == "":
		return wrong("is missing")
	case file != "":
		set, err := settings.Load(settings.Sources{Home: a.cli.Home, File: file})
		if err != nil {
			return settings.Log{}, fmt.Errorf("--%s-settings: %w", side, err)
		}
		return set.Log, nil
	}
	set, err := a.settings()
	if err != nil {
		return settings.Log{}, err
	}
	if address == set.Log.URL {
		return set.Log, nil
	}
	l := settings.Log{URL: address, KeepLogins: set.Log.KeepLogins}
	if strings.HasPrefix(address, store.Scheme) {
		return l, nil
	}
	scheme, rest, ok := strings.Cut(address, "://")
	hosts, query, _ := strings.Cut(rest, "?")
	if user, bare, named := cutLast(hosts, "@"); named {
		if strings.Contains(user, ":") {
			return wrong("holds a password, which others on this machine can see; put it into KEYDESK_COPY_" + strings.ToUpper(side) + "_PASSWORD")
		}
		if l.User, err = url.PathUnescape(user); err != nil {
			return wrong("a % in the user has to be written %25")
		}
		hosts = bare
	}
	if ok {
		l.URL = scheme + "://" + hosts
		if query != "" {
			l.URL += "?" + query
		}
	}
	l.Password = settings.NewSecret(os.Getenv("KEYDESK_COPY_" + strings.ToUpper(side) + "_PASSWORD"))
	if l.User != "" && l.Password.IsZero() {
		return wrong("the user of the URL has no password: put it into KEYDESK_COPY_" + strings.ToUpper(side) + "_PASSWORD")
	}
	return l, nil
}

func cutLast(s, at string) (before, after string, found bool) {
	if i := strings.LastIndex(s, at); i >= 0 {
		return s[:i], s[i+len(at):], true
	}
	return "", s, false
}

// sameLog says whether two logs are certainly one.
func sameLog(a, b settings.Log) bool {
	pathA, fileA := strings.CutPrefix(a.URL, store.Scheme)
	pathB, fileB := strings.CutPrefix(b.URL, store.Scheme)
	if !fileA || !fileB {
		return bare(a.URL) == bare(b.URL) && a.Prefix == b.Prefix
	}
	infoA, errA := os.Stat(pathA)
	infoB, errB := os.Stat(pathB)
	return pathA == pathB || errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// bare is a URL without who logs in and how.
func bare(address string) string {
	address, _, _ = strings.Cut(address, "?")
	scheme, rest, _ := strings.Cut(address, "://")
	_, hosts, _ := cutLast(rest, "@")
	return scheme + "://" + strings.ToLower(strings.TrimSuffix(hosts, "/"))
}

// thereAlready refuses a file that would only be made.
func thereAlready(address string) error {
	path, file := strings.CutPrefix(address, store.Scheme)
	if !file {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no log at %s", path)
	}
	return nil
}

// A copyable log is what both kinds of logs are.
type copyable interface {
	store.Log
	transfer.Log
}

func openForCopy(ctx context.Context, at settings.Log) (copyable, error) {
	l, err := home.OpenLog(ctx, at, zap.NewNop())
	if err != nil {
		return nil, err
	}
	both, ok := l.(copyable)
	if !ok {
		return nil, errors.Join(errors.New("this kind of log cannot be copied"), l.Close())
	}
	return both, nil
}

// refuseDemo keeps a demo, which shows its codes, off the shared log.
func refuseDemo(ctx context.Context, source store.Log) error {
	_, demo, err := home.LookInto(ctx, source)
	if err == nil && demo {
		err = errDemoStays
	}
	return err
}

// A meter shows how far a copy is: a line that changes on a terminal, else one
// now and then.
type meter struct {
	out      io.Writer
	now      func() time.Time
	terminal bool
	every    time.Duration

	phase  transfer.Phase
	began  time.Time // the phase
	from   transfer.Progress
	shown  time.Time
	last   transfer.Progress
	behind bool // last was not shown yet
}

func newMeter(out io.Writer, now func() time.Time) *meter {
	m := &meter{out: out, now: now, every: 10 * time.Second}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&fs.ModeCharDevice != 0 {
			m.terminal, m.every = true, time.Second
		}
	}
	return m
}

func (m *meter) tell(p transfer.Progress) {
	now := m.now()
	if p.Phase != m.phase {
		m.end()
		m.phase, m.began, m.shown, m.from = p.Phase, now, now, p
	}
	m.last, m.behind = p, true
	if now.Sub(m.shown) >= m.every {
		m.show(now)
	}
}

// end shows the last of a phase.
func (m *meter) end() {
	if m.behind {
		m.show(m.now())
		if m.terminal {
			fmt.Fprintln(m.out)
		}
	}
}

func (m *meter) show(now time.Time) {
	m.shown, m.behind = now, false
	p, took := m.last, now.Sub(m.began)
	line := fmt.Sprintf("%s: %d events", p.Phase, p.Events)
	if p.Head > 0 {
		line += fmt.Sprintf(", %d %%", 100*uint64(p.At)/uint64(p.Head))
	}
	if events := p.Events - m.from.Events; took > 0 && events > 0 {
		line += fmt.Sprintf(", %.0f/s", float64(events)/took.Seconds())
	}
	if done := p.At - m.from.At; done > 0 && p.Head > p.At {
		left := time.Duration(float64(took) * float64(p.Head-p.At) / float64(done))
		line += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	if m.terminal {
		fmt.Fprintf(m.out, "\r\x1b[K%s", line)
	} else {
		fmt.Fprintln(m.out, line)
	}
}
