package bundle

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/assets"
	"github.com/keydesk/keydesk/domain"
)

var (
	//go:embed report.html.tmpl
	reportHTML string
	//go:embed report.css
	reportCSS string
)

// page is the template of the report, and style what it looks like with the
// fonts in it: a report shows the same everywhere, and asks nobody for anything.
var (
	page  = sync.OnceValue(func() *template.Template { return template.Must(template.New("report").Parse(reportHTML)) })
	style = sync.OnceValue(func() template.CSS {
		var b strings.Builder
		for _, f := range []struct{ family, weight, file string }{
			{"Atkinson Hyperlegible Next", "400", "AtkinsonHyperlegibleNext_400Regular.ttf"},
			{"Atkinson Hyperlegible Next", "600", "AtkinsonHyperlegibleNext_600SemiBold.ttf"},
			{"Atkinson Hyperlegible Mono", "400", "AtkinsonHyperlegibleMono_400Regular.ttf"},
		} {
			font, err := assets.Fonts.ReadFile("fonts/" + f.file)
			if err != nil {
				panic(err) // they are part of the program
			}
			fmt.Fprintf(&b, "@font-face{font-family:%q;font-weight:%s;src:url(data:font/ttf;base64,%s)}\n", f.family, f.weight, base64.StdEncoding.EncodeToString(font))
		}
		return template.CSS(b.String() + reportCSS) //nolint:gosec // both are part of the program
	})
)

// The report as the template sees it.
type (
	view struct {
		Lang, Title, Label, Lead, Made, Name, Foot string
		Style                                      template.CSS
		Tiles                                      []tile
		Proof                                      proofView
		Events, Enrolments, Logins                 figure
		Funnel, Why, Who                           list
		Week                                       week
		Access, Kinds, Places, Policies            grid
		Limits                                     []string
		LimitsTitle                                string
	}
	tile      struct{ Class, Name, Number, Note string }
	proofView struct {
		Title, Text, Command, Key string
		Facts                     []fact
	}
	fact   struct{ Name, Value, Note string } // Value is shown in the font of numbers
	figure struct {
		Title, Text, Aside string
		Legend             []legend
		Chart              chart
	}
	legend struct{ Class, Name, Number string }
	list   struct {
		Title, Text, None string
		Legend            []legend
		Rows              []row
	}
	week struct {
		Title, Text string
		Days        []mark
		Hours       []mark
		Cells       []cell
	}
	grid struct {
		Title, Text, None, More string
		Columns                 []column
		Rows                    [][]value
	}
	column struct {
		Name   string
		Number bool
	}
	value struct {
		Text, Code string
		Number     bool
		Share      float64 // of the widest, 0 to 100; drawn where it is not 0
	}
)

// A writer puts the figures in words.
type writer struct {
	*i18n.Printer
	b               *builder
	f               *figures
	months, monthsS []string
}

// longest is how many bars a chart over time has, and shown how many rows a table.
const (
	longest = 62
	shown   = 40
)

// report draws the report.
func (b *builder) report(f *figures) ([]byte, error) {
	w := &writer{Printer: b.words, b: b, f: f}
	w.months, w.monthsS = strings.Fields(w.T("report-months")), strings.Fields(w.T("report-months-short"))
	over := w.charts()
	v := view{
		Lang: w.Lang(), Title: w.T("report-title"), Label: w.T("report-label"), Name: b.q.Name, Style: style(),
		Lead: w.lead(), Foot: w.T("report-foot", i18n.Args{"Origin": b.held.Origin}),
		Made:  w.T("report-made", i18n.Args{"At": w.moment(b.made.Made), "Version": b.made.Version, "Zone": zoneName(b.q.Zone, b.made.Made)}),
		Tiles: w.tiles(), Proof: w.proof(), Events: w.events(over), Enrolments: w.enrolments(over), Logins: w.logins(over),
		Funnel: w.funnel(), Why: w.why(), Who: w.who(), Week: w.week(),
		Access: w.access(), Kinds: w.kinds(), Places: w.places(), Policies: w.policies(),
		LimitsTitle: w.T("report-limits"), Limits: []string{w.T("report-limit-whole"), w.T("report-limit-names"), w.T("report-limit-interval")},
	}
	if f.tally.Expired > 0 {
		v.Limits = append(v.Limits, w.T("report-limit-expired"))
	}
	var out bytes.Buffer
	if err := page().Execute(&out, v); err != nil {
		return nil, fmt.Errorf("draw the report: %w", err)
	}
	return out.Bytes(), nil
}

// zoneName names a time zone. The machine's own has no name but the one of its time.
func zoneName(zone *time.Location, at time.Time) string {
	if zone == time.Local {
		return at.In(zone).Format("MST (UTC-07:00)")
	}
	return zone.String()
}

