package main

import (
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/stations"
)

type stationCommands struct {
	Add    stationAdd    `cmd:"" help:"Let a station in, and write the file that it shows itself with."`
	List   stationList   `cmd:"" help:"Show every station that was let in."`
	Revoke stationRevoke `cmd:"" help:"Let a station in no more, from this moment on."`
}

type stationAdd struct {
	ID   string `arg:"" help:"Its name in the log: small letters, digits and dashes, such as hal-west."`
	Kind string `help:"kiosk, where new staff enrol, or desk, where a member of staff works." enum:"kiosk,desk" default:"kiosk" placeholder:"KIND"`
	Out  string `required:"" help:"The file to write. There must be none yet." placeholder:"FILE"`
}

// Help says what to do with the file.
func (stationAdd) Help() string {
	return "The file holds the station's key, its certificate and the authority of this installation. Take it to " +
		"the station, readable for its user only, and delete it here: whoever has it can be that station, until " +
		"the station is revoked. It opens nothing else; it holds no key of the log or the vault."
}

func (c stationAdd) Run(a *app) (err error) {
	if !domain.FreeID(c.ID) {
		return station.ErrBadStation
	}
	set, err := a.existing()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(c.Out); err == nil {
		return fmt.Errorf("%s: %w", c.Out, os.ErrExist)
	}
	h, err := a.open(set, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	b, err := h.Authority.Bundle(c.ID, set.Stations.CertificateLife)
	if err != nil {
		return err
	}
	// The file first: a station that is let in and has none can only be revoked.
	if err := remote.WriteBundle(c.Out, b); err != nil {
		return err
	}
	if err := h.Desk.AdmitStation(a.ctx, c.ID, station.Kind(c.Kind), b.Certificate()); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	_, err = fmt.Fprintf(a.out, "%s is let in, until %s; its file is %s\n", c.ID, b.Ends().Format(time.DateOnly), c.Out)
	return err
}

type stationList struct{}

func (stationList) Run(a *app) (err error) {
	all, err := a.stations()
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "STATION\tKIND\tSTATE\tCERTIFICATE\tENDS")
	for _, s := range all {
		newest := s.Certificates[len(s.Certificates)-1]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.Kind, stateOf(s), newest.Serial, newest.Ends.Format(time.DateOnly))
	}
	return table.Flush()
}

func stateOf(s stations.Station) string {
	switch {
	case s.Unclear:
		return "unclear: recorded by a newer Keydesk"
	case s.Revoked != "":
		return "revoked: " + string(s.Revoked)
	case time.Now().After(s.Certificates[len(s.Certificates)-1].Ends):
		return "ended"
	}
	return "let in"
}

// stations reads every station of the installation.
func (a *app) stations() (_ []stations.Station, err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	return h.Stations(a.ctx)
}

type stationRevoke struct {
	ID     string `arg:"" help:"The station, as \"station list\" shows it."`
	Reason string `required:"" help:"lost, stolen, replaced (by another machine) or retired." enum:"lost,stolen,replaced,retired" placeholder:"REASON"`
}

func (c stationRevoke) Run(a *app) (err error) {
	if !domain.ValidID(c.ID) {
		return station.ErrBadStation
	}
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	if err := h.Desk.RevokeStation(a.ctx, c.ID, station.Revocation(c.Reason)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s is let in no more\n", c.ID)
	return err
}
