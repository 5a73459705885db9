package ui

import (
	"fmt"
	"image/color"
	"path"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/assets"
)

// A Mode is one of the three sets of colours.
type Mode int

// The modes, in the order of the columns of the colour table.
const (
	Light Mode = iota
	Dark
	HighContrast
)

// A Scale is how large text is, relative to the normal size of the screen.
// Headings grow less than the text they stand above.
type Scale float32

// The three sizes of text.
const (
	Normal  Scale = 1
	Larger  Scale = 1.25
	Largest Scale = 1.5
)

// Next returns the scale that the tool "larger text" goes to: up, and from the
// largest back to normal.
func (s Scale) Next() Scale {
	switch {
	case s < Larger:
		return Larger
	case s < Largest:
		return Largest
	}
	return Normal
}

// A Class is a kind of screen. It decides sizes and whether the step rail
// stands at the left or lies on top.
type Class int

// The classes.
const (
	Wide          Class = iota // 1600×900 and more
	Compact                    // landscape below that
	Portrait                   // 1000 and more wide, higher than wide
	SmallPortrait              // portrait below that
	Desktop                    // a window on a staff computer
)

// classes is how many there are.
const classes = int(Desktop) + 1

// ClassOf returns the class of a kiosk screen of the given size.
func ClassOf(s fyne.Size) Class {
	switch {
	case s.Height > s.Width && s.Width >= 1000:
		return Portrait
	case s.Height > s.Width:
		return SmallPortrait
	case s.Width >= 1600 && s.Height >= 900:
		return Wide
	}
	return Compact
}

// Options choose a theme. The zero value is light, normal text, a wide kiosk.
type Options struct {
	Mode  Mode
	Scale Scale // 0 counts as Normal
	Class Class
}

// RailAtLeft says whether the step rail stands at the left of the screen; else
// it lies on top. Larger text needs the width that a standing rail takes.
func (o Options) RailAtLeft() bool { return o.Class == Wide && o.Scale <= Normal }

// Tight says that a page has room for one question only: what a wide screen
// asks together, a tight one asks on two pages, and lists show what matters
// now.
func (o Options) Tight() bool {
	return o.Class == Compact || o.Class == SmallPortrait || o.Scale > Normal
}

// For returns the options with the class of a kiosk screen of the given size.
// Larger text on a wide screen without the height for it gets the controls of
// a compact one, so that everything fits.
func (o Options) For(s fyne.Size) Options {
	o.Class = ClassOf(s)
	if o.Class == Wide && o.Scale > Normal && s.Height < 1080 {
		o.Class = Compact
	}
	return o
}

// A Theme gives Fyne the colours, sizes and fonts of Keydesk. It ignores the
// variant that the system asks for: light, dark and high contrast are choices
// of the person at the screen. It never changes and may be used concurrently;
// a switch is a new theme, set with Settings().SetTheme.
type Theme struct {
	o     Options
	sizes map[fyne.ThemeSizeName]float32
}

// NewTheme returns the theme of the options.
func NewTheme(o Options) fyne.Theme {
	if o.Scale == 0 {
		o.Scale = Normal
	}
	return &Theme{o: o, sizes: sizesOf(o)}
}

// Options returns what the theme was made from.
func (t *Theme) Options() Options { return t.o }

// Color returns a colour of the mode; for names the product does not set, the
// one of Fyne's own theme.
func (t *Theme) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	if c, ok := palette()[name]; ok {
		return c[t.o.Mode]
	}
	variant := theme.VariantDark
	if t.o.Mode == Light {
		variant = theme.VariantLight
	}
	return theme.DefaultTheme().Color(name, variant)
}

// Font returns Atkinson Hyperlegible Next, or Mono for monospace, in one of
// its two weights. There is no italic: it is harder to read.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource {
	if s.Symbol {
		return theme.DefaultTheme().Font(s)
	}
	f := fonts()
	switch {
	case s.Monospace && s.Bold:
		return f.monoBold
	case s.Monospace:
		return f.mono
	case s.Bold:
		return f.bold
	}
	return f.regular
}

