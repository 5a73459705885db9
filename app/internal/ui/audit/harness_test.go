package audit

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	driver "fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// noon is when the tests of the pages are.
var noon = time.Date(2026, 11, 23, 10, 58, 0, 0, time.Local)

const longName = "Maria Magdalena Wilhelmina van den Heuvel-Schimmelpenninck van der Oye"

// An archive is an auditor's desk with a seal as a test wants it.
type archive struct {
	office.Logins
	*reel // what is played back

	mu     sync.Mutex
	long   bool
	roles  []domain.Role
	seal   desk.SealView
	result desk.CheckView // of a check
	steps  int            // answers before it is there
	asked  int            // how far a check is
	checks int            // that were begun

	uncounted bool // a check does not know yet how many events there are

	err     error // of all that is asked
	exports []desk.ExportQuery
	bundle  []byte
	made    desk.ExportView
	making  int   // answers before a bundle is made
	partErr error // of the second part
	cut     int   // bytes that never come
	hold    bool  // nor does the second part, until nobody waits for it
	dropped []string
	wait    chan struct{} // the first answer about a bundle waits for it; nil: it does not
}

func newArchive() *archive {
	a := &archive{reel: newReel(640), roles: []domain.Role{domain.RoleAuditor}, seal: sealed(47), bundle: bytes.Repeat([]byte("zip "), 200_000)}
	a.result = desk.CheckView{OK: true, Events: 6412, Total: 6412, Done: 6412, At: noon.Add(-time.Second), Ended: noon}
	a.made = desk.ExportView{ID: "b", Size: int64(len(a.bundle)), Events: 6412, Name: "keydesk-2026-10-01--2026-11-23.zip"}
	return a
}

// root is some hash.
func root(n int) string { return strings.Repeat(fmt.Sprintf("%04x", 0x9f3c+n*977&0xffff), 16) }

// sealed is a log with a checkpoint for each of some days, two witnesses and a check of
// this morning.
func sealed(days int) desk.SealView {
	v := desk.SealView{On: true, Size: 6412, Witnesses: []desk.WitnessView{
		{Name: "getuige-1", URL: "https://getuige-1.voorbeeld.nl/keydesk", Size: 6412, At: noon.Add(-time.Minute), State: desk.WitnessAgrees},
		{Name: "getuige-2", URL: "https://getuige-2.voorbeeld.nl/keydesk", Size: 6380, At: noon.Add(-time.Hour), State: desk.WitnessBehind},
	}}
	for i := range days {
		c := desk.CheckpointView{
			Number: 128 - i, Size: int64(6412 - 130*i), Root: root(i), At: noon.Add(-time.Minute).AddDate(0, 0, -i), Witnesses: []string{"getuige-1", "getuige-2"},
		}
		c.Note = fmt.Sprintf("keydesk/7f3a\n%d\nabc=\ntime %s\n\n— keydesk/7f3a sig%d\n", c.Size, c.At.UTC().Format(time.RFC3339), i)
		v.Checkpoints = append(v.Checkpoints, c)
	}
	v.Checkpoint = v.Checkpoints[0]
	v.Check = desk.CheckView{OK: true, Events: 6400, Done: 6400, Total: 6400, At: noon.Add(-2 * time.Hour), Ended: noon.Add(-2 * time.Hour)}
	return v
}

func (a *archive) set(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
}

func (a *archive) Login(context.Context, string, string, string) (desk.View, error) {
	return desk.View{Visit: "x", Screen: desk.ScreenAccount}, nil
}

func (a *archive) StartShift(context.Context, string) (desk.Shift, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := desk.Shift{ID: "shift", Subject: domain.SubjectID{7}, Name: "Fatma Aydin", Roles: a.roles, Rights: staff.RightsOf(a.roles), Left: 5 * time.Minute}
	if a.long {
		s.Name = longName
	}
	return s, nil
}

func (a *archive) KeepShift(ctx context.Context, _ string) (desk.Shift, error) {
	return a.StartShift(ctx, "")
}
func (a *archive) EndShift(context.Context, string) error             { return nil }
func (a *archive) End(context.Context, string, desk.WipeReason) error { return nil }

func (a *archive) Seal(context.Context, string) (desk.SealView, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seal, a.err
}

func (a *archive) CheckSeal(context.Context, string) (desk.CheckView, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return desk.CheckView{}, a.err
	}
	if a.asked == 0 {
		a.checks++
	}
	if a.asked++; a.asked <= a.steps {
		v := desk.CheckView{Running: true, Done: int64(a.asked * 1000), Total: 6412, At: noon}
		if a.uncounted {
			v.Done, v.Total = 0, 0
		}
		a.seal.Check = v
		return v, nil
	}
	a.asked, a.seal.Check = 0, a.result
	return a.result, nil
}

