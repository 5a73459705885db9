package desk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// How words are compared: whoever searches types what they hear, without accents
// and capitals.

// folder maps letters that Unicode does not take apart to those that people type in
// their place.
var folder = strings.NewReplacer("ı", "i", "ł", "l", "ø", "o", "đ", "d", "ð", "d", "þ", "th", "æ", "ae", "œ", "oe", "ħ", "h")

// fold returns a text as it is compared: without case and marks, and with plain
// letters for those that are hard to type. "Şükrü IJssel-Groß" becomes "sukru
// ijssel-gross".
func fold(text string) string {
	if plain(text) {
		return strings.ToLower(text)
	}
	text = norm.NFKD.String(cases.Fold().String(text)) // ß becomes ss, the letter ij becomes i and j
	return folder.Replace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, text))
}

func plain(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// joins are the signs within a word that a word may begin behind.
const joins = "-.'_+@/"

// apostrophes are all written as one, and left out where a word is whole.
var apostrophes = strings.NewReplacer("’", "'", "‘", "'", "`", "'", "´", "'")

// wordsOf returns the words of a text as somebody may search for them: each whole, and
// each of its parts. "Van 't Hoff-d'Angelo" has van, t, hoff-dangelo, hoff, d and
// angelo.
func wordsOf(text string) []string {
	var words []string
	for word := range strings.FieldsSeq(fold(apostrophes.Replace(text))) {
		words = append(words, strings.ReplaceAll(word, "'", ""))
		if parts := strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune(joins, r) }); len(parts) > 1 {
			words = append(words, parts...)
		}
	}
	return words
}

// addressWords returns the words of an address: all of it, and the parts of what
// stands before the @. A domain that everybody has finds nobody.
func addressWords(address string) []string {
	local, domain, _ := strings.Cut(address, "@")
	words := wordsOf(local)
	if len(words) > 0 {
		words[0] = fold(address)
	}
	if domain == "" {
		return wordsOf(address)
	}
	return words
}

// numberWords returns the digits of a phone number as people dial it: with the
// country's prefix, with a zero in its place, and without both.
func numberWords(p enrolment.Policy, number string) []string {
	n, err := p.ParsePhone(number)
	if err != nil {
		return []string{onlyDigits(number)}
	}
	words := []string{onlyDigits(n.E164), onlyDigits(n.National)}
	if own, trunk := strings.CutPrefix(words[1], "0"); trunk {
		words = append(words, own)
	}
	return words
}

func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// wanted returns the words that somebody has to have, who is searched for. A number
// counts as one word, however it is grouped.
func wanted(typed string) []string {
	typed = strings.TrimSpace(typed)
	if number, ok := dialled(typed); ok {
		return []string{number}
	}
	var words []string
	for word := range strings.FieldsSeq(fold(apostrophes.Replace(typed))) {
		if word = strings.ReplaceAll(word, "'", ""); word != "" {
			words = append(words, word)
		}
	}
	return words
}

// dialled returns the digits of something that is typed as a phone number; false for
// all else. A day is none.
func dialled(typed string) (string, bool) {
	digits := onlyDigits(typed)
	if len(digits) < 2 || strings.Trim(typed, "0123456789 ()+-./\u00a0") != "" || looksLikeADay(typed) {
		return "", false
	}
	abroad := strings.HasPrefix(typed, "+") || strings.HasPrefix(digits, "00")
	if abroad {
		digits = strings.TrimPrefix(onlyDigits(strings.Replace(typed, "(0)", "", 1)), "00") // +31 (0)6 is +31 6
	}
	return digits, digits != ""
}

func looksLikeADay(typed string) bool {
	return len(typed) >= 5 && typed[4] == '-' && onlyDigits(typed[:4]) == typed[:4]
}

// helpCodeIn returns the help code that is typed, with or without blanks: "k7 204".
func helpCodeIn(typed string) (string, bool) {
	code := strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' || r == '.' {
			return -1
		}
		return r
	}, typed))
	if len(code) != 5 || !strings.Contains(helpLetters, code[:1]) || len(onlyDigits(code)) != 4 {
		return "", false
	}
	return code, true
}
