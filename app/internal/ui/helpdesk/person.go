package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/history"
)

const (
	// shownFor is how long a number or an address shows before it is masked again.
	shownFor = 30 * time.Second
	// personGap is the least time between two looks at a person because something
	// changed, which may be somebody else's.
	personGap = 500 * time.Millisecond
	// storyRows is how many entries of the timeline are asked for at a time.
	storyRows = 50
)

// A personPage shows why one person cannot log in, what is known of them, and
// what happened. It drops all of that when it is left.
type personPage struct {
	around

	desk    Helpers
	subject domain.SubjectID
	w       words

	got    bool
	lost   bool
	view   desk.PersonView
	story  []desk.TimelineEntry
	counts map[desk.TimelineKind]int
	total  int
	kind   desk.TimelineKind // empty: all
	said   string            // why a value could not be shown

	ctx    context.Context //nolint:containedctx // ends when the page is left
	cancel context.CancelFunc
	asked  int // the last question; answers to earlier ones are nobody's
	turn   int // since the page came in sight; what was asked in an earlier one is nobody's

	heading  *ui.Text
	badge    *ui.Badge
	line     *ui.Text
	track    *ui.Track
	bord     *ui.Button
	away     *ui.Message
	why, now *fyne.Container
	entries  *fyne.Container
	kinds    map[desk.TimelineKind]*ui.Filter
	older    *ui.Button
	masks    map[desk.PersonField]*ui.Masked
	scroll   *ui.Scroller
	whole    *fyne.Container
	body     *fyne.Container // what scrolls
	aside    *fyne.Container // the two columns in it
	acts     *actions
	drawn    [3]string // what why, now and entries were made from
}

func newPersonPage(a around, d Helpers, s domain.SubjectID) *personPage {
	p := &personPage{around: a, desk: d, subject: s}
	p.acts = newActions(p)
	return p
}

func (p *personPage) ID() string { return "person" }

func (p *personPage) Title() string {
	if p.view.Name != "" {
		return p.view.Name
	}
	return p.Printer().T("helpdesk-person")
}

// storyKinds are the filters of the timeline, in their order.
func storyKinds() []desk.TimelineKind {
	return []desk.TimelineKind{
		"", desk.TimelineEnrolment, desk.TimelineMessages, desk.TimelineLogins, desk.TimelineRefusals, desk.TimelineStaff,
	}
}

// content builds the page in the language of now, with what it shows.
func (p *personPage) Content() fyne.CanvasObject {
	p.w = newWords(p)
	w, at := p.w, float32(0)
	if p.scroll != nil {
		at = p.scroll.At()
	}
	p.drawn = [3]string{}
	p.heading, p.badge, p.line = ui.Heading(" "), ui.NewBadge(ui.Info, ""), ui.Hint(ui.Plain(" "))
	p.badge.Hide()
	p.track = ui.NewTrack(marksOf(make([]desk.StepState, enrolment.StepDone))...)
	p.bord = ui.NewBack(w.T("helpdesk-person-back"), p.Back)
	p.away = ui.NewMessage(ui.Warning, "", ui.Plain(w.T("helpdesk-person-away")))
	p.away.Hide()
	p.why, p.now, p.entries = ui.Stack(), ui.Stack(), ui.Column("")
	for _, m := range p.masks {
		m.Mask()
	}
	p.masks = map[desk.PersonField]*ui.Masked{}
	p.kinds = map[desk.TimelineKind]*ui.Filter{}
	chips := ui.Flow(ui.SizeSmallGap)
	for _, k := range storyKinds() {
		id := "helpdesk-story-all"
		if k != "" {
			id = "helpdesk-story-" + string(k)
		}
		p.kinds[k] = ui.NewFilter(w.T(id), false, func() { p.narrow(k) })
		chips.Add(p.kinds[k])
	}
	p.older = ui.NewButton(ui.Small, w.T("helpdesk-story-older"), p.more)
	p.older.Hide()
	story := ui.NewCard(ui.Surface, ui.Column(ui.SizeGap, ui.Subheading(w.T("helpdesk-story")), chips, p.entries, ui.Row("", p.older)))
	p.acts.build()
	p.aside = ui.NewAside(
		[]fyne.CanvasObject{ui.NewCard(ui.Recommended, p.why), story},
		[]fyne.CanvasObject{ui.NewCard(ui.Surface, p.now), p.acts.card})
	title := ui.NewTitle(p.heading, p.badge, p.line, p.track, p.bord)
	if ui.Current().Scale > ui.Normal { // larger, what waits would leave no room for the rest
		p.body = ui.Column(ui.SizeGap, p.acts.banner, p.aside)
		p.scroll = ui.NewScroller(p.body)
		p.whole = ui.Column(ui.SizeGap, title, p.away, ui.Grow(1, p.scroll))
	} else {
		p.body = ui.Column(ui.SizeGap, p.aside)
		p.scroll = ui.NewScroller(p.body)
		p.whole = ui.Column(ui.SizeGap, p.acts.banner, title, p.away, ui.Grow(1, p.scroll))
	}
	p.show()
	p.scroll.ScrollTo(at)
	return p.whole
}

