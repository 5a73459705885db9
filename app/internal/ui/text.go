package ui

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A Role is what a text is on the screen; the theme decides how it looks.
type Role int

// The roles.
const (
	RoleBody Role = iota
	RoleDisplay
	RoleHeading
	RoleSubheading
	RoleLead
	RoleLabel
	RoleHint
	RoleButton
	RoleTool
	RoleTile
)

type roleStyle struct {
	size fyne.ThemeSizeName
	line float32 // height of a line, in sizes of the text
	bold bool
	ink  fyne.ThemeColorName
}

var roles = [...]roleStyle{
	RoleBody:       {theme.SizeNameText, 1.33, false, theme.ColorNameForeground},
	RoleDisplay:    {SizeDisplay, 1.1, true, theme.ColorNameForeground},
	RoleHeading:    {theme.SizeNameHeadingText, 1.23, true, theme.ColorNameForeground},
	RoleSubheading: {theme.SizeNameSubHeadingText, 1.25, true, theme.ColorNameForeground},
	RoleLead:       {SizeLead, 1.4, false, theme.ColorNameForeground},
	RoleLabel:      {SizeLabel, 1.33, true, theme.ColorNameForeground},
	RoleHint:       {theme.SizeNameCaptionText, 1.4, false, ColorMuted},
	RoleButton:     {SizeButton, 1.15, true, theme.ColorNameForeground},
	RoleTool:       {SizeTool, 1.2, true, theme.ColorNameForeground},
	RoleTile:       {SizeTileText, 1.15, true, theme.ColorNameForeground},
}

// A Span is a stretch of text in one weight.
type Span struct {
	Text string
	Bold bool
	Mono bool
}

// Plain is text in the weight of its role.
func Plain(s string) Span { return Span{Text: s} }

// Bold is text in the heavier weight: an address within a sentence, say.
func Bold(s string) Span { return Span{Text: s, Bold: true} }

// A Text is words on the screen, in one role, wrapped at the width it is given
// and following the theme. It can hold several weights in one line.
type Text struct {
	widget.BaseWidget

	role  Role
	spans []Span
	ink   fyne.ThemeColorName
	align fyne.TextAlign
	nowrap,
	elide bool
}

// NewText returns a text of the role.
func NewText(role Role, spans ...Span) *Text {
	t := &Text{role: role, spans: spans, ink: roles[role].ink}
	t.ExtendBaseWidget(t)
	return t
}

// Display returns the largest text: Hoi!, Gelukt!
func Display(s string) *Text { return NewText(RoleDisplay, Plain(s)) }

// Heading returns the question of a screen.
func Heading(s string) *Text { return NewText(RoleHeading, Plain(s)) }

// Subheading returns the title of a part of a screen.
func Subheading(s string) *Text { return NewText(RoleSubheading, Plain(s)) }

// Lead returns the line under a heading.
func Lead(spans ...Span) *Text { return NewText(RoleLead, spans...) }

// Body returns ordinary text.
func Body(spans ...Span) *Text { return NewText(RoleBody, spans...) }

// Label returns the words above a field.
func Label(s string) *Text { return NewText(RoleLabel, Plain(s)) }

// Hint returns the words that help, in a softer colour.
func Hint(spans ...Span) *Text { return NewText(RoleHint, spans...) }

// Code returns a code, number or time in the monospaced font.
func Code(s string) *Text { return NewText(RoleBody, Span{Text: s, Mono: true, Bold: true}).OneLine() }

// Ink sets the colour by name, and returns the text.
func (t *Text) Ink(name fyne.ThemeColorName) *Text {
	t.ink = name
	return t
}

// Align sets the alignment, and returns the text.
func (t *Text) Align(a fyne.TextAlign) *Text {
	t.align = a
	return t
}

// OneLine keeps the text on one line whatever its width, and returns it.
func (t *Text) OneLine() *Text {
	t.nowrap = true
	return t
}

// Elide keeps the text on one line and cuts it, with an ellipsis, where there
// is not room enough. Such a text may be as narrow as its parent likes.
func (t *Text) Elide() *Text {
	t.nowrap, t.elide = true, true
	return t
}

// Set replaces the words.
func (t *Text) Set(spans ...Span) {
	t.spans = spans
	t.Refresh()
}

// SetText replaces the words by one plain stretch.
func (t *Text) SetText(s string) { t.Set(Plain(s)) }

// String returns the words, as they would be read aloud.
func (t *Text) String() string {
	var b strings.Builder
	for _, s := range t.spans {
		b.WriteString(s.Text)
	}
	return b.String()
}

// HeightFor returns the height of the text wrapped at the width.
func (t *Text) HeightFor(width float32) float32 {
	return float32(len(t.lines(width))) * t.lineHeight()
}

// MinSize of a text that wraps is its longest word by one line at its present
// width; of one that does not, its one line.
func (t *Text) MinSize() fyne.Size {
	t.ExtendBaseWidget(t)
	w := float32(0)
	switch {
	case t.elide:
		w = t.textSize() * 2
	case t.nowrap:
		w = t.Natural()
	default:
		for _, p := range t.words() {
			w = max(w, p.width)
		}
		return fyne.NewSize(w, t.HeightFor(max(w, t.Size().Width)))
	}
	return fyne.NewSize(w, t.lineHeight())
}

// Natural returns the width of the text on one line.
func (t *Text) Natural() float32 {
	w := float32(0)
	for _, s := range t.spans {
		w += t.measure(s, s.Text)
	}
	return w
}

func (t *Text) textSize() float32   { return size(roles[t.role].size) }
func (t *Text) lineHeight() float32 { return float32(int(t.textSize()*roles[t.role].line + 0.5)) }

