package helpdesk

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

var wide = fyne.NewSize(1440, 900)

// onBoard shows a board of a town.
func onBoard(t *testing.T, town *town, scope desk.BoardScope) (*desktop, *boardPage) {
	t.Helper()
	d := newDesktop(t, ui.Options{}, "nl")
	b := newBoardPage(d, town, scope)
	d.show(b, wide)
	d.until("the board", func() bool { return b.got })
	d.settle()
	return d, b
}

// onPerson shows a person of a town.
func onPerson(t *testing.T, town *town, rights ...staff.Right) (*desktop, *personPage) {
	t.Helper()
	d := newDesktop(t, ui.Options{}, "nl")
	if len(rights) > 0 {
		d.rights = rights
	}
	p := newPersonPage(d, town, town.people[0].Subject)
	d.show(p, wide)
	d.until("the person", func() bool { return p.got })
	d.settle()
	return d, p
}

func (d *desktop) inSight() []officetest.Seen { return officetest.InSight(d.w) }

// texts are the words in sight, a stretch of one weight a line.
func (d *desktop) texts() []string { return officetest.Texts(d.w) }

func (d *desktop) says(words string) bool { return officetest.Says(d.w, words) }

// However many people there are, the board holds a window over them.
func TestABoardHoldsAWindow(t *testing.T) {
	town := newTown(crowd(50_000))
	d, b := onBoard(t, town, desk.ScopeEverybody)
	if from, to := b.table.Window(); from != 0 || to < 8 {
		t.Fatalf("rows %d to %d are in sight", from, to)
	}
	ui.Focus(b.table)
	for range 30 {
		d.press(b, fyne.KeyPageDown)
		d.settle()
	}
	d.press(b, fyne.KeyEnd)
	d.until("the last row", func() bool { _, ok := b.at(49_999); return ok })
	if !d.says("Collega 49999") {
		t.Errorf("at the end it says %q", d.texts())
	}
	asked := town.queries()
	for _, q := range asked {
		if q.Limit > desk.MostRows || q.Limit < 1 {
			t.Errorf("it asked for %d rows", q.Limit)
		}
	}
	if len(asked) > 34 { // a window of 120 rows has eight pages of 14; never more than one query a key
		t.Errorf("on its way it asked %d times", len(asked))
	}
	if len(b.have.Rows) > pageRows {
		t.Errorf("it holds %d rows", len(b.have.Rows))
	}
	d.press(b, fyne.KeyHome)
	d.until("the first row", func() bool { _, ok := b.at(0); return ok })
	d.press(b, fyne.KeyDown, fyne.KeyReturn)
	if len(d.opened) != 1 || d.opened[0] != town.people[1].Subject {
		t.Errorf("opened %v", d.opened)
	}
}

// What is in sight and who is chosen stay, whatever comes above them.
func TestABoardIsLive(t *testing.T) {
	town := newTown(crowd(2_000))
	d, b := onBoard(t, town, desk.ScopeEverybody)
	b.table.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -30_000)})
	d.until("what is in sight", func() bool {
		top, _ := b.table.Anchor()
		_, there := b.at(top + 3)
		return there && !b.asking
	})
	top, above := b.table.Anchor()
	first, ok := b.at(top)
	if !ok {
		t.Fatal("what is in sight is not there")
	}
	chosen, _ := b.at(top + 3)
	b.table.Choose(top+3, false)
	b.chosen = chosen.Subject
	town.set(func() {
		for i := range 5 {
			town.people = slices.Insert(town.people, 0, someone(100_000+i, fmt.Sprintf("Nieuw %d", i), desk.GroupStuck, 4))
		}
	})
	d.until("the new ones", func() bool { return b.have.Counts.All == 2_005 })
	now, same := b.table.Anchor()
	again, _ := b.at(now)
	if again.Subject != first.Subject || same != above {
		t.Errorf("%s was at the top, and now it is %s", first.Name, again.Name)
	}
	if got, _ := b.at(b.table.Chosen()); got.Subject != chosen.Subject {
		t.Errorf("%s was chosen, and now it is %s", chosen.Name, got.Name)
	}
	// The chosen one moves to another group, out of sight: nobody else is chosen.
	town.set(func() {
		i := slices.IndexFunc(town.people, func(r desk.BoardRow) bool { return r.Subject == chosen.Subject })
		moved := town.people[i]
		town.people = append(slices.Delete(town.people, i, i+1), moved)
	})
	d.until("the move", func() bool { return b.find(chosen.Subject) < 0 })
	if b.table.Chosen() >= 0 {
		got, _ := b.at(b.table.Chosen())
		t.Errorf("%s went away, and %s is chosen", chosen.Name, got.Name)
	}
}

