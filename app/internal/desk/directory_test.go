package desk_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/station"
)

func TestPeopleAreFoundByWhatSomebodyHears(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	people := map[string]domain.SubjectID{}
	for key, p := range map[string]staff{
		"sanne":  {"sanne.devries@voorbeeld.nl", "Sanne de Vries", "+31612345678", "10042", "De Kleurendans", "2026-12-01"},
		"sukru":  {"s.ozturk@voorbeeld.nl", "Şükrü Öztürk-van 't Hoff", "+31687654321", "10043", "Het Plankier", "2026-12-01"},
		"ijs":    {"ijs@voorbeeld.nl", "IJsbrand Groß", "+32470123456", "A-7", "Het Plankier", "2026-12-07"},
		"lukasz": {"luk@elders.example", "Łukasz d’Angelo", "", "", "", ""},
		"zoe":    {"zoe@voorbeeld.nl", "", "", "", "", ""},
	} {
		people[key] = w.register(p)
	}
	d := w.held()
	for _, c := range []struct {
		typed string
		want  []string
	}{
		{"sanne", []string{"sanne"}},
		{"VRIES san", []string{"sanne"}},
		{"  de   vr ", []string{"sanne"}},
		{"anne", nil}, // in the middle of a word
		{"sanne hoff", nil},
		{"sukru ozturk", []string{"sukru"}},
		{"ŞÜKRÜ", []string{"sukru"}},
		{"hoff", []string{"sukru"}},
		{"van t hoff", []string{"sukru"}},
		{"van 't hoff", []string{"sukru"}},
		{"ozturk-van", []string{"sukru"}},
		{"ijsbrand gross", []string{"ijs"}},
		{"ĳsbrand groß", []string{"ijs"}}, // with the letter that is both
		{"lukasz dangelo", []string{"lukasz"}},
		{"d'angelo", []string{"lukasz"}},
		{"angelo", []string{"lukasz"}},
		{"zoe", []string{"zoe"}}, // by the address alone
		{"06 12345678", []string{"sanne"}},
		{"06-12 34 56 78", []string{"sanne"}},
		{"+31 6 12345678", []string{"sanne"}},
		{"+31 (0)6 1234 5678", []string{"sanne"}},
		{"0031612345678", []string{"sanne"}},
		{"0612", []string{"sanne"}},
		{"12345678", nil},
		{"612345678", []string{"sanne"}},
		{"0470 12 34 56", []string{"ijs"}},
		{"+32470", []string{"ijs"}},
		{"+3161234567890", nil},
		{"sanne.devries", []string{"sanne"}},
		{"Sanne.deVries@voorbeeld.nl", []string{"sanne"}},
		{"devries", []string{"sanne"}},
		{"voorbeeld", nil},
		{"10042", []string{"sanne"}},
		{"1004", []string{"sanne", "sukru"}},
		{"a-7", []string{"ijs"}},
		{"plankier", []string{"sukru", "ijs"}},
		{"plankier 2026-12-07", []string{"ijs"}},
		{"2026-12-01", []string{"sanne", "sukru"}},
		{"", nil},
		{" ' ", nil},
		{"\n", nil},
		{strings.Repeat("sanne ", 60), nil},
	} {
		var want []domain.SubjectID
		for _, key := range c.want {
			want = append(want, people[key])
		}
		if got := d.Search(c.typed); !sameSet(got.People, want) || len(got.Strangers) != 0 {
			t.Errorf("%q found %d people %+v, want %q", c.typed, len(got.People), got, c.want)
		}
	}
	if got := d.Starting("2026-12-01"); !sameSet(got, []domain.SubjectID{people["sanne"], people["sukru"]}) {
		t.Errorf("%d people start that day", len(got))
	}
	if e, ok := d.Entry(people["sanne"]); !ok || e.Name != "Sanne de Vries" || e.Email != "sanne.devries@voorbeeld.nl" || e.Team != "De Kleurendans" || e.Start != "2026-12-01" {
		t.Errorf("%+v, %t", e, ok)
	}
}

