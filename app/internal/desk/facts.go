package desk

import (
	"slices"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Facts is what everybody at a station may know of the installation. With them
// a station judges by itself what is being typed, at once and without sending
// it anywhere. They are plain values and survive the wire.
type Facts struct {
	Organisation string
	Portal       string
	Domains      []string // the organisation's e-mail domains
	Admission    enrolment.Admission
	Rules        password.Policy
	Demo         bool
}

// Facts returns the installation's own.
func (d *Desk) Facts() Facts {
	return Facts{d.Organisation, d.Portal, d.Domains, d.Admission, d.Rules, d.Demo}
}

// CheckEmail says whether an address can be used at all, which everybody may
// know: a *Refusal if not. Whether somebody with it may enrol is never said.
// The suggestion, if any, is the address that was probably meant.
func (f Facts) CheckEmail(typed string) (suggestion string, err error) {
	a, err := enrolment.ParseAddress(typed)
	if err != nil {
		return "", refuse(NotAnAddress)
	}
	if near := enrolment.Nearest(a.Domain, f.Domains); near != "" {
		suggestion = a.Local + "@" + near
	}
	// With a roster a private address may be the right one.
	if f.Admission == enrolment.ByDomain && !slices.Contains(f.Domains, a.Domain) {
		return suggestion, refuse(OutsideDomains)
	}
	return suggestion, nil
}

// CheckPassword judges a password of the person with an address and a name.
func (f Facts) CheckPassword(email, name, typed string) PasswordReport {
	return f.Rules.Check(typed, password.Context{Organisation: []string{f.Organisation, f.Portal}, Name: name, Email: email})
}
