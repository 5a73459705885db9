package password

import (
	"strings"

	"github.com/keydesk/keydesk/assets/wordlists"
)

// parts finds all that explains stretches of the password; they overlap. Of
// two that explain the same at the same price the first one counts.
func (t *typed) parts(known []known, l *wordlists.Lists) []part {
	var parts []part
	add := func(from, to, worth int, why Reason) {
		parts = append(parts, part{from, to, worth, why})
	}
	t.compounds(l.List(wordlists.Words), add)
	t.fromLists(l, add)
	t.fromContext(known, add)
	t.copies(add)
	t.runs(add)
	t.keys(add)
	t.dates(add)
	return parts
}

// adder takes a part.
type adder func(from, to, worth int, why Reason)

func (t *typed) fromLists(l *wordlists.Lists, add adder) {
	common, passwords, words := l.List(wordlists.Common), l.List(wordlists.Passwords), l.List(wordlists.Words)
	n, backwards := len(t.text), t.reversed()
	for i := range t.text {
		common.Matches(t.text, i, func(to int) {
			if t.passwordLike(i, to) {
				add(i, to, perCommon, Common)
			}
		})
		words.Matches(t.text, i, func(to int) {
			if t.wordLike(i, to) {
				add(i, to, perWord, Word)
			}
		})
		passwords.Matches(t.text, i, func(to int) {
			if to-i >= minKnown && t.passwordLike(i, to) {
				add(i, to, perWord, Common)
			}
		})
		common.Matches(backwards, i, func(to int) {
			if to-i >= minLeet && t.passwordLike(n-to, n-i) {
				add(n-to, n-i, perCommon, Common)
			}
		})
		words.Matches(backwards, i, func(to int) {
			if to-i >= minLeet && t.wordLike(n-to, n-i) {
				add(n-to, n-i, perWord, Word)
			}
		})
	}
}

// compounds finds words made of two words, where such a word may begin.
func (t *typed) compounds(words wordlists.List, add adder) {
	n, backwards := len(t.text), t.reversed()
	for i, p := range t.places {
		if p.letter && t.begins(i) {
			words.Compounds(t.text, i, func(to int) {
				if t.wordLike(i, to) && t.alone(i, to) {
					add(i, to, perWord, Word)
				}
			})
		}
		if p.letter && (i == n-1 || !t.places[i+1].letter) {
			words.Compounds(backwards, n-1-i, func(to int) {
				if from := n - to; t.wordLike(from, i+1) && t.bounded(from, i+1) {
					add(from, i+1, perWord, Word)
				}
			})
		}
	}
}

// fromContext finds what is known about the person, forwards and backwards.
func (t *typed) fromContext(known []known, add adder) {
	n, backwards := len(t.text), t.reversed()
	for _, k := range known {
		size := len(k.token)
		for i := 0; i+size <= n; i++ {
			if means(t.text[i:i+size], k.token) && 2*t.lettersIn(i, i+size) >= size {
				add(i, i+size, perContext, k.why)
			}
			if from := n - i - size; size >= minLeet && means(backwards[i:i+size], k.token) && 2*t.lettersIn(from, from+size) >= size {
				add(from, from+size, perContext, k.why)
			}
		}
	}
}

func means(text wordlists.Text, token string) bool {
	for i := range len(token) {
		if strings.IndexByte(text[i], token[i]) < 0 {
			return false
		}
	}
	return true
}

// copies finds stretches that stood in the password before, perhaps running
// into themselves: Welkom01!Welkom01!, ababab.
func (t *typed) copies(add adder) {
	n := len(t.places)
	same := make([]int, n+1) // same[i]: how far place i goes on like place j
	longest := make([]int, n)
	for j := n - 2; j >= 0; j-- {
		for i := j + 1; i < n; i++ {
			if t.places[i].low == t.places[j].low {
				same[i] = same[i+1] + 1
			} else {
				same[i] = 0
			}
			longest[i] = max(longest[i], same[i])
		}
	}
	for i, size := range longest {
		if size >= minCopy {
			add(i, i+size, perCopy, Repeated)
		}
	}
}

