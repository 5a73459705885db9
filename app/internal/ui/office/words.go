package office

import (
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
)

// Words write what the pages show in one language, at one clock. All times are those of
// the machine's own zone.
type Words struct {
	*i18n.Printer

	now   func() time.Time
	names i18n.Args // what this installation calls itself
}

// NewWords returns the words of a page as it is built.
func NewWords(a Around) Words { return Words{a.Printer(), a.Clock, a.Names()} }

// Args returns the values that every sentence may name, for more to be added.
func (w Words) Args() i18n.Args {
	all := i18n.Args{}
	maps.Copy(all, w.names)
	return all
}

// Now returns the time of now.
func (w Words) Now() time.Time { return w.now() }

// Hour writes the time of the day: 14:32.
func (w Words) Hour(t time.Time) string { return t.In(time.Local).Format("15:04") }

// Moment writes when something was: the time alone where it was today.
func (w Words) Moment(t time.Time) string {
	if t.IsZero() {
		return w.T("office-when-never")
	}
	local, now := t.In(time.Local), w.now().In(time.Local)
	args := i18n.Args{"Time": w.Hour(t)}
	switch local.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return args["Time"].(string)
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return w.T("office-when-yesterday", args)
	}
	args["Day"] = w.Date(local)
	return w.T("office-when-day", args)
}

// Date writes a day of a time, with its year where that is another one.
func (w Words) Date(t time.Time) string {
	args := i18n.Args{"D": t.Day(), "Month": w.T("office-month-" + strconv.Itoa(int(t.Month()))), "Y": t.Year()}
	if t.Year() != w.now().In(time.Local).Year() {
		return w.T("office-when-date-year", args)
	}
	return w.T("office-when-date", args)
}

// Weekday writes a day with its name: Maandag 23 november.
func (w Words) Weekday(t time.Time) string {
	return w.T("office-when-weekday", i18n.Args{"Weekday": w.T("office-weekday-" + strconv.Itoa(int(t.Weekday()))), "Date": w.Date(t)})
}

// Day writes a day that is written as 2026-12-01.
func (w Words) Day(s string) string {
	t, err := time.ParseInLocation(time.DateOnly, s, time.Local)
	if err != nil {
		return s
	}
	return w.Date(t)
}

// Lasts writes how long something has been so, as roughly as people do.
func (w Words) Lasts(d time.Duration) string {
	switch {
	case d < time.Minute:
		return w.T("office-lasts-now")
	case d < time.Hour:
		return w.N("office-lasts-minutes", int(d/time.Minute))
	case d < 24*time.Hour:
		return w.N("office-lasts-hours", int(d/time.Hour))
	}
	return w.N("office-lasts-days", int(d/(24*time.Hour)))
}

// param writes a value of a sentence: times and days as people do.
func (w Words) param(name, value string) string {
	switch name {
	case "At", "Until":
		if t, err := time.Parse(time.RFC3339, value); err == nil {
			return w.Moment(t)
		}
	case "Day":
		return w.Day(value)
	}
	return value
}

// Phrase puts something of desk in words.
func (w Words) Phrase(p desk.Phrase) string {
	if p.ID == "" {
		return ""
	}
	if n, err := strconv.Atoi(p.Params["N"]); err == nil {
		return w.N(p.ID, n, w.with(p.Params))
	}
	return w.T(p.ID, w.with(p.Params))
}

// Sentence tells something that happened, in a message of the history.
func (w Words) Sentence(id string, params map[string]string) string { return w.T(id, w.with(params)) }

// with are the values of a sentence.
func (w Words) with(params map[string]string) i18n.Args {
	args := w.Args()
	for name, value := range params {
		args[name] = w.param(name, value)
	}
	return args
}

// Refusal tells why something was refused, and what to do: the message prefix-code where
// there is one, prefix-other for the rest.
func (w Words) Refusal(prefix string, err error) string {
	code, args := desk.Unavailable, w.Args()
	if r, ok := errors.AsType[*desk.Refusal](err); ok {
		code = r.Code
		args["Incident"] = r.Incident
	}
	if id := prefix + "-" + string(code); w.Has(id) {
		return w.T(id, args)
	}
	return w.T(prefix+"-other", args)
}

// Joined puts what there is of some words beside each other.
func Joined(all ...string) string {
	var some []string
	for _, s := range all {
		if s != "" {
			some = append(some, s)
		}
	}
	return strings.Join(some, " · ")
}