func sameSet(a, b []domain.SubjectID) bool {
	less := func(a, b domain.SubjectID) int { return slices.Compare(a[:], b[:]) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), less), slices.SortedFunc(slices.Values(b), less))
}

func TestHelpCodesFindPeopleAndStationsForADay(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	sanne := w.register(staff{email: "sanne@voorbeeld.nl", name: "Sanne"})
	w.happens(sanne, enrolment.HelpCodeShown{Help: "K7204"})
	w.notes("hal-3", station.HelpCodeShown{Help: "A1111"})
	d := w.held()
	for _, typed := range []string{"K7204", "k7204", "K7 204", "k 7204", " k 7 2 0 4 "} {
		if got := d.Search(typed); !sameSet(got.People, []domain.SubjectID{sanne}) {
			t.Errorf("%q found %+v", typed, got)
		}
	}
	got := d.Search("a 1111")
	if len(got.People) != 0 || len(got.Strangers) != 1 || got.Strangers[0].Station != "hal-3" || got.Strangers[0].Code != "A1111" || got.Strangers[0].At.IsZero() {
		t.Errorf("of a stranger: %+v", got)
	}
	if got := d.Search("K7205"); len(got.People)+len(got.Strangers) != 0 {
		t.Errorf("another code: %+v", got)
	}
	later := desk.NewDirectory(desk.DirectoryConfig{
		Log: w.log, Vault: opener{w.vault}, Policy: enrolment.DefaultPolicy(), Report: func(err error) { t.Error(err) },
		Now: func() time.Time { return time.Now().Add(25 * time.Hour) },
	})
	defer later.Hold(t.Context())()
	eventually(t, "the directory is ready", func() bool { return later.State().Ready })
	if got := later.Search("K7204"); len(got.People)+len(got.Strangers) != 0 {
		t.Errorf("after a day: %+v", got)
	}
}

func TestChangesOfAPersonShow(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	d := w.held()
	changed, stop := d.Watch()
	defer stop()
	finds := func(typed string, who ...domain.SubjectID) {
		t.Helper()
		for deadline := time.After(30 * time.Second); !d.State().Ready || !sameSet(d.Search(typed).People, who); {
			select {
			case <-changed:
			case <-deadline:
				t.Fatalf("%q finds %+v", typed, d.Search(typed))
			}
		}
	}
	s := w.register(staff{email: "jan@voorbeeld.nl", name: "Jan Jansen", phone: "+31611111111", team: "Zorg"})
	finds("jansen", s)
	finds("0611111111", s)
	w.happens(s, enrolment.NameSet{Name: w.keep(s, desk.KindName, "Johanna de Groot")})
	finds("johanna", s)
	finds("jansen", s) // what HR calls them still finds them
	if e, _ := d.Entry(s); e.Name != "Johanna de Groot" {
		t.Errorf("they are called %q", e.Name)
	}
	number := w.keep(s, desk.KindPhone, "+31622222222")
	w.happens(s, enrolment.PhoneGiven{Phone: number, Source: enrolment.FromSelf, Country: "NL"})
	finds("0622222222", s)
	w.happens(s, enrolment.PhoneVerified{Phone: number, Source: enrolment.FromSelf, Country: "NL"})
	w.happens(s, enrolment.EnrolmentReset{Reason: enrolment.ForgottenPassword})
	finds("0622222222")
	finds("johanna")
	finds("jansen", s)
	e, err := w.entry(t.Context(), s, staff{email: "jan@voorbeeld.nl", name: "Jan Visser"})
	must(t, err)
	w.happens(s, enrolment.StaffChanged(e))
	finds("visser", s)
	finds("jansen")
	finds("zorg")
	// somebody of whom HR knows nothing
	guest := someone()
	address := w.keep(guest, desk.KindEmail, "gast@voorbeeld.nl")
	w.happens(guest, enrolment.EnrolmentStarted{Admission: enrolment.ByDomain, Language: "nl"},
		enrolment.CodeIssued{Challenge: "c", Purpose: enrolment.ConfirmingEmail, Channel: enrolment.ByMail, To: address})
	finds("gast", guest)
	must(t, w.vault.Erase(t.Context(), guest))
	w.happens(guest, enrolment.EmailConfirmed{Challenge: "c", Email: w.keep(s, desk.KindEmail, "x@voorbeeld.nl")}) // of somebody erased nothing opens
	finds("gast")
}

