package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/home"
)

type pruneCommand struct {
	ClockIsRight bool `help:"This machine's clock is right, also where nothing was recorded for long. Else of each silence a month counts at the most, and half of log.keep_logins."`
}

var errPruning = errors.New("not all of it is removed")

// Help says what goes, and what stays.
func (pruneCommand) Help() string {
	return "Logins are given for as long as log.keep_logins says. This removes those that are older, from the log's file for good, and from the vault where they were from. " +
		"Kiosks go on meanwhile; some of their writing waits for as long as it takes to write the file anew, some seconds for a million events, and the disk needs room for a second one. " +
		"It is recorded in the log. The seal keeps a hash of each, so that the rest still verifies. " +
		"On an EventStoreDB the streams of logins bear $maxAge: there the server removes them when it is scavenged, and only the vault is seen to here. " +
		"Once a day is often enough, at night.\n\n" +
		"A clock that runs ahead by years would make every login too old. So the clock is believed as far as the log bears it out: where nothing was recorded for long, " +
		"a month of that counts at the most, and what would be too old by the rest alone stays. It is said when that is so; after a long pause that was one, --clock-is-right counts it whole."
}

// Left says what is there of one that was stopped.
func (pruneCommand) Left() string { return "the same command goes on where it was" }

func (c pruneCommand) Run(a *app) (err error) {
	set, err := a.existing()
	if err != nil {
		return err
	}
	h, err := a.open(set, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	p, err := h.PruneLogins(a.ctx, home.Pruning{
		Now: time.Now(), Keep: set.Log.KeepLogins, TrustClock: c.ClockIsRight,
		Progress: a.pruned(),
	})
	a.meter.rest()
	if err != nil {
		return fmt.Errorf("%w: %w", errPruning, err)
	}
	if p.Server {
		fmt.Fprintln(a.out, "the log is a server's, which removes old logins itself when it is scavenged")
	} else {
		fmt.Fprintf(a.out, "removed %d events of logins of before %s\n", p.Events, p.Before.Format(time.RFC3339))
	}
	if p.Later > 0 {
		fmt.Fprintf(a.errs, "keydeskd: nothing was recorded for long, or the clock runs ahead: logins of the %.0f days after that are kept; if the clock is right, --clock-is-right removes them, too\n", p.Later.Hours()/24)
	}
	_, err = fmt.Fprintf(a.out, "the vault has forgotten %d places that only they named\n", p.Places)
	return err
}

// pruned shows how far a pruning is, which looks for them first, and writes the log's file
// anew in the end.
func (a *app) pruned() func(done, total int64) {
	a.meter.begin("looking for logins that are too old", "")
	var tell func(done, total int64)
	return func(done, total int64) {
		if tell == nil {
			tell = a.meter.begin("removing logins", "events")
		}
		if tell(done, total); done == total {
			a.meter.begin("writing the log's file anew", "")
		}
	}
}
