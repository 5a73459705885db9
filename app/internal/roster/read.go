package roster

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// Read reads a list, in one pass. An error means that nothing of it can be used; all
// that is wrong with single rows is in List.Problems, in the order of the file. The
// policy says which phone numbers are good, and from which country those without a
// prefix are.
func Read(r io.Reader, p enrolment.Policy) (List, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return List{}, err
	}
	if len(b) > MaxBytes {
		return List{}, ErrTooLarge
	}
	l := List{Source: enrolment.RosterFromFile, Digest: sha256.Sum256(b)}
	text, enc, err := decode(b)
	if err != nil {
		return l, err
	}
	s, first, err := header(scanner{rest: text, line: 1})
	if err != nil {
		return l, err
	}
	l.Encoding, l.Delimiter = enc, rune(s.delimiter)
	l.Columns, l.Ignored = columns(first.fields)
	if !l.Has(Email) {
		return l, ErrNoEmail
	}
	rd, header := newReader(&l, p), first.fields
	for {
		r, ok := s.next()
		if !ok {
			return l, nil
		}
		if r.blank() {
			continue
		}
		if l.Total++; l.Total > MaxRows {
			return l, ErrTooManyRows
		}
		values, wrong := fieldsOf(r, l.Columns, header)
		rd.row(r.line, values, wrong...)
	}
}

// fieldsOf returns the values of a record, or what is wrong with all of it.
func fieldsOf(r record, columns []Column, header []string) (values map[Field]string, wrong []Problem) {
	switch {
	case r.wrong != "":
		name := ""
		if r.column < len(header) {
			name = clean(header[r.column])
		}
		return nil, []Problem{{Line: r.line, Column: name, Reason: r.wrong}}
	case len(r.fields) < len(header):
		return nil, []Problem{{Line: r.line, Reason: TooFewFields}}
	case slices.ContainsFunc(r.fields[len(header):], func(f string) bool { return strings.TrimSpace(f) != "" }):
		return nil, []Problem{{Line: r.line, Reason: TooManyFields}}
	}
	values = make(map[Field]string, len(columns))
	for _, c := range columns {
		values[c.Field] = clean(r.fields[c.index])
	}
	return values, nil
}

// decode returns the text of a file as UTF-8.
func decode(b []byte) (string, Encoding, error) {
	rest, marked := bytes.CutPrefix(b, []byte("\ufeff"))
	switch {
	case bytes.HasPrefix(b, []byte("PK\x03\x04")), bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0")):
		return "", "", ErrWorkbook
	case bytes.IndexByte(b, 0) >= 0:
		return "", "", ErrNotText
	case utf8.Valid(rest):
		return string(rest), UTF8, nil
	case marked: // it says that it is UTF-8, and is not
		return "", "", ErrNotText
	}
	text, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) { // a byte that Windows-1252 does not have
		return "", "", ErrNotText
	}
	return string(text), Windows1252, nil
}

// A reader makes rows of values.
type reader struct {
	list   *List
	policy enrolment.Policy
	names  map[Field]string // what the columns are called
	seen   map[string]int   // on which line an address stands first
}

func newReader(l *List, p enrolment.Policy) *reader {
	rd := &reader{list: l, policy: p, names: map[Field]string{}, seen: map[string]int{}}
	for _, c := range l.Columns {
		rd.names[c.Field] = c.Name
	}
	return rd
}

// row adds a row to the list, or what is wrong with it. Where that is known already,
// its values are not looked at.
func (rd *reader) row(line int, values map[Field]string, wrong ...Problem) {
	l, before := rd.list, len(rd.list.Problems)
	notes := len(l.Notes)
	l.Problems = append(l.Problems, wrong...)
	var row Row
	if len(wrong) == 0 {
		row = rd.read(line, values)
	}
	if len(l.Problems) == before {
		l.Rows = append(l.Rows, row)
		return
	}
	l.Bad++
	l.Notes = l.Notes[:notes]
}

