package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/history"
	"github.com/keydesk/keydesk/projections/ledger"
)

type eventsCommand struct {
	Subject     string    `help:"Only the enrolment of this person." placeholder:"EMAIL|ID"`
	Person      string    `help:"Only what is of this person: their enrolment, logins and roles, what they looked at, and who looked at theirs." placeholder:"EMAIL|ID"`
	Type        []string  `help:"Only events of these types, such as LoginFailed,LoginLocked."`
	Actor       string    `help:"Only what was done by the one with this id: a subject's, a station's or a client's, or \"console\"; or \"themselves\": what people did on their own account." placeholder:"ID"`
	Role        string    `help:"Only what was done in this role: subject, helpdesk, approver, auditor, admin or unattended." enum:"subject,helpdesk,approver,auditor,admin,unattended," default:"" placeholder:"ROLE"`
	Station     string    `help:"Only what happened at this station." placeholder:"ID"`
	Correlation eventID   `help:"Only what belongs to one visit, or one act, with this correlation id." placeholder:"UUID"`
	Chain       eventID   `help:"All that the action caused which the event with this id belongs to, with the depth of each in it." placeholder:"UUID"`
	Since       timeOrDay `help:"Only what was recorded at or after this time (2026-11-23T09:30:00Z, or 2026-11-23T10:30 as clocks here show it) or day (2026-11-23)." placeholder:"TIME"`
	Until       timeOrDay `help:"Only what was recorded before this time or day." placeholder:"TIME"`
	Words       string    `help:"Tell each event in plain words too, in this language: nl or en." enum:"nl,en," default:"" placeholder:"LANGUAGE"`
	Leaves      bool      `help:"Tell of each event which leaf of the seal it is, whether it is what was sealed, and the first checkpoint that covers it."`
	Count       string    `help:"Show, instead of the events, how many there are of each type, actor, role, station, hour (UTC) or day (as it is here)." enum:"type,actor,role,station,hour,day," default:"" placeholder:"BY"`
	Follow      bool      `help:"Go on as events arrive."`
}

// An eventID is the id of an event or of a correlation.
type eventID struct{ domain.EventID }

func (id *eventID) UnmarshalText(b []byte) error {
	if id.EventID.UnmarshalText(b) != nil {
		return errors.New("not an id such as 2f1c8a52-9f0e-5b1c-8a3e-5d6f7a8b9c0d")
	}
	return nil
}

func (id eventID) isZero() bool { return id.EventID == domain.EventID{} }

// line is one event as it is printed.
type line struct {
	Position domain.Position `json:"position"`
	Stream   string          `json:"stream"`
	Revision domain.Revision `json:"revision"`
	ID       domain.EventID  `json:"id"`
	Type     string          `json:"type"`
	Recorded time.Time       `json:"recorded"`
	Data     json.RawMessage `json:"data"`
	Metadata json.RawMessage `json:"metadata"`
	Words    string          `json:"words,omitempty"`
	Depth    *int            `json:"depth,omitempty"` // in a chain
	Leaf     *leafLine       `json:"leaf,omitempty"`
}

var (
	errNoEvent     = errors.New("no event of this log has this id, or this correlation")
	errChainFollow = errors.New("--chain is of what has happened: it does not go with --follow")
	errCountAlone  = errors.New("--count shows no event: it does not go with --follow, --words or --leaves")
)

// Help says what is remembered of it.
func (eventsCommand) Help() string {
	return "Where one person is asked for, by --subject, --person or --actor, or what belongs together, by --correlation or --chain: " + recordsLooksToo +
		" It is recorded in the log that is read, of a copy in the copy. Everything else is the log as it is, which names nobody."
}

// Validate sees that it is clear what is wanted.
func (c eventsCommand) Validate() error {
	if !c.Chain.isZero() && c.Follow {
		return errChainFollow
	}
	if c.Count != "" && (c.Follow || c.Words != "" || c.Leaves) {
		return errCountAlone
	}
	return nil
}

