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
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// staffTown is a town whose staff sign in without being asked for anything.
type staffTown struct {
	*town

	Logins
}

func (staffTown) StartShift(context.Context, string) (desk.Shift, error) { return desk.Shift{}, nil }
func (staffTown) EndShift(context.Context, string) error                 { return nil }
func (staffTown) End(context.Context, string, desk.WipeReason) error     { return nil }

func (staffTown) KeepShift(context.Context, string) (desk.Shift, error) { return shiftOf(false), nil }

func (staffTown) PlanImport(context.Context, string, desk.StaffList, bool, func(int, int)) (desk.ImportPlan, error) {
	return desk.ImportPlan{}, errors.New("a scene plans nothing")
}

func (staffTown) Import(context.Context, string, desk.ImportPlan, func(int, int)) (desk.Imported, error) {
	return desk.Imported{}, errors.New("a scene imports nothing")
}

// Watch gives a demo's messages, of which there are none.
func (staffTown) Watch(ctx context.Context, _ func(DemoMessage)) error {
	<-ctx.Done()
	return nil
}

func (staffTown) Approve(context.Context, string) error { return nil }

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
	view := desk.View{
		Visit: "x", Lang: "nl", Code: desk.CodeView{Left: 8 * time.Minute, ResendIn: 24 * time.Second, Tries: 5, Delivery: desk.Delivered},
		Login: desk.LoginView{Digits: "482917", Left: 95 * time.Second},
	}
	signs := func(screen desk.Screen, change func(s *signIn)) func(*Window) {
		return func(w *Window) {
			w.signIn.view, w.signIn.seen = view, w.c.Now()
			w.signIn.view.Screen = screen
			if screen == "" {
				w.signIn.view.Visit = ""
			}
			change(w.signIn)
			w.rebuild()
		}
	}
	refused := func(r *desk.Refusal) func(s *signIn) {
		return func(s *signIn) { s.wrong = s.w.says(r) }
	}
	within := func(then func(w *Window)) func(*Window) {
		return func(w *Window) {
			w.begin(shiftOf(long))
			then(w)
		}
	}
	imports := func(change func(p *importPage)) func(*Window) {
		return within(func(w *Window) {
			p := w.entries[len(w.entries)-1].page.(*importPage)
			p.list, p.plan = manyColleagues(long)
			p.file, p.stage = "personeel-november.csv", planned
			p.ctx, p.cancel = w.ctx, w.cancel
			change(p)
			w.show(p)
		})
	}
	return []windowScene{
		{"sign-in", signs("", func(*signIn) {})},
		{"sign-in-locked", signs("", func(s *signIn) { s.why = "helpdesk-locked" })},
		{"sign-in-refused", signs("", refused(&desk.Refusal{Code: desk.WrongLogin}))},
		{"sign-in-away", signs("", refused(&desk.Refusal{Code: desk.Unsure, Incident: "1f2e3d4c"}))},
		{"code", signs(desk.ScreenLoginCode, func(*signIn) {})},
		{"code-refused", signs(desk.ScreenLoginCode, refused(&desk.Refusal{Code: desk.WrongCode, Left: 4}))},
		{"code-failed", signs(desk.ScreenLoginCode, func(s *signIn) {
			s.view.Code.Delivery, s.view.Code.ResendIn = desk.Failing, 0
			refused(&desk.Refusal{Code: desk.SMSPaused})(s)
		})},
		{"approve", signs(desk.ScreenLoginApproval, func(*signIn) {})},
		{"approve-denied", signs(desk.ScreenLoginApproval, func(s *signIn) { s.view.Login.Ended = desk.EndedDenied })},
		{"approve-limited", signs(desk.ScreenLoginApproval, func(s *signIn) { s.view.Login.Ended = desk.EndedLimited })},
		{"frozen", signs(desk.ScreenFrozen, func(*signIn) {})},
		{"no-role", signs("", func(s *signIn) { s.notFor = true })},
		{"board", within(func(*Window) {})},
		{"keys", within(func(w *Window) { w.help() })},
		{"locks-soon", within(func(w *Window) {
			w.until = w.c.Now().Add(20 * time.Second)
			w.tellLeft()
		})},
		{"import-pick", imports(func(p *importPage) { p.stage = picking })},
		{"import-wrong", imports(func(p *importPage) { p.stage, p.wrong = picking, p.w.t("import-refused-too-many-rows") })},
		{"import-busy", imports(func(p *importPage) {
			p.stage = importing
			p.tell(3120, 10_000)
		})},
		{"import-plan", imports(func(*importPage) {})},
		{"import-chosen", within(func(w *Window) {
			imports(func(*importPage) {})(w)
			p := w.open.(*importPage)
			ui.Focus(p.table)
			for range 3 { // past the heading
				p.table.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
			}
		})},
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
			p.stage, p.wrong, p.result = imported, p.w.says(&desk.Refusal{Code: desk.Unavailable, Incident: "1f2e3d4c"}), desk.Imported{Done: 12}
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

// enterWindow shows a scene in a window of a size.
func enterWindow(t *testing.T, sc windowScene, size fyne.Size, o ui.Options, lang string) *Window {
	t.Helper()
	d := newDesktop(t, o, lang)
	town := staffTown{town: newTown(morning())}
	town.kiosks = machines()
	w := New(Config{
		Logins: town, Staff: town, Demo: town, Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", DefaultLanguage: lang, Mode: o.Mode,
		ReadList: func(io.Reader) (List, error) { return List{}, nil },
		Now:      func() time.Time { return noon },
	})
	w.options.Scale = max(o.Scale, ui.Normal)
	w.demo.last = DemoMessage{SMS: true, To: "+31612345678", Code: "482917", At: noon}
	d.w = test.NewTempWindow(t, w.Content())
	d.w.Resize(size)
	w.Attach(d.w)
	d.w.Resize(size)
	w.ticker.Stop() // tests tell the time
	sc.show(w)
	d.settle()
	t.Cleanup(func() {
		w.Close()
		d.settle()
	})
	return w
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
				w := enterWindow(t, sc, v.size, ui.Options{Scale: v.scale}, v.lang)
				for _, c := range inSight(w.win.Content(), fyne.Position{}, fyne.Position{}, fyne.NewPos(v.size.Width, v.size.Height)) {
					words := c.Text.Text
					if right := c.at.X + c.Size().Width; right > v.size.Width-31 {
						t.Errorf("%q reaches to %v", words, right)
					}
					if c.MinSize().Width > c.Size().Width+1.5 {
						t.Errorf("%q is %v wide, and has %v", words, c.MinSize().Width, c.Size().Width)
					}
				}
				under(t, w.win.Content(), 0, v.size.Height-7)
				if p, ok := w.open.(*importPage); ok && p.table != nil && p.table.Size().Height < 120 {
					t.Errorf("its table has a height of %v", p.table.Size().Height)
				}
				overlaps(t, w)
			})
		}
	}
}

