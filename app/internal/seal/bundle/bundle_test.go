package bundle_test

import (
	"archive/zip"
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/seal/bundle"
	"github.com/keydesk/keydesk/app/internal/seal/bundle/bundletest"
	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/assets"
	"github.com/keydesk/keydesk/domain"
)

var (
	monday  = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	someone = domain.Actor{Kind: domain.ActorPerson, ID: "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", Role: domain.RoleSubject}
)

// filled returns a log of so many events, four hours apart, with a checkpoint
// after each seven and one at the end.
func filled(tb testing.TB, n int) *bundletest.Log {
	tb.Helper()
	l := bundletest.New(tb, 1)
	more(tb, l, n)
	return l
}

func more(tb testing.TB, l *bundletest.Log, n int) {
	tb.Helper()
	for i := range n {
		at := monday.Add(time.Duration(len(l.Events)) * 4 * time.Hour).Add(123456 * time.Microsecond)
		stream, typ, data := "enrolment-"+someone.ID, "FactorChosen", `{"factor":"sms","reason":"enrolment"}`
		if i%3 == 1 {
			stream, typ, data = "login-"+someone.ID, "LoginFailed", `{"reason":"code"}`
		}
		l.Add(tb, stream, typ, data, at, someone)
		if len(l.Events)%7 == 0 {
			l.Sign(tb, at.Add(time.Minute))
		}
	}
	l.Sign(tb, monday.Add(time.Duration(len(l.Events))*4*time.Hour))
}

