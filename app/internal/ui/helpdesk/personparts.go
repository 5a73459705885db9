package helpdesk

import (
	"fmt"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/history"
)

// show draws what was read of them, part by part.
func (p *personPage) show() {
	if p.whole == nil {
		return
	}
	p.away.Hidden = !p.lost
	p.marks()
	if p.got {
		p.showHead()
		p.showWhy()
		p.showNow()
		p.acts.draw()
	}
	p.showStory()
	p.whole.Refresh()
}

func (p *personPage) showHead() {
	v, w := &p.view, p.w
	name := v.Name
	switch {
	case v.Erased:
		name = w.T("helpdesk-erased-name")
	case name == "":
		name = w.T("helpdesk-no-name")
	}
	p.track.Hidden = v.Erased // there is no way any more
	p.heading.SetText(name)
	kind, id := p.standing()
	p.badge.Set(kind, w.T(id, i18n.Args{"Step": int(v.Step)}))
	p.badge.Show()
	code := ""
	if v.HelpCode != "" {
		code = w.helpCode(v.HelpCode)
	}
	p.line.SetText(office.Joined(v.Email, v.Team, code))
	p.track.Set(marksOf(v.Steps[:])...)
}

// standing says in a few words how somebody stands.
func (p *personPage) standing() (ui.MessageKind, string) {
	v := &p.view
	switch {
	case v.Erased:
		return ui.Info, "helpdesk-standing-erased"
	case v.Frozen != "":
		return ui.Failure, "helpdesk-standing-frozen"
	case v.Group == desk.GroupStuck && v.Step >= 1 && v.Step < enrolment.StepDone:
		return ui.Failure, "helpdesk-standing-stuck-at"
	case v.Group == desk.GroupStuck:
		return ui.Failure, "helpdesk-standing-stuck"
	case len(v.Locks) > 0:
		return ui.Warning, "helpdesk-standing-locked"
	case v.Group == desk.GroupDone:
		return ui.Success, "helpdesk-standing-done"
	case v.Group == desk.GroupGone:
		return ui.Warning, "helpdesk-standing-gone"
	case v.Group == desk.GroupBusy:
		return ui.Info, "helpdesk-standing-busy"
	case v.Step >= 1:
		return ui.Info, "helpdesk-standing-paused"
	}
	return ui.Info, "helpdesk-standing-waiting"
}

// showWhy draws the diagnosis: the cause first, then the chain of checks, then what
// to do about it.
func (p *personPage) showWhy() {
	d, w := &p.view.Diagnosis, p.w
	if !p.changed(0, fmt.Sprint(d.Cause, d.Well, d.Checks, d.Advice, p.view.Erased)) {
		return
	}
	if p.view.Erased {
		p.why.Objects = []fyne.CanvasObject{ui.Column(ui.SizeGap, ui.Subheading(w.T("helpdesk-erased")),
			ui.NewMessage(ui.Info, "", ui.Plain(w.T("helpdesk-erased-line"))), ui.Body(ui.Plain(w.T("helpdesk-erased-anew"))))}
		return
	}
	title, kind := "helpdesk-why", ui.Info
	for _, c := range d.Checks {
		if c.State == desk.CheckBad {
			kind = ui.Failure
		}
	}
	if d.Well {
		title, kind = "helpdesk-why-well", ui.Success
	}
	checks := ui.Tiles(3, 200, ui.SizeGap)
	for _, c := range d.Checks {
		name, detail := w.T("desk-check-"+string(c.Name)), w.Phrase(c.Detail)
		if c.State == desk.CheckBad && detail != "" { // not "SMS arrives", in red
			name, detail = detail, ""
		}
		checks.Add(ui.NewCheck(checkMark(c.State), name, detail))
	}
	all := ui.Column(ui.SizeGap, ui.Subheading(w.T(title)), ui.NewMessage(kind, "", ui.Bold(w.Phrase(d.Cause))), checks)
	if len(d.Advice) > 0 {
		list := ui.Column(ui.SizeSmallGap, ui.Label(w.T("helpdesk-advice")))
		for i, a := range d.Advice {
			list.Add(ui.NewStep(strconv.Itoa(i+1), w.Phrase(a)))
		}
		all.Add(ui.NewRule())
		all.Add(list)
	}
	p.why.Objects = []fyne.CanvasObject{all}
}

