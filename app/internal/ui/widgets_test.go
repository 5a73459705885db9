package ui_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// window shows an object in a window of a wide kiosk.
func window(t *testing.T, o fyne.CanvasObject) fyne.Window {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(ui.NewTheme(ui.Options{}))
	w := test.NewTempWindow(t, o)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(1000, 700))
	return w
}

func key(f fyne.Focusable, names ...fyne.KeyName) {
	for _, n := range names {
		f.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

func paste(t *testing.T, s fyne.Shortcutable, text string) {
	t.Helper()
	c := fyne.CurrentApp().Clipboard()
	c.SetContent(text)
	s.TypedShortcut(&fyne.ShortcutPaste{Clipboard: c})
}

func TestButton(t *testing.T) {
	n := 0
	b := ui.NewNext("Volgende", func() { n++ })
	w := window(t, b)
	test.Tap(b)
	key(b, fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace, fyne.KeyA)
	if n != 4 {
		t.Errorf("acted %d times, want 4", n)
	}
	b.SetBusy(true)
	test.Tap(b)
	b.SetBusy(false)
	b.Disable()
	test.Tap(b)
	if n != 4 {
		t.Error("a busy or disabled button acted")
	}
	w.Canvas().FocusNext()
	if w.Canvas().Focused() != nil {
		t.Error("a disabled button got the focus")
	}
	b.Enable()
	w.Canvas().FocusNext()
	if w.Canvas().Focused() != fyne.Focusable(b) {
		t.Error("an enabled button did not get the focus")
	}
}

// Every key that a widget has no use for reaches the window: Escape, say.
func TestEscapeReachesTheWindow(t *testing.T) {
	f, d := ui.NewField("Naam", ""), ui.NewDigits()
	tile := ui.NewTile(true, ui.IconPerson, "Aanmelden", "Nieuw?", nil)
	choice := ui.NewSegmented([]string{"NL", "EN"}, 0, nil)
	b := ui.NewButton(ui.Secondary, "Terug", nil)
	w := window(t, ui.Column("", f, d, tile, choice, b))
	n := 0
	w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyEscape {
			n++
		}
	})
	for _, o := range []fyne.Focusable{f.Input(), d, tile, choice, b} {
		key(o, fyne.KeyEscape)
	}
	if n != 5 {
		t.Errorf("Escape reached the window %d times, want 5", n)
	}
}

func TestActivityIsEveryTouchAndKey(t *testing.T) {
	f, d := ui.NewField("Naam", ""), ui.NewDigits()
	b := ui.NewButton(ui.Secondary, "Terug", nil)
	k := ui.NewNumpad(i18n.New("nl"), d)
	window(t, ui.Column("", f, d, b, k))
	n := 0
	ui.OnActivity(func() { n++ })
	defer ui.OnActivity(nil)
	for name, do := range map[string]func(){
		"button": func() { test.Tap(b) }, "field": func() { f.Input().TypedRune('a') },
		"digits": func() { d.TypedRune('1') }, "keys": func() { k.Press("2") },
	} {
		was := n
		if do(); n == was {
			t.Errorf("%s: no activity", name)
		}
	}
}

func TestFieldTyping(t *testing.T) {
	f := ui.NewField("E-mailadres", "")
	var last, sent string
	f.Input().OnChanged = func(s string) { last = s }
	f.Input().OnSubmitted = func(s string) { sent = s }
	w := window(t, f)
	w.Canvas().Focus(f.Input())
	test.Type(f.Input(), "ab@c")
	key(f.Input(), fyne.KeyLeft, fyne.KeyLeft, fyne.KeyBackspace, fyne.KeyHome, fyne.KeyDelete, fyne.KeyEnd)
	f.Input().TypedRune('é')
	key(f.Input(), fyne.KeyReturn)
	if want := "@cé"; f.Text() != want || last != want || sent != want {
		t.Errorf("text %q, changed %q, submitted %q, want %q", f.Text(), last, sent, want)
	}
	key(f.Input(), fyne.KeyHome, fyne.KeyBackspace, fyne.KeyEnd, fyne.KeyDelete)
	if f.Text() != "@cé" {
		t.Error("deleting at an end changed the text")
	}
}