func (c eventsCommand) Run(a *app) (err error) {
	w := wanted{c: c}
	query := domain.Query{Types: c.Type, Metadata: true}
	if c.Subject != "" {
		if w.enrolled, err = a.subjectOf(c.Subject); err != nil {
			return err
		}
		query.Prefix = domain.EnrolmentStream(w.enrolled)
	}
	if c.Person != "" {
		if w.person, err = a.subjectOf(c.Person); err != nil {
			return err
		}
	}
	return a.withLog(func(log store.Log, set settings.Settings, program *zap.Logger) (err error) {
		if !c.Chain.isZero() {
			if w.chain, err = a.chainOf(log, c.Chain.EventID); err != nil {
				return err
			}
		}
		if w.looks, err = w.onlooker(a, log, set); err != nil {
			return err
		}
		if err := w.noteTogether(a, log, query); err != nil {
			return err
		}
		if c.Count != "" {
			return a.count(log, query, &w, replayer(log, set, program))
		}
		out, found := newEventPrinter(a, c.Words), false
		if c.Leaves {
			if out.leaves, err = a.leavesOf(log, set); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, out.leaves.Close()) }()
		}
		print := func(b domain.Batch) error {
			for i := range b.Events {
				if e := &b.Events[i]; w.fits(e) {
					found = true
					if err := w.note(e); err != nil {
						return err
					}
					if err := out.print(e, w.chain); err != nil {
						return err
					}
				}
			}
			return nil
		}
		if !c.Follow {
			if err := log.ReadAll(a.ctx, query, print); err != nil || found {
				return err
			}
			_, err := fmt.Fprintln(a.errs, "keydeskd: no event is like that") // a typing error gives nothing, too
			return err
		}
		if err := log.Follow(a.ctx, query, print); a.ctx.Err() == nil {
			return err
		}
		return nil
	})
}

// withLog does something with the log of a home that is there, and opens nothing else.
func (a *app) withLog(do func(log store.Log, set settings.Settings, program *zap.Logger) error) (err error) {
	set, err := a.existing()
	if err != nil {
		return err
	}
	program, err := a.logger(set)
	if err != nil {
		return err
	}
	program = program.With(zap.String("program", "keydeskd"))
	log, err := home.OpenLog(a.ctx, set.Log, program)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	return do(log, set, program)
}

// subjectOf returns who is meant. Only for an address it opens the home.
func (a *app) subjectOf(who string) (domain.SubjectID, error) {
	if s, err := domain.ParseSubjectID(who); err == nil {
		return s, nil
	}
	h, err := a.open(a.existing())
	if err != nil {
		return domain.SubjectID{}, err
	}
	s, err := a.sought(h, who)
	return s, errors.Join(err, h.Close(a.ctx))
}

// wanted says which events are.
type wanted struct {
	c                eventsCommand
	enrolled, person domain.SubjectID // of whom they are; zero: it does not matter
	chain            *chain
	looks            *onlooker // nil: it is about nobody in particular
}

// onlooker returns what notes whom the events are about, and has noted whom was asked for;
// nil where no one is.
func (w *wanted) onlooker(a *app, log store.Log, set settings.Settings) (*onlooker, error) {
	actor, err := domain.ParseSubjectID(w.c.Actor)
	if err != nil { // a station, say
		actor = domain.SubjectID{}
	}
	if w.enrolled.IsZero() && w.person.IsZero() && actor.IsZero() && w.c.Correlation.isZero() && w.chain == nil {
		return nil, nil //nolint:nilnil // there is nothing to note
	}
	o, err := a.onlooker(log, set)
	for _, s := range []domain.SubjectID{w.enrolled, w.person, actor} {
		if err == nil {
			err = o.person(s)
		}
	}
	return o, err
}

// together says whether what belongs together is asked for: a visit, or an act of staff.
func (w *wanted) together() bool { return !w.c.Correlation.isZero() || w.chain != nil }

