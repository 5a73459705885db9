package enrolment_test

import (
	"strings"
	"testing"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

func TestTicketCodes(t *testing.T) {
	t.Parallel()
	var key [32]byte
	person := domain.SubjectID{1}
	code := TicketCode(key, person, "recovery", "t1")
	if len(code) != TicketLength || code != TicketCode(key, person, "recovery", "t1") {
		t.Fatalf("not twelve characters, or not the same twice: %q", code)
	}
	for what, other := range map[string]string{
		"another id":      TicketCode(key, person, "recovery", "t2"),
		"another purpose": TicketCode(key, person, "invitation", "t1"),
		"another person":  TicketCode(key, domain.SubjectID{2}, "recovery", "t1"),
		"another key":     TicketCode([32]byte{1}, person, "recovery", "t1"),
		"another split":   TicketCode(key, person, "ecovery", "t1r"),
	} {
		if other == code {
			t.Errorf("%s has the same ticket", what)
		}
	}
	shown := FormatTicket(code)
	if len(shown) != TicketLength+2 || strings.Count(shown, "-") != 2 {
		t.Errorf("shown as %q", shown)
	}
	for _, typed := range []string{code, shown, strings.ToLower(shown), " " + strings.ReplaceAll(shown, "-", " ") + " ", strings.ReplaceAll(shown, "0", "o")} {
		if got, ok := ParseTicket(typed); !ok || got != code {
			t.Errorf("%q reads as %q, %t", typed, got, ok)
		}
	}
	for _, typed := range []string{"", code[1:], code + "0", "U" + code[1:]} {
		if got, ok := ParseTicket(typed); ok {
			t.Errorf("%q reads as %q", typed, got)
		}
	}
}

func TestTicketsUseTheirWholeAlphabet(t *testing.T) {
	t.Parallel()
	var seen [TicketLength]map[byte]int
	for i := range seen {
		seen[i] = map[byte]int{}
	}
	const n = 3200
	for i := range n {
		code := TicketCode([32]byte{}, domain.SubjectID{byte(i), byte(i >> 8)}, "recovery", "t")
		for at := range seen {
			seen[at][code[at]]++
		}
	}
	for at, letters := range seen {
		if len(letters) != 32 {
			t.Errorf("at %d only %d letters stand", at, len(letters))
		}
		for letter, times := range letters {
			if times < n/32/2 || times > n/32*2 {
				t.Errorf("%q stands %d times of %d at %d", letter, times, n, at)
			}
		}
	}
}
