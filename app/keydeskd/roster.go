package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

type rosterCommands struct {
	Add  rosterAdd  `cmd:"" help:"Announce somebody, or change what was announced."`
	List rosterList `cmd:"" help:"Show everybody who was announced."`
}

type rosterAdd struct {
	Email    string   `required:"" help:"The address at which the person gets the first code." placeholder:"ADDRESS"`
	Name     string   `help:"The name, as the person will see it and may change it." placeholder:"NAME"`
	Phone    string   `help:"The mobile number, if HR knows it." placeholder:"NUMBER"`
	Employee string   `help:"The employer's number for the person." placeholder:"NUMBER"`
	Start    string   `help:"The person's first day, as 2026-12-01." placeholder:"DAY"`
	Team     string   `help:"Where the person will work." placeholder:"TEAM"`
	Language language `help:"The language of the first mail: nl or en." placeholder:"LANGUAGE"`
}

// Help says what happens to what was announced before.
func (rosterAdd) Help() string {
	return "Prints the person's id. The same again changes nothing; something else replaces all " +
		"that was announced of this person, so that what is left out is taken away."
}

// A language is one that the screens speak, or empty.
type language string

func (l *language) UnmarshalText(b []byte) error {
	if !slices.Contains(i18n.Languages(), string(b)) {
		return errors.New("not a language that Keydesk speaks; those are " + strings.Join(i18n.Languages(), " and "))
	}
	*l = language(b)
	return nil
}

func (c rosterAdd) Run(a *app) (err error) {
	h, err := a.open(a.settings())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	s, err := h.Desk.AddToRoster(a.ctx, desk.Person{
		Email: c.Email, Name: c.Name, Phone: c.Phone, Employee: c.Employee, Start: c.Start, Team: c.Team, Language: string(c.Language),
	},
		"console-"+time.Now().UTC().Format("20060102"))
	if err != nil {
		return rosterError(err)
	}
	_, err = fmt.Fprintln(a.out, s)
	return err
}

// rosterError says what is wrong with an entry, and what would be right.
func rosterError(err error) error {
	if r, ok := errors.AsType[*desk.Refusal](err); ok && (r.Code == desk.NameMissing || r.Code == desk.NameUnusable) {
		return errors.New("--name: not a name; write it on one line, in at most 100 characters, with a letter in it")
	}
	for _, known := range []struct {
		err  error
		says string
	}{
		{enrolment.ErrNotAnAddress, "--email: not an e-mail address; write it as name@example.nl"},
		{desk.ErrNotADay, "--start: not a day; write it as 2026-12-01"},
		{desk.ErrNotALine, "--employee, --team: write each on one line, in at most 100 characters"},
		{vault.ErrBadEmail, "--email: no mail server can have this name; write the address as name@example.nl"},
		{enrolment.ErrNotANumber, "--phone: not a phone number that exists; write it as 0612345678 or +31612345678"},
		{enrolment.ErrNoSMS, "--phone: this number gets no SMS; give a mobile one, or none"},
		{enrolment.ErrCountryNotAllowed, "--phone: a number of a country that is not allowed; give another, or add the country to policy.phone_countries in the settings"},
	} {
		if errors.Is(err, known.err) {
			return errors.New(known.says)
		}
	}
	return err
}

type rosterList struct{}

// Help says what is remembered of it.
func (rosterList) Help() string { return recordsLooks }

func (rosterList) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SUBJECT\tE-MAIL\tNAME\tPHONE\tEMPLOYEE\tSTART\tTEAM\tLANGUAGE\tFACTOR")
	return a.everybody(h, table, func(s domain.SubjectID) error {
		p, on, err := h.Desk.OnRoster(a.ctx, s)
		if on {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s, p.Email, p.Name, p.Phone, p.Employee, p.Start, p.Team, p.Language, h.Factors.Lookup(s).Factor)
		}
		return err
	})
}

// everybody shows people of whom the vault has an address, in a table that has a head. That
// somebody looks is recorded before the first of them is; where it cannot be, nothing is
// shown.
func (a *app) everybody(h *opened, table *tabwriter.Writer, show func(domain.SubjectID) error) error {
	var failed error
	noted := false
	err := h.Vault.Emails(a.ctx, func(s domain.SubjectID, _ [32]byte) bool {
		if !noted {
			failed, noted = a.noteListing(h.Desk), true
		}
		if failed == nil {
			failed = show(s)
		}
		return failed == nil
	})
	if errors.Is(failed, errNotRecorded) {
		return errors.Join(err, failed)
	}
	return errors.Join(err, failed, table.Flush())
}
