package desk

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

// A visit is one person at one station, from typing an e-mail address to the
// wipe. It lives in memory only: what it proved (this person reads that mail,
// knows that password) is worth nothing afterwards.
type visit struct {
	turn    chan struct{} // one call at a time
	id      string
	station string           // at which it is
	helper  string           // who sits beside; see Helpdesk.Assist
	beside  domain.SubjectID // likewise, once it has begun: whose rights it suspends; guarded by house.mu
	lang    string
	email   enrolment.Address
	key     string // the address as limits know it
	began   time.Time

	subject     domain.SubjectID
	decoy       bool // nobody is behind it, or nobody who has to enrol
	correlation domain.EventID
	ready       chan struct{} // closed when it is known who this is
	failed      error         // why that could not be found out, the last time it was tried
	limited     bool          // nothing may be sent for its Begin

	codeUntil time.Time // how long the code by mail is said to work, before anything is proved
	guesses   int       // at it, in this visit

	proved   bool       // the e-mail address, in this visit
	unlocked domain.Ref // the credential whose password was typed or set in this visit
	ticket   domain.Ref // the credential in whose place a ticket was redeemed in this visit

	resend  map[enrolment.Purpose]time.Time // from when on a code may be asked for again
	signals signals
	outage  outage

	offered enrolment.PairingID // by this visit

	ofLogin  bool                         // it began with one
	since    domain.Revision              // up to where the enrolment was read when a login's password was right
	pairings map[enrolment.PairingID]bool // that this visit has offered
	login    *signin                      // of who began with a login; nil: of who enrols
	watches  bool                         // the enrolment is followed
	follows  bool                         // the logins are followed

	begun domain.CommandID // of the act that issues the first code
	call  attempt          // of the present call
	calls map[Call]bool    // all of this visit
}

// An outage is which channels failed for everybody, the last time. It has a lock of its
// own: those who send must not wait for a visit's turn.
type outage struct {
	mu sync.Mutex
	of map[enrolment.Channel]bool
}

func (o *outage) is(c enrolment.Channel) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of[c]
}

// set notes whether a channel is out, and says whether that is news.
func (o *outage) set(c enrolment.Channel, out bool) (news bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	news = o.of[c] != out
	if o.of == nil {
		o.of = map[enrolment.Channel]bool{}
	}
	o.of[c] = out
	return news
}

// attempt is how far a call got, so that asking for the same again goes on
// from there (see Call).
type attempt struct {
	call   Call
	scope  string                     // see Call.command
	acts   int                        // decided in this try; the n-th has the same command in each
	taken  map[enrolment.Purpose]bool // sends that were counted, and whether a limit refused
	sent   map[enrolment.Channel]bool // messages that were handed over
	login  bool                       // the send of a login's code was counted
	ticket bool                       // the try of a ticket was counted
	done   bool                       // what was asked for is recorded; only what to show may have been lost
}

// next returns the command of the next act.
func (a attempt) next() domain.CommandID { return a.call.command(a.scope, a.acts) }

// enter notes which call is under way, and of which use case.
// A call that was followed by another one is over: who brings it back is refused, or
// what it has recorded then would count for what is under way now.
func (v *visit) enter(c Call, useCase string) error {
	scope := useCase + "/" + v.id
	if v.call.call == c && v.call.scope == scope {
		v.call.acts = 0
		return nil
	}
	if aside[useCase] { // may come back at any time, and changes nothing for the others
		v.call = attempt{call: c, scope: scope, taken: map[enrolment.Purpose]bool{}, sent: map[enrolment.Channel]bool{}}
		return nil
	}
	if v.calls[c] || len(v.calls) >= maxCalls {
		return refuse(OutOfOrder)
	}
	v.calls[c] = true
	v.call = attempt{call: c, scope: scope, taken: map[enrolment.Purpose]bool{}, sent: map[enrolment.Channel]bool{}}
	return nil
}

// maxCalls is how many calls one visit may have: more than anybody makes in its time.
const maxCalls = 5000

