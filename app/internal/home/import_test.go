package home_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// resendWait is the first wait between two codes to an address.
const resendWait = 31 * time.Second

var allFields = []desk.StaffField{
	desk.StaffName, desk.StaffPhone, desk.StaffEmployee, desk.StaffStart, desk.StaffTeam, desk.StaffLanguage,
}

func staffList(people ...desk.Person) desk.StaffList {
	return desk.StaffList{
		Source: enrolment.RosterFromFile, Digest: sha256.Sum256(fmt.Append(nil, people)), Tells: allFields, People: people,
	}
}

func listed(n int) desk.Person {
	return desk.Person{
		Email: fmt.Sprintf("p%d@gemeente.example", n), Name: "Sanne de Vries", Phone: number, Employee: fmt.Sprint(4711 + n),
		Start: "2026-12-01", Team: "Burgerzaken", Language: "nl",
	}
}

func (h *house) plan(l desk.StaffList, o desk.ImportOptions) desk.ImportPlan {
	h.t.Helper()
	p, err := h.Desk.PlanImport(h.t.Context(), l, o)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// imports imports a list, and says what was new, changed, left and the same.
func (h *house) imports(l desk.StaffList, o desk.ImportOptions) [4]int {
	h.t.Helper()
	p := h.plan(l, o)
	told := 0
	done, err := h.Desk.Import(h.t.Context(), p, func(n, total int) {
		if told++; n != told || total != len(p.Steps) {
			h.t.Errorf("step %d of %d came as number %d", n, total, told)
		}
	})
	if err != nil || done.Done != len(p.Steps) || len(done.Refused) > 0 || told != len(p.Steps) {
		h.t.Fatalf("got %+v, %v, told of %d", done, err, told)
	}
	return [4]int{p.Count(desk.ImportNew), p.Count(desk.ImportChange), p.Count(desk.ImportLeave), p.Same}
}

func TestAnImportIsRepeatable(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	first := staffList(listed(1), listed(2), listed(3))
	if got := h.imports(first, desk.ImportOptions{}); got != [4]int{3, 0, 0, 0} {
		t.Errorf("first: %v", got)
	}
	s, err := h.Desk.Subject(t.Context(), "P2@gemeente.example")
	if err != nil {
		t.Fatal(err)
	}
	want := listed(2)
	want.Subject, want.Phone = s, e164
	if got, on, err := h.Desk.OnRoster(t.Context(), s); err != nil || !on || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	at := h.head()
	if got := h.imports(first, desk.ImportOptions{}); got != [4]int{0, 0, 0, 3} || h.head() != at {
		t.Errorf("again: %v", got)
	}
	other := listed(2)
	other.Team, other.Phone = "Zorg", ""
	second := staffList(listed(1), other, listed(3), listed(4))
	p := h.plan(second, desk.ImportOptions{})
	if got := p.Steps[0]; got.Email != other.Email || !reflect.DeepEqual(got.Changes, []desk.StaffField{desk.StaffPhone, desk.StaffTeam}) {
		t.Errorf("got %+v", got)
	}
	if got := h.imports(second, desk.ImportOptions{}); got != [4]int{1, 1, 0, 2} {
		t.Errorf("second: %v", got)
	}
	// The first list again is not what was recorded of it before: it changes things back.
	if got := h.imports(first, desk.ImportOptions{}); got != [4]int{0, 1, 0, 2} {
		t.Errorf("back: %v", got)
	}
	if got, _, err := h.Desk.OnRoster(t.Context(), s); err != nil || got != want {
		t.Errorf("back: got %+v, %v", got, err)
	}
	if got := h.imports(second, desk.ImportOptions{}); got != [4]int{0, 1, 0, 3} {
		t.Errorf("and forth: %v", got)
	}
}

func TestAListChangesOnlyWhatItTells(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	h.imports(staffList(listed(1)), desk.ImportOptions{})
	l := staffList(desk.Person{Email: "p1@gemeente.example", Name: "Sanne Bakker"})
	l.Tells = []desk.StaffField{desk.StaffName, desk.StaffTeam}
	if got := h.imports(l, desk.ImportOptions{}); got != [4]int{0, 1, 0, 0} {
		t.Errorf("got %v", got)
	}
	s, _ := h.Desk.Subject(t.Context(), "p1@gemeente.example")
	want := listed(1)
	want.Subject, want.Phone, want.Name, want.Team = s, e164, "Sanne Bakker", ""
	if got, _, err := h.Desk.OnRoster(t.Context(), s); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got := h.imports(l, desk.ImportOptions{}); got != [4]int{0, 0, 0, 1} {
		t.Errorf("again: %v", got)
	}
}

func TestWhoIsNotOnTheListLeaves(t *testing.T) {
	t.Parallel()
	var later clock
	h := openAt(t, later.now, t.TempDir(), true, "organisation.domains=gemeente.example")
	h.imports(staffList(listed(1), listed(2), listed(3)), desk.ImportOptions{})
	v := h.toFactor(listed(3).Email, 1)
	h.must(desk.ScreenDone)(h.Desk.ChooseSMS(t.Context(), v.Visit))
	_ = h.message(2)

	rest := staffList(listed(1))
	if got := h.imports(rest, desk.ImportOptions{}); got != [4]int{0, 0, 0, 1} {
		t.Errorf("a list of some: %v", got)
	}
	if got := h.imports(rest, desk.ImportOptions{Leavers: true}); got != [4]int{0, 0, 2, 1} {
		t.Errorf("a list of all: %v", got)
	}
	if got := h.imports(rest, desk.ImportOptions{Leavers: true}); got != [4]int{0, 0, 0, 1} {
		t.Errorf("again: %v", got)
	}
	s, _ := h.Desk.Subject(t.Context(), listed(2).Email)
	if _, on, err := h.Desk.OnRoster(t.Context(), s); on || err != nil {
		t.Errorf("on the roster: %v, %v", on, err)
	}
	if got := h.factor(listed(3).Email); got != enrolment.SMS {
		t.Errorf("who was enrolled has %s", got)
	}
	// Who left before they began sees what a stranger sees, and gets no mail.
	at := h.head()
	h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), listed(2).Email, "nl"))
	h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), listed(1).Email, "nl"))
	if m := h.message(3); m.To != listed(1).Email {
		t.Errorf("the next message goes to %s", m.To)
	}
	if types := h.typesOf(listed(2).Email); !reflect.DeepEqual(types, []string{"StaffRegistered", "StaffLeft"}) || h.head() == at {
		t.Errorf("got %v", types)
	}
	// and who comes back begins
	if got := h.imports(staffList(listed(1), listed(2)), desk.ImportOptions{Leavers: true}); got != [4]int{1, 0, 0, 1} {
		t.Errorf("back: %v", got)
	}
	later.pass(resendWait)
	h.must(desk.ScreenEmailCode)(h.Desk.Begin(t.Context(), listed(2).Email, "nl"))
	if m := h.message(4); m.To != listed(2).Email {
		t.Errorf("the next message goes to %s", m.To)
	}
}