func (a *archive) DropExport(_ context.Context, _, id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dropped = append(a.dropped, id)
	return a.err
}

func (a *archive) Export(_ context.Context, _ string, q desk.ExportQuery) (desk.ExportView, error) {
	a.mu.Lock()
	wait := a.wait
	a.mu.Unlock()
	if wait != nil {
		<-wait
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return desk.ExportView{}, a.err
	}
	a.exports = append(a.exports, q)
	if len(a.exports) <= a.making {
		return desk.ExportView{ID: "b", Running: true, Done: int64(len(a.exports) * 1000), Total: 6412}, nil
	}
	return a.made, nil
}

func (a *archive) ExportPart(ctx context.Context, _, _ string, offset int64) ([]byte, error) {
	a.mu.Lock()
	hold := offset > 0 && a.hold
	a.mu.Unlock()
	if hold {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if offset > 0 && a.partErr != nil {
		return nil, a.partErr
	}
	b := a.bundle[:len(a.bundle)-a.cut]
	return b[offset:min(int64(len(b)), offset+desk.ExportPartSize)], nil
}

// A room is a window of the auditor on an archive.
type room struct {
	*Window

	tb      *testing.T
	archive *archive
	app     *officetest.App
	at      fyne.Window
	now     time.Time
}

// openRoom opens a window, on which somebody signs in.
func openRoom(t *testing.T, a *archive, size fyne.Size, o ui.Options, lang string) *room {
	t.Helper()
	r := &room{tb: t, archive: a, app: officetest.NewApp(t, o), now: noon}
	r.Window = New(Config{
		Logins: a, Shifts: a, Auditor: a, Portal: "Mijn OPO-R", Support: "servicedesk@voorbeeld.nl", DefaultLanguage: lang, Mode: o.Mode,
		Now: func() time.Time { return r.now },
	})
	r.at = test.NewTempWindow(t, r.Content())
	r.at.Resize(size)
	r.Attach(r.at)
	for s := ui.Normal; s < o.Scale; s = s.Next() {
		r.shortcut(fyne.KeyPlus)
	}
	r.at.Resize(size)
	t.Cleanup(func() {
		r.Close()
		r.app.Settle()
	})
	r.signsIn()
	return r
}

func (r *room) shortcut(key fyne.KeyName) {
	r.at.Canvas().(fyne.Shortcutable).TypedShortcut(&driver.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierControl}) //nolint:forcetypeassert,errcheck // it is one
}

func (r *room) signsIn() {
	r.tb.Helper()
	for _, words := range []string{"fatma@voorbeeld.nl", "Kaas-Fiets-Regen7!Molen"} {
		officetest.Type(r.at, words)
		officetest.Press(r.at, fyne.KeyReturn)
	}
	r.until("an answer to who signs in", func() bool { return r.SignedIn().ID != "" || r.says(r.t("office-no-role")) })
}

func (r *room) until(what string, holds func() bool) {
	r.tb.Helper()
	r.app.Until(what, holds)
}

// says tells whether words are in sight, on however many lines.
func (r *room) says(words string) bool {
	return strings.Contains(strings.Join(officetest.Texts(r.at), " "), words)
}

// bundles shows the page Bundels, and returns it.
func (r *room) bundles() *bundlesPage {
	r.tb.Helper()
	for _, e := range r.Entries() {
		if p, ok := e.Page.(*bundlesPage); ok {
			r.Show(p)
			return p
		}
	}
	r.tb.Fatal("there is no page for bundles")
	return nil
}

// witnesses shows the page Getuigen once the seal is known, and returns it.
func (r *room) witnesses() *witnessesPage {
	r.tb.Helper()
	for _, e := range r.Entries() {
		if p, ok := e.Page.(*witnessesPage); ok {
			r.until("how the log is sealed", func() bool { return r.watch.got || r.watch.lost != nil })
			r.Show(p)
			return p
		}
	}
	r.tb.Fatal("there is no page for witnesses")
	return nil
}

// looks has it asked how the log is sealed, once nothing is asked any more. Where the window
// has locked already, as another answer had it do, there is nothing to ask.
func (r *room) looks() {
	r.tb.Helper()
	r.until("the last answer about the seal", func() bool { return r.watch == nil || !r.watch.asking })
	if r.watch != nil {
		r.watch.look()
	}
}

// t is a text of the window.
func (r *room) t(id string, args ...i18n.Args) string { return r.Printer().T(id, args...) }