// maxVisits is how many visits one station may have that have not ended. One
// person stands at it; who left a visit behind was in a hurry, or is none.
const maxVisits = 100

// newVisit makes a visit that is not ready yet.
func (d *Desk) newVisit(c Call, useCase string, a enrolment.Address, lang string) (*visit, error) {
	key, err := d.NormalEmail(a.String())
	if err != nil {
		return nil, refuse(NotAnAddress)
	}
	v := &visit{
		id: newID(), turn: make(chan struct{}, 1), station: d.station, lang: d.spoken(lang), email: a, key: key, began: d.Now(),
		ofLogin: useCase == "login", begun: c.command("begin", 0), correlation: domain.EventID(newCommand()), ready: make(chan struct{}),
		signals: signals{ended: make(chan struct{})},
		resend:  map[enrolment.Purpose]time.Time{}, calls: map[Call]bool{},
		pairings: map[enrolment.PairingID]bool{},
	}
	if err := v.enter(c, useCase); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	here := 0
	for id, old := range d.visits { // a station that vanished leaves its visit behind
		switch {
		case v.began.Sub(old.began) > d.VisitMax:
			delete(d.visits, id)
			old.signals.close()
		case useCase == "login" && old.ofLogin && old.station == d.station && old.key == v.key:
			// Somebody who logs in again at the same station is there once.
			delete(d.visits, id)
			old.signals.close()
		case old.station == d.station:
			here++
		}
	}
	if here >= maxVisits {
		return nil, refuse(Busy)
	}
	d.visits[v.id] = v
	return v, nil
}

// visit returns a visit at this desk's station.
func (d *Desk) visit(id string) (*visit, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v, ok := d.visits[id]
	return v, ok && v.station == d.station
}

// shared are the use cases of who enrols that are also those of who has logged in.
var shared = map[string]bool{
	"": true, "resend": true, "set-language": true, "help-code": true,
	"offer-pairing": true, "cancel-pairing": true, "confirm-pairing": true,
}

// drop forgets a visit that came to nothing.
func (d *Desk) drop(v *visit) {
	d.mu.Lock()
	_, open := d.visits[v.id]
	delete(d.visits, v.id)
	d.mu.Unlock()
	if open {
		v.signals.close()
	}
}

// with runs a use case for a visit of somebody who enrols.
func (d *Desk) with(ctx context.Context, id, useCase string, do func(ctx context.Context, v *visit) error) (View, error) {
	return d.run(ctx, id, useCase, func(ctx context.Context, v *visit) error {
		if v.login != nil && !shared[useCase] {
			return refuse(OutOfOrder)
		}
		return do(ctx, v)
	})
}

// longest is what one use case may take.
const longest = time.Minute

// aside are the use cases that come in between others and leave them as they are: a
// call that is to be asked again after them still can be.
var aside = map[string]bool{"set-language": true, "help-code": true}

// run runs a use case for a visit, once it is known who it is; one without a name
// changes nothing. One with a name is carried through once it has begun, whether or not
// somebody still waits: what it records, others are told of.
func (d *Desk) run(ctx context.Context, id, useCase string, do func(ctx context.Context, v *visit) error) (View, error) {
	v, ok := d.visit(id)
	if !ok || d.Now().Sub(v.began) > d.VisitMax {
		return View{}, refuse(VisitOver)
	}
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return View{}, ctx.Err()
	}
	select {
	case <-v.ready:
	case <-ctx.Done():
		return View{}, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return View{}, err // nobody waits any more, and nothing has begun
	}
	if _, open := d.visit(id); !open {
		return View{}, refuse(VisitOver) // it was ended while this call waited for its turn
	}
	if v.failed != nil { // nothing was sent yet; perhaps log and vault are back
		if v.failed = d.identify(ctx, v, v.begun, v.limited); v.failed != nil {
			return View{}, d.refusal(v.failed)
		}
	}
	if useCase != "" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), longest)
		defer cancel()
		if before := v.call; aside[useCase] {
			defer func() { v.call = before }()
		}
		if err := v.enter(CallOf(ctx), useCase); err != nil {
			return View{}, err
		}
	}
	if err := d.stillIn(ctx, v); err != nil {
		return View{}, d.refusal(err)
	}
	var refused error
	if useCase == "" || !v.call.done {
		refused = d.refusal(do(ctx, v))
		v.call.done = useCase != "" && refused == nil
	}
	look := d.view
	if v.login != nil {
		look = d.accountView
	}
	view, err := look(ctx, v)
	if refused != nil {
		return view, refused
	}
	after := d.refusal(err)
	if r, ok := errors.AsType[*Refusal](after); ok && useCase != "" && r.Code == Unavailable {
		r.Code = Unsure // what was asked is recorded; only what to show is not known
	}
	return view, after
}