// Who comes back to a board is where they were.
func TestBackOnTheBoard(t *testing.T) {
	town := newTown(crowd(5_000))
	d, b := onBoard(t, town, desk.ScopeEverybody)
	ui.Focus(b.table)
	for range 60 {
		d.press(b, fyne.KeyPageDown)
		d.settle()
	}
	row, above := b.table.Anchor()
	chosen := b.table.Chosen()
	d.press(b, fyne.KeyReturn)
	b.Leave()
	d.settle()
	d.rebuild(b)
	b.Enter()
	d.until("the board", func() bool { return b.got })
	d.settle()
	if again, same := b.table.Anchor(); again != row || same != above || b.table.Chosen() != chosen {
		t.Errorf("it was at row %d and %v with %d chosen, and is at %d and %v with %d", row, above, chosen, again, same, b.table.Chosen())
	}
	if len(d.opened) != 1 || d.opened[0] != town.people[chosen].Subject {
		t.Errorf("opened %v", d.opened)
	}
}

// At the top, who gets stuck shows at once.
func TestWhoGetsStuckShows(t *testing.T) {
	town := newTown(morning())
	d, _ := onBoard(t, town, desk.ScopeToday)
	if d.says("Nieuw") {
		t.Fatal("too early")
	}
	town.set(func() { town.people = slices.Insert(town.people, 0, someone(900, "Nieuw", desk.GroupStuck, 2)) })
	d.until("who got stuck", func() bool { return d.says("Nieuw") })
}

// An answer to what was asked before does not replace one to what was asked after it.
func TestOldAnswersAreNobodys(t *testing.T) {
	town := newTown(morning())
	slow := make(chan struct{})
	town.hold["sa"] = slow
	d, b := onBoard(t, town, desk.ScopeToday)
	b.seek("sa")
	b.seek("sanne")
	d.until("the second answer", func() bool { return b.of.Search == "sanne" })
	close(slow)
	d.settle()
	if b.of.Search != "sanne" || b.have.Total != 1 || !d.says("1 gevonden") {
		t.Errorf("it shows the answer to %q, with %d rows", b.of.Search, b.have.Total)
	}
}

func TestEscapeTakesBack(t *testing.T) {
	town := newTown(morning())
	d, b := onBoard(t, town, desk.ScopeToday)
	b.ToSearch()
	for _, r := range "lotte" {
		d.w.Canvas().Focused().TypedRune(r)
	}
	d.until("a search", func() bool { return b.of.Search == "lotte" })
	d.press(b, fyne.KeyDown) // to what was found
	if d.w.Canvas().Focused() != fyne.Focusable(b.table) {
		t.Fatal("Down did not go to the rows")
	}
	d.press(b, fyne.KeyReturn)
	if len(d.opened) != 1 || d.opened[0] != town.people[2].Subject {
		t.Errorf("opened %v", d.opened)
	}
	d.press(b, fyne.KeyEscape)
	d.until("everybody", func() bool { return b.of.Search == "" && b.have.Total == 18 })
	b.narrow(desk.FilterBusy)
	d.until("who is busy", func() bool { return b.of.Filter == desk.FilterBusy && b.have.Total == 5 })
	if !b.Key(&fyne.KeyEvent{Name: fyne.KeyEscape}) {
		t.Error("Escape did not take the filter back")
	}
	d.until("everybody", func() bool { return b.of.Filter == desk.FilterAll })
	if b.Key(&fyne.KeyEvent{Name: fyne.KeyEscape}) {
		t.Error("Escape was taken, and there was nothing to take back")
	}
}

func TestWhoIsDoneIsFolded(t *testing.T) {
	town := newTown(morning())
	d, b := onBoard(t, town, desk.ScopeToday)
	if d.says("Collega 0") || !d.says("Toon") {
		t.Error("who is done shows, or cannot be shown")
	}
	ui.Focus(b.table)
	d.press(b, fyne.KeyEnd, fyne.KeyReturn)
	if d.press(b, fyne.KeyEnd); !d.says("Collega 6") {
		t.Errorf("unfolded it says %q", d.texts())
	}
	b.seek("collega 3") // hits show whatever is folded
	d.until("the hit", func() bool { return b.of.Search != "" && d.says("Collega 3") })
}

