package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

const (
	// restsFor is how long the moment has to rest before a person is asked about: every
	// look at somebody is recorded.
	restsFor = 600 * time.Millisecond
	// storyShown is how many entries of a story show.
	storyShown = 40
)

// asideState is what stands beside the table: one person then and now, and the seal; or
// the event that is open.
type asideState struct {
	persons lane[personQuery, desk.PersonThen]
	person  desk.PersonThen
	known   bool
	asked   desk.Moment // what person answers
	about   domain.SubjectID
	no      string // why they cannot be shown
	rests   int

	values  lane[domain.SubjectID, []desk.ValueCheck]
	checked []desk.ValueCheck
	vault   string // what came of checking them, or why it could not be done

	lower *fyne.Container
	sheet fyne.CanvasObject
	part  *ui.Scroller
	drawn string
}

// A personQuery asks for somebody at a moment.
type personQuery struct {
	subject domain.SubjectID
	at      desk.Moment
}

func (a *asideState) begin(ctx context.Context) {
	a.persons.begin(ctx)
	a.values.begin(ctx)
}

func (a *asideState) forgetPerson() {
	a.persons.drop()
	a.values.drop()
	a.person, a.known, a.no, a.asked = desk.PersonThen{}, false, "", desk.Moment{}
	a.about, a.checked, a.vault = domain.SubjectID{}, nil, ""
}

func (p *tapePage) asideLanes() {
	a := &p.aside
	a.persons.ask = func(ctx context.Context, q personQuery) (desk.PersonThen, error) {
		return p.desk.PersonThen(ctx, p.shift(), q.subject, q.at)
	}
	a.persons.then = p.personCame
	a.values.ask = func(ctx context.Context, s domain.SubjectID) ([]desk.ValueCheck, error) {
		return p.desk.Values(ctx, p.shift(), s)
	}
	a.values.then = func(s domain.SubjectID, all []desk.ValueCheck, err error) {
		switch {
		case s != p.rows.filter.Subject || err != nil && p.Refused(err):
			return
		case err != nil:
			a.vault = p.w.refusal(err)
		default:
			a.checked, a.vault = all, p.w.vault(all)
		}
		p.showAside()
	}
}

// buildAside draws what stands beside the table anew.
func (p *tapePage) buildAside() {
	p.aside.drawn = ""
	p.showAside()
}

// showAside draws it, where it is something else than before.
func (p *tapePage) showAside() {
	a, d := &p.aside, &p.detail
	if a.lower == nil || p.seal() == nil {
		return
	}
	v := &p.seal().view
	now := fmt.Sprint(v.On, v.Trouble, v.Size, v.Unsealed, v.Checkpoint, v.Witnesses, v.Check, p.seal().got, p.seal().checking, p.seal().verdict(), "|", p.rows.filter.Subject, a.known,
		a.person, a.no, a.checked, a.vault)
	if d.open != 0 {
		now = fmt.Sprint(d.open, " ", d.shown(), d.got, d.said, p.tape.view.Moment.Position == d.open, p.tape.live, p.rows.filter.Subject, p.rows.filter.Correlation)
	}
	if now == a.drawn {
		return
	}
	same := strings.HasPrefix(a.drawn, fmt.Sprint(d.open, " ")) == (d.open != 0)
	a.drawn = now
	at := float32(0)
	if a.part != nil && same {
		at = a.part.At()
	}
	side, aside := float32(320), fyne.CanvasObject(nil)
	if d.open != 0 {
		side, aside = 384, p.detailSheet()
		a.part = d.body
	} else {
		head, parts := p.sealHead(), ui.Column(ui.SizeSmallGap)
		if !p.rows.filter.Subject.IsZero() {
			side = 360
			p.personLines(parts)
			parts.Add(ui.NewRule())
			parts.Add(head)
			head = ui.Subheading(p.rows.name)
		}
		p.sealLines(parts)
		a.part = ui.NewScroller(ui.Padded(parts))
		aside = ui.NewSheet(head, ui.AtMost(1200, a.part))
	}
	high := ui.HeightFor(a.lower, a.lower.Size().Width)
	a.lower.Objects = []fyne.CanvasObject{ui.Beside(a.sheet, aside, 820, side)}
	a.lower.Refresh()
	if p.scroll != nil && ui.HeightFor(a.lower, a.lower.Size().Width) != high {
		p.scroll.Refresh() // it stands under the table, and takes another height
	}
	a.part.ScrollTo(at)
}

// --- the seal

