package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// Whoever looks at a person, or at a list of people, has that recorded before anything is
// shown. Nobody signs in at the command line, so each command is a look of its own. What
// does something to somebody is no look: it stands in the log itself.

// recordsLooks is in the help of what shows people, and goes on in it where only a part
// of a command does.
const (
	recordsLooks    = "T" + theyLooked
	recordsLooksToo = "t" + theyLooked
	theyLooked      = "hat somebody looked is recorded before anything is shown, without what they saw; where it cannot be, nothing is shown."
)

// errNotRecorded: nobody may look without a trace.
var errNotRecorded = errors.New("nothing is shown, since it cannot be recorded that somebody looked")

// A noter records looks: a desk, or what there is of it beside a log that was opened alone.
type noter interface {
	NoteListing(ctx context.Context, by desk.Agent) error
	NoteLook(ctx context.Context, by desk.Agent, scope staff.Scope, whom domain.SubjectID) error
}

// noteLook records that a person is about to be shown.
func (a *app) noteLook(n noter, scope staff.Scope, whom domain.SubjectID) error {
	if err := n.NoteLook(a.ctx, desk.Console(), scope, whom); err != nil {
		return fmt.Errorf("%w: %w", errNotRecorded, err)
	}
	return nil
}

// noteListing records that people are about to be shown, or that somebody was looked for.
func (a *app) noteListing(n noter) error {
	if err := n.NoteListing(a.ctx, desk.Console()); err != nil {
		return fmt.Errorf("%w: %w", errNotRecorded, err)
	}
	return nil
}

// lookAt opens the home, and shows something of whom is meant.
func (a *app) lookAt(who string, scope staff.Scope, show func(h *opened, s domain.SubjectID) error) (err error) {
	h, err := a.open(a.existing())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	s, err := a.sought(h, who)
	if err != nil {
		return err
	}
	if err := a.noteLook(h.Desk, scope, s); err != nil {
		return err
	}
	return show(h, s)
}

// sought is person for who only looks: that an address is not known here is found out by a
// search, too. What is no address at all searches for nobody.
func (a *app) sought(h *opened, who string) (domain.SubjectID, error) {
	s, err := a.person(h, who)
	if errors.Is(err, errNobody) && strings.Contains(who, "@") && h.Factors.Position() > 0 { // else there is nobody to be found
		if err := a.noteListing(h.Desk); err != nil {
			return s, err
		}
	}
	return s, err
}

// An onlooker records whom the events are about that somebody reads in a log which was
// opened alone.
type onlooker struct {
	app  *app
	log  store.Log
	note noter
	seen map[domain.SubjectID]bool
	many bool // of more than desk.MostNamed: that is recorded as a list
}

func (a *app) onlooker(log store.Log, set settings.Settings) (*onlooker, error) {
	looks, err := home.NewLooks(log, set)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotRecorded, err)
	}
	return &onlooker{app: a, log: log, note: looks, seen: map[domain.SubjectID]bool{}}, nil
}

// person notes somebody who was asked for by their id, or their address. An id that the
// log does not know is nobody's.
func (o *onlooker) person(s domain.SubjectID) error {
	if s.IsZero() || o.seen[s] {
		return nil
	}
	events, err := o.log.ReadStream(o.app.ctx, domain.EnrolmentStream(s), 0)
	if err != nil && !errors.Is(err, domain.ErrNotFound) {
		return fmt.Errorf("read enrolment of %s: %w", s, err)
	}
	if len(events) == 0 {
		return nil
	}
	return o.look(s)
}

func (o *onlooker) look(s domain.SubjectID) error {
	if err := o.app.noteLook(o.note, staff.ShownPerson, s); err != nil {
		return err
	}
	o.seen[s] = true
	return nil
}

// people notes whom the events of a visit, or of an act of staff, are about: each of them,
// or, where they are many by now, that it is a list.
func (o *onlooker) people(whom []domain.SubjectID) error {
	if o.many {
		return nil
	}
	fresh := slices.DeleteFunc(whom, func(s domain.SubjectID) bool { return o.seen[s] })
	if len(o.seen)+len(fresh) > desk.MostNamed {
		o.many = true
		return o.app.noteListing(o.note)
	}
	for _, s := range fresh {
		if err := o.look(s); err != nil {
			return err
		}
	}
	return nil
}

// whose returns whom an event is about: in whose stream it is, or at whose data somebody
// looked.
func whose(e *domain.Recorded) (s domain.SubjectID, ok bool) {
	if strings.HasPrefix(e.Stream, domain.AccessPrefix) {
		a, err := staff.DecodeAccess(e.Type, e.Data)
		if shown, ok := a.(staff.DataShown); err == nil && ok {
			return shown.Subject, true
		}
	}
	kind, owner, _ := strings.Cut(e.Stream, "-")
	if kind+"-" == domain.StationPrefix {
		return s, false
	}
	s, err := domain.ParseSubjectID(owner)
	return s, err == nil && !s.IsZero()
}
