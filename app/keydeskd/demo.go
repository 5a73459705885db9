package main

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/demo"
	"github.com/keydesk/keydesk/app/internal/home"
)

type fillCommand struct {
	People int    `help:"How many people there are." default:"500" placeholder:"N"`
	Days   int    `help:"How many days the history goes back." default:"30" placeholder:"D"`
	Seed   uint64 `help:"The same number gives the same history." default:"1" placeholder:"S"`
	Until  moment `help:"When it ends (RFC 3339), which is now unless it is given; working hours are those of its zone." placeholder:"TIME"`
}

// Help says what comes of it.
func (fillCommand) Help() string {
	return "Makes up people who enrol, mistype, get stuck, log in, switch, lose their phones and leave, and records it all as if it had happened: " +
		"for demos, screenshots, benchmarks and audits. Some are on their way just when it ends. " +
		"It goes into a new home, which becomes a demo for good, or a demo that nobody is in yet; any other is refused and left alone. " +
		"In a new home the same number of people and days, seed, end, settings and version give the same log, byte for byte. " +
		"Everybody has the same password, which is shown at the end. Interrupted, remove the folder and begin again."
}

// A moment is a time; the zero one is now.
type moment struct{ time.Time }

func (m *moment) UnmarshalText(b []byte) (err error) {
	if m.Time, err = time.Parse(time.RFC3339, string(b)); err != nil {
		return errors.New("not a time such as 2026-11-26T14:30:00+01:00")
	}
	return nil
}

func (c fillCommand) Run(a *app) error {
	a.cli.Demo = true
	set, err := a.settings()
	if err != nil {
		return err
	}
	log, err := a.logger(set)
	if err != nil {
		return err
	}
	began := time.Now()
	if c.Until.IsZero() {
		c.Until.Time = began.Truncate(time.Second)
	}
	tell := a.meter.begin("making up people", "people")
	done, err := home.FillDemo(a.ctx, home.Options{Settings: set, Version: version, Log: log.With(zap.String("program", "keydeskd"))},
		demo.Config{People: c.People, Days: c.Days, Seed: c.Seed, Until: c.Until.Time}, func(now demo.Progress) { tell(int64(now.People), int64(c.People)) })
	a.meter.rest()
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(a.out, "%d people and %d events, from %s until %s, in %s: %.0f people and %.0f events a second\n",
		done.People, done.Events, done.Began.Format(time.DateOnly), c.Until.Format("2006-01-02 15:04"), took.Round(100*time.Millisecond),
		float64(done.People)/took.Seconds(), float64(done.Events)/took.Seconds())
	for _, e := range done.Examples {
		fmt.Fprintf(a.out, "  %s: %s\n", e.Email, exampleWords[e.As])
	}
	_, err = fmt.Fprintf(a.out, "everybody's password is %s\nnow: keydesk kiosk --demo --home %s\n", demo.Password, set.Home)
	return err
}

// exampleWords says what is to be seen of somebody.
var exampleWords = map[string]string{
	"sms":           "logs in with codes by SMS",
	"pocket":        "logs in with Pocket",
	"helpdesk":      "is of the helpdesk",
	"approver":      "approves what the helpdesk asks for",
	"admin":         "is an admin",
	"auditor":       "is an auditor",
	"locked":        "typed too many wrong codes",
	"undeliverable": "gets no SMS at the number",
	"frozen":        "has an account that is frozen",
	"waiting":       "was announced, and has not begun",
}
