package wordlists

// A Text is what somebody typed, place by place: the letters that may be meant
// there. "W@" is {"w"}, {"a"}; a "1" may be an i, an l, or itself. A place
// without letters is in no word.
type Text []string

// Exactly is the text in which every byte means itself.
func Exactly(s string) Text {
	t := make(Text, len(s))
	for i := range len(s) {
		t[i] = s[i : i+1]
	}
	return t
}

// Matches reports the words that begin at a place, by the place behind them.
// One place may be reported several times.
func (l List) Matches(t Text, from int, found func(to int)) {
	l.match(t, from, l.root, found)
}

func (l List) match(t Text, i int, at Node, found func(to int)) {
	if at == 0 || i >= len(t) {
		return
	}
	for j := range len(t[i]) {
		to, word, ok := l.Step(at, t[i][j])
		if !ok {
			continue
		}
		if word {
			found(i + 1)
		}
		l.match(t, i+1, to, found)
	}
}

// MinPart is how many letters each half of a compound has at least.
const MinPart = 4

// links are what may stand between the halves of a Dutch compound:
// verjaardag-s-kaart, student-en-flat.
var links = [...]string{"", "s", "e", "n", "en"}

// Links returns what may join the halves of a compound.
func Links() []string { return links[:] }

// Compounds reports the words made of two words of the list that begin at a
// place, by the place behind them, as Matches does. Dutch makes such words all
// day, so gen leaves them out of the list.
func (l List) Compounds(t Text, from int, found func(to int)) {
	l.Matches(t, from, func(mid int) {
		if mid-from < MinPart {
			return
		}
		for _, link := range links {
			second, ok := skip(t, mid, link)
			if !ok {
				continue
			}
			l.Matches(t, second, func(to int) {
				if to-second >= MinPart {
					found(to)
				}
			})
		}
	})
}

func skip(t Text, from int, link string) (to int, ok bool) {
	if from+len(link) > len(t) {
		return 0, false
	}
	for i := range len(link) {
		if t[from+i] != link[i:i+1] {
			return 0, false
		}
	}
	return from + len(link), true
}

// Knows says whether a word is in the list or a compound of two that are.
func (l List) Knows(word string) bool {
	if l.Contains(word) {
		return true
	}
	known := false
	l.Compounds(Exactly(word), 0, func(to int) { known = known || to == len(word) })
	return known
}
