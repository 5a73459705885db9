package ui_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
)

// deskWindow shows an object in a window of a staff computer.
func deskWindow(tb testing.TB, o fyne.CanvasObject, size fyne.Size) fyne.Window {
	tb.Helper()
	test.NewTempApp(tb).Settings().SetTheme(ui.NewTheme(ui.Options{Class: ui.Desktop}))
	w := test.NewTempWindow(tb, o)
	w.SetPadded(false)
	w.Resize(size)
	return w
}

// A counting table notes which rows it was asked for.
type counting struct {
	*ui.Table
	asked    map[int]int
	from, to int
	opened   []int
}

func newCounting(sections ...ui.Section) *counting {
	c := &counting{asked: map[int]int{}}
	c.Table = ui.NewTable(tableColumns, func(i int) ui.TableRow {
		c.asked[i]++
		return ui.TableRow{Cells: []ui.Cell{{Title: strconv.Itoa(i)}}}
	})
	c.OnWindow = func(from, to int) { c.from, c.to = from, to }
	c.OnOpen = func(i int) { c.opened = append(c.opened, i) }
	c.SetSections(sections)
	return c
}

// A table of any length asks for what is in sight, and nothing else.
func TestATableAsksForWhatIsInSight(t *testing.T) {
	c := newCounting(ui.Section{Rows: 1_000_000})
	deskWindow(t, c.Table, fyne.NewSize(1000, 640))
	inSight := c.to - c.from
	if inSight < 10 || inSight > 14 || c.from != 0 {
		t.Fatalf("at the top rows %d to %d are in sight", c.from, c.to)
	}
	if len(c.asked) > inSight {
		t.Errorf("it asked for %d rows, and %d are in sight", len(c.asked), inSight)
	}
	clear(c.asked)
	key(c.Table, fyne.KeyEnd)
	if c.Chosen() != 999_999 || c.to != 1_000_000 {
		t.Fatalf("at the end row %d is chosen, and %d to %d are in sight", c.Chosen(), c.from, c.to)
	}
	if len(c.asked) > inSight+1 {
		t.Errorf("on its way to the end it asked for %d rows", len(c.asked))
	}
	// One step of the wheel moves what is there, and draws what comes in.
	clear(c.asked)
	c.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 48)})
	if n := len(c.asked); n < 1 || n > 2 {
		t.Errorf("one row on, it asked for %d rows", n)
	}
	if c.from != 999_999-inSight && c.from != 999_999-inSight+1 && c.from != 999_998-inSight {
		t.Errorf("one row up from the end, %d to %d are in sight", c.from, c.to)
	}
}

// A row far down stands on a whole row, as the first does: nothing is lost to
// the precision of a float32.
func TestTheLastRowStandsAsTheFirst(t *testing.T) {
	c := newCounting(ui.Section{Title: "Bezig", Rows: 3_000_000})
	deskWindow(t, c.Table, fyne.NewSize(1000, 640))
	for _, row := range []int{0, 1, 77_777, 1_500_001, 2_999_999} {
		c.Choose(row, true)
		c.SetAnchor(row, 0)
		if got, above := c.Anchor(); row > 0 && row < 2_999_900 && (got != row || above != 0) {
			t.Errorf("anchored at row %d, it stands at %d and %v", row, got, above)
		}
		if c.Chosen() != row || c.from > row || c.to <= row {
			t.Errorf("row %d is chosen as %d, and %d to %d are in sight", row, c.Chosen(), c.from, c.to)
		}
	}
}