// enter is called when the page comes in sight.
func (p *personPage) Enter() {
	p.ctx, p.cancel = context.WithCancel(p.Life())
	p.turn++
	p.load(storyRows)
	w := &watch{of: p.desk, shift: p.SignedIn().ID, gap: personGap, failed: p.failed, changed: p.again}
	w.run(p.ctx)
	ui.Focus(p.bord)
}

// leave drops what was asked, and all that is known of the person.
func (p *personPage) Leave() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.cancel = nil
	p.turn++
	p.acts.forget()
	p.got, p.view, p.story, p.counts, p.said = false, desk.PersonView{}, nil, nil, ""
	p.Content()
}

// again looks whether what changed is this person's, unless somebody waits for more.
func (p *personPage) again(moved bool) {
	if moved && !p.older.Busy() {
		p.load(max(storyRows, min(len(p.story), desk.MostRows)))
	}
}

// load asks for the person, and the newest entries of their timeline.
func (p *personPage) load(rows int) {
	type answer struct {
		view  desk.PersonView
		story desk.TimelinePage
		open  []desk.CaseRow
	}
	p.asked++
	turn, asked, shift, q := p.turn, p.asked, p.SignedIn().ID, p.query(0, rows)
	ui.Work(p.ctx, func(ctx context.Context) (answer, error) {
		var a answer
		var err error
		if a.view, err = p.desk.Person(ctx, shift, p.subject); err != nil {
			return a, err
		}
		if a.story, err = p.desk.Timeline(ctx, shift, p.subject, q); err != nil {
			return a, err
		}
		a.open, err = p.desk.OpenCases(ctx, shift)
		return a, err
	}, func(a answer, err error) {
		switch {
		case turn != p.turn || asked != p.asked:
		case err != nil:
			p.failed(err)
		default:
			p.got, p.lost, p.view = true, false, a.view
			p.story, p.total, p.counts = a.story.Entries, a.story.Total, a.story.Counts
			p.acts.open = slices.DeleteFunc(a.open, func(r desk.CaseRow) bool { return r.Subject != p.subject })
			p.show()
		}
	})
}

func (p *personPage) query(offset, limit int) desk.TimelineQuery {
	q := desk.TimelineQuery{Offset: offset, Limit: limit}
	if p.kind != "" {
		q.Kinds = []desk.TimelineKind{p.kind}
	}
	return q
}

// failed says that there is no answer; the page goes on showing the last one.
func (p *personPage) failed(err error) {
	if !p.Refused(err) {
		p.lost = true
		p.show()
	}
}

// narrow shows one kind of entries.
func (p *personPage) narrow(k desk.TimelineKind) {
	p.kind = k
	p.marks()
	p.load(storyRows)
}

// more asks for entries before those that are shown.
func (p *personPage) more() {
	p.asked++
	turn, asked, shift, q := p.turn, p.asked, p.SignedIn().ID, p.query(len(p.story), storyRows)
	p.older.SetBusy(true)
	ui.Work(p.ctx, func(ctx context.Context) (desk.TimelinePage, error) { return p.desk.Timeline(ctx, shift, p.subject, q) },
		func(page desk.TimelinePage, err error) {
			if turn != p.turn {
				return
			}
			p.older.SetBusy(false)
			switch {
			case asked != p.asked:
			case err != nil:
				p.failed(err)
			default:
				p.story, p.total, p.lost = append(p.story, page.Entries...), page.Total, false
				p.show()
			}
		})
}

// reveal shows a value for a while. Desk records that before it answers.
func (p *personPage) reveal(f desk.PersonField) {
	turn, shift := p.turn, p.SignedIn().ID
	ui.Work(p.ctx, func(ctx context.Context) (string, error) { return p.desk.Reveal(ctx, shift, p.subject, f) },
		func(value string, err error) {
			m := p.masks[f]
			if turn != p.turn || m == nil {
				return
			}
			p.said = ""
			if err != nil {
				m.Mask()
				if p.Refused(err) {
					return
				}
				p.said = p.w.refusal(err)
			} else {
				m.Reveal(value, shownFor)
			}
			p.showNow()
		})
}

// --- showing

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

// key takes what nothing else took.
func (p *personPage) Key(e *fyne.KeyEvent) bool {
	if p.acts.key(e) {
		return true
	}
	if e.Name == fyne.KeyEscape {
		p.Back()
		return true
	}
	return p.scroll.TypedKey(e)
}
