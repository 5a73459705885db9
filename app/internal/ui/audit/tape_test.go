package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"github.com/BurntSushi/toml"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

var large = fyne.NewSize(1440, 900)

func pressAt(h *ui.Histogram, x float32) {
	h.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, 40)}, Button: desktop.MouseButtonPrimary})
}

func dragTo(h *ui.Histogram, x float32) {
	h.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, 40)}})
}

// However fast the handle is dragged, one moment is asked for at a time, and at last the
// one where it is.
func TestTheHandleAsksForOneMomentAtATime(t *testing.T) {
	s := newScreen(t, newReel(3000), ui.Options{}, "nl", large)
	h, before := s.p.tape.chart, len(s.a.replays)
	hold := make(chan struct{})
	s.a.set(func() { s.a.hold = hold })
	pressAt(h, 300)
	for x := float32(301); x < 700; x += 2 {
		dragTo(h, x)
	}
	want := h.Moment()
	if got := s.p.tape.at.String(); !strings.Contains(got, want.In(time.Local).Format("15:04:05")) {
		t.Errorf("while it is dragged to %v, %q shows", want, got)
	}
	close(hold)
	h.MouseUp(nil)
	h.DragEnd()
	s.Until("the last moment", func() bool {
		return s.p.tape.replays.idle() && s.p.tape.view.Events == s.a.at(desk.Moment{At: want}) && s.p.rows.of.Until.Position == s.p.tape.view.Moment.Position
	})
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	if s.a.most != 1 {
		t.Errorf("%d moments were asked for at a time", s.a.most)
	}
	if n := len(s.a.replays) - before; n > 6 {
		t.Errorf("200 places were asked for %d times", n)
	}
	if last := s.a.replays[len(s.a.replays)-1]; !last.At.Equal(want) {
		t.Errorf("at last %v was asked for, and the handle is at %v", last.At, want)
	}
	if got := s.p.row(0).Cells[4].Title; !strings.HasPrefix(got, fmt.Sprint(s.p.tape.view.Moment.Position)) {
		t.Errorf("the first row is %q, of position %d", got, s.p.tape.view.Moment.Position)
	}
}

