package enrolment

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrNotAnAddress says that no mail could be sent to this.
var ErrNotAnAddress = errors.New("not an e-mail address")

// An Address is an e-mail address that mail can be sent to.
type Address struct {
	Local  string // before the @, as typed
	Domain string // after it, in lower case
}

// String returns the address.
func (a Address) String() string { return a.Local + "@" + a.Domain }

// ParseAddress reads an address as people type it: a dot-atom (RFC 5321
// section 4.1.2; letters beyond ASCII as RFC 6531 has them) of at most 64
// bytes, and a domain name with a dot, 254 bytes in all. Quoted local parts and
// address literals are refused: nobody's work address has them.
func ParseAddress(typed string) (Address, error) {
	typed = strings.TrimSpace(typed)
	at := strings.LastIndexByte(typed, '@')
	if at < 1 || len(typed) > 254 || !utf8.ValidString(typed) {
		return Address{}, ErrNotAnAddress
	}
	local, domain := typed[:at], strings.ToLower(typed[at+1:])
	if !isDotAtom(local) || !isDomainName(domain) {
		return Address{}, ErrNotAnAddress
	}
	return Address{local, domain}, nil
}

// Nearest returns the domain that somebody may have meant: one of the allowed
// ones at most two typing mistakes away (a missing, doubled, wrong or swapped
// letter each). Empty when the domain is allowed, or like none of them.
func Nearest(domain string, allowed []string) string {
	if slices.Contains(allowed, domain) {
		return ""
	}
	best, nearest := 3, ""
	for _, a := range allowed {
		if d := distance(domain, a); d < best && d*3 < len(a) {
			best, nearest = d, a
		}
	}
	return nearest
}

func isDotAtom(s string) bool {
	if len(s) > 64 {
		return false
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			return false
		}
		for _, r := range atom {
			ascii := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
				strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
			if !ascii && (r < 0x80 || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)) {
				return false
			}
		}
	}
	return true
}

func isDomainName(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 || len(s) > 253 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, r := range l {
			ascii := 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-'
			if !ascii && (r < 0x80 || !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)) {
				return false
			}
		}
	}
	top := labels[len(labels)-1]
	return utf8.RuneCountInString(top) >= 2 && strings.ContainsFunc(top, unicode.IsLetter)
}

// distance counts typing mistakes: letters missing, added, wrong, or two
// neighbours swapped (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 {
		return len(x)
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			wrong := 1
			if x[i-1] == y[j-1] {
				wrong = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+wrong)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