func TestABoardWithoutAnAnswer(t *testing.T) {
	town := newTown(morning())
	d, b := onBoard(t, town, desk.ScopeToday)
	if !d.says("Live, 10:58") {
		t.Errorf("it says %q", d.texts())
	}
	d.now = noon.Add(3 * time.Minute)
	town.set(func() { town.err = &desk.Refusal{Code: desk.Unavailable} })
	d.until("that it is lost", func() bool { return b.lost })
	if !d.says("Geen verbinding sinds 10:58") || !d.says("Sanne de Vries") {
		t.Errorf("without an answer it says %q", d.texts())
	}
	town.set(func() { town.err = nil })
	d.until("that it is back", func() bool { return d.says("Live, 11:01") })
	town.set(func() { town.err = &desk.Refusal{Code: desk.ShiftOver} })
	d.until("the lock", func() bool { return d.locked > 0 })
	if d.says("Geen verbinding") {
		t.Error("an ended shift shows as no connection")
	}
}

func TestABoardWithNobody(t *testing.T) {
	town := newTown(morning()[3:])
	d, b := onBoard(t, town, desk.ScopeToday)
	if !d.says("Niemand zit vast") {
		t.Errorf("with nobody stuck it says %q", d.texts())
	}
	b.narrow(desk.FilterStuck)
	d.until("nobody", func() bool { return d.says("Iedereen komt verder zonder hulp.") })
	b.seek("xyz")
	d.until("advice", func() bool { return d.says("Vraag hoe je de naam schrijft.") })
	if d.says("Collega") && b.table.Visible() {
		t.Error("the table shows with nothing in it")
	}
}

// Nothing of a person stays when a page is left.
func TestWhatIsLeftIsForgotten(t *testing.T) {
	town := newTown(morning())
	d, b := onBoard(t, town, desk.ScopeToday)
	b.Leave()
	d.settle()
	for _, s := range d.texts() {
		for _, p := range town.people {
			if strings.Contains(s, p.Name) {
				t.Errorf("after it was left the board says %q", s)
			}
		}
	}
	if len(b.have.Rows) != 0 {
		t.Error("it still holds rows")
	}

	d, p := onPerson(t, town)
	test.Tap(p.masks[desk.FieldPhone].Button())
	d.until("the number", p.masks[desk.FieldPhone].Shown)
	m := p.masks[desk.FieldPhone]
	p.Leave()
	if m.Shown() || strings.Contains(m.String(), "12 34") {
		t.Error("the number still shows")
	}
	if p.view.Name != "" || p.story != nil || p.got {
		t.Error("the person is still held")
	}
}

// A value shows for a while, once it was asked for, and reaches nothing else.
func TestAValueShowsOnRequest(t *testing.T) {
	town := newTown(morning())
	d, p := onPerson(t, town)
	clip := fyne.CurrentApp().Clipboard()
	clip.SetContent("before")
	if len(town.shown) != 0 || d.says("12 34") {
		t.Fatal("it shows before anybody asked")
	}
	m := p.masks[desk.FieldPhone]
	ui.Focus(m.Button())
	test.Tap(m.Button())
	d.until("the number", func() bool { return m.Shown() && d.says("+31 6 12 34 56 78") })
	if !slices.Equal(town.shown, []desk.PersonField{desk.FieldPhone}) {
		t.Errorf("desk was asked for %v", town.shown)
	}
	// What happens meanwhile takes neither the number away nor the focus.
	town.set(func() { town.view = func(v *desk.PersonView) { v.LastAt = "Hal 3" } })
	d.until("the change", func() bool { return d.says("op Hal 3") })
	if !p.masks[desk.FieldPhone].Shown() || d.w.Canvas().Focused() != fyne.Focusable(p.masks[desk.FieldPhone].Button()) {
		t.Error("a change elsewhere took the number or the focus away")
	}
	d.now = noon.Add(shownFor)
	d.until("the mask", func() bool { return !p.masks[desk.FieldPhone].Shown() })
	if d.says("12 34") || clip.Content() != "before" {
		t.Errorf("after its time it shows, or the clipboard has %q", clip.Content())
	}
}