// Steps go from event to event of those that the filter lets through, also when they are
// pressed faster than answers come; and playing ends where there is nothing more.
func TestStepsAndPlaying(t *testing.T) {
	s := newScreen(t, newReel(400), ui.Options{}, "nl", large)
	s.p.filter(desk.EventFilter{Types: []string{"CodeSent"}}, "")
	s.p.seek(desk.Moment{Position: 100})
	s.Until("position 100", func() bool { return s.p.tape.view.Moment.Position == 100 })
	at := func(n uint64) func() bool {
		return func() bool {
			t := &s.p.tape
			return t.view.Moment.Position == n && t.replays.idle() && t.steps.idle() && t.pending == 0
		}
	}
	for range 3 { // 105, 113, 121
		test.Tap(s.p.tape.on)
	}
	s.Until("three steps on", at(121))
	test.Tap(s.p.tape.back)
	s.Until("a step back", at(113))
	if s.p.tape.live {
		t.Error("it is now")
	}
	test.Tap(s.p.tape.rate)
	officetest.Press(s.w, fyne.KeyDown, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	if s.p.tape.speed != 3 || s.p.menu != nil {
		t.Errorf("by keyboard, speed %d is chosen", s.p.tape.speed)
	}
	test.Tap(s.p.tape.play)
	s.Until("the last of its kind, and a pause", func() bool { return s.p.tape.playing == nil && s.p.tape.ended == 1 })
	if got := s.p.tape.view.Moment.Position; got != 393 {
		t.Errorf("playing ends at %d", got)
	}
	if !officetest.Says(s.w, "Hierna komt niets meer") {
		t.Errorf("it is not said that this is the last one: %q", officetest.Texts(s.w))
	}
	test.Tap(s.p.tape.now)
	s.Until("now", func() bool { return s.p.tape.live && at(400)() })
	if !s.p.tape.on.Disabled() || !s.p.tape.now.Disabled() {
		t.Error("after now there is more")
	}
	test.Tap(s.p.tape.play) // from the begin of what shows
	s.Until("played from the begin", func() bool { n := s.p.tape.view.Moment.Position; return n > 0 && n < 200 })
	test.Tap(s.p.tape.play)
	if s.p.tape.playing != nil {
		t.Error("a second tap does not pause")
	}
}

// A machine or a server that is slow plays as fast as it says, in larger steps; one that
// has slept does not jump over all that it missed.
func TestPlayingKeepsItsPace(t *testing.T) {
	for _, tt := range []struct {
		s      speed
		passed time.Duration
		want   int
	}{
		{speeds()[0], time.Second, 1},
		{speeds()[1], 200 * time.Millisecond, 1},
		{speeds()[1], 900 * time.Millisecond, 4},
		{speeds()[2], 0, 5},
		{speeds()[3], 200 * time.Millisecond, 20},
		{speeds()[3], 1200 * time.Millisecond, 120},
		{speeds()[3], 8 * time.Hour, 500},
	} {
		if got := tt.s.due(tt.passed); got != tt.want {
			t.Errorf("at %d a second, %d are due after %v, want %d", tt.s.perSecond, got, tt.passed, tt.want)
		}
	}
}

// What is recorded meanwhile moves now, and leaves who reads where they are.
func TestWhatIsRecordedMeanwhile(t *testing.T) {
	s := newScreen(t, newReel(2000), ui.Options{}, "nl", large)
	table := s.p.rows.table
	if got := s.number(0); !strings.HasPrefix(got, "2000") {
		t.Fatalf("the first row is %q", got)
	}
	came := func(n int) {
		t.Helper()
		s.a.set(func() { s.a.events = n })
		s.Until("what was recorded", func() bool {
			return s.p.tape.view.Total == n && s.p.rows.lane.idle() && s.p.tape.replays.idle() && (!s.p.tape.live || s.p.rows.have.Total == n)
		})
	}
	came(2003)
	if got := s.number(0); !strings.HasPrefix(got, "2003") {
		t.Errorf("at the top the newest shows: %q", got)
	}
	for range 90 { // somewhere in the middle of what is held
		ui.Focus(table)
		table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	}
	s.Settle()
	from, _ := table.Window()
	top, chosen := s.number(from+1), s.number(table.Chosen())
	came(2040)
	s.Settle()
	now, _ := table.Window()
	if got := s.number(now + 1); got != top {
		t.Errorf("what was second in sight was %q, and is %q", top, got)
	}
	if got := s.number(table.Chosen()); got != chosen {
		t.Errorf("%q was chosen, and now %q", chosen, got)
	}
	// Who looks at an earlier moment sees that of now change, and nothing else.
	s.p.seek(desk.Moment{Position: 1000})
	s.Until("then", func() bool { return s.p.rows.of.Until.Position == 1000 })
	then, queries := s.p.tape.stats[3].String(), len(s.a.queries)
	came(2100)
	s.Settle()
	if got := s.p.tape.stats[3].String(); got[:strings.Index(got, "nu")] != then[:strings.Index(then, "nu")] {
		t.Errorf("then it was %q, and now it is said to have been %q", then, got)
	}
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	for _, q := range s.a.queries[queries:] {
		if q.Until.Position != 1000 {
			t.Errorf("events up to %v were asked for", q.Until)
		}
	}
}

// Who asks through the API stands among those who did something as in the table: by what
// it is and its own id, which is all the name that a client has. What has the same id and
// is no client does not.
func TestClientsInTheMenuOfWhoDidIt(t *testing.T) {
	for lang, want := range map[string][2]string{"nl": {"Dienst portal", "Door: "}, "en": {"Service portal", "By: "}} {
		s := newScreen(t, newReel(80), ui.Options{}, lang, large)
		test.Tap(s.p.rows.by)
		var client *ui.MenuItem
		station := false
		for _, o := range overlayItems(s.w) {
			station = station || o.String() == "hal-2"
			if o.String() == want[0] {
				client = o
			}
		}
		if client == nil || !station {
			t.Fatalf("the menu says %q", officetest.Texts(s.w))
		}
		client.Tapped(nil)
		if got := s.p.rows.by.String(); got != want[1]+want[0] || s.p.rows.filter.Actor != "portal" {
			t.Errorf("the chip says %q, of %q", got, s.p.rows.filter.Actor)
		}
		s.p.rows.have.Actors = nil // of what else is chosen there may be none by it
		s.p.showChips()
		if got := s.p.rows.by.String(); got != want[1]+want[0] {
			t.Errorf("of what there is none of, the chip says %q", got)
		}
	}
}

// The chips narrow the table, one after the other; Escape takes all back.
func TestFilters(t *testing.T) {
	s := newScreen(t, newReel(800), ui.Options{}, "nl", large)
	settled := func(want int) {
		t.Helper()
		s.Until(fmt.Sprint(want, " rows"), func() bool { return s.p.rows.lane.idle() && s.p.rows.have.Total == want })
	}
	item := func(words string) *ui.MenuItem {
		t.Helper()
		for _, o := range overlayItems(s.w) {
			if o.String() == words {
				return o
			}
		}
		t.Fatalf("the menu has no %q", words)
		return nil
	}
	test.Tap(s.p.rows.kind)
	item("Bericht niet bezorgd").Tapped(nil)
	settled(100)
	item("Bericht met code verstuurd").Tapped(nil)
	settled(200)
	if !item("Bericht niet bezorgd").On() || item("Alles").On() {
		t.Error("the menu does not show what is chosen")
	}
	officetest.Press(s.w, fyne.KeyEscape)
	if s.p.menu != nil || s.w.Canvas().Focused() != fyne.Focusable(s.p.rows.kind) {
		t.Errorf("after Escape the menu is %v, and %v has the focus", s.p.menu, s.w.Canvas().Focused())
	}
	if got := s.p.rows.kind.String(); got != "Soort: 2 gekozen" {
		t.Errorf("the chip says %q", got)
	}
	officetest.Press(s.w, fyne.KeyDelete)
	settled(800)
	test.Tap(s.p.rows.place)
	item("Hal 1").Tapped(nil)
	settled(100)
	test.Tap(s.p.rows.by)
	item("De persoon zelf").Tapped(nil)
	if got := s.p.rows.by.String(); got != "Door: De persoon zelf" {
		t.Errorf("the chip says %q", got)
	}
	settled(100)
	test.Tap(s.p.rows.by)
	item("Joost Kuipers").Tapped(nil)
	settled(0)
	if !officetest.Says(s.w, "Niets gevonden") {
		t.Error("it is not said that there is nothing")
	}
	s.p.Key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	settled(800)
	test.Tap(s.p.rows.time)
	item("Alleen 23 nov").Tapped(nil)
	if got := s.p.rows.kind.String(); got != "Soort" {
		t.Errorf("the chip of what is set to all says %q", got)
	}
	s.Until("one day", func() bool { return s.p.rows.lane.idle() && s.p.rows.have.Total < 30 && s.p.rows.have.Total > 0 })
	if got := s.p.rows.time.String(); got != "Tijd: 23 nov" {
		t.Errorf("the chip says %q", got)
	}
	test.Tap(s.p.rows.time)
	if from, to := s.p.rows.times[0].Text(), s.p.rows.times[1].Text(); from != "23-11-2026" || to != "23-11-2026" {
		t.Errorf("the menu says from %q to %q", from, to)
	}
	s.p.typedTimes(s.p.rows.times[0], s.p.rows.times[1])
	if got := s.p.rows.time.String(); got != "Tijd: 23 nov" {
		t.Errorf("what the menu says is %q", got)
	}
	if got := s.p.rows.count.String(); !strings.Contains(got, "van 800") {
		t.Errorf("the count says %q", got)
	}
}

// overlayItems are the items of the menu that shows.
func overlayItems(w fyne.Window) []*ui.MenuItem {
	var all []*ui.MenuItem
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case nil:
		case *ui.MenuItem:
			all = append(all, o)
		case *fyne.Container:
			for _, p := range o.Objects {
				walk(p)
			}
		case fyne.Widget:
			for _, p := range test.WidgetRenderer(o).Objects() {
				walk(p)
			}
		}
	}
	walk(w.Canvas().Overlays().Top())
	return all
}

