package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/history"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/replay"
)

type replayCommand struct {
	At       placeInLog `help:"The moment: a time (2026-11-23T09:30:00Z, or 2026-11-23T10:30 as clocks here show it), a day (its beginning here), or a position in the log. Now, unless it is given." placeholder:"TIME|POSITION"`
	Subject  string     `help:"The whole story of one person up to then, by the subject's id." placeholder:"ID" xor:"what"`
	Person   string     `help:"The same, by e-mail address." placeholder:"ADDRESS" xor:"what"`
	People   bool       `help:"Everybody, one a line, as they stood then." xor:"what"`
	Check    bool       `help:"Rebuild everything from nothing, and compare it person by person with what this home goes on from. Any difference is named, and the exit status is 1." xor:"what"`
	Language string     `help:"Of a story: nl or en." enum:"nl,en" default:"en"`
	JSON     bool       `name:"json" help:"As JSON; of --people and of differences, an object a line."`
}

// Help says what it stands on.
func (replayCommand) Help() string {
	return "Shows how everything stood when all up to a moment had happened, and now beside it, by the same folds that answer the login service. " +
		"The log's clock counts; where it was set back, an event counts as recorded when the latest one before it was. " +
		"It changes nothing of what it shows, and needs neither the master key nor the vault, except to find an address, and for --check. " +
		"Of --subject, --person and --people: " + recordsLooksToo + " It is recorded in the log that is read, of a copy in the copy. " +
		"Where the master key is, states on the way are kept in the home's folder replay, so that the next moment is near; all of it can be deleted."
}

// A placeInLog is a position, or a moment.
type placeInLog struct {
	position domain.Position
	moment   time.Time
	given    bool
}

func (p *placeInLog) UnmarshalText(b []byte) error {
	p.given = true
	if n, err := strconv.ParseUint(string(b), 10, 64); err == nil {
		p.position = domain.Position(n)
		return nil
	}
	var t timeOrDay
	if t.UnmarshalText(b) != nil {
		return errors.New("neither a time such as 2026-11-23T09:30:00Z, or 2026-11-23T10:30 here, nor a day such as 2026-11-23, nor a position such as 1234")
	}
	p.moment = t.Time
	return nil
}

// find returns the position that is meant.
func (p placeInLog) find(ctx context.Context, r *replay.Replayer) (domain.Position, error) {
	switch {
	case !p.given:
		return replay.Head, nil
	case p.moment.IsZero():
		return p.position, nil
	}
	return r.PositionAt(ctx, p.moment)
}

var (
	errDiffers = errors.New("what is live is not what the events say")
	errCheckAt = errors.New("--check is of now: it does not go with --at")
)

// Validate sees that it is clear what is wanted.
func (c replayCommand) Validate() error {
	if c.Check && c.At.given {
		return errCheckAt
	}
	return nil
}

func (c replayCommand) Run(a *app) (err error) {
	if c.Check {
		return c.check(a)
	}
	var who domain.SubjectID
	if c.Subject != "" {
		if who, err = domain.ParseSubjectID(c.Subject); err != nil {
			return errNobody
		}
	}
	if c.Person != "" {
		if who, err = a.subjectOf(c.Person); err != nil {
			return err
		}
	}
	return a.withLog(func(log store.Log, set settings.Settings, program *zap.Logger) error {
		r := replayer(a.read(log, "replaying the log"), set, program)
		defer r.Wait()
		defer a.meter.rest()
		p, err := c.At.find(a.ctx, r)
		if err != nil {
			return err
		}
		now, err := r.Seek(a.ctx, replay.Head)
		if err != nil {
			return err
		}
		then := now
		if p < now.Position {
			if then, err = r.Seek(a.ctx, p); err != nil {
				return err
			}
		}
		a.meter.rest()
		if who.IsZero() && !c.People {
			return c.standing(a.out, then, now)
		}
		looks, err := a.onlooker(log, set)
		switch {
		case err != nil:
			return err
		case c.People:
			return c.people(a, looks, then)
		}
		return c.story(a, looks, who, then, now)
	})
}

