// Command gen packs the word lists of package wordlists out of the files of
// the packages that it names, and writes words.bin and words.sum. The comment
// at the go:generate line of wordlists tells how the files get there.
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	_ "embed" // for own.txt
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/keydesk/keydesk/assets/wordlists"
)

//go:embed own.txt
var own string

// tried is how many of the leaked passwords count as common: attackers try
// these first, at every account.
const tried = 3000

// passwordList is ordered by how often a password was found, most first.
const passwordList = "language-common/package/src/passwords.json"

// wordFiles hold the words of a language and names, whose licences are in
// LICENSES. The frequency lists of language-en are left out: they have other
// terms, and wamerican has their words.
var wordFiles = []string{
	"debian/usr/share/dict/dutch",
	"debian/usr/share/dict/american-english",
	"language-nl-be/package/src/commonWords.json",
	"language-nl-be/package/src/boysFirstnames.json",
	"language-nl-be/package/src/girlsFirstnames.json",
	"language-nl-be/package/src/lastnames.json",
	"language-en/package/src/firstnames.json",
}

func main() {
	sources := flag.String("sources", "sources", "the `folder` with the unpacked packages")
	out := flag.String("out", ".", "the `folder` to write to")
	flag.Parse()
	if err := run(*sources, *out); err != nil {
		log.Fatal(err)
	}
}

func run(sources, out string) error {
	lists, err := collect(sources)
	if err != nil {
		return err
	}
	b := wordlists.NewBuilder()
	var sum strings.Builder
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if err := b.Add(name, lists[name]); err != nil {
			return err
		}
		fmt.Fprintf(&sum, "%s %d %s\n", name, len(lists[name]), digest(lists[name]))
	}
	var packed bytes.Buffer
	if _, err := b.WriteTo(&packed); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "words.bin"), packed.Bytes(), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "words.sum"), []byte(sum.String()), 0o600)
}

// collect returns the lists, each sorted and without repetitions.
func collect(sources string) (map[string][]string, error) {
	passwords, err := readJSON(filepath.Join(sources, passwordList))
	if err != nil {
		return nil, err
	}
	passwords = keep(passwords, printable)
	first := keep(passwords[:min(tried, len(passwords))], func(s string) bool { return len(s) >= wordlists.MinPart })
	ours, err := readLines(strings.NewReader(own))
	if err != nil {
		return nil, err
	}
	var words []string
	for _, f := range wordFiles {
		more, err := read(filepath.Join(sources, filepath.FromSlash(f)))
		if err != nil {
			return nil, err
		}
		words = append(words, keep(more, func(s string) bool { return len(s) >= wordlists.MinPart && letters(s) })...)
	}
	return map[string][]string{
		wordlists.Common:    set(append(first, ours...)),
		wordlists.Passwords: set(append(passwords, ours...)),
		wordlists.Words:     withoutCompounds(set(words)),
	}, nil
}

// withoutCompounds leaves out the words that List.Compounds finds all the
// same. Going by length, it drops a word only for two that are kept.
func withoutCompounds(words []string) []string {
	kept := map[string]bool{}
	slices.SortStableFunc(words, func(a, b string) int { return len(a) - len(b) })
	for _, w := range words {
		if !compound(w, kept) {
			kept[w] = true
		}
	}
	return slices.Sorted(maps.Keys(kept))
}

func compound(w string, kept map[string]bool) bool {
	for i := wordlists.MinPart; i+wordlists.MinPart <= len(w); i++ {
		if !kept[w[:i]] {
			continue
		}
		for _, link := range wordlists.Links() {
			rest, ok := strings.CutPrefix(w[i:], link)
			if ok && len(rest) >= wordlists.MinPart && kept[rest] {
				return true
			}
		}
	}
	return false
}

func read(file string) ([]string, error) {
	if strings.HasSuffix(file, ".json") {
		return readJSON(file)
	}
	b, err := os.ReadFile(file) //nolint:gosec // the path is this tool's own argument
	if err != nil {
		return nil, err
	}
	return readLines(bytes.NewReader(b))
}

func readJSON(file string) ([]string, error) {
	b, err := os.ReadFile(file) //nolint:gosec // the path is this tool's own argument
	if err != nil {
		return nil, err
	}
	var words []string
	if err := json.Unmarshal(b, &words); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return folded(words), nil
}

func readLines(r io.Reader) ([]string, error) {
	var words []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if w := strings.TrimSpace(lines.Text()); w != "" && w[0] != '#' {
			words = append(words, w)
		}
	}
	return folded(words), lines.Err()
}

// folded writes words as the check sees them: lower case, without accents.
func folded(words []string) []string {
	plain := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	for i, w := range words {
		if s, _, err := transform.String(plain, w); err == nil {
			w = s
		}
		words[i] = strings.ToLower(w)
	}
	return words
}

func keep(words []string, which func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool { return !which(w) })
}

func letters(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < 'a' || r > 'z' })
}

func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func set(words []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

func digest(words []string) string {
	h := sha256.New()
	for _, w := range words {
		fmt.Fprintln(h, w)
	}
	return hex.EncodeToString(h.Sum(nil))
}