func TestFieldSelection(t *testing.T) {
	f := ui.NewField("Naam", "")
	i := f.Input()
	window(t, f)
	i.SetText("Sanne")
	i.KeyDown(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	key(i, fyne.KeyLeft, fyne.KeyLeft)
	i.KeyUp(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	i.TypedRune('x')
	if f.Text() != "Sanx" {
		t.Errorf("typing over a selection gave %q", f.Text())
	}
	c := fyne.CurrentApp().Clipboard()
	i.TypedShortcut(&fyne.ShortcutSelectAll{})
	i.TypedShortcut(&fyne.ShortcutCut{Clipboard: c})
	if f.Text() != "" || c.Content() != "Sanx" {
		t.Errorf("cut left %q and took %q", f.Text(), c.Content())
	}
}

func TestFieldPasteLosesNewlines(t *testing.T) {
	f := ui.NewField("E-mailadres", "")
	window(t, f)
	paste(t, f.Input(), " \tsanne@voorbeeld.nl\r\n")
	if f.Text() != "sanne@voorbeeld.nl" {
		t.Errorf("pasted %q", f.Text())
	}
	f.Wipe()
	paste(t, f.Input(), strings.Repeat("a", 5000))
	if n := len(f.Text()); n != 256 {
		t.Errorf("a paste of 5000 gave %d", n)
	}
}

func TestPasswordIsNeverCopied(t *testing.T) {
	f := ui.NewPasswordField("Wachtwoord", "", "Toon", "Verberg")
	window(t, f)
	f.SetText("Kaas-Fiets-12")
	for _, shown := range []bool{false, true} {
		c := fyne.CurrentApp().Clipboard()
		c.SetContent("before")
		f.SetRevealed(shown)
		f.Input().TypedShortcut(&fyne.ShortcutSelectAll{})
		f.Input().TypedShortcut(&fyne.ShortcutCopy{Clipboard: c})
		f.Input().TypedShortcut(&fyne.ShortcutCut{Clipboard: c})
		if c.Content() != "before" || f.Text() == "" {
			t.Errorf("revealed %v: the password reached the clipboard", shown)
		}
	}
}

// A wiped field keeps nothing that undoing could bring back, and undoing does
// not panic, as it does in Fyne's entry.
func TestWipe(t *testing.T) {
	f := ui.NewPasswordField("Wachtwoord", "", "Toon", "Verberg")
	window(t, f)
	test.Type(f.Input(), "geheim")
	f.SetRevealed(true)
	f.SetError("Te kort")
	f.Wipe()
	f.Input().TypedShortcut(&fyne.ShortcutUndo{})
	f.Input().TypedShortcut(&fyne.ShortcutRedo{})
	if f.Text() != "" || f.Revealed() || f.Wrong() != "" {
		t.Errorf("after a wipe: %q, revealed %v, error %q", f.Text(), f.Revealed(), f.Wrong())
	}
}

func TestFieldArranges(t *testing.T) {
	f := ui.NewField("Mobiel nummer", "")
	f.Input().Accept = func(r rune) bool { return r >= '0' && r <= '9' }
	f.Input().Arrange = func(s string, cursor int) (string, int) {
		s = strings.ReplaceAll(s, " ", "")
		if len(s) > 1 {
			s = s[:1] + " " + s[1:]
		}
		return s, len(s)
	}
	window(t, f)
	test.Type(f.Input(), "6a1-2")
	if f.Text() != "6 12" {
		t.Errorf("arranged as %q", f.Text())
	}
}

func TestDisabledFieldTakesNothing(t *testing.T) {
	f := ui.NewField("Naam", "")
	w := window(t, f)
	f.SetText("Sanne")
	f.SetEnabled(false)
	f.Input().TypedRune('x')
	key(f.Input(), fyne.KeyBackspace)
	paste(t, f.Input(), "y")
	w.Canvas().FocusNext()
	if f.Text() != "Sanne" || w.Canvas().Focused() != nil {
		t.Errorf("a disabled field holds %q, focus %v", f.Text(), w.Canvas().Focused())
	}
}

// The height of a field is the same with a hint, with one line of error and
// with neither: nothing jumps.
func TestFieldDoesNotJump(t *testing.T) {
	f := ui.NewField("Naam", "")
	window(t, f)
	h := f.HeightFor(800)
	f.SetHint("Zoals op je pas.")
	if got := f.HeightFor(800); got != h {
		t.Errorf("with a hint %v, want %v", got, h)
	}
	f.SetError("Vul je naam in.")
	if got := f.HeightFor(800); got != h {
		t.Errorf("with an error %v, want %v", got, h)
	}
}

func TestDigits(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*ui.Digits)
		want string
		full int
	}{
		{"typed", func(d *ui.Digits) { test.Type(d, "123456") }, "123456", 1},
		{"typed with letters and more", func(d *ui.Digits) { test.Type(d, "1a2 34-5678") }, "123456", 1},
		{"backspace", func(d *ui.Digits) { test.Type(d, "12"); key(d, fyne.KeyBackspace) }, "1", 0},
		{"pasted", func(d *ui.Digits) { paste(t, d, "123 456\n") }, "123456", 1},
		{"pasted over", func(d *ui.Digits) { test.Type(d, "99"); paste(t, d, "123-456") }, "123456", 1},
		{"pasted in part", func(d *ui.Digits) { test.Type(d, "1"); paste(t, d, "23") }, "123", 0},
		{"pasted words", func(d *ui.Digits) { paste(t, d, "je code") }, "", 0},
		{"sent again with Enter", func(d *ui.Digits) { test.Type(d, "123456"); key(d, fyne.KeyReturn) }, "123456", 2},
		{"Enter too early", func(d *ui.Digits) { test.Type(d, "123"); key(d, fyne.KeyReturn) }, "123", 0},
		{"disabled", func(d *ui.Digits) { d.Disable(); test.Type(d, "1"); paste(t, d, "123456") }, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := ui.NewDigits()
			full := 0
			d.OnComplete = func(string) { full++ }
			window(t, d)
			tt.do(d)
			if d.Text() != tt.want || full != tt.full {
				t.Errorf("got %q, complete %d times; want %q, %d", d.Text(), full, tt.want, tt.full)
			}
		})
	}
}

