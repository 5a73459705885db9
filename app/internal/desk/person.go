package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/projections/history"
)

// A PersonView is what the helpdesk sees of one person. The address and the
// numbers are masked; Reveal shows one. It holds personal data and is not to be
// kept: ask again.
type PersonView struct {
	Subject  domain.SubjectID
	Name     string // as set, or as HR announced it; empty: not known
	Team     string
	Start    string // their first day, as 2026-12-01; empty: not known
	Employee string
	Language string // in which they are written to; empty: not known
	HelpCode string // shown in the last day; empty: none

	Email       string // masked, as s•••@voorbeeld.nl
	Phone       string // masked, as +31 •• ••• •• 78: the verified one, else the one being proved, else HR's
	PhoneSource enrolment.Source
	PhoneProved bool
	HRPhone     bool // HR announced a number, which may be another

	Registered bool // HR announces them
	Left       bool // HR did, and announces them no longer
	Started    bool
	Erased     bool           // their personal data is gone for good
	Step       enrolment.Step // the first that is open; 0: not begun
	Steps      [enrolment.StepDone]StepState
	Group      BoardGroup
	Factor     enrolment.Factor // that counts now
	Chosen     enrolment.Factor // that counts unless the account is frozen
	Since      time.Time        // when Factor became so; of who has chosen none, when they came to this step
	Device     string           // what the paired phone calls itself
	Frozen     Frozen           // empty: it is not
	Case       string           // the open one, which they name to the helpdesk; empty: none
	Ticket     string           // the case of staff whose ticket could be redeemed now; empty: none
	Locks      []LoginLock      // networks from which nobody logs in to the account now

	LastSeen   time.Time // when the person last did something; zero: never
	LastAt     string    // the station where, empty: not at one of ours
	LastClient string    // the client of the API where; empty: none

	CaseApproval time.Duration // what staff ask for them lapses after this, unless it is approved
	CaseWait     time.Duration // done from afar, it waits so long after that

	Diagnosis Diagnosis
	Revision  domain.Revision // of the enrolment; NoStream: the log does not know them
	Logins    domain.Revision // of the logins
	At        time.Time       // the clock that all of it is measured by
}

// A LoginLock is a network from which nobody logs in to an account for a while. The
// network itself has no name: it is known as a keyed hash only.
type LoginLock struct {
	Until time.Time
	Last  time.Time // when a guess failed there last
}

// PersonField is a value of a person that shows only on request.
type PersonField string

// The fields that Reveal shows.
const (
	FieldEmail   PersonField = "email"
	FieldPhone   PersonField = "phone"    // as in PersonView.Phone
	FieldHRPhone PersonField = "hr-phone" // that HR announced: to call somebody back at
)

// TimelineKind is what an entry of the timeline is about, to filter by.
type TimelineKind string

// The kinds. Each entry has one.
const (
	TimelineEnrolment TimelineKind = "enrolment"
	TimelineMessages  TimelineKind = "messages" // codes made, sent and not delivered
	TimelineLogins    TimelineKind = "logins"
	TimelineStaff     TimelineKind = "staff"    // what HR and the helpdesk did
	TimelineRefusals  TimelineKind = "refusals" // wrong codes and passwords, and locks
)

// A TimelineQuery asks for a window over all that happened to a person, the newest
// first.
type TimelineQuery struct {
	Kinds  []TimelineKind // empty: all
	Offset int
	Limit  int // 0: 50; at most MostRows
}

// A TimelinePage is a window over the timeline.
type TimelinePage struct {
	Entries []TimelineEntry
	Total   int // of the kinds that were asked for
	Counts  map[TimelineKind]int
}

// A TimelineEntry is one thing that happened, to be put in words as its Message
// says (area "history").
type TimelineEntry struct {
	history.Entry
	Kind TimelineKind
}

// PersonView returns what the helpdesk sees of a person, with the diagnosis. While the
// log is away it holds no more than that.
func (d *Desk) PersonView(ctx context.Context, s domain.SubjectID) (PersonView, error) {
	now := d.Now().UTC()
	v := PersonView{Subject: s, At: now, Revision: domain.NoStream, Logins: domain.NoStream}
	t, err := d.trail(ctx, s, domain.NoStream)
	if errors.Is(err, domain.ErrUnavailable) {
		v.Diagnosis = Diagnose(PersonFacts{Now: now, Policy: d.Policy, System: SystemFacts{LogAway: true}})
		return v, nil
	}
	if err == nil {
		err = d.fill(ctx, &v, &t)
	}
	return v, d.refusal(err)
}

