package password

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/keydesk/keydesk/assets/wordlists"
)

// typed is a password, character by character, in the forms that words may
// hide in.
type typed struct {
	places  []place
	text    wordlists.Text // what each character may mean
	letters []int          // how many letters stand before each place
}

type place struct {
	low    rune // the character in lower case and, where that makes it ASCII, without accent
	letter bool
	upper  bool
}

// leet is what digits and signs stand for when people write words with them.
// Each also stands for itself, since some passwords are known with digits.
var leet = map[rune]string{
	'0': "0o", '1': "1il", '2': "2z", '3': "3e", '4': "4a", '5': "5s", '6': "6bg", '7': "7t", '8': "8b", '9': "9g",
	'@': "@a", '$': "$s", '!': "!il", '|': "|il", '+': "+t", '(': "(c", '<': "<c",
}

// plainLetters are letters, and one sign, that no decomposition makes ASCII.
var plainLetters = map[rune]rune{'ß': 's', 'ø': 'o', 'æ': 'a', 'œ': 'o', 'ł': 'l', 'đ': 'd', 'ı': 'i', '€': 'e'}

func newTyped(text string) *typed {
	t := &typed{letters: []int{0}}
	before := 0
	for _, r := range text {
		p := place{letter: unicode.IsLetter(r) || unicode.IsMark(r), upper: unicode.IsUpper(r), low: fold(r)}
		if p.letter {
			before++
		}
		t.places = append(t.places, p)
		t.text = append(t.text, meanings(p.low))
		t.letters = append(t.letters, before)
	}
	return t
}

// ascii holds every ASCII character as a string, so that a text of them takes
// no memory of its own.
var ascii = func() (s [128]string) {
	for i := range s {
		s[i] = string(rune(i))
	}
	return s
}()

func meanings(low rune) string {
	if low > unicode.MaxASCII {
		return ""
	}
	if m, ok := leet[low]; ok {
		return m
	}
	return ascii[low]
}

func fold(r rune) rune {
	r = unicode.ToLower(r)
	if r <= unicode.MaxASCII {
		return r
	}
	if p, ok := plainLetters[r]; ok {
		return p
	}
	base, _ := utf8.DecodeRuneInString(norm.NFKD.String(string(r)))
	if base = unicode.ToLower(base); base <= unicode.MaxASCII {
		return base
	}
	return r
}

// lettersIn counts the letters in a stretch.
func (t *typed) lettersIn(from, to int) int { return t.letters[to] - t.letters[from] }

// reversed is the password read backwards.
func (t *typed) reversed() wordlists.Text {
	r := make(wordlists.Text, len(t.text))
	for i, m := range t.text {
		r[len(r)-1-i] = m
	}
	return r
}

// wordLike says whether somebody may have meant a stretch as a word: mostly
// letters, and a short one not by chance.
func (t *typed) wordLike(from, to int) bool {
	letters := t.lettersIn(from, to)
	if letters < to-from {
		return to-from >= minLeet && 2*letters >= to-from
	}
	return to-from >= minLeet || to-from >= minWord && t.cased(from, to)
}

// cased says whether capitals stand where words have them: nowhere, at the
// beginning, or everywhere.
func (t *typed) cased(from, to int) bool {
	capitals := 0
	for _, p := range t.places[from+1 : to] {
		if p.upper {
			capitals++
		}
	}
	return capitals == 0 || capitals == to-from-1 && t.places[from].upper
}

// passwordLike says whether somebody may have meant a stretch as a known
// password: a whole number, or like a word, if with more digits in it.
func (t *typed) passwordLike(from, to int) bool {
	letters := t.lettersIn(from, to)
	if letters > 0 {
		return 2*letters >= to-from && (to-from >= minKnown || t.cased(from, to))
	}
	digit := func(i int) bool {
		return i >= 0 && i < len(t.places) && '0' <= t.places[i].low && t.places[i].low <= '9'
	}
	for i := from; i < to; i++ {
		if !digit(i) {
			return false
		}
	}
	return !digit(from-1) && !digit(to)
}

// bounded says whether no letter stands before or behind a stretch.
func (t *typed) bounded(from, to int) bool {
	return (from == 0 || !t.places[from-1].letter) && (to == len(t.places) || !t.places[to].letter)
}

// alone says whether a stretch is set apart from what stands around it, by
// digits, signs or a capital, and has no such break inside.
func (t *typed) alone(from, to int) bool {
	for i := from + 1; i < to; i++ {
		if t.capitalised(i) {
			return false
		}
	}
	ends := to == len(t.places) || !t.places[to].letter || t.capitalised(to)
	return t.begins(from) && ends
}

// begins says whether a word may begin at a place: not in the midst of letters.
func (t *typed) begins(i int) bool {
	return i == 0 || !t.places[i-1].letter || t.capitalised(i)
}

// capitalised says whether a capital follows a small letter at a place.
func (t *typed) capitalised(i int) bool {
	return t.places[i].upper && t.places[i-1].letter && !t.places[i-1].upper
}
