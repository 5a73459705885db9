package ui_test

import (
	"image/color"
	"io/fs"
	"math"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/assets"
)

var modes = map[string]ui.Mode{"light": ui.Light, "dark": ui.Dark, "high contrast": ui.HighContrast}

// luminance is the relative luminance of WCAG 2.2.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	lin := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
}

// contrast is the contrast ratio of WCAG 2.2.
func contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

type pair struct{ ink, ground fyne.ThemeColorName }

// textPairs is every text colour on every ground it stands on.
var textPairs = []pair{
	{theme.ColorNameForeground, theme.ColorNameBackground},
	{theme.ColorNameForeground, ui.ColorSurface},
	{theme.ColorNameForeground, ui.ColorTint},
	{theme.ColorNameForeground, ui.ColorKeySoft},
	{theme.ColorNameForeground, ui.ColorPadSoft},
	{theme.ColorNameForeground, theme.ColorNameButton},
	{theme.ColorNameForeground, theme.ColorNameInputBackground},
	{theme.ColorNameForeground, theme.ColorNameSelection},
	{theme.ColorNameForeground, theme.ColorNameOverlayBackground},
	{theme.ColorNameForeground, ui.ColorErrorBg},
	{theme.ColorNameForeground, ui.ColorSuccessBg},
	{theme.ColorNameForeground, ui.ColorWarningBg},
	{ui.ColorMuted, theme.ColorNameBackground},
	{ui.ColorMuted, ui.ColorSurface},
	{ui.ColorMuted, theme.ColorNameButton},
	{theme.ColorNamePrimary, ui.ColorSurface},
	{theme.ColorNameHyperlink, theme.ColorNameBackground},
	{theme.ColorNameHyperlink, theme.ColorNameButton},
	{theme.ColorNameForegroundOnPrimary, theme.ColorNamePrimary},
	{theme.ColorNamePlaceHolder, theme.ColorNameInputBackground},
	{theme.ColorNameError, theme.ColorNameBackground},
	{theme.ColorNameError, ui.ColorSurface},
	{ui.ColorOnSun, ui.ColorSun},
	{ui.ColorRailText, ui.ColorRail},
	{ui.ColorRailMuted, ui.ColorRail},
	{ui.ColorRailText, ui.ColorRailButton},
	{ui.ColorRail, ui.ColorRailText},
	{ui.ColorOnRailDone, ui.ColorRailDone},
	{theme.ColorNameForegroundOnSuccess, theme.ColorNameSuccess},
}

// graphicPairs is every line, ring, icon and bar on what lies beside it.
var graphicPairs = []pair{
	{theme.ColorNameInputBorder, theme.ColorNameBackground},
	{theme.ColorNameInputBorder, theme.ColorNameInputBackground},
	{ui.ColorButtonStroke, theme.ColorNameBackground},
	{ui.ColorNode, ui.ColorSurface},
	{ui.ColorNode, theme.ColorNameBackground},
	{ui.ColorRailLine, ui.ColorRail},
	{ui.ColorRailKey, ui.ColorRail},
	{ui.ColorRailDone, ui.ColorRail},
	{ui.ColorSun, ui.ColorRail},
	{ui.ColorOnTint, ui.ColorTint},
	{theme.ColorNamePrimary, ui.ColorSurface},
	{theme.ColorNamePrimary, theme.ColorNameBackground},
	{theme.ColorNamePrimary, ui.ColorTint},
	{theme.ColorNamePrimary, ui.ColorTrack},
	{theme.ColorNameSuccess, ui.ColorSurface},
	{theme.ColorNameSuccess, theme.ColorNameBackground},
	{theme.ColorNameSuccess, ui.ColorSuccessBg},
	{theme.ColorNameWarning, ui.ColorWarningBg},
	{theme.ColorNameError, ui.ColorErrorBg},
	{theme.ColorNameError, theme.ColorNameInputBackground},
	{ui.ColorBar, theme.ColorNameBackground},
	{ui.ColorBar, ui.ColorSurface},
	{ui.ColorBar, ui.ColorReplayed},
	{ui.ColorNode, ui.ColorReplayed},
}

func TestContrast(t *testing.T) {
	for name, mode := range modes {
		th := ui.NewTheme(ui.Options{Mode: mode})
		check := func(pairs []pair, least float64) {
			for _, p := range pairs {
				if c := contrast(th.Color(p.ink, 0), th.Color(p.ground, 0)); c < least {
					t.Errorf("%s: %s on %s is %.2f:1, want %.1f:1", name, p.ink, p.ground, c, least)
				}
			}
		}
		check(textPairs, 4.5)
		check(graphicPairs, 3)
		check([]pair{{theme.ColorNameDisabled, theme.ColorNameDisabledButton}}, 4.3)
	}
}