// stamp says who does what in a visit: before anything is proved it is the
// station that acts, then the person.
func (d *Desk) stamp(v *visit, c domain.CommandID) domain.Stamp {
	actor := domain.Actor{Kind: domain.ActorStation, ID: d.station, Role: domain.RoleUnattended}
	if v.proved {
		actor = domain.Actor{Kind: domain.ActorPerson, ID: v.subject.String(), Role: domain.RoleSubject}
	}
	return domain.Stamp{
		Command: c, Correlation: v.correlation, Actor: actor, Helper: v.helper,
		Station: d.station, Policy: d.policyVersion, At: d.Now().UTC(),
	}
}

// do has a command decided for the person whom the visit is of.
func (d *Desk) do(ctx context.Context, v *visit, command func(enrolment.State) (enrolment.Command, error)) (enrolment.State, []enrolment.Event, error) {
	if v.login != nil {
		return d.doIn(ctx, v, command)
	}
	return d.act(ctx, v.subject, d.visitStamp(v), command)
}

// state returns what is known of the person whom the visit is of.
func (d *Desk) state(ctx context.Context, v *visit) (enrolment.State, error) {
	r, err := d.load(ctx, v.subject)
	return r.state, err
}

// End ends a visit and records that the station wiped itself.
func (d *Desk) End(ctx context.Context, id string, why WipeReason) error {
	if v, ok := d.visit(id); ok {
		d.drop(v)
	}
	return d.refusal(d.note(ctx, CallOf(ctx).command("end/"+id, 0), station.StationWiped{Reason: why}))
}

// Await returns the view as soon as it is another than the one with the given
// version, or when ctx ends or a while has passed. While it waits it holds up
// no other call of the visit.
func (d *Desk) Await(ctx context.Context, id string, version uint64) (View, error) {
	v, ok := d.visit(id)
	if !ok {
		return View{}, refuse(VisitOver)
	}
	ctx2, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	select {
	case <-v.ready:
	case <-ctx2.Done():
		if err := ctx.Err(); err != nil {
			return View{}, err
		}
		return View{}, refuse(Unavailable)
	}
	if err := v.signals.wait(ctx2, version); err != nil && ctx.Err() != nil {
		return View{}, ctx.Err()
	}
	return d.with(ctx, id, "", func(context.Context, *visit) error { return nil })
}

// signals counts what changed around a visit, and wakes whoever waits for it.
type signals struct {
	mu      sync.Mutex
	version uint64
	changed chan struct{} // closed at the next change; nil while nobody waits
	ended   chan struct{} // closed at the end
}

func (s *signals) bump() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *signals) close() {
	close(s.ended)
	s.bump()
}

func (s *signals) now() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version
}

// forward bumps for each signal of a channel until the visit ends.
func (s *signals) forward(from <-chan struct{}, stop func()) {
	defer stop()
	for {
		select {
		case _, ok := <-from:
			if !ok {
				return
			}
			s.bump()
		case <-s.ended:
			return
		}
	}
}

var errVisitEnded = errors.New("visit ended")

func (s *signals) wait(ctx context.Context, beyond uint64) error {
	for {
		s.mu.Lock()
		if s.version > beyond {
			s.mu.Unlock()
			return nil
		}
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		ch := s.changed
		s.mu.Unlock()
		select {
		case <-ch:
		case <-s.ended:
			return errVisitEnded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