// The chips of a table that nothing narrows stand on one line with how much there is, at
// the sizes that windows have; those that are set take what lines they need.
func TestChipsStandOnOneLine(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for _, size := range []fyne.Size{large, fyne.NewSize(1024, 700)} {
			s := newScreen(t, newReel(6412), ui.Options{}, lang, size)
			s.Until("rows", func() bool { return s.p.rows.got })
			line := func(o fyne.CanvasObject) float32 { return o.Position().Y + o.Size().Height/2 }
			chips := s.p.rows.chips
			for _, o := range chips.Objects {
				if o.Visible() && line(o) != line(chips.Objects[0]) {
					t.Errorf("%s, %v: a part of the chips stands on another line: %v", lang, size, officetest.Texts(s.w))
				}
			}
			s.p.filter(desk.EventFilter{
				Types: []string{"InvitationRedeemed"}, Subject: numbered(0), Actor: numbered(1).String(), Role: domain.RoleUnattended,
				Station: "kiosk-stadhuis-begane-grond-naast-de-ingang", From: noon.AddDate(-1, 0, 0), To: noon,
			}, "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye")
			s.Until("the answer", s.p.rows.lane.idle)
			for i, o := range chips.Objects {
				if end := o.Position().X + o.Size().Width; o.Visible() && end > chips.Size().Width+0.5 {
					t.Errorf("%s, %v: chip %d ends at %.0f of %.0f", lang, size, i, end, chips.Size().Width)
				}
				if i > 0 && o.Visible() && chips.Objects[i-1].Visible() {
					was := chips.Objects[i-1]
					if o.Position().Y < was.Position().Y+was.Size().Height && o.Position().X < was.Position().X+was.Size().Width && line(o) == line(was) {
						t.Errorf("%s, %v: chip %d lies over the one before", lang, size, i)
					}
				}
			}
			if line(s.p.rows.count)+1 > chips.Size().Height {
				t.Errorf("%s, %v: the count stands at %.0f of %.0f", lang, size, line(s.p.rows.count), chips.Size().Height)
			}
		}
	}
}

// A person is searched once the hand rests, and looked at once the moment does: each is
// recorded.
func TestAPersonThenAndNow(t *testing.T) {
	s := newScreen(t, newReel(800), ui.Options{}, "nl", large)
	s.p.ToSearch()
	officetest.Type(s.w, "visser 8")
	s.Until("who was found", func() bool { return len(overlayItems(s.w)) == 1 })
	officetest.Press(s.w, fyne.KeyReturn, fyne.KeyReturn)
	s.Until("the person", func() bool { return s.p.aside.known && s.p.rows.lane.idle() })
	if got := s.p.rows.person.String(); got != "Mens: M. Visser 8" {
		t.Errorf("the chip says %q", got)
	}
	if n := len(slices.DeleteFunc(officetest.Texts(s.w), func(text string) bool { return text != "M. Visser 8" })); n != 1 {
		t.Errorf("beside the chip, %d places name the only person that all is about", n)
	}
	h := s.p.tape.chart
	pressAt(h, 200)
	for x := float32(200); x < 600; x += 5 {
		dragTo(h, x)
		s.Settle()
	}
	h.MouseUp(nil)
	h.DragEnd()
	s.Until("the person then", func() bool { return s.p.aside.person.Moment == s.p.tape.view.Moment && s.p.aside.persons.idle() })
	s.a.mu.Lock()
	looks := slices.Clone(s.a.looks)
	s.a.mu.Unlock()
	if len(looks) != 3 || looks[0] != "search visser 8" {
		t.Errorf("recorded: %q", looks)
	}
	for _, want := range []string{"Toen", "Stap 4 van 6", "Aanmelden gelukt", "Verhaal tot dan"} {
		s.Until(want+" is in sight", func() bool { return officetest.Says(s.w, want) })
	}
	test.Tap(s.p.tape.now)
	s.Until("the person now", func() bool {
		return s.p.aside.asked == desk.Moment{} && s.p.aside.persons.idle() && s.p.aside.about == numbered(8)
	})
	s.p.checkValues()
	s.Until("the vault", func() bool { return s.p.aside.vault == "2 kloppen, 1 anders." })
}