// A replayed is a state, as it is printed.
type replayed struct {
	Position domain.Position `json:"position"`
	At       *time.Time      `json:"at"`
	Events   int             `json:"events"`
	replay.Standing
}

func replayedOf(s replay.State) replayed {
	r := replayed{Position: s.Position, Events: s.Events, Standing: s.Standing()}
	if !s.At.IsZero() {
		r.At = &s.At
	}
	return r
}

// standing shows how many people stood where, and stand now.
func (c replayCommand) standing(out io.Writer, then, now replay.State) error {
	one, two := replayedOf(then), replayedOf(now)
	if c.JSON {
		return json.NewEncoder(out).Encode(struct {
			Then replayed `json:"then"`
			Now  replayed `json:"now"`
		}{one, two})
	}
	table := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tthen\tnow\t")
	fmt.Fprintf(table, "last event\t%s\t%s\t\n", when(then.At), when(now.At))
	for _, row := range []struct {
		what      string
		then, now int
	}{
		{"position", int(one.Position), int(two.Position)}, //nolint:gosec // as far as any log goes
		{"events", one.Events, two.Events},
		{"people", one.People, two.People},
		{"not begun", one.Invited, two.Invited},
		{"under way", one.Busy, two.Busy},
		{"stuck", one.Stuck, two.Stuck},
		{"done", one.Done, two.Done},
		{"frozen", one.Frozen, two.Frozen},
		{"erased", one.Erased, two.Erased},
		{"left before", one.Gone, two.Gone},
		{"with SMS", one.SMS, two.SMS},
		{"with Pocket", one.Pocket, two.Pocket},
		{"with neither", one.None, two.None},
		{"unknown", one.Unknown, two.Unknown},
	} {
		fmt.Fprintf(table, "%s\t%d\t%d\t\n", row.what, row.then, row.now)
	}
	return table.Flush()
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// A stood is where somebody stood, as it is printed.
type stood struct {
	Subject  domain.SubjectID `json:"subject"`
	State    string           `json:"state"`
	Factor   enrolment.Factor `json:"factor"`
	Since    *time.Time       `json:"since"`
	Step     enrolment.Step   `json:"step"` // 0: not begun
	Stuck    bool             `json:"stuck,omitempty"`
	Left     bool             `json:"left,omitempty"`
	Revision domain.Revision  `json:"revision"`
	Position domain.Position  `json:"position"`
}

func stoodOf(a factor.Answer, p progress.Person) stood {
	s := stood{
		Subject: a.Subject, State: a.State.String(), Factor: a.Factor, Step: p.Step,
		Stuck: p.Position > 0 && p.Stuck(), Left: p.Left, Revision: a.Revision, Position: a.Position,
	}
	if !a.Since.IsZero() {
		s.Since = &a.Since
	}
	return s
}

// people shows where everybody stood.
func (c replayCommand) people(a *app, looks *onlooker, s replay.State) error {
	if s.Standing().People > 0 {
		if err := a.noteListing(looks.note); err != nil {
			return err
		}
	}
	board := s.Board.Thaw()
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	if !c.JSON {
		fmt.Fprintln(table, "subject\tstate\tfactor\tstep\tsince")
	}
	lines := json.NewEncoder(a.out)
	var err error
	s.Factors.Changed(0, func(a factor.Answer) bool {
		p, _ := board.Person(a.Subject)
		if c.JSON {
			err = lines.Encode(stoodOf(a, p))
			return err == nil
		}
		_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", a.Subject, a.State, a.Factor, p.Step, when(a.Since))
		return err == nil
	})
	return errors.Join(err, table.Flush())
}

// A told is an entry of a story, as it is printed.
type told struct {
	Position domain.Position  `json:"position"`
	Recorded time.Time        `json:"recorded"`
	Type     string           `json:"type"`
	Words    string           `json:"words"`
	Step     enrolment.Step   `json:"step"` // -1: not known any more
	Factor   enrolment.Factor `json:"factor,omitempty"`
	Actor    domain.Actor     `json:"actor"`
	Station  string           `json:"station"`
}

// story shows one person: how they stood, how they stand, and all that happened up to
// then.
func (c replayCommand) story(a *app, looks *onlooker, who domain.SubjectID, then, now replay.State) error {
	if now.Factors.Lookup(who).State == factor.Nobody {
		return errNobody
	}
	if err := looks.look(who); err != nil {
		return err
	}
	entries, err := c.entries(a, looks.log, who, then.Position)
	if err != nil {
		return err
	}
	one, two := personAt(then, who), personAt(now, who)
	if c.JSON {
		return json.NewEncoder(a.out).Encode(struct {
			Then  stood  `json:"then"`
			Now   stood  `json:"now"`
			Story []told `json:"story"`
		}{one, two, entries})
	}
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "\tlast event\tstate\tfactor\tstep\tsince")
	for _, row := range []struct {
		what string
		at   time.Time
		s    stood
	}{{"then", then.At, one}, {"now", now.At, two}} {
		since := "-"
		if row.s.Since != nil {
			since = when(*row.s.Since)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", row.what, when(row.at), row.s.State, row.s.Factor, row.s.Step, since)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	for _, e := range entries {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\n", e.Position, when(e.Recorded), oneWord(e.Station), e.Words)
	}
	return table.Flush()
}

