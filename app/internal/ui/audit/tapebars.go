package audit

import (
	"slices"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// barsWanted asks for what shows; while it is live, that ends now.
func (p *tapePage) barsWanted() desk.HistogramQuery {
	t := &p.tape
	q := desk.HistogramQuery{Zone: p.zone}
	days := int(t.hist.Last.Sub(t.hist.Begin)/(24*time.Hour)) + 2
	if t.span > 0 {
		if t.live {
			p.centre(p.Clock())
		}
		q.From, q.To = t.from, t.to
		days = int(t.span/(24*time.Hour)) + 2
	}
	if room := int(t.chart.Size().Width); room > 0 && t.hist.Position > 0 {
		q.Bars = max(24, min(room/5, desk.MostBars))
		if days >= 14 { // a bar a day, as far as there is room
			q.Bars = min(q.Bars, days)
		} else {
			q.Bars = min(q.Bars, room/9)
		}
	}
	return q
}

// barsCame shows them, and follows what was recorded.
func (p *tapePage) barsCame(q desk.HistogramQuery, h desk.Histogram, err error) {
	t := &p.tape
	if err != nil {
		p.failed(err)
		p.lookLater()
		return
	}
	moved, first := h.Position != t.hist.Position, t.hist.Position == 0 && h.Position > 0
	if moved || q.From != t.from && t.span > 0 || h.Width != t.hist.Width || !sameBars(h.Bars, t.hist.Bars) {
		t.hist = h
		p.putBars()
	}
	if p.lost != nil {
		p.answered()
	} else if moved && t.got && !t.chart.Dragging() {
		t.replays.want(t.want)
	}
	if p.rows.waits() {
		p.rows.ask(p)
	}
	p.showTape()
	if first { // now it is known how long the log is
		p.look()
		return
	}
	p.lookLater()
}

func sameBars(a, b []desk.Bar) bool {
	return slices.EqualFunc(a, b, func(a, b desk.Bar) bool { return a.From.Equal(b.From) })
}

// putBars hands the histogram to what draws it.
func (p *tapePage) putBars() {
	t := &p.tape
	bars := make([]ui.HistogramBar, len(t.hist.Bars))
	for i, b := range t.hist.Bars {
		bars[i] = ui.HistogramBar{From: b.From, Count: b.Events}
	}
	t.chart.Leap = 7
	if t.hist.Width < 24*time.Hour {
		t.chart.Leap = int(24 * time.Hour / max(time.Hour, t.hist.Width))
	}
	t.chart.SetBars(bars, p.end(), p.latest(), p.ticks())
	if t.astray.Hidden = t.hist.Astray == 0; !t.astray.Hidden {
		set(t.astray, p.w.N("tape-astray", t.hist.Astray, i18n.Args{"Count": ui.Grouped(t.hist.Astray)}))
	}
	p.showNoBars()
}

// showNoBars says why there are no bars.
func (p *tapePage) showNoBars() {
	t := &p.tape
	if t.none.Hidden = len(t.hist.Bars) > 0; !t.none.Hidden {
		id := "tape-wait"
		if t.got {
			id = "tape-empty"
		}
		set(t.none, p.w.T(id))
	}
}

// ticks are the words under the bars: the ends first, then months and days by how much
// they tell. Of some weeks, it is their Mondays that do.
func (p *tapePage) ticks() []ui.HistogramTick {
	h := p.tape.hist
	all := make([]ui.HistogramTick, 0, len(h.Bars))
	hours, weeks := h.Width < 24*time.Hour, h.Width == 24*time.Hour && len(h.Bars) <= 15*7
	if n := len(h.Bars) - 1; p.later() {
		all = append(all, ui.HistogramTick{Bar: n, Text: p.w.T("tape-later")})
		h.Bars = h.Bars[:n]
	}
	first := 0
	if len(h.Bars) > 1 && h.Bars[0].Earlier {
		all = append(all, ui.HistogramTick{Text: p.w.T("tape-earlier")})
		h.Bars, first = h.Bars[1:], 1
	}
	for i, b := range h.Bars {
		at := b.From.In(time.Local)
		mid := at.Add(h.Width / 2)
		midnight := i > 0 && !sameDay(mid, h.Bars[i-1].From.Add(h.Width/2).In(time.Local)) || at.Hour() == 0
		if hours && midnight { // bars may begin at eleven, where the clock went back
			at = mid
		}
		ends := i == 0 || i == len(h.Bars)-1
		t := ui.HistogramTick{Bar: first + i, Text: p.w.short(at, false)}
		switch {
		case ends:
		case hours:
			t.Rank = rankOfHour(at, midnight, h.Width)
		default:
			t.Rank = rankOfDay(at, weeks)
		}
		if t.Rank == least && len(h.Bars) > 24 {
			continue
		}
		if hours && !midnight {
			t.Text = at.Format("15:04")
			if ends {
				t.Text = p.w.short(at, false) + " " + t.Text
			}
		} else if at.YearDay() == 1 || weeks && at.YearDay() <= 7 && at.Weekday() == time.Monday || i == 0 && len(h.Bars) > 1 && at.Year() != p.Clock().In(time.Local).Year() {
			t.Text = p.w.short(at, true)
		}
		all = append(all, t)
	}
	return all
}

// least is the rank of the words that tell least: they stand only where there are few bars.
const least = 6

func rankOfDay(at time.Time, weeks bool) int {
	switch {
	case weeks && at.Weekday() == time.Monday, !weeks && at.Day() == 1:
		return 2
	case !weeks && at.Day() == 15:
		return 3
	case at.Weekday() == time.Monday:
		return 4
	}
	return least
}

func rankOfHour(at time.Time, midnight bool, width time.Duration) int {
	switch {
	case midnight && (at.Day() == 1 || at.Weekday() == time.Monday):
		return 1
	case midnight:
		return 2
	case at.Hour() == 12 && width < 12*time.Hour:
		return 3
	case at.Hour()%6 == 0 && width < 12*time.Hour:
		return 4
	}
	return least
}

// later says that the last bar is of what is yet to come by the clock there.
func (p *tapePage) later() bool {
	bars := p.tape.hist.Bars
	return len(bars) > 0 && bars[len(bars)-1].Later
}

// zoom shows less time, or more, around where the handle is.
func (p *tapePage) zoom(in bool) {
	t := &p.tape
	shown := t.span
	if shown == 0 {
		shown = p.end().Sub(t.hist.Begin)
	}
	all := spans()
	next := t.span
	if in {
		if i := slices.IndexFunc(all, func(s time.Duration) bool { return s > 0 && s < shown }); i >= 0 {
			next = all[i]
		}
	} else {
		next = 0
		for _, s := range all {
			if s > shown && s < p.latest().Sub(t.hist.Begin) {
				next = s
			}
		}
	}
	if next == t.span || len(t.hist.Bars) == 0 {
		return
	}
	t.span = next
	p.centre(p.moment())
	p.look()
	p.showTape()
}

// centre puts a moment in the middle of what shows, as far as there is something at both
// sides.
func (p *tapePage) centre(at time.Time) {
	t := &p.tape
	last := p.Clock()
	if t.hist.Last.After(last) {
		last = t.hist.Last
	}
	to := at.Add(t.span / 2)
	if to.After(last) {
		to = last
	}
	from := to.Add(-t.span)
	if from.Before(t.hist.Begin) {
		from = t.hist.Begin
		to = from.Add(t.span)
	}
	t.from, t.to = from, to
}

// moment is when it is that shows.
func (p *tapePage) moment() time.Time {
	t := &p.tape
	switch {
	case t.live:
		return p.latest()
	case !t.want.At.IsZero():
		return t.want.At
	case t.got:
		return t.view.Moment.At
	}
	return p.latest()
}
