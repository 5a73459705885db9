package desk_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/progress"
)

// standings are the projection and the feed that a board stands on.
type standings struct {
	*progress.Board
	feed *feed.Feed
}

func (s standings) WatchAll() (<-chan struct{}, func()) { return s.feed.WatchAll() }
func (s standings) Health() feed.Health                 { return s.feed.Health() }

// folk is the vault as desk wants it, as far as the helpdesk asks.
type folk struct {
	desk.People // nil: who looks keeps nothing
	vault       *vault.Vault
}

func (f folk) Get(ctx context.Context, s domain.SubjectID, k desk.Kind, r domain.Ref) ([]byte, error) {
	return f.vault.Get(ctx, s, vault.Kind(k), r)
}

func (f folk) Find(ctx context.Context, email string) (domain.SubjectID, error) {
	return f.vault.Find(ctx, email)
}

// limits are the vault's counters as desk wants them.
type limits struct{ *vault.Vault }

func all(of []desk.Limit) (out []vault.Limit) {
	for _, l := range of {
		out = append(out, vault.Limit{Name: l.Name, Key: l.Key, Window: l.Window, Max: l.Max, Wait: l.Waits})
	}
	return out
}

func (l limits) Take(ctx context.Context, now time.Time, of ...desk.Limit) (time.Time, bool, error) {
	taken, err := l.Vault.Take(ctx, now, all(of)...)
	return taken.Next, err == nil, err
}

func (l limits) Clear(ctx context.Context, of ...desk.Limit) error {
	return l.Vault.Clear(ctx, all(of)...)
}

func (l limits) Count(ctx context.Context, now time.Time, of desk.Limit) (int, error) {
	return l.Vault.Count(ctx, now, all([]desk.Limit{of})[0])
}

// A hall is a town with a desk in it.
type hall struct {
	*town
	*desk.Desk
	feed  *feed.Feed
	board *progress.Board
	live  bool          // the feed runs by itself
	ahead time.Duration // of the desk's clock
}

func newHall(tb testing.TB, d *desk.Directory, w *town) *hall {
	tb.Helper()
	h := &hall{town: w, board: progress.New(enrolment.DefaultPolicy().WrongCodesInARow)}
	h.feed = feed.New(w.log, time.Now, h.board)
	h.Desk = desk.New(desk.Config{
		Log: w.log, Feed: h.feed, People: folk{vault: w.vault}, Policy: enrolment.DefaultPolicy(), Languages: []string{"nl"},
		Standings: standings{h.board, h.feed}, Directory: d, Station: "desk-1", Sends: w.vault, Limits: limits{w.vault},
		Now:    func() time.Time { return time.Now().Add(h.ahead) },
		Report: func(_ string, err error) { tb.Error(err) },
	})
	return h
}

// opened runs the feed until the test ends.
func (h *hall) opened() *hall {
	h.tb.Helper()
	ctx, cancel := context.WithCancel(h.tb.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.feed.Run(ctx) }()
	h.tb.Cleanup(func() { cancel(); <-done })
	<-h.feed.CaughtUp()
	h.live = true
	return h
}

func (h *hall) page(q desk.BoardQuery) desk.BoardPage {
	h.tb.Helper()
	if h.live {
		head, err := h.log.Head(h.tb.Context())
		must(h.tb, err)
		must(h.tb, h.feed.Reach(h.tb.Context(), head))
	} else {
		must(h.tb, h.feed.CatchUp(h.tb.Context()))
	}
	p, err := h.Board(h.tb.Context(), q)
	must(h.tb, err)
	return p
}

// What happens on the way to a factor, as far as it is needed here.
var (
	begins  = enrolment.EnrolmentStarted{Admission: enrolment.ByRoster, Language: "nl"}
	mail    = enrolment.CodeIssued{Challenge: "mail", Purpose: enrolment.ConfirmingEmail, Channel: enrolment.ByMail}
	mailed  = enrolment.CodeSent{Challenge: "mail", Number: 1, Provider: "smtp"}
	bounced = enrolment.CodeUndeliverable{Challenge: "mail", Number: 1, Reason: enrolment.InvalidRecipient}
	sms     = enrolment.CodeIssued{Challenge: "sms", Purpose: enrolment.VerifyingPhone, Channel: enrolment.BySMS}
	texted  = enrolment.CodeSent{Challenge: "sms", Number: 1, Provider: "spryng"}
	lost    = enrolment.AccountFrozen{Reason: enrolment.FrozenLost}
)

