package office

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// A fakeDesk is one that nobody signs in at, with a demo's phone that is silent.
type fakeDesk struct{ Logins }

func (fakeDesk) StartShift(context.Context, string) (desk.Shift, error) { return desk.Shift{}, nil }
func (fakeDesk) EndShift(context.Context, string) error                 { return nil }
func (fakeDesk) KeepShift(context.Context, string) (desk.Shift, error)  { return shiftOf(false), nil }
func (fakeDesk) End(context.Context, string, desk.WipeReason) error     { return nil }
func (fakeDesk) Approve(context.Context, string) error                  { return nil }

// Watch gives a demo's messages, of which there are none.
func (fakeDesk) Watch(ctx context.Context, _ func(DemoMessage)) error {
	<-ctx.Done()
	return nil
}

// openFake opens a window on a desk that is none.
func openFake(t *testing.T, d fakeDesk, o ui.Options, lang string, now func() time.Time) *room {
	t.Helper()
	r := &room{t: t, right: staff.SeeBoard, app: officetest.NewApp(t, o)}
	r.Window = New(Config{
		Logins: d, Shifts: d, Demo: d, Pages: r.pages, Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", DefaultLanguage: lang, Mode: o.Mode, Now: now,
	})
	r.options.Scale = max(o.Scale, ui.Normal)
	w := test.NewTempWindow(t, r.Content())
	r.Attach(w)
	t.Cleanup(func() {
		r.Close()
		r.app.Settle()
	})
	return r
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
		return func(s *signIn) { s.wrong = s.w.Says(r) }
	}
	within := func(then func(w *Window)) func(*Window) {
		return func(w *Window) {
			w.begin(shiftOf(long))
			then(w)
		}
	}
	return []windowScene{
		{"sign-in", signs("", func(*signIn) {})},
		{"sign-in-locked", signs("", func(s *signIn) { s.why = "office-locked" })},
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
		{"no-role", signs("", func(s *signIn) { s.notFor = "refusal-not-staff" })},
		{"not-yours", signs("", func(s *signIn) { s.notFor = "office-not-yours" })},
		{"page", within(func(*Window) {})},
		{"keys", within(func(w *Window) { w.help() })},
		{"locks-soon", within(func(w *Window) {
			w.until = w.c.Now().Add(20 * time.Second)
			w.tellLeft()
		})},
	}
}

// enterWindow shows a scene in a window of a size.
func enterWindow(t *testing.T, sc windowScene, size fyne.Size, o ui.Options, lang string) *room {
	t.Helper()
	w := openFake(t, fakeDesk{}, o, lang, func() time.Time { return noon })
	w.demo.last = DemoMessage{SMS: true, To: "+31612345678", Code: "482917", At: noon}
	w.win.Resize(size)
	w.ticker.Stop() // tests tell the time
	sc.show(w.Window)
	w.app.Settle()
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
// beside long names; nothing of it scrolls.
func TestTheWindowFits(t *testing.T) {
	for _, v := range windowSizes {
		for _, sc := range windowScenes(true) {
			t.Run(fmt.Sprintf("%s/%v/%v/%s", sc.name, v.size.Width, v.scale, v.lang), func(t *testing.T) {
				w := enterWindow(t, sc, v.size, ui.Options{Scale: v.scale}, v.lang).win
				officetest.Fits(t, w, 0)
				officetest.Under(t, w)
				officetest.Overlaps(t, w)
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
			name := "office-" + sc.name + "-" + v.name
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
