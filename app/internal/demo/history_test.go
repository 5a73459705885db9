package demo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/demo"
	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/service"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/history"
	"github.com/keydesk/keydesk/projections/progress"
)

// afternoon is when most of these histories end, a Thursday.
var afternoon = time.Date(2026, time.November, 26, 14, 30, 0, 0, time.FixedZone("", 3600))

type keys struct{}

func (keys) Derive(purpose string) ([32]byte, string) {
	return sha256.Sum256([]byte(purpose)), "5bed11a1343598f9"
}

func config(people, days int) demo.Config {
	return demo.Config{
		People: people, Days: days, Seed: 7, Until: afternoon, Version: "0.1.0", Policy: enrolment.DefaultPolicy(), Keys: keys{},
		Credentials: demo.Credentials{
			Now:     demo.Credential{PHC: "now", Parameters: "m=65536,t=3,p=1", Pepper: "5bed11a1"},
			Old:     demo.Credential{PHC: "old", Parameters: "m=19456,t=2,p=1", Pepper: "5bed11a1"},
			Earlier: demo.Credential{PHC: "earlier", Parameters: "m=65536,t=3,p=1", Pepper: "5bed11a1"},
		},
	}
}

// A house that only remembers.
type memory struct {
	events []domain.Recorded
	people []demo.Filling
}

func (m *memory) Keep(_ context.Context, people []demo.Filling) error {
	m.people = append(m.people, people...)
	return nil
}

func (m *memory) Record(_ context.Context, events []domain.Recorded) error {
	for _, e := range events {
		e.Position = domain.Position(len(m.events) + 1)
		m.events = append(m.events, e)
	}
	return nil
}

// enrolments are the events of people's enrolments.
func (m *memory) enrolments() []domain.Recorded {
	return slices.DeleteFunc(slices.Clone(m.events), func(e domain.Recorded) bool { return !strings.HasPrefix(e.Stream, domain.EnrolmentPrefix) })
}

