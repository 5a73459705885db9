package bundle

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/timeline"
)

// figures are what the report shows, counted while the events are written. They
// grow with the days, the stations and the staff of a bundle, never with its
// events.
type figures struct {
	zone  *time.Location
	tally proof.Tally
	line  *timeline.Line // of the hours, to tell which days a wrong clock has made

	days     map[int64]*day // by the number of the local day since 1970
	hours    [7][24]int64   // by local weekday, from Monday, and hour
	types    map[string]int64
	acts     map[domain.Role]*[areas]int64
	stations map[string]*place
	staff    map[string]*member
	funnel   [steps]int64
	failed   map[string]int64 // logins, by reason
	unsent   map[string]int64 // messages, by reason
}

// A day is what one day, week or month saw.
type day struct {
	events, begun, sms, pocket, in, refused int64
}

func (d *day) plus(o day) {
	d.events += o.events
	d.begun += o.begun
	d.sms += o.sms
	d.pocket += o.pocket
	d.in += o.in
	d.refused += o.refused
}

// The areas of the log, by the kind of stream.
const (
	areaEnrolment = iota
	areaLogin
	areaAccess
	areaStaff
	areaStation
	areaOther
	areas
)

// areaIDs name the areas in messages.
var areaIDs = [areas]string{"enrolment", "login", "access", "staff", "station", "other"}

func areaOf(stream string) int {
	for i, prefix := range []string{domain.EnrolmentPrefix, domain.LoginPrefix, domain.AccessPrefix, domain.StaffPrefix, domain.StationPrefix} {
		if strings.HasPrefix(stream, prefix) {
			return i
		}
	}
	return areaOther
}

// The steps of an enrolment that the report counts.
const (
	stepStarted = iota
	stepEmail
	stepPassword
	stepPhone
	stepFactor
	steps
)

// A place is a station; a member is one of the staff.
type (
	place struct {
		events      int64
		first, last time.Time
	}
	member struct {
		role                   domain.Role
		acts                   int64
		shown, searched, taken int64
	}
)

// bound keeps what is counted by a name from growing without end: names that
// come after so many are left out.
const bound = 5000

func newFigures(zone *time.Location) *figures {
	return &figures{
		zone: zone, line: timeline.New(), days: map[int64]*day{}, types: map[string]int64{}, acts: map[domain.Role]*[areas]int64{},
		stations: map[string]*place{}, staff: map[string]*member{}, failed: map[string]int64{}, unsent: map[string]int64{},
	}
}

// at returns what a map holds under a name, and makes it where there is room.
func at[K comparable, V any](m map[K]*V, k K) *V {
	v := m[k]
	if v == nil {
		v = new(V)
		if len(m) < bound {
			m[k] = v
		}
	}
	return v
}

// count adds one to what is counted under a name.
func count(m map[string]int64, name string) {
	if _, known := m[name]; known || len(m) < bound {
		m[name]++
	}
}

// add counts one line.
func (f *figures) add(l *proof.Line, meta *domain.Metadata) {
	f.tally.Add(l)
	if l.Expired || l.Checkpoint != "" {
		return
	}
	e := &l.Event
	f.line.Apply([]domain.Recorded{{Position: domain.Position(e.Position), Stream: e.Stream, Recorded: e.Time}}, 0)
	local := e.Time.In(f.zone)
	d := at(f.days, f.dayOf(e.Time))
	d.events++
	f.hours[(local.Weekday()+6)%7][local.Hour()]++
	count(f.types, e.Type)
	area := areaOf(e.Stream)
	if meta.Actor.Role != "" {
		at(f.acts, meta.Actor.Role)[area]++
	}
	if meta.Station != "" {
		p := at(f.stations, meta.Station)
		if p.events++; p.first.IsZero() {
			p.first = e.Time
		}
		p.last = e.Time
	}
	if meta.Actor.Kind == domain.ActorStaff {
		m := at(f.staff, meta.Actor.ID)
		m.role = meta.Actor.Role
		m.add(e.Type)
	}
	f.outcome(e.Type, l.Data, area, d)
}

func (m *member) add(typ string) {
	switch typ {
	case "DataShown":
		m.shown++
	case "SearchMade":
		m.searched++
	case "ExportMade":
		m.taken++
	default:
		m.acts++
	}
}