func TestTheKeysOfATable(t *testing.T) {
	c := newCounting(
		ui.Section{Title: "Vastgelopen", Rows: 3}, ui.Section{Title: "Bezig"}, ui.Section{Title: "Niet gestart", Rows: 50},
		ui.Section{Title: "Klaar", Rows: 40, Fold: "Toon", Folded: true})
	var folded []int
	c.OnFold = func(s int) { folded = append(folded, s) }
	w := deskWindow(t, c.Table, fyne.NewSize(1000, 640))
	w.Canvas().FocusNext()
	if c.Chosen() != 0 {
		t.Fatalf("with the focus row %d is chosen", c.Chosen())
	}
	for _, step := range []struct {
		key  fyne.KeyName
		want int
	}{
		{fyne.KeyUp, 0},
		{fyne.KeyDown, 1},
		{fyne.KeyDown, 2},
		{fyne.KeyDown, 3},
		{fyne.KeyDown, 4},
		{fyne.KeyUp, 3},
		{fyne.KeyUp, 2},
		{fyne.KeyPageDown, 13},
		{fyne.KeyPageUp, 2},
		{fyne.KeyEnd, -1},
		{fyne.KeyUp, 52},
		{fyne.KeyDown, -1},
		{fyne.KeyDown, -1},
		{fyne.KeyHome, 0},
	} {
		if key(c.Table, step.key); c.Chosen() != step.want {
			t.Fatalf("after %s row %d is chosen, want %d", step.key, c.Chosen(), step.want)
		}
		if got := c.Chosen(); got >= 0 && (c.from > got || c.to <= got) {
			t.Fatalf("after %s row %d is not in sight", step.key, got)
		}
	}
	key(c.Table, fyne.KeyReturn, fyne.KeyDown, fyne.KeySpace, fyne.KeyEnd, fyne.KeyEnter)
	if len(c.opened) != 2 || c.opened[0] != 0 || c.opened[1] != 1 || len(folded) != 1 || folded[0] != 3 {
		t.Errorf("opened %v, folded %v", c.opened, folded)
	}
	n := 0
	w.Canvas().SetOnTypedKey(func(*fyne.KeyEvent) { n++ })
	w.Canvas().SetOnTypedRune(func(rune) { n++ })
	key(c.Table, fyne.KeyEscape)
	if c.TypedRune('/'); n != 2 {
		t.Errorf("%d of Escape and / reached the window", n)
	}
}

func TestATouchOpensTheRowUnderIt(t *testing.T) {
	c := newCounting(ui.Section{Title: "Bezig", Rows: 500})
	deskWindow(t, c.Table, fyne.NewSize(1000, 640))
	at := func(y float32) fyne.Position { return fyne.NewPos(300, y) }
	tap := func(p fyne.Position) { c.Tapped(&fyne.PointEvent{Position: p}) }
	tap(at(20)) // the head
	tap(at(60)) // the heading
	if len(c.opened) != 0 {
		t.Fatalf("titles opened %v", c.opened)
	}
	tap(at(41 + 32 + 48*2 + 5))
	c.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -32-48*100)})
	tap(at(41 + 5))
	if len(c.opened) != 2 || c.opened[0] != 2 || c.opened[1] != 100 {
		t.Errorf("opened %v, want rows 2 and 100", c.opened)
	}
	c.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: at(60)}})
	if c.Cursor() != desktop.PointerCursor {
		t.Error("there is no hand over a row")
	}
}

// Rows come and go above what is in sight, and it stays where it was; at the
// very top it is the new ones that show.
func TestRowsComeAndGo(t *testing.T) {
	c := newCounting(ui.Section{Title: "Vastgelopen", Rows: 10}, ui.Section{Title: "Bezig", Rows: 1000})
	deskWindow(t, c.Table, fyne.NewSize(1000, 640))
	c.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -5000)})
	row, above := c.Anchor()
	c.SetSections([]ui.Section{{Title: "Vastgelopen", Rows: 13}, {Title: "Bezig", Rows: 1000}})
	c.SetAnchor(row+3, above)
	if again, same := c.Anchor(); again != row+3 || same != above {
		t.Errorf("it was at row %d and %v, and three rows later at %d and %v", row, above, again, same)
	}
	c.SetSections([]ui.Section{{Title: "Bezig", Rows: 4}})
	if from, to := c.Window(); from != 0 || to != 4 {
		t.Errorf("of four rows %d to %d are in sight", from, to)
	}
	if row, _ := c.Anchor(); row != -1 {
		t.Errorf("everything fits, and it is scrolled to row %d", row)
	}
}

// The last row, chosen and out of sight, comes into sight when somebody presses on.
func TestPressingOnAtTheEnd(t *testing.T) {
	c := newCounting(ui.Section{Rows: 6})
	deskWindow(t, c.Table, fyne.NewSize(1000, 400))
	key(c.Table, fyne.KeyEnd)
	c.SetSections([]ui.Section{{Rows: 60}})
	c.Choose(59, false)
	if key(c.Table, fyne.KeyDown); c.Chosen() != 59 || c.to != 60 {
		t.Errorf("row %d is chosen, and %d to %d are in sight", c.Chosen(), c.from, c.to)
	}
}

