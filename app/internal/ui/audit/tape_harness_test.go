package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/history"
)

// A reel is an auditor's desk over a log that is made up: event n is of the minute
// that when says, about one of forty people. Its answers can be held back.
type reel struct {
	mu      sync.Mutex
	events  int
	names   []string
	err     error
	ready   float64
	unnamed bool // the names of people are not known yet
	erased  bool // the people are, by now
	ahead   int  // events behind the last one that a wrong clock has put far ahead
	back    int  // events before the first one that a clock that was not set has put far back
	astray  int  // events whose time does not fit
	altered int  // the event that is not what was sealed
	seal    desk.SealView
	hold    chan struct{} // answers to Replay wait for it; nil: they do not
	replays []desk.Moment // that were asked for
	asking  int           // replays at a time …
	most    int           // … and at most
	queries []desk.EventQuery
	steps   []stepQuery
	looks   []string // what is recorded of what the auditor looked at
	checks  int
}

func newReel(events int) *reel {
	a := &reel{events: events, ready: 1}
	for i := range 40 {
		a.names = append(a.names, []string{"M. Visser", "Sanne de Vries", "Mehmet Yılmaz", "Lotte Jansen"}[i%4]+fmt.Sprint(" ", i))
	}
	a.names[0] = "M. Visser"
	last := desk.CheckpointView{Number: 128, Size: int64(events), Root: "9f3c71ab" + strings.Repeat("0", 48) + "04d2e1a7", At: noon.Add(-28 * time.Minute)}
	a.seal = desk.SealView{
		On: true, Checkpoint: last, Size: int64(events), Witnesses: []desk.WitnessView{{Name: "getuige-2", At: noon.Add(-27 * time.Minute), State: desk.WitnessAgrees}},
		Check: desk.CheckView{At: noon.Add(-2 * time.Minute), Ended: noon.Add(-time.Minute), OK: true, Events: int64(events), Done: int64(events), Total: int64(events)},
	}
	return a
}

// set changes something, as an event does.
func (a *reel) set(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
}

// when is the time of an event: they are a little denser by day than by night.
func (a *reel) when(position int) time.Time {
	begin := time.Date(2026, 10, 1, 8, 0, 0, 0, time.Local)
	step := noon.Sub(begin) / time.Duration(max(1, a.events))
	n := position * (1 + position%3) / (1 + position%3)
	return begin.Add(step * time.Duration(n)).Truncate(time.Second)
}

// at is how many events there were at a moment.
func (a *reel) at(m desk.Moment) int {
	switch {
	case m.Position != 0:
		return min(a.events, int(m.Position)) //nolint:gosec // a place in a made-up log
	case m.At.IsZero():
		return a.events
	}
	n := 0
	for n < a.events && !a.when(n+1).After(m.At) {
		n++
	}
	return n
}

func (a *reel) moment(n int) desk.Moment {
	if n == 0 {
		return desk.Moment{}
	}
	return desk.Moment{Position: uint64(n), At: a.when(n)} //nolint:gosec // a place in a made-up log
}

func (a *reel) Timeline(_ context.Context, _ string, q desk.HistogramQuery) (desk.Histogram, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil || a.events == 0 {
		return desk.Histogram{}, a.err
	}
	h := desk.Histogram{First: a.when(1), Begin: a.when(1), Astray: a.astray, Last: a.when(a.events), Events: a.events, Position: uint64(a.events), Width: 24 * time.Hour} //nolint:gosec // a made-up log
	from, to := h.First, h.Last
	if !q.From.IsZero() {
		from, to = q.From, q.To
	}
	if to.Sub(from) <= 8*24*time.Hour {
		h.Width = 2 * time.Hour
	}
	y, m, d := from.In(time.Local).Date()
	at := time.Date(y, m, d, 0, 0, 0, 0, time.Local)
	for h.Width < 24*time.Hour && at.Add(h.Width).Before(from) {
		at = at.Add(h.Width)
	}
	for i := 0; !at.After(to) && i < desk.MostBars; i++ {
		next := at.Add(h.Width)
		if h.Width == 24*time.Hour {
			next = at.AddDate(0, 0, 1)
		}
		n := a.at(desk.Moment{At: next.Add(-1)}) - a.at(desk.Moment{At: at.Add(-1)})
		h.Bars = append(h.Bars, desk.Bar{From: at, Events: n*(3+at.Day()*7%11)/9 + at.Day()%4})
		at = next
	}
	if a.ahead > 0 && at.After(h.Last) {
		h.Bars = append(h.Bars, desk.Bar{From: at, Events: a.ahead, Later: true})
	}
	if a.back > 0 && !q.From.After(h.Begin) {
		h.First = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		h.Bars = slices.Insert(h.Bars, 0, desk.Bar{From: h.First, Events: a.back, Earlier: true})
	}
	return h, nil
}

