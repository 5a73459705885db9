package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/keydesk/keydesk/domain/service"
)

type clientCommands struct {
	Add    clientAdd    `cmd:"" help:"Let a program ask the API, and show its token, this once."`
	List   clientList   `cmd:"" help:"Show every client that there ever was."`
	Revoke clientRevoke `cmd:"" help:"Let a client ask no more, from this moment on."`
}

type clientAdd struct {
	ID    string   `arg:"" help:"Its name in the log: small letters, digits and dashes, such as portal."`
	Scope []string `help:"What it may ask for; several with commas. There are factor:read, which answers who has which factor, and login, which logs people in." default:"factor:read" placeholder:"SCOPE,..."`
}

// Help says what to do with the token.
func (clientAdd) Help() string {
	return "The token goes to the standard output, alone on its line. It is kept nowhere: the log has a hash of it. " +
		"One that was lost is revoked, and the client added anew."
}

func (c clientAdd) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	var scopes []service.Scope
	for _, s := range c.Scope {
		scopes = append(scopes, service.Scope(s))
	}
	token, err := h.Desk.AddClient(a.ctx, c.ID, scopes)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, token.Reveal())
	return err
}

type clientList struct{}

func (clientList) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	all, err := h.Clients(a.ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "CLIENT\tSTATE\tSCOPES")
	for _, id := range slices.Sorted(maps.Keys(all)) {
		c, state := all[id], "let in"
		if c.Revoked {
			state = "revoked"
		}
		var scopes []string
		for _, s := range c.Scopes {
			scopes = append(scopes, string(s))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", id, state, strings.Join(scopes, ","))
	}
	return table.Flush()
}

type clientRevoke struct {
	ID string `arg:"" help:"The client, as \"client list\" shows it."`
}

func (c clientRevoke) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	if err := h.Desk.RevokeClient(a.ctx, c.ID); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s may ask no more\n", c.ID)
	return err
}
