package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// The product's own sizes, in Fyne's units.
const (
	SizeDisplay   fyne.ThemeSizeName = "kdDisplay" // text: Hoi!, Gelukt!
	SizeLead      fyne.ThemeSizeName = "kdLead"    // text: the line under a heading
	SizeLabel     fyne.ThemeSizeName = "kdLabel"   // text: above a field
	SizeButton    fyne.ThemeSizeName = "kdButton"  // text: on a button
	SizeTool      fyne.ThemeSizeName = "kdTool"    // text: on a tool or chip
	SizeFieldText fyne.ThemeSizeName = "kdFieldText"
	SizeTileText  fyne.ThemeSizeName = "kdTileText" // text: title of a start card

	SizeButtonHeight  fyne.ThemeSizeName = "kdButtonHeight"
	SizePrimaryWidth  fyne.ThemeSizeName = "kdPrimaryWidth" // the least width of a primary button
	SizeToolHeight    fyne.ThemeSizeName = "kdToolHeight"
	SizeFieldHeight   fyne.ThemeSizeName = "kdFieldHeight"
	SizeDigitHeight   fyne.ThemeSizeName = "kdDigitHeight"
	SizeDigitWidth    fyne.ThemeSizeName = "kdDigitWidth"
	SizeEdge          fyne.ThemeSizeName = "kdEdge"     // the lower edge of a button
	SizeTileEdge      fyne.ThemeSizeName = "kdTileEdge" // the lower edge of a start card
	SizeKeyEdge       fyne.ThemeSizeName = "kdKeyEdge"
	SizeFocusInk      fyne.ThemeSizeName = "kdFocusInkWidth"
	SizeFocusRing     fyne.ThemeSizeName = "kdFocusRingWidth"
	SizeControlRadius fyne.ThemeSizeName = "kdControlRadius" // buttons, cards, digit boxes
	SizeTileRadius    fyne.ThemeSizeName = "kdTileRadius"    // start cards, dialogs
	SizeKeyRadius     fyne.ThemeSizeName = "kdKeyRadius"
	SizeStroke        fyne.ThemeSizeName = "kdStroke" // border of a button
	SizeDisc          fyne.ThemeSizeName = "kdDisc"   // disc behind an icon
	SizeIcon          fyne.ThemeSizeName = "kdIcon"   // icon on a button

	SizeRail       fyne.ThemeSizeName = "kdRailSize" // width of a standing rail, height of a lying one
	SizeStepRow    fyne.ThemeSizeName = "kdStepRow"
	SizeDot        fyne.ThemeSizeName = "kdDot"
	SizeDotCurrent fyne.ThemeSizeName = "kdDotCurrent"
	SizeStepLine   fyne.ThemeSizeName = "kdStepLine"
	SizeSide       fyne.ThemeSizeName = "kdSide" // left and right of a page
	SizeTop        fyne.ThemeSizeName = "kdTop"  // above a page
	SizeFoot       fyne.ThemeSizeName = "kdFoot" // height of the foot
	SizeQR         fyne.ThemeSizeName = "kdQR"   // a module of a QR code
	SizeGap        fyne.ThemeSizeName = "kdGap"  // between the parts of a page
	SizeSmallGap   fyne.ThemeSizeName = "kdSmallGap"
	SizeBigGap     fyne.ThemeSizeName = "kdBigGap"
)

// How text grows: Scale 1.25 and 1.5 by how important growing is. A heading is
// large already.
var (
	growsFully = [2]float32{1.25, 1.5}
	growsWell  = [2]float32{1.18, 1.36}
	growsSome  = [2]float32{1.15, 1.25}
	growsHardl = [2]float32{1.06, 1.1}
	growsNot   = [2]float32{1, 1}
)

