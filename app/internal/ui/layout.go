package ui

import "fyne.io/fyne/v2"

// A shaper is an object whose height follows from its width, as wrapped text
// does. Fyne asks for sizes without a width, so layouts of this package ask
// shapers instead; everything then fits in one pass.
type shaper interface {
	HeightFor(width float32) float32
}

// shaping is the same for layouts.
type shaping interface {
	heightFor(objects []fyne.CanvasObject, width float32) float32
}

// HeightFor returns the height an object needs when it is width wide.
func HeightFor(o fyne.CanvasObject, width float32) float32 {
	switch o := o.(type) {
	case shaper:
		return o.HeightFor(width)
	case *fyne.Container:
		if l, ok := o.Layout.(shaping); ok {
			return l.heightFor(o.Objects, width)
		}
	}
	return o.MinSize().Height
}

// leastFor returns the height that an object can do with at a width. Keys can
// be lower than they would like; nothing else can.
func leastFor(o fyne.CanvasObject, width float32) float32 {
	switch o := o.(type) {
	case *Keys:
		return o.least()
	case *Card:
		return o.leastFor(width)
	case *fyne.Container:
		if c, ok := o.Layout.(column); ok {
			return c.measure(o.Objects, width, leastFor)
		}
	}
	return HeightFor(o, width)
}

func place(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
}

func shown(objects []fyne.CanvasObject) []fyne.CanvasObject {
	all := make([]fyne.CanvasObject, 0, len(objects))
	for _, o := range objects {
		if o != nil && o.Visible() {
			all = append(all, o)
		}
	}
	return all
}

// Column puts objects under each other over the whole width, with a gap named
// by a theme size between them.
func Column(gap fyne.ThemeSizeName, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: column{gap}, Objects: objects}
}

type column struct{ gap fyne.ThemeSizeName }

func (c column) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	all := shown(objects)
	weight := float32(0)
	for _, o := range all {
		if g, ok := stretches(o); ok {
			weight += g.weight
		}
	}
	spare, height := s.Height-c.heightFor(objects, s.Width), HeightFor
	if spare < -0.5 {
		height = leastFor
	}
	y := float32(0)
	spare = max(0, spare)
	for _, o := range all {
		h := height(o, s.Width)
		if g, ok := stretches(o); ok {
			h += spare * g.weight / weight
		}
		place(o, 0, y, s.Width, h)
		y += h + size(c.gap)
	}
}

func (c column) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return c.measure(objects, width, HeightFor)
}

func (c column) measure(objects []fyne.CanvasObject, width float32, height func(fyne.CanvasObject, float32) float32) float32 {
	all := shown(objects)
	h := float32(max(0, len(all)-1)) * size(c.gap)
	for _, o := range all {
		h += height(o, width)
	}
	return h
}

func (c column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	all := shown(objects)
	s := fyne.NewSize(0, float32(max(0, len(all)-1))*size(c.gap))
	for _, o := range all {
		m := o.MinSize()
		s = fyne.NewSize(max(s.Width, m.Width), s.Height+m.Height)
	}
	return s
}

// Row puts objects beside each other, each at its least width and centred in
// the height; a Spring takes what is left, and so does an object in Grow.
func Row(gap fyne.ThemeSizeName, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: row{gap: gap}, Objects: objects}
}

// Columns is Row with its objects at the top.
func Columns(gap fyne.ThemeSizeName, objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: row{gap: gap, top: true}, Objects: objects}
}

type row struct {
	gap fyne.ThemeSizeName
	top bool
}

func (r row) widths(all []fyne.CanvasObject, width float32) []float32 {
	w := make([]float32, len(all))
	left, weight := width-float32(max(0, len(all)-1))*size(r.gap), float32(0)
	for i, o := range all {
		if g, ok := stretches(o); ok {
			weight += g.weight
			continue
		}
		w[i] = o.MinSize().Width
		left -= w[i]
	}
	for i, o := range all {
		if g, ok := stretches(o); ok {
			w[i] = max(0, left) * g.weight / weight
		}
	}
	return w
}

func (r row) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	all := shown(objects)
	x := float32(0)
	for i, w := range r.widths(all, s.Width) {
		h := s.Height
		if g, ok := stretches(all[i]); !ok || !g.tall {
			h = min(s.Height, HeightFor(all[i], w))
		}
		y := (s.Height - h) / 2
		if r.top {
			y = 0
		}
		place(all[i], x, y, w, h)
		x += w + size(r.gap)
	}
}

func (r row) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	all := shown(objects)
	h := float32(0)
	for i, w := range r.widths(all, width) {
		h = max(h, HeightFor(all[i], w))
	}
	return h
}

func (r row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	all := shown(objects)
	s := fyne.NewSize(float32(max(0, len(all)-1))*size(r.gap), 0)
	for _, o := range all {
		m := o.MinSize()
		s = fyne.NewSize(s.Width+m.Width, max(s.Height, m.Height))
	}
	return s
}

// stretching is the layout of what takes room that is left: a spring, or an
// object that grows.
type stretching struct {
	fill
	weight float32
	tall   bool
}

func stretches(o fyne.CanvasObject) (stretching, bool) {
	if c, ok := o.(*fyne.Container); ok {
		l, ok := c.Layout.(stretching)
		return l, ok
	}
	return stretching{}, false
}

// Spring returns room that takes what is left in a Row or a Column.
func Spring() *fyne.Container {
	return &fyne.Container{Layout: stretching{weight: 1}}
}

// Grow lets an object of a Row or Column share the room that is left, by
// weight; in a Row it stands at the full height.
func Grow(weight float32, o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: stretching{weight: weight, tall: true}, Objects: []fyne.CanvasObject{o}}
}

// GrowCentred is Grow for an object of a Row that keeps its own height.
func GrowCentred(weight float32, o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: stretching{weight: weight}, Objects: []fyne.CanvasObject{o}}
}

// fill gives every object the whole size.
type fill struct{}

func (fill) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, s.Width, s.Height)
	}
}

func (fill) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	h := float32(0)
	for _, o := range shown(objects) {
		h = max(h, HeightFor(o, width))
	}
	return h
}

func (fill) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.Size{}
	for _, o := range shown(objects) {
		s = s.Max(o.MinSize())
	}
	return s
}

// Stack lays objects over each other, each over the whole area.
func Stack(objects ...fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: fill{}, Objects: objects}
}

// Limit keeps an object at most width wide, at the left, on a screen that is
// wider than high; a high screen gives it the whole width.
func Limit(width float32, o fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: limit{width}, Objects: []fyne.CanvasObject{o}}
}

type limit struct{ width float32 }

func (l limit) of(width float32) float32 {
	if c := Current().Class; c == Portrait || c == SmallPortrait {
		return width
	}
	return min(l.width, width)
}

func (l limit) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, l.of(s.Width), s.Height)
	}
}

func (l limit) heightFor(objects []fyne.CanvasObject, width float32) float32 {
	return fill{}.heightFor(objects, l.of(width))
}

func (l limit) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fill{}.MinSize(objects)
	return fyne.NewSize(min(m.Width, l.width), m.Height)
}
