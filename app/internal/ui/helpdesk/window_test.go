package helpdesk

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
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
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
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

// An office is a window of staff on a demo's home.
type office struct {
	*Window

	t     *testing.T
	home  *home.Home
	clock *laterClock
	queue chan func()
	read  int // messages of the outbox

	begins func(context.Context, string) (desk.View, error) // of whoever enrols beside the agent
}

// openOffice opens a home in which somebody is enrolled who has roles, and a window on it.
func openOffice(t *testing.T, roles ...domain.Role) *office {
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
	o := &office{t: t, home: h, clock: c}
	o.enrol(agentMail, roles...)

	old := fyne.CurrentApp()
	a := &patientApp{App: test.NewTempApp(t)}
	a.driver = patientDriver{a.App.Driver(), make(chan func(), 4096)}
	fyne.SetCurrentApp(a)
	t.Cleanup(func() { fyne.SetCurrentApp(old) })
	o.queue = a.driver.queue
	o.Window = New(Config{
		Assist: func(begin func(context.Context, string) (desk.View, error)) { o.begins = begin },
		Logins: h.Desk, Staff: h.Desk.Helpdesk(), Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", Now: c.now,
		ReadList: func(io.Reader) (List, error) { return oneColleague(), nil },
	})
	w := test.NewTempWindow(t, o.Content())
	w.Resize(fyne.NewSize(1280, 800))
	o.Attach(w)
	t.Cleanup(o.Close)
	return o
}

// oneColleague is a list with one good row and a bad one.
func oneColleague() List {
	return List{
		Staff: desk.StaffList{
			Source: enrolment.RosterFromFile, Digest: [32]byte{1}, Tells: []desk.StaffField{desk.StaffName},
			People: []desk.Person{{Email: "sara@voorbeeld.nl", Name: "Sara Bos"}},
		},
		Lines: []int{2}, Rows: 2, Bad: 1, Encoding: "UTF-8", Delimiter: ";",
		Problems: []ListProblem{{Line: 3, Column: "E-mail", Reason: "not-an-address"}},
	}
}

// enrol enrols somebody with SMS, and gives them roles.
func (o *office) enrol(address string, roles ...domain.Role) {
	o.t.Helper()
	o.enrolWith(address, "Quinten Willemsen", "0612345678", roles...)
}

