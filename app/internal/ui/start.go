package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// A Start is the first screen: a greeting and the key on the dark ground, the
// ways in as large cards over its edge, and the tools low, within reach.
type Start struct {
	widget.BaseWidget

	brand      *Brand
	greet      *Text
	line       *Text
	warning    *Message // in the place of line; nil: all is well
	key        *KeyLine
	tiles      []*Tile
	tools      []fyne.CanvasObject
	language   fyne.CanvasObject
	help       *Text
	helpIcon   *Glyph
	dark, edge fyne.CanvasObject
}

// NewStart returns the first screen with one or two tiles; help says where to
// get help.
func NewStart(portal, greeting, line string, tiles []*Tile, tools Tools, help string) *Start {
	s := &Start{
		brand: NewBrand(portal), greet: Display(greeting).Ink(ColorRailText),
		line: Lead(Plain(line)).Ink(ColorRailMuted), key: NewKeyLine(true), tiles: tiles,
		help: Hint(Plain(help)), helpIcon: NewGlyph(IconQuestion, ColorMuted),
		dark: newGround(ColorRail), edge: newGround(ColorRailBorder),
	}
	if tools.OnLanguage != nil {
		s.language = NewSegmented(tools.Languages, tools.Language, tools.OnLanguage)
		tools.OnLanguage = nil
	}
	s.tools = tools.buttons()
	for _, t := range s.tools {
		t.(*Button).kind = Small
	}
	s.ExtendBaseWidget(s)
	return s
}

// Warn says what is wrong today, in the place of the line under the greeting.
func (s *Start) Warn(title, text string) {
	s.warning = NewMessage(Warning, title, Plain(text))
	s.Refresh()
}

// MinSize is nothing: the screen fills its window.
func (s *Start) MinSize() fyne.Size { return fyne.Size{} }

// CreateRenderer is called by Fyne.
func (s *Start) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	return &startRenderer{s}
}

type startRenderer struct{ s *Start }

func (r *startRenderer) Destroy()           {}
func (r *startRenderer) MinSize() fyne.Size { return fyne.Size{} }

func (r *startRenderer) Refresh() {
	r.Layout(r.s.Size())
	canvas.Refresh(r.s)
}

func (r *startRenderer) Objects() []fyne.CanvasObject {
	s := r.s
	all := []fyne.CanvasObject{s.dark, s.edge, s.brand, s.greet, s.line, s.key}
	if s.warning != nil {
		all = append(all, s.warning)
	}
	for _, t := range s.tiles {
		all = append(all, t)
	}
	if s.language != nil {
		all = append(all, s.language)
	}
	return append(append(all, s.tools...), s.helpIcon, s.help)
}

// Layout lays the screen out from both ends: greeting and key from the top,
// tools from the bottom, and the cards in between, over the edge of the dark.
func (r *startRenderer) Layout(all fyne.Size) {
	if all.Width <= 0 || all.Height <= 0 {
		return
	}
	s := r.s
	side := max(size(SizeSide), all.Width*0.05)
	w := all.Width - 2*side
	y := size(SizeBigGap)
	b := s.brand.MinSize()
	place(s.brand, side, y, w*0.6, b.Height)
	if s.language != nil {
		m := s.language.MinSize()
		place(s.language, side+w-m.Width, y+(b.Height-m.Height)/2, m.Width, m.Height)
	}
	y += b.Height + size(SizeBigGap)
	foot := all.Height - r.low(all, side, w) - size(SizeGap)
	y = r.words(box{side, y, w, foot - y}, all)
	r.cards(box{side, y, w, foot - y}, all)
}

// words puts the greeting, and under it the line or the warning, at the top of
// a box, and returns where they end. Where a warning leaves too little room for
// the cards it does without the greeting.
func (r *startRenderer) words(b box, all fyne.Size) float32 {
	s := r.s
	var second fyne.CanvasObject = s.line
	w := b.w
	if s.warning != nil {
		second, w = s.warning, min(b.w, 1100)
	}
	h := HeightFor(second, w)
	greet := s.greet.HeightFor(b.w) + size(SizeSmallGap)
	_, cards := r.tiles(b.w, all)
	s.greet.Hidden = s.warning != nil && greet+h+size(SizeSmallGap)+cards > b.h
	y := b.y
	if !s.greet.Hidden {
		place(s.greet, b.x, y, b.w, greet-size(SizeSmallGap))
		y += greet
	}
	place(second, b.x, y, w, h)
	return y + h + size(SizeSmallGap)
}

// tiles returns the width of a card and the height that all of them take.
func (r *startRenderer) tiles(w float32, all fyne.Size) (tile, height float32) {
	gap, n := size(SizeGap), float32(len(r.s.tiles))
	if n == 0 {
		return w, 0
	}
	upright := all.Height > all.Width
	if tile = (w - gap*(n-1)) / n; upright {
		tile = w
	}
	for _, t := range r.s.tiles {
		height = max(height, t.HeightFor(tile))
	}
	if upright {
		height = height*n + gap*(n-1)
	}
	return tile, height
}

// cards puts the tiles above the tools and the key in what is left above.
func (r *startRenderer) cards(b box, all fyne.Size) {
	s := r.s
	gap, upright := size(SizeGap), all.Height > all.Width
	tw, tall := r.tiles(b.w, all)
	th := tall
	if n := float32(len(s.tiles)); upright && n > 0 {
		th = (tall - gap*(n-1)) / n
	}
	y := b.y + b.h - tall
	switch {
	case s.warning != nil:
		s.line.Hidden = true
	default:
		if s.line.Hidden = y < b.y; s.line.Hidden {
			b.y -= s.line.HeightFor(b.w) + size(SizeSmallGap)
		}
	}
	for i, t := range s.tiles {
		if upright {
			place(t, b.x, y+float32(i)*(th+gap), tw, th)
		} else {
			place(t, b.x+float32(i)*(tw+gap), y, tw, th)
		}
	}
	dark := y + min(th*0.16, 56)
	place(s.dark, 0, 0, all.Width, dark)
	place(s.edge, 0, dark-2, all.Width, 2)
	k := s.key.MinSize().Height
	room := y - b.y
	s.key.Hidden = room < k
	place(s.key, b.x, b.y+(room-k)/2, b.w, k)
}

// low puts tools and help at the bottom and returns the height they take.
func (r *startRenderer) low(all fyne.Size, side, w float32) float32 {
	s := r.s
	h := size(SizeToolHeight) + size(SizeEdge)
	m := size(SizeGap) * 1.25
	icon := s.helpIcon.MinSize().Width
	words := s.help.Natural() + 2
	tools := float32(0)
	for _, t := range s.tools {
		narrow(t, false)
		tools += t.MinSize().Width + 16
	}
	if tools-16 > w {
		tools = 0
		for _, t := range s.tools {
			narrow(t, true)
			tools += t.MinSize().Width + 16
		}
	}
	take := h + 2*m
	y := all.Height - m - h
	if tools+words+icon+24 > w { // the words go under the tools
		line := s.help.HeightFor(w - icon - 12)
		take += line + 12
		place(s.helpIcon, side, all.Height-m-line, icon, icon)
		place(s.help, side+icon+12, all.Height-m-line, w-icon-12, line)
		y -= line + 12
	} else {
		line := s.help.HeightFor(words)
		place(s.help, side+w-words, y+(h-line)/2, words, line)
		place(s.helpIcon, side+w-words-icon-12, y+(h-icon)/2, icon, icon)
	}
	x := side
	for _, t := range s.tools {
		tm := t.MinSize()
		place(t, x, y, tm.Width, tm.Height)
		x += tm.Width + 16
	}
	return take
}
