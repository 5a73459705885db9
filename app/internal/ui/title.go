package ui

import "fyne.io/fyne/v2"

// A title is laid out as the head of a page about one thing: a heading with a
// badge beside it, a line under both, and at the right what shows how it
// stands and the way back. What does not fit goes under the words.
type title struct{ least float32 }

// NewTitle returns the head of a page: heading, badge and the line under them,
// and at the right a picture of how it stands and the way back.
func NewTitle(heading *Text, badge *Badge, line *Text, picture, back fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: title{380}, Objects: []fyne.CanvasObject{heading, badge, line, picture, back}}
}

func (t title) walk(o []fyne.CanvasObject, width float32, at func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	heading, badge, line, picture, back := o[0], o[1], o[2], o[3], o[4]
	gap := size(SizeGap)
	pw, bw := picture.MinSize(), back.MinSize()
	left := width - bw.Width - gap
	beside := left-pw.Width-gap >= t.least*grownBy()
	if beside {
		left -= pw.Width + gap
	}
	// the words
	y, mw := float32(0), badge.MinSize()
	hw := left
	natural := left
	if x, ok := heading.(*Text); ok {
		natural = min(left, x.Natural()+1)
	}
	inline := badge.Visible() && natural+gap+mw.Width <= left
	if inline {
		hw = natural
	}
	hh := HeightFor(heading, hw)
	at(heading, 0, 0, hw, hh)
	if inline {
		at(badge, hw+gap, (hh-mw.Height)/2, mw.Width, mw.Height)
	}
	y = hh
	if badge.Visible() && !inline {
		at(badge, 0, y, min(left, mw.Width), mw.Height)
		y += mw.Height + 4
	}
	lh := HeightFor(line, left)
	at(line, 0, y, left, lh)
	y += lh
	// the right
	if beside {
		at(picture, left+gap, max(0, (y-pw.Height)/2), pw.Width, pw.Height)
		at(back, width-bw.Width, max(0, (y-bw.Height)/2), bw.Width, bw.Height)
		return max(y, bw.Height)
	}
	at(back, width-bw.Width, 0, bw.Width, bw.Height)
	y = max(y, bw.Height) + 8
	at(picture, 0, y, min(width, pw.Width), pw.Height)
	return y + pw.Height
}

func (t title) Layout(o []fyne.CanvasObject, s fyne.Size) {
	t.walk(o, s.Width, func(o fyne.CanvasObject, x, y, w, h float32) { place(o, x, y, w, h) })
}

func (t title) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return t.walk(o, width, func(fyne.CanvasObject, float32, float32, float32, float32) {})
}

func (title) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(o[4].MinSize().Width+200, o[4].MinSize().Height)
}

// NewAside puts the parts of a page in two columns, main and side; where that
// would be narrow, in one: the first of main, all of side, the rest of main.
func NewAside(main, side []fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: aside{len(main)}, Objects: append(append([]fyne.CanvasObject{}, main...), side...)}
}

type aside struct{ main int } // how many of the objects are of the main column

func (a aside) walk(o []fyne.CanvasObject, width float32, at func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	gap := size(SizeGap) * 1.5
	main, side := shown(o[:a.main]), shown(o[a.main:])
	column := func(all []fyne.CanvasObject, x, w float32) float32 {
		y := float32(0)
		for _, part := range all {
			h := HeightFor(part, w)
			at(part, x, y, w, h)
			y += h + gap
		}
		return max(0, y-gap)
	}
	if len(side) > 0 && width >= 860*grownBy() {
		right := float32(int((width - gap) * 0.36))
		return max(column(main, 0, width-gap-right), column(side, width-right, right))
	}
	first := min(1, len(main))
	all := append(append(append([]fyne.CanvasObject{}, main[:first]...), side...), main[first:]...)
	return column(all, 0, width)
}

func (a aside) Layout(o []fyne.CanvasObject, s fyne.Size) {
	a.walk(o, s.Width, func(o fyne.CanvasObject, x, y, w, h float32) { place(o, x, y, w, h) })
}

func (a aside) heightFor(o []fyne.CanvasObject, width float32) float32 {
	return a.walk(o, width, func(fyne.CanvasObject, float32, float32, float32, float32) {})
}

func (aside) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 64) }