// Of somebody whose data were erased it is said, and nothing that sounds as if they had
// never begun; how the vault stands is at hand above their story.
func TestAPersonWhoWasErased(t *testing.T) {
	for lang, says := range map[string][3]string{
		"nl": {"Gewist", "Nog niet begonnen", "Controleer de kluis"}, "en": {"Erased", "Not begun", "Check the vault"},
	} {
		a := newReel(800)
		a.erased = true
		s := newScreen(t, a, ui.Options{}, lang, large)
		s.p.filter(desk.EventFilter{Subject: numbered(8)}, "")
		s.Until("the person", func() bool { return s.p.aside.known && s.p.rows.lane.idle() })
		s.Settle()
		if !officetest.Says(s.w, says[0]) || officetest.Says(s.w, says[1]) || !officetest.Says(s.w, says[2]) {
			t.Errorf("in sight: %q", officetest.Texts(s.w))
		}
		s.p.Key(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if officetest.Says(s.w, says[2]) {
			t.Errorf("of nobody, in sight: %q", officetest.Texts(s.w))
		}
	}
}

// A row opens what the log has of an event, what its action caused, and its seal.
func TestAnEventInFull(t *testing.T) {
	s := newScreen(t, newReel(800), ui.Options{}, "en", large)
	ui.Focus(s.p.rows.table)
	officetest.Press(s.w, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	s.Until("the event", func() bool { return s.p.detail.got })
	s.Settle()
	if got := s.p.detail.open; got != 798 {
		t.Fatalf("event %d is open", got)
	}
	for _, want := range []string{"Event 798", "Phone number given", "What this action caused (8)"} {
		if !officetest.Says(s.w, want) {
			t.Errorf("%q is not in sight", want)
		}
	}
	find := func(words string) {
		t.Helper()
		s.p.detail.body.ScrollTo(0)
		for range 60 {
			if officetest.Says(s.w, words) {
				return
			}
			s.p.detail.body.ScrollTo(s.p.detail.body.At() + 60)
		}
		t.Errorf("%q is nowhere in the panel", words)
	}
	find("Leaf 797")
	find("Checkpoint 128, signed")
	find("The vault holds exactly this value")
	find(`"attempt": 2,`)
	find("correlationId")
	s.p.openEvent(796)
	s.Until("another of the chain", func() bool { return s.p.detail.got && s.p.detail.have.detail.Position == 796 })
	if s.p.rows.table.Chosen() != 4 {
		t.Errorf("row %d is chosen", s.p.rows.table.Chosen())
	}
	if !officetest.Says(s.w, "Event 796") {
		t.Errorf("in sight: %q", officetest.Texts(s.w))
	}
	find("Leaf 795") // what the panel tells is of the event that its head names
	s.p.onlyChain(s.p.detail.have.detail.Correlation)
	s.Until("its chain", func() bool { return s.p.rows.lane.idle() && s.p.rows.have.Total == 8 })
	s.p.Key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if s.p.detail.open != 0 || s.w.Canvas().Focused() != fyne.Focusable(s.p.rows.table) {
		t.Error("Escape does not close it")
	}
	s.a.set(func() { s.a.err = &desk.Refusal{Code: desk.NoEvent} })
	s.p.openEvent(5)
	s.Until("why not", func() bool { return s.p.detail.said != "" })
}

// An event that is not what was sealed says so: in its row, and where it is opened.
func TestAnEventThatWasChanged(t *testing.T) {
	for lang, says := range map[string][2]string{
		"nl": {"Dit is niet wat is verzegeld", "Blad 797 is anders"}, "en": {"This is not what was sealed", "Leaf 797 is another"},
	} {
		a := newReel(800)
		a.altered = 798
		s := newScreen(t, a, ui.Options{}, lang, large)
		if c := s.p.row(2).Cells; c[1].Icon != ui.IconWarning || c[1].Sign != theme.ColorNameError || c[4].Ink != theme.ColorNameError {
			t.Errorf("its row is %+v", c)
		}
		if c := s.p.row(1).Cells; c[4].Ink == theme.ColorNameError {
			t.Errorf("another one's row is %+v", c)
		}
		s.p.openEvent(798)
		s.Until("the event", func() bool { return s.p.detail.got })
		s.Settle()
		if !officetest.Says(s.w, says[0]) {
			t.Errorf("in sight: %q", officetest.Texts(s.w))
		}
		for range 60 {
			if officetest.Says(s.w, says[1]) {
				break
			}
			s.p.detail.body.ScrollTo(s.p.detail.body.At() + 40)
		}
		if !officetest.Says(s.w, says[1]) {
			t.Errorf("%q is nowhere in the panel", says[1])
		}
		s.p.openEvent(799)
		s.Until("another one", func() bool { return s.p.detail.have.detail.Position == 799 })
		s.Settle()
		if officetest.Says(s.w, says[0]) {
			t.Error("it is said of another one, too")
		}
	}
}

// The seal is checked again on request, and it is said how far that is and what it came to.
func TestIsTheLogTrue(t *testing.T) {
	s := newScreen(t, newReel(800), ui.Options{}, "nl", large)
	if got := s.p.top.badge.String(); got != "Logboek is compleet en echt" {
		t.Errorf("the badge says %q", got)
	}
	s.sees.check()
	s.Until("how far it is", func() bool { return strings.Contains(s.p.top.badge.String(), "33%") })
	s.a.set(func() {
		s.a.seal.Check = desk.CheckView{At: noon, Ended: noon, Finding: "changed", Position: 42, Type: "PasswordSet"}
	})
	s.Until("what it came to", func() bool { return strings.Contains(s.p.top.badge.String(), "klopt niet") })
	s.Settle()
	if !officetest.Says(s.w, "is 42") || !officetest.Says(s.w, "Toon 42") {
		t.Errorf("in sight: %q", officetest.Texts(s.w))
	}
}

// What was sealed after the last check is not said to be checked; what wants a look is said
// in words beside it.
func TestTheCardSaysWhatWasChecked(t *testing.T) {
	for lang, says := range map[string][4]string{
		"nl": {"800 gebeurtenissen", "Root-hash is gelijk", "Zegel is opnieuw begonnen", "staat bij Getuigen"},
		"en": {"800 events", "The root hash is the same", "The seal was begun anew", "is under Witnesses"},
	} {
		a := newReel(800)
		s := newScreen(t, a, ui.Options{}, lang, large)
		if !officetest.Says(s.w, says[0]) || !officetest.Says(s.w, says[1]) {
			t.Errorf("in sight: %q", officetest.Texts(s.w))
		}
		a.set(func() { a.seal.Size, a.seal.Checkpoint.At, a.seal.Check.Anew = 900, noon, true })
		s.sees.look()
		s.Until("that the checkpoint is another", func() bool { return !officetest.Says(s.w, says[1]) })
		s.Settle()
		for _, want := range []string{says[0], says[2], says[3]} {
			if !strings.Contains(strings.Join(officetest.Texts(s.w), " "), want) {
				t.Errorf("%q is not among %q", want, officetest.Texts(s.w))
			}
		}
	}
}

// A button with an icon alone says what it does where the pointer or the focus rests on it.
func TestButtonsWithAnIconAloneSayWhatTheyDo(t *testing.T) {
	for lang, words := range map[string]string{"nl": "Vorige gebeurtenis", "en": "Event before"} {
		s := newScreen(t, newReel(800), ui.Options{}, lang, large)
		b, says := s.p.tape.back, func() bool { return officetest.Says(s.w, words) }
		if says() {
			t.Errorf("at once: %q", officetest.Texts(s.w))
		}
		b.MouseIn(nil)
		s.Until("the words, under the pointer", says)
		b.MouseOut()
		if says() {
			t.Error("they stay where the pointer was")
		}
		ui.Focus(b)
		s.Until("the words, at the focus", says)
		officetest.Press(s.w, fyne.KeyTab)
		if says() {
			t.Error("they stay where the focus was")
		}
	}
}

// A moment is typed as people do; what is none is said, and stays to be put right.
func TestGoingToAMoment(t *testing.T) {
	s := newScreen(t, newReel(800), ui.Options{}, "nl", large)
	test.Tap(s.p.tape.jump)
	for _, c := range []struct{ typed, says string }{
		{"morgen", "geen datum"}, {"31 februari", "bestaat niet"}, {"1 jan 2020", "begint op 1 okt 2026"}, {"#5000", "gaat tot #800"}, {"24-12-2026", "nog niet geweest"},
	} {
		f := s.w.Canvas().Focused().(*ui.Input) //nolint:forcetypeassert,errcheck // the field
		f.Clear()
		officetest.Type(s.w, c.typed)
		officetest.Press(s.w, fyne.KeyReturn)
		if s.p.menu == nil || !slices.ContainsFunc(overlayTexts(s.w), func(text string) bool { return strings.Contains(text, c.says) }) {
			t.Errorf("%q: %q", c.typed, overlayTexts(s.w))
		}
	}
	f := s.w.Canvas().Focused().(*ui.Input) //nolint:forcetypeassert,errcheck // the field
	f.Clear()
	officetest.Type(s.w, "17 nov 14:32:08")
	officetest.Press(s.w, fyne.KeyReturn)
	s.Until("then", func() bool { return s.p.menu == nil && s.p.tape.replays.idle() && !s.p.tape.live })
	if got := s.p.tape.at.String(); got != "dinsdag 17 november 2026, 14:32:08" {
		t.Errorf("it shows %q", got)
	}
	test.Tap(s.p.tape.jump)
	officetest.Type(s.w, "#12")
	officetest.Press(s.w, fyne.KeyReturn)
	s.Until("number 12", func() bool { return s.p.tape.view.Moment.Position == 12 && s.p.tape.replays.idle() })
	if got, want := s.p.tape.at.String(), s.p.w.long(s.a.when(12)); got != want {
		t.Errorf("it shows %q, and number 12 is of %q", got, want)
	}
}

// overlayTexts are the words of the menu that shows.
func overlayTexts(w fyne.Window) []string {
	var all []string
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case nil:
		case *ui.Text:
			if o.Visible() {
				all = append(all, o.String())
			}
		case *fyne.Container:
			for _, p := range o.Objects {
				walk(p)
			}
		case fyne.Widget:
			for _, p := range test.WidgetRenderer(o).Objects() {
				walk(p)
			}
		}
	}
	walk(w.Canvas().Overlays().Top())
	return all
}

