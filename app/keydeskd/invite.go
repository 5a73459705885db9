package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

type inviteCommand struct {
	Email    string   `arg:"" optional:"" help:"Whom, by the e-mail address that they will type at the kiosk."`
	Name     string   `help:"The name, where HR did not announce it." placeholder:"NAME"`
	Phone    string   `help:"The mobile number, where HR did not announce it." placeholder:"NUMBER"`
	Language language `help:"The language of the mail or the page: nl or en." placeholder:"LANGUAGE"`
	Mail     bool     `help:"Mail the ticket to the address." xor:"how"`
	Print    string   `help:"Write the ticket as a page for the printer: a new file that ends in .html." placeholder:"FILE" xor:"how"`
	List     bool     `help:"Show who has an invitation that may be redeemed." xor:"how"`
	Revoke   bool     `help:"Take the invitation of the address back." xor:"how"`
}

// Help says what a ticket is.
func (inviteCommand) Help() string {
	return "The ticket goes to the standard output, alone on its line: twelve characters, for one use, and kept nowhere. " +
		"Inviting the same person again makes another one, and the first counts no more. " +
		"A ticket that is mailed proves no more than that somebody reads that mail, which the code does too: " +
		"where it has to stand for a phone that HR does not know, print it, or pass it on.\n\nOf --list: " + recordsLooksToo
}

// Validate says which of the flags and the address go together.
func (c *inviteCommand) Validate() error {
	switch {
	case c.List != (c.Email == ""):
		return errors.New("expected an address, or --list without one")
	case (c.List || c.Revoke) && (c.Name != "" || c.Phone != "" || c.Language != ""):
		return errors.New("--name, --phone and --language are for a new invitation")
	case c.Print != "" && !strings.HasSuffix(strings.ToLower(c.Print), ".html"):
		return errors.New("--print: the file has to end in .html, which every browser prints")
	}
	return nil
}

func (c *inviteCommand) Run(a *app) error {
	switch {
	case c.List:
		return c.list(a)
	case c.Revoke:
		return c.revoke(a)
	}
	return c.invite(a)
}

// errNotMailed comes after a ticket that counts, and was not mailed.
var errNotMailed = errors.New("the ticket counts, and it was not mailed")

func (c *inviteCommand) invite(a *app) (err error) {
	h, err := a.open(a.settings())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	kind := enrolment.InvitationShown
	var page *os.File
	switch {
	case c.Mail:
		kind = enrolment.InvitationMailed
	case c.Print != "":
		kind = enrolment.InvitationPrinted
		// Before the ticket: an earlier one must not end for a file that cannot be.
		if page, err = os.OpenFile(c.Print, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
			return err
		}
		defer func() {
			if err = errors.Join(err, page.Close()); err != nil {
				err = errors.Join(err, os.Remove(c.Print))
			}
		}()
	}
	i, err := h.Desk.Invite(a.ctx, desk.Console(), desk.Person{
		Email: c.Email, Name: c.Name, Phone: c.Phone, Language: string(c.Language),
	}, kind)
	if err != nil {
		return inviteError(err)
	}
	if page != nil {
		text, err := h.Paper(i)
		if err == nil {
			_, err = page.Write(text)
		}
		if err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(a.out, i.Ticket.Reveal()); err != nil {
		return err
	}
	fmt.Fprintf(a.errs, "it works once, until %s\n", i.Expires.Local().Format("2006-01-02 15:04"))
	if !i.Asked {
		fmt.Fprintln(a.errs, "nobody will ask for it: this person may enrol without, and organisation.ticket asks for none")
	}
	if c.Mail {
		if err := h.Desk.MailInvitation(a.ctx, i); err != nil {
			return fmt.Errorf("%w: %w", errNotMailed, err)
		}
		fmt.Fprintln(a.errs, "the mail server has taken it over")
	}
	return nil
}

// inviteError says why somebody cannot be invited.
func inviteError(err error) error {
	if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.OutsideDomains {
		return errors.New("nobody can begin with this address: it is outside organisation.domains, and organisation.admission is \"domain\"")
	}
	for _, known := range []struct {
		err  error
		says string
	}{
		{enrolment.ErrNotAnAddress, "not an e-mail address; write it as name@example.nl"},
		{vault.ErrBadEmail, "no mail server can have this name; write the address as name@example.nl"},
		{enrolment.ErrAlreadyEnrolled, "this person is enrolled already, and logs in"},
		{enrolment.ErrFrozen, "this account is frozen: unfreeze it first, once it is sure whom you speak with"},
	} {
		if errors.Is(err, known.err) {
			return errors.New(known.says)
		}
	}
	return rosterError(err)
}

func (c *inviteCommand) revoke(a *app) error {
	return a.about(c.Email, func(h *opened, s domain.SubjectID) error {
		done, err := h.Desk.RevokeInvitation(a.ctx, desk.Console(), s)
		if err != nil {
			return err
		}
		says := "the invitation of %s counts no more\n"
		if !done {
			says = "%s has no invitation\n"
		}
		_, err = fmt.Fprintf(a.out, says, s)
		return err
	})
}

func (c *inviteCommand) list(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "SUBJECT\tE-MAIL\tNAME\tTICKET\tUNTIL\tTRIES LEFT")
	return a.everybody(h, table, func(s domain.SubjectID) error {
		i, open, err := h.Desk.OpenInvitation(a.ctx, s)
		if open {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\n", s, i.Email, i.Name, i.Kind, i.Expires.Local().Format("2006-01-02 15:04"), i.Tries)
		}
		return err
	})
}
