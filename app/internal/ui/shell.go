package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Tools are the words and functions of the tools that every screen has. A nil
// function leaves its tool out: reading aloud, say, where nothing can speak.
type Tools struct {
	ReadAloud, LargerText, Contrast       string
	OnReadAloud, OnLargerText, OnContrast func()
	Languages                             []string // as shown: NL, EN
	Language                              int
	OnLanguage                            func(int)
}

// Buttons returns the tools for a dark ground, in their order.
func (t Tools) buttons() []fyne.CanvasObject {
	var all []fyne.CanvasObject
	add := func(text string, icon Icon, lit func() bool, f func()) {
		if f != nil {
			b := NewButton(Tool, text, f).WithLeft(icon)
			b.lit = lit
			all = append(all, b)
		}
	}
	add(t.ReadAloud, IconSpeaker, nil, t.OnReadAloud)
	add(t.LargerText, IconTextSize, func() bool { return Current().Scale > Normal }, t.OnLargerText)
	add(t.Contrast, IconContrast, func() bool { return Current().Mode == HighContrast }, t.OnContrast)
	if t.OnLanguage != nil {
		all = append(all, NewSegmented(t.Languages, t.Language, t.OnLanguage))
	}
	return all
}

// A Page is what one screen shows inside the shell. Parts that are nil are
// left out.
type Page struct {
	Step    int    // 1 … 6 the current one; 0 none yet; 7 all done
	Caption string // above the steps: "Stap 1 van 6"
	Next    string // what comes after, for a lying rail: "Straks: …"

	Heading string
	Display bool // the heading is a greeting: Hoi!, Gelukt!
	Lead    fyne.CanvasObject

	Content  fyne.CanvasObject
	Side     fyne.CanvasObject // beside the content; on a high screen under it
	Keyboard fyne.CanvasObject // over the whole width, above the foot

	Stop    *Button           // top right
	Back    *Button           // bottom left
	Extra   fyne.CanvasObject // beside Back
	Primary *Button           // bottom right
	Help    fyne.CanvasObject // bottom right where there is no Primary
}

// A Shell is the frame of every step of the kiosk: rail, heading, content,
// foot and tools. It lays itself out for the class and scale of the theme in
// force, so a change of either needs nothing but a new theme. Nothing scrolls.
type Shell struct {
	widget.BaseWidget

	brand   *Brand
	rail    *StepRail
	tools   []fyne.CanvasObject
	page    Page
	heading *Text
	covered bool
	fits    bool

	railGround, toolGround, panel, footLine, railEdge *rule
}

// NewShell returns an empty shell for a portal with the names of its steps.
func NewShell(portal string, steps []string, tools Tools) *Shell {
	s := &Shell{
		brand: NewBrand(portal), rail: NewStepRail(steps, false), tools: tools.buttons(), heading: Heading(""),
		railGround: newGround(ColorRail), toolGround: newGround(ColorRail), panel: newGround(ColorKeyboard),
		footLine: newLine(theme.ColorNameSeparator), railEdge: newGround(ColorRailBorder),
	}
	s.ExtendBaseWidget(s)
	return s
}

// SetPage puts a page into the frame. Nothing has the focus then, so that no
// key reaches a field that is gone; what was typed there is the business of
// whoever made it.
func (s *Shell) SetPage(p Page) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(s); c != nil {
		c.Unfocus()
	}
	s.page, s.covered = p, false
	role := RoleHeading
	if p.Display {
		role = RoleDisplay
	}
	s.heading = NewText(role, Plain(p.Heading))
	s.rail.Set(p.Step, p.Caption, p.Next)
	s.Refresh()
}

// Page returns what is shown.
func (s *Shell) Page() Page { return s.page }

// Fits says whether all of the page had room when it was last laid out.
// Nothing scrolls, so tests ask this of every page at every size.
func (s *Shell) Fits() bool { return s.fits }

// Cover hides what the page shows of a person, under a veil, or shows it
// again. The frame stays.
func (s *Shell) Cover(on bool) {
	s.covered = on
	s.Refresh()
}

