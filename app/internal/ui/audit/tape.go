package audit

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
)

// Tapes are the use cases of playing back. *desk.Auditor has them.
type Tapes interface {
	Timeline(ctx context.Context, shift string, q desk.HistogramQuery) (desk.Histogram, error)
	Replay(ctx context.Context, shift string, m desk.Moment) (desk.ReplayView, error)
	Step(ctx context.Context, shift string, from uint64, by int, f desk.EventFilter) (desk.Moment, error)
	Events(ctx context.Context, shift string, q desk.EventQuery) (desk.EventPage, error)
	Event(ctx context.Context, shift string, position uint64) (desk.EventDetail, error)
	Chain(ctx context.Context, shift string, position uint64) (desk.Chain, error)
	FindPerson(ctx context.Context, shift, words string) ([]desk.PersonHit, error)
	PersonThen(ctx context.Context, shift string, s domain.SubjectID, m desk.Moment) (desk.PersonThen, error)
	Values(ctx context.Context, shift string, s domain.SubjectID) ([]desk.ValueCheck, error)
}

const (
	// lookEvery is how often it is asked whether something was recorded.
	lookEvery = 2 * time.Second
	// lookAgain is the same while there was no answer, or only a part of one.
	lookAgain = time.Second
)

// A tapePage shows how it stood at any moment: the histogram with its handle, how many
// people stood where, the events up to then, and whether the log is true. Of the events
// it holds one window, and drops that when it is left.
type tapePage struct {
	around

	desk Tapes
	w    tapeWords

	ctx    context.Context //nolint:containedctx // ends when the page is left
	cancel context.CancelFunc
	looks  int   // the last one that waits for its time
	lost   error // why the last answer did not come; nil: it came
	zone   string

	tape   tapeState
	rows   rowState
	detail detailState
	aside  asideState
	menu   *ui.Menu

	top    *head
	notice *ui.Message
	stop   func() // no longer follows the seal
	whole  *fyne.Container
	scroll *ui.Scroller
	drawn  string // what whole was last laid out for
}

func newTapePage(a around, d Tapes) *tapePage {
	p := &tapePage{around: a, desk: d, zone: zoneName()}
	p.tape.live = true
	p.lanes()
	return p
}

// ID tells the page from others.
func (p *tapePage) ID() string { return "tape" }

// Title is what the rail calls it.
func (p *tapePage) Title() string { return p.Printer().T("tape-title") }

func (p *tapePage) shift() string { return p.SignedIn().ID }

// Content builds the page in the language of now, with what it shows.
func (p *tapePage) Content() fyne.CanvasObject {
	p.menu.Hide()
	p.w = tapeWords{office.NewWords(p)}
	w := p.w
	at := float32(0)
	if p.scroll != nil {
		at = p.scroll.At()
	}
	p.drawn = ""
	p.notice = ui.NewMessage(ui.Warning, "")
	p.notice.Hide()
	p.top = newHead(p, p.Title(), w.T("tape-lead"), ui.NewButton(ui.Primary, w.T("tape-export"), p.export).WithLeft(ui.IconDownload))
	parts := ui.Column(ui.SizeGap, p.top.whole, p.notice, p.buildTape(), p.buildTiles(), ui.Grow(1, p.buildLower()))
	p.scroll, p.whole = ui.NewScroller(parts), parts
	p.show()
	p.scroll.ScrollTo(at)
	return p.scroll
}

// Enter is called when the page comes in sight.
func (p *tapePage) Enter() {
	ui.Unfocus()
	p.ctx, p.cancel = context.WithCancel(p.Life())
	p.tape.begin(p.ctx)
	p.rows.begin(p.ctx)
	p.detail.lane.begin(p.ctx)
	p.aside.begin(p.ctx)
	p.lost = nil
	p.look()
	p.stop = p.seal().follow(p.sealChanged)
	p.sealChanged()
	p.seek(p.tape.want)
	if p.detail.open != 0 {
		p.detail.lane.want(p.detail.open)
	}
}

// Leave drops what was asked, and what is held of people.
func (p *tapePage) Leave() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.stop()
	p.cancel = nil
	p.pause()
	p.menu.Hide()
	p.rows.forget()
	p.detail.forget()
	p.aside.forgetPerson()
	p.tape.got = false
	p.show()
	p.rows.table.Clear()
}

// look asks what there is, again and again while the page is in sight. It costs next to
// nothing, and keeps no shift alive.
func (p *tapePage) look() { p.tape.bars.want(p.barsWanted()) }

// lookLater asks again after a while.
func (p *tapePage) lookLater() {
	wait := lookEvery
	if p.lost != nil || p.rows.waits() {
		wait = lookAgain
	}
	p.looks++
	turn := p.looks // whoever looks at once, as after a zoom, takes its place
	ui.Later(p.ctx, wait, func() {
		if turn == p.looks {
			p.look()
		}
	})
}

