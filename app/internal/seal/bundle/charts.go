package bundle

import (
	"math"
	"time"
)

// What the template draws as SVG: places and sizes in the chart's own units.
// Nothing in a chart is told by colour alone: bars of one chart differ in their
// pattern, too, and every number stands in a title or a label.

// A chart of bars over time.
type chart struct {
	Width, Height float64
	Left, Base    float64 // where the axes are
	Bars          []bar
	Grid          []mark // lines, with what they stand for
	Ticks         []mark // under the bars
	Label         string // all of it in a sentence, for who does not see it
}

// A bar is a rectangle; its class gives the fill.
type bar struct {
	X, Y, W, H float64
	Class      string
	Title      string
}

// A mark is a place on an axis with its words.
type mark struct {
	At   float64
	Text string
}

// A series is one kind of bars of a chart, from the bottom up.
type series struct {
	class string
	of    func(day) int64
	words func(n int64, when string) string
}

// A frame is how large a chart is, in pixels of the page.
type frame struct{ width, height float64 }

var (
	wide = frame{1020, 240}
	half = frame{480, 260}
)

const (
	chartLeft, chartTop = 46.0, 10.0
	chartFoot           = 34.0
	tickRoom            = 80.0 // of the words under a bar, on a narrow screen, where they are larger
)

// stacked draws bars over time, the series one on top of the other.
func (f frame) stacked(spans []span, all []series, when func(time.Time) string, number func(int64) string) chart {
	c := chart{Width: f.width, Height: f.height, Left: chartLeft, Base: f.height - chartFoot}
	highest := int64(1)
	for _, s := range spans {
		sum := int64(0)
		for _, of := range all {
			sum += of.of(s.day)
		}
		highest = max(highest, sum)
	}
	step := nice(highest)
	top := (highest + step - 1) / step * step
	scale := (c.Base - chartTop) / float64(top)
	for n := int64(0); n <= top; n += step {
		c.Grid = append(c.Grid, mark{round(c.Base - float64(n)*scale), number(n)})
	}
	slot := (f.width - chartLeft) / float64(max(len(spans), 1))
	width := min(slot*0.7, 48)
	every := max(1, int(math.Ceil(tickRoom/slot)))
	for i, s := range spans {
		x := chartLeft + slot*float64(i) + (slot-width)/2
		y := c.Base
		for _, of := range all {
			n := of.of(s.day)
			if n == 0 {
				continue
			}
			h := float64(n) * scale
			y -= h
			c.Bars = append(c.Bars, bar{round(x), round(y), round(width), round(max(h, 1)), of.class, of.words(n, when(s.from))})
		}
		if middle := x + width/2; i%every == 0 && middle+tickRoom/2 < f.width {
			c.Ticks = append(c.Ticks, mark{round(middle), when(s.from)})
		}
	}
	return c
}

// nice returns a round step that divides a height in two to five.
func nice(highest int64) int64 {
	step := int64(1)
	for {
		for _, by := range []int64{1, 2, 5} {
			if s := step * by; highest <= 5*s {
				return s
			}
		}
		step *= 10
	}
}

// round keeps the file small: a tenth of a unit is not seen.
func round(x float64) float64 { return math.Round(x*10) / 10 }

// A row is one line of a table that is drawn: a name, a number, and bars.
type row struct {
	Name, Code, Number string
	Bars               []bar
}

// rows draws the bars of each, in per cent of the longest one's. The classes are
// those of each row's values.
func rows(all []row, values [][]int64, classes []string, titles func(i, j int) string) []row {
	highest := int64(1)
	for _, v := range values {
		highest = max(highest, sum(v))
	}
	for i, v := range values {
		x := 0.0
		for j, class := range classes {
			if v[j] == 0 {
				continue
			}
			w := max(float64(v[j])/float64(highest)*100, 0.5)
			all[i].Bars = append(all[i].Bars, bar{X: round(x), W: round(w), Class: class, Title: titles(i, j)})
			x += w
		}
	}
	return all
}

func sum(v []int64) (n int64) {
	for _, x := range v {
		n += x
	}
	return n
}

// A cell is an hour of the week.
type cell struct {
	bar
	Opacity float64
}

// week draws the hours of the week: days downward, hours to the right.
func (f *figures) week(title func(weekday, hour int, n int64) string) (all []cell) {
	highest := int64(1)
	for _, d := range f.hours {
		for _, n := range d {
			highest = max(highest, n)
		}
	}
	for d, row := range f.hours {
		for h, n := range row {
			c := cell{bar: bar{X: float64(h) * 20, Y: float64(d) * 22, W: 18, H: 20, Class: "heat", Title: title(d, h, n)}}
			if n == 0 {
				c.Class = "none"
				c.Opacity = 1
			} else { // what is rare has to be seen: it is what somebody looks for
				c.Opacity = math.Round((0.15+0.85*math.Sqrt(float64(n)/float64(highest)))*100) / 100
			}
			all = append(all, c)
		}
	}
	return all
}
