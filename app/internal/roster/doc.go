// Package roster reads lists of staff as HR has them: files of comma-separated
// values, from a spreadsheet or an HR system, and tables, row by row, from a system that
// is asked for them. It says what each row announces, and names each that is wrong with
// its line, its column and the reason. It is a package of its own since nothing in it
// knows of logs, vaults or networks, and whatever reads a list has to read it alike: the
// command line or a window, from any Source.
//
// Files are taken as they come: header names in Dutch or English, ";" or "," between
// the fields, UTF-8 with or without a byte order mark, or Windows-1252. What was
// guessed at is said, in List or as a note.
//
// It imports domain, domain/enrolment, the standard library and golang.org/x/text.
// Nothing is written anywhere. Start reading at Source, then at Read, then at record in
// csv.go.
package roster
