package desk

import (
	"context"
	"crypto/sha256"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// A shift is a member of staff who has signed in at one station. Like a visit it lives
// in memory only. What they may do is read anew from the log at each call.
type shift struct {
	id      string
	station string
	subject domain.SubjectID
	since   domain.Revision // up to where their enrolment was read when they signed in
	began   time.Time
	used    time.Time                          // by a hand, not by a window that looks; guarded by house.mu
	sought  time.Time                          // when they searched last; guarded by house.mu
	row     time.Time                          // when that row of keystrokes began, of which one search is recorded; guarded by house.mu
	words   [32]byte                           // of that search, hashed; guarded by house.mu
	looksAt map[staff.Scope][]domain.SubjectID // whose page is open, and what of it; guarded by house.mu
	looks   int                                // that were recorded; guarded by house.mu
	opened  map[domain.SubjectID]bool          // of whom events were opened, which is recorded; nil: of nobody; guarded by house.mu
	noting  sync.Mutex                         // held while a look is recorded, so that questions asked at once are one look
	audits  bool                               // the index over the log is held for it; guarded by house.mu
	release []func()                           // of what is held for it; guarded by house.mu
}

// Shift is what a window shows of who has signed in.
type Shift struct {
	ID      string
	Subject domain.SubjectID
	Name    string
	Roles   []domain.Role
	Rights  []staff.Right
	Left    time.Duration // until it is over, if nobody does anything
	Assists bool          // somebody enrols beside them; until that is over they may nothing
}

// May says whether they may do something.
func (s Shift) May(r staff.Right) bool { return slices.Contains(s.Rights, r) }

// maxShifts is how many shifts one station may have that have not ended.
const maxShifts = 20

// StartShift makes a member of staff of somebody who has just logged in (Login and
// what follows, up to ScreenAccount), and ends the visit. Who has no role is
// Refusal{Code: NotStaff}, and the visit goes on.
func (d *Desk) StartShift(ctx context.Context, visitID string) (Shift, error) {
	var view Shift
	_, err := d.runLogin(ctx, visitID, "start-shift", func(ctx context.Context, v *visit) error {
		if !v.login.in {
			return refuse(OutOfOrder)
		}
		roles, _, err := d.Roles(ctx, v.subject)
		switch {
		case err != nil:
			return err
		case len(roles) == 0:
			return refuse(NotStaff)
		}
		r, err := d.load(ctx, v.subject)
		if err != nil {
			return err
		}
		if err := d.judge(v, r); err != nil {
			return err
		}
		now := d.Now()
		s := &shift{
			id: newID(), station: d.station, subject: v.subject, since: r.revision, began: now, used: now,
			looksAt: map[staff.Scope][]domain.SubjectID{},
		}
		release := d.holdDirectory(ctx)
		if err := d.keepShift(s); err != nil {
			release()
			return err
		}
		d.whenOver(s.id, release)
		view, err = d.shiftView(ctx, s, roles, r)
		return err
	})
	if err != nil {
		return Shift{}, err
	}
	if v, ok := d.visit(visitID); ok {
		d.drop(v)
	}
	return view, nil
}

// keepShift keeps a new shift. Whoever was signed in as the same person at this station is
// no longer, and nobody enrols beside them there any more.
func (d *Desk) keepShift(s *shift) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	here := 0
	for id, old := range d.shifts {
		switch {
		case d.overAt(old, s.began), old.station == s.station && old.subject == s.subject:
			d.dropShift(id)
		case old.station == s.station:
			here++
		}
	}
	if here >= maxShifts {
		return refuse(Busy)
	}
	for id, v := range d.visits {
		if v.beside == s.subject && v.station == s.station {
			delete(d.visits, id)
			v.signals.close()
		}
	}
	d.shifts[s.id] = s
	return nil
}

// overAt says whether a shift is over by the clock. d.mu is held.
func (d *Desk) overAt(s *shift, now time.Time) bool {
	return now.Sub(s.used) >= d.ShiftIdle || now.Sub(s.began) >= d.ShiftMax
}

