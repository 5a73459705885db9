package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// A trail is what the helpdesk wants to know of a person's enrolment beside its state:
// it holds nothing personal.
type trail struct {
	state    enrolment.State
	revision domain.Revision
	parked   bool // an event could not be understood: the state is that before it

	announced time.Time // by HR, last
	invited   time.Time // by staff, last
	help      string    // the last help code …
	helpAt    time.Time // … and when it was shown
	seen      time.Time // when the person was last at a station, or at their phone …
	seenAt    string    // … and which station; empty: none
	factorAt  time.Time // when the factor that counts became so
	stepAt    time.Time // when the step became what it is
	proved    time.Time // the address
	password  time.Time
	undone    int // messages of the code that they wait for, that were not delivered
	revoked   enrolment.RevokeReason
}

// trails keeps what was read of people's enrolments, so that only what is new of them
// is read. What stands in a log never changes.
type trails struct {
	mu    sync.Mutex
	known map[domain.SubjectID]trail
}

// trailsKnown bounds how many are kept: some megabytes.
const trailsKnown = 4096

func (t *trails) get(s domain.SubjectID) trail {
	t.mu.Lock()
	defer t.mu.Unlock()
	if got, ok := t.known[s]; ok {
		return got
	}
	return trail{revision: domain.NoStream}
}

func (t *trails) put(s domain.SubjectID, got trail) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) >= trailsKnown {
		t.known = map[domain.SubjectID]trail{}
	}
	if old, ok := t.known[s]; !ok || old.revision < got.revision {
		t.known[s] = got
	}
}

// trail reads what is new of a person's enrolment; at says which revision is known to
// be there, and nothing is read when that was seen before.
func (d *Desk) trail(ctx context.Context, s domain.SubjectID, at domain.Revision) (trail, error) {
	t := d.trails.get(s)
	if t.parked || at != domain.NoStream && t.revision >= at {
		return t, nil
	}
	events, err := d.Log.ReadStream(ctx, domain.EnrolmentStream(s), t.revision+1)
	if err != nil && !errors.Is(err, domain.ErrNotFound) {
		return t, fmt.Errorf("read enrolment of %s: %w", s, err)
	}
	for i := range events {
		if t = t.follow(&events[i]); t.parked {
			break
		}
	}
	d.trails.put(s, t)
	return t, nil
}

// follow returns the trail with one more event.
func (t trail) follow(r *domain.Recorded) trail {
	e, err := enrolment.Decode(r.Type, r.Data)
	if err != nil {
		t.parked = true
		return t
	}
	at := r.Recorded
	var meta domain.Metadata
	if err := json.Unmarshal(r.Metadata, &meta); err == nil && (meta.Actor.Kind == domain.ActorPerson || meta.Actor.Kind == domain.ActorStation) {
		t.seen, t.seenAt = at, meta.Station
	}
	step, factor := t.state.Step(), t.state.Factor()
	t.state, t.revision = enrolment.Evolve(t.state, e), r.Revision
	if t.state.Step() != step {
		t.stepAt = at
	}
	if t.state.Factor() != factor {
		t.factorAt = at
	}
	switch e := e.(type) { //nolint:gochecksumtype // the others say no more than the state does
	case enrolment.StaffRegistered, enrolment.StaffChanged, enrolment.StaffLeft:
		t.announced = at
	case enrolment.InvitationIssued:
		t.invited = at
	case enrolment.EnrolmentStarted:
		t.stepAt = at
	case enrolment.HelpCodeShown:
		t.help, t.helpAt = string(e.Help), at
	case enrolment.EmailConfirmed:
		t.proved = at
	case enrolment.PasswordSet:
		if e.Reason != enrolment.PasswordRehashed {
			t.password = at
		}
	case enrolment.PhoneGiven:
		t.undone = 0
	case enrolment.CodeSent:
		t.delivered(e.Challenge, "")
	case enrolment.CodeUndeliverable:
		t.delivered(e.Challenge, e.Reason)
	case enrolment.PocketPaired, enrolment.FactorChosen:
		t.revoked = ""
	case enrolment.PocketRevoked:
		t.revoked = e.Reason
	case enrolment.PersonErased:
		t.stepAt, t.factorAt, t.help = at, at, ""
	}
	return t
}

