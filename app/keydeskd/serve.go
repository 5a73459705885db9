package main

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/home"
)

type serveCommand struct{}

// Help says what it takes.
func (serveCommand) Help() string {
	return "Answers the login service where api.listen says, stations where stations.listen does, and phones where " +
		"pocket.listen does, until it is asked to stop; what is under way is finished first. Several may run on one " +
		"installation, on as many machines."
}

var errNothingToServe = errors.New("none of api.listen, stations.listen and pocket.public_url is set: there is nothing to serve")

func (serveCommand) Run(a *app) (err error) {
	set, err := a.settings()
	if err != nil {
		return err
	}
	if set.API.Listen == "" && set.Stations.Listen == "" && set.Pocket.PublicURL == "" {
		return errNothingToServe
	}
	log, err := a.logger(set)
	if err != nil {
		return err
	}
	log = log.With(zap.String("program", "keydeskd"))
	h, err := home.Open(a.ctx, home.Options{
		Settings: set, Version: version, Phones: true, Services: true, Log: log,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(a.ctx))) }()
	for _, at := range []struct{ who, address string }{{"the login service", h.APIAt()}, {"stations", h.StationsAt()}, {"phones", h.PhonesAt()}} {
		if at.address != "" {
			fmt.Fprintf(a.out, "%s: answered at %s\n", at.who, at.address)
		}
	}
	return h.Run(a.ctx)
}
