package speech

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A fake espeak-ng notes its arguments and what it reads, then goes on
// speaking until it is ended.
const fake = `#!/bin/sh
printf '%s\n' "$@" >"$SPOKEN.args"
cat >"$SPOKEN.tmp" && mv "$SPOKEN.tmp" "$SPOKEN"
echo $$ >"$SPOKEN.pid"
exec sleep 60
`

func withFake(t *testing.T) (spoken string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the fake is espeak-ng's")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "espeak-ng"), []byte(fake), 0o700); err != nil { //nolint:gosec // a program has to be executable
		t.Fatal(err)
	}
	spoken = filepath.Join(dir, "spoken")
	t.Setenv("SPOKEN", spoken)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return spoken
}

func read(t *testing.T, file string) string {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if b, err := os.ReadFile(file); err == nil && len(b) > 0 { //nolint:gosec // in the test's own folder
			return string(b)
		}
	}
	t.Fatalf("nothing came into %s", filepath.Base(file))
	return ""
}

//nolint:paralleltest // sets the environment
func TestTheTextIsNeverAnArgument(t *testing.T) {
	spoken := withFake(t)
	s := New()
	if !s.Available() {
		t.Fatal("the fake was not found")
	}
	s.Say("en", "  --help; $(touch x) [[rate 900]]\nHello, Zoë <b> ")
	if got := read(t, spoken); got != "--help; $(touch x) rate 900 Hello, Zoë b" {
		t.Errorf("it read %q", got)
	}
	if args := read(t, spoken+".args"); strings.Contains(args, "Hello") || !strings.Contains(args, "--stdin") || !strings.Contains(args, "en") {
		t.Errorf("its arguments were %q", args)
	}
	s.Stop()
}

//nolint:paralleltest // sets the environment
func TestStopEndsItsOwnProgramOnly(t *testing.T) {
	spoken := withFake(t)
	other, own := New(), New()
	other.Say("nl", "een ander")
	otherPID := strings.TrimSpace(read(t, spoken+".pid"))
	if err := os.Remove(spoken + ".pid"); err != nil {
		t.Fatal(err)
	}
	own.Say("nl", "wij")
	ownPID := strings.TrimSpace(read(t, spoken+".pid"))
	own.Stop()
	own.Stop()
	if alive(ownPID) {
		t.Error("its own program still runs")
	}
	if !alive(otherPID) {
		t.Error("it ended somebody else's program")
	}
	other.Stop()
	if alive(otherPID) {
		t.Error("the other program still runs")
	}
}

// alive says whether a process exists; one that was waited for does not.
func alive(pid string) bool {
	_, err := os.Stat("/proc/" + pid)
	return err == nil
}

func TestEnginesOfEverySystem(t *testing.T) {
	t.Parallel()
	has := func(names ...string) func(string) (string, error) {
		return func(name string) (string, error) {
			if slices.Contains(names, name) {
				return "/bin/" + name, nil
			}
			return "", exec.ErrNotFound
		}
	}
	for _, c := range []struct {
		goos string
		look func(string) (string, error)
		want string
		says string // an argument for Dutch
	}{
		{"linux", has("espeak-ng", "spd-say"), "/bin/espeak-ng", "nl"},
		{"linux", has("spd-say"), "/bin/spd-say", "nl"},
		{"linux", has("say", "powershell"), "", ""},
		{"darwin", has("say"), "/bin/say", "Xander"},
		{"windows", has("powershell"), "/bin/powershell", "-Command"},
		{"windows", has(), "", ""},
	} {
		e := find(c.goos, c.look)
		if e.path != c.want {
			t.Errorf("%s: %q, want %q", c.goos, e.path, c.want)
		}
		if c.want != "" && !slices.Contains(e.args("nl"), c.says) {
			t.Errorf("%s: %q lacks %q", c.goos, e.args("nl"), c.says)
		}
	}
	silent := &Speaker{engine: find("linux", has())}
	silent.Say("nl", "niets")
	silent.Stop()
}

// The real engine takes the arguments: it ends well or, without a sound card,
// at least does not complain about them.
func TestTheRealEngine(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("espeak-ng")
	if err != nil {
		t.Skip("espeak-ng is not installed")
	}
	e := find("linux", exec.LookPath)
	for _, lang := range []string{"nl", "en"} {
		wav := filepath.Join(t.TempDir(), "out.wav")
		c := exec.CommandContext(t.Context(), path, append(e.args(lang), "-w", wav)...) //nolint:gosec // the engine under test
		c.Stdin = strings.NewReader("Hoi, Zoë!")
		var exit *exec.ExitError
		if out, err := c.CombinedOutput(); err != nil && errors.As(err, &exit) {
			t.Fatalf("%s: %v: %s", lang, err, out)
		}
		if info, err := os.Stat(wav); err != nil || info.Size() < 1000 {
			t.Errorf("%s: nothing was said (%v)", lang, err)
		}
	}
}