func write(tb testing.TB, c demo.Config) (*memory, demo.Result) {
	tb.Helper()
	m := &memory{}
	done, err := demo.Write(tb.Context(), c, m, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return m, done
}

// digest is of all that a history is.
func (m *memory) digest(t *testing.T) [32]byte {
	t.Helper()
	all := sha256.New()
	for _, part := range []any{m.events, m.people} {
		if err := json.NewEncoder(all).Encode(part); err != nil {
			t.Fatal(err)
		}
	}
	return [32]byte(all.Sum(nil))
}

func TestTheSameSeedIsTheSameHistory(t *testing.T) {
	t.Parallel()
	first, _ := write(t, config(150, 20))
	again, _ := write(t, config(150, 20))
	if first.digest(t) != again.digest(t) {
		t.Error("the same seed gave another history")
	}
	elsewhere := config(150, 20)
	elsewhere.Until = afternoon.In(time.FixedZone("somewhere", 3600)) // of the same offset
	if there, _ := write(t, elsewhere); there.digest(t) != first.digest(t) {
		t.Error("the name of a zone made it another history")
	}
	other := config(150, 20)
	other.Seed = 8
	if second, _ := write(t, other); second.digest(t) == first.digest(t) {
		t.Error("another seed gave the same history")
	}
}

// TestItIsALog: times, revisions and ids are those of a log.
func TestItIsALog(t *testing.T) {
	t.Parallel()
	m, done := write(t, config(300, 30))
	if done.Events != len(m.events) || done.People != 300 {
		t.Errorf("%+v of %d events", done, len(m.events))
	}
	first, err := station.Decode(m.events[0].Type, m.events[0].Data)
	if opened, ok := first.(station.StationOpened); err != nil || !ok || !opened.Demo {
		t.Errorf("it begins with %+v, %v", first, err)
	}
	next, ids := map[string]domain.Revision{}, map[domain.EventID]bool{}
	last := time.Time{}
	for _, e := range m.events {
		if e.Revision != next[e.Stream] {
			t.Fatalf("%s: revision %d in the place of %d", e.Stream, e.Revision, next[e.Stream])
		}
		next[e.Stream]++
		if ids[e.ID] || e.ID == (domain.EventID{}) {
			t.Fatalf("the id %s twice", e.ID)
		}
		ids[e.ID] = true
		if e.Recorded.Before(last) || e.Recorded.After(afternoon) || e.Recorded.Before(done.Began) {
			t.Fatalf("%s at %s, after %s", e.Type, e.Recorded, last)
		}
		last = e.Recorded
		var meta domain.Metadata
		if err := json.Unmarshal(e.Metadata, &meta); err != nil || meta.Schema != 1 || meta.Actor.ID == "" || meta.Station == "" ||
			meta.Policy != enrolment.PolicyVersion || meta.At.After(e.Recorded) || e.Recorded.Sub(meta.At) > time.Second || meta.Correlation == (domain.EventID{}) {
			t.Fatalf("%s: metadata %s, %v", e.Type, e.Metadata, err)
		}
	}
}

// TestItFolds: every event is known, and the projections see what the domain does.
func TestItFolds(t *testing.T) {
	t.Parallel()
	m, _ := write(t, config(500, 40))
	factors, board := factor.New(), progress.New(enrolment.DefaultPolicy().WrongCodesInARow)
	factors.Apply(m.enrolments(), 0)
	board.Apply(m.enrolments(), 0)
	states, logins := map[domain.SubjectID]enrolment.State{}, map[string]login.State{}
	streams := map[string][]domain.Recorded{}
	for _, e := range m.events {
		streams[e.Stream] = append(streams[e.Stream], e)
		var err error
		switch s, ok := domain.SubjectOfStream(e.Stream); {
		case ok:
			var event enrolment.Event
			event, err = enrolment.Decode(e.Type, e.Data)
			if err == nil {
				states[s] = enrolment.Evolve(states[s], event)
			}
			if e.Type != "PocketPaired" { // with which the choice comes
				possible(t, s, states[s])
			}
		case strings.HasPrefix(e.Stream, domain.LoginPrefix):
			var event login.Event
			event, err = login.Decode(e.Type, e.Data)
			if err == nil {
				logins[e.Stream] = login.Evolve(logins[e.Stream], event, e.Recorded)
			}
		case e.Stream == domain.ServiceStream:
			_, err = service.Decode(e.Type, e.Data)
		case strings.HasPrefix(e.Stream, domain.StaffPrefix):
			_, err = staff.Decode(e.Type, e.Data)
		case strings.HasPrefix(e.Stream, domain.AccessPrefix):
			_, err = staff.DecodeAccess(e.Type, e.Data)
		default:
			_, err = station.Decode(e.Type, e.Data)
		}
		if err != nil {
			t.Fatalf("%s of %s: %v", e.Type, e.Stream, err)
		}
	}
	for s, st := range states {
		row, known := board.Person(s)
		step := st.Step()
		if !st.Started && st.Chosen() == enrolment.NoFactor {
			step = 0
		}
		if !known || row.Parked || row.Step != step || row.Factor != st.Factor() || row.Frozen != (st.Frozen != "") ||
			row.WrongInARow != st.WrongInARow || row.Left != st.Staff.Left || row.Registered != st.Staff.Registered {
			t.Errorf("%s: the board says %+v of step %d, factor %s", s, row, step, st.Factor())
		}
		if got := factors.Lookup(s); got.Factor != st.Factor() || got.Revision != domain.Revision(len(streams[domain.EnrolmentStream(s)])-1) {
			t.Errorf("%s: the factor map says %+v", s, got)
		}
		for _, entry := range history.Whole(streams[domain.EnrolmentStream(s)], streams[login.Stream(s)]) {
			if entry.Outcome == history.Puzzling || entry.Message == "" {
				t.Errorf("%s: the history says %+v", s, entry)
			}
		}
	}
	if counts := board.Counts(); counts.Parked != 0 || counts.Strays != 0 || counts.People != 500 {
		t.Errorf("the board counts %+v", counts)
	}
}

// possible says what no history may reach.
func possible(t *testing.T, s domain.SubjectID, st enrolment.State) {
	t.Helper()
	p := enrolment.DefaultPolicy()
	switch {
	case st.WrongInARow > p.WrongCodesInARow:
		t.Fatalf("%s: %d wrong codes in a row", s, st.WrongInARow)
	case st.Choice.Factor == enrolment.SMS && st.Phone.Ref.IsZero():
		t.Fatalf("%s: SMS without a number", s)
	case st.Chosen() != enrolment.NoFactor && (st.Email.IsZero() || st.Name.IsZero() || st.Password.IsZero() || st.Phone.Ref.IsZero()):
		t.Fatalf("%s: a factor, and a step is open", s)
	case st.Device.ID != "" && st.Choice.Device != "" && st.Choice.Device != st.Device.ID:
		t.Fatalf("%s: a phone that does not count", s)
	}
}

// refs are all references of an event.
var refs = regexp.MustCompile(`\{"ref":"[0-9a-f]{32}","version":[0-9]+,"commitment":"[A-Za-z0-9_-]{43}"\}`)

// TestTheVaultHoldsWhatTheLogNames, and nothing else, under the commitments of the log;
// and the log holds nothing of it in the clear.
func TestTheVaultHoldsWhatTheLogNames(t *testing.T) {
	t.Parallel()
	m, _ := write(t, config(400, 30))
	type place struct {
		s domain.SubjectID
		r domain.Ref
	}
	held, emails := map[place]demo.Value{}, map[string]bool{}
	versions := map[string]int{}
	for _, p := range m.people {
		if p.Email != "" {
			if emails[p.Email] {
				t.Errorf("%s is two people's", p.Email)
			}
			emails[p.Email] = true
		}
		for _, v := range p.Values {
			key := p.Subject.String() + string(v.Kind)
			if versions[key]++; v.Version != versions[key] {
				t.Errorf("version %d of %s comes as the %dth", v.Version, v.Kind, versions[key])
			}
			held[place{p.Subject, domain.Ref{ID: v.Ref, Version: v.Version, Commitment: domain.Commit(v.Salt, v.Value)}}] = v
		}
	}
	named := map[place]bool{}
	for _, e := range m.events {
		for _, text := range refs.FindAllString(string(e.Data), -1) {
			var r domain.Ref
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Fatal(err)
			}
			s, ok := domain.SubjectOfStream(e.Stream)
			if !ok {
				var err error
				if s, err = domain.ParseSubjectID(strings.TrimPrefix(e.Stream, domain.LoginPrefix)); err != nil {
					t.Fatal(err)
				}
			}
			if _, ok := held[place{s, r}]; !ok {
				t.Fatalf("%s of %s names what the vault does not hold: %s", e.Type, s, text)
			}
			named[place{s, r}] = true
		}
		if n := bytes.Count(e.Data, []byte(`"ref"`)); n != len(refs.FindAll(e.Data, -1)) {
			t.Fatalf("%d references in %s", n, e.Data)
		}
	}
	for at, v := range held {
		if !named[at] {
			t.Errorf("no event names the %s of %s", v.Kind, at.s)
		}
		if len(v.Value) > 6 && v.Kind != desk.KindStartDate && v.Kind != desk.KindEmployee {
			for _, e := range m.events[:min(len(m.events), 3000)] {
				if bytes.Contains(e.Data, v.Value) || bytes.Contains(e.Metadata, v.Value) {
					t.Fatalf("a %s is in %s", v.Kind, e.Type)
				}
			}
		}
	}
}

