package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/keydesk/keydesk/app/internal/settings"
)

// A screen is what somebody sees of a terminal.
type screen struct {
	lines [][]byte
	at    int // in the last line
	wrote int // how often
}

func (s *screen) Write(b []byte) (int, error) {
	s.wrote++
	for rest := b; len(rest) > 0; {
		if len(s.lines) == 0 {
			s.lines = append(s.lines, nil)
		}
		line := &s.lines[len(s.lines)-1]
		switch {
		case rest[0] == '\r':
			s.at, rest = 0, rest[1:]
		case rest[0] == '\n':
			s.lines, s.at, rest = append(s.lines, nil), 0, rest[1:]
		case bytes.HasPrefix(rest, []byte("\x1b[K")):
			*line, rest = (*line)[:s.at], rest[3:]
		default:
			*line = append((*line)[:s.at], append([]byte{rest[0]}, (*line)[min(s.at+1, len(*line)):]...)...)
			s.at, rest = s.at+1, rest[1:]
		}
	}
	return len(b), nil
}

// String is what can be read on it.
func (s *screen) String() string { return string(bytes.Join(s.lines, []byte("\n"))) }

// metered returns a meter of a screen, with a clock that a test sets.
func metered() (*meter, *screen, *time.Time) {
	now, s := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), &screen{}
	return &meter{out: s, now: func() time.Time { return now }}, s, &now
}

func TestTheMeterShowsHowFarItIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit        string
		spent       time.Duration
		done, total int64
		want        string
	}{
		{"events", 999 * time.Millisecond, 10, 100, ""},
		{"events", time.Second, 10, 100, "copying: 10 of 100 events, 10%"},
		{"events", 4 * time.Second, 25, 100, "copying: 25 of 100 events, 25%, 12s to go"},
		{"events", 200 * time.Second, 999, 1000, "copying: 999 of 1000 events, 99%, 1s to go"},
		{"events", 4 * time.Second, 100, 100, "copying: 100 of 100 events, 100%"},
		{"events", 4 * time.Second, 0, 100, "copying: 0 of 100 events, 0%"},
		{"events", 4 * time.Second, 120, 100, "copying: 120 of 100 events, 100%"}, // what it goes through has grown
		{"rows", 4 * time.Second, 25, 0, "copying: 25 rows"},
		{"rows", 4 * time.Second, 0, 0, "copying: 4s"},
		{inBytes, 4 * time.Second, 1_250_000, 5_000_000, "copying: 1.2 of 5.0 MB, 25%, 12s to go"},
		{inBytes, 4 * time.Second, 1_250_000, 0, "copying: 4s"},
		{"", 4 * time.Second, 25, 100, "copying: 25%, 12s to go"},
		{"", 75 * time.Second, 0, 0, "copying: 1m15s"},
		{"", time.Hour, 1 << 62, 1<<63 - 1, "copying: 50%, 1h0m0s to go"}, // positions of a server
	} {
		m, s, now := metered()
		tell := m.begin("copying", c.unit)
		tell(c.done, c.total)
		*now = now.Add(c.spent)
		if m.draw(); s.String() != c.want {
			t.Errorf("%d of %d %s after %s: %q, not %q", c.done, c.total, c.unit, c.spent, s, c.want)
		}
		if m.rest(); s.String() != "" {
			t.Errorf("%q is left", s)
		}
	}
}

func TestTheMeterIsOneLineThatIsWrittenOver(t *testing.T) {
	t.Parallel()
	m, s, now := metered()
	out, errs := m.over(s), m.over(s)
	tell := m.begin("comparing the log with its seal", "events")
	*now = now.Add(3 * time.Second)
	tell(1_000_000, 2_000_000)
	m.draw()
	*now = now.Add(time.Second)
	tell(2_000_000, 2_000_000)
	if m.draw(); s.String() != "comparing the log with its seal: 2000000 of 2000000 events, 100%" {
		t.Errorf("%q", s)
	}
	fmt.Fprintln(errs, "keydeskd: something")
	if s.String() != "keydeskd: something\n" {
		t.Errorf("%q", s)
	}
	m.begin("opening", "") // the next step needs no second of its own
	if m.draw(); s.String() != "keydeskd: something\nopening: 0s" {
		t.Errorf("%q", s)
	}
	m.begin(strings.Repeat("é", 200), "")
	if m.draw(); s.String() != "keydeskd: something\n"+strings.Repeat("é", meterWidth) {
		t.Errorf("%q", s)
	}
	fmt.Fprintln(out, "all is as it was sealed")
	m.rest()
	if m.draw(); s.String() != "keydeskd: something\nall is as it was sealed\n" {
		t.Errorf("%q", s)
	}
	wrote := s.wrote
	m.begin("after a pause", "") // which somebody may have used to answer a question
	if m.draw(); s.wrote != wrote {
		t.Errorf("%q", s)
	}
	if m.close(); s.wrote != wrote {
		t.Errorf("%q", s)
	}
}