func undelivered(why enrolment.Undelivered) enrolment.Event {
	return enrolment.CodeUndeliverable{Challenge: "sms", Number: 1, Reason: why}
}

// wrong is a number of wrong guesses at a code.
func wrong(c enrolment.ChallengeID, n int) (all []enrolment.Event) {
	for i := range n {
		all = append(all, enrolment.CodeRejected{Challenge: c, Attempt: i + 1, Reason: enrolment.Wrong})
	}
	return all
}

// way returns what leads somebody up to a step, for the vault's values of theirs.
func (w *town) way(s domain.SubjectID, step enrolment.Step) []enrolment.Event {
	w.tb.Helper()
	email, number := w.keep(s, desk.KindEmail, "way@voorbeeld.nl"), w.keep(s, desk.KindPhone, "+31612345678")
	mail, sms := mail, sms
	mail.To, sms.To = email, number
	all := []enrolment.Event{begins, mail, mailed}
	for at, more := range [][]enrolment.Event{
		enrolment.StepPassword: {enrolment.EmailConfirmed{Challenge: "mail", Email: email}},
		enrolment.StepPhone: {
			enrolment.NameSet{Name: w.keep(s, desk.KindName, "Weg van Alles")},
			enrolment.PasswordSet{Credential: w.keep(s, desk.KindCredential, "x"), Reason: enrolment.PasswordAtEnrolment},
		},
		enrolment.StepSMSCode: {enrolment.PhoneGiven{Phone: number, Source: enrolment.FromSelf, Country: "NL"}, sms, texted},
		enrolment.StepFactor:  {enrolment.PhoneVerified{Challenge: "sms", Phone: number, Source: enrolment.FromSelf, Country: "NL"}},
		enrolment.StepDone:    {enrolment.FactorChosen{Factor: enrolment.SMS, Reason: enrolment.FactorAtEnrolment}},
	} {
		if enrolment.Step(at) <= step {
			all = append(all, more...)
		}
	}
	return all
}