// under fails the test where something that does not scroll reaches under the window.
func under(t *testing.T, o fyne.CanvasObject, y, most float32) {
	t.Helper()
	y += o.Position().Y
	var parts []fyne.CanvasObject
	switch o := o.(type) {
	case *canvas.Text:
		if o.Visible() && o.Text != "" && y+o.Size().Height > most {
			t.Errorf("%q reaches down to %v", o.Text, y+o.Size().Height)
		}
	case *container.Clip:
		return
	case *fyne.Container:
		parts = o.Objects
	case fyne.Widget:
		parts = test.WidgetRenderer(o).Objects()
	}
	for _, p := range parts {
		if p.Visible() {
			under(t, p, y, most)
		}
	}
}

// overlaps fails the test where two lines of words lie over each other.
func overlaps(t *testing.T, w *Window) {
	t.Helper()
	s := w.win.Canvas().Size()
	all := inSight(w.win.Content(), fyne.Position{}, fyne.Position{}, fyne.NewPos(s.Width, s.Height))
	for i, a := range all {
		for _, b := range all[:i] {
			if a.at.X < b.at.X+b.Size().Width-1 && b.at.X < a.at.X+a.Size().Width-1 &&
				a.at.Y < b.at.Y+b.Size().Height*0.6 && b.at.Y < a.at.Y+a.Size().Height*0.6 {
				t.Errorf("%q lies over %q, at %v and %v", a.Text.Text, b.Text.Text, a.at, b.at)
			}
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
				w := enterWindow(t, sc, v.size, v.o, v.lang)
				f, err := os.Create(filepath.Join(dir, name+".png")) //nolint:gosec // the folder that was asked for
				if err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(png.Encode(f, w.win.Canvas().Capture()), f.Close()); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}
