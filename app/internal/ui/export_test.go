package ui

import (
	"slices"
	"time"
)

// Smallest returns the width and height of the smallest key, with its edge,
// when the keys have their least size.
func (k *Keys) Smallest() (w, h float32) {
	w, h = k.MinSize().Width, k.MinSize().Height
	for _, p := range k.pages {
		g := k.grid(k.MinSize())
		for y, row := range p.rows {
			for _, c := range row {
				_, s := g.place(y, c)
				w, h = min(w, s.Width), min(h, s.Height)
			}
		}
	}
	return w, h
}

// Tick is what the clock of a masked value calls.
func (m *Masked) Tick() { m.tick() }

// Words returns where the words under the plot stand, from left to right.
func (h *Histogram) Words() (all [][2]float32) {
	for _, t := range h.shown.ticks {
		if t.Visible() {
			all = append(all, [2]float32{t.Position().X, t.Position().X + t.MinSize().Width})
		}
	}
	slices.SortFunc(all, func(a, b [2]float32) int { return int(8 * (a[0] - b[0])) })
	return all
}

// Place returns where a moment stands in the plot.
func (h *Histogram) Place(t time.Time) float32 { return h.place(t) }

// Beat returns how often the dots of a busy button moved.
func (b *Button) Beat() int { return b.beat }
