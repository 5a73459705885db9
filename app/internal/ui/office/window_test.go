package office

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	driver "fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"
	"github.com/BurntSushi/toml"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/domain/station"
)

const (
	agentMail = "quinten@voorbeeld.nl"
	phrase    = "Kaas-Fiets-Regen7!Molen"
)

// A later clock can be put forward.
type laterClock struct {
	mu   sync.Mutex
	plus time.Duration
}

func (c *laterClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.plus)
}

func (c *laterClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plus += d
}

// A sheet is a page with a search field and a table.
type sheet struct {
	id, title string
	entered   int
	search    *ui.Search
}

func (s *sheet) ID() string    { return s.id }
func (s *sheet) Title() string { return s.title }

func (s *sheet) Content() fyne.CanvasObject {
	s.search = ui.NewSearch(s.title, "/", "x")
	return ui.Column(ui.SizeGap, ui.Heading(s.title).Elide(), s.search)
}

func (s *sheet) Enter()                  { s.entered++ }
func (s *sheet) Leave()                  { s.entered-- }
func (s *sheet) Key(*fyne.KeyEvent) bool { return false }
func (s *sheet) ToSearch()               { ui.Focus(s.search.Input()) }
func (s *sheet) Shortcuts() []Shortcut   { return []Shortcut{{"F9", "Doet iets"}} }

// A room is a window of staff on a demo's home, with some pages.
type room struct {
	*Window

	t     *testing.T
	home  *home.Home
	clock *laterClock
	app   *officetest.App
	read  int // messages of the outbox
	waits int // on the second page
	right staff.Right
}

