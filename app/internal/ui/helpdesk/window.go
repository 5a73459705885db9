package helpdesk

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// Logins are the use cases of signing in, which are those of the kiosk.
type Logins interface {
	Login(ctx context.Context, email, password, lang string) (desk.View, error)
	ConfirmLogin(ctx context.Context, visit, code string) (desk.View, error)
	AskAgain(ctx context.Context, visit string) (desk.View, error)
	Resend(ctx context.Context, visit string) (desk.View, error)
	Await(ctx context.Context, visit string, version uint64) (desk.View, error)
	End(ctx context.Context, visit string, why desk.WipeReason) error
}

// Shifts are from signing in to signing out.
type Shifts interface {
	StartShift(ctx context.Context, visit string) (desk.Shift, error)
	KeepShift(ctx context.Context, shift string) (desk.Shift, error)
	EndShift(ctx context.Context, shift string) error
}

// Rosters are the imports of HR's list.
type Rosters interface {
	PlanImport(ctx context.Context, shift string, l desk.StaffList, leavers bool, progress func(done, total int)) (desk.ImportPlan, error)
	Import(ctx context.Context, shift string, p desk.ImportPlan, progress func(done, total int)) (desk.Imported, error)
}

// Staff is all that staff may ask for once they have signed in.
type Staff interface {
	Shifts
	Boards
	People
	Stations
	Rosters
	Cases
	Callers
}

// A DemoMessage is one mail or SMS that the demo's phone received.
type DemoMessage struct {
	SMS  bool
	To   string
	Code string
	At   time.Time
}

// A Demo is the phone of a demo, which shows the codes in plain sight.
type Demo interface {
	// Watch gives the messages as they arrive, until ctx ends, from any goroutine.
	Watch(ctx context.Context, receive func(DemoMessage)) error
	// Approve types the digits that the screen shows into the paired phone.
	Approve(ctx context.Context, digits string) error
}

// Config is what a Window is made of. Logins, Staff and the names are needed; what is
// left out of the rest has the value that its comment says.
type Config struct {
	Logins Logins
	Staff  Staff

	Portal     string
	PocketName string // "Pocket"
	Support    string // where staff themselves get help

	Languages       []string // i18n.Languages
	DefaultLanguage string   // the first of them
	Mode            ui.Mode

	Demo Demo // nil outside a demo

	// ReadList reads HR's list from a file; nil: lists are imported elsewhere.
	ReadList func(io.Reader) (List, error)
	// Assist has somebody enrol beside the agent, in the place of the window; nil: not
	// here. The window is attached again when that is over.
	Assist func(begin func(ctx context.Context, lang string) (desk.View, error))

	Now func() time.Time // time.Now
}