func (a *reel) Replay(ctx context.Context, _ string, m desk.Moment) (desk.ReplayView, error) {
	a.mu.Lock()
	a.replays = append(a.replays, m)
	a.asking++
	a.most = max(a.most, a.asking)
	hold := a.hold
	a.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asking--
	if a.err != nil {
		return desk.ReplayView{}, a.err
	}
	n := a.at(m)
	stand := func(n int) desk.Standing {
		return desk.Standing{People: 320, Invited: max(0, 330-n/20), Busy: 5 + n%7, Stuck: n % 5, Done: n / 20, Frozen: 2}
	}
	return desk.ReplayView{Moment: a.moment(n), Events: n, Total: a.events, Then: stand(n), Now: stand(a.events)}, nil
}

// fits says whether the filter lets an event through.
func (a *reel) fits(n int, f desk.EventFilter) bool {
	e := a.event(n)
	return (f.Subject.IsZero() || e.Subject == f.Subject) && (len(f.Types) == 0 || slices.Contains(f.Types, e.Type)) &&
		(f.Actor == "" || e.Actor.ID == f.Actor || f.Actor == desk.Themselves && e.Actor.Kind == domain.ActorPerson) && (f.Role == "" || e.Actor.Role == f.Role) && (f.Station == "" || e.Station == f.Station) &&
		(f.Correlation == domain.EventID{} || e.Correlation == f.Correlation) &&
		(f.From.IsZero() || !e.Recorded.Before(f.From)) && (f.To.IsZero() || e.Recorded.Before(f.To))
}

func (a *reel) Step(_ context.Context, _ string, from uint64, by int, f desk.EventFilter) (desk.Moment, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.steps = append(a.steps, stepQuery{from, by, f})
	if a.err != nil {
		return desk.Moment{}, a.err
	}
	n, found := int(from), 0 //nolint:gosec // a place in a made-up log
	way := 1
	if by < 0 {
		way = -1
	}
	for i := n + way; i >= 1 && i <= a.events && by != 0; i += way {
		if a.fits(i, f) {
			found, by = i, by-way
		}
	}
	if found == 0 {
		return desk.Moment{}, &desk.Refusal{Code: desk.NoEvent}
	}
	return a.moment(found), nil
}