func checkMark(s desk.CheckState) ui.Mark {
	switch s {
	case desk.CheckOK:
		return ui.MarkGood
	case desk.CheckBad:
		return ui.MarkStuck
	case desk.CheckOpen:
		return ui.MarkOpen
	case desk.CheckUnknown:
	}
	return ui.MarkUnknown
}

// A knownFact is a line of what is known; of a field that can be shown, with its
// mask.
type knownFact struct {
	label, value string
	field        desk.PersonField
}

// facts are what is known of the person now.
func (p *personPage) facts() []knownFact {
	v, w := &p.view, p.w
	all := []knownFact{{"factor", w.T("helpdesk-factor-" + string(orNone(v.Factor))), ""}}
	if v.Erased {
		all[0].value = w.T("helpdesk-factor-erased")
	}
	add := func(when bool, label, value string) {
		if when {
			all = append(all, knownFact{label, value, ""})
		}
	}
	add(v.Frozen != "", "frozen", w.T("helpdesk-frozen-"+string(v.Frozen)))
	add(v.Frozen != "" && v.Chosen != enrolment.NoFactor, "chosen", w.T("helpdesk-factor-"+string(orNone(v.Chosen))))
	add(!v.Since.IsZero(), "since", w.Moment(v.Since))
	add(v.Device != "", "device", v.Device)
	for _, l := range v.Locks {
		add(true, "lock", w.T("helpdesk-locked-until", i18n.Args{"Time": w.Moment(l.Until)}))
	}
	if v.Email != "" {
		all = append(all, knownFact{"email", v.Email, desk.FieldEmail})
	}
	if v.Phone != "" {
		all = append(all, knownFact{"phone", v.Phone, desk.FieldPhone})
		proved := "helpdesk-phone-unproved"
		if v.PhoneProved {
			proved = "helpdesk-phone-proved"
		}
		add(true, "phone-from", office.Joined(w.T("helpdesk-source-"+string(v.PhoneSource)), w.T(proved)))
	}
	add(v.HRPhone && v.PhoneSource != enrolment.FromHR, "hr-phone", w.T("helpdesk-hr-phone"))
	seen := w.Moment(v.LastSeen)
	switch {
	case v.LastSeen.IsZero():
	case v.LastAt != "":
		seen = office.Joined(seen, w.at(v.LastAt))
	case v.LastClient != "":
		seen = office.Joined(seen, v.LastClient)
	}
	add(true, "seen", seen)
	add(v.Employee != "", "employee", v.Employee)
	add(v.Start != "", "start", w.Day(v.Start))
	add(v.Language != "", "language", w.T("helpdesk-language-"+v.Language))
	add(v.Case != "", "case", v.Case)
	hr := "helpdesk-hr-never"
	switch {
	case v.Left:
		hr = "helpdesk-hr-left"
	case v.Registered:
		hr = "helpdesk-hr-registered"
	}
	add(!v.Erased, "hr", w.T(hr))
	return all
}

func orNone(f enrolment.Factor) enrolment.Factor {
	if f == "" {
		return enrolment.NoFactor
	}
	return f
}

// showNow draws what is known. A value that is shown stays so, unless it changed.
func (p *personPage) showNow() {
	facts, w := p.facts(), p.w
	if !p.changed(1, fmt.Sprint(facts, p.said)) {
		return
	}
	was := p.masks
	p.masks = map[desk.PersonField]*ui.Masked{}
	all := ui.Column(ui.SizeSmallGap, ui.Subheading(w.T("helpdesk-now")))
	for _, f := range facts {
		var value fyne.CanvasObject = ui.Body(ui.Plain(f.value))
		switch {
		case f.field != "":
			m := was[f.field] // it goes on as it is, with the focus and what it shows
			if m == nil {
				m = p.mask(f)
			} else if m.Masked() != f.value {
				m.SetMasked(f.value)
			}
			p.masks[f.field], value = m, m
		case f.label == "factor" || f.label == "frozen":
			value = ui.Body(ui.Bold(f.value))
		}
		all.Add(ui.NewFact(w.T("helpdesk-fact-"+f.label), value))
	}
	if p.said != "" {
		all.Add(ui.NewMessage(ui.Failure, "", ui.Plain(p.said)))
	}
	for f, m := range was {
		if p.masks[f] != m {
			m.Mask()
		}
	}
	p.now.Objects = []fyne.CanvasObject{all}
	p.now.Refresh()
	p.scroll.Refresh()
}

