package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

type staffCommands struct {
	Grant  staffGrant  `cmd:"" help:"Let somebody who is enrolled do what a role may."`
	Revoke staffRevoke `cmd:"" help:"Let them do it no more, from this moment on."`
	List   staffList   `cmd:"" help:"Show who has which roles."`
}

// Help says what the roles may do.
func (staffCommands) Help() string { return rolesHelp() }

// rolesHelp is the table of rights in words.
func rolesHelp() string {
	lines := []string{"The roles, and what each may do:"}
	for _, r := range staff.Roles() {
		var may []string
		for _, right := range staff.RightsOf([]domain.Role{r}) {
			may = append(may, string(right))
		}
		lines = append(lines, fmt.Sprintf("%s: %s", r, strings.Join(may, ", ")))
	}
	return strings.Join(lines, "\n\n")
}

type staffGrant struct {
	Role  string `arg:"" enum:"helpdesk,approver,auditor,admin" help:"helpdesk, approver, auditor or admin."`
	Email string `arg:"" help:"Whose, by e-mail address or id."`
}

// Help says what the roles may do.
func (staffGrant) Help() string { return rolesHelp() }

func (c staffGrant) Run(a *app) error {
	return onStaff(a, c.Email, func(h *opened, s domain.SubjectID) error {
		if err := h.Desk.Grant(a.ctx, desk.Console(), s, domain.Role(c.Role)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.out, "%s is %s from now on\n", c.Email, c.Role)
		return err
	})
}

type staffRevoke struct {
	Role  string `arg:"" enum:"helpdesk,approver,auditor,admin" help:"helpdesk, approver, auditor or admin."`
	Email string `arg:"" help:"Whose, by e-mail address or id."`
}

func (c staffRevoke) Run(a *app) error {
	return onStaff(a, c.Email, func(h *opened, s domain.SubjectID) error {
		if err := h.Desk.Revoke(a.ctx, desk.Console(), s, domain.Role(c.Role)); err != nil {
			return err
		}
		_, err := fmt.Fprintf(a.out, "%s is %s no more\n", c.Email, c.Role)
		return err
	})
}

// onStaff opens the home that is there, and does something to one person's roles.
func onStaff(a *app, emailOrID string, do func(*opened, domain.SubjectID) error) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	s, err := a.person(h, emailOrID)
	if err != nil {
		return err
	}
	return do(h, s)
}

type staffList struct{}

// Help says what is remembered of it.
func (staffList) Help() string { return recordsLooks }

func (staffList) Run(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	all, err := h.Desk.Staff(a.ctx)
	if err != nil {
		return err
	}
	if len(all) > 0 { // before anybody is shown
		if err := a.noteListing(h.Desk); err != nil {
			return err
		}
	}
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "E-MAIL\tROLES\tID")
	for _, m := range all {
		roles := make([]string, len(m.Roles))
		for i, r := range m.Roles {
			roles[i] = string(r)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", m.Email, strings.Join(slices.Compact(roles), ","), m.Subject)
	}
	return table.Flush()
}
