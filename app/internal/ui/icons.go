package ui

import (
	"bytes"
	"fmt"
	"image/color"
	"path"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/keydesk/keydesk/assets"
)

// An Icon names one of the product's own drawings; the empty one is no icon.
type Icon string

// The icons.
const (
	IconKey          Icon = "key"
	IconPerson       Icon = "person"
	IconLock         Icon = "lock"
	IconArrowRight   Icon = "arrow-right"
	IconChevronLeft  Icon = "chevron-left"
	IconChevronRight Icon = "chevron-right"
	IconChevronDown  Icon = "chevron-down"
	IconChevronUp    Icon = "chevron-up"
	IconCheck        Icon = "check"
	IconCross        Icon = "cross"
	IconExclamation  Icon = "exclamation"
	IconWarning      Icon = "warning"
	IconPencil       Icon = "pencil"
	IconPhone        Icon = "phone"
	IconMail         Icon = "mail"
	IconClock        Icon = "clock"
	IconShieldCheck  Icon = "shield-check"
	IconSpeaker      Icon = "speaker"
	IconTextSize     Icon = "text-size"
	IconContrast     Icon = "contrast"
	IconQuestion     Icon = "question"
	IconInfo         Icon = "info"
	IconRefresh      Icon = "refresh"
	IconEye          Icon = "eye"
	IconEyeOff       Icon = "eye-off"
	IconBackspace    Icon = "backspace"
	IconShift        Icon = "shift"
	IconShiftOn      Icon = "shift-on"
	IconTrash        Icon = "trash"
	IconPlus         Icon = "plus"
	IconQR           Icon = "qr"
	IconSearch       Icon = "search"
	IconBoard        Icon = "board"
	IconPeople       Icon = "people"
	IconKiosk        Icon = "kiosk"
	IconList         Icon = "list"
	IconSignOut      Icon = "sign-out"
	IconPlay         Icon = "play"
	IconPause        Icon = "pause"
	IconStepBack     Icon = "step-back"
	IconStepForward  Icon = "step-forward"
	IconDownload     Icon = "download"
	IconFilter       Icon = "filter"
	IconMinus        Icon = "minus"
	IconCopy         Icon = "copy"
)

// Resource returns the drawing in a colour of the theme in force. The drawings
// are filled shapes, since Fyne does not scale the width of strokes. The name
// carries the colour, since Fyne caches pictures by name.
func (i Icon) Resource(name fyne.ThemeColorName) fyne.Resource {
	c, _ := tint(name).(color.NRGBA)
	k := iconKey{i, c}
	if r, ok := drawn.Load(k); ok {
		return r.(fyne.Resource)
	}
	src, err := assets.Icons.ReadFile(path.Join("icons", string(i)+".svg"))
	if err != nil {
		panic(err) // part of the program: found by every test that shows it
	}
	rgb := fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B)
	r := fyne.NewStaticResource(string(i)+rgb+".svg", bytes.ReplaceAll(src, []byte("currentColor"), []byte(rgb)))
	drawn.Store(k, r)
	return r
}

type iconKey struct {
	icon Icon
	ink  color.NRGBA
}

var drawn sync.Map // iconKey to fyne.Resource

// picture returns an image for an icon, to be painted with paintIcon.
func picture() *canvas.Image {
	p := &canvas.Image{FillMode: canvas.ImageFillContain}
	p.Hide()
	return p
}

func paintIcon(p *canvas.Image, i Icon, ink fyne.ThemeColorName) {
	if i == "" {
		p.Hide()
		return
	}
	p.Show()
	if r := i.Resource(ink); p.Resource != r {
		p.Resource = r
		p.Refresh()
	}
}

// A Glyph is an icon as a widget, alone or on a disc.
type Glyph struct {
	widget.BaseWidget

	icon Icon
	ink  fyne.ThemeColorName
	disc fyne.ThemeColorName // "" for none
	side fyne.ThemeSizeName
}

// NewGlyph returns an icon of the size of a line of text.
func NewGlyph(i Icon, ink fyne.ThemeColorName) *Glyph {
	g := &Glyph{icon: i, ink: ink, side: "iconInline"}
	g.ExtendBaseWidget(g)
	return g
}

// NewDisc returns an icon on a round disc.
func NewDisc(i Icon, ink, disc fyne.ThemeColorName) *Glyph {
	g := NewGlyph(i, ink)
	g.disc, g.side = disc, SizeDisc
	return g
}

// Sized sets the side by the name of a theme size, and returns the glyph.
func (g *Glyph) Sized(side fyne.ThemeSizeName) *Glyph {
	g.side = side
	return g
}

// Set changes icon and colour.
func (g *Glyph) Set(i Icon, ink fyne.ThemeColorName) {
	g.icon, g.ink = i, ink
	g.Refresh()
}

// MinSize is a square.
func (g *Glyph) MinSize() fyne.Size { return fyne.NewSquareSize(size(g.side)) }

// CreateRenderer is called by Fyne.
func (g *Glyph) CreateRenderer() fyne.WidgetRenderer {
	g.ExtendBaseWidget(g)
	r := &glyphRenderer{g: g, disc: canvas.NewCircle(color.Transparent), image: picture()}
	r.paint()
	return r
}

type glyphRenderer struct {
	g     *Glyph
	disc  *canvas.Circle
	image *canvas.Image
}

func (r *glyphRenderer) Destroy()           {}
func (r *glyphRenderer) MinSize() fyne.Size { return r.g.MinSize() }
func (r *glyphRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.disc, r.image}
}

func (r *glyphRenderer) Layout(s fyne.Size) {
	side := min(s.Width, s.Height)
	x, y := (s.Width-side)/2, (s.Height-side)/2
	place(r.disc, x, y, side, side)
	in := float32(0)
	if r.g.disc != "" {
		in = float32(int(side * 0.27))
	}
	place(r.image, x+in, y+in, side-2*in, side-2*in)
}

func (r *glyphRenderer) paint() {
	r.disc.Hidden = r.g.disc == ""
	if r.g.disc != "" {
		r.disc.FillColor = tint(r.g.disc)
	}
	paintIcon(r.image, r.g.icon, r.g.ink)
}

func (r *glyphRenderer) Refresh() {
	r.paint()
	r.Layout(r.g.Size())
	canvas.Refresh(r.g)
}
