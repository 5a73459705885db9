package ui_test

import (
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/ui"
)

// amsterdam is a place where the clock goes back in October.
func amsterdam(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		tb.Skip(err)
	}
	return zone
}

// daily is a bar a day from the first of October, with the name of each day under it.
func daily(zone *time.Location, n int) (bars []ui.HistogramBar, end time.Time, ticks []ui.HistogramTick) {
	for i := range n {
		day := time.Date(2026, 10, 1+i, 0, 0, 0, 0, zone)
		bars = append(bars, ui.HistogramBar{From: day, Count: (i * 37) % 91})
		rank := 3
		switch {
		case i == 0 || i == n-1:
			rank = 0
		case day.Day() == 1:
			rank = 1
		case day.Day()%5 == 0:
			rank = 2
		}
		ticks = append(ticks, ui.HistogramTick{Bar: i, Text: day.Format("2 Jan"), Rank: rank})
	}
	return bars, time.Date(2026, 10, 1+n, 0, 0, 0, 0, zone), ticks
}

// A moved histogram notes where its handle went.
type moved struct {
	*ui.Histogram
	at      []time.Time
	resting []bool
	hovered []int
	zoomed  []bool
}

func newMoved(bars []ui.HistogramBar, end, most time.Time, ticks []ui.HistogramTick) *moved {
	m := &moved{Histogram: ui.NewHistogram()}
	m.OnMove = func(at time.Time, resting bool) { m.at, m.resting = append(m.at, at), append(m.resting, resting) }
	m.OnHover = func(bar int) { m.hovered = append(m.hovered, bar) }
	m.OnZoom = func(in bool) { m.zoomed = append(m.zoomed, in) }
	m.SetBars(bars, end, most, ticks)
	return m
}

// The keys go from edge to edge, over the night in which the clock goes back, and never
// into what is not yet.
func TestTheKeysOfAHistogram(t *testing.T) {
	zone := amsterdam(t)
	bars, end, ticks := daily(zone, 54)
	now := time.Date(2026, 11, 23, 10, 58, 0, 0, zone)
	m := newMoved(bars, end, now, ticks)
	m.SetMoment(time.Date(2026, 10, 24, 14, 32, 8, 0, zone))
	w := deskWindow(t, m.Histogram, fyne.NewSize(1000, 200))
	w.Canvas().FocusNext()
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, zone) }
	for i, step := range []struct {
		key  fyne.KeyName
		want time.Time
	}{
		{fyne.KeyLeft, day(10, 24)},
		{fyne.KeyRight, day(10, 25)},
		{fyne.KeyRight, day(10, 26)}, // 25 hours on
		{fyne.KeyLeft, day(10, 25)},
		{fyne.KeyPageDown, day(10, 18)},
		{fyne.KeyPageUp, day(10, 25)},
		{fyne.KeyHome, day(10, 1)},
		{fyne.KeyLeft, day(10, 1)},
		{fyne.KeyEnd, now},
		{fyne.KeyRight, now},
		{fyne.KeyLeft, day(11, 23)},
		{fyne.KeyLeft, day(11, 22)},
	} {
		key(m.Histogram, step.key)
		if !m.Moment().Equal(step.want) {
			t.Fatalf("step %d, %s: the handle is at %v, want %v", i, step.key, m.Moment(), step.want)
		}
	}
	for i, r := range m.resting {
		if !r {
			t.Errorf("key %d: the handle is dragged", i)
		}
	}
	m.TypedRune('+')
	m.TypedRune('-')
	if fmt.Sprint(m.zoomed) != "[true false]" {
		t.Errorf("plus and minus: zoomed %v", m.zoomed)
	}
}

