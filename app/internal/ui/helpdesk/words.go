package helpdesk

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/domain"
)

// Words write what the pages show in one language, at one clock.
type words struct {
	*i18n.Printer

	now   func() time.Time
	names i18n.Args // what this installation calls itself
}

func newWords(a around) words { return words{a.printer(), a.clock, a.names()} }

// args are the values that every sentence may name.
func (w words) args() i18n.Args {
	all := i18n.Args{}
	maps.Copy(all, w.names)
	return all
}

// phrase puts something of desk in words.
func (w words) phrase(p desk.Phrase) string {
	if p.ID == "" {
		return ""
	}
	args := w.args()
	for name, value := range p.Params {
		args[name] = w.param(name, value)
	}
	if n, err := strconv.Atoi(p.Params["N"]); err == nil {
		return w.N(p.ID, n, args)
	}
	return w.T(p.ID, args)
}

// param writes times and days as people do.
func (w words) param(name, value string) string {
	switch name {
	case "At", "Until":
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return w.moment(t)
		}
	case "Day":
		return w.day(value)
	}
	return value
}

// clock writes the time of the day.
func (w words) clock(t time.Time) string { return t.In(time.Local).Format("15:04") }

// moment writes when something was: the time alone where it was today.
func (w words) moment(t time.Time) string {
	if t.IsZero() {
		return w.T("helpdesk-when-never")
	}
	local, now := t.In(time.Local), w.now().In(time.Local)
	args := i18n.Args{"Time": w.clock(t)}
	switch local.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return args["Time"].(string)
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return w.T("helpdesk-when-yesterday", args)
	}
	args["Day"] = w.date(local)
	return w.T("helpdesk-when-day", args)
}

// date writes a day of a time, with its year where that is another one.
func (w words) date(t time.Time) string {
	args := i18n.Args{"D": t.Day(), "Month": w.T("helpdesk-month-" + strconv.Itoa(int(t.Month()))), "Y": t.Year()}
	if t.Year() != w.now().In(time.Local).Year() {
		return w.T("helpdesk-when-date-year", args)
	}
	return w.T("helpdesk-when-date", args)
}

// weekday writes a day with its name: Maandag 23 november.
func (w words) weekday(t time.Time) string {
	return w.T("helpdesk-when-weekday", i18n.Args{"Weekday": w.T("helpdesk-weekday-" + strconv.Itoa(int(t.Weekday()))), "Date": w.date(t)})
}

// day writes a day that is written as 2026-12-01.
func (w words) day(s string) string {
	t, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		return s
	}
	return w.date(t)
}

// lasts writes how long something has been so, as roughly as people do.
func (w words) lasts(d time.Duration) string {
	switch {
	case d < time.Minute:
		return w.T("helpdesk-lasts-now")
	case d < time.Hour:
		return w.N("helpdesk-lasts-minutes", int(d/time.Minute))
	case d < 24*time.Hour:
		return w.N("helpdesk-lasts-hours", int(d/time.Hour))
	}
	return w.N("helpdesk-lasts-days", int(d/(24*time.Hour)))
}

// helpCode writes a help code as kiosks show it: K7 204.
func (w words) helpCode(code string) string {
	if len(code) > 2 {
		code = code[:2] + " " + code[2:]
	}
	return w.T("helpdesk-help-code", i18n.Args{"Code": code})
}

// at says at which station.
func (w words) at(station string) string {
	return w.T("helpdesk-at", i18n.Args{"Station": station})
}

// joined puts what there is of some words beside each other.
func joined(all ...string) string {
	var some []string
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return strings.Join(some, " · ")
}

// entry tells what happened.
func (w words) entry(e *desk.TimelineEntry) string {
	args := w.args()
	for name, value := range e.Params {
		args[name] = w.param(name, value)
	}
	return w.T(e.Message, args)
}

// who says who did it, and where.
func (w words) who(e *desk.TimelineEntry) string {
	at := ""
	if e.Station != "" {
		at = w.at(e.Station)
	}
	switch e.Actor.Kind {
	case domain.ActorPerson:
		if at != "" {
			return at
		}
		return w.T("helpdesk-who-person")
	case domain.ActorStaff:
		return joined(w.T("helpdesk-who-staff"), at)
	case domain.ActorStation:
		return at
	case domain.ActorService:
		return w.T("helpdesk-who-service")
	}
	return at
}

// refusal tells why something was refused, and what to do.
func (w words) refusal(err error) string {
	code, args := desk.Unavailable, w.args()
	if r, ok := errors.AsType[*desk.Refusal](err); ok {
		code = r.Code
		args["Incident"] = r.Incident
	}
	if id := "helpdesk-refusal-" + string(code); w.Has(id) {
		return w.T(id, args)
	}
	return w.T("helpdesk-refusal-other", args)
}
