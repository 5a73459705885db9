package password

import (
	"slices"
	"strings"
)

// known is a word that others know about the person, folded.
type known struct {
	token string
	why   Reason
}

// minToken is how many letters make a name: "de" and "nl" are in everything.
const minToken = 3

// knownAbout takes a context apart: names whole and in their parts, of an
// e-mail address what stands before the @, and of its domain the name without
// the ending.
func knownAbout(who Context) []known {
	var all []known
	add := func(s string, why Reason) {
		for _, token := range tokens(s) {
			if !slices.ContainsFunc(all, func(k known) bool { return k.token == token }) {
				all = append(all, known{token, why})
			}
		}
	}
	add(who.Name, Name)
	local, domain, _ := strings.Cut(who.Email, "@")
	add(local, Name)
	for _, name := range who.Organisation {
		add(name, Organisation)
	}
	if labels := strings.Split(domain, "."); len(labels) > 1 {
		for _, label := range labels[:len(labels)-1] {
			add(label, Organisation)
		}
	}
	return all
}

// tokens returns the parts of a name that have minToken letters, neighbours
// written together ("de" with "Vries"), and the whole in one word.
func tokens(name string) []string {
	var parts []string
	var part []byte
	end := func() {
		if len(part) > 0 {
			parts = append(parts, string(part))
			part = nil
		}
	}
	n := 0
	for _, r := range name {
		if n++; n > Maximum {
			break
		}
		if c := fold(r); 'a' <= c && c <= 'z' {
			part = append(part, byte(c))
		} else {
			end()
		}
	}
	end()
	var found []string
	for i := range parts {
		for j := i + 1; j <= min(len(parts), i+5); j++ {
			if token := strings.Join(parts[i:j], ""); len(token) >= minToken {
				found = append(found, token)
			}
		}
	}
	return found
}