// The pointer brings the handle to where it is; held by its knob, it does not jump.
func TestTheHandleOfAHistogram(t *testing.T) {
	zone := amsterdam(t)
	bars, end, ticks := daily(zone, 50)
	m := newMoved(bars, end, end, ticks)
	deskWindow(t, m.Histogram, fyne.NewSize(1000, 200))
	m.SetMoment(time.Date(2026, 10, 11, 0, 0, 0, 0, zone))
	x := m.Place(m.Moment())
	if x < 195 || x > 205 {
		t.Fatalf("the eleventh of 50 days stands at %v of %v", x, m.Size().Width)
	}
	press := func(x, y float32) {
		m.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, y)}, Button: desktop.MouseButtonPrimary})
	}
	drag := func(x float32) { m.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, 40)}}) }
	floor := m.Size().Height - 24 - 14*1.3
	press(x+12, floor)
	if !m.Moment().Equal(time.Date(2026, 10, 11, 0, 0, 0, 0, zone)) || len(m.at) != 0 {
		t.Fatalf("held by its knob, the handle went to %v", m.Moment())
	}
	drag(x + 32)
	if got := m.Place(m.Moment()); got < x+19 || got > x+21 || m.resting[len(m.resting)-1] {
		t.Errorf("dragged 20 on, it went %v on, resting %v", got-x, m.resting)
	}
	m.MouseUp(nil)
	m.DragEnd()
	if n := len(m.resting); !m.resting[n-1] || m.resting[n-2] {
		t.Errorf("let go, it says so %v", m.resting)
	}
	press(600, 40)
	if got := m.Place(m.Moment()); got < 599 || got > 601 {
		t.Errorf("a click at 600 brings it to %v", got)
	}
	drag(5000)
	if !m.Moment().Equal(end) {
		t.Errorf("beyond the end it is at %v", m.Moment())
	}
	drag(-50)
	if !m.Moment().Equal(bars[0].From) {
		t.Errorf("before the begin it is at %v", m.Moment())
	}
	m.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(30, 40)}})
	m.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(31, 40)}})
	m.MouseOut()
	if n := len(m.hovered); n < 2 || m.hovered[n-2] != 1 || m.hovered[n-1] != -1 {
		t.Errorf("over the second bar, and away: %v", m.hovered)
	}
}

// Whatever its width and its bars: where a moment stands is in its bar, and no words
// stand in others or outside of it.
func TestTheWordsUnderAHistogram(t *testing.T) {
	zone := amsterdam(t)
	h := ui.NewHistogram()
	w := deskWindow(t, h, fyne.NewSize(1000, 200))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "bars")
		bars, end, ticks := daily(zone, n)
		width := float32(rapid.IntRange(210, 2500).Draw(t, "width"))
		h.SetBars(bars, end, end, ticks)
		w.Resize(fyne.NewSize(width, 200))
		words := h.Words()
		if len(words) == 0 {
			t.Fatal("nothing stands under it")
		}
		for i, s := range words {
			if s[0] < -0.5 || s[1] > h.Size().Width+1 {
				t.Fatalf("words from %v to %v in a width of %v", s[0], s[1], h.Size().Width)
			}
			if i > 0 && s[0] < words[i-1][1]+8 {
				t.Fatalf("words at %v stand in those at %v", s, words[i-1])
			}
		}
		bar := rapid.IntRange(0, n-1).Draw(t, "bar")
		at := bars[bar].From.Add(time.Duration(rapid.IntRange(0, 22*3600).Draw(t, "second")) * time.Second)
		if got := h.BarAt(at); got != bar {
			t.Fatalf("%v is in bar %d, want %d", at, got, bar)
		}
		pitch := h.Size().Width / float32(n)
		if x := h.Place(at); x < pitch*float32(bar)-0.5 || x > pitch*float32(bar+1)+0.5 {
			t.Fatalf("%v of bar %d stands at %v, a bar is %v", at, bar, x, pitch)
		}
	})
}

// A histogram without bars has nothing to move.
func TestAnEmptyHistogram(t *testing.T) {
	m := newMoved(nil, time.Time{}, time.Time{}, nil)
	w := deskWindow(t, m.Histogram, fyne.NewSize(600, 200))
	w.Canvas().FocusNext()
	for _, k := range []fyne.KeyName{fyne.KeyLeft, fyne.KeyRight, fyne.KeyHome, fyne.KeyEnd} {
		key(m.Histogram, k)
	}
	m.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(20, 20)}})
	m.MouseUp(nil)
	m.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(30, 40)}})
	m.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(30, 40)}})
	if len(m.at) != 0 {
		t.Errorf("the handle went to %v", m.at)
	}
	_ = w.Canvas().Capture()
}

