package speech

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"
)

// A Speaker reads one text at a time. It may be used concurrently.
type Speaker struct {
	engine engine // without a path: there is none

	mu   sync.Mutex
	stop context.CancelFunc // ends what is being said
	done chan struct{}      // closed when it has ended
}

// An engine is a program that speaks what it reads on its standard input.
type engine struct {
	path string
	args func(lang string) []string
}

// New returns a speaker with the first engine that this system has.
func New() *Speaker { return &Speaker{engine: find(runtime.GOOS, exec.LookPath)} }

// Available says whether this system can speak at all.
func (s *Speaker) Available() bool { return s.engine.path != "" }

// Say speaks a text in a language, "nl" or "en", in the place of what was
// being said. It returns at once; a fault is silence.
func (s *Speaker) Say(lang, text string) {
	s.Stop()
	text = clean(text)
	if !s.Available() || text == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	// The program is one of the table below, found on the PATH, and the text
	// goes to its standard input: no word of it is ever an argument.
	c := exec.CommandContext(ctx, s.engine.path, s.engine.args(lang)...) //nolint:gosec // see above
	c.Stdin = strings.NewReader(text)
	c.WaitDelay = time.Second
	done := make(chan struct{})
	if err := c.Start(); err != nil {
		cancel()
		return
	}
	s.stop, s.done = cancel, done
	go func() {
		defer close(done)
		defer cancel()
		_ = c.Wait() // ended by Stop, or by itself
	}()
}

// Stop ends what this speaker is saying, and nothing else that speaks. When it
// returns its program is gone.
func (s *Speaker) Stop() {
	s.mu.Lock()
	stop, done := s.stop, s.done
	s.stop, s.done = nil, nil
	s.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}

// clean leaves out what an engine would take for a command to it ("[[rate 9]]",
// a tag), and control characters.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r < ' ', strings.ContainsRune("[]<>&|", r):
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// find returns the engine of a system. espeak-ng comes first on Linux, since
// it falls silent with its process; speech-dispatcher's service may finish a
// sentence.
func find(goos string, look func(string) (string, error)) engine {
	engines := []engine{
		{"espeak-ng", func(lang string) []string { return []string{"-v", lang, "-s", "150", "-b", "1", "--stdin"} }},
		{"spd-say", func(lang string) []string { return []string{"--language", lang, "--wait", "--pipe-mode"} }},
	}
	switch goos {
	case "darwin":
		voices := map[string]string{"nl": "Xander", "en": "Samantha"}
		engines = []engine{{"say", func(lang string) []string { return []string{"-v", voices[lang], "-f", "-"} }}}
	case "windows":
		engines = []engine{{"powershell", func(lang string) []string {
			return []string{"-NoProfile", "-NonInteractive", "-Command", sapi(lang)}
		}}}
	}
	for _, e := range engines {
		if path, err := look(e.path); err == nil {
			return engine{path, e.args}
		}
	}
	return engine{}
}

// sapi is a script for PowerShell that speaks its standard input.
func sapi(lang string) string {
	culture := "nl-NL"
	if lang == "en" {
		culture = "en-US"
	}
	return `[Console]::InputEncoding = [Text.Encoding]::UTF8
Add-Type -AssemblyName System.Speech
$voice = New-Object System.Speech.Synthesis.SpeechSynthesizer
$culture = [Globalization.CultureInfo]::GetCultureInfo('` + culture + `')
$voice.SelectVoiceByHints('NotSet', 'NotSet', 0, $culture)
$voice.Speak([Console]::In.ReadToEnd())`
}
