package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

type importCommand struct {
	File    string `arg:"" optional:"" placeholder:"FILE.csv" help:"HR's list, as comma-separated values."`
	AFAS    bool   `name:"afas" help:"Read the list from AFAS Profit instead, as [afas] in the settings says."`
	Leavers bool   `help:"The list is of everybody: who is on the roster and not on the list has left."`
	All     bool   `name:"all-or-nothing" help:"Import nothing when a row is bad."`
	DryRun  bool   `name:"dry-run" help:"Show what would be done, and do nothing."`
	Yes     bool   `short:"y" help:"Do not ask."`
}

// Help is shown under the command's --help.
func (importCommand) Help() string {
	return "Reads a list of staff, shows what is wrong with it and what it will change, asks, and announces everybody. " +
		"The first row names the columns, in Dutch or English: e-mail (the only one that has to be there), name or first name, " +
		"infix and last name, phone or mobile, employee number, start date, language, team. Others are left out. " +
		"An empty field takes away what was announced before; a column that is not there leaves it as it is. " +
		"The same list again changes nothing. Broken off, the same command goes on where it was.\n\n" +
		"With --afas the list is what a GetConnector of AFAS Profit gives, and its fields are the columns; " +
		"\"keydeskd doctor\" shows which it finds.\n\n" +
		"With --leavers it shows people whom the list does not name. " + recordsLooks + "\n\n" +
		"Exits with 0 when every row was good, with 3 when bad rows were left out, with 1 when nothing or not all was imported."
}

var (
	errBadRows   = errors.New("nothing was imported: a row is bad, see above")
	errLeftOut   = errors.New("rows were left out: see above")
	errNotAsked  = errors.New("nothing was imported: nobody said yes")
	errNotWholly = errors.New("nothing was imported: with a bad row nobody can say who is missing from the list")
	errBrokenOff = errors.New("broken off")
)

// Validate sees that there is one list.
func (c importCommand) Validate() error {
	switch {
	case c.File == "" && !c.AFAS:
		return errors.New("expected \"<FILE.csv>\" or --afas")
	case c.File != "" && c.AFAS:
		return errors.New("a file and --afas: give one of them")
	}
	return nil
}

func (c importCommand) Run(a *app) error {
	set, err := a.settings()
	if err != nil {
		return err
	}
	list, err := c.read(a, set)
	if err != nil {
		return err
	}
	c.showList(a.out, list)
	if err := c.refuse(list.Bad > 0); err != nil {
		return err
	}
	if c.DryRun {
		set, err = a.existing() // makes no home
	}
	return c.plan(a, set, err, list)
}

// read reads the list, from wherever it is.
func (c importCommand) read(a *app, set settings.Settings) (l roster.List, err error) {
	var from roster.Source
	name := c.File
	if c.AFAS {
		name = "AFAS"
		if from, err = home.AFAS(set.AFAS); err != nil {
			return l, err
		}
	} else {
		f, err := os.Open(c.File)
		if err != nil {
			return l, err
		}
		defer func() { _ = f.Close() }() // only read
		from = roster.File{From: f}
	}
	tell := a.meter.begin("reading the list", "people")
	l, err = from.List(a.ctx, set.Policy, func(done int) { tell(int64(done), 0) })
	if a.meter.rest(); err != nil {
		return l, fmt.Errorf("%s: %w", name, err)
	}
	return l, nil
}

// refuse says whether a bad row ends it all.
func (c importCommand) refuse(bad bool) error {
	switch {
	case bad && c.Leavers:
		return errNotWholly
	case bad && c.All:
		return errBadRows
	}
	return nil
}

// showList says how a list was read, and what is wrong with it.
func (c importCommand) showList(out io.Writer, l roster.List) {
	where, column := placesOf(l), "columns"
	if l.Source == enrolment.RosterFromAFAS {
		column = "fields"
		fmt.Fprintf(out, "%d rows, from AFAS\n", l.Total)
	} else {
		fmt.Fprintf(out, "%d rows, in %s, with %q between the fields\n", l.Total, l.Encoding, l.Delimiter)
	}
	names := make([]string, len(l.Columns))
	for i, col := range l.Columns {
		names[i] = fmt.Sprintf("%q is the %s", col.Name, fieldWords[col.Field])
	}
	fmt.Fprintf(out, "%s: %s\n", column, strings.Join(names, ", "))
	if len(l.Ignored) > 0 {
		fmt.Fprintf(out, "%s that are left out: %s\n", column, strings.Join(quoted(l.Ignored), ", "))
	}
	for _, p := range l.Notes {
		fmt.Fprintf(out, "note, %s: %s\n", where.of(p.Line, p.Column), reasonWords[p.Reason])
	}
	for _, p := range l.Problems {
		words := reasonWords[p.Reason]
		if p.Reason == roster.Twice {
			words = fmt.Sprintf(words, where.of(p.Other, ""))
		}
		fmt.Fprintf(out, "bad row, %s: %s\n", where.of(p.Line, p.Column), words)
	}
}

