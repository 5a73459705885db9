package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestATerminalOnlyShowsWhatIsWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"position 7\tNOT AS SEALED: Zoë — ‘ok’\n": "position 7\tNOT AS SEALED: Zoë — ‘ok’\n",
		"a\x1b[8mb\rc\x7f":     `a\u001b[8mb\u000dc\u007f`,
		"a\u009b2Jb":           `a\u009b2Jb`,
		"a\u202egnp.exe\u2066": `a\u202egnp.exe\u2066`,
		"a\x9bb\x00":           "a\ufffdb" + `\u0000`,
	} {
		var out bytes.Buffer
		n, err := plain{&out}.Write([]byte(text))
		if n != len(text) || err != nil || out.String() != want {
			t.Errorf("%q: %d of %d bytes, %v, as %q", text, n, len(text), err, out.String())
		}
	}
}

// What a program reads is the same as ever.
func TestJSONStaysWhatItSays(t *testing.T) {
	t.Parallel()
	said := "a\u009b\u007f\u202e\x1b\r\nb"
	var out bytes.Buffer
	if err := json.NewEncoder(plain{&out}).Encode(said); err != nil {
		t.Fatal(err)
	}
	var read string
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read != said {
		t.Errorf("%q is read as %q, %v", said, read, err)
	}
	if strings.ContainsAny(out.String(), "\u009b\u007f\u202e") {
		t.Errorf("it is written as %q", out.String())
	}
}

func TestWhatCannotBeWrittenIsSaid(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	for _, text := range []string{"a", "\x1b"} {
		if _, err := (plain{failing{full}}).Write([]byte(text)); !errors.Is(err, full) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A folder that somebody hands over is named, and no more than that.
func TestAnErrorIsFitForATerminal(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if status := run([]string{"verify", t.TempDir() + "/\x1b[8m.zip"}, &out, &errs); status != 2 {
		t.Errorf("status %d", status)
	}
	if strings.Contains(out.String()+errs.String(), "\x1b") || !strings.Contains(errs.String(), `\u001b[8m.zip`) {
		t.Errorf("it says %q %q", out.String(), errs.String())
	}
}

func TestAStationIsOneCell(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"station-lobby-2": "station-lobby-2", "": "", "a\nok\tb": `"a\nok\tb"`, "a\x1bb": `"a\x1bb"`, strings.Repeat("x", 81): `"` + strings.Repeat("x", 80) + `"`,
	} {
		if got := oneWord(id); got != want {
			t.Errorf("%q is told as %q", id, got)
		}
	}
}