func (rd *reader) read(line int, values map[Field]string) Row {
	row, names, ok := Row{Line: line}, rd.names, false
	row.Email = rd.email(line, names[Email], values[Email])
	column := cmp.Or(names[Name], names[LastName], names[FirstName])
	full := values[Name]
	if full == "" {
		full = clean(values[FirstName] + " " + values[Infix] + " " + values[LastName])
		column = cmp.Or(names[LastName], names[FirstName], column)
	}
	row.Name = rd.text(line, column, full, 100, NotAName)
	if full != "" && row.Name != "" && !strings.ContainsFunc(full, unicode.IsLetter) {
		rd.problem(line, column, NotAName)
	}
	row.Phone = rd.phone(line, values)
	row.Employee = rd.text(line, names[Employee], values[Employee], 100, Unusable)
	row.Team = rd.text(line, names[Team], values[Team], 100, Unusable)
	if row.Start, ok = date(values[Start]); !ok {
		rd.problem(line, names[Start], NotADate)
	}
	if row.Language, ok = languages[strings.ToLower(values[Language])]; !ok {
		rd.problem(line, names[Language], UnknownLanguage)
	}
	return row
}

func (rd *reader) problem(line int, column string, why Reason) {
	rd.list.Problems = append(rd.list.Problems, Problem{Line: line, Column: column, Reason: why})
}

func (rd *reader) email(line int, column, value string) string {
	if value == "" {
		rd.problem(line, column, EmailMissing)
		return ""
	}
	a, err := enrolment.ParseAddress(value)
	if err != nil {
		rd.problem(line, column, NotAnAddress)
		return ""
	}
	same := strings.ToLower(a.String())
	if first, twice := rd.seen[same]; twice {
		rd.list.Problems = append(rd.list.Problems, Problem{Line: line, Column: column, Reason: Twice, Other: first})
		return ""
	}
	rd.seen[same] = line
	return a.String()
}

// text returns a line of text of at most so many letters.
func (rd *reader) text(line int, column, value string, most int, why Reason) string {
	if utf8.RuneCountInString(value) > most || strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
		rd.problem(line, column, why)
		return ""
	}
	return value
}

// mangled is how a spreadsheet writes a long number that it shortened.
var mangled = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+$`)

// phone returns the number of a row: the mobile one, else the other one.
func (rd *reader) phone(line int, values map[Field]string) string {
	field := Mobile
	if values[Mobile] == "" {
		field = Phone
	}
	typed, column := values[field], rd.names[field]
	typed = strings.TrimPrefix(typed, "'") // with which a spreadsheet keeps a zero
	if typed == "" {
		return ""
	}
	n, err := rd.policy.ParsePhone(typed)
	switch {
	case mangled.MatchString(typed):
		rd.problem(line, column, NumberMangled)
		return ""
	case errors.Is(err, enrolment.ErrNoSMS):
		rd.problem(line, column, NoSMS)
		return ""
	case errors.Is(err, enrolment.ErrCountryNotAllowed):
		rd.problem(line, column, Country)
		return ""
	case err != nil:
		rd.problem(line, column, NotANumber)
		return ""
	}
	if why := lost(typed, n); why != "" {
		rd.list.Notes = append(rd.list.Notes, Problem{Line: line, Column: column, Reason: why})
	}
	return n.E164
}

// lost says what a spreadsheet took from the beginning of a number.
func lost(typed string, n enrolment.Number) Reason {
	digits := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, typed)
	switch {
	case strings.Contains(typed, "+"), strings.HasPrefix(digits, "0"):
		return ""
	case "+"+digits == n.E164:
		return PlusAdded
	}
	return ZeroAdded
}

// languages maps how a language is called to what Keydesk calls it.
var languages = map[string]string{
	"": "", "nl": "nl", "nederlands": "nl", "dutch": "nl", "nld": "nl", "dut": "nl", "nl-nl": "nl", "nl-be": "nl", "nl_nl": "nl",
	"en": "en", "engels": "en", "english": "en", "eng": "en", "en-gb": "en", "en-us": "en", "en_gb": "en", "en_us": "en",
}

// date returns a day as ISO 8601 writes it. The day stands before the month, as
// people write it here; a time of midnight is what a database adds.
func date(s string) (day string, ok bool) {
	if s == "" {
		return "", true
	}
	for _, midnight := range []string{" 00:00:00", "T00:00:00", "T00:00:00Z", " 0:00:00", " 00:00", " 0:00"} {
		s = strings.TrimSuffix(s, midnight)
	}
	for _, layout := range []string{"2006-01-02", "2-1-2006", "2/1/2006", "2.1.2006"} {
		if t, err := time.Parse(layout, s); err == nil && 1900 < t.Year() && t.Year() < 2200 {
			return t.Format(time.DateOnly), true
		}
	}
	return "", false
}

// clean makes one space of all white space, line breaks too.
func clean(s string) string { return strings.Join(strings.Fields(s), " ") }