// noteTogether notes whom the events are about that belong together.
func (w *wanted) noteTogether(a *app, log store.Log, query domain.Query) error {
	if !w.together() {
		return nil
	}
	var whom []domain.SubjectID
	enough := errors.New("enough")
	err := log.ReadAll(a.ctx, query, func(b domain.Batch) error {
		for i := range b.Events {
			e := &b.Events[i]
			if !w.fits(e) {
				continue
			}
			if s, ok := whose(e); ok && !slices.Contains(whom, s) {
				whom = append(whom, s)
			}
			if len(whom) > desk.MostNamed {
				return enough
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return err
	}
	return w.looks.people(whom)
}

// note notes whom an event is about that has come to what belongs together since.
func (w *wanted) note(e *domain.Recorded) error {
	s, ok := whose(e)
	if !ok || !w.together() {
		return nil
	}
	return w.looks.people([]domain.SubjectID{s})
}

func (w *wanted) fits(e *domain.Recorded) bool {
	c := &w.c
	if e.Recorded.Before(c.Since.Time) || !c.Until.IsZero() && !e.Recorded.Before(c.Until.Time) {
		return false
	}
	if !w.person.IsZero() && !concerns(e, w.person) {
		return false
	}
	if c.Actor == "" && c.Role == "" && c.Station == "" && c.Correlation.isZero() && w.chain == nil {
		return true
	}
	for _, text := range []string{c.Actor, c.Role, c.Station} { // before all of it is read
		if domain.ValidID(text) && text != ledger.Themselves && !bytes.Contains(e.Metadata, []byte(text)) {
			return false
		}
	}
	if !c.Correlation.isZero() && !bytes.Contains(e.Metadata, []byte(c.Correlation.String())) ||
		w.chain != nil && w.chain.correlation != (domain.EventID{}) && !bytes.Contains(e.Metadata, []byte(w.chain.correlation.String())) {
		return false
	}
	var m domain.Metadata
	if json.Unmarshal(e.Metadata, &m) != nil {
		return false
	}
	themselves := c.Actor == ledger.Themselves && m.Actor.Kind == domain.ActorPerson
	return (c.Actor == "" || m.Actor.ID == c.Actor || themselves) && (c.Role == "" || string(m.Actor.Role) == c.Role) &&
		(c.Station == "" || m.Station == c.Station) && (c.Correlation.isZero() || m.Correlation == c.Correlation.EventID) &&
		(w.chain == nil || m.Correlation == w.chain.correlation)
}

// concerns says whether an event is in a stream of a person's, or says that somebody
// looked at what is theirs.
func concerns(e *domain.Recorded, s domain.SubjectID) bool {
	id := s.String()
	if strings.HasPrefix(e.Stream, domain.AccessPrefix) && bytes.Contains(e.Data, []byte(id)) {
		return true
	}
	_, owner, _ := strings.Cut(e.Stream, "-")
	return owner == id && !strings.HasPrefix(e.Stream, domain.StationPrefix)
}

// A chain is what one action has caused.
type chain struct {
	correlation domain.EventID
	depths      map[domain.EventID]int // of the events so far
}

// chainOf finds the chain that an event is in, or that a correlation is of.
func (a *app) chainOf(log store.Log, id domain.EventID) (*chain, error) {
	found := errors.New("found")
	var c *chain
	err := log.ReadAll(a.ctx, domain.Query{Metadata: true}, func(b domain.Batch) error {
		for _, e := range b.Events {
			if e.ID != id && !bytes.Contains(e.Metadata, []byte(id.String())) {
				continue
			}
			var m domain.Metadata
			if json.Unmarshal(e.Metadata, &m) == nil && (e.ID == id || m.Correlation == id) {
				c = &chain{m.Correlation, map[domain.EventID]int{}}
				return found
			}
		}
		return nil
	})
	switch {
	case c != nil:
		return c, nil
	case err != nil:
		return nil, err
	}
	return nil, errNoEvent
}

// depth returns how many causes an event has in the chain, which it is added to.
func (c *chain) depth(e *domain.Recorded) int {
	var m domain.Metadata
	n := 0
	if json.Unmarshal(e.Metadata, &m) == nil {
		if above, ok := c.depths[m.Causation]; ok {
			n = above + 1
		}
	}
	c.depths[e.ID] = n
	return n
}

// An eventPrinter prints events, a line each.
type eventPrinter struct {
	out    *json.Encoder
	words  *i18n.Printer
	leaves *leaves // nil: nobody asked
}

func newEventPrinter(a *app, language string) *eventPrinter {
	p := &eventPrinter{out: json.NewEncoder(a.out)}
	p.out.SetEscapeHTML(false)
	if language != "" {
		p.words = i18n.New(language)
	}
	return p
}

func (p *eventPrinter) print(e *domain.Recorded, c *chain) error {
	l := line{Position: e.Position, Stream: e.Stream, Revision: e.Revision, ID: e.ID, Type: e.Type, Recorded: e.Recorded, Data: e.Data, Metadata: e.Metadata}
	if p.words != nil {
		message, _, params := history.Words(e.Stream, e.Type, e.Data)
		l.Words = sentence(p.words, message, params)
	}
	if c != nil {
		depth := c.depth(e)
		l.Depth = &depth
	}
	if p.leaves != nil {
		var err error
		if l.Leaf, err = p.leaves.of(e); err != nil {
			return err
		}
	}
	if err := p.out.Encode(l); err != nil {
		return fmt.Errorf("print event at %d: %w", e.Position, err)
	}
	return nil
}

// sentence puts an entry of a history in words.
func sentence(words *i18n.Printer, message string, params map[string]string) string {
	args := i18n.Args{}
	for k, v := range params {
		args[k] = v
	}
	return words.T(message, args)
}