func TestTheBoardSaysWhatIsTheMatter(t *testing.T) {
	t.Parallel()
	var (
		today     = time.Now().Add(-time.Hour) // when it began
		yesterday = time.Now().Add(time.Hour)  // today began after all that happened
	)
	for _, c := range []struct {
		name     string
		up       enrolment.Step // 0: not begun
		more     []enrolment.Event
		after    time.Duration
		midnight time.Time
		group    desk.BoardGroup
		now      string
		at       enrolment.Step // of the sign that is not open or done
		state    desk.StepState
		gone     bool // from the board of today
	}{
		{"announced", 0, nil, 0, today, desk.GroupWaiting, "desk-now-announced", 0, "", true},
		{"gone before they began", 0, []enrolment.Event{enrolment.StaffLeft{}}, 0, today, desk.GroupGone, "desk-now-gone", 0, "", true},
		{"gone half-way", 3, []enrolment.Event{enrolment.StaffLeft{}}, 0, today, desk.GroupGone, "desk-now-gone", 3, desk.StepNow, false},
		{"waits for the mail", 1, nil, 0, today, desk.GroupBusy, "desk-now-mail-sent", 1, desk.StepNow, false},
		{"the mail came to nobody", 1, []enrolment.Event{bounced}, 0, today, desk.GroupStuck, "desk-now-mail-invalid-recipient", 1, desk.StepStuck, false},
		{"and still did not on the next day", 1, []enrolment.Event{bounced}, 0, yesterday, desk.GroupStuck, "desk-now-mail-invalid-recipient", 1, desk.StepStuck, true},
		{"a code five times wrong", 1, wrong("mail", 5), 0, today, desk.GroupStuck, "desk-now-code-ended", 1, desk.StepStuck, false},
		{"a code four times wrong", 1, wrong("mail", 4), 0, today, desk.GroupBusy, "desk-now-mail-sent", 1, desk.StepNow, false},
		{"a code five times wrong, on another day", 1, wrong("mail", 5), 0, yesterday, desk.GroupWaiting, "desk-now-paused", 1, desk.StepNow, true},
		{"twenty wrong codes in a row", 4, wrong("sms", 20), 0, yesterday, desk.GroupStuck, "desk-now-locked", 4, desk.StepStuck, true},
		{"chooses a password", 2, nil, 9 * time.Minute, today, desk.GroupBusy, "desk-now-password", 2, desk.StepNow, false},
		{"no password for ten minutes", 2, nil, 11 * time.Minute, today, desk.GroupStuck, "desk-now-still", 2, desk.StepStuck, false},
		{"left at the password yesterday", 2, nil, 11 * time.Minute, yesterday, desk.GroupWaiting, "desk-now-paused", 2, desk.StepNow, true},
		{"types a number", 3, nil, 0, today, desk.GroupBusy, "desk-now-phone", 3, desk.StepNow, false},
		{"waits for the SMS", 4, nil, 0, today, desk.GroupBusy, "desk-now-sms-sent", 4, desk.StepNow, false},
		{"the SMS is refused", 4, []enrolment.Event{undelivered(enrolment.Refused)}, 0, today, desk.GroupStuck, "desk-now-sms-refused", 4, desk.StepStuck, false},
		{"for a reason of tomorrow", 4, []enrolment.Event{undelivered("sunspots")}, 0, today, desk.GroupStuck, "desk-now-sms-other", 4, desk.StepStuck, false},
		{"the SMS may have left", 4, []enrolment.Event{undelivered(enrolment.Unknown)}, 0, today, desk.GroupBusy, "desk-now-sms-sent", 4, desk.StepNow, false},
		{"chooses", 5, nil, 0, today, desk.GroupBusy, "desk-now-choosing", 5, desk.StepNow, false},
		{"pairs", 5, []enrolment.Event{enrolment.PairingOffered{Pairing: "p"}}, 0, today, desk.GroupBusy, "desk-now-pairing", 5, desk.StepNow, false},
		{
			"too many wrong digits", 5,
			[]enrolment.Event{enrolment.PairingOffered{Pairing: "p"}, enrolment.PairingFailed{Pairing: "p", Reason: enrolment.TooManyTries}},
			0, today, desk.GroupStuck, "desk-now-digits-ended", 5, desk.StepStuck, false,
		},
		{"done", 6, nil, time.Hour, today, desk.GroupDone, "desk-now-done-sms", 0, "", false},
		{"done yesterday", 6, nil, time.Hour, yesterday, desk.GroupDone, "desk-now-done-sms", 0, "", true},
		{"done, and frozen", 6, []enrolment.Event{lost}, 0, today, desk.GroupStuck, "desk-now-frozen-lost", 0, "", false},
		{"frozen on the way", 3, []enrolment.Event{lost}, 0, today, desk.GroupStuck, "desk-now-frozen-lost", 3, desk.StepStuck, false},
		{"frozen and free again", 6, []enrolment.Event{lost, enrolment.AccountUnfrozen{Reason: enrolment.UnfrozenFound}}, 0, today, desk.GroupDone, "desk-now-done-sms", 0, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHall(t, nil, newTown(t))
			s := h.register(staff{email: "iemand@voorbeeld.nl", name: "Iemand", team: "Zorg"})
			if c.up > 0 {
				h.happens(s, h.way(s, c.up)...)
			}
			for _, e := range c.more {
				h.happens(s, e)
			}
			h.ahead = c.after
			q := desk.BoardQuery{Scope: desk.ScopeEverybody, Midnight: c.midnight}
			if c.group == desk.GroupGone {
				q.Filter = desk.FilterGone
			}
			page := h.page(q)
			if page.Total != 1 || len(page.Rows) != 1 {
				t.Fatalf("%+v", page)
			}
			row := page.Rows[0]
			said(t, row.Now)
			if row.Subject != s || row.Group != c.group || row.Now.ID != c.now || row.Team != "Zorg" || row.NoName || row.Since.IsZero() {
				t.Errorf("got %+v", row)
			}
			if row.Name != "Iemand" && row.Name != "Weg van Alles" {
				t.Errorf("called %q", row.Name)
			}
			for i, state := range row.Steps {
				want := desk.StepOpen
				switch n := enrolment.Step(i + 1); {
				case n == c.at:
					want = c.state
				case n < c.at, c.up == enrolment.StepDone:
					want = desk.StepReady
				}
				if state != want {
					t.Errorf("step %d is %s, want %s", i+1, state, want)
				}
			}
			if c.up > 0 && row.Station != "hal-2" {
				t.Errorf("at %q", row.Station)
			}
			q.Scope = desk.ScopeToday
			if got := h.page(q); (got.Total == 0) != c.gone {
				t.Errorf("%d on the board of today", got.Total)
			}
		})
	}
}