// TestEverythingHappens in an organisation of 500 in a month.
func TestEverythingHappens(t *testing.T) {
	t.Parallel()
	m, _ := write(t, config(500, 30))
	seen := map[string]int{}
	for _, e := range m.events {
		var d struct{ Reason, Purpose, Factor, Admission, Kind string }
		if err := json.Unmarshal(e.Data, &d); err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(e.Stream, "-")
		for _, what := range []string{d.Reason, d.Purpose, d.Factor, d.Admission, ""} {
			seen[strings.TrimRight(kind+" "+e.Type+" "+what, " ")]++
		}
	}
	for what, least := range map[string]int{
		"enrolment StaffRegistered": 450, "enrolment StaffChanged": 8, "enrolment StaffLeft": 8,
		"enrolment EnrolmentStarted roster": 380, "enrolment EnrolmentStarted domain": 3, "enrolment EnrolmentStarted invitation": 3,
		"enrolment InvitationIssued": 3, "enrolment InvitationRedeemed": 3,
		"enrolment CodeRejected wrong": 100, "enrolment CodeRejected expired": 5,
		"enrolment CodeUndeliverable invalid-recipient": 5, "enrolment CodeUndeliverable no-provider": 1,
		"enrolment CodeIssued change-phone": 5, "enrolment CodeIssued recover": 5,
		"enrolment PasswordSet enrolment": 380, "enrolment PasswordSet changed": 5, "enrolment PasswordSet rehashed": 20,
		"enrolment FactorChosen enrolment": 380, "enrolment FactorChosen pocket": 180, "enrolment FactorChosen sms": 120,
		"enrolment FactorChosen switched": 10, "enrolment FactorChosen recovered": 2,
		"enrolment PocketRevoked switched": 3, "enrolment PocketRevoked lost": 2, "enrolment PocketRevoked stolen": 1, "enrolment PocketRevoked replaced": 1,
		"enrolment PairingFailed wrong-digits": 5, "enrolment PairingFailed too-many-tries": 2, "enrolment PairingFailed claimed-twice": 2,
		"enrolment PairingFailed cancelled": 4, "enrolment EnrolmentReset forgotten-password": 2, "enrolment EnrolmentReset recovered": 2,
		"enrolment AccountFrozen not-me": 1, "enrolment AccountFrozen lost": 4, "enrolment AccountFrozen stolen": 2, "enrolment AccountFrozen helpdesk": 1,
		"enrolment AccountUnfrozen found": 2, "enrolment AccountUnfrozen helpdesk": 2, "enrolment RecoveryRequested new": 2,
		"enrolment Unlocked admin": 2, "enrolment HelpCodeShown": 15, "enrolment LanguageSet": 3,
		"login LoginSucceeded sms": 300, "login LoginSucceeded pocket": 500, "login LoginFailed password": 20, "login LoginFailed code": 3,
		"login LoginFailed digits": 3, "login LoginFailed denied": 1, "login LoginFailed not-me": 1, "login CodeUndeliverable": 1,
		"station StationOpened": 60, "station StationWiped finished": 380, "station StationWiped idle": 20, "station StationWiped stopped": 20,
		"station StationFailed sms": 1, "station StationAdmitted": 4, "station StationUnlocked": 1, "station HelpCodeShown": 2,
		"staff RoleGranted": 7, "access SearchMade": 20, "access DataShown": 25,
		"service ClientAdded": 1, "service KeyRotated": 1,
	} {
		if seen[what] < least {
			t.Errorf("%s: %d times, want %d at least", what, seen[what], least)
		}
	}
	all := slices.Sorted(func(yield func(string) bool) {
		for what := range seen {
			if !yield(what) {
				return
			}
		}
	})
	t.Log(all)
}

