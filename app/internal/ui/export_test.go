package ui

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