// kinds are the events in their turn.
var kinds = []struct {
	kind    string
	message string
	outcome history.Outcome
	actor   domain.Actor
	station string
}{
	{"CodeUndeliverable", "history-CodeUndeliverable", history.Failed, domain.Actor{Kind: domain.ActorService, ID: "keydesk", Role: domain.RoleUnattended}, ""},
	{"CodeSent", "history-CodeSent", history.Note, domain.Actor{Kind: domain.ActorService, ID: "keydesk", Role: domain.RoleUnattended}, ""},
	{"PhoneGiven", "history-PhoneGiven-self", history.Note, domain.Actor{Kind: domain.ActorPerson, ID: "x", Role: domain.RoleSubject}, "Hal 2"},
	{"PasswordSet", "history-PasswordSet", history.Progress, domain.Actor{Kind: domain.ActorPerson, ID: "x", Role: domain.RoleSubject}, "Hal 2"},
	{"EmailConfirmed", "history-EmailConfirmed", history.Progress, domain.Actor{Kind: domain.ActorPerson, ID: "x", Role: domain.RoleSubject}, "Hal 2"},
	{"CodeRejected", "history-CodeRejected-wrong", history.Refused, domain.Actor{Kind: domain.ActorPerson, ID: "x", Role: domain.RoleSubject}, "Hal 1"},
	{"EnrolmentStarted", "history-EnrolmentStarted", history.Note, domain.Actor{Kind: domain.ActorStation, ID: "Hal 2", Role: domain.RoleUnattended}, "Hal 2"},
	{"DataShown", "", history.Note, domain.Actor{Kind: domain.ActorStaff, ID: numbered(77).String(), Role: domain.RoleHelpdesk}, "Servicedesk"},
}

func (a *reel) event(n int) desk.EventRow {
	k := kinds[n%len(kinds)]
	who := n / len(kinds) % len(a.names)
	r := desk.EventRow{
		Position: uint64(n), Revision: int64(n % 9), Stream: "enrolment-" + numbered(who).String(), Type: k.kind, ID: eventID(n), Recorded: a.when(n), //nolint:gosec // a made-up log
		At: a.when(n).Add(-time.Second), Subject: numbered(who), Name: a.names[who], Actor: k.actor, Station: k.station,
		Message: k.message, Outcome: k.outcome, Params: map[string]string{"Number": "3", "Attempt": "2", "Country": "NL", "Provider": "mock"},
		Correlation: eventID(1_000_000 + n/len(kinds)), Causation: eventID(n - 1),
		Hash: fmt.Sprintf("%08x", n*2654435761) + strings.Repeat("7", 56),
	}
	r.Altered = n == a.altered
	if k.actor.Kind == domain.ActorStaff {
		r.ActorName = "Joost Kuipers"
	}
	return r
}

func (a *reel) Events(_ context.Context, _ string, q desk.EventQuery) (desk.EventPage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queries = append(a.queries, q)
	if a.err != nil {
		return desk.EventPage{}, a.err
	}
	last := a.at(q.Until)
	page := desk.EventPage{All: last, Ready: a.ready, Unnamed: a.unnamed}
	types := map[string]int{}
	for n := last; n >= 1; n-- {
		if !a.fits(n, q.Filter) {
			continue
		}
		types[kinds[n%len(kinds)].kind]++
		if page.Total >= q.Offset && len(page.Rows) < q.Limit {
			e := a.event(n)
			if a.unnamed {
				e.Name = ""
			}
			page.Rows = append(page.Rows, e)
		}
		page.Total++
	}
	for _, k := range kinds {
		page.Types = append(page.Types, desk.Facet{Value: k.kind, Events: types[k.kind]})
	}
	page.Roles = []desk.Facet{{Value: "subject", Events: 40}, {Value: "unattended", Events: 10}}
	page.Stations = []desk.Facet{{Value: "Hal 2", Events: 40}, {Value: "Hal 1", Events: 4}}
	page.Actors = []desk.Facet{{Value: desk.Themselves, Events: 40}, {Value: numbered(77).String(), Name: "Joost Kuipers", Events: 9}, {Value: "keydesk", Events: 3}, {Value: "portal", Kind: domain.ActorService, Events: 2}, {Value: "hal-2", Kind: domain.ActorStation, Events: 1}}
	return page, nil
}