// Icon returns Fyne's own icons; the product's are of type Icon.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource {
	return theme.DefaultTheme().Icon(name)
}

// Size returns a size in Fyne's units, which are pixels on a kiosk.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	if s, ok := t.sizes[name]; ok {
		return s
	}
	return theme.DefaultTheme().Size(name)
}

type fontSet struct{ regular, bold, mono, monoBold fyne.Resource }

// fonts reads the fonts once. They are part of the program: one that cannot be
// read is a mistake in the program, found by every test.
var fonts = sync.OnceValue(func() fontSet {
	load := func(name string) fyne.Resource {
		b, err := assets.Fonts.ReadFile(path.Join("fonts", name))
		if err != nil {
			panic(err)
		}
		return fyne.NewStaticResource(name, b)
	}
	return fontSet{
		regular:  load("AtkinsonHyperlegibleNext_400Regular.ttf"),
		bold:     load("AtkinsonHyperlegibleNext_600SemiBold.ttf"),
		mono:     load("AtkinsonHyperlegibleMono_400Regular.ttf"),
		monoBold: load("AtkinsonHyperlegibleMono_600SemiBold.ttf"),
	}
})

// The product's own colours. Petrol is what you can do, yellow where you are.
const (
	ColorSurface      fyne.ThemeColorName = "kdSurface"      // cards, keys
	ColorMuted        fyne.ThemeColorName = "kdMuted"        // hints, captions
	ColorPrimaryEdge  fyne.ThemeColorName = "kdPrimaryEdge"  // lower edge of the primary button
	ColorButtonEdge   fyne.ThemeColorName = "kdButtonEdge"   // lower edge of other buttons and keys
	ColorButtonStroke fyne.ThemeColorName = "kdButtonStroke" // border of a button
	ColorNode         fyne.ThemeColorName = "kdNode"         // ring of an open step on a light surface
	ColorFocusRing    fyne.ThemeColorName = "kdFocusRing"    // outer ring of what has the focus
	ColorFocusInk     fyne.ThemeColorName = "kdFocusInk"     // inner line of what has the focus
	ColorSun          fyne.ThemeColorName = "kdSun"          // current step, start tile
	ColorSunEdge      fyne.ThemeColorName = "kdSunEdge"
	ColorOnSun        fyne.ThemeColorName = "kdOnSun"
	ColorRail         fyne.ThemeColorName = "kdRail" // step rail
	ColorRailText     fyne.ThemeColorName = "kdRailText"
	ColorRailMuted    fyne.ThemeColorName = "kdRailMuted"
	ColorRailLine     fyne.ThemeColorName = "kdRailLine"   // line and rings to do, border of tools
	ColorRailButton   fyne.ThemeColorName = "kdRailButton" // tools on the rail
	ColorRailBorder   fyne.ThemeColorName = "kdRailBorder" // line between rail and page, in high contrast
	ColorRailDone     fyne.ThemeColorName = "kdRailDone"   // line and dots done
	ColorOnRailDone   fyne.ThemeColorName = "kdOnRailDone"
	ColorRailKey      fyne.ThemeColorName = "kdRailKey" // the key's shaft on the start screen
	ColorKeyboard     fyne.ThemeColorName = "kdKeyboard"
	ColorKeySoft      fyne.ThemeColorName = "kdKeySoft" // keys that type nothing
	ColorPadSoft      fyne.ThemeColorName = "kdPadSoft" // the same on the number pad
	ColorErrorBg      fyne.ThemeColorName = "kdErrorBg"
	ColorSuccessBg    fyne.ThemeColorName = "kdSuccessBg"
	ColorWarningBg    fyne.ThemeColorName = "kdWarningBg"
	ColorTint         fyne.ThemeColorName = "kdTint"     // explaining cards, discs behind icons
	ColorOnTint       fyne.ThemeColorName = "kdOnTint"   // icons on a tint
	ColorTrack        fyne.ThemeColorName = "kdTrack"    // what is left of a bar
	ColorBar          fyne.ThemeColorName = "kdBar"      // histogram up to the moment
	ColorBarSoft      fyne.ThemeColorName = "kdBarSoft"  // histogram after the moment
	ColorReplayed     fyne.ThemeColorName = "kdReplayed" // ground of a histogram up to the moment
	ColorScrim        fyne.ThemeColorName = "kdScrim"    // veil over the whole screen
	ColorPaper        fyne.ThemeColorName = "kdPaper"    // white in every mode
	ColorClear        fyne.ThemeColorName = "kdClear"    // nothing
)

