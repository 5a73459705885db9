package password

import (
	"cmp"
	"slices"
	"sync"

	"github.com/keydesk/keydesk/assets/wordlists"
)

// What a password is worth, in points. It is taken apart into the parts that
// explain it most cheaply, and what they are worth is added up. So a word with
// digits and signs is worth little however many there are, and several words
// together are worth enough.
const (
	perLetter  = 3  // a letter in no known part
	perSign    = 2  // a digit, sign or space in no known part
	perWord    = 10 // a word, a compound, or a known password that is rarely tried
	perCommon  = 5  // a password that is tried first
	perRun     = 3  // a sequence, a row of keys, a date, one character repeated
	perCopy    = 1  // what the password had before
	perContext = 0  // what others know about the person

	// besideWords is what all digits and signs together are worth beside a
	// word, or letters that something else explains: they are what people and attackers add first.
	besideWords = 4

	// enough is what a password must be worth. Twelve random characters are,
	// and so are two words with a sign between them; one word never is.
	enough = 22
)

const (
	minWord  = wordlists.MinPart // letters of a word that counts as one
	minLeet  = 5                 // and of one written with digits and signs, or backwards
	minKnown = 5                 // characters of a rarely tried password inside another
	minCopy  = 3
	minRun   = 3
	minKeys  = 4
)

// A part is a stretch of the password that something explains.
type part struct {
	from, to int
	worth    int
	why      Reason
}

// lists returns the word lists. They are part of the program: if they cannot
// be read that is a mistake in the program, found by every test.
var lists = sync.OnceValue(func() *wordlists.Lists {
	l, err := wordlists.Open()
	if err != nil {
		panic(err)
	}
	return l
})

// assess returns what a password is worth, and what most of it consists of.
func assess(text string, who Context) (int, Reason) {
	t, known := newTyped(text), knownAbout(who)
	worth, why := t.explained(t.parts(known, lists()))
	if w, reason, ok := t.spelled(known, lists()); ok && w < worth {
		return w, reason
	}
	return worth, why
}

// explained covers the password with parts in the two ways that make it worth
// little, and returns the lesser worth. Both have to be tried: what explains the
// letters for less (eee of ieee) may be no word, so that the signs beside it
// count in full.
func (t *typed) explained(parts []part) (int, Reason) {
	path, worth := t.cheapest(parts, false)
	if beside, w := t.cheapest(parts, true); w+besideWords <= worth {
		path, worth = beside, w+besideWords
	}
	return worth, t.mostOf(path)
}

// mostOf returns what most of a cover consists of.
func (t *typed) mostOf(path []part) Reason {
	saved := map[Reason]int{}
	for _, p := range path {
		if p.why != "" {
			saved[p.why] += t.plain(p.from, p.to) - p.worth
		}
	}
	return most(saved)
}

// isWord says whether what explains a part makes the digits and signs beside
// it an addition to it.
func (t *typed) isWord(p part) bool {
	return p.why != "" && t.lettersIn(p.from, p.to) >= minOf(p.why)
}

// minOf is how many letters something explains at least where it is not by
// chance, and the digits and signs beside it are an addition to it.
func minOf(why Reason) int {
	if why == Sequence || why == Repeated {
		return minWord
	}
	return 1
}

// most returns the reason that explains most, the one that says most about it
// where two explain as much.
func most(saved map[Reason]int) Reason {
	order := []Reason{Common, Name, Organisation, Word, Repeated, Sequence}
	order = slices.DeleteFunc(order, func(r Reason) bool { return saved[r] <= 0 })
	if len(order) == 0 {
		return ""
	}
	slices.SortStableFunc(order, func(a, b Reason) int { return cmp.Compare(saved[b], saved[a]) })
	return order[0]
}

// plain is what a stretch is worth when nothing explains it.
func (t *typed) plain(from, to int) int {
	letters := t.lettersIn(from, to)
	return letters*perLetter + (to-from-letters)*perSign
}

// cheapest covers the password with parts, and with single characters where
// there is none, so that the worth of all is least. Beside words it looks at
// covers with a word in them only, and digits and signs are worth nothing;
// where there is no word that is more than anything is worth.
func (t *typed) cheapest(parts []part, beside bool) ([]part, int) {
	n := len(t.places)
	at := make([][]part, n)
	for _, p := range parts {
		at[p.from] = append(at[p.from], p)
	}
	// An end is a place and whether a word stands before it: 2*place, and one
	// more with a word.
	const never = 1 << 30
	type step struct {
		part
		before int // the end that it goes on from
	}
	worth, by := make([]int, 2*n+2), make([]step, 2*n+2)
	for end := 1; end < len(worth); end++ {
		worth[end] = never
	}
	for end := range 2 * n {
		if worth[end] == never {
			continue
		}
		i, word := end/2, end%2
		for _, p := range append(at[i], part{from: i, to: i + 1, worth: t.plain(i, i+1)}) {
			w, to := worth[end]+p.worth, 2*p.to+word
			if beside && t.lettersIn(p.from, p.to) == 0 {
				w = worth[end]
			}
			if beside && t.isWord(p) {
				to = 2*p.to + 1
			}
			if w < worth[to] {
				worth[to], by[to] = w, step{p, end}
			}
		}
	}
	last := 2 * n
	if beside {
		last++
	}
	var path []part
	for end := last; end > 1 && worth[last] < never; end = by[end].before {
		path = append(path, by[end].part)
	}
	slices.Reverse(path)
	return path, worth[last]
}

// spelled finds a word that is there once the digits and signs between its
// letters are taken out: V-o-o-r-j-a-a-r. Two words with a sign between them
// are no compound, unless hardly a letter stands beside another.
func (t *typed) spelled(known []known, l *wordlists.Lists) (int, Reason, bool) {
	var letters []rune
	group, longest := 0, 0
	for _, p := range t.places {
		if !p.letter {
			group = 0
			continue
		}
		letters = append(letters, p.low)
		group++
		longest = max(longest, group)
	}
	s := string(letters)
	if len(letters) < minLeet || len(letters) == len(t.places) {
		return 0, "", false
	}
	for _, k := range known {
		if k.token == s {
			return besideWords + perContext, k.why, true
		}
	}
	words := l.List(wordlists.Words)
	switch {
	case l.List(wordlists.Common).Contains(s):
		return besideWords + perCommon, Common, true
	case words.Contains(s), longest < minWord && words.Knows(s):
		return besideWords + perWord, Word, true
	}
	return 0, "", false
}
