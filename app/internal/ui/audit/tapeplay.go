package audit

import (
	"context"
	"errors"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// A speed is how many events are played in a second. What is faster than the eye goes by
// in steps of several, and so does what a slow machine or a server far away could not show
// in time.
type speed struct {
	perSecond int
	every     time.Duration
	by        int
}

func speeds() []speed {
	return []speed{
		{1, time.Second, 1},
		{5, 200 * time.Millisecond, 1},
		{25, 200 * time.Millisecond, 5},
		{100, 200 * time.Millisecond, 20},
	}
}

// spans are how much time the histogram shows, from one zoom to the next; 0 is all.
func spans() []time.Duration {
	const day = 24 * time.Hour
	return []time.Duration{0, 365 * day, 91 * day, 28 * day, 7 * day, 2 * day}
}

// tapeState is the moment that is played back, and the histogram.
type tapeState struct {
	live bool        // it is now, and goes on with it
	want desk.Moment // what was asked for: zero while it is live
	view desk.ReplayView
	got  bool

	bars    lane[desk.HistogramQuery, desk.Histogram]
	replays lane[desk.Moment, desk.ReplayView]
	steps   lane[stepQuery, desk.Moment]
	pending int // steps that wait for one another

	hist     desk.Histogram
	span     time.Duration // that shows; 0: all
	from, to time.Time     // of it

	speed   int // of speeds
	playing *ui.Ticker
	ended   int // at which end of the events a step stopped: -1, 1; 0 at none

	label, at, caption *ui.Text
	chart              *ui.Histogram
	none, astray       *ui.Text
	back, play, on     *ui.Button
	now, jump          *ui.Button
	in, out            *ui.Button
	rate               *ui.Picker
	stats              []*ui.Stat
}

// A stepQuery asks for the by-th event after a position.
type stepQuery struct {
	from   uint64
	by     int
	filter desk.EventFilter
}

func (t *tapeState) begin(ctx context.Context) {
	t.bars.begin(ctx)
	t.replays.begin(ctx)
	t.steps.begin(ctx)
	t.pending = 0
}

// lanes says how everything is asked, and what becomes of the answers.
func (p *tapePage) lanes() {
	t := &p.tape
	t.speed = 1
	t.bars.ask = func(ctx context.Context, q desk.HistogramQuery) (desk.Histogram, error) {
		return p.desk.Timeline(ctx, p.shift(), q)
	}
	t.bars.then = p.barsCame
	t.replays.ask = func(ctx context.Context, m desk.Moment) (desk.ReplayView, error) {
		return p.desk.Replay(ctx, p.shift(), m)
	}
	t.replays.then = p.replayCame
	t.steps.ask = func(ctx context.Context, q stepQuery) (desk.Moment, error) {
		return p.desk.Step(ctx, p.shift(), q.from, q.by, q.filter)
	}
	t.steps.then = p.stepCame
	p.rowLanes()
	p.detailLanes()
	p.asideLanes()
}

// buildTape builds the card with the histogram.
func (p *tapePage) buildTape() fyne.CanvasObject {
	t, w := &p.tape, p.w
	t.label, t.at = ui.Hint(ui.Plain(" ")), ui.Subheading(" ")
	t.caption = ui.Hint(ui.Plain(" "))
	small := func(icon ui.Icon, text string, do func()) *ui.Button {
		b := ui.NewButton(ui.Secondary, text, do).WithLeft(icon)
		b.IconOnly = true
		return b
	}
	t.jump = ui.NewButton(ui.Secondary, w.T("tape-jump"), p.askMoment)
	t.back = small(ui.IconStepBack, w.T("tape-back"), func() { p.step(-1) })
	t.on = small(ui.IconStepForward, w.T("tape-forward"), func() { p.step(1) })
	t.play = ui.NewButton(ui.Secondary, w.T("tape-play"), p.playOrPause).WithLeft(ui.IconPlay)
	t.now = ui.NewButton(ui.Secondary, w.T("tape-now"), p.toNow)
	t.in = ui.NewButton(ui.Small, w.T("tape-zoom-in"), func() { p.zoom(true) }).WithLeft(ui.IconPlus)
	t.out = ui.NewButton(ui.Small, w.T("tape-zoom-out"), func() { p.zoom(false) }).WithLeft(ui.IconMinus)
	t.in.IconOnly, t.out.IconOnly = true, true
	t.rate = ui.NewPicker("", p.askSpeed, nil)
	t.rate.Set(p.rateWords(t.speed), false)
	t.chart = ui.NewHistogram()
	t.chart.OnMove, t.chart.OnZoom = p.moved, p.zoom
	t.chart.OnHover = func(int) { p.showCaption() }
	t.none = ui.Body(ui.Plain(w.T("tape-wait"))).Ink(ui.ColorMuted).Align(fyne.TextAlignCenter)
	t.astray = ui.Hint(ui.Plain(" "))
	p.putBars()
	stand := ui.Column("", t.label, ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, t.at)))
	keys := ui.Flow(ui.SizeSmallGap, t.jump, t.back, t.play, t.on, t.now)
	sub := ui.Row(ui.SizeSmallGap, ui.GrowCentred(1, t.caption), t.rate, t.out, t.in)
	return ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap, ui.Apart(340, stand, keys), sub, ui.Stack(t.chart, ui.Column("", ui.Spring(), t.none, ui.Spring())), t.astray))
}

