package helpdesk

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// about returns the values of a sentence about somebody: their first name, or what they
// are called where it is not known.
func (w words) about(name string) i18n.Args {
	args := w.Args()
	first, _, _ := strings.Cut(strings.TrimSpace(name), " ")
	if first == "" {
		first = w.T("helpdesk-case-nobody")
	}
	args["Name"] = first
	return args
}

// action is what an action is called.
func (w words) action(a enrolment.Action) string { return w.T("helpdesk-action-"+string(a), w.Args()) }

// reason is why an action is asked for.
func (w words) reason(a enrolment.Action, r enrolment.CaseReason) string {
	if own := "helpdesk-case-why-" + string(a) + "-" + string(r); w.Has(own) {
		return w.T(own, w.Args())
	}
	return w.T("helpdesk-case-why-"+string(r), w.Args())
}

// erasure says what an erasure takes away for good, and what it leaves.
func (w words) erasure(name i18n.Args) fyne.CanvasObject {
	all := ui.Column(ui.SizeGap)
	for _, id := range []string{"helpdesk-erase-goes", "helpdesk-erase-stays"} {
		all.Add(ui.Column(ui.SizeSmallGap, ui.Body(ui.Bold(w.T(id))), ui.Body(ui.Plain(w.T(id+"-line", name)))))
	}
	return ui.NewCard(ui.Tinted, all)
}

// somebody is a member of staff, by name where there is one.
func (w words) somebody(name string) string {
	if name == "" {
		return w.T("helpdesk-case-staff")
	}
	return name
}

// ahead writes when something will be.
func (w words) ahead(t time.Time) string {
	local, tomorrow := t.In(time.Local), w.Now().In(time.Local).AddDate(0, 0, 1)
	if local.Format(time.DateOnly) == tomorrow.Format(time.DateOnly) {
		return w.T("helpdesk-case-tomorrow", i18n.Args{"Time": w.Hour(t)})
	}
	return w.Moment(t)
}

// evidence lists what a case stands on.
func (w words) evidence(r *desk.CaseView) string {
	if len(r.Evidence) == 0 && !r.Action.Proof() {
		return w.T("helpdesk-case-needs-none")
	}
	if len(r.Evidence) == 0 {
		return w.T("helpdesk-case-no-evidence")
	}
	all := make([]string, len(r.Evidence))
	for i, e := range r.Evidence {
		all[i] = w.T("helpdesk-case-has-"+string(e), w.Args())
	}
	return capital(strings.Join(all, ", "))
}

// capital begins a sentence.
func capital(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[n:]
}

// where says where the person was.
func (w words) where(remote bool) string {
	if remote {
		return w.T("helpdesk-case-afar")
	}
	return w.T("helpdesk-case-here")
}

// caseLine tells of a case what whoever decides has to know.
func (w words) caseLine(r *desk.CaseRow) string {
	args := w.about(r.Name)
	args["By"], args["Second"], args["Time"] = w.somebody(r.ByName), w.somebody(r.SecondName), w.Moment(r.Asked)
	args["Action"], args["Reason"] = w.action(r.Action), w.reason(r.Action, r.Reason)
	args["Evidence"], args["Where"] = w.evidence(&r.CaseView), w.where(r.Remote)
	id := "helpdesk-case-line"
	if r.Action == enrolment.Erasing { // nobody has to be there for it
		id = "helpdesk-case-line-erase"
	}
	line := w.T(id, args)
	if r.Stage == desk.CaseApproved {
		args["Until"] = w.ahead(r.NotBefore)
		return line + " " + w.T("helpdesk-case-line-approved", args)
	}
	args["Until"] = w.ahead(r.Expires)
	return line + " " + w.T("helpdesk-case-line-waiting", args)
}

// decided says what came of a case.
func (w words) decided(v desk.CaseView, name string) string {
	args := w.about(name)
	args["Until"] = w.ahead(v.NotBefore)
	switch v.Stage {
	case desk.CaseDone:
		return w.T("helpdesk-case-did-"+string(v.Action), args)
	case desk.CaseApproved:
		return w.T("helpdesk-case-now-approved", args)
	case desk.CaseDenied:
		return w.T("helpdesk-case-now-denied", args)
	case desk.CaseWaiting:
		if v.Action == enrolment.Erasing && v.Reason != enrolment.CaseRequest {
			return w.T("helpdesk-case-now-waiting-erase", args) // they are not told
		}
		return w.T("helpdesk-case-now-waiting", args)
	case desk.CaseStopped, desk.CaseExpired:
	}
	return w.T("helpdesk-case-now-over", args)
}

// left writes how long something is open yet.
func (w words) left(until time.Time) string {
	d := until.Sub(w.Now())
	if d < time.Minute {
		return w.T("helpdesk-case-left-none")
	}
	return w.Lasts(d)
}

// caseRefusal tells why something was not done, and what to do.
func (w words) caseRefusal(err error) string {
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok {
		r = &desk.Refusal{Code: desk.Unavailable}
	}
	args := w.Args()
	args["Incident"], args["Wait"] = r.Incident, w.soon(r.Wait)
	id := "helpdesk-case-refusal-" + string(r.Code)
	if !w.Has(id) {
		id = "refusal-" + string(r.Code)
	}
	if r.Left > 0 {
		return w.N(id, r.Left, args)
	}
	return w.T(id, args)
}

// ticketRefusal is caseRefusal of what belongs to two people only.
func (w words) ticketRefusal(err error) string {
	if r, ok := errors.AsType[*desk.Refusal](err); ok && r.Code == desk.NoCase {
		return w.T("helpdesk-ticket-not-yours")
	}
	return w.caseRefusal(err)
}

// soon writes for how long somebody has to wait.
func (w words) soon(d time.Duration) string {
	if s := ui.Seconds(d); s < 90 {
		return w.N("kiosk-seconds", max(1, s))
	}
	return w.N("kiosk-minutes", int((d+time.Minute-1)/time.Minute))
}

// spelled writes a ticket to be read aloud, a word for each letter.
func (w words) spelled(ticket string) string {
	alphabet := strings.Fields(w.T("helpdesk-ticket-alphabet"))
	var all []string
	for _, r := range ticket {
		switch {
		case r >= 'A' && r <= 'Z' && int(r-'A') < len(alphabet):
			all = append(all, alphabet[r-'A'])
		case r >= '0' && r <= '9':
			all = append(all, string(r))
		}
	}
	return strings.Join(all, " · ")
}