func (c *Config) defaults() {
	if len(c.Languages) == 0 {
		c.Languages = i18n.Languages()
	}
	if !slices.Contains(c.Languages, c.DefaultLanguage) {
		c.DefaultLanguage = c.Languages[0]
	}
	if c.PocketName == "" {
		c.PocketName = "Pocket"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// A page is what shows beside the rail.
type page interface {
	id() string
	title() string
	// content is built anew at a switch of language, size or theme.
	content() fyne.CanvasObject
	enter()
	leave()
	// key is a key that no widget took; true: it is taken.
	key(e *fyne.KeyEvent) bool
}

// An entry is a page that stands on the rail.
type entry struct {
	icon  ui.Icon
	page  page
	right staff.Right
}

// A Window is the content of a window of staff, and who has signed in there. All its
// methods are called on Fyne's goroutine.
type Window struct {
	c       Config
	p       *i18n.Printer
	win     fyne.Window
	root    *ui.Root
	options ui.Options

	shift   desk.Shift      // zero: nobody
	base    context.Context //nolint:containedctx // of everything that goes on without anybody
	ctx     context.Context //nolint:containedctx // ends with the shift
	cancel  context.CancelFunc
	signIn  *signIn // nil while somebody is signed in
	entries []entry
	items   []*ui.NavItem
	cases   *casesPage // it counts what waits; nil: nobody is signed in
	open    page       // what shows
	behind  page       // what a person's page was opened from
	resume  resume     // where whoever was locked out goes on

	ticker *ui.Ticker
	kept   time.Time // when the shift was last kept
	until  time.Time // when the shift locks, unless it is kept
	left   *ui.Text  // that it is about to
	veil   *ui.Veil
	listed *ui.Scroller // the keys on the veil
	demo   *demoStrip   // nil outside a demo
}

// resume is where somebody was when the window was locked.
type resume struct {
	subject domain.SubjectID
	page    string
	person  domain.SubjectID
}

// New returns a window on which nobody has signed in. Attach puts it on the screen.
func New(c Config) *Window {
	c.defaults()
	w := &Window{c: c, p: i18n.New(c.DefaultLanguage), options: ui.Options{Mode: c.Mode, Scale: ui.Normal, Class: ui.Desktop}}
	w.base = context.Background()
	w.ctx, w.cancel = context.WithCancel(w.base)
	w.signIn = newSignIn(w, "")
	if c.Demo != nil {
		w.demo = newDemoStrip(w)
	}
	return w
}

// Attach makes it the content of a window, follows its keys, and starts the clock.
// Close, or Detach, ends what Attach began.
func (w *Window) Attach(win fyne.Window) {
	w.win = win
	win.SetPadded(false)
	ui.SetTheme(w.options)
	win.SetContent(w.Content())
	w.keys(win.Canvas())
	win.SetOnDropped(w.dropped)
	ui.OnActivity(w.touched)
	if w.shift.ID != "" && !w.c.Now().Before(w.until) {
		w.lock() // it ran out while the window was off the screen, and nothing of it shows
	}
	w.rebuild()
	w.ticker = ui.NewTicker(time.Second, w.tick)
	if w.open != nil {
		w.open.enter()
		w.keep()
	}
}

// Detach takes it off the screen; whoever has signed in stays so.
func (w *Window) Detach() {
	w.ticker.Stop()
	ui.OnActivity(nil)
	if w.open != nil {
		w.open.leave()
	}
	w.hideVeil()
	w.win = nil
}

// Content returns the window as one object.
func (w *Window) Content() fyne.CanvasObject {
	if w.root == nil {
		w.root = ui.NewRoot(ui.Stack())
	}
	return w.root
}

// Close signs out and stops all.
func (w *Window) Close() {
	if w.win != nil {
		w.Detach()
	}
	if w.signIn != nil {
		w.signIn.stop()
	}
	w.end()
	w.cancel()
	if w.demo != nil {
		w.demo.stop()
	}
}

// rebuild builds what shows anew: in another language, size or mode.
func (w *Window) rebuild() {
	if w.root == nil {
		return
	}
	w.hideVeil()
	if w.win != nil {
		w.win.Canvas().Unfocus() // or what is gone keeps the focus, and takes the keys
	}
	if w.signIn != nil {
		w.root.Set(w.signIn.build())
		w.signIn.focus()
		return
	}
	w.root.Set(w.frame())
}

func (w *Window) frame() fyne.CanvasObject {
	w.items = w.items[:0]
	items := make([]fyne.CanvasObject, 0, len(w.entries))
	for _, e := range w.entries {
		item := ui.NewNavItem(e.icon, e.page.title(), func() { w.show(e.page) })
		item.SetOn(e.page == w.open || e.page == w.behind)
		if c, ok := e.page.(*casesPage); ok {
			item.SetCount(c.waiting())
		}
		w.items, items = append(w.items, item), append(items, item)
	}
	w.left = ui.Hint().Ink(ui.ColorSun)
	w.left.Hide()
	roles := make([]string, len(w.shift.Roles))
	for i, r := range w.shift.Roles {
		roles[i] = w.t("helpdesk-role-" + string(r))
	}
	foot := []fyne.CanvasObject{
		w.left,
		ui.NewSomebody(w.shift.Name, strings.Join(roles, ", ")),
		ui.NewNavItem(ui.IconQuestion, w.t("helpdesk-keys-short"), w.help),
		ui.NewNavItem(ui.IconSignOut, w.t("helpdesk-sign-out"), w.signOut),
	}
	brand := ui.Column(ui.SizeSmallGap, ui.NewBrand("Keydesk"), ui.Hint(ui.Plain(w.c.Portal)).Ink(ui.ColorRailMuted).Elide())
	return ui.NewFrame(brand, items, foot, w.open.content())
}

// show shows a page of the rail.
func (w *Window) show(p page) {
	if w.open != nil {
		w.open.leave()
	}
	w.open, w.behind = p, nil
	w.rebuild()
	p.enter()
}

// begin is the window of somebody who has just signed in.
func (w *Window) begin(s desk.Shift) {
	w.cancel()
	w.ctx, w.cancel = context.WithCancel(w.base)
	w.shift, w.signIn = s, nil
	if w.demo != nil {
		w.demo.forget()
	}
	w.kept, w.until = w.c.Now(), w.c.Now().Add(s.Left)
	w.entries = w.entriesOf(s)
	at, back := w.entries[0].page, w.resume
	if back.subject == s.Subject {
		for _, e := range w.entries {
			if e.page.id() == back.page {
				at = e.page
			}
		}
	}
	w.resume = resume{}
	w.show(at)
	if back.subject == s.Subject && !back.person.IsZero() {
		w.openPerson(back.person)
	}
}

// entriesOf are the pages that somebody may see. Every role sees the board.
func (w *Window) entriesOf(s desk.Shift) []entry {
	decides := staff.ApproveCase // or sees what comes of their own
	if !s.May(decides) {
		decides = staff.RequestCase
	}
	w.stopCounting()
	w.cases = newCasesPage(w, w.c.Staff, w.recount)
	all := []entry{
		{ui.IconBoard, newBoardPage(w, w.c.Staff, desk.ScopeToday), staff.SeeBoard},
		{ui.IconPeople, newBoardPage(w, w.c.Staff, desk.ScopeEverybody), staff.SeeBoard},
		{ui.IconShieldCheck, w.cases, decides},
		{ui.IconKiosk, newKiosksPage(w, w.c.Staff), staff.SeeKiosks},
	}
	if w.c.ReadList != nil {
		all = append(all, entry{ui.IconList, newImportPage(w), staff.ImportRoster})
	}
	if s.May(decides) {
		w.cases.count()
	}
	return slices.DeleteFunc(all, func(e entry) bool { return !s.May(e.right) })
}

func (w *Window) stopCounting() {
	if w.cases != nil {
		w.cases.stop()
	}
}

// recount shows on the rail how much waits.
func (w *Window) recount() {
	for i, e := range w.entries {
		if e.page == page(w.cases) && i < len(w.items) {
			w.items[i].SetCount(w.cases.waiting())
		}
	}
}

// assist has somebody enrol beside the agent, in the place of this window; then the
// person's page shows again. Nothing keeps the shift meanwhile: after five minutes the
// agent signs in again, and whoever sat beside them finds a window that is locked.
func (w *Window) assist(s domain.SubjectID) func() {
	if w.c.Assist == nil {
		return nil
	}
	return func() {
		id := w.shift.ID
		w.c.Assist(func(ctx context.Context, lang string) (desk.View, error) { return w.c.Staff.Assist(ctx, id, s, lang) })
	}
}

// end forgets who had signed in, and all that showed.
func (w *Window) end() {
	if w.shift.ID == "" {
		return
	}
	if w.open != nil && w.win != nil {
		w.open.leave()
	}
	w.cancel()
	id := w.shift.ID
	ui.Work(w.base, func(ctx context.Context) (struct{}, error) { return struct{}{}, w.c.Staff.EndShift(ctx, id) },
		func(struct{}, error) {}) // one that cannot be ended now ends by itself
	w.ctx, w.cancel = context.WithCancel(w.base)
	w.stopCounting()
	w.shift, w.entries, w.items, w.cases, w.open, w.behind = desk.Shift{}, nil, nil, nil, nil, nil
	fyne.CurrentApp().Clipboard().SetContent("")
}

// signOut signs out at one's own wish: whoever comes next begins anew.
func (w *Window) signOut() {
	w.end()
	w.resume = resume{}
	w.signIn = newSignIn(w, "")
	w.rebuild()
}

// lock takes everything away until somebody signs in again; the same person goes on
// where they were.
func (w *Window) lock() {
	at := resume{subject: w.shift.Subject}
	if p, ok := w.open.(*personPage); ok {
		at.person = p.subject
	}
	switch {
	case w.behind != nil:
		at.page = w.behind.id()
	case w.open != nil:
		at.page = w.open.id()
	}
	w.end()
	w.resume = at
	w.signIn = newSignIn(w, "helpdesk-locked")
	w.rebuild()
}

// lockWarns is how long before the lock it is told.
const lockWarns = 30 * time.Second

// keepEvery is how often at most the shift is kept while somebody does something.
const keepEvery = 20 * time.Second

// touched notes a sign of life.
func (w *Window) touched() {
	if w.signIn != nil {
		w.signIn.active = w.c.Now()
	}
	if w.shift.ID != "" && w.c.Now().Sub(w.kept) >= min(keepEvery, w.until.Sub(w.kept)/2) {
		w.keep()
	}
}

// keep says that somebody is there, and learns what they may do now.
func (w *Window) keep() {
	id := w.shift.ID
	if id == "" {
		return
	}
	w.kept = w.c.Now()
	ui.Work(w.ctx, func(ctx context.Context) (desk.Shift, error) { return w.c.Staff.KeepShift(ctx, id) },
		func(s desk.Shift, err error) {
			if w.shift.ID != id || err != nil {
				if w.shift.ID == id {
					w.refused(err)
				}
				return // of a server that is away the pages tell
			}
			w.until = w.c.Now().Add(s.Left)
			changed := !slices.Equal(s.Rights, w.shift.Rights)
			w.shift = s
			if changed {
				w.entries = w.entriesOf(s)
				w.show(w.entries[0].page)
			}
			w.tellLeft()
		})
}

// tick is called once a second.
func (w *Window) tick() {
	if w.signIn != nil {
		w.signIn.tick()
		return
	}
	if !w.c.Now().Before(w.until) {
		w.lock()
		return
	}
	w.tellLeft()
}

// tellLeft says that the window is about to lock.
func (w *Window) tellLeft() {
	if w.left == nil {
		return
	}
	left := w.until.Sub(w.c.Now())
	if left > lockWarns {
		if w.left.Visible() {
			w.left.Hide()
			w.root.Refresh()
		}
		return
	}
	w.left.SetText(w.p.N("helpdesk-locks-in", ui.Seconds(left)))
	w.left.Show()
	w.root.Refresh()
}

// What a page has around it; see around.

func (w *Window) printer() *i18n.Printer { return w.p }
func (w *Window) clock() time.Time       { return w.c.Now() }
func (w *Window) signedIn() desk.Shift   { return w.shift }
func (w *Window) life() context.Context  { return w.ctx }

func (w *Window) refused(err error) bool {
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok || r.Code != desk.ShiftOver {
		return false
	}
	if w.shift.ID != "" {
		w.lock()
	}
	return true
}

// openPerson shows one person, over the page that shows.
func (w *Window) openPerson(s domain.SubjectID) {
	if !w.shift.May(staff.SeePerson) {
		return
	}
	from := w.open
	if w.behind != nil {
		from = w.behind
	}
	w.open.leave()
	w.open, w.behind = newPersonPage(w, w.c.Staff, s), from
	w.rebuild()
	w.open.enter()
}

// back leaves a person's page for where one came from.
func (w *Window) back() {
	if w.behind != nil {
		w.show(w.behind)
	}
}

func (w *Window) t(id string, args ...i18n.Args) string { return w.p.T(id, args...) }

// names are the values that texts may use.
func (w *Window) names() i18n.Args {
	return i18n.Args{"Portal": w.c.Portal, "Pocket": w.c.PocketName, "Support": w.c.Support}
}

// says puts a refusal in words.
func (w *Window) says(err error) string {
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok {
		r = &desk.Refusal{Code: desk.Unavailable}
	}
	args := w.names()
	args["Wait"] = w.wait(r.Wait)
	switch id := "refusal-" + string(r.Code); r.Code { //nolint:exhaustive // the others count nothing
	case desk.WrongCode, desk.WrongPassword, desk.WrongDigits:
		return w.p.N(id, r.Left, args)
	default:
		said := w.t(id, args)
		if r.Incident != "" { // with which somebody finds it in the program's log
			said += " " + w.t("helpdesk-incident", i18n.Args{"Incident": r.Incident})
		}
		return said
	}
}

// wait returns a time in words.
func (w *Window) wait(d time.Duration) string {
	if s := ui.Seconds(d); s < 90 {
		return w.p.N("kiosk-seconds", max(1, s))
	}
	return w.p.N("kiosk-minutes", int((d+time.Minute-1)/time.Minute))
}
