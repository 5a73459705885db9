package audit

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/history"
)

// tapeWords write what the page shows.
type tapeWords struct{ office.Words }

// long writes a moment in full: dinsdag 17 november 2026, 14:32:08.
func (w tapeWords) long(t time.Time) string {
	t = t.In(time.Local)
	day := w.T("office-weekday-" + strconv.Itoa(int(t.Weekday())))
	if w.Lang() == i18n.Dutch {
		day = strings.ToLower(day)
	}
	return w.T("tape-when-long", i18n.Args{
		"Weekday": day, "D": t.Day(), "Month": w.T("office-month-" + strconv.Itoa(int(t.Month()))), "Y": t.Year(), "Time": t.Format(time.TimeOnly),
	})
}

// short writes a day, as under an axis: 17 nov. Of another year it has that, too.
func (w tapeWords) short(t time.Time, year bool) string {
	t = t.In(time.Local)
	args := i18n.Args{"D": t.Day(), "Month": w.T("tape-month-" + strconv.Itoa(int(t.Month()))), "Y": t.Year()}
	if year {
		return w.T("tape-when-short-year", args)
	}
	return w.T("tape-when-short", args)
}

// seconds writes when something was to the second: the time alone on the day of another.
func (w tapeWords) seconds(t, by time.Time) string {
	t, by = t.In(time.Local), by.In(time.Local)
	clock := t.Format(time.TimeOnly)
	if sameDay(t, by) {
		return clock
	}
	return w.short(t, t.Year() != by.Year()) + " " + clock
}

// minute writes when something was: 17 nov 14:30.
func (w tapeWords) minute(t time.Time) string {
	return w.short(t, t.In(time.Local).Year() != w.Now().In(time.Local).Year()) + " " + w.Hour(t)
}

// refusal tells why something was refused.
func (w tapeWords) refusal(err error) string {
	code := desk.Unavailable
	if r, ok := errors.AsType[*desk.Refusal](err); ok {
		code = r.Code
	}
	args := w.Args()
	args["Wait"] = ""
	if id := "refusal-" + string(code); w.Has(id) {
		return w.T(id, args)
	}
	return w.T("refusal-"+string(desk.Unavailable), args)
}

// kind is the short name of a kind of event.
func (w tapeWords) kind(t string) string {
	if id := "tape-type-" + t; w.Has(id) {
		return w.T(id)
	}
	return t
}

// event tells in a few words what happened, and in a sentence.
func (w tapeWords) event(r *desk.EventRow) string { return w.kind(r.Type) }

func (w tapeWords) sentence(r *desk.EventRow) string {
	if r.Message == "" {
		return w.kind(r.Type)
	}
	return w.Sentence(r.Message, r.Params)
}

// whom names the person that an event is about.
func (w tapeWords) whom(r *desk.EventRow) string {
	switch {
	case r.Subject.IsZero():
		return "–"
	case r.Name == "":
		return w.T("tape-no-name", i18n.Args{"ID": r.Subject.String()[:8]})
	}
	return r.Name
}

// who names who did something, and where.
func (w tapeWords) who(r *desk.EventRow) string {
	at := r.Station
	switch r.Actor.Kind {
	case domain.ActorStaff:
		if r.Actor.ID == domain.Console().ID {
			return office.Joined(w.T("tape-who-console"), at)
		}
		name := r.ActorName
		if name == "" {
			name = w.T("tape-who-staff")
		}
		return office.Joined(name, at)
	case domain.ActorService:
		return office.Joined(w.service(r.Actor.ID), at)
	case domain.ActorPerson:
		if at == "" {
			return w.T("tape-who-person")
		}
	case domain.ActorStation:
	}
	return at
}

// whoInFull is who with room for more: that the person was it themselves at a station, too.
func (w tapeWords) whoInFull(r *desk.EventRow) string {
	if r.Actor.Kind == domain.ActorPerson {
		return office.Joined(w.T("tape-who-person"), r.Station)
	}
	return w.who(r)
}

// service names Keydesk itself, the phone that pairs, or a client of its API.
func (w tapeWords) service(id string) string {
	switch id {
	case "", "keydesk":
		return w.T("tape-who-keydesk")
	case "phone":
		return w.T("tape-who-phone", w.Args())
	}
	return w.T("tape-who-client", i18n.Args{"Client": id})
}