// A broken vault opens nothing for a while.
type brokenVault struct {
	opener
	mended chan struct{}
}

func (b brokenVault) GetMany(ctx context.Context, wanted ...desk.Wanted) ([]desk.Opened, error) {
	select {
	case <-b.mended:
		return b.opener.GetMany(ctx, wanted...)
	default:
		return nil, domain.ErrUnavailable
	}
}

func TestAVaultThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	s := w.register(staff{email: "jan@voorbeeld.nl", name: "Jan Jansen"})
	b := brokenVault{opener{w.vault}, make(chan struct{})}
	reported := make(chan error, 100)
	d := desk.NewDirectory(desk.DirectoryConfig{
		Log: w.log, Vault: b, Policy: enrolment.DefaultPolicy(), Now: time.Now, Report: func(err error) { reported <- err },
	})
	defer d.Hold(t.Context())()
	if err := <-reported; !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("reported %v", err)
	}
	if s := d.State(); s.Ready || s.Done != 0 || s.Total != 2 {
		t.Errorf("without a vault: %+v", s)
	}
	close(b.mended)
	eventually(t, "the directory is ready", func() bool { return d.State().Ready })
	if got := d.Search("jansen"); !sameSet(got.People, []domain.SubjectID{s}) {
		t.Errorf("found %+v", got)
	}
}

func TestADirectoryLivesWhileSomebodyNeedsIt(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	s := w.register(staff{email: "jan@voorbeeld.nl", name: "Jan Jansen"})
	d := w.directory(opener{w.vault})
	found := func() bool { return slices.Contains(d.Search("jan").People, s) }
	for range 2 {
		if found() || d.State().Open {
			t.Fatal("it knows somebody although nobody needs it")
		}
		ctx, cancel := context.WithCancel(t.Context())
		first := d.Hold(ctx)
		cancel() // what asked for it is over; the need is not
		second := d.Hold(t.Context())
		eventually(t, "it is ready", func() bool { return d.State().Ready })
		if !found() {
			t.Error("it does not know everybody")
		}
		first()
		first() // again changes nothing
		if !found() {
			t.Error("it was wiped while somebody needed it")
		}
		second()
	}
	if _, known := d.Entry(s); known || found() || d.State() != (desk.DirectoryState{}) {
		t.Errorf("it is still there: %+v", d.State())
	}
}

// BenchmarkDirectory fills the directory of 50,000 people, and has each keystroke of
// some searches answered.
func BenchmarkDirectory(b *testing.B) {
	const people = 50_000
	w := newTown(b)
	w.crowd(people)
	b.Run("fill", func(b *testing.B) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		for b.Loop() {
			d := w.directory(opener{w.vault})
			release := d.Hold(b.Context())
			eventually(b, "it is ready", func() bool { return d.State().Ready })
			b.StopTimer()
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/people, "B/person")
			if d.State().Total != 6*people {
				b.Fatalf("%+v", d.State())
			}
			release()
			b.StartTimer()
		}
	})
	d := w.directory(opener{w.vault})
	defer d.Hold(b.Context())()
	eventually(b, "it is ready", func() bool { return d.State().Ready })
	b.Run("keystroke", func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			for _, typed := range []string{"sanne de vries", "06 10012345", "collega.4711@voorbeeld.nl", "ozturk", "E0471", "van der berg plankier", "K7204"} {
				for n := range typed {
					from := time.Now()
					d.Search(typed[:n+1])
					took = append(took, time.Since(from))
				}
			}
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	})
}