// number writes a number with a sign between thousands.
func (w *writer) number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + w.T("report-thousands") + s[i:]
	}
	return s
}

func (w *writer) date(t time.Time) string { return w.day(t.In(w.b.q.Zone)) }

// day writes the day of a time as it stands.
func (w *writer) day(t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), w.months[t.Month()-1], t.Year())
}

// short writes a moment for a column.
func (w *writer) short(t time.Time) string {
	t = t.In(w.b.q.Zone)
	return fmt.Sprintf("%d %s %d, %s", t.Day(), w.monthsS[t.Month()-1], t.Year(), t.Format("15:04"))
}

func (w *writer) moment(t time.Time) string { return w.date(t) + t.In(w.b.q.Zone).Format(", 15:04") }

// tick writes the day, week, month or year that a bar is of.
func (w *writer) tick(unit string) func(time.Time) string {
	return func(t time.Time) string {
		switch unit {
		case "year":
			return strconv.Itoa(t.Year())
		case "month":
			return fmt.Sprintf("%s %d", w.monthsS[t.Month()-1], t.Year())
		}
		return fmt.Sprintf("%d %s", t.Day(), w.monthsS[t.Month()-1])
	}
}

// lead says of which days the report is: those of the charts.
func (w *writer) lead() string {
	first, last := w.date(w.f.tally.First), w.date(w.f.tally.Last)
	if from, to, _, ok := w.f.usual(w.now()); ok {
		first, last = w.day(from), w.day(to)
	}
	if first == last {
		return w.T("report-lead-day", i18n.Args{"From": first})
	}
	return w.T("report-lead", i18n.Args{"From": first, "To": last})
}

// total adds up what all days saw.
func (f *figures) total() (all day) {
	for _, d := range f.days {
		all.plus(*d)
	}
	return all
}

func (w *writer) tiles() []tile {
	t := w.f.total()
	looks := int64(0)
	for _, m := range w.f.staff {
		looks += m.shown
	}
	note := ""
	if n := w.f.tally.Expired; n > 0 {
		note = w.T("report-tile-expired", i18n.Args{"N": w.number(n)})
	}
	return []tile{
		{"events", w.T("report-tile-events"), w.number(w.b.made.To - w.b.made.From), note},
		{"begun", w.T("report-tile-begun"), w.number(t.begun), ""},
		{"done", w.T("report-tile-done"), w.number(t.sms + t.pocket), ""},
		{"in", w.T("report-tile-in"), w.number(t.in), ""},
		{"refused", w.T("report-tile-refused"), w.number(t.refused), ""},
		{"shown", w.T("report-tile-shown"), w.number(looks), ""},
	}
}

func (w *writer) proof() proofView {
	m, c := w.b.made, w.b.held
	names := make([]string, 0, len(c.Witnesses))
	for _, x := range c.Witnesses {
		names = append(names, x.Name)
	}
	witnesses := fact{Name: w.T("report-witnesses"), Value: strings.Join(names, ", ")}
	if len(names) == 0 {
		witnesses = fact{Name: witnesses.Name, Note: w.T("report-no-witnesses")}
	}
	key := ""
	for _, k := range w.b.src.Seal.Keys() {
		if name, _, _ := strings.Cut(k, "+"); name == c.Origin {
			key = k
		}
	}
	return proofView{
		Title: w.T("report-proof"), Text: w.T("report-proof-text"), Key: w.T("report-proof-key"),
		Command: "keydeskd verify BUNDLE.zip --key KEY --since CHECKPOINT",
		Facts: []fact{
			{Name: w.T("report-root"), Value: c.Root.String()},
			{Name: w.T("report-checkpoint"), Note: w.T("report-checkpoint-text", i18n.Args{"Size": w.number(c.Size), "At": w.moment(c.At)})},
			{Name: w.T("report-leaves"), Note: w.T("report-leaves-text", i18n.Args{"From": w.number(m.From + 1), "To": w.number(m.To), "Size": w.number(m.Size)})},
			witnesses,
			{Name: w.T("report-earlier"), Note: w.number(int64(m.Earlier))},
			{Name: w.T("report-key"), Value: key},
		},
	}
}

// charts are what all figures of bars over time have in common.
type charts struct {
	spans []span
	unit  string
	aside []span // days that are in none of them
}

func (w *writer) charts() (c charts) {
	c.unit = "day"
	first, last, aside, ok := w.f.usual(w.now())
	if c.aside = aside; ok {
		c.spans, c.unit = w.f.spans(first, last, longest)
	}
	return c
}

// now returns the latest time that is known not to lie ahead.
func (w *writer) now() time.Time {
	if at := w.b.held.At; at.After(w.b.made.Made) {
		return at
	}
	return w.b.made.Made
}