func personAt(s replay.State, who domain.SubjectID) stood {
	p, _ := s.Board.Person(who)
	return stoodOf(s.Factors.Lookup(who), p)
}

// entries returns what happened to somebody up to a position.
func (c replayCommand) entries(a *app, log store.Log, who domain.SubjectID, until domain.Position) ([]told, error) {
	events, err := log.ReadStream(a.ctx, domain.EnrolmentStream(who), 0)
	if err != nil {
		return nil, err
	}
	logins, err := log.ReadStream(a.ctx, login.Stream(who), 0)
	if err != nil {
		return nil, err
	}
	words := i18n.New(c.Language)
	all := []told{}
	for _, e := range history.Whole(events, logins) {
		if e.Position > until {
			continue
		}
		all = append(all, told{
			Position: e.Position, Recorded: e.Recorded, Type: e.Type, Words: sentence(words, e.Message, e.Params),
			Step: e.Step, Factor: e.Factor, Actor: e.Actor, Station: e.Station,
		})
	}
	return all, nil
}

// check compares what this home goes on from with what its events say.
func (c replayCommand) check(a *app) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	live, err := h.Live(a.ctx)
	if err != nil {
		return err
	}
	found := 0
	table := tabwriter.NewWriter(a.out, 0, 8, 2, ' ', 0)
	lines := json.NewEncoder(a.out)
	a.meter.begin("rebuilding everything from the log", "")
	defer a.meter.rest()
	checked, err := h.Replay().Check(a.ctx, live, func(kept string, d replay.Difference) {
		found++
		where := "live"
		if kept != "" {
			where = kept
		}
		if c.JSON {
			_ = lines.Encode(difference{where, d.Subject, d.What, d.One, d.Two}) // the summary fails too
			return
		}
		if found == 1 {
			fmt.Fprintln(table, "where\tsubject\twhat\tthere\trebuilt")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", where, d.Subject, d.What, dash(d.One), dash(d.Two))
	})
	if err := errors.Join(err, table.Flush()); err != nil {
		return err
	}
	if c.JSON {
		err = lines.Encode(struct {
			Position    domain.Position `json:"position"`
			People      int             `json:"people"`
			Kept        int             `json:"kept"`
			Differences int             `json:"differences"`
		}{checked.Position, checked.People, checked.Kept, found})
	} else {
		_, err = fmt.Fprintf(a.out, "%d people up to position %d, and %d states that were kept: %d differences\n",
			checked.People, checked.Position, checked.Kept, found)
	}
	if err == nil && found > 0 {
		err = errDiffers
	}
	return err
}

// A difference is printed of --check.
type difference struct {
	Where   string           `json:"where"` // "live", or the name of a state that was kept
	Subject domain.SubjectID `json:"subject"`
	What    string           `json:"what"`
	There   string           `json:"there"`
	Rebuilt string           `json:"rebuilt"`
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