// colours lists every colour in the three modes. Text pairs were measured at
// 4.5:1 and graphics at 3:1 or better (a test does it again).
var colours = []struct {
	name                fyne.ThemeColorName
	light, dark, strong string
}{
	{theme.ColorNameBackground, "EDF3F2", "0B2329", "000000"},
	{theme.ColorNameForeground, "0F2A30", "F2F7F7", "FFFFFF"},
	{theme.ColorNamePrimary, "0B5563", "7FD3DF", "FFE14D"},
	{theme.ColorNameForegroundOnPrimary, "FFFFFF", "06262C", "000000"},
	{theme.ColorNameButton, "FFFFFF", "1A414A", "000000"},
	{theme.ColorNameDisabledButton, "DDE6E6", "1A3B43", "000000"},
	{theme.ColorNameDisabled, "52676C", "86A0A5", "BDBDBD"},
	{theme.ColorNameError, "AD2318", "FF9A8F", "FF9B9B"},
	{theme.ColorNameForegroundOnError, "FFFFFF", "0B2329", "000000"},
	{theme.ColorNameSuccess, "14683A", "7ED9A3", "6CFF9E"},
	{theme.ColorNameForegroundOnSuccess, "FFFFFF", "0B2329", "000000"},
	{theme.ColorNameWarning, "7A4A00", "FFD166", "FFE14D"},
	{theme.ColorNameForegroundOnWarning, "FFFFFF", "0B2329", "000000"},
	{theme.ColorNameInputBackground, "FFFFFF", "0B2329", "000000"},
	{theme.ColorNameInputBorder, "5C7378", "86A3A8", "FFFFFF"},
	{theme.ColorNameHover, "0F2A3014", "FFFFFF14", "FFFFFF2B"},
	{theme.ColorNamePressed, "0F2A302E", "FFFFFF2E", "FFFFFF44"},
	{theme.ColorNameFocus, "FFC93C40", "FFC93C40", "FFE14D40"},
	{theme.ColorNameSelection, "CDE5E8", "1B4E59", "00527A"},
	{theme.ColorNameSeparator, "C6D4D4", "2B4F57", "FFFFFF"},
	{theme.ColorNameOverlayBackground, "FFFFFF", "12323A", "000000"},
	{theme.ColorNameMenuBackground, "FFFFFF", "12323A", "000000"},
	{theme.ColorNamePlaceHolder, "566D72", "9DB7BB", "E0E0E0"},
	{theme.ColorNameHyperlink, "0B5563", "8FDCE6", "8FE9FF"},
	{theme.ColorNameHeaderBackground, "E1EBEA", "173B44", "1A1A1A"},
	{theme.ColorNameScrollBar, "5C7378", "86A3A8", "FFFFFF"},
	{theme.ColorNameScrollBarBackground, "DDE6E6", "1A3B43", "000000"},
	{theme.ColorNameShadow, "0F2A3029", "00000066", "00000000"},

	{ColorSurface, "FFFFFF", "12323A", "000000"},
	{ColorMuted, "486066", "A9C2C6", "FFFFFF"},
	{ColorPrimaryEdge, "063840", "3E97A4", "FFFFFF"},
	{ColorButtonEdge, "A9BEBF", "0A1D22", "FFFFFF"},
	{ColorButtonStroke, "6C8387", "6F959C", "FFFFFF"},
	{ColorNode, "6C8387", "6F959C", "FFFFFF"},
	{ColorFocusRing, "FFC93C", "FFC93C", "FFE14D"},
	{ColorFocusInk, "0F2A30", "0B2329", "000000"},
	{ColorSun, "FFC93C", "FFC93C", "FFE14D"},
	{ColorSunEdge, "C08A00", "C08A00", "FFFFFF"},
	{ColorOnSun, "0F2A30", "0F2A30", "000000"},
	{ColorRail, "0A3A44", "071A1F", "000000"},
	{ColorRailText, "FFFFFF", "FFFFFF", "FFFFFF"},
	{ColorRailMuted, "B9D2D5", "A9C2C6", "FFFFFF"},
	{ColorRailLine, "6A959D", "5F878F", "FFFFFF"},
	{ColorRailButton, "15505C", "12323A", "000000"},
	{ColorRailBorder, "0A3A4400", "071A1F00", "FFFFFF"},
	{ColorRailDone, "FFFFFF", "FFFFFF", "FFFFFF"},
	{ColorOnRailDone, "0A3A44", "071A1F", "000000"},
	{ColorRailKey, "B9D2D5", "A9C2C6", "FFFFFF"},
	{ColorKeyboard, "D3E0E0", "071A1F", "000000"},
	{ColorKeySoft, "EDF3F2", "0B2329", "1A1A1A"},
	{ColorPadSoft, "D3E0E0", "0B2329", "1A1A1A"},
	{ColorErrorBg, "FCEBE9", "46211F", "000000"},
	{ColorSuccessBg, "E2F2E8", "143D2B", "000000"},
	{ColorWarningBg, "FFF2CF", "42340F", "000000"},
	{ColorTint, "CDE5E8", "1B4E59", "1A1A1A"},
	{ColorOnTint, "0B5563", "8FDCE6", "FFE14D"},
	{ColorTrack, "C6D4D4", "2B4F57", "6B6B6B"},
	{ColorBar, "0B5563", "7FD3DF", "FFE14D"},
	{ColorBarSoft, "B5CBCE", "2F5A63", "6B6B6B"},
	{ColorReplayed, "E6F1F3", "173B44", "1A1A1A"},
	{ColorScrim, "062026E0", "000000CC", "000000E6"},
	{ColorPaper, "FFFFFF", "FFFFFF", "FFFFFF"},
	{ColorClear, "00000000", "00000000", "00000000"},
}