// buildTiles builds what counts the people.
func (p *tapePage) buildTiles() fyne.CanvasObject {
	t := &p.tape
	t.stats = nil
	all := ui.Tiles(len(standings()), 116, ui.SizeGap)
	for _, s := range standings() {
		tile := ui.NewStat(p.w.T("tape-stat-"+s.id), s.ink, s.square)
		t.stats = append(t.stats, tile)
		all.Add(tile)
	}
	ui.Alike(t.stats...)
	return all
}

// --- moving

// seek asks how it stood at a moment; the zero one is now.
func (p *tapePage) seek(m desk.Moment) {
	t := &p.tape
	t.live, t.want, t.ended = m == (desk.Moment{}), m, 0
	t.replays.want(m)
	p.showTape()
}

// toNow goes to now, and on with it.
func (p *tapePage) toNow() {
	p.pause()
	p.seek(desk.Moment{})
}

// moved follows the handle.
func (p *tapePage) moved(at time.Time, resting bool) {
	t := &p.tape
	p.pause()
	if !at.Before(p.latest()) {
		if !t.live || resting {
			p.seek(desk.Moment{})
		}
	} else {
		p.seek(desk.Moment{At: at})
	}
	if resting && t.span > 0 && len(t.hist.Bars) > 0 && (!at.After(t.hist.Bars[0].From) || !at.Before(p.end())) {
		p.centre(at) // at the edge of what shows it goes on
		p.look()
	}
}

// latest is how far the handle goes: to now, or to where the histogram ends before that.
func (p *tapePage) latest() time.Time {
	if p.later() {
		return p.end() // that is now: what is clocked ahead is there already
	}
	last := p.Clock()
	if h := p.tape.hist; h.Last.After(last) {
		last = h.Last // another machine's clock is ahead
	}
	if end := p.end(); !end.IsZero() && end.Before(last) && p.tape.span == 0 {
		return end
	}
	return last
}

// end is where the histogram ends.
func (p *tapePage) end() time.Time {
	h := p.tape.hist
	if len(h.Bars) == 0 {
		return time.Time{}
	}
	last := h.Bars[len(h.Bars)-1].From
	if day := 24 * time.Hour; h.Width >= day { // days of 23 and of 25 hours
		return last.In(time.Local).AddDate(0, 0, int(h.Width/day))
	}
	return last.Add(h.Width)
}

// replayCame shows how it stood.
func (p *tapePage) replayCame(m desk.Moment, v desk.ReplayView, err error) {
	t := &p.tape
	if err != nil {
		if codeOf(err) == desk.NoEvent && m.Position != 0 {
			p.seek(desk.Moment{})
			return
		}
		p.failed(err)
		return
	}
	first := !t.got
	t.view, t.got = v, true
	if m != t.want { // something else is wanted already
		p.showTape()
		return
	}
	p.answered()
	p.showTape()
	p.rows.at(p, first)
	p.restLater()
	if t.pending != 0 {
		p.stepOn()
	}
}

// until is up to where events are shown.
func (p *tapePage) until() desk.Moment {
	t := &p.tape
	switch {
	case t.live:
		return desk.Moment{}
	case t.got && t.view.Moment.Position != 0:
		return desk.Moment{Position: t.view.Moment.Position}
	}
	return t.want // before the first event
}