// over makes a figure of bars over time.
func (w *writer) over(c charts, size frame, title, text string, all []series, legends []legend, total int64) figure {
	f := figure{Title: title, Text: text + ", " + w.T("report-per-"+c.unit), Legend: legends}
	beside, says := w.aside(c.aside, all)
	f.Chart, f.Aside = size.stacked(c.spans, all, w.tick(c.unit), w.number), says
	f.Chart.Label = w.T("report-chart-label", i18n.Args{"Title": title, "N": w.number(total - beside)})
	return f
}

// aside says how many of some series are on days that are not in the charts.
func (w *writer) aside(days []span, all []series) (n int64, says string) {
	var first, last time.Time
	for _, d := range days {
		before := n
		for _, s := range all {
			n += s.of(d.day)
		}
		if n > before {
			if last = d.from; before == 0 {
				first = d.from
			}
		}
	}
	id := "report-aside"
	switch {
	case n == 0:
		return 0, ""
	case n == 1:
		id = "report-aside-one"
	case first.Equal(last):
		id = "report-aside-day"
	}
	return n, w.T(id, i18n.Args{"N": w.number(n), "From": w.day(first), "To": w.day(last)})
}

// kind returns one series of a figure, and its legend.
func (w *writer) kind(class, name string, of func(day) int64, total int64) (series, legend) {
	return series{class, of, func(n int64, when string) string {
		return w.T("report-bar-kind", i18n.Args{"When": when, "N": w.number(n), "Kind": name})
	}}, legend{class, name, w.number(total)}
}

func (w *writer) events(c charts) figure {
	s := series{"main", func(d day) int64 { return d.events }, func(n int64, when string) string {
		return w.T("report-bar", i18n.Args{"When": when, "N": w.number(n)})
	}}
	return w.over(c, wide, w.T("report-events"), w.T("report-events-text"), []series{s}, nil, w.f.tally.Events)
}

func (w *writer) enrolments(c charts) figure {
	t := w.f.total()
	pocket, pocketName := w.kind("main", w.T("report-pocket"), func(d day) int64 { return d.pocket }, t.pocket)
	sms, smsName := w.kind("soft", w.T("report-sms"), func(d day) int64 { return d.sms }, t.sms)
	return w.over(c, half, w.T("report-enrolments"), w.T("report-enrolments-text"), []series{pocket, sms}, []legend{pocketName, smsName}, t.sms+t.pocket)
}

func (w *writer) logins(c charts) figure {
	t := w.f.total()
	in, inName := w.kind("main", w.T("report-in"), func(d day) int64 { return d.in }, t.in)
	out, outName := w.kind("bad", w.T("report-refused"), func(d day) int64 { return d.refused }, t.refused)
	return w.over(c, half, w.T("report-logins"), w.T("report-logins-text"), []series{in, out}, []legend{inName, outName}, t.in+t.refused)
}

// one draws a list with one bar a row.
func (w *writer) one(title, text, none string, all []row, values []int64, class string) list {
	stacks := make([][]int64, len(values))
	for i, n := range values {
		stacks[i], all[i].Number = []int64{n}, w.number(n)
	}
	return list{Title: title, Text: text, None: none, Rows: rows(all, stacks, []string{class}, func(i, _ int) string {
		return all[i].Name + ": " + all[i].Number
	})}
}

func (w *writer) funnel() list {
	var all []row
	for _, step := range []string{"started", "email", "password", "phone", "factor"} {
		all = append(all, row{Name: w.T("report-funnel-" + step)})
	}
	return w.one(w.T("report-funnel"), w.T("report-funnel-text"), "", all, w.f.funnel[:], "main")
}

func (w *writer) why() list {
	var all []row
	var values []int64
	for _, of := range []struct {
		id    string
		found map[string]int64
	}{{"report-failed-", w.f.failed}, {"report-unsent-", w.f.unsent}} {
		other := int64(0)
		for _, c := range most(of.found) {
			if id := of.id + c.name; c.name != "" && w.Has(id) {
				all, values = append(all, row{Name: w.T(id)}), append(values, c.n)
			} else {
				other += c.n
			}
		}
		if other > 0 {
			all, values = append(all, row{Name: w.T(of.id + "other")}), append(values, other)
		}
	}
	return w.one(w.T("report-why"), w.T("report-why-text"), w.T("report-why-none"), all, values, "bad")
}