func TestAValueThatMayNotBeShown(t *testing.T) {
	town := newTown(morning())
	_, p := onPerson(t, town, staff.SeeBoard, staff.SeePerson)
	if p.masks[desk.FieldPhone].Button().Visible() {
		t.Error("who may not ask can")
	}
	d, p := onPerson(t, town)
	town.set(func() { town.err = &desk.Refusal{Code: desk.OwnAccount} })
	test.Tap(p.masks[desk.FieldPhone].Button())
	d.until("why not", func() bool { return d.says("Dit is je eigen account.") })
	if p.masks[desk.FieldPhone].Shown() || p.masks[desk.FieldPhone].Button().Busy() {
		t.Error("it shows, or goes on asking")
	}
}

// The timeline shows a kind, and what came before, a page at a time.
func TestATimeline(t *testing.T) {
	town := newTown(morning())
	d, p := onPerson(t, town)
	if len(p.story) != storyRows || p.older.Hidden {
		t.Fatalf("it begins with %d entries", len(p.story))
	}
	test.Tap(p.older)
	d.until("earlier ones", func() bool { return len(p.story) == 2*storyRows })
	town.set(func() {}) // what happens meanwhile does not fold it again
	d.settle()
	test.Tap(p.older)
	d.until("all of them", func() bool { return len(p.story) == 120 && p.older.Hidden })
	test.Tap(p.kinds[desk.TimelineMessages])
	d.until("one kind", func() bool { return p.total == 30 && len(p.story) == 30 })
	for _, e := range p.story {
		if e.Kind != desk.TimelineMessages {
			t.Fatalf("it shows %s", e.Kind)
		}
	}
	test.Tap(p.kinds[desk.TimelineLogins])
	d.until("none", func() bool { return d.says("Er is hiervan nog niets gebeurd.") })
	if p.Key(&fyne.KeyEvent{Name: fyne.KeyEscape}); d.left != 1 {
		t.Error("Escape did not go back")
	}
}

func TestAPersonWhoIsAway(t *testing.T) {
	town := newTown(morning())
	d, p := onPerson(t, town)
	town.set(func() { town.err = &desk.Refusal{Code: desk.Unavailable} })
	d.until("that it is lost", func() bool { return p.lost && d.says("Keydesk antwoordt nu niet.") })
	if !d.says("Sanne de Vries") {
		t.Error("what was known is gone")
	}
	town.set(func() { town.err = nil })
	d.until("that it is back", func() bool { return !p.lost })
	if d.says("Keydesk antwoordt nu niet.") {
		t.Error("it still says so")
	}
}

// Everything on a person's page is reached with Tab, and comes into sight.
func TestTabGoesThroughAPerson(t *testing.T) {
	town := newTown(morning())
	d, p := onPerson(t, town)
	seen := map[fyne.Focusable]bool{}
	for range 30 {
		d.w.Canvas().FocusNext()
		f := d.w.Canvas().Focused()
		seen[f] = true
		o := f.(fyne.CanvasObject)
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
		if at.Y < 0 || at.Y+o.Size().Height > wide.Height-24 {
			t.Errorf("with the focus %T is at %v", f, at)
		}
	}
	for name, f := range map[string]fyne.Focusable{
		"Bord": p.bord, "Toon e-mail": p.masks[desk.FieldEmail].Button(), "Toon telefoon": p.masks[desk.FieldPhone].Button(),
		"a filter": p.kinds[desk.TimelineLogins], "earlier": p.older,
	} {
		if !seen[f] {
			t.Errorf("Tab never comes to %s", name)
		}
	}
}

func TestKiosksInWords(t *testing.T) {
	town := newTown(nil)
	town.kiosks = machines()
	d := newDesktop(t, ui.Options{}, "nl")
	k := newKiosksPage(d, town)
	d.show(k, wide)
	d.until("the kiosks", func() bool { return k.got })
	d.settle()
	for _, words := range []string{"Hal 1", "2 van 6 aan", "Stil · 09:58", "Lang niets gehoord", "Gemeld als gestolen", "Onduidelijk", "1.4.0", "6 vandaag"} {
		if !d.says(words) {
			t.Errorf("it does not say %q", words)
		}
	}
	d.press(k, fyne.KeyDown, fyne.KeyDown)
	d.settle()
	if k.chosen != "Hal 2" || !d.says("Sms versturen lukte niet") {
		t.Errorf("of %q it says %q", k.chosen, d.texts())
	}
	town.set(func() { town.kiosks[1].State, town.kiosks[1].LastError = desk.KioskAlive, "" })
	d.until("the change", func() bool { return d.says("3 van 6 aan") })
	if k.chosen != "Hal 2" || d.says("Sms versturen lukte niet") {
		t.Errorf("after it is well, %q is chosen", k.chosen)
	}
	if !k.Key(&fyne.KeyEvent{Name: fyne.KeyEscape}) || k.chosen != "" {
		t.Error("Escape did not put the details away")
	}
}