// TestTheLastHoursAreLively: people are at kiosks when it ends, and others are stuck.
func TestTheLastHoursAreLively(t *testing.T) {
	t.Parallel()
	for _, until := range []time.Time{
		afternoon,
		time.Date(2026, time.November, 29, 0, 40, 0, 0, time.FixedZone("", 3600)), // the night to a Sunday
		time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC),
	} {
		c := config(500, 30)
		c.Until = until
		m, _ := write(t, c)
		board := progress.New(c.Policy.WrongCodesInARow)
		board.Apply(m.enrolments(), 0)
		n := map[string]int{}
		steps := map[enrolment.Step]bool{}
		board.Each(func(p progress.Person) bool {
			ago := until.Sub(p.Last)
			on := p.Step > 0 && p.Step < enrolment.StepDone
			switch {
			case on && p.Locked && ago < 4*time.Hour:
				n["locked"]++
			case on && p.Undeliverable != "" && ago < 4*time.Hour:
				n["undeliverable"]++
			case on && ago < 5*time.Minute:
				n["under way"]++
				steps[p.Step] = true
			case on && ago > 10*time.Minute && ago < 4*time.Hour:
				n["idle"]++
			case !on && until.Sub(p.Since) < 4*time.Hour && p.Step == enrolment.StepDone:
				n["done"]++
			}
			return true
		})
		kiosks := map[string]bool{}
		for _, e := range m.events {
			if until.Sub(e.Recorded) < time.Hour && strings.HasPrefix(e.Stream, domain.StationPrefix) {
				kiosks[e.Stream] = true
			}
		}
		for what, least := range map[string]int{"locked": 1, "undeliverable": 2, "under way": 3, "idle": 4, "done": 8} {
			if n[what] < least {
				t.Errorf("until %s: %d %s, want %d at least", until, n[what], what, least)
			}
		}
		if len(steps) < 2 || len(kiosks) < 2 || kiosks[station.Stream("kiosk-hal-2")] {
			t.Errorf("until %s: under way at %v, kiosks %v", until, steps, kiosks)
		}
	}
}

