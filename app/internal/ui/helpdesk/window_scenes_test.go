package helpdesk

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	driver "fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// staffTown is a town whose staff sign in without being asked for anything.
type staffTown struct {
	*town
	office.Logins

	long bool // their names are as long as names may be
}

func (staffTown) Login(context.Context, string, string, string) (desk.View, error) {
	return desk.View{Visit: "x", Screen: desk.ScreenAccount}, nil
}

func (s staffTown) StartShift(context.Context, string) (desk.Shift, error) {
	return shiftOf(s.long), nil
}

func (s staffTown) KeepShift(context.Context, string) (desk.Shift, error) {
	return shiftOf(s.long), nil
}
func (staffTown) EndShift(context.Context, string) error { return nil }

func (staffTown) PlanImport(context.Context, string, desk.StaffList, bool, func(int, int)) (desk.ImportPlan, error) {
	return desk.ImportPlan{}, errors.New("a scene plans nothing")
}

func (staffTown) Import(context.Context, string, desk.ImportPlan, func(int, int)) (desk.Imported, error) {
	return desk.Imported{}, errors.New("a scene imports nothing")
}

func shiftOf(long bool) desk.Shift {
	s := desk.Shift{ID: "shift", Subject: domain.SubjectID{7}, Name: "Joost Kuipers", Roles: []domain.Role{domain.RoleHelpdesk}, Left: 5 * time.Minute}
	if long {
		s.Name = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"
		s.Roles = staff.Roles()
	}
	s.Rights = staff.RightsOf(append(s.Roles, domain.RoleAdmin))
	return s
}

// A windowScene is the window in one state.
type windowScene struct {
	name string
	show func(w *Window)
}

// windowScenes are the states that matter; long makes what people wrote as long as it may be.
func windowScenes(long bool) []windowScene {
	imports := func(change func(p *importPage)) func(*Window) {
		return func(w *Window) {
			p := w.Entries()[len(w.Entries())-1].Page.(*importPage)
			p.list, p.plan = manyColleagues(long)
			p.file, p.stage = "personeel-november.csv", planned
			p.ctx, p.cancel = context.WithCancel(w.Life())
			change(p)
			w.Show(p)
		}
	}
	return []windowScene{
		{"board", func(*Window) {}},
		{"import-pick", imports(func(p *importPage) { p.stage = picking })},
		{"import-wrong", imports(func(p *importPage) { p.stage, p.wrong = picking, p.w.t("import-refused-too-many-rows") })},
		{"import-busy", imports(func(p *importPage) {
			p.stage = importing
			p.tell(3120, 10_000)
		})},
		{"import-plan", imports(func(*importPage) {})},
		{"import-chosen", func(w *Window) {
			imports(func(*importPage) {})(w)
			p := w.Open().(*importPage)
			ui.Focus(p.table)
			for range 3 { // past the heading
				p.table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
			}
		}},
		{"import-not-everybody", imports(func(p *importPage) { p.strict, p.note = true, p.w.t("import-not-everybody") })},
		{"import-nothing", imports(func(p *importPage) {
			p.list.Problems, p.list.Notes, p.list.Bad = nil, nil, 0
			p.plan = desk.ImportPlan{Same: 431}
		})},
		{"import-done", imports(func(p *importPage) {
			p.stage, p.result = imported, desk.Imported{Done: len(p.plan.Steps)}
		})},
		{"import-broken-off", imports(func(p *importPage) {
			p.list.Problems, p.plan.Refused = nil, nil
			p.stage, p.wrong, p.result = imported, p.w.Says(&desk.Refusal{Code: desk.Unavailable, Incident: "1f2e3d4c"}), desk.Imported{Done: 12}
		})},
	}
}

// manyColleagues is a list with everything that can be in one.
func manyColleagues(long bool) (List, desk.ImportPlan) {
	l := List{
		Staff: desk.StaffList{Source: enrolment.RosterFromFile, Tells: []desk.StaffField{desk.StaffName}},
		Rows:  60, Bad: 3, Encoding: "Windows-1252", Delimiter: ";", Ignored: []string{"Kamer", "Leidinggevende", "Kostenplaats"},
		Problems: []ListProblem{
			{Line: 3, Column: "E-mail", Reason: "not-an-address"},
			{Line: 17, Column: "Mobiel", Reason: "number-mangled"},
			{Line: 40, Reason: "too-many-fields"},
		},
		Notes: []ListProblem{{Line: 8, Column: "Mobiel", Reason: "zero-added"}},
	}
	p := desk.ImportPlan{Batch: "file-8a1d1f2c3b4a59687786958493a2b1c0", Same: 12}
	for i := range 50 {
		person := desk.Person{Email: fmt.Sprintf("collega.%d@voorbeeld.nl", i), Name: fmt.Sprintf("Collega %d", i)}
		if long {
			person.Email = fmt.Sprintf("wilhelmina-alexandra.van-der-heijden-oosterhuis-%d@dienstverlening.voorbeeldorganisatie.nl", i)
			person.Name = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"
		}
		l.Staff.People, l.Lines = append(l.Staff.People, person), append(l.Lines, i+2)
		step := desk.ImportStep{Do: desk.ImportNew, At: i, Email: person.Email}
		switch {
		case i < 2:
			step = desk.ImportStep{Do: desk.ImportLeave, At: -1, Email: person.Email}
		case i < 5:
			step.Do, step.Changes = desk.ImportChange, []desk.StaffField{desk.StaffName, desk.StaffPhone, desk.StaffEmployee, desk.StaffStart}
		}
		p.Steps = append(p.Steps, step)
	}
	p.Refused = []desk.ImportRefusal{{At: 9, Err: desk.ErrListedTwice}, {At: -1, Err: desk.ErrSaidMeanwhile}}
	return l, p
}