// sealChanged draws what is said of the log.
func (p *tapePage) sealChanged() {
	if p.top != nil {
		p.top.show()
	}
	p.showAside()
}

// sealHead asks whether the log is true; its sign has the colour of the answer.
func (p *tapePage) sealHead() fyne.CanvasObject {
	ink := ui.ColorOnTint
	switch p.seal().verdict().kind {
	case ui.Success:
		ink = theme.ColorNameSuccess
	case ui.Failure:
		ink = theme.ColorNameError
	case ui.Warning:
		ink = theme.ColorNameWarning
	case ui.Info:
	}
	return ui.Row(ui.SizeSmallGap, ui.NewGlyph(ui.IconShieldCheck, ink).Sized(ui.SizeDot), ui.GrowCentred(1, ui.Subheading(p.w.T("tape-seal"))))
}

// sealLines say whether the log is true, and how that is known.
func (p *tapePage) sealLines(all *fyne.Container) {
	s, w := p.seal(), p.w
	c := &s.view.Check
	switch {
	case !s.got && s.lost != nil:
		all.Add(ui.NewMessage(ui.Warning, "", ui.Plain(w.Refusal("audit-refusal", s.lost)+" "+w.T("audit-witnesses-asks-on"))))
		return
	case !s.got:
		all.Add(ui.Body(ui.Plain(w.T("tape-wait"))).Ink(ui.ColorMuted))
		return
	case !s.view.On && s.view.Trouble:
		all.Add(ui.NewMessage(ui.Warning, w.T("audit-badge-unreadable"), ui.Plain(w.T("tape-seal-more"))))
		return
	case !s.view.On:
		all.Add(ui.Body(ui.Plain(w.T("tape-seal-off"))))
		return
	}
	p.checkLines(all)
	p.witnessLines(all)
	if kind := s.verdict().kind; c.OK && (kind == ui.Warning || kind == ui.Info && c.Begun) {
		all.Add(ui.Hint(ui.Plain(w.T("tape-seal-more"))))
	}
	check := ui.NewButton(ui.Secondary, w.T("tape-recheck"), s.check).WithLeft(ui.IconRefresh)
	if s.checking || c.Running {
		check.SetText(w.T("tape-checking", i18n.Args{"Percent": percent(c.Done, c.Total)}))
		check.SetEnabled(false)
	}
	all.Add(check)
	switch {
	case c.Running && c.Total == 0: // they are not counted yet
		all.Add(ui.Hint(ui.Plain(w.T("audit-check-running"))))
	case c.Running:
		all.Add(ui.Hint(ui.Plain(w.T("tape-check-counts", i18n.Args{"N": ui.Grouped(int(c.Done)), "Total": ui.Grouped(int(c.Total))}))))
	case c.Ended.IsZero():
		all.Add(ui.Hint(ui.Plain(w.T("tape-check-never"))))
	default:
		all.Add(ui.Hint(ui.Plain(w.T("tape-check-last", i18n.Args{"Time": w.lately(c.Ended)}))))
	}
}

// lately writes when something was, with today and yesterday by their names.
func (w tapeWords) lately(t time.Time) string {
	if sameDay(t, w.Now().In(time.Local)) {
		return w.T("tape-today", i18n.Args{"Time": w.Hour(t)})
	}
	return w.Moment(t)
}