func (o *office) enrolWith(address, name, phone string, roles ...domain.Role) {
	o.t.Helper()
	ctx, d := o.t.Context(), o.home.Desk
	v, err := d.Begin(ctx, address, "nl")
	if err == nil {
		v, err = d.ConfirmEmail(ctx, v.Visit, o.code())
	}
	if err == nil {
		v, err = d.SetNameAndPassword(ctx, v.Visit, name, phrase)
	}
	if err == nil {
		v, err = d.GivePhone(ctx, v.Visit, phone)
	}
	if err == nil {
		v, err = d.ConfirmPhone(ctx, v.Visit, o.code())
	}
	if err == nil {
		v, err = d.ChooseSMS(ctx, v.Visit)
	}
	if err == nil {
		err = d.End(ctx, v.Visit, station.Finished)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	s, err := d.Subject(ctx, address)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, r := range roles {
		if err := d.Grant(ctx, desk.Console(), s, r); err != nil {
			o.t.Fatal(err)
		}
	}
}

// code waits for the next message with a code.
func (o *office) code() string {
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

// until runs what comes back until something holds.
func (o *office) until(what string, holds func() bool) {
	o.t.Helper()
	for end := time.After(20 * time.Second); !holds(); {
		select {
		case f := <-o.queue:
			f()
		case <-time.After(5 * time.Millisecond):
		case <-end:
			o.t.Fatalf("never: %s", what)
		}
	}
}

// login types address and password.
func (o *office) login(password string) {
	o.t.Helper()
	o.loginAs(agentMail, password)
}

func (o *office) loginAs(address, password string) {
	o.t.Helper()
	o.signIn.email.SetText(address)
	o.signIn.password.SetText(password)
	test.Tap(o.signIn.primary)
}

// signsIn signs in with the code, up to the first page.
func (o *office) signsIn() {
	o.t.Helper()
	o.signsInAs(agentMail)
}

func (o *office) signsInAs(address string) {
	o.t.Helper()
	o.loginAs(address, phrase)
	o.until("a code is asked for", func() bool { return o.signIn.digits != nil })
	code := o.code()
	test.Type(o.signIn.digits, code)
	o.until("somebody is signed in", func() bool { return o.signIn == nil && o.open != nil })
}

func TestStaffSignInAtTheWindow(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
	o.login("Verkeerd" + phrase)
	o.until("it is refused", func() bool { return o.signIn.wrong != "" })
	if o.signIn.wrong != o.Window.t("refusal-wrong-login") || o.signIn.password.Text() != "" || o.signIn.email.Text() != agentMail {
		t.Errorf("says %q, and keeps %q", o.signIn.wrong, o.signIn.password.Text())
	}
	o.signsIn()
	if got := o.open.id(); got != "board-today" {
		t.Errorf("begins on %s", got)
	}
	var pages []string
	for _, e := range o.entries {
		pages = append(pages, e.page.id())
	}
	if got := strings.Join(pages, " "); strings.Contains(got, "import") || !strings.Contains(got, "kiosks") {
		t.Errorf("the pages are %s", got)
	}
	o.signOut()
	o.until("nobody is signed in", func() bool { return o.signIn != nil })
	if o.shift.ID != "" || o.open != nil || o.signIn.email != nil && o.signIn.email.Text() != "" {
		t.Error("something of who was there stayed")
	}
}

func TestWhoHasNoRoleIsToldSo(t *testing.T) {
	o := openOffice(t)
	o.login(phrase)
	o.until("a code is asked for", func() bool { return o.signIn.digits != nil })
	test.Type(o.signIn.digits, o.code())
	o.until("it is said", func() bool { return o.signIn.notFor })
	o.signIn.key(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if o.signIn.notFor || o.signIn.view.Visit != "" {
		t.Error("nobody else can sign in")
	}
}

// The lock takes everything away; the same person goes on where they were, and somebody
// else begins anew.
func TestTheWindowLocks(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
	o.signsIn()
	o.show(o.entries[1].page)
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
	if got := o.open.id(); got != "board-everybody" {
		t.Errorf("goes on at %s", got)
	}
}

func TestARoleThatIsTakenLocks(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
	o.signsIn()
	if err := o.home.Desk.Revoke(t.Context(), desk.Console(), o.shift.Subject, domain.RoleHelpdesk); err != nil {
		t.Fatal(err)
	}
	o.keep()
	o.until("it locks", func() bool { return o.signIn != nil })
}

func TestKeysOfTheWindow(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
	o.signsIn()
	c := o.win.Canvas()
	press := func(key fyne.KeyName, with fyne.KeyModifier) {
		c.(fyne.Shortcutable).TypedShortcut(&driver.CustomShortcut{KeyName: key, Modifier: with}) //nolint:forcetypeassert,errcheck // it is one
	}
	press("2", fyne.KeyModifierAlt)
	if got := o.open.id(); got != "board-everybody" {
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
	if got := o.open.id(); got != "board-everybody" {
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

func TestHRsListAtTheWindow(t *testing.T) {
	o := openOffice(t, domain.RoleAdmin)
	o.signsIn()
	file := filepath.Join(t.TempDir(), "lijst.csv")
	if err := os.WriteFile(file, []byte("is read by a test"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := o.importPageOf()
	o.show(p)
	p.open(filepath.Join(t.TempDir(), "weg.csv"))
	o.until("it cannot be read", func() bool { return p.stage == picking && p.wrong != "" })
	p.open(file)
	o.until("it is planned", func() bool { return p.stage == planned })
	if p.plan.Count(desk.ImportNew) != 1 || p.left() != 1 {
		t.Errorf("planned %+v", p.plan)
	}
	p.strict = true
	p.redraw()
	p.strict = false
	p.start()
	o.until("it is done", func() bool { return p.stage == imported })
	if p.result.Done != 1 || p.wrong != "" {
		t.Errorf("done %+v, %s", p.result, p.wrong)
	}
	s, err := o.home.Desk.Subject(t.Context(), "sara@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	if who, on, err := o.home.Desk.OnRoster(t.Context(), s); err != nil || !on || who.Name != "Sara Bos" {
		t.Errorf("the roster has %+v, %t, %v", who, on, err)
	}
	p.anew()
	p.open(file) // again: nothing
	o.until("it is planned again", func() bool { return p.stage == planned })
	if len(p.plan.Steps) != 0 || p.plan.Same != 1 {
		t.Errorf("planned %+v", p.plan)
	}
	p.everybody() // the bad row may be whoever is missing
	if p.all || p.stage != planned || p.note == "" {
		t.Error("with a bad row somebody would leave")
	}
}

// importPageOf returns the page of HR's list.
func (o *office) importPageOf() *importPage {
	o.t.Helper()
	for _, e := range o.entries {
		if p, ok := e.page.(*importPage); ok {
			return p
		}
	}
	o.t.Fatal("an admin has no import")
	return nil
}

// A list of everybody says who left; broken off, it goes on where it was.
func TestWhoLeavesIsOnTheList(t *testing.T) {
	o := openOffice(t, domain.RoleAdmin)
	list := List{Staff: desk.StaffList{Source: enrolment.RosterFromFile, Tells: []desk.StaffField{desk.StaffName}}, Encoding: "UTF-8", Delimiter: ";"}
	for i := range 30 {
		list.Staff.People = append(list.Staff.People, desk.Person{Email: fmt.Sprintf("collega%d@voorbeeld.nl", i), Name: "Collega"})
		list.Lines = append(list.Lines, i+2)
	}
	list.Rows, list.Staff.Digest = len(list.Lines), [32]byte{2}
	o.c.ReadList = func(io.Reader) (List, error) { return list, nil }
	o.signsIn()
	file := filepath.Join(t.TempDir(), "lijst.csv")
	if err := os.WriteFile(file, []byte("is read by a test"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := o.importPageOf()
	o.show(p)
	o.dropped(fyne.Position{}, []fyne.URI{storage.NewFileURI(file)})
	o.until("it is planned", func() bool { return p.stage == planned })
	p.start()
	p.cancel() // whatever of it was recorded stays
	o.until("it is broken off", func() bool { return p.stage == imported })
	if p.result.Done >= 30 || p.wrong != "" {
		t.Fatalf("%d are done, and %q is wrong", p.result.Done, p.wrong)
	}
	left := 30 - p.result.Done
	p.anew()
	p.open(file)
	o.until("it is planned again", func() bool { return p.stage == planned })
	if n := len(p.plan.Steps); n > left || n == 0 {
		t.Errorf("%d of %d are left to do", n, left)
	}
	p.start()
	o.until("it is done", func() bool { return p.stage == imported })

	list.Staff.People, list.Lines, list.Rows, list.Staff.Digest = list.Staff.People[:28], list.Lines[:28], 28, [32]byte{3}
	list.Staff.People[0].Name = "Collega de Eerste"
	p.anew()
	p.open(file)
	o.until("the next list is planned", func() bool { return p.stage == planned })
	if len(p.plan.Steps) != 1 || p.plan.Steps[0].Do != desk.ImportChange {
		t.Errorf("without leavers it plans %+v", p.plan.Steps)
	}
	p.everybody()
	o.until("it is planned with leavers", func() bool { return p.stage == planned })
	if !p.all || p.plan.Count(desk.ImportLeave) != 2 || len(p.groups) != 3 {
		t.Errorf("it plans %+v in %d groups", p.plan.Steps, len(p.groups))
	}
	p.start()
	o.until("they left", func() bool { return p.stage == imported })
	s, err := o.home.Desk.Subject(t.Context(), "collega29@voorbeeld.nl")
	if err != nil {
		t.Fatal(err)
	}
	if _, on, err := o.home.Desk.OnRoster(t.Context(), s); err != nil || on {
		t.Errorf("who left is on the roster: %t, %v", on, err)
	}
}

// Whoever locks the window while a file is chosen leaves no dialog over it, and somebody
// else who signs in begins anew.
func TestNothingLiesOverTheLock(t *testing.T) {
	o := openOffice(t, domain.RoleAdmin)
	o.signsIn()
	o.show(o.importPageOf())
	o.importPageOf().choose()
	if !o.covered() {
		t.Fatal("no dialog opens")
	}
	o.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if o.covered() {
		t.Error("Escape does not close it")
	}
	o.importPageOf().choose()
	o.lock()
	if o.covered() {
		t.Error("a dialog lies over the lock")
	}
	o.resume.subject = domain.SubjectID{9} // somebody else's
	o.clock.pass(2 * time.Minute)
	o.signsIn()
	if got := o.open.id(); got != "board-today" {
		t.Errorf("somebody else begins on %s", got)
	}
}

// Who has the right password and no factor yet is told what to do.
func TestWhoHasNotFinishedIsToldSo(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
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
	if o.signIn.wrong != o.Window.t("helpdesk-unfinished") {
		t.Errorf("it says %q", o.signIn.wrong)
	}
}

// What somebody typed and did not go on with is wiped, as is who was there before.
func TestASignInIsForgotten(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
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

// A question to Pocket that nobody answers is over by the clock, also while nothing is heard.
func TestAQuestionToPocketEnds(t *testing.T) {
	d := newDesktop(t, ui.Options{}, "nl")
	c := &laterClock{}
	town := staffTown{town: newTown(morning())}
	w := New(Config{Logins: town, Staff: town, Demo: town, Now: c.now})
	d.w = test.NewTempWindow(t, w.Content())
	w.Attach(d.w)
	w.ticker.Stop()
	t.Cleanup(w.Close)
	w.signIn.view = desk.View{Visit: "x", Screen: desk.ScreenLoginApproval, Login: desk.LoginView{Digits: "482917", Left: 2 * time.Minute}}
	w.signIn.seen = c.now()
	w.rebuild()
	if w.signIn.timer == nil || w.demo.digits() != "482917" {
		t.Fatalf("the demo's phone is asked for %q", w.demo.digits())
	}
	c.pass(2 * time.Minute)
	w.tick()
	if !w.signIn.over || w.signIn.primary == nil || w.demo.digits() != "" {
		t.Error("it goes on waiting")
	}
}

// A pointer that moves over anything is a sign of life.
func TestAPointerKeepsTheWindowOpen(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
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

// In every language, size of text and mode the rail has room for all that is on it.
func TestTheRailFits(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk, domain.RoleApprover, domain.RoleAuditor, domain.RoleAdmin)
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

// Every text of the window and the import is there in both languages, and used.
func TestTheWindowHasItsWords(t *testing.T) {
	made := []string{}
	for _, r := range staff.Roles() {
		made = append(made, "helpdesk-role-"+string(r))
	}
	for _, f := range []desk.StaffField{desk.StaffName, desk.StaffPhone, desk.StaffEmployee, desk.StaffStart, desk.StaffTeam, desk.StaffLanguage} {
		made = append(made, "import-field-"+string(f))
	}
	for _, g := range []string{"bad", "leave", "change", "new", "note", "same"} {
		made = append(made, "import-group-"+g)
	}
	for _, r := range []string{"twice", "meanwhile", "newer", "erased", "address"} {
		made = append(made, "import-entry-"+r)
	}
	for _, r := range []roster.Reason{
		roster.EmailMissing, roster.NotAnAddress, roster.Twice, roster.NotAName, roster.NotANumber, roster.NumberMangled, roster.NoSMS,
		roster.Country, roster.NotADate, roster.UnknownLanguage, roster.Unusable, roster.TooLong, roster.TooFewFields, roster.TooManyFields,
		roster.OpenQuote, roster.StrayQuote, roster.ZeroAdded, roster.PlusAdded,
	} {
		made = append(made, "import-reason-"+string(r))
	}
	for _, r := range []string{"empty", "no-email", "too-large", "too-many-rows", "workbook", "not-text", "header"} {
		made = append(made, "import-refused-"+r)
	}
	made = append(made, "helpdesk-locked", "helpdesk-locked-text")
	for _, id := range dialogWords {
		made = append(made, id)
	}
	for _, f := range []string{"window", "signin", "keys", "demo", "importer"} {
		b, err := os.ReadFile(f + ".go") //nolint:gosec // this package's own files
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"((?:helpdesk|import)-[a-z-]+[a-z])"`).FindAllStringSubmatch(string(b), -1) {
			made = append(made, m[1])
		}
	}
	for _, lang := range i18n.Languages() {
		written := map[string]any{}
		for _, f := range []string{"staff", "import"} {
			if _, err := toml.DecodeFile(filepath.Join("../../../../assets/translations", lang, f+".toml"), &written); err != nil {
				t.Fatal(err)
			}
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