func quoted(names []string) []string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = strconv.Quote(n)
	}
	return q
}

// places is how a list calls where something stands.
type places struct{ row, column string }

func placesOf(l roster.List) places {
	if l.Source == enrolment.RosterFromAFAS {
		return places{"row", "field"}
	}
	return places{"line", "column"}
}

// of says where something stands. What is in the field is not repeated.
func (p places) of(line int, column string) string {
	if column == "" {
		return fmt.Sprintf("%s %d", p.row, line)
	}
	return fmt.Sprintf("%s %d, %s %q", p.row, line, p.column, column)
}

var fieldWords = map[roster.Field]string{
	roster.Email: "e-mail address", roster.Name: "name", roster.FirstName: "first name", roster.Infix: "infix", roster.LastName: "last name",
	roster.Phone: "phone number", roster.Mobile: "mobile number", roster.Employee: "employee number", roster.Start: "start date",
	roster.Language: "language", roster.Team: "team",
}

// reasonWords says what is wrong, and what would be right.
var reasonWords = map[roster.Reason]string{
	roster.EmailMissing:    "there is no e-mail address; give the one at which the person gets the first code",
	roster.NotAnAddress:    "not an e-mail address; write it as name@example.nl",
	roster.Twice:           "the same e-mail address as that of %s; keep one of the two rows",
	roster.NotAName:        "not a name; write it in at most 100 characters, with a letter in it, or leave it empty",
	roster.NotANumber:      "not a phone number that exists; write it as 0612345678 or +31612345678, or leave it empty",
	roster.NumberMangled:   "the spreadsheet shortened this number and its digits are lost; format the column as text and type it anew",
	roster.NoSMS:           "this number gets no SMS; give a mobile one, or leave it empty",
	roster.Country:         "a number of a country that is not allowed; leave it empty, or add the country to policy.phone_countries in the settings",
	roster.NotADate:        "not a day; write it as 2026-12-01 or 1-12-2026, or leave it empty",
	roster.UnknownLanguage: "not a language that Keydesk speaks; write nl or en, or leave it empty",
	roster.Unusable:        "not a line of text; write it in at most 100 characters, or leave it empty",
	roster.TooLong:         "longer than 1000 characters; is a quote missing, or the delimiter another one?",
	roster.TooFewFields:    "fewer fields than columns; see whether the row goes on in the next line: then it needs quotes",
	roster.TooManyFields:   "more fields than columns; a field with the delimiter in it needs quotes",
	roster.FieldMissing:    "the row has no such field, not even an empty one; take the field out of the connector, or set it to \"-\" in [afas.fields]",
	roster.OpenQuote:       "a quote is opened and not closed within 1000 characters; close it, and double one that is part of the text",
	roster.StrayQuote:      "something stands behind a closing quote; double a quote that is part of the text",
	roster.ZeroAdded:       "the number has lost its first 0 in a spreadsheet; it is read with it",
	roster.PlusAdded:       "the number has lost its + in a spreadsheet; it is read with it",
}