// enterWindow signs in at a window of a size, and shows a scene in it.
func enterWindow(t *testing.T, sc windowScene, size fyne.Size, o ui.Options, lang string, long bool) *desktop {
	t.Helper()
	d := newDesktop(t, o, lang)
	town := staffTown{town: newTown(morning()), long: long}
	town.kiosks = machines()
	w := New(Config{
		Logins: town, Staff: town, Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", DefaultLanguage: lang, Mode: o.Mode,
		ReadList: func(io.Reader) (List, error) { return List{}, nil },
		Now:      func() time.Time { return noon },
	})
	d.w = test.NewTempWindow(t, w.Content())
	d.w.Resize(size)
	w.Attach(d.w)
	for s := ui.Normal; s < o.Scale; s = s.Next() {
		d.w.Canvas().(fyne.Shortcutable).TypedShortcut(&driver.CustomShortcut{KeyName: fyne.KeyPlus, Modifier: fyne.KeyModifierControl}) //nolint:forcetypeassert,errcheck // it is one
	}
	d.w.Resize(size)
	for _, words := range []string{agentMail, phrase} {
		officetest.Type(d.w, words)
		officetest.Press(d.w, fyne.KeyReturn)
	}
	d.until("somebody is signed in", func() bool { return w.Open() != nil })
	sc.show(w)
	d.settle()
	t.Cleanup(func() {
		w.Close()
		d.settle()
	})
	d.open = w.Open
	return d
}

var windowSizes = []struct {
	size  fyne.Size
	scale ui.Scale
	lang  string
}{
	{fyne.NewSize(1024, 700), ui.Normal, "nl"},
	{fyne.NewSize(1024, 700), ui.Largest, "nl"},
	{fyne.NewSize(1024, 700), ui.Largest, "en"},
	{fyne.NewSize(1280, 800), ui.Normal, "en"},
	{fyne.NewSize(1600, 1000), ui.Larger, "nl"},
}

// In every size and language everything that the window itself says has its place, also
// beside long names; nothing of it scrolls but tables.
func TestTheWindowFits(t *testing.T) {
	for _, v := range windowSizes {
		for _, sc := range windowScenes(true) {
			t.Run(fmt.Sprintf("%s/%v/%v/%s", sc.name, v.size.Width, v.scale, v.lang), func(t *testing.T) {
				d := enterWindow(t, sc, v.size, ui.Options{Scale: v.scale}, v.lang, true)
				officetest.Fits(t, d.w, 0)
				officetest.Under(t, d.w)
				officetest.Overlaps(t, d.w)
				if p, ok := d.open().(*importPage); ok && p.table != nil && p.table.Size().Height < 120 {
					t.Errorf("its table has a height of %v", p.table.Size().Height)
				}
			})
		}
	}
}

// Writes the window as pictures into the folder KEYDESK_SHOTS, to be looked at.
// KEYDESK_SHOTS_ONLY is a pattern for their names.
func TestWindowShots(t *testing.T) {
	dir := os.Getenv("KEYDESK_SHOTS")
	if dir == "" {
		t.Skip("KEYDESK_SHOTS is not set")
	}
	only := os.Getenv("KEYDESK_SHOTS_ONLY")
	for _, v := range []struct {
		name, lang string
		size       fyne.Size
		o          ui.Options
		long       bool
	}{
		{"1280", "nl", fyne.NewSize(1280, 800), ui.Options{}, false},
		{"1280-en-dark", "en", fyne.NewSize(1280, 800), ui.Options{Mode: ui.Dark}, false},
		{"1600-hc", "nl", fyne.NewSize(1600, 1000), ui.Options{Mode: ui.HighContrast}, false},
		{"1024-150", "nl", fyne.NewSize(1024, 700), ui.Options{Scale: ui.Largest}, true},
	} {
		for _, sc := range windowScenes(v.long) {
			name := "window-" + sc.name + "-" + v.name
			if ok, _ := filepath.Match(only, name); only != "" && !ok {
				continue
			}
			t.Run(name, func(t *testing.T) {
				d := enterWindow(t, sc, v.size, v.o, v.lang, v.long)
				f, err := os.Create(filepath.Join(dir, name+".png")) //nolint:gosec // the folder that was asked for
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(png.Encode(f, d.w.Canvas().Capture()), f.Close()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
