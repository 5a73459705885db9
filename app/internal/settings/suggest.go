package settings

import (
	"slices"
	"strings"
)

// suggestSection returns "; did you mean …?" for a misspelt section, or nothing.
func suggestSection(name string) string {
	var candidates []string
	for section := range sections {
		if strings.Count(section, ".") == strings.Count(name, ".") {
			candidates = append(candidates, section)
		}
	}
	return didYouMean(nearest(name, candidates))
}

// suggest does the same for a misspelt field, or for the right key in the wrong
// section.
func (l *loader) suggest(name string) string {
	near := nearest(name, l.names)
	_, key := cutLast(name)
	for _, candidate := range l.names {
		if _, k := cutLast(candidate); near == "" && k == key {
			near = candidate
		}
	}
	return didYouMean(near)
}

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + name + "?"
}

func cutLast(name string) (section, key string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

// nearest returns the candidate that the fewest slips of a finger turn into the
// name: at most two, and fewer for short names; empty when none does.
func nearest(name string, candidates []string) string {
	best, least := "", min(2, len(name)/3)+1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := distance(name, c, least); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is how many slips lie between two names: a character too many, too
// few or another one, or two swapped (optimal string alignment). It is limit
// when it is that or more.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row, next = row, next, before
	}
	return min(row[len(b)], limit)
}