// The focus is two lines, so that one of them stands out on any ground: next
// to the page, and next to the face of a control.
func TestFocusStandsOut(t *testing.T) {
	for name, mode := range modes {
		th := ui.NewTheme(ui.Options{Mode: mode})
		ring, ink := th.Color(ui.ColorFocusRing, 0), th.Color(ui.ColorFocusInk, 0)
		for _, ground := range []fyne.ThemeColorName{theme.ColorNameBackground, theme.ColorNameButton, ui.ColorKeyboard, ui.ColorRail} {
			g := th.Color(ground, 0)
			if c := max(contrast(ring, g), contrast(ink, g)); c < 3 {
				t.Errorf("%s: neither line of the focus stands out on %s (%.2f:1)", name, ground, c)
			}
		}
		if c := contrast(ring, ink); c < 3 {
			t.Errorf("%s: the two lines of the focus are %.2f:1 apart", name, c)
		}
	}
}

func TestThemeIgnoresTheVariantOfTheSystem(t *testing.T) {
	th := ui.NewTheme(ui.Options{Mode: ui.Dark})
	if th.Color(theme.ColorNameBackground, theme.VariantLight) != th.Color(theme.ColorNameBackground, theme.VariantDark) {
		t.Error("the background follows the variant")
	}
}

func TestTextGrowsAndTouchStaysLarge(t *testing.T) {
	for class := range ui.Desktop {
		was := float32(0)
		for _, scale := range []ui.Scale{ui.Normal, ui.Larger, ui.Largest} {
			th := ui.NewTheme(ui.Options{Class: class, Scale: scale})
			if s := th.Size(theme.SizeNameText); s <= was {
				t.Errorf("class %d: text of scale %v is %v, no larger than %v", class, scale, s, was)
			} else {
				was = s
			}
			for _, name := range []fyne.ThemeSizeName{ui.SizeButtonHeight, ui.SizeToolHeight, ui.SizeFieldHeight} {
				if s := th.Size(name); s < 56 {
					t.Errorf("class %d: %s is %v, below what a finger needs", class, name, s)
				}
			}
			for _, name := range []fyne.ThemeSizeName{theme.SizeNameText, theme.SizeNameCaptionText, ui.SizeTool, ui.SizeLabel} {
				if s := th.Size(name); s < 20 {
					t.Errorf("class %d: %s is %v, below 20", class, name, s)
				}
			}
		}
	}
}

func TestScaleGoesRound(t *testing.T) {
	for from, to := range map[ui.Scale]ui.Scale{0: ui.Larger, ui.Normal: ui.Larger, ui.Larger: ui.Largest, ui.Largest: ui.Normal} {
		if got := from.Next(); got != to {
			t.Errorf("after %v comes %v, want %v", from, got, to)
		}
	}
}

func TestClassOf(t *testing.T) {
	for want, sizes := range map[ui.Class][]fyne.Size{
		ui.Wide:          {fyne.NewSize(1920, 1080), fyne.NewSize(1600, 900)},
		ui.Compact:       {fyne.NewSize(1280, 800), fyne.NewSize(1599, 900), fyne.NewSize(1600, 899)},
		ui.Portrait:      {fyne.NewSize(1080, 1920)},
		ui.SmallPortrait: {fyne.NewSize(800, 1280)},
	} {
		for _, s := range sizes {
			if got := ui.ClassOf(s); got != want {
				t.Errorf("%v is class %d, want %d", s, got, want)
			}
		}
	}
}

// Every icon is a filled shape in one colour: Fyne does not scale strokes.
func TestIconsAreFilled(t *testing.T) {
	files, err := fs.Glob(assets.Icons, "icons/*.svg")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d icons, %v", len(files), err)
	}
	for _, f := range files {
		b, err := assets.Icons.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if s := string(b); strings.Contains(s, "stroke") || !strings.Contains(s, `fill="currentColor"`) {
			t.Errorf("%s is not a filled shape in currentColor", f)
		}
	}
}

func TestFontsCarryTheirLicence(t *testing.T) {
	b, err := assets.Fonts.ReadFile("fonts/OFL.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Atkinson Hyperlegible Next Project Authors", "Atkinson Hyperlegible Mono Project Authors", "SIL OPEN FONT LICENSE Version 1.1"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the licence does not say %q", want)
		}
	}
}
