package enrolment

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// maxPhoneDigits is how many digits a number has at most (ITU-T E.164), with
// the "00" that stands for the plus.
const maxPhoneDigits = 17

// ArrangePhone groups a phone number while it is being typed: a plus and the
// digits, with spaces where people pause. cursor is a place between two runes
// of text; the one returned is at the same digit. It judges nothing, and
// arranging what is arranged changes nothing.
func (p Policy) ArrangePhone(text string, cursor int) (string, int) {
	digits, before := phoneDigits(text, cursor)
	var out strings.Builder
	place, gaps := 0, p.gaps(digits)
	for i, r := range digits {
		if gaps[i] {
			out.WriteByte(' ')
		}
		out.WriteRune(r)
		if i+1 == before {
			place = out.Len()
		}
	}
	return out.String(), place
}

// phoneDigits returns a leading plus and the digits, and how many of them
// stand before the cursor.
func phoneDigits(text string, cursor int) (digits []rune, before int) {
	for i, r := range []rune(text) {
		plus := r == '+' && len(digits) == 0
		if (r < '0' || r > '9') && !plus || len(digits) >= maxPhoneDigits {
			continue
		}
		digits = append(digits, r)
		if i < cursor {
			before = len(digits)
		}
	}
	return digits, before
}

// gaps says before which of the digits a space stands: after the prefix of the
// country, after that of the network, then in pairs.
func (p Policy) gaps(digits []rune) []bool {
	gaps := make([]bool, len(digits)+1)
	at, network := 0, 4 // a trunk zero and three digits
	s := string(digits)
	if n := p.prefixLength(s); n > 0 {
		at, network = n, 3
		if len(digits) > at {
			gaps[at] = true
		}
		if strings.HasPrefix(s[at:], "6") && strings.HasSuffix(s[:at], "31") {
			network = 1
		}
	} else if strings.HasPrefix(s, "+") || strings.HasPrefix(s, "00") {
		return gaps // a prefix that is not complete, or of another country
	} else if strings.HasPrefix(s, "06") {
		network = 2
	}
	for i := at + network; i < len(digits); i += 2 {
		gaps[i] = true
	}
	return gaps
}

// prefixLength returns the length of the prefix of an allowed country, "+31"
// or "0031", at the start of the digits; 0 for none.
func (p Policy) prefixLength(s string) int {
	_, n := p.prefix(s)
	return n
}

func (p Policy) prefix(s string) (country string, length int) {
	for _, plus := range []string{"+", "00"} {
		rest, ok := strings.CutPrefix(s, plus)
		if !ok {
			continue
		}
		for _, c := range p.PhoneCountries {
			code := strconv.Itoa(phonenumbers.GetCountryCodeForRegion(c))
			if strings.HasPrefix(rest, code) {
				return c, len(plus) + len(code)
			}
		}
	}
	return "", 0
}

// CountryOf returns the country whose number is being typed, as ISO 3166-1
// alpha-2: the one of its prefix, the first allowed one where there is none.
// It is empty for nothing, and for a prefix that is not complete or not of an
// allowed country.
func (p Policy) CountryOf(typed string) string {
	digits, _ := phoneDigits(typed, 0)
	s := string(digits)
	switch {
	case s == "":
		return ""
	case strings.HasPrefix(s, "+"), strings.HasPrefix(s, "00"):
		country, _ := p.prefix(s)
		return country
	}
	return p.PhoneCountries[0]
}