func (a *reel) Event(_ context.Context, _ string, position uint64) (desk.EventDetail, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looks = append(a.looks, fmt.Sprint("event ", position))
	if a.err != nil {
		return desk.EventDetail{}, a.err
	}
	if position == 0 || position > uint64(a.events) { //nolint:gosec // a made-up log
		return desk.EventDetail{}, &desk.Refusal{Code: desk.NoEvent}
	}
	return desk.EventDetail{
		EventRow: a.event(int(position)), Sealed: true, Leaf: int64(position) - 1, Checkpoint: a.seal.Checkpoint, //nolint:gosec // a made-up log
		Data:     `{"challenge":"5b1f","attempt":2,"to":{"ref":"0c9e6c3a-5d3a-4a3e-9b7c-3a1f0e5d2c4b","version":1,"commitment":"c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2"}}`,
		Metadata: `{"$correlationId":"8a1d1f2c","actor":{"kind":"person","id":"x","role":"subject"},"station":"Hal 2"}`,
		Values: []desk.ValueCheck{
			{Type: "PhoneGiven", Field: "phone", Version: 1, State: desk.ValueHolds}, {Type: "PhoneGiven", Field: "email", Version: 2, State: desk.ValueErased},
		},
	}, nil
}

func (a *reel) Chain(_ context.Context, _ string, position uint64) (desk.Chain, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var c desk.Chain
	for n := int(position) / len(kinds) * len(kinds); n <= a.events && n/len(kinds) == int(position)/len(kinds); n++ { //nolint:gosec // a made-up log
		if n > 0 {
			c.Links = append(c.Links, desk.ChainLink{EventRow: a.event(n), Depth: min(3, n%len(kinds))})
		}
	}
	c.Total = len(c.Links)
	return c, a.err
}

func (a *reel) FindPerson(_ context.Context, _, words string) ([]desk.PersonHit, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looks = append(a.looks, "search "+words)
	var hits []desk.PersonHit
	for i, n := range a.names {
		if strings.Contains(strings.ToLower(n), strings.ToLower(words)) {
			hits = append(hits, desk.PersonHit{Subject: numbered(i), Name: n, Email: "m•••@voorbeeld.nl"})
		}
	}
	return hits, a.err
}

func (a *reel) PersonThen(_ context.Context, _ string, s domain.SubjectID, m desk.Moment) (desk.PersonThen, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looks = append(a.looks, fmt.Sprint("person ", m.Position))
	if a.err != nil {
		return desk.PersonThen{}, a.err
	}
	v := desk.PersonThen{
		Moment: a.moment(a.at(m)),
		Then:   desk.PersonState{Known: true, Step: enrolment.StepSMSCode, Factor: enrolment.NoFactor, State: desk.PersonEnrolling, Since: noon.AddDate(0, 0, -6)},
		Now:    desk.PersonState{Known: true, Step: enrolment.StepDone, Factor: enrolment.SMS, State: desk.PersonActive, Since: noon.AddDate(0, 0, -5)},
	}
	if a.erased {
		v.Now = desk.PersonState{Known: true, Factor: enrolment.NoFactor, State: desk.PersonErased, Since: noon.AddDate(0, 0, -1)}
	}
	for n := a.at(m); n > 0 && len(v.Story) < 60; n-- {
		if e := a.event(n); e.Subject == s {
			v.Name = e.Name
			t := desk.TimelineEntry{}
			t.Type, t.Message, t.Outcome, t.Recorded, t.Position, t.Params = e.Type, e.Message, e.Outcome, e.Recorded, domain.Position(e.Position), e.Params
			v.Story = append(v.Story, t)
		}
	}
	v.Entries = len(v.Story) + 12
	return v, nil
}

func (a *reel) Values(context.Context, string, domain.SubjectID) ([]desk.ValueCheck, error) {
	return []desk.ValueCheck{{Field: "email", State: desk.ValueHolds}, {Field: "phone", State: desk.ValueHolds}, {Field: "name", State: desk.ValueDiffers}}, nil
}

func (a *reel) Seal(context.Context, string) (desk.SealView, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seal, a.err
}

func (a *reel) CheckSeal(context.Context, string) (desk.CheckView, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.checks++; a.checks == 1 { // it begins; then it is said how far it is
		a.seal.Check = desk.CheckView{Running: true, At: noon, Done: int64(a.events / 3), Total: int64(a.events)}
	}
	return a.seal.Check, a.err
}