func TestDigitsForgetTheErrorWithTheNextDigit(t *testing.T) {
	d := ui.NewDigits()
	d.OnComplete = func(string) { d.Clear(); d.SetError("Die code klopt niet.") }
	window(t, d)
	test.Type(d, "123456")
	if d.Text() != "" || d.Wrong() == "" {
		t.Fatalf("after a wrong code: %q, error %q", d.Text(), d.Wrong())
	}
	test.Type(d, "1")
	if d.Wrong() != "" {
		t.Error("the error stayed")
	}
}

func TestKeysTypeIntoWhatHasTheFocus(t *testing.T) {
	a, b := ui.NewField("Naam", ""), ui.NewField("Wachtwoord", "")
	k := ui.NewKeyboard(i18n.New("nl"), a.Input())
	w := window(t, ui.Column("", a, b, k))
	k.Press("q") // nothing has the focus: its target gets it
	if w.Canvas().Focused() != fyne.Focusable(a.Input()) {
		t.Fatal("the target did not get the focus")
	}
	w.Canvas().Focus(b.Input())
	for _, p := range []string{"shift", "A", "z", "! # ?", "€", "a b c", "spatie", "é ë ï", "ï", "backspace"} {
		if !k.Press(p) {
			t.Errorf("there is no key %q", p)
		}
	}
	if a.Text() != "q" || b.Text() != "Az€ " {
		t.Errorf("typed %q and %q", a.Text(), b.Text())
	}
	if w.Canvas().Focused() != fyne.Focusable(b.Input()) {
		t.Error("the keys took the focus")
	}
}

func TestKeysActAtTheFinger(t *testing.T) {
	d := ui.NewDigits()
	k := ui.NewNumpad(i18n.New("nl"), d)
	w := window(t, k)
	w.Resize(fyne.NewSize(432, 528))
	at := func(x, y float32) *desktop.MouseEvent {
		return &desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, y)}, Button: desktop.MouseButtonPrimary}
	}
	tap := func(x, y float32) {
		k.MouseDown(at(x, y))
		k.MouseUp(at(x, y))
		k.Tapped(&fyne.PointEvent{Position: fyne.NewPos(x, y)})
	}
	s := k.Size()
	col, row := s.Width/3, s.Height/4
	tap(col*0.5, row*0.5)                                               // 1
	tap(col*2.5, row*2.5)                                               // 9
	tap(col*1.5, row*3.5)                                               // 0
	k.Tapped(&fyne.PointEvent{Position: fyne.NewPos(col*1.5, row*0.5)}) // 2, by touch alone
	if d.Text() != "1902" {
		t.Errorf("typed %q, want 1902", d.Text())
	}
	tap(col*2.5, row*3.5)
	if d.Text() != "190" {
		t.Errorf("after backspace %q, want 190", d.Text())
	}
	tap(col*0.5, row*3.5)
	if d.Text() != "" {
		t.Errorf("after clear %q", d.Text())
	}
}