// A page that is built anew, at a switch of language, goes on where it was.
func TestASwitchOfLanguage(t *testing.T) {
	town := newTown(morning())
	d, b := onBoard(t, town, desk.ScopeToday)
	b.narrow(desk.FilterBusy)
	d.until("who is busy", func() bool { return b.of.Filter == desk.FilterBusy })
	d.lang = "en"
	d.rebuild(b)
	d.settle()
	if !d.says("Colleague") || !d.says("Amara Okafor") || d.says("Sanne") || d.says("Collega") {
		t.Errorf("in English it says %q", d.texts())
	}
	town.set(func() { town.people[3].Name = "Amara O." })
	d.until("what is new", func() bool { return d.says("Amara O.") })
}

// In every size, language and mode everything stays inside the window, and what is
// cut ends with an ellipsis.
func TestEveryPageFits(t *testing.T) {
	for _, v := range []struct {
		size  fyne.Size
		scale ui.Scale
		lang  string
	}{
		{fyne.NewSize(1024, 700), ui.Normal, "nl"},
		{fyne.NewSize(1024, 700), ui.Largest, "en"},
		{fyne.NewSize(1024, 700), ui.Largest, "nl"},
		{fyne.NewSize(1440, 900), ui.Larger, "nl"},
		{fyne.NewSize(1920, 1080), ui.Normal, "en"},
	} {
		for _, sc := range pageScenes() {
			t.Run(fmt.Sprintf("%s/%v/%v/%s", sc.name, v.size.Width, v.scale, v.lang), func(t *testing.T) {
				d := newDesktop(t, ui.Options{Scale: v.scale}, v.lang)
				enterPage(d, sc, v.size)
				officetest.Fits(t, d.w, 216)
			})
		}
	}
}

// Fyne lays out any container anew whose parts have grown: that may not move anything.
func TestNothingMovesByItself(t *testing.T) {
	for _, sc := range pageScenes() {
		t.Run(sc.name, func(t *testing.T) {
			d := newDesktop(t, ui.Options{}, "nl")
			enterPage(d, sc, wide)
			officetest.Still(t, d.w)
		})
	}
}

// All sentences that the pages put together exist, in both languages.
func TestPagesHaveWords(t *testing.T) {
	t.Parallel()
	ids := []string{"helpdesk-board-today", "helpdesk-board-everybody"}
	add := func(prefix string, of ...string) {
		for _, s := range of {
			ids = append(ids, prefix+s)
		}
	}
	add("helpdesk-filter-", "all", "stuck", "busy", "waiting", "done", "gone", "frozen")
	add("helpdesk-empty-", "search", "search-advice", "stuck", "stuck-advice", "filter", "filter-advice", "today", "today-advice", "everybody", "everybody-advice")
	add("helpdesk-step-", "email", "password", "phone", "sms", "factor", "done")
	for _, k := range storyKinds()[1:] {
		add("helpdesk-story-", string(k))
	}
	add("helpdesk-factor-", string(enrolment.NoFactor), string(enrolment.SMS), string(enrolment.Pocket))
	add("helpdesk-frozen-", string(desk.FrozenNotMe), string(desk.FrozenLost), string(desk.FrozenStolen), string(desk.FrozenHelpdesk))
	add("helpdesk-source-", string(enrolment.FromHR), string(enrolment.FromSelf))
	add("helpdesk-language-", i18n.Languages()...)
	add("helpdesk-fact-", "factor", "frozen", "chosen", "since", "device", "lock", "email", "phone", "phone-from", "hr-phone", "seen", "employee", "start", "language", "case", "hr")
	add("helpdesk-kiosk-", "alive", "quiet", "silent", "revoked", "unclear", "is-kiosk", "is-desk", "is-here", "failed-mail", "failed-sms", "why-lost", "why-stolen", "why-replaced", "why-retired")
	for _, lang := range i18n.Languages() {
		p := i18n.New(lang)
		for _, id := range ids {
			if !p.Has(id) {
				t.Errorf("%s: %s is not written", lang, id)
			}
		}
	}
}