func TestAPickerOpensAndTakesBack(t *testing.T) {
	opened, reset := 0, 0
	p := ui.NewPicker(ui.IconFilter, func() { opened++ }, func() { reset++ })
	p.Set("Soort: alles", false)
	w := deskWindow(t, ui.Row(ui.SizeGap, p, ui.Spring()), fyne.NewSize(600, 80))
	right := func() fyne.Position { return fyne.NewPos(p.Size().Width-16, p.Size().Height/2) }
	test.TapAt(p, right())
	w.Canvas().Focus(p)
	key(p, fyne.KeyBackspace)
	if opened != 1 || reset != 0 {
		t.Fatalf("with nothing chosen: opened %d times, taken back %d times", opened, reset)
	}
	p.Set("Soort: Sms verstuurd", true)
	w.Resize(fyne.NewSize(700, 80))
	test.TapAt(p, right())
	key(p, fyne.KeyDelete)
	if opened != 1 || reset != 2 {
		t.Errorf("on the cross, and Delete: opened %d times, taken back %d times", opened, reset)
	}
	test.TapAt(p, fyne.NewPos(30, 10))
	key(p, fyne.KeyReturn)
	if opened != 3 {
		t.Errorf("on the words, and Enter: opened %d times", opened-1)
	}
}

// A menu stays in the window, has the keys, and gives the focus back.
func TestAMenu(t *testing.T) {
	chosen, gone := "", 0
	opener := ui.NewPicker("", nil, nil)
	opener.Set("Plek: alles", false)
	at := ui.Row(ui.SizeGap, ui.Spring(), opener)
	w := deskWindow(t, ui.Column(ui.SizeGap, ui.Spring(), at), fyne.NewSize(600, 400))
	w.Canvas().Focus(opener)
	show := func() *ui.Menu {
		list := ui.Column("")
		for i := range 80 {
			name := "Hal " + strconv.Itoa(i)
			list.Add(ui.NewMenuItem(name, "", i, i == 2, func() { chosen = name }))
		}
		return ui.ShowMenu(opener, ui.AtMost(320, ui.NewScroller(list)), 240, func() { gone++ })
	}
	m := show()
	w.Canvas().FocusNext()
	for _, k := range []fyne.KeyName{fyne.KeyDown, fyne.KeyDown, fyne.KeyUp, fyne.KeyDown, fyne.KeyReturn} {
		key(w.Canvas().Focused(), k)
	}
	if chosen != "Hal 2" {
		t.Errorf("two down and Enter chose %q", chosen)
	}
	key(w.Canvas().Focused(), fyne.KeyEscape)
	if gone != 1 || w.Canvas().Overlays().Top() != nil || w.Canvas().Focused() != fyne.Focusable(opener) {
		t.Errorf("after Escape it is gone %d times, and %v has the focus", gone, w.Canvas().Focused())
	}
	m.Hide()
	m = show()
	m.Tapped(&fyne.PointEvent{Position: fyne.NewPos(5, 5)})
	if gone != 2 {
		t.Error("a click beside it leaves it")
	}
	m = show()
	m.Tapped(&fyne.PointEvent{Position: fyne.NewPos(520, 250)})
	if gone != 2 {
		t.Error("a click on it takes it away")
	}
	m.Hide()
}