func TestKeysAreLargeEnough(t *testing.T) {
	p := i18n.New("nl")
	for _, size := range []fyne.Size{fyne.NewSize(1280, 800), fyne.NewSize(800, 1280), fyne.NewSize(1920, 1080)} {
		test.NewTempApp(t).Settings().SetTheme(ui.NewTheme(ui.Options{Class: ui.ClassOf(size), Scale: ui.Largest}))
		for name, k := range map[string]*ui.Keys{
			"numpad": ui.NewNumpad(p, nil), "small": ui.NewSmallNumpad(p, nil),
			"e-mail": ui.NewEmailKeyboard(p, nil), "letters": ui.NewKeyboard(p, nil),
		} {
			w, h := k.Smallest()
			if w < 56 || h < 56 {
				t.Errorf("%v %s: a key of %v by %v", size, name, w, h)
			}
		}
	}
}

func TestSegmented(t *testing.T) {
	got := -1
	s := ui.NewSegmented([]string{"NL", "EN"}, 0, func(i int) { got = i })
	window(t, s)
	test.TapAt(s, fyne.NewPos(s.Size().Width-4, 4))
	if got != 1 || s.Chosen() != 1 {
		t.Errorf("chose %d", got)
	}
	key(s, fyne.KeyLeft)
	if got != 0 {
		t.Errorf("after Left %d", got)
	}
}

func TestTextWraps(t *testing.T) {
	x := ui.Body(ui.Plain("De code staat in je mail: "), ui.Bold("sanne.devries@voorbeeld.nl"), ui.Plain(". Kijk ook bij je ongewenste mail."))
	window(t, x)
	one, narrow := x.HeightFor(2000), x.HeightFor(340)
	if narrow < 3*one {
		t.Errorf("at 340 wide it is %v high, at 2000 %v", narrow, one)
	}
	if got := x.String(); !strings.Contains(got, "mail: sanne.devries@voorbeeld.nl. Kijk") {
		t.Errorf("read aloud as %q", got)
	}
	if m := x.MinSize(); m.Width < 200 {
		t.Errorf("the longest word does not fit in %v", m.Width)
	}
}

func TestRulesShowWhatFits(t *testing.T) {
	all := make([]ui.Rule, 6)
	for i := range all {
		all[i] = ui.Rule{Text: strings.Repeat("x", i+1)}
	}
	test.NewTempApp(t).Settings().SetTheme(ui.NewTheme(ui.Options{Class: ui.Compact}))
	r := ui.NewRules("Zo is je wachtwoord goed", true)
	r.Set(all, "0 van 6")
	if got := r.Shown(1000); len(got) != 6 {
		t.Errorf("with room it shows %d", len(got))
	}
	if got := r.Shown(100); len(got) != 3 {
		t.Errorf("in 100 it shows %d, want 3", len(got))
	}
	for i := range 5 {
		all[i].Met = true
	}
	r.Set(all, "5 van 6")
	if got := r.Shown(1000); len(got) != 1 || got[0] != all[5] {
		t.Errorf("with one left it shows %v", got)
	}
}

func TestWorkComesBack(t *testing.T) {
	test.NewTempApp(t)
	type answer struct {
		v   int
		err error
	}
	done := make(chan answer, 1)
	refused := errors.New("refused")
	ui.Work(t.Context(), func(context.Context) (int, error) { return 7, refused }, func(v int, err error) { done <- answer{v, err} })
	select {
	case got := <-done:
		if got.v != 7 || !errors.Is(got.err, refused) {
			t.Errorf("got %+v", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it never came back")
	}
}

func TestTickerStops(t *testing.T) {
	test.NewTempApp(t)
	ticks := make(chan struct{}, 1000)
	k := ui.NewTicker(time.Millisecond, func() { ticks <- struct{}{} })
	select {
	case <-ticks:
	case <-time.After(10 * time.Second):
		t.Fatal("it never ticked")
	}
	k.Stop()
	k.Stop()
	var none *ui.Ticker
	none.Stop()
}

func TestCountdownsAreCalm(t *testing.T) {
	for left, want := range map[time.Duration]time.Duration{
		14*time.Minute + 59*time.Second: 15 * time.Minute, 15 * time.Minute: 15 * time.Minute,
		14*time.Minute + 54*time.Second: 14*time.Minute + 55*time.Second, 11 * time.Second: 15 * time.Second,
		10 * time.Second: 10 * time.Second, 3 * time.Second: 3 * time.Second, 0: 0,
	} {
		if got := ui.Calm(left); got != want {
			t.Errorf("%v shows as %v, want %v", left, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0:00", -time.Second: "0:00", time.Millisecond: "0:01", 59 * time.Second: "0:59",
		8*time.Minute + 42*time.Second: "8:42", 15 * time.Minute: "15:00",
	} {
		if got := ui.Clock(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