func (h *house) typesOf(address string) (types []string) {
	h.t.Helper()
	s, err := h.Desk.Subject(h.t.Context(), address)
	if err != nil {
		h.t.Fatal(err)
	}
	events, err := h.Log.ReadStream(h.t.Context(), domain.EnrolmentStream(s), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range events {
		types = append(types, e.Type)
	}
	return types
}

func TestWhatIsWrongWithOneEntryIsWrongWithNoOther(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	bad := []desk.Person{
		{Email: "sanne"},
		{Email: "a@gemeente.example", Phone: "0201234567"},
		{Email: "b@gemeente.example", Name: "42"},
		{Email: "c@gemeente.example", Start: "1-12-2026"},
		{Email: "d@gemeente.example", Team: strings.Repeat("x", 101)},
		{Email: "e@gemeente.example", Language: "fr"},
		{Email: "f@xn--a.nl"},
		{Email: "p1@GEMEENTE.example"},
	}
	l := staffList(append([]desk.Person{listed(1)}, append(bad, listed(2))...)...)
	p := h.plan(l, desk.ImportOptions{})
	if len(p.Steps) != 2 || len(p.Refused) != len(bad) || p.Refused[0].At != 1 || !errors.Is(p.Refused[len(bad)-1].Err, desk.ErrListedTwice) {
		t.Fatalf("got %+v", p)
	}
	if h.head() != 0 {
		t.Error("a plan records something")
	}
	if _, err := h.Desk.PlanImport(t.Context(), l, desk.ImportOptions{Leavers: true}); !errors.Is(err, desk.ErrNotEverybody) {
		t.Errorf("who is missing: %v", err)
	}
	if got := h.imports(l, desk.ImportOptions{}); got != [4]int{2, 0, 0, 0} {
		t.Errorf("got %v", got)
	}
	// Somebody whose events are not understood is left alone.
	s, _ := h.Desk.Subject(t.Context(), listed(2).Email)
	strange := domain.Message{ID: domain.EventID{1}, Type: "HairDyed", Data: []byte("{}"), Metadata: []byte("{}")}
	if _, err := h.Log.Append(t.Context(), domain.EnrolmentStream(s), 0, strange); err != nil {
		t.Fatal(err)
	}
	p = h.plan(staffList(listed(2), listed(3)), desk.ImportOptions{Leavers: true})
	if len(p.Refused) != 1 || p.Refused[0].At != 0 || p.Count(desk.ImportNew) != 1 || p.Count(desk.ImportLeave) != 1 {
		t.Errorf("got %+v", p)
	}
}

// An import that ends anywhere goes on where it was, with the same events; so does
// one of which the answers are lost.
func TestAnImportThatIsBrokenOff(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	var people []desk.Person
	for n := range 300 {
		people = append(people, listed(n))
	}
	l := staffList(people...)
	config := h.Desk.Config
	config.Log = &lossy{Log: h.Log, lost: map[domain.EventID]bool{}}
	other := *h.Home
	other.Desk = desk.New(config)
	for _, until := range []int{1, 50, 120} {
		ctx, stop := context.WithCancel(t.Context())
		p := h.plan(l, desk.ImportOptions{})
		_, err := other.Desk.Import(ctx, p, func(done, _ int) {
			if done == until {
				stop()
			}
		})
		if stop(); !errors.Is(err, context.Canceled) && !errors.Is(err, domain.ErrUnknownOutcome) {
			t.Fatalf("got %v", err)
		}
	}
	h.imports(l, desk.ImportOptions{})
	if got := h.imports(l, desk.ImportOptions{Leavers: true}); got != [4]int{0, 0, 0, 300} {
		t.Errorf("at last: %v", got)
	}
	batches := map[string]int{}
	for _, p := range people {
		s, err := h.Desk.Subject(t.Context(), p.Email)
		if err != nil {
			t.Fatal(err)
		}
		events, err := h.Log.ReadStream(t.Context(), domain.EnrolmentStream(s), 0)
		if err != nil || len(events) != 1 {
			t.Fatalf("%s has %d events, %v", p.Email, len(events), err)
		}
		e, err := enrolment.Decode(events[0].Type, events[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		batches[e.(enrolment.StaffRegistered).Batch]++
		digest := fmt.Appendf(nil, "%x", l.Digest)
		if bytes.Contains(events[0].Data, digest[:32]) {
			t.Error("the event holds the digest of the list, which a short list could be guessed from")
		}
	}
	if len(batches) != 1 {
		t.Errorf("batches: %v", batches)
	}
}

// An intruder is a log in which somebody else is faster: what they do happens just
// before the first append.
type intruder struct {
	desk.Log
	once sync.Once
	does func()
}

func (i *intruder) Append(ctx context.Context, stream string, at domain.Revision, msgs ...domain.Message) (domain.Appended, error) {
	i.once.Do(i.does)
	return i.Log.Append(ctx, stream, at, msgs...)
}

// people notes what was activated in the vault.
type people struct {
	desk.People
	mu        sync.Mutex
	activated map[domain.Ref]domain.SubjectID
}

func (p *people) Activate(ctx context.Context, s domain.SubjectID, refs ...domain.Ref) error {
	p.mu.Lock()
	for _, r := range refs {
		p.activated[r] = s
	}
	p.mu.Unlock()
	return p.People.Activate(ctx, s, refs...)
}

// desks returns so many desks of one house, all on its log and vault.
func (h *house) desks(n int, with func(i int, c *desk.Config)) (desks []*desk.Desk, vault *people) {
	vault = &people{People: h.Desk.People, activated: map[domain.Ref]domain.SubjectID{}}
	for i := range n {
		c := h.Desk.Config
		c.People = vault
		with(i, &c)
		desks = append(desks, desk.New(c))
	}
	return desks, vault
}

// checkActivated sees that no value counts as used that no event names: nobody would
// ever tidy it away.
func (h *house) checkActivated(vault *people) {
	h.t.Helper()
	for ref, s := range vault.activated {
		if events := h.eventsOf(s); !slices.ContainsFunc(events, func(e domain.Recorded) bool { return bytes.Contains(e.Data, []byte(ref.ID.String())) }) {
			h.t.Errorf("%s is kept, and no event of %s names it", ref.ID, s)
		}
	}
}

func (h *house) eventsOf(s domain.SubjectID) []domain.Recorded {
	h.t.Helper()
	events, err := h.Log.ReadStream(h.t.Context(), domain.EnrolmentStream(s), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	return events
}

// Two imports at the same time need no lock: of each person and each field the later
// word counts, and none is lost.
func TestAnotherImportIsFaster(t *testing.T) {
	t.Parallel()
	only := func(f desk.StaffField, people ...desk.Person) desk.StaffList {
		l := staffList(people...)
		l.Tells = []desk.StaffField{f}
		return l
	}
	moved, called := listed(1), listed(1)
	moved.Team, called.Phone = "Zorg", "0687654321"
	both := listed(1)
	both.Team, both.Phone = moved.Team, "+31687654321"
	first := listed(1)
	first.Phone = e164
	for name, test := range map[string]struct {
		roster, list, faster desk.StaffList
		leavers              bool
		want                 desk.Person // p1 in the end; without a name: is not on the roster
		events               []string
		refused              error
	}{
		"with the same list, of somebody new": {
			list: staffList(listed(1)), faster: staffList(listed(1)),
			want: first, events: []string{"StaffRegistered"},
		},
		"with another list that says the same": {
			list: staffList(listed(1)), faster: staffList(listed(1), listed(2)),
			want: first, events: []string{"StaffRegistered"},
		},
		"with the same change": {
			roster: staffList(listed(1)), list: staffList(both), faster: staffList(both),
			want: both, events: []string{"StaffRegistered", "StaffChanged"},
		},
		"with another column": {
			roster: staffList(listed(1)), list: only(desk.StaffPhone, called), faster: only(desk.StaffTeam, moved),
			want: both, events: []string{"StaffRegistered", "StaffChanged", "StaffChanged"},
		},
		"with another column of somebody new": {
			list: only(desk.StaffPhone, called), faster: only(desk.StaffTeam, moved),
			want:   desk.Person{Email: both.Email, Phone: both.Phone, Team: both.Team},
			events: []string{"StaffRegistered", "StaffChanged"},
		},
		"and changes who would leave": {
			roster: staffList(listed(1), listed(2)), list: staffList(listed(2)), leavers: true, faster: staffList(both),
			want: both, events: []string{"StaffRegistered", "StaffChanged"}, refused: desk.ErrSaidMeanwhile,
		},
		"and says too that somebody left": {
			roster: staffList(listed(1), listed(2)), list: staffList(listed(2)), leavers: true, faster: staffList(listed(2)),
			events: []string{"StaffRegistered", "StaffLeft"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, t.TempDir(), false)
			if len(test.roster.People) > 0 {
				h.imports(test.roster, desk.ImportOptions{})
			}
			o := desk.ImportOptions{}
			if test.leavers {
				o = desk.ImportOptions{Leavers: true}
			}
			log := &intruder{Log: h.Log}
			desks, vault := h.desks(2, func(i int, c *desk.Config) {
				if i == 0 {
					c.Log = log
				}
			})
			log.does = func() {
				p, err := desks[1].PlanImport(t.Context(), test.faster, o)
				if err == nil {
					_, err = desks[1].Import(t.Context(), p, nil)
				}
				if err != nil {
					t.Error(err)
				}
			}
			// The plan of somebody who leaves may be older than what the other one does.
			if test.refused != nil {
				p, err := desks[0].PlanImport(t.Context(), test.list, o)
				if err != nil {
					t.Fatal(err)
				}
				o = desk.ImportOptions{}
				log.once.Do(log.does)
				done, err := desks[0].Import(t.Context(), p, nil)
				if err != nil || len(done.Refused) != 1 || !errors.Is(done.Refused[0].Err, test.refused) {
					t.Errorf("got %+v, %v", done, err)
				}
			} else {
				p, err := desks[0].PlanImport(t.Context(), test.list, o)
				if err != nil {
					t.Fatal(err)
				}
				if done, err := desks[0].Import(t.Context(), p, nil); err != nil || done.Done != len(p.Steps) {
					t.Errorf("got %+v, %v", done, err)
				}
			}
			s, err := h.Desk.Subject(t.Context(), listed(1).Email)
			if err != nil {
				t.Fatal(err)
			}
			if test.want.Email != "" {
				test.want.Subject = s
			}
			if got, on, err := h.Desk.OnRoster(t.Context(), s); err != nil || got != test.want || on != (test.want.Email != "") {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
			if types := h.typesOf(listed(1).Email); !slices.Equal(types, test.events) {
				t.Errorf("got %v, want %v", types, test.events)
			}
			h.checkActivated(vault)
		})
	}
}

// The same with a whole list, and with whatever order comes about.
func TestImportsAtTheSameTime(t *testing.T) {
	t.Parallel()
	h := open(t, t.TempDir(), false)
	const n = 120
	whole, teams, phones := make([]desk.Person, n), make([]desk.Person, n), make([]desk.Person, n)
	for i := range n {
		whole[i], teams[i], phones[i] = listed(i), listed(i), listed(i)
		teams[i].Team, phones[i].Phone = "Zorg", "0687654321"
	}
	list := func(f []desk.StaffField, people []desk.Person) desk.StaffList {
		l := staffList(people...)
		l.Tells = f
		return l
	}
	run := func(lists ...desk.StaffList) {
		t.Helper()
		desks, vault := h.desks(len(lists), func(int, *desk.Config) {})
		plans := make([]desk.ImportPlan, len(lists))
		for i, l := range lists {
			var err error
			if plans[i], err = desks[i].PlanImport(t.Context(), l, desk.ImportOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		var all errgroup.Group
		for i, p := range plans {
			all.Go(func() error {
				done, err := desks[i].Import(t.Context(), p, nil)
				if err == nil && done.Done != n {
					err = fmt.Errorf("only %+v", done)
				}
				return err
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatal(err)
		}
		h.checkActivated(vault)
	}
	run(list(allFields, whole), list(allFields, whole), list(allFields, whole))
	for _, p := range whole {
		if types := h.typesOf(p.Email); !slices.Equal(types, []string{"StaffRegistered"}) {
			t.Fatalf("%s: %v", p.Email, types)
		}
	}
	run(list([]desk.StaffField{desk.StaffTeam}, teams), list([]desk.StaffField{desk.StaffPhone}, phones))
	for _, p := range whole {
		s, _ := h.Desk.Subject(t.Context(), p.Email)
		got, _, err := h.Desk.OnRoster(t.Context(), s)
		if err != nil || got.Team != "Zorg" || got.Phone != "+31687654321" || got.Name != p.Name {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
}

func BenchmarkImport(b *testing.B) {
	if testing.Short() {
		b.Skip("10,000 people")
	}
	var people []desk.Person
	for n := range 10_000 {
		people = append(people, listed(n))
	}
	l := staffList(people...)
	for b.Loop() {
		h := openBench(b)
		for _, pass := range []string{"first", "again"} {
			began := time.Now()
			p, err := h.Desk.PlanImport(b.Context(), l, desk.ImportOptions{})
			planned := time.Now()
			if err == nil {
				_, err = h.Desk.Import(b.Context(), p, nil)
			}
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(planned.Sub(began).Seconds(), pass+"-plan-s")
			b.ReportMetric(time.Since(planned).Seconds(), pass+"-import-s")
		}
	}
}

func openBench(b *testing.B) *home.Home {
	b.Helper()
	set, err := settings.Load(settings.Sources{Home: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	h, err := home.Open(b.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, h.Close(context.WithoutCancel(b.Context()))); err != nil {
			b.Error(err)
		}
	})
	return h
}