// step goes to an event before or after, of those that the filter lets through.
func (p *tapePage) step(by int) {
	p.pause()
	p.stepBy(by)
}

func (p *tapePage) stepBy(by int) {
	p.tape.pending += by
	p.stepOn()
}

// stepOn asks for the steps that wait, once it is known from where.
func (p *tapePage) stepOn() {
	t := &p.tape
	if t.pending == 0 || !t.steps.idle() || !t.replays.idle() || !t.got {
		return
	}
	q := stepQuery{from: t.view.Moment.Position, by: t.pending, filter: p.rows.filter}
	t.pending = 0
	t.steps.want(q)
}

// stepCame goes there.
func (p *tapePage) stepCame(q stepQuery, m desk.Moment, err error) {
	t := &p.tape
	switch {
	case err != nil && codeOf(err) != desk.NoEvent:
		p.failed(err)
	case err != nil || m.Position == 0 || m.Position == q.from:
		p.pause()
		t.pending = 0
		if t.ended = 1; q.by < 0 {
			t.ended = -1
		}
		p.showTape()
	default:
		p.seek(m)
	}
}

// playOrPause plays from where one is; from the begin of what shows, where that is now.
func (p *tapePage) playOrPause() {
	t := &p.tape
	if t.playing != nil {
		p.pause()
		p.showTape()
		return
	}
	if t.live && len(t.hist.Bars) > 0 {
		p.seek(desk.Moment{At: t.hist.Bars[0].From})
	}
	p.start()
	p.showTape()
}

func (p *tapePage) start() {
	t := &p.tape
	s := speeds()[t.speed]
	t.ended = 0
	last := p.Clock()
	t.playing = ui.NewTicker(s.every, func() {
		if t.pending == 0 && t.steps.idle() && t.replays.idle() && p.rows.lane.idle() {
			now := p.Clock()
			p.stepBy(s.due(now.Sub(last)))
			last = now
		}
	})
}

// due is how many events are to be played in a while: what a tick is for, and more where
// ticks were missed, but never all of a long sleep.
func (s speed) due(passed time.Duration) int {
	missed := int(min(passed, 5*time.Second) * time.Duration(s.perSecond) / time.Second)
	return max(s.by, missed)
}

// pause stops playing. It may be called when nothing is played.
func (p *tapePage) pause() {
	t := &p.tape
	if t.playing != nil {
		t.playing.Stop()
		t.playing, t.pending = nil, 0
		p.restLater()
	}
}

func (p *tapePage) rateWords(i int) string {
	return p.w.T("tape-speed", i18n.Args{"N": speeds()[i].perSecond})
}

// askSpeed offers the speeds.
func (p *tapePage) askSpeed() {
	list := ui.Column("")
	for i := range speeds() {
		list.Add(ui.NewMenuItem(p.rateWords(i), "", -1, i == p.tape.speed, func() {
			t := &p.tape
			t.speed = i
			t.rate.Set(p.rateWords(i), false)
			p.menu.Hide()
			if t.playing != nil {
				p.pause()
				p.start()
			}
			p.showTape()
		}))
	}
	p.openList(p.tape.rate, list, 200)
}

// askMoment has a moment typed.
func (p *tapePage) askMoment() {
	w := p.w
	f := ui.NewField(w.T("tape-jump-label"), w.T("tape-jump-hint"))
	jump := func() {
		base := p.moment()
		m, fault := readMoment(f.Text(), w.Lang(), p.Clock().In(time.Local), base.In(time.Local))
		switch first := p.tape.hist.First; {
		case fault != "":
			f.SetError(w.T("tape-moment-" + string(fault)))
		case !m.At.IsZero() && m.At.Before(first):
			f.SetError(w.T("tape-moment-before", i18n.Args{"Day": w.short(first, true)}))
		case m.Position > p.tape.hist.Position:
			f.SetError(w.T("tape-moment-beyond", i18n.Args{"N": ui.Grouped(int(p.tape.hist.Position))})) //nolint:gosec // a number of events
		default:
			p.menu.Hide()
			p.pause()
			p.seek(m)
		}
	}
	f.Input().OnSubmitted = func(string) { jump() }
	f.Input().OnChanged = func(string) { f.SetError("") }
	go1 := ui.NewButton(ui.Primary, w.T("tape-jump-go"), jump)
	p.openMenu(p.tape.jump, ui.Padded(ui.Column(ui.SizeSmallGap, f, ui.Row("", go1))), 360)
	ui.Focus(f.Input())
}