// TestOneAtAKiosk: nobody enrols at a kiosk while somebody else does.
func TestOneAtAKiosk(t *testing.T) {
	t.Parallel()
	m, _ := write(t, config(600, 10))
	type visit struct{ from, to time.Time }
	visits, order := map[string]map[domain.EventID]*visit{}, map[string][]*visit{}
	for _, e := range m.events {
		var meta domain.Metadata
		if err := json.Unmarshal(e.Metadata, &meta); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(meta.Station, "kiosk-") || !strings.HasPrefix(e.Stream, domain.EnrolmentPrefix) {
			continue
		}
		at := visits[meta.Station]
		if at == nil {
			at = map[domain.EventID]*visit{}
			visits[meta.Station] = at
		}
		v := at[meta.Correlation]
		if v == nil {
			v = &visit{from: e.Recorded}
			at[meta.Correlation] = v
			order[meta.Station] = append(order[meta.Station], v)
		}
		v.to = e.Recorded
	}
	for id, all := range order {
		for i := range all[1:] {
			if all[i+1].from.Before(all[i].to) {
				t.Errorf("%s: somebody came at %s, and somebody was there until %s", id, all[i+1].from, all[i].to)
			}
		}
	}
	if len(order) < 3 {
		t.Errorf("only %d kiosks were used", len(order))
	}
}

// TestPeopleCouldBeReal: what they are called, and where they are reached.
func TestPeopleCouldBeReal(t *testing.T) {
	t.Parallel()
	m, _ := write(t, config(3000, 3))
	p := enrolment.DefaultPolicy()
	names := map[domain.SubjectID]string{}
	emails := map[domain.SubjectID]string{}
	marked, long, infix := 0, 0, 0
	for _, f := range m.people {
		if f.Email != "" {
			emails[f.Subject] = f.Email
		}
		for _, v := range f.Values {
			text := string(v.Value)
			switch v.Kind { //nolint:exhaustive // those with rules
			case desk.KindName:
				names[f.Subject] = text
				if strings.Join(strings.Fields(text), " ") != text || len(text) > 100 {
					t.Errorf("%q is no name", text)
				}
				if strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f }) {
					marked++
				}
				if len(text) > 35 {
					long++
				}
				if strings.Contains(text, " van ") || strings.Contains(text, " de ") {
					infix++
				}
			case desk.KindEmail:
				if a, err := enrolment.ParseAddress(text); err != nil || a.Domain != "voorbeeld.nl" || !regexp.MustCompile(`^[a-z0-9.-]+$`).MatchString(a.Local) {
					t.Errorf("%q: %v", text, err)
				}
			case desk.KindPhone:
				if n, err := p.ParsePhone(text); err != nil || n.E164 != text {
					t.Errorf("%q: %v", text, err)
				}
			case desk.KindStartDate:
				if _, err := time.Parse(time.DateOnly, text); err != nil {
					t.Error(err)
				}
			}
		}
	}
	for s, email := range emails {
		who := password.Context{Name: names[s], Email: email, Organisation: []string{"Organisatie", "Mijn OPO-R"}}
		for _, pw := range []string{demo.Password, demo.EarlierPassword} {
			if r := password.Seed.Check(pw, who); !r.OK {
				t.Errorf("%s may not have the password: %+v", names[s], r.Unmet())
			}
		}
	}
	if marked < 100 || long < 5 || infix < 200 {
		t.Errorf("%d names with marks, %d long ones, %d with infixes", marked, long, infix)
	}
}

func TestSmallAndOdd(t *testing.T) {
	t.Parallel()
	for people := 1; people <= 12; people++ {
		for _, days := range []int{1, 2, 9} {
			for _, until := range []string{"2026-11-26T14:30:00+01:00", "2026-11-22T00:00:01Z", "2026-11-23T07:05:00-09:00", "2024-02-29T23:59:59+14:00"} {
				c := config(people, days)
				var err error
				if c.Until, err = time.Parse(time.RFC3339, until); err != nil {
					t.Fatal(err)
				}
				if _, done := write(t, c); done.People != people {
					t.Errorf("%d people in %d days until %s: %d", people, days, until, done.People)
				}
			}
		}
	}
}