// MinSize is nothing: the shell fills its window.
func (s *Shell) MinSize() fyne.Size { return fyne.Size{} }

// CreateRenderer is called by Fyne.
func (s *Shell) CreateRenderer() fyne.WidgetRenderer {
	s.ExtendBaseWidget(s)
	return &shellRenderer{s}
}

type shellRenderer struct{ s *Shell }

func (r *shellRenderer) Destroy()           {}
func (r *shellRenderer) MinSize() fyne.Size { return fyne.Size{} }

func (r *shellRenderer) Refresh() {
	r.Layout(r.s.Size())
	canvas.Refresh(r.s)
}

// Objects come in the order of the Tab key: content, primary, back, tools.
func (r *shellRenderer) Objects() []fyne.CanvasObject {
	s, p := r.s, r.s.page
	all := []fyne.CanvasObject{s.railGround, s.toolGround, s.panel, s.footLine, s.railEdge, s.brand, s.rail}
	if !s.covered {
		all = append(all, s.heading)
		for _, o := range []fyne.CanvasObject{p.Lead, p.Content, p.Side, p.Keyboard} {
			if o != nil {
				all = append(all, o)
			}
		}
	}
	for _, b := range []*Button{p.Primary, p.Back, p.Stop} {
		if b != nil {
			all = append(all, b)
		}
	}
	for _, o := range []fyne.CanvasObject{p.Extra, p.Help} {
		if o != nil {
			all = append(all, o)
		}
	}
	return append(all, s.tools...)
}

// A box is a place on the screen.
type box struct{ x, y, w, h float32 }

// Layout divides the screen: rail and tools first, then the foot, the keyboard
// above it, and the rest for heading and content.
func (r *shellRenderer) Layout(size fyne.Size) {
	if size.Width <= 0 || size.Height <= 0 {
		return
	}
	s := r.s
	o := Current()
	s.toolGround.Hide()
	s.rail.lying = !o.RailAtLeft()
	var main box
	switch {
	case o.RailAtLeft():
		main = r.standing(size)
	case o.Class == Portrait || o.Class == SmallPortrait:
		main = r.upright(size)
	default:
		main = r.band(size)
	}
	// Where the content does not fit, the margins give way first, then the
	// height of the keys, and then the lead.
	s.fits = false
	for squeeze := 0; squeeze < 4 && !s.fits; squeeze++ {
		s.fits = r.body(r.head(r.foot(main, squeeze), squeeze))
	}
}

// standing puts the rail at the left, with the tools at its foot.
func (r *shellRenderer) standing(all fyne.Size) box {
	s, w := r.s, size(SizeRail)
	const edge = 40
	place(s.railGround, 0, 0, w, all.Height)
	place(s.railEdge, w-2, 0, 2, all.Height)
	b := s.brand.MinSize()
	place(s.brand, edge, 48, w-2*edge, b.Height)
	m := s.rail.MinSize()
	place(s.rail, edge, 48+b.Height+40, w-2*edge, m.Height)
	const gap = 16
	half, h := (w-2*edge-gap)/2, size(SizeToolHeight)
	rows := (len(s.tools) + 1) / 2
	for i, t := range s.tools {
		y := all.Height - edge - float32(rows-i/2)*(h+gap) + gap
		width := half
		if i%2 == 0 && i == len(s.tools)-1 {
			width = 2*half + gap
		}
		narrow(t, false)
		place(t, edge+float32(i%2)*(half+gap), y, width, h)
	}
	return box{w, 0, all.Width - w, all.Height}
}