// shift returns an open shift at this desk's station, and how long it may be idle yet.
func (d *Desk) shift(id string, touched bool) (*shift, time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.shifts[id]
	now := d.Now()
	switch {
	case !ok || s.station != d.station:
		return nil, 0, refuse(ShiftOver)
	case d.overAt(s, now):
		d.dropShift(id)
		return nil, 0, refuse(ShiftOver)
	case touched:
		s.used = now
	}
	return s, min(s.used.Add(d.ShiftIdle).Sub(now), s.began.Add(d.ShiftMax).Sub(now)), nil
}

// KeepShift says that somebody is at the window, and returns what the shift is now.
func (d *Desk) KeepShift(ctx context.Context, id string) (Shift, error) {
	s, _, err := d.shift(id, true)
	if err != nil {
		return Shift{}, err
	}
	r, roles, err := d.judgeShift(ctx, s)
	if err != nil {
		return Shift{}, d.refusal(err)
	}
	view, err := d.shiftView(ctx, s, roles, r)
	return view, d.refusal(err)
}

// EndShift signs somebody out. Twice is as good as once.
func (d *Desk) EndShift(_ context.Context, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := d.shifts[id]; ok && s.station == d.station {
		d.dropShift(id)
	}
	return nil
}

// holdDirectory keeps the index over everybody alive, as long as somebody is signed in.
func (d *Desk) holdDirectory(ctx context.Context) (release func()) {
	if d.Directory == nil {
		return func() {}
	}
	return d.Directory.Hold(ctx)
}

// whenOver has something be released when a shift is over; at once if it is already.
func (d *Desk) whenOver(id string, release func()) {
	d.mu.Lock()
	s, open := d.shifts[id]
	if open {
		s.release = append(s.release, release)
	}
	d.mu.Unlock()
	if !open {
		release()
	}
}

// dropShift forgets one, and what was held for it. d.mu is held.
func (d *Desk) dropShift(id string) {
	held := d.shifts[id].release
	delete(d.shifts, id)
	d.background.Go(func() { // it takes a moment
		for _, release := range held {
			release()
		}
	})
}

// noteShown records that an agent is shown something of people, once while they stay on
// them.
func (d *Desk) noteShown(ctx context.Context, id string, by Agent, scope staff.Scope, whom ...domain.SubjectID) error {
	d.mu.Lock()
	s := d.shifts[id]
	d.mu.Unlock()
	var open []domain.SubjectID
	looks := 0
	if s != nil {
		s.noting.Lock()
		defer s.noting.Unlock()
		d.mu.Lock()
		open, looks = s.looksAt[scope], s.looks
		d.mu.Unlock()
	}
	for _, w := range whom {
		if slices.Contains(open, w) {
			continue
		}
		// Under a call that has looked before, this is another look all the same.
		c := CallOf(ctx).command(string(scope)+"/"+id+"/"+w.String()+"/"+strconv.Itoa(looks), 0)
		if err := d.noteAccess(ctx, by, c, staff.DataShown{Scope: scope, Subject: w}); err != nil {
			return err
		}
	}
	if s != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		s.sees(scope, whom)
	}
	return nil
}

// sees notes of whom something shows now: whoever turns to others, and back again, looks
// again. house.mu is held.
func (s *shift) sees(scope staff.Scope, whom []domain.SubjectID) {
	fresh := func(w domain.SubjectID) bool { return !slices.Contains(s.looksAt[scope], w) }
	if !slices.ContainsFunc(whom, fresh) {
		return
	}
	s.looks++
	for other, seen := range s.looksAt {
		if !slices.Equal(seen, whom) {
			delete(s.looksAt, other)
		}
	}
	s.looksAt[scope] = slices.Clone(whom)
}

// sweepShifts forgets those that are over by the clock, which nobody asks for any more,
// every few seconds until ctx ends; then all.
func (d *Desk) sweepShifts(ctx context.Context) {
	every := time.NewTicker(5 * time.Second)
	defer every.Stop()
	for ended := false; !ended; {
		select {
		case <-ctx.Done():
			ended = true
		case <-every.C:
		}
		d.exports.expire(d.Now())
		d.mu.Lock()
		for id, s := range d.shifts {
			if ended || d.overAt(s, d.Now()) {
				d.dropShift(id)
			}
		}
		d.mu.Unlock()
	}
}