// Whatever is folded and pressed, what is chosen exists and is in sight.
func TestWhateverIsPressed(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(ui.NewTheme(ui.Options{Class: ui.Desktop}))
	rapid.Check(t, func(t *rapid.T) {
		section := rapid.Custom(func(t *rapid.T) ui.Section {
			return ui.Section{
				Title: rapid.SampledFrom([]string{"", "Bezig"}).Draw(t, "title"), Rows: rapid.IntRange(0, 40).Draw(t, "rows"),
				Fold: rapid.SampledFrom([]string{"", "Toon"}).Draw(t, "fold"), Folded: rapid.Bool().Draw(t, "folded"),
			}
		})
		c := newCounting()
		c.Resize(fyne.NewSize(1000, 400))
		test.WidgetRenderer(c.Table).Layout(c.Size())
		for range 12 {
			if rapid.Bool().Draw(t, "changes") {
				c.SetSections(rapid.SliceOfN(section, 0, 4).Draw(t, "sections"))
			}
			k := rapid.SampledFrom([]fyne.KeyName{
				fyne.KeyUp, fyne.KeyDown, fyne.KeyPageUp, fyne.KeyPageDown, fyne.KeyHome, fyne.KeyEnd,
			}).Draw(t, "key")
			key(c.Table, k)
			if got := c.Chosen(); got >= 0 && (got < c.from || got >= c.to) {
				t.Fatalf("after %s row %d is chosen, and %d to %d are in sight", k, got, c.from, c.to)
			}
		}
	})
}

func TestTheScrollBarGoesEverywhere(t *testing.T) {
	c := newCounting(ui.Section{Rows: 50_000})
	w := deskWindow(t, c.Table, fyne.NewSize(1000, 640))
	right := fyne.NewPos(995, 60)
	test.Drag(w.Canvas(), right, 0, 10_000)
	if c.to != 50_000 {
		t.Errorf("dragged to the end, %d to %d are in sight", c.from, c.to)
	}
	test.TapCanvas(w.Canvas(), fyne.NewPos(995, 100)) // above the thumb: a page back
	if c.to >= 50_000 || c.to < 49_970 {
		t.Errorf("a page back, %d to %d are in sight", c.from, c.to)
	}
	test.Drag(w.Canvas(), fyne.NewPos(995, 630), 0, -10_000)
	if c.from != 0 {
		t.Errorf("dragged to the top, %d to %d are in sight", c.from, c.to)
	}
}