func TestAListingIsCopied(t *testing.T) {
	const text = "{\n  \"kind\": \"sms\",\n  \"number\": 3\n}"
	l := ui.NewListing(text)
	w := deskWindow(t, ui.Column(ui.SizeGap, l), fyne.NewSize(400, 300))
	clip := fyne.CurrentApp().Clipboard()
	copied := func() string {
		l.TypedShortcut(&fyne.ShortcutCopy{Clipboard: clip})
		return clip.Content()
	}
	w.Canvas().Focus(l)
	if got := copied(); got != text {
		t.Errorf("without a mark it copies %q", got)
	}
	pitch := fyne.MeasureText("0", 14, fyne.TextStyle{Monospace: true})
	spot := func(line int, column float32) fyne.Position {
		return fyne.NewPos(10+column*pitch.Width, 10+(float32(line)+0.5)*float32(int(pitch.Height+3)))
	}
	l.DoubleTapped(&fyne.PointEvent{Position: spot(1, 12)})
	if got := copied(); got != "sms" {
		t.Errorf("a double click on a word marks %q", got)
	}
	l.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: spot(1, 2)}})
	l.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: spot(2, 10)}})
	if got := copied(); got != "\"kind\": \"sms\",\n  \"number\"" {
		t.Errorf("a mark over two lines is %q", got)
	}
	l.TypedShortcut(&fyne.ShortcutSelectAll{})
	if got := copied(); got != text {
		t.Errorf("all marked is %q", got)
	}
	// However narrow, nothing is lost.
	long := ui.NewListing("eeneenlangwoordzonderspaties-" + text)
	w.SetContent(ui.Column(ui.SizeGap, long))
	w.Resize(fyne.NewSize(330, 300))
	if h := long.HeightFor(140); h < 5*float32(int(pitch.Height+3)) {
		t.Errorf("in a width of 140 it is %v high", h)
	}
	if long.String() != "eeneenlangwoordzonderspaties-"+text {
		t.Errorf("the text is %q", long.String())
	}
}

// A table whose rows are of one line has them closer, and none less in sight.
func TestACompactTable(t *testing.T) {
	c := newCounting(ui.Section{Rows: 1_000_000})
	c.Compact, c.Flush, c.Least = true, true, 6
	deskWindow(t, c.Table, fyne.NewSize(1000, 640))
	if n := c.to - c.from; n < 15 || n > 18 {
		t.Errorf("%d rows are in sight", n)
	}
	if h := c.MinSize().Height; h < 6*36 {
		t.Errorf("it can do with %v", h)
	}
	test.TapAt(c.Table, fyne.NewPos(200, 40+36*3+5))
	if fmt.Sprint(c.opened) != "[3]" {
		t.Errorf("a click on the fourth row opened %v", c.opened)
	}
}

