package audit

import (
	"strings"
	"testing"
	"time"
)

const someNote = "keydesk/7f3a\n6412\nqL1bA0s4ZJ8Vx3m5y1fJt0r0C1C6q2mT8s9d0e1f2g0=\nindex abc=\ntime 2026-11-17T13:30:00Z\n\n— keydesk/7f3a c2lnbmF0dXJl\n— getuige-1 Y29zaWduZWQ=\n"

func TestACheckpointInAText(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"alone":                    someNote,
		"without its last end":     strings.TrimSuffix(someNote, "\n"),
		"in a mail":                "Beste auditor,\r\n\r\nHet checkpoint van gisteren:\r\n\r\n" + strings.ReplaceAll(someNote, "\n", "\r\n") + "\r\nGroeten van keydesk/\r\n",
		"after what looks like it": "keydesk/ is een programma\n" + someNote,
	} {
		n, ok := findNote(text)
		if !ok || n.text != someNote || n.size != 6412 || !n.at.Equal(time.Date(2026, 11, 17, 13, 30, 0, 0, time.UTC)) {
			t.Errorf("%s: found %+v, %t", name, n, ok)
		}
	}
	for name, text := range map[string]string{
		"nothing":             "",
		"another log's":       strings.ReplaceAll(someNote, "keydesk/", "rekor/"),
		"without signatures":  strings.SplitAfter(someNote, "\n\n")[0],
		"without a size":      strings.Replace(someNote, "6412", "veel", 1),
		"of fewer than none":  strings.Replace(someNote, "6412", "-1", 1),
		"without a root":      "keydesk/7f3a\n6412\n\n— keydesk/7f3a c2ln\n",
		"longer than any":     strings.Repeat("x", mostNote) + someNote,
		"without a blank one": strings.ReplaceAll(someNote, "\n\n", "\n"),
	} {
		if n, ok := findNote(text); ok {
			t.Errorf("%s: found %+v", name, n)
		}
	}
}

// What is found is found again, and alone.
func FuzzFindNote(f *testing.F) {
	f.Add(someNote)
	f.Add("Beste auditor,\r\n" + strings.ReplaceAll(someNote, "\n", "\r\n"))
	f.Add("keydesk/\n1\nx\n\n— ")
	f.Add("keydesk/\r\r\n1\r\r\nx\r\r\n\n— ")
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := findNote(text)
		if !ok {
			return
		}
		again, ok := findNote(n.text)
		if !ok || again != n || n.size < 0 || !strings.HasPrefix(n.text, "keydesk/") {
			t.Errorf("%q, found again, is %+v, %t", n.text, again, ok)
		}
	})
}
