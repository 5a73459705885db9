package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/assets/wordlists"
)

func sources(t *testing.T, lists map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range append(wordFiles, passwordList) {
		text, given := lists[name]
		if !given && strings.HasSuffix(name, ".json") {
			text = "[]"
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCollectFoldsSortsAndLeavesOutCompounds(t *testing.T) {
	t.Parallel()
	lists, err := collect(sources(t, map[string]string{ //nolint:gosec // nobody's passwords
		passwordList:                                `["Qwerty12", "xyz", "spatie fout", "kaas!"]`,
		"debian/usr/share/dict/dutch":               "kaas\nAppel\nappeltaart\ntaart\nkaasappeltaart\ncafés\nfoto's\nei\n",
		"language-nl-be/package/src/lastnames.json": `["Jansen", "kaas"]`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"appel", "cafes", "jansen", "kaas", "kaasappeltaart", "taart"}
	if got := lists[wordlists.Words]; !slices.Equal(got, want) {
		t.Errorf("words: got %q, want %q", got, want)
	}
	for w, in := range map[string]bool{"qwerty12": true, "xyz": true, "kaas!": true, "spatie fout": false, "welkom": true} {
		if slices.Contains(lists[wordlists.Passwords], w) != in {
			t.Errorf("passwords: %q, want %t", w, in)
		}
	}
	if slices.Contains(lists[wordlists.Common], "xyz") {
		t.Error("a password of three letters is common: it would be found in anything")
	}
}

func TestRunPacksWhatItCollected(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if err := run(sources(t, map[string]string{"debian/usr/share/dict/dutch": "kaas\nfiets\nkaasfiets\n"}), out); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(out, "words.bin")) //nolint:gosec // in this test's own folder
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lists, err := wordlists.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	words := lists.List(wordlists.Words)
	if words.Len() != 2 || !words.Knows("kaas") || !words.Knows("kaasfiets") || words.Contains("kaasfiets") {
		t.Errorf("got %q", slices.Collect(words.All()))
	}
}

func TestAMissingSourceIsNamed(t *testing.T) {
	t.Parallel()
	if err := run(t.TempDir(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "passwords.json") {
		t.Errorf("got %v", err)
	}
}