// fill says of a person what their trail, their logins and the vault do.
func (d *Desk) fill(ctx context.Context, v *PersonView, t *trail) error {
	state, now := &t.state, v.At
	v.HelpCode, v.Revision, v.Language = t.helpCode(now), t.revision, state.Language
	v.Registered, v.Left, v.Started = state.Staff.Registered, state.Staff.Left, state.Started
	v.Step, v.Factor, v.Chosen = t.step(), state.Factor(), state.Chosen()
	v.Frozen, v.Case = Frozen(state.Frozen), string(state.Case.ID)
	v.CaseApproval, v.CaseWait = d.Policy.CaseApproval, d.Policy.CaseWait
	if c := state.Codes.Ticket; c.Open(d.Policy, now) {
		v.Ticket = string(c.ID)
	}
	if v.Language == "" {
		v.Language = state.Staff.Language
	}
	if v.Since = t.factorAt; v.Chosen == enrolment.NoFactor {
		v.Since = t.stepAt
	}
	v.LastSeen, v.LastAt = t.seen, t.seenAt
	logins, err := d.lookAtLogins(ctx, v)
	if err != nil {
		return err
	}
	if err := d.personal(ctx, v, t); err != nil {
		return err
	}
	system, err := d.system(ctx)
	if err != nil {
		return err
	}
	v.Group = GroupWaiting
	if d.Standings != nil {
		if p, ok := d.Standings.Person(v.Subject); ok {
			st := d.standing(&p, now, BoardQuery{}.midnight(now))
			v.Group = groups[st.group]
		}
	}
	v.Steps = stepsOf(v.Step, v.Group == GroupStuck)
	v.Diagnosis = Diagnose(d.facts(v, t, logins, system))
	return nil
}

// facts puts together what a diagnosis judges.
func (d *Desk) facts(v *PersonView, t *trail, logins LoginFacts, system SystemFacts) PersonFacts {
	_, c := t.awaited()
	f := PersonFacts{
		Now: v.At, Policy: d.Policy, Known: t.revision != domain.NoStream || t.parked, State: t.state, Parked: t.parked, Erased: v.Erased,
		Proved: t.proved, Password: t.password, Factor: t.factorAt, Failed: t.undone, Revoked: t.revoked,
		Ticket:    t.awaitsTicket(&d.Policy, v.At),
		CodeEnded: c.ID != "" && c.Wrong >= d.Policy.WrongCodes, Logins: logins, System: system,
	}
	switch p := t.state.Pairing; p.Stage {
	case enrolment.Offered, enrolment.Claimed, enrolment.Confirmed, enrolment.Failed:
		f.Pairing = v.At.Before(p.Ends)
	case enrolment.NotPairing, enrolment.Paired, enrolment.Over:
	}
	return f
}

// lastLogins is how many of the last events of somebody's logins say something of why
// they do not get in.
const lastLogins = 200

// lookAtLogins reads the logins of a person.
func (d *Desk) lookAtLogins(ctx context.Context, v *PersonView) (LoginFacts, error) {
	var facts loginFacts
	r, err := d.loadLogins(ctx, v.Subject)
	switch {
	case errors.Is(err, domain.ErrUnavailable), ctx.Err() != nil:
		return facts.LoginFacts, err
	case err != nil: // an event could not be understood: then nobody logs in
		facts.Parked = true
		return facts.LoginFacts, nil
	}
	v.Logins, v.Locks = r.revision, locks(d.Policy, r.state, v.At)
	events, err := d.Log.ReadStream(ctx, login.Stream(v.Subject), max(0, r.revision-lastLogins+1))
	if err != nil {
		return facts.LoginFacts, fmt.Errorf("read logins of %s: %w", v.Subject, err)
	}
	for i := range events {
		e, err := login.Decode(events[i].Type, events[i].Data)
		if err != nil {
			facts.Parked = true
			break
		}
		facts.evolve(e, events[i].Recorded, v.At)
		v.saw(&events[i], e)
	}
	for _, l := range v.Locks {
		facts.Locked = later(facts.Locked, l.Until)
	}
	return facts.at(v.At), nil
}

