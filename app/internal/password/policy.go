package password

import (
	"errors"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// A Policy says what a password must be. Any value but NIST is Seed.
type Policy string

// The policies of the settings.
const (
	// Seed asks for 12 characters with a digit, an upper-case and a lower-case
	// letter and a special character.
	Seed Policy = "seed"
	// NIST asks for 15 characters, and for no kinds of them (NIST SP 800-63B-4,
	// section 3.1.1.2, a password that is the only factor).
	NIST Policy = "nist"
)

// Maximum is how many characters a password has at most, in both policies.
const Maximum = 128

// ErrUnusable says that a password cannot be hashed: it is empty, longer than
// Maximum, or has characters that PRECIS refuses.
var ErrUnusable = errors.New("not usable as a password")

// Minimum returns how many characters a password has at least.
func (p Policy) Minimum() int {
	if p == NIST {
		return 15
	}
	return 12
}

// A Context is what others know about the person, and what a password may
// therefore not consist of. Any of it may be empty.
type Context struct {
	Name         string   // as the person typed it
	Email        string   // the work address
	Organisation []string // names of the organisation and of the portal
}

// A Code names a rule.
type Code string

// The rules, in the order in which a report shows them.
const (
	Length    Code = "length"
	Upper     Code = "upper"
	Lower     Code = "lower"
	Digit     Code = "digit"
	Special   Code = "special"
	NotCommon Code = "not-common"
	// Usable is there only when violated: PRECIS refuses a character, such as a
	// tab or a part of an emoji.
	Usable Code = "usable"
)

// A Reason says why a rule is not met, where the rule alone does not tell.
type Reason string

// The reasons. TooLong belongs to Length, all others to NotCommon: what most
// of the password consists of.
const (
	TooLong      Reason = "too-long"
	Common       Reason = "common"       // a password that is tried first
	Word         Reason = "word"         // a Dutch or English word, or a first or last name
	Name         Reason = "name"         // the person's name or e-mail address
	Organisation Reason = "organisation" // the organisation or the portal
	Repeated     Reason = "repeated"     // the same again
	Sequence     Reason = "sequence"     // 123, abc, a row of keys, a date
)

// A Rule is one line of a report. A NotCommon that is not met and has no
// reason only means: not enough yet.
type Rule struct {
	Code   Code
	Met    bool
	Reason Reason
}

// A Report says how a password stands to a policy, rule by rule.
type Report struct {
	Rules   []Rule
	Length  int // in characters, as Prepare counts them
	Minimum int
	OK      bool // every rule is met
}

// Unmet returns the rules that are not met.
func (r Report) Unmet() []Rule {
	var unmet []Rule
	for _, rule := range r.Rules {
		if !rule.Met {
			unmet = append(unmet, rule)
		}
	}
	return unmet
}

// Check reports on a password, in some 50 µs: at each keystroke. The first call
// in a program unpacks the word lists, which takes some 20 ms; a call with an
// empty password does that ahead. It may be called concurrently and keeps
// nothing.
func (p Policy) Check(pw string, who Context) Report {
	text, usable := prepare(pw)
	length := utf8.RuneCountInString(text)
	text = clip(text)
	has := kindsIn(text)
	r := Report{Length: length, Minimum: p.Minimum()}
	add := func(c Code, met bool, why Reason) {
		r.Rules = append(r.Rules, Rule{Code: c, Met: met, Reason: why})
	}
	if length > Maximum {
		add(Length, false, TooLong)
	} else {
		add(Length, length >= r.Minimum, "")
	}
	if p != NIST {
		add(Upper, has.upper, "")
		add(Lower, has.lower, "")
		add(Digit, has.digit, "")
		add(Special, has.special, "")
	}
	worth, why := assess(text, who)
	if worth >= enough {
		add(NotCommon, true, "")
	} else {
		add(NotCommon, false, why)
	}
	if !usable {
		add(Usable, false, "")
	}
	r.OK = len(r.Unmet()) == 0
	return r
}

// Prepare returns a password as it is hashed and counted: PRECIS OpaqueString
// (RFC 8265, section 4.2), which composes characters (NFC) and makes every
// space a plain one, so that the same password typed on another keyboard is
// the same. A character is a code point of that form. It refuses with
// ErrUnusable what is empty, longer than Maximum, or holds a character that
// PRECIS refuses: control characters, joiners, unassigned code points.
func Prepare(pw string) (string, error) {
	text, usable := prepare(pw)
	if !usable || text == "" || utf8.RuneCountInString(text) > Maximum {
		return "", ErrUnusable
	}
	return text, nil
}

// maxBytes is more than a password of Maximum characters takes in any form.
const maxBytes = 16 * Maximum

// prepare returns the text to count and to look at, also when PRECIS refuses
// it. What is far too long or empty is left as it is: that is not for PRECIS
// to say.
func prepare(pw string) (text string, usable bool) {
	if pw == "" || len(pw) > maxBytes {
		return pw, true
	}
	text, err := precis.OpaqueString.String(pw)
	if err != nil || !utf8.ValidString(pw) {
		return norm.NFC.String(pw), false
	}
	return text, true
}

func clip(text string) string {
	n := 0
	for i := range text {
		if n == Maximum {
			return text[:i]
		}
		n++
	}
	return text
}

type kinds struct{ upper, lower, digit, special bool }

// kindsIn says which kinds of characters a text has. Special is what is
// neither letter, mark nor digit: a space is.
func kindsIn(text string) kinds {
	var k kinds
	for _, r := range text {
		switch {
		case unicode.IsUpper(r), unicode.IsTitle(r):
			k.upper = true
		case unicode.IsLower(r):
			k.lower = true
		case unicode.IsDigit(r):
			k.digit = true
		case !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsControl(r):
			k.special = true
		}
	}
	return k
}