// failed notes that there is no answer; the page goes on showing the last one.
func (p *tapePage) failed(err error) {
	if p.Refused(err) {
		return
	}
	p.pause()
	p.tape.pending = 0
	p.lost = err
	p.show()
}

// answered notes that there is one, and asks for all that was missed.
func (p *tapePage) answered() {
	if p.lost == nil {
		return
	}
	p.lost = nil
	p.seek(p.tape.want)
	p.seal().look()
	if p.detail.open != 0 {
		p.detail.lane.want(p.detail.open)
	}
	p.show()
}

// show draws what is held.
func (p *tapePage) show() {
	if p.whole == nil {
		return
	}
	p.remark()
	p.showTape()
	p.showRows()
	p.showAside()
	p.relay()
}

// relay lays the page out anew where something took another height.
func (p *tapePage) relay() {
	if now := p.notice.String() + p.rows.chipWords(); now != p.drawn {
		p.drawn = now
		p.rows.chips.Refresh()
		p.whole.Refresh()
		p.scroll.Refresh()
	}
}

// remark tells what is to be known beside what shows.
func (p *tapePage) remark() {
	w := p.w
	was := p.notice.String()
	p.notice.Hidden = true
	say := func(kind ui.MessageKind, text string) {
		p.notice.Hidden = false
		if was != " "+text {
			p.notice.SetKind(kind)
			p.notice.Set("", ui.Plain(text))
		}
	}
	switch {
	case p.lost != nil && codeOf(p.lost) == desk.NotReady:
		say(ui.Info, w.T("refusal-"+string(desk.NotReady)))
	case p.lost != nil:
		say(ui.Warning, w.T("tape-lost"))
	case p.rows.partly():
		say(ui.Info, w.T("tape-partly", map[string]any{"Percent": int(p.rows.have.Ready * 100)}))
	default:
		p.notice.Set("")
	}
}

// Shortcuts are the keys of this page.
func (p *tapePage) Shortcuts() []office.Shortcut {
	w := tapeWords{office.NewWords(p)}
	return []office.Shortcut{
		{Keys: "← →", Does: w.T("tape-key-bars")},
		{Keys: "+ −", Does: w.T("tape-key-zoom")},
	}
}

// export leads to the bundles, for what was recorded up to the moment that shows.
func (p *tapePage) export() {
	upTo := uint64(0)
	if !p.tape.live && p.tape.got {
		upTo = p.tape.view.Moment.Position
	}
	p.toBundles(upTo)
}

// rewind goes to an event, from another page.
func (p *tapePage) rewind(position uint64) {
	p.tape.live, p.tape.want = false, desk.Moment{Position: position}
	p.detail.open = position
	if p.cancel != nil {
		p.seek(p.tape.want)
		p.detail.lane.want(position)
	}
}

// ToSearch asks for a person.
func (p *tapePage) ToSearch() { p.askPerson() }

// Key takes what nothing else took: Escape closes what is open, the arrows play, and the
// keys of the table bring the focus there.
func (p *tapePage) Key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape:
		switch {
		case p.menu != nil:
			p.menu.Hide()
		case p.detail.open != 0:
			p.closeDetail()
		case p.rows.narrowed():
			p.filter(desk.EventFilter{}, "")
		default:
			return false
		}
		return true
	case fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd:
		return office.ToTable(p.rows.table, e)
	case fyne.KeyLeft, fyne.KeyRight:
		ui.Focus(p.tape.chart)
		p.tape.chart.TypedKey(e)
		return true
	}
	return false
}

// open shows a menu at what opened it, instead of another one.
func (p *tapePage) openMenu(at, content fyne.CanvasObject, width float32) {
	p.menu.Hide()
	p.menu = ui.ShowMenu(at, content, width, func() { p.menu = nil })
}

// standings are the tiles: how many people stand where.
func standings() []struct {
	id     string
	ink    fyne.ThemeColorName
	square bool
	of     func(desk.Standing) int
} {
	return []struct {
		id     string
		ink    fyne.ThemeColorName
		square bool
		of     func(desk.Standing) int
	}{
		{"invited", ui.ColorBarSoft, false, func(s desk.Standing) int { return s.Invited }},
		{"busy", ui.ColorSun, false, func(s desk.Standing) int { return s.Busy }},
		{"stuck", theme.ColorNameError, true, func(s desk.Standing) int { return s.Stuck }},
		{"done", theme.ColorNameSuccess, false, func(s desk.Standing) int { return s.Done }},
		{"frozen", ui.ColorMuted, false, func(s desk.Standing) int { return s.Frozen }},
	}
}