func (d *Desk) shiftView(ctx context.Context, s *shift, roles []domain.Role, r record) (Shift, error) {
	_, left, err := d.shift(s.id, false)
	if err != nil {
		return Shift{}, err
	}
	assists := d.assisting(s)
	name, err := d.open(ctx, s.subject, KindName, r.state.Name)
	return Shift{ID: s.id, Subject: s.subject, Name: name, Roles: roles, Rights: staff.RightsOf(roles), Left: left, Assists: assists}, err
}

// judgeShift says whether a shift goes on, and returns what was read for that: it ends
// with the last role, and with whatever changes what the person proves with.
func (d *Desk) judgeShift(ctx context.Context, s *shift) (record, []domain.Role, error) {
	r, err := d.load(ctx, s.subject)
	if err != nil {
		return r, nil, err
	}
	roles, _, err := d.Roles(ctx, s.subject)
	if err != nil {
		return r, nil, err
	}
	nobody := &visit{since: s.since} // a shift changes nothing of its own person
	changed, err := nobody.foreign(r)
	if err != nil {
		return r, nil, err
	}
	if len(roles) == 0 || len(changed) > 0 {
		_ = d.EndShift(ctx, s.id)
		return r, nil, refuse(ShiftOver)
	}
	return r, roles, nil
}

// staffed runs what needs a right, and asks for it again once it is done and before
// anything of it leaves. acts says that somebody does it by hand, which keeps the shift
// alive.
func (d *Desk) staffed(ctx context.Context, id string, right staff.Right, acts bool, do func(ctx context.Context, by Agent) error) error {
	s, _, err := d.shift(id, acts)
	if err != nil {
		return err
	}
	by, err := d.agent(ctx, s, right)
	if err != nil {
		return d.refusal(err)
	}
	if err := do(ctx, by); err != nil {
		return d.refusal(err)
	}
	_, err = d.agent(ctx, s, right)
	return d.refusal(err)
}

// staffedOn is staffed for what is done to one person.
func (d *Desk) staffedOn(ctx context.Context, id string, right staff.Right, whom domain.SubjectID, do func(ctx context.Context, by Agent) error) error {
	return d.staffed(ctx, id, right, true, func(ctx context.Context, by Agent) error {
		if by.Subject == whom {
			return refuse(OwnAccount)
		}
		return do(ctx, by)
	})
}

// agent returns as whom a shift may do something now.
func (d *Desk) agent(ctx context.Context, s *shift, right staff.Right) (Agent, error) {
	if d.assisting(s) {
		return Agent{}, refuse(Assisting)
	}
	_, roles, err := d.judgeShift(ctx, s)
	if err != nil {
		return Agent{}, err
	}
	in, ok := staff.For(roles, right)
	if !ok {
		return Agent{}, refuse(NoRight)
	}
	return Agent{Subject: s.subject, Role: in}, nil
}

// seekPause is after how long another search is another one: keystrokes in between
// belong to the same.
const seekPause = 10 * time.Second

// seekRow is as long as such a row lasts: whoever goes on, to guess a number digit by
// digit, makes searches that show.
const seekRow = time.Minute

// noteSearch records that an agent searches, once for a row of keystrokes and without
// what they look for, before anything is found. A board that looks again because
// something happened is no other search.
func (d *Desk) noteSearch(ctx context.Context, id string, by Agent, words string) error {
	hashed := sha256.Sum256([]byte(words))
	d.mu.Lock()
	s, now := d.shifts[id], d.Now()
	var row time.Time
	again := false
	if s != nil && !s.sought.IsZero() {
		row = s.row
		again = s.words == hashed || now.Sub(s.sought) < seekPause && now.Sub(row) < seekRow
	}
	d.mu.Unlock()
	if !again {
		// Under a call that has searched before, this is another search all the same.
		scope := "search/" + id + "/" + strconv.FormatInt(row.UnixNano(), 10)
		if err := d.noteAccess(ctx, by, CallOf(ctx).command(scope, 0), staff.SearchMade{Scope: staff.SearchedAll}); err != nil {
			return err
		}
	}
	if s != nil {
		d.mu.Lock()
		if s.sought, s.words = now, hashed; !again {
			s.row = now
		}
		d.mu.Unlock()
	}
	return nil
}