// What a wrong clock has put far ahead has a bar of its own behind today, which says so.
// The handle at its end is now, and before it is any moment that has been.
func TestEventsOfTheFarFuture(t *testing.T) {
	a := newReel(3000)
	a.ahead = 17
	s := newScreen(t, a, ui.Options{}, "nl", large)
	p, bars := s.p, s.p.tape.hist.Bars
	s.Until("the bars", func() bool { bars = p.tape.hist.Bars; return p.tape.bars.idle() && len(bars) > 10 && p.later() })
	h := p.tape.chart
	pitch := h.Size().Width / float32(len(bars))
	hover := func(bar int) {
		h.MouseIn(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos((float32(bar)+0.5)*pitch, 40)}})
	}
	hover(len(bars) - 1)
	if got := p.tape.caption.String(); !strings.HasSuffix(got, "Met een tijd in de toekomst, en alles daarna: 17") {
		t.Errorf("the last bar says %q", got)
	}
	hover(len(bars) - 2)
	if got := p.tape.caption.String(); strings.Contains(got, "toekomst") {
		t.Errorf("the one before says %q", got)
	}
	h.MouseOut()
	if ticks := p.ticks(); ticks[0].Bar != len(bars)-1 || ticks[0].Text != "later" || ticks[0].Rank != 0 {
		t.Errorf("under it stands %+v", ticks[0])
	}
	if !p.tape.live || !h.Moment().Equal(p.end()) {
		t.Errorf("now is at %s", h.Moment())
	}
	pressAt(h, 10.5*pitch)
	h.MouseUp(nil)
	s.Until("a moment of before", func() bool {
		return !p.tape.live && p.tape.replays.idle() && p.tape.view.Events > 0 && p.tape.view.Events < 3000 && h.BarAt(h.Moment()) == 10
	})
	h.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd})
	s.Until("now", func() bool { return p.tape.live && p.tape.view.Events == 3000 && h.Moment().Equal(p.end()) })
	h.TypedRune('+')
	s.Until("less", func() bool { return p.tape.bars.idle() && p.tape.span > 0 && len(p.tape.hist.Bars) > 0 && p.tape.live })
}