// sizeTable has one row a size: the value in each class (Wide, Compact,
// Portrait, SmallPortrait, Desktop), and how it grows with the text.
var sizeTable = []struct {
	name  fyne.ThemeSizeName
	value [classes]float32
	grows [2]float32
}{
	{theme.SizeNameText, [classes]float32{24, 20, 24, 22, 16}, growsFully},
	{theme.SizeNameHeadingText, [classes]float32{52, 36, 52, 40, 28}, growsSome},
	{theme.SizeNameSubHeadingText, [classes]float32{32, 24, 32, 28, 20}, growsWell},
	{theme.SizeNameCaptionText, [classes]float32{22, 20, 22, 20, 14}, growsWell},
	{SizeDisplay, [classes]float32{92, 56, 92, 64, 40}, growsHardl},
	{SizeLead, [classes]float32{28, 22, 28, 24, 18}, growsWell},
	{SizeLabel, [classes]float32{24, 20, 24, 22, 15}, growsFully},
	{SizeButton, [classes]float32{28, 24, 28, 24, 16}, growsWell},
	{SizeTool, [classes]float32{20, 20, 20, 20, 14}, growsSome},
	{SizeFieldText, [classes]float32{32, 26, 32, 28, 16}, growsSome},
	{SizeTileText, [classes]float32{64, 44, 64, 48, 28}, growsHardl},

	{theme.SizeNamePadding, [classes]float32{8, 8, 8, 8, 4}, growsNot},
	{theme.SizeNameInnerPadding, [classes]float32{16, 16, 16, 16, 8}, growsNot},
	{theme.SizeNameLineSpacing, [classes]float32{8, 8, 8, 8, 4}, growsNot},
	{theme.SizeNameInputRadius, [classes]float32{12, 12, 12, 12, 8}, growsNot},
	{theme.SizeNameSelectionRadius, [classes]float32{8, 8, 8, 8, 6}, growsNot},
	{theme.SizeNameInlineIcon, [classes]float32{28, 24, 28, 26, 20}, growsWell},
	{theme.SizeNameScrollBar, [classes]float32{24, 24, 24, 24, 12}, growsNot},
	{theme.SizeNameScrollBarSmall, [classes]float32{12, 12, 12, 12, 4}, growsNot},
	{theme.SizeNameScrollBarRadius, [classes]float32{6, 6, 6, 6, 4}, growsNot},

	{SizeButtonHeight, [classes]float32{80, 64, 80, 72, 40}, growsNot},
	{SizePrimaryWidth, [classes]float32{280, 220, 280, 240, 96}, growsNot},
	{SizeToolHeight, [classes]float32{64, 56, 64, 60, 32}, growsNot},
	{SizeFieldHeight, [classes]float32{88, 64, 88, 76, 40}, growsNot},
	{SizeDigitHeight, [classes]float32{136, 104, 160, 128, 64}, growsNot},
	{SizeDigitWidth, [classes]float32{104, 80, 136, 96, 48}, growsNot},
	{SizeEdge, [classes]float32{4, 4, 4, 4, 2}, growsNot},
	{SizeTileEdge, [classes]float32{8, 6, 8, 6, 4}, growsNot},
	{SizeKeyEdge, [classes]float32{3, 3, 3, 3, 2}, growsNot},
	{SizeFocusInk, [classes]float32{3, 3, 3, 3, 2}, growsNot},
	{SizeFocusRing, [classes]float32{5, 5, 5, 5, 3}, growsNot},
	{SizeControlRadius, [classes]float32{16, 14, 16, 16, 8}, growsNot},
	{SizeTileRadius, [classes]float32{24, 20, 24, 24, 12}, growsNot},
	{SizeKeyRadius, [classes]float32{10, 10, 10, 10, 8}, growsNot},
	{SizeDisc, [classes]float32{80, 56, 80, 64, 40}, growsNot},
	{SizeIcon, [classes]float32{32, 26, 32, 28, 18}, growsSome},

	{SizeRail, [classes]float32{416, 88, 296, 224, 216}, growsNot},
	{SizeStepRow, [classes]float32{72, 56, 72, 64, 40}, growsNot},
	{SizeDot, [classes]float32{40, 32, 40, 36, 24}, growsNot},
	{SizeDotCurrent, [classes]float32{56, 40, 56, 48, 28}, growsNot},
	{SizeStepLine, [classes]float32{6, 4, 6, 5, 3}, growsNot},
	{SizeSide, [classes]float32{64, 40, 64, 40, 32}, growsNot},
	{SizeTop, [classes]float32{56, 24, 64, 36, 24}, growsNot},
	{SizeFoot, [classes]float32{128, 88, 128, 104, 64}, growsNot},
	{SizeQR, [classes]float32{8, 7, 8, 6, 4}, growsNot},
	{SizeGap, [classes]float32{32, 20, 32, 24, 16}, growsNot},
	{SizeSmallGap, [classes]float32{16, 12, 16, 12, 8}, growsNot},
	{SizeBigGap, [classes]float32{48, 32, 48, 40, 24}, growsNot},
}

func sizesOf(o Options) map[fyne.ThemeSizeName]float32 {
	s := make(map[fyne.ThemeSizeName]float32, len(sizeTable)+4)
	for _, row := range sizeTable {
		v := row.value[o.Class]
		switch {
		case o.Scale >= Largest:
			v *= row.grows[1]
		case o.Scale >= Larger:
			v *= row.grows[0]
		}
		s[row.name] = float32(int(v + 0.5))
	}
	// A wide screen with larger text has its rail on top.
	if o.Class == Wide && !o.RailAtLeft() {
		s[SizeRail], s[SizeTop] = 120, 40
	}
	// A low screen that is higher than wide has its controls lower then.
	if o.Class == SmallPortrait && o.Scale > Normal {
		s[SizeRail], s[SizeFoot], s[SizeButtonHeight] = 188, 92, 64
		s[SizeDigitHeight], s[SizeQR], s[SizeSmallGap] = 96, 5, 9
	}
	line := float32(1)
	if o.Mode == HighContrast {
		line = 2
	}
	s[theme.SizeNameSeparatorThickness] = line
	s[SizeStroke] = line
	s[theme.SizeNameInputBorder] = inputBorder(o)
	return s
}

func inputBorder(o Options) float32 {
	w := float32(2)
	if o.Class == Desktop {
		w = 1
	}
	if o.Mode == HighContrast || (o.Scale > Normal && o.Class != Desktop) {
		w++
	}
	return w
}