func TestWhoStandsWhereOnTheBoard(t *testing.T) {
	t.Parallel()
	h := newHall(t, nil, newTown(t))
	names := map[domain.SubjectID]string{}
	add := func(name string, up enrolment.Step, more ...enrolment.Event) {
		s := h.register(staff{email: name + "@voorbeeld.nl", name: name})
		names[s] = name
		if up > 0 {
			h.happens(s, h.way(s, up)...)
		}
		for _, e := range more {
			h.happens(s, e)
		}
	}
	add("waits", 0)
	add("done first", 6)
	add("frozen", 6, lost)
	add("done last", 6)
	add("bounced", 1, bounced)
	add("busy first", 2)
	add("refused", 4, undelivered(enrolment.Refused))
	add("busy last", 3)
	add("parked", 2)
	add("left", 0, enrolment.StaffLeft{})
	for s, name := range names {
		if name == "parked" {
			h.append(domain.EnrolmentStream(s), domain.Message{ID: domain.EventIDFor(h.stamp("").Command, 0), Type: "HairDyed", Data: []byte("{}"), Metadata: []byte("{}")})
		}
	}
	order := func(q desk.BoardQuery) (got []string) {
		for _, r := range h.page(q).Rows {
			got = append(got, names[r.Subject])
		}
		return got
	}
	midnight := time.Now().Add(-time.Hour)
	want := []string{"frozen", "bounced", "refused", "parked", "busy last", "busy first", "waits", "done last", "done first"}
	everybody := desk.BoardQuery{Scope: desk.ScopeEverybody, Midnight: midnight}
	if got := order(everybody); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	counts := desk.BoardCounts{All: 9, Stuck: 4, Busy: 2, Waiting: 1, Done: 2, Gone: 1, Frozen: 1}
	for filter, want := range map[desk.BoardFilter][]string{
		desk.FilterStuck: want[:4], desk.FilterBusy: want[4:6], desk.FilterWaiting: {"waits"}, desk.FilterDone: want[7:],
		desk.FilterGone: {"left"}, desk.FilterFrozen: {"frozen"}, desk.FilterAll: want, "nonsense": nil,
	} {
		q := everybody
		q.Filter = filter
		page := h.page(q)
		if got := order(q); !slices.Equal(got, want) || page.Counts != counts || page.Total != len(want) {
			t.Errorf("%s: got %q of %d, %+v", filter, got, page.Total, page.Counts)
		}
	}
	for _, c := range []struct {
		offset, limit int
		want          []string
	}{{0, 2, want[:2]}, {2, 3, want[2:5]}, {8, 50, want[8:]}, {9, 1, nil}, {-5, 1, want[:1]}, {0, 10_000, want}} {
		q := everybody
		q.Offset, q.Limit = c.offset, c.limit
		if got := order(q); !slices.Equal(got, c.want) || h.page(q).Total != len(want) {
			t.Errorf("%d from %d: got %q", c.limit, c.offset, got)
		}
	}
	// ten minutes on, who was busy is stuck, and longest stuck come first
	h.ahead = 11 * time.Minute
	if got, want := order(everybody)[:6], []string{"busy first", "busy last"}; !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) {
		t.Errorf("after eleven minutes: %q", got)
	}
	page := h.page(everybody)
	for i := 1; i < page.Counts.Stuck; i++ {
		if page.Rows[i].Since.Before(page.Rows[i-1].Since) {
			t.Errorf("%s is stuck longer than %s", names[page.Rows[i].Subject], names[page.Rows[i-1].Subject])
		}
	}
}