// What a clock that was not set has put far back has a bar of its own in front, which says
// so, and how many times do not fit is told; a moment of then can be gone to, by hand and by
// its date.
func TestEventsOfTheFarPast(t *testing.T) {
	for lang, says := range map[string][3]string{
		"nl": {"Van lang daarvoor, of met een verkeerde tijd: 2", "eerder", "Bij 3 gebeurtenissen past de tijd niet bij de plek in het logboek."},
		"en": {"Of long before that, or with a wrong time: 2", "earlier", "The times of 3 events do not fit their places in the log."},
	} {
		a := newReel(3000)
		a.back, a.astray = 2, 3
		s := newScreen(t, a, ui.Options{}, lang, large)
		p, bars := s.p, s.p.tape.hist.Bars
		s.Until("the bars", func() bool { bars = p.tape.hist.Bars; return p.tape.bars.idle() && len(bars) > 40 && bars[0].Earlier })
		h := p.tape.chart
		pitch := h.Size().Width / float32(len(bars))
		for bar, want := range []bool{true, false} {
			h.MouseIn(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos((float32(bar)+0.5)*pitch, 40)}})
			if got := p.tape.caption.String(); strings.HasSuffix(got, says[0]) != want {
				t.Errorf("bar %d says %q", bar, got)
			}
		}
		h.MouseOut()
		if ticks := p.ticks(); ticks[0].Bar != 0 || ticks[0].Text != says[1] || ticks[1].Bar != 1 || ticks[1].Rank != 0 {
			t.Errorf("under them stands %+v", ticks[:2])
		}
		if !officetest.Says(s.w, says[2]) {
			t.Errorf("it says %q", officetest.Texts(s.w))
		}
		pressAt(h, 0.5*pitch)
		h.MouseUp(nil)
		s.Until("then", func() bool { return p.tape.replays.idle() && h.BarAt(h.Moment()) == 0 && p.tape.view.Events == 0 })
		test.Tap(p.tape.now)
		s.Until("now", func() bool { return p.tape.live && p.tape.replays.idle() })
		test.Tap(p.tape.jump)
		officetest.Type(s.w, "2-1-1970")
		officetest.Press(s.w, fyne.KeyReturn)
		s.Until("its date", func() bool { return !p.tape.live && p.tape.replays.idle() && p.tape.view.Events == 0 && p.menu == nil })
		a.set(func() { a.back, a.astray, a.events = 0, 0, 3001 })
		s.Until("no notice", func() bool { return !officetest.Says(s.w, says[2]) })
	}
}

