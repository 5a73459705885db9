package home

import (
	"errors"
	"fmt"

	"github.com/keydesk/keydesk/app/internal/afas"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/settings"
)

// ErrNoAFAS says that no connector is set.
var ErrNoAFAS = errors.New("no AFAS is set up")

// AFAS returns the GetConnector that HR's list is read from; ErrNoAFAS where none is
// set. It is not asked anything yet.
func AFAS(set settings.AFAS) (*afas.Connector, error) {
	if set.URL == "" {
		return nil, ErrNoAFAS
	}
	f := set.Fields
	c, err := afas.New(afas.Config{
		URL: set.URL, Connector: set.Connector, Token: set.Token.Reveal(), PageSize: set.PageSize, Timeout: set.Timeout,
		Fields: map[roster.Field]string{
			roster.Email: f.Email, roster.Name: f.Name, roster.FirstName: f.FirstName, roster.Infix: f.Infix, roster.LastName: f.LastName,
			roster.Phone: f.Phone, roster.Mobile: f.Mobile, roster.Employee: f.Employee, roster.Start: f.Start,
			roster.Language: f.Language, roster.Team: f.Team,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("set up AFAS: %w", err)
	}
	return c, nil
}

// tells says which column stands for what the desk keeps.
var tells = []struct {
	column roster.Field
	field  desk.StaffField
}{
	{roster.Name, desk.StaffName},
	{roster.Phone, desk.StaffPhone},
	{roster.Employee, desk.StaffEmployee},
	{roster.Start, desk.StaffStart},
	{roster.Team, desk.StaffTeam},
	{roster.Language, desk.StaffLanguage},
}

// Staff returns the good rows of a list, as the desk imports them. StaffList.People are
// List.Rows, one for one.
func Staff(l roster.List) desk.StaffList {
	s := desk.StaffList{Source: l.Source, Digest: l.Digest}
	for _, t := range tells {
		if l.Has(t.column) {
			s.Tells = append(s.Tells, t.field)
		}
	}
	for _, r := range l.Rows {
		s.People = append(s.People, desk.Person{
			Email: r.Email, Name: r.Name, Phone: r.Phone, Employee: r.Employee, Start: r.Start, Team: r.Team, Language: r.Language,
		})
	}
	return s
}
