package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
)

type doctorCommand struct {
	JSON bool `name:"json" help:"A line of JSON for each check."`
}

// Help is shown under the command's --help.
func (doctorCommand) Help() string {
	return "Each line says what is so and, where something is wrong, how to mend it. " +
		"Exit status: 0 all is well, 1 something is bad, 3 there are warnings only. " +
		"In a log that holds events it appends one to a stream of probes; nothing is sent to anybody."
}

// Something is bad; or there are warnings only.
var (
	errBad      = errors.New("something is bad: see above")
	errWarnings = errors.New("there are warnings: see above")
)

func (c doctorCommand) Run(a *app) error {
	worst := home.Well
	tell := func(d home.Diagnosis) {
		switch {
		case d.Verdict == home.Bad:
			worst = home.Bad
		case d.Verdict == home.Warning && worst == home.Well:
			worst = home.Warning
		}
		c.print(a, d)
	}
	set, err := a.settings()
	if invalid, ok := errors.AsType[*settings.InvalidError](err); ok {
		for _, p := range invalid.Problems {
			tell(home.Diagnosis{Check: "settings", Verdict: home.Bad, Says: p.String(), Do: "change this; nothing else was looked at"})
		}
		return errBad
	}
	if err != nil {
		return err
	}
	tell(home.Diagnosis{Check: "settings", Verdict: home.Well, Says: "all of them can be used"})
	home.Examine(a.ctx, set, time.Now, tell)
	switch worst {
	case home.Bad:
		return errBad
	case home.Warning:
		return errWarnings
	case home.Well, home.Skipped:
	}
	return nil
}

func (c doctorCommand) print(a *app, d home.Diagnosis) {
	if c.JSON {
		_ = json.NewEncoder(a.out).Encode(d) // whoever reads it has left
		return
	}
	fmt.Fprintf(a.out, "%-8s %-11s %s\n", d.Verdict, d.Check, d.Says)
	if d.Do != "" {
		fmt.Fprintf(a.out, "%-8s %-11s → %s\n", "", "", d.Do)
	}
}
