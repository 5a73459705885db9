package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A MessageKind is what a message is about.
type MessageKind int

// The kinds of message.
const (
	Info MessageKind = iota
	Success
	Warning
	Failure
)

// A Message says what happened and what to do, in a box with an icon.
type Message struct {
	widget.BaseWidget

	kind        MessageKind
	icon        Icon
	title, text *Text
}

// NewMessage returns a box with a bold title and text under it; either may be
// empty.
func NewMessage(kind MessageKind, title string, text ...Span) *Message {
	m := &Message{kind: kind, title: NewText(RoleLead), text: NewText(RoleBody)}
	m.Set(title, text...)
	m.ExtendBaseWidget(m)
	return m
}

// WithIcon takes another icon than that of the kind, and returns the message.
func (m *Message) WithIcon(i Icon) *Message {
	m.icon = i
	return m
}

// Set changes the words.
func (m *Message) Set(title string, text ...Span) {
	m.title.Set(Bold(title))
	m.text.Set(text...)
	m.title.Hidden, m.text.Hidden = title == "", len(text) == 0
	m.Refresh()
}

// SetKind changes what the message is about.
func (m *Message) SetKind(k MessageKind) {
	m.kind = k
	m.Refresh()
}

// String returns the words, as they would be read aloud.
func (m *Message) String() string { return m.title.String() + " " + m.text.String() }

type messageStyle struct {
	ground, ink fyne.ThemeColorName
	icon        Icon
	line        float32
}

func (m *Message) style() messageStyle {
	s := messageStyle{ColorTint, ColorOnTint, IconInfo, 0}
	switch m.kind {
	case Info:
		if Current().Mode == HighContrast {
			s.ground, s.line = ColorSurface, 2
		}
	case Success:
		s = messageStyle{ColorSuccessBg, theme.ColorNameSuccess, IconCheck, 2}
	case Warning:
		s = messageStyle{ColorWarningBg, theme.ColorNameWarning, IconWarning, 2}
	case Failure:
		s = messageStyle{ColorErrorBg, theme.ColorNameError, IconWarning, 2}
	}
	if m.icon != "" {
		s.icon = m.icon
	}
	return s
}

func (m *Message) margins() (x, y, icon float32) {
	return size(SizeGap), size(SizeSmallGap) * 1.5, size(SizeLead) * 1.45
}

// HeightFor returns the height at that width.
func (m *Message) HeightFor(width float32) float32 {
	x, y, icon := m.margins()
	w := width - 2*x - icon - x*0.75
	h := 2 * y
	if m.title.Visible() {
		h += m.title.HeightFor(w)
	}
	if m.text.Visible() {
		h += m.text.HeightFor(w)
	}
	return h
}

// MinSize fits the longest word.
func (m *Message) MinSize() fyne.Size {
	x, _, icon := m.margins()
	w := max(m.title.MinSize().Width, m.text.MinSize().Width) + 2.75*x + icon
	return fyne.NewSize(w, m.HeightFor(max(w, m.Size().Width)))
}

// CreateRenderer is called by Fyne.
func (m *Message) CreateRenderer() fyne.WidgetRenderer {
	m.ExtendBaseWidget(m)
	return &messageRenderer{m, newPlate(), picture()}
}

type messageRenderer struct {
	m     *Message
	plate *plate
	icon  *canvas.Image
}

func (r *messageRenderer) Destroy()           {}
func (r *messageRenderer) MinSize() fyne.Size { return r.m.MinSize() }
func (r *messageRenderer) Refresh()           { r.Layout(r.m.Size()); canvas.Refresh(r.m) }
func (r *messageRenderer) Objects() []fyne.CanvasObject {
	return append(r.plate.objects(), r.icon, r.m.title, r.m.text)
}

func (r *messageRenderer) Layout(s fyne.Size) {
	m, st := r.m, r.m.style()
	l := look{face: st.ground, radius: size(theme.SizeNameInputRadius), line: st.line}
	if st.line > 0 {
		l.stroke = st.ink
	}
	r.plate.draw(fyne.Position{}, s, l)
	x, y, icon := m.margins()
	paintIcon(r.icon, st.icon, st.ink)
	place(r.icon, x, y, icon, icon)
	left := x + icon + x*0.75
	w := s.Width - left - x
	th := float32(0)
	if m.title.Visible() {
		th = m.title.HeightFor(w)
		place(m.title, left, y, w, th)
	}
	place(m.text, left, y+th, w, m.text.HeightFor(w))
	m.title.Refresh()
	m.text.Refresh()
}

// A Rule is one line of the list of a password's rules.
type Rule struct {
	Text  string
	Met   bool
	Count string // a live counter such as 10/12; "" for none
}

// Rules is the live list of what a password still needs: a disc with a tick
// for what is met, an open ring for what is not.
type Rules struct {
	widget.BaseWidget

	title *Text
	count *Text
	rules []Rule
	terse bool
}

// NewRules returns an empty list under a title; terse shows only what is not
// met yet, for small screens.
func NewRules(title string, terse bool) *Rules {
	r := &Rules{title: Label(title), count: NewText(RoleLabel).OneLine().Ink(theme.ColorNamePrimary), terse: terse}
	r.ExtendBaseWidget(r)
	return r
}

// Set shows the rules; count is the words for how many are met ("4 van 6").
func (r *Rules) Set(rules []Rule, count string) {
	r.rules = append(r.rules[:0], rules...)
	r.count.SetText(count)
	r.Refresh()
}

