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
	"fyne.io/fyne/v2/test"
	"github.com/BurntSushi/toml"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/home"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/roster"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
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

// A room is a window of the helpdesk on a demo's home.
type room struct {
	*Window

	t     *testing.T
	home  *home.Home
	clock *laterClock
	app   *officetest.App
	at    fyne.Window
	read  int // messages of the outbox

	begins func(context.Context, string) (desk.View, error) // of whoever enrols beside the agent
}

// openOffice opens a home in which somebody is enrolled who has roles, and a window on it.
func openOffice(t *testing.T, roles ...domain.Role) *room {
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
	o := &room{t: t, home: h, clock: c}
	o.enrol(agentMail, roles...)

	o.app = officetest.NewApp(t, ui.Options{})
	o.Window = New(Config{
		Assist: func(begin func(context.Context, string) (desk.View, error)) { o.begins = begin },
		Logins: h.Desk, Staff: h.Desk.Helpdesk(), Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", Now: c.now,
		ReadList: func(io.Reader) (List, error) { return oneColleague(), nil },
	})
	o.at = test.NewTempWindow(t, o.Content())
	o.at.Resize(fyne.NewSize(1280, 800))
	o.Attach(o.at)
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
func (o *room) enrol(address string, roles ...domain.Role) {
	o.t.Helper()
	o.enrolWith(address, "Quinten Willemsen", "0612345678", roles...)
}

func (o *room) enrolWith(address, name, phone string, roles ...domain.Role) {
	o.t.Helper()
	officetest.Enrol(o.t, o.home.Desk, o.code, address, name, phrase, phone, roles...)
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

// signsIn signs in with the code, up to the first page.
func (o *room) signsIn() {
	o.t.Helper()
	o.signsInAs(agentMail)
}

func (o *room) signsInAs(address string) {
	o.t.Helper()
	o.app.SignIn(o.at, address, phrase, o.code, o.isIn)
}

// isIn says that somebody is signed in.
func (o *room) isIn() bool { return o.Open() != nil }

// locks locks the window as whoever sits at it does.
func (o *room) locks() {
	o.at.Canvas().(fyne.Shortcutable).TypedShortcut(&driver.CustomShortcut{KeyName: fyne.KeyL, Modifier: fyne.KeyModifierControl}) //nolint:forcetypeassert,errcheck // it is one
}

// The pages are those of the roles, and a lock brings one back to a person's page.
func TestThePagesOfARole(t *testing.T) {
	o := openOffice(t, domain.RoleHelpdesk)
	o.signsIn()
	pages := make([]string, 0, 4)
	for _, e := range o.Entries() {
		pages = append(pages, e.Page.ID())
	}
	if got := strings.Join(pages, " "); got != "board-today board-everybody cases kiosks" {
		t.Errorf("the pages are %s", got)
	}
	o.Show(o.Entries()[1].Page)
	p := o.visits(agentMail)
	o.locks()
	if o.isIn() || len(o.Entries()) != 0 || o.cases != nil || p.got {
		t.Error("behind the lock something is kept")
	}
	o.clock.pass(2 * time.Minute)
	o.signsIn()
	if q, ok := o.Open().(*personPage); !ok || q == p || q.subject != p.subject {
		t.Fatalf("goes on at %s", o.Open().ID())
	}
	o.Back()
	if got := o.Open().ID(); got != "board-everybody" {
		t.Errorf("from the person it goes back to %s", got)
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
	o.Show(p)
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
func (o *room) importPageOf() *importPage {
	o.t.Helper()
	for _, e := range o.Entries() {
		if p, ok := e.Page.(*importPage); ok {
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
	o.Show(p)
	o.dropped([]string{file})
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
	o.enrolWith(approverMail, "Aisha Bouali", "0611111111", domain.RoleApprover)
	o.signsIn()
	o.Show(o.importPageOf())
	over := func() bool { return o.at.Canvas().Overlays().Top() != nil }
	o.importPageOf().choose()
	if !over() {
		t.Fatal("no dialog opens")
	}
	o.at.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if over() {
		t.Error("Escape does not close it")
	}
	o.importPageOf().choose()
	o.Show(o.Entries()[0].Page)
	if over() {
		t.Error("a dialog lies over another page")
	}
	o.Show(o.importPageOf())
	o.importPageOf().choose()
	o.locks()
	if over() {
		t.Error("a dialog lies over the lock")
	}
	o.signsInAs(approverMail)
	if got := o.Open().ID(); got != "board-today" {
		t.Errorf("somebody else begins on %s", got)
	}
}

// Every text of the import is there in both languages, and used.
func TestTheImportHasItsWords(t *testing.T) {
	made := []string{}
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
	b, err := os.ReadFile("importer.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"(import-[a-z-]+[a-z])"`).FindAllStringSubmatch(string(b), -1) {
		made = append(made, m[1])
	}
	for _, lang := range i18n.Languages() {
		written := map[string]any{}
		if _, err := toml.DecodeFile(filepath.Join("../../../../assets/translations", lang, "import.toml"), &written); err != nil {
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