// openRoom opens a home in which somebody is enrolled who has roles, and a window on it.
func openRoom(t *testing.T, roles ...domain.Role) *room {
	t.Helper()
	c := &laterClock{}
	set, err := settings.Load(settings.Sources{Home: t.TempDir(), Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	h, err := home.Open(t.Context(), home.Options{Settings: set, Version: "test", Log: zap.NewNop(), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := h.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	o := &room{t: t, home: h, clock: c, right: staff.SeeBoard}
	officetest.Enrol(t, h.Desk, o.code, agentMail, "Quinten Willemsen", phrase, "0612345678", roles...)
	o.app = officetest.NewApp(t, ui.Options{})
	o.Window = New(Config{
		Logins: h.Desk, Shifts: h.Desk.Helpdesk(), Pages: o.pages, Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", Now: c.now,
	})
	w := test.NewTempWindow(t, o.Content())
	w.Resize(fyne.NewSize(1280, 800))
	o.Attach(w)
	t.Cleanup(o.Close)
	return o
}

func (o *room) pages(s desk.Shift) []Entry {
	if !s.May(o.right) {
		return nil
	}
	return []Entry{
		{Icon: ui.IconBoard, Page: &sheet{id: "first", title: "Vandaag"}},
		{Icon: ui.IconPeople, Page: &sheet{id: "second", title: "Iedereen"}, Count: func() int { return o.waits }},
	}
}

// code waits for the next message with a code.
func (o *room) code() string {
	o.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		items, err := o.home.Outbox.List(o.read)
		if err != nil {
			o.t.Fatal(err)
		}
		for i, m := range items {
			if m.Code != "" {
				o.read += i + 1
				return m.Code
			}
		}
	}
	o.t.Fatal("no code came")
	return ""
}

func (o *room) until(what string, holds func() bool) {
	o.t.Helper()
	o.app.Until(what, holds)
}

// login types address and password.
func (o *room) login(password string) {
	o.t.Helper()
	o.signIn.email.SetText(agentMail)
	o.signIn.password.SetText(password)
	test.Tap(o.signIn.primary)
}

// signsIn signs in with the code, up to the first page.
func (o *room) signsIn() {
	o.t.Helper()
	o.login(phrase)
	o.until("a code is asked for", func() bool { return o.signIn.digits != nil })
	test.Type(o.signIn.digits, o.code())
	o.until("somebody is signed in", func() bool { return o.signIn == nil && o.open != nil })
}

func TestStaffSignInAtTheWindow(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.login("Verkeerd" + phrase)
	o.until("it is refused", func() bool { return o.signIn.wrong != "" })
	if o.signIn.wrong != o.Window.t("refusal-wrong-login") || o.signIn.password.Text() != "" || o.signIn.email.Text() != agentMail {
		t.Errorf("says %q, and keeps %q", o.signIn.wrong, o.signIn.password.Text())
	}
	for _, lang := range []string{"en", "nl"} { // what is wrong is said in the language of now
		o.speak(lang)
		if words := i18n.New(lang).T("refusal-wrong-login"); o.signIn.wrong != words || !officetest.Says(o.win, words[:20]) {
			t.Errorf("in %s it says %q", lang, officetest.Texts(o.win))
		}
	}
	o.signsIn()
	if got := o.open.ID(); got != "first" {
		t.Errorf("begins on %s", got)
	}
	if first, ok := o.open.(*sheet); !ok || first.entered != 1 {
		t.Error("the first page was not entered")
	}
	o.signOut()
	o.until("nobody is signed in", func() bool { return o.signIn != nil })
	if o.shift.ID != "" || o.open != nil || o.signIn.email != nil && o.signIn.email.Text() != "" {
		t.Error("something of who was there stayed")
	}
}

func TestWhoHasNoRoleIsToldSo(t *testing.T) {
	o := openRoom(t)
	o.login(phrase)
	o.until("a code is asked for", func() bool { return o.signIn.digits != nil })
	test.Type(o.signIn.digits, o.code())
	o.until("it is said", func() bool { return o.signIn.notFor != "" })
	o.signIn.key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if o.signIn.notFor != "" || o.signIn.view.Visit != "" {
		t.Error("nobody else can sign in")
	}
}

// The lock takes everything away; the same person goes on where they were, and somebody
// else begins anew.
func TestTheWindowLocks(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signsIn()
	o.Show(o.entries[1].Page)
	o.tick()
	if o.left.Visible() {
		t.Error("it warns at once")
	}
	o.clock.pass(4*time.Minute + 40*time.Second)
	o.tick()
	if !o.left.Visible() {
		t.Error("it does not warn")
	}
	o.touched() // a hand keeps it open
	o.until("the shift was kept", func() bool { return o.Window.until.Sub(o.clock.now()) > 4*time.Minute })
	o.tick()
	if o.signIn != nil || o.left.Visible() {
		t.Fatal("it locked under a hand")
	}
	o.clock.pass(5 * time.Minute)
	o.tick()
	if o.signIn == nil || o.open != nil || len(o.entries) != 0 || o.shift.ID != "" {
		t.Fatal("it does not lock, or keeps something")
	}
	o.clock.pass(2 * time.Minute) // for the next SMS
	o.signsIn()
	if got := o.open.ID(); got != "second" {
		t.Errorf("goes on at %s", got)
	}
}

func TestARoleThatIsTakenLocks(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signsIn()
	if err := o.home.Desk.Revoke(t.Context(), desk.Console(), o.shift.Subject, domain.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	o.keep()
	o.until("it locks", func() bool { return o.signIn != nil })
}

func TestKeysOfTheWindow(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signsIn()
	c := o.win.Canvas()
	press := func(key fyne.KeyName, with fyne.KeyModifier) {
		c.(fyne.Shortcutable).TypedShortcut(&driver.CustomShortcut{KeyName: key, Modifier: with}) //nolint:forcetypeassert,errcheck // it is one
	}
	press("2", fyne.KeyModifierAlt)
	if got := o.open.ID(); got != "second" {
		t.Errorf("Alt+2 shows %s", got)
	}
	press("9", fyne.KeyModifierAlt)
	c.OnTypedRune()('/')
	if c.Focused() == nil {
		t.Error("/ does not search")
	}
	c.Unfocus()
	c.OnTypedRune()('?')
	if o.veil == nil {
		t.Fatal("? lists nothing")
	}
	press("1", fyne.KeyModifierAlt) // not behind it
	if got := o.open.ID(); got != "second" {
		t.Errorf("behind the list it shows %s", got)
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if o.veil != nil {
		t.Error("Escape does not close the list")
	}
	press(fyne.KeyEqual, fyne.KeyModifierControl)
	if ui.Current().Scale != ui.Larger {
		t.Errorf("the text is %v", ui.Current().Scale)
	}
	press(fyne.KeyEqual, fyne.KeyModifierControl|fyne.KeyModifierShift) // as + is typed
	press(fyne.KeyPlus, fyne.KeyModifierControl)
	if ui.Current().Scale != ui.Largest {
		t.Errorf("the text is %v, and no larger", ui.Current().Scale)
	}
	press(fyne.Key0, fyne.KeyModifierControl)
	press(fyne.KeyMinus, fyne.KeyModifierControl)
	press(fyne.KeyD, fyne.KeyModifierControl)
	if ui.Current().Scale != ui.Normal || ui.Current().Mode != ui.Dark {
		t.Errorf("looks like %+v", ui.Current())
	}
	press(fyne.KeyL, fyne.KeyModifierControl)
	if o.signIn == nil {
		t.Error("Ctrl+L does not lock")
	}
}

// Who has the right password and no factor yet is told what to do.
func TestWhoHasNotFinishedIsToldSo(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	ctx, d := t.Context(), o.home.Desk
	v, err := d.Begin(ctx, "half@voorbeeld.nl", "nl")
	if err == nil {
		v, err = d.ConfirmEmail(ctx, v.Visit, o.code())
	}
	if err == nil {
		v, err = d.SetNameAndPassword(ctx, v.Visit, "Sara Half", phrase)
	}
	if err == nil {
		err = d.End(ctx, v.Visit, station.Stopped)
	}
	if err != nil {
		t.Fatal(err)
	}
	o.signIn.email.SetText("half@voorbeeld.nl")
	o.signIn.password.SetText(phrase)
	test.Tap(o.signIn.primary)
	o.until("it is said", func() bool { return o.signIn.wrong != "" })
	if o.signIn.wrong != o.Window.t("office-unfinished") {
		t.Errorf("it says %q", o.signIn.wrong)
	}
}

// What somebody typed and did not go on with is wiped, as is who was there before.
func TestASignInIsForgotten(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signIn.email.SetText(agentMail)
	o.signIn.password.SetText("half a pass")
	o.clock.pass(4 * time.Minute)
	o.touched()
	o.clock.pass(4 * time.Minute)
	o.tick()
	if o.signIn.email.Text() == "" {
		t.Error("it is wiped under a hand")
	}
	o.clock.pass(time.Minute)
	o.tick()
	if o.signIn.email.Text() != "" || o.signIn.password.Text() != "" {
		t.Error("what was typed stays")
	}
	o.login(phrase)
	o.until("a code is asked for", func() bool { return o.signIn.digits != nil })
	o.clock.pass(5 * time.Minute)
	o.tick()
	if o.signIn.view.Visit != "" || o.signIn.digits != nil || o.signIn.email.Text() != "" {
		t.Error("a login that nobody goes on with stays")
	}
}

// A pointer that moves over anything is a sign of life.
func TestAPointerKeepsTheWindowOpen(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signsIn()
	o.until("what was asked has come", func() bool { return o.clock.now().Sub(o.kept) < time.Minute })
	for _, at := range []fyne.Position{fyne.NewPos(700, 4), fyne.NewPos(100, 500), fyne.NewPos(700, 400)} {
		o.clock.pass(time.Minute)
		before := o.kept
		test.MoveMouse(o.win.Canvas(), at)
		test.MoveMouse(o.win.Canvas(), at.AddXY(2, 2))
		if !o.kept.After(before) {
			t.Errorf("at %v it is not seen", at)
		}
	}
}

// Who has a role, and not the one that the pages are for, is told so, and is signed out.
func TestWhoHasNoPagesIsToldSo(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.right = staff.ImportRoster
	o.login(phrase)
	o.until("a code is asked for", func() bool { return o.signIn.digits != nil })
	test.Type(o.signIn.digits, o.code())
	o.until("it is said", func() bool { return o.signIn.notFor != "" })
	if o.signIn.notFor != "office-not-yours" || o.shift.ID != "" || o.open != nil {
		t.Errorf("it says %q, and keeps %+v", o.signIn.notFor, o.shift)
	}
	if !officetest.Says(o.win, o.Window.t("office-no-role")) {
		t.Errorf("it says %q", officetest.Texts(o.win))
	}
}

// Whoever loses the role that the pages are for while the window is open is out, too.
func TestARightThatIsTakenLeavesNoPages(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk, domain.RoleAdmin)
	o.right = staff.ImportRoster
	o.signsIn()
	if err := o.home.Desk.Revoke(t.Context(), desk.Console(), o.shift.Subject, domain.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	o.keep()
	o.until("it is said", func() bool { return o.signIn != nil && o.signIn.notFor == "office-not-yours" })
}

// A page over another one goes away with Escape, and comes back after a lock if it may.
func TestAPageOverAnother(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signsIn()
	o.Show(o.entries[1].Page)
	made, may := 0, true
	o.Over(func() Page {
		if !may {
			return nil
		}
		made++
		return &sheet{id: "over", title: "Sanne de Vries"}
	})
	if o.open.ID() != "over" || !o.items[1].On() {
		t.Fatalf("%s shows", o.open.ID())
	}
	o.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if o.open.ID() != "second" {
		t.Errorf("Escape goes back to %s", o.open.ID())
	}
	o.Over(func() Page { made++; return &sheet{id: "over", title: "Sanne de Vries"} })
	o.lock()
	o.clock.pass(2 * time.Minute)
	o.signsIn()
	if o.open.ID() != "over" || made != 3 {
		t.Errorf("after the lock %s shows, made %d times", o.open.ID(), made)
	}
	o.Back()
	if o.open.ID() != "second" {
		t.Errorf("from there it goes back to %s", o.open.ID())
	}
	may = false
	o.Over(func() Page { return nil })
	if o.open.ID() != "second" {
		t.Errorf("what may not show does: %s", o.open.ID())
	}
}

// What waits is counted on the rail, also while another page shows.
func TestTheRailCounts(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.waits = 3
	o.signsIn()
	if !officetest.Says(o.win, "3") {
		t.Errorf("it says %q", officetest.Texts(o.win))
	}
	o.waits = 4
	o.Recount()
	if !officetest.Says(o.win, "4") {
		t.Errorf("then it says %q", officetest.Texts(o.win))
	}
}

// Files that are dropped reach the pages while somebody is signed in.
func TestFilesAreDropped(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	var got []string
	o.c.Dropped = func(paths []string) { got = paths }
	files := []fyne.URI{storage.NewFileURI("/tmp/a.csv"), storage.NewFileURI("/tmp/b.csv")}
	o.dropped(fyne.Position{}, files)
	if got != nil {
		t.Errorf("nobody is signed in, and %q came", got)
	}
	o.signsIn()
	o.dropped(fyne.Position{}, files)
	if !slices.Equal(got, []string{"/tmp/a.csv", "/tmp/b.csv"}) {
		t.Errorf("%q came", got)
	}
}

// A question to Pocket that nobody answers is over by the clock, also while nothing is heard.
func TestAQuestionToPocketEnds(t *testing.T) {
	c := &laterClock{}
	o := openFake(t, fakeDesk{}, ui.Options{}, "nl", c.now)
	o.ticker.Stop()
	o.signIn.view = desk.View{Visit: "x", Screen: desk.ScreenLoginApproval, Login: desk.LoginView{Digits: "482917", Left: 2 * time.Minute}}
	o.signIn.seen = c.now()
	o.rebuild()
	if o.signIn.timer == nil || o.demo.digits() != "482917" {
		t.Fatalf("the demo's phone is asked for %q", o.demo.digits())
	}
	c.pass(2 * time.Minute)
	o.tick()
	if !o.signIn.over || o.signIn.primary == nil || o.demo.digits() != "" {
		t.Error("it goes on waiting")
	}
}

// The list of keys has those of the page that shows.
func TestTheListOfKeys(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signsIn()
	has := func(keys string) bool {
		return slices.ContainsFunc(o.shortcuts(), func(s Shortcut) bool { return s.Keys == keys })
	}
	if !has("F9") || !has("/") || !has("Alt+2") || has("Alt+3") {
		t.Errorf("the keys are %v", o.shortcuts())
	}
}

// In every language, size of text and mode the rail has room for all that is on it.
func TestTheRailFits(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk, domain.RoleApprover, domain.RoleAuditor, domain.RoleAdmin)
	o.c.Pages = func(desk.Shift) []Entry {
		var all []Entry
		for i := range 5 {
			all = append(all, Entry{Icon: ui.IconBoard, Page: &sheet{id: fmt.Sprint(i), title: "Kiosken"}})
		}
		return all
	}
	o.signsIn()
	for _, lang := range []string{"nl", "en"} {
		for _, scale := range []ui.Scale{ui.Normal, ui.Larger, ui.Largest} {
			o.options.Scale = scale
			o.apply()
			o.speak(lang)
			o.win.Resize(fyne.NewSize(1024, 700))
			last := o.items[len(o.items)-1]
			if bottom := last.Position().Y + last.Size().Height; bottom > 460 {
				t.Errorf("%s at %v: the pages reach down to %v", lang, scale, bottom)
			}
		}
	}
}

// Every text of the window is there in both languages, and used.
func TestTheWindowHasItsWords(t *testing.T) {
	t.Parallel()
	made := []string{"office-locked-text", "office-when-today"} // a page of the helpdesk says today
	for _, r := range staff.Roles() {
		made = append(made, "office-role-"+string(r))
	}
	for n := range 12 {
		made = append(made, fmt.Sprint("office-month-", n+1))
	}
	for n := range 7 {
		made = append(made, fmt.Sprint("office-weekday-", n))
	}
	for _, id := range dialogWords {
		made = append(made, id)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // this package's own files
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"(office-[a-z-]+[a-z])"`).FindAllStringSubmatch(string(b), -1) {
			made = append(made, m[1])
		}
	}
	for _, lang := range i18n.Languages() {
		written := map[string]any{}
		if _, err := toml.DecodeFile(filepath.Join("../../../../assets/translations", lang, "office.toml"), &written); err != nil {
			t.Fatal(err)
		}
		for _, id := range made {
			if !i18n.New(lang).Has(id) {
				t.Errorf("%s: %s is not written", lang, id)
			}
		}
		for id := range written {
			if !slices.Contains(made, id) {
				t.Errorf("%s: %s is not used", lang, id)
			}
		}
	}
}

// noon is when the tests of the words are.
var noon = time.Date(2026, 11, 23, 10, 58, 0, 0, time.Local)

func TestTimesAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	nl := Words{i18n.New("nl"), func() time.Time { return noon }, nil}
	en := Words{i18n.New("en"), func() time.Time { return noon }, nil}
	for got, want := range map[string]string{
		nl.Moment(noon.Add(-12 * time.Minute)):          "10:46",
		nl.Moment(noon.AddDate(0, 0, -1)):               "gisteren 10:58",
		nl.Moment(noon.AddDate(0, 0, -3)):               "20 november, 10:58",
		en.Moment(noon.AddDate(-1, 0, 0)):               "23 November 2025, 10:58",
		nl.Moment(time.Time{}):                          "nooit",
		nl.Weekday(noon):                                "Maandag 23 november",
		en.Day("2026-12-01"):                            "1 December",
		en.Day("soon"):                                  "soon",
		nl.Lasts(59 * time.Second):                      "Nu",
		nl.Lasts(12*time.Minute + 30*time.Second):       "12 min",
		nl.Lasts(25 * time.Hour):                        "1 dag",
		en.Lasts(50 * time.Hour):                        "2 days",
		nl.Phrase(desk.Phrase{}):                        "",
		Joined("", "De Kleurendans", "", "Hal 2"):       "De Kleurendans · Hal 2",
		nl.param("At", noon.UTC().Format(time.RFC3339)): "10:58",
		nl.param("Day", "2026-12-01"):                   "1 december",
		nl.param("Provider", "cm"):                      "cm",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Whoever makes the text larger, or the window dark, or speaks another language, is where
// they were.
func TestTheFocusStaysWhereItWas(t *testing.T) {
	o := openRoom(t, domain.RoleHelpdesk)
	o.signsIn()
	c := o.win.Canvas()
	for name, change := range map[string]func(){
		"larger": func() { o.scale(ui.Largest) }, "dark": o.nextMode, "in English": func() { o.speak("en") },
	} {
		for i := range o.items {
			c.Focus(o.items[i])
			change()
			if at, ok := c.Focused().(*ui.NavItem); !ok || at != o.items[i] {
				t.Errorf("%s: the focus was on item %d and is on %T", name, i, c.Focused())
			}
			o.scale(ui.Normal)
			o.speak("nl")
		}
		c.Unfocus()
		if change(); c.Focused() != nil {
			t.Errorf("%s: %T has a focus that nothing had", name, c.Focused())
		}
	}
}