// open returns the rules that are not met yet.
func (r *Rules) open() []Rule {
	var open []Rule
	for _, rule := range r.rules {
		if !rule.Met {
			open = append(open, rule)
		}
	}
	return open
}

func (r *Rules) rowHeight(terse bool) float32 {
	f := float32(2)
	if terse {
		f = 1.35
	}
	return float32(int(size(theme.SizeNameCaptionText) * f))
}

// titleHeight is the title with the room under it.
func (r *Rules) titleHeight() float32 { return r.title.lineHeight() + 8 }

// HeightFor returns the height of title and all rules, so that nothing jumps
// as they are met.
func (r *Rules) HeightFor(float32) float32 {
	return r.titleHeight() + r.rowHeight(r.terse)*float32(len(r.rules))
}

// Shown returns the rules that are shown in a height, which are the ones to
// read aloud.
func (r *Rules) Shown(height float32) []Rule { return r.fit(height).rules }

type rulesFit struct {
	rules []Rule
	title bool
	row   float32
}

// fit decides what is shown in a height. A list that does not fit, and one for
// small screens, shows what is not met: without its title where that makes
// room, and as many as there is room for.
func (r *Rules) fit(height float32) rulesFit {
	height += 0.5
	if f := (rulesFit{r.rules, true, r.rowHeight(false)}); !r.terse && r.HeightFor(0) <= height {
		return f
	}
	f := rulesFit{r.open(), true, r.rowHeight(true)}
	if r.titleHeight()+f.row*float32(len(f.rules)) > height {
		f.title = false
		f.rules = f.rules[:min(len(f.rules), max(1, int(height/f.row)))]
	}
	return f
}

// MinSize is three lines, which is what a list can do with.
func (r *Rules) MinSize() fyne.Size {
	w := r.title.Natural() + 24 + r.count.Natural()
	for _, rule := range r.rules {
		t := fyne.MeasureText(rule.Text, size(theme.SizeNameCaptionText), fyne.TextStyle{}).Width
		c := fyne.MeasureText(rule.Count, size(theme.SizeNameCaptionText), fyne.TextStyle{Bold: true, Monospace: true}).Width
		w = max(w, size(theme.SizeNameCaptionText)*1.4+16+t+24+c)
	}
	return fyne.NewSize(w, min(r.HeightFor(w), r.rowHeight(true)*3))
}

// CreateRenderer is called by Fyne.
func (r *Rules) CreateRenderer() fyne.WidgetRenderer {
	r.ExtendBaseWidget(r)
	return &rulesRenderer{r: r}
}

type rulesRenderer struct {
	r    *Rules
	rows []*ruleRow
	n    int
}

// A ruleRow is one rule as drawn.
type ruleRow struct {
	dot         *dot
	text, count *canvas.Text
}

func (x *rulesRenderer) Destroy()           {}
func (x *rulesRenderer) MinSize() fyne.Size { return x.r.MinSize() }
func (x *rulesRenderer) Refresh()           { x.Layout(x.r.Size()); canvas.Refresh(x.r) }

func (x *rulesRenderer) Objects() []fyne.CanvasObject {
	all := []fyne.CanvasObject{x.r.title, x.r.count}
	for _, row := range x.rows[:x.n] {
		all = append(append(all, row.dot.objects()...), row.text, row.count)
	}
	return all
}

func (x *rulesRenderer) Layout(s fyne.Size) {
	r := x.r
	f := r.fit(s.Height)
	r.title.Hidden, r.count.Hidden = !f.title, !f.title
	h, w, y := r.title.lineHeight(), r.count.Natural(), float32(0)
	if f.title {
		place(r.title, 0, 0, s.Width-w-8, h)
		place(r.count, s.Width-w, 0, w, h)
		y = r.titleHeight()
	}
	for len(x.rows) < len(f.rules) {
		x.rows = append(x.rows, &ruleRow{newDot(), canvas.NewText("", nil), canvas.NewText("", nil)})
	}
	x.n = len(f.rules)
	for i, rule := range f.rules {
		x.rows[i].draw(rule, y+float32(i)*f.row, f.row, s.Width)
	}
}

func (row *ruleRow) draw(rule Rule, y, h, width float32) {
	side := float32(int(size(theme.SizeNameCaptionText) * 1.28))
	side = min(side, h-4)
	c := dotColours{
		ground: ColorSurface, ring: ColorNode, number: ColorClear, side: side, current: side, line: 2,
		done: theme.ColorNameSuccess, tick: theme.ColorNameForegroundOnSuccess,
	}
	state, ink := stepOpen, ColorMuted
	if rule.Met {
		state, ink = stepDone, theme.ColorNameForeground
	}
	row.dot.draw(fyne.NewPos(side/2, y+h/2), 0, state, c)
	row.text.Text, row.text.TextSize, row.text.Color = rule.Text, size(theme.SizeNameCaptionText), tint(ink)
	m := row.text.MinSize()
	place(row.text, side+16, y+(h-m.Height)/2, m.Width, m.Height)
	row.count.Text, row.count.TextSize = rule.Count, size(theme.SizeNameCaptionText)
	row.count.TextStyle, row.count.Color = fyne.TextStyle{Bold: true, Monospace: true}, tint(theme.ColorNameForeground)
	m = row.count.MinSize()
	place(row.count, width-m.Width, y+(h-m.Height)/2, m.Width, m.Height)
	row.text.Refresh()
	row.count.Refresh()
}