func (w *writer) who() list {
	classes := []string{"main", "soft", "sun", "ink", "mid", "none"}
	l := list{Title: w.T("report-who"), Text: w.T("report-who-text")}
	var used [areas]int64
	var values [][]int64
	for _, role := range []domain.Role{domain.RoleSubject, domain.RoleUnattended, domain.RoleHelpdesk, domain.RoleApprover, domain.RoleAdmin, domain.RoleAuditor} {
		if acts := w.f.acts[role]; acts != nil {
			for i, n := range acts {
				used[i] += n
			}
			values = append(values, acts[:])
			l.Rows = append(l.Rows, row{Name: w.T("report-role-" + string(role)), Number: w.number(sum(acts[:]))})
		}
	}
	for i, n := range used {
		if n > 0 {
			l.Legend = append(l.Legend, legend{classes[i], w.T("report-area-" + areaIDs[i]), w.number(n)})
		}
	}
	l.Rows = rows(l.Rows, values, classes, func(i, j int) string {
		return l.Rows[i].Name + ", " + w.T("report-area-"+areaIDs[j]) + ": " + w.number(values[i][j])
	})
	return l
}

func (w *writer) week() week {
	names := strings.Fields(w.T("report-weekdays"))
	v := week{Title: w.T("report-when"), Text: w.T("report-when-text")}
	for i, name := range names {
		v.Days = append(v.Days, mark{At: float64(i)*22 + 15, Text: name})
	}
	for h := 0; h < 24; h += 3 {
		v.Hours = append(v.Hours, mark{At: float64(h)*20 + 9, Text: strconv.Itoa(h)})
	}
	v.Cells = w.f.week(func(weekday, hour int, n int64) string {
		return w.T("report-hour", i18n.Args{"Day": names[weekday], "Hour": hour, "N": w.number(n)})
	})
	return v
}

// cut leaves out what is too much for a table on paper, and says how much.
func (w *writer) cut(g grid) grid {
	if n := len(g.Rows) - shown; n > 0 {
		g.Rows, g.More = g.Rows[:shown], w.T("report-more", i18n.Args{"N": w.number(int64(n))})
	}
	return g
}

func (w *writer) columns(ids ...string) (all []column) {
	for _, id := range ids {
		name, number := strings.CutPrefix(id, "#")
		all = append(all, column{w.T("report-" + name), number})
	}
	return all
}

func (w *writer) access() grid {
	g := grid{
		Title: w.T("report-access"), Text: w.T("report-access-text"), None: w.T("report-access-none"),
		Columns: w.columns("access-member", "access-role", "#access-shown", "#access-searched", "#access-taken", "#access-acts"),
	}
	looks := map[string]int64{}
	for id, m := range w.f.staff {
		if n := m.shown + m.searched + m.taken; n > 0 {
			looks[id] = n
		}
	}
	for _, c := range most(looks) {
		m := w.f.staff[c.name]
		role := string(m.role)
		if id := "report-role-" + role; w.Has(id) {
			role = w.T(id)
		}
		g.Rows = append(g.Rows, []value{
			{Code: c.name},
			{Text: role},
			{Text: w.number(m.shown), Number: true},
			{Text: w.number(m.searched), Number: true},
			{Text: w.number(m.taken), Number: true},
			{Text: w.number(m.acts), Number: true},
		})
	}
	return w.cut(g)
}

func (w *writer) kinds() grid {
	g := grid{Title: w.T("report-kinds"), Columns: w.columns("kind", "#number", "share")}
	all := most(w.f.types)
	for _, c := range all {
		v := value{Text: nameOf(w.Printer, c.name), Code: c.name}
		if v.Text == v.Code {
			v.Text = ""
		}
		g.Rows = append(g.Rows, []value{v, {Text: w.number(c.n), Number: true}, {Share: share(c.n, all[0].n)}})
	}
	if len(g.Rows) > 2*shown {
		return w.cut(g)
	}
	return g
}

func share(n, of int64) float64 { return round(max(float64(n)/float64(max(of, 1))*100, 0.5)) }

func (w *writer) places() grid {
	g := grid{Title: w.T("report-places"), Columns: w.columns("place", "#number", "share", "first", "last")}
	events := map[string]int64{}
	for id, p := range w.f.stations {
		events[id] = p.events
	}
	all := most(events)
	for _, c := range all {
		p := w.f.stations[c.name]
		g.Rows = append(g.Rows, []value{
			{Code: c.name}, {Text: w.number(c.n), Number: true}, {Share: share(c.n, all[0].n)}, {Text: w.short(p.first)}, {Text: w.short(p.last)},
		})
	}
	return w.cut(g)
}

func (w *writer) policies() grid {
	g := grid{Title: w.T("report-policies"), Text: w.T("report-policies-text"), Columns: w.columns("policy", "#number", "first", "last")}
	for _, p := range slices.Backward(w.f.tally.Policies) {
		g.Rows = append(g.Rows, []value{{Code: p.Policy}, {Text: w.number(p.Events), Number: true}, {Text: w.short(p.First)}, {Text: w.short(p.Last)}})
	}
	return w.cut(g)
}