// saw notes that a person was somewhere, by an event of their logins.
func (v *PersonView) saw(r *domain.Recorded, e login.Event) {
	var by login.Asker
	switch e := e.(type) {
	case login.LoginChallenged:
		by = e.By
	case login.LoginSucceeded:
		by = e.By
	case login.LoginApproved: // on their phone
	case login.LoginFailed, login.LoginLocked, login.CodeSent, login.CodeUndeliverable: // by whoever it was
		return
	}
	if r.Recorded.After(v.LastSeen) {
		v.LastSeen, v.LastAt, v.LastClient = r.Recorded, by.Station, by.Client
	}
}

// locks returns from where nobody logs in now, the longest first.
func locks(p enrolment.Policy, s login.State, now time.Time) []LoginLock {
	networks := map[login.Network]time.Time{}
	for n, t := range s.Networks {
		networks[n] = t.Last
	}
	for _, g := range s.Failed {
		networks[g.Network] = later(networks[g.Network], g.At)
	}
	var all []LoginLock
	for n, last := range networks {
		if until := s.Locked(p, n, now); until.After(now) {
			all = append(all, LoginLock{Until: until.UTC(), Last: last.UTC()})
		}
	}
	slices.SortFunc(all, func(a, b LoginLock) int { return b.Until.Compare(a.Until) })
	return all
}

// personal opens what shows of a person, and masks what does not.
func (d *Desk) personal(ctx context.Context, v *PersonView, t *trail) error {
	state := &t.state
	if v.Erased = state.Erased; v.Erased {
		return nil
	}
	e, err := d.findable(ctx, v.Subject, *state)
	if err != nil {
		return err
	}
	v.Name, v.Team, v.Start, v.Email = e.Name, e.Team, e.Start, maskEmail(e.Email)
	if v.Employee, err = d.open(ctx, v.Subject, KindEmployee, state.Staff.Employee); err != nil {
		return err
	}
	if v.Device, err = d.open(ctx, v.Subject, KindDevice, state.Device.Label); err != nil {
		return err
	}
	number, source := phoneOf(state)
	phone, err := d.open(ctx, v.Subject, KindPhone, number)
	if err != nil {
		return err
	}
	v.Phone, v.PhoneSource = maskPhone(phone), source
	v.PhoneProved, v.HRPhone = !state.Phone.Ref.IsZero(), !state.Staff.Phone.IsZero()
	if email := addressOf(*state); !email.IsZero() && e.Email == "" {
		_, err := d.People.Get(ctx, v.Subject, KindEmail, email)
		v.Erased = errors.Is(err, domain.ErrErased)
	}
	return nil
}

// phoneOf returns the number of a person: the verified one, else the one that is being
// proved, else the one that HR announced.
func phoneOf(s *enrolment.State) (domain.Ref, enrolment.Source) {
	switch {
	case !s.Phone.Ref.IsZero():
		return s.Phone.Ref, s.Phone.Source
	case !s.Given.Ref.IsZero():
		return s.Given.Ref, s.Given.Source
	case !s.Staff.Phone.IsZero():
		return s.Staff.Phone, enrolment.FromHR
	case !s.Invitee.Phone.IsZero(): // which counts as HR's
		return s.Invitee.Phone, enrolment.FromHR
	}
	return domain.Ref{}, ""
}

const hidden = "•••"

// maskEmail shows the first letter of an address and where it is.
func maskEmail(address string) string {
	local, host, ok := strings.Cut(address, "@")
	if !ok {
		return strings.Repeat(hidden, min(1, len(address)))
	}
	for _, first := range local {
		return string(first) + hidden + "@" + host
	}
	return hidden + "@" + host
}

// maskPhone shows the country and the last two digits of a number.
func maskPhone(number string) string {
	if number == "" {
		return ""
	}
	digits := onlyDigits(number)
	last := digits[max(0, len(digits)-2):]
	if n, err := phonenumbers.Parse(number, ""); err == nil {
		return "+" + strconv.Itoa(int(n.GetCountryCode())) + " •• ••• •• " + last
	}
	return "•• ••• •• " + last
}