func TestASearchWaitsForTheHand(t *testing.T) {
	s := ui.NewSearch("Zoek", "/", "Wis")
	said := make(chan string, 16)
	s.OnSearch = func(words string) { said <- words }
	down := 0
	s.OnDown = func() { down++ }
	deskWindow(t, s, fyne.NewSize(400, 60))
	test.Type(s.Input(), "sanne")
	select {
	case got := <-said:
		if got != "sanne" {
			t.Errorf("searched for %q", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it never searched")
	}
	key(s.Input(), fyne.KeyReturn) // the same words: no search, and on to what was found
	if down != 1 || len(said) != 0 {
		t.Errorf("after Enter: left %d times, %d searches more", down, len(said))
	}
	key(s.Input(), fyne.KeyDown)
	if key(s.Input(), fyne.KeyEscape); s.Text() != "" || down != 2 {
		t.Errorf("after Escape it has %q, left %d times", s.Text(), down)
	}
	if got := <-said; got != "" {
		t.Errorf("emptied, it searched for %q", got)
	}
	s.SetText("daan")
	if got := s.Text(); got != "daan" || len(said) != 0 {
		t.Errorf("words that were given: %q, and %d searches", got, len(said))
	}
}

func TestAMaskedValueShowsForAWhile(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 58, 0, 0, time.UTC)
	asked := 0
	m := ui.NewMasked("+31 •• ••• •• 78", "Toon", "Verberg", func() time.Time { return now }, func() { asked++ })
	deskWindow(t, m, fyne.NewSize(400, 60))
	test.Tap(m.Button())
	if test.Tap(m.Button()); asked != 1 || m.Shown() {
		t.Fatalf("asked %d times, shown %v before there was an answer", asked, m.Shown())
	}
	fyne.CurrentApp().Clipboard().SetContent("before")
	m.Reveal("+31 6 12 34 56 78", 30*time.Second)
	if !m.Shown() || m.String() != "+31 6 12 34 56 78" || m.Button().Text != "Verberg" {
		t.Errorf("shown %v as %q, with the button %q", m.Shown(), m.String(), m.Button().Text)
	}
	now = now.Add(29 * time.Second)
	if m.Tick(); !m.Shown() {
		t.Error("it was masked before its time")
	}
	now = now.Add(time.Second)
	if m.Tick(); m.Shown() || m.String() != "+31 •• ••• •• 78" {
		t.Errorf("after its time it shows %q", m.String())
	}
	m.Reveal("+31 6 12 34 56 78", 30*time.Second)
	if test.Tap(m.Button()); m.Shown() || asked != 1 {
		t.Error("it was not masked by hand")
	}
	if got := fyne.CurrentApp().Clipboard().Content(); got != "before" {
		t.Errorf("the clipboard has %q", got)
	}
}

// What gets the focus comes into sight.
func TestAScrollerFollowsTheFocus(t *testing.T) {
	col := ui.Column(ui.SizeGap)
	var buttons []*ui.Button
	for i := range 40 {
		b := ui.NewButton(ui.Secondary, strconv.Itoa(i), nil)
		buttons = append(buttons, b)
		col.Add(ui.NewCard(ui.Surface, ui.Row("", b)))
	}
	above := ui.NewButton(ui.Secondary, "Bord", nil)
	s := ui.NewScroller(col)
	w := deskWindow(t, ui.Column("", above, ui.Grow(1, s)), fyne.NewSize(400, 300))
	for i, b := range []*ui.Button{buttons[0], buttons[39], buttons[12], buttons[13], buttons[2]} {
		w.Canvas().Focus(b)
		d := fyne.CurrentApp().Driver()
		y := d.AbsolutePositionForObject(b).Y - d.AbsolutePositionForObject(s).Y
		if y < 0 || y+b.Size().Height > s.Size().Height {
			t.Errorf("%d: the button with the focus is at %v of %v", i, y, s.Size().Height)
		}
	}
	at := s.At()
	if w.Canvas().Focus(above); s.At() != at {
		t.Error("the focus went elsewhere, and it scrolled")
	}
}

func TestAFlowPutsItsLastApart(t *testing.T) {
	a, b, c := ui.NewFilter("Iedereen", false, nil), ui.NewFilter("Vastgelopen", true, nil), ui.NewBadge(ui.Success, "Live, 10:58")
	f := ui.FlowApart(ui.SizeSmallGap, a, b, c)
	deskWindow(t, f, fyne.NewSize(600, 100))
	if right := c.Position().X + c.Size().Width; right < 599 || c.Position().Y > 8 {
		t.Errorf("with room it ends at %v, %v down", right, c.Position().Y)
	}
	f.Resize(fyne.NewSize(260, 100))
	if right := c.Position().X + c.Size().Width; right < 259 || c.Position().Y < a.Size().Height {
		t.Errorf("without room it ends at %v, %v down", right, c.Position().Y)
	}
	if a.Position().Y != b.Position().Y {
		t.Error("the others are apart as well")
	}
}

// BenchmarkScroll is what a turn of the wheel costs on Fyne's goroutine in a
// table of 50,000 rows, without painting.
func BenchmarkScroll(b *testing.B) {
	test.NewTempApp(b).Settings().SetTheme(ui.NewTheme(ui.Options{Class: ui.Desktop}))
	for _, by := range []float32{-24, -4800} {
		b.Run(strconv.Itoa(int(by)), func(b *testing.B) {
			t := ui.NewTable(tableColumns, func(i int) ui.TableRow {
				r := somebody(3 + i%4)
				r.Cells[0].Title += " " + strconv.Itoa(i)
				return r
			})
			t.SetSections([]ui.Section{{Title: "Bezig", Rows: 50_000}})
			w := test.NewTempWindow(b, t)
			w.SetPadded(false)
			w.Resize(fyne.NewSize(1224, 900))
			for b.Loop() {
				t.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, by)})
				if _, to := t.Window(); to >= 50_000 {
					t.SetAnchor(-1, 0)
				}
			}
		})
	}
}

// Other columns, fewer or more, show whole and alone.
func TestATableTakesOtherColumns(t *testing.T) {
	titles := []string{"een", "twee", "drie", "vier"}
	n := 3
	columns := func() (all []ui.TableColumn) {
		for _, title := range titles[:n] {
			all = append(all, ui.TableColumn{Title: title, Least: 100, Wanted: 100})
		}
		return all
	}
	table := ui.NewTable(columns(), func(i int) (row ui.TableRow) {
		for _, title := range titles[:n] {
			row.Cells = append(row.Cells, ui.Cell{Title: title + " " + strconv.Itoa(i)})
		}
		return row
	})
	table.SetSections([]ui.Section{{Rows: 2}})
	w := deskWindow(t, table, fyne.NewSize(1000, 640))
	for _, n = range []int{3, 2, 4, 1} {
		table.SetColumns(columns())
		var want []string
		for _, of := range []string{"", " 0", " 1"} {
			for _, title := range titles[:n] {
				want = append(want, title+of)
			}
		}
		got := officetest.Texts(w)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%d columns show as %q, want %q", n, got, want)
		}
	}
}