// write makes a bundle.
func write(tb testing.TB, l *bundletest.Log, q bundle.Query) ([]byte, bundle.Made) {
	tb.Helper()
	var out bytes.Buffer
	if q.Version = "1.2.3"; q.Made.IsZero() {
		q.Made = monday.AddDate(0, 1, 0)
	}
	made, err := bundle.Write(tb.Context(), &out, bundle.Source{Log: l, Seal: l, Skip: []string{"probe-"}}, q, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return out.Bytes(), made
}

func verify(tb testing.TB, b []byte, o proof.Options) proof.Verdict {
	tb.Helper()
	v, err := proof.Verify(bytes.NewReader(b), int64(len(b)), o)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func read(tb testing.TB, b []byte, name string) string {
	tb.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		tb.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

// Every file of a bundle says that it was made when the bundle was, whatever reads it.
func TestTheFilesOfABundleHaveItsTime(t *testing.T) {
	t.Parallel()
	b, made := write(t, filled(t, 3), bundle.Query{})
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if !f.Modified.Equal(made.Made) || f.ModifiedDate == 0 { // what unzip shows of a file without an extra field
			t.Errorf("%s: %v, %#x", f.Name, f.Modified, f.ModifiedDate)
		}
	}
}

func TestEveryRunOfLeavesVerifies(t *testing.T) {
	t.Parallel()
	const n = 11
	l := filled(t, n)
	for from := range n {
		for to := from + 1; to <= n; to++ {
			b, made := write(t, l, bundle.Query{From: bundle.Moment{Position: uint64(from + 1)}, To: bundle.Moment{Position: uint64(to + 1)}})
			v := verify(t, b, proof.Options{Keys: l.Keys()})
			if !v.OK() || v.From != int64(from) || v.To != int64(to) || v.Events != int64(to-from) || made.Events != v.Events {
				t.Fatalf("leaves [%d, %d): %+v", from, to, v)
			}
		}
	}
}

func TestABundleBeginsAndEndsWhereItIsAskedTo(t *testing.T) {
	t.Parallel()
	l := filled(t, 10)
	at := func(n int) time.Time { return l.Events[n-1].Recorded }
	for _, c := range []struct {
		name     string
		from, to bundle.Moment
		first    int64 // positions; 0: there is nothing
		last     int64
	}{
		{"everything", bundle.Moment{}, bundle.Moment{}, 1, 10},
		{"positions", bundle.Moment{Position: 3}, bundle.Moment{Position: 5}, 3, 4},
		{"from a time", bundle.Moment{At: at(4)}, bundle.Moment{}, 4, 10},
		{"just behind a time", bundle.Moment{At: at(4).Add(1)}, bundle.Moment{}, 5, 10},
		{"until a time", bundle.Moment{}, bundle.Moment{At: at(4)}, 1, 3},
		{"a day", bundle.Moment{At: monday.Truncate(24*time.Hour).AddDate(0, 0, 1)}, bundle.Moment{At: monday.Truncate(24*time.Hour).AddDate(0, 0, 2)}, 5, 10},
		{"until a day that has not come", bundle.Moment{}, bundle.Moment{At: monday.AddDate(1, 0, 0)}, 1, 10},
		{"from long before", bundle.Moment{At: monday.AddDate(-90, 0, 0)}, bundle.Moment{}, 1, 10},
		{"beyond the end", bundle.Moment{}, bundle.Moment{Position: 1000}, 1, 10},
		{"from a day that has not come", bundle.Moment{At: monday.AddDate(1, 0, 0)}, bundle.Moment{}, 0, 0},
		{"from the end on", bundle.Moment{Position: 11}, bundle.Moment{}, 0, 0},
		{"the wrong way round", bundle.Moment{Position: 5}, bundle.Moment{Position: 3}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			made, err := bundle.Write(t.Context(), &out, bundle.Source{Log: l, Seal: l}, bundle.Query{From: c.from, To: c.to}, nil)
			if c.first == 0 {
				if !errors.Is(err, bundle.ErrNothing) {
					t.Errorf("%+v, %v", made, err)
				}
				return
			}
			if err != nil || made.From != c.first-1 || made.To != c.last {
				t.Errorf("%+v, %v", made, err)
			}
		})
	}
}

func TestALogThatIsNotWhatWasSealedIsNotExported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do func(l *bundletest.Log)
		at uint64
	}{
		"an event says something else":          {func(l *bundletest.Log) { l.Events[4].Data = []byte(`{}`) }, 5},
		"an event has other metadata":           {func(l *bundletest.Log) { l.Events[4].Metadata = []byte(`{}`) }, 5},
		"an event has another time":             {func(l *bundletest.Log) { l.Events[4].Recorded = l.Events[4].Recorded.Add(1) }, 5},
		"an event that never expires is gone":   {func(l *bundletest.Log) { l.Expired[4] = true }, 4},
		"the last event is gone":                {func(l *bundletest.Log) { l.Expired[10] = true }, 10},
		"two events stand in the wrong order":   {func(l *bundletest.Log) { l.Events[3].Position, l.Events[4].Position = 5, 4 }, 4},
		"an event stands in another's place":    {func(l *bundletest.Log) { l.Events[6] = l.Events[3]; l.Events[6].Position = 7 }, 7},
		"an event was put where there was none": {func(l *bundletest.Log) { l.Events[1].Position, l.Expired[2] = 0, false; l.Events[1].Position = 3 }, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := filled(t, 10)
			c.do(l)
			_, err := bundle.Write(t.Context(), io.Discard, bundle.Source{Log: l, Seal: l}, bundle.Query{}, nil)
			n, is := errors.AsType[*bundle.NotAsSealedError](err)
			if !is || !errors.Is(err, bundle.ErrDiffers) || n.Position != c.at {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNothingIsExportedBeforeItIsSealed(t *testing.T) {
	t.Parallel()
	l := bundletest.New(t, 1)
	if _, err := bundle.Write(t.Context(), io.Discard, bundle.Source{Log: l, Seal: l}, bundle.Query{}, nil); !errors.Is(err, bundle.ErrUnsealed) {
		t.Errorf("got %v", err)
	}
	l = filled(t, 5)
	l.Extra = []domain.Recorded{l.Events[4]}
	l.Extra[0].Position = 6 // recorded since, and not sealed
	b, made := write(t, l, bundle.Query{})
	if v := verify(t, b, proof.Options{}); !v.OK() || made.To != 5 {
		t.Errorf("%+v", v)
	}
}

func TestWhatIsNoPartOfTheRecordIsLeftOut(t *testing.T) {
	t.Parallel()
	l := filled(t, 5)
	probe := l.Events[4]
	probe.Stream, probe.Position = "probe-1", 6
	l.Extra = []domain.Recorded{probe}
	b, _ := write(t, l, bundle.Query{})
	if v := verify(t, b, proof.Options{}); !v.OK() || v.Events != 5 {
		t.Errorf("%+v", v)
	}
}

func TestWhatHasExpiredIsTold(t *testing.T) {
	t.Parallel()
	l := filled(t, 12)
	l.Expired[2], l.Expired[11] = true, true
	b, made := write(t, l, bundle.Query{Language: "en"})
	v := verify(t, b, proof.Options{Keys: l.Keys()})
	if !v.OK() || v.Expired != 2 || made.Expired != 2 || v.Events != 10 || proof.DayOf(v.LastExpired) != proof.DayOf(l.Events[10].Recorded) {
		t.Errorf("%+v", v)
	}
	if table := read(t, b, proof.FileTable); strings.Count(table, "expired: the leaf is still there") != 2 {
		t.Errorf("%s", table)
	}
	if report := read(t, b, proof.FileReport); !strings.Contains(report, "of which 2 expired") || !strings.Contains(report, "Logins are removed after a time") {
		t.Error("the report does not tell it")
	}
}

func TestOlderCheckpointsAreProved(t *testing.T) {
	t.Parallel()
	l := filled(t, 3)
	kept, _ := l.Checkpoint()
	more(t, l, 27)
	b, made := write(t, l, bundle.Query{From: bundle.Moment{Position: 20}, Since: [][]byte{kept.Note}})
	if v := verify(t, b, proof.Options{Keys: l.Keys(), Since: kept.Note}); !v.OK() || !v.Since.Holds || v.Earlier != made.Earlier {
		t.Errorf("%+v", v)
	}
	other := bundletest.New(t, 1)
	other.Add(t, "service", "ClientAdded", "{}", monday, someone)
	more(t, other, 2)
	foreign, _ := other.Checkpoint()
	ahead := filled(t, 31)
	later, _ := ahead.Checkpoint()
	for name, note := range map[string][]byte{
		"of another history": foreign.Note, "ahead": later.Note, "not one": []byte("x"),
		"not signed": bytes.Replace(kept.Note, []byte("time 2026"), []byte("time 2025"), 1),
	} {
		_, err := bundle.Write(t.Context(), io.Discard, bundle.Source{Log: l, Seal: l}, bundle.Query{Since: [][]byte{note}}, nil)
		if !errors.Is(err, bundle.ErrSince) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An empty cell, a formula and what looks like one.
func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	l := bundletest.New(t, 1)
	at := monday
	evil := []string{`=cmd|' /C calc'!A0`, `+1+1`, `-2`, `@SUM(1)`, "\t=1", "\r=1", " =1", "＝1", `a","=1`, "a\";=1;\"", "\n=1", "\u00a0-1", "7-1", "ok", `a,=1`, `a; =cmd|'/C calc'!A0;`, "a\t@SUM(1)"}
	for _, e := range evil {
		l.Add(t, "login-"+e, e, "{}", at, domain.Actor{Kind: domain.ActorStaff, ID: strings.NewReplacer("\n", "n", "\t", "t", "\r", "r").Replace(e), Role: "x"})
	}
	l.Sign(t, at)
	for language, separator := range map[string]rune{"nl": ';', "en": ','} {
		b, _ := write(t, l, bundle.Query{Language: language})
		if v := verify(t, b, proof.Options{}); !v.OK() {
			t.Fatalf("%+v", v)
		}
		text, marked := strings.CutPrefix(read(t, b, proof.FileTable), "\ufeff")
		if !marked {
			t.Error("no byte order mark: Excel would not read it as UTF-8")
		}
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord = separator, 10
		all, err := r.ReadAll()
		if err != nil || len(all) != len(evil)+1 {
			t.Fatalf("%d rows, %v", len(all), err)
		}
		for i, row := range all[1:] {
			for _, cell := range row {
				if begins := strings.TrimLeft(cell, " \u00a0"); begins != "" && strings.ContainsAny(begins[:1], "=+-@\t\r\n") || strings.HasPrefix(begins, "＝") {
					t.Errorf("%s: %q", language, cell)
				}
				for _, part := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(",;|\t\"", r) }) { // as another separator has it
					if begins := strings.TrimLeft(part, " "); begins != "" && strings.ContainsAny(begins[:1], "=+-@") {
						t.Errorf("%s: %q in %q", language, part, cell)
					}
				}
			}
			want := strings.ReplaceAll(evil[i], "\r\n", "\n")
			if got := strings.ReplaceAll(row[2], "'", ""); got != strings.ReplaceAll(want, "'", "") && strings.ReplaceAll(got, "\r", "") != strings.ReplaceAll(want, "\r", "") {
				t.Errorf("%q became %q", want, row[2])
			}
		}
	}
}

// What somebody who can write to the log puts into it is text in the report, too.
func TestTheReportIsTextAndAsksNobodyForAnything(t *testing.T) {
	t.Parallel()
	l := filled(t, 8)
	evil := `"><script src=https://example.org/x></script>{{.}}`
	l.Add(t, "station-"+evil, evil, `{}`, monday, domain.Actor{Kind: domain.ActorStaff, ID: evil, Role: domain.Role(evil)})
	l.Add(t, "access-x", "DataShown", `{}`, monday, domain.Actor{Kind: domain.ActorStaff, ID: evil, Role: domain.Role(evil)})
	l.Sign(t, monday)
	for _, language := range []string{"nl", "en"} {
		b, _ := write(t, l, bundle.Query{Language: language, Name: evil})
		report := read(t, b, proof.FileReport)
		for _, bad := range []string{"<script", "ZgotmplZ", "⟦", "url(http", "<link", "<img", "javascript:", "no value"} {
			if strings.Contains(report, bad) {
				t.Errorf("%s: it holds %s", language, bad)
			}
		}
		if n := strings.Count(report, "&lt;script"); n < 4 {
			t.Errorf("%s: what was recorded shows %d times", language, n)
		}
		if !strings.Contains(report, "<html lang=\""+language+"\">") || !strings.Contains(report, "default-src &#39;none&#39;") && !strings.Contains(report, "default-src 'none'") {
			t.Errorf("%s: its head is not what it has to be", language)
		}
		d := xml.NewDecoder(strings.NewReader(report)) // as good as XHTML but for what HTML leaves open
		d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", language, err)
			}
		}
	}
}