// tapeScene is the parts of the page on which an auditor plays back.
func tapeScene(tb testing.TB) fyne.CanvasObject {
	tb.Helper()
	bars, end, ticks := daily(amsterdam(tb), 54)
	bars[10].Count = 3000
	h := ui.NewHistogram()
	h.SetBars(bars, end, end, ticks)
	h.SetMoment(bars[47].From.Add(14*time.Hour + 32*time.Minute))
	tiles := ui.Tiles(5, 116, ui.SizeGap)
	for i, s := range []*ui.Stat{
		ui.NewStat("Uitgenodigd", ui.ColorBarSoft, false), ui.NewStat("Bezig", ui.ColorSun, false), ui.NewStat("Vastgelopen", theme.ColorNameError, true),
		ui.NewStat("Klaar", theme.ColorNameSuccess, false), ui.NewStat("Bevroren", ui.ColorMuted, false),
	} {
		s.Set([]string{"24", "9", "4", "123 286", "2"}[i], "nu "+[]string{"11", "5", "3", "123 312", "2"}[i])
		tiles.Add(s)
	}
	table := ui.NewTable([]ui.TableColumn{
		{Title: "Tijd", Least: 100, Wanted: 150},
		{Title: "Gebeurtenis", Least: 160, Wanted: 260, Grows: 1},
		{Title: "Mens", Least: 90, Wanted: 150},
		{Title: "Nr. en hash", Least: 110, Wanted: 150, Right: true},
	}, func(i int) ui.TableRow {
		return ui.TableRow{Cells: []ui.Cell{
			{Title: "14:32:08", Mono: true, Icon: "", Sign: ""},
			{Title: "Sms verstuurd naar een heel lang verhaal", Strong: i == 1, Icon: ui.IconPhone, Sign: ui.ColorMuted},
			{Title: "M. Visser"},
			{Title: fmt.Sprintf("%d 9f3c…", 6412-i), Mono: true, Ink: ui.ColorMuted},
		}}
	})
	table.Compact, table.Flush, table.Least = true, true, 5
	table.SetSections([]ui.Section{{Rows: 6412}})
	table.Choose(1, false)
	kind, person := ui.NewPicker(ui.IconFilter, nil, nil), ui.NewPicker("", nil, nil)
	kind.Set("Soort: alles", false)
	person.Set("Mens: M. Visser", true)
	chips := ui.FlowApart(ui.SizeSmallGap, kind, person, ui.Hint(ui.Plain("8 van 6 412")).OneLine())
	seal := ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap, ui.Subheading("Klopt het logboek?"),
		ui.NewProof(ui.IconCheck, theme.ColorNameSuccess, "Keten heeft geen gaten", "1 t/m 6 412"),
		ui.NewChainLink(0, ui.IconMail, ui.ColorMuted, "Bevestigingscode verstuurd", "14:27:59 · Maildienst", false, nil),
		ui.NewChainLink(1, ui.IconCheck, theme.ColorNameSuccess, "E-mailadres bevestigd", "14:28:47 · Kiosk Hal 2", true, nil),
		ui.NewListing("{\n  \"kind\": \"sms\"\n}")))
	return ui.NewScroller(ui.Column(ui.SizeGap, ui.NewCard(ui.Surface, h), tiles,
		ui.Grow(1, ui.Beside(ui.NewSheet(chips, table), seal, 840, 320))))
}

// Writes the parts as pictures into the folder KEYDESK_SHOTS, to be looked at.
func TestTapeShots(t *testing.T) {
	dir := os.Getenv("KEYDESK_SHOTS")
	if dir == "" {
		t.Skip("KEYDESK_SHOTS is not set")
	}
	for name, o := range map[string]ui.Options{
		"light": {}, "dark": {Mode: ui.Dark}, "hc": {Mode: ui.HighContrast}, "150": {Scale: ui.Largest},
	} {
		o.Class = ui.Desktop
		test.NewTempApp(t).Settings().SetTheme(ui.NewTheme(o))
		w := test.NewTempWindow(t, tapeScene(t))
		w.SetPadded(true)
		w.Resize(fyne.NewSize(1160, 820))
		w.Canvas().FocusNext()
		f, err := os.Create(filepath.Join(dir, "tape-"+name+".png")) //nolint:gosec // the folder that was asked for
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, w.Canvas().Capture()); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
}

// Where the number of one tile has to be smaller, those beside it are as small.
func TestTilesHaveNumbersOfOneSize(t *testing.T) {
	small, large := ui.NewStat("Klaar", theme.ColorNameSuccess, false), ui.NewStat("Bezig", ui.ColorSun, false)
	ui.Alike(small, large)
	deskWindow(t, ui.Tiles(2, 116, ui.SizeGap, small, large), fyne.NewSize(260, 200))
	of := func(s *ui.Stat, value string) float32 {
		t.Helper()
		for _, o := range test.WidgetRenderer(s).Objects() {
			if text, ok := o.(*canvas.Text); ok && text.Text == value {
				return text.TextSize
			}
		}
		t.Fatalf("no tile shows %s", value)
		return 0
	}
	small.Set("9", "nu 9")
	large.Set("9", "nu 9")
	before := of(large, "9")
	small.Set("123 286", "nu 240")
	if a, b := of(small, "123 286"), of(large, "9"); a != b || b >= before {
		t.Errorf("the numbers have sizes %v and %v, before %v", a, b, before)
	}
	small.Set("9", "nu 9")
	if got := of(large, "9"); got != before {
		t.Errorf("with room again, the number has size %v, not %v", got, before)
	}
}
