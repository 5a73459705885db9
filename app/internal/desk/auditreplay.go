package desk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/timeline"
)

// Timeline returns how many events there were when.
func (a *Auditor) Timeline(ctx context.Context, shift string, q HistogramQuery) (h Histogram, err error) {
	err = a.d.audited(ctx, shift, func(ctx context.Context, _ Agent) error {
		line, err := a.d.Replays.Line(ctx)
		if err != nil {
			return fmt.Errorf("read how many events there were: %w", err)
		}
		h, err = histogram(line, q, a.d.Now())
		return err
	})
	return nothingUnless(h, err)
}

const usualBars = 60

// histogram puts the hours of a line into bars. Some events that a wrong clock has put years
// ahead or back must not squeeze all others into one bar. Each moves at most one other, and
// as long as they are less than a twentieth, each makes what shows longer by timeline.FarBack
// at the most, or by the time between the first tenth and the last one, where that is longer;
// and it never goes on for more than timeline.FarAhead after now.
func histogram(line *timeline.Line, q HistogramQuery, now time.Time) (Histogram, error) {
	zone, err := zoneNamed(q.Zone)
	if err != nil || !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From) {
		return Histogram{}, refuse(BadRange)
	}
	h := Histogram{Width: time.Hour, Events: line.Events(), Astray: line.Astray(), Position: uint64(line.Position())}
	if h.Events == 0 {
		return h, nil
	}
	h.First, _ = line.Span()
	var ahead bool
	h.Begin, h.Last, ahead = line.Reach(now)
	from, to := clamp(q.From, h.Begin, h.Last, h.Begin), clamp(q.To, h.Begin, h.Last, h.Last)
	bars := q.Bars
	if bars <= 0 {
		bars = usualBars
	}
	r := rule(from.In(zone), to.In(zone), min(bars, MostBars))
	h.Width = r.width()
	earlier, later := Bar{From: h.First, Earlier: true}, Bar{From: r.end.UTC(), Later: true}
	ahead = ahead && r.end.After(h.Last) // and it shows up to there
	back := !from.After(h.Begin)
	h.Bars = r.fill(line, to, func(hour time.Time, events int) {
		switch {
		case back && hour.Before(h.Begin):
			earlier.Events += events
		case ahead && !hour.Before(r.end):
			later.Events += events
		}
	})
	if earlier.Events > 0 {
		h.Bars = slices.Insert(h.Bars, 0, earlier)
	}
	if later.Events > 0 {
		h.Bars = append(h.Bars, later)
	}
	return h, nil
}

// clamp returns a moment between two, and another one where there is none.
func clamp(t, low, high, otherwise time.Time) time.Time {
	switch {
	case t.IsZero():
		return otherwise
	case t.Before(low):
		return low
	case t.After(high):
		return high
	}
	return t
}

// zoneNamed returns the zone with a name of IANA's.
func zoneNamed(name string) (*time.Location, error) {
	if len(name) > 64 || name == "Local" {
		return nil, refuse(BadRange)
	}
	return time.LoadLocation(name)
}

// A ruler is how wide bars are, and where they begin and end.
type ruler struct {
	start, end  time.Time // in the zone of whoever looks
	hours, days int       // of a bar; one of them is 0
}

// rule finds the narrowest bars of which at most so many hold two moments and what is in
// between.
func rule(from, to time.Time, most int) ruler {
	y, m, d := from.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, from.Location())
	for _, n := range []int{1, 2, 3, 4, 6, 12} {
		r := ruler{start: midnight, hours: n}
		for next := r.next(r.start); !next.After(from); next = r.next(r.start) {
			r.start = next
		}
		if r.fits(to, most) {
			return r
		}
	}
	for n := 1; ; n *= 2 {
		if r := (ruler{start: midnight, days: n}); r.fits(to, most) {
			return r
		}
		if n == 2 { // then whole weeks
			n = 7
			if r := (ruler{start: midnight, days: n}); r.fits(to, most) {
				return r
			}
		}
	}
}