// actor names one of the actors to filter by.
func (w tapeWords) actor(f desk.Facet) string {
	switch {
	case f.Name != "":
		return f.Name
	case f.Value == domain.Console().ID:
		return w.T("tape-who-console")
	case f.Kind == domain.ActorService, f.Value == "keydesk", f.Value == "phone":
		return w.service(f.Value)
	case f.Value == desk.Themselves:
		return w.T("tape-who-themselves")
	}
	if _, err := domain.ParseSubjectID(f.Value); err == nil {
		return w.T("tape-no-name", i18n.Args{"ID": f.Value[:8]})
	}
	return f.Value
}

// step names where somebody stands.
func (w tapeWords) step(s desk.PersonState) string {
	switch {
	case s.Step == history.Unclear:
		return w.T("tape-step-unclear")
	case s.Step <= 0:
		return w.T("tape-step-none")
	case s.Step == enrolment.StepDone:
		return w.T("tape-step-done")
	}
	return w.T("tape-step", i18n.Args{"N": int(s.Step)})
}

// ends shortens a hash to its begin and its end.
func ends(s string) string {
	if len(s) < 24 {
		return s
	}
	return s[:4] + " " + s[4:8] + " … " + s[len(s)-8:len(s)-4] + " " + s[len(s)-4:]
}

// sign is how an event looks: what came of it decides the colour, what it is about the
// sign. That it is not what was sealed goes before all.
func sign(r *desk.EventRow) (ui.Icon, fyne.ThemeColorName) {
	if r.Altered {
		return ui.IconWarning, theme.ColorNameError
	}
	switch r.Outcome {
	case history.Failed:
		return ui.IconExclamation, theme.ColorNameError
	case history.Refused:
		return ui.IconCross, theme.ColorNameWarning
	case history.Puzzling:
		return ui.IconQuestion, theme.ColorNameWarning
	case history.Progress, history.Note:
	}
	ink := ui.ColorMuted
	if r.Outcome == history.Progress {
		ink = theme.ColorNameSuccess
	}
	for _, s := range signs {
		if strings.Contains(r.Type, s.part) {
			return s.icon, ink
		}
	}
	if r.Outcome == history.Progress {
		return ui.IconCheck, ink
	}
	return ui.IconInfo, ink
}

// signs are what events are about, by a part of their name; the first that fits counts.
var signs = []struct {
	part string
	icon ui.Icon
}{
	{"Erased", ui.IconTrash},
	{"Password", ui.IconLock},
	{"Frozen", ui.IconLock},
	{"Locked", ui.IconLock},
	{"Unlocked", ui.IconLock},
	{"Phone", ui.IconPencil},
	{"Name", ui.IconPencil},
	{"Language", ui.IconPencil},
	{"CodeSent", ui.IconMail},
	{"CodeIssued", ui.IconMail},
	{"Confirmed", ui.IconCheck},
	{"Pairing", ui.IconQR},
	{"Pocket", ui.IconPhone},
	{"Factor", ui.IconPhone},
	{"Login", ui.IconKey},
	{"EnrolmentStarted", ui.IconKiosk},
	{"Station", ui.IconKiosk},
	{"Staff", ui.IconPerson},
	{"Role", ui.IconPerson},
	{"Recovery", ui.IconShieldCheck},
	{"Ticket", ui.IconList},
	{"Invitation", ui.IconMail},
	{"DataShown", ui.IconEye},
	{"Search", ui.IconSearch},
	{"Export", ui.IconDownload},
	{"Seal", ui.IconShieldCheck},
	{"Key", ui.IconKey},
	{"Client", ui.IconKey},
	{"HelpCode", ui.IconQuestion},
	{"Pruned", ui.IconTrash},
}

// zoneName returns the name of the machine's time zone, as days and hours are those of
// it; empty where it cannot be found out, which is UTC.
func zoneName() string {
	name := time.Local.String()
	if name == "Local" {
		name = os.Getenv("TZ")
	}
	if name == "" {
		if at, err := os.Readlink("/etc/localtime"); err == nil {
			_, name, _ = strings.Cut(at, "zoneinfo/")
		}
	}
	name = strings.TrimPrefix(name, ":")
	if z, err := time.LoadLocation(name); err != nil || z.String() == "UTC" {
		return ""
	}
	return name
}