// Zooming shows less time around the handle; where that goes out of it, it comes along.
func TestZooming(t *testing.T) {
	s := newScreen(t, newReel(3000), ui.Options{}, "nl", large)
	s.p.seek(desk.Moment{At: noon.AddDate(0, 0, -20)})
	shown := func() time.Duration { return s.p.end().Sub(s.p.tape.hist.Bars[0].From) }
	all := shown()
	for range 2 {
		was := shown()
		s.p.tape.chart.TypedRune('+')
		s.Until("less", func() bool { return s.p.tape.bars.idle() && shown() < was })
	}
	at := s.p.tape.chart.Moment()
	if s.p.tape.chart.BarAt(at) < 0 || shown() > 9*24*time.Hour || s.p.tape.hist.Width >= 24*time.Hour {
		t.Errorf("it shows %v, in bars of %v, and the handle is in bar %d", shown(), s.p.tape.hist.Width, s.p.tape.chart.BarAt(at))
	}
	s.p.seek(desk.Moment{At: noon.AddDate(0, 0, -40)})
	s.Until("where the handle went", func() bool {
		return s.p.tape.bars.idle() && s.p.tape.chart.BarAt(noon.AddDate(0, 0, -40)) >= 0
	})
	s.p.tape.chart.TypedKey(&fyne.KeyEvent{Name: fyne.KeyHome})
	edge := s.p.tape.chart.Moment()
	s.Until("what lies before", func() bool { return s.p.tape.bars.idle() && s.p.tape.hist.Bars[0].From.Before(edge) })
	s.p.tape.chart.TypedRune('-')
	s.p.tape.chart.TypedRune('-')
	s.p.tape.chart.TypedRune('-')
	s.Until("all", func() bool { return s.p.tape.bars.idle() && shown() == all })
}

// A server that is away is told of, and everything is asked anew once it is back; a shift
// that is over locks; and what is left is asked for no longer.
func TestWhenThereIsNoAnswer(t *testing.T) {
	s := newScreen(t, newReel(800), ui.Options{}, "nl", large)
	s.a.set(func() { s.a.err = &desk.Refusal{Code: desk.Unavailable} })
	s.p.seek(desk.Moment{Position: 300})
	s.Until("that it is away", func() bool { return officetest.Says(s.w, "geen antwoord") })
	s.a.set(func() { s.a.err = nil })
	s.Until("the answer after all", func() bool {
		return s.p.lost == nil && s.p.tape.view.Moment.Position == 300 && s.p.rows.of.Until.Position == 300
	})
	s.Settle()
	if officetest.Says(s.w, "geen antwoord") {
		t.Error("it is still said to be away")
	}
	s.a.set(func() { s.a.err = &desk.Refusal{Code: desk.ShiftOver} })
	s.Until("the lock", func() bool { return s.over > 0 })
	s.p.Leave()
	s.a.mu.Lock()
	asked := len(s.a.replays) + len(s.a.queries)
	s.a.mu.Unlock()
	s.p.seek(desk.Moment{Position: 100})
	s.p.rows.ask(s.p)
	s.Settle()
	s.a.mu.Lock()
	defer s.a.mu.Unlock()
	if now := len(s.a.replays) + len(s.a.queries); now != asked {
		t.Errorf("after it was left, %d questions were asked", now-asked)
	}
	if s.p.rows.got || len(s.p.rows.have.Rows) > 0 || s.p.aside.known || s.p.detail.got {
		t.Error("after it was left, it holds rows")
	}
}

// The log is still being read: what there is shows, and that it is not all.
func TestTheIndexIsBeingMade(t *testing.T) {
	a := newReel(800)
	a.ready = 0.43
	s := newScreen(t, a, ui.Options{}, "en", large)
	if !officetest.Says(s.w, "43%") {
		t.Errorf("in sight: %q", officetest.Texts(s.w))
	}
	a.set(func() { a.ready = 1 })
	s.Until("all of it", func() bool { return !s.p.rows.partly() })
	s.Settle()
	if officetest.Says(s.w, "43%") {
		t.Error("it is still said that this is not all")
	}
}

// Names that are not known yet come by themselves.
func TestNamesComeLater(t *testing.T) {
	a := newReel(800)
	a.unnamed = true
	s := newScreen(t, a, ui.Options{}, "nl", large)
	named := func() bool {
		return slices.ContainsFunc(s.p.rows.have.Rows, func(e desk.EventRow) bool { return e.Name != "" })
	}
	if len(s.p.rows.have.Rows) == 0 || named() || officetest.Says(s.w, "geen naam") {
		t.Fatalf("in sight: %q", officetest.Texts(s.w))
	}
	a.set(func() { a.unnamed = false })
	s.Until("the names", named)
}

// A page with nothing in it says so, and has nothing to move.
func TestAnEmptyLog(t *testing.T) {
	s := newScreen(t, newReel(0), ui.Options{}, "nl", large)
	if !officetest.Says(s.w, "Er is nog niets vastgelegd") {
		t.Errorf("in sight: %q", officetest.Texts(s.w))
	}
	for _, b := range []*ui.Button{s.p.tape.play, s.p.tape.back, s.p.tape.on, s.p.tape.now, s.p.tape.jump} {
		if !b.Disabled() {
			t.Errorf("%s can be used", b.Text)
		}
	}
	s.a.set(func() { s.a.events = 5 })
	s.Until("the first events", func() bool { return s.p.rows.have.Total == 5 })
	s.Settle()
	if s.p.tape.play.Disabled() || officetest.Says(s.w, "Er is nog niets vastgelegd") {
		t.Error("it goes on saying that there is nothing")
	}
}

