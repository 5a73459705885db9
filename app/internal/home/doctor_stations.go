package home

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/keydesk/keydesk/app/internal/remote"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/stations"
)

// stations looks whether stations on other machines are answered, and whether
// they renew their certificates.
func (d *doctor) stations(ctx context.Context) Diagnosis {
	set := d.set.Stations
	switch {
	case set.Listen == "":
		return skipped("none on other machines: stations.listen is empty")
	case d.keys == nil:
		return skipped(`cannot be looked at before "master key" is mended`)
	}
	authority, err := newAuthority(d.keys, Options{Settings: d.set, Now: d.now})
	if err != nil {
		return bad("mend the master key", "%s", err)
	}
	for _, name := range set.Names {
		err := authority.Probe(ctx, fromHere(set.Listen), name)
		switch {
		case errors.Is(err, remote.ErrStranger):
			return bad("see which program listens there; after a change of stations.names, start keydeskd serve anew", "at %s, as %q: %s", set.Listen, name, err)
		case err != nil:
			return bad("start keydeskd serve", "%s", err)
		}
	}
	return d.certificates(ctx)
}

// fromHere returns where somebody on this machine reaches what listens at an
// address of the settings.
func fromHere(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return listen
}

// certificates looks for stations that should have renewed theirs long ago.
func (d *doctor) certificates(ctx context.Context) Diagnosis {
	directory := stations.New()
	if err := feed.Over(domain.StationPrefix, d.log, d.now, directory).CatchUp(ctx); err != nil {
		return bad("see what the check of the log says", "%s", err)
	}
	var late []string
	in := 0
	for _, s := range directory.All() {
		if !s.Admitted() {
			continue
		}
		in++
		left := s.Certificates[len(s.Certificates)-1].Ends.Sub(d.now())
		switch {
		case left <= 0:
			late = append(late, s.ID+" (ended)")
		case left < d.set.Stations.CertificateLife/4:
			late = append(late, fmt.Sprintf("%s (%d days)", s.ID, int(left.Hours()/24)))
		}
	}
	if len(late) > 0 {
		return warn("switch them on where they can reach this machine; revoke those that are gone, and let in anew those that have ended",
			"certificates that end and were not renewed: %s", strings.Join(late, ", "))
	}
	return well("they are answered at %s; %d are let in", d.set.Stations.Listen, in)
}