// delivered counts messages in a row that did not arrive, of those that somebody waits
// for on the way to their factor.
func (t *trail) delivered(c enrolment.ChallengeID, failed enrolment.Undelivered) {
	switch {
	case c != t.state.Codes.Email.ID && c != t.state.Codes.Phone.ID:
	case failed == "":
		t.undone = 0
	case failed != enrolment.Unknown:
		t.undone++
	}
}

// helpCode returns the help code that was shown in the last day.
func (t *trail) helpCode(now time.Time) string {
	if now.Sub(t.helpAt) > helpLife {
		return ""
	}
	return t.help
}

// step returns the first step that is open; 0 for who has not begun.
func (t *trail) step() enrolment.Step {
	if !t.state.Started && t.state.Chosen() == enrolment.NoFactor {
		return 0
	}
	return t.state.Step()
}

// row tells of one person on the board.
func (d *Desk) row(ctx context.Context, st *standing, now time.Time) (BoardRow, error) {
	p, _ := d.Standings.Person(st.subject)
	t, err := d.trail(ctx, st.subject, p.Revision)
	if err != nil {
		return BoardRow{}, err
	}
	row := BoardRow{
		Subject: st.subject, Group: groups[st.group], Since: time.UnixMicro(st.since).UTC(), Station: t.seenAt, HelpCode: t.helpCode(now),
		Factor: t.state.Factor(), Frozen: t.state.Frozen != "", Revision: t.revision, Steps: stepsOf(t.step(), st.group == inStuck),
	}
	if err := d.nameRow(ctx, &row, &t); err != nil {
		return row, err
	}
	row.Now = t.now(&d.Policy, st, row.Start, now)
	return row, nil
}

// stepsOf says how the six steps stand.
func stepsOf(step enrolment.Step, stuck bool) (steps [enrolment.StepDone]StepState) {
	for i := range steps {
		switch n := enrolment.Step(i + 1); {
		case step == enrolment.StepDone || n < step:
			steps[i] = StepReady
		case n == step && stuck:
			steps[i] = StepStuck
		case n == step:
			steps[i] = StepNow
		default:
			steps[i] = StepOpen
		}
	}
	return steps
}

// nameRow says who a row is about: from the directory, or from the vault.
func (d *Desk) nameRow(ctx context.Context, row *BoardRow, t *trail) error {
	var e Entry
	if d.Directory != nil {
		e, _ = d.Directory.Entry(row.Subject)
	}
	if e.Name == "" && e.Email == "" {
		var err error
		if e, err = d.findable(ctx, row.Subject, t.state); err != nil {
			return err
		}
	}
	row.Name, row.Team, row.Start = e.Name, e.Team, e.Start
	if row.Name == "" {
		row.Name, row.NoName = e.Email, true
	}
	return nil
}

// findable is what the directory would say of a person.
func (d *Desk) findable(ctx context.Context, s domain.SubjectID, state enrolment.State) (Entry, error) {
	e := Entry{Subject: s}
	for _, f := range []struct {
		kind Kind
		refs []domain.Ref
		to   *string
	}{
		{KindName, nameOf(state), &e.Name},
		{KindEmail, []domain.Ref{addressOf(state)}, &e.Email},
		{KindTeam, []domain.Ref{state.Staff.Team}, &e.Team},
		{KindStartDate, []domain.Ref{state.Staff.Start}, &e.Start},
	} {
		var err error
		if *f.to, err = d.open(ctx, s, f.kind, f.refs...); err != nil {
			return e, err
		}
	}
	return e, nil
}