// Reveal returns one value of a person; empty where there is none. Who looks has to be
// recorded before.
func (d *Desk) Reveal(ctx context.Context, s domain.SubjectID, f PersonField) (string, error) {
	value, err := d.revealed(ctx, s, f)
	return value, d.refusal(err)
}

func (d *Desk) revealed(ctx context.Context, s domain.SubjectID, f PersonField) (string, error) {
	t, err := d.trail(ctx, s, domain.NoStream)
	if err != nil {
		return "", err
	}
	switch f {
	case FieldEmail:
		return d.open(ctx, s, KindEmail, addressOf(t.state))
	case FieldPhone:
		ref, _ := phoneOf(&t.state)
		return d.openPhone(ctx, s, ref)
	case FieldHRPhone:
		return d.openPhone(ctx, s, t.state.Staff.Phone)
	}
	return "", fmt.Errorf("show %q of a person: %w", f, domain.ErrNotFound)
}

// openPhone opens a number as people read it.
func (d *Desk) openPhone(ctx context.Context, s domain.SubjectID, ref domain.Ref) (string, error) {
	number, err := d.open(ctx, s, KindPhone, ref)
	if n, bad := d.Policy.ParsePhone(number); err == nil && bad == nil {
		return n.International, nil
	}
	return number, err
}

// system says whether Keydesk itself works.
func (d *Desk) system(ctx context.Context) (f SystemFacts, err error) {
	if d.Standings != nil {
		health := d.Standings.Health()
		f.LogAway, f.Behind = health.CaughtUp && health.Behind > silentFor, !health.CaughtUp
	}
	d.mu.Lock()
	f.MailDown, f.SMSDown = d.outages[enrolment.ByMail], d.outages[enrolment.BySMS]
	d.mu.Unlock()
	if f.SMSPaused, err = d.smsPaused(ctx); err != nil {
		return f, err
	}
	sent, err := d.Limits.Count(ctx, d.Now(), d.smsADay())
	if err != nil {
		return f, fmt.Errorf("count the day's SMS: %w", err)
	}
	f.SMSSpent = sent >= d.Policy.SMSPerDay
	return f, nil
}

// silentFor is for how long the log may be silent before it counts as away.
const silentFor = 10 * time.Second

// Timeline returns a window over all that happened to a person, the newest first.
func (d *Desk) Timeline(ctx context.Context, s domain.SubjectID, q TimelineQuery) (TimelinePage, error) {
	var streams [2][]domain.Recorded
	for i, stream := range []string{domain.EnrolmentStream(s), login.Stream(s)} {
		events, err := d.Log.ReadStream(ctx, stream, 0)
		if err != nil && !errors.Is(err, domain.ErrNotFound) {
			return TimelinePage{}, d.refusal(fmt.Errorf("read %s: %w", stream, err))
		}
		streams[i] = events
	}
	all := history.Whole(streams[0], streams[1])
	page := TimelinePage{Counts: map[TimelineKind]int{}}
	limit := q.Limit
	if limit <= 0 {
		limit = usualRows
	}
	for _, e := range slices.Backward(all) {
		kind := timelineKind(&e)
		page.Counts[kind]++
		if len(q.Kinds) > 0 && !slices.Contains(q.Kinds, kind) {
			continue
		}
		if page.Total >= q.Offset && len(page.Entries) < min(limit, MostRows) {
			page.Entries = append(page.Entries, TimelineEntry{e, kind})
		}
		page.Total++
	}
	return page, nil
}

// timelineKind says what an entry is about.
func timelineKind(e *history.Entry) TimelineKind {
	switch e.Type {
	case "CodeIssued", "CodeSent", "CodeUndeliverable":
		return TimelineMessages
	case "StaffRegistered", "StaffChanged", "StaffLeft":
		return TimelineStaff
	case "LoginFailed", "LoginLocked", "CodeRejected":
		return TimelineRefusals
	case "LoginChallenged", "LoginApproved", "LoginSucceeded":
		return TimelineLogins
	}
	switch {
	case e.Actor.Kind == domain.ActorStaff:
		return TimelineStaff
	case e.Type == "PairingFailed" && e.Outcome == history.Refused:
		return TimelineRefusals
	}
	return TimelineEnrolment
}