var palette = sync.OnceValue(func() map[fyne.ThemeColorName][3]color.NRGBA {
	all := make(map[fyne.ThemeColorName][3]color.NRGBA, len(colours))
	for _, c := range colours {
		all[c.name] = [3]color.NRGBA{hex(c.light), hex(c.dark), hex(c.strong)}
	}
	return all
})

// hex reads RRGGBB or RRGGBBAA. A value of the table above that is neither is
// a mistake in the program, found by every test.
func hex(s string) color.NRGBA {
	c := color.NRGBA{A: 255}
	n, err := fmt.Sscanf(s, "%02X%02X%02X%02X", &c.R, &c.G, &c.B, &c.A)
	if n < 3 || (err != nil && len(s) != 6) {
		panic("colour " + s)
	}
	return c
}

var fallback = sync.OnceValue(func() *Theme { return NewTheme(Options{}).(*Theme) })

// inForce returns the theme of the program; the default where the program has
// another one (a single widget in somebody's test).
func inForce() *Theme {
	if t, ok := fyne.CurrentApp().Settings().Theme().(*Theme); ok {
		return t
	}
	return fallback()
}

// Current returns the options of the theme in force.
func Current() Options { return inForce().o }

func tint(name fyne.ThemeColorName) color.Color { return inForce().Color(name, 0) }

func size(name fyne.ThemeSizeName) float32 { return inForce().Size(name) }