// TestOtherPolicies: a history keeps to whatever the settings say.
func TestOtherPolicies(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*enrolment.Policy){
		"tickets":      func(p *enrolment.Policy) { p.Tickets = enrolment.TicketAlways },
		"some tickets": func(p *enrolment.Policy) { p.Tickets = enrolment.TicketWithoutPhone },
		"strict": func(p *enrolment.Policy) {
			p.WrongCodes, p.WrongCodesInARow, p.PairingTries = 2, 4, 1
			p.LoginFailures, p.ApprovalTries, p.Approvals = 2, 1, 1
		},
		"quick": func(p *enrolment.Policy) {
			p.EmailCodeLife, p.SMSCodeLife, p.RepeatWhileLeft = 3*time.Minute, 3*time.Minute, time.Minute
			p.QRLife, p.PairingLife, p.ApprovalLife = time.Minute, 3*time.Minute, time.Minute
		},
		"slow": func(p *enrolment.Policy) {
			p.WrongCodes, p.WrongCodesInARow, p.PairingTries, p.EmailCodeLife = 10, 50, 9, time.Hour
		},
	} {
		c := config(250, 20)
		change(&c.Policy)
		m, done := write(t, c)
		n := 0
		for _, e := range m.events {
			if e.Type == "FactorChosen" {
				n++
			}
		}
		if done.People != 250 || n < 150 {
			t.Errorf("%s: %d people, %d factors", name, done.People, n)
		}
	}
}

func TestWhatCannotBe(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*demo.Config){
		"nobody":          func(c *demo.Config) { c.People = 0 },
		"too many people": func(c *demo.Config) { c.People = demo.MaxPeople + 1 },
		"no days":         func(c *demo.Config) { c.Days = 0 },
		"no end":          func(c *demo.Config) { c.Until = time.Time{} },
	} {
		c := config(10, 10)
		spoil(&c)
		if _, err := demo.Write(t.Context(), c, &memory{}, nil); !errors.Is(err, demo.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// failing is a house that fails, and so ends the history.
type failing struct {
	memory
	keep, record error
}

func (f *failing) Keep(ctx context.Context, p []demo.Filling) error {
	return errors.Join(f.keep, f.memory.Keep(ctx, p))
}

func (f *failing) Record(ctx context.Context, e []domain.Recorded) error {
	return errors.Join(f.record, f.memory.Record(ctx, e))
}

func TestAFailureEndsIt(t *testing.T) {
	t.Parallel()
	full := fmt.Errorf("the disk is full: %w", domain.ErrUnavailable)
	for _, h := range []*failing{{keep: full}, {record: full}} {
		if _, err := demo.Write(t.Context(), config(2000, 20), h, nil); !errors.Is(err, domain.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := demo.Write(ctx, config(2000, 20), &memory{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("when nobody waits: %v", err)
	}
}

func TestAPhonesKey(t *testing.T) {
	t.Parallel()
	m, _ := write(t, config(100, 10))
	for _, e := range m.events {
		if e.Type != "PocketPaired" {
			continue
		}
		event, err := enrolment.Decode(e.Type, e.Data)
		if err != nil {
			t.Fatal(err)
		}
		paired := event.(enrolment.PocketPaired)
		private, err := demo.PhoneKey(keys{}, paired.Device)
		if err != nil {
			t.Fatal(err)
		}
		x, y := private.PublicKey.X.FillBytes(make([]byte, 32)), private.PublicKey.Y.FillBytes(make([]byte, 32)) //nolint:staticcheck // to compare with another way
		if want := jwk(x, y); string(paired.Key) != want {
			t.Fatalf("%s in the place of %s", paired.Key, want)
		}
		return
	}
	t.Error("nobody paired a phone")
}

// BenchmarkWrite is the making up alone.
func BenchmarkWrite(b *testing.B) {
	events := 0
	for b.Loop() {
		_, done := write(b, config(2000, 30))
		events += done.Events
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

func jwk(x, y []byte) string {
	b64 := base64.RawURLEncoding.EncodeToString
	return `{"crv":"P-256","kty":"EC","x":"` + b64(x) + `","y":"` + b64(y) + `"}`
}