// checkLines are what was verified: of the log, of the checkpoint, of its root.
func (p *tapePage) checkLines(all *fyne.Container) {
	v, w := &p.seal().view, p.w
	c, last := &v.Check, v.Checkpoint
	checked := !c.Ended.IsZero() && !c.Running
	icon, ink, root := ui.IconShieldCheck, ui.ColorMuted, w.T("tape-root-said") // said, and not looked into yet
	if checked && c.OK {
		icon, ink, root = ui.IconCheck, theme.ColorNameSuccess, w.T("tape-root")
	}
	if checked && !c.OK && !c.Broken {
		all.Add(ui.NewMessage(ui.Failure, w.T("audit-badge-bad"), ui.Plain(w.finding(c))))
		if c.Position != 0 {
			at := c.Position
			all.Add(ui.Row("", ui.NewButton(ui.Small, w.T("tape-show-first", i18n.Args{"N": ui.Grouped(int(at))}), func() { p.openEvent(at) }))) //nolint:gosec // a place in a log
		}
	} else {
		title, size := w.T("tape-gapless-said"), v.Size
		if checked && c.OK {
			title, size = w.T("tape-gapless"), c.Events+c.Expired
		}
		all.Add(ui.NewProof(icon, ink, title, w.N("tape-gapless-count", int(size), i18n.Args{"Count": ui.Grouped(int(size))})))
	}
	if checked && c.Broken {
		all.Add(ui.NewMessage(ui.Warning, "", ui.Plain(w.T("tape-check-broken"))))
	}
	if checked && c.Expired > 0 {
		all.Add(ui.NewProof(ui.IconCheck, theme.ColorNameSuccess, w.T("tape-expired"), ui.Grouped(int(c.Expired))))
	}
	if checked && c.OK && last.At.After(c.At) { // the check says nothing of it
		icon, ink, root = ui.IconShieldCheck, ui.ColorMuted, w.T("tape-root-said")
	}
	all.Add(ui.NewProof(icon, ink, w.T("tape-checkpoint", i18n.Args{"N": ui.Grouped(last.Number)}), w.minute(last.At)))
	all.Add(ui.NewProof(icon, ink, root, ends(last.Root)))
	if v.Unsealed > 0 {
		all.Add(ui.NewProof(ui.IconClock, ui.ColorMuted, w.N("tape-behind", int(v.Unsealed), i18n.Args{"Count": ui.Grouped(int(v.Unsealed))}), ""))
	}
	switch {
	case !checked || !c.OK:
	case c.Anew:
		all.Add(ui.NewProof(ui.IconWarning, theme.ColorNameWarning, w.T("audit-check-anew"), ""))
	case c.Begun:
		all.Add(ui.NewProof(ui.IconInfo, ui.ColorMuted, w.T("audit-check-anew"), ""))
	}
	if v.Trouble {
		all.Add(ui.NewProof(ui.IconWarning, theme.ColorNameWarning, w.T("audit-check-trouble"), ""))
	}
}

// finding tells what is wrong first.
func (w tapeWords) finding(c *desk.CheckView) string {
	text := w.T("tape-finding")
	if id := "seal-finding-" + c.Finding; w.Has(id) {
		text = w.T(id)
	}
	if c.Position == 0 {
		return text
	}
	return text + " " + w.T("tape-finding-at", i18n.Args{"N": ui.Grouped(int(c.Position)), "Kind": w.kind(c.Type)}) //nolint:gosec // a place in a log
}

// witnessLines are what others say who keep the checkpoints, too.
func (p *tapePage) witnessLines(all *fyne.Container) {
	v, w := &p.seal().view, p.w
	for _, x := range v.Witnesses {
		icon, ink := ui.IconCheck, theme.ColorNameSuccess
		switch x.State {
		case desk.WitnessAgrees:
		case desk.WitnessBehind:
			icon, ink = ui.IconClock, ui.ColorMuted
		case desk.WitnessAway:
			icon, ink = ui.IconQuestion, theme.ColorNameWarning
		case desk.WitnessDisagrees:
			icon, ink = ui.IconWarning, theme.ColorNameError
		}
		detail := x.Name
		if !x.At.IsZero() {
			detail += ", " + w.minute(x.At)
		}
		all.Add(ui.NewProof(icon, ink, w.T("tape-witness-"+string(x.State)), detail))
	}
	if len(v.Witnesses) == 0 {
		all.Add(ui.NewProof(ui.IconInfo, ui.ColorMuted, w.T("tape-witness-none"), ""))
	}
}

// --- one person

// restLater asks about the person once the moment rests.
func (p *tapePage) restLater() {
	a := &p.aside
	a.rests++
	turn := a.rests
	if p.rows.filter.Subject.IsZero() || p.cancel == nil {
		return
	}
	ui.Later(p.ctx, restsFor, func() {
		if turn == a.rests && p.tape.playing == nil && !p.tape.chart.Dragging() {
			p.wantPerson()
		}
	})
}

// wantPerson asks about the person that the table is narrowed to, then and now.
func (p *tapePage) wantPerson() {
	a, s := &p.aside, p.rows.filter.Subject
	at := p.until()
	if s.IsZero() || a.about == s && a.asked == at { // of now, too, one look is enough
		return
	}
	a.about, a.asked = s, at
	a.persons.want(personQuery{s, at})
}

func (p *tapePage) personCame(q personQuery, v desk.PersonThen, err error) {
	a := &p.aside
	switch {
	case q.subject != p.rows.filter.Subject || err != nil && p.Refused(err):
		return
	case err != nil:
		a.no, a.about = p.w.refusal(err), domain.SubjectID{}
	default:
		a.person, a.known, a.no = v, true, ""
		if v.Name != "" && p.rows.name != v.Name {
			p.rows.name = v.Name
			p.showChips()
			p.relay()
		}
	}
	p.showAside()
}

