package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

type rosterCommands struct {
	Add  rosterAdd  `cmd:"" help:"Announce somebody, or change what was announced."`
	List rosterList `cmd:"" help:"Show everybody who was announced."`
}

type rosterAdd struct {
	Email    string `required:"" help:"The address at which the person gets the first code."`
	Name     string `help:"The name, as the person will see it and may change it."`
	Phone    string `help:"The mobile number, if HR knows it."`
	Language string `help:"nl or en." enum:"nl,en," default:""`
}

func (c rosterAdd) Run(a *app) (err error) {
	h, err := a.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	s, err := h.Desk.AddToRoster(a.ctx, desk.Person{Email: c.Email, Name: c.Name, Phone: c.Phone, Language: c.Language},
		"console-"+time.Now().UTC().Format("20060102"))
	if err != nil {
		return rosterError(err)
	}
	_, err = fmt.Fprintln(a.out, s)
	return err
}

// rosterError says what is wrong with an entry, and what would be right.
func rosterError(err error) error {
	switch {
	case errors.Is(err, enrolment.ErrNotAnAddress):
		return errors.New("--email: not an e-mail address")
	case errors.Is(err, enrolment.ErrNotANumber):
		return errors.New("--phone: not a phone number that exists; write it as 0612345678 or +31612345678")
	case errors.Is(err, enrolment.ErrNoSMS):
		return errors.New("--phone: this number gets no SMS; a mobile one does")
	case errors.Is(err, enrolment.ErrCountryNotAllowed):
		return errors.New("--phone: a number of a country that is not allowed; see policy.phone_countries in the settings")
	}
	return err
}

type rosterList struct{}

func (rosterList) Run(a *app) (err error) {
	h, err := a.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SUBJECT\tE-MAIL\tNAME\tPHONE\tLANGUAGE\tFACTOR")
	var failed error
	err = h.Vault.Emails(a.ctx, func(s domain.SubjectID, _ [32]byte) bool {
		p, on, err := h.Desk.OnRoster(a.ctx, s)
		if err != nil {
			failed = err
			return false
		}
		if on {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", s, p.Email, p.Name, p.Phone, p.Language, h.Factors.Lookup(s).Factor)
		}
		return true
	})
	return errors.Join(err, failed, table.Flush())
}
