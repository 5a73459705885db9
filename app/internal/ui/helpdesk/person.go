package helpdesk

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
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