func (t *Text) style(s Span) fyne.TextStyle {
	return fyne.TextStyle{Bold: s.Bold || roles[t.role].bold, Monospace: s.Mono}
}

func (t *Text) measure(s Span, text string) float32 {
	return fyne.MeasureText(text, t.textSize(), t.style(s)).Width
}

// A piece is a word, or several that stand on one line in one weight.
type piece struct {
	span  Span
	text  string
	width float32
	glued bool // follows the one before without a space
	brk   bool // begins a new line whatever the width
}

func (t *Text) words() []piece {
	var all []piece
	glued, brk := true, false
	for _, s := range t.spans {
		for i, line := range strings.Split(s.Text, "\n") {
			if i > 0 {
				brk, glued = true, true
			}
			for j, word := range strings.Split(line, " ") {
				if j > 0 {
					glued = false
				}
				if word == "" {
					continue
				}
				all = append(all, piece{s, word, t.measure(s, word), glued, brk})
				glued, brk = true, false
			}
		}
	}
	return all
}

// lines wraps the words greedily; words that are glued stay together.
func (t *Text) lines(width float32) [][]piece {
	if t.nowrap {
		line := make([]piece, 0, len(t.spans))
		for _, s := range t.spans {
			line = append(line, piece{span: s, text: s.Text, width: t.measure(s, s.Text), glued: true})
		}
		return [][]piece{t.cut(line, width)}
	}
	words := t.broken(width)
	var all [][]piece
	var line []piece
	x := float32(0)
	for i := 0; i < len(words); {
		n, w := i+1, words[i].width
		for n < len(words) && words[n].glued && !words[n].brk {
			w += words[n].width
			n++
		}
		space := t.measure(words[i].span, " ")
		if len(line) > 0 && (words[i].brk || x+space+w > width+0.5) {
			all, line, x = append(all, line), nil, 0
		}
		if len(line) > 0 {
			x += space
		}
		line, x, i = append(line, words[i:n]...), x+w, n
	}
	return append(all, line)
}

// broken returns the words, those that are wider than a line in parts: a long
// address, say.
func (t *Text) broken(width float32) []piece {
	words := t.words()
	if width <= 0 || !slices.ContainsFunc(words, func(p piece) bool { return p.width > width+0.5 }) {
		return words
	}
	var all []piece
	for _, p := range words {
		rest := []rune(p.text)
		for p.width > width+0.5 && len(rest) > 1 {
			n := len(rest) - 1
			for n > 1 && t.measure(p.span, string(rest[:n])) > width {
				n--
			}
			part := p
			part.text, rest = string(rest[:n]), rest[n:]
			part.width = t.measure(p.span, part.text)
			all = append(all, part)
			p.text, p.width, p.glued, p.brk = string(rest), t.measure(p.span, string(rest)), true, true
		}
		all = append(all, p)
	}
	return all
}

// cut shortens a line that may not be wider than width.
func (t *Text) cut(line []piece, width float32) []piece {
	if !t.elide || width <= 0 {
		return line
	}
	x := float32(0)
	for i, p := range line {
		if x+p.width <= width+0.5 {
			x += p.width
			continue
		}
		r := []rune(p.text)
		for len(r) > 0 && x+t.measure(p.span, string(r)+"…") > width {
			r = r[:len(r)-1]
		}
		p.text = string(r) + "…"
		p.width = t.measure(p.span, p.text)
		return append(line[:i:i], p)
	}
	return line
}

// CreateRenderer is called by Fyne.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	t.ExtendBaseWidget(t)
	return &textRenderer{t: t}
}

type textRenderer struct {
	t    *Text
	runs []fyne.CanvasObject
}

func (r *textRenderer) Destroy()                     {}
func (r *textRenderer) MinSize() fyne.Size           { return r.t.MinSize() }
func (r *textRenderer) Objects() []fyne.CanvasObject { return r.runs }
func (r *textRenderer) Refresh()                     { r.Layout(r.t.Size()); canvas.Refresh(r.t) }

// Layout draws one canvas text for every stretch of one weight on one line.
func (r *textRenderer) Layout(s fyne.Size) {
	t, n := r.t, 0
	lineHeight := t.lineHeight()
	for i, line := range t.lines(s.Width) {
		runs, width := t.runs(line)
		x := float32(0)
		switch t.align {
		case fyne.TextAlignCenter:
			x = (s.Width - width) / 2
		case fyne.TextAlignTrailing:
			x = s.Width - width
		}
		for _, p := range runs {
			c := r.run(n)
			n++
			c.Text, c.TextSize, c.TextStyle, c.Color = p.text, t.textSize(), t.style(p.span), tint(t.ink)
			h := c.MinSize().Height
			place(c, x, float32(i)*lineHeight+(lineHeight-h)/2, p.width, h)
			c.Refresh()
			x += p.width
		}
	}
	r.runs = r.runs[:n]
}

func (r *textRenderer) run(i int) *canvas.Text {
	if i < len(r.runs) {
		return r.runs[i].(*canvas.Text)
	}
	c := canvas.NewText("", tint(r.t.ink))
	r.runs = append(r.runs, c)
	return c
}

// runs joins the words of a line that share a weight.
func (t *Text) runs(line []piece) ([]piece, float32) {
	var all []piece
	width := float32(0)
	for i, p := range line {
		text := p.text
		if i > 0 && !p.glued {
			text = " " + text
		}
		if n := len(all) - 1; n >= 0 && all[n].span.Bold == p.span.Bold && all[n].span.Mono == p.span.Mono {
			all[n].text += text
		} else {
			all = append(all, piece{span: p.span, text: text})
		}
	}
	for i := range all {
		all[i].width = t.measure(all[i].span, all[i].text)
		width += all[i].width
	}
	return all, width
}