// Who comes back after a time begins to be watched anew.
func TestAVisitOfTodayIsNotAsOldAsItsStep(t *testing.T) {
	t.Parallel()
	h := newHall(t, nil, newTown(t))
	s := h.register(staff{email: "terug@voorbeeld.nl", name: "Terug"})
	h.happens(s, h.way(s, enrolment.StepPhone)...)
	h.ahead = 20 * time.Minute
	q := desk.BoardQuery{Midnight: time.Now().Add(-time.Hour)}
	if got := h.page(q).Rows[0].Now; got.ID != "desk-now-still" || got.Params["N"] != "20" {
		t.Fatalf("after twenty minutes: %+v", got)
	}
	h.happens(s, mail, enrolment.EmailConfirmed{Challenge: "mail", Email: h.keep(s, desk.KindEmail, "terug@voorbeeld.nl")})
	h.ahead = time.Minute
	if got := h.page(q).Rows[0]; got.Group != desk.GroupBusy || got.Now.ID != "desk-now-phone" {
		t.Errorf("who is back: %+v", got)
	}
}

func TestWhoStartsTodayIsOnTheBoard(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	today := w.register(staff{email: "nu@voorbeeld.nl", name: "Nu", start: "2027-03-01"})
	w.register(staff{email: "straks@voorbeeld.nl", name: "Straks", start: "2027-03-02"})
	done := w.register(staff{email: "al@voorbeeld.nl", name: "Al", start: "2027-03-01"})
	w.happens(done, w.way(done, enrolment.StepDone)...)
	h := newHall(t, w.held(), w)
	midnight := time.Date(2027, 3, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
	h.ahead = time.Until(midnight.Add(9 * time.Hour))
	page := h.page(desk.BoardQuery{Midnight: midnight})
	if page.Total != 1 || page.Rows[0].Subject != today || page.Rows[0].Start != "2027-03-01" || page.Rows[0].Now.ID != "desk-now-announced" {
		t.Errorf("%+v", page)
	}
	if page = h.page(desk.BoardQuery{Midnight: midnight, Scope: desk.ScopeEverybody}); page.Total != 3 {
		t.Errorf("of everybody: %+v", page)
	}
	for _, r := range page.Rows {
		if r.Start == "2027-03-02" && (r.Now.ID != "desk-now-starts" || r.Now.Params["Day"] != "2027-03-02") {
			t.Errorf("who starts tomorrow: %+v", r)
		}
	}
}

func TestSearchingTheBoard(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	sanne, err := w.vault.Claim(t.Context(), "sanne@voorbeeld.nl")
	must(t, err)
	e, err := w.entry(t.Context(), sanne, staff{email: "sanne@voorbeeld.nl", name: "Sanne de Vries"})
	must(t, err)
	w.happens(sanne, e)
	w.happens(sanne, w.way(sanne, enrolment.StepPhone)...)
	w.happensAt("hal-3", sanne, enrolment.HelpCodeShown{Help: "K7204"})
	w.register(staff{email: "bram@voorbeeld.nl", name: "Bram Bos"})
	w.notes("hal-4", station.HelpCodeShown{Help: "A1234"})
	h := newHall(t, w.held(), w)
	yesterday := time.Now().Add(time.Hour) // today began after all of it
	find := func(typed string) desk.BoardPage { return h.page(desk.BoardQuery{Search: typed, Midnight: yesterday}) }
	for _, typed := range []string{"vries", "k7 204", "sanne@voorbeeld.nl"} {
		p := find(typed)
		if p.Total != 1 || p.Rows[0].Subject != sanne || p.Rows[0].HelpCode != "K7204" || p.Rows[0].Station != "hal-3" || p.Counts.All != 1 || !p.Names.Ready {
			t.Errorf("%q: %+v", typed, p)
		}
	}
	if p := find("a1234"); p.Total != 0 || len(p.Strangers) != 1 || p.Strangers[0].Station != "hal-4" {
		t.Errorf("the code of a stranger: %+v", p)
	}
	if p := find("niemand"); p.Total != 0 || p.Rows != nil {
		t.Errorf("nobody: %+v", p)
	}
	// without the directory only a whole address finds somebody
	without := newHall(t, nil, w)
	if p := without.page(desk.BoardQuery{Search: "Sanne@voorbeeld.nl"}); p.Total != 1 || p.Rows[0].Name != "Weg van Alles" || p.Names.Open {
		t.Errorf("by the address alone: %+v", p)
	}
	if p := without.page(desk.BoardQuery{Search: "vries"}); p.Total != 0 {
		t.Errorf("found %+v", p)
	}
}

func TestTheBoardTellsOfChanges(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	s := w.register(staff{email: "sanne@voorbeeld.nl", name: "Sanne"})
	h := newHall(t, w.held(), w).opened()
	changed, stop := h.WatchBoard()
	wait := func(what string) {
		t.Helper()
		select {
		case <-changed:
		case <-time.After(20 * time.Second): // before the tick
			t.Fatalf("told of nothing after %s", what)
		}
	}
	h.happens(s, h.way(s, enrolment.StepPassword)...)
	wait("an event")
	seen := func(is func(desk.BoardRow) bool) bool {
		p, err := h.Board(t.Context(), desk.BoardQuery{Scope: desk.ScopeEverybody})
		must(t, err)
		return len(p.Rows) == 1 && is(p.Rows[0])
	}
	for !seen(func(r desk.BoardRow) bool { return r.Now.ID == "desk-now-password" }) {
		wait("a step")
	}
	h.happens(s, enrolment.NameSet{Name: h.keep(s, desk.KindName, "Sanna")})
	for !seen(func(r desk.BoardRow) bool { return r.Name == "Sanna" }) {
		wait("another name")
	}
	stop()
}

func TestADeskWithoutABoardSaysSo(t *testing.T) {
	t.Parallel()
	reported := 0
	d := desk.New(desk.Config{Policy: enrolment.DefaultPolicy(), Now: time.Now, Report: func(string, error) { reported++ }})
	if _, err := d.Board(t.Context(), desk.BoardQuery{}); err == nil || reported != 1 {
		t.Errorf("%v, reported %d times", err, reported)
	}
	changed, stop := d.WatchBoard()
	stop()
	select {
	case <-changed:
		t.Error("told of something")
	default:
	}
}

// BenchmarkBoard asks for windows over the board of 50,000 people, of whom one in ten
// has begun.
func BenchmarkBoard(b *testing.B) {
	const people = 50_000
	w := newTown(b)
	all := w.crowd(people)
	for i, s := range all[:people/10] {
		w.happens(s, begins, mail, mailed)
		if i%3 == 0 {
			w.happens(s, bounced)
		}
	}
	h := newHall(b, w.held(), w).opened()
	midnight := time.Now().Add(-time.Hour)
	for name, q := range map[string]desk.BoardQuery{
		"everybody": {Scope: desk.ScopeEverybody, Midnight: midnight, Limit: 40},
		"deep":      {Scope: desk.ScopeEverybody, Midnight: midnight, Limit: 40, Offset: 30_000},
		"today":     {Midnight: midnight, Limit: 40},
		"search":    {Midnight: midnight, Limit: 40, Search: "sanne"},
		"letter":    {Midnight: midnight, Limit: 40, Search: "s"},
	} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				q.Midnight = midnight.Add(time.Duration(i)) // so that nothing is known already
				p, err := h.Board(b.Context(), q)
				must(b, err)
				if len(p.Rows) != 40 {
					b.Fatalf("%d rows", len(p.Rows))
				}
			}
		})
	}
	b.Run("signal", func(b *testing.B) {
		changed, stop := h.WatchBoard()
		defer stop()
		var took []time.Duration
		for i := 0; b.Loop(); i++ {
			time.Sleep(2 * 200 * time.Millisecond)
			select {
			case <-changed:
			default:
			}
			s := all[people/2+i]
			m, err := enrolment.Messages([]enrolment.Event{begins}, w.stamp("hal-2"))
			must(b, err)
			from := time.Now()
			_, err = w.log.Append(b.Context(), domain.EnrolmentStream(s), 0, m...)
			must(b, err)
			<-changed
			took = append(took, time.Since(from))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	})
}