// outcome counts what an event says.
func (f *figures) outcome(typ string, data []byte, area int, d *day) {
	switch typ {
	case "EnrolmentStarted":
		d.begun++
		f.funnel[stepStarted]++
	case "EmailConfirmed":
		f.funnel[stepEmail]++
	case "PasswordSet":
		if said(data).Reason == "enrolment" {
			f.funnel[stepPassword]++
		}
	case "PhoneVerified":
		f.funnel[stepPhone]++
	case "FactorChosen":
		f.chosen(said(data), d)
	case "LoginSucceeded":
		d.in++
	case "LoginFailed":
		d.refused++
		count(f.failed, said(data).Reason)
	case "CodeUndeliverable":
		if area == areaEnrolment || area == areaLogin {
			count(f.unsent, said(data).Reason)
		}
	}
}

func (f *figures) chosen(w words, d *day) {
	if w.Reason != "enrolment" {
		return
	}
	f.funnel[stepFactor]++
	if w.Factor == "pocket" {
		d.pocket++
	} else {
		d.sms++
	}
}

// words are the closed codes of an event that the report counts.
type words struct {
	Factor string `json:"factor"`
	Reason string `json:"reason"`
}

// said reads them; what is not readable is counted under no name.
func said(data []byte) (w words) {
	if err := json.Unmarshal(data, &w); err != nil {
		return words{}
	}
	return w
}

// A span is a run of days that one bar stands for.
type span struct {
	from time.Time // its first day, at midnight UTC
	day
}

// usual returns the days between which nearly all lies, now being known, as the window's
// histogram has it; and the others, which few events have, far from all the rest, as a wrong
// clock has it. false: nothing was recorded.
func (f *figures) usual(now time.Time) (first, last time.Time, aside []span, ok bool) {
	begin, end, _ := f.line.Reach(now)
	low, high := f.dayOf(begin.Add(-timeline.FarAhead)), f.dayOf(end.Add(timeline.FarAhead))
	for _, n := range slices.Sorted(maps.Keys(f.days)) {
		switch at := date(n); {
		case n < low || n > high:
			aside = append(aside, span{at, *f.days[n]})
		case !ok:
			first, last, ok = at, at, true
		default:
			last = at
		}
	}
	return first, last, aside, ok
}

// spans returns the days from one to another in order without gaps, or weeks, months or
// years where there are too many of them.
func (f *figures) spans(first, last time.Time, most int) (all []span, unit string) {
	unit, begin, next := "day", func(t time.Time) time.Time { return t }, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	days := int(last.Sub(first).Hours()/24) + 1
	switch {
	case days > 3*31*most:
		unit = "year"
		begin = func(t time.Time) time.Time { return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC) }
		next = func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }
	case days > 7*most:
		unit = "month"
		begin = func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }
		next = func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }
	case days > most:
		unit = "week"
		begin = func(t time.Time) time.Time { return t.AddDate(0, 0, -int((t.Weekday()+6)%7)) }
		next = func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }
	}
	for t := begin(first); !t.After(last); t = next(t) {
		all = append(all, span{from: t})
	}
	i := 0
	for _, n := range slices.Sorted(maps.Keys(f.days)) {
		t := date(n)
		if t.Before(first) || t.After(last) {
			continue
		}
		for i+1 < len(all) && !t.Before(all[i+1].from) {
			i++
		}
		all[i].plus(*f.days[n])
	}
	return all, unit
}

// dayOf returns the number of a moment's local day since 1970, before that too.
func (f *figures) dayOf(t time.Time) int64 {
	local := t.In(f.zone)
	_, offset := local.Zone()
	seconds := local.Unix() + int64(offset)
	n := seconds / (24 * 60 * 60)
	if seconds%(24*60*60) < 0 {
		n--
	}
	return n
}

// date returns the day of a number since 1970, at midnight UTC.
func date(n int64) time.Time { return time.Unix(n*24*60*60, 0).UTC() }

// A counted is a name and how often it came.
type counted struct {
	name string
	n    int64
}

// most returns what was counted, the most frequent first.
func most(m map[string]int64) (all []counted) {
	for name, n := range m {
		all = append(all, counted{name, n})
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	return all
}