// personLines are one person then and now, and their story.
func (p *tapePage) personLines(all *fyne.Container) {
	a, w := &p.aside, p.w
	switch {
	case a.no != "":
		all.Add(ui.NewMessage(ui.Failure, "", ui.Plain(a.no)))
	case !a.known:
		all.Add(ui.Body(ui.Plain(w.T("tape-wait"))).Ink(ui.ColorMuted))
	default:
		v := &a.person
		all.Add(ui.Tiles(2, 130, ui.SizeGap, p.standing("then", &v.Then, &v.Now), p.standing("now", &v.Now, &v.Then)))
		check := ui.NewButton(ui.Small, w.T("tape-values-check"), func() { p.checkValues() }).WithLeft(ui.IconLock)
		all.Add(ui.Row("", check))
		if a.vault != "" {
			all.Add(ui.Body(ui.Plain(a.vault)))
			for i := range a.checked {
				if s := a.checked[i].State; s == desk.ValueDiffers || s == desk.ValueGone {
					all.Add(p.value(&a.checked[i]))
				}
			}
		}
		p.story(all)
	}
}

// checkValues looks whether the vault holds what was recorded of them. That is recorded.
func (p *tapePage) checkValues() {
	p.aside.vault = p.w.T("tape-wait")
	p.aside.values.want(p.rows.filter.Subject)
	p.showAside()
}

// vault says what came of checking the values of somebody.
func (w tapeWords) vault(all []desk.ValueCheck) string {
	n := map[desk.ValueState]int{}
	for _, v := range all {
		n[v.State]++
	}
	if len(all) == 0 {
		return w.T("tape-vault-none")
	}
	var parts []string
	for _, s := range []desk.ValueState{desk.ValueHolds, desk.ValueErased, desk.ValueGone, desk.ValueDiffers} {
		if n[s] > 0 {
			parts = append(parts, w.T("tape-vault-"+string(s), i18n.Args{"N": n[s]}))
		}
	}
	return strings.Join(parts, ", ") + "."
}

// standing is how somebody stood, with what is another than at the other moment in bold.
func (p *tapePage) standing(id string, s, other *desk.PersonState) fyne.CanvasObject {
	w := p.w
	all := ui.Column("", ui.Label(w.T("tape-person-"+id)))
	if !s.Known {
		all.Add(ui.Body(ui.Plain(w.T("tape-person-unheard"))))
		return all
	}
	line := func(text, before string) {
		span := ui.Plain(text)
		if text != before {
			span = ui.Bold(text)
		}
		all.Add(ui.Body(span))
	}
	line(w.T("tape-state-"+string(s.State)), w.T("tape-state-"+string(other.State)))
	if s.State != desk.PersonErased { // nothing else is left of them
		line(w.step(*s), w.step(*other))
		line(w.factor(s.Factor), w.factor(other.Factor))
	}
	if !s.Since.IsZero() {
		all.Add(ui.Hint(ui.Plain(w.T("tape-since", i18n.Args{"Time": w.minute(s.Since)}))))
	}
	return all
}

// factor names a second factor.
func (w tapeWords) factor(f enrolment.Factor) string {
	if f == "" {
		f = enrolment.NoFactor
	}
	return w.T("tape-factor-"+string(f), w.Args())
}

// story is what happened to them up to the moment, the newest first.
func (p *tapePage) story(all *fyne.Container) {
	w, v := p.w, &p.aside.person
	all.Add(ui.NewRule())
	all.Add(ui.Label(w.T("tape-story", i18n.Args{"N": ui.Grouped(v.Entries)})))
	if len(v.Story) == 0 {
		all.Add(ui.Body(ui.Plain(w.T("tape-story-none"))).Ink(ui.ColorMuted))
		return
	}
	list := ui.Column("")
	shown := v.Story[:min(len(v.Story), storyShown)]
	for i := range shown {
		e := &shown[i]
		at := e.Recorded
		if at.IsZero() {
			at = e.At
		}
		row := desk.EventRow{Type: e.Type, Outcome: e.Outcome, Message: e.Message, Params: e.Params}
		icon, ink := sign(&row)
		open := func() { p.openEvent(uint64(e.Position)) }
		list.Add(ui.NewChainLink(0, icon, ink, w.sentence(&row), w.minute(at), false, open))
	}
	all.Add(list)
	if more := v.Entries - len(shown); more > 0 {
		all.Add(ui.Hint(ui.Plain(w.N("tape-story-more", more, i18n.Args{"Count": ui.Grouped(more)}))))
	}
}