// runs finds one character again and again, and neighbours in the alphabet or
// among the digits, in both directions; from each place as far as it goes.
func (t *typed) runs(add adder) {
	n := len(t.places)
	for i := 0; i+1 < n; i++ {
		step := t.places[i+1].low - t.places[i].low
		if step < -1 || step > 1 || step != 0 && !t.counts(i) {
			continue
		}
		why := Sequence
		if step == 0 {
			why = Repeated
		}
		to := i + 2
		for to < n && t.places[to].low-t.places[to-1].low == step && (step == 0 || t.counts(to)) {
			to++
		}
		if to-i >= minRun {
			add(i, to, perRun, why)
		}
	}
}

// counts says whether the character at a place is a letter or a digit.
func (t *typed) counts(i int) bool {
	c := t.places[i].low
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
}

// rows are keys that lie beside or below each other on QWERTY, AZERTY and
// QWERTZ, as the keyboard lies and turned round.
var rows = func() []string {
	rows := []string{
		"`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./",
		"azertyuiop", "qsdfghjklm", "wxcvbn,;:", "qwertzuiop", "yxcvbnm",
		"1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/",
	}
	for _, r := range rows {
		turned := []byte(r)
		for i, j := 0, len(turned)-1; i < j; i, j = i+1, j-1 {
			turned[i], turned[j] = turned[j], turned[i]
		}
		rows = append(rows, string(turned))
	}
	return rows
}()

// shifted are the digits that signs lie on.
var shifted = map[rune]rune{'!': '1', '@': '2', '#': '3', '$': '4', '%': '5', '^': '6', '&': '7', '*': '8', '(': '9', ')': '0'}

func (t *typed) keys(add adder) {
	keys := make([]rune, len(t.places))
	for i, p := range t.places {
		keys[i] = p.low
		if digit, ok := shifted[p.low]; ok {
			keys[i] = digit
		}
	}
	for i := range keys {
		for _, row := range rows {
			at := strings.IndexRune(row, keys[i])
			if at < 0 {
				continue
			}
			size := 0
			for at+size < len(row) && i+size < len(keys) && rune(row[at+size]) == keys[i+size] {
				size++
			}
			if size >= minKeys {
				add(i, i+size, perRun, Sequence)
			}
		}
	}
}

// dates finds years from 1900 to 2099 and days with such a year: 2026,
// 31122026, 20261231, 31-12-2026, 1.2.1990.
func (t *typed) dates(add adder) {
	for i := range t.places {
		if y, to := t.digits(i, 4); to == i+4 && isYear(y) {
			add(i, to, perRun, Sequence)
			if m, d := t.pair(to), t.pair(to+2); isDay(d, m) {
				add(i, to+4, perRun, Sequence)
			}
		}
		if d, m := t.pair(i), t.pair(i+2); isDay(d, m) {
			if y, to := t.digits(i+4, 4); to == i+8 && isYear(y) {
				add(i, to, perRun, Sequence)
			}
		}
		if to, ok := t.separated(i); ok {
			add(i, to, perRun, Sequence)
		}
	}
}

// separated reads day, month and year with signs between them.
func (t *typed) separated(i int) (to int, ok bool) {
	var field [3]int
	for f, most := range [3]int{2, 2, 4} {
		n, end := t.digits(i, most)
		if end == i {
			return 0, false
		}
		field[f], i = n, end
		if f < 2 {
			if i >= len(t.places) || !strings.ContainsRune("-/. _", t.places[i].low) {
				return 0, false
			}
			i++
		}
	}
	year := field[2]
	return i, isDay(field[0], field[1]) && (year < 100 || isYear(year))
}

// digits reads the number of at most so many digits at a place.
func (t *typed) digits(i, most int) (n, to int) {
	for to = i; to < len(t.places) && to < i+most; to++ {
		c := t.places[to].low
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n, to
}

// pair reads the number of two digits at a place; 0 when there is none.
func (t *typed) pair(i int) int {
	if n, to := t.digits(i, 2); to == i+2 {
		return n
	}
	return 0
}

func isYear(y int) bool   { return 1900 <= y && y < 2100 }
func isDay(d, m int) bool { return 1 <= d && d <= 31 && 1 <= m && m <= 12 }