// mask returns a value that shows on request, for who may ask.
func (p *personPage) mask(f knownFact) *ui.Masked {
	var ask func()
	if p.SignedIn().May(staff.RevealData) {
		ask = func() { p.reveal(f.field) }
	}
	return ui.NewMasked(f.value, p.w.T("helpdesk-show"), p.w.T("helpdesk-hide"), p.Clock, ask)
}

// marks draws the filters of the timeline.
func (p *personPage) marks() {
	all := 0
	for _, n := range p.counts {
		all += n
	}
	for k, f := range p.kinds {
		f.SetOn(k == p.kind)
		n := p.counts[k]
		if k == "" {
			n = all
		}
		if f.SetCount(n); !p.got {
			f.SetCount(-1)
		}
	}
}

// showStory draws the timeline, a heading for each day.
func (p *personPage) showStory() {
	w := p.w
	p.older.Hidden = len(p.story) >= p.total
	key := fmt.Sprint(p.got, len(p.story), p.total, w.Date(w.Now().In(time.Local)))
	if len(p.story) > 0 {
		key += fmt.Sprint(p.story[0], p.story[len(p.story)-1])
	}
	if !p.changed(2, key) {
		return
	}
	p.entries.Objects = nil
	if len(p.story) == 0 && p.got {
		p.entries.Add(ui.Body(ui.Plain(w.T("helpdesk-story-none"))).Ink(ui.ColorMuted))
	}
	day := func(i int) string {
		if i < 0 || i >= len(p.story) {
			return ""
		}
		return when(&p.story[i]).In(time.Local).Format(time.DateOnly)
	}
	for i := range p.story {
		e := &p.story[i]
		if day(i) != day(i-1) {
			p.entries.Add(ui.Label(p.dayOf(when(e))))
		}
		icon, ink := sign(e)
		p.entries.Add(ui.NewMoment(w.Hour(when(e)), icon, ink, w.entry(e), w.who(e), day(i) != day(i-1), day(i) != day(i+1)))
	}
}

// dayOf writes the day of a heading.
func (p *personPage) dayOf(t time.Time) string {
	if t.In(time.Local).Format(time.DateOnly) == p.Clock().In(time.Local).Format(time.DateOnly) {
		return p.w.T("office-when-today")
	}
	return p.w.Weekday(t.In(time.Local))
}

// changed notes what a part is made from, and says whether that is something else
// than before.
func (p *personPage) changed(part int, from string) bool {
	if p.drawn[part] == from {
		return false
	}
	p.drawn[part] = from
	return true
}

// when is the time of an entry.
func when(e *desk.TimelineEntry) time.Time {
	if e.At.IsZero() {
		return e.Recorded
	}
	return e.At
}

// sign is how an entry looks: what came of it decides the colour, what it is about
// the sign, where that says more.
func sign(e *desk.TimelineEntry) (ui.Icon, fyne.ThemeColorName) {
	switch e.Outcome {
	case history.Progress:
		return ui.IconCheck, theme.ColorNameSuccess
	case history.Refused:
		return ui.IconExclamation, theme.ColorNameWarning
	case history.Failed:
		return ui.IconWarning, theme.ColorNameError
	case history.Puzzling:
		return ui.IconQuestion, theme.ColorNameWarning
	case history.Note:
	}
	switch e.Kind {
	case desk.TimelineMessages:
		return ui.IconMail, ui.ColorMuted
	case desk.TimelineLogins:
		return ui.IconLock, ui.ColorMuted
	case desk.TimelineStaff:
		return ui.IconPerson, ui.ColorMuted
	case desk.TimelineEnrolment, desk.TimelineRefusals:
	}
	return ui.IconInfo, ui.ColorMuted
}