// plan opens the home, shows what the list will change there, and does it.
func (c importCommand) plan(a *app, set settings.Settings, err error, list roster.List) (failed error) {
	h, err := a.open(set, err)
	if err != nil {
		return err
	}
	defer func() { failed = errors.Join(failed, h.Close(a.ctx)) }()
	plan, err := h.Desk.PlanImport(a.ctx, home.Staff(list), desk.ImportOptions{Progress: a.people("comparing the list"), Leavers: c.Leavers})
	a.meter.rest()
	showRefused(a.out, plan.Refused, list)
	if errors.Is(err, desk.ErrNotEverybody) {
		return errNotWholly
	} else if err != nil {
		return err
	}
	if err := c.refuse(slices.ContainsFunc(plan.Refused, func(r desk.ImportRefusal) bool { return r.At >= 0 })); err != nil {
		return err
	}
	left := list.Bad + len(plan.Refused)
	showPlan(a.out, plan, list, left)
	switch {
	case c.DryRun || len(plan.Steps) == 0:
		return leftOut(left)
	case !c.Yes:
		if err := a.confirm(fmt.Sprintf("Do this for %d people? [y/N] ", len(plan.Steps))); err != nil {
			return err
		}
	}
	done, err := h.Desk.Import(a.ctx, plan, a.people("importing"))
	a.meter.rest()
	showRefused(a.out, done.Refused, list)
	fmt.Fprintf(a.out, "imported %d of %d, as %s\n", done.Done, len(plan.Steps), plan.Batch)
	if err != nil {
		return fmt.Errorf("%w after %d of %d: %w", errBrokenOff, done.Done, len(plan.Steps), err)
	}
	return leftOut(left + len(done.Refused))
}

func leftOut(n int) error {
	if n > 0 {
		return errLeftOut
	}
	return nil
}

// showPlan says how many people there are of each kind, and names those about whom
// something changes that was announced before.
func showPlan(out io.Writer, p desk.ImportPlan, l roster.List, left int) {
	for _, s := range p.Steps {
		switch s.Do {
		case desk.ImportNew: // are counted
		case desk.ImportChange:
			what := make([]string, len(s.Changes))
			for i, f := range s.Changes {
				what[i] = string(f)
			}
			fmt.Fprintf(out, "changes, %s: %s: %s\n", placesOf(l).of(l.Rows[s.At].Line, ""), s.Email, strings.Join(what, ", "))
		case desk.ImportLeave:
			fmt.Fprintf(out, "leaves: %s\n", s.Email)
		}
	}
	for _, n := range []struct {
		name  string
		count int
	}{
		{"new", p.Count(desk.ImportNew)},
		{"changed", p.Count(desk.ImportChange)},
		{"the same", p.Same},
		{"leaving", p.Count(desk.ImportLeave)},
		{"left out", left},
	} {
		fmt.Fprintf(out, "%-9s %d\n", n.name, n.count)
	}
}

// showRefused names the entries that only the home could judge.
func showRefused(out io.Writer, refused []desk.ImportRefusal, l roster.List) {
	for _, r := range refused {
		where := "person " + r.Subject.String()
		if r.At >= 0 {
			where = placesOf(l).of(l.Rows[r.At].Line, "")
		}
		fmt.Fprintf(out, "bad row, %s: %s\n", where, refusalWords(r.Err))
	}
}

func refusalWords(err error) string {
	for _, known := range []struct {
		err  error
		says string
	}{
		{vault.ErrBadEmail, "no mail server can have this name; write the address as name@example.nl"},
		{desk.ErrListedTwice, "the same e-mail address as further up; keep one of the two rows"},
		{domain.ErrUnknownEvent, "something happened to this person that this keydeskd does not know; use that of the kiosk's version, or a newer one"},
		{domain.ErrErased, "this person was erased a moment ago; import the list again"},
		{desk.ErrSaidMeanwhile, "another import announced this person meanwhile, so they do not leave; import the list again, if it is the newer one"},
	} {
		if errors.Is(err, known.err) {
			return known.says
		}
	}
	return err.Error()
}

// confirm asks whoever sits at the command line.
func (a *app) confirm(question string) error {
	if line, err := a.answer(question); err != nil || !isYes(line) {
		return errNotAsked
	}
	return nil
}

// answer returns the line that was typed; an error when a.ctx ended before.
func (a *app) answer(question string) (string, error) {
	fmt.Fprint(a.errs, question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.in).ReadString('\n') // an error is no answer
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-a.ctx.Done():
		fmt.Fprintln(a.errs)
		return "", a.ctx.Err()
	case line := <-answer:
		if !isTerminal(a.in) { // where the question's line was ended by who answered
			fmt.Fprintln(a.errs)
		}
		return line, nil
	}
}

func isYes(line string) bool { return slices.Contains([]string{"y", "yes", "j", "ja"}, line) }

// people shows how far something is that is done to many people.
func (a *app) people(what string) func(done, total int) {
	tell := a.meter.begin(what, "people")
	return func(done, total int) { tell(int64(done), int64(total)) }
}
