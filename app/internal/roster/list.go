package roster

import (
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/domain/enrolment"
)

// The bounds of a list. A larger one is refused as a whole, a longer field makes its
// row bad.
const (
	MaxBytes = 32 << 20
	MaxRows  = 100_000
	MaxField = 1000 // bytes of one value
)

// Why a list is refused as a whole.
var (
	// ErrEmpty: there is no header in it.
	ErrEmpty = errors.New("the list is empty")
	// ErrNoEmail: no column is called as one with e-mail addresses is.
	ErrNoEmail = errors.New("no column with e-mail addresses")
	// ErrTooLarge: more than MaxBytes.
	ErrTooLarge = fmt.Errorf("larger than %d MB", MaxBytes>>20)
	// ErrTooManyRows: more than MaxRows.
	ErrTooManyRows = fmt.Errorf("more than %d rows", MaxRows)
	// ErrWorkbook: a spreadsheet's own format.
	ErrWorkbook = errors.New("a workbook, not a CSV file")
	// ErrNotText: UTF-16, or something that is no text at all.
	ErrNotText = errors.New("neither UTF-8 nor Windows-1252")
	// ErrNoRows: a system gave nobody at all. Of a file that is no error: somebody made it.
	ErrNoRows = errors.New("nobody is on the list")
	// ErrHeader: the header cannot be read as one row.
	ErrHeader = errors.New("the header has a quote that is not closed, or a name that is too long")
)

// A List is what was read of a source.
type List struct {
	Source    enrolment.RosterSource
	Digest    [32]byte // SHA-256 of the file, or of what a table was given
	Encoding  Encoding // of a file
	Delimiter rune     // of a file
	Columns   []Column
	Ignored   []string // the names of the columns that nobody asked for
	Rows      []Row    // the good ones, in the order of the source
	Problems  []Problem
	Notes     []Problem // what was read in another way than it stands there
	Total     int       // rows that are not empty, good and bad
	Bad       int
}

// Has says whether the list has a column of this kind. Of a name one part is enough.
func (l *List) Has(f Field) bool {
	for _, c := range l.Columns {
		if c.Field == f || f == Name && (c.Field == FirstName || c.Field == LastName) || f == Phone && c.Field == Mobile {
			return true
		}
	}
	return false
}

// Encoding is how the letters of a file are written.
type Encoding string

// The encodings.
const (
	UTF8        Encoding = "UTF-8"
	Windows1252 Encoding = "Windows-1252"
)

// A Field is what a column is about.
type Field string

// The fields. First, infix and last name together are a name; a mobile number
// goes before another one.
const (
	Email     Field = "email"
	Name      Field = "name"
	FirstName Field = "first-name"
	Infix     Field = "infix"
	LastName  Field = "last-name"
	Phone     Field = "phone"
	Mobile    Field = "mobile"
	Employee  Field = "employee"
	Start     Field = "start"
	Language  Field = "language"
	Team      Field = "team"
)

// A Column is one that was understood.
type Column struct {
	Field Field
	Name  string // as it stands in the header
	index int
}

// A Row announces one person. Empty: the list does not say.
type Row struct {
	Line     int // on which it begins in a file, or its number; from 1
	Email    string
	Name     string
	Phone    string // E.164
	Employee string
	Start    string // 2026-12-01
	Language string // nl, en
	Team     string
}

// A Problem is what is wrong, or was taken in another way than it stands there, in
// one field of one row.
type Problem struct {
	Line   int    // as that of a row
	Column string // as the source names it; empty: the whole row
	Reason Reason
	Other  int // Twice: the line where the address stands first
}

// Reason says what is wrong, or, as a note, what was done.
type Reason string

// The reasons of bad rows.
const (
	EmailMissing    Reason = "email-missing"
	NotAnAddress    Reason = "not-an-address"
	Twice           Reason = "twice" // the same address, further up
	NotAName        Reason = "not-a-name"
	NotANumber      Reason = "not-a-number"
	NumberMangled   Reason = "number-mangled" // 3,16E+10: the digits are lost
	NoSMS           Reason = "no-sms"
	Country         Reason = "country"
	NotADate        Reason = "not-a-date"
	UnknownLanguage Reason = "unknown-language"
	Unusable        Reason = "unusable" // too long, or with characters that no line of text has
	TooLong         Reason = "too-long" // longer than MaxField
	TooFewFields    Reason = "too-few-fields"
	TooManyFields   Reason = "too-many-fields"
	FieldMissing    Reason = "field-missing" // the source has a column, and this row no value, not even an empty one
	OpenQuote       Reason = "open-quote"
	StrayQuote      Reason = "stray-quote" // something stands behind a closing one
)

// The reasons of notes.
const (
	ZeroAdded Reason = "zero-added" // 612345678 was taken for 0612345678
	PlusAdded Reason = "plus-added" // 31612345678 was taken for +31612345678
)