// numbered is the id of the n-th person.
func numbered(n int) domain.SubjectID {
	s, err := domain.ParseSubjectID(fmt.Sprintf("%08x-0000-4000-8000-%012x", 0x3f2a0000+n, n))
	if err != nil {
		panic(err)
	}
	return s
}

// eventID is the id of the n-th event.
func eventID(n int) domain.EventID {
	var id domain.EventID
	copy(id[:], fmt.Sprintf("%08d        ", n))
	return id
}

// A screen is a window with the page in it.
type screen struct {
	*officetest.App

	t    *testing.T
	w    fyne.Window
	p    *tapePage
	a    *reel
	lang string
	now  time.Time
	over int // times that the shift was over
	sees *sealWatch
	to   uint64          // up to where bundles were asked for
	ctx  context.Context //nolint:containedctx // ends with the test
}

func (s *screen) seal() *sealWatch      { return s.sees }
func (s *screen) toBundles(upTo uint64) { s.to = upTo }
func (s *screen) toMoment(uint64)       {}

func (s *screen) OpenFile(string, []string, func(string)) {}
func (s *screen) OpenFolder(string, func(string))         {}

func (s *screen) Printer() *i18n.Printer { return i18n.New(s.lang) }
func (s *screen) Clock() time.Time       { return s.now }
func (s *screen) Life() context.Context  { return s.ctx }
func (s *screen) Names() i18n.Args {
	return i18n.Args{"Portal": "Mijn OPO-R", "Pocket": "Pocket", "Support": "servicedesk@voorbeeld.nl"}
}

func (s *screen) SignedIn() desk.Shift {
	return desk.Shift{ID: "shift", Name: "Fatma Aydin", Roles: []domain.Role{domain.RoleAuditor}, Rights: []staff.Right{staff.Audit}}
}

func (s *screen) Refused(err error) bool {
	if codeOf(err) == desk.ShiftOver {
		s.over++
		return true
	}
	return false
}

// newScreen stands the page in a window, and waits until it shows something.
func newScreen(t *testing.T, a *reel, o ui.Options, lang string, size fyne.Size) *screen {
	t.Helper()
	app := officetest.NewApp(t, o)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &screen{App: app, t: t, a: a, lang: lang, now: noon, ctx: ctx}
	s.sees = newSealWatch(s, a)
	s.sees.begin()
	s.p = newTapePage(s, a)
	s.w = test.NewTempWindow(t, s.framed())
	s.w.SetPadded(false)
	s.w.Resize(size)
	s.w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { s.p.Key(e) })
	s.p.Enter()
	t.Cleanup(func() {
		s.p.Leave()
		s.sees.end()
		cancel()
	})
	s.Until("an answer", func() bool { return s.p.lost != nil || s.p.tape.got && s.p.rows.got && s.sees.got })
	s.Settle()
	_ = officetest.Texts(s.w) // what nothing has drawn yet gets no focus
	return s
}

// framed gives the page the room that the window gives it.
func (s *screen) framed() fyne.CanvasObject {
	brand := ui.Column(ui.SizeSmallGap, ui.NewBrand("Keydesk"), ui.Hint(ui.Plain("Mijn OPO-R")).Ink(ui.ColorRailMuted).Elide())
	items := []fyne.CanvasObject{ui.NewNavItem(ui.IconClock, s.p.Title(), nil)}
	return ui.NewRoot(ui.NewFrame(brand, items, []fyne.CanvasObject{ui.NewSomebody("Fatma Aydin", "Auditor")}, s.p.Content()))
}

// rebuild shows the page anew, as at a switch of language.
func (s *screen) rebuild() {
	size := s.w.Canvas().Size()
	s.w.SetContent(s.framed())
	s.w.Resize(size)
}

// number returns what stands in the last cell of a row: its number, and its hash.
func (s *screen) number(row int) string {
	if r := s.p.row(row); !r.Missing {
		return r.Cells[len(r.Cells)-1].Title
	}
	return ""
}
