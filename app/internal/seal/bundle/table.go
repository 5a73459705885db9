package bundle

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// A table writes the events as CSV for spreadsheets: UTF-8 with a byte order
// mark, every cell in quotes, lines end with CR LF. What separates the cells is
// what the spreadsheets of the language take for it: a semicolon in Dutch, a
// comma in English.
type table struct {
	out       *pump
	words     *i18n.Printer
	separator byte
	room      []byte
	names     map[string]string // of the types, in the table's language
	err       error
}

func newTable(out *pump, words *i18n.Printer) *table {
	t := &table{out: out, words: words, separator: ',', names: map[string]string{}}
	if words.Lang() == i18n.Dutch {
		t.separator = ';'
	}
	t.room = append(t.room, "\ufeff"...)
	var head []string
	for _, column := range []string{"position", "time", "event", "what", "subject", "actor", "role", "station", "correlation", "hash"} {
		head = append(head, words.T("report-column-"+column))
	}
	t.err = t.write(head...)
	return t
}

// row writes one leaf.
func (t *table) row(l *proof.Line, meta *domain.Metadata, hash tlog.Hash) error {
	if t.err != nil {
		return t.err
	}
	sum := hex.EncodeToString(hash[:])
	switch {
	case l.Expired:
		t.err = t.write(strconv.FormatUint(l.Entry.Position, 10), l.Entry.Date().Format(time.DateOnly), "",
			t.words.T("report-expired"), "", "", "", "", "", sum)
	case l.Checkpoint != "":
		t.err = t.write("", "", "", t.words.T("report-before"), "", "", "", "", "", sum)
	default:
		e := &l.Event
		correlation := ""
		if meta.Correlation != (domain.EventID{}) {
			correlation = meta.Correlation.String()
		}
		t.err = t.write(strconv.FormatUint(e.Position, 10), e.Time.UTC().Format("2006-01-02 15:04:05.000"), e.Type, t.name(e.Type),
			subjectOf(e.Stream), meta.Actor.ID, string(meta.Actor.Role), meta.Station, correlation, sum)
	}
	return t.err
}

// name returns a type's name for people.
func (t *table) name(typ string) string {
	name, known := t.names[typ]
	if !known {
		name = nameOf(t.words, typ)
		if len(t.names) < 1000 {
			t.names[typ] = name
		}
	}
	return name
}

// nameOf returns the name of a type of events for people; for one that this
// program does not know the type itself.
func nameOf(words *i18n.Printer, typ string) string {
	if id := "report-event-" + typ; words.Has(id) {
		return words.T(id)
	}
	return typ
}

// subjectOf returns whom a stream is about; "" where it is about nobody.
func subjectOf(stream string) string {
	for _, kind := range []string{domain.EnrolmentPrefix, domain.LoginPrefix, domain.StaffPrefix} {
		if s, is := strings.CutPrefix(stream, kind); is {
			return s
		}
	}
	return ""
}

// Close ends the table.
func (t *table) Close() error {
	if err := t.out.Close(); err != nil {
		return fmt.Errorf("write %s: %w", proof.FileTable, err)
	}
	return nil
}

func (t *table) write(cells ...string) error {
	for i, c := range cells {
		if i > 0 {
			t.room = append(t.room, t.separator)
		}
		t.room = appendCell(t.room, c)
	}
	t.room = append(t.room, "\r\n"...)
	_, err := io.Writer(t.out).Write(t.room)
	t.room = t.room[:0]
	if err != nil {
		return fmt.Errorf("write %s: %w", proof.FileTable, err)
	}
	return nil
}

// appendCell appends a cell that no spreadsheet takes for a formula (OWASP, CSV
// injection): one that begins like one gets an apostrophe before it. So does what is in
// it and would be a cell of its own where another separator counts, such as in a Dutch
// table under an English Excel, which sees no quotes in the middle. Events hold no free
// text of ours; but whoever can write to the log can write anything.
func appendCell(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		if begins := strings.TrimLeftFunc(s, isBlank); begins != "" && strings.ContainsAny(firstRune(begins), "=+-@\t\r\n＝＋－＠") {
			b = append(b, '\'')
		}
		i := strings.IndexAny(s, ",;|\t\r\n\"")
		if i < 0 {
			return append(append(b, s...), '"')
		}
		if b = append(b, s[:i]...); s[i] == '"' {
			b = append(b, '"')
		}
		b, s = append(b, s[i]), s[i+1:]
	}
}

// isBlank says whether a spreadsheet may pass over something at the beginning of a cell.
func isBlank(r rune) bool { return unicode.IsSpace(r) && !strings.ContainsRune("\t\r\n", r) }

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}
