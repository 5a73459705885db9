package wordlists_test

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/assets/wordlists"
)

//go:embed words.sum
var sums string

//go:embed words.bin
var packed []byte

func open(tb testing.TB) *wordlists.Lists {
	tb.Helper()
	l, err := wordlists.Open()
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// words.sum was taken over the words themselves, before they were packed: so
// each of them is in the automaton, and nothing else.
func TestTheListsHoldExactlyTheWordsThatWerePacked(t *testing.T) {
	t.Parallel()
	lists := open(t)
	for line := range strings.Lines(sums) {
		var name, want string
		var words int
		if _, err := fmt.Sscan(line, &name, &words, &want); err != nil {
			t.Fatal(err)
		}
		l := lists.List(name)
		h, n, last := sha256.New(), 0, ""
		for w := range l.All() {
			if w <= last {
				t.Fatalf("%s: %q after %q", name, w, last)
			}
			fmt.Fprintln(h, w)
			n, last = n+1, w
		}
		if n != words || l.Len() != words || hex.EncodeToString(h.Sum(nil)) != want {
			t.Errorf("%s: %d words (says %d), want %d with another sum", name, n, l.Len(), words)
		}
	}
}

func TestWordsOfTheSourcesAreKnown(t *testing.T) {
	t.Parallel()
	lists := open(t)
	for name, words := range map[string][]string{
		wordlists.Common:    {"password", "qwerty", "wachtwoord", "welkom", "voorjaar", "dragon"},
		wordlists.Passwords: {"123456", "1qaz2wsx", "trustno1", "xpcrew", "wachtwoord"},
		wordlists.Words: {
			"voorjaar", "schoolplein", "verjaardagskaart", "onderwijsassistent", "fietsenstalling",
			"appeltaart", "leerkracht", "rotterdam", "geografie", "overeenkomst", "zebra",
			"abandon", "strawberry", "watchtower", "resume", "thomas", "lotte", "janssens", "elizabeth",
		},
	} {
		for _, w := range words {
			if !lists.List(name).Knows(w) {
				t.Errorf("%s does not know %q", name, w)
			}
		}
	}
}

func TestWhatIsNoWordIsNotKnown(t *testing.T) {
	t.Parallel()
	words := open(t).List(wordlists.Words)
	for _, w := range []string{"", "v", "voorjaa", "voorjaarr", "xqzkvw", "Voorjaar", "voorjaar1", "kaasxfiets", "fietskaashuis", "aaaa", "\x00", "é"} {
		if words.Knows(w) {
			t.Errorf("knows %q", w)
		}
	}
	if l := open(t).List("no such list"); l.Len() != 0 || l.Contains("a") || l.Contains("") {
		t.Error("a list that does not exist has words")
	}
}

func TestPackedListsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[a-c1]{1,6}`)
		given := map[string][]string{}
		b := wordlists.NewBuilder()
		for i := range rapid.IntRange(0, 4).Draw(t, "lists") {
			name := fmt.Sprint("list", i)
			given[name] = rapid.SliceOfN(word, 0, 60).Draw(t, name)
			if err := b.Add(name, given[name]); err != nil {
				t.Fatal(err)
			}
		}
		var packed bytes.Buffer
		if _, err := b.WriteTo(&packed); err != nil {
			t.Fatal(err)
		}
		lists, err := wordlists.Read(&packed)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			words, l := given[name], lists.List(name)
			want := slices.Compact(slices.Sorted(slices.Values(words)))
			if got := slices.Collect(l.All()); !slices.Equal(got, want) || l.Len() != len(want) {
				t.Fatalf("%s: packed %q, got %q", name, want, got)
			}
			other := word.Draw(t, "other")
			if l.Contains(other) != slices.Contains(want, other) {
				t.Fatalf("%s %q: contains %q wrongly", name, want, other)
			}
		}
	})
}

func TestATextMatchesByAnyOfItsLetters(t *testing.T) {
	t.Parallel()
	b := wordlists.NewBuilder()
	if err := b.Add("words", []string{"kaas", "kaashandel", "fiets", "taart"}); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if _, err := b.WriteTo(&packed); err != nil {
		t.Fatal(err)
	}
	lists, err := wordlists.Read(&packed)
	if err != nil {
		t.Fatal(err)
	}
	words := lists.List("words")
	text := wordlists.Text{"x", "k", "4a", "@a", "$s", "", "k"}
	for from, want := range map[int][]int{0: nil, 1: {5}, 2: nil, 5: nil, 7: nil} {
		var got []int
		words.Matches(text, from, func(to int) { got = append(got, to) })
		if !slices.Equal(got, want) {
			t.Errorf("from %d: got %v, want %v", from, got, want)
		}
	}
	for word, known := range map[string]bool{
		"kaastaart": true, "kaasentaart": true, "taartenfiets": true, "kaasxtaart": false,
		"kaaskaas": true, "kaasfietstaart": false, "kaas": true, "kaasta": false,
	} {
		if words.Knows(word) != known {
			t.Errorf("%s: want known %t", word, known)
		}
	}
}

func TestTheBuilderRefusesTheEmptyWord(t *testing.T) {
	t.Parallel()
	if err := wordlists.NewBuilder().Add("words", []string{"a", ""}); err == nil {
		t.Error("took it")
	}
}

// The lists are opened at the first use and stay: 6 MB is what they may take.
func TestTheListsStaySmall(t *testing.T) {
	t.Parallel()
	lists := open(t)
	if kept := wordlists.Kept(lists); kept > 6<<20 {
		t.Errorf("keeps %d bytes", kept)
	}
	if len(packed) > 700<<10 {
		t.Errorf("takes %d bytes in the program", len(packed))
	}
}

func FuzzRead(f *testing.F) {
	b := wordlists.NewBuilder()
	for _, err := range []error{b.Add("a", []string{"taart", "kaart"}), b.Add("b", []string{"art"}), b.Add("c", nil)} {
		if err != nil {
			f.Fatal(err)
		}
	}
	for _, seed := range []string{"", "\x01\x01a\x01\x01\x01a\x0c", "\x00\x00"} {
		f.Add([]byte(seed))
	}
	f.Add(wordlists.Unpacked(b))
	f.Fuzz(func(t *testing.T, body []byte) {
		lists, err := wordlists.Unpack(body)
		if err != nil {
			if !errors.Is(err, wordlists.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		// A walk ends, whatever the file said.
		n := 0
		for range lists.List("a").All() {
			if n++; n > 1000 {
				break
			}
		}
		lists.List("b").Knows("taartkaart")
	})
}

func TestADamagedFileIsRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 5, 100, len(packed) / 2, len(packed) - 1} {
		if _, err := wordlists.Read(bytes.NewReader(packed[:n])); !errors.Is(err, wordlists.ErrDamaged) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	b.SetBytes(int64(len(packed)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wordlists.Read(bytes.NewReader(packed)); err != nil {
			b.Fatal(err)
		}
	}
}
