package roster

import "strings"

// A record is one row as it stands in the file: its fields, without the quotes
// around them.
type record struct {
	line   int // on which it begins, from 1
	fields []string
	column int    // of the field that is wrong
	wrong  Reason // empty: nothing is
}

// blank says that nothing but delimiters and white space stands in it.
func (r *record) blank() bool {
	for _, f := range r.fields {
		if strings.TrimSpace(f) != "" {
			return false
		}
	}
	return r.wrong == ""
}

// maxColumns is how many fields a row may have, wanted or not.
const maxColumns = 1000

// A scanner cuts text into records, as RFC 4180 and spreadsheets write them: a field
// in quotes may hold delimiters, line breaks and, doubled, quotes. A line ends with
// CR LF, LF or CR.
//
// One record that is wrong never takes another one with it: the next begins on the
// next line. Of a quote that is not closed that is the line behind the one on which
// it was opened.
type scanner struct {
	rest      string
	line      int
	delimiter byte
}

// next returns the next record; false at the end.
func (s *scanner) next() (r record, ok bool) {
	if s.rest == "" {
		return record{}, false
	}
	r.line = s.line
	for {
		field, ended, why := s.field()
		if why == "" && len(r.fields) == maxColumns {
			why = TooManyFields
		}
		if why != "" {
			r.column, r.wrong = len(r.fields), why
			if !ended {
				s.skipLine()
			}
			return r, true
		}
		r.fields = append(r.fields, field)
		if ended {
			return r, true
		}
	}
}

// field reads one field, and the delimiter or the end of the line behind it. Of a
// field that is wrong it reads nothing.
func (s *scanner) field() (field string, ended bool, wrong Reason) {
	if strings.HasPrefix(s.rest, `"`) {
		return s.quoted()
	}
	n := strings.IndexAny(s.rest, string([]byte{s.delimiter, '\r', '\n'}))
	if n < 0 {
		n = len(s.rest)
	}
	if n > MaxField {
		return "", false, TooLong
	}
	field, s.rest = s.rest[:n], s.rest[n:]
	return field, s.end(), ""
}

// quoted reads a field that begins with a quote. It looks no further than a field
// may be long, so that a file of quotes takes no longer than any other.
func (s *scanner) quoted() (field string, ended bool, wrong Reason) {
	var b strings.Builder
	rest := s.rest[1:]
	for {
		n := strings.IndexByte(rest[:min(len(rest), MaxField+1)], '"')
		switch {
		case n < 0 || b.Len()+n > MaxField:
			return "", false, OpenQuote
		case strings.HasPrefix(rest[n:], `""`):
			b.WriteString(rest[:n+1])
			rest = rest[n+2:]
			continue
		}
		b.WriteString(rest[:n])
		field, rest = b.String(), rest[n+1:]
		break
	}
	if rest != "" && rest[0] != s.delimiter && rest[0] != '\r' && rest[0] != '\n' {
		return "", false, StrayQuote
	}
	s.line += breaks(field)
	s.rest = rest
	return field, s.end(), ""
}

// end takes the delimiter or the end of the line away, and says which it was.
func (s *scanner) end() (ended bool) {
	if s.rest != "" && s.rest[0] == s.delimiter {
		s.rest = s.rest[1:]
		return false
	}
	s.skipLine()
	return true
}

// skipLine goes on behind the end of this line.
func (s *scanner) skipLine() {
	n := strings.IndexAny(s.rest, "\r\n")
	if n < 0 {
		s.rest = ""
		return
	}
	if strings.HasPrefix(s.rest[n:], "\r\n") {
		n++
	}
	s.rest = s.rest[n+1:]
	s.line++
}

// breaks counts the line breaks in a field.
func breaks(s string) int {
	return strings.Count(s, "\n") + strings.Count(s, "\r") - strings.Count(s, "\r\n")
}