// band puts logo, rail and tools beside each other on top.
func (r *shellRenderer) band(all fyne.Size) box {
	s, h, edge := r.s, size(SizeRail), size(SizeSide)
	place(s.railGround, 0, 0, all.Width, h)
	place(s.railEdge, 0, h-2, all.Width, 2)
	const gap = 12
	tools := r.toolWidths(false)
	brand := s.brand.MinSize()
	if all.Width-2*edge-brand.Width-tools-80 < 440 {
		tools = r.toolWidths(true)
	}
	x := all.Width - edge - tools
	for _, t := range s.tools {
		m := t.MinSize()
		place(t, x, (h-m.Height)/2, m.Width, m.Height)
		x += m.Width + gap
	}
	place(s.brand, edge, (h-brand.Height)/2, brand.Width, brand.Height)
	x = edge + brand.Width + 40
	m := s.rail.MinSize()
	place(s.rail, x, (h-m.Height)/2, all.Width-edge-tools-40-x, m.Height)
	return box{0, h, all.Width, all.Height - h}
}

func (r *shellRenderer) toolWidths(iconsOnly bool) float32 {
	w := float32(-12)
	for _, t := range r.s.tools {
		narrow(t, iconsOnly)
		w += t.MinSize().Width + 12
	}
	return max(0, w)
}

func narrow(o fyne.CanvasObject, iconOnly bool) {
	if b, ok := o.(*Button); ok {
		b.IconOnly = iconOnly
	}
}

// upright puts logo and rail on top, and the tools at the bottom, where hands
// are.
func (r *shellRenderer) upright(all fyne.Size) box {
	s, h, edge := r.s, size(SizeRail), size(SizeSide)
	place(s.railGround, 0, 0, all.Width, h)
	place(s.railEdge, 0, h-2, all.Width, 2)
	b, m := s.brand.MinSize(), s.rail.MinSize()
	top := (h - size(SizeToolHeight) - m.Height) / 2.6
	place(s.brand, edge, top+(size(SizeToolHeight)-b.Height)/2, min(b.Width, all.Width/2), b.Height)
	if s.page.Stop != nil {
		w := s.page.Stop.MinSize()
		s.page.Stop.kind = Tool
		place(s.page.Stop, all.Width-edge-w.Width-16, top, w.Width+16, size(SizeToolHeight))
	}
	place(s.rail, edge, h-top-m.Height, all.Width-2*edge, m.Height)
	if len(s.tools) == 0 {
		return box{0, h, all.Width, all.Height - h}
	}
	th := size(SizeToolHeight) + 2*size(SizeGap)*0.75
	s.toolGround.Show()
	place(s.toolGround, 0, all.Height-th, all.Width, th)
	n := float32(len(s.tools))
	const gap = 16
	w := (all.Width - 2*edge - gap*(n-1)) / n
	icons := false
	for _, t := range s.tools {
		narrow(t, false)
		icons = icons || t.MinSize().Width > w+0.5
	}
	for i, t := range s.tools {
		narrow(t, icons)
		place(t, edge+float32(i)*(w+gap), all.Height-th+(th-size(SizeToolHeight))/2, w, size(SizeToolHeight))
	}
	return box{0, h, all.Width, all.Height - h - th}
}

// panelKeys returns the keys that go above the foot: the keyboard, and on a
// high screen also a number pad that would else stand beside the content.
func (r *shellRenderer) panelKeys() fyne.CanvasObject {
	p := r.s.page
	if p.Keyboard != nil {
		return p.Keyboard
	}
	if k, ok := p.Side.(*Keys); ok && r.tall() {
		return k
	}
	return nil
}

func (r *shellRenderer) tall() bool {
	c := Current().Class
	return c == Portrait || c == SmallPortrait
}