// now says what is the matter with somebody, or what they do.
func (t *trail) now(p *enrolment.Policy, st *standing, start string, now time.Time) Phrase {
	switch groups[st.group] {
	case GroupStuck:
		return t.stuck(st, now)
	case GroupBusy:
		return phrase("desk-now-" + t.doing(p, now))
	case GroupWaiting:
		switch {
		case t.state.Started:
			return phrase("desk-now-paused", "At", moment(time.UnixMicro(st.since)))
		case t.state.Invitation.Open(*p, now):
			return phrase("desk-now-invited", "At", moment(t.invited))
		case start > now.Format(time.DateOnly):
			return phrase("desk-now-starts", "Day", start)
		case !t.announced.IsZero():
			return phrase("desk-now-announced", "At", moment(t.announced))
		}
		return phrase("desk-now-not-begun")
	case GroupDone:
		return phrase("desk-now-done-" + string(t.state.Factor()))
	case GroupGone:
	}
	return phrase("desk-now-gone")
}

func (t *trail) stuck(st *standing, now time.Time) Phrase {
	switch st.why {
	case isParked:
		return phrase("desk-now-parked")
	case isFrozen:
		return phrase("desk-now-frozen-" + known(string(t.state.Frozen), frozenReasons, string(enrolment.FrozenHelpdesk)))
	case isLocked:
		return phrase("desk-now-locked")
	case isUndelivered:
		channel, c := t.awaited()
		return phrase("desk-now-" + channel + "-" + known(string(c.Failed), undelivered, "other"))
	case codeEnded:
		_, c := t.awaited()
		return phrase("desk-now-code-ended", "N", strconv.Itoa(c.Wrong))
	case digitsEnded:
		return phrase("desk-now-digits-ended")
	case isStill, noTrouble:
	}
	return phrase("desk-now-still", "N", strconv.Itoa(int(now.Sub(time.UnixMicro(st.since))/time.Minute)))
}

// awaited returns the code that somebody waits for, and how it travels.
func (t *trail) awaited() (channel string, c enrolment.Challenge) {
	if t.step() == enrolment.StepSMSCode {
		return "sms", t.state.Codes.Phone
	}
	return "mail", t.state.Codes.Email
}

// doing says what somebody does who is under way.
func (t *trail) doing(p *enrolment.Policy, now time.Time) string {
	if t.awaitsTicket(p, now) {
		return "ticket"
	}
	switch t.state.Step() {
	case enrolment.StepEmail:
		return waits("mail", t.state.Codes.Email)
	case enrolment.StepPassword:
		return "password"
	case enrolment.StepPhone:
		return "phone"
	case enrolment.StepSMSCode:
		return waits("sms", t.state.Codes.Phone)
	case enrolment.StepFactor:
		switch t.state.Pairing.Stage {
		case enrolment.Offered, enrolment.Claimed, enrolment.Confirmed, enrolment.Failed:
			return "pairing"
		case enrolment.NotPairing, enrolment.Paired, enrolment.Over:
		}
	case enrolment.StepDone:
	}
	return "choosing"
}

// awaitsTicket says that somebody proved their address, and is asked for a ticket.
func (t *trail) awaitsTicket(p *enrolment.Policy, now time.Time) bool {
	return t.state.Started && t.state.Step() > enrolment.StepEmail && p.AwaitsTicket(t.state, now)
}

// waits says how a code travels that somebody waits for.
func waits(channel string, c enrolment.Challenge) string {
	if c.Sends == 0 {
		return channel + "-sending"
	}
	return channel + "-sent"
}

// The closed sets of reasons that have sentences of their own.
var (
	frozenReasons = []string{string(enrolment.FrozenNotMe), string(enrolment.FrozenLost), string(enrolment.FrozenStolen), string(enrolment.FrozenHelpdesk)}
	undelivered   = []string{
		string(enrolment.InvalidRecipient), string(enrolment.Blocked), string(enrolment.Refused), string(enrolment.NoRoute),
		string(enrolment.NoProvider), string(enrolment.Unknown),
	}
)

// known returns a code that there is a sentence for, or the one for all others.
func known(code string, codes []string, otherwise string) string {
	if slices.Contains(codes, code) {
		return code
	}
	return otherwise
}

// phrase makes a phrase of names and values that take turns.
func phrase(id string, params ...string) Phrase {
	p := Phrase{ID: id}
	for i := 0; i+1 < len(params); i += 2 {
		if p.Params == nil {
			p.Params = map[string]string{}
		}
		p.Params[params[i]] = params[i+1]
	}
	return p
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