// next returns where the bar after one begins.
func (r *ruler) next(t time.Time) time.Time {
	if r.hours > 0 {
		return t.Add(time.Duration(r.hours) * time.Hour)
	}
	y, m, d := t.Date()
	return time.Date(y, m, d+r.days, 0, 0, 0, 0, t.Location())
}

// fits says whether so many bars are enough, and notes where the last one ends.
func (r *ruler) fits(to time.Time, most int) bool {
	r.end = r.start
	for range most {
		if r.end = r.next(r.end); r.end.After(to) {
			return true
		}
	}
	return false
}

func (r *ruler) width() time.Duration { return time.Duration(r.hours+24*r.days) * time.Hour }

// fill returns the bars up to a moment with what they hold of a line; what they do not goes
// to others.
func (r *ruler) fill(line *timeline.Line, to time.Time, others func(hour time.Time, events int)) []Bar {
	var all []Bar
	for t := r.start; !t.After(to); t = r.next(t) {
		all = append(all, Bar{From: t.UTC()})
	}
	at := 0
	line.Hours(func(hour time.Time, events int) bool {
		for at+1 < len(all) && !hour.Before(all[at+1].From) {
			at++
		}
		// An hour belongs to the bar that it begins in; where the zone is half an hour off,
		// the first one begins before.
		if hour.Add(time.Hour).After(all[0].From) && hour.Before(r.end) {
			all[at].Events += events
		} else {
			others(hour, events)
		}
		return true
	})
	return all
}

// Replay returns how it stood at a moment, and how it stands now.
func (a *Auditor) Replay(ctx context.Context, shift string, m Moment) (v ReplayView, err error) {
	err = a.d.audited(ctx, shift, func(ctx context.Context, _ Agent) error {
		now, err := a.d.Replays.Now(ctx)
		if err != nil {
			return fmt.Errorf("look how it stands: %w", err)
		}
		p, err := a.d.position(ctx, m)
		if err != nil {
			return err
		}
		then := now
		if p < now.Position {
			if then, err = a.d.Replays.Seek(ctx, p); err != nil {
				return fmt.Errorf("replay up to position %d: %w", p, err)
			}
		}
		v = ReplayView{
			Moment: Moment{uint64(then.Position), then.At}, Events: then.Events, Total: now.Events, Then: then.Standing, Now: now.Standing,
		}
		return nil
	})
	return nothingUnless(v, err)
}

// position returns which place in the log a moment is: the head for now, and 0 for before
// the first event.
func (d *Desk) position(ctx context.Context, m Moment) (domain.Position, error) {
	if m.Position != 0 {
		return domain.Position(m.Position), nil
	}
	if m.At.IsZero() {
		p, err := d.Log.Head(ctx)
		if err != nil {
			return 0, fmt.Errorf("look how far the log is: %w", err)
		}
		return p, nil
	}
	p, err := d.Replays.PositionAt(ctx, m.At)
	if err != nil {
		return 0, fmt.Errorf("look where in the log a moment is: %w", err)
	}
	return p, nil
}

// Step returns where the by-th event of a filter stands after a position, or before it
// when by is negative: where there are fewer, the furthest one. NoEvent: there is none.
func (a *Auditor) Step(ctx context.Context, shift string, from uint64, by int, f EventFilter) (m Moment, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, agent Agent) error {
		filter, err := d.filter(ctx, shift, agent, &f)
		if err != nil {
			return err
		}
		row, ok := d.Index.Step(domain.Position(from), by, filter)
		switch {
		case !ok && d.Index.Ready() < 1:
			return refuse(NotReady)
		case !ok:
			return refuse(NoEvent)
		}
		m = Moment{uint64(row.Position), row.Recorded}
		return nil
	})
	return nothingUnless(m, err)
}