// In every size, language and mode the words have their place.
func TestThePageFits(t *testing.T) {
	few := []string{"then", "event", "long"}
	for _, v := range []struct {
		size fyne.Size
		lang string
		o    ui.Options
		only []string // nil: all scenes
	}{
		{fyne.NewSize(1440, 900), "nl", ui.Options{}, nil},
		{fyne.NewSize(1024, 700), "en", ui.Options{Scale: ui.Largest}, nil},
		{fyne.NewSize(1024, 700), "nl", ui.Options{Mode: ui.Dark}, few},
		{fyne.NewSize(1440, 900), "en", ui.Options{}, few},
		{fyne.NewSize(1440, 900), "nl", ui.Options{Scale: ui.Larger, Mode: ui.HighContrast}, few},
		{fyne.NewSize(1920, 1080), "nl", ui.Options{Mode: ui.HighContrast}, few},
	} {
		for _, sc := range tapeScenes() {
			if v.only != nil && !slices.Contains(v.only, sc.name) {
				continue
			}
			t.Run(fmt.Sprint(sc.name, " ", v.lang, " ", v.size.Width, " ", v.o.Mode, " ", v.o.Scale), func(t *testing.T) {
				a := sc.from()
				if a.events > 0 {
					a.events = 640
				}
				s := newScreen(t, a, v.o, v.lang, v.size)
				sc.then(s)
				s.Settle()
				officetest.Overlaps(t, s.w)
				fitsRight(t, s.w)
			})
		}
	}
}

// In a small window with large text a column goes, rather than that none can be read.
func TestTimesAreWholeInASmallWindow(t *testing.T) {
	s := newScreen(t, newReel(640), ui.Options{Scale: ui.Largest}, "en", fyne.NewSize(1024, 700))
	for range 60 {
		if slices.Contains(officetest.Texts(s.w), "10:58:00") {
			break
		}
		s.p.scroll.ScrollTo(s.p.scroll.At() + 40)
	}
	for _, words := range []string{"10:58:00", "Event", "Person"} {
		if !officetest.Says(s.w, words) {
			t.Errorf("%q is not in sight: %q", words, officetest.Texts(s.w))
		}
	}
	if officetest.Says(s.w, "No. and hash") {
		t.Error("there is room for all columns")
	}
	s.w.Resize(fyne.NewSize(1920, 1080))
	s.Settle()
	if !officetest.Says(s.w, "No. and hash") {
		t.Errorf("where there is room, it does not come back: %q", officetest.Texts(s.w))
	}
}

// fitsRight fails the test where words in sight reach over the right margin of the window.
func fitsRight(t *testing.T, w fyne.Window) {
	t.Helper()
	for _, c := range officetest.InSight(w) {
		if right := c.At.X + c.MinSize().Width; right > w.Canvas().Size().Width-28 {
			t.Errorf("%q reaches to %v", c.Text.Text, right)
		}
	}
}

// Every text of the page is there in both languages, and used; and every event has a
// short name.
func TestTheTapeHasItsWords(t *testing.T) {
	made := map[string]bool{}
	add := func(prefix string, parts ...string) {
		for _, p := range parts {
			made[prefix+p] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f) //nolint:gosec // this package's own files
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(tape-[a-z-]*[a-z])"`).FindAllStringSubmatch(string(b), -1) {
			made[m[1]] = true
		}
	}
	for _, s := range standings() {
		add("tape-stat-", s.id)
	}
	for i := range 12 {
		add("tape-month-", fmt.Sprint(i+1))
	}
	add("tape-moment-", string(momentUnreadable), string(momentWhichMonth), string(momentNoDay), string(momentNoTime), string(momentFuture))
	add("tape-chip-", "kind", "person", "by", "role", "place", "time", "chain")
	for _, c := range []string{"kind", "person", "by", "role", "place", "time"} {
		add("tape-chip-", c+"-all")
	}
	add("tape-role-", "subject", "unattended")
	for _, r := range staff.Roles() {
		add("tape-role-", string(r))
	}
	add("tape-fact-", "when", "station-clock", "whom", "who", "role")
	add("tape-raw-", "about", "data", "metadata")
	add("tape-none-filter-", "advice")
	add("tape-none-", "advice")
	for _, v := range []desk.ValueState{desk.ValueHolds, desk.ValueErased, desk.ValueGone, desk.ValueDiffers} {
		add("tape-value-", string(v))
		add("tape-vault-", string(v))
	}
	for _, s := range []desk.WitnessState{desk.WitnessAgrees, desk.WitnessBehind, desk.WitnessAway, desk.WitnessDisagrees} {
		add("tape-witness-", string(s))
	}
	for _, s := range []desk.PersonStanding{
		desk.PersonUnheard, desk.PersonEnrolling, desk.PersonActive, desk.PersonFrozen, desk.PersonErased, desk.PersonLeft, desk.PersonUnknown,
	} {
		add("tape-state-", string(s))
	}
	for _, f := range []enrolment.Factor{enrolment.NoFactor, enrolment.SMS, enrolment.Pocket} {
		add("tape-factor-", string(f))
	}
	add("tape-person-", "then", "now")
	golden, err := filepath.Glob("../../../../domain/*/testdata/events/*.json")
	if err != nil || len(golden) < 50 {
		t.Fatalf("%d events, %v", len(golden), err)
	}
	for _, f := range golden {
		name, _, _ := strings.Cut(filepath.Base(f), ".")
		add("tape-type-", name)
	}
	for _, lang := range i18n.Languages() {
		written := map[string]any{}
		if _, err := toml.DecodeFile(filepath.Join("../../../../assets/translations", lang, "tape.toml"), &written); err != nil {
			t.Fatal(err)
		}
		for id := range made {
			if !i18n.New(lang).Has(id) {
				t.Errorf("%s: %s is not written", lang, id)
			}
		}
		for id := range written {
			if !made[id] {
				t.Errorf("%s: %s is not used", lang, id)
			}
		}
	}
}
