package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A kind is one sort of value: it knows where the value lives, how it is read
// from TOML (decode) and from a variable or a flag (parse), and how it is shown
// (text, in TOML). An error is a reason for people, and never repeats the value,
// which might be a secret in the wrong place.
type kind interface {
	decode(v any) error
	parse(s string) error
	text() string
}

type textKind struct {
	at    *string
	check func(string) error // nil: anything; never called with an empty value
}

func (k textKind) decode(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New(`must be text, in quotes`)
	}
	return k.parse(s)
}

func (k textKind) parse(s string) error {
	s = strings.TrimSpace(s)
	if strings.ContainsFunc(s, isControl) {
		return errors.New("must be one line, without control characters")
	}
	if s != "" && k.check != nil {
		if err := k.check(s); err != nil {
			return err
		}
	}
	*k.at = s
	return nil
}

func (k textKind) text() string { return quote(*k.at) }

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }

type secretKind struct {
	at    *Secret
	check func(string) error
}

func (k secretKind) decode(v any) error {
	s, ok := v.(string)
	if !ok {
		return errors.New("must be text, in quotes")
	}
	return k.parse(s)
}

func (k secretKind) parse(s string) error {
	if s != "" && k.check != nil {
		if err := k.check(s); err != nil {
			return err
		}
	}
	*k.at = NewSecret(s)
	return nil
}

func (k secretKind) text() string {
	if k.at.IsZero() {
		return `""`
	}
	return k.at.String()
}

type choiceKind[T ~string] struct {
	at *T
	of []T
}

func (k choiceKind[T]) decode(v any) error {
	s, ok := v.(string)
	if !ok {
		return k.refuse()
	}
	return k.parse(s)
}

func (k choiceKind[T]) parse(s string) error {
	if !slices.Contains(k.of, T(s)) {
		return k.refuse()
	}
	*k.at = T(s)
	return nil
}

func (k choiceKind[T]) refuse() error {
	quoted := make([]string, len(k.of))
	for i, c := range k.of {
		quoted[i] = quote(string(c))
	}
	last := len(quoted) - 1
	return fmt.Errorf("must be %s or %s", strings.Join(quoted[:last], ", "), quoted[last])
}

func (k choiceKind[T]) text() string { return quote(string(*k.at)) }

type numberKind struct {
	at       *int
	min, max int
}

func (k numberKind) decode(v any) error {
	n, ok := v.(int64)
	if !ok {
		return k.refuse()
	}
	return k.set(n)
}

func (k numberKind) parse(s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return k.refuse()
	}
	return k.set(n)
}

func (k numberKind) set(n int64) error {
	if n < int64(k.min) || n > int64(k.max) {
		return k.refuse()
	}
	*k.at = int(n)
	return nil
}

func (k numberKind) refuse() error {
	return fmt.Errorf("must be a whole number from %d to %d", k.min, k.max)
}

func (k numberKind) text() string { return strconv.Itoa(*k.at) }

type boolKind struct{ at *bool }

func (k boolKind) decode(v any) error {
	b, ok := v.(bool)
	if !ok {
		return errors.New("must be true or false")
	}
	*k.at = b
	return nil
}

func (k boolKind) parse(s string) error {
	if s != "true" && s != "false" {
		return errors.New("must be true or false")
	}
	*k.at = s == "true"
	return nil
}

func (k boolKind) text() string { return strconv.FormatBool(*k.at) }

type spanKind struct {
	at       *time.Duration
	min, max time.Duration
}

func (k spanKind) decode(v any) error {
	s, ok := v.(string)
	if !ok {
		return k.refuse()
	}
	return k.parse(s)
}

func (k spanKind) parse(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d < k.min || d > k.max {
		return k.refuse()
	}
	*k.at = d
	return nil
}

func (k spanKind) refuse() error {
	return fmt.Errorf(`must be a duration from %s to %s, such as %s`, span(k.min), span(k.max), quote(span(*k.at)))
}

func (k spanKind) text() string { return quote(span(*k.at)) }

// listKind reads a list; each of its elements is checked, and may be rewritten.
type listKind struct {
	at    *[]string
	check func(string) (string, error)
}

func (k listKind) decode(v any) error {
	words, err := wordsOf(v)
	if err != nil {
		return err
	}
	return k.set(words)
}

func (k listKind) parse(s string) error { return k.set(split(s)) }

func (k listKind) set(words []string) error {
	list := make([]string, 0, len(words))
	for _, w := range words {
		w, err := k.check(strings.TrimSpace(w))
		if err != nil {
			return err
		}
		if slices.Contains(list, w) {
			return errors.New("must not name anything twice")
		}
		list = append(list, w)
	}
	*k.at = list
	return nil
}

func (k listKind) text() string { return quoteAll(*k.at) }

// spansKind reads a list of durations, none shorter than the one before.
type spansKind struct {
	at       *[]time.Duration
	min, max time.Duration
}

func (k spansKind) decode(v any) error {
	words, err := wordsOf(v)
	if err != nil {
		return err
	}
	return k.set(words)
}

func (k spansKind) parse(s string) error { return k.set(split(s)) }

func (k spansKind) set(words []string) error {
	spans := make([]time.Duration, 0, len(words))
	for _, w := range words {
		d := k.min
		if err := (spanKind{&d, k.min, k.max}).parse(strings.TrimSpace(w)); err != nil {
			return fmt.Errorf("each %w", err)
		}
		spans = append(spans, d)
	}
	if len(spans) == 0 {
		return errors.New("must name at least one duration")
	}
	if !slices.IsSorted(spans) {
		return errors.New("must not get shorter along the list")
	}
	*k.at = spans
	return nil
}

func (k spansKind) text() string {
	words := make([]string, len(*k.at))
	for i, d := range *k.at {
		words[i] = span(d)
	}
	return quoteAll(words)
}

func wordsOf(v any) ([]string, error) {
	wrong := errors.New(`must be a list of texts, such as ["one", "two"]`)
	list, ok := v.([]any)
	if !ok {
		return nil, wrong
	}
	words := make([]string, len(list))
	for i, e := range list {
		if words[i], ok = e.(string); !ok {
			return nil, wrong
		}
	}
	return words, nil
}

// split reads the form of lists in variables and flags: one, two.
func split(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// span shows a duration as people write it: 15m, not 15m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// quote shows a text as TOML does. No value holds a control character.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func quoteAll(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