// --- showing

// showTape draws moment, handle, buttons and tiles.
func (p *tapePage) showTape() {
	t, w := &p.tape, p.w
	if t.chart == nil {
		return
	}
	at := p.moment()
	if !t.chart.Dragging() {
		t.chart.SetMoment(at)
		if h := t.hist; t.span > 0 && len(h.Bars) > 0 && (at.Before(h.Bars[0].From) || at.After(p.end())) && t.bars.idle() {
			p.centre(at)
			p.look()
		}
	}
	label, shows := w.T("tape-at"), at
	switch {
	case t.live:
		label, shows = w.T("tape-at-now"), t.view.Moment.At
	case t.ended > 0:
		label = w.T("tape-at-last")
	case t.ended < 0:
		label = w.T("tape-at-first")
	}
	set(t.label, label)
	if shows.IsZero() {
		set(t.at, "–")
	} else {
		set(t.at, w.long(shows))
	}
	p.showCaption()
	p.showKeys()
	for i, s := range standings() {
		if !t.got {
			t.stats[i].Set("–", "")
			continue
		}
		t.stats[i].Set(ui.Grouped(s.of(t.view.Then)), w.T("tape-stat-now", i18n.Args{"N": ui.Grouped(s.of(t.view.Now))}))
	}
}

// set replaces words, where they are other ones.
func set(t *ui.Text, words string) {
	if t.String() != words {
		t.SetText(words)
	}
}

func (p *tapePage) showKeys() {
	t, w := &p.tape, p.w
	some := len(t.hist.Bars) > 0
	icon, words := ui.IconPlay, w.T("tape-play")
	if t.playing != nil {
		icon, words = ui.IconPause, w.T("tape-pause")
	}
	if t.play.Left != icon {
		t.play.Left = icon
		t.play.SetText(words)
	}
	p.showNoBars()
	t.play.SetEnabled(some)
	t.back.SetEnabled(some)
	t.on.SetEnabled(some && !t.live)
	t.now.SetEnabled(!t.live)
	t.jump.SetEnabled(some)
	t.in.SetEnabled(some && (t.span == 0 || t.span > spans()[len(spans())-1]))
	t.out.SetEnabled(t.span > 0)
}

// showCaption says how many events the bar under the pointer has, or the one at the
// handle.
func (p *tapePage) showCaption() {
	t, w := &p.tape, p.w
	h := t.hist
	if len(h.Bars) == 0 {
		set(t.caption, " ")
		return
	}
	bar := t.chart.Hovered()
	if bar < 0 {
		bar = t.chart.BarAt(t.chart.Moment())
	}
	per := w.T("tape-per-day")
	const day = 24 * time.Hour
	switch n := int(h.Width / time.Hour); {
	case h.Width < day:
		per = w.N("tape-per-hours", n)
	case h.Width > day:
		per = w.N("tape-per-days", int(h.Width/day))
	}
	if bar < 0 || bar >= len(h.Bars) {
		set(t.caption, per)
		return
	}
	of := w.T("tape-bar", i18n.Args{"When": w.barWords(h.Bars[bar].From, h.Width)})
	switch b := h.Bars[bar]; {
	case b.Later:
		of = w.T("tape-bar-later")
	case b.Earlier:
		of = w.T("tape-bar-earlier")
	}
	spans := []ui.Span{ui.Plain(per + " " + of + " "), ui.Bold(ui.Grouped(h.Bars[bar].Events))}
	if now := spans[0].Text + spans[1].Text; t.caption.String() != now {
		t.caption.Set(spans...)
	}
}

// barWords say of when a bar is.
func (w tapeWords) barWords(from time.Time, width time.Duration) string {
	const day = 24 * time.Hour
	from = from.In(time.Local)
	switch {
	case width < day:
		return w.short(from, false) + ", " + from.Format("15:04") + "–" + from.Add(width).Format("15:04")
	case width > day:
		return w.T("tape-bar-days", i18n.Args{"From": w.short(from, false), "To": w.short(from.AddDate(0, 0, int(width/day)-1), false)})
	}
	return w.short(from, from.Year() != w.Now().In(time.Local).Year())
}

// codeOf returns why something was refused.
func codeOf(err error) desk.Code {
	if r, ok := errors.AsType[*desk.Refusal](err); ok {
		return r.Code
	}
	return desk.Unavailable
}