// What the program's log tells the terminal stands on lines of its own.
func TestTheLogBesideTheMeter(t *testing.T) {
	t.Parallel()
	m, s, now := metered()
	log, err := settings.Logger(settings.Logging{Level: "info", Format: "console"}, m.over(s))
	if err != nil {
		t.Fatal(err)
	}
	m.begin("putting the vault back", "")
	*now = now.Add(3 * time.Second)
	m.draw()
	log.Warn("the next backup does it")
	if first, rest, _ := strings.Cut(s.String(), "\n"); strings.Contains(first, "putting") || !strings.HasSuffix(first, "the next backup does it") || rest != "" {
		t.Errorf("%q", s)
	}
	if m.draw(); !strings.HasSuffix(s.String(), "\nputting the vault back: 3s") {
		t.Errorf("%q", s)
	}
}

func TestTheMeterDrawsByItself(t *testing.T) {
	t.Parallel()
	m, s, now := metered()
	*now = now.Add(time.Hour)
	m.ending, m.ended = make(chan struct{}), make(chan struct{})
	drawn, once := make(chan struct{}), make(chan struct{}, 1)
	begun := *now
	m.watch("waiting", "", func() (int64, int64) {
		select {
		case once <- struct{}{}:
			close(drawn)
		default:
		}
		return 0, 0
	})
	m.mu.Lock()
	m.now = func() time.Time { return begun.Add(2 * time.Second) }
	m.mu.Unlock()
	go m.run()
	select {
	case <-drawn:
	case <-time.After(time.Minute):
		t.Error("it does not")
	}
	if m.close(); s.String() != "" || s.wrote < 2 {
		t.Errorf("%q, written %d times", s, s.wrote)
	}
}

// Whoever reads stderr by a program, or wants JSON, is shown nothing.
func TestTheMeterIsForTerminalsOnly(t *testing.T) {
	t.Parallel()
	parsed := func(args ...string) *kong.Context {
		var cli commands
		parser, err := kong.New(&cli, kong.Vars{"version": version})
		if err != nil {
			t.Fatal(err)
		}
		p, err := parser.Parse(args)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close() //nolint:errcheck // of a test
	defer w.Close() //nolint:errcheck // of a test
	file, err := os.Create(t.TempDir() + "/errs")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // of a test
	var buffer bytes.Buffer
	for _, errs := range []io.Writer{&buffer, w, file} {
		m := newMeter(errs, parsed("verify"))
		if m.out != nil || m.ending != nil || m.over(errs) != errs {
			t.Errorf("%T is taken for a terminal", errs)
		}
		m.now = func() time.Time { return time.Now().Add(time.Hour) }
		m.begin("something long", "events")(1, 2)
		m.draw()
		m.rest()
		m.close()
	}
	if info, err := file.Stat(); err != nil || info.Size() > 0 || buffer.Len() > 0 {
		t.Errorf("%v, %v, %q", info, err, &buffer)
	}
	var none *meter // of an app in a test
	none.begin("something", "")(1, 2)
	none.rest()

	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // as far as isTerminal can tell
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close() //nolint:errcheck // of a test
	if !isTerminal(terminal) || os.Getenv("TERM") == "dumb" {
		return
	}
	for _, args := range [][]string{{"verify"}, {"verify", "--json"}, {"replay"}, {"replay", "--json"}, {"checkpoint"}, {"checkpoint", "--json"}} {
		m := newMeter(terminal, parsed(args...))
		if shown := m.out != nil; shown == slices.Contains(args, "--json") {
			t.Errorf("%q: %t", args, shown)
		}
		m.close()
	}
}