// foot puts the buttons at the bottom and the keyboard above them, and returns
// what is left above.
func (r *shellRenderer) foot(b box, squeeze int) box {
	s, p, edge, h := r.s, r.s.page, size(SizeSide), size(SizeFoot)
	if squeeze > 1 {
		h = min(h, size(SizeButtonHeight)+size(SizeEdge)+20)
	}
	y := b.y + b.h - h
	keys := r.panelKeys()
	s.footLine.Hidden, s.panel.Hidden = keys != nil, keys == nil
	line := size(theme.SizeNameSeparatorThickness)
	place(s.footLine, b.x, y, b.w, line)
	x, right := b.x+edge, b.x+b.w-edge
	middle := func(o fyne.CanvasObject, x, w float32) {
		oh := HeightFor(o, w)
		place(o, x, y+(h-oh)/2, w, oh)
	}
	if p.Back != nil {
		w := p.Back.MinSize().Width
		middle(p.Back, x, w)
		x += w + 24
	}
	if p.Primary != nil {
		w := p.Primary.MinSize().Width
		middle(p.Primary, right-w, w)
		right -= w + 24
	} else if p.Help != nil {
		w := min(p.Help.MinSize().Width, right-x)
		middle(p.Help, right-w, w)
		right -= w + 24
	}
	if p.Extra != nil {
		w := max(0, right-x)
		if _, ok := p.Extra.(*Button); ok {
			w = min(w, p.Extra.MinSize().Width)
		}
		middle(p.Extra, x, w)
	}
	if keys == nil {
		return box{b.x, b.y, b.w, b.h - h}
	}
	kh := keys.MinSize().Height
	if squeeze > 1 {
		kh = leastFor(keys, b.w-2*edge)
	}
	top := size(SizeSmallGap) * 1.5
	if squeeze > 1 || Current().Class == Compact {
		top = 12
	}
	place(keys, b.x+edge, y-kh, b.w-2*edge, kh)
	place(s.panel, b.x, y-kh-top, b.w, kh+top+h)
	return box{b.x, b.y, b.w, b.h - h - kh - top}
}

// head puts heading, lead and Stop, and returns what is left below.
func (r *shellRenderer) head(b box, squeeze int) box {
	s, p := r.s, r.s.page
	top, gap := r.top(), size(SizeGap)
	if squeeze > 0 {
		top, gap = top/2, gap/2
	}
	edge, y := size(SizeSide), b.y+top
	w := b.w - 2*edge
	x := b.x + edge
	if p.Stop != nil && !r.tall() {
		p.Stop.kind = Quiet
		m := p.Stop.MinSize()
		place(p.Stop, x+w-m.Width, y-(m.Height-size(theme.SizeNameHeadingText)*1.05)/2, m.Width, m.Height)
		w -= m.Width + 24
	}
	if p.Heading != "" {
		h := s.heading.HeightFor(w)
		place(s.heading, x, y, w, h)
		y += h
	}
	if t, ok := p.Lead.(*Text); ok {
		t.Hidden = squeeze > 2
	}
	if p.Lead != nil && p.Lead.Visible() {
		y += 8
		if r.panelKeys() == nil || !p.Display {
			w = b.w - 2*edge
		}
		h := HeightFor(p.Lead, w)
		place(p.Lead, x, y, w, h)
		y += h
	}
	y += gap
	return box{x, y, b.w - 2*edge, b.y + b.h - y - gap/2}
}

// top is less where a keyboard needs the height.
func (r *shellRenderer) top() float32 {
	t := size(SizeTop)
	if k, ok := r.s.page.Keyboard.(*Keys); ok && len(k.pages[k.page].rows) > 4 {
		return t * 0.65
	}
	return t
}

// body puts the content, and beside or under it what belongs there, and says
// whether there is room for all of it.
func (r *shellRenderer) body(b box) bool {
	p := r.s.page
	side, fits := p.Side, true
	if side != nil && side == r.panelKeys() {
		side = nil
	}
	if side != nil && !r.tall() {
		w := side.MinSize().Width
		h := HeightFor(side, w)
		fits = leastFor(side, w) <= b.h+0.5
		place(side, b.x+b.w-w, b.y, w, min(h, b.h))
		b.w -= w + size(SizeSide)*0.75
	}
	if p.Content == nil {
		return fits
	}
	h := HeightFor(p.Content, b.w)
	fits = fits && h <= b.h+0.5
	if side != nil && r.tall() {
		y := b.y + h + size(SizeGap)
		sh := HeightFor(side, b.w)
		place(side, b.x, y, b.w, min(sh, b.y+b.h-y))
		fits = fits && y+leastFor(side, b.w) <= b.y+b.h+0.5
	} else {
		h = b.h
	}
	place(p.Content, b.x, b.y, b.w, h)
	return fits
}
