package audit

import (
	"strconv"
	"strings"
	"time"
)

// mostNote is how long a text with a checkpoint may be, in bytes: a mail with one in it.
const mostNote = 64 << 10

// A note is a checkpoint as it is kept, mailed and copied: a few lines, a blank one, and
// the signatures. Here it is only read, to be shown; whether it is one of the log is for
// the verifier to say.
type note struct {
	text string // the whole of it, and nothing else
	size int64  // events
	at   time.Time
}

// findNote returns the first checkpoint in a text, of whatever else that may hold: the
// words of a mail around it, say, or ends of lines of another system. False: there is none.
func findNote(text string) (note, bool) {
	if len(text) > mostNote {
		return note{}, false
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], "\r")
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "keydesk/") {
			continue
		}
		if n, ok := noteAt(lines[i:]); ok {
			return n, true
		}
	}
	return note{}, false
}

// noteAt reads a checkpoint from its first line on.
func noteAt(lines []string) (note, bool) {
	blank := 1
	for blank < len(lines) && lines[blank] != "" {
		blank++
	}
	end := blank + 1
	for end < len(lines) && strings.HasPrefix(lines[end], "— ") {
		end++
	}
	if blank < 3 || blank >= len(lines) || end == blank+1 {
		return note{}, false
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return note{}, false
	}
	n := note{text: strings.Join(lines[:end], "\n") + "\n", size: size}
	for _, line := range lines[3:blank] {
		if at, ok := strings.CutPrefix(line, "time "); ok {
			if t, err := time.Parse(time.RFC3339, at); err == nil {
				n.at = t
			}
		}
	}
	return n, true
}