func TestEveryTypeOfEventsHasAName(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../../domain/*/testdata/events/*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		typ, _, _ := strings.Cut(filepath.Base(file), ".")
		for _, language := range i18n.Languages() {
			if !i18n.New(language).Has("report-event-" + typ) {
				t.Errorf("%s: no name for %s", language, typ)
			}
		}
	}
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	t.Parallel()
	id := regexp.MustCompile(`(?m)^\[(.+)\]$`)
	arguments := regexp.MustCompile(`{{\.\w+}}`)
	var ids, args [2][]string
	for i, language := range i18n.Languages() {
		text, err := assets.Translations.ReadFile("translations/" + language + "/report.toml")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range id.FindAllStringSubmatch(string(text), -1) {
			ids[i] = append(ids[i], m[1])
		}
		args[i] = arguments.FindAllString(string(text), -1)
		slices.Sort(args[i])
		w := i18n.New(language)
		if len(strings.Fields(w.T("report-months"))) != 12 || len(strings.Fields(w.T("report-months-short"))) != 12 || len(strings.Fields(w.T("report-weekdays"))) != 7 {
			t.Errorf("%s: months and days", language)
		}
	}
	if !slices.Equal(ids[0], ids[1]) || !slices.Equal(args[0], args[1]) {
		t.Errorf("%d and %d messages, %d and %d arguments", len(ids[0]), len(ids[1]), len(args[0]), len(args[1]))
	}
}

func TestTheReportCountsWhatIsThere(t *testing.T) {
	t.Parallel()
	l := bundletest.New(t, 1)
	say := func(stream, typ, data string, at time.Time, by domain.Actor) { l.Add(t, stream, typ, data, at, by) }
	staff := domain.Actor{Kind: domain.ActorStaff, ID: "agent-7", Role: domain.RoleHelpdesk}
	for day := range 100 { // more than there are bars: weeks
		at := monday.AddDate(0, 0, day)
		say("enrolment-a", "EnrolmentStarted", `{"admission":"roster"}`, at, someone)
		say("enrolment-a", "FactorChosen", `{"factor":"pocket","reason":"enrolment"}`, at, someone)
		say("enrolment-a", "FactorChosen", `{"factor":"sms","reason":"switched"}`, at, someone)
		say("login-a", "LoginSucceeded", `{"factor":"sms"}`, at, someone)
		say("login-a", "LoginFailed", `{"reason":"digits"}`, at, someone)
		say("access-agent-7", "DataShown", `{"scope":"phone"}`, at, staff)
	}
	say("enrolment-a", "HairDyed", `{`, monday, someone)
	l.Sign(t, monday)
	b, _ := write(t, l, bundle.Query{Language: "en", Name: "Portal", Made: monday.AddDate(0, 0, 100)})
	report := read(t, b, proof.FileReport)
	for _, want := range []string{
		"What happened from 23 November 2026 up to and including 2 March 2027", "Everything that was recorded, per week",
		`<p class="big">601</p>`, `<p class="big">100</p>`, "with Pocket <b>100</b>", "with a code by text message <b>0</b>",
		"wrong digits on the phone", "<code>HairDyed</code>", "<code>agent-7</code>", "Colleagues themselves", "Portal",
		"23 Nov: 7 worked", "<title>Mon 9:00: ",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report does not say %s", want)
		}
	}
}

// What a few events of a wrong clock say leaves the days as they are, and is told.
func TestAWrongClockInTheReport(t *testing.T) {
	t.Parallel()
	l := bundletest.New(t, 1)
	old, future := time.Date(1970, 1, 1, 0, 0, 7, 0, time.UTC), time.Date(2086, 11, 23, 9, 0, 0, 0, time.UTC)
	days := func(from, to int) {
		for day := from; day < to; day++ {
			l.Add(t, "login-a", "LoginSucceeded", `{"factor":"sms"}`, monday.AddDate(0, 0, day), someone)
			l.Add(t, "enrolment-a", "NameSet", `{}`, monday.AddDate(0, 0, day), someone)
		}
	}
	l.Add(t, "service", "SealBegun", `{}`, old, someone)
	days(0, 10)
	l.Add(t, "login-a", "LoginFailed", `{"reason":"code"}`, future, someone)
	days(10, 20)
	l.Add(t, "service", "SealBegun", `{}`, old, someone)
	l.Add(t, "service", "SealBegun", `{}`, future, someone)
	l.Sign(t, monday.AddDate(0, 0, 20))
	for language, want := range map[string][]string{
		"en": {
			"What happened from 23 November 2026 up to and including 12 December 2026", "Everything that was recorded, per day", "<title>23 Nov: 2</title>", "<title>12 Dec: 2</title>",
			"4 more, from 1 January 1970 up to and including 23 November 2086, lie far", "One more, of 23 November 2086, lies far", `<p class="big">44</p>`,
			"Bar chart: Logins, 20 in total", "did not work <b>1</b>",
		},
		"nl": {"Wat er gebeurde van 23 november 2026 tot en met 12 december 2026", "per dag", "Nog 4, van 1 januari 1970 tot en met 23 november 2086, liggen ver", "Nog één, van 23 november 2086, ligt ver"},
	} {
		b, _ := write(t, l, bundle.Query{Language: language, Made: monday.AddDate(0, 0, 20)})
		if v := verify(t, b, proof.Options{Keys: l.Keys()}); !v.OK() || !v.First.Equal(old) || !v.Last.Equal(future) {
			t.Errorf("%+v", v)
		}
		report := read(t, b, proof.FileReport)
		for _, says := range want {
			if !strings.Contains(report, says) {
				t.Errorf("%s: the report does not say %s", language, says)
			}
		}
		if strings.Count(report, "<title>23 Nov: ")+strings.Count(report, "<title>23 nov: ") != 2 { // of events, and of logins
			t.Errorf("%s: a day is there more than once", language)
		}
	}
}

// Where all is of one moment of a clock that is wrong, and of two that lie far apart, too.
func TestTheReportOfFarTimes(t *testing.T) {
	t.Parallel()
	future := time.Date(2086, 11, 23, 9, 0, 0, 0, time.UTC)
	for want, moments := range map[string][]time.Time{
		"What happened on 23 November 2086": {future, future},
		"per year":                          {time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)},
		"per month":                         {monday.AddDate(-3, 0, 0), monday},
	} {
		l := bundletest.New(t, 1)
		for _, at := range moments {
			l.Add(t, "service", "SealBegun", `{}`, at, someone)
		}
		l.Sign(t, monday)
		b, _ := write(t, l, bundle.Query{Language: "en"})
		if report := read(t, b, proof.FileReport); !strings.Contains(report, want) || strings.Contains(report, "lies far") {
			t.Errorf("the report does not say %s, or that something lies far away", want)
		}
	}
}

// A million events are not in memory at once: what is allocated and kept does not
// grow with them.
func TestALargeBundleIsAStream(t *testing.T) {
	t.Parallel()
	l := bundletest.New(t, 1)
	for i := range 20_000 {
		l.Seal(t, domain.Recorded{
			Message:  domain.Message{ID: domain.EventID{byte(i), byte(i >> 8)}, Type: "NameSet", Data: fmt.Appendf(nil, `{"n":%d}`, i), Metadata: []byte(`{"policy":"2026-1"}`)},
			Stream:   "enrolment-a",
			Revision: domain.Revision(i), Position: domain.Position(2*i + 2), Recorded: monday.Add(time.Duration(i) * time.Second),
		})
	}
	l.Sign(t, monday)
	var out bytes.Buffer
	steps := []int64{}
	made, err := bundle.Write(t.Context(), &out, bundle.Source{Log: l, Seal: l}, bundle.Query{}, func(done, total int64) {
		if total != 20_000 {
			t.Errorf("of %d", total)
		}
		steps = append(steps, done)
	})
	if err != nil || made.Events != 20_000 || len(steps) < 10 || !slices.IsSorted(steps) {
		t.Fatalf("%+v, %v, %v", made, steps, err)
	}
	if v := verify(t, out.Bytes(), proof.Options{Keys: l.Keys()}); !v.OK() {
		t.Errorf("%+v", v)
	}
}

// What cannot be written any more ends the export, and nothing hangs.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	l := filled(t, 60)
	var whole counter
	src, q := bundle.Source{Log: l, Seal: l}, bundle.Query{}
	if _, err := bundle.Write(t.Context(), &whole, src, q, nil); err != nil {
		t.Fatal(err)
	}
	for left := int64(0); left < whole.n; left += 1 + whole.n/17 {
		if _, err := bundle.Write(t.Context(), &counter{left: left, full: true}, src, q, nil); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", left, err)
		}
	}
}

var errFull = errors.New("no space left")

// A counter takes bytes, until it is full.
type counter struct {
	n, left int64
	full    bool
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	if c.full && c.n > c.left {
		return 0, errFull
	}
	return len(b), nil
}
